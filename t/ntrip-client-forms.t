# Each client that is known by what it sends, played byte by byte: its request,
# what it looks for in the reply, its positions; and what it takes for data is
# what the provider has sent.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Ntrip;
use Fieldgate::Provider qw(frame frame_read);
use MIME::Base64 qw(encode_base64);
use Socket qw(IPPROTO_TCP);
use Time::HiRes qw(sleep);

my $n = Fieldgate::Ntrip->new(
    users => 20, accounts => 2, workers => 2, provider => { rate => 20 },
    stream => 'ntrip_mount FIXED gga=off; ntrip_gga_interval 100ms;');
my ($t, $provider) = ($n->nginx, $n->provider);

my $gga = '$GPGGA,120000.00,4806.00000,N,01136.00000,E,4,12,0.8,500.0,M,'
          . '47.0,M,1.0,0001*46';
my $long = '$GPGGA,120000.00,4806.0000000,N,01136.0000000,E,4,12,0.8,'
           . '500.0000,M,47.0000,M,1.0,0001';
my $no_fix = '$GNGGA,,,,,,0,00,99.99,,,,,,*56';
my $tcp_info = 11;              # and there, tcpi_data_segs_in
my $icy = qr/^ICY 200 OK\r\n\r\n\z/;
my $user = 0;

sub auth { 'Authorization: Basic ' . encode_base64("u$user:p$user", '') }

# [name, mountpoint, bytes before the position, its position, the reply; how the
# position is sent]

my @clients = (
    ['RTKLIB str2str', 'M0', sub {
         "GET /M0 HTTP/1.0\r\nUser-Agent: NTRIP RTKLIB/2.4.3\r\n"
         . auth() . "\r\n\r\n" }, "$long\r\n", $icy],
    ['gpsd 3.22', 'FIXED', sub {
         "GET /FIXED HTTP/1.1\r\nAccept: rtk/rtcm, dgps/rtcm\r\n"
         . "User-Agent: NTRIP gpsd/3.22\r\nHost: 127.0.0.1\r\n"
         . auth() . "\r\nConnection: close\r\n\r\n" }, '', $icy],
    ['gpsd of today, 2.0 without a decoder of chunks', 'FIXED', sub {
         "GET /FIXED HTTP/1.1\r\nNtrip-Version: Ntrip/2.0\r\n"
         . "User-Agent: NTRIP gpsd/3.26\r\nHost: 127.0.0.1\r\n"
         . auth() . "\r\nConnection: close\r\n\r\n" }, '',
     qr{^HTTP/1.1 200 OK\r\n(?!.*chunked)}s],
    ['BKG ntripclient, NTRIP 1: a position in the request', 'M0', sub {
         "GET /M0 HTTP/1.1\r\nHost: 127.0.0.1\r\n"
         . "User-Agent: NTRIP NtripClientPOSIX/1.51\r\n"
         . "Connection: close\r\n" . auth() . "\r\n\r\n$gga\r\n" }, '', $icy],
    ['BKG ntripclient, NTRIP 2: chunks', 'M0', sub {
         "GET /M0 HTTP/1.0\r\nHost: 127.0.0.1\r\n"
         . "Ntrip-Version: Ntrip/2.0\r\n"
         . "User-Agent: NTRIP NtripClientPOSIX/1.51\r\n"
         . "Connection: close\r\n" . auth() . "\r\n\r\n$gga\r\n" }, '',
     qr{^HTTP/1\.1\ 200\ OK\r\n.*^Content-Type:\ gnss/data\r\n
        .*^Transfer-Encoding:\ chunked\r\n}msx, 'chunks'],
    ['QField: no NTRIP in front of its name', 'M0', sub {
         "GET /M0 HTTP/1.0\r\nUser-Agent: QField NTRIP QtSocketClient/1.0\r\n"
         . auth() . "\r\n\r\n" }, "$gga\r\n", $icy],
    ['MAVProxy', 'M0', sub {
         "GET /M0 HTTP/1.1\r\nHost: 127.0.0.1:2101\r\n"
         . "Ntrip-Version: Ntrip/1.0\r\nUser-Agent: NTRIP MAVProxy/0.1\r\n"
         . "Accept: */*\r\nConnection: close\r\n" . auth() . "\r\n\r\n" },
     "$gga\r\n", $icy],
    ['pygnssutils, version 1: a position behind the request', 'M0', sub {
         "GET /M0 HTTP/1.0\r\nUser-Agent: NTRIP pygnssutils/1.1\r\n"
         . "Accept: */*\r\n" . auth() . "\r\nConnection: close\r\n\r\n$gga\r\n"
     }, '', $icy],
    ['pygnssutils, version 2: Ntrip-GGA', 'M0', sub {
         "GET /M0 HTTP/1.1\r\nHost: 127.0.0.1:2101\r\n"
         . "Ntrip-Version: Ntrip/2.0\r\nUser-Agent: NTRIP pygnssutils/1.1\r\n"
         . auth() . "\r\nNtrip-GGA: $gga\r\nConnection: close\r\n\r\n" }, '',
     qr{^HTTP/1.1 200 OK\r\n.*\r\nContent-Type: gnss/data\r\n}s],
    ['SparkFun RTK Everywhere: no Host', 'M0', sub {
         "GET /M0 HTTP/1.0\r\nUser-Agent: NTRIP SparkFun_RTK_EVK_v1.0\r\n"
         . auth() . "\r\n\r\n" }, "$gga\r\n", $icy],
    ['ESP32-XBee: all that its receiver says', 'M0', sub {
         "GET /M0 HTTP/1.1\r\nHost: 127.0.0.1\r\n"
         . "User-Agent: NTRIP ESP32-XBee/0.5\r\n" . auth() . "\r\n\r\n" },
     join('', map { "\$GNRMC,120000.00,A,,,,,,,,,*00\r\n"
                    . "\$GNGSA,A,3,,,,,,,,,,,,,,,,*00\r\n"
                    . "\$GPGSV,3,1,12,,,,*00\r\n" . ($_ % 5 ? '' : "$gga\r\n")
                } 1 .. 20), $icy],
    ['AgOpenGPS: HTTP/1.1 without Ntrip-Version', 'M0', sub {
         "GET /M0 HTTP/1.1\r\nUser-Agent: NTRIP AgOpenGPSClient/20231127\r\n"
         . auth() . "\r\nAccept: */*\r\nConnection: close\r\n\r\n" },
     "$gga\r\n", $icy],
    ['node ntrip-client: a position only behind ICY', 'M0', sub {
         "GET /M0 HTTP/1.1\r\nHost: 127.0.0.1:2101\r\n"
         . "User-Agent: NTRIP NTRIPClient/0.1.0\r\n" . auth() . "\r\n\r\n" },
     "$gga\r\n", $icy],
    ['Mission Planner: one position and no more', 'M0', sub {
         "GET /M0 HTTP/1.0\r\nUser-Agent: NTRIP MissionPlanner/1.0\r\n"
         . auth() . "\r\nConnection: close\r\n\r\n" }, "$gga\r\n", $icy],
    ['a u-blox without a fix yet', 'M0', sub {
         "GET /M0 HTTP/1.0\r\nUser-Agent: NTRIP u-center\r\n"
         . auth() . "\r\n\r\n" }, "$no_fix\r\n$no_fix\r\n$gga\r\n", $icy],
);

