package Fieldgate::Pg;

# A PostgreSQL server of the test's own, in a temporary folder, on a free port
# of the loopback; of another user than root, whom it refuses.
#
#   my $pg = Fieldgate::Pg->new;
#   $pg->conninfo            "host=127.0.0.1 port=... user=fieldgate ..."
#   $pg->sql('SELECT 1')     what psql says: a row a line, "|" between columns
#   $pg->stop; $pg->start    down and up again; stop('KILL')
#
# Its password, that of user "fieldgate", is in conninfo; psql gets it from
# there.  Options: settings, [ 'name=value' ].

use strict;
use warnings;

use File::Temp ();
use POSIX ();

use Fieldgate::Env qw(free_port read_file write_file);
use Fieldgate::Wait ();

my ($bin) = sort { ($b =~ /(\d+)/)[0] <=> ($a =~ /(\d+)/)[0] }
                 glob '/usr/lib/postgresql/*/bin';

# why there is none to be had; undef: there is

sub lacking { return defined $bin && -x "$bin/postgres" ? undef : 'no PostgreSQL server' }

sub new {
    my ($class, %opt) = @_;

    my $dir = File::Temp->newdir('fieldgate-pg-' . 'X' x 6, TMPDIR => 1);
    my $self = bless { settings => [], %opt, dir => "$dir", temp => $dir,
                       port => free_port(), owner => $$ }, $class;

    my @as = $> ? () : @{(map { [ @$_[2, 3] ] }
                          grep { @$_ } map { [ getpwnam $_ ] }
                          qw(postgres nobody))[0]};
    $self->{as} = \@as;
    chown $as[0], $as[1], "$dir" if @as;

    write_file("$dir/password", 'sesame-of-pg');
    chown $as[0], $as[1], "$dir/password" if @as;

    my $pid = $self->child('initdb.log', "$bin/initdb", '-D', "$dir/data",
                           '-U', 'fieldgate', '-A', 'scram-sha-256', '-N',
                           '-E', 'UTF8', "--pwfile=$dir/password",
                           '--locale=C.UTF-8');
    waitpid $pid, 0;
    die 'initdb: ' . read_file("$dir/initdb.log") if $?;

    return $self->start;
}

sub port { $_[0]{port} }
sub pid { $_[0]{pid} }
sub log { read_file("$_[0]{dir}/server.log") }

sub conninfo {
    my ($self) = @_;
    return "host=127.0.0.1 port=$self->{port} user=fieldgate "
           . 'password=sesame-of-pg dbname=postgres';
}

# a program as the server's user, in its folder

sub child {
    my ($self, $log, @command) = @_;

    my $pid = fork() // die "fork: $!";
    return $pid if $pid;

    open STDIN, '<', '/dev/null';
    open STDOUT, '>>', "$self->{dir}/$log" or POSIX::_exit(1);
    open STDERR, '>&', \*STDOUT;
    chdir $self->{dir};
    if (my @as = @{$self->{as}}) {
        $( = $as[1];
        $) = "$as[1] $as[1]";
        $< = $> = $as[0];
    }
    $ENV{LC_ALL} = 'C.UTF-8';
    exec @command or POSIX::_exit(1);
}

sub start {
    my ($self) = @_;

    $self->{pid} = $self->child('server.log', "$bin/postgres",
        '-D', "$self->{dir}/data", '-k', $self->{dir}, '-p', $self->{port},
        map { ('-c', $_) } 'listen_addresses=127.0.0.1', 'fsync=off',
                           @{$self->{settings}});

    Fieldgate::Wait::wait_for(sub { system("$bin/pg_isready -q -h 127.0.0.1 -p $self->{port}")
                   == 0 }, 'PostgreSQL to be ready');
    return $self;
}

# INT: it closes its connections; KILL, and its children end by themselves

sub stop {
    my ($self, $signal) = @_;

    return unless $self->{pid} && $self->{owner} == $$;

    local $?;
    kill $signal // 'INT', $self->{pid};
    kill CONT => $self->processes;
    waitpid $self->{pid}, 0;
    delete $self->{pid};
}

# all of its processes, of which some may be told to stop

sub processes {
    my ($self) = @_;
    my $children = `ps -o pid= --ppid $self->{pid}`;
    return ($self->{pid}, $children =~ /(\d+)/g);
}

sub sql {
    my ($self, $sql) = @_;

    write_file("$self->{dir}/sql", $sql);
    my $conninfo = $self->conninfo;
    my $out = `$bin/psql -XqAt -v ON_ERROR_STOP=1 -f $self->{dir}/sql '$conninfo' 2>&1`;
    die "psql: $out" if $?;
    chomp $out;

    return $out;
}

sub DESTROY { $_[0]->stop('QUIT') }

1;
