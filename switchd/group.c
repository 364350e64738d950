/* group.c - groups and meters of a bridge (OpenFlow 1.3 sections 5.6, 5.7); see bridge.h. */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "switchd/bridge.h"
#include "switchd/tlv_use.h"
#include "switchd/vswitch.h"

struct group *bridge_group(const struct bridge *br, uint32_t id)
{
    struct group *g;
    HMAP_FOR_EACH_WITH_HASH (g, node, hash_u64(id, 0), &br->groups) {
        if (g->of.id == id)
            return g;
    }
    return NULL;
}

struct meter *bridge_meter(const struct bridge *br, uint32_t id)
{
    struct meter *m;
    HMAP_FOR_EACH_WITH_HASH (m, node, hash_u64(id, 0), &br->meters) {
        if (m->of.id == id)
            return m;
    }
    return NULL;
}

/* ---- groups ---- */

static void group_remove(struct bridge *br, struct group *g, struct journal *journal)
{
    uint32_t id = g->of.id;
    hmap_remove(&br->groups, &g->node);
    of_group_fini(&g->of);
    free(g->bucket_counts);
    free(g);
    /* Flows that use a group go with it (OpenFlow 1.3 section 6.5). */
    struct of_flow_stats_request req;
    of_flow_stats_request_init(&req);
    req.out_group = id;
    rule_vec rules = VEC_INIT;
    tables_select(&br->tables, &req, &rules);
    for (size_t i = 0; i < rules.n; i++)
        tables_remove(&br->tables, rules.data[i], OF_REMOVED_GROUP_DELETE, journal);
    vec_fini(&rules);
}

static int check_buckets(struct bridge *br, struct of_group *g)
{
    for (size_t i = 0; i < g->n_buckets; i++) {
        const struct of_actions *actions = &g->buckets[i].actions;
        int err = tlv_check(br, tlv_in_actions(actions->data, actions->n));
        if (!err)
            err = of_actions_check(&g->buckets[i].actions, NULL, 0, N_TABLES_OPEN);
        if (err)
            return err;
        for (size_t j = 0; j < i; j++) {
            if (g->buckets[j].id == g->buckets[i].id)
                return OF_ERR_GROUP_MOD_BUCKET_EXISTS;
        }
        if (g->type == OF_GROUP_TYPE_FF && g->buckets[i].watch_port == PORT_ANY &&
            g->buckets[i].watch_group == OF_GROUP_ANY)
            return OF_ERR_GROUP_MOD_INVALID;
    }
    if (g->type == OF_GROUP_TYPE_INDIRECT && g->n_buckets != 1)
        return OF_ERR_GROUP_MOD_INVALID;
    (void)br;
    return 0;
}

static size_t bucket_index(const struct of_group *g, uint32_t id)
{
    size_t i = 0;
    while (i < g->n_buckets && g->buckets[i].id != id)
        i++;
    return i;
}

/* RET gets the buckets of A before place AT, those of B, and the rest of A. */
static void merge_buckets(struct of_group *ret, const struct of_group *a, size_t at,
                          const struct of_group *b)
{
    of_group_copy(ret, a);
    struct of_bucket *buckets = xcalloc(a->n_buckets + b->n_buckets + 1, sizeof *buckets);
    struct of_group copy;
    of_group_copy(&copy, b);
    if (at)
        memcpy(buckets, ret->buckets, at * sizeof *buckets);
    if (b->n_buckets)
        memcpy(buckets + at, copy.buckets, b->n_buckets * sizeof *buckets);
    if (a->n_buckets > at)
        memcpy(buckets + at + b->n_buckets, ret->buckets + at,
               (a->n_buckets - at) * sizeof *buckets);
    free(ret->buckets);
    ret->buckets = buckets;
    ret->n_buckets = a->n_buckets + b->n_buckets;
    copy.n_buckets = 0;
    of_group_fini(&copy);
}

static int insert_buckets(struct bridge *br, struct group *g, const struct of_group_mod *gm)
{
    size_t at;
    if (gm->command_bucket_id == OF_BUCKET_FIRST)
        at = 0;
    else if (gm->command_bucket_id == OF_BUCKET_LAST)
        at = g->of.n_buckets;
    else if ((at = bucket_index(&g->of, gm->command_bucket_id)) == g->of.n_buckets)
        return OF_ERR_GROUP_MOD_UNKNOWN_BUCKET;
    else
        at++;
    struct of_group merged;
    merge_buckets(&merged, &g->of, at, &gm->group);
    int err = check_buckets(br, &merged);
    if (err) {
        of_group_fini(&merged);
        return err;
    }
    of_group_fini(&g->of);
    g->of = merged;
    return 0;
}

