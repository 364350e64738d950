/* learned.c - see learned.h. */
#include "switchd/learned.h"

#include <stdlib.h>

#include "base/hash.h"

struct learned_source {
    struct hnode node;
    uint64_t cookie;
    uint8_t table;
    int64_t n; /* learn actions that name the two */
};

static struct learned_source *source_get(struct learned *learned, uint64_t cookie, uint8_t table)
{
    uint64_t hash = hash_u64(cookie, table);
    struct learned_source *s;
    HMAP_FOR_EACH_WITH_HASH (s, node, hash, &learned->sources) {
        if (s->cookie == cookie && s->table == table)
            return s;
    }
    s = NEW(struct learned_source);
    s->cookie = cookie;
    s->table = table;
    hmap_insert(&learned->sources, &s->node, hash);
    return s;
}

/* Counts the learn actions in a list BY more, those in nested lists too. True: there was one. */
static bool count(struct learned *learned, const void *actions, size_t n, int by)
{
    bool any = false;
    const struct of_action *a;
    OF_ACTION_FOR_EACH(a, actions, n)
    {
        size_t nested_n;
        const void *nested = of_action_nested(a, &nested_n);
        const struct of_learn *learn = (const void *)a;
        if (nested)
            any |= count(learned, nested, nested_n, by);
        if (a->type != OF_LEARN || !(learn->flags & OF_LEARN_DELETE_LEARNED))
            continue;
        source_get(learned, learn->cookie, learn->table)->n += by;
        any = true;
    }
    return any;
}

static void forget(const struct learned_source *s, struct tables *tables, struct journal *more)
{
    struct of_flow_stats_request req;
    of_flow_stats_request_init(&req);
    req.table_id = s->table;
    req.cookie = s->cookie;
    req.cookie_mask = UINT64_MAX;
    rule_vec rules = VEC_INIT;
    tables_select(tables, &req, &rules);
    for (size_t i = 0; i < rules.n; i++)
        tables_remove(tables, rules.data[i], OF_REMOVED_DELETE, more);
    vec_fini(&rules);
}

void learned_count(struct learned *learned, const struct table_change *c)
{
    if (c->new)
        learned->changed |= count(learned, c->new->actions.data, c->new->actions.n, 1);
    if (c->old)
        learned->changed |= count(learned, c->old->actions.data, c->old->actions.n, -1);
}

void learned_forget(struct learned *learned, struct tables *tables, struct journal *more)
{
    if (!learned->changed)
        return;
    learned->changed = false;
    struct learned_source *s;
    HMAP_FOR_EACH_SAFE (s, node, &learned->sources) {
        if (s->n > 0)
            continue;
        hmap_remove(&learned->sources, &s->node);
        forget(s, tables, more);
        free(s);
    }
}

void learned_fini(struct learned *learned)
{
    struct learned_source *s;
    HMAP_FOR_EACH_SAFE (s, node, &learned->sources) {
        hmap_remove(&learned->sources, &s->node);
        free(s);
    }
    hmap_fini(&learned->sources);
}
