# How old corrections are that a rover gets after it has not read for a while,
# or could not be reached: what is in the kernel's buffers counts.  Who vanishes
# does so in network namespaces of the test's own, where that is allowed.

use lib 't/lib';

my $private;

BEGIN {
    $private = $ENV{FIELDGATE_NETNS};

    if (!$private && system('unshare -n true > /dev/null 2>&1') == 0) {
        $ENV{FIELDGATE_NETNS} = 1;
        exec 'unshare', '-n', $^X, $0, @ARGV or die "unshare: $!";
    }
}

use Fieldgate;
use Fieldgate::Env qw(read_file);
use Fieldgate::Ntrip;
use Fieldgate::Provider qw(frame frame_read);

use MIME::Base64 qw(encode_base64);
use Socket qw(SOL_SOCKET SO_RCVBUF AF_INET SOCK_STREAM inet_aton
              pack_sockaddr_in);
use Time::HiRes qw(time);

my ($here, $there) = ('198.18.0.1', '198.18.0.2');
my $far = $private && namespace();

my $size = 700;
my $max_age = 1;
my $ages = "ntrip_max_age ${max_age}s; ntrip_send_timeout 300s;";
my $listen = sub { $far ? "listen $here:%%PORT:$_[0]%%;" : '' };

my $n = Fieldgate::Ntrip->new(
    users => 20, accounts => 2, workers => 2,
    provider => { rate => 10, size => $size },
    stream => 'log_format n "$ntrip_user $ntrip_messages $bytes_sent'
              . ' $ntrip_result"; access_log %%DIR%%/access.log n;',
    server => $ages . $listen->('far_skip'),
    others => {
        close => "$ages ntrip_slow_rover close;" . $listen->('far_close'),
        limit => 'ntrip_max_age 300s; ntrip_send_timeout 1s;'
                 . $listen->('far_limit'),
        patient => 'ntrip_max_age 300s; ntrip_send_timeout 300s;' });
my ($t, $provider) = ($n->nginx, $n->provider);

my @reading;
my %seen;          # message => when the witness got it
my $witness = rover(1, 'patient', 1 << 20);


# ---- rovers that do not read ----

my $slow = rover(2, 'caster', 4096);
awaits('five messages', sub { @{$slow->{got}} >= 5 });
stall($slow, 3);
resume($slow, 'a rover that has not read for three times the age');

my $closed = rover(3, 'close', 4096);
awaits('five messages', sub { @{$closed->{got}} >= 5 });
@reading = ($witness);
awaits('it to be closed', sub { result(3) });
is(result(3), 'slow', 'ntrip_slow_rover close: it is closed');
aborted($closed, 'what the kernel had for it is gone');

for my $buffer (4096, 65536) {
    my $number = $buffer > 4096 ? 5 : 4;
    my $never = rover($number, 'limit', $buffer);
    @reading = ($witness);
    $provider->set(rate => $buffer > 4096 ? 200 : 10);
    awaits('it to be closed', sub { result($number) });
    is(result($number), 'send timeout',
       "one that never reads ends, with a receive buffer of $buffer");

    my ($sent) = log_line($number) =~ / (\d+) send/;
    my $unread = $sent - length($never->{head}) - @{$never->{got}} * $size
                 - length($never->{buf}) - unread($never);
    cmp_ok($unread, '<=', 20 * $size, 'and its kernel was given little more '
                                      . 'than fits there');
    aborted($never, 'which is gone');
}

$provider->set(rate => 10);


# ---- rovers that vanish ----

SKIP: {
    skip('no network namespaces here', 1) unless $far;

    # what was on its way: a connection's first window, in packets

    my $window = 10;

    for my $reload (0, 1) {
        my $what = $reload ? 'one that is handed over meanwhile'
                           : 'a rover that was out of reach';
        my $gone = rover(6 + $reload, 'far_skip');
        awaits('five messages', sub { @{$gone->{got}} >= 5 });

        far('ip link set v1 down');
        $t->reload if $reload;
        stall($gone, 3);
        far('ip link set v1 up');
        resume($gone, $what, $window + 1);
    }

    my $gone = rover(8, 'far_close');
    awaits('five messages', sub { @{$gone->{got}} >= 5 });
    far('ip link set v1 down');
    awaits('it to be closed', sub { result(8) });
    is(result(8), 'slow', 'ntrip_slow_rover close: so is one out of reach');
    far('ip link set v1 up');

    # some messages are under way, and nothing follows that would not be taken

    $gone = rover(9, 'far_limit');
    awaits('five messages', sub { @{$gone->{got}} >= 5 });
    far('ip link set v1 down');
    turn();
    my $last = newest();
    awaits('two more', sub { newest() > $last + 1 });
    $provider->set(rate => 0);
    awaits('its end', sub { result(9) });
    is(result(9), 'send timeout', 'who acknowledges nothing ends');
    is(scalar(grep { result($_) } 1), 0, 'others stay');
}

is("@{$witness->{wrong}}", '', 'the witness has got everything');

done_testing;


# ---- the network ----

# a namespace behind a pair of devices, with the process that keeps it; false:
# there can be none

sub namespace {
    system('ip link set lo up') == 0 or return;
    system('ip link add v0 type veth peer name v1 2> /dev/null') == 0
        or return;

    pipe my $r, my $w or die "pipe: $!";
    my $pid = fork() // die "fork: $!";
    if ($pid == 0) {
        close $r;
        exec 'unshare', '-n', 'sh', '-c', 'echo; exec sleep 900 >&-'
            if open STDOUT, '>&', $w;
        die "unshare: $!";
    }
    close $w;
    readline $r;

    my $ns = { pid => $pid, owner => $$ };
    bless $ns, 'Namespace';

    my $in = "nsenter -t $pid -n";
    for ("ip link set v1 netns $pid", "$in ip addr add $there/30 dev v1",
         "$in ip link set v1 up", "ip addr add $here/30 dev v0",
         'ip link set v0 up')
    {
        system($_) == 0 or return;
    }

    return $ns;
}

