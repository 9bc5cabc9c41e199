
/*
 * sources: ntrip_directory.c ntrip_sourcetable.c ntrip_text.c
 */


#include "tap.h"
#include "ntrip_directory.h"


static const char  table[] =
    "CAS;a;1;x" CRLF
    "STR;MUC;Munich;RTCM 3.2;;2;GPS;N;DEU;48;11;0;0;x;none;B;N;1;none\n"
    "STR;vie;Vienna;RTCM 3.2;;2;GPS;N;AUT;48;16;1;1;x;none;B;N;1;none" CRLF
    CRLF
    "STR;Both" CRLF
    "STR;BOTH" CRLF
    "  NET;n;o  " CRLF
    "HTML <b>" CRLF
    "STR;a b;no" CRLF
    "STR;ctl\001;no" CRLF
    "STR;;no" CRLF
    "STR;both2;;;;;;;;;;0" CRLF
    "STR;aaa" CRLF
    "ENDSOURCETABLE" CRLF
    "STR;behind" CRLF;


static ntrip_directory_t        directory;
static u_char                   text[4096];
static ntrip_directory_mount_t  mounts[64];


static void
found(const char *asked, const char *expected, ngx_uint_t gga)
{
    ngx_str_t                 name;
    ntrip_directory_mount_t  *m;

    name.data = (u_char *) asked;
    name.len = strlen(asked);

    m = ntrip_directory_find(&directory, &name);

    tap_ok(expected
           ? m && m->name.len == strlen(expected) && m->gga == gga
             && memcmp(m->name.data, expected, m->name.len) == 0
           : m == NULL, "\"%s\" is %s", asked, expected ? expected : "none");
}


int
main(void)
{
    size_t      size;
    ngx_str_t   in;
    ngx_uint_t  lines;

    ngx_str_set(&in, table);

    ntrip_directory_size(&in, &lines, &size);
    tap_ok(lines <= 64 && size <= 4096, "it fits");

    tap_ok(ntrip_directory_read(&directory, &in, text, mounts) == NGX_OK,
           "a whole table");

    tap_is(&directory.text,
           "CAS;a;1;x" CRLF
           "STR;MUC;Munich;RTCM 3.2;;2;GPS;N;DEU;48;11;0;0;x;none;B;N;1;none"
           CRLF
           "STR;vie;Vienna;RTCM 3.2;;2;GPS;N;AUT;48;16;1;1;x;none;B;N;1;none"
           CRLF
           "STR;Both" CRLF "STR;BOTH" CRLF "NET;n;o" CRLF
           "STR;both2;;;;;;;;;;0" CRLF "STR;aaa" CRLF,
           "its lines, without what is none");

    tap_ok(directory.nmounts == 6, "its mountpoints");

    found("MUC", "MUC", 0);
    found("muc", "MUC", 0);
    found("VIE", "vie", 1);
    found("Both", "Both", 1);
    found("BOTH", "BOTH", 1);
    found("both", NULL, 0);
    found("BOTH2", "both2", 0);
    found("aaa", "aaa", 1);
    found("aa", NULL, 0);
    found("aaaa", NULL, 0);
    found("zzz", NULL, 0);
    found("", NULL, 0);
    found("behind", NULL, 0);

    ngx_str_set(&in, "STR;x");
    tap_ok(ntrip_directory_read(&directory, &in, text, mounts)
           == NGX_DECLINED, "one without an end");

    ngx_str_set(&in, "STR;x\nENDSOURCETABLE");
    tap_ok(ntrip_directory_read(&directory, &in, text, mounts) == NGX_OK,
           "an end without a line feed");
    found("x", "x", 1);

    ngx_str_null(&in);
    tap_ok(ntrip_directory_read(&directory, &in, text, mounts)
           == NGX_DECLINED && directory.text.len == 0, "nothing");
    found("x", NULL, 0);

    return tap_done();
}
