# A neighbour sends large messages: the worker that reads and rewrites them
# serves everybody else in the meantime.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Env qw(top read_file write_file);

use Compress::Zlib ();

my $url = 'http://192.168.100.50:7547/tr069';
my $public = 'http://127.0.0.1:8080/client';
my $inform = read_file(top() . '/t/fuzz/corpus/cwmp_message/inform.xml');
my $coded = "Content-Encoding: gzip\r\n";

my $t = Fieldgate->new(workers => 1, http => <<"END");
    log_format large '\$status \$uri \$cwmp_rewritten';
    cwmp_zone cwmp:1m;
    cwmp_origin_allow 0.0.0.0/0;
    cwmp_public_url $public;
    client_max_body_size 64m;
    client_body_timeout 180s;
    proxy_read_timeout 180s;
    proxy_http_version 1.1;

    server {
        listen 127.0.0.1:%%PORT:cpe%%;
        access_log %%DIR%%/access.log large;
        keepalive_requests 100000000;
        cwmp on;

        location / { proxy_pass http://127.0.0.1:%%PORT:acs%%; }
        location /memory {
            client_body_buffer_size 32m;
            proxy_pass http://127.0.0.1:%%PORT:acs%%;
        }
        location /ratio {
            cwmp_max_ratio 10;
            proxy_pass http://127.0.0.1:%%PORT:acs%%;
        }
        location = /small { return 200 "small"; }
    }
END

# The ACS keeps what it gets in a file named after the path, and tells by a byte
# in a pipe that a message begins.

pipe my $begins, my $tell or die "pipe: $!";
my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 64,
                                   LocalPort => $t->port('acs'),
                                   ReuseAddr => 1) or die "listen: $!";
