
/*
 * sources: ntrip_mirror.c
 */


#include "tap.h"
#include "ntrip_mirror.h"


#define A  "11111111-1111-1111-1111-111111111111"
#define B  "22222222-2222-2222-2222-222222222222"

#define CHANGES  64


static void
next(ngx_uint_t rows, const char *cluster, int64_t seq, const char *mark,
    const char *there, int64_t last, const char *its, ntrip_mirror_e expected)
{
    ntrip_mirror_t        here;
    ntrip_mirror_there_t  t;

    here.rows = rows;
    here.seq = seq;
    strcpy(here.cluster, cluster);
    strcpy(here.mark, mark);
    strcpy(t.cluster, there);
    strcpy(t.mark, its);
    t.last = last;

    tap_ok(ntrip_mirror_next(&here, &t) == expected,
       "%d rows of \"%.4s\" at %d \"%.4s\", there %d \"%.4s\": %d",
       (int) rows, cluster, (int) seq, mark, (int) last, its, expected);
}


static void
numbered(const char *sql, const char *expected, const char *names, int n)
{
    int        i, got;
    char       out[128], all[128];
    ngx_str_t  name[NTRIP_MIRROR_PARAMS];

    got = ntrip_mirror_number(sql, out, sizeof(out), name);

    all[0] = '\0';

    for (i = 0; i < got; i++) {
        sprintf(all + strlen(all), "%.*s,", (int) name[i].len, name[i].data);
    }

    tap_ok(got == n, "%d parameters: %s", n, sql);
    tap_ok(strcmp(out, expected) == 0, "as PostgreSQL has it: %s", out);
    tap_ok(strcmp(all, names) == 0, "names: %s", all);
}


/* any room: what fits is right, and nothing is written behind it */

static void
rooms(void)
{
    int         n, wrong;
    char        out[64];
    size_t      size;
    ngx_str_t   names[NTRIP_MIRROR_PARAMS];
    const char  sql[] = "UPDATE x SET a = :a, b = :bb WHERE c = :a";

    wrong = 0;

    for (size = 0; size < sizeof(out); size++) {
        memset(out, '#', sizeof(out));
        n = ntrip_mirror_number(sql, out, size, names);

        wrong += (n != -1 && (n != 2 || strlen(out) >= size));

        for (n = size; n < (int) sizeof(out); n++) {
            wrong += (out[n] != '#');
        }
    }

    tap_ok(wrong == 0, "no room is left for a mistake");
}


/*
 * A table of changes that is written, trimmed and brought back from copies at
 * random, and a mirror that is looked after now and then: whenever that is told
 * to be current, its rows are those of the table.
 */

typedef struct {
    int64_t  last, first;
    int      mark[CHANGES + 1];
    int      sum;                    /* stands for all rows */
    int      added[CHANGES + 1];     /* by a change */
} db_t;


static unsigned  seed = 1;

static int
any(int n)
{
    seed = seed * 1103515245 + 12345;

    return (seed >> 16) % n;
}


static void
name(char *text, int number)
{
    sprintf(text, "%d", number);
}


static void
follow(db_t *db, ntrip_mirror_t *m, int *sum, int *copies)
{
    int64_t               seq;
    ntrip_mirror_e        e;
    ntrip_mirror_there_t  there;

    strcpy(there.cluster, A);
    there.last = db->last;
    there.mark[0] = '\0';

    if (m->seq >= db->first && m->seq <= db->last && m->seq > 0) {
        name(there.mark, db->mark[m->seq]);
    }

    e = ntrip_mirror_next(m, &there);

    if (e == NTRIP_MIRROR_READ) {
        seq = ngx_max(m->seq + 1, db->first);

        for ( /* void */ ; seq <= db->last; seq++) {
            if (!ntrip_mirror_follows(m->seq, seq, "user")) {
                e = NTRIP_MIRROR_COPY;
                break;
            }

            m->seq = seq;
            name(m->mark, db->mark[seq]);
            *sum += db->added[seq];
        }
    }

    if (e == NTRIP_MIRROR_COPY) {
        (*copies)++;
        *sum = db->sum;
        strcpy(m->cluster, A);
        m->seq = db->last;
        strcpy(m->mark, "-");

        if (db->last) {
            name(m->mark, db->mark[db->last]);
        }
    }
}


static void
model(void)
{
    int             i, sum, wrong, copies, marks, restored;
    db_t            db, old;
    ntrip_mirror_t  m;

    wrong = 0;
    copies = 0;
    marks = 0;
    restored = 0;

    for (i = 0; i < 20000; i++) {

        if (i % 100 == 0) {
            memset(&db, 0, sizeof(db_t));
            memset(&m, 0, sizeof(ntrip_mirror_t));
            db.first = 1;
            old = db;
            sum = 0;
        }

        switch (any(8)) {

        case 0:
            db.first = ngx_max(db.first, db.last - any(4));
            break;

        case 1:
            old = db;
            break;

        case 2:
            if (any(4) == 0) {
                db = old;
                restored++;
            }
            break;

        case 3:
        case 4:
            follow(&db, &m, &sum, &copies);
            wrong += (sum != db.sum);
            break;

        default:
            if (db.last < CHANGES) {
                db.last++;
                db.mark[db.last] = ++marks;
                db.added[db.last] = 1 + any(1000);
                db.sum += db.added[db.last];
            }
        }
    }

    tap_ok(wrong == 0, "a mirror that was looked after has all, and nothing "
           "else");
    tap_ok(copies > 500 && restored > 200, "it was copied %d times, the "
           "database brought back %d times", copies, restored);
}


int
main(void)
{
    next(0, "", 0, "", A, 0, "", NTRIP_MIRROR_COPY);
    next(0, "", 0, "", A, 9, "", NTRIP_MIRROR_COPY);
    next(1, "", 0, "", A, 9, "", NTRIP_MIRROR_OWN);
    next(1, B, 9, "m", A, 9, "m", NTRIP_MIRROR_OTHER);
    next(1, A, 0, "", A, 9, "", NTRIP_MIRROR_COPY);
    next(0, A, 0, "-", A, 0, "", NTRIP_MIRROR_CURRENT);
    next(0, A, 0, "-", A, 3, "", NTRIP_MIRROR_READ);
    next(1, A, 9, "m", A, 9, "m", NTRIP_MIRROR_CURRENT);
    next(1, A, 9, "m", A, 12, "m", NTRIP_MIRROR_READ);
    next(1, A, 9, "m", A, 12, "n", NTRIP_MIRROR_COPY);
    next(1, A, 9, "m", A, 12, "", NTRIP_MIRROR_COPY);
    next(1, A, 9, "m", A, 8, "", NTRIP_MIRROR_COPY);

    tap_ok(ntrip_mirror_follows(3, 4, "user"), "4 follows 3");
    tap_ok(!ntrip_mirror_follows(3, 5, "user"), "5 does not");
    tap_ok(!ntrip_mirror_follows(3, 3, "user"), "nor does 3");
    tap_ok(!ntrip_mirror_follows(3, 4, "all"), "nor does what stands for all");
    tap_ok(ntrip_mirror_follows(3, 4, "new"), "a kind that is not known does");

    numbered("DELETE FROM x WHERE a = :key AND b = :name AND c=:key",
             "DELETE FROM x WHERE a = $1 AND b = $2 AND c=$1", "key,name,", 2);
    numbered("SELECT ':no', a::text, :a", "SELECT ':no', a::text, $1", "a,",
             1);
    numbered("SELECT 1", "SELECT 1", "", 0);

    rooms();
    model();

    return tap_done();
}
