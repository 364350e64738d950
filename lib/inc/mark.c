/* mark.c - see mark.h (docs/architecture.md, row 3). */
#include "inc/mark.h"

#include "inc/internal.h"

bool inc_mark(struct inc *inc, const struct inc_coll *coll, const void *content)
{
    const struct coll_state *cs = &inc->colls[coll->id];
    INVARIANT(cs->watched);
    struct fact *fact = table_find(&cs->facts, bytes_hash(content, cs->fact_size), content,
                                   cs->fact_size, cs->content);
    if (fact)
        fact->flags |= FACT_MARKED;
    return fact;
}

bool inc_is_marked(const struct inc *inc, const struct inc_coll *coll, const void *fact)
{
    return fact_of(&inc->colls[coll->id], fact)->flags & FACT_MARKED;
}

void inc_unmark(struct inc *inc, const struct inc_coll *coll, const void *fact)
{
    fact_of(&inc->colls[coll->id], fact)->flags &= (uint16_t)~FACT_MARKED;
}

void inc_unmark_all(struct inc *inc, const struct inc_coll *coll)
{
    struct fact *fact;
    TABLE_FOR_EACH(fact, &inc->colls[coll->id].facts)
    fact->flags &= (uint16_t)~FACT_MARKED;
}
