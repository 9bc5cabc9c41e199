
/*
 * Sessions: one row for each rover that is logged in, in any worker.  The
 * same user again throws the older out; users that do so all the time are
 * slowed down.
 *
 * All functions need the data zone's lock unless they say otherwise.
 *
 * Two groups (ntrip_group.h): "users", the sessions of a user by their numbers,
 * and "members", those on a stream.  No operation walks more than
 * NTRIP_SESSION_LOOK of a user's sessions, however many there are: what is
 * allowed is counted, whom to kick is found from the nearer end, and more than
 * that are kicked by several logins, one after the other.
 *
 * Login: number from ntrip_bus_next_login(), ntrip_session_login() under the
 * data zone's lock; then, if it says so, ntrip_bus_kick() under the bus's;
 * then the slots in "wake" are woken.
 *
 * Attacks:
 *   two logins of one user at once, in two workers: numbers order them.
 *     Whoever enters second sees both rows: the lower number is over the
 *     limit, be it the other's (kicked) or its own (NGX_DECLINED).
 *   killed after the row, before the kick: the newcomer died with it; the
 *     older session stays, rightly.
 *   kick read before the worker has entered a session with a lower number:
 *     that session then sees the higher number in login(), and declines.
 *   killed while logged in: the row has a dead holder; the sweep.
 *   worker killed, its users come back before the sweep: their dead sessions
 *     are dropped by the login, so that none that lives is kicked for them,
 *     as long as there are not more than NTRIP_SESSION_LOOK.
 *   more kicks than the ring holds: "below" in the oldest row of the user has
 *     the number below which all were kicked; it moves on when that row goes,
 *     before it goes.
 *   stream is gone, a session still names it: "members" are those of a serial,
 *     which is never another's.
 *   session handed over: row.holder moves in one store; the number stays.
 */


#ifndef _NTRIP_SESSION_H_INCLUDED_
#define _NTRIP_SESSION_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NTRIP_SESSION_OPEN   1

#define NTRIP_AGENT_MAX      64
#define NTRIP_ADDR_MAX       28      /* a sockaddr_in6 */

#define NTRIP_SESSION_LOOK   64      /* rows looked at in one lock hold */

#define NTRIP_SESSION_SHARE  3

#define NTRIP_KICK_LIMIT     10      /* kicks in NTRIP_KICK_WINDOW */
#define NTRIP_KICK_WINDOW    60000   /* ms */
#define NTRIP_KICK_DELAY     5000


/*
 * What a rover's own sentences say of its solution, in one word: the quality,
 * as in GGA, how many satellites, and how old its corrections are, in tenths of
 * a second, NTRIP_FIX_AGE: it does not say.
 */

#define NTRIP_FIX_NONE       NTRIP_FIX_AGE      /* nothing came yet */
#define NTRIP_FIX_AGE        0xffff

#define NTRIP_FIX_SINGLE     1
#define NTRIP_FIX_FIXED      4
#define NTRIP_FIX_FLOAT      5

#define ntrip_fix(quality, satellites, age)                                   \
    ((uint32_t) (quality) << 24 | (uint32_t) (satellites) << 16 | (age))
#define ntrip_fix_quality(fix)     ((fix) >> 24)
#define ntrip_fix_satellites(fix)  ((fix) >> 16 & 0xff)
#define ntrip_fix_age(fix)         ((fix) & 0xffff)


typedef struct {
    ntrip_row_t        row;          /* hash: of the number; holder: worker */

    ntrip_link_t       user_link;    /* key: hash of the user, order: number */
    ntrip_link_t       member;       /* key: serial of the stream */

    uint64_t           login;        /* its number */
    uint64_t           below;        /* of the user's oldest: sessions below
                                        this number were kicked */
    uint64_t           time;         /* of login, seconds since 1970 */
    ntrip_counted_t    counted;
    uint64_t           position;     /* ntrip_point_t, one word: written by
                                        its worker without the lock */
    uint64_t           bytes;        /* delivered; same */
    uint64_t           messages;     /* same */
    uint64_t           gga;          /* last position, monotonic ms; same */
    uint64_t           skipped;      /* messages that it was too slow for;
                                        same */
    uint32_t           fix;          /* as it reports: ntrip_fix(); same */
    uint32_t           stream;       /* NTRIP_ROW_NONE: none yet */
    uint16_t           user_len;
    uint16_t           agent_len;
    uint16_t           addr_len;
    uint16_t           version;      /* 1, 2 */
    uint16_t           tls;
    u_char             user[NTRIP_USER_MAX];
    u_char             agent[NTRIP_AGENT_MAX];
    u_char             addr[NTRIP_ADDR_MAX];
                                     /* struct sockaddr, from its pool */
    uint32_t           moved;        /* to another stream, monotonic s, 0:
                                        never; its worker only, no lock */
} ntrip_session_row_t;


