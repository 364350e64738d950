/* tls.h - keys and certificates for ssl: and pssl: streams (TLS 1.2 and later).
 *
 * Both sides present a certificate, and each checks the other's against the CA, as Open vSwitch
 * does it. Each new connection looks whether the files have changed and then uses the new ones.
 */
#pragma once

#include "base/diag.h"

struct tls_config;

/* What a configuration is made of; each may be NULL. */
enum tls_text {
    TLS_KEY,         /* PEM files: the private key, */
    TLS_CERTIFICATE, /* its certificate, */
    TLS_CA, /* the CA that peers' certificates are signed by; "none": peers are not checked */
    TLS_PROTOCOLS,    /* a list of TLSv1.2 and TLSv1.3; older names are passed over */
    TLS_CIPHERS,      /* for TLS 1.2, and */
    TLS_CIPHERSUITES, /* for 1.3, in OpenSSL's syntax */
    TLS_BOOTSTRAP_CA, /* like TLS_CA; when there is no such file the first peer's CA is written to it */
    TLS_PEER_CA,      /* more certificates to send to peers: that of our own CA */
    TLS_N
};

/* Without contents: connections are refused until it is set. */
struct tls_config *tls_config_new(void);
/* Connections from now on go by TEXTS. Key, certificate and CA are needed; without any of them CONFIG
 * is empty again. ERR_IO naming the file that could not be used, ERR_INVALID: CONFIG goes on as it
 * was. */
int tls_config_set(struct tls_config *config, const char *const texts[TLS_N],
                   struct diag *diag) MUST_CHECK;
/* A new one with these files. */
int tls_config_load(const char *private_key, const char *certificate, const char *ca,
                    struct tls_config **ret, struct diag *diag) MUST_CHECK;
void tls_config_free(struct tls_config *config); /* NULL is allowed */
