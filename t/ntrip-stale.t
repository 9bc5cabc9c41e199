# Offers of streams that a new worker reads when they stand no more, and other
# streams have taken the rows: these go on.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Env qw(sanitizer_env);
use Fieldgate::Ntrip;
use File::Basename qw(dirname);

# more than a worker reads before it looks at its rovers

my $streams = 120;

my $n = Fieldgate::Ntrip->new(
    users => 2 * $streams, accounts => $streams, mounts => 0, zone => '16m',
    provider => { host => '0.0.0.0', rate => 5 },
    events => 'worker_connections 4096; multi_accept on;',
    stream => join('', map { "ntrip_mount M$_ gga=off;\n" } 1 .. $streams),
    server => 'ntrip_source_linger 0;', start => 0);
my ($t, $provider) = ($n->nginx, $n->provider);

# hosts of their own, which are not paced

$n->sql("UPDATE source SET host = '127.0.1.' || id;");

my $library = $t->path('large_pairs.so');
is(system('cc', '-shared', '-fPIC', '-o', $library,
          dirname(__FILE__) . '/lib/large_pairs.c', '-ldl'), 0,
   'pairs that take many messages');

my %sanitizer = sanitizer_env($t->dir);
$t->{env} = { LD_PRELOAD => $library,
              ASAN_OPTIONS => "$sanitizer{ASAN_OPTIONS}"
                              . ',verify_asan_link_order=0' };
$t->start;

sub rovers {
    my ($first) = @_;
    return Fieldgate::Rovers->new(
        port => $t->port('caster'),
        rovers => [map { my $user = $first + $_;
                         { user => "u$user", password => "p$user",
                           mount => "M$_", quiet => 1 } } 1 .. $streams]);
}

my $rovers = rovers(0);
$rovers->wait_for(fed => $streams);

# new workers have their slots, and are suspended before anything is offered

my @old = $t->pids;
my %old = map { $_ => 1 } @old;
my @new;

$t->freeze(@old);
kill HUP => $t->master;
wait_for(sub { 2 == (@new = grep { !$old{$_} } $t->pids) }, 'new workers');
wait_for(sub { 2 <= (() = $t->error_log =~ /worker of generation 2 has/g) },
         'their slots');
$t->freeze(@new);
kill CONT => @old;

# whoever has waited in vain closes its sources, as there are no rovers

$rovers->leave(map { "u$_" } 1 .. $streams);
wait_for(sub { $provider->seen->{open} == 0 }, 'the sources to close');

# rows are given anew, by a worker that has accepted these first

my $again = rovers($streams);
wait_for(sub { my $s = $again->seen;
               $streams == grep { defined $_->{own} } values %{$s->{rovers}} },
         'rovers to connect');

kill CONT => $new[0];
wait_for(sub { my $s = $again->seen;
               $streams == grep { $_->{header} } values %{$s->{rovers}} },
         'their logins');

# what was sent to the other one holds locks of accounts as long as it lies there

kill CONT => $new[1];
$again->wait_for(fed => $streams);

my $before = $again->seen;
$again->wait_for(sub { my $s = shift;
                       $s->{messages} >= $before->{messages} + 5 * $streams });
my $seen = $again->seen;

is($seen->{open}, $streams, 'no rover is closed');
is(join("\n", @{$seen->{errors}}), '', 'no message is lost');
is($provider->seen->{open}, $streams, 'each stream has one source');
unlike($t->error_log, qr/source failed/, 'none has failed');

done_testing();
