# The sourcetable: the provider's own, in place of lines of ours and with its
# mountpoints served; one in a file; lines of CAS and NET; filters of NTRIP 2.0.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Env qw(read_file write_file);
use Fieldgate::Ntrip;
use IO::Select;
use IO::Socket::INET;
use MIME::Base64 qw(encode_base64);
use Socket qw(SOL_SOCKET SO_RCVBUF);

# a provider whose table is what it is told, for streams frames of its own

my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 20)
    or die "listen: $!";
my $from = $listen->sockport;

my $n = Fieldgate::Ntrip->new(
    workers => 2, accounts => 1, users => 20, mounts => 0, start => 0,
    stream => <<'END', server => <<'SERVER', others => {
    ntrip_mount OWN gga=off;
    ntrip_source_timeout 5s;
END
    ntrip_sourcetable upstream;
    ntrip_sourcetable_valid 2s;
SERVER
        file => 'ntrip_sourcetable file %%DIR%%/table;'
                . 'ntrip_sourcetable_line "CAS;own.example;2101;Own" '
                . '"NET;Own;Own;B;N;none;none;none";',
        off => 'ntrip_sourcetable off;' });
my $t = $n->nginx;
$n->sql("UPDATE source SET port = $from; UPDATE user SET mounts = 'MU*,own'"
        . " WHERE name = 'u2'");

my $lines = join '', map { sprintf
    "STR;NET%04d;Place %04d;RTCM 3.2;1005(10),1077(1);2;GPS+GLO;Net;DEU;"
    . "%.4f;%.4f;%d;%d;Generator;none;N;N;9600;none\r\n", $_, $_,
    47 + $_ / 1000, 10 + $_ / 1000, $_ % 2, $_ % 2 } 1 .. 2600;
my $table = "CAS;provider.example;2101;Provider;X;1;DEU;50;8;0.0.0.0;0;x\r\n"
            . "NET;Net;Provider;B;N;https://x.example;none;none;none\r\n"
            . "STR;MUC;;RTCM 3.2\r\n" . "STR;OWN;not this one\r\n$lines";

write_file($t->path('table'), "STR;FILED;x;;;;;;;;;0\r\n");
$t->start;

# the provider's next connection, and its request

sub asked {
    IO::Select->new($listen)->can_read($Fieldgate::Wait::Guard)
        or return;
    my $s = $listen->accept or die "accept: $!";
    $s->autoflush(1);
    my $request = Fieldgate::read_all($s, qr/\r\n\r\n/);
    return ($s, $request);
}

sub answer {
    my ($body) = @_;
    my ($s, $request) = asked();
    print $s "SOURCETABLE 200 OK\r\nContent-Type: text/plain\r\n\r\n$body";
    close $s;
    return $request;
}

