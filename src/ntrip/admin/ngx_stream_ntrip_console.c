
/*
 * Fieldgate: the admin console's connections.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_stream.h>

#include "ngx_stream_ntrip_console.h"


/* in each worker; one more is told so and closed */
#define NGX_STREAM_NTRIP_CONSOLES         64

/* silence that ends a command, and how long one may take, in ms */
#define NGX_STREAM_NTRIP_CONSOLE_SILENCE  2000
#define NGX_STREAM_NTRIP_CONSOLE_LINE     10000

/* before the password is looked at, of addresses that had wrong ones */
#define NGX_STREAM_NTRIP_CONSOLE_DELAY    1000

/* how long, and how often, a command tries to reach the database */
#define NGX_STREAM_NTRIP_CONSOLE_TRY      100
#define NGX_STREAM_NTRIP_CONSOLE_TRIES    20

/* nobody takes the reply; a thread does not answer */
#define NGX_STREAM_NTRIP_CONSOLE_GUARD    60000

/* for the peer's FIN */
#define NGX_STREAM_NTRIP_CONSOLE_LINGER   1000

#define NGX_STREAM_NTRIP_CONSOLE_BUFFER   (4 * NTRIP_CONSOLE_MAX)


typedef enum {
    NGX_STREAM_NTRIP_CONSOLE_READ = 0,
    NGX_STREAM_NTRIP_CONSOLE_SLOW,        /* the delay before the password */
    NGX_STREAM_NTRIP_CONSOLE_VERIFY,      /* a thread looks at the password */
    NGX_STREAM_NTRIP_CONSOLE_RETRY,       /* the database is not there */
    NGX_STREAM_NTRIP_CONSOLE_WORK,        /* a page is being made elsewhere */
    NGX_STREAM_NTRIP_CONSOLE_READY,       /* it is there, or the next is due */
    NGX_STREAM_NTRIP_CONSOLE_SEND,
    NGX_STREAM_NTRIP_CONSOLE_NEXT,        /* command */
    NGX_STREAM_NTRIP_CONSOLE_CLOSE        /* after the reply */
} ngx_stream_ntrip_console_state_e;


struct ngx_stream_ntrip_console_s {
    ngx_stream_session_t              *session;
    ngx_stream_ntrip_console_state_e   state;
    ngx_stream_ntrip_order_t          *order;
    ngx_stream_ntrip_verify_t         *check;   /* NULL: none is out */
    ngx_uint_t                         tries;
    ngx_msec_t                         start;   /* of this command */
    unsigned                           eof:1;
    unsigned                           known:1; /* its password was right */

    u_char                            *pos;     /* what is not yet parsed */
    u_char                            *last;
    u_char                             buffer[NGX_STREAM_NTRIP_CONSOLE_BUFFER];
};


static void ngx_stream_ntrip_console_cleanup(void *data);
static void ngx_stream_ntrip_console_read(ngx_event_t *rev);
static void ngx_stream_ntrip_console_timeout(
    ngx_stream_ntrip_console_t *console);
static void ngx_stream_ntrip_console_receive(
    ngx_stream_ntrip_console_t *console);
static ngx_int_t ngx_stream_ntrip_console_recv(
    ngx_stream_ntrip_console_t *console);
static size_t ngx_stream_ntrip_console_line(
    ngx_stream_ntrip_console_t *console, ngx_uint_t last);
static void ngx_stream_ntrip_console_command(
    ngx_stream_ntrip_console_t *console, size_t len);
static void ngx_stream_ntrip_console_verify(
    ngx_stream_ntrip_console_t *console);
static void ngx_stream_ntrip_console_verified(void *data, ngx_int_t rc);
static void ngx_stream_ntrip_console_page(ngx_stream_ntrip_console_t *console);
static void ngx_stream_ntrip_console_reply(ngx_stream_ntrip_console_t *console,
    const char *reply);
static void ngx_stream_ntrip_console_write(ngx_event_t *wev);
static void ngx_stream_ntrip_console_send(ngx_stream_ntrip_console_t *console);
static void ngx_stream_ntrip_console_log(ngx_stream_ntrip_console_t *console);
static void ngx_stream_ntrip_console_next(ngx_stream_ntrip_console_t *console);
static void ngx_stream_ntrip_console_linger(
    ngx_stream_ntrip_console_t *console);
