
/*
 * URLs toward the CPE and toward the ACS: each case by its text, whole, and
 * split at every byte.
 *
 * sources: cwmp_urlmap.c cwmp_xml.c cwmp_charset.c cwmp_reference.c
 * libs:
 */


#include "tap.h"
#include "cwmp_urlmap.h"


typedef struct {
    const char  *in;
    off_t        offset;
    char         out[4096];
    size_t       len;
} test_doc_t;


static cwmp_urlmap_pair_t  test_pairs[] = {
    { ngx_string("http://10.0.0.11:7557/"), ngx_string("https://fw.example/") },
    { ngx_string("http://acs.lan?a=1&b="), ngx_string("http://p/?c=3&d=") },
    { ngx_string("http://acs.lan"), ngx_string("http://[fd00::1]:7547") }
};


static ngx_int_t
test_edit(void *data, cwmp_urlmap_edit_t *edit)
{
    test_doc_t *doc = data;

    u_char  *last;

    if (edit->start < doc->offset || edit->end <= edit->start) {
        return NGX_ERROR;
    }

    memcpy(doc->out + doc->len, doc->in + doc->offset,
           edit->start - doc->offset);
    doc->len += edit->start - doc->offset;
    doc->offset = edit->end;

    last = cwmp_urlmap_write((u_char *) doc->out + doc->len, edit);
    doc->len = last - (u_char *) doc->out;

    return NGX_OK;
}


/* "split": in two pieces; -1: byte by byte */

static const char *
test_map(const char *in, ngx_uint_t back, int split)
{
    size_t                len, i;
    static test_doc_t     doc;
    static cwmp_urlmap_t  m;

    memset(&m, 0, sizeof(m));
    memset(&doc, 0, sizeof(doc));

    len = strlen(in);
    doc.in = in;

    m.pairs = test_pairs;
    m.npairs = sizeof(test_pairs) / sizeof(test_pairs[0]);
    m.back = back;
    m.handler = test_edit;
    m.data = &doc;

    cwmp_urlmap_init(&m);

    if (split == -1) {
        for (i = 0; i < len; i++) {
            (void) cwmp_urlmap_read(&m, (u_char *) in + i, 1);
        }

    } else {
        (void) cwmp_urlmap_read(&m, (u_char *) in, split);
        (void) cwmp_urlmap_read(&m, (u_char *) in + split, len - split);
    }

    if (cwmp_urlmap_end(&m) != NGX_OK) {
        return cwmp_urlmap_strerror(m.error);
    }

    memcpy(doc.out + doc.len, in + doc.offset, len - doc.offset);
    doc.len += len - doc.offset;
    doc.out[doc.len] = '\0';

    return doc.out;
}


#define TEST_SET(x)                                                           \
    "<s:Envelope><s:Body><c:SetParameterValues><ParameterList>"               \
    "<ParameterValueStruct>" x "</ParameterValueStruct></ParameterList>"      \
    "</c:SetParameterValues></s:Body></s:Envelope>"

#define TEST_NAME  "<Name>InternetGatewayDevice.ManagementServer.URL</Name>"

#define TEST_DOWN(x)                                                          \
    "<s:Envelope><s:Body><c:Download>" x "</c:Download></s:Body></s:Envelope>"


