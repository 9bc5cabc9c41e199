# Every dialect of CPE: what is sent to each, and what the ACS is told.

use lib 't/lib';
use Fieldgate;
use Fieldgate::ConnectionRequest;
use Fieldgate::Wakeup;

my $t = Fieldgate->new(workers => 2, http => <<'END');
    cwmp_zone cwmp:1m;

    server {
        listen 127.0.0.1:%%PORT:acs%%;

        cwmp_origin_allow 127.0.0.1;

        location = /client {
            cwmp_connection_request;
            cwmp_timeout 150s;
        }

        location = /basic {
            cwmp_connection_request;
            cwmp_cpe_basic on;
            cwmp_timeout 150s;
        }

        location = /hasty {
            cwmp_connection_request;
            cwmp_timeout 1s;
        }

        location = /connect {
            cwmp_connection_request;
            cwmp_timeout 1d;
            cwmp_connect_timeout 300ms;
        }
    }
END
$t->start;

my $acs = Fieldgate::Wakeup->new($t);

my $sha = 'realm="%r", nonce="%n", opaque="%o", qop="auth", algorithm=SHA-256';
my $md5 = 'realm="%r", nonce="%n", opaque="%o", qop="auth", algorithm=MD5';

# name, switches of the CPE; then what is expected: status for the ACS (200),
# verdicts of the CPE ("challenge ok"), connections (1), more (sub)

