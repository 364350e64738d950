/* gateway_facts.c - types of the facts of gateways, and their declarations; see gateway_facts.h (room 2 of docs/architecture.md). */
#include "northd/declare.h"
#include "northd/fact_type.h"
#include "northd/gateway/gateway.h"

FACT_COMPARE(gateway_router, uuid_compare(&a->lr, &b->lr),
             fact_compare_text(a->chassis, b->chassis))
FACT_TEXTS(gateway_router, chassis)
static void gateway_router_print(const void *fact, struct str *out)
{
    const struct fact_gateway_router *f = fact;
    fact_put_uuid(out, &f->lr);
    str_putf(out, " on %s", f->chassis->s);
}

FACT_COMPARE(gateway_port, uuid_compare(&a->lr, &b->lr), uuid_compare(&a->lrp, &b->lrp),
             fact_compare_text(a->lrp_name, b->lrp_name),
             fact_compare_text(a->redirect, b->redirect),
             uuid_compare(&a->redirect_id, &b->redirect_id), fact_compare_u64(a->mac, b->mac))
FACT_TEXTS(gateway_port, lrp_name, redirect)
static void gateway_port_print(const void *fact, struct str *out)
{
    str_put(out, ((const struct fact_gateway_port *)fact)->lrp_name->s);
}

FACT_COMPARE(gateway_reside, uuid_compare(&a->lrp, &b->lrp),
             fact_compare_text(a->redirect, b->redirect))
FACT_TEXTS(gateway_reside, redirect)

/* A row of HA_Chassis_Group comes before a port of the same name. */
FACT_COMPARE(ha_want, fact_compare_u64(a->is_port, b->is_port),
             uuid_compare(&a->source, &b->source), uuid_compare(&a->lr, &b->lr),
             fact_compare_text(a->name, b->name))
FACT_TEXTS(ha_want, name)
static void ha_want_print(const void *fact, struct str *out)
{
    str_put(out, ((const struct fact_ha_want *)fact)->name->s);
}

FACT_COMPARE(chassis_on, uuid_compare(&a->ls, &b->ls), uuid_compare(&a->chassis, &b->chassis))
FACT_COMPARE(ha_ref, uuid_compare(&a->group, &b->group), uuid_compare(&a->chassis, &b->chassis))

FACT_COMPARE(ha_group, uuid_compare(&a->sb, &b->sb), fact_compare_text(a->name, b->name),
             fact_compare_u64(a->members[0], b->members[0]),
             fact_compare_u64(a->members[1], b->members[1]))
FACT_TEXTS(ha_group, name)
static void ha_group_print(const void *fact, struct str *out)
{
    str_put(out, ((const struct fact_ha_group *)fact)->name->s);
}

FACT_COMPARE(ha_member, uuid_compare(&a->group, &b->group), uuid_compare(&a->sb, &b->sb),
             fact_compare_text(a->name, b->name), uuid_compare(&a->chassis, &b->chassis),
             fact_compare_u64(a->priority, b->priority))
FACT_TEXTS(ha_member, name)
static void ha_member_print(const void *fact, struct str *out)
{
    const struct fact_ha_member *f = fact;
    str_putf(out, "%s priority %llu", f->name->s, (unsigned long long)f->priority);
}

FACT_TYPE(gateway_router, gateway_router_print);
FACT_TYPE(gateway_port, gateway_port_print);
FACT_TYPE(gateway_reside, NULL);
FACT_TYPE(ha_want, ha_want_print);
FACT_TYPE_PLAIN(chassis_on, NULL);
FACT_TYPE_PLAIN(ha_ref, NULL);
FACT_TYPE(ha_group, ha_group_print);
FACT_TYPE(ha_member, ha_member_print);

