# The add-on script: which half is built and why one is not, what Debian's own
# build system makes of it, and that make notices changed SQL.  Configuring takes
# long: what the other tests would notice, too, is done with t/run --long.

use strict;
use warnings;
use lib 't/lib';

use File::Path qw(make_path);
use Test::More;
use Fieldgate::Env qw(top read_file write_file temp_dir);

chdir top() or die "chdir: $!";

my $long = $ENV{FIELDGATE_LONG};
my $nginx = '/usr/share/nginx/src';
my $dir = temp_dir();

# A compiler that lacks what is named in $LACKS, an extended regular expression,
# and that remembers what came of configure's feature tests: these are the same
# each time, and most of what configuring costs.

make_path("$dir/bin", "$dir/tried");
write_file("$dir/bin/cc", <<'END' =~ s/TRIED/$dir\/tried/r);
#!/bin/sh
[ -z "$LACKS" ] || ! printf '%s\n' "$*" | grep -Eq -e "$LACKS" || exit 1

for arg; do
    case $arg in */autotest.c) out=${arg%.c} ;; esac
done
[ -n "$out" ] || exec gcc "$@"

tried=TRIED/$(printf '%s\n' "$@" | grep -v /autotest | cat - "$out.c" |
              md5sum | cut -c 1-32)
if [ ! -e "$tried" ]; then
    gcc "$@" 2> "$tried.err" && cp "$out" "$tried.out"
    : > "$tried"
fi
cat "$tried.err" >&2
[ ! -e "$tried.out" ] || cp "$tried.out" "$out"
END
chmod 0755, "$dir/bin/cc";
$ENV{PATH} = "$dir/bin:$ENV{PATH}";

# configure(NAME, OPTION...): (exit status, output, Makefile) of nginx's own

sub configure {
    my ($name, @options) = @_;
    my $add = grep({ /^--add-module/ } @options)
              ? '' : '--add-dynamic-module=' . top();

    my $out = `cd $nginx && ./configure --builddir=$dir/$name $add \\
                   @options 2>&1`;
    return ($? >> 8, $out, read_file("$dir/$name/Makefile"));
}

# Debian's: a package of nothing but our sources, configured and built as
# debhelper does it with --with nginx --buildsystem=nginx_mod

my $package = "$dir/package";
make_path("$package/debian");
system('cp', '-r', 'config', 'src', 'schema', $package) == 0 or die "cp: $?";
write_file("$package/debian/changelog", <<'END');
fieldgate (1.0-1) unstable; urgency=medium

  * A test.

 -- Nobody <nobody@localhost>  Thu, 01 Jan 2026 00:00:00 +0000
END
write_file("$package/debian/control", <<'END');
Source: fieldgate
Maintainer: Nobody <nobody@localhost>
Build-Depends: debhelper-compat (= 13), nginx-dev

Package: libnginx-mod-fieldgate
Architecture: any
Description: a test
 of the add-on script
END

$ENV{DEB_BUILD_OPTIONS} = 'noopt parallel=2';

sub dh {
    my ($step, @options) = @_;
    my $out = `cd $package && dh_auto_$step --buildsystem=nginx_mod \\
                   -B$package/built @options 2>&1`;
    is($?, 0, "dh_auto_$step @options") or diag($out);
    return $out;
}

sub built { join ' ', map { m{([^/]+)$} } sort glob "$package/built/*.so" }

# Debian's flags are those of an nginx without stream

if ($long) {
    my $out = dh('configure');
    my $says = join '', qr/warning: ngx_stream_ntrip_module is left out:\n/,
                       qr/ +ngx_stream_ntrip_module needs the stream modules /,
                       qr/\(add --with-stream --with-stream_ssl_module\)\n/;
    like($out, qr/$says/,
         'the half that it cannot build is named with the reason');
    unlike($out, qr/cwmp_module (?:is left|needs)/, 'the other one is not');
    dh('build');
    is(built(), 'ngx_http_cwmp_module.so', 'which is built');
    dh('test');
    dh('clean');
}

