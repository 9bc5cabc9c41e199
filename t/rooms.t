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

# Known ones, which a rebuilding under way has yet to remove: below, room by
# room.  Here is no place for new ones.

my %known = map { $_ => 1 } grep { /^[^#]/ } map { s/\s+\z//r } <DATA>;
my %found = map { $_ => 1 } @wrong;

is(join("\n", grep { !$known{$_} } sort keys %found), '',
   'nothing leads past a door or up the stairs');
is(join("\n", grep { !$found{$_} } sort keys %known), '',
   'what is no longer so is not listed as known');

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

        if (half($to) ne half($room)) {
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

__DATA__

# src/ntrip

src/ntrip/ngx_stream_ntrip.h: declares ngx_stream_ntrip_caster_handler of ntrip/rover
src/ntrip/ngx_stream_ntrip.h: declares ngx_stream_ntrip_console_handler of ntrip/admin
src/ntrip/ngx_stream_ntrip.h: declares ngx_stream_ntrip_report_start of ntrip/admin

# src/ntrip/admin

src/ntrip/admin/ngx_stream_ntrip_console.c: includes ngx_stream_ntrip_verify.h, not the door of ntrip/rover

# src/ntrip/handover


# src/ntrip/rover

src/ntrip/rover/ngx_stream_ntrip_migrate.c: uses ngx_stream_ntrip_handover_accept of ntrip/handover, a later room
src/ntrip/rover/ngx_stream_ntrip_rover.c: uses ngx_stream_ntrip_handover_recall of ntrip/handover, a later room

# src/ntrip/source

src/ntrip/source/ngx_stream_ntrip_source.c: uses ngx_stream_ntrip_rovers_retry of ntrip/rover, a later room

# src/ntrip/store

src/ntrip/store/ngx_stream_ntrip_accounts.c: uses ngx_stream_ntrip_source_changed of ntrip/source, a later room
src/ntrip/store/ngx_stream_ntrip_accounts.c: uses ngx_stream_ntrip_source_retry of ntrip/source, a later room
src/ntrip/store/ngx_stream_ntrip_store.c: includes ngx_stream_ntrip_verify.h of ntrip/rover, a later room
src/ntrip/store/ngx_stream_ntrip_store.c: uses ngx_stream_ntrip_rover_user_changed of ntrip/rover, a later room
src/ntrip/store/ngx_stream_ntrip_store.c: uses ngx_stream_ntrip_source_changed of ntrip/source, a later room
src/ntrip/store/ngx_stream_ntrip_store.c: uses ngx_stream_ntrip_verify_init of ntrip/rover, a later room
src/ntrip/store/ngx_stream_ntrip_store.h: declares ngx_stream_ntrip_rover_user_changed of ntrip/rover
src/ntrip/store/ngx_stream_ntrip_store.h: declares ngx_stream_ntrip_source_changed of ntrip/source
src/ntrip/store/ngx_stream_ntrip_store.h: declares ngx_stream_ntrip_source_retry of ntrip/source
src/ntrip/store/ngx_stream_ntrip_store.h: declares ngx_stream_ntrip_store_cancel of ntrip/rover
src/ntrip/store/ngx_stream_ntrip_store.h: declares ngx_stream_ntrip_store_verify of ntrip/rover

# src/ntrip/stream

src/ntrip/stream/ngx_stream_ntrip_stream.c: uses ngx_stream_ntrip_rover_failed of ntrip/rover, a later room
src/ntrip/stream/ngx_stream_ntrip_stream.c: uses ngx_stream_ntrip_rover_finalize of ntrip/rover, a later room
src/ntrip/stream/ngx_stream_ntrip_stream.h: declares ngx_stream_ntrip_find_mount of ntrip/rover
src/ntrip/stream/ngx_stream_ntrip_stream.h: declares ngx_stream_ntrip_handover_accept of ntrip/handover
src/ntrip/stream/ngx_stream_ntrip_stream.h: declares ngx_stream_ntrip_handover_recall of ntrip/handover
src/ntrip/stream/ngx_stream_ntrip_stream.h: declares ngx_stream_ntrip_keep_nmea of ntrip/rover
src/ntrip/stream/ngx_stream_ntrip_stream.h: declares ngx_stream_ntrip_login_again of ntrip/rover
src/ntrip/stream/ngx_stream_ntrip_stream.h: declares ngx_stream_ntrip_login_read of ntrip/rover
src/ntrip/stream/ngx_stream_ntrip_stream.h: declares ngx_stream_ntrip_nrovers of ntrip/rover
src/ntrip/stream/ngx_stream_ntrip_stream.h: declares ngx_stream_ntrip_read_handler of ntrip/rover
src/ntrip/stream/ngx_stream_ntrip_stream.h: declares ngx_stream_ntrip_rover_adopt of ntrip/rover
src/ntrip/stream/ngx_stream_ntrip_stream.h: declares ngx_stream_ntrip_rover_begin of ntrip/rover
src/ntrip/stream/ngx_stream_ntrip_stream.h: declares ngx_stream_ntrip_rover_failed of ntrip/rover
src/ntrip/stream/ngx_stream_ntrip_stream.h: declares ngx_stream_ntrip_rover_finalize of ntrip/rover
src/ntrip/stream/ngx_stream_ntrip_stream.h: declares ngx_stream_ntrip_rover_free of ntrip/rover
src/ntrip/stream/ngx_stream_ntrip_stream.h: declares ngx_stream_ntrip_rover_join of ntrip/rover
src/ntrip/stream/ngx_stream_ntrip_stream.h: declares ngx_stream_ntrip_rover_offer of ntrip/rover
src/ntrip/stream/ngx_stream_ntrip_stream.h: declares ngx_stream_ntrip_rover_out of ntrip/rover
src/ntrip/stream/ngx_stream_ntrip_stream.h: declares ngx_stream_ntrip_rover_release of ntrip/rover
src/ntrip/stream/ngx_stream_ntrip_stream.h: declares ngx_stream_ntrip_rover_resume of ntrip/rover
src/ntrip/stream/ngx_stream_ntrip_stream.h: declares ngx_stream_ntrip_rovers of ntrip/rover
src/ntrip/stream/ngx_stream_ntrip_stream.h: declares ngx_stream_ntrip_rovers_add of ntrip/rover
src/ntrip/stream/ngx_stream_ntrip_stream.h: declares ngx_stream_ntrip_rovers_init of ntrip/rover
src/ntrip/stream/ngx_stream_ntrip_stream.h: declares ngx_stream_ntrip_rovers_remove of ntrip/rover
src/ntrip/stream/ngx_stream_ntrip_stream.h: declares ngx_stream_ntrip_rovers_retry of ntrip/rover
src/ntrip/stream/ngx_stream_ntrip_stream.h: declares ngx_stream_ntrip_rovers_retry_in of ntrip/rover
src/ntrip/stream/ngx_stream_ntrip_stream.h: declares ngx_stream_ntrip_rovers_wait of ntrip/rover
src/ntrip/stream/ngx_stream_ntrip_stream.h: declares ngx_stream_ntrip_rovers_waited of ntrip/rover
src/ntrip/stream/ngx_stream_ntrip_stream.h: declares ngx_stream_ntrip_send_out of ntrip/rover
src/ntrip/stream/ngx_stream_ntrip_stream.h: declares ngx_stream_ntrip_write_handler of ntrip/rover

# src/ntrip/worker

src/ntrip/worker/ngx_stream_ntrip_bus.c: includes ngx_stream_ntrip_store.h of ntrip/store, a later room
src/ntrip/worker/ngx_stream_ntrip_bus.c: uses ngx_stream_ntrip_handover_received of ntrip/handover, a later room
src/ntrip/worker/ngx_stream_ntrip_bus.c: uses ngx_stream_ntrip_handover_start of ntrip/handover, a later room
src/ntrip/worker/ngx_stream_ntrip_bus.c: uses ngx_stream_ntrip_handover_woken of ntrip/handover, a later room
src/ntrip/worker/ngx_stream_ntrip_bus.c: uses ngx_stream_ntrip_make_folder of ntrip, a later room
src/ntrip/worker/ngx_stream_ntrip_bus.c: uses ngx_stream_ntrip_rover_kicked of ntrip/rover, a later room
src/ntrip/worker/ngx_stream_ntrip_bus.c: uses ngx_stream_ntrip_store_init_module of ntrip/store, a later room
src/ntrip/worker/ngx_stream_ntrip_bus.c: uses ngx_stream_ntrip_stream_woken of ntrip/stream, a later room
src/ntrip/worker/ngx_stream_ntrip_bus.c: uses ntrip_handover_check of ntrip/handover, a later room
src/ntrip/worker/ngx_stream_ntrip_bus.c: uses ntrip_handover_size of ntrip/handover, a later room
src/ntrip/worker/ngx_stream_ntrip_bus.h: declares ngx_stream_ntrip_handover_received of ntrip/handover
src/ntrip/worker/ngx_stream_ntrip_bus.h: declares ngx_stream_ntrip_handover_start of ntrip/handover
src/ntrip/worker/ngx_stream_ntrip_bus.h: declares ngx_stream_ntrip_handover_woken of ntrip/handover
src/ntrip/worker/ngx_stream_ntrip_bus.h: declares ngx_stream_ntrip_rover_kicked of ntrip/rover
src/ntrip/worker/ngx_stream_ntrip_bus.h: declares ngx_stream_ntrip_rover_tick of ntrip/rover
src/ntrip/worker/ngx_stream_ntrip_bus.h: declares ngx_stream_ntrip_stream_tick of ntrip/stream
src/ntrip/worker/ngx_stream_ntrip_bus.h: declares ngx_stream_ntrip_stream_woken of ntrip/stream
src/ntrip/worker/ngx_stream_ntrip_bus.h: includes ntrip_handover.h of ntrip/handover, a later room
src/ntrip/worker/ngx_stream_ntrip_slots.c: includes ngx_stream_ntrip_stream.h of ntrip/stream, a later room
src/ntrip/worker/ngx_stream_ntrip_slots.c: uses ngx_stream_ntrip_handover_start of ntrip/handover, a later room
src/ntrip/worker/ngx_stream_ntrip_slots.c: uses ngx_stream_ntrip_nrovers of ntrip/rover, a later room
src/ntrip/worker/ngx_stream_ntrip_slots.c: uses ngx_stream_ntrip_rover_tick of ntrip/rover, a later room
src/ntrip/worker/ngx_stream_ntrip_slots.c: uses ngx_stream_ntrip_stream_tick of ntrip/stream, a later room
src/ntrip/worker/ngx_stream_ntrip_slots.c: uses ngx_stream_ntrip_streams of ntrip/stream, a later room
