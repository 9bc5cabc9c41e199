# The admin console on the wire: what cors-relay says, byte for byte, and the
# further verbs.

use lib 't/lib';
use Fieldgate;
use IO::Select;
use IO::Socket::INET;
use Time::HiRes qw(sleep time);

my $t = Fieldgate->new(workers => 2, env => { TZ => 'Asia/Shanghai' },
                       stream => <<'END');
    ntrip_zone 8m;
    ntrip_database %%DIR%%/db/ntrip.db;
    ntrip_password_storage plain;

    server {
        listen 127.0.0.1:%%PORT:console%%;
        ntrip_console;
        ntrip_console_password passwd;
    }

    server {
        listen 127.0.0.2:%%PORT:hashed%%;
        ntrip_console;
        ntrip_console_password "%%HASH%%";
    }
END

# crypt(3) of "secret", as an administrator would make it
my $hash = crypt('secret', '$6$saltsalt$');
$t->{stream} =~ s/%%HASH%%/$hash/;
$t->start;
$t->wait_log(qr/ntrip database "\S+" was created/);

sub console { $t->exchange('console', $_[0]) }

sub sqlite {
    my ($sql, $db) = @_;
    local $ENV{TZ} = 'Asia/Shanghai';
    $db //= $t->path('db/ntrip.db');
    open my $p, '-|', 'sqlite3', '-cmd', '.timeout 5000', $db, $sql
        or die "sqlite3: $!";
    my $out = join '', <$p>;
    close $p or die "sqlite3 failed: $sql";
    return $out;
}


# cors-relay's six verbs

is(console("USER-LIST passwd\r\n"), "OK USER-LIST\r\n\r\n", 'no user');

is(console("USER-ADD passwd rover1:pw1 2099-01-02\n"),
   "OK USER-ADD\r\n\r\n", 'USER-ADD without a time');
is(console("USER-ADD passwd rover2:pw:2 2099-01-02 03:04:05 and more\r\n"),
   "OK USER-ADD\r\n\r\n", 'with a time, and further words');
is(console("USER-ADD passwd :p 2098-01-01 00:00:00\n"),
   "OK USER-ADD\r\n\r\n", 'an empty user');
is(console("USER-ADD passwd old:pw 2001-01-01\n"),
   "OK USER-ADD\r\n\r\n", 'one that has expired');
is(console("USER-ADD passwd \$dollar:{brace 2097-01-01\n"),
   "OK USER-ADD\r\n\r\n", 'a password that looks like a hash');
is(console("USER-ADD passwd rover1:other 2099-01-01\n"),
   "ERROR add user failed\r\n", 'a user who is there already');
is(console("USER-ADD passwd rover3 2099-01-01\n"),
   "ERROR invalid token\r\n", 'no colon');
is(console("USER-ADD passwd rover3:x hello\n"),
   "ERROR invalid date\r\n", 'no date, which cors-relay took for never');
is(console("USER-ADD passwd rover3:x 2099-02-29\n"),
   "ERROR invalid date\r\n", 'a day that there is not');
is(console("USER-ADD passwd rover3:x\n"), "ERROR bad command\r\n",
   'too few words');

my $list = "OK USER-LIST\r\n"
           . "rover1:pw1\t2099-01-02 23:59:59\r\n"
           . "rover2:pw:2\t2099-01-02 03:04:05\r\n"
           . ":p\t2098-01-01 00:00:00\r\n"
           . "\$dollar:{brace\t2097-01-01 23:59:59\r\n"
           . "\r\n";
is(console("USER-LIST passwd\r\n"), $list,
   'USER-LIST: tabs, local time, the unexpired, last expiry first');
is(sqlite("SELECT expires_at - strftime('%s', '2099-01-02 23:59:59')"
          . " FROM user WHERE name = 'rover1'"), "-28800\n",
   'stored in UTC');

is(console("USER-UPDATE passwd rover1 new\n"), "OK USER-UPDATE\r\n\r\n",
   'USER-UPDATE');
