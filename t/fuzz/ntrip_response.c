
/*
 * sources: ntrip_response.c ntrip_sourcetable.c
 *          ntrip_text.c
 *
 * The first byte chooses method, form and status, the rest is the mountpoint,
 * or the sourcetable of a page.  The header is never more than its own lines,
 * Content-Length is right, and no markup of the table reaches the page.
 */


#include "fuzz.h"
#include "ntrip_response.h"


static void
test_reply(ntrip_out_t *out, size_t headers)
{
    u_char  *p, *length, *body;

    test(!out->overflow);

    if (out->last == out->start) {
        return;
    }

    *out->last = '\0';

    body = (u_char *) strstr((char *) out->start, CRLF CRLF);
    length = (u_char *) strstr((char *) out->start, "Content-Length: ");
    test(body && length && length < body);

    body += 4;
    test(strtoul((char *) length + 16, NULL, 10)
         == (size_t) (out->last - body));

    for (p = out->start; p < body; p++) {
        test((*p >= 0x20 && *p < 0x7f) || *p == CR || *p == LF);
        headers -= (*p == LF);
    }

    test(headers == 0);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char       buf[NTRIP_RESPONSE_MAX + 1], *page, *pre;
    ngx_str_t    text;
    ngx_uint_t   form, status;
    ntrip_out_t  out;

    static const ngx_uint_t  statuses[] = { 400, 401, 403, 404, 409, 501,
                                           503 };

    if (size == 0) {
        return 0;
    }

    form = data[0] % 3 + 1;
    status = statuses[data[0] / 3 % 7];
    text = fuzz_copy(data + 1, size - 1);

    ntrip_out_init(&out, buf, NTRIP_RESPONSE_MAX);
    ntrip_response_error(&out, NTRIP_GET, form, status, data[0], &text);
    test_reply(&out, 7 + (form == NTRIP_FORM_V2) + (status == 401));

    ntrip_out_init(&out, buf, NTRIP_RESPONSE_MAX);
    ntrip_response_error(&out, NTRIP_SOURCE, form, status, data[0], &text);
    test(memcmp(buf, "ERROR - ", 8) == 0
         && memcmp(out.last - 2, CRLF, 2) == 0);

    if (form != NTRIP_FORM_PAGE) {
        ntrip_out_init(&out, buf, NTRIP_RESPONSE_MAX);
        ntrip_response_sourcetable(&out, form, data[0], 0);
        test_reply(&out, form == NTRIP_FORM_V2 ? 9 : 7);
    }

    status = ntrip_response_status(data[0] % (NTRIP_REQUEST_HEADER + 2));
    test(status == 0 || status == 400 || status == 501);

    page = malloc(ntrip_response_page_size(&text) + 1);
    ntrip_out_init(&out, page, ntrip_response_page_size(&text));
    ntrip_response_page(&out, data[0], &text);

    if (memchr(text.data, '\0', text.len) == NULL) {
        test_reply(&out, 7);
        pre = (u_char *) strstr((char *) page, "<pre>");
        test(pre != NULL);
        test(strcmp(strchr((char *) pre + 5, '<'), "</pre></body></html>" CRLF)
             == 0);
    }

    free(page);
    free(text.data);

    return 0;
}
