
/*
 * The sourcetable of a server: its own lines, its mountpoints, and those of
 * ntrip_sourcetable, which are in a file: the operator's, or the one that
 * source/ngx_stream_ntrip_fetch.c keeps.  A worker has such a file in memory,
 * and sends all of its peers from there; what is being sent when the file
 * changes goes on to its end.
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>

#include "ngx_stream_ntrip_rover_private.h"


/* bytes of tables that are made for a peer of its own, filters and pages, in
   one worker: who would need more gets 503 */
#define NGX_STREAM_NTRIP_COPIES  (16 * 1024 * 1024)

/* of a table, in this order: lines of CAS and NET, base stations, what
   ntrip_mount declares, what ntrip_sourcetable has */

typedef enum {
    NGX_STREAM_NTRIP_PART_LINES = 0,
    NGX_STREAM_NTRIP_PART_STATIONS,
    NGX_STREAM_NTRIP_PART_MOUNTS,
    NGX_STREAM_NTRIP_PART_LISTED,
    NGX_STREAM_NTRIP_PARTS
} ngx_stream_ntrip_part_e;


static ngx_int_t ngx_stream_ntrip_text_read(ngx_stream_ntrip_srv_conf_t *conf,
    ngx_fd_t fd, size_t size, ngx_stream_ntrip_text_t **out);
static ngx_uint_t ngx_stream_ntrip_declared(void *data, ngx_str_t *name);
static void ngx_stream_ntrip_text_cleanup(void *data);
static ngx_int_t ngx_stream_ntrip_table_parts(
    ngx_stream_ntrip_rover_t *rover, ngx_stream_ntrip_srv_conf_t *conf,
    ngx_str_t *parts);
static ngx_int_t ngx_stream_ntrip_table_plain(
    ngx_stream_ntrip_rover_t *rover, ngx_str_t *parts, ngx_uint_t form);
static ngx_int_t ngx_stream_ntrip_table_copy(ngx_stream_ntrip_rover_t *rover,
    ngx_str_t *parts, ngx_str_t *mounts, ngx_uint_t form);
static ngx_int_t ngx_stream_ntrip_table_lines(ngx_stream_ntrip_rover_t *rover,
    ngx_stream_ntrip_srv_conf_t *conf, ngx_str_t *lines);
static ngx_int_t ngx_stream_ntrip_table_mounts(
    ngx_stream_ntrip_rover_t *rover, ngx_stream_ntrip_srv_conf_t *conf,
    ngx_str_t *lines);
static ngx_uint_t ngx_stream_ntrip_table_shows(
    ngx_stream_ntrip_srv_conf_t *conf, ngx_stream_ntrip_mount_t *mount);
static void ngx_stream_ntrip_table_caster(ngx_stream_ntrip_rover_t *rover,
    ntrip_out_t *out);
static ngx_int_t ngx_stream_ntrip_table_add(ngx_stream_ntrip_rover_t *rover,
    u_char *data, size_t len);


static size_t  ngx_stream_ntrip_copies;


/* the table in the file; NULL: there is none */

static ngx_stream_ntrip_text_t *
ngx_stream_ntrip_table_file(ngx_stream_ntrip_srv_conf_t *conf)
{
    ngx_fd_t                     fd;
    ngx_int_t                    rc;
    ngx_file_info_t              fi;
    ngx_pool_cleanup_t          *cln;
    ngx_stream_ntrip_text_t     *text;
    ngx_stream_ntrip_listing_t  *listing;

    listing = &conf->listing;

    if (listing->kind == NGX_STREAM_NTRIP_LISTING_OFF
        || (listing->text && listing->looked == ngx_time()))
    {
        return listing->text;
    }

    listing->looked = ngx_time();

    /* a file that is gone, or cannot be read now, is no reason to forget */

    if (ngx_file_info(listing->path.data, &fi) == NGX_FILE_ERROR
        || (ngx_file_uniq(&fi) == listing->uniq
            && ngx_file_mtime(&fi) == listing->mtime
            && ngx_file_size(&fi) == listing->size))
    {
        return listing->text;
    }

    fd = ngx_open_file(listing->path.data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, ngx_errno,
                      ngx_open_file_n " \"%V\" failed", &listing->path);
        return listing->text;
    }

    rc = ngx_stream_ntrip_text_read(conf, fd, (size_t) ngx_file_size(&fi),
                                    &text);

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, ngx_errno,
                      ngx_close_file_n " \"%V\" failed", &listing->path);
    }

    /* what has failed may not do so in a second */

    if (rc == NGX_ERROR) {
        return listing->text;
    }

    listing->uniq = ngx_file_uniq(&fi);
    listing->mtime = ngx_file_mtime(&fi);
    listing->size = ngx_file_size(&fi);

    if (rc != NGX_OK) {
        return listing->text;
    }

    if (listing->text == NULL) {
        cln = ngx_pool_cleanup_add(ngx_cycle->pool, 0);
        if (cln == NULL) {
            ngx_stream_ntrip_text_leave(text);
            return NULL;
        }

        cln->handler = ngx_stream_ntrip_text_cleanup;
        cln->data = listing;
    }

    ngx_stream_ntrip_text_leave(listing->text);
    listing->text = text;

    return text;
}


