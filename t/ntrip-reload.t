# 500 rovers on 20 mountpoints at 10 messages a second, and a reload every two
# seconds for half a minute: no rover is dropped, no message lost, repeated or
# torn, no second login at the provider, and no old worker stays.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Ntrip;
use Time::HiRes qw(sleep time);

my ($users, $mounts, $seconds) = (500, 20, 30);

for my $workers (2, 4) {
    my $n = Fieldgate::Ntrip->new(
        workers => $workers, users => $users, mounts => $mounts,
        accounts => $mounts + 10, provider => { rate => 10 });
    my ($t, $provider) = ($n->nginx, $n->provider);

    my $rovers = $n->rovers(1 .. $users);
    $rovers->wait_for(fed => $users);

    my $end = time + ($workers == 2 ? $seconds : $seconds / 3);
    my $reloads = 0;
    while (time < $end) {
        my $next = time + 2;
        $t->reload;
        $reloads++;
        sleep($next - time) if $next > time;
    }

    # a reload is over when the old workers are gone

    wait_for(sub { !grep { $_->{exiting} } $t->worker_processes },
             'old workers to exit');

    # everybody has the newest messages

    my $before = $rovers->seen;
    my $after = $rovers->wait_for(sub {
        my $seen = shift;
        !grep { $seen->{rovers}{$_}{messages}
                < $before->{rovers}{$_}{messages} + 10 }
              keys %{$before->{rovers}};
    });

    note("$workers workers, $reloads reloads, $after->{messages} messages");

    is($after->{open}, $users, "$workers workers: no rover was dropped");
    is(join("\n", @{$after->{errors}}), '',
       "$workers workers: no message was lost, repeated or torn");
    is(scalar(grep { $_->{switches} } values %{$after->{rovers}}), 0,
       "$workers workers: nobody was moved to another connection");

    my $seen = $provider->seen;
    is($seen->{logins}, $mounts, "$workers workers: one login a mountpoint");
    is($seen->{twice}, 0, "$workers workers: no account was used twice");
    is($seen->{open}, $mounts, "$workers workers: all of them are still open");

    $t->stop;
}

done_testing();
