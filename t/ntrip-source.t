# The client at the provider: every form of reply, what a refusal leads to, how
# addresses are found, and which positions go up.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Dns;
use Fieldgate::Ntrip;
use Fieldgate::Provider;
use Fieldgate::Rovers;
use Time::HiRes qw(sleep time);

my $server = 'ntrip_source_linger 50ms; ntrip_gga_interval 200ms;';


# ---- replies that are accepted ----

my $n = Fieldgate::Ntrip->new(users => 40, accounts => 1, provider => {},
                              server => $server);
my ($t, $provider) = ($n->nginx, $n->provider);
my $user = 0;

my @accepted = (
    ['ICY and a blank line', "ICY 200 OK\r\n\r\n"],
    ['ICY alone', "ICY 200 OK\r\n"],
    ['ICY with LF', "ICY 200 OK\n\n"],
    ['ICY, header, blank line',
     "ICY 200 OK\r\nServer: X 1.0\r\nDate: now\r\n\r\n"],
    ['ICY, header, no blank line', "ICY 200 OK\r\nServer: X 1.0\r\n"],
    ['HTTP/1.0', "HTTP/1.0 200 OK\r\nServer: X\r\n\r\n"],
    ['HTTP/1.1', "HTTP/1.1 200 OK\r\nNtrip-Version: Ntrip/2.0\r\n"
                 . "Content-Type: gnss/data\r\nConnection: close\r\n\r\n"],
    ['chunked', "HTTP/1.1 200 OK\r\nContent-Type: gnss/data\r\n"
                . "Transfer-Encoding: chunked\r\n\r\n", chunk => 50],
);

for my $case (@accepted) {
    my ($name, $reply, %more) = @$case;

    # the only message comes with the reply, in the same segment

    $provider->set(reply => "$reply%M", rate => 0, chunk => 0, %more);
    my $rovers = $n->rovers(++$user);
    my $seen = $rovers->wait_for(fed => 1);
    is($seen->{rovers}{"u$user"}{messages}, 1,
       "$name: what comes with the reply is kept");

    # and all that follow, in pieces

    $provider->set(rate => 100, epoch => 5, pieces => 7);
    $seen = $rovers->wait_for(messages => 51);
    is("@{$seen->{errors}}", '', "$name: nothing is lost or damaged");

    $rovers->stop;
    $provider->wait_for(sub { shift->{open} == 0 });

    # nothing comes with it, nor before there is a position

    $provider->set(reply => $reply, rate => 0, pieces => 1);
    my $gga = @{$provider->seen->{gga}};
    $rovers = $n->rovers(++$user);
    $provider->wait_for(gga => $gga + 1);
    $provider->set(rate => 20, epoch => 1);
    is("@{$rovers->wait_for(messages => 5)->{errors}}", '',
       "$name: the position goes up before any data");

    $rovers->stop;
    $provider->wait_for(sub { shift->{open} == 0 });
}

my ($head) = map { $_->{head} } @{$provider->seen->{requests}};
my $port = $provider->port;
is($head, "GET /M0 HTTP/1.0\r\nUser-Agent: NTRIP Fieldgate/1.0.0\r\n"
          . "Host: 127.0.0.1:$port\r\nAuthorization: Basic YTE6czE=\r\n",
   'the request');
is($provider->seen->{twice}, 0, 'the account was never used twice');
unlike($t->error_log, qr/s1\b|YTE6czE/, 'no password in the log');
$t->stop;


# ---- refusals ----

# one rover, whose login at the provider fails; it sends its position once, so
# that nothing is unread when its connection is closed, and no RST follows

sub refused {
    my ($name, %opt) = @_;

    my $n = Fieldgate::Ntrip->new(
        users => 3, accounts => $opt{accounts} // 1, mounts => 2,
        provider => {}, server => "$server $opt{server}", workers => 1);
    my ($t, $provider) = ($n->nginx, $n->provider);

    $provider->set(%{$opt{set}});

    my $rovers = Fieldgate::Rovers->new(port => $t->port('caster'), gga => 3600,
                                        rovers => [$n->rover(1)]);
    $t->wait_log($opt{log});

    return ($n, $t, $provider, $rovers);
}

