# Message profiles: as=, pool=, messages= and msm=4 of ntrip_mount.  One login at
# the provider for all mountpoints that are one for it, in two workers; what
# each rover gets, also over reloads; and MSM4 as another decoder reads it.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Env qw(write_file read_file temp_dir);
use Fieldgate::Ntrip;
use Fieldgate::Provider;
use IO::Socket::INET;

# what passes as it is, in views of their own, byte by byte, over reloads

my $n = Fieldgate::Ntrip->new(
    workers => 2, users => 40, accounts => 6, provider => { rate => 20 },
    http => 'server { listen 127.0.0.1:%%PORT:status%%;'
            . ' location / { ntrip_status; } }', stream => <<'END');
    ntrip_mount ALL as=M0 messages=1077;
    ntrip_mount SOME as=M0 messages=-1230,-1000-1076;
    ntrip_mount NONE as=M0 messages=-1077;
    ntrip_mount WEST as=M0 pool=west;
END
my ($t, $provider) = ($n->nginx, $n->provider);

$n->sql("INSERT INTO source (host, port, name, password, pool)
         VALUES ('127.0.0.1', " . $provider->port . ", 'w1', 'x', 'west')");

my @rovers = map {
    my $i = $_;
    +{ %{$n->rover($i)}, mount => (qw(M0 ALL SOME))[$i % 3] }
} 1 .. 30;
my $rovers = Fieldgate::Rovers->new(port => $t->port('caster'),
                                    rovers => [@rovers]);
$rovers->wait_for(fed => 30);
is($provider->seen->{logins}, 1,
   'mountpoints that are one at the provider share one login');

for (1 .. 3) {
    $t->reload;
    my $before = $rovers->seen->{rovers};
    $rovers->wait_for(sub {
        my $seen = shift->{rovers};
        !grep { $seen->{$_}{messages} < $before->{$_}{messages} + 5 }
              keys %$seen;
    });
    wait_for(sub { !grep { $_->{exiting} } $t->worker_processes },
             'old workers to exit');
}

# however many rovers have a profile, each worker makes a message of it once

sub counters {
    my ($in, $out, $profiled) = $t->get('status', '/counters')
        =~ /"messages_in":(\d+).*"messages_out":(\d+).*"profiled":(\d+)/s
        or die 'no counters';
    return ($in, $out, $profiled);
}

my @from = counters();
my @to;
wait_for(sub { @to = counters(); $to[0] >= $from[0] + 40 }, '40 messages');
my ($in, $out, $profiled) = map { $to[$_] - $from[$_] } 0 .. 2;
cmp_ok($out, '>', 30 * ($in - 3), "$in messages were sent to 30 rovers");
cmp_ok($profiled, '>=', 2 * ($in - 3), 'each was looked at for both profiles');
cmp_ok($profiled, '<=', 4 * ($in + 3), 'and in both workers once for each');

my $seen = $rovers->seen;
is($seen->{open}, 30, 'reloads drop nobody');
is(join("\n", @{$seen->{errors}}), '',
   'and in no view a message is lost, repeated or torn');
is($provider->seen->{logins}, 1, 'nor is there another login');

# a view in which nothing passes keeps nobody from anything

$rovers->add({ %{$n->rover(31)}, mount => 'NONE' });
$rovers->wait_for(sub { ($_[0]{rovers}{u31}{state} // '') eq 'data' });
$rovers->add({ %{$n->rover(32)}, mount => 'ALL' });
$rovers->wait_for(sub { $_[0]{rovers}{u32}{messages} > 10 });
is($rovers->seen->{rovers}{u31}{messages}, 0, 'what is left out does not come');
like($n->console('STREAM-LIST passwd'), qr/M0/, 'the stream has the provider\'s name');

# a pool of its own

$rovers->add({ %{$n->rover(33)}, mount => 'WEST' });
$rovers->wait_for(sub { $_[0]{rovers}{u33}{messages} > 5 });
is(join(' ', map { "$_->{account}:$_->{mount}" } @{$provider->seen->{requests}}),
   'a' . ($provider->seen->{requests}[0]{account} =~ /(\d+)/)[0] . ':M0 w1:M0',
   'another pool has another login, for the same mountpoint there');

$rovers->stop;
$t->stop;

# MSM4 of generated MSM5, 6 and 7 of all systems: RTKLIB reads the same
# observations from either, up to the resolution of MSM4.  Wavelengths are of
# the signals below; GLONASS has no phase in MSM4 without its channels.

my $c = 299792458;
my %system = (                  # number, prefix, time, signal: id, code, Hz
    1070 => ['G', 'tow', 2 => '1C', 1575.42e6],
    1080 => ['R', 'glonass', 2 => '1C', 0],
    1090 => ['E', 'tow', 2 => '1C', 1575.42e6],
    1100 => ['S', 'tow', 2 => '1C', 1575.42e6],
    1110 => ['J', 'tow', 2 => '1C', 1575.42e6],
    1120 => ['C', 'bds', 2 => '2I', 1561.098e6],
    1130 => ['I', 'tow', 22 => '5A', 1176.45e6],
);
my ($tow, $bits);
srand 5;

sub put { $bits .= substr unpack('B64', pack 'Q>', $_[0]), 64 - $_[1] }
sub signed { put($_[0] & ((1 << $_[1]) - 1), $_[1]) }

sub msm {
    my ($type, $more, $second) = @_;
    my $kind = $type % 10;
    my ($prefix, $time, $id) = @{$system{$type - $kind}};
    my @sats = (1, 3, 7);
    my $ms = ($tow + $second) * 1000;
    $bits = '';

    put($type, 12);
    put(7, 12);
    put($time eq 'glonass' ? (($ms / 1000 + 10800 - 18) % 86400 * 1000)
                             + (int(($ms / 1000 + 10800 - 18) / 86400) % 7 << 27)
        : $time eq 'bds' ? $ms - 14000 : $ms, 30);
    put($more, 1);
    put(0, 18);
    put(eval { my $m = 0; $m |= 1 << 64 - $_ for @sats; $m }, 64);
    put(1 << 32 - $id, 32);
    put(7, 3);

    put(70 + $_, 8) for @sats;
    if ($kind != 6) { put(7, 4) for @sats }
    put(int rand 1024, 10) for @sats;
    if ($kind != 6) { signed(int(rand 3000) - 1500, 14) for @sats }

    my ($range, $phase, $lock, $cnr) = $kind == 5 ? (15, 22, 4, 6)
                                                  : (20, 24, 10, 10);
    signed(int(rand 1 << $range - 1) - (1 << $range - 2), $range) for @sats;
    signed(int(rand 1 << $phase - 1) - (1 << $phase - 2), $phase) for @sats;
    put($kind == 5 ? 9 : 300, $lock) for @sats;
    put(0, 1) for @sats;
    put($kind == 5 ? 40 + $_ : 16 * 40 + $_, $cnr) for @sats;
    if ($kind != 6) { signed(int(rand 3000) - 1500, 15) for @sats }

    my $payload = pack 'B*', $bits;
    my $frame = pack('Cn', 0xd3, length $payload) . $payload;
    return $frame . substr pack('N', Fieldgate::Provider::crc24q($frame)), 1;
}

my @types = sort { $a <=> $b } keys %system;
$tow = 2 * 86400 + 43200;
my $stream = join '', map {
    my $second = $_;
    map { msm($types[$_] + 5 + ($second + $_) % 3, $_ < 6, $second) } 0 .. 6
} 1 .. 30;

my $port = free_port();
my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 5,
                                   LocalPort => $port, ReuseAddr => 1)
    or die "listen: $!";

my $m = Fieldgate::Ntrip->new(workers => 2, accounts => 1, users => 2,
    provider => $provider, start => 0, stream => <<'END');
    ntrip_mount MSM format=rtcm3 gga=off;
    ntrip_mount MSM4 as=MSM format=rtcm3 gga=off msm=4;
END
my $m4 = $m->nginx;
$m->sql("UPDATE source SET port = $port");
$m4->start;

sub rover {
    my ($i, $mount) = @_;
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
                                  PeerPort => $m4->port('caster')) or die;
    my $auth = MIME::Base64::encode_base64("u$i:p$i", '');
    print $s "GET /$mount HTTP/1.0\r\nUser-Agent: NTRIP t\r\n"
             . "Authorization: Basic $auth\r\n\r\n";
    my $head = '';
    sysread $s, $head, 1, length $head or die while $head !~ /\r\n\r\n/;
    return $s;
}

my $plain = rover(1, 'MSM');
my $upstream = $listen->accept or die;
my $request = '';
sysread $upstream, $request, 4096, length $request
    while $request !~ /\r\n\r\n/;
like($request, qr{^GET /MSM HTTP}, 'the provider is asked for its own name');
my $reduced = rover(2, 'MSM4');
$m->wait_rows('CLIENT-LIST', 2);
print $upstream "ICY 200 OK\r\n\r\n";
$upstream->flush;

my ($got, $got4) = ('', '');
print $upstream $stream;
$upstream->flush;
sysread $plain, $got, 65536, length $got or die 'closed'
    while length $got < length $stream;
ok($got eq $stream, 'without msm=4 all comes as it was');

# its last message ends the last epoch

sysread $reduced, $got4, 65536, length $got4 or die 'closed'
    while (() = frames_of($got4)) < 7 * 30;

sub frames_of {
    my ($in) = @_;
    my @types;
    while (length $in >= 6) {
        my $len = unpack 'x n', $in;
        last if length $in < $len + 6;
        push @types, unpack('n', substr $in, 3, 2) >> 4;
        substr $in, 0, $len + 6, '';
    }
    return @types;
}

is(join(' ', sort { $a <=> $b } keys %{{ map { $_ => 1 } frames_of($got4) }}),
   join(' ', map { $_ + 4 } @types), 'with it all messages are MSM4');

my $dir = temp_dir();

sub rinex {
    my ($name, $bytes) = @_;
    write_file("$dir/$name.rtcm3", $bytes);
    system("convbin -r rtcm3 -v 3.04 -os -tr '2023/01/03 12:00:00'"
           . " -o $dir/$name.obs $dir/$name.rtcm3 > $dir/log 2>&1") == 0
        or die read_file("$dir/log");
    my ($head, $body) = split /END OF HEADER *\n/, read_file("$dir/$name.obs");
    my (%order, %seen, $epoch);
    while ($head =~ /^(\w)  +\d+((?: \w{3})+) +SYS/mg) {
        $order{$1} = [split ' ', $2];
    }
    for (split /\n/, $body // '') {
        if (/^> (.{27})/) { $epoch = $1; next }
        my ($sat, @fields) = /^(...)(.*)/ ? ($1, unpack '(a16)*', $2) : next;
        my @codes = @{$order{substr $sat, 0, 1} // []};
        $seen{"$epoch $sat $codes[$_]"} = substr($fields[$_] // '', 0, 14)
            for 0 .. $#codes;
    }
    return \%seen;
}

my ($before, $after) = (rinex(plain => $stream), rinex(msm4 => $got4));
my (%compared, @wrong);
for my $key (sort keys %$before) {
    my ($system, $what) = $key =~ /([A-Z])\d\d (\w)\w+$/ or next;
    next if $what eq 'D' || $system eq 'R' && $what eq 'L';
    my ($old, $new) = map { $_ // '' } $before->{$key}, $after->{$key};
    next if $old !~ /\d/;
    my ($hz) = map { $_->[4] } grep { $_->[0] eq $system } values %system;
    my $step = $what eq 'C' ? $c * 1e-3 / 2**24
             : $what eq 'L' ? $hz * 1e-3 / 2**29 : 1;
    push @wrong, "$key: $old, $new"
        if $new !~ /\d/ || abs($old - $new) > $step / 2 + 0.0011;
    $compared{"$system$what"}++;
}
is(join("\n", @wrong[0 .. ($#wrong > 9 ? 9 : $#wrong)]), '',
   'RTKLIB reads the same observations, in MSM4\'s resolution');
note(join ' ', map { "$_:$compared{$_}" } sort keys %compared);
is(join(' ', sort keys %compared),
   'CC CL CS EC EL ES GC GL GS IC IL IS JC JL JS RC RS SC SL SS',
   'of each system');

close $_ for $plain, $reduced, $upstream;
$m4->stop;

done_testing;
