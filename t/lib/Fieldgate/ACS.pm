package Fieldgate::ACS;

# A simulator of an ACS that, like GenieACS, binds a session, its Digest nonce
# and its authentication to the TCP connection.  A session whose connection was
# closed is put aside, and goes on where its cookie turns up, on this ACS only;
# anything else that is not an Inform is answered with 400 "Invalid session".
# A CPE that comes back before its old connection is closed is early: it waits
# until that is.
#
#   my $pid = Fieldgate::ACS->start($t, 'acs1', rpcs => 2);
#   ...
#   my $seen = Fieldgate::ACS->report($t, 'acs1');
#
# Options:
#
#   address => IP       to listen at (127.0.0.1)
#   port => PORT        in place of the one of that name
#   rpcs => N           requests of the ACS in each session (1)
#   delay => S          before each answer (0)
#   strict              answers 400 to what is early, as GenieACS does
#   anew                an early Inform begins a session of its own
#   hold => FILE        answers nothing while there is such a file
#   auth => [user, password]     Digest, a nonce for each connection
#   qop => LIST         what its challenges offer ('auth,auth-int')
#   close_after_204     closes the connection after the last answer
#   close_in_middle     closes it, unannounced, after the answer to an Inform
#   close_after_401     announces it, and closes
#   keepalive => N      announces the end with the Nth answer of a connection
#   no_cookie           sets none: sessions live and die with the connection
#   cookies => N        N-1 further cookies, with attributes
#   on_message => sub   gets (acs, head, body) of each request that has a body
#   status => CODE      the answer to everything

use strict;
use warnings;

use Digest::MD5 qw(md5_hex);
use Errno qw(EAGAIN EINTR EWOULDBLOCK);
use IO::Select;
use IO::Socket::INET;
use Time::HiRes qw(time);

my $xml_head = '<?xml version="1.0"?><soap:Envelope xmlns:soap='
    . '"http://schemas.xmlsoap.org/soap/envelope/" xmlns:cwmp='
    . '"urn:dslforum-org:cwmp-1-0"><soap:Header><cwmp:ID '
    . 'soap:mustUnderstand="1">1</cwmp:ID></soap:Header><soap:Body>';
my $xml_tail = '</soap:Body></soap:Envelope>';


sub new {
    my ($class, %opt) = @_;

    return bless {
        name => 'acs', address => '127.0.0.1', rpcs => 1, delay => 0,
        cookies => 1, qop => 'auth,auth-int', %opt,
        conns => {}, serial => 0, aside => {}, active => {}, later => [],
        held => [],
    }, $class;
}

# in a process of its own, on the port of that name; returns its pid when it
# listens

sub start {
    my ($class, $t, $name, %opt) = @_;
    my $port = $t->port($name);
    my $out = $t->path("$name.out");

    unlink $out;
    my $pid = $t->spawn($name => sub {
        $class->new(name => $name, port => $port, %opt)->run;
    });
    Fieldgate::wait_for(sub { -s $out }, "$name to listen");

    return $pid;
}

sub run {
    my ($s) = @_;

    local $SIG{PIPE} = 'IGNORE';
    $s->{listen} = IO::Socket::INET->new(
        LocalAddr => $s->{address}, LocalPort => $s->{port}, Listen => 511,
        ReuseAddr => 1, Blocking => 0) or die "port $s->{port}: $!";
    $s->{select} = IO::Select->new($s->{listen});
    $s->say('ready');

    while (1) {
        $s->{later} = [sort { $a->[0] <=> $b->[0] } @{$s->{later}}];
        my $next = $s->{later}[0];
        my $pause = $next ? $next->[0] - time : 1;
        my @ready = $s->{select}->can_read($pause > 0 ? $pause : 0);

        # what was closed comes before what was asked

        my @asked;
        for my $fh (grep { $_ != $s->{listen} } @ready) {
            my $c = $s->{conns}{$fh} or next;
            my $n = sysread $fh, $c->{in}, 65536, length $c->{in};
            next if !defined $n && ($!{EAGAIN} || $!{EINTR});
            if (!$n) {
                $s->close($c);
            } else {
                push @asked, $c;
            }
        }
        $s->accept if grep { $_ == $s->{listen} } @ready;
        $s->parse($_) for @asked;

        while (@{$s->{later}} && $s->{later}[0][0] <= time) {
            my (undef, $code) = @{shift @{$s->{later}}};
            $code->();
        }
    }
}

# what a run has seen, from its output

