/* stream_socket.c - streams over unix sockets and TCP, plain or with TLS, and their listeners.
 *
 * Below every room of the architecture. Promises never to block; does not look up host names.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"
#include "base/str.h"
#include "io/stream_impl.h"

enum { MAX_IOV = 64, ACCEPTS_A_TURN = 64, ACCEPT_RETRY_MS = 100, BACKLOG = 128 };

/* ---- transport ---- */

static ssize_t io_failed(struct stream *s, const char *what, int error)
{
    if (error == EAGAIN || error == EWOULDBLOCK || error == EINTR)
        return TRANSPORT_AGAIN;
    s->io_err = error == ECONNRESET || error == EPIPE ? ERR_CLOSED : ERR_IO;
    free(s->io_reason);
    s->io_reason = xasprintf("%s: %s", what, strerror(error));
    return TRANSPORT_ERROR;
}

static ssize_t socket_recv(struct stream *s, void *buf, size_t n)
{
    if (s->ssl)
        return stream_tls_recv(s, buf, n);
    ssize_t got = recv(s->fd, buf, n, 0);
    if (got > 0)
        return got;
    return got ? io_failed(s, "receive", errno) : TRANSPORT_EOF;
}

static ssize_t socket_send(struct stream *s)
{
    if (s->ssl)
        return stream_tls_send(s);
    struct iovec iov[MAX_IOV];
    size_t n = 0;
    struct chunk *c;
    LIST_FOR_EACH (c, node, &s->out) {
        if (n == MAX_IOV)
            break;
        iov[n].iov_base = (char *)(uintptr_t)chunk_bytes(c);
        iov[n++].iov_len = c->n - c->off;
    }
    struct msghdr msg = {.msg_iov = iov, .msg_iovlen = n};
    /* One update to many clients is one chunk for each: the shorter way into the kernel. */
    ssize_t sent = n == 1 ? send(s->fd, iov->iov_base, iov->iov_len, MSG_NOSIGNAL)
                          : sendmsg(s->fd, &msg, MSG_NOSIGNAL);
    return sent >= 0 ? sent : io_failed(s, "send", errno);
}

static void socket_update(struct stream *s)
{
    unsigned events;
    if (!s->lfd)
        return;
    if (s->handshaking)
        events = s->ssl_wants_write ? LOOP_WRITE : LOOP_READ;
    else if (!s->connected)
        events = LOOP_WRITE;
    else
        events = (stream_wants_input(s) ? LOOP_READ : 0) |
                 (s->out_blocked || s->ssl_wants_write ? LOOP_WRITE : 0);
    loop_fd_set(s->lfd, events);
}

static void socket_close(struct stream *s)
{
    if (s->fd < 0)
        return;
    if (s->ssl)
        stream_tls_stop(s);
    loop_fd_free(s->lfd);
    s->lfd = NULL;
    close(s->fd);
    s->fd = -1;
}

static const struct transport socket_transport = {socket_recv, socket_send, socket_update,
                                                  socket_close};

static void finish_connect(struct stream *s)
{
    if (!s->ssl) {
        int error = 0;
        socklen_t len = sizeof error;
        getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &error, &len);
        if (error) {
            stream_fail(s, ERR_IO, xasprintf("%s: %s", s->name, strerror(error)));
            return;
        }
    } else {
        stream_tls_handshake(s);
        if (s->closed || s->handshaking)
            return;
    }
    stream_set_connected(s);
}

static void socket_ready(void *s_, unsigned events)
{
    struct stream *s = s_;
    stream_hold(s);
    if (!s->connected)
        finish_connect(s);
    if (!s->closed && s->connected && (events & LOOP_WRITE || s->ssl))
        stream_output(s);
    if (!s->closed && (events & LOOP_READ || s->ssl) && stream_wants_input(s))
        stream_input(s);
    stream_release(s);
}

struct stream *stream_socket_new(struct loop *loop, int fd, char *name, bool needs_probes,
                                 const struct stream_options *options)
{
    struct stream *s = stream_create(loop, &socket_transport, options);
    s->fd = fd;
    s->name = name;
    s->needs_probes = needs_probes;
    s->lfd = loop_fd_new(loop, fd, LOOP_WRITE, socket_ready, s);
    return s;
}

static void read_peer_credentials(struct stream *s)
{
    struct ucred cred;
    socklen_t len = sizeof cred;
    if (!getsockopt(s->fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) && cred.pid > 0)
        s->peer_uid = cred.uid;
}

struct stream *stream_from_fd(struct loop *loop, int fd, const struct stream_options *options)
{
    struct stream *s = stream_socket_new(loop, fd, xasprintf("fd%d", fd), false, options);
    read_peer_credentials(s);
    return s;
}

/* ---- connecting ---- */

