
/*
 * sources: ntrip_sourcetable.c ntrip_text.c
 */


#include "tap.h"
#include "ntrip_sourcetable.h"


#define TABLE                                                                 \
    "CAS;rtk.example;2101;x\r\n"                                              \
    "\r\n"                                                                    \
    "STR;A;;RTCM 3\n"                                                         \
    "  NET;y \r\n"                                                            \
    "ENDSOURCETABLE\r\nrest"

#define LINES  "CAS;rtk.example;2101;x|STR;A;;RTCM 3|NET;y|"


static ngx_int_t
read_table(char *got, const char *text, size_t len, size_t a, size_t step)
{
    size_t               n, next;
    ngx_int_t            rc;
    ngx_str_t            piece, in, line;
    ntrip_sourcetable_t  t;

    ntrip_sourcetable_init(&t);
    rc = NGX_AGAIN;
    *got = '\0';

    for (n = 0; n < len && rc == NGX_AGAIN; n = next) {
        next = (n < a) ? a : n + step;
        next = ngx_min(next, len);

        piece = tap_copy(text + n, next - n);
        in = piece;

        while ((rc = ntrip_sourcetable_next(&t, &in, &line)) == NGX_OK) {
            got += sprintf(got, "%.*s|", (int) line.len, (char *) line.data);
        }

        free(piece.data);
    }

    if (rc == NGX_AGAIN) {
        in.data = NULL;
        in.len = 0;
        rc = ntrip_sourcetable_next(&t, &in, &line);
    }

    return rc;
}


static void
test_reader(void)
{
    int        same;
    char       got[4096], text[4096];
    size_t     i, len;
    ngx_int_t  rc;

    rc = read_table(got, TABLE, strlen(TABLE), 1, 1000);
    tap_ok(rc == NGX_DONE && strcmp(got, LINES) == 0, "a table");

    same = 1;

    for (i = 1; i <= strlen(TABLE); i++) {
        rc = read_table(got, TABLE, strlen(TABLE), i, 1000);
        same &= (rc == NGX_DONE && strcmp(got, LINES) == 0);
        rc = read_table(got, TABLE, strlen(TABLE), 1, i);
        same &= (rc == NGX_DONE && strcmp(got, LINES) == 0);
    }

    tap_ok(same, "the same in any pieces");

    rc = read_table(got, "STR;A\r\nENDSOURCETABLE", 21, 1, 1);
    tap_ok(rc == NGX_DONE && strcmp(got, "STR;A|") == 0,
           "no line end behind ENDSOURCETABLE");

    rc = read_table(got, "STR;A\r\nENDSOURCETABL", 20, 1, 1);
    tap_ok(rc == NGX_AGAIN, "cut before its end");

    memset(text, 'x', sizeof(text));
    memcpy(text, "STR;A\n", 6);
    len = 6 + NTRIP_TABLE_LINE_MAX;
    memcpy(text + len, "\nSTR;B\n", 7);
    rc = read_table(got, text, len + 7, 1, 100);
    tap_ok(strlen(got) == 6 + NTRIP_TABLE_LINE_MAX + 1 + 6,
           "the longest line");

    text[len] = 'x';
    memcpy(text + len + 1, "\nSTR;B\nENDSOURCETABLE\n", 22);
    rc = read_table(got, text, len + 23, 1, 100);
    tap_ok(rc == NGX_DONE && strcmp(got, "STR;A|STR;B|") == 0,
           "a longer one is passed over");
}


static void
test_reader_limit(void)
{
    char                 block[4096];
    size_t               total;
    ngx_int_t            rc;
    ngx_str_t            in, line;
    ntrip_sourcetable_t  t;

    memset(block, 'x', sizeof(block));
    ntrip_sourcetable_init(&t);
    rc = NGX_AGAIN;

    for (total = 0; total <= NTRIP_TABLE_MAX && rc == NGX_AGAIN; /* void */ ) {
        in.data = (u_char *) block;
        in.len = sizeof(block);
        total += sizeof(block);
        rc = ntrip_sourcetable_next(&t, &in, &line);
    }

    tap_ok(rc == NGX_ERROR && total == NTRIP_TABLE_MAX + sizeof(block),
           "a table without end");
}


