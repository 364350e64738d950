/* external.c - the addresses that a router has by NAT (room 3 of docs/architecture.md; ovn-northd(8), IP Input, UNSNAT, ARP/ND
 * Resolution, Check DNAT local, Egress Loopback): it answers for them, takes answers to connections that left with them
 * back, and lets its own packets to them turn round at the gateway port as if they had come from outside.
 *
 * Rules that share an address share these flows.
 */
#include "northd/nat/nat.h"

/* An ARP or ND request for the address. */
static struct expr *request(const struct lflow_out *l, const struct address *a)
{
    if (a->version == 6)
        return lflows_solicits(l, a);
    return expr_and(l->e, expr_eq(l->e, SYM_ARP_OP, 1),
                    expr_eq(l->e, SYM_ARP_TPA, address_value(a)));
}

static struct actions *answer(const struct lflow_out *l, const struct address *a, uint64_t mac)
{
    return a->version == 6 ? lflows_nd_reply(l, ACTION_ND_NA, mac, a) : lflows_arp_reply(l, mac, a);
}

/* At a gateway port only the chassis in charge answers; through other ports any. */
static void respond(const struct lflow_out *l, const struct fact_nat_address *f)
{
    const struct address *a = &f->key.address;
    lflows_emit(l, STAGE_RTR_IN_IP_INPUT, 90, request(l, a), answer(l, a, 0));
    if (!f->port)
        return;
    struct expr *asked = expr_and(l->e, lflows_inport(l, f->port), request(l, a));
    lflows_emit(l, STAGE_RTR_IN_IP_INPUT, 91, expr_ref(asked), lflows_drop(l));
    lflows_emit(l, STAGE_RTR_IN_IP_INPUT, 92,
                expr_and(l->e, asked, expr_resident(l->e, f->resident->s, false)),
                answer(l, a, f->mac));
}

static void unsnat_at_port(const struct lflow_out *l, const struct fact_nat_address *f,
                           struct expr *to)
{
    bool stateless = f->flags & NAT_STATELESS, distributed = f->flags & NAT_DISTRIBUTED;
    to = expr_and(l->e, to, lflows_inport(l, f->port));
    struct expr *here = distributed ? expr_true(l->e) : expr_resident(l->e, f->resident->s, false);
    lflows_emit(
        l, STAGE_RTR_IN_UNSNAT, 100,
        expr_all(l->e, expr_ref(to), lflows_match(l, "flags.loopback == 0"), expr_ref(here), NULL),
        lflows_actions(l, stateless ? "next;" : "ct_snat_in_czone;"));
    if (!stateless)
        lflows_emit(l, STAGE_RTR_IN_UNSNAT, 100,
                    expr_all(l->e, expr_ref(to),
                             lflows_match(l, "flags.loopback == 1 && flags.use_snat_zone == 1"),
                             expr_ref(here), NULL),
                    lflows_actions(l, "ct_snat;"));
    expr_unref(to);
    expr_unref(here);
}

static void unsnat(const struct lflow_out *l, const struct fact_nat_address *f)
{
    if (!(f->type & NAT_SNAT))
        return;
    struct expr *to =
        expr_and(l->e, expr_flag(l->e, SYM_IP, true), lflows_ip_dst(l, &f->key.address));
    if (f->port)
        unsnat_at_port(l, f, to);
    else
        lflows_emit(l, STAGE_RTR_IN_UNSNAT, 90, to,
                    lflows_actions(l, f->flags & NAT_STATELESS ? "next;" : "ct_snat;"));
}

