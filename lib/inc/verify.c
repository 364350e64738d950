/* verify.c - the oracle: an engine made anew from the same inputs must hold the same facts (docs/architecture.md).
 *
 * It compares facts and how many assert each. It also checks the engine's own books: every fact in the buckets of its
 * keys and no others. Costs a full compute and as much memory again.
 */
#include "inc/internal.h"

enum { MAX_LINES = 20 };

struct report {
    struct str *out;
    unsigned n; /* differences */
};

static void print_fact(const struct inc_coll *coll, const void *content, struct str *out)
{
    if (coll->type->print)
        coll->type->print(content, out);
    else
        str_put_hex(out, content, coll->type->size);
}

static void difference(struct report *report, const struct inc_coll *coll, const void *content,
                       const char *what)
{
    if (report->n++ >= MAX_LINES || !report->out)
        return;
    str_putf(report->out, "%s %s: ", coll->name, what);
    print_fact(coll, content, report->out);
    str_putc(report->out, '\n');
}

static void copy_inputs(const struct inc *from, struct inc *to, const struct inc_coll *coll)
{
    const struct coll_state *cs = &from->colls[coll->id];
    const struct fact *fact;
    TABLE_FOR_EACH(fact, &cs->facts)
    if (fact->count)
        fact_add(to, fact_intern(to, coll, fact_content(cs, fact), false), fact->count);
}

static uint32_t count_in(const struct inc *inc, const struct inc_coll *coll, const void *content)
{
    const struct coll_state *cs = &inc->colls[coll->id];
    const struct fact *fact = table_find(&cs->facts, bytes_hash(content, cs->fact_size), content,
                                         cs->fact_size, cs->content);
    return fact ? fact->count : 0;
}

static void compare_coll(const struct inc *inc, const struct inc *fresh,
                         const struct inc_coll *coll, struct report *report)
{
    const struct coll_state *cs = &inc->colls[coll->id], *fs = &fresh->colls[coll->id];
    const struct fact *fact;
    TABLE_FOR_EACH(fact, &cs->facts)
    {
        const void *content = fact_content(cs, fact);
        uint32_t there = count_in(fresh, coll, content);
        if (fact->count && !there)
            difference(report, coll, content, "has too much");
        else if (fact->count != there)
            difference(report, coll, content, "counts wrongly");
    }
    TABLE_FOR_EACH(fact, &fs->facts)
    if (fact->count && !count_in(inc, coll, fact_content(fs, fact)))
        difference(report, coll, fact_content(fs, fact), "lacks");
}

/* Every fact stands where its buckets say. */
static void check_books(struct inc *inc, const struct inc_index *index)
{
    struct bucket *bucket;
    const struct coll_state *cs = &inc->colls[index->coll->id];
    TABLE_FOR_EACH(bucket, &inc->indexes[index->id].buckets)
    {
        const void **facts = bucket_facts(bucket);
        uint32_t n = 0;
        for (uint32_t i = 0; i < bucket_len(bucket); i++) {
            if (!facts[i])
                continue;
            const struct fact *fact = fact_of(cs, facts[i]);
            INVARIANT(fact->count && *fact_pos_in(cs, fact, index->slot, bucket) == i);
            n++;
        }
        INVARIANT(n == bucket->n && (bucket->n || bucket->n_readers || !bucket->units));
    }
}

static void check_lookup(struct inc *inc, const struct inc_index *index)
{
    const struct coll_state *cs = &inc->colls[index->coll->id];
    const struct fact *fact;
    INVARIANT(inc->indexes[index->id].lookup.n == cs->n);
    TABLE_FOR_EACH(fact, &cs->facts)
    {
        const char *content = fact_content(cs, fact);
        struct inc_facts found = lookup_find(inc, index, content + index->offset);
        bool is_there = false;
        for (size_t i = 0; i < found.n; i++)
            is_there |= found.v[i] == content;
        INVARIANT(is_there == (fact->count != 0));
    }
}

bool inc_verify(struct inc *inc, struct str *out)
{
    INVARIANT(!inc->settling && !inc->n_dirty);
    struct inc_program *p = inc->program;
    struct report report = {.out = out};
    struct inc *fresh = inc_new(p);
    for (size_t i = 0; i < p->colls.n; i++)
        if (p->colls.data[i]->input)
            copy_inputs(inc, fresh, p->colls.data[i]);
    while (!inc_settle(fresh, SIZE_MAX))
        ;
    for (size_t i = 0; i < p->colls.n; i++)
        compare_coll(inc, fresh, p->colls.data[i], &report);
    for (size_t i = 0; i < p->indexes.n; i++)
        if (p->indexes.data[i]->is_lookup)
            check_lookup(inc, p->indexes.data[i]);
        else if (!p->indexes.data[i]->is_self)
            check_books(inc, p->indexes.data[i]);
    inc_free(fresh);
    if (report.n > MAX_LINES && out)
        str_putf(out, "and %u more\n", report.n - MAX_LINES);
    return !report.n;
}
