
/*
 * A CPE whose connection request server is libmicrohttpd's: GNU's view of
 * Digest, independent of ours.
 *
 *     microhttpd_cpe md5|sha256
 *
 * Listens at a free port of 127.0.0.1, which it prints; user acs, password
 * s3c:ret, realm CPE.  Prints a line for each request: "ok", "challenge",
 * "stale" or "refused".
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <netinet/in.h>
#include <arpa/inet.h>
#include <sys/socket.h>

#include <microhttpd.h>


static enum MHD_DigestAuthAlgorithm  algorithm;


static enum MHD_Result
answer(void *data, struct MHD_Connection *c, const char *url,
    const char *method, const char *version, const char *upload,
    size_t *upload_size, void **seen)
{
    int                   rc;
    char                 *user;
    enum MHD_Result       result;
    struct MHD_Response  *response;

    response = MHD_create_response_from_buffer(0, "", MHD_RESPMEM_PERSISTENT);

    user = MHD_digest_auth_get_username(c);

    if (user == NULL) {
        puts("challenge");
        result = MHD_queue_auth_fail_response2(c, "CPE", "0paque", response,
                                               MHD_NO, algorithm);
        goto done;
    }

    rc = MHD_digest_auth_check2(c, "CPE", user, "s3c:ret", 300, algorithm);

    if (rc == MHD_YES && strcmp(user, "acs") == 0) {
        puts("ok");
        result = MHD_queue_response(c, MHD_HTTP_OK, response);

    } else {
        puts(rc == MHD_INVALID_NONCE ? "stale" : "refused");
        result = MHD_queue_auth_fail_response2(c, "CPE", "0paque", response,
                                               rc == MHD_INVALID_NONCE,
                                               algorithm);
    }

    MHD_free(user);

done:

    fflush(stdout);
    MHD_destroy_response(response);

    return result;
}


int
main(int argc, char **argv)
{
    struct MHD_Daemon           *daemon;
    struct sockaddr_in           sin;
    const union MHD_DaemonInfo  *info;

    if (argc != 2) {
        return 2;
    }

    algorithm = strcmp(argv[1], "sha256") == 0 ? MHD_DIGEST_ALG_SHA256
                                               : MHD_DIGEST_ALG_MD5;

    memset(&sin, 0, sizeof(sin));
    sin.sin_family = AF_INET;
    sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);

    daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL,
                              answer, NULL,
                              MHD_OPTION_SOCK_ADDR, &sin,
                              MHD_OPTION_NONCE_NC_SIZE, 64,
                              MHD_OPTION_DIGEST_AUTH_RANDOM,
                              sizeof("0123456789") - 1, "0123456789",
                              MHD_OPTION_END);
    if (daemon == NULL) {
        fprintf(stderr, "cannot start\n");
        return 1;
    }

    info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);
    printf("%u\n", info->port);
    fflush(stdout);

    for ( ;; ) {
        pause();
    }
}
