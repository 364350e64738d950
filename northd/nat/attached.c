/* attached.c - the switch of a distributed gateway port knows the MAC addresses of distributed NAT rules (room 3 of
 * docs/architecture.md; ovn-northd(8), Destination Lookup): frames to one go to the router on the chassis of the rule's
 * logical port, and questions from one go to ports that are no routers, as the router's own do.
 */
#include "northd/nat/nat.h"

void nat_attached(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_nat_distributed *nat = inc_read_one(ctx, p->nat.distributed_each, key);
    const struct fact_link *link = inc_read_one(ctx, p->link_by_lrp_name, &nat->port);
    if (!link || !uuid_equal(&link->lr, &nat->lr))
        return;
    struct fact_group flood;
    INC_CLEAR(flood);
    flood.datapath = link->ls;
    flood.group = GROUP_FLOOD_L2;
    struct lflow_out l = lflows_begin(ctx, p, &link->ls, &link->lsp);
    lflows_emit(&l, STAGE_SW_IN_L2_LKUP, 50,
                expr_and(l.e, expr_eq(l.e, SYM_ETH_DST, nat->mac),
                         expr_resident(l.e, nat->logical_port->s, false)),
                lflows_output_port(&l, link->lsp_name));
    lflows_emit(&l, STAGE_SW_IN_L2_LKUP, 75,
                expr_and(l.e, expr_eq(l.e, SYM_ETH_SRC, nat->mac),
                         lflows_match(&l, "arp.op == 1 || rarp.op == 3 || nd_ns")),
                inc_read_one(ctx, p->group_each, &flood)
                    ? lflows_output_to(&l, group_name(GROUP_FLOOD_L2))
                    : lflows_drop(&l));
}