/* Egress loopback: what leaves by the gateway port for an address of the router's comes in again there. */
static void loop(const struct lflow_out *l, const struct fact_nat_address *f)
{
    const struct address *a = &f->key.address;
    struct expr *here = expr_resident(l->e, f->resident->s, false);
    lflows_emit(
        l, STAGE_RTR_OUT_EGR_LOOP, 100,
        expr_all(l->e, lflows_ip_dst(l, a), lflows_outport(l, f->port), expr_ref(here), NULL),
        lflows_actions(l,
                       "clone { ct_clear; inport = outport; outport = \"\"; eth.dst <-> eth.src; "
                       "flags = 0; flags.loopback = 1; flags.use_snat_zone = reg9[4]; reg0 = 0; "
                       "reg1 = 0; reg2 = 0; reg3 = 0; reg4 = 0; reg5 = 0; reg6 = 0; reg7 = 0; "
                       "reg8 = 0; reg9 = 0; reg9[0] = 1; next(pipeline=ingress, table=0); };"));
    lflows_emit(l, STAGE_RTR_OUT_CHK_DNAT_LOCAL, 50,
                expr_all(l->e, expr_flag(l->e, SYM_IP, true), lflows_ip_dst(l, a), here, NULL),
                lflows_actions(l, "reg9[4] = 1; next;"));
}

static void at_port(const struct lflow_out *l, const struct fact_nat_address *f)
{
    const struct address *a = &f->key.address;
    if (f->type == NAT_SNAT) /* what turned round has it as its source: no impostor */
        lflows_emit(l, STAGE_RTR_IN_IP_INPUT, 120,
                    expr_and(l->e, lflows_inport(l, f->port), lflows_ip_src(l, a)), lflows_next(l));
    lflows_emit(l, STAGE_RTR_IN_ARP_RESOLVE, 150,
                expr_all(l->e, lflows_inport(l, f->port), lflows_outport(l, f->port),
                         lflows_ip_dst(l, a), NULL),
                lflows_drop(l)); /* nobody translated it: it would go round for ever */
    lflows_emit(l, STAGE_RTR_IN_ARP_RESOLVE, 100,
                expr_and(l->e, lflows_outport(l, f->port), lflows_next_hop(l, a)),
                actions_of(l->a, lflows_load_mac(l, SYM_ETH_DST, f->mac ? f->mac : f->port_mac),
                           action_next(l->a), NULL));
    loop(l, f);
}

/* An answer to a question that a distributed rule's chassis asked in its name (router/neighbor.c has the port's own). */
static void learn(const struct lflow_out *l, const struct fact_nat_address *f)
{
    if (!(f->flags & NAT_DISTRIBUTED) || f->key.address.version == 6)
        return;
    lflows_emit(l, STAGE_RTR_IN_LOOKUP_NEIGHBOR, 110,
                expr_all(l->e, lflows_inport(l, f->port), expr_eq(l->e, SYM_ARP_OP, 2),
                         expr_eq(l->e, SYM_ETH_DST, f->mac),
                         expr_eq(l->e, SYM_ARP_TPA, address_value(&f->key.address)), NULL),
                lflows_actions(l, "reg9[2] = lookup_arp(inport, arp.spa, arp.sha); reg9[3] = 1; "
                                  "next;"));
}

void nat_external(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_nat_address *f;
    struct lflow_out l = lflows_begin(ctx, p, &((const struct key_nat_address *)key)->lr, NULL);
    INC_FOR_EACH(f, inc_read(ctx, p->nat.address_each, key))
    {
        respond(&l, f);
        unsnat(&l, f);
        if (f->port)
            at_port(&l, f);
        learn(&l, f);
    }
}

bool nat_shares_address(struct inc_ctx *ctx, struct northd_program *p, const struct uuid *lr,
                        const struct address *address)
{
    struct key_nat_address key;
    INC_CLEAR(key);
    key.lr = *lr;
    key.address = *address;
    const struct fact_nat_address *a;
    INC_FOR_EACH(a, inc_read(ctx, p->nat.address_each, &key))
    if (a->type & NAT_SNAT)
        return true;
    const struct fact_force_snat *f;
    INC_FOR_EACH(f, inc_read(ctx, p->nat.force_snat_by_lr, lr))
    if (!f->address.version || !address_compare(&f->address, address))
        return true;
    return false;
}
