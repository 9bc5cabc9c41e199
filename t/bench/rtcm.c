
/*
 * Fieldgate: the messages of the NTRIP benchmark.
 */


#include "rtcm.h"
#include "bench.h"

#include <string.h>


/* behind the header of 3 bytes: MSM header, then ours */
#define RTCM_NUMBER   12
#define RTCM_TIME     16
#define RTCM_PATTERN  24


static uint32_t
rtcm_crc(const uint8_t *p, size_t len)
{
    int              i;
    uint32_t         crc;
    static uint32_t  table[256];

    if (table[1] == 0) {
        for (i = 0; i < 256; i++) {
            int  n;

            crc = (uint32_t) i << 16;

            for (n = 0; n < 8; n++) {
                crc = (crc << 1) ^ ((crc & 0x800000) ? 0x1864cfb : 0);
            }

            table[i] = crc & 0xffffff;
        }
    }

    crc = 0;

    while (len--) {
        crc = ((crc << 8) & 0xffffff) ^ table[(crc >> 16) ^ *p++];
    }

    return crc;
}


void
rtcm_frame(uint8_t *buf, size_t len, uint32_t number, uint64_t time, int last)
{
    size_t    i, n;
    uint32_t  crc;

    n = len - 6;
    memset(buf, 0, len);

    /* type 1077, GPS MSM7; bit 54: more of this epoch will come */

    buf[0] = 0xd3;
    buf[1] = (uint8_t) (n >> 8);
    buf[2] = (uint8_t) n;
    buf[3] = 1077 >> 4;
    buf[4] = (uint8_t) (1077 << 4);
    buf[3 + 54 / 8] = last ? 0 : 0x80 >> (54 % 8);

    memcpy(buf + RTCM_NUMBER, &number, sizeof(number));
    memcpy(buf + RTCM_TIME, &time, sizeof(time));

    for (i = RTCM_PATTERN; i < len - 3; i++) {
        buf[i] = (uint8_t) (number + i);
    }

    crc = rtcm_crc(buf, len - 3);
    buf[len - 3] = (uint8_t) (crc >> 16);
    buf[len - 2] = (uint8_t) (crc >> 8);
    buf[len - 1] = (uint8_t) crc;
}


size_t
rtcm_length(const uint8_t *buf, size_t len)
{
    size_t  n;

    if (len && buf[0] != 0xd3) {
        bench_die("byte 0x%02x where a message should begin", buf[0]);
    }

    if (len < 3) {
        return 0;
    }

    n = ((size_t) (buf[1] & 3) << 8 | buf[2]) + 6;

    if (n < RTCM_MIN) {
        bench_die("message of %zu bytes", n);
    }

    return n;
}


uint32_t
rtcm_number(const uint8_t *buf)
{
    uint32_t  number;

    memcpy(&number, buf + RTCM_NUMBER, sizeof(number));

    return number;
}


uint64_t
rtcm_time(const uint8_t *buf)
{
    uint64_t  time;

    memcpy(&time, buf + RTCM_TIME, sizeof(time));

    return time;
}


void
rtcm_check(const uint8_t *buf, size_t len)
{
    uint8_t  frame[RTCM_MAX];

    rtcm_frame(frame, len, rtcm_number(buf), rtcm_time(buf),
               (buf[3 + 54 / 8] & (0x80 >> (54 % 8))) == 0);

    if (memcmp(buf, frame, len) != 0) {
        bench_die("message %u is damaged", rtcm_number(buf));
    }
}
