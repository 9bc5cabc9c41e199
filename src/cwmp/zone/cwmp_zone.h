
/*
 * Fieldgate: the door of the room: tables in shared memory, and what is known
 * of sessions and devices.
 */


#ifndef _CWMP_ZONE_H_INCLUDED_
#define _CWMP_ZONE_H_INCLUDED_


#include "cwmp_hash.h"
#include "cwmp_table.h"
#include "cwmp_session.h"
#include "cwmp_rows.h"
#include "cwmp_facts.h"
#include "cwmp_device.h"
#include "cwmp_trace.h"
#include "cwmp_admission.h"
#include "cwmp_replay.h"


#endif /* _CWMP_ZONE_H_INCLUDED_ */
