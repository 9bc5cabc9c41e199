# README lists every line that the modules write into error.log, with "…" for
# what is filled in, and no other: one wording each, which somebody who has the
# line before his eyes finds.  Not listed are lines about the
# configuration, which say where the mistake is, and failed calls of the system,
# which nginx words as it words its own.

use strict;
use warnings;
use utf8;
use lib 't/lib';

use Test::More;
use Fieldgate::Env qw(top read_file);

chdir top() or die "chdir: $!";
binmode Test::More->builder->$_, ':utf8' for qw(output failure_output);

my $conversion = qr/%(?:\*s|[0-9]*[uxXm]*(?:\.[0-9]+)?[A-Za-z])/;
my $failed = qr/^(?:…|\w+\(\w*\)).* failed$/;
my $string = qr/"(?:[^"\\]|\\.)*"/;

# of "function(a, (b, c), "d, e")" after its parenthesis: a | (b, c) | "d, e"

sub arguments {
    my ($text) = @_;
    my ($depth, @of) = (0, '');

    while ($text =~ /\G($string|'(?:[^'\\]|\\.)'|.)/gs) {
        my $c = $1;

        return @of if $c eq ')' && $depth == 0;
        $depth++ if $c =~ /^[({\[]$/;
        $depth-- if $c =~ /^[)}\]]$/;

        if ($c eq ',' && $depth == 0) {
            push @of, '';
        } else {
            $of[-1] .= $c;
        }
    }

    die "no end: $text\n";
}

# what may be written: one line, or one for each branch of a condition

sub wordings {
    my ($format) = @_;
    my @of = $format =~ /\?/ ? split /\s:\s/, $format =~ s/^.*?\?//sr
                             : $format;

    return map {
        my $line = join '', map { /^"/ ? substr $_, 1, -1 : '…' }
                                /($string|\bngx_\w+_n\b)/g;
        $line =~ s/\\(.)/$1/g;
        $line =~ s/(?:$conversion)+/…/gr;
    } @of;
}

my (%written, $calls);
for my $file (glob('src/*/*.c'), glob('src/*/*/*.c')) {
    my $text = read_file($file);

    while ($text =~ /\bngx_log_error\(/g) {
        my ($level, undef, undef, $format)
            = arguments(substr $text, pos $text);

        $calls++;
        $format =~ s/^\s+//;
        next if $level eq 'NGX_LOG_EMERG' || $level eq 'NGX_LOG_ALERT';
        next if $format !~ /"/;

        $written{$_} //= $file
            for grep { !/$failed/ && !/^…$/ } wordings($format);
    }
}

my $readme = read_file('README.md');
utf8::decode($readme);
my ($section) = $readme =~ /^### Lines of error\.log\n(.*?)^##/ms;
my @listed = ($section // '') =~ /^\| `(.*?)` \|/mg;
my %listed = map { $_ => 1 } @listed;

cmp_ok($calls, '>', 100, 'the source writes lines');
is(scalar @listed, scalar keys %listed, 'each is listed once');
is(join("\n", map { "$_ ($written{$_})" }
              grep { !$listed{$_} } sort keys %written), '',
   'README lists each line of the source');
is(join("\n", grep { !$written{$_} } sort keys %listed), '',
   'and none that is not there');

done_testing;
