
/*
 * Fieldgate: positions of rovers.
 */


#include "ntrip_gga.h"

#include <math.h>


/* fields of the sentence */
#define NTRIP_GGA_TIME       1
#define NTRIP_GGA_LAT        2
#define NTRIP_GGA_NORTH      3
#define NTRIP_GGA_LON        4
#define NTRIP_GGA_EAST       5
#define NTRIP_GGA_FIX        6
#define NTRIP_GGA_SATS       7
#define NTRIP_GGA_HDOP       8
#define NTRIP_GGA_ALT        9
#define NTRIP_GGA_METRES     10
#define NTRIP_GGA_GEOID      11
#define NTRIP_GGA_UNIT       12
#define NTRIP_GGA_AGE        13
#define NTRIP_GGA_COUNT      20

/* commas in numbers cut them in two */
#define NTRIP_GGA_PIECES     (NTRIP_GGA_COUNT + 8)

/* nothing that works for a living is farther from sea level, in m */
#define NTRIP_GGA_HIGHEST    100000.0

/* WGS 84 */
#define NTRIP_EARTH_A        6378137.0
#define NTRIP_EARTH_F        (1 / 298.257223563)

#define NTRIP_DEGREE         (3.14159265358979323846 / 180)


static ngx_uint_t ntrip_gga_header(u_char *p, size_t len);
static ngx_uint_t ntrip_nmea_is_end(ntrip_nmea_t *n, u_char ch);
static ngx_uint_t ntrip_gga_body(ngx_str_t *body, ngx_str_t *sentence);
static u_char ntrip_gga_sum(ngx_str_t *body);
static ngx_int_t ntrip_gga_values(ntrip_gga_t *gga, ngx_str_t *field,
    ngx_uint_t n);
static ngx_uint_t ntrip_gga_split(ngx_str_t *field, ngx_str_t *body);
static ngx_uint_t ntrip_gga_pieces(ngx_str_t *piece, ngx_str_t *body);
static ngx_uint_t ntrip_gga_join(ngx_str_t *field, ngx_str_t *piece,
    ngx_uint_t n);
static ngx_uint_t ntrip_gga_is(ngx_str_t *field, const char *letters);
static ngx_int_t ntrip_gga_angle(double *degrees, ngx_str_t *value,
    ngx_str_t *side, const char *sides, double max);
static ngx_int_t ntrip_gga_decimal(double *d, ngx_str_t *value);
static double ntrip_gga_optional(ngx_str_t *field, ngx_uint_t n,
    ngx_uint_t i);
static void ntrip_gga_field(ntrip_out_t *out, ngx_str_t *value,
    ngx_uint_t i);


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

        if (ch == '$' && n->collecting && n->digits
            && ntrip_gga_header(n->line, n->len))
        {
            /* the next one will see it again */

            in->data--;
            in->len++;

        } else if (ch == '$') {
            n->collecting = 1;
            n->digits = 0;
            n->line[0] = ch;
            n->len = 1;
            continue;

        } else if (!n->collecting || !ntrip_nmea_is_end(n, ch)) {
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

    } else if (n->digits && ngx_hextoi(&ch, 1) != NGX_ERROR) {
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
    ngx_int_t   rc;
    ngx_str_t   body, field[NTRIP_GGA_COUNT];
    ngx_uint_t  n, right;

    if (!ntrip_gga_header(sentence->data, sentence->len)) {
        gga->error = NTRIP_GGA_FIELDS;
        return NGX_ERROR;
    }

    right = ntrip_gga_body(&body, sentence);
    n = ntrip_gga_split(field, &body);

    rc = ntrip_gga_values(gga, field, n);

    /* a sentence that was damaged on its way is not the receiver's fault */

    if (rc == NGX_ERROR && !right) {
        gga->error = NTRIP_GGA_CHECKSUM;
    }

    return rc;
}


