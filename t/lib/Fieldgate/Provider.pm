package Fieldgate::Provider;

# A simulator of a CORS provider, in a process of its own: NTRIP 1.0, one login
# per account, RTCM 3 messages that a rover can verify to the last byte.
#
#   my $provider = Fieldgate::Provider->new(rate => 10);
#   ... $provider->port ...
#   $provider->set(reply => "HTTP/1.1 401 Unauthorized\r\n\r\n");
#   $provider->wait_for(logins => 2);
#   my $seen = $provider->seen;
#
# Switches:
#
#   host         address to listen at; 127.0.0.1
#   rate         messages a second on each connection; 10; 0: none
#   size         bytes of each message; 120
#   epoch        messages that are sent at once; 1
#   pieces       segments of each epoch, cut wherever; 1
#   chunk        bytes of each chunk of the chunked transfer coding; 0: none
#   reply        bytes in place of "ICY 200 OK\r\n\r\n"; with "%M" the message
#                that follows in the same segment
#   refuse       { account => reply bytes }
#   refuse_v1    reply bytes to requests of NTRIP 1.0, and of 2.0; none: the
#   refuse_v2    connection is closed
#   dribble      1: each byte of a reply in a segment of its own
#   refuse_next  reply bytes to the next login, whatever the account
#   delay        seconds before the reply
#   fin          1: keeps its side open when the other one is shut down
#   silent       1: no data from now on
#   hangup       seconds from the reply to the end of the connection
#   hangup_at    text of a position: which ends the connection instead
#   noise        bytes in place of messages
#   base         added to the numbers of its logins, to tell providers apart; 0
#   drop         account: its connection is closed now
#
# What is seen: { logins, open (now), twice (logins of an account that had one
# open), twice_log, requests => [ { account, mount, head, time } ], gga => [ {
# account, line, time } ], sent => { account => messages }, closed }.
#
# A message is frame(LOGIN, SEQ, SIZE): number 1077, the last of its epoch, with
# the number of the login, and how many were sent on it before.

use strict;
use warnings;

use Exporter 'import';
use IO::Handle;
use IO::Select;
use IO::Socket::IP;
use JSON::PP ();
use MIME::Base64 qw(decode_base64);
use Socket qw(AF_UNIX SOCK_STREAM PF_UNSPEC IPPROTO_TCP TCP_NODELAY);
use Time::HiRes qw(time);

use Fieldgate::Wait ();

our @EXPORT_OK = qw(frame frame_read);

my $json = JSON::PP->new->latin1->canonical;

my @crc;
for my $i (0 .. 255) {
    my $c = $i << 16;
    $c = ($c << 1) ^ ($c & 0x800000 ? 0x1864cfb : 0) for 1 .. 8;
    push @crc, $c & 0xffffff;
}

sub crc24q {
    my $crc = 0;
    $crc = (($crc << 8) & 0xffffff) ^ $crc[(($crc >> 16) ^ $_) & 255]
        for unpack 'C*', $_[0];
    return $crc;
}

sub frame {
    my ($login, $seq, $size) = @_;

    # 12 bits of number, 12 of station; time, and "no more of this epoch"
    my $payload = pack 'CCC N NQ>', 0x43, 0x50, 0x01, 0, $login, $seq;
    my $pattern = pack 'NN', $seq & 0xffffffff, $login ^ 0x5ad3d3a5;
    my $left = $size - 6 - length $payload;

    $payload .= substr $pattern x ($left / 8 + 1), 0, $left if $left > 0;

    my $frame = pack('Cn', 0xd3, length $payload) . $payload;
    return $frame . substr pack('N', crc24q($frame)), 1;
}

# (login, seq) of a whole frame, without a check of the rest

sub frame_read { unpack 'x10 NQ>', $_[0] }


sub new {
    my ($class, %switch) = @_;

    my $s = { host => '127.0.0.1', rate => 10, size => 120, epoch => 1,
              pieces => 1, %switch };

    my $listen = IO::Socket::IP->new(
        LocalHost => $s->{host}, LocalPort => $s->{port} || 0, Listen => 4096,
        Proto => 'tcp', ReuseAddr => 1, Blocking => 0,
    ) or die "cannot listen at $s->{host}: $@\n";

    socketpair(my $ours, my $theirs, AF_UNIX, SOCK_STREAM, PF_UNSPEC)
        or die "socketpair: $!\n";

    my $pid = fork() // die "fork: $!\n";

    if ($pid == 0) {
        close $ours;
        $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP);
        $SIG{PIPE} = 'IGNORE';
        eval {
            Fieldgate::Provider::Server->new($s, $listen, $theirs)->run;
        };
        print STDERR "provider: $@" if $@;
        require POSIX;
        POSIX::_exit($@ ? 1 : 0);
    }

    close $theirs;
    $ours->autoflush(1);

    my $self = bless { pid => $pid, control => $ours,
                       port => $listen->sockport, owner => $$ }, $class;
    close $listen;

    return $self;
}

