# cwmp_url_map: URLs that the ACS writes and the CPE cannot use, and the other
# way, on the wire: framing, codings, headers, and every other byte.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Echo;
use Fieldgate::Env qw(read_file);
use IO::Socket::INET;
use Compress::Zlib ();
use Time::HiRes qw(sleep);

my ($acs, $echo) = (free_port(), free_port());
my $t = Fieldgate->new(workers => 2, http => <<"END");
    cwmp_zone cwmp:1m;
    cwmp on;
    cwmp_secret 0123456789abcdef;
    cwmp_public_url http://acs-side.example/client;
    cwmp_url_map http://acs.lan/ https://cpe.example:7547/;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    client_max_body_size 20m;

    server {
        listen 127.0.0.1:%%PORT:cpe%%;
        location / { proxy_pass http://127.0.0.1:$acs; }
        location /unbuffered {
            proxy_buffering off;
            proxy_pass http://127.0.0.1:$acs;
        }
        location /small { cwmp_max_body 1k; proxy_pass http://127.0.0.1:$acs; }
        location /pass {
            cwmp_on_error pass;
            cwmp_max_body 1k;
            proxy_pass http://127.0.0.1:$acs;
        }
        location /pass_unbuffered {
            cwmp_on_error pass;
            cwmp_max_body 1k;
            proxy_buffering off;
            proxy_pass http://127.0.0.1:$acs;
        }
        location /other {
            cwmp_url_map http://files.lan/ http://f.example/;
            proxy_pass http://127.0.0.1:$acs;
        }
        location /echo { proxy_pass http://127.0.0.1:$echo; }
        location /off { cwmp off; proxy_pass http://127.0.0.1:$acs; }
    }
END

# An ACS that answers with what is in a file: pieces, one after the other.  While
# there is a file "hold" no more than the first is sent.

my $answer = $t->path('answer');
my $hold = $t->path('hold');

sub serve {
    local $SIG{PIPE} = 'IGNORE';
    my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 64,
                                       LocalPort => $acs, ReuseAddr => 1)
        or die "listen: $!";
    while (my $s = $listen->accept) {
        my $in = '';
        while ($in !~ /\r\n\r\n/) { sysread $s, $in, 65536, length $in or last }
        my ($length) = $in =~ /^Content-Length: *(\d+)/mi;
        my ($head) = $in =~ /^(.*?\r\n\r\n)/s or next;
        while (length $in < length($head) + ($length // 0)) {
            sysread $s, $in, 65536, length $in or last;
        }
        my $text = read_file($answer);
        my ($piece, $rest) = $text =~ /^(\d+)\n(.*)/s;
        while (length $rest) {
            my $n = syswrite $s, substr $rest, 0, $piece;
            substr($rest, 0, $n // length $rest) = '';
            sleep 0.01 if $piece < 100000;
            wait_for(sub { !-e $hold }, 'the test to have read')
                if length $rest;
        }
        close $s;
    }
}
$t->spawn('acs', \&serve);
$t->spawn('echo', sub { Fieldgate::Echo::serve($echo) });
wait_for(sub { Fieldgate::Echo::ready($echo) }, 'the upstream');
$t->start;

my $soap = '<?xml version="1.0" encoding="UTF-8"?>' . "\r\n"
    . '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" '
    . 'xmlns:c="urn:dslforum-org:cwmp-1-0"><s:Header><c:ID>7</c:ID></s:Header>'
    . '<s:Body>%s</s:Body></s:Envelope>';
sub soap { return sprintf $soap, $_[0] }

my $download = soap('<c:Download><CommandKey>http://acs.lan/k</CommandKey>'
    . '<FileType>1 Firmware</FileType>'
    . '<URL>http://acs.lan/fw.bin?a=1&amp;b=&apos;2</URL></c:Download>');
my $mapped = $download =~ s{<URL>http://acs\.lan/}{<URL>https://cpe.example:7547/}r;
my $set = soap('<c:SetParameterValues><ParameterList><ParameterValueStruct>'
    . '<Name>Device.ManagementServer.URL</Name><Value>http://acs.lan/acs'
    . '</Value></ParameterValueStruct></ParameterList></c:SetParameterValues>');

# what a CPE gets when the ACS answers so: (head, body)

sub get {
    my ($path, $body, %o) = @_;
    my $coded = $o{gzip} ? Compress::Zlib::memGzip($body) : $body;
    my @head = ('HTTP/1.1 200 OK', 'Content-Type: text/xml',
                'ETag: "abc"', 'Last-Modified: Mon, 30 Nov 2026 00:00:00 GMT',
                'Set-Cookie: session=x');
    push @head, 'Content-Encoding: gzip' if $o{gzip};
    if ($o{chunked}) {
        push @head, 'Transfer-Encoding: chunked';
        $coded = join('', map { sprintf "%x\r\n%s\r\n", length, $_ }
                              $coded =~ /(.{1,$o{chunked}})/gs) . "0\r\n\r\n";
    } else {
        push @head, 'Content-Length: ' . length $coded;
    }
    $t->write('answer', ($o{piece} // 1000000) . "\n"
                        . join("\r\n", @head, 'Connection: close', '', '')
                        . $coded);
    my $reply = $t->exchange('cpe', "POST $path HTTP/1.1\r\nHost: x\r\n"
        . "Connection: close\r\nContent-Length: 0\r\n\r\n");
    my ($head, $got) = $reply =~ /^(.*?\r\n)\r\n(.*)/s;
    if (($head // '') =~ /^Transfer-Encoding: chunked/mi) {
        my $all = '';
        $all .= substr $got, 0, hex($1), ''
            while $got =~ s/^(?:\r\n)?([0-9a-f]+)\r\n//i;
        $got = $all;
    }
    return ($head // '', $got // '');
}

for my $case (['as one'], ['in pieces', piece => 40],
              ['in chunks', chunked => 50],
              ['in chunks and pieces', chunked => 33, piece => 60],
              ['without buffering', path => '/unbuffered', piece => 70])
{
    my ($name, %o) = @$case;
    my ($head, $body) = get($o{path} // '/', $download, %o);
    is($body, $mapped, "$name: the URL is mapped, all else is as it was");
    my ($length) = $head =~ /^Content-Length: (\d+)\r$/m;
    is($length, length $mapped, "$name: Content-Length");
    unlike($head, qr/ETag|Last-Modified|Transfer-Encoding/,
           "$name: nothing that tells the old one");
    like($head, qr/^Set-Cookie: session=x\r$/m, "$name: other headers stay");

    my $plain = soap('<c:GetRPCMethods/>') =~ s/7/http:\/\/acs.lan\//r;
    ($head, $body) = get($o{path} // '/', $plain, %o);
    is($body, $plain, "$name: nothing to map: as it was");
    like($head, qr/^ETag: "abc"\r$/m, "$name: with its ETag");
}

my ($head, $body) = get('/', $set);
is($body, $set =~ s{http://acs\.lan/acs}{https://cpe.example:7547/acs}r,
   'ManagementServer.URL');
($head, $body) = get('/', soap('<c:Reboot><CommandKey/></c:Reboot>'));
is($body, soap('<c:Reboot><CommandKey/></c:Reboot>'), 'another method');

for my $piece (1000000, 30) {
    ($head, $body) = get('/', $download, gzip => 1, piece => $piece);
    like($head, qr/^Content-Encoding: gzip\r$/m, "gzip by $piece: stays so");
    is($head =~ /^Content-Length: (\d+)\r$/m ? $1 : undef, length $body,
       "gzip by $piece: Content-Length");
    is(Compress::Zlib::memGunzip($body), $mapped, "gzip by $piece: mapped");
}
my $reboot = soap('<c:Reboot/>');
($head, $body) = get('/', $reboot, gzip => 1);
is($body, Compress::Zlib::memGzip($reboot), 'gzip, nothing to map: as it came');

# large

my $large = soap('<c:Download>' . join('', map { "<X>$_</X>" } 1 .. 60000)
                 . '<URL>http://acs.lan/y</URL></c:Download>');
($head, $body) = get('/', $large);
is($body, $large =~ s{http://acs\.lan/y}{https://cpe.example:7547/y}r,
   length($large) . ' bytes');
($head, $body) = get('/', $large, gzip => 1);
is(Compress::Zlib::memGunzip($body),
   $large =~ s{http://acs\.lan/y}{https://cpe.example:7547/y}r, 'and with gzip');

# inheritance, and where it does not apply

is((get('/other', $download))[1], $download,
   'a location with its own has not those above');
is((get('/other', $download =~ s/acs\.lan/files.lan/gr))[1],
   $download =~ s{<URL>http://acs\.lan/}{<URL>http://f.example/}r
             =~ s{acs\.lan}{files.lan}gr, 'but its own');
is((get('/off', $download))[1], $download, 'nor has one with cwmp off');

# what cannot be read

($head, $body) = get('/small', $download . ' ' x 2000);
like($head, qr/^HTTP\/1.1 502 /, 'more than cwmp_max_body: 502');
($head, $body) = get('/pass', $download . ' ' x 2000);
is($body, $download . ' ' x 2000, 'or passed as it is');

# from there on it is not collected; nginx fills a buffer of 4 or 8 KB, or none

for my $path ('/pass', '/pass_unbuffered') {
    my $long = $download . 'x' x 40000;
    $t->write('answer', "20000\nHTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n"
                        . 'Content-Length: ' . length($long)
                        . "\r\nConnection: close\r\n\r\n$long");
    $t->write('hold', '');
    my $s = $t->connect('cpe');
    print $s "POST $path HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
             . "Content-Length: 0\r\n\r\n";
    my $reply = Fieldgate::read_all($s, qr/\r\n\r\n.*x{2000}/s);
    like($reply, qr/^Content-Length: @{[length $long]}\r$/m,
         "$path: the header, while more is to come");
    unlink $hold;
    is(($reply . Fieldgate::read_all($s)) =~ s/.*?\r\n\r\n//sr, $long,
       "$path: all of it");
}
like($t->error_log, qr/\[warn\].* the ACS's answer with more bytes than \S+, passed/,
     'error.log has it');

($head, $body) = get('/', "<!DOCTYPE x>$download");
like($head, qr/^HTTP\/1.1 502 /, 'a DOCTYPE: 502');
is((get('/', $download))[1], $mapped, 'and the next one goes on');

# ---- toward the ACS ----

sub send_up {
    my ($body, @headers) = @_;
    my $reply = $t->exchange('cpe', join("\r\n", 'POST /echo HTTP/1.1',
        'Host: x', 'Connection: close', 'Content-Length: ' . length $body,
        @headers) . "\r\n\r\n$body");
    my ($got) = $reply =~ /\r\n\r\n.*?\r\n\r\n(.*)/s;
    return $got;
}

sub values_of {
    my ($url, @more) = @_;
    return soap('<c:GetParameterValuesResponse><ParameterList>'
        . join('', map { "<ParameterValueStruct><Name>$_->[0]</Name>"
                         . "<Value t='s'>$_->[1]</Value>"
                         . '</ParameterValueStruct>' }
                   ['Device.ManagementServer.URL', "${url}acs"],
                   ['Device.X', "${url}x?a&amp;b"], ['Device.Y', "y $url"],
                   @more)
        . '</ParameterList></c:GetParameterValuesResponse>');
}

is(send_up(values_of('https://cpe.example:7547/')),
   values_of('http://acs.lan/') =~ s{y http://acs\.lan/}{y https://cpe.example:7547/}r,
   'the ACS reads what it wrote');
is(Compress::Zlib::memGunzip(send_up(Compress::Zlib::memGzip(
       values_of('https://cpe.example:7547/')), 'Content-Encoding: gzip')),
   values_of('http://acs.lan/') =~ s{y http://acs\.lan/}{y https://cpe.example:7547/}r,
   'also with gzip');
my $own = send_up(values_of('https://cpe.example:7547/',
    ['Device.ManagementServer.ConnectionRequestURL',
     'https://cpe.example:7547/cr']));
like($own, qr{<Value t='s'>http://acs\.lan/acs<}, 'beside a connection request URL');
like($own, qr{<Value t='s'>http://acs-side\.example/client\?origin=https://cpe\.example:7547/cr<},
     'which is announced as ever');
my $many = values_of('https://cpe.example:7547/',
                     map { ["Device.Z$_", "v$_"] } 1 .. 5000);
is(send_up($many), $many =~ s{(<Value t='s'>)https://cpe\.example:7547/}{$1http://acs.lan/}gr,
   '5,000 other values');
is(send_up(values_of('http://else/')), values_of('http://else/'),
   'nothing to map: as it was');

$t->stop;

# ---- what nginx -t says ----

for my $case (['no scheme', 'cwmp_url_map acs.lan http://x/;',
               qr/invalid URL prefix "acs.lan" in \S+:\d+/],
              ['nothing behind it', 'cwmp_url_map http:// http://x/;',
               qr/invalid URL prefix "http:\/\/"/],
              ['a blank', 'cwmp_url_map http://a "http://x y";',
               qr/invalid URL prefix "http:\/\/x y"/],
              ['too long', 'cwmp_url_map http://a http://' . 'x' x 300 . ';',
               qr/invalid URL prefix/],
              ['equal', 'cwmp_url_map http://a http://a;',
               qr/"cwmp_url_map" directive has two equal prefixes/],
              ['two ways', 'cwmp_url_map http://a http://b; '
               . 'cwmp_url_map http://a http://c;',
               qr/"http:\/\/a" and "http:\/\/c" conflict with "http:\/\/a"/],
              ['two ways back', 'cwmp_url_map http://a http://b; '
               . 'cwmp_url_map http://c http://b;', qr/conflict with/],
              ['one', 'cwmp_url_map http://a;',
               qr/invalid number of arguments in "cwmp_url_map"/],
              ['cwmp off', 'server { location / { '
               . 'cwmp_url_map http://a http://b; } }',
               qr/"cwmp_url_map" has no effect without "cwmp on" in \S+:\d+/])
{
    my ($name, $http, $says) = @$case;
    my ($status, $out) = $t->check(http => $http);
    is($status, 1, "$name: refused");
    like($out, $says, "$name: explained");
}

done_testing;
