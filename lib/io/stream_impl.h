/* stream_impl.h - what the parts of the stream implementation share; not for others.
 *
 * stream.c has buffers, limits and callbacks; a transport moves bytes: stream_socket.c (unix, TCP
 * and, with tls.c, TLS) and stream_pair.c (within the process).
 */
#pragma once

#include "io/stream.h"

struct ssl_st;

/* What recv and send return besides a byte count. */
enum { TRANSPORT_AGAIN = -1, TRANSPORT_ERROR = -2, TRANSPORT_EOF = -3 };

struct transport {
    /* Moves bytes; an error sets s->io_err and s->io_reason (owned). */
    ssize_t (*recv)(struct stream *s, void *buf, size_t n);
    ssize_t (*send)(struct stream *s); /* the head of the output queue, as much as goes */
    /* Takes interest in what the stream can do now: read unless full, write if queued. */
    void (*update)(struct stream *s);
    void (*close)(struct stream *s);
};

struct chunk {
    struct list node;
    struct stream_source *source; /* or NULL; then there are no bytes */
    const struct rstr *shared;    /* or NULL: the bytes are in own */
    size_t off, n, cap;           /* bytes off..n are to be sent */
    char own[];
};

static inline const char *chunk_bytes(const struct chunk *c)
{
    return (c->shared ? c->shared->s : c->own) + c->off;
}

struct stream {
    struct loop *loop;
    const struct transport *transport;
    struct stream_callbacks cb;
    void *aux;
    char *name, *peer_id;
    int64_t peer_uid;
    bool needs_probes;

    bool connected, closed, freed, paused, eof, congested, input_pending;
    bool out_blocked; /* the kernel takes no more for now */
    unsigned holds;   /* callbacks in progress */
    int io_err;       /* why it closed */
    char *io_reason;

    char *in;
    size_t in_off, in_n, in_cap, max_input;
    struct list out;     /* struct chunk with bytes */
    struct chunk *spare; /* or NULL */
    size_t out_n, max_output, high_water;
    struct stream_source *source; /* comes when out is empty */
    struct list behind;           /* struct chunk: behind the source */
    size_t behind_n;
    uint64_t bytes_in, bytes_out;
    struct deferred connect_call, input_call, output_call, close_call;

    /* sockets */
    int fd;
    struct loop_fd *lfd;
    struct ssl_st *ssl;
    bool handshaking, ssl_wants_write;
    /* pairs */
    struct stream *peer;
};

struct stream *stream_create(struct loop *loop, const struct transport *transport,
                             const struct stream_options *options);
void stream_hold(struct stream *s);
void stream_release(struct stream *s); /* may free */
/* Tells the owner, once, that the stream stands. The caller holds the stream. */
void stream_set_connected(struct stream *s);
/* Reads what there is and tells the owner. The caller holds the stream. */
void stream_input(struct stream *s);
void stream_output(struct stream *s);
/* The stream is over: closed is called at the end of the turn. REASON is taken over. */
void stream_fail(struct stream *s, int err, char *reason);
static inline bool stream_input_is_full(const struct stream *s)
{
    return s->in_n - s->in_off >= s->max_input;
}
static inline bool stream_wants_input(const struct stream *s)
{
    return s->connected && !s->paused && !s->eof && !stream_input_is_full(s);
}
void stream_sent(struct stream *s, size_t n); /* N bytes of the queue are gone */

/* Puts bytes into the input buffer; the owner is told in the next turn. */
void stream_deliver(struct stream *s, const char *bytes, size_t n);

/* TLS over s->fd (tls.c). */
int stream_tls_start(struct stream *s, const struct tls_config *config, bool server,
                     struct diag *diag) MUST_CHECK;
void stream_tls_handshake(struct stream *s); /* goes on; clears s->handshaking when done */
ssize_t stream_tls_recv(struct stream *s, void *buf, size_t n);
ssize_t stream_tls_send(struct stream *s);
void stream_tls_stop(struct stream *s);

/* A connected or connecting socket becomes a stream (stream_socket.c). */
struct stream *stream_socket_new(struct loop *loop, int fd, char *name, bool needs_probes,
                                 const struct stream_options *options);
/* A unix address for PATH, also for a PATH that is longer than the address. *dir_fd: -1, or a
 * descriptor to keep open while the address is used. 0 or -1 with errno. */
struct sockaddr_un;
int stream_socket_addr(const char *path, struct sockaddr_un *ret, socklen_t *ret_len, int *dir_fd);
