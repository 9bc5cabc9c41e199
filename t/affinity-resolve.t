# cwmp_affinity with servers whose names are resolved again and again: addresses
# come and go while sessions are open and requests under way, and with them
# round-robin's peers, which nginx frees in shared memory.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Affinity;
use Fieldgate::Dns;
use Fieldgate::Env qw(version);
use List::Util qw(shuffle);

plan(skip_all => '"server NAME resolve" came with nginx 1.27.3')
    if version() < 1027003;

my $seconds = $ENV{FIELDGATE_CHAOS_SECONDS} // 8;
my $seed = $ENV{FIELDGATE_CHAOS_SEED} // int rand 1e6;
diag("FIELDGATE_CHAOS_SEED=$seed");
srand($seed);

my @names = qw(acs1 acs2 acs3);
my @all = map { "127.0.0.$_" } 1 .. 3;

my $dns = Fieldgate::Dns->new('acs.example' => [@all],
                              'main.example' => [$all[0]],
                              'spare.example' => [$all[2]]);
my $resolver = '127.0.0.1:' . $dns->port;

my @kinds = (
    [plain  => ''],
    [least  => 'least_conn;'],
    [random => 'random two;'],
    [hashed => 'hash $cwmp_session consistent;'],
);

my ($upstreams, $locations) = ('', '');

# Zones of the smallest size, so that peers that are never freed would fill
# them; max_conns, so that one whose connections are miscounted is not chosen.

for my $kind (@kinds, [backup => '']) {
    my ($name, $method) = @$kind;
    my ($host, $backup) = $name ne 'backup' ? ('acs.example', '')
        : ('main.example', 'server spare.example:%%PORT:acs%% resolve backup;');

    $upstreams .= <<"END";
    upstream $name {
        zone $name 32k;
        $method
        server $host:%%PORT:acs%% resolve max_fails=0
               max_conns=1000;
        $backup
        cwmp_affinity timeout=20s;
    }
END
    $locations .= <<"END";
        location /$name {
            proxy_pass http://$name;
        }
END
}

my $t = Fieldgate->new(workers => 2, http => <<"END");
    cwmp_zone cwmp:1m;
    resolver $resolver ipv6=off;

$upstreams
    server {
        listen 127.0.0.1:%%PORT:cpe%%;
        cwmp on;
        cwmp_public_url http://acs-side.example/client;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
$locations        location /probe {
            cwmp off;
            proxy_next_upstream off;
            proxy_read_timeout 200ms;
            proxy_pass http://plain;
        }
    }
END

sub all_acs {
    my (%opt) = @_;
    for my $i (1 .. 3) {
        kill_acs($t, "acs$i");
        start_acs($t, "acs$i", address => $all[$i - 1],
                  port => $t->port('acs'), rpcs => 2, %opt);
    }
}

sub sessions {
    my ($uri, %opt) = @_;
    return cpes($t, 'cpe', uri => $uri, sessions => 60, %opt);
}

# sends sessions until all of a row are at these servers, and at each of them

my $tried = 0;

