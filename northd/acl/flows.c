/* flows.c - an ACL on a switch, or on a class of switches, as flows (room 3 of docs/architecture.md; ovn-northd(8) "from-lport ACLs before LB").
 *
 * Without connection tracking on the switch an ACL is one flow. With it, the stage before has left hints what is known of the
 * connection, and an ACL is two: one that allows is for a connection that may have to be committed (reg0[7]) or is there
 * already (reg0[8]); one that refuses is for what was not allowed so far (reg0[9]), and for a connection that was (reg0[10]) and
 * is now marked as blocked, so that its replies are refused too. An ACL that is stateless keeps its packets out of tracking in
 * the stage pre_acl, with the same match and order.
 */
#include <inttypes.h>

#include "northd/acl/acl.h"
#include "northd/classes.h"

/* What the flows of one ACL have in common. */
struct acl_out {
    struct lflow_out l;
    const struct fact_acl *acl;
    enum stage stage;
    struct expr *match;       /* with its tier */
    const struct rstr *meter; /* of the log, or NULL */
};

static struct action *log_action(const struct acl_out *o, const char *verdict)
{
    static const char *const options[] = {"name", "severity", "verdict", "meter"};
    const struct fact_acl *acl = o->acl;
    const char *values[] = {acl->name ? acl->name->s : NULL, acl->severity->s, verdict,
                            o->meter ? o->meter->s : NULL};
    struct operand operands[2 * ARRAY_SIZE(options)];
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
        if (!values[i])
            continue;
        operands[n++] = (struct operand){.kind = OPERAND_OPTION,
                                         .text = rstr_pool_get(o->l.p->names, options[i])};
        operands[n++] = (struct operand){.kind = i % 3 ? OPERAND_WORD : OPERAND_STRING,
                                         .text = rstr_pool_get(o->l.p->names, values[i])};
    }
    return action_new(o->l.a, ACTION_LOG, operands, n);
}

/* BEFORE, the log if there is one, AFTER. */
static struct actions *logged(const struct acl_out *o, const char *before, const char *verdict,
                              struct actions *after)
{
    struct actions *actions = lflows_actions(&o->l, "%s", before);
    if (o->acl->flags & ACL_LOG)
        actions = actions_join(actions, actions_of(o->l.a, log_action(o, verdict), NULL));
    return actions_join(actions, after);
}

static struct actions *next(const struct acl_out *o)
{
    return lflows_next(&o->l);
}

static void emit(const struct acl_out *o, const char *hint, struct actions *actions)
{
    struct expr *match = expr_ref(o->match);
    if (hint)
        match = expr_and(o->l.e, lflows_match(&o->l, "%s", hint), match);
    lflows_emit(&o->l, o->stage, o->acl->priority, match, actions);
}

static void allow(const struct acl_out *o, bool tracked)
{
    if (!tracked) {
        emit(o, NULL, logged(o, "", "allow", next(o)));
        return;
    }
    struct str commit = STR_INIT;
    str_put(&commit, "reg0[1] = 1;");
    if (o->acl->label)
        str_putf(&commit, " reg0[13] = 1; reg3 = %" PRIu32 ";", o->acl->label);
    emit(o, "reg0[7] == 1", logged(o, str_c(&commit), "allow", next(o)));
    /* A connection that is there is committed again only for its label. */
    emit(o, "reg0[8] == 1", logged(o, o->acl->label ? str_c(&commit) : "", "allow", next(o)));
    str_fini(&commit);
}

/* From the far end of the pipeline, where no ACL refuses it again. */
static struct actions *refusal(const struct acl_out *o)
{
    if (o->acl->action == ACL_DROP)
        return lflows_drop(&o->l);
    bool ingress = o->acl->place != ACL_OUT;
    return lflows_actions(&o->l,
                          "reg0 = 0; reject { outport <-> inport; next(pipeline=%s, table=%u); };",
                          ingress ? "egress" : "ingress",
                          stage_info(ingress ? STAGE_SW_OUT_QOS_MARK : STAGE_SW_IN_L2_LKUP)->table);
}

static void refuse(const struct acl_out *o, bool tracked)
{
    const char *verdict = o->acl->action == ACL_DROP ? "drop" : "reject";
    if (!tracked) {
        emit(o, NULL, logged(o, "", verdict, refusal(o)));
        return;
    }
    emit(o, "reg0[9] == 1", logged(o, "", verdict, refusal(o)));
    emit(o, "reg0[10] == 1", logged(o, "ct_commit { ct_mark.blocked = 1; };", verdict, refusal(o)));
}

