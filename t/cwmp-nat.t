# A CPE behind a real NAT, the kernel's, in network namespaces: one that keeps
# the port, and one that takes another ("symmetric").  What comes from the STUN
# server's port gets through, nothing else does.

use strict;
use warnings;

# all of it in a namespace of its own, which goes with the test

BEGIN {
    if (!$ENV{FIELDGATE_NAT}) {
        $ENV{FIELDGATE_NAT} = 1;
        my $try = 'ip link set lo up && nft add table ip x && nft add chain '
                . 'ip x y "{ type nat hook postrouting priority 100 ; }" && '
                . 'nft add rule ip x y masquerade && unshare -n true';
        if (system("unshare -n sh -c '$try' > /dev/null 2>&1") != 0) {
            print "1..0 # SKIP no network namespaces with NAT here (needs "
                  . "root, ip, nft)\n";
            exit 0;
        }
        exec 'unshare', '-n', $^X, (map { "-I$_" } @INC), $0, @ARGV
            or die "unshare: $!\n";
    }
}

use lib 't/lib';
use Fieldgate;
use Fieldgate::Wakeup;

# 10.77.0.1 nginx -- 10.77.0.2 NAT 10.77.1.1 -- 10.77.1.2 CPE

sub run { system($_) == 0 or die "$_: $?\n" for @_ }

run('ip link set lo up');

sub namespace {
    my $pid = fork // die "fork: $!\n";
    if (!$pid) {
        open STDOUT, '>', '/dev/null';
        exec 'unshare', '-n', 'sleep', 600 or POSIX::_exit(1);
    }
    wait_for(sub { readlink("/proc/$pid/ns/net")
                   ne readlink("/proc/$$/ns/net") }, 'a namespace');
    return $pid;
}

my ($nat, $inside) = (namespace(), namespace());
END { kill KILL => grep { $_ } $nat, $inside }

sub in_nat { run(map { "nsenter -t $nat -n $_" } @_) }
sub in_cpe { run(map { "nsenter -t $inside -n $_" } @_) }

run('ip link add out type veth peer name wan',
    'ip link add lan type veth peer name cpe',
    "ip link set wan netns $nat", "ip link set lan netns $nat",
    "ip link set cpe netns $inside",
    'ip addr add 10.77.0.1/24 dev out', 'ip link set out up');
in_nat('ip addr add 10.77.0.2/24 dev wan', 'ip addr add 10.77.1.1/24 dev lan',
       'ip link set wan up', 'ip link set lan up',
       'sysctl -q -w net.ipv4.ip_forward=1');
in_cpe('ip addr add 10.77.1.2/24 dev cpe', 'ip link set cpe up',
       'ip route add default via 10.77.1.1');

sub nat {
    my ($rule) = @_;
    in_nat('nft flush ruleset', 'nft add table ip nat',
           'nft add chain ip nat out '
           . '"{ type nat hook postrouting priority 100 ; }"',
           "nft add rule ip nat out oifname wan $rule");
}

my $t = Fieldgate->new(workers => 2, http => <<'END');
    cwmp_zone cwmp:1m;
    cwmp_stun *:%%PORT:stun%%;
    cwmp_secret "the secret of both sides";

    server {
        listen 10.77.0.1:%%PORT:cpe%%;
        location / {
            cwmp on;
            cwmp_public_url http://127.0.0.1:%%PORT:acs%%/client;
            proxy_pass http://127.0.0.1:%%PORT:echo%%;
        }
    }
    server {
        listen 127.0.0.1:%%PORT:acs%%;
        location = /client {
            cwmp_connection_request;
            cwmp_timeout 60s;
            add_header X-Result $cwmp_wakeup_result always;
        }
    }
    server { listen 127.0.0.1:%%PORT:echo%%; return 204; }
END
$t->start;

my $acs = Fieldgate::Wakeup->new($t);
my ($stun, $cpe) = map { $t->port($_) } qw(stun cpe);

# asks for its address, announces it, and comes when it is called

$t->write('cpe.pl', <<'END');
use strict;
use warnings;
use Fieldgate::Stun qw(rdkb);
use IO::Socket::INET;

my ($own, $stun, $port) = @ARGV;
$| = 1;

my $s = Fieldgate::Stun->new(host => '10.77.1.2', port => $own,
                             server => [ '10.77.0.1', $stun ]);
my $r = $s->bind // {};
my $mapped = $r->{mapped} // 'none';

sub inform {
    my ($event) = @_;
    my $body = "<E><Body><Inform><DeviceId><OUI>00AABB</OUI><SerialNumber>1"
        . "</SerialNumber></DeviceId><Event><EventStruct><EventCode>$event"
        . "</EventCode></EventStruct></Event>"
        . join('', map { "<ParameterValueStruct><Name>Device.ManagementServer."
                         . "$_->[0]</Name><Value>$_->[1]</Value>"
                         . "</ParameterValueStruct>" }
               ['ConnectionRequestURL', 'http://10.77.1.2:7547/x'],
               ['UDPConnectionRequestAddress', $mapped])
        . "</Inform></Body></E>";
    my $tcp = IO::Socket::INET->new(PeerAddr => "10.77.0.1:$port")
        or die "connect: $@\n";
    print $tcp "POST / HTTP/1.0\r\nContent-Length: " . length($body)
               . "\r\n\r\n$body";
    return join '', <$tcp>;
}

inform('1 BOOT');
print "$mapped ", $r->{from} // 'none', "\n";

my %seen;
while (my ($datagram, $from) = $s->receive(120)) {
    my $verdict = rdkb($datagram, 'acs', 's3c:ret', \%seen);
    print "$verdict $from\n";
    inform('6 CONNECTION REQUEST') if $verdict eq 'ok';
}
END

for my $kind ('cone', 'symmetric') {
    nat($kind eq 'cone' ? 'masquerade' : 'masquerade random');

    # of the one before the kernel remembers the port
    my $own = $kind eq 'cone' ? 7547 : 7548;

    my $pid = open my $in, '-|', 'nsenter', '-t', $inside, '-n', $^X,
        (map { "-I$_" } @INC), $t->path('cpe.pl'), $own, $stun, $cpe
        or die "cpe: $!\n";

    my ($mapped, $from) = split ' ', readline($in) // '';
    like($mapped, qr/^10\.77\.0\.2:\d+$/, "$kind: a public address");
    is($mapped eq "10.77.0.2:$own" ? 'cone' : 'symmetric', $kind,
       "its port: $mapped");
    is($from, "10.77.0.1:$stun", 'the server answers where it was asked');

    # nobody else gets through

    my $other = IO::Socket::INET->new(Proto => 'udp', PeerAddr => $mapped,
                                      LocalAddr => '10.77.0.1');
    send $other, 'GET http://x/?ts=1 HTTP/1.1', 0;

    my $sig = Fieldgate::Wakeup::sign_udp('the secret of both sides',
                                          '10.77.1.2:7547', '/x', $mapped);
    my $r = $acs->wake('http://10.77.1.2:7547/x', more => "&udp=$mapped&sig=$sig");
    is($r->{status}, 200, 'the CPE is woken');
    is($r->{headers}{'x-result'}[0], 'udp', 'by UDP, its URL is an inner one');
    is(scalar readline $in, "ok 10.77.0.1:$stun\n",
       'it got the first datagram from the STUN server');

    kill TERM => $pid;
    close $in;
}

done_testing;
