# A session over HTTP/3: the Inform's URL is rewritten, and the requests of one
# QUIC connection share one upstream connection.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Affinity;
use Fieldgate::Env qw(has_feature read_file);
use IO::Socket::INET;

plan(skip_all => 'this nginx was built without http_v3_module')
    unless has_feature('http_v3');

my $curl = `curl -V`;
plan(skip_all => 'this curl does not speak HTTP/3')
    unless $curl =~ /^Features:.*\bHTTP3\b/m;

# what is free for TCP may be taken for UDP

my $port;
for (1 .. 20) {
    $port = free_port();
    last if IO::Socket::INET->new(LocalAddr => '127.0.0.1', Proto => 'udp',
                                  LocalPort => $port);
}

my $t = Fieldgate->new(workers => 2, http => <<"END");
    cwmp_zone cwmp:1m;
    ssl_certificate %%DIR%%/tls.crt;
    ssl_certificate_key %%DIR%%/tls.key;

    upstream acs {
        server 127.0.0.1:%%PORT:acs1%%;
        server 127.0.0.1:%%PORT:acs2%%;
        cwmp_affinity;
    }

    server {
        listen 127.0.0.1:$port quic reuseport;
        location / {
            cwmp on;
            cwmp_public_url http://acs-side.example/client;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_pass http://acs;
        }
    }
END

# curl: one connection, on which it sends these messages; the heads of the
# answers, with what it says of itself

my @think;

sub session {
    my ($device, @kinds) = @_;
    my @args = ('curl', @think);

    for my $i (0 .. $#kinds) {
        $t->write("body$i", message($kinds[$i], $device));
        unlink $t->path("head$i");
        push @args, '--next' if $i;
        push @args, qw(-s -S -k -b none --noproxy * --http3-only --max-time 50 -o
                       /dev/null -H Expect: -H Content-Type:text/xml),
             '-D', $t->path("head$i"), '-w', '%{http_version}:%{num_connects} ',
             '--data-binary', '@' . $t->path("body$i"),
             "https://127.0.0.1:$port/";
    }

    open my $out, '-|', @args or die "curl: $!";
    my $said = do { local $/; readline $out } // '';
    close $out or die "curl failed: $?";

    return ($said, map { read_file($t->path("head$_")) } 0 .. $#kinds);
}

# the ACS writes down what it gets

sub on_message {
    my ($acs, $head, $body) = @_;
    my ($url) = $body =~ m{RequestURL</Name><Value[^>]*>(.*?)</Value>};
    open my $fh, '>>', $t->path('urls') or die $!;
    print $fh "$url\n";
    close $fh;
}

certificate($t);
acs($t, no_cookie => 1, on_message => \&on_message);
$t->start;

my %conns;

for my $i (1 .. 6) {
    my ($said, @heads) = session("Q$i", qw(inform empty response));

    is($said, '3:1 3:0 3:0 ', "session $i: one connection, of HTTP/3");
    is(join(' ', map { m{^HTTP/3 (\d+)} } @heads), '200 200 204',
       "session $i: is whole");

    my %conn = map { m{^x-acs: (\w+)}m; my $acs = $1;
                     m{^x-conn: (\w+)}m; ("$acs $1" => 1) } @heads;
    is(keys %conn, 1, "session $i: on one upstream connection");
    @conns{keys %conn} = ();
}

is(keys %conns, 6, 'each session has its own');
is(read_file($t->path('urls')),
   join('', map { "http://acs-side.example/client?origin="
                  . "http://127.0.0.1:7547/Q$_\n" } map { ($_, $_) } 1 .. 6),
   'each URL is rewritten, in Inform and in GetParameterValuesResponse');
never_mixed(seen($t), 'HTTP/3');

# The CPE thinks for three seconds at least, in which nginx reloads.  Packets go
# to whichever worker nginx finds: a new one does not know the connection, and
# then the CPE makes another one.  The session goes on at its server.

{
    my $master = $t->master;
    acs($t);
    unlink $t->path('head0');

    my $pid = $t->spawn(reload => sub {
        select undef, undef, undef, 0.05
            until -s $t->path('head0')
                  && read_file($t->path('head0')) =~ /\n\r\n/;
        kill HUP => $master;
    });

    @think = qw(--rate 20/m);
    my ($said, @heads) = session('R', qw(inform empty response));
    is($t->reap($pid), 0, 'and meanwhile a reload');

    is(join(' ', map { m{^HTTP/3 (\d+)} } @heads), '200 200 204',
       'the session is whole');
    my %server = map { m{^x-acs: (\w+)}m; ($1 => 1) } @heads;
    is(keys %server, 1, 'and stays at its server');
}

done_testing;
