/* connections.c - what every router that keeps track of connections does, whatever its rules (room 3 of docs/architecture.md;
 * ovn-northd(8), Check DNAT local, UNDNAT, Post UNDNAT, SNAT). On a gateway router every packet on its way out is
 * looked up, so that the answers of a DNAT connection get their old source back, and new connections are committed.
 */
#include "northd/nat/nat.h"

void nat_connections(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    static const struct lflow_text all[] = {
        {STAGE_RTR_OUT_CHK_DNAT_LOCAL, 50, "ip && ct_mark.natted == 1", "reg9[4] = 1; next;"},
        {STAGE_RTR_OUT_SNAT, 120, "nd_ns", "next;"},
    };
    static const struct lflow_text gateway[] = {
        {STAGE_RTR_OUT_UNDNAT, 100, "nd || nd_rs || nd_ra", "next;"},
        {STAGE_RTR_OUT_UNDNAT, 50, "ip", "flags.loopback = 1; ct_dnat;"},
        {STAGE_RTR_OUT_POST_UNDNAT, 50, "ip && ct.new", "ct_commit { }; next;"},
    };
    struct lflow_out l = lflows_begin(ctx, p, key, NULL);
    lflows_emit_texts(&l, all, ARRAY_SIZE(all));
    if (inc_read_one(ctx, p->gateway.router_by_lr, key))
        lflows_emit_texts(&l, gateway, ARRAY_SIZE(gateway));
}
