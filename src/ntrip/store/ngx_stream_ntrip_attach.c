
/*
 * Fieldgate: a second connection that writes, for a thread of its own.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_stream_ntrip_store_private.h"


sqlite3 *
ngx_stream_ntrip_store_attach(ngx_stream_ntrip_attached_t *attached,
    const char *path)
{
    ngx_int_t                   rc;
    ngx_stream_ntrip_schema_t  *schema;

    schema = attached->schema;

    if (schema == NULL) {
        schema = calloc(1, sizeof(ngx_stream_ntrip_schema_t));

        if (schema == NULL) {
            attached->error = "no memory";
            return NULL;
        }

        schema->path = path;
        attached->schema = schema;
    }

    if (schema->db && !ngx_stream_ntrip_schema_moved(schema)) {
        return schema->db;
    }

    ngx_stream_ntrip_schema_close(schema);

    rc = ngx_stream_ntrip_schema_open(schema);

    switch (rc) {

    case NGX_OK:
        return schema->db;

    case NGX_DECLINED:
        attached->error = "there is no such file";
        return NULL;

    case NGX_BUSY:
        attached->error = "another process writes to it";
        return NULL;

    default:
        attached->error = schema->error;
        return NULL;
    }
}


void
ngx_stream_ntrip_store_detach(ngx_stream_ntrip_attached_t *attached)
{
    if (attached->schema) {
        ngx_stream_ntrip_schema_close(attached->schema);
        free(attached->schema);
        attached->schema = NULL;
    }
}
