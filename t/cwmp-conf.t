# The directives of the CWMP module: what nginx -t accepts, and how it explains
# what it does not.

use lib 't/lib';
use Fieldgate;

my $t = Fieldgate->new;

my $key = 'a key of enough bytes';

$t->write('good.key', "$key\n\nanother key of enough\r\n");
$t->write('short.key', "$key\nshort\n");
$t->write('empty.key', "\n\n");

# pieces that the cases put together

sub http {
    my ($location, $http) = @_;
    return ($http // '') . <<"END";
    server {
        listen 127.0.0.1:%%PORT:web%%;
        location / {
            $location
        }
    }
END
}

sub cpe { http("cwmp on; cwmp_public_url http://acs.example:7548/client;\n"
               . "proxy_pass http://127.0.0.1:%%PORT:acs%%;\n$_[0]", $_[1]) }

sub acs { http("cwmp_connection_request;\n$_[0]", $_[1]) }

my $secret = "cwmp_secret '$key';";

my @good = (
    ['a location towards CPEs', cpe('')],
    ['all of its directives', cpe(<<'END', 'cwmp_zone cwmp:1m;')],
        cwmp_url_mode query;
        cwmp_secret 'a key of enough bytes' 'another key of enough';
        cwmp_secret_file %%DIR%%/good.key;
        cwmp_origin_allow client:7547 10.0.0.0/8:7000-8000 ~^cpe\.example$;
        cwmp_origin_deny fd00::/8 [fd00::/8]:7547 192.0.2.1;
        cwmp_parameter ~\.ConnectionRequestURL$ ~^X\.URL$;
        cwmp_on_error pass;
        cwmp_max_body 1m;
END
    ['a public URL of variables', http(<<'END')],
        cwmp on;
        cwmp_public_url http://$server_addr:7548/client;
END
    ['cwmp on in server{}, the public URL in the location', <<'END'],
    server {
        listen 127.0.0.1:%%PORT:web%%;
        cwmp on;
        location / { cwmp_public_url http://acs.example/client; }
        location /static { cwmp off; }
    }
END
    ['a wake-up location inherits cwmp on, without a public URL', <<"END"],
    server {
        listen 127.0.0.1:%%PORT:web%%;
        cwmp on;
        location = /client { cwmp_connection_request; $secret }
    }
END
    ['a wake-up with a secret', acs($secret)],
    ['a wake-up with a CIDR', acs('cwmp_origin_allow 10.0.0.0/8;')],
    ['a wake-up with an address', acs('cwmp_origin_allow 10.0.0.1:7547;')],
    ['all directives of a wake-up', acs(<<"END", 'cwmp_zone cwmp:1m;')],
        $secret
        cwmp_credentials \$arg_user \$arg_password;
        cwmp_cpe_basic on;
        cwmp_timeout 1500ms;
        cwmp_connect_timeout 500ms;
        cwmp_bind 127.0.0.1;
END
    ['path mode', acs("$secret cwmp_url_mode path;")],
    ['path mode towards CPEs', http(<<"END")],
        cwmp on;
        cwmp_public_url http://acs.example:7548;
        cwmp_url_mode path;
        $secret
END
    ['affinity', http('', <<'END')],
    cwmp_zone cwmp:1m;
    upstream acs { server 127.0.0.1:1; cwmp_affinity timeout=30s; }
END
    ['status', http('cwmp_status;')],
);

for my $case (@good) {
    my ($name, $http) = @$case;
    my ($status, $out) = $t->check(http => $http);
    is($status, 0, "$name: accepted") or diag($out);
}


# each mistake, and the line of check.conf that the explanation names: the one
# with the directive

my @bad = (
    ['cwmp on without a public URL', http("\ncwmp on;"),
     qr/"cwmp on" needs a "cwmp_public_url"/, qr/^cwmp on;/],
    ['cwmp on in server{} and nowhere a public URL', <<'END',
    server {
        listen 127.0.0.1:%%PORT:web%%;
        cwmp on;
        location / { }
    }
END
     qr/"cwmp on" needs a "cwmp_public_url"/, qr/cwmp on;/],
    ['cwmp neither on nor off', http('cwmp maybe;'),
     qr/invalid value "maybe" in "cwmp" directive/, qr/cwmp maybe/],
    ['cwmp_public_url with https',
     http('cwmp_public_url https://acs.example/client;'),
     qr/public URL "https:\S+" /, qr/cwmp_public_url/],
    ['cwmp_public_url with userinfo',
     http('cwmp_public_url http://a@acs.example/client;'),
     qr/public URL "\S+" /, qr/cwmp_public_url/],
    ['cwmp_public_url without a scheme',
     http('cwmp_public_url acs.example/client;'),
     qr/public URL "\S+" /, qr/cwmp_public_url/],
    ['cwmp_public_url with a fragment',
     http('cwmp_public_url "http://acs.example/#a";'),
     qr/public URL "\S+" /, qr/cwmp_public_url/],
    ['cwmp_public_url twice',
     http("cwmp_public_url http://a/;\ncwmp_public_url http://b/;"),
     qr/"cwmp_public_url" directive is duplicate/, qr{http://b/}],
    ['an unknown cwmp_url_mode', http('cwmp_url_mode name;'),
     qr/invalid value "name"/, qr/cwmp_url_mode/],
    ['path mode without a secret', cpe('cwmp_url_mode path;'),
     qr/"cwmp_url_mode path" needs a "cwmp_secret"/, qr/cwmp_url_mode/],
    ['path mode and a public URL with a path',
     cpe("$secret\ncwmp_url_mode path;"),
     qr/"cwmp_public_url" has a path/, qr/cwmp_url_mode/],
    ['a short key', http('cwmp_secret 123456789012345;'),
     qr/a key is shorter than 16 bytes/, qr/cwmp_secret/],
    ['a short key in a file', http('cwmp_secret_file %%DIR%%/short.key;'),
     qr/short/, qr/cwmp_secret_file/],
    ['no key in a file', http('cwmp_secret_file %%DIR%%/empty.key;'),
     qr/no key in "\S+"/, qr/cwmp_secret_file/],
    ['no key file', http('cwmp_secret_file %%DIR%%/none.key;'),
     qr/open\(\) "\S+none\.key" failed/, qr/cwmp_secret_file/],
    ['a key file that is a folder', http('cwmp_secret_file %%DIR%%;'),
     qr/is not a file of at most/, qr/cwmp_secret_file/],
    ['a wrong CIDR', http('cwmp_origin_allow 10.0.0.0/33;'),
     qr/invalid origin "10\.0\.0\.0\/33"/, qr/cwmp_origin_allow/],
    ['a name that is no regex', http('cwmp_origin_deny cpe.example;'),
     qr/invalid origin "cpe\.example"/, qr/cwmp_origin_deny/],
    ['a wrong port', http('cwmp_origin_allow client:70000;'),
     qr/invalid origin "client:70000"/, qr/cwmp_origin_allow/],
    ['a port range upside down', http('cwmp_origin_allow client:9-8;'),
     qr/invalid origin "client:9-8"/, qr/cwmp_origin_allow/],
    ['a wrong regex', http('cwmp_origin_allow ~[;'),
     qr/pcre2?_compile\(\) failed/, qr/cwmp_origin_allow/],
    ['cwmp_parameter without ~', http('cwmp_parameter URL;'),
     qr/invalid parameter "URL"/, qr/cwmp_parameter/],
    ['cwmp_parameter with a wrong regex', http('cwmp_parameter ~(;'),
     qr/pcre2?_compile\(\) failed/, qr/cwmp_parameter/],
    ['an unknown cwmp_on_error', http('cwmp_on_error ignore;'),
     qr/invalid value "ignore"/, qr/cwmp_on_error/],
    ['a wrong size', http('cwmp_max_body much;'),
     qr/"cwmp_max_body" directive invalid value/, qr/cwmp_max_body/],
    ['a wake-up that is an open proxy', acs(''),
     qr/"cwmp_connection_request" would be an open proxy/,
     qr/cwmp_connection_request/],
    ['a wake-up with a regex only', acs('cwmp_origin_allow ~.;'),
     qr/would be an open proxy/, qr/cwmp_connection_request/],
    ['a wake-up in path mode without a secret',
     acs("cwmp_origin_allow 10.0.0.0/8;\ncwmp_url_mode path;"),
     qr/"cwmp_url_mode path" needs a "cwmp_secret"/,
     qr/cwmp_connection_request/],
    ['credentials without a secret',
     acs("cwmp_origin_allow 10.0.0.0/8;\ncwmp_credentials a b;"),
     qr/"cwmp_credentials" needs a "cwmp_secret"/, qr/cwmp_credentials/],
    ['credentials in path mode',
     acs("$secret\ncwmp_url_mode path;\ncwmp_credentials a b;"),
     qr/"cwmp_credentials" and "cwmp_url_mode path" exclude each other/,
     qr/cwmp_credentials/],
    ['credentials without a wake-up', http("cwmp_credentials a b;"),
     qr/"cwmp_credentials" has no effect/, qr/cwmp_credentials/],
    ['credentials without a password', acs('cwmp_credentials a;'),
     qr/invalid number of arguments in "cwmp_credentials"/,
     qr/cwmp_credentials/],
    ['two wake-ups in a location', acs('cwmp_connection_request;'),
     qr/"cwmp_connection_request" directive is duplicate/, qr/./],
    ['a zero timeout', acs("$secret cwmp_timeout 0;"),
     qr/"cwmp_timeout" and "cwmp_connect_timeout" must not be zero/,
     qr/cwmp_connection_request/],
    ['a wrong bind address', acs("$secret\ncwmp_bind nowhere;"),
     qr/invalid address "nowhere"/, qr/cwmp_bind/],
    ['cwmp_affinity with a wrong parameter',
     http('', "upstream a { server 127.0.0.1:1;\ncwmp_affinity x=1; }"),
     qr/invalid parameter "x=1"/, qr/cwmp_affinity/],
    ['cwmp_affinity with a wrong time',
     http('', "upstream a { server 127.0.0.1:1;\ncwmp_affinity timeout=x; }"),
     qr/invalid timeout "x"/, qr/cwmp_affinity/],
    ['cwmp_affinity twice', http('', "upstream a { server 127.0.0.1:1;\n"
                                     . "cwmp_affinity;\ncwmp_affinity; }"),
     qr/"cwmp_affinity" directive is duplicate/, qr/cwmp_affinity/],
    ['cwmp_affinity in a location', http('cwmp_affinity;'),
     qr/"cwmp_affinity" directive is not allowed here/, qr/cwmp_affinity/],
    ['cwmp_zone without a size', http('', 'cwmp_zone cwmp;'),
     qr/invalid zone/, qr/cwmp_zone/],
    ['cwmp_zone with a wrong size', http('', 'cwmp_zone cwmp:x;'),
     qr/invalid zone size/, qr/cwmp_zone/],
    ['cwmp_zone that is too small', http('', 'cwmp_zone cwmp:8k;'),
     qr/zone "cwmp:8k" is too small/, qr/cwmp_zone/],
    ['cwmp_zone twice', http('', "cwmp_zone a:1m;\ncwmp_zone b:1m;"),
     qr/"cwmp_zone" directive is duplicate/, qr/cwmp_zone b/],
    ['cwmp_stun without a zone', "cwmp_stun 127.0.0.1:3478;",
     qr/"cwmp_stun" needs a "cwmp_zone"/, qr/cwmp_stun/],
    ['cwmp_stun twice', "cwmp_zone a:1m;\ncwmp_stun 127.0.0.1:3478;\n"
                        . "cwmp_stun 127.0.0.1:3478;",
     qr/duplicate "cwmp_stun" address and port 127\.0\.0\.1:3478/,
     qr/cwmp_stun/],
    ['cwmp_stun without a port', "cwmp_zone a:1m;\ncwmp_stun 127.0.0.1;",
     qr/"cwmp_stun" needs "address:port", not "127\.0\.0\.1"/, qr/cwmp_stun/],
    ['cwmp_stun at a UNIX socket', "cwmp_zone a:1m;\ncwmp_stun unix:/x;",
     qr/"cwmp_stun" needs "address:port"/, qr/cwmp_stun/],
    ['cwmp_stun with a wrong port', "cwmp_zone a:1m;\ncwmp_stun 127.0.0.1:x;",
     qr/invalid port in "127\.0\.0\.1:x"/, qr/cwmp_stun/],
    ['cwmp_stun in a server', "server { cwmp_stun 127.0.0.1:3478; }",
     qr/"cwmp_stun" directive is not allowed here/, qr/cwmp_stun/],
    ['cwmp_zone in a server', "server { cwmp_zone a:1m; }",
     qr/"cwmp_zone" directive is not allowed here/, qr/cwmp_zone/],
);

for my $case (@bad) {
    my ($name, $http, $explanation, $line) = @$case;
    my ($status, $out) = $t->check(http => $http);

    is($status, 1, "$name: refused");
    like($out, $explanation, "$name: explained");

    my ($n) = $out =~ /\[emerg\].* in \S+check\.conf:(\d+)/;
    my @lines = split /\n/, $t->config(http => $http);
    like($n ? $lines[$n - 1] // '' : "no line in: $out", $line,
         "$name: with its line");
}


# warnings

my @warned = (
    ['affinity without a zone',
     http('', "upstream a { server 127.0.0.1:1;\ncwmp_affinity; }"),
     qr/\[warn\].* no "cwmp_zone": .* "cwmp_affinity" in \S+check\.conf:\d+/],
    ['wake-ups without a zone', acs($secret),
     qr/\[warn\].* no "cwmp_zone": .* in \S+check\.conf:\d+/],
    ['low address bits', http('cwmp_origin_allow 10.0.0.1/8;'),
     qr{\[warn\].* low address bits of 10\.0\.0\.1/8 are meaningless}],
);

for my $case (@warned) {
    my ($name, $http, $warning) = @$case;
    my ($status, $out) = $t->check(http => $http);
    is($status, 0, "$name: accepted");
    like($out, $warning, "$name: warned of");
}


# a key never shows in what nginx says

my (undef, $out) = $t->check(http => http('cwmp_secret hushhush;'));
unlike($out, qr/hushhush/, 'a refused key is not quoted');

(undef, $out) = $t->check(http => http('cwmp_secret_file %%DIR%%/short.key;'));
unlike($out, qr/a key of enough bytes/, 'nor is one from a file');

done_testing;
