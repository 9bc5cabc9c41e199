# Rovers that insist on chunks, BKG ntripclient in NTRIP 2: each is one message,
# whatever happens, in both workers and beside rovers without chunks.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Base;
use Fieldgate::Env qw(read_file top);
use Fieldgate::Ntrip;
use Fieldgate::Provider qw(frame frame_read);

use MIME::Base64 qw(encode_base64);
use Socket qw(SOL_SOCKET SO_RCVBUF);

my $size = 1000;
my $n = Fieldgate::Ntrip->new(
    users => 60, accounts => 2, mounts => 2, workers => 2, zone => '8m',
    provider => { rate => 10, size => $size },
    stream => 'log_format n "$ntrip_user $ntrip_result $ntrip_messages'
              . ' $bytes_sent"; access_log %%DIR%%/access.log n;'
              . 'ntrip_ring_size 512k; ntrip_mount MSM as=M0 messages=-1230;',
    server => 'ntrip_max_age 500ms; ntrip_send_timeout 60s;',
    others => { patient => 'ntrip_max_age 300s; ntrip_send_timeout 300s;' });
my ($t, $provider) = ($n->nginx, $n->provider);

my $gga = '$GPGGA,120000.00,4806.0000,N,01130.0000,E,4,12,0.8,500.0,M,45.0,M,,';

sub request {
    my ($number, $agent, $head) = @_;
    my $auth = encode_base64("u$number:p$number", '');
    my $mount = 'M' . $number % 2;
    return "GET /$mount HTTP/1.1\r\nHost: x\r\nUser-Agent: $agent\r\n$head"
           . "Authorization: Basic $auth\r\n\r\n$gga\r\n";
}


# ---- who gets them ----

my $bkg = 'NTRIP NtripClientPOSIX/1.51';
my $v2 = "Ntrip-Version: Ntrip/2.0\r\n";

for my $c (['BKG ntripclient', $bkg, $v2, 1],
           ['in another case', lc $bkg, $v2, 1],
           ['the same in NTRIP 1', $bkg, '', 0],
           ['another client of NTRIP 2', 'NTRIP gpsd/3.26', $v2, 0],
           ['one whose name is in another place', "x $bkg", $v2, 0])
{
    my ($name, $agent, $head, $chunked) = @$c;
    my $s = $t->connect('caster');
    syswrite $s, request(60, $agent, $head);
    my $reply = Fieldgate::read_all($s, qr/\r\n\r\n(?s:.{10})/);
    my ($header, $body) = $reply =~ /^(.*?\r\n\r\n)(.*)/s;
    is(scalar($header =~ /^Transfer-Encoding: chunked\r$/m) || 0, $chunked,
       "$name: " . ($chunked ? 'chunks' : 'none'));
    like($body, $chunked ? qr/^3e8\r\n\xd3/ : qr/^\xd3/,
         "$name: and so its data begin");
}


# ---- to all ----

my @all = map { $n->rover($_, chunked => $_ % 3 > 0) } 1 .. 30;
$_->{mount} = 'MSM' for @all[20 .. 29];
my $rovers = Fieldgate::Rovers->new(port => $t->port('caster'),
                                    rovers => \@all);

sub more {
    my ($messages) = @_;
    my $before = $rovers->seen->{rovers};
    return $rovers->wait_for(sub {
        !grep { $_[0]{rovers}{$_}{state} ne 'closed'
                && $_[0]{rovers}{$_}{messages}
                   < $before->{$_}{messages} + $messages } keys %$before;
    });
}

$rovers->wait_for(fed => 30);
my $seen = more(10);
is_deeply($seen->{errors}, [], 'all messages, to those with and without');
is((grep { $_->{header} =~ /^Transfer-Encoding: chunked\r$/m }
    values %{$seen->{rovers}}), 20, 'two thirds of them in chunks');


# ---- one that does not read: skips, or gets it all in another worker ----

# a window so small that only a part of a chunk fits

