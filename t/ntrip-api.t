# ntrip_api: users, accounts and stations made, changed and deleted over HTTP;
# kicks and tests; who may not.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Env qw(read_file write_file);
use Fieldgate::Ntrip;
use JSON::PP ();

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

sub differs {
    my ($value, $schema, $where) = @_;
    if (my $ref = $schema->{'$ref'}) {
        $schema = $api->{components}{schemas}{$ref =~ s{.*/}{}r};
    }
    my %type = map { $_ => 1 }
               ref $schema->{type} ? @{$schema->{type}} : $schema->{type};
    my $type = !defined $value ? 'null'
             : JSON::PP::is_bool($value) ? 'boolean'
             : ref $value eq 'HASH' ? 'object'
             : ref $value eq 'ARRAY' ? 'array'
             : $json->encode([$value]) =~ /^\["/ ? 'string'
             : $value =~ /^-?\d+\z/ ? 'integer' : 'number';

    return "$where: is $type"
        if !$type{$type} && !($type eq 'integer' && $type{number});
    return "$where: is $value"
        if $schema->{enum} && !grep { $_ eq $value } @{$schema->{enum}};

    if ($type eq 'array') {
        return map { differs($_, $schema->{items}, "$where\[]") } @$value;
    }
    return () if $type ne 'object';

    my $known = $schema->{properties} // {};
    my $more = $schema->{additionalProperties};
    return ((map { "$where.$_: is missing" }
             grep { !exists $value->{$_} } sort keys %$known),
            map { my $s = $known->{$_} // (ref $more ? $more : undef);
                  $s ? differs($value->{$_}, $s, "$where.$_")
                     : "$where.$_: is unknown" } sort keys %$value);
}

ask('POST', 'stations', { mount => 'BASE', password => 'x' });

my %paths = map { m{^/(\w+)$} ? ($1 => 1) : () } keys %{$api->{paths}};
is_deeply([sort keys %paths], [sort @{(ask('GET', ''))[1]{endpoints}}],
          'it has every endpoint');

for my $name (grep { $_ ne 'metrics' } sort keys %paths) {
    my ($got, $answer) = ask('GET', $name);
    ok($name eq 'counters' || @{$answer->{items}}, "$name: there is one");
    is_deeply([differs($answer, $api->{paths}{"/$name"}{get}{responses}{200}
                       {content}{'application/json'}{schema}, $name)], [],
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
) {
    my ($what, $body) = @$case;
    like(is_problem(400, $what, 'PATCH', 'users/u2', $body), qr/\w/,
         "$what: why");
}
is_problem(400, 'no password', 'POST', 'users', { name => 'x' });
is_problem(400, 'no host', 'POST', 'accounts', { name => 'x', password => '' });
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


# the configuration

my %conf = (
    'ntrip_status; ntrip_api on;' => qr/anybody can reach.* in \S+:\d+/,
    'ntrip_api on; allow 10.0.0.1; deny all;' => qr/needs "ntrip_status"/,
    'ntrip_status; ntrip_api on; auth_basic off;' => qr/anybody can reach/,
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
