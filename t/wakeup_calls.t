# Wake-ups that share a call, wait for their turn, or lose their worker.

use lib 't/lib';
use Fieldgate;
use Fieldgate::ConnectionRequest;
use Fieldgate::Wakeup;
use Socket qw(SOL_SOCKET SO_LINGER);
use Time::HiRes qw(time);

my $http = <<'END';
    cwmp_zone cwmp:1m;

    server {
        listen 127.0.0.1:%%PORT:acs%%;

        cwmp_origin_allow 127.0.0.1;

        location = /pid { return 200 $pid; }

        location = /client {
            cwmp_connection_request;
            cwmp_timeout 150s;
        }

        location = /hasty {
            cwmp_connection_request;
            cwmp_timeout 500ms;
        }

        location = /deaf {
            cwmp_connection_request;
            cwmp_bind ::1;      # of no use to call 127.0.0.1
        }

        location = /status { cwmp_status; }

        location = /after {
            auth_request /hook;
            try_files /none =204;
        }

        location = /hook {
            cwmp_connection_request;
            cwmp_timeout 150s;
        }
    }
END

my $t = Fieldgate->new(workers => 2, http => $http,
                       events => 'worker_connections 2048;');
$t->start;

my $acs = Fieldgate::Wakeup->new($t);
my $hasty = Fieldgate::Wakeup->new($t, path => '/hasty');

sub verdicts {
    my ($cpe) = @_;
    return join ' ', map { $_->{verdict} } @{$cpe->seen->{requests}};
}

sub statuses { join ' ', map { $acs->end($_)->{status} } @_ }

# wake-ups of this URL on connections to this worker

