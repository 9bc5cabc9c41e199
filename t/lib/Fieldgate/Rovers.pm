package Fieldgate::Rovers;

# A simulator of many rovers, in a process of its own, that verify each byte of
# what a Fieldgate::Provider has sent.
#
#   my $rovers = Fieldgate::Rovers->new(port => $port, rovers => [
#       { user => 'u1', password => 'p', mount => 'M', lat => 48.1, lon => 11 },
#   ]);
#   $rovers->wait_for(fed => 1);     # until so many have had a message
#   my $seen = $rovers->seen;
#
# Options: port; host (127.0.0.1); gga, seconds between positions (1); rovers.
# Of a rover also: quality, of its positions (4); head, more header lines;
# bytes, in place of the request; chunked, 1: it asks as BKG ntripclient does;
# quiet, no positions; port, another one than the others'; id, its name here if
# not the user's; before, bytes in front of everything, TLS included; tls,
# options of IO::Socket::SSL, { } for none.
#
# $rovers->add({...}...) lets more log in; ->move(id, lat, lon, quality);
# ->leave(id...) shuts its side down, and takes what still comes, so that no RST
# follows; ->pause(1) stops reading.
#
# What is seen: { open, fed, messages, errors => [text], rovers => { id =>
# { state, header, own (port), positions (sent), messages, switches, last
# (time), why, closed (time), login, station, last_chunk } } }.  An error is a byte
# that should not
# be there, a message lost or repeated, a chunk that is not just a message; a
# switch, the first message of another login of the provider, behind which
# nothing says what should come.

use strict;
use warnings;

use IO::Handle;
use IO::Socket::IP;
use JSON::PP ();
use MIME::Base64 qw(encode_base64);
use Socket qw(AF_UNIX SOCK_STREAM PF_UNSPEC);
use Time::HiRes qw(time);

use Fieldgate::Provider qw(frame frame_read);

my $json = JSON::PP->new->latin1->canonical;


sub new {
    my ($class, %opt) = @_;

    socketpair(my $ours, my $theirs, AF_UNIX, SOCK_STREAM, PF_UNSPEC)
        or die "socketpair: $!\n";

    my $pid = fork() // die "fork: $!\n";

    if ($pid == 0) {
        close $ours;
        $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP);
        $SIG{PIPE} = 'IGNORE';
        eval { Fieldgate::Rovers::Loop->new(\%opt, $theirs)->run };
        print STDERR "rovers: $@" if $@;
        require POSIX;
        POSIX::_exit($@ ? 1 : 0);
    }

    close $theirs;
    $ours->autoflush(1);

    return bless { pid => $pid, control => $ours, owner => $$ }, $class;
}

sub _ask {
    my ($self, @question) = @_;

    return Fieldgate::Provider::ask('rovers', $self->{control}, \@question);
}

sub seen { $_[0]->_ask('seen') }
sub add { my $self = shift; $self->_ask('add', @_); $self }
sub move { my $self = shift; $self->_ask('move', @_); $self }
sub leave { my $self = shift; $self->_ask('leave', @_); $self }
sub pause { my $self = shift; $self->_ask('pause', @_); $self }

# as of a provider

sub wait_for { Fieldgate::Provider::wait_for(@_) }
sub stop { Fieldgate::Provider::stop(@_) }
sub DESTROY { $_[0]->stop }


package Fieldgate::Rovers::Loop;

use Socket qw(IPPROTO_TCP TCP_NODELAY);
use Time::HiRes qw(time);

