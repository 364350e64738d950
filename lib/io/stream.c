/* stream.c - byte streams: buffers, limits, callbacks. The bytes are moved by a transport.
 *
 * Below every room of the architecture. Promises that the owner's functions are called from the
 * loop only, that closed comes once and last, and that both directions are bounded; does not know
 * what the bytes mean.
 */
#include "io/stream_impl.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

enum {
    READ_SIZE = 64 << 10,
    READS_A_TURN = 4,           /* so that one fast peer does not keep the loop to itself */
    FIRST_CHUNK_SIZE = 1 << 10, /* most queues hold one short answer */
    CHUNK_SIZE = 16 << 10,
    PIECES_A_TURN = 4, /* of a source */
    KEEP_INPUT = 256 << 10,
};

/* The last small one is kept: one update to many clients is one for each. */
static void chunk_free(struct stream *s, struct chunk *c)
{
    list_remove(&c->node);
    rstr_unref(c->shared);
    if (c->source)
        c->source->free(c->source);
    if (c->cap || s->spare)
        free(c);
    else
        s->spare = c;
}

static void drop_output(struct stream *s)
{
    list_splice_back(&s->out, &s->behind);
    while (!list_empty(&s->out))
        chunk_free(s, LIST_FIRST(struct chunk, node, &s->out));
    s->out_n = s->behind_n = 0;
    if (s->source)
        s->source->free(s->source);
    s->source = NULL;
}

/* The stream is over, its owner not yet told. Takes over REASON. */
static void shut(struct stream *s, int err, char *reason)
{
    s->closed = true;
    s->io_err = err;
    free(s->io_reason);
    s->io_reason = reason;
    deferred_cancel(&s->connect_call);
    deferred_cancel(&s->output_call);
    s->transport->close(s);
    drop_output(s);
}

static void fail_io(struct stream *s)
{
    char *reason = s->io_reason;
    s->io_reason = NULL;
    stream_fail(s, s->io_err, reason);
}

void stream_sent(struct stream *s, size_t n)
{
    s->bytes_out += n;
    s->out_n -= n;
    while (n) {
        struct chunk *c = LIST_FIRST(struct chunk, node, &s->out);
        size_t part = MIN(n, c->n - c->off);
        c->off += part;
        n -= part;
        if (c->off == c->n)
            chunk_free(s, c);
    }
    if (s->source && !s->out_n)
        deferred_schedule(&s->output_call);
}

static struct chunk *chunk_new(struct stream *s, struct list *queue, size_t cap)
{
    struct chunk *c = cap ? NULL : s->spare;
    if (c)
        s->spare = NULL;
    else
        c = xmalloc(sizeof *c + cap);
    *c = (struct chunk){.cap = cap};
    list_push_back(queue, &c->node);
    return c;
}

/* The source has ended: what is behind it is next, up to the next source. */
static void end_source(struct stream *s)
{
    s->source->free(s->source);
    s->source = NULL;
    while (!s->source && !list_empty(&s->behind)) {
        struct chunk *c = LIST_FIRST(struct chunk, node, &s->behind);
        s->source = c->source;
        c->source = NULL;
        s->behind_n -= c->n;
        s->out_n += c->n;
        list_remove(&c->node);
        list_push_back(&s->out, &c->node);
        if (s->source)
            chunk_free(s, c);
    }
}

static void pull_source(struct stream *s)
{
    const struct rstr *piece = s->source->next(s->source);
    if (!piece) {
        end_source(s);
        return;
    }
    struct chunk *c = chunk_new(s, &s->out, 0);
    c->shared = piece;
    c->n = piece->n;
    s->out_n += c->n;
}

/* Gives the transport what it takes, and sources their share of the turn. */
static void write_out(struct stream *s)
{
    ssize_t n = 1;
    if (s->closed || !s->connected)
        return;
    for (int pieces = 0; s->out_n || s->source;) {
        if (!s->out_n && pieces++ == PIECES_A_TURN) {
            deferred_schedule(&s->output_call);
            break;
        }
        if (!s->out_n) {
            pull_source(s);
            continue;
        }
        n = s->transport->send(s);
        if (n <= 0)
            break;
        stream_sent(s, (size_t)n);
    }
    s->out_blocked = s->out_n != 0;
    if (n == TRANSPORT_ERROR || n == TRANSPORT_EOF)
        fail_io(s);
    else
        s->transport->update(s);
}

static void connect_now(void *s_)
{
    struct stream *s = s_;
    stream_hold(s);
    stream_set_connected(s);
    stream_release(s);
}

static void input_again(void *s_)
{
    struct stream *s = s_;
    stream_hold(s);
    if (s->input_pending && !s->paused && s->cb.readable) {
        s->input_pending = false;
        s->cb.readable(s->aux);
    }
    if (!s->freed && !s->closed && stream_wants_input(s))
        stream_input(s);
    stream_release(s);
}

