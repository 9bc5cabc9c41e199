
/*
 * A sourcetable that is there as a whole, as a file has it: its lines in one
 * piece, ready to be sent, and its mountpoints, to be found by name.
 *
 * Pure: all memory is the caller's.  t/unit/ntrip_directory.c
 */


#ifndef _NTRIP_DIRECTORY_H_INCLUDED_
#define _NTRIP_DIRECTORY_H_INCLUDED_


#include "ntrip_sourcetable.h"


typedef struct {
    ngx_str_t                   name;        /* in the text */
    ngx_uint_t                  gga;         /* it needs a position */
} ntrip_directory_mount_t;


typedef struct {
    ngx_str_t                   text;        /* lines with CRLF, without the
                                                end */
    ntrip_directory_mount_t    *mounts;      /* in order, case aside */
    ngx_uint_t                  nmounts;

    /* lines of such mountpoints are left out; set before it is read */
    ngx_uint_t                (*declared)(void *data, ngx_str_t *name);
    void                       *data;
} ntrip_directory_t;


/* how many lines there may be, and bytes of text */
void ntrip_directory_size(ngx_str_t *table, ngx_uint_t *lines, size_t *size);

/*
 * Reads a table: "text" and "mounts" have what ntrip_directory_size() said.
 * Lines of CAS, NET and STR are taken, but those that are too long, have a
 * control character, or a mountpoint that nobody could ask for; others are
 * passed over, and so are all behind ENDSOURCETABLE.  Returns NGX_OK, or
 * NGX_DECLINED if that is missing.
 */
ngx_int_t ntrip_directory_read(ntrip_directory_t *directory, ngx_str_t *table,
    u_char *text, ntrip_directory_mount_t *mounts);

/* the mountpoint of that name, as ntrip_mount_match_t finds it; NULL: none */
ntrip_directory_mount_t *ntrip_directory_find(ntrip_directory_t *directory,
    ngx_str_t *name);


#endif /* _NTRIP_DIRECTORY_H_INCLUDED_ */
