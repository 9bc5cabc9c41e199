# The formats of conf/logs.conf and conf/ntrip-logs.conf: each JSON line is one,
# whatever a client has sent, and has the fields of the text.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Env qw(read_file);
use Fieldgate::Ntrip;
use JSON::PP ();

my $cwmp = read_file('conf/logs.conf');
my ($ntrip) = read_file('conf/ntrip-logs.conf')
    =~ /^(    log_format .*?)^    ntrip_zone/ms;

my $n = Fieldgate::Ntrip->new(
    users => 2, accounts => 1, stream => $ntrip,
    server => "access_log %%DIR%%/ntrip.json ntrip_json;\n"
              . "access_log %%DIR%%/ntrip.log ntrip;",
    http => $cwmp . <<'END');
    cwmp_secret 0123456789abcdef0123456789abcdef;
    server {
        listen 127.0.0.1:%%PORT:web%%;
        access_log %%DIR%%/cwmp.json cwmp_json;
        access_log %%DIR%%/cwmp.log cwmp;
        location / {
            cwmp on;
            cwmp_public_url http://127.0.0.1:1/client;
            return 204;
        }
        location = /client {
            cwmp_connection_request;
            access_log %%DIR%%/wakeup.json wakeup_json;
            access_log %%DIR%%/wakeup.log wakeup;
        }
    }
END
my $t = $n->nginx;

sub lines {
    my ($file, $n) = @_;
    wait_for(sub { $n <= (() = read_file($t->path($file)) =~ /\n/g) },
             "$n lines of $file");
    return split /\n/, read_file($t->path($file));
}

my $odd = qq(a"b\\c\x01\xff);

$t->exchange('web', "GET /$odd HTTP/1.0\r\nUser-Agent: $odd\r\n\r\n");
$t->exchange('web', "GET /client?origin=a\"b HTTP/1.0\r\n\r\n");
$t->exchange('caster', "GET /$odd HTTP/1.0\r\nUser-Agent: NTRIP $odd\r\n\r\n");
$n->rovers(1)->wait_for(fed => 1);

my %fields = (
    cwmp => 'acs acs_duration acs_status admission client device duration'
            . ' events method origin received rewritten sent status time',
    wakeup => 'acs cpe_status duration origin result scheme status time',
    ntrip => 'agent client duration messages mount position received result'
             . ' sent source time user version');

for my $name (sort keys %fields) {
    my @json = lines("$name.json", 1 + ($name eq 'ntrip'));
    my @text = lines("$name.log", scalar @json);

    is(scalar @text, scalar @json, "$name: as many lines of text");

    for my $line (@json) {
        my $item = eval { JSON::PP->new->latin1->decode($line) };
        is($@, '', "$name: a line is JSON") or diag($line);
        is(join(' ', sort keys %{$item // {}}), $fields{$name},
           "$name: with its fields");
    }
    unlike("@json @text", qr/secret|pass/, "$name: no password");
}

done_testing;
