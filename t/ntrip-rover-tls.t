# Rovers over TLS and behind the PROXY protocol: one source feeds them and plain
# ones, in all workers, to the last byte; slow ones, reloads, the end of a
# worker; and nginx's own limits, lists and variables with rovers.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Env qw(read_file);
use Fieldgate::Ntrip;
use Fieldgate::Provider qw(frame frame_read);
use Fieldgate::Rovers;
use IO::Socket::SSL;
use MIME::Base64 qw(encode_base64);
use Socket qw(SOL_SOCKET SO_RCVBUF);
use Time::HiRes qw(sleep time);

my $log = q($ntrip_user|$remote_addr|$proxy_protocol_addr:$proxy_protocol_port|)
        . q($ntrip_result|$ssl_server_name|$ssl_client_s_dn|$bytes_sent|)
        . q($ntrip_messages);

my $ssl = <<'END';
    ssl_certificate %%DIR%%/cert.pem;
    ssl_certificate_key %%DIR%%/key.pem;
END

my $n = Fieldgate::Ntrip->new(
    users => 60, accounts => 4, workers => 2, start => 0,
    provider => { rate => 20 },
    stream => <<"END", server => 'access_log %%DIR%%/access.log rover;');
    ntrip_source_linger 30s;
    log_format rover '$log';
    $ssl
    limit_conn_zone \$binary_remote_addr zone=addr:1m;
    geo \$remote_addr \$wanted { default no; 203.0.113.0/24 yes; }
    map \$ssl_preread_server_name \$behind {
        default 127.0.0.1:%%PORT:none%%;
        rovers.example 127.0.0.1:%%PORT:both%%;
    }

    server {
        listen 127.0.0.1:%%PORT:tls%% ssl;
        ntrip_caster;
        ntrip_relay port=%%PROVIDER%%;
        access_log %%DIR%%/access.log rover;
    }
    server {
        listen 127.0.0.1:%%PORT:proxy%% proxy_protocol;
        set_real_ip_from 127.0.0.1;
        deny 203.0.113.66;
        limit_conn addr 2;
        ntrip_caster;
        ntrip_relay port=%%PROVIDER%%;
        access_log %%DIR%%/access.log rover;
        access_log %%DIR%%/wanted.log rover if=\$wanted_only;
    }
    map \$wanted \$wanted_only { yes 1; default 0; }
    server {
        listen 127.0.0.1:%%PORT:both%% ssl proxy_protocol;
        ntrip_caster;
        ntrip_relay port=%%PROVIDER%%;
        access_log %%DIR%%/access.log rover;
    }
    server {
        listen 127.0.0.1:%%PORT:preread%%;
        ssl_preread on;
        proxy_protocol on;
        proxy_pass \$behind;
    }
    server {
        listen 127.0.0.1:%%PORT:mtls%% ssl;
        ssl_client_certificate %%DIR%%/cert.pem;
        ssl_verify_client on;
        ntrip_caster;
        ntrip_relay port=%%PROVIDER%%;
        access_log %%DIR%%/access.log rover;
    }
    server {
        listen 127.0.0.1:%%PORT:skip%% ssl;
        ntrip_max_age 1s;
        ntrip_caster;
        ntrip_relay port=%%PROVIDER%%;
        access_log off;
    }
    server {
        listen 127.0.0.1:%%PORT:slow%% ssl;
        ntrip_slow_rover close;
        ntrip_max_age 1s;
        ntrip_caster;
        ntrip_relay port=%%PROVIDER%%;
        access_log %%DIR%%/access.log rover;
    }
END
my ($t, $provider) = ($n->nginx, $n->provider);
my $at = $provider->port;
$t->{stream} =~ s/%%PROVIDER%%/$at/g;

system('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-batch',
       '-subj', '/CN=rover', '-days', 2, '-out', $t->path('cert.pem'),
       '-keyout', $t->path('key.pem')) == 0 or die 'openssl failed';
$t->start;

# what it says of a user, once it is there

