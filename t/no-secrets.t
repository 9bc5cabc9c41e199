# No password, key, Authorization value or path of a CPE's URL in error.log, not
# even at the level debug, from any line of ours: through logins of rovers, at
# providers and on the console, and wake-ups in each mode, good ones and bad.
#
# nginx itself logs requests and variables at that level.  Its lines are told
# from ours by their exact forms.

use lib 't/lib';
use Fieldgate;
use Fieldgate::ConnectionRequest;
use Fieldgate::Env qw(has_feature read_file);
use Fieldgate::Ntrip;
use Fieldgate::Wakeup;
use MIME::Base64 qw(encode_base64);

plan(skip_all => 'this nginx was built without --with-debug')
    unless has_feature('debug');

# each of them is found by itself, wherever it appears

my $key = 'KeyOfTheSignatures9Zq';
my $path = '/PathOfTheCpe7Xw';
my %password = map { $_ => "PasswordFor${_}3Vk" }
    qw(Acs Held Basic Digest Wrong Plain Hash Late New Provider Refused Added
       Changed Console Bad);

my $hash = `openssl passwd -6 -salt SaltOfTheHash $password{Hash}`;
chomp $hash;

my $n = Fieldgate::Ntrip->new(
    users => 0, accounts => 0, start => 0, log_level => 'debug',
    server => 'ntrip_source_linger 100ms;',
    stream => 'ntrip_report 1s;', http => <<"END");
    cwmp_zone cwmp:1m;
    cwmp_secret $key;

    map \$cwmp_origin \$held {
        default $password{Held};
    }

    server {
        listen 127.0.0.1:%%PORT:cpe%%;

        location /query {
            cwmp on;
            cwmp_public_url http://127.0.0.1:%%PORT:acs%%/client;
            cwmp_origin_allow 127.0.0.1;
            proxy_pass http://127.0.0.1:%%PORT:echo%%;
        }
        location /path {
            cwmp on;
            cwmp_public_url http://127.0.0.1:%%PORT:path%%;
            cwmp_url_mode path;
            cwmp_origin_allow 127.0.0.1;
            proxy_pass http://127.0.0.1:%%PORT:echo%%;
        }
        location /refused {
            cwmp on;
            cwmp_public_url http://127.0.0.1:%%PORT:acs%%/client;
            proxy_pass http://127.0.0.1:%%PORT:echo%%;
        }
    }

    server {
        listen 127.0.0.1:%%PORT:acs%%;
        cwmp_origin_allow 127.0.0.1;

        location = /client {
            cwmp_connection_request;
            cwmp_timeout 5s;
            cwmp_cpe_basic on;
        }
        location = /held {
            cwmp_connection_request;
            cwmp_credentials acs \$held;
            cwmp_timeout 5s;
        }
    }

    server {
        listen 127.0.0.1:%%PORT:path%%;
        cwmp_origin_allow 127.0.0.1;
        cwmp_url_mode path;

        location / {
            cwmp_connection_request;
            cwmp_cpe_basic on;
            cwmp_timeout 5s;
        }
    }
END

my $t = $n->nginx;
$t->{stream} = $n->conf;
$t->{stream} =~ s/(ntrip_console_password) passwd;/$1 $password{Console};/;

$n->sql(<<"END");
    INSERT INTO user (name, password) VALUES
        ('plain', '$password{Plain}'), ('hash', '$hash'),
        ('late', '$password{Late}');
    INSERT INTO source (host, name, password) VALUES
        ('127.0.0.1', 'refused', '$password{Refused}'),
        ('127.0.0.1', 'provider', '$password{Provider}');
END

$n->provider->set(refuse => { refused => "HTTP/1.1 401 Unauthorized\r\n\r\n" });

my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 16,
                                     LocalPort => $t->port('echo'),
                                     ReuseAddr => 1) or die "listen: $!\n";
$t->spawn('echo', sub {
    while (my $s = $listener->accept) {
        my $request = Fieldgate::read_all($s, qr{</Envelope>$});
        $request =~ s/.*?\r\n\r\n//s;
        print $s "HTTP/1.0 200 OK\r\n\r\n$request";
        close $s;
    }
});
close $listener;
$t->start;


