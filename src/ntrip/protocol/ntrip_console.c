
/*
 * Fieldgate: the language of the admin console.
 */


#include "ntrip_console.h"
#include "ntrip_sourcetable.h"


/*
 * What follows the password:
 *    a  user:password     u  user         p  password     s  server
 *    o  pool              n  mountpoint   c  name:password, of a station
 *    d  date, and perhaps a time; m  perhaps a mountpoint; v  perhaps a user:
 *       words behind it are no error
 */

typedef struct {
    const char   *name;
    const char   *arguments;
    const char   *failure;
} ntrip_console_spec_t;


static const char *ntrip_console_argument(ntrip_console_command_t *cmd,
    u_char kind, ngx_uint_t i);
static ngx_int_t ntrip_console_name(ngx_str_t *dst, ngx_str_t *word,
    size_t max);
static ngx_uint_t ntrip_console_words(const ntrip_console_spec_t *spec,
    ngx_uint_t argc);
static ngx_int_t ntrip_date_number(ngx_str_t *text, size_t start, size_t len,
    ngx_uint_t *value, ngx_uint_t min, ngx_uint_t max);
static void ntrip_console_value(ntrip_out_t *out, ngx_str_t *value);
static void ntrip_console_server(ntrip_out_t *out, ngx_str_t *host,
    ngx_uint_t port);


/* in the order of ntrip_console_verb_e */

static const ntrip_console_spec_t  ntrip_console_specs[] = {
    { "USER-LIST",     "",    "ERROR list users failed" CRLF },
    { "USER-ADD",      "ad",  "ERROR add user failed" CRLF },
    { "USER-UPDATE",   "up",  "ERROR user not found" CRLF },
    { "USER-EXPIRE",   "ud",  "ERROR user not found" CRLF },
    { "USER-DEL",      "u",   "ERROR user not found" CRLF },
    { "CLIENT-LIST",   "",    "ERROR list clients failed" CRLF },
    { "KICK",          "u",   "ERROR user not connected" CRLF },
    { "SOURCE-LIST",   "",    "ERROR list sources failed" CRLF },
    { "SOURCE-ADD",    "sad", "ERROR add ntrip failed" CRLF },
    { "SOURCE-UPDATE", "sup", "ERROR source not found" CRLF },
    { "SOURCE-DEL",    "su",  "ERROR source not found" CRLF },
    { "SOURCE-TEST",   "sum", "ERROR source not found" CRLF },
    { "POOL-ADD",      "osu", "ERROR source not found" CRLF },
    { "POOL-DEL",      "osu", "ERROR source not found" CRLF },
    { "STATION-LIST",  "",    "ERROR list stations failed" CRLF },
    { "STATION-ADD",   "nc",  "ERROR add station failed" CRLF },
    { "STATION-DEL",   "n",   "ERROR station not found" CRLF },
    { "STREAM-LIST",   "",    "ERROR list streams failed" CRLF },
    { "USAGE",         "v",   "ERROR list usage failed" CRLF },
    { "TRACE",         "v",   "ERROR trace failed" CRLF },
    { "TRACE-DEL",     "",    "ERROR trace failed" CRLF },
    { "HELP",          "",    "ERROR help failed" CRLF }
};

#define NTRIP_CONSOLE_VERBS                                                   \
    (sizeof(ntrip_console_specs) / sizeof(ntrip_console_spec_t))


size_t
ntrip_console_command(u_char *p, size_t len, ngx_uint_t last)
{
    u_char  *lf;

    lf = ngx_strlchr(p, p + len, LF);

    if (lf) {
        return lf + 1 - p;
    }

    return (last || len > NTRIP_CONSOLE_MAX) ? len : 0;
}


ngx_int_t
ntrip_console_parse(ntrip_console_command_t *cmd, u_char *p, size_t len)
{
    u_char                      *last;
    ngx_str_t                   *word;
    ngx_uint_t                   i;
    const ntrip_console_spec_t  *spec;

    ngx_memzero(cmd, sizeof(ntrip_console_command_t));

    if (len > NTRIP_CONSOLE_MAX || (len && memchr(p, '\0', len))) {
        return NGX_DECLINED;
    }

    last = p + len;

    while (cmd->argc < NTRIP_CONSOLE_WORDS) {

        while (p < last && strchr(" \t\r\n", *p)) {
            p++;
        }

        if (p == last) {
            break;
        }

        word = &cmd->argv[cmd->argc++];
        word->data = p;

        while (p < last && !strchr(" \t\r\n", *p)) {
            p++;
        }

        word->len = p - word->data;
    }

    if (cmd->argc == 0) {
        return NGX_DECLINED;
    }

    for (i = 0; i < NTRIP_CONSOLE_VERBS; i++) {
        spec = &ntrip_console_specs[i];

        if (cmd->argv[0].len != ngx_strlen(spec->name)
            || ngx_memcmp(cmd->argv[0].data, spec->name, cmd->argv[0].len))
        {
            continue;
        }

        cmd->verb = (ntrip_console_verb_e) i;

        return ntrip_console_words(spec, cmd->argc) ? NGX_OK : NGX_DECLINED;
    }

    return NGX_DECLINED;
}