sub port { $_[0]{port} }

sub _ask {
    my ($self, $question) = @_;

    return ask('provider', $self->{control}, $question);
}

# asks a simulator through its socket, which takes and says one line at a time

sub ask {
    my ($name, $control, $question) = @_;

    print $control $json->encode($question), "\n" or die "$name: $!\n";

    die "no answer from $name\n"
        unless IO::Select->new($control)->can_read($Fieldgate::Wait::Guard);
    my $line = readline $control;
    die "$name is gone\n" unless defined $line;

    return $json->decode($line);
}

sub set { my ($self, %switch) = @_; $self->_ask({ set => \%switch }); $self }
sub seen { $_[0]->_ask({ seen => 1 }) }

# waits until a number that is seen is at least n, or what code says of it;
# returns what was seen last

sub wait_for {
    my ($self, $what, $n) = @_;
    my ($seen, $have);

    return Fieldgate::Wait::await(sub {
        $seen = $self->seen;
        $have = ref $what ? $what->($seen) : $seen->{$what};
        $have = @$have if ref $have eq 'ARRAY' && !ref $what;
        return (ref $what ? $have : $have >= $n) && $seen;
    }) || (Fieldgate::Wait::in_vain('the simulator to see '
                                    . (ref $what ? 'it' : "$n $what"), $have),
           $seen);
}

sub stop {
    my ($self) = @_;

    return unless $self->{pid} && $self->{owner} == $$;

    kill 'KILL', $self->{pid};

    local $?;
    waitpid $self->{pid}, 0;
    delete $self->{pid};
}

sub DESTROY { $_[0]->stop }


package Fieldgate::Provider::Server;

use Socket qw(IPPROTO_TCP TCP_NODELAY);
use Time::HiRes qw(time);

sub new {
    my ($class, $switches, $listen, $control) = @_;

    $control->autoflush(1);
    $control->blocking(1);

    return bless {
        %$switches, listen => $listen, control => $control, clients => {},
        seen => { logins => 0, open => 0, twice => 0, twice_log => [],
                  requests => [], gga => [], sent => {}, closed => 0 },
    }, $class;
}

sub run {
    my ($self) = @_;
    my $next = time;

    while (1) {
        my $in = '';
        my @fixed = ($self->{listen}, $self->{control});
        vec($in, fileno $_, 1) = 1 for @fixed;
        vec($in, $_, 1) = 1 for grep { !$self->{clients}{$_}{deaf} }
                                keys %{$self->{clients}};

        my $period = $self->{rate} ? $self->{epoch} / $self->{rate} : 0.5;
        my $wait = $next - time;
        my $n = select $in, undef, undef, $wait > 0 ? $wait : 0;

        if ($n > 0) {
            $self->accept if vec($in, fileno $self->{listen}, 1);
            return unless !vec($in, fileno $self->{control}, 1)
                          || $self->command;

            for my $no (keys %{$self->{clients}}) {
                $self->readable($no) if vec($in, $no, 1);
            }
        }

        my $now = time;
        $self->reply($_) for grep { my $c = $self->{clients}{$_};
                                    $c->{reply_at} && $c->{reply_at} <= $now }
                             keys %{$self->{clients}};
        $self->close($_) for grep { my $c = $self->{clients}{$_};
                                    $c->{hangup} && $c->{hangup} <= $now }
                             keys %{$self->{clients}};
        next if $now < $next;

        $next += $period;
        $next = $now + $period if $next < $now;
        $self->send_all if $self->{rate} && !$self->{silent};
    }
}

sub command {
    my ($self) = @_;

    my $line = readline $self->{control};
    return 0 unless defined $line;

    my $question = $json->decode($line);
    my $answer = {};

    if ($question->{seen}) {
        $answer = $self->{seen};
        $answer->{open} = grep { $_->{live} } values %{$self->{clients}};

    } elsif (my $set = $question->{set}) {
        my $drop = delete $set->{drop};
        @{$self}{keys %$set} = values %$set;

        for my $no (keys %{$self->{clients}}) {
            my $c = $self->{clients}{$no};
            $self->close($no) if defined $drop && $c->{account} eq $drop;
        }
    }

    print { $self->{control} } $json->encode($answer), "\n";
    return 1;
}

sub accept {
    my ($self) = @_;

    while (my $fh = $self->{listen}->accept) {
        $fh->blocking(0);
        setsockopt $fh, IPPROTO_TCP, TCP_NODELAY, 1;
        $self->{clients}{fileno $fh} = { fh => $fh, in => '', account => '' };
    }
}

sub close {
    my ($self, $no) = @_;
    my $c = delete $self->{clients}{$no};
    $self->{seen}{closed}++ if $c->{live};
    close $c->{fh};
}

# reads once: true, if there may be more

