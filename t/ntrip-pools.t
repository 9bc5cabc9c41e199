# What waits for what: hashes, writes and look-ups have threads of their own.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Env qw(read_file);
use Fieldgate::Ntrip;

use IO::Select;
use MIME::Base64 qw(encode_base64);

my $users = 80;

my $n = Fieldgate::Ntrip->new(workers => 1, users => 1, accounts => 1,
    main => 'thread_pool ntrip_hash threads=3;',
    stream => 'log_format result "$ntrip_result";',
    server => 'ntrip_login_timeout 300s; access_log logs/result result;',
    others => { short => 'ntrip_login_timeout 100ms;' });
my $t = $n->nginx;

sub login {
    my ($user, $password, $version, $port) = @_;
    my $auth = encode_base64("$user:$password", '');
    my $s = $t->connect($port // 'caster');

    print $s "GET /M0 HTTP/1.0\r\nUser-Agent: NTRIP test\r\n"
             . "Ntrip-Version: NTRIP/${\($version // 1)}.0\r\n"
             . "Authorization: Basic $auth\r\n\r\n";

    return $s;
}


# three of the operator's, one for the database and eight for look-ups

my ($worker) = $t->pids;
my @threads = glob "/proc/$worker/task/*";
is(@threads, 1 + 3 + 1 + 8, 'threads of a worker');


# a tenth of a second each, more of them than a pool has threads

my $hash = crypt 'geheim', '$6$rounds=200000$saltsalt$';
$n->sql(join '', "BEGIN;\n",
        (map { "INSERT INTO user (name, password) VALUES ('s$_', '$hash');\n" }
             1 .. $users), "COMMIT;\n");

my $storm = IO::Select->new(map { login("s$_", 'wrong') } 1 .. $users);

is($n->console('USER-ADD passwd new:pw 2035-12-31'), "OK USER-ADD\r\n\r\n",
   'a write in a storm of logins');

my @answered = $storm->can_read(0);
cmp_ok(scalar @answered, '<', $users / 2, 'comes before most of their checks');


# who has gone is not in anybody's way; some checks have begun by then

close $_ for $storm->handles;

sub results {
    my ($regex) = @_;
    my @lines = split /\n/, read_file($t->path('logs/result'));
    return scalar grep { /$regex/ } @lines;
}

wait_for(sub { results('closed|refused') == $users }, 'all that have closed');
cmp_ok(results('closed'), '>', $users / 2, 'most checks were for nobody');

my $s = login('s1', 'geheim');
like(scalar <$s>, qr/^ICY 200 OK/, 'another one is served');


# a check that takes too long: some seconds, when a tenth of one is given, of
# which a second is made

my $slow = crypt 'geheim', '$6$rounds=4000000$saltsalt$';
$n->sql("INSERT INTO user (name, password) VALUES ('slow', '$slow');");

my @late = (login('slow', 'geheim', 1, 'short'),
            login('slow', 'geheim', 2, 'short'));

is(Fieldgate::read_all($late[0]), '',
   'a check that is late: version 1 is closed');
like(Fieldgate::read_all($late[1]), qr{^HTTP/1.1 503 }, 'version 2 gets 503');
my @logged = $t->error_log =~ /password could not be checked in time/g;
is(@logged, 2, 'and error.log tells');

done_testing();
