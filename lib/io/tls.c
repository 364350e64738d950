/* tls.c - TLS on a stream's socket, with OpenSSL.
 *
 * Below every room of the architecture. Promises that with a CA no stream stands without a valid
 * certificate of the peer. Does not check names: as in Open vSwitch the CA alone says who may talk,
 * and the common name says to authorisation who it is.
 */
#include "io/tls.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "io/stream_impl.h"

enum tls_file { FILE_KEY, FILE_CERTIFICATE, FILE_CA, N_FILES };
enum tls_list { LIST_PROTOCOLS, LIST_CIPHERS, LIST_CIPHERSUITES, N_LISTS };

struct tls_config {
    SSL_CTX *ctx;
    char *files[N_FILES]; /* by enum tls_file; NULL: not given */
    char *lists[N_LISTS];
    struct stat stamps[N_FILES]; /* of the files that ctx holds, or that could not be loaded */
};

static const char *openssl_reason(void)
{
    const char *reason = ERR_reason_error_string(ERR_peek_last_error());
    ERR_clear_error();
    return reason ? reason : "protocol error";
}

static int load_failed(SSL_CTX *ctx, const char *file, struct diag *diag)
{
    SSL_CTX_free(ctx);
    return diag_set(diag, ERR_IO, "%s: %s", file, openssl_reason());
}

static int load_context(const struct tls_config *config, SSL_CTX **ret, struct diag *diag)
{
    const char *key = config->files[FILE_KEY], *certificate = config->files[FILE_CERTIFICATE];
    const char *ca = config->files[FILE_CA];
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    INVARIANT(ctx);
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    if (certificate && SSL_CTX_use_certificate_chain_file(ctx, certificate) != 1)
        return load_failed(ctx, certificate, diag);
    if (key && SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
        return load_failed(ctx, key, diag);
    if (ca) {
        if (SSL_CTX_load_verify_locations(ctx, ca, NULL) != 1)
            return load_failed(ctx, ca, diag);
        SSL_CTX_set_client_CA_list(ctx, SSL_load_client_CA_file(ca));
        SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    }
    ERR_clear_error();
    *ret = ctx;
    return 0;
}

/* Notes what the files are now; true when that is not what was noted. */
static bool stamp_files(struct tls_config *config)
{
    bool changed = false;
    for (size_t i = 0; i < N_FILES; i++) {
        struct stat now = {0}, *old = &config->stamps[i];
        if (!config->files[i] || stat(config->files[i], &now))
            continue; /* between two states: looked at again next time */
        changed |= now.st_ino != old->st_ino || now.st_size != old->st_size ||
                   now.st_mtim.tv_sec != old->st_mtim.tv_sec ||
                   now.st_mtim.tv_nsec != old->st_mtim.tv_nsec;
        *old = now;
    }
    return changed;
}

static char *copy_text(const char *text)
{
    return text ? xstrdup(text) : NULL;
}

int tls_config_load(const char *private_key, const char *certificate, const char *ca,
                    struct tls_config **ret, struct diag *diag)
{
    struct tls_config *config = NEW(struct tls_config);
    config->files[FILE_KEY] = copy_text(private_key);
    config->files[FILE_CERTIFICATE] = copy_text(certificate);
    config->files[FILE_CA] = copy_text(ca);
    (void)stamp_files(config);
    int err = load_context(config, &config->ctx, diag);
    if (err)
        tls_config_free(config);
    else
        *ret = config;
    return err;
}

static int restrict_protocols(SSL_CTX *ctx, const char *protocols, struct diag *diag)
{
    char *copy = xstrdup(protocols), *save = NULL;
    int min = 0, max = 0, err = 0;
    for (char *w = strtok_r(copy, " ,", &save); w && !err; w = strtok_r(NULL, " ,", &save)) {
        int version = 0;
        if (!strcmp(w, "TLSv1.3"))
            version = TLS1_3_VERSION;
        else if (!strcmp(w, "TLSv1.2"))
            version = TLS1_2_VERSION;
        else if (strcmp(w, "TLSv1.1") && strcmp(w, "TLSv1"))
            err = diag_set(diag, ERR_INVALID, "%s: not a TLS protocol", w);
        if (version) {
            min = min ? MIN(min, version) : version;
            max = MAX(max, version);
        }
    }
    free(copy);
    if (!err && !max)
        err = diag_set(diag, ERR_INVALID, "%s: only TLSv1.2 and TLSv1.3 are supported", protocols);
    if (!err) {
        SSL_CTX_set_min_proto_version(ctx, min);
        SSL_CTX_set_max_proto_version(ctx, max);
    }
    return err;
}

static int restrict_context(SSL_CTX *ctx, char *const lists[N_LISTS], struct diag *diag)
{
    int err = lists[LIST_PROTOCOLS] ? restrict_protocols(ctx, lists[LIST_PROTOCOLS], diag) : 0;
    const char *ciphers = lists[LIST_CIPHERS], *suites = lists[LIST_CIPHERSUITES];
    if (!err && ciphers && SSL_CTX_set_cipher_list(ctx, ciphers) != 1)
        err = diag_set(diag, ERR_INVALID, "%s: no such ciphers", ciphers);
    if (!err && suites && SSL_CTX_set_ciphersuites(ctx, suites) != 1)
        err = diag_set(diag, ERR_INVALID, "%s: no such cipher suites", suites);
    ERR_clear_error();
    return err;
}

int tls_config_restrict(struct tls_config *config, const char *protocols, const char *ciphers,
                        const char *ciphersuites, struct diag *diag)
{
    const char *texts[N_LISTS] = {protocols, ciphers, ciphersuites};
    for (size_t i = 0; i < N_LISTS; i++) {
        free(config->lists[i]);
        config->lists[i] = copy_text(texts[i]);
    }
    return restrict_context(config->ctx, config->lists, diag);
}

/* Connections from now on use the files as they are now. Files that do not go together, as while
 * they are being replaced, leave the old ones in use. */
static void refresh(struct tls_config *config)
{
    SSL_CTX *ctx;
    if (!stamp_files(config) || load_context(config, &ctx, NULL))
        return;
    bool is_good = (!config->files[FILE_KEY] || SSL_CTX_check_private_key(ctx) == 1) &&
                   !restrict_context(ctx, config->lists, NULL);
    ERR_clear_error();
    SSL_CTX_free(is_good ? config->ctx : ctx); /* connections hold references of their own */
    if (is_good)
        config->ctx = ctx;
}

void tls_config_free(struct tls_config *config)
{
    if (!config)
        return;
    SSL_CTX_free(config->ctx);
    for (size_t i = 0; i < N_FILES; i++)
        free(config->files[i]);
    for (size_t i = 0; i < N_LISTS; i++)
        free(config->lists[i]);
    free(config);
}

int stream_tls_start(struct stream *s, const struct tls_config *config, bool server,
                     struct diag *diag)
{
    refresh((struct tls_config *)(uintptr_t)config);
    s->ssl = SSL_new(config->ctx);
    if (!s->ssl || SSL_set_fd(s->ssl, s->fd) != 1)
        return diag_set(diag, ERR_IO, "TLS: %s", openssl_reason());
    if (server)
        SSL_set_accept_state(s->ssl);
    else
        SSL_set_connect_state(s->ssl);
    s->handshaking = true;
    s->ssl_wants_write = true; /* the first readiness: the socket is connected */
    return 0;
}

/* What OpenSSL's answer means for the loop: again, the end or an error. */
static ssize_t tls_result(struct stream *s, const char *what, int rc)
{
    int saved = errno, error = SSL_get_error(s->ssl, rc);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
        s->ssl_wants_write = error == SSL_ERROR_WANT_WRITE;
        return TRANSPORT_AGAIN;
    }
    if (error == SSL_ERROR_ZERO_RETURN || (error == SSL_ERROR_SYSCALL && !saved))
        return TRANSPORT_EOF;
    s->io_err = ERR_IO;
    free(s->io_reason);
    s->io_reason = xasprintf("TLS %s: %s", what,
                             error == SSL_ERROR_SYSCALL ? strerror(saved) : openssl_reason());
    ERR_clear_error();
    return TRANSPORT_ERROR;
}

