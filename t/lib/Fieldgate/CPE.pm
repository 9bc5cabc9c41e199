package Fieldgate::CPE;

# A simulator of CPEs: whole sessions, many at once, in one process, without
# blocking.  Each CPE keeps its connection for the session (TR-069 3.4.2), and
# goes on with it on a new one when the other side closed it between messages.
#
#   my @results = Fieldgate::CPE->run(port => $port, sessions => 500,
#                                     at_once => 20);
#   # { device, ok, error, errors => [{ error, servers }], requests, conns,
#   #   servers => [of the last attempt], status, attempts }
#
# Options:
#
#   sessions, at_once    how many, and how many at the same time
#   devices => N         numbers them round: session i is of device i % N; as
#                        many as there are sessions by default
#   think => S           between an answer and the next message (0)
#   reconnect            a new connection for each message
#   reconnect_at => N    one before the Nth message
#   drop_at => N         resets the connection in the middle of the Nth
#                        message, and gives the session up
#   abandon_at => N      sends the Nth message, and goes without the answer
#   no_cookies           does not return cookies
#   auth => [user, password]    answers Digest challenges on each 401
#   qop => 'auth-int'    which of the challenge's it would take first
#   retries => N         begins anew so often after a failure
#   uri, host, prefix    of the request; "prefix" of the serial numbers
#   again                a second session on the same connection
#   stop => sub          asked before each session: no more of them
#   size => N            bytes to pad the Inform with
#   address => IP        to connect from
#   url => URL           of its own, for connection requests
#   on_message => sub    gets (cpe, head, body) of each request that has a body
#   on_answer => sub     gets (cpe, status, head, body)

use strict;
use warnings;

use Digest::MD5 qw(md5_hex);
use IO::Socket::INET;
use Socket qw(SOL_SOCKET SO_LINGER);
use Time::HiRes qw(time);

our $Guard = 600;


