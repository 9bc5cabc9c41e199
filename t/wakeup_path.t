# cwmp_url_mode path: the ACS's own Digest goes through to the CPE.

use lib 't/lib';
use Fieldgate;
use Fieldgate::ConnectionRequest;
use Fieldgate::Wakeup;

my $key = 'a key of sixteen bytes';

my $t = Fieldgate->new(workers => 2, http => <<"END");
    cwmp_zone cwmp:1m;
    cwmp_url_mode path;
    cwmp_secret "$key";
    cwmp_origin_allow 127.0.0.1;

    log_format wakeup '\$status \$cwmp_origin \$cwmp_wakeup_result '
                      '\$cwmp_wakeup_status \$cwmp_wakeup_scheme';

    server {
        listen 127.0.0.1:%%PORT:acs%%;
        access_log %%DIR%%/wakeup.log wakeup;

        location / {
            cwmp_connection_request;
            cwmp_timeout 150s;
        }

        location /bound/ {
            cwmp_connection_request;
            cwmp_timeout 150s;
            cwmp_bind 127.0.0.77;
        }
    }

    server {
        listen 127.0.0.1:%%PORT:hasty%%;
        access_log %%DIR%%/wakeup.log wakeup;

        location / {
            cwmp_connection_request;
            cwmp_timeout 1s;
        }
    }

    server {
        listen 127.0.0.1:%%PORT:basic%%;

        location / {
            cwmp_connection_request;
            cwmp_timeout 150s;
            cwmp_cpe_basic on;
        }
    }
END
$t->start;

my $acs = Fieldgate::Wakeup->new($t);
my $hasty = Fieldgate::Wakeup->new($t, port => 'hasty');


# what nginx announces for a CPE, and how an ACS answers a challenge

