# Everything at once: CPEs of every temper, ACSs that leave, short and long
# deadlines, reloads and killed workers.  Nothing crashes, leaks or stays.

use lib 't/lib';
use Fieldgate;
use Fieldgate::ConnectionRequest;
use Fieldgate::Wakeup;

my $key = 'a key of sixteen bytes';

my $t = Fieldgate->new(workers => 3, http => <<"END");
    cwmp_zone cwmp:128k;

    server {
        listen 127.0.0.1:%%PORT:acs%%;

        cwmp_origin_allow 127.0.0.0/8;

        location = /client {
            cwmp_connection_request;
            cwmp_timeout 1s;
        }

        location = /hasty {
            cwmp_connection_request;
            cwmp_timeout 60ms;
            cwmp_connect_timeout 30ms;
        }
    }

    server {
        listen 127.0.0.1:%%PORT:path%%;

        location / {
            cwmp_connection_request;
            cwmp_url_mode path;
            cwmp_secret "$key";
            cwmp_origin_allow 127.0.0.0/8;
            cwmp_timeout 200ms;
        }
    }
END
$t->start;

my %cpe = map {
    my ($name, %switches) = @$_;
    $name => Fieldgate::ConnectionRequest->new(host => '0.0.0.0', path => '/',
                                               %switches);
} ['slow', delay => 0.01],
  ['always stale', after401 => 'drop', stale => 1e9],
  ['silent', silent => 'request'],
  ['resets after 401', after401 => 'reset'],
  ['forgetful', nonce_uses => 2, after_ok => 'reset'],
  ['breaks off', reply => "HTTP/1.1 200 OK\r\n", after401 => 'drop'];

my @ports = (map({ $_->port } values %cpe), free_port());
my $stop = $t->path('stop');

my @storm = map {
    my $n = $_;
    $t->spawn("storm-$n", sub {
        my %said;
        srand $n;
        storm(\%said) until -e $stop;
        print "$_ $said{$_}\n" for keys %said;
    });
} 1 .. 3;

sub storm {
    my ($said) = @_;
    my $acs = Fieldgate::Wakeup->new($t);
    my $hasty = Fieldgate::Wakeup->new($t, path => '/hasty');
    my $path = Fieldgate::Wakeup->new($t, port => 'path');
    my @calls;

    # nginx may be gone for a moment, or close what it has just accepted
    eval {
        for (1 .. 8) {
            my $hostport = '127.0.4.' . int(rand 5) . ":$ports[rand @ports]";
            my $target = '/' . int rand 3;
            my $url = "http://$hostport$target";

            if (rand() < 0.2) {
                my $sig = Fieldgate::Wakeup::sign($key, 'path', $hostport,
                                                  $target);
                $target .= "?origin=$hostport&sig=$sig";
                push @calls, $path->begin('', target => $target,
                                          auth => undef);

            } else {
                push @calls, (rand() < 0.4 ? $hasty : $acs)
                    ->begin($url, rand() < 0.3 ? (password => 'x') : ());
            }
        }
    };

    for my $call (@calls) {
        if (rand() < 0.4) {
            close $call->{socket};
            next;
        }

        my $status = $acs->end($call)->{status};
        die "status $status\n" if $status !~ /^(?:0|200|401|502|503)$/;
        $said->{$status}++;
    }
}

$cpe{slow}->wait_for(requests => 20);

for my $round (1 .. 6) {
    $t->reload;

    my @pids = $t->pids;
    $t->kill_worker($pids[$round % @pids]) if $round % 3 == 0;

    $cpe{slow}->clear->wait_for(requests => 5);
}

Fieldgate::Env::write_file($stop, '');
is($t->reap($_), 0, 'a storm has ended well') for @storm;

my %said;
for my $n (1 .. 3) {
    my $out = Fieldgate::Env::read_file($t->path("storm-$n.out"));
    $said{$1} += $2 while $out =~ /^(\d+) (\d+)$/mg;
}
note(join ', ', map { "$_: $said{$_}" } sort keys %said);
cmp_ok($said{$_} // 0, '>=', 20, "and had answers: $_") for 200, 401, 503;

ok(wait_for(sub { $t->worker_processes == 3 }, 'the old workers to exit'),
   'the old workers have exited');

for my $name (sort keys %cpe) {
    ok(wait_for(sub { $cpe{$name}->seen->{open} == 0 }, "$name: all closed"),
       "$name: all connections are closed");
}

my $cpe = Fieldgate::ConnectionRequest->new;
is(Fieldgate::Wakeup->new($t)->wake($cpe->url)->{status}, 200,
   'and nginx goes on');

done_testing;
