# cwmp_affinity: sessions of many CPEs over two servers and two workers, with
# ACSs that bind everything to the TCP connection.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Affinity;
use Time::HiRes 'time';

my $proxy = <<'END';
cwmp on;
            cwmp_public_url http://acs-side.example/client;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
END

my $t = Fieldgate->new(workers => 2, http => <<"END");
    cwmp_zone cwmp:1m;
    proxy_connect_timeout 5s;

    upstream acs {
        server 127.0.0.1:%%PORT:acs1%%;
        server 127.0.0.1:%%PORT:acs2%%;
        keepalive 16;
        cwmp_affinity;
    }

    upstream single {
        server 127.0.0.1:%%PORT:acs1%%;
        cwmp_affinity;
    }

    # what a balancer in front of us does

    upstream front {
        server 127.0.0.1:%%PORT:cpe%%;
        keepalive 4;
    }

    upstream front_single {
        server 127.0.0.1:%%PORT:single%%;
        keepalive 4;
    }

    server {
        listen 127.0.0.1:%%PORT:cpe%%;
        keepalive_requests 100000;
        location / {
            $proxy
            proxy_pass http://acs;
        }
    }

    # cookies of nginx's own: one for ever, and one that always changes

    server {
        listen 127.0.0.1:%%PORT:userid%%;
        userid on;
        location / {
            $proxy
            proxy_pass http://acs;
        }
    }

    server {
        listen 127.0.0.1:%%PORT:changing%%;
        add_header Set-Cookie "last=\$request_id; Path=/" always;
        location / {
            $proxy
            proxy_pass http://acs;
        }
    }

    server {
        listen 127.0.0.1:%%PORT:three%%;
        keepalive_requests 3;
        location / {
            $proxy
            proxy_pass http://acs;
        }
    }

    server {
        listen 127.0.0.1:%%PORT:single%%;
        location / {
            $proxy
            proxy_pass http://single;
        }
    }

    server {
        listen 127.0.0.1:%%PORT:front%%;
        location / {
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_pass http://front;
        }
    }

    server {
        listen 127.0.0.1:%%PORT:front_single%%;
        location / {
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_pass http://front_single;
        }
    }
END


acs($t);
$t->start;

{
    my @r = cpes($t, 'cpe', sessions => 500);
    is(scalar @r, 500, '500 sessions');
    is(failed(@r), 0, 'all complete');

    my $seen = seen($t);
    never_mixed($seen, '500 sessions');
    is($seen->{conns}, 500, 'one upstream connection for each session');
    cmp_ok(abs($seen->{each}[0] - $seen->{each}[1]), '<=', 2,
           'servers differ by one session per worker at most')
        or diag("@{$seen->{each}}");
    is(grep({ my %s = map { $_ => 1 } @{$_->{servers}}; keys %s != 1 } @r), 0,
       'each session is at one server');
}

{
    acs($t, rpcs => 3);
    my @r = cpes($t, 'cpe', again => 1);
    is(failed(@r), 0, 'two sessions on one connection of the CPE');

    my $seen = seen($t);
    never_mixed($seen, 'two sessions');
    is($seen->{sessions}, 400, 'two sessions: all seen');
    cmp_ok(abs($seen->{each}[0] - $seen->{each}[1]), '<=', 2,
           'the second takes the next server')
        or diag("@{$seen->{each}}");
    cmp_ok($seen->{conns}, '>', 200, 'which is often another one');
    cmp_ok($seen->{conns}, '<=', 400, 'and has a connection there');
}

{
    acs($t);
    my (%asked, %ended, @others);
    my @r = cpes($t, 'single', again => 1, on_message => sub {
        my ($c) = @_;
        $asked{$c->{device}} = time;
    }, on_answer => sub {
        my ($c, $status, $head, $body) = @_;
        my ($conn) = $head =~ /^X-Conn: (\d+)/m;
        if ($status == 204) {
            $ended{$c->{device}} //= [$asked{$c->{device}}, $conn];
        } elsif ($body =~ /InformResponse/ && $ended{$c->{device}}) {
            my ($since, $first) = @{$ended{$c->{device}}};
            push @others, time - $since if $conn != $first;
        }
    });
    is(failed(@r), 0, 'two sessions on one connection, one server');

    my $seen = seen($t);
    never_mixed($seen, 'two sessions, one server');
    is($seen->{sessions}, 400, 'two sessions, one server: all seen');
    is($seen->{conns}, 200 + @others, 'each has one connection');
    is(grep({ $_ < 0.9 } @others), 0,
       'the second that of the first, unless a second later');
}

{
    acs($t);
    my @r = cpes($t, 'front_single', at_once => 4);
    is(failed(@r), 0, 'CPEs one after the other on a balancer\'s connections');

    my $seen = seen($t);
    never_mixed($seen, 'one after the other');
    cmp_ok($seen->{conns}, '>=', 200,
           'each has upstream connections of its own');
}

{
    acs($t, close_after_204 => 1);
    my @r = cpes($t, 'single', again => 1);
    is(failed(@r), 0, 'the ACS closes after the first session');

    my $seen = seen($t);
    is($seen->{conns}, 400, 'the second has another connection');
}

{
    acs($t, close_after_204 => 1);
    my @r = cpes($t, 'cpe');
    is(failed(@r), 0, 'ACS closes after its 204');
    never_mixed(seen($t), 'closed after 204');
}

