# cwmp_affinity, and what others do meanwhile: cookies that everybody has, or
# that change all the time; somebody who knows a DeviceId; who fills the zone,
# or all connections.  What the others see is what they see without him.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Affinity;
use Fieldgate::Env qw(read_file write_file);

my $location = <<'END';
location / {
            cwmp on;
            cwmp_public_url http://acs-side.example/client;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_pass http://acs;
        }
END

my $t = Fieldgate->new(workers => 2, http => <<"END");
    cwmp_zone cwmp:64k;
    set_real_ip_from 127.0.0.1;
    keepalive_timeout 1h;
    keepalive_requests 100000;

    upstream acs {
        server 127.0.0.1:%%PORT:acs1%% max_fails=0;
        server 127.0.0.1:%%PORT:acs2%% max_fails=0;
        cwmp_affinity;
    }

    server {
        listen 127.0.0.1:%%PORT:cpe%%;
        $location
    }

    # what a balancer in front sets for all of its CPEs

    server {
        listen 127.0.0.1:%%PORT:shared%%;
        add_header Set-Cookie "lang=en; Path=/" always;
        $location
    }

    # a cookie that is another one with each answer

    server {
        listen 127.0.0.1:%%PORT:changing%%;
        add_header Set-Cookie "last=\$request_id; Path=/" always;
        $location
    }

    # nobody is let in here, and the log says so once, device and day

    server {
        listen 127.0.0.1:%%PORT:refused%%;
        location / {
            cwmp on;
            cwmp_public_url http://acs-side.example/client;
            cwmp_require \$arg_nothing;
            proxy_pass http://acs;
        }
    }

    server {
        listen 127.0.0.1:%%PORT:plain%%;
        location / { proxy_pass http://127.0.0.1:%%PORT:acs1%%; }
    }
END

sub wandering { grep { my %s = map { $_ => 1 } @{$_->{servers}};
                       keys %s != 1 } @_ }

acs($t);
$t->start;


# a cookie that all have

{
    my @r = cpes($t, 'shared', prefix => 'L', reconnect => 1);
    is(failed(@r), 0, 'CPEs that share a cookie: all complete');
    is(wandering(@r), 0, 'each at its own server');
    never_mixed(seen($t), 'a shared cookie');

    # the cookie in front, as CPEs may sort them

    acs($t, rpcs => 3);
    my @sessions = map {
        my $s = $t->connect('shared');
        post($s, 'inform', "M$_");
        [$s, answer($s), "M$_"];
    } 1 .. 8;
    my ($wrong, $cut) = (0, 0);

    for my $x (@sessions) {
        my ($s, $head, $device) = @$x;
        my $both = 'Cookie: lang=en; ' . cookie_of($head) =~ s/Cookie: //r;
        post($s, 'empty', $device, $both);
        $cut++ if conn_of(answer($s)) ne conn_of($head);
        close $s;
        wait_closed($t, $head);
        $s = $t->connect('shared');
        post($s, 'response', $device, $both);
        $wrong++ if server_of(answer($s)) ne server_of($head);
    }
    is($wrong, 0, 'in front of the own one, it leads nobody astray');
    is($cut, 0, 'and nobody loses his connection');
}


# cookies that are renewed

{
    acs($t, no_cookie => 1, rpcs => 6);
    my $s = $t->connect('changing');
    post($s, 'inform', 'N1');
    my $head = answer($s);
    my ($first) = $head =~ /^Set-Cookie: (last=\w+)/m;
    my %conns = (conn_of($head) => 1);

    for (1 .. 5) {
        post($s, 'empty', 'N1', "Cookie: $first");
        $conns{conn_of(answer($s))} = 1;
    }
    is(scalar keys %conns, 1,
       'a CPE that keeps the first value stays on its connection');

    post($s, 'inform', 'N2');
    $head = answer($s);
    my ($own) = $head =~ /^Set-Cookie: (last=\w+)/m;
    post($s, 'empty', 'N2', "Cookie: $own; other=1");
    is(conn_of(answer($s)), conn_of($head), 'one cookie that matches counts');
    post($s, 'empty', 'N1', "Cookie: $first");
    isnt(conn_of(answer($s)), conn_of($head),
         'and none of another session does');
}


# somebody else's DeviceId, from another address: 401

sub victims {
    my ($what, @more) = @_;
    acs($t, auth => ['box', 'secret'], rpcs => 8);
    my @r = cpes($t, 'cpe', prefix => 'V', sessions => 24, at_once => 8,
                 auth => ['box', 'secret'], think => 0.05, @more);
    is(failed(@r), 0, "$what: all sessions complete");
    is(scalar(grep { $_->{attempts} != 1 } @r), 0, "$what: at once");
    is(wandering(@r), 0, "$what: each at one server");
    return map { $_->{conns} } @r;
}

{
    my @alone = victims('alone');
    my @wander = victims('alone, on many connections', reconnect_at => 6);

    my $stop = $t->path('stop');
    my $pid = $t->spawn(neighbour => sub {
        my ($n, %seen) = (0);
        until (-e $stop) {
            my $s = $t->connect('cpe');
            post($s, 'inform', 'V' . $n++ % 24, 'X-Real-IP: 10.9.9.9');
            my ($status) = answer($s) =~ /^HTTP\S+ (\d+)/;
            $seen{$status // 'none'}++;
        }
        print "$_ $seen{$_}\n" for sort keys %seen;
    });

    is_deeply([victims('with a neighbour')], \@alone,
              'on as many connections as without him');
    is_deeply([victims('with a neighbour, on many connections',
                       reconnect_at => 6)], \@wander, 'the same');

    write_file($stop, '');
    is($t->reap($pid), 0, 'the neighbour has gone');
    my $said = read_file($t->path('neighbour.out'));
    cmp_ok($said =~ /^401 (\d+)/m ? $1 : 0, '>=', 24,
           'who was refused each time');
    never_mixed(seen($t), 'a neighbour', early => 1);
}

# and when an ACS lets him in, either one, it is the same CPE at a new
# address

{
    acs($t, rpcs => 3, anew => 1);
    my $s = $t->connect('cpe');
    post($s, 'inform', 'W1', 'X-Real-IP: 10.1.1.1');
    my $old = answer($s);
    my $new = $t->connect('cpe');
    post($new, 'inform', 'W1', 'X-Real-IP: 10.1.1.2');
    my $head = answer($new);
    like($head, qr/^HTTP\S+ 200/, 'a CPE with a new address is let in');
    wait_closed($t, $old);
    pass('its old connection is closed then');
    post($new, 'empty', 'W1', 'X-Real-IP: 10.1.1.2', cookie_of($head));
    is(conn_of(answer($new)), conn_of($head), 'and the session goes on');
    close $new;
    wait_closed($t, $head);
    $new = $t->connect('cpe');
    post($new, 'response', 'W1', 'X-Real-IP: 10.1.1.2', cookie_of($head));
    is(server_of(answer($new)), server_of($head), 'also elsewhere');
}

# his worker is killed, or reloaded, while he waits to be let in

{
    my $hold = $t->path('hold');
    acs($t, rpcs => 3, hold => $hold);
    my $s = $t->connect('cpe');
    post($s, 'inform', 'Z1', 'X-Real-IP: 10.1.1.1');
    my $head = answer($s);
    write_file($hold, '');
    for my $how ('kill', 'reload') {
        for my $pid ($t->pids) {
            my ($other) = $t->only_worker($pid, sub { $t->connect('cpe') });
            post($other, 'inform', 'Z1', 'X-Real-IP: 10.9.9.9');
            close $other if $how eq 'reload';
        }
        $how eq 'kill' ? $t->kill_worker($_) : $t->reload for ($t->pids)[0];
    }
    unlink $hold;
    $s = $t->connect('cpe');
    post($s, 'inform', 'Z1', 'X-Real-IP: 10.1.1.1');
    like(answer($s), qr/^HTTP\S+ 200/, 'nothing waits for ever');
}


# Rows of open sessions stay, whatever fills the zone: twice as many Informs as
# there is room for.

sub sessions {
    my ($prefix, $n) = @_;
    acs($t, rpcs => 3);
    return map {
        my $s = $t->connect('cpe');
        post($s, 'inform', "$prefix$_");
        [$s, answer($s), "$prefix$_"];
    } 1 .. $n;
}

# how many do not come back to their servers; those of one after the other, so
# that a new one would not be the same by chance

sub lost {
    my $lost = 0;
    for my $x (sort { server_of($a->[1]) cmp server_of($b->[1]) } @_) {
        my ($s, $head, $device) = @$x;
        close $s;
        wait_closed($t, $head);
        $s = $t->connect('cpe');
        post($s, 'empty', $device, cookie_of($head));
        $lost++ if server_of(answer($s)) ne server_of($head);
    }
    return $lost;
}

{
    my @open = sessions('Y', 12);

    my $flood = $t->connect('cpe');
    for (1 .. 300) {
        post($flood, 'inform', "F$_", "Cookie: a$_=$_; b$_=$_");
        answer($flood);
    }
    close $flood;

    is(lost(@open), 0, 'open sessions come back to their servers');
}

# and what the log has once is in nobody's way, not even of a session that has
# no connection at the moment

{
    my @left = sessions('X', 12);
    close $_->[0] for @left;
    wait_closed($t, $_->[1]) for @left;

    my $flood = $t->connect('refused');
    my $refused = grep { post($flood, 'inform', "Q$_");
                         answer($flood) =~ /^HTTP\S+ 403/ } 1 .. 600, 600;
    close $flood;
    is($refused, 601, 'more devices are refused than the zone has room for');
    my $said = () = $t->error_log =~ /CPE "[^"]*Q\d+" is refused/g;
    is($said, 600, 'each is in the log, once');

    is(lost(@left), 0, 'sessions find their servers');
}


# Who sends an Inform and stays keeps nobody out: more of them than there are
# connections, and then honest CPEs, as with plain proxy_pass.

$t->reload(gone => 1, workers => 1, events => 'worker_connections 200;');

for my $case (['plain'], ['cpe'], ['cpe', auth => ['box', 'secret']]) {
    my ($port, @auth) = @$case;
    my $how = @auth ? "$port, not let in" : $port;
    acs($t, @auth);

    my @idle = map {
        my $s = $t->connect($port);
        post($s, 'inform', "I$_");
        answer($s);
        $s;
    } 1 .. 400;

    my @r = cpes($t, $port, prefix => 'H', sessions => 40, at_once => 4,
                 @auth);
    is(failed(@r), 0, "$how: honest CPEs get in beside 400 that stay");
    close $_ for @idle;
}
like($t->error_log, qr/connections are not enough, reusing/,
     'since nginx took what was idle');

done_testing;