is(console("USER-UPDATE passwd nobody new\n"), "ERROR user not found\r\n",
   'of nobody');
is(console("USER-UPDATE passwd rover1 new more\n"), "ERROR bad command\r\n",
   'one word too many');
is(sqlite("SELECT password FROM user WHERE name = 'rover1'"), "new\n",
   'it is stored');

is(console("CLIENT-LIST passwd\r\n"), "OK CLIENT-LIST\r\n\r\n", 'no client');

is(console("SOURCE-ADD passwd caster.example u1:p1 2099-01-02\n"),
   "OK SOURCE-ADD\r\n\r\n", 'SOURCE-ADD');
is(console("SOURCE-ADD passwd caster.example:8003 u1:p\@1 2001-01-02 1:2:3\n"),
   "ERROR invalid date\r\n", 'with a time that is none');
is(console("SOURCE-ADD passwd caster.example:8003 u1:p\@1 2001-01-02"
           . " 01:02:03\n"), "OK SOURCE-ADD\r\n\r\n", 'with a port');
is(console("SOURCE-ADD passwd caster.example u1:other 2099-01-02\n"),
   "ERROR add ntrip failed\r\n", 'one that is there already');
is(console("SOURCE-ADD passwd caster.example:0 u1:p1 2099-01-02\n"),
   "ERROR invalid server\r\n", 'port 0');
is(console("SOURCE-LIST passwd\n"),
   "OK SOURCE-LIST\r\n"
   . "caster.example\tu1:p1\t2099-01-02 23:59:59\t?\r\n"
   . "caster.example:8003\tu1:p\@1\t2001-01-02 01:02:03\texpired\r\n\r\n",
   'SOURCE-LIST: the fourth column, and expired ones in the order of rows');


# errors of any verb

for my $bad ("\n", "\r\n", "user-list passwd\n", "USER-DELETE passwd x\n",
             "USER-LIST\n", "USER-LIST wrong extra\n", "GET / HTTP/1.0\r\n",
             "USER-LIST passwd\0\n", "%n%n%n%n\n")
{
    (my $name = $bad) =~ s/([^ -~])/sprintf '\\x%02x', ord $1/ge;
    is(console($bad), "ERROR bad command\r\n", "bad command \"$name\"");
}

is(console("USER-LIST passwd" . ' ' x 1100 . "\n"), "ERROR bad command\r\n",
   'a line of more than 1024 bytes');
is(console('x' x 100_000), "ERROR bad command\r\n",
   'bytes without end: the reply comes before the end of the connection');


# further verbs

is(console("USER-EXPIRE passwd rover1 2001-01-01\n"),
   "OK USER-EXPIRE\r\n\r\n", 'USER-EXPIRE');
$list =~ s/rover1.*\r\n//;
is(console("USER-LIST passwd\n"), $list, 'rover1 is not in the list');
is(console("USER-EXPIRE passwd nobody 2001-01-01\n"),
   "ERROR user not found\r\n", 'of nobody');
is(console("USER-DEL passwd rover1\n"), "OK USER-DEL\r\n\r\n", 'USER-DEL');
is(console("USER-DEL passwd rover1\n"), "ERROR user not found\r\n",
   'once only');
is(console("KICK passwd rover2\n"), "ERROR user not connected\r\n", 'KICK');
is(console("SOURCE-UPDATE passwd caster.example u1 p2\n"),
   "OK SOURCE-UPDATE\r\n\r\n", 'SOURCE-UPDATE');
is(console("SOURCE-UPDATE passwd caster.example:1 u1 p2\n"),
   "ERROR source not found\r\n", 'of another port');
is(console("SOURCE-DEL passwd caster.example:8003 u1\n"),
   "OK SOURCE-DEL\r\n\r\n", 'SOURCE-DEL');
is(console("SOURCE-DEL passwd caster.example:8003 u1\n"),
   "ERROR source not found\r\n", 'once only');
is(console("SOURCE-LIST passwd\n"),
   "OK SOURCE-LIST\r\n"
   . "caster.example\tu1:p2\t2099-01-02 23:59:59\t?\r\n\r\n",
   'what is left');