sub readable {
    my ($self, $no) = @_;
    my $c = $self->{clients}{$no} or return 0;

    my $n = sysread $c->{fh}, $c->{in}, 65536, length $c->{in};
    return 0 if !defined $n && ($!{EAGAIN} || $!{EINTR});

    if (!$n) {
        if ($self->{fin} && defined $n) {
            $c->{deaf} = 1;
        } else {
            $self->close($no);
        }
        return 0;
    }

    if (!$c->{head}) {
        return 1 unless $c->{in} =~ s/^(.*?\r?\n)\r?\n//s;
        $c->{head} = $1;
        $self->login($no);
    }

    while ($c->{in} =~ s/^([^\n]*)\n//) {
        my $line = $1;
        push @{$self->{seen}{gga}}, { account => $c->{account}, line => $line,
                                      time => time };
        next unless defined $self->{hangup_at};
        if (index($line, $self->{hangup_at}) >= 0) {
            $self->close($no);
            return 0;
        }
        $c->{fed} = 1;
    }

    return 1;
}

sub login {
    my ($self, $no) = @_;
    my $c = $self->{clients}{$no};

    ($c->{mount}) = $c->{head} =~ m{^GET /?(\S*)};
    my ($basic) = $c->{head} =~ /^Authorization: *Basic +(\S+)/mi;
    my ($account) = split /:/, MIME::Base64::decode_base64($basic // '');
    $account //= '';

    my $seen = $self->{seen};
    push @{$seen->{requests}}, { account => $account, mount => $c->{mount},
                                 head => $c->{head}, time => time };

    if (grep { $_->{live} && $_->{account} eq $account }
        values %{$self->{clients}})
    {
        # a FIN that has come but was not read yet, perhaps behind a position,
        # is no second login
        for my $other (keys %{$self->{clients}}) {
            my $o = $self->{clients}{$other};
            next unless $o->{live} && $o->{account} eq $account;
            1 while $self->readable($other);
        }
        if (grep { $_->{live} && $_->{account} eq $account }
            values %{$self->{clients}})
        {
            $seen->{twice}++;
            push @{$seen->{twice_log}}, "$account at " . time;
        }
    }

    $c->{account} = $account;
    $c->{reply_at} = time + ($self->{delay} // 0);
    $self->reply($no) unless $self->{delay};
}

sub reply {
    my ($self, $no) = @_;
    my $c = $self->{clients}{$no};
    my $seen = $self->{seen};

    delete $c->{reply_at};

    my $version = $c->{head} =~ m{^Ntrip-Version: Ntrip/2\.0\r?$}mi ? 2 : 1;
    my $refusal = delete $self->{refuse_next}
                  // $self->{refuse}{$c->{account}}
                  // $self->{"refuse_v$version"};
    if (defined $refusal) {
        $self->say($c->{fh}, $refusal);
        return $self->close($no);
    }

    my $reply = $self->{reply} // "ICY 200 OK\r\n\r\n";

    $c->{live} = 1;
    $c->{seq} = 0;
    $c->{login} = ++$seen->{logins} + ($self->{base} // 0);

    if ($reply =~ /%M/) {
        my $frame = $self->coded(
            Fieldgate::Provider::frame($c->{login}, $c->{seq}++,
                                       $self->{size}));
        $reply =~ s/%M/$frame/;
    }

    $self->say($c->{fh}, $reply);
    $c->{hangup} = time + $self->{hangup} if defined $self->{hangup};
}

# a reply

sub say {
    my ($self, $fh, $bytes) = @_;

    for my $piece ($self->{dribble} ? split(//, $bytes) : $bytes) {
        syswrite $fh, $piece;
        select undef, undef, undef, 0.001 if $self->{dribble};
    }
}

sub send_all {
    my ($self) = @_;

    for my $no (keys %{$self->{clients}}) {
        my $c = $self->{clients}{$no};
        next unless $c->{live};
        next if defined $self->{hangup_at} && !$c->{fed};

        if (defined $self->{noise}) {
            syswrite $c->{fh}, $self->{noise};
            next;
        }

        my $out = '';
        for (1 .. $self->{epoch}) {
            $out .= Fieldgate::Provider::frame($c->{login}, $c->{seq}++,
                                               $self->{size});
        }

        if ($self->write($c->{fh}, $self->coded($out))) {
            $self->{seen}{sent}{$c->{account}} += $self->{epoch};
        } else {
            $self->close($no);
        }
    }
}

# RFC 7230 4.1: the ends of chunks are not those of messages

sub coded {
    my ($self, $bytes) = @_;
    my $size = $self->{chunk} or return $bytes;

    return join '', map { sprintf("%x\r\n", length) . "$_\r\n" }
                    unpack "(a$size)*", $bytes;
}

sub write {
    my ($self, $fh, $bytes) = @_;
    my $size = int(length($bytes) / $self->{pieces}) + 1;

    while (length $bytes) {
        my $piece = substr $bytes, 0, $size, '';
        my $n = syswrite $fh, $piece;
        return 0 unless defined $n && $n == length $piece;

        # long enough for the reader to see it by itself
        select undef, undef, undef, 0.002 if length $bytes;
    }

    return 1;
}

1;
