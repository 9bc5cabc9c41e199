# Wake-ups that share a call, wait for their turn, or lose their worker.

use lib 't/lib';
use Fieldgate;
use Fieldgate::ConnectionRequest;
use Fieldgate::Wakeup;
use Socket qw(SOL_SOCKET SO_LINGER);

my $http = <<'END';
    cwmp_zone cwmp:1m;

    server {
        listen 127.0.0.1:%%PORT:acs%%;

        cwmp_origin_allow 127.0.0.1;

        location = /pid { return 200 $pid; }

        location = /client {
            cwmp_connection_request;
            cwmp_timeout 20s;
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
            cwmp_timeout 20s;
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

sub counter {
    my ($name) = @_;
    my ($n) = $t->get('acs', '/status') =~ /"$name":(\d+)/
        or die "no counter $name\n";
    return $n;
}


# equal wake-ups, in one worker and in two

my $cpe = Fieldgate::ConnectionRequest->new(delay => 0.3);
my ($one, $two) = values %{$acs->workers};
my ($a, $b) = map { { socket => $_ } } $one, $two;

my @calls = map { $acs->begin($cpe->url, socket => $one) } 1;
$cpe->wait_for(requests => 1);
push @calls, $acs->begin($cpe->url, socket => $two);
push @calls, map { $acs->begin($cpe->url) } 1 .. 20;

is(statuses(@calls), join(' ', (200) x 22), '22 equal wake-ups, 2 workers');
is(verdicts($cpe), 'challenge ok', 'share one call');
is($cpe->seen->{connections}, 1, 'on one connection');
is(counter('calls_shared'), 21, 'and are counted');

# the same nonce again, whichever worker it is

$cpe->clear->set(delay => 0);
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

$cpe = Fieldgate::ConnectionRequest->new(delay => 0.05, after_ok => 'keep',
                                         path => '/');
@calls = map { $acs->begin('http://' . $cpe->hostport . "/$_") } 1 .. 16;
is(statuses(@calls), join(' ', (200) x 16), '16 different wake-ups');
is($cpe->seen->{most}, 1, 'one after the other');
is(scalar @{$cpe->seen->{requests}}, 32, 'each with its own call');

# an equal one that waits in another worker takes the answer, too

$cpe = Fieldgate::ConnectionRequest->new(delay => 0.1, path => '/');
@calls = $acs->begin($cpe->url, socket => $one);
$cpe->wait_for(requests => 1);
push @calls, map { $acs->begin('http://' . $cpe->hostport . '/other',
                               socket => $acs->to_worker($_)) }
                 keys %{$acs->workers};
is(statuses(@calls), '200 200 200', 'equal ones behind another one');
is(scalar @{$cpe->seen->{requests}}, 4, 'are called once');

# a worker with many calls lets the other one have its turn

my ($busy, $idle) = keys %{$acs->workers};
$cpe = Fieldgate::ConnectionRequest->new(delay => 0.05, path => '/',
                                         auth => 'none');
@calls = map { $acs->begin('http://' . $cpe->hostport . "/$_",
                           socket => $acs->to_worker($busy)) } 1 .. 30;
$cpe->wait_for(requests => 1);
push @calls, $acs->begin('http://' . $cpe->hostport . '/idle',
                         socket => $acs->to_worker($idle));
is(statuses(@calls), join(' ', (200) x 31), '30 in one worker, 1 in the other');
my @order = map { $_->{line} =~ m{/(\w+)} } @{$cpe->seen->{requests}};
my ($place) = grep { $order[$_] eq 'idle' } 0 .. $#order;
cmp_ok($place, '<', 20, 'which need not wait for them all');
is($cpe->seen->{most}, 1, 'one at a time');

# the deadline of one that waits

$cpe = Fieldgate::ConnectionRequest->new(path => '/', delay => 1);
my $slow = $acs->begin($cpe->url);
$cpe->wait_for(requests => 1);
my $r = $hasty->wake('http://' . $cpe->hostport . '/other');
is($r->{status}, 503, 'a deadline that passes in the queue: offline');
cmp_ok($r->{time}, '>=', 0.4, 'not too early');
is(statuses($slow), 200, 'while the call goes on');
is(counter('queue'), 1, 'counted');
is(scalar @{$cpe->seen->{requests}}, 2, 'the CPE knows nothing of it');

# one CPE does not wait for another

my $other = Fieldgate::ConnectionRequest->new;
$slow = $acs->begin($cpe->url);
$cpe->wait_for(requests => 3);
is($acs->wake($other->url)->{status}, 200, 'another CPE is called meanwhile');
is(statuses($slow), 200, 'and the first answers');

# an ACS that leaves

$cpe = Fieldgate::ConnectionRequest->new(delay => 0.5, path => '/');
my $leader = $acs->begin($cpe->url);
$cpe->wait_for(requests => 1);
@calls = map { $acs->begin($cpe->url) } 1 .. 4;
my $queued = $acs->begin('http://' . $cpe->hostport . '/queued');
close $leader->{socket};
close $queued->{socket};
is(statuses(@calls), '200 200 200 200', 'those that share get their answer');
is(verdicts($cpe), 'challenge ok', 'from one call');

$cpe->clear;
$leader = $acs->begin($cpe->url);
$cpe->wait_for(requests => 1);
close $leader->{socket};
$cpe->wait_for(closed => 1);
is(verdicts($cpe), 'ok', 'a call that nobody waits for goes on to its end');

# one that has left before nginx reads what it wants

$cpe = Fieldgate::ConnectionRequest->new(delay => 0.3, path => '/',
                                         auth => 'none');
$leader = $acs->begin($cpe->url);
$cpe->wait_for(requests => 1);

my @workers = $t->pids;
kill STOP => @workers;
for my $pid (@workers) {
    wait_for(sub { Fieldgate::Env::read_file("/proc/$pid/stat") =~ /\) T / },
             'a worker to stop');
}
close $acs->begin('http://' . $cpe->hostport . '/gone')->{socket};
kill CONT => @workers;

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

# a call that fails at once, for an ACS that has reset its connection already

my $deaf = Fieldgate::Wakeup->new($t, path => '/deaf');
my ($worker) = $t->pids;
is($deaf->wake('http://127.0.0.1/')->{status}, 503, 'a call that fails at once');
for (1 .. 5) {
    my $s = $deaf->to_worker($worker);
    kill STOP => $worker;
    $deaf->begin('http://127.0.0.1/', socket => $s);
    setsockopt $s, SOL_SOCKET, SO_LINGER, pack 'ii', 1, 0;
    close $s;
    kill CONT => $worker;
}
ok($deaf->to_worker($worker), 'whose ACS has gone: the worker lives');

# a worker that dies while it calls

my %worker = %{$acs->workers};
my ($victim, $survivor) = keys %worker;
$cpe = Fieldgate::ConnectionRequest->new(delay => 0.5);
$leader = $acs->begin($cpe->url, socket => $worker{$victim});
$cpe->wait_for(requests => 1);
my $follower = $acs->begin($cpe->url, socket => $worker{$survivor});
my $behind = $acs->begin($cpe->url, socket => $acs->to_worker($survivor),
                         user => 'nobody');
$t->kill_worker($victim);
is($acs->end($leader)->{status}, 0, 'the ACS of a killed worker is cut off');
is(statuses($follower, $behind), '200 401', 'those of the other are answered');
is($cpe->seen->{connections} >= 2, 1, 'by a call of its own');

# reload

%worker = %{$acs->workers};
$cpe = Fieldgate::ConnectionRequest->new(delay => 0.5, path => '/');
@calls = map { $acs->begin($cpe->url, socket => $_) } values %worker;
$cpe->wait_for(requests => 1);
$t->reload;
push @calls, $acs->begin($cpe->url);
push @calls, $acs->begin('http://' . $cpe->hostport . '/new');
my @answers = map { $acs->end($_) } @calls;
is(join(' ', map { $_->{status} } @answers), '200 200 200 200',
   'calls in flight survive a reload');
is_deeply($_->{headers}{connection}, ['close'],
          'whose connections will be closed') for @answers[0, 1];
is($cpe->seen->{most}, 1, 'and are seen by the new workers');

done_testing;
