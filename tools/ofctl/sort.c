/* sort.c - dump-flows --sort and --rsort: the flows in the order of priorities, or of fields. */
#include "tools/ofctl/sort.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { KEYS_MAX = 16 };

struct sort_key {
    const struct field *field; /* NULL: the priority */
    bool descending;
};
struct sorting {
    struct sort_key keys[KEYS_MAX];
    unsigned n_keys;
    VEC(struct of_flow_stats) flows;
};

struct sorting *sorting_new(void)
{
    return NEW(struct sorting);
}

bool sorting_add_key(struct sorting *s, const char *name, bool descending)
{
    const struct field *field = NULL;
    if (name && strcasecmp(name, "priority") && !(field = field_find(name)))
        return false;
    if (s->n_keys < KEYS_MAX)
        s->keys[s->n_keys++] = (struct sort_key){field, descending};
    return true;
}

void sorting_add_flow(struct sorting *s, const struct of_flow_stats *flow)
{
    vec_push(&s->flows, *flow);
}

/* A flow that does not match the field comes behind those that do, in either direction. */
static int compare_key(const struct sort_key *k, const struct of_flow_stats *a,
                       const struct of_flow_stats *b)
{
    u128 x = a->priority, y = b->priority;
    if (k->field) {
        bool in_a = mask_get(&a->match.mask, k->field->id) != 0;
        bool in_b = mask_get(&b->match.mask, k->field->id) != 0;
        if (!in_a || !in_b)
            return in_b - in_a;
        x = key_get(&a->match.key, k->field->id);
        y = key_get(&b->match.key, k->field->id);
    }
    int order = x < y ? -1 : x > y;
    return k->descending ? -order : order;
}

/* One array of both, so that qsort's comparison knows the keys without a global. */
struct entry {
    const struct sorting *s;
    const struct of_flow_stats *flow;
};

static int compare(const void *a_, const void *b_)
{
    const struct entry *a = a_, *b = b_;
    for (unsigned i = 0; i < a->s->n_keys; i++) {
        int order = compare_key(&a->s->keys[i], a->flow, b->flow);
        if (order)
            return order;
    }
    return a->flow < b->flow ? -1 : a->flow > b->flow; /* as they came */
}

void sorting_print(struct sorting *s, const struct port_names *names, bool stats)
{
    struct entry *entries = xcalloc(s->flows.n + 1, sizeof *entries);
    for (size_t i = 0; i < s->flows.n; i++)
        entries[i] = (struct entry){s, &s->flows.data[i]};
    qsort(entries, s->flows.n, sizeof *entries, compare);
    for (size_t i = 0; i < s->flows.n; i++) {
        struct str line = STR_INIT;
        of_flow_stats_print(&line, entries[i].flow, names, NULL, stats);
        puts(str_c(&line));
        str_fini(&line);
    }
    free(entries);
}

void sorting_free(struct sorting *s)
{
    struct of_flow_stats *fs;
    if (!s)
        return;
    VEC_FOR_EACH (fs, &s->flows)
        of_flow_stats_fini(fs);
    vec_fini(&s->flows);
    free(s);
}
