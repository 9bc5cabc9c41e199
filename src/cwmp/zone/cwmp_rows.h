
/*
 * Fieldgate: what the zone knows of sessions.
 *
 * A session has a row for each upstream that it uses: its server there, and
 * who holds it, that is, has an upstream connection for it: a process, and the
 * number of the client connection in that process.
 *
 *   no row  -> HELD    a message took a server
 *   HELD    -> LEFT    the upstream connection was closed; the server is
 *                      remembered until the row's time is over
 *   LEFT    -> HELD    the session came back, if it can be to the same server
 *   HELD    -> HELD    it came back while its upstream connection is open: its
 *                      holder has been asked, but it was in use for too long
 *   any     -> no row  the session's end, its time, or the least recently
 *                      used one makes room.  HELD rows of living processes do
 *                      not, if the ACS has let the session in: they are firm.
 *
 * A holder that is gone counts as none: the kernel has closed its connections.
 *
 * Cookies are rows of another table, and lead to a session's name; or to none,
 * if they are shared by sessions, until they have all been silent for the time
 * of a row.  They, and the facts of a session, are held as its row is.
 *
 * The list of the wanted is who holds what others wait for, see cwmp_want().
 */


#ifndef _CWMP_ROWS_H_INCLUDED_
#define _CWMP_ROWS_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_session.h"
#include "cwmp_table.h"


/*
 * What names a server of an upstream: its address; from nginx 1.29.6 on also
 * its "sid", which balancers accept as a hint.
 */

typedef struct {
    uint16_t      len;                /* 0: none */
    uint16_t      sid_len;
    u_char        data[112];
    u_char        sid[32];
} cwmp_server_t;


/* what every row that is held begins with */

typedef struct {
    uint64_t             client;      /* number of the client connection */
} cwmp_held_row_t;


typedef struct {
    cwmp_held_row_t      held;
    u_char               address[CWMP_ADDRESS_LEN];
    cwmp_server_t        server;
} cwmp_session_row_t;


typedef struct {
    cwmp_held_row_t      held;
    cwmp_session_name_t  name;        /* what it leads to, if not shared */
    uint32_t             shared;
} cwmp_cookie_row_t;


typedef struct {
    uint32_t      process;            /* 0: nobody */
    uint64_t      client;
} cwmp_holder_t;


/* who holds a session's rows from now on, and how */

typedef struct {
    cwmp_holder_t        me;
    u_char               address[CWMP_ADDRESS_LEN];
    ngx_uint_t           firm;        /* 0: they make room like any other */
    ngx_msec_t           now;
    ngx_msec_t           expires;
    cwmp_table_alive_pt  alive;
} cwmp_hold_t;


/*
 * Milliseconds: a CPE comes again at once with what a 401 asks for, and after
 * a failure not before 5 s (TR-069 3.2.1.1).  A row's time may be put off a
 * second late.
 */
#define CWMP_PENDING_TIME  4000


/* keys that are wanted at a time, and for how long, in milliseconds */

#define CWMP_WANTED_MAX   128
#define CWMP_WANTED_TIME  1000

typedef struct {
    cwmp_holder_t holder;             /* whom it is for; process 0: free */
    ngx_msec_t    until;
    u_char        key[CWMP_TABLE_KEY_LEN];
} cwmp_wanted_t;


/*
 * Names a server by its address, and its "sid", which may be NULL.  What is too
 * long for a row is left out.
 */
void cwmp_server_set(cwmp_server_t *server, const u_char *address, size_t len,
    const ngx_str_t *sid);

/*
 * The key of a session's row for the upstream with that tag.
 */
void cwmp_session_row_key(u_char *key, const u_char *name, const u_char *tag);

/*
 * All below are called with the table begun, that is, with the lock held;
 * "now" and "expires" are as in cwmp_table.h.
 */

/*
 * Holds a row of any kind, which may be open for writing, and puts its time
 * off.
 */
void cwmp_row_hold(cwmp_table_t *t, cwmp_held_row_t *row,
    const cwmp_hold_t *h);

