
/*
 * The provider's sourcetable, for "ntrip_sourcetable upstream": fetched by one
 * worker at a time, and kept in a file beside the database, which all workers
 * read (rover/ngx_stream_ntrip_table.c), also those of the next start.
 *
 *   DATABASE.table-KEY        the table as rovers get it
 *   DATABASE.table-KEY.lock   locked by whoever fetches it; its time is that of
 *                             the last try
 *
 * Without credentials; if that gets 401, once more with an account of the host
 * that is free, and if that is refused, with another one.  What is no table, is
 * too large, or ends before its end, is thrown away, and the file stays as it
 * is.
 *
 *   killed anywhere: the lock goes with the process, the new file has its name
 *     only when it is whole.
 *   a table without end: NTRIP_TABLE_MAX; slowly: source_timeout for nothing of
 *     use, and NGX_STREAM_NTRIP_FETCH_TIME for all.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>

#include "ngx_stream_ntrip_source.h"
#include "ngx_stream_ntrip_lease.h"


/* seconds from one try that came to nothing to the next, at most */
#define NGX_STREAM_NTRIP_FETCH_RETRY  30

#define ngx_stream_ntrip_fetch_retry(conf)                                    \
    ngx_min((conf)->listing.valid, NGX_STREAM_NTRIP_FETCH_RETRY)

/* accounts that a host may refuse in one fetch: it takes more for an attack */
#define NGX_STREAM_NTRIP_FETCH_REFUSED  2

/* ms for all of a table */
#define NGX_STREAM_NTRIP_FETCH_TIME   60000


typedef struct {
    ngx_stream_ntrip_srv_conf_t  *conf;
    ngx_stream_ntrip_lease_t      lease;
    ngx_event_t                   event;      /* an account's turn, or the end
                                                 of time */
    ngx_fd_t                      lock;
    in_port_t                     port;
    uint64_t                      account;    /* whose host it is */
    uint64_t                      tried;      /* the last one; 0: none */
    ngx_uint_t                    refused;    /* how many were */
    const char                   *why;
    ntrip_sourcetable_t           reader;
    u_char                       *text;       /* lines so far */
    size_t                        len;
    size_t                        size;
    ngx_uint_t                    mounts;
    unsigned                      leased:1;
    unsigned                      whole:1;
} ngx_stream_ntrip_fetch_t;


static void ngx_stream_ntrip_fetch_due(ngx_stream_ntrip_srv_conf_t *conf);
static in_port_t ngx_stream_ntrip_fetch_port(
    ngx_stream_ntrip_srv_conf_t *conf);
static ngx_fd_t ngx_stream_ntrip_fetch_lock(ngx_stream_ntrip_srv_conf_t *conf);
static ngx_stream_ntrip_account_t *ngx_stream_ntrip_fetch_account(
    ngx_stream_ntrip_srv_conf_t *conf);
static void ngx_stream_ntrip_fetch_start(ngx_stream_ntrip_srv_conf_t *conf,
    ngx_fd_t lock);
static ngx_int_t ngx_stream_ntrip_fetch_anonymous(
    ngx_stream_ntrip_fetch_t *fetch, ngx_stream_ntrip_account_t *account);
static void ngx_stream_ntrip_fetch_handler(ngx_event_t *ev);
static void ngx_stream_ntrip_fetch_ignore(ngx_stream_ntrip_client_t *client);
static ngx_int_t ngx_stream_ntrip_fetch_body(
    ngx_stream_ntrip_client_t *client, ngx_str_t *data);
static ngx_int_t ngx_stream_ntrip_fetch_line(ngx_stream_ntrip_fetch_t *fetch,
    ngx_str_t *line);
static void ngx_stream_ntrip_fetch_closed(ngx_stream_ntrip_client_t *client);
static ngx_int_t ngx_stream_ntrip_fetch_again(
    ngx_stream_ntrip_fetch_t *fetch);
static ngx_stream_ntrip_account_t *ngx_stream_ntrip_fetch_next(
    ngx_stream_ntrip_fetch_t *fetch);
