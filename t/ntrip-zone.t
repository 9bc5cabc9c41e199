# The zone: its size on reload, tables that are full, and configurations in
# which there is nothing to do.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Ntrip;


# another size on reload: kept, with a warning; both generations share streams

{
    my $n = Fieldgate::Ntrip->new(users => 4, accounts => 1);
    my $t = $n->nginx;
    my $rovers = $n->rovers(1);
    $rovers->wait_for(fed => 1);

    $t->reload(gone => 1,
               stream => $n->conf(zone => '8m',
                                  stream => 'ntrip_ring_size 64k;'));
    like($t->error_log,
         qr/\[warn\].* "ntrip_zone" keeps its 4096k .* 8192k in /,
         'a zone of another size: warned of');
    like($t->error_log, qr/\[warn\].* rings keep their 32k .* the 64k of /,
         'rings of another size: warned of');

    $rovers->add($n->rover(2));
    my $seen = $rovers->wait_for(fed => 2);
    $seen = $rovers->wait_for(messages => $seen->{messages} + 40);

    is($seen->{open}, 2, 'rovers stay, others come');
    is(join("\n", @{$seen->{errors}}), '', 'and lose nothing');
    is($n->provider->seen->{logins}, 1, 'both share an account');

    $t->stop;
    my $length = length $t->error_log;
    $t->start(stream => $n->conf(zone => '8m'));
    unlike(substr($t->error_log, $length), qr/keeps its/,
           'no warning after a restart');
    $t->stop;
}


# more streams than there is room for

{
    my $n = Fieldgate::Ntrip->new(users => 40, accounts => 40, zone => '640k',
                                  stream => 'ntrip_ring_size 16k;');
    my $t = $n->nginx;
    my ($room) = $t->error_log =~ /has room for (\d+) streams/;
    note("room for $room streams");
    cmp_ok($room, '<', 30, 'a small zone');

    my $rovers = Fieldgate::Rovers->new(
        port => $t->port('caster'),
        rovers => [map { $n->rover($_, lat => 40, lon => $_) } 1 .. $room]);
    my $seen = $rovers->wait_for(fed => $room);

    $rovers->add($n->rover($room + 1, lat => 40, lon => $room + 1));
    $t->wait_log(qr/"ntrip_zone" is full: .* $room streams, raise it from /);
    $seen = $rovers->wait_for(messages => $seen->{messages} + 20 * $room);

    is($seen->{fed}, $room, 'one stream more than there is room for');
    is($seen->{rovers}{"u$_"}{state}, 'data', "rover $_ goes on")
        for 1, $room;
    is(join("\n", @{$seen->{errors}}), '', 'and nobody loses anything');

    $rovers->leave('u1', 'u' . ($room + 1));
    $n->provider->wait_for(sub { shift->{open} < $room });
    $n->wait_rows('CLIENT-LIST', $room - 1);
    $rovers->add($n->rover($room + 1, lat => 40, lon => $room + 1));
    ok($rovers->wait_for(fed => $room + 1),
       'there is room again when one has gone');
    $t->stop;
}


# more places that wait for an account than there is room for: rows without a
# ring, of which there are half as many again

{
    my $n = Fieldgate::Ntrip->new(users => 60, accounts => 1, zone => '640k',
                                  stream => 'ntrip_ring_size 16k;');
    my $t = $n->nginx;
    my ($rings) = $t->error_log =~ /has room for (\d+) streams/;
    my $rows = $rings + int(($rings + 1) / 2);

    my $rovers = $n->rovers(1);
    $rovers->wait_for(fed => 1);
    $rovers->add(map { $n->rover($_, lat => 40, lon => $_) } 2 .. $rows);
    $n->wait_rows('CLIENT-LIST', $rows);
    $rovers->add($n->rover($rows + 1, lat => 40, lon => -1));
    $t->wait_log(qr/"ntrip_zone" is full: .* $rows streams, raise it from /);
    my $one = 'u' . ($rows + 1);
    ok($rovers->wait_for(sub { shift->{rovers}{$one}{state} eq 'closed' }),
       'a place more than there is room for');

    # who is at one of them joins it

    $rovers->add($n->rover($rows + 2));
    my $seen = $rovers->wait_for(fed => 2);
    is($seen->{rovers}{"u$_"}{state}, 'data', "rover $_ goes on")
        for 1, $rows + 2;
    is(join("\n", @{$seen->{errors}}), '', 'and loses nothing');
    $t->stop;
}


# more rovers than there is room for

