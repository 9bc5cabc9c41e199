
/*
 * Fieldgate: the scanner of CWMP messages.  Each message is fed whole, byte by
 * byte, and split in two at every place.
 *
 * sources: cwmp_xml.c cwmp_charset.c
 *          cwmp_message.c cwmp_parameter.c
 *          cwmp_prefilter.c cwmp_reference.c
 *          cwmp_url.c
 */


#include "cwmp_message.h"
#include "cwmp_prefilter.h"
#include "cwmp_url.h"

#include <stdio.h>
#include <stdlib.h>


#define TEST_OUT   65536
#define TEST_EDITS 32

#define CR_URL  "InternetGatewayDevice.ManagementServer.ConnectionRequestURL"
#define CR2     "Device.ManagementServer.ConnectionRequestURL"
#define UDP2    "Device.ManagementServer.UDPConnectionRequestAddress"
#define PUBLIC  "http://p/c?origin="

#define NAME(n)      "<Name>" n "</Name>"
#define VALUE(v)     "<Value>" v "</Value>"
#define STRUCT(s)    "<ParameterValueStruct>" s "</ParameterValueStruct>"
#define PARAM(n, v)  STRUCT(NAME(n) VALUE(v))
#define BODY(b)      "<s:Envelope><s:Body><cwmp:X>" b "</cwmp:X></s:Body>"    \
                     "</s:Envelope>"

#define SAME  NULL


typedef struct {
    off_t         start;
    off_t         end;
    size_t        len;
    u_char        text[CWMP_PARAMETER_VALUE_MAX];
    ngx_uint_t    address;
} test_edit_t;


typedef struct {
    ngx_int_t     rc;
    ngx_uint_t    n;
    test_edit_t   edits[TEST_EDITS];
    size_t        len;
    u_char        out[TEST_OUT];
    cwmp_message_t  m;
} test_result_t;


typedef struct {
    const char   *name;
    const char   *in;
    const char   *out;          /* SAME: nothing is rewritten */
    ngx_uint_t    error;
} test_case_t;


static ngx_uint_t  tests;
static ngx_uint_t  failed;

static ngx_uint_t  test_udp;          /* addresses are wanted */
static off_t       test_names_end;    /* of the next runs; 0: to the end */


static void
ok(ngx_uint_t good, const char *what, const char *name)
{
    tests++;

    if (!good) {
        failed++;
    }

    printf("%sok %d - %s: %s\n", good ? "" : "not ", (int) tests, name, what);
}


static ngx_int_t
test_value(void *data, cwmp_value_t *value)
{
    test_edit_t    *e;
    test_result_t  *r;

    r = data;

    if (r->n == TEST_EDITS) {
        return NGX_ERROR;
    }

    e = &r->edits[r->n++];
    e->start = value->start;
    e->end = value->end;
    e->len = value->text.len;
    e->address = value->address;
    memcpy(e->text, value->text.data, e->len);

    return NGX_OK;
}


static ngx_int_t
test_name(void *data, ngx_str_t *name)
{
    return (name->len == 8 && memcmp(name->data, "A.CallMe", 8) == 0)
           ? NGX_OK : NGX_DECLINED;
}


static int
test_compare(const void *one, const void *two)
{
    const test_edit_t  *a, *b;

    a = one;
    b = two;

    return (a->start > b->start) - (a->start < b->start);
}


/* what the message becomes; each piece is a block of its own */

static void
test_run(test_result_t *r, const u_char *in, size_t len, size_t first,
    size_t step, cwmp_name_pt name, ngx_uint_t declared)
{
    off_t        pos;
    u_char      *p, *piece, url[8192];
    size_t       n, left;
    ngx_str_t    public, origin, sig, announced;
    ngx_uint_t   i;

    r->n = 0;
    r->rc = NGX_OK;

    cwmp_message_init(&r->m);

    r->m.declared = declared;
    r->m.names_end = test_names_end;
    r->m.params.name_handler = name;
    r->m.params.value_handler = test_value;
    r->m.params.udp = test_udp;
    r->m.params.data = r;

    for (p = (u_char *) in, left = len, n = first;
         left && r->rc == NGX_OK;
         n = step)
    {
        n = ngx_min(n, left);

        piece = malloc(n);
        memcpy(piece, p, n);
        r->rc = cwmp_message_read(&r->m, piece, n);
        free(piece);

        p += n;
        left -= n;
    }

    if (r->rc == NGX_OK) {
        r->rc = cwmp_message_end(&r->m);
    }

    if (r->rc == NGX_ERROR) {
        r->n = 0;
    }

    qsort(r->edits, r->n, sizeof(test_edit_t), test_compare);

    ngx_str_set(&public, "http://p/c");
    ngx_str_null(&sig);

    p = r->out;
    pos = 0;

    for (i = 0; i < r->n; i++) {
        p = ngx_cpymem(p, in + pos, r->edits[i].start - pos);
        pos = r->edits[i].end;

        if (r->edits[i].address) {
            continue;
        }

        origin.data = r->edits[i].text;
        origin.len = r->edits[i].len;
        announced.data = url;
        announced.len = cwmp_url_query(url, &public, &origin, &sig) - url;

        p = (u_char *) ngx_escape_html(p, announced.data, announced.len);
    }

    p = ngx_cpymem(p, in + pos, len - pos);
    r->len = p - r->out;
}


