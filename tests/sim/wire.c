/* wire.c - see wire.h. */
#include "sim/wire.h"

#include <stdlib.h>

#include "sim/cluster.h"

struct datagram {
    struct list node;
    struct ip_addr from, to;
    uint16_t udp_port;
    int64_t due_us;
    size_t n;
    uint8_t bytes[];
};

static struct wire_end *end_at(struct wire *wire, const struct ip_addr *ip)
{
    struct wire_end *end;
    LIST_FOR_EACH (end, node, &wire->ends)
        if (ip_addr_equal(&end->ip, ip))
            return end;
    return NULL;
}

static void deliver(struct wire *wire, const struct datagram *d)
{
    struct wire_end *end = end_at(wire, &d->to);
    if (end && end->host && !end->is_cut)
        tunnel_receive(end->host, d->udp_port, &d->from, &d->to, d->bytes, d->n);
}

static void wake_at(struct wire *wire, int64_t us)
{
    if (!timer_is_running(&wire->timer) || wire->timer.at_us > us)
        timer_set_us(&wire->timer, us);
}

static void run(void *wire_)
{
    struct wire *wire = wire_;
    int64_t now = loop_now_us(wire->cluster->loop), next = INT64_MAX;
    struct datagram *d, *after;
    LIST_FOR_EACH_SAFE (d, after, node, &wire->under_way) {
        if (d->due_us > now) {
            next = MIN(next, d->due_us);
            continue;
        }
        list_remove(&d->node);
        deliver(wire, d); /* may put more at the end of the list */
        free(d);
    }
    if (next != INT64_MAX)
        wake_at(wire, next);
}

static void take(struct tunnel_wire *tunnel_wire, const struct ip_addr *src UNUSED,
                 const struct ip_addr *dst, uint16_t udp_port, const void *data, size_t n)
{
    struct wire_end *from = CONTAINER_OF(tunnel_wire, struct wire_end, wire);
    struct wire *wire = from->of;
    struct cluster *c = wire->cluster;
    wire->n_packets++;
    if (from->is_cut)
        return;
    struct datagram *d = xmalloc(sizeof *d + n);
    d->from = from->ip;
    d->to = *dst;
    d->udp_port = udp_port;
    d->due_us = c->time.now_us;
    if (wire->delay_us)
        d->due_us += (int64_t)cluster_pick(c, (uint64_t)wire->delay_us + 1);
    d->n = n;
    memcpy(d->bytes, data, n);
    list_push_back(&wire->under_way, &d->node);
    wake_at(wire, d->due_us);
}

void wire_init(struct wire *wire, struct cluster *c)
{
    wire->cluster = c;
    list_init(&wire->ends);
    list_init(&wire->under_way);
    timer_init(&wire->timer, c->loop, run, wire);
}

void wire_fini(struct wire *wire)
{
    timer_stop(&wire->timer);
    while (!list_empty(&wire->under_way)) {
        struct datagram *d = LIST_FIRST(struct datagram, node, &wire->under_way);
        list_remove(&d->node);
        free(d);
    }
}

void wire_attach(struct wire *wire, struct wire_end *end, struct ip_addr ip)
{
    end->wire.send = take;
    end->of = wire;
    end->ip = ip;
    list_push_back(&wire->ends, &end->node);
}