sub run {
    my ($class, %opt) = @_;

    my %o = (sessions => 1, at_once => 1, think => 0, retries => 0,
             uri => '/', host => 'acs.example', prefix => 'S', size => 0,
             %opt);
    my ($begun, @running, @results) = (0);
    my $deadline = time + $Guard;

    local $SIG{PIPE} = 'IGNORE';

    while (1) {
        while (@running < $o{at_once} && $begun < $o{sessions}
               && !($o{stop} && $o{stop}->()))
        {
            my $device = $o{prefix} . ($begun % ($o{devices} // $o{sessions}));
            my $c = bless { o => \%o, device => $device, in => '', out => '',
                            conns => 0, attempts => 0, servers => [],
                            addresses => [] }, $class;
            $begun++;
            $c->begin;
            push @running, $c;
        }
        last if !@running;
        die "CPEs still running after $Guard s\n" if time > $deadline;

        my ($r, $w, $wait, $now) = ('', '', 0.5, time);
        for my $c (@running) {
            if ($c->{wake}) {
                my $left = $c->{wake} - $now;
                $wait = $left if $left < $wait;
            }
            next if !$c->{fh};
            vec($r, fileno $c->{fh}, 1) = 1;
            vec($w, fileno $c->{fh}, 1) = 1 if length $c->{out};
        }
        my $n = select my $rr = $r, my $ww = $w, undef, $wait > 0 ? $wait : 0;

        for my $c (@running) {
            my $fh = $c->{fh};
            my $no = $fh && fileno $fh;
            $c->writable if $n > 0 && defined $no && vec($ww, $no, 1);
            $c->readable if $n > 0 && defined $no && vec($rr, $no, 1)
                            && $c->{fh} && $c->{fh} == $fh;
            if ($c->{wake} && $c->{wake} <= time) {
                delete $c->{wake};
                $c->send;
            }
        }

        push @results, map { $_->{result} } grep { $_->{result} } @running;
        @running = grep { !$_->{result} } @running;
    }

    return @results;
}


# one attempt at a session

sub begin {
    my ($c) = @_;

    @{$c}{qw(messages requests)} = (['inform'], 0);
    $c->{cookies} = {};
    $c->{servers} = [];
    delete $c->{challenge};
    $c->{attempts}++;
    $c->send;
}

sub finish {
    my ($c, $error, $status) = @_;

    if (defined $error) {
        push @{$c->{errors}},
             { error => $error, servers => [@{$c->{servers}}] };
        $c->disconnect;
        return $c->begin if $c->{attempts} <= $c->{o}{retries};
    } elsif ($c->{o}{again} && !$c->{done}++) {
        return $c->begin;
    }

    $c->disconnect;
    $c->{result} = { device => $c->{device}, ok => !defined $error,
                     error => $error, errors => $c->{errors} // [],
                     status => $status, requests => $c->{requests},
                     conns => $c->{conns}, servers => $c->{servers},
                     addresses => $c->{addresses},
                     attempts => $c->{attempts} };
}

sub disconnect {
    my ($c, $reset) = @_;
    my $fh = delete $c->{fh} or return;
    setsockopt $fh, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0) if $reset;
    close $fh;
    @{$c}{qw(in out)} = ('', '');
    $c->{sent} = 0;
}

sub send {
    my ($c) = @_;
    my $o = $c->{o};
    my $n = $c->{requests} + 1;

    if ($o->{reconnect} || ($o->{reconnect_at} && $o->{reconnect_at} == $n)) {
        $c->disconnect if $c->{requests};
    }

    # closed in the meantime, and nothing asked yet: go on with a new one

    if ($c->{fh} && !$c->{sent}) {
        my $bit = '';
        vec($bit, fileno $c->{fh}, 1) = 1;
        $c->disconnect if select $bit, undef, undef, 0;
    }

    if (!$c->{fh}) {
        $c->{fh} = IO::Socket::INET->new(
            PeerAddr => '127.0.0.1', PeerPort => $o->{port}, Proto => 'tcp',
            $o->{address} ? (LocalAddr => $o->{address}) : ())
            or return $c->finish("connect: $!");
        $c->{fh}->blocking(0);
        $c->{conns}++;
        push @{$c->{addresses}}, $c->{fh}->sockport;
    }

    my $body = $c->message($c->{messages}[0]);
    my @head = ("POST $o->{uri} HTTP/1.1", "Host: $o->{host}",
                'Content-Length: ' . length $body);
    push @head, 'Content-Type: text/xml; charset=utf-8', 'SOAPAction: ""'
        if length $body;
    push @head, "Cookie: " . join '; ', map { "$_=$c->{cookies}{$_}" }
                                        sort keys %{$c->{cookies}}
        if %{$c->{cookies}} && !$o->{no_cookies};
    push @head, 'Authorization: ' . $c->digest($body) if $c->{challenge};

    $o->{on_message}->($c, join("\r\n", @head), $body)
        if $o->{on_message} && length $body;

    $c->{out} = join("\r\n", @head) . "\r\n\r\n$body";
    $c->{requests} = $n;
    $c->{sent} = 1;
    $c->{body} = $body;

    if ($o->{drop_at} && $o->{drop_at} == $n) {
        substr($c->{out}, -int(length($body) / 2 + 1)) = '';
        $c->{dropping} = 1;
    }

    $c->writable;
}

sub message {
    my ($c, $kind) = @_;

    return '' if $kind eq 'empty';

    my $url = '<ParameterValueStruct><Name>InternetGatewayDevice.'
        . 'ManagementServer.ConnectionRequestURL</Name>'
        . '<Value xsi:type="xsd:string">'
        . ($c->{o}{url} // "http://127.0.0.1:7547/$c->{device}")
        . '</Value></ParameterValueStruct>';
    my $pad = '<ParameterValueStruct><Name>InternetGatewayDevice.X</Name>'
        . '<Value xsi:type="xsd:string">' . 'x' x $c->{o}{size}
        . '</Value></ParameterValueStruct>';
    my $list = '<ParameterList soap-enc:arrayType='
        . "\"cwmp:ParameterValueStruct[2]\">$url$pad</ParameterList>";

    my $body = $kind eq 'inform'
        ? '<cwmp:Inform><DeviceId><Manufacturer>Example</Manufacturer>'
          . '<OUI>00D09E</OUI><ProductClass>Box</ProductClass>'
          . "<SerialNumber>$c->{device}</SerialNumber></DeviceId>"
          . '<Event soap-enc:arrayType="cwmp:EventStruct[1]"><EventStruct>'
          . '<EventCode>2 PERIODIC</EventCode><CommandKey></CommandKey>'
          . '</EventStruct></Event><MaxEnvelopes>1</MaxEnvelopes>'
          . '<CurrentTime>2024-01-01T00:00:00Z</CurrentTime>'
          . "<RetryCount>0</RetryCount>$list</cwmp:Inform>"
        : "<cwmp:GetParameterValuesResponse>$list"
          . '</cwmp:GetParameterValuesResponse>';

    return '<?xml version="1.0" encoding="UTF-8"?><soap:Envelope '
        . 'xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/" '
        . 'xmlns:soap-enc="http://schemas.xmlsoap.org/soap/encoding/" '
        . 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
        . 'xmlns:xsd="http://www.w3.org/2001/XMLSchema" '
        . 'xmlns:cwmp="urn:dslforum-org:cwmp-1-0"><soap:Header>'
        . '<cwmp:ID soap:mustUnderstand="1">1</cwmp:ID></soap:Header>'
        . "<soap:Body>$body</soap:Body></soap:Envelope>";
}

sub digest {
    my ($c, $body) = @_;
    my ($user, $password) = @{$c->{o}{auth}};
    my $v = $c->{challenge};

    my @offered = split /\s*,\s*/, $v->{qop} // '';
    my ($qop) = grep { $_ eq ($c->{o}{qop} // 'auth') } @offered;
    $qop //= $offered[0];
    my $nc = sprintf '%08x', ++$v->{nc};
    my $cnonce = md5_hex(rand);
    my $ha1 = md5_hex("$user:$v->{realm}:$password");
    my $ha2 = "POST:$c->{o}{uri}";
    $ha2 .= ':' . md5_hex($body) if $qop eq 'auth-int';
    $ha2 = md5_hex($ha2);
    my $response = md5_hex("$ha1:$v->{nonce}:$nc:$cnonce:$qop:$ha2");

    return "Digest username=\"$user\", realm=\"$v->{realm}\", "
        . "nonce=\"$v->{nonce}\", uri=\"$c->{o}{uri}\", cnonce=\"$cnonce\", "
        . "nc=$nc, qop=$qop, response=\"$response\"";
}

sub writable {
    my ($c) = @_;
    return if !length $c->{out};

    my $n = syswrite $c->{fh}, $c->{out};
    if (!defined $n) {
        return if $!{EAGAIN} || $!{EINTR};
        return $c->finish("send: $!");
    }
    substr($c->{out}, 0, $n) = '';
    return if length $c->{out};

    if ($c->{dropping}
        || ($c->{o}{abandon_at} && $c->{o}{abandon_at} == $c->{requests}))
    {
        $c->disconnect($c->{dropping});
        $c->finish('dropped');
    }
}

sub readable {
    my ($c) = @_;

    my $n = sysread $c->{fh}, $c->{in}, 65536, length $c->{in};
    return if !defined $n && ($!{EAGAIN} || $!{EINTR});

    if (!$n) {
        return $c->disconnect if !$c->{sent};        # between two messages
        return $c->finish('closed without an answer after '
                          . ($n // "error $!"));
    }

    return unless $c->{in} =~ /^(HTTP.*?\r\n)\r\n/s;
    my ($head, $start) = ($1, $+[0]);
    my ($status) = $head =~ /^\S+ (\d+)/;
    my ($length) = $head =~ /^Content-Length: (\d+)/mi;
    my $body;

    if ($status == 204) {
        $body = '';
        substr($c->{in}, 0, $start) = '';
    } elsif ($head =~ /^Transfer-Encoding: chunked/mi) {
        return unless substr($c->{in}, $start) =~ /^(.*?)0\r\n\r\n/s;
        $body = $1;
        $c->{in} = '';
    } else {
        return $c->finish('an answer without a length') if !defined $length;
        return if length $c->{in} < $start + $length;
        $body = substr $c->{in}, $start, $length;
        substr($c->{in}, 0, $start + $length) = '';
    }

    $c->{sent} = 0;
    push @{$c->{servers}}, $1 if $head =~ /^X-ACS: (\S+)/m;
    $c->{cookies}{$1} = $2 while $head =~ /^Set-Cookie: (\w+)=([^;\r]*)/mg;
    $c->{o}{on_answer}->($c, $status, $head, $body) if $c->{o}{on_answer};
    $c->disconnect if $head =~ /^Connection: close/mi;

    $c->answered($status, $head, $body);
}

sub answered {
    my ($c, $status, $head, $body) = @_;

    if ($status == 401 && $c->{o}{auth} && $c->{unauthorized}++ < 3) {
        my ($value) = $head =~ /^WWW-Authenticate: Digest (.*?)\r$/mi
            or return $c->finish('no Digest challenge', $status);
        my %v = map { /(\w+)="(.*)"/ ? ($1 => $2) : () }
                $value =~ /(\w+="[^"]*")/g;
        $c->{challenge} = \%v;

    } elsif ($status == 200 && $body =~ /InformResponse/) {
        $c->{unauthorized} = 0;
        $c->{messages} = ['empty'];

    } elsif ($status == 200 && $body =~ /GetParameterValues>/) {
        $c->{unauthorized} = 0;
        $c->{messages} = ['response'];

    } elsif ($status == 204 && $c->{messages}[0] ne 'inform') {
        return $c->finish;

    } else {
        return $c->finish("status $status: " . substr($body, 0, 60), $status);
    }

    $c->{wake} = time + $c->{o}{think};
}

1;