sub report {
    my ($class, $t, $name) = @_;
    my $file = $t->path("$name.out");
    my %r = (sessions => 0, ended => 0, invalid => 0, mixed => 0, early => 0,
             resumed => 0, conns => 0, open => 0, requests => 0, unauthorized => 0,
             devices => {}, max_devices => 0);

    open my $fh, '<', $file or die "$file: $!";
    while (defined(my $line = <$fh>)) {
        my ($what, $arg) = split " ", $line;
        next if !defined $what || $what eq 'ready';
        if ($what eq 'device') {
            my ($conn, $device) = split /:/, $arg;
            $r{devices}{$conn}{$device}++;
            my $n = keys %{$r{devices}{$conn}};
            $r{max_devices} = $n if $n > $r{max_devices};
        } elsif ($what eq 'close') {
            $r{open}--;
        } elsif ($what eq 'conn') {
            $r{conns}++;
            $r{open}++;
        } elsif (exists $r{$what}) {
            $r{$what}++;
        } else {
            die "$file: $line";
        }
    }

    return \%r;
}


sub say { my $s = shift; print "@_\n" }

sub accept {
    my ($s) = @_;
    while (my $fh = $s->{listen}->accept) {
        $fh->blocking(0);
        $s->{conns}{$fh} = { fh => $fh, id => ++$s->{serial}, in => '',
                             answers => 0 };
        $s->{select}->add($fh);
        $s->say("conn $s->{serial}");
    }
}

sub close {
    my ($s, $c) = @_;
    return unless delete $s->{conns}{$c->{fh}};

    $s->{select}->remove($c->{fh});
    CORE::close $c->{fh};
    $c->{closed} = 1;
    $s->say("close $c->{id}");

    my $session = delete $c->{session} or return;
    $s->{aside}{$session->{cookie}} = $session if $session->{cookie};
    $s->leave($session);
}

# the session has no connection any more: whoever was early goes on

sub leave {
    my ($s, $session) = @_;
    delete $s->{active}{$session->{device}};
    $_->() for splice @{$session->{waiting}};
}

sub parse {
    my ($s, $c) = @_;

    return if $c->{busy} || $c->{closed};
    return unless $c->{in} =~ /^(.*?\r\n)\r\n/s;
    my ($head, $start) = ($1, $+[0]);

    my ($length) = $head =~ /^Content-Length:\s*(\d+)/mi;
    my $body;
    if ($head =~ /^Transfer-Encoding:\s*chunked/mi) {
        return unless substr($c->{in}, $start) =~ /^(.*?)0\r\n\r\n/s;
        my $chunks = $1;
        substr($c->{in}, 0, $start + $+[0]) = '';
        $body = '';
        $body .= substr $chunks, 0, hex($1), ''
            while $chunks =~ s/^(?:\r\n)?([0-9a-f]+)\r\n//i;
    } else {
        $length //= 0;
        return if length $c->{in} < $start + $length;
        $body = substr $c->{in}, $start, $length;
        substr($c->{in}, 0, $start + $length) = '';
    }

    $c->{busy} = 1;
    $s->say("requests");
    $s->after($s->{delay}, sub { $s->request($c, $head, $body, 0) });
}

sub after {
    my ($s, $delay, $code) = @_;
    return $code->() if !$delay;
    push @{$s->{later}}, [time + $delay, $code];
}

# what was held goes on, in its order, once the file is gone

sub release {
    my ($s) = @_;
    $s->after(0.01, sub {
        return $s->release if -e $s->{hold};
        $_->() for splice @{$s->{held}};
    });
}

