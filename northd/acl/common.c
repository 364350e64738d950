/* common.c - what a switch with ACLs has beside them (room 3 of docs/architecture.md; ovn-northd(8) "Pre-ACLs", "ACL hints",
 * "from-lport ACLs before LB"): packets on their way into connection tracking, hints of what it said, replies and related packets
 * let through, and the last word. Who has neither ACLs nor load balancers has the last word only.
 *
 * A connection that an ACL refuses after it was allowed is marked as blocked, and its replies are dropped here. Its requests
 * ask the ACLs each time: when one allows them again, the commit takes the mark off.
 */
#include "northd/acl/acl.h"
#include "northd/classes.h"

/* Discovery of neighbours and listeners is part of the link, and nobody's to filter. */
static const struct lflow_text always[] = {
    {STAGE_SW_IN_ACL, 65532, "nd || nd_ra || nd_rs || mldv1 || mldv2", "next;"},
    {STAGE_SW_IN_ACL_AFTER_LB, 65532, "nd || nd_ra || nd_rs || mldv1 || mldv2", "next;"},
    {STAGE_SW_OUT_ACL, 65532, "nd || nd_ra || nd_rs || mldv1 || mldv2", "next;"},
};

static const struct lflow_text into_tracking[] = {
    {STAGE_SW_IN_PRE_ACL, 110, "eth.mcast", "next;"},
    {STAGE_SW_IN_PRE_ACL, 110,
     "nd || nd_rs || nd_ra || mldv1 || mldv2 || (udp && udp.src == 546 && udp.dst == 547)",
     "next;"},
    {STAGE_SW_IN_PRE_ACL, 100, "ip", "reg0[0] = 1; next;"},
    {STAGE_SW_OUT_PRE_ACL, 110, "eth.mcast", "next;"},
    {STAGE_SW_OUT_PRE_ACL, 110,
     "nd || nd_rs || nd_ra || mldv1 || mldv2 || (udp && udp.src == 546 && udp.dst == 547)",
     "next;"},
    {STAGE_SW_OUT_PRE_ACL, 100, "ip", "reg0[0] = 1; next;"},
};

static const struct lflow_text monitor[] = {
    {STAGE_SW_IN_PRE_ACL, 110, "eth.dst == $svc_monitor_mac", "next;"},
    {STAGE_SW_OUT_PRE_ACL, 110, "eth.src == $svc_monitor_mac", "next;"},
    {STAGE_SW_IN_ACL, 34000, "eth.dst == $svc_monitor_mac", "next;"},
    {STAGE_SW_OUT_ACL, 34000, "eth.src == $svc_monitor_mac", "next;"},
};

/* reg0[7]: an ACL that allows has to commit; [8]: it has not; [9]: one that refuses drops; [10]: it has to mark as well. */
static void hints(const struct lflow_out *l, enum stage stage)
{
    const struct lflow_text flows[] = {
        {stage, 7, "ct.new && !ct.est", "reg0[7] = 1; reg0[9] = 1; next;"},
        {stage, 6, "!ct.new && ct.est && !ct.rpl && ct_mark.blocked == 1",
         "reg0[7] = 1; reg0[9] = 1; next;"},
        {stage, 5, "!ct.trk", "reg0[8] = 1; reg0[9] = 1; next;"},
        {stage, 4, "!ct.new && ct.est && !ct.rpl && ct_mark.blocked == 0",
         "reg0[8] = 1; reg0[10] = 1; next;"},
        {stage, 3, "!ct.est", "reg0[9] = 1; next;"},
        {stage, 2, "ct.est && ct_mark.blocked == 1", "reg0[9] = 1; next;"},
        {stage, 1, "ct.est && ct_mark.blocked == 0", "reg0[10] = 1; next;"},
    };
    lflows_emit_texts(l, flows, ARRAY_SIZE(flows));
}

/* reg0[17]: allowed as a reply or as related, so the ACLs after load balancing are not asked either. */
static void established(const struct lflow_out *l, enum stage stage, bool inv)
{
    const char *not_inv = inv ? " && !ct.inv" : "";
    const char *mark = stage == STAGE_SW_IN_ACL ? "reg0[17] = 1; " : "";
    lflows_emit(
        l, stage, 65532,
        lflows_match(l, "%s(ct.est && ct.rpl && ct_mark.blocked == 1)", inv ? "ct.inv || " : ""),
        lflows_drop(l));
    lflows_emit(l, stage, 65532,
                lflows_match(l, "ct.est && !ct.rel && !ct.new%s && ct.rpl && ct_mark.blocked == 0",
                             not_inv),
                lflows_actions(l, "%s%snext;", *mark ? "reg0[9] = 0; reg0[10] = 0; " : "", mark));
    lflows_emit(l, stage, 65532,
                lflows_match(l, "!ct.est && ct.rel && !ct.new%s && ct_mark.blocked == 0", not_inv),
                lflows_actions(l, "%sct_commit_nat;", mark));
}

/* What no ACL decides. By default it is allowed, and then committed, since the other side may track the connection. */
static void last_word(const struct lflow_out *l, enum stage stage, bool tracked, bool drop)
{
    if (tracked && stage != STAGE_SW_IN_ACL_AFTER_LB && !drop)
        lflows_emit(l, stage, 1,
                    lflows_match(l, "ip && (!ct.est || (ct.est && ct_mark.blocked == 1))"),
                    lflows_actions(l, "reg0[1] = 1; next;"));
    lflows_emit(l, stage, 0, expr_true(l->e), drop ? lflows_drop(l) : lflows_next(l));
}

static void tracking(const struct lflow_out *l)
{
    bool inv = program_option_is(l->ctx, l->p, "use_ct_inv_match", true);
    hints(l, STAGE_SW_IN_ACL_HINT);
    hints(l, STAGE_SW_OUT_ACL_HINT);
    established(l, STAGE_SW_IN_ACL, inv);
    established(l, STAGE_SW_OUT_ACL, inv);
    lflows_emit(l, STAGE_SW_IN_ACL_AFTER_LB, 65532, lflows_match(l, "reg0[17] == 1"),
                lflows_next(l));
}

void acl_common(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const uint64_t *traits = key;
    struct lflow_out l = classes_begin(ctx, p, CLASS_ACL, traits);
    bool acl = has_trait(*traits, SWITCH_HAS_ACL);
    bool lb = has_trait(*traits, SWITCH_HAS_LB);
    bool stateful = has_trait(*traits, SWITCH_HAS_STATEFUL_ACL);
    bool after_lb = has_trait(*traits, SWITCH_HAS_AFTER_LB);
    bool before_lb = has_trait(*traits, SWITCH_HAS_BEFORE_LB) || !after_lb;
    bool drop = (acl || lb) && program_option_is(ctx, p, "default_acl_drop", false);
    last_word(&l, STAGE_SW_IN_ACL, stateful || lb, drop && before_lb);
    last_word(&l, STAGE_SW_IN_ACL_AFTER_LB, stateful || lb, drop && after_lb);
    last_word(&l, STAGE_SW_OUT_ACL, stateful || lb, drop);
    if (!acl && !lb)
        return;
    lflows_emit_texts(&l, always, ARRAY_SIZE(always));
    if (program_option(ctx, p, "svc_monitor_mac"))
        lflows_emit_texts(&l, monitor, ARRAY_SIZE(monitor));
    if (stateful)
        lflows_emit_texts(&l, into_tracking, ARRAY_SIZE(into_tracking));
    if (stateful || lb)
        tracking(&l);
    acl_tiers(&l, *traits);
}
