package Fieldgate::Stun;

# A CPE behind NAT, for tests: asks a STUN server for its address, and reads UDP
# connection requests as RDK-B's program does and as Orange's tr069agent does.
#
#   my $cpe = Fieldgate::Stun->new(server => [ '127.0.0.1', $port ]);
#   my $answer = $cpe->bind;                  # { mapped => 'host:port', ... }
#   my $datagram = $cpe->receive(2);          # seconds
#   is(Fieldgate::Stun::rdkb($datagram, 'acs', 's3c:ret', \my %seen), 'ok');
#
# host, port: its own address, 127.0.0.1 and any.

use strict;
use warnings;

use Digest::SHA qw(hmac_sha1_hex);
use IO::Select;
use IO::Socket::IP;
use Socket qw(inet_ntop AF_INET AF_INET6);

use Exporter 'import';
our @EXPORT_OK = qw(request attribute address parse rdkb tr069agent);

use constant {
    MAPPED => 0x0001, RESPONSE => 0x0002, CHANGE => 0x0003, SOURCE => 0x0004,
    CHANGED => 0x0005, USERNAME => 0x0006, ERROR => 0x0009,
    XOR_MAPPED => 0x0020, BINDING => 0xc001,
};

my $serial = 0;


sub new {
    my ($class, %opt) = @_;

    my $self = bless { host => '127.0.0.1', port => 0, %opt }, $class;

    $self->{socket} = IO::Socket::IP->new(Proto => 'udp',
        LocalHost => $self->{host}, LocalPort => $self->{port})
        or die "udp $self->{host}:$self->{port}: $@\n";
    $self->{port} = $self->{socket}->sockport;

    return $self;
}

sub socket { $_[0]{socket} }
sub port { $_[0]{port} }

sub hostport {
    my ($self) = @_;
    return ($self->{host} =~ /:/ ? "[$self->{host}]" : $self->{host})
           . ":$self->{port}";
}


sub attribute { pack('nn', $_[0], length $_[1]) . $_[1] }

sub address { pack 'nna4', 1, $_[1], Socket::inet_aton($_[0]) }

# cookie => 1: a client of RFC 5389

sub request {
    my ($attributes, %opt) = @_;

    my $id = pack 'NNNN', ($opt{cookie} ? 0x2112a442 : 0x11223344), $$,
                          time, ++$serial;

    return pack('nn', 1, length $attributes) . $id . $attributes;
}

sub send_to {
    my ($self, $datagram) = @_;
    my ($host, $port) = @{$self->{server}};
    my (undef, @found) = Socket::getaddrinfo($host, $port,
        { socktype => Socket::SOCK_DGRAM,
          flags => Socket::AI_NUMERICHOST });
    return send $self->{socket}, $datagram, 0, $found[0]{addr};
}

# The next datagram within so many seconds; in a list also whom it is from.

sub receive {
    my ($self, $seconds) = @_;

    return unless IO::Select->new($self->{socket})->can_read($seconds);

    my $from = recv $self->{socket}, my $datagram, 2048, 0;
    return unless defined $from;

    my (undef, $host, $port) = Socket::getnameinfo($from,
        Socket::NI_NUMERICHOST | Socket::NI_NUMERICSERV);
    return wantarray ? ($datagram, "$host:$port") : $datagram;
}

# Sends a request, again each second as CPEs do, until it is answered; what is
# not of it is kept out.  undef: it is not.

sub ask {
    my ($self, $datagram, $seconds) = @_;

    for (1 .. $seconds // 5) {
        $self->send_to($datagram);

        while (my ($answer, $from) = $self->receive(1)) {
            next if substr($answer, 4, 16) ne substr($datagram, 4, 16);
            my $parsed = parse($answer);
            $parsed->{from} = $from;
            return $parsed;
        }
    }

    return;
}

sub bind {
    my ($self, %opt) = @_;
    return $self->ask(request(attribute(BINDING, 'dslforum.org/TR-111 ')
                              . attribute(USERNAME, 'cpe1'), %opt));
}


# An answer: { type, mapped, source, changed, xor_mapped, error, raw }

sub parse {
    my ($answer) = @_;

    my ($type, $len) = unpack 'nn', $answer;
    my %p = (raw => $answer, type => $type);
    return \%p if length $answer != $len + 20;

    my %names = (MAPPED, 'mapped', SOURCE, 'source', CHANGED, 'changed');
    my $rest = substr $answer, 20;

    while (length $rest >= 4) {
        my ($type, $len) = unpack 'nn', $rest;
        my $value = substr $rest, 4, $len;
        $rest = substr $rest, 4 + $len;

        if (my $name = $names{$type}) {
            $p{$name} = hostport_of($value);
        } elsif ($type == XOR_MAPPED) {
            my $mask = substr $answer, 4, 16;
            $p{xor_mapped} = hostport_of(substr($value, 0, 2)
                . (substr($value, 2, 2) ^ substr($mask, 0, 2))
                . (substr($value, 4) ^ substr($mask, 0, length($value) - 4)));
        } elsif ($type == ERROR) {
            my ($class, $number) = unpack 'x2CC', $value;
            $p{error} = $class * 100 + $number;
        }
    }

    return \%p;
}

sub hostport_of {
    my ($value) = @_;
    my ($family, $port) = unpack 'nn', $value;
    my $addr = substr $value, 4;
    return length $addr == 16
           ? '[' . inet_ntop(AF_INET6, $addr) . "]:$port"
           : inet_ntop(AF_INET, $addr) . ":$port";
}


# RDK-B (stunbsmif.c): "GET", "http://", a question mark, and a blank behind it;
# 40 digits of any case; neither an id that it has seen nor an older ts.  "ok"
# or why not.

sub rdkb {
    my ($datagram, $user, $password, $seen) = @_;

    return 'method' if $datagram !~ /^GET/;
    return 'scheme' if $datagram !~ m{http://[^? ]*\?([^ ]*) };
    my %arg = map { split /=/, $_, 2 } split /&/, $1;

    for my $name (qw(ts id un cn sig)) {
        return "no $name" unless defined $arg{$name};
    }
    return 'sig' if $arg{sig} !~ /^[0-9a-f]{40}$/i;
    return 'user' if $arg{un} ne $user;
    return 'signature' if lc $arg{sig}
        ne hmac_sha1_hex("$arg{ts}$arg{id}$arg{un}$arg{cn}", $password);
    return 'seen' if $seen->{id}{$arg{id}}++;
    return 'old' if ($seen->{ts} // 0) > $arg{ts};
    $seen->{ts} = $arg{ts};

    return 'ok';
}

# Orange's tr069agent: begins at "?ts="; ts and id are printed again as signed
# numbers of 32 bits; 20 of the 40 digits are compared.

sub tr069agent {
    my ($datagram, $user, $password) = @_;

    my ($ts, $id, $un, $cn, $sig) = $datagram
        =~ /\?ts=(\d+)&id=(\d+)&un=([^&]*)&cn=([^&]*)&sig=(\w+)/
        or return 'format';

    ($ts, $id) = map { unpack 'l', pack 'L', $_ & 0xffffffff } $ts, $id;

    return 'user' if $un ne $user;
    return 'signature' if substr(lc $sig, 0, 20)
        ne substr(hmac_sha1_hex("$ts$id$un$cn", $password), 0, 20);

    return 'ok';
}

1;