is(console("SOURCE-TEST passwd caster.example nobody\n"),
   "ERROR source not found\r\n", 'SOURCE-TEST of nobody');
is(console("STREAM-LIST passwd\n"), "OK STREAM-LIST\r\n\r\n", 'STREAM-LIST');

my $help = console("HELP passwd\n");
like($help, qr/^OK HELP\r\nUSER-LIST pw\r\n/, 'HELP');
like($help, qr/\r\nUSER-EXPIRE pw user YYYY-MM-DD \[HH:MM:SS\]\r\n/,
     'with arguments');
like($help, qr/\r\nHELP pw\r\n\r\n$/, 'to its end');


# how a command ends, and what comes behind it

my $s = $t->connect('console');
shutdown $s, 1;
is(Fieldgate::read_all($s), '', 'nothing at all: nothing');

$s = $t->connect('console');
print $s 'CLIENT-LIST passwd';
shutdown $s, 1;
is(Fieldgate::read_all($s), "OK CLIENT-LIST\r\n\r\n", 'a half-close ends it');

my $start = time;
$s = $t->connect('console');
print $s 'CLIENT-LIST passwd';
is(Fieldgate::read_all($s), "OK CLIENT-LIST\r\n\r\n", '2 s of silence end it');
cmp_ok(time - $start, '>=', 1.9, 'not before');

$s = $t->connect('console');
for my $c (split //, "CLIENT-LIST passwd\r\n") {
    print $s $c;
    sleep 0.005;
}
is(Fieldgate::read_all($s), "OK CLIENT-LIST\r\n\r\n", 'byte by byte');

is(console("CLIENT-LIST passwd\nUSER-DEL passwd x\n\nHELP wrong\n"),
   "OK CLIENT-LIST\r\n\r\n" . "ERROR user not found\r\n"
   . "ERROR bad command\r\n", 'lines at once, until the first bad one');

is(console("CLIENT-LIST passwd\n" x 150),
   "OK CLIENT-LIST\r\n\r\n" x 150, 'more than fit into the buffer');


# passwords

is(console("USER-LIST wrong\n"), "ERROR bad password\r\n", 'a wrong password');
is(console("USER-LIST passwd1\n"), "ERROR bad password\r\n", 'one too long');
is(console("USER-LIST passw\n"), "ERROR bad password\r\n", 'one too short');
is(console("USER-ADD wrong x y\n"), "ERROR bad password\r\n",
   'checked before the arguments');

my $hashed = $t->port('hashed');
sub hashed {
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.2', Proto => 'tcp',
                                  LocalAddr => '127.0.0.3',
                                  PeerPort => $hashed) or die "connect: $!";
    print $s $_[0];
    return Fieldgate::read_all($s);
}
is(hashed("CLIENT-LIST secret\n"), "OK CLIENT-LIST\r\n\r\n",
   'the console\'s password may be a hash');
is(hashed("CLIENT-LIST secret\n"), "OK CLIENT-LIST\r\n\r\n", 'and again');
is(hashed("CLIENT-LIST $hash\n"), "ERROR bad password\r\n",
   'which is no password');

hashed("CLIENT-LIST wrong\n") for 1 .. 10;
$start = time;
is(hashed("CLIENT-LIST secret\n"), "OK CLIENT-LIST\r\n\r\n",
   'after eleven wrong passwords');
cmp_ok(time - $start, '>=', 0.9, 'the right one takes a second');


# many connections: those that are too many are told so.  They are accepted
# when all of them are there, as one without a command is closed after 2 s.

my @workers = $t->pids;
kill STOP => @workers;
my @many = map { $t->connect('console') } 1 .. 200;
kill CONT => @workers;
my $told = grep { Fieldgate::read_all($_) eq "ERROR too many connections\r\n" }
           @many;
cmp_ok($told, '>=', 200 - 2 * 64, 'connections above the limit');
like($t->error_log, qr/more than 64 consoles in this worker/,
     'as the log says');
