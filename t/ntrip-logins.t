# Wrong passwords: what whoever sends many of them takes away from others, at
# his own address and elsewhere; and what the time of an answer tells.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Ntrip;

use IO::Select;
use IO::Socket::INET;
use MIME::Base64 qw(encode_base64);
use Time::HiRes qw(time sleep);

my $n = Fieldgate::Ntrip->new(users => 40, accounts => 1, start => 0,
    main => 'thread_pool ntrip_hash threads=2;',
    server => 'ntrip_login_timeout 60s;',
    others => { short => 'ntrip_login_timeout 3s;' });
my $t = $n->nginx;

sub users {
    my ($name, $many, $rounds, %more) = @_;
    my $hash = crypt 'geheim', "\$6\$rounds=$rounds\$saltsalt\$";
    my $columns = join '', map { ", $_" } sort keys %more;
    my $values = join '', map { ", $more{$_}" } sort keys %more;
    $n->sql(join '', "BEGIN;\n", (map { "INSERT INTO user (name, password"
            . "$columns) VALUES ('$name$_', '$hash'$values);\n" } 1 .. $many),
            "COMMIT;\n");
}

sub login {
    my ($user, $password, %o) = @_;
    my $s = IO::Socket::INET->new(
        PeerAddr => '127.0.0.1', PeerPort => $t->port($o{port} // 'caster'),
        LocalAddr => $o{from} // '127.0.0.1', Proto => 'tcp')
        or die "connect: $@";
    my $auth = encode_base64("$user:$password", '');
    my $version = $o{version} // 1;

    print $s "GET /M0 HTTP/1.0\r\nUser-Agent: NTRIP test\r\n"
             . "Ntrip-Version: NTRIP/$version.0\r\n"
             . "Authorization: Basic $auth\r\n\r\n";

    return $s;
}

sub median { (sort { $a <=> $b } @_)[@_ / 2] }

# the time to the first byte of the answer

sub took {
    my ($expected, @login) = @_;
    my $start = time;
    my $line = readline(login(@login)) // 'closed';
    my $time = time - $start;
    like($line, $expected, "$login[0]: the answer") if $line !~ $expected;
    return $time;
}


# who there is cannot be told from how long the answer takes: each of these is
# hashed once, and each comes from an address of its own

users('h', 60, 100_000);
users('gone', 1, 100_000, expires_at => 1);
users('other', 1, 100_000, mounts => "'M7'");
$t->start;

my $host = 0;
my %time;
for (1 .. 5) {
    for my $user (qw(nobody h1 gone1 other1 u1)) {
        push @{$time{$user}},
             took(qr/^\S+ 401 /, $user, 'wrong', from => '127.1.0.' . ++$host);
    }
}
my %median = map { $_ => median(@{$time{$_}}) } keys %time;
note(join ', ', map { sprintf '%s %.1f ms', $_, 1e3 * $median{$_} }
                    sort keys %median);
my ($least, $most) = (sort { $a <=> $b } values %median)[0, -1];
cmp_ok($least, '>', $most / 3,
       'unknown, expired, not for this mountpoint, plain or hashed: the same');

# on a busy machine both wait for other things too, which only adds to what they
# take: the shortest of many is without it

my ($plain) = sort { $a <=> $b } map { took(qr/^ICY/, "u$_", "p$_") } 1 .. 30;
my ($hashed) = sort { $a <=> $b } map { @$_ } values %time;
note(sprintf 'the shortest: plain %.1f ms, hashed %.1f ms', 1e3 * $plain,
     1e3 * $hashed);
cmp_ok($plain, '<', $hashed / 3,
       'a plain password that is right needs no hash');


# without an attack, and with some hundred wrong passwords a second from one
# address, whose connections are closed after a while

my $next = 0;
sub honest {
    my ($many) = @_;
    return map { sleep 0.05; took(qr/^ICY/, 'h' . ++$next, 'geheim') }
               1 .. $many;
}

my $alone = median(honest(7));

my $pid = fork // die "fork: $!";
if ($pid == 0) {
    my @open;
    for (my $i = 0; getppid != 1; $i++) {
        push @open, login('h60', "wrong$i", from => '127.0.0.2');
        shift @open if @open > 300;
        sleep 0.0013;
    }
    POSIX::_exit(0);
}

wait_for(sub { 10 <= (() = $t->error_log =~ /"h60" refused/g) }, 'the attack');
my $attacked = median(honest(7));
my $start = time;
is($n->console('CLIENT-LIST passwd') =~ /^(\S+ \S+)/ && $1, 'OK CLIENT-LIST',
   'the console in an attack');
my $console = time - $start;
kill TERM => $pid;
waitpid $pid, 0;

note(sprintf 'a login alone %.1f ms, in an attack %.1f ms, the console %.1f',
     1e3 * $alone, 1e3 * $attacked, 1e3 * $console);
cmp_ok($attacked, '<', 3 * $alone, 'a login from elsewhere in an attack');


# an address that has failed too often: one at a time, users without failures
# of their own first, whoever has no turn in time is closed

login('h59', 'wrong', from => '127.0.0.3')->getline for 1 .. 11;

my @version = map { 1 + $_ % 2 } 0 .. 39;
my @guess = map { login('h59', "wrong$_", from => '127.0.0.3',
                        version => $version[$_], port => 'short') } 0 .. 39;
my $waiting = IO::Select->new(@guess);

my $mate = login('h58', 'geheim', from => '127.0.0.3');
my $other = login('h57', 'geheim', from => '127.0.0.4');
like(scalar <$mate>, qr/^ICY/, 'a user without failures at that address');
like(scalar <$other>, qr/^ICY/, 'one from another address');
cmp_ok(scalar(my @early = $waiting->can_read(0)), '<', 10,
       'come before those that guess');

$mate = login('u2', 'p2', from => '127.0.0.3');
like(scalar <$mate>, qr/^ICY/, 'so does one with a plain password');

my (%got, %wrong);
for my $i (0 .. $#guess) {
    my $answer = Fieldgate::read_all($guess[$i]);
    my $what = $answer =~ m{^\S+ (\d+) } ? $1 : $answer eq '' ? '' : $answer;
    $got{$what}++;
    $wrong{"$version[$i] $what"}++
        if $what ne '401' && $what ne ($version[$i] == 2 ? '503' : '');
}
note(join ', ', map { "'$_': $got{$_}" } sort keys %got);
is(join(' ', sort keys %wrong), '', '401, or nothing in time: 503 or closed');
cmp_ok($got{401} // 0, '<', 10, 'guesses that were looked at');
cmp_ok($got{503} // 0, '>', 10, 'others ran out of time');

$n->console('KICK passwd h58');
my $failed = login('h59', 'geheim', from => '127.0.0.3');
like(scalar <$failed>, qr/^ICY/, 'who has failed gets in when it is his turn');

$t->stop;
done_testing();
