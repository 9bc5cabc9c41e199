# kill -9 of each worker in turn: only its own rovers fall, the others get data
# again, on whole messages; and nothing stays behind: after fifty kills as many
# rovers as there are accounts, each far from the others, get one each.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Ntrip;
use Time::HiRes qw(time);

my ($users, $mounts, $accounts) = (200, 10, 20);

# sanitizers make each kill and each new worker several times as long

my %kills = defined $ENV{TEST_NGINX_BINARY} && !$ENV{FIELDGATE_LONG}
            ? (2 => 8, 4 => 8) : (2 => 25, 4 => 25);

storm($_, $kills{$_}) for sort keys %kills;
done_testing();


sub storm {
    my ($workers, $kills) = @_;
    my $name = "$workers workers";

    my $n = Fieldgate::Ntrip->new(
        workers => $workers, users => $users, mounts => $mounts,
        accounts => $accounts, provider => { rate => 10 },
        server => 'ntrip_source_linger 500ms;');
    my ($t, $provider) = ($n->nginx, $n->provider);

    my $rovers = $n->rovers(1 .. $users);
    my $seen = $rovers->wait_for(fed => $users);
    my ($longest, $fallen) = (0, 0);

    for my $kill (1 .. $kills) {
        my @workers = $t->pids;
        my $victim = $workers[$kill % @workers];
        my %worker = workers_of($t, $seen);

        my $killed = time;
        $t->kill_worker($victim);

        # the others go on: each gets ten messages more than when it happened

        my $before = $rovers->seen;
        my @others = grep { $worker{$_} != $victim } keys %worker;
        my @victims = grep { $worker{$_} == $victim } keys %worker;

        $seen = $rovers->wait_for(sub {
            my $r = shift->{rovers};
            return !grep({ $r->{$_}{state} ne 'closed'
                           && $r->{$_}{messages}
                              < $before->{rovers}{$_}{messages} + 10 } @others)
                   && !grep { $r->{$_}{state} ne 'closed' } @victims;
        });

        my $took = time - $killed;
        $longest = $took if $took > $longest;
        $fallen += @victims;

        my @wrong = grep { $seen->{rovers}{$_}{state} eq 'closed' } @others;
        is("@wrong", '', "$name, kill $kill: rovers of other workers stay")
            or return $t->stop;

        # those that fell come back

        $rovers->add(map { $n->rover(/(\d+)/) } @victims);
        $seen = $rovers->wait_for(sub {
            my $r = shift->{rovers};
            !grep { !$r->{$_}{messages} } keys %worker;
        });
    }

    note(sprintf '%s: %d rovers fell; all others had ten more messages within '
                 . '%.1f s', $name, $fallen, $longest);

    # each worker dies in its turn: on average it has its share of the rovers

    cmp_ok($fallen, '>=', $kills * $users / $workers / 2,
           "$name: rovers fell");
    is(join("\n", grep { !/closed within a message/ } @{$seen->{errors}}), '',
       "$name: no message was damaged, lost or repeated");
    is($provider->seen->{twice}, 0, "$name: no account was used twice");

    # all go, and then come one for each account, too far from each other to
    # share

    $rovers->leave(keys %{$seen->{rovers}});
    $provider->wait_for(sub { shift->{open} == 0 });

    my $far = Fieldgate::Rovers->new(
        port => $t->port('caster'),
        rovers => [map { $n->rover($_, lat => 40, lon => $_) } 1 .. $accounts]);
    $far->wait_for(fed => $accounts);

    is($provider->seen->{open}, $accounts,
       "$name: every account can be used again");
    is($provider->seen->{twice}, 0, "$name: by one at a time");
    ok($n->wait_rows('CLIENT-LIST', $accounts),
       "$name: no session stayed behind");
    ok($n->wait_rows('STREAM-LIST', $accounts),
       "$name: no stream stayed behind");

    $t->stop;
}

# whose rovers are whose: error.log names the worker and the rover's port

sub workers_of {
    my ($t, $seen) = @_;
    my ($log, %port) = $t->error_log;

    $port{$2} = $1
        while $log =~ /\[info\] (\d+)#\S+ \*\d+ client \S+?:(\d+) conn/g;

    return map { $_ => $port{$seen->{rovers}{$_}{own}} }
           keys %{$seen->{rovers}};
}