static void ngx_stream_ntrip_fetch_release(ngx_stream_ntrip_fetch_t *fetch);
static void ngx_stream_ntrip_fetch_exit(ngx_stream_ntrip_client_t *client);
static void ngx_stream_ntrip_fetch_write(ngx_stream_ntrip_fetch_t *fetch);
static void ngx_stream_ntrip_fetch_end(ngx_stream_ntrip_fetch_t *fetch);


static const ngx_stream_ntrip_client_events_t  ngx_stream_ntrip_fetch_events =
{
    ngx_stream_ntrip_fetch_ignore,         /* accepted */
    ngx_stream_ntrip_fetch_ignore,         /* open */
    ngx_stream_ntrip_fetch_body,
    ngx_stream_ntrip_fetch_ignore,         /* received */
    ngx_stream_ntrip_fetch_ignore,         /* sent */
    ngx_stream_ntrip_fetch_closed,
    ngx_stream_ntrip_fetch_exit
};


/* the provider's table is kept beside the database, by what decides which
   provider that is; ports that are listened on are not known before */

ngx_int_t
ngx_stream_ntrip_fetch_init(ngx_cycle_t *cycle, ngx_str_t *database)
{
    u_char                        *p;
    uint32_t                       key;
    ngx_uint_t                     i;
    ngx_stream_core_srv_conf_t   **cscf;
    ngx_stream_core_main_conf_t   *cmcf;
    ngx_stream_ntrip_srv_conf_t   *conf;

    cmcf = ngx_stream_cycle_get_module_main_conf(cycle,
                                                 ngx_stream_core_module);
    cscf = cmcf->servers.elts;

    for (i = 0; i < cmcf->servers.nelts; i++) {
        conf = cscf[i]->ctx->srv_conf[ngx_stream_ntrip_module.ctx_index];

        if (conf->listing.kind != NGX_STREAM_NTRIP_LISTING_UPSTREAM) {
            continue;
        }

        p = ngx_pnalloc(cycle->pool,
                        database->len + sizeof(".table-12345678"));
        if (p == NULL) {
            return NGX_ERROR;
        }

        key = ngx_crc32_long(conf->pool.data, conf->pool.len)
              ^ ngx_stream_ntrip_fetch_port(conf);

        conf->listing.path.data = p;
        conf->listing.path.len = ngx_sprintf(p, "%V.table-%08xD%Z", database,
                                             key)
                                 - p - 1;
    }

    return NGX_OK;
}


/* of accounts that have none */

static in_port_t
ngx_stream_ntrip_fetch_port(ngx_stream_ntrip_srv_conf_t *conf)
{
    return conf->port ? conf->port : ngx_stream_ntrip_relay_port(conf);
}


void
ngx_stream_ntrip_fetch_tick(void)
{
    ngx_uint_t                     i;
    ngx_stream_core_srv_conf_t   **cscf;
    ngx_stream_core_main_conf_t   *cmcf;
    ngx_stream_ntrip_srv_conf_t   *conf;

    if (ngx_stream_ntrip_worker.me == 0 || ngx_stream_ntrip_worker.exiting) {
        return;
    }

    cmcf = ngx_stream_cycle_get_module_main_conf(ngx_cycle,
                                                 ngx_stream_core_module);
    cscf = cmcf->servers.elts;

    for (i = 0; i < cmcf->servers.nelts; i++) {
        conf = cscf[i]->ctx->srv_conf[ngx_stream_ntrip_module.ctx_index];

        if (conf->listing.kind == NGX_STREAM_NTRIP_LISTING_UPSTREAM
            && conf->listing.due <= ngx_time())
        {
            ngx_stream_ntrip_fetch_due(conf);
        }
    }
}


/* is the table old, and does nobody else fetch it? */

static void
ngx_stream_ntrip_fetch_due(ngx_stream_ntrip_srv_conf_t *conf)
{
    ngx_fd_t         lock;
    ngx_file_info_t  fi;

    if (ngx_file_info(conf->listing.path.data, &fi) != NGX_FILE_ERROR
        && ngx_file_mtime(&fi) + conf->listing.valid > ngx_time())
    {
        conf->listing.due = ngx_file_mtime(&fi) + conf->listing.valid;
        return;
    }

    conf->listing.due = ngx_time() + 1;

    if (ngx_stream_ntrip_fetch_account(conf) == NULL) {
        return;
    }

    lock = ngx_stream_ntrip_fetch_lock(conf);

    if (lock != NGX_INVALID_FILE) {
        ngx_stream_ntrip_fetch_start(conf, lock);
    }
}


