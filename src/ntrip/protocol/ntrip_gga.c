
/*
 * Fieldgate: positions of rovers.
 */


#include "ntrip_gga.h"

#include <math.h>


#define NTRIP_GGA_FIELDS     20

#define NTRIP_GGA_LATITUDE   2
#define NTRIP_GGA_NORTH      3
#define NTRIP_GGA_LONGITUDE  4
#define NTRIP_GGA_EAST       5
#define NTRIP_GGA_QUALITY    6
#define NTRIP_GGA_SATS       7
#define NTRIP_GGA_ALTITUDE   9
#define NTRIP_GGA_GEOID      11

/* nothing that works for a living is farther from sea level, in m */
#define NTRIP_GGA_HIGHEST    100000.0

/* WGS 84 */
#define NTRIP_EARTH_A        6378137.0
#define NTRIP_EARTH_F        (1 / 298.257223563)

#define NTRIP_DEGREE         (3.14159265358979323846 / 180)


static ngx_uint_t ntrip_gga_header(u_char *p, size_t len);
static ngx_uint_t ntrip_nmea_is_end(ntrip_nmea_t *n, u_char ch);
static ngx_int_t ntrip_gga_checksum(ngx_str_t *body, ngx_str_t *sentence);
static u_char ntrip_gga_sum(ngx_str_t *body);
static ngx_uint_t ntrip_gga_split(ngx_str_t *fields, ngx_str_t *body);
static ngx_int_t ntrip_gga_angle(double *degrees, ngx_str_t *value,
    ngx_str_t *side, const char *sides, double max);
static ngx_int_t ntrip_gga_decimal(double *d, ngx_str_t *value);


void
ntrip_nmea_init(ntrip_nmea_t *n)
{
    n->len = 0;
    n->collecting = 0;
    n->digits = 0;
}


ngx_int_t
ntrip_nmea_next(ntrip_nmea_t *n, ngx_str_t *in, ngx_str_t *sentence)
{
    u_char  ch;

    while (in->len) {

        ch = *in->data++;
        in->len--;

        if (ch == '$') {
            n->collecting = 1;
            n->digits = 0;
            n->line[0] = ch;
            n->len = 1;
            continue;
        }

        if (!n->collecting) {
            continue;
        }

        if (!ntrip_nmea_is_end(n, ch)) {
            continue;
        }

        n->collecting = 0;

        if (!ntrip_gga_header(n->line, n->len)) {
            continue;
        }

        sentence->data = n->line;
        sentence->len = n->len;

        return NGX_OK;
    }

    return NGX_AGAIN;
}


/* takes the byte; whether the sentence is over, or hopeless: then it is cut
   to nothing */

static ngx_uint_t
ntrip_nmea_is_end(ntrip_nmea_t *n, u_char ch)
{
    if (ch == CR || ch == LF || ch == '\0') {
        return 1;
    }

    if (ch < 0x20 || ch > 0x7e || n->len == NTRIP_GGA_MAX) {
        n->len = 0;
        return 1;
    }

    n->line[n->len++] = ch;

    if (n->len == sizeof("$GPGGA,") - 1
        && !ntrip_gga_header(n->line, n->len))
    {
        return 1;
    }

    if (ch == '*') {
        n->digits = 1;

    } else if (n->digits && ntrip_text_hex(ch) != NGX_ERROR) {
        return ++n->digits == 3;

    } else {
        n->digits = 0;
    }

    return 0;
}


/* "$", two letters or digits of the talker, "GGA," */

static ngx_uint_t
ntrip_gga_header(u_char *p, size_t len)
{
    ngx_uint_t  i;

    if (len < sizeof("$GPGGA,") - 1 || p[0] != '$'
        || ngx_memcmp(p + 3, "GGA,", 4) != 0)
    {
        return 0;
    }

    for (i = 1; i < 3; i++) {
        if ((p[i] < 'A' || p[i] > 'Z') && (p[i] < '0' || p[i] > '9')) {
            return 0;
        }
    }

    return 1;
}


