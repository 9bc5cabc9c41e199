
/*
 * Fieldgate: an account that is leased: its file lock and its login.
 */


#include <ngx_config.h>
#include <ngx_core.h>

#include "ngx_stream_ntrip_lease.h"


#define NGX_STREAM_NTRIP_LEASE  ".lease"


static ngx_stream_core_srv_conf_t *ngx_stream_ntrip_lease_core(
    ngx_stream_ntrip_srv_conf_t *conf);
static u_char *ngx_stream_ntrip_lease_log(ngx_log_t *log, u_char *buf,
    size_t len);
static ngx_int_t ngx_stream_ntrip_lease_request(
    ngx_stream_ntrip_lease_t *lease, ngx_stream_ntrip_account_t *account,
    in_port_t port, ntrip_reply_request_t *request);
static void ngx_stream_ntrip_lease_version(ngx_stream_ntrip_lease_t *lease,
    ngx_stream_ntrip_account_t *account);
static void ngx_stream_ntrip_lease_learn(ngx_stream_ntrip_lease_t *lease,
    ngx_uint_t version);
static void ngx_stream_ntrip_lease_end(ngx_stream_ntrip_lease_t *lease,
    ntrip_policy_end_t *end);
static void ngx_stream_ntrip_lease_label(ngx_stream_ntrip_lease_t *lease,
    ntrip_reply_request_t *request);
static ngx_int_t ngx_stream_ntrip_lease_lock(ngx_stream_ntrip_lease_t *lease);


void
ngx_stream_ntrip_lease_init(ngx_stream_ntrip_lease_t *lease,
    ngx_stream_ntrip_srv_conf_t *conf, ngx_str_t *mount)
{
    ngx_stream_ntrip_client_t   *client;
    ngx_stream_core_srv_conf_t  *core;

    core = ngx_stream_ntrip_lease_core(conf);

    lease->lock = NGX_INVALID_FILE;

    lease->mount.data = lease->mount_data;
    lease->mount.len = mount->len;
    ngx_memcpy(lease->mount_data, mount->data, mount->len);

    lease->label.data = lease->label_data;

    lease->log = core ? *core->error_log : *ngx_cycle->log;
    lease->log.handler = ngx_stream_ntrip_lease_log;
    lease->log.data = lease;
    lease->log.action = NULL;
    lease->log.connection = 0;

    client = &lease->client;

    client->log = &lease->log;
    client->connect_timeout = conf->source_connect_timeout;
    client->timeout = conf->source_timeout;
    client->size = NGX_STREAM_NTRIP_READ;

#if (NGX_STREAM_SSL)
    client->ssl = &conf->ssl;
#endif

    if (core) {
        client->resolver = core->resolver;
        client->resolver_timeout = core->resolver_timeout;
    }

    ngx_stream_ntrip_client_init(client);
}


/* the server that "conf" is of: for its resolver and its error log */

static ngx_stream_core_srv_conf_t *
ngx_stream_ntrip_lease_core(ngx_stream_ntrip_srv_conf_t *conf)
{
    ngx_uint_t                     i;
    ngx_stream_core_srv_conf_t   **cscf;
    ngx_stream_core_main_conf_t   *cmcf;

    cmcf = ngx_stream_cycle_get_module_main_conf(ngx_cycle,
                                                 ngx_stream_core_module);
    cscf = cmcf->servers.elts;

    for (i = 0; i < cmcf->servers.nelts; i++) {
        if (cscf[i]->ctx->srv_conf[ngx_stream_ntrip_module.ctx_index] == conf)
        {
            return cscf[i];
        }
    }

    return NULL;
}


static u_char *
ngx_stream_ntrip_lease_log(ngx_log_t *log, u_char *buf, size_t len)
{
    u_char                    *p;
    ngx_stream_ntrip_lease_t  *lease;

    if (log->action) {
        p = ngx_snprintf(buf, len, " while %s", log->action);
        len -= p - buf;
        buf = p;
    }

    lease = log->data;

    if (lease->label.len == 0) {
        return ngx_snprintf(buf, len, ", mountpoint: %V", &lease->mount);
    }

    return ngx_snprintf(buf, len, ", source: %V/%V", &lease->label,
                        &lease->mount);
}


