# cwmp_affinity with a cookie: sessions spread over two nginxes that share no
# zone, before two ACSs that bind a session to its connection and go on with it
# where its cookie turns up.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Affinity;
use Fieldgate::CPE;
use Fieldgate::Echo;
use Fieldgate::Env qw(read_file);
use Fieldgate::Wakeup;

my ($acs1, $acs2, $echo) = (free_port(), free_port(), free_port());
my $key = '0123456789abcdef';

sub node {
    return Fieldgate->new(workers => 2, http => <<"END");
    cwmp_zone cwmp:1m;
    cwmp on;
    cwmp_secret $key;
    cwmp_public_url http://acs-side.example/client;
    proxy_http_version 1.1;
    proxy_set_header Connection "";

    upstream acs {
        server 127.0.0.1:$acs1;
        server 127.0.0.1:$acs2;
        cwmp_affinity cookie=fg timeout=100s;
    }

    upstream echo {
        server 127.0.0.1:$echo;
        cwmp_affinity timeout=100s cookie=fg;
    }

    server {
        listen 127.0.0.1:%%PORT:cpe%%;
        location / { proxy_pass http://acs; }
        location /echo { proxy_pass http://echo; }
        location /off { cwmp off; proxy_pass http://127.0.0.1:$echo; }
    }
END
}

my @node = (node(), node());
my $t = $node[0];
$t->{ports}{acs1} = $acs1;
$t->{ports}{acs2} = $acs2;
$t->spawn('echo', sub { Fieldgate::Echo::serve($echo) });
wait_for(sub { Fieldgate::Echo::ready($echo) }, 'the upstream');
acs($t, rpcs => 2);
$_->start for @node;

sub status_of { my ($status) = shift =~ m{^HTTP/1.1 (\d+)}; return $status }

# the cookies of an answer, by name

sub cookies {
    my ($head) = @_;
    return { $head =~ /^Set-Cookie: ([^=;\r]+)=([^;\r]*)/mg };
}

sub header { my ($c) = @_;
             return 'Cookie: ' . join '; ', map { "$_=$c->{$_}" } sort keys %$c }

# a session, each message of which goes to the other node: where it has been

sub wander {
    my ($device, %opt) = @_;
    my ($n, %jar, @heads) = (0);

    for my $kind ('inform', 'empty', 'response', 'response') {
        my $s = $node[$n++ % 2]->connect('cpe');
        post($s, $kind, $device, %jar ? header(\%jar) : ());
        my $head = answer($s);
        push @heads, $head;
        my $set = cookies($head);
        %jar = (%jar, %$set);
        $opt{forge}->(\%jar) if $opt{forge};
        close $s;
        return @heads if status_of($head) !~ /^20[04]$/;
        wait_closed($t, $head) if status_of($head) == 200;
    }
    return @heads;
}

my (%servers, $whole, $wrong);
for my $i (1 .. 20) {
    my @heads = wander("S$i");
    my %at = map { server_of($_) => 1 } @heads;
    $servers{$_}++ for keys %at;
    $whole += @heads == 4 && status_of($heads[3]) == 204;
    $wrong += keys %at > 1;
}
is($whole, 20, '20 sessions over both nodes: all complete');
is($wrong, 0, 'each at one server');
is(join(' ', sort keys %servers), 'acs1 acs2', 'of which there are two');
is(report($t, 'acs1')->{invalid} + report($t, 'acs2')->{invalid}, 0,
   'no ACS has seen a session that it does not know');

# what the CPE gets

my @heads = wander('T1');
my $fg = cookies($heads[0])->{fg};
like($fg, qr/^[0-9a-f]{8}[\w-]{22}$/, 'the first answer has the cookie');
is(cookies($heads[$_])->{fg}, undef, "answer $_ has none") for 1, 2;
like($heads[3], qr/^Set-Cookie: fg=; Max-Age=0\r$/m, 'the last takes it back');
my $left = hex(substr $fg, 0, 8) - time;
ok($left > 90 && $left <= 101, 'it lives as long as the session') or diag($left);

# without it half of the sessions are lost

my $lost = 0;
for my $i (1 .. 12) {
    my @heads = wander("U$i", forge => sub { delete $_[0]{fg} });
    $lost += status_of($heads[-1]) != 204;
}
cmp_ok($lost, '>', 0, "$lost of 12 are lost without it");

# forged, stale, or for another upstream: as without, and never an error

sub ticket {
    my ($upstream, $server, $expires) = @_;
    my $time = sprintf '%08x', $expires;
    my $hash = Digest::SHA::sha256("\x03" . join '',
        map { pack('N', length) . $_ } $upstream, $server, $time);
    return $time . Fieldgate::Wakeup::encode_base64url(
        substr Digest::SHA::hmac_sha256($hash, $key), 0, 16);
}

sub at {
    my %at;
    for my $i (1 .. 6) {
        my $s = $node[1]->connect('cpe');
        post($s, 'empty', 'x', map { "Cookie: fg=$_" } @_);
        my $head = answer($s);
        $at{server_of($head)}++;
    }
    return join ' ', sort keys %at;
}

is(at(ticket('acs', "127.0.0.1:$acs1", time + 50)), 'acs1',
   'a cookie leads to its server');
is(at(ticket('acs', "127.0.0.1:$acs2", time + 50)), 'acs2', 'any of them');
is(at(ticket('acs', "127.0.0.1:$acs2", time + 140)), 'acs2',
   'from a node whose clock is 40 seconds ahead');
is(at(map { ticket('acs', "127.0.0.1:$_", time + 50) } $acs2, $acs1), 'acs2',
   'of several the first');
my $good = ticket('acs', "127.0.0.1:$acs2", time + 50);
for my $case (['stale', ticket('acs', "127.0.0.1:$acs2", time - 1)],
              ['of too long a life',
               ticket('acs', "127.0.0.1:$acs2", time + 1000)],
              ['of another upstream',
               ticket('echo', "127.0.0.1:$acs2", time + 50)],
              ['of an unknown server', ticket('acs', '10.0.0.1:1', time + 50)],
              ['with a changed signature',
               $good =~ s/(.)$/$1 eq 'A' ? 'B' : 'A'/er],
              ['with a changed time', $good =~ s/^(.{7})./$1x/r],
              ['cut', substr $good, 0, 20], ['empty', ''],
              ['of anything', 'x' x 3000])
{
    my ($name, $fg) = @$case;
    is(at($fg), 'acs1 acs2', "$name: ignored");
}

# the server of a cookie is down: another one takes the session, with a new cookie

kill_acs($t, 'acs2');
my $s = $node[1]->connect('cpe');
post($s, 'inform', 'V1', "Cookie: fg=$good");
my $head = answer($s);
is(server_of($head), 'acs1', 'its server is down: another one has it');
isnt(cookies($head)->{fg} // $good, $good, 'with a new cookie');
close $s;

# ---- what the ACS sees ----

sub seen_by_acs {
    my ($path, @lines) = @_;
    my $reply = $t->exchange('cpe', join("\r\n", "POST $path HTTP/1.1",
        'Host: x', 'Connection: close', 'Content-Length: 0', @lines)
        . "\r\n\r\n");
    my ($body) = $reply =~ /\r\n\r\n(.*)/s;
    return join '|', $body =~ /^(Cookie: [^\r]*|Keep-Alive[^\r]*)\r$/img;
}

for my $path ('/echo', '/off') {
    is(seen_by_acs($path, "Cookie: a=1; fg=$good; b=\"2;\"; fgx=3,d"),
       'Cookie: a=1; b="2;"; fgx=3,d', "$path: other cookies are as they were");
    is(seen_by_acs($path, "Cookie: fg=$good"), '', "$path: no empty header");
    is(seen_by_acs($path, "Cookie: a=1", "Cookie: fg=x", "Cookie:  b=2;c"),
       'Cookie: a=1|Cookie: b=2;c', "$path: of several headers one goes");
    is(seen_by_acs($path, 'Cookie: a=1;  b=2 ,c=3;'), 'Cookie: a=1;  b=2 ,c=3;',
       "$path: without it nothing changes");
}

$_->stop for @node;

# ---- what nginx -t says ----

sub conf {
    my ($affinity, $more) = @_;
    return ($more // "cwmp_secret $key; cwmp on;") . ' cwmp_zone z:1m;'
        . 'cwmp_public_url http://a.example/;'
        . "upstream acs { server 127.0.0.1:1; $affinity }"
        . 'server { location / { proxy_pass http://acs; } }';
}

for my $case (['no name', conf('cwmp_affinity cookie=;'),
               qr/invalid name of a cookie "" in \S+:\d+/],
              ['a name that is none', conf('cwmp_affinity "cookie=a b";'),
               qr/invalid name of a cookie "a b"/],
              ['two', conf('cwmp_affinity cookie=a cookie=b;'),
               qr/invalid parameter "cookie=b"/],
              ['another word', conf('cwmp_affinity biscuit=a;'),
               qr/invalid parameter "biscuit=a"/],
              ['no secret', conf('cwmp_affinity cookie=a;', 'cwmp on;'),
               qr/"cwmp on" needs a "cwmp_secret" where .* cookie in \S+:\d+/],
              ['cwmp off', conf('cwmp_affinity cookie=a;',
                                "cwmp_secret $key;"),
               qr/"cwmp_affinity" with a cookie needs "cwmp on" in \S+:\d+/])
{
    my ($name, $http, $says) = @$case;
    my ($status, $out) = $t->check(http => $http);
    is($status, 1, "$name: refused");
    like($out, $says, "$name: explained");
}

done_testing;
