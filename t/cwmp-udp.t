# CPEs behind NAT: from the UDPConnectionRequestAddress that one announces to the
# UDP connection request that wakes it, and the Inform by which the ACS gets its
# answer.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Dns;
use Fieldgate::Stun qw(rdkb tr069agent);
use Fieldgate::Wakeup;
use Compress::Zlib qw(memGzip memGunzip);
use JSON::PP;
use Time::HiRes qw(time);

# of fallback, first, off: a location towards the CPEs and one towards the ACS

sub wakeups {
    return join '', map { <<"END" } @_;
        location = /client-$_ {
            cwmp_connection_request;
            cwmp_udp $_;
            cwmp_origin_allow 127.0.0.1;
            cwmp_timeout 60s;
            add_header X-Result \$cwmp_wakeup_result always;
        }
END
}

my $dns = Fieldgate::Dns->new('late.example' => undef);

my $t = Fieldgate->new(workers => 2, http => <<'END' . wakeups(qw(fallback first off)) . <<"END2");
    cwmp_zone cwmp:1m;
    cwmp_stun 127.0.0.1:%%PORT:stun%%;
    cwmp_secret "the secret of both sides";

    server {
        listen 127.0.0.1:%%PORT:cpe%%;
        cwmp on;
        cwmp_origin_allow 127.0.0.1;

        location /fallback {
            cwmp_public_url http://127.0.0.1:%%PORT:acs%%/client-fallback;
            proxy_pass http://127.0.0.1:%%PORT:echo%%;
        }
        location /first {
            cwmp_public_url http://127.0.0.1:%%PORT:acs%%/client-first;
            proxy_pass http://127.0.0.1:%%PORT:echo%%;
        }
        location /off {
            cwmp_public_url http://127.0.0.1:%%PORT:acs%%/client-off;
            proxy_pass http://127.0.0.1:%%PORT:echo%%;
        }
        location /short {
            cwmp_public_url http://127.0.0.1:%%PORT:acs%%/short;
            proxy_pass http://127.0.0.1:%%PORT:echo%%;
        }
        location /only {
            cwmp_origin_allow 127.0.0.1:%%PORT:udp%%;
            cwmp_public_url http://127.0.0.1:%%PORT:acs%%/client-fallback;
            proxy_pass http://127.0.0.1:%%PORT:echo%%;
        }
        location /deny {
            cwmp_origin_deny 127.0.0.1:%%PORT:udp%%;
            cwmp_public_url http://127.0.0.1:%%PORT:acs%%/client-fallback;
            proxy_pass http://127.0.0.1:%%PORT:echo%%;
        }
        location /named {
            cwmp_origin_allow ~^late\.example$ 127.0.0.1;
            cwmp_public_url http://127.0.0.1:%%PORT:acs%%/named;
            proxy_pass http://127.0.0.1:%%PORT:echo%%;
        }
        location /hurried {
            cwmp_origin_allow ~^late\.example$ 127.0.0.1;
            cwmp_public_url http://127.0.0.1:%%PORT:acs%%/hurried;
            proxy_pass http://127.0.0.1:%%PORT:echo%%;
        }
        location /path {
            cwmp_url_mode path;
            cwmp_public_url http://127.0.0.1:%%PORT:acs%%;
            proxy_pass http://127.0.0.1:%%PORT:echo%%;
        }
    }

    server {
        listen 127.0.0.1:%%PORT:acs%%;
        location = /status { cwmp_status; }
        location = /pid { return 200 $pid; }
        location = /short {
            cwmp_connection_request;
            cwmp_udp first;
            cwmp_origin_allow 127.0.0.1;
            add_header X-Result $cwmp_wakeup_result always;
        }
END
        resolver 127.0.0.1:@{[$dns->port]} ipv6=off;
        cwmp_origin_allow ~^late\\.example\$ 127.0.0.1;
        location = /named {
            cwmp_connection_request;
            resolver_timeout 1s;
            cwmp_timeout 60s;
            add_header X-Result \$cwmp_wakeup_result always;
        }
        location = /hurried {
            cwmp_connection_request;
            add_header X-Result \$cwmp_wakeup_result always;
        }
    }
END2

# an ACS that answers with the message that it has got

my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 64,
                                     LocalPort => $t->port('echo'),
                                     ReuseAddr => 1) or die "listen: $!\n";
$t->spawn('echo', sub {
    while (my $s = $listener->accept) {
        my $request = '';
        while ($request !~ /^(.*?)\r\n\r\n(.*)/s
               || length $2 < ($1 =~ /^Content-Length: (\d+)/im)[0])
        {
            sysread $s, $request, 65536, length $request or last;
        }
        $request =~ s/.*?\r\n\r\n//s;
        print $s "HTTP/1.0 200 OK\r\n\r\n$request";
        close $s;
    }
});
close $listener;
$t->start;

