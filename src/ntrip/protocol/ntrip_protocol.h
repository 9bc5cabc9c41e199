
/*
 * The door of this room: what is read from and written to rovers, providers
 * and the console.  Each of these parsers stands alone: it takes bytes, in
 * pieces of any size where they come from a socket, and gives results; it
 * allocates nothing, keeps no state but what the caller holds for it, and is
 * fuzzed and unit-tested under its own name in t/.
 */


#ifndef _NTRIP_PROTOCOL_H_INCLUDED_
#define _NTRIP_PROTOCOL_H_INCLUDED_


#include "ntrip_text.h"
#include "ntrip_chunked.h"
#include "ntrip_request.h"
#include "ntrip_response.h"
#include "ntrip_reply.h"
#include "ntrip_gga.h"
#include "ntrip_gga_form.h"
#include "ntrip_rtcm.h"
#include "ntrip_msm.h"
#include "ntrip_profile.h"
#include "ntrip_area.h"
#include "ntrip_sourcetable.h"
#include "ntrip_facts.h"
#include "ntrip_filter.h"
#include "ntrip_directory.h"
#include "ntrip_token.h"
#include "ntrip_password.h"
#include "ntrip_console.h"
#include "ntrip_json.h"
#include "ntrip_json_read.h"


#endif /* _NTRIP_PROTOCOL_H_INCLUDED_ */
