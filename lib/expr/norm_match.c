/* norm_match.c - the flows of a normal form as lib/flow's matches; see norm.h. */
#include "expr/norm.h"
#include "flow/key.h"

void norm_flow_to_match(const struct norm_flow *flow, uint32_t conj_base, struct match *match)
{
    for (uint32_t i = 0; i < flow->cube->n; i++) {
        const struct cube_field *f = &flow->cube->field[i];
        if (f->sym->field >= 0)
            match_set_masked(match, (enum field_id)f->sym->field, f->value, f->mask);
    }
    if (flow->conj_id)
        match_set(match, FIELD_CONJ_ID, flow->conj_id + conj_base);
}
