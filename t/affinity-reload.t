# Sessions survive reloads, each half a second after the workers of the last one
# are gone: a CPE that gets a 401 gives up when it is cut off three times more.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Affinity;

my $http = <<'END';
    cwmp_zone cwmp:1m;

    upstream acs {
        server 127.0.0.1:%%PORT:acs1%%;
        server 127.0.0.1:%%PORT:acs2%%;
        cwmp_affinity;
    }

    server {
        listen 127.0.0.1:%%PORT:cpe%%;
        location / {
            cwmp on;
            cwmp_public_url http://acs-side.example/client;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_pass http://acs;
        }
    }
END

my $t = Fieldgate->new(workers => 2, http => $http);

# runs code every half second beside the sessions, which go on until it has run
# three times

sub meanwhile {
    my ($code, $sessions, %opt) = @_;
    my $done = $t->path('done');
    my $out = $t->path('meanwhile.out');
    unlink $done, $out;

    my $pid = $t->spawn(meanwhile => sub {
        until (-e $done) {
            $code->();
            print "once\n";
            select undef, undef, undef, 0.5;
        }
    });
    my $times = sub { scalar(() = Fieldgate::Env::read_file($out) =~ /\n/g) };
    my @r = cpes($t, 'cpe', %opt, sessions => 1e6, stop => sub {
        return $sessions-- <= 0 && $times->() >= 3;
    });

    $t->write('done', '');
    is($t->reap($pid), 0, 'and meanwhile');

    return ($times->(), @r);
}

acs($t, rpcs => 2);
$t->start;

my %cpes = (at_once => 20, think => 0.05);

for my $case (['sessions', 500, [], []],
              ['with Digest', 200, [auth => ['box', 'secret']],
               [auth => ['box', 'secret']]],
              ['on new connections', 200, [], [reconnect => 1]])
{
    my ($what, $sessions, $acs, $cpe) = @$case;

    acs($t, rpcs => 2, @$acs);
    my ($n, @r) = meanwhile(sub { $t->reload(gone => 1) }, $sessions, %cpes,
                            @$cpe);

    cmp_ok(scalar @r, '>=', $sessions, @r . " $what, $n reloads");
    is(failed(@r), 0, 'none is lost');

    my $seen = seen($t);
    is($seen->{devices_at_most}, 1, 'a connection has one device');
    is($seen->{mixed}, 0, 'and nothing of another one');
    cmp_ok($seen->{early}, '<=', $seen->{vain}, 'nor two connections');
    is($seen->{ended}, scalar @r, 'the ACSs have seen the end of each');
    cmp_ok($seen->{resumed}, '>=', $n,
           "as many as there were reloads went on in a new worker");
}

done_testing;