static ngx_fd_t
ngx_stream_ntrip_fetch_lock(ngx_stream_ntrip_srv_conf_t *conf)
{
    u_char           path[NGX_MAX_PATH];
    ngx_fd_t         fd;
    struct flock     fl;
    ngx_file_info_t  fi;

    (void) ngx_snprintf(path, NGX_MAX_PATH, "%V.lock%Z", &conf->listing.path);

    fd = open((char *) path,
              O_RDWR|O_CREAT|O_NOFOLLOW|O_NONBLOCK|O_CLOEXEC, 0600);

    if (fd == NGX_INVALID_FILE) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, ngx_errno,
                      ngx_open_file_n " \"%s\" failed", path);
        conf->listing.due = ngx_time() + ngx_stream_ntrip_fetch_retry(conf);
        return NGX_INVALID_FILE;
    }

    ngx_memzero(&fl, sizeof(struct flock));

    fl.l_type = F_WRLCK;
    fl.l_whence = SEEK_SET;

    if (fcntl(fd, F_OFD_SETLK, &fl) == 0
        && ngx_fd_info(fd, &fi) != NGX_FILE_ERROR)
    {
        if (ngx_file_size(&fi) == 0
            || ngx_file_mtime(&fi) + ngx_stream_ntrip_fetch_retry(conf)
               <= ngx_time())
        {
            /* that there was a try */

            if (pwrite(fd, "1", 1, 0) == 1) {
                return fd;
            }
        }

        conf->listing.due = ngx_file_mtime(&fi)
                            + ngx_stream_ntrip_fetch_retry(conf);
    }

    (void) ngx_close_file(fd);

    return NGX_INVALID_FILE;
}


/* one of the pool that tells where the provider is: another one each time */

static ngx_stream_ntrip_account_t *
ngx_stream_ntrip_fetch_account(ngx_stream_ntrip_srv_conf_t *conf)
{
    ngx_stream_ntrip_account_t  *account, *first;

    first = NULL;

    for (account = ngx_stream_ntrip_store_next(0);
         account;
         account = ngx_stream_ntrip_store_next(account->id))
    {
        if (account->expires <= ngx_time()
            || account->host.len > NTRIP_HOST_MAX
            || !ngx_stream_ntrip_store_in_pools(account, &conf->pool))
        {
            continue;
        }

        if (account->id > conf->listing.account) {
            return account;
        }

        if (first == NULL) {
            first = account;
        }
    }

    return first;
}


static void
ngx_stream_ntrip_fetch_start(ngx_stream_ntrip_srv_conf_t *conf, ngx_fd_t lock)
{
    ngx_str_t                    mount;
    ngx_stream_ntrip_fetch_t    *fetch;
    ngx_stream_ntrip_account_t  *account;

    account = ngx_stream_ntrip_fetch_account(conf);
    fetch = account ? ngx_calloc(sizeof(ngx_stream_ntrip_fetch_t),
                                 ngx_cycle->log)
                    : NULL;

    if (fetch == NULL) {
        (void) ngx_close_file(lock);
        return;
    }

    ngx_str_set(&mount, "");

    fetch->conf = conf;
    fetch->lock = lock;
    fetch->account = account->id;
    fetch->port = ngx_stream_ntrip_fetch_port(conf);

    fetch->lease.client.events = &ngx_stream_ntrip_fetch_events;
    fetch->lease.client.data = fetch;

    ngx_stream_ntrip_lease_init(&fetch->lease, conf, &mount);
    ntrip_sourcetable_init(&fetch->reader);

    fetch->event.handler = ngx_stream_ntrip_fetch_handler;
    fetch->event.data = fetch;
    fetch->event.log = &fetch->lease.log;

    ngx_add_timer(&fetch->event, NGX_STREAM_NTRIP_FETCH_TIME);

    conf->listing.account = account->id;
    conf->listing.due = NGX_MAX_TIME_T_VALUE;

    if (ngx_stream_ntrip_fetch_anonymous(fetch, account) != NGX_OK) {
        fetch->why = "no connection";
        ngx_stream_ntrip_fetch_end(fetch);
    }
}