/*
 * Lets go of a row of any kind, or deletes it, if "me" still holds it, and not
 * a connection that has taken it over.
 */
void cwmp_row_release(cwmp_table_t *t, const u_char *key,
    const cwmp_holder_t *me, ngx_msec_t now, ngx_uint_t delete);

/*
 * Who else than "me" holds the row, *holder; process 0: nobody.  Returns 1 if
 * there is a row.
 */
ngx_uint_t cwmp_session_row_find(cwmp_table_t *t, const u_char *key,
    const cwmp_holder_t *me, ngx_msec_t now, cwmp_table_alive_pt alive,
    cwmp_holder_t *holder);

/*
 * The server that the session has; NGX_DECLINED: none.
 */
ngx_int_t cwmp_session_row_server(cwmp_table_t *t, const u_char *key,
    ngx_msec_t now, cwmp_server_t *server);

/*
 * Whether there is a row, and whoever had it last comes from another address.
 */
ngx_uint_t cwmp_session_row_foreign(cwmp_table_t *t, const u_char *key,
    const u_char *address, ngx_msec_t now);

/*
 * Whether the session has not been let in by the ACS yet, and a message of it
 * came within CWMP_PENDING_TIME; "timeout" is what such rows live.
 */
ngx_uint_t cwmp_session_row_pending(cwmp_table_t *t, const u_char *key,
    ngx_msec_t now, ngx_msec_t timeout);

/*
 * Holds the row, with that server.  *before is who else has held it; process
 * 0: nobody.  Returns NGX_OK; NGX_DONE: there was no row; NGX_ERROR: there is
 * none, all are held.
 */
ngx_int_t cwmp_session_row_hold(cwmp_table_t *t, const u_char *key,
    const cwmp_hold_t *h, const cwmp_server_t *server, cwmp_holder_t *before);

/*
 * The cookie leads to the name, and its row is held; if it leads to another
 * session, it is shared from now on.  But what names a session takes over a
 * row that nobody holds.  Returns NGX_OK, NGX_DECLINED: shared, NGX_ERROR: no
 * room.
 */
ngx_int_t cwmp_cookie_row_set(cwmp_table_t *t, const u_char *key,
    const cwmp_session_name_t *name, const cwmp_hold_t *h);

/*
 * Where the cookie leads to: *name is set if it is a session.
 */
cwmp_lead_e cwmp_cookie_row_get(cwmp_table_t *t, const u_char *key,
    ngx_msec_t now, cwmp_session_name_t *name);

/*
 * The same, for one that is to name a session: what nobody holds leads nowhere.
 */
cwmp_lead_e cwmp_cookie_row_held(cwmp_table_t *t, const u_char *key,
    ngx_msec_t now, cwmp_table_alive_pt alive);

/*
 * Puts the time of the cookie's row off, if it leads to the name, or is shared;
 * in the first case it is held.
 */
void cwmp_cookie_row_touch(cwmp_table_t *t, const u_char *key,
    const cwmp_session_name_t *name, const cwmp_hold_t *h);

/*
 * Deletes the cookie's row if it leads to the name.
 */
void cwmp_cookie_row_delete(cwmp_table_t *t, const u_char *key,
    const cwmp_session_name_t *name, ngx_msec_t now);


/*
 * A list of CWMP_WANTED_MAX entries, all zero at first: "holder" is told that
 * somebody waits for what it holds by that key.  It names the client, since by
 * the time that the process looks another one of its clients may have the
 * session.  An entry that nobody takes is forgotten after CWMP_WANTED_TIME.
 * NGX_DECLINED: no place; whoever waits looks again anyway.  The lock is held.
 */
ngx_int_t cwmp_want(cwmp_wanted_t *list, const cwmp_holder_t *holder,
    const u_char *key, ngx_msec_t now);

/*
 * Takes an entry of the process off the list; NGX_DECLINED: there is no more.
 * *from is where to look, 0 at first.
 */
ngx_int_t cwmp_wanted_take(cwmp_wanted_t *list, uint32_t process,
    ngx_uint_t *from, cwmp_wanted_t *wanted);


#endif /* _CWMP_ROWS_H_INCLUDED_ */
