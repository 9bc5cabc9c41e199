
/*
 * Functions of libcrypto that can fail, for targets that are linked with it.
 */


#ifndef _FUZZ_FAILING_CRYPTO_H_INCLUDED_
#define _FUZZ_FAILING_CRYPTO_H_INCLUDED_


#include "failing.h"

#include <openssl/evp.h>


EVP_MD_CTX *
EVP_MD_CTX_new(void)
{
    return fuzz_fails() ? NULL : fuzz_real(EVP_MD_CTX_new)();
}


int
EVP_DigestInit_ex(EVP_MD_CTX *ctx, const EVP_MD *type, ENGINE *impl)
{
    return fuzz_fails() ? 0 : fuzz_real(EVP_DigestInit_ex)(ctx, type, impl);
}


int
EVP_DigestUpdate(EVP_MD_CTX *ctx, const void *data, size_t len)
{
    return fuzz_fails() ? 0 : fuzz_real(EVP_DigestUpdate)(ctx, data, len);
}


int
EVP_DigestFinal_ex(EVP_MD_CTX *ctx, unsigned char *md, unsigned int *len)
{
    return fuzz_fails() ? 0 : fuzz_real(EVP_DigestFinal_ex)(ctx, md, len);
}


int
EVP_MD_CTX_copy_ex(EVP_MD_CTX *out, const EVP_MD_CTX *in)
{
    return fuzz_fails() ? 0 : fuzz_real(EVP_MD_CTX_copy_ex)(out, in);
}


int
EVP_Digest(const void *data, size_t count, unsigned char *md,
    unsigned int *size, const EVP_MD *type, ENGINE *impl)
{
    return fuzz_fails() ? 0
           : fuzz_real(EVP_Digest)(data, count, md, size, type, impl);
}


#endif /* _FUZZ_FAILING_CRYPTO_H_INCLUDED_ */