static ngx_uint_t
test_same(test_result_t *a, test_result_t *b)
{
    return a->rc == b->rc && a->m.error == b->m.error && a->len == b->len
           && memcmp(a->out, b->out, a->len) == 0;
}


static void
test_message(const char *name, const u_char *in, size_t len,
    const u_char *out, size_t outlen, ngx_uint_t error, ngx_uint_t declared)
{
    off_t             end;
    size_t            n;
    ngx_uint_t        same, found;
    cwmp_name_pt      handler;
    cwmp_prefilter_t  f;

    static test_result_t  whole, split;

    handler = memmem(in, len, "A.CallMe", 8) ? test_name : NULL;
    test_udp = (memmem(in, len, "1.2.3.4", 7) != NULL);

    test_run(&whole, in, len, len, 1, handler, declared);

    ok(whole.m.error == error, "result", name);
    ok(error || (whole.len == outlen && memcmp(whole.out, out, outlen) == 0),
       "what the ACS gets", name);

    if (!error && (whole.len != outlen || memcmp(whole.out, out, outlen))) {
        printf("# %.*s\n# %.*s\n", (int) whole.len, whole.out, (int) outlen,
               out);
    }

    same = 1;

    for (n = 1; n < len && same; n++) {
        test_run(&split, in, len, n, len, handler, declared);
        same = test_same(&whole, &split);
    }

    ok(same, "the same, split anywhere", name);

    test_run(&split, in, len, 1, 1, handler, declared);
    ok(test_same(&whole, &split), "the same, byte by byte", name);

    /* a handler that never matches makes no difference either */

    test_run(&split, in, len, len, 1, test_name, declared);
    ok(test_same(&whole, &split), "the same, with other names", name);

    /* what the prefilter lets go of has nothing to rewrite */

    test_run(&whole, in, len, len, 1, NULL, declared);

    ngx_memzero(&f, sizeof(cwmp_prefilter_t));
    f.addresses = test_udp;
    found = cwmp_prefilter(&f, (u_char *) in, len, declared);
    end = f.names_end;
    ok(found || end || (whole.n == 0 && whole.rc == NGX_OK),
       "prefilter", name);

    /* nor is there anything behind the last name */

    if (!found && whole.rc == NGX_OK) {
        same = 1;

        for (n = 1; n <= len && same; n++) {
            test_names_end = end;
            test_run(&split, in, len, n, len, NULL, declared);
            test_names_end = 0;

            same = (split.len == whole.len
                    && memcmp(split.out, whole.out, whole.len) == 0);
        }

        ok(same, "the same, read as far as it has to be", name);
    }

    ngx_memzero(&f, sizeof(cwmp_prefilter_t));
    f.addresses = test_udp;

    for (n = 0; n < len; n++) {
        (void) cwmp_prefilter(&f, (u_char *) in + n, 1, declared);
    }

    ok(f.hidden || (!found && f.names_end == end), "prefilter, byte by byte",
       name);
}


/* notes of the shapes that CPEs send, and of what cwmp-proxy made of them */

