# Providers of NTRIP 1.0 and 2.0: in which form each is asked, what is remembered
# of it and by whom, positions in both, replies in any form and cut anywhere.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Ntrip;
use POSIX ();

my $ok = "HTTP/1.1 200 OK\r\nNtrip-Version: Ntrip/2.0\r\nServer: X\r\n"
         . "Content-Type: gnss/data\r\nCache-Control: no-store\r\n"
         . "Connection: close\r\n";
my $chunked = "${ok}Transfer-Encoding: chunked\r\n\r\n";

my %pools;          # name => its provider
my @sql;

# a mountpoint of this name, whose pool has one account at a provider of its own

sub provider {
    my ($name, $account, %switch) = @_;
    my $p = $pools{$name} = Fieldgate::Provider->new(rate => 20, %switch);
    push @sql, "INSERT INTO source (pool, host, port, name, password, ntrip)"
               . " VALUES ('$name', '127.0.0.1', " . $p->port
               . ", '$name', 'secret', $account);";
    return $p;
}

# what it was asked, as the versions of the requests

sub asked {
    return join ' ', map { $_->{head} =~ m{^Ntrip-Version: Ntrip/2\.0\r$}m
                           ? 2 : 1 } @{$pools{$_[0]}->seen->{requests}};
}


# ---- the column, and what a provider answers to the other version ----

my @refusals = (
    [closed => ''],
    [s400 => "HTTP/1.1 400 Bad Request\r\n\r\n"],
    [s404 => "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"],
    [s426 => "HTTP/1.1 426 Upgrade Required\r\n\r\n"],
    [s501 => "HTTP/1.1 501 Not Implemented\r\n\r\n"],
    [s505 => "HTTP/1.1 505 HTTP Version Not Supported\r\n\r\n"],
);

provider($_->[0], 0, refuse_v1 => $_->[1], reply => $chunked, chunk => 50)
    for @refusals;
provider('one', 0);
provider('only1', 1);
provider('only2', 2, reply => "$ok\r\n");
provider('mixed', 2);
provider('never', 1, refuse_v1 => "HTTP/1.1 501 Not Implemented\r\n\r\n");
provider('neither', 0, refuse_v1 => "HTTP/1.1 404 Not Found\r\n\r\n",
         refuse_v2 => '');
provider('locked', 0, refuse_v1 => "HTTP/1.1 401 Unauthorized\r\n\r\n");
my @served = ((map { $_->[0] } @refusals), 'one', 'only1', 'only2', 'mixed');
my @refused = ('never', 'neither', 'locked');

my $n = Fieldgate::Ntrip->new(
    users => 60, accounts => 0, workers => 2, start => 0,
    stream => join('', map { "ntrip_mount $_ pool=$_;\n" } sort keys %pools),
    server => 'ntrip_source_linger 50ms; ntrip_source_wait 2s;');
my $t = $n->nginx;
$n->sql(join "\n", @sql);
$t->start;

my $user = 0;

sub rovers {
    return Fieldgate::Rovers->new(
        port => $t->port('caster'), gga => 0.2, rovers => [
            map { $user++; +{ %{$n->rover($user)}, id => $_, mount => $_ } }
            @_]);
}

