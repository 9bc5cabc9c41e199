# The Debian packages of conf/deb: installed with apt, upgraded, purged; CPEs,
# an ACS and a rover go through the nginx that has them.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Env qw(read_file);

if (defined $ENV{TEST_NGINX_BINARY}) {
    plan(skip_all => 'the packages are for the distribution\'s nginx');
}
if (!$ENV{FIELDGATE_BARE}) {
    plan(skip_all => 'packages are installed in the bare roots of'
                     . ' t/run --matrix only');
}

my $t = Fieldgate->new;
my @names = qw(libnginx-mod-http-cwmp libnginx-mod-stream-ntrip);
my @links = ('50-mod-http-cwmp.conf', '70-mod-stream-ntrip.conf');
my $enabled = '/etc/nginx/modules-enabled';

sub command {
    my ($name, $command) = @_;
    my $out = `$command 2>&1`;
    is($?, 0, $name) or diag($out);
    return $out;
}

sub loaded {
    my ($name, $there) = @_;
    is(-l "$enabled/$_" ? 1 : 0, $there, "$name: $_") for @links;
    my $out = command("$name: nginx -t", 'nginx -t');
    unlike($out, qr/\[(?:warn|emerg)\]/, "$name: without a warning");
}

my $apt = 'DEBIAN_FRONTEND=noninteractive apt-get -q -y'
          . ' -o DPkg::Lock::Timeout=600';

command('conf/deb', 'conf/deb');
my @debs = map { glob "build/deb/${_}_*.deb" } @names;
is(scalar @debs, 2, 'two packages');

# a third one, where npm has its libraries
my ($dashboard) = glob 'build/deb/fieldgate-dashboard_*_all.deb';
diag('no package of the dashboard here: conf/dashboard/build says why')
    if !defined $dashboard;

command('installed', "$apt install --no-install-recommends ./$debs[0]"
                     . " ./$debs[1]" . ($dashboard ? " ./$dashboard" : ''));
loaded('installed', 1);
is((stat '/var/lib/nginx/ntrip')[2] & 07777, 0700, 'a folder for databases');

for my $name (@names) {
    ok(scalar glob("/usr/share/doc/$name/examples/*.conf"),
       "$name has its examples");
}

my %port = map { $_ => free_port() } 7547 .. 7549, 17547, 17548, 2101, 12101,
           8000;
my $ports = join ' ', map { "-p $_=$port{$_}" } sort keys %port;
my $out = command('devices go through it',
                  'conf/run -m /usr/lib/nginx/modules -1 -d '
                  . $t->path('run') . " $ports");
like($out, qr/All steps have succeeded/, 'each step');

# the page is whole, and nginx may read it

if ($dashboard) {
    my $share = '/usr/share/fieldgate-dashboard';
    my @files = (read_file('conf/dashboard/index.html')
                     =~ /(?:href|src)="([^"]+)"/g,
                 map { read_file($_) =~ /from '\.\/([^']+)'/g }
                     glob 'conf/dashboard/*.js');
    ok(-f "$share/$_", "the dashboard's $_") for @files, 'config.json';
    is(readlink "$share/config.json", '/etc/fieldgate/dashboard.json',
       'its configuration is in /etc');
    command('as www-data',
            "runuser -u www-data -- cat $share/config.json $share/main.js");
    ok(-f '/usr/share/doc/fieldgate-dashboard/examples/dashboard.conf',
       'with an example');
    push @names, 'fieldgate-dashboard';
}

# a later version

my @later;
for my $i (0, 1) {
    my $tree = $t->path("tree$i");
    push @later, $t->path("$names[$i].deb");
    command("unpacked: $names[$i]", "dpkg-deb -R $debs[$i] $tree");
    command("made later: $names[$i]",
            "sed -i 's/^Version: .*/Version: 999/' $tree/DEBIAN/control");
    command("packed: $names[$i]", "dpkg-deb -b $tree $later[$i]");
}

$out = command('upgraded', "$apt install @later");
like($out, qr/old NTRIP module until it is restarted/, 'with a word');
loaded('upgraded', 1);

command('purged', "$apt purge @names");
ok(!-e $_, "$_ goes") for '/etc/fieldgate', '/usr/share/fieldgate-dashboard';
loaded('purged', 0);
ok(!-d '/var/lib/nginx/ntrip', 'an empty folder goes');

done_testing;
