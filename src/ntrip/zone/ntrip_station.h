
/*
 * Streams of base stations: their source is an upload, which comes by itself.
 * All functions need the zone's lock unless they say otherwise.
 *
 *            publish                        detach (the last rover)
 *     free ----------> LIVE <----------+   +----------------------> free
 *      |                |              |   |
 *      |                | orphan,      | publish
 *      |                | owner died   |   |
 *      +-------------> ORPHAN ---------+---+
 *        attach by a rover
 *
 * The row is one of the streams' (ntrip_stream.h), with "station" set, without
 * a pool, an account, or a port; it is the place of its mountpoint for all
 * servers.  Rovers attach to it and wait, and never own it: its owner is the
 * worker that has the upload, and an ORPHAN without rovers is freed.
 *
 * Whoever comes second is refused, unless the first has sent nothing of use for
 * NTRIP_STATION_SILENT ms: a base station that has lost its connection without
 * a FIN comes back so.  The owner, being alive, is asked by "asked" to give the
 * stream up, which it does if it finds the same; the newcomer asks again until
 * then.
 *
 * What is known of the station, for lists, is in "facts": two cells and a
 * sequence number, as in ntrip_mailbox.h, but with one writer, the owner.
 *
 * Attacks:
 *   owner killed: the sweep makes an ORPHAN of it, or frees it; until then a
 *     newcomer gets NGX_AGAIN.
 *   owner killed within a write of facts: the current cell is whole; the next
 *     owner writes the other one.
 *   owner is alive but stuck: nobody takes its stream; the newcomer gives up.
 *   data come while it is asked: the owner takes no notice, and the newcomer
 *     finds it in use.
 *   a newcomer asks and goes: it is forgotten when the time is over for which
 *     it would have asked.
 *   two newcomers: under the lock the second finds the first, or its place
 *     still taken.
 */


#ifndef _NTRIP_STATION_H_INCLUDED_
#define _NTRIP_STATION_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NTRIP_STATION_SILENT  15000    /* ms */

/* ms: a station that has been silent for longer is not listed as live */
#define NTRIP_STATION_LISTED  60000

/* ms between two questions of a newcomer, and how many times it asks: the sweep
   comes each second */
#define NTRIP_STATION_ASK     50
#define NTRIP_STATION_TIMES   50


/*
 * An upload for the mountpoint of "want" (its mount and format; "station" is
 * set) begins; "label" is shown in lists.
 *   NGX_OK      the caller is its owner, LIVE; found->index, ->serial
 *   NGX_AGAIN   ask again in NTRIP_STATION_ASK ms: the owner is dead, or is
 *               asked to give it up, for which "wake" has its slot
 *   NGX_BUSY    another upload has it; found names it
 *   NGX_ERROR   the streams table is full
 */
ngx_int_t ntrip_station_publish(ntrip_zone_t *zone, ntrip_bus_t *bus,
    uint64_t me, uint64_t now, const ntrip_want_t *want,
    const ngx_str_t *label, ntrip_found_t *found, ntrip_slots_t *wake);

/* no lock, owner only: somebody wants it, has asked within
   NTRIP_STATION_TIMES * NTRIP_STATION_ASK ms, and may have it */
ngx_uint_t ntrip_station_asked(ntrip_zone_t *zone, uint32_t index,
    uint64_t now);

/* no lock: an upload is there and has sent something of use within so many
   ms */
ngx_uint_t ntrip_station_fresh(ntrip_stream_row_t *row, uint64_t now,
    uint64_t age);

/* no lock, owner only */
void ntrip_station_tell(ntrip_zone_t *zone, uint32_t index,
    const ntrip_facts_t *facts);

/* no lock.  NGX_OK, or NGX_DECLINED: nothing is known, or it was overtaken
   NTRIP_MAILBOX_TRIES times */
ngx_int_t ntrip_station_facts(ntrip_stream_row_t *row, ntrip_facts_t *facts);


#endif /* _NTRIP_STATION_H_INCLUDED_ */
