package Fieldgate::Echo;

# An upstream that answers each request with the bytes that it has received,
# head and body, as they were on the wire:
#
#   my $port = free_port();
#   $t->spawn('echo', sub { Fieldgate::Echo::serve($port) });
#   wait_for(sub { Fieldgate::Echo::ready($port) });
#
# A request with "X-Reply: 204" is answered so, without a body.  With the path of
# a file, serve() also writes each request there, as its last act before the
# reply.

use strict;
use warnings;

use IO::Socket::INET;

use Fieldgate::Env qw(write_file);


sub serve {
    my ($port, $file) = @_;
    local $SIG{CHLD} = 'IGNORE';

    my $listen = IO::Socket::INET->new(LocalAddr => '127.0.0.1', Listen => 64,
                                       LocalPort => $port, ReuseAddr => 1)
        or die "listen on $port: $!";

    while (1) {
        my $s = $listen->accept or next;
        my $pid = fork // die "fork: $!";
        if ($pid == 0) {
            close $listen;
            answer($s, $file);
            exit 0;
        }
        close $s;
    }
}

sub ready {
    my ($port) = @_;
    return IO::Socket::INET->new(PeerAddr => '127.0.0.1', PeerPort => $port);
}


sub answer {
    my ($s, $file) = @_;
    my $buf = '';

    while (more($s, \$buf, qr/\r\n\r\n/)) {
        my ($head) = $buf =~ /^(.*?\r\n\r\n)/s;
        my ($length) = $head =~ /^content-length: *(\d+)\r$/mi;
        my $end = length $head;

        if ($head =~ /^transfer-encoding: *chunked\r$/mi) {
            more($s, \$buf, qr/(?:^|\n)0\r\n\r\n/) or return;
            $end = length $buf;
        } elsif ($length) {
            $end += $length;
            while (length $buf < $end) {
                sysread $s, $buf, 65536, length $buf or return;
            }
        }

        my $got = substr $buf, 0, $end, '';
        my ($status) = $got =~ /^x-reply: *(204)\r$/mi;

        write_file($file, $got) if defined $file;

        print $s $status ? "HTTP/1.1 204 No Content\r\n\r\n"
                         : "HTTP/1.1 200 OK\r\nContent-Length: "
                           . length($got) . "\r\n\r\n$got";
        $s->flush;

        return if $head =~ /^connection: *close\r$/mi;
    }
}

sub more {
    my ($s, $buf, $until) = @_;

    while ($$buf !~ $until) {
        sysread $s, $$buf, 65536, length $$buf or return 0;
    }

    return 1;
}

1;