static void bucket_remove_at(struct of_group *g, size_t i)
{
    of_actions_fini(&g->buckets[i].actions);
    memmove(&g->buckets[i], &g->buckets[i + 1], (g->n_buckets - i - 1) * sizeof *g->buckets);
    g->n_buckets--;
}

static int remove_buckets(struct group *g, uint32_t id)
{
    struct of_group *of = &g->of;
    if (id == OF_BUCKET_ALL) {
        while (of->n_buckets)
            bucket_remove_at(of, 0);
        return 0;
    }
    size_t i = id == OF_BUCKET_FIRST  ? 0
               : id == OF_BUCKET_LAST ? of->n_buckets - (of->n_buckets > 0)
                                      : bucket_index(of, id);
    if (i >= of->n_buckets)
        return OF_ERR_GROUP_MOD_UNKNOWN_BUCKET;
    bucket_remove_at(of, i);
    return 0;
}

static int group_put(struct bridge *br, struct group *g, const struct of_group_mod *gm)
{
    struct of_group copy;
    of_group_copy(&copy, &gm->group);
    int err = check_buckets(br, &copy);
    if (err) {
        of_group_fini(&copy);
        return err;
    }
    if (g) {
        of_group_fini(&g->of);
    } else {
        g = NEW(struct group);
        g->created_ms = env_now_ms(br->vs->env);
        hmap_insert(&br->groups, &g->node, hash_u64(copy.id, 0));
    }
    g->of = copy;
    return 0;
}

static void group_delete(struct bridge *br, uint32_t id, struct journal *journal)
{
    struct group *g;
    if (id != OF_GROUP_ALL) {
        g = bridge_group(br, id);
        if (g)
            group_remove(br, g, journal);
        return;
    }
    HMAP_FOR_EACH_SAFE (g, node, &br->groups)
        group_remove(br, g, journal);
}

void group_count(struct group *g, uint32_t bucket_id, uint64_t packets, uint64_t bytes)
{
    g->n_packets += packets;
    g->n_bytes += bytes;
    if (!g->bucket_counts)
        g->bucket_counts = xcalloc(g->of.n_buckets + 1, sizeof *g->bucket_counts);
    for (size_t i = 0; i < g->of.n_buckets; i++) {
        if (bucket_id == OF_BUCKET_ALL || g->of.buckets[i].id == bucket_id) {
            g->bucket_counts[i].packets += packets;
            g->bucket_counts[i].bytes += bytes;
        }
    }
}

/* Other buckets count from zero. */
static void forget_bucket_counts(struct bridge *br, uint32_t id)
{
    struct group *g = bridge_group(br, id);
    if (g) {
        free(g->bucket_counts);
        g->bucket_counts = NULL;
    }
}

int bridge_group_mod(struct bridge *br, const struct of_group_mod *gm, struct journal *journal)
{
    tables_settle(&br->tables);
    if (gm->group.id == OF_GROUP_ALL)
        vswitch_invalidate(br->vs);
    else
        vswitch_group_changed(br->vs, br, gm->group.id);
    forget_bucket_counts(br, gm->group.id);
    if (gm->command == OF_GROUP_DELETE) {
        group_delete(br, gm->group.id, journal);
        return 0;
    }
    if (gm->group.id >= 0xffffff00u)
        return OF_ERR_GROUP_MOD_INVALID;
    struct group *g = bridge_group(br, gm->group.id);
    switch (gm->command) {
    case OF_GROUP_ADD:
        return g ? OF_ERR_GROUP_MOD_EXISTS : group_put(br, NULL, gm);
    case OF_GROUP_MODIFY:
        return g ? group_put(br, g, gm) : OF_ERR_GROUP_MOD_UNKNOWN_GROUP;
    case OF_GROUP_ADD_OR_MODIFY:
        return group_put(br, g, gm);
    case OF_GROUP_INSERT_BUCKET:
        return g ? insert_buckets(br, g, gm) : OF_ERR_GROUP_MOD_UNKNOWN_GROUP;
    case OF_GROUP_REMOVE_BUCKET:
        return g ? remove_buckets(g, gm->command_bucket_id) : OF_ERR_GROUP_MOD_UNKNOWN_GROUP;
    default:
        return OF_ERR_GROUP_MOD_BAD_COMMAND;
    }
}

/* ---- meters: one token bucket, of the first band ---- */

static bool uses_meter(const void *actions, size_t n, uint32_t meter)
{
    const struct of_action *a;
    OF_ACTION_FOR_EACH(a, actions, n)
    {
        size_t m;
        const void *nested = of_action_nested(a, &m);
        if ((a->type == OF_METER && ((const struct of_id *)(const void *)a)->id == meter) ||
            (nested && uses_meter(nested, m, meter)))
            return true;
    }
    return false;
}

