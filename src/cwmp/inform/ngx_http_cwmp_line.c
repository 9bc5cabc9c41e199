
/*
 * Fieldgate: the line of bodies that take more than one piece of work.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>

#include "ngx_http_cwmp_body.h"
#include "ngx_http_cwmp_inform.h"


/*
 * An exiting worker ends as soon as it has no timer, so there is one while
 * anybody is at work; as a timer it is of no use, since the event is posted.
 */
#define NGX_HTTP_CWMP_LINE_TIMER  60000


typedef struct {
    ngx_queue_t                  at_work;
    ngx_queue_t                  waiting;
    ngx_uint_t                   nat_work;
    ngx_event_t                  event;
    ngx_connection_t             dummy;     /* logs of timers name its fd */
} ngx_http_cwmp_line_t;


static void ngx_http_cwmp_line_handler(ngx_event_t *ev);
static void ngx_http_cwmp_line_post(void);
static void ngx_http_cwmp_line_enter(ngx_http_cwmp_body_t *b);
static void ngx_http_cwmp_line_leave(ngx_http_cwmp_body_t *b);
static void ngx_http_cwmp_line_cleanup(void *data);


static ngx_http_cwmp_line_t  ngx_http_cwmp_line;


void
ngx_http_cwmp_line_init_process(ngx_cycle_t *cycle)
{
    ngx_event_t  *ev;

    ngx_queue_init(&ngx_http_cwmp_line.at_work);
    ngx_queue_init(&ngx_http_cwmp_line.waiting);

    ngx_http_cwmp_line.dummy.fd = (ngx_socket_t) -1;

    ev = &ngx_http_cwmp_line.event;

    ev->handler = ngx_http_cwmp_line_handler;
    ev->data = &ngx_http_cwmp_line.dummy;
    ev->log = cycle->log;
}


ngx_int_t
ngx_http_cwmp_line_join(ngx_http_cwmp_body_t *b)
{
    b->cleanup = ngx_pool_cleanup_add(b->request->pool, 0);
    if (b->cleanup == NULL) {
        return NGX_ERROR;
    }

    b->cleanup->handler = ngx_http_cwmp_line_cleanup;
    b->cleanup->data = b;

    if (ngx_http_cwmp_line.nat_work < NGX_HTTP_CWMP_LINE_MAX) {
        ngx_http_cwmp_line_enter(b);
        ngx_http_cwmp_line_post();

        return NGX_OK;
    }

    /* what the first piece has done is less than what it would hold */

    ngx_http_cwmp_body_stop(b);
    ngx_http_cwmp_body_start(b);

    b->line = NGX_HTTP_CWMP_LINE_WAITING;
    ngx_queue_insert_tail(&ngx_http_cwmp_line.waiting, &b->queue);

    return NGX_OK;
}


static void
ngx_http_cwmp_line_handler(ngx_event_t *ev)
{
    ngx_int_t              rc;
    ngx_queue_t           *q;
    ngx_connection_t      *c;
    ngx_http_cwmp_body_t  *b;

    if (ngx_queue_empty(&ngx_http_cwmp_line.at_work)) {
        return;
    }

    q = ngx_queue_head(&ngx_http_cwmp_line.at_work);
    b = ngx_queue_data(q, ngx_http_cwmp_body_t, queue);
    c = b->request->connection;

    ngx_http_set_log_request(c->log, b->request);
    c->log->action = "rewriting CPE message";

    rc = ngx_http_cwmp_body_piece(b);

    if (rc == NGX_AGAIN) {
        ngx_queue_remove(q);
        ngx_queue_insert_tail(&ngx_http_cwmp_line.at_work, q);
        ngx_http_cwmp_line_post();

        return;
    }

    b->cleanup->handler = NULL;

    ngx_http_cwmp_line_leave(b);
    ngx_http_cwmp_body_done(b, rc);
    ngx_http_run_posted_requests(c);
}


/* the next piece, or none if nobody is at work */

static void
ngx_http_cwmp_line_post(void)
{
    ngx_event_t  *ev;

    ev = &ngx_http_cwmp_line.event;

    if (ngx_queue_empty(&ngx_http_cwmp_line.at_work)) {

        if (ev->posted) {
            ngx_delete_posted_event(ev);
        }

        if (ev->timer_set) {
            ngx_del_timer(ev);
        }

        return;
    }

    if (!ev->timer_set) {
        ngx_add_timer(ev, NGX_HTTP_CWMP_LINE_TIMER);
    }

    /* after the sockets have been looked at */

    ngx_post_event(ev, &ngx_posted_next_events);
}


static void
ngx_http_cwmp_line_enter(ngx_http_cwmp_body_t *b)
{
    b->line = NGX_HTTP_CWMP_LINE_AT_WORK;

    ngx_queue_insert_tail(&ngx_http_cwmp_line.at_work, &b->queue);
    ngx_http_cwmp_line.nat_work++;
}


static void
ngx_http_cwmp_line_leave(ngx_http_cwmp_body_t *b)
{
    ngx_queue_t  *q;

    ngx_queue_remove(&b->queue);

    if (b->line == NGX_HTTP_CWMP_LINE_AT_WORK) {
        ngx_http_cwmp_line.nat_work--;

        if (!ngx_queue_empty(&ngx_http_cwmp_line.waiting)) {
            q = ngx_queue_head(&ngx_http_cwmp_line.waiting);
            ngx_queue_remove(q);

            ngx_http_cwmp_line_enter(ngx_queue_data(q, ngx_http_cwmp_body_t,
                                                    queue));
        }
    }

    b->line = NGX_HTTP_CWMP_LINE_NONE;

    ngx_http_cwmp_line_post();
}


/* the request is gone: its client, an error, the end of the worker */

static void
ngx_http_cwmp_line_cleanup(void *data)
{
    ngx_http_cwmp_body_t  *b = data;

    ngx_http_cwmp_body_stop(b);
    ngx_http_cwmp_line_leave(b);
}