int stream_socket_addr(const char *path, struct sockaddr_un *ret, socklen_t *ret_len, int *dir_fd)
{
    memset(ret, 0, sizeof *ret);
    ret->sun_family = AF_UNIX;
    *ret_len = sizeof *ret;
    *dir_fd = -1;
    size_t n = strlen(path);
    if (n < sizeof ret->sun_path) {
        memcpy(ret->sun_path, path, n);
        return 0;
    }
    /* Too long: name it through a descriptor of its directory. */
    const char *slash = strrchr(path, '/');
    if (!slash) {
        errno = ENAMETOOLONG;
        return -1;
    }
    char *dir = xstrndup(path, (size_t)(slash - path) + 1);
    *dir_fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    free(dir);
    if (*dir_fd < 0)
        return -1;
    int k =
        snprintf(ret->sun_path, sizeof ret->sun_path, "/proc/self/fd/%d/%s", *dir_fd, slash + 1);
    if (k < 0 || (size_t)k >= sizeof ret->sun_path) {
        close(*dir_fd);
        *dir_fd = -1;
        errno = ENAMETOOLONG;
        return -1;
    }
    return 0;
}

static int socket_new(int family)
{
    int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int one = 1;
    if (fd >= 0 && family != AF_UNIX)
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    return fd;
}

static int connect_unix(int fd, const char *path)
{
    struct sockaddr_un un;
    socklen_t len;
    int dir_fd;
    if (stream_socket_addr(path, &un, &len, &dir_fd))
        return -1;
    int rc = connect(fd, (struct sockaddr *)&un, len);
    if (dir_fd >= 0) {
        int saved = errno;
        close(dir_fd);
        errno = saved;
    }
    return rc;
}

int stream_connect(struct loop *loop, const char *text, const struct stream_options *options,
                   struct stream **ret, struct diag *diag)
{
    struct target target;
    int err = target_parse(text, options->default_port, options->rundir, &target, diag);
    if (!err && target.passive)
        err = diag_set(diag, ERR_SYNTAX, "%s: is a target to listen on", text);
    if (!err && target.kind == TARGET_SSL && !options->tls)
        err = diag_set(diag, ERR_INVALID, "%s: needs a private key, certificate and CA", text);
    if (err) {
        target_fini(&target);
        return err;
    }
    bool is_unix = target.kind == TARGET_UNIX;
    int fd = socket_new(is_unix ? AF_UNIX : target.addr.ss_family);
    if (fd < 0) {
        target_fini(&target);
        return diag_set(diag, ERR_IO, "%s: socket: %s", text, strerror(errno));
    }
    struct stream *s = stream_socket_new(loop, fd, xstrdup(text), !is_unix, options);
    int rc = is_unix ? connect_unix(fd, target.path)
                     : connect(fd, (struct sockaddr *)&target.addr, target.addr_len);
    target_fini(&target);
    if (rc && errno != EINPROGRESS)
        stream_fail(s, ERR_IO, xasprintf("%s: %s", text, strerror(errno)));
    else if (options->tls && text_starts_with(text, "ssl:"))
        err = stream_tls_start(s, options->tls, false, diag);
    if (err) {
        stream_free(s);
        return err;
    }
    *ret = s;
    return 0;
}

/* ---- listening ---- */

struct stream_listener {
    struct loop *loop;
    struct stream_options options;
    char *text, *path;
    enum target_kind kind;
    int fd;
    struct loop_fd *lfd;
    struct timer retry;
    uint16_t port;
    unsigned n_accepted;
    bool paused;
    bool accepting, freed; /* freed inside its own callback: the end of that frees the memory */
    void (*fn)(void *aux, struct stream *stream);
    void *aux;
};

static void listener_destroy(struct stream_listener *l)
{
    free(l->path);
    free(l->text);
    free(l);
}

static void listener_update(struct stream_listener *l)
{
    loop_fd_set(l->lfd, l->paused || timer_is_running(&l->retry) ? 0 : LOOP_READ);
}

static void listener_retry(void *l_)
{
    listener_update(l_);
}

static void accepted(struct stream_listener *l, int fd, const struct sockaddr_storage *addr)
{
    char *name;
    int one = 1;
    if (l->kind == TARGET_UNIX) {
        name = xasprintf("unix#%u", l->n_accepted++);
    } else {
        char *text = target_print_addr(addr);
        name = xasprintf("%s:%s", l->kind == TARGET_SSL ? "ssl" : "tcp", text);
        free(text);
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    }
    struct stream *s = stream_socket_new(l->loop, fd, name, l->kind != TARGET_UNIX, &l->options);
    struct diag diag = DIAG_INIT;
    if (l->kind == TARGET_UNIX)
        read_peer_credentials(s);
    if (l->kind == TARGET_SSL && stream_tls_start(s, l->options.tls, true, &diag)) {
        stream_free(s);
        diag_fini(&diag);
        return;
    }
    l->fn(l->aux, s);
}

