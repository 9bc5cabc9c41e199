# Bad input: each ends in a defined reply and a line in error.log that names the
# client and the reason, and in nothing else.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Echo;
use Fieldgate::Env qw(top read_file);

use Compress::Zlib ();

my $corpus = top() . '/t/fuzz/corpus/cwmp_message';
my $echo = free_port();

my $t = Fieldgate->new(workers => 1, http => <<"END");
    cwmp_zone cwmp:1m;
    cwmp_origin_allow 0.0.0.0/0;
    cwmp_public_url http://127.0.0.1:8080/client;
    client_max_body_size 64m;
    proxy_http_version 1.1;
    log_format cwmp '\$status|\$cwmp_method|\$cwmp_rewritten';

    server {
        listen 127.0.0.1:%%PORT:cpe%%;
        access_log %%DIR%%/access.log cwmp;
        client_body_timeout 60s;

        location / {
            cwmp on;
            proxy_pass http://127.0.0.1:$echo;
        }

        location /pass {
            cwmp on;
            cwmp_on_error pass;
            proxy_pass http://127.0.0.1:$echo;
        }

        location /facts {
            cwmp on;
            cwmp_on_error pass;
            proxy_set_header X-Device \$cwmp_device_id;
            proxy_pass http://127.0.0.1:$echo;
        }

        location /small {
            cwmp on;
            cwmp_max_body 100k;
            proxy_pass http://127.0.0.1:$echo;
        }

        location /variable {
            cwmp on;
            cwmp_public_url http://\$arg_host/client;
            proxy_pass http://127.0.0.1:$echo;
        }

        location /path {
            cwmp on;
            cwmp_url_mode path;
            cwmp_secret "a key of enough bytes";
            cwmp_public_url http://acs.example\$arg_path;
            proxy_pass http://127.0.0.1:$echo;
        }

        location /plain { proxy_pass http://127.0.0.1:$echo; }
    }
END

$t->spawn('echo', sub { Fieldgate::Echo::serve($echo) });
wait_for(sub { Fieldgate::Echo::ready($echo) }, 'the upstream');
$t->start;

my $seen = 0;


sub fixture { read_file("$corpus/$_[0]") }

sub send_message {
    my ($path, $body, $headers) = @_;
    my $reply = $t->exchange('cpe', "POST $path HTTP/1.1\r\nHost: x\r\n"
        . "Connection: close\r\nContent-Length: " . length($body)
        . "\r\n" . ($headers // '') . "\r\n$body");
    my ($status) = $reply =~ m{^HTTP/1\.1 (\d+)};
    my ($got) = $reply =~ /^.*?\r\n\r\n(?:POST.*?\r\n\r\n)?(.*)/s;
    return ($status, $got, $reply);
}

# the lines of error.log since the last call, above info

sub new_lines {
    my $log = $t->error_log;
    my $new = substr $log, $seen;
    $seen = length $log;
    return grep { !/\[(?:info|notice|debug)\]/
                  && !/buffered to a temporary file/ } split /\n/, $new;
}

# rejected with this status for this reason, and passed where that is allowed

sub is_refused {
    my ($what, $body, $status, $reason, $headers) = @_;

    new_lines();
    my ($got) = send_message('/', $body, $headers);
    is($got, $status, "$what: $status");
    my @lines = new_lines();
    is(scalar @lines, 1, "$what: one line in the log");
    like($lines[0], qr/\[error\].*$reason.*, client: 127\.0\.0\.1,/,
         "$what: which names client and reason");
    unlike("@lines", qr{192\.168\.100\.50|tr069}, "$what: but no URL");
    return if $status == 413;

    my (undef, $passed) = send_message('/pass', $body, $headers);
    ok($passed eq $body, "$what: passed as it is, where that is wanted");
    @lines = new_lines();
    is(scalar @lines, 1, "$what: with one line in the log");
    like($lines[0], qr/\[warn\].*$reason.*, passed as it is.*client: 127/,
         "$what: a warning");
}

my $url = 'http://192.168.100.50:7547/tr069';
my $inform = fixture('inform.xml');
my $gzip = sub { Compress::Zlib::memGzip($_[0]) };
my $coded = "Content-Encoding: gzip\r\n";

is_refused('DOCTYPE', fixture('doctype.xml'), 400, 'a DOCTYPE');
is_refused('DOCTYPE, gzip', $gzip->(fixture('doctype.xml')), 400,
           'a DOCTYPE', $coded);
is_refused('an unknown charset', $inform, 400, 'a charset that',
           "Content-Type: text/xml; charset=x-klingon\r\n");
is_refused('UTF-7', fixture('utf7.xml'), 400, 'a charset that');
is_refused('UTF-16, but ASCII', $inform, 400, 'a charset that',
           "Content-Type: text/xml; charset=utf-16\r\n");
for my $name (qw(utf16le-bom utf16be-bom utf16le utf16be)) {
    is_refused($name, fixture("$name.xml"), 400, 'a charset that');
}
is_refused('a quote in a comment', fixture('comment-odd.xml'), 400,
           'read in two ways');
is_refused('elements nested too deeply', '<!-- -->' . '<a>' x 1000, 400,
           'nested too deeply');
is_refused('a URL that is too long',
           $inform =~ s/\Q$url\E/'http:' . '\/x' x 1100/er, 400,
           'too long');
is_refused('too many URLs', $inform =~ s{(<ParameterV.*Struct>)}{$1 x 1100}ser,
           400, 'too many');
is_refused('an unknown coding', $inform, 415, 'a content coding',
           "Content-Encoding: br\r\n");
is_refused('two codings', $gzip->($inform), 415, 'a content coding',
           $coded x 2);
is_refused('no gzip', $inform, 400, 'damaged', $coded);
is_refused('gzip, cut short', substr($gzip->($inform), 0, -3), 400, 'damaged',
           $coded);

is_refused('a bomb', $gzip->(' ' x 10_000_000), 413, 'as a bomb', $coded);
is_refused('deflated bomb', Compress::Zlib::compress(' ' x 10_000_000), 413,
           'as a bomb', "Content-Encoding: deflate\r\n");

# a public URL of variables is what it has become

for my $case (['/variable?host=acs.example', 200],
              ['/variable', 500, 'has no host'],
              ['/variable?host=a@b', 500, 'has user'],
              ['/path', 200],
              ['/path?path=/client', 500, 'has a path or arguments'])
{
    my ($uri, $status, $reason) = @$case;
    new_lines();
    my ($got) = send_message($uri, $inform);
    is($got, $status, "$uri: $status");
    my @lines = new_lines();
    like("@lines", $reason ? qr/\[error\].*cwmp_public_url.*$reason.*client: 127/
                           : qr/^$/, "$uri: and why");
}

# the limit counts for the message as it is sent and as it is inflated

my $padding = join ' ', map { $_ * 7919 % 100_003 } 1 .. 20_000;
my $large = $inform =~ s{(?=<SOAP-ENV:Body)}{<x>$padding</x>}r;
for my $case ([ 'too large', $large, '' ],
              [ 'too large when inflated', $gzip->($large), $coded ])
{
    my ($what, $body, $headers) = @$case;
    my ($status) = send_message('/small', $body, $headers);
    is($status, 413, "$what: 413");
    my @lines = new_lines();
    is(scalar @lines, 1, "$what: one line in the log");
    like($lines[0], qr/\[error\].*more than.*cwmp_max_body.*client: 127/,
         "$what: with the reason");
    ($status) = send_message('/', $body, $headers);
    is($status, 200, "$what: but not for the default");
}

# an attribute of 10 MB is no error

my $attribute = $inform =~ s{(<SOAP-ENV:Body)}{"$1 a='" . 'x' x 10_000_000
                                                . "'"}er;
my (undef, $got) = send_message('/', $attribute);
ok($got eq $attribute =~ s{\Q$url\E}{http://127.0.0.1:8080/client?origin=$url}r,
   'an attribute of 10 MB: rewritten');

# nor is what only the ACS can judge

for my $case ([ 'control-bytes', 1 ], [ 'unclosed', 1 ],
              [ 'soap-array-items', 1 ], [ 'null-value', 0 ])
{
    my ($name, $has) = @$case;
    my $in = fixture("$name.xml");
    my ($status, $got) = send_message('/', $in);
    is($status, 200, "$name: 200");
    my $from = $has ? $url : '\(null\)';
    isnt($got, $in, "$name: rewritten");
    is($got =~ s{http://127\.0\.0\.1:8080/client\?origin=}{}r, $in,
       "$name: and nothing else");
}

my $deep = "<s:Envelope><s:Body><cwmp:Inform>" . '<a>' x 1000;
my ($deep_status, $deep_got) = send_message('/', $deep);
is($deep_status, 200, 'elements nested too deeply, without the parameter: 200');
is($deep_got, $deep, 'byte-identical');

# facts that are cut off by what cannot be read: nothing of them is used, since
# what has not been looked at yet may have line ends

for my $cut ('<a>' x 64, '<!DOCTYPE x>') {
    my (undef, undef, $reply) = send_message('/facts',
        '<E><Body><Inform><DeviceId><OUI>00AABB</OUI>'
        . "<SerialNumber>1\r\nX-Injected: 1$cut");
    my ($head) = $reply =~ /(POST .*?\r\n\r\n)/s;
    unlike($head, qr/^X-Injected/m, 'a fact that is cut off adds no header');
    like($head, qr/^X-Device: 00AABB-\r\n/m, 'and is no fact');
}
new_lines();

# a body that lies about its length, and one that never ends

my $head = "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";
for my $case (
    [ 'too short', $head . "Content-Length: 1000\r\n\r\n<a>", '' ],
    [ 'chunked, cut short',
      $head . "Transfer-Encoding: chunked\r\n\r\n10\r\n<a>", '' ],
    [ 'chunked badly', $head . "Transfer-Encoding: chunked\r\n\r\nx\r\n",
      '400' ],
    [ 'both framings', $head . "Content-Length: 3\r\n"
      . "Transfer-Encoding: chunked\r\n\r\n3\r\n<a>\r\n0\r\n\r\n", '400' ],
    [ 'two lengths', $head . "Content-Length: 3\r\nContent-Length: 4\r\n"
      . "\r\n<a>", '400' ],
    [ 'a negative length', $head . "Content-Length: -3\r\n\r\n<a>", '400' ],
    [ 'larger than client_max_body_size',
      $head . "Content-Length: 68000000\r\n\r\n<a>", '413' ],
) {
    my ($what, $bytes, $status) = @$case;
    my $s = $t->connect('cpe');
    print $s $bytes;
    shutdown $s, 1;
    my ($got) = Fieldgate::read_all($s) =~ m{^HTTP/1\.1 (\d+)};
    is($got // '', $status, "$what: " . ($status || 'closed'));
}

# what comes behind a body that is longer than it says is another request, and
# no part of the message

my $reply = $t->exchange('cpe', "POST / HTTP/1.1\r\nHost: x\r\n"
    . "Content-Length: " . length($inform) . "\r\n\r\n$inform<junk>\r\n\r\n");
like($reply, qr{^HTTP/1\.1 200 }, 'a body that is longer: the message is taken');
like($reply, qr{\nHTTP/1\.1 400 |<center><h1>400}, 'the rest is a bad request');
unlike($reply =~ s/.*<\/SOAP-ENV:Envelope>//sr, qr/<junk>/,
       'and not part of it');

# the client is gone while it sends

for (1 .. 5) {
    my $s = $t->connect('cpe');
    print $s $head . "Content-Length: 1000\r\n\r\n<a>";
    close $s;
}
is((send_message('/', $inform))[0], 200, 'nginx goes on');

# no growth: many bombs, and memory stays

sub rss {
    my ($pid) = $t->pids;

    # once the worker takes another message, it has freed the one before
    send_message('/', $inform);
    return (read_file("/proc/$pid/status") =~ /VmRSS:\s+(\d+)/)[0];
}

my $bomb = $gzip->(' ' x 10_000_000);
send_message('/', $bomb, $coded) for 1 .. 5;
my $before = rss();
send_message('/', $bomb, $coded) for 1 .. 200;
my $after = rss();
SKIP: {
    skip 'memory is not compared under a sanitizer', 1
        if ($ENV{TEST_NGINX_BINARY} // '') =~ /asan/;
    cmp_ok($after - $before, '<', 2000, 'kilobytes more after 200 bombs');
}

ok(wait_for(sub { read_file($t->path('access.log')) =~ /^400\|-\|0$/m },
            'a rejected message in the access log'), 'and it has no facts');

done_testing;
