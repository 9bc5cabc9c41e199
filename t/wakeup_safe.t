# What must not work: the wake-up location against those who would use it as a
# proxy, read what it knows, or wear out CPEs and nginx.

use lib 't/lib';
use Fieldgate;
use Fieldgate::ConnectionRequest;
use Fieldgate::Dns;
use Fieldgate::Wakeup;
use Time::HiRes ();

my $key = 'a key of the first kind';
my $old = 'a key that is going away';

my $dns = Fieldgate::Dns->new(
    'good.example' => ['127.0.0.1'],
    'bad.example' => ['127.0.0.9'],
    'mixed.example' => ['127.0.0.1', '127.0.0.9'],
    'metadata.example' => ['100.100.100.200'],
    'six.example' => ['::1'],
    'none.example' => [],
    'silent.example' => undef,
    'rebound.example' => [['127.0.0.1'], ['127.0.0.9']],
    'two.example' => ['127.0.0.5', '127.0.0.1'],
);
my $nameserver = $dns->port;

my $t = Fieldgate->new(workers => 2, http => <<"END");
    cwmp_zone cwmp:1m;
    limit_req_zone \$arg_origin zone=wakeups:1m rate=1r/m;

    log_format wakeup '\$cwmp_origin \$cwmp_wakeup_result';

    resolver 127.0.0.1:$nameserver ipv6=off;
    resolver_timeout 150s;

    map \$cwmp_origin \$password {
        "~^127\\.0\\.0\\.1:" "s3c:ret";
    }

    server {
        listen 127.0.0.1:%%PORT:acs%%;
        access_log %%DIR%%/wakeup.log wakeup;

        location = /pid { return 200 \$pid; }

        location = /client {
            cwmp_connection_request;
            cwmp_timeout 150s;
            cwmp_secret "$key" "$old";
            cwmp_origin_allow 127.0.0.1;
        }

        location = /signed {
            cwmp_connection_request;
            cwmp_timeout 150s;
            cwmp_secret "$key";
        }

        location = /cidr {
            cwmp_connection_request;
            cwmp_timeout 150s;
            cwmp_origin_allow 127.0.0.1:1024-65535 [::1] 10.0.0.0/8;
            cwmp_origin_deny 127.0.0.1:%%PORT:denied%%;
        }

        location = /names {
            cwmp_connection_request;
            cwmp_timeout 150s;
            cwmp_secret "$key";
            cwmp_origin_allow ~\\.example\$ 127.0.0.1 127.0.0.5
                              100.64.0.0/10;
            cwmp_origin_deny 100.100.100.200;
        }

        location = /strict {
            cwmp_connection_request;
            cwmp_timeout 150s;
            cwmp_secret "$key";
            cwmp_origin_allow ~\\.example\$ 127.0.0.5;
        }

        location = /unresolved {
            cwmp_connection_request;
            cwmp_timeout 150s;
            cwmp_secret "$key";
            cwmp_origin_allow ~\\.example\$ 127.0.0.1;
            resolver_timeout 300ms;
        }

        location = /held {
            cwmp_connection_request;
            cwmp_timeout 150s;
            cwmp_secret "$key";
            cwmp_origin_allow 127.0.0.1;
            cwmp_credentials acs \$password;
        }

        location = /unknown {
            cwmp_connection_request;
            cwmp_timeout 150s;
            cwmp_secret "$key";
            cwmp_origin_allow 127.0.0.1;
            cwmp_credentials "\$arg_user" "\$arg_password";
        }

        location = /door {
            auth_basic door;
            auth_basic_user_file %%DIR%%/users;
            cwmp_connection_request;
            cwmp_timeout 150s;
            cwmp_secret "$key";
            cwmp_origin_allow 127.0.0.1;
            cwmp_credentials acs \$password;
        }

        location = /bound {
            cwmp_connection_request;
            cwmp_timeout 150s;
            cwmp_origin_allow 127.0.0.1;
            cwmp_bind 127.0.0.77;
        }

        location = /limited {
            cwmp_connection_request;
            cwmp_timeout 150s;
            cwmp_origin_allow 127.0.0.1;
            limit_req zone=wakeups;
            limit_req_status 429;
        }
    }
