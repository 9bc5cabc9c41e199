
/*
 * Fieldgate: origins, the URLs at which CPEs are called.
 *
 * The origin: the URL at which a CPE takes connection requests.
 *
 * It arrives twice: from the CPE, as the value of a parameter, and from the
 * ACS, as an argument of the URL that was announced in its place.  Both go
 * through one strict parser, so that what is signed, checked, logged and
 * connected to is one canonical thing.
 */


#ifndef _CWMP_ORIGIN_H_INCLUDED_
#define _CWMP_ORIGIN_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


/* cwmp_url_mode */

#define CWMP_URL_QUERY  0       /* PUBLIC?origin=URL&sig=SIG */
#define CWMP_URL_PATH   1       /* PUBLIC<target>?origin=HOST:PORT&sig=SIG */
#define CWMP_URL_HOST   2       /* http://LABEL.DOMAIN:PORT<target> */

/* signed as in query mode, but to be called by UDP only */
#define CWMP_URL_UDP    3       /* PUBLIC?origin=URL&udp=HOST:PORT&sig=SIG */


/* bytes of an origin URL, or of a request target in path mode */

#define CWMP_ORIGIN_MAX           2048

/*
 * Size of the buffer that the parsers need for an input of len bytes, which
 * may be any number: of an argument no more than three times the maximum is
 * looked at, since each byte may come encoded.
 */

#define CWMP_ORIGIN_ENCODED_MAX   (3 * CWMP_ORIGIN_MAX)

#define cwmp_origin_size(len)                                                \
    (7 * ngx_min((size_t) (len), CWMP_ORIGIN_ENCODED_MAX) + 1024)


typedef enum {
    CWMP_ORIGIN_MISSING = 1,    /* no origin argument, or an empty one */
    CWMP_ORIGIN_TOO_LONG,
    CWMP_ORIGIN_BAD_ESCAPE,     /* "%" without two hexadecimal digits */
    CWMP_ORIGIN_CONTROL,        /* control character, raw or encoded */
    CWMP_ORIGIN_BAD_CHAR,       /* space, quote, angle bracket */
    CWMP_ORIGIN_BACKSLASH,
    CWMP_ORIGIN_SCHEME,         /* anything but http:// */
    CWMP_ORIGIN_USERINFO,
    CWMP_ORIGIN_FRAGMENT,
    CWMP_ORIGIN_NO_HOST,
    CWMP_ORIGIN_BAD_HOST,       /* neither a name nor an address */
    CWMP_ORIGIN_BAD_NUMBER,     /* 127.1, 0177.0.0.1, 2130706433, 0x7f000001 */
    CWMP_ORIGIN_BAD_IPV6,
    CWMP_ORIGIN_ZONE,           /* [fe80::1%25eth0] */
    CWMP_ORIGIN_BAD_PORT        /* empty, 0, above 65535, no number */
} cwmp_origin_error_e;


/*
 * All strings lie in the buffer given to the parser, none ends with '\0'.
 * An IPv6 address that maps an IPv4 one is given as the latter.
 */

typedef struct {
    ngx_sockaddr_t      sockaddr;     /* with the port; AF_UNSPEC: a name */
    socklen_t           socklen;      /* 0: a name */
    ngx_uint_t          port;         /* 1 to 65535 */

    ngx_str_t           host;         /* canonical, lower case, no brackets */
    ngx_str_t           hostport;     /* host:port, [v6]:port; may be logged */
    ngx_str_t           host_header;  /* the same, without port 80 */

    /*
     * What goes on the request line to the CPE: path and query as they came,
     * with bytes that a request line cannot carry percent-encoded.  In path
     * mode it is the ACS's own request target, our arguments included, since
     * a Digest response covers it.  A secret (TR-069 3.2.2.1): not for logs.
     */

    ngx_str_t           target;

    /*
     * What a signature covers: the CPE's path and query without our own
     * arguments, in the one spelling that all spellings share which a URL
     * parser on the way may make of it.
     */

    ngx_str_t           path;

    /*
     * Query mode: where a CPE behind NAT takes UDP connection requests, as it
     * is signed; empty if there is none.
     */

    ngx_str_t           udp;

    ngx_str_t           sig;          /* signature argument; empty if none */
} cwmp_origin_t;


/*
 * Parses the URL that a CPE announced (surrounding white space removed by the
 * caller).  buf has cwmp_origin_size(url->len) bytes and lives as long as *o.
 * Returns NGX_OK or a cwmp_origin_error_e.
 */
ngx_int_t cwmp_origin_parse(cwmp_origin_t *o, ngx_str_t *url, u_char *buf);


/*
 * Parses what CPEs are announced at, which is a URL like theirs; in host mode
 * its name begins with "*.", where one label is supposed to be.  buf has
 * cwmp_origin_size(url->len) + url->len bytes.  NGX_DECLINED: the name begins
 * so in another mode, or does not in this one; else as above.
 */
ngx_int_t cwmp_origin_parse_public(cwmp_origin_t *o, ngx_uint_t mode,
    ngx_str_t *url, u_char *buf);


/*
 * Finds the origin in the request target of a wake-up (r->unparsed_uri) and
 * parses it.  In query mode the first "origin=" argument is percent-decoded
 * exactly once and is a URL; in path mode the last one is, so, host:port, and
 * the target itself has the path.  "sig=" is looked for behind it, and in query
 * mode "udp=".
 * buf has cwmp_origin_size(target->len) bytes and lives as long as *o.
 * Returns NGX_OK or a cwmp_origin_error_e.
 */
ngx_int_t cwmp_origin_parse_target(cwmp_origin_t *o, ngx_uint_t mode,
    ngx_str_t *target, u_char *buf);


/*
 * The same in host mode: the origin and its signature are in the name that was
 * asked for, and the target is the CPE's own.
 */
ngx_int_t cwmp_origin_parse_name(cwmp_origin_t *o, ngx_str_t *name,
    ngx_str_t *target, u_char *buf);


/*
 * Parses the address and port of a CPE behind NAT, announced or called: as
 * host[:port], no name.  buf as for cwmp_origin_parse().
 */
ngx_int_t cwmp_origin_parse_udp(cwmp_origin_t *o, ngx_str_t *text,
    u_char *buf);


/* What is wrong, for error.log: "has userinfo", without the origin itself. */
const char *cwmp_origin_strerror(ngx_int_t error);


#include "cwmp_label.h"
#include "cwmp_policy.h"
#include "cwmp_sign.h"
#include "cwmp_url.h"


#endif /* _CWMP_ORIGIN_H_INCLUDED_ */
