
/*
 * Functions of libraries that fail, though they hardly ever do: a target
 * defines one of that name, which asks fuzz_fails(), and else calls the real
 * one.
 */


#ifndef _FUZZ_FAILING_H_INCLUDED_
#define _FUZZ_FAILING_H_INCLUDED_


#include <dlfcn.h>


/* the how many-th call from now on fails, once; 0: none */

static unsigned  fuzz_failing;


static inline int
fuzz_fails(void)
{
    return fuzz_failing && --fuzz_failing == 0;
}


#define fuzz_real(name)  ((__typeof__(&name)) dlsym(RTLD_NEXT, #name))


#endif /* _FUZZ_FAILING_H_INCLUDED_ */
