# conf/cors-relay.conf as it is, but for paths and the numbers of ports: the
# database of cors-relay, a rover at each port, whose provider has that one,
# and the console.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Env qw(read_file);
use Fieldgate::Provider;
use Fieldgate::Rovers;

my @ports = qw(8001 8002 8003);
my @mounts = qw(RTCM30_GG RTCM23_GPS RTCM32_GGB);

my $t = Fieldgate->new(events => 'worker_connections 4096;');
my ($stream) = read_file('conf/cors-relay.conf') =~ /^stream \{\n(.*)^\}/ms;

$stream =~ s{/var/log/nginx/}{%%DIR%%/}g;
$stream =~ s{/var/lib/nginx/ntrip/}{%%DIR%%/db/}g;
$stream =~ s{listen (?:\S+:|)(\d+)}{listen 127.0.0.1:%%PORT:p$1%%}g;
is(() = $stream =~ /listen 127\.0\.0\.1:%%PORT:p\d+%%;/g, 4, 'four ports');

# a provider at each of them, of another address

my %provider = map {
    $_ => Fieldgate::Provider->new(host => '127.0.0.2',
                                   port => $t->port("p$_"));
} @ports;
my $more = Fieldgate::Provider->new(host => '127.0.0.2');

mkdir $t->path('db') or die "mkdir: $!";
$t->write('sql', <<"END");
    CREATE TABLE tb_user (name VARCHAR(255) PRIMARY KEY NOT NULL,
                          passwd VARCHAR(255) NOT NULL,
                          expire DATETIME NOT NULL);
    CREATE TABLE tb_src (token VARCHAR(255) PRIMARY KEY NOT NULL,
                         expire DATETIME NOT NULL,
                         flag INT NOT NULL DEFAULT 0);
    INSERT INTO tb_user SELECT 'u' || value, 'p', '2099-01-02 03:04:05'
        FROM json_each('[1,2,3]');
    INSERT INTO tb_src (token, expire) SELECT
        'a' || value || ':s\@127.0.0.2', '2099-01-02 03:04:05'
        FROM json_each('[1,2,3,4]');
END
my $out = `sqlite3 @{[$t->path('db/cors-relay.db')]} < @{[$t->path('sql')]} 2>&1`;
is($out, '', 'a database of cors-relay');

$t->start(stream => $stream);

sub console { $t->exchange('p8000', "$_[0]\n") }
sub tested { console("SOURCE-TEST passwd $_[0]")
                 =~ s/^OK SOURCE-TEST\r\n(.*)\r\n\r\n\z/$1/sr }

wait_for(sub { console('USER-LIST passwd') =~ /^OK/ }, 'the import');
is(() = console('SOURCE-LIST passwd') =~ /\ta\d:s\t/g, 4, 'the sources');


# without a port of its own a source is tested at the first of the server's

is(tested('127.0.0.2 a1'), 'ICY 200 OK', 'SOURCE-TEST of one');
$provider{8001}->wait_for(logins => 1);
is($provider{8001}->seen->{requests}[0]{mount}, $mounts[0],
   'for the first mountpoint, at the port of the first');
is(tested("127.0.0.2 a1 $mounts[2]"), 'ICY 200 OK', 'and for another one');
$provider{8001}->wait_for(logins => 2);
is($provider{8001}->seen->{requests}[1]{mount}, $mounts[2], 'of that name');
is($provider{$_}->seen->{logins}, 0, "nobody at port $_")
    for @ports[1, 2];


# with one it is at that

my $port = $more->port;
like(console("SOURCE-ADD passwd 127.0.0.2:$port a9:s 2099-01-01"), qr/^OK/,
     'one with a port');
is(tested("127.0.0.2:$port a9"), 'ICY 200 OK', 'SOURCE-TEST of it');
$more->wait_for(logins => 1);
like(console("SOURCE-DEL passwd 127.0.0.2:$port a9"), qr/^OK/, 'which goes');


# rovers: the port that one comes to is the one at the provider

my $rovers = Fieldgate::Rovers->new(rovers => [map {
    { user => "u$_", password => 'p', mount => $mounts[$_ - 1],
      port => $t->port("p$ports[$_ - 1]"), lat => 48.1, lon => 11.6 }
} 1 .. 3]);
my $seen = $rovers->wait_for(fed => 3);
is(join("\n", @{$seen->{errors}}), '', 'a rover at each port is served');
is($provider{$ports[$_]}->wait_for(logins => 1)->{requests}[-1]{mount},
   $mounts[$_],
   "with $mounts[$_] from $ports[$_]") for 0 .. 2;
is($provider{$_}->seen->{twice}, 0, "no account was used twice at $_")
    for @ports;

done_testing;
