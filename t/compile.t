# The modules, which gcc has built for ours, compile without a warning (nginx
# has -Werror) with clang too, in an nginx that lacks what ours has: debugging,
# TLS, HTTP/2; with t/run --long with both compilers, also if it lacks less.

use strict;
use warnings;
use lib 't/lib';

use Test::More;
use Fieldgate::Env qw(top);

chdir top() or die "chdir: $!";

my $no_debug = '-DNGX_DEBUG=0';
my $no_tls = '-DNGX_SSL=0 -DNGX_HTTP_SSL=0 -DNGX_STREAM_SSL=0 -DNGX_HTTP_V2=0';
my $clang = 'clang -Wno-unused-command-line-argument';
my @variants = ("$clang $no_debug $no_tls");
push @variants, $clang, "$clang $no_debug", "gcc $no_debug",
                "gcc $no_debug $no_tls" if $ENV{FIELDGATE_LONG};
plan tests => 2 * @variants;

for my $cc (@variants) {
    my $out = `make -B -k -s -f \$PWD/build/objs/Makefile \\
                    -C /usr/share/nginx/src modules \\
                    CC="$cc -fsyntax-only" LINK=true 2>&1`;

    is($?, 0, "$cc: every source is accepted");
    is($out, '', "$cc: and there is nothing to say");
}
