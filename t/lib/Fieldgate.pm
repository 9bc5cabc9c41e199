package Fieldgate;

# A harness for tests of what several processes do together: nginx with some
# workers, simulators, reloads, crashes, binary upgrades.
#
#   use lib 't/lib';
#   use Fieldgate;                     # and all of Test::More
#
#   my $t = Fieldgate->new(workers => 2, http => <<'END', stream => <<'END');
#   server { listen 127.0.0.1:%%PORT:web%%; root %%DIR%%; }
#   END
#   server { listen 127.0.0.1:%%PORT:raw%%; return ok; }
#   END
#   $t->start;
#   like($t->get('web', '/'), qr/200 OK/, 'it works');
#   $t->reload;
#   done_testing;
#
# done_testing() (or, where there is a plan, the end of the program) stops
# nginx and every simulator, and fails the test if error.log has an [alert],
# [emerg] or [crit] that was not allowed, if a sanitizer has reported anything,
# if a worker or simulator crashed, or if a process is left.

use strict;
use warnings;

use Errno ();
use IO::Select;
use IO::Socket::INET;
use POSIX ();
use Test::More ();
use Time::HiRes qw(sleep time);

use Fieldgate::Env qw(binary modules free_port temp_dir sanitizer_env
                      sanitizer_reports log_errors read_file write_file);
use Fieldgate::Wait qw(await wait_for in_vain);

my $owner = $$;
my @all;


sub import {
    my $caller = caller;

    strict->import;
    warnings->import;

    # a killed connection is a result, not the end of the test
    $SIG{PIPE} = 'IGNORE';
    $SIG{INT} = $SIG{TERM} = sub { exit 1 } if $$ == $owner;

    no strict 'refs';
    no warnings 'redefine';
    for my $name (@Test::More::EXPORT) {
        next if $name !~ /^\w/;
        *{"${caller}::$name"} = \&{"Test::More::$name"};
    }
    *{"${caller}::done_testing"} = \&done_testing;
    *{"${caller}::wait_for"} = \&wait_for;
    *{"${caller}::free_port"} = \&free_port;
}

sub done_testing {
    $_->finish for @all;
    Test::More::done_testing(@_);
}


# Options: workers (2), log_level (info), env (of nginx, {}); main, events, http,
# stream: pieces of nginx.conf, in which %%DIR%% stands for the folder of the
# test and %%PORT:name%% for $t->port(name).  conf replaces them all.

sub new {
    my ($class, %opt) = @_;

    my $t = bless {
        dir => temp_dir(), workers => 2, log_level => 'info', env => {},
        %opt,
        ports => {}, allowed => [], children => {}, born => {},
        generation => 0, finished => 0,
    }, $class;

    mkdir "$t->{dir}/logs" or die "$t->{dir}/logs: $!";
    push @all, $t;

    return $t;
}

sub dir { $_[0]{dir} }

sub path { "$_[0]{dir}/$_[1]" }

# the port that goes by this name; see Fieldgate::Env::free_port

sub port {
    my ($t, $name) = @_;
    return $name if $name =~ /^\d+$/;
    return $t->{ports}{$name} //= free_port();
}

sub write { write_file("$_[0]{dir}/$_[1]", $_[0]->expand($_[2])) }

sub expand {
    my ($t, $text) = @_;
    $text =~ s/%%DIR%%/$t->{dir}/g;
    $text =~ s/%%PORT:(\w+)%%/$t->port($1)/ge;
    return $text;
}


# nginx.conf as text; %opt overrides what was given to new()

