# Accounts with TLS: whom nginx trusts, what it says and does about those that it
# does not, names, sessions, reload. Another nginx with TLS stands before the
# providers, so that what it has seen of each connection is in its access log.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Env qw(read_file);
use Fieldgate::Ntrip;
use IO::Socket::IP;

my $dir = Fieldgate::Env::temp_dir();


# ---- certificates ----

sub openssl {
    my (@args) = @_;
    my $out = `openssl @args 2>&1`;
    die "openssl @args: $out" if $?;
}

sub authority {
    my ($name) = @_;
    openssl('req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes',
            "-subj /CN=$name -days 30 -keyout $dir/$name.key",
            "-out $dir/$name.pem");
    Fieldgate::Env::write_file("$dir/$name.cnf", <<"END");
[ca]
default_ca = this
[this]
database = $dir/$name.index
new_certs_dir = $dir
rand_serial = yes
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = supplied
END
    Fieldgate::Env::write_file("$dir/$name.index", '');
}

sub certificate {
    my ($name, $ca, $names, $from, $to) = @_;
    openssl('req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes',
            "-subj /CN=$name -addext 'subjectAltName = $names'",
            "-keyout $dir/$name.key -out $dir/$name.csr");
    openssl("ca -batch -notext -config $dir/$ca.cnf -cert $dir/$ca.pem",
            "-keyfile $dir/$ca.key -in $dir/$name.csr -out $dir/$name.pem",
            '-startdate', $from // '20200101000000Z',
            '-enddate', $to // '20491231235959Z');
}

authority($_) for qw(ca stranger);
certificate('good', 'ca', 'DNS:localhost,DNS:cors.example,IP:127.0.0.1');
certificate('other', 'ca', 'DNS:other.example');
certificate('old', 'ca', 'IP:127.0.0.1', undef, '20210101000000Z');
certificate('early', 'ca', 'IP:127.0.0.1', '20480101000000Z');
certificate('unknown', 'stranger', 'IP:127.0.0.1');


# ---- the providers ----

my $provider = Fieldgate::Provider->new(rate => 20);
my $two = Fieldgate::Provider->new(
    rate => 20, chunk => 50, refuse_v1 => "HTTP/1.1 501 Not Implemented\r\n\r\n",
    reply => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");

sub front {
    my ($name, $cert, $to, $more) = @_;
    return <<"END";
    server {
        listen 127.0.0.1:%%PORT:$name%% ssl;
        ssl_certificate $dir/$cert.pem;
        ssl_certificate_key $dir/$cert.key;
        proxy_pass 127.0.0.1:@{[$to->port]};
        @{[$more // '']}
    }
END
}

my $front = Fieldgate->new(workers => 1, stream => join '',
    "log_format tls '\$server_port \"\$ssl_server_name\" \$ssl_session_reused"
    . " \$ssl_protocol';\naccess_log logs/tls tls;\n",
    front('good', 'good', $provider, 'ssl_protocols TLSv1.2 TLSv1.3;'),
    front('two', 'good', $two),
    front('tls12', 'good', $provider, 'ssl_protocols TLSv1.2;'),
    "server { listen 127.0.0.1:%%PORT:plain%%;"
    . " return 'HTTP/1.1 400 Bad Request\r\n\r\n'; }\n",
    map { front($_, $_, $provider) } qw(other old early unknown));
$front->start;

my $mute = IO::Socket::IP->new(LocalHost => '127.0.0.1', Listen => 1);
my %ports = (mute => $mute->sockport, map { $_ => $front->port($_) }
                                      qw(good two tls12 plain other old early
                                         unknown));

# what the front has seen at a port since it was asked last

my %read;

sub seen {
    my ($name) = @_;
    my @lines = grep { s/^$ports{$name} // }
                split /\n/, read_file($front->path('logs/tls'));
    return join ' | ', splice @lines, $read{$name} // 0,
                              @lines - ($read{$name} // 0);
}

sub told { my $seen = seen($_[0]); $read{$_[0]} += () = $seen =~ /TLS/g; $seen }


# a relay with a pool for each of these hosts, and a mountpoint for each pool

sub relay {
    my ($names, %opt) = @_;
    my $n = Fieldgate::Ntrip->new(
        users => 30, accounts => 0, workers => 2, start => 0,
        provider => $provider,
        stream => join('', map { "ntrip_mount $_ pool=$_;\n" } @$names)
                  . ($opt{stream}
                     // "ntrip_source_ssl_trusted_certificate $dir/ca.pem;"),
        server => 'ntrip_source_linger 50ms; ntrip_source_connect_timeout 1s;'
                  . ' ntrip_source_wait 3s;' . ($opt{server} // ''),
        %{$opt{nginx} // {}});

    my $host = $opt{host} // '127.0.0.1';
    $n->sql(join '', map { "INSERT INTO source (pool, host, port, tls, name,"
        . " password) VALUES ('$_', '$host', $ports{$_}, 1, '$_', 'secret');" }
        @$names);
    $n->nginx->start;
    return $n;
}

my $user = 0;

sub rovers {
    my ($n, @mounts) = @_;
    return Fieldgate::Rovers->new(
        port => $n->nginx->port('caster'), gga => 0.2, rovers => [
            map { $user++; +{ %{$n->rover($user)}, id => $_, mount => $_ } }
            @mounts]);
}

sub test {
    my ($n, $name, $host) = @_;
    return $n->console("SOURCE-TEST passwd " . ($host // '127.0.0.1')
                       . ":$ports{$name} $name")
           =~ s/^OK SOURCE-TEST\r\n(.*)\r\n\r\n\z/$1/r;
}

sub requests { scalar @{$provider->seen->{requests}} }


# ---- whom it trusts ----

my @distrusted = (
    [other => 'certificate of another name',
     qr/has a certificate that is not for "127\.0\.0\.1"/],
    [old => 'certificate that has expired',
     qr/has a certificate that has expired \(10: certificate has expired\)/],
    [early => 'certificate that is not yet valid',
     qr/has a certificate that is not yet valid \(9: /],
    [unknown => 'certificate of an unknown authority',
     qr/has a certificate of an unknown authority \(2\d: /],
    [plain => 'no TLS', qr/does not speak TLS here/],
    [mute => 'no TLS in time', qr/provider timed out \(110.*while handshaking/],
);

{
    my @names = map { $_->[0] } @distrusted;
    my $n = relay(['good', 'two', @names], nginx => { http => <<'END' });
        server {
            listen 127.0.0.1:%%PORT:web%%;
            location / { ntrip_status; }
        }
END
    my $t = $n->nginx;

    # of each pool another account at the same host, and one at a good one

    $n->sql(join '', map { "INSERT INTO source (pool, host, port, tls, name,"
        . " password) VALUES ('$_', '127.0.0.1', $ports{$_}, 1, '$_-b', 'x');" }
        @names);

    my $r = rovers($n, 'good', 'two', @names);
    my $seen = $r->wait_for(sub {
        my $r = shift->{rovers};
        return ($r->{good}{messages} // 0) > 5 && ($r->{two}{messages} // 0) > 5
               && !grep { ($r->{$_}{state} // '') ne 'closed'
                          && !defined $r->{$_}{why} } @names;
    });
    is("@{$seen->{errors}}", '', 'what comes over TLS is whole');
    my $log = $t->error_log;
    for my $case (@distrusted) {
        my ($name, $words, $line) = @$case;
        my @lines = grep { / source: $name(?:-b)?@/ } $log =~ /.*$line.*/g;
        like(join("\n", @lines), qr/\[error\]/, "$name: the log has its line");
        is(scalar @lines, 1, "$name: once: no other account of the host");
        is(test($n, $name), $words, "$name: SOURCE-TEST");
        like($n->console('SOURCE-LIST passwd'),
             qr/\t$name:secret\t[^\t]*\t\?\r/, "$name: no account is refused");
    }

    my %asked = map { $_->{account} => 1 } @{$provider->seen->{requests}};
    is(join(' ', sort keys %asked), 'good', 'nobody else was told a name');
    is(test($n, 'good'), 'in use', 'SOURCE-TEST of one in use');

    my $end = 2524607999;    # 2049-12-31 23:59:59
    my $get = sub { $t->exchange('web', "GET /$_[0] HTTP/1.0\r\n\r\n") };
    is(() = $get->('streams') =~ /"certificate":$end,/g, 2,
       'streams tell when the certificate ends');
    like($get->('metrics'),
         qr/^ntrip_certificate_end_seconds\{mount="good"\} $end$/m,
         'so do metrics');
    unlike($log, qr/secret/, 'no password in the log');
    $r->stop;
    $provider->wait_for(sub { shift->{open} == 0 });
    is(test($n, 'good'), 'ICY 200 OK', 'SOURCE-TEST over TLS');
    is(test($n, 'two'), 'HTTP/1.1 200 OK, NTRIP 2.0', 'NTRIP 2.0 over TLS');
    $t->stop;
}


# a host that is not trusted rests; another host of the pool is used at once

{
    my $n = relay(['old']);
    my $t = $n->nginx;
    $n->sql("INSERT INTO source (pool, host, port, tls, name, password)"
            . " VALUES ('old', '127.0.0.1', $ports{old}, 1, 'b', 'x'),"
            . " ('old', '127.0.0.1', $ports{good}, 1, 'c', 'x'),"
            . " ('old', '127.0.0.1', $ports{good}, 1, 'd', 'x');");
    my $r = rovers($n, 'old');
    is($r->wait_for(fed => 1)->{open}, 1, 'the rover has got another host');
    my @lines = $t->error_log =~ /certificate that has expired/g;
    cmp_ok(scalar @lines, '<=', 1, 'the first one was asked once at most');
    $t->stop;
}


# ---- what is configured ----

sub served {
    my ($what, $names, %opt) = @_;
    my $n = relay($names, %opt);
    my $r = rovers($n, @$names);
    my $seen = $r->wait_for(fed => scalar @$names);
    is($seen->{fed}, scalar @$names, $what);
    $r->stop;
    $provider->wait_for(sub { shift->{open} == 0 });
    wait_for(sub { my $all = join ' ', map { seen($_) } @$names;
                   @$names <= (() = $all =~ /TLS/g) }, 'the front to log');
    return $n;
}

told($_) for keys %ports;
served('verify off: anybody', [qw(other old unknown)],
       stream => 'ntrip_source_ssl_verify off;')->nginx->stop;
told($_) for keys %ports;

my $n = served('a name of its own', ['good'], server =>
               'ntrip_source_ssl_name cors.example;');
like(told('good'), qr/^"-" \. TLSv1\.3$/, 'no name is told unless it is wanted');
$n->nginx->stop;

$n = served('a name that is told', ['good'], server =>
            'ntrip_source_ssl_name cors.example;'
            . ' ntrip_source_ssl_server_name on;');
like(told('good'), qr/^"cors\.example" \./, 'SNI: the name that is set');
$n->nginx->stop;

$n = served("the account's own host", ['good'], host => 'localhost',
            server => 'ntrip_source_ssl_server_name on;');
like(told('good'), qr/^"localhost" \./, "SNI: the account's host");
$n->nginx->stop;

$n = served('an address', ['good'],
            server => 'ntrip_source_ssl_server_name on;');
like(told('good'), qr/^"-" \./, 'SNI: no address is told');
$n->nginx->stop;

$n = served("the system's authorities", ['good'], stream => '',
            nginx => { main => 'env SSL_CERT_FILE;',
                       env => { SSL_CERT_FILE => "$dir/ca.pem" } });
$n->nginx->stop;

$n = served('TLS 1.2', ['tls12']);
like(told('tls12'), qr/ TLSv1\.2$/, 'as the provider has it');
$n->nginx->stop;

$n = relay(['tls12'], server => 'ntrip_source_ssl_protocols TLSv1.3;');
is(test($n, 'tls12'), 'no TLS', 'protocols: nothing in common');
$n->nginx->stop;

for my $case (['on', 'r'], ['off', '.']) {
    my ($flag, $reused) = @$case;
    my $n = relay(['good', 'tls12'], nginx => { workers => 1 },
                  server => "ntrip_source_ssl_session_reuse $flag;");
    told($_) for qw(good tls12);
    for my $name (qw(good tls12)) {
        for my $time (1, 2) {
            my $r = rovers($n, $name);
            $r->wait_for(fed => 1);
            $r->stop;
            $provider->wait_for(sub { shift->{open} == 0 });
            wait_for(sub { $time == (() = seen($name) =~ /TLS/g) }, 'the log');
        }
        like(told($name), qr/^"-" \. \S+ \| "-" \Q$reused\E /,
             "sessions: $flag, $name");
    }
    $n->nginx->stop;
}


# ---- reload: break before make, with the same account ----

{
    my $n = relay(['good']);
    my $t = $n->nginx;
    my $r = rovers($n, 'good');
    $r->wait_for(messages => 5);
    my $before = requests();

    for my $round (1, 2) {
        $t->reload(gone => 1);
        $r->wait_for(sub { shift->{rovers}{good}{switches} >= $round });
        is(requests(), $before + $round, "reload $round: one more login");
    }

    my $seen = $r->seen;
    is($seen->{open}, 1, 'the rover stays');
    is("@{$seen->{errors}}", '', 'whole messages');
    is($provider->seen->{twice}, 0, 'the account was never used twice at once');
    like($t->error_log, qr/source is left to a newer worker/, 'the log says so');
    unlike($t->error_log, qr/source waits for an account/,
           'the account stays with the stream');

    # workers that die, and the rover with them

    $t->kill_worker($_) for $t->pids;
    $r->wait_for(sub { !shift->{open} });
    $r = rovers($n, 'good');
    $r->wait_for(fed => 1);
    $provider->wait_for(requests => $before + 3);
    pass('workers that die: who comes anew is served');
    is($provider->seen->{twice}, 0, 'never twice at once');
    $t->stop;
}


# ---- mistakes ----

my $t = Fieldgate->new;

for my $case (
    ["ntrip_source_ssl_trusted_certificate $dir/none.pem;",
     qr/"ntrip_source_ssl_trusted_certificate" cannot be read in .*check\.conf:/],
    ["ntrip_source_ssl_trusted_certificate $dir/ca.cnf;",
     qr/"ntrip_source_ssl_trusted_certificate" cannot be read in .*check\.conf:/],
    ['ntrip_source_ssl_ciphers NOTHING;',
     qr/"ntrip_source_ssl_ciphers" names no ciphers in .*check\.conf:/],
    ['ntrip_source_ssl_protocols TLSv9;', qr/invalid value "TLSv9" in /],
    ['ntrip_source_ssl_name $host;', qr/"ntrip_source_ssl_name" .* variable/],
    ['ntrip_source_ssl_name "";', qr/"ntrip_source_ssl_name" .*needs a name/],
) {
    my ($directive, $said) = @$case;
    my ($status, $out) = $t->check(stream => <<"END");
    ntrip_zone 1m;
    ntrip_database %%DIR%%/x.db;
    ntrip_mount M;
    server { listen 127.0.0.1:%%PORT:caster%%; ntrip_caster; ntrip_relay;
             $directive }
END
    is($status, 1, "$directive is a mistake");
    like($out, $said, 'nginx -t says where');
}

done_testing;
