
/*
 * A whole connection of the console, its password known.  The first byte says
 * how the rest is cut into segments, the second whether the peer half-closes or
 * falls silent.
 *
 * However it is cut: the commands are what has come, each up to its line feed,
 * one after the other, up to the reply behind which no whole one is there; none
 * waits for more than the buffer has; and each is refused, or has right
 * arguments, or gets an error of one line.
 *
 * sources: ntrip_console.c ntrip_token.c ntrip_sourcetable.c ntrip_text.c
 */


#include "fuzz.h"
#include "ntrip_console.h"


/* as the connection's */
#define FUZZ_BUFFER  (4 * NTRIP_CONSOLE_MAX)


static void
command(u_char *p, size_t len)
{
    ngx_str_t                text;
    const char              *error;
    ntrip_console_command_t  cmd;

    if (len > NTRIP_CONSOLE_MAX) {
        return;
    }

    text = fuzz_copy(p, len);

    if (ntrip_console_parse(&cmd, text.data, len) == NGX_OK) {
        error = ntrip_console_arguments(&cmd);
        test(error == NULL
             || (memcmp(error, "ERROR ", 6) == 0
                 && strstr(error, CRLF) == error + strlen(error) - 2));
        test(strstr(ntrip_console_failure(cmd.verb), CRLF) != NULL);
    }

    free(text.data);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t      n, k, len, done, room;
    u_char     *buf;
    uint32_t    seed;
    ngx_uint_t  last, closed;

    if (size < 2) {
        return 0;
    }

    seed = data[0];
    last = data[1] & 1;
    room = 1 + (size_t) data[0] * 16;
    data += 2;
    size -= 2;

    /* "done" of the bytes were commands, "n" have come */

    buf = malloc(FUZZ_BUFFER);
    test(buf != NULL);
    done = 0;
    n = 0;
    closed = 0;

    while (!closed) {
        k = ngx_min(size - n, FUZZ_BUFFER - (n - done));
        k = k ? fuzz_piece(&seed, room, k) : 0;
        n += k;

        memcpy(buf, data + done, n - done);
        len = ntrip_console_command(buf, n - done, n == size && last);

        test(len <= n - done);
        test(len || n - done <= NTRIP_CONSOLE_MAX);

        if (len == 0) {
            test(memchr(buf, LF, n - done) == NULL);
            closed = (n == size);
            continue;
        }

        /* up to the reply behind which there is no whole one */

        do {
            test(buf[len - 1] == LF || memchr(buf, LF, len) == NULL);
            command(buf, len);

            done += len;
            memcpy(buf, data + done, n - done);
            len = ntrip_console_command(buf, n - done, n == size && last);
        } while (len);

        closed = 1;
    }

    test(!last || done == size || memchr(data + done, LF, n - done) == NULL);

    free(buf);

    return 0;
}
