# ntrip_oversubscribe: two places on one account, by turns, with rovers in two
# workers; a third one waits; over a reload, a death, and until there is another
# account.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Ntrip;
use Fieldgate::Provider qw(frame frame_read);
use Fieldgate::Rovers;
use IO::Select;
use MIME::Base64 qw(encode_base64);

my $n = Fieldgate::Ntrip->new(
    users => 5, accounts => 1, workers => 2, provider => { rate => 10 },
    server => 'ntrip_oversubscribe on; ntrip_gga_interval 100ms;'
              . 'ntrip_source_linger 100ms; ntrip_source_wait 10m;',
    others => { off => 'ntrip_source_wait 10m;' });
my ($t, $provider) = ($n->nginx, $n->provider);

my (%rover, %by_fd);
my $select = IO::Select->new;

# a rover by its user number: what it hears is [login, number of message] each

sub rover {
    my ($user, $lat, $port) = @_;
    my $s = $t->connect($port // 'caster');
    my $auth = encode_base64("u$user:p$user", '');
    my $r = $rover{$user} = { fh => $s, in => '', heard => [], wrong => 0,
                              gga => Fieldgate::Rovers::Loop::gga($lat, 11) };
    syswrite $s, "GET /M0 HTTP/1.0\r\nUser-Agent: NTRIP t\r\n"
                 . "Authorization: Basic $auth\r\n\r\n$r->{gga}";
    my $reply = Fieldgate::read_all($s, qr/\A.{14}/s);
    die "u$user gets: $reply" if $reply !~ s/\AICY 200 OK\r\n\r\n//;
    $r->{in} = $reply;
    $by_fd{fileno $s} = $r;
    $select->add($s);
}

# all that has come, until the condition holds

sub hear {
    my ($until, $what) = @_;

    wait_for(sub {
        for my $s ($select->can_read(0.1)) {
            my $r = $by_fd{fileno $s};
            if (!sysread $s, $r->{in}, 65536, length $r->{in}) {
                $r->{closed} = 1;
                $select->remove($s);
                next;
            }
            while (length $r->{in} >= 120) {
                my $got = substr $r->{in}, 0, 120, '';
                my ($login, $seq) = frame_read($got);
                $r->{wrong}++ if $got ne frame($login, $seq, 120);
                push @{$r->{heard}}, [$login, $seq];
            }
        }
        return $until->();
    }, $what);
}

# messages without one in between that are somebody else's

sub turns {
    my ($user, $login) = @_;
    my ($n, $last) = (0);
    for (grep { $_->[0] == $login } @{$rover{$user}{heard}}) {
        $n++ if !defined $last || $_->[1] != $last + 1;
        $last = $_->[1];
    }
    return $n;
}

# the worker that has the first has opened the database: it may be stopped

rover(1, 48);
hear(sub { @{$rover{1}{heard}} > 5 }, 'the first');
my $port = $rover{1}{fh}->sockport;
my ($first) = $t->error_log =~ /(\d+)#\d+: \S+ client 127\.0\.0\.1:$port /;
my ($second) = grep { $_ != $first } $t->pids;
$t->only_worker($second, sub { rover(2, 52) });
hear(sub { @{$rover{2}{heard}} > 5 }, 'the second, in another worker');

# the second place has a rover in each of the two

$t->only_worker($first, sub { rover(5, 52) });
hear(sub { @{$rover{5}{heard}} > 5 }, 'another one there, in the first worker');
rover(3, 44);
rover(4, 40, 'off');

hear(sub { turns(1, 1) >= 3 && turns(2, 1) >= 3 }, 'three turns each');

my @one = map { $_->[1] } @{$rover{1}{heard}};
my @two = map { $_->[1] } @{$rover{2}{heard}};
my %heard;
$heard{$_}++ for @one, @two;

is($provider->seen->{logins}, 1, 'one login');
is(scalar(grep { $_ > 1 } values %heard), 0, 'nobody hears another turn');
is(join(' ', grep { !$heard{$_} } $one[0] .. ($two[-1] > $one[-1] ? $one[-1]
                                                                 : $two[-1])),
   '', 'and nothing is lost');
is($rover{1}{wrong} + $rover{2}{wrong}, 0, 'whole messages');

my %same = map { $_ => 1 } map { $_->[1] } @{$rover{5}{heard}};
my $joined = $rover{5}{heard}[0][1];
my $until = $rover{5}{heard}[-1][1];
is(join(' ', grep { $_ >= $joined && $_ <= $until && !$same{$_} } @two), '',
   'rovers of one place hear the same, in whatever worker');
is(scalar(grep { $same{$_} } @one), 0, 'and none of them another turn');
is($rover{5}{wrong}, 0, 'in whole messages');

my @told = map { $_->{line} =~ /,(\d\d)\d\d\.\d+,N,/ } @{$provider->seen->{gga}};
my $told = join ' ', grep { defined } map { $_ && $told[$_] == $told[$_ - 1]
                                            ? undef : $told[$_] } 0 .. $#told;
like($told, qr/^48 52 48 52 48 52/, 'the provider is told of each in its turn');
is(scalar @{$rover{3}{heard}}, 0, 'there is no third');
is(scalar @{$rover{4}{heard}}, 0, 'nor one where it is off');
like($t->error_log, qr/no account is free, one is shared with another place/,
     'the log says so');

# a reload, a death

$t->reload(gone => 1);
my ($before, $also) = map { scalar @{$rover{$_}{heard}} } 1, 2;
hear(sub { @{$rover{1}{heard}} > $before + 5
           && @{$rover{2}{heard}} > $also + 5 }, 'both after a reload');
ok(!$rover{1}{closed} && !$rover{2}{closed}, 'a reload closes neither');
is($provider->seen->{twice}, 0, 'there is never a second login beside it');

# another account: to each its own, the one that waits has a part of one

$n->sql("INSERT INTO source (host, port, name, password)"
        . " SELECT host, port, 'a2', password FROM source");
hear(sub { my %logins = map { $_ => 1 }
                        map { @{$_->{heard}} ? $_->{heard}[-1][0] : () }
                        @rover{1 .. 3};
           return @{$rover{3}{heard}} > 5 && keys %logins >= 2 },
     'another account to be used');
is($provider->seen->{twice}, 0, 'no account twice');
is($rover{$_}{wrong}, 0, "u$_: whole messages") for 1 .. 3;

# a worker that dies takes its own rovers along, and nobody else's

my ($pid) = $t->pids;
$t->kill_worker($pid);
my %at = map { $_ => scalar @{$rover{$_}{heard}} } 1 .. 3;
hear(sub { !grep { !$rover{$_}{closed} && @{$rover{$_}{heard}} < $at{$_} + 5 }
           1 .. 3 }, 'those that are left to go on');
pass('those of another worker go on');
is($rover{$_}{wrong}, 0, "u$_: whole messages") for 1 .. 3;

$t->stop;

my ($status, $out) = $t->check(stream => 'server { ntrip_oversubscribe x; }');
like($out, qr/invalid value "x" in "ntrip_oversubscribe" directive/,
     'nginx -t');

done_testing();
