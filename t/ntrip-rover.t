# The side of the rovers: requests however they come, the replies byte for byte,
# positions however they are sent, the end of sessions, slow rovers, the log.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Env qw(read_file);
use Fieldgate::Ntrip;
use Fieldgate::Provider qw(frame frame_read);
use Fieldgate::Rovers;
use IO::Socket::IP;
use MIME::Base64 qw(encode_base64);
use Socket qw(INADDR_LOOPBACK pack_sockaddr_in SOL_SOCKET SO_RCVBUF IPPROTO_TCP
              TCP_NODELAY);
use Time::HiRes qw(sleep);

my $n = Fieldgate::Ntrip->new(
    users => 90, accounts => 4, workers => 2, provider => { rate => 20 },
    stream => "log_format ntrip '\$ntrip_user|\$ntrip_mount|\$ntrip_agent|"
              . "\$ntrip_version|\$ntrip_result|\$ntrip_position|"
              . "\$ntrip_source|\$ntrip_messages';\n"
              . 'access_log %%DIR%%/access.log ntrip;',
    server => 'listen [::1]:%%PORT:caster%%; ntrip_source_linger 100ms;'
              . ' ntrip_gga_interval 100ms; ntrip_mount FIXED gga=off;',
    others => { login => 'ntrip_login_timeout 1s;',
                position => 'ntrip_position_timeout 2s;' });
my ($t, $provider) = ($n->nginx, $n->provider);

my $gga = '$GPGGA,120000.00,4806.00000,N,01136.00000,E,4,12,0.8,500.0,M,'
          . '47.0,M,1.0,0001*46';
my $ok = "ICY 200 OK\r\n\r\n";
my $user = 0;

sub basic { 'Basic ' . encode_base64("$_[0]:$_[1]", '') }

# of the next user, who was never here before

sub request {
    my ($mount, %opt) = @_;
    $user++;
    my $auth = $opt{auth} // basic("u$user", "p$user");
    return "GET /$mount HTTP/1.0\r\nUser-Agent: NTRIP test\r\n"
           . "Authorization: $auth\r\n\r\n";
}

# sends pieces, each in a segment of its own; returns the socket

sub pieces { pieces_to('caster', @_) }

sub pieces_to {
    my ($port, @pieces) = @_;
    my $s = $t->connect($port);
    setsockopt $s, IPPROTO_TCP, TCP_NODELAY, 1;

    while (@pieces) {
        syswrite $s, shift @pieces;
        sleep 0.002 if @pieces;
    }

    return $s;
}

# the first bytes, until the first message is whole

sub fed {
    my ($s, $head) = @_;
    return Fieldgate::read_all($s, qr/^\Q$head\E\xd3(?s:.{119})/);
}


# ---- requests ----

