# cwmp_acs_auth: what nginx itself asks of an ACS, where it holds the CPE's
# credentials.

use lib 't/lib';
use Fieldgate;
use Fieldgate::ConnectionRequest;
use Fieldgate::Wakeup;

use Digest::MD5 qw(md5_hex);
use Digest::SHA qw(sha256_hex);

my $key = '0123456789abcdef';
my $wake = "cwmp_connection_request; cwmp_timeout 150s;\n";
my $t = Fieldgate->new(workers => 2, http => <<"END");
    cwmp_zone cwmp:1m;
    cwmp_secret $key;
    cwmp_origin_allow 127.0.0.1;
    log_format acs '\$status \$cwmp_wakeup_result';
    map \$http_x_unknown \$password { default "s3c:ret"; 1 ""; }
    map \$http_x_unknown \$user { default acs; 1 ""; }

    server {
        listen 127.0.0.1:%%PORT:acs%%;
        access_log %%DIR%%/access.log acs;
        keepalive_requests 2000;

        location = /client {
            $wake
            cwmp_credentials \$user \$password;
            cwmp_acs_auth digest;
        }

        location = /basic {
            $wake
            cwmp_credentials \$user \$password;
            cwmp_acs_auth basic;
        }

        location = /held {
            $wake
            cwmp_credentials \$user \$password;
        }

        location = /none { $wake cwmp_acs_auth none; }
        location = /own { $wake }

        location = /if {
            $wake
            cwmp_credentials \$user \$password;
            cwmp_acs_auth digest;
            if (\$http_x_if) { set \$unused 1; }
        }
    }
END
$t->start;

