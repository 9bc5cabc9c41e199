# Rovers and a provider over IPv6, through reloads: their sockets are handed
# over as those of IPv4 are, to the right one of several servers on a port, and
# with the right address, be it the socket's or that of the PROXY protocol.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Env qw(read_file);
use Fieldgate::Ntrip;
use IO::Socket::IP;
use MIME::Base64 qw(encode_base64);

my $six = IO::Socket::IP->new(LocalHost => '::1', Listen => 1);
plan(skip_all => "no IPv6 on this host: $@") unless $six;
close $six;

my $users = 24;

# The more specific one of two addresses is the caster's, though nginx binds
# the wildcard alone; on another port that is the caster's.

my $n = Fieldgate::Ntrip->new(
    users => $users, mounts => 4, accounts => 10, start => 0,
    provider => { host => '::1' }, stream => <<'END');
    log_format rover '$ntrip_user $remote_addr $ntrip_result $ntrip_messages';

    server {
        listen [::]:%%PORT:six%% ipv6only=on;
        return other;
    }
END

my $t = $n->nginx;
my $relay = 'ntrip_caster; ntrip_relay port=' . $n->provider->port . ';';

$t->{stream} = $n->conf . <<"END";
    access_log %%DIR%%/rovers.log rover;

    server {
        listen [::1]:%%PORT:six%%;
        $relay
    }
    server {
        listen [::]:%%PORT:any%% ipv6only=on;
        $relay
    }
    server {
        listen 127.0.0.1:%%PORT:proxied%% proxy_protocol;
        set_real_ip_from 127.0.0.1;
        $relay
    }
END

$n->sql("UPDATE source SET host = '::1'");
$t->start;


sub rovers {
    my ($port, $host, @n) = @_;
    return Fieldgate::Rovers->new(port => $t->port($port), host => $host,
                                  rovers => [map { $n->rover($_) } @n]);
}

# everybody has so many more messages, and nobody has lost one

sub more_messages {
    my ($name, $rovers, $more) = @_;
    my $before = $rovers->seen->{rovers};
    my $seen = $rovers->wait_for(sub {
        my $now = shift->{rovers};
        return !grep { $now->{$_}{state} ne 'closed'
                       && $now->{$_}{messages}
                          < $before->{$_}{messages} + $more } keys %$before;
    });

    is($seen->{open}, keys %$before, "$name: no rover was dropped");
    is(join("\n", @{$seen->{errors}}), '', "$name: no message lost");
    is(grep({ $_->{switches} } values %{$seen->{rovers}}), 0,
       "$name: all from the same connection to the provider");
}

sub clients {
    return { $n->console('CLIENT-LIST passwd') =~ /^(u\d+):\S*\t(\S+)\t/mg };
}


my %bytes = map {
    ("u$_" => "PROXY TCP6 2001:db8::$_ ::1 5000 2101\r\n"
              . 'GET /M' . $_ % 4 . " HTTP/1.0\r\nUser-Agent: NTRIP test\r\n"
              . 'Authorization: Basic ' . encode_base64("u$_:p$_", '')
              . "\r\n\r\n")
} 23, 24;

my %of = (
    IPv6 => rovers('six', '::1', 1 .. 8),
    wildcard => rovers('any', '::1', 9 .. 16),
    IPv4 => rovers('caster', '127.0.0.1', 17 .. 22),
    proxied => Fieldgate::Rovers->new(
        port => $t->port('proxied'),
        rovers => [map { $n->rover($_, bytes => $bytes{"u$_"}) } 23, 24]),
);

for my $rovers (values %of) {
    $rovers->wait_for(sub { my $s = shift; $s->{fed} == keys %{$s->{rovers}} });
}

my %address = ((map { ("u$_" => '::1') } 1 .. 16),
               (map { ("u$_" => '127.0.0.1') } 17 .. 22),
               (map { ("u$_" => "2001:db8::$_") } 23, 24));
is_deeply(clients(), \%address, 'the addresses of all');

for my $name ('a reload', 'another one') {
    $t->reload(gone => 1);

    more_messages("$_, $name", $of{$_}, 10) for sort keys %of;
    is_deeply(clients(), \%address, "$name: the addresses are the same");

    my $positions = @{$n->provider->seen->{gga}};
    is($n->provider->wait_for(gga => $positions + 1)->{logins}, 4,
       "$name: the provider noticed nothing but positions");
}

# who was handed over can be kicked, and leaves a line when it goes

like($n->console('KICK passwd u1'), qr/^OK KICK\r\n/, 'KICK');
$of{IPv6}->wait_for(sub { shift->{rovers}{u1}{state} eq 'closed' });
$of{IPv6}->leave('u2');
$of{wildcard}->leave('u9');
$of{proxied}->leave('u23');

my @lines = (qr/^u1 ::1 kicked [1-9]/m, qr/^u2 ::1 closed [1-9]/m,
             qr/^u9 ::1 closed [1-9]/m, qr/^u23 2001:db8::23 closed [1-9]/m);
for my $line (@lines) {
    wait_for(sub { read_file($t->path('rovers.log')) =~ $line },
             "the access log to have $line");
}

is(keys %{clients()}, $users - 4, 'the others are still there');
is($n->provider->seen->{twice}, 0, 'no account was used twice');
done_testing();