my $out = dh('configure', '--', qw(--with-stream --with-stream_ssl_module));
unlike($out, qr/left out/, 'with two more options nothing is left out');
my $makefile = read_file("$package/built/Makefile");
like($makefile, qr/$_\.so:/, "$_ is to be built")
    for qw(ngx_http_cwmp_module ngx_stream_ntrip_module);
is(() = $makefile =~ /--version-script=\S+exports\.map/g, 2,
   'and both hide their symbols');

# changed SQL is compiled in again

my $objs = "$package/built";

sub make {
    my ($target) = @_;
    my $out = `make -s -f $objs/Makefile -C $nginx $objs/$target 2>&1`;
    is($?, 0, "make $target") or diag($out);
}

sub array {
    my ($c) = read_file("$objs/ntrip_sql/ntrip_sql.c") =~
              /ntrip_sql_schema\[\] = \{([^}]*)\}/;
    return join '', map { chr } ($c // '') =~ /(\d+),/g;
}

my $sql = "$package/schema/schema.sql";
my $object = 'addon/ntrip_sql/ntrip_sql.o';
make($object);
is(array(), read_file($sql), 'make turns SQL into an array');
my $before = read_file("$objs/$object");

utime 1, 1, glob "$package/schema/*";
make($object);
is(read_file("$objs/$object"), $before, 'and what has not changed stays');

write_file($sql, read_file($sql) . "-- changed\n");
utime 1, 1, $sql;
make($object);
is(array(), read_file($sql), 'changed SQL is a new array, however old');
isnt(read_file("$objs/$object"), $before, 'in a new object');

my ($status, $make, $says);

if ($long) {
    # static

    ($status, $out, $make) = configure('static', '--add-module=' . top(),
                                       qw(--with-stream --with-threads));
    is($status, 0, 'linked in') or diag($out);
    unlike($out, qr/left out/, 'both are');
    unlike($make, qr/version-script/, 'and nothing is hidden');
    like($make, qr{^\S+/ntrip_sql\.c:\s}m,
         'SQL is a matter of make there, too');

    # what one half lacks the other one does not need

    $ENV{LACKS} = '--version-script';
    ($status, $out, $make) = configure('ntrip', qw(--without-pcre --with-stream
                               --without-http_rewrite_module --with-threads));
    is($status, 0, 'without PCRE') or diag($out);
    like($out, qr/ngx_http_cwmp_module needs the PCRE library/,
         'the CWMP half is left out');
    like($make, qr/ngx_stream_ntrip_module\.so:/, 'the NTRIP half is not');
    unlike($make, qr/version-script/,
           'a linker without version scripts gets none');
}

# without libpq there is no cluster, and all else

$ENV{LACKS} = '-lpq';
($status, $out, $make) = configure('lonely', qw(--with-stream --with-threads));
is($status, 0, 'without libpq') or diag($out);
like($out, qr/note: ngx_stream_ntrip_module is built without "ntrip_cluster"/,
     'it says so');
like($out, qr/libpq-dev/, 'and what is missing');
like($make, qr/ngx_stream_ntrip_module\.so:/, 'the NTRIP half is built');
unlike($make, qr/-lpq|ntrip_mirror\.c/, 'without all of that');
for my $file (qw(ngx_stream_ntrip_cluster_conf ngx_stream_ntrip_module)) {
    ($object) = $make =~ m{^\S*?(addon/\S*\b$file\.o):}m;
    $objs = "$dir/lonely";
    make($object);
}
like(`strings $objs/addon/*/ngx_stream_ntrip_cluster_conf.o`,
     qr/needs libpq, which this module was built without/,
     'and the directive says so');

$ENV{LACKS} = '-lsqlite3';
($status, $out) = configure('neither', qw(--without-http --with-stream));
is($status, 1, 'without any half configure fails');
$says = join '', qr/error: neither module .*\n/,
                qr/.*cwmp_module needs the HTTP modules .*\n/,
                qr/.*ntrip_module needs thread pools .*\n/,
                qr/.*ntrip_module needs the SQLite library .*libsqlite3-dev/;
like($out, qr/$says/, 'and says what is missing for each');

done_testing;
