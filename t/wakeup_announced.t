# From the Inform of a CPE to its wake-up: what nginx announces is what the ACS
# calls.

use lib 't/lib';
use Fieldgate;
use Fieldgate::ConnectionRequest;
use Fieldgate::Wakeup;

my $t = Fieldgate->new(workers => 2, http => <<'END');
    cwmp_zone cwmp:1m;
    cwmp_secret "the secret of both sides";

    server {
        listen 127.0.0.1:%%PORT:cpe%%;
        listen [::1]:%%PORT:cpe%%;
        set_real_ip_from 127.0.0.1;

        location /query {
            cwmp on;
            cwmp_public_url http://127.0.0.1:%%PORT:acs%%/client;
            cwmp_origin_allow 127.0.0.1 [::1];
            proxy_pass http://127.0.0.1:%%PORT:echo%%;
        }

        location /path {
            cwmp on;
            cwmp_public_url http://127.0.0.1:%%PORT:path%%;
            cwmp_url_mode path;
            cwmp_origin_allow 127.0.0.1 [::1];
            proxy_pass http://127.0.0.1:%%PORT:echo%%;
        }

        location /client {
            cwmp on;
            cwmp_public_url http://127.0.0.1:%%PORT:acs%%/client;
            cwmp_origin_allow client:1024-65535;
            proxy_pass http://127.0.0.1:%%PORT:echo%%;
        }
    }

    server {
        listen 127.0.0.1:%%PORT:acs%%;

        location = /client {
            cwmp_connection_request;
            cwmp_origin_allow 127.0.0.1 [::1];
            cwmp_timeout 150s;
        }
    }

    server {
        listen 127.0.0.1:%%PORT:path%%;

        location / {
            cwmp_connection_request;
            cwmp_url_mode path;
            cwmp_origin_allow 127.0.0.1 [::1];
            cwmp_timeout 150s;
        }
    }
END

# an ACS that answers with the message that it has got

my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 16,
                                     LocalPort => $t->port('echo'),
                                     ReuseAddr => 1) or die "listen: $!\n";
$t->spawn('echo', sub {
    while (my $s = $listener->accept) {
        my $request = Fieldgate::read_all($s, qr{</[\w:]*Envelope>$});
        $request =~ s/.*?\r\n\r\n//s;
        print $s "HTTP/1.0 200 OK\r\n\r\n$request";
        close $s;
    }
});
close $listener;
$t->start;

my $acs = Fieldgate::Wakeup->new($t);

sub announced {
    my ($location, $url) = @_;

    (my $text = $url) =~ s/&/&amp;/g;
    my $body = <<"END" =~ s/\n\z//r;
<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"
 xmlns:cwmp="urn:dslforum-org:cwmp-1-0"><soap:Body><cwmp:Inform>
<DeviceId><OUI>00AABB</OUI><ProductClass>x</ProductClass>
<SerialNumber>1</SerialNumber></DeviceId><ParameterList>
<ParameterValueStruct>
<Name>Device.ManagementServer.ConnectionRequestURL</Name>
<Value>$text</Value></ParameterValueStruct></ParameterList></cwmp:Inform>
</soap:Body></soap:Envelope>
END

    my $reply = $t->exchange('cpe', "POST $location HTTP/1.0\r\n"
        . "Content-Type: text/xml\r\n"
        . 'Content-Length: ' . length($body) . "\r\n\r\n$body");

    my ($value) = $reply =~ m{<Value>([^<]*)</Value>};
    die "no value in $reply\n" unless defined $value;
    $value =~ s/&amp;/&/g;
    $value =~ s{^http://127\.0\.0\.1:\d+}{};

    return $value;
}

sub curl {
    my (@args) = @_;
    open my $out, '-|', 'curl', '-s', '-S', '-g', '--noproxy', '*', '-o',
         '/dev/null', '-w', '%{http_code}', '--max-time', 180, @args
        or die "curl: $!\n";
    local $/;
    my $status = <$out>;
    close $out;
    return $status;
}

sub upper { $_[0] =~ s/(%[0-9a-f]{2})/\U$1/gir }

my @paths = ('/', '/cr', '/a/b?c=d&e=f', '/a;b=c', '/%41%2f%20', '/x+y',
             '/a?b=http://c/?d', "/a'b", '/~(a)*,!$@:', '/[a]', '/a//b',
             '/?origin=127.0.0.1:1', '/a?', '/a??b', '/a?&');

for my $host ('127.0.0.1', '::1') {
    my $cpe = eval {
        Fieldgate::ConnectionRequest->new(path => undef, host => $host,
                                          max_cnonce => 64);
    };

    SKIP: {
        skip "no $host on this machine", 1 unless $cpe;

        for my $path (@paths) {
            my $url = 'http://' . $cpe->hostport . $path;

            $cpe->clear;
            is($acs->wake('', target => announced('/query', $url))->{status},
               200, "query mode: $url");
            is($cpe->seen->{requests}[0]{line}, "GET $path HTTP/1.1",
               "query mode: $path is called");

            my $target = announced('/path', $url);
            is(curl('--path-as-is', '--digest', '-u', 'acs:s3c:ret',
                    'http://127.0.0.1:' . $t->port('path') . $target), 200,
               "path mode: $url");

            # newer versions of curl write escapes in upper case
            is(upper($cpe->seen->{requests}[-1]{line}),
               upper("GET $target HTTP/1.1"),
               'path mode: the target that was announced');
        }
    }
}

# without a path

my $cpe = Fieldgate::ConnectionRequest->new(path => '/');
is($acs->wake('', target => announced('/query', 'http://' . $cpe->hostport))
   ->{status}, 200, 'query mode: no path');

# a CPE whose URL is not its own: announced, but not callable

my $target = announced('/client', 'http://127.0.0.9:7547/');
like($target, qr{^/client\?origin=http://127\.0\.0\.9:7547/$},
     'a foreign address is announced without a signature');
is($acs->wake('', target => $target)->{status}, 403, 'which is refused');

done_testing;
