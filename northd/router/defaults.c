/* defaults.c - the flows that every logical router has (room 3 of docs/architecture.md): each stage's last word, the drops of
 * what no router forwards, resolution of next hops by what was learned, and the question for those that were not.
 * The same on all routers, so each is one southbound row for all of them.
 */
#include "northd/lflows.h"
#include "northd/router/router.h"

/* What a stage does with a packet that nothing else matched. */
static struct actions *last_word(const struct lflow_out *l, enum stage stage)
{
    switch (stage) {
    case STAGE_RTR_IN_ADMISSION:
    case STAGE_RTR_IN_IP_ROUTING:
    case STAGE_RTR_IN_ARP_RESOLVE:
    case STAGE_RTR_OUT_DELIVERY:
        return lflows_drop(l);
    case STAGE_RTR_IN_LOOKUP_NEIGHBOR: /* nothing to learn */
        return actions_of(l->a, lflow_reg_load(l->a, LREG_ROUTER_NEIGHBOR_KNOWN, 1),
                          action_next(l->a), NULL);
    case STAGE_RTR_IN_ARP_REQUEST:
        return lflows_output(l);
    case STAGE_RTR_IN_IP_ROUTING_PRE:
        return lflows_actions(l, "reg7 = 0; next;");
    case STAGE_RTR_IN_POLICY: /* no group: a number there is still that of the route's */
        return lflows_actions(l, "reg8[0..15] = 0; next;");
    default:
        return lflows_next(l);
    }
}

/* SYM in one of the IPv4 networks. */
static struct expr *in_any(const struct lflow_out *l, enum symbol_id sym, size_t n,
                           const uint32_t (*networks)[2])
{
    struct expr *e = expr_false(l->e);
    for (size_t i = 0; i < n; i++)
        e = expr_or(l->e, e, expr_eq_prefix(l->e, sym, networks[i][0], networks[i][1]));
    return e;
}

static void drops(const struct lflow_out *l)
{
    lflows_emit(l, STAGE_RTR_IN_ADMISSION, 100,
                expr_any(l->e, expr_flag(l->e, SYM_VLAN_PRESENT, true),
                         expr_eq_bits(l->e, SYM_ETH_SRC, 40, 1, 1), NULL),
                lflows_drop(l));
    /* Addresses that may not stand in a packet on its way (RFC 1812 4.2.2.11, 5.3.7). */
    static const uint32_t src[][2] = {{0xe0000000, 4}, {0xffffffff, 32}, {0x7f000000, 8}, {0, 8}};
    static const uint32_t dst[][2] = {{0x7f000000, 8}, {0, 8}};
    lflows_emit(l, STAGE_RTR_IN_IP_INPUT, 100,
                expr_or(l->e, in_any(l, SYM_IP4_SRC, ARRAY_SIZE(src), src),
                        in_any(l, SYM_IP4_DST, ARRAY_SIZE(dst), dst)),
                lflows_drop(l));
    lflows_emit(l, STAGE_RTR_IN_IP_INPUT, 85,
                expr_any(l->e, expr_flag(l->e, SYM_ARP, true), expr_flag(l->e, SYM_ND, true), NULL),
                lflows_drop(l)); /* questions and answers end here */
    lflows_emit(l, STAGE_RTR_IN_IP_INPUT, 82,
                expr_any(l->e, expr_flag(l->e, SYM_IP4_MCAST, true),
                         expr_flag(l->e, SYM_IP6_MCAST, true), NULL),
                lflows_drop(l));
    /* RFC 1812 5.3.4: what came to all is not forwarded to one. */
    lflows_emit(l, STAGE_RTR_IN_IP_INPUT, 50, expr_flag(l->e, SYM_ETH_MCAST, true), lflows_drop(l));
    static const struct lflow_text others[] = {
        {STAGE_RTR_IN_IP_INPUT, 84, "nd_rs || nd_ra", "next;"}, /* ra.c */
        {STAGE_RTR_IN_IP_INPUT, 83, "ip6.mcast_rsvd", "drop;"},
        {STAGE_RTR_IN_IP_INPUT, 32,
         "ip.ttl == {0, 1} && !ip.later_frag && (ip4.mcast || ip6.mcast)", "drop;"},
        {STAGE_RTR_IN_IP_ROUTING, 10550, "nd_rs || nd_ra", "drop;"},
        {STAGE_RTR_IN_ARP_RESOLVE, 500, "ip4.mcast || ip6.mcast", "next;"},
    };
    lflows_emit_texts(l, others, ARRAY_SIZE(others));
    lflows_emit(l, STAGE_RTR_IN_IP_INPUT, 30, expr_in(l->e, SYM_IP_TTL, (u128[]){0, 1}, 2),
                lflows_drop(l));
}

static void resolve(const struct lflow_out *l)
{
    lflows_emit(
        l, STAGE_RTR_IN_ARP_RESOLVE, 1, expr_flag(l->e, SYM_IP4, true),
        actions_of(l->a, action_get_arp(l->a, SYM_OUTPORT, SYM_REG0), action_next(l->a), NULL));
    lflows_emit(
        l, STAGE_RTR_IN_ARP_RESOLVE, 1, expr_flag(l->e, SYM_IP6, true),
        actions_of(l->a, action_get_nd(l->a, SYM_OUTPORT, SYM_XXREG0), action_next(l->a), NULL));
}

/* MB-48 with SD-1: the question is for the next hop, from the router's own address on that port. */
static void ask(const struct lflow_out *l)
{
    struct actions *arp = actions_of(l->a, lflows_load_mac(l, SYM_ETH_DST, 0xffffffffffff),
                                     action_move(l->a, SYM_ARP_SPA, SYM_REG1),
                                     action_move(l->a, SYM_ARP_TPA, SYM_REG0),
                                     action_load(l->a, SYM_ARP_OP, 1), action_output(l->a), NULL);
    lflows_emit(l, STAGE_RTR_IN_ARP_REQUEST, 100,
                expr_and(l->e, expr_eq(l->e, SYM_ETH_DST, 0), expr_flag(l->e, SYM_IP4, true)),
                actions_of(l->a, action_nest(l->a, ACTION_ARP, arp), NULL));
    struct actions *nd =
        actions_of(l->a, action_move(l->a, SYM_ND_TARGET, SYM_XXREG0), action_output(l->a), NULL);
    lflows_emit(l, STAGE_RTR_IN_ARP_REQUEST, 100,
                expr_and(l->e, expr_eq(l->e, SYM_ETH_DST, 0), expr_flag(l->e, SYM_IP6, true)),
                actions_of(l->a, action_nest(l->a, ACTION_ND_NS, nd), NULL));
}

void router_defaults(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    struct lflow_out l = lflows_begin(ctx, p, key, NULL);
    for (enum stage stage = 0; stage < N_STAGES; stage++)
        if (stage_info(stage)->datapath == DATAPATH_ROUTER)
            lflows_emit(&l, stage, 0, expr_true(l.e), last_word(&l, stage));
    drops(&l);
    resolve(&l);
    ask(&l);
}
