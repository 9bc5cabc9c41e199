# cwmp_trace: the next session of one device, event by event.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Affinity;
use Fieldgate::ConnectionRequest;
use Fieldgate::CPE;
use Fieldgate::Env qw(read_file);
use Fieldgate::OpenApi qw(differs);
use Fieldgate::Wakeup;
use JSON::PP ();

my $http = <<'END';
    cwmp_zone cwmp:1m;

    upstream acs {
        server 127.0.0.1:%%PORT:acs1%%;
        server 127.0.0.1:%%PORT:acs2%%;
        cwmp_affinity;
    }

    map $cwmp_serial $known { T4 0; default 1; }

    server {
        listen 127.0.0.1:%%PORT:cpe%%;
        cwmp on;
        cwmp_public_url http://127.0.0.1:%%PORT:acs%%/client;
        cwmp_origin_allow 127.0.0.1;
        proxy_http_version 1.1;
        proxy_set_header Connection "";

        location / { proxy_pass http://acs; }
        location /ok { proxy_pass http://127.0.0.1:%%PORT:acs%%; }
        location /require {
            cwmp_require $known;
            proxy_pass http://127.0.0.1:%%PORT:acs%%/ok;
        }
    }

    server {
        listen 127.0.0.1:%%PORT:acs%%;
        location /ok { return 200; }
        location /client {
            cwmp_connection_request;
            cwmp_origin_allow 127.0.0.1;
        }
        location /status/ {
            cwmp_status;
            cwmp_trace on;
            allow 127.0.0.1;
            deny all;
        }
        location /plain/ { cwmp_status; }
        location ~ ^/whole {
            cwmp_status;
            if ($arg_if) { set $nothing 1; }
            limit_except POST { allow all; }
        }
    }
END

my $t = Fieldgate->new(workers => 2, http => $http);
acs($t, rpcs => 2);
$t->start;
my $acs = Fieldgate::Wakeup->new($t);

sub request {
    my ($method, $path, $headers) = @_;
    return $acs->wake('', target => $path, auth => undef, method => $method,
                      headers => $headers);
}

sub trace {
    my $r = request('GET', '/status/trace');
    return eval { JSON::PP->new->utf8->decode($r->{body}) }
           // { state => "$r->{status} $r->{body}" };
}

sub arm {
    my ($device) = @_;
    my $r = request('POST', "/status/trace?device=$device");
    is($r->{status}, 200, "$device is to be traced");
    return JSON::PP->new->utf8->decode($r->{body});
}

# "event status text", the last two if they are there

sub events {
    my ($trace) = @_;
    return map { join ' ', grep { length } @$_{qw(event)}, $_->{status} // '',
                                           $_->{text} }
               @{$trace->{items}};
}

sub inform {
    my ($where, $device, $url) = @_;
    my $cpe = bless { o => { size => 0, url => $url }, device => $device },
              'Fieldgate::CPE';
    my $body = $cpe->message('inform');
    return $t->exchange('cpe', "POST $where HTTP/1.0\r\nContent-Length: "
                               . length($body) . "\r\n\r\n$body");
}


# off

is_deeply(trace(), { state => 'off', device => undef, since => undef,
                     events => 0, items => [] }, 'nobody is traced');
is(request('GET', '/plain/trace')->{status}, 404, 'not without cwmp_trace');
is(request('POST', '/plain/trace?device=x')->{status}, 405, 'nor to be set');

is(request('GET', "/whole$_")->{status}, 200,
   "counters in a location with an expression$_") for '', '/x', '?if=1';

# ids as they are written in arguments, and none that no CPE has

is(arm('Home+Box%2b1')->{device}, 'Home Box+1', 'a space and a plus');
for my $bad ('%0A2026/01/01', '%7f', '') {
    is(request('POST', "/status/trace?device=$bad")->{status}, 400,
       "\"$bad\" can be no id");
}
is(request('DELETE', '/status/trace')->{status}, 204, 'nobody again');

# a device that is known is woken, and has a session on two connections

my $cpe = Fieldgate::ConnectionRequest->new;
inform('/ok', 'T1', $cpe->url);

my $before = time;
my $trace = arm('00D09E-Box-T1');
is($trace->{state}, 'waiting', 'it is waited for');
is($trace->{device}, '00D09E-Box-T1', 'by its id');
ok($trace->{since} >= $before && $trace->{since} <= time, 'since then');
like($t->error_log, qr/\[notice\].* next session of CPE "00D09E-Box-T1" is traced/,
     'error.log has it');

inform('/ok', 'T2', 'http://127.0.0.1:7547/');
is($acs->wake('http://127.0.0.1:1/')->{status}, 503, 'somebody else');
is(trace()->{events}, 0, 'is none of it');
is($acs->wake($cpe->url)->{status}, 200, 'it is woken');
is(join(',', events(trace())), 'wakeup ok', 'which is seen');

my $s = $t->connect('cpe');
post($s, 'inform', 'T1');
my $head = answer($s);
is(trace()->{state}, 'running', 'it comes');
my $api = JSON::PP->new->utf8->decode(read_file('conf/cwmp-openapi.json'));
is_deeply([differs($api, trace(), $api->{paths}{'/trace'}{get}{responses}{200}
                                  {content}{'application/json'}{schema},
                   'trace')], [], 'as the OpenAPI file says');
close $s;
wait_closed($t, $head);

$s = $t->connect('cpe');
post($s, $_, 'T1', cookie_of($head)), answer($s)
    for qw(empty response response);
$trace = trace();
my $server = '127.0.0.1:' . $t->port(server_of($head));
is($trace->{state}, 'done', 'until the session is over');
my @events = events($trace);
like($events[1], qr/^inform \d /, 'an Inform, with its events');
is($events[2], "answer 200 $server", 'what the ACS said');
is($events[3], 'message empty', 'an empty POST');
is($events[4], "answer 200 $server", 'what the ACS asks for');
like($events[5], qr/^message \w+Response$/, 'the reply');
is($events[-1], "last 204 $server", 'the last answer');
is(scalar @events, 9, 'nothing else');
is($trace->{events}, 9, 'counted');
ok(!(grep { !$_->{worker} || $_->{time} < $before - 1 } @{$trace->{items}}),
   'each with its time and worker');
unlike(JSON::PP::encode_json($trace), qr{http:|/cr|/T1|Cookie|session=},
       'no URL, no cookie');

$s = $t->connect('cpe');
post($s, 'inform', 'T1');
answer($s);
is(trace()->{events}, 9, 'the session behind it is not traced');
close $s;

# deaths and reloads

arm('00D09E-Box-T3');
inform('/ok', 'T3', 'http://127.0.0.1:7547/');
$t->kill_worker(($t->pids)[0]);
$t->reload(gone => 1);
$trace = trace();
is($trace->{state}, 'running', 'a killed worker and a reload lose nothing');
inform('/ok', 'T3', 'http://127.0.0.1:7547/') for 1 .. 20;
$trace = trace();
is($trace->{events}, 42, '42 events');
is(scalar @{$trace->{items}}, 32, 'the last 32 are kept');
my @times = map { $_->{time} } @{$trace->{items}};
is_deeply(\@times, [ sort { $a <=> $b } @times ], 'in their order');

# who is refused

arm('00D09E-Box-T4');
inform('/require', 'T4', 'http://127.0.0.1:7547/');
like(join(',', events(trace())), qr/^inform [^,]*(,[^,]*)*,refused 403/,
     'by cwmp_require');

# taken back

is(request('DELETE', '/status/trace')->{status}, 204, 'DELETE');
is(trace()->{state}, 'off', 'nobody is traced any more');

# manners

is(request('POST', '/status/trace')->{status}, 400, 'no device');
is(request('POST', '/status/trace?device=' . 'x' x 200)->{status}, 400,
   'none that there can be');
my $r = request('PUT', '/status/trace');
is($r->{status}, 405, 'PUT');
is_deeply($r->{headers}{allow}, ['GET, HEAD, POST, DELETE'], 'Allow');
is(request('POST', '/status/trace?device=x', "Origin: http://evil.example\r\n")
   ->{status}, 403, "a page of somebody else's");
is(request('POST', '/status/trace?device=x', "Origin: http://localhost\r\n")
   ->{status}, 200, 'one of the same host');
is(trace()->{device}, 'x', 'any device, also one that has not come yet');

# who is known by a certificate alone, is not known without one

Fieldgate::Affinity::certificate($t);
$t->reload(gone => 1, http => <<'END');
    cwmp_zone cwmp:1m;
    server {
        listen 127.0.0.1:%%PORT:acs%%;
        listen 127.0.0.1:%%PORT:tls%% ssl;
        ssl_certificate %%DIR%%/tls.crt;
        ssl_certificate_key %%DIR%%/tls.key;
        ssl_client_certificate %%DIR%%/tls.crt;
        ssl_verify_client on;
        location /status/ {
            cwmp_status;
            cwmp_trace on;
            if ($arg_if) { set $never 1; }
        }
    }
END

for my $args ('', '?device=x&if=1') {
    is(request($_, "/status/trace$args")->{status}, 403, "$_, plain$args")
        for qw(GET POST DELETE);
}
is(request('GET', '/status/counters')->{status}, 200, 'the rest needs none');

sub over_tls {
    my (@args) = @_;
    my $url = 'https://127.0.0.1:' . $t->port('tls') . '/status/trace';
    return `curl -sk -o /dev/null -w '%{http_code}' @args $url`;
}

is(over_tls(), 400, 'TLS without a certificate');
is(over_tls('--cert', $t->path('tls.crt'), '--key', $t->path('tls.key')), 200,
   'with one');

$t->stop;

# who may

my $users = $t->path('users');
Fieldgate::Env::write_file($users, "a:{PLAIN}b\n");

for my $case (['nobody guards', '', 1],
              ['deny all', 'allow 127.0.0.1; deny all;', 0],
              ['allow alone', 'allow 127.0.0.1;', 1],
              ['allow all', 'allow all; deny all;', 1],
              ['auth_basic', "auth_basic x; auth_basic_user_file $users;", 0],
              ['auth_basic without users', 'auth_basic x;', 1],
              ['auth_basic off',
               "auth_basic off; auth_basic_user_file $users;", 1],
              ['auth_request', 'auth_request /a;', 0],
              ['satisfy any', 'satisfy any; allow all; auth_request /a;', 1],
              ['IPv6, too', 'allow ::1; deny all;', 0],
              ['IPv4 alone', 'allow ::1; deny 0.0.0.0/0;', 1],
              ['limit_except opens it',
               'deny all; limit_except GET { allow all; }', 1],
              ['limit_except leaves GET out',
               'limit_except GET { deny all; }', 1],
              ['limit_except guards the rest', "limit_except GET { deny all; }"
               . " auth_basic x; auth_basic_user_file $users;", 0],
              ['limit_except inherits',
               'allow 127.0.0.1; deny all; limit_except GET { auth_basic off; }', 0],
              ['limit_except of what there is not',
               'deny all; limit_except GET POST DELETE { allow all; }', 0],
              ['limit_except that covers all',
               'limit_except PUT { deny all; }', 0],
              ['if inherits', 'deny all; if ($arg_x) { set $y 1; }', 0],
              ['if without limit_except',
               'limit_except PUT { deny all; } if ($arg_x) { set $y 1; }', 1],
              ['unguarded', 'cwmp_trace unguarded;', 0],
              ['off', 'cwmp_trace off;', 0],
              ['not a value', 'cwmp_trace maybe;', 1])
{
    my ($name, $conf, $refused) = @$case;
    $conf .= 'cwmp_trace on;' if $conf !~ /cwmp_trace/;
    my ($status, $out) = $t->check(http => 'cwmp_zone z:1m; server { location '
        . "/s/ { cwmp_status; $conf } }");
    is($status, $refused, "$name: " . ($refused ? 'refused' : 'accepted'))
        or diag($out);
    like($out, qr/"cwmp_trace on" in a location that anybody can reach.*:\d+/,
         'with what is missing') if $refused && $name ne 'not a value';
}

my ($status, $out) = $t->check(http => 'cwmp_zone z:1m; server { location '
                               . '/s/ { cwmp_trace unguarded; } }');
is($status, 1, 'without cwmp_status: refused');
like($out, qr/"cwmp_trace" needs "cwmp_status" in the same location in .*:\d+/,
     'explained');

done_testing;
