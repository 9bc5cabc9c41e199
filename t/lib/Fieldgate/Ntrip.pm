package Fieldgate::Ntrip;

# nginx with an NTRIP relay, its database, a provider and rovers, for the tests
# that need all of them.
#
#   my $n = Fieldgate::Ntrip->new(users => 500, accounts => 20, mounts => 20);
#   my ($t, $provider) = ($n->nginx, $n->provider);
#   my $rovers = $n->rovers(1 .. 500);
#
# Options: users, accounts, mounts (how many: 10, 10, 1); provider, switches of
# the simulator, or one that is there already; zone (4m); stream, server: more
# directives; relay, more of ntrip_relay; others, { port => directives }: further casters of the same pool;
# start => 0, nginx is not started; and those of Fieldgate.
#
# User number N is uN with the password pN; accounts are a1, a2, ...;
# mountpoints M0, M1, ..., of which rover N asks for M(N % mounts).  All rovers
# are in one place, unless told otherwise.

use strict;
use warnings;

use Fieldgate;
use Fieldgate::Env qw(read_file top);
use Fieldgate::Provider;
use Fieldgate::Rovers;

sub new {
    my ($class, %opt) = @_;

    my $self = bless {
        users => 10, accounts => 10, mounts => 1, zone => '4m', stream => '',
        server => '', relay => '', others => {}, provider => {}, %opt,
    }, $class;

    my $provider = $self->{provider};
    $self->{provider} = ref $provider eq 'HASH'
                        ? Fieldgate::Provider->new(%$provider) : $provider;

    my %rest = %opt;
    delete @rest{qw(users accounts mounts zone stream server relay others
                    provider start database)};

    my $t = $self->{nginx} = Fieldgate->new(
        events => 'worker_connections 4096;', %rest);
    $t->{stream} = $self->conf;

    if ($opt{database}) {
        $self->{database} = $opt{database};
    } else {
        $self->{database} = $t->path('db/ntrip.db');
        mkdir $t->path('db') or die 'mkdir: ' . $t->path('db') . ": $!";
        $self->make_database;
        $t->{stream} = $self->conf;
    }

    $t->start unless defined $opt{start} && !$opt{start};

    return $self;
}

sub nginx { $_[0]{nginx} }
sub provider { $_[0]{provider} }
sub database { $_[0]{database} }

# stream{}; %opt overrides what was given to new()

sub conf {
    my ($self, %opt) = @_;
    my %o = (%$self, %opt);
    my $mounts = join '', map { "ntrip_mount M$_;\n" } 0 .. $o{mounts} - 1;
    my $port = $o{provider}->port;
    my $database = $o{database} // '%%DIR%%/db/ntrip.db';
    my $casters = '';

    for my $name ('caster', sort keys %{$o{others}}) {
        my $more = $name eq 'caster' ? $o{server} : $o{others}{$name};
        $casters .= <<"END";
    server {
        listen 127.0.0.1:%%PORT:$name%%;
        ntrip_caster;
        ntrip_relay port=$port $o{relay};
        $more
    }
END
    }

    return <<"END";
    ntrip_zone $o{zone};
    ntrip_database $database;
    $mounts
    $o{stream}
$casters
    server {
        listen 127.0.0.1:%%PORT:console%%;
        ntrip_console;
        ntrip_console_password passwd;
    }
END
}

sub make_database {
    my ($self) = @_;

    my $sql = read_file(top() . '/schema/schema.sql') . "BEGIN;\n";
    $sql .= "INSERT INTO user (name, password) VALUES ('u$_', 'p$_');\n"
        for 1 .. $self->{users};
    $sql .= "INSERT INTO source (host, name, password) "
            . "VALUES ('127.0.0.1', 'a$_', 's$_');\n"
        for 1 .. $self->{accounts};

    $self->sql("${sql}COMMIT;\n");
}

# what the sqlite3 shell says

sub sql {
    my ($self, $sql) = @_;
    my $file = $self->nginx->path('sql');

    $self->nginx->write('sql', $sql);
    my $sqlite = "sqlite3 -bail -cmd '.timeout 5000' $self->{database}";
    my $out = `$sqlite < $file 2>&1`;
    die "sqlite3: $out" if $?;

    return $out;
}

# the description of rover N, for Fieldgate::Rovers

sub rover {
    my ($self, $n, %opt) = @_;
    return { user => "u$n", password => "p$n", lat => 48.1, lon => 11.6,
             mount => 'M' . $n % $self->{mounts}, %opt };
}

sub rovers {
    my ($self, @n) = @_;
    return Fieldgate::Rovers->new(port => $self->nginx->port('caster'),
                                  rovers => [map { $self->rover($_) } @n]);
}

sub console {
    my ($self, $command) = @_;
    return $self->nginx->exchange('console', "$command\n");
}

# waits until CLIENT-LIST or STREAM-LIST has so many rows: a worker learns of
# the end of a connection when it gets to it, whatever others have done since

sub wait_rows {
    my ($self, $verb, $n) = @_;

    wait_for(sub { my $list = $self->console("$verb passwd");
                   return $list =~ /^OK \Q$verb\E\r\n/
                          && $n == (() = $list =~ /\t.*\r$/mg) },
             "$n rows of $verb");
}

1;