static ngx_int_t
ngx_stream_ntrip_fetch_anonymous(ngx_stream_ntrip_fetch_t *fetch,
    ngx_stream_ntrip_account_t *account)
{
    ngx_str_t              *label;
    ntrip_reply_request_t   request;

    ngx_memzero(&request, sizeof(ntrip_reply_request_t));

    request.host = account->host;
    request.port = account->port ? account->port : fetch->port;
    request.v2 = (account->ntrip == 2);

    fetch->lease.client.tls = account->tls;

    if (request.host.len > 2
        && request.host.data[0] == '['
        && request.host.data[request.host.len - 1] == ']')
    {
        request.host.data++;
        request.host.len -= 2;
    }

    label = &fetch->lease.label;
    label->len = ngx_snprintf(label->data, NTRIP_LABEL_MAX, "%V:%ui",
                              &account->host, request.port)
                 - label->data;

    return ngx_stream_ntrip_client_login(&fetch->lease.client, &request);
}


/* the turn of an account, or it has taken too long */

static void
ngx_stream_ntrip_fetch_handler(ngx_event_t *ev)
{
    ngx_str_t                  gga;
    ngx_stream_ntrip_fetch_t  *fetch;

    fetch = ev->data;

    ngx_str_null(&gga);

    if (fetch->leased
        && fetch->lease.client.state == NGX_STREAM_NTRIP_CLIENT_NONE)
    {
        ngx_add_timer(&fetch->event, NGX_STREAM_NTRIP_FETCH_TIME);

        if (ngx_stream_ntrip_lease_login(&fetch->lease, fetch->port,
                                         &gga)
            == NTRIP_REST_NONE)
        {
            return;
        }

        fetch->why = ngx_stream_ntrip_lease_why(&fetch->lease);

        if (ngx_stream_ntrip_fetch_again(fetch) == NGX_OK) {
            return;
        }

    } else {
        fetch->why = "it takes too long";
    }

    ngx_stream_ntrip_fetch_end(fetch);
}


static void
ngx_stream_ntrip_fetch_ignore(ngx_stream_ntrip_client_t *client)
{
}


static ngx_int_t
ngx_stream_ntrip_fetch_body(ngx_stream_ntrip_client_t *client,
    ngx_str_t *data)
{
    ngx_int_t                  rc;
    ngx_str_t                  in, line;
    ngx_stream_ntrip_fetch_t  *fetch;

    fetch = client->data;
    in = *data;

    while ((rc = ntrip_sourcetable_next(&fetch->reader, &in, &line)) == NGX_OK)
    {
        if (ngx_stream_ntrip_fetch_line(fetch, &line) != NGX_OK) {
            client->why = "no memory";
            return NGX_ERROR;
        }

        /* with the fields that it lacked */

        if (fetch->len > NTRIP_TABLE_MAX - sizeof(NTRIP_TABLE_END)) {
            rc = NGX_ERROR;
            break;
        }
    }

    if (rc == NGX_ERROR) {
        client->why = "it is too large";
        return NGX_ERROR;
    }

    if (rc == NGX_DONE) {
        fetch->whole = 1;
        ngx_stream_ntrip_client_shutdown(client, NTRIP_LEASE_FIN);
    }

    return NGX_OK;
}


/* lines of NET as they are; of STR with all fields, and "Basic", which is what
   our users need; this caster has a CAS line of its own */

