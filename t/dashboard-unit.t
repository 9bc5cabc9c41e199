# The parts of the dashboard that need no browser, tested by node's own test
# runner: t/dashboard/*.test.mjs.

use strict;
use warnings;
use lib 't/lib';

use Test::More;
use Fieldgate::Env qw(top read_file);

chdir top() or die "chdir: $!";

my ($major) = (`node --version 2>/dev/null` // '') =~ /^v(\d+)/;
if (!defined $major) {
    plan(skip_all => 'there is no node to run the dashboard\'s modules with');
}
if ($major < 18) {
    plan(skip_all => "node $major has no test runner");
}

for my $file (glob 't/dashboard/*.test.mjs') {
    my $out = `node --test $file 2>&1`;
    is($?, 0, $file) or diag($out);
    my ($passed) = $out =~ /^(?:#|\S) pass (\d+)$/m;
    cmp_ok($passed // 0, '>', 0, "$file: has tests");
}

# each module is either pure, and then tested, or it is glue

my @glue = qw(charts dialog main map panels table trusted view);
my %glue = map { $_ => 1 } @glue;
for my $module (glob 'conf/dashboard/*.js') {
    my ($name) = $module =~ m{(\w+)\.js$};
    is(-f "t/dashboard/$name.test.mjs" ? 1 : 0, $glue{$name} ? 0 : 1,
       "$name: " . ($glue{$name} ? 'is glue' : 'has a test'));
    next if $glue{$name};
    unlike(read_file($module), qr/\b(?:document|window|lib)\b[.\/]/,
           "$name: needs no browser");
}

# what is fetched is pinned, from wherever npm gets it

my $lock = read_file('conf/dashboard/package-lock.json');
my @pinned = $lock =~ m{"node_modules/}g;
my @checked = $lock =~ m{"integrity": "sha512-}g;
cmp_ok(scalar @pinned, '>=', 4, 'libraries are pinned');
is(scalar @checked, scalar @pinned, 'each with its checksum');
unlike($lock, qr/"resolved"/, 'and no address of a mirror');

done_testing;
