
/*
 * The rovers of this worker: all that are logged in, those of a user; and
 * what comes to many of them.  See
 * ngx_stream_ntrip_stream.h.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>

#include "ngx_stream_ntrip_rover_private.h"


/* chains of users, a power of two: a mass login looks for each of its users,
   whose old sessions it throws out */
#define NGX_STREAM_NTRIP_USERS    4096


typedef void (*ngx_stream_ntrip_rover_pt)(ngx_stream_ntrip_rover_t *rover,
    uint64_t below);


static ngx_queue_t *ngx_stream_ntrip_namesakes(ngx_str_t *user);
static void ngx_stream_ntrip_rovers_each(ngx_str_t *user,
    ngx_stream_ntrip_rover_pt handler, uint64_t below);
static void ngx_stream_ntrip_rover_second(ngx_stream_ntrip_rover_t *rover,
    uint64_t below);
static void ngx_stream_ntrip_rover_last(ngx_stream_ntrip_rover_t *rover,
    uint64_t below);
static uint64_t ngx_stream_ntrip_rover_delivered(
    ngx_stream_ntrip_rover_t *rover);
static ngx_uint_t ngx_stream_ntrip_rover_spent(
    ngx_stream_ntrip_rover_t *rover);
static void ngx_stream_ntrip_rover_kick(ngx_stream_ntrip_rover_t *rover,
    uint64_t below);
static ngx_uint_t ngx_stream_ntrip_superseded(
    ngx_stream_ntrip_rover_t *rover);
static void ngx_stream_ntrip_rover_changed(ngx_stream_ntrip_rover_t *rover,
    uint64_t below);
static void ngx_stream_ntrip_rover_check(ngx_stream_ntrip_rover_t *rover);


ngx_queue_t  ngx_stream_ntrip_rovers;
ngx_uint_t   ngx_stream_ntrip_nrovers;

static ngx_queue_t  ngx_stream_ntrip_users[NGX_STREAM_NTRIP_USERS];


void
ngx_stream_ntrip_rovers_init(ngx_cycle_t *cycle)
{
    ngx_uint_t  i;

    ngx_queue_init(&ngx_stream_ntrip_rovers);
    ngx_queue_init(&ngx_stream_ntrip_bases);

    for (i = 0; i < NGX_STREAM_NTRIP_USERS; i++) {
        ngx_queue_init(&ngx_stream_ntrip_users[i]);
    }
}


void
ngx_stream_ntrip_rovers_add(ngx_stream_ntrip_rover_t *rover)
{
    ngx_queue_insert_tail(&ngx_stream_ntrip_rovers, &rover->queue);
    ngx_queue_insert_tail(ngx_stream_ntrip_namesakes(&rover->user),
                          &rover->namesakes);
}


void
ngx_stream_ntrip_rovers_remove(ngx_stream_ntrip_rover_t *rover)
{
    ngx_queue_remove(&rover->queue);
    ngx_queue_remove(&rover->namesakes);
}


/* the chain of a user, in which there may be others */

static ngx_queue_t *
ngx_stream_ntrip_namesakes(ngx_str_t *user)
{
    uint64_t  hash;

    hash = ntrip_hash(ngx_stream_ntrip_worker.bus->seed, user->data,
                      user->len, 0);

    return &ngx_stream_ntrip_users[hash & (NGX_STREAM_NTRIP_USERS - 1)];
}


/* of one user, or all if it is NULL; a handler may end its rover */

static void
ngx_stream_ntrip_rovers_each(ngx_str_t *user,
    ngx_stream_ntrip_rover_pt handler, uint64_t below)
{
    ngx_queue_t               *list, *q, *next;
    ngx_stream_ntrip_rover_t  *rover;

    list = user ? ngx_stream_ntrip_namesakes(user) : &ngx_stream_ntrip_rovers;

    for (q = ngx_queue_head(list); q != ngx_queue_sentinel(list); q = next) {
        next = ngx_queue_next(q);

        if (user == NULL) {
            rover = ngx_queue_data(q, ngx_stream_ntrip_rover_t, queue);
            handler(rover, below);
            continue;
        }

        rover = ngx_queue_data(q, ngx_stream_ntrip_rover_t, namesakes);

        if (rover->user.len == user->len
            && ngx_memcmp(rover->user.data, user->data, user->len) == 0)
        {
            handler(rover, below);
        }
    }
}


/* ---- each second ---- */

void
ngx_stream_ntrip_rover_tick(void)
{
    ngx_stream_ntrip_rovers_each(NULL, ngx_stream_ntrip_rover_second, 0);

    ngx_stream_ntrip_traced_tick();
}


