# What the ACS gets of a CPE's messages, whatever their framing and coding.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Echo;
use Fieldgate::Env qw(top read_file write_file temp_dir);

use Compress::Zlib ();
use IO::Compress::Deflate ();
use IO::Compress::RawDeflate ();

my $corpus = top() . '/t/fuzz/corpus/cwmp_message';
my $public = 'http://127.0.0.1:8080/client';
my $echo = free_port();

my $t = Fieldgate->new(workers => 2, http => <<"END");
    log_format cwmp '\$cwmp_method|\$cwmp_device_id|\$cwmp_oui|'
                    '\$cwmp_product_class|\$cwmp_serial|\$cwmp_events|'
                    '\$cwmp_origin|\$cwmp_rewritten|\$status';
    cwmp_zone cwmp:1m;
    cwmp_origin_allow 0.0.0.0/0;
    client_max_body_size 64m;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    proxy_read_timeout 60s;

    upstream acs { server 127.0.0.1:$echo; }
    upstream retry {
        server 127.0.0.1:%%PORT:dead%% max_fails=0;
        server 127.0.0.1:$echo backup;
    }

    server {
        listen 127.0.0.1:%%PORT:cpe%%;
        listen 127.0.0.1:%%PORT:h2%% http2;
        access_log %%DIR%%/access.log cwmp;
        client_body_buffer_size 16k;
        cwmp on;
        cwmp_public_url $public;

        location / { proxy_pass http://acs; }

        location /file {
            client_body_in_file_only clean;
            proxy_pass http://acs;
        }

        location /unbuffered {
            proxy_request_buffering off;
            proxy_pass http://acs;
        }

        location /stream {
            proxy_request_buffering off;
            proxy_pass http://127.0.0.1:%%PORT:stream%%;
        }

        location /retry {
            proxy_next_upstream error non_idempotent;
            proxy_pass http://retry;
        }

        location /mirror {
            mirror /mirrored;
            proxy_pass http://acs;
        }

        location /mirrored {
            internal;
            proxy_pass http://127.0.0.1:%%PORT:mirrored%%;
        }

        location /fallback {
            proxy_intercept_errors on;
            proxy_pass http://127.0.0.1:%%PORT:dead%%;
            error_page 502 = \@again;
        }

        location \@again { proxy_pass http://acs; }

        location /arguments {
            cwmp_public_url $public?site=7;
            proxy_pass http://acs;
        }

        location /pattern {
            cwmp_parameter ~^InternetGatewayDevice\\.X_\\w+\\.WakeURL\$ ~CallMe\$;
            proxy_pass http://acs;
        }

        location /off {
            cwmp off;
            proxy_pass http://acs;
        }
    }
END

$t->spawn('echo', sub { Fieldgate::Echo::serve($echo) });
wait_for(sub { Fieldgate::Echo::ready($echo) }, 'the upstream');

my $mirrored = $t->port('mirrored');
$t->spawn('mirrored', sub { Fieldgate::Echo::serve($mirrored,
                                                   $t->path('copy')) });
wait_for(sub { Fieldgate::Echo::ready($mirrored) }, 'the mirror');
$t->start;


sub fixture { read_file("$corpus/$_[0]") }

# the announced form of an origin, escaped for XML

sub announced {
    my ($origin, $base) = @_;
    $origin =~ s/([\x00-\x20\x7f-\xff%&+#;"<>])/sprintf '%%%02X', ord $1/ge;
    return ($base // "$public?") . "origin=$origin";
}

# one request; returns (head as the ACS got it, body, status, whole reply)

sub request {
    my ($path, $body, %o) = @_;
    my $method = $o{method} // 'POST';
    my $version = $o{version} // '1.1';
    my $head = "$method $path HTTP/$version\r\nHost: acs.example:7547\r\n"
               . "Connection: close\r\n" . ($o{headers} // '');

    if ($o{chunked}) {
        $head .= "Transfer-Encoding: chunked\r\n";
        my $n = $o{chunked};
        $body = join '', map({ sprintf("%x\r\n%s\r\n", length, $_) }
                             unpack "(a$n)*", $body), "0\r\n\r\n";
    } elsif (defined $body) {
        $head .= "Content-Length: " . length($body) . "\r\n";
    }

    my $reply = $t->exchange($o{port} // 'cpe', "$head\r\n" . ($body // ''));
    my ($status) = $reply =~ m{^HTTP/1\.\d (\d+)};
    my ($got) = $reply =~ /^.*?\r\n\r\n(.*)/s;
    my ($got_head, $got_body) = ($got // '') =~ /^(.*?\r\n\r\n)(.*)/s;

    return ($got_head // '', $got_body, $status, $reply);
}

sub logged {
    my ($regex) = @_;
    return wait_for(sub { read_file($t->path('access.log')) =~ $regex
                          && ($1 // 1) }, "access.log to have $regex");
}


my $url = 'http://192.168.100.50:7547/tr069';
my $inform = fixture('inform.xml');
(my $expected = $inform) =~ s/\Q$url\E/announced($url)/e;

# framings: the ACS gets the same, and one right Content-Length

my %framings = (
    'Content-Length' => {},
    'chunked' => { chunked => 1000 },
    'chunked by bytes' => { chunked => 1 },
    'HTTP/1.0' => { version => '1.0' },
);

for my $path ('/', '/file', '/unbuffered', '/retry', '/mirror', '/fallback') {
    for my $name (sort keys %framings) {
        my ($head, $body, $status) = request("$path?a=//b", $inform,
                                             %{$framings{$name}});
        my @lengths = $head =~ /^content-length: *(\d+)\r$/mig;

        is($body, $expected, "$path, $name: rewritten");
        is("@lengths", length $expected, "$path, $name: one Content-Length");
        unlike($head, qr/^transfer-encoding/mi, "$path, $name: not chunked");
    }
}

# larger than the buffer: in a temporary file

my $filler = '<!-- ' . join(' ', map { $_ * 7919 % 100_003 } 1 .. 60_000) . ' -->';
(my $large = $inform) =~ s/(<SOAP-ENV:Body>)/$1$filler/;
(my $large_expected = $expected) =~ s/(<SOAP-ENV:Body>)/$1$filler/;

for my $path ('/', '/unbuffered', '/retry', '/mirror', '/fallback') {
    for my $name ('Content-Length', 'chunked', 'HTTP/1.0') {
        my (undef, $body) = request($path, $large, %{$framings{$name}});
        ok($body eq $large_expected, "$path, $name, in a file: rewritten");
    }
}

ok(wait_for(sub { read_file($t->path('copy')) =~ /\Q$large_expected\E$/ },
            'the mirrored request'), 'mirrored requests are rewritten too');

# everything else stays as it was

my $headers = join '', map { "$_\r\n" }
    'Authorization: Digest username="a", uri="/%7Ea//b?c=%2f", nc=0000000a',
    'Cookie: session=1; Path=/, $Version=1', 'SOAPAction: "cwmp:Inform"',
    'Content-Type: text/xml; charset="utf-8"', 'User-Agent: cpe/1.0 (x)';
my ($head, $body) = request('/%7Ea//b/../c?c=%2f&d=%zz', $inform,
                            headers => $headers);
like($head, qr{^POST /%7Ea//b/../c\?c=%2f&d=%zz HTTP/1\.1\r$}m,
     'the request target is byte-identical');
for my $line (split /\r\n/, $headers) {
    like($head, qr/^\Q$line\E\r$/m, $line =~ s/:.*/ is byte-identical/r);
}

# 100-continue

my $s = $t->connect('cpe');
print $s "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
         . "Expect: 100-continue\r\nContent-Length: " . length($inform)
         . "\r\n\r\n";
like(Fieldgate::read_all($s, qr/\r\n\r\n/), qr{^HTTP/1\.1 100 },
     'Expect: 100-continue is answered');
print $s $inform;
like(Fieldgate::read_all($s), qr/\Q$expected\E$/, 'and then rewritten');

# HTTP/2, with and without a length

my $dir = temp_dir();
write_file("$dir/inform", $inform);
write_file("$dir/large", $large);
for my $header ('X: y', 'Transfer-Encoding: chunked', 'Content-Length:') {
    for my $file ('inform', 'large') {
        my $port = $t->port('h2');
        my $got = `curl -s --max-time 180 --http2-prior-knowledge -H '$header' \\
            --data-binary \@$dir/$file http://127.0.0.1:$port/ 2>&1`;
        my ($got_body) = $got =~ /\r\n\r\n(.*)/s;
        ok(($got_body // '') eq ($file eq 'large' ? $large_expected
                                                  : $expected),
           "HTTP/2, $header, $file: rewritten");
    }
}

# content codings

my %codings = (
    gzip => [ sub { Compress::Zlib::memGzip($_[0]) },
              sub { my $in = $_[0]; Compress::Zlib::memGunzip($in) } ],
    'x-gzip' => [ sub { my $n = int(length($_[0]) / 2);
                        Compress::Zlib::memGzip(substr $_[0], 0, $n)
                        . Compress::Zlib::memGzip(substr $_[0], $n) },
                  sub { my $in = $_[0]; Compress::Zlib::memGunzip($in) } ],
    deflate => [ sub { Compress::Zlib::compress($_[0]) },
                 sub { Compress::Zlib::uncompress($_[0]) } ],
    Deflate => [ sub { my ($in, $out) = @_;
                       IO::Compress::RawDeflate::rawdeflate(\$in => \$out);
                       $out },
                 sub { my $i = Compress::Zlib::inflateInit(
                                   -WindowBits => -Compress::Zlib::MAX_WBITS());
                       my $in = $_[0];
                       ($i->inflate($in))[0] } ],
);

for my $coding (sort keys %codings) {
    my ($pack, $unpack) = @{$codings{$coding}};

    for my $path ('/', '/file') {
        for my $case ([ $inform, $expected ], [ $large, $large_expected ]) {
            my $in = $pack->($case->[0]);
            my ($head, $body) = request($path, $in,
                                        headers => "Content-Encoding: $coding"
                                                   . "\r\n");
            ok(($unpack->($body) // '') eq $case->[1],
               "$path, $coding, " . length($case->[0]) . ' bytes: rewritten');
            like($head, qr/^content-encoding: \Q$coding\E\r$/mi,
                 'in the same coding');
            my ($n) = $head =~ /^content-length: (\d+)\r$/mi;
            is($n, length $body, 'with the right length');
        }
    }

    my $in = $pack->(fixture('names-response.xml'));
    my (undef, $body) = request('/', $in,
                                headers => "Content-Encoding: $coding\r\n");
    is($body, $in, "$coding, nothing to rewrite: byte-identical");
}

# messages without a body, and without the parameter

for my $method ('POST', 'GET') {
    my ($head, undef, $status) = request('/', undef, method => $method);
    is($status, 200, "$method without a body");
    unlike($head, qr/^transfer-encoding/mi, 'has none for the ACS either');
}
($head, $body) = request('/', '', headers => "Content-Type: text/xml\r\n");
like($head, qr/^content-length: 0\r$/mi, 'empty POST');
is($body, '', 'stays empty');
(undef, $body) = request('/', '', chunked => 10);
is($body, '', 'chunked empty POST stays empty');
my (undef, undef, $status, $reply) = request('/', '',
                                             headers => "X-Reply: 204\r\n");
is($status, 204, '204 comes back');
unlike($reply, qr/^(?:content-length|transfer-encoding)/mi, 'without framing');

for my $name ('names-response', 'attributes-response', 'fault',
              'transfer-complete', 'empty-values', 'other-names')
{
    my $in = fixture("$name.xml");
    my (undef, $body) = request('/', $in);
    is($body, $in, "$name: byte-identical");
    (undef, $body) = request('/pattern', $in);
    is($body, $in, "$name: byte-identical, with cwmp_parameter");
}
(undef, $body) = request('/off', $inform);
is($body, $inform, 'cwmp off: byte-identical');
(undef, $body) = request('/', "a=b&ConnectionRequestURL=http://x/");
is($body, "a=b&ConnectionRequestURL=http://x/", 'no XML: byte-identical');

# only POST is CWMP: a file that a CPE uploads passes as it does without us,
# whatever is in it, and as it comes

for my $method ('PUT', 'PATCH', 'DELETE', 'GET') {
    for my $o ({}, { chunked => 1000 }) {
        my $body = "<!DOCTYPE x>$inform";
        my $what = "$method, " . ($o->{chunked} ? 'chunked' : 'Content-Length');
        my @o = (%$o, method => $method,
                 headers => "Content-Encoding: br\r\n");
        my ($plain_head, $plain_body) = request('/off?a=//b', $body, @o);
        my ($head, $got) = request('/un?a=//b', $body, @o);
        is($got, $plain_body, "$what: the body is that of plain proxy_pass");
        is($got, $body, "$what: which is as it was sent");
        is($head, $plain_head =~ s{/off}{/un}r, "$what: so is the head");
    }
}

for my $framing ('Content-Length', 'chunked') {
    my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 1,
                                       LocalPort => $t->port('stream'),
                                       ReuseAddr => 1) or die "listen: $!";
    my @half = map { 'x' x 99_996 . $_ } 'END1', 'END2';
    my @sent = $framing eq 'chunked'
        ? ("Transfer-Encoding: chunked\r\n\r\n",
           map { "186a0\r\n$_\r\n" } @half)
        : ("Content-Length: 200000\r\n\r\n", @half);

    my $cpe = $t->connect('cpe');
    print $cpe "PUT /stream HTTP/1.1\r\nHost: x\r\n$sent[0]$sent[1]";
    my $acs = $listen->accept or die "accept: $!";
    my $got = Fieldgate::read_all($acs, qr/END1/);
    like($got, qr/END1/,
         "PUT, $framing: half of it is there before the rest is sent");
    print $cpe $sent[2], $framing eq 'chunked' ? "0\r\n\r\n" : ();
    $got .= Fieldgate::read_all($acs, qr/END2/);
    is($got =~ s/.*?\r\n\r\n//sr =~ tr/x//, 2 * 99_996,
       "PUT, $framing: then the rest");
    print $acs "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n"
               . "Connection: close\r\n\r\n";
    like(Fieldgate::read_all($cpe, qr/\r\n\r\n/), qr{^HTTP/1\.1 201 },
         "PUT, $framing: answered");
}

# forms of the URL, and of what is announced

(undef, $body) = request('/arguments', $inform);
is($body, $inform =~ s/\Q$url\E/announced($url, "$public?site=7&amp;")/er,
   'a public URL with arguments');

my @forms = (
    [ 'http://192.168.100.50:7547', 'http://192.168.100.50:7547' ],
    [ 'http://a/?a=1&amp;b=2', 'http://a/?a=1%26b=2' ],
    [ 'http://a/?a=1&b=2', 'http://a/?a=1%26b=2' ],
    [ 'HTTP://A/', 'HTTP://A/' ],
    [ '&#104;ttp://a/', 'http://a/' ],
    [ " \r\n http://a/ \t", 'http://a/' ],
    [ '<![CDATA[http://a/?x=1&y=2]]>', 'http://a/?x=1%26y=2' ],
    [ 'http://a<!-- x -->/', 'http://a/' ],
    [ 'http://a/;p+q%2B#f"', 'http://a/%3Bp%2Bq%252B%23f%22' ],
    [ 'http://[fd00::1]:80/?x=[1]', 'http://[fd00::1]:80/?x=[1]' ],
    [ "http://a/\xc3\xa9&#233;\x01.", 'http://a/%C3%A9%C3%A9%01.' ],
    [ '(null)', '(null)' ],
);

for my $form (@forms) {
    my ($in, $out) = @$form;
    my (undef, $body) = request('/', $inform =~ s/\Q$url\E/$in/r);
    is($body, $inform =~ s/\Q$url\E/$public?origin=$out/r,
       "$in is announced as origin=$out");
}

# configured names

my $parameters = join '', map {
    "<ParameterValueStruct><Name>$_</Name><Value>http://a/</Value>"
    . "</ParameterValueStruct>"
} 'InternetGatewayDevice.X_ACME.WakeURL', 'Device.X.CallMe', 'Device.X.CallMeNot',
  'Device.ManagementServer.ConnectionRequestURL', 'Device.WakeURL';
(undef, $body) = request('/pattern', "<x>$parameters</x>");
is(join(' ', $body =~ m{<Value>(.*?)</Value>}g),
   join(' ', (announced('http://a/')) x 2, 'http://a/',
             announced('http://a/'), 'http://a/'), 'cwmp_parameter');

# charsets

(undef, $body) = request('/', fixture('thomson.xml'),
    headers => "Content-Type: text/xml; charset=ISO-8859-1\r\n",
    chunked => 100);
is($body, fixture('thomson.xml')
          =~ s{http://10.1.2.3:51005/}{announced('http://10.1.2.3:51005/')}er,
   'ISO-8859-1: rewritten, other bytes identical');

# both ends of a kept connection

$s = $t->connect('cpe');
for my $message ($inform, '', $inform) {
    print $s "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: "
             . length($message) . "\r\n\r\n$message";
    my $got = Fieldgate::read_all($s, $message eq '' ? qr/\r\n\r\n.*\r\n\r\n/s
                                              : qr/\Q$expected\E/);
    like($got, qr/200 OK/, 'several requests on one connection');
}
close $s;

# variables

request('/vars', fixture('thomson.xml'));
logged(qr/^Inform\|00147F-SpeedTouch 780-CP0631JT3KW\|00147F\|SpeedTouch 780\|CP0631JT3KW\|0 BOOTSTRAP,1 BOOT,2 PERIODIC,4 VALUE CHANGE\|10\.1\.2\.3:51005\|1\|200$/m);
logged(qr/^empty\|-\|-\|-\|-\|-\|-\|0\|200$/m);
logged(qr/^GetParameterNamesResponse\|-\|-\|-\|-\|-\|-\|0\|200$/m);
logged(qr/^Fault\|-\|/m);
logged(qr/^-\|-\|-\|-\|-\|-\|-\|0\|200$/m);

done_testing;