for my $case (
    ['401', "HTTP/1.0 401 Unauthorized\r\n\r\n", 'unauthorized'],
    ['401 at length', "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic "
     . "realm=\"x\"\r\nContent-Length: 3\r\n\r\nno\n", 'unauthorized'],
    ['bad password', "ERROR - Bad Password\r\n", 'unauthorized'],
    ['403', "HTTP/1.1 403 Forbidden\r\n\r\n", 'forbidden'],
    ['429', "HTTP/1.1 429 Too Many Requests\r\n\r\n", 'busy'],
    ['taken', "ERROR - Already Connected\r\n", 'busy'],
    ['a page', "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>",
     'failed'],
    ['another protocol', "SSH-2.0-OpenSSH_9.2\r\n", 'no NTRIP reply'],
    ['its own password', "ERROR - s1 or s2 is the wrong password\r\n",
     'unauthorized'],
) {
    my ($name, $reply, $result) = @$case;
    my ($n, $t, $provider, $rovers) = refused($name,
        accounts => 2, set => { refuse_next => $reply }, server => '',
        log => qr/refused the login \(\Q$result\E\): .* source: a[12]@/);

    # the other account is used

    my $seen = $rovers->wait_for(fed => 1);
    is($seen->{open}, 1, "$name: the rover stays");
    is(join(' ', sort map { $_->{account} } @{$provider->seen->{requests}}),
       'a1 a2', "$name: the account that is refused rests");
    unlike($t->error_log, qr/\bs[12]\b/, "$name: no password in the log");
    $t->stop;
}

my $nomount = 'no such mountpoint';

for my $case (
    ['SOURCETABLE', "SOURCETABLE 200 OK\r\nContent-Length: 16\r\n\r\n"
     . "ENDSOURCETABLE\r\n", $nomount],
    ['409', "HTTP/1.1 409 Conflict\r\n\r\n", 'busy'],
    ['500', "HTTP/1.1 500 Internal Server Error\r\n\r\n", 'failed'],
    ['503', "HTTP/1.1 503 Service Unavailable\r\n\r\n", 'busy'],
    ['a table in HTTP', "HTTP/1.1 200 OK\r\nContent-Type: gnss/sourcetable"
     . "\r\n\r\nENDSOURCETABLE\r\n", $nomount],
) {
    my ($name, $reply, $result) = @$case;
    my ($n, $t, $provider, $rovers) = refused($name,
        accounts => 2, set => { refuse_next => $reply },
        server => 'ntrip_source_wait 2s;',
        log => qr/\(\Q$result\E\).* source: a[12]@.*\/M1/);

    my $seen = $rovers->wait_for(sub { shift->{open} == 0 });
    is($seen->{rovers}{u1}{why}, 'end', "$name: its rovers are closed");

    # no other account is burnt on it, while other mountpoints work

    $rovers->add($n->rover(2));
    $rovers->wait_for(sub { shift->{rovers}{u2}{messages} });
    is(join(' ', map { $_->{mount} } @{$provider->seen->{requests}}),
       'M1 M0', "$name: the mountpoint rests, the account does not");
    $t->stop;
}


# ---- silence, ends, nobody there ----

for my $case (
    ['no reply', { reply => '', rate => 0 }, qr/provider is silent/],
    ['no data', { rate => 0 }, qr/provider is silent.*reading from a pro/],
    ['end of chunks', { chunk => 20, reply => "HTTP/1.1 200 OK\r\n"
      . "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n" },
     qr/provider has ended the stream/],
    ['no chunk', { reply => "HTTP/1.1 200 OK\r\n"
      . "Transfer-Encoding: chunked\r\n\r\nxyz\r\n" },
     qr/provider sent a wrong chunk/],
) {
    my ($name, $set, $log) = @$case;
    my ($n, $t, $provider, $rovers) = refused($name,
        set => $set, log => $log, server => 'ntrip_source_timeout 1s;');

    $provider->set(rate => 10, chunk => 0, reply => undef);
    my $seen = $rovers->wait_for(fed => 1);
    is($seen->{open}, 1, "$name: tried again, the rover stays");
    like($t->error_log, qr/source waits for an account of pool "default"/,
         "$name: the log says what it waits for");
    is("@{$seen->{errors}}", '', "$name: what it gets is whole");
    is($provider->seen->{twice}, 0, "$name: never twice at once");
    $t->stop;
}

{
    my ($n, $t, $provider, $rovers) = refused('closed',
        set => { rate => 20 }, log => qr/source is live/, server => '');
    $rovers->wait_for(messages => 5);
    $provider->set(drop => 'a1');
    $t->wait_log(qr/provider closed the connection .*a1@/);
    my $seen = $rovers->wait_for(sub { shift->{rovers}{u1}{switches} });
    is($seen->{open}, 1, 'connection lost: the rover stays');
    is("@{$seen->{errors}}", '', 'connection lost: whole messages');
    $t->stop;
}


