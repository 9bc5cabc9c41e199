# Every example in conf/ is a configuration that nginx accepts: nginx -t, with
# the example's paths moved into a temporary folder, its files made there, and
# its own addresses replaced by 127.0.0.1.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Env qw(read_file);
use Socket ();

my @examples = grep { !m{/nginx\.conf$} && read_file($_) !~ /^stream /m }
               glob 'conf/*.conf';
cmp_ok(scalar @examples, '>=', 5, 'the examples are found');

my $t = Fieldgate->new;

$t->write('cwmp.key', "0123456789abcdef0123456789abcdef\n");
$t->write('cwmp-passwords.map', qq(10.20.0.7:7547 "the password";\n));

$t->write('mime.types', "types { text/html html; }\n");

my $dir = $t->dir;
for my $name (qw(cwmp acs operators ntrip)) {
    my $out = `openssl req -x509 -newkey rsa:2048 -nodes -days 2 \\
        -subj /CN=$name.example -keyout $dir/$name.pem \\
        -out $dir/$name.crt 2>&1`;
    is($?, 0, "certificate of $name") or diag($out);
}
for my $name (qw(cwmp acs)) {
    $t->write("$name-ca.crt", read_file("$dir/$name.crt"));
}

my $ipv6 = socket(my $s, Socket::AF_INET6(), Socket::SOCK_STREAM(), 0);
diag('no IPv6 here: the examples are checked without their [::]') if !$ipv6;

for my $example (@examples) {
    my $conf = read_file($example);

    $conf =~ s{/etc/nginx/}{%%DIR%%/}g;
    $conf =~ s{/var/log/nginx/}{%%DIR%%/}g;
    $conf =~ s{listen (\[::\]:|\S+:|)(\d+)}{
        my $port = $t->port("port$2");
        'listen ' . ($1 eq '[::]:' ? '[::1]:' : '127.0.0.1:') . $port}ge;
    $conf =~ s{cwmp_stun \*:(\d+)}{'cwmp_stun *:' . $t->port("stun$1")}ge;
    $conf =~ s{^\s*listen \[.*\n}{}gm if !$ipv6;

    my ($status, $out) = $t->check(http => $conf);
    is($status, 0, "$example is accepted") or diag($out);
    unlike($out, qr/\[(?:warn|error|crit|alert|emerg)\]/,
           "$example without a warning") or diag($out);
}

# those for NTRIP are whole files, with a stream{}

$t->write('ntrip-console', "passwd\n");

for my $example (grep { !m{/nginx\.conf$} && read_file($_) =~ /^stream /m }
                 glob 'conf/*.conf')
{
    my ($stream) = read_file($example) =~ /^stream \{\n(.*)^\}/ms;

    $stream =~ s{/var/(?:log|lib)/nginx/}{%%DIR%%/}g;
    $stream =~ s{/etc/nginx/}{%%DIR%%/}g;
    $stream =~ s{listen (?:\S+:|)(\d+)}{
        'listen 127.0.0.1:' . $t->port("relay$1")}ge;

    my ($status, $out) = $t->check(stream => $stream);
    is($status, 0, "$example is accepted") or diag($out);
    unlike($out, qr/\[(?:warn|error|crit|alert|emerg)\]/,
           "$example without a warning") or diag($out);
}

done_testing;
