# Two masters, by an upgrade of the binary, and a second nginx on the same
# database: still one login for each account.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Ntrip;

my %common = (users => 4, accounts => 1,
              server => 'ntrip_source_linger 200ms; ntrip_source_wait 60s;');


{
    my $n = Fieldgate::Ntrip->new(%common);
    my ($t, $provider) = ($n->nginx, $n->provider);

    my $old = $n->rovers(1, 2);
    $old->wait_for(fed => 2);

    $t->upgrade;

    my $before = $old->seen->{messages};
    my $new = $n->rovers(3);
    $new->wait_for(sub { shift->{rovers}{u3}{state} eq 'data' });
    my $seen = $old->wait_for(messages => $before + 40);

    is($seen->{open}, 2, 'rovers of the old binary stay');
    is(join("\n", @{$seen->{errors}}), '', 'and lose nothing');
    is($new->seen->{fed}, 0, 'one of the new binary waits for the account');
    is($new->seen->{open}, 1, 'and is not closed');
    is($provider->seen->{logins}, 1, 'which is not used twice');

    $old->leave('u1', 'u2');
    $new->wait_for(fed => 1);

    is($provider->seen->{logins}, 2, 'then it gets it');
    is($provider->seen->{twice}, 0, 'after the first one was closed');

    wait_for(sub { !grep { Fieldgate::alive($_) } keys %{$t->{old_masters}} },
             'the old master to exit');
    is($new->seen->{open}, 1, 'the old binary has gone');
}


{
    my $one = Fieldgate::Ntrip->new(%common);
    my $two = Fieldgate::Ntrip->new(%common, provider => $one->provider,
                                    database => $one->database);
    my $provider = $one->provider;

    my $first = $one->rovers(1);
    $first->wait_for(fed => 1);

    my $second = $two->rovers(2);
    $second->wait_for(sub { shift->{rovers}{u2}{state} eq 'data' });
    $first->wait_for(messages => $first->seen->{messages} + 40);

    is($second->seen->{fed}, 0, 'a second nginx does not use the account');
    is($provider->seen->{logins}, 1, 'nor try to');

    # its master and workers die at once, none sees another one die: the kernel
    # gives the account back

    my @pids = $one->nginx->nginx_processes;
    $one->nginx->{running} = 0;
    kill STOP => @pids;
    kill KILL => @pids;
    $second->wait_for(fed => 1);

    is($provider->seen->{logins}, 2, 'it does when the first one is dead');
    is($provider->seen->{twice}, 0, 'and no sooner');
}

done_testing();