# ---- addresses ----

my $dns = Fieldgate::Dns->new('cors.example' => ['127.0.0.1'],
                              'two.example' => ['127.0.0.9', '127.0.0.1']);
my $resolver = 'resolver 127.0.0.1:' . $dns->port . ' ipv6=off;';

sub source_at {
    my ($host, $name, $listen, %opt) = @_;

    my $provider = Fieldgate::Provider->new(host => $listen);
    my $n = Fieldgate::Ntrip->new(
        users => 1, accounts => 0, provider => $provider, workers => 1,
        server => $server . ($opt{server} // ''));
    my $t = $n->nginx;

    $n->sql("INSERT INTO source (host, name, password)"
            . " VALUES ('$host', 'a1', 's1');");
    my $rovers = $n->rovers(1);

    if ($opt{log}) {
        ok($t->wait_log($opt{log}), "$name: the log says so");
    } else {
        is("@{$rovers->wait_for(messages => 3)->{errors}}", '', $name);
    }

    my ($head) = map { $_->{head} } @{$provider->seen->{requests}};
    $t->stop;

    return $head // '';
}

my $tcp6 = IO::Socket::IP->new(LocalHost => '::1', Listen => 1);

SKIP: {
    skip 'no IPv6 on this host', 3 unless $tcp6;
    like(source_at('::1', 'IPv6', '::1'), qr/^Host: \[::1\]:\d+\r$/m,
         'its Host');
    source_at('[::1]', 'IPv6 in brackets', '::1');
}

source_at('localhost', 'a name, by a thread', '127.0.0.1');
source_at('cors.example', 'a name, by the resolver', '127.0.0.1',
          server => $resolver);
source_at('two.example', 'the first address refuses, the second does not',
          '127.0.0.1', server => $resolver);
source_at('no.example', 'no such name', '127.0.0.1', server => $resolver,
          log => qr/no\.example could not be resolved \(3: Host not found\)/);

# a label has at most 63 characters: no server is asked

my $long = 'x' x 64 . '.invalid';
source_at($long, 'no such name, by a thread', '127.0.0.1',
          log => qr/\Q$long\E could not be resolved/);


# ---- positions ----

$n = Fieldgate::Ntrip->new(
    users => 3, accounts => 1, workers => 2, provider => { rate => 10 },
    server => 'ntrip_gga_interval 500ms; ntrip_gga_repeat 300ms;');
($t, $provider) = ($n->nginx, $n->provider);

# how many at most, one in each interval since then, and one more by rounding

sub most { 2 + (time - $_[0]) / 0.5 }

# one sentence only, which is repeated, though no more often than that

my $start = time;
my $rovers = Fieldgate::Rovers->new(port => $t->port('caster'), gga => 3600,
                                    rovers => [$n->rover(1)]);
my $seen = $provider->wait_for(gga => 8);
my $most = most($start);
my %lines = map { $_->{line} => 1 } @{$seen->{gga}};
is(keys %lines, 1, 'the last position is repeated');
cmp_ok(scalar @{$seen->{gga}}, '<=', $most, 'once in each interval');
$rovers->stop;

# many of them: no more than one in each interval

$provider->wait_for(sub { shift->{open} == 0 });
my $before = @{$provider->seen->{gga}};
$start = time;
$rovers = Fieldgate::Rovers->new(port => $t->port('caster'), gga => 0.1,
                                 rovers => [$n->rover(1)]);
$rovers->wait_for(fed => 1);
$rovers->add($n->rover(2, lat => 48.101))->wait_for(fed => 2);
$seen = $provider->wait_for(gga => $before + 6);
$most = most($start);
my @gga = splice @{$seen->{gga}}, $before;
cmp_ok(scalar @gga, '<=', $most, 'positions go up at a bounded rate');
is((grep { $_->{line} !~ /,4806\.00000,/ } @gga), 0,
   'those of the lead rover only');

# the lead leaves: the other's go up

$rovers->leave('u1');
ok($provider->wait_for(sub { shift->{gga}[-1]{line} =~ /,4806\.06000,/ }),
   'the lead has passed on');
is($provider->seen->{logins}, 2, 'on the same connection');
is("@{$rovers->seen->{errors}}", '', 'which nobody noticed');

done_testing();
