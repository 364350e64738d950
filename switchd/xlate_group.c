/* xlate_group.c - choices: groups, multipath and bundle, and the hashes that they choose by. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "switchd/xlate_ctx.h"

/* ---- hashes over packet fields; what is hashed is read ---- */

static uint64_t hash_field(struct xctx *x, enum field_id id, uint64_t hash)
{
    struct subfield sub = subfield_whole(id);
    u128 value = xctx_get(x, &sub);
    return hash_u64((uint64_t)(value >> 64), hash_u64((uint64_t)value, hash));
}

/* The same for both directions of a connection: sums of hashes of either end. */
static uint64_t hash_symmetric(struct xctx *x, enum field_id a, enum field_id b)
{
    return hash_field(x, a, 0) + hash_field(x, b, 0);
}

static uint64_t hash_symmetric_l4(struct xctx *x, bool ethernet, bool ports)
{
    uint64_t hash = ethernet ? hash_symmetric(x, FIELD_ETH_SRC, FIELD_ETH_DST) : 0;
    if (xctx_has(x, PREREQ_IPV4))
        hash = hash_u64(hash_symmetric(x, FIELD_IP_SRC, FIELD_IP_DST), hash);
    else if (xctx_has(x, PREREQ_IPV6))
        hash = hash_u64(hash_symmetric(x, FIELD_IPV6_SRC, FIELD_IPV6_DST), hash);
    else
        return hash;
    hash = hash_field(x, FIELD_IP_PROTO, hash);
    if (!ports)
        return hash;
    if (xctx_has(x, PREREQ_TCP))
        hash = hash_u64(hash_symmetric(x, FIELD_TCP_SRC, FIELD_TCP_DST), hash);
    else if (xctx_has(x, PREREQ_UDP))
        hash = hash_u64(hash_symmetric(x, FIELD_UDP_SRC, FIELD_UDP_DST), hash);
    else if (xctx_has(x, PREREQ_SCTP))
        hash = hash_u64(hash_symmetric(x, FIELD_SCTP_SRC, FIELD_SCTP_DST), hash);
    return hash;
}

/* OpenFlow's OF_HASH_* kinds. */
static uint64_t hash_kind(struct xctx *x, unsigned kind, uint16_t basis)
{
    switch (kind) {
    case OF_HASH_ETH_SRC:
        return hash_field(x, FIELD_ETH_SRC, basis);
    case OF_HASH_NW_SRC:
        return hash_field(x, xctx_has(x, PREREQ_IPV6) ? FIELD_IPV6_SRC : FIELD_IP_SRC, basis);
    case OF_HASH_NW_DST:
        return hash_field(x, xctx_has(x, PREREQ_IPV6) ? FIELD_IPV6_DST : FIELD_IP_DST, basis);
    case OF_HASH_SYMMETRIC_L3:
        return hash_u64(hash_symmetric_l4(x, false, false), basis);
    case OF_HASH_SYMMETRIC_L3L4:
    case OF_HASH_SYMMETRIC_L3L4_UDP:
        return hash_u64(hash_symmetric_l4(x, false, true), basis);
    default:
        return hash_u64(hash_symmetric_l4(x, true, true), basis);
    }
}

/* ---- groups (OpenFlow 1.3 section 5.6) ---- */

/* The group, whose absence matters as well. */
static struct group *find_group(struct xctx *x, uint32_t id)
{
    xctx_depend(x, (struct dep_key){.kind = DEP_GROUP, .bridge_no = x->br->number, .id = id});
    return bridge_group(x->br, id);
}

static bool group_is_live(struct xctx *x, uint32_t id, unsigned depth);

static bool bucket_is_live(struct xctx *x, const struct of_bucket *b, unsigned depth)
{
    if (b->watch_port != PORT_ANY) {
        const struct vport *port = bridge_port(x->br, b->watch_port);
        if (port && vport_is_live(port))
            return true;
    }
    if (b->watch_group != OF_GROUP_ANY && group_is_live(x, b->watch_group, depth))
        return true;
    return b->watch_port == PORT_ANY && b->watch_group == OF_GROUP_ANY;
}

static bool group_is_live(struct xctx *x, uint32_t id, unsigned depth)
{
    const struct group *group = depth < 16 ? find_group(x, id) : NULL;
    for (size_t i = 0; group && i < group->of.n_buckets; i++) {
        if (bucket_is_live(x, &group->of.buckets[i], depth + 1))
            return true;
    }
    return false;
}

static void run_bucket(struct xctx *x, const struct of_bucket *b)
{
    struct xfork *fork = xmalloc(sizeof *fork);
    bool exit = x->exit;
    struct xpage page = note_bucket(x, b);
    xctx_fork(x, fork);
    xlate_set(x, &b->actions);
    xctx_join(x, fork);
    x->page = page;
    x->exit = exit;
    free(fork);
}