my @cases = (

    # RFC 2069 to RFC 7616

    [ 'no qop', { qop => 'none' },
      more => sub { unlike($_[0], qr/qop|cnonce|nc=/, 'as in RFC 2069') } ],
    [ 'no qop, no opaque', { qop => 'none', opaque => undef } ],
    [ 'qop auth', { qop => 'auth' },
      more => sub { like($_[0], qr/qop=auth, nc=00000001|nc=00000001/,
                         'nc begins with 1') } ],
    [ 'qop auth-int only', { qop => 'auth-int' } ],
    [ 'qop auth,auth-int', { qop => 'auth,auth-int' },
      more => sub { like($_[0], qr/qop=auth\b(?!-)/, 'auth is chosen') } ],
    [ 'qop auth-int, auth', { qop => 'auth-int, auth' },
      more => sub { like($_[0], qr/qop=auth\b(?!-)/, 'auth is chosen') } ],
    [ 'qop in upper case',
      { challenges => ['Digest realm="%r", nonce="%n", opaque="%o", '
                       . 'qop="AUTH"'], accept => [''] } ],
    [ 'qop without quotes',
      { challenges => ['Digest realm="%r", qop=auth, nonce="%n", '
                       . 'opaque="%o"'], accept => [''] } ],
    [ 'MD5', { algorithm => 'MD5' },
      more => sub { like($_[0], qr/algorithm=MD5\b/, 'echoed') } ],
    [ 'no algorithm', {},
      more => sub { unlike($_[0], qr/algorithm/, 'not invented') } ],
    [ 'md5 in lower case', { algorithm => 'md5' } ],
    [ 'MD5 in quotes', { algorithm => '"MD5"' } ],
    [ 'MD5, last and without quotes',
      { challenges => ['Digest realm="%r", nonce="%n", qop="auth", '
                       . 'opaque="%o", algorithm=MD5'], accept => ['MD5'] } ],
    [ 'MD5-sess', { algorithm => 'MD5-sess' } ],
    [ 'SHA-256', { algorithm => 'SHA-256' } ],
    [ 'SHA-256-sess', { algorithm => 'SHA-256-sess' } ],
    [ 'MD5-sess without qop', { algorithm => 'MD5-sess', qop => 'none' },
      more => sub { like($_[0], qr/cnonce=/, 'with a cnonce') } ],
    [ 'SHA-512/256', { algorithm => 'SHA-512-256' },
      status => 401, verdicts => 'challenge' ],
    [ 'an empty opaque', { opaque => '' },
      more => sub { like($_[0], qr/opaque=""/, 'is echoed') } ],

    # several challenges

    [ 'SHA-256, then MD5, in two fields',
      { challenges => ["Digest $sha", "Digest $md5"], accept => ['SHA-256'] } ],
    [ 'MD5, then SHA-256, in two fields',
      { challenges => ["Digest $md5", "Digest $sha"], accept => ['SHA-256'] } ],
    [ 'MD5 and SHA-256 in one field',
      { challenges => ["Digest $md5, Digest $sha"], accept => ['SHA-256'] } ],
    [ 'unknown, then MD5',
      { challenges => ['Digest realm="%r", nonce="%n", algorithm=FOO',
                       "Digest $md5"], accept => ['MD5'] } ],
    [ 'Basic, then Digest',
      { challenges => ['Basic realm="x"', "Digest $md5"],
        accept => ['MD5'] } ],
    [ 'Basic and Digest in one field',
      { challenges => ["Basic realm=\"x\", Digest $md5"],
        accept => ['MD5'] } ],
    [ 'Negotiate, NTLM, then Digest',
      { challenges => ['Negotiate', 'NTLM', "Digest $md5"],
        accept => ['MD5'] } ],
    [ 'NTLM only', { challenges => ['NTLM'] },
      status => 401, verdicts => 'challenge',
      log => qr/CPE sent no Digest challenge/ ],
    [ 'a 401 without any challenge', { challenges => [] },
      status => 401, verdicts => 'challenge' ],

    # spelling

    [ 'digest in lower case',
      { challenges => ["digest $md5"], accept => ['MD5'] } ],
    [ 'without commas, as netcwmp',
      { challenges => ['Digest qop="auth" nonce="%n" opaque="" realm="%r"'],
        accept => [''], opaque => '' } ],
    [ 'with tabs',
      { challenges => ["Digest\trealm=\"%r\",\tnonce = \"%n\",\tqop=\"auth\","
                       . "\topaque=\"%o\""], accept => [''] } ],
    [ 'domain="/noqop"',
      { challenges => ['Digest domain="/noqop", realm="%r", nonce="%n", '
                       . 'opaque="%o"'], accept => [''], qop => 'none' } ],
    [ 'a realm that has nonce=', { realm => 'my nonce="x' } ],
    [ 'a realm with a quote', { realm => 'a"b' } ],
    [ 'a realm with a backslash', { realm => 'a\\b' } ],
    [ 'cnonce before nonce',
      { challenges => ['Digest realm="%r", cnonce="zzz", nonce="%n", '
                       . 'opaque="%o", qop="auth"'], accept => [''] } ],

    # HTTP

    [ 'bare LF', { eol => "\n" } ],
    [ 'folded lines', { fold => 1 } ],
    [ 'folded lines, bare LF, as tr069agent', { fold => 1, eol => "\n" } ],
    [ 'tr069agent: neither a blank line nor a length nor a close',
      { fold => 1, eol => "\n", nofinal => 1, framing => 'none' },
      connections => 2 ],
    [ 'a 401 without length, closed in time',
      { framing => 'none', after401 => 'drop' }, connections => 2 ],
    [ 'a 401 without length, not closed', { framing => 'none' },
      connections => 2 ],
    [ 'a chunked 401', { framing => 'chunked', body401 => 'x' x 100 } ],
    [ 'a 401 with a body', { body401 => 'go away' } ],
    [ 'a 401 with a body of 100 kB', { body401 => 'x' x 100000 },
      connections => 2 ],
    [ 'a 401 with a length, but no body', { framing => 'lies' },
      connections => 2 ],
    [ 'a 401 with a duplicate length',
      { challenges => ["Digest $md5\r\nContent-Length: 7"],
        accept => ['MD5'] }, connections => 2 ],
    [ 'closes after the 401, and says so', { after401 => 'close' },
      connections => 2 ],
    [ 'closes after the 401 without saying so', { after401 => 'drop' },
      connections => 2 ],
    [ 'HTTP/1.0', { version => 'HTTP/1.0', after401 => 'drop' },
      connections => 2 ],
    [ 'HTTP/1.0 that keeps its connection open', { version => 'HTTP/1.0' },
      connections => 2 ],
    [ '100, then the reply',
      { reply_ok => "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n" } ],
    [ 'a body that never ends', { reply_ok => "HTTP/1.1 200 OK\r\n\r\n"
                                              . 'x' x 100000 } ],
    [ 'a body of 2 bytes, as netcwmp', { body => 'OK' } ],
    [ 'a reset before the first byte of a reply', { reset_first => 1 },
      verdicts => 'reset challenge ok', connections => 2 ],
    [ 'a close before the first byte of a reply', { drop_first => 1 },
      verdicts => 'dropped challenge ok', connections => 2 ],
    [ 'resets for ever', { reset_first => 9 },
      status => 503, verdicts => 'reset reset', connections => 2 ],
    [ 'one byte after the other',
      { drip => 1, auth => 'none' }, verdicts => 'ok' ],

    # nonces

    [ 'stale', { stale => 1 }, verdicts => 'challenge stale ok' ],
    [ 'stale for ever', { stale => 99 },
      status => 401, verdicts => 'challenge stale stale' ],

    # what it does not do

    [ 'Basic only', { auth => 'basic' },
      status => 401, verdicts => 'challenge' ],
    [ 'a redirect',
      { status => 302, headers => ['Location: http://127.0.0.1/'] },
      status => 502 ],
    [ '404', { status => 404 }, status => 502 ],
    [ '500', { status => 500 }, status => 502 ],
    [ '203', { status => 203 }, status => 502 ],
    [ 'no HTTP', { reply => "SSH-2.0-dropbear\r\n" },
      status => 502, verdicts => 'challenge' ],
    [ 'an endless header',
      { reply => "HTTP/1.1 200 OK\r\n", flood => "X-Y: z\r\n" },
      status => 502, verdicts => 'flood' ],
    [ 'a flood of 1xx',
      { reply => '', flood => "HTTP/1.1 100 Continue\r\n\r\n" },
      status => 502, verdicts => 'flood' ],
    [ 'a header that breaks off',
      { reply => "HTTP/1.1 200 O", after401 => 'drop' },
      status => 502, verdicts => 'challenge' ],
);

