/* connection.c - framing, HELLO, echo and probes of an OpenFlow connection. Keeping a target connected is remote.c's work. */
#include "openflow/connection.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "io/probe.h"

LOG_MODULE(rconn);

struct of_conn {
    struct loop *loop;
    struct stream *stream;
    struct of_conn_options options;
    struct of_conn_callbacks callbacks;
    void *aux;
    struct probe probe;
    struct deferred more; /* reads on when unpaused */
    uint8_t version;      /* 0: no HELLO has come */
    uint32_t next_xid;
    bool paused, closed;
    bool *freed; /* set while callbacks run: of_conn_free tells them */
};

/* What lies unread is moved when more comes, so it is little more than the longest message. */
enum { INPUT_MAX = 128 << 10 };

static void on_input(void *aux);
static void read_on(void *aux);

static void close_with(struct of_conn *c, int err, const char *reason)
{
    if (!c->closed && c->stream)
        stream_close(c->stream, err, reason);
}

static void on_closed(void *aux, int err, const char *reason)
{
    struct of_conn *c = aux;
    if (c->closed)
        return;
    c->closed = true;
    probe_stop(&c->probe);
    deferred_cancel(&c->more);
    if (c->callbacks.closed)
        c->callbacks.closed(c->aux, c, err, reason);
}

static void on_drained(void *aux)
{
    struct of_conn *c = aux;
    probe_activity(
        &c->probe); /* it reads: when it is not read itself (paused) that is the sign of life */
    if (c->callbacks.drained && c->version)
        c->callbacks.drained(c->aux, c);
}

static void on_silence(void *aux)
{
    struct of_conn *c = aux;
    struct of_buf b = OF_BUF_INIT;
    if (c->version) {
        of_simple_encode(OF_ECHO_REQUEST, c->version, of_conn_next_xid(c), &b);
        of_conn_send_buf(c, &b);
    }
    of_buf_fini(&b);
}

static void on_dead(void *aux)
{
    close_with(aux, ERR_TIMEOUT, "no answer to the echo request");
}

static void send_hello(struct of_conn *c)
{
    struct of_buf b = OF_BUF_INIT;
    of_hello_encode(c->options.versions, c->options.hello_bitmap, of_conn_next_xid(c), &b);
    of_conn_send_buf(c, &b);
    of_buf_fini(&b);
}

struct of_conn *of_conn_new(struct loop *loop, struct stream *stream,
                            const struct of_conn_options *options,
                            const struct of_conn_callbacks *callbacks, void *aux)
{
    static const struct stream_callbacks stream_callbacks = {
        .readable = on_input, .drained = on_drained, .closed = on_closed};
    struct of_conn *c = NEW(struct of_conn);
    c->loop = loop;
    c->stream = stream;
    c->options = *options;
    c->callbacks = *callbacks;
    c->aux = aux;
    c->next_xid = 1;
    probe_init(&c->probe, loop, on_silence, on_dead, c);
    deferred_init(&c->more, loop, LOOP_LATER, read_on, c);
    stream_set_max_input(stream, INPUT_MAX);
    stream_set_callbacks(stream, &stream_callbacks, c);
    send_hello(c);
    probe_set_interval(&c->probe, options->probe_ms);
    deferred_schedule(&c->more); /* what arrived before the stream was ours */
    return c;
}

void of_conn_free(struct of_conn *c)
{
    if (!c)
        return;
    if (c->freed)
        *c->freed = true;
    probe_stop(&c->probe);
    deferred_cancel(&c->more);
    if (!c->closed)
        stream_flush(c->stream);
    stream_free(c->stream);
    free(c);
}

uint8_t of_conn_version(const struct of_conn *c)
{
    return c->version;
}

uint32_t of_conn_next_xid(struct of_conn *c)
{
    uint32_t xid = c->next_xid++;
    if (!c->next_xid)
        c->next_xid = 1;
    return xid;
}

void of_conn_send(struct of_conn *c, const void *bytes, size_t n)
{
    if (!c->closed && n)
        stream_write(c->stream, bytes, n);
}

void of_conn_send_buf(struct of_conn *c, struct of_buf *buf)
{
    of_conn_send(c, buf->data, buf->n);
    buf->n = 0;
}

void of_conn_send_error(struct of_conn *c, int error, const struct of_msg *request)
{
    struct of_buf b = OF_BUF_INIT;
    of_error_encode(error, request, &b);
    of_conn_send_buf(c, &b);
    of_buf_fini(&b);
}

void of_conn_set_callbacks(struct of_conn *c, const struct of_conn_callbacks *callbacks, void *aux)
{
    c->callbacks = *callbacks;
    c->aux = aux;
}

void of_conn_set_probe(struct of_conn *c, int64_t probe_ms)
{
    c->options.probe_ms = probe_ms;
    probe_set_interval(&c->probe, probe_ms);
}

