package Fieldgate::Wakeup;

# An ACS that wakes CPEs through nginx, for tests: raw HTTP on blocking sockets,
# as many at once as the test likes.
#
#   my $acs = Fieldgate::Wakeup->new($t);         # $t->port('acs'), /client
#   my $r = $acs->wake($cpe->url);                # with Basic credentials
#   is($r->{status}, 200);
#
#   my @calls = map { $acs->begin($_) } @urls;    # sent, not waited for
#   my @replies = map { $acs->end($_) } @calls;
#
# A reply: { status, headers => { name in lower case => [ values ] }, body,
# head (the text of the header), time (seconds since it was sent) }; status 0
# means that nginx closed the connection without one.

use strict;
use warnings;

use Digest::MD5 qw(md5_hex);
use Digest::SHA qw(hmac_sha256 sha256);
use IO::Select;
use IO::Socket::IP;
use MIME::Base64 qw(encode_base64);
use Time::HiRes ();

use Fieldgate::Wait ();

# port: of $t, by name; path: of the location

sub new {
    my ($class, $t, %opt) = @_;

    return bless { t => $t, port => 'acs', path => '/client', user => 'acs',
                   password => 's3c:ret', %opt }, $class;
}


# the form in which nginx announces an origin (DESIGN: controls, space,
# non-ASCII and % & + # ; " < > are encoded)

