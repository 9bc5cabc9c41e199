# cwmp_affinity, one case at a time: reloads and idle connections, killed
# workers, servers that go, waiting, timeouts, HTTP/2, and life without a zone.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Affinity;

sub http {
    my (%o) = @_;
    my $servers = join "\n        ",
                  map { "server 127.0.0.1:%%PORT:$_%%;" }
                  @{$o{servers} // ['acs1', 'acs2']};
    my $zone = exists $o{zone} ? $o{zone} : 'cwmp_zone cwmp:1m;';
    my $affinity = $o{affinity} // 'cwmp_affinity;';

    my $location = <<'END';
        location / {
            cwmp on;
            cwmp_public_url http://acs-side.example/client;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_pass http://acs;
        }
END
    my $other = $location =~ s{location /}{location /other}r
                . $location =~ s{location / \{}{location /twice \{
            proxy_intercept_errors on;
            error_page 404 = \@rest;}r
                . $location =~ s{location /}{location \@rest}r
                            =~ s/^ *cwmp.*\n//gmr;
    my $about = <<'END';
        location = /pid { return 200 $pid; }
        location = /status { cwmp_status; }
END

    return <<"END";
    $zone
    upstream acs {
        $servers
        $affinity
    }
    server {
        listen 127.0.0.1:%%PORT:cpe%%;
$location$other$about    }
    server {
        listen 127.0.0.1:%%PORT:h2%% http2;
$location    }
END
}

my $t = Fieldgate->new(workers => 2, http => http());
sub total {
    my ($key) = @_;
    return report($t, 'acs1')->{$key} + report($t, 'acs2')->{$key};
}

# how often nginx has waited for a session's old connection

sub waited {
    $t->get('cpe', '/status') =~ /"sessions":\{[^}]*"waited":(\d+)/
        or die "no counter of waits\n";
    return $1;
}

sub closed_by_nginx {
    my ($s) = @_;
    wait_for(sub { my $bit = ''; vec($bit, fileno $s, 1) = 1;
                   return select($bit, undef, undef, 0)
                          && !sysread($s, my ($buf), 1) },
             'the connection to be closed');
    return 1;
}


acs($t);
$t->start;

{
    # DESIGN 3.2.3

    my $session = $t->connect('cpe');
    post($session, 'inform', 'R1');
    my $first = answer($session);
    my $idle = $t->connect('cpe');
    post($idle, 'inform', 'R2');
    answer($idle);
    post($idle, 'empty', 'R2');
    answer($idle);
    post($idle, 'response', 'R2');
    like(answer($idle), qr/^HTTP\S+ 204/, 'a session has ended');

    my @old = $t->pids;
    $t->reload;
    ok(closed_by_nginx($idle), 'reload: its connection is closed as idle');
    ok(wait_for(sub { my %now = map { $_->{pid} => 1 } $t->worker_processes;
                      1 == grep { $now{$_} } @old },
                'all old workers but one to exit'),
       'the worker with the open session stays');

    post($session, 'empty', 'R1', cookie_of($first));
    my $second = answer($session);
    like($second, qr/^HTTP\S+ 200/, 'where the session goes on');
    is(conn_of($second), conn_of($first), 'on the same upstream connection');
    like($second, qr/^Connection: close/m, 'the answer says that it is over');
    ok(closed_by_nginx($session), 'and it is');
    wait_closed($t, $first);

    $session = $t->connect('cpe');
    post($session, 'response', 'R1', cookie_of($first));
    my $third = answer($session);
    like($third, qr/^HTTP\S+ 204/, 'the session ends in a new worker');
    is(server_of($third), server_of($first), 'at its own server');
    isnt(conn_of($third), conn_of($first), 'over a new connection');
}

{
    acs($t);
    my @sessions = $t->only_worker(($t->pids)[0], sub {
        map { my $s = $t->connect('cpe');
              post($s, 'inform', "B$_");
              [$s, answer($s)] } 1 .. 2;
    });
    my ($s, $a) = @{$sessions[0]};

    post($s, 'inform', 'B1', cookie_of($a));
    my $b = answer($s);
    like($b, qr/^HTTP\S+ 200/, 'an Inform in the middle of a session');
    isnt(conn_of($b), conn_of($a), 'gets a fresh connection');
    is(server_of($b), server_of($a), 'to the same server');

    post($s, 'inform', 'B3', cookie_of($a));
    my $c = answer($s);
    isnt(server_of($c) . conn_of($c), server_of($b) . conn_of($b),
         'that of another device too');

    post($s, 'empty', 'B1', cookie_of($b));
    my $d = answer($s);
    is(server_of($d), server_of($b),
       'the first one\'s cookie leads back to its server');
    like($d, qr/^HTTP\S+ 200/, 'and to its session');

    post($s, 'empty', 'B3', cookie_of($c));
    like(answer($s), qr/^HTTP\S+ 200/, 'and so does the other one\'s');

    post($s, 'response', 'B3');
    like(answer($s), qr/^HTTP\S+ 400/, 'without a cookie, none is touched');
    is(total('mixed'), 0, 'no ACS saw two on one connection');
}

{
    # sessions that began elsewhere, so that nginx knows nothing of them, after
    # a message that told it nothing and that it answered itself

    $t->reload(http => http(servers => ['acs1']), gone => 1);
    kill_acs($t, 'acs1');
    my $s = $t->connect('cpe');
    post($s, 'empty', 'U0');
    like(answer($s), qr/^HTTP\S+ 502/, 'no ACS is there');

    acs($t, rpcs => 4);
    my @cookies = map {
        my $s = $t->connect('acs1');
        post($s, 'inform', "U$_");
        cookie_of(answer($s));
    } 1 .. 2;

    post($s, 'empty', 'U1', $cookies[0]);
    my $a = answer($s);
    like($a, qr/^HTTP\S+ 200/, 'a message of an unknown session');
    post($s, 'empty', 'U2', $cookies[1]);
    my $b = answer($s);
    like($b, qr/^HTTP\S+ 200/, 'one of another, on the same connection');
    isnt(conn_of($b), conn_of($a), 'they do not share an upstream connection');
    post($s, 'response', 'U1', $cookies[0]);
    like(answer($s), qr/^HTTP\S+ 200/, 'the first goes on');
    post($s, 'response', 'U1', $cookies[0]);
    like(answer($s), qr/^HTTP\S+ 200/, 'and on');
    is(total('mixed'), 0, 'nothing is mixed');
    close $s;
    $t->reload(http => http());
}

{
    acs($t, rpcs => 2);
    my $n = 400;
    my $killer = $t->spawn(killer => sub {
        for (1 .. 4) {
            select undef, undef, undef, 0.3;
            my ($pid) = $t->pids;
            $t->kill_worker($pid);
        }
    });
    $t->allow(qr/exited on signal 9/, qr/was locked by/);
    my @r = cpes($t, 'cpe', sessions => 1e6, think => 0.02, retries => 4,
                 stop => sub { $n-- <= 0 && !Fieldgate::alive($killer) });
    is($t->reap($killer), 0, 'four workers are killed');
    is(failed(@r), 0, 'all sessions complete in the end');
    my $again = grep { $_->{attempts} > 1 } @r;
    cmp_ok($again, '<=', 80, "no more lost than those had ($again)");
    cmp_ok($again, '>=', 4, 'and not less than one each');
    is(total('mixed'), 0, 'nothing is mixed');
    is(report($t, $_)->{max_devices}, 1, "$_: a connection has one device")
        for qw(acs1 acs2);
}

{
    # the CPE comes back while the ACS still works on its last message

    my $hold = $t->path('hold');
    acs($t, strict => 1, hold => $hold);
    $t->write('hold', '');
    my $old = $t->connect('cpe');
    post($old, 'inform', 'W1');
    wait_for(sub { total('requests') == 1 }, 'the first Inform');
    my $gone = $t->connect('cpe');
    post($gone, 'inform', 'W1');
    close $gone;
    my $new = $t->connect('cpe');
    post($new, 'inform', 'W1');
    wait_for(sub { total('requests') > 1 }, 'the second one');
    cmp_ok(in_vain($t), '>', 0, 'it waits, and does not wait for ever');
    unlink $hold;
    like(answer($old), qr/^HTTP\S+ 200/, 'the old request is not cut');
    like(answer($new), qr/^HTTP\S+ 400/, 'nor the new one kept');
}

for my $leaves (1, 0) {

    # The CPE comes back in another worker, which waits for the one that has
    # its old connection.  On a slow machine 200 ms may not be enough for that
    # one, but they are now and then.

    acs($t, strict => 1);
    my $what = $leaves ? 'in another worker' : 'and the old connection stays';
    my ($here, $there) = $t->pids;
    my $awaited;

    for my $n (1 .. 20) {
        my ($s, $first) = $t->only_worker($here, sub {
            my $s = $t->connect('cpe');
            post($s, 'inform', "A$leaves$n");
            return ($s, answer($s));
        });

        my $before = waited();
        my $vain = in_vain($t);
        my $new = $t->only_worker($there, sub {
            close $s if $leaves;
            my $new = $t->connect('cpe');
            post($new, 'empty', "A$leaves$n", cookie_of($first));
            wait_for(sub { waited() > $before }, 'the other worker to wait');
            return $new;
        });

        my $second = answer($new);
        next if in_vain($t) > $vain;

        like($second, qr/^HTTP\S+ 200/, "a session goes on $what");
        is(server_of($second), server_of($first), 'at its own server');
        isnt(conn_of($second), conn_of($first), 'over a new connection');
        $awaited = 1;
        last;
    }

    ok($awaited, 'when its old upstream connection has been closed');
}

{
    acs($t);
    $t->reload(http => http(affinity => 'cwmp_affinity timeout=1s;'));
    my $s = $t->connect('cpe');
    post($s, 'inform', 'T1');
    my $a = answer($s);
    wait_for(sub { !report($t, 'acs1')->{open} && !report($t, 'acs2')->{open} },
             'the silent session\'s upstream connection to be closed');
    post($s, 'inform', 'T1');
    my $b = answer($s);
    isnt(server_of($b), server_of($a), 'after "timeout" it takes a turn again');

    my $idle = $t->connect('cpe');
    post($idle, 'inform', 'T2');
    answer($idle);
    wait_for(sub { !report($t, 'acs1')->{open} && !report($t, 'acs2')->{open} },
             'both to be forgotten');
    $t->reload(http => http());
    ok(closed_by_nginx($idle), 'and does not keep an old worker any more');
}

{
    # a pin belongs to a location, which may have another scheme or address

    acs($t, status => 200);
    my $s = $t->connect('cpe');
    post($s, 'inform', 'L1');
    my $first = answer($s);
    post_to('/other', $s, 'empty', 'L1');
    my $other = answer($s);
    isnt(conn_of($other), conn_of($first),
         'another location has an upstream connection of its own');
    is(server_of($other), server_of($first), 'to the session\'s server');
    post($s, 'empty', 'L1');
    my $again = answer($s);
    is(conn_of($again), conn_of($first), 'the first one still has its own');
    close $s;
    ok(wait_for(sub { !report($t, 'acs1')->{open}
                         && !report($t, 'acs2')->{open} },
                'both to go with the CPE\'s'),
       'both go with the CPE\'s connection');
}

{
    # two requests to the upstream for one of the CPE

    acs($t, status => 404);
    for (1 .. 4) {
        my @before = map { report($t, $_)->{requests} } qw(acs1 acs2);
        my $s = $t->connect('cpe');
        post_to('/twice', $s, 'inform', "M$_");
        my $second = answer($s);
        like($second, qr/^HTTP\S+ 404/, 'a named location');
        my @asked = map { report($t, $_)->{requests} - shift @before }
                        qw(acs1 acs2);
        is(join(' ', sort @asked), '0 2', 'goes to the session\'s server');
    }
}

{
    # a session ends that has left another location's connection alone; what
    # goes on there later is remembered when the CPE's connection is lost

    acs($t, rpcs => 0);
    for (1 .. 4) {
        my $s = $t->connect('cpe');
        post_to('/other', $s, 'inform', "E$_");
        answer($s);
        post($s, 'inform', "F$_");
        post($s, 'empty', "F$_", cookie_of(answer($s)));
        like(answer($s), qr/^HTTP\S+ 204/, 'a session ends');
        post_to('/other', $s, 'inform', "G$_");
        my $begun = answer($s);
        close $s;

        $s = $t->connect('cpe');
        post_to('/other', $s, 'empty', "G$_", cookie_of($begun));
        my $resumed = answer($s);
        like($resumed, qr/^HTTP\S+ 204/, 'the next one comes back');
        is(server_of($resumed), server_of($begun), 'to its own server');
    }
}

{
    # a server is taken out of the configuration

    acs($t, rpcs => 6);
    my $answers = 0;
    my @r = cpes($t, 'cpe', sessions => 100, retries => 2,
                 on_answer => sub {
        return if $answers++ != 60;
        $t->reload(http => http(servers => ['acs2']));
    });
    is(failed(@r), 0, 'a server is removed: all complete in the end');
    my $again = grep { $_->{attempts} > 1 } @r;
    cmp_ok($again, '>', 0, 'those at it begin anew');
    cmp_ok($again, '<=', 20, "and no more ($again)");
    is(grep({ $_->{attempts} > 1 && $_->{servers}[-1] ne 'acs2' } @r), 0,
       'at the other one');
    is(total('mixed'), 0, 'nothing is mixed');
    $t->reload(http => http());
}

{
    acs($t, strict => 1);

    # RFC 9113: preface, SETTINGS, and four requests in one write

    my $body = message('inform', 'H1');
    my $headers = join '', map { "\0" . pack('C/a* C/a*', @$_) }
        [':method', 'POST'], [':path', '/'], [':scheme', 'http'],
        [':authority', 'acs.example'], ['content-length', length $body];
    my $frame = sub {
        my ($type, $flags, $stream, $payload) = @_;
        return substr(pack('N', length $payload), 1)
               . pack('CCN', $type, $flags, $stream) . $payload;
    };
    my $h2 = $t->connect('h2');
    print $h2 "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", $frame->(4, 0, 0, ''),
        map { $frame->(1, 4, $_, $headers), $frame->(0, 1, $_, $body) }
            1, 3, 5, 7;

    my ($in, %answered) = ('');
    while (keys %answered < 4) {
        my $more = more($h2, 65536);
        die 'HTTP/2 connection closed' if $more eq '';
        $in .= $more;
        while (length $in >= 9) {
            my $length = unpack 'N', "\0" . substr $in, 0, 3;
            last if length $in < 9 + $length;
            my ($type, undef, $stream) = unpack 'CCN', substr $in, 3, 6;

            # 8.3.2 and RFC 7541 A: the status comes first, 8 to 14 indexed
            $answered{$stream} = ord(substr $in, 9, 1) if $type == 1;
            substr($in, 0, 9 + $length) = '';
        }
    }
    # 0x88: 200; 0x8c: 400, to an Inform while the ACS has another's session

    like(join(' ', sort map { sprintf '%x', $_ } values %answered),
         qr/^88( 8[8c]){3}$/, 'HTTP/2: four Informs at once');
    is(total('conns'), 4, 'each has an upstream connection of its own');
    close $h2;
    wait_for(sub { !report($t, 'acs1')->{open} && !report($t, 'acs2')->{open} },
             'their connections to be closed');
    is(report($t, $_)->{max_devices} // 0, report($t, $_)->{conns} ? 1 : 0,
       "$_: one device each") for qw(acs1 acs2);
}

{
    $t->reload(http => http(zone => 'cwmp_zone cwmp:2m;'));
    like($t->error_log, qr/the size of zone "cwmp" stays 1048576 until/,
         'another size of the zone is for later');
    acs($t);
    is(failed(cpes($t, 'cpe', sessions => 50, reconnect_at => 2)), 0,
       'and the old one works');
}

{
    # its rows are all held: further sessions are not remembered, that is all

    acs($t);
    $t->reload(http => http(zone => 'cwmp_zone small:64k;'));
    is(failed(cpes($t, 'cpe', sessions => 400, at_once => 200,
                   think => 0.3)), 0,
       'more sessions at once than the zone has room for');
    is(total('mixed'), 0, 'nothing is mixed');
    is(report($t, $_)->{max_devices}, 1, "$_: a connection has one device")
        for qw(acs1 acs2);

    # but their connections know the servers

    acs($t, close_in_middle => 1);
    is(failed(cpes($t, 'cpe', sessions => 400, at_once => 200,
                   think => 0.3)), 0,
       'even if the ACS closes its connection in the middle');
}

{
    acs($t);
    $t->stop('QUIT');
    $t->start(http => http(zone => ''));
    like($t->error_log, qr/no "cwmp_zone"/,
         'without a zone there is a warning');
    is(failed(cpes($t, 'cpe', sessions => 100)), 0,
       'and sessions that keep their connection');
}

done_testing;
