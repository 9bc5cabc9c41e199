# The STUN server: answers byte by byte, what is not answered, two workers, IPv6,
# reload, kill -9, another binary, a full zone.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Stun qw(request attribute address);
use JSON::PP;

use constant Stun => 'Fieldgate::Stun';

my $v6 = IO::Socket::IP->new(LocalHost => '::1', Proto => 'udp') ? 1 : 0;
my $six = $v6 ? 'cwmp_stun [::1]:%%PORT:six%%;' : '';

my $t = Fieldgate->new(workers => 2, http => <<"END");
    cwmp_zone cwmp:1m;
    cwmp_stun 127.0.0.1:%%PORT:stun%%;
    cwmp_stun 0.0.0.0:%%PORT:any%%;
    $six

    server {
        listen 127.0.0.1:%%PORT:status%%;
        location / { cwmp_status; }
    }
END
$t->start;

my $port = $t->port('stun');
my $server = [ '127.0.0.1', $port ];

sub status {
    my ($body) = $t->get('status', '/') =~ /\r\n\r\n(.*)/s;
    return decode_json($body);
}

sub counted {
    my ($name, $number) = @_;
    wait_for(sub { status()->{stun_datagrams}{$name} == $number });
    is(status()->{stun_datagrams}{$name}, $number, "$name: $number");
}

my $cpe = Stun->new(server => $server);
my $own = $cpe->hostport;

# answers

my $r = $cpe->bind;
is($r->{type}, 0x0101, 'a Binding Response');
is($r->{mapped}, $own, 'MAPPED-ADDRESS');
is($r->{source}, "127.0.0.1:$port", 'SOURCE-ADDRESS');
is($r->{changed}, "127.0.0.1:$port", 'CHANGED-ADDRESS is always there');
is($r->{from}, "127.0.0.1:$port", 'from the address that was asked');
ok(!exists $r->{xor_mapped}, 'RFC 3489 knows no XOR-MAPPED-ADDRESS');

my $plain = request(attribute(Stun->BINDING, 'dslforum.org/TR-111 '));
is(unpack('H*', $cpe->ask($plain)->{raw}),
   unpack('H*', pack('nn', 0x0101, 36) . substr($plain, 4, 16)
          . attribute(1, address('127.0.0.1', $cpe->port))
          . attribute(4, address('127.0.0.1', $port))
          . attribute(5, address('127.0.0.1', $port))), 'byte by byte');

$r = $cpe->bind(cookie => 1);
is($r->{xor_mapped}, $own, 'with the cookie: XOR-MAPPED-ADDRESS');
is($r->{mapped}, $own, 'and MAPPED-ADDRESS');
cmp_ok(length $r->{raw}, '<=', 68, 'an answer has 68 bytes at most');

my $long = $cpe->ask(request(attribute(0x8022, 'x' x 1400), cookie => 1));
is(length $long->{raw}, 68, 'whatever the request has');

for my $host ('127.0.0.2', '127.0.0.3') {
    my $other = Stun->new(server => [ $host, $t->port('any') ]);
    $r = $other->bind;
    is($r->{from}, "$host:" . $t->port('any'),
       "the wildcard's answer comes from $host");
    is($r->{source}, $r->{from}, 'and says so');
}

# lifetime discovery: a second port asks for the answer at the first

my $second = Stun->new(server => $server);
my $life = request(attribute(Stun->RESPONSE,
                             address('127.0.0.1', $cpe->port)));