ngx_int_t
ntrip_gga_parse(ntrip_gga_t *gga, ngx_str_t *sentence)
{
    double      altitude, geoid;
    ngx_int_t   quality, satellites;
    ngx_str_t   body, field[NTRIP_GGA_FIELDS];
    ngx_uint_t  n;

    if (!ntrip_gga_header(sentence->data, sentence->len)
        || ntrip_gga_checksum(&body, sentence) != NGX_OK)
    {
        return NGX_ERROR;
    }

    n = ntrip_gga_split(field, &body);

    if (n <= NTRIP_GGA_ALTITUDE) {
        return NGX_ERROR;
    }

    if (field[NTRIP_GGA_QUALITY].len == 0
        || field[NTRIP_GGA_LATITUDE].len == 0
        || field[NTRIP_GGA_LONGITUDE].len == 0)
    {
        return NGX_DECLINED;
    }

    quality = ntrip_text_number(&field[NTRIP_GGA_QUALITY], 9);

    if (quality <= 0) {
        return (quality == 0) ? NGX_DECLINED : NGX_ERROR;
    }

    satellites = 0;

    if (field[NTRIP_GGA_SATS].len) {
        satellites = ntrip_text_number(&field[NTRIP_GGA_SATS], 999);
    }

    altitude = 0;
    geoid = 0;

    if (satellites == NGX_ERROR
        || ntrip_gga_angle(&gga->latitude, &field[NTRIP_GGA_LATITUDE],
                           &field[NTRIP_GGA_NORTH], "NS", 90) != NGX_OK
        || ntrip_gga_angle(&gga->longitude, &field[NTRIP_GGA_LONGITUDE],
                           &field[NTRIP_GGA_EAST], "EW", 180) != NGX_OK
        || ntrip_gga_decimal(&altitude, &field[NTRIP_GGA_ALTITUDE]) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (n > NTRIP_GGA_GEOID
        && ntrip_gga_decimal(&geoid, &field[NTRIP_GGA_GEOID]) != NGX_OK)
    {
        return NGX_ERROR;
    }

    gga->height = altitude + geoid;
    gga->quality = quality;
    gga->satellites = satellites;

    return (fabs(gga->height) <= NTRIP_GGA_HIGHEST) ? NGX_OK : NGX_ERROR;
}


/* cuts the checksum off; NGX_ERROR if it is wrong, or no two digits */

static ngx_int_t
ntrip_gga_checksum(ngx_str_t *body, ngx_str_t *sentence)
{
    u_char     *star;
    ngx_int_t   high, low;

    *body = *sentence;
    ntrip_text_trim(body);

    star = memchr(body->data, '*', body->len);

    if (star == NULL) {
        return NGX_OK;
    }

    if (body->data + body->len - star != 3) {
        return NGX_ERROR;
    }

    high = ntrip_text_hex(star[1]);
    low = ntrip_text_hex(star[2]);

    if (high == NGX_ERROR || low == NGX_ERROR) {
        return NGX_ERROR;
    }

    body->len -= 3;

    return (ntrip_gga_sum(body) == (high << 4 | low)) ? NGX_OK : NGX_ERROR;
}


/* of what is between '$' and '*' */

static u_char
ntrip_gga_sum(ngx_str_t *body)
{
    u_char  sum;
    size_t  i;

    sum = 0;

    for (i = 1; i < body->len; i++) {
        sum ^= body->data[i];
    }

    return sum;
}


/* how many there are; what is behind the last one that fits stays with it */

static ngx_uint_t
ntrip_gga_split(ngx_str_t *fields, ngx_str_t *body)
{
    u_char      *p, *comma, *last;
    ngx_uint_t   n;

    p = body->data;
    last = p + body->len;

    for (n = 0; n < NTRIP_GGA_FIELDS; n++) {

        comma = memchr(p, ',', last - p);

        fields[n].data = p;
        fields[n].len = (comma ? comma : last) - p;

        if (comma == NULL) {
            return n + 1;
        }

        p = comma + 1;
    }

    return n;
}


/* "dddmm.mmmm" and the letter of its side; sides[0] is the positive one */

static ngx_int_t
ntrip_gga_angle(double *degrees, ngx_str_t *value, ngx_str_t *side,
    const char *sides, double max)
{
    double  d, minutes;

    if (value->data[0] == '-' || value->data[0] == '+'
        || ntrip_gga_decimal(&d, value) != NGX_OK
        || side->len != 1)
    {
        return NGX_ERROR;
    }

    *degrees = floor(d / 100);
    minutes = d - *degrees * 100;

    *degrees += minutes / 60;

    if (minutes >= 60 || *degrees > max) {
        return NGX_ERROR;
    }

    if (ngx_toupper(side->data[0]) == sides[1]) {
        *degrees = -*degrees;
        return NGX_OK;
    }

    return (ngx_toupper(side->data[0]) == sides[0]) ? NGX_OK : NGX_ERROR;
}


/* strtod() goes by the locale; empty is 0 */

static ngx_int_t
ntrip_gga_decimal(double *d, ngx_str_t *value)
{
    u_char      *p, *last;
    double       scale, sign;
    ngx_uint_t   digits;

    *d = 0;

    p = value->data;
    last = p + value->len;

    if (p == last) {
        return NGX_OK;
    }

    sign = (*p == '-') ? -1 : 1;

    if (*p == '-' || *p == '+') {
        p++;
    }

    digits = 0;

    for ( /* void */ ; p < last && *p >= '0' && *p <= '9'; p++) {
        *d = *d * 10 + (*p - '0');
        digits++;
    }

    if (digits > 9) {
        return NGX_ERROR;
    }

    if (p < last && *p == '.') {
        scale = 0.1;

        for (p++; p < last && *p >= '0' && *p <= '9'; p++) {
            *d += (*p - '0') * scale;
            scale /= 10;
            digits++;
        }
    }

    *d *= sign;

    return (p == last && digits) ? NGX_OK : NGX_ERROR;
}


void
ntrip_gga_line(ntrip_out_t *out, ngx_str_t *sentence)
{
    u_char     sum;
    ngx_str_t  line;

    static const u_char  hex[] = "0123456789ABCDEF";

    line = *sentence;
    ntrip_text_trim(&line);

    ntrip_out_str(out, &line);

    if (memchr(line.data, '*', line.len) == NULL) {
        sum = ntrip_gga_sum(&line);

        ntrip_out_char(out, '*');
        ntrip_out_char(out, hex[sum >> 4]);
        ntrip_out_char(out, hex[sum & 0xf]);
    }

    ntrip_out_text(out, CRLF);
}


void
ntrip_gga_position(ntrip_position_t *p, ntrip_gga_t *gga)
{
    double  lat, lon, e2, n;

    lat = gga->latitude * NTRIP_DEGREE;
    lon = gga->longitude * NTRIP_DEGREE;

    e2 = NTRIP_EARTH_F * (2 - NTRIP_EARTH_F);
    n = NTRIP_EARTH_A / sqrt(1 - e2 * sin(lat) * sin(lat));

    p->x = (n + gga->height) * cos(lat) * cos(lon);
    p->y = (n + gga->height) * cos(lat) * sin(lon);
    p->z = (n * (1 - e2) + gga->height) * sin(lat);
}


double
ntrip_position_distance(ntrip_position_t *a, ntrip_position_t *b)
{
    double  x, y, z;

    x = a->x - b->x;
    y = a->y - b->y;
    z = a->z - b->z;

    return sqrt(x * x + y * y + z * z);
}


void
ntrip_geohash(ntrip_out_t *out, double latitude, double longitude,
    ngx_uint_t len)
{
    double      low[2], high[2], value[2], middle;
    ngx_uint_t  axis, i, bit, digit;

    static const u_char  base32[] = "0123456789bcdefghjkmnpqrstuvwxyz";

    value[0] = longitude;
    value[1] = latitude;

    low[0] = -180;
    high[0] = 180;
    low[1] = -90;
    high[1] = 90;

    axis = 0;

    for (i = 0; i < len && i < NTRIP_GEOHASH_MAX; i++) {
        digit = 0;

        for (bit = 0; bit < 5; bit++) {
            middle = (low[axis] + high[axis]) / 2;
            digit <<= 1;

            if (value[axis] >= middle) {
                digit |= 1;
                low[axis] = middle;

            } else {
                high[axis] = middle;
            }

            axis = !axis;
        }

        ntrip_out_char(out, base32[digit]);
    }
}
