
/*
 * Where a user may work: the column "area", "latitude,longitude,kilometres" in
 * degrees, a circle.  Empty: anywhere.  What cannot be read lets nobody in
 * anywhere: whoever wrote it meant to set a limit.  t/unit/ntrip_area.c
 */


#ifndef _NTRIP_AREA_H_INCLUDED_
#define _NTRIP_AREA_H_INCLUDED_


#include "ntrip_text.h"


typedef enum {
    NTRIP_AREA_ANYWHERE = 0,
    NTRIP_AREA_CIRCLE,
    NTRIP_AREA_NOWHERE                   /* it could not be read */
} ntrip_area_e;


typedef struct {
    uint32_t      kind;                  /* ntrip_area_e */
    int32_t       latitude;              /* 1e-7 degrees */
    int32_t       longitude;
    uint32_t      metres;
} ntrip_area_t;


void ntrip_area_parse(ntrip_area_t *area, ngx_str_t *text);


#endif /* _NTRIP_AREA_H_INCLUDED_ */
