# What conf/run --demo keeps moving: rovers in four places, which come and go
# and lose their fix now and then; CPEs with their sessions; wake-ups.

package Demo;

use strict;
use warnings;

use POSIX ();
use Time::HiRes qw(sleep time);

use Fieldgate::CPE;
use Fieldgate::Rovers;

# further apart than rovers share a connection
my @places = ([48.14, 11.58], [48.37, 10.90], [49.45, 11.08], [47.80, 13.04]);
my $each = 3;

# quality in GGA: fixed, float, single
my @qualities = (4, 4, 4, 4, 5, 1);

my ($rovers, $wake, $seconds, @rovers);


# Adds users and accounts, and begins.  Given are functions of conf/prove.pl: the
# port in place of a number, a command of the console, code in a process of its
# own, a wake-up; and the URL of a CPE that answers.

sub begin {
    my ($port, $console, $spawn, $url);
    ($port, $console, $spawn, $wake, $url) = @_;

    my $expiry = POSIX::strftime('%Y-%m-%d', localtime(time + 30 * 86400));
    $console->("SOURCE-ADD passwd 127.0.0.1 demo$_:secret $expiry")
        for 1 .. @places + 1;

    for my $i (0 .. @places * $each - 1) {
        my ($lat, $lon) = @{$places[$i % @places]};
        my $user = 'demo-' . ($i + 1);
        $console->("USER-ADD passwd $user:demo $expiry");
        push @rovers, {
            user => $user, password => 'demo', mount => 'FIELD',
            middle => [$lat + 0.02 * sin $i, $lon + 0.03 * cos $i],
            lat => $lat, lon => $lon, here => 0, quality => 4,
        };
    }

    $rovers = Fieldgate::Rovers->new(port => $port->(2101), rovers => []);

    $spawn->('CPEs' => sub {
        open STDOUT, '>', '/dev/null';
        for (my $n = 1;; $n++) {
            Fieldgate::CPE->run(port => $port->(7547), sessions => 4,
                                at_once => 2, think => 0.2, url => $url,
                                prefix => 'DEMO-' . $n % 6 . '-');
            sleep 1;
        }
    });
}


# To be called every second.  A rover is on a circle around its field, gone for
# ten seconds in two minutes, and its solution changes every fifteen.

sub move {
    $seconds++;

    for my $i (0 .. $#rovers) {
        my $r = $rovers[$i];
        my $phase = $seconds + $i * 17;
        my $angle = $phase / 40;
        my $there = $seconds >= $i / 2 && $phase % 120 >= 10;

        @{$r}{qw(lat lon)} = ($r->{middle}[0] + 0.012 * sin $angle,
                              $r->{middle}[1] + 0.018 * cos $angle);
        $r->{quality} = $qualities[int($phase / 15) % @qualities];

        if ($there && !$r->{here}) {
            $rovers->add({ %$r });
        } elsif (!$there && $r->{here}) {
            $rovers->leave($r->{user});
        } elsif ($there) {
            $rovers->move(@{$r}{qw(user lat lon quality)});
        }

        $r->{here} = $there;
    }

    $wake->() if $seconds % 5 == 0;
}

1;
