/* declare.c - the collections and compile units of load balancers, in order (rooms 1 to 4 of docs/architecture.md). */
#include "northd/declare.h"
#include "northd/lb/lb.h"

static void switch_key(const void *fact, struct inc_keys *keys, void *aux UNUSED)
{
    const struct fact_lb_datapath *f = fact;
    if (f->kind == DATAPATH_SWITCH)
        inc_key_add(keys, &f->datapath);
}

static void router_key(const void *fact, struct inc_keys *keys, void *aux UNUSED)
{
    const struct fact_lb_datapath *f = fact;
    if (f->kind == DATAPATH_ROUTER)
        inc_key_add(keys, &f->datapath);
}

static struct inc_index *each(struct inc_program *g, struct inc_coll *coll,
                              const struct inc_type *type)
{
    return inc_index_field(g, coll, "each", type, 0);
}

static void declare_inputs(struct northd_program *p, struct lb_facts *f)
{
    struct inc_program *g = p->inc;
    f->in_lb = program_rows(p, "Load_Balancer");
    f->in_lb_by_uuid = BY_UUID(f->in_lb, feed_row, uuid);
    f->in_vip = program_elements(p, "Load_Balancer", "vips", &feed_pair_type);
    f->in_vip_each = each(g, f->in_vip, &feed_pair_type);
    f->in_ls_lb = program_elements(p, "Logical_Switch", "load_balancer", &feed_ref_type);
    f->in_ls_lb_each = each(g, f->in_ls_lb, &feed_ref_type);
    f->in_lr_lb = program_elements(p, "Logical_Router", "load_balancer", &feed_ref_type);
    f->in_lr_lb_each = each(g, f->in_lr_lb, &feed_ref_type);
    f->in_ls_group = program_elements(p, "Logical_Switch", "load_balancer_group", &feed_ref_type);
    f->in_ls_group_each = each(g, f->in_ls_group, &feed_ref_type);
    f->in_lr_group = program_elements(p, "Logical_Router", "load_balancer_group", &feed_ref_type);
    f->in_lr_group_each = each(g, f->in_lr_group, &feed_ref_type);
    f->in_group_lb = program_elements(p, "Load_Balancer_Group", "load_balancer", &feed_ref_type);
    f->in_group_lb_by_group = BY_UUID(f->in_group_lb, feed_ref, row);
    f->in_group_lb_by_lb = BY_UUID(f->in_group_lb, feed_ref, to);
    f->in_ls_lb_by_lb = BY_UUID(f->in_ls_lb, feed_ref, to);
}

void lb_declare_facts(struct northd_program *p)
{
    struct inc_program *g = p->inc;
    struct lb_facts *f = &p->lb;
    declare_inputs(p, f);
    lb_health_declare_facts(p);
    f->lb = inc_derived(g, "lb", &northd_type_lb);
    f->lb_by_uuid = BY_UUID(f->lb, fact_lb, uuid);
    f->vip = inc_derived(g, "lb_vip", &northd_type_lb_vip);
    f->vip_by_lb = BY_UUID(f->vip, fact_lb_vip, lb);
    f->flow = inc_derived(g, "lb_flow", &northd_type_lb_flow);
    f->flow_by_lb = BY_UUID(f->flow, fact_lb_flow, lb);
    f->on = inc_derived(g, "lb_on", &northd_type_lb_on);
    f->on_each = inc_index_self(g, f->on, "each");
    f->place = inc_derived(g, "lb_place", &northd_type_lb_place);
    f->place_by_lb = BY_UUID(f->place, fact_lb_place, lb);
    f->mixed = inc_derived(g, "lb_mixed", &feed_ref_type);
    f->mixed_by_group = BY_UUID(f->mixed, feed_ref, row);
    f->member = inc_derived(g, "lb_member", &northd_type_class_member);
    f->member_by_class = BY_UUID(f->member, fact_class_member, id);
    f->member_by_switch = BY_UUID(f->member, fact_class_member, datapath);
    f->balanced = inc_derived(g, "lb_balanced", &northd_type_lb_balanced);
    f->balanced_by_class = BY_UUID(f->balanced, fact_lb_balanced, at);
    f->sum = inc_derived(g, "lb_sum", &northd_type_lb_sum);
    f->sum_by_class = BY_UUID(f->sum, fact_lb_sum, at);
    f->datapath = inc_derived(g, "lb_datapath", &northd_type_lb_datapath);
    f->datapath_by_switch = inc_index_fn(g, f->datapath, "switch", &feed_uuid_type, switch_key);
    f->datapath_by_router = inc_index_fn(g, f->datapath, "router", &feed_uuid_type, router_key);
    f->router_vip = inc_derived(g, "lb_router_vip", &northd_type_lb_router_vip);
    f->router_vip_each = each(g, f->router_vip, &northd_type_lb_router_vip);
    f->binding = inc_derived(g, "lb_binding", &northd_type_lb_binding);
}