static test_case_t  cases[] = {

    { "any prefix",
      BODY("<a:ParameterValueStruct><b:Name>" CR_URL "</b:Name>"
           "<c:Value>http://o/</c:Value></a:ParameterValueStruct>"),
      BODY("<a:ParameterValueStruct><b:Name>" CR_URL "</b:Name>"
           "<c:Value>" PUBLIC "http://o/</c:Value></a:ParameterValueStruct>"),
      0 },

    { "default namespace",
      "<Envelope xmlns='e'><Body><Inform xmlns='c'>" PARAM(CR2, "http://o/")
      "</Inform></Body></Envelope>",
      "<Envelope xmlns='e'><Body><Inform xmlns='c'>"
      PARAM(CR2, PUBLIC "http://o/") "</Inform></Body></Envelope>", 0 },

    { "single quotes, '>' in an attribute, declarations on Value",
      BODY(STRUCT(NAME(CR2) "<Value xmlns:x='http://y/' a=\">'\" b='>\"'>"
                  "http://o/</Value>")),
      BODY(STRUCT(NAME(CR2) "<Value xmlns:x='http://y/' a=\">'\" b='>\"'>"
                  PUBLIC "http://o/</Value>")), 0 },

    { "Value before Name, white space in tags",
      BODY("<ParameterValueStruct\n>" "<Value\t>http://o/</Value\n><Name >"
           CR2 "</Name\r\n></ParameterValueStruct >"),
      BODY("<ParameterValueStruct\n>" "<Value\t>" PUBLIC "http://o/</Value\n>"
           "<Name >" CR2 "</Name\r\n></ParameterValueStruct >"), 0 },

    { "two values in a struct",
      BODY(STRUCT(VALUE("http://a/") NAME(CR2) VALUE("http://b/"))),
      BODY(STRUCT(VALUE(PUBLIC "http://a/") NAME(CR2)
                  VALUE(PUBLIC "http://b/"))), 0 },

    { "two names in a struct",
      BODY(STRUCT(NAME("A.B") VALUE("http://a/") NAME(CR2) NAME("A.C"))),
      BODY(STRUCT(NAME("A.B") VALUE(PUBLIC "http://a/") NAME(CR2)
                  NAME("A.C"))), 0 },

    { "two structs of one name, both roots",
      BODY(PARAM(CR2, "http://a/") PARAM(CR2, "http://b/")
           PARAM(CR_URL, "http://c/")),
      BODY(PARAM(CR2, PUBLIC "http://a/") PARAM(CR2, PUBLIC "http://b/")
           PARAM(CR_URL, PUBLIC "http://c/")), 0 },

    { "an empty value stays empty, the next URL is left alone",
      BODY(PARAM(CR2, "") PARAM("X.FileURL", "http://files/fw.bin")), SAME,
      0 },

    { "an empty element, then a namespace and a URL",
      BODY(STRUCT(NAME(CR2) "<Value/>") "<a xmlns='http://x/'>http://y/</a>"),
      SAME, 0 },

    { "white space, a comment: empty",
      BODY(PARAM(CR2, " \r\n\t ") PARAM(CR2, "<!-- http://x/ -->")
           PARAM(CR2, "&#32;&#x9;")), SAME, 0 },

    { "no value", BODY(STRUCT(NAME(CR2))), SAME, 0 },

    { "an address for UDP is emptied",
      BODY(PARAM(UDP2, "1.2.3.4:5") PARAM("A.B", "c")),
      BODY(PARAM(UDP2, "") PARAM("A.B", "c")), 0 },

    { "behind the URL, and before it",
      BODY(PARAM(CR2, "http://o/") PARAM(UDP2, " 1.2.3.4 ")
           PARAM(CR_URL, "http://p/") PARAM("A.UDPConnectionRequestAddress",
                                            "1.2.3.4")),
      BODY(PARAM(CR2, PUBLIC "http://o/") PARAM(UDP2, "")
           PARAM(CR_URL, PUBLIC "http://p/")
           PARAM("A.UDPConnectionRequestAddress", "1.2.3.4")), 0 },

    { "an empty address", BODY(PARAM(UDP2, "") PARAM("A.B", "c")), SAME, 0 },

    { "an address and a URL in a struct: a URL",
      BODY(STRUCT(NAME(UDP2) VALUE("1.2.3.4:5") NAME(CR2))),
      BODY(STRUCT(NAME(UDP2) VALUE(PUBLIC "1.2.3.4:5") NAME(CR2))), 0 },

    { "an address, hidden",
      BODY(STRUCT(NAME("Device.ManagementServer.&#85;DPConnectionRequest"
                       "Address") VALUE("1.2.3.4:5"))),
      BODY(STRUCT(NAME("Device.ManagementServer.&#85;DPConnectionRequest"
                       "Address") VALUE(""))), 0 },

    { "white space around the URL",
      BODY(PARAM(CR2, "\r\n   http://o/ \t")),
      BODY(PARAM(CR2, PUBLIC "http://o/")), 0 },

    { "white space and references in Name",
      BODY(PARAM("\n  Device.Management&#83;erver.ConnectionRequest&#x55;RL  ",
                 "http://o/")),
      BODY(PARAM("\n  Device.Management&#83;erver.ConnectionRequest&#x55;RL  ",
                 PUBLIC "http://o/")), 0 },

    { "references in Value",
      BODY(PARAM(CR2, "&#104;ttp://o/?x=1&amp;y=&quot;&apos;&lt;&gt;"
                      "&#x00000000000000000000002F;&#xe9;&#X2f;")),
      BODY(PARAM(CR2, PUBLIC "http://o/?x=1%26y=%22'%3C%3E/%C3%A9/")), 0 },

    { "raw '&', references that are none",
      BODY(PARAM(CR2, "http://o/?x=1&y=2&amp&#;&#xg;&#1114112;&#xd800;&&x;")),
      BODY(PARAM(CR2, PUBLIC "http://o/?x=1%26y=2%26amp%26%23%3B%26%23xg%3B"
                      "%26%231114112%3B%26%23xd800%3B%26%26x%3B")), 0 },

    { "references of two, three and four bytes, and a long one",
      BODY(PARAM(CR2, "&#xE9;&#x20AC;&#128512;&abcdefghijklmnop;")),
      BODY(PARAM(CR2, PUBLIC "%C3%A9%E2%82%AC%F0%9F%98%80"
                      "%26abcdefghijklmnop%3B")), 0 },

    { "a reference is decoded once",
      BODY(PARAM(CR2, "http://o/&amp;#104;&amp;amp;%2B%26")),
      BODY(PARAM(CR2, PUBLIC "http://o/%26%23104%3B%26amp%3B%252B%2526")), 0 },

    { "';', '+', '#', quotes in the origin",
      BODY(PARAM(CR2, "http://o/;a+b#c\"d'e")),
      BODY(PARAM(CR2, PUBLIC "http://o/%3Ba%2Bb%23c%22d'e")), 0 },

    { "CDATA comes out as text",
      BODY(PARAM(CR2, "<![CDATA[http://o/?a=1&b=]]]]><![CDATA[>&amp;]]>")),
      BODY(PARAM(CR2, PUBLIC "http://o/?a=1%26b=]]%3E%26amp%3B")), 0 },

    { "brackets in CDATA",
      BODY(PARAM(CR2, "<![CDATA[]x]]y]]]]>z<![CDATA[]]>")),
      BODY(PARAM(CR2, PUBLIC "]x]]y]]z")), 0 },

    { "quotes in an end tag",
      BODY(STRUCT(NAME(CR2) "<Value>http://o/</Value '>'\"<\">")),
      BODY(STRUCT(NAME(CR2) "<Value>" PUBLIC "http://o/</Value '>'\"<\">")),
      0 },

    { "CDATA in Name",
      BODY(PARAM("Device.<![CDATA[ManagementServer.Connection]]>RequestURL",
                 "http://o/")),
      BODY(PARAM("Device.<![CDATA[ManagementServer.Connection]]>RequestURL",
                 PUBLIC "http://o/")), 0 },

    { "comments and instructions in Name and Value",
      BODY(PARAM("Device.Management<!-- - -- -->Server.Connec<?x y?>"
                 "tionRequestURL", "http<!-- http://x/ -->://o/<?x?>")),
      BODY(PARAM("Device.Management<!-- - -- -->Server.Connec<?x y?>"
                 "tionRequestURL", PUBLIC "http://o/")), 0 },

    { "the name and a URL in comments and texts",
      BODY("<!-- " CR2 " http://x/ -->" CR2 " http://y/"
           "<FaultString>" CR2 " http://z/</FaultString>"), SAME, 0 },

    { "upper case", BODY(PARAM(CR2, "HTTP://O/")),
      BODY(PARAM(CR2, PUBLIC "HTTP://O/")), 0 },

    { "the same URL in another parameter before",
      BODY(PARAM("Device.ManagementServer.URL", "http://o/")
           PARAM(CR2, "http://o/")),
      BODY(PARAM("Device.ManagementServer.URL", "http://o/")
           PARAM(CR2, PUBLIC "http://o/")), 0 },

    { "what is no URL", BODY(PARAM(CR2, "(null)")),
      BODY(PARAM(CR2, PUBLIC "(null)")), 0 },

    { "child elements in Value",
      BODY(STRUCT(NAME(CR2) VALUE("ht<b>tp://</b><c/>o/"))),
      BODY(STRUCT(NAME(CR2) VALUE(PUBLIC "http://o/"))), 0 },

    { "child elements in Name",
      BODY(PARAM("x<b/>" CR2 "<i>y</i>", "http://o/")),
      BODY(PARAM("x<b/>" CR2 "<i>y</i>", PUBLIC "http://o/")), 0 },

    { "Name in Name, Value in Value",
      BODY(STRUCT("<Name>a<Name>" CR2 "</Name></Name><Value>ht<Value>tp://"
                  "</Value>o/</Value>")),
      BODY(STRUCT("<Name>a<Name>" CR2 "</Name></Name><Value>" PUBLIC
                  "http://o/</Value>")), 0 },

    { "Value in Name, Name in Value",
      BODY(STRUCT("<Name>" CR2 "<Value>http://a/</Value></Name>")
           STRUCT("<Value>http://b/<Name>" CR2 "</Name></Value>")),
      BODY(STRUCT("<Name>" CR2 "<Value>" PUBLIC "http://a/</Value></Name>")
           STRUCT("<Value>" PUBLIC "http://b/" CR2 "</Value>")), 0 },

    { "elements around Name",
      BODY(STRUCT("<w>" NAME(CR2) "</w>" VALUE("http://o/"))),
      BODY(STRUCT("<w>" NAME(CR2) "</w>" VALUE(PUBLIC "http://o/"))), 0 },

    { "items of a SOAP array by another name",
      BODY("<item>" NAME(CR2) VALUE("http://o/") "</item><item>" NAME("A.B")
           VALUE("http://x/") "</item>"),
      BODY("<item>" NAME(CR2) VALUE(PUBLIC "http://o/") "</item><item>"
           NAME("A.B") VALUE("http://x/") "</item>"), 0 },

    { "a struct in a struct",
      BODY(STRUCT(VALUE("http://a/") PARAM(CR2, "http://b/") NAME("A.B"))),
      BODY(STRUCT(VALUE("http://a/") PARAM(CR2, PUBLIC "http://b/")
                  NAME("A.B"))), 0 },

    { "a Name of the method itself",
      BODY(NAME(CR2) PARAM("A.B", "http://x/")), SAME, 0 },

    { "a configured name", BODY(PARAM("A.CallMe", "http://o/")),
      BODY(PARAM("A.CallMe", PUBLIC "http://o/")), 0 },

    { "many structs, and one of them",
      BODY(PARAM("A.B", "x") PARAM("A.C", "") " \n" PARAM("A.D", "&lt;")
           PARAM(CR2, "http://o/") PARAM("A.E", "http://x/")
           PARAM("A.F", "<b/>") "<ParameterValueStruct a='>'>" NAME("A.G")
           VALUE("y") "</ParameterValueStruct >" PARAM(CR2, "http://p/")
           STRUCT(NAME("A.H") "<Value a='/'/>") STRUCT("<Name b=\">\" >"
           CR2 "\n</Name>\n<Value >http://q/</Value>")),
      BODY(PARAM("A.B", "x") PARAM("A.C", "") " \n" PARAM("A.D", "&lt;")
           PARAM(CR2, PUBLIC "http://o/") PARAM("A.E", "http://x/")
           PARAM("A.F", "<b/>") "<ParameterValueStruct a='>'>" NAME("A.G")
           VALUE("y") "</ParameterValueStruct >"
           PARAM(CR2, PUBLIC "http://p/")
           STRUCT(NAME("A.H") "<Value a='/'/>") STRUCT("<Name b=\">\" >"
           CR2 "\n</Name>\n<Value >" PUBLIC "http://q/</Value>")), 0 },

    { "names that are not quite it",
      BODY(PARAM("Device.ManagementServer.ConnectionRequestURLs", "http://x/")
           PARAM("Device.XManagementServer.ConnectionRequestURL", "http://x/")
           PARAM("ManagementServer.ConnectionRequestURL", "http://x/")
           PARAM("Device.ManagementServer.UDPConnectionRequestAddress", "x")
           PARAM("Device.managementserver.connectionrequesturl", "http://x/")),
      SAME, 0 },

    { "lists of names",
      BODY("<ParameterInfoStruct>" NAME(CR2) "<Writable>0</Writable>"
           "</ParameterInfoStruct><ParameterAttributeStruct>" NAME(CR2)
           "<Notification>2</Notification><AccessList><string>http://x/"
           "</string></AccessList></ParameterAttributeStruct>"
           "<ParameterNames><string>" CR2 "</string></ParameterNames>"),
      SAME, 0 },

    { "a fault",
      BODY("<Fault><SetParameterValuesFault><ParameterName>" CR2
           "</ParameterName><FaultString>http://x/</FaultString>"
           "</SetParameterValuesFault></Fault>"), SAME, 0 },

    { "a second body and a second envelope",
      "<E><Body><a/></Body><Body>" PARAM(CR2, "http://a/") "</Body></E><E>"
      PARAM(CR2, "http://b/") "</E>",
      "<E><Body><a/></Body><Body>" PARAM(CR2, PUBLIC "http://a/")
      "</Body></E><E>" PARAM(CR2, PUBLIC "http://b/") "</E>", 0 },

    { "outside any element", NAME(CR2) VALUE("http://a/"),
      NAME(CR2) VALUE(PUBLIC "http://a/"), 0 },

    { "line ends and a BOM at the start",
      "\xef\xbb\xbf\r\n\r\n" BODY(PARAM(CR2, "http://o/")),
      "\xef\xbb\xbf\r\n\r\n" BODY(PARAM(CR2, PUBLIC "http://o/")), 0 },

    { "tags closed by other names, and too many",
      "</x>" BODY("<ParameterValueStruct><Name>" CR2 "</a><Value>http://o/</b>"
                  "</c>") "</d></e>",
      "</x>" BODY("<ParameterValueStruct><Name>" CR2 "</a><Value>" PUBLIC
                  "http://o/</b></c>") "</d></e>", 0 },

    { "the end is missing",
      "<a><ParameterValueStruct>" NAME(CR2) VALUE("http://o/") "<x",
      "<a><ParameterValueStruct>" NAME(CR2) VALUE(PUBLIC "http://o/") "<x",
      0 },

    { "the end of the value is missing",
      "<a><ParameterValueStruct>" NAME(CR2) "<Value>http://o/", SAME, 0 },

    { "bytes that are not UTF-8",
      BODY("\xff\xc0" PARAM(CR2, "http://o/\xe9") "\x01\x80"),
      BODY("\xff\xc0" PARAM(CR2, PUBLIC "http://o/%E9") "\x01\x80"), 0 },

    { "quotes in a comment, paired",
      BODY("<!-- 'a' \"b\" -->" PARAM(CR2, "http://o/")), SAME,
      CWMP_MESSAGE_AMBIGUOUS },

    { "an apostrophe in a comment",
      BODY(PARAM(CR2, "http://o/") "<!-- it's -->"), SAME,
      CWMP_MESSAGE_AMBIGUOUS },

    { "an apostrophe in a comment that is cut off",
      BODY(PARAM(CR2, "http://o/")) "<!-- it's", SAME,
      CWMP_MESSAGE_AMBIGUOUS },

    { "<!-->", BODY("<!-->" PARAM(CR2, "http://o/") "<!-- -->"), SAME,
      CWMP_MESSAGE_AMBIGUOUS },

    { "<?>", BODY("<?>" PARAM(CR2, "http://o/") "<?x ?>"), SAME,
      CWMP_MESSAGE_AMBIGUOUS },

    { "an instruction without quotes",
      BODY("<?x y=z ?>" PARAM(CR2, "http://o/")),
      BODY("<?x y=z ?>" PARAM(CR2, PUBLIC "http://o/")), 0 },

    { "an apostrophe in an instruction",
      BODY("<?x ' ?>" PARAM(CR2, "http://o/")), SAME,
      CWMP_MESSAGE_AMBIGUOUS },

    { "quotes in an instruction, paired",
      "<?xml-stylesheet href=\"a\"?>" BODY(PARAM(CR2, "http://o/")), SAME,
      CWMP_MESSAGE_AMBIGUOUS },

    { "both quotes in a declaration",
      "<?xml version='1.0' encoding=\"UTF-8\" standalone='\"'?>"
      BODY(PARAM(CR2, "http://o/")),
      "<?xml version='1.0' encoding=\"UTF-8\" standalone='\"'?>"
      BODY(PARAM(CR2, PUBLIC "http://o/")), 0 },

    { "a declaration with a quote that is not closed",
      "<?xml version='1.0?>" BODY(PARAM(CR2, "http://o/")), SAME,
      CWMP_MESSAGE_AMBIGUOUS },

    { "half of a comment", BODY("<!-x->"), SAME, CWMP_MESSAGE_DOCTYPE },
    { "half of CDATA", BODY("<![CDATx[]]>"), SAME, CWMP_MESSAGE_DOCTYPE },

    { "DOCTYPE",
      "<!DOCTYPE x [<!ENTITY u \"http://a/\">]>" BODY(PARAM(CR2, "&u;")), SAME,
      CWMP_MESSAGE_DOCTYPE },

    { "a declaration in the message", BODY("<!ELEMENT x>"), SAME,
      CWMP_MESSAGE_DOCTYPE },

    { "declared as UTF-8",
      "<?xml version='1.0' encoding='utf8' ?>" BODY(PARAM(CR2, "http://o/")),
      "<?xml version='1.0' encoding='utf8' ?>"
      BODY(PARAM(CR2, PUBLIC "http://o/")), 0 },

    { "declared as windows-1252",
      "<?xml version=\"1.0\" encoding = \"Windows-1252\"?>"
      BODY(PARAM(CR2, "http://o/")),
      "<?xml version=\"1.0\" encoding = \"Windows-1252\"?>"
      BODY(PARAM(CR2, PUBLIC "http://o/")), 0 },

    { "declared as UTF-7",
      "<?xml version='1.0' encoding='utf-7'?>" BODY(""), SAME,
      CWMP_MESSAGE_CHARSET },

    { "declared as UTF-16, but ASCII",
      "<?xml version='1.0' encoding='utf-16'?>" BODY(""), SAME,
      CWMP_MESSAGE_CHARSET },

    { "declared as something unknown",
      "<?xml version='1.0' encoding='x-klingon'?>" BODY(""), SAME,
      CWMP_MESSAGE_CHARSET },

    { "a declaration that is too long to be read",
      "<?xml version='1.0'                                                   "
      "                                                                      "
      "                                                                      "
      " encoding='cp037'?>" BODY(""), SAME, CWMP_MESSAGE_CHARSET },

    { "EBCDIC", "\x4c\x6f\xa7\x94\x93\x40", SAME, CWMP_MESSAGE_CHARSET },

    { "UTF-7 by its mark", "+/v8-<a/>", SAME, CWMP_MESSAGE_CHARSET },

    { "no XML", "a=b&c=d", SAME, 0 },
    { "one byte", "<", SAME, 0 },
    { "three bytes", "\xef\xbb\xbf", SAME, 0 }
};