sub new {
    my ($class, $opt, $control) = @_;

    my $self = bless {
        host => '127.0.0.1', gga => 1, %$opt, control => $control,
        by_fd => {}, by_user => {}, leaving => {}, errors => [], messages => 0,
        fed => 0,
        frames => {}, order => [], paused => 0,
    }, $class;

    $control->autoflush(1);
    $self->begin($_) for @{$opt->{rovers} // []};

    return $self;
}

sub begin {
    my ($self, $r) = @_;

    my $fh = IO::Socket::IP->new(
        PeerHost => $self->{host}, PeerPort => $r->{port} // $self->{port},
        Proto => 'tcp');
    if (!$fh) {
        $self->wrong($r, "connect: $@");
        return;
    }

    setsockopt $fh, IPPROTO_TCP, TCP_NODELAY, 1;
    syswrite $fh, $r->{before} if defined $r->{before};

    if ($r->{tls}) {
        require IO::Socket::SSL;
        if (!IO::Socket::SSL->start_SSL($fh, SSL_verify_mode => 0,
                                        %{$r->{tls}})) {
            @{$r}{qw(state why)} = ('closed', $IO::Socket::SSL::SSL_ERROR);
            $self->{by_user}{$r->{id} // $r->{user}} = $r;
            return;
        }
    }

    $fh->blocking(0);

    @{$r}{qw(fh in state messages switches positions gga_at own)}
        = ($fh, '', 'head', 0, 0, 0, 0, $fh->sockport);
    delete @{$r}{qw(login seq last why closed wire last_chunk)};

    my $auth = MIME::Base64::encode_base64("$r->{user}:$r->{password}", '');
    my $out = $r->{bytes} // ($r->{chunked}
        ? "GET /$r->{mount} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
          . "Ntrip-Version: Ntrip/2.0\r\n"
          . "User-Agent: NTRIP NtripClientPOSIX/1.51\r\n"
        : "GET /$r->{mount} HTTP/1.0\r\n"
          . "User-Agent: NTRIP Fieldgate-test\r\n")
        . "Authorization: Basic $auth\r\n" . ($r->{head} // '') . "\r\n";

    syswrite $fh, $out;

    $self->{by_fd}{fileno $fh} = $r;
    $self->{by_user}{$r->{id} // $r->{user}} = $r;
}

sub gga {
    my ($lat, $lon, $quality) = @_;
    my ($ns, $ew) = ($lat < 0 ? 'S' : 'N', $lon < 0 ? 'W' : 'E');
    ($lat, $lon) = (abs $lat, abs $lon);

    my $s = sprintf 'GPGGA,120000.00,%02d%08.5f,%s,%03d%08.5f,%s,%d,12,0.8,'
                    . '500.0,M,47.0,M,1.0,0001',
                    int $lat, ($lat - int $lat) * 60, $ns,
                    int $lon, ($lon - int $lon) * 60, $ew, $quality // 4;
    my $sum = 0;
    $sum ^= $_ for unpack 'C*', $s;

    return sprintf "\$%s*%02X\r\n", $s, $sum;
}

sub run {
    my ($self) = @_;

    while (1) {
        my $in = '';
        vec($in, fileno $self->{control}, 1) = 1;
        if (!$self->{paused}) {
            vec($in, $_, 1) = 1 for keys %{$self->{by_fd}},
                                    keys %{$self->{leaving}};
        }

        my $n = select $in, undef, undef, 0.05;

        if ($n > 0) {
            return if vec($in, fileno $self->{control}, 1) && !$self->command;

            for my $no (keys %{$self->{by_fd}}) {
                next unless vec($in, $no, 1);

                # what TLS has decrypted select() does not see

                my $r = $self->{by_fd}{$no};
                do {
                    $self->readable($no);
                } while ($r->{tls} && $r->{fh} && $r->{fh}->pending);
            }
            for my $no (keys %{$self->{leaving}}) {
                delete $self->{leaving}{$no}
                    if vec($in, $no, 1)
                       && !sysread $self->{leaving}{$no}, my $rest, 65536;
            }
        }

        my $now = time;
        next if $now < ($self->{positions_at} // 0);
        $self->{positions_at} = $now + 0.1;

        for my $r (values %{$self->{by_fd}}) {
            next if $r->{quiet} || $r->{state} eq 'head'
                    || $r->{gga_at} + $self->{gga} > $now;
            $r->{gga_at} = $now;
            $r->{positions}++;
            syswrite $r->{fh}, gga($r->{lat}, $r->{lon}, $r->{quality});
        }
    }
}

sub command {
    my ($self) = @_;

    my $line = readline $self->{control};
    return 0 unless defined $line;

    my ($verb, @args) = @{$json->decode($line)};
    my $answer = {};

    if ($verb eq 'seen') {
        my %rovers;
        while (my ($user, $r) = each %{$self->{by_user}}) {
            $rovers{$user} = { map { $_ => $r->{$_} }
                               qw(state header messages switches positions
                                  last why closed login own station
                                  last_chunk) };
        }
        $answer = { open => scalar(keys %{$self->{by_fd}}), rovers => \%rovers,
                    messages => $self->{messages}, errors => $self->{errors},
                    fed => $self->{fed}, time => time };

    } elsif ($verb eq 'add') {
        $self->begin($_) for @args;

    } elsif ($verb eq 'move') {
        my ($user, $lat, $lon, $quality) = @args;
        my $r = $self->{by_user}{$user};
        @{$r}{qw(lat lon gga_at)} = ($lat, $lon, 0);
        $r->{quality} = $quality if defined $quality;

    } elsif ($verb eq 'leave') {
        $self->leave($self->{by_user}{$_}) for @args;

    } elsif ($verb eq 'pause') {
        $self->{paused} = $args[0];
    }

    print { $self->{control} } $json->encode($answer), "\n";
    return 1;
}

sub wrong {
    my ($self, $r, $text) = @_;
    push @{$self->{errors}}, "$r->{user}: $text" if @{$self->{errors}} < 50;
}

sub leave {
    my ($self, $r) = @_;
    my $fh = $r->{fh} or return;

    shutdown $fh, 1;
    $self->{leaving}{fileno $fh} = $fh;
    $self->close($r, 'left');
}

# the socket is closed with the last reference to it

sub close {
    my ($self, $r, $why) = @_;
    my $fh = delete $r->{fh} or return;

    delete $self->{by_fd}{fileno $fh};
    @{$r}{qw(state why closed)} = ('closed', $why, time);
}

sub readable {
    my ($self, $no) = @_;
    my $r = $self->{by_fd}{$no} or return;

    my $n = sysread $r->{fh}, $r->{in}, 65536, length $r->{in};
    return if !defined $n && ($!{EAGAIN} || $!{EINTR});

    if (!$n) {
        $self->wrong($r, 'closed within a message')
            if $r->{state} eq 'data' && length($r->{in} . ($r->{wire} // ''));
        return $self->close($r, defined $n ? 'end' : "$!");
    }

    if ($r->{state} eq 'head') {
        return unless $r->{in} =~ s/^(.*?\r\n\r\n)//s;
        $r->{header} = $1;
        $r->{state} = $r->{header} =~ /^ICY 200 OK\r\n\r\n\z/ ? 'data'
                                                              : 'other';

        if ($r->{header} =~ m{^HTTP/1\.1\ 200\ OK\r\n.*
                    ^Transfer-Encoding:\ chunked\r\n}msx)
        {
            @{$r}{qw(state wire)} = ('data', '');
        }
    }

    return $self->chunks($r) if defined $r->{wire};
    $self->messages($r) if $r->{state} eq 'data';
}

# each of them is a message, but the last one

sub chunks {
    my ($self, $r) = @_;

    if ($r->{last_chunk}) {
        $self->wrong($r, 'bytes behind the last chunk');
        return $self->close($r, 'wrong bytes');
    }

    $r->{wire} .= $r->{in};
    $r->{in} = '';

    while ($r->{wire} =~ /^([0-9a-f]+)\r\n/) {
        my ($at, $len) = ($+[0], hex $1);
        last if length $r->{wire} < $at + $len + 2;

        my $chunk = substr $r->{wire}, 0, $at + $len + 2, '';

        if (substr($chunk, -2) ne "\r\n") {
            $self->wrong($r, 'a chunk has another end');
            return $self->close($r, 'wrong bytes');
        }

        if ($len == 0) {
            $r->{last_chunk} = 1;
            $self->wrong($r, 'bytes behind the last chunk')
                if length $r->{wire};
            return;
        }

        $r->{in} = substr $chunk, $at, $len;
        $self->messages($r);

        if (length $r->{in}) {
            $self->wrong($r, 'a chunk is no message');
            return $self->close($r, 'wrong bytes');
        }
    }

    if ($r->{wire} !~ /^(?:[0-9a-f]{1,3}(?:\r(?:\n.*)?)?)?\z/s) {
        $self->wrong($r, 'no chunk: ' . unpack 'H*', substr $r->{wire}, 0, 16);
        $self->close($r, 'wrong bytes');
    }
}

# Each frame is compared with what the provider has sent, which is made once for
# all rovers.

sub messages {
    my ($self, $r) = @_;
    my $at = 0;

    while (length($r->{in}) - $at >= 3) {
        my ($mark, $len) = unpack 'Cn', substr $r->{in}, $at, 3;

        if ($mark != 0xd3 || $len > 1023) {
            $self->wrong($r, 'no message: ' . unpack 'H*',
                             substr $r->{in}, $at, 16);
            return $self->close($r, 'wrong bytes');
        }

        last if length($r->{in}) - $at < $len + 6;

        my $got = substr $r->{in}, $at, $len + 6;
        my ($login, $seq) = Fieldgate::Provider::frame_read($got);
        $at += $len + 6;

        # where a base station is, 1005: it has no number; "station" is how
        # many messages had come before

        my $crc = Fieldgate::Provider::crc24q(substr $got, 0, -3);

        if ($len == 19 && unpack('x3 n', $got) >> 4 == 1005
            && substr(pack('N', $crc), 1) eq substr $got, -3)
        {
            $r->{station} = $r->{messages};
            next;
        }

        if ($got ne $self->expected($login, $seq, length $got)) {
            $self->wrong($r, "message $login:$seq is damaged");
            return $self->close($r, 'wrong bytes');
        }

        if (!defined $r->{login}) {
            $self->{fed}++;

        } elsif ($r->{login} != $login) {
            $r->{switches}++;

        } elsif ($seq != $r->{seq} + 1) {
            $self->wrong($r, "message $login:$seq after $r->{seq}");
        }

        @{$r}{qw(login seq last)} = ($login, $seq, time);
        $r->{messages}++;
        $self->{messages}++;
    }

    substr($r->{in}, 0, $at) = '';
}

sub expected {
    my ($self, $login, $seq, $size) = @_;
    my $key = "$login:$seq:$size";

    return $self->{frames}{$key} //= do {
        push @{$self->{order}}, $key;
        delete $self->{frames}{shift @{$self->{order}}}
            if @{$self->{order}} > 20000;
        Fieldgate::Provider::frame($login, $seq, $size);
    };
}

1;
