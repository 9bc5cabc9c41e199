# The trace of one user: its next session, event by event, in whatever worker,
# over HTTP and by the console; without a secret.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Env qw(read_file);
use Fieldgate::Ntrip;
use Fieldgate::OpenApi qw(differs);
use Fieldgate::Wait ();
use JSON::PP ();
use MIME::Base64 qw(encode_base64);

my $n = Fieldgate::Ntrip->new(
    workers => 2, users => 9, accounts => 3, provider => { rate => 10 },
    server => 'ntrip_share_distance 30km; ntrip_gga_interval 100ms;',
    http => <<'END');
    server {
        listen 127.0.0.1:%%PORT:web%%;
        location /api/ {
            ntrip_status;
            ntrip_api on;
            allow 127.0.0.1;
            deny all;
        }
        location /read/ { ntrip_status; }
    }
END
my $t = $n->nginx;
my $json = JSON::PP->new->utf8;

sub ask {
    my ($method, $path, $head, $body) = @_;
    $head = ($head // '') . "Content-Length: " . length($body) . "\r\n"
        if defined $body;
    my $reply = $t->exchange('web', "$method $path HTTP/1.0\r\nHost: here\r\n"
                                    . ($head // '') . "\r\n" . ($body // ''));
    my ($status, $text) = $reply =~ m{^HTTP/1\.1 (\d+) .*?\r\n\r\n(.*)}s
        or die "$method $path: $reply";
    return ($status, $text eq '' ? undef : $json->decode($text));
}

sub trace { (ask('GET', '/api/trace'))[1] }

sub arm {
    my ($user) = @_;
    my ($status, $trace) = ask('POST', "/api/trace?user=$user");
    is($status, 200, "$user is to be traced");
    is_deeply([@$trace{qw(state user events)}], ['waiting', $user, 0],
              'and is waited for');
}

# "event text", as they came

sub events { map { "$_->{event} $_->{text}" } @{$_[0]{items}} }
sub kinds { map { $_->{event} } @{$_[0]{items}} }

# until there is an event that matches

sub wait_event {
    my ($regex, $what) = @_;
    my $trace;
    return $trace
        if Fieldgate::Wait::await(sub { $trace = trace();
                                        grep { /$regex/ } events($trace) });
    fail("waited in vain for $what");
    diag(join "\n", events($trace));
    return $trace;
}

# a login that ends at once

sub attempt {
    my ($user, $password, $mount, $head) = @_;
    my $s = $t->connect('caster');
    print $s "GET /$mount HTTP/1.1\r\nHost: x\r\nNtrip-Version: Ntrip/2.0\r\n"
             . "User-Agent: NTRIP t/1\r\nAuthorization: Basic "
             . encode_base64("$user:$password", '') . "\r\n"
             . ($head // '') . "\r\n";
    return Fieldgate::read_all($s);
}


# nobody; what cannot be

is_deeply(trace(), { state => 'off', user => undef, since => undef,
                     events => 0, items => [] }, 'nobody is traced');
is((ask('GET', '/read/trace'))[0], 200, 'which the status says');
for my $method (qw(POST DELETE)) {
    is((ask($method, '/read/trace?user=u1'))[0], 405, "$method: not there");
}
is((ask('PATCH', '/api/trace?user=u1'))[0], 405, 'no PATCH');
is((ask('POST', '/api/trace?user=u1', "Origin: http://there\r\n"))[0], 403,
   "not from another site's page");
is((ask('POST', '/api/trace'))[0], 400, 'without a user');
is((ask('POST', '/api/trace?user='))[0], 400, 'with an empty one');
is((ask('POST', '/api/trace?user=' . 'x' x 256))[0], 400, 'a long one');
is((ask('POST', '/api/trace?user=u1', '', '{"user": "u2"}'))[0], 400, 'a body');
is((ask('GET', '/api/trace/u1'))[0], 404, 'nothing below');
is(trace()->{state}, 'off', 'still nobody');


# attempts, then a session

arm('u1');
like($t->error_log, qr/\[notice\].* ntrip api: POST trace, "u1", by ""/,
     'error.log has it');
like(attempt('u1', 'wrong one', 'M0'), qr/^HTTP\/1\.1 401 /, 'a wrong password');
like(attempt('u2', 'p2', 'NONE'), qr/^HTTP\/1\.1 404 /, 'somebody else');
like(attempt('u1', 'p1', 'NONE'), qr/^HTTP\/1\.1 404 /, 'no such mountpoint');

my $trace = trace();
is_deeply([events($trace)],
          ['request M0, NTRIP 2.0, NTRIP t/1', 'refused wrong password',
           'request NONE, NTRIP 2.0, NTRIP t/1', 'refused unknown mountpoint'],
          'attempts, and why they failed');
is_deeply([map { $_->{status} } @{$trace->{items}}], [undef, 401, undef, 404],
          'and the status of the reply');
is($trace->{state}, 'waiting', 'it is waited for all the same');

my $rovers = $n->rovers(3, 1);
$rovers->wait_for(fed => 2);
$trace = wait_event(qr/^first [1-9]/, 'the first bytes');
is($trace->{state}, 'running', 'the session');
wait_for(sub { grep { $_->{count} > 1 } @{($trace = trace())->{items}} },
         'positions that are counted');
my @events = events($trace);
my ($login) = grep { /^login / } @events;
is($login, 'login from 127.0.0.1', 'from where');
like((grep { /^position / } @events)[0],
     qr/^position 48\.1000000,11\.6000000, fixed, \d+ satellites/,
     'what the receiver says');
ok((grep { /^stream M0, (?:a new one|shared)/ } @events), 'its stream')
    or diag(join "\n", @events);
my ($before) = map { $_->{time} } @{$trace->{items}};
cmp_ok(abs($before - time), '<', 100, 'seconds since 1970');

$rovers->move('u1', 10, 11.6);
wait_event(qr/^moved /, 'the move');
wait_for(sub { my $to; $to = /^first / || ($to && !/^stream /)
                   for @events = events(trace()); $to },
         'bytes of another source');
like((grep { /^moved / } @events)[0],
     qr/^moved it is \d{7} m away from the one before/, 'it moves');
like((grep { /^stream / } @events)[-1], qr/^stream M0, a new one/, 'to another');
like((grep { /^account / } @events)[-1],
     qr/^account a\d\@127\.0\.0\.1:\d+, for M0, in NTRIP 1\.0$/,
     'the account that is asked for');
like((grep { /^live / } @events)[-1], qr/^live live, said: ICY 200 OK$/,
     "the provider's reply");
wait_event(qr/^sent \$GPGGA,/, 'what it is told');

# a reload takes it along

$t->reload(gone => 1);
$trace = wait_event(qr/^worker goes on here/, 'another worker');
is($trace->{state}, 'running', 'goes on');
my %workers = map { $_->{worker} => 1 } @{$trace->{items}};
cmp_ok(keys %workers, '>', 1, 'which shows');

my $api = $json->decode(read_file('conf/ntrip-openapi.json'));
is_deeply([differs($api, $trace, $api->{paths}{'/trace'}{get}{responses}{200}
                                 {content}{'application/json'}{schema},
                   'trace')], [], 'all of it as the OpenAPI file says');

$rovers->leave('u1');
$trace = wait_event(qr/^end closed, [1-9]\d* messages, [1-9]\d* bytes$/, 'the end');
is($trace->{state}, 'done', 'it is over');
attempt('u1', 'wrong one', 'M0');
is(trace()->{events}, $trace->{events}, 'what comes then is none of it');

my $all = $json->encode(trace());
unlike($all, qr/wrong one|"p1|:p1|s[123]\b|Basic/, 'no secrets');
is_deeply([sort keys %{$trace->{items}[0]}],
          [qw(count event status text time worker)], 'fields');


# sentences that are none; the provider goes

arm('u6');
my $s = $t->connect('caster');
print $s "GET /M0 HTTP/1.0\r\nUser-Agent: NTRIP t/1\r\nAuthorization: Basic "
         . encode_base64('u6:p6', '') . "\r\n\r\n"
         . "\$GPGGA,120000,9900.0,N,01131.0,E,1,08,1,500,M,0,M,,\r\n";
wait_event(qr/^unusable /, 'a position that is none');
print $s "\$GPGGA,120000,4806.0,N,01136.0,E,1,08,1,500,M,0,M,,\r\n";
wait_event(qr/^first /, 'its data');
$n->provider->set(drop => $_) for qw(a1 a2 a3);
wait_event(qr/^closed /, 'the provider to go');
close $s;
wait_event(qr/^end /, 'the end');


# another login throws it out

arm('u4');
$rovers->add($n->rover(4, id => 'first'));
wait_event(qr/^first /, 'the first of two');
$rovers->add($n->rover(4, id => 'second'));
$trace = wait_event(qr/^end kicked, /, 'the end');
like((grep { /^other / } events($trace))[0],
     qr/^other from 127\.0\.0\.1, an older session ends$/, 'and why');

# a session that has nobody to ask

arm('u5');
$n->sql("DELETE FROM source; INSERT INTO source (pool, host, name, password)"
        . " VALUES ('other', '127.0.0.1', 'x', 'y');");
$rovers->stop;
$rovers = $n->rovers(5);
$trace = wait_event(qr/^none (?:it waits for an account of pool default|there)/,
                    'no account');
$rovers->stop;
wait_event(qr/^end /, 'it gives up');


# its worker dies

$n->sql("INSERT INTO source (host, name, password)"
        . " VALUES ('127.0.0.1', 'a7', 's7');");
arm('u7');
$rovers = $n->rovers(7);
$trace = wait_event(qr/^first /, 'a session again');
my ($worker) = map { $_->{worker} }
               grep { $_->{event} eq 'login' } @{$trace->{items}};
$t->kill_worker($worker);
$trace = wait_event(qr/^end its row is gone/, 'the end');
is($trace->{state}, 'done', 'said by another worker');
isnt($trace->{items}[-1]{worker}, $worker, 'of course');
ok((grep { $_ eq 'login' } kinds($trace)), 'what was before is kept');
$rovers->stop;


# by the console

like($n->console('TRACE passwd u8'), qr/^OK TRACE\r\nwaiting u8\r\n\r\n\z/,
     'TRACE user');
like($t->error_log, qr/\[notice\].* console: TRACE "u8"/, 'error.log');
attempt('u8', 'wrong one', 'M0');
like($n->console('TRACE passwd'),
     qr/^OK\ TRACE\r\nwaiting\ u8\r\n
        \d{4}-\d\d-\d\d\ \d\d:\d\d:\d\d\t\d+\trequest\t1\tM0,\ NTRIP\ 2\.0.*\r\n
        [-\d:\ ]+\t\d+\trefused\t1\t401\ wrong\ password\r\n\r\n\z/x, 'TRACE');
is($n->console('TRACE-DEL passwd'), "OK TRACE-DEL\r\n\r\n", 'TRACE-DEL');
is(trace()->{state}, 'off', 'nobody any more');
is($n->console('TRACE passwd'), "OK TRACE\r\noff\r\n\r\n", 'as it says');
is($n->console('TRACE nopasswd u1'), "ERROR bad password\r\n", 'not for all');

arm('u9');
is((ask('DELETE', '/api/trace'))[0], 204, 'DELETE');
is(trace()->{state}, 'off', 'nobody');
like($t->error_log, qr/ntrip api: DELETE trace, "", by ""/, 'error.log');

done_testing;