ngx_uint_t
ngx_stream_ntrip_lease_login(ngx_stream_ntrip_lease_t *lease, in_port_t port,
    ngx_str_t *gga)
{
    ngx_int_t                    rc;
    ntrip_reply_request_t        request;
    ngx_stream_ntrip_account_t  *account;

    lease->log.action = "logging in at a provider";

    account = ngx_stream_ntrip_store_account(lease->candidate.source);

    if (account == NULL) {
        lease->client.why = "account deleted";
        return NTRIP_REST_FOREIGN;
    }

    if (ngx_stream_ntrip_lease_request(lease, account, port, &request)
        != NGX_OK)
    {
        return NTRIP_REST_FAILED;
    }

    ngx_stream_ntrip_lease_label(lease, &request);
    ngx_stream_ntrip_lease_version(lease, account);

    lease->client.tls = account->tls;
    request.v2 = (lease->version == 2);

    if (request.v2) {
        request.gga = *gga;
        ntrip_text_trim(&request.gga);
    }

    rc = ngx_stream_ntrip_lease_lock(lease);

    if (rc == NGX_BUSY) {
        ngx_log_error(NGX_LOG_INFO, &lease->log, 0,
                      "another nginx on this host uses the account");
        lease->client.why = "in use by another nginx";
        return NTRIP_REST_FOREIGN;
    }

    if (rc != NGX_OK) {
        lease->client.why = "account not locked";
        return NTRIP_REST_FAILED;
    }

    return (ngx_stream_ntrip_client_login(&lease->client, &request) == NGX_OK)
           ? NTRIP_REST_NONE : NTRIP_REST_FAILED;
}