static void declare_inputs(struct northd_program *p)
{
    struct inc_program *g = p->inc;
    struct gateway_facts *f = &p->gateway;
    f->in_chassis = program_rows(p, "Gateway_Chassis");
    f->in_chassis_by_uuid = BY_UUID(f->in_chassis, feed_row, uuid);
    f->in_lrp_chassis =
        program_elements(p, "Logical_Router_Port", "gateway_chassis", &feed_ref_type);
    f->in_lrp_chassis_by_lrp = BY_UUID(f->in_lrp_chassis, feed_ref, row);
    f->in_ha_chassis = program_rows(p, "HA_Chassis");
    f->in_ha_chassis_by_uuid = BY_UUID(f->in_ha_chassis, feed_row, uuid);
    f->in_ha_group = program_rows(p, "HA_Chassis_Group");
    f->in_ha_group_by_uuid = BY_UUID(f->in_ha_group, feed_row, uuid);
    f->in_ha_group_chassis = program_elements(p, "HA_Chassis_Group", "ha_chassis", &feed_ref_type);
    f->in_ha_group_chassis_by_group = BY_UUID(f->in_ha_group_chassis, feed_ref, row);
}

void gateway_declare_facts(struct northd_program *p)
{
    struct inc_program *g = p->inc;
    struct gateway_facts *f = &p->gateway;
    declare_inputs(p);
    f->router = inc_derived(g, "gateway_router", &northd_type_gateway_router);
    f->router_by_lr = BY_UUID(f->router, fact_gateway_router, lr);
    f->port = inc_derived(g, "gateway_port", &northd_type_gateway_port);
    f->port_by_lrp = BY_UUID(f->port, fact_gateway_port, lrp);
    f->port_by_lr = BY_UUID(f->port, fact_gateway_port, lr);
    f->reside = inc_derived(g, "gateway_reside", &northd_type_gateway_reside);
    f->reside_by_lrp = BY_UUID(f->reside, fact_gateway_reside, lrp);
    f->ha_want = inc_derived(g, "ha_want", &northd_type_ha_want);
    f->ha_want_by_name = BY_NAME(f->ha_want, fact_ha_want, name);
    f->ha_group = inc_derived(g, "ha_group", &northd_type_ha_group);
    f->chassis_on = inc_derived(g, "chassis_on", &northd_type_chassis_on);
    f->chassis_on_by_ls = BY_UUID(f->chassis_on, fact_chassis_on, ls);
    f->ha_ref = inc_derived(g, "ha_ref", &northd_type_ha_ref);
    f->ha_ref_by_group = BY_UUID(f->ha_ref, fact_ha_ref, group);
    f->ha_member = inc_derived(g, "ha_member", &northd_type_ha_member);
    f->ha_member_by_group = BY_UUID(f->ha_member, fact_ha_member, group);
}

void gateway_declare_units(struct northd_program *p)
{
    struct inc_program *g = p->inc;
    struct gateway_facts *f = &p->gateway;
    UNIT("gateway: routers", p->in_lr_by_uuid, gateway_router, READS(p->in_lr), f->router);
    UNIT("gateway: ports", p->lrp_by_uuid, gateway_port,
         READS(p->lrp, p->lsp, p->in_lrp, f->router, f->in_ha_group), f->port, f->ha_want,
         p->want_key);
    UNIT("gateway: reside", p->link_by_lrp, gateway_reside,
         READS(p->link, p->lsp, p->in_lrp, f->port), f->reside);
    UNIT("gateway: chassis of switches", p->bound_by_port, gateway_chassis_on,
         READS(p->bound, p->lsp), f->chassis_on);
    UNIT("gateway: groups of chassis", f->ha_want_by_name, gateway_ha_group,
         READS(f->ha_want, f->in_lrp_chassis, f->in_chassis, f->in_ha_group_chassis,
               f->in_ha_chassis, p->chassis, p->link, f->chassis_on),
         f->ha_group, f->ha_member, f->ha_ref);
}

void gateway_declare_flows(struct northd_program *p)
{
    struct inc_program *g = p->inc;
    UNIT("gateway: mtu", p->lrp_by_uuid, gateway_mtu, READS(p->lrp, p->in_lrp, p->network),
         p->lflow);
    UNIT("gateway: larger", p->lrp_by_uuid, gateway_larger, READS(p->lrp, p->network), p->lflow);
    UNIT("gateway: redirect", p->gateway.port_by_lrp, gateway_redirect,
         READS(p->gateway.port, p->in_lrp), p->lflow);
}
