# Judges that we did not write: lighttpd and libmicrohttpd as CPEs, curl as the
# ACS.

use lib 't/lib';
use Fieldgate;
use Fieldgate::ConnectionRequest;
use Fieldgate::Env qw(read_file write_file);
use Fieldgate::Wakeup;
use Digest::MD5 qw(md5_hex);
use Digest::SHA qw(sha256_hex);
use File::Basename qw(dirname);

my $key = 'a key of sixteen bytes';

my $t = Fieldgate->new(workers => 2, http => <<"END");
    cwmp_zone cwmp:1m;

    server {
        listen 127.0.0.1:%%PORT:acs%%;

        location = /client {
            cwmp_connection_request;
            cwmp_origin_allow 127.0.0.1;
            cwmp_timeout 150s;
        }
    }

    server {
        listen 127.0.0.1:%%PORT:path%%;

        location / {
            cwmp_connection_request;
            cwmp_url_mode path;
            cwmp_secret "$key";
            cwmp_origin_allow 127.0.0.1;
            cwmp_timeout 150s;
        }
    }
END
$t->start;

my $acs = Fieldgate::Wakeup->new($t);

sub path_url {
    my ($hostport, $path) = @_;
    return 'http://127.0.0.1:' . $t->port('path') . "$path?origin=$hostport"
           . '&sig=' . Fieldgate::Wakeup::sign($key, 'path', $hostport, $path);
}

sub curl {
    my (@args) = @_;
    open my $out, '-|', 'curl', '-s', '-S', '--noproxy', '*', '-o',
         '/dev/null', '-w', '%{http_code}', '--max-time', 180, @args
        or die "curl: $!\n";
    local $/;
    my $status = <$out>;
    close $out;
    return $status;
}

# what goes on between them is the same for each

sub judge {
    my ($name, $port) = @_;

    my $hostport = "127.0.0.1:$port";
    my $url = "http://$hostport/cr";

    is($acs->wake($url)->{status}, 200, "$name: credentials");
    is($acs->wake($url)->{status}, 200, "$name: once more, known nonce");
    is($acs->wake($url)->{status}, 200, "$name: and again");
    is($acs->wake($url, password => 'wrong')->{status}, 401,
       "$name: wrong password");
    is($acs->wake($url, user => 'nobody')->{status}, 401,
       "$name: wrong user");

    my $client = 'http://127.0.0.1:' . $t->port('acs') . "/client?origin=$url";
    is(curl('--basic', '-u', 'acs:s3c:ret', $client), 200,
       "$name: curl --basic");
    is(curl('--anyauth', '-u', 'acs:s3c:ret', $client), 200,
       "$name: curl --anyauth");
    is(curl('--basic', '-u', 'acs:wrong', $client), 401,
       "$name: curl with a wrong password");
    is(curl('--digest', '-u', 'acs:s3c:ret', path_url($hostport, '/cr')), 200,
       "$name: curl --digest in path mode");
    is(curl('--digest', '-u', 'acs:wrong', path_url($hostport, '/cr')), 401,
       "$name: curl --digest with a wrong password");
}


# lighttpd

for my $algorithm ('MD5', 'SHA-256') {
    my $port = free_port();
    my $dir = $t->path("lighttpd-$algorithm");
    my $hash = $algorithm eq 'MD5' ? \&md5_hex : \&sha256_hex;

    mkdir $dir;
    write_file("$dir/cr", 'OK');
    write_file("$dir/users", 'acs:CPE:' . $hash->('acs:CPE:s3c:ret') . "\n");
    write_file("$dir/conf", <<"END");
server.document-root = "$dir"
server.bind = "127.0.0.1"
server.port = $port
server.modules = ( "mod_auth", "mod_authn_file" )
server.errorlog = "$dir/errors"
auth.backend = "htdigest"
auth.backend.htdigest.userfile = "$dir/users"
auth.require = ( "/" => ( "method" => "digest", "realm" => "CPE",
                          "algorithm" => "$algorithm",
                          "require" => "valid-user" ) )
END

    my $pid = $t->spawn("lighttpd-$algorithm", sub {
        exec 'lighttpd', '-D', '-f', "$dir/conf" or die "lighttpd: $!\n";
    });

    wait_for(sub { IO::Socket::INET->new("127.0.0.1:$port") }, 'lighttpd');
    judge("lighttpd $algorithm", $port);
    $t->end($pid);
}

# libmicrohttpd

my $server = $t->path('microhttpd_cpe');
is(system('cc', '-o', $server, dirname(__FILE__) . '/lib/microhttpd_cpe.c',
          '-lmicrohttpd'), 0, 'libmicrohttpd: built');

for my $algorithm ('md5', 'sha256') {
    my $pid = $t->spawn("microhttpd-$algorithm", sub {
        exec $server, $algorithm or die "$server: $!\n";
    });

    my ($port) = wait_for(sub { read_file($t->path("microhttpd-$algorithm.out"))
                                =~ /^(\d+)\n/ && $1 }, 'libmicrohttpd');
    judge("libmicrohttpd $algorithm", $port);

    like(read_file($t->path("microhttpd-$algorithm.out")),
         qr/^\d+\nchallenge\nok\nok\nok\n/,
         "libmicrohttpd $algorithm: a known nonce saves the challenge");
    $t->end($pid);
}

# curl with a Basic password in advance, and HTTP/1.0, for our own CPE

my $cpe = Fieldgate::ConnectionRequest->new(max_cnonce => 64);
my $client = 'http://127.0.0.1:' . $t->port('acs') . '/client?origin='
             . $cpe->url;
is(curl('-0', '--basic', '-u', 'acs:s3c:ret', $client), 200, 'HTTP/1.0');
is(curl('-I', '--basic', '-u', 'acs:s3c:ret', $client), 200, 'HEAD');
is(curl('--basic', '-u', 'acs:s3c:ret', $client, $client, $client), '200' x 3,
   'three on one connection');
is(curl('--digest', '-u', 'acs:s3c:ret', path_url($cpe->hostport, '/cr')), 200,
   'a CPE that compares uri and request line');

$cpe->set(head => 1);
is(curl('-I', '--digest', '-u', 'acs:s3c:ret',
        path_url($cpe->hostport, '/cr')), 200,
   'HEAD in path mode: the Digest of the ACS covers the method');
like($cpe->seen->{requests}[-1]{line}, qr/^HEAD /, 'the CPE gets HEAD as well');

done_testing;
