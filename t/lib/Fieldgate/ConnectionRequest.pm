package Fieldgate::ConnectionRequest;

# The connection request server of a CPE, in a process of its own: strict, and
# with a switch for each thing that real CPEs do otherwise.
#
#   my $cpe = Fieldgate::ConnectionRequest->new(qop => 'none', eol => "\n");
#   ... $cpe->url ...
#   $cpe->set(status => 503);       # from now on
#   $cpe->wait_for(requests => 2);  # until that many requests were read
#   my $seen = $cpe->seen;          # what happened, see below
#   $cpe->clear;                    # forgets that, keeps the nonces
#
# Switches:
#
#   user, password, realm      acs, s3c:ret, CPE
#   path                       what the request line has to begin with; any
#   host                       address to listen at; 127.0.0.1
#   head                       1: HEAD is as good as GET
#   auth                       digest, basic or none
#   algorithm                  as in the challenge, which names it only if set
#   qop                        as in the challenge, without quotes; auth; none
#   opaque                     undef: no opaque
#   challenges                 [ ... ]: WWW-Authenticate values in place of
#                              those built from the above; %r %n %o are realm,
#                              nonce and opaque
#   accept                     [ ... ]: algorithms that are accepted when
#                              challenges is set
#   stale                      that many good answers are refused as stale
#   nonce_uses                 how often a nonce is good; 0: for ever
#   nonce_last                 1: a new nonce voids the older ones
#   nonce_conn                 1: a nonce is good on its own connection only
#   max_cnonce, max_header     longest cnonce, longest Authorization value
#   status                     of the authorised request; 200
#   reply                      bytes in place of any reply
#   reply_ok                   bytes in place of the authorised reply
#   headers                    [ ... ]: more header lines of a 200
#   body401, body              bodies
#   framing                    length, chunked, lies (a length of 100 bytes too
#                              many), or none: ends with the close, but the
#                              close does not come
#   after401                   keep, close (announced), drop (unannounced),
#                              reset; "drop" waits for nothing
#   after_ok                   the same
#   eol                        line ending; CR LF
#   fold                       1: challenges are folded after each parameter
#   nofinal                    1: the blank line after the header is missing
#   version                    HTTP/1.1
#   silent                     request, connect: reads and says nothing
#   delay                      seconds before each reply
#   hold                       1: no reply before it is 0 again
#   reset_first, drop_first    that many connections are reset, or closed,
#                              when the request has been read
#   drip                       1: the reply goes out byte by byte, 50 ms apart
#   flood                      bytes that are sent over and over
#
# What is seen, once there is nothing more to read: { connections, requests =>
# [ { line, conn, peer, headers, text, verdict } ], open (now), most (at once),
# closed }.  A verdict is ok, basic, challenge, or why the answer was refused.

use strict;
use warnings;

use parent 'Fieldgate::Simulator';

use Digest::MD5 ();
use Digest::SHA ();
use IO::Handle;
use IO::Socket::IP;
use JSON::PP ();
use Socket qw(AF_UNIX SOCK_STREAM PF_UNSPEC SOL_SOCKET SO_LINGER);
use Time::HiRes ();

use Fieldgate::Env qw(free_port);
use Fieldgate::Wait ();

my $json = JSON::PP->new->latin1->canonical;

my %defaults = (
    user => 'acs', password => 's3c:ret', realm => 'CPE', host => '127.0.0.1',
    auth => 'digest', algorithm => undef, qop => 'auth', opaque => '5ccc',
    status => 200, body => '', body401 => '', framing => 'length',
    after401 => 'keep', after_ok => 'close', eol => "\r\n",
    version => 'HTTP/1.1', stale => 0, nonce_uses => 0, max_cnonce => 32,
    max_header => 511, reset_first => 0, drop_first => 0,
);


sub new {
    my ($class, %switch) = @_;

    my $s = { %defaults, %switch };

    # a port that another CPE has had would come with its nonce

    my $listen = IO::Socket::IP->new(
        LocalHost => $s->{host}, LocalPort => $s->{port} || free_port(),
        Listen => 4096, Proto => 'tcp', ReuseAddr => 1, Blocking => 0,
    ) or die "cannot listen at $s->{host}: $@\n";

    socketpair(my $ours, my $theirs, AF_UNIX, SOCK_STREAM, PF_UNSPEC)
        or die "socketpair: $!\n";

    my $pid = Fieldgate::Simulator::run_child('CPE', sub {
        close $ours;
        Fieldgate::ConnectionRequest::Server->new($s, $listen, $theirs)->run;
    });

    close $theirs;
    $ours->autoflush(1);

    my $self = bless {
        pid => $pid, control => $ours, port => $listen->sockport,
        host => $s->{host}, owner => $$, path => $s->{path} // '/cr',
    }, $class;

    close $listen;

    return $self;
}


