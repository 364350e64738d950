/* link.c - see link.h: a relay of byte streams with a queue for each direction. */
#include "sim/link.h"

#include <stdlib.h>

#include "sim/cluster.h"

struct piece {
    struct list node;
    int64_t due_us;
    size_t n;
    char bytes[];
};

struct relay;
struct end { /* what arrives at one of a relay's two ends, and goes to the other */
    struct relay *relay;
    struct stream *stream;
    struct list pieces;
    int64_t last_due_us;
    bool is_over;
};

struct relay { /* one connection */
    struct list node;
    struct link *link;
    struct end ends[2];
    struct timer timer;
};

struct link {
    struct cluster *cluster;
    struct stream_listener *listener;
    char *target;
    struct list relays;
    int64_t delay_us;
    bool is_cut, is_stalled;
};

static void relay_free(struct relay *r)
{
    for (size_t i = 0; i < 2; i++) {
        stream_free(r->ends[i].stream);
        while (!list_empty(&r->ends[i].pieces)) {
            struct piece *piece = LIST_FIRST(struct piece, node, &r->ends[i].pieces);
            list_remove(&piece->node);
            free(piece);
        }
    }
    timer_stop(&r->timer);
    list_remove(&r->node);
    free(r);
}

/* Sends on what is due. Ends the relay with the first end that is over and has nothing under way. */
static void relay_run(void *r_)
{
    struct relay *r = r_;
    int64_t now = loop_now_us(r->link->cluster->loop), next = INT64_MAX;
    if (r->link->is_stalled)
        return;
    for (size_t i = 0; i < 2; i++) {
        struct end *end = &r->ends[i], *other = &r->ends[!i];
        while (!list_empty(&end->pieces)) {
            struct piece *piece = LIST_FIRST(struct piece, node, &end->pieces);
            if (piece->due_us > now) {
                next = MIN(next, piece->due_us);
                break;
            }
            stream_write(other->stream, piece->bytes, piece->n);
            list_remove(&piece->node);
            free(piece);
        }
        if (end->is_over && list_empty(&end->pieces)) {
            stream_flush(other->stream);
            relay_free(r);
            return;
        }
    }
    if (next != INT64_MAX)
        timer_set_us(&r->timer, next);
}

static void on_readable(void *end_)
{
    struct end *end = end_;
    struct cluster *c = end->relay->link->cluster;
    size_t n;
    const char *bytes = stream_peek(end->stream, &n);
    if (!n)
        return;
    struct piece *piece = xmalloc(sizeof *piece + n);
    int64_t delay = end->relay->link->delay_us;
    int64_t due =
        loop_now_us(c->loop) + (delay ? (int64_t)cluster_pick(c, (uint64_t)delay + 1) : 0);
    piece->due_us = end->last_due_us = MAX(end->last_due_us, due);
    piece->n = n;
    memcpy(piece->bytes, bytes, n);
    stream_consume(end->stream, n);
    list_push_back(&end->pieces, &piece->node);
    relay_run(end->relay);
}

static void on_closed(void *end_, int err UNUSED, const char *reason UNUSED)
{
    struct end *end = end_;
    size_t n;
    stream_peek(end->stream, &n);
    end->is_over = true;
    if (n)
        on_readable(end); /* runs the relay */
    else
        relay_run(end->relay);
}

static void on_accept(void *link_, struct stream *stream)
{
    static const struct stream_callbacks callbacks = {.readable = on_readable, .closed = on_closed};
    struct link *link = link_;
    struct diag diag = DIAG_INIT;
    struct stream *onward;
    struct stream_options options = {.default_port = TARGET_PORT_OVSDB};
    if (link->is_cut) {
        stream_free(stream);
        return;
    }
    if (stream_connect(link->cluster->loop, link->target, &options, &onward, &diag))
        cluster_fail(link->cluster, "%s", diag_text(&diag));
    struct relay *r = NEW(struct relay);
    r->link = link;
    list_push_back(&link->relays, &r->node);
    timer_init(&r->timer, link->cluster->loop, relay_run, r);
    r->ends[0].stream = stream;
    r->ends[1].stream = onward;
    for (size_t i = 0; i < 2; i++) {
        r->ends[i].relay = r;
        list_init(&r->ends[i].pieces);
        stream_set_callbacks(r->ends[i].stream, &callbacks, &r->ends[i]);
    }
}

struct link *link_new(struct cluster *c, const char *listen, const char *target)
{
    struct diag diag = DIAG_INIT;
    struct link *link = NEW(struct link);
    link->cluster = c;
    link->target = xstrdup(target);
    list_init(&link->relays);
    struct stream_options options = {.default_port = TARGET_PORT_OVSDB};
    if (stream_listen(c->loop, listen, &options, on_accept, link, &link->listener, &diag))
        cluster_fail(c, "%s", diag_text(&diag));
    return link;
}

static void end_relays(struct link *link)
{
    while (!list_empty(&link->relays))
        relay_free(LIST_FIRST(struct relay, node, &link->relays));
}

void link_free(struct link *link)
{
    end_relays(link);
    stream_listener_free(link->listener);
    free(link->target);
    free(link);
}

void link_set_delay(struct link *link, int64_t max_us)
{
    link->delay_us = max_us;
}

void link_cut(struct link *link, bool cut)
{
    link->is_cut = cut;
    if (cut)
        end_relays(link);
}

void link_stall(struct link *link, bool stalled)
{
    struct relay *r, *next;
    link->is_stalled = stalled;
    if (!stalled)
        LIST_FOR_EACH_SAFE (r, next, node, &link->relays)
            relay_run(r);
}

void link_heal(struct link *link)
{
    link_cut(link, false);
    link_stall(link, false);
    link_set_delay(link, 0);
}
