# kill -9 in the middle of the import of a cors-relay.db, or of the conversion
# of a file of version 1, which is one transaction: all of it or nothing is done,
# and whoever starts next does it.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Ntrip;
use Fieldgate::Env qw(read_file sanitizer_env);
use File::Copy qw(copy);
use Time::HiRes qw(sleep time);

my $more = $ENV{FIELDGATE_LONG} ? 4 : 1;
my ($users, $sources, $converted) = (25_000 * $more, 500, 15_000 * $more);

my $n = Fieldgate::Ntrip->new(users => 0, accounts => 0, start => 0);
my $t = $n->nginx;
my $db = $n->database;
my $relay = $t->path('cors-relay.db');
my $first = $t->path('version-1.db');

my %sanitizer = sanitizer_env($t->dir);
my $killer = $t->path('killed_writer.so');

is(system('cc', '-shared', '-fPIC', '-o', $killer,
          't/lib/killed_writer.c'), 0, 'a writer that is killed');
$t->allow(qr/ exited on signal 9/, qr/was locked by/);

sub sqlite {
    my ($file, $sql) = @_;
    open my $p, '-|', 'sqlite3', '-bail', '-cmd', '.timeout 5000', $file, $sql
        or die "sqlite3: $!";
    my $out = join ' ', map { s/\n//r } <$p>;
    close $p or die "sqlite3 failed: $sql";
    return $out;
}

unlink $db;
sqlite($relay, <<"END");
    CREATE TABLE tb_user (name VARCHAR(255) PRIMARY KEY NOT NULL,
                          passwd VARCHAR(255) NOT NULL,
                          expire DATETIME NOT NULL);
    CREATE TABLE tb_src (token VARCHAR(255) PRIMARY KEY NOT NULL,
                         expire DATETIME NOT NULL,
                         flag INT NOT NULL DEFAULT 0);
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL
                            SELECT i + 1 FROM n WHERE i < $users)
    INSERT INTO tb_user SELECT 'u' || i, 'p' || i, '2099-01-02 03:04:05' FROM n;
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL
                            SELECT i + 1 FROM n WHERE i < $sources)
    INSERT INTO tb_src (token, expire)
        SELECT 'a' || i || ':s' || i || '\@127.0.0.1', '2099-01-02' FROM n;
END


sqlite($first, "\n" . read_file('t/lib/Fieldgate/schema-1.sql') . <<"END");
    CREATE VIEW tb_src (token) AS
        SELECT name || ':' || password || '\@' || host FROM source;
    INSERT INTO user (name, password)
        VALUES ('u1', 'p1'), ('u$users', 'p$users');
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL
                            SELECT i + 1 FROM n WHERE i < $converted)
    INSERT INTO source (host, name, password)
        SELECT '127.0.0.1', 'a' || i, 's' || i FROM n;
END

# what a file is, with its log: as it was, as nginx makes it, or something in
# between

my ($old, $nothing, $all, $made) = ($relay,
    "0 table table $users $sources ok",
    "5 view view $users $sources $sources ok", 'imported from cors-relay');

sub state_of {
    my ($file) = @_;
    my $tables = sqlite($file, "SELECT type FROM sqlite_master WHERE name IN"
                               . " ('tb_user', 'tb_src')");
    my @of = grep { sqlite($file, "SELECT count(*) FROM sqlite_master WHERE"
                                  . " type = 'table' AND name = '$_'") }
                  qw(tb_user tb_src user source pool);
    return join ' ', sqlite($file, 'PRAGMA user_version'), $tables,
                     (map { sqlite($file, "SELECT count(*) FROM $_") } @of),
                     sqlite($file, 'PRAGMA integrity_check');
}

# a copy of the file and its log, which recovers for itself

sub copy_of {
    my $copy = $t->path('copy.db');
    unlink $copy, "$copy-wal", "$copy-shm";
    copy($db, $copy) or die "copy: $!";
    copy("$db-wal", "$copy-wal") or die "copy: $!" if -e "$db-wal";
    return $copy;
}

# nginx finds the old file

my $imports = 0;

sub begin {
    my (%env) = @_;
    unlink $db, "$db-wal", "$db-shm";
    copy($old, $db) or die "copy: $!";
    $imports = () = $t->error_log =~ /was $made/g;
    local $t->{env} = \%env;
    $t->start;
}

# how many workers were killed

sub deaths {
    return () = $t->error_log =~ / exited on signal 9/g;
}

sub done {
    return (() = $t->error_log =~ /was $made/g) > $imports;
}

# until the log has so many bytes; most of them come before the transaction ends

sub wait_log_size {
    my ($bytes) = @_;
    my $deadline = time + $Fieldgate::Wait::Guard;
    until ((-s "$db-wal" // 0) >= $bytes || done()) {
        die "the log does not grow\n" if time > $deadline;
        sleep 0.001;
    }
}

sub imported {
    my ($name) = @_;

    # who dies between the end of the transaction and the line does not say it

    wait_for(sub { done() || sqlite($db, 'PRAGMA user_version') eq '5' },
             'the import');
    is(state_of($db), $all, "$name: all of it, once");

    my $rovers = $n->rovers(1, $users);
    is($rovers->wait_for(fed => 2)->{open}, 2, "$name: users log in");
    $rovers->stop;
}


sub run {
    my (@parts) = @_;

    begin();
    imported('undisturbed');
    my $size = -s "$db-wal";
    $t->stop('QUIT');
    is(state_of($old), $nothing, 'the old file is what it is said to be');

    for my $part (@parts) {
        my $name = "killed at $part of the log";

        # the workers alone: others come, and do it

        begin();
        wait_log_size($part * $size);
        note("workers $name: it was done already") if done();
        my @workers = $t->pids;
        $t->allow(map { (qr/ $_ exited on signal 9/, qr/was locked by $_\b/) }
                  @workers);
        kill KILL => @workers;
        wait_for(sub { !grep { Fieldgate::alive($_) } @workers },
                 'them to die');
        imported("workers $name");
        $t->stop;

        # all of nginx, and the writer before the very byte: the next start
        # does it

        my $deaths = deaths();
        begin(LD_PRELOAD => $killer, KILLED_AT => int($part * $size),
              ASAN_OPTIONS => "$sanitizer{ASAN_OPTIONS}"
                              . ',verify_asan_link_order=0');
        wait_for(sub { deaths() > $deaths }, 'the writer to be killed');
        my @all = ($t->master, $t->pids);
        kill KILL => @all;
        wait_for(sub { !$t->nginx_processes }, 'nginx to die');
        $t->{running} = 0;

        is(state_of(copy_of()), $nothing, "$name: nothing");

        $imports = () = $t->error_log =~ /was $made/g;
        $t->start;
        imported("started again, $name");
        $t->stop;
    }
}

run(0.01, 0.3, 0.6, 0.95);

# a file of version 1

($old, $nothing, $all, $made) = ($first,
    "1 view 2 $converted ok", "5 view 2 $converted $converted ok", 'upgraded');
run(0.3, 0.9);

is($n->provider->seen->{twice}, 0, 'no account was used twice');
done_testing;