my $rovers = rovers(@served, @refused);
my $seen = $rovers->wait_for(sub {
    my $r = shift->{rovers};
    return @served == grep { ($r->{$_}{messages} // 0) > 5 } @served;
});
is("@{$seen->{errors}}", '', 'whatever they speak: all messages');

is(asked($_->[0]), '1 2', "$_->[0]: 1.0, then 2.0") for @refusals;
is(asked('one'), '1', 'a provider of 1.0: that alone');
is(asked('only1'), '1', 'ntrip 1');
is(asked('only2'), '2', 'ntrip 2');
is(asked('mixed'), '2', 'ntrip 2, answered in 1.0');

my $log = $t->error_log;
unlike($log, qr/refused the login.* source: (?:closed|s\d+)\@/,
       'the first of two answers is no refusal');
my $told = 'provider did not accept NTRIP 1.0: "HTTP/1.1 501 Not Implemented",'
           . ' it is asked in 2.0';
like($log, qr/\[info\].* \Q$told\E .* source: s501\@/, 'but told');
unlike($log, qr/secret|c2VjcmV0/, 'no password in the log');

# who is not served, and what rests of it

$rovers->wait_for(sub { my $r = shift->{rovers};
                        !grep { $r->{$_}{state} eq 'data'
                                && !defined $r->{$_}{why} } @refused });
is(asked('never'), '1', 'ntrip 1: never in 2.0');
is(asked('neither'), '1 2', 'both refused: each once, the mountpoint rests');
is(asked('locked'), '1', '401 is not for the version');
like($t->error_log,
     qr/no source for pool "neither": .*last: (?:connection closed|no such m)/,
     'the log says the end of both');

# the requests, byte by byte

my ($first, $second) = @{$pools{s404}->seen->{requests}};
my $port = $pools{s404}->port;
my $basic = 'czQwNDpzZWNyZXQ=';
is($first->{head}, "GET /s404 HTTP/1.0\r\nUser-Agent: NTRIP Fieldgate/1.0.0\r\n"
                   . "Host: 127.0.0.1:$port\r\nAuthorization: Basic $basic\r\n",
   'the request of 1.0');
like($second->{head},
     qr{^GET\ /s404\ HTTP/1\.1\r\nUser-Agent:\ NTRIP\ Fieldgate/1\.0\.0\r\n
        Host:\ 127\.0\.0\.1:$port\r\nNtrip-Version:\ Ntrip/2\.0\r\n
        Ntrip-GGA:\ \$G[PN]GGA,[^\r\n]*,4806\.0+,N,01136\.0+,E,[^\r\n]*\r\n
        Authorization:\ Basic\ \Q$basic\E\r\nAccept:\ \*/\*\r\n
        Connection:\ close\r\n$}x, 'the request of 2.0, with a position');
my ($line) = $second->{head} =~ /^Ntrip-GGA: (.*)\r$/m;
is($pools{s404}->seen->{gga}[0]{line}, "$line\r",
   'which goes as a sentence, too, when it is accepted');
$pools{s404}->wait_for(gga => 2);
pass('others follow');


# ---- what is remembered ----

$rovers->stop;
$pools{$_}->wait_for(sub { shift->{open} == 0 }) for @served;
$n->wait_rows('STREAM-LIST', 0);

$rovers = rovers(qw(s501 closed));
$rovers->wait_for(fed => 2);
is(asked('s501'), '1 2 2', 'the next login knows');
is(asked('closed'), '1 2 2', 'here, too');
$rovers->stop;
$pools{$_}->wait_for(sub { shift->{open} == 0 }) for qw(s501 closed);

$t->kill_worker($_) for $t->pids;
$t->reload(gone => 1);
$rovers = rovers(qw(s501 closed));
$rovers->wait_for(fed => 2);
is(asked('s501'), '1 2 2 2', 'all workers do, also those that come later');
is(asked('closed'), '1 2 2 2', 'here, too');
$rovers->stop;
$pools{s501}->wait_for(sub { shift->{open} == 0 });

# until the provider is another one

$pools{s501}->set(refuse_v1 => undef, reply => undef, chunk => 0,
                  refuse_v2 => "HTTP/1.1 505 Version Not Supported\r\n\r\n");
$rovers = rovers('s501');
$pools{s501}->wait_for(requests => 5);
$rovers->wait_for(sub { !shift->{open} });
$n->console('SOURCE-TEST passwd 127.0.0.1:' . $pools{s501}->port . ' s501');
is(asked('s501'), '1 2 2 2 2 1', 'a version that is refused is forgotten');
$rovers->stop;

# a changed account is asked for anew

$rovers = rovers('one');
$rovers->wait_for(fed => 1);
$n->sql("UPDATE source SET ntrip = 2 WHERE name = 'one';");
$rovers->wait_for(sub { shift->{rovers}{one}{switches} });
is(asked('one'), '1 1 2', 'a change of the column: another login');
is($rovers->seen->{open}, 1, 'the rover stays');
$rovers->stop;


# ---- SOURCE-TEST ----

sub test {
    my ($name) = @_;
    return $n->console("SOURCE-TEST passwd 127.0.0.1:" . $pools{$name}->port
                       . " $name") =~ s/^OK SOURCE-TEST\r\n(.*)\r\n\r\n\z/$1/r;
}

$pools{$_}->wait_for(sub { shift->{open} == 0 }) for @served;
is(test('only1'), 'ICY 200 OK', 'SOURCE-TEST: 1.0');
is(test('only2'), 'HTTP/1.1 200 OK, NTRIP 2.0', '2.0');
is(test('mixed'), 'ICY 200 OK, NTRIP 2.0', '2.0, answered in 1.0');
is(test('never'), 'HTTP/1.1 501 Not Implemented', 'refused');
$pools{only2}->set(reply => "HTTP/1.1 200 OK\r\nContent-Type: "
                   . "gnss/sourcetable\r\n\r\nENDSOURCETABLE\r\n");
is(test('only2'), 'no such mountpoint', 'a table in place of a stream');
my $fresh = Fieldgate::Provider->new(reply => $chunked, chunk => 50,
    refuse_v1 => "HTTP/1.1 426 Upgrade Required\r\n\r\n");
$n->sql("UPDATE source SET ntrip = 0, port = " . $fresh->port
        . " WHERE name = 'never';");
$pools{never} = $fresh;
wait_for(sub { test('never') eq 'HTTP/1.1 200 OK, NTRIP 2.0' },
         'the changed account');
is(asked('never'), '1 2', 'SOURCE-TEST asks twice, too');
is(test('never'), 'HTTP/1.1 200 OK, NTRIP 2.0', 'and remembers');
is(asked('never'), '1 2 2', 'as all do');
my $list = $n->console('SOURCE-LIST passwd');
like($list, qr/\tnever:secret\t[^\t]*\t\?\r/, 'the account is not refused');


# ---- replies, cut at every byte ----

my @forms = (
    ['chunked', $chunked, chunk => 40],
    ['raw', "$ok\r\n"],
    ['Content-Length: 0', "${ok}Content-Length: 0\r\n\r\n"],
    ['a small Content-Length', "${ok}Content-Length: 10\r\n\r\n"],
    ['no Content-Length', "${ok}Content-Length: -1, x\r\n\r\n"],
    ['Content-Length and chunked',
     "${ok}Content-Length: 7\r\nTransfer-Encoding: chunked\r\n\r\n",
     chunk => 40],
    ['no Content-Type', "HTTP/1.1 200 OK\r\n\r\n"],
    ['another one', "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream"
     . "\r\n\r\n"],
    ['text, as old casters say', "HTTP/1.0 200 OK\r\nContent-Type: text/plain"
     . "\r\n\r\n"],
    ['keep-alive, lower case', "HTTP/1.1 200 OK\r\nconnection: keep-alive\r\n"
     . "content-type: gnss/data\r\ntransfer-encoding: chunked\r\n\r\n",
     chunk => 40],
    ['LF', "HTTP/1.1 200 OK\nContent-Type: gnss/data\n\n"],
    ['ICY to 2.0', "ICY 200 OK\r\n\r\n"],
);

$pools{mixed}->wait_for(sub { shift->{open} == 0 });

for my $case (@forms) {
    my ($name, $reply, %more) = @$case;
    $pools{mixed}->set(reply => $reply, dribble => 1, chunk => 0, pieces => 40,
                       %more);
    my $r = rovers('mixed');
    is("@{$r->wait_for(messages => 4)->{errors}}", '', "$name: cut anywhere");
    $r->stop;
    $pools{mixed}->wait_for(sub { shift->{open} == 0 });
    $n->wait_rows('STREAM-LIST', 0);
}

is((grep { $_->seen->{twice} } values %pools), 0, 'no account was used twice');
$t->stop;


# ---- str2str as the provider, which knows 1.0 alone ----

my ($str2str) = grep { -x } map { "$_/str2str" } split /:/, $ENV{PATH};

SKIP: {
    skip 'str2str (rtklib) is not installed', 3 unless $str2str;

    my $caster = free_port();
    my $feed = Fieldgate::Provider->new(rate => 20);
    my $n = Fieldgate::Ntrip->new(users => 3, accounts => 0, provider => $feed);
    my $t = $n->nginx;

    $t->spawn('caster', sub {
        exec { $str2str } $str2str, '-in',
            'ntrip://x:y@127.0.0.1:' . $feed->port . '/M0',
            '-out', "ntripc://a1:s1\@:$caster/M0" or POSIX::_exit(127);
    });
    $feed->wait_for(logins => 1);

    for my $version (0 .. 2) {
        $n->sql("REPLACE INTO source (id, host, port, name, password, ntrip)"
                . " VALUES (1, '127.0.0.1', $caster, 'a1', 's1', $version);");
        my $r = $n->rovers($version + 1);
        my @errors = @{$r->wait_for(messages => 5)->{errors}};

        # on a slow machine str2str itself loses messages, whole ones
        is(join(' ', grep { !/ after \d+$/ } @errors), '',
           "str2str, ntrip $version");
        $r->stop;
        $n->wait_rows('STREAM-LIST', 0);
    }
}

done_testing;