static void output_now(void *s_)
{
    struct stream *s = s_;
    stream_hold(s);
    stream_output(s);
    stream_release(s);
}

static void close_now(void *s_)
{
    struct stream *s = s_;
    stream_hold(s);
    if (!s->closed) { /* the peer's end was read in this turn: send the last answers */
        write_out(s);
        if (!s->closed)
            shut(s, ERR_CLOSED, xstrdup("connection closed by peer"));
    }
    deferred_cancel(&s->input_call);
    deferred_cancel(&s->close_call);
    if (s->cb.closed)
        s->cb.closed(s->aux, s->io_err, s->io_reason);
    stream_release(s);
}

struct stream *stream_create(struct loop *loop, const struct transport *transport,
                             const struct stream_options *options)
{
    struct stream *s = NEW(struct stream);
    s->loop = loop;
    s->transport = transport;
    s->fd = -1;
    s->peer_uid = -1;
    s->max_input = options && options->max_input ? options->max_input : 1 << 20;
    s->max_output = options && options->max_output ? options->max_output : 256 << 20;
    s->high_water = options && options->high_water ? options->high_water : 1 << 20;
    list_init(&s->out);
    list_init(&s->behind);
    deferred_init(&s->connect_call, loop, LOOP_LATER, connect_now, s);
    deferred_init(&s->input_call, loop, LOOP_LATER, input_again, s);
    deferred_init(&s->output_call, loop, LOOP_OUTPUT, output_now, s);
    deferred_init(&s->close_call, loop, LOOP_OUTPUT, close_now, s);
    return s;
}

void stream_set_callbacks(struct stream *s, const struct stream_callbacks *callbacks, void *aux)
{
    s->cb = *callbacks;
    s->aux = aux;
    /* A stream may be handed on with input in it. */
    if (s->in_n > s->in_off && s->connected) {
        s->input_pending = true;
        deferred_schedule(&s->input_call);
    }
}

void stream_set_max_input(struct stream *s, size_t max_input)
{
    s->max_input = max_input;
    if (!s->closed && s->connected)
        s->transport->update(s);
}

void stream_hold(struct stream *s)
{
    s->holds++;
}

void stream_release(struct stream *s)
{
    if (--s->holds || !s->freed)
        return;
    drop_output(s);
    free(s->spare);
    free(s->in);
    free(s->name);
    free(s->peer_id);
    free(s->io_reason);
    free(s);
}

void stream_free(struct stream *s)
{
    if (!s)
        return;
    INVARIANT(!s->freed);
    stream_hold(s);
    s->freed = true;
    s->closed = true;
    deferred_cancel(&s->connect_call);
    deferred_cancel(&s->input_call);
    deferred_cancel(&s->output_call);
    deferred_cancel(&s->close_call);
    s->transport->close(s);
    drop_output(s); /* now: sources hold on to what their owner may free next */
    stream_release(s);
}

void stream_fail(struct stream *s, int err, char *reason)
{
    if (s->closed) {
        free(reason);
        return;
    }
    shut(s, err, reason);
    deferred_schedule(&s->close_call);
}

void stream_close(struct stream *s, int err, const char *reason)
{
    if (s->closed)
        return;
    write_out(s);
    stream_fail(s, err, xstrdup(reason));
}

void stream_set_connected(struct stream *s)
{
    if (s->connected)
        return;
    s->connected = true;
    s->transport->update(s);
    if (s->out_n || s->source)
        deferred_schedule(&s->output_call);
    if (s->cb.connected)
        s->cb.connected(s->aux);
}

/* ---- input ---- */

static void reserve_input(struct stream *s, size_t n)
{
    if (s->in_off && s->in_off == s->in_n)
        s->in_off = s->in_n = 0;
    if (s->in_cap - s->in_n >= n)
        return;
    if (s->in_off) {
        memmove(s->in, s->in + s->in_off, s->in_n - s->in_off);
        s->in_n -= s->in_off;
        s->in_off = 0;
    }
    if (s->in_cap - s->in_n < n) {
        s->in_cap = MAX(s->in_cap * 2, s->in_n + n);
        s->in = xrealloc(s->in, s->in_cap);
    }
}

void stream_input(struct stream *s)
{
    ssize_t last = 0;
    size_t got = 0;
    for (int i = 0; i < READS_A_TURN && !s->paused && !stream_input_is_full(s); i++) {
        size_t room = MIN((size_t)READ_SIZE, s->max_input - (s->in_n - s->in_off));
        reserve_input(s, room);
        last = s->transport->recv(s, s->in + s->in_n, room);
        if (last <= 0)
            break;
        s->in_n += (size_t)last;
        got += (size_t)last;
        s->bytes_in += (size_t)last;
        if ((size_t)last < room)
            break; /* most likely all there is; if not, the descriptor is still readable */
    }
    if (got && s->cb.readable)
        s->cb.readable(s->aux);
    if (s->freed || s->closed)
        return;
    if (last == TRANSPORT_EOF) {
        s->eof = true;
        s->transport->update(s);
        deferred_schedule(&s->close_call);
    } else if (last == TRANSPORT_ERROR) {
        fail_io(s);
    } else {
        s->transport->update(s);
    }
}

