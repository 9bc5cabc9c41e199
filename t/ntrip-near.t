# NEAR: a mountpoint that is the nearest base station.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Base;
use Fieldgate::Env qw(read_file top);
use Fieldgate::Rovers;

my $t = Fieldgate->new(stream => <<'END');
    ntrip_zone 4m;
    ntrip_database %%DIR%%/db/ntrip.db;
    log_format ntrip '$ntrip_user,$ntrip_mount,$ntrip_result';
    access_log logs/ntrip.log ntrip;
    ntrip_near NEAR max=60km dwell=0;

    server {
        listen 127.0.0.1:%%PORT:caster%%;
        ntrip_caster;
        ntrip_station;
        ntrip_near SLOW dwell=1h max=60km;
        ntrip_near HOLD dwell=0 max=60km hold_fixed;
        ntrip_near WEST dwell=0 stations=W*;
        ntrip_max_age 4s;
        ntrip_source_wait 2s;
    }

    server {
        listen 127.0.0.1:%%PORT:patient%%;
        ntrip_caster;
        ntrip_station;
        ntrip_max_age 60s;
    }

    server {
        listen 127.0.0.1:%%PORT:console%%;
        ntrip_console;
        ntrip_console_password pw;
    }
END

mkdir $t->path('db') or die;
my $db = $t->path('db/ntrip.db');
$t->write('sql', read_file(top() . '/schema/schema.sql') . <<'END');
INSERT INTO user (name, password) VALUES ('u1', 'p'), ('u2', 'p'), ('u3', 'p'),
                                         ('u4', 'p'), ('u5', 'p'), ('u6', 'p');
INSERT INTO station (mount, password, str)
    VALUES ('W', 'pw', ''), ('E', 'pw', ''),
           ('LINE', 'pw', 'Town;;;;;;;48.00;13.00');
END
system("sqlite3 $db < @{[$t->path('sql')]}") == 0 or die;

$t->start;

# W and E are 75 km apart, LINE is another 75 km to the east and says so in its
# line only

sub base {
    my ($mount, $login, @at) = @_;
    my $b = Fieldgate::Base->new(
        port => $t->port('caster'), mount => $mount, password => 'pw',
        login => $login, first => @at ? Fieldgate::Base::position(@at) : '');
    $b->wait_for(sent => 3);
    return $b;
}

my $west = base('W', 1, 48, 11);
my $east = base('E', 2, 48, 12);
my $line = base('LINE', 3);

# what is known of a station is written once a second

my $table;
wait_for(sub { $table = $t->get('caster', '/');
               return 3 == (() = $table =~ /^STR;(?:W|E|LINE);.*\b1077\b/mg) },
         'the stations to be known');
like($table, qr/^STR;W;W;RTCM 3\.2;1005,1077(?:\(1\))?;[12];GPS;none;ZZZ;48\.00;11\.00;0;0;/m,
     'the station is where it says');
like($table, qr/^STR;NEAR;NEAR;[^;]*;;2;[^;]*;none;ZZZ;0\.00;0\.00;1;1;/m,
     'NEAR needs a position');

sub rover {
    my ($n, $mount, $lat, $lon) = @_;
    return { user => "u$n", password => 'p', mount => $mount, lat => $lat,
             lon => $lon };
}

my $rovers = Fieldgate::Rovers->new(port => $t->port('caster'), gga => 0.5,
    rovers => [rover(1, 'NEAR', 48, 11.1), rover(2, 'SLOW', 48, 11.9),
               rover(3, 'HOLD', 48, 11.2), rover(4, 'WEST', 48, 11.4)]);

# which station a rover is on, by the login number of its messages

