# Base stations: who may upload, in each spelling, and what rovers in all workers
# get of it.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Base;
use Fieldgate::Env qw(read_file top);
use Fieldgate::Ntrip;
use Fieldgate::Provider qw(frame);
use Fieldgate::Rovers;

my $t = Fieldgate->new(stream => <<'END');
    limit_conn_zone $binary_remote_addr zone=peers:1m;
    ntrip_zone 4m;
    ntrip_database %%DIR%%/db/ntrip.db;
    log_format ntrip '$ntrip_user,$ntrip_mount,$ntrip_source,$ntrip_version,'
                     '$ntrip_result,$ntrip_messages,$ntrip_agent';
    access_log logs/ntrip.log ntrip;

    server {
        listen 127.0.0.1:%%PORT:caster%%;
        ntrip_caster;
        ntrip_station;
        ntrip_mount MSM4 as=B msm=4;
        ntrip_mount OTHER gga=off;
        ntrip_source_wait 30s;
    }

    server {
        listen 127.0.0.1:%%PORT:impatient%%;
        ntrip_caster;
        ntrip_station;
        ntrip_sourcetable_stations all;
        ntrip_mount OLD4 as=OLD msm=4;
        ntrip_source_timeout 1s;
        ntrip_source_wait 0;
    }

    server {
        listen 127.0.0.1:%%PORT:tls%% ssl;
        ssl_certificate %%DIR%%/tls.crt;
        ssl_certificate_key %%DIR%%/tls.key;
        limit_conn peers 1;
        ntrip_caster;
        ntrip_station;
    }

    server {
        listen 127.0.0.1:%%PORT:console%%;
        ntrip_console;
        ntrip_console_password pw;
    }
END

mkdir $t->path('db') or die;
my $db = $t->path('db/ntrip.db');

sub sql {
    my ($sql) = @_;
    $t->write('sql', $sql);
    my $out = `sqlite3 -bail -cmd '.timeout 5000' $db < @{[$t->path('sql')]} 2>&1`;
    die "sqlite3: $out" if $?;
    return $out;
}

sub console { $t->exchange('console', "$_[0]\n") }

sql(read_file(top() . '/schema/schema.sql') . <<'END');
INSERT INTO user (name, password) VALUES ('u1', 'p1'), ('u2', 'p2'),
                                         ('u3', 'p3'), ('u4', 'p4');
INSERT INTO station (mount, password) VALUES ('OLD', 'plain');
END

system("openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost"
       . " -keyout @{[$t->path('tls.key')]} -out @{[$t->path('tls.crt')]}"
       . " > @{[$t->path('openssl.out')]} 2>&1") == 0 or die 'openssl';

$t->start;

# ---- the console ----

is(console('STATION-ADD pw B base:secret'), "OK STATION-ADD\r\n\r\n",
   'STATION-ADD');
is(console('STATION-ADD pw B base:secret'), "ERROR add station failed\r\n",
   'STATION-ADD: it is there');
is(console('STATION-ADD pw A,B base:secret'), "ERROR invalid mountpoint\r\n",
   'STATION-ADD: no mountpoint');
is(console('STATION-ADD pw C secret'), "ERROR invalid token\r\n",
   'STATION-ADD: no token');
is(console('STATION-LIST pw'),
   "OK STATION-LIST\r\nB\tbase:*\t-\r\nOLD\t:plain\t-\r\n\r\n",
   'STATION-LIST');
is(console('STATION-ADD pw GONE x:y'), "OK STATION-ADD\r\n\r\n", 'another one');
is(console('STATION-DEL pw GONE'), "OK STATION-DEL\r\n\r\n", 'STATION-DEL');
is(console('STATION-DEL pw GONE'), "ERROR station not found\r\n",
   'STATION-DEL: there is none');
like(sql("SELECT password FROM station WHERE mount = 'B';"), qr/^\$/,
     'the password is hashed');

# ---- the login ----

# what a base gets: its reply, or all until its connection is closed