/* the configuration goes, when no rover has the table any more */

static void
ngx_stream_ntrip_text_cleanup(void *data)
{
    ngx_stream_ntrip_listing_t *listing = data;

    ngx_stream_ntrip_text_leave(listing->text);
}


/* NGX_DECLINED: what is in the file is no table; NGX_ERROR: it was not read */

static ngx_int_t
ngx_stream_ntrip_text_read(ngx_stream_ntrip_srv_conf_t *conf, ngx_fd_t fd,
    size_t size, ngx_stream_ntrip_text_t **out)
{
    u_char                      *p;
    size_t                       bytes;
    ngx_int_t                    rc;
    ngx_str_t                    in;
    ngx_uint_t                   lines;
    ngx_stream_ntrip_text_t     *text;
    ngx_stream_ntrip_listing_t  *listing;

    listing = &conf->listing;

    if (size > NTRIP_TABLE_MAX) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "sourcetable \"%V\" is larger than %d bytes",
                      &listing->path, NTRIP_TABLE_MAX);
        return NGX_DECLINED;
    }

    text = NULL;
    rc = NGX_ERROR;

    in.len = size;
    in.data = ngx_alloc(size + 1, ngx_cycle->log);
    if (in.data == NULL) {
        return NGX_ERROR;
    }

    if (ngx_read_fd(fd, in.data, size) != (ssize_t) size) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, ngx_errno,
                      "sourcetable \"%V\" cannot be read", &listing->path);
        goto done;
    }

    ntrip_directory_size(&in, &lines, &bytes);

    text = ngx_alloc(sizeof(ngx_stream_ntrip_text_t)
                     + lines * sizeof(ntrip_directory_mount_t) + bytes,
                     ngx_cycle->log);
    if (text == NULL) {
        goto done;
    }

    p = (u_char *) text + sizeof(ngx_stream_ntrip_text_t);
    text->refs = 1;
    text->directory.declared = ngx_stream_ntrip_declared;
    text->directory.data = conf;

    rc = ntrip_directory_read(&text->directory, &in,
                              p + lines * sizeof(ntrip_directory_mount_t),
                              (ntrip_directory_mount_t *) p);

    /* a file of ours has its end, unless the machine died */

    if (rc != NGX_OK && listing->kind == NGX_STREAM_NTRIP_LISTING_UPSTREAM) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "sourcetable \"%V\" has no end", &listing->path);
        goto done;
    }

    rc = NGX_OK;

    ngx_log_error(NGX_LOG_INFO, ngx_cycle->log, 0,
                  "sourcetable \"%V\" has %ui mountpoints", &listing->path,
                  text->directory.nmounts);

done:

    ngx_free(in.data);

    if (rc != NGX_OK) {
        ngx_free(text);
        return rc;
    }

    *out = text;

    return NGX_OK;
}


void
ngx_stream_ntrip_text_leave(ngx_stream_ntrip_text_t *text)
{
    if (text && --text->refs == 0) {
        ngx_free(text);
    }
}


/* what ntrip_mount says of a mountpoint counts */

