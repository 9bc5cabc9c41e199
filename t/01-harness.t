# The harness itself: workers, generations, reload, crash, upgrade, checks.

use lib 't/lib';
use Fieldgate;

my $t = Fieldgate->new(workers => 2, http => <<'END', stream => <<'END');
    server {
        listen 127.0.0.1:%%PORT:web%%;
        location / { return 200 "pid=$pid\n"; }
    }
END
    server {
        listen 127.0.0.1:%%PORT:raw%%;
        return "raw\n";
    }
END

$t->start;

like($t->get('web', '/'), qr/200 OK.*pid=\d+/s, 'http');
is($t->exchange('raw', ''), "raw\n", 'stream');

my @first = $t->worker_processes;
is(scalar @first, 2, 'two workers');
is($first[0]{generation}, 0, 'of generation 0');

# an open connection keeps one of them in the old generation

my $s = $t->connect('web');
$t->reload;
my @new = grep { !$_->{exiting} } $t->worker_processes;
is(scalar @new, 2, 'two new workers');
is($new[0]{generation}, 1, 'of generation 1');
close $s;
$t->reload(gone => 1);
is(scalar $t->worker_processes, 2, 'and no old ones');

my ($victim) = $t->pids;
$t->kill_worker($victim);
is(scalar(grep { $_ == $victim } $t->pids), 0, 'killed worker is replaced');
like($t->error_log, qr/$victim exited on signal 9/, 'and its end is logged');

my $master = $t->master;
$t->upgrade(gone => 1);
isnt($t->master, $master, 'new master');
like($t->get('web', '/'), qr/200 OK/, 'which serves');

my ($status, $out) = $t->check(http => 'nonsense on;');
is($status, 1, 'a wrong configuration');
like($out, qr/unknown directive "nonsense" in \S+check\.conf:\d+/,
     'is explained with its line');

my $child = $t->spawn('child', sub { print "hello\n" });
is($t->reap($child), 0, 'a process of the test ends');

my ($chosen) = reverse $t->pids;
is($t->only_worker($chosen, sub { $t->get('web', '/') =~ /pid=(\d+)/ && $1 }),
   $chosen, 'one worker accepts while the others are frozen') for 1 .. 5;

# a worker that a slow machine does not let end in time is killed by nginx

my $slow = Fieldgate->new(http => '');
$slow->start;
$slow->freeze(($slow->pids)[0]);
$slow->stop;
like($slow->error_log, qr/exited on signal 9/, 'which is nothing unexpected');

# what has to fail a test does: another instance, inspected from outside

my $bad = Fieldgate->new(http => '');
Fieldgate::Env::write_file($bad->path('error.log'), "1 [alert] x\n2 [warn] y\n"
                           . "3 [notice] worker process 5 exited with code 1\n"
                           . "4 [crit] known\n");
Fieldgate::Env::write_file($bad->path('sanitizer.7'), "ERROR\n");
$bad->allow(qr/known/);
$bad->spawn('dies', sub { die "oh" });
wait_for(sub { -s $bad->path('dies.out') }, 'the child to die');
wait_for(sub { !grep { Fieldgate::alive($_) } keys %{$bad->{children}} });
my $wrong = join '|', $bad->wrongs;
$bad->{finished} = 1;
like($wrong, qr/dies failed:\noh at .*\[alert\] x.*exited with code 1.*ERROR/s,
     'alerts, crashes, reports and dead simulators are seen');
unlike($wrong, qr/known|warn/, 'what is allowed is not');

# a wait in vain fails the test that waited, at its line, which goes on

$t->write('vain.t', <<'END');
use lib 't/lib';
use Fieldgate;
$Fieldgate::Wait::Guard = 0.1;
my $seen = wait_for(sub { 0 },
                    'the moon');
ok(!$seen, 'and then');
done_testing;
END
my $vain = `$^X ${\$t->path('vain.t')} 2>&1`;
is($? >> 8, 1, 'a wait in vain is one failure');
like($vain, qr{not\ ok\ 1\ -\ waited\ for\ the\ moon
               .*vain\.t\ line\ [45]\.\n\#\ in\ vain\ for\ 0\.1\ s
               .*last\ value\ is\ '0'.*^ok\ 2\ -\ and\ then}msx,
     'which tells what was awaited, where, and what there was');

# modules that are older than what they are made of are not tested

my $so = 'ngx_http_cwmp_module.so';
mkdir $t->path($_) for 'x', map { "x/$_" } qw(t t/lib t/lib/Fieldgate src
                                              src/cwmp build build/objs);
$t->write("x/$_", '') for "build/$so", "build/objs/$so", 'build/objs/stamp',
                          qw(config src/rooms src/cwmp/a.c src/cwmp/a.h);
$t->write('x/t/lib/Fieldgate/Env.pm',
          Fieldgate::Env::read_file('t/lib/Fieldgate/Env.pm'));

for my $newer (qw(none src/cwmp/a.c src/cwmp/a.h config)) {
    utime 1000, 1000, map { $t->path("x/$_") } qw(config src/rooms
                                                  src/cwmp/a.c src/cwmp/a.h);
    utime 2000, 2000, map { $t->path("x/build/objs/$_") } $so, 'stamp';
    utime 3000, 3000, $t->path("x/$newer");

    my $lib = $t->path('x/t/lib');
    my $said = `env -u TEST_NGINX_BINARY -u TEST_NGINX_LOAD_MODULES $^X -I$lib \\
                    -MFieldgate::Env=modules -e 'print modules()' 2>&1`;
    like($said, $newer eq 'none' ? qr/\Q$so\E$/
                : qr/\Q$so is older than \E\S+\Q$newer\E: run conf\/build/,
         "newer than the module: $newer");
}

done_testing;
