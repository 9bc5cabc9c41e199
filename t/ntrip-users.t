# What a user's row says besides the password: which mountpoints, from when on,
# and where; at the login, during the session, and after a reload.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Env qw(read_file);
use Fieldgate::Ntrip;
use Fieldgate::Rovers;
use MIME::Base64 qw(encode_base64);

my $n = Fieldgate::Ntrip->new(
    users => 20, accounts => 4, workers => 2, provider => { rate => 20 },
    stream => "log_format rover '\$ntrip_user|\$ntrip_result';\n"
              . 'access_log %%DIR%%/access.log rover;'
              . 'ntrip_mount Fixed gga=off;',
    server => 'ntrip_gga_interval 100ms;');
my $t = $n->nginx;
my $later = time + 100000;

$n->sql(<<"END");
UPDATE user SET mounts = 'other, m*' WHERE name = 'u1';
UPDATE user SET mounts = 'X*,*ixe' WHERE name = 'u2';
UPDATE user SET mounts = '*IXED' WHERE name = 'u3';
UPDATE user SET valid_from = $later WHERE name = 'u4';
UPDATE user SET area = '48.1,11.6,30' WHERE name IN ('u5', 'u6', 'u7', 'u11');
UPDATE user SET area = 'around Munich' WHERE name IN ('u8', 'u9');
UPDATE user SET area = '48.1,11.6,30' WHERE name = 'u12';
END

sub logged {
    my ($user) = @_;
    my $result;
    wait_for(sub { ($result) = read_file($t->path('access.log'))
                               =~ /^$user\|(.*)$/m },
             "the end of $user");
    return $result // '';
}

# the reply to a request of the user, and the connection

sub asked {
    my ($user, $mount, $version, $more) = @_;
    my $s = $t->connect('caster');
    my $auth = encode_base64("u$user:p$user", '');
    my $ntrip = $version == 2 ? "Ntrip-Version: Ntrip/2.0\r\n" : '';
    syswrite $s, "GET /$mount HTTP/1.1\r\nHost: x\r\nUser-Agent: NTRIP t\r\n"
                 . "${ntrip}Authorization: Basic $auth\r\n" . ($more // '')
                 . "\r\n";
    return (Fieldgate::read_all($s, qr/\r\n\r\n/), $s);
}

sub gga { Fieldgate::Rovers::Loop::gga(@_) =~ s/\r\n//r }

# mountpoints

my ($reply, $s) = asked(1, 'M0', 1);
like($reply, qr/^ICY 200 OK/, 'a pattern has the mountpoint, case aside');
($reply) = asked(1, 'Fixed', 1);
like($reply, qr/^HTTP\/1.0 401/, 'but not another one');
($reply) = asked(2, 'Fixed', 1);
like($reply, qr/^HTTP\/1.0 401/, 'a pattern is for the whole name');
($reply, my $three) = asked(3, 'Fixed', 1);
like($reply, qr/^ICY 200 OK/, 'as it begins with anything');
$n->sql("UPDATE user SET mounts = 'M0' WHERE name = 'u3'");
is(logged('u3'), 'revoked', 'who may not have its mountpoint any more is out');

# from when on

($reply) = asked(4, 'Fixed', 1);
like($reply, qr/^HTTP\/1.0 401/, 'before valid_from');
ok($t->wait_log(qr/login of user "u4" refused: not valid yet/),
   'the log says why');
$n->sql("UPDATE user SET valid_from = 0 WHERE name = 'u4'");
wait_for(sub { ($reply, $s) = asked(4, 'Fixed', 1); $reply =~ /^ICY/ },
         'valid_from to be known');
$n->sql("UPDATE user SET valid_from = $later WHERE name = 'u4'");
is(logged('u4'), 'revoked', 'a session ends when valid_from is later');

# where

my $rovers = $n->rovers(5, 6, 11, 12);
$rovers->wait_for(fed => 4);
$rovers->move('u5', 48.3, 11.7);
$rovers->move('u6', 48.1, 12.1);
is(logged('u6'), 'area', 'who leaves the area is closed');
ok($t->wait_log(qr/user "u6" is outside its area, 37\.\d km from its centre/),
   'the log says how far');
my $seen = $rovers->wait_for(sub { $_[0]{rovers}{u5}{positions} > 3 });
is($seen->{rovers}{u5}{state}, 'data', 'and who stays within is not');

($reply) = asked(7, 'M0', 2, 'Ntrip-GGA: ' . gga(48.5, 11.6) . "\r\n");
like($reply, qr/^HTTP\/1.1 403 Forbidden\r\nNtrip-Version: Ntrip\/2.0\r\n/,
     '2.0, outside already with the request');
($reply, $s) = asked(7, 'Fixed', 2, 'Ntrip-GGA: ' . gga(48.1, 11.6) . "\r\n");
like($reply, qr/^HTTP\/1.1 200 OK/, 'or within');
syswrite $s, gga(49, 11.6) . "\r\n";
wait_for(sub { read_file($t->path('access.log')) =~ /^u7\|area$/m },
         'a mountpoint without need of a position to look at it');

my $ended = () = read_file($t->path('access.log')) =~ /^u7\|area$/mg;
asked(7, 'Fixed', 1, "\r\n" . gga(49, 11.6));
wait_for(sub { $ended < (() = read_file($t->path('access.log'))
                             =~ /^u7\|area$/mg) },
         'a position right behind such a request to be looked at');
pass('also at one that comes right behind the request');

# what cannot be read is nowhere, said once a session

($reply, $s) = asked(8, 'Fixed', 1);
like($reply, qr/^ICY 200 OK/, 'an area that is none: without a position');
syswrite $s, gga(48.1, 11.6) . "\r\n";
is(logged('u8'), 'area', 'but nowhere with one');
($reply) = asked(9, 'M0', 2, 'Ntrip-GGA: ' . gga(48.1, 11.6) . "\r\n");
like($reply, qr/^HTTP\/1.1 403/, 'nor with the request');
ok($t->wait_log(qr/user "u8" is outside its area, which cannot be read/),
   'the log does not measure to nowhere');
is(scalar(() = $t->error_log =~ /area of ntrip user "u[89]" cannot be read/g),
   2, 'each is named once');

# during the session, and after a reload

$n->sql("UPDATE user SET area = '0,0,100' WHERE name = 'u12'");
is(logged('u12'), 'area', 'another area ends the session that is outside it');
$t->reload(gone => 1);
$rovers->move('u11', 49, 11.6);
is(logged('u11'), 'area', 'an area outlives a hand-over');
is(join("\n", @{$rovers->seen->{errors}}), '', 'and nobody gets half a message');

$rovers->stop;
$t->stop;

done_testing();
