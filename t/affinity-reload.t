# Sessions survive reloads, one every half second.

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

# runs code every half second beside the sessions, until they are done

sub meanwhile {
    my ($code, %opt) = @_;
    my $done = $t->path('done');
    unlink $done;

    my $pid = $t->spawn(meanwhile => sub {
        my $n = 0;
        until (-e $done) {
            $code->();
            $n++;
            select undef, undef, undef, 0.5;
        }
        print "$n\n";
    });
    my @r = cpes($t, 'cpe', %opt);

    open my $fh, '>', $done;
    close $fh;
    is($t->reap($pid), 0, 'and meanwhile');

    open $fh, '<', $t->path('meanwhile.out');
    chomp(my $n = <$fh>);
    return ($n, @r);
}

acs($t, rpcs => 2);
$t->start;

my $master = $t->master;
my %cpes = (sessions => 500, at_once => 20, think => 0.05);

for my $case (['500 sessions', [], []],
              ['with Digest', [auth => ['box', 'secret']],
               [auth => ['box', 'secret'], sessions => 200]],
              ['on new connections', [], [reconnect => 1, sessions => 200]])
{
    my ($what, $acs, $cpe) = @$case;

    acs($t, rpcs => 2, @$acs);
    my ($n, @r) = meanwhile(sub { kill HUP => $master }, %cpes, @$cpe);

    cmp_ok($n, '>=', 3, "$what, $n reloads");
    is(failed(@r), 0, 'none is lost');

    my $seen = seen($t);
    is($seen->{devices_at_most}, 1, 'a connection has one device');
    is($seen->{mixed}, 0, 'and nothing of another one');
    is($seen->{ended}, scalar @r, 'the ACSs have seen the end of each');
    cmp_ok($seen->{resumed}, '>', 0, 'some went on in a new worker');
}

done_testing;
