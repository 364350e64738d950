/* table_policy.c - see table_policy.h. */
#include "switchd/table_policy.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "switchd/table.h"

enum { VACANCY_ALL = 100, EXPIRY_BITS = 48 };

struct evictable {
    struct hnode node; /* in table_policy.evictables, by the rule */
    struct rule *rule;
    struct evict_group *group;
    size_t at;     /* in group->flows */
    uint64_t rank; /* least goes first: importance, then expiry as it was known */
};

struct evict_group {
    struct hnode node;             /* in table_policy.groups, by the values */
    size_t at;                     /* in table_policy.order */
    VEC(struct evictable *) flows; /* a heap by rank */
    u128 values[EVICT_FIELDS_MAX]; /* of the fields that make groups */
};

struct table_policy *table_policy_get(struct flow_table *t)
{
    if (!t->policy) {
        t->policy = NEW(struct table_policy);
        t->policy->limit = TABLE_NO_LIMIT;
    }
    return t->policy;
}

/* ---- the two heaps ---- */

static uint64_t rank_of(const struct rule *rule)
{
    int64_t hard = rule->hard_timeout ? rule->modified_ms + rule->hard_timeout * 1000 : INT64_MAX;
    int64_t idle = rule->idle_timeout ? rule->used_ms + rule->idle_timeout * 1000 : INT64_MAX;
    uint64_t expiry = (uint64_t)MIN(hard, idle) & ((UINT64_C(1) << EXPIRY_BITS) - 1);
    return (uint64_t)rule->importance << EXPIRY_BITS | expiry;
}

static void flow_place(struct evict_group *g, size_t at, struct evictable *e)
{
    g->flows.data[at] = e;
    e->at = at;
}

/* Moves the flow at AT to where its rank belongs. */
static void flow_sift(struct evict_group *g, size_t at)
{
    struct evictable *e = g->flows.data[at];
    for (; at && e->rank < g->flows.data[(at - 1) / 2]->rank; at = (at - 1) / 2)
        flow_place(g, at, g->flows.data[(at - 1) / 2]);
    for (size_t child; (child = 2 * at + 1) < g->flows.n; at = child) {
        if (child + 1 < g->flows.n && g->flows.data[child + 1]->rank < g->flows.data[child]->rank)
            child++;
        if (g->flows.data[child]->rank >= e->rank)
            break;
        flow_place(g, at, g->flows.data[child]);
    }
    flow_place(g, at, e);
}

/* Whether a flow of A goes before one of B. */
static bool group_before(const struct evict_group *a, const struct evict_group *b)
{
    return a->flows.n != b->flows.n ? a->flows.n > b->flows.n
                                    : a->flows.data[0]->rank < b->flows.data[0]->rank;
}

static void group_place(struct table_policy *p, size_t at, struct evict_group *g)
{
    p->order.data[at] = g;
    g->at = at;
}

static void group_sift(struct table_policy *p, size_t at)
{
    struct evict_group *g = p->order.data[at];
    for (; at && group_before(g, p->order.data[(at - 1) / 2]); at = (at - 1) / 2)
        group_place(p, at, p->order.data[(at - 1) / 2]);
    for (size_t child; (child = 2 * at + 1) < p->order.n; at = child) {
        if (child + 1 < p->order.n && group_before(p->order.data[child + 1], p->order.data[child]))
            child++;
        if (!group_before(p->order.data[child], g))
            break;
        group_place(p, at, p->order.data[child]);
    }
    group_place(p, at, g);
}

/* ---- the index ---- */

static struct evict_group *group_for(struct table_policy *p, const struct rule *rule)
{
    u128 values[EVICT_FIELDS_MAX];
    memset(values, 0, sizeof values);
    struct match match;
    cls_rule_match(&rule->cls, &match);
    for (unsigned i = 0; i < p->n_fields; i++)
        values[i] = key_get_bits(&match.key, &p->fields[i]);
    uint64_t hash = hash_bytes(values, sizeof values, 0);
    struct evict_group *g;
    HMAP_FOR_EACH_WITH_HASH (g, node, hash, &p->groups) {
        if (!memcmp(g->values, values, sizeof values))
            return g;
    }
    g = NEW(struct evict_group);
    memcpy(g->values, values, sizeof values);
    hmap_insert(&p->groups, &g->node, hash);
    return g;
}

