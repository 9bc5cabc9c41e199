# kill -9 where it hurts most: among logins and logouts, when the lock is taken
# all the time; between an account's lease and the provider's reply; while
# rovers are moved from one stream to another.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Ntrip;
use Time::HiRes qw(sleep time);

my $accounts = 12;

# whatever happened before: each account can be used, by one at a time, and
# nothing but what is there now has a session or a stream

sub clean {
    my ($name, $n) = @_;
    my ($t, $provider) = ($n->nginx, $n->provider);

    my $left = $provider->wait_for(sub { shift->{open} == 0 })->{open};
    diag(map { $n->console("$_ passwd") } qw(CLIENT-LIST STREAM-LIST))
        if $left;

    my $far = Fieldgate::Rovers->new(
        port => $t->port('caster'),
        rovers => [map { $n->rover($_, lat => 40, lon => 10 * $_) }
                   1 .. $accounts]);
    my $seen = $far->wait_for(fed => $accounts);

    is(join("\n", @{$seen->{errors}}), '', "$name: whole messages");
    is($provider->seen->{open}, $accounts, "$name: every account is used");
    is($provider->seen->{twice}, 0, "$name: none was used twice");
    ok($n->wait_rows('CLIENT-LIST', $accounts),
       "$name: no session stayed behind");
    ok($n->wait_rows('STREAM-LIST', $accounts),
       "$name: no stream stayed behind");
    $t->stop;
}


for my $workers (2, 4) {
    my $n = Fieldgate::Ntrip->new(
        workers => $workers, users => 60, mounts => 3, accounts => $accounts,
        server => 'ntrip_source_linger 0; ntrip_share_distance 500km;');
    my $t = $n->nginx;

    # a storm: everybody leaves with the first message, and comes again

    my $rovers = $n->rovers(1 .. 60);
    my ($kills, $logins, $next) = (0, 0, time + 0.3);
    while ($kills < 20) {
        my $all = $rovers->seen->{rovers};
        my @fed = grep { $all->{$_}{messages} } keys %$all;
        my @gone = grep { $all->{$_}{state} eq 'closed' } keys %$all;

        $rovers->leave(@fed);
        $rovers->add(map { $n->rover(/(\d+)/, lat => 40 + rand 9) }
                     @fed, @gone);
        $logins += @fed + @gone;

        if (time > $next && @fed) {
            my @pids = $t->pids;
            $t->kill_worker($pids[rand @pids]);
            $kills++;
            $next = time + 0.1 + rand 0.3;
        }
        sleep 0.01;
    }

    my $locked = () = $t->error_log =~ /was locked by/g;
    my $rebuilt = () = $t->error_log =~ /lists were made anew/g;
    note("$workers workers: $logins logins, $kills kills, $locked with a ",
         "lock, $rebuilt within a change");

    my $seen = $rovers->seen;
    is(join("\n", grep { !/closed within a message/ } @{$seen->{errors}}), '',
       "a storm, $workers workers: no message was damaged");
    $rovers->leave(keys %{$seen->{rovers}});
    clean("a storm, $workers workers", $n);
}


# the provider has got the request and not yet replied

{
    my $n = Fieldgate::Ntrip->new(
        users => 12, accounts => $accounts, provider => { delay => 1 },
        server => 'ntrip_source_linger 0;');
    my ($t, $provider) = ($n->nginx, $n->provider);

    my $requests = 0;
    for my $kill (1 .. 6) {
        my $before = @{$provider->seen->{requests}};
        my $rovers = $n->rovers(1 .. 6);
        $provider->wait_for(requests => $before + 1);

        my @pids = $t->pids;
        $t->kill_worker($pids[$kill % 2]);

        # those of the other worker are fed, the others were closed

        my $seen = $rovers->wait_for(sub {
            my $s = shift;
            !grep { $s->{rovers}{$_}{state} ne 'closed'
                    && !$s->{rovers}{$_}{messages} } keys %{$s->{rovers}};
        });
        $requests = @{$provider->seen->{requests}};
        $rovers->leave(keys %{$seen->{rovers}});

        # the next round needs a login of its own

        $n->wait_rows('CLIENT-LIST', 0);
        $n->wait_rows('STREAM-LIST', 0);
    }
    note("$requests requests in 6 rounds");
    cmp_ok($requests, '>=', 6, 'there were logins at the provider');
    $provider->set(delay => 0);
    clean('before the reply', $n);
}


# all rovers move at once, back and forth between two places

{
    my $n = Fieldgate::Ntrip->new(
        users => 30, accounts => $accounts,
        server => 'ntrip_source_linger 0; ntrip_share_distance 30km;');
    my $t = $n->nginx;
    my $rovers = $n->rovers(1 .. 30);
    $rovers->wait_for(fed => 30);

    for my $kill (1 .. 10) {
        $rovers->move("u$_", 40 + 5 * ($kill % 2), 11) for 1 .. 30;
        sleep rand 0.3;

        my @pids = $t->pids;
        $t->kill_worker($pids[rand @pids]);

        my $before = $rovers->seen;
        my $seen = $rovers->wait_for(sub {
            my $s = shift;
            !grep { $s->{rovers}{$_}{state} ne 'closed'
                    && $s->{rovers}{$_}{messages}
                       < $before->{rovers}{$_}{messages} + 5 }
                  keys %{$s->{rovers}};
        });
        $rovers->add(map { $n->rover(/(\d+)/, lat => 40 + 5 * ($kill % 2)) }
                     grep { $seen->{rovers}{$_}{state} eq 'closed' }
                     keys %{$seen->{rovers}});
        $rovers->wait_for(sub {
            my $s = shift;
            !grep { !$s->{rovers}{$_}{messages} } keys %{$s->{rovers}};
        });
    }

    my $seen = $rovers->seen;
    is(join("\n", grep { !/closed within a message/ } @{$seen->{errors}}), '',
       'moving: no message was damaged');
    $rovers->leave(keys %{$seen->{rovers}});
    clean('moving', $n);
}

done_testing();