/* whether the verb takes so many words, itself and the password included */

static ngx_uint_t
ntrip_console_words(const ntrip_console_spec_t *spec, ngx_uint_t argc)
{
    ngx_uint_t   words, more;
    const char  *p;

    words = 2;
    more = 0;

    for (p = spec->arguments; *p; p++) {
        words += (*p != 'm' && *p != 'v');
        more |= (*p == 'd' || *p == 'm' || *p == 'v');
    }

    return argc == words || (argc > words && more);
}


const char *
ntrip_console_arguments(ntrip_console_command_t *cmd)
{
    ngx_uint_t   i;
    const char  *p, *reply;

    i = 2;

    for (p = ntrip_console_specs[cmd->verb].arguments; *p; p++, i++) {

        reply = ntrip_console_argument(cmd, *p, i);

        if (reply) {
            return reply;
        }
    }

    return NULL;
}


static const char *
ntrip_console_argument(ntrip_console_command_t *cmd, u_char kind,
    ngx_uint_t i)
{
    ngx_int_t       rc;
    ngx_str_t      *word, none;
    ntrip_token_t  *token;

    word = &cmd->argv[i];
    token = &cmd->token;

    ngx_str_null(&none);

    switch (kind) {

    case 'a':
    case 'c':
        rc = ntrip_token_account(token, word);
        return (rc == NGX_OK) ? NULL : NTRIP_CONSOLE_BAD_TOKEN;

    case 'u':
        rc = ntrip_console_name(&token->user, word, NTRIP_USER_MAX);
        return (rc == NGX_OK) ? NULL : NTRIP_CONSOLE_BAD_TOKEN;

    case 'v':
        rc = (cmd->argc > i) ? ntrip_console_name(&token->user, word,
                                                  NTRIP_USER_MAX)
                             : NGX_OK;
        return (rc == NGX_OK) ? NULL : NTRIP_CONSOLE_BAD_TOKEN;

    case 'p':
        rc = ntrip_console_name(&token->password, word, NTRIP_PASSWORD_MAX);
        return (rc == NGX_OK) ? NULL : NTRIP_CONSOLE_BAD_TOKEN;

    case 'o':
        rc = ntrip_console_name(&cmd->pool, word, NTRIP_CONSOLE_POOL_MAX);
        return (rc == NGX_OK) ? NULL : NTRIP_CONSOLE_BAD_POOL;

    case 'n':
        cmd->mount = *word;
        return ntrip_mount_check(word) ? NTRIP_CONSOLE_BAD_MOUNT : NULL;

    case 's':
        rc = ntrip_token_server(token, word);
        return (rc == NGX_OK) ? NULL : NTRIP_CONSOLE_BAD_SERVER;

    case 'd':
        rc = ntrip_date_parse(&cmd->expires, word,
                              cmd->argc > i + 1 ? word + 1 : &none);
        return (rc == NGX_OK) ? NULL : NTRIP_CONSOLE_BAD_DATE;

    default: /* 'm' */
        if (cmd->argc > i) {
            cmd->mount = *word;
        }

        return NULL;
    }
}


static ngx_int_t
ntrip_console_name(ngx_str_t *dst, ngx_str_t *word, size_t max)
{
    if (word->len > max || ntrip_text_controls(word)) {
        return NGX_ERROR;
    }

    *dst = *word;

    return NGX_OK;
}


const char *
ntrip_console_failure(ntrip_console_verb_e verb)
{
    return ntrip_console_specs[verb].failure;
}


const char *
ntrip_console_verb(ntrip_console_verb_e verb)
{
    return ntrip_console_specs[verb].name;
}