static void
ngx_stream_ntrip_rover_second(ngx_stream_ntrip_rover_t *rover, uint64_t below)
{
    if (rover->offer.nonce) {
        return;
    }

    if (rover->expires <= ngx_time()) {
        ngx_log_error(NGX_LOG_INFO, rover->session->connection->log, 0,
                      "ntrip user has expired");
        ngx_stream_ntrip_rover_finalize(rover, "expired");
        return;
    }

    ngx_stream_ntrip_rover_count(rover);

    if (ngx_stream_ntrip_rover_spent(rover)) {
        ngx_log_error(NGX_LOG_INFO, rover->session->connection->log, 0,
                      "ntrip user \"%V\" has used up its quota",
                      &rover->user);
        ngx_stream_ntrip_rover_finalize(rover, "quota");
        return;
    }

    if (rover->roaming
        && ngx_stream_ntrip_near_second(rover) != NGX_OK)
    {
        return;
    }

    if (rover->check) {
        ngx_stream_ntrip_rover_check(rover);
    }
}


void
ngx_stream_ntrip_rovers_exit(void)
{
    ngx_stream_ntrip_rovers_each(NULL, ngx_stream_ntrip_rover_last, 0);
}


static void
ngx_stream_ntrip_rover_last(ngx_stream_ntrip_rover_t *rover, uint64_t below)
{
    if (rover->offer.nonce == 0) {
        ngx_stream_ntrip_rover_count(rover);
    }
}


/* for lists, and what it is accounted for, in whatever worker */

void
ngx_stream_ntrip_rover_count(ngx_stream_ntrip_rover_t *rover)
{
    uint64_t              bytes, messages;
    ntrip_session_row_t  *row;

    bytes = 0;
    messages = 0;

    if (rover->stream) {
        ngx_stream_ntrip_stream_totals(rover, &bytes, &messages);
    }

    row = ntrip_session_row(ngx_stream_ntrip_worker.zone, rover->index);

    if (!ntrip_session_ours(row, rover->login)) {
        return;
    }

    __atomic_store_n(&row->bytes, rover->bytes + bytes, __ATOMIC_RELAXED);
    __atomic_store_n(&row->messages, rover->messages + messages,
                     __ATOMIC_RELAXED);
}


static uint64_t
ngx_stream_ntrip_rover_delivered(ngx_stream_ntrip_rover_t *rover)
{
    ntrip_session_row_t  *row;

    row = ntrip_session_row(ngx_stream_ntrip_worker.zone, rover->index);

    return (rover->login && ntrip_session_ours(row, rover->login)) ? row->bytes
                                                                   : 0;
}


/* what was left of the quotas when they were looked at; other sessions of the
   user use it up, too, and are counted when that is written */

static ngx_uint_t
ngx_stream_ntrip_rover_spent(ngx_stream_ntrip_rover_t *rover)
{
    if (rover->quota_bytes
        && ngx_stream_ntrip_rover_delivered(rover) >= rover->quota_bytes)
    {
        return 1;
    }

    return rover->quota_end && ngx_current_msec >= rover->quota_end;
}


ngx_uint_t
ngx_stream_ntrip_rover_quota(ngx_stream_ntrip_rover_t *rover,
    ngx_stream_ntrip_user_t *user)
{
    ngx_uint_t                 spent;
    ngx_stream_ntrip_quota_t   left;

    spent = ngx_stream_ntrip_store_quota(user, &left);

    rover->quota_bytes = 0;
    rover->quota_end = 0;

    if (left.bytes != NGX_STREAM_NTRIP_NO_QUOTA) {
        rover->quota_bytes = ngx_stream_ntrip_rover_delivered(rover)
                             + left.bytes;
    }

    if (left.seconds != NGX_STREAM_NTRIP_NO_QUOTA) {
        rover->quota_end = ngx_current_msec
                           + ngx_min(left.seconds, NGX_MAX_INT32_VALUE) * 1000;
    }

    if (spent) {
        ngx_log_error(NGX_LOG_INFO, rover->session->connection->log, 0,
                      "ntrip user \"%V\" has used up its quota of %uL %s",
                      &rover->user,
                      left.bytes ? user->quota_seconds : user->quota_bytes,
                      left.bytes ? "seconds" : "bytes");
    }

    return spent;
}


/* ---- kicks ---- */

void
ngx_stream_ntrip_rover_kicked(ngx_str_t *user, uint64_t below)
{
    ngx_stream_ntrip_rovers_each(user, ngx_stream_ntrip_rover_kick, below);
}


/* below 0: whether it was kicked is in its row */

static void
ngx_stream_ntrip_rover_kick(ngx_stream_ntrip_rover_t *rover, uint64_t below)
{
    if (below ? rover->login >= below : !ngx_stream_ntrip_superseded(rover)) {
        return;
    }

    if (rover->offer.nonce) {

        /* its heir reads this too, or we remember, when it is ours again */

        rover->kicked = 1;
        return;
    }

    ngx_stream_ntrip_rover_out(rover);
}