static ngx_int_t
ntrip_gga_values(ntrip_gga_t *gga, ngx_str_t *field, ngx_uint_t n)
{
    ngx_int_t  quality;

    if (n <= NTRIP_GGA_ALT) {
        gga->error = NTRIP_GGA_FIELDS;
        return NGX_ERROR;
    }

    gga->quality = 0;
    gga->satellites = (ngx_uint_t) ntrip_gga_optional(field, n,
                                                      NTRIP_GGA_SATS);

    if (n <= NTRIP_GGA_AGE
        || field[NTRIP_GGA_AGE].len == 0
        || ntrip_gga_decimal(&gga->age, &field[NTRIP_GGA_AGE]) != NGX_OK)
    {
        gga->age = -1;
    }

    if (field[NTRIP_GGA_FIX].len == 0
        || field[NTRIP_GGA_LAT].len == 0
        || field[NTRIP_GGA_LON].len == 0)
    {
        return NGX_DECLINED;
    }

    quality = ntrip_text_number(&field[NTRIP_GGA_FIX], 9);

    if (quality == 0) {
        return NGX_DECLINED;
    }

    gga->error = 0;

    if (quality == NGX_ERROR) {
        gga->error = NTRIP_GGA_QUALITY;

    } else if (ntrip_gga_angle(&gga->latitude, &field[NTRIP_GGA_LAT],
                               &field[NTRIP_GGA_NORTH], "NS", 90)
               != NGX_OK)
    {
        gga->error = NTRIP_GGA_LATITUDE;

    } else if (ntrip_gga_angle(&gga->longitude, &field[NTRIP_GGA_LON],
                               &field[NTRIP_GGA_EAST], "EW", 180)
               != NGX_OK)
    {
        gga->error = NTRIP_GGA_LONGITUDE;
    }

    gga->quality = quality;
    gga->height = ntrip_gga_optional(field, n, NTRIP_GGA_ALT)
                  + ntrip_gga_optional(field, n, NTRIP_GGA_GEOID);

    if (gga->error == 0 && fabs(gga->height) > NTRIP_GGA_HIGHEST) {
        gga->error = NTRIP_GGA_ALTITUDE;
    }

    return gga->error ? NGX_ERROR : NGX_OK;
}


const char *
ntrip_gga_error(ngx_uint_t error)
{
    static const char  *names[] = {
        "none", "checksum", "fields", "latitude", "longitude", "quality",
        "altitude"
    };

    return names[error];
}


const char *
ntrip_gga_fix(ngx_uint_t quality)
{
    static const char  *names[] = {
        "none", "single", "dgps", "pps", "fixed", "float", "estimated",
        "manual", "simulator", "other"
    };

    return names[ngx_min(quality, 9)];
}


/* cuts off the checksum and what is behind it; whether it was right.  None at
   all is: NMEA 0183 leaves it to the receiver */

