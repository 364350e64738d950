/* translate.c - a NAT rule's flows: destinations on the way in, sources on the way out (room 3 of docs/architecture.md; ovn-northd(8),
 * DNAT, UNDNAT, SNAT). Where a packet's address was translated the rest of the pipeline must not tell from the packet, so
 * connection tracking is asked; a stateless rule writes the address and forgets.
 *
 * At a distributed gateway port one zone serves both ways (..._in_czone), but for what turns back at the port (egress loopback),
 * which is translated twice and needs the other one: reg9[4].
 *
 * A rule with a match of its own comes before all others: priority 300 and its own.
 */
#include "northd/nat/nat.h"

#include "base/diag.h"

enum { DNAT_PRIORITY = 100, EXEMPT = 2, CENTRAL = 128, LOOPED = 1, CONDITIONAL = 300 };

static bool on_gateway_router(const struct fact_nat *nat)
{
    return !nat->text[NAT_PORT_NAME];
}

static struct expr *own_match(const struct lflow_out *l, const struct fact_nat *nat)
{
    struct expr *e = NULL;
    struct diag diag = DIAG_INIT;
    if (!nat->text[NAT_MATCH])
        return expr_true(l->e);
    int err = expr_parse(l->e, nat->text[NAT_MATCH]->s, NULL, &e, &diag);
    INVARIANT(!err); /* rule.c has tried */
    diag_fini(&diag);
    return e;
}

static unsigned priority_of(const struct fact_nat *nat, unsigned otherwise)
{
    return nat->text[NAT_MATCH] ? CONDITIONAL + (unsigned)nat->priority : otherwise;
}

static struct expr *ip_and(const struct lflow_out *l, struct expr *e)
{
    return expr_and(l->e, expr_flag(l->e, SYM_IP, true), e);
}

/* The other end of the connection is in the set NAME (may be NULL). */
static struct expr *in_set(const struct lflow_out *l, const struct fact_nat *nat, bool is_src,
                           const struct rstr *name)
{
    bool v6 = nat->external.version == 6;
    if (!name)
        return expr_true(l->e);
    enum symbol_id sym =
        is_src ? (v6 ? SYM_IP6_SRC : SYM_IP4_SRC) : (v6 ? SYM_IP6_DST : SYM_IP4_DST);
    return expr_set(l->e, sym, EXPR_EQ, name->s);
}

/* NAME(ADDRESS[, PORTS]); */
static struct actions *translate(const struct lflow_out *l, const char *name,
                                 const struct address *to, const struct rstr *ports)
{
    struct str s = STR_INIT;
    address_put(&s, to);
    struct actions *a =
        lflows_actions(l, "%s(%s%s%s);", name, str_c(&s), ports ? "," : "", ports ? ports->s : "");
    str_fini(&s);
    return a;
}

/* ip4.dst = ADDRESS; next; */
static struct actions *rewrite(const struct lflow_out *l, const struct fact_nat *nat, bool is_src,
                               const struct address *to)
{
    bool v6 = nat->external.version == 6;
    enum symbol_id sym =
        is_src ? (v6 ? SYM_IP6_SRC : SYM_IP4_SRC) : (v6 ? SYM_IP6_DST : SYM_IP4_DST);
    return actions_of(l->a, lflows_load_ip(l, sym, to), action_next(l->a), NULL);
}

static struct actions *with_mac(const struct lflow_out *l, const struct fact_nat *nat,
                                struct actions *then)
{
    if (!(nat->flags & NAT_DISTRIBUTED))
        return then;
    return actions_join(actions_of(l->a, lflows_load_mac(l, SYM_ETH_SRC, nat->mac), NULL), then);
}

/* MATCH on the chassis where a rule works centrally, or anywhere. */
static struct expr *centrally(const struct lflow_out *l, const struct fact_nat *nat,
                              struct expr *match)
{
    if (on_gateway_router(nat) || nat->flags & NAT_DISTRIBUTED)
        return match;
    return expr_and(l->e, match, expr_resident(l->e, nat->text[NAT_RESIDENT]->s, false));
}

/* --- In */

static struct actions *dnat_actions(const struct lflow_out *l, const struct fact_nat *nat)
{
    bool gateway = on_gateway_router(nat);
    struct actions *to = nat->flags & NAT_STATELESS
                             ? rewrite(l, nat, false, &nat->logical)
                             : translate(l, gateway ? "ct_dnat" : "ct_dnat_in_czone", &nat->logical,
                                         nat->text[NAT_PORTS]);
    if (!gateway)
        return to;
    const struct fact_force_snat *f =
        inc_read_one(l->ctx, l->p->nat.force_snat_by_lr, &nat->key.lr);
    struct actions *flags = lflows_actions(l, "flags.loopback = 1;");
    if (f && f->what == FORCE_SNAT_DNAT) /* they come first */
        flags = actions_join(lflows_actions(l, "flags.force_snat_for_dnat = 1;"), flags);
    return actions_join(flags, to);
}

static void dnat(const struct lflow_out *l, const struct fact_nat *nat)
{
    struct expr *match = ip_and(l, lflows_ip_dst(l, &nat->external));
    unsigned priority = priority_of(nat, DNAT_PRIORITY);
    if (!on_gateway_router(nat))
        match =
            centrally(l, nat, expr_and(l->e, match, lflows_inport(l, nat->text[NAT_PORT_NAME])));
    match = expr_and(l->e, match, own_match(l, nat));
    if (nat->text[NAT_EXEMPTED])
        lflows_emit(l, STAGE_RTR_IN_DNAT, priority + EXEMPT,
                    expr_and(l->e, expr_ref(match), in_set(l, nat, true, nat->text[NAT_EXEMPTED])),
                    lflows_next(l));
    lflows_emit(l, STAGE_RTR_IN_DNAT, priority,
                expr_and(l->e, match, in_set(l, nat, true, nat->text[NAT_ALLOWED])),
                dnat_actions(l, nat));
}

