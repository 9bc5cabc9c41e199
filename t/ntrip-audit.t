# What goes wrong where two things meet: leads that jump, reloads of those who
# wait, servers that share a stream and differ, TLS.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Env qw(read_file);
use Fieldgate::Ntrip;
use Fieldgate::Provider qw(frame frame_read);

use IO::Socket::SSL qw(SSL_VERIFY_NONE);
use MIME::Base64 qw(encode_base64);
use Socket qw(SOL_SOCKET SO_RCVBUF);

my $gga = '$GPGGA,120000.00,4806.0000,N,01130.0000,E,4,12,0.8,500.0,M,45.0,M,,';

sub request {
    my ($number) = @_;
    return "GET /M0 HTTP/1.0\r\nAuthorization: Basic "
           . encode_base64("u$number:p$number", '') . "\r\n\r\n$gga\r\n";
}

# takes whole messages off the front: [login, number]; dies of a damaged one

sub messages {
    my ($buf) = @_;
    my @got;

    while (length $$buf >= 3) {
        my $size = unpack('x n', $$buf) + 6;
        last if length $$buf < $size;
        my $message = substr $$buf, 0, $size, '';
        push @got, [frame_read($message)];
        $message eq frame(@{$got[-1]}, $size) or die "a damaged message";
    }

    return @got;
}


# ---- a lead that jumps ----

# it does not take the stream of the others along

my $n = Fieldgate::Ntrip->new(
    users => 4, accounts => 2, workers => 2, provider => { rate => 20 },
    server => 'ntrip_gga_interval 100ms; ntrip_source_linger 100ms;');
my ($t, $provider) = ($n->nginx, $n->provider);

my $rovers = Fieldgate::Rovers->new(port => $t->port('caster'), gga => 0.2,
                                    rovers => [$n->rover(1)]);
$rovers->wait_for(fed => 1);
$rovers->add($n->rover(2), $n->rover(3));
$rovers->wait_for(fed => 3);
my $account = $provider->seen->{requests}[0]{account};

