# What waits for what: hashes, writes and look-ups have threads of their own.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Ntrip;

use IO::Select;
use MIME::Base64 qw(encode_base64);

my $users = 80;

my $n = Fieldgate::Ntrip->new(workers => 1, users => 1, accounts => 1,
                              server => 'ntrip_login_timeout 300s;',
                              main => 'thread_pool ntrip_hash threads=3;');
my $t = $n->nginx;

sub login {
    my ($user, $password) = @_;
    my $auth = encode_base64("$user:$password", '');
    my $s = $t->connect('caster');

    print $s "GET /M0 HTTP/1.0\r\nUser-Agent: NTRIP test\r\n"
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

done_testing();