static void ngx_stream_ntrip_console_drop(ngx_stream_ntrip_console_t *console);
static void ngx_stream_ntrip_console_finalize(
    ngx_stream_ntrip_console_t *console, ngx_uint_t rc);


static ngx_uint_t  ngx_stream_ntrip_consoles;


void
ngx_stream_ntrip_console_handler(ngx_stream_session_t *s)
{
    size_t                       len;
    ngx_buf_t                   *b;
    ngx_connection_t            *c;
    ngx_pool_cleanup_t          *cln;
    ngx_stream_ntrip_console_t  *console;

    c = s->connection;

    c->log->action = "reading console command";

    if (c->type != SOCK_STREAM) {
        ngx_log_error(NGX_LOG_ERR, c->log, 0,
                      "\"ntrip_console\" cannot listen with \"udp\"");
        ngx_stream_finalize_session(s, NGX_STREAM_INTERNAL_SERVER_ERROR);
        return;
    }

    cln = ngx_pool_cleanup_add(c->pool, sizeof(ngx_stream_ntrip_console_t));
    if (cln == NULL) {
        ngx_stream_finalize_session(s, NGX_STREAM_INTERNAL_SERVER_ERROR);
        return;
    }

    console = cln->data;
    ngx_memzero(console, offsetof(ngx_stream_ntrip_console_t, buffer));

    cln->handler = ngx_stream_ntrip_console_cleanup;

    ngx_stream_ntrip_consoles++;

    ngx_stream_set_ctx(s, console, ngx_stream_ntrip_module);

    console->session = s;
    console->start = ngx_current_msec;
    console->pos = console->buffer;
    console->last = console->buffer;

    c->read->handler = ngx_stream_ntrip_console_read;
    c->write->handler = ngx_stream_ntrip_console_write;

    if (ngx_stream_ntrip_consoles > NGX_STREAM_NTRIP_CONSOLES) {
        ngx_log_error(NGX_LOG_WARN, c->log, 0,
                      "more than %d consoles in this worker",
                      NGX_STREAM_NTRIP_CONSOLES);
        (void) c->send(c, (u_char *) NTRIP_CONSOLE_TOO_MANY,
                       sizeof(NTRIP_CONSOLE_TOO_MANY) - 1);
        ngx_stream_ntrip_console_finalize(console,
                                          NGX_STREAM_SERVICE_UNAVAILABLE);
        return;
    }

    /* what the preread phase has read */

    b = c->buffer;

    if (b) {
        len = ngx_min((size_t) (b->last - b->pos), sizeof(console->buffer));
        console->last = ngx_cpymem(console->buffer, b->pos, len);
    }

    ngx_add_timer(c->read, NGX_STREAM_NTRIP_CONSOLE_SILENCE);

    ngx_stream_ntrip_console_receive(console);
}


/* whoever closes the connection: the order goes, now or with the thread */

static void
ngx_stream_ntrip_console_cleanup(void *data)
{
    ngx_stream_ntrip_console_t *console = data;

    ngx_stream_ntrip_consoles--;

    if (console->check) {
        ngx_stream_ntrip_verify_cancel(console->check);
    }

    ngx_stream_ntrip_console_drop(console);

    ngx_explicit_memzero(console->buffer, sizeof(console->buffer));
}


static void
ngx_stream_ntrip_console_drop(ngx_stream_ntrip_console_t *console)
{
    if (console->order) {
        ngx_stream_ntrip_order_release(console->order);
        console->order = NULL;
    }
}


