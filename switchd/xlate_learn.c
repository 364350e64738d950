/* xlate_learn.c - the learn action: a packet that makes a flow (ovs-actions(7)).
 *
 * The new flow is made of constants and of fields of the packet, which are read. It is carried out
 * while the packet is translated, so such a translation is not cached: each packet refreshes the flow
 * that it learns.
 */
#include <stdlib.h>
#include <string.h>

#include "switchd/tlv_use.h"
#include "switchd/xlate_ctx.h"

static u128 spec_value(struct xctx *x, const struct of_learn_spec *spec)
{
    if (spec->src_imm)
        return (u128)spec->value_hi << 64 | spec->value_lo;
    return xctx_get(x, &spec->src);
}

/* A tunnel option, all of whose bits go from field to field. */
static bool is_wide(const struct of_learn_spec *spec)
{
    return !spec->src_imm && spec->n_bits > TUN_CHUNK;
}

static void put_match(struct xctx *x, const struct of_learn_spec *spec, struct match *match)
{
    if (is_wide(spec)) {
        struct tun_value value;
        xctx_get_value(x, &spec->src, &value);
        match_set_tun_bits(match, &spec->dst, &value);
    } else {
        match_set_bits(match, &spec->dst, spec_value(x, spec));
    }
}

static void put_load(struct xctx *x, const struct of_learn_spec *spec, struct of_actions *actions)
{
    if (is_wide(spec)) {
        struct tun_value value;
        xctx_get_value(x, &spec->src, &value);
        of_put_load_tun(actions, &spec->dst, &value);
    } else {
        of_put_load(actions, &spec->dst, spec_value(x, spec));
    }
}

/* In front of what the specifications put; flows of other protocols have no end to see. */
static void put_fin_timeout(const struct of_learn *a, struct of_flow_mod *fm)
{
    if ((!a->fin_idle_timeout && !a->fin_hard_timeout) ||
        !match_implies_prereq(&fm->match, PREREQ_TCP))
        return;
    struct of_fin_timeout *fin = of_put(&fm->actions, OF_FIN_TIMEOUT, sizeof *fin);
    fin->idle = a->fin_idle_timeout;
    fin->hard = a->fin_hard_timeout;
}

static void build(struct xctx *x, const struct of_learn *a, struct of_flow_mod *fm)
{
    fm->table_id = a->table;
    fm->priority = a->priority;
    fm->idle_timeout = a->idle_timeout;
    fm->hard_timeout = a->hard_timeout;
    fm->cookie = a->cookie;
    fm->modify_cookie = true;
    fm->flags = a->flags & OF_LEARN_SEND_FLOW_REM ? OF_FLOW_SEND_FLOW_REM : 0;
    for (unsigned i = 0; i < a->n_specs; i++) {
        const struct of_learn_spec *spec = &a->specs[i];
        if (spec->dst_type != OF_LEARN_MATCH)
            continue;
        match_set_prereq(&fm->match, field_get(spec->dst.id)->prereq);
        put_match(x, spec, &fm->match);
    }
    put_fin_timeout(a, fm);
    for (unsigned i = 0; i < a->n_specs; i++) {
        const struct of_learn_spec *spec = &a->specs[i];
        if (spec->dst_type == OF_LEARN_MATCH)
            continue;
        switch (spec->dst_type) {
        case OF_LEARN_LOAD:
            put_load(x, spec, &fm->actions);
            break;
        case OF_LEARN_OUTPUT: {
            uint32_t port = (uint32_t)spec_value(x, spec);
            of_put_output(&fm->actions, spec->n_bits <= 16 ? port_from_16((uint16_t)port) : port);
            break;
        }
        default:
            break;
        }
    }
}

/* Flows in the table that the same learn action made: what `limit` counts. */
static size_t count_learned(const struct bridge *br, const struct of_learn *a)
{
    struct of_flow_stats_request req;
    of_flow_stats_request_init(&req);
    req.table_id = a->table;
    req.cookie = a->cookie;
    req.cookie_mask = UINT64_MAX;
    rule_vec rules = VEC_INIT;
    tables_select(&br->tables, &req, &rules);
    size_t n = rules.n;
    vec_fini(&rules);
    return n;
}

void xlate_learn(struct xctx *x, const struct of_learn *a)
{
    x->out->cacheable = false;
    struct of_flow_mod fm;
    of_flow_mod_init(&fm, OF_FLOW_MODIFY_STRICT);
    build(x, a, &fm);
    bool learned = !tlv_fit_match(x->br, &fm.match);
    note_learned(x, &fm);
    if (x->in->may_learn && learned) {
        tables_settle(&x->br->tables);
        struct rule *old = NULL;
        struct cls_rule *cls =
            classifier_find(&x->br->tables.table[a->table].cls, &fm.match, fm.priority);
        if (cls)
            old = CONTAINER_OF(cls, struct rule, cls);
        if (old && old->cookie == a->cookie && old->actions.n == fm.actions.n &&
            (!fm.actions.n || !memcmp(old->actions.data, fm.actions.data, fm.actions.n))) {
            old->modified_ms = old->used_ms = x->in->now_ms;
        } else if (!old && a->limit && count_learned(x->br, a) >= a->limit) {
            learned = false;
        } else {
            struct journal journal = JOURNAL_INIT;
            fm.command = OF_FLOW_ADD;
            if (bridge_flow_mod(x->br, &fm, &journal))
                learned = false;
            bridge_commit(x->br, &journal);
        }
    }
    of_flow_mod_fini(&fm);
    if (a->flags & OF_LEARN_WRITE_RESULT)
        xctx_set(x, &a->result_dst, learned);
    if (a->flags & OF_LEARN_WRITE_RESULT && x->in->may_learn)
        note_value(x, &a->result_dst);
}