static struct evictable *evictable_find(const struct table_policy *p, const struct rule *rule)
{
    struct evictable *e;
    HMAP_FOR_EACH_WITH_HASH (e, node, hash_u64((uintptr_t)rule, 0), &p->evictables) {
        if (e->rule == rule)
            return e;
    }
    return NULL;
}

void table_policy_enter(struct table_policy *p, struct rule *rule)
{
    if (!p->indexed || rule_is_hidden(rule) || (!rule->idle_timeout && !rule->hard_timeout))
        return;
    struct evictable *e = evictable_find(p, rule);
    bool is_new = !e;
    if (is_new) {
        e = NEW(struct evictable);
        e->rule = rule;
        e->group = group_for(p, rule);
        e->at = e->group->flows.n;
        vec_push(&e->group->flows, e);
        hmap_insert(&p->evictables, &e->node, hash_u64((uintptr_t)rule, 0));
    }
    e->rank = rank_of(rule);
    struct evict_group *g = e->group;
    flow_sift(g, e->at);
    if (is_new && g->flows.n == 1) {
        g->at = p->order.n;
        vec_push(&p->order, g);
    }
    group_sift(p, g->at);
}

static void group_remove(struct table_policy *p, struct evict_group *g)
{
    size_t at = g->at;
    struct evict_group *last = vec_pop(&p->order);
    if (last != g) {
        group_place(p, at, last);
        group_sift(p, at);
    }
    hmap_remove(&p->groups, &g->node);
    vec_fini(&g->flows);
    free(g);
}

void table_policy_leave(struct table_policy *p, struct rule *rule)
{
    struct evictable *e = evictable_find(p, rule);
    if (!e)
        return;
    struct evict_group *g = e->group;
    size_t at = e->at;
    struct evictable *last = vec_pop(&g->flows);
    if (last != e) {
        flow_place(g, at, last);
        flow_sift(g, at);
    }
    if (g->flows.n)
        group_sift(p, g->at);
    else
        group_remove(p, g);
    hmap_remove(&p->evictables, &e->node);
    free(e);
}

struct rule *table_policy_victim(struct table_policy *p)
{
    while (p->order.n) {
        struct evict_group *g = p->order.data[0];
        struct evictable *e = g->flows.data[0];
        uint64_t rank = rank_of(e->rule);
        if (rank == e->rank)
            return e->rule;
        e->rank = rank; /* traffic has given it more time */
        flow_sift(g, 0);
        group_sift(p, 0);
    }
    return NULL;
}

static void index_clear(struct table_policy *p)
{
    struct evictable *e;
    HMAP_FOR_EACH_SAFE (e, node, &p->evictables)
        table_policy_leave(p, e->rule);
    p->indexed = false;
}

/* Indexes the flows of T anew when it evicts. */
static void index_make(struct flow_table *t)
{
    struct table_policy *p = t->policy;
    index_clear(p);
    p->indexed = p->evicts_db || p->evicts_of;
    struct cls_rule *rule;
    CLASSIFIER_FOR_EACH(rule, &t->cls)
    table_policy_enter(p, CONTAINER_OF(rule, struct rule, cls));
}

void table_policy_free(struct flow_table *t)
{
    struct table_policy *p = t->policy;
    if (!p)
        return;
    index_clear(p);
    hmap_fini(&p->evictables);
    hmap_fini(&p->groups);
    vec_fini(&p->order);
    free(p->name_db);
    free(p->name_of);
    free(p);
    t->policy = NULL;
}

/* ---- what is said of a table ---- */

