# A wake-up, as cwmp-proxy does it: Basic from the ACS, Digest to the CPE.

use lib 't/lib';
use Fieldgate;
use Fieldgate::ConnectionRequest;
use Fieldgate::Wakeup;

my $t = Fieldgate->new(workers => 2, http => <<'END');
    cwmp_zone cwmp:1m;

    log_format wakeup '$request_method $status $cwmp_origin '
                      '$cwmp_wakeup_result $cwmp_wakeup_status '
                      '$cwmp_wakeup_scheme $cwmp_wakeup_time';

    server {
        listen 127.0.0.1:%%PORT:acs%%;
        access_log %%DIR%%/wakeup.log wakeup;

        location = /client {
            cwmp_connection_request;
            cwmp_origin_allow 127.0.0.1;
            cwmp_timeout 150s;
        }

        location = /except {
            cwmp_connection_request;
            cwmp_origin_allow 127.0.0.1;
            limit_except GET { allow all; }
        }
    }
END
$t->start;

my $acs = Fieldgate::Wakeup->new($t);
my $cpe = Fieldgate::ConnectionRequest->new(path => '/secret');

# the ten steps

my $r = $acs->wake($cpe->url, auth => undef);
is($r->{status}, 401, 'no credentials');
is_deeply($r->{headers}{'www-authenticate'}, ['Basic realm="cwmp"'],
          'a Basic challenge');
is($r->{body}, '', 'nothing else');
is($cpe->seen->{connections}, 0, 'the CPE has not been called');

$r = $acs->wake($cpe->url);
is($r->{status}, 200, 'with credentials');
is($r->{body}, '', 'the body is empty');
is_deeply($r->{headers}{'content-length'}, [0], 'and says so');

my $seen = $cpe->seen;
is(join(' ', map { $_->{verdict} } @{$seen->{requests}}), 'challenge ok',
   'the CPE has challenged, then accepted');
is($seen->{connections}, 1, 'on one connection');
is($seen->{requests}[0]{line}, 'GET /secret HTTP/1.1', 'request line');
is($seen->{requests}[0]{headers}{host}, $cpe->hostport, 'host');
like($seen->{requests}[1]{headers}{authorization},
     qr/^Digest username="acs", /, 'authorization');

# what a CPE answers

$cpe->set(status => 204);
$r = $acs->wake($cpe->url);
is($r->{status}, 204, 'a CPE that answers 204');
ok(!exists $r->{headers}{'content-length'}, 'without a length');

$cpe->set(status => 503);
is($acs->wake($cpe->url)->{status}, 503, 'a CPE that answers 503');

$cpe->set(status => 200);
$r = $acs->wake($cpe->url, password => 'wrong');
is($r->{status}, 401, 'wrong password');
is_deeply($r->{headers}{'www-authenticate'}, ['Basic realm="cwmp"'],
          'challenged again, so that the ACS tries its next one');

my $plain = Fieldgate::ConnectionRequest->new(qop => 'none', opaque => undef);
is($acs->wake($plain->url)->{status}, 200, 'a CPE without qop');

my $open = Fieldgate::ConnectionRequest->new(auth => 'none');
is($acs->wake($open->url)->{status}, 200, 'a CPE without authentication');

# what is refused

is($acs->wake('', args => '')->{status}, 400, 'no origin');
is($acs->wake('', args => 'origin=')->{status}, 400, 'an empty one');
is($acs->wake('http://127.0.0.2:7547/')->{status}, 403, 'one not allowed');

$r = $acs->wake($cpe->url, method => 'POST',
                headers => "Content-Length: 0\r\n");
is($r->{status}, 405, 'POST');
is_deeply($r->{headers}{allow}, ['GET, HEAD'], 'what is allowed instead');
my $except = Fieldgate::Wakeup->new($t, path => '/except');
is($except->wake($cpe->url, method => 'DELETE')->{status}, 405,
   'DELETE, in "limit_except"');

# in this order

is($acs->wake('', args => '', method => 'POST', auth => undef)->{status}, 405,
   'the method comes first');
is($acs->wake('', args => 'origin=x', auth => undef)->{status}, 400,
   'then the origin');
is($acs->wake('http://127.0.0.2/', auth => undef)->{status}, 403,
   'then the policy');
is($acs->wake('http://127.0.0.1:1/', auth => undef)->{status}, 401,
   'then the credentials, before the call');

$r = $acs->wake($cpe->url, method => 'HEAD');
is($r->{status}, 200, 'HEAD');
is($cpe->seen->{requests}[-1]{line}, 'GET /secret HTTP/1.1',
   'is GET for the CPE');

# one line for each

wait_for(sub { 17 == grep { 1 } split /\n/,
                     Fieldgate::Env::read_file($t->path('wakeup.log')) },
         'all of the log');

my $log = Fieldgate::Env::read_file($t->path('wakeup.log'));
my $origin = $cpe->hostport;
like($log, qr/^GET 401 \Q$origin\E credentials - - \d+\.\d{3}$/m,
     'logged: no credentials');
like($log, qr/^GET 200 \Q$origin\E ok 200 digest \d+\.\d{3}$/m, 'logged: ok');
like($log, qr/^GET 503 \Q$origin\E busy 503 digest \d+\.\d{3}$/m,
     'logged: busy');
like($log, qr/^GET 401 \Q$origin\E unauthorized 401 digest \d+\.\d{3}$/m,
     'logged: unauthorized');
like($log, qr/^GET 200 \S+ ok 200 none \d+\.\d{3}$/m,
     'logged: without authentication');
like($log, qr/^GET 400 - bad_origin - - \d/m, 'logged: bad origin');
like($log, qr/^GET 403 127\.0\.0\.2:7547 forbidden - - \d/m,
     'logged: forbidden');
like($log, qr/^POST 405 - method - - \d/m, 'logged: method');

like($t->error_log, qr/\[error\].*wake-up refused: origin "127\.0\.0\.2:7547"/,
     'a refusal is in the error log');
unlike($t->error_log, qr/secret/, 'where no path of a CPE is');

done_testing;
