# Several pools in their order, and the next one when a provider lets its rovers
# down; accounts that cool down; logins that wait for each other.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Ntrip;

# a relay of two pools: accounts a1, a2 of the first, b1 of the second provider

my ($first, $second);

sub relay {
    my (%opt) = @_;

    $first = Fieldgate::Provider->new(rate => 20);
    $second = Fieldgate::Provider->new(rate => 20, base => 1000);

    my $n = Fieldgate::Ntrip->new(
        users => 9, accounts => 0, workers => 2, start => 0,
        provider => $first, relay => 'pool=first,second',
        server => 'ntrip_source_linger 50ms; ntrip_source_wait 10s; '
                  . ($opt{server} // ''));
    $n->sql(join '', map {
        my ($pool, $name, $p) = @$_;
        "INSERT INTO source (pool, host, port, name, password)"
        . " VALUES ('$pool', '127.0.0.1', " . $p->port . ", '$name', 'x');"
    } ['first', 'a1', $first], ['first', 'a2', $first],
      ['second', 'b1', $second]);
    $n->nginx->start;

    return $n;
}

sub rovers {
    my ($n, @rovers) = @_;
    return Fieldgate::Rovers->new(port => $n->nginx->port('caster'),
                                  gga => 0.2, rovers => [@rovers]);
}

sub accounts {
    return join ' ', map { $_->{account} } @{$_[0]->seen->{requests}};
}


# ---- in order ----

{
    my $n = relay();
    my $t = $n->nginx;
    my $r = rovers($n, $n->rover(1));
    $r->wait_for(fed => 1);
    $r->add($n->rover(2, lat => 10))->wait_for(fed => 2);
    is(join(' ', sort split / /, accounts($first)), 'a1 a2', 'the first pool');
    is(accounts($second), '', 'and nothing of the second');

    $r->add($n->rover(3, lat => 20))->wait_for(fed => 3);
    is(accounts($second), 'b1', 'which is used when the first has none left');

    # what is handed over stays where it is

    $t->reload(gone => 1);
    my $seen = $r->wait_for(messages => $r->seen->{messages} + 20);
    is("@{$seen->{errors}}", '', 'a reload loses nothing');
    is((join ' ', map { scalar @{$_->seen->{requests}} } $first, $second),
       '2 1', 'nor logs in anew');

    $r->leave('u1', 'u2', 'u3');
    $_->wait_for(sub { shift->{open} == 0 }) for $first, $second;
    is($n->console('SOURCE-TEST passwd 127.0.0.1:' . $second->port . ' b1'),
       "OK SOURCE-TEST\r\nICY 200 OK\r\n\r\n", 'SOURCE-TEST knows both pools');

    $n->console('POOL-DEL passwd second 127.0.0.1:' . $second->port . ' b1');
    $r->add(map { $n->rover($_, lat => 10 * $_) } 4, 5)->wait_for(fed => 5);
    $r->add($n->rover(6, lat => 60));
    wait_for(sub { $t->error_log
                   =~ /source waits for an account of pool "first,second"/ },
             'the last one to wait');
    $n->console('POOL-ADD passwd second 127.0.0.1:' . $second->port . ' b1');
    $r->wait_for(fed => 6);
    like(accounts($second), qr/^b1 b1(?: b1)+$/,
         'who waits gets one of any pool');
    is($_->seen->{twice}, 0, 'no account was used twice') for $first, $second;
    $t->stop;
}


# refused by the first, all of it

{
    my $n = relay();
    $first->set(refuse_v1 => "HTTP/1.1 401 Unauthorized\r\n\r\n");
    my $r = rovers($n, $n->rover(1));
    is($r->wait_for(fed => 1)->{open}, 1, 'refused: the rover stays');
    is(join(' ', sort split / /, accounts($first)), 'a1 a2',
       'refused: each account of the first pool, then the second');
    $n->nginx->stop;
}


# silent: before what the rovers have is too old

{
    my $n = relay(server => 'ntrip_max_age 2s;');
    my $r = rovers($n, $n->rover(1));
    $r->wait_for(messages => 5);
    $first->set(silent => 1);
    my $seen = $r->wait_for(sub { shift->{rovers}{u1}{switches} });
    is($seen->{open}, 1, 'silent: the rover stays');
    is("@{$seen->{errors}}", '', 'silent: whole messages');
    is(scalar(split / /, accounts($first)), 1,
       'silent: nobody asks that provider before the other one');
    is(accounts($second), 'b1', 'silent: the second pool');

    # which goes as well: the first comes next

    $first->set(silent => 0);
    $second->set(silent => 1);
    $r->wait_for(sub { shift->{rovers}{u1}{switches} > 1 });
    is(scalar(split / /, accounts($first)), 2, 'silent: and back');
    $n->nginx->stop;
}


# ---- accounts that cool down ----

{
    my $n = Fieldgate::Ntrip->new(
        users => 4, accounts => 1, workers => 2, provider => { rate => 20 },
        stream => 'ntrip_account_cooling 2s;',
        server => 'ntrip_source_linger 50ms;');
    my ($t, $provider) = ($n->nginx, $n->provider);

    my $r = rovers($n, $n->rover(1));
    $r->wait_for(fed => 1);
    like($n->console('SOURCE-LIST passwd'), qr/\ta1:s1\t[^\t]*\t\?\r/,
         'cooling: not while it is used');
    $r->leave('u1');
    $provider->wait_for(closed => 1);
    my $closed = Fieldgate::Provider::time();
    wait_for(sub { $n->console('SOURCE-LIST passwd')
                   =~ /\ta1:s1\t[^\t]*\tcooling\r/ }, 'it to cool');

    $r->add($n->rover(2));
    $r->wait_for(fed => 2);
    cmp_ok($provider->seen->{requests}[-1]{time} - $closed, '>', 1.8,
           'cooling: its next use waits');

    # also when the provider ends it

    $provider->set(drop => 'a1');
    $provider->wait_for(closed => 2);
    $closed = Fieldgate::Provider::time();
    $r->wait_for(sub { shift->{rovers}{u2}{switches} });
    cmp_ok($provider->seen->{requests}[-1]{time} - $closed, '>', 1.8,
           'cooling: whoever has ended it');
    is($r->seen->{rovers}{u2}{state}, 'data', 'cooling: the rover stays');
    $t->stop;
}


# ---- logins at one host ----

{
    my $n = Fieldgate::Ntrip->new(
        users => 4, accounts => 4, workers => 2, provider => { rate => 20 },
        stream => 'ntrip_host_logins 60r/m;',
        server => 'ntrip_source_wait 1s;');
    my ($t, $provider) = ($n->nginx, $n->provider);

    my $r = rovers($n, map { $n->rover($_, lat => 10 * $_) } 1 .. 4);
    my $seen = $r->wait_for(fed => 4);
    is($seen->{open}, 4, 'logins: nobody is closed for waiting');

    my @times = map { $_->{time} } @{$provider->seen->{requests}};
    my @early = grep { $times[$_] - $times[$_ - 1] < 0.9 } 1 .. $#times;
    is("@early", '', 'logins: a second from one to the next');
    $t->stop;
}


# ---- mistakes ----

my $t = Fieldgate->new;

for my $case (
    ['', 'ntrip_relay pool=a,;', qr/the name of a pool has 1 to 32 bytes in/],
    ['', 'ntrip_relay pool=a,,b;', qr/the name of a pool has 1 to 32 bytes in/],
    ['', 'ntrip_relay pool=,a;', qr/the name of a pool has 1 to 32 bytes in/],
    ['', 'ntrip_relay pool=a,b,a;', qr/pool "a" is duplicate in/],
    ['', 'ntrip_relay pool=' . join(',', map { "p$_" . 'x' x 28 } 1 .. 4) . ';',
     qr/the names of pools have 98 bytes at most together in/],
    ['', 'ntrip_relay; ntrip_mount X pool=a,b;',
     qr/invalid pool "a,b": it must be one in/],
    ['ntrip_host_logins 10;', 'ntrip_relay;', qr/invalid rate "10" in/],
    ['ntrip_host_logins 0r/s;', 'ntrip_relay;', qr/invalid rate "0r\/s" in/],
    ['ntrip_host_logins 5r/h;', 'ntrip_relay;', qr/invalid rate "5r\/h" in/],
    ['ntrip_host_logins 5r/s; ntrip_host_logins 5r/s;', 'ntrip_relay;',
     qr/"ntrip_host_logins" directive is duplicate in/],
    ['ntrip_account_cooling soon;', 'ntrip_relay;',
     qr/"ntrip_account_cooling" directive invalid value in/],
) {
    my ($stream, $server, $said) = @$case;
    my ($status, $out) = $t->check(stream => <<"END");
    ntrip_zone 1m;
    ntrip_database %%DIR%%/x.db;
    ntrip_mount M;
    $stream
    server { listen 127.0.0.1:%%PORT:caster%%; ntrip_caster; $server }
END
    is($status, 1, "$stream$server is a mistake");
    like($out, qr/$said .*check\.conf:\d+/, 'nginx -t says where');
}

done_testing;
