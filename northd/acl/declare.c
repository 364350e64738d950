/* declare.c - the room's inputs, facts, indexes and compile units (rooms 1 to 3 of docs/architecture.md); see acl.h. */
#include "northd/declare.h"
#include "northd/acl/acl.h"

static void declare_inputs(struct northd_program *p)
{
    struct inc_program *g = p->inc;
    struct acl_room *r = &p->acl;
    r->in_acl = program_rows(p, "ACL");
    r->in_acl_by_uuid = BY_UUID(r->in_acl, feed_row, uuid);
    r->in_ls_acl = program_elements(p, "Logical_Switch", "acls", &feed_ref_type);
    r->in_ls_acl_by_acl = BY_UUID(r->in_ls_acl, feed_ref, to);
    r->in_group = program_rows(p, "Port_Group");
    r->in_group_by_uuid = BY_UUID(r->in_group, feed_row, uuid);
    r->in_group_port = program_elements(p, "Port_Group", "ports", &feed_ref_type);
    r->in_group_port_by_port = BY_UUID(r->in_group_port, feed_ref, to);
    r->in_group_acl = program_elements(p, "Port_Group", "acls", &feed_ref_type);
    r->in_group_acl_by_acl = BY_UUID(r->in_group_acl, feed_ref, to);
    r->in_meter = program_rows(p, "Meter");
    r->in_meter_by_uuid = BY_UUID(r->in_meter, feed_row, uuid);
    r->in_band = program_rows(p, "Meter_Band");
    r->in_band_by_uuid = BY_UUID(r->in_band, feed_row, uuid);
    r->in_set = program_rows(p, "Address_Set");
    r->in_set_by_uuid = BY_UUID(r->in_set, feed_row, uuid);
    r->in_address = program_elements(p, "Address_Set", "addresses", &feed_text_type);
    r->in_address_by_owner = BY_UUID(r->in_address, feed_text, row);
}

void acl_declare(struct northd_program *p)
{
    struct inc_program *g = p->inc;
    struct acl_room *r = &p->acl;
    declare_inputs(p);
    r->acl = inc_derived(g, "acl", &northd_type_acl);
    r->acl_by_uuid = BY_UUID(r->acl, fact_acl, uuid);
    r->acl_on = inc_derived(g, "acl_on", &northd_type_acl_on);
    r->acl_on_each = inc_index_field(g, r->acl_on, "each", &northd_key_acl_on, 0);
    r->acl_on_by_has = inc_index_fn(g, r->acl_on, "has", &northd_type_switch_has, acl_has_key);
    r->acl_at = inc_derived(g, "acl_at", &northd_type_acl_on);
    r->acl_at_each = inc_index_field(g, r->acl_at, "each", &northd_key_acl_on, 0);
    r->acl_at_by_has = inc_index_fn(g, r->acl_at, "has", &northd_type_switch_has, acl_has_key);
    r->group_has = inc_derived(g, "group_has", &northd_type_switch_has);
    r->group_has_by_group = BY_UUID(r->group_has, fact_switch_has, ls);
    r->group_class = inc_derived(g, "group_class", &northd_type_group_class);
    r->group_class_by_group = BY_UUID(r->group_class, fact_group_class, group);
    r->member = inc_derived(g, "acl_member", &northd_type_class_member);
    r->member_by_class = inc_index_host(g, r->member, "class", &feed_uuid_type,
                                        offsetof(struct fact_class_member, id));
    r->port_group = inc_derived(g, "port_group", &northd_type_port_group);
    r->port_group_by_uuid = BY_UUID(r->port_group, fact_port_group, uuid);
    r->group_port = inc_derived(g, "group_port", &northd_type_group_port);
    r->group_port_by_port = BY_UUID(r->group_port, fact_group_port, port);
    r->group_port_by_switch =
        inc_index_field(g, r->group_port, "switch", &northd_type_group_switch, 0);
    r->group_switch = inc_derived(g, "group_switch", &northd_type_group_switch);
    r->group_switch_by_group = BY_UUID(r->group_switch, fact_group_switch, group);
    r->group_switch_each =
        inc_index_field(g, r->group_switch, "each", &northd_type_group_switch, 0);
    r->fair_meter = inc_derived(g, "fair_meter", &feed_text_type);
    r->fair_meter_by_name = BY_NAME(r->fair_meter, feed_text, text);
    r->meter = inc_derived(g, "meter", &northd_type_meter);
    r->meter_band = inc_derived(g, "meter_band", &northd_type_meter_band);
    r->set_named = inc_derived(g, "set_named", &feed_text_type);
    r->set_named_by_uuid = BY_UUID(r->set_named, feed_text, row);
    r->set_named_by_name = BY_NAME(r->set_named, feed_text, text);
    r->set = inc_derived(g, "set", &northd_type_set);
    r->set_element = inc_derived(g, "set_element", &feed_text_type);
    r->set_element_by_owner = BY_UUID(r->set_element, feed_text, row);
}