sub encode {
    my ($url) = @_;
    $url =~ s/([\x00-\x20\x7f-\xff%&+#;"<>])/sprintf '%%%02X', ord $1/ge;
    return $url;
}


# the signature of an origin in query mode ("query", host:port, path) or in path
# mode, written anew from the description in cwmp_sign.h

sub sign {
    my ($key, $mode, $hostport, $path) = @_;

    my $hash = sha256("\x01" . join '', map { pack('N', length) . $_ }
                                           $mode, $hostport, $path);

    return encode_base64url(substr hmac_sha256($hash, $key), 0, 16);
}


# a nonce of nginx's own, of that time and serial number: cwmp_nonce.h

sub nonce {
    my ($key, $time, $serial) = @_;

    my $text = sprintf '%08x%08x', $time, $serial;
    my $hash = sha256("\x02" . pack('N', length $text) . $text);

    return $text
           . encode_base64url(substr hmac_sha256($hash, $key), 0, 16);
}


# of a URL that is to be called by UDP only

sub sign_udp {
    my ($key, $hostport, $path, $udp) = @_;

    my $hash = sha256("\x01" . join '', map { pack('N', length) . $_ }
                                           'udp', $hostport, $path, $udp);

    return encode_base64url(substr hmac_sha256($hash, $key), 0, 16);
}


sub encode_base64url {
    my $text = encode_base64($_[0], '');
    $text =~ tr{+/=}{-_}d;
    return $text;
}


sub basic {
    my ($user, $password) = @_;
    return 'Basic ' . encode_base64("$user:$password", '');
}


# the ACS's answer to a CPE's challenge that path mode has passed on: MD5, with
# qop auth (RFC 7616 3.4.1)

sub digest {
    my ($challenge, $target, %opt) = @_;

    my %p = $challenge =~ /(\w+)="([^"]*)"/g;
    my $ha1 = md5_hex("acs:$p{realm}:" . ($opt{password} // 's3c:ret'));
    my $response = md5_hex("$ha1:$p{nonce}:00000001:0123456789abcdef:auth:"
                           . md5_hex("GET:$target"));

    return "Digest username=\"acs\", realm=\"$p{realm}\", "
           . "nonce=\"$p{nonce}\", uri=\"$target\", qop=auth, nc=00000001, "
           . "cnonce=\"0123456789abcdef\", response=\"$response\", "
           . "opaque=\"$p{opaque}\"";
}


# Options: socket (a connection from connect(), kept), method, args (in place
# of origin=URL), more (further arguments), auth (Authorization; undef: none),
# user, password, target (in place of everything), headers (text), version

sub begin {
    my ($self, $url, %opt) = @_;

    my $method = $opt{method} // 'GET';
    my $args = $opt{args} // 'origin=' . encode($url);
    $args .= $opt{more} if defined $opt{more};
    my $target = $opt{target} // "$self->{path}?$args";

    my $auth = exists $opt{auth} ? $opt{auth}
             : basic($opt{user} // $self->{user},
                     $opt{password} // $self->{password});

    my $call = { socket => $opt{socket}, kept => defined $opt{socket},
                 method => $method };

    $call->{socket} //= $self->connect;

    my $text = "$method $target " . ($opt{version} // 'HTTP/1.1') . "\r\n"
             . "Host: localhost\r\n"
             . ($call->{kept} ? '' : "Connection: close\r\n")
             . (defined $auth ? "Authorization: $auth\r\n" : '')
             . ($opt{headers} // '') . "\r\n";

    $call->{start} = Time::HiRes::time();
    syswrite $call->{socket}, $text;

    return $call;
}


sub end {
    my ($self, $call) = @_;

    my $reply = $self->read_reply($call->{socket}, $call->{method});
    $reply->{time} = Time::HiRes::time() - $call->{start};
    close $call->{socket} unless $call->{kept};

    return $reply;
}


sub wake {
    my ($self, $url, %opt) = @_;
    return $self->end($self->begin($url, %opt));
}


sub connect {
    my ($self) = @_;

    return IO::Socket::IP->new(
        PeerHost => '127.0.0.1', PeerPort => $self->{t}->port($self->{port}),
        Proto => 'tcp',
    ) || die "connect to nginx: $@\n";
}


sub read_reply {
    my ($self, $s, $method) = @_;

    my $select = IO::Select->new($s);
    my $end = Time::HiRes::time() + $Fieldgate::Wait::Guard;
    my $buf = '';
    my ($reply, $more);

    while (1) {
        if (!$reply && $buf =~ s/^(.*?\r\n)\r\n//s) {
            $reply = parse($1);
            my $length = $reply->{headers}{'content-length'};
            $more = $method eq 'HEAD' || $reply->{status} == 204 ? 0
                  : $length ? $length->[0] : undef;
        }

        if ($reply && defined $more && length $buf >= $more) {
            $reply->{body} = $buf;
            return $reply;
        }

        my $late = !$select->can_read($end - Time::HiRes::time());
        Fieldgate::Wait::in_vain('a reply', $buf) if $late;

        if ($late || !sysread $s, $buf, 65536, length $buf) {
            return { status => 0, headers => {}, head => '', body => $buf }
                unless $reply;
            $reply->{body} = $buf;
            return $reply;
        }
    }
}


sub parse {
    my ($head) = @_;

    my ($line, @lines) = split /\r\n/, $head;
    my ($status) = $line =~ m{^HTTP/1\.1 (\d\d\d)};
    my %h;

    for (@lines) {
        my ($name, $value) = /^([^:]+): ?(.*)$/;
        push @{ $h{ lc $name } }, $value;
    }

    return { status => $status // -1, headers => \%h, head => $head };
}


# Connections that this worker serves.  The configuration has a location /pid
# that returns $pid.

sub to_worker {
    my ($self, $pid, $n) = @_;

    my @sockets = $self->{t}->only_worker($pid, sub {
        map {
            my $s = $self->connect;
            syswrite $s, "GET /pid HTTP/1.1\r\nHost: localhost\r\n\r\n";
            my $by = $self->read_reply($s, 'GET')->{body};
            die "worker $by in place of $pid\n" if $by != $pid;
            $s;
        } 1 .. $n // 1;
    });

    return wantarray ? @sockets : $sockets[0];
}


# one to each worker, by process id: { pid => socket }

sub workers {
    my ($self) = @_;
    return { map { $_ => scalar $self->to_worker($_) } $self->{t}->pids };
}


# Returns when nginx has read what was sent on connections from to_worker(): a
# worker reads in the order in which something came.

sub settle {
    my ($self) = @_;
    $self->to_worker($_) for $self->{t}->pids;
}


1;