/* Flows that use a meter go with it (OpenFlow 1.3 section 6.6). */
static void meter_remove(struct bridge *br, struct meter *m, struct journal *journal)
{
    struct of_flow_stats_request all;
    rule_vec rules = VEC_INIT;
    of_flow_stats_request_init(&all);
    if (m->in_flows)
        tables_select(&br->tables, &all, &rules);
    for (size_t i = 0; i < rules.n; i++) {
        struct rule *rule = rules.data[i];
        if (uses_meter(rule->actions.data, rule->actions.n, m->of.id))
            tables_remove(&br->tables, rule, OF_REMOVED_METER_DELETE, journal);
    }
    vec_fini(&rules);
    hmap_remove(&br->meters, &m->node);
    of_meter_fini(&m->of);
    free(m);
}

static int meter_check(const struct of_meter *m)
{
    if (!m->n_bands || m->n_bands > METER_BANDS_MAX)
        return OF_ERR_METER_MOD_OUT_OF_BANDS;
    for (size_t i = 0; i < m->n_bands; i++) {
        if (m->bands[i].type != OF_BAND_DROP)
            return OF_ERR_METER_MOD_BAD_BAND;
        if (!m->bands[i].rate)
            return OF_ERR_METER_MOD_BAD_RATE;
    }
    if (!!(m->flags & OF_METER_KBPS) == !!(m->flags & OF_METER_PKTPS))
        return OF_ERR_METER_MOD_BAD_FLAGS;
    return 0;
}

int bridge_meter_mod(struct bridge *br, const struct of_meter_mod *mm, struct journal *journal)
{
    struct meter *m = bridge_meter(br, mm->meter.id);
    tables_settle(&br->tables);
    if (mm->command == OF_METER_DELETE) {
        if (mm->meter.id == OF_METER_ALL) {
            HMAP_FOR_EACH_SAFE (m, node, &br->meters)
                meter_remove(br, m, journal);
        } else if (m) {
            meter_remove(br, m, journal);
        }
        return 0;
    }
    if (mm->command == OF_METER_ADD && m)
        return OF_ERR_METER_MOD_EXISTS;
    if (mm->command == OF_METER_MODIFY && !m)
        return OF_ERR_METER_MOD_UNKNOWN_METER;
    int err = meter_check(&mm->meter);
    if (err)
        return err;
    if (m) {
        of_meter_fini(&m->of);
    } else {
        m = NEW(struct meter);
        m->created_ms = env_now_ms(br->vs->env);
        hmap_insert(&br->meters, &m->node, hash_u64(mm->meter.id, 0));
    }
    of_meter_copy(&m->of, &mm->meter);
    memset(m->bands, 0, sizeof m->bands);
    m->filled_us = 0;
    return 0;
}

/* Fills band I of METER with what US microseconds give, to the brim if they are negative, and takes COST out. False: there is not so much in it. */
static bool band_admits(struct meter *meter, size_t i, double cost, int64_t us)
{
    const struct of_meter_band *band = &meter->of.bands[i];
    double unit = meter->of.flags & OF_METER_PKTPS ? 1 : 1000,
           rate = band->rate * unit; /* a second */
    double burst = meter->of.flags & OF_METER_BURST && band->burst ? band->burst * unit : rate;
    double *tokens = &meter->bands[i].tokens;
    *tokens = us < 0 ? burst : MIN(burst, *tokens + rate * (double)us / 1e6);
    if (*tokens < cost)
        return false;
    *tokens -= cost;
    return true;
}

/* Of bands that a packet exceeds the one with the highest rate counts it (OpenFlow 1.3.5, section 5.7.1). */
bool meter_admit(struct meter *meter, size_t size, int64_t now_us)
{
    const struct of_meter_band *bands = meter->of.bands;
    double cost = meter->of.flags & OF_METER_PKTPS ? 1 : (double)size * 8;
    int64_t us = meter->filled_us ? now_us - meter->filled_us : -1;
    size_t hit = meter->of.n_bands;
    for (size_t i = 0; i < meter->of.n_bands; i++)
        if (!band_admits(meter, i, cost, us) &&
            (hit == meter->of.n_bands || bands[i].rate > bands[hit].rate))
            hit = i;
    meter->filled_us = now_us;
    meter->n_packets++;
    meter->n_bytes += size;
    if (hit == meter->of.n_bands)
        return true;
    meter->bands[hit].packets++;
    meter->bands[hit].bytes += size;
    return false;
}
