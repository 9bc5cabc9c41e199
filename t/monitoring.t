# conf/monitoring: rules are tested by promtool, and every metric that rules and
# dashboard ask for is one that README.md has.

use strict;
use warnings;
use lib 't/lib';

use JSON::PP ();
use Test::More;
use Fieldgate::Env qw(top read_file temp_dir write_file);

chdir top() . '/conf/monitoring' or die "chdir: $!";

sub promtool {
    my ($command) = @_;
    my $out = `promtool $command 2>&1`;
    is($?, 0, "promtool $command") or diag($out);
}

promtool('check rules rules.yml');
promtool('test rules rules.test.yml');
promtool('check config prometheus.yml');

SKIP: {
    my $amtool = `sh -c 'command -v amtool'`;
    skip 'amtool is not here: prometheus-alertmanager', 1 if !$amtool;
    my $out = `amtool check-config alertmanager.yml 2>&1`;
    is($?, 0, 'amtool check-config') or diag($out);
}

# each alarm has a test in which it comes, and one in which it does not

my $rules = read_file('rules.yml');
my $tests = read_file('rules.test.yml');
my @alerts = $rules =~ /- alert: (\w+)/g;
cmp_ok(scalar @alerts, '>=', 6, 'alarms');

for my $alert (@alerts) {
    my @tests = $tests =~ /alertname: $alert\n(\s+exp_alerts)?/g;
    ok((grep { defined } @tests), "$alert comes");
    ok((grep { !defined } @tests), "$alert does not");
}

my $dashboard = eval { JSON::PP::decode_json(read_file('grafana.json')) };
is($@, '', 'grafana.json is JSON');
my @asked = map { map { $_->{expr} } @{$_->{targets}} }
            @{$dashboard->{panels}};
cmp_ok(scalar @asked, '>', 15, 'the dashboard asks');

# in PromQL: as if each were a rule

my $as_rules = temp_dir() . '/dashboard.yml';
write_file($as_rules, JSON::PP::encode_json({ groups => [{
    name => 'dashboard', rules => [map { {
        record => "panel_$_", expr => $asked[$_] =~ s/\$instance/.*/gr,
    } } 0 .. $#asked],
}] }));
promtool("check rules $as_rules");

# panels stand beside each other

my @grid = map { $_->{gridPos} } @{$dashboard->{panels}};
my $beside = sub { my ($p, $q) = @_;
                   $p->{x} + $p->{w} <= $q->{x} || $q->{x} + $q->{w} <= $p->{x}
                   || $p->{y} + $p->{h} <= $q->{y}
                   || $q->{y} + $q->{h} <= $p->{y} };
ok(!(grep { my $i = $_;
            grep { !$beside->(@grid[$i, $_]) } 0 .. $i - 1 } 0 .. $#grid),
   'no panel lies on another');
is(scalar(grep { $_->{x} + $_->{w} > 24 } @grid), 0, 'or beside the page');
push @asked, $rules =~ /expr: (.*?)(?=\n\s+(?:for|labels):)/gs;

my $readme = read_file('../../README.md');
my %metric = map { $_ => 1 } map { /\b((?:ntrip|cwmp)_\w+)/g } @asked;
cmp_ok(keys %metric, '>', 15, 'for metrics');

for my $name (sort grep { !/^cwmp_admission$/ } keys %metric) {
    my $family = $name =~ s/_bucket$//r;
    my $counter = $name =~ /^ntrip_(\w+)_total$/ ? $1 : undef;

    ok($readme =~ /`\Q$family\E[`{]/
       || defined $counter && $readme =~ /^\|.*`$counter`/m,
       "README: $name");
}

# and a label that it does not know would never be there

my %state = map { $_ => 1 } $rules =~ /state!?="(\w+)"/g;
like($readme, qr/`$_`/, "README: state $_") for sort keys %state;

done_testing;
