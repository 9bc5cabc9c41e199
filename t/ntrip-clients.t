# Programs that people use: str2str and gpsd as rovers, str2str as the provider
# with a recording of a real station.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Env qw(read_file top);
use Fieldgate::Ntrip;
use Fieldgate::Provider qw(frame);
use IO::Socket::INET;
use POSIX ();
use Time::HiRes qw(sleep);

my ($str2str) = grep { -x } map { "$_/str2str" } split /:/, $ENV{PATH};
my ($gpsd) = grep { -x } map { "$_/gpsd" } split(/:/, $ENV{PATH}),
                         '/usr/sbin';

# runs a program until the test ends

sub run {
    my ($t, $name, @command) = @_;
    return $t->spawn($name, sub {
        exec { $command[0] } @command or POSIX::_exit(127);
    });
}

# how many messages of the provider, one after the other, these bytes are; else
# what is wrong with them

sub frames {
    my ($bytes) = @_;
    my ($n, $login, $seq) = (0);

    while ($bytes =~ s/^(\xd3..(?s:.){112}...)//s) {
        my $got = $1;
        my ($l, $s) = Fieldgate::Provider::frame_read($got);
        return "message $n is damaged" if $got ne frame($l, $s, 118);
        return "message $s after $seq" if $n && $s != $seq + 1;
        ($login, $seq, $n) = ($l, $s, $n + 1);
    }

    return "bytes that are no message: " . unpack('H*', $bytes)
        if length $bytes >= 118;
    return $n;
}


SKIP: {
    skip 'str2str (rtklib) is not installed', 3 unless $str2str;

    my $n = Fieldgate::Ntrip->new(users => 1, accounts => 1,
                                  provider => { rate => 50, size => 118 });
    my ($t, $provider) = ($n->nginx, $n->provider);
    my $out = $t->path('str2str.rtcm');
    my $port = $t->port('caster');

    my $pid = run($t, 'str2str', $str2str, '-in',
                  "ntrip://u1:p1\@127.0.0.1:$port/M0", '-out', "file://$out",
                  '-p', 48.1, 11.6, 500, '-n', 1000, '-f', 100);

    wait_for(sub { -s $out && -s $out > 118 * 200 }, 'str2str to get data');
    $t->end($pid, 'TERM');

    # it passes the blank line behind "ICY 200 OK" on

    my $bytes = read_file($out);
    is(substr($bytes, 0, 2, ''), "\r\n", 'str2str: the blank line');
    like(frames($bytes), qr/^[1-9]\d\d+$/, 'str2str: every byte is right');
    like($provider->seen->{gga}[0]{line} // '',
         qr/^\$G[PN]GGA,\d+\.\d+,4806\.0\d*,N,01136\.0\d*,E,/,
         'str2str: its position goes up');
    $t->stop;
}


# gpsd asks for the sourcetable first, and sends no position without a receiver

SKIP: {
    skip 'gpsd is not installed', 3 unless $gpsd;

    my $n = Fieldgate::Ntrip->new(
        users => 1, accounts => 1, provider => { rate => 50, size => 118 },
        server => 'ntrip_mount FIXED gga=off;');
    my ($t, $provider) = ($n->nginx, $n->provider);
    my $port = $t->port('caster');
    my $control = free_port();

    my $pid = run($t, 'gpsd', $gpsd, '-N', '-n', '-S', $control,
                  "ntrip://u1:p1\@127.0.0.1:$port/FIXED");
    ok($provider->wait_for(logins => 1),
       'gpsd: it has found its mountpoint, and logs in');

    my $s;
    wait_for(sub { $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                              PeerPort => $control) },
             'the port of gpsd');
    $s->syswrite('?WATCH={"enable":true,"raw":2};');

    # between its own lines in JSON

    my $bytes = Fieldgate::read_all($s, qr/(?s:.{23600})/);

    $bytes =~ s/\{"class":[^\r\n]*\r\n//g;
    $bytes =~ s/^.*?(?=\xd3\x00\x70)//s;
    like(frames($bytes), qr/^[1-9]\d\d+$/, 'gpsd: every byte is right');

    $t->end($pid, 'TERM');
    is($provider->seen->{logins}, 1, 'gpsd: on one connection');
    $t->stop;
}


# str2str as the provider: what a real station has sent, to the last byte

my ($recording) = grep { -r } map { "$_/station-1hz.rtcm3" }
                  $ENV{FIELDGATE_DATA} // (), top() . '/../shared/data';

SKIP: {
    skip 'str2str (rtklib) is not installed', 2 unless $str2str;
    skip 'no recording: FIELDGATE_DATA does not name its folder', 2
        unless $recording;

    my $n = Fieldgate::Ntrip->new(users => 1, accounts => 0);
    my $t = $n->nginx;
    my $caster = free_port();
    my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1,
                                       Timeout => $Fieldgate::Wait::Guard)
        or die "listen: $!";
    my $from = $listen->sockport;

    run($t, 'caster', $str2str, '-in', "tcpcli://127.0.0.1:$from",
        '-out', "ntripc://a1:s1\@:$caster/M0");
    my $feed = $listen->accept or die "str2str does not connect: $@";
    $feed->autoflush(1);

    $n->sql('INSERT INTO source (host, port, name, password)'
            . " VALUES ('127.0.0.1', $caster, 'a1', 's1');");

    my $rover = $t->connect('caster');
    $rover->syswrite("GET /M0 HTTP/1.0\r\nUser-Agent: NTRIP test\r\n"
        . "Authorization: Basic dTE6cDE=\r\n\r\n"
        . "\$GPGGA,120000,4806.0,N,01136.0,E,1,9,1,500,M,47,M,,\r\n");
    Fieldgate::read_all($rover, qr/ICY 200 OK\r\n\r\n/);

    # fillers, until the first has come through: messages without content

    my $filler = "\xd3\0\0\x47\xea\x4b";
    my $bytes = '';
    $rover->blocking(0);
    wait_for(sub { print $feed $filler;
                   sysread $rover, $bytes, 65536, length $bytes },
             'the first byte of the caster');
    $rover->blocking(1);

    my $sent = read_file($recording);
    my $tail = $filler x 3;
    my $out = $sent . $tail;

    # it begins with the end of a message, which nobody is sent

    $sent =~ s/^.//s until whole($sent);

    while (length $out) {
        print $feed substr $out, 0, 500, '';
        sleep 0.002;
    }

    $bytes .= Fieldgate::read_all($rover, qr/\Q$tail\E\z/)
        while substr($bytes, -length $tail) ne $tail
              || length $bytes < length $sent;

    $bytes =~ s/^(?:\Q$filler\E)+//;
    is(length $bytes, length($sent) + length $tail,
       'str2str as the provider: all of the recording');
    ok($bytes eq $sent . $tail, 'as it was');
    $t->stop;
}


# does it begin with a message?

sub whole {
    my ($mark, $len) = unpack 'Cn', $_[0];
    my $crc = substr $_[0], $len + 3, 3;

    return $mark == 0xd3 && $len < 1024
           && substr(pack('N', Fieldgate::Provider::crc24q(
                               substr $_[0], 0, $len + 3)), 1) eq $crc;
}

done_testing();
