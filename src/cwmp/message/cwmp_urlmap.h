
/*
 * Fieldgate: URLs of the ACS's side that a CPE cannot use, and the other way.
 *
 * Toward the CPE: in Download, Upload, ScheduleDownload and ChangeDUState each
 * element URL, SuccessURL or FailureURL; in SetParameterValues each Value whose
 * Name ends with ".ManagementServer.URL".  Toward the ACS: each Value.  A text
 * that begins with a prefix, white space aside, gets the other prefix: only the
 * bytes that stand for the first are replaced, be they characters, references,
 * CDATA or cut by comments.
 *
 * One incremental pass, in bounded memory.
 */


#ifndef _CWMP_URLMAP_H_INCLUDED_
#define _CWMP_URLMAP_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include "cwmp_xml.h"


/* bytes of a prefix */
#define CWMP_URLMAP_PREFIX_MAX  256

/* bytes of a name that are kept: its last ones */
#define CWMP_URLMAP_NAME        64

/* values of one struct, and of a message */
#define CWMP_URLMAP_PENDING     16
#define CWMP_URLMAP_EDITS       1024


typedef struct {
    ngx_str_t             from;      /* what the ACS writes */
    ngx_str_t             to;        /* what the CPE has to see */
} cwmp_urlmap_pair_t;


/* in the message: what stands from start up to end is replaced */

typedef struct {
    off_t                 start;
    off_t                 end;
    ngx_str_t             prefix;    /* the other one */
    unsigned              opens:1;   /* start is in CDATA */
    unsigned              closes:1;  /* end is */
} cwmp_urlmap_edit_t;


typedef enum {
    CWMP_URLMAP_CHARSET = 1,         /* one that does not contain ASCII */
    CWMP_URLMAP_MARKUP,              /* DOCTYPE, or what can be read twice */
    CWMP_URLMAP_DEPTH,
    CWMP_URLMAP_MANY,                /* values */
    CWMP_URLMAP_HANDLER
} cwmp_urlmap_error_e;


typedef enum {
    CWMP_URLMAP_NONE = 0,
    CWMP_URLMAP_URLS,                /* Download, Upload, ... */
    CWMP_URLMAP_SET                  /* SetParameterValues */
} cwmp_urlmap_method_e;


typedef struct {
    cwmp_urlmap_pair_t   *pairs;
    ngx_uint_t            npairs;
    unsigned              back:1;    /* toward the ACS */

    /*
     * Gets each edit, in ascending order, none of which overlap.  Anything but
     * NGX_OK ends the pass.
     */
    ngx_int_t           (*handler)(void *data, cwmp_urlmap_edit_t *edit);
    void                 *data;

    ngx_uint_t            error;     /* cwmp_urlmap_error_e */

    /* the state */

    cwmp_xml_t            xml;
    u_char                head[4];
    size_t                nhead;
    unsigned              begun:1;
    unsigned              named:1;   /* the struct's name is one */
    unsigned              cut:1;     /* the value has elements */

    size_t                most;      /* of the prefixes that are looked for */
    ngx_uint_t            depth;
    ngx_uint_t            method;    /* depths; 0: not in one */
    ngx_uint_t            structure;
    ngx_uint_t            name;
    ngx_uint_t            value;
    cwmp_urlmap_method_e  kind;
    ngx_uint_t            edits;

    size_t                name_len;
    u_char                name_text[2 * CWMP_URLMAP_NAME];

    off_t                 start;     /* of the value's first character */
    off_t                 reference; /* where "&" stands; -1: nowhere */
    size_t                len;
    u_char                text[CWMP_URLMAP_PREFIX_MAX];
    u_char                cdata[CWMP_URLMAP_PREFIX_MAX];
    off_t                 ends[CWMP_URLMAP_PREFIX_MAX];

    ngx_uint_t            npending;
    cwmp_urlmap_edit_t    pending[CWMP_URLMAP_PENDING];
} cwmp_urlmap_t;


/*
 * m: zeroed, with pairs, npairs, back, handler and data set, prefixes of at
 * most CWMP_URLMAP_PREFIX_MAX bytes.
 */
void cwmp_urlmap_init(cwmp_urlmap_t *m);

/*
 * Reads the next bytes of the message; and its end.  NGX_OK, or NGX_ERROR, see
 * m->error.
 */
ngx_int_t cwmp_urlmap_read(cwmp_urlmap_t *m, u_char *p, size_t len);
ngx_int_t cwmp_urlmap_end(cwmp_urlmap_t *m);

/* What is wrong, for the log. */
const char *cwmp_urlmap_strerror(ngx_uint_t error);

/*
 * Writes what stands in the edit's place into dst, which has
 * cwmp_urlmap_size() bytes.  Returns the end.
 */
size_t cwmp_urlmap_size(cwmp_urlmap_edit_t *edit);
u_char *cwmp_urlmap_write(u_char *dst, cwmp_urlmap_edit_t *edit);


#endif /* _CWMP_URLMAP_H_INCLUDED_ */
