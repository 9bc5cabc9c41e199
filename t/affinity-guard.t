# A CPE's connection between two messages of a session: a reload does not close
# it, over HTTP/1 or HTTP/2; but nginx may, when it has no more connections.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Affinity;
use Fieldgate::Env qw(has_feature read_file version);
use Time::HiRes 'sleep';

my $location = <<'END';
location / {
            cwmp on;
            cwmp_public_url http://acs-side.example/client;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_pass http://acs;
        }
END

my $h2 = has_feature('http_v2') && `curl -V` =~ /^Features:.*\bHTTP2\b/m;
my $min = version() >= 1027004;
my @brief = $min ? ('keepalive_min_timeout 300ms;', 'keepalive_min_timeout 1h;')
                 : ('', '');

my $http = <<"END";
    cwmp_zone cwmp:1m;
    keepalive_timeout 1h;

    upstream acs {
        server 127.0.0.1:%%PORT:acs1%%;
        server 127.0.0.1:%%PORT:acs2%%;
        cwmp_affinity;
    }

    server {
        listen 127.0.0.1:%%PORT:cpe%%;
        $location
    }

    server {
        listen 127.0.0.1:%%PORT:brief%%;
        $brief[0]
        $location
    }

    server {
        listen 127.0.0.1:%%PORT:long%%;
        $brief[1]
        $location
    }
END

my $second = <<"END";
    ssl_certificate %%DIR%%/tls.crt;
    ssl_certificate_key %%DIR%%/tls.key;

    server {
        listen 127.0.0.1:%%PORT:two%% ssl http2;
        $location
    }

    server {
        listen 127.0.0.1:%%PORT:brief_two%% ssl http2;
        $brief[0]
        $location
    }
END

my $t = Fieldgate->new(http => $http . ($h2 ? $second : ''));

certificate($t) if $h2;
acs($t, rpcs => 0);
$t->start;

# a connection with these messages of a session; the head with its cookie

sub opened {
    my ($port, $device, @kinds) = @_;
    my $s = $t->connect($port);
    my $head = '';
    for my $kind (@kinds) {
        post($s, $kind, $device, cookie_of($head));
        my $next = answer($s);
        $head = $next =~ /^Set-Cookie/m || !$head ? $next : $head;
    }
    return ($s, $head);
}

# "think": the CPE's, before and after the reload

for my $case (['cpe', 0, 0], $min ? (['brief', 0, 0.6], ['brief', 0.6, 0],
                                     ['long', 0, 0]) : ())
{
    my ($port, $before, $after) = @$case;
    my $what = "$port, $before s before";

    my ($open, $head) = opened($port, "O$port$before", 'inform');
    like($head, qr/^HTTP\S+ 200/, "$what: a session");
    my ($over) = opened($port, "E$port$before", 'inform', 'empty');

    sleep $before;
    $t->reload;
    sleep $after;

    is(more($over, 1), '', "$what: a connection whose session is over closes")
        if $port ne 'long';

    post($open, 'empty', "O$port$before", cookie_of($head));
    my $last = answer($open);

    like($last, qr/^HTTP\S+ 204/, "$what: a reload does not close an open one");
    like($last, qr/^Connection: close/m, "$what: which is told to leave");
    is(conn_of($last), conn_of($head), "$what: on its upstream connection");
    is(more($open, 1), '', "$what: and is closed");
}

# a session that ends otherwise while its worker waits for it

{
    my ($open, $head) = opened('cpe', 'K1', 'inform');
    $t->reload;
    kill_acs($t, $_) for qw(acs1 acs2);
    post($open, 'empty', 'K1', cookie_of($head));
    like(answer($open), qr/^HTTP\S+ 502/, 'the ACS is gone meanwhile');
    is(more($open, 1), '', 'then the connection is closed');
    $t->reload(gone => 1);
    pass('and no worker stays for it');
    start_acs($t, $_, rpcs => 0) for qw(acs1 acs2);
}

# curl, which thinks for some seconds between its messages on one connection:
# $think messages at most

sub curl {
    my ($port, $device, $think, @kinds) = @_;
    my @args = (qw(curl -s -S --noproxy * -b nothing --rate), $think);

    for my $i (0 .. $#kinds) {
        $t->write("body$i", message($kinds[$i], $device));
        unlink $t->path("head$i");
        push @args, '--next', qw(-b nothing) if $i;
        push @args, qw(-s -S --http2 -k --max-time 150 -o
                       /dev/null -H Expect: -H Content-Type:text/xml),
             '-D', $t->path("head$i"),
             '-w', '%{http_version}:%{num_connects}\n',
             '--data-binary', '@' . $t->path("body$i"),
             'https://127.0.0.1:' . $t->port($port) . '/';
    }

    my $out = $t->path('curl.out');
    my $pid = $t->spawn(curl => sub {
        open STDOUT, '>', $out or die $!;
        exec @args or die "curl: $!";
    });

    return sub {
        is($t->reap($pid), 0, "$device: curl has done it");
        return (read_file($out), map { read_file($t->path("head$_")) }
                                 0 .. $#kinds);
    };
}

sub head { my $f = $t->path("head$_[0]"); -e $f && read_file($f) =~ /\n\r\n/ }

acs($t, rpcs => 1) if $h2;

for my $port ($h2 ? ('two', $min ? 'brief_two' : ()) : ()) {
    my ($said, @heads);

    # it may think too fast for a machine that has much to do

    for my $think (qw(20/m 6/m 2/m)) {
        my $done = curl($port, "H$port$think", $think,
                        qw(inform empty response));
        wait_for(sub { head(0) }, 'the answer to the Inform');
        $t->reload;
        my $late = head(1);
        ($said, @heads) = $done->();
        last if !$late;
    }

    is($said, "2:1\n2:0\n2:1\n", "$port: a reload does not close an open one, "
                                 . 'but its next request is the last there');
    is(join(' ', map { m{^HTTP/2 (\d+)} } @heads), '200 200 204',
       "$port: the session is whole");
    is($heads[1] =~ /^x-conn: (\d+)/m ? $1 : '',
       $heads[0] =~ /^x-conn: (\d+)/m ? $1 : 'none',
       "$port: on its upstream connection");
    is($heads[2] =~ /^x-acs: (\w+)/m ? $1 : '',
       $heads[0] =~ /^x-acs: (\w+)/m ? $1 : 'none',
       "$port: and goes on at the same server");
}

never_mixed(seen($t), 'guarded') if $h2;

# Who is let in by nobody keeps nobody out: more of them than there are
# connections, and then a session.

acs($t, auth => ['box', 'secret']);
$t->reload(gone => 1, workers => 1, events => 'worker_connections 128;');

my @idle;
for my $i (1 .. 90) {
    my ($s, $head) = opened('cpe', "F$i", 'inform');
    push @idle, $s if $head =~ /^HTTP\S+ 401/;
}
is(scalar @idle, 90, 'each of 90 Informs gets its 401 with 128 connections');

my @r = cpes($t, 'cpe', sessions => 20, at_once => 4,
             auth => ['box', 'secret']);
is(failed(@r), 0, 'and sessions of others are whole');
like($t->error_log, qr/connections are not enough, reusing/,
     'since nginx took what was idle');

close $_ for @idle;
never_mixed(seen($t), 'few connections');

done_testing;