sub port { $_[0]{port} }


sub hostport {
    my ($self) = @_;
    my $host = $self->{host} =~ /:/ ? "[$self->{host}]" : $self->{host};
    return "$host:$self->{port}";
}


sub url { 'http://' . $_[0]->hostport . $_[0]{path} }


sub _ask {
    my ($self, $question) = @_;

    print { $self->{control} } $json->encode($question), "\n"
        or die "CPE is gone: $!\n";

    my $fh = $self->{control};
    my $line = <$fh>;
    die "CPE is gone\n" unless defined $line;

    return $json->decode($line);
}


sub set { my ($self, %switch) = @_; $self->_ask({ set => \%switch }); $self }
sub seen { $_[0]->_ask({ seen => 1 }) }
sub clear { $_[0]->_ask({ clear => 1 }); $_[0] }


# waits for a number of requests, connections or closed ones

sub wait_for {
    my ($self, $what, $n) = @_;

    my ($seen, $have);

    return Fieldgate::Wait::await(sub {
        $seen = $self->seen;
        $have = $seen->{$what};
        $have = @$have if ref $have;
        return $have >= $n && $seen;
    }) || (Fieldgate::Wait::in_vain("the CPE to see $n $what", $have), $seen);
}


package Fieldgate::ConnectionRequest::Server;

use Errno qw(EAGAIN EWOULDBLOCK);
use IO::Poll qw(POLLIN POLLOUT POLLHUP POLLERR);
use Socket qw(SOL_SOCKET SO_LINGER);


sub new {
    my ($class, $switch, $listen, $control) = @_;

    $control->blocking(0);

    return bless {
        %$switch, listen => $listen, control => $control, conn => {},
        nonce => {}, serial => 0, order => '', timers => [], held => [],
        seen => { connections => 0, requests => [], most => 0, closed => 0 },
    }, $class;
}