sub request {
    my ($s, $c, $head, $body, $waited) = @_;

    return if $c->{closed};
    if (@{$s->{held}} || (defined $s->{hold} && -e $s->{hold})) {
        $s->release if !@{$s->{held}};
        push @{$s->{held}}, sub { $s->request($c, $head, $body, $waited) };
        return;
    }
    $s->{on_message}->($s, $head, $body)
        if $s->{on_message} && length $body && !$waited;
    $c->{close} = $head =~ m{^\S+ \S+ HTTP/1\.0}
                  || $head =~ /^Connection:\s*close/mi;
    return $s->answer($c, $s->{status}, '') if $s->{status};

    my ($cookie) = $head =~ /^Cookie:.*?\bsession=([0-9a-f]+)/mi;
    my ($device) = $body =~ m{<SerialNumber>(.*?)</SerialNumber>};
    my $inform = $body =~ /:Inform>/;
    my $session = $c->{session};

    # mixed: another device's message on the connection of a session

    if ($session && (($device && $device ne $session->{device})
                     || ($cookie && $cookie ne $session->{cookie})))
    {
        $s->say("mixed $session->{device}");
        return $s->invalid($c);
    }

    my $old = $session ? undef : $s->elsewhere($inform && $device, $cookie);
    if ($old && $inform && $s->{anew}) {
        delete $s->{active}{$device}{session};
        $s->leave($old);
        undef $old;
    }
    if ($old) {
        $s->say("early $old->{device}") if !$waited;
        return $s->invalid($c) if $s->{strict};
        push @{$old->{waiting}}, sub { $s->request($c, $head, $body, 1) };
        return;
    }

    if (!$session) {
        my $aside = $cookie && $s->{aside}{$cookie};
        if ($aside && (!$inform || $aside->{device} eq $device)) {
            $session = delete $s->{aside}{$cookie};
            $s->say("resumed $session->{device}") if !$inform;

        } elsif ($inform) {
            $session = { device => $device, rpcs => $s->{rpcs},
                         waiting => [] };
            $s->say("sessions $device") if !$s->{auth};

        } else {
            return $s->invalid($c);
        }

        $c->{session} = $session;
        $s->{active}{$session->{device}} = $c;
        $s->say("device $c->{id}:$session->{device}");
    }

    if ($s->{auth} && !$c->{authorized}) {
        if (!$s->authorize($c, $head, $body)) {
            $s->say('unauthorized');
            $c->{nonce} = md5_hex("$s->{name} $c->{id} " . rand);
            $c->{close} ||= $s->{close_after_401};
            return $s->answer($c, 401, 'who are you?',
                'WWW-Authenticate: Digest realm="acs", nonce="' . $c->{nonce}
                . "\", qop=\"$s->{qop}\"");
        }
        $c->{authorized} = 1;
        $s->say("sessions $device") if $inform;
    }

    if ($inform) {
        my @set;
        if (!$s->{no_cookie}) {
            $session->{cookie} //= md5_hex("$session->{device} " . rand);
            push @set, "Set-Cookie: session=$session->{cookie}";
            push @set, "Set-Cookie: c$_=$session->{device}; Path=/; HttpOnly"
                for 2 .. $s->{cookies};
        }
        return $s->answer($c, 200, "$xml_head<cwmp:InformResponse>"
            . "<MaxEnvelopes>1</MaxEnvelopes></cwmp:InformResponse>$xml_tail",
            @set);
    }

    if ($session->{rpcs}-- > 0) {
        return $s->answer($c, 200, "$xml_head<cwmp:GetParameterValues>"
            . '<ParameterNames><string>InternetGatewayDevice.ManagementServer.'
            . "</string></ParameterNames></cwmp:GetParameterValues>$xml_tail");
    }

    $s->say("ended $session->{device}");
    delete $c->{session};
    delete $c->{authorized};
    $s->leave($session);
    $c->{close} = 1 if $s->{close_after_204};
    $s->answer($c, 204, '');
}

# the device's session that goes on on another connection, else the cookie's

sub elsewhere {
    my ($s, $device, $cookie) = @_;
    return $s->{active}{$device} && $s->{active}{$device}{session} if $device;
    my ($session) = grep { defined $cookie && ($_->{cookie} // '') eq $cookie }
                    map { $_->{session} } values %{$s->{active}};
    return $session;
}

sub invalid {
    my ($s, $c) = @_;
    $s->say('invalid');
    $s->answer($c, 400, 'Invalid session');
}

# RFC 7616, MD5; the nonce is that of this connection

sub authorize {
    my ($s, $c, $head, $body) = @_;

    my ($value) = $head =~ /^Authorization: Digest (.*?)\r$/mi or return 0;
    my %v = map { $_->[0] => $_->[1] // $_->[2] }
            map { [/^\s*(\w+)\s*=\s*(?:"(.*?)"|(.*?))\s*$/] }
            $value =~ /(\s*\w+\s*=\s*(?:"[^"]*"|[^,]*))/g;

    return 0 if !$c->{nonce} || ($v{nonce} // '') ne $c->{nonce};
    return 0 if $v{username} ne $s->{auth}[0];

    my $ha1 = md5_hex("$s->{auth}[0]:acs:$s->{auth}[1]");
    my $ha2 = "POST:$v{uri}";
    $ha2 .= ':' . md5_hex($body) if $v{qop} eq 'auth-int';
    $ha2 = md5_hex($ha2);

    return $v{response}
           eq md5_hex("$ha1:$v{nonce}:$v{nc}:$v{cnonce}:$v{qop}:$ha2");
}

my %reason = (200 => 'OK', 204 => 'No Content', 400 => 'Bad Request',
              401 => 'Unauthorized', 503 => 'Service Unavailable');

sub answer {
    my ($s, $c, $status, $body, @headers) = @_;

    $c->{answers}++;
    $c->{close} ||= $s->{keepalive} && $c->{answers} >= $s->{keepalive};
    push @headers, "Content-Length: " . length $body if $status != 204;
    push @headers, 'Content-Type: text/xml' if length $body;
    push @headers, 'Connection: close' if $c->{close};
    push @headers, "X-ACS: $s->{name}", "X-Conn: $c->{id}";

    my $out = "HTTP/1.1 $status " . ($reason{$status} // 'Whatever') . "\r\n"
              . join('', map { "$_\r\n" } @headers) . "\r\n$body";
    $c->{busy} = 0;

    # loopback and small: a short write is a broken connection
    my $n = syswrite $c->{fh}, $out;

    if (!defined $n || $n < length $out || $c->{close}) {
        return $s->close($c);
    }

    if ($s->{close_in_middle} && $body =~ /InformResponse/
        && !$c->{session}{broken}++)
    {
        return $s->close($c);
    }

    $s->parse($c);
}

1;
