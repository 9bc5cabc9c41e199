# ntrip_api: users, accounts and stations made, changed and deleted over HTTP;
# kicks and tests; who may not.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Env qw(read_file write_file);
use Fieldgate::Ntrip;
use Fieldgate::OpenApi qw(differs);
use Fieldgate::Affinity ();
use JSON::PP ();
use MIME::Base64 qw(encode_base64);

my $n = Fieldgate::Ntrip->new(workers => 2, users => 5, accounts => 2,
                              http => <<'END');
    server {
        listen 127.0.0.1:%%PORT:web%%;
        location /api/ {
            ntrip_status;
            ntrip_api on;
            allow 127.0.0.1;
            deny all;
        }
        location /small/ {
            ntrip_status;
            ntrip_api unguarded;
            client_body_buffer_size 8;
        }
        location /filed/ {
            ntrip_status;
            ntrip_api unguarded;
            client_body_in_file_only clean;
        }
        location /known/ {
            ntrip_status;
            ntrip_api on;
            auth_basic x;
            auth_basic_user_file %%DIR%%/operators;
        }
        location /read/ { ntrip_status; }
    }
END
my ($t, $provider) = ($n->nginx, $n->provider);
my $json = JSON::PP->new->utf8->canonical;

# status, and what the body is

sub ask {
    my ($method, $path, $body, $head) = @_;
    $body = $json->encode($body) if ref $body;
    $head //= defined $body ? "Content-Type: application/json\r\n" : '';
    $head .= 'Content-Length: ' . length($body) . "\r\n" if defined $body;
    my $reply = $t->exchange('web', "$method /api/$path HTTP/1.0\r\n"
                             . "Host: caster.example\r\n$head\r\n"
                             . ($body // ''));
    my ($status, $text) = $reply =~ m{^HTTP/1\.1 (\d+) .*?\r\n\r\n(.*)}s
        or die "$method $path: $reply";
    return ($status, $text eq '' ? undef : eval { $json->decode($text) });
}

sub is_problem {
    my ($status, $what, @request) = @_;
    my ($got, $body) = ask(@request);
    is($got, $status, "$what: $status");
    is($body->{status}, $status, "$what: a problem");
    return $body->{detail};
}


# a request over HTTP/1.1, whose body comes when nginx has begun to read it: the
# status

sub slowly {
    my ($path, $head, $first, $rest) = @_;
    my $s = $t->connect('web');
    print $s "PATCH $path HTTP/1.1\r\nHost: caster.example\r\n"
             . "Connection: close\r\nContent-Type: application/json\r\n"
             . "Expect: 100-continue\r\n$head\r\n$first";
    Fieldgate::read_all($s, qr/100 Continue\r\n\r\n/);
    print $s $rest;
    my ($status) = Fieldgate::read_all($s) =~ m{^HTTP/1\.1 (\d+) };
    return $status;
}


# users, once the database is open

wait_for(sub { (ask('GET', 'users'))[0] == 200 }, 'the database');

my ($status, $user) = ask('POST', 'users', {
    name => "n\x{e9}w \"1\"", password => 'secret', max_sessions => 2,
    mounts => 'M0', note => 'a note', quota_bytes => 10 });
is($status, 201, 'POST users');
is_deeply([@{$user}{qw(name max_sessions mounts note quota_bytes sessions)}],
          ["n\x{e9}w \"1\"", 2, 'M0', 'a note', 10, 0], 'what there is now');
ok(!exists $user->{password}, 'without its password');
like($n->sql("SELECT password FROM user WHERE note = 'a note'"), qr/^\$6\$/,
     'which is stored as a hash');
$t->wait_log(qr/\[notice\] .*ntrip api: POST users, "n\xc3\xa9w \\"1\\"", by/);

my $path = 'users/n%C3%A9w%20%221%22';
($status, $user) = ask('PATCH', $path, { note => 'other', expires_at => 4e9 });
is($status, 200, 'PATCH');
is_deeply([@{$user}{qw(note expires_at max_sessions)}],
          ['other', 4000000000, 2], 'what was named, and nothing else');
($status, $user) = ask('PATCH', $path, { name => 'renamed' });
is($user->{name}, 'renamed', 'another name');
is_problem(404, 'the old one', 'PATCH', $path, { note => '' });
is_problem(409, 'one that is there', 'POST', 'users',
           { name => 'renamed', password => 'x' });
is((ask('DELETE', 'users/renamed'))[0], 204, 'DELETE');
is_problem(404, 'once', 'DELETE', 'users/renamed');


# a body in pieces, whatever they are kept in

my $note = 0;

for my $at (qw(api small filed)) {
    my $to = "/$at/users/u3";
    for my $case (
        ['behind its head', 'Content-Length: %d', 0],
        ['begun with its head', 'Content-Length: %d', 5],
        ['in chunks', 'Transfer-Encoding: chunked', 0],
    ) {
        my ($what, $head, $first) = @$case;
        my $body = sprintf '{"note":"%s %d"}', 'x' x 40, ++$note;
        $head = $head =~ s/%d/length $body/er . "\r\n";
        my $rest = substr $body, $first;
        $rest = join('', map { sprintf "%x\r\n%s\r\n", length, $_ }
                     unpack '(a7)*', $rest) . "0\r\n\r\n"
            if $head =~ /chunked/;
        is(slowly($to, $head, substr($body, 0, $first), $rest), 200,
           "$at: a body $what");
        like((ask('GET', 'users/u3'))[1]{note}, qr/^x{40} $note\z/,
             'is the whole of it');
    }
}


# one that asks for it only if something is so is not heard

is_problem(412, $_, 'PATCH', 'users/u3', { note => 'never' },
           "Content-Type: application/json\r\n$_\r\n")
    for 'If-Match: "x"', 'If-Match: *', 'If-None-Match: *',
        'If-Unmodified-Since: Mon, 05 Jan 2026 00:00:00 GMT';
is_problem(412, 'DELETE', 'DELETE', 'users/u3', undef, "If-Match: *\r\n");
like((ask('GET', 'users/u3'))[1]{note}, qr/^x+ $note\z/, 'nothing was changed');
unlike($t->exchange('web', "PATCH /api/users/u3 HTTP/1.0\r\n"
                    . "Host: caster.example\r\n"
                    . "Content-Type: application/json\r\n"
                    . "Content-Length: 13\r\n\r\n{\"note\":\"yes\"}"),
       qr/^ETag:/mi, 'what a change says has no ETag');


# a user that the API has made logs in; one that it changes is out

ask('POST', 'users', { name => 'u77', password => 'p77' });
my $rovers = $n->rovers(1, 2, 77);
$rovers->wait_for(fed => 3);
ask('PATCH', 'users/u77', { password => 'changed77' });
wait_for(sub { $rovers->seen->{open} == 2 }, 'u77 to be out');

my ($row) = grep { $_->{user} eq 'u1' } @{(ask('GET', 'rovers'))[1]{items}};
is((ask('POST', "rovers/$row->{id}/kick", {}))[0], 204, 'kick');
wait_for(sub { $rovers->seen->{open} == 1 }, 'u1 to be out');
is($rovers->seen->{rovers}{u2}{state}, 'data', 'nobody else is');
is_problem(404, 'kick once', 'POST', "rovers/$row->{id}/kick", {});


# accounts

my ($made, $account) = ask('POST', 'accounts', {
    host => '127.0.0.1', name => 'a9', password => 's9', pool => 'west' });
is($made, 201, 'POST accounts');
is_deeply([@{$account}{qw(host port name pool state)}, $account->{pools}],
          ['127.0.0.1', 0, 'a9', 'west', 'free', ['west']],
          'what there is now');
is_problem(409, 'the same', 'POST', 'accounts',
           { host => '127.0.0.1', name => 'a9', password => 's9' });
is((ask('PATCH', "accounts/$account->{id}", { pool => 'default' }))[1]{pool},
   'default', 'moved to another pool');
wait_for(sub { (ask('POST', "accounts/$account->{id}/test", { mount => 'M0' }))
               [0] == 200 }, 'the pool to be known');
is((ask('POST', "accounts/$account->{id}/test", {}))[1]{result}, 'ICY 200 OK',
   'test');
wait_for(sub { (ask('POST', "accounts/$account->{id}/rest", { seconds => 600 }))
               [0] == 204 }, 'rest, once the test has let go of it');
my $resting = (ask('GET', "accounts/$account->{id}"))[1];
is($resting->{state}, 'resting', 'it does');
ok($resting->{rest} > 500 && $resting->{rest} <= 600, 'so long');
is((ask('POST', "accounts/$account->{id}/rest", { seconds => 0 }))[0], 204,
   'rest no longer');
is((ask('GET', "accounts/$account->{id}"))[1]{state}, 'free', 'it is free');
is_problem(400, "rest for $_", 'POST', "accounts/$account->{id}/rest", $_)
    for '{}', '{"seconds":-1}', '{"seconds":1e9}', '{"seconds":"1"}';
is_problem(404, 'rest of none', 'POST', 'accounts/9999/rest', { seconds => 1 });
wait_for(sub { grep { $_->{state} eq 'used' } @{(ask('GET', 'accounts'))[1]{items}} },
         'an account to be in use');
my ($busy) = grep { $_->{state} eq 'used' } @{(ask('GET', 'accounts'))[1]{items}};
is_problem(409, 'rest of one in use', 'POST', "accounts/$busy->{id}/rest",
           { seconds => 1 });
is((ask('DELETE', "accounts/$account->{id}"))[0], 204, 'DELETE');
is_problem(404, 'test of none', 'POST', "accounts/$account->{id}/test", {});


# stations

my ($new, $station) = ask('POST', 'stations',
                          { mount => 'BASE', password => 'x' });
is($new, 201, 'POST stations');
is($station->{mount}, 'BASE', 'what there is now');
is((ask('DELETE', 'stations/BASE'))[0], 204, 'DELETE');


# conf/ntrip-openapi.json: each answer has the fields that it says, and no other

my $api = $json->decode(read_file('conf/ntrip-openapi.json'));

ask('POST', 'stations', { mount => 'BASE', password => 'x' });

my %paths = map { m{^/(\w+)$} ? ($1 => 1) : () } keys %{$api->{paths}};
is_deeply([sort keys %paths], [sort @{(ask('GET', ''))[1]{endpoints}}],
          'it has every endpoint');

wait_for(sub { @{(ask('GET', 'usage'))[1]{items}} }, 'usage to be written');

for my $name (grep { $_ ne 'metrics' } sort keys %paths) {
    my ($got, $answer) = ask('GET', $name);
    ok($name =~ /^(?:counters|trace)\z/ || @{$answer->{items}},
       "$name: there is one");
    my $schema = $api->{paths}{"/$name"}{get}{responses}{200}{content}
                 {'application/json'}{schema};
    is_deeply([differs($api, $answer, $schema, $name)], [],
              "$name: as it says");
}

ask('DELETE', 'stations/BASE');


# what is not right

for my $case (
    ['no JSON', '{'], ['a list', '[]'], ['two objects', '{} {}'],
    ['nothing', '{}'], ['no such column', { sessions => 1 }],
    ['a number for a text', { note => 1 }], ['a text for a number',
     { max_sessions => '1' }], ['too few', { max_sessions => -1 }],
    ['a fraction', '{"max_sessions":1.5}'], ['twice',
     '{"note":"a","note":"b"}'], ['a colon', { name => 'a:b' }],
    ['no name', { name => '' }], ['a control', { note => "a\nb" }],
    ['too long', { password => 'x' x 256 }], ['null', { note => undef }],
    ['no area', { area => '91,0,1' }],
) {
    my ($what, $body) = @$case;
    like(is_problem(400, $what, 'PATCH', 'users/u2', $body), qr/\w/,
         "$what: why");
}
is_problem(400, 'no password', 'POST', 'users', { name => 'x' });
is_problem(400, 'no host', 'POST', 'accounts', { name => 'x', password => '' });
is_problem(400, 'an empty host', 'POST', 'accounts',
           { name => 'x', password => '', host => '' });
is_problem(400, "mountpoint '$_'", 'POST', 'stations',
           { mount => $_, password => 'x' }) for 'A;B', 'A/B', 'A B';
is_problem(404, "account '$_'", 'PATCH', "accounts/$_", { note => 'x' })
    for '01', '1x', '+1', '1.0';
is_problem(405, 'POST to a user', 'POST', 'users/u2', {});
is_problem(405, 'DELETE of all', 'DELETE', 'users');
is_problem(405, 'PATCH of a rover', 'PATCH', 'rovers/1', {});
is_problem(404, 'no such endpoint', 'POST', 'nothing', {});
is_problem(413, 'a large body', 'PATCH', 'users/u2',
           { note => 'x' x 100_000 });

my $ours = "Content-Type: application/json; charset=utf-8\r\n";
is_problem(415, 'a form', 'PATCH', 'users/u2', 'note=x',
           "Content-Type: application/x-www-form-urlencoded\r\n");
is_problem(415, 'no type', 'PATCH', 'users/u2', '{"note":"x"}', '');
is_problem(403, "another site's Origin $_", 'PATCH', 'users/u2',
           '{"note":"x"}', "${ours}Origin: $_\r\n")
    for 'http://evil.example', 'null', 'http://caster.example:81',
        'http://caster.example.evil';
is_problem(403, 'DELETE from there', 'DELETE', 'users/u2', undef,
           "Origin: http://evil.example\r\n");
is((ask('PATCH', 'users/u2', '{"note":"x"}',
        "${ours}Origin: http://Caster.example\r\n"))[0], 200,
   'its own Origin');
like($t->exchange('web', "DELETE /read/users/u2 HTTP/1.0\r\n\r\n"),
     qr/^HTTP\/1\.1 405 /, 'without ntrip_api');
unlike($t->error_log, qr/secret|changed77|p77/, 'no password is logged');


# an account that was tested is named by its id, and who has done it is escaped

$t->write('operators', "a\"b:{PLAIN}x\n");
my $request = "POST /known/accounts/1/test HTTP/1.0\r\nHost: caster.example\r\n"
              . "${ours}Content-Length: 2\r\n";
like($t->exchange('web', "$request\r\n{}"), qr/^HTTP\/1\.1 401 /,
     'without credentials');
like($t->exchange('web', $request . 'Authorization: Basic '
                  . encode_base64('a"b:x', '') . "\r\n\r\n{}"),
     qr/^HTTP\/1\.1 200 .*"result":/s, 'with them');
like($t->error_log, qr/ntrip api: POST accounts\/test, "1", by "a\\"b"/,
     'and in the log');


# a worker that exits ends what it has begun: here it is another writer that it
# waits for

my $shell = IO::Handle->new;
my $shell_pid = open $shell, '|-', 'sqlite3', '-bail', $n->database
    or die "sqlite3: $!";
$shell->autoflush(1);
print $shell "BEGIN IMMEDIATE;\n.shell touch " . $t->path('begun') . "\n";
wait_for(sub { -e $t->path('begun') }, 'another writer');

my $late = $t->connect('web');
print $late "DELETE /api/users/u5 HTTP/1.1\r\nHost: caster.example\r\n\r\n";
$t->reload;
my $answer = Fieldgate::read_all($late);
like($answer, qr{^HTTP/1\.1 503 .*the database is unavailable}s,
     'a worker that exits answers');
print $shell "ROLLBACK;\n.quit\n";
close $shell;
$rovers->stop;


# who is known by a certificate alone, is not known without one

Fieldgate::Affinity::certificate($t);
$t->reload(gone => 1, http => <<'END');
    server {
        listen 127.0.0.1:%%PORT:web%%;
        listen 127.0.0.1:%%PORT:tls%% ssl;
        ssl_certificate %%DIR%%/tls.crt;
        ssl_certificate_key %%DIR%%/tls.key;
        ssl_client_certificate %%DIR%%/tls.crt;
        ssl_verify_client on;
        location /api/ {
            ntrip_status;
            ntrip_api on;
            if ($arg_if) { set $never 1; }
        }
    }
END

wait_for(sub { (ask('GET', 'users'))[0] == 200 }, 'the database');
is_problem(403, "DELETE, plain$_", 'DELETE', "users/u4$_") for '', '?if=1';

sub over_tls {
    my (@args) = @_;
    my $url = 'https://127.0.0.1:' . $t->port('tls') . '/api/users/u4';
    return `curl -sk -X DELETE -o /dev/null -w '%{http_code}' @args $url`;
}

is(over_tls(), 400, 'TLS without a certificate');
is(over_tls('--cert', $t->path('tls.crt'), '--key', $t->path('tls.key')), 204,
   'with one');


# the configuration

my %conf = (
    'ntrip_status; ntrip_api on;' => qr/anybody can reach.* in \S+:\d+/,
    'ntrip_api on; allow 10.0.0.1; deny all;' => qr/needs "ntrip_status"/,
    'ntrip_status; ntrip_api on; auth_basic off;' => qr/anybody can reach/,
    'ntrip_status; ntrip_api on; auth_basic x;' => qr/anybody can reach/,
    'ntrip_status; ntrip_api on; allow 10.0.0.1;' => qr/anybody can reach/,
    'ntrip_status; ntrip_api on; deny 10.0.0.1;' => qr/anybody can reach/,
    'ntrip_status; ntrip_api on; deny 0.0.0.0/0;' => qr/anybody can reach/,
    'ntrip_status; ntrip_api on; allow all; deny all;' => qr/anybody can reach/,
    'ntrip_status; ntrip_api on; limit_except POST { deny all; }'
        => qr/anybody can reach/,
    'ntrip_status; ntrip_api on; limit_except GET { deny 10.0.0.1; }'
        => qr/anybody can reach/,
    'ntrip_status; ntrip_api on; limit_except GET { deny all; }'
        . ' if ($arg_x) { set $y 1; }' => qr/anybody can reach/,
    'ntrip_status; ntrip_api on; satisfy any; allow all; auth_basic x;'
        . ' auth_basic_user_file f;' => qr/anybody can reach/,
    'ntrip_status; ntrip_api on; satisfy any; allow 10.0.0.1; auth_basic x;'
        . ' auth_basic_user_file f;' => undef,
    'ntrip_status; ntrip_api on; deny all; if ($arg_x) { set $y 1; }' => undef,
    'ntrip_status; ntrip_api on; deny all; limit_except GET { auth_basic x;'
        . ' auth_basic_user_file f; }' => undef,
    'ntrip_status; ntrip_api maybe;' => qr/invalid value "maybe"/,
    'ntrip_status; ntrip_api unguarded;' => undef,
    'ntrip_status; ntrip_api off;' => undef,
    'ntrip_status; ntrip_api on; allow ::1; deny all;' => undef,
    'ntrip_status; ntrip_api on; auth_basic x; auth_basic_user_file f;'
        => undef,
    'ntrip_status; ntrip_api on; auth_request /auth;' => undef,
    'ntrip_status; ntrip_api on; limit_except GET { deny all; }' => undef,
);

for my $case (sort keys %conf) {
    my $one = Fieldgate->new(http => "server { listen 127.0.0.1:%%PORT:web%%; "
                                     . "location / { $case } }");
    write_file($one->path('nginx.conf'), $one->config);
    my $binary = Fieldgate::Env::binary();

    # nginx does not free the pool of a configuration that it only tests
    local $ENV{LSAN_OPTIONS} = 'detect_leaks=0';
    my $out = `$binary -t -p $one->{dir} -c $one->{dir}/nginx.conf 2>&1`;
    if ($conf{$case}) {
        isnt($?, 0, $case);
        like($out, $conf{$case}, 'and says why');
    } else {
        is($?, 0, $case) or diag($out);
    }
}

done_testing;
