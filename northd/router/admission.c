/* admission.c - a router takes frames that are addressed to the port that they arrive on, or to a group (room 3 of
 * docs/architecture.md); through a distributed gateway port on its chassis only. A disabled router or port takes none.
 */
#include "northd/gateway/gateway.h"
#include "northd/lflows.h"
#include "northd/router/router.h"

void router_admission(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_lrp *lrp = inc_read_one(ctx, p->lrp_by_uuid, key);
    const struct fact_datapath *lr = inc_read_one(ctx, p->datapath_by_uuid, &lrp->lr);
    if (!lr || lr->flags & DATAPATH_DISABLED || lrp->flags & PORT_DISABLED)
        return;
    struct lflow_out l = lflows_begin(ctx, p, &lrp->lr, &lrp->uuid);
    struct expr *unicast =
        expr_and(l.e, expr_eq(l.e, SYM_ETH_DST, lrp->mac), lflows_inport(&l, lrp->name));
    lflows_emit(&l, STAGE_RTR_IN_ADMISSION, 50,
                gateway_only_at(l.e, unicast, gateway_resident(ctx, p, &lrp->uuid, false)),
                actions_join(gateway_check_length(&l, lrp->mtu), lflows_admit(&l, lrp->mac)));
    lflows_emit(&l, STAGE_RTR_IN_ADMISSION, 50,
                expr_and(l.e, expr_flag(l.e, SYM_ETH_MCAST, true), lflows_inport(&l, lrp->name)),
                actions_join(gateway_check_length(&l, lrp->mtu), lflows_admit(&l, lrp->mac)));
    struct expr *bypass = gateway_mtu_bypass(ctx, p, lrp);
    if (!bypass)
        return;
    unicast = expr_and(l.e, expr_eq(l.e, SYM_ETH_DST, lrp->mac), lflows_inport(&l, lrp->name));
    unicast = gateway_only_at(l.e, unicast, gateway_resident(ctx, p, &lrp->uuid, false));
    lflows_emit(&l, STAGE_RTR_IN_ADMISSION, 55, expr_and(l.e, unicast, bypass),
                lflows_admit(&l, lrp->mac));
}
