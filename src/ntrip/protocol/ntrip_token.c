
/*
 * Fieldgate: written forms of accounts.
 */


#include "ntrip_token.h"


static size_t ntrip_token_host(ngx_str_t *text);
static ngx_int_t ntrip_token_port(ntrip_token_t *token, ngx_str_t *text,
    size_t colon);


ngx_int_t
ntrip_token_account(ntrip_token_t *token, ngx_str_t *text)
{
    u_char  *colon;

    colon = text->len ? memchr(text->data, ':', text->len) : NULL;

    if (colon == NULL || ntrip_text_controls(text)) {
        return NGX_ERROR;
    }

    token->user.data = text->data;
    token->user.len = colon - text->data;

    token->password.data = colon + 1;
    token->password.len = text->data + text->len - token->password.data;

    if (token->user.len > NTRIP_USER_MAX
        || token->password.len > NTRIP_PASSWORD_MAX)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ntrip_token_server(ntrip_token_t *token, ngx_str_t *text)
{
    size_t  i;

    token->port = 0;

    i = ntrip_token_host(text);

    token->host.data = text->data;
    token->host.len = i;

    if (i == 0 || i > NTRIP_HOST_MAX) {
        return NGX_ERROR;
    }

    if (i == text->len) {
        return NGX_OK;
    }

    return (text->data[i] == ':') ? ntrip_token_port(token, text, i)
                                  : NGX_ERROR;
}


/* how long the host is; 0 if it is neither a name nor an address */

static size_t
ntrip_token_host(ngx_str_t *text)
{
    u_char  c;
    size_t  i;

    if (text->len && text->data[0] == '[') {

        for (i = 1; i < text->len && text->data[i] != ']'; i++) {
            c = text->data[i];

            if (c != ':' && c != '.' && ngx_hextoi(&c, 1) == NGX_ERROR) {
                return 0;
            }
        }

        return (i > 1 && i < text->len) ? i + 1 : 0;
    }

    for (i = 0; i < text->len && text->data[i] != ':'; i++) {
        c = text->data[i];

        if (c <= 0x20 || c >= 0x7f || strchr("/@[]?#%\\\"", c)) {
            return 0;
        }
    }

    return i;
}


static ngx_int_t
ntrip_token_port(ntrip_token_t *token, ngx_str_t *text, size_t colon)
{
    ngx_int_t  n;
    ngx_str_t  port;

    port.data = text->data + colon + 1;
    port.len = text->len - colon - 1;

    n = ntrip_text_number(&port, 65535);

    if (n <= 0) {
        return NGX_ERROR;
    }

    token->port = n;

    return NGX_OK;
}
