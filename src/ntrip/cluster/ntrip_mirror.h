
/*
 * What a mirror does next, and statements with named parameters: pure, no I/O.
 *
 * PostgreSQL numbers each change: no number is left out, and each has a mark of
 * its own, at random.  The mirror knows number and mark of the last change that
 * it has taken in.  Both still there: what follows is read.  Else somebody has
 * trimmed the changes, or brought an older copy of the database back: all of
 * it is copied.
 *
 * A file that has rows and was never a mirror is somebody's only copy of them,
 * and so may be that of another cluster: nothing is written into it.
 */


#ifndef _NTRIP_MIRROR_H_INCLUDED_
#define _NTRIP_MIRROR_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* a UUID as text, and its 0 */
#define NTRIP_MIRROR_UUID    37

/* parameters of a statement */
#define NTRIP_MIRROR_PARAMS  32


typedef enum {
    NTRIP_MIRROR_CURRENT = 0,  /* nothing: it has all changes */
    NTRIP_MIRROR_READ,         /* the changes behind its own */
    NTRIP_MIRROR_COPY,         /* everything */
    NTRIP_MIRROR_OWN,          /* nothing: the file has rows of its own */
    NTRIP_MIRROR_OTHER         /* nothing: it is another cluster's */
} ntrip_mirror_e;


/* the file; texts end with a 0 */

typedef struct {
    ngx_uint_t   rows;                        /* it has some */
    char         cluster[NTRIP_MIRROR_UUID];  /* "": it was never a mirror */
    int64_t      seq;                         /* last change taken in */
    char         mark[NTRIP_MIRROR_UUID];     /* of that; "": never copied, "-":
                                                 copied when there was none */
} ntrip_mirror_t;


/* PostgreSQL, at one moment */

typedef struct {
    char         cluster[NTRIP_MIRROR_UUID];
    int64_t      last;                        /* change; 0: none */
    char         mark[NTRIP_MIRROR_UUID];     /* of change "seq" of the file;
                                                 "": it has none such */
} ntrip_mirror_there_t;


ntrip_mirror_e ntrip_mirror_next(const ntrip_mirror_t *here,
    const ntrip_mirror_there_t *there);

/* whether a change may follow number "seq": its number, and a kind that is not
   "all", which stands for more than one row.  0: copy everything */
ngx_uint_t ntrip_mirror_follows(int64_t seq, int64_t next, const char *kind);

/*
 * A statement with parameters as SQLite has them, ":name", into one with
 * PostgreSQL's, "$1": into "out" of "size" bytes, with a 0.  names[] gets where
 * the name of each stands in "sql", behind its colon; one that comes again has
 * the same number.  Texts in quotes are left alone.  Returns how many there
 * are, or -1: no room.
 */
int ntrip_mirror_number(const char *sql, char *out, size_t size,
    ngx_str_t names[NTRIP_MIRROR_PARAMS]);


#endif /* _NTRIP_MIRROR_H_INCLUDED_ */