$second->send_to($life);
my $seen = $cpe->receive(5);
is(substr($seen // '', 4, 16), substr($life, 4, 16),
   'RESPONSE-ADDRESS at another port of the sender');
is(Fieldgate::Stun::parse($seen)->{mapped}, $second->hostport,
   'which is told whom it is from');

SKIP: {
    skip 'this machine has no ::1', 4 unless $v6;
    my $cpe6 = Stun->new(host => '::1', server => [ '::1', $t->port('six') ]);
    $r = $cpe6->bind(cookie => 1);
    is($r->{mapped}, $cpe6->hostport, 'IPv6: MAPPED-ADDRESS');
    is($r->{xor_mapped}, $cpe6->hostport, 'XOR-MAPPED-ADDRESS');
    is($r->{source}, '[::1]:' . $t->port('six'), 'SOURCE-ADDRESS');
    is(length $r->{raw}, 20 + 4 * 24, 'four addresses, nothing else');
}

# what is not answered; the last one is, and so all before it have been read

my $bindings = status()->{tables}{bindings}{used};
is($bindings, 3 + $v6, 'bindings');

my $victim = Stun->new(host => '127.0.0.7');

my @bad = (
    '', 'x', "\xff" x 200, 'GET / HTTP/1.1', pack('nn', 1, 4),
    substr($plain, 0, 30), "$plain\0", request("\0\6\0\xff"), 'x' x 1473,
);
my @other = ("\0" x 20, pack('n', 0x0011) . substr($plain, 2),
             pack('n', 0x0101) . substr($plain, 2),
             pack('n', 0x0111) . substr($plain, 2),
             request(attribute(Stun->CHANGE, pack 'N', 2)));

my $quiet = Stun->new(server => $server);
$quiet->send_to($_) for @bad, @other,
    request(attribute(Stun->RESPONSE, address('127.0.0.7', $victim->port)));
$r = $quiet->bind;
is($r->{mapped}, $quiet->hostport, 'it goes on behind malformed ones');
ok(!defined $quiet->receive(0.1), 'nothing else was answered');
ok(!defined $victim->receive(0.1), 'nor anybody else');

counted('malformed', scalar @bad);
counted('unsupported', scalar @other);
counted('reflected', 1);

$r = $quiet->ask(request(attribute(0x0024, 'abcd'), cookie => 1));
is($r->{type}, 0x0111, 'an attribute that has to be known');
is($r->{error}, 420, 'and is not');
counted('refused', 1);

# a rate for each /24

my $flood = Stun->new(server => $server, host => '127.9.9.9');
$flood->send_to($plain) for 1 .. 6000;
my $answers = 0;
$answers++ while defined $flood->receive(0.5);
cmp_ok($answers, '<', 6000, "a flood is limited ($answers of 6000)");
cmp_ok(status()->{stun_datagrams}{limited}, '>', 0, 'and counted');
my $other = Stun->new(server => $server, host => '127.9.8.9');
is($other->bind->{mapped}, $other->hostport, 'others are not');

# somebody else's client, of RFC 5389

SKIP: {
    my $client = '/usr/bin/turnutils_stunclient';
    skip 'coturn is not installed', 2 unless -x $client;
    my $said = `$client -p $port 127.0.0.1 2>&1`;
    is($?, 0, 'turnutils_stunclient is content') or diag($said);
    like($said, qr/UDP reflexive addr: 127\.0\.0\.1:\d+/, 'with its address');
}

# reloads and deaths

my $lost = 0;
for my $n (1 .. 3) {
    $t->reload;
    for (1 .. 20) {
        $cpe->send_to($plain);
        $lost++ unless defined $cpe->receive(5);
    }
}
is($lost, 0, 'no datagram is lost by reloads');

my ($one) = $t->pids;
$t->kill_worker($one);
is($cpe->bind->{mapped}, $own, 'a worker that is killed is not missed');
cmp_ok(status()->{tables}{bindings}{used}, '>=', $bindings,
       'bindings survive');

$t->upgrade;
$lost = grep { $cpe->send_to($plain); !defined $cpe->receive(5) } 1 .. 20;
is($lost, 0, 'no datagram is lost by an upgrade of the binary');
is($cpe->bind->{mapped}, $own, 'and the new one answers');
is(status()->{tables}{bindings}{used}, 1, 'which has seen this CPE only');

# a zone that is full: the binding used least recently goes, and is counted

my $small = Fieldgate->new(workers => 2, http => <<'END');
    cwmp_zone cwmp:64k;
    cwmp_stun 127.0.0.1:%%PORT:stun%%;

    server {
        listen 127.0.0.1:%%PORT:status%%;
        location / { cwmp_status; }
    }
END
$small->start;
$t = $small;

my $rows = status()->{tables}{bindings}{rows};
my @many = map { Stun->new(server => [ '127.0.0.1', $t->port('stun') ]) }
               1 .. $rows + 20;
is(scalar(grep { ($_->bind // {})->{mapped} } @many), $rows + 20,
   "more CPEs than the $rows rows");
is(status()->{tables}{bindings}{used}, $rows, 'all rows are in use');
is(status()->{bindings}{made}, $rows + 20, 'all bindings are counted');
is(status()->{bindings}{evicted}, 20, 'and those that have gone');

done_testing;