{
    my $n = Fieldgate::Ntrip->new(users => 1000, accounts => 1, zone => '640k',
                                  stream => 'ntrip_ring_size 8k;');
    my $t = $n->nginx;
    my ($room) = $t->error_log =~ /streams, (\d+) rovers/;
    note("room for $room rovers");
    cmp_ok($room, '<', 900, 'a small zone');

    my $rovers = $n->rovers(1 .. $room);
    my $seen = $rovers->wait_for(fed => $room);

    $rovers->add($n->rover($room + 1));
    $seen = $rovers->wait_for(sub {
        shift->{rovers}{'u' . ($room + 1)}{state} eq 'closed' });
    $t->wait_log(qr/"ntrip_zone" is full: .* $room rovers, raise it from 640k/);
    is($seen->{open}, $room, 'one rover more than there is room for: closed');

    $rovers->add(map { $n->rover($room + 1, id => "more$_") } 1 .. 6);
    $rovers->wait_for(sub { my $r = shift->{rovers};
                            6 == grep { $r->{"more$_"}{state} eq 'closed' }
                                      1 .. 6 });
    my @lines = $t->error_log =~ /"ntrip_zone" is full: .*/g;
    is(@lines, 1, 'seven that are turned away: one line in all workers');
    like($lines[0], qr/turned away since the last such line: 1\b/,
         'with their number');

    for my $i (2 .. 5) {
        $rovers->add($n->rover($i, id => "again$i"));
        $seen = $rovers->wait_for(fed => $room + $i - 1);
        is($seen->{rovers}{"again$i"}{state}, 'data',
           "$i: a login in place of its own session has room");
        $seen = $rovers->wait_for(sub {
            shift->{rovers}{"u$i"}{state} eq 'closed' });
        is($seen->{open}, $room, "$i: which ends");
    }
    $n->wait_rows('CLIENT-LIST', $room);
    $seen = $rovers->wait_for(messages => $seen->{messages} + 5 * $room);
    is($seen->{open}, $room, 'and everybody else goes on');

    $rovers->leave('u1');
    $n->wait_rows('CLIENT-LIST', $room - 1);
    $rovers->add($n->rover($room + 2));
    ok($rovers->wait_for(fed => $room + 5),
       'there is room again when one has gone');
    $t->stop;
}


# a user with any number of sessions leaves room for others

{
    my $n = Fieldgate::Ntrip->new(users => 20, accounts => 1, zone => '640k',
                                  stream => 'ntrip_ring_size 8k;');
    my $t = $n->nginx;
    my ($room) = $t->error_log =~ /streams, (\d+) rovers/;

    $n->sql("INSERT INTO user (name, password, max_sessions)"
            . " VALUES ('many', 'p', 0), ('some', 'p', 0)");
    my $rovers = Fieldgate::Rovers->new(
        port => $t->port('caster'),
        rovers => [map { { user => 'many', password => 'p', mount => 'M0',
                           quiet => 1, id => "m$_" } } 1 .. $room]);
    my $states = sub {
        my ($seen, $letter) = @_;
        my %n = (data => 0, closed => 0);
        $n{$seen->{rovers}{$_}{state}}++
            for grep { /^$letter\d/ } keys %{$seen->{rovers}};
        return \%n;
    };
    my $seen = $rovers->wait_for(sub {
        my $n = $states->(shift, 'm');
        $n->{data} + $n->{closed} == $room });
    is($states->($seen, 'm')->{data}, int((3 * $room + 3) / 4),
       'a user has three quarters of the rows at most');

    $rovers->add(map { { user => 'some', password => 'p', mount => 'M0',
                         quiet => 1, id => "s$_" } } 1 .. $room / 4);
    $seen = $rovers->wait_for(sub {
        my $n = $states->(shift, 's');
        $n->{data} + $n->{closed} == int($room / 4) });
    cmp_ok($states->($seen, 's')->{closed}, '>', $room / 32,
           'another one of the rest');

    $rovers->add(map { $n->rover($_) } 1 .. 20);
    ok($rovers->wait_for(fed => 20), 'which leave room for others');
    is($states->($rovers->seen, 'u')->{closed}, 0, 'all of them');
    like($t->error_log, qr/"ntrip_zone" is full: .* one user has three quarters/,
         'as the log says');
    $t->stop;
}


# nothing to do: hooks are called all the same

for my $case (['no stream{}', undef], ['an empty stream{}', ''],
              ['a zone only', 'ntrip_zone 2m;'],
              ['a zone and a database', "ntrip_zone 2m;\n"
               . "ntrip_database %%DIR%%/db/ntrip.db;"])
{
    my ($name, $stream) = @$case;
    my $t = Fieldgate->new(
        stream => $stream, http => <<'END');
    proxy_cache_path %%DIR%%/cache keys_zone=cache:1m;
    server { listen 127.0.0.1:%%PORT:web%%; return 200 served; }
END
    $t->start;
    $t->reload(gone => 1) for 1, 2;
    like($t->get('web', '/'), qr/served/, "$name: nginx works");
    $t->kill_worker(($t->pids)[0]);
    $t->stop('QUIT');
    unlike($t->error_log, qr/exited with code [^0]/, "$name: nobody failed");
}

done_testing();
