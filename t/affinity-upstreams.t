# cwmp_affinity with every kind of upstream: TLS, weights, backup, shared and
# other balancers, HTTP/1.0, and requests that must not be sent twice.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Affinity;

my $proxy = <<'END';
cwmp on;
            cwmp_public_url http://acs-side.example/client;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
END

# how many of 100 sessions a server gets at least: each worker takes turns; who
# goes by load leaves a server alone that does not run for a while

my @kinds = (
    [plain      => '', 49],
    [shared     => 'zone shared 64k;', 49],
    [least_conn => 'least_conn;', 1],
    [least_kept => 'least_conn; keepalive 8; zone least_kept 64k;', 1],
    [random     => 'random two;', 1],
    [ip_hash    => 'ip_hash; keepalive 8;', 0],
    [hashed     => 'hash $cwmp_session consistent; keepalive 8;', 20],
);

my ($upstreams, $locations) = ('', '');

for my $kind (@kinds) {
    my ($name, $options) = @$kind;
    $upstreams .= <<"END";
    upstream $name {
        $options
        server 127.0.0.1:%%PORT:acs1%%;
        server 127.0.0.1:%%PORT:acs2%%;
        cwmp_affinity;
    }
END
    $locations .= <<"END";
        location /$name {
            $proxy
            proxy_pass http://$name;
        }
END
}

my $t = Fieldgate->new(workers => 2, http => <<"END",
    cwmp_zone cwmp:1m;

$upstreams
    upstream weighted {
        server 127.0.0.1:%%PORT:acs1%% weight=3;
        server 127.0.0.1:%%PORT:acs2%%;
        cwmp_affinity;
    }
    upstream backup {
        server 127.0.0.1:%%PORT:acs1%%;
        server 127.0.0.1:%%PORT:acs2%% backup;
        cwmp_affinity;
    }
    upstream tls {
        zone tls 64k;    # without, nginx leaks its TLS sessions at exit
        server 127.0.0.1:%%PORT:tls1%%;
        server 127.0.0.1:%%PORT:tls2%%;
        cwmp_affinity;
    }
    upstream keyed {
        hash \$cwmp_session consistent;
        server 127.0.0.1:%%PORT:acs1%%;
        server 127.0.0.1:%%PORT:acs2%%;
    }
    upstream silent {
        server 127.0.0.1:%%PORT:closing1%% max_fails=0;
        server 127.0.0.1:%%PORT:closing2%% max_fails=0;
        cwmp_affinity;
    }

    log_format session '\$cwmp_method \$cwmp_device_id \$cwmp_session';

    server {
        listen 127.0.0.1:%%PORT:cpe%%;
$locations
        location /intercept {
            $proxy
            proxy_intercept_errors on;
            error_page 401 /unauthorized.html;
            proxy_pass http://plain;
        }
        location = /unauthorized.html {
            return 200 "Unauthorized";
        }
        location /weighted {
            $proxy
            proxy_pass http://weighted;
        }
        location /backup {
            $proxy
            proxy_pass http://backup;
        }
        location /tls {
            $proxy
            proxy_pass https://tls;
        }
        location /once {
            $proxy
            proxy_next_upstream error timeout invalid_header non_idempotent;
            proxy_pass http://silent;
        }
        location /next {
            $proxy
            proxy_next_upstream error http_404 non_idempotent;
            proxy_pass http://plain;
        }
        location /ten {
            access_log %%DIR%%/session.log session;
            cwmp on;
            cwmp_public_url http://acs-side.example/client;
            proxy_http_version 1.0;
            proxy_pass http://plain;
        }
        location /keyed {
            cwmp on;
            cwmp_public_url http://acs-side.example/client;
            proxy_http_version 1.0;
            proxy_pass http://keyed;
        }
        location /blind {
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_pass http://plain;
        }
    }
END
    stream => <<'END');
    ssl_certificate %%DIR%%/tls.crt;
    ssl_certificate_key %%DIR%%/tls.key;
    server {
        listen 127.0.0.1:%%PORT:tls1%% ssl;
        proxy_pass 127.0.0.1:%%PORT:acs1%%;
    }
    server {
        listen 127.0.0.1:%%PORT:tls2%% ssl;
        proxy_pass 127.0.0.1:%%PORT:acs2%%;
    }
END

certificate($t);

sub through {
    my ($uri, %opt) = @_;
    return cpes($t, 'cpe', uri => "/$uri", sessions => 100, %opt);
}

# a server that reads a request and goes

sub closing {
    my ($name) = @_;
    my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 16,
                                       LocalPort => $t->port($name),
                                       ReuseAddr => 1) or die "$name: $!";
    $t->spawn($name => sub {
        while (my $s = $listen->accept) {
            Fieldgate::read_all($s, qr/\r\n\r\n/);
            print "request\n";
            close $s;
        }
    });
}


acs($t);
closing($_) for qw(closing1 closing2);
$t->start;

for my $kind (@kinds, [tls => '', 49]) {
    my ($name, undef, $least) = @$kind;

    acs($t, rpcs => 2);
    is(failed(through($name)), 0, "$name: all complete");
    my $seen = seen($t);
    never_mixed($seen, $name);
    is($seen->{conns}, 100, "$name: a connection for each session");

    next if !$least;
    cmp_ok($seen->{each}[$_], '>=', $least, "$name: both servers") for 0, 1;

    # the terminator in between closes later

    acs($t, rpcs => 2);
    is(failed(through($name, reconnect => 1)), 0,
       "$name: and back to the same server each time");
    never_mixed(seen($t), "$name, back", early => $name eq 'tls');
}