static ngx_int_t
ngx_stream_ntrip_lease_request(ngx_stream_ntrip_lease_t *lease,
    ngx_stream_ntrip_account_t *account, in_port_t port,
    ntrip_reply_request_t *request)
{
    ngx_str_t  *host;

    ngx_memzero(request, sizeof(ntrip_reply_request_t));

    request->mount = lease->mount;
    request->host = account->host;
    request->port = account->port ? account->port : port;
    request->user = account->name;
    request->password = account->password;

    host = &request->host;

    if (host->len > 2
        && host->data[0] == '['
        && host->data[host->len - 1] == ']')
    {
        host->data++;
        host->len -= 2;
    }

    if (host->len == 0 || host->len > NTRIP_HOST_MAX) {
        ngx_log_error(NGX_LOG_ERR, &lease->log, 0,
                      "account %uL has no usable host name",
                      lease->candidate.source);
        lease->client.why = "no usable host name";
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* in which to ask: the other one, if the first has come to nothing */

static void
ngx_stream_ntrip_lease_version(ngx_stream_ntrip_lease_t *lease,
    ngx_stream_ntrip_account_t *account)
{
    lease->second = lease->again;
    lease->again = 0;

    if (lease->second) {
        lease->version = 2;
        return;
    }

    lease->wanted = account->ntrip;

    ngx_stream_ntrip_lock();
    lease->known = ntrip_host_version(ngx_stream_ntrip_worker.zone,
                                      &lease->candidate);
    ngx_stream_ntrip_unlock();

    lease->version = ntrip_policy_version(lease->wanted, lease->known);
}


static void
ngx_stream_ntrip_lease_learn(ngx_stream_ntrip_lease_t *lease,
    ngx_uint_t version)
{
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;
    lease->known = version;

    ngx_stream_ntrip_lock();
    ntrip_host_learn(worker->zone, worker->bus, ngx_current_msec,
                     &lease->candidate, version);
    ngx_stream_ntrip_unlock();
}


void
ngx_stream_ntrip_lease_works(ngx_stream_ntrip_lease_t *lease)
{
    if (lease->wanted == 0 && lease->known != lease->version) {
        ngx_stream_ntrip_lease_learn(lease, lease->version);
    }
}


ngx_uint_t
ngx_stream_ntrip_lease_again(ngx_stream_ntrip_lease_t *lease,
    ngx_msec_t *delay)
{
    u_char                      text[NTRIP_REPLY_SHOWN];
    ngx_str_t                   shown;
    ntrip_policy_end_t          end;
    ngx_stream_ntrip_worker_t  *worker;

    ngx_stream_ntrip_lease_end(lease, &end);

    switch (ntrip_policy_refused(lease->wanted, lease->known, lease->version,
                                 &end))
    {

    case NTRIP_VERSION_KEEP:
        return 0;

    case NTRIP_VERSION_FORGET:
        ngx_stream_ntrip_lease_learn(lease, 0);
        return 0;

    default: /* NTRIP_VERSION_AGAIN */
        break;
    }

    shown.data = text;
    shown.len = ngx_stream_ntrip_lease_shown(lease, text);

    ngx_log_error(NGX_LOG_INFO, &lease->log, 0,
                  "provider did not accept NTRIP 1.0: \"%V\", it is asked in "
                  "2.0", &shown);

    lease->again = 1;
    lease->first = end;

    worker = &ngx_stream_ntrip_worker;

    ngx_stream_ntrip_lock();
    *delay = (ngx_msec_t) ntrip_host_turn(worker->zone, worker->bus,
                                          ngx_current_msec,
                                          &lease->candidate);
    ngx_stream_ntrip_unlock();

    return 1;
}


/* how the connection has ended, but for what its owner knows */

static void
ngx_stream_ntrip_lease_end(ngx_stream_ntrip_lease_t *lease,
    ntrip_policy_end_t *end)
{
    ngx_memzero(end, sizeof(ntrip_policy_end_t));

    end->result = lease->client.reply.result;
    end->status = lease->client.reply.status;
    end->plain = lease->client.plain;
    end->distrusted = lease->client.distrusted;
}


static void
ngx_stream_ntrip_lease_label(ngx_stream_ntrip_lease_t *lease,
    ntrip_reply_request_t *request)
{
    u_char     *p, *last;
    ngx_str_t  *host;

    host = &request->host;

    last = ngx_snprintf(lease->label_data, NTRIP_LABEL_MAX,
                        ngx_strlchr(host->data, host->data + host->len, ':')
                        ? "%V@[%V]:%ui" : "%V@%V:%ui",
                        &request->user, host, request->port);

    for (p = lease->label_data; p < last; p++) {
        if (*p < 0x20 || *p == 0x7f) {
            *p = '?';
        }
    }

    lease->label.len = last - lease->label_data;
}


/* an open file of its own with a write lock on one byte, since the lock goes
   with the file, to another process and with the last descriptor: NGX_OK,
   NGX_BUSY (another instance), NGX_ERROR (logged) */

static ngx_int_t
ngx_stream_ntrip_lease_lock(ngx_stream_ntrip_lease_t *lease)
{
    u_char                         path[NGX_MAX_PATH];
    ngx_err_t                      err;
    ngx_file_info_t                fi;
    struct flock                   fl;
    ngx_stream_ntrip_main_conf_t  *nmcf;

    nmcf = ngx_stream_cycle_get_module_main_conf(ngx_cycle,
                                                 ngx_stream_ntrip_module);

    (void) ngx_snprintf(path, NGX_MAX_PATH, "%V" NGX_STREAM_NTRIP_LEASE "%Z",
                        &nmcf->database);

    /* whoever may write the folder chooses no other file for us */

    lease->lock = open((char *) path,
                       O_RDWR|O_CREAT|O_NOFOLLOW|O_NONBLOCK|O_CLOEXEC, 0600);

    if (lease->lock == NGX_INVALID_FILE) {
        ngx_log_error(NGX_LOG_ERR, &lease->log, ngx_errno,
                      ngx_open_file_n " \"%s\" failed", path);
        return NGX_ERROR;
    }

    if (ngx_fd_info(lease->lock, &fi) == NGX_FILE_ERROR || !ngx_is_file(&fi)) {
        ngx_log_error(NGX_LOG_ERR, &lease->log, 0,
                      "\"%s\" is no regular file", path);
        return NGX_ERROR;
    }

    ngx_memzero(&fl, sizeof(struct flock));

    fl.l_type = F_WRLCK;
    fl.l_whence = SEEK_SET;
    fl.l_start = (off_t) lease->candidate.source;
    fl.l_len = 1;

    if (fcntl(lease->lock, F_OFD_SETLK, &fl) == 0) {
        return NGX_OK;
    }

    err = ngx_errno;

    if (err == NGX_EAGAIN || err == NGX_EACCES) {
        return NGX_BUSY;
    }

    ngx_log_error(NGX_LOG_ERR, &lease->log, err,
                  "fcntl(F_OFD_SETLK) \"%s\" failed", path);

    return NGX_ERROR;
}


void
ngx_stream_ntrip_lease_stop(ngx_stream_ntrip_lease_t *lease)
{
    ngx_stream_ntrip_client_stop(&lease->client);

    if (lease->lock != NGX_INVALID_FILE) {
        if (ngx_close_file(lease->lock) == NGX_FILE_ERROR) {
            ngx_log_error(NGX_LOG_ALERT, &lease->log, ngx_errno,
                          ngx_close_file_n " of a lock failed");
        }

        lease->lock = NGX_INVALID_FILE;
    }
}


/* what the provider says goes to the log without anything that could be
   taken for something else there, and never with a password in it */

void
ngx_stream_ntrip_lease_tested(ngx_stream_ntrip_lease_t *lease,
    ngx_uint_t reason)
{
    ntrip_slots_t               wake;
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;

    ngx_memzero(&wake, sizeof(ntrip_slots_t));

    ngx_stream_ntrip_lock();
    ntrip_lease_tested(worker->zone, worker->bus, worker->me,
                       ngx_current_msec, &lease->candidate, reason, &wake);
    ngx_stream_ntrip_unlock();

    ngx_stream_ntrip_wake_set(&wake);
}


void
ngx_stream_ntrip_lease_closed(ngx_stream_ntrip_lease_t *lease)
{
    ntrip_slots_t               wake;
    ngx_stream_ntrip_worker_t  *worker;

    worker = &ngx_stream_ntrip_worker;

    ngx_memzero(&wake, sizeof(ntrip_slots_t));

    ngx_stream_ntrip_lock();
    ntrip_lease_closed(worker->zone, worker->bus, worker->me,
                       lease->candidate.source, ngx_current_msec, &wake);
    ngx_stream_ntrip_unlock();

    ngx_stream_ntrip_wake_set(&wake);
}


size_t
ngx_stream_ntrip_lease_shown(ngx_stream_ntrip_lease_t *lease, u_char *text)
{
    u_char                       c;
    size_t                       i;
    ngx_str_t                    shown;
    ngx_stream_ntrip_account_t  *account;

    shown.data = lease->client.reply.shown;
    shown.len = lease->client.reply.shown_len;

    account = ngx_stream_ntrip_store_account(lease->candidate.source);

    if (account && account->password.len
        && ntrip_text_contains(&shown, (char *) account->password.data))
    {
        return 0;
    }

    for (i = 0; i < shown.len; i++) {
        c = shown.data[i];
        text[i] = (c < 0x20 || c > 0x7e || c == '"') ? '?' : c;
    }

    return shown.len;
}


ngx_uint_t
ngx_stream_ntrip_lease_reason(ngx_stream_ntrip_lease_t *lease,
    ngx_uint_t trial, ngx_uint_t brief)
{
    u_char               text[NTRIP_REPLY_SHOWN];
    ngx_str_t            shown;
    ngx_uint_t           result;
    ntrip_policy_end_t   end;

    result = lease->client.reply.result;

    if (result > NTRIP_REPLY_OK) {
        shown.data = text;
        shown.len = ngx_stream_ntrip_lease_shown(lease, text);

        ngx_log_error(NGX_LOG_ERR, &lease->log, 0,
                      "provider refused the login (%s): \"%V\"",
                      ntrip_reply_result(result), &shown);
    }

    ngx_stream_ntrip_lease_end(lease, &end);
    end.trial = trial;
    end.brief = brief;

    return ntrip_policy_reason((lease->second && !trial && !brief)
                               ? ntrip_policy_telling(&lease->first, &end)
                               : &end);
}


const char *
ngx_stream_ntrip_lease_why(ngx_stream_ntrip_lease_t *lease)
{
    return lease->client.why
           ? lease->client.why
           : ntrip_reply_result(lease->client.reply.result);
}
