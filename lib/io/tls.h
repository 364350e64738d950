/* tls.h - keys and certificates for ssl: and pssl: streams (TLS 1.2 and later).
 *
 * Both sides present a certificate, and each checks the other's against the CA, as Open vSwitch
 * does it. Each new connection looks whether the files have changed and then uses the new ones.
 */
#pragma once

#include "base/diag.h"

struct tls_config;

/* ERR_IO naming the file that could not be used. CA NULL: the peer is not checked. */
int tls_config_load(const char *private_key, const char *certificate, const char *ca,
                    struct tls_config **ret, struct diag *diag) MUST_CHECK;
/* Allows only these. PROTOCOLS: a list of TLSv1.2 and TLSv1.3 (older names are passed over, as long
 * as one is left); CIPHERS for TLS 1.2 and CIPHERSUITES for 1.3 in OpenSSL's syntax. NULL: no
 * restriction. ERR_INVALID. */
int tls_config_restrict(struct tls_config *config, const char *protocols, const char *ciphers,
                        const char *ciphersuites, struct diag *diag) MUST_CHECK;
void tls_config_free(struct tls_config *config); /* NULL is allowed */
