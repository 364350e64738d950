/* flows.c - the flows of a load balancer's VIPs on a datapath that has it (rooms 3 and 4 of docs/architecture.md). */
#include "northd/lb/lb.h"

/* Whether a flow that goes WHERE belongs on a datapath of this kind. */
static bool belongs(enum lb_where where, bool is_router, bool has_snat)
{
    switch (where) {
    case LB_SWITCH:
        return !is_router;
    case LB_ROUTER:
        return is_router;
    case LB_ROUTER_PLAIN:
        return is_router && !has_snat;
    default:
        return is_router && has_snat;
    }
}

static void tell_switch(struct inc_ctx *ctx, struct northd_program *p, const struct uuid *ls)
{
    struct fact_switch_has f;
    INC_CLEAR(f);
    f.ls = *ls;
    f.what = SWITCH_HAS_LB;
    inc_emit(ctx, p->switch_has, &f);
}

void lb_flows(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_lb_on *on = key;
    bool is_router = on->kind == DATAPATH_ROUTER;
    bool has_snat = is_router && inc_read_one(ctx, p->lb.snat_by_lr, &on->datapath);
    struct lflow_out l = lflows_begin(ctx, p, &on->datapath, &on->lb);
    struct inc_facts flows = inc_read(ctx, p->lb.flow_by_lb, &on->lb);
    const struct fact_lb_flow *f;
    if (flows.n) {
        struct fact_lb_datapath d;
        INC_CLEAR(d);
        d.datapath = on->datapath;
        d.kind = on->kind;
        inc_emit(ctx, p->lb.datapath, &d);
        if (!is_router)
            tell_switch(ctx, p, &on->datapath);
    }
    INC_FOR_EACH(f, flows)
    if (belongs(f->where, is_router, has_snat))
        lflows_emit(&l, f->stage, (unsigned)f->priority, expr_ref(f->match),
                    actions_ref(f->actions));
}
