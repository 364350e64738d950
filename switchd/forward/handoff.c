/* handoff.c - see handoff.h. */
#include "switchd/forward/handoff.h"

#include <stdlib.h>

#include "switchd/exec.h"
#include "switchd/forward/lane.h"
#include "switchd/slice.h"
#include "switchd/vswitch.h"

struct handoff {
    struct list node;
    struct packet packet;
    struct dp_actions actions;
};

static struct handoff *take(struct handoffs *all, struct handoff *h)
{
    list_remove(&h->node);
    all->n--;
    all->n_bytes -= h->packet.size;
    return h;
}

static void handoff_free(struct handoff *h)
{
    packet_fini(&h->packet);
    dp_actions_fini(&h->actions);
    free(h);
}

/* What is sent refers to the copies until it has left. */
static void serve(void *vs_)
{
    struct vswitch *vs = vs_;
    struct handoffs *all = &vs->handoffs;
    struct slice slice = slice_begin(vs->env);
    struct list served;
    list_init(&served);
    port_host_begin(&vs->host);
    while (!list_empty(&all->waiting)) {
        struct handoff *h = take(all, LIST_FIRST(struct handoff, node, &all->waiting));
        list_push_back(&served, &h->node);
        struct packet packet = h->packet;
        packet.lent = true;
        exec_actions(vs, &packet, &h->actions);
        packet_fini(&packet);
        if (slice_is_over(&slice))
            break;
    }
    port_host_end(&vs->host);
    while (!list_empty(&served)) {
        struct handoff *h = LIST_FIRST(struct handoff, node, &served);
        list_remove(&h->node);
        handoff_free(h);
    }
    if (!list_empty(&all->waiting))
        deferred_schedule(&all->call);
}

static void posted(void *vs_)
{
    struct vswitch *vs = vs_;
    vs->handoffs.is_posted = false;
    deferred_schedule(&vs->handoffs.call);
}

void handoffs_init(struct vswitch *vs)
{
    list_init(&vs->handoffs.waiting);
    deferred_init(&vs->handoffs.call, vs->loop, LOOP_LATER, serve, vs);
}

void handoffs_fini(struct vswitch *vs)
{
    deferred_cancel(&vs->handoffs.call);
    while (!list_empty(&vs->handoffs.waiting))
        handoff_free(take(&vs->handoffs, LIST_FIRST(struct handoff, node, &vs->handoffs.waiting)));
}

void handoffs_forget(struct vswitch *vs, uint32_t dp_no)
{
    struct handoff *h, *next;
    LIST_FOR_EACH_SAFE (h, next, node, &vs->handoffs.waiting) {
        const struct dp_action *last = &h->actions.list.data[h->actions.list.n - 1];
        if (last->type == DP_OUTPUT && last->port == dp_no)
            handoff_free(take(&vs->handoffs, h));
    }
}

void handoff_put(struct vswitch *vs, const struct packet *packet, const struct dp_action *a,
                 uint32_t trunc)
{
    struct handoffs *all = &vs->handoffs;
    lane_be_alone();
    if (all->n >= HANDOFFS_MAX || all->n_bytes + packet->size > HANDOFF_BYTES_MAX) {
        vswitch_drop(vs, DROP_UPCALL);
        return;
    }
    struct handoff *h = NEW(struct handoff);
    packet_clone_into(&h->packet, packet);
    if (trunc)
        dp_put_trunc(&h->actions, trunc);
    dp_actions_copy(&h->actions, a, 1);
    list_push_back(&all->waiting, &h->node);
    all->n++;
    all->n_bytes += packet->size;
    all->n_ever++;
    if (!all->is_posted && !deferred_is_scheduled(&all->call)) {
        all->is_posted = true;
        loop_post(vs->loop, posted, vs);
    }
}