for my $case (@cases) {
    my ($name, $switches, %want) = @$case;

    my $cpe = Fieldgate::ConnectionRequest->new(path => '/x?y=1;z&c',
                                                %$switches);
    my $r = $acs->wake($cpe->url);
    my $seen = $cpe->seen;

    is($r->{status}, $want{status} // 200, "$name: status");
    is(join(' ', map { $_->{verdict} } @{$seen->{requests}}),
       $want{verdicts}
       // (($switches->{auth} // '') eq 'none' ? 'ok' : 'challenge ok'),
       "$name: what the CPE says");
    is($seen->{connections}, $want{connections} // 1, "$name: connections");

    for my $request (@{$seen->{requests}}) {
        is($request->{line}, 'GET /x?y=1;z&c HTTP/1.1', "$name: request line")
            if $request->{line} ne 'GET /x?y=1;z&c HTTP/1.1';
    }

    if ($want{more} && @{$seen->{requests}}) {
        $want{more}->($seen->{requests}[-1]{headers}{authorization} // '');
    }

    is_deeply($r->{headers}{'www-authenticate'}, ['Basic realm="cwmp"'],
              "$name: challenge for the ACS") if $r->{status} == 401;

    like($t->error_log, qr/\[info\].*$want{log}.*CPE: \Q@{[$cpe->hostport]}\E$/m,
         "$name: why, in the log") if $want{log};

    $cpe->stop;
}

# Basic towards the CPE, where it is allowed

my $cpe = Fieldgate::ConnectionRequest->new(auth => 'basic');
my $basic = Fieldgate::Wakeup->new($t, path => '/basic');
is($basic->wake($cpe->url)->{status}, 200, 'cwmp_cpe_basic');
is($cpe->seen->{requests}[-1]{verdict}, 'basic', 'Basic is sent');
unlike($cpe->seen->{requests}[0]{text}, qr/authorization/i,
       'not without being asked');
is($basic->wake($cpe->url, password => 'wrong')->{status}, 401,
   'and its refusal relayed');

$cpe = Fieldgate::ConnectionRequest->new(
    challenges => ['Basic realm="x"', "Digest $md5"], accept => ['MD5']);
is($basic->wake($cpe->url)->{status}, 200, 'a CPE that offers both');
is($cpe->seen->{requests}[-1]{verdict}, 'ok', 'gets Digest even so');

# unusual credentials

for my $pair (['user', 'pass:word'], ["us\"er\\", 'x'],
              ["\xc3\xbcser", "p\xc3\xa4ss"], ['', ''], ['a, b=c', '"'])
{
    my ($user, $password) = @$pair;
    $cpe = Fieldgate::ConnectionRequest->new(user => $user,
                                             password => $password);
    is($acs->wake($cpe->url, user => $user, password => $password)->{status},
       200, "credentials \"$user\", \"$password\"");
}

# silence in three places

my $hasty = Fieldgate::Wakeup->new($t, path => '/hasty');

for my $where ('connect', 'request') {
    $cpe = Fieldgate::ConnectionRequest->new(silent => $where);
    my $r = $hasty->wake($cpe->url);
    is($r->{status}, 503, "silent after $where: offline");
    cmp_ok($r->{time}, '>=', 0.9, 'not before the deadline');
    $cpe->wait_for(closed => 1) if $where eq 'request';
}

$cpe = Fieldgate::ConnectionRequest->new(
    reply_ok => "HTTP/1.1 200 OK\r\nX-", after_ok => 'keep');
is($hasty->wake($cpe->url)->{status}, 503, 'silent in the second header');

# a CPE, or a firewall, that drops packets: a full queue of connections does

my $full = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1)
    or die "listen: $!\n";
my @fill = map { IO::Socket::INET->new(PeerAddr => '127.0.0.1', Blocking => 0,
                                       PeerPort => $full->sockport) } 1 .. 4;
my $r = Fieldgate::Wakeup->new($t, path => '/connect')
                         ->wake('http://127.0.0.1:' . $full->sockport . '/');
is($r->{status}, 503, 'cwmp_connect_timeout: offline, before cwmp_timeout');

# nobody there

is($acs->wake('http://127.0.0.1:' . free_port() . '/')->{status}, 503,
   'refused: offline');

unlike($t->error_log, qr/\[(warn|error)\]/,
       'what CPEs do is nothing to warn about');

done_testing;
