# cwmp_status, as JSON and for Prometheus.

use lib 't/lib';
use Fieldgate;
use Fieldgate::ConnectionRequest;
use Fieldgate::Wakeup;
use JSON::PP ();

my $t = Fieldgate->new(workers => 2, http => <<'END');
    cwmp_zone cwmp:1m;

    server {
        listen 127.0.0.1:%%PORT:acs%%;

        location = /client {
            cwmp_connection_request;
            cwmp_origin_allow 127.0.0.1;
        }

        location = /status { cwmp_status; }
        location /cwmp/ { cwmp_status; }
        location /bare { cwmp_status; }

        location = /cpe {
            cwmp on;
            cwmp_public_url http://acs-side.example:7548/client;
            proxy_pass http://127.0.0.1:%%PORT:acs%%/ok;
        }

        location = /ok { return 204; }
    }
END
$t->start;

my $acs = Fieldgate::Wakeup->new($t);
my $cpe = Fieldgate::ConnectionRequest->new;

$acs->wake($cpe->url) for 1 .. 5;
$cpe->set(status => 503);
$acs->wake($cpe->url);
$acs->wake('', args => '');
$acs->wake($cpe->url, auth => undef);
$acs->wake($cpe->url, method => 'PUT');
$acs->wake('http://127.0.0.2/');

sub message {
    my ($method) = @_;
    my $body = $method eq '' ? ''
             : "<Envelope><Body><$method></$method></Body></Envelope>";
    $t->exchange('acs', "POST /cpe HTTP/1.0\r\nContent-Length: "
                        . length($body) . "\r\n\r\n$body");
}

message($_) for 'Inform', 'Inform', '', '', '', 'GetParameterValuesResponse',
                'Fault', 'x:TransferComplete', 'Nonsense', 'other', 'empty';

my $r = $acs->wake('', target => '/status', auth => undef);
is($r->{status}, 200, 'status');
is_deeply($r->{headers}{'content-type'}, ['application/json'], 'JSON');

my $status = eval { JSON::PP::decode_json($r->{body}) };
is($@, '', 'well-formed');
is($status->{wakeups}{ok}, 5, 'ok');
is($status->{wakeups}{busy}, 1, 'busy');
is($status->{wakeups}{bad_origin}, 1, 'bad_origin');
is($status->{wakeups}{credentials}, 1, 'credentials');
is($status->{wakeups}{method}, 1, 'method');
is($status->{wakeups}{forbidden}, 1, 'forbidden');
is($status->{wakeups}{timeout}, 0, 'timeout');
is($status->{nonces_reused}, 5, 'nonces reused');
is($status->{calls_shared}, 0, 'calls shared');
is($status->{exchange_seconds}{count}, 6, 'six calls');
is($status->{exchange_seconds}{buckets}{'+Inf'}, 6, 'in the last bucket');
is($status->{tables}{nonces}{used}, 1, 'one nonce');
ok($status->{tables}{nonces}{rows} > 100, 'room for more');
my %messages = map { $_ => $status->{messages}{$_} }
               grep { $status->{messages}{$_} } keys %{$status->{messages}};
is_deeply(\%messages,
          { Inform => 2, empty => 3, GetParameterValuesResponse => 1,
            Fault => 1, TransferComplete => 1, other => 3 },
          'messages by method');
ok(exists $status->{$_}, $_)
    for qw(rewritten refused_origins sessions pinned_connections);

is($acs->wake('', target => '/status', method => 'HEAD', auth => undef)
   ->{body}, '', 'HEAD');
is($acs->wake('', target => '/status', method => 'DELETE', auth => undef)
   ->{status}, 405, 'DELETE');
is($acs->wake('', target => '/status?format=xml', auth => undef)->{status},
   400, 'an unknown format');
is($acs->wake('', target => '/status?format=json', auth => undef)->{body},
   $acs->wake('', target => '/status', auth => undef)->{body}, 'format=json');

# the endpoints under a prefix

for my $prefix ('/cwmp/', '/bare/') {
    my $get = sub { $acs->wake('', target => "$prefix$_[0]", auth => undef) };
    my $own = $acs->wake('', target => '/status', auth => undef)->{body};
    is($get->('')->{body}, $own, "$prefix: as before");
    is($get->('counters')->{body}, $own, "${prefix}counters");
    like($get->('metrics')->{body}, qr/^# HELP cwmp_messages_total /,
         "${prefix}metrics");
    is($get->("$_")->{status}, 404, "$prefix$_")
        for qw(nothing metrics/x countersx);
}
is($acs->wake('', target => '/barecounters', auth => undef)->{status}, 404,
   'no endpoint without a slash');

# Prometheus, by its own judge

$r = $acs->wake('', target => '/status?format=prometheus', auth => undef);
like($r->{headers}{'content-type'}[0], qr{^text/plain; version=0\.0\.4},
     'text');
like($r->{body}, qr/^cwmp_wakeups_total\{result="ok"\} 5$/m, 'a counter');
like($r->{body}, qr/^cwmp_exchange_seconds_count 6$/m, 'the histogram');
is(scalar(() = $r->{body} =~ /^# TYPE cwmp_wakeups_total counter$/mg), 1,
   'one TYPE for each family');

open my $promtool, '|-', "promtool check metrics > $t->{dir}/promtool.out 2>&1"
    or die "promtool: $!\n";
print $promtool $r->{body};
ok(close $promtool, 'promtool check metrics')
    or diag(Fieldgate::Env::read_file($t->path('promtool.out')));

my %family = map { $_ => 1 } $r->{body} =~ /^# TYPE (\w+)/mg;
my $readme = Fieldgate::Env::read_file('README.md');
cmp_ok(keys %family, '>=', 5, 'families of metrics');
like($readme, qr/^\|.*`\Q$_\E[`{]/m, "README: $_") for sort keys %family;

# a worker's death loses nothing

my ($victim) = $t->pids;
$t->kill_worker($victim);
$r = $acs->wake('', target => '/status', auth => undef);
is(JSON::PP::decode_json($r->{body})->{wakeups}{ok}, 5,
   'the counters survive a killed worker');
$t->reload(gone => 1);
$r = $acs->wake('', target => '/status', auth => undef);
is(JSON::PP::decode_json($r->{body})->{wakeups}{ok}, 5, 'and a reload');

# alone in a configuration

my $alone = Fieldgate->new(workers => 1, http => <<'END');
    server {
        listen 127.0.0.1:%%PORT:acs%%;
        location = /status { cwmp_status; }
    }
END
$alone->start;
is(Fieldgate::Wakeup->new($alone)->wake('', target => '/status')->{status},
   200, 'cwmp_status and nothing else');

done_testing;