static uint64_t select_hash(struct xctx *x, const struct of_group *g)
{
    if (strcmp(g->method, "hash"))
        return hash_u64(hash_symmetric_l4(x, true, true), g->method_param);
    uint64_t hash = g->method_param;
    for (unsigned i = 0; i < sizeof g->field_order && g->field_order[i]; i++) {
        const struct field *field = field_get(g->field_order[i]);
        if (xctx_has(x, field->prereq))
            hash = hash_field(x, field->id, hash);
    }
    return hash;
}

/* Weighted rendezvous: a bucket that comes or goes moves only its own share. */
static const struct of_bucket *select_bucket(struct xctx *x, const struct of_group *g)
{
    uint64_t hash = select_hash(x, g);
    const struct of_bucket *best = NULL;
    double best_score = 0;
    for (size_t i = 0; i < g->n_buckets; i++) {
        const struct of_bucket *b = &g->buckets[i];
        unsigned weight = b->has_weight ? b->weight : 1;
        if (!weight || !bucket_is_live(x, b, 0))
            continue;
        double score = (double)(hash_u64(b->id, hash) >> 40) * weight;
        if (!best || score > best_score) {
            best = b;
            best_score = score;
        }
    }
    return best;
}

void xlate_group(struct xctx *x, uint32_t id)
{
    struct group *group = find_group(x, id);
    if (!group || !xctx_enter(x)) {
        xctx_drop(x, DROP_GROUP);
        return;
    }
    const struct of_bucket *chosen = NULL;
    const struct of_group *g = &group->of;
    bool all = g->type == OF_GROUP_TYPE_ALL;
    switch (g->type) {
    case OF_GROUP_TYPE_ALL:
        break;
    case OF_GROUP_TYPE_INDIRECT:
        chosen = g->n_buckets ? &g->buckets[0] : NULL;
        break;
    case OF_GROUP_TYPE_SELECT:
        chosen = select_bucket(x, g);
        break;
    case OF_GROUP_TYPE_FF:
        for (size_t i = 0; i < g->n_buckets && !chosen; i++) {
            if (bucket_is_live(x, &g->buckets[i], 0))
                chosen = &g->buckets[i];
        }
        break;
    }
    struct effect *e = xctx_effect(x, EFFECT_GROUP);
    e->at.bridge_no = x->br->number;
    e->at.id = id;
    e->at.bucket_id = all ? OF_BUCKET_ALL : chosen ? chosen->id : OF_BUCKET_MAX;
    for (size_t i = 0; all && i < g->n_buckets && !x->stop; i++)
        run_bucket(x, &g->buckets[i]);
    if (chosen)
        run_bucket(x, chosen);
    else if (!all) {
        xctx_note(x, "     -> no live bucket");
        xctx_drop(x, DROP_GROUP);
    }
    xctx_leave(x);
}

/* ---- multipath and bundle (ovs-actions(7)) ---- */

void xlate_multipath(struct xctx *x, const struct of_multipath *a)
{
    uint64_t hash = hash_kind(x, a->fields, a->basis);
    uint64_t n = a->max_link + 1u, link = 0, best = 0;
    switch (a->algorithm) {
    case OF_MP_HASH_THRESHOLD:
        link = n == 1 ? 0 : (hash >> 32) / (UINT32_MAX / n + 1);
        break;
    case OF_MP_HRW:
    case OF_MP_ITER_HASH:
        for (uint64_t i = 0; i < n; i++) {
            uint64_t score = hash_u64(i, hash);
            if (score >= best) {
                best = score;
                link = i;
            }
        }
        break;
    default:
        link = hash % n;
        break;
    }
    xctx_set(x, &a->dst, link);
}

static bool member_is_live(const struct bridge *br, uint32_t number)
{
    const struct vport *port = bridge_port(br, number);
    return port && vport_is_live(port);
}

void xlate_bundle(struct xctx *x, const struct of_bundle_action *a)
{
    uint32_t chosen = PORT_ANY;
    uint64_t best = 0;
    uint64_t hash = a->algorithm == OF_BD_HRW ? hash_kind(x, a->fields, a->basis) : 0;
    for (unsigned i = 0; i < a->n_members; i++) {
        if (!member_is_live(x->br, a->members[i]))
            continue;
        uint64_t score = hash_u64(i, hash);
        if (chosen == PORT_ANY || (a->algorithm == OF_BD_HRW && score > best)) {
            chosen = a->members[i];
            best = score;
        }
    }
    if (a->dst.id != FIELD_NONE)
        xctx_set(x, &a->dst, chosen == PORT_ANY ? UINT16_MAX : chosen);
    else if (chosen != PORT_ANY)
        xlate_output(x, chosen, 0);
    else
        xctx_drop(x, DROP_NO_PORT);
}
