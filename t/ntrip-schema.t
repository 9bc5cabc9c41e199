# Files of older versions are brought to the schema that a new one has, with all
# that is in them; scripts that know nothing of it go on working.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Env qw(read_file top);
use Fieldgate::Ntrip;

my $n = Fieldgate::Ntrip->new(workers => 2, users => 2, accounts => 1,
                              start => 0);
my $t = $n->nginx;
my $db = $n->database;

sub rows { return join ' ', split /\n/, $n->sql($_[0]) }

# columns in their order, triggers, indices; what is in the database of a new
# nginx, and has to be in that of an old one

sub shape {
    my @tables = split /\n/, $n->sql("SELECT name FROM sqlite_master"
        . " WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY 1;");
    my @lines;
    for my $table (@tables) {
        push @lines, map { "$table: $_" }
                     split /\n/, $n->sql("PRAGMA table_info($table);");
    }
    return join "\n", @lines, $n->sql("SELECT type, name, sql"
        . " FROM sqlite_master WHERE type <> 'table' AND name NOT LIKE 'tb_%'"
        . ' ORDER BY 1, 2;');
}

my $fresh = shape();

my %old = (
    1 => read_file('t/lib/Fieldgate/schema-1.sql') . <<'END',
    CREATE VIEW tb_src (token) AS
        SELECT name || ':' || password || '@' || host FROM source;
END
    2 => read_file('t/lib/Fieldgate/schema-2.sql')
         . read_file(top() . '/schema/tb_src.sql'),
    3 => read_file('t/lib/Fieldgate/schema-3.sql')
         . read_file(top() . '/schema/tb_src.sql'),
    4 => read_file('t/lib/Fieldgate/schema-4.sql')
         . read_file(top() . '/schema/tb_src.sql'),
);

for my $version (sort keys %old) {
    unlink glob "$db*";
    $n->sql($old{$version} . <<"END");
    INSERT INTO user (name, password, expires_at, max_sessions, mounts, note)
        VALUES ('u1', 'p1', 4000000000, 3, 'M0', 'first');
    INSERT INTO source (pool, host, name, password, note)
        VALUES ('default', '127.0.0.1', 'a1', 's1', 'mine');
    INSERT INTO station (mount, password) VALUES ('BASE', 'pw');
END
    my $from = length $t->error_log;
    $t->start;
    wait_for(sub { substr($t->error_log, $from)
                   =~ /ntrip database ".*ntrip\.db" was upgraded/ },
             "version $version to be upgraded");

    is(rows('PRAGMA user_version;'), 5, "version $version: upgraded");
    is(shape(), $fresh, 'to what a new file is');
    is(rows('SELECT * FROM user;'),
       'u1|p1|4000000000|3|M0|first|0||0|0', 'users are what they were');
    is(rows('SELECT * FROM source;'),
       '1|default|127.0.0.1|0|0|a1|s1|253402214400|mine|0',
       'so are accounts');
    is(rows('SELECT pool.name, source FROM pool;'), 'default|1',
       'and their pools');
    is(rows('SELECT mount, password FROM station;'), 'BASE|pw',
       'and stations');
    is(rows('PRAGMA integrity_check;'), 'ok', 'the file is sound');

    # as scripts and cors-relay's own wrote them

    $n->sql(<<'END');
    INSERT INTO user (name, password) VALUES ('u2', 'p2');
    REPLACE INTO source (id, host, name, password)
        VALUES (1, '127.0.0.1', 'a1', 's1');
END
    is(rows("SELECT * FROM tb_src;") =~ /^a1:s1\@127\.0\.0\.1/, 1,
       "cors-relay's table has it");

    my $rovers = $n->rovers(1, 2);
    is($rovers->wait_for(fed => 2)->{fed}, 2, 'old and new users are served');
    $rovers->stop;

    # one that replaces another leaves nothing of it

    $n->sql("INSERT OR REPLACE INTO source (host, name, password, pool)"
            . " VALUES ('127.0.0.1', 'a1', 's1', 'west');");
    is(rows('SELECT pool.name, source FROM pool;'), 'west|2',
       'the pools of an account that was replaced are gone');
    is(rows("SELECT DISTINCT key FROM change WHERE kind = 'source'"
            . ' AND seq > (SELECT max(seq) - 3 FROM change) ORDER BY key;'),
       '1 2', 'and it is known to be');
    $n->sql('INSERT OR IGNORE INTO source (host, name, password, pool)'
            . " VALUES ('127.0.0.1', 'a1', 's1', 'east');");
    is(rows('SELECT pool.name, source FROM pool;'), 'west|2',
       'one that is not added changes nothing');
    $t->stop;
}

is($n->provider->seen->{twice}, 0, 'no account was used twice');
done_testing;