static void
test_parse(void)
{
    ngx_str_t    s;
    ntrip_str_t  str;

    ngx_str_set(&s, "STR;RTCM32_GGB;id;RTCM 3.2;1005(10);2;GNSS;POPNet;CHN;"
                    "39.90;116.40;1;1;gen;none;B;N;500;a;b;c");
    tap_ok(ntrip_str_parse(&str, &s) == NGX_OK && str.nfields == 19,
           "a whole line");
    tap_is(&str.field[NTRIP_STR_MOUNT], "RTCM32_GGB", "mountpoint");
    tap_is(&str.field[NTRIP_STR_LONGITUDE], "116.40", "longitude");
    tap_is(&str.field[NTRIP_STR_NMEA], "1", "nmea");
    tap_is(&str.field[NTRIP_STR_AUTH], "B", "authentication");
    tap_is(&str.field[NTRIP_STR_MISC], "a;b;c", "misc has semicolons");

    ngx_str_set(&s, "STR;A");
    tap_ok(ntrip_str_parse(&str, &s) == NGX_OK && str.nfields == 2
           && str.field[NTRIP_STR_MISC].len == 0, "a sparse line");

    ngx_str_set(&s, "str;A;");
    tap_ok(ntrip_str_parse(&str, &s) == NGX_OK && str.nfields == 3,
           "an empty field at the end");

    ngx_str_set(&s, "STR;;x");
    tap_ok(ntrip_str_parse(&str, &s) == NGX_DECLINED, "no mountpoint");

    ngx_str_set(&s, "NET;x");
    tap_ok(ntrip_str_parse(&str, &s) == NGX_DECLINED, "a network");

    ngx_str_set(&s, "STR");
    tap_ok(ntrip_str_parse(&str, &s) == NGX_DECLINED, "half a line");
}


static void
line_is(const char *mount, const char *text, ngx_uint_t gga, ngx_uint_t raw,
    const char *expected, const char *name)
{
    u_char       buf[NTRIP_STR_LINE_MAX];
    ngx_str_t    m, str, got;
    ntrip_out_t  out;

    m = tap_str(mount);
    str = tap_str(text);

    tap_ok(ntrip_str_check(&m, &str) == NULL, "%s is accepted", name);

    ntrip_out_init(&out, buf, sizeof(buf));
    ntrip_str_line(&out, &m, &str, gga, raw);

    got.data = buf;
    got.len = out.last - buf;
    tap_is(&got, expected, name);

    free(m.data);
    free(str.data);
}


static void
test_lines(void)
{
    line_is("MNT", "", 1, 0, "STR;MNT;MNT;RTCM 3.2;;2;GPS+GLO+GAL+BDS;none;"
            "ZZZ;0.00;0.00;1;1;Fieldgate;none;B;N;0;none\r\n", "nothing");

    line_is("MNT", "", 0, 1, "STR;MNT;MNT;RAW;;2;GPS+GLO+GAL+BDS;none;"
            "ZZZ;0.00;0.00;0;0;Fieldgate;none;B;N;0;none\r\n", "nothing, raw");

    line_is("RTCM32_GGB", "STR;RTCM32_GGB;RTCM32_GGB;RTCM3X;"
            "1005(10),1074-1084-1124(1);2;GNSS;POPNet;CHN;0.00;0.00;1;1;"
            "POP Platform;none;B;N;500;POP", 0, 0,
            "STR;RTCM32_GGB;RTCM32_GGB;RTCM3X;"
            "1005(10),1074-1084-1124(1);2;GNSS;POPNet;CHN;0.00;0.00;1;1;"
            "POP Platform;none;B;N;500;POP\r\n", "a whole line");

    line_is("M", "Town;RTCM 3.0;;;GPS", 0, 0,
            "STR;M;Town;RTCM 3.0;;2;GPS;none;ZZZ;0.00;0.00;0;0;Fieldgate;none;"
            "B;N;0;none\r\n", "from the identifier on");

    line_is("M", "STR;M;Town;;;;;;DEU;48.1;11.5;0", 1, 0,
            "STR;M;Town;RTCM 3.2;;2;GPS+GLO+GAL+BDS;none;DEU;48.1;11.5;0;1;"
            "Fieldgate;none;B;N;0;none\r\n", "a sparse line");

    line_is("M", "a;b;c;d;e;f;g;h;i;j;k;l;m;n;o;p;q;r", 0, 0,
            "STR;M;a;b;c;d;e;f;g;h;i;j;k;l;m;n;o;p;q;r\r\n",
            "more than all fields");
}