ngx_int_t
ntrip_date_parse(ntrip_date_t *d, ngx_str_t *date, ngx_str_t *time)
{
    ngx_uint_t  days;

    static const u_char  month_days[] = {
        31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31
    };

    if (date->len != sizeof("YYYY-MM-DD") - 1
        || date->data[4] != '-' || date->data[7] != '-'
        || ntrip_date_number(date, 0, 4, &d->year, 1, 9999) != NGX_OK
        || ntrip_date_number(date, 5, 2, &d->month, 1, 12) != NGX_OK)
    {
        return NGX_ERROR;
    }

    days = month_days[d->month - 1];

    if (d->month == 2 && d->year % 4 == 0
        && (d->year % 100 != 0 || d->year % 400 == 0))
    {
        days = 29;
    }

    if (ntrip_date_number(date, 8, 2, &d->day, 1, days) != NGX_OK) {
        return NGX_ERROR;
    }

    if (time->len == 0) {
        d->hour = 23;
        d->minute = 59;
        d->second = 59;

        return NGX_OK;
    }

    if (time->len != sizeof("HH:MM:SS") - 1
        || time->data[2] != ':' || time->data[5] != ':'
        || ntrip_date_number(time, 0, 2, &d->hour, 0, 23) != NGX_OK
        || ntrip_date_number(time, 3, 2, &d->minute, 0, 59) != NGX_OK
        || ntrip_date_number(time, 6, 2, &d->second, 0, 59) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ntrip_date_number(ngx_str_t *text, size_t start, size_t len,
    ngx_uint_t *value, ngx_uint_t min, ngx_uint_t max)
{
    ngx_int_t  n;
    ngx_str_t  part;

    part.data = text->data + start;
    part.len = len;

    n = ntrip_text_number(&part, max);

    if (n == NGX_ERROR || (ngx_uint_t) n < min) {
        return NGX_ERROR;
    }

    *value = n;

    return NGX_OK;
}


void
ntrip_date_out(ntrip_out_t *out, ntrip_date_t *d)
{
    ntrip_out_uint(out, d->year, 4);
    ntrip_out_char(out, '-');
    ntrip_out_uint(out, d->month, 2);
    ntrip_out_char(out, '-');
    ntrip_out_uint(out, d->day, 2);
    ntrip_out_char(out, ' ');
    ntrip_out_uint(out, d->hour, 2);
    ntrip_out_char(out, ':');
    ntrip_out_uint(out, d->minute, 2);
    ntrip_out_char(out, ':');
    ntrip_out_uint(out, d->second, 2);
}


void
ntrip_console_head(ntrip_out_t *out, ntrip_console_verb_e verb)
{
    ntrip_out_text(out, "OK ");
    ntrip_out_text(out, ntrip_console_specs[verb].name);
    ntrip_out_text(out, CRLF);
}


void
ntrip_console_end(ntrip_out_t *out)
{
    ntrip_out_text(out, CRLF);
}


void
ntrip_console_user_row(ntrip_out_t *out, ngx_str_t *user, ngx_str_t *password,
    ntrip_date_t *expires)
{
    ntrip_console_value(out, user);
    ntrip_out_char(out, ':');
    ntrip_console_value(out, password);
    ntrip_out_char(out, '\t');
    ntrip_date_out(out, expires);
    ntrip_out_text(out, CRLF);
}


void
ntrip_console_client_row(ntrip_out_t *out, ngx_str_t *user,
    ngx_str_t *password, ngx_str_t *address, ntrip_date_t *login)
{
    ntrip_console_value(out, user);
    ntrip_out_char(out, ':');
    ntrip_console_value(out, password);
    ntrip_out_char(out, '\t');
    ntrip_console_value(out, address);
    ntrip_out_char(out, '\t');
    ntrip_date_out(out, login);
    ntrip_out_text(out, CRLF);
}


void
ntrip_console_source_row(ntrip_out_t *out, ntrip_token_t *token,
    ntrip_date_t *expires, ngx_uint_t state)
{
    static const char  *states[] = { "?", "expired", "refused", "cooling" };

    ntrip_console_server(out, &token->host, token->port);
    ntrip_out_char(out, '\t');
    ntrip_console_value(out, &token->user);
    ntrip_out_char(out, ':');
    ntrip_console_value(out, &token->password);
    ntrip_out_char(out, '\t');
    ntrip_date_out(out, expires);
    ntrip_out_char(out, '\t');
    ntrip_out_text(out, states[state]);
    ntrip_out_text(out, CRLF);
}


void
ntrip_console_station_row(ntrip_out_t *out, ngx_str_t *mount, ngx_str_t *name,
    ngx_str_t *password, ngx_str_t *from)
{
    ntrip_console_value(out, mount);
    ntrip_out_char(out, '\t');
    ntrip_console_value(out, name);
    ntrip_out_char(out, ':');
    ntrip_console_value(out, password);
    ntrip_out_char(out, '\t');
    ntrip_console_value(out, from);
    ntrip_out_text(out, CRLF);
}


void
ntrip_console_stream_row(ntrip_out_t *out, ntrip_console_stream_t *s)
{
    ntrip_console_value(out, &s->mount);
    ntrip_out_char(out, '\t');
    ntrip_console_server(out, &s->host, s->port);
    ntrip_out_char(out, '\t');
    ntrip_console_value(out, &s->user);
    ntrip_out_char(out, '\t');
    ntrip_out_uint(out, s->rovers, 1);
    ntrip_out_char(out, '\t');

    if (s->located) {
        ntrip_out_fixed(out, s->latitude, 1, 5);
        ntrip_out_char(out, ',');
        ntrip_out_fixed(out, s->longitude, 1, 5);

    } else {
        ntrip_out_char(out, '-');
    }

    ntrip_out_char(out, '\t');
    ntrip_out_uint(out, s->messages, 1);
    ntrip_out_char(out, '\t');
    ntrip_out_uint(out, s->bytes, 1);
    ntrip_out_text(out, CRLF);
}


void
ntrip_console_usage_row(ntrip_out_t *out, ntrip_console_usage_t *usage)
{
    ntrip_console_value(out, &usage->day);
    ntrip_out_char(out, '\t');
    ntrip_console_value(out, &usage->kind);
    ntrip_out_char(out, '\t');
    ntrip_console_value(out, &usage->name);
    ntrip_out_char(out, '\t');
    ntrip_out_uint(out, usage->sessions, 1);
    ntrip_out_char(out, '\t');
    ntrip_out_uint(out, usage->seconds, 1);
    ntrip_out_char(out, '\t');
    ntrip_out_uint(out, usage->bytes, 1);
    ntrip_out_text(out, CRLF);
}


void
ntrip_console_event_row(ntrip_out_t *out, ntrip_console_event_t *event)
{
    ntrip_date_out(out, &event->time);
    ntrip_out_char(out, '\t');
    ntrip_out_uint(out, event->worker, 1);
    ntrip_out_char(out, '\t');
    ntrip_out_text(out, event->event);
    ntrip_out_char(out, '\t');
    ntrip_out_uint(out, event->count, 1);
    ntrip_out_char(out, '\t');

    if (event->status) {
        ntrip_out_uint(out, event->status, 1);
        ntrip_out_text(out, " ");
    }

    ntrip_console_value(out, &event->text);
    ntrip_out_text(out, CRLF);
}


void
ntrip_console_text_row(ntrip_out_t *out, ngx_str_t *text)
{
    ntrip_console_value(out, text);
    ntrip_out_text(out, CRLF);
}


void
ntrip_console_help(ntrip_out_t *out)
{
    ngx_uint_t   i;
    const char  *p;

    for (i = 0; i < NTRIP_CONSOLE_VERBS; i++) {
        ntrip_out_text(out, ntrip_console_specs[i].name);
        ntrip_out_text(out, " pw");

        for (p = ntrip_console_specs[i].arguments; *p; p++) {
            ntrip_out_text(out, *p == 'a' ? " user:password"
                                : *p == 'u' ? " user"
                                : *p == 'p' ? " password"
                                : *p == 's' ? " server"
                                : *p == 'o' ? " pool"
                                : *p == 'n' ? " mount"
                                : *p == 'c' ? " name:password"
                                : *p == 'v' ? " [user]"
                                : *p == 'd' ? " YYYY-MM-DD [HH:MM:SS]"
                                : " [mountpoint]");
        }

        ntrip_out_text(out, CRLF);
    }
}


static void
ntrip_console_value(ntrip_out_t *out, ngx_str_t *value)
{
    u_char  c;
    size_t  i;

    for (i = 0; i < value->len && i < NTRIP_CONSOLE_VALUE_MAX; i++) {
        c = value->data[i];
        ntrip_out_char(out, (c < 0x20 || c == 0x7f) ? '?' : c);
    }
}


static void
ntrip_console_server(ntrip_out_t *out, ngx_str_t *host, ngx_uint_t port)
{
    ntrip_console_value(out, host);

    if (port) {
        ntrip_out_char(out, ':');
        ntrip_out_uint(out, port, 1);
    }
}
