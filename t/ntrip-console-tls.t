# The console behind TLS, with a list that does not fit into any buffer.

use lib 't/lib';
use Fieldgate;
use IO::Socket::SSL;

my $t = Fieldgate->new(workers => 2, stream => <<'END');
    ntrip_zone 8m;
    ntrip_database %%DIR%%/db/ntrip.db;
    ntrip_password_storage plain;

    server {
        listen 127.0.0.1:%%PORT:console%% ssl;
        ssl_certificate %%DIR%%/cert.pem;
        ssl_certificate_key %%DIR%%/key.pem;

        ntrip_console;
        ntrip_console_password passwd;
    }
END

system('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-batch',
       '-subj', '/CN=console', '-days', 2, '-out', $t->path('cert.pem'),
       '-keyout', $t->path('key.pem')) == 0 or die 'openssl failed';
$t->start;
$t->wait_log(qr/ntrip database "\S+" was created/);

sub console {
    my $s = IO::Socket::SSL->new(PeerAddr => '127.0.0.1',
                                 PeerPort => $t->port('console'),
                                 SSL_verify_mode => SSL_VERIFY_NONE)
        or die "TLS: $IO::Socket::SSL::SSL_ERROR";
    print $s "$_[0]\n";
    local $/;
    return scalar readline $s;
}

is(console('USER-ADD passwd rover:pw 2099-01-01'), "OK USER-ADD\r\n\r\n",
   'a command');
is(console("CLIENT-LIST passwd\nCLIENT-LIST passwd"),
   "OK CLIENT-LIST\r\n\r\n" x 2, 'two at once');

system('sqlite3', '-cmd', '.timeout 5000', $t->path('db/ntrip.db'),
       'WITH RECURSIVE n(i) AS'
       . ' (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)'
       . ' INSERT INTO user (name, password)'
       . " SELECT printf('user%06d', i), 'pw' FROM n") == 0
    or die 'sqlite3 failed';

my $list = console('USER-LIST passwd');
my @rows = $list =~ /^(?:user(\d{6})|(rover)):pw\t\d{4}-\S+ \S+\r$/gm;
is(@rows / 2, 100_001, 'a list of 100,001 users');
like($list, qr/\r\n\r\n$/, 'to its end');

done_testing();
