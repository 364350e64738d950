/* use_count.c - see use_count.h. Nothing is kept for it: it is asked for when a person looks, or deletes, and flows change all the time. */
#include "switchd/use_count.h"

#include <stdlib.h>

static void gather(const void *actions, size_t n, enum of_action_type type, use_ids *ret)
{
    const struct of_action *a;
    OF_ACTION_FOR_EACH(a, actions, n)
    {
        size_t m;
        const void *nested = of_action_nested(a, &m);
        if (a->type == type)
            vec_push(ret, ((const struct of_id *)(const void *)a)->id);
        if (nested)
            gather(nested, m, type, ret);
    }
}

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

void use_ids_gather(const struct tables *tables, enum of_action_type type, use_ids *ret)
{
    for (unsigned i = 0; i < N_TABLES; i++) {
        const struct cls_rule *cls;
        CLASSIFIER_FOR_EACH(cls, &tables->table[i].cls)
        {
            const struct rule *rule = CONTAINER_OF(cls, struct rule, cls);
            if (tables_see(tables, rule))
                gather(rule->actions.data, rule->actions.n, type, ret);
        }
    }
    if (ret->n)
        qsort(ret->data, ret->n, sizeof *ret->data, compare);
}

static bool uses(const void *actions, size_t n, enum of_action_type type, uint32_t id)
{
    const struct of_action *a;
    OF_ACTION_FOR_EACH(a, actions, n)
    {
        size_t m;
        const void *nested = of_action_nested(a, &m);
        uint32_t named = a->type == type ? ((const struct of_id *)(const void *)a)->id : 0;
        if ((a->type == type && (id == named || id == uses_all(type))) ||
            (nested && uses(nested, m, type, id)))
            return true;
    }
    return false;
}

bool rule_uses(const struct rule *rule, enum of_action_type type, uint32_t id)
{
    return uses(rule->actions.data, rule->actions.n, type, id);
}

void uses_remove(struct tables *tables, enum of_action_type type, uint32_t id,
                 struct journal *journal)
{
    struct of_flow_stats_request all;
    rule_vec rules = VEC_INIT;
    struct rule **rule;
    of_flow_stats_request_init(&all);
    tables_select(tables, &all, &rules);
    VEC_FOR_EACH (rule, &rules) {
        if (rule_uses(*rule, type, id))
            tables_remove(tables, *rule, uses_reason(type), journal);
    }
    vec_fini(&rules);
}

/* How many of IDS are below ID. */
static size_t below(const use_ids *ids, uint64_t id)
{
    size_t lo = 0, hi = ids->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (ids->data[mid] < id)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

uint32_t use_count(const use_ids *ids, uint32_t id)
{
    return (uint32_t)(below(ids, (uint64_t)id + 1) - below(ids, id));
}
