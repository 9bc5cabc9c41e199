# cwmp_admission: how many sessions may begin at an upstream, by all workers.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Affinity;
use Fieldgate::Env qw(read_file);
use JSON::PP ();

my $t = Fieldgate->new(workers => 2, http => <<'END');
    cwmp_zone cwmp:1m;
    cwmp on;
    cwmp_public_url http://acs-side.example/client;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    log_format cwmp '$cwmp_serial|$cwmp_method|$status|$cwmp_admission|'
                    '$upstream_addr';

    map $http_x_allowed $allowed { default 1; no 0; }

    upstream rate {
        cwmp_admission rate=1r/m burst=1;
        server 127.0.0.1:%%PORT:acs1%%;
        cwmp_affinity;
    }

    upstream again {
        server 127.0.0.1:%%PORT:acs1%%;
        cwmp_affinity;
        cwmp_admission burst=1 rate=1r/m;
    }

    upstream requests {
        server 127.0.0.1:%%PORT:acs1%%;
        cwmp_affinity;
        cwmp_admission rate=1r/m burst=1;
    }

    upstream sessions {
        server 127.0.0.1:%%PORT:acs1%%;
        cwmp_affinity;
        cwmp_admission sessions=2;
    }

    upstream digest {
        server 127.0.0.1:%%PORT:acs2%%;
        cwmp_affinity;
        cwmp_admission rate=1r/m;
    }

    upstream closing {
        server 127.0.0.1:%%PORT:acs2%%;
        cwmp_affinity;
        cwmp_admission rate=1r/m;
    }

    upstream open {
        server 127.0.0.1:%%PORT:acs2%%;
        cwmp_affinity;
    }

    server {
        listen 127.0.0.1:%%PORT:cpe%%;
        listen 127.0.0.1:%%PORT:h2%% http2;
        access_log %%DIR%%/access.log cwmp;
        set $acs rate;

        location / { proxy_pass http://$acs; }

        location /require {
            cwmp_require $allowed;
            proxy_pass http://again;
        }

        location /requests { proxy_pass http://requests; }
        location /sessions { proxy_pass http://sessions; }
        location /digest { proxy_pass http://digest; }
        location /closing { proxy_pass http://closing; }

        location /elsewhere {
            error_page 503 = @open;
            proxy_pass http://rate;
        }

        location @open { proxy_pass http://open; }

        location = /status { cwmp_status; cwmp off; access_log off; }
    }
END

acs($t);
$t->start;

sub status_of { my ($status) = shift =~ m{^HTTP/1.1 (\d+)}; return $status }

# an Inform with these events, as the only request of its connection

sub inform {
    my ($uri, $device, $events, @headers) = @_;
    my $body = message('inform', $device);
    $body =~ s{2 PERIODIC}{$events} if defined $events;
    return $t->exchange('cpe', join("\r\n", "POST $uri HTTP/1.1", 'Host: x',
        'Connection: close', 'Content-Length: ' . length $body, @headers)
        . "\r\n\r\n$body");
}

sub status {
    my ($body) = $t->get('cpe', '/status') =~ /\r\n\r\n(.*)/s;
    return JSON::PP::decode_json($body);
}

# ---- rate ----

my $first = $t->connect('cpe');
post($first, 'inform', 'A1');
my $head = answer($first);
is(status_of($head), 200, 'a session begins');
is(status_of(inform('/', 'A2')), 200, 'so does another one by "burst"');

wait_for(sub { report($t, 'acs1')->{open} == 1 }, 'the second to leave');
my $before = status();
my $asked = report($t, 'acs1')->{conns};
for my $device (qw(A3 A4 A5 A6)) {
    my $reply = inform('/', $device);
    is(status_of($reply), 503, "$device is too much");
    my ($after) = $reply =~ /^Retry-After: (\d+)\r$/m;
    ok($after && $after >= 5 && $after <= 30, 'and comes again later')
        or diag($reply);
}
my $after = status();
is($after->{tables}{sessions}{used}, $before->{tables}{sessions}{used},
   'who is refused leaves no row');
is($after->{tables}{facts}{used}, $before->{tables}{facts}{used},
   'nor facts');
is(report($t, 'acs1')->{conns}, $asked, 'nor has the ACS seen a connection');
is($after->{admissions}{passed}, 2, 'two passed');
is($after->{admissions}{limited}, 4, 'four did not');

# a session under way goes on, on its connection and on another one

post($first, 'empty', 'A1', cookie_of($head));
my $asks = answer($first);
is(status_of($asks), 200, 'a session under way goes on');
is(conn_of($asks), conn_of($head), 'on its connection');
close $first;
wait_closed($t, $head);
my $second = $t->connect('cpe');
post($second, 'response', 'A1', cookie_of($head));
is(status_of(answer($second)), 204, 'and on another one to its end');

# the next session on the same connection is a new one

post($second, 'inform', 'A1', cookie_of($head));
is(status_of(answer($second)), 503, 'the next one on that is judged');
close $second;

# whoever is refused on a connection that somebody else's session uses

my $shared = $t->connect('cpe');
post_to('/sessions', $shared, 'inform', 'B1');
$head = answer($shared);
post_to('/', $shared, 'inform', 'B2');
is(status_of(answer($shared)), 503, 'one that shares a connection is refused');
post_to('/sessions', $shared, 'empty', 'B1', cookie_of($head));
$asks = answer($shared);
is(status_of($asks), 200, 'the other one goes on');
is(conn_of($asks), conn_of($head), 'where it was');
post_to('/sessions', $shared, 'response', 'B1', cookie_of($head));
is(status_of(answer($shared)), 204, 'to its end');
close $shared;

# other events first

is(status_of(inform('/', 'C0', $_)), 503, "$_ is held off")
    for '0 BOOTSTRAP', '1 BOOT', '4 VALUE CHANGE';
is(status_of(inform('/', 'C' . ord, $_)), 200, "$_ goes first")
    for '6 CONNECTION REQUEST', '7 TRANSFER COMPLETE',
        '8 DIAGNOSTICS COMPLETE', 'M Reboot';

# ---- what comes before, and another upstream in its place ----

is(status_of(inform('/require', 'D1', undef, 'X-Allowed: no')), 403,
   'cwmp_require comes first') for 1 .. 3;
is(status_of(inform('/require', 'D2')), 200, 'and takes no place');
is(status_of(inform('/require', 'D3')), 200, 'of which there are two');
is(status_of(inform('/require', 'D4')), 503, 'and no more');

$head = inform('/elsewhere', 'D5');
is(server_of($head), 'acs2', 'error_page leads to another ACS');
unlike($head, qr/Retry-After/, 'which does not say when to come again');

# ---- bodies in any form; a connection is left as it was ----

my $body = message('inform', 'E1');
my $chunked = join '', map { sprintf "%x\r\n%s\r\n", length, $_ }
                           $body =~ /(.{1,97})/gs;
my $pieces = $t->connect('cpe');
print $pieces "POST /requests HTTP/1.1\r\nHost: x\r\n"
              . "Transfer-Encoding: chunked\r\n\r\n";
for my $piece ($chunked =~ /(.{1,400})/gs) {
    print $pieces $piece;
    select undef, undef, undef, 0.005;
}
print $pieces "0\r\n\r\n";
is(status_of(answer($pieces)), 200, 'in chunks and pieces');
is(status_of(inform('/requests', 'E2')), 200, 'whole');
my $again = $t->connect('cpe');
for my $n (1 .. 3) {
    print $again "POST /requests HTTP/1.1\r\nHost: x\r\n"
                 . "Transfer-Encoding: chunked\r\n\r\n"
                 . $chunked =~ s/E1/E3/r . "0\r\n\r\n";
    is(status_of(answer($again)), 503, "refused in chunks, $n");
}
print $again "GET /status HTTP/1.1\r\nHost: x\r\n\r\n";
is(status_of(answer($again)), 200, 'on a connection that serves others');
close $_ for $again, $pieces;

$t->write('inform.xml', $body =~ s/E1/E4/r);
my $h2 = `curl -s -o /dev/null -w '%{http_version} %{http_code}' \\
    --http2-prior-knowledge --data-binary \@@{[$t->path('inform.xml')]} \\
    http://127.0.0.1:@{[$t->port('h2')]}/requests`;
is($h2, '2 503', 'with HTTP/2');

# ---- sessions ----

sub begin {
    my ($device) = @_;
    my $s = $t->connect('cpe');
    post_to('/sessions', $s, 'inform', $device);
    my $head = answer($s);
    return ($s, status_of($head), $head);
}

sub end {
    my ($s, $head) = @_;
    post_to('/sessions', $s, 'empty', 'x', cookie_of($head));
    answer($s);
    post_to('/sessions', $s, 'response', 'x', cookie_of($head));
    return status_of(answer($s));
}

my @s = map { [begin("F$_")] } 1, 2;
is("$s[0][1] $s[1][1]", '200 200', 'two at a time');
is((begin('F3'))[1], 503, 'the third is too many, from any worker')
    for 1 .. 6;
is(end(@{$s[0]}[0, 2]), 204, 'when one is over');
$s[2] = [begin('F3')];
is($s[2][1], 200, 'the third begins');
is((begin('F4'))[1], 503, 'and no other');
post_to('/sessions', $s[2][0], 'inform', 'F3');
is(status_of(answer($s[2][0])), 200, 'but it may begin anew in its own place');
is((begin('F4'))[1], 503, 'which is one');
close $s[1][0];
wait_for(sub { $s[3] = [begin('F4')]; $s[3][1] == 200 },
         'the place of one that has left');

$t->reload;
is((begin('F5'))[1], 503, 'those of the old workers count after a reload');
close $_->[0] for @s;

# each worker is killed; whatever had sessions there has none

my @begun;
sub two {
    my ($name) = @_;
    wait_for(sub { my ($s, $st) = begin($name . @begun);
                   push @begun, $s if $st == 200;
                   return @begun == 2 }, 'two places');
    is((begin("${name}9"))[1], 503, 'no more than two');
}

two('G');
$t->kill_worker($_) for $t->pids;
@begun = ();
two('K');
@begun = ();

# ---- 401 ----

acs($t, auth => ['cpe', 'secret']);

sub digest {
    my ($head) = @_;
    my ($value) = $head =~ /^WWW-Authenticate: Digest (.*?)\r$/mi;
    my %v = map { /(\w+)="(.*)"/ ? ($1 => $2) : () }
            ($value // '') =~ /(\w+="[^"]*")/g;
    my $cpe = bless { o => { auth => ['cpe', 'secret'], uri => '/digest' },
                      challenge => { %v, qop => 'auth' } }, 'Fieldgate::CPE';
    return 'Authorization: ' . $cpe->digest('');
}

my $cpe = $t->connect('cpe');
post_to('/digest', $cpe, 'inform', 'H1');
is(status_of($head = answer($cpe)), 401, 'the ACS asks for credentials');
is(status_of(inform('/digest', 'H2')), 503, 'no other may begin');
post_to('/digest', $cpe, 'inform', 'H1', digest($head));
is(status_of(answer($cpe)), 200, 'the Inform that was asked for may');
close $cpe;

is(status_of(inform('/closing', 'I1')), 401, 'asked on a connection that ends');
is(status_of(inform('/closing', 'I1')), 401, 'it comes again on another one');
is(status_of(inform('/closing', 'I2')), 503, 'as nobody else may');

$t->stop;

my @log = split /\n/, read_file($t->path('access.log'));
is(scalar(grep { m{^A[12]\|Inform\|200\|passed\|127} } @log), 2,
   '$cwmp_admission of who passed');
is(scalar(grep { m{^A[3-6]\|Inform\|503\|limited\|-$} } @log), 4,
   'and who did not, with no upstream');
is(scalar(grep { m{^A1\|(?:empty|GetParameterValuesResponse)\|20[04]\|-\|} }
          @log), 2, 'none of a message behind an Inform');
is(scalar(grep { m{^B1\|(?:empty|GetParam\w+)\|} } @log), 2,
   'whose device is still its own');

my @refused = grep { /is refused with 503/ } split /\n/, $t->error_log;
is(scalar(grep { /CPE "00D09E-Box-A3" is refused with 503: the rate of "cwmp_admission" in \S+:\d+, 1 refused since/ } @refused),
   1, 'the log says who was refused first');
cmp_ok(scalar(@refused), '<=', 8, 'and not each of them');

# ---- what nginx -t says ----

sub conf {
    my ($admission, %o) = @_;
    return ($o{zone} // 'cwmp_zone cwmp:1m;') . ($o{on} // 'cwmp on;')
        . ' cwmp_public_url http://a.example/;'
        . 'upstream acs { server 127.0.0.1:1; '
        . ($o{affinity} // 'cwmp_affinity;')
        . " $admission }\nserver { location / { proxy_pass http://acs; } }";
}

for my $case (['nothing', conf('cwmp_admission;'),
               qr/"cwmp_admission" directive needs a "rate" or a number of/],
              ['burst alone', conf('cwmp_admission burst=5;'),
               qr/"cwmp_admission" directive has a "burst" without a "rate"/],
              ['burst with sessions', conf('cwmp_admission burst=5 sessions=3;'),
               qr/has a "burst" without a "rate"/],
              (map { ["$_", conf("cwmp_admission $_;"),
                      qr/invalid parameter "\S+" in \S+:\d+/] }
                   'rate=0r/s', 'rate=5', 'rate=r/s', 'rate=5r/h', 'rate=',
                   'rate=5r/s rate=6r/s', 'rate=5r/s burst=x',
                   'rate=5r/s burst=-1', 'rate=5r/s burst=1 burst=2',
                   'sessions=0', 'sessions=x', 'sessions=1 sessions=2',
                   'rate=99999999999r/s', 'delay=3'),
              ['twice', conf('cwmp_admission sessions=1; '
                             . 'cwmp_admission sessions=1;'),
               qr/"cwmp_admission" directive is duplicate/],
              ['no zone', conf('cwmp_admission sessions=1;', zone => ''),
               qr/"cwmp_admission" needs a "cwmp_zone", .* in \S+:\d+/],
              ['no affinity', conf('cwmp_admission sessions=1;',
                                   affinity => ''),
               qr/needs "cwmp_affinity" in the same upstream in \S+:\d+/],
              ['cwmp off', conf('cwmp_admission sessions=1;', on => ''),
               qr/needs "cwmp on", .* in \S+:\d+/],
              ['elsewhere', 'cwmp_admission sessions=1;',
               qr/"cwmp_admission" directive is not allowed here/])
{
    my ($name, $http, $says) = @$case;
    my ($status, $out) = $t->check(http => $http);
    is($status, 1, "$name: refused");
    like($out, $says, "$name: explained");
}

is(($t->check(http => conf('cwmp_admission rate=30r/m burst=0 sessions=7;')))[0],
   0, 'all of them are accepted');

done_testing;
