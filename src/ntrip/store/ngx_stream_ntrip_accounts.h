
/*
 * The accounts of the providers, held in memory; the rest of the interface is
 * ngx_stream_ntrip_store_candidates(), _account() and their neighbours in
 * ngx_stream_ntrip_store.h.
 */


#ifndef _NGX_STREAM_NTRIP_ACCOUNTS_H_INCLUDED_
#define _NGX_STREAM_NTRIP_ACCOUNTS_H_INCLUDED_


#include <sqlite3.h>

#include "ngx_stream_ntrip_store.h"


/*
 * Reads the tables of sources and pools anew, and tells hooks->account() of
 * each account that is gone or differs from what was read before, pools apart;
 * then hooks->accounts().  NGX_OK, or NGX_ERROR with the old
 * ones kept: sqlite3_errmsg() tells why.
 */
ngx_int_t ngx_stream_ntrip_accounts_load(sqlite3 *db,
    ngx_stream_ntrip_store_hooks_t *hooks, ngx_log_t *log);

void ngx_stream_ntrip_accounts_free(void);


#endif /* _NGX_STREAM_NTRIP_ACCOUNTS_H_INCLUDED_ */