static void
ngx_stream_ntrip_console_read(ngx_event_t *rev)
{
    u_char                       discard[1024];
    ssize_t                      n;
    ngx_connection_t            *c;
    ngx_stream_session_t        *s;
    ngx_stream_ntrip_console_t  *console;

    c = rev->data;
    s = c->data;
    console = ngx_stream_get_module_ctx(s, ngx_stream_ntrip_module);

    if (c->close) {
        ngx_stream_ntrip_console_finalize(console, NGX_STREAM_OK);
        return;
    }

    if (rev->timedout) {
        rev->timedout = 0;
        ngx_stream_ntrip_console_timeout(console);
        return;
    }

    switch (console->state) {

    case NGX_STREAM_NTRIP_CONSOLE_READ:
        ngx_stream_ntrip_console_receive(console);
        return;

    case NGX_STREAM_NTRIP_CONSOLE_CLOSE:

        do {
            n = c->recv(c, discard, sizeof(discard));
        } while (n > 0);

        if (n != NGX_AGAIN || ngx_handle_read_event(rev, 0) != NGX_OK) {
            ngx_stream_ntrip_console_finalize(console, NGX_STREAM_OK);
        }

        return;

    default:

        /* it is read after the reply */

        if ((ngx_event_flags & NGX_USE_LEVEL_EVENT) && rev->active
            && ngx_del_event(rev, NGX_READ_EVENT, 0) != NGX_OK)
        {
            ngx_stream_ntrip_console_finalize(console,
                                            NGX_STREAM_INTERNAL_SERVER_ERROR);
        }
    }
}


static void
ngx_stream_ntrip_console_timeout(ngx_stream_ntrip_console_t *console)
{
    size_t             len;
    ngx_connection_t  *c;

    c = console->session->connection;

    switch (console->state) {

    case NGX_STREAM_NTRIP_CONSOLE_READ:

        len = ngx_stream_ntrip_console_line(console, 1);

        if (len) {
            ngx_stream_ntrip_console_command(console, len);
            return;
        }

        break;

    case NGX_STREAM_NTRIP_CONSOLE_SLOW:
        ngx_stream_ntrip_console_verify(console);
        return;

    case NGX_STREAM_NTRIP_CONSOLE_RETRY:
        ngx_stream_ntrip_console_page(console);
        return;

    case NGX_STREAM_NTRIP_CONSOLE_CLOSE:
        break;

    default:
        ngx_log_error(NGX_LOG_INFO, c->log, NGX_ETIMEDOUT,
                      "console timed out");
        c->timedout = 1;
    }

    ngx_stream_ntrip_console_finalize(console, NGX_STREAM_OK);
}


static void
ngx_stream_ntrip_console_receive(ngx_stream_ntrip_console_t *console)
{
    size_t             len;
    ngx_int_t          rc;
    ngx_msec_t         left, silence;
    ngx_connection_t  *c;

    c = console->session->connection;

    rc = ngx_stream_ntrip_console_recv(console);

    if (rc == NGX_ERROR) {
        ngx_stream_ntrip_console_finalize(console, NGX_STREAM_OK);
        return;
    }

    len = ngx_stream_ntrip_console_line(console, console->eof);

    if (len) {
        ngx_stream_ntrip_console_command(console, len);
        return;
    }

    if (console->eof
        || ngx_handle_read_event(c->read, 0) != NGX_OK)
    {
        ngx_stream_ntrip_console_finalize(console, NGX_STREAM_OK);
        return;
    }

    /* a byte now and then does not hold the connection */

    if (rc == NGX_OK) {
        left = console->start + NGX_STREAM_NTRIP_CONSOLE_LINE
               - ngx_current_msec;
        silence = NGX_STREAM_NTRIP_CONSOLE_SILENCE;

        if ((ngx_msec_int_t) left < (ngx_msec_int_t) silence) {
            silence = ngx_max((ngx_msec_int_t) left, 1);
        }

        ngx_add_timer(c->read, silence);
    }
}


/* NGX_OK: something came, also the end; NGX_AGAIN: nothing; NGX_ERROR */

