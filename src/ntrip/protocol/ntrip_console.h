/*
 * The admin console's language: cors-relay's six verbs byte for byte, and
 * the further ones in the same grammar.
 *
 *    USER-LIST pw
 *    USER-ADD pw user:password DATE [TIME]
 *    USER-UPDATE pw user password
 *    USER-EXPIRE pw user DATE [TIME]
 *    USER-DEL pw user
 *    CLIENT-LIST pw
 *    KICK pw user
 *    SOURCE-LIST pw
 *    SOURCE-ADD pw server user:password DATE [TIME]
 *    SOURCE-UPDATE pw server user password
 *    SOURCE-DEL pw server user
 *    SOURCE-TEST pw server user [mountpoint]
 *    POOL-ADD pw pool server user
 *    POOL-DEL pw pool server user
 *    STATION-LIST pw
 *    STATION-ADD pw mount name:password
 *    STATION-DEL pw mount
 *    STREAM-LIST pw
 *    USAGE pw [user]
 *    TRACE pw [user]
 *    TRACE-DEL pw
 *    HELP pw
 *
 * Words are separated by any run of space, tab, CR and LF; the first eight
 * count.  Verbs are in upper case.  The number of words is checked before the
 * password.  DATE is YYYY-MM-DD, TIME HH:MM:SS, 23:59:59 if absent; further
 * words are ignored where a TIME may stand.
 *
 * A reply is "OK VERB", rows, and an empty line; or one "ERROR ..." line.
 * What cors-relay does by closing silently, an unknown verb, gets "ERROR bad
 * command" here, and dates are checked.
 */


#ifndef _NTRIP_CONSOLE_H_INCLUDED_
#define _NTRIP_CONSOLE_H_INCLUDED_


#include "ntrip_token.h"


/* bytes of a command with its LF; cors-relay takes 256 */
#define NTRIP_CONSOLE_MAX        1024
#define NTRIP_CONSOLE_WORDS      8

/* one row of any list is shorter, and so is all of HELP; a value is shown up
   to so many bytes, more than any that can log in has */
#define NTRIP_CONSOLE_ROW_MAX    1280
#define NTRIP_CONSOLE_VALUE_MAX  255

/* bytes of a pool's name, as of the directives */
#define NTRIP_CONSOLE_POOL_MAX   32


typedef enum {
    NTRIP_CONSOLE_USER_LIST = 0,
    NTRIP_CONSOLE_USER_ADD,
    NTRIP_CONSOLE_USER_UPDATE,
    NTRIP_CONSOLE_USER_EXPIRE,
    NTRIP_CONSOLE_USER_DEL,
    NTRIP_CONSOLE_CLIENT_LIST,
    NTRIP_CONSOLE_KICK,
    NTRIP_CONSOLE_SOURCE_LIST,
    NTRIP_CONSOLE_SOURCE_ADD,
    NTRIP_CONSOLE_SOURCE_UPDATE,
    NTRIP_CONSOLE_SOURCE_DEL,
    NTRIP_CONSOLE_SOURCE_TEST,
    NTRIP_CONSOLE_POOL_ADD,
    NTRIP_CONSOLE_POOL_DEL,
    NTRIP_CONSOLE_STATION_LIST,
    NTRIP_CONSOLE_STATION_ADD,
    NTRIP_CONSOLE_STATION_DEL,
    NTRIP_CONSOLE_STREAM_LIST,
    NTRIP_CONSOLE_USAGE,
    NTRIP_CONSOLE_TRACE,
    NTRIP_CONSOLE_TRACE_DEL,
    NTRIP_CONSOLE_HELP
} ntrip_console_verb_e;


/* the error replies; which one a failed verb has: ntrip_console_failure() */
#define NTRIP_CONSOLE_BAD_COMMAND   "ERROR bad command\r\n"
#define NTRIP_CONSOLE_BAD_PASSWORD  "ERROR bad password\r\n"
#define NTRIP_CONSOLE_BAD_TOKEN     "ERROR invalid token\r\n"
#define NTRIP_CONSOLE_BAD_DATE      "ERROR invalid date\r\n"
#define NTRIP_CONSOLE_BAD_SERVER    "ERROR invalid server\r\n"
#define NTRIP_CONSOLE_BAD_POOL      "ERROR invalid pool\r\n"
#define NTRIP_CONSOLE_BAD_MOUNT     "ERROR invalid mountpoint\r\n"
#define NTRIP_CONSOLE_UNAVAILABLE   "ERROR database unavailable\r\n"
#define NTRIP_CONSOLE_TOO_MANY      "ERROR too many connections\r\n"


typedef struct {
    ngx_uint_t    year;
    ngx_uint_t    month;                 /* 1 to 12 */
    ngx_uint_t    day;
    ngx_uint_t    hour;
    ngx_uint_t    minute;
    ngx_uint_t    second;                /* 0 to 59 */
} ntrip_date_t;


typedef struct {
    ntrip_console_verb_e   verb;
    ngx_uint_t             argc;
    ngx_str_t              argv[NTRIP_CONSOLE_WORDS];

    /* of ntrip_console_arguments(), as the verb has them */
    ntrip_token_t          token;        /* user, password, host, port */
    ntrip_date_t           expires;      /* local time */
    ngx_str_t              pool;
    ngx_str_t              mount;        /* SOURCE-TEST: may be empty */
} ntrip_console_command_t;


