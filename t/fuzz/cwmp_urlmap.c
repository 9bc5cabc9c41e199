
/*
 * A message, in one piece and in several, toward the CPE or, with an odd first
 * byte, toward the ACS; three more bits of that say which edit is refused.
 *
 * The edits are the same however it is cut; they ascend, and lie in the
 * message.  The message with the edits in it has URLs in the same places: read
 * for what was put there, it has as many edits, or more.
 *
 * sources: cwmp_urlmap.c cwmp_xml.c cwmp_charset.c cwmp_reference.c
 */


#include "fuzz.h"
#include "cwmp_urlmap.h"


#define FUZZ_EDITS  (CWMP_URLMAP_EDITS + 1)


typedef struct {
    ngx_uint_t           n;
    ngx_uint_t           most;      /* 0: any number */
    cwmp_urlmap_edit_t   edits[FUZZ_EDITS];
} fuzz_edits_t;


static cwmp_urlmap_pair_t  fuzz_pairs[] = {
    { ngx_string("http://a/"), ngx_string("https://b?c=&d=") },
    { ngx_string("x://y"), ngx_string("z://[::1]") }
};

/* the same, for what stands there afterwards */

static cwmp_urlmap_pair_t  fuzz_reverse[] = {
    { ngx_string("https://b?c=&d="), ngx_string("http://a/") },
    { ngx_string("z://[::1]"), ngx_string("x://y") }
};


static ngx_int_t
fuzz_edit(void *data, cwmp_urlmap_edit_t *edit)
{
    fuzz_edits_t *all = data;

    test(all->n < FUZZ_EDITS);
    all->edits[all->n++] = *edit;

    return (all->n == all->most) ? NGX_ERROR : NGX_OK;
}


static ngx_uint_t
fuzz_read(const u_char *data, size_t size, ngx_uint_t back,
    cwmp_urlmap_pair_t *pairs, uint32_t seed, fuzz_edits_t *all)
{
    size_t                n;
    ngx_str_t             piece;
    static cwmp_urlmap_t  m;

    memset(&m, 0, sizeof(m));
    all->n = 0;

    m.pairs = pairs;
    m.npairs = 2;
    m.back = back;
    m.handler = fuzz_edit;
    m.data = all;

    cwmp_urlmap_init(&m);

    while (size) {
        n = seed ? fuzz_piece(&seed, 9, size) : size;

        piece = fuzz_copy(data, n);
        (void) cwmp_urlmap_read(&m, piece.data, piece.len);
        free(piece.data);

        data += n;
        size -= n;
    }

    (void) cwmp_urlmap_end(&m);

    test(cwmp_urlmap_strerror(m.error) != NULL);
    test((m.error == CWMP_URLMAP_HANDLER) == (all->n && all->n == all->most));

    return m.error;
}


static void
fuzz_apply(const u_char *data, size_t size, fuzz_edits_t *all, fuzz_buf_t *out)
{
    off_t                at;
    u_char              *p;
    ngx_uint_t           i;
    cwmp_urlmap_edit_t  *edit;

    at = 0;

    for (i = 0; i < all->n; i++) {
        edit = &all->edits[i];

        test(edit->start >= at && edit->end > edit->start);
        test(edit->end <= (off_t) size);

        fuzz_add(out, data + at, edit->start - at);

        p = malloc(cwmp_urlmap_size(edit));
        test(p != NULL);
        fuzz_add(out, p, 0);
        fuzz_add(out, p, cwmp_urlmap_write(p, edit) - p);
        free(p);

        at = edit->end;
    }

    fuzz_add(out, data + at, size - at);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ngx_uint_t           i, back, error;
    fuzz_buf_t           out;
    static fuzz_edits_t  whole, pieces, again;

    if (size == 0) {
        return 0;
    }

    back = data[0] & 1;
    whole.most = data[0] >> 1 & 7;
    pieces.most = whole.most;
    data++;
    size--;

    error = fuzz_read(data, size, back, fuzz_pairs, 0, &whole);

    test(fuzz_read(data, size, back, fuzz_pairs, 1 + size, &pieces) == error);
    test(whole.n == pieces.n);

    for (i = 0; i < whole.n; i++) {
        test(whole.edits[i].start == pieces.edits[i].start);
        test(whole.edits[i].end == pieces.edits[i].end);
        test(whole.edits[i].prefix.data == pieces.edits[i].prefix.data);
        test(whole.edits[i].opens == pieces.edits[i].opens);
        test(whole.edits[i].closes == pieces.edits[i].closes);
    }

    if (error) {
        return 0;
    }

    memset(&out, 0, sizeof(out));
    fuzz_apply(data, size, &whole, &out);

    test(fuzz_read(out.data, out.len, back, fuzz_reverse, 0, &again) == 0);
    test(again.n >= whole.n);

    free(out.data);

    return 0;
}
