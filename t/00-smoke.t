# The module loads, and nginx serves with it: the smallest Test::Nginx file.

use lib 't/lib';
use Fieldgate::Http workers => 2;

plan tests => 6;

run_tests();

__DATA__

=== TEST 1: nginx serves
--- config
    location = /t { return 200 "ok\n"; }
--- request
GET /t
--- response_body
ok
--- error_code: 200

=== TEST 2: a wrong directive is explained
--- config
    location = /t { cwmp_nonsense on; }
--- must_die
--- error_log eval
qr/unknown directive "cwmp_nonsense" in \S+nginx\.conf:\d+/

=== TEST 3: a mock backend behind proxy_pass
--- config
    location = /t { proxy_pass http://127.0.0.1:$TEST_NGINX_PORT_1; }
--- tcp_listen eval: $ENV{TEST_NGINX_PORT_1}
--- tcp_reply eval
"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello"
--- request
GET /t
--- response_body: hello
--- error_code: 200
