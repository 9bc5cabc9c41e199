# Rovers that do not read fast enough, and what goes out as one write.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Ntrip;
use Fieldgate::Provider qw(frame frame_read);

use MIME::Base64 qw(encode_base64);
use Socket qw(SOL_SOCKET SO_RCVBUF);

my $size = 1000;
my $n = Fieldgate::Ntrip->new(
    users => 20, accounts => 2, mounts => 2, workers => 2, zone => '8m',
    provider => { rate => 100, size => $size },
    stream => 'log_format n "$ntrip_user $ntrip_result $ntrip_messages'
              . ' $bytes_sent"; access_log %%DIR%%/access.log n;'
              . 'ntrip_ring_size 512k;',
    server => 'ntrip_max_age 500ms; ntrip_send_timeout 60s;',
    others => { patient => 'ntrip_max_age 300s;' });
my ($t, $provider) = ($n->nginx, $n->provider);

my $gga = '$GPGGA,120000.00,4806.0000,N,01130.0000,E,4,12,0.8,500.0,M,45.0,M,,';


# a rover with a small window, which only the kernel fills until it reads

sub rover {
    my ($number, $port) = @_;

    socket(my $s, Socket::AF_INET(), Socket::SOCK_STREAM(), 0) or die $!;
    setsockopt($s, SOL_SOCKET, SO_RCVBUF, 4096) or die $!;
    connect($s, Socket::pack_sockaddr_in($t->port($port // 'caster'),
                                         Socket::INADDR_LOOPBACK())) or die $!;
    my $auth = encode_base64("u$number:p$number", '');
    my $mount = 'M' . $number % 2;
    syswrite $s, "GET /$mount HTTP/1.0\r\nAuthorization: Basic $auth\r\n\r\n"
                 . "$gga\r\n";

    my $r = { s => $s, buf => '', user => "u$number" };
    wait_for(sub { fill($r); $r->{buf} =~ s/^ICY 200 OK\r\n\r\n// },
             'the reply');
    return $r;
}

# what is there, without waiting

sub fill {
    my ($r) = @_;
    my $select = IO::Select->new($r->{s});
    while ($select->can_read(0)) {
        my $got = sysread $r->{s}, $r->{buf}, 65536, length $r->{buf};
        last if !$got;
    }
}

# how many messages the provider has sent to that mountpoint

sub sent { (values %{$provider->seen->{sent}})[0] }

# takes whole messages off the front: their numbers; dies if one is damaged

sub messages {
    my ($r) = @_;
    my @numbers;

    while (length $r->{buf} >= $size) {
        my $message = substr $r->{buf}, 0, $size, '';
        my ($login, $number) = frame_read($message);
        $message eq frame($login, $number, $size)
            or die "what comes is no message";
        push @numbers, $number;
    }

    return @numbers;
}


# ---- skip ----

# one that reads keeps getting everything while another one does not

my $fast = Fieldgate::Rovers->new(port => $t->port('patient'),
                                  rovers => [map { $n->rover($_) } 2, 4, 6]);
$fast->wait_for(fed => 3);

my $slow = rover(8);
wait_for(sub { fill($slow); length $slow->{buf} >= 10 * $size },
         'the slow rover to be served');
my @numbers = messages($slow);

# it does not read until much more was sent than buffers and window hold

my $before = $fast->seen->{messages};
$fast->wait_for(messages => $before + 3 * 500);

# then no more is sent than it can read

$provider->set(rate => 20);
my $all = sent();
wait_for(sub { fill($slow); push @numbers, messages($slow);
               $numbers[-1] >= $all }, 'the slow rover to be up to date');

my @steps = sort { $a <=> $b }
            map { $numbers[$_] - $numbers[$_ - 1] } 1 .. $#numbers;
cmp_ok($steps[-1], '>', 200, 'a rover that is behind goes on with what is new');
cmp_ok($steps[0], '>=', 1, 'and gets nothing twice');

# once it reads again it gets everything again

my $mark = @numbers;
wait_for(sub { fill($slow); push @numbers, messages($slow);
               @numbers > $mark + 50 }, 'more messages');
is(scalar(grep { $numbers[$_] != $numbers[$_ - 1] + 1 } $mark .. $#numbers), 0,
   'then nothing is left out');

my $seen = $fast->seen;
is("@{$seen->{errors}}", '', 'the others have got every message, once');
is($provider->seen->{logins}, 1, 'over one source');

# the access log counts what was delivered, not what was skipped

$provider->set(rate => 0);
$all = sent();
wait_for(sub { fill($slow); push @numbers, messages($slow);
               $numbers[-1] == $all - 1 }, 'the last message');
my $got = @numbers;
close $slow->{s};
wait_for(sub { read_log() =~ /^u8 /m }, 'the line of the slow rover');
my ($result, $counted, $bytes) =
    read_log() =~ /^u8 (\w+) (\d+) (\d+)$/m;
is($counted, $got, 'all that was received is counted, what was skipped is not');
is($bytes, length("ICY 200 OK\r\n\r\n") + $got * $size, 'nor its bytes');

sub read_log { Fieldgate::Env::read_file($t->path('access.log')) }


# ---- close ----

$fast->stop;
$provider->set(rate => 100);
my $close = 'ntrip_slow_rover close;';
$t->reload(stream => $t->{stream} =~ s/(ntrip_max_age 500ms;)/$1 $close/r);
is(scalar(() = $t->{stream} =~ /$close/g), 1, 'the other policy');

$slow = rover(10);
wait_for(sub { fill($slow); length $slow->{buf} >= $size }, 'a message');
ok(wait_for(sub { read_log() =~ /^u10 slow /m },
            'the slow rover to be closed'), 'a rover that is behind is closed');

done_testing;