END
$t->write('users', "acs-server:{PLAIN}opener\n");
$t->start;

my $acs = Fieldgate::Wakeup->new($t);
my $cpe = Fieldgate::ConnectionRequest->new(path => '/secret-path');

sub signed {
    my ($url, $with) = @_;
    my ($hostport, $path) = $url =~ m{^http://([^/]+)(/.*)?$};
    return '&sig=' . Fieldgate::Wakeup::sign($with // $key, 'query', $hostport,
                                             $path // '/');
}

sub at {
    my ($path) = @_;
    return Fieldgate::Wakeup->new($t, path => $path);
}


# 1: no open proxy

my $sig = signed($cpe->url);
is(length $sig, 27, 'a signature takes 22 characters');

is($acs->wake($cpe->url, more => $sig)->{status}, 200, 'signed');
is($acs->wake($cpe->url, more => signed($cpe->url, $old))->{status}, 200,
   'by the second key');

$cpe->clear;
is($acs->wake($cpe->url)->{status}, 403, 'not signed');
is($acs->wake($cpe->url, more => '&sig=')->{status}, 403, 'empty');
is($acs->wake($cpe->url, more => substr $sig, 0, -1)->{status}, 403, 'cut');
is($acs->wake($cpe->url, more => "${sig}A")->{status}, 403, 'longer');
is($acs->wake($cpe->url, more => signed($cpe->url, 'some other key...'))
   ->{status}, 403, 'by another key');
is($acs->wake($cpe->url . '/more', more => $sig)->{status}, 403,
   'another path');
is($acs->wake('http://127.0.0.1:1/secret-path', more => $sig)->{status}, 403,
   'another port');
is($acs->wake($cpe->url,
              more => '&sig=' . Fieldgate::Wakeup::sign($key, 'path',
                                         $cpe->hostport, '/secret-path'))
   ->{status}, 403, 'of the other mode');
(my $flipped = $sig) =~ s/(?<=sig=)(.)/$1 eq 'A' ? 'B' : 'A'/e;
is($acs->wake($cpe->url, more => $flipped)->{status}, 403, 'one bit wrong');

my $cidr = at('/cidr');

for my $case (
    ['http://127.0.0.2:7547/' => 403, 'not in a CIDR'],
    ['http://192.0.2.1/' => 403, 'somewhere else'],
    ['http://127.0.0.1:1/' => 403, 'a port below the range'],
    ['http://127.0.0.1:' . $t->port('denied') . '/' => 403, 'denied'],
    ['http://[fe80::1]/' => 403, 'link-local'],
    ['http://[::ffff:192.0.2.1]/' => 403, 'a mapped IPv4 address'],
    ['http://[ff02::1]/' => 403, 'multicast'],
    ['http://0.0.0.0/' => 403, 'unspecified'],
    ['http://[::]/' => 403, 'unspecified'],
    ['http://255.255.255.255/' => 403, 'broadcast'],
    ['http://name.example/' => 403, 'a name'],

    # 6 and 16: what is malformed

    ['http://127.0.0.1:7547/a b' => 400, 'a space'],
    ["http://127.0.0.1:7547/\r\nX: y" => 400, 'CR LF'],
    ["http://127.0.0.1:7547/\x00" => 400, 'a null character'],
    ["http://127.0.0.1:7547/\x7f" => 400, 'DEL'],
    ['http://127.0.0.1:7547/"' => 400, 'a quote'],
    ['http://user:pw@127.0.0.1:7547/' => 400, 'userinfo'],
    ['http://user@127.0.0.1:7547/' => 400, 'userinfo'],
    ['http://127.0.0.1:7547/#x' => 400, 'a fragment'],
    ['https://127.0.0.1/' => 400, 'https'],
    ['ftp://127.0.0.1/' => 400, 'ftp'],
    ['gopher://127.0.0.1/' => 400, 'gopher'],
    ['//127.0.0.1/' => 400, 'no scheme'],
    ['127.0.0.1:7547' => 400, 'no URL'],
    ['http://0177.0.0.1/' => 400, 'octal'],
    ['http://2130706433/' => 400, 'an integer'],
    ['http://0x7f000001/' => 400, 'hexadecimal'],
    ['http://0x7f.0.0.1/' => 400, 'hexadecimal'],
    ['http://127.1/' => 400, 'short'],
    ['http://127.0.0.1./' => 400, 'a final dot'],
    ['http://127.0.0.256/' => 400, 'above 255'],
    ['http://127.0.0.01/' => 400, 'a leading zero'],
    ['http://[fe80::1%25eth0]/' => 400, 'a zone'],
    ['http://[::1/' => 400, 'no bracket'],
    ['http://::1/' => 400, 'no brackets'],
    ['http://127.0.0.1:0/' => 400, 'port 0'],
    ['http://127.0.0.1:65536/' => 400, 'port 65536'],
    ['http://127.0.0.1:-1/' => 400, 'port -1'],
    ['http://127.0.0.1:7547x/' => 400, 'port 7547x'],
    ['http://127.0.0.1\\@192.0.2.1/' => 400, 'a backslash'],
    ['http:///' => 400, 'no host'],
    ['http://127.0.0.1:7547/' . 'x' x 3000 => 400, 'too long'],
) {
    my ($url, $status, $name) = @$case;
    is($cidr->wake($url)->{status}, $status, "$name: $status");
}

is($cidr->wake('', args => "origin=http://127.0.0.1:7547/%0d%0aX:%20y")
   ->{status}, 400, 'CR LF, encoded');
is($cidr->wake('', args => "origin=http://127.0.0.1:7547/%250d%250aX")
   ->{status}, 400, 'and encoded twice');
is($cidr->wake('', args => 'origin=http://127.0.0.1:7547/%zz')->{status}, 400,
   'no escape');
is($cpe->seen->{connections}, 0, 'the CPE has not been called for any');

my $six = eval { Fieldgate::ConnectionRequest->new(host => '::1') };

SKIP: {
    skip 'this machine has no IPv6', 2 unless $six;
    is($cidr->wake($six->url)->{status}, 200, 'an IPv6 CPE');
    like($six->seen->{requests}[0]{headers}{host}, qr/^\[::1\]:\d+$/, 'host');
}

is($cidr->wake($cpe->url)->{status}, 200, 'an allowed one');
is($cidr->wake('http://[::ffff:127.0.0.1]:' . $cpe->port . '/secret-path')
   ->{status}, 200, 'and as a mapped address');

# a signature does not help where the built-in rules refuse

is(at('/signed')->wake($cpe->url, more => $sig)->{status}, 403,
   'loopback, signed: refused unless a CIDR names it');

# 3 and 4: credentials stay with the CPE that the ACS meant

my $rogue = Fieldgate::ConnectionRequest->new(auth => 'none');
$cpe->set(status => 302, headers => ['Location: ' . $rogue->url]);
is($acs->wake($cpe->url, more => $sig)->{status}, 502, 'a redirect');
is($rogue->seen->{connections}, 0, 'is not followed');

$rogue = Fieldgate::ConnectionRequest->new(auth => 'basic');
is($acs->wake($rogue->url, more => signed($rogue->url))->{status}, 401,
   'a CPE that wants Basic');
unlike($rogue->seen->{requests}[-1]{text}, qr/authorization/i,
       'does not get it');

# 6: user names

$cpe->set(status => 200, headers => []);

for my $pair (["a\", uri=\"/evil", 'x'], ["x\\", 'y']) {
    $rogue = Fieldgate::ConnectionRequest->new(user => $pair->[0],
                                               password => $pair->[1]);
    is($acs->wake($rogue->url, more => signed($rogue->url),
                  user => $pair->[0], password => $pair->[1])->{status}, 200,
       "user name $pair->[0] stays one");
}

for my $user ("a\r\nX: y", "a\nb", "a\x00b", "\x7f") {
    $cpe->clear;
    is($acs->wake($cpe->url, more => $sig, user => $user)->{status}, 401,
       'a user name with a control character');
    is($cpe->seen->{connections}, 0, 'goes nowhere');
}

for my $auth ('Basic', 'Basic ', 'Basic !!!', 'Basic bm9jb2xvbg==',
              'Bearer x', 'Digest username="a"', '')
{
    is($acs->wake($cpe->url, more => $sig, auth => $auth)->{status}, 401,
       "Authorization \"$auth\"");
}

# credentials that nginx holds

my $held = at('/held');
my $r = $held->wake($cpe->url, more => $sig, auth => undef);
is($r->{status}, 200, 'cwmp_credentials');
is($held->wake($cpe->url, more => $sig, auth => 'Bearer x')->{status}, 200,
   'whatever the ACS sends');
unlike(join('', map { $_->{text} } @{$cpe->seen->{requests}}), qr/Bearer/,
       'which the CPE does not get');
$rogue = Fieldgate::ConnectionRequest->new(password => 'other');
$r = $held->wake($rogue->url, more => signed($rogue->url), auth => undef);
is($r->{status}, 502, 'credentials of ours that are wrong');
ok(!exists $r->{headers}{'www-authenticate'}, 'are not asked of the ACS');

my $unknown = at('/unknown');
$cpe->clear;
is($unknown->wake($cpe->url, more => $sig)->{status}, 502,
   'no credentials are known');
is(join(' ', map { $_->{verdict} } @{$cpe->seen->{requests}}), 'challenge',
   'and none are tried');
$rogue = Fieldgate::ConnectionRequest->new(auth => 'none');
is($unknown->wake($rogue->url, more => signed($rogue->url))->{status}, 200,
   'which matters only if the CPE wants some');

my $door = at('/door');
$cpe->clear;
$r = $door->wake($cpe->url, more => $sig);
is($r->{status}, 401, 'auth_basic in the same location');
is_deeply($r->{headers}{'www-authenticate'}, ['Basic realm="door"'],
          'asks for credentials of its own');
is($cpe->seen->{connections}, 0, 'before the CPE is called');
is($door->wake($cpe->url, more => $sig, user => 'acs-server',
               password => 'opener')->{status}, 200, 'and lets the ACS in');

# 10: names

my $names = at('/names');
my $p = $cpe->port;

for my $case (
    ['good.example' => 200, 'resolves to an allowed address'],
    ['GOOD.Example' => 200, 'in any case'],
    ['bad.example' => 403, 'resolves to another one'],
    ['mixed.example' => 403, 'resolves to one of each'],
    ['metadata.example' => 403, 'resolves to one denied'],
    ['unknown.example' => 503, 'does not exist'],
    ['none.example' => 503, 'has no address'],
    ['good.other' => 403, 'does not match'],
    ['example' => 403, 'does not match either'],
) {
    my ($host, $status, $name) = @$case;
    my $url = "http://$host:$p/secret-path";
    is($names->wake($url, more => signed(lc $url))->{status}, $status,
       "$host $name");
}

my $url = "http://silent.example:$p/secret-path";
is(at('/unresolved')->wake($url, more => signed($url))->{status}, 503,
   'a name server that says nothing');
is($cpe->seen->{requests}[-1]{headers}{host}, "good.example:$p",
   'the CPE is called by its name');

# a name that moves: the address that was checked is called, in both legs

my $inner = Fieldgate::ConnectionRequest->new(host => '127.0.0.9', port => $p,
                                              auth => 'none');
my $moving = Fieldgate::ConnectionRequest->new(after401 => 'drop');
my $bait = Fieldgate::ConnectionRequest->new(host => '127.0.0.9',
                                             port => $moving->port);
$url = 'http://rebound.example:' . $moving->port . '/cr';

is($names->wake($url, more => signed($url))->{status}, 200,
   'a name that is about to move');
is($moving->seen->{connections}, 2, 'is called twice where it was checked');
wait_for(sub { $names->wake($url, more => signed($url))->{status} == 403 },
         'the name to have moved');
is($bait->seen->{connections}, 0, 'and never where it moved to');
is($inner->seen->{connections}, 0, 'nor is any other forbidden address');

# a name with two addresses, at one of which nobody listens

for my $path (1 .. 6) {
    $url = "http://two.example:$p/secret-path/$path";
    is($names->wake($url, more => signed($url))->{status}, 200,
       'the second address is tried when the first is refused');
}

# cwmp_bind

$rogue = Fieldgate::ConnectionRequest->new(auth => 'none', host => "0.0.0.0");
is(at('/bound')->wake('http://127.0.0.1:' . $rogue->port . '/')->{status}, 200,
   'cwmp_bind');
is($rogue->seen->{requests}[0]{peer}, '127.0.0.77',
   'is where the call is from');

# equal wake-ups share a call only where it would be the same call

my $shared = Fieldgate::ConnectionRequest->new(auth => 'none', hold => 1,
                                               host => '0.0.0.0');
$url = 'http://good.example:' . $shared->port . '/cr';
my $first = $names->begin($url, more => signed($url));
$shared->wait_for(requests => 1);
my @sockets = map { scalar $acs->to_worker($_) } $t->pids;
my @strict = map { at('/strict')->begin($url, more => signed($url),
                                        socket => $_) } @sockets;
$acs->settle;
$shared->set(hold => 0);
is($acs->end($_)->{status}, 403,
   'where a name may not lead to that address, no answer from there is told')
    for @strict;
is($names->end($first)->{status}, 200, 'but where it may');

$shared->wait_for(closed => 1);
$shared->clear->set(hold => 1);
$url = 'http://127.0.0.1:' . $shared->port . '/cr';
$first = $cidr->begin($url);
$shared->wait_for(requests => 1);
my $bound = at('/bound')->begin($url, socket => $sockets[0]);
$acs->settle;
$shared->set(hold => 0);
is($acs->end($bound)->{status}, 200, 'a call from another address');
is($cidr->end($first)->{status}, 200, 'is another call');
is(join(' ', map { $_->{peer} } @{$shared->seen->{requests}}),
   '127.0.0.1 127.0.0.77', 'and made as well');

# 11: limits of nginx's own

my $limited = at('/limited');
is($limited->wake($cpe->url)->{status}, 200, 'limit_req: the first');
is($limited->wake($cpe->url)->{status}, 429, 'limit_req: the second');

# 14: what is logged

my $log = $t->error_log . Fieldgate::Env::read_file($t->path('wakeup.log'));
unlike($log, qr/secret-path/, 'no path of a CPE in a log');
unlike($log, qr/s3c:ret|YWNzO/, 'no password');
unlike($log, qr/sig=/, 'no signature');
like($log, qr/limiting requests.*request: "GET"/,
     'nor what other modules log');
like($log, qr/\[warn\].*wake-up refused: origin \S.*client: 127\.0\.0\.1/,
     'a malformed origin is');

# 15: what the ACS is told does not depend on what the CPE sends

my %seen;

for my $reply ("HTTP/1.1 500 A\r\nX-Secret: 1\r\n\r\nsecret",
               "HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nabc",
               "HTTP/1.1 301 Moved\r\nLocation: /x\r\n\r\n",
               "220 ftp\r\n", "HTTP/1.1 999 x\r\n\r\n")
{
    $cpe->set(reply => $reply);
    $r = $acs->wake($cpe->url, more => $sig);
    (my $head = $r->{head}) =~ s/^Date:.*\r\n//m;
    $seen{"$head$r->{body}"}++;
}

is(scalar keys %seen, 1, 'all that is wrong looks the same');
like((keys %seen)[0], qr/^HTTP\/1\.1 502 /, 'it is 502');

done_testing;
