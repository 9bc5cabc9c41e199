# Sessions that begin at the worst moment: in a worker that exits, while the
# user is deleted, in a crowd; and a peer that shuts its side down early.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Ntrip;

use MIME::Base64 qw(encode_base64);
use Socket qw(INADDR_LOOPBACK PF_INET SOCK_STREAM SOL_SOCKET SO_RCVBUF
              pack_sockaddr_in);

my $gga = '$GPGGA,120000.00,4806.0000,N,01130.0000,E,4,12,0.8,500.0,M,45.0,M,,';

sub request {
    my ($number, $mount) = @_;
    return "GET /$mount HTTP/1.0\r\nAuthorization: Basic "
           . encode_base64("u$number:p$number", '') . "\r\n\r\n$gga\r\n";
}


# ---- a login in a worker that exits ----

# its stream is another worker's: nothing but the rover itself can hold this one

my $n = Fieldgate::Ntrip->new(
    users => 12, accounts => 2, workers => 1, provider => { rate => 50 },
    server => 'ntrip_login_timeout 60s;');
my ($t, $provider) = ($n->nginx, $n->provider);

my $rovers = $n->rovers(1);
$rovers->wait_for(fed => 1);

for my $turn (2 .. 4) {
    my $socket = $t->connect('caster');
    wait_for(sub { $t->error_log =~ /client 127.0.0.1:@{[$socket->sockport]} /},
             'the worker to have it');
    syswrite $socket, 'GET ';
    $t->reload;
    $rovers->wait_for(messages => $rovers->seen->{messages} + 10);

    syswrite $socket, substr request($turn, 'M0'), 4;

    my $buf = Fieldgate::read_all($socket, qr/(?s:.{2000})/);
    cmp_ok(length $buf, '>=', 2000,
           'a rover that logs in at a worker that exits is fed');
    close $socket;
}

$rovers->stop;
$t->stop;


# ---- a user that is deleted while the login is held back ----

$n = Fieldgate::Ntrip->new(
    users => 2, accounts => 1, workers => 1, provider => { rate => 20 });
($t, $provider) = ($n->nginx, $n->provider);

my @sockets;
for my $try (1 .. 11) {
    push @sockets, $t->connect('caster');
    syswrite $sockets[-1], request(1, 'M0');
    Fieldgate::read_all($sockets[-1], qr/^ICY 200 OK\r\n\r\n/);
}

# ten kicks are enough: this one has to wait, and does when the worker has come
# to whoever was next.  It does not see the end of the wait before the change.

my $held = $t->connect('caster');
syswrite $held, request(1, 'M0');
$t->exchange('caster', "GET / HTTP/1.0\r\n\r\n");
my @workers = $t->pids;
$t->freeze(@workers);
$n->sql("DELETE FROM user WHERE name = 'u1';\n");
kill CONT => @workers;
wait_for(sub { $t->error_log =~ /ntrip session ended: revoked/ },
         'the change to be seen');
like(Fieldgate::read_all($held), qr/^HTTP\/1\.0 401 /,
     'no login for a user who was deleted meanwhile');
$t->stop;


# ---- a crowd, each in a place of its own ----

$n = Fieldgate::Ntrip->new(
    users => 40, accounts => 40, workers => 1, provider => { rate => 5 },
    server => 'ntrip_source_wait 30s;');
($t, $provider) = ($n->nginx, $n->provider);

$rovers = Fieldgate::Rovers->new(
    port => $t->port('caster'),
    rovers => [map { $n->rover($_, lat => 2 * $_ - 41) } 1 .. 40]);
my $seen = $rovers->wait_for(sub {
    my $s = shift;
    return $s->{fed} == 40 || $s->{open} < 40;
});
is($seen->{open}, 40, 'logins at a provider are paced, not left out');
is($provider->seen->{logins}, 40, 'one for each place');
$rovers->stop;
$t->stop;


# ---- half a close ----

# the table is larger than what the kernel takes at once

$n = Fieldgate::Ntrip->new(
    users => 1, accounts => 1, workers => 1,
    stream => join '', 'server { listen 127.0.0.1:%%PORT:small%% sndbuf=4k;'
                       . ' ntrip_caster; ntrip_relay; }',
                       map { "ntrip_mount X$_;\n" } 1 .. 4000);
$t = $n->nginx;

socket(my $socket, PF_INET, SOCK_STREAM, 0) or die "socket: $!";
setsockopt($socket, SOL_SOCKET, SO_RCVBUF, 4096) or die "setsockopt: $!";
connect($socket, pack_sockaddr_in($t->port('small'), INADDR_LOOPBACK))
    or die "connect: $!";
syswrite $socket, "GET / HTTP/1.0\r\n\r\n";
shutdown $socket, 1;

# read slowly, so that the end of the request is seen before that of the table

my ($table, $size) = ('', 1);
while ($size) {
    $size = sysread $socket, $table, 1024, length $table;
    select undef, undef, undef, 0.001 if length $table < 65536;
}
like($table, qr/\r\nSTR;X4000;.*\r\nENDSOURCETABLE\r\n\z/,
     'the whole table for a peer that has shut its side down');
$t->stop;

done_testing();
