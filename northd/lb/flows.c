/* flows.c - the flows of a load balancer's VIPs on a router that has it, and on its class of switches (rooms 3 and 4 of
 * docs/architecture.md). */
#include "northd/classes.h"
#include "northd/gateway/gateway.h"
#include "northd/lb/lb.h"

/* Whether a flow that goes WHERE belongs on a router. */
static bool belongs(enum lb_where where, bool has_snat)
{
    switch (where) {
    case LB_ROUTER:
        return true;
    case LB_ROUTER_PLAIN:
        return !has_snat;
    case LB_ROUTER_FORCE_SNAT:
        return has_snat;
    default: /* LB_SWITCH, LB_GATEWAY_PORT */
        return false;
    }
}

/* On a router with distributed gateway ports connections are translated where one of those is: there they come back. */
static struct expr *at_gateways(struct inc_ctx *ctx, const struct lflow_out *l,
                                const struct fact_lb_flow *f)
{
    const struct fact_gateway_port *port;
    struct expr *here = NULL;
    if (f->stage == STAGE_RTR_IN_DNAT || f->stage == STAGE_RTR_IN_LB_AFF_CHECK)
        INC_FOR_EACH(port, inc_read(ctx, l->p->gateway.port_by_lr, &l->datapath))
        {
            struct expr *one = expr_resident(l->e, port->redirect->s, false);
            here = here ? expr_or(l->e, here, one) : one;
        }
    return here ? expr_and(l->e, expr_ref(f->match), here) : expr_ref(f->match);
}

static void at_gateway_ports(struct inc_ctx *ctx, const struct lflow_out *l,
                             const struct fact_lb_flow *f)
{
    const struct fact_gateway_port *port;
    INC_FOR_EACH(port, inc_read(ctx, l->p->gateway.port_by_lr, &l->datapath))
    lflows_emit(l, f->stage, (unsigned)f->priority,
                expr_all(l->e, expr_ref(f->match), lflows_outport(l, port->lrp_name),
                         expr_resident(l->e, port->redirect->s, false), NULL),
                actions_ref(f->actions));
}

static bool forces_snat(struct inc_ctx *ctx, struct northd_program *p, const struct uuid *lr)
{
    const struct fact_force_snat *f;
    INC_FOR_EACH(f, inc_read(ctx, p->nat.force_snat_by_lr, lr))
    if (f->what == FORCE_SNAT_LB)
        return true;
    return false;
}

/* What other rooms want to know of a router with a VIP. */
static void tell(struct inc_ctx *ctx, struct northd_program *p, const struct fact_lb_on *on)
{
    struct fact_lb_datapath d;
    INC_CLEAR(d);
    d.datapath = on->lr;
    d.kind = DATAPATH_ROUTER;
    inc_emit(ctx, p->lb.datapath, &d);
    inc_emit(ctx, p->nat.translates, &(struct fact_translates){on->lr});
    const struct fact_lb_vip *vip;
    INC_FOR_EACH(vip, inc_read(ctx, p->lb.vip_by_lb, &on->lb))
    {
        struct fact_lb_router_vip f;
        INC_CLEAR(f);
        f.lr = on->lr;
        f.ip = vip->ip;
        inc_emit(ctx, p->lb.router_vip, &f);
    }
}

void lb_router_flows(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_lb_on *on = key;
    bool has_snat = forces_snat(ctx, p, &on->lr);
    struct lflow_out l = lflows_begin(ctx, p, &on->lr, &on->lb);
    struct inc_facts flows = inc_read(ctx, p->lb.flow_by_lb, &on->lb);
    const struct fact_lb_flow *f;
    if (flows.n)
        tell(ctx, p, on);
    INC_FOR_EACH(f, flows)
    {
        if (belongs(f->where, has_snat))
            lflows_emit(&l, f->stage, (unsigned)f->priority, at_gateways(ctx, &l, f),
                        actions_ref(f->actions));
        else if (f->where == LB_GATEWAY_PORT)
            at_gateway_ports(ctx, &l, f);
    }
}

void lb_switch_flows(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_lb_place *place = inc_read_one(ctx, p->lb.place_by_lb, key);
    struct lflow_out l = classes_begin_at(ctx, p, &place->at, key);
    struct inc_facts flows = inc_read(ctx, p->lb.flow_by_lb, key);
    const struct fact_lb_flow *f;
    if (flows.n)
        inc_emit(ctx, p->lb.balanced, &(struct fact_lb_balanced){place->at});
    INC_FOR_EACH(f, flows)
    if (f->where == LB_SWITCH)
        lflows_emit(&l, f->stage, (unsigned)f->priority, expr_ref(f->match),
                    actions_ref(f->actions));
}