static void
test_check(void)
{
    u_char       text[2 * NTRIP_TABLE_LINE_MAX], buf[NTRIP_STR_LINE_MAX];
    ngx_str_t    m, str;
    ntrip_out_t  out;

    ngx_str_set(&m, "MNT");

    ngx_str_set(&str, "STR;mnt;x");
    tap_ok(ntrip_str_check(&m, &str) != NULL, "another mountpoint");
    ngx_str_set(&str, "STR;");
    tap_ok(ntrip_str_check(&m, &str) != NULL, "no mountpoint");
    ngx_str_set(&str, "x\r\nSTR;y");
    tap_ok(ntrip_str_check(&m, &str) != NULL, "a line end");

    memset(text, 'x', sizeof(text));
    str.data = text;
    str.len = sizeof(text);
    tap_ok(ntrip_str_check(&m, &str) != NULL, "too long");

    memset(text, 'm', NTRIP_MOUNT_MAX);
    m.data = text;
    m.len = NTRIP_MOUNT_MAX;
    str.len = NTRIP_TABLE_LINE_MAX - NTRIP_MOUNT_MAX - 7;
    tap_ok(ntrip_str_check(&m, &str) == NULL, "just not too long");
    ntrip_out_init(&out, buf, sizeof(buf));
    ntrip_str_line(&out, &m, &str, 0, 0);
    tap_ok(!out.overflow, "and fits");
}


static void
test_mounts(void)
{
    size_t     i;
    u_char     name[NTRIP_MOUNT_MAX + 1];
    ngx_str_t  s;

    static const char  *bad[] = {
        "", "a b", "a;b", "a,b", "a/b", "a?b", "a#b", "a%41", "a\"b", "a\\b",
        "a\tb", "\xc3\xa9"
    };

    for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        s = tap_str(bad[i]);
        tap_ok(ntrip_mount_check(&s) != NULL, "no mountpoint: '%d'", (int) i);
        free(s.data);
    }

    memset(name, 'x', sizeof(name));
    s.data = name;
    s.len = NTRIP_MOUNT_MAX;
    tap_ok(ntrip_mount_check(&s) == NULL, "100 bytes");
    s.len++;
    tap_ok(ntrip_mount_check(&s) != NULL, "101 bytes");
    ngx_str_set(&s, "RTCM3-v2.1_(x)+");
    tap_ok(ntrip_mount_check(&s) == NULL, "a good one");
}


static ngx_int_t
match(const char *name, const char **names)
{
    ngx_int_t            i;
    ngx_str_t            n, candidate;
    ntrip_mount_match_t  m;

    n.data = (u_char *) name;
    n.len = strlen(name);
    ntrip_mount_match_init(&m, &n);

    for (i = 0; names[i]; i++) {
        candidate.data = (u_char *) names[i];
        candidate.len = strlen(names[i]);
        ntrip_mount_match_add(&m, &candidate, i);
    }

    return ntrip_mount_match_result(&m);
}


static void
test_match(void)
{
    static const char  *names[] = {
        "RTCM30", "abc", "Abc", "x", "twice", "twice", NULL
    };

    tap_ok(match("RTCM30", names) == 0, "equal");
    tap_ok(match("rtcm30", names) == 0, "case does not matter");
    tap_ok(match("abc", names) == 1, "exact, the first");
    tap_ok(match("Abc", names) == 2, "exact, the second");
    tap_ok(match("ABC", names) == NGX_DECLINED, "ambiguous");
    tap_ok(match("TWICE", names) == 4, "one name twice is not ambiguous");
    tap_ok(match("rtcm3", names) == NGX_DECLINED, "a part");
    tap_ok(match("", names) == NGX_DECLINED, "nothing");
}


static void
test_place(void)
{
    size_t       i;
    double       lat, lon;
    ngx_str_t    text;
    ntrip_str_t  str;

    static const struct {
        const char  *text;
        double       latitude;      /* 0: none */
        double       longitude;
    } lines[] = {
        { "STR;M;T;;;;;;;48.10;11.60;0", 48.1, 11.6 },
        { "T;;;;;;;-33.5;289.4", -33.5, 289.4 },
        { "T;;;;;;;0.00;0.00", 0, 0 },
        { "T;;;;;;;90.5;0", 0, 0 },
        { "T;;;;;;;48.1;east", 0, 0 },
        { "T;;;;;;;48.1", 0, 0 },
        { "", 0, 0 }
    };

    for (i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
        text.data = (u_char *) lines[i].text;
        text.len = strlen(lines[i].text);

        ntrip_str_fields(&str, &text);

        if (ntrip_str_place(&str, &lat, &lon) != NGX_OK) {
            lat = 0;
            lon = 0;
        }

        tap_ok(lat - lines[i].latitude < 1e-9 && lines[i].latitude - lat < 1e-9
               && lon - lines[i].longitude < 1e-9
               && lines[i].longitude - lon < 1e-9,
               "position of \"%s\"", lines[i].text);
    }
}


int
main(void)
{
    test_place();
    test_reader();
    test_reader_limit();
    test_parse();
    test_lines();
    test_check();
    test_mounts();
    test_match();

    return tap_done();
}
