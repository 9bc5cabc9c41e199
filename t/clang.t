# The modules compile with clang, too, without a warning: nginx has -Werror.

use strict;
use warnings;
use lib 't/lib';

use Test::More tests => 2;
use Fieldgate::Env qw(top);

chdir top() or die "chdir: $!";

my $out = `make -B -k -s -f \$PWD/build/objs/Makefile -C /usr/share/nginx/src \\
                modules CC="clang -fsyntax-only" LINK=true 2>&1`;

is($?, 0, 'clang accepts every source');
is($out, '', 'and has nothing to say');