sub target {
    my ($cpe, $path, $with) = @_;
    my $sig = Fieldgate::Wakeup::sign($key, 'path', $cpe->hostport,
                                      $with // $path);
    return $path . ($path =~ /\?/ ? '&' : '?') . 'origin=' . $cpe->hostport
           . "&sig=$sig";
}

sub answer { Fieldgate::Wakeup::digest(@_) }

# a first leg that a machine which is slow may not manage within cwmp_timeout

sub hasty_leg {
    my ($target, %opt) = @_;
    wait_for(sub {
        my $r = $hasty->wake('', target => $target, auth => undef, %opt);
        return $r->{status} != 503 && $r;
    }, 'a first leg in time');
}

sub verdicts {
    my ($cpe) = @_;
    return join ' ', map { $_->{verdict} } @{$cpe->seen->{requests}};
}


# both legs

my $cpe = Fieldgate::ConnectionRequest->new(nonce_conn => 1);
my $target = target($cpe, '/cr/abc?x=1');
my $s = $acs->connect;

my $r = $acs->wake('', target => $target, auth => undef, socket => $s);
is($r->{status}, 401, 'leg one');
is(scalar @{$r->{headers}{'www-authenticate'}}, 1, 'one challenge');
my ($challenge) = @{$r->{headers}{'www-authenticate'}};
like($challenge, qr/^Digest realm="CPE", nonce="/, 'of the CPE');
is($r->{body}, '', 'no body');

$r = $acs->wake('', target => $target, socket => $s,
                auth => my $auth = answer($challenge, $target));
is($r->{status}, 200, 'leg two');

my $seen = $cpe->seen;
is(verdicts($cpe), 'challenge ok', 'the CPE has accepted it');
is($seen->{connections}, 1, 'on the connection of its challenge');
is($seen->{requests}[0]{line}, "GET $target HTTP/1.1",
   'the request target is untouched');
is($seen->{requests}[1]{headers}{authorization}, $auth,
   'so are the credentials');

# the next wake-up on the same connection of the ACS

$r = $acs->wake('', target => $target, auth => undef, socket => $s);
is($r->{status}, 401, 'again');
$r = $acs->wake('', target => $target, socket => $s,
                auth => answer($r->{headers}{'www-authenticate'}[0], $target,
                               password => 'wrong'));
is($r->{status}, 401, 'with a wrong password');
like($r->{headers}{'www-authenticate'}[0], qr/^Digest /, 'challenged again');
$r = $acs->wake('', target => $target, socket => $s,
                auth => answer($r->{headers}{'www-authenticate'}[0], $target));
is($r->{status}, 200, 'and with the right one');
is($cpe->seen->{connections}, 2, 'all on one more connection');
close $s;

# a CPE whose connection is closed in between

for my $how ('close', 'drop') {
    $cpe = Fieldgate::ConnectionRequest->new(after401 => $how);
    $target = target($cpe, '/');
    $s = $acs->connect;
    $r = $acs->wake('', target => $target, auth => undef, socket => $s);
    is($r->{status}, 401, "$how: leg one");
    $cpe->wait_for(closed => 1);
    $r = $acs->wake('', target => $target, socket => $s,
                    auth => answer($r->{headers}{'www-authenticate'}[0],
                                   $target));
    is($r->{status}, 200, "$how: leg two");
    is($cpe->seen->{connections}, 2, "$how: on another connection");
    close $s;
}

# between its legs, a wake-up does not stand in the way of others

$cpe = Fieldgate::ConnectionRequest->new(nonce_conn => 1);
$target = target($cpe, '/');
my @s = map { $acs->connect } 1 .. 3;
my @r = map { $acs->wake('', target => $target, auth => undef,
                         socket => $_) } @s;
is(join(' ', map { $_->{status} } @r), '401 401 401', 'three first legs');
for my $i (2, 0, 1) {
    is($acs->wake('', target => $target, socket => $s[$i],
                  auth => answer($r[$i]{headers}{'www-authenticate'}[0],
                                 $target))->{status}, 200, 'a second leg');
}
is($cpe->seen->{connections}, 3, 'each on its own connection');

# how long the connection is kept

$cpe->wait_for(closed => 3);
$cpe->clear;
$r = $acs->wake('', target => $target, auth => undef, socket => $s[0]);
is($cpe->seen->{closed}, 0, 'kept while the ACS stays');
close $s[0];
ok($cpe->wait_for(closed => 1), 'closed when it leaves');

$cpe->clear;
$s = $hasty->connect;
is(hasty_leg($target, socket => $s)->{status}, 401, 'kept for cwmp_timeout');
ok(wait_for(sub { $cpe->seen->{open} == 0 }, 'it to be closed'),
   'and closed after it');
is(hasty_leg($target, socket => $s)->{status}, 401,
   'which the ACS does not notice');

# a CPE on another connection is another one

my $other = Fieldgate::ConnectionRequest->new;
is(hasty_leg(target($other, '/'), socket => $s)->{status}, 401,
   'another CPE, same connection');
cmp_ok($other->seen->{connections}, '>', 0, 'is called itself');

# nor is a connection of one location good for another

$cpe = Fieldgate::ConnectionRequest->new(path => '/', host => '0.0.0.0');
$s = $acs->connect;

for my $path ('/', '/bound/') {
    my $hp = '127.0.0.1:' . $cpe->port;
    my $sig = Fieldgate::Wakeup::sign($key, 'path', $hp, $path);
    is($acs->wake('', target => "$path?origin=$hp&sig=$sig", auth => undef,
                  socket => $s)->{status}, 401, "the CPE by $path");
}

is(join(' ', map { $_->{peer} } @{$cpe->seen->{requests}}),
   '127.0.0.1 127.0.0.77', 'each location has its own connection');
close $s;

# challenges

$cpe = Fieldgate::ConnectionRequest->new(
    challenges => ['Basic realm="x", Digest realm="a", nonce="%n"',
                   'Negotiate', 'Digest realm="b", nonce="%n", '
                                . 'algorithm=SHA-256']);
$r = $acs->wake('', target => target($cpe, '/'), auth => undef);
is(scalar @{$r->{headers}{'www-authenticate'}}, 2, 'Digest challenges only');
like($r->{headers}{'www-authenticate'}[0], qr/^Digest realm="a", nonce="\w+"$/,
     'as they are');
like($r->{headers}{'www-authenticate'}[1],
     qr/^Digest realm="b", nonce="\w+", algorithm=SHA-256$/, 'both of them');

$cpe = Fieldgate::ConnectionRequest->new(
    challenges => ['Digest realm="a", nonce="%n"',
                   "Digest realm=\"b\rX-Injected: 1\", nonce=\"%n\""]);
$r = $acs->wake('', target => target($cpe, '/'), auth => undef);
is(scalar @{$r->{headers}{'www-authenticate'}}, 1,
   'none with a control character');
unlike($r->{head}, qr/Injected/, 'wherever it stands');

$cpe = Fieldgate::ConnectionRequest->new(auth => 'basic');
$target = target($cpe, '/');
$r = $acs->wake('', target => $target);
isnt($r->{status}, 200, 'Basic');
unlike($cpe->seen->{requests}[-1]{text}, qr/authorization/i,
       'is not passed on');
is(Fieldgate::Wakeup->new($t, port => 'basic')
   ->wake('', target => $target)->{status}, 200,
   'unless cwmp_cpe_basic says so');

# a CPE without authentication, and one that is off

$cpe = Fieldgate::ConnectionRequest->new(auth => 'none');
is($acs->wake('', target => target($cpe, '/'), auth => undef)->{status}, 200,
   'no authentication');
$target = target($cpe, '/');
$cpe->stop;
is($acs->wake('', target => $target, auth => undef)->{status}, 503, 'offline');

# signatures

$cpe = Fieldgate::ConnectionRequest->new;
my $hp = $cpe->hostport;
my $sig = Fieldgate::Wakeup::sign($key, 'path', $hp, '/a/b?c');

for my $case (
    ["/a/b?c&origin=$hp&sig=$sig" => 401, 'as it was announced'],
    ["/a/./b?c&origin=$hp&sig=$sig" => 401, 'normalised by a URL parser'],
    ["/a/b?d&origin=$hp&sig=$sig" => 403, 'other arguments'],
    ["/a/c?c&origin=$hp&sig=$sig" => 403, 'another path'],
    ["/a/b?c&origin=127.0.0.1:1&sig=$sig" => 403, 'another port'],
    ["/a/b?c&origin=$hp" => 403, 'no signature'],
    ["/a/b?c" => 400, 'no origin'],
    ["/a/b?c&origin=http://$hp&sig=$sig" => 400, 'an origin that is a URL'],
    ["/a/b?c&origin=$hp&sig="
     . Fieldgate::Wakeup::sign($key, 'query', $hp, '/a/b?c') => 403,
     'a signature of query mode'],
) {
    my ($target, $status, $name) = @$case;
    is($acs->wake('', target => $target, auth => undef)->{status}, $status,
       $name);
}

# reload between the legs

$cpe = Fieldgate::ConnectionRequest->new(nonce_conn => 1);
$target = target($cpe, '/');
$s = $acs->connect;
my $idle = $hasty->connect;
$r = $acs->wake('', target => $target, auth => undef, socket => $s);
hasty_leg($target, socket => $idle);
my @old = $t->pids;
$t->reload;
$r = $acs->wake('', target => $target, socket => $s,
                auth => answer($r->{headers}{'www-authenticate'}[0], $target));
is($r->{status}, 200, 'a reload between the legs');
is_deeply($r->{headers}{connection}, ['close'],
          'does not close the connection but after the second');
close $s;

# an ACS that does not come back keeps no worker from exiting

is(hasty_leg($target)->{status}, 401, 'a first leg in a new worker');
wait_for(sub { !grep { Fieldgate::alive($_) } @old }, 'the old workers');
is(sysread($idle, my $rest, 1), 0,
   'a connection that was waited for is closed');

# worker_shutdown_timeout: everything ends, wherever it is

my $brief = Fieldgate->new(workers => 2, main => 'worker_shutdown_timeout 1s;',
                           http => <<"END");
    cwmp_zone cwmp:1m;

    server {
        listen 127.0.0.1:%%PORT:acs%%;

        location = /pid { return 200 \$pid; }

        location / {
            cwmp_connection_request;
            cwmp_url_mode path;
            cwmp_secret "$key";
            cwmp_origin_allow 127.0.0.1;
            cwmp_timeout 300s;
        }
    }
END
$brief->start;

my $patient = Fieldgate::Wakeup->new($brief);
my $silent = Fieldgate::ConnectionRequest->new(silent => 'request');
$cpe = Fieldgate::ConnectionRequest->new;

my ($first, $second) = $brief->pids;
my @sockets = ($patient->to_worker($first, 2), $patient->to_worker($second));
my @calls = map { $patient->begin('', target => target($silent, $_),
                                  auth => undef, socket => shift @sockets) }
                '/a', '/a', '/b';
$silent->wait_for(requests => 1);
$patient->settle;
$s = $patient->connect;
is($patient->wake('', target => target($cpe, '/'), auth => undef,
                  socket => $s)->{status}, 401, 'a kept connection');
$brief->reload(gone => 1);
is(scalar(grep { $patient->end($_)->{status} =~ /^(?:0|503)$/ } @calls), 3,
   'all calls have ended');
$silent->wait_for(closed => 1);
ok($cpe->wait_for(closed => 1), 'no CPE is left with a connection');

like(Fieldgate::Env::read_file($t->path('wakeup.log')),
     qr/^401 127\.0\.0\.1:\d+ challenge 401 none$/m, 'logged: leg one');
like(Fieldgate::Env::read_file($t->path('wakeup.log')),
     qr/^200 127\.0\.0\.1:\d+ ok 200 digest$/m, 'logged: leg two');

done_testing;
