package Fieldgate::Http;

# Test::Nginx for this project: the right nginx and modules, a free port, a
# folder of its own, and no unexpected line in error.log.
#
#   use lib 't/lib';
#   use Fieldgate::Http;                    # a single process
#   use Fieldgate::Http workers => 2;       # a master with two workers
#
#   plan tests => 2 * blocks();
#   run_tests();
#
#   __DATA__
#   === TEST 1: ...
#
# $TEST_NGINX_PORT_1 to _9 in a block are further free ports.  A section
# "--- allow_log" has regular expressions, one a line, for lines of error.log
# at [crit] or above that the block is meant to cause; with "--- must_die" the
# [emerg] is.  Anything else at those levels, and any sanitizer's report, is
# printed, and makes the test exit with status 1, which prove counts as failure.

use strict;
use warnings;

use Fieldgate::Env qw(top binary modules free_port temp_dir sanitizer_env
                      sanitizer_reports log_errors read_file);

my $dir;
my $failed = 0;
my $owner = $$;


sub import {
    my ($class, %opt) = @_;
    my $caller = caller;

    chdir top() or die "chdir: $!";
    $dir = temp_dir();

    $ENV{TEST_NGINX_BINARY} = binary();
    $ENV{TEST_NGINX_LOAD_MODULES} = join ' ', modules();
    $ENV{TEST_NGINX_SERVROOT} = "$dir/root";
    $ENV{TEST_NGINX_PORT} = free_port();
    $ENV{"TEST_NGINX_PORT_$_"} = free_port() for 1 .. 9;
    $ENV{TEST_NGINX_TIMEOUT} //= 180;
    %ENV = (%ENV, sanitizer_env($dir));

    eval "package $caller; use Test::Nginx::Socket; 1" or die $@;

    Test::Nginx::Util::no_shuffle();
    if ($opt{workers}) {
        Test::Nginx::Util::master_on();
        Test::Nginx::Util::workers($opt{workers});
    }

    # Each block's nginx is stopped when the next one's is about to start,
    # which empties the folder first: only then error.log is complete.

    no strict 'refs';
    no warnings 'redefine';
    my $setup = \&Test::Nginx::Util::setup_server_root;
    *Test::Nginx::Util::setup_server_root = sub ($) {
        inspect();
        $setup->(@_);
    };

    # Test::Nginx warns of them too, also of those that are wanted

    $SIG{__WARN__} = sub {
        print STDERR @_ if $_[0] !~ /^WARNING: .* \[(?:alert|emerg|crit)\] /;
    };
}

# what the last block has left behind

sub inspect {
    my $block = $Test::Nginx::Util::PrevBlock;
    my $log = read_file("$dir/root/logs/error.log");
    my @reports = sanitizer_reports($dir);
    my @allowed;

    if ($block && defined $block->must_die) {
        push @allowed, qr/\[emerg\]/;

        # nginx does not free the pool of a configuration that it refuses
        @reports = grep { !/LeakSanitizer/ } @reports;
    }

    if ($block && defined $block->allow_log) {
        push @allowed, map { qr/$_/ } split /\n/, $block->allow_log;
    }

    my @wrong = (log_errors($log, @allowed), @reports);
    unlink glob "$dir/sanitizer*";

    my $name = $block ? $block->name : 'start';
    Test::More::diag("$name: unexpected: $_") for @wrong;
    $failed ||= @wrong > 0;
}

END {
    if ($$ == $owner && defined $dir) {
        my $status = $?;
        inspect();
        $? = $status || $failed;
    }
}

1;
