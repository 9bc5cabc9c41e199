# The console and the periodic report with rovers and sources: who is there, in
# any worker, KICK, and SOURCE-TEST.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Ntrip;
use IO::Socket::IP;

my $n = Fieldgate::Ntrip->new(workers => 2, users => 20, accounts => 4,
                              mounts => 2, stream => 'ntrip_report 1s;',
                              server => 'ntrip_source_timeout 3s;');
my ($t, $provider) = ($n->nginx, $n->provider);
my $port = $provider->port;

# both workers run

my $started = length $t->error_log;

sub console { $t->exchange('console', "$_[0]\n") }

my $rovers = $n->rovers(1 .. 12);
$rovers->wait_for(fed => 12);


# CLIENT-LIST

my $list = console('CLIENT-LIST passwd');
like($list, qr/^OK CLIENT-LIST\r\n.*\r\n\r\n$/s, 'CLIENT-LIST');
my %client = $list =~ /^(u\d+):(p\d+\t127\.0\.0\.1\t20\d\d-\d\d-\d\d
                       \ \d\d:\d\d:\d\d)\r$/gmx;
is_deeply([sort keys %client], [sort map { "u$_" } 1 .. 12],
          'rovers of all workers');
is((grep { $client{"u$_"} =~ /^p$_\t/ } 1 .. 12), 12, 'with their passwords');

$n->sql("UPDATE user SET password = '{SHA}x' WHERE name = 'u12'");
wait_for(sub { $rovers->seen->{open} == 11 }, 'u12 to be out');
is(() = console('CLIENT-LIST passwd') =~ /\t127/g, 11,
   'a new password ends a session');


# STREAM-LIST

my $place = qr/-?\d+\.\d+,-?\d+\.\d+/;
my @streams = console('STREAM-LIST passwd') =~
    /^(M\d)\t127\.0\.0\.1:$port\ta\d\t(\d+)\t$place\t\d+\t\d+\r$/gm;
my %streams = @streams;
is_deeply([sort keys %streams], ['M0', 'M1'], 'STREAM-LIST: each mountpoint');
is($streams{M0} + $streams{M1}, 11, 'and its rovers');


# KICK

is(console('KICK passwd u1'), "OK KICK\r\n\r\n", 'KICK');
wait_for(sub { $rovers->seen->{open} == 10 }, 'u1 to be out');
is($rovers->seen->{rovers}{u2}{state}, 'data', 'nobody else is');
is(console('KICK passwd u1'), "ERROR user not connected\r\n", 'once');
my $again = $n->rovers(1);
ok($again->wait_for(fed => 1), 'who was kicked may log in again');


# SOURCE-TEST, and the state of an account

my ($free) = grep { console('STREAM-LIST passwd') !~ /\ta$_\t/ } 1 .. 4;
my $reply = console("SOURCE-TEST passwd 127.0.0.1 a$free M0");
like($reply, qr/^OK SOURCE-TEST\r\n.*ICY 200 OK.*\r\n\r\n$/s, 'SOURCE-TEST');
my ($used) = console('STREAM-LIST passwd') =~ /\ta(\d)\t/;
sub test { console("SOURCE-TEST passwd 127.0.0.1 $_[0] M0")
               =~ s/^OK SOURCE-TEST\r\n(.*)\r\n\r\n\z/$1/r }

is(test("a$used"), 'in use', 'of one that is in use');

# the next test waits for the end of this one, and of the one before

$provider->set(refuse => { "a$free" => "HTTP/1.0 401 Unauthorized\r\n\r\n" });
is(test("a$free"), 'HTTP/1.0 401 Unauthorized', 'of one that is refused');
my @states = console('SOURCE-LIST passwd') =~ /\ta(\d):s\d\t.*\t(\S+)\r/g;
is_deeply({ @states }, { map { $_ => $_ == $free ? 'refused' : '?' } 1 .. 4 },
          'which SOURCE-LIST shows');
is($provider->seen->{twice}, 0, 'no account was used twice');

# in words, whatever it meets

my $dead = IO::Socket::IP->new(LocalHost => '127.0.0.1', Listen => 1);
my ($mute, $closed) = ($dead->sockport, do {
    my $s = IO::Socket::IP->new(LocalHost => '127.0.0.1', Listen => 1);
    $s->sockport;
});

for my $case (
    ["127.0.0.1:$closed", 'connection refused'],
    ["127.0.0.1:$mute", 'no answer'],
    ['nowhere.invalid', 'host not found'],
) {
    my ($server, $words) = @$case;
    console("SOURCE-ADD passwd $server x:y 2090-01-01");
    is(console("SOURCE-TEST passwd $server x"),
       "OK SOURCE-TEST\r\n$words\r\n\r\n", $words);
    console("SOURCE-DEL passwd $server x");
}

is_deeply($rovers->seen->{errors}, [], 'rovers have noticed nothing');


# the report, by one worker

$t->wait_log(qr/a\d\@127\.0\.0\.1:$port\/M0 \| \d+ \| u2 .*END SYSTEM REPORT/s);
my $log = substr $t->error_log, $started;
my %by;
$by{$1}++ while $log =~ / (\d+)#\d+: ==== BEGIN SYSTEM REPORT ====/g;
is(keys %by, 1, 'one worker prints the report');
like($log, qr/\[info\].*Users Online \d+ of 20 /, 'users');
unlike($log, qr/\bs\d\@|:p2\b/, 'no password');

my ($reporter) = keys %by;
$t->kill_worker($reporter);
my $end = length $t->error_log;
ok(wait_for(sub { substr($t->error_log, $end) =~ /END SYSTEM REPORT/ },
            'another one to print it'), 'after its end another one does');

done_testing();
