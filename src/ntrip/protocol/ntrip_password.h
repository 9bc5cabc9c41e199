/*
 * Stored passwords.
 *
 * A stored value that begins with '$' or '{' is a hash, anything else the
 * password itself:
 *
 *    $6$salt$...         whatever crypt(3) knows
 *    {CRYPT}$6$...       the same
 *    {PLAIN}password     for a password that begins with '$' or '{'
 *    {SHA}b64            SHA-1, {SSHA}b64 with a salt behind the digest
 *
 * New ones are sha512crypt: 1.4 ms each, so that the 10,000 rovers that come
 * back after a restart cost 14 s of the thread pool; yescrypt would cost
 * 208 s, in which they time out, and then come again.
 *
 * Plain values compare in microseconds and may be verified in the event loop;
 * anything ntrip_password_slow() belongs in a thread.
 */


#ifndef _NTRIP_PASSWORD_H_INCLUDED_
#define _NTRIP_PASSWORD_H_INCLUDED_


#include "ntrip_text.h"


/* random bytes for a salt of 16 characters */
#define NTRIP_PASSWORD_SALT      12

/* of a hash made here, with its end: "$6$" salt "$" 86 characters */
#define NTRIP_PASSWORD_HASH      107

/* longest stored value that is looked at */
#define NTRIP_PASSWORD_STORED    512

/* and of one that serves as an example of its kind */
#define NTRIP_PASSWORD_EXAMPLE   256


/* whether the value is a hash: begins with '$' or '{' */
ngx_uint_t ntrip_password_is_hash(ngx_str_t *stored);

/* whether its verification takes crypt(3) */
ngx_uint_t ntrip_password_slow(ngx_str_t *stored);

/*
 *   NGX_OK         "given" is the password
 *   NGX_DECLINED   it is not
 *   NGX_ERROR      the stored value is of no known form, or damaged: nothing
 *                  would match; worth a line in the log
 *
 * Takes the same time wherever the first difference is.  Needs 32 KB of
 * stack.  Thread-safe.
 */
ngx_int_t ntrip_password_verify(ngx_str_t *stored, ngx_str_t *given);

/*
 * Kinds of slow hashes, with all that their cost hangs on: "$6$",
 * "$6$rounds=10000$", "$y$j9T$"...  Of a database it is known which it has, by
 * an example of each, up to NTRIP_PASSWORD_KINDS; an example is written before
 * "n" is, and never changes, so that a thread may read it meanwhile.
 */

#define NTRIP_PASSWORD_KINDS     4

typedef struct {
    ngx_uint_t    n;
    size_t        len[NTRIP_PASSWORD_KINDS];
    u_char        text[NTRIP_PASSWORD_KINDS][NTRIP_PASSWORD_EXAMPLE];
} ntrip_kinds_t;

/* notes the kind of a stored value, if it is a slow hash and short enough */
void ntrip_kinds_add(ntrip_kinds_t *kinds, ngx_str_t *stored);

/*
 * ntrip_password_verify() that takes as long for every user of the database:
 * a password that is wrong is hashed once in each kind, if "kinds" is not
 * NULL.  "stored" NULL: there is no such user; "refused": he is not let in
 * anyway, NGX_DECLINED.  Thread-safe.
 */
ngx_int_t ntrip_password_check(ngx_str_t *stored, ngx_str_t *given,
    ngx_uint_t refused, ntrip_kinds_t *kinds);

/* whether both are equal; the time depends on the length of "given" alone */
ngx_uint_t ntrip_password_equal(ngx_str_t *secret, ngx_str_t *given);

/*
 * Writes the sha512crypt of "password" into "hash" with a 0 behind it, and
 * returns NGX_OK; NGX_ERROR for a password with a 0 byte or longer than
 * NTRIP_PASSWORD_MAX, or if libcrypt cannot.  "salt" is random.
 * Slow, needs 32 KB of stack, thread-safe.
 */
ngx_int_t ntrip_password_hash(u_char hash[NTRIP_PASSWORD_HASH],
    ngx_str_t *password, u_char salt[NTRIP_PASSWORD_SALT]);

/* the value to store for a password kept as it is: itself, or with {PLAIN} in
   front; "stored" has room for 7 bytes more than the password.  Returns the
   length */
size_t ntrip_password_plain(u_char *stored, ngx_str_t *password);


#endif /* _NTRIP_PASSWORD_H_INCLUDED_ */
