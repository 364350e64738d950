/* exec.c - see exec.h. */
#include "switchd/exec.h"

#include <stdlib.h>

#include "flow/rewrite.h"
#include "switchd/outlet.h"
#include "switchd/port/offload.h"

static void set_field(struct packet *packet, const struct dp_action *a)
{
    packet_set_field(packet, a->field, (u128)a->value_hi << 64 | a->value_lo);
}

static void run(struct vswitch *vs, struct packet *packet, const struct dp_action *actions,
                size_t n);

/* The way on of a fragment that waits. */
static struct dp_actions *rest_new(const struct dp_action *actions, size_t n)
{
    struct dp_actions *rest = NEW(struct dp_actions);
    dp_actions_copy(rest, actions, n);
    return rest;
}

static void rest_free(struct dp_actions *rest)
{
    dp_actions_fini(rest);
    free(rest);
}

void exec_drop_fragment(void *vs, void *rest)
{
    outlet_drop(vs, DROP_FRAGMENT);
    rest_free(rest);
}

/* A fragment goes through the tracker when its datagram is whole, and so do those that waited for it. False: it is invalid, and
 * goes on now. */
static bool hold(struct vswitch *vs, struct packet *packet, const struct dp_action *ct,
                 size_t n_rest)
{
    struct dp_actions *rest = rest_new(ct + 1, n_rest);
    struct ct_datagram *d;
    void *cookie;
    switch (outlet_hold(vs, packet, ct->ct, rest, &d)) {
    case CT_REFUSED:
        rest_free(rest);
        return false;
    case CT_WAITS:
        return true;
    case CT_WHOLE:
        break;
    }
    for (struct packet *each; (each = ct_datagram_next(d, &cookie)) != NULL;) {
        rest = cookie;
        run(vs, each, rest->list.data, rest->list.n);
        rest_free(rest);
    }
    ct_datagram_free(d);
    return true;
}

/* A header in front of the network header hides the transport from what would finish the packet later (offload.h), so it is
 * finished now; each of the packets that come of it goes the rest of the way. */
struct plain_rest {
    struct vswitch *vs;
    const struct dp_action *rest;
    size_t n;
};

static void run_plain(void *aux, const struct packet *packet)
{
    const struct plain_rest *r = aux;
    struct packet copy;
    packet_init(&copy);
    packet_clone_into(&copy, packet);
    run(r->vs, &copy, r->rest, r->n);
    packet_fini(&copy);
}

/* True: done, with the actions from A on. */
static bool finish_first(struct vswitch *vs, const struct packet *packet, const struct dp_action *a,
                         size_t n)
{
    if (offload_is_plain(packet))
        return false;
    struct plain_rest rest = {vs, a, n};
    if (offload_finish(packet, run_plain, &rest))
        outlet_drop(vs, DROP_SEND);
    return true;
}

static void again(struct vswitch *vs, struct packet *packet, const struct dp_action *a, bool last)
{
    if (last) { /* the packet itself will do */
        outlet_again(vs, packet, a);
        return;
    }
    struct packet copy;
    packet_init(&copy);
    packet_clone_into(&copy, packet);
    outlet_again(vs, &copy, a);
    packet_fini(&copy);
}

static void run(struct vswitch *vs, struct packet *packet, const struct dp_action *actions,
                size_t n)
{
    uint32_t trunc = 0;
    for (size_t i = 0; i < n; i++) {
        const struct dp_action *a = &actions[i];
        switch ((enum dp_type)a->type) {
        case DP_OUTPUT:
            outlet_port(vs, packet, a, trunc, i + 1 == n);
            trunc = 0;
            break;
        case DP_SET:
            set_field(packet, a);
            break;
        case DP_PUSH_VLAN:
            packet_push_vlan(packet, a->eth_type, a->tci);
            break;
        case DP_POP_VLAN:
            packet_pop_vlan(packet);
            break;
        case DP_PUSH_MPLS:
            if (finish_first(vs, packet, a, n - i))
                return;
            packet_push_mpls(packet, a->eth_type, (uint32_t)a->value_lo);
            break;
        case DP_POP_MPLS:
            packet_pop_mpls(packet, a->eth_type);
            break;
        case DP_PUSH_PBB:
            if (finish_first(vs, packet, a, n - i))
                return;
            packet_push_pbb(packet, (uint32_t)a->value_lo);
            break;
        case DP_POP_PBB:
            packet_pop_pbb(packet);
            break;
        case DP_CLONE:
            if (i + 1 + a->n == n) { /* the last thing: the packet itself will do */
                run(vs, packet, a + 1, a->n);
            } else {
                struct packet copy;
                packet_init(&copy);
                packet_clone_into(&copy, packet);
                run(vs, &copy, a + 1, a->n);
                packet_fini(&copy);
            }
            i += a->n;
            break;
        case DP_CONTROLLER:
            outlet_controller(vs, packet, a);
            break;
        case DP_METER:
            if (!outlet_meter(vs, packet, a))
                return;
            break;
        case DP_QUEUE:
            packet->md.skb_priority = a->n;
            break;
        case DP_TRUNC:
            trunc = a->n;
            break;
        case DP_CT:
            if (!conntrack_is_fragment(packet))
                outlet_track(vs, packet, a->ct);
            else if (hold(vs, packet, a, n - i - 1))
                return;
            break;
        case DP_SAMPLE:
            outlet_sample(vs, packet, a);
            break;
        case DP_RECIRC:
            again(vs, packet, a, i + 1 == n);
            break;
        }
    }
}

void exec_actions(struct vswitch *vs, struct packet *packet, const struct dp_actions *actions)
{
    run(vs, packet, actions->list.data, actions->list.n);
}