sub wait_servers {
    my ($uri, @servers) = @_;
    my $want = join ' ', sort @servers;

    wait_for(sub {
        $tried++;
        my %at = map { $_->{servers}[0] // 'none' => 1 }
                 sessions($uri, sessions => 12, at_once => 4,
                          prefix => "W$tried-", think => 0);
        return $want eq join ' ', sort keys %at;
    }, "sessions at $want");
}

# the statuses and servers of some answers to requests for a page

sub pages {
    my $heads = join "\n", map { $t->get('cpe', '/probe') } 1 .. 12;
    my %seen = map { $_ => 1 } $heads =~ m{^(?:HTTP/1.1|X-ACS:) (\w+)}mg;
    return join ' ', sort keys %seen;
}

# a session on a connection of its own, up to its second message, at one server

sub open_at {
    my ($uri, $server) = @_;

    for my $i (1 .. 50) {
        my $s = $t->connect('cpe');
        my $device = "O$server$i" . ++$tried;
        post_to($uri, $s, 'inform', $device);
        my $head = answer($s);
        next if server_of($head) ne $server;
        post_to($uri, $s, 'empty', $device, cookie_of($head));
        return { s => $s, uri => $uri, device => $device,
                 cookie => cookie_of($head), head => answer($s) };
    }

    die "no session at $server";
}

sub next_answer {
    my ($o) = @_;
    post_to($o->{uri}, $o->{s}, 'response', $o->{device}, $o->{cookie});
    return answer($o->{s});
}

# nobody has noticed anything until the last answer

sub goes_on {
    my ($o, $what) = @_;
    my $head = next_answer($o);
    like($head, qr/^HTTP\S+ 200/, "$what: its session goes on");
    is(conn_of($head), conn_of($o->{head}), "$what: on its connection");
    like(next_answer($o), qr/^HTTP\S+ 204/, "$what: to its end");
}


all_acs();
$t->start;

for my $kind (map { $_->[0] } @kinds) {
    my $uri = "/$kind";

    $dns->set('acs.example' => [@all]);
    wait_servers($uri, @names);

    my @open = map { open_at($uri, $_) } (@names) x 2;

    # in the middle of a session: one address goes

    $dns->set('acs.example' => [@all[0, 1]]);
    wait_servers($uri, qw(acs1 acs2));

    goes_on($open[0], "$kind, acs1 stays");
    goes_on($open[2], "$kind, acs3 is gone");

    # back on another connection: to its own server, or, if that is gone, to
    # one that does not know it; it begins anew there

    $_->{s} = $t->connect('cpe') for @open[3, 5];
    my $back = next_answer($open[3]);
    is(server_of($back), 'acs1', "$kind: a session comes back to its server");
    like($back, qr/^HTTP\S+ 200/, "$kind: which knows it");

    my $lost = next_answer($open[5]);
    like(server_of($lost), qr/^acs[12]$/, "$kind: one of acs3 gets another");
    like($lost, qr/^HTTP\S+ 400/, "$kind: which does not know it");
    post_to($uri, $open[5]{s}, 'inform', $open[5]{device});
    like(answer($open[5]{s}), qr/^HTTP\S+ 200/, "$kind: it can begin anew");

    $_->{s} = undef for @open;
}


# all addresses go; the time for which nginx believes that is ten seconds

{
    my @kinds = map { $_->[0] } @kinds;
    $dns->set('acs.example' => [@all]);
    wait_servers("/$_", @names) for @kinds;
    my %open = map { $_ => open_at("/$_", 'acs2') } @kinds;

    $dns->set('acs.example' => []);
    for my $kind (@kinds) {
        wait_for(sub {
            my ($r) = sessions("/$kind", sessions => 1,
                               prefix => 'N' . ++$tried . '-');
            return ($r->{status} // 0) == 502;
        }, 'the last address to go');
        goes_on($open{$kind}, "$kind, no address is left");
    }

    $dns->set('acs.example' => [@all]);
    wait_servers("/$_", @names) for @kinds;
}


# Under way: a peer stays, out of the list, until the end of the last request to
# it, be it one that round-robin has sent there or one of a session that came
# back; meanwhile there is a new one with the same address.

for my $what ('back', 'new') {
    my @under = $what eq 'back' ? map { open_at('/plain', 'acs3') } 1 .. 2
                                : map { { device => "F$_" } } 1 .. 9;

    kill_acs($t, 'acs3');
    $t->write('hold', '');
    start_acs($t, 'acs3', address => $all[2], port => $t->port('acs'),
              hold => $t->path('hold'));

    for my $o (@under) {
        $o->{s} = $t->connect('cpe');
        post_to('/plain', $o->{s}, 'inform', $o->{device});
    }
    wait_for(sub { report($t, 'acs3')->{requests} >= 2 },
             'requests to come to acs3');

    # what asks acs3 for a page gets 504

    $dns->set('acs.example' => [@all[0, 1]]);
    wait_for(sub { pages() eq '400 acs1 acs2' }, 'acs3 to go');
    $dns->set('acs.example' => [@all]);
    wait_for(sub { pages() eq '400 504 acs1 acs2' }, 'acs3 to be back');

    is(report($t, 'acs3')->{sessions}, 0, "$what: it has not answered yet");
    unlink $t->path('hold') or die "unlink: $!";

    my @heads = map { answer($_->{s}) } @under;
    is(grep({ !/^HTTP\S+ 200/ } @heads), 0, "$what: all answers come");
    cmp_ok(scalar(grep { server_of($_) eq 'acs3' } @heads), '>=', 2,
           "$what: also those of acs3");
    $_->{s} = undef for @under;

    wait_servers('/plain', @names);
}


# the only address of the upstream goes, and a backup server that is resolved
# takes the sessions

{
    all_acs();
    wait_servers('/backup', 'acs1');
    my $open = open_at('/backup', 'acs1');

    $dns->set('main.example' => []);
    wait_servers('/backup', 'acs3');
    goes_on($open, 'backup');

    my $spare = open_at('/backup', 'acs3');
    $spare->{s} = $t->connect('cpe');
    my $head = next_answer($spare);
    is(server_of($head), 'acs3', 'a session comes back to the backup server');
    like($head, qr/^HTTP\S+ 200/, 'which knows it');
}


# everything at once

{
    all_acs(delay => 0.01);
    my $end = time + $seconds;

    my @crowds = map {
        my $uri = "/$_->[0]";
        $t->spawn("crowd$_->[0]" => sub {
            my ($ok, $n) = (0, 0);

            # a hundred whole ones, however long that takes

            my $stop = sub { time > $end && $ok >= 100 };
            until ($stop->() || $n == 100) {
                my @r = sessions($uri, at_once => 10, think => 0.02,
                                 retries => 3, stop => $stop,
                                 prefix => "C$uri" . $n++ . '-',
                                 $n % 2 ? (reconnect_at => 2 + $n % 3) : ());
                $ok += grep { $_->{ok} } @r;
            }
            print "$ok\n";
        });
    } @kinds;

    while (time < $end) {
        my @some = shuffle @all;
        splice @some, 0, int rand 3;
        $dns->set('acs.example' => [@some]);
        select undef, undef, undef, 0.5;
    }

    is($t->reap($_), 0, 'a crowd while addresses come and go') for @crowds;
    for my $kind (@kinds) {
        my $ok = Fieldgate::Env::read_file($t->path("crowd$kind->[0].out"));
        cmp_ok($ok, '>=', 100, "$kind->[0]: sessions were whole");
    }
    never_mixed(seen($t, @names), 'addresses come and go');

    # and after it

    all_acs();
    $dns->set('acs.example' => [@all]);
    for my $kind (@kinds) {
        wait_servers("/$kind->[0]", @names);
        is(failed(sessions("/$kind->[0]", reconnect => 1)), 0,
           "$kind->[0]: all complete");
    }
    never_mixed(seen($t, @names), 'after it');
}

done_testing;