# ---- wake-ups ----

# what the ACS gets of an Inform

sub announced {
    my ($location, $url) = @_;
    my $body = '<Envelope><Body><Inform><DeviceId><OUI>00AABB</OUI>'
        . '<SerialNumber>1</SerialNumber></DeviceId><ParameterList>'
        . '<ParameterValueStruct><Name>Device.ManagementServer.'
        . "ConnectionRequestURL</Name><Value>$url</Value>"
        . '</ParameterValueStruct></ParameterList></Inform></Body></Envelope>';
    my $reply = $t->exchange('cpe', "POST $location HTTP/1.0\r\n"
        . "Authorization: Basic " . encode_base64("cpe:$password{Acs}", '')
        . "\r\nContent-Length: " . length($body) . "\r\n\r\n$body");

    my ($value) = $reply =~ m{<Value>http://[^/]*([^<]*)</Value>}
        or die "no value in $reply\n";
    return $value =~ s/&amp;/&/gr;
}

# the ACS's answer to a challenge

sub digest {
    my ($reply, $target, $password) = @_;
    return Fieldgate::Wakeup::digest($reply->{headers}{'www-authenticate'}[0],
                                     $target, password => $password);
}

my $acs = Fieldgate::Wakeup->new($t);
my $through = Fieldgate::Wakeup->new($t, port => 'path');
my (@signatures, @responses);

# what nginx has told a CPE: whole values, and what is in them

sub sent_to {
    my ($cpe) = @_;
    my @values = grep { defined } map { $_->{headers}{authorization} }
                                      @{$cpe->seen->{requests}};
    return @values, map { /response="(\w+)"/ } @values;
}

sub wake {
    my ($who, $target, %opt) = @_;
    push @signatures, $target =~ /sig=([\w-]{22})/;
    my $reply = $who->wake('', target => $target, %opt);
    push @responses, ($opt{auth} // '') =~ /response="(\w+)"/;
    return $reply;
}

{
    my $cpe = Fieldgate::ConnectionRequest->new(
        path => $path, password => $password{Digest});
    my $target = announced('/query', $cpe->url);

    is(wake($acs, $target, password => $password{Digest})->{status}, 200,
       'query mode') for 1 .. 2;
    is(wake($acs, $target, password => $password{Wrong})->{status}, 401,
       'query mode: a wrong password');
    is(wake($acs, $target, auth => undef)->{status}, 401,
       'query mode: no password');
    (my $forged = $target) =~ s/(sig=.)(.)/$1 . ($2 eq 'A' ? 'B' : 'A')/e;
    is(wake($acs, $forged, password => $password{Digest})->{status}, 403,
       'query mode: a wrong signature');
    is(wake($acs, $target =~ s/origin=http/origin=ftp/r,
            password => $password{Digest})->{status}, 400,
       'query mode: no URL');

    for my $change ([status => 503], [status => 500], [reply => "x\r\n\r\n"],
                    [challenges => ['NTLM']], [auth => 'digest'])
    {
        $cpe->set(@$change);
        wake($acs, $target, password => $password{Digest});
        $cpe->set(status => 200, reply => undef, challenges => undef);
    }

    my $url = $cpe->url;
    push @responses, sent_to($cpe);
    $cpe->stop;
    is(wake($acs, $target, password => $password{Digest})->{status}, 503,
       'query mode: nobody there');
}

{
    my $cpe = Fieldgate::ConnectionRequest->new(
        path => $path, password => $password{Basic}, auth => 'basic');
    is(wake($acs, announced('/query', $cpe->url), password => $password{Basic})
       ->{status}, 200, 'Basic to the CPE');
    is(wake($through, announced('/path', $cpe->url),
            password => $password{Basic})->{status}, 200,
       'path mode: Basic');
}

{
    my $cpe = Fieldgate::ConnectionRequest->new(
        path => $path, password => $password{Held});
    my $target = announced('/query', $cpe->url) =~ s{^/client}{/held}r;
    is(wake($acs, $target, auth => undef)->{status}, 200,
       'credentials that nginx holds');
    $cpe->set(password => $password{Wrong}, nonce_last => 1, nonce_uses => 1);
    is(wake($acs, $target, auth => undef)->{status}, 502, 'wrong ones');
    push @responses, sent_to($cpe);
}

{
    my $cpe = Fieldgate::ConnectionRequest->new(
        path => $path, password => $password{Acs});
    my $target = announced('/path', $cpe->url);
    my $s = $through->connect;

    my $first = wake($through, $target, auth => undef, socket => $s);
    is($first->{status}, 401, 'path mode: the challenge');
    is(wake($through, $target, socket => $s,
            auth => digest($first, $target, $password{Acs}))->{status}, 200,
       'path mode: the answer');

    $first = wake($through, $target, auth => undef, socket => $s);
    is(wake($through, $target, socket => $s,
            auth => digest($first, $target, $password{Wrong}))->{status}, 401,
       'path mode: a wrong one');
    (my $forged = $target) =~ s/(sig=.)(.)/$1 . ($2 eq 'A' ? 'B' : 'A')/e;
    is(wake($through, $forged, auth => undef)->{status}, 403,
       'path mode: a wrong signature');
    close $s;
}

like(announced('/refused', "http://127.0.0.9:7547$path"), qr/\Q$path\E/,
     'a URL that the policy refuses');
is($acs->wake('', target => '/client?origin=http://127.0.0.1:1'
              . "$path%zz&sig=$signatures[0]")->{status}, 400,
   'an origin that is none');


cmp_ok(grep({ /^\w{32}$/ } @responses), '>=', 6, 'Digest responses were sent');


# ---- rovers, providers, console ----

sub console { $t->exchange('console', "$_[0]\n") }

my $pw = $password{Console};
my $rovers = Fieldgate::Rovers->new(port => $t->port('caster'), rovers => [
    $n->rover(1, user => 'plain', password => $password{Plain}, mount => 'M0'),
    $n->rover(2, user => 'hash', password => $password{Hash}, mount => 'M0'),
    $n->rover(3, user => 'plain', id => 'wrong', password => $password{Wrong},
              mount => 'M0'),
    $n->rover(4, user => 'hash', id => 'bad', password => $password{Bad},
              mount => 'M0'),
]);
my $seen = $rovers->wait_for(sub {
    my $s = shift;
    return $s->{fed} == 2 && $s->{open} == 2;
});
like($seen->{rovers}{$_}{header} // '', qr/ 401 /, "$_: is refused")
    for qw(wrong bad);
$n->provider->wait_for(sub { my $s = shift;
                             grep { $_->{account} eq 'provider' }
                                  @{$s->{requests}} });

my $port = $n->provider->port;
my @commands = (
    ["USER-ADD $pw added:$password{Added} 2099-01-01" => 'OK'],
    ["USER-UPDATE $pw late $password{New}" => 'OK'],
    ["USER-LIST $pw" => 'OK'],
    ["CLIENT-LIST $pw" => 'OK'],
    ["SOURCE-ADD $pw 127.0.0.1:$port more:$password{Added} 2099-01-01" => 'OK'],
    ["SOURCE-UPDATE $pw 127.0.0.1:$port more $password{Changed}" => 'OK'],
    ["SOURCE-LIST $pw" => 'OK'],
    ["SOURCE-TEST $pw 127.0.0.1:$port more M0" => 'OK'],
    ["SOURCE-TEST $pw 127.0.0.1 refused M0" => 'ERROR|OK'],
    ["STREAM-LIST $pw" => 'OK'],
    ["USAGE $pw" => 'OK'],
    ["USER-ADD $password{Bad} x:$password{Added} 2099-01-01" => 'ERROR'],
    ["USER-ADD $pw $password{Added} 2099-01-01" => 'ERROR'],
    ["USER-ADD $pw added:$password{Added} 2099-13-01" => 'ERROR'],
    ["$password{Bad} $pw" => 'ERROR'],
    ["SOURCE-DEL $pw 127.0.0.1:$port more" => 'OK'],
    ["KICK $pw hash" => 'OK'],
);
for my $command (@commands) {
    my ($line, $reply) = @$command;
    like(console($line), qr/^(?:$reply)/, (split ' ', $line)[0] eq
         $password{Bad} ? 'no verb' : (split ' ', $line)[0]);
}
$rovers->wait_for(sub { shift->{rovers}{hash}{state} eq 'closed' });

# version 2, a request in pieces that never ends, and a login that nginx ends

my $basic = encode_base64("plain:$password{Plain}", '');
like($t->exchange('caster', "GET /M9 HTTP/1.1\r\nHost: x\r\nNtrip-Version: "
                  . "Ntrip/2.0\r\nUser-Agent: NTRIP test\r\nAuthorization: "
                  . "Basic $basic\r\nConnection: close\r\n\r\n"),
     qr{ 404 | 200 }, 'version 2');
my $cut = $t->connect('caster');
print $cut "GET /M0 HTTP/1.0\r\nAuthorization: Basic $basic\r\n";
close $cut;
$t->exchange('caster', "GET /M0 HTTP/1.0\r\nAuthorization: Basic "
             . encode_base64($password{Bad}, '') . "\r\n\r\n");

$t->reload(gone => 1);
$rovers->wait_for(sub { shift->{open} == 1 });
$t->wait_log(qr/\busers online|\breport/i);
$rovers->stop;
$t->stop('QUIT');


# ---- the log ----

my @secrets = ($key, $path, values %password, $hash, 'SaltOfTheHash');
push @secrets, grep { length } @signatures, @responses;
push @secrets, map { my $p = $_;
                     map { encode_base64("$_:$p", '') =~ s/=+$//r }
                         qw(acs cpe plain hash late provider refused more) }
               values %password;
my %once = map { $_ => 1 } @secrets;
my $secret = join '|', map { quotemeta } sort keys %once;
$secret = qr/$secret/;

# What nginx itself says of requests, of variables and of what it sends: the
# debug messages of its HTTP core and proxy, up to where that begins.

my @core = (
    qr{http request line: "}, qr{http uri: "}, qr{http args: "},
    qr{http header: "}, qr{http script (?:var|copy): "},
    qr{http map(?: started)?: "}, qr{http proxy header:\s"},
    qr{http (?:copy filter|output filter|postpone filter): (?:-?\d+ )?"},
    qr{http (?:copy filter|output filter|postpone filter) "},
    qr{http finalize request: -?\d+, "}, qr{http run request: "},
    qr{http writer (?:handler|done): "},
    qr{http writer output filter: -?\d+, "},
);

# the form of a record that has a secret and is nginx's own; '': it is ours;
# undef: it has none

sub form_of {
    my ($record) = @_;
    return undef unless $record =~ $secret;
    my ($level, $text)
        = $record =~ /\A\S+ \S+ \[(\w+)\] \d+#\d+: (?:\*\d+ )?(.*)\z/s;
    my ($form) = grep { $level eq 'debug' && $text =~ /\A$_/ } @core;
    return $form // '';
}

# records, of one line or more

my @records = split m{^(?=\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[)}m, $t->error_log;
my %with;
push @{$with{form_of($_) // 'none'}}, $_ for @records;

my @ours = @{delete $with{''} // []};
my $none = @{delete $with{none}};

cmp_ok($none, '>', 1000, 'there are lines of the level debug');
for my $said (qr/\[debug\].* cwmp /, qr/wake-up ended: unauthorized/,
              qr/ntrip session ended/, qr/console: USER-ADD/, qr/source is live/)
{
    cmp_ok(grep({ /$said/ } @records), '>', 0, "of ours too: $said");
}
cmp_ok(scalar keys %with, '>=', 4, 'nginx itself logs secrets at that level');
is(join('', splice @ours, 0, 20), '', 'no line of ours has one');

# and such lines would be found

my $stamp = '2030/01/01 00:00:00 [debug] 1#1: *1';
is(form_of("$stamp cwmp answers with $password{Acs}\n"), '', 'a password');
is(form_of("$stamp ntrip login: " . encode_base64("plain:$password{Plain}")),
   '', 'an Authorization value');
is(form_of(($stamp =~ s/debug/info/r) . " http uri: \"$path\"\n"), '',
   'a path, in a line of another level');

note(scalar @{$with{$_}} . " times $_") for sort keys %with;

done_testing;
