# cwmp_status: sessions and devices: who is where, when it came last, and how its
# last wake-up went.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Affinity;
use Fieldgate::ConnectionRequest;
use Fieldgate::CPE;
use Fieldgate::Env qw(read_file);
use Fieldgate::OpenApi qw(differs);
use Fieldgate::Wakeup;
use JSON::PP ();

my $http = <<'END';
    cwmp_zone cwmp:%%SIZE%%;

    upstream acs {
        server 127.0.0.1:%%PORT:acs1%%;
        server 127.0.0.1:%%PORT:acs2%%;
        cwmp_affinity;
    }

    server {
        listen 127.0.0.1:%%PORT:cpe%%;
        cwmp on;
        cwmp_public_url http://127.0.0.1:%%PORT:acs%%/client;
        cwmp_origin_allow 127.0.0.1;
        proxy_http_version 1.1;
        proxy_set_header Connection "";

        location / { proxy_pass http://acs; }
        location /ok { proxy_pass http://127.0.0.1:%%PORT:acs%%; }
        location /no { proxy_pass http://127.0.0.1:%%PORT:acs%%; }
    }

    server {
        listen 127.0.0.1:%%PORT:acs%%;
        location /ok { return 200; }
        location /no { return 401; }
        location /client {
            cwmp_connection_request;
            cwmp_origin_allow 127.0.0.1;
        }
        %%STATUS%%
    }
END
my $status = 'location /status/ { cwmp_status; }';

sub conf { $http =~ s/%%SIZE%%/$_[0]/r =~ s/%%STATUS%%/$_[1]/r }

my $t = Fieldgate->new(workers => 2, http => conf('1m', $status));
acs($t, rpcs => 2);
$t->start;
my $acs = Fieldgate::Wakeup->new($t);

sub get {
    my ($path, %opt) = @_;
    return $acs->wake('', target => "/status/$path", auth => undef, %opt);
}

sub json {
    my ($path) = @_;
    my $r = get($path);
    return eval { JSON::PP->new->utf8->decode($r->{body}) }
           // { error => "$path: $r->{status} $r->{body}" };
}

sub items { @{json(@_)->{items} // []} }

# an Inform with that URL, answered by nginx: /ok or /no

sub inform {
    my ($where, $device, $url) = @_;
    my $cpe = bless { o => { size => 0, url => $url }, device => $device },
              'Fieldgate::CPE';
    my $body = $cpe->message('inform');
    return $t->exchange('cpe', "POST $where HTTP/1.0\r\nContent-Length: "
                               . length($body) . "\r\n\r\n$body");
}


# nothing yet

is_deeply(json('devices'), { items => [], next => undef }, 'no devices');
is_deeply(json('sessions'), { items => [], next => undef }, 'no sessions');

# a session

my $before = time;
my $s = $t->connect('cpe');
post($s, 'inform', 'D1');
my $head = answer($s);

my ($session, @more) = items('sessions');
is(scalar @more, 0, 'a session');
is($session->{device}, '00D09E-Box-D1', 'of the device');
is("$session->{oui} $session->{product_class} $session->{serial}",
   '00D09E Box D1', 'by its parts');
like($session->{id}, qr/^[0-9a-f]{32}$/, 'it has a name');
is($session->{upstream}, 'acs', 'the upstream');
is($session->{server}, '127.0.0.1:' . $t->port(server_of($head)),
   'where it is');
ok((grep { $_ == $session->{owner} } $t->pids), 'and the worker');
cmp_ok($session->{expires}, '>', time, 'it lasts');
is(scalar items('sessions?device=00D09E-Box-D1&server=' . $session->{server}),
   1, 'found by two fields');
is(scalar items('sessions?device=00D09E-Box-D1&server=x'), 0, 'both count');

close $s;
wait_closed($t, $head);
wait_for(sub { my ($left) = items('sessions');
               return $left && !defined $left->{owner} },
         'the session to be left');
$s = $t->connect('cpe');
post($s, $_, 'D1', cookie_of($head)), answer($s) for qw(empty response response);
wait_for(sub { !items('sessions') }, 'the session to be over');
pass('which ends');

my ($device) = items('devices');
is($device->{id}, '00D09E-Box-D1', 'the device stays');
ok($device->{informed} >= $before && $device->{informed} <= time,
   'when it came');
is($device->{informs}, 1, 'how often');
is($device->{origin}, '127.0.0.1:7547', 'where it is called');
like($device->{events}, qr/^\d /, 'why it came');
is_deeply([ @$device{qw(woken result took)} ], [ undef, undef, undef ],
          'not woken yet');
unlike(get('devices')->{body}, qr{/D1|http:}, 'no URL');

# who is not let in is none

inform('/no', 'stranger', 'http://127.0.0.1:7547/');
is(scalar items('devices'), 1, 'whom the ACS refuses is no device');

# its wake-ups, by whichever worker

my $cpe = Fieldgate::ConnectionRequest->new;
inform('/ok', 'woken', $cpe->url . '?a=1&b=2');
my ($woken) = items('devices?serial=woken');
is($woken->{result}, undef, 'a device with another URL');
is($acs->wake($cpe->url . '?a=1&b=2')->{status}, 200, 'is woken');
($woken) = items('devices?serial=woken');
is($woken->{result}, 'ok', 'the result');
ok($woken->{woken} >= $before && $woken->{woken} <= time, 'when');
like($woken->{took}, qr/^\d+(\.\d+)?$/, 'how long it took');

$cpe->set(status => 503);
$acs->wake($cpe->url . '?a=1&b=2');
is((items('devices?serial=woken'))[0]{result}, 'busy', 'the last one counts');
$acs->wake($cpe->url);
is((items('devices?serial=woken'))[0]{result}, 'busy',
   'that of another URL is none of it');
$acs->wake($cpe->url . '?a=1&b=2', auth => undef);
is((items('devices?serial=woken'))[0]{result}, 'busy',
   'nor one that was refused before the call');
is(scalar items('devices?result=busy'), 1, 'found by the result');
is(scalar items('devices?result=null'), 1, 'and by none');

# pages

inform('/ok', sprintf('P%03d', $_), 'http://127.0.0.1:1/') for 1 .. 250;
my (@all, $cursor, $pages);
do {
    my $page = json('devices?limit=100'
                    . (defined $cursor ? "&cursor=$cursor" : ''));
    push @all, map { $_->{id} } @{$page->{items}};
    cmp_ok(scalar @{$page->{items}}, '<=', 100, 'a page');
    $cursor = $page->{next};
} while (defined $cursor && ++$pages < 10);
my %seen;
$seen{$_}++ for @all;
is(scalar @all, 252, 'all devices');
is(scalar keys %seen, 252, 'each once');
is(scalar items('devices'), 100, '100 by default');
is(scalar items('devices?limit=1000'), 252, 'or as many as are wanted');
is(scalar items('devices?limit=1000&q=box-p00'), 9, 'q: a part, in any case');
is(scalar items('devices?limit=1000&serial=P001&oui=00D09E'), 1, 'two fields');
is(scalar items('devices?limit=1000&nothing=x'), 0, 'a field there is not');
is(json('devices/00D09E-Box-P007')->{serial}, 'P007', 'one by its id');

# conf/cwmp-openapi.json: each answer has the fields that it says, and no other

my $api = JSON::PP->new->utf8->decode(read_file('conf/cwmp-openapi.json'));
my $open = $t->connect('cpe');
post($open, 'inform', 'P007');
answer($open);
for my $name (qw(sessions devices devices/00D09E-Box-P007 counters)) {
    my $path = $api->{paths}{'/' . $name =~ s{/.*}{/{id}}r};
    my $answer = json($name);
    ok(!exists $answer->{items} || @{$answer->{items}}, "$name: there is one");
    is_deeply([differs($api, $answer, $path->{get}{responses}{200}{content}
                                      {'application/json'}{schema}, $name)],
              [], "$name: as it says");
}
close $open;

# manners

for my $case (['devices/nobody', 404], ['nothing', 404], ['sessions/x', 404],
              ['devices?limit=0', 400], ['devices?limit=1001', 400],
              ['devices?cursor=x', 400],
              ['devices?' . join('&', map { "a$_=1" } 1 .. 9), 400])
{
    my ($path, $code) = @$case;
    my $r = get($path);
    is($r->{status}, $code, "$path: $code");
    is_deeply($r->{headers}{'content-type'}, ['application/problem+json'],
              'a problem');
    is(JSON::PP::decode_json($r->{body})->{status}, $code, 'that says so');
}
my $r = get('devices', method => 'POST', headers => "Content-Length: 0\r\n");
is($r->{status}, 405, 'POST');
is_deeply($r->{headers}{allow}, ['GET, HEAD'], 'Allow');
$r = get('devices/00D09E-Box-P007');
my $etag = $r->{headers}{etag}[0];
like($etag, qr/^"[0-9a-f]{32}"$/, 'ETag');
is(get('devices/00D09E-Box-P007', headers => "If-None-Match: $etag\r\n")
   ->{status}, 304, 'If-None-Match');
is(get('devices', method => 'HEAD')->{body}, '', 'HEAD');

# names come from outside

inform('/ok', "a&lt;b&quot;\\c\xc3\xa9\xff\xc3(", 'http://127.0.0.1:1/');
my ($odd) = items('devices?limit=1000&q=%C3%A9');
is($odd->{serial}, "a<b\"\\c\x{e9}\x{fffd}\x{fffd}(", 'whatever is in them');

# deaths and reloads

$t->kill_worker(($t->pids)[0]);
is(scalar items('devices?limit=1000'), 253, 'a killed worker loses none');
$t->reload(gone => 1);
is((items('devices?serial=woken'))[0]{result}, 'busy', 'nor does a reload');

# a full table

$t = Fieldgate->new(workers => 2, http => conf('64k', ''));
$t->start;
$acs = Fieldgate::Wakeup->new($t);
$t->reload(http => conf('64k', $status));
like($t->error_log, qr/zone "cwmp" was made without "cwmp_status": it has room /,
     'a zone without room for devices says so');
my $rows = json('counters')->{tables}{devices}{rows};
cmp_ok($rows, '>', 0, 'some fit in');
inform('/ok', "F$_", 'http://127.0.0.1:1/') for 1 .. $rows + 3;
is(scalar items('devices?limit=1000'), $rows, 'when it is full');
is_deeply([ map { get("devices/00D09E-Box-F$_")->{status} } 3, 4, $rows + 3 ],
          [ 404, 200, 200 ], 'those go that have been silent for longest');

done_testing;