my $acs = Fieldgate::Wakeup->new($t);
my $server = [ '127.0.0.1', $t->port('stun') ];
my $closed = free_port();

sub status {
    my ($body) = $t->get('acs', '/status') =~ /\r\n\r\n(.*)/s;
    return decode_json($body);
}

sub struct {
    my ($name, $value) = @_;
    $value =~ s/&/&amp;/g;
    return "<ParameterValueStruct><Name>Device.ManagementServer.$name</Name>"
           . "\n<Value xsi:type=\"xsd:string\">$value</Value>"
           . "</ParameterValueStruct>";
}

# A message: method, serial, events, url, udp, in that order if they are there

sub message {
    my (%m) = @_;
    my $method = $m{method} // 'Inform';
    my $device = $method ne 'Inform' ? '' : <<"END";
<DeviceId><OUI>00AABB</OUI><ProductClass>x</ProductClass>
<SerialNumber>$m{serial}</SerialNumber></DeviceId><Event><EventStruct>
<EventCode>$m{events}</EventCode></EventStruct></Event>
END
    my $list = join "\n", map { defined $m{$_->[0]} ? struct($_->[1], $m{$_->[0]})
                                                    : () }
        $m{reverse} ? (['udp', 'UDPConnectionRequestAddress'],
                       ['url', 'ConnectionRequestURL'])
                    : (['url', 'ConnectionRequestURL'],
                       ['udp', 'UDPConnectionRequestAddress']);
    return <<"END" =~ s/\n\z//r;
<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"
 xmlns:cwmp="urn:dslforum-org:cwmp-1-0"><soap:Body><cwmp:$method>
$device<ParameterList>$list
</ParameterList></cwmp:$method></soap:Body></soap:Envelope>
END
}

# sends it, from that address; returns what the ACS has got