static ngx_int_t
ngx_stream_ntrip_console_recv(ngx_stream_ntrip_console_t *console)
{
    u_char            *end;
    size_t             size;
    ssize_t            n;
    ngx_int_t          rc;
    ngx_connection_t  *c;

    c = console->session->connection;
    end = console->buffer + sizeof(console->buffer);
    rc = NGX_AGAIN;

    if (console->pos > console->buffer) {
        size = console->last - console->pos;
        ngx_memmove(console->buffer, console->pos, size);
        console->pos = console->buffer;
        console->last = console->buffer + size;
    }

    while (console->last < end && !console->eof) {

        n = c->recv(c, console->last, end - console->last);

        if (n == NGX_AGAIN) {
            break;
        }

        if (n == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (n == 0) {
            console->eof = 1;
        }

        console->last += n;
        rc = NGX_OK;
    }

    return rc;
}


static size_t
ngx_stream_ntrip_console_line(ngx_stream_ntrip_console_t *console,
    ngx_uint_t last)
{
    return ntrip_console_command(console->pos, console->last - console->pos,
                                 last);
}


static void
ngx_stream_ntrip_console_command(ngx_stream_ntrip_console_t *console,
    size_t len)
{
    u_char                        *line;
    ngx_connection_t              *c;
    ngx_stream_ntrip_order_t      *order;
    ngx_stream_ntrip_main_conf_t  *nmcf;

    c = console->session->connection;
    nmcf = ngx_stream_get_module_main_conf(console->session,
                                           ngx_stream_ntrip_module);

    console->known = 0;
    console->tries = 0;

    line = console->pos;
    console->pos += len;

    order = ngx_stream_ntrip_order_create(console, nmcf->storage, c->log);

    if (order == NULL) {
        ngx_stream_ntrip_console_finalize(console,
                                          NGX_STREAM_INTERNAL_SERVER_ERROR);
        return;
    }

    console->order = order;

    if (len <= NTRIP_CONSOLE_MAX) {
        ngx_memcpy(order->text, line, len);
    }

    ngx_explicit_memzero(line, len);

    if (len > NTRIP_CONSOLE_MAX
        || ntrip_console_parse(&order->cmd, order->text, len) != NGX_OK)
    {
        ngx_stream_ntrip_console_reply(console, NTRIP_CONSOLE_BAD_COMMAND);
        return;
    }

    if (ngx_stream_ntrip_failures(c, NGX_STREAM_NTRIP_DOOR_CONSOLE, 0)
        >= NTRIP_FAIL_LIMIT)
    {
        console->state = NGX_STREAM_NTRIP_CONSOLE_SLOW;
        ngx_add_timer(c->read, NGX_STREAM_NTRIP_CONSOLE_DELAY);
        return;
    }

    ngx_stream_ntrip_console_verify(console);
}


static void
ngx_stream_ntrip_console_verify(ngx_stream_ntrip_console_t *console)
{
    ngx_int_t                     rc;
    ngx_connection_t             *c;
    ngx_stream_ntrip_user_t       admin;
    ngx_stream_ntrip_claim_t      claim;
    ngx_stream_ntrip_srv_conf_t  *nscf;

    c = console->session->connection;
    nscf = ngx_stream_get_module_srv_conf(console->session,
                                          ngx_stream_ntrip_module);

    c->log->action = "checking console password";

    ngx_memzero(&admin, sizeof(ngx_stream_ntrip_user_t));
    admin.password_len = ngx_min(nscf->console_password.len,
                                 sizeof(admin.password));
    ngx_memcpy(admin.password, nscf->console_password.data,
               admin.password_len);

    console->state = NGX_STREAM_NTRIP_CONSOLE_VERIFY;
    ngx_add_timer(c->read, NGX_STREAM_NTRIP_CONSOLE_GUARD);

    claim.peer = c;
    claim.door = NGX_STREAM_NTRIP_DOOR_CONSOLE;
    claim.password = console->order->cmd.argv[1];
    claim.user = &admin;
    claim.refused = 0;
    ngx_str_null(&claim.name);

    rc = ngx_stream_ntrip_verify(&claim, ngx_stream_ntrip_console_verified,
                                 console, &console->check);

    ngx_explicit_memzero(&admin, sizeof(ngx_stream_ntrip_user_t));

    if (rc != NGX_AGAIN) {
        ngx_stream_ntrip_console_verified(console, rc);
    }
}


static void
ngx_stream_ntrip_console_verified(void *data, ngx_int_t rc)
{
    ngx_stream_ntrip_console_t *console = data;

    ngx_uint_t         n;
    const char        *reply;
    ngx_connection_t  *c;

    c = console->session->connection;

    console->check = NULL;

    if (rc == NGX_ERROR) {
        ngx_log_error(NGX_LOG_ERR, c->log, 0,
                      "the console's password cannot be checked");
        ngx_stream_ntrip_console_reply(console, NTRIP_CONSOLE_UNAVAILABLE);
        return;
    }

    if (rc != NGX_OK) {
        n = ngx_stream_ntrip_failures(c, NGX_STREAM_NTRIP_DOOR_CONSOLE, 0);

        ngx_log_error(NGX_LOG_WARN, c->log, 0,
                      "wrong console password, number %ui of this address "
                      "within a minute", n);
        ngx_stream_ntrip_console_reply(console, NTRIP_CONSOLE_BAD_PASSWORD);
        return;
    }

    console->known = 1;

    reply = ntrip_console_arguments(&console->order->cmd);

    if (reply) {
        ngx_stream_ntrip_console_reply(console, reply);
        return;
    }

    ngx_stream_ntrip_console_page(console);
}


/* the next page of the reply */

static void
ngx_stream_ntrip_console_page(ngx_stream_ntrip_console_t *console)
{
    ngx_int_t                  rc;
    ngx_connection_t          *c;
    ngx_stream_ntrip_order_t  *order;

    c = console->session->connection;
    order = console->order;

    c->log->action = "running console command";

    console->state = NGX_STREAM_NTRIP_CONSOLE_WORK;
    ngx_add_timer(c->read, NGX_STREAM_NTRIP_CONSOLE_GUARD);

    order->more = 0;
    ntrip_out_init(&order->out, order->page, sizeof(order->page));
    order->pos = order->page;

    rc = ngx_stream_ntrip_order_page(order);

    switch (rc) {

    case NGX_OK:
        ngx_stream_ntrip_console_send(console);
        return;

    case NGX_AGAIN:
        return;

    case NGX_BUSY:

        if (console->tries++ < NGX_STREAM_NTRIP_CONSOLE_TRIES) {
            console->state = NGX_STREAM_NTRIP_CONSOLE_RETRY;
            ngx_add_timer(c->read, NGX_STREAM_NTRIP_CONSOLE_TRY);
            return;
        }

        ngx_log_error(NGX_LOG_ERR, c->log, 0,
                      "console: %s failed, the database is not available",
                      ntrip_console_verb(order->cmd.verb));

        /* in the middle of a list: the empty line at its end is missing */

        if (order->begun) {
            break;
        }

        ngx_stream_ntrip_order_unavailable(order);
        ngx_stream_ntrip_console_send(console);
        return;

    default: /* NGX_ERROR */
        break;
    }

    ngx_stream_ntrip_console_finalize(console,
                                      NGX_STREAM_INTERNAL_SERVER_ERROR);
}


/* may be called from within the store: goes on later */

void
ngx_stream_ntrip_console_ready(ngx_stream_ntrip_console_t *console)
{
    console->state = NGX_STREAM_NTRIP_CONSOLE_SEND;

    ngx_post_event(console->session->connection->write, &ngx_posted_events);
}


static void
ngx_stream_ntrip_console_reply(ngx_stream_ntrip_console_t *console,
    const char *reply)
{
    ngx_stream_ntrip_order_fail(console->order, reply);
    ngx_stream_ntrip_console_send(console);
}


static void
ngx_stream_ntrip_console_write(ngx_event_t *wev)
{
    ngx_connection_t            *c;
    ngx_stream_session_t        *s;
    ngx_stream_ntrip_console_t  *console;

    c = wev->data;
    s = c->data;
    console = ngx_stream_get_module_ctx(s, ngx_stream_ntrip_module);

    switch (console->state) {

    case NGX_STREAM_NTRIP_CONSOLE_SEND:
        ngx_stream_ntrip_console_send(console);
        return;

    case NGX_STREAM_NTRIP_CONSOLE_READY:
        ngx_stream_ntrip_console_page(console);
        return;

    case NGX_STREAM_NTRIP_CONSOLE_NEXT:
        ngx_stream_ntrip_console_next(console);
        return;

    default:
        return;
    }
}


static void
ngx_stream_ntrip_console_send(ngx_stream_ntrip_console_t *console)
{
    ssize_t                    n;
    ngx_uint_t                 sent;
    ngx_connection_t          *c;
    ngx_stream_ntrip_order_t  *order;

    c = console->session->connection;
    order = console->order;

    ngx_stream_ntrip_console_log(console);

    if (order->broken) {
        ngx_stream_ntrip_console_finalize(console,
                                          NGX_STREAM_SERVICE_UNAVAILABLE);
        return;
    }

    c->log->action = "sending console reply";

    sent = (console->state != NGX_STREAM_NTRIP_CONSOLE_SEND);
    console->state = NGX_STREAM_NTRIP_CONSOLE_SEND;

    while (order->pos < order->out.last) {

        n = c->send(c, order->pos, order->out.last - order->pos);

        if (n == NGX_ERROR) {
            ngx_stream_ntrip_console_finalize(console, NGX_STREAM_OK);
            return;
        }

        if (n == NGX_AGAIN || n == 0) {

            if (ngx_handle_write_event(c->write, 0) != NGX_OK) {
                ngx_stream_ntrip_console_finalize(console,
                                            NGX_STREAM_INTERNAL_SERVER_ERROR);
                return;
            }

            if (sent) {
                ngx_add_timer(c->read, NGX_STREAM_NTRIP_CONSOLE_GUARD);
            }

            return;
        }

        order->pos += n;
        sent = 1;
    }

    /* everybody else has a turn before the next page or command */

    console->state = order->more ? NGX_STREAM_NTRIP_CONSOLE_READY
                                 : NGX_STREAM_NTRIP_CONSOLE_NEXT;

    ngx_add_timer(c->read, NGX_STREAM_NTRIP_CONSOLE_GUARD);
    ngx_post_event(c->write, &ngx_posted_next_events);
}


/* once for each order */

static void
ngx_stream_ntrip_console_log(ngx_stream_ntrip_console_t *console)
{
    ngx_log_t                 *log;
    ngx_str_t                 *place;
    ntrip_console_command_t   *cmd;
    ngx_stream_ntrip_order_t  *order;

    log = console->session->connection->log;
    order = console->order;
    cmd = &order->cmd;

    if (order->error[0]) {
        ngx_log_error(NGX_LOG_ERR, log, 0, "console: %s failed: %s",
                      ntrip_console_verb(cmd->verb), order->error);
        order->error[0] = '\0';
    }

    if (order->changed) {
        place = cmd->pool.len ? &cmd->pool : &cmd->mount;

        ngx_log_error(NGX_LOG_NOTICE, log, 0, "console: %s %V%s\"%V%s%V\"",
                      ntrip_console_verb(cmd->verb), place,
                      place->len ? " " : "", &cmd->token.user,
                      cmd->token.host.len ? "@" : "", &cmd->token.host);
        order->changed = 0;
    }
}


/* another command, if it is there already */

static void
ngx_stream_ntrip_console_next(ngx_stream_ntrip_console_t *console)
{
    size_t             len;
    ngx_connection_t  *c;

    c = console->session->connection;

    ngx_stream_ntrip_console_drop(console);

    /* whoever has no password gets no more than one reply */

    if (!console->known || ngx_stream_ntrip_console_recv(console) == NGX_ERROR)
    {
        ngx_stream_ntrip_console_linger(console);
        return;
    }

    len = ngx_stream_ntrip_console_line(console, console->eof);

    if (len == 0 || ngx_exiting) {
        ngx_stream_ntrip_console_linger(console);
        return;
    }

    console->start = ngx_current_msec;
    c->log->action = "reading console command";

    ngx_stream_ntrip_console_command(console, len);
}


/* bytes that were not read would make the kernel send an RST, which takes the
   reply with it */

static void
ngx_stream_ntrip_console_linger(ngx_stream_ntrip_console_t *console)
{
    ngx_connection_t  *c;

    c = console->session->connection;

    if (console->eof || c->error
#if (NGX_STREAM_SSL)
        || c->ssl
#endif
       )
    {
        ngx_stream_ntrip_console_finalize(console, NGX_STREAM_OK);
        return;
    }

    c->log->action = "closing console";

    console->state = NGX_STREAM_NTRIP_CONSOLE_CLOSE;
    ngx_add_timer(c->read, NGX_STREAM_NTRIP_CONSOLE_LINGER);

    if (ngx_shutdown_socket(c->fd, NGX_WRITE_SHUTDOWN) == -1) {
        ngx_stream_ntrip_console_finalize(console, NGX_STREAM_OK);
        return;
    }

    ngx_stream_ntrip_console_read(c->read);
}


static void
ngx_stream_ntrip_console_finalize(ngx_stream_ntrip_console_t *console,
    ngx_uint_t rc)
{
    ngx_stream_finalize_session(console->session, rc);
}
