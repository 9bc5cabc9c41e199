package Fieldgate::Base;

# A simulator of a base station, in a process of its own, that uploads RTCM 3
# messages which Fieldgate::Rovers verify to the last byte.
#
#   my $base = Fieldgate::Base->new(port => $port, mount => 'B',
#                                   password => 'secret');
#   $base->wait_for(sent => 10);
#
# Options: port; mount, password; user, given with POST; request, bytes in place
# of SOURCE; rate, messages a second (10; 0: none); size (120); login, the number
# in its messages (1); chunked, 1: chunks that are cut anywhere; first, frames
# that are sent before; again: seconds after which it connects anew when the
# connection is lost, with the next login number if it had sent anything.
#
# $base->set(rate => 0) changes an option; ->seen: { reply, sent, closed (how
# often), login, open }.

use strict;
use warnings;

use parent -norequire, 'Fieldgate::Simulator';

use IO::Handle;
use IO::Select;
use IO::Socket::INET;
use JSON::PP ();
use MIME::Base64 qw(encode_base64);
use Socket qw(AF_UNIX SOCK_STREAM PF_UNSPEC);
use Time::HiRes qw(time);

use Fieldgate::Provider qw(frame);
use Fieldgate::Simulator;

my $json = JSON::PP->new->latin1->canonical;


sub new {
    my ($class, %opt) = @_;

    socketpair(my $ours, my $theirs, AF_UNIX, SOCK_STREAM, PF_UNSPEC)
        or die "socketpair: $!\n";

    my $pid = Fieldgate::Simulator::run_child('base', sub {
        close $ours;
        run({ rate => 10, size => 120, login => 1, first => '', %opt,
              control => $theirs });
    });

    close $theirs;
    $ours->autoflush(1);

    return bless { pid => $pid, control => $ours, owner => $$ }, $class;
}

# an option that is undef is not sent

sub ask { Fieldgate::Provider::ask('base', $_[0]{control}, $_[1]) }
sub set { my ($self, %o) = @_; $self->ask({ set => \%o }); $self }
sub seen { $_[0]->ask({}) }
sub wait_for { Fieldgate::Provider::wait_for(@_) }


# message 1005 with the position of the station, at sea level

sub position {
    my ($lat, $lon) = map { $_ * atan2(1, 1) / 45 } @_;
    my $n = 6378137 / sqrt(1 - 0.00669437999014 * sin($lat) ** 2);
    my $bits = unpack 'B*', "\x3e\xd0\x01\x00\x00";

    $bits = substr($bits, 0, 34)
        . bits38($n * cos($lat) * cos $lon) . '00'
        . bits38($n * cos($lat) * sin $lon) . '00'
        . bits38($n * (1 - 0.00669437999014) * sin $lat);

    my $frame = pack('Cn', 0xd3, 19) . pack 'B*', $bits;
    return $frame . substr pack('N', Fieldgate::Provider::crc24q($frame)), 1;
}

sub bits38 {
    return substr unpack('B64', pack 'q>', sprintf '%.0f', $_[0] * 10000), 26;
}

# the bytes of a request

sub source { "SOURCE $_[0] /$_[1]\r\nSource-Agent: NTRIP Fieldgate-test\r\n\r\n" }

sub post {
    my ($user, $password, $mount, @more) = @_;

    return join "\r\n", "POST /$mount HTTP/1.1", 'Host: localhost',
        'Ntrip-Version: Ntrip/2.0', 'User-Agent: NTRIP Fieldgate-test',
        'Authorization: Basic ' . encode_base64("$user:$password", ''),
        @more, '', '';
}


sub run {
    my ($b) = @_;

    $b->{control}->autoflush(1);
    @{$b}{qw(sent closed reply open)} = (0, 0, '', 0);
    begin($b);

    while (1) {
        my @fh = grep { defined } @{$b}{qw(control fh)};

        for my $fh (IO::Select->new(@fh)->can_read(0.02)) {
            if ($fh == $b->{control}) {
                command($b) or return;
            } else {
                readable($b);
            }
        }

        write_on($b) if defined $b->{fh} && $b->{open};
        begin($b) if !defined $b->{fh} && $b->{again} && $b->{next} <= time;
    }
}

sub begin {
    my ($b) = @_;

    $b->{fh} = IO::Socket::INET->new(PeerAddr => '127.0.0.1', Proto => 'tcp',
                                     PeerPort => $b->{port}) or return;
    @{$b}{qw(seq reply next open)} = (0, '', time, 0);

    syswrite $b->{fh}, $b->{request}
        // (defined $b->{user}
            ? post($b->{user}, $b->{password}, $b->{mount},
                   $b->{chunked} ? 'Transfer-Encoding: chunked' : ())
            : source($b->{password}, $b->{mount}));
}

sub command {
    my ($b) = @_;

    my $line = readline $b->{control};
    return 0 unless defined $line;

    my $asked = $json->decode($line);
    if ($asked->{set}) {
        %$b = (%$b, %{$asked->{set}});
        $b->{next} = time;
    }

    print { $b->{control} }
        $json->encode({ map { $_ => $b->{$_} } qw(reply sent closed login
                                                  open) }), "\n";
    return 1;
}

sub readable {
    my ($b) = @_;

    if (!sysread $b->{fh}, $b->{reply}, 4096, length $b->{reply}) {
        close delete $b->{fh};
        $b->{closed}++;
        $b->{open} = 0;

        if ($b->{again}) {
            $b->{login}++ if $b->{seq};
            $b->{next} = time + $b->{again};
        }
        return;
    }

    if (!$b->{open} && $b->{reply} =~ /^(?:ICY|HTTP\/1.1) 200 OK\r\n.*\r\n\z/s) {
        $b->{open} = 1;
        put($b, $b->{first}) if length $b->{first};
    }
}

sub write_on {
    my ($b) = @_;

    while ($b->{rate} && $b->{next} <= time) {
        put($b, frame($b->{login}, $b->{seq}++, $b->{size})) or return;
        $b->{sent}++;
        $b->{next} += 1 / $b->{rate};
    }
}

# in one chunk and a half, so that their ends are not those of messages

sub put {
    my ($b, $bytes) = @_;

    if ($b->{chunked}) {
        my $half = int length($bytes) / 2;
        $bytes = sprintf("%x\r\n%s\r\n%X;x=y\r\n%s\r\n", $half,
                         substr($bytes, 0, $half), length($bytes) - $half,
                         substr $bytes, $half);
    }

    my $n = syswrite $b->{fh}, $bytes;
    return defined $n && $n == length $bytes;
}

1;
