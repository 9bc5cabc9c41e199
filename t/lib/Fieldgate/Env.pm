package Fieldgate::Env;

# What both kinds of test need of their surroundings: which nginx to run and
# with which modules, ports, sanitizer options, and what a log may not contain.
#
# TEST_NGINX_BINARY       nginx; default: the distribution's
# TEST_NGINX_LOAD_MODULES modules to load, separated by spaces; default: those
#                         in build/ for the distribution's nginx, else none

use strict;
use warnings;

use Cwd ();
use Exporter 'import';
use File::Basename ();
use File::Temp ();
use Socket qw(:DEFAULT pack_sockaddr_in6 IN6ADDR_LOOPBACK IPPROTO_IPV6
              IPV6_V6ONLY);
use Time::HiRes ();

our @EXPORT_OK = qw(
    top binary modules version has_feature free_port temp_dir
    sanitizer_env sanitizer_reports log_errors read_file write_file
);

my $top = Cwd::abs_path(File::Basename::dirname(__FILE__) . '/../../..');
my ($binary, @modules, $about, @held);

sub top { $top }

sub binary {
    return $binary if defined $binary;

    my $distro = !defined $ENV{TEST_NGINX_BINARY};
    $binary = $distro ? '/usr/sbin/nginx' : $ENV{TEST_NGINX_BINARY};
    die "$binary is not there: run t/run first\n" unless -x $binary;
    stale('t/asan', $binary) if $binary eq "$top/build/asan/nginx";

    if (defined $ENV{TEST_NGINX_LOAD_MODULES}) {
        @modules = split ' ', $ENV{TEST_NGINX_LOAD_MODULES};

    } elsif ($distro) {
        @modules = (grep({ -f } '/usr/lib/nginx/modules/ngx_stream_module.so'),
                    glob "$top/build/*.so");
        stale('conf/build', map { s{/build/}{/build/objs/}r }
                                grep { m{^$top/build/} } @modules);
    }

    return $binary;
}

# stale(COMMAND, FILE...): whoever tests what is older than its sources tests
# something else than he thinks.  make decides by the same times: each object
# hangs on all headers; config and the rooms are in the stamp beside it.

sub stale {
    my ($command, @built) = @_;

    for my $built (@built) {
        my ($half) = $built =~ /_(cwmp|ntrip)_module\.so$/;
        my $c = $half // '*';
        my %made = (
            $built => [glob("$top/src/*/*.h $top/src/*/*/*.h"),
                       glob("$top/src/$c/*.c $top/src/$c/*/*.c"),
                       $c eq 'cwmp' ? () : glob("$top/schema/*.sql")],
            $built =~ s{[^/]*$}{stamp}r => ["$top/config", "$top/src/rooms"],
        );

        for my $file (keys %made) {
            my $time = mtime($file);
            my ($newer) = grep { mtime($_) > $time } @{$made{$file}};
            die "$built is older than $newer: run $command first\n"
                if defined $newer;
        }
    }
}

# 0 if it is not there, and thus older than everything

sub mtime { (Time::HiRes::stat(shift))[9] // 0 }

sub modules {
    binary();
    return @modules;
}

# "1.22.1" as 1022001, as in NGINX_VERSION_NUM

sub version {
    about() =~ m{nginx/(\d+)\.(\d+)\.(\d+)} or die "no version of nginx";
    return $1 * 1000000 + $2 * 1000 + $3;
}

# has_feature("http_v2"): was nginx configured with it?

sub has_feature {
    my ($name) = @_;
    return about() =~ /--with-\Q$name\E(?:_module)?\b/;
}

sub about {
    my $nginx = binary();
    return $about //= `$nginx -V 2>&1`;
}

# A port of this host that is free, and stays reserved until the test ends: a
# socket stays bound to it without listening, so that the kernel gives it to
# nobody else, while whoever sets SO_REUSEADDR, as nginx does, can listen on
# it.  Until then connections to it are refused.

sub free_port {
    for (1 .. 100) {
        socket(my $v4, PF_INET, SOCK_STREAM, 0) or die "socket: $!";
        setsockopt($v4, SOL_SOCKET, SO_REUSEADDR, 1) or die "setsockopt: $!";
        bind($v4, pack_sockaddr_in(0, INADDR_LOOPBACK)) or die "bind: $!";
        my ($port) = unpack_sockaddr_in(getsockname($v4));
        push @held, $v4;

        # a host without IPv6 has nothing to reserve there

        if (socket(my $v6, PF_INET6, SOCK_STREAM, 0)) {
            setsockopt($v6, SOL_SOCKET, SO_REUSEADDR, 1);
            setsockopt($v6, IPPROTO_IPV6, IPV6_V6ONLY, 1);
            if (!bind($v6, pack_sockaddr_in6($port, IN6ADDR_LOOPBACK))) {
                next if $!{EADDRINUSE};
            }
            push @held, $v6;
        }

        return $port;
    }

    die "no free port\n";
}

# A folder of the test's own, removed at its end unless FIELDGATE_KEEP is set.
# Its name is short, since it has to fit into the path of a unix socket.

sub temp_dir {
    return File::Temp::tempdir('fg' . 'X' x 6, TMPDIR => 1,
                               CLEANUP => !$ENV{FIELDGATE_KEEP});
}

# Sanitizers write their reports into DIR.  Test::Nginx looks for commas.

sub sanitizer_env {
    my ($dir) = @_;
    my $common = "log_path=$dir/sanitizer,log_exe_name=1";

    return (ASAN_OPTIONS => "$common,detect_stack_use_after_return=1,"
                            . "check_initialization_order=1,"
                            . "strict_string_checks=1",
            UBSAN_OPTIONS => "$common,print_stacktrace=1",
            LSAN_OPTIONS => "suppressions=$top/t/lib/lsan.supp,"
                            . "print_suppressions=0");
}

# Each report as one string, at most a screenful.  The leak checker of newer
# compilers tries a child process first, which nginx's own handler of SIGCHLD
# takes away from it: what it then says about ptrace and signals means nothing.

sub sanitizer_reports {
    my ($dir) = @_;
    my @reports;

    for my $file (glob "$dir/sanitizer*") {
        my $report = read_file($file);
        $report =~ s/^==\S+==WARNING: ptrace appears to be blocked .*\n//mg;
        $report =~ s/^==\S+==Child exited with signal \d+\.\n//mg;

        # a thread that ended while the search for leaks began
        $report =~ s/^==\S+==Unable to get registers from thread \d+\.\n//mg;

        push @reports, substr $report, 0, 6000 if $report =~ /\S/;
    }

    return @reports;
}

# log_errors(TEXT, ALLOWED...): the lines of an error.log that no test may
# leave behind, except those that match one of the regular expressions

sub log_errors {
    my ($text, @allowed) = @_;
    my @bad;

    while ($text =~ /^(.*(?:\[(?:alert|emerg|crit)\]
                           |exited[ ]with[ ](?:fatal[ ])?code[ ][1-9]
                           |AddressSanitizer|LeakSanitizer
                           |runtime[ ]error:).*)$/gmx)
    {
        my $line = $1;
        push @bad, $line unless grep { $line =~ $_ } @allowed;
    }

    return @bad;
}

sub read_file {
    my ($path) = @_;
    open my $fh, '<:raw', $path or return '';
    local $/;
    return scalar(<$fh>) // '';
}

sub write_file {
    my ($path, $text) = @_;
    open my $fh, '>:raw', $path or die "$path: $!";
    print $fh $text;
    close $fh or die "$path: $!";
}

1;
