# ntrip_cluster: two nodes with one PostgreSQL: what is changed at one, or in
# PostgreSQL, is at both within a second; PostgreSQL away, back, read-only, of
# another schema; changes lost; files that are somebody's own.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Env ();
use Fieldgate::Ntrip;
use Fieldgate::OpenApi qw(differs);
use Fieldgate::Pg;
use JSON::PP ();
use Time::HiRes qw(time);

plan(skip_all => Fieldgate::Pg->lacking) if Fieldgate::Pg->lacking;

my $pg = Fieldgate::Pg->new;
my $provider;

sub node {
    my ($name, %opt) = @_;
    my $n = Fieldgate::Ntrip->new(
        workers => 2, users => 0, accounts => 0, start => 0,
        ($provider ? (provider => $provider) : ()),
        stream => "ntrip_cluster \"" . $pg->conninfo . "\" node=$name;",
        http => <<'END', %opt);
    server {
        listen 127.0.0.1:%%PORT:web%%;
        location /api/ { ntrip_status; ntrip_api unguarded; }
    }
END
    $provider //= $n->provider;
    return $n;
}

my $json = JSON::PP->new->utf8;

sub ask {
    my ($n, $method, $path, $body) = @_;
    $body = $json->encode($body) if ref $body;
    my $reply = $n->nginx->exchange('web', "$method /api/$path HTTP/1.0\r\n"
                    . (defined $body ? "Content-Type: application/json\r\n"
                                       . 'Content-Length: ' . length($body)
                                       . "\r\n" : '')
                    . "\r\n" . ($body // ''));
    my ($status, $text) = $reply =~ m{^HTTP/1\.1 (\d+) .*?\r\n\r\n(.*)}s;
    return ($status, $text eq '' ? undef : eval { $json->decode($text) });
}

sub cluster { (ask($_[0], 'GET', 'counters'))[1]{cluster} }

# a file that has nothing, as the module makes it, and what is in it

sub rows { $_[0]->sql("SELECT $_[2] FROM $_[1] ORDER BY 1;") }

sub within {
    my ($seconds, $what, $code) = @_;
    my $began = time;
    wait_for($code, $what);
    pass(sprintf '%s: after %.2f s, on a quiet machine within %s', $what,
         time - $began, $seconds);
}

my ($a, $b) = (node('a'), node('b'));
my @nodes = ($a, $b);

# both start at once, and one makes the schema

$_->nginx->start for @nodes;
wait_for(sub { 2 == grep { (cluster($_) // {})->{state} eq 'current' } @nodes },
         'both to have a mirror');
is($pg->sql('SELECT version FROM fieldgate'), 1, 'the schema is there');
is(scalar(grep { $_->nginx->error_log =~ /schema of "ntrip_cluster" was created/ }
          @nodes), 1, 'one of them has made it');
is(cluster($a)->{node}, 'a', 'the status names the node');
my $api = $json->decode(Fieldgate::Env::read_file('conf/ntrip-openapi.json'));
is_deeply([differs($api, (ask($a, 'GET', 'counters'))[1],
                   $api->{paths}{'/counters'}{get}{responses}{200}{content}
                   {'application/json'}{schema}, 'counters')],
          [], 'as the OpenAPI file says');
like($a->nginx->get('web', '/api/metrics'),
     qr/^ntrip_cluster_current 1\n.*^ntrip_cluster_age_seconds \d/ms, 'metrics');

# from the console of one

is($a->console('USER-ADD passwd jo:secret 2099-12-31'), "OK USER-ADD\r\n\r\n",
   'USER-ADD at one node');
like($a->console('USER-LIST passwd'), qr/jo/, 'which knows it at once');
within(1.5, 'the other one knows it', sub {
    $b->console('USER-LIST passwd') =~ /jo/;
});
is($_->console('USER-ADD passwd jo:other 2099-12-31'),
   "ERROR add user failed\r\n", 'a second time: refused')
    for @nodes;
is($pg->sql('SELECT count(*) FROM "user"'), 1, 'one row in PostgreSQL');

is($b->console('SOURCE-ADD passwd 127.0.0.1 a1:s1 2099-12-31'),
   "OK SOURCE-ADD\r\n\r\n", 'SOURCE-ADD at the other');
is($b->console('POOL-ADD passwd north 127.0.0.1 a1'), "OK POOL-ADD\r\n\r\n",
   'POOL-ADD');
is($b->console('STATION-ADD passwd BASE base:up'), "OK STATION-ADD\r\n\r\n",
   'STATION-ADD');
within(1.5, 'accounts, pools and stations follow', sub {
    rows($a, 'pool', 'name') eq "default\nnorth\n"
    && rows($a, 'station', 'mount') eq "BASE\n";
});
is($b->console('POOL-DEL passwd north 127.0.0.1 a1'), "OK POOL-DEL\r\n\r\n",
   'POOL-DEL');
isnt($b->console('POOL-DEL passwd north 127.0.0.1 a1'), "OK POOL-DEL\r\n\r\n",
     'and there is none left');
within(1.5, 'the pool is gone', sub { rows($a, 'pool', 'name') eq "default\n" });
is($b->console('POOL-DEL passwd default 127.0.0.1 a1'),
   "OK POOL-DEL\r\n\r\n", 'the last pool of an account');
within(1.5, 'which has none', sub { rows($a, 'pool', 'name') eq '' });
is($b->console('POOL-ADD passwd default 127.0.0.1 a1'),
   "OK POOL-ADD\r\n\r\n", 'and one again');
within(1.5, 'which follows', sub { rows($a, 'pool', 'name') eq "default\n" });

# by the API

my ($status, $body) = ask($a, 'POST', 'users', { name => "o'\x{e9}: \\\"x" =~ s/://r,
                                                 password => 'p', note => "'" });
is($status, 201, 'POST users');
within(1.5, 'an odd name comes as it is', sub {
    rows($b, 'user', 'name') =~ /o'\xc3\xa9 \\"x/;
});
($status, $body) = ask($a, 'POST', 'accounts', { host => 'h', name => 'n',
                                                 password => 'p' });
is($status, 201, 'POST accounts');
my $id = $body->{id};
is($pg->sql("SELECT host FROM source WHERE id = $id"), 'h', 'has the id of PostgreSQL');
is((ask($b, 'PATCH', "accounts/$id", { note => 'x' }))[0], 200,
   'PATCH at the other node');
is((ask($a, 'POST', 'accounts', { host => 'h', name => 'n', password => 'q' }))[0],
   409, 'POST again: 409');
is($a->console("USER-ADD passwd b\xff:x 2099-12-31"),
   "ERROR add user failed\r\n", 'no UTF-8: refused');
is($a->console('USER-ADD passwd utf:x 2099-12-31'), "OK USER-ADD\r\n\r\n",
   'which is the value\'s fault');
is($a->console('USER-DEL passwd utf'), "OK USER-DEL\r\n\r\n", 'nobody else\'s');
is((ask($a, 'DELETE', 'accounts/none'))[0], 404, 'DELETE of no number: 404');
is((ask($a, 'DELETE', 'accounts/99999999999999999999'))[0], 404,
   'DELETE of a large one: 404');
is((ask($a, 'DELETE', "accounts/$id"))[0], 204, 'DELETE');
within(1.5, 'it is gone', sub { rows($b, 'source', 'id') !~ /^$id$/m });

# in PostgreSQL itself; a login is as ever, and a deleted user's session ends

$pg->sql(q{INSERT INTO "user" (name, password) SELECT 'u' || g, 'p' || g
           FROM generate_series(1, 3) AS g});
within(1.5, 'SQL is noticed', sub {
    2 == grep { rows($_, 'user', 'name') =~ /u3/ } @nodes;
});
my $rovers = $b->rovers(1, 2, 3);
$rovers->wait_for(fed => 3);
pass('rovers of b, by an account that was added there');
is($a->console('USER-DEL passwd u3'), "OK USER-DEL\r\n\r\n",
   'a user is deleted at a');
wait_for(sub { $rovers->seen->{rovers}{u3}{state} eq 'closed' },
         'the session at b to end');
like($b->nginx->error_log, qr/session ended: revoked/, 'the session at b ends');

# PostgreSQL goes away: logins and streams go on, changes say so

$pg->stop('QUIT');
wait_for(sub { 2 == grep { cluster($_)->{state} eq 'away' } @nodes },
         'both to notice that it is away');
is($a->console('USER-ADD passwd late:x 2099-12-31'),
   "ERROR database unavailable\r\n", 'USER-ADD: unavailable');
is((ask($b, 'POST', 'users', { name => 'late', password => 'x' }))[0], 503,
   'POST: 503');
like($a->console('USER-LIST passwd'), qr/u2/, 'lists go on');
$rovers->add($b->rover(2, id => 'late'));
wait_for(sub { $rovers->seen->{rovers}{late}{messages} }, 'a login');
pass('and logins, and streams');
is(scalar @{$rovers->seen->{errors}}, 0, 'nothing was lost');
$rovers->stop;

my $before = cluster($a)->{age};
wait_for(sub { cluster($a)->{age} > $before }, 'the age of the mirror to grow');
pass('the mirror grows older');

sub count { scalar(() = $_[0]->nginx->error_log =~ /$_[1]/g) }

my @said = $a->nginx->error_log =~ /"ntrip_cluster" is not available: (.*)/g;
my %said = map { $_ => 1 } @said;
ok(@said && @said == keys %said, 'error.log says each reason once');
$pg->start;
within(5, 'back without a hand', sub {
    2 == grep { cluster($_)->{state} eq 'current' } @nodes;
});
is(count($a, qr/"ntrip_cluster" is available again/), 1, 'which is said');
is($a->console('USER-ADD passwd late:x 2099-12-31'), "OK USER-ADD\r\n\r\n",
   'changes are possible again');

# another schema

$pg->sql('UPDATE fieldgate SET version = 7; SELECT pg_notify(\'fieldgate\', \'\')');
$a->nginx->wait_log(qr/its schema has version 7, this module knows version 1/);
pass('another version is named');
is($_->console('USER-ADD passwd other:x 2099-12-31'),
   "ERROR database unavailable\r\n", 'nothing is written into it')
    for @nodes;
is($pg->sql(q{SELECT count(*) FROM "user" WHERE name = 'other'}), 0, 'no row');
$pg->sql('UPDATE fieldgate SET version = 1');
within(5, 'and when it is the right one', sub {
    2 == grep { cluster($_)->{state} eq 'current' } @nodes;
});

# read-only

$pg->sql('ALTER SYSTEM SET default_transaction_read_only = on; SELECT pg_reload_conf()');
wait_for(sub { $a->console('USER-ADD passwd ro:x 2099-12-31')
               eq "ERROR database unavailable\r\n" }, 'it to be read-only');
wait_for(sub { cluster($a)->{state} eq 'current' }, 'the mirror to follow');
$pg->sql('SET default_transaction_read_only = off; ALTER SYSTEM RESET default_transaction_read_only');
$pg->sql('SELECT pg_reload_conf()');
wait_for(sub { $a->console('USER-ADD passwd rw:x 2099-12-31') =~ /^OK/ },
         'it to take changes again');

# it hangs

my @stopped = $pg->processes;
kill STOP => @stopped;
$a->nginx->wait_log(qr/"ntrip_cluster" is not available: it does not answer/);
like($a->console('USER-LIST passwd'), qr/u2/, 'slow: lists go on');
kill CONT => @stopped;
within(8, 'and it goes on', sub {
    2 == grep { cluster($_)->{state} eq 'current' } @nodes;
});

# a gap, TRUNCATE, a node that was away for long, changes trimmed

$pg->sql(q{BEGIN; DELETE FROM "user" WHERE name = 'u1';
           DELETE FROM change WHERE seq = (SELECT max(seq) FROM change);
           UPDATE "user" SET note = 'y' WHERE name = 'u2';
           UPDATE change SET seq = seq + 1 WHERE seq = (SELECT max(seq) FROM change);
           COMMIT});
within(3, 'a gap: copied anew', sub {
    2 == grep { rows($_, 'user', 'name') !~ /^u1$/m } @nodes;
});

$b->nginx->stop;
$pg->sql(q{INSERT INTO "user" (name, password) SELECT 'w' || g, 'p'
           FROM generate_series(1, 5000) AS g;
           DELETE FROM change WHERE seq < (SELECT max(seq) - 10 FROM change);
           TRUNCATE station});
within(5, 'TRUNCATE', sub { rows($a, 'station', 'mount') eq '' });
$b->nginx->start;
within(5, 'a node that was away has all', sub {
    rows($b, 'user', 'count(*)') == $pg->sql('SELECT count(*) FROM "user"')
    && rows($b, 'station', 'mount') eq '';
});

# a file of somebody's own is left alone, and so is another cluster's

my $c = node('c', users => 2);
$c->nginx->start;
$c->nginx->wait_log(qr/does not follow "ntrip_cluster": it has users, accounts or stations which are not the cluster's/);
is(rows($c, 'user', 'name'), "u1\nu2\n", 'own rows stay');
is(cluster($c)->{state}, 'stale', 'which the status says');

# which is brought into a cluster that has nothing yet, and only there

$c->sql(q{INSERT INTO user (name, password, note) VALUES ('"q"', 'a,b', '');
          INSERT INTO source (id, host, name, password) VALUES (7, 'h', 'n', 'p');
          INSERT INTO pool VALUES ('two', 7)});
my $import = Fieldgate::Env::top() . '/conf/cluster/import ' . $c->database;
like(`$import "@{[$pg->conninfo]}" 2>&1`,
     qr/PostgreSQL has users, accounts or stations already/, 'import: refused');
my @tables = (['user', 'name, password, note'], ['source', 'id, pool, host'],
              ['pool', 'source, name']);
my @were = map { rows($c, @$_) } @tables;
$pg->sql('CREATE DATABASE second');
my $second = $pg->conninfo =~ s/dbname=postgres/dbname=second/r;
is(`$import "$second" 2>&1`, "user: 3 rows\nsource: 1 rows\nstation: 0 rows\n",
   'conf/cluster/import');
$c->{stream} = "ntrip_cluster \"$second\" node=c;";
$c->nginx->reload(stream => $c->conf);
within(5, 'the file is a mirror now', sub {
    (cluster($c) // {})->{state} eq 'current';
});
is_deeply([map { rows($c, @$_) } @tables], \@were, 'with all that it had');
is((ask($c, 'POST', 'accounts', { host => 'h2', name => 'n', password => 'p' }))[1]{id},
   8, 'and ids go on behind it');
$c->{stream} = 'ntrip_cluster "' . $pg->conninfo . '" node=c;';
$c->nginx->reload(stream => $c->conf);
$c->nginx->wait_log(qr/does not follow "ntrip_cluster": it is another cluster's/);
pass('a mirror of another cluster is left alone');

# the mirror's worker is killed

for my $pid ($a->nginx->pids) {
    $a->nginx->kill_worker($pid);
}
$pg->sql(q{UPDATE "user" SET note = 'killed' WHERE name = 'u2'});
within(3, 'killed: another worker goes on', sub {
    rows($a, 'user', 'note') =~ /killed/;
});
$a->nginx->reload;
$pg->sql(q{UPDATE "user" SET note = 'reloaded' WHERE name = 'u2'});
within(3, 'reloaded', sub { rows($a, 'user', 'note') =~ /reloaded/ });

# no secret in a log

unlike($_->nginx->error_log, qr/sesame-of-pg/, 'no password in the log')
    for @nodes, $c;

done_testing;
