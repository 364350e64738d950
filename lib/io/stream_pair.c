/* stream_pair.c - two streams that are the ends of one pipe within the process.
 *
 * Tests, simulations and in-process clients stand on it: no descriptor, no kernel, and on virtual
 * time the same bytes in the same turns each run. A byte that one end has written is in the other's
 * input in the next turn of the other's loop.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "io/stream_impl.h"

/* The input of a pair's end is the output queue of the other. */
static ssize_t pair_recv(struct stream *s, void *buf, size_t n)
{
    struct stream *peer = s->peer;
    if (!peer)
        return TRANSPORT_EOF;
    if (!peer->out_n || !peer->connected)
        return TRANSPORT_AGAIN;
    struct chunk *c = LIST_FIRST(struct chunk, node, &peer->out);
    size_t part = MIN(n, c->n - c->off);
    memcpy(buf, chunk_bytes(c), part);
    stream_sent(peer, part);
    if (peer->congested)
        deferred_schedule(&peer->output_call); /* may be drained now */
    if (peer->out_n)
        deferred_schedule(&s->input_call);
    return (ssize_t)part;
}

static ssize_t pair_send(struct stream *s)
{
    if (s->peer && s->peer->connected && stream_wants_input(s->peer))
        deferred_schedule(&s->peer->input_call);
    return TRANSPORT_AGAIN; /* the peer takes it */
}

static void pair_update(struct stream *s)
{
    struct stream *peer = s->peer;
    if (stream_wants_input(s) && (!peer || peer->out_n))
        deferred_schedule(&s->input_call);
}

static void pair_close(struct stream *s)
{
    struct stream *peer = s->peer;
    if (!peer)
        return;
    /* What was written before the end still arrives. */
    while (s->out_n && !peer->closed) {
        struct chunk *c = LIST_FIRST(struct chunk, node, &s->out);
        size_t part = c->n - c->off;
        stream_deliver(peer, chunk_bytes(c), part);
        stream_sent(s, part);
    }
    s->peer = NULL;
    peer->peer = NULL;
    if (!peer->closed)
        deferred_schedule(&peer->input_call);
}

static const struct transport pair_transport = {pair_recv, pair_send, pair_update, pair_close};

void stream_pair(struct loop *loop_a, struct loop *loop_b, const struct stream_options *options,
                 struct stream **a, struct stream **b)
{
    *a = stream_create(loop_a, &pair_transport, options);
    *b = stream_create(loop_b, &pair_transport, options);
    (*a)->peer = *b;
    (*b)->peer = *a;
    (*a)->peer_uid = (*b)->peer_uid = (int64_t)geteuid();
    deferred_schedule(&(*a)->connect_call);
    deferred_schedule(&(*b)->connect_call);
}