void stream_deliver(struct stream *s, const char *bytes, size_t n)
{
    reserve_input(s, n);
    memcpy(s->in + s->in_n, bytes, n);
    s->in_n += n;
    s->bytes_in += n;
    s->input_pending = true;
    deferred_schedule(&s->input_call);
}

const char *stream_peek(struct stream *s, size_t *n)
{
    *n = s->in_n - s->in_off;
    return *n ? s->in + s->in_off : "";
}

void stream_consume(struct stream *s, size_t n)
{
    INVARIANT(n <= s->in_n - s->in_off);
    bool was_full = stream_input_is_full(s);
    s->in_off += n;
    if (s->in_off == s->in_n) {
        s->in_off = s->in_n = 0;
        if (s->in_cap > KEEP_INPUT) {
            free(s->in);
            s->in = NULL;
            s->in_cap = 0;
        }
    }
    if (was_full && !s->closed && s->connected)
        s->transport->update(s);
}

void stream_pause(struct stream *s, bool paused)
{
    if (s->closed || s->paused == paused)
        return;
    s->paused = paused;
    if (!paused) {
        s->input_pending = s->in_n > s->in_off;
        if (s->input_pending)
            deferred_schedule(&s->input_call);
    }
    if (s->connected)
        s->transport->update(s);
}

/* ---- output ---- */

void stream_output(struct stream *s)
{
    write_out(s);
    if (s->closed || !s->congested || s->source || s->out_n + s->behind_n > s->high_water / 2)
        return;
    s->congested = false;
    if (s->cb.drained)
        s->cb.drained(s->aux);
}

/* False: the stream is closed or has just been, as its peer does not read. */
static bool admit_output(struct stream *s, size_t n)
{
    if (s->closed || !n)
        return false;
    size_t queued = s->out_n + s->behind_n;
    if (queued && queued + n > s->max_output) {
        stream_fail(
            s, ERR_TOO_BIG,
            xasprintf("send queue exceeds %zu bytes: the peer does not read", s->max_output));
        return false;
    }
    *(s->source ? &s->behind_n : &s->out_n) += n;
    if (queued + n > s->high_water)
        s->congested = true;
    deferred_schedule(&s->output_call);
    return true;
}

static struct list *queue_of(struct stream *s)
{
    return s->source ? &s->behind : &s->out;
}

void stream_write(struct stream *s, const void *bytes, size_t n)
{
    if (!admit_output(s, n))
        return;
    struct list *queue = queue_of(s);
    struct chunk *c = NULL;
    if (!list_empty(queue))
        c = CONTAINER_OF(queue->prev, struct chunk, node);
    if (!c || c->shared || c->source || c->cap - c->n < n)
        c = chunk_new(s, queue, MAX(n, (size_t)(c ? CHUNK_SIZE : FIRST_CHUNK_SIZE)));
    memcpy(c->own + c->n, bytes, n);
    c->n += n;
}

void stream_write_text(struct stream *s, const char *text)
{
    stream_write(s, text, strlen(text));
}

void stream_write_shared(struct stream *s, const struct rstr *text)
{
    if (!admit_output(s, text->n))
        return;
    struct chunk *c = chunk_new(s, queue_of(s), 0);
    c->shared = rstr_ref(text);
    c->n = text->n;
}

void stream_write_source(struct stream *s, struct stream_source *source)
{
    if (s->closed) {
        source->free(source);
        return;
    }
    if (s->source)
        chunk_new(s, &s->behind, 0)->source = source;
    else
        s->source = source;
    s->congested = true; /* its length is not known: whoever asked for it is not read meanwhile */
    deferred_schedule(&s->output_call);
}

size_t stream_queued(const struct stream *s)
{
    return s->out_n + s->behind_n;
}

bool stream_is_congested(const struct stream *s)
{
    return s->congested && !s->closed;
}

void stream_flush(struct stream *s)
{
    stream_hold(s);
    stream_output(s);
    stream_release(s);
}

/* ---- facts ---- */

struct loop *stream_loop(const struct stream *s)
{
    return s->loop;
}

bool stream_is_connected(const struct stream *s)
{
    return s->connected && !s->closed;
}

bool stream_is_closed(const struct stream *s)
{
    return s->closed;
}

const char *stream_name(const struct stream *s)
{
    return s->name ? s->name : "pair";
}

const char *stream_peer_id(const struct stream *s)
{
    return s->peer_id;
}

int64_t stream_peer_uid(const struct stream *s)
{
    return s->peer_uid;
}

bool stream_needs_probes(const struct stream *s)
{
    return s->needs_probes;
}

uint64_t stream_bytes_in(const struct stream *s)
{
    return s->bytes_in;
}

uint64_t stream_bytes_out(const struct stream *s)
{
    return s->bytes_out;
}
