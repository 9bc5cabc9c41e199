
/*
 * Fieldgate: path mode.  The 401 of a CPE and the authorised request that
 * follows on the same connection of the ACS share a connection to the CPE as
 * well: a CPE may bind its nonce to it.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_event.h>
#include <ngx_http.h>

#include "ngx_http_cwmp_attach.h"
#include "ngx_http_cwmp_call.h"


/*
 * In the pool of the ACS's connection.  EMPTY while a call has the connection:
 * it may end without giving it back.
 */

typedef struct {
    ngx_http_cwmp_attach_t     attach;
    ngx_http_cwmp_loc_conf_t  *conf;
    u_char                     cpe[CWMP_TABLE_KEY_LEN];
} ngx_http_cwmp_kept_t;


static ngx_http_cwmp_kept_t *ngx_http_cwmp_kept_find(
    ngx_http_cwmp_client_t *client);
static void ngx_http_cwmp_kept_closed(ngx_http_cwmp_attach_t *a,
    ngx_uint_t c);


static ngx_http_cwmp_attach_kind_t  ngx_http_cwmp_kept_kind = {
    ngx_close_connection,
    ngx_http_cwmp_kept_closed,
    NULL
};


ngx_int_t
ngx_http_cwmp_kept_put(ngx_http_request_t *r, ngx_http_cwmp_call_t *call,
    ngx_connection_t *c)
{
    ngx_http_cwmp_kept_t    *kept;
    ngx_http_cwmp_client_t  *client;

    client = ngx_http_cwmp_client_get(r, 1);
    if (client == NULL) {
        return NGX_ERROR;
    }

    kept = ngx_http_cwmp_kept_find(client);

    if (kept == NULL) {
        kept = ngx_pcalloc(client->connection->pool,
                           sizeof(ngx_http_cwmp_kept_t));
        if (kept == NULL) {
            return NGX_ERROR;
        }

        ngx_http_cwmp_attach_add(client, &kept->attach,
                                 &ngx_http_cwmp_kept_kind);
    }

    ngx_http_cwmp_attach_drop(&kept->attach);

    kept->conf = call->conf;
    ngx_memcpy(kept->cpe, call->cpe->key, CWMP_TABLE_KEY_LEN);

    /*
     * The ACS has the 401 and will send its second request: GenieACS would
     * show the device as offline if its connection were closed in between.
     */

    ngx_http_cwmp_client_need(client);

    ngx_http_cwmp_attach_begin(&kept->attach, call);
    ngx_http_cwmp_attach_park(&kept->attach, c, call->conf->timeout);

    return NGX_OK;
}


ngx_connection_t *
ngx_http_cwmp_kept_get(ngx_http_request_t *r, ngx_http_cwmp_call_t *call)
{
    ngx_connection_t        *c;
    ngx_http_cwmp_kept_t    *kept;
    ngx_http_cwmp_client_t  *client;

    client = ngx_http_cwmp_client_get(r, 0);
    if (client == NULL) {
        return NULL;
    }

    kept = ngx_http_cwmp_kept_find(client);

    if (kept == NULL
        || kept->conf != call->conf
        || ngx_memcmp(kept->cpe, call->cpe->key, CWMP_TABLE_KEY_LEN)
           != 0)
    {
        return NULL;
    }

    c = ngx_http_cwmp_attach_take(&kept->attach, call, &call->log);

    if (c) {
        ngx_http_cwmp_attach_done(&kept->attach, NULL);
    }

    return c;
}


static ngx_http_cwmp_kept_t *
ngx_http_cwmp_kept_find(ngx_http_cwmp_client_t *client)
{
    ngx_queue_t             *q;
    ngx_http_cwmp_attach_t  *a;

    for (q = ngx_queue_head(&client->attachments);
         q != ngx_queue_sentinel(&client->attachments);
         q = ngx_queue_next(q))
    {
        a = ngx_queue_data(q, ngx_http_cwmp_attach_t, queue);

        if (a->kind == &ngx_http_cwmp_kept_kind) {
            return ngx_queue_data(a, ngx_http_cwmp_kept_t, attach);
        }
    }

    return NULL;
}


/* there is nothing left that the ACS's connection would be needed for */

static void
ngx_http_cwmp_kept_closed(ngx_http_cwmp_attach_t *a, ngx_uint_t c)
{
    ngx_http_cwmp_client_let_go(a->client);
}
