# Streams that wait for an account, or for a provider that does not answer: who
# gets the next account, turns of logins, and what an exiting worker gives up.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Ntrip;

sub mounts { join '', map { "ntrip_mount M$_ gga=off;\n" } 1 .. shift }

sub rover {
    my ($user, $mount) = @_;
    return { user => "u$user", password => "p$user", mount => "M$mount",
             quiet => 1 };
}

sub logged {
    my ($t, $re, $what) = @_;
    wait_for(sub { $t->error_log =~ $re }, $what);
}

sub messages { $_[0]->seen->{rovers}{"u$_[1]"}{messages} }


# one account, and three mountpoints that want it
{
    my $n = Fieldgate::Ntrip->new(users => 4, accounts => 1, mounts => 0,
        stream => mounts(4), server => 'ntrip_source_linger 0;',
        provider => { rate => 20 });
    my $t = $n->nginx;

    my $rovers = Fieldgate::Rovers->new(port => $t->port('caster'),
                                        rovers => [rover(1, 1)]);
    $rovers->wait_for(fed => 1);

    for my $i (2, 3) {
        $rovers->add(rover($i, $i));
        logged($t, qr/waits for an account .*mountpoint: M$i\b/,
               "M$i to wait");
    }

    is(messages($rovers, 2) + messages($rovers, 3), 0,
       'one: who has no account gets nothing');

    $rovers->leave('u1');
    $rovers->wait_for(sub { $_[0]{rovers}{u2}{messages} });
    pass('one: the account goes to the stream that has waited longest');
    is(messages($rovers, 3), 0, 'one: and to no other');

    $rovers->leave('u2');
    $rovers->wait_for(sub { $_[0]{rovers}{u3}{messages} });
    pass('one: then to the next');

    # what comes into the table serves whoever waits

    $rovers->add(rover(4, 4));
    logged($t, qr/waits for an account .*mountpoint: M4\b/, 'M4 to wait');
    $n->sql("INSERT INTO source (host, name, password)"
            . " VALUES ('127.0.0.1', 'a2', 's2');\n");
    $rovers->wait_for(sub { $_[0]{rovers}{u4}{messages} });
    pass('one: an account that is added is found');
}


# logins to one host have turns, which take longer than anybody waits
{
    my $m = 30;
    my $n = Fieldgate::Ntrip->new(users => $m, accounts => $m, mounts => 0,
        stream => mounts($m), server => 'ntrip_source_wait 1s;',
        provider => { rate => 1 });
    my $t = $n->nginx;

    my $rovers = Fieldgate::Rovers->new(port => $t->port('caster'),
        rovers => [map { rover($_, $_) } 1 .. $m]);
    my $seen = $rovers->wait_for(fed => $m);

    is($seen->{open}, $m, 'turns: no rover was closed');
    unlike($t->error_log, qr/no account was free|rovers are closed/,
           'turns: nor was one told that there is no account');
}


# no account for so long as a rover waits
{
    my $n = Fieldgate::Ntrip->new(users => 2, accounts => 1, mounts => 0,
        stream => mounts(2), server => 'ntrip_source_wait 500ms;',
        provider => { rate => 20 });
    my $t = $n->nginx;

    my $rovers = Fieldgate::Rovers->new(port => $t->port('caster'),
                                        rovers => [rover(1, 1)]);
    $rovers->wait_for(fed => 1);
    $rovers->add(rover(2, 2));
    $rovers->wait_for(sub { $_[0]{rovers}{u2}{state} eq 'closed' });

    logged($t, qr/no account was free for mountpoint "M2"/, 'a reason');
    like($t->error_log, qr/session ended: no account/, 'none: the result');
    is($rovers->seen->{rovers}{u1}{state}, 'data', 'none: others stay');
}


# a provider that takes the login and never replies, and a reload
for my $way ('others', 'nobody') {
    my $n = Fieldgate::Ntrip->new(users => 3, accounts => 3, mounts => 1,
        main => 'worker_shutdown_timeout 2s;',
        server => 'ntrip_source_timeout 600s; ntrip_source_wait 600s;',
        provider => { delay => 600000, rate => 20 });
    my $t = $n->nginx;

    my $rovers = $n->rovers(1 .. 2);
    wait_for(sub { @{$n->provider->seen->{requests}} }, 'a login');

    my %old = map { $_ => 1 } $t->pids;

    # without rovers nobody goes on, and the stream is closed

    $rovers->leave('u1', 'u2') if $way eq 'nobody';

    # who logs in from now on gets a reply

    $n->provider->set(delay => 0);
    $t->reload;

    wait_for(sub { !grep { $old{$_->{pid}} } $t->worker_processes },
             'old workers to exit');
    pass("$way: a source that is not live keeps no worker");

    $rovers->add($n->rover(3));
    my $seen = $rovers->wait_for(sub {
        my $s = shift;
        return !grep { $_->{state} ne 'closed' && !$_->{messages} }
                     values %{$s->{rovers}};
    });
    is($seen->{open}, $way eq 'others' ? 3 : 1,
       "$way: rovers are fed by the new ones");
}

done_testing;
