# Each fuzz target for a second, on its seeds and on what it has found
# before; t/fuzz/run goes on for longer.

use strict;
use warnings;
use lib 't/lib';

use Test::More;

my $seconds = $ENV{FIELDGATE_FUZZ_SECONDS} // 1;
my @targets = map { m{([^/]+)\.c$} } glob 't/fuzz/*.c';
plan @targets ? (tests => 2 * @targets) : (skip_all => 'no fuzz target');

for my $name (@targets) {
    my $out = `t/fuzz/run $name $seconds 2>&1`;
    my $status = $?;
    my ($inputs) = $out =~ /number_of_executed_units:\s+(\d+)/;

    is($status, 0, "$name: no input breaks it")
        or diag(substr $out, length $out > 6000 ? -6000 : 0);
    cmp_ok($inputs // 0, '>', 0, "$name: ran") and note("$inputs inputs");
}
