# conf/install and conf/install --remove: into the distribution's nginx, in a
# mount namespace in which all that they change is a copy.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Env qw(read_file write_file);

if (defined $ENV{TEST_NGINX_BINARY}) {
    plan(skip_all => 'conf/install is for the distribution\'s nginx');
}

my @changed = qw(/etc/nginx /usr/lib/nginx/modules
                 /usr/share/nginx/modules-available /var/lib/nginx /run);

if (!$ENV{FIELDGATE_PRIVATE}) {
    if ($> != 0 || system('unshare --mount true 2> /dev/null') != 0) {
        plan(skip_all => 'no mount namespace of its own is to be had');
    }

    $ENV{FIELDGATE_PRIVATE} = 1;
    exec 'unshare', '--mount', $^X, $0 or die "unshare: $!";
}

my $t = Fieldgate->new;
my $enabled = '/etc/nginx/modules-enabled';
my @links = ("$enabled/50-mod-http-cwmp.conf",
             "$enabled/70-mod-stream-ntrip.conf");
my @files = map { ("/usr/lib/nginx/modules/ngx_${_}_module.so",
                   '/usr/share/nginx/modules-available/mod-' . s/_/-/r
                   . '.conf') } qw(http_cwmp stream_ntrip);

for my $folder (@changed) {
    my $copy = $t->path($folder =~ s{/}{_}gr);
    mkdir $copy or die "$copy: $!";
    if ($folder ne '/run') {
        system('cp', '-a', "$folder/.", $copy) == 0 or die "cp $folder";
    }
    system('mount', '--bind', $copy, $folder) == 0 or die "mount $folder";
}

# what somebody has put there by hand stays out of the way
unlink @links, @files;

sub configure {
    my ($http) = @_;
    write_file('/etc/nginx/nginx.conf', $t->expand(<<"END"));
include $enabled/*.conf;
user root;
worker_processes 2;
pid /run/nginx.pid;
error_log %%DIR%%/error.log info;
events { }
http {
    access_log off;
    $http
    server { listen 127.0.0.1:%%PORT:http%%; return 204; }
}
END
}

sub install {
    my @args = @_;
    my $out = `conf/install @args 2>&1`;
    return ($? >> 8, $out);
}

# all of it and nothing else

sub installed {
    my ($name, $there) = @_;
    for my $file (@files, @links) {
        is(-e $file ? 1 : 0, $there, "$name: $file");
        ok(!-e "$file.$_", "$name: no $file.$_") for qw(new old);
    }
}

my $master;
END { kill KILL => $master if $master && ($ENV{FIELDGATE_PRIVATE} // 0) }


my ($status, $out) = install('--help');
is($status, 2, 'an argument that is none') or diag($out);

# not over a configuration that nginx does not like

configure('nothing_of_ours on;');
($status, $out) = install();
is($status, 1, 'a broken configuration') or diag($out);
like($out, qr/unknown directive "nothing_of_ours"/, 'nginx says why');
installed('not installed', 0);

configure('');
($status, $out) = install();
is($status, 0, 'installed') or diag($out);
like($out, qr/nginx is not running/, 'and says that nginx does not run');
installed('installed', 1);
is((stat '/var/lib/nginx/ntrip')[2] & 07777, 0700, 'a folder for databases');

is(system('nginx', '-q'), 0, 'nginx starts with the modules');
wait_for(sub { $master = -s '/run/nginx.pid'
                         && 0 + read_file('/run/nginx.pid') },
         'nginx');

($status, $out) = install();
is($status, 0, 'once more') or diag($out);
unlike($out, qr/^installed/m, 'with nothing to do');
like($out, qr/nginx was reloaded/, 'a running nginx is reloaded');

# another build: a file that only looks like an older one

open my $so, '>>', $files[0] or die "$files[0]: $!";
print $so "\0";
close $so or die "$files[0]: $!";

my $inode = (stat $files[0])[1];
($status, $out) = install();
is($status, 0, 'over another build') or diag($out);
like($out, qr/goes on with the modules that it has loaded/,
     'a running nginx needs a restart');
isnt((stat $files[0])[1], $inode, 'the mapped file is not written into');
installed('over another build', 1);

# interrupted while nginx looks at its configuration, all is as it was

sub interrupted {
    my ($what, @args) = @_;
    my $path = $t->path('bin');
    mkdir $path;
    unlink "$path/pid";
    write_file("$path/nginx", "#!/bin/sh\n"
               . "until [ -s $path/pid ]; do sleep 0.1; done\n"
               . "kill -TERM \$(cat $path/pid)\n");
    chmod 0755, "$path/nginx";
    local $ENV{PATH} = "$path:$ENV{PATH}";
    my $pid = open my $pipe, '-|', 'conf/install', @args
        or die "conf/install: $!";
    write_file("$path/pid", "$pid\n");
    my $out = join '', <$pipe>;
    close $pipe;
    is($? >> 8, 143, "$what: interrupted") or diag($out);
}

open $so, '>>', $files[0] or die "$files[0]: $!";
print $so "\0";
close $so or die "$files[0]: $!";
my $bytes = read_file($files[0]);
interrupted('over another build');
ok(read_file($files[0]) eq $bytes, 'the old build is there again');
installed('interrupted', 1);
interrupted('removal', '--remove');
installed('removal interrupted', 1);

# what somebody has left there is no old build of ours

write_file("$files[0].old", 'not ours');
($status, $out) = install();
is($status, 0, 'the new build at last') or diag($out);
is(read_file("$files[0].old"), 'not ours', 'beside a file of somebody else');
unlink "$files[0].old";

# removed only if nobody uses it

configure('cwmp_zone cwmp:1m;');
($status, $out) = install('--remove');
is($status, 1, 'in use') or diag($out);
like($out, qr/unknown directive "cwmp_zone"/, 'nginx says what');
installed('in use', 1);

configure('');
($status, $out) = install('--remove');
is($status, 0, 'removed') or diag($out);
installed('removed', 0);
ok(-d '/var/lib/nginx/ntrip', 'databases stay');

kill QUIT => $master;
wait_for(sub { !Fieldgate::alive($master) }, 'nginx to end');
$master = 0;

unlike(read_file($t->path('error.log')), qr/\[(?:crit|alert)\]/,
       'nothing bad in error.log');

done_testing;