sub post {
    my ($location, $body, $headers, $from) = @_;
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1', Proto => 'tcp',
                                  PeerPort => $t->port('cpe'),
                                  LocalAddr => $from // '127.0.0.1')
        or die "connect: $!\n";
    syswrite $s, "POST $location HTTP/1.0\r\n"
        . "Content-Type: text/xml\r\n" . ($headers // '')
        . 'Content-Length: ' . length($body) . "\r\n\r\n$body";
    return Fieldgate::read_all($s) =~ s/.*?\r\n\r\n//sr;
}

sub inform {
    my ($location, %m) = @_;
    return post($location, message(serial => 1, events => '2 PERIODIC', %m),
                '', $m{from});
}

# the target of the URL in what the ACS has got

sub target {
    my ($body) = @_;
    my ($url) = $body =~ m{ConnectionRequestURL</Name>\s*<Value[^>]*>([^<]*)<};
    return '' unless defined $url;
    $url =~ s/&amp;/&/g;
    return $url =~ s{^http://127\.0\.0\.1:\d+}{}r;
}

sub result { ($_[0]{headers}{'x-result'} // ['none'])->[0] }

# A CPE behind NAT: has a binding, and an inner URL where nobody is

sub cpe {
    my ($serial) = @_;
    my $cpe = Fieldgate::Stun->new(server => $server);
    die "no binding\n" unless ($cpe->bind // {})->{mapped} eq $cpe->hostport;
    $cpe->{serial} = $serial;
    $cpe->{url} = "http://127.0.0.1:$closed/$serial?a=1&b=2";
    return $cpe;
}

sub announce {
    my ($cpe, $location, %m) = @_;
    return inform($location, serial => $cpe->{serial}, url => $cpe->{url},
                  udp => $cpe->hostport, %m);
}

# the datagrams that are there, once no more are sent

sub copies {
    my ($cpe) = @_;
    my @copies;
    while (defined(my $copy = $cpe->receive(0))) { push @copies, $copy }
    return @copies;
}

# Wakes it, and has it come as it should: the datagrams, and the answer

sub wake {
    my ($cpe, $target, $location, %m) = @_;
    my $call = $acs->begin('', target => $target);
    my ($datagram, $from) = $cpe->receive(30);
    inform($location, serial => $cpe->{serial}, url => $cpe->{url},
           events => '6 CONNECTION REQUEST', %m) if defined $datagram;
    my $r = $acs->end($call);
    copies($cpe);
    return ($r, $datagram, $from);
}


# what the ACS gets to know

my $cpe = cpe('one');
my $udp = $cpe->hostport;
my $sent = message(serial => 'one', events => '2 PERIODIC', url => $cpe->{url},
                   udp => $udp);
my $got = post('/fallback', $sent);

(my $rest = $got) =~ s{(ConnectionRequestURL</Name>\s*<Value[^>]*>)[^<]*}{$1};
(my $expected = $sent) =~ s{(ConnectionRequestURL</Name>\s*<Value[^>]*>)[^<]*}{$1};
$expected =~ s{\Q$udp\E}{};
is($rest, $expected, 'the value is empty, and all else as it was');

my $target = target($got);
like($target, qr{^/client-fallback\?origin=[^&]*&udp=\Q$udp\E&sig=[\w-]{22}$},
     'the address is in the announced URL');
like($got, qr{&amp;udp=\Q$udp\E&amp;sig=}, 'escaped');

for my $root ('Device.', 'InternetGatewayDevice.') {
    my $body = $sent =~ s/Device\./$root/gr;
    is(target(post('/fallback', $body)), $target, "below $root");
}

is(target(announce($cpe, '/fallback', reverse => 1)), $target,
   'in the other order');
is(target(post('/fallback', message(method => 'GetParameterValuesResponse',
                                    url => $cpe->{url}, udp => $udp))),
   $target, 'GetParameterValuesResponse');

my $zipped = post('/fallback', memGzip($sent), "Content-Encoding: gzip\r\n");
is(memGunzip($zipped), $got, 'gzip');

is(target(announce($cpe, '/fallback', udp => undef)), $target,
   'an Inform with the URL only: the address that the device announced');
is(target(post('/fallback', message(method => 'GetParameterValuesResponse',
                                    url => $cpe->{url}))),
   $target, 'a message that names no device: the one of the URL');
unlike(target(announce($cpe, '/fallback', serial => 'other', udp => undef)),
       qr/udp=/, 'but not that of another device');
$got = post('/fallback', message(method => 'GetParameterValuesResponse',
                                 udp => $udp));
like($got, qr{UDPConnectionRequestAddress</Name>\s*<Value[^>]*></Value>},
     'a message with the address only');

$got = announce($cpe, '/path');
like($got, qr{UDPConnectionRequestAddress</Name>\s*<Value[^>]*></Value>},
     'path mode: the value is emptied');
unlike(target($got), qr/udp=/, 'and not announced, as nobody could sign');

for my $bad ('name.example:1', 'http://127.0.0.1:1/', '127.1:80', '10.0.0.1:1') {
    $got = announce($cpe, '/fallback', serial => 'bad', udp => $bad);
    unlike(target($got), qr/udp=/, "$bad is not announced");
    unlike($got, qr{\Q$bad\E}, 'nor told');
}
like($t->error_log, qr/announces an address for UDP 10\.0\.0\.1:1 that /,
     'error.log has why');

# a wake-up

my ($r, $datagram, $from) = wake($cpe, $target, '/fallback');
is($r->{status}, 200, 'fallback: the Inform with event 6 answers the ACS');
is(result($r), 'udp', '$cwmp_wakeup_result');
is($from, "127.0.0.1:$server->[1]", 'the datagram is from the STUN server');
like($datagram, qr{^GET\ http://\Q$udp\E\?ts=[1-9]\d*&id=[1-9]\d*&un=acs
                   &cn=[0-9a-f]{16}&sig=[0-9a-f]{40}\ HTTP/1\.1\r\n
                   Host:\ \Q$udp\E\r\n\r\n$}x, 'its form');

my $seen = {};
is(rdkb($datagram, 'acs', 's3c:ret', $seen), 'ok', 'as RDK-B reads it');
is(tr069agent($datagram, 'acs', 's3c:ret'), 'ok', 'as tr069agent reads it');

for my $wrong ($target =~ s/&udp=[^&]*//r,
               $target =~ s/(&udp=127\.0\.0\.)1/${1}2/r,
               $target =~ s/(&udp=[^&]*)&/${1}0&/r,
               $target =~ s/(&udp=[^&]*)(.*)/$2$1/r =~ s/udp=[^&]*/udp=/r)
{
    $r = $acs->wake('', target => $wrong);
    is($r->{status} == 400 ? 403 : $r->{status}, 403, "refused: $wrong");
}

# three copies

my $short = target(announce($cpe, '/short'));
my $call = $acs->begin('', target => $short);
my @copies;
while (@copies < 3) {
    my $copy = $cpe->receive(30) // last;
    push @copies, [ $copy, time ];
}
$r = $acs->end($call);
is($r->{status}, 503, 'no Inform: 503 when cwmp_timeout is over');
is(result($r), 'udp_silent', 'udp_silent');
cmp_ok($r->{time}, '>=', 1.7, 'not before');
is(scalar @copies, 3, 'three copies');
is($copies[$_][0], $copies[0][0], 'all the same') for 1, 2;
cmp_ok($copies[1][1] - $call->{start}, '>', 0.25, 'the second after 300 ms');
cmp_ok($copies[2][1] - $call->{start}, '>', 0.75, 'the third after 800 ms');
ok(!defined $cpe->receive(0.1), 'and no more');
is(rdkb($copies[0][0], 'acs', 's3c:ret', $seen), 'ok', 'numbers went on');
is(rdkb($copies[1][0], 'acs', 's3c:ret', $seen), 'seen', 'a copy is one');

# the other worker, a reload, a death

for my $n (1 .. 6) {
    ($r, $datagram) = wake($cpe, $target, '/fallback');
    is($r->{status}, 200, "again: $n");
    is(rdkb($datagram, 'acs', 's3c:ret', $seen), 'ok', 'with new numbers');
    $t->reload if $n == 2;
    $t->kill_worker(($t->pids)[0]) if $n == 4;
}

# equal ones share, once all of them are there

$call = [ map { $acs->begin('', target => $target, socket => $_) }
          map { $acs->to_worker($_, 2) } $t->pids ];
$datagram = $cpe->receive(30);
$acs->settle;
announce($cpe, '/fallback', events => '6 CONNECTION REQUEST');
is(join(' ', map { $acs->end($_)->{status} } @$call), '200 200 200 200',
   'equal wake-ups share the call');
is(scalar(grep { $_ ne $datagram } copies($cpe)), 0, 'of one datagram');

# first, off

my $listening = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 4)
    or die "listen: $!\n";
$cpe->{url} = 'http://127.0.0.1:' . $listening->sockport . '/';

($r) = wake($cpe, target(announce($cpe, '/first')), '/first');
is(result($r), 'udp', 'first: by UDP at once');
ok(!IO::Select->new($listening)->can_read(0), 'TCP was not tried');

$cpe->{url} = "http://127.0.0.1:$closed/";
$r = $acs->wake('', target => target(announce($cpe, '/off')));
is(result($r), 'refused', 'off: by TCP only');
ok(!defined $cpe->receive(0.1), 'no datagram');

my $unbound = $cpe->hostport =~ s/\d+$/$closed/r;
$r = $acs->wake('', target => target(announce($cpe, '/fallback',
                                              serial => 'u', udp => $unbound)));
is(result($r), 'refused', 'without a binding TCP has the last word');

# an inner address that the policy refuses

my $only = Fieldgate::Stun->new(server => $server, port => $t->port('udp'));
$only->bind;
$only->{serial} = 'only';
$only->{url} = "http://192.168.1.1:7547/";
my $inner = target(announce($only, '/only'));
like($inner, qr/&udp=.*&sig=/, 'the URL is signed for UDP only');
($r) = wake($only, $inner, '/only');
is(result($r), 'udp', 'which wakes the CPE');
$r = $acs->wake('', target => $inner =~ s/fallback/off/r);
is($r->{status}, 403, 'but not where UDP is off');
like(target(announce($only, '/deny', serial => 'd')), qr/^[^&]*$/,
     'cwmp_origin_deny');

# An inner name that is not resolved in time: half of cwmp_timeout is left for
# UDP, and an answer that comes later changes nothing.

$listening = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 4)
    or die "listen: $!\n";
my @named = map { cpe($_) } qw(named hurried);
$_->{url} = 'http://late.example:' . $listening->sockport . "/$_->{serial}"
    for @named;
my ($named, $hurried) = map {
    my $where = target(announce($_, "/$_->{serial}"));
    like($where, qr{^/$_->{serial}\?origin=http://late.*&udp=},
         "$_->{serial}: a name, and an address");
    $acs->begin('', target => $where);
} @named;
ok(defined $_->receive(30), "$_->{serial}: called by UDP") for @named;
$dns->set('late.example' => [ '127.0.0.1' ]);
$acs->settle;
announce($named[0], '/named', events => '6 CONNECTION REQUEST');
is(result($acs->end($named)), 'udp', 'with an answer');
is(result($acs->end($hurried)), 'udp_silent', 'or none');
ok(!IO::Select->new($listening)->can_read(0), 'nobody was called by TCP then');

# an Inform of another device is none of this one

$cpe->{url} = "http://127.0.0.1:$closed/again";
$target = target(announce($cpe, '/short'));
unlike(target(announce($cpe, '/short', udp => undef, from => '127.0.0.2')),
       qr/udp=/, 'another client of that name has no address');
$call = $acs->begin('', target => $target);
$cpe->receive(30);
inform('/short', serial => 'two', url => $cpe->{url},
       events => '6 CONNECTION REQUEST');
announce($cpe, '/short', events => '6 CONNECTION REQUEST',
         from => '127.0.0.2');
inform('/short', serial => 'one', url => $cpe->{url}, events => '1 BOOT');
is($acs->end($call)->{status}, 503, "somebody else's Inform, another event");

my $counters = status();
cmp_ok($counters->{wakeups}{udp}, '>=', 10, 'wake-ups by UDP are counted');
is($counters->{wakeups}{udp_silent}, 3, 'and silent ones');
cmp_ok($counters->{udp_requests}, '>=', 10, 'and datagrams');

done_testing;