sub run {
    my ($self) = @_;

    my $poll = IO::Poll->new;
    $self->{poll} = $poll;
    $poll->mask($self->{listen} => POLLIN);
    $poll->mask($self->{control} => POLLIN);

    while (1) {
        my $wait = -1;

        if (@{ $self->{timers} }) {
            $wait = $self->{timers}[0][0] - Time::HiRes::time();
            $wait = 0 if $wait < 0;
        }

        $poll->poll($wait);

        # what nginx has done comes before what the test asks

        my ($asked, $others);

        for my $fh ($poll->handles(POLLIN | POLLHUP | POLLERR)) {
            if ($fh == $self->{control}) {
                $asked = 1;
                next;
            }

            $others = 1;

            if ($fh == $self->{listen}) {
                $self->accept_all;

            } elsif (my $c = $self->{conn}{ fileno($fh) // -1 }) {
                $self->readable($c);
            }
        }

        for my $fh ($poll->handles(POLLOUT)) {
            my $c = $self->{conn}{ fileno($fh) // -1 } or next;
            $self->flush_out($c) if $c->{fh} == $fh;
        }

        if ($asked && !$others) {
            $self->answer or return;
        }

        my $now = Time::HiRes::time();

        while (@{ $self->{timers} } && $self->{timers}[0][0] <= $now) {
            (shift @{ $self->{timers} })->[1]->();
        }
    }
}


sub after {
    my ($self, $delay, $code) = @_;

    @{ $self->{timers} } = sort { $a->[0] <=> $b->[0] }
        @{ $self->{timers} }, [ Time::HiRes::time() + $delay, $code ];
}


# what the test asks for

sub answer {
    my ($self) = @_;

    my $n = sysread $self->{control}, $self->{order}, 65536,
                    length $self->{order};

    return 1 if !defined $n && ($! == EAGAIN || $! == EWOULDBLOCK);
    return 0 unless $n;

    while ($self->{order} =~ s/^(.*)\n//) {
        my $q = $json->decode($1);
        my $reply = {};

        if ($q->{set}) {
            $self->{$_} = $q->{set}{$_} for keys %{ $q->{set} };

            if (!$self->{hold}) {
                $_->() for splice @{ $self->{held} };
            }

        } elsif ($q->{clear}) {
            $self->{seen} = {
                connections => 0, requests => [], closed => 0,
                most => scalar keys %{ $self->{conn} },
            };

        } else {
            $reply = { %{ $self->{seen} },
                       open => scalar keys %{ $self->{conn} } };
        }

        my $line = $json->encode($reply) . "\n";

        $self->{control}->blocking(1);
        print { $self->{control} } $line;
        $self->{control}->flush;
        $self->{control}->blocking(0);
    }

    return 1;
}


sub accept_all {
    my ($self) = @_;

    while (my $fh = $self->{listen}->accept) {
        $fh->blocking(0);

        # what was closed before this one came is no longer open
        $self->readable($_)
            for grep { !$self->{silent} } values %{ $self->{conn} };

        my $c = { fh => $fh, fd => fileno $fh, in => '', out => '',
                  n => ++$self->{seen}{connections} };

        $self->{conn}{ $c->{fd} } = $c;

        my $open = keys %{ $self->{conn} };
        $self->{seen}{most} = $open if $open > $self->{seen}{most};

        if (($self->{silent} || '') eq 'connect') {
            next;
        }

        $self->{poll}->mask($fh => POLLIN);
    }
}


sub drop {
    my ($self, $c, $reset) = @_;

    return if $c->{gone}++;

    setsockopt $c->{fh}, SOL_SOCKET, SO_LINGER, pack('ii', 1, 0) if $reset;

    $self->{poll}->remove($c->{fh});
    delete $self->{conn}{ $c->{fd} };
    close $c->{fh};
    $self->{seen}{closed}++;
}


sub readable {
    my ($self, $c) = @_;

    my $n = sysread $c->{fh}, $c->{in}, 65536, length $c->{in};

    return if !defined $n && ($! == EAGAIN || $! == EWOULDBLOCK);
    return $self->drop($c) unless $n;

    while (!$c->{gone} && $c->{in} =~ s/^(.*?)\r\n\r\n//s) {
        $self->request($c, $1);
    }
}


sub request {
    my ($self, $c, $text) = @_;

    my ($line, @lines) = split /\r\n/, $text;
    my (%h, $bad);

    for (@lines) {
        if (/^([^\s:]+):[ \t]*(.*?)[ \t]*$/) {
            $bad = "header $1 twice" if exists $h{ lc $1 };
            $h{ lc $1 } = $2;

        } else {
            $bad = "header line \"$_\"";
        }
    }

    my $seen = { line => $line, conn => $c->{n}, headers => \%h, text => $text,
                 peer => $c->{fh}->peerhost };
    push @{ $self->{seen}{requests} }, $seen;

    if ($self->{drop_first} > 0 || $self->{reset_first} > 0) {
        my $reset = $self->{reset_first} > 0;
        $self->{ $reset ? 'reset_first' : 'drop_first' }--;
        $seen->{verdict} = $reset ? 'reset' : 'dropped';
        return $self->drop($c, $reset);
    }

    if ($self->{silent}) {
        $seen->{verdict} = 'silence';
        return;
    }

    if (defined $self->{flood}) {
        $seen->{verdict} = 'flood';
        $c->{flood} = $self->{flood};
        $c->{out} = $self->{reply} // '';
        return $self->flush_out($c);
    }

    $self->{now} = $c->{n};
    my $verdict = $bad || $self->judge($line, \%h);
    $seen->{verdict} = $verdict;

    my $ok = $verdict eq 'ok' || $verdict eq 'basic';
    my $reply = $self->{reply} // ($ok ? $self->{reply_ok} : undef)
                // $self->build($line, $ok, $verdict);
    my $then = $self->{ $ok ? 'after_ok' : 'after401' };

    # what a CPE does whose reply is replaced as a whole is up to the switch
    my $send = sub {
        return if $c->{gone};
        $c->{then} = $then;
        $self->{drip} ? $self->drip($c, $reply) : do {
            $c->{out} .= $reply;
            $self->flush_out($c);
        };
    };

    if ($self->{hold}) {
        push @{ $self->{held} }, $send;
    } elsif ($self->{delay}) {
        $self->after($self->{delay}, $send);
    } else {
        $send->();
    }
}


sub drip {
    my ($self, $c, $reply) = @_;

    return if $c->{gone} || $reply eq '';

    $c->{then} = undef if length $reply > 1;
    $c->{out} .= substr $reply, 0, 1, '';
    $self->flush_out($c);
    $self->after(0.05, sub { $self->drip($c, $reply) });
}


sub flush_out {
    my ($self, $c) = @_;

    return if $c->{gone};

    while (1) {
        $c->{out} = $c->{flood} x 64 if $c->{out} eq '' && $c->{flood};
        last if $c->{out} eq '';

        my $n = syswrite $c->{fh}, $c->{out};

        if (!defined $n) {
            if ($! == EAGAIN || $! == EWOULDBLOCK) {
                $self->{poll}->mask($c->{fh} => POLLIN | POLLOUT);
                return;
            }

            return $self->drop($c);
        }

        substr $c->{out}, 0, $n, '';
    }

    $self->{poll}->mask($c->{fh} => POLLIN);

    my $then = delete $c->{then} or return;

    if ($then eq 'reset' || $then eq 'drop') {
        $self->drop($c, $then eq 'reset');

    } elsif ($then eq 'close') {
        # the peer may have written already: a close must not reset
        shutdown $c->{fh}, 1;
    }
}


sub judge {
    my ($self, $line, $h) = @_;

    my ($method, $target, $version) = $line =~ m{^(\S+) (\S+) (HTTP/1\.[01])$}
        or return "request line \"$line\"";

    return "method $method"
        unless $method eq 'GET' || $method eq 'HEAD' && $self->{head};
    return 'no host' if $version eq 'HTTP/1.1' && !length($h->{host} // '');
    return "path $target"
        if defined $self->{path} && index($target, $self->{path}) != 0;

    return 'ok' if $self->{auth} eq 'none';

    my $value = $h->{authorization};
    return 'challenge' unless defined $value;

    return 'authorization too long' if length $value > $self->{max_header};

    if ($value =~ /^Basic (\S+)$/) {
        require MIME::Base64;
        my $pair = MIME::Base64::decode_base64($1);
        return 'basic not asked for' unless $self->{auth} eq 'basic';
        return 'basic credentials'
            unless $pair eq "$self->{user}:$self->{password}";
        return 'basic';
    }

    return $self->judge_digest($method, $target, $value);
}


sub parse_digest {
    my ($value) = @_;

    my %p;

    $value =~ /\GDigest /gc or return 'scheme';

    while (1) {
        $value =~ /\G([a-z]+)=/gc or return 'digest parameter name';
        my $name = $1;

        return "digest parameter $name twice" if exists $p{$name};

        if ($value =~ /\G"((?:[^"\\]|\\.)*)"/gc) {
            ($p{$name} = $1) =~ s/\\(.)/$1/g;
            $p{"$name quoted"} = 1;

        } elsif ($value =~ /\G([A-Za-z0-9!#\$%&'*+.^_`|~-]+)/gc) {
            $p{$name} = $1;

        } else {
            return "value of $name";
        }

        last if $value =~ /\G\z/gc;
        $value =~ /\G, ?/gc or return "no comma after $name";
    }

    return \%p;
}


sub judge_digest {
    my ($self, $method, $target, $value) = @_;

    my $p = parse_digest($value);
    return $p unless ref $p;

    for (qw(username realm nonce uri response)) {
        return "no $_" unless defined $p->{$_};
        return "$_ not quoted" unless $p->{"$_ quoted"};
    }

    for (qw(algorithm qop nc)) {
        return "$_ quoted" if $p->{"$_ quoted"};
    }

    return "uri \"$p->{uri}\", request \"$target\"" if $p->{uri} ne $target;
    return "realm \"$p->{realm}\"" if $p->{realm} ne $self->{realm};
    return "username \"$p->{username}\"" if $p->{username} ne $self->{user};

    my @accept = $self->{accept} ? @{ $self->{accept} }
                                 : ($self->{algorithm} // '');
    my $algorithm = $p->{algorithm} // '';
    my ($asked) = grep { lc eq lc $algorithm } map { tr/"//dr } @accept;
    return "algorithm \"$algorithm\"" unless defined $asked;

    my $opaque = $self->{opaque};
    return 'no opaque' if defined $opaque && !defined $p->{opaque};
    return 'opaque' if defined $p->{opaque}
                       && (!defined $opaque || $p->{opaque} ne $opaque);

    my $nonce = $self->{nonce}{ $p->{nonce} } or return 'nonce';
    return 'nonce of another connection'
        if $self->{nonce_conn} && $nonce->{conn} != $self->{now};

    my ($ha1, $ha2, $qop, $h);

    $h = $algorithm =~ /^SHA-256/i ? \&Digest::SHA::sha256_hex
                                   : \&Digest::MD5::md5_hex;

    my $offered = $self->{qop};
    $qop = $p->{qop};

    if (!defined $qop) {
        return 'no qop' unless $offered eq 'none';
        return 'nc without qop' if defined $p->{nc};

    } else {
        return "qop $qop"
            unless grep { lc eq $qop } split /[\s,]+/, $offered;
        return 'no cnonce' unless length($p->{cnonce} // '');
        return 'cnonce too long' if length $p->{cnonce} > $self->{max_cnonce};
        return 'nc' unless ($p->{nc} // '') =~ /^[0-9a-f]{8}$/;
        return "nc $p->{nc} after $nonce->{nc}"
            unless hex $p->{nc} > $nonce->{nc};
        $nonce->{nc} = hex $p->{nc};
    }

    $ha1 = $h->("$self->{user}:$self->{realm}:$self->{password}");

    if ($algorithm =~ /-sess$/i) {
        return 'no cnonce' unless length($p->{cnonce} // '');
        $ha1 = $h->("$ha1:$p->{nonce}:$p->{cnonce}");
    }

    $ha2 = $h->("$method:$target"
                . (($qop // '') eq 'auth-int' ? ':' . $h->('') : ''));

    my $want = defined $qop
        ? $h->("$ha1:$p->{nonce}:$p->{nc}:$p->{cnonce}:$qop:$ha2")
        : $h->("$ha1:$p->{nonce}:$ha2");

    return 'response' unless $p->{response} eq $want;

    $nonce->{uses}++;

    if ($self->{stale} > 0) {
        $self->{stale}--;
        return 'stale';
    }

    return 'stale' if $self->{nonce_uses}
                      && $nonce->{uses} > $self->{nonce_uses};

    return 'ok';
}


sub build {
    my ($self, $line, $ok, $verdict) = @_;

    my $eol = $self->{eol};
    my ($status, $body, @h);

    if ($ok) {
        $status = $self->{status};
        $body = $self->{body};
        push @h, @{ $self->{headers} || [] };

    } elsif ($verdict =~ /^(?:path|method) /) {
        ($status, $body) = (404, '');

    } else {
        $status = 401;
        $body = $self->{body401};
        push @h, map { "WWW-Authenticate: $_" }
                     $self->challenges($verdict eq 'stale');
    }

    my $framing = $self->{framing};

    $body = '' if $line =~ /^HEAD /;

    if ($framing eq 'length') {
        push @h, 'Content-Length: ' . length $body unless $status == 204;

    } elsif ($framing eq 'lies') {
        push @h, 'Content-Length: ' . (length($body) + 100);

    } elsif ($framing eq 'chunked') {
        push @h, 'Transfer-Encoding: chunked';
        $body = (length $body ? sprintf("%x\r\n%s\r\n", length $body, $body)
                              : '') . "0\r\n\r\n";
    }

    push @h, 'Connection: close'
        if $self->{ $ok ? 'after_ok' : 'after401' } eq 'close';

    my %reason = (200 => 'OK', 204 => 'No Content', 401 => 'Unauthorized');

    return join($eol, "$self->{version} $status "
                      . ($reason{$status} // 'Something'), @h)
           . $eol . ($self->{nofinal} ? '' : $eol . $body);
}


sub challenges {
    my ($self, $stale) = @_;

    if ($self->{auth} eq 'basic') {
        return 'Basic realm="' . $self->{realm} . '"';
    }

    my $nonce = sprintf '%08x%04x', ++$self->{serial}, $$ & 0xffff;
    $self->{nonce} = {} if $self->{nonce_last};
    $self->{nonce}{$nonce} = { nc => 0, uses => 0, conn => $self->{now} };

    if ($self->{challenges}) {
        my %v = (r => $self->{realm}, n => $nonce, o => $self->{opaque} // '');
        return map { s/%([rno])/$v{$1}/gr } @{ $self->{challenges} };
    }

    (my $realm = $self->{realm}) =~ s/(["\\])/\\$1/g;

    my @p = ("realm=\"$realm\"", "nonce=\"$nonce\"");
    push @p, "qop=\"$self->{qop}\"" unless $self->{qop} eq 'none';
    push @p, "algorithm=$self->{algorithm}" if defined $self->{algorithm};
    push @p, "opaque=\"$self->{opaque}\"" if defined $self->{opaque};
    push @p, 'stale=true' if $stale;

    my $between = $self->{fold} ? ",$self->{eol}\t" : ', ';

    return 'Digest ' . join $between, @p;
}


1;
