# A provider that takes logins and ends them: who is asked again and when, whom
# it concerns, and when the rovers are told; bytes that are no corrections; a
# rover that jumps from place to place.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Ntrip;

sub rovers {
    my ($n, @rovers) = @_;
    return Fieldgate::Rovers->new(port => $n->nginx->port('caster'),
                                  gga => 0.2, rovers => [@rovers]);
}

sub accounts {
    my %seen;
    $seen{$_->{account}}++ for @{$_[0]->seen->{requests}};
    return \%seen;
}

sub login { $_[0]->wait_for(requests => $_[1]) }


# ---- accepted, and closed ----

# at once, after a while, or with a reply that is none: what follows is one
# login after the other with pauses, and the end of ntrip_source_wait

for my $case (
    ['at once', { reply => "ICY 200 OK\r\n\r\n", hangup => 0 },
     qr/connection (?:closed|reset)/],
    ['after a while', { reply => "ICY 200 OK\r\n\r\n", hangup => 0.3 },
     qr/connection (?:closed|reset)/],
    ['no chunks', { reply => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked"
                    . "\r\n\r\nno chunk\r\n" }, 'wrong chunk'],
    ['a page', { reply => "HTTP/1.1 200 OK\r\n\r\n\xef\xbb\xbf \r\n<!DOCTYPE "
                 . "html>\n<html>" }, 'a page or a table'],
    ['a table', { reply => "ICY 200 OK\r\n\r\nSTR;M0;x\r\n" },
     'a page or a table'],
) {
    my ($name, $set, $why) = @$case;
    my $n = Fieldgate::Ntrip->new(
        users => 2, accounts => 8, workers => 2,
        provider => { rate => 0, %$set },
        server => 'ntrip_source_wait 2s;');
    my ($t, $provider) = ($n->nginx, $n->provider);

    my $rovers = rovers($n, $n->rover(1));
    $rovers->wait_for(sub { shift->{open} == 0 });

    # at 0 and 1 s, a little later each, and not at 3

    is(scalar @{$provider->seen->{requests}}, 2, "$name: few logins");
    like($t->error_log, qr/no source for .*, last: $why, rovers are closed/,
         "$name: rovers are closed, the log says why");
    is($rovers->seen->{rovers}{u1}{messages}, 0, "$name: which got nothing");

    # who comes anew does not begin anew

    my $end = length $t->error_log;
    $rovers->add($n->rover(2));
    wait_for(sub { substr($t->error_log, $end)
                   =~ /source waits for an account/ }, 'u2 to wait');
    is(scalar @{$provider->seen->{requests}}, 2, "$name: nor does the next");
    is($provider->seen->{twice}, 0, "$name: never twice at once");
    $t->stop;
}


# in one place only: others of the mountpoint have all accounts; and when it
# ends, also behind a reload and a killed worker, the rover is fed

{
    my $n = Fieldgate::Ntrip->new(
        users => 4, accounts => 1, mounts => 2, workers => 2,
        provider => { rate => 20, hangup_at => '4806.' },
        server => 'ntrip_source_linger 50ms;');
    my ($t, $provider) = ($n->nginx, $n->provider);

    my $rovers = rovers($n, $n->rover(2));
    login($provider, 2);

    # the only account is free while the place rests

    $rovers->add($n->rover(4, lat => 10));
    $rovers->wait_for(sub { shift->{rovers}{u4}{messages} });
    $rovers->leave('u4');
    $rovers->add($n->rover(1, lat => 10));
    $rovers->wait_for(sub { shift->{rovers}{u1}{messages} });
    $rovers->leave('u1');
    pass('place: others use the account meanwhile');
    is($rovers->seen->{rovers}{u2}{messages}, 0, 'place: it rests');

    my $requests = @{$provider->seen->{requests}};
    $t->kill_worker($_->{pid}) for ($t->worker_processes)[0];
    $t->reload(gone => 1);
    $provider->set(hangup_at => undef);

    $rovers->add($n->rover(2)) if !$rovers->seen->{open};
    $rovers->wait_for(sub { shift->{rovers}{u2}{messages} });
    pass('place: it is asked again, by whoever has the rover');
    cmp_ok(@{$provider->seen->{requests}} - $requests, '<=', 3,
           'place: nobody asked in between');
    is($provider->seen->{twice}, 0, 'place: never twice at once');
    $t->stop;
}


# ---- a lone account ----

# whose connection is closed plainly, and which is refused while the provider
# begins anew

{
    my $n = Fieldgate::Ntrip->new(users => 1, accounts => 1, workers => 2,
                                  provider => { rate => 20 });
    my ($t, $provider) = ($n->nginx, $n->provider);

    my $rovers = rovers($n, $n->rover(1));
    $rovers->wait_for(messages => 5);
    my $before = Fieldgate::Provider::time();
    $provider->set(drop => 'a1');
    $rovers->wait_for(sub { shift->{rovers}{u1}{switches} });
    cmp_ok(Fieldgate::Provider::time() - $before, '<', 2.5,
           'lone: tried again at once');
    is($rovers->seen->{open}, 1, 'lone: the rover stays');
    $t->stop;
}


# ---- no messages ----

for my $case (
    ['rtcm3', 'rtcm3', "\r\n"],
    ['auto, blanks', 'auto', "\r\n"],
) {
    my ($name, $format, $noise) = @$case;
    my $n = Fieldgate::Ntrip->new(
        users => 1, accounts => 1, mounts => 0, workers => 2,
        stream => "ntrip_mount M format=$format gga=off;",
        provider => { rate => 20, noise => $noise },
        server => 'ntrip_source_timeout 1s;');
    my ($t, $provider) = ($n->nginx, $n->provider);

    my $rovers = rovers($n, { user => 'u1', password => 'p1', mount => 'M',
                              quiet => 1 });
    $t->wait_log(qr/provider sends no messages/);
    like($t->error_log, qr/[1-9]\d* bytes from the provider were no RTCM 3/,
         "$name: what came is counted") if $format eq 'rtcm3';

    $provider->set(noise => undef);
    my $seen = $rovers->wait_for(sub { shift->{rovers}{u1}{messages} });
    is("@{$seen->{errors}}", '', "$name: given up, and tried again");
    $t->stop;
}


# ---- a rover that jumps ----

{
    my $n = Fieldgate::Ntrip->new(users => 1, accounts => 10, workers => 2,
                                  provider => { rate => 20 },
                                  server => 'ntrip_source_linger 600s;');
    my ($t, $provider) = ($n->nginx, $n->provider);

    my $rovers = rovers($n, $n->rover(1));
    $rovers->wait_for(fed => 1);

    my $sent = $rovers->seen->{rovers}{u1}{positions};

    for my $lat (1 .. 20) {
        $rovers->move('u1', 3 * $lat, 11.6);
        $rovers->wait_for(sub {
            shift->{rovers}{u1}{positions} > $sent + $lat
        });
    }

    my $seen = $rovers->seen;
    is($seen->{open}, 1, 'jumps: it stays');
    is("@{$seen->{errors}}", '', 'jumps: and gets whole messages');
    is($provider->seen->{logins}, 2, 'jumps: it has moved once');
    ok($provider->wait_for(sub { shift->{open} == 1 }),
       'jumps: what it has left does not linger');
    $t->stop;
}

done_testing();
