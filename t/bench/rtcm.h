
/*
 * Fieldgate: messages for the NTRIP benchmark: RTCM 3 frames whose every byte
 * follows from a number and a time, so that whoever gets one can tell that it
 * is whole.
 */


#ifndef _RTCM_H_INCLUDED_
#define _RTCM_H_INCLUDED_


#include <stddef.h>
#include <stdint.h>


#define RTCM_MIN  32             /* a frame with number and time */
#define RTCM_MAX  1029


/* writes a frame of "len" bytes; last: it ends its epoch */
void rtcm_frame(uint8_t *buf, size_t len, uint32_t number, uint64_t time,
    int last);

/* bytes of the frame that begins there; 0: not yet known; dies if there is
   none */
size_t rtcm_length(const uint8_t *buf, size_t len);

uint32_t rtcm_number(const uint8_t *buf);
uint64_t rtcm_time(const uint8_t *buf);

/* dies unless the frame is as rtcm_frame() has made it */
void rtcm_check(const uint8_t *buf, size_t len);


#endif /* _RTCM_H_INCLUDED_ */