$rovers->move('u1', 10, 11.6);
$rovers->wait_for(sub { shift->{rovers}{u1}{switches} });
$provider->wait_for(sub {
    scalar grep { $_->{account} ne $account } @{shift->{gga}};
});
my $gga_seen = @{$provider->seen->{gga}};
$provider->wait_for(sub {
    my @new = @{shift->{gga}};
    5 <= grep { $_->{account} eq $account } @new[$gga_seen .. $#new];
});
is(scalar(grep { $_->{account} eq $account && $_->{line} =~ /,1000\.0/ }
          @{$provider->seen->{gga}}), 0,
   'the position of a lead that leaves does not go to those who stay');
my $seen = $rovers->seen;
is("$seen->{rovers}{u2}{switches} $seen->{rovers}{u3}{switches}", '0 0',
   'they stay');
is($provider->seen->{logins}, 2, 'with two accounts in all');
is("@{$seen->{errors}}", '', 'all got whole messages');
$rovers->stop;
$t->stop;


# ---- a reload while somebody waits ----

# without positions nothing but the new worker's own try brings it to a stream

$n = Fieldgate::Ntrip->new(
    users => 2, accounts => 0, mounts => 0, workers => 2,
    provider => { rate => 20 }, stream => 'ntrip_mount M0 gga=off;');
($t, $provider) = ($n->nginx, $n->provider);

my $socket = $t->connect('caster');
syswrite $socket, request(1);
Fieldgate::read_all($socket, qr/^ICY 200 OK\r\n\r\n$/);
$t->reload(gone => 1);
$n->sql("INSERT INTO source (host, name, password)"
        . " VALUES ('127.0.0.1', 'a1', 's1');");
my $buf = '';
$socket->blocking(0);
wait_for(sub {
    sysread $socket, $buf, 65536, length $buf;
    return length $buf > 500;
}, 'the rover that has waited to be fed');
cmp_ok(scalar messages(\$buf), '>', 3,
       'a rover that waits is fed behind a reload');
close $socket;
$t->stop;


# ---- two servers, one stream ----

# each treats its own rovers as it says

$n = Fieldgate::Ntrip->new(
    users => 4, accounts => 1, workers => 1,
    provider => { rate => 200, size => 1000 },
    server => 'ntrip_max_age 300s; ntrip_send_timeout 300s;',
    stream => 'log_format n "$ntrip_user $ntrip_result";'
              . 'access_log %%DIR%%/access.log n;',
    others => { strict => 'ntrip_max_age 300ms; ntrip_slow_rover close;' });
($t, $provider) = ($n->nginx, $n->provider);

sub slow {
    my ($number, $name) = @_;

    socket(my $s, Socket::AF_INET(), Socket::SOCK_STREAM(), 0) or die $!;
    setsockopt($s, SOL_SOCKET, SO_RCVBUF, 4096) or die $!;
    connect($s, Socket::pack_sockaddr_in($t->port($name),
                                         Socket::INADDR_LOOPBACK())) or die $!;
    syswrite $s, request($number);
    return $s;
}

my $patient = slow(1, 'caster');
$rovers = $n->rovers(2);
$rovers->wait_for(fed => 1);
my $strict = slow(3, 'strict');
wait_for(sub { read_file($t->path('access.log')) =~ /^u3 slow$/m },
         'the slow rover of the strict server to be closed');
$rovers->wait_for(messages => $rovers->seen->{messages} + 400);
unlike(read_file($t->path('access.log')), qr/^u1 /m,
       'a slow rover of another server stays');
is($provider->seen->{logins}, 1, 'of the same stream');
close $_ for $patient, $strict;
$rovers->stop;
$t->stop;


# ---- TLS ----

$provider = Fieldgate::Provider->new(rate => 100, size => 1000);
my $port = $provider->port;
$n = Fieldgate::Ntrip->new(
    users => 4, accounts => 1, workers => 2, provider => $provider, start => 0,
    server => 'ntrip_max_age 2s;', zone => '8m',
    stream => "ntrip_ring_size 512k;
    server {
        listen 127.0.0.1:%%PORT:tls%% ssl;
        ssl_certificate %%DIR%%/tls.crt;
        ssl_certificate_key %%DIR%%/tls.key;
        ntrip_caster;
        ntrip_relay port=$port;
        ntrip_max_age 2s;
    }");
$t = $n->nginx;
system('openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=caster '
       . '-keyout ' . $t->path('tls.key') . ' -out ' . $t->path('tls.crt')
       . ' 2>/dev/null') == 0 or die 'openssl';
$t->start;

my $plain = IO::Socket::IP->new(PeerHost => '127.0.0.1', Blocking => 1,
                                PeerPort => $t->port('tls')) or die $@;
setsockopt($plain, SOL_SOCKET, SO_RCVBUF, 32768) or die $!;

my @got;
my $tls = IO::Socket::SSL->start_SSL($plain, SSL_verify_mode => SSL_VERIFY_NONE)
    or die "TLS: $IO::Socket::SSL::SSL_ERROR";
print $tls request(1);

my $in = '';
$tls->blocking(0);

sub read_tls {
    my $got;
    do {
        $got = sysread $tls, $in, 65536, length $in;
    } while ($got);
    push @got, messages(\$in)
        if $in !~ /^ICY/ || $in =~ s/^ICY 200 OK\r\n\r\n//;
    return scalar @got;
}

wait_for(sub { read_tls() > 50 }, 'messages over TLS');
is(scalar(grep { $got[$_][1] != $got[$_ - 1][1] + 1 } 1 .. $#got), 0,
   'a rover with TLS gets every message, in order');

# it does not read for long: writes are repeated, then messages skipped

$rovers = $n->rovers(2);
$rovers->wait_for(messages => 500);
my $last = $got[-1][1];
wait_for(sub { read_tls(); $got[-1][1] > $last + 450 },
         'the rover with TLS to be up to date');
is(scalar(grep { $got[$_][1] <= $got[$_ - 1][1] } 1 .. $#got), 0,
   'behind a pause it gets whole messages, none twice');
cmp_ok(scalar(grep { $got[$_][1] != $got[$_ - 1][1] + 1 } 1 .. $#got), '>=', 1,
       'and has skipped some');

# a reload leaves it where it is

$t->reload;
my $mark = @got;
wait_for(sub { read_tls() > $mark + 400 }, 'messages behind a reload');
is(scalar(grep { $got[$_][1] != $got[$_ - 1][1] + 1 } $#got - 100 .. $#got), 0,
   'a reload does not cut it');
is($provider->seen->{logins}, 1, 'nor its source');
close $tls;
$rovers->stop;

done_testing;
