# Who shares a source with whom, what happens when no account is free, and how
# sources follow their rovers, their provider and the table of accounts.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Ntrip;
use Fieldgate::Rovers;


# ---- sharing ----

my $n = Fieldgate::Ntrip->new(
    users => 30, accounts => 3, mounts => 2, workers => 2,
    provider => { rate => 20 },
    server => 'ntrip_source_linger 100ms; ntrip_gga_interval 100ms;'
              . 'ntrip_source_wait 60s;');
my ($t, $provider) = ($n->nginx, $n->provider);

sub rovers { Fieldgate::Rovers->new(port => $t->port('caster'), gga => 0.2,
                                    rovers => [@_]) }
sub even { $n->rover(2 * shift, @_) }        # all of mountpoint M0

# seven rovers within 30 km of the first, in two workers: one login

my $rovers = rovers(even(1));
$rovers->wait_for(fed => 1);
$rovers->add(map { even($_, lat => 48.1 + $_ / 40) } 2 .. 8);
$rovers->wait_for(fed => 8);
is($provider->seen->{logins}, 1, 'rovers of one place share a source');

# another place, another mountpoint: each its own

$rovers->add(even(9, lat => 49.1));
$rovers->wait_for(fed => 9);
is($provider->seen->{logins}, 2, 'one that is 100 km away does not');
$rovers->add($n->rover(21));
$rovers->wait_for(fed => 10);
my $seen = $provider->seen;
is($seen->{logins}, 3, 'nor one of another mountpoint');
is(join(' ', sort map { $_->{mount} } @{$seen->{requests}}), 'M0 M0 M1',
   'as the provider sees them');

# the nearest stream, not the first

$rovers->add(even(10, lat => 48.95));
$rovers->wait_for(fed => 11);
$seen = $rovers->seen->{rovers};
is($seen->{u20}{login}, $seen->{u18}{login}, 'the nearest stream is taken');

# ---- an exhausted pool ----

# it waits, and is fed when an account becomes free, in any worker

$rovers->add(even(11, lat => 45));
$rovers->wait_for(sub { shift->{rovers}{u22}{state} eq 'data' });
$rovers->wait_for(messages => $rovers->seen->{messages} + 200);
is($rovers->seen->{rovers}{u22}{messages}, 0, 'no account is free: it waits');
is($provider->seen->{logins}, 3, 'nobody is robbed');

$rovers->leave('u21');
$seen = $rovers->wait_for(sub { shift->{rovers}{u22}{messages} > 3 });
is($seen->{rovers}{u22}{state}, 'data', 'one is free: it is fed');
is($provider->seen->{twice}, 0, 'an account is used by one at a time');

# ---- moving ----

# far from its stream: to the nearest other one, at the end of a message

$rovers->move('u2', 49.1, 11.6);
$seen = $rovers->wait_for(sub { shift->{rovers}{u2}{switches} });
is($seen->{rovers}{u2}{login}, $seen->{rovers}{u18}{login},
   'a rover that moves away changes its stream');
is("@{$seen->{errors}}", '', 'all got whole messages');

# u2 led the first stream: another position goes up there now

