package Fieldgate::Affinity;

# What the tests of cwmp_affinity share: two ACSs, acs1 and acs2, and what they
# have seen.
#
#   use Fieldgate::Affinity;
#   my $t = Fieldgate->new(...);
#   acs($t, rpcs => 2);
#   is(failed(cpes($t, 'cpe', sessions => 100)), 0, 'all complete');
#   never_mixed(seen($t), 'plain');
#
#   my $s = $t->connect('cpe');            # one session by hand
#   post($s, 'inform', 'D1');
#   my $head = answer($s);
#   post($s, 'empty', 'D1', cookie_of($head));
#   is(server_of(answer($s)), server_of($head), 'the same server');

use strict;
use warnings;

use Fieldgate ();
use Fieldgate::ACS;
use Fieldgate::CPE;
use Fieldgate::Env qw(read_file);
use Fieldgate::Wait ();
use IO::Select;
use Test::More ();

my $vain = qr/CPE came back while its old connection is in use/;
my $vain_before = 0;
my %pid;


sub import {
    my $caller = caller;
    no strict 'refs';
    *{"${caller}::$_"} = \&$_
        for qw(acs start_acs kill_acs certificate cpes failed report
               wait_closed in_vain seen never_mixed message post post_to
               more answer server_of conn_of cookie_of);
}

# both ACSs anew, with these options

sub acs {
    my ($t, %opt) = @_;
    for my $name (qw(acs1 acs2)) {
        kill_acs($t, $name);
        start_acs($t, $name, %opt);
    }
}

sub start_acs {
    my ($t, $name, %opt) = @_;
    $pid{$name} = Fieldgate::ACS->start($t, $name, %opt);
    $vain_before += in_vain($t);
}

sub kill_acs {
    my ($t, $name) = @_;
    my $pid = delete $pid{$name} or return;
    $t->end($pid, 'KILL');
}

# tls.crt and tls.key in the test's folder

sub certificate {
    my ($t) = @_;
    system('openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=acs '
           . '-keyout ' . $t->path('tls.key') . ' -out ' . $t->path('tls.crt')
           . ' 2>/dev/null') == 0 or die 'openssl';
}

# sessions of CPEs through the server on the port of that name

sub cpes {
    my ($t, $port, %opt) = @_;
    return Fieldgate::CPE->run(port => $t->port($port), sessions => 200,
                               at_once => 20, think => 0.01, %opt);
}

# how many of them failed in the end; says of some, why

sub failed {
    my @bad = grep { !$_->{ok} } @_;
    my $n = @bad;
    Test::More::diag("$_->{device}: $_->{error} (requests $_->{requests}, "
                     . "servers @{$_->{servers}})") for splice @bad, 0, 5;
    return $n;
}

sub report { Fieldgate::ACS->report(@_) }

# until the ACS has closed the connection of this answer of its own

sub wait_closed {
    my ($t, $head) = @_;
    my ($name, $conn) = $head =~ /^X-ACS: (\S+)\r\nX-Conn: (\d+)\r$/m
        or die "no answer of an ACS: $head";
    Fieldgate::wait_for(sub { read_file($t->path("$name.out"))
                              =~ /^close $conn$/m },
                        "$name to close connection $conn");
}

# how often, since an ACS was started, nginx has waited in vain for the old
# connection of a session to be closed

sub in_vain {
    my ($t) = @_;
    my $n = () = $t->error_log =~ /$vain/g;
    return $n - $vain_before;
}

# The sum over both ACSs, or those of other names, of each the sessions, and the
# most devices that one connection has had.  All connections of CPEs are closed
# when this is called, so theirs have to be soon.

sub seen {
    my ($t, @names) = @_;
    @names = qw(acs1 acs2) unless @names;
    my (%sum, @r);
    Fieldgate::wait_for(sub { @r = map { report($t, $_) } @names;
                              return !grep { $_->{open} } @r },
                        'the upstream connections to be closed');
    for my $r (@r) {
        $sum{$_} += $r->{$_} for grep { !ref $r->{$_} } keys %$r;
        $sum{devices_at_most} = $r->{max_devices}
            if $r->{max_devices} > ($sum{devices_at_most} // 0);
        push @{$sum{each}}, $r->{sessions};
    }
    $sum{vain} = in_vain($t);
    return \%sum;
}

# A session comes back when its old connection is closed, or has not been for
# 200 ms, as on a slow machine; unless (early => 1).

sub never_mixed {
    my ($seen, $what, %may) = @_;
    Test::More::is($seen->{devices_at_most}, 1,
                   "$what: a connection has one device");
    Test::More::is($seen->{mixed}, 0, "$what: and nothing of another one");
    Test::More::cmp_ok($seen->{early}, '<=', $seen->{vain},
                       "$what: no device has two at once") if !$may{early};
}

# the body of a message: inform, empty or response

sub message {
    my ($kind, $device) = @_;
    my $cpe = bless { o => { size => 0 }, device => $device },
              'Fieldgate::CPE';
    return $cpe->message($kind);
}

# one message of a session, on a socket

sub post { post_to('/', @_) }

sub post_to {
    my ($uri, $s, $kind, $device, @headers) = @_;
    my $body = message($kind, $device);
    print $s join("\r\n", "POST $uri HTTP/1.1", 'Host: acs.example',
                  'Content-Length: ' . length $body, @headers)
             . "\r\n\r\n$body";
}

# up to that many bytes more, '' at the end

sub more {
    my ($s, $n) = @_;
    IO::Select->new($s)->can_read($Fieldgate::Wait::Guard)
        or return Fieldgate::Wait::in_vain('more of an answer');
    sysread $s, my ($bytes), $n or return '';
    return $bytes;
}

# its answer: the head

sub answer {
    my ($s) = @_;
    my $head = '';
    until ($head =~ /\r\n\r\n/) {
        my $byte = more($s, 1);
        return "closed: $head" if $byte eq '';
        $head .= $byte;
    }
    my ($length) = $head =~ /^Content-Length: (\d+)/mi;
    my $left = $head =~ /^HTTP\S+ 204/ ? 0 : $length // 0;
    while ($left > 0) {
        my $body = more($s, $left);
        return "cut: $head" if $body eq '';
        $left -= length $body;
    }
    return $head;
}

sub server_of { $_[0] =~ /^X-ACS: (\S+)/m ? $1 : 'none' }
sub conn_of { $_[0] =~ /^X-Conn: (\S+)/m ? $1 : 'none' }
sub cookie_of { $_[0] =~ /^Set-Cookie: (session=\w+)/m ? "Cookie: $1" : 'X: y' }

1;
