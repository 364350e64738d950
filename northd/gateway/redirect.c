/* redirect.c - what leaves through a distributed gateway port goes to the chassis where the port is resident (room 3 of
 * docs/architecture.md; ovn-northd(8), Gateway Redirect). What need not is let pass above, at higher priority (nat/).
 */
#include "northd/gateway/gateway.h"
#include <string.h>

#include "northd/lflows.h"
#include "rows/nb.h"

void gateway_redirect(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_gateway_port *port = inc_read_one(ctx, p->gateway.port_by_lrp, key);
    struct lflow_out l = lflows_begin(ctx, p, &port->lr, &port->lrp);
    lflows_emit(&l, STAGE_RTR_IN_GW_REDIRECT, 50, lflows_outport(&l, port->lrp_name),
                actions_of(l.a, action_load_name(l.a, SYM_OUTPORT, port->redirect),
                           action_next(l.a), NULL));
    const struct feed_row *row = inc_read_one(ctx, p->in_lrp_by_uuid, key);
    const char *how = nb_logical_router_port_options_value(nb_logical_router_port_cast(row->row),
                                                           "redirect-type");
    if (how && !strcmp(how, "bridged")) /* the frame goes to the port's chassis, who resolves */
        lflows_emit(
            &l, STAGE_RTR_IN_ARP_RESOLVE, 50,
            expr_and(l.e, lflows_outport(&l, port->lrp_name),
                     expr_resident(l.e, port->redirect->s, true)),
            actions_of(l.a, lflows_load_mac(&l, SYM_ETH_DST, port->mac), action_next(l.a), NULL));
}
