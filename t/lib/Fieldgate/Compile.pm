package Fieldgate::Compile;

# Builds the C programs of the tests: a program names, in a comment, the
# sources that it is linked with, and the libraries that they need:
#
#   /*
#    * sources: cwmp_xml.c cwmp_url.c
#    * libs: -lcrypto
#    */
#
# What these use of nginx's core comes from the source package of the installed
# nginx, in build/src.  What that needs in turn is left out with the functions
# that nobody calls.
#
# Objects are kept in build/, and made again when a source, a header that it
# includes, or the command has changed.

use strict;
use warnings;

use Exporter 'import';
use File::Path qw(make_path);

use Fieldgate::Env qw(top read_file write_file);

our @EXPORT_OK = qw(build);

# nginx's own warnings; what a newer library deprecates is none

my @warnings = qw(-W -Wall -Wpointer-arith -Wno-unused-parameter
                  -Wno-deprecated-declarations -Werror);

my @includes = map { "-I$_" }
               map({ "/usr/share/nginx/src/src/$_" }
                   qw(core event event/modules event/quic os/unix stream)),
               'build/objs', 't', rooms();


# of nginx's core: functions that know nothing of sockets, pools or processes

my @core = map { "src/core/ngx_$_.c" } qw(string inet times rbtree);


# the folders of src/rooms

sub rooms {
    return map { m{^([a-z]+\S*)} ? "src/$1" : () }
               split /\n/, read_file(top() . '/src/rooms');
}

# build(SOURCE, CC, FLAGS...): the path of the program.  Dies with what the
# compiler said.  Paths are relative to the top folder, which is the current one
# from then on.

sub build {
    my ($main, $cc, @flags) = @_;
    chdir top() or die "chdir: $!";

    die "build/objs/ngx_auto_config.h is missing: run conf/build first\n"
        unless -f 'build/objs/ngx_auto_config.h';

    my $text = read_file($main);
    my ($sources) = $text =~ /\bsources:((?:[\s*]+\S+\.c\b)+)/;
    die "$main names no sources in a comment\n" unless defined $sources;
    my ($libs) = $text =~ /\blibs:((?:[\s*]+-\S+)+)/;
    tr/*/ / for $sources, $libs // ();

    my $dir = "build/$cc-" . checksum("@flags");
    my @objects = map { object($dir, $_, $cc, @flags) }
                      $main, map { in_room($_) } split ' ', $sources;

    system('t/debian', 'source', top() . '/build/src') == 0
        or die "no source of nginx\n";

    my $program = $main =~ s/\.c$//r;
    $program = "$dir/" . $program =~ tr{/}{_}r;
    my $core = core($dir, $cc, @flags);
    my @command = ($cc, @flags, '-Wl,--gc-sections', '-o', $program, @objects,
                   $core, split ' ', $libs // '');

    command($program, [@objects, $core], @command);
    return $program;
}

# coverage would hold on to every function

sub core {
    my ($dir, $cc, @flags) = @_;
    my @plain = ((grep { !/^-fsanitize=$|^-f(?:profile|coverage)-/ }
                  map { s/\bfuzzer,?//r } @flags), '-ffunction-sections');
    my @objects = map { object($dir, "build/src/$_", $cc, @plain) } @core;

    command("$dir/core.a", [@objects], 'ar', 'rcs', "$dir/core.a", @objects);
    return "$dir/core.a";
}

# names of files are unique, so that a program need not know their rooms

sub in_room {
    my $name = shift;
    my ($path) = grep { -f } map { "$_/$name" } rooms();
    return $path // die "no room has $name\n";
}

sub object {
    my ($dir, $source, $cc, @flags) = @_;
    my $object = "$dir/" . $source =~ tr{/}{_}r =~ s/\.c$/.o/r;

    # the compiler writes the headers that it has read
    my ($deps) = read_file("$object.d") =~ /:(.*)/s;
    $deps =~ tr/\\/ / if defined $deps;

    command($object, [$source, split ' ', $deps // ''],
            $cc, @flags, @warnings, @includes, '-MMD', '-MF', "$object.d",
            '-c', '-o', $object, $source);
    return $object;
}

# runs a command if its output is missing, older than one of its inputs, or was
# made by another command

sub command {
    my ($output, $inputs, @command) = @_;
    my $made = (stat $output)[9];

    return if defined $made
              && read_file("$output.cmd") eq "@command"
              && !grep { ((stat)[9] // ~0) >= $made } @$inputs;

    make_path($output =~ s{/[^/]*$}{}r);
    unlink $output;
    write_file("$output.cmd", "@command");

    open my $pipe, '-|', "@command 2>&1" or die "$command[0]: $!";
    my $said = join '', <$pipe>;
    close $pipe or die "@command\n$said";
}

sub checksum {
    my $sum = 0;
    $sum = ($sum * 31 + ord) & 0xffffffff for split //, shift;
    return sprintf '%08x', $sum;
}

1;
