/* tier.c - tiers: ACLs of a place are asked tier by tier, and who has none that decides goes on to the next (room 3 of
 * docs/architecture.md; ovn-nb(5) "tier"). The tier is in a register, a match asks for its own, and the way to the next tier is
 * the same table again. Where all ACLs are of tier 0 and none passes, there is neither register nor question.
 */
#include "northd/acl/acl.h"
#include "northd/classes.h"

enum { PRIO_NEXT_TIER = 500 }; /* below every ACL, above the last word */

enum stage acl_stage(enum acl_place place)
{
    static const enum stage stages[] = {[ACL_IN] = STAGE_SW_IN_ACL,
                                        [ACL_IN_AFTER_LB] = STAGE_SW_IN_ACL_AFTER_LB,
                                        [ACL_OUT] = STAGE_SW_OUT_ACL};
    return stages[place];
}

/* Not one for both ingress stages: the second begins at tier 0 again. */
static enum logical_reg reg_of(enum acl_place place)
{
    return place == ACL_IN_AFTER_LB ? LREG_SWITCH_ACL_TIER_AFTER_LB : LREG_SWITCH_ACL_TIER;
}

static enum switch_has tier_of(enum acl_place place, unsigned tier)
{
    return SWITCH_HAS_TIER + place * (ACL_MAX_TIER + 1) + tier;
}

const uint64_t acl_traits = UINT64_C(1) << SWITCH_HAS_STATEFUL_ACL | UINT64_C(1) << SWITCH_HAS_LB |
                            ((UINT64_C(1) << N_ACL_PLACES * (ACL_MAX_TIER + 1)) - 1)
                                << SWITCH_HAS_TIER;

uint64_t acl_tier_traits(struct inc_ctx *ctx, struct northd_program *p, const struct uuid *ls,
                         enum acl_place place)
{
    uint64_t traits = 0;
    for (unsigned t = 0; t <= ACL_MAX_TIER; t++)
        if (program_switch_has(ctx, p, ls, tier_of(place, t)))
            traits |= UINT64_C(1) << tier_of(place, t);
    return traits;
}

bool acl_uses_tiers(uint64_t traits, enum acl_place place)
{
    return traits >> tier_of(place, 0) & ((1u << (ACL_MAX_TIER + 1)) - 1);
}

struct expr *acl_in_tier(const struct lflow_out *l, enum acl_place place, unsigned tier)
{
    return lflow_reg_eq(l->e, reg_of(place), tier);
}

/* After the last tier only the stage's last word is left to match. */
struct actions *acl_next_tier(const struct lflow_out *l, enum acl_place place, unsigned tier)
{
    return actions_of(l->a, lflow_reg_load(l->a, reg_of(place), tier + 1),
                      action_next_table(l->a, stage_info(acl_stage(place))->table), NULL);
}

void acl_tiers(const struct lflow_out *l, uint64_t traits)
{
    for (enum acl_place place = 0; place < N_ACL_PLACES; place++) {
        unsigned last = ACL_MAX_TIER;
        while (last && !has_trait(traits, tier_of(place, last)))
            last--;
        for (unsigned t = 0; t < last; t++)
            lflows_emit(l, acl_stage(place), PRIO_NEXT_TIER, acl_in_tier(l, place, t),
                        acl_next_tier(l, place, t));
    }
}
