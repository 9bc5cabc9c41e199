# Consoles that ask for a long list and never read: what they are given of it,
# which is what they cost the thread that has the database, and another one that
# reads, beside them.  Counted in bytes, in the same run.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Env qw(read_file);
use Fieldgate::Ntrip;

my ($users, $silent) = (50_000, 50);

my $n = Fieldgate::Ntrip->new(workers => 1, users => 0, accounts => 0);
my $t = $n->nginx;

$n->sql(<<"END");
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL
                            SELECT i + 1 FROM n WHERE i < $users)
    INSERT INTO user (name, password) SELECT 'u' || i, 'password' || i FROM n;
END

my ($worker) = $t->pids;

sub memory {
    my ($kb) = read_file("/proc/$worker/status") =~ /^VmRSS:\s+(\d+) kB/m;
    return $kb;
}

my $list = $n->console('USER-LIST passwd');
is(() = $list =~ /\t/g, $users, 'a list of all users');
my $before = memory();

my @silent = map {
    my $s = $t->connect('console');
    print $s "USER-LIST passwd\n";
    $s;
} 1 .. $silent;


# what is on its way to those who do not read: in the queues of both ends of
# each connection

sub given {
    my $port = sprintf '%04X', $t->port('console');
    my %silent = map { sprintf('%04X', $_->sockport) => 1 } @silent;
    my %given;

    for (split /\n/, read_file('/proc/net/tcp')) {
        my ($from, $to, $sent, $received) =
            /^\s*\d+: \w+:(\w+) \w+:(\w+) 01 (\w+):(\w+)/ or next;
        $given{$to} += hex $sent if $from eq $port && $silent{$to};
        $given{$from} += hex $received if $to eq $port && $silent{$from};
    }

    return sort { $a <=> $b } values %given;
}

wait_for(sub { my @given = given(); @given == $silent && $given[0] > 0 },
         'each to be given something');

is($n->console('USER-LIST passwd'), $list, 'another one gets all of it');

my @given = given();
my $all = 0;
$all += $_ for @given;
note sprintf 'a list has %d bytes; those who do not read have %d to %d; the'
             . ' worker has %d kB more', length $list, @given[0, -1],
             memory() - $before;
is(scalar @given, $silent, 'nobody is closed');
cmp_ok($given[-1], '<', length($list) / 4,
       'who does not read is given a small part');
cmp_ok($all, '<', $silent * length($list) / 4, 'all of them together, too');
SKIP: {
    skip 'memory is not compared under a sanitizer', 1
        if ($ENV{TEST_NGINX_BINARY} // '') =~ /asan/;
    cmp_ok(memory() - $before, '<', $silent * 64, 'each costs less than 64 kB');
}

# they can go on

my $said = Fieldgate::read_all($silent[0]);
is($said, $list, 'one of them reads after all');

close $_ for @silent;
done_testing;