sub slow {
    my ($number, $port) = @_;

    socket(my $s, Socket::AF_INET(), Socket::SOCK_STREAM(), 0) or die $!;
    setsockopt($s, SOL_SOCKET, SO_RCVBUF, 4096) or die $!;
    connect($s, Socket::pack_sockaddr_in($t->port($port),
                                         Socket::INADDR_LOOPBACK())) or die $!;
    syswrite $s, request($number, $bkg, $v2);
    my $r = { s => $s, buf => '' };
    wait_for(sub { fill($r); $r->{buf} =~ s/^HTTP.*?\r\n\r\n//s }, 'the reply');
    return $r;
}

sub fill {
    my ($r) = @_;
    my $select = IO::Select->new($r->{s});
    while ($select->can_read(0)) {
        my $got = sysread $r->{s}, $r->{buf}, 65536, length $r->{buf};
        if (!$got) {
            $r->{end} = 1;
            last;
        }
    }
}

# the numbers of whole messages, each in its chunk; dies if one is damaged

sub numbers {
    my ($r) = @_;
    my @numbers;

    while ($r->{buf} =~ s/^3e8\r\n(.{1000})\r\n//s) {
        my $message = $1;
        my ($login, $number) = frame_read($message);
        $message eq frame($login, $number, $size) or die 'no message';
        push @numbers, $number;
    }

    die 'no chunk: ' . unpack 'H*', substr $r->{buf}, 0, 20
        if length $r->{buf} && $r->{buf} !~ /^(?:0|3(?:e(?:8(?:\r|\z)|\z)|\z))/;

    return @numbers;
}

sub gaps {
    my $last = shift;
    return scalar grep { my $gap = $_ != $last + 1; $last = $_; $gap } @_;
}

my @slow = (slow(40, 'caster'), slow(41, 'patient'), slow(42, 'patient'),
            slow(44, 'patient'));
more(20);                               # 2 s, 20 kB for each of them

my @old = $t->pids;
$t->reload;
wait_for(sub { !grep { $_->{exiting} } $t->worker_processes },
         'old workers to exit');
ok(!grep({ my $p = $_; grep { $_ == $p } @old } $t->pids), 'reloaded');
$seen = more(10);
is_deeply($seen->{errors}, [], 'reload: whole chunks, none lost');
is($seen->{open}, 30, 'reload: nobody was dropped');

my @got;
for my $i (0 .. 3) {
    wait_for(sub { fill($slow[$i]);
                   push @{$got[$i]}, numbers($slow[$i]);
                   @{$got[$i]} > 10 && $got[$i][-1] - $got[$i][0] > 30 },
             'what was kept for it');
}
cmp_ok(gaps(@{$got[0]}), '>=', 1, 'one that is too slow misses messages');
is(gaps(@{$got[$_]}), 0, 'one that goes on inside a chunk elsewhere: no gap')
    for 1 .. 3;


# ---- the end: a last chunk ----

my ($kicked, $by) = map { $t->connect('caster') } 1, 2;
syswrite $kicked, request(50, $bkg, $v2);
my $r = { s => $kicked, buf => '' };
wait_for(sub { fill($r); $r->{buf} =~ s/^HTTP.*?\r\n\r\n//s }, 'the reply');
wait_for(sub { fill($r); numbers($r) }, 'its data');
syswrite $by, request(50, $bkg, $v2);
wait_for(sub { fill($r); $r->{end} }, 'the kick');
numbers($r);
is($r->{buf}, "0\r\n\r\n", 'kicked: the last chunk, and the end');

$n->sql("DELETE FROM user WHERE name IN ('u2', 'u3')");
$seen = $rovers->wait_for(sub {
    2 == grep { $_[0]{rovers}{$_}{state} eq 'closed' } qw(u2 u3) });
is_deeply([map { $seen->{rovers}{$_}{last_chunk} } qw(u2 u3)], [1, undef],
          'deleted: the same for who has chunks, and for nobody else');

# chunks are bytes that were sent

wait_for(sub { read_file($t->path('access.log')) =~ /^u2 .+ \d+ \d+$/m },
         'the access log');
my ($messages, $bytes) = read_file($t->path('access.log'))
                         =~ /^u2 .+? (\d+) (\d+)$/m;
cmp_ok($bytes, '>', 1007 * $messages, 'bytes of chunks are counted');
cmp_ok($bytes, '<', 1007 * $messages + 500, 'and no others');
$rovers->stop;
$t->stop;
$provider->stop;


# ---- station messages, and NEAR ----

$t = Fieldgate->new(workers => 2, stream => <<'END');
    ntrip_zone 4m;
    ntrip_database %%DIR%%/db/ntrip.db;
    ntrip_near NEAR max=60km dwell=0;

    server {
        listen 127.0.0.1:%%PORT:caster%%;
        ntrip_caster;
        ntrip_station;
    }
END

mkdir $t->path('db') or die;
my $db = $t->path('db/ntrip.db');
$t->write('sql', read_file(top() . '/schema/schema.sql') . <<'END');
INSERT INTO user (name, password) VALUES ('u1', 'p'), ('u2', 'p');
INSERT INTO station (mount, password, str)
    VALUES ('W', 'pw', ''), ('E', 'pw', '');
END
system("sqlite3 $db < @{[$t->path('sql')]}") == 0 or die;
$t->start;

my @bases = map {
    my $b = Fieldgate::Base->new(
        port => $t->port('caster'), mount => $_->[0], password => 'pw',
        login => $_->[1], first => Fieldgate::Base::position(48, $_->[2]));
    $b->wait_for(sent => 3);
    $b;
} ['W', 1, 11], ['E', 2, 12];
wait_for(sub { 2 == (() = $t->get('caster', '/')
                          =~ /^STR;[WE];.*\b1077\b/mg) }, 'the stations');

$rovers = Fieldgate::Rovers->new(port => $t->port('caster'), gga => 0.5,
    rovers => [map { { user => "u$_", password => 'p', mount => 'NEAR',
                       lat => 48, lon => 11.1, chunked => 1 } } 1, 2]);
$seen = $rovers->wait_for(sub { 2 == grep { ($_->{login} // 0) == 1 }
                                     values %{$_[0]{rovers}} });
is($seen->{rovers}{u1}{station}, 0, 'the station messages first, as a chunk');
$rovers->move($_, 48, 11.9) for qw(u1 u2);
$seen = $rovers->wait_for(sub { 2 == grep { ($_->{login} // 0) == 2 }
                                     values %{$_[0]{rovers}} });
cmp_ok($seen->{rovers}{u1}{station}, '>', 0, 'NEAR: those of the next one');
is_deeply($seen->{errors}, [], 'NEAR: between chunks');

$rovers->stop;
$_->stop for @bases;
$t->stop;

done_testing();
