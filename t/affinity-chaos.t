# Everything at once: CPEs of every kind, through a balancer, over TLS, with
# reloads, killed workers and killed ACSs.  Sessions may fail, but never mix.
#
# FIELDGATE_CHAOS_SECONDS says how long (8), though it goes on until there was
# enough of everything; FIELDGATE_CHAOS_SEED says which.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Affinity;
use Fieldgate::CPE;

my $seconds = $ENV{FIELDGATE_CHAOS_SECONDS} // 8;
my $seed = $ENV{FIELDGATE_CHAOS_SEED} // int rand 1e6;
diag("FIELDGATE_CHAOS_SEED=$seed");
srand($seed);

my $proxy = <<'END';
            cwmp on;
            cwmp_public_url http://acs-side.example/client;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
END

my $locations = <<"END";
        location / {
$proxy
            proxy_pass http://acs;
        }
        location /tls {
$proxy
            proxy_pass https://tls;
        }
END

# a zone that is too small, so that sessions are forgotten

my $t = Fieldgate->new(workers => 2, log_level => 'notice', http => <<"END",
    cwmp_zone cwmp:128k;

    upstream acs {
        server 127.0.0.1:%%PORT:acs1%% max_fails=3 fail_timeout=1s;
        server 127.0.0.1:%%PORT:acs2%% fail_timeout=1s;
        cwmp_affinity timeout=2s;
    }
    upstream tls {
        zone tls 64k;
        server 127.0.0.1:%%PORT:tls1%% max_fails=0;
        server 127.0.0.1:%%PORT:tls2%% max_fails=0;
        cwmp_affinity timeout=2s;
    }
    upstream front {
        server 127.0.0.1:%%PORT:cpe%%;
        keepalive 4;
    }

    server {
        listen 127.0.0.1:%%PORT:cpe%%;
        keepalive_timeout 3s;
$locations
    }
    server {
        listen 127.0.0.1:%%PORT:three%%;
        keepalive_requests 3;
$locations
    }
    server {
        listen 127.0.0.1:%%PORT:front%%;
        location / {
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_pass http://front;
        }
    }
END
    stream => <<'END');
    ssl_certificate %%DIR%%/tls.crt;
    ssl_certificate_key %%DIR%%/tls.key;
    server {
        listen 127.0.0.1:%%PORT:tls1%% ssl;
        proxy_pass 127.0.0.1:%%PORT:acs1%%;
    }
    server {
        listen 127.0.0.1:%%PORT:tls2%% ssl;
        proxy_pass 127.0.0.1:%%PORT:acs2%%;
    }
END

certificate($t);

# of the workers that are killed, and of the terminator in the stream block,
# which may meet data after its close_notify

$t->allow(qr/exited on signal 9/, qr/was locked by/,
          qr/SSL_shutdown\(\) failed .* while proxying connection/);

my %acs = (rpcs => 2, delay => 0.005);
my ($devices, $mixed) = (0, 0);

# what the ACS has seen in this life

sub account {
    my ($name) = @_;
    my $r = report($t, $name);
    $devices = $r->{max_devices} if $r->{max_devices} > $devices;
    $mixed += $r->{mixed};
}

sub crowd {
    my ($k, $stop) = @_;
    my ($ok, $failed) = (0, 0);

    srand($seed + $k);
    until (-e $stop) {
        my %o = (sessions => 30, at_once => 10, think => rand 0.05,
                 prefix => "P$k-", devices => 20 + int rand 20, retries => 3);
        $o{again} = 1 if rand() < 0.3;
        $o{reconnect} = 1 if rand() < 0.2;
        $o{reconnect_at} = 2 + int rand 3 if rand() < 0.2;
        $o{no_cookies} = 1 if rand() < 0.1;
        $o{size} = int rand 30000 if rand() < 0.2;
        $o{uri} = '/tls' if rand() < 0.3;
        for my $how (qw(drop_at abandon_at)) {
            @o{$how, 'retries'} = (1 + int rand 4, 0) if rand() < 0.15;
        }
        my $port = $t->port((qw(cpe three front))[rand 3]);
        $_->{ok} ? $ok++ : $failed++
            for Fieldgate::CPE->run(port => $port, %o);
        print "$ok $failed\n";
    }
}

# (whole, failed) sessions of all crowds so far

sub so_far {
    my ($ok, $failed) = (0, 0);
    for my $k (1 .. 3) {
        my $out = Fieldgate::Env::read_file($t->path("crowd$k.out"));
        my ($last) = $out =~ /(\d+ \d+)\n\z/ or next;
        my @n = split ' ', $last;
        $ok += $n[0];
        $failed += $n[1];
    }
    return ($ok, $failed);
}

acs($t, %acs);
$t->start;

my $end = time + $seconds;
my $stop = $t->path('stop');
my @crowds = map { my $k = $_;
                   $t->spawn("crowd$k" => sub { crowd($k, $stop) }) } 1 .. 3;

# at least: reloads, killed workers, killed ACSs, whole sessions

my %least = (reload => 4, kill => 2, acs => 1, whole => 300);
my %had = map { $_ => 0 } keys %least;

ok(wait_for(sub {
       select undef, undef, undef, 0.5;
       my $what = rand;
       if ($what < 0.5) {
           kill HUP => $t->master;
           $had{reload}++;
       } elsif ($what < 0.7) {
           my ($worker) = $t->pids;
           $had{kill} += kill KILL => $worker if $worker;
       } elsif ($what < 0.8) {
           kill_acs($t, 'acs1');
           account('acs1');
           select undef, undef, undef, 0.2;
           start_acs($t, 'acs1', %acs);
           $had{acs}++;
       }
       ($had{whole}) = so_far();
       return time >= $end && !grep { $had{$_} < $least{$_} } keys %least;
   }, join ' ', 'chaos with at least', %least), 'sessions are whole in chaos')
    or diag(join ' ', %had);

$t->write('stop', '');
is($t->reap($crowds[$_ - 1]), 0, "crowd $_") for 1 .. 3;
my ($ok, $failed) = so_far();
account($_) for qw(acs1 acs2);

note("$ok sessions were whole, $failed were not");
is($devices, 1, 'no connection to an ACS ever had two devices');
is($mixed, 0, 'nor a message of another session');

done_testing;
