/* delivery.c - the end of the router's egress pipeline: packets leave through ports that are enabled (room 3 of
 * docs/architecture.md).
 */
#include "northd/lflows.h"
#include "northd/router/router.h"

void router_delivery(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_lrp *lrp = inc_read_one(ctx, p->lrp_by_uuid, key);
    if (lrp->flags & PORT_DISABLED)
        return;
    struct lflow_out l = lflows_begin(ctx, p, &lrp->lr, &lrp->uuid);
    lflows_emit(&l, STAGE_RTR_OUT_DELIVERY, 100, lflows_outport(&l, lrp->name), lflows_output(&l));
}