static ngx_int_t
ngx_stream_ntrip_fetch_line(ngx_stream_ntrip_fetch_t *fetch, ngx_str_t *line)
{
    u_char       *text;
    size_t        size;
    ntrip_str_t   str;
    ntrip_out_t   out;

    if (ntrip_text_controls(line)) {
        return NGX_OK;
    }

    if (fetch->size - fetch->len < NTRIP_STR_LINE_MAX) {
        size = ngx_max(fetch->size * 2, 65536);
        text = ngx_alloc(size, &fetch->lease.log);

        if (text == NULL) {
            return NGX_ERROR;
        }

        if (fetch->text) {
            ngx_memcpy(text, fetch->text, fetch->len);
            ngx_free(fetch->text);
        }

        fetch->text = text;
        fetch->size = size;
    }

    ntrip_out_init(&out, fetch->text + fetch->len, NTRIP_STR_LINE_MAX);

    if (ntrip_str_parse(&str, line) == NGX_OK) {

        if (ntrip_mount_check(&str.field[NTRIP_STR_MOUNT]) != NULL) {
            return NGX_OK;
        }

        ntrip_str_relayed(&out, line);
        fetch->mounts++;

    } else if (ntrip_text_begins(line, "NET;")) {
        ntrip_out_str(&out, line);
        ntrip_out_text(&out, CRLF);
    }

    fetch->len += out.last - out.start;

    return NGX_OK;
}


static void
ngx_stream_ntrip_fetch_closed(ngx_stream_ntrip_client_t *client)
{
    ngx_str_t                  in, line;
    ngx_stream_ntrip_fetch_t  *fetch;

    fetch = client->data;

    if (client->reply.result == NTRIP_REPLY_UNAUTHORIZED) {
        fetch->refused += fetch->leased;
        fetch->why = ngx_stream_ntrip_lease_why(&fetch->lease);

        if (fetch->refused == NGX_STREAM_NTRIP_FETCH_REFUSED
            || ngx_stream_ntrip_fetch_again(fetch) != NGX_OK)
        {
            ngx_stream_ntrip_fetch_end(fetch);
        }

        return;
    }

    if (client->reply.result == NTRIP_REPLY_OK && !fetch->whole
        && client->plain)
    {
        /* its last line may lack the line feed */

        ngx_str_null(&in);
        fetch->whole = (ntrip_sourcetable_next(&fetch->reader, &in, &line)
                        == NGX_DONE);
        fetch->why = "it ends before its end";

    } else {
        fetch->why = ngx_stream_ntrip_lease_why(&fetch->lease);
    }

    if (fetch->whole && fetch->mounts == 0) {
        fetch->whole = 0;
        fetch->why = "it has no mountpoints";
    }

    ngx_stream_ntrip_fetch_end(fetch);
}


/* with the next account of the host that is free.  NGX_OK: in its turn */

