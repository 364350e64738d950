/* upcall.c - see upcall.h. */
#include "switchd/upcall.h"

#include <stdlib.h>

#include "base/hash.h"
#include "switchd/forward/lane.h"
#include "switchd/vswitch.h"

struct upcall {
    struct list node;
    struct hnode by_flow;
    struct packet *packet;
    struct recirc_state *state;
    unsigned depth, n_recircs; /* of the switch, when the packet was queued */
};

static void serve(void *vs);

static void posted(void *vs_)
{
    struct vswitch *vs = vs_;
    vs->upcalls.is_posted = false;
    deferred_schedule(&vs->upcalls.call);
}

static void see_to_it(struct vswitch *vs)
{
    struct upcalls *all = &vs->upcalls;
    if (!port_io_here) {
        deferred_schedule(&all->call);
    } else if (!all->is_posted && !deferred_is_scheduled(&all->call)) {
        all->is_posted = true;
        loop_post(vs->loop, posted, vs);
    }
}

void upcalls_init(struct vswitch *vs)
{
    list_init(&vs->upcalls.ports);
    deferred_init(&vs->upcalls.call, vs->loop, LOOP_LATER, serve, vs);
}

void upcalls_fini(struct vswitch *vs)
{
    deferred_cancel(&vs->upcalls.call);
}

void upcalls_begin(struct vswitch *vs, struct vport *port)
{
    bool may = port && (port->dev->class != &port_class_dummy || vs->upcalls.dummies);
    vswitch_worker(vs)->from = may ? port : NULL;
}

/* Of what stays the same from packet to packet. */
static uint64_t flow_hash(const struct flow_key *key)
{
    const size_t ip = offsetof(struct flow_key, ip6_src),
                 end = offsetof(struct flow_key, ip6_label);
    uint64_t hash = hash_bytes(&key->eth_dst, 2 * sizeof key->eth_dst, key->nw_proto);
    hash = hash_bytes((const uint8_t *)key + ip, end - ip, hash);
    return hash_u64((uint32_t)key->tp_src << 16 | key->tp_dst, hash);
}

bool upcall_waits(const struct vport *port, const struct flow_key *key)
{
    if (!port->upcalls || list_empty(&port->upcalls->packets))
        return false;
    uint64_t hash = flow_hash(key);
    return hnode_skip(hmap_bucket(&port->upcalls->flows, hash), hash);
}

static struct upcall_queue *queue_of(struct vport *port)
{
    if (!port->upcalls) {
        port->upcalls = NEW(struct upcall_queue);
        port->upcalls->port = port;
        list_init(&port->upcalls->packets);
    }
    return port->upcalls;
}

bool upcall_put(struct vswitch *vs, const struct packet *packet, struct recirc_state *state)
{
    struct upcalls *all = &vs->upcalls;
    const struct worker *worker = vswitch_worker(vs);
    if (!worker->from)
        return false;
    lane_be_alone();
    struct upcall_queue *queue = queue_of(worker->from);
    if (queue->flows.n >= UPCALLS_MAX || queue->n_bytes + packet->size > UPCALL_BYTES_MAX) {
        vswitch_drop(vs, DROP_UPCALL);
        return true;
    }
    struct upcall *u = NEW(struct upcall);
    *u = (struct upcall){.packet = packet_clone(packet),
                         .state = state ? recirc_ref(state) : NULL,
                         .depth = worker->recirc_depth,
                         .n_recircs = worker->n_recircs};
    if (list_empty(&queue->packets))
        list_push_back(&all->ports, &queue->node);
    list_push_back(&queue->packets, &u->node);
    hmap_insert(&queue->flows, &u->by_flow, flow_hash(worker->first));
    queue->n_bytes += packet->size;
    all->n_queued++;
    all->n_waiting++;
    see_to_it(vs);
    return true;
}

/* Takes the oldest packet out. */
static struct upcall *take(struct vswitch *vs, struct upcall_queue *queue)
{
    struct upcall *u = LIST_FIRST(struct upcall, node, &queue->packets);
    list_remove(&u->node);
    hmap_remove(&queue->flows, &u->by_flow);
    queue->n_bytes -= u->packet->size;
    vs->upcalls.n_waiting--;
    list_remove(&queue->node);
    if (!list_empty(&queue->packets)) /* to the end: the others' turn */
        list_push_back(&vs->upcalls.ports, &queue->node);
    return u;
}

static void upcall_free(struct upcall *u)
{
    packet_free(u->packet);
    if (u->state)
        recirc_unref(u->state);
    free(u);
}

static void go_on(struct vswitch *vs, struct vport *port, struct upcall *u)
{
    if (!u->state) {
        vswitch_translate(vs, port, u->packet);
        return;
    }
    vs->own.recirc_depth = u->depth - 1; /* vswitch_recirculate counts this one again */
    vs->own.n_recircs = u->n_recircs ? u->n_recircs - 1 : 0;
    vswitch_recirculate(vs, u->packet, u->state);
    vs->own.recirc_depth = 0;
}

static void serve(void *vs_)
{
    struct vswitch *vs = vs_;
    int64_t end_us = env_now_us(vs->env) + UPCALL_SLICE_US;
    port_host_begin(&vs->host);
    for (int i = 0; i < UPCALL_SLICE && !list_empty(&vs->upcalls.ports); i++) {
        struct upcall_queue *queue = LIST_FIRST(struct upcall_queue, node, &vs->upcalls.ports);
        struct upcall *u = take(vs, queue);
        go_on(vs, queue->port, u);
        upcall_free(u);
        if (env_now_us(vs->env) >= end_us)
            break;
    }
    port_host_end(&vs->host);
    if (!list_empty(&vs->upcalls.ports))
        deferred_schedule(&vs->upcalls.call);
}

void upcalls_forget(struct vswitch *vs, struct vport *port)
{
    struct upcall_queue *queue = port->upcalls;
    if (!queue)
        return;
    while (!list_empty(&queue->packets))
        upcall_free(take(vs, queue));
    hmap_fini(&queue->flows);
    free(queue);
    port->upcalls = NULL;
}