my $first = $seen->{rovers}{u4}{login};
my ($account) = $provider->seen->{requests}[$first - 1]{account};
my $gga = @{$provider->seen->{gga}};
ok($provider->wait_for(sub {
       my $s = shift;
       grep { $_->{account} eq $account && $_->{line} !~ /,4806\.00000,/ }
           @{$s->{gga}}[$gga .. $#{$s->{gga}}];
   }), 'the stream that it has left has another lead');


# ---- the last rover leaves ----

$rovers->leave(grep { $_ ne 'u22' } keys %{$seen->{rovers}});
ok($provider->wait_for(sub { shift->{open} == 1 }),
   'without rovers, sources are closed');
$rovers->leave('u22');
$provider->wait_for(sub { shift->{open} == 0 });

# one that comes back while the source lingers finds it there

$t->reload(stream => $n->conf(server => 'ntrip_source_linger 60s;'),
           gone => 1);
my $logins = $provider->seen->{logins};
$rovers->add(even(12));
$rovers->wait_for(sub { shift->{rovers}{u24}{messages} });
$rovers->leave('u24');
$rovers->add(even(13));
$rovers->wait_for(sub { shift->{rovers}{u26}{messages} });
is($provider->seen->{logins}, $logins + 1, 'a source outlives its last rover');
is($provider->seen->{twice}, 0, 'no account was used twice');
$rovers->stop;
$t->stop;


# ---- no account in time ----

$n = Fieldgate::Ntrip->new(
    users => 3, accounts => 1, workers => 2, provider => { rate => 20 },
    server => 'ntrip_source_wait 500ms; ntrip_source_linger 100ms;');
($t, $provider) = ($n->nginx, $n->provider);

$rovers = $n->rovers(1);
$rovers->wait_for(fed => 1);
$rovers->add($n->rover(2, lat => 10));
$seen = $rovers->wait_for(sub { shift->{rovers}{u2}{state} eq 'closed' });
is($seen->{rovers}{u1}{state}, 'data', 'who has an account keeps it');
like($t->error_log, qr/no account was free for mountpoint "M0"/,
     'the log says why the other one is closed');

# the only account fails for longer than that

$provider->set(drop => 'a1');
$rovers->wait_for(sub { shift->{open} == 0 });
like($t->error_log, qr/no source for pool "default": all accounts are in use/,
     'none is left: the rovers are closed, and the log says why');
$rovers->stop;
$t->stop;


# ---- accounts change ----

$n = Fieldgate::Ntrip->new(
    users => 3, accounts => 2, workers => 2, provider => { rate => 20 },
    server => 'ntrip_source_linger 100ms;');
($t, $provider) = ($n->nginx, $n->provider);

$rovers = $n->rovers(1, 2, 3);
$seen = $rovers->wait_for(fed => 3);

sub in_use { $provider->seen->{requests}[-1]{account} }

sub switched {
    my ($name, $sql) = @_;
    my $before = $provider->seen->{logins};
    my $used = in_use();
    $n->sql(sprintf $sql, $used);
    $seen = $rovers->wait_for(sub {
        !grep { $_->{login} <= $before } values %{$_[0]{rovers}};
    });
    is($seen->{open}, 3, "$name: the rovers stay");
    is("@{$seen->{errors}}", '', "$name: whole messages only");
    is($provider->seen->{logins}, $before + 1, "$name: one new login");
    return $used;
}

my $used = switched('deleted', "DELETE FROM source WHERE name = '%s';");
isnt(in_use(), $used, 'with another account');

# its password: the same account, as there is no other one

$used = switched('new password',
                 "UPDATE source SET password = 'new' WHERE name = '%s';");
is(in_use(), $used, 'with the same account');
like($provider->seen->{requests}[-1]{head}, qr/Basic YT[EI]6bmV3\r/,
     'and the new password');
is($provider->seen->{twice}, 0, 'break before make');

# expiry, while another one is there

$n->sql("INSERT INTO source (host, name, password, expires_at)"
        . " VALUES ('127.0.0.1', 'a8', 's8', strftime('%s', 'now') + 10);");
switched('deleted again', "DELETE FROM source WHERE name = '%s';");
is(in_use(), 'a8', 'with one that will expire soon');

my $logged_in = $provider->seen->{logins};
$n->sql("INSERT INTO source (host, name, password)"
        . " VALUES ('127.0.0.1', 'a9', 's9');");
$seen = $rovers->wait_for(sub {
    !grep { $_->{login} <= $logged_in } values %{$_[0]{rovers}};
});
is(in_use(), 'a9', 'it expires: the other one is used');
is($seen->{open}, 3, 'and the rovers stay');
like($t->error_log, qr/the account has expired .*a8@/, 'the log says why');

# the connection is lost while another account is there

$n->sql("INSERT INTO source (host, name, password)"
        . " VALUES ('127.0.0.1', 'a7', 's7');");
$logged_in = $provider->seen->{logins};
$t->wait_log(qr/a9@/);
$provider->set(drop => 'a9');
$seen = $rovers->wait_for(sub {
    !grep { $_->{login} <= $logged_in } values %{$_[0]{rovers}};
});
is(in_use(), 'a7', 'connection lost: another account is used');
is($seen->{open}, 3, 'and the rovers stay');
is("@{$seen->{errors}}", '', 'and get whole messages');
$n->sql("DELETE FROM source WHERE name = 'a9';");

# one that was refused is tried again as soon as its password is changed

$provider->set(refuse => { a7 => "HTTP/1.0 401 Unauthorized\r\n\r\n" },
               drop => 'a7');
$t->wait_log(qr/provider refused the login .*a7@/);
$rovers->wait_for(sub { shift->{open} == 0 });
$n->sql("UPDATE source SET password = 'right' WHERE name = 'a7';");
$provider->set(refuse => {});
$rovers->add($n->rover(1), $n->rover(2), $n->rover(3));
ok($rovers->wait_for(sub { !grep { !$_->{messages} } values %{$_[0]{rovers}} }),
   'a new password ends the rest of an account');

unlike($t->error_log, qr/\bs[1-9]\b/, 'no password in the log');

done_testing();
