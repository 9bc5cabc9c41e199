package Fieldgate::Wait;

# How every test waits: for an event, by asking for it again and again.  One
# that does not come is a failed test, at the line of the test that waited;
# the test goes on, and what it does next may fail as well, without another
# long wait.  In a process of the test's own it is the end of that process.

use strict;
use warnings;

use Exporter 'import';
use Test::Builder;
use Time::HiRes qw(sleep time);

our @EXPORT_OK = qw(await wait_for in_vain);

# a wait that lasts longer than this is a failure, however slow the machine

our $Guard = 180;

# once a test has failed in this way, its verdict does not hang on how long the
# next wait is

our $Impatient = 5;

my $owner = $$;
my $builder = Test::Builder->new;


# Polls until the code returns true, and returns that; after the guard time,
# undef.  Sets $$last, if given, to the last value.

sub await {
    my ($code, $last) = @_;
    my $deadline = time + $Guard;

    for (my $pause = 0.002;; $pause *= 1.5) {
        my $r = $code->();
        return $r if $r;
        $$last = $r if $last;
        return if time > $deadline;
        sleep($pause = $pause > 0.05 ? 0.05 : $pause);
    }
}

# the same, which must not be in vain: "what" was awaited

sub wait_for {
    my ($code, $what) = @_;
    my $last;

    return await($code, \$last) || in_vain($what, $last);
}

# fails the test; returns false

sub in_vain {
    my ($what, $last) = @_;
    my $seconds = $Guard;

    $what //= 'an event';
    $last = defined $last ? "'$last'" : 'undef';
    die "waited in vain for $what, the last value is $last\n" if $$ != $owner;

    my $depth = 0;
    $depth++ while ((caller $depth)[1] // '') =~ m{(?:^|/)t/lib/};
    local $Test::Builder::Level = $depth + 1;

    $builder->ok(0, "waited for $what");
    $builder->diag("in vain for $seconds s; the last value is $last");
    $Guard = $Impatient if $Guard > $Impatient;

    return '';
}

1;
