# Key updates of TLS 1.3 in mid-stream: of a rover, of a provider, those that ask
# for another one in return, too.  Not a byte is lost or torn.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Env qw(free_port temp_dir);
use Fieldgate::Ntrip;
use Fieldgate::Provider qw(frame);
use IO::Handle;
use IO::Select;
use IPC::Open3 qw(open3);
use MIME::Base64 qw(encode_base64);
use Symbol qw(gensym);

my $dir = temp_dir();
system("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
       . " -batch -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1"
       . " -days 2 -out $dir/cert.pem -keyout $dir/key.pem"
       . " > $dir/out 2>&1") == 0 or die 'openssl';

# the provider: s_server, which sends what it is given, but for lines that begin
# with a letter of a command

my $port = free_port();

my %running;
END { local $?; for (keys %running) { kill KILL => $_; waitpid $_, 0 } }

sub program {
    my (@command) = @_;
    my $p = { err => gensym };
    $p->{pid} = open3($p->{in}, $p->{out}, $p->{err}, 'openssl', @command);
    $running{$p->{pid}} = 1;
    $p->{in}->autoflush(1);
    $p->{$_} = '' for qw(got said);
    return $p;
}

# what it has written so far

sub look {
    my ($p) = @_;
    for (['out', 'got'], ['err', 'said']) {
        my ($from, $to) = @$_;
        while (IO::Select->new($p->{$from})->can_read(0)) {
            sysread $p->{$from}, $p->{$to}, 65536, length $p->{$to} or last;
        }
    }
}

# A line is a command if it is read by itself: FIONREAD says when it is.

sub command {
    my ($p, $letter) = @_;
    my $left = pack 'i', 1;

    syswrite $p->{in}, "$letter\n";
    wait_for(sub {
        look($p);
        ioctl $p->{in}, 0x541b, $left or die "ioctl: $!";
        return unpack('i', $left) == 0;
    }, "the key update \"$letter\"");
}

my $provider = program('s_server', '-accept', "127.0.0.1:$port", '-cert',
                       "$dir/cert.pem", '-key', "$dir/key.pem", '-tls1_3',
                       '-naccept', 1);
wait_for(sub { look($provider); $provider->{got} =~ /ACCEPT/ }, 's_server');

my $n = Fieldgate::Ntrip->new(
    workers => 2, users => 4, accounts => 1, start => 0,
    stream => <<"END");
    ntrip_mount KEYS gga=off;
    ntrip_source_ssl_trusted_certificate $dir/cert.pem;
    ntrip_source_timeout 300s;
    server {
        listen 127.0.0.1:%%PORT:tls%% ssl;
        listen 127.0.0.1:%%PORT:plain%%;
        ssl_certificate $dir/cert.pem;
        ssl_certificate_key $dir/key.pem;
        ssl_protocols TLSv1.3;
        ntrip_caster;
        ntrip_relay port=1;
    }
END
my $t = $n->nginx;
$n->sql("UPDATE source SET port = $port, tls = 1");
$t->start;

# a rover over TLS that can update its keys, and a plain one

my $rover = program('s_client', '-connect', '127.0.0.1:' . $t->port('tls'),
                    '-tls1_3');
wait_for(sub { look($rover); $rover->{got} =~ /Verify return code/ },
         's_client');
syswrite $rover->{in}, "GET /KEYS HTTP/1.0\r\nAuthorization: Basic "
                       . encode_base64('u1:p1', '') . "\r\n\r\n";

my $plain = $t->connect('plain');
syswrite $plain, "GET /KEYS HTTP/1.0\r\nAuthorization: Basic "
                 . encode_base64('u2:p2', '') . "\r\n\r\n";

wait_for(sub { look($provider); $provider->{got} =~ /GET \/KEYS HTTP.*\r\n\r\n/s },
         'the login at the provider');
syswrite $provider->{in}, "ICY 200 OK\r\n\r\n";

my ($number, $sent, $got) = (0, '', '');

# one more epoch, and both have all that was sent

sub epoch {
    my ($name) = @_;
    my $frame = frame(1, ++$number, 300);
    $sent .= $frame;
    syswrite $provider->{in}, $frame;
    $got = Fieldgate::read_all($plain, qr/^ICY 200 OK\r\n\r\n/)
           =~ s/^.*?\r\n\r\n//sr if $number == 1;
    $got .= Fieldgate::read_all($plain, qr/^(?s:.{@{[
                length($sent) - length $got]}})/) if length $got < length $sent;
    wait_for(sub { look($rover);
                   index($rover->{got}, "ICY 200 OK\r\n\r\n$sent") >= 0 },
             "$name: the rover to have all");
    is(length $got, length $sent, "$name: the other one, too");
    ok($got eq $sent, "$name: the same");
}

epoch('at first');

for my $round (1, 2) {
    command($rover, 'k');
    epoch('the rover has new keys');
    command($rover, 'K');
    epoch('and wants new ones');
    syswrite $rover->{in}, '$GPGGA,120000.00,4806.0,N,01130.0,E,4,12,1,5,M,4,M,,'
                           . "\r\n";
    epoch('and sends with them');
    command($provider, 'k');
    epoch('the provider has new keys');
    command($provider, 'K');
    epoch('and wants new ones');
}

look($rover);
is(scalar(() = $rover->{said} =~ /KEYUPDATE/g), 4, 'there were key updates');
unlike($t->error_log, qr/source lost|SSL_(?:read|write)\(\) failed/,
       'nobody was lost');

# s_server says of each that it has done it, at the latest when it ends

$t->stop;
for ($rover, $provider) {
    close $_->{in};
    waitpid $_->{pid}, 0;
    delete $running{$_->{pid}};
}
look($provider);
is(scalar(() = $provider->{got} =~ /SSL_do_handshake -> 1/g), 4,
   'of the provider, too');

done_testing();