static void set_name(char **name, const char *to)
{
    free(*name);
    *name = to && *to ? xstrdup(to) : NULL;
}

void table_policy_configure(struct flow_table *t, const struct table_settings *settings)
{
    struct table_policy *p = table_policy_get(t);
    bool same = p->evicts_db == settings->evicts && p->n_fields == settings->n_fields &&
                !memcmp(p->fields, settings->fields, sizeof p->fields);
    set_name(&p->name_db, settings->name);
    p->limit = settings->limit;
    p->evicts_db = settings->evicts;
    memcpy(p->fields, settings->fields, sizeof p->fields);
    p->n_fields = settings->n_fields;
    if (!same)
        index_make(t);
}

void table_policy_rename(struct flow_table *t, const char *name)
{
    set_name(&table_policy_get(t)->name_of, name);
}

static uint8_t vacancy(const struct flow_table *t)
{
    uint64_t limit = table_limit(t), n = table_n_flows(t);
    return n >= limit ? 0 : (uint8_t)((limit - n) * VACANCY_ALL / limit);
}

void table_policy_modify(struct flow_table *t, const struct of_table_mod *tm)
{
    struct table_policy *p = table_policy_get(t);
    bool evicts = tm->config & OF_TC_EVICTION;
    if (evicts != p->evicts_of) {
        p->evicts_of = evicts;
        index_make(t);
    }
    p->vacancy_on = tm->config & OF_TC_VACANCY_EVENTS;
    p->vacancy_down = p->vacancy_on ? tm->vacancy_down : 0;
    p->vacancy_up = p->vacancy_on ? tm->vacancy_up : 0;
    p->told_down = vacancy(t) < p->vacancy_down;
}

bool table_vacancy_event(struct flow_table *t, enum of_table_reason *reason)
{
    struct table_policy *p = t->policy;
    if (!p || !p->vacancy_on)
        return false;
    uint8_t left = vacancy(t);
    if (p->told_down ? left <= p->vacancy_up : left >= p->vacancy_down)
        return false;
    p->told_down = !p->told_down;
    *reason = p->told_down ? OF_TABLE_VACANCY_DOWN : OF_TABLE_VACANCY_UP;
    return true;
}

const char *table_name(const struct flow_table *t)
{
    const char *name = !t->policy           ? NULL
                       : t->policy->name_db ? t->policy->name_db
                                            : t->policy->name_of;
    return name ? name : "";
}

bool table_name_is_fixed(const struct flow_table *t)
{
    return t->policy && t->policy->name_db;
}

uint32_t table_limit(const struct flow_table *t)
{
    return t->policy && t->policy->limit != TABLE_NO_LIMIT ? t->policy->limit : TABLE_MAX_FLOWS;
}

uint32_t table_n_flows(const struct flow_table *t)
{
    return (uint32_t)(t->cls.n_rules - t->n_hidden - t->n_going);
}

void table_describe(const struct flow_table *t, uint8_t id, struct of_table_mod *ret)
{
    const struct table_policy *p = t->policy;
    *ret = (struct of_table_mod){.id = id, .eviction_flags = OF_EVICT_ALL};
    if (!p)
        return;
    ret->config =
        (p->evicts_of ? OF_TC_EVICTION : 0u) | (p->vacancy_on ? OF_TC_VACANCY_EVENTS : 0u);
    ret->vacancy_down = p->vacancy_down;
    ret->vacancy_up = p->vacancy_up;
    ret->vacancy = vacancy(t);
}

int table_excess(const struct flow_table *t, uint32_t more, uint32_t *n_victims)
{
    const struct table_policy *p = t->policy;
    *n_victims = 0;
    if (!p || p->limit == TABLE_NO_LIMIT || table_n_flows(t) + more <= p->limit)
        return 0;
    *n_victims = table_n_flows(t) + more - p->limit;
    return *n_victims <= p->evictables.n ? 0 : OF_ERR_FLOW_MOD_TABLE_FULL;
}