static ngx_int_t
ngx_stream_ntrip_fetch_again(ngx_stream_ntrip_fetch_t *fetch)
{
    uint64_t                     delay;
    ngx_int_t                    rc;
    ngx_str_t                    mount;
    ngx_stream_ntrip_worker_t   *worker;
    ngx_stream_ntrip_account_t  *account;

    worker = &ngx_stream_ntrip_worker;

    ngx_str_set(&mount, "");

    ngx_stream_ntrip_fetch_release(fetch);
    ntrip_sourcetable_init(&fetch->reader);

    while ((account = ngx_stream_ntrip_fetch_next(fetch)) != NULL) {

        fetch->tried = account->id;

        if (ngx_stream_ntrip_store_candidate(account, &mount, fetch->port,
                                             &fetch->lease.candidate)
            != NGX_OK)
        {
            continue;
        }

        ngx_stream_ntrip_lock();
        rc = ntrip_lease_test(worker->zone, worker->bus, worker->me,
                              ngx_current_msec, &fetch->lease.candidate,
                              &delay);
        ngx_stream_ntrip_unlock();

        if (rc == NGX_OK) {
            fetch->leased = 1;
            ngx_add_timer(&fetch->event, (ngx_msec_t) delay);

            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


/* of the same host as the first, which comes first; NULL: all were tried */

static ngx_stream_ntrip_account_t *
ngx_stream_ntrip_fetch_next(ngx_stream_ntrip_fetch_t *fetch)
{
    uint64_t                     id;
    ngx_uint_t                   around;
    ngx_stream_ntrip_account_t  *first, *account;

    first = ngx_stream_ntrip_store_account(fetch->account);

    if (first == NULL || fetch->tried == 0) {
        return first;
    }

    id = fetch->tried;
    around = (id < fetch->account);

    for ( ;; ) {
        account = ngx_stream_ntrip_store_next(id);

        if (account == NULL) {

            if (around) {
                return NULL;
            }

            around = 1;
            id = 0;
            continue;
        }

        id = account->id;

        if (around && id >= fetch->account) {
            return NULL;
        }

        if (account->expires > ngx_time()
            && account->port == first->port
            && account->tls == first->tls
            && account->host.len == first->host.len
            && ngx_strncasecmp(account->host.data, first->host.data,
                               first->host.len)
               == 0
            && ngx_stream_ntrip_store_in_pools(account, &fetch->conf->pool))
        {
            return account;
        }
    }
}


/* no connection; that a table was refused says nothing of the account */

static void
ngx_stream_ntrip_fetch_release(ngx_stream_ntrip_fetch_t *fetch)
{
    ngx_stream_ntrip_lease_stop(&fetch->lease);

    if (!fetch->leased) {
        return;
    }

    fetch->leased = 0;

    ngx_stream_ntrip_lease_tested(&fetch->lease, fetch->whole
                                                 ? NTRIP_REST_NONE
                                                 : NTRIP_REST_FOREIGN);
    ngx_stream_ntrip_lease_closed(&fetch->lease);
}


static void
ngx_stream_ntrip_fetch_exit(ngx_stream_ntrip_client_t *client)
{
    ngx_stream_ntrip_fetch_t  *fetch;

    fetch = client->data;

    fetch->whole = 0;
    fetch->why = NULL;

    ngx_stream_ntrip_fetch_end(fetch);
}


/* whole, and then by its name */

static void
ngx_stream_ntrip_fetch_write(ngx_stream_ntrip_fetch_t *fetch)
{
    u_char      temp[NGX_MAX_PATH];
    ngx_fd_t    fd;
    ngx_int_t   good;
    ngx_str_t  *path;

    static const char  end[] = NTRIP_TABLE_END;

    path = &fetch->conf->listing.path;

    (void) ngx_snprintf(temp, NGX_MAX_PATH, "%V.new%Z", path);

    fd = open((char *) temp, O_WRONLY|O_CREAT|O_TRUNC|O_NOFOLLOW|O_CLOEXEC,
              0600);

    good = (fd != NGX_INVALID_FILE
            && write(fd, fetch->text, fetch->len) == (ssize_t) fetch->len
            && write(fd, end, sizeof(end) - 1) == sizeof(end) - 1
            && fsync(fd) == 0
            && ngx_rename_file(temp, path->data) != NGX_FILE_ERROR);

    if (!good) {
        ngx_log_error(NGX_LOG_ERR, &fetch->lease.log, ngx_errno,
                      "sourcetable \"%V\" cannot be written", path);

    } else {
        ngx_log_error(NGX_LOG_NOTICE, &fetch->lease.log, 0,
                      "sourcetable of the provider has %ui mountpoints",
                      fetch->mounts);
    }

    if (fd != NGX_INVALID_FILE) {
        (void) ngx_close_file(fd);
    }
}


static void
ngx_stream_ntrip_fetch_end(ngx_stream_ntrip_fetch_t *fetch)
{
    ngx_stream_ntrip_listing_t  *listing;

    listing = &fetch->conf->listing;
    listing->due = ngx_time() + ngx_stream_ntrip_fetch_retry(fetch->conf);

    fetch->lease.log.action = NULL;

    if (fetch->whole) {
        ngx_stream_ntrip_fetch_write(fetch);
        listing->account = (fetch->tried ? fetch->tried : fetch->account) - 1;

    } else if (fetch->tried) {
        listing->account = fetch->tried;
    }

    if (!fetch->whole && fetch->why) {
        ngx_log_error(NGX_LOG_ERR, &fetch->lease.log, 0,
                      "sourcetable of the provider is not taken: %s",
                      fetch->why);
    }

    if (fetch->event.timer_set) {
        ngx_del_timer(&fetch->event);
    }

    ngx_stream_ntrip_fetch_release(fetch);

    /* and with it the lock */

    (void) ngx_close_file(fetch->lock);

    if (fetch->text) {
        ngx_free(fetch->text);
    }

    ngx_free(fetch);
}
