# What a reader sees before it runs: layout of the sources, leftovers, whether
# config and README.md keep up with the code.

use strict;
use warnings;
use lib 't/lib';

use Encode ();
use Test::More;
use Fieldgate::Env qw(top read_file);

chdir top() or die "chdir: $!";

my @source = glob 'src/*/*.[ch] src/*/*/*.[ch]';
my @c = (@source, glob 't/unit/*.[ch] t/fuzz/*.[ch] t/bench/*.[ch]');
my @text = grep { -f && -T } @c,
    glob 'config README.md conf/* schema/* t/*.t t/lib/*.pm t/lib/*/*.pm .ci/*
          t/asan t/debian t/matrix t/packages t/run t/fuzz/run t/fuzz/coverage
          t/bench/* conf/dashboard/* conf/dashboard/icons/* t/dashboard/*
          src/*/exports.map';

# nothing($what, LINES...): each as "file:line: text"

sub nothing {
    my ($what, @found) = @_;
    is(join("\n", @found), '', $what);
}

sub lines {
    my ($match, @files) = @_;
    my @found;

    for my $file (@files) {
        my $n = 0;
        for my $line (split /\n/, read_file($file)) {
            $n++;
            push @found, "$file:$n: $line" if $match->($line);
        }
    }

    return @found;
}

cmp_ok(scalar @source, '>', 2, 'there are sources');

nothing('no line of C is longer than 80 columns',
        lines(sub { length $_[0] > 80 }, @c));
my @js = grep { /\.m?js$/ } @text;
cmp_ok(scalar @js, '>', 10, 'there are modules of the dashboard');
nothing('no line of JavaScript is longer than 80 columns',
        lines(sub { length Encode::decode('UTF-8', $_[0]) > 80 }, @js));
nothing('no markup is made of text',
        lines(sub { $_[0] =~ /\b(?:inner|outer)HTML\s*[+=]|insertAdjacentHTML
                              |document\.write|\beval\(/x }, @js));

nothing('no tabs in C', lines(sub { $_[0] =~ /\t/ }, @c));
nothing('no blanks at the ends of lines',
        lines(sub { $_[0] =~ /[ \t\r]$/ }, @text));
nothing('no // comments', lines(sub { $_[0] =~ m{(?:^|[;{}]\s*)//\s} }, @c));

# the third marker is a country code, too, where it does not begin a comment

my $marker = join '|', '\b(?:TO' . 'DO|FIX' . 'ME)\b',
                       '(?:/\*|#|\*) *X' . 'XX\b', '\bX' . 'XX:';
nothing('nothing is left for later',
        lines(sub { $_[0] =~ /$marker/ && $_[0] !~ /Test::More::/ }, @text));

# config lists each source, and nothing else

my $config = read_file('config');
my @listed = $config =~ m{\$ngx_addon_dir/(src/\w+(?:/\w+)?/\w+\.[ch])\b}g;
my %listed = map { $_ => 1 } @listed;
my %exists = map { $_ => 1 } @source;

nothing('config lists no file that is missing',
        grep { !$exists{$_} } @listed);
nothing('config lists every source and header',
        grep { !$listed{$_} } @source);

# README.md documents each directive, under a heading with its name, and each
# variable

my $readme = read_file('README.md');
my (%directive, %variable);
for my $file (@source) {
    my $text = read_file($file);
    $directive{$1} = 1
        while $text =~ /\{\s*ngx_string\("((?:cwmp|ntrip)\w*)"\),\s*NGX_/g;
    $variable{$1} = 1
        while $text =~ /\{\s*ngx_string\("((?:cwmp|ntrip)_\w+)"\),\s*NULL\b/g;
}

cmp_ok(keys %directive, '>=', 40, 'there are directives');
cmp_ok(keys %variable, '>=', 15, 'and variables');

for my $name (sort keys %directive) {
    my ($section) = $readme =~ /^\#+\ `?$name`?\n(.*?)(?=^\#|\z)/msx;
    for my $part (qw(Syntax Default Context)) {
        like($section // '', qr/\b$part\b/, "README: $part of $name");
    }
}

for my $name (sort keys %variable) {
    like($readme, qr/\$$name\b/, "README: \$$name");
}

my @scripts = grep { read_file($_) =~ /^#!/ } @text;
cmp_ok(scalar @scripts, '>', 5, 'there are scripts');
nothing('scripts are executable', grep { !-x } @scripts);

done_testing;
