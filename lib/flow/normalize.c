/* normalize.c - see normalize.h. Several fields lie on the same bits (ports of TCP and of UDP): bits stay when any field that they are
 * has its protocol. */
#include "flow/normalize.h"

#include <string.h>

bool match_normalize(struct match *match)
{
    struct match whole = *match; /* as if it did not speak of fragments */
    struct flow_mask idle, needed;
    memset(&idle, 0, sizeof idle);
    memset(&needed, 0, sizeof needed);
    whole.mask.bits.nw_frag = whole.key.nw_frag = 0;
    for (unsigned i = FIELD_NONE + 1; i < N_FIELDS; i++) {
        const struct field *f = field_get((enum field_id)i);
        if (f->prereq == PREREQ_NONE || f->prereq == PREREQ_VLAN || f->prereq == PREREQ_CT)
            continue;
        mask_set(match_implies_prereq(&whole, f->prereq) ? &needed : &idle, f->id);
    }
    bool changed = false;
    const uint64_t *needs = flow_words_const(&needed.bits), *is_idle = flow_words_const(&idle.bits);
    uint64_t *mask = flow_words(&match->mask.bits), *key = flow_words(&match->key);
    for (unsigned i = 0; i < FLOW_WORDS; i++) {
        uint64_t drop = mask[i] & is_idle[i] & ~needs[i];
        changed |= drop != 0;
        mask[i] &= ~drop;
        key[i] &= ~drop;
    }
    return changed;
}
