package Fieldgate::Dns;

# A name server for tests, in a process of its own:
#
#   my $dns = Fieldgate::Dns->new('cpe.example' => [ '127.0.0.1' ], ...);
#   resolver 127.0.0.1:PORT ...;           # $dns->port
#
# Names that it does not know do not exist (NXDOMAIN); a name whose value is
# undef is not answered.  With several lists of addresses each is given once, in
# this order, and the last one for ever.  The time to live is 0.
#
#   $dns->set('cpe.example' => [ '127.0.0.2' ]);     # from now on
#
# What was not answered is, when the name is set.

use strict;
use warnings;

use parent 'Fieldgate::Simulator';

use IO::Handle;
use IO::Select;
use IO::Socket::INET;
use JSON::PP ();
use Socket qw(AF_INET AF_INET6 AF_UNIX SOCK_STREAM PF_UNSPEC inet_pton);


sub new {
    my ($class, %names) = @_;

    my $socket = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
                                       Proto => 'udp')
        or die "cannot listen: $@\n";

    socketpair(my $ours, my $theirs, AF_UNIX, SOCK_STREAM, PF_UNSPEC)
        or die "socketpair: $!\n";

    my $pid = Fieldgate::Simulator::run_child('DNS', sub {
        close $ours;
        serve($socket, $theirs, \%names);
    });

    close $theirs;
    $ours->autoflush(1);

    return bless { pid => $pid, owner => $$, port => $socket->sockport,
                   control => $ours }, $class;
}


sub port { $_[0]{port} }


sub set {
    my ($self, %names) = @_;

    print { $self->{control} } JSON::PP::encode_json(\%names), "\n";
    readline $self->{control} // die "the name server is gone\n";
}


my @late;      # [ query, whom it is from ]

sub serve {
    my ($socket, $control, $names) = @_;
    my $select = IO::Select->new($socket, $control);

    $control->autoflush(1);

    while (1) {
        for my $ready ($select->can_read) {
            if ($ready == $socket) {
                my $from = $socket->recv(my $query, 512);
                answer($socket, $names, $query, $from) if defined $from;
                next;
            }

            my $line = readline $control // return;
            my $new = JSON::PP::decode_json($line);
            @{$names}{keys %$new} = values %$new;
            answer($socket, $names, @$_) for splice @late;
            print $control "ok\n";
        }
    }
}


sub answer {
    my ($socket, $names, $query, $from) = @_;

    my ($id, $flags, @n) = unpack 'n6', $query;
    my ($at, @labels) = (12);

    while (my $len = ord substr $query, $at, 1) {
        push @labels, substr $query, $at + 1, $len;
        $at += $len + 1;
    }

    my $question = substr $query, 12, $at + 5 - 12;
    my $type = unpack 'n', substr $query, $at + 1, 2;
    my $name = lc join '.', @labels;

    if (exists $names->{$name} && !defined $names->{$name}) {
        push @late, [ $query, $from ];
        return;
    }

    my @answers;
    my $addresses = $names->{$name} || [];

    if (ref $addresses->[0]) {
        $addresses = @$addresses > 1 ? shift @$addresses : $addresses->[0];
    }

    for my $address (@$addresses) {
        my $v6 = $address =~ /:/;
        next if $type != ($v6 ? 28 : 1);
        my $data = inet_pton($v6 ? AF_INET6 : AF_INET, $address);
        push @answers, pack('nnnNn', 0xc00c, $type, 1, 0, length $data) . $data;
    }

    send $socket, pack('n6', $id, exists $names->{$name} ? 0x8180 : 0x8183,
                       1, scalar @answers, 0, 0)
                  . $question . join('', @answers), 0, $from;
}


1;
