/* tls.c - TLS on a stream's socket, with OpenSSL.
 *
 * Below every room of the architecture. Promises that with a CA no stream stands without a valid
 * certificate of the peer. Does not check names: as in Open vSwitch the CA alone says who may talk,
 * and the common name says to authorisation who it is.
 */
#include "io/tls.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "io/stream_impl.h"

/* Of the texts, those that name files. */
static const enum tls_text files[] = {TLS_KEY, TLS_CERTIFICATE, TLS_CA, TLS_BOOTSTRAP_CA,
                                      TLS_PEER_CA};

struct tls_config {
    SSL_CTX *ctx; /* NULL: not set */
    char *texts[TLS_N];
    struct stat stamps[TLS_N]; /* of the files that ctx holds, or that could not be loaded */
};

static const char *openssl_reason(void)
{
    unsigned long first = ERR_peek_error(), last = ERR_peek_last_error();
    const char *reason =
        ERR_SYSTEM_ERROR(first) ? strerror(ERR_GET_REASON(first)) : ERR_reason_error_string(last);
    ERR_clear_error();
    return reason ? reason : "protocol error";
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

static int restrict_context(SSL_CTX *ctx, char *const texts[TLS_N], struct diag *diag)
{
    int err = texts[TLS_PROTOCOLS] ? restrict_protocols(ctx, texts[TLS_PROTOCOLS], diag) : 0;
    const char *ciphers = texts[TLS_CIPHERS], *suites = texts[TLS_CIPHERSUITES];
    if (!err && ciphers && SSL_CTX_set_cipher_list(ctx, ciphers) != 1)
        err = diag_set(diag, ERR_INVALID, "%s: no such ciphers", ciphers);
    if (!err && suites && SSL_CTX_set_ciphersuites(ctx, suites) != 1)
        err = diag_set(diag, ERR_INVALID, "%s: no such cipher suites", suites);
    return err;
}

static int failed(const char *file, struct diag *diag)
{
    return diag_set(diag, ERR_IO, "%s: %s", file, openssl_reason());
}

/* ---- whom to believe ---- */

static int believe_anyone(int ok UNUSED, X509_STORE_CTX *ctx UNUSED)
{
    return 1;
}

static int load_ca(SSL_CTX *ctx, const char *ca, struct diag *diag)
{
    if (SSL_CTX_load_verify_locations(ctx, ca, NULL) != 1)
        return failed(ca, diag);
    SSL_CTX_set_client_CA_list(ctx, SSL_load_client_CA_file(ca));
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return 0;
}

/* The file to be made with the peer's CA, or NULL: there is a CA. */
static const char *file_to_bootstrap(const struct tls_config *config)
{
    const char *file = config->texts[TLS_CA] ? NULL : config->texts[TLS_BOOTSTRAP_CA];
    return file && access(file, F_OK) ? file : NULL;
}

static int set_verification(SSL_CTX *ctx, struct tls_config *config, struct diag *diag)
{
    const char *ca =
        config->texts[TLS_CA] ? config->texts[TLS_CA] : config->texts[TLS_BOOTSTRAP_CA];
    if (!strcmp(ca, "none"))
        return 0;
    if (!file_to_bootstrap(config))
        return load_ca(ctx, ca, diag);
    SSL_CTX_set_app_data(ctx, config);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, believe_anyone);
    return 0;
}

static bool is_self_signed(X509 *certificate)
{
    return X509_check_issued(certificate, certificate) == X509_V_OK;
}

/* Writes the CA that ends the peer's chain to FILE, which must not exist. Why that fails, or NULL. */
static const char *write_ca(SSL *ssl, const char *file)
{
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
    int n = chain ? sk_X509_num(chain) : 0;
    X509 *ca = n ? sk_X509_value(chain, n - 1) : NULL;
    if (!ca || !is_self_signed(ca))
        return "the peer does not send its CA certificate";
    int fd = open(file, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0444);
    FILE *out = fd >= 0 ? fdopen(fd, "w") : NULL;
    if (!out)
        return "its file cannot be created";
    bool is_good = PEM_write_X509(out, ca) == 1;
    is_good &= !fclose(out);
    if (!is_good)
        unlink(file);
    return is_good ? NULL : "its file cannot be written";
}

/* Nothing is said over a connection that only brought the CA: the next one is checked against it. */
static void bootstrap(struct stream *s, const char *file)
{
    const char *why = write_ca(s->ssl, file);
    stream_fail(s, ERR_IO,
                why ? xasprintf("TLS: no CA certificate for %s: %s", file, why)
                    : xasprintf("TLS: the peer's CA certificate is now in %s", file));
}

/* ---- contexts ---- */