{
    acs($t, close_in_middle => 1);
    my @r = cpes($t, 'cpe', on_answer => sub {
        my (undef, undef, $head, $body) = @_;
        wait_closed($t, $head) if $body =~ /InformResponse/;
    });
    is(failed(@r), 0, 'ACS closes in the middle');

    my $seen = seen($t);
    never_mixed($seen, 'closed in the middle');
    is($seen->{resumed}, 200, 'sessions go on at the same ACS');
    is($seen->{conns}, 400, 'on a second connection');
}

{
    acs($t, keepalive => 2);
    my @r = cpes($t, 'cpe');
    is(failed(@r), 0, 'ACS ends each connection after two answers');
    never_mixed(seen($t), 'two answers');
}

{
    acs($t, rpcs => 4);
    my @r = cpes($t, 'three');
    is(failed(@r), 0, 'keepalive_requests 3');

    my $seen = seen($t);
    never_mixed($seen, 'keepalive_requests 3');
    is($seen->{conns}, 400, 'the upstream connection goes with the CPE\'s');
    is(grep({ $_->{conns} != 2 } @r), 0, 'which were two for each session');
}

{
    acs($t, rpcs => 2);
    my @r = cpes($t, 'cpe', reconnect => 1);
    is(failed(@r), 0, 'a new connection for each message, in any worker');

    my $seen = seen($t);
    never_mixed($seen, 'new connections');
    is($seen->{resumed}, 600, 'each comes back to its own ACS, by its cookie');
    cmp_ok(abs($seen->{each}[0] - $seen->{each}[1]), '<=', 2,
           'and does not take a turn of the balancer');
}

{
    acs($t, cookies => 5);
    my @r = cpes($t, 'cpe', reconnect_at => 2);
    is(failed(@r), 0, 'among several cookies');
    never_mixed(seen($t), 'several cookies');
}

for my $port (qw(userid changing)) {
    acs($t, rpcs => 3, no_cookie => 1);
    is(failed(cpes($t, $port)), 0, "$port: cookies of nginx alone");
    my $seen = seen($t);
    never_mixed($seen, $port);
    is($seen->{conns}, 200, "$port: one connection for each session");

    acs($t, rpcs => 3);
    is(failed(cpes($t, $port, reconnect_at => 3)), 0,
       "$port: and beside those of the ACS");
    never_mixed(seen($t), "$port, both");
}

{
    # without a cookie the Inform's DeviceId leads back

    acs($t);
    my %to;
    for my $i (1 .. 12) {
        my @r = cpes($t, 'cpe', sessions => 6, at_once => 6, no_cookies => 1,
                     think => 0, prefix => 'D', abandon_at => 2);
        push @{$to{$_->{device}}}, $_->{servers}[0] for @r;
    }
    is(grep({ my %s = map { $_ => 1 } @{$to{$_}}; keys %s != 1 } keys %to), 0,
       'by its DeviceId, when an Inform comes again');
    my %all = map { $_->[0] => 1 } values %to;
    is(join(' ', sort keys %all), 'acs1 acs2', 'some at each ACS');
    never_mixed(seen($t), 'by DeviceId');
}

for my $mode (['drop_at', 1, 'in the middle of the Inform'],
              ['drop_at', 3, 'in the middle of a reply'],
              ['abandon_at', 1, 'after the Inform'],
              ['abandon_at', 2, 'after the empty POST'])
{
    my ($option, $n, $what) = @$mode;

    acs($t, delay => 0.01);
    my $i = 0;
    my @r = cpes($t, 'cpe', $option => $n, prefix => "X$n$option",
                 sessions => 60);
    is(grep({ $_->{error} ne 'dropped' } @r), 0, "CPEs drop $what");
    @r = cpes($t, 'cpe', prefix => "Y$n$option", sessions => 60);
    is(failed(@r), 0, 'others are whole');
    never_mixed(seen($t), "dropped $what");
}

{
    acs($t, rpcs => 2);
    my @r = cpes($t, 'front', retries => 3);
    is(failed(@r), 0, 'a balancer in front of us reuses its connections');
    my $n = grep { $_->{attempts} > 1 } @r;
    is($n, 0, 'no session had to begin anew');
    never_mixed(seen($t), 'balancer in front');
}

{
    # one server is killed in the middle

    acs($t, rpcs => 2);
    my $killed;
    my @r = cpes($t, 'cpe', retries => 1, think => 0.02, sessions => 300,
                 on_answer => sub {
        my ($c, undef, $head, $body) = @_;
        return if $killed || $c->{device} !~ /^S\d{3}$/
                  || $head !~ /^X-ACS: acs1\r/m || $body !~ /InformResponse/;
        $killed = 1;
        kill_acs($t, 'acs1');
    });
    is(failed(@r), 0, 'a server is killed: all complete in the end');

    # one without any answer was lost with its Inform

    my @lost = grep { @{$_->{errors}} } @r;
    my @begun_at = map { $_->{errors}[0]{servers}[0] // 'acs1' } @lost;
    is(grep({ $_ ne 'acs1' } @begun_at), 0,
       'only sessions at that server are lost');
    cmp_ok(scalar @lost, '<=', 20, 'no more than were open');
    cmp_ok(scalar @lost, '>', 0, 'and some were');
    is(grep({ $_->{servers}[-1] ne 'acs2' } @lost), 0,
       'their next Inform succeeds at the other');
}

done_testing;