{
    acs($t);
    is(failed(through('weighted', reconnect_at => 2)), 0, 'weights');
    my $seen = seen($t);
    cmp_ok(abs($seen->{each}[0] - 75), '<=', 6, 'three of four at the first')
        or diag("@{$seen->{each}}");
}

{
    acs($t);
    is(failed(through('backup', reconnect_at => 2)), 0, 'with a backup server');
    is(seen($t)->{each}[1], 0, 'which has nothing to do');

    kill_acs($t, 'acs1');
    is(failed(through('backup', reconnect_at => 2)), 0, 'it has, when alone');
    is(report($t, 'acs2')->{sessions}, 100, 'all of them');
}

{
    # the CPE's own Digest: nonce and authentication belong to the connection

    acs($t, auth => ['box', 'secret']);
    my $offered;
    my @r = through('plain', auth => ['box', 'secret'], qop => 'auth-int',
                 on_answer => sub { $offered = $1
                                    if $_[2] =~ /qop="(.*?)"/ });
    is(failed(@r), 0, 'Digest of the CPEs');
    is($offered, 'auth', 'without auth-int, which would cover the old body');
    my $seen = seen($t);
    never_mixed($seen, 'Digest');
    is($seen->{unauthorized}, 100, 'one challenge for each session');
    is($seen->{conns}, 100, 'on one connection');

    acs($t, auth => ['box', 'secret']);
    @r = through('plain', auth => ['box', 'wrong'], sessions => 20);
    is(grep({ ($_->{status} // 0) == 401 } @r), 20, 'a wrong password is 401');

    acs($t, auth => ['box', 'secret']);
    undef $offered;
    through('intercept', auth => ['box', 'secret'], sessions => 1,
            on_answer => sub { $offered = $1 if $_[2] =~ /qop="(.*?)"/ });
    is($offered, 'auth', 'neither beside an error_page for it');

    acs($t, auth => ['box', 'secret'], qop => 'auth-int');
    undef $offered;
    through('plain', auth => ['box', 'secret'], sessions => 1,
         on_answer => sub { $offered //= $1
                            if $_[2] =~ /qop="(.*?)"/ });
    is($offered, 'auth-int', 'a challenge that offers nothing else stays');
    like($t->error_log, qr/\[warn\].*offers auth-int only/, 'with a warning');
}

{
    acs($t, rpcs => 2);
    is(failed(through('blind')), 0, 'without "cwmp on"');
    never_mixed(seen($t), 'without "cwmp on"');

    # it does not wait for the end of the old connection, as it would with it

    acs($t, rpcs => 2);
    is(failed(through('blind', reconnect => 1)), 0,
       'and back to the same server by the cookie');
    never_mixed(seen($t), 'without "cwmp on", back', early => 1);
}

{
    acs($t, rpcs => 2);
    is(failed(through('ten')), 0, 'HTTP/1.0 upstream: all complete');
    my $seen = seen($t);
    never_mixed($seen, 'HTTP/1.0 upstream');
    is($seen->{conns}, 400, 'at one connection per request');
    is(() = $t->error_log =~ /\[warn\].*it needs "proxy_http_version 1.1"/g, 1,
       'and one warning');

    # a line is written after the last byte of its reply

    my (%session, %devices, @lines);
    wait_for(sub {
        @lines = split /\n/, Fieldgate::Env::read_file($t->path('session.log'));
        return @lines == 400;
    }, 'a line for each request');
    for (@lines) {
        my ($method, $device, $session) = split ' ';
        $session{$session}++;
        $devices{$session}{$device}++ if $method eq 'Inform';
    }
    is(keys %session, 100, '$cwmp_session: one value for each session');
    is(grep({ $_ != 4 } values %session), 0, 'the same for all its messages');
    is(grep({ keys %$_ != 1 } values %devices), 0, 'and for one device only');
}

{
    acs($t, rpcs => 2);
    is(failed(through('keyed', again => 1)), 0,
       'hash $cwmp_session alone leads to one server');
    my $seen = seen($t);
    cmp_ok($seen->{each}[$_], '>', 20, 'of both') for 0, 1;
}

{
    my @r = through('once', sessions => 10, at_once => 1);
    is(grep({ ($_->{status} // 0) == 502 } @r), 10,
       'closed by the server: 502');
    my $n = 0;
    for my $name (qw(closing1 closing2)) {
        open my $fh, '<', $t->path("$name.out") or die $!;
        $n++ while <$fh>;
    }
    is($n, 10, 'a POST is never sent twice, whatever proxy_next_upstream says');
}

{
    # a server that could be kept is left for the next one

    acs($t, status => 404);
    my $s = $t->connect('cpe');
    print $s "GET /next HTTP/1.1\r\nHost: acs.example\r\n\r\n";
    like(Fieldgate::read_all($s, qr/\r\n\r\n/), qr/^HTTP\S+ 404/,
         'http_404: the last server\'s answer');
    is(report($t, $_)->{requests}, 1, "http_404: $_ was asked") for qw(acs1 acs2);
    close $s;
    is(seen($t)->{open}, 0, 'both connections are closed with the client\'s');

    acs($t, status => 404);
    $s = $t->connect('cpe');
    print $s "POST /next HTTP/1.1\r\nHost: acs.example\r\n"
             . "Content-Length: 0\r\n\r\n";
    like(Fieldgate::read_all($s, qr/\r\n\r\n/), qr/^HTTP\S+ 404/,
         'the answer to a POST');
    close $s;
    is(seen($t)->{requests}, 1, 'which is sent once');
}

done_testing;