static int load_peer_ca(SSL_CTX *ctx, const char *file, struct diag *diag)
{
    BIO *bio = BIO_new_file(file, "r");
    X509 *certificate;
    int n = 0;
    while (bio && (certificate = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
        n += SSL_CTX_add1_chain_cert(ctx, certificate) == 1;
        X509_free(certificate);
    }
    BIO_free(bio);
    return n ? 0 : failed(file, diag);
}

static int load_files(SSL_CTX *ctx, struct tls_config *config, struct diag *diag)
{
    const char *key = config->texts[TLS_KEY], *certificate = config->texts[TLS_CERTIFICATE];
    if (SSL_CTX_use_certificate_chain_file(ctx, certificate) != 1)
        return failed(certificate, diag);
    if (SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1)
        return failed(key, diag);
    if (SSL_CTX_check_private_key(ctx) != 1)
        return failed(key, diag);
    int err = set_verification(ctx, config, diag);
    if (!err && config->texts[TLS_PEER_CA])
        err = load_peer_ca(ctx, config->texts[TLS_PEER_CA], diag);
    return err;
}

static int load_context(struct tls_config *config, SSL_CTX **ret, struct diag *diag)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_method());
    INVARIANT(ctx);
    SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION);
    SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    int err = load_files(ctx, config, diag);
    if (!err)
        err = restrict_context(ctx, config->texts, diag);
    ERR_clear_error();
    if (err)
        SSL_CTX_free(ctx);
    else
        *ret = ctx;
    return err;
}

/* Notes what the files are now; true when that is not what was noted. */
static bool stamp_files(struct tls_config *config)
{
    bool changed = false;
    for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
        struct stat now = {0}, *old = &config->stamps[files[i]];
        const char *file = config->texts[files[i]];
        if (!file || stat(file, &now))
            continue; /* between two states: looked at again next time */
        changed |= now.st_ino != old->st_ino || now.st_size != old->st_size ||
                   now.st_mtim.tv_sec != old->st_mtim.tv_sec ||
                   now.st_mtim.tv_nsec != old->st_mtim.tv_nsec;
        *old = now;
    }
    return changed;
}

/* Connections hold references of their own. */
static void use_context(struct tls_config *config, SSL_CTX *ctx)
{
    SSL_CTX_free(config->ctx);
    config->ctx = ctx;
}

/* Connections from now on use the files as they are now. Files that do not go together, as while
 * they are being replaced, leave the old ones in use. */
static void refresh(struct tls_config *config)
{
    SSL_CTX *ctx;
    if (config->ctx && stamp_files(config) && !load_context(config, &ctx, NULL))
        use_context(config, ctx);
}

static void texts_fini(char *texts[TLS_N])
{
    for (size_t i = 0; i < TLS_N; i++)
        free(texts[i]);
}

struct tls_config *tls_config_new(void)
{
    return NEW(struct tls_config);
}

int tls_config_set(struct tls_config *config, const char *const texts[TLS_N], struct diag *diag)
{
    struct tls_config next = {0};
    bool is_whole =
        texts[TLS_KEY] && texts[TLS_CERTIFICATE] && (texts[TLS_CA] || texts[TLS_BOOTSTRAP_CA]);
    for (size_t i = 0; i < TLS_N; i++)
        next.texts[i] = texts[i] ? xstrdup(texts[i]) : NULL;
    (void)stamp_files(&next);
    int err = is_whole ? load_context(&next, &next.ctx, diag) : 0;
    if (err) {
        texts_fini(next.texts);
        return err;
    }
    if (next.ctx && SSL_CTX_get_app_data(next.ctx))
        SSL_CTX_set_app_data(next.ctx, config);
    use_context(config, NULL);
    texts_fini(config->texts);
    *config = next;
    return 0;
}

int tls_config_load(const char *private_key, const char *certificate, const char *ca,
                    struct tls_config **ret, struct diag *diag)
{
    const char *const texts[TLS_N] = {private_key, certificate, ca};
    if (!private_key || !certificate || !ca)
        return diag_set(diag, ERR_INVALID,
                        "TLS needs a private key, a certificate and a CA certificate");
    struct tls_config *config = tls_config_new();
    int err = tls_config_set(config, texts, diag);
    if (err)
        tls_config_free(config);
    else
        *ret = config;
    return err;
}

void tls_config_free(struct tls_config *config)
{
    if (!config)
        return;
    use_context(config, NULL);
    texts_fini(config->texts);
    free(config);
}

int stream_tls_start(struct stream *s, const struct tls_config *config, bool server,
                     struct diag *diag)
{
    refresh((struct tls_config *)(uintptr_t)config);
    if (!config->ctx)
        return diag_set(diag, ERR_INVALID, "TLS: no private key, certificate and CA certificate");
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
        struct tls_config *config = SSL_CTX_get_app_data(SSL_get_SSL_CTX(s->ssl));
        const char *file = config ? file_to_bootstrap(config) : NULL;
        if (config) {
            bootstrap(s, file ? file : config->texts[TLS_BOOTSTRAP_CA]);
            return;
        }
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
