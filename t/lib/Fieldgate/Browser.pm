package Fieldgate::Browser;

# Headless Chromium, driven over WebDriver by Debian's chromium-driver.
#
#   plan(skip_all => $why) if $why = Fieldgate::Browser::lacking();
#   my $browser = Fieldgate::Browser->new(width => 1280, height => 900);
#   $browser->go("http://127.0.0.1:$port/");
#   is($browser->js('return document.title'), 'Title', 'JavaScript');
#   $browser->wait_js('return document.images.length === 0', 'no images');
#   $browser->click('button.ok');
#   $browser->screenshot($file);
#
# Selectors are those of CSS.  What pages write to their consoles is in
# ->console, and gone with that.

use strict;
use warnings;

use parent -norequire, 'Fieldgate::Simulator';

use HTTP::Tiny;
use JSON::PP ();
use MIME::Base64 qw(decode_base64);
use POSIX ();

use Fieldgate::Env qw(temp_dir read_file write_file);
use Fieldgate::Simulator;
use Fieldgate::Wait ();

my $json = JSON::PP->new->utf8->canonical->allow_nonref;


# why there cannot be one; empty if there can

sub lacking {
    for my $name (qw(chromium chromedriver)) {
        return "there is no $name" if !grep { -x "$_/$name" }
                                       split /:/, $ENV{PATH};
    }
    return '';
}

sub new {
    my ($class, %opt) = @_;

    my $dir = temp_dir();

    # a group of its own: when Chromium's processes do not end, they are known

    my $pid = Fieldgate::Simulator::run_child('chromedriver', sub {
        setpgrp;
        $ENV{HOME} = $dir;
        open STDOUT, '>', "$dir/chromedriver.log" or die "$dir: $!\n";
        open STDERR, '>&', \*STDOUT;
        exec 'chromedriver', "--port=0" or die "chromedriver: $!\n";
    });

    my $self = bless {
        pid => $pid, owner => $$, dir => $dir,
        http => HTTP::Tiny->new(timeout => $Fieldgate::Wait::Guard),
    }, $class;

    Fieldgate::Wait::wait_for(
        sub { read_file("$dir/chromedriver.log") =~ /successfully on port (\d+)/
              and $self->{url} = "http://127.0.0.1:$1" },
        'chromedriver to listen');

    my ($width, $height) = ($opt{width} // 1280, $opt{height} // 900);

    my $session = $self->ask(POST => '/session', { capabilities => {
        alwaysMatch => {
            browserName => 'chrome',
            'goog:loggingPrefs' => { browser => 'ALL' },
            'goog:chromeOptions' => { args => [
                '--headless=new', '--no-sandbox', '--disable-gpu',
                '--disable-dev-shm-usage', '--no-first-run',
                '--disable-background-networking', '--no-proxy-server',
                '--disable-component-update', "--user-data-dir=$dir/profile",
                "--window-size=$width,$height",
            ] },
        },
    } });

    $self->{session} = "/session/$session->{sessionId}";

    return $self;
}

sub ask {
    my ($self, $method, $path, $body) = @_;

    my $r = $self->{http}->request($method, $self->{url} . $path, {
        defined $body ? (content => $json->encode($body)) : (),
        headers => { 'Content-Type' => 'application/json' },
    });
    my $value = eval { $json->decode($r->{content})->{value} };

    die "$method $path: $r->{status} "
        . (ref $value ? $value->{message} // '' : $r->{content}) . "\n"
        if !$r->{success};

    return $value;
}

sub do { my ($self, $path, $body) = @_;
         $self->ask(POST => "$self->{session}/$path", $body // {}) }

sub go { $_[0]->do(url => { url => $_[1] }) }

# what a function with this body returns; arguments are in "arguments"

sub js {
    my ($self, $script, @args) = @_;
    return $self->do('execute/sync' => { script => $script, args => \@args });
}

sub wait_js {
    my ($self, $script, $what, @args) = @_;
    my $r;
    Fieldgate::Wait::wait_for(sub { $r = $self->js($script, @args) }, $what);
    return $r;
}

sub element {
    my ($self, $selector) = @_;
    my $found = $self->do(element => { using => 'css selector',
                                       value => $selector });
    return (values %$found)[0];
}

sub click { $_[0]->do('element/' . $_[0]->element($_[1]) . '/click') }

# keys, to what has the focus

sub keys {
    my ($self, @keys) = @_;
    my @events = map { ({ type => 'keyDown', value => $_ },
                        { type => 'keyUp', value => $_ }) } @keys;
    return $self->do(actions => { actions => [
        { type => 'key', id => 'keyboard', actions => \@events } ] });
}

# the DevTools protocol, for what WebDriver does not have

sub devtools {
    my ($self, $cmd, %params) = @_;
    return $self->do('goog/cdp/execute' => { cmd => $cmd,
                                             params => \%params });
}

sub colours {
    my ($self, $scheme) = @_;
    $self->devtools('Emulation.setEmulatedMedia', features => [
        { name => 'prefers-color-scheme', value => $scheme } ]);
}

sub size {
    my ($self, $width, $height, $mobile) = @_;
    $self->devtools('Emulation.setDeviceMetricsOverride', width => $width,
                    height => $height, deviceScaleFactor => 1,
                    mobile => $mobile ? JSON::PP::true : JSON::PP::false);
}

sub screenshot {
    my ($self, $file) = @_;
    my $png = decode_base64($self->ask(GET => "$self->{session}/screenshot"));
    write_file($file, $png);
    return length $png;
}

# lines of the console: { level, message, source }

sub console {
    my ($self) = @_;
    return @{$self->do('se/log' => { type => 'browser' })};
}

# Chromium ends with its session, chromedriver afterwards

sub stop {
    my ($self) = @_;
    return unless $self->{pid} && $self->{owner} == $$;

    my $pid = $self->{pid};
    eval { $self->ask(DELETE => $self->{session}) } if $self->{session};
    $self->SUPER::stop;
    kill KILL => -$pid;
}

sub DESTROY { $_[0]->stop }

1;