my $acs = Fieldgate::Wakeup->new($t);
my $cpe = Fieldgate::ConnectionRequest->new;
my ($hostport, $path) = $cpe->url =~ m{^http://([^/]+)(/.*)$};
my $sig = '&sig=' . Fieldgate::Wakeup::sign($key, 'query', $hostport, $path);

sub wake {
    my ($location, %opt) = @_;
    my $at = Fieldgate::Wakeup->new($t, path => $location);
    return $at->wake($cpe->url, more => $sig, auth => undef, %opt);
}

sub target { my ($location) = @_;
             return "$location?origin="
                    . Fieldgate::Wakeup::encode($cpe->url) . $sig }

# the challenges of a reply, as hashes

sub challenges {
    my ($r) = @_;
    return map { +{ /(\w+)="?([^",]*)"?/g, text => $_ } }
           @{$r->{headers}{'www-authenticate'} // []};
}

# what a program answers: algorithm, nc, uri, password, user, method, header

sub answer {
    my ($v, %o) = @_;
    my $hash = ($o{algorithm} // 'MD5') eq 'MD5' ? \&md5_hex : \&sha256_hex;
    my $uri = $o{uri} // target('/client');
    my $nc = $o{nc} // '00000001';
    my $user = $o{user} // 'acs';
    my $method = $o{method} // 'GET';
    my $ha1 = $hash->("$user:$v->{realm}:" . ($o{password} // 's3c:ret'));
    my $response = $hash->("$ha1:$v->{nonce}:$nc:0a4f113b:auth:"
                           . $hash->("$method:$uri"));
    return sprintf $o{form} // 'Digest username="%s",realm="%s",nonce="%s",'
                               . 'uri="%s",algorithm=%s,response="%s",'
                               . 'qop=auth,nc=%s,cnonce="0a4f113b"',
                   $user, $v->{realm}, $v->{nonce}, $uri,
                   $o{algorithm} // 'MD5', $response, $nc;
}

# ---- the challenge ----

my $r = wake('/client');
is($r->{status}, 401, 'without credentials: 401');
is($r->{body}, '', 'with no body');
my @offered = challenges($r);
is(join(' ', map { $_->{algorithm} } @offered), 'SHA-256 MD5',
   'both algorithms are offered, the stronger one first');
is($_->{realm} . $_->{qop} . ($_->{stale} // ''), 'cwmpauth',
   "$_->{algorithm}: realm and qop") for @offered;
is($offered[0]{nonce}, $offered[1]{nonce}, 'of one nonce');
unlike($offered[0]{nonce}, qr/[^\w-]/, 'which needs no escapes');
is(scalar @{$cpe->seen->{requests}}, 0, 'the CPE is not called');
isnt((challenges(wake('/client')))[0]{nonce}, $offered[0]{nonce},
     'each nonce is new');

# ---- programs ----

sub fresh { return (challenges(wake('/client', @_)))[1] }

for my $algorithm ('MD5', 'SHA-256') {
    $r = wake('/client', auth => answer(fresh(), algorithm => $algorithm));
    is($r->{status}, 200, "$algorithm wakes the CPE");
}
is($cpe->seen->{requests}[-1]{verdict}, 'ok', 'with the credentials held here');

# GenieACS: node joins both headers, and what stands last counts

my $joined = join ', ', map { $_->{text} } challenges(wake('/client'));
my %last = map { /^\s*(?:Digest )?(\w+)="?([^"]*)"?$/ ? ($1 => $2) : () }
           split /,/, $joined;
is($last{algorithm}, 'MD5', 'GenieACS: reads MD5');
is(wake('/client', auth => answer(\%last))->{status}, 200, 'and wakes the CPE');

# Oktopus: the first header, by MD5, a short nc in quotes, no algorithm

my ($first) = challenges(wake('/client'));
my $form = 'Digest username="%s", realm="%s", nonce="%s", uri="%s", '
    . 'cnonce="0a4f113b", response="%6$s", nc="%7$s", qop="auth"';
is(wake('/client', auth => answer($first, form => $form, nc => 1))->{status},
   200, 'Oktopus wakes the CPE');

# TeamsACS: the same, but always of the same uri

$cpe->clear;
$r = wake('/client', auth => answer(fresh(), form => $form, nc => 1,
                                    uri => '/auth'));
is($r->{status}, 401, 'TeamsACS signs another uri: 401');
like($t->error_log, qr/the ACS's Digest response signs another uri than the one that is called/,
     'the log says so');
is($r->{body}, '', 'the body does not');

# curl

my $curl = 'curl -s -o /dev/null -w "%{http_code}" --globoff ';
my $url = 'http://127.0.0.1:' . $t->port('acs') . target('/client');
is(`$curl --digest -u acs:s3c:ret '$url'`, 200, 'curl --digest');
is(`$curl --digest -u acs:wrong '$url'`, 401, 'not with a wrong password');
is(`$curl --anyauth -u acs:s3c:ret '$url'`, 200, 'curl --anyauth');
is(`$curl -u acs:s3c:ret '$url'`, 401, 'not with Basic');
my $many = `$curl --digest -u acs:s3c:ret '$url' '$url' '$url'`;
is($many, '200' x 3, 'several on one connection') or diag($many);

# ---- what is refused ----

$cpe->clear;
for my $case (['another user', user => 'other'],
              ['a wrong password', password => 'S3c:ret'],
              ['another method', method => 'HEAD'],
              ['without the signature', uri => target('/client') =~ s/&sig.*//r],
              ['an algorithm that was not offered', algorithm => 'MD5-sess'])
{
    my ($name, @how) = @$case;
    $r = wake('/client', auth => answer(fresh(), @how));
    is($r->{status}, 401, "$name: 401");
    is(scalar(grep { $_->{stale} } challenges($r)), 0, "$name: not stale");
}
is(wake('/client', auth => 'Basic YWNzOnMzYzpyZXQ=')->{status}, 401,
   'Basic: 401');
is(wake('/client', auth => 'Digest x')->{status}, 401, 'no parameters: 401');
is(wake('/client', headers => "X-Unknown: 1\r\n",
        auth => answer(fresh(), user => '', password => ''))->{status}, 401,
   'a CPE whose credentials are not known: 401');

# the order of refusals

is(wake('/client', method => 'POST')->{status}, 405, 'first the method');
is(wake('/client', args => 'x=1', more => '')->{status}, 400,
   'then the origin');
is(wake('/client', more => '&sig=' . 'A' x 22)->{status}, 403,
   'then the signature');
is(scalar @{$cpe->seen->{requests}}, 0, 'the CPE has heard of none');

# ---- counts ----

sub on { my ($pid, @args) = @_;
         return $t->only_worker($pid, sub { wake('/client', @args) }) }

my ($one, $two) = $t->pids;
my $v = (challenges(on($one)))[1];
is(on($two, auth => answer($v))->{status}, 200,
   'a nonce of one worker is good in another');
$r = on($one, auth => answer($v));
is($r->{status}, 401, 'the same again: 401');
is(join(' ', map { $_->{stale} // '' } challenges($r)), 'true true', 'stale');
is(on($two, auth => answer($v, nc => '00000003'))->{status}, 200,
   'a higher count is new');
is(on($one, auth => answer($v, nc => '00000002'))->{status}, 401,
   'a lower one is not');
is(wake('/client', auth => answer($v, nc => '00000004',
                                  password => 'wrong'))->{status}, 401,
   'nor with a wrong password');
is(wake('/client', auth => answer($v, nc => '00000004'))->{status}, 200,
   'which uses nothing up');

$v = fresh();
$t->reload(gone => 1);
is(wake('/client', auth => answer($v))->{status}, 200,
   'a nonce outlives a reload');
$t->kill_worker($_) for $t->pids;
is(wake('/client', auth => answer($v, nc => 2))->{status}, 200,
   'and killed workers');
is(wake('/client', auth => answer($v, nc => 2))->{status}, 401,
   'as does what was counted');

# one that is not ours, or too old: stale, to who has the password

my $made = Fieldgate::Wakeup::nonce($key, time - 61, 1);
for my $nonce ('abc', $v->{nonce} =~ s/(.)$/$1 eq 'A' ? 'B' : 'A'/er, $made) {
    $r = wake('/client', auth => answer({ %$v, nonce => $nonce }));
    is($r->{status}, 401, "nonce $nonce: 401");
    is((challenges($r))[0]{stale}, 'true', "nonce $nonce: stale");
    $r = wake('/client', auth => answer({ %$v, nonce => $nonce },
                                        password => 'x'));
    is((challenges($r))[0]{stale}, undef,
       "nonce $nonce: not so to who has it not");
}

# a nonce that many newer ones have pushed out

$v = fresh();
my $keep = $acs->connect;
for (1 .. 1100) {
    wake('/client', socket => $keep)->{status} == 401 or die 'no 401';
}
$r = wake('/client', auth => answer($v));
is((challenges($r))[0]{stale}, 'true', '1,100 nonces later it is stale');

# ---- basic, none, and defaults ----

is(wake('/basic')->{status}, 401, 'basic: asked for');
is((wake('/basic')->{headers}{'www-authenticate'} // [])->[0],
   'Basic realm="cwmp"', 'basic: the challenge');
my $good = Fieldgate::Wakeup::basic('acs', 's3c:ret');
is(wake('/basic', auth => $good)->{status}, 200, 'basic: those held here');
is(wake('/basic', auth => Fieldgate::Wakeup::basic('acs', 's3c:rex'))->{status},
   401, 'basic: not a wrong password');
is(wake('/basic', auth => Fieldgate::Wakeup::basic('acx', 's3c:ret'))->{status},
   401, 'basic: not another name');
is(wake('/basic', auth => Fieldgate::Wakeup::basic('', ''),
        headers => "X-Unknown: 1\r\n")->{status}, 401,
   'basic: nor nothing where nothing is known');
is(wake('/held')->{status}, 200, 'with credentials nothing by default');
is(wake('/own')->{status}, 401, 'without, basic');
is(wake('/own', auth => $good)->{status}, 200, 'which are for the CPE');
is(wake('/own', auth => Fieldgate::Wakeup::basic('acs', 'x'))->{status}, 401,
   'and told to be wrong');
is(wake('/if', headers => "X-If: 1\r\n")->{status}, 401, 'in an "if", too');
$r = wake('/none');
is($r->{status}, 502, 'none: a CPE that asks gets nothing');
$cpe->set(auth => 'none');
is(wake('/none')->{status}, 200, 'none: one that does not is woken');
$cpe->set(auth => 'digest', password => 'other');
$v = fresh();
is(wake('/client', auth => answer($v))->{status}, 502,
   'credentials that the CPE does not take are not the ACS\'s fault');

unlike($t->error_log, qr/\Q$sig\E|s3c/, 'no secret in the log');
$t->stop;

# ---- what nginx -t says ----

sub conf {
    my ($in) = @_;
    return "cwmp_secret $key; server { location / { $in } }";
}

for my $case (['no credentials', conf("$wake cwmp_acs_auth digest;"),
               qr/"cwmp_acs_auth digest" needs "cwmp_credentials", .* in \S+:\d+/],
              ['no wake-ups', conf('cwmp_acs_auth basic;'),
               qr/"cwmp_acs_auth" has no effect without "cwmp_connection_req/],
              ['path mode', conf("$wake cwmp_acs_auth none; "
                                 . "cwmp_url_mode path;"),
               qr/"cwmp_acs_auth" needs "cwmp_url_mode query"/],
              ['host mode', conf("$wake cwmp_acs_auth basic; "
                                 . "cwmp_url_mode host;"),
               qr/"cwmp_acs_auth" needs "cwmp_url_mode query"/],
              ['another word', conf("$wake cwmp_acs_auth ntlm;"),
               qr/invalid value "ntlm"/],
              ['twice', conf("$wake cwmp_acs_auth none; cwmp_acs_auth none;"),
               qr/"cwmp_acs_auth" directive is duplicate/],
              ['in a server', "server { cwmp_acs_auth none; }",
               qr/"cwmp_acs_auth" directive is not allowed here/])
{
    my ($name, $http, $says) = @$case;
    my ($status, $out) = $t->check(http => $http);
    is($status, 1, "$name: refused");
    like($out, $says, "$name: explained");
}

done_testing;