static void listener_ready(void *l_, unsigned events UNUSED)
{
    struct stream_listener *l = l_;
    l->accepting = true;
    for (int i = 0; i < ACCEPTS_A_TURN && !l->freed && !l->paused; i++) {
        struct sockaddr_storage addr;
        socklen_t len = sizeof addr;
        memset(&addr, 0, sizeof addr);
        int fd = accept4(l->fd, (struct sockaddr *)&addr, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            accepted(l, fd, &addr);
        } else {
            /* Out of descriptors or memory: others must close first. */
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
                timer_start_ms(&l->retry, ACCEPT_RETRY_MS);
                listener_update(l);
            }
            break;
        }
    }
    l->accepting = false;
    if (l->freed)
        listener_destroy(l);
}

/* A socket file that nobody listens on is a remainder of a killed daemon. */
static void remove_stale_socket(const char *path)
{
    struct stat st;
    if (lstat(path, &st) || !S_ISSOCK(st.st_mode))
        return;
    int fd = socket_new(AF_UNIX);
    if (fd >= 0 && connect_unix(fd, path) && errno == ECONNREFUSED)
        unlink(path);
    if (fd >= 0)
        close(fd);
}

static int bind_unix(int fd, const char *path)
{
    struct sockaddr_un un;
    socklen_t len;
    int dir_fd;
    remove_stale_socket(path);
    if (stream_socket_addr(path, &un, &len, &dir_fd))
        return -1;
    fchmod(fd, 0770); /* the file gets this less the umask */
    int rc = bind(fd, (struct sockaddr *)&un, len);
    if (dir_fd >= 0) {
        int saved = errno;
        close(dir_fd);
        errno = saved;
    }
    return rc;
}

static int listen_on(const struct target *target, int *ret_fd, uint16_t *ret_port)
{
    bool is_unix = target->kind == TARGET_UNIX;
    int fd = socket_new(is_unix ? AF_UNIX : target->addr.ss_family), one = 1;
    if (fd < 0)
        return -1;
    if (!is_unix)
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    int rc = is_unix ? bind_unix(fd, target->path)
                     : bind(fd, (const struct sockaddr *)&target->addr, target->addr_len);
    if (rc || listen(fd, BACKLOG)) {
        int saved = errno;
        close(fd);
        errno = saved;
        return -1;
    }
    struct sockaddr_storage addr;
    socklen_t len = sizeof addr;
    *ret_port = 0;
    if (!is_unix && !getsockname(fd, (struct sockaddr *)&addr, &len))
        *ret_port = ntohs(addr.ss_family == AF_INET6
                              ? ((const struct sockaddr_in6 *)(const void *)&addr)->sin6_port
                              : ((const struct sockaddr_in *)(const void *)&addr)->sin_port);
    *ret_fd = fd;
    return 0;
}

int stream_listen(struct loop *loop, const char *text, const struct stream_options *options,
                  void (*fn)(void *aux, struct stream *stream), void *aux,
                  struct stream_listener **ret, struct diag *diag)
{
    struct target target;
    int fd = -1;
    uint16_t port = 0;
    int err = target_parse(text, options->default_port, options->rundir, &target, diag);
    if (!err && !target.passive)
        err = diag_set(diag, ERR_SYNTAX, "%s: is not a target to listen on", text);
    if (!err && target.kind == TARGET_SSL && !options->tls)
        err = diag_set(diag, ERR_INVALID, "%s: needs a private key, certificate and CA", text);
    if (!err && listen_on(&target, &fd, &port))
        err = diag_set(diag, ERR_IO, "%s: %s", text, strerror(errno));
    if (err) {
        target_fini(&target);
        return err;
    }
    struct stream_listener *l = NEW(struct stream_listener);
    l->loop = loop;
    l->options = *options;
    l->options.rundir = NULL;
    l->text = xstrdup(text);
    l->path = target.path;
    l->kind = target.kind;
    l->fd = fd;
    l->port = port;
    l->fn = fn;
    l->aux = aux;
    timer_init(&l->retry, loop, listener_retry, l);
    l->lfd = loop_fd_new(loop, fd, LOOP_READ, listener_ready, l);
    *ret = l;
    return 0;
}

void stream_listener_free(struct stream_listener *l)
{
    if (!l)
        return;
    timer_stop(&l->retry);
    loop_fd_free(l->lfd);
    close(l->fd);
    if (l->path)
        unlink(l->path);
    l->freed = true;
    if (!l->accepting)
        listener_destroy(l);
}

const char *stream_listener_target(const struct stream_listener *l)
{
    return l->text;
}

uint16_t stream_listener_port(const struct stream_listener *l)
{
    return l->port;
}

void stream_listener_pause(struct stream_listener *l, bool paused)
{
    l->paused = paused;
    listener_update(l);
}
