# kill -9 of each worker in turn: only its own rovers fall, the others get data
# again, on whole messages; and nothing stays behind: after fifty kills as many
# rovers as there are accounts, each far from the others, get one each.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Ntrip;
use Time::HiRes qw(time);

my ($users, $mounts, $accounts, $kills) = (200, 10, 20, 50);

my $n = Fieldgate::Ntrip->new(
    workers => 2, users => $users, mounts => $mounts, accounts => $accounts,
    provider => { rate => 10 }, server => 'ntrip_source_linger 500ms;');
my ($t, $provider) = ($n->nginx, $n->provider);

my $rovers = $n->rovers(1 .. $users);
my $seen = $rovers->wait_for(fed => $users);
my ($longest, $fallen) = (0, 0);

for my $kill (1 .. $kills) {
    my @workers = sort { $a <=> $b } $t->pids;
    my $victim = $workers[$kill % @workers];

    # whose rovers are whose: error.log names the worker and the rover's port

    my (%port, $log) = ();
    $log = $t->error_log;
    $port{$2} = $1
        while $log =~ /\[info\] (\d+)#\S+ \*\d+ client \S+?:(\d+) conn/g;
    my %mine = map { $_ => $port{$seen->{rovers}{$_}{own}} }
               keys %{$seen->{rovers}};

    my $killed = time;
    $t->kill_worker($victim);

    # the others go on: each has ten more messages than when it happened

    my $before = $rovers->seen;
    my @others = grep { $mine{$_} != $victim } keys %mine;
    my @victims = grep { $mine{$_} == $victim } keys %mine;

    $seen = $rovers->wait_for(sub {
        my $s = shift;
        return !grep({ my $r = $s->{rovers}{$_};
                       $r->{state} ne 'closed'
                       && $r->{messages}
                          < $before->{rovers}{$_}{messages} + 10 } @others)
               && !grep { $s->{rovers}{$_}{state} ne 'closed' } @victims;
    });

    my $took = time - $killed;
    $longest = $took if $took > $longest;
    $fallen += @victims;

    my @wrong = grep { $seen->{rovers}{$_}{state} eq 'closed' } @others;
    is("@wrong", '', "kill $kill: rovers of other workers stay")
        or last;

    # those that fell come back

    $rovers->add(map { $n->rover(/(\d+)/) } @victims);
    $seen = $rovers->wait_for(sub {
        my $s = shift;
        !grep { !$s->{rovers}{$_}{messages} } keys %mine;
    });
}

is(join("\n", grep { !/closed within a message/ } @{$seen->{errors}}), '',
   'no message was damaged, lost or repeated');
is($provider->seen->{twice}, 0, 'no account was used twice');
note(sprintf '%d rovers fell; all others had ten more messages within %.1f s',
     $fallen, $longest);
cmp_ok($fallen, '>', 0, 'there were rovers that fell');

# all go, and then come one for each account, too far from each other to share

$rovers->leave(keys %{$seen->{rovers}});
$provider->wait_for(sub { shift->{open} == 0 });

my $far = Fieldgate::Rovers->new(
    port => $t->port('caster'),
    rovers => [map { $n->rover($_, lat => 40, lon => $_) } 1 .. $accounts]);
$far->wait_for(fed => $accounts);

is($provider->seen->{open}, $accounts, 'every account can be used again');
is($provider->seen->{twice}, 0, 'by one at a time');

# nothing is left of anybody else

is(() = $n->console('CLIENT-LIST passwd') =~ /^u\d+/mg, $accounts,
   'no session stayed behind');
is(() = $n->console('STREAM-LIST passwd') =~ /M\d+/g, $accounts,
   'no stream stayed behind');

done_testing();
