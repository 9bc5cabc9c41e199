/*
 * A name service that is slow, for LD_PRELOAD: of a name that ends with
 * ".slow.example" each look-up adds a line to the file "lookups" in the current
 * folder, and waits until there is a file "answer" of that name; the address is
 * 127.0.0.1.
 */

#define _GNU_SOURCE

#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>


int
getaddrinfo(const char *node, const char *service,
    const struct addrinfo *hints, struct addrinfo **res)
{
    int          fd, n;
    char         path[300], line[300];
    size_t       len;
    const char  *suffix;
    int        (*next)(const char *, const char *, const struct addrinfo *,
                       struct addrinfo **);

    next = dlsym(RTLD_NEXT, "getaddrinfo");
    suffix = ".slow.example";
    len = node ? strlen(node) : 0;

    if (len < strlen(suffix) || strcmp(node + len - strlen(suffix), suffix)) {
        return next(node, service, hints, res);
    }

    n = snprintf(line, sizeof(line), "%s\n", node);

    fd = open("lookups", O_WRONLY|O_CREAT|O_APPEND|O_CLOEXEC, 0600);

    if (fd == -1 || write(fd, line, n) != n) {
        return EAI_SYSTEM;
    }

    close(fd);

    snprintf(path, sizeof(path), "answer/%s", node);

    while (access(path, F_OK) == -1) {
        usleep(5000);
    }

    return next("127.0.0.1", service, hints, res);
}
