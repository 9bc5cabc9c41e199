
/*
 * Several nodes, "ntrip_cluster": PostgreSQL has the users, accounts, pools and
 * stations of all nodes; each node's SQLite file is a mirror of them, from
 * which everything here reads as it would alone.  Nothing of PostgreSQL is in
 * the way of a rover.
 *
 * ngx_stream_ntrip_cluster.c        whose turn it is, what the log hears
 * ngx_stream_ntrip_cluster_write.c  a change, as a statement of PostgreSQL's
 * ngx_stream_ntrip_mirror.c         the mirror, ngx_stream_ntrip_mirrored.c its
 *                                   file, ntrip_mirror.c what it does next
 * ngx_stream_ntrip_pg.c             a connection
 *
 * Where it runs: in a thread of its own in each worker, one turn at a time, so
 * that libpq may wait, names be looked up, and a page of rows be written.
 * Between turns the event loop watches the connection of the one worker that
 * keeps the mirror, the lowest slot of the newest generation: a notice, or its
 * end, begins a turn, and so does each second.  Another worker has a connection
 * for as long as a change takes.
 *
 *     a turn:  connect --> the change, if there is one --> look --> read, copy
 *
 * A change of the console or the API is carried out in PostgreSQL, and then the
 * mirror is brought up to date, before it is answered: who asks this node next
 * sees it.  Nothing is written into the mirror first.
 *
 * Attacks:
 *   PostgreSQL away, slow, without a free connection, read-only, of another
 *     schema: a turn ends with the reason, logged once; the next one is a
 *     second later, on a new connection.  The mirror is as old as it is.
 *   the answer to a change is lost: it is "unavailable", though it may have
 *     been carried out; nothing is sent twice.
 *   commits out of order: numbers of changes are given under a lock that is
 *     held until the commit, schema/cluster.sql.
 *   a node that was away, changes trimmed, a backup brought back, TRUNCATE:
 *     ntrip_mirror.h.
 *   two workers, or two masters while the binary is upgraded, mirror at once:
 *     each transaction begins with a look whether the file still is as it was
 *     when the rows were asked for.
 *   killed anywhere: rows and place are one transaction.
 *   the file was replaced: it is found to be no mirror, or one that is behind.
 *   the file is somebody's own, or another cluster's: it is left alone.
 *   somebody changes rows faster than they are read: a turn ends all the same,
 *     some pages beyond what there was when it began.
 *   a worker ends while its thread waits for PostgreSQL: ngx_terminate ends
 *     the wait for an answer within 0.1 s, everything else does within
 *     NGX_STREAM_NTRIP_PG_TIMEOUT.  A connection that is being made is waited
 *     for, three seconds an address: the master may kill the worker then.
 *
 * Leases across nodes are to be rows {account, node, epoch, stream} there,
 * taken and renewed in the same turn, by the worker that keeps the mirror;
 * "epoch" tells one start of a node from another, so that two that were given
 * one name are two.  A holder counts its TTL by CLOCK_MONOTONIC from before it
 * sent the heartbeat that was answered, and stops using an account before that
 * is over, or when the clock has jumped (SIGSTOP), until it has renewed.
 * Whoever takes over waits for the TTL by the database's clock, and for another
 * one when it has just got PostgreSQL back.
 */


#ifndef _NGX_STREAM_NTRIP_CLUSTER_H_INCLUDED_
#define _NGX_STREAM_NTRIP_CLUSTER_H_INCLUDED_


#include "ngx_stream_ntrip.h"
#include "ngx_stream_ntrip_store.h"


#if (NGX_STREAM_NTRIP_CLUSTER)

/* init_process, behind the store's; exit_process; each second */
ngx_int_t ngx_stream_ntrip_cluster_init(ngx_cycle_t *cycle,
    ngx_stream_ntrip_main_conf_t *nmcf);
void ngx_stream_ntrip_cluster_exit(void);
void ngx_stream_ntrip_cluster_tick(void);

/* of the store's hooks: a change is carried out in PostgreSQL */
ngx_int_t ngx_stream_ntrip_cluster_change(ngx_stream_ntrip_work_t *work);

/* "ntrip_cluster" is understood by libpq; never says what of it is not, which
   may be a password */
ngx_uint_t ngx_stream_ntrip_cluster_conninfo(const char *conninfo);

#endif


#endif /* _NGX_STREAM_NTRIP_CLUSTER_H_INCLUDED_ */
