/*
 * A writer that is killed, for LD_PRELOAD: who would make a file longer than
 * KILLED_AT bytes with pwrite() gets a SIGKILL instead.
 */

#define _GNU_SOURCE

#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>


/* nginx clears its environment, after this */

static off64_t  killed_at;


__attribute__((constructor))
static void
killed_init(void)
{
    const char  *at;

    at = getenv("KILLED_AT");
    killed_at = at ? atoll(at) : 0;
}


ssize_t
pwrite64(int fd, const void *buf, size_t n, off64_t offset)
{
    if (killed_at && offset + (off64_t) n > killed_at) {
        kill(getpid(), SIGKILL);
    }

    return syscall(SYS_pwrite64, fd, buf, n, offset);
}