for my $client (@clients) {
    my ($name, $mount, $request, $position, $reply, $chunks) = @$client;
    $user++;

    my $s = $t->connect('caster');
    syswrite $s, $request->();

    # the header is a segment of its own: programs read it with one recv(); if
    # this one is late, there may be data behind it, in other segments

    IO::Select->new($s)->can_read($Fieldgate::Wait::Guard);
    sysread $s, my $head, 65536;
    my $segments = unpack 'x152 L', getsockopt($s, IPPROTO_TCP, $tcp_info);
    my $bytes = $head =~ s/(?<=\r\n\r\n)(.+)\z//s ? $1 : '';
    like($head, $reply, "$name: its reply") or next;
    cmp_ok($segments, '>=', length $bytes ? 2 : 1,
           "$name: and nothing else in its segment");

    syswrite $s, $position if length $position;

    my $left = 650 - length $bytes;
    $bytes .= Fieldgate::read_all($s, qr/^(?s:.{$left})/) if $left > 0;
    if ($chunks) {
        my $chunk = qr/78\r\n(.{120})\r\n/s;
        like($bytes, qr/^$chunk{5}/, "$name: each message is one");
        $bytes = join '', $bytes =~ /\G$chunk/g;
    }
    my ($wrong, $last) = (0);
    while (length $bytes >= 120) {
        my $got = substr $bytes, 0, 120, '';
        my ($login, $seq) = frame_read($got);
        $wrong ||= $got ne frame($login, $seq, 120)
                   || defined $last && $seq != $last + 1;
        $last = $seq;
    }
    ok(!$wrong && defined $last, "$name: its data are the provider's");
    close $s;
}

ok(!grep({ $_->{line} !~ /^\$G.GGA,120000/ } @{$provider->seen->{gga}}),
   'nothing but positions has gone up');

# tables: u-center goes by the length, a browser wants a page

my $table = $t->exchange('caster', "GET / HTTP/1.0\r\n"
    . "User-Agent: NTRIP u-center\r\nAccept: */*\r\nConnection: close\r\n\r\n");
my ($length, $body) = $table =~ /\r\nContent-Length: (\d+)\r\n.*?\r\n\r\n(.*)/s;
is(length $body, $length, 'u-center: the length of the table');
like($t->exchange('caster', "GET / HTTP/1.1\r\nHost: x\r\n"
                  . "User-Agent: Mozilla/5.0\r\nAccept: text/html,*/*\r\n\r\n"),
     qr{^HTTP/1.1 200 OK\r\n.*\r\nContent-Type: text/html\r\n}s,
     'a browser gets a page');

# RTKLIB demo5 b34i: garbage instead of requests, again and again

for my $garbage ("GE\0T /M0", "\xff\xfe" x 20, "GET\r\n\r\n", 'x' x 5000) {
    my $s = $t->connect('caster');
    syswrite $s, $garbage;
    shutdown $s, 1;
    my $reply = Fieldgate::read_all($s);
    unlike($reply, qr/200 OK/, 'garbage is no request');
}

# 401 is for wrong credentials alone: SparkFun does not come again after one

my $free = Fieldgate::Rovers->new(port => $t->port('caster'), rovers => [
    map { $n->rover($_, lat => 10 * $_) } 1 .. 2 ]);
$free->wait_for(fed => 2);
my $s = $t->connect('caster');
$user = 5;
syswrite $s, "GET /M0 HTTP/1.0\r\nUser-Agent: NTRIP SparkFun_RTK\r\n"
             . auth() . "\r\n\r\n\$GPGGA,1,4806.0,S,01136.0,E,4,12,1,1,M,1,M,,"
             . "\r\n";
like(Fieldgate::read_all($s, qr/\r\n\r\n/), $icy,
     'no account is free: not a word of 401');
$free->stop;
$t->stop;

done_testing();
