
/*
 * Fieldgate: what a mirror does next, and statements with named parameters.
 */


#include "ntrip_mirror.h"


ntrip_mirror_e
ntrip_mirror_next(const ntrip_mirror_t *here,
    const ntrip_mirror_there_t *there)
{
    if (here->cluster[0] == '\0') {
        return here->rows ? NTRIP_MIRROR_OWN : NTRIP_MIRROR_COPY;
    }

    if (strcmp(here->cluster, there->cluster) != 0) {
        return NTRIP_MIRROR_OTHER;
    }

    if (here->mark[0] == '\0') {
        return NTRIP_MIRROR_COPY;
    }

    if (here->seq > 0 && strcmp(here->mark, there->mark) != 0) {
        return NTRIP_MIRROR_COPY;
    }

    /* the marks are equal, or there was no change when it was copied */

    return there->last > here->seq ? NTRIP_MIRROR_READ : NTRIP_MIRROR_CURRENT;
}


ngx_uint_t
ntrip_mirror_follows(int64_t seq, int64_t next, const char *kind)
{
    return next == seq + 1 && strcmp(kind, "all") != 0;
}


/* the letters of a name, and its number; -1: there are too many */

static int
ntrip_mirror_name(const char **p, ngx_str_t *names, int *n)
{
    int         i;
    ngx_str_t   name;
    const char *last;

    last = *p;

    while ((*last >= 'a' && *last <= 'z') || *last == '_') {
        last++;
    }

    name.data = (u_char *) *p;
    name.len = last - *p;
    *p = last;

    for (i = 0; i < *n; i++) {
        if (names[i].len == name.len
            && memcmp(names[i].data, name.data, name.len) == 0)
        {
            return i + 1;
        }
    }

    if (*n == NTRIP_MIRROR_PARAMS) {
        return -1;
    }

    names[(*n)++] = name;

    return *n;
}


int
ntrip_mirror_number(const char *sql, char *out, size_t size,
    ngx_str_t names[NTRIP_MIRROR_PARAMS])
{
    int          n, number, quoted;
    char        *last;
    const char  *p;

    n = 0;
    quoted = 0;
    last = out + size;
    p = sql;

    while (*p) {

        /* a number and the 0 behind it take no more than this */

        if (last - out < 5) {
            return -1;
        }

        quoted ^= (*p == '\'');

        /* a cast of PostgreSQL's is no name */

        if (*p == ':' && p[1] == ':') {
            *out++ = *p++;
            *out++ = *p++;
            continue;
        }

        if (quoted || *p != ':' || p[1] < 'a' || p[1] > 'z') {
            *out++ = *p++;
            continue;
        }

        p++;
        number = ntrip_mirror_name(&p, names, &n);

        if (number == -1) {
            return -1;
        }

        out += sprintf(out, "$%d", number);
    }

    if (out == last) {
        return -1;
    }

    *out = '\0';

    return n;
}
