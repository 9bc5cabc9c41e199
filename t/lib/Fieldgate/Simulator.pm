package Fieldgate::Simulator;

# What simulators in a process of their own have in common: they end with the
# object, or with stop().

use strict;
use warnings;

use POSIX ();


# runs code in a child, whose process id it returns

sub run_child {
    my ($name, $code) = @_;

    my $pid = fork() // die "fork: $!\n";
    return $pid if $pid;

    $SIG{$_} = 'DEFAULT' for qw(INT TERM HUP);
    $SIG{PIPE} = 'IGNORE';

    my $ok = eval { $code->(); 1 };
    print STDERR "$name: $@" unless $ok;
    POSIX::_exit($ok ? 0 : 1);
}


# the object has {pid}, and {owner}: the process whose child that is

sub stop {
    my ($self) = @_;

    return unless $self->{pid} && $self->{owner} == $$;

    kill 'KILL', $self->{pid};

    local $?;
    waitpid $self->{pid}, 0;
    delete $self->{pid};
}


sub DESTROY { $_[0]->stop }


1;
