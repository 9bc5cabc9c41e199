
/*
 * sources: ntrip_console.c ntrip_token.c ntrip_sourcetable.c
 *          ntrip_text.c
 *
 * An accepted command has no word with a blank or a control character in its
 * arguments, its date prints as it was written, and rows of its values are one
 * line with the right number of tabs.
 */


#include "fuzz.h"
#include "ntrip_console.h"


static void
test_word(ngx_str_t *s, size_t max)
{
    size_t  i;

    test(s->len <= max);

    for (i = 0; i < s->len; i++) {
        test(s->data[i] > 0x20 && s->data[i] != 0x7f);
    }
}


static void
test_row(ntrip_out_t *out, size_t tabs)
{
    u_char  *p;

    test(!out->overflow && out->last - out->start >= 2);
    test(memcmp(out->last - 2, CRLF, 2) == 0);

    for (p = out->start; p < out->last - 2; p++) {
        test(*p >= 0x20 || *p == '\t');
        tabs -= (*p == '\t');
    }

    test(tabs == 0);
}


static void
test_rows(ntrip_console_command_t *cmd, ngx_str_t *raw)
{
    u_char                   buf[NTRIP_CONSOLE_ROW_MAX];
    ntrip_out_t              out;
    ntrip_token_t            token;
    ntrip_console_event_t    event;
    ntrip_console_usage_t    usage;
    ntrip_console_stream_t   s;

    memset(&event, 0, sizeof(event));
    event.time = cmd->expires;
    event.event = "reply";
    event.status = raw->len % 1000;
    event.text = *raw;

    memset(&usage, 0, sizeof(usage));
    usage.day = *raw;
    usage.kind = *raw;
    usage.name = *raw;
    usage.seconds = raw->len;

    memset(&s, 0, sizeof(s));
    s.mount = *raw;
    s.host = *raw;
    s.user = *raw;
    s.located = raw->len % 2;
    s.latitude = -90.0;
    s.longitude = 180.0;

    token.user = *raw;
    token.password = *raw;
    token.host = *raw;
    token.port = raw->len % 3;

    ntrip_out_init(&out, buf, sizeof(buf));
    ntrip_console_user_row(&out, raw, raw, &cmd->expires);
    test_row(&out, 1);

    ntrip_out_init(&out, buf, sizeof(buf));
    ntrip_console_client_row(&out, raw, raw, raw, &cmd->expires);
    test_row(&out, 2);

    ntrip_out_init(&out, buf, sizeof(buf));
    ntrip_console_source_row(&out, &token, &cmd->expires, raw->len % 3);
    test_row(&out, 3);

    ntrip_out_init(&out, buf, sizeof(buf));
    ntrip_console_stream_row(&out, &s);
    test_row(&out, 6);

    ntrip_out_init(&out, buf, sizeof(buf));
    ntrip_console_station_row(&out, raw, raw, raw, raw);
    test_row(&out, 2);

    ntrip_out_init(&out, buf, sizeof(buf));
    ntrip_console_event_row(&out, &event);
    test_row(&out, 4);

    ntrip_out_init(&out, buf, sizeof(buf));
    ntrip_console_usage_row(&out, &usage);
    test_row(&out, 5);

    ntrip_out_init(&out, buf, sizeof(buf));
    ntrip_console_text_row(&out, raw);
    test_row(&out, 0);
}


/* of any command, and the help on all of them */

static void
test_answer(ntrip_console_verb_e verb)
{
    size_t       n;
    u_char      *p, buf[4096];
    ntrip_out_t  out;

    ntrip_out_init(&out, buf, sizeof(buf));
    ntrip_console_head(&out, verb);
    test_row(&out, 0);
    ntrip_console_end(&out);
    test(memcmp(out.last - 4, CRLF CRLF, 4) == 0);

    ntrip_out_init(&out, buf, sizeof(buf));
    ntrip_console_help(&out);
    test(!out.overflow);

    for (n = 0, p = out.start; p < out.last; p++) {
        n += (*p == LF);
    }

    test(n > NTRIP_CONSOLE_HELP);
}


static void
test_date(ntrip_console_command_t *cmd)
{
    u_char       buf[32];
    ngx_uint_t   i;
    ntrip_out_t  out;

    for (i = 2; i < cmd->argc; i++) {
        if (cmd->argv[i].len != 10 || cmd->argv[i].data[4] != '-') {
            continue;
        }

        ntrip_out_init(&out, buf, sizeof(buf));
        ntrip_date_out(&out, &cmd->expires);

        if (memcmp(buf, cmd->argv[i].data, 10) == 0) {
            return;
        }
    }

    test(cmd->expires.year == 0);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ngx_str_t                  text;
    ngx_uint_t                 i;
    ntrip_console_command_t    cmd;

    text = fuzz_copy(data, size);

    if (ntrip_console_parse(&cmd, text.data, text.len) == NGX_OK) {
        test(cmd.argc >= 2 && cmd.argc <= NTRIP_CONSOLE_WORDS);

        for (i = 0; i < cmd.argc; i++) {
            test(cmd.argv[i].len > 0
                 && cmd.argv[i].data >= text.data
                 && cmd.argv[i].data + cmd.argv[i].len
                    <= text.data + text.len);
        }

        test(strlen(ntrip_console_verb(cmd.verb)) == cmd.argv[0].len);
        test_answer(cmd.verb);

        if (ntrip_console_arguments(&cmd) == NULL) {
            test_word(&cmd.token.user, NTRIP_USER_MAX);
            test_word(&cmd.token.password, NTRIP_PASSWORD_MAX);
            test_word(&cmd.token.host, NTRIP_HOST_MAX);
            test(cmd.token.port <= 65535);
            test_date(&cmd);
        }
    }

    test_rows(&cmd, &text);

    free(text.data);

    return 0;
}
