# One account in several pools: the console's verbs, the tables, what each pool
# has of it while it is used, and files of the time when it had one pool.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Env qw(read_file);
use Fieldgate::Ntrip;

my $n = Fieldgate::Ntrip->new(
    workers => 2, users => 10, accounts => 3, start => 0,
    stream => <<'END', server => 'ntrip_source_wait 600s;');
    ntrip_mount WEST pool=west;
    ntrip_mount EAST pool=east;
END
my ($t, $provider) = ($n->nginx, $n->provider);
my $db = $n->database;

sub console { $n->console($_[0]) }

sub rows { return join ' ', split /\n/, $n->sql($_[0]) }

sub pools_of {
    my ($name) = @_;
    return rows("SELECT pool.name FROM pool JOIN source ON source.id ="
                . " pool.source WHERE source.name = '$name' ORDER BY 1;");
}

sub column_of { rows("SELECT pool FROM source WHERE name = '$_[0]';") }


# a file of version 1, also one that came from cors-relay

unlink glob "$db*";
$n->sql(read_file('t/lib/Fieldgate/schema-1.sql') . <<'END');
    CREATE VIEW tb_src (token) AS
        SELECT name || ':' || password || '@' || host
        FROM source WHERE pool = 'default' AND port = 0;
    CREATE TRIGGER tb_src_delete INSTEAD OF DELETE ON tb_src
    BEGIN
        DELETE FROM source WHERE name || ':' || password || '@' || host
                                 = old.token;
    END;
    INSERT INTO user (name, password)
        VALUES ('u1', 'p1'), ('u2', 'p2'), ('u3', 'p3'), ('u4', 'p4');
    INSERT INTO source (pool, host, name, password) VALUES
        ('default', '127.0.0.1', 'a1', 's1'),
        ('default', '127.0.0.1', 'a2', 's2'),
        ('other', '127.0.0.1', 'a3', 's3');
END
$t->start;
$t->wait_log(qr/ntrip database ".*ntrip\.db" was upgraded/);

is(rows('PRAGMA user_version;'), 5, 'a file of version 1 is upgraded');
is(join(',', map { pools_of("a$_") } 1 .. 3), 'default,default,other',
   'each account is in the pool that it was in');
is(rows('SELECT token FROM tb_src;'), 'a1:s1@127.0.0.1 a2:s2@127.0.0.1',
   "cors-relay's table is what it was");
is(rows('PRAGMA integrity_check;'), 'ok', 'the file is sound');


# rovers of two more pools, which have nothing

my $list = console('SOURCE-LIST passwd');
my $rovers = Fieldgate::Rovers->new(
    port => $t->port('caster'),
    rovers => [{ %{$n->rover(1)}, mount => 'WEST' },
               { %{$n->rover(2)}, mount => 'EAST' }]);