$t->spawn('acs', sub {
    my $select = IO::Select->new($listen);
    my %buf;
    while (1) {
        for my $s ($select->can_read) {
            if ($s == $listen) {
                $select->add(scalar $listen->accept);
                next;
            }
            my $buf = \($buf{$s} //= '');
            my $begun = length $$buf;
            if (!sysread $s, $$buf, 1 << 20, $begun) {
                $select->remove($s);
                delete $buf{$s};
                next;
            }
            syswrite $tell, 'x' unless $begun;
            my $end = index $$buf, "\r\n\r\n";
            next if $end < 0;
            my $head = substr $$buf, 0, $end + 4;
            my ($length) = $head =~ /^content-length: (\d+)\r$/mi or next;
            next if length $$buf < length($head) + $length;
            my ($name) = $head =~ m{^POST \S*/(\w+) };
            write_file($t->path("got-$name"), substr $$buf, length $head);
            $$buf = '';
            syswrite $s, "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone";
        }
    }
});
close $listen;
$t->start;


# the Inform with so many bytes in front of its parameters; the larger "rest",
# the better they are compressed

sub message {
    my ($size, $rest) = @_;
    my ($text, $n) = ('', 0);
    while (length $text < $size) {
        $text .= '<a>&amp;</a>' x $rest . '<b>' . $n++ * 7919 % 100_003 . '</b>';
    }
    return $inform =~ s/(?=<ParameterList)/$text/r;
}

sub expected { $_[0] =~ s{\Q$url\E}{$public?origin=$url}r }

sub head {
    my ($path, $headers) = @_;
    return "POST $path HTTP/1.1\r\nHost: x\r\n$headers\r\n";
}

sub length_header { 'Content-Length: ' . length($_[0]) . "\r\n" }

# what the kernel has not delivered of what was written: SIOCOUTQ

sub undelivered {
    my ($s) = @_;
    my $n = pack 'i', 0;
    ioctl $s, 0x5411, $n or die "SIOCOUTQ: $!";
    return unpack 'i', $n;
}

sub small {
    my ($s) = @_;
    print $s "GET /small HTTP/1.1\r\nHost: x\r\n\r\n";
    return Fieldgate::read_all($s, qr/small\z/) =~ /small\z/;
}

# Sends all of it, the last byte when nginx has read the rest; returns how many
# small requests are answered from then on until the ACS sees the message.

my $other = $t->connect('cpe');

sub answered_meanwhile {
    my ($path, $headers, $body, $what) = @_;
    my ($n, $byte) = (0, '');
    my $cpe = $t->connect('cpe');
    my $begun = IO::Select->new($begins);
    my $over = IO::Select->new($begins, $cpe);

    print $cpe head($path, $headers), substr $body, 0, -1;
    $cpe->flush;
    wait_for(sub { undelivered($cpe) == 0 }, "$what: nginx to have it");
    small($other) for 1 .. 3;
    print $cpe substr $body, -1;
    $cpe->flush;

    $n++ while !$over->can_read(0) && small($other);
    sysread $begins, $byte, 1 if $begun->can_read(0);
    my $reply = Fieldgate::read_all($cpe, qr/done\z/);
    like($reply, qr{^HTTP/1\.1 200 }, "$what: answered");

    return $n;
}

my %form = (
    'in a file' => sub {
        my ($message) = @_;
        return ('/', length_header($message), $message);
    },
    'in memory' => sub {
        my ($message) = @_;
        return ('/memory/', length_header($message), $message);
    },
    chunked => sub {
        my ($message) = @_;
        return ('/', "Transfer-Encoding: chunked\r\n",
                join '', map({ sprintf "%x\r\n%s\r\n", length, $_ }
                             unpack '(a65536)*', $message), "0\r\n\r\n");
    },
    gzip => sub {
        my ($message) = @_;
        my $gzip = Compress::Zlib::memGzip($message);
        my $ratio = length($message) / length $gzip;
        cmp_ok($ratio, '>', 20, 'gzip: a ratio of ' . int $ratio);
        return ('/', length_header($gzip) . $coded, $gzip);
    },
);

my ($large, $larger) = map { message($_, 10) } 2_000_000, 15_000_000;

sub measure {
    my ($form, $message) = @_;
    my ($path, $headers, $body) = $form{$form}->($message);
    my $what = "$form, " . length($message) . ' bytes';

    my $n = answered_meanwhile("${path}large", $headers, $body, $what);

    my $got = read_file($t->path('got-large'));
    $got = Compress::Zlib::memGunzip($got) // '' if $form eq 'gzip';
    ok($got eq expected($message), "$what: rewritten, and nothing else");

    return $n;
}

# on a busy machine this process may have to wait while the worker works, or the
# worker in its midst, so both may try again

for my $form (sort keys %form) {
    my ($few, $many);

    for (1 .. 5) {
        ($few, $many) = map { measure($form, $_) } $large, $larger;
        last if $many > 20 && $many > $few;
    }

    note("$form: $few and $many others in between");
    cmp_ok($many, '>', 20, "$form: others are served in between");
    cmp_ok($many, '>', $few, "$form: the more, the larger it is");
}

# the ratio, and where it begins to count

my $flat = $inform =~ s/(?=<ParameterList)/' ' x 1_000_000/er;
for my $case ([ '/large', 'the default', 413, ' ' x 2_000_000 ],
              [ '/large', 'the default', 200, ' ' x 1_000_000 ],
              [ '/ratio/large', '10', 413, $large ],
              [ '/large', 'the default', 200, $large ])
{
    my ($path, $ratio, $status, $message) = @$case;
    my $gzip = Compress::Zlib::memGzip($message);
    my $reply = $t->exchange('cpe', head($path, length_header($gzip) . $coded
                                                . "Connection: close\r\n")
                                    . $gzip);
    my $times = int(length($message) / length $gzip);
    like($reply, qr{^HTTP/1\.1 $status }, length($message) . " bytes, $times "
         . "times the input, with $ratio: $status");
    sysread $begins, my $byte, 1 if $status == 200;
}
is(() = $t->error_log =~ /\[error\].*rejected as a bomb.*client: 127/g, 2,
   'each refusal is logged');

# a client that leaves ends the work on its message: the ACS sees nothing of it

my $gzip = Compress::Zlib::memGzip($larger);
for my $form (sort keys %form) {
    my ($path, $headers, $body) = $form{$form}->($larger);
    my $cpe = $t->connect('cpe');
    print $cpe head("${path}left", $headers), $body;
    close $cpe;
}
wait_for(sub { (() = read_file($t->path('access.log')) =~ m{^499 \S*/left -$}mg)
               == keys %form }, 'messages of clients that left, in access.log');
ok(small($other), 'nginx goes on');
ok(!-e $t->path('got-left'), 'and the ACS has not seen them');

# more of them at once than a worker works on, a reload in the middle, and some
# of the clients leave while they wait: the others are served, then as before

sub send_many {
    my ($name, $n) = @_;
    my @cpes = map { $t->connect('cpe') } 1 .. $n;
    for my $i (1 .. $n) {
        my $s = $cpes[$i - 1];
        print $s head("/$name$i", length_header($gzip) . $coded), $gzip;
        $s->flush;
    }
    return @cpes;
}

for my $round (1 .. 2) {
    my @cpes = send_many("many$round", 20);
    wait_for(sub { !grep { undelivered($_) } @cpes }, 'nginx to have them');
    close $_ for splice @cpes, 10, 5;
    $t->reload if $round == 2;

    my $cpe = $t->connect('cpe');
    print $cpe head("/honest$round", length_header($inform)), $inform;
    like(Fieldgate::read_all($cpe, qr/done\z/), qr{^HTTP/1\.1 200 },
         'an Inform among many large messages');
    is(read_file($t->path("got-honest$round")), expected($inform),
       'it is rewritten');

    my $done = grep { Fieldgate::read_all($_, qr/done\z/) =~ /done\z/ } @cpes;
    is($done, 15, 'all who stay are answered' . ($round == 2
                                                 && ', over a reload'));
    my @right = grep {
        my $name = $t->path("got-many$round$_");
        -e $name && (Compress::Zlib::memGunzip(read_file($name)) // '')
                    eq expected($larger)
    } 1 .. 10, 16 .. 20;
    is("@right", join(' ', 1 .. 10, 16 .. 20), 'and rewritten');
    unlink glob $t->path("got-many$round*");
}

wait_for(sub { !grep { $_->{exiting} } $t->worker_processes },
         'the old worker to end');

done_testing;