static ngx_uint_t
ntrip_gga_body(ngx_str_t *body, ngx_str_t *sentence)
{
    size_t   len;
    u_char  *star;

    *body = *sentence;
    ntrip_text_trim(body);

    star = memchr(body->data, '*', body->len);

    if (star == NULL) {
        return 1;
    }

    len = body->len;
    body->len = star - body->data;

    if (len != body->len + 3) {
        return 0;
    }

    return ntrip_gga_sum(body) == ngx_hextoi(star + 1, 2);
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


/* the fields, without blanks around them; how many there are.  What is behind
   the last one that fits stays with it */

static ngx_uint_t
ntrip_gga_split(ngx_str_t *field, ngx_str_t *body)
{
    ngx_str_t   piece[NTRIP_GGA_PIECES];
    ngx_uint_t  n;

    n = ntrip_gga_pieces(piece, body);

    /* one comma too many, or two, in front of north and south */

    if (n > NTRIP_GGA_EAST + 1
        && !ntrip_gga_is(&piece[NTRIP_GGA_NORTH], "NS")
        && (ntrip_gga_is(&piece[NTRIP_GGA_NORTH + 1], "NS")
            || ntrip_gga_is(&piece[NTRIP_GGA_NORTH + 2], "NS")))
    {
        return ntrip_gga_join(field, piece, n);
    }

    if (n > NTRIP_GGA_COUNT) {
        piece[NTRIP_GGA_COUNT - 1].len = body->data + body->len
                                         - piece[NTRIP_GGA_COUNT - 1].data;
        n = NTRIP_GGA_COUNT;
    }

    ngx_memcpy(field, piece, n * sizeof(ngx_str_t));

    return n;
}


static ngx_uint_t
ntrip_gga_pieces(ngx_str_t *piece, ngx_str_t *body)
{
    u_char      *p, *comma, *last;
    ngx_uint_t   n;

    p = body->data;
    last = p + body->len;

    for (n = 0; n < NTRIP_GGA_PIECES; n++) {

        comma = memchr(p, ',', last - p);

        piece[n].data = p;
        piece[n].len = (comma ? comma : last) - p;
        ntrip_text_trim(&piece[n]);

        if (comma == NULL) {
            return n + 1;
        }

        p = comma + 1;
    }

    return n;
}


/*
 * The receiver may write numbers with a comma: the letters tell which two
 * pieces are one.  Where they do not, as with one of HDOP and altitude, the
 * sentence has as many fields as could be told, or none.
 */

static ngx_uint_t
ntrip_gga_join(ngx_str_t *field, ngx_str_t *piece, ngx_uint_t n)
{
    ngx_uint_t  i, f, k, width;

    static const struct {
        ngx_uint_t   field;         /* the next that has a letter, */
        const char  *letters;       /* one of these */
    } marks[] = {
        { NTRIP_GGA_NORTH, "NS" },
        { NTRIP_GGA_EAST, "EW" },
        { NTRIP_GGA_METRES, "M" },
        { NTRIP_GGA_UNIT, "M" }
    };

    field[0] = piece[0];
    i = 1;
    f = 1;

    for (k = 0; k < sizeof(marks) / sizeof(marks[0]); k++) {

        if (f == NTRIP_GGA_FIX) {

            /* quality and satellites are no decimal numbers */

            if (i + 2 >= n) {
                return f;
            }

            field[f++] = piece[i++];
            field[f++] = piece[i++];
        }

        for (width = 0; i + width < n; width++) {
            if (ntrip_gga_is(&piece[i + width], marks[k].letters)) {
                break;
            }
        }

        if (i + width == n) {
            return f;
        }

        if (width == 3 && k == 0 && piece[i + 1].len < 4) {

            /* "hhmmss,ss" and degrees without decimals */

            field[f].data = piece[i].data;
            field[f].len = piece[i + 1].data + piece[i + 1].len
                           - piece[i].data;
            f++;
            i += 2;
            width = 1;

        } else if (width == 3 && k == 0) {
            field[f++] = piece[i++];
            width = 2;
        }

        /* one piece for each field, or two */

        for ( /* void */ ; f < marks[k].field; f++) {

            if (width != marks[k].field - f
                && width != 2 * (marks[k].field - f))
            {
                return f;
            }

            field[f] = piece[i++];

            if (width-- != marks[k].field - f) {
                field[f].len = piece[i].data + piece[i].len - field[f].data;
                i++;
                width--;
            }
        }

        field[f++] = piece[i++];
    }

    /* age and station, of which only the age can be cut */

    if (n - i == 3) {
        field[f] = piece[i];
        field[f++].len = piece[i + 1].data + piece[i + 1].len
                         - piece[i].data;
        i += 2;
    }

    while (i < n && f < NTRIP_GGA_COUNT) {
        field[f++] = piece[i++];
    }

    return f;
}


static ngx_uint_t
ntrip_gga_is(ngx_str_t *field, const char *letters)
{
    return field->len == 1 && field->data[0] != '\0'
           && ngx_strchr(letters, ngx_toupper(field->data[0])) != NULL;
}


/* "dddmm.mmmm" and the letter of its side; sides[0] is the positive one */

static ngx_int_t
ntrip_gga_angle(double *degrees, ngx_str_t *value, ngx_str_t *side,
    const char *sides, double max)
{
    double  d, minutes;

    if (value->data[0] == '-' || value->data[0] == '+'
        || ntrip_gga_decimal(&d, value) != NGX_OK)
    {
        return NGX_ERROR;
    }

    *degrees = floor(d / 100);
    minutes = d - *degrees * 100;

    *degrees += minutes / 60;

    /* 60.0 is what rounding makes of 59.99999999 */

    if (minutes > 60 || *degrees > max || !ntrip_gga_is(side, sides)) {
        return NGX_ERROR;
    }

    if (ngx_toupper(side->data[0]) == sides[1]) {
        *degrees = -*degrees;
    }

    return NGX_OK;
}


/* strtod() goes by the locale, this takes both points; empty is 0 */

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

    if (p < last && (*p == '.' || *p == ',')) {
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


/* a number that is not needed: 0 if there is none */

static double
ntrip_gga_optional(ngx_str_t *field, ngx_uint_t n, ngx_uint_t i)
{
    double  d;

    if (i >= n || ntrip_gga_decimal(&d, &field[i]) != NGX_OK) {
        return 0;
    }

    return (i == NTRIP_GGA_SATS) ? fmax(d, 0) : d;
}


void
ntrip_gga_line(ntrip_out_t *out, ngx_str_t *sentence)
{
    u_char      sum, *start;
    ngx_str_t   body, line, field[NTRIP_GGA_COUNT];
    ngx_uint_t  i, n, right;

    static const u_char  hex[] = "0123456789ABCDEF";

    right = ntrip_gga_body(&body, sentence);
    n = ntrip_gga_split(field, &body);
    start = out->last;

    for (i = 0; i < n; i++) {
        if (i) {
            ntrip_out_char(out, ',');
        }

        ntrip_gga_field(out, &field[i], i);
    }

    line.data = start;
    line.len = out->last - start;

    if (right && line.len == body.len
        && ngx_memcmp(line.data, body.data, body.len) == 0
        && sentence->len > body.len && sentence->data[body.len] == '*')
    {
        /* as it came, with its digits in whatever case */

        line.data = sentence->data + body.len;
        line.len = sizeof("*00") - 1;
        ntrip_out_str(out, &line);

    } else {
        sum = ntrip_gga_sum(&line);

        ntrip_out_char(out, '*');
        ntrip_out_char(out, hex[sum >> 4]);
        ntrip_out_char(out, hex[sum & 0xf]);
    }

    ntrip_out_text(out, CRLF);
}


/* numbers with a point; what is to be a number and is none is left out; an
   angle of 60 minutes is the next degree */

static void
ntrip_gga_field(ntrip_out_t *out, ngx_str_t *value, ngx_uint_t i)
{
    double      d, degrees;
    size_t      k, whole;
    ngx_uint_t  angle;

    angle = (i == NTRIP_GGA_LAT || i == NTRIP_GGA_LON);

    if (!angle && i != NTRIP_GGA_TIME && i != NTRIP_GGA_SATS
        && i != NTRIP_GGA_HDOP && i != NTRIP_GGA_ALT
        && i != NTRIP_GGA_GEOID && i != NTRIP_GGA_AGE)
    {
        ntrip_out_str(out, value);
        return;
    }

    if (ntrip_gga_decimal(&d, value) != NGX_OK) {
        return;
    }

    for (whole = 0; whole < value->len; whole++) {
        if (value->data[whole] == '.' || value->data[whole] == ',') {
            break;
        }
    }

    k = 0;
    degrees = floor(d / 100);

    if (angle && whole >= 2 && d - degrees * 100 == 60
        && ngx_memcmp(value->data + whole - 2, "60", 2) == 0)
    {
        ntrip_out_uint(out, (uint64_t) degrees + 1,
                       (whole > 2) ? whole - 2 : 0);
        ntrip_out_text(out, "00");
        k = whole;
    }

    for ( /* void */ ; k < value->len; k++) {
        ntrip_out_char(out, (k == whole) ? '.' : value->data[k]);
    }
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
