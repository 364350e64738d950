/* ofsnoop.c - RUNDIR/BRIDGE.snoop: whoever connects there sees the OpenFlow messages between the bridge and its controllers, both ways.
 * Each sees those of the version that it has settled with us; who does not read loses some. */
#include <stdlib.h>

#include "switchd/ofconn.h"

enum { SNOOPS_MAX = 16 };

struct ofsnoop {
    struct list node; /* in ofserver.snoops */
    struct of_conn *conn;
};

static void snoop_free(struct ofsnoop *s)
{
    list_remove(&s->node);
    of_conn_free(s->conn);
    free(s);
}

static void ignore(void *snoop, struct of_conn *conn, const struct of_msg *msg)
{
    (void)snoop, (void)conn, (void)msg;
}

static void closed(void *snoop, struct of_conn *conn, int err, const char *reason)
{
    (void)conn, (void)err, (void)reason;
    snoop_free(snoop);
}

static const struct of_conn_callbacks callbacks = {.message = ignore, .closed = closed};

static void accept_snoop(void *of_, struct stream *stream)
{
    struct ofserver *of = of_;
    size_t n = 0;
    const struct ofsnoop *each;
    LIST_FOR_EACH (each, node, &of->snoops)
        n++;
    if (n >= SNOOPS_MAX) {
        stream_free(stream);
        return;
    }
    struct ofsnoop *s = NEW(struct ofsnoop);
    struct of_conn_options options = {.versions = OF_VERSIONS_ALL};
    s->conn = of_conn_new(of->br->vs->loop, stream, &options, &callbacks, s);
    list_push_back(&of->snoops, &s->node);
}

int ofserver_listen_snoop(struct ofserver *of, const char *target, struct diag *diag)
{
    struct stream_options options = {.rundir = of->br->vs->rundir};
    return stream_listen(of->br->vs->loop, target, &options, accept_snoop, of, &of->snoop_listener,
                         diag);
}

void ofsnoop_copy(struct ofserver *of, const uint8_t *data, size_t n)
{
    if (list_empty(&of->snoops))
        return;
    for (size_t len; n >= OF_HEADER_LEN; data += len, n -= len) {
        len = get_be16(data + 2);
        if (len < OF_HEADER_LEN || len > n)
            return;
        struct ofsnoop *s;
        LIST_FOR_EACH (s, node, &of->snoops) {
            if (of_conn_version(s->conn) == data[0] && !of_conn_is_congested(s->conn))
                of_conn_send(s->conn, data, len);
        }
    }
}

void ofsnoops_free(struct ofserver *of)
{
    stream_listener_free(of->snoop_listener);
    while (!list_empty(&of->snoops))
        snoop_free(LIST_FIRST(struct ofsnoop, node, &of->snoops));
}
