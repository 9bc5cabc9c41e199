
/*
 * MSM4 from MSM5, MSM6 and MSM7 (RTCM 10403.x, 3.5.16), for receivers that
 * know only the first.  What MSM4 has no field for is left out: extended
 * satellite information, phase range rates and Doppler.  What it has in less
 * resolution is rounded; what was marked as invalid stays so, and a valid value
 * never becomes the mark.
 *
 * All seven systems have the same layout, and message numbers that end with
 * the kind: 1071 to 1077 GPS, 1081 GLONASS, 1091 Galileo, 1101 SBAS, 1111 QZSS,
 * 1121 BeiDou, 1131 NavIC.
 */


#ifndef _NTRIP_MSM_H_INCLUDED_
#define _NTRIP_MSM_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "ntrip_rtcm.h"


/* 1 to 7, or 0 if messages of this number are no MSM */
ngx_uint_t ntrip_msm_kind(ngx_uint_t type);

/*
 * Writes the MSM4 of "m", a whole frame, to "buf", which has room for m->len
 * bytes: it is never longer.  "m" is then that of the new frame.
 *
 *   NGX_OK        done
 *   NGX_DECLINED  "m" is no MSM5, MSM6 or MSM7
 *   NGX_ERROR     it is shorter than its masks say, or has more than 64 cells
 */
ngx_int_t ntrip_msm_reduce(ntrip_rtcm_message_t *m, u_char *buf);


#endif /* _NTRIP_MSM_H_INCLUDED_ */
