# cwmp_url_mode host: the CPE's own path and query, untouched, at a name that has
# its origin and the signature.  From the Inform to the CPE, with curl as the ACS.

use lib 't/lib';
use Fieldgate;
use Fieldgate::ConnectionRequest;
use Fieldgate::Dns;
use Fieldgate::Echo;
use Fieldgate::Env qw(top read_file);
use Fieldgate::Wakeup;
use IO::Socket::INET;

my $echo = free_port();
my $long = join('.', ('a' x 30, 'b' x 20)) . '.cpes';
my $wildcard = free_port();
my $dns = Fieldgate::Dns->new('cpe.lan' => ['127.0.0.1'],
                              $long => ['127.0.0.1']);

my $t = Fieldgate->new(workers => 2, http => <<"END");
    cwmp_zone cwmp:1m;
    cwmp_secret "a key of sixteen bytes";
    cwmp_url_mode host;
    cwmp_origin_allow ~\\.lan\$ ~\\.cpes\$ 127.0.0.1 ::1;
    resolver 127.0.0.1:@{[$dns->port]} ipv6=off;
    log_format wakeup '\$status \$cwmp_origin \$cwmp_wakeup_result';

    server {
        listen 127.0.0.1:%%PORT:cpe%%;
        cwmp on;
        cwmp_public_url http://*.wake.example:%%PORT:acs%%;
        location / { proxy_pass http://127.0.0.1:$echo; }
        location /variable {
            cwmp_public_url http://\$http_x_public;
            proxy_pass http://127.0.0.1:$echo;
        }
    }

    server {
        listen 127.0.0.1:%%PORT:acs%%;
        server_name *.wake.example;
        access_log %%DIR%%/wakeup.log wakeup;
        location / {
            cwmp_connection_request;
            cwmp_timeout 150s;
        }
    }

    # where the ACS asks its own name server

    server {
        listen 127.0.0.1:%%PORT:asks%%;
        resolver 127.0.0.1:$wildcard ipv6=off;
        proxy_set_header Host \$http_host;
        location / { proxy_pass http://\$http_host\$request_uri; }
    }
END

$t->spawn('echo', sub { Fieldgate::Echo::serve($echo) });
wait_for(sub { Fieldgate::Echo::ready($echo) }, 'the upstream');
$t->start;

my $inform = read_file(top() . '/t/fuzz/corpus/cwmp_message/inform.xml');
my ($own) = $inform =~ m{(http://192\.168\.100\.50[^<]*)};

# what is announced in place of a URL

sub announced {
    my ($url, $path, $header) = @_;
    my $body = $inform =~ s/\Q$own\E/$url/r;
    my $reply = $t->exchange('cpe', 'POST ' . ($path // '/') . " HTTP/1.1\r\n"
        . "Host: x\r\nConnection: close\r\n" . ($header // '')
        . 'Content-Length: ' . length($body) . "\r\n\r\n$body");
    my ($got) = $reply =~ m{ConnectionRequestURL</Name>\s*<Value[^>]*>([^<]*)<};
    return ($got // $reply) =~ s/&amp;/&/gr;
}

my $acs = $t->port('acs');

# what curl does with it: (status, as the name server's wildcard would have it)

sub curl {
    my ($url, @options) = @_;
    my ($name) = $url =~ m{^http://([^:/]+)};
    my $status = `curl -s -o /dev/null -w '%{http_code}' --globoff \\
                  --resolve '$name:$acs:127.0.0.1' @options '$url'`;
    return $status;
}

for my $case (['IPv4', '127.0.0.1', 1, '/secret%2Fpath;x?a=b&c=%7e'],
              ['IPv6', '::1', 1, '/'],
              ['a name', 'cpe.lan', 1, '/x?y'],
              ['a long name', $long, 2, "/y"])
{
    my ($what, $host, $labels, $path) = @$case;
    my $at = $host =~ /:/ ? $host : '127.0.0.1';
    my $cpe = eval { Fieldgate::ConnectionRequest->new(host => $at,
                                                        max_cnonce => 200) };
    if (!$cpe) {
        SKIP: { skip "no address $at here", 1 }
        next;
    }
    my ($port) = $cpe->hostport =~ /:(\d+)$/;
    my $hostport = ($host =~ /:/ ? "[$host]" : $host) . ":$port";

    my $url = announced("http://$hostport$path");
    my ($name, $rest) = $url =~ m{^http://([^:]*)\.wake\.example:$acs(.*)$};
    is($rest, $path, "$what: path and query are the CPE's own");
    my @labels = split /\./, $name // '';
    is(scalar @labels, $labels, "$what: labels");
    is(scalar(grep { !/^[a-z2-7]{1,63}$/ } @labels), 0,
       "$what: of lower-case base32, short enough");

    is(curl($url, '--digest', '-u', 'acs:s3c:ret'), 200,
       "$what: curl wakes the CPE with Digest");
    my $seen = $cpe->seen;
    is(join(' ', map { $_->{verdict} } @{$seen->{requests}}), 'challenge ok',
       "$what: whose challenge went through");
    is($seen->{requests}[1]{line}, "GET $path HTTP/1.1",
       "$what: with the request target that it compares");
    is($seen->{requests}[1]{headers}{host}, $hostport, "$what: and its host");

    is(curl($url =~ s{(//.*?:)}{\U$1}r, '--digest', '-u', 'acs:s3c:ret'), 200,
       "$what: a name has no case");
    is(curl($url, '--digest', '-u', 'acs:wrong'), 401,
       "$what: not with a wrong password");
    $cpe->clear;
    is(curl("${url}z", '--digest', '-u', 'acs:s3c:ret'), 403,
       "$what: not with another path");

    # each character of the label changed

    my %status;
    for my $i (0, 5, 12, 30, length($labels[0]) - 1) {
        my $other = $name;
        substr($other, $i, 1) =~ tr/a-z2-7/b-z2-7a/;
        $status{curl($url =~ s/\Q$name/$other/r, '--digest',
                     '-u', 'acs:s3c:ret')}++;
    }
    is(scalar(grep { !/^40[03]$/ } keys %status), 0,
       "$what: nor with any other label");
    is(scalar @{$cpe->seen->{requests}}, 0, "$what: the CPE hears of none");
}

# the line of conf/host-mode.conf in a real name server

SKIP: {
    my ($dnsmasq) = grep { -x } map { "$_/dnsmasq" } split(/:/, $ENV{PATH}),
                                                     '/usr/sbin';
    skip 'no dnsmasq here', 5 unless defined $dnsmasq;

    my ($line) = read_file(top() . '/conf/host-mode.conf')
                 =~ m{^#\s+(address=/cpe\.example/)10\.0\.0\.5$}m;
    ok($line, 'the line is there');
    $line =~ s/cpe\.example/wake.example/;
    $t->write('dnsmasq.conf', "${line}127.0.0.1\n");

    my $pid = $t->spawn('dnsmasq', sub {
        exec $dnsmasq, '--keep-in-foreground', "--port=$wildcard",
             '--listen-address=127.0.0.1', '--bind-interfaces', '--no-hosts',
             '--no-resolv', '--user=root', '--conf-file='
             . $t->path('dnsmasq.conf'), '--pid-file=' . $t->path('dnsmasq.pid')
            or die "$dnsmasq: $!";
    });
    wait_for(sub { IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                         PeerPort => $wildcard) }, 'dnsmasq');

    my $cpe = Fieldgate::ConnectionRequest->new(max_cnonce => 200);
    my $url = announced('http://' . $cpe->hostport . '/cr?x=1');
    my $proxy = '127.0.0.1:' . $t->port('asks');
    is(`curl -s -o /dev/null -w '%{http_code}' -x '$proxy' --digest \\
             -u acs:s3c:ret '$url'`, 200, 'found by name, a CPE is woken');
    is($cpe->seen->{requests}[-1]{line}, 'GET /cr?x=1 HTTP/1.1',
       'with the request target that it compares');
    is(`curl -s -o /dev/null -w '%{http_code}' -x '$proxy' \\
             '@{[$url =~ s/wake\.example/elsewhere.example/r]}'`, 502,
       'other names are not');
    like(read_file($t->path('error.log')),
         qr/elsewhere\.example could not be resolved/, 'since nobody has them');
    $t->end($pid, 'TERM');
}

# what is refused is announced, and cannot be called

my $url = announced('http://10.1.2.3:7547/secret');
like($url, qr{^http://[a-z2-7]+\.wake\.example:$acs/secret$},
     'an origin that is refused is announced all the same');
is(curl($url), 403, 'without a signature');
$url = announced('(null)');
like($url, qr{^http://none\.wake\.example:$acs/$}, 'what is no URL has no label');
is(curl($url), 400, 'and is not found in it');
is(curl("http://wake.example:$acs/"), 400, 'as without any');
$url = announced('http://' . join('.', ('x' x 31) x 2) . '.lan/');
is(curl($url), 403, 'a name that is too long for labels is not signed');

# with variables

like(announced('http://127.0.0.1/a', '/variable',
               "X-Public: *.wake.example\r\n"),
     qr{^http://[a-z2-7]+\.wake\.example/a$}, 'the public URL has variables');
for my $public ('wake.example', '*.wake.example/path', '*.wake .example') {
    like(announced('http://127.0.0.1/a', '/variable', "X-Public: $public\r\n"),
         qr{^HTTP/1.1 500 }, "which cannot make it $public");
}

$t->stop;
my $log = read_file($t->path('error.log'));
like($log, qr/must begin with "http:\/\/\*\." in this "cwmp_url_mode"/,
     'the log says why');
like($log, qr/has a name that is too long for "cwmp_url_mode host"/,
     'and which origin cannot be announced');
unlike($log, qr/secret%2Fpath|a=b&c/, 'nor does it have a path of a CPE');

# what nginx -t says

sub conf {
    my ($url, $mode, $more) = @_;
    return "server { cwmp on; cwmp_public_url $url;\n"
           . "cwmp_url_mode $mode;\n" . ($more // 'cwmp_secret '
           . "0123456789abcdef;\n") . "location / { } }";
}

for my $case (['without a star', conf('http://wake.example', 'host'),
               qr/"cwmp_url_mode host" needs a "cwmp_public_url" like /],
              ['a star in another mode', conf('http://*.wake.example', 'path'),
               qr/"cwmp_public_url" with "\*" needs "cwmp_url_mode host"/],
              ['a path', conf('http://*.wake.example/x', 'host'),
               qr/has a path or arguments of its own/],
              ['a star elsewhere', conf('http://a.*.example', 'host'),
               qr/public URL "http:\/\/a\.\*\.example" has an invalid host/],
              ['without a secret', conf('http://*.wake.example', 'host', ''),
               qr/"cwmp_url_mode host" needs a "cwmp_secret"/])
{
    my ($name, $http, $says) = @$case;
    my ($status, $out) = $t->check(http => $http);
    is($status, 1, "$name: refused");
    like($out, $says, "$name: explained");
}

done_testing;