$rovers->wait_for(sub {
    my $seen = shift->{rovers};
    2 == grep { ($seen->{$_}{state} // '') eq 'data' } qw(u1 u2);
});
is($provider->seen->{logins}, 0, 'pools without an account: nobody logs in');

is(console('POOL-ADD passwd west 127.0.0.1 a1'), "OK POOL-ADD\r\n\r\n",
   'POOL-ADD');
$rovers->wait_for(fed => 1);
is_deeply([map { $_->{account} } @{$provider->seen->{requests}}], ['a1'],
          'who waited gets the account');
ok($t->wait_log(qr/console: POOL-ADD west "a1\@127\.0\.0\.1"/), 'it is logged');
is(pools_of('a1'), 'default west', 'which is in both pools');
is(column_of('a1'), 'default', 'and in "source" in the old one');
is(console('SOURCE-LIST passwd'), $list, "cors-relay's list is the same");

is(console('POOL-ADD passwd west 127.0.0.1 a1'), "OK POOL-ADD\r\n\r\n",
   'POOL-ADD again: it is there');
is(pools_of('a1'), 'default west', 'once');
is(console('POOL-ADD passwd west 127.0.0.1 a9'),
   "ERROR source not found\r\n", 'POOL-ADD of no account');
is(console('POOL-ADD passwd west 127.0.0.1:9 a1'),
   "ERROR source not found\r\n", 'nor with this port');
is(console('POOL-DEL passwd east 127.0.0.1 a1'),
   "ERROR source not found\r\n", 'POOL-DEL from a pool that has it not');


# one lease, whatever pools an account is in: a1 is in use, others wait for it

is(console('POOL-ADD passwd east 127.0.0.1 a1'), "OK POOL-ADD\r\n\r\n",
   'a third pool');
$rovers->add($n->rover(3));
$rovers->wait_for(fed => 2);
is_deeply([map { $_->{account} } @{$provider->seen->{requests}}],
          ['a1', 'a2'], 'the first pool has the other one');

# a1 leaves a pool that does not use it; what does goes on, and a2 is used by
# another pool as soon as the first one no longer needs it

is(console('POOL-DEL passwd default 127.0.0.1 a1'), "OK POOL-DEL\r\n\r\n",
   'POOL-DEL');
is(pools_of('a1'), 'east west', 'the others stay');
is(column_of('a1'), 'east', '"source" names one of them');
is(rows('SELECT token FROM tb_src;'), 'a2:s2@127.0.0.1',
   "cors-relay's pool lacks it");
is(console('SOURCE-LIST passwd'), $list, "its list of all accounts does not");
$n->sql("INSERT INTO pool (name, source)"
        . " SELECT 'east', id FROM source WHERE name = 'a2';");
$rovers->leave('u3');
$rovers->wait_for(sub { ($_[0]{rovers}{u2}{messages} // 0) > 2 });
is_deeply([map { $_->{account} } @{$provider->seen->{requests}}],
          ['a1', 'a2', 'a2'], 'a row of the table adds one, too');
is($provider->seen->{twice}, 0, 'no account was used twice');

my $closed = () = $t->error_log =~ /the account left the pool/g;
is($closed, 0, 'who uses it in another pool keeps it');
is(console('POOL-DEL passwd west 127.0.0.1 a1'), "OK POOL-DEL\r\n\r\n",
   'POOL-DEL from the pool that uses it');
ok($t->wait_log(qr/source is closed, the account left the pool/),
   'ends the connection');
$provider->wait_for(sub { $_[0]{open} == 1 });
is(column_of('a1'), 'east', '"source" names the last one');


# the table and "source" follow each other

is(console('POOL-DEL passwd east 127.0.0.1 a1'), "OK POOL-DEL\r\n\r\n",
   'the last pool');
is(pools_of('a1') . '.' . column_of('a1'), '.', 'an account in none');
is(console('SOURCE-LIST passwd'), $list, 'it is still there');
console('POOL-ADD passwd west 127.0.0.1 a1');
is(column_of('a1'), 'west', 'and in one again');
$rovers->add({ %{$n->rover(4)}, mount => 'WEST' });
$rovers->wait_for(sub { ($_[0]{rovers}{u4}{messages} // 0) > 2 });
is($provider->seen->{requests}[-1]{account}, 'a1', 'which uses it');

$n->sql("INSERT INTO source (host, name, password) VALUES ('h', 'b', 'x');"
        . "UPDATE source SET pool = 'moved' WHERE name = 'b';");
is(pools_of('b'), 'moved', 'UPDATE of "source" moves it');
$n->sql("INSERT INTO pool (name, source)"
        . " SELECT 'more', id FROM source WHERE name = 'b';"
        . "UPDATE pool SET name = 'renamed' WHERE name = 'moved';");
is(pools_of('b') . '.' . column_of('b'), 'more renamed.more', 'one is renamed');
$n->sql("INSERT INTO pool (name, source) SELECT name, source FROM pool;");
is(rows('SELECT count(*) FROM pool;'), 6, 'none is in a pool twice');

# a server has the second of its pools, but none the first

console('POOL-ADD passwd aaa 127.0.0.1 a3');
console('POOL-ADD passwd default 127.0.0.1 a3');
like(console('SOURCE-TEST passwd 127.0.0.1 a3 M0'),
     qr/^OK SOURCE-TEST\r\n.*ICY 200 OK/, 'SOURCE-TEST looks at all pools');

is(console('SOURCE-DEL passwd h b'), "OK SOURCE-DEL\r\n\r\n", 'SOURCE-DEL');
$n->sql("DELETE FROM tb_src WHERE token = 'a3:s3\@127.0.0.1';");
is(rows("SELECT count(*) FROM source WHERE name IN ('a3', 'b');"), 0,
   'or from the old table: of all pools');
is(rows('SELECT name FROM pool ORDER BY name;'), 'default east west',
   'nothing of them is left');
is($provider->seen->{twice}, 0, 'no account was used twice');

$rovers->stop;
done_testing;
