# What the Inform says holds for the session: CPEs of two makes, each make with
# an ACS of its own by "map $cwmp_oui", over two workers, on one connection and
# on many.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Affinity;
use Fieldgate::Env qw(read_file);

my $proxy = <<'END';
cwmp on;
        cwmp_public_url http://acs-side.example/client;
        cwmp_origin_allow 127.0.0.1;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header X-Device $cwmp_device_id;
        proxy_pass http://$acs;
END

sub http {
    my ($affinity) = @_;
    return <<"END";
    cwmp_zone cwmp:1m;

    log_format device '\$cwmp_method|\$cwmp_device_id|\$cwmp_oui|'
                      '\$cwmp_product_class|\$cwmp_serial|\$cwmp_events|'
                      '\$upstream_addr';

    map \$cwmp_oui \$acs {
        00D09E  near;
        "0050F2" far;
        default nowhere;
    }

    upstream near { server 127.0.0.1:%%PORT:acs1%%; $affinity }
    upstream far { server 127.0.0.1:%%PORT:acs2%%; $affinity }
    upstream nowhere { server 127.0.0.1:%%PORT:dead%%; }

    server {
        listen 127.0.0.1:%%PORT:cpe%%;
        access_log %%DIR%%/access.log device;
        location / {
        $proxy        }
    }
END
}

my $t = Fieldgate->new(workers => 2, http => http('cwmp_affinity;'));

# devices that end with an even number are of the one make

sub make {
    my ($c) = @_;
    return $c->{device} =~ /[02468]$/ ? '00D09E' : '0050F2';
}

{
    no warnings 'redefine';
    my $message = \&Fieldgate::CPE::message;
    *Fieldgate::CPE::message = sub {
        my ($c) = @_;
        return $message->(@_) =~ s{<OUI>00D09E}{'<OUI>' . make($c)}er;
    };
}

# the lines of the log about a device

sub lines {
    my ($device) = @_;
    return grep { /^[^|]*\|[^|]*-\Q$device\E\|/ }
                split /\n/, read_file($t->path('access.log'));
}

# the same when there are as many, which nginx writes behind its answers

sub all_lines {
    my ($device, $n) = @_;
    wait_for(sub { lines($device) >= $n }, "$n lines of $device in the log");
    return lines($device);
}

sub rightly {
    my ($what, $messages, @r) = @_;
    my ($wrong, $unnamed) = (0, 0);

    is(failed(@r), 0, "$what: all complete");

    for my $r (@r) {
        my $make = make($r);
        my $acs = $t->port($make eq '00D09E' ? 'acs1' : 'acs2');
        my @lines = all_lines($r->{device}, $messages);
        $unnamed++ if @lines != $messages;
        $wrong += grep { !/^\w+\|$make-Box-$r->{device}\|$make\|Box\|
                            $r->{device}\|2\ PERIODIC\|127\.0\.0\.1:$acs$/x }
                  @lines;
    }

    is($wrong, 0, "$what: each message at the make's ACS, and so in the log");
    is($unnamed, 0, "$what: every line of the log names the device");
}


acs($t);
$t->start;

rightly('one connection', 3, cpes($t, 'cpe', prefix => 'A'));
rightly('many connections', 3,
        cpes($t, 'cpe', prefix => 'B', reconnect => 1));
never_mixed(seen($t), 'two makes');

# what other sessions leave behind, on one connection

{
    my $s = $t->connect('cpe');
    post($s, 'inform', 'C1');
    my $first = answer($s);
    is(server_of($first), 'acs2', 'a session of one make');
    post($s, 'empty', 'C1', cookie_of($first));
    is(server_of(answer($s)), 'acs2', 'goes on');

    post($s, 'inform', 'C2');
    my $second = answer($s);
    is(server_of($second), 'acs1', 'one of the other make behind it');
    post($s, 'empty', 'C2', cookie_of($second));
    is(server_of(answer($s)), 'acs1', 'goes on');
    post($s, 'response', 'C2', cookie_of($second));
    like(answer($s), qr/^HTTP\S+ 204/, 'to its end');

    post($s, 'empty', 'C2');
    like(answer($s), qr/^HTTP\S+ 502/, 'behind which nothing is known');

    $s = $t->connect('cpe');
    post($s, 'empty', 'C1', cookie_of($first));
    is(server_of(answer($s)), 'acs2', 'the first goes on elsewhere');
}

# over a reload, and with a worker killed

{
    my $s = $t->connect('cpe');
    post($s, 'inform', 'D1');
    my $head = answer($s);
    $t->reload;
    post($s, 'empty', 'D1', cookie_of($head));
    my $next = answer($s);
    is(server_of($next), 'acs2', 'a session over a reload, in the old worker');
    more($s, 1);
    all_lines('D1', 2);
    $t->kill_worker(($t->pids)[0]);
    $s = $t->connect('cpe');
    post($s, 'response', 'D1', cookie_of($head));
    my $last = answer($s);
    is(server_of($last), 'acs2', 'in a new one');
    like($last, qr/^HTTP\S+ 204/, 'to its end');
    is(scalar(my @d = all_lines('D1', 3)), 3, 'each line of the log names it');
}

# without cwmp_affinity, as long as it stays on the connection

kill_acs($t, $_) for qw(acs1 acs2);
$t->stop;
$t = Fieldgate->new(workers => 2, http => http('keepalive 1;'));
acs($t, no_cookie => 1);
$t->start;

{
    my $s = $t->connect('cpe');
    post($s, 'inform', 'E1');
    is(server_of(answer($s)), 'acs2', 'without affinity: an Inform');
    post($s, 'empty', 'E1');
    is(server_of(answer($s)), 'acs2', 'and the message behind it');
    is(scalar(my @e = all_lines('E1', 2)), 2, 'both are named in the log');
}

done_testing;