sub logged {
    my ($user, $file) = @_;
    my $line;
    wait_for(sub {
        ($line) = read_file($t->path($file // 'access.log'))
                  =~ /^$user\|(.*)$/m;
    }, "the line of $user");
    return $line // '';
}

sub more {
    my ($rovers, $messages) = @_;
    my $before = $rovers->seen->{rovers};
    return $rovers->wait_for(sub {
        my $seen = shift->{rovers};
        !grep { $seen->{$_}{state} eq 'data'
                && $seen->{$_}{messages} < $before->{$_}{messages} + $messages }
              keys %$seen;
    });
}

sub gone {
    my ($rovers, $id) = @_;
    return $rovers->wait_for(sub {
        ($_[0]{rovers}{$id}{state} // '') eq 'closed' })->{rovers}{$id};
}


# one source, rovers of all kinds, in both workers

my %port = map { $_ => $t->port($_) }
               qw(tls proxy both preread mtls slow skip);
my $v1 = sub { "PROXY TCP4 203.0.113.$_[0] 192.0.2.1 " . (40000 + $_[0])
                   . " 2101\r\n" };
my $v2 = sub { "\r\n\r\n\0\r\nQUIT\n\x21\x11" . pack('n', 12)
               . pack('C4 C4 n n', 203, 0, 113, $_[0], 192, 0, 2, 1,
                      50000 + $_[0], 2101) };

my $rovers = Fieldgate::Rovers->new(port => $t->port('caster'), rovers => [
    (map { $n->rover($_) } 1 .. 6),
    (map { $n->rover($_, port => $port{tls}, tls => {}) } 7 .. 14),
    (map { $n->rover($_, port => $port{proxy}, before => $v1->($_)) } 15, 16),
    (map { $n->rover($_, port => $port{proxy}, before => $v2->($_)) } 17, 18),
    (map { $n->rover($_, port => $port{both}, before => $v1->($_), tls => {}) }
         19, 20),
    (map { $n->rover($_, port => $port{both}, before => $v2->($_), tls => {}) }
         21, 22),
    $n->rover(23, port => $port{preread},
              tls => { SSL_hostname => 'rovers.example' }),
    $n->rover(24, port => $port{mtls},
              tls => { SSL_cert_file => $t->path('cert.pem'),
                       SSL_key_file => $t->path('key.pem') }),
]);
$rovers->wait_for(fed => 24);
my $seen = more($rovers, 20);
is($seen->{open}, 24, 'plain rovers and those with TLS, PROXY protocol, both');
is(join("\n", @{$seen->{errors}}), '', 'get every byte');
is($provider->seen->{logins}, 1, 'of one login at the provider');

# without its certificate, and with a name that leads nowhere

$rovers->add($n->rover(25, port => $port{mtls}, tls => {}));
gone($rovers, 'u25');
ok($t->wait_log(qr/client sent no required SSL certificate/),
   'ssl_verify_client: no certificate, no rover');
$rovers->add($n->rover(26, port => $port{preread},
                       tls => { SSL_hostname => 'other.example' }));
$t->wait_log(qr/connect\(\) failed.*upstream/);
gone($rovers, 'u26');


# two reloads: what is plain goes to new workers, PROXY protocol and all; what
# has TLS stays, fed by the source that is elsewhere

for my $round (1, 2) {
    my %old = map { $_ => 1 } $t->pids;
    $t->reload;
    wait_for(sub { 2 == grep { !$old{$_} } $t->pids }, 'new workers');
    $n->wait_rows('CLIENT-LIST', 24);
    $seen = more($rovers, 20);
    is($seen->{open}, 24, "reload $round drops nobody");
    is(join("\n", @{$seen->{errors}}), '', 'and each message comes once');
    is($provider->seen->{logins}, 1, 'and the provider sees one login');
}
$rovers->add($n->rover(27));
more($rovers, 10);
is($provider->seen->{logins}, 1, 'who comes now shares it');

$rovers->leave('u15', 'u19', 'u24', 'u23');
like(logged('u15'), qr/^203\.0\.113\.15\|203\.0\.113\.15:40015\|closed\|/,
     'the address of the PROXY protocol outlives two hand-overs');
like(logged('u19'), qr/^127\.0\.0\.1\|203\.0\.113\.19:\d+\|closed\|/,
     'as it does with TLS');
like(logged('u24'), qr/\|closed\|-\|CN=rover\|\d+\|\d+$/,
     'a certificate of the rover in the log');
like(logged('u23'), qr/\|closed\|rovers\.example\|-\|[1-9]/, 'SNI in the log');

# bytes and messages, header included: 120 each behind "ICY 200 OK\r\n\r\n"

for my $user ('u15', 'u19') {
    my ($bytes, $messages) = logged($user) =~ /\|(\d+)\|(\d+)$/;
    is($bytes, 14 + $messages * 120, "\$bytes_sent of $user");
}


# nginx 1.22 says so of one that it turns away while its request is under way
$t->allow(qr/SSL_shutdown\(\) failed .*application data after close notify/);

# allow, deny, limit_conn, geo and map see the rover's own address

$rovers->add($n->rover(28, port => $port{proxy}, before => $v1->(66)));
is(gone($rovers, 'u28')->{header}, undef, 'deny: an address behind a proxy');
$rovers->add(map { $n->rover($_, port => $port{proxy}, before => $v1->(70)) }
                 29, 30);
$rovers->wait_for(sub { my $r = shift->{rovers};
                        2 == grep { $r->{$_}{messages} } qw(u29 u30) });
$rovers->add($n->rover(31, port => $port{proxy}, before => $v1->(70)));
gone($rovers, 'u31');
ok($t->wait_log(qr/limiting connections by zone "addr".*203\.0\.113\.70/),
   'limit_conn: one rover too many of an address');
$rovers->add($n->rover(32, port => $port{proxy}, before => $v1->(71)));
$rovers->wait_for(sub { $_[0]{rovers}{u32}{messages} });
$rovers->leave('u32');
like(logged('u32', 'wanted.log'), qr/^203\.0\.113\.71\|/,
     'access_log with "if", geo and map');


# a slow one: behind, it skips whole messages; "close" ends it

sub tls {
    my ($user, $port, %opt) = @_;
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port)
        or die "connect: $!";
    setsockopt $s, SOL_SOCKET, SO_RCVBUF, 4096 if $opt{small};
    IO::Socket::SSL->start_SSL($s, SSL_verify_mode => 0)
        or die "TLS: $IO::Socket::SSL::SSL_ERROR";
    my $auth = encode_base64("u$user:p$user", '');
    print $s "GET /M0 HTTP/1.0\r\nUser-Agent: NTRIP t\r\n"
             . "Authorization: Basic $auth\r\n\r\n"
             . '$GPGGA,120000,4806.0,N,01136.0,E,4,12,0.8,500,M,47,M,,'
             . "\r\n";
    return $s;
}

# frames that are right, and where some are missing; or what is wrong

sub frames {
    my ($bytes) = @_;
    my ($n, $gaps, $last) = (0, 0);
    while (length $bytes >= 6) {
        my $len = 6 + unpack 'x n', $bytes;
        last if length $bytes < $len;
        my $got = substr $bytes, 0, $len, '';
        my ($login, $seq) = frame_read($got);
        return "message $n is damaged"
            if $got ne frame($login, $seq, $len) || $n && $seq <= $last;
        $gaps++ if $n && $seq != $last + 1;
        ($last, $n) = ($seq, $n + 1);
    }
    return ($n, $gaps, length $bytes);
}

# beside other tests, or with sanitizers, all rovers are too slow for this rate

SKIP: {
    skip('a rate for a machine of its own: t/run --long', 4)
        if defined $ENV{TEST_NGINX_BINARY} || !$ENV{FIELDGATE_LONG};

    $provider->set(size => 1000, rate => 100);
    my $lazy = tls(33, $port{skip}, small => 1);
    my $strict = tls(34, $port{slow}, small => 1);
    like(logged('u34'), qr/\|slow\|/, '"close": a slow one with TLS is closed');
    more($rovers, 300);
    my ($in, $whole, $gaps) = ('');
    $lazy->blocking(0);
    wait_for(sub {
        1 while sysread $lazy, $in, 65536, length $in;
        $in =~ s/^ICY 200 OK\r\n\r\n//;
        ($whole, $gaps) = frames($in);
        return $gaps || $whole !~ /^\d+$/;
    }, 'a gap');
    like($whole, qr/^[1-9]\d*$/, 'a slow one with TLS gets whole messages');
    cmp_ok($gaps // 0, '>', 0, 'and skips some');
    close $lazy;
    $seen = more($rovers, 100);
    is(join("\n", @{$seen->{errors}}), '', 'while others get them all');
}
$provider->set(size => 120, rate => 20);


# the end of a worker.  The time is that of the configuration in which the old one
# was started; nginx sends no close_notify on connections that outlive it.

$t->reload(main => 'worker_shutdown_timeout 1s;');

my @stay = map { tls($_, $port{tls}) } 36, 37;
my @got = ('') x @stay;
for my $i (0 .. $#stay) {
    sysread $stay[$i], $got[$i], 65536, length $got[$i]
        while $got[$i] !~ /\r\n\r\n\xd3/;
}
$t->reload;
for my $i (0 .. $#stay) {
    my $r;
    $r = sysread $stay[$i], $got[$i], 65536, length $got[$i]
        while !defined $r || $r > 0;
    is($r, 0, 'worker_shutdown_timeout: the connection ends');
    $got[$i] =~ s/^.*?\r\n\r\n//s;
    is(join(',', (frames($got[$i]))[1, 2]), '0,0', 'at the end of a message');
}
like(logged('u36'), qr/\|shutdown\|/, 'and the log says why');

$rovers->stop;
$t->stop;

done_testing();
