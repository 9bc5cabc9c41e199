# Names of providers without a resolver: a name server that does not answer
# delays neither logins nor the console, many sources of one name cause one
# look-up, and each of them ends with its own time.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Env qw(read_file sanitizer_env);
use Fieldgate::Ntrip;
use File::Basename qw(dirname);
use MIME::Base64 qw(encode_base64);

my $sources = 20;

my $n = Fieldgate::Ntrip->new(
    users => $sources, accounts => $sources, mounts => 1, workers => 1,
    server => 'ntrip_share_distance off; ntrip_source_connect_timeout 1s;',
    start => 0);
my ($t, $provider) = ($n->nginx, $n->provider);

my $library = $t->path('slow_names.so');
is(system('cc', '-shared', '-fPIC', '-o', $library,
          dirname(__FILE__) . '/lib/slow_names.c', '-ldl'), 0,
   'a name service that is slow');

my %sanitizer = sanitizer_env($t->dir);
$t->{env} = { LD_PRELOAD => $library,
              ASAN_OPTIONS => "$sanitizer{ASAN_OPTIONS}"
                              . ',verify_asan_link_order=0' };
mkdir $t->path('answer') or die 'mkdir: ' . $t->path('answer') . ": $!";

# each look-up so far, by name

sub lookups {
    my %count;
    $count{$_}++ for split /\n/, read_file($t->path('lookups'));
    return \%count;
}

# what a rover without a position gets for a login

sub login {
    my ($user, $password) = @_;
    my $s = $t->connect('caster');
    print $s "GET /M0 HTTP/1.0\r\nUser-Agent: NTRIP x\r\nAuthorization: Basic "
             . encode_base64("$user:$password", '') . "\r\n\r\n";
    return Fieldgate::read_all($s, qr/\r\n/);
}

my $hash = crypt 'secret', '$6$abcdefgh$';
$n->sql("UPDATE source SET host = 'one.slow.example';"
        . "INSERT INTO user (name, password) VALUES ('hashed', '$hash');");
$t->start;

# everybody waits for one name, and nobody answers

my $rovers = $n->rovers(1 .. $sources);
wait_for(sub { $sources <= (() = $t->error_log =~ /provider timed out/g) },
         'each of them to end');
is_deeply(lookups(), { 'one.slow.example' => 1 },
          "$sources sources of one name: one look-up");

# other names have look-ups of their own, more than there are threads

$n->sql(join '', map { "UPDATE source SET host = 'h$_.slow.example' "
                       . "WHERE name = 'a$_';" } 1 .. $sources);
wait_for(sub { keys %{lookups()} >= 8 }, 'look-ups of other names');

like(login('hashed', 'secret'), qr/^ICY 200 OK/, 'a hashed password');
like($n->console('USER-ADD passwd new:user 2040-12-31'), qr/^OK USER-ADD\r/,
     'a command that writes');
like(login('new', 'user'), qr/^ICY 200 OK/, 'and its result');
is($rovers->seen->{open}, $sources, 'no rover was closed');

# the answers come

$t->write("answer/h$_.slow.example", '') for 1 .. $sources;
$t->write('answer/one.slow.example', '');

my $seen = $rovers->wait_for(fed => $sources);
is("@{$seen->{errors}}", '', 'all are served');
is($provider->seen->{twice}, 0, 'no account was used twice');

$t->stop;

done_testing;
