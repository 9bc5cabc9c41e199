# The rooms of src/rooms: every file is in one, includes headers of its own
# room and doors of rooms before it, and calls nothing that a later room
# defines; the pure ones know of nginx its types only.

use strict;
use warnings;
use lib 't/lib';

use Test::More;
use Fieldgate::Env qw(top read_file);

chdir top() or die "chdir: $!";

# rooms whose files are all pure: bytes or memory in, results out

my $pure = qr{^(?:cwmp/(?:message|origin|auth|zone)|ntrip/(?:protocol|zone))$};

my (%rank, %door, @twice);
for my $line (split /\n/, read_file('src/rooms')) {
    my ($room, $header, $more) = split ' ', $line =~ s/#.*//r;
    next unless defined $room;
    push @twice, $room if $rank{$room} || defined $more;
    $rank{$room} = 1 + keys %rank;
    $door{$room} = $header;
}

cmp_ok(keys(%rank), '>', 10, 'there are rooms');
is("@twice", '', 'each is one line: a room and its door');

my @files = sort split /\n/, `find src -name '*.[ch]'`;
cmp_ok(scalar @files, '>', 100, 'with files in them');

my (%text, %room, %where, @wrong);
for my $file (@files) {
    my ($room, $name) = $file =~ m{^src/(.*)/([^/]+)$};
    if (!$rank{$room}) {
        push @wrong, "$file: is in no room";
        next;
    }
    push @wrong, "$file: has the name of $where{$name}" if $where{$name};
    $room{$file} = $room;
    $where{$name} = $file;
    $text{$file} = code(read_file($file));
}

for my $room (sort keys %door) {
    my $door = $door{$room} // next;
    push @wrong, "src/rooms: $room has no $door"
        unless -f "src/$room/$door";
}

push @wrong, map { includes($_) } sort keys %room;
push @wrong, map { impure($_) } sort keys %room;
push @wrong, calls();

is(join("\n", sort @wrong), '', 'nothing leads past a door or up the stairs');

done_testing;


# the text without comments, strings and the names of included files

sub code {
    my ($text) = @_;
    my $out = { includes => [], words => {}, text => '' };

    $text =~ s{/\*.*?\*/}{}gs;
    push @{$out->{includes}}, $2
        while $text =~ /^[ ]*\#[ ]*include[ ]+([<"])(\S+)[>"]/gmx;
    $text =~ s/^[ ]*\#[ ]*include.*//gmx;
    $text =~ s/"(?:[^"\\\n]|\\.)*"/""/g;
    $out->{text} = $text;
    $out->{words}{$1} = 1 while $text =~ /\b((?:ngx|cwmp|ntrip)_\w+)/g;

    return $out;
}

# A room's place when one of its files looks for others.  The sources of the
# module's own folder come last, its header does not.

sub place {
    my ($file) = @_;
    my $room = $room{$file};
    return $room !~ m{/} && $file =~ /\.c$/ ? 1e9 : $rank{$room};
}

sub half { $_[0] =~ m{^(\w+)} ? $1 : '' }

sub includes {
    my ($file) = @_;
    my $room = $room{$file};
    my @found;

    for my $name (@{$text{$file}{includes}}) {
        my $of = $where{$name} // next;
        my $to = $room{$of};
        next if $to eq $room;

        if (half($to) ne half($room) && $to ne 'both') {
            push @found, "$file: includes $name of the other half";
        } elsif (place($of) > place($file)) {
            push @found, "$file: includes $name of $to, a later room";
        } elsif (($door{$to} // '') ne $name) {
            push @found, "$file: includes $name, not the door of $to";
        }
    }

    return @found;
}

sub impure {
    my ($file) = @_;
    my $half = half($room{$file});
    my $name = $file =~ s{.*/}{}r;

    return "$file: is glue in a pure room"
        if $room{$file} =~ $pure && $name !~ /^${half}_/;
    return "$file: is named neither ${half}_* nor ngx_*"
        if $name !~ /^(?:${half}|ngx)_/;
    return () if $name !~ /^${half}_/;

    return map { "$file: is pure and includes $_" }
           grep { /^ngx_(?!config|core)/ } @{$text{$file}{includes}};
}

# What a room defines it declares, in its own headers, and no room before it
# uses it.  The module is everybody's: its address is how nginx finds the
# configuration.

sub calls {
    my (%defined, %static, @found);

    for my $file (grep { /\.c$/ } keys %room) {
        my $text = $text{$file}{text};

        while ($text =~ /^([a-z][\w \t*]*\n)?(?:([a-z][\w \t*]*?[ *])??)
                         ((?:ngx|cwmp|ntrip)_\w+)(?=\()[^;{}]*\{/gmx)
        {
            my ($type, $name) = (($1 // '') . ($2 // ''), $3);
            if ($type =~ /\bstatic\b/) {
                $static{$file}{$name} = 1;
            } else {
                $defined{$name} = $file;
            }
        }

        while ($text =~ /^(?!static|typedef|extern|return)[a-z][\w \t*]*[ *]
                         ((?:ngx|cwmp|ntrip)_\w+)(?:\[\w*\])*\s*[=;]/gmx)
        {
            $defined{$1} = $file if $1 !~ /^ngx_\w+_module$/;
        }
    }

    for my $file (sort keys %room) {
        for my $name (sort keys %{$text{$file}{words}}) {
            my $of = $defined{$name} // next;
            next if $room{$of} eq $room{$file} || $static{$file}{$name};

            push @found, "$file: uses $name of $room{$of}, a later room"
                if $file =~ /\.c$/ && place($of) > place($file);
            push @found, "$file: declares $name of $room{$of}"
                if $file =~ /\.h$/
                   && $text{$file}{text} =~ /^[a-z][^;{}()]*\b$name\b/m;
        }
    }

    cmp_ok(scalar keys %defined, '>', 300, 'functions are found');
    return @found;
}
