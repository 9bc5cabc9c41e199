package Fieldgate::Compile;

# Builds the C programs of the tests: a program names, in a comment, the
# sources that it is linked with, the files of nginx's core that those use, and
# the libraries that they need:
#
#   /*
#    * sources: cwmp_xml.c cwmp_url.c
#    * core: src/core/ngx_string.c
#    * libs: -lcrypto
#    */
#
# The core's come from the source package of the installed nginx, in build/src.
# What else they need is left out with the functions that nobody calls.
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
    my ($core) = $text =~ /\bcore:((?:[\s*]+\S+\.c\b)+)/;
    my ($libs) = $text =~ /\blibs:((?:[\s*]+-\S+)+)/;
    tr/*/ / for $sources, $core // (), $libs // ();

    my $dir = "build/$cc-" . checksum("@flags");
    my @objects = map { object($dir, $_, $cc, @flags) }
                      $main, map { in_room($_) } split ' ', $sources;

    if (defined $core) {
        system('t/debian', 'source', top() . '/build/src') == 0
            or die "no source of nginx\n";

        # coverage would hold on to every function
        my @plain = ((grep { !/^-fsanitize=$|^-f(?:profile|coverage)-/ }
                      map { s/\bfuzzer,?//r } @flags), '-ffunction-sections');

        push @objects, map { object($dir, "build/src/$_", $cc, @plain) }
                           split ' ', $core;
        push @flags, '-Wl,--gc-sections';
    }

    my $program = $main =~ s/\.c$//r;
    $program = "$dir/" . $program =~ tr{/}{_}r;
    my @command = ($cc, @flags, '-o', $program, @objects, split ' ', $libs // '');

    command($program, [@objects], @command);
    return $program;
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
