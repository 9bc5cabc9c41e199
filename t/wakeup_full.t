# Many wake-ups in flight: a zone that is too small for them, none at all, and
# silent CPEs in number.

use lib 't/lib';
use Fieldgate;
use Fieldgate::ConnectionRequest;
use Fieldgate::Wakeup;

my $server = <<'END';
    server {
        listen 127.0.0.1:%%PORT:acs%%;

        cwmp_origin_allow 127.0.0.0/8;

        location = /pid { return 200 $pid; }

        location = /client {
            cwmp_connection_request;
            cwmp_timeout 150s;
        }

        location = /hasty {
            cwmp_connection_request;
            cwmp_timeout 2s;
        }

        location = /status { cwmp_status; }
    }
END

my $t = Fieldgate->new(workers => 2,
                       http => "    cwmp_zone small:64k;\n$server",
                       events => 'worker_connections 2048;');
$t->start;

my $acs = Fieldgate::Wakeup->new($t);

sub statuses {
    my %n;
    $n{ $acs->end($_)->{status} }++ for @_;
    return join ' ', map { "$_: $n{$_}" } sort keys %n;
}


# more CPEs than the zone has rows: the addresses 127.0.0.1, 127.0.0.2, ...

my ($rows) = $t->get('acs', '/status') =~ /"calls":\{"rows":(\d+)/;
cmp_ok($rows, '<', 200, 'a small zone');

my $cpe = Fieldgate::ConnectionRequest->new(host => '0.0.0.0', hold => 1);
my $port = $cpe->port;

my @calls = map { $acs->begin("http://127.0.1.$_:$port/cr") } 1 .. 200;
$cpe->wait_for(requests => 200);
$cpe->set(hold => 0);
is(statuses(@calls), '200: 200', '200 calls at once in a full zone');
is($cpe->seen->{connections}, 200, 'each CPE is called once');

$cpe->set(hold => 1);
@calls = map { $acs->begin("http://127.0.1.$_:$port/cr") } 1 .. 200;
$cpe->wait_for(connections => 400);
$cpe->set(hold => 0);
is(statuses(@calls), '200: 200', 'and again');

# silence: all end at the deadline, none before

$cpe->set(silent => 'request');
my $hasty = Fieldgate::Wakeup->new($t, path => '/hasty');

@calls = map { $hasty->begin("http://127.0.2.$_:$port/cr") } 1 .. 200;
is(statuses(@calls), '503: 200', '200 silent CPEs');
cmp_ok($t->get('acs', '/status') =~ /"timeout":(\d+)/ && $1, '==', 200,
       'are told so');

# the descriptors have gone with them

$cpe->wait_for(closed => 600);
is($cpe->seen->{open}, 0, 'no connection is left');

# without a zone

$cpe->clear->set(silent => undef, hold => 1);
$t->reload(http => $server, gone => 1);
like($t->error_log, qr/no "cwmp_zone": workers do not share the calls/,
     'no zone: warned of');

my $local = "http://127.0.0.1:$port/cr";
my @shared = map { $acs->begin($local, socket => $_) }
                 map { $acs->to_worker($_, 6) } $t->pids;
$acs->settle;
$cpe->set(hold => 0);
is(statuses(@shared), '200: 12', 'equal wake-ups');
is($cpe->seen->{connections}, 2, 'share one call in each worker');

done_testing;