/*
 * How many of the bytes that have come are the first command, LF included; 0:
 * it is not whole yet.  With "last", as the peer has half-closed or was silent
 * for 2 s, all there is without an LF is one; and so is what is longer than
 * NTRIP_CONSOLE_MAX, to which the reply is NTRIP_CONSOLE_BAD_COMMAND.
 */
size_t ntrip_console_command(u_char *p, size_t len, ngx_uint_t last);

/*
 * The command in [p, p + len), of NTRIP_CONSOLE_MAX bytes at most.  Checks the
 * verb and the number of words.  Strings point into the buffer.
 *
 *   NGX_OK         now check the password, argv[1]
 *   NGX_DECLINED   reply NTRIP_CONSOLE_BAD_COMMAND
 */
ngx_int_t ntrip_console_parse(ntrip_console_command_t *cmd, u_char *p,
    size_t len);

/* behind the password: NULL if the arguments are right, else the reply */
const char *ntrip_console_arguments(ntrip_console_command_t *cmd);

/* the reply to a verb that found no such user or source, or one that is there
   already: "ERROR user not found\r\n"... */
const char *ntrip_console_failure(ntrip_console_verb_e verb);

/* "USER-ADD"... */
const char *ntrip_console_verb(ntrip_console_verb_e verb);


/* a real calendar day; NGX_OK or NGX_ERROR.  An empty "time" is 23:59:59 */
ngx_int_t ntrip_date_parse(ntrip_date_t *d, ngx_str_t *date,
    ngx_str_t *time);

/* appends "YYYY-MM-DD HH:MM:SS" */
void ntrip_date_out(ntrip_out_t *out, ntrip_date_t *d);


/*
 * Replies.  A list is a head, rows, and an end; a verb without rows is a head
 * and an end.  Control characters in a value, which an SQLite shell may have
 * put there, are shown as '?', so that a row stays a row.
 */

void ntrip_console_head(ntrip_out_t *out, ntrip_console_verb_e verb);
void ntrip_console_end(ntrip_out_t *out);

/* USER-LIST: "user:password\tDATE TIME"; the password of a hashed one is "*",
   which the caller passes */
void ntrip_console_user_row(ntrip_out_t *out, ngx_str_t *user,
    ngx_str_t *password, ntrip_date_t *expires);

/* CLIENT-LIST: "user:password\taddress\tDATE TIME" of the login */
void ntrip_console_client_row(ntrip_out_t *out, ngx_str_t *user,
    ngx_str_t *password, ngx_str_t *address, ntrip_date_t *login);

/* SOURCE-LIST: "server\tuser:password\tDATE TIME\tSTATE"; the state of a good
   source is "?", cors-relay's fourth column */
#define NTRIP_CONSOLE_SOURCE_OK       0
#define NTRIP_CONSOLE_SOURCE_EXPIRED  1        /* "expired" */
#define NTRIP_CONSOLE_SOURCE_REFUSED  2        /* "refused" */
#define NTRIP_CONSOLE_SOURCE_COOLING  3        /* "cooling" */

void ntrip_console_source_row(ntrip_out_t *out, ntrip_token_t *token,
    ntrip_date_t *expires, ngx_uint_t state);

/* STATION-LIST: "mount\tname:password\tfrom", "-" if nobody uploads */
void ntrip_console_station_row(ntrip_out_t *out, ngx_str_t *mount,
    ngx_str_t *name, ngx_str_t *password, ngx_str_t *from);

/* STREAM-LIST: "mount\tserver\tuser\trovers\tlatitude,longitude\tmessages\t
   bytes"; the position is "-" if there is none.  Of a base station the server
   is where it is, and the user its name */
typedef struct {
    ngx_str_t     mount;
    ngx_str_t     host;
    ngx_uint_t    port;
    ngx_str_t     user;
    ngx_uint_t    rovers;
    ngx_uint_t    located;               /* whether there is a position */
    double        latitude;
    double        longitude;
    uint64_t      messages;
    uint64_t      bytes;
} ntrip_console_stream_t;

void ntrip_console_stream_row(ntrip_out_t *out, ntrip_console_stream_t *s);

/* USAGE: "day\tkind\tname\tsessions\tseconds\tbytes" */
typedef struct {
    ngx_str_t     day;
    ngx_str_t     kind;
    ngx_str_t     name;
    uint64_t      sessions;
    uint64_t      seconds;
    uint64_t      bytes;
} ntrip_console_usage_t;

void ntrip_console_usage_row(ntrip_out_t *out, ntrip_console_usage_t *usage);

/* TRACE: "DATE TIME\tworker\tevent\tcount\ttext"; the text of a reply begins
   with its status */
typedef struct {
    ntrip_date_t  time;
    ngx_uint_t    worker;
    const char   *event;
    uint64_t      count;
    ngx_uint_t    status;                /* 0: none */
    ngx_str_t     text;
} ntrip_console_event_t;

void ntrip_console_event_row(ntrip_out_t *out, ntrip_console_event_t *event);

/* SOURCE-TEST: what was got, as one row; TRACE: its state and user */
void ntrip_console_text_row(ntrip_out_t *out, ngx_str_t *text);

/* all rows of HELP: the lines at the top of this file */
void ntrip_console_help(ntrip_out_t *out);


#endif /* _NTRIP_CONSOLE_H_INCLUDED_ */