sub begin {
    my ($pid, $url, $n, %opt) = @_;
    return map { $acs->begin($url, socket => $_, %opt) }
               $acs->to_worker($pid, $n // 1);
}

sub counter {
    my ($name) = @_;
    my ($n) = $t->get('acs', '/status') =~ /"$name":(\d+)/
        or die "no counter $name\n";
    return $n;
}


# equal wake-ups, in one worker and in two

my $cpe = Fieldgate::ConnectionRequest->new(hold => 1);
my ($first, $second) = $t->pids;

my @calls = begin($first, $cpe->url);
$cpe->wait_for(requests => 1);
push @calls, begin($second, $cpe->url, 11), begin($first, $cpe->url, 10);
$acs->settle;
$cpe->set(hold => 0);

is(statuses(@calls), join(' ', (200) x 22), '22 equal wake-ups, 2 workers');
is(verdicts($cpe), 'challenge ok', 'share one call');
is($cpe->seen->{connections}, 1, 'on one connection');
is(counter('calls_shared'), 21, 'and are counted');

# the same nonce again, whichever worker it is

my ($one, $two) = map { scalar $acs->to_worker($_) } $first, $second;

$cpe->clear;
is($acs->wake($cpe->url, socket => $one)->{status}, 200, 'known nonce');
is($acs->wake($cpe->url, socket => $two)->{status}, 200, 'in both workers');
is($acs->wake($cpe->url, socket => $one)->{status}, 200, 'and again');
is(verdicts($cpe), 'ok ok ok', 'one request each');
is(join(' ', map { $_->{headers}{authorization} =~ /nc=(\w+)/ }
                 @{$cpe->seen->{requests}}),
   '00000002 00000003 00000004', 'which are counted across the workers');
is(counter('nonces_reused'), 3, 'and in the status');

$cpe->clear;
is($acs->wake($cpe->url, password => 'wrong')->{status}, 401,
   'other credentials');
is(verdicts($cpe), 'challenge response', 'do not use it');

$cpe->clear->set(nonce_uses => 1);
is($acs->wake($cpe->url)->{status}, 200, 'a known nonce that is refused');
is(verdicts($cpe), 'stale ok', 'costs what an unknown one does');

$cpe->clear->set(nonce_uses => 0);
is($acs->wake($cpe->url)->{status}, 200, 'and the new one');
is(verdicts($cpe), 'ok', 'is known then');

# different wake-ups for one CPE

$cpe = Fieldgate::ConnectionRequest->new(delay => 0.01, after_ok => 'keep',
                                         path => '/');
@calls = map { $acs->begin('http://' . $cpe->hostport . "/$_") } 1 .. 16;
is(statuses(@calls), join(' ', (200) x 16), '16 different wake-ups');
is($cpe->seen->{most}, 1, 'one after the other');
is(scalar @{$cpe->seen->{requests}}, 32, 'each with its own call');

# an equal one that waits in another worker takes the answer, too

$cpe = Fieldgate::ConnectionRequest->new(hold => 1, path => '/');
@calls = begin($first, $cpe->url);
$cpe->wait_for(requests => 1);
push @calls, map { begin($_, 'http://' . $cpe->hostport . '/other') }
                 $first, $second;
$acs->settle;
$cpe->set(hold => 0);
is(statuses(@calls), '200 200 200', 'equal ones behind another one');
is(scalar @{$cpe->seen->{requests}}, 4, 'are called once');

# a worker with many calls lets the other one have its turn, if that looks in
# time: some call begins so

$cpe = Fieldgate::ConnectionRequest->new(hold => 1, path => '/',
                                         auth => 'none');
@calls = map { begin($first, 'http://' . $cpe->hostport . "/$_") } 1 .. 60;
$cpe->wait_for(requests => 1);
my ($idle) = begin($second, 'http://' . $cpe->hostport . '/idle');
$acs->settle;
$cpe->set(hold => 0, delay => 0.05);
is(statuses($idle), '200', '60 in one worker, 1 in the other');
$cpe->set(delay => 0);
is(statuses(@calls), join(' ', (200) x 60), 'all are answered');
my @order = map { $_->{line} =~ m{/(\w+)} } @{$cpe->seen->{requests}};
my ($place) = grep { $order[$_] eq 'idle' } 0 .. $#order;
cmp_ok($place, '<', $#order, 'one need not wait for them all');
is($cpe->seen->{most}, 1, 'one at a time');

# the deadline of one that waits

$cpe = Fieldgate::ConnectionRequest->new(path => '/', hold => 1);
my $slow = $acs->begin($cpe->url);
$cpe->wait_for(requests => 1);
my $r = $hasty->wake('http://' . $cpe->hostport . '/other');
is($r->{status}, 503, 'a deadline that passes in the queue: offline');
cmp_ok($r->{time}, '>=', 0.4, 'not too early');
is(counter('queue'), 1, 'counted');

# Many that wait for a silent CPE: when the first has had its time, there is not
# enough left for the others, and none of them begins just to be broken off.
# One that has come much later has half of its time left, at least: a call every
# 250 ms.

my $mute = Fieldgate::ConnectionRequest->new(path => '/', silent => 'request');
my @mute = map { $hasty->begin('http://' . $mute->hostport . "/$_") } 1 .. 100;
my %ends;
$ends{$_->{status}}++ for map { $hasty->end($_) } @mute;
is_deeply(\%ends, { 503 => 100 }, '100 wake-ups of a silent CPE');
my $called = $mute->seen->{connections};
my $took = time - $mute[0]{start};
cmp_ok($called, '<=', 1 + $took / 0.25, 'do not each call it');
is($hasty->wake('http://' . $mute->hostport . '/101')->{status}, 503,
   'one that comes later');
cmp_ok($mute->seen->{connections}, '>', $called, 'has its call');

# one CPE does not wait for another

my $other = Fieldgate::ConnectionRequest->new;
is($acs->wake($other->url)->{status}, 200, 'another CPE is called meanwhile');
is(scalar @{$cpe->seen->{requests}}, 1, 'while the first call goes on');

$cpe->set(hold => 0);
is(statuses($slow), 200, 'and is answered');
is(scalar @{$cpe->seen->{requests}}, 2, 'the CPE knows nothing of the other');

# an ACS that leaves

$cpe = Fieldgate::ConnectionRequest->new(hold => 1, path => '/');
my ($leader) = begin($first, $cpe->url);
$cpe->wait_for(requests => 1);
@calls = begin($first, $cpe->url, 4);
my ($queued) = begin($first, 'http://' . $cpe->hostport . '/queued');
$acs->settle;
close $leader->{socket};
close $queued->{socket};
$acs->settle;
push @calls, begin($first, 'http://' . $cpe->hostport . '/behind');
$cpe->set(hold => 0);
is(statuses(@calls), '200 200 200 200 200',
   'those that share get their answer');
is(join(' ', map { "$_->{verdict} " . $_->{line} =~ s/GET (\S+).*/$1/r }
                 @{$cpe->seen->{requests}}),
   'challenge / ok / challenge /behind ok /behind',
   'from one call, and nobody is called for the other one that left');

$cpe->wait_for(closed => 2);
$cpe->clear->set(hold => 1);
my $woken = counter('ok');
($leader) = begin($first, $cpe->url);
$cpe->wait_for(requests => 1);
close $leader->{socket};
$acs->settle;
is($cpe->seen->{open}, 1, 'a call that nobody waits for goes on');
$cpe->set(hold => 0);
$cpe->wait_for(closed => 1);
is(verdicts($cpe), 'ok', 'to its end');
is(counter('ok'), $woken, 'though nobody was woken');

# one that has left before nginx reads what it wants

$cpe = Fieldgate::ConnectionRequest->new(hold => 1, path => '/',
                                         auth => 'none');
$leader = $acs->begin($cpe->url);
$cpe->wait_for(requests => 1);

$t->freeze($first, $second);
close $acs->begin('http://' . $cpe->hostport . '/gone')->{socket};
kill CONT => $first, $second;
$acs->settle;
$cpe->set(hold => 0);

is(statuses($leader), 200, 'the call before it');
is($acs->wake('http://' . $cpe->hostport . "/$_")->{status}, 200,
   'one behind it') for 1 .. 3;
is(scalar(grep { $_->{line} =~ m{ /gone } } @{$cpe->seen->{requests}}), 0,
   'nobody is called for an ACS that has left');

# a subrequest

$cpe = Fieldgate::ConnectionRequest->new;
my $after = Fieldgate::Wakeup->new($t, path => '/after');
is($after->wake($cpe->url)->{status}, 204, 'auth_request: woken, then served');
is(verdicts($cpe), 'challenge ok', 'the CPE was called');
my $refused = $after->wake($cpe->url, password => 'wrong');
is($refused->{status}, 401, 'auth_request: not woken');
is_deeply($refused->{headers}{'www-authenticate'}, ['Basic realm="cwmp"'],
          'auth_request: with the challenge');
is($after->wake('http://127.0.0.2/')->{status}, 403, 'auth_request: refused');
$cpe->set(status => 503);
my $hidden = 'http://' . $cpe->hostport . '/hidden';
is($after->wake($hidden)->{status}, 500, 'auth_request: nginx has no 503 there');
like($t->error_log, qr/\[error\].*auth request unexpected status: 503/,
     'and says so');
unlike($t->error_log, qr/hidden/, 'but not what was called');

# a call that fails at once, for an ACS that has reset its connection already

my $deaf = Fieldgate::Wakeup->new($t, path => '/deaf');
my ($worker) = $t->pids;
is($deaf->wake('http://127.0.0.1/')->{status}, 503, 'a call that fails at once');
for (1 .. 5) {
    my $s = $deaf->to_worker($worker);
    $t->freeze($worker);
    $deaf->begin('http://127.0.0.1/', socket => $s);
    setsockopt $s, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0;
    close $s;
    kill CONT => $worker;
}
ok($deaf->to_worker($worker), 'whose ACS has gone: the worker lives');

# a worker that dies while it calls

my ($victim, $survivor) = $t->pids;
$cpe = Fieldgate::ConnectionRequest->new(hold => 1);
($leader) = begin($victim, $cpe->url);
$cpe->wait_for(requests => 1);
my ($follower) = begin($survivor, $cpe->url);
my ($behind) = begin($survivor, $cpe->url, 1, user => 'nobody');
$acs->settle;
$t->kill_worker($victim);
$cpe->set(hold => 0);
is($acs->end($leader)->{status}, 0, 'the ACS of a killed worker is cut off');
is(statuses($follower, $behind), '200 401', 'those of the other are answered');
cmp_ok($cpe->seen->{connections}, '>=', 2, 'by a call of its own');

# reload

$cpe = Fieldgate::ConnectionRequest->new(hold => 1, path => '/');
@calls = map { begin($_, $cpe->url) } $t->pids;
$cpe->wait_for(requests => 1);
$acs->settle;
$t->reload;
push @calls, map { begin($_, $cpe->url),
                   begin($_, 'http://' . $cpe->hostport . '/new') } $t->pids;
$acs->settle;
$cpe->set(hold => 0);
my @answers = map { $acs->end($_) } @calls;
is(join(' ', map { $_->{status} } @answers), join(' ', (200) x 6),
   'calls in flight survive a reload');
is_deeply($_->{headers}{connection}, ['close'],
          'whose connections will be closed') for @answers[0, 1];
is($cpe->seen->{most}, 1, 'and are seen by the new workers');
is(scalar(grep { $_->{line} =~ m{ / } } @{$cpe->seen->{requests}}), 2,
   'whose equal ones share them');

done_testing;