typedef struct {
    ngx_str_t          user;         /* <= NTRIP_USER_MAX */
    ngx_str_t          agent;        /* cut to NTRIP_AGENT_MAX */
    const u_char      *addr;         /* struct sockaddr */
    size_t             addr_len;     /* <= NTRIP_ADDR_MAX */
    uint64_t           login;
    uint64_t           time;         /* seconds since 1970 */
    ngx_uint_t         version;
    ngx_uint_t         tls;
    ngx_uint_t         max_sessions; /* user.max_sessions, 0: no limit */
    ngx_uint_t         delayed;      /* it was held back already */
} ntrip_login_t;


/*
 *   NGX_OK        entered; *index is its row.  *below > 0: sessions of the
 *                 user with a lower number are to be kicked, "wake" has the
 *                 slots that hold them
 *   NGX_DECLINED  a later login is already there: close this one
 *   NGX_BUSY      more than NTRIP_KICK_LIMIT kicks of this user: not entered;
 *                 hold the login back for NTRIP_KICK_DELAY, then call again
 *                 with "delayed", which lets it through
 *   NGX_ERROR     the table is full
 *   NGX_ABORT     the user has NTRIP_SESSION_SHARE times as many rows as are
 *                 free: nobody can fill the table alone, and of those that try
 *                 each leaves a quarter of the rest
 *
 * In a full table a login that kicks another has that one's row.
 */
ngx_int_t ntrip_session_login(ntrip_zone_t *zone, ntrip_bus_t *bus,
    uint64_t me, uint64_t now, const ntrip_login_t *login, uint32_t *index,
    uint64_t *below, ntrip_slots_t *wake);

/* removes the row if it is still this session's, from its stream, too; its
   holder only */
void ntrip_session_logout(ntrip_zone_t *zone, uint64_t me, uint32_t index,
    uint64_t login);

/* for a worker that missed kicks: was this one kicked? */
ngx_uint_t ntrip_session_superseded(ntrip_zone_t *zone, uint32_t index,
    uint64_t login);

/* kicks by an administrator: every session of the user; *below and "wake" as
   above.  Returns how many there are; the caller posts the kick */
ngx_uint_t ntrip_session_kick(ntrip_zone_t *zone, ntrip_bus_t *bus,
    const ngx_str_t *user, uint64_t *below, ntrip_slots_t *wake);

/* the same of one session, and those of its user that are older: kicks below
   login + 1.  NGX_OK; NGX_DECLINED: it is gone */
ngx_int_t ntrip_session_end(ntrip_zone_t *zone, ntrip_bus_t *bus,
    uint32_t index, uint64_t login, ntrip_slots_t *wake);

/* a session is on a stream, and no longer on another; or on none */
void ntrip_session_join(ntrip_zone_t *zone, uint32_t index, uint64_t login,
    uint32_t stream, uint64_t serial);
void ntrip_session_part(ntrip_zone_t *zone, uint32_t index, uint64_t login);

/* one whose worker is dead; an owner that has lost its lead is put into
   "wake" */
void ntrip_session_drop(ntrip_zone_t *zone, ntrip_bus_t *bus, uint32_t index,
    ntrip_slots_t *wake);

/* a session that was handed over: NGX_OK, or NGX_DECLINED: the offer no
   longer stands */
ngx_int_t ntrip_session_accept(ntrip_zone_t *zone, uint64_t me,
    uint32_t index, uint64_t login, uint64_t nonce);

/* no lock: the row, for its worker to keep up to date, as long as it is still
   ours: a kick may come behind the session that has the row now */
ntrip_session_row_t *ntrip_session_row(ntrip_zone_t *zone, uint32_t index);
ngx_uint_t ntrip_session_ours(ntrip_session_row_t *row, uint64_t login);

/* no lock: a copy, for lists.  1: it is of one session; 0: there is none, or
   the row was another's afterwards */
ngx_uint_t ntrip_session_peek(ntrip_zone_t *zone, uint32_t index,
    ntrip_session_row_t *copy);


#endif /* _NTRIP_SESSION_H_INCLUDED_ */
