/* stream.h - byte streams over unix sockets, TCP, TLS and within the process, never blocking.
 *
 * A stream has an input buffer, which its owner reads with stream_peek and stream_consume, and an
 * output queue, which stream_write appends to; the kernel gets the queue at the end of the turn
 * (LOOP_OUTPUT). Both are bounded:
 *   input   when max_input bytes lie unread the stream reads no more until some are consumed, so a
 *           fast peer is slowed by its own socket;
 *   output  above high_water stream_is_congested holds until the queue has fallen below half of it
 *           (callback drained): a polite owner stops producing. Beyond max_output the stream is
 *           closed with the reason "send queue exceeds N bytes": a peer that does not read cannot
 *           take the memory of a server.
 *
 * A stream that ends calls closed once, from the loop and never from inside stream_write, with an
 * error code and a sentence for the log; nothing is called afterwards, and the owner frees it. The
 * input that arrived before the end may still be read then. stream_free may be called at any time,
 * from any callback; what was not yet sent is lost, unless stream_flush was called before.
 *
 * Targets are parsed by io/target.h.
 */
#pragma once

#include "base/rstr.h"
#include "io/loop.h"
#include "io/target.h"

struct stream;
struct stream_listener;
struct tls_config; /* loaded key, certificate and CA: io/tls.h */

struct stream_options {
    uint16_t default_port;        /* TARGET_PORT_OVSDB, TARGET_PORT_OPENFLOW; 0: must be given */
    const char *rundir;           /* for relative unix paths; NULL: they are taken as they are */
    const struct tls_config *tls; /* needed by ssl: and pssl:, borrowed while streams live */
    size_t max_input;             /* 0: 1 MiB */
    size_t max_output;            /* 0: 256 MiB */
    size_t high_water;            /* 0: 1 MiB */
};

struct stream_callbacks {
    void (*connected)(void *aux); /* once; of an accepted stream in the first turn. May be NULL */
    void (*readable)(void *aux);  /* new input; not repeated for what is left unread */
    void (*drained)(void *aux);   /* no longer congested. May be NULL */
    /* ERR_CLOSED when the peer ended it, ERR_IO, ERR_TIMEOUT, ERR_TOO_BIG, ... */
    void (*closed)(void *aux, int err, const char *reason);
};

/* Begins to connect to an active target. Bad text and a missing tls config fail at once with DIAG;
 * a refused connection is reported through closed. Set callbacks before returning to the loop. */
int stream_connect(struct loop *loop, const char *target, const struct stream_options *options,
                   struct stream **ret, struct diag *diag) MUST_CHECK;
/* Two ends of a pipe within the process, on the same or on two loops of the same thread. */
void stream_pair(struct loop *loop_a, struct loop *loop_b, const struct stream_options *options,
                 struct stream **a, struct stream **b);
/* Takes over a connected, non-blocking socket. */
struct stream *stream_from_fd(struct loop *loop, int fd, const struct stream_options *options);
void stream_free(struct stream *stream); /* NULL is allowed */
void stream_set_callbacks(struct stream *stream, const struct stream_callbacks *callbacks,
                          void *aux); /* CALLBACKS are copied */
void stream_set_max_input(struct stream *stream, size_t max_input);

/* ---- input ---- */
/* All unread input as one piece, *n bytes; valid until the next call on the stream or the loop. */
const char *stream_peek(struct stream *stream, size_t *n);
void stream_consume(struct stream *stream, size_t n);
/* While paused nothing is read from the peer and readable is not called. Calls on_readable again
 * after resuming when input lies there. */
void stream_pause(struct stream *stream, bool paused);

/* ---- output; all do nothing on a closed stream ---- */
void stream_write(struct stream *stream, const void *bytes, size_t n); /* copies */
void stream_write_text(struct stream *stream, const char *text);
void stream_write_shared(struct stream *stream, const struct rstr *text); /* takes a reference */
/* What is too long to be made at once, in pieces that are made when the peer takes them. */
struct stream_source {
    /* The next piece, a reference for the caller; NULL: there is no more. Never empty. */
    const struct rstr *(*next)(struct stream_source *source);
    void (*free)(struct stream_source *source); /* after the last piece, or when the stream ends */
};
/* What is written later goes behind it. Takes over SOURCE. */
void stream_write_source(struct stream *stream, struct stream_source *source);
/* Bytes not yet given to the kernel, without those that a source has not made yet. */
size_t stream_queued(const struct stream *stream);
bool stream_is_congested(const struct stream *stream);
void stream_flush(struct stream *stream); /* writes what the kernel takes, now */
/* Closes from this side, after the loop turn: closed is called with ERR and REASON. What is queued
 * is sent as far as the kernel takes it. */
void stream_close(struct stream *stream, int err, const char *reason);

struct loop *stream_loop(const struct stream *stream);
bool stream_is_connected(const struct stream *stream);
bool stream_is_closed(const struct stream *stream);
/* For the log: "unix:/run/x.sock", "tcp:10.0.0.1:34567", "unix#3" for an accepted unix stream. */
const char *stream_name(const struct stream *stream);
/* Who the peer is: the common name of its TLS certificate or NULL. */
const char *stream_peer_id(const struct stream *stream);
/* Unix sockets and pairs: the user id of the peer, else -1. */
int64_t stream_peer_uid(const struct stream *stream);
/* True for tcp: and ssl:, where silence may mean that the peer is gone: probes are wanted. */
bool stream_needs_probes(const struct stream *stream);
uint64_t stream_bytes_in(const struct stream *stream);
uint64_t stream_bytes_out(const struct stream *stream);

/* ---- listening ---- */
/* Binds a passive target now; errors name it ("punix:/x: address already in use"). An old socket
 * file nobody listens on is replaced. FN gets each accepted stream and owns it. */
int stream_listen(struct loop *loop, const char *target, const struct stream_options *options,
                  void (*fn)(void *aux, struct stream *stream), void *aux,
                  struct stream_listener **ret, struct diag *diag) MUST_CHECK;
void stream_listener_free(struct stream_listener *listener); /* removes a unix socket file */
const char *stream_listener_target(const struct stream_listener *listener); /* as it was given */
uint16_t stream_listener_port(const struct stream_listener *listener); /* bound port, 0 for unix */
/* While paused, nothing is accepted. */
void stream_listener_pause(struct stream_listener *listener, bool paused);