sub config {
    my ($t, %opt) = @_;
    my %c = (%$t, %opt);

    return $t->expand($c{conf}) if defined $c{conf};

    my $load = join '', map { "load_module $_;\n" } modules();
    my $user = $> == 0 ? "user root;\n" : '';
    my $env = join '', map { "env $_;\n" } keys %{{sanitizer_env('')}};
    my $temp = join '', map { "    ${_}_temp_path $t->{dir}/$_;\n" }
                        qw(client_body proxy fastcgi uwsgi scgi);

    my $conf = <<"END";
$load$user$env
daemon on;
pid $t->{dir}/nginx.pid;
error_log $t->{dir}/error.log $c{log_level};
worker_processes $c{workers};
END

    $conf .= ($c{main} // '') . "\n";
    $conf .= "events {\n    " . ($c{events} // 'worker_connections 1024;')
             . "\n}\n";
    $conf .= "http {\n    access_log off;\n$temp\n$c{http}\n}\n"
        if defined $c{http};
    $conf .= "stream {\n$c{stream}\n}\n" if defined $c{stream};

    return $t->expand($conf);
}


# Starts nginx, and waits until all of its workers run.  Dies with what nginx
# said if it does not start.

sub start {
    my ($t, %opt) = @_;

    @{$t}{keys %opt} = values %opt;
    write_file("$t->{dir}/nginx.conf", $t->config);

    my ($status, $out) = $t->nginx('-c', "$t->{dir}/nginx.conf",
                                   '-e', "$t->{dir}/error.log");
    die "nginx does not start:\n$out" if $status != 0;

    $t->{running} = 1;
    $t->wait_workers("$t->{workers} workers to start");

    return $t;
}

# Rewrites nginx.conf, if given pieces of it, and reloads.  Returns when the
# workers of the new configuration run and the old ones have begun to exit;
# with (gone => 1), when those are gone, and those of former reloads with them.

sub reload {
    my ($t, %opt) = @_;
    my $gone = delete $opt{gone};

    if (%opt) {
        @{$t}{keys %opt} = values %opt;
        write_file("$t->{dir}/nginx.conf", $t->config);
    }

    my @old = map { $_->{pid} } $t->worker_processes;
    my %old = map { $_ => 1 } @old;

    $t->{generation}++;
    kill HUP => $t->master or die "no master to reload";

    wait_for(sub {
        my @now = $t->worker_processes;
        my @new = grep { !$_->{exiting} && !$old{$_->{pid}} } @now;
        return @new >= $t->{workers}
               && !grep { !$_->{exiting} && $old{$_->{pid}} } @now;
    }, 'the workers of the new configuration');

    wait_for(sub { !grep { alive($_) } @old }, 'the old workers to exit')
        if $gone;

    return $t;
}

# Binary upgrade: starts a new master beside the old one, which is told to
# finish.  Returns when the new one's workers run and the old one has none that
# accepts; with (gone => 1), when the old master is gone.

sub upgrade {
    my ($t, %opt) = @_;
    my $old = $t->master;
    my $oldbin = "$t->{dir}/nginx.pid.oldbin";

    $t->{generation}++;
    kill USR2 => $old or die "no master to upgrade";
    wait_for(sub { -s $oldbin && -s "$t->{dir}/nginx.pid"
                   && $t->master != $old && alive($t->master) },
             'the new master');
    $t->wait_workers('the new binary\'s workers');

    $t->{old_masters}{$old} = 1;
    kill QUIT => $old;
    wait_for(sub { !grep { !$_->{exiting} } $t->worker_processes($old) },
             'the old binary\'s workers to stop accepting');
    wait_for(sub { !alive($old) }, 'the old master to exit') if $opt{gone};

    return $t;
}

# Sends SIGKILL to a worker, and waits until another one has its place

sub kill_worker {
    my ($t, $pid) = @_;
    my $n = $t->pids;

    push @{$t->{allowed}}, qr/ $pid exited on signal 9/,
                           qr/was locked by $pid\b/;
    kill KILL => $pid or die "no worker $pid";
    wait_for(sub { !alive($pid) && $t->pids >= $n }, "a successor of $pid");
}

# Suspends workers with SIGSTOP, each within a system call: there it holds no
# lock for which others would wait.  They go on with SIGCONT.

sub freeze {
    my ($t, @pids) = @_;

    for my $pid (@pids) {
        wait_for(sub {
            kill STOP => $pid or die "no worker $pid";
            wait_for(sub { (process_stat($pid))[0] eq 'T' }, "$pid to stop");
            return 1 if read_file("/proc/$pid/syscall") !~ /^(?:-1|running)\b/;
            kill CONT => $pid;
            return 0;
        }, "$pid to be in a system call");
    }
}

# Runs code while no worker but this one can accept a connection

sub only_worker {
    my ($t, $pid, $code) = @_;

    my @others = grep { $_ != $pid } $t->pids;
    $t->freeze(@others);
    my @r = eval { $code->() };
    my $error = $@;
    kill CONT => @others;

    die $error if $error;
    return wantarray ? @r : $r[0];
}

# Stops nginx: gracefully with 'QUIT', else at once, in which case an exiting
# worker says what it still had open, as it should, and the master kills one
# that has not ended after 1.5 s, as on a slow machine.  Simulators stay.

sub stop {
    my ($t, $signal) = @_;
    return unless $t->{running};

    $signal //= 'TERM';
    my $before = length $t->error_log;

    my @pids = ($t->nginx_processes);
    my @masters = grep { alive($_) } $t->master, keys %{$t->{old_masters}};
    kill $signal, @masters;

    if (!await(sub { !grep { alive($_) } @masters, @pids })) {
        push @{$t->{trouble}}, "nginx did not stop, killed: @pids";
        kill KILL => grep { alive($_) } @masters, @pids;
    }

    push @{$t->{stops}}, [$before, length($t->error_log) - $before]
        if $signal eq 'TERM';
    $t->{running} = 0;
    delete $t->{old_masters};
}


# nginx -t of another configuration: (exit status, output)

sub check {
    my ($t, %opt) = @_;
    my $conf = $t->config(http => undef, stream => undef, %opt);
    $conf =~ s{error_log \S+}{error_log $t->{dir}/check.log};
    write_file("$t->{dir}/check.conf", $conf);

    # nginx does not free the pool of a configuration that it refuses
    local $t->{env}{LSAN_OPTIONS} = 'detect_leaks=0';
    return $t->nginx('-t', '-c', "$t->{dir}/check.conf", '-e', 'stderr');
}

# Runs nginx with these arguments: (exit status, output).  Its folder is the
# current one, by which processes that were left behind are found.

sub nginx {
    my ($t, @args) = @_;
    my $out = "$t->{dir}/nginx.out";

    my $pid = fork // die "fork: $!";
    if ($pid == 0) {
        chdir $t->{dir};
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', $out;
        open STDERR, '>&', \*STDOUT;
        %ENV = (%ENV, sanitizer_env($t->{dir}), %{$t->{env}});
        exec { binary() } binary(), '-p', "$t->{dir}/", @args
            or POSIX::_exit(127);
    }

    waitpid $pid, 0;
    my $status = $?;

    return ($status & 127 ? "signal $status" : $status >> 8, read_file($out));
}

sub master {
    my ($t) = @_;
    my ($pid) = read_file("$t->{dir}/nginx.pid") =~ /(\d+)/;
    return $pid // 0;
}

# each worker: { pid, generation (0, then one more with each reload or upgrade),
# exiting }

sub worker_processes {
    my ($t, $master) = @_;
    $master //= $t->master;

    my @workers;
    for my $pid (children_of($master)) {
        my $title = read_file("/proc/$pid/cmdline");
        next unless $title =~ /^nginx: worker process( is shutting down)?/;
        push @workers, {
            pid => $pid, exiting => defined $1 ? 1 : 0,
            generation => $t->{born}{$pid} //= $t->{generation},
        };
    }

    @workers = sort { $a->{pid} <=> $b->{pid} } @workers;
    return @workers;
}

# pids of the workers that accept connections

sub pids { map { $_->{pid} } grep { !$_->{exiting} } $_[0]->worker_processes }

sub wait_workers {
    my ($t, $what) = @_;
    wait_for(sub { $t->pids == $t->{workers} }, $what);
}

sub nginx_processes {
    my ($t) = @_;
    return grep { (readlink("/proc/$_/cwd") // '') eq $t->{dir} && alive($_) }
           processes();
}

# rows of error.log, and the wait for one

sub error_log { read_file("$_[0]{dir}/error.log") }

sub wait_log {
    my ($t, $regex) = @_;
    wait_for(sub { $t->error_log =~ $regex }, "error.log to have $regex");
}

# lines of error.log that would fail the test, and do not

sub allow { my $t = shift; push @{$t->{allowed}}, @_ }


# Runs code in a process of its own until it returns or the test ends; its
# output goes to DIR/NAME.out.  To die is a failure of the test.

sub spawn {
    my ($t, $name, $code) = @_;

    my $pid = fork // die "fork: $!";
    if ($pid == 0) {
        $SIG{INT} = $SIG{TERM} = 'DEFAULT';
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', "$t->{dir}/$name.out";
        open STDERR, '>&', \*STDOUT;
        STDOUT->autoflush;
        my $ok = eval { $code->(); 1 };
        print STDERR $@ unless $ok;
        POSIX::_exit($ok ? 0 : 1);
    }

    $t->{children}{$pid} = $name;
    return $pid;
}

# Waits for the end of such a process: its exit status, or "signal N"

sub reap {
    my ($t, $pid) = @_;
    my $name = delete $t->{children}{$pid} // die "no child $pid";

    my $status;
    wait_for(sub { my $r = waitpid $pid, POSIX::WNOHANG();
                   $status = $?;
                   return $r != 0 }, "$name to end");

    return $status & 127 ? 'signal ' . ($status & 127) : $status >> 8;
}

# Ends such a process

sub end {
    my ($t, $pid, $signal) = @_;
    kill $signal // 'TERM', $pid;
    return $t->reap($pid);
}


# a TCP connection to a port (of a name, or a number) on this host

sub connect {
    my ($t, $port) = @_;
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', Proto => 'tcp',
                                  PeerPort => $t->port($port));
    die "connect to $port: $!" unless $s;
    $s->autoflush(1);
    return $s;
}

# sends bytes, returns all bytes until the other side closes

sub exchange {
    my ($t, $port, $bytes) = @_;
    my $s = $t->connect($port);
    print $s $bytes;
    return read_all($s);
}

sub get {
    my ($t, $port, $path) = @_;
    return $t->exchange($port, "GET $path HTTP/1.0\r\nHost: localhost\r\n\r\n");
}

# until the end of the stream, or until what was read matches; what there was
# if it is in vain

sub read_all {
    my ($s, $until) = @_;
    my $select = IO::Select->new($s);
    my $deadline = time + $Fieldgate::Wait::Guard;
    my $buf = '';

    while (!defined $until || $buf !~ $until) {
        if (!$select->can_read($deadline - time)) {
            in_vain($until // 'the end of the stream', $buf);
            last;
        }
        my $n = sysread $s, $buf, 65536, length $buf;
        next if !defined $n && $!{EINTR};
        last if !$n;
    }

    return $buf;
}

sub processes {
    opendir my $dh, '/proc' or die "/proc: $!";
    return grep { /^\d+$/ } readdir $dh;
}

# state and parent from /proc/PID/stat; the name before may hold anything

sub process_stat {
    my ($pid) = @_;
    return read_file("/proc/$pid/stat") =~ /\) (\S) (\d+) [^)]*$/;
}

sub children_of {
    my ($parent) = @_;
    return grep { my ($state, $ppid) = process_stat($_);
                  defined $ppid && $ppid == $parent && $state ne 'Z' }
           processes();
}

# a zombie is dead: whoever is its parent in a container may never reap it

sub alive {
    my ($pid) = @_;
    my ($state) = process_stat($pid);
    return defined $state && $state !~ /[ZX]/;
}


# Stops everything, and checks what is left.  Returns what is wrong.

sub wrongs {
    my ($t) = @_;

    $t->stop;

    my @wrong = @{$t->{trouble} // []};

    for my $pid (keys %{$t->{children}}) {
        my $name = $t->{children}{$pid};
        my $ended = waitpid($pid, POSIX::WNOHANG()) == $pid;

        if ($ended) {
            delete $t->{children}{$pid};
            push @wrong, "$name failed:\n" . read_file("$t->{dir}/$name.out")
                if $?;
        } else {
            $t->end($pid, 'KILL');
        }
    }

    for my $pid ($t->nginx_processes) {
        push @wrong, "process $pid is left, killed: "
                     . read_file("/proc/$pid/cmdline");
        kill KILL => $pid;
    }

    my $log = $t->error_log;
    for my $stop (reverse @{$t->{stops} // []}) {
        my $said = substr $log, $stop->[0], $stop->[1], '';
        push @wrong, log_errors($said, @{$t->{allowed}},
                                qr/open socket #\d+ left in connection/,
                                qr/: aborting$/, qr/ exited on signal 9$/);
    }

    push @wrong, log_errors($log, @{$t->{allowed}});
    push @wrong, sanitizer_reports($t->{dir});
    push @wrong, map { "core file $_" } glob "$t->{dir}/core*";

    return @wrong;
}

sub finish {
    my ($t) = @_;
    return if $t->{finished}++;

    my @wrong = $t->wrongs;
    Test::More::is(join("\n", @wrong), '', 'nothing unexpected in the logs');
    $t->explain unless Test::More->builder->is_passing;
}

# for whoever has to find out why: the last lines of error.log

sub explain {
    my ($t) = @_;
    my @lines = split /\n/, $t->error_log;
    splice @lines, 0, -40 if @lines > 40;
    Test::More::diag(join "\n", "$t->{dir}/error.log ends with:", @lines);
}

# after a failure in mid-test, or where there is a plan

END {
    if ($$ == $owner) {
        my $status = $?;

        for my $t (grep { !$_->{finished}++ } @all) {
            my @wrong = $t->wrongs;
            next unless @wrong || $status;
            Test::More::diag($_) for @wrong;
            $t->explain;
            $status ||= 1;
        }

        $? = $status;
    }
}

1;
