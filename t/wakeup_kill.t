# Workers that are killed in the middle of wake-ups, again and again: what is
# shared stays whole, and no CPE is left behind a dead worker.

use lib 't/lib';
use Fieldgate;
use Fieldgate::ConnectionRequest;
use Fieldgate::Wakeup;

my $t = Fieldgate->new(workers => 2, http => <<'END');
    cwmp_zone cwmp:256k;

    server {
        listen 127.0.0.1:%%PORT:acs%% backlog=1024;

        cwmp_origin_allow 127.0.0.0/8;

        location = /client {
            cwmp_connection_request;
            cwmp_timeout 150s;
        }

        location = /status { cwmp_status; }
    }
END
$t->start;

my $acs = Fieldgate::Wakeup->new($t);
my $cpe = Fieldgate::ConnectionRequest->new(host => '0.0.0.0', path => '/',
                                            delay => 0.002);
my $port = $cpe->port;

# a storm: few CPEs, many calls, some of them equal

my $stop = $t->path('stop');
my @storm = map {
    my $n = $_;
    $t->spawn("storm-$n", sub {
        my $i = $n;

        until (-e $stop) {
            my @calls = eval {
                map { $i++; $acs->begin('http://127.0.3.' . $i % 7
                                        . ":$port/" . $i % 3) } 1 .. 4;
            };

            for my $call (@calls) {
                my $status = $acs->end($call)->{status};
                die "status $status\n" if $status !~ /^(?:0|200|503)$/;
            }
        }
    });
} 1 .. 3;

$cpe->wait_for(requests => 50);

my $kills = 25;

for (1 .. $kills) {
    my @pids = $t->pids;
    $t->kill_worker($pids[rand @pids]);
    $cpe->clear->wait_for(requests => 20);
}

Fieldgate::Env::write_file($stop, '');
is($t->reap($_), 0, 'a storm has ended well') for @storm;

# all that is left

$cpe->clear;
my @calls = map { $acs->begin("http://127.0.3.$_:$port/$_") } 0 .. 6;
is(join(' ', map { $acs->end($_)->{status} } @calls), join(' ', (200) x 7),
   'every CPE can be woken');

my ($used) = $t->get('acs', '/status')
             =~ /"calls":\{"rows":\d+,"used":(\d+)/;
is($used, 7, 'one row for each');

done_testing;
