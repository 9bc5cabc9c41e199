# The part of conf/run that runs nginx, and proves that it works.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/../t/lib";

use Cwd ();
use Errno ();
use File::Path ();
use Getopt::Long ();
use IO::Socket::INET;
use POSIX ();
use Time::HiRes qw(sleep time);

use Fieldgate::Base;
use Fieldgate::ACS;
use Fieldgate::CPE;
use Fieldgate::ConnectionRequest;
use Fieldgate::Env qw(read_file write_file);
use Fieldgate::Provider;
use Fieldgate::Rovers;

my $top = Cwd::abs_path("$FindBin::Bin/..");
my $prefix = "$top/build/run";

my (%port, %children, $cpe, $provider, $rovers, @bases, $url);
my $conf = "$top/conf/nginx.conf";
my $built = "$top/build";
my ($once, $demo) = (0, 0);
my $owner = $$;

# of the simulated CPE, as the ACS gives them
my $basic = 'Authorization: Basic YWNzOnMzYzpyZXQ=';

# a step that has not happened by then does not happen any more
my $patience = 60;

$| = 1;
$SIG{PIPE} = 'IGNORE';
$SIG{$_} = sub { finish(130) } for qw(INT TERM HUP);

Getopt::Long::Configure('bundling');
Getopt::Long::GetOptions(
    'p=i%' => sub { $port{$_[1]} = $_[2] },
    'c=s' => sub { $conf = Cwd::abs_path($_[1]) // $_[1] },
    'd=s' => \$prefix,
    'm=s' => \$built,
    '1' => \$once,
    'demo' => \$demo,
) or exit 2;

eval {
    start();
    cwmp();
    ntrip();
    station();
    1;
} or do {
    chomp(my $why = $@);
    print STDERR "\nconf/run: FAILED: $why\n";
    finish(1);
};

print "\nAll steps have succeeded.\n";
finish(0) if $once;

print "\nServing until interrupted:\n",
      "    CPEs      http://127.0.0.1:", port(7547), "/, two simulated ACSs",
      " answer\n",
      "    ACSs      http://127.0.0.1:", port(7548), "/client, as announced\n",
      "    status    http://127.0.0.1:", port(7548), "/status\n",
      "    rovers    127.0.0.1:", port(2101), ", mountpoint FIELD, user rover1,",
      " password secret1;\n",
      "              a simulated provider sends messages that have no meaning\n",
      "    dashboard ", dashboard(), "\n",
      "    console   127.0.0.1:", port(8000), ", password passwd\n",
      "    logs      ", shown($prefix), "/logs/\n";

my $died;
eval {
    $died = $demo ? demo() : waitpid -1, 0;
    1;
} or do {
    print STDERR "\nconf/run: FAILED: $@";
    finish(1);
};
print STDERR "\nconf/run: FAILED: ", delete $children{$died} // 'a process',
             " has ended\n";
finish(1);


# The prefix, in build/run/: a folder of its own for everything that nginx
# writes, so that the distribution's service is never touched

sub start {
    File::Path::make_path($prefix);
    $prefix = Cwd::abs_path($prefix);
    my @folders = map { "$prefix/$_" } qw(logs temp modules);
    File::Path::make_path(@folders);

    unlink "$prefix/dashboard";
    symlink "$top/build/dashboard", "$prefix/dashboard"
        or die "$prefix/dashboard: $!\n";

    my $stream = '/usr/lib/nginx/modules/ngx_stream_module.so';
    for my $so (grep { -f } $stream, glob "$built/ngx_*.so") {
        my ($name) = $so =~ m{([^/]+)$};
        unlink "$prefix/modules/$name";
        symlink $so, "$prefix/modules/$name"
            or die "$prefix/modules/$name: $!\n";
    }

    if (!-s "$prefix/cwmp.key") {
        open my $random, '<', '/dev/urandom' or die "/dev/urandom: $!\n";
        read $random, my $key, 32;
        my $mask = umask 077;
        write_file("$prefix/cwmp.key", unpack('H*', $key) . "\n");
        umask $mask;
    }

    -f $conf or die "there is no $conf\n";
    my $text = read_file($conf);
    my %to;
    for my $to (values %port) {
        die "port $to would be there twice\n"
            if $to{$to}++ || (!exists $port{$to}
                              && $text =~ /(?<=:)\Q$to\E(?=[;\/\s])/);
    }
    for my $from (keys %port) {
        $text =~ s/(?<=[:=])\Q$from\E(?=[;\/\s])/\0$port{$from}/g
            or die "$conf has no port $from\n";
    }
    $text =~ tr/\0//d;
    write_file("$prefix/nginx.conf", $text);

    # a port that is taken is found here, with its name, and not by simulators

    for my $address ($text =~ /^\s*(?:listen|server)\s+([\d.]+:\d+)/gm) {
        my $s = IO::Socket::INET->new(LocalAddr => $address, ReuseAddr => 1,
                                      Proto => 'tcp', Listen => 1);
        my ($number) = $address =~ /(\d+)$/;
        my ($named) = grep { $port{$_} == $number } keys %port;
        $named //= $number;
        die "$address is taken by another program: $!\n"
            . "    conf/run -p $named=OTHER uses another port instead\n"
            if !$s && $!{EADDRINUSE};
        die "$address: $!\n" if !$s;
    }

    # workers run as whoever owns the repository, who can surely reach it

    my $main = 'daemon off;';
    $main .= ' user ' . (getpwuid((stat $top)[4]) // 'root') . ';'
        if $> == 0 && $text !~ /^\s*user\s/m;
    unlink "$prefix/logs/error.log";

    my $nginx = spawn(nginx => sub {
        exec 'nginx', '-p', "$prefix/", '-c', "$prefix/nginx.conf",
             '-e', "$prefix/logs/error.log", '-g', $main;
    });

    title('nginx starts with ' . shown($conf) . ' in ' . shown($prefix) . '/');
    my ($first) = $text =~ /^\s*listen\s+([\d.]+:\d+)/m;
    until_true(sub {
        die "nginx does not start:\n" . read_file("$prefix/logs/error.log")
            if waitpid($nginx, POSIX::WNOHANG()) == $nginx;
        return IO::Socket::INET->new(PeerAddr => $first);
    }, "nginx to listen at $first");
}

# keeps everything moving, until a process has ended

sub demo {
    require "$FindBin::Bin/demo.pl";
    Demo::begin(\&port, \&console, \&spawn, \&wake, $cpe->url);
    print "\nRovers and CPEs are kept moving.\n";

    my $died;
    while (($died = waitpid -1, POSIX::WNOHANG()) == 0) {
        Demo::move();
        sleep 1;
    }

    return $died;
}

# one more wake-up of the simulated CPE

sub wake {
    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1:' . port(7548))
        or return;
    $s->autoflush;
    call($s, $url =~ s{^http://[^/]+}{}r, $basic);
}

# where the dashboard is, or why it is not

sub dashboard {
    return "http://127.0.0.1:" . port(7549) . "/"
        if -f "$top/build/dashboard/index.html";
    return 'is not built: conf/dashboard/build';
}

sub port { $port{$_[0]} // $_[0] }

sub title { print "\n== $_[0]\n\n" }

sub step { printf "  %2d  %-17s %s\n", @_ }

sub shown { $_[0] =~ s{^\Q$top\E/}{}r }

sub spawn {
    my ($name, $code) = @_;

    my $pid = fork // die "fork: $!\n";
    if ($pid == 0) {
        $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP PIPE);
        eval { $code->() };
        print STDERR "$name: $@";
        POSIX::_exit(127);
    }

    $children{$pid} = $name;
    return $pid;
}

sub until_true {
    my ($code, $what) = @_;
    my $deadline = time + $patience;

    while (1) {
        my $r = $code->();
        return $r if $r;
        die "waited $patience s in vain for $what\n" if time > $deadline;
        sleep 0.01;
    }
}

# Ends every process that was started here, waits for them, and exits

sub finish {
    my ($status) = @_;
    exit $status if $$ != $owner;

    $SIG{$_} = 'IGNORE' for qw(INT TERM HUP);
    $cpe->stop if $cpe;
    kill TERM => keys %children;
    for my $pid (keys %children) {
        waitpid $pid, 0;
    }

    exit $status;
}


# A session, to see what is rewritten; more of them, to see who takes them; and
# a wake-up by the URL that was announced

sub cwmp {
    $cpe = Fieldgate::ConnectionRequest->new(
        user => 'acs', password => 's3c:ret', path => '/cr/8f3a61',
        algorithm => 'MD5');

    for my $n (1, 2) {
        my $port = port(17546 + $n);
        spawn("ACS $n" => sub {
            open STDOUT, '>', "$prefix/logs/acs$n.log" or die "acs$n.log: $!\n";
            STDOUT->autoflush;
            Fieldgate::ACS->new(
                name => "ACS$n", port => $port,
                on_message => sub { note("acs$n", @_[1, 2]) })->run;
        });
        until_true(sub { IO::Socket::INET->new(PeerAddr => "127.0.0.1:$port") },
                   "ACS $n to listen on port $port");
    }

    (my $acs, $url) = session();
    sessions();
    wakeup($acs, $url);
}

# the last Inform, so that it can be shown; sent by one process, received by
# another

sub note {
    my ($name, $head, $body) = @_;
    return if $body !~ /Inform>/;
    $head =~ s/\r\n$//;
    write_file("$prefix/logs/$name.new", "$head\r\n\r\n$body");
    rename "$prefix/logs/$name.new", "$prefix/logs/$name.inform";
}

sub noted { split /\r\n\r\n/, read_file("$prefix/logs/$_[0].inform"), 2 }

sub session {
    title('A CPE begins a session: the Inform as it sends it');

    unlink glob "$prefix/logs/*.inform";
    my ($r) = Fieldgate::CPE->run(
        port => port(7547), prefix => 'CPE-', url => $cpe->url,
        on_message => sub { note('cpe', @_[1, 2]) });

    my (undef, $sent) = noted('cpe');
    show($sent);
    die "the session ended with: $r->{error}\n" if !$r->{ok};

    my ($name) = @{$r->{servers}};
    my ($head, $received) = noted(lc $name);
    title("The Inform as $name receives it");
    show($received, split /(?<=>)(?=<)/, $sent);

    my ($url) = $received =~ m{ConnectionRequestURL</Name><Value[^>]*>([^<]*)}
        or die "it announces no ConnectionRequestURL\n";
    my ($from) = $cpe->url;
    index($url, 'http://127.0.0.1:' . port(7548) . "/client?origin=$from") == 0
        or die "it announces $url\n";
    $received eq $sent =~ s/>\Q$from\E</>$url</r
        or die "it differs in more than its ConnectionRequestURL\n";
    my @length = $head =~ /^Content-Length: (\d+)\r?$/mg;
    "@length" eq length $received
        or die "its Content-Length is @length, not " . length($received) . "\n";

    print "\nOnly the URL has changed; Content-Length is $length[0]",
          " in place of ", length $sent, ".\n",
          "The session of $r->{device} took $r->{requests} requests,",
          " all with $name, and ended with its 204.\n";

    return ($name, $url =~ s/&amp;/&/gr);
}

# lines that are not among the others are marked

sub show {
    my ($xml, @others) = @_;
    my %other = map { $_ => 1 } @others;
    for my $line (split /(?<=>)(?=<)/, $xml) {
        print @others && !$other{$line} ? ' > ' : '   ', " $line\n";
    }
}

sub sessions {
    title('More CPEs, all at once: new sessions take the ACSs in turns');

    my @results = Fieldgate::CPE->run(port => port(7547), sessions => 6,
                                      at_once => 6, prefix => 'CPE-1');
    my %count;
    for my $r (sort { $a->{device} cmp $b->{device} } @results) {
        die "the session of $r->{device} ended with: $r->{error}\n"
            if !$r->{ok};
        my %servers = map { $_ => 1 } @{$r->{servers}};
        die "the session of $r->{device} went to ", join(', ', keys %servers),
            "\n" if keys %servers != 1;
        my ($name) = keys %servers;
        $count{$name}++;
        print "    $r->{device}   $r->{requests} requests, all with $name\n";
    }

    die "one ACS has taken them all\n" if keys %count != 2;
}

# HTTP as an ACS speaks it, on one connection

sub call {
    my ($s, $target, @headers) = @_;

    print $s join("\r\n", "GET $target HTTP/1.1",
                  'Host: 127.0.0.1:' . port(7548), @headers), "\r\n\r\n";

    local $SIG{ALRM} = sub { die "no reply in $patience s\n" };
    alarm $patience;
    my $reply = '';
    while ($reply !~ /\r\n\r\n/) {
        sysread $s, $reply, 4096, length $reply
            or die "nginx closed the connection without a reply\n";
    }
    my ($head, $body) = split /\r\n\r\n/, $reply, 2;
    my ($length) = $head =~ /^Content-Length: (\d+)/mi;
    while (length $body < ($length // 0)) {
        sysread $s, $body, 4096, length $body or die "a torn reply\n";
    }
    alarm 0;

    my ($status) = $head =~ m{^HTTP/1\.1 (\d+)} or die "no HTTP: $head\n";
    my ($challenge) = $head =~ /^WWW-Authenticate: (.*?)\r?$/mi;

    return ($status, $challenge);
}

sub wakeup {
    my ($acs, $url) = @_;
    my ($target) = $url =~ m{^http://[^/]+(/.*)} or die "no target in $url\n";

    title("$acs wakes the CPE, by the URL that was announced");

    step(1, 'CPE -> nginx', 'Inform: ' . $cpe->url);
    step(2, "nginx -> $acs", "Inform: $url");

    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1:' . port(7548))
        or die 'port ' . port(7548) . ": $!\n";
    $s->autoflush;
    $cpe->clear;

    step(3, "$acs -> nginx", "GET $target");
    my ($status, $challenge) = call($s, $target);
    step(4, "nginx -> $acs", join ', ', $status, $challenge // ());
    $status == 401 && ($challenge // '') =~ /^Basic /
        or die "the call without credentials got $status, not 401 and Basic\n";

    step(5, "$acs -> nginx", "GET the same, $basic");
    ($status) = call($s, $target, $basic);

    my @seen = @{$cpe->seen->{requests}};
    my $n = 6;
    for my $r (@seen[0, 1]) {
        die "the CPE was called " . @seen . " times\n" if !$r;
        my $auth = $r->{headers}{authorization};
        step($n++, 'nginx -> CPE', join ', ', $r->{line} =~ s/ HTTP.*//r,
             defined $auth ? substr($auth, 0, 60) . '...' : ());
        step($n++, 'CPE -> nginx', {
            challenge => '401, Digest', ok => '200',
        }->{$r->{verdict}} // $r->{verdict});
    }

    step($n, "nginx -> $acs", $status);

    my $verdicts = join ', ', map { $_->{verdict} } @seen;
    die "the CPE saw: $verdicts\n" if $verdicts ne 'challenge, ok';
    die "the wake-up got $status, not 200\n" if $status != 200;
}


# A rover, from the console's commands that let it in to the corrections

sub ntrip {
    title('A rover gets corrections from a provider, over a borrowed account');

    $provider = Fieldgate::Provider->new(port => port(12101), rate => 5);

    my $expiry = POSIX::strftime('%Y-%m-%d', localtime(time + 86400));
    my $n = 1;

    for my $command ("USER-ADD passwd rover1:secret1 $expiry",
                     "SOURCE-ADD passwd 127.0.0.1 account1:secret $expiry")
    {
        my ($verb) = $command =~ /(\S+)/;
        my $reply = console($command);
        step($n++, 'console', "$command: " . $reply =~ s/[\r\n]+/ /gr);

        # what a former run has left is good too
        $reply =~ /^(?:OK $verb|ERROR add )/
            or die "the console does not take $verb\n";
    }

    # A worker that has not made the change may learn of the account a second
    # later: the rover waits for it.

    $rovers = Fieldgate::Rovers->new(port => port(2101), rovers => [
        { user => 'rover1', password => 'secret1', mount => 'FIELD',
          lat => 48.1173, lon => 11.5167 } ]);
    step($n++, 'rover -> nginx', 'GET /FIELD, user rover1, a position (GGA)');

    until_true(sub { $rovers->seen->{rovers}{rover1}{header} },
               'the reply to the rover');
    my $reply = $rovers->seen->{rovers}{rover1}{header};
    step($n++, 'nginx -> rover', $reply =~ s/[\r\n]+/ /gr);
    $reply eq "ICY 200 OK\r\n\r\n" or die "the rover is refused\n";

    until_true(sub { @{$provider->seen->{gga}} }, 'the position at the provider');
    my $seen = $provider->seen;
    my $login = $seen->{requests}[-1];
    step($n++, 'nginx -> provider', "GET /$login->{mount},"
         . " user $login->{account}, and the rover's position");
    step($n++, 'provider -> nginx', 'ICY 200 OK, messages of RTCM 3');

    until_true(sub { $rovers->seen->{messages} >= 10 }, 'ten messages');
    $seen = $rovers->seen;
    step($n, 'nginx -> rover', "$seen->{messages} messages, each compared byte"
         . ' for byte');
    die "the rover says: $seen->{errors}[0]\n" if @{$seen->{errors}};
}

# Two base stations, and a rover that asks for the nearest one

sub station {
    title('A rover gets the nearest of two base stations');

    my $expiry = POSIX::strftime('%Y-%m-%d', localtime(time + 86400));
    my %at = (NORTH => [48.5, 11.5], SOUTH => [47.9, 11.5]);
    my $n = 1;

    for my $command ("USER-ADD passwd rover2:secret2 $expiry",
                     map { "STATION-ADD passwd $_ base:secret" } sort keys %at)
    {
        my ($verb) = $command =~ /(\S+)/;
        my $reply = console($command);
        step($n++, 'console', "$command: " . $reply =~ s/[\r\n]+/ /gr);
        $reply =~ /^(?:OK $verb|ERROR add )/
            or die "the console does not take $verb\n";
    }

    # a worker may learn of a station a second later: the base comes again

    for my $mount (sort keys %at) {
        step($n++, 'base -> nginx', "SOURCE secret /$mount, messages of RTCM 3");
        my $base = Fieldgate::Base->new(
            port => port(2101), mount => $mount, password => 'secret',
            login => @bases + 1, rate => 5, again => 0.2,
            first => Fieldgate::Base::position(@{$at{$mount}}));
        push @bases, $base;
        until_true(sub { $base->seen->{sent} }, "the upload to $mount");
        step($n++, 'nginx -> base', $base->seen->{reply} =~ s/[\r\n]+/ /gr);
    }

    my $rover = Fieldgate::Rovers->new(port => port(2101), rovers => [
        { user => 'rover2', password => 'secret2', mount => 'NEAR',
          lat => 48.1173, lon => 11.5167 } ]);
    step($n++, 'rover -> nginx', 'GET /NEAR, user rover2, a position (GGA)');
    until_true(sub { $rover->seen->{messages} >= 5 }, 'five messages');

    my $seen = $rover->seen;
    my $login = $seen->{rovers}{rover2}{login};
    my ($mount) = (sort keys %at)[$bases[1]->seen->{login} == $login];
    step($n, 'nginx -> rover', "$seen->{messages} messages of $mount, each"
         . ' compared byte for byte');
    die "the rover says: $seen->{errors}[0]\n" if @{$seen->{errors}};
    die "SOUTH is nearer\n" if $mount ne 'SOUTH';
}

# one command, as scripts give it: the reply until the connection ends

sub console {
    my ($command) = @_;

    my $s = IO::Socket::INET->new(PeerAddr => '127.0.0.1:' . port(8000))
        or die 'port ' . port(8000) . ": $!\n";
    print $s "$command\r\n";
    $s->flush;

    local $SIG{ALRM} = sub { die "the console does not answer\n" };
    alarm $patience;
    my $reply = join '', readline $s;
    alarm 0;

    return $reply;
}