static struct {
    const char  *name;
    ngx_uint_t   back;
    const char  *in;
    const char  *out;    /* NULL: as it came */
} test_cases[] = {

    { "ManagementServer.URL", 0,
      TEST_SET(TEST_NAME "<Value>http://acs.lan/x</Value>"),
      TEST_SET(TEST_NAME "<Value>http://[fd00::1]:7547/x</Value>") },
    { "Value before Name", 0,
      TEST_SET("<Value>http://acs.lan/x</Value>" TEST_NAME),
      TEST_SET("<Value>http://[fd00::1]:7547/x</Value>" TEST_NAME) },
    { "two values", 0,
      TEST_SET("<Value>http://acs.lan</Value>" TEST_NAME
               "<Value>http://acs.lan</Value>"),
      TEST_SET("<Value>http://[fd00::1]:7547</Value>" TEST_NAME
               "<Value>http://[fd00::1]:7547</Value>") },
    { "another root, white space and a reference in the name", 0,
      TEST_SET("<Name>\n Device.Management&#83;erver.URL </Name>"
               "<Value> http://acs.lan </Value>"),
      TEST_SET("<Name>\n Device.Management&#83;erver.URL </Name>"
               "<Value> http://[fd00::1]:7547 </Value>") },
    { "another parameter", 0,
      TEST_SET("<Name>Device.ManagementServer.URLx</Name>"
               "<Value>http://acs.lan/x</Value>"), NULL },
    { "a URL of another method", 0,
      "<s:Envelope><s:Body><c:GetParameterValues><URL>http://acs.lan</URL>"
      "</c:GetParameterValues></s:Body></s:Envelope>", NULL },

    { "Download", 0,
      TEST_DOWN("<URL>http://10.0.0.11:7557/fw.bin</URL>"
                "<SuccessURL>http://acs.lan/a</SuccessURL>"
                "<FailureURL>http://acs.lan/b</FailureURL>"
                "<Username>http://acs.lan</Username>"),
      TEST_DOWN("<URL>https://fw.example/fw.bin</URL>"
                "<SuccessURL>http://[fd00::1]:7547/a</SuccessURL>"
                "<FailureURL>http://[fd00::1]:7547/b</FailureURL>"
                "<Username>http://acs.lan</Username>") },
    { "a prefix of a namespace, and attributes", 0,
      TEST_DOWN("<x:URL a='>'\n>http://acs.lan</x:URL >"),
      TEST_DOWN("<x:URL a='>'\n>http://[fd00::1]:7547</x:URL >") },
    { "the first pair that fits, escaped", 0,
      TEST_DOWN("<URL>http://acs.lan?a=1&amp;b=2&amp;e=f</URL>"),
      TEST_DOWN("<URL>http://p/?c=3&amp;d=2&amp;e=f</URL>") },
    { "references in the prefix, and behind it", 0,
      TEST_DOWN("<URL>&#104;ttp:&#x2F;/acs.la&#110;&#47;x&apos;</URL>"),
      TEST_DOWN("<URL>http://[fd00::1]:7547&#47;x&apos;</URL>") },
    { "a raw ampersand", 0,
      TEST_DOWN("<URL>http://acs.lan?a=1&b=2&c</URL>"),
      TEST_DOWN("<URL>http://p/?c=3&amp;d=2&c</URL>") },
    { "CDATA", 0,
      TEST_DOWN("<URL>\n<![CDATA[http://acs.lan?a=1&b=2&e]]></URL>"),
      TEST_DOWN("<URL>\n<![CDATA[http://p/?c=3&d=2&e]]></URL>") },
    { "CDATA that ends in the prefix", 0,
      TEST_DOWN("<URL><![CDATA[http://]]>acs.lan/x</URL>"),
      TEST_DOWN("<URL><![CDATA[http://[fd00::1]:7547]]>/x</URL>") },
    { "CDATA that begins in it", 0,
      TEST_DOWN("<URL>http://<![CDATA[acs.lan/&x]]></URL>"),
      TEST_DOWN("<URL>http://[fd00::1]:7547<![CDATA[/&x]]></URL>") },
    { "a comment in the prefix", 0,
      TEST_DOWN("<URL>http://<!-- x -->acs.lan/<!-- y --></URL>"),
      TEST_DOWN("<URL>http://[fd00::1]:7547/<!-- y --></URL>") },
    { "an ampersand in a comment, and in an instruction", 0,
      TEST_DOWN("<URL><!-- a & b -->http://acs.lan/<?x & y?></URL>"),
      TEST_DOWN("<URL><!-- a & b -->http://[fd00::1]:7547/<?x & y?></URL>") },
    { "elements cut it", 0,
      TEST_DOWN("<URL>http://<b/>acs.lan</URL>"), NULL },
    { "an empty one", 0, TEST_DOWN("<URL/><URL></URL><SuccessURL />"), NULL },
    { "a short one", 0, TEST_DOWN("<URL>http://acs.la</URL>"), NULL },
    { "other characters", 0, TEST_DOWN("<URL>HTTP://acs.lan</URL>"), NULL },
    { "what is in front", 0, TEST_DOWN("<URL>x http://acs.lan</URL>"), NULL },
    { "ChangeDUState, deeper", 0,
      "<E><B><ChangeDUState><Operations><InstallOpStruct>"
      "<URL>http://acs.lan/du</URL></InstallOpStruct></Operations>"
      "</ChangeDUState></B></E>",
      "<E><B><ChangeDUState><Operations><InstallOpStruct>"
      "<URL>http://[fd00::1]:7547/du</URL></InstallOpStruct></Operations>"
      "</ChangeDUState></B></E>" },
    { "Upload and ScheduleDownload", 0,
      "<E><Upload><URL>http://acs.lan</URL></Upload><ScheduleDownload>"
      "<URL>http://acs.lan</URL></ScheduleDownload><URL>http://acs.lan</URL>"
      "</E>",
      "<E><Upload><URL>http://[fd00::1]:7547</URL></Upload><ScheduleDownload>"
      "<URL>http://[fd00::1]:7547</URL></ScheduleDownload>"
      "<URL>http://acs.lan</URL></E>" },
    { "a byte-order mark", 0,
      "\xef\xbb\xbf" TEST_DOWN("<URL>http://acs.lan</URL>"),
      "\xef\xbb\xbf" TEST_DOWN("<URL>http://[fd00::1]:7547</URL>") },
    { "nothing", 0, "", NULL },
    { "three bytes", 0, "<a>", NULL },

    { "back: any parameter", 1,
      "<s:Envelope><s:Body><c:Inform><P><ParameterValueStruct>"
      "<Name>Device.X.URL</Name><Value t=\"x\">http://[fd00::1]:7547/x</Value>"
      "</ParameterValueStruct></P></c:Inform></s:Body></s:Envelope>",
      "<s:Envelope><s:Body><c:Inform><P><ParameterValueStruct>"
      "<Name>Device.X.URL</Name><Value t=\"x\">http://acs.lan/x</Value>"
      "</ParameterValueStruct></P></c:Inform></s:Body></s:Envelope>" },
    { "back: CDATA with brackets", 1,
      "<E><Value><![CDATA[http://[fd00::1]:7547]]></Value></E>",
      "<E><Value><![CDATA[http://acs.lan]]></Value></E>" },
    { "back: CDATA whose end has more brackets", 1,
      "<E><Value><![CDATA[http://[fd00::1]:7547]]]]></Value></E>",
      "<E><Value><![CDATA[http://acs.lan]]]]></Value></E>" },
    { "back: not the other way", 1,
      "<E><Value>http://acs.lan</Value></E>", NULL },
    { "back: other elements", 1,
      "<E><URL>http://[fd00::1]:7547</URL></E>", NULL },

    { "a DOCTYPE", 0, "<!DOCTYPE x><E/>",
      "a DOCTYPE, or markup that can be read in two ways" },
    { "UTF-16", 0, "\xff\xfe<E",
      "a charset that does not contain ASCII, or is not known" },
    { "declared UTF-16", 0, "<?xml version='1.0' encoding='utf-16'?><E/>",
      "a charset that does not contain ASCII, or is not known" }
};


int
main(void)
{
    char         got[4096];
    size_t       split;
    ngx_uint_t   i, wrong;
    const char  *in, *out, *back;

    for (i = 0; i < sizeof(test_cases) / sizeof(test_cases[0]); i++) {
        in = test_cases[i].in;
        out = test_cases[i].out ? test_cases[i].out : in;
        back = test_map(in, test_cases[i].back, 0);

        if (!tap_ok(strcmp(back, out) == 0, "%s", test_cases[i].name)) {
            printf("# got: %s\n", back);
        }

        strcpy(got, back);
        wrong = 0;

        for (split = 0; split <= strlen(in); split++) {
            wrong += (strcmp(test_map(in, test_cases[i].back, split), got)
                      != 0);
        }

        wrong += (strcmp(test_map(in, test_cases[i].back, -1), got) != 0);

        tap_ok(wrong == 0, "split anywhere");
    }

    return tap_done();
}