sub Namespace::DESTROY {
    my ($self) = @_;
    return if $self->{owner} != $$;
    local $?;
    kill KILL => $self->{pid};
    waitpid $self->{pid}, 0;
}

# runs a command there

sub far { system("nsenter -t $far->{pid} -n $_[0]") == 0 or die $_[0] }

# a socket of there: setns() is a matter of the calling thread

sub far_socket {
    my $setns = { x86_64 => 308, aarch64 => 268 }->{(POSIX::uname())[4]}
        // die 'setns(): number unknown';

    open my $home, '<', '/proc/self/ns/net' or die $!;
    open my $away, '<', "/proc/$far->{pid}/ns/net" or die $!;
    syscall($setns, fileno $away, 0x40000000) == 0 or die "setns: $!";
    socket(my $s, AF_INET, SOCK_STREAM, 0) or die $!;
    syscall($setns, fileno $home, 0x40000000) == 0 or die "setns: $!";

    return $s;
}


# ---- rovers ----

# logged in, and read from: each message with its number; dies of a damaged one

sub rover {
    my ($number, $port, $buffer) = @_;
    my $s;

    if ($port =~ /^far_/) {
        $s = far_socket();
    } else {
        socket($s, AF_INET, SOCK_STREAM, 0) or die $!;
    }

    if ($buffer) {
        setsockopt($s, SOL_SOCKET, SO_RCVBUF, $buffer) or die $!;
    }

    my $host = $port =~ /^far_/ ? $here : '127.0.0.1';
    connect($s, pack_sockaddr_in($t->port($port), inet_aton($host)))
        or die "connect: $!";
    $s->blocking(0);

    my $auth = encode_base64("u$number:p$number", '');
    syswrite $s, "GET /M0 HTTP/1.0\r\nAuthorization: Basic $auth\r\n\r\n"
                 . '$GPGGA,120000.00,4806.0000,N,01130.0000,E,4,12,0.8,500.0,'
                 . "M,45.0,M,,\r\n";

    my $r = { s => $s, buf => '', head => '', got => [], wrong => [] };
    push @reading, $r;
    awaits('the reply', sub { $r->{head} });

    return $r;
}

# the witness first: its time of a message is that of all

sub turn {
    for my $r (@reading) {
        1 while sysread $r->{s}, $r->{buf}, 65536, length $r->{buf};
        $r->{head} ||= $1 if $r->{buf} =~ s/^(ICY 200 OK\r\n\r\n)//;
        take($r) if $r->{head};
    }
}

sub take {
    my ($r) = @_;

    while (length $r->{buf} >= $size) {
        my $message = substr $r->{buf}, 0, $size, '';
        my ($login, $number) = frame_read($message);
        my $last = $r->{got}[-1];

        $message eq frame($login, $number, $size)
            or push @{$r->{wrong}}, "damaged after $last";
        push @{$r->{wrong}}, "$number after $last"
            if defined $last && $number <= $last;
        push @{$r->{got}}, $number;
        $seen{$number} //= time;
    }
}

sub awaits {
    my ($what, $code) = @_;
    wait_for(sub { turn(); $code->() }, $what);
}

sub newest { $witness->{got}[-1] }

# it is not read from while the provider sends for so many seconds

sub stall {
    my ($r, $seconds) = @_;
    my $until = newest() + 10 * $seconds;

    @reading = ($witness);
    awaits("$seconds s of messages", sub { newest() >= $until });
}

# From now on it may only get what had come already, or is not too old, and a
# little that the kernel had for it.

sub resume {
    my ($r, $what, $little) = @_;
    my ($now, $newest) = (time, newest());
    my $had = @{$r->{got}};
    my $came = length($r->{buf}) + unread($r);

    push @reading, $r;
    awaits("$what to have the newest", sub { $r->{got}[-1] >= $newest });

    my @got = @{$r->{got}}[$had .. $#{$r->{got}}];
    my @old = grep { $seen{$_} < $now - $max_age - 0.2 } @got;
    my @late = splice @old, int(($came + $size - 1) / $size);
    cmp_ok(scalar @late, '<=', $little // 2, "$what gets nothing old")
        or diag("too late: @late");

    my $mark = @{$r->{got}};
    awaits('more messages', sub { @{$r->{got}} > $mark + 5 });
    my @after = @{$r->{got}}[$mark .. $#{$r->{got}}];
    is($after[-1] - $after[0], $#after, 'then it gets everything');
    is("@{$r->{wrong}}", '', 'in whole messages, in order');

    @reading = ($witness);
    close $r->{s};
}

# what has come and was not read; FIONREAD

sub unread {
    my ($r) = @_;
    my $n = pack 'i', 0;
    ioctl($r->{s}, 0x541b, $n) or die "FIONREAD: $!";
    return unpack 'i', $n;
}

# it reads what has come; then the connection is not closed, but reset

sub aborted {
    my ($r, $what) = @_;
    my ($came, $got, $n) = (unread($r), 0);

    $got += $n while $n = sysread $r->{s}, my $buf, 65536;
    ok($!{ECONNRESET} && $got <= $came, $what)
        or diag("$got bytes of $came, then " . (defined $n ? 'EOF' : $!));
}

sub log_line {
    my ($number) = @_;
    my ($line) = read_file($t->path('access.log')) =~ /^(u$number .*)$/m;
    return $line // '';
}

sub result {
    my ($number) = @_;
    return log_line($number) =~ /^\S+ \d+ \d+ (.*)/ ? $1 : '';
}
