
/*
 * Fieldgate: the trace of one device: what happens in its next session, event
 * by event.
 *
 *   OFF      nobody has asked, or has taken it back
 *   WAITING  for an Inform of the device
 *   RUNNING  since then
 *   DONE     the session is over
 *
 *            | arm     | off | Inform  | other   | wake-up | last answer
 *   ---------+---------+-----+---------+---------+---------+------------
 *   OFF      | WAITING | OFF |         |         |         |
 *   WAITING  | WAITING | OFF | RUNNING |         | WAITING |
 *            | (anew)  |     | +       |         | +       |
 *   RUNNING  | WAITING | OFF | RUNNING | RUNNING | RUNNING | DONE
 *            | (anew)  |     | +       | +       | +       | +
 *   DONE     | WAITING | OFF |         |         |         |
 *
 * "+": the event is kept.  An Inform while it runs is that of a CPE that has
 * given up, or has been asked for its password.  Of many events the last ones
 * are kept.
 *
 * All zero at first.  The zone's lock is held; a process that is killed leaves
 * an event that nobody sees, or one that is not counted.
 */


#ifndef _CWMP_TRACE_H_INCLUDED_
#define _CWMP_TRACE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_facts.h"
#include "cwmp_table.h"


#define CWMP_TRACE_EVENTS  32
#define CWMP_TRACE_TEXT    48

/* bytes of a device's id: two hyphens, and what else a row has */
#define CWMP_TRACE_ID      (CWMP_FACTS_SIZE + 2)


typedef enum {
    CWMP_TRACE_OFF = 0,
    CWMP_TRACE_WAITING,
    CWMP_TRACE_RUNNING,
    CWMP_TRACE_DONE
} cwmp_trace_state_e;


typedef enum {
    CWMP_TRACE_INFORM = 0,            /* its event codes */
    CWMP_TRACE_MESSAGE,               /* its method */
    CWMP_TRACE_REFUSED,               /* by cwmp_require; the status */
    CWMP_TRACE_ANSWER,                /* the status; server */
    CWMP_TRACE_LAST,                  /* the same, after which it is over */
    CWMP_TRACE_WAKEUP                 /* the status for the ACS; result */
} cwmp_trace_event_e;

#define CWMP_TRACE_EVENT_KINDS  (CWMP_TRACE_WAKEUP + 1)


typedef struct {
    int64_t              time;        /* milliseconds since 1970 */
    uint32_t             process;
    uint16_t             kind;        /* cwmp_trace_event_e */
    uint16_t             status;      /* of HTTP; 0: none */
    uint32_t             len;
    u_char               text[CWMP_TRACE_TEXT];
} cwmp_trace_event_t;


typedef struct {
    ngx_atomic_t         state;       /* cwmp_trace_state_e; may be read without
                                         the lock */
    int64_t              since;       /* seconds since 1970: armed */
    uint32_t             id_len;
    u_char               id[CWMP_TRACE_ID];
    u_char               device[CWMP_TABLE_KEY_LEN];
    u_char               url[CWMP_TABLE_KEY_LEN];   /* of its wake-ups */
    uint64_t             n;           /* events so far */
    cwmp_trace_event_t   events[CWMP_TRACE_EVENTS];
} cwmp_trace_t;


/*
 * Begins to wait for the device of that id and key; url: of its wake-ups, NULL:
 * not known.  NGX_DECLINED: the id is too long for any device.
 */
ngx_int_t cwmp_trace_arm(cwmp_trace_t *t, const ngx_str_t *id,
    const u_char *device, const u_char *url, int64_t time);

void cwmp_trace_off(cwmp_trace_t *t);

/*
 * Something has happened to the device of that key, or, if it is a wake-up, of
 * that URL.  What is no event of the trace is left out, by the table above.
 */
void cwmp_trace_event(cwmp_trace_t *t, const u_char *key,
    const cwmp_trace_event_t *ev);

/* An Inform of the device has announced that URL. */
void cwmp_trace_url(cwmp_trace_t *t, const u_char *device, const u_char *url);

/* The text of an event; what is too long is cut off. */
void cwmp_trace_text(cwmp_trace_event_t *ev, const ngx_str_t *text);

/*
 * Copies the events that there are, the oldest first; returns their number.
 */
ngx_uint_t cwmp_trace_copy(cwmp_trace_t *t, cwmp_trace_event_t *events);


#endif /* _CWMP_TRACE_H_INCLUDED_ */
