# The body is rewritten once, however a request gets to its upstream: through
# "if", try_files, rewrite, error_page, delays and subrequests, and whatever
# nginx does with the body besides.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Echo;
use Fieldgate::Env qw(top read_file);

my $public = 'http://127.0.0.1:8080/client';
my $echo = free_port();

my $t = Fieldgate->new(workers => 2, http => <<"END");
    log_format cwmp '\$uri|\$cwmp_method|\$cwmp_device_id|\$cwmp_rewritten';
    cwmp_zone cwmp:1m;
    cwmp_origin_allow 0.0.0.0/0;
    client_body_buffer_size 16k;
    proxy_http_version 1.1;
    proxy_set_header Connection "";
    limit_req_zone \$server_name zone=slow:1m rate=20r/s;
    recursive_error_pages on;

    upstream acs {
        server 127.0.0.1:$echo;
        cwmp_affinity;
    }

    server {
        listen 127.0.0.1:%%PORT:cpe%%;
        listen 127.0.0.1:%%PORT:h2%% http2;
        access_log %%DIR%%/access.log cwmp;
        cwmp on;
        cwmp_public_url $public;
        proxy_intercept_errors on;

        location / { proxy_pass http://acs; }

        location /if {
            if (\$request_method = POST) { proxy_pass http://acs; }
        }

        location /try { try_files /none \@acs; }
        location /last { rewrite ^ /target last; }
        location /break { rewrite ^ /target break; proxy_pass http://acs; }
        location /late { cwmp off; error_page 502 = \@acs; proxy_pass http://127.0.0.1:%%PORT:dead%%; }

        location /delay {
            limit_req zone=slow burst=100;
            proxy_pass http://acs;
        }

        location /auth {
            auth_request /check;
            proxy_pass http://acs;
        }

        location /check {
            internal;
            proxy_pass_request_body off;
            proxy_set_header Content-Length "";
            proxy_pass http://acs;
        }

        location /single {
            client_body_in_single_buffer on;
            proxy_pass http://acs;
        }

        location /kept {
            client_body_in_file_only on;
            proxy_pass http://acs;
        }

        location /set {
            client_body_buffer_size 1m;
            proxy_set_body \$request_body;
            proxy_pass http://acs;
        }

        location /twice {
            error_page 502 = \@again;
            proxy_pass http://127.0.0.1:%%PORT:dead%%;
        }

        location \@again {
            error_page 502 504 = \@acs;
            proxy_pass http://127.0.0.1:%%PORT:dead%%;
        }

        location \@acs { proxy_pass http://acs; }

        location /mirrors {
            mirror /mirrored;
            mirror /mirrored;
            auth_request /check;
            error_page 502 = \@again;
            proxy_pass http://127.0.0.1:%%PORT:dead%%;
        }

        location /mirrored {
            internal;
            proxy_pass http://acs;
        }
    }
END

$t->spawn('echo', sub { Fieldgate::Echo::serve($echo) });
wait_for(sub { Fieldgate::Echo::ready($echo) }, 'the upstream');
$t->start;

my $inform = read_file(top() . '/t/fuzz/corpus/cwmp_message/inform.xml');
my $url = 'http://192.168.100.50:7547/tr069';
my $expected = $inform =~ s/\Q$url\E/$public?origin=$url/r;
my $filler = '<!-- ' . ('x' x 100_000) . ' -->';
my ($large, $large_expected) =
    map { s/(<SOAP-ENV:Body>)/$1$filler/r } $inform, $expected;

sub request {
    my ($path, $body, $chunked) = @_;
    my $framing = $chunked ? 'Transfer-Encoding: chunked'
                           : 'Content-Length: ' . length $body;
    $body = join '', map({ sprintf("%x\r\n%s\r\n", length, $_) }
                         unpack '(a5000)*', $body), "0\r\n\r\n" if $chunked;
    my $reply = $t->exchange('cpe', "POST $path HTTP/1.1\r\nHost: x\r\n"
                             . "Connection: close\r\n$framing\r\n\r\n$body");
    my ($head, $got) = $reply =~ /\r\n\r\n(.*?\r\n\r\n)(.*)/s;
    return ($got // $reply, join ' ', ($head // '') =~ /^content-length: (\d+)/mig);
}

for my $path (qw(/if /try /last /break /late /delay /auth /single /kept /set
                 /twice /mirrors))
{
    for my $case (['small', $inform, $expected],
                  ['large', $large, $large_expected])
    {
        my ($size, $in, $out) = @$case;
        for my $chunked (0, 1) {
            my ($got, $length) = request($path, $in, $chunked);
            my $what = "$path, $size" . ($chunked ? ', chunked' : '');
            ok($got eq $out, "$what: rewritten once") or diag(substr $got, 0, 2000);
            is($length, length $out, "$what: one right Content-Length");
        }
    }
}

ok(wait_for(sub { read_file($t->path('access.log')) =~
                  m{^/mirrors\|Inform\|[^|]+\|1$}m }, 'the log'),
   'the facts are in the log after internal redirects');

done_testing;