/* Answers get their old source back; a gateway router does that for all at once (connections.c). */
static void undnat(const struct lflow_out *l, const struct fact_nat *nat)
{
    if (on_gateway_router(nat))
        return;
    struct expr *match = centrally(l, nat,
                                   expr_and(l->e, ip_and(l, lflows_ip_src(l, &nat->logical)),
                                            lflows_outport(l, nat->text[NAT_PORT_NAME])));
    lflows_emit(l, STAGE_RTR_OUT_UNDNAT, 100, match,
                with_mac(l, nat,
                         nat->flags & NAT_STATELESS ? lflows_next(l)
                                                    : lflows_actions(l, "ct_dnat_in_czone;")));
}

/* --- Out */

static void snat_on_gateway_router(const struct lflow_out *l, const struct fact_nat *nat,
                                   struct expr *match, unsigned priority)
{
    if (nat->flags & NAT_STATELESS) {
        lflows_emit(l, STAGE_RTR_OUT_SNAT, priority, match, rewrite(l, nat, true, &nat->external));
        return;
    }
    lflows_emit(l, STAGE_RTR_OUT_SNAT, priority,
                expr_and(l->e, match, lflows_match(l, "!ct.trk || !ct.rpl")),
                translate(l, "ct_snat", &nat->external, nat->text[NAT_PORTS]));
}

static void snat_at_port(const struct lflow_out *l, const struct fact_nat *nat, struct expr *match,
                         unsigned priority)
{
    if (nat->flags & NAT_STATELESS) {
        lflows_emit(l, STAGE_RTR_OUT_SNAT, priority, match,
                    with_mac(l, nat, rewrite(l, nat, true, &nat->external)));
        return;
    }
    struct actions *again =
        actions_join(lflows_actions(l, "reg9[4] = 0;"),
                     translate(l, "ct_snat", &nat->external, nat->text[NAT_PORTS]));
    lflows_emit(l, STAGE_RTR_OUT_SNAT, priority + LOOPED,
                expr_and(l->e, expr_ref(match), lflow_reg_eq(l->e, LREG_ROUTER_DNAT_LOCAL, 1)),
                with_mac(l, nat, again));
    lflows_emit(
        l, STAGE_RTR_OUT_SNAT, priority, match,
        with_mac(l, nat, translate(l, "ct_snat_in_czone", &nat->external, nat->text[NAT_PORTS])));
}

static void snat(const struct lflow_out *l, const struct fact_nat *nat)
{
    bool gateway = on_gateway_router(nat);
    struct expr *match = ip_and(l, lflows_ip_src(l, &nat->logical));
    unsigned priority = nat->logical.plen + 1u + (gateway ? 0 : CENTRAL);
    priority = priority_of(nat, priority);
    if (!gateway)
        match = expr_all(l->e, match, lflows_outport(l, nat->text[NAT_PORT_NAME]),
                         expr_resident(l->e, nat->text[NAT_RESIDENT]->s, false), NULL);
    match = expr_and(l->e, match, own_match(l, nat));
    if (nat->text[NAT_EXEMPTED])
        lflows_emit(l, STAGE_RTR_OUT_SNAT, priority + EXEMPT,
                    expr_and(l->e, expr_ref(match), in_set(l, nat, false, nat->text[NAT_EXEMPTED])),
                    lflows_next(l));
    match = expr_and(l->e, match, in_set(l, nat, false, nat->text[NAT_ALLOWED]));
    if (gateway)
        snat_on_gateway_router(l, nat, match, priority);
    else
        snat_at_port(l, nat, match, priority);
}

/* --- Distributed: the logical port's chassis receives and sends for itself, with the rule's MAC. */

static void distribute(const struct lflow_out *l, const struct fact_nat *nat)
{
    const struct rstr *port = nat->text[NAT_PORT_NAME], *vm = nat->text[NAT_RESIDENT];
    bool v6 = nat->external.version == 6;
    lflows_emit(l, STAGE_RTR_IN_ADMISSION, 50,
                expr_all(l->e, expr_eq(l->e, SYM_ETH_DST, nat->mac), lflows_inport(l, port),
                         expr_resident(l->e, vm->s, false), NULL),
                lflows_admit(l, nat->port_mac));
    lflows_emit(l, STAGE_RTR_IN_GW_REDIRECT, 100,
                expr_all(l->e, lflows_ip_src(l, &nat->logical), lflows_outport(l, port),
                         expr_resident(l->e, vm->s, false), NULL),
                actions_of(l->a, lflows_load_mac(l, SYM_ETH_SRC, nat->mac),
                           lflows_load_ip(l, v6 ? SYM_XXREG1 : SYM_REG1, &nat->external),
                           action_next(l->a), NULL));
}

void nat_translate(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_nat *nat = inc_read_one(ctx, p->nat.nat_each, key);
    struct lflow_out l = lflows_begin(ctx, p, &nat->key.lr, &nat->key.nat);
    if (nat->type & NAT_DNAT) {
        dnat(&l, nat);
        undnat(&l, nat);
    }
    if (nat->type & NAT_SNAT)
        snat(&l, nat);
    if (nat->flags & NAT_DISTRIBUTED)
        distribute(&l, nat);
}
