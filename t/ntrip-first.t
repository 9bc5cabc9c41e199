# The first seconds of a rover: the latest station messages of its source in
# front of its first epoch, behind a pause, none of them twice; in both workers,
# through profiles, from another source, over reloads.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Ntrip;
use IO::Select;
use IO::Socket::INET;
use MIME::Base64 qw(encode_base64);
use Time::HiRes qw(sleep time);

my $users = 40;
my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 5,
                                   Timeout => $Fieldgate::Wait::Guard)
    or die "listen: $!";
my $from = $listen->sockport;

my $n = Fieldgate::Ntrip->new(
    workers => 2, accounts => 1, users => $users, start => 0,
    stream => 'ntrip_mount ALL gga=off;'
              . 'ntrip_mount SOME as=ALL gga=off messages=-1230,-1005;'
              . 'ntrip_mount MSM4 as=ALL gga=off msm=4;',
    others => { off => 'ntrip_station_messages off;' });
my $t = $n->nginx;
$n->sql("UPDATE source SET port = $from");
$t->start;

# a message of a station, with a number of ours behind its own

sub message {
    my ($type, $station, $number, $bytes) = @_;
    my $payload = pack('B24', sprintf '%012b%012b', $type, $station)
                  . "\0" x 5 . pack('n', $number) . "\0" x ($bytes // 0);
    my $frame = pack('Cn', 0xd3, length $payload) . $payload;
    return $frame . substr pack('N', Fieldgate::Provider::crc24q($frame)), 1;
}

# what bytes are: "type:number"

sub messages {
    my ($in) = @_;
    my @found;
    while (length $in >= 6) {
        my $len = unpack 'x n', $in;
        my $frame = substr $in, 0, $len + 6, '';
        push @found, sprintf '%d:%d', unpack('n', substr $frame, 3, 2) >> 4,
                             unpack 'x11 n', $frame;
    }
    return join ' ', @found, length $in ? 'rest' : ();
}

my $user = 0;

# logged in; "at" is when its header was there

sub rover {
    my ($mount, $port) = @_;
    my $s = $t->connect($port // 'caster');
    my $auth = encode_base64('u' . ++$user . ":p$user", '');
    syswrite $s, "GET /$mount HTTP/1.0\r\nUser-Agent: NTRIP t\r\n"
                 . "Authorization: Basic $auth\r\n\r\n";
    return { s => $s };
}

sub welcome {
    my ($r) = @_;
    $r->{head} = '';
    sysread $r->{s}, $r->{head}, 65536;
    $r->{at} = time;
    return $r;
}

# until so many bytes are there; how long after the header the first of them
# was

sub got {
    my ($r, $bytes) = @_;
    my $in = '';
    my $select = IO::Select->new($r->{s});
    while (length $in < $bytes) {
        $select->can_read($Fieldgate::Wait::Guard) or last;
        sysread $r->{s}, $in, $bytes - length $in, length $in or last;
        $r->{first} //= time - $r->{at};
    }
    return messages($in);
}

# so many are on the stream: what comes from now on is for them as well

sub on_stream {
    my ($rovers) = @_;
    wait_for(sub { $n->console('STREAM-LIST passwd')
                   =~ /^\S+\t\S+\t\S+\t$rovers\t/m },
             "$rovers rovers on the stream");
}

sub length_of { length join '', @_ }

# where nothing else is on its way

sub nothing_more {
    my ($r, $name) = @_;
    $r->{s}->blocking(0);
    my $got = sysread $r->{s}, my $in, 100;
    ok(!defined $got, $name) or diag(messages($in));
    $r->{s}->blocking(1);
}

my @station = (message(1005, 7, 1), message(1033, 7, 2, 60),
               message(1230, 7, 3), message(1013, 7, 4, 40),
               message(1029, 7, 5, 100));
my $number = 10;
sub epoch { message(1077, 7, ++$number) }

# the first one of a stream gets what comes

my $first = rover('ALL');
welcome($first);
my $provider = $listen->accept or die 'no login';
$provider->autoflush(1);
Fieldgate::read_all($provider, qr/\r\n\r\n/);
my $e = epoch();
print $provider "ICY 200 OK\r\n\r\n" . join '', @station, $e;
is(got($first, length_of(@station, $e)),
   '1005:1 1033:2 1230:3 1013:4 1029:5 1077:11', 'the first rover gets all');
nothing_more($first, 'and nothing twice');

# those that come later, in whatever worker, within their first tenths; the
# latest of each counts

my $new = message(1029, 7, 6, 30);
$e = epoch();
print $provider "$new$e";
is(got($first, length_of($new, $e)), '1029:6 1077:12', 'a new text comes');
$station[4] = $new;

my @rovers = map { welcome(rover('ALL')) } 1 .. 8;
on_stream(9);
$e = epoch();
print $provider $e;
is(got($first, length $e), '1077:13', 'who has been there gets the epoch');
is(join(', ', map { got($_, length_of(@station, $e)) } @rovers),
   join(', ', ('1005:1 1033:2 1230:3 1013:4 1029:6 1077:13') x @rovers),
   'who has come gets the station messages in front of it');
is(join(' ', map { $_->{head} ne "ICY 200 OK\r\n\r\n" || $_->{first} < 0.27 }
             @rovers),
   join(' ', ('') x @rovers), 'some time after the header');

$e = epoch();
print $provider $e;
is(join(', ', map { got($_, length $e) } $first, @rovers),
   join(', ', ('1077:14') x 9), 'and then epochs');

# what the epoch has itself, and what a profile leaves out

my ($late, $some, $msm4, $off) = map { welcome($_) } rover('ALL'),
    rover('SOME'), rover('MSM4'), rover('ALL', 'off');
on_stream(13);
sleep 0.35;
my $again = message(1005, 7, 20);
$e = epoch();
print $provider "$again$e";
is(got($late, length_of(@station[1 .. 4], $again, $e)),
   '1033:2 1230:3 1013:4 1029:6 1005:20 1077:15',
   'what is in the epoch is not in front of it');
is(got($some, length_of(@station[1, 3, 4], $e)),
   '1033:2 1013:4 1029:6 1077:15', 'a profile holds for them, too');
like(got($msm4, length_of(@station[1 .. 4], $again)),
     qr/^1033:2 1230:3 1013:4 1029:6 1005:20/, 'as in a view with MSM4');
is(got($off, length_of($again, $e)), '1005:20 1077:15',
   'with "off" a rover gets what comes');
$_->{s}->close for $late, $some, $msm4, $off;
got($_, length_of($again, $e)) for $first, @rovers;
$station[0] = $again;

# reloads: who has had them gets them no more; who waits for its first epoch
# gets them in the new worker

on_stream(9);
my $waiting = welcome(rover('ALL'));
on_stream(10);
for my $round (1, 2) {
    $t->reload;
    wait_for(sub { !grep { $_->{exiting} } $t->worker_processes },
             'old workers to exit');
    $e = epoch();
    print $provider $e;
    is(join(', ', map { got($_, length $e) } $first, @rovers),
       join(', ', ("1077:$number") x 9), "reload $round: only the epoch");
    is(got($waiting, length_of(@station, $e)),
       "1005:20 1033:2 1230:3 1013:4 1029:6 1077:$number",
       'and for who has waited over it, all') if $round == 1;
    got($waiting, length $e) if $round == 2;
}
my $after = welcome(rover('ALL'));
on_stream(11);
$e = epoch();
print $provider $e;
is(got($after, length_of(@station, $e)),
   "1005:20 1033:2 1230:3 1013:4 1029:6 1077:$number",
   'a worker that has never copied them has them');

# another station, and another source

my $moved = message(1006, 8, 30);
$e = message(1077, 8, ++$number);
print $provider "$moved$e";
got($after, length_of($moved, $e));
my $second = welcome(rover('ALL'));
on_stream(12);
$e = message(1077, 8, ++$number);
print $provider $e;
is(got($second, length_of($moved, $e)), "1006:30 1077:$number",
   'those of another station are gone');

close $provider;
$provider = $listen->accept or die 'no login';
$provider->autoflush(1);
Fieldgate::read_all($provider, qr/\r\n\r\n/);
$e = message(1077, 8, ++$number);
print $provider "ICY 200 OK\r\n\r\n$e";
is(got($second, length $e), "1077:$number", 'another source goes on');
my $third = welcome(rover('ALL'));
on_stream(13);
$e = message(1077, 8, ++$number);
print $provider $e;
is(got($third, length $e), "1077:$number",
   'whose station messages have not come yet: none of the old ones');

$t->stop;

done_testing();
