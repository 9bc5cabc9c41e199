# The dashboard in headless Chromium: rovers appear, move and vanish; what is
# wrong is told; a login that has expired, and nginx that was away, come back
# without a reload of the page; no text is markup; 10,000 rows are quick.

use lib 't/lib';
use Fieldgate;
use Fieldgate::Browser;
use Fieldgate::CPE;
use Fieldgate::Env qw(top read_file);
use Fieldgate::Ntrip;
use JSON::PP ();

if (my $why = Fieldgate::Browser::lacking()) {
    plan(skip_all => "$why to test the dashboard with");
}
if (!grep { -x "$_/npm" } split /:/, $ENV{PATH}) {
    plan(skip_all => 'there is no npm to get the dashboard\'s libraries with');
}
my $built = `conf/dashboard/build 2>&1`;
if ($?) {
    plan(skip_all => "the dashboard is not built: $built");
}

my $evil = '<img src=x onerror=window.evil=1>';
my $page = top() . '/build/dashboard';

# the example's own headers, so that they are tested

my $headers = join "\n", read_file('conf/nginx.conf')
                         =~ /^( *add_header .*?always;)/msg;
like($headers, qr/default-src 'self'/, 'a policy');

my $n = Fieldgate::Ntrip->new(workers => 2, users => 20, accounts => 3,
                              mounts => 2, http => <<"END");
    include /etc/nginx/mime.types;
    cwmp_zone cwmp:1m;

    server {
        listen 127.0.0.1:%%PORT:cpe%%;
        cwmp on;
        cwmp_public_url http://127.0.0.1:%%PORT:web%%/client;
        cwmp_origin_allow 127.0.0.1;
        location / { proxy_pass http://127.0.0.1:%%PORT:web%%/acs; }
    }

    server {
        listen 127.0.0.1:%%PORT:web%%;

        location /dashboard/ {
            alias $page/;
            $headers
        }

        location = /dashboard/config.json {
            default_type application/json;
            return 200 '{"ntrip": "/ntrip/", "cwmp": "/cwmp/"}';
        }

        # somebody whose login expires: without the cookie

        location /ntrip/ {
            if (\$cookie_login = "") { return 401; }
            ntrip_status;
            ntrip_api unguarded;
        }

        location /cwmp/ {
            if (\$cookie_login = "") { return 401; }
            cwmp_status;
        }

        location = /acs { return 200; }

        # many of them, as files

        location /many/ {
            alias $page/;
            $headers
        }

        location = /many/config.json {
            default_type application/json;
            return 200 '{"ntrip": "/pages/"}';
        }

        location /pages/ {
            default_type application/json;
            root %%DIR%%;
            try_files \$uri-\$arg_cursor.json =404;
        }
    }
END

my $t = $n->nginx;
$n->sql("INSERT INTO user (name, password) VALUES ('$evil', 'p')");

my $web = 'http://127.0.0.1:' . $t->port('web');
my $browser = Fieldgate::Browser->new(width => 1280, height => 1000);

sub js { $browser->js(@_) }

# what the page complains of tells why something does not happen

sub wait_js {
    my ($script, $what, @args) = @_;
    $browser->wait_js($script, $what, @args) and return pass($what);
    diag("the console: $_->{message}") for $browser->console;
}

# texts of the table's column, from 1

sub column {
    my ($i) = @_;
    return @{js('return [...document.querySelectorAll("tbody tr[id]")].map(r =>'
                . ' r.children[arguments[0] - 1].textContent.trim())', $i)};
}

# fixed rovers on the map, by the colour of their dots: how many pixels, and
# where they are in the mean

my $dots = <<'END';
const canvas = document.querySelector('.leaflet canvas');
if (!canvas || !canvas.width) { return { n: 0 }; }
const data = canvas.getContext('2d')
                   .getImageData(0, 0, canvas.width, canvas.height).data;
const [r, g, b] = getComputedStyle(document.documentElement)
    .getPropertyValue('--fixed').match(/\w\w/g).map(x => parseInt(x, 16));
let n = 0, x = 0, y = 0;
for (let i = 0; i < data.length; i += 4) {
    if (data[i] === r && data[i + 1] === g && data[i + 2] === b) {
        n++;
        x += i / 4 % canvas.width;
        y += Math.floor(i / 4 / canvas.width);
    }
}
return { n, x: x / n, y: y / n };
END

sub shot {
    my ($name) = @_;
    cmp_ok($browser->screenshot($t->path("$name.png")), '>', 10_000,
           "a picture: $name");
}



sub login {
    my ($value) = @_;
    js('document.cookie = "login=" + arguments[0] + "; path=/"', $value);
}


# before anybody is there

$browser->go("$web/dashboard/config.json");
login('yes');
$browser->go("$web/dashboard/");
js('window.mark = 1');
wait_js('return document.querySelector(".link")?.textContent === "live"',
        'both answer');
is(js('return document.querySelectorAll("tbody tr[id]").length'), 0,
   'nobody is there');
is(js($dots)->{n}, 0, 'the map is empty');


# rovers appear

my $rovers = $n->rovers(2, 4);
wait_js('return document.querySelectorAll("tbody tr[id]").length === 2',
        'two rovers');
is_deeply([sort(column(1))], ['u2', 'u4'], 'they are they');
is((column(3))[0], 'fixed', 'with their fix');
wait_js("const dots = (() => {$dots})(); return dots.n > 0", 'on the map');
wait_js('return document.querySelectorAll(".chart canvas").length === 5',
        'charts of both');
wait_js('return /1 used/.test(document.querySelector(".pools")?.textContent)',
        'the pool');


# one moves, while the map is held

$rovers->leave('u4');
wait_js('return document.querySelectorAll("tbody tr[id]").length === 1',
        'one vanishes');
js('document.querySelector(".leaflet").dispatchEvent('
   . 'new Event("pointerdown"))');
my $before = js($dots);
$rovers->move('u2', 48.104, 11.6);
wait_js("const dots = (() => {$dots})(); return dots.y < arguments[0] - 5",
        'it moves north', $before->{y});


# one with a name that would be markup

my $auth = MIME::Base64::encode_base64("$evil:p", '');
$rovers->add($n->rover(1, id => 'evil', bytes => "GET /M0 HTTP/1.0\r\n"
                       . "User-Agent: NTRIP <script>evil=1</script>\r\n"
                       . "Authorization: Basic $auth\r\n\r\n"));
wait_js('return document.querySelectorAll("tbody tr[id]").length === 2',
        'it is there');
is((sort(column(1)))[0], $evil, 'a name of markup is text');
js('document.querySelector("#search").focus()');
$browser->keys(split //, 'onerror');
wait_js('return document.querySelectorAll("tbody tr[id]").length === 1',
        'it is found');
$browser->click('tbody tr[id] td');
wait_js('return document.querySelector("dialog")?.open', 'its details');
like(js('return document.querySelector("dialog").textContent'),
     qr/\Q$evil\E.*<script>evil=1</s, 'there, too');
is(js('return document.images.length'), 0, 'there is no image');
is(js('return window.evil ?? null'), undef, 'nothing of it has run');


# kicked, after a question

$browser->click('#kick');
wait_js('return document.querySelector("#kick-yes")', 'it is asked');
is($rovers->seen->{rovers}{evil}{state}, 'data', 'and not done yet');
$browser->click('#kick-yes');
wait_js('return !document.querySelector("dialog")', 'the dialog closes');
wait_for(sub { $rovers->seen->{rovers}{evil}{state} eq 'closed' },
         'the rover to be kicked');
wait_js('return document.querySelectorAll("tbody tr[id]").length === 0',
        'it vanishes');
js('const s = document.querySelector("#search"); s.value = "";'
   . 's.dispatchEvent(new Event("input"))');
wait_js('return document.querySelectorAll("tbody tr[id]").length === 1',
        'the other one is there again');


# the keyboard

js('document.activeElement.blur()');
$browser->keys('2');
wait_js('return document.querySelector("[aria-selected=true]").textContent'
        . ' === "Streams"', 'keys choose a table');
wait_js('return document.querySelectorAll("tbody tr[id]").length === 1',
        'it has the stream');
js('document.querySelector(".scroll").focus()');
$browser->keys("\x{e015}", "\x{e007}");
wait_js('return /RTCM 1077/.test(document.querySelector("dialog")'
        . '?.textContent)', 'and open a row');
$browser->keys("\x{e00c}");
wait_js('return !document.querySelector("dialog")', 'and close it');


# a CPE with such a name

my $cpe = bless { o => { size => 0, url => 'http://127.0.0.1:9/x' },
                  device => $evil =~ s/</&lt;/gr =~ s/>/&gt;/gr },
                'Fieldgate::CPE';
my $inform = $cpe->message('inform');
like($t->exchange('cpe', "POST / HTTP/1.0\r\nContent-Length: "
                         . length($inform) . "\r\n\r\n$inform"),
     qr{^HTTP/1\.1 200 }, 'a CPE sends its Inform');
$browser->click('#tab-devices');
wait_js('return document.querySelectorAll("tbody tr[id]").length === 1',
        'it is in the table');
like((column(1))[0], qr/\Q$evil\E/, 'its name is text');
is((column(2))[0], '127.0.0.1:9', 'its origin');
$browser->click('tbody tr[id] td');
wait_js('return /informs/.test(document.querySelector("dialog")?.textContent)',
        'its details');
$browser->keys("\x{e00c}");
is(js('return document.images.length'), 0, 'there is no image');


# the provider refuses everybody

my $icon = 'document.querySelector("link[rel=icon]").getAttribute("href")';
wait_js("return $icon === 'icons/fine.svg'", 'all is well');
my ($account) = map { $_->{account} } @{$n->provider->seen->{requests}}[-1];
my $refusal = "HTTP/1.1 401 Unauthorized\r\n\r\n";
$n->provider->set(refuse => { map { ("a$_" => $refusal) } 1 .. 3 },
                  drop => $account);
wait_js('return [...document.querySelectorAll(".warnings .critical")].some('
        . 'w => /is refused by its provider|accounts are refused/.test('
        . 'w.textContent))', 'a dead source is told');
wait_js("return $icon === 'icons/critical.svg'", 'in the icon, too');
like(js('return document.title'), qr/^\(\d+\) /, 'and in the title');
$browser->click('.warnings .critical button:not(:disabled)');
wait_js('return document.querySelector("[aria-selected=true]").textContent'
        . '.match(/Accounts|Streams/)', 'it leads there');

$browser->click('#tab-accounts');
js('const s = document.querySelector("#search"); s.value = "";'
   . 's.dispatchEvent(new Event("input"))');
wait_js('return document.querySelectorAll("tbody tr[id]").length === 3',
        'accounts');
$browser->click('tbody tr[id]:nth-child(3) td');
$browser->click('#test');
wait_js('return /provider says: .*401/.test('
        . 'document.querySelector(".said")?.textContent)',
        'a test tells what the provider says');
$browser->keys("\x{e00c}");


# pictures, for eyes

js('window.scrollTo(0, 0)');
shot('light');
$browser->colours('dark');
shot('dark');
$browser->size(390, 844, 1);
wait_js('return innerWidth === 390', 'a phone');
cmp_ok(js('return document.documentElement.scrollWidth'), '<=', 390,
       'nothing is beside the screen');
shot('phone');
$browser->colours('light');
$browser->size(1280, 1000, 0);


# the login expires

login('; expires=Thu, 01 Jan 1970 00:00:00 GMT');
wait_js('return document.querySelector(".expired")', 'it says so');
is(js('return document.querySelector(".link").textContent'), 'logged out',
   'also at the top');
login('again');
js('window.dispatchEvent(new Event("focus"))');
wait_js('return !document.querySelector(".expired")', 'logged in again');
wait_js('return document.querySelector(".link").textContent === "live"',
        'it goes on');


# nginx is away for a while

$t->stop;
wait_js('return document.querySelector(".link").textContent'
        . ' === "nginx is away"', 'it is away');
wait_js('return /asked again in/.test('
        . 'document.querySelector(".warnings").textContent)',
        'and asked again');
$t->start;
wait_js('return document.querySelector(".link").textContent === "live"',
        'it is back');
is(js('return window.mark'), 1, 'all that in one page');

my $foreign = js('return performance.getEntriesByType("resource").map('
                 . 'e => e.name).filter(n => !n.startsWith(arguments[0]))',
                 $web);
is_deeply($foreign, [], 'no other host is asked');
my @wrong = grep { $_->{level} eq 'SEVERE' && $_->{source} ne 'network' }
            $browser->console;
is(JSON::PP->new->canonical->encode(\@wrong), '[]',
   'the console has no complaint');


# 10,000 rovers

mkdir $t->path('pages') or die "mkdir: $!";
for my $i (0 .. 9) {
    my @items = map { {
        id => $_, user => "rover$_", address => '10.0.' . ($_ >> 8) . '.'
        . ($_ & 255), agent => 'NTRIP many', version => 2,
        tls => JSON::PP::false, owner => 1, mount => 'M' . $_ % 50, stream => $_ % 50,
        position => { latitude => 47 + $_ % 100 / 50,
                      longitude => 9 + $_ / 2000 },
        fix => qw(fixed fixed float single)[$_ % 4], quality => 4,
        satellites => 12, age => 1, since => time - $_, bytes => $_ * 1000,
        messages => $_, skipped => 0,
    } } $i * 1000 + 1 .. $i * 1000 + 1000;
    $t->write('pages/rovers-' . ($i || '') . '.json', JSON::PP::encode_json(
        { items => \@items, next => $i < 9 ? $i + 1 . '' : undef }));
}
$t->write('pages/counters-.json', '{"workers": 2, "tables": {}}');

$browser->go("$web/many/");
wait_js('return /10.000/.test(document.querySelector(".count")?.textContent)',
        '10,000 are read');
cmp_ok(js('return document.querySelectorAll("tbody tr[id]").length'), '<', 60,
       'few of them are rows');
is((column(1))[0], 'rover1', 'by their names');
js('const s = document.querySelector(".scroll"); s.scrollTop = s.scrollHeight');
wait_js('return [...document.querySelectorAll("tbody tr[id]")].at(-1)'
        . '.firstElementChild.textContent.trim() === "rover10000"',
        'to the end');
$browser->click('th:nth-child(7) button');
$browser->click('th:nth-child(7) button');
wait_js('return document.querySelector("tbody tr[id] td").textContent.trim()'
        . ' === "rover10000"', 'sorted by what they have received');

my $took = js(<<'END');
const began = performance.now();
const input = document.querySelector('#search');
input.value = 'fix:float mount:m8 rover99';
input.dispatchEvent(new Event('input'));
return performance.now() - began;
END
wait_js('return /^[1-9]\d? of/.test(document.querySelector(".count")'
        . '.textContent)', 'searched');
note(sprintf 'the search took %.0f ms', $took);
cmp_ok(js($dots)->{n}, '>', 0, 'all are on the map');
shot('many');

$browser->stop;
done_testing;
