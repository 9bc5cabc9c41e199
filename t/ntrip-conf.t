# The directives of the NTRIP module: what nginx -t accepts, and how it explains
# what it does not.

use lib 't/lib';
use Fieldgate;

my $t = Fieldgate->new(env => { CONSOLE_PASSWD => 'from the environment',
                                EMPTY => '' });

my $secret = 'not-to-be-seen';

$t->write('good.passwd', "$secret\r\nanything\n");
$t->write('empty.passwd', "\n");
$t->write('long.passwd', 'x' x 5000);
$t->write('file', 'no folder');
$t->write('cluster.key', 'x' x 32);

# pieces that the cases put together

my $main = "ntrip_zone 2m;\nntrip_database %%DIR%%/db/ntrip.db;\n";

sub caster {
    my ($server, $stream) = @_;
    return ($stream // $main) . <<"END";
    server {
        listen 127.0.0.1:%%PORT:caster%%;
        ntrip_caster;
        ntrip_relay port=8003;
        $server
    }
END
}

sub console {
    my ($server, $stream) = @_;
    return ($stream // $main) . <<"END";
    server {
        listen 127.0.0.1:%%PORT:console%%;
        ntrip_console;
        $server
    }
END
}

my $mount = 'ntrip_mount RTCM32;';

my @good = (
    ['a relay', caster($mount)],
    ['all directives of stream{}', caster($mount, <<"END")],
        $main
        ntrip_password_storage plain;
        ntrip_ring_size 64k;
        ntrip_report 30s;
        ntrip_mount BASE;
END
    ['a cluster', "${main}ntrip_cluster 'host=db password=$secret' node=a;"],
    ['another one', "${main}ntrip_cluster 'postgresql://x:$secret\@db/x' "
                    . "node=A-1.b_c;"],
    ['all directives of a caster', $main . <<'END'],
    server {
        listen 127.0.0.1:%%PORT:caster%%;
        ntrip_caster;
        ntrip_relay pool=east port=2101;
        ntrip_mount RTCM32 "str=Town;RTCM 3.2;1005(10),1074(1)" format=rtcm3
                    gga=on;
        ntrip_mount CMR format=raw gga=off;
        ntrip_mount auto format=auto;
        ntrip_mount OLD as=auto messages=1004,1005,1012 msm=4;
        ntrip_mount EAST as=auto pool=west format=rtcm3 messages=-1029,-1230;
        ntrip_share_distance 30km;
        ntrip_gga_interval 2s;
        ntrip_gga_repeat 0;
        ntrip_login_timeout 5s;
        ntrip_position_timeout 30s;
        ntrip_send_timeout 10s;
        ntrip_source_wait 0;
        ntrip_source_connect_timeout 3s;
        ntrip_source_timeout 15s;
        ntrip_source_linger 0;
        ntrip_slow_rover close;
        ntrip_sourcetable_stations all;
        ntrip_max_age 5s;
        ntrip_coalesce 0;
    }
END
    ['times in stream{}, for all its servers',
     caster($mount, "$main ntrip_source_wait 5s; ntrip_slow_rover skip;\n"
                    . "ntrip_share_distance 500m;")],
    ['mountpoints that differ in case', caster("$mount ntrip_mount rtcm32;")],
    ['a mountpoint of stream{} that a server declares anew',
     caster($mount, "$main $mount")],
    ['no sharing', caster("$mount ntrip_share_distance off;")],
    ['a distance without a unit', caster("$mount ntrip_share_distance 900;")],
    ['a report that is off', caster($mount, "$main ntrip_report off;")],
    ['a console', console('ntrip_console_password secret;')],
    ['a console and a variable',
     console('ntrip_console_password env:CONSOLE_PASSWD;')],
    ['a console and a file',
     console('ntrip_console_password file:%%DIR%%/good.passwd;')],
    ['a console and a hash', console(
        "ntrip_console_password '" . crypt('secret', '$6$0123456789abcdef')
        . "';")],
    ['a console and a marked password',
     console("ntrip_console_password '{PLAIN}\$secret';")],
    ['a database and nobody who uses it',
     "$main server { listen 127.0.0.1:%%PORT:caster%%; return ok; }"],
);

for my $case (@good) {
    my ($name, $stream) = @$case;
    my ($status, $out) = $t->check(stream => $stream);
    is($status, 0, "$name: accepted") or diag($out);
    unlike($out, qr/\[warn\]/, "$name: without a warning");
}

ok(!-e $t->path('db'), 'nginx -t makes no folder');

for my $case (['thread pools of an operator', 'ntrip_hash', 'ntrip_sqlite',
               'ntrip_lookup'],
              ['one of them', 'ntrip_lookup'], ['another', 'default'])
{
    my ($name, @pools) = @$case;
    my ($status, $out) = $t->check(
        main => join('', map { "thread_pool $_ threads=1;\n" } @pools),
        stream => caster($mount));
    is($status, 0, "$name: accepted") or diag($out);
}


# each mistake, and the line of check.conf that the explanation names: the one
# with the directive

my @bad = (
    ['a caster without a zone',
     caster($mount, "ntrip_database %%DIR%%/ntrip.db;\n"),
     qr/"ntrip_caster" needs an "ntrip_zone" in stream\{\}/, qr/ntrip_caster/],
    ['a caster without a database', caster($mount, "ntrip_zone 2m;\n"),
     qr/"ntrip_caster" needs an "ntrip_database"/, qr/ntrip_caster/],
    ['a console without a zone',
     console('ntrip_console_password a;', "ntrip_database %%DIR%%/a.db;\n"),
     qr/"ntrip_console" needs an "ntrip_zone"/, qr/ntrip_console;/],
    ['a zone that is too small',
     caster($mount, "ntrip_database %%DIR%%/a.db;\nntrip_zone 64k;\n"),
     qr/"ntrip_zone" is too small: rings of 32k need at least \d+k/,
     qr/ntrip_zone/],
    ['a zone that is too small for such rings',
     caster($mount, "ntrip_database %%DIR%%/a.db;\nntrip_zone 1m;\n"
                    . "ntrip_ring_size 1m;"),
     qr/"ntrip_zone" is too small: rings of 1024k need/, qr/ntrip_zone/],
    ['a zone with a wrong size', "ntrip_zone much;",
     qr/invalid zone size "much"/, qr/ntrip_zone/],
    ['two zones', "ntrip_zone 2m;\nntrip_zone 3m;",
     qr/"ntrip_zone" directive is duplicate/, qr/ntrip_zone 3m/],
    ['a zone in a server', "server { ntrip_zone 2m; }",
     qr/"ntrip_zone" directive is not allowed here/, qr/ntrip_zone/],
    ['rings that are too small', "ntrip_ring_size 4k;",
     qr/"ntrip_ring_size" directive must be between 8k and 16m/,
     qr/ntrip_ring_size/],
    ['rings that are too large', "ntrip_ring_size 17m;",
     qr/must be between 8k and 16m/, qr/ntrip_ring_size/],
    ['a database that is a folder', "ntrip_database %%DIR%%;",
     qr/"\S+" is not a file/, qr/ntrip_database/],
    ['a database whose name is that of a folder',
     "ntrip_database %%DIR%%/none/;", qr/is not the name of a file/,
     qr/ntrip_database/],
    ['a database in a file', "ntrip_database %%DIR%%/file/ntrip.db;",
     qr/"\S+\/file" is not a folder/, qr/ntrip_database/],
    ['a database whose folder cannot be made',
     "ntrip_database %%DIR%%/none/db/ntrip.db;",
     qr/the folder of "\S+" cannot be made: "\S+none"/, qr/ntrip_database/],
    ['two databases', "ntrip_database %%DIR%%/a;\nntrip_database %%DIR%%/b;",
     qr/"ntrip_database" directive is duplicate/, qr{DIR%%/b|/b;}],
    ['an unknown storage', "ntrip_password_storage clear;",
     qr/invalid value "clear"/, qr/ntrip_password_storage/],
    ['a wrong report', "ntrip_report often;",
     qr/"ntrip_report" directive invalid value/, qr/ntrip_report/],
    ['a caster that relays nothing', $main . <<'END',
    server {
        listen 127.0.0.1:%%PORT:caster%%;
        ntrip_caster;
        ntrip_mount RTCM32;
    }
END
     qr/"ntrip_caster" needs an "ntrip_relay"/, qr/ntrip_caster/],
    ['a relay without a caster', $main . <<'END',
    server {
        listen 127.0.0.1:%%PORT:caster%%;
        ntrip_relay;
        return nothing;
    }
END
     qr/"ntrip_relay" has no effect without "ntrip_caster"/, qr/ntrip_relay/],
    ['two casters in a server', caster('ntrip_caster;'),
     qr/"ntrip_caster" directive is duplicate/, qr/ntrip_caster/],
    ['two relays in a server', caster('ntrip_relay;'),
     qr/"ntrip_relay" directive is duplicate/, qr/ntrip_relay/],
    ['a caster in stream{}', "ntrip_caster;",
     qr/"ntrip_caster" directive is not allowed here/, qr/ntrip_caster/],
    ['a caster and a proxy', caster("$mount\nproxy_pass 127.0.0.1:1;"),
     qr/"ntrip_caster" and another content handler/, qr/ntrip_caster/],
    ['a caster behind a proxy', $main . <<'END',
    server {
        listen 127.0.0.1:%%PORT:caster%%;
        return nothing;
        ntrip_caster;
        ntrip_relay;
    }
END
     qr/another content handler is already in this server/, qr/ntrip_caster/],
    ['a caster and a console',
     caster("$mount\nntrip_console;\nntrip_console_password a;"),
     qr/another content handler is already/, qr/ntrip_console/],
    ['a caster and a password', caster("$mount\nntrip_console_password a;"),
     qr/"ntrip_console" needs a server of its own/, qr/ntrip_console_password/],
    ['a relay with a wrong port', $main
     . "server { listen 127.0.0.1:1; ntrip_caster;\nntrip_relay port=70000; }",
     qr/invalid port "70000"/, qr/ntrip_relay/],
    ['a relay with a wrong parameter', $main
     . "server { listen 127.0.0.1:1; ntrip_caster;\nntrip_relay 8003; }",
     qr/invalid parameter "8003"/, qr/ntrip_relay/],
    ['a relay without the name of a pool', $main
     . "server { listen 127.0.0.1:1; ntrip_caster;\nntrip_relay pool=; }",
     qr/the name of a pool has 1 to 32 bytes/, qr/ntrip_relay/],
    ['a mountpoint with a slash', 'ntrip_mount a/b;',
     qr/invalid mountpoint "a\/b": /, qr/ntrip_mount/],
    ['a mountpoint that is too long', 'ntrip_mount ' . 'a' x 101 . ';',
     qr/invalid mountpoint "a+": /, qr/ntrip_mount/],
    ['a mountpoint twice', "ntrip_mount a;\nntrip_mount a gga=off;",
     qr/mountpoint "a" is duplicate/, qr/gga=off/],
    ['a mountpoint with a wrong parameter', 'ntrip_mount a gga=maybe;',
     qr/invalid parameter "gga=maybe"/, qr/ntrip_mount/],
    ['a mountpoint with an unknown format', 'ntrip_mount a format=rtcm2;',
     qr/invalid parameter "format=rtcm2"/, qr/ntrip_mount/],
    ["another mountpoint's line", 'ntrip_mount a "str=STR;b;B;RTCM 3.2";',
     qr/invalid "str=STR;b;B;RTCM 3.2": /, qr/ntrip_mount/],
    ['an alias with a slash', 'ntrip_mount a as=b/c;',
     qr/invalid "as=b\/c": /, qr/ntrip_mount/],
    ['an alias without a name', 'ntrip_mount a as=;', qr/invalid "as=": /,
     qr/ntrip_mount/],
    ['a pool without a name', 'ntrip_mount a pool=;',
     qr/the name of a pool has 1 to 32 bytes/, qr/ntrip_mount/],
    ['no message number', 'ntrip_mount a messages=MSM4;',
     qr/invalid "messages=MSM4": it is no list of message numbers and ranges/,
     qr/ntrip_mount/],
    ['a message number that is too large', 'ntrip_mount a messages=1005,4096;',
     qr/it names a message that is not within 1 to 4095/, qr/ntrip_mount/],
    ['a list of both kinds', 'ntrip_mount a messages=1005,-1006;',
     qr/it mixes messages that are wanted with those that are not/,
     qr/ntrip_mount/],
    ['another MSM', 'ntrip_mount a msm=7;', qr/invalid parameter "msm=7"/,
     qr/ntrip_mount/],
    ['messages of what is raw', 'ntrip_mount a format=raw msm=4;',
     qr/"ntrip_mount" directive has "messages" or "msm"/, qr/ntrip_mount/],
    ['mountpoints that share what they see differently',
     caster("ntrip_mount a;\nntrip_mount b as=a gga=off;"),
     qr/"b" is the provider's "a", as "a" in \S+:\d+ is, and differs from it/,
     qr/ntrip_mount b/],
    ['quotes in the middle', 'ntrip_mount a str="Town";',
     qr/quotes go around the whole parameter/, qr/ntrip_mount/],
    ['a distance in miles', 'ntrip_share_distance 20mi;',
     qr/invalid distance "20mi"/, qr/ntrip_share_distance/],
    ['no distance', 'ntrip_share_distance 0km;',
     qr/invalid distance "0km"/, qr/ntrip_share_distance/],
    ['a distance beyond the earth', 'ntrip_share_distance 20001km;',
     qr/invalid distance/, qr/ntrip_share_distance/],
    ['a timeout that is zero', caster("$mount ntrip_source_timeout 0;"),
     qr/only "ntrip_gga_repeat", .* may be zero/, qr/ntrip_caster/],
    ['positions without end', caster("$mount ntrip_gga_interval 0;"),
     qr/may be zero/, qr/ntrip_caster/],
    ['unknown stations', 'ntrip_sourcetable_stations some;',
     qr/invalid value "some"/, qr/ntrip_sourcetable_stations/],
    ['an unknown policy', 'ntrip_slow_rover wait;',
     qr/invalid value "wait"/, qr/ntrip_slow_rover/],
    ['a wrong time', 'ntrip_max_age old;',
     qr/"ntrip_max_age" directive invalid value/, qr/ntrip_max_age/],
    ['a console without a password', console(''),
     qr/"ntrip_console" needs an "ntrip_console_password"/, qr/ntrip_console;/],
    ['a password without a console',
     "server { listen 127.0.0.1:1; return a;\nntrip_console_password a; }",
     qr/"ntrip_console_password" has no effect/, qr/ntrip_console_password/],
    ['two passwords',
     console("ntrip_console_password a;\nntrip_console_password b;"),
     qr/"ntrip_console_password" directive is duplicate/, qr/password b/],
    ['an empty password', console('ntrip_console_password "";'),
     qr/"ntrip_console_password" directive has an empty password/,
     qr/ntrip_console_password/],
    ['a variable that is not set',
     console('ntrip_console_password env:FIELDGATE_NONE;'),
     qr/environment variable "FIELDGATE_NONE" is not set/,
     qr/ntrip_console_password/],
    ['a variable that is empty', console('ntrip_console_password env:EMPTY;'),
     qr/has an empty password/, qr/ntrip_console_password/],
    ['a variable without a name', console('ntrip_console_password env:;'),
     qr/invalid name of an environment variable ""/,
     qr/ntrip_console_password/],
    ['no such file', console('ntrip_console_password file:%%DIR%%/none;'),
     qr/open\(\) "\S+none" failed/, qr/ntrip_console_password/],
    ['a folder', console('ntrip_console_password file:%%DIR%%;'),
     qr/is not a file with a password/, qr/ntrip_console_password/],
    ['an empty file',
     console('ntrip_console_password file:%%DIR%%/empty.passwd;'),
     qr/has an empty password/, qr/ntrip_console_password/],
    ['a file that is too long',
     console('ntrip_console_password file:%%DIR%%/long.passwd;'),
     qr/is not a file with a password/, qr/ntrip_console_password/],
    ['what looks like a hash',
     console("ntrip_console_password '\$9\$$secret';"),
     qr/begins as a hash does, but is none/, qr/ntrip_console_password/],
    cluster('no connection string', "'' node=a",
            qr/has no connection string that libpq understands/),
    cluster('one that is none', "'password=$secret what' node=a",
            qr/has no connection string that libpq understands/),
    map({ cluster("a URI with $_->[0] that is not escaped",
                  "'postgresql://fg:$_->[1]\@db/x' node=a",
                  qr/has no connection string that libpq understands/) }
        ['an "@"', "p\@$secret"], ['a "/"', "$secret/p"],
        ['both', "p\@$secret/p"]),
    cluster('one without quotes', "host=db password=$secret node=a",
            qr/has an unknown parameter, or a connection string without quotes/),
    cluster('no node', "'password=$secret'", qr/needs a "node=name"/),
    cluster('an empty node', "'password=$secret' node=",
            qr/needs a name of 1 to 32 characters as "node"/),
    cluster('a long node', "'password=$secret' node=" . 'x' x 33,
            qr/needs a name of 1 to 32 characters as "node"/),
    cluster('a bad node', "'password=$secret' 'node=a b'",
            qr/has a "node" with other characters/),
    cluster('two nodes', "'password=$secret' node=a node=b",
            qr/duplicate parameter "node="/),
    cluster('an address without a port', "'password=$secret' node=a address=10.0.0.1",
            qr/invalid "address" of "ntrip_cluster": "10.0.0.1" is no host with/),
    cluster('no such secret', "'password=$secret' node=a secret_file=%%DIR%%/none",
            qr/"\S+none" failed/),
    cluster('a short secret', "'password=$secret' node=a "
                              . 'secret_file=%%DIR%%/empty.passwd',
            qr/is no file with a secret of 16 bytes or more/),
    cluster('two clusters', "'' node=a;", qr/"ntrip_cluster" directive is duplicate/,
            "ntrip_cluster 'password=$secret' node=b;\n"),
    ['a cluster without a database',
     "ntrip_zone 2m;\nntrip_cluster 'password=$secret' node=a;",
     qr/"ntrip_cluster" needs an "ntrip_database"/, qr/ntrip_cluster/],
    ['a cluster without a zone',
     "ntrip_database %%DIR%%/a.db;\nntrip_cluster 'password=$secret' node=a;",
     qr/"ntrip_cluster" needs an "ntrip_zone"/, qr/ntrip_cluster/],
);

sub cluster {
    my ($name, $arguments, $explanation, $before) = @_;
    return ["a cluster: $name",
            $main . ($before // '') . "ntrip_cluster $arguments;\n",
            $explanation, qr/ntrip_cluster/];
}

for my $case (@bad) {
    my ($name, $stream, $explanation, $line) = @$case;
    my ($status, $out) = $t->check(stream => $stream);

    is($status, 1, "$name: refused");
    like($out, $explanation, "$name: explained");

    my ($n) = $out =~ /\[emerg\].* in \S+check\.conf:(\d+)/;
    my @lines = split /\n/, $t->config(stream => $stream);
    like($n ? $lines[$n - 1] // '' : "no line in: $out", $line,
         "$name: with its line");
    unlike($out, qr/$secret/, "$name: without a password");
}


# warnings

my ($status, $out) = $t->check(stream => caster(''));
is($status, 0, 'a caster without a mountpoint: accepted');
like($out, qr/\[warn\].* no "ntrip_mount": .* "ntrip_caster" in \S+conf:\d+/,
     'a caster without a mountpoint: warned of');

($status, $out) = $t->check(stream => "${main}ntrip_cluster host=db node=a "
                            . "address=10.0.0.1:2199 "
                            . "secret_file=%%DIR%%/cluster.key;");
is($status, 0, 'an address and a secret of a cluster: accepted');
like($out, qr/\[warn\].* "$_" of "ntrip_cluster" has no effect yet/,
     "$_ of a cluster: warned of")
    for qw(address secret_file);

done_testing();