static void
test_cases(void)
{
    ngx_uint_t    i;
    test_case_t  *c;
    const char   *out;

    for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        c = &cases[i];
        out = c->out ? c->out : c->in;

        test_message(c->name, (u_char *) c->in, strlen(c->in),
                     (u_char *) out, strlen(out), c->error,
                     CWMP_CHARSET_NONE);
    }
}


static void
test_charsets(void)
{
    size_t  n;
    u_char  in[2048];

    static const char  le[] = "<\0a\0>\0\r\0\n\0";
    static const char  be[] = "\0<\0a\0>\0\r\0\n";

    n = ngx_cpymem(in, le, sizeof(le) - 1) - in;
    test_message("UTF-16LE", in, n, in, n, CWMP_MESSAGE_CHARSET,
                 CWMP_CHARSET_NONE);
    test_message("UTF-16LE, declared as UTF-8", in, n, in, n,
                 CWMP_MESSAGE_CHARSET, CWMP_CHARSET_ASCII);

    n = ngx_cpymem(in, be, sizeof(be) - 1) - in;
    test_message("UTF-16BE", in, n, in, n, CWMP_MESSAGE_CHARSET,
                 CWMP_CHARSET_NONE);

    n = ngx_cpymem(in, "\xfe\xff", 2) - in;
    n = ngx_cpymem(in + n, be, sizeof(be) - 1) - in;
    test_message("UTF-16BE with a mark", in, n, in, n, CWMP_MESSAGE_CHARSET,
                 CWMP_CHARSET_NONE);

    n = ngx_cpymem(in, "\xff\xfe" "<<aa>>", 8) - in;
    test_message("a mark of UTF-16 before ASCII", in, n, in, n,
                 CWMP_MESSAGE_CHARSET, CWMP_CHARSET_NONE);

    n = ngx_cpymem(in, "\xff\xfe\0\0<\0\0\0", 8) - in;
    test_message("UTF-32", in, n, in, n, CWMP_MESSAGE_CHARSET,
                 CWMP_CHARSET_NONE);

    n = ngx_cpymem(in, "<\0\0\0a\0\0\0>\0\0\0", 12) - in;
    test_message("UTF-32 without a mark", in, n, in, n, CWMP_MESSAGE_CHARSET,
                 CWMP_CHARSET_NONE);

    n = ngx_cpymem(in, "<a>\0" PARAM(CR2, "http://o/") "</a>",
                   4 + sizeof(PARAM(CR2, "http://o/") "</a>") - 1) - in;
    test_message("a NUL among the first bytes", in, n, in, n,
                 CWMP_MESSAGE_CHARSET, CWMP_CHARSET_NONE);

    n = ngx_cpymem(in, BODY(PARAM(CR2, "")), sizeof(BODY(PARAM(CR2, ""))) - 1)
        - in;
    test_message("Content-Type declares an unknown charset", in, n, in, n,
                 CWMP_MESSAGE_CHARSET, CWMP_CHARSET_OTHER);
    test_message("Content-Type declares UTF-8", in, n, in, n, 0,
                 CWMP_CHARSET_ASCII);
}


