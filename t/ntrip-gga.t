# ntrip_gga_distance, ntrip_gga_round and ntrip_gga_form: which positions the
# provider gets, and in which form.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Ntrip;

my $n = Fieldgate::Ntrip->new(
    workers => 2, users => 8, accounts => 4, provider => { rate => 10 },
    stream => 'ntrip_gga_interval 100ms; ntrip_gga_repeat 0;
               ntrip_source_linger 100ms;',
    server => 'ntrip_gga_distance 100m;',
    others => { round => 'ntrip_gga_round 1km;',
                form => 'ntrip_gga_form gpgga;' });
my ($t, $provider) = ($n->nginx, $n->provider);

# degrees of latitude for metres

sub north { 48.1 + $_[0] / 111200 }

my $rovers = Fieldgate::Rovers->new(
    port => $t->port('caster'), gga => 0.1,
    rovers => [map { $n->rover($_) } 1, 2]);
$rovers->wait_for(fed => 2);

# so many more sentences of a rover have come, and nothing of them went up

sub sentences {
    my ($user, $more) = @_;
    my $sent = $rovers->seen->{rovers}{$user}{positions};
    $rovers->wait_for(sub { $_[0]{rovers}{$user}{positions} >= $sent + $more });
}

sub latitudes {
    return map { $_->{line} =~ /GGA,[^,]*,([\d.]+)/ } @{$provider->seen->{gga}};
}

is(scalar latitudes(), 1, 'the first position goes up');

$rovers->move($_, north(60), 11.6) for 'u1', 'u2';
sentences($_, 5) for 'u1', 'u2';
is(scalar latitudes(), 1, 'steps of less than the distance do not');

$rovers->move($_, north(130), 11.6) for 'u1', 'u2';
$provider->wait_for(sub { @{$_[0]{gga}} > 1 });
sentences($_, 5) for 'u1', 'u2';
my @lat = latitudes();
is(scalar @lat, 2, 'the distance does, once');
is($lat[1], sprintf('48%08.5f', (north(130) - 48) * 60), 'with the new place');

$rovers->leave('u1');
$rovers->move('u2', north(190), 11.6);
sentences('u2', 10);
is(scalar latitudes(), 2,
   'nor does the reference jump when the lead changes within the distance');
$rovers->move('u2', north(400), 11.6);
$provider->wait_for(sub { @{$_[0]{gga}} > 2 });
is((latitudes())[2], sprintf('48%08.5f', (north(400) - 48) * 60),
   'the new lead moves it when it has gone so far');
$rovers->stop;
$n->wait_rows('STREAM-LIST', 0);

# on a grid: what is near goes up as the same place

sub first_of {
    my ($port, @rovers) = @_;
    my $before = @{$provider->seen->{gga}};
    my $one = Fieldgate::Rovers->new(port => $t->port($port), gga => 0.1,
                                     rovers => [@rovers]);
    $provider->wait_for(sub { @{$_[0]{gga}} > $before });
    my $line = $provider->seen->{gga}[$before]{line};
    $one->stop;
    $n->wait_rows('STREAM-LIST', 0);
    return $line;
}

my $grid = first_of('round', $n->rover(3, lat => 48.1001, lon => 11.6001));
my $same = first_of('round', $n->rover(4, lat => 48.1002, lon => 11.6002));
is($same, $grid, 'two places nearby are the same point of the grid');
my ($lat, $lon) = map { my ($d, $m) = /^(\d+)(\d\d\.\d{7})$/; $d + $m / 60 }
                      $grid =~ /GGA,[^,]*,([\d.]+),N,([\d.]+),E/;
cmp_ok(abs($lat - 48.1001) * 111320, '<=', 502, 'not far in latitude');
cmp_ok(abs($lon - 11.6001) * 111320 * cos(48.1 / 57.3), '<=', 502,
       'nor in longitude');

my $form = first_of('form', $n->rover(5));
like($form, qr/^\$GPGGA,120000.00,4806.0000000,N,01136.0000000,E,4,12,0\.8,/,
     'the plain form');
my $sum = 0;
$sum ^= $_ for unpack 'C*', ($form =~ /^\$(.*)\*/)[0];
is(sprintf('%02X', $sum), ($form =~ /\*(..)/)[0], 'with its checksum');

# what nginx -t says

for my $case (['ntrip_gga_distance 1.5km;', qr/invalid length "1.5km"/],
              ['ntrip_gga_round -5;', qr/invalid length "-5"/],
              ['ntrip_gga_distance 30000km;', qr/invalid length "30000km"/],
              ["ntrip_gga_round 1m;\nntrip_gga_round 1m;",
               qr/"ntrip_gga_round" directive is duplicate/],
              ['ntrip_gga_form nmea;', qr/invalid value "nmea"/])
{
    my ($directive, $says) = @$case;
    my ($status, $out) = $t->check(stream => $directive);
    is($status, 1, "$directive: refused");
    like($out, $says, 'explained');
}

$t->stop;
done_testing;