static char *peer_common_name(SSL *ssl)
{
    X509 *cert = SSL_get1_peer_certificate(ssl);
    char *ret = NULL;
    if (!cert)
        return NULL;
    int i = X509_NAME_get_index_by_NID(X509_get_subject_name(cert), NID_commonName, -1);
    if (i >= 0) {
        unsigned char *text = NULL;
        X509_NAME_ENTRY *entry = X509_NAME_get_entry(X509_get_subject_name(cert), i);
        int n = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(entry));
        if (n >= 0) {
            if (strlen((char *)text) == (size_t)n) /* a NUL inside is somebody's trick */
                ret = xstrdup((char *)text);
            OPENSSL_free(text);
        }
    }
    X509_free(cert);
    return ret;
}

void stream_tls_handshake(struct stream *s)
{
    errno = 0;
    ERR_clear_error();
    s->ssl_wants_write = false;
    int rc = SSL_do_handshake(s->ssl);
    if (rc == 1) {
        s->handshaking = false;
        s->peer_id = peer_common_name(s->ssl);
        return;
    }
    ssize_t result = tls_result(s, "handshake", rc);
    if (result == TRANSPORT_AGAIN) {
        s->transport->update(s);
        return;
    }
    char *reason =
        result == TRANSPORT_EOF ? xstrdup("TLS handshake: closed by peer") : s->io_reason;
    if (result != TRANSPORT_EOF)
        s->io_reason = NULL;
    stream_fail(s, ERR_IO, reason);
}

ssize_t stream_tls_recv(struct stream *s, void *buf, size_t n)
{
    errno = 0;
    ERR_clear_error();
    s->ssl_wants_write = false;
    int rc = SSL_read(s->ssl, buf, (int)MIN(n, (size_t)INT32_MAX));
    if (rc > 0) {
        /* OpenSSL may hold more than the descriptor shows. */
        if (SSL_pending(s->ssl))
            deferred_schedule(&s->input_call);
        return rc;
    }
    return tls_result(s, "receive", rc);
}

ssize_t stream_tls_send(struct stream *s)
{
    struct chunk *c = LIST_FIRST(struct chunk, node, &s->out);
    errno = 0;
    ERR_clear_error();
    s->ssl_wants_write = false;
    int rc = SSL_write(s->ssl, chunk_bytes(c), (int)MIN(c->n - c->off, (size_t)INT32_MAX));
    return rc > 0 ? rc : tls_result(s, "send", rc);
}

void stream_tls_stop(struct stream *s)
{
    if (!s->handshaking && s->io_err != ERR_IO)
        SSL_shutdown(s->ssl);
    ERR_clear_error();
    SSL_free(s->ssl);
    s->ssl = NULL;
}