static void declare_sets(struct northd_program *p)
{
    struct inc_program *g = p->inc;
    struct acl_room *r = &p->acl;
    UNIT("sets: names", r->in_set_by_uuid, acl_set_name, READS(r->in_set), r->set_named);
    UNIT("sets: addresses", r->set_named_by_uuid, acl_set, READS(r->set_named), r->set);
    UNIT("sets: groups", r->port_group_by_uuid, acl_set_group, READS(r->port_group, r->set_named),
         r->set);
    UNIT("sets: groups on switches", r->group_switch_each, acl_set_ports,
         READS(r->group_switch, r->port_group, p->key), r->set);
    UNIT("sets: ports", r->group_port_by_port, acl_set_port,
         READS(r->group_port, p->lsp, p->port_addr), r->set_element);
    UNIT("sets: monitor", NULL, acl_set_monitor, READS(p->in_option, r->set_named), r->set,
         r->set_element);
}

void acl_declare_facts(struct northd_program *p)
{
    struct inc_program *g = p->inc;
    struct acl_room *r = &p->acl;
    UNIT("acl: groups", r->in_group_by_uuid, acl_group, READS(r->in_group), r->port_group);
    UNIT("acl: ports of groups", r->in_group_port_by_port, acl_group_port,
         READS(r->in_group_port, p->lsp), r->group_port);
    UNIT("acl: groups on switches", r->group_port_by_switch, acl_group_switch, READS(r->group_port),
         r->group_switch);
    UNIT("acl: rows", r->in_acl_by_uuid, acl_row, READS(r->in_acl), r->acl, p->complaint);
    UNIT("acl: where", r->acl_by_uuid, acl_where,
         READS(r->acl, r->in_ls_acl, r->in_group_acl, r->group_switch), r->acl_on, r->acl_at);
    UNIT("acl: what switches have", r->acl_on_by_has, acl_has, READS(r->acl_on), p->switch_has);
    UNIT("acl: what groups have", r->acl_at_by_has, acl_group_has, READS(r->acl_at), r->group_has);
    UNIT("acl: switches of groups", r->group_switch_each, acl_switch_of_group,
         READS(r->group_switch, r->group_has), p->switch_has);
    UNIT("acl: meters", r->in_meter_by_uuid, acl_meter, READS(r->in_meter, r->in_band),
         r->fair_meter, r->meter, r->meter_band);
    UNIT("acl: fair meters", r->acl_by_uuid, acl_meter_fair,
         READS(r->acl, r->fair_meter, r->in_meter, r->in_band), r->meter, r->meter_band);
    declare_sets(p);
}

void acl_declare_flows(struct northd_program *p)
{
    struct inc_program *g = p->inc;
    struct acl_room *r = &p->acl;
    UNIT("acl: common", p->class_each[CLASS_ACL], acl_common, READS(p->class_member, p->in_option),
         p->class_flow);
    UNIT("acl: ports", p->lsp_that.is_outer, acl_port, READS(p->lsp, p->in_lsp, p->switch_has),
         p->lflow);
    UNIT("acl: classes", r->group_switch_each, acl_class,
         READS(r->group_switch, r->group_has, p->switch_has), r->member, r->group_class);
    UNIT("acl: flows of groups", r->acl_at_each, acl_group_flows,
         READS(r->acl_at, r->acl, r->fair_meter, r->group_class, p->in_option), p->class_flow);
    UNIT("acl: flows", r->acl_on_each, acl_flows,
         READS(r->acl_on, r->acl, r->fair_meter, p->switch_has, p->in_option), p->lflow);
}