my $r = request('M0');
like(fed(pieces(split(//, $r), "$gga\r\n"), $ok), qr/^ICY/,
     'a request byte by byte');
like(fed(pieces(request('M0') . "$gga\r\n"), $ok), qr/^ICY/,
     'a position in the segment of the request');
like(fed(pieces(request('M0') . substr($gga, 0, 20),
                substr($gga, 20) . "\r\n"), $ok), qr/^ICY/,
     'half a position in it');
like(fed(pieces(request('m0') . "$gga\r\n"), $ok), qr/^ICY/,
     'a mountpoint in lower case');
like(fed(pieces(request('FIXED')), $ok), qr/^ICY/, 'gga=off: no position');

($r = request('M0')) =~ s/\r\n/\n/g;
like(fed(pieces("$r$gga\n"), $ok), qr/^ICY/, 'LF instead of CRLF');
($r = request('M0')) =~ s/(User-Agent|Authorization|Basic)/\U$1/g;
like(fed(pieces("$r$gga\r\n"), $ok), qr/^ICY/, 'headers in upper case');
($r = request('M0')) =~ s/(User-Agent|Authorization|Basic)/\L$1/g;
like(fed(pieces("$r$gga\r\n"), $ok), qr/^ICY/, 'headers in lower case');
($r = request('M0')) =~ s/User-Agent: .*\r\n//;
like(fed(pieces("$r$gga\r\n"), $ok), qr/^ICY/, 'no User-Agent');
($r = request('M0')) =~ s{GET /}{GET http://caster.example:2101/};
like(fed(pieces("$r$gga\r\n"), $ok), qr/^ICY/, 'a whole URL');
($r = request('M0')) =~ s{/M0}{/M0?x=1};
like(fed(pieces("$r$gga\r\n"), $ok), qr/^ICY/, 'a query');
($r = request('M0')) =~ s{HTTP/1.0\r\n}{HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n};
like(fed(pieces("$r$gga\r\n"), $ok), qr/^ICY/,
     'HTTP/1.1 without Ntrip-Version is NTRIP 1.0');
($r = request('M0')) =~ s{\r\n\r\n}{\r\nNtrip-Version: Ntrip/1.0\r\n\r\n};
like(fed(pieces("$r$gga\r\n"), $ok), qr/^ICY/, 'and so is what says it is');

my $six = IO::Socket::IP->new(PeerHost => '::1',
                              PeerPort => $t->port('caster'));
SKIP: {
    skip 'no IPv6 on this host', 1 unless $six;
    syswrite $six, request('M0') . "$gga\r\n";
    like(fed($six, $ok), qr/^ICY/, 'IPv6');
    close $six;
}


# ---- tables and errors ----

my $product = 'NTRIP Fieldgate/1.0.0';
my $date = '\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT';
my $v2 = "Ntrip-Version: Ntrip/2.0\r\n";

sub table_is {
    my ($name, $request, $head) = @_;
    my $reply = $t->exchange('caster', "$request\r\n");
    my ($length) = $reply =~ /\r\nContent-Length: (\d+)\r\n/;

    like($reply, qr/^$head/, "$name: its head");
    my ($body) = $reply =~ /\r\n\r\n(.*)\z/s;
    is(length $body, $length, "$name: its length");
    like($body, qr/^STR;FIXED;[^\r]*\r\nSTR;M0;[^\r]*\r\nENDSOURCETABLE\r\n\z/,
         "$name: its lines");
}

my $table = "SOURCETABLE 200 OK\r\nServer: $product\r\nDate: $date\r\n"
            . "Connection: close\r\nContent-Type: text/plain\r\n";
table_is('the table', "GET / HTTP/1.0\r\n", $table);
table_is('an unknown mountpoint', "GET /NONE HTTP/1.0\r\n", $table);
table_is('the table of gpsd', "GET / HTTP/1.1\r\nHost: x\r\n", $table);
table_is('the table in 2.0', "GET / HTTP/1.1\r\n$v2",
         "HTTP/1.1 200 OK\r\nNtrip-Version: Ntrip/2.0\r\nServer: $product\r\n"
         . "Date: $date\r\nConnection: close\r\n"
         . "Content-Type: gnss/sourcetable\r\n");

sub error_is {
    my ($name, $request, $status, $more) = @_;
    my $reply = $t->exchange('caster', $request);
    my ($length) = $reply =~ /\r\nContent-Length: (\d+)\r\n/;

    like($reply, qr/^\Q$status\E\r\n/, "$name: $status");
    like($reply, $more, "$name: its header");
    my ($body) = $reply =~ /\r\n\r\n(.*)\z/s;
    is(length($body // ''), $length // 0, "$name: its length");
}

my $realm = qr/\r\nWWW-Authenticate: Basic realm="\/M0"\r\n/;
my $none = request('M0') =~ s/Authorization: .*\r\n//r;
error_is('no credentials', $none, 'HTTP/1.0 401 Unauthorized', $realm);
error_is('no credentials in 2.0', $none =~ s/\r\n\r\n/\r\n$v2\r\n/r,
         'HTTP/1.1 401 Unauthorized', $realm);
error_is('a wrong password', request('M0', auth => basic('u1', 'x')),
         'HTTP/1.0 401 Unauthorized', $realm);
error_is('an unknown user', request('M0', auth => basic('nobody', 'x')),
         'HTTP/1.0 401 Unauthorized', $realm);
error_is('credentials that are none', request('M0', auth => 'Basic !'),
         'HTTP/1.0 401 Unauthorized', $realm);
error_is('an unknown mountpoint in 2.0',
         "GET /NONE HTTP/1.1\r\n$v2\r\n", 'HTTP/1.1 404 Not Found',
         qr/\r\nNtrip-Version: Ntrip\/2.0\r\n/);
is($t->exchange('caster', "SOURCE pw /M0\r\nSource-Agent: NTRIP x\r\n\r\n")
   =~ /^(?:ERROR|HTTP)/, 1, 'a base is told that it is not served');

# a login that is not finished, byte after byte

my $trickle = pieces_to('login', "GET /M0 HTTP/1.0\r\nX: ");
my $closed = 0;
$trickle->blocking(0);
wait_for(sub { syswrite $trickle, 'x' if !$closed;
               my $got = sysread $trickle, my $buf, 100;
               $closed = defined $got || !$!{EAGAIN} },
         'the end of the login');
ok($t->wait_log(qr/ntrip request is not complete/),
   'ntrip_login_timeout counts from the connection on');


# ---- positions ----

# the rovers so far have gone; what comes up is of this one

sub quiet { $provider->wait_for(sub { shift->{open} == 0 }) }

sub position {
    my ($name, $sent, $expected) = @_;
    quiet();
    my $before = @{$provider->seen->{gga}};
    my $s = pieces(request('M0'), ref $sent ? @$sent : $sent);
    my $up = $provider->wait_for(gga => $before + 1)->{gga}[$before]{line};
    is($up, "$expected\r", $name);
    fed($s, $ok);
}

sub sum {
    my $sum = 0;
    $sum ^= $_ for unpack 'C*', substr $_[0], 1;
    return sprintf '%s*%02X', $_[0], $sum;
}

my $rest = '1,08,1.0,10.0,M,0.0,M,,';
my $rmc = sum('$GPRMC,120000,A,4806.0,N,01136.0,E,0,0,211126,,');

position('behind other sentences', "$rmc\r\n\$PUBX,00*33\r\n$gga\r\n", $gga);
position('behind binary', "\xb5\x62\x01\x07\0\0$gga\r\n", $gga);
position('in pieces', [split /(?<=,)/, "$gga\r\n"], $gga);
position('LF only', "$gga\n", $gga);
position('no checksum', "\$GNGGA,1,4806.0,N,01136.0,E,$rest\r\n",
         sum("\$GNGGA,1,4806.0,N,01136.0,E,$rest"));
position('no fix before',
         sum('$GNGGA,,,,,,0,00,99.99,,,,,,') . "\r\n$gga\r\n", $gga);
position('a wrong checksum', substr($gga, 0, -2) . "00\r\n", $gga);
position('one digit of it', substr($gga, 0, -1) . "\r\n", $gga);
position('minutes of 60',
         '$GPGGA,161309.57,4760.0000000,N,01160.0000000,E,1,00,1.0,-15.988,M,'
         . "15.988,M,0.0,*57\r\n",
         sum('$GPGGA,161309.57,4800.0000000,N,01200.0000000,E,1,00,1.0,'
             . '-15.988,M,15.988,M,0.0,'));
position('blanks', "\$GPGGA,1, 4806.0 ,N, 01136.0 ,E,$rest*00\r\n",
         sum("\$GPGGA,1,4806.0,N,01136.0,E,$rest"));
position('decimal commas',
         "\$GPGGA,1,0,4806,0,N,01136,0,E,1,08,1,0,10,0,M,0,0,M,,\r\n",
         sum("\$GPGGA,1.0,4806.0,N,01136.0,E,$rest"));
position('out of range before', "\$GPGGA,1,9106.0,N,01136.0,E,$rest\r\n"
         . "$gga\r\n", $gga);
like($t->error_log,
     qr/ntrip rover sends a position that cannot be used: latitude.*client:/,
     'and what of it, in the log');
position('the equator', sum("\$GPGGA,1,0000.0000,N,00000.0000,E,$rest")
         . "\r\n", sum("\$GPGGA,1,0000.0000,N,00000.0000,E,$rest"));
position('longer than NMEA says',
         sum("\$GPGGA,120000.00,4806.0000000,N,01136.0000000,E,4,12,0.8,"
             . '500.0000,M,47.0000,M,1.0,0001') . "\r\n",
         sum("\$GPGGA,120000.00,4806.0000000,N,01136.0000000,E,4,12,0.8,"
             . '500.0000,M,47.0000,M,1.0,0001'));

# two sides of the date line are near

quiet();
my $logins = $provider->seen->{logins};
my $rovers = $n->rovers();
$rovers->add($n->rover(++$user, lat => -17, lon => 179.99))->wait_for(fed => 1);
$rovers->add($n->rover(++$user, lat => -17, lon => -179.99));
$rovers->wait_for(fed => 2);
is($provider->seen->{logins}, $logins + 1, 'two sides of the date line share');
$rovers->stop;

# none at all: two timeouts of others, for which one without a fix stays

my $waiting = pieces_to('position', request('M0'));
for (1, 2) {
    my $silent = pieces_to('position', request('M0'));
    my ($got, $buf);
    $silent->blocking(0);
    wait_for(sub {
        syswrite $waiting, sum('$GNGGA,,,,,,0,00,99.99,,,,,,') . "\r\n";
        $got = sysread $silent, $buf, 100;
        return defined $got && $got == 0;
    }, 'the end of a rover that sends no position');
}
like($t->error_log, qr/ntrip rover sends no position/,
     'no position in time: closed, and the log says why');
syswrite $waiting, "$gga\r\n";
like(fed($waiting, $ok), qr/^ICY/, 'no fix for two timeouts: the rover stays');
close $waiting;


# ---- the end of sessions ----

# the same user again, in whichever worker

$rovers = $n->rovers();
my $login = 0;
for my $again (1 .. 6) {
    my $id = "x$again";
    $rovers->add($n->rover(90, id => $id));
    my $seen = $rovers->wait_for(sub {
        my $s = shift->{rovers};
        $s->{$id}{messages}
            && !grep { $_ ne $id && $s->{$_}{state} ne 'closed' } keys %$s;
    });
    is($seen->{open}, 1, "login $again of a user throws the one before out")
        if $again > 1;
}
is("@{$rovers->seen->{errors}}", '', 'at the end of a message');
like($t->error_log, qr/thrown out by a later login/, 'the log says so');
$rovers->stop;

# the account of the rover changes

$n->sql("INSERT INTO user (name, password) VALUES ('gone', 'p'),"
        . " ('other', 'p'), ('later', 'p'), ('stays', 'p');");
$rovers = $n->rovers();
for my $name (qw(gone other later stays)) {

    # one will expire, once it has got in

    wait_for(sub {
        my $r = $rovers->seen->{rovers}{$name} // {};
        return 1 if $r->{messages};
        return 0 if ($r->{state} // '') =~ /^(?:data|head)$/;
        $n->sql("UPDATE user SET expires_at = strftime('%s', 'now') + 4"
                . " WHERE name = 'later';") if $name eq 'later';
        $rovers->add({ user => $name, password => 'p', mount => 'M0',
                       lat => 48.1, lon => 11.6 });
        return 0;
    }, "the new user $name to be fed");
}

$n->sql("DELETE FROM user WHERE name = 'gone';"
        . "UPDATE user SET password = 'q' WHERE name = 'other';"
        . "UPDATE user SET note = 'x' WHERE name = 'stays';");
my $seen = $rovers->wait_for(sub {
    my $s = shift->{rovers};
    !grep { $s->{$_}{state} ne 'closed' } qw(gone other later);
});
is($seen->{rovers}{stays}{state}, 'data', 'who is deleted, has expired or has '
   . 'another password is out, others stay');
like($t->error_log, qr/was deleted, has expired, .* or has another password/,
     'the log says so');
like($t->error_log, qr/ntrip user has expired/, 'of expiry as well');
error_is('the old password', request('M0', auth => basic('other', 'p')),
         'HTTP/1.0 401 Unauthorized', $realm);
$rovers->stop;

# passwords that are hashes are compared in the thread pool

my $hash = crypt 'geheim', '$6$saltsalt$';
$n->sql("INSERT INTO user (name, password) VALUES ('hashed', '$hash');");
ok(wait_for(sub {
       my $s = pieces(request('M0', auth => basic('hashed', 'geheim'))
                      . "$gga\r\n");
       return Fieldgate::read_all($s, qr/^(?:HTTP|ICY 200 OK\r\n\r\n\xd3)/)
              =~ /^ICY/;
   }, 'the hashed user to be known'), 'a hashed password');

# ---- logs ----

my $line = qr/^u1\|M0\|NTRIP[ ]test\|1\|[^|]+\|[^|]*48\.1[^|]*\|
              a\d\@127\.0\.0\.1:\d+[^|]*\|\d+$/mx;
wait_for(sub { read_file($t->path('access.log')) =~ $line },
         'the access log');
unlike(read_file($t->path('access.log')) . $t->error_log,
       qr/\bp\d+\b|\bs\d\b|geheim|\$6\$/, 'no password in a log');
$t->stop;


# ---- slow rovers ----

for my $how ('skip', 'close') {
    my $n = Fieldgate::Ntrip->new(
        users => 2, accounts => 1, workers => 1,
        provider => { rate => 100, epoch => 10, size => 1000 },
        server => "ntrip_slow_rover $how; ntrip_max_age 300ms;",
        others => { patient => 'ntrip_max_age 300s;' });
    my ($t, $provider) = ($n->nginx, $n->provider);

    my $slow = IO::Socket::INET->new(Proto => 'tcp');
    setsockopt $slow, SOL_SOCKET, SO_RCVBUF, 4096;
    $slow->connect(pack_sockaddr_in($t->port('caster'), INADDR_LOOPBACK))
        or die "connect: $!";
    syswrite $slow, "GET /M0 HTTP/1.0\r\nUser-Agent: NTRIP slow\r\n"
                    . 'Authorization: ' . basic('u2', 'p2')
                    . "\r\n\r\n$gga\r\n";
    my $buf = Fieldgate::read_all($slow, qr/^ICY 200 OK\r\n\r\n/);
    substr $buf, 0, length $ok, '';

    # a fast one gets all, while the slow one reads nothing

    my $fast = Fieldgate::Rovers->new(port => $t->port('patient'),
                                      rovers => [$n->rover(1)]);
    my $seen = $fast->wait_for(messages => 400);
    is("@{$seen->{errors}}", '', "$how: others lose nothing");

    # then it reads again: whole messages, in order, and new ones

    my ($last, $skipped, $wrong, $open) = (undef, 0, 0);

    $slow->blocking(0);
    wait_for(sub {
        my $got;
        1 while $got = sysread $slow, $buf, 65536, length $buf;
        $open = !defined $got && $!{EAGAIN} ? 1 : 0;
        while (length $buf >= 1000) {
            my $frame = substr $buf, 0, 1000, '';
            my ($login, $seq) = frame_read($frame);
            $wrong++ if $frame ne frame($login, $seq, 1000)
                        || defined $last && $seq <= $last;
            $skipped += $seq - $last - 1 if defined $last;
            $last = $seq;
        }
        return !$open || defined $last && $last > 400 && $how eq 'skip';
    }, 'the slow rover to be up to date, or closed');

    is($open, $how eq 'skip' ? 1 : 0, "$how: whether the slow one stays");
    is($wrong, 0, "$how: what the slow one gets is whole and in order");
    if ($how eq 'skip') {
        cmp_ok($skipped, '>', 100, 'skip: what was old was skipped');
    } else {
        is($skipped, 0, 'close: nothing was skipped');
        like($t->error_log, qr/ntrip session ended: slow, \d+ messages/,
             'close: the log says why');
    }
    is($provider->seen->{logins}, 1, "$how: the provider noticed nothing");
    $fast->stop;
    $t->stop;
}

done_testing();
