# The database: made, imported from cors-relay, changed by others, locked,
# deleted, replaced, damaged, full; and what rovers notice of it.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Env qw(read_file write_file);
use File::Copy ();
use IO::Socket::INET;
use IPC::Open2;
use MIME::Base64;
use Time::HiRes qw(time);

$ENV{TZ} = 'Asia/Shanghai';

my $stream = <<'END';
    ntrip_zone 8m;
    ntrip_database %%DIR%%/db/ntrip.db;
    ntrip_password_storage plain;
    ntrip_mount M;
    ntrip_position_timeout 600s;

    server {
        listen 127.0.0.1:%%PORT:caster%%;
        ntrip_caster;
        ntrip_relay;
    }

    server {
        listen 127.0.0.1:%%PORT:console%%;
        ntrip_console;
        ntrip_console_password passwd;
    }
END

my $t = Fieldgate->new(workers => 2, stream => $stream,
                       env => { TZ => $ENV{TZ} });
my $db = $t->path('db/ntrip.db');


# the sqlite3 shell: what it says, all of it in one line

sub sqlite {
    my ($sql, $file) = @_;
    open my $p, '-|', 'sqlite3', '-bail', '-cmd', '.timeout 5000',
              $file // $db, $sql or die "sqlite3: $!";
    my $out = join ' ', map { s/\n//r } <$p>;
    close $p or die "sqlite3 failed: $sql";
    return $out;
}

# another one that stays, and its answer to a line

sub shell {
    my ($file) = @_;
    my %s;
    $s{pid} = open2($s{out}, $s{in}, 'sqlite3', '-cmd', '.timeout 5000',
                    $file);
    return \%s;
}

sub tell_shell {
    my ($s, $sql) = @_;
    print {$s->{in}} "$sql\nSELECT 'done';\n";
    my $out = '';
    while (defined(my $line = readline $s->{out})) {
        return $out if $line eq "done\n";
        $out .= $line;
    }
    die "the shell has gone: $sql";
}

sub end_shell { my ($s) = @_; close $s->{in}; waitpid $s->{pid}, 0 }


# a rover that logs in: its connection, and the first that it is told

sub login {
    my ($user, $password) = @_;
    my $s = $t->connect('caster');
    print $s "GET /M HTTP/1.0\r\nUser-Agent: NTRIP test\r\nAuthorization: "
             . 'Basic ' . encode_base64("$user:$password", '') . "\r\n\r\n";
    my $said = Fieldgate::read_all($s, qr/\r\n/);
    return ($s, $said =~ /^ICY 200 OK/ ? 'in' : $said =~ / 401 / ? 401
                : $said eq '' ? 'closed' : $said);
}

sub result { (login(@_))[1] }

sub is_open {
    my ($s) = @_;
    return !IO::Select->new($s)->can_read(0);
}

sub console { $t->exchange('console', "$_[0]\n") }

# what each worker says, from this byte of the log on

sub workers_say {
    my ($from, $regex) = @_;
    my %pids = map { $_ => 1 } $t->pids;
    wait_for(sub {
        my %said = map { $_ => 1 }
                   substr($t->error_log, $from) =~ / (\d+)#\d+: .*$regex/g;
        return !grep { !$said{$_} } keys %pids;
    }, "each worker to say $regex");
}


# a database of cors-relay, with what people put into it

mkdir $t->path('db') or die "mkdir: $!";
sqlite(<<'END');
    CREATE TABLE tb_user (name VARCHAR(255) PRIMARY KEY NOT NULL,
                          passwd VARCHAR(255) NOT NULL,
                          expire DATETIME NOT NULL);
    CREATE TABLE tb_src (token VARCHAR(255) PRIMARY KEY NOT NULL,
                         expire DATETIME NOT NULL,
                         flag INT NOT NULL DEFAULT 0);
    INSERT INTO tb_user VALUES
        ('plain', 'pw', '2099-01-02 03:04:05'),
        ('day', 'pw', '2099-01-02'),
        ('past', 'pw', '2001-01-01 00:00:00'),
        ('hello', 'pw', 'hello'),
        ('empty', 'pw', ''),
        ('slash', 'pw', '2099/01/02'),
        ('short', 'pw', '2099-1-2'),
        ('dollar', '$1$x', '2099-01-01'),
        ('brace', '{SHA}x', '2099-01-01'),
        ('quote''s', 'p;w', '2099-01-01'),
        ('', 'nobody', '2099-01-01');
    INSERT INTO tb_src (token, expire) VALUES
        ('u1:p1@caster.example', '2099-01-02 03:04:05'),
        ('u2:p@2:x@caster.example', '2099-01-02'),
        ('same:old@caster.example', '2098-01-01'),
        ('same:new@caster.example', '2099-01-01'),
        ('none', '2099-01-01'),
        ('a@b', '2099-01-01'),
        (':@h', 'x');
END
chmod 0600, $db;
$t->start;
$t->wait_log(qr/ntrip database ".*ntrip\.db" was imported from cors-relay/);
wait_for(sub { result('plain', 'pw') eq 'in' }, 'the database');

is(sqlite('SELECT group_concat(name) FROM (SELECT name FROM user'
          . ' ORDER BY rowid)'),
   "plain,day,past,hello,empty,slash,short,dollar,brace,quote's,",
   'each user');
is(sqlite("SELECT expires_at - strftime('%s', '2099-01-01 19:04:05')"
          . " FROM user WHERE name = 'plain'"), 0, 'local time becomes UTC');

is(result('day', 'pw'), 'in', 'a date without a time');
is(result('past', 'pw'), 401, 'who had expired');
is(result('hello', 'pw'), 'in', 'no date: never expires, as there');
is(result('empty', 'pw'), 401, 'an empty one: has expired, as there');
is(result('slash', 'pw'), 'in', 'slashes');
is(result('short', 'pw'), 'in', 'short numbers');
is(result('dollar', '$1$x'), 'in', 'a password like a hash is none');
is(result('brace', '{SHA}x'), 'in', 'nor this one');
is(result("quote's", 'p;w'), 'in', 'a quote');
is(result('plain', 'PW'), 401, 'a wrong password');
is(result('nobody', 'pw'), 401, 'nobody');

is(sqlite("SELECT host || ' ' || name || ' ' || password FROM source"
          . ' ORDER BY name, host'),
   'h   caster.example same new caster.example u1 p1'
   . ' caster.example u2 p@2:x',
   'accounts: first colon, last at sign, the one of two that lasts longer');


# scripts that know the old tables

is(sqlite("SELECT passwd, expire FROM tb_user WHERE name = 'plain'"),
   'pw|2099-01-02 03:04:05', 'tb_user is still there');
is(sqlite("SELECT passwd FROM tb_user WHERE name = 'dollar'"), '$1$x',
   'with passwords as they were');
sqlite("INSERT INTO tb_user VALUES ('old1', 'x', '2099-01-01 00:00:00')");
is(result('old1', 'x'), 'in', 'INSERT');
sqlite("UPDATE tb_user SET passwd = '\$y' WHERE name = 'old1'");
is(result('old1', '$y'), 'in', 'UPDATE of a password');
sqlite("UPDATE tb_user SET expire = '2001-01-01' WHERE name = 'old1'");
is(result('old1', '$y'), 401, 'UPDATE of an expiry');
sqlite("UPDATE tb_user SET expire = '2099-01-01' WHERE name = 'old1'");
is(result('old1', '$y'), 'in', 'which leaves the password alone');
sqlite("DELETE FROM tb_user WHERE name = 'old1'");
is(result('old1', '$y'), 401, 'DELETE');

sqlite("INSERT INTO tb_src (token, expire) VALUES"
       . " ('n:e\@w\@host.example', '2099-01-01')");
is(sqlite("SELECT host, name, password FROM source WHERE name = 'n'"),
   'host.example|n|e@w', 'a token');
is(sqlite("SELECT token, expire, flag FROM tb_src WHERE token LIKE 'n:%'"),
   'n:e@w@host.example|2099-01-01 00:00:00|0', 'reads as it was written');
like(`sqlite3 $db "INSERT INTO tb_src (token, expire) VALUES ('x', 'y')" 2>&1`,
     qr/token is not user:password\@host/, 'what is no token');
sqlite("DELETE FROM tb_src WHERE token = 'n:e\@w\@host.example'");
is(sqlite("SELECT count(*) FROM source WHERE name = 'n'"), 0, 'DELETE');


# changes are seen by sessions, in each worker

my %in;
sqlite("INSERT INTO user (name, password) VALUES " . join ',',
       map { "('s$_', 'pw')" } 0 .. 19);
for my $i (0 .. 19) {
    my ($s, $r) = login("s$i", 'pw');
    $in{$i} = $s;
    die "s$i: $r" if $r ne 'in';
}

my $start = time;
sqlite("DELETE FROM user WHERE name IN ('s0', 's1');"
       . " UPDATE user SET password = 'new' WHERE name IN ('s2', 's3');"
       . " UPDATE user SET expires_at = 1 WHERE name IN ('s4', 's5');"
       . " UPDATE user SET name = 'renamed' || name WHERE name = 's6';"
       . " UPDATE user SET note = 'n' WHERE name IN ('s7', 's8')");
for my $i (0 .. 6) {
    is(Fieldgate::read_all($in{$i}), "",
       "s$i: deleted, expired or changed, is out");
    delete $in{$i};
}
note sprintf 'out after %.2f s', time - $start;
is((grep { is_open($in{$_}) } keys %in), 13, 'all others stay');
is(result('s2', 'new'), 'in', 'the new password');
is(result('renameds6', 'pw'), 'in', 'the new name');
delete $in{$_} for 7, 8;

sqlite("UPDATE user SET expires_at = strftime('%s', 'now') + 2"
       . " WHERE name = 's9'");
is(Fieldgate::read_all($in{9}), "", 's9 is out when it expires');
delete $in{9};

sub all_stay { is((grep { is_open($in{$_}) } keys %in), 10, "$_[0]: sessions"
                  . ' stay') }


# somebody else writes, for long

my $shell = shell($db);
tell_shell($shell, 'BEGIN IMMEDIATE;');
is(result('plain', 'pw'), 'in', 'locked by a writer: logins go on');
is(console('USER-ADD passwd locked:pw 2099-01-01'),
   "ERROR add user failed\r\n", 'locked: writing fails, as with cors-relay');
is(console('USER-DEL passwd plain'), "ERROR database unavailable\r\n",
   'and does not say that there is none such');
ok($t->wait_log(qr/console: USER-DEL failed: database is locked/),
   'which is logged');
tell_shell($shell, 'COMMIT;');
is(console('USER-ADD passwd locked:pw 2099-01-01'), "OK USER-ADD\r\n\r\n",
   'again, later');
end_shell($shell);
all_stay('locked');


# deleted, and put back

unlink "$db-kept";
sqlite('PRAGMA wal_checkpoint(TRUNCATE)');
sqlite("VACUUM INTO '$db-kept'");
sqlite("INSERT INTO user (name, password) VALUES ('late', 'pw')");
my $from = length $t->error_log;
unlink $db, "$db-wal", "$db-shm" or die "unlink: $!";
workers_say($from, qr/is not available: the file was replaced or removed/);
is(() = $t->error_log =~ /was imported/g, 1, 'one of them has imported it');
$start = time;
is(result('plain', 'pw'), 'closed', 'deleted: no login, and no 401');
cmp_ok(time - $start, '>=', 1.5, 'but not before it was tried for a while');
is(console('USER-LIST passwd'), "ERROR database unavailable\r\n",
   'the console says so');
is(console('USER-ADD passwd x:y 2099-01-01'), "ERROR add user failed\r\n",
   'as cors-relay would');
wait_for(sub { console('CLIENT-LIST passwd') =~ tr/\t// == 20 },
         'clients to be known');
ok(!-e $db, 'nobody makes an empty one');
all_stay('deleted');

$from = length $t->error_log;
rename "$db-kept", $db or die "rename: $!";
workers_say($from, qr/is available again/);
is(result('plain', 'pw'), 'in', 'put back: logins');
is(result('late', 'pw'), 401, 'of those who are in it');
all_stay('put back');


# replaced, in one step; a log of the old one lies about

sqlite("INSERT INTO user (name, password) VALUES ('oldonly', 'pw')");
my $log = -s "$db-wal";
cmp_ok($log, '>', 0, 'the old file has a log');
sqlite("CREATE TABLE x (y); DROP TABLE x;", "$db-new");
sqlite("\n" . read_file('schema/schema.sql')
       . "INSERT INTO user (name, password) VALUES ('newonly', 'pw'), "
       . join(',', map { "('s$_', 'pw')" } 10 .. 18) . ';', "$db-new");
link $db, "$db-old" or die "link: $!";
$from = length $t->error_log;
rename "$db-new", $db or die "rename: $!";
workers_say($from, qr/is available again/);
is(result('newonly', 'pw'), 'in', 'replaced: who is in the new file');
is(result('oldonly', 'pw'), 401, 'replaced: nothing of the old file is left');
is(Fieldgate::read_all($in{19}), "", 'who is not in the new one is out');
delete $in{19};
is((grep { is_open($in{$_}) } keys %in), 9, 'others stay');
sqlite("INSERT INTO user (name, password) VALUES ('more', 'pw')");
is(result('more', 'pw'), 'in', 'it is written by others');
is(console('USER-ADD passwd more2:pw 2099-01-01'), "OK USER-ADD\r\n\r\n",
   'and by the console');
is(sqlite('PRAGMA integrity_check'), 'ok', 'the new file is sound');
is(sqlite("SELECT password FROM user WHERE name = 'oldonly'", "$db-old"),
   'pw', 'the old one has what was in its log');


# damaged

unlink "$db-kept";
sqlite("VACUUM INTO '$db-kept'");
sqlite('PRAGMA wal_checkpoint(TRUNCATE)');
open my $f, '+<', $db or die "open: $!";
my $size = -s $f;
syswrite $f, 'x' x $size;
close $f;
wait_for(sub { result('nobody' . rand, 'x') eq 'closed' }, 'the damage');
ok(workers_say($from,
               qr/not available: (?:file is not a|database disk image is)/),
   'damaged: no login, and no 401');
is((grep { is_open($in{$_}) } keys %in), 9, 'damaged: sessions stay');
my $lines = () = $t->error_log =~ /is not available/g;
wait_for(sub { result('nobody', 'x') eq 'closed' }, 'another login');
cmp_ok((() = $t->error_log =~ /is not available/g) - $lines, '<=', 2,
       'it is not logged with every try');
$from = length $t->error_log;
rename "$db-kept", $db or die "rename: $!";
workers_say($from, qr/is available again/);
is(result('newonly', 'pw'), 'in', 'put right: logins');
is((grep { is_open($in{$_}) } keys %in), 9, 'put right: sessions stay');
is(sqlite('PRAGMA integrity_check'), 'ok', 'it is sound');


# what is no database, and what is one of the future

write_file("$db-text", "no database\n" x 1000);
rename "$db-text", $db or die "rename: $!";
ok($t->wait_log(qr/is not available: file is not a database/),
   'no database at all');
sqlite('CREATE TABLE x (y); PRAGMA user_version = 99', "$db-next");
rename "$db-next", $db or die "rename: $!";
ok($t->wait_log(qr/its schema has version 99, this module knows version 5/),
   'a schema of the future');
is((grep { is_open($in{$_}) } keys %in), 9, 'sessions stay');


# a reload, with another database, which is made

(my $other = $stream) =~ s/ntrip\.db/other.db/;
$t->reload(stream => $other, gone => 1);
wait_for(sub { result('x', 'y') eq '401' }, 'the other database');
is(sprintf('%04o', (stat $t->path('db/other.db'))[2] & 07777), '0600',
   'a new one is made, for the user of the workers alone');
is(sqlite('SELECT count(*) FROM user', $t->path('db/other.db')), 0,
   'and empty');


# started while somebody has it for himself

$t->stop('QUIT');
$db = $t->path('db/other.db');
sqlite("INSERT INTO user (name, password) VALUES ('plain', 'pw')");
$shell = shell($db);
tell_shell($shell, 'PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;'
                   . " UPDATE user SET note = 'x';");
$t->start;
is(result('plain', 'pw'), 'closed', 'locked at the start: no 401');
my ($late) = $t->pids;
$t->freeze($late);
tell_shell($shell, 'COMMIT;');
end_shell($shell);
ok(wait_for(sub { result('plain', 'pw') eq 'in' }, 'the end of the lock'),
   'unlocked');


# gone, before one worker has ever had it open

$from = length $t->error_log;
unlink $db or die "unlink: $!";
kill CONT => $late;
workers_say($from, qr/is not available: there is no such file/);
ok(!-e $db, 'no worker makes what another one had open');


# new workers come

$t->reload(gone => 1);
$t->kill_worker(($t->pids)[0]);
workers_say(0, qr/is not available: there is no such file/);
ok(!-e $db, 'no worker of a later time makes it');
$t->stop('QUIT');


# a disk that is full

my $disk = $t->path('disk');
mkdir $disk or die "mkdir: $!";

SKIP: {
    my $why = `mount -t tmpfs -o size=320k tmpfs $disk 2>&1`;
    skip "no small disk: $why", 7 if $?;

    (my $full = $stream) =~ s{/db/ntrip\.db}{/disk/ntrip.db};
    $t->start(stream => $full);
    $db = "$disk/ntrip.db";

    eval {
        wait_for(sub { console('USER-ADD passwd first:pw 2099-01-01')
                       =~ /^OK/ }, 'the database');
        my ($s, $r) = login('first', 'pw');
        is($r, 'in', 'a small disk: a login');

        open my $fill, '>', "$disk/fill" or die "open: $!";
        1 while syswrite $fill, 'x' x 4096;
        close $fill;

        my ($n, $said) = (0, '');
        while ($n++ < 2000) {
            $said = console("USER-ADD passwd u$n:pw 2099-01-01");
            last if $said !~ /^OK/;
        }
        is($said, "ERROR add user failed\r\n", 'full: the console says so');
        ok($t->wait_log(qr/console: USER-ADD failed: .*full|disk I\/O error/),
           'and the log why');
        is(result('first', 'pw'), 'in', 'full: logins go on');
        is(result("u$n", 'pw'), 401, 'nothing was half done');

        unlink "$disk/fill";
        wait_for(sub { console("USER-ADD passwd u$n:pw 2099-01-01")
                       eq "OK USER-ADD\r\n\r\n" }, 'room again');
        is(result("u$n", 'pw'), 'in', 'room again');
        is(sqlite('PRAGMA integrity_check'), 'ok', 'it is sound');
    };

    my $error = $@;
    $t->stop;
    system "umount $disk";
    die $error if $error;
}

unlike($t->error_log, qr/p\@2|p;w|\{SHA\}|passwd/, 'no password in the log');

done_testing();
