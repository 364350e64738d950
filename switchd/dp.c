/* dp.c - see dp.h. */
#include "switchd/dp.h"

#include <stdlib.h>
#include <string.h>

#include "switchd/recirc.h"

const char *drop_counter(enum drop_reason reason)
{
    static const char *const names[] = {
#define DROP(NAME, COUNTER, TEXT) COUNTER,
#include "switchd/drop.def"
#undef DROP
    };
    return names[reason];
}

const char *drop_text(enum drop_reason reason)
{
    static const char *const texts[] = {
#define DROP(NAME, COUNTER, TEXT) TEXT,
#include "switchd/drop.def"
#undef DROP
    };
    return texts[reason];
}

void dp_packet_in_unref(struct dp_packet_in *pin)
{
    if (pin && !--pin->refs) {
        free(pin->userdata);
        free(pin->tun);
        free(pin->continuation);
        free(pin);
    }
}

static void action_fini(struct dp_action *a)
{
    if (a->type == DP_OUTPUT)
        free(a->tunnel);
    else if (a->type == DP_CONTROLLER)
        dp_packet_in_unref(a->pin);
    else if (a->type == DP_CT)
        free(a->ct);
    else if (a->type == DP_SAMPLE)
        free(a->sample);
    else if (a->type == DP_RECIRC)
        recirc_unref(a->recirc);
}

void dp_actions_clear(struct dp_actions *actions)
{
    struct dp_action *a;
    VEC_FOR_EACH (a, &actions->list)
        action_fini(a);
    vec_clear(&actions->list);
}

void dp_actions_fini(struct dp_actions *actions)
{
    dp_actions_clear(actions);
    vec_fini(&actions->list);
}

static struct dp_action *put(struct dp_actions *actions, enum dp_type type)
{
    struct dp_action *a = vec_push_zero(&actions->list);
    a->type = (uint8_t)type;
    return a;
}

/* In one block with its options. */
static struct dp_tunnel *tunnel_copy(const struct dp_tunnel *from)
{
    size_t more = from->more ? sizeof *from->more : 0;
    struct dp_tunnel *to = xmalloc(sizeof *to + more);
    *to = *from;
    if (more)
        to->more = memcpy(to + 1, from->more, more);
    return to;
}

static bool tunnel_equal(const struct dp_tunnel *a, const struct dp_tunnel *b)
{
    return !memcmp(&a->key, &b->key, sizeof a->key) && a->options == b->options &&
           !a->more == !b->more && (!a->more || tun_opts_equal(a->more, b->more));
}

void dp_put_output(struct dp_actions *actions, uint32_t port, const struct dp_tunnel *tunnel)
{
    struct dp_action *a = put(actions, DP_OUTPUT);
    a->port = port;
    a->tunnel = tunnel ? tunnel_copy(tunnel) : NULL;
}

void dp_put_set(struct dp_actions *actions, enum field_id field, u128 value)
{
    struct dp_action *a = put(actions, DP_SET);
    a->field = (uint8_t)field;
    a->value_hi = (uint64_t)(value >> 64);
    a->value_lo = (uint64_t)value;
}

void dp_put_push_vlan(struct dp_actions *actions, uint16_t eth_type, uint16_t tci)
{
    struct dp_action *a = put(actions, DP_PUSH_VLAN);
    a->eth_type = eth_type;
    a->tci = tci;
}

void dp_put_pop_vlan(struct dp_actions *actions)
{
    put(actions, DP_POP_VLAN);
}

void dp_put_mpls(struct dp_actions *actions, bool push, uint16_t eth_type, uint32_t lse)
{
    struct dp_action *a = put(actions, push ? DP_PUSH_MPLS : DP_POP_MPLS);
    a->eth_type = eth_type;
    a->value_lo = lse;
}

void dp_put_push_pbb(struct dp_actions *actions, uint32_t tci)
{
    put(actions, DP_PUSH_PBB)->value_lo = tci;
}

void dp_put_pop_pbb(struct dp_actions *actions)
{
    put(actions, DP_POP_PBB);
}

void dp_put_meter(struct dp_actions *actions, uint32_t meter)
{
    put(actions, DP_METER)->meter = meter;
}

void dp_put_queue(struct dp_actions *actions, uint32_t queue)
{
    put(actions, DP_QUEUE)->n = queue;
}

void dp_put_trunc(struct dp_actions *actions, uint32_t max_len)
{
    put(actions, DP_TRUNC)->n = max_len;
}

void dp_put_controller(struct dp_actions *actions, struct dp_packet_in *pin)
{
    put(actions, DP_CONTROLLER)->pin = pin;
}

void dp_put_ct(struct dp_actions *actions, const struct ct_action *ct)
{
    put(actions, DP_CT)->ct = xmemdup(ct, sizeof *ct);
}

void dp_put_sample(struct dp_actions *actions, const struct dp_sample *sample)
{
    put(actions, DP_SAMPLE)->sample = xmemdup(sample, sizeof *sample);
}

void dp_put_recirc(struct dp_actions *actions, struct recirc_state *state)
{
    put(actions, DP_RECIRC)->recirc = state;
}

size_t dp_begin_clone(struct dp_actions *actions)
{
    put(actions, DP_CLONE);
    return actions->list.n - 1;
}

void dp_end_clone(struct dp_actions *actions, size_t start)
{
    size_t n = actions->list.n - start - 1;
    if (n)
        actions->list.data[start].n = (uint32_t)n;
    else
        actions->list.n = start;
}

void dp_undo_clone(struct dp_actions *actions, size_t start)
{
    vec_remove(&actions->list, start);
}

void dp_actions_copy(struct dp_actions *actions, const struct dp_action *from, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct dp_action a = from[i];
        if (a.type == DP_OUTPUT && a.tunnel)
            a.tunnel = tunnel_copy(a.tunnel);
        else if (a.type == DP_CONTROLLER)
            a.pin->refs++;
        else if (a.type == DP_CT)
            a.ct = xmemdup(a.ct, sizeof *a.ct);
        else if (a.type == DP_SAMPLE)
            a.sample = xmemdup(a.sample, sizeof *a.sample);
        else if (a.type == DP_RECIRC)
            recirc_ref(a.recirc);
        vec_push(&actions->list, a);
    }
}

static bool action_equal(const struct dp_action *a, const struct dp_action *b)
{
    if (a->type != b->type || a->field != b->field || a->eth_type != b->eth_type || a->n != b->n)
        return false;
    if (a->type == DP_OUTPUT)
        return !a->tunnel == !b->tunnel && (!a->tunnel || tunnel_equal(a->tunnel, b->tunnel));
    if (a->type == DP_CONTROLLER)
        return a->pin == b->pin;
    if (a->type == DP_CT)
        return !memcmp(a->ct, b->ct, sizeof *a->ct);
    if (a->type == DP_SAMPLE)
        return !memcmp(a->sample, b->sample, sizeof *a->sample);
    if (a->type == DP_RECIRC)
        return a->recirc == b->recirc;
    return a->value_hi == b->value_hi && a->value_lo == b->value_lo;
}

bool dp_actions_equal(const struct dp_actions *a, const struct dp_actions *b)
{
    if (a->list.n != b->list.n)
        return false;
    for (size_t i = 0; i < a->list.n; i++) {
        if (!action_equal(&a->list.data[i], &b->list.data[i]))
            return false;
    }
    return true;
}