is(console("CLIENT-LIST passwd\n"), "OK CLIENT-LIST\r\n\r\n", 'room again');


# 100,000 users, many of which expire in the same second

my $rows = 100_000;
sqlite("BEGIN; DELETE FROM user;"
       . "WITH RECURSIVE n(i) AS"
       . " (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < $rows)"
       . "INSERT INTO user (name, password, expires_at)"
       . " SELECT printf('user%06d', i), 'password' || i,"
       . " 4070880000 - (i / 30000) FROM n; COMMIT");

my @expected = map { sprintf "user%06d:password%d", $_, $_ } 1 .. $rows;

sub check_list {
    my ($out, $name) = @_;
    my @lines = split /\r\n/, $out, -1;
    is(shift @lines, 'OK USER-LIST', "$name: the head");
    is_deeply([splice @lines, -2], ['', ''], "$name: the end");
    s/\t.*// for @lines;
    ok("@lines" eq "@expected", "$name: each user, in order")
        or diag(scalar(@lines) . " rows, not $rows");
}

check_list(console("USER-LIST passwd\n"), 'a list of 100,000 users');


# two that read slowly: nothing is cut, and nobody else waits

my @slow = map {
    IO::Socket::INET->new(PeerAddr => '127.0.0.1', Proto => 'tcp',
                          PeerPort => $t->port('console'))
        or die "connect: $!"
} 1 .. 4;
for my $s (@slow) {
    setsockopt $s, Socket::SOL_SOCKET(), Socket::SO_RCVBUF(), 65536;
    syswrite $s, "USER-LIST passwd\n";
}
my @got = ('') x @slow;
sysread $slow[$_], $got[$_], 1000 for 0 .. $#slow;

is(console("USER-DEL passwd user000001\n"), "OK USER-DEL\r\n\r\n",
   'meanwhile others write');
is(console("CLIENT-LIST passwd\n"), "OK CLIENT-LIST\r\n\r\n", 'and read');
$got[$_] .= Fieldgate::read_all($slow[$_]) for 0 .. $#slow;
check_list($got[$_], "slow reader $_") for 0 .. $#slow;


# one that goes away in the middle of it

$s = $t->connect('console');
print $s "USER-LIST passwd\n";
sysread $s, my $some, 1000;
setsockopt $s, Socket::SOL_SOCKET(), Socket::SO_LINGER(), pack 'ii', 1, 0;
close $s;
is(console("CLIENT-LIST passwd\n"), "OK CLIENT-LIST\r\n\r\n",
   'a list whose reader has gone');


# a reload in the middle of it

$s = $t->connect('console');
print $s "USER-LIST passwd\n";
sysread $s, my $first, 1000;
$t->reload;
shift @expected;
$rows--;
check_list($first . Fieldgate::read_all($s), 'across a reload');


# hashes

$t->{stream} =~ s/storage plain/storage hash/;
$t->reload(stream => $t->{stream}, gone => 1);

sqlite('DELETE FROM user');
is(console("USER-ADD passwd rover9:pw9 2099-01-02\n"), "OK USER-ADD\r\n\r\n",
   'USER-ADD with ntrip_password_storage hash');
my $stored = sqlite("SELECT password FROM user");
like($stored, qr/^\$6\$[^\$]{16}\$/, 'stores a hash');
chomp $stored;
is(crypt('pw9', $stored), $stored, 'of the password');
is(console("USER-LIST passwd\n"),
   "OK USER-LIST\r\nrover9:*\t2099-01-02 23:59:59\r\n\r\n", 'listed as *');
console("USER-UPDATE passwd rover9 pw10\n");
chomp($stored = sqlite("SELECT password FROM user"));
is(crypt('pw10', $stored), $stored, 'USER-UPDATE stores one, too');


# no password in any log

unlike($t->error_log, qr/pw1|pw:2|pw9|pw10|passwd|secret|\$6\$/,
       'no password in error.log');
like($t->error_log, qr/\[notice\].*console: USER-ADD "rover9"/,
     'what was changed is');

done_testing();