sub on {
    my ($user, $login, $name) = @_;
    my $seen = $rovers->wait_for(sub {
        ($_[0]{rovers}{$user}{login} // 0) == $login;
    });
    is($seen->{rovers}{$user}{login}, $login, $name);
}

on('u1', 1, 'NEAR: the nearest station');
on('u2', 2, 'SLOW: the same');
on('u3', 1, 'HOLD: the same');
on('u4', 1, 'WEST: the same, of those that fit');
my $before = $rovers->seen->{rovers};
is($before->{"u$_"}{station}, 0, "u$_ knows first where the station is")
    for 1 .. 4;
like($t->error_log, qr/ntrip rover gets base station "W", 7\.\d km away/,
     'the log says so');

# they move

$rovers->move('u1', 48, 11.9);
on('u1', 2, 'NEAR: the nearest after a way');
cmp_ok($rovers->seen->{rovers}{u1}{station}, '>', 0, 'and where that one is');
like($t->error_log,
     qr/moved from base station "W" to "E", 7\.\d km away/, 'the move is logged');

$rovers->move('u1', 48, 12.9);
on('u1', 3, 'NEAR: one whose position is in its line');

# SLOW dwells, HOLD is fixed, as the simulator reports, WEST has no other

$rovers->move('u2', 48, 11.3);
$rovers->move('u3', 48, 11.7);
$rovers->move('u4', 48, 11.5);
my $count = $rovers->seen->{rovers}{u2}{positions};
$rovers->wait_for(sub { $_[0]{rovers}{u2}{positions} >= $count + 4 });
my $seen = $rovers->seen;
is($seen->{rovers}{u2}{login}, 2, 'SLOW: stays for its dwell');
is($seen->{rovers}{u3}{login}, 1, 'HOLD: stays while it is fixed');
is($seen->{rovers}{u4}{login}, 1, 'WEST: stays');

# silence: at once, whatever else holds

$east->set(rate => 0);
on('u2', 1, 'a silent station: left at once');
$east->set(rate => 10);
$west->set(rate => 0);
on('u3', 2, 'a silent station: left at once, although the rover is fixed');

# before its first epoch there is nothing to wait for

my $late = Fieldgate::Rovers->new(port => $t->port('patient'), gga => 0.5,
                                  rovers => [rover(6, 'NEAR', 48, 11.1)]);
wait_for(sub { ($late->seen->{rovers}{u6}{positions} // 0) > 1 },
         'it to get a station that sends nothing');
is($late->seen->{rovers}{u6}{login}, undef, 'a station that sends nothing');
$late->move('u6', 48, 11.9);
is($late->wait_for(sub { ($_[0]{rovers}{u6}{login} // 0) == 2 })
        ->{rovers}{u6}{login}, 2, 'a rover without an epoch is moved, too');
$late->stop;

# its end

$west->set(rate => 10);
$west->wait_for(sent => $west->seen->{sent} + 3);
$east->stop;
on('u3', 1, 'a station that has gone');
is_deeply($rovers->seen->{errors}, [], 'whole messages only');

# reload

$t->reload;
wait_for(sub { !grep { $_->{exiting} } $t->worker_processes },
         'old workers to exit');
$count = $rovers->seen->{rovers}{u3}{messages};
$rovers->wait_for(sub { $_[0]{rovers}{u3}{messages} >= $count + 10 });
is_deeply($rovers->seen->{errors}, [], 'reload: not a byte is lost');
$east = base('E', 4, 48, 12);
$rovers->move('u1', 48, 12.1);
on('u1', 4, 'reload: it goes on choosing');

# out of reach

$rovers->move('u1', 30, 12);
$rovers->wait_for(sub { $_[0]{rovers}{u1}{state} eq 'closed' });
like($t->error_log, qr/out of reach of base station "E", and of any other/,
     'out of reach: it gets no more');
$rovers->add(rover(5, 'NEAR', 30, 12));
$rovers->wait_for(sub { $_[0]{rovers}{u5}{state} eq 'closed' });
wait_for(sub { 2 == (() = read_file($t->path('logs/ntrip.log'))
                          =~ /^u[15],NEAR,no station$/mg) },
         'none in reach: closed after ntrip_source_wait');

$rovers->leave('u3');
wait_for(sub { read_file($t->path('logs/ntrip.log')) =~ /^u3,HOLD\/\w+,/m },
         '$ntrip_mount to name both');
like(read_file($t->path('logs/ntrip.log')), qr/^u3,HOLD\/[WE],closed$/m,
     '$ntrip_mount names both');

# nginx -t

for my $bad ('max=0', 'max=x', 'hysteresis=-1', 'dwell=soon', 'stations=', 'x') {
    my ($status, $out) = $t->check(stream => <<"END");
    ntrip_zone 1m;
    ntrip_near N $bad;
END
    like($out, qr/invalid parameter "\Q$bad\E" in \S+:\d+/, "nginx -t: $bad");
}

done_testing();