static ngx_uint_t
ngx_stream_ntrip_superseded(ngx_stream_ntrip_rover_t *rover)
{
    ngx_uint_t  out;

    ngx_stream_ntrip_lock();

    out = ntrip_session_superseded(ngx_stream_ntrip_worker.zone, rover->index,
                                   rover->login);

    ngx_stream_ntrip_unlock();

    return out;
}


void
ngx_stream_ntrip_rover_out(ngx_stream_ntrip_rover_t *rover)
{
    ngx_stream_ntrip_count(kicked);

    ngx_log_error(NGX_LOG_INFO, rover->session->connection->log, 0,
                  "ntrip session is thrown out by a later login");

    ngx_stream_ntrip_rover_finalize(rover, "kicked");
}


/* ---- changes of users ---- */

void
ngx_stream_ntrip_rover_user_changed(ngx_str_t *name)
{
    ngx_stream_ntrip_rovers_each(name, ngx_stream_ntrip_rover_changed, 0);
}


static void
ngx_stream_ntrip_rover_changed(ngx_stream_ntrip_rover_t *rover,
    uint64_t below)
{
    if (rover->offer.nonce) {

        /* as its heir will, when it is ours again */

        rover->check = 1;
        return;
    }

    ngx_stream_ntrip_rover_check(rover);
}


/* may the user still be here?  Closes the session if not. */

static void
ngx_stream_ntrip_rover_check(ngx_stream_ntrip_rover_t *rover)
{
    uint64_t                 stored;
    ngx_int_t                rc;
    ngx_str_t                mounts;
    ngx_stream_ntrip_user_t  user;

    rc = ngx_stream_ntrip_store_user(&rover->user, &user);

    /* that it cannot be told now does not make it the same */

    rover->check = (rc == NGX_AGAIN);

    if (rc == NGX_AGAIN) {
        return;
    }

    stored = 0;

    if (rc == NGX_OK) {
        stored = ntrip_hash(ngx_stream_ntrip_worker.bus->seed, user.password,
                            user.password_len, 0);
    }

    ngx_explicit_memzero(user.password, sizeof(user.password));

    mounts.data = user.mounts;
    mounts.len = (rc == NGX_OK) ? user.mounts_len : 0;

    if (rc != NGX_OK
        || stored != rover->stored
        || !ntrip_mount_allowed(&mounts, &rover->mount->name))
    {
        ngx_log_error(NGX_LOG_INFO, rover->session->connection->log, 0,
                      "ntrip user was deleted, has expired, is not valid yet, "
                      "or has another password or other mountpoints");
        ngx_stream_ntrip_rover_finalize(rover, "revoked");
        return;
    }

    rover->expires = user.expires;
    rover->max_sessions = (uint32_t) user.max_sessions;

    if (ngx_stream_ntrip_rover_quota(rover, &user)) {
        ngx_stream_ntrip_rover_finalize(rover, "quota");
        return;
    }

    if (ngx_memcmp(&rover->area, &user.area, sizeof(ntrip_area_t)) != 0) {
        rover->area = user.area;
        ngx_stream_ntrip_rover_area(rover);

        if (ngx_stream_ntrip_rover_outside(rover, rover->point)) {
            ngx_stream_ntrip_rover_finalize(rover, "area");
        }
    }
}


ngx_uint_t
ngx_stream_ntrip_rover_outside(ngx_stream_ntrip_rover_t *rover,
    ntrip_point_t point)
{
    double         distance;
    ntrip_area_t  *area;

    area = &rover->area;

    if (area->kind == NTRIP_AREA_ANYWHERE || point == NTRIP_POINT_NONE) {
        return 0;
    }

    if (area->kind == NTRIP_AREA_NOWHERE) {
        ngx_log_error(NGX_LOG_INFO, rover->session->connection->log, 0,
                      "ntrip rover of user \"%V\" is outside its area, which "
                      "cannot be read", &rover->user);
        return 1;
    }

    distance = ntrip_point_distance(point, ntrip_point(area->latitude,
                                                       area->longitude));

    if (distance <= area->metres) {
        return 0;
    }

    ngx_log_error(NGX_LOG_INFO, rover->session->connection->log, 0,
                  "ntrip rover of user \"%V\" is outside its area, "
                  "%.1f km from its centre", &rover->user, distance / 1000);

    return 1;
}


void
ngx_stream_ntrip_rover_area(ngx_stream_ntrip_rover_t *rover)
{
    if (rover->area.kind != NTRIP_AREA_NOWHERE) {
        return;
    }

    ngx_log_error(NGX_LOG_WARN, rover->session->connection->log, 0,
                  "the area of ntrip user \"%V\" cannot be read: no place is "
                  "within it", &rover->user);
}
