# Each program in t/unit, with sanitizers; they print TAP.  FIELDGATE_UNIT has
# the names of those that are wanted, all by default.  One that says "sanitizer:
# thread" in a comment is watched by that one; "none" says one that counts
# instructions, or steps through them.

use strict;
use warnings;
use lib 't/lib';

use Test::More;
use Fieldgate::Compile qw(build);
use Fieldgate::Env qw(read_file temp_dir);

my @flags = ('-O1', '-g', '-fno-sanitize-recover=all',
             '-fno-omit-frame-pointer');
my @programs = glob 't/unit/*.c';
if (defined $ENV{FIELDGATE_UNIT}) {
    my %there = map { m{([^/]+)\.c$} => $_ } @programs;
    @programs = map { $there{$_} // die "$_ is none of: @{[sort keys %there]}\n" }
                    split ' ', $ENV{FIELDGATE_UNIT};
}
plan tests => scalar @programs;

my $dir = temp_dir();
$ENV{ASAN_OPTIONS} = 'detect_stack_use_after_return=1,strict_string_checks=1';
$ENV{UBSAN_OPTIONS} = 'print_stacktrace=1';

for my $source (@programs) {
    subtest $source => sub {
        my @watched = @flags;
        my ($sanitizer) =
            read_file($source) =~ /^[ *\/]*sanitizer: (thread|none)$/m;

        # fences are unknown to that of threads: it asks for more than they
        # need; what is counted is compiled as nginx is

        push @watched, !$sanitizer ? '-fsanitize=address,undefined'
                       : $sanitizer eq 'none' ? '-O2'
                       : ('-fsanitize=thread', '-Wno-tsan');

        my $program = eval { build($source, 'gcc', @watched) };
        if (!defined $program) {
            fail('it compiles');
            diag($@);
            done_testing;
            return;
        }

        my ($planned, $ran) = (undef, 0);
        open my $out, '-|', "$program 2> $dir/stderr" or die "$program: $!";
        while (<$out>) {
            if (/^1\.\.(\d+)/) {
                $planned = $1;
            } elsif (/^(not )?ok\b\s*\d*\s*-?\s*(.*)/) {
                $ran++;
                ok(!$1, $2);
            } elsif (/^#\s?(.*)/) {
                diag($1);
            }
        }
        close $out;

        is($?, 0, 'exit status') or diag(read_file("$dir/stderr"));
        is($ran, $planned, 'every planned test ran');
        cmp_ok($ran, '>', 0, 'and there was one');
        done_testing;
    };
}
