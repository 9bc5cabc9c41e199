# cwmp_require: which CPEs an Inform may come from.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Echo;
use Fieldgate::Env qw(top read_file);

my $echo = free_port();

my $t = Fieldgate->new(workers => 2, http => <<"END");
    cwmp_zone cwmp:1m;
    cwmp_origin_allow 0.0.0.0/0;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    log_format cwmp '\$uri|\$cwmp_method|\$cwmp_serial|\$status|\$cwmp_session';

    map \$cwmp_oui \$known { default 0; 00AABB 1; 00CCDD yes; }
    map "\$http_x_certificate:\$cwmp_serial" \$own { ~^([^:]+):\\1\$ 1; }

    upstream acs {
        server 127.0.0.1:$echo;
        cwmp_affinity;
    }

    server {
        listen 127.0.0.1:%%PORT:cpe%%;
        access_log %%DIR%%/access.log cwmp;
        cwmp on;
        cwmp_public_url http://127.0.0.1:8080/client;
        cwmp_require \$known;

        location / { proxy_pass http://acs; }

        location /own {
            cwmp_require \$known error=404;
            cwmp_require 1 \$own error=401;
            proxy_pass http://acs;
        }

        location /unread {
            cwmp_on_error pass;
            proxy_pass http://acs;
        }

        location /quarantine {
            cwmp_require \$known error=403;
            error_page 403 = \@quarantine;
            proxy_pass http://acs;
        }

        location \@quarantine {
            cwmp_require 1;
            proxy_set_header X-Quarantine 1;
            proxy_pass http://acs;
        }
    }
END

$t->spawn('echo', sub { Fieldgate::Echo::serve($echo) });
wait_for(sub { Fieldgate::Echo::ready($echo) }, 'the upstream');
$t->start;

my $inform = read_file(top() . '/t/fuzz/corpus/cwmp_message/inform.xml');
my $response = '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"'
    . ' xmlns:c="urn:dslforum-org:cwmp-1-0"><s:Body>'
    . '<c:GetRPCMethods/></s:Body></s:Envelope>';

sub by { my ($oui, $serial) = @_;
         return $inform =~ s{(<OUI>)[^<]+}{$1$oui}r
                        =~ s{(<SerialNumber>)[^<]+}{$1$serial}r }

sub request {
    my ($path, $body, @headers) = @_;
    my $head = join '', map { "$_\r\n" } @headers;
    return $t->exchange('cpe', "POST $path HTTP/1.1\r\nHost: x\r\n"
                        . "Connection: close\r\n$head"
                        . 'Content-Length: ' . length($body) . "\r\n\r\n$body");
}

sub status_of { my ($status) = shift =~ m{^HTTP/1.1 (\d+)}; return $status }

like(request('/', by('00AABB', 'A1')), qr{^HTTP/1.1 200 .*/client\?origin=}s,
     'a device that is known goes on, and its URL is rewritten');
is(status_of(request('/', by('00CCDD', 'A2'))), 200, 'any other value will do');
is(status_of(request('/', by('00EEFF', 'A3'))), 403, '"0" is refused with 403');
is(status_of(request('/', by('00EEFF', 'A3'))), 403, 'and again');
is(status_of(request('/', by('00EEFF', 'A4'))), 403, 'another one is, too');

is(status_of(request('/own', by('00EEFF', 'A5'), 'X-Certificate: A5')), 404,
   'the first that is not met answers');
is(status_of(request('/own', by('00AABB', 'A5'), 'X-Certificate: A6')), 401,
   'nothing at all is refused as well, with its own status');
is(status_of(request('/own', by('00AABB', 'A5'), 'X-Certificate: A5')), 200,
   'all of them are met');

is(status_of(request('/', $response)), 200, 'only an Inform is judged');
is(status_of(request('/', '')), 200, 'not an empty POST');
is(status_of($t->exchange('cpe', "GET / HTTP/1.1\r\nHost: x\r\n"
                          . "Connection: close\r\n\r\n")), 200, 'not a GET');

like(request('/quarantine', by('00EEFF', 'A7')),
     qr{^HTTP/1.1 200 .*X-Quarantine: 1\r}s,
     'what is refused can go elsewhere');
unlike(request('/quarantine', by('00AABB', 'A7')), qr{X-Quarantine},
       'what is not does not');

# one that cannot be read may be an Inform

my $utf16 = "\xff\xfe" . join '', map { "$_\0" } split //, by('00AABB', 'A8');
is(status_of(request('/unread', $utf16)), 403,
   'a message that cannot be read is refused where it would be passed');

$t->stop;

my @refused = grep { /is refused with/ } split /\n/,
                                         read_file($t->path('error.log'));
is(scalar(grep { /CPE "00EEFF-[^"]*A3" is refused with 403: value 1 of "cwmp_require" in \S+:\d+ is "0"/ } @refused),
   1, 'one line a day and device says who, what and where');
is(scalar(grep { /A4" is refused/ } @refused), 1, 'for each of them');
is(scalar(grep { /A5" is refused with 404/ } @refused), 1, 'and reason:');
is(scalar(grep { /A5" is refused with 401: value 2 .* is ""/ } @refused), 1,
   'the second value, which was empty');

my @log = split /\n/, read_file($t->path('access.log'));
is(scalar(grep { m{^/\|Inform\|A3\|403\|} } @log), 2, 'the facts are in the log');

# what nginx -t says

for my $case (['without a value', 'cwmp_require error=403;',
               qr/"cwmp_require" directive has no value to look at/],
              ['a status that is no error', 'cwmp_require $known error=200;',
               qr/invalid "error=200": it must be the last parameter and a/],
              ['error= in front', 'cwmp_require error=403 $known;',
               qr/invalid "error=403": it must be the last parameter/],
              ['a variable that is not known', 'cwmp_require $nothing;',
               qr/unknown "nothing" variable/])
{
    my ($name, $directive, $says) = @$case;
    my ($status, $out) = $t->check(http => "map \$uri \$known { default 1; }\n"
                                           . "$directive");
    is($status, 1, "$name: refused");
    like($out, $says, "$name: explained");
}

done_testing;
