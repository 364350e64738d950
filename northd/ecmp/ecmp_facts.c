/* ecmp_facts.c - types of the facts of groups of next hops, and their declarations; see ecmp_facts.h (room 2 of
 * docs/architecture.md).
 */
#include "northd/declare.h"
#include "northd/ecmp/ecmp.h"
#include "northd/fact_type.h"

FACT_COMPARE(ecmp_want, uuid_compare(&a->key.lr, &b->key.lr),
             fact_compare_u64(a->key.space, b->key.space), uuid_compare(&a->id, &b->id))
FACT_COMPARE(ecmp_number, uuid_compare(&a->lr, &b->lr), uuid_compare(&a->id, &b->id),
             fact_compare_u64(a->number, b->number))

FACT_TYPE_PLAIN(ecmp_want, NULL);
FACT_TYPE_PLAIN(ecmp_number, NULL);
const struct inc_type northd_key_ecmp = {.name = "ecmp space", .size = sizeof(struct key_ecmp)};
const struct inc_type northd_key_ecmp_number = {.name = "ecmp group",
                                                .size = sizeof(struct key_ecmp_number)};

void ecmp_declare_facts(struct northd_program *p)
{
    struct inc_program *g = p->inc;
    struct ecmp_facts *f = &p->ecmp;
    f->want = inc_derived(g, "ecmp_want", &northd_type_ecmp_want);
    f->want_each =
        inc_index_field(g, f->want, "each", &northd_key_ecmp, offsetof(struct fact_ecmp_want, key));
    f->number = inc_derived(g, "ecmp_number", &northd_type_ecmp_number);
    f->number_each = inc_index_field(g, f->number, "each", &northd_key_ecmp_number, 0);
}

void ecmp_declare_units(struct northd_program *p)
{
    struct inc_program *g = p->inc;
    UNIT("ecmp: numbers", p->ecmp.want_each, ecmp_number, READS(p->ecmp.want), p->ecmp.number);
}
