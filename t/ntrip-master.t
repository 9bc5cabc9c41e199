# What the master does for the workers: the folder of the database, and a number
# of slots, which may all be taken; and a process that is master and worker in
# one.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Ntrip;


# a process alone

{
    my $n = Fieldgate::Ntrip->new(start => 0, main => 'master_process off;');
    my $t = $n->nginx;

    $t->write('nginx.conf', $t->config);
    my ($status, $out) = $t->nginx('-c', $t->path('nginx.conf'),
                                   '-e', $t->path('error.log'));
    is($status, 0, 'master_process off: nginx starts') or diag($out);
    wait_for(sub { $t->master }, 'a pid file');

    my $rovers = $n->rovers(1, 2);
    my $seen = $rovers->wait_for(messages => 40);
    is($seen->{open}, 2, 'master_process off: rovers are fed');
    is(join("\n", @{$seen->{errors}}), '', 'master_process off: all of it');

    my $pid = $t->master;
    kill TERM => $pid;
    wait_for(sub { !Fieldgate::alive($pid) }, 'nginx to end');
    $t->allow(qr/open socket #\d+ left in connection/, qr/: aborting$/);
}


# old workers that cannot exit take all slots

{
    my $n = Fieldgate::Ntrip->new;
    my $t = $n->nginx;
    my %stopped;
    my $slots = sub { scalar(() = $t->error_log =~ /has slot/g) };

    for my $generation (2 .. 17) {
        my @old = grep { !exists $stopped{$_} } $t->pids;
        my $before = $slots->();

        $t->freeze(@old);
        @stopped{@old} = ();
        kill HUP => $t->master;

        wait_for(sub { $slots->() == $before + 2
                       && 2 == grep { !exists $stopped{$_} } $t->pids },
                 'workers with slots') if $generation < 17;
    }
    ok(wait_for(sub { 2 == (() = $t->error_log
                             =~ /all 32 slots for workers are taken/g) },
                'workers without a slot'),
       'the last workers have no slot, and say so');

    my $rovers = $n->rovers(1);
    my $seen = $rovers->wait_for(sub { shift->{open} == 0 });
    is($seen->{rovers}{u1}{messages}, 0, 'they serve no rover');
    $rovers->stop;

    # once: another one would be the end of a sanitizer that looks for leaks

    kill CONT => keys %stopped;
    wait_for(sub { !grep { Fieldgate::alive($_) } keys %stopped },
             'old workers to exit');
    wait_for(sub { $slots->() == 34 }, 'slots');

    $rovers = $n->rovers(2, 3);
    is($rovers->wait_for(messages => 20)->{open}, 2,
       'until there is a slot again');
    $t->stop;
}


# the folder of the database

SKIP: {
    skip 'only root can give a folder away', 16 if $> != 0;
    my $nobody = getpwnam 'nobody';

    for my $case (['missing', sub {}, $nobody, 0700],
                  ['empty', sub { mkdir $_[0], 0755 }, $nobody, 0755],
                  ['with a database',
                   sub { mkdir $_[0], 0755; touch("$_[0]/ntrip.db-wal") },
                   $nobody, 0755],
                  ['with something else',
                   sub { mkdir $_[0], 0755; touch("$_[0]/passwd") }, 0, 0755])
    {
        my ($name, $prepare, $owner, $mode) = @$case;

        my $t = Fieldgate->new(stream => <<'END');
    ntrip_zone 2m;
    ntrip_database %%DIR%%/db/ntrip.db;
    server { listen 127.0.0.1:%%PORT:caster%%; return ok; }
END

        # what the sanitizers of a worker have to say goes there, too

        chmod 01777, $t->dir;
        $prepare->($t->path('db'));

        my $conf = $t->config =~ s/^user root;$/user nobody nogroup;/mr;
        my ($status) = $t->check(conf => $conf);
        is($status, 0, "folder $name: nginx -t accepts");
        is(-d $t->path('db') ? 1 : 0, $name eq 'missing' ? 0 : 1,
           "folder $name: nginx -t makes none");

        $t->start(conf => $conf);
        my @stat = stat $t->path('db');
        is($stat[4], $owner, "folder $name: its owner");
        is($stat[2] & 07777, $mode, "folder $name: its mode");
        $t->stop;
    }
}

# a cors-relay.db that was copied as root; and what is not given away

SKIP: {
    skip 'only root can give a file away', 11 if $> != 0;
    my $nobody = getpwnam 'nobody';

    my $t = Fieldgate->new(stream => <<'END');
    ntrip_zone 2m;
    ntrip_database %%DIR%%/db/cors-relay.db;
    server { listen 127.0.0.1:%%PORT:caster%%; ntrip_caster; ntrip_relay; }
    ntrip_mount M;
END
    my $conf = $t->config =~ s/^user root;$/user nobody nogroup;/mr;
    my $db = $t->path('db/cors-relay.db');

    chmod 01777, $t->dir;
    mkdir $t->path('db'), 0755;
    system('sqlite3', $db, "CREATE TABLE tb_user (name PRIMARY KEY, passwd,"
           . " expire); INSERT INTO tb_user VALUES ('u', 'p', '2099-01-01')");
    touch("$db-journal");

    $t->start(conf => $conf);
    $t->wait_log(qr/cors-relay.db" was imported from cors-relay/);
    is((stat $db)[4], $nobody, 'a file copied as root: its owner');

    # again, into the folder that is theirs by now

    $t->stop;
    unlink "$db-wal", "$db-shm", "$db-journal";
    chown 0, 0, $db;
    my $length = length $t->error_log;
    $t->start(conf => $conf);
    wait_for(sub { (stat $db)[4] == $nobody }, 'the file to be given again');
    $t->stop;

    # a file that has another name as well, a link, and one in a folder that
    # is not for the workers alone

    for my $case (['hard link', sub { link $t->path('foreign'), $_[0] },
                   'foreign', qr/give it to their user with chown/],
                  ['link', sub { symlink $t->path('foreign'), $_[0] },
                   'foreign', qr/is a link/],
                  ['folder of others', sub { rename $t->path('foreign'), $_[0];
                                             chown 0, 0, $t->path('db');
                                             touch($t->path('db/other')) },
                   'db/cors-relay.db', qr/give it to their user with chown/])
    {
        my ($name, $prepare, $file, $said) = @$case;

        unlink glob "$db*";
        touch($t->path('foreign'));
        chmod 0600, $t->path('foreign');
        $prepare->($db);
        $length = length $t->error_log;
        $t->start(conf => $conf);
        $t->stop;
        is((stat $t->path($file))[4], 0, "a $name: stays whose it is");
        like(substr($t->error_log, $length), $said, "a $name: it is said so");
    }
}


# the file of the locks is no link to another

{
    my $n = Fieldgate::Ntrip->new(start => 0, server => 'ntrip_source_wait 1s;');
    my $t = $n->nginx;

    symlink $t->path('elsewhere'), $n->database . '.lease';
    $t->start;
    my $rovers = $n->rovers(1);
    $rovers->wait_for(sub { shift->{open} == 0 });
    ok(!-e $t->path('elsewhere'), 'a link in place of the locks: not followed');
    like($t->error_log, qr/ntrip\.db\.lease" failed/, 'as the log says');
    $t->stop;
}

sub touch { open my $fh, '>', $_[0] or die "$_[0]: $!" }

done_testing();
