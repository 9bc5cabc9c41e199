# ntrip_status: lists of what is in memory and in the database, in pages, with
# filters and ETags; problems; Prometheus; while workers die.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Env qw(read_file);
use Fieldgate::Ntrip;
use JSON::PP ();

my $users = 3000;
my $n = Fieldgate::Ntrip->new(workers => 2, users => $users, accounts => 4,
                              mounts => 2, http => <<'END');
    server {
        listen 127.0.0.1:%%PORT:web%%;
        location /status/ { ntrip_status; }
        location /bare { ntrip_status; limit_except GET { deny all; } }
    }
END
my ($t, $provider) = ($n->nginx, $n->provider);


# status, headers by their names in lower case, body

sub ask {
    my ($path, %opt) = @_;
    my $method = $opt{method} // 'GET';
    my $head = $opt{head} // '';
    my $reply = $t->exchange('web', "$method $path HTTP/1.1\r\n"
                             . "Host: localhost\r\nConnection: close\r\n"
                             . "$head\r\n");
    my ($status, $headers, $body) =
        $reply =~ m{^HTTP/1\.1 (\d+) [^\r]*\r\n(.*?)\r\n\r\n(.*)}s
        or die "$path: $reply";
    my %header = map { /^([^:]+): (.*)/ ? (lc $1 => $2) : () }
                 split /\r\n/, $headers;

    if (($header{'transfer-encoding'} // '') eq 'chunked') {
        my $whole = '';
        $whole .= substr $body, 0, hex $1, ''
            while $body =~ s/^([0-9a-f]+)\r\n// && hex $1
                  || $body =~ s/^\r\n([0-9a-f]+)\r\n// && hex $1;
        $body = $whole;
    }

    return { status => $status, header => \%header, body => $body };
}

sub get {
    my ($path, @more) = @_;
    my $r = ask("/status/$path", @more);
    is($r->{status}, 200, "$path: 200");
    my $json = eval { JSON::PP->new->utf8->decode($r->{body}) };
    is($@, '', "$path: is JSON");
    return $json;
}

sub quietly {
    my ($path) = @_;
    return JSON::PP->new->utf8->decode(ask("/status/$path")->{body});
}

# the whole of a list, page by page

sub all {
    my ($path, $limit) = @_;
    my ($next, @items) = '';
    do {
        my $page = quietly("$path?limit=$limit"
                           . ($next eq '' ? '' : "&cursor=$next"));
        die "$path: a page of " . @{$page->{items}}
            if @{$page->{items}} > $limit;
        push @items, @{$page->{items}};
        $next = $page->{next};
    } while (defined $next);
    return @items;
}


# rovers; one whose agent is no text

my $rovers = $n->rovers(1 .. 12);
$rovers->wait_for(fed => 12);

my $evil = qq{NTRIP <b>"\\\xff\xc3\xa9\xed\xa0\x80};
my $auth = MIME::Base64::encode_base64('u20:p20', '');
$rovers->add($n->rover(20, bytes => "GET /M0 HTTP/1.0\r\nUser-Agent: $evil\r\n"
                                    . "Authorization: Basic $auth\r\n\r\n"));
$rovers->wait_for(fed => 13);

my %rover = map { $_->{user} => $_ } @{get('rovers')->{items}};
is_deeply([sort keys %rover], [sort map { "u$_" } 1 .. 12, 20], 'rovers');

my $one = $rover{u2};
is($one->{address}, '127.0.0.1', 'address');
is($one->{agent}, 'NTRIP Fieldgate-test', 'agent');
is($one->{mount}, 'M0', 'mount');
wait_for(sub { quietly('rovers?user=u2')->{items}[0]{bytes} > 0 },
         'bytes to be counted');
$one = get("rovers/$one->{id}");
is_deeply([@{$one}{qw(user fix quality satellites skipped tls version)}],
          ['u2', 'fixed', 4, 12, 0, JSON::PP::false, 1], 'what it reports');
cmp_ok($one->{age}, '==', 1, 'age of its corrections');
is(sprintf('%.4f,%.4f', @{$one->{position}}{qw(latitude longitude)}),
   '48.1000,11.6000', 'position');
cmp_ok(abs(time - $one->{since}), '<', 600, 'since');
ok((grep { $_ == $one->{owner} } $t->pids), 'owner');
like($rover{u20}{agent}, qr/^NTRIP <b>"\\\x{fffd}\x{e9}/,
     'an agent that is no text');
unlike(ask('/status/rovers')->{body}, qr/[^\x20-\x7e\x80-\xff]/,
       'no control characters');

is_deeply([sort map { $_->{user} } all('rovers', 5)], [sort keys %rover],
          'pages: each once');
is_deeply([map { $_->{user} } @{get('rovers?user=u3')->{items}}], ['u3'],
          'user=');
is(@{get('rovers?mount=M1&fix=fixed')->{items}}, 6, 'mount= and fix=');
is(@{get('rovers?mount=M1&fix=float')->{items}}, 0, 'all of them');
is_deeply([map { $_->{user} } @{get('rovers?q=U2')->{items}}], ['u2', 'u20'],
          'q=');
is(@{get('rovers?agent=NTRIP+Fieldgate%2dtest')->{items}}, 12, 'escapes');


# streams

wait_for(sub { @{quietly('streams?state=live')->{items}} == 2 },
         'two streams');
my @streams = @{get('streams?mount=M0')->{items}};
is(@streams, 1, 'streams of a mountpoint');
my $s = get("streams/$streams[0]{id}");
is_deeply([@{$s}{qw(mount pool provider rovers fixed float single)}],
          ['M0', 'default', '127.0.0.1:' . $provider->port, 7, 7, 0, 0],
          'what it says');
like($s->{account}, qr/^a[1-4]$/, 'account');
is($s->{messages}[0]{type}, 1077, 'messages by type');
cmp_ok($s->{messages}[0]{rate}, '>', 1, 'with their rate');
cmp_ok($s->{age}, '<', 60, 'age');
ok((grep { $_ == $s->{owner} } $t->pids), 'owner');
is(sprintf('%.1f', $s->{reference}{latitude}), '48.1', 'reference');
cmp_ok($s->{bytes}, '>', 0, 'bytes');
is($s->{reconnects}, 0, 'reconnects');
is($s->{certificate}, undef, 'no certificate without TLS');
is(get("rovers/$one->{id}")->{stream}, $s->{id}, 'stream of a rover');


# the database, with what somebody has put there

my %used = map { $_->{account} => 1 } @{quietly('streams')->{items}};
my ($free) = grep { !$used{$_} } map { "a$_" } 1 .. 4;
$n->sql("INSERT INTO user (name, password, note) VALUES"
        . " ('q\"\\\\<', 'secret', CAST(x'ff0a41' AS TEXT));"
        . "UPDATE source SET note = 'n', expires_at = 1"
        . " WHERE name = '$free';"
        . "UPDATE user SET note = printf('%.900c', 'x');"
        . "INSERT INTO pool (name, source)"
        . " SELECT 'west', id FROM source WHERE name = 'a1';");

my @users = all('users', 700);
is(@users, $users + 1, 'users, in pages');
my %names = map { $_->{name} => 1 } @users;
is(keys %names, $users + 1, 'each once');
is(get('users/u2')->{sessions}, 1, 'who is logged in');
is_deeply([sort map { $_->{name} } @{get('users?sessions=1')->{items}}],
          [sort keys %rover], 'found among all');
cmp_ok(length ask('/status/users?limit=1000')->{body}, '>', 900_000,
       'a large page');
unlike(ask('/status/users?limit=1000')->{body}, qr/password|secret/,
       'without passwords');
is(get('users/q%22%5C%5C%3C')->{max_sessions}, 1, 'a name of signs');

my %account = map { $_->{name} => $_ } @{get('accounts')->{items}};
is_deeply([sort keys %account], [map { "a$_" } 1 .. 4], 'accounts');
is($account{$s->{account}}{state}, 'used', 'in use');
is($account{$s->{account}}{stream}, $s->{id}, 'by its stream');
is($account{$free}{state}, 'expired', 'expired');
is_deeply([sort @{$account{a1}{pools}}], ['default', 'west'], 'pools');
is(get("accounts/$account{a2}{id}")->{name}, 'a2', 'one account');
is_deeply(get('stations'), { items => [], next => undef }, 'stations');


# workers and counters

is_deeply([sort map { $_->{pid} } @{get('workers')->{items}}], [sort $t->pids],
          'workers');
my $counters = get('counters');
is($counters->{logins}, 13, 'counters');
is($counters->{tables}{rovers}{used}, 13, 'tables');
is(scalar @{get('')->{endpoints}}, 10, 'the endpoints');
is(ask('/bare')->{status}, 200, 'without a slash');
is(ask('/bare/workers')->{status}, 200, 'and with one');


# problems

sub problem {
    my ($status, $path, %opt) = @_;
    my $r = ask($path, %opt);
    is($r->{status}, $status, "$path: $status");
    is($r->{header}{'content-type'}, 'application/problem+json',
       "$path: is a problem");
    is(eval { JSON::PP::decode_json($r->{body})->{status} }, $status,
       "$path: which says so");
    return $r;
}

problem(404, "/status/$_")
    for qw(nothing streams/9999999 streams/x streams/ rovers/0 users/nobody
           accounts/99 accounts/1x workers/1 metrics/x);
problem(404, '/bareworkers');
problem(400, "/status/rovers?$_")
    for qw(limit=0 limit=1001 limit=x limit= cursor=x), join '&', ('a=b') x 9;
problem(400, '/status/users?cursor=-1');
my $r = problem(405, '/status/rovers', method => 'DELETE');
is($r->{header}{allow}, 'GET, HEAD', 'Allow');
is(ask('/bare', method => 'POST')->{status}, 403, 'limit_except');


# HEAD, ETag

$r = ask('/status/accounts');
my $head = ask('/status/accounts', method => 'HEAD');
is($head->{body}, '', 'HEAD');
is($head->{header}{'content-length'}, length $r->{body}, 'its length');
like($r->{header}{etag}, qr/^"[0-9a-f]{32}"$/, 'ETag');
my $match = "If-None-Match: $r->{header}{etag}\r\n";
is(ask('/status/accounts', head => $match)->{status}, 304, 'the same: 304');
$n->sql("UPDATE source SET note = 'other' WHERE name = 'a4'");
is(ask('/status/accounts', head => $match)->{status}, 200, 'another one: 200');


# Prometheus, by its own judge

$r = ask('/status/metrics');
like($r->{header}{'content-type'}, qr{^text/plain; version=0\.0\.4}, 'text');
like($r->{body}, qr/^ntrip_logins_total 13$/m, 'a counter');
like($r->{body}, qr/^ntrip_rovers\{mount="M1",fix="fixed"\} 6$/m, 'a gauge');
like($r->{body}, qr/^ntrip_accounts\{pool="default",state="used"\} 2$/m,
     'accounts');
open my $promtool, '|-', "promtool check metrics > $t->{dir}/promtool.out 2>&1"
    or die "promtool: $!\n";
print $promtool $r->{body};
ok(close $promtool, 'promtool check metrics')
    or diag(read_file($t->path('promtool.out')));

my $readme = read_file('README.md');
my %family = map { $_ => 1 } $r->{body} =~ /^# TYPE (\w+)/mg;
cmp_ok(keys %family, '>', 20, 'families of metrics');
like($readme, qr/`\Q$_\E[`{]/, "README: $_")
    for grep { !/_total$/ } sort keys %family;
like($readme, qr/`$_`/, "README: $_") for sort keys %$counters;


# a worker dies while lists are made

my @waiting = map { $t->connect('web') } 1 .. 8;
print $_ "GET /status/users?limit=1000&q=x HTTP/1.0\r\n\r\n" for @waiting;
my ($victim) = $t->pids;
$t->kill_worker($victim);
my $whole = grep { my $all = Fieldgate::read_all($_);
                   $all =~ /^HTTP\S+ 200/ && $all =~ /\}\n?$/ } @waiting;
note("$whole of 8 came whole");
is(@{get('workers')->{items}}, 2, 'lists go on');
is(get('counters')->{logins}, 13, 'and counters');
is(scalar(all('users', 1000)), $users + 1, 'of the database, too');


# nothing to tell

my $alone = Fieldgate->new(workers => 1, http => <<'END');
    server {
        listen 127.0.0.1:%%PORT:web%%;
        location /status { ntrip_status; }
    }
END
$alone->start;
like($alone->get('web', '/status/rovers'), qr/^HTTP\/1\.1 503 /,
     'without an ntrip_zone');

done_testing;
