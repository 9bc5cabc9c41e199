# conf/run: the steps and their results, what it says when one fails, and that
# it leaves nothing behind.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Env qw(read_file);

if (defined $ENV{TEST_NGINX_BINARY}) {
    plan(skip_all => 'conf/run builds and starts the distribution\'s nginx');
}

my $t = Fieldgate->new;
my ($owner, %running) = $$;
my %port = map { $_ => free_port() } 7547 .. 7549, 17547, 17548, 2101, 12101,
           8000;


# conf/run in a process group of its own: (pid, file of its output)

sub begin {
    my ($name, @args) = @_;

    my $out = $t->path("$name.txt");
    my $pid = fork // die "fork: $!";

    if ($pid == 0) {
        setpgrp;
        open STDIN, '<', '/dev/null';
        open STDOUT, '>', $out;
        open STDERR, '>&', \*STDOUT;
        exec 'conf/run', '-d', $t->path($name),
             map({ ('-p', "$_=$port{$_}") } sort keys %port), @args;
    }

    $running{$pid} = 1;
    return ($pid, $out);
}

END { kill KILL => map { -$_ } keys %running if ($owner // 0) == $$ }

# its exit status and output; every process of the group has to be gone

sub end {
    my ($pid, $out) = @_;

    my $status;
    wait_for(sub { my $r = waitpid $pid, POSIX::WNOHANG();
                   $status = $? if $r == $pid; return $r != 0 },
             'conf/run to end');
    delete $running{$pid};
    my $left = kill 0 => -$pid;
    kill KILL => -$pid if $left;
    ok(!$left, 'no process is left');

    return ($status & 127 ? 'signal ' . ($status & 127) : $status >> 8,
            read_file($out));
}

sub run { end(begin(@_)) }


my ($status, $out) = run('good', '-1');
is($status, 0, 'the exit status is 0') or diag($out);

my $client = "http://127.0.0.1:$port{7548}/client";
my ($received) = $out =~ /^== The Inform as ACS\d receives it\n(.*?)^== /ms;
my @changed = $received =~ /^ >  (.*)/mg;
is(scalar @changed, 1, 'one line of the Inform has changed');
my $url = qr{\Q$client\E\?origin=http://127\.0\.0\.1:\d+/cr/\w+};
like($changed[0], qr{^<Value[^>]*>$url&amp;sig=[\w-]+</Value>$},
     'that with the URL');
like($out, qr/and ended with its 204/, 'the session ends');

my %took = map { $_ => 1 } $out =~ /^    CPE-1\d .* all with (ACS\d)$/mg;
is(join(' ', sort keys %took), 'ACS1 ACS2', 'both ACSs get sessions');

my @steps = $out =~ /^  [ \d]\d  (.*)$/mg;
my @expected = (
    qr{^CPE -> nginx +Inform: http://127\.0\.0\.1:\d+/cr/},
    qr{^nginx -> ACS\d +Inform: \Q$client\E\?origin=},
    qr{^ACS\d -> nginx +GET /client\?origin=\S+$},
    qr{^nginx -> ACS\d +401, Basic realm=},
    qr{^ACS\d -> nginx +GET the same, Authorization: Basic },
    qr{^nginx -> CPE +GET /cr/\w+$},
    qr{^CPE -> nginx +401, Digest},
    qr{^nginx -> CPE +GET /cr/\w+, Digest username="acs"},
    qr{^CPE -> nginx +200$},
    qr{^nginx -> ACS\d +200$},

    qr{^console +USER-ADD \S+ rover1:\S+ \S+: OK USER-ADD $},
    qr{^console +SOURCE-ADD \S+ 127\.0\.0\.1 \S+ \S+: OK SOURCE-ADD $},
    qr{^rover -> nginx +GET /FIELD},
    qr{^nginx -> rover +ICY 200 OK $},
    qr{^nginx -> provider +GET /FIELD, user account1},
    qr{^provider -> nginx +ICY 200 OK},
    qr{^nginx -> rover +\d+ messages, each compared byte for byte$},

    qr{^console +USER-ADD \S+ rover2:\S+ \S+: OK USER-ADD $},
    qr{^console +STATION-ADD \S+ NORTH base:\S+: OK STATION-ADD $},
    qr{^console +STATION-ADD \S+ SOUTH base:\S+: OK STATION-ADD $},
    qr{^base -> nginx +SOURCE \S+ /NORTH},
    qr{^nginx -> base +ICY 200 OK $},
    qr{^base -> nginx +SOURCE \S+ /SOUTH},
    qr{^nginx -> base +ICY 200 OK $},
    qr{^rover -> nginx +GET /NEAR},
    qr{^nginx -> rover +\d+ messages of SOUTH, each compared byte for byte$},
);
is(scalar @steps, scalar @expected,
   'the wake-up has ten steps, the rover\'s session seven, stations nine');
like($steps[$_] // '', $expected[$_], 'step ' . ($_ + 1)) for 0 .. $#expected;
like($out, qr/^All steps have succeeded\.$/m, 'and says so');


# a port that somebody else has

my $taken = $port{7548};
my $other = IO::Socket::INET->new(LocalAddr => "127.0.0.1:$taken", Listen => 1,
                                  ReuseAddr => 1) or die "port $taken: $!";
($status, $out) = run('taken', '-1');
is($status, 1, 'a port that is taken: the exit status is 1');
like($out, qr/127\.0\.0\.1:$taken is taken.*-p 7548=OTHER/s,
     'and the reason');
close $other;

($status, $out) = run('twice', '-1', '-p', "7547=$taken");
is($status, 1, 'the same port for two: the exit status is 1');
like($out, qr/FAILED: port $taken would be there twice/, 'and the reason');


# a step that fails: loopback addresses are not allowed as origins

my $conf = read_file('conf/nginx.conf');
$conf =~ s/cwmp_origin_allow client 127\.0\.0\.0\/8;/cwmp_origin_allow client;/
    or die 'conf/nginx.conf has another cwmp_origin_allow';
$t->write('refusing.conf', $conf);
($status, $out) = run('refused', '-1', '-c', $t->path('refusing.conf'));
is($status, 1, 'a wake-up that is refused: the exit status is 1');
like($out, qr/FAILED: the call without credentials got 403/, 'and the reason');


# a configuration that nginx does not accept

$t->write('wrong.conf', $conf =~ s/cwmp on;/cwmp perhaps;/r);
($status, $out) = run('wrong', '-1', '-c', $t->path('wrong.conf'));
is($status, 1, 'a wrong configuration: the exit status is 1');
like($out, qr/FAILED: nginx does not start:.*invalid value "perhaps"/s,
     'and the reason');


# it serves, until it is interrupted; rovers and CPEs are kept moving

my ($pid, $file) = begin('serving', '--demo');
wait_for(sub { read_file($file) =~ /^Serving until interrupted/m },
         'conf/run to serve');
like($t->get($port{7548}, '/status'), qr/^HTTP\S+ 200 /, 'it serves');

my ($address) = read_file($file) =~ /^    dashboard (.*)$/m;
if (-f 'build/dashboard/index.html') {
    is($address, "http://127.0.0.1:$port{7549}/", 'it says where the page is');
    like($t->get($port{7549}, '/'), qr/^HTTP\S+ 200 .*<title>Fieldgate/s,
         'and there it is');
} else {
    is($address, 'is not built: conf/dashboard/build', 'there is no page');
}

my %places;
wait_for(sub {
    my $rovers = $t->get($port{7549}, '/ntrip/rovers?user=demo-1');
    my ($where) = $rovers =~ /"position":\{(.*?)\}/;
    $places{$where} = 1 if defined $where;
    return keys %places >= 3;
}, 'a rover to move');
my $informs = 0;
wait_for(sub {
    my ($n) = $t->get($port{7549}, '/cwmp/counters') =~ /"Inform":(\d+)/;
    $informs ||= $n;
    return $n > $informs;
}, 'another session of a CPE');
kill INT => $pid;
($status, $out) = end($pid, $file);
is($status, 130, 'interrupted, its exit status is 130') or diag($out);

done_testing;