sub upload {
    my ($bytes, $port) = @_;
    my $s = $t->connect($port // 'caster');

    print $s $bytes;
    my $reply = Fieldgate::read_all($s, qr/^(?:ICY|HTTP\/1.1) 200 .*\r\n\r\n/sm);

    close $s;
    wait_for(sub { console('STREAM-LIST pw') eq "OK STREAM-LIST\r\n\r\n" },
             'the upload to end') if $reply =~ /^\S+ 200/m;
    return $reply;
}

my %v1 = (
    'SOURCE password /mount'        => "SOURCE secret /B\r\n",
    'SOURCE password mount'         => "SOURCE secret B\r\n",
    'SOURCE password/mount'         => "SOURCE secret/B\r\n",
    'SOURCE name:password /mount'   => "SOURCE base:secret /B\r\n",
    'with HTTP/1.1'                 => "SOURCE secret /B HTTP/1.1\r\n",
    'lower case'                    => "SOURCE secret /b\r\n",
    'agent'         => "SOURCE secret /B\r\nSource-Agent: NTRIP str2str/1\r\n",
    'empty STR'     => "SOURCE secret /B\r\nSource-Agent: NTRIP x\r\nSTR: \r\n",
    'line feeds'                    => "SOURCE secret /B\n",
    'empty lines in front'          => "\r\n\r\nSOURCE secret /B\r\n",
);

is(upload("$v1{$_}\r\n"), "ICY 200 OK\r\n\r\n", "1.0: $_") for sort keys %v1;

is(upload(Fieldgate::Base::source('plain', 'OLD')), "ICY 200 OK\r\n\r\n",
   '1.0: a plain password, no name');
is(upload(Fieldgate::Base::source($_, 'B')), "ERROR - Bad Password\r\n",
   "1.0: wrong password $_") for 'wrong', 'base:wrong', 'x:secret';
is(upload(Fieldgate::Base::source('secret', 'NONE')),
   "ERROR - Mount Point Taken or Invalid\r\n", '1.0: unknown mountpoint');

sub post { Fieldgate::Base::post(@_) }

my $ok = qr/^HTTP\/1\.1 200 OK\r\nNtrip-Version: Ntrip\/2\.0\r\n/;

like(upload(post('base', 'secret', 'B')), $ok, '2.0: raw');
like(upload(post('base', 'secret', 'B', 'Transfer-Encoding: chunked')), $ok,
     '2.0: chunked');
like(upload(post('base', 'secret', 'B') =~ s/Ntrip-Version.*?\r\n//r), $ok,
     'POST without a version is HTTP, too');
like(upload(post('base', 'secret', 'B', 'Expect: 100-continue')),
     qr/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n/,
     '2.0: Expect');
like(upload(post('anybody', 'plain', 'OLD')), $ok, '2.0: any name');
like(upload(post(@$_)), qr/^HTTP\/1\.1 401 .*\r\nWWW-Authenticate: Basic realm="\/B"\r\n/s,
     "2.0: 401 of @$_") for ['base', 'wrong', 'B'], ['x', 'secret', 'B'];
like(upload(post('base', 'secret', 'B') =~ s/Authorization.*?\r\n//r),
     qr/^HTTP\/1\.1 401 /, '2.0: 401 without credentials');
like(upload(post('base', 'secret', 'NONE')), qr/^HTTP\/1\.1 404 /,
     '2.0: unknown mountpoint');

# who it is goes into lists and logs escaped

{
    my $s = $t->connect('caster');
    print $s post('q"\\u', 'plain', 'OLD');
    Fieldgate::read_all($s, qr/\r\n\r\n/);
    like(console('STREAM-LIST pw'), qr/\tq\\"\\\\u\t/,
         'a name with other signs in it');
    close $s;
    wait_for(sub { console('STREAM-LIST pw') eq "OK STREAM-LIST\r\n\r\n" },
             'the upload to end');
}

# ---- rovers ----

sub rovers {
    my @users = @_;
    return Fieldgate::Rovers->new(
        port => $t->port('caster'),
        rovers => [map { { user => "u$_", password => "p$_", mount => 'B',
                           quiet => 1 } } @users]);
}

# they may be first, and are in both workers

my @workers = $t->pids;
my $rovers = $t->only_worker($workers[0], sub {
    my $r = rovers(1);
    $r->wait_for(sub { $_[0]{rovers}{u1}{state} eq 'data' });
    return $r;
});

$t->only_worker($workers[1], sub {
    $rovers->add({ user => 'u2', password => 'p2', mount => 'B', quiet => 1 });
    $rovers->wait_for(sub { $_[0]{rovers}{u2}{state} eq 'data' });
});

my $base = Fieldgate::Base->new(port => $t->port('caster'), mount => 'B',
                                password => 'secret', again => 0.1);
$base->wait_for(open => 1);
$rovers->wait_for(fed => 2);
$rovers->wait_for(messages => 40);
is_deeply($rovers->seen->{errors}, [], 'rovers of both workers: every byte');

$t->get('caster', '/') =~ /^STR;(.*)$/m;
like($1 // '', qr/^B;B;RTCM 3\.2;1077(?:\(1\))?;[12];GPS;none;ZZZ;0\.00;0\.00;0;0;Fieldgate;none;B;N;\d+;none\r$/,
     'its line in the sourcetable, made up');
unlike($t->get('caster', '/'), qr/OTHER|OLD/, 'others are not live');
like($t->get('caster', '/'), qr/^STR;MSM4;MSM4;/m, 'its profile is');
like(join(' ', $t->get('impatient', '/') =~ /^STR;(.*?;.*?;.*?;.*?;)/mg),
   qr/^B;B;RTCM 3\.2;1077(?:\(1\))?; OLD;OLD;RTCM 3\.2;; OLD4;OLD4;RTCM 3\.2;;$/,
   'ntrip_sourcetable_stations all: with what is known of them');
like(console('STREAM-LIST pw'),
     qr/^B\t127\.0\.0\.1:\d+\t-\t2\t-\t\d+\t\d+\r$/m, 'STREAM-LIST');
like(console('STATION-LIST pw'), qr/^B\tbase:\*\t127\.0\.0\.1:\d+\r$/m,
     'STATION-LIST');

# ---- a second upload ----

is(upload(Fieldgate::Base::source('secret', 'B')),
   "ERROR - Mount Point Taken or Invalid\r\n", '1.0: taken');
like(upload(post('base', 'secret', 'B')), qr/^HTTP\/1\.1 409 /, '2.0: taken');
like($t->error_log, qr/upload to mountpoint "B" by base\@127\.0\.0\.1:\d+ refused: it is taken by 127\.0\.0\.1:\d+ /,
     'the log tells them apart');

# ---- reload: no byte is lost ----

my $before = $base->seen;
$t->reload;
wait_for(sub { !grep { $_->{exiting} } $t->worker_processes },
         'old workers to exit');
$base->wait_for(sent => $before->{sent} + 20);
my $count = $rovers->seen->{messages};
$rovers->wait_for(messages => $count + 20);
my $seen = $rovers->seen;
is_deeply($seen->{errors}, [], 'reload: not a byte is lost');
is($seen->{open}, 2, 'reload: no rover is closed');
is($base->seen->{closed}, 0, 'reload: nor is the base');

# ---- kill -9 of its worker ----

my ($pid) = grep { holds($_) } $t->pids;

# whose socket has the other end at the caster's port, of the base: the worker
# that has no rover may be another one

sub holds {
    my ($pid) = @_;
    my ($own) = console('STATION-LIST pw') =~ /^B\t\S+\t127\.0\.0\.1:(\d+)/m;
    my ($inode) = grep { defined }
        map { (split ' ')[9] }
        grep { my @f = split ' ';
               $f[2] && $f[2] =~ /:(\w{4})$/ && hex $1 == $own
               && $f[1] =~ /:(\w{4})$/ && hex $1 == $t->port('caster') }
        split /\n/, read_file('/proc/net/tcp');
    return grep { (readlink $_ // '') eq "socket:[$inode]" }
           glob "/proc/$pid/fd/*";
}

$t->kill_worker($pid);
$base->wait_for(closed => 1);
$base->wait_for(open => 1);
$rovers->add(map { { user => "u$_", password => "p$_", mount => 'B',
                     quiet => 1 } }
             grep { $rovers->seen->{rovers}{"u$_"}{state} ne 'data' } 1, 2);
wait_for(sub { my $s = $rovers->seen;
               2 == grep { ($s->{rovers}{$_}{login} // 0) == $base->seen->{login} }
                    qw(u1 u2) }, 'rovers to be fed again');
is_deeply([grep { !/closed within/ } @{$rovers->seen->{errors}}], [],
          'kill -9: the base comes back, rovers get whole messages');

# ---- changes ----

console('STATION-DEL pw B');
wait_for(sub { console('STATION-LIST pw') !~ /^B/m
               && $t->error_log =~ /base station "B" was deleted/ },
         'the deletion to be seen');
$base->wait_for(closed => 2);
wait_for(sub { $base->seen->{reply} =~ /^ERROR/ || !$base->seen->{open} },
         'the base to be refused');
is($rovers->seen->{open}, 2, 'rovers of a station that was deleted wait');
$base->stop;

# ---- what is no upload ----

sub ends {
    my ($name, $bytes, $why, $port) = @_;
    my $at = length $t->error_log;
    my $s = $t->connect($port // 'caster');

    print $s Fieldgate::Base::source('plain', 'OLD'), $bytes;
    is(Fieldgate::read_all($s), "ICY 200 OK\r\n\r\n", "$name: it is closed");
    like(substr($t->error_log, $at),
         qr/upload to mountpoint "OLD" ended: $why, 0 messages, \d+ bytes/,
         "$name: the log says so");
}

ends('HTML', '<html><body>no correction</body></html>', 'a page or a table');
ends('silence', '', 'no data', 'impatient');
ends('blanks', "\r\n", 'no messages', 'impatient');

# wrong checksums, after a right message has decided for RTCM 3

{
    my $s = $t->connect('impatient');
    my $bad = frame(1, 1, 120);
    substr($bad, -1) ^= "\1";
    print $s Fieldgate::Base::source('plain', 'OLD'), frame(1, 0, 120);
    wait_for(sub { console('STREAM-LIST pw') =~ /^OLD\t.*\t1\t120\r$/m },
             'the right one to be taken');
    print $s $bad x 9;
    is(Fieldgate::read_all($s), "ICY 200 OK\r\n\r\n", 'frames that lie');
    like($t->error_log,
         qr/"OLD" ended: no messages, 1 messages, 1080 bytes were none/,
         'frames that lie: none of them is taken');
}

# one that sends as much as it can, messages or none: others get theirs, and
# nothing grows

console('STATION-ADD pw CALM base:secret');

for my $flood (['messages', join '', map { frame(9, $_, 1000) } 1 .. 100],
               ['no messages', pack 'N*', map { $_ * 2654435761 & 0x7f7f7f7f }
                                              1 .. 25_000])
{
    my ($name, $bytes) = @$flood;
    my $calm = Fieldgate::Base->new(port => $t->port('caster'), login => 7,
                                    mount => 'CALM', password => 'secret',
                                    again => 0.2);
    $calm->wait_for(open => 1);
    my $rover = Fieldgate::Rovers->new(port => $t->port('caster'), rovers => [
        { user => 'u1', password => 'p1', mount => 'CALM', quiet => 1 }]);
    $rover->wait_for(fed => 1);

    my $s = $t->connect('caster');
    print $s Fieldgate::Base::source('plain', 'OLD');
    is(Fieldgate::read_all($s, qr/\r\n\r\n/), "ICY 200 OK\r\n\r\n",
       "flood of $name: welcome");
    print $s $bytes x 20;
    my $before = grown($t->pids);
    print $s $bytes for 1 .. 600;
    my $sent = 62 * 1000 * 1000;

    cmp_ok(grown($t->pids) - $before, '<', 4096,
           "flood of $name: no memory for $sent bytes");
    my $seen = $rover->seen->{messages};
    $rover->wait_for(messages => $seen + 5);
    is_deeply($rover->seen->{errors}, [], "flood of $name: others get theirs");
    close $s;
    $_->stop for $rover, $calm;
    wait_for(sub { console('STREAM-LIST pw') !~ /^(?:OLD|CALM)\t/m },
             'the end');
}

# KB

sub grown {
    my $sum = 0;
    read_file("/proc/$_/status") =~ /^RssAnon:\s+(\d+)/m and $sum += $1 for @_;
    return $sum;
}

{
    my $s = $t->connect('caster');
    print $s post('x', 'plain', 'OLD', 'Transfer-Encoding: chunked'), "xyz\r\n";
    like(Fieldgate::read_all($s), $ok, 'wrong chunks: it is closed');
    like($t->error_log, qr/"OLD" ended: wrong chunk, 0 messages/,
         'wrong chunks: the log says so');
}

# ---- one that is silent gives way ----

if ($ENV{FIELDGATE_LONG}) {
    my $silent = Fieldgate::Base->new(port => $t->port('caster'),
                                      mount => 'OLD', password => 'plain');
    $silent->wait_for(sent => 3);
    $silent->set(rate => 0);

    my ($since, $tries, $s, $reply) = (time, 0);
    wait_for(sub {
        $tries++;
        $s = $t->connect('caster');
        print $s Fieldgate::Base::source('plain', 'OLD');
        $reply = Fieldgate::read_all($s, qr/\r\n/);
        return $reply =~ /^ICY/;
    }, 'the second one to take the place');
    my $waited = time - $since;

    cmp_ok($waited, '>=', 13, 'silent: it is left alone for 15 s');
    cmp_ok($tries, '>', 1, 'silent: others are refused until then');
    print $s frame(1, 0, 120);
    wait_for(sub { console('STREAM-LIST pw') =~ /^OLD\t.*\t1\t120\r$/m },
             'the second one to be the station');
    wait_for(sub { read_file($t->path('logs/ntrip.log'))
                   =~ /OLD,.*,replaced,\d+,/ },
             'the access log to say that the first one was replaced');
    close $s;
    $silent->stop;

} else {
    note('one that is silent for 15 s: with FIELDGATE_LONG');
}

# ---- a mountpoint that is not live ----

is((split /\r\n/, $t->exchange('impatient',
        "GET /OLD HTTP/1.0\r\nAuthorization: Basic dTE6cDE=\r\n\r\n"))[0],
   'SOURCETABLE 200 OK', 'not live, ntrip_source_wait 0: as unknown');
like($t->exchange('impatient', "GET /OLD HTTP/1.1\r\nNtrip-Version: Ntrip/2.0\r\n"
                  . "Authorization: Basic dTE6cDE=\r\n\r\n"),
     qr/^HTTP\/1\.1 404 /, 'the same in 2.0');

# ---- str2str as a base, with a whole file at once ----

SKIP: {
    my ($str2str) = grep { -x } map { "$_/str2str" } split /:/, $ENV{PATH};
    skip 'str2str is not installed', 2 unless $str2str;

    my $rover = Fieldgate::Rovers->new(
        port => $t->port('caster'),
        rovers => [{ user => 'u3', password => 'p3', mount => 'OLD',
                     quiet => 1 }]);
    $rover->wait_for(sub { $_[0]{rovers}{u3}{state} eq 'data' });

    $t->write('file.rtcm3', '');
    open my $file, '>:raw', $t->path('file.rtcm3') or die;
    print $file map { frame(7, $_, 150) } 0 .. 199;
    close $file;

    my $out = 'ntrips://:plain@127.0.0.1:' . $t->port('caster') . '/OLD';
    my $pid = $t->spawn('str2str', sub {
        exec $str2str, '-in', $t->path('file.rtcm3'), '-out', $out;
    });
    my $seen = $rover->wait_for(messages => 200);
    is($seen->{messages}, 200, 'str2str: every message');
    is_deeply($seen->{errors}, [], 'str2str: every byte');
    $t->end($pid, 'TERM');
    $rover->stop;
}

# ---- TLS: the upload stays in its worker over a reload ----

{
    my $rover = Fieldgate::Rovers->new(
        port => $t->port('caster'),
        rovers => [{ user => 'u4', password => 'p4', mount => 'OLD',
                     quiet => 1 }]);
    my $pid = $t->spawn('s_client', sub {
        open my $to, '|-', 'openssl s_client -quiet -connect 127.0.0.1:'
                           . $t->port('tls') or die;
        $to->autoflush;
        print $to Fieldgate::Base::source('plain', 'OLD');
        for (my $seq = 0; ; $seq++) {
            print $to frame(8, $seq, 300);
            select undef, undef, undef, 0.1;
        }
    });
    $rover->wait_for(messages => 5);
    is($t->exchange('tls', ''), '', 'limit_conn holds for uploads');

    $t->reload;
    my $count = $rover->seen->{messages};
    my $seen = $rover->wait_for(messages => $count + 20);
    is_deeply($seen->{errors}, [], 'TLS: every byte, over a reload, too');
    is(scalar(grep { $_->{exiting} } $t->worker_processes), 1,
       'TLS: the old worker stays for it');

    $t->end($pid, 'KILL');
    wait_for(sub { !grep { $_->{exiting} } $t->worker_processes },
             'the old worker to exit');
    $rover->stop;
}

my $log = read_file($t->path('logs/ntrip.log'));
like($log, qr/^-,B,127\.0\.0\.1:\d+,1,revoked,\d+,NTRIP Fieldgate-test$/m,
     'access log: the base that was deleted');
like($log, qr/^base,B,base\@127\.0\.0\.1:\d+,2,taken,0,/m,
     'access log: one that came second');

done_testing();
