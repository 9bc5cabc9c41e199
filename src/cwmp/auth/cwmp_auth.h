
/*
 * Fieldgate: HTTP authentication: challenges, and credentials that answer
 * them.
 */


#ifndef _CWMP_AUTH_H_INCLUDED_
#define _CWMP_AUTH_H_INCLUDED_


#include "cwmp_challenge.h"
#include "cwmp_digest.h"
#include "cwmp_nonce.h"
#include "cwmp_verify.h"


#endif /* _CWMP_AUTH_H_INCLUDED_ */
