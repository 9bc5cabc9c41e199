# What a session takes along to a newer worker: who it is and since when, for
# the access log, which gets one line, for kicks, and for the report.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Env qw(read_file);
use Fieldgate::Ntrip;
use Time::HiRes qw(time);

my $n = Fieldgate::Ntrip->new(
    users => 12, mounts => 2,
    main => 'worker_shutdown_timeout 60s;',
    stream => <<'END',
    log_format rover '$ntrip_user|$ntrip_mount|$ntrip_agent|$ntrip_version|'
                     '$ntrip_result|$ntrip_position|$ntrip_source|'
                     '$ntrip_messages|$bytes_sent|$bytes_received|'
                     '$session_time|$remote_port';
    ntrip_report 500ms;
END
    server => 'access_log %%DIR%%/access.log rover;');
my ($t, $provider) = ($n->nginx, $n->provider);
my $began = time;

my $rovers = $n->rovers(1 .. 10);
$rovers->wait_for(fed => 10);

# each rover has a position and ten messages more

sub next_generation {
    $t->reload(gone => 1);
    my $before = $rovers->seen->{rovers};
    return $rovers->wait_for(sub {
        my $now = shift->{rovers};
        !grep { $now->{$_}{state} ne 'closed'
                && ($now->{$_}{messages} < $before->{$_}{messages} + 10
                    || $now->{$_}{positions} == $before->{$_}{positions}) }
              keys %$now;
    });
}

next_generation() for 1 .. 3;


# the same user again: out, though the session has been in three workers

my $again = Fieldgate::Rovers->new(
    port => $t->port('caster'),
    rovers => [$n->rover(1, id => 'again')]);
$again->wait_for(fed => 1);
my $seen = $rovers->wait_for(sub { shift->{open} == 9 });
is($seen->{rovers}{u1}{state}, 'closed', 'a later login throws it out');

next_generation();
is($again->seen->{open}, 1, 'and stays itself');


# a user who is deleted

$n->sql("DELETE FROM user WHERE name = 'u2';\n");
my $deleted = length $t->error_log;
$seen = $rovers->wait_for(sub { shift->{open} == 8 });
is($seen->{rovers}{u2}{state}, 'closed', 'a user is deleted: out');


# the report, of one worker

my $report = wait_for(sub {
    my @reports = split /(?=BEGIN SYSTEM REPORT)/,
                        substr $t->error_log, $deleted;
    return (grep { /Users Online 9 .*END SYSTEM REPORT/s } @reports)[0];
}, 'a report of nine rovers');
like($report, qr/Users Online 9 of 11 \(81\.8%\)/, 'the report: users');
like($report, qr/Source Using 2 of 10 /, 'the report: accounts');
like($report, qr{\|\ a\d+\@127\.0\.0\.1:\d+/M1\ \|\ \d+\ \|\ u3
                 \ \|\ 127\.0\.0\.1\ \|\ u281xu\ \|\ \d\d-\d\d\ \d\d:\d\d
                 \ \|\ \d+\ \|\ [\d.]+
                 \ K?B\ \|}x, 'the report: a rover');
my %printers = map { $_ => 1 }
               $report =~ /\[info\] (\d+)#\d+: (?:Users Online|\S.* \| )/g;
is(keys %printers, 1, 'the report: one worker prints it');
unlike($t->error_log, qr/[: ][ps]\d+[@ ]/, 'no password in error.log');


# one line for each session

$seen = $rovers->seen;
$rovers->leave(map { "u$_" } 3 .. 10);
wait_for(sub { 10 == (() = read_file($t->path('access.log')) =~ /\n/g) },
         'lines in the access log');
my $lasted = time - $began;
my $sent = $provider->seen->{sent};

my %line;
for (split /\n/, read_file($t->path('access.log'))) {
    my @fields = split /\|/;
    $line{$fields[0]} = \@fields;
}
is(keys %line, 10, 'a line for each session');

for my $i (1 .. 10) {
    my ($user, $mount, $agent, $version, $result, $position, $source, $messages,
        $bytes, $received, $time, $port) = @{$line{"u$i"}};
    my $r = $seen->{rovers}{"u$i"};
    my $expected = $i == 1 ? 'kicked' : $i == 2 ? 'revoked' : 'closed';

    is("$mount $agent $version $result",
       'M' . $i % 2 . " NTRIP Fieldgate-test 1 $expected", "u$i: who it was");
    is($position, '48.10000,11.60000', "u$i: where it was");
    my ($account) = $source =~ /^(a\d+)\@127\.0\.0\.1:\d+/;
    ok(defined $account, "u$i: its source");
    unlike($source, qr/s\d/, "u$i: without a password");
    is($port, $r->{own}, "u$i: from where it came");

    # those that left may have had more on their way
    cmp_ok($messages, '>=', $r->{messages}, "u$i: messages");
    cmp_ok($messages, '<=', $sent->{$account}, "u$i: not twice");
    is($bytes, 14 + 120 * $messages, "u$i: bytes sent");
    cmp_ok($received, '>', 300, "u$i: bytes received");
    cmp_ok($time, '>', 1, "u$i: it was there from the beginning");
    cmp_ok($time, '<', $lasted + 1, "u$i: and no longer");
}

$t->stop;
done_testing();
