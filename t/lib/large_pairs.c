/*
 * Pairs of sockets between workers that take many messages, for LD_PRELOAD:
 * what a system has by default is for a few only.
 */

#define _GNU_SOURCE

#include <dlfcn.h>
#include <sys/socket.h>


int
socketpair(int domain, int type, int protocol, int fds[2])
{
    int    i, rc, size;
    int  (*next)(int, int, int, int *);

    next = dlsym(RTLD_NEXT, "socketpair");
    rc = next(domain, type, protocol, fds);

    size = 212992;

    for (i = 0; rc == 0 && i < 2; i++) {
        setsockopt(fds[i], SOL_SOCKET, SO_SNDBUF, &size, sizeof(int));
    }

    return rc;
}
