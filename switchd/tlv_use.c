/* tlv_use.c - see tlv_use.h. */
#include "switchd/tlv_use.h"

#include "flow/match_tun.h"
#include "openflow/actions.h"
#include "switchd/forward/forwarder.h"
#include "switchd/table.h"
#include "switchd/vswitch.h"

static uint64_t bit(enum field_id id)
{
    return FIELD_IS_TUN_METADATA(id) ? UINT64_C(1) << (id - FIELD_TUN_METADATA0) : 0;
}

uint64_t tlv_in_match(const struct match *match)
{
    return match->mask.bits.tunnel.present | match->tun_mask.present;
}

static uint64_t in_learn(const struct of_learn *a)
{
    uint64_t fields = a->flags & OF_LEARN_WRITE_RESULT ? bit(a->result_dst.id) : 0;
    for (unsigned i = 0; i < a->n_specs; i++) {
        const struct of_learn_spec *spec = &a->specs[i];
        fields |= spec->src_imm ? 0 : bit(spec->src.id);
        fields |= spec->dst_type == OF_LEARN_OUTPUT ? 0 : bit(spec->dst.id);
    }
    return fields;
}

/* What one action names itself. */
static uint64_t in_action(const struct of_action *a)
{
    const void *p = a;
    const struct of_move *move = p;
    const struct of_sample *sample = p;
    switch (a->type) {
    case OF_SET_TUN:
        return bit(((const struct of_set_tun *)p)->field);
    case OF_SET_FIELD:
        return bit(((const struct of_set_field *)p)->field);
    case OF_MOVE:
        return bit(move->src.id) | bit(move->dst.id);
    case OF_STACK_PUSH:
    case OF_STACK_POP:
        return bit(((const struct of_stack *)p)->sub.id);
    case OF_OUTPUT_REG:
        return bit(((const struct of_output_reg *)p)->src.id);
    case OF_DELETE_FIELD:
        return bit(((const struct of_delete_field *)p)->field);
    case OF_MULTIPATH:
        return bit(((const struct of_multipath *)p)->dst.id);
    case OF_BUNDLE:
        return bit(((const struct of_bundle_action *)p)->dst.id);
    case OF_CHECK_PKT_LARGER:
        return bit(((const struct of_check_pkt_larger *)p)->dst.id);
    case OF_CT:
        return bit(((const struct of_ct *)p)->zone_src.id);
    case OF_SAMPLE:
        return bit(sample->obs_domain_src.id) | bit(sample->obs_point_src.id);
    case OF_LEARN:
        return in_learn(p);
    default:
        return 0;
    }
}

uint64_t tlv_in_actions(const void *actions, size_t n)
{
    uint64_t fields = 0;
    const struct of_action *a;
    if (!n)
        return 0;
    OF_ACTION_FOR_EACH(a, actions, n)
    {
        size_t inner_n;
        const void *inner = of_action_nested(a, &inner_n);
        fields |= in_action(a);
        if (inner)
            fields |= tlv_in_actions(inner, inner_n);
    }
    return fields;
}

int tlv_fit_match(const struct bridge *br, struct match *match)
{
    for (uint64_t left = tlv_in_match(match) & br->tlvs.mapped; left; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        if (!match_cut_tun(match, FIELD_TUN_METADATA0 + i, 8u * br->tlvs.map[i].len))
            return OF_ERR_MATCH_BAD_VALUE;
    }
    return 0;
}

static bool fits(const struct bridge *br, const struct subfield *sub)
{
    return !FIELD_IS_TUN_METADATA(sub->id) ||
           sub->ofs + sub->n_bits <= 8u * br->tlvs.map[sub->id - FIELD_TUN_METADATA0].len;
}

static bool learn_fits(const struct bridge *br, const struct of_learn *a)
{
    for (unsigned i = 0; i < a->n_specs; i++) {
        const struct of_learn_spec *spec = &a->specs[i];
        if ((!spec->src_imm && !fits(br, &spec->src)) ||
            (spec->dst_type != OF_LEARN_OUTPUT && !fits(br, &spec->dst)))
            return false;
    }
    return true;
}

int tlv_check_lengths(const struct bridge *br, const void *actions, size_t n)
{
    const struct of_action *a;
    if (!n)
        return 0;
    OF_ACTION_FOR_EACH(a, actions, n)
    {
        const void *p = a;
        const struct of_move *move = p;
        size_t inner_n;
        const void *inner = of_action_nested(a, &inner_n);
        bool good = a->type == OF_MOVE ? fits(br, &move->src) && fits(br, &move->dst)
                    : a->type == OF_STACK_PUSH || a->type == OF_STACK_POP
                        ? fits(br, &((const struct of_stack *)p)->sub)
                    : a->type == OF_LEARN ? learn_fits(br, p)
                                          : true;
        if (!good || (inner && tlv_check_lengths(br, inner, inner_n)))
            return OF_ERR_ACTION_BAD_SET_LEN;
    }
    return 0;
}

int tlv_check(const struct bridge *br, uint64_t fields)
{
    return fields & ~br->tlvs.mapped ? OF_ERR_NX_TUN_METADATA_UNMAPPED : 0;
}

/* Whether a flow or a group of BR speaks of any of FIELDS. */
static uint64_t tlv_in_group(const struct of_group *of)
{
    uint64_t fields = 0;
    for (size_t i = 0; i < of->n_buckets; i++)
        fields |= tlv_in_actions(of->buckets[i].actions.data, of->buckets[i].actions.n);
    return fields;
}

static bool are_used(const struct bridge *br, uint64_t fields)
{
    const struct group *group;
    for (unsigned i = 0; i < N_TABLES; i++) {
        const struct cls_rule *cls;
        CLASSIFIER_FOR_EACH(cls, &br->tables.table[i].cls)
        {
            const struct rule *rule = CONTAINER_OF(cls, struct rule, cls);
            struct match match;
            cls_rule_match(cls, &match);
            if (fields &
                (tlv_in_match(&match) | tlv_in_actions(rule->actions.data, rule->actions.n)))
                return true;
        }
    }
    HMAP_FOR_EACH (group, node, &br->groups) {
        if (fields & (tlv_in_group(&group->of) | (group->draft ? tlv_in_group(group->draft) : 0)))
            return true;
    }
    return false;
}

int tlv_mod_apply(struct bridge *br, const struct of_tlv_mod *mod)
{
    forwarders_settle(&br->vs->host); /* who sends reads the map */
    struct tlv_map before = br->tlvs;
    int err = tlv_map_change(&br->tlvs, mod);
    uint64_t lost = before.mapped & ~br->tlvs.mapped;
    if (err || !lost || !are_used(br, lost))
        return err;
    br->tlvs = before;
    return OF_ERR_NX_TLV_INVALID_TLV_DEL;
}
