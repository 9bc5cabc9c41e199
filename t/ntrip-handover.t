# What goes wrong while sockets are handed over on a reload: heirs that do not
# answer, heirs that die with sockets on their way, and a configuration that has
# no place for a rover any more.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Env qw(read_file);
use Fieldgate::Ntrip;

my $users = 40;

sub start {
    return Fieldgate::Ntrip->new(users => $users + 10, mounts => 4,
                                 accounts => 10, @_);
}

# Reloads, suspends the new workers as soon as they run, and returns them when
# the old ones have offered them what they have.  The old ones do not run until
# then, as the master tells them to exit whatever the new ones have done by now.

sub reload_stopped {
    my ($t) = @_;
    my @old = $t->pids;
    my %old = map { $_ => 1 } @old;
    my @new;

    $t->freeze(@old);
    kill HUP => $t->master;
    wait_for(sub { 2 == (@new = grep { !$old{$_} } $t->pids) }, 'new workers');
    $t->freeze(@new);

    # what is on offer is watched no more

    my $watched = watched(@old);
    kill CONT => @old;
    wait_for(sub { watched(@old) <= $watched - $users / 2 }, 'offers');

    return @new;
}

# how many descriptors the event loops of these processes watch

sub watched {
    my $n = 0;
    for my $file (map { glob "/proc/$_/fdinfo/*" } @_) {
        $n += () = read_file($file) =~ /^tfd:/mg;
    }
    return $n;
}

sub more_messages {
    my ($rovers, $n) = @_;
    my $before = $rovers->seen;

    return $rovers->wait_for(sub {
        my $s = shift;
        return !grep { my $r = $s->{rovers}{$_};
                       $r->{state} ne 'closed'
                       && $r->{messages}
                          < $before->{rovers}{$_}{messages} + $n }
                     keys %{$s->{rovers}};
    });
}

sub whole {
    my ($name, $n, $rovers) = @_;

    wait_for(sub { !grep { $_->{exiting} } $n->nginx->worker_processes },
             'old workers to exit');
    my $seen = more_messages($rovers, 10);

    is($seen->{open}, $users, "$name: no rover was dropped");
    is(join("\n", @{$seen->{errors}}), '', "$name: no message lost");
    is($n->provider->seen->{logins}, 4, "$name: the provider noticed nothing");
}


{
    my $n = start();
    my $rovers = $n->rovers(1 .. $users);
    $rovers->wait_for(fed => $users);

    my @heirs = reload_stopped($n->nginx);

    # offers are withdrawn after a second, and old workers go on

    more_messages($rovers, 10);
    kill CONT => @heirs;

    whole('heirs that do not answer', $n, $rovers);
    $n->nginx->stop;
}


{
    my $n = start();
    my $t = $n->nginx;
    my $rovers = $n->rovers(1 .. $users);
    $rovers->wait_for(fed => $users);

    my @heirs = reload_stopped($t);
    $t->allow(map { (qr/ $_ exited on signal 9/, qr/was locked by $_\b/) }
              @heirs);
    kill KILL => @heirs;

    whole('heirs that die', $n, $rovers);
    $t->stop;
}


# givers that die: what was on its way lives on, the rest comes back

{
    my $n = start();
    my $t = $n->nginx;
    my $rovers = $n->rovers(1 .. $users);
    $rovers->wait_for(fed => $users);

    my @old = $t->pids;
    my @heirs = reload_stopped($t);
    $t->allow(map { (qr/ $_ exited on signal 9/, qr/was locked by $_\b/) }
              @old);
    kill KILL => @old;
    wait_for(sub { !grep { Fieldgate::alive($_) } @old }, 'givers to die');
    kill CONT => @heirs;

    # each of them is fed again, or was closed

    my $seen = more_messages($rovers, 10);
    note("$seen->{open} of $users rovers lived on");

    $rovers->add(map { $n->rover(/(\d+)/) }
                 grep { $seen->{rovers}{$_}{state} eq 'closed' }
                 keys %{$seen->{rovers}});
    $seen = more_messages($rovers, 10);

    is($seen->{open}, $users, 'givers that die: all are fed again');
    is(join("\n", grep { !/closed within/ } @{$seen->{errors}}), '',
       'givers that die: no message damaged');
    is($n->provider->seen->{twice}, 0,
       'givers that die: no account was used twice');
    $t->stop;
}


# a mountpoint that is gone: its rovers stay in the old worker, fed as before

{
    my $n = start();
    my $t = $n->nginx;
    my $rovers = $n->rovers(1 .. $users);
    $rovers->wait_for(fed => $users);

    $t->reload(stream => $n->conf(mounts => 3));

    my $seen = more_messages($rovers, 15);
    is($seen->{open}, $users, 'a mountpoint that is gone: its rovers stay');
    is(join("\n", @{$seen->{errors}}), '',
       'a mountpoint that is gone: they lose nothing');
    $t->stop;
}


# until the shutdown timeout, which their source does not outlive

{
    my $n = start(main => 'worker_shutdown_timeout 5s;',
                  server => 'ntrip_source_linger 600s;');
    my $t = $n->nginx;
    my $rovers = $n->rovers(1 .. $users);
    $rovers->wait_for(fed => $users);

    $t->reload(stream => $n->conf(mounts => 3));
    wait_for(sub { !grep { $_->{exiting} } $t->worker_processes },
             'the shutdown timeout');
    my $seen = more_messages($rovers, 10);
    is($seen->{open}, $users * 3 / 4,
       'a mountpoint that is gone: closed at the shutdown timeout, no other');
    is($n->provider->seen->{twice}, 0, 'and no account was used twice');
    $t->stop;
}

done_testing();
