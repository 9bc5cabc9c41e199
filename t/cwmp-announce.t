# What is announced for which origin, and what the log has about it; and the
# client as the ACS is told of it.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Echo;
use Fieldgate::Env qw(top read_file);

use IO::Socket::UNIX;

my $echo = free_port();

my $t = Fieldgate->new(workers => 2, http => <<"END");
    cwmp_zone cwmp:1m;
    cwmp_secret "a key of enough bytes";
    cwmp_public_url http://acs-side.example:7548/client;
    set_real_ip_from 127.0.0.1;
    set_real_ip_from unix:;
    proxy_set_header Forwarded \$cwmp_forwarded;

    server {
        listen 127.0.0.1:%%PORT:cpe%%;
        listen 127.0.0.1:%%PORT:tls%% ssl;
        listen unix:%%DIR%%/cpe.sock;
        ssl_certificate %%DIR%%/tls.crt;
        ssl_certificate_key %%DIR%%/tls.key;
        cwmp on;

        location / { proxy_pass http://127.0.0.1:$echo; }

        location /port {
            cwmp_origin_allow client:7547;
            proxy_pass http://127.0.0.1:$echo;
        }

        location /own {
            cwmp_origin_allow 127.0.0.0/8;
            proxy_pass http://127.0.0.1:$echo;
        }
    }

    server {
        listen 127.0.0.2:%%PORT:own%%;
    }
END

system('openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=acs '
       . '-keyout ' . $t->path('tls.key') . ' -out ' . $t->path('tls.crt')
       . ' 2>/dev/null') == 0 or die 'openssl';

$t->spawn('echo', sub { Fieldgate::Echo::serve($echo) });
wait_for(sub { Fieldgate::Echo::ready($echo) }, 'the upstream');
$t->start;

my $inform = read_file(top() . '/t/fuzz/corpus/cwmp_message/inform.xml');

# the request of a device whose connection comes from that address

sub message {
    my ($uri, $from, $device, $url) = @_;
    my $body = $inform =~ s{http://192\.168\.100\.50:7547/tr069}{$url}r
                       =~ s{(<SerialNumber>)[^<]*}{$1$device}r;
    return "POST $uri HTTP/1.0\r\nHost: x\r\n"
           . ($from eq '' ? '' : "X-Real-IP: $from\r\n")
           . 'Content-Length: ' . length($body) . "\r\n\r\n$body";
}

sub announced {
    my ($got) = $t->exchange('cpe', message(@_))
        =~ m{ConnectionRequestURL</Name>\s*<Value[^>]*>([^<]*)};
    return $got;
}

sub warnings {
    my ($regex) = @_;
    return scalar grep { /\[warn\]/ && /$regex/ } split /\n/, $t->error_log;
}


# the address that the connection comes from, after realip

my $public = 'http://acs-side.example:7548/client?origin=';
my $signed = qr{&amp;sig=[\w-]{22}$};

like(announced('/', '10.1.2.3', 'A', 'http://10.1.2.3:7547/x'),
     qr{^\Q${public}\Ehttp://10\.1\.2\.3:7547/x$signed}, 'its own: signed');
like(announced('/', 'fd00::3', 'A', 'http://[fd00:0::3]:7547/x'),
     qr{^\Q${public}\Ehttp://\[fd00:0::3\]:7547/x$signed}, 'IPv6: signed');
like(announced('/port', '10.1.2.3', 'A', 'http://10.1.2.3:7547/x'), $signed,
     'the port that is allowed: signed');
is(warnings('cannot be called'), 0, 'nothing to warn of');

is(announced('/', '10.1.2.3', 'B', 'http://10.1.2.4:7547/secret'),
   "${public}http://10.1.2.4:7547/secret",
   'that of another one: announced, but not signed');
is(announced('/port', '10.1.2.3', 'C', 'http://10.1.2.3:7548/secret'),
   "${public}http://10.1.2.3:7548/secret", 'another port: not signed');

# once for each device and reason, in whatever worker

announced('/', '10.1.2.3', 'B', 'http://10.1.2.4:7547/secret') for 1 .. 10;
is(warnings(qr/"\S+-B" announces an origin 10\.1\.2\.4:7547 that/), 1,
   'a refusal is logged once for a device');
is(warnings(qr/"\S+-C" announces an origin 10\.1\.2\.3:7548 that/), 1,
   'and for the next');
announced('/port', '10.1.2.3', 'B', "http://$_/") for ('169.254.1.1:7547') x 3;
is(warnings(qr/"\S+-B" announces an origin 169\.254\.1\.1:7547 that/), 1,
   'another reason of the same device is logged as well, once');

is(announced('/', '10.1.2.3', 'D&#10;[note] x', 'nothing'),
   "${public}nothing", 'what is no URL: announced, but not signed');
is(warnings(qr/-D\?\[note\] x" announces an origin that is no http URL/), 1,
   'a name from outside stays in its line of the log');

# nginx's own sockets

my $own = $t->port('own');
is(announced('/own', '', 'E', "http://127.0.0.2:$own/"),
   "${public}http://127.0.0.2:$own/", 'a listening socket of nginx: not signed');
is(warnings(qr/-E" announces an origin 127\.0\.0\.2:$own that/), 1, 'and why');
my $other = $own == 7547 ? 7548 : 7547;
like(announced('/own', '', 'E', "http://127.0.0.2:$other/"), $signed,
     'beside it: signed');

# TR-098: 256 characters

my $base = "${public}http://10.1.2.3/";
my $sig = length('&sig=') + 22;
for my $case ([256, 0], [257, 1], [257, 1]) {
    my ($length, $n) = @$case;
    my $path = 'p' x ($length - length($base) - $sig);
    my $got = announced('/', '10.1.2.3', 'F', "http://10.1.2.3/$path");
    is(length($got =~ s/&amp;/&/r), $length, "$length characters");
    is(warnings(qr/CPE "\S+-F" has \d+ characters/), $n,
       $n ? 'are logged, once' : 'are no reason to warn');
}

unlike($t->error_log, qr{/secret|/ppp|a key of enough}, 'no secret is logged');


# $cwmp_forwarded (RFC 7239 4)

sub forwarded { $_[0] =~ /^Forwarded: (.*?)\r$/m ? $1 : '' }

like(forwarded($t->exchange('cpe', message('/', '', 'A', 'x'))),
     qr/^for="127\.0\.0\.1:\d+";proto=http$/, 'Forwarded: address and port');
like(forwarded($t->exchange('cpe', message('/', 'fd00::3', 'A', 'x'))),
     qr/^for="\[fd00::3\](?::\d+)?";proto=http$/, 'IPv6 in brackets');

like(forwarded($t->exchange('cpe', message('/', '::ffff:10.1.2.3', 'A', 'x'))),
     qr/^for="10\.1\.2\.3(?::\d+)?";proto=http$/, 'a mapped address is IPv4');

my $s = IO::Socket::UNIX->new(Peer => $t->path('cpe.sock')) or die "unix: $!";
$s->autoflush;
print $s message('/', '', 'A', 'x');
is(forwarded(Fieldgate::read_all($s)), 'for="unknown";proto=http',
   'a local socket has no address');

my $port = $t->port('tls');
like(forwarded(scalar `curl -sSk --noproxy "*" -d x https://127.0.0.1:$port/`),
     qr/^for="127\.0\.0\.1:\d+";proto=https$/, 'TLS');

done_testing;