static ngx_uint_t
ngx_stream_ntrip_declared(void *data, ngx_str_t *name)
{
    ngx_stream_ntrip_srv_conf_t *conf = data;

    ngx_uint_t                 i;
    ngx_stream_ntrip_mount_t  *mount;

    if (conf->mounts == NULL) {
        return 0;
    }

    mount = conf->mounts->elts;

    for (i = 0; i < conf->mounts->nelts; i++) {
        if (mount[i].name.len == name->len
            && ngx_memcmp(mount[i].name.data, name->data, name->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


/* a mountpoint of its own: the table may change before its rover goes */

ngx_int_t
ngx_stream_ntrip_find_listed(ngx_stream_ntrip_rover_t *rover, ngx_str_t *name)
{
    ngx_pool_t                   *pool;
    ntrip_directory_mount_t      *listed;
    ngx_stream_ntrip_text_t      *text;
    ngx_stream_ntrip_mount_t     *mount;
    ngx_stream_ntrip_srv_conf_t  *conf;

    pool = rover->session->connection->pool;
    conf = ngx_stream_get_module_srv_conf(rover->session,
                                          ngx_stream_ntrip_module);

    text = conf->relay.line ? ngx_stream_ntrip_table_file(conf) : NULL;
    listed = text ? ntrip_directory_find(&text->directory, name) : NULL;

    if (listed == NULL) {
        return NGX_DECLINED;
    }

    mount = ngx_pcalloc(pool, sizeof(ngx_stream_ntrip_mount_t));
    if (mount == NULL) {
        return NGX_ERROR;
    }

    mount->name.len = listed->name.len;
    mount->name.data = ngx_pstrdup(pool, &listed->name);
    if (mount->name.data == NULL) {
        return NGX_ERROR;
    }

    mount->as = mount->name;
    mount->format = NTRIP_RTCM_AUTO;
    mount->gga = listed->gga;

    rover->mount = mount;
    rover->name = mount->name;

    return NGX_OK;
}


/* "mounts": of the user, NULL: all */

void
ngx_stream_ntrip_table(ngx_stream_ntrip_rover_t *rover, ngx_str_t *mounts)
{
    ngx_int_t                     rc;
    ngx_str_t                     parts[NGX_STREAM_NTRIP_PARTS];
    ngx_uint_t                    form;
    ntrip_filter_t               *filter;
    ngx_stream_ntrip_srv_conf_t  *conf;

    form = rover->request->request.form;
    filter = &rover->request->filter;
    conf = ngx_stream_get_module_srv_conf(rover->session,
                                          ngx_stream_ntrip_module);

    rover->result = "sourcetable";
    ngx_stream_ntrip_count(sourcetables);

    rc = ngx_stream_ntrip_table_parts(rover, conf, parts);

    if (rc == NGX_OK) {
        rc = (form == NTRIP_FORM_PAGE || filter->n || mounts)
             ? ngx_stream_ntrip_table_copy(rover, parts, mounts, form)
             : ngx_stream_ntrip_table_plain(rover, parts, form);
    }

    if (rc == NGX_BUSY) {
        ngx_stream_ntrip_error(rover, 503, "unavailable");
        return;
    }

    if (rc != NGX_OK) {
        ngx_stream_ntrip_rover_finalize(rover, "error");
        return;
    }

    rover->state = NGX_STREAM_NTRIP_ROVER_TABLE;

    ngx_stream_ntrip_send_out(rover);
}


/* those of all peers are shared, up to table_free() */

static ngx_int_t
ngx_stream_ntrip_table_parts(ngx_stream_ntrip_rover_t *rover,
    ngx_stream_ntrip_srv_conf_t *conf, ngx_str_t *parts)
{
    ngx_memzero(parts, NGX_STREAM_NTRIP_PARTS * sizeof(ngx_str_t));

    rover->text = ngx_stream_ntrip_table_file(conf);

    if (rover->text) {
        rover->text->refs++;
        parts[NGX_STREAM_NTRIP_PART_LISTED] = rover->text->directory.text;
    }

    if (conf->station.line) {
        rover->stations = ngx_stream_ntrip_stations_text(conf->stations);

        if (rover->stations == NULL) {
            return NGX_ERROR;
        }

        rover->stations->refs++;
        parts[NGX_STREAM_NTRIP_PART_STATIONS] =
                                          rover->stations->directory.text;
    }

    if (ngx_stream_ntrip_table_lines(rover, conf,
                                     &parts[NGX_STREAM_NTRIP_PART_LINES])
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_stream_ntrip_table_mounts(rover, conf,
                                         &parts[NGX_STREAM_NTRIP_PART_MOUNTS]);
}


static ngx_int_t
ngx_stream_ntrip_table_plain(ngx_stream_ntrip_rover_t *rover,
    ngx_str_t *parts, ngx_uint_t form)
{
    u_char       *head;
    size_t        size;
    ngx_uint_t    i;
    ntrip_out_t   out;

    static u_char  end[] = NTRIP_TABLE_END;

    size = sizeof(NTRIP_TABLE_END) - 1;

    for (i = 0; i < NGX_STREAM_NTRIP_PARTS; i++) {
        size += parts[i].len;
    }

    head = ngx_pnalloc(rover->session->connection->pool, NTRIP_RESPONSE_MAX);
    if (head == NULL) {
        return NGX_ERROR;
    }

    ntrip_out_init(&out, head, NTRIP_RESPONSE_MAX);
    ntrip_response_sourcetable(&out, form, ngx_time(), size);

    if (ngx_stream_ntrip_table_add(rover, head, out.last - head) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < NGX_STREAM_NTRIP_PARTS; i++) {
        if (ngx_stream_ntrip_table_add(rover, parts[i].data, parts[i].len)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return ngx_stream_ntrip_table_add(rover, end,
                                      sizeof(NTRIP_TABLE_END) - 1);
}


/* what is not for everybody: the peer's part of the table, or a page */

static ngx_int_t
ngx_stream_ntrip_table_copy(ngx_stream_ntrip_rover_t *rover,
    ngx_str_t *parts, ngx_str_t *mounts, ngx_uint_t form)
{
    u_char       *copy, *head;
    size_t        size;
    ngx_str_t     whole;
    ngx_uint_t    i;
    ntrip_out_t   out, table;

    whole.len = sizeof(NTRIP_TABLE_END) - 1;

    for (i = 0; i < NGX_STREAM_NTRIP_PARTS; i++) {
        whole.len += parts[i].len;
    }

    size = (form == NTRIP_FORM_PAGE) ? ntrip_response_page_size(&whole)
                                     : NTRIP_RESPONSE_MAX + whole.len;

    if (ngx_stream_ntrip_copies + size > NGX_STREAM_NTRIP_COPIES) {
        return NGX_BUSY;
    }

    whole.data = ngx_alloc(whole.len, rover->session->connection->log);
    if (whole.data == NULL) {
        return NGX_ERROR;
    }

    ntrip_out_init(&table, whole.data, whole.len);

    for (i = 0; i < NGX_STREAM_NTRIP_PARTS; i++) {
        ntrip_out_str(&table, &parts[i]);
    }

    ntrip_out_text(&table, NTRIP_TABLE_END);

    copy = ngx_alloc(size, rover->session->connection->log);
    head = ngx_pnalloc(rover->session->connection->pool, NTRIP_RESPONSE_MAX);

    if (copy == NULL || head == NULL) {
        ngx_free(copy);
        ngx_free(whole.data);
        return NGX_ERROR;
    }

    rover->copy = copy;
    rover->copied = size;
    ngx_stream_ntrip_copies += size;

    ntrip_out_init(&table, copy, size);
    ntrip_out_init(&out, head, NTRIP_RESPONSE_MAX);

    if (form == NTRIP_FORM_PAGE) {
        ntrip_response_page(&table, ngx_time(), &whole);

    } else {
        ntrip_filter_table(&rover->request->filter, &whole, mounts, &table);
        ntrip_response_sourcetable(&out, form, ngx_time(),
                                   table.last - table.start);
    }

    ngx_free(whole.data);

    return (ngx_stream_ntrip_table_add(rover, head, out.last - head) == NGX_OK
            && ngx_stream_ntrip_table_add(rover, copy,
                                          table.last - table.start)
               == NGX_OK)
           ? NGX_OK : NGX_ERROR;
}


void
ngx_stream_ntrip_table_free(ngx_stream_ntrip_rover_t *rover)
{
    ngx_stream_ntrip_text_leave(rover->text);
    rover->text = NULL;

    ngx_stream_ntrip_text_leave(rover->stations);
    rover->stations = NULL;

    if (rover->copy) {
        ngx_free(rover->copy);
        rover->copy = NULL;
        ngx_stream_ntrip_copies -= rover->copied;
    }
}


static ngx_int_t
ngx_stream_ntrip_table_lines(ngx_stream_ntrip_rover_t *rover,
    ngx_stream_ntrip_srv_conf_t *conf, ngx_str_t *lines)
{
    size_t        size;
    ngx_str_t    *line;
    ngx_uint_t    i, n;
    ntrip_out_t   out;

    line = conf->lines ? conf->lines->elts : NULL;
    n = conf->lines ? conf->lines->nelts : 0;

    if (n == 0 && conf->listing.kind != NGX_STREAM_NTRIP_LISTING_UPSTREAM) {
        return NGX_OK;
    }

    size = ngx_max(n, 1) * NTRIP_STR_LINE_MAX;

    lines->data = ngx_pnalloc(rover->session->connection->pool, size);
    if (lines->data == NULL) {
        return NGX_ERROR;
    }

    ntrip_out_init(&out, lines->data, size);

    for (i = 0; i < n; i++) {
        ntrip_out_str(&out, &line[i]);
        ntrip_out_text(&out, CRLF);
    }

    if (n == 0) {
        ngx_stream_ntrip_table_caster(rover, &out);
    }

    lines->len = out.last - out.start;

    return NGX_OK;
}


static ngx_int_t
ngx_stream_ntrip_table_mounts(ngx_stream_ntrip_rover_t *rover,
    ngx_stream_ntrip_srv_conf_t *conf, ngx_str_t *lines)
{
    size_t                     size;
    ngx_uint_t                 i;
    ntrip_out_t                out;
    ngx_stream_ntrip_mount_t  *mount;

    if (conf->mounts == NULL) {
        return NGX_OK;
    }

    size = conf->mounts->nelts * NTRIP_STR_LINE_MAX;

    lines->data = ngx_pnalloc(rover->session->connection->pool, size);
    if (lines->data == NULL) {
        return NGX_ERROR;
    }

    ntrip_out_init(&out, lines->data, size);

    mount = conf->mounts->elts;

    for (i = 0; i < conf->mounts->nelts; i++) {

        if (!ngx_stream_ntrip_table_shows(conf, &mount[i])) {
            continue;
        }

        ntrip_str_line(&out, &mount[i].name, &mount[i].str, mount[i].gga,
                       mount[i].format == NTRIP_RTCM_RAW);
    }

    lines->len = out.last - out.start;

    return NGX_OK;
}


/* a declared mountpoint: those of base stations are listed already, and their
   profiles while they are */

static ngx_uint_t
ngx_stream_ntrip_table_shows(ngx_stream_ntrip_srv_conf_t *conf,
    ngx_stream_ntrip_mount_t *mount)
{
    if (conf->station.line == 0 || mount->near) {
        return 1;
    }

    if (ngx_stream_ntrip_store_station(&mount->name)) {
        return 0;
    }

    if (ngx_stream_ntrip_store_station(&mount->as)) {
        return conf->stations == NGX_STREAM_NTRIP_STATIONS_ALL
               || ngx_stream_ntrip_stations_listed(&mount->as);
    }

    return conf->relay.line != 0;
}


/* in place of the provider's line this caster's, as the peer calls it, else by
   its address */

static void
ngx_stream_ntrip_table_caster(ngx_stream_ntrip_rover_t *rover,
    ntrip_out_t *out)
{
    u_char             text[NGX_SOCKADDR_STRLEN], *colon;
    ngx_str_t          host;
    ngx_connection_t  *c;

    c = rover->session->connection;
    host = rover->request->request.host;

    colon = host.len ? ngx_strlchr(host.data, host.data + host.len, ':')
                     : NULL;

    if (colon && host.data[0] != '[') {
        host.len = colon - host.data;
    }

    if (host.len == 0 || host.len > NTRIP_HOST_MAX
        || ngx_strlchr(host.data, host.data + host.len, ';'))
    {
        host.data = text;
        host.len = NGX_SOCKADDR_STRLEN;

        if (ngx_connection_local_sockaddr(c, &host, 0) != NGX_OK) {
            return;
        }
    }

    ntrip_out_text(out, "CAS;");
    ntrip_out_str(out, &host);
    ntrip_out_char(out, ';');
    ntrip_out_uint(out, ngx_inet_get_port(c->listening->sockaddr), 1);
    ntrip_out_text(out, ";Fieldgate;none;1;" NTRIP_TABLE_NOWHERE
                        ";0.00;0.00;0.0.0.0;0;none" CRLF);
}


static ngx_int_t
ngx_stream_ntrip_table_add(ngx_stream_ntrip_rover_t *rover, u_char *data,
    size_t len)
{
    ngx_buf_t     *b;
    ngx_chain_t  **last;

    if (len == 0) {
        return NGX_OK;
    }

    for (last = &rover->out; *last; last = &(*last)->next) { /* void */ }

    *last = ngx_alloc_chain_link(rover->session->connection->pool);
    b = ngx_calloc_buf(rover->session->connection->pool);

    if (*last == NULL || b == NULL) {
        *last = NULL;
        return NGX_ERROR;
    }

    b->memory = 1;
    b->pos = data;
    b->last = data + len;

    (*last)->buf = b;
    (*last)->next = NULL;

    return NGX_OK;
}