void of_conn_pause(struct of_conn *c, bool paused)
{
    if (c->paused == paused || c->closed)
        return;
    c->paused = paused;
    stream_pause(c->stream, paused);
    if (!paused)
        deferred_schedule(&c->more);
}

bool of_conn_is_congested(const struct of_conn *c)
{
    return !c->closed && stream_is_congested(c->stream);
}

void of_conn_close(struct of_conn *c, const char *reason)
{
    close_with(c, ERR_CANCELED, reason);
}

struct stream *of_conn_stream(struct of_conn *c)
{
    return c->stream;
}

const char *of_conn_name(const struct of_conn *c)
{
    return stream_name(c->stream);
}

/* ---- Receiving ---- */

static void send_hello_failed(struct of_conn *c, const struct of_msg *msg)
{
    struct of_buf b = OF_BUF_INIT;
    struct of_msg as = *msg;
    as.version = (uint8_t)(31 - __builtin_clz(c->options.versions));
    of_error_encode(OF_ERR_HELLO_INCOMPATIBLE, &as, &b);
    of_conn_send_buf(c, &b);
    of_buf_fini(&b);
    close_with(c, ERR_UNSUPPORTED, "no common OpenFlow version");
}

/* The highest version that both offer; without common ones by bitmap, the lower of the two headers counts when it is one
 * of ours (OpenFlow 1.3 6.3.1). */
static void got_hello(struct of_conn *c, const struct of_msg *msg)
{
    uint32_t theirs;
    if (c->version)
        return; /* a second HELLO changes nothing */
    if (of_hello_decode(msg, &theirs) || !(theirs & c->options.versions)) {
        send_hello_failed(c, msg);
        return;
    }
    c->version = (uint8_t)(31 - __builtin_clz(theirs & c->options.versions));
    log_dbg("%s: version %s", of_conn_name(c), of_version_name(c->version));
    if (c->callbacks.ready)
        c->callbacks.ready(c->aux, c);
}

static void got_message(struct of_conn *c, const uint8_t *data, size_t n)
{
    struct of_msg msg;
    int err = of_msg_parse(data, n, &msg);
    if (msg.type == OF_HELLO) {
        got_hello(c, &msg);
    } else if (!c->version) {
        close_with(c, ERR_INVALID, "message before HELLO");
    } else if (!err && msg.version != c->version) {
        of_conn_send_error(c, OF_ERR_BAD_VERSION, &msg);
    } else if (err) {
        msg.version = c->version;
        of_conn_send_error(c, err, &msg);
    } else if (msg.type == OF_ECHO_REQUEST) {
        struct of_buf b = OF_BUF_INIT;
        of_raw_encode(OF_ECHO_REPLY, c->version, msg.xid, msg.body, msg.body_len, &b);
        of_conn_send_buf(c, &b);
        of_buf_fini(&b);
    } else if (msg.type != OF_ECHO_REPLY || !c->options.probe_ms) {
        c->callbacks.message(c->aux, c, &msg);
    }
}

/* How much is done before others have their turn: so many messages, or a time, which is looked at now and then. */
enum { MESSAGES_A_TURN = 200, TURN_US = 300, CLOCK_EVERY = 8 };

static bool turn_is_over(struct of_conn *c, unsigned n_done, int64_t until_us)
{
    return n_done >= MESSAGES_A_TURN ||
           (n_done && n_done % CLOCK_EVERY == 0 && env_now_us(loop_env(c->loop)) >= until_us);
}

static void read_on(void *aux)
{
    struct of_conn *c = aux;
    bool freed = false;
    if (c->freed || c->closed)
        return;
    probe_activity(&c->probe);
    c->freed = &freed;
    struct of_buf copy = OF_BUF_INIT;
    int64_t until_us = env_now_us(loop_env(c->loop)) + TURN_US;
    for (unsigned n_done = 0; !c->paused && !c->closed && !stream_is_closed(c->stream); n_done++) {
        size_t n;
        const uint8_t *p = (const uint8_t *)stream_peek(c->stream, &n);
        if (n < OF_HEADER_LEN)
            break;
        size_t len = get_be16(p + 2);
        if (len < OF_HEADER_LEN) {
            close_with(c, ERR_INVALID, "message shorter than its header");
            break;
        }
        if (n < len)
            break;
        if (turn_is_over(c, n_done, until_us)) {
            deferred_schedule(&c->more);
            break;
        }
        /* The bytes are taken out first: a callback may pause, close or free. */
        copy.n = 0;
        of_buf_put(&copy, p, len);
        stream_consume(c->stream, len);
        got_message(c, copy.data, len);
        if (freed)
            break;
    }
    of_buf_fini(&copy);
    if (!freed)
        c->freed = NULL;
}

/* In a turn in which it reads on anyway that is all that it does. */
static void on_input(void *aux)
{
    struct of_conn *c = aux;
    if (!deferred_is_scheduled(&c->more))
        read_on(c);
}