/* n times a piece, between a start and an end */

static u_char *
test_repeat(const char *start, const char *piece, ngx_uint_t n,
    const char *end, size_t *len)
{
    u_char  *buf, *p;

    buf = malloc(strlen(start) + n * strlen(piece) + strlen(end) + 1);
    p = ngx_cpymem(buf, start, strlen(start));

    while (n--) {
        p = ngx_cpymem(p, piece, strlen(piece));
    }

    p = ngx_cpymem(p, end, strlen(end));
    *len = p - buf;

    return buf;
}


static void
test_limit(const char *name, const char *start, const char *piece,
    ngx_uint_t n, const char *end, ngx_uint_t edits, ngx_uint_t error)
{
    size_t   len;
    u_char  *in;

    static test_result_t  r;

    in = test_repeat(start, piece, n, end, &len);

    r.n = 0;
    cwmp_message_init(&r.m);
    r.m.params.value_handler = test_value;
    r.m.params.data = &r;

    r.rc = cwmp_message_read(&r.m, in, len);

    if (r.rc == NGX_OK) {
        r.rc = cwmp_message_end(&r.m);
    }

    free(in);

    ok(r.m.error == error, "result", name);
    ok(error || r.n == edits, "values", name);
}


static void
test_limits(void)
{
    test_limit("an attribute of 10 MB",
               BODY(PARAM(CR2, "http://o/")) "<a b='", "0123456789", 1000000,
               "'/>" PARAM(CR2, "http://o/"), 2, 0);
    test_limit("a comment of 10 MB",
               BODY(PARAM(CR2, "http://o/")) "<!-- ", "0123456789", 1000000,
               "-->" PARAM(CR2, "http://o/"), 2, 0);
    test_limit("a value of 10 MB", "<a><Value>", "0123456789", 1000000,
               "</Value>" PARAM(CR2, "http://o/") "</a>", 1, 0);
    test_limit("a URL of 10 MB", STRUCT(NAME("A.B")) "<ParameterValueStruct>"
               NAME(CR2) "<Value>", "0123456789", 1000000,
               "</Value></ParameterValueStruct>", 0, CWMP_MESSAGE_URL);
    test_limit("a URL of 2048 bytes", "<ParameterValueStruct>" NAME(CR2)
               "<Value>  ", "01234567", 256,
               "       \n</Value></ParameterValueStruct>", 1, 0);
    test_limit("a URL of 2049 bytes", "<ParameterValueStruct>" NAME(CR2)
               "<Value>x", "01234567", 256,
               "</Value></ParameterValueStruct>", 0, CWMP_MESSAGE_URL);
    test_limit("10 MB of white space around a URL",
               "<ParameterValueStruct>" NAME(CR2) "<Value>", "          ",
               1000000, "http://o/</Value></ParameterValueStruct>", 1, 0);
    test_limit("10 MB of white space behind a URL",
               "<ParameterValueStruct>" NAME(CR2) "<Value>http://o/",
               "          ", 1000000, "</Value></ParameterValueStruct>", 1, 0);
    test_limit("10 MB before the suffix of a name",
               "<ParameterValueStruct><Name>", "01234567.9", 1000000,
               ".ManagementServer.ConnectionRequestURL</Name>"
               VALUE("http://o/") "</ParameterValueStruct>", 1, 0);
    test_limit("10 MB of white space behind a name",
               "<ParameterValueStruct><Name>" CR2, " \n  \t   \r ", 1000000,
               "</Name>" VALUE("http://o/") "</ParameterValueStruct>", 1, 0);
    test_limit("white space in the middle of a long name",
               "<ParameterValueStruct><Name>", "0123456789", 100,
               "Device.Management Server.ConnectionRequestURL</Name>"
               VALUE("http://o/") "</ParameterValueStruct>", 0, 0);
    test_limit("the suffix after white space in a long name",
               "<ParameterValueStruct><Name>", "0123456789", 100,
               " \n .ManagementServer.ConnectionRequestURL</Name>"
               VALUE("http://o/") "</ParameterValueStruct>", 1, 0);
    test_limit("more URLs than the caller takes", "<a>", PARAM(CR2, "x"),
               TEST_EDITS + 1, "</a>", 0, CWMP_MESSAGE_HANDLER);
    test_limit("a tag name of 10 MB", "<a><", "0123456789", 1000000,
               "></a>", 0, CWMP_MESSAGE_AMBIGUOUS);
    test_limit("a reference of 10 MB", "<ParameterValueStruct>" NAME(CR2)
               "<Value>&#", "0000000000", 1000000,
               "104;ttp://o/</Value></ParameterValueStruct>", 1, 0);

    test_limit("63 elements in each other", "", "<a>", 63, "", 0, 0);
    test_limit("64 elements in each other", "", "<a>", 64, "", 0,
               CWMP_MESSAGE_DEPTH);
    test_limit("a million elements in each other", "", "<a>", 1000000, "", 0,
               CWMP_MESSAGE_DEPTH);
    test_limit("a million elements beside each other", "<x>", "<a/>", 1000000,
               "</x>" PARAM(CR2, "http://o/"), 1, 0);

    test_limit("16 values in a struct", "<ParameterValueStruct>" NAME(CR2),
               VALUE("x"), 16, "</ParameterValueStruct>", 16, 0);
    test_limit("17 values in a struct", "<ParameterValueStruct>" NAME(CR2),
               VALUE("x"), 17, "</ParameterValueStruct>", 0,
               CWMP_MESSAGE_VALUES);
    test_limit("a million values in another struct",
               "<ParameterValueStruct>", VALUE("x"), 1000000,
               "</ParameterValueStruct>" PARAM(CR2, "http://o/"), 1, 0);
}


/* more URLs than are reported */

static ngx_int_t
test_count(void *data, cwmp_value_t *value)
{
    ++*(ngx_uint_t *) data;

    return NGX_OK;
}


static void
test_edits(void)
{
    size_t           len;
    u_char          *in;
    ngx_int_t        rc;
    ngx_uint_t       n, count;

    static cwmp_message_t  m;

    for (n = CWMP_PARAMETER_EDITS_MAX; n < CWMP_PARAMETER_EDITS_MAX + 2; n++) {
        in = test_repeat("<a>", PARAM(CR2, "x"), n, "</a>", &len);
        count = 0;

        cwmp_message_init(&m);
        m.params.value_handler = test_count;
        m.params.data = &count;

        rc = cwmp_message_read(&m, in, len);
        free(in);

        ok(count == CWMP_PARAMETER_EDITS_MAX, "reported", "many URLs");
        ok((rc == NGX_OK) == (n == CWMP_PARAMETER_EDITS_MAX), "result",
           "many URLs");
    }

    ok(m.error == CWMP_MESSAGE_EDITS, "error", "too many URLs");
}


int
main(void)
{
    test_cases();
    test_charsets();
    test_limits();
    test_edits();

    printf("1..%d\n", (int) tests);

    return failed != 0;
}
