
/*
 * The base stations, held in memory: the sourcetable lists those that are live,
 * and a mountpoint is looked for with each request.  The rest of the interface
 * is ngx_stream_ntrip_store_station() and its neighbours in
 * ngx_stream_ntrip_store.h.
 */


#ifndef _NGX_STREAM_NTRIP_STATIONS_H_INCLUDED_
#define _NGX_STREAM_NTRIP_STATIONS_H_INCLUDED_


#include <sqlite3.h>

#include "ngx_stream_ntrip_store.h"


/*
 * Reads the table of stations anew, then calls hooks->stations().  One whose
 * mountpoint or line cannot stand in a sourcetable is left out, as is logged
 * when it is first seen.  NGX_OK, or NGX_ERROR with the old ones kept:
 * sqlite3_errmsg() tells why.
 */
ngx_int_t ngx_stream_ntrip_stations_load(sqlite3 *db,
    ngx_stream_ntrip_store_hooks_t *hooks, ngx_log_t *log);

void ngx_stream_ntrip_stations_free(void);


#endif /* _NGX_STREAM_NTRIP_STATIONS_H_INCLUDED_ */