void lb_declare_units(struct northd_program *p)
{
    struct inc_program *g = p->inc;
    struct lb_facts *f = &p->lb;
    UNIT("lb: rows", f->in_lb_by_uuid, lb_row, READS(f->in_lb), f->lb);
    lb_health_declare_checks(p);
    UNIT("lb: VIPs", f->in_vip_each, lb_vip,
         READS(f->lb, p->in_option, p->lsp, f->health.check, f->health.mapping, f->health.offline),
         f->vip, f->flow, f->health.want, p->complaint);
    lb_health_declare_monitors(p);
    UNIT("lb: places", f->in_lb_by_uuid, lb_place, READS(f->in_ls_lb, f->in_group_lb), f->place,
         f->mixed);
    UNIT("lb: on switches", f->in_ls_lb_each, lb_on_switch, READS(f->in_ls_lb), f->member);
    UNIT("lb: on routers", f->in_lr_lb_each, lb_on_router, READS(f->in_lr_lb), f->on);
    UNIT("lb: groups on switches", f->in_ls_group_each, lb_on_switch_group, READS(f->mixed),
         f->member);
    UNIT("lb: groups on routers", f->in_lr_group_each, lb_on_router_group, READS(f->in_group_lb),
         f->on);
    UNIT("lb: classes", f->member_by_class, lb_sum, READS(f->member), f->sum);
    UNIT("lb: bindings", f->in_lb_by_uuid, lb_binding, READS(f->in_lb, f->place, f->sum),
         f->binding);
    UNIT("lb: router flows", f->on_each, lb_router_flows,
         READS(f->flow, f->vip, p->nat.force_snat, p->gateway.port), f->datapath, f->router_vip,
         p->nat.translates, p->lflow);
    UNIT("lb: switch flows", f->place_by_lb, lb_switch_flows, READS(f->place, f->flow), f->balanced,
         p->class_flow);
    UNIT("lb: switches that balance", f->member_by_switch, lb_balances,
         READS(f->member, f->balanced), f->datapath, p->switch_has);
}

void lb_declare_flows(struct northd_program *p)
{
    struct inc_program *g = p->inc;
    struct lb_facts *f = &p->lb;
    lb_health_declare_flows(p);
    UNIT("lb: switches", p->class_each[CLASS_LB], lb_switch, READS(p->class_member), p->class_flow);
    UNIT("lb: switch ports", p->lsp_that.is_outer, lb_switch_port,
         READS(p->lsp, f->datapath, p->switch_has), p->lflow);
    UNIT("lb: routers", f->datapath_by_router, lb_router, READS(f->datapath), p->lflow);
    UNIT("lb: announced VIPs", f->router_vip_each, lb_router_announce,
         READS(f->router_vip, p->nat.announcer), p->port_nat);
    UNIT("lb: router ARP", f->on_each, lb_router_arp,
         READS(f->on, f->lb, f->vip, p->lrp, p->plen, p->network, p->gateway.port,
               p->gateway.reside),
         p->lflow);
}
