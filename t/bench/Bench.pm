package Bench;

# What the benchmarks share: their tools in C, workers and what they consume,
# rounds and their medians.

use strict;
use warnings;

use Exporter 'import';
use File::Path ();

use Fieldgate::Env qw(top modules read_file);

our @EXPORT = qw(load_cwmp build serve served tool round_robin cpu cycles
                 instructions median ratios best memory reset_peak table
                 machine say_step);

my $objs = top() . '/build/bench';
my @serving;

$| = 1;

sub say_step { print STDERR "$_[0]\n" if -t STDERR }


# what nginx.conf begins with, if the module is not linked into nginx

sub load_cwmp {
    return join "", map { "load_module $_;\n" } grep { m{cwmp[^/]*\z} } modules();
}

# build(NAME => [SOURCE...], LIBS): compiles build/bench/NAME if it is older

sub build {
    my ($name, $sources, @libs) = @_;

    my $dir = top() . '/t/bench';
    my @headers = glob "$dir/*.h";
    my @sources = map { "$dir/$_" } @$sources;
    my $age = -M "$objs/$name";
    return if defined $age && !grep { -M $_ < $age } @sources, @headers;

    File::Path::make_path($objs);
    my @cmd = ($ENV{CC} // 'gcc', qw(-O2 -g -Wall -Wextra -Werror), '-o',
               "$objs/$name", @sources, @libs);
    system(@cmd) == 0 or die "cannot be built: @cmd\n";
}

# Tools run on another CPU than the first, which is the first worker's

sub command {
    my ($name, @args) = @_;
    my @other = cpus() > 1 ? ('taskset', '-c', '1-' . (cpus() - 1)) : ();
    return (@other, "$objs/$name", @args);
}

sub cpus { scalar grep { /^processor/ } split /\n/, read_file('/proc/cpuinfo') }

# Starts a tool that prints its port and serves until it is told to end

sub serve {
    my ($name, @args) = @_;

    my $pid = open my $out, '-|', command($name, @args)
        or die "$name: $!\n";
    my $line = <$out> // '';
    $line =~ /^port=(\d+)/ or die "$name has not started\n";

    my $s = { name => $name, pid => $pid, out => $out, port => $1 };
    push @serving, $s;

    return $s;
}

# Ends it: what it has printed last, as a hash

sub served {
    my ($s) = @_;
    return if $s->{ended}++;

    kill TERM => $s->{pid};
    my @lines = readline $s->{out};
    close $s->{out} or die "$s->{name} has failed\n";

    return { ($lines[-1] // '') =~ /(\w+)=(\S+)/g };
}

# Runs a tool to its end

sub tool {
    my ($name, @args) = @_;

    open my $out, '-|', command($name, @args) or die "$name: $!\n";
    my @lines = readline $out;
    close $out or die "$name has failed: see above\n";

    return { $lines[-1] =~ /(\w+)=(\S+)/g };
}

END {
    my $status = $?;
    for my $s (grep { !$_->{ended} } @serving) {
        kill TERM => $s->{pid};
        close $s->{out};
    }
    $? = $status;
}


# round_robin(N, NAME => CODE...): N rounds, in each of them every CODE once and
# every other time in the opposite order: whatever else the machine does meets
# all of them alike.  Returns { NAME => [result...] }.

sub round_robin {
    my ($rounds, @variants) = @_;
    my (%code, @names, %results);

    while (my ($name, $code) = splice @variants, 0, 2) {
        push @names, $name;
        $code{$name} = $code;
    }

    for my $round (1 .. $rounds) {
        for my $name ($round % 2 ? @names : reverse @names) {
            say_step("round $round of $rounds: $name");
            push @{$results{$name}}, $code{$name}->();
        }
    }

    return \%results;
}

# Of what a tool has measured, for each request.  CPU time is what counts, but
# it varies with whatever else runs on the machine; cycles vary less, and
# instructions hardly at all.

sub cpu { $_[0]{cpu} / $_[0]{requests} / 1000 }

sub cycles {
    my ($r) = @_;
    return $r->{cycles} < 0 ? undef : $r->{cycles} / $r->{requests};
}

sub instructions {
    my ($r) = @_;
    return if $r->{user} < 0 || $r->{kernel} < 0;
    return ($r->{user} + $r->{kernel}) / $r->{requests};
}

sub median {
    my @sorted = sort { $a <=> $b } @_;
    return unless @sorted;
    return ($sorted[$#sorted / 2] + $sorted[@sorted / 2]) / 2;
}

# of each round's figure to the same round's yardstick: the median and the
# quartiles, "1.05 (1.02-1.09)"

sub ratios {
    my ($results, $yardsticks, $figure) = @_;
    my @ratios;

    for my $i (0 .. $#$results) {
        my $base = $figure->($yardsticks->[$i]);
        my $value = $figure->($results->[$i]);
        return '-' unless defined $base && defined $value;
        push @ratios, $value / $base;
    }

    @ratios = sort { $a <=> $b } @ratios;
    return sprintf '%.3f (%.2f-%.2f)', median(@ratios),
                   @ratios[$#ratios / 4, $#ratios - $#ratios / 4];
}

# of the best rounds: what others took from the machine is least in them

sub best {
    my ($results, $yardsticks, $figure) = @_;
    my @best = map { [sort { $a <=> $b } grep { defined }
                      map { $figure->($_) } @$_]->[0] } $results, $yardsticks;
    return '-' if !defined $best[0] || !$best[1];
    return sprintf '%.3f', $best[0] / $best[1];
}

# resident memory of processes in KB, and the highest it has been

sub memory {
    my ($what, @pids) = @_;
    my $sum = 0;
    for my $pid (@pids) {
        read_file("/proc/$pid/status") =~ /^$what:\s+(\d+) kB/m
            or die "$pid has no $what\n";
        $sum += $1;
    }
    return $sum;
}

sub reset_peak {
    for my $pid (@_) {
        open my $f, '>', "/proc/$pid/clear_refs" or die "clear_refs: $!\n";
        print $f "5\n";
        close $f or die "clear_refs: $!\n";
    }
}

sub table {
    my @rows = @_;
    my @width;

    for my $row (@rows) {
        for my $i (0 .. $#$row) {
            my $n = length $row->[$i];
            $width[$i] = $n if $n > ($width[$i] // 0);
        }
    }

    for my $row (@rows) {
        my $line = join '  ', map {
            sprintf $_ ? "%$width[$_]s" : "%-$width[$_]s", $row->[$_]
        } 0 .. $#$row;
        print "$line\n";
    }
}

sub machine {
    my ($model) = read_file('/proc/cpuinfo') =~ /^model name\s*:\s*(.*)$/m;
    my ($load) = split ' ', read_file('/proc/loadavg');
    my $kernel = `uname -sr`;
    chomp $kernel;
    return sprintf '%d x %s, %s, load %s at the start', cpus(),
                   $model // 'CPU', $kernel, $load;
}

1;