sub table_of {
    my ($port, $path, $v2, $more) = @_;
    my $reply = $t->exchange($port, "GET /$path HTTP/1.1\r\n"
        . ($v2 ? "Ntrip-Version: Ntrip/2.0\r\n" : '')
        . "Host: caster.example:9\r\nUser-Agent: NTRIP t\r\n"
        . ($more // '') . "\r\n");
    my ($head, $body) = split /\r\n\r\n/, $reply, 2;
    my ($length) = $head =~ /Content-Length: (\d+)/;
    is(length $body, $length, "/$path: its length") if $head =~ / 200 /;
    return wantarray ? ($body, $head) : $body;
}

# as it is fetched: without credentials, refused, with the account

my ($s, $request) = asked();
like($request, qr{^GET / HTTP/1}, 'the provider is asked for its table');
unlike($request, qr/^Authorization:/mi, 'by nobody');
print $s "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic\r\n\r\n";
close $s;
($s, $request) = asked();
like($request, qr/^Authorization: Basic /mi, 'after a 401, with an account');
print $s "SOURCETABLE 200 OK\r\n\r\n${table}ENDSOURCETABLE\r\n";
close $s;

my ($body, $head);
wait_for(sub { ($head, $body) = split /\r\n\r\n/,
                   $t->exchange('caster', "GET / HTTP/1.0\r\n\r\n"), 2;
               $body =~ /NET2600/ }, 'the table');
like($head, qr/^SOURCETABLE 200 OK\r\n/, 'it is a table');
my ($cas, $own, $net, $muc) = split /\r\n/, $body;
my $at = $t->port('caster');
like($cas, qr/^CAS;127\.0\.0\.1;$at;/, 'which names this caster');
unlike($body, qr/provider\.example/, 'and not the provider\'s');
like($own, qr/^STR;OWN;OWN;/, 'with what is declared here');
unlike($body, qr/not this one/, 'which the provider\'s does not replace');
like($net, qr/^NET;Net;Provider;/, 'networks');
is($muc, 'STR;MUC;MUC;RTCM 3.2;;2;GPS+GLO+GAL+BDS;none;ZZZ;0.00;0.00;1;1;'
         . 'Fieldgate;none;B;N;0;none', 'lines that lack fields get them');
is(scalar(() = $body =~ /^STR;NET\d+;[^;]*(?:;[^;]*){12};B;N;9600;none\r$/mg),
   2600, 'and all mountpoints, for our users');
cmp_ok(length $body, '>', 280_000, 'whatever its size');
like(scalar table_of('caster', ''), qr/^CAS;caster\.example;$at;/,
     'by the name that the peer has asked for');

# a peer that takes it slowly gets it as well

my $slow = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $at)
    or die;
setsockopt $slow, SOL_SOCKET, SO_RCVBUF, 4096;
syswrite $slow, "GET / HTTP/1.0\r\n\r\n";
my $got = '';
1 while sysread $slow, $got, 3000, length $got;
like($got, qr/\r\nENDSOURCETABLE\r\n\z/, 'to its end for a slow one');
ok($got =~ s/^.*?\r\n\r\n//sr eq $body, 'as for all');

# its mountpoints are served

sub rover {
    my ($user, $mount) = @_;
    my $r = $t->connect('caster');
    my $auth = encode_base64("u$user:p$user", '');
    syswrite $r, "GET /$mount HTTP/1.0\r\nUser-Agent: NTRIP t\r\n"
                 . "Authorization: Basic $auth\r\n\r\n";
    return $r;
}

my $frame = Fieldgate::Provider::frame(1, 1, 120);
my $r = rover(1, 'net0002');
($s, $request) = asked();
while ($request =~ m{^GET / HTTP}) {
    print $s "SOURCETABLE 200 OK\r\n\r\n${table}ENDSOURCETABLE\r\n";
    close $s;
    ($s, $request) = asked();
}
like($request, qr{^GET /NET0002 HTTP}, 'a mountpoint of it, as it is spelled');
print $s "ICY 200 OK\r\n\r\n$frame";
like(Fieldgate::read_all($r, qr/\Q$frame\E/), qr/\r\n\r\n\Q$frame\E\z/,
     'its corrections come');
like($t->exchange('caster', "GET /NONE HTTP/1.1\r\n"
                            . "Ntrip-Version: Ntrip/2.0\r\n\r\n"),
     qr{^HTTP/1.1 404}, 'one that is not in it is none');

# over a reload: the table is there at once, and the rover stays

$t->reload(gone => 1);
like(scalar table_of('off', ''), qr/^STR;OWN;[^\n]*\nENDSOURCETABLE\r\n\z/,
     '"off" has none of it');
like(scalar table_of('caster', ''), qr/NET2600/, 'a new worker has it');
print $s $frame;
is(Fieldgate::read_all($r, qr/\Q$frame\E\z/), $frame, 'the rover goes on');
close $r;
close $s;

# filters of 2.0

my ($filtered, $flags) = table_of('caster', '?filter=STR;NET000*;;;;;;;;>47.003',
                                  1);
like($flags, qr/\r\nNtrip-Flags: st_filter,st_auth,st_match,st_strict\r\n/,
     'what there is, is announced');
is(join(' ', $filtered =~ /^STR;(\w+)/mg),
   'NET0004 NET0005 NET0006 NET0007 NET0008 NET0009', 'a filter');
is(join(' ', scalar(table_of('caster', '?match=STR;MUC', 1))
             =~ /^(\w+;\w+)/mg), 'STR;MUC', 'a match');
is(join(' ', scalar(table_of('caster', '?STR;;;;;;;;;~48;~11', 1))
             =~ /^STR;(\w+)/mg), 'NET1000', 'the nearest one');
like($t->exchange('caster', "GET /?filter=STR;(a HTTP/1.1\r\n"
                            . "Ntrip-Version: Ntrip/2.0\r\n\r\n"),
     qr{^HTTP/1.1 400 Bad Request\r\n}, 'a bad one gets 400');
ok($t->wait_log(qr/ntrip sourcetable refused: "\(" without "\)"/),
   'the log says why');
like(scalar table_of('caster', '?filter=STR;(a', 0), qr/NET2600/,
     '1.0 knows no filters');
like($t->exchange('caster', "GET /?auth HTTP/1.1\r\n"
                            . "Ntrip-Version: Ntrip/2.0\r\n\r\n"),
     qr{^HTTP/1.1 401}, '"auth" wants to know whose');
my $auth = 'Authorization: Basic ' . encode_base64('u2:p2', '') . "\r\n";
is(join(' ', scalar(table_of('caster', '?auth&filter=STR', 1, $auth))
             =~ /^STR;(\w+)/mg), 'OWN MUC', 'and gives what is the user\'s');

# a table that is none leaves the old one

# connections of earlier tries may be among them

sub bad {
    my ($name, $reply, $why) = @_;
    my $mark = length $t->error_log;
    my $select = IO::Select->new($listen);

    wait_for(sub {
        while ($select->can_read(0)) {
            my $s = $listen->accept or last;
            Fieldgate::read_all($s, qr/\r\n\r\n/);
            print $s "SOURCETABLE 200 OK\r\n\r\n$reply";
        }
        return substr($t->error_log, $mark) =~ /not taken: $why/;
    }, $name);
    is(scalar(() = substr($t->error_log, $mark) =~ /not taken: $why/g), 1,
       "$name: said once");
    like(scalar table_of('caster', ''), qr/NET2600/,
         "$name: the old one stays");
}

bad('no end', $table, 'it ends before its end');
bad('3 MB', $lines x 11, 'it is too large');
bad('10 MB', $lines x 50, 'it is too large');
bad('binary', join('', map { chr int rand 256 } 1 .. 50000)
              . "\r\nENDSOURCETABLE\r\n", 'it has no mountpoints');
is(scalar(() = glob $t->path('db/ntrip.db.table-*')), 2,
   'and nothing is left of it');


# a file, which may change

my ($filed, $h) = table_of('file', '');
is($filed, "CAS;own.example;2101;Own\r\nNET;Own;Own;B;N;none;none;none\r\n"
           . ($filed =~ /^(STR;OWN;.*\r\n)/m)[0]
           . "STR;FILED;x;;;;;;;;;0\r\nENDSOURCETABLE\r\n",
   'lines of ours, what is declared, and a file');
write_file($t->path('table.new'), "STR;OTHER\r\nENDSOURCETABLE\r\n");
rename $t->path('table.new'), $t->path('table');
my $seen = 0;
wait_for(sub { $seen = table_of('file', '') =~ /^STR;OTHER\r$/m ? $seen + 1 : 0;
               $seen > 30 }, 'another file, in each worker');
unlink $t->path('table');
like(scalar table_of('file', ''), qr/^STR;OTHER\r$/m,
     'one that is gone is remembered');

$t->stop;


# two servers with one pool have one table; of its host's accounts the first is
# in use and the second refused

$listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 20)
    or die "listen: $!";
$from = $listen->sockport;

$n = Fieldgate::Ntrip->new(
    workers => 2, accounts => 4, users => 20, mounts => 0, start => 0,
    stream => 'ntrip_mount OWN gga=off;',
    server => 'ntrip_sourcetable upstream; ntrip_sourcetable_valid 1h;',
    others => { second => 'ntrip_sourcetable upstream;'
                          . ' ntrip_sourcetable_valid 1h;' });
$t = $n->nginx;
$n->sql("UPDATE source SET port = $from;"
        . " UPDATE source SET host = 'localhost' WHERE name = 'a3'");
$t->start;

# who is asked with which account; a rover takes the first one it can get

sub account {
    my ($request) = @_;
    my ($basic) = $request =~ /^Authorization: Basic (\S+)/mi;
    return defined $basic ? (split /:/, MIME::Base64::decode_base64($basic))[0]
                          : 'nobody';
}

my $rover = $t->connect('caster');
syswrite $rover, "GET /OWN HTTP/1.0\r\nAuthorization: Basic "
                 . encode_base64('u1:p1', '') . "\r\n\r\n";

my ($used, @asked, @held, @keep);
wait_for(sub {
    my ($s, $request) = asked() or return 1;
    if ($request =~ m{^GET /OWN }) {
        $used = account($request);
        print $s "ICY 200 OK\r\n\r\n" . Fieldgate::Provider::frame(1, 1, 100);
        return push @keep, $s;
    }
    push @held, [$s, $request];
    return 0;
}, 'the rover to have an account');

while (1) {
    my ($s, $request) = @held ? @{shift @held} : asked();
    defined $s or last;
    push @asked, account($request);
    if (@asked < 3) {
        print $s "HTTP/1.1 401 Unauthorized\r\n"
                 . "WWW-Authenticate: Basic\r\n\r\n";
        close $s;
        next;
    }
    print $s "SOURCETABLE 200 OK\r\n\r\n${table}ENDSOURCETABLE\r\n";
    close $s;
    last;
}

my @free = grep { $_ ne $used } qw(a1 a2 a4);
is("@asked", "nobody @free[0, 1]",
   'refused: another account of the host, none that is in use');
wait_for(sub { table_of('caster', '') =~ /NET2600/ }, 'the table');
for my $pid ($t->pids) {
    $t->only_worker($pid, sub {
        for my $port (qw(caster second)) {
            wait_for(sub { table_of($port, '') =~ /NET2600/ },
                     "$port to have it, in each worker");
        }
    });
}
is(scalar(() = glob $t->path('db/ntrip.db.table-*.lock')), 1, 'one file');
ok(!IO::Select->new($listen)->can_read(0), 'and nobody asks again');

$t->stop;

done_testing();
