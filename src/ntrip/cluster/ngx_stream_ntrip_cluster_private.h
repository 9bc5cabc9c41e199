
/*
 * The cluster, as the files of its room see it.
 */


#ifndef _NGX_STREAM_NTRIP_CLUSTER_PRIVATE_H_INCLUDED_
#define _NGX_STREAM_NTRIP_CLUSTER_PRIVATE_H_INCLUDED_


#include "ngx_stream_ntrip_cluster.h"
#include "ngx_stream_ntrip_mirror.h"


/* in the thread: a writer that changes PostgreSQL's rows */
void ngx_stream_ntrip_cluster_writer(ngx_stream_ntrip_writer_t *writer,
    ngx_stream_ntrip_pg_t *pg);


#endif /* _NGX_STREAM_NTRIP_CLUSTER_PRIVATE_H_INCLUDED_ */