static void keep_out_of_tracking(const struct acl_out *o)
{
    enum stage stage = o->acl->place == ACL_OUT ? STAGE_SW_OUT_PRE_ACL : STAGE_SW_IN_PRE_ACL;
    lflows_emit(&o->l, stage, o->acl->priority, expr_ref(o->acl->match),
                lflows_actions(&o->l, "reg0[16] = 1; next;"));
}

/* Replies and related packets are allowed without asking an ACL (common.c); for the log they are told by the label. */
static void log_related(const struct acl_out *o)
{
    static const struct {
        const char *match, *in, *out;
    } flows[] = {
        {"ct.est && !ct.rel && !ct.new && ct.rpl && ct_mark.blocked == 0 && ct_label.label == "
         "%" PRIu32,
         "reg0[9] = 0; reg0[10] = 0; reg0[17] = 1; next;", "next;"},
        {"!ct.est && ct.rel && !ct.new && ct_mark.blocked == 0 && ct_label.label == %" PRIu32,
         "reg0[17] = 1; ct_commit_nat;", "ct_commit_nat;"},
    };
    bool inv = program_option_is(o->l.ctx, o->l.p, "use_ct_inv_match", true);
    for (size_t i = 0; i < ARRAY_SIZE(flows); i++) {
        struct str match = STR_INIT;
        str_put(&match, inv ? "!ct.inv && " : "");
        str_putf(&match, flows[i].match, o->acl->label);
        const char *actions = o->stage == STAGE_SW_OUT_ACL ? flows[i].out : flows[i].in;
        lflows_emit(&o->l, o->stage == STAGE_SW_OUT_ACL ? o->stage : STAGE_SW_IN_ACL, 65533,
                    lflows_match(&o->l, "%s", str_c(&match)),
                    logged(o, "", "allow", lflows_actions(&o->l, "%s", actions)));
        str_fini(&match);
    }
}

static void acl_actions(const struct acl_out *o, bool stateful, bool tracked)
{
    switch ((enum acl_action)o->acl->action) {
    case ACL_ALLOW_STATELESS:
        emit(o, NULL, logged(o, "", "allow", next(o)));
        if (tracked)
            keep_out_of_tracking(o);
        break;
    case ACL_ALLOW:
    case ACL_ALLOW_RELATED:
        allow(o, tracked);
        if (stateful && o->acl->flags & ACL_LOG_RELATED)
            log_related(o);
        break;
    case ACL_DROP:
    case ACL_REJECT:
        refuse(o, tracked);
        break;
    case ACL_PASS:
        emit(o, NULL,
             logged(o, "", "pass",
                    acl_next_tier(&o->l, (enum acl_place)o->acl->place, o->acl->tier)));
    }
}

/* The flows of an ACL on a switch, or a class of switches, with these TRAITS. */
static void put_flows(struct lflow_out l, const struct fact_acl *acl, uint64_t traits)
{
    enum acl_place place = (enum acl_place)acl->place;
    struct acl_out o = {
        .l = l, .acl = acl, .stage = acl_stage(place), .match = expr_ref(acl->match)};
    bool stateful = has_trait(traits, SWITCH_HAS_STATEFUL_ACL);
    o.meter = acl_meter_name(l.ctx, l.p, acl);
    if (acl_uses_tiers(traits, place))
        o.match = expr_and(l.e, acl_in_tier(&o.l, place, acl->tier), o.match);
    acl_actions(&o, stateful, stateful || has_trait(traits, SWITCH_HAS_LB));
    expr_unref(o.match);
    rstr_unref(o.meter);
}

void acl_flows(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct key_acl_on *on = key;
    const struct fact_acl *acl = inc_read_one(ctx, p->acl.acl_by_uuid, &on->acl);
    uint64_t traits = acl_tier_traits(ctx, p, &on->at, (enum acl_place)acl->place);
    if (program_switch_has(ctx, p, &on->at, SWITCH_HAS_STATEFUL_ACL))
        traits |= UINT64_C(1) << SWITCH_HAS_STATEFUL_ACL;
    if (program_switch_has(ctx, p, &on->at, SWITCH_HAS_LB))
        traits |= UINT64_C(1) << SWITCH_HAS_LB;
    put_flows(lflows_begin(ctx, p, &on->at, &on->acl), acl, traits);
}

void acl_group_flows(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct key_acl_on *on = key;
    const struct fact_acl *acl = inc_read_one(ctx, p->acl.acl_by_uuid, &on->acl);
    const struct fact_group_class *class;
    INC_FOR_EACH(class, inc_read(ctx, p->acl.group_class_by_group, &on->at))
    put_flows(classes_begin_at(ctx, p, &class->id, &on->acl), acl, class->traits);
}
