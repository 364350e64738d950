/* program.c - northd's table of contents: every compile unit, in order.
 *
 * Rooms 2 to 5 of docs/architecture.md: NB rows -> topology facts -> logical flows and bindings. A unit is "for each key of
 * this index run this function"; it reads what is declared above it and emits what is read below. What the functions do
 * is in the file that their name begins with: switch_arp_rsp is in switch/arp_rsp.c.
 */
#include <stdarg.h>
#include <string.h>

#include "northd/acl/acl.h"
#include "northd/classes.h"
#include "northd/declare.h"
#include "northd/dhcp/dhcp.h"
#include "northd/dns/dns.h"
#include "northd/ecmp/ecmp.h"
#include "northd/gateway/gateway.h"
#include "northd/ipam/ipam.h"
#include "northd/lb/lb.h"
#include "northd/nat/nat.h"
#include "northd/policy/policy.h"
#include "northd/port/port.h"
#include "northd/publish/units.h"
#include "northd/router/router.h"
#include "northd/switch/switch.h"
#include "northd/topology/topology.h"

static struct inc_coll *add_input(struct northd_program *p, const char *table, const char *column,
                                  const char *name, const struct inc_type *type)
{
    struct northd_input input = {inc_input(p->inc, name, type), table, column};
    vec_push(&p->inputs, input);
    return input.coll;
}

struct inc_coll *program_rows(struct northd_program *p, const char *table)
{
    return add_input(p, table, NULL, table, &feed_row_type);
}

struct inc_coll *program_elements(struct northd_program *p, const char *table, const char *column,
                                  const struct inc_type *type)
{
    return add_input(p, table, column, column, type);
}

static void declare_inputs(struct northd_program *p)
{
    struct inc_program *g = p->inc;
    p->in_ls = program_rows(p, "Logical_Switch");
    p->in_ls_by_uuid = BY_UUID(p->in_ls, feed_row, uuid);
    p->in_ls_port = program_elements(p, "Logical_Switch", "ports", &feed_ref_type);
    p->in_ls_port_by_port = BY_UUID(p->in_ls_port, feed_ref, to);
    p->in_lsp = program_rows(p, "Logical_Switch_Port");
    p->in_lsp_by_uuid = BY_UUID(p->in_lsp, feed_row, uuid);
    p->in_qos = program_rows(p, "QoS");
    p->in_qos_by_uuid = BY_UUID(p->in_qos, feed_row, uuid);
    p->in_ls_qos = program_elements(p, "Logical_Switch", "qos_rules", &feed_ref_type);
    p->in_ls_qos_by_qos = BY_UUID(p->in_ls_qos, feed_ref, to);
    p->in_lr = program_rows(p, "Logical_Router");
    p->in_lr_by_uuid = BY_UUID(p->in_lr, feed_row, uuid);
    p->in_lr_port = program_elements(p, "Logical_Router", "ports", &feed_ref_type);
    p->in_lr_port_by_port = BY_UUID(p->in_lr_port, feed_ref, to);
    p->in_lrp = program_rows(p, "Logical_Router_Port");
    p->in_lrp_by_uuid = BY_UUID(p->in_lrp, feed_row, uuid);
    p->in_lr_route = program_elements(p, "Logical_Router", "static_routes", &feed_ref_type);
    p->in_lr_route_by_route = BY_UUID(p->in_lr_route, feed_ref, to);
    p->in_route = program_rows(p, "Logical_Router_Static_Route");
    p->in_static_mac = program_rows(p, "Static_MAC_Binding");
    p->in_static_mac_by_uuid = BY_UUID(p->in_static_mac, feed_row, uuid);
    p->in_route_by_uuid = BY_UUID(p->in_route, feed_row, uuid);
    p->in_option = program_elements(p, "NB_Global", "options", &feed_pair_type);
    p->in_option_by_key = BY_NAME(p->in_option, feed_pair, key);
    p->key = inc_input(g, "key", &northd_type_key);
    p->key_by_id = BY_UUID(p->key, fact_key, id);
    p->chassis = inc_input(g, "chassis", &northd_type_chassis);
    p->bound = inc_input(g, "bound", &northd_type_bound);
    p->bound_by_port = BY_NAME(p->bound, fact_bound, port);
    p->chassis_by_name = BY_NAME(p->chassis, fact_chassis, name);
    p->chassis_by_hostname = BY_NAME(p->chassis, fact_chassis, hostname);
}

/* --- Keys of indexes that are not simply a member */

static void switch_key(const void *fact, struct inc_keys *keys, void *aux UNUSED)
{
    const struct fact_datapath *f = fact;
    if (f->kind == DATAPATH_SWITCH)
        inc_key_add(keys, &f->uuid);
}

static void router_key(const void *fact, struct inc_keys *keys, void *aux UNUSED)
{
    const struct fact_datapath *f = fact;
    if (f->kind == DATAPATH_ROUTER)
        inc_key_add(keys, &f->uuid);
}

static void network_key(const void *fact, struct inc_keys *keys, void *aux UNUSED)
{
    const struct fact_network *f = fact;
    if (f->link_local)
        return;
    struct key_network key;
    INC_CLEAR(key);
    key.lr = f->lr;
    key.network = address_network(&f->address, f->address.plen);
    inc_key_add(keys, &key);
}

static void route_key(const void *fact, struct inc_keys *keys, void *aux UNUSED)
{
    const struct fact_route *f = fact;
    struct key_route key;
    INC_CLEAR(key);
    key.lr = f->lr;
    key.prefix = f->prefix;
    key.policy = f->policy;
    key.table = f->table;
    inc_key_add(keys, &key);
}

static void unknown_key(const void *fact, struct inc_keys *keys, void *aux UNUSED)
{
    const struct fact_group *f = fact;
    if (f->group == GROUP_UNKNOWN)
        inc_key_add(keys, &f->datapath);
}

static void localnet_key(const void *fact, struct inc_keys *keys, void *aux UNUSED)
{
    const struct fact_lsp *f = fact;
    if (f->type == LSP_LOCALNET)
        inc_key_add(keys, &f->ls);
}

static void mtu_key(const void *fact, struct inc_keys *keys, void *aux UNUSED)
{
    const struct fact_lrp *f = fact;
    if (f->mtu)
        inc_key_add(keys, &f->lr);
}

static void declare_facts(struct northd_program *p)
{
    struct inc_program *g = p->inc;
    p->datapath = inc_derived(g, "datapath", &northd_type_datapath);
    p->datapath_by_uuid = BY_UUID(p->datapath, fact_datapath, uuid);
    p->switch_by_uuid = inc_index_fn(g, p->datapath, "switch", &feed_uuid_type, switch_key);
    p->router_by_uuid = inc_index_fn(g, p->datapath, "router", &feed_uuid_type, router_key);
    p->want_key = inc_derived(g, "want_key", &northd_type_want_key);
    p->lsp = inc_derived(g, "lsp", &northd_type_lsp);
    p->lsp_by_uuid = BY_UUID(p->lsp, fact_lsp, uuid);
    p->localnet_by_ls = inc_index_fn(g, p->lsp, "localnet", &feed_uuid_type, localnet_key);
    p->lsp_by_name = BY_NAME(p->lsp, fact_lsp, name);
    topology_declare_lsp_indexes(p);
    p->lsp_by_has = inc_index_fn(g, p->lsp, "has", &northd_type_switch_has, switch_has_key);
    p->lrp = inc_derived(g, "lrp", &northd_type_lrp);
    p->lrp_by_uuid = BY_UUID(p->lrp, fact_lrp, uuid);
    p->lrp_mtu_by_lr = inc_index_fn(g, p->lrp, "mtu", &feed_uuid_type, mtu_key);
    p->static_mac = inc_derived(g, "static_mac", &northd_type_static_mac);
    p->lrp_by_lr = BY_UUID(p->lrp, fact_lrp, lr);
    p->lrp_by_name = BY_NAME(p->lrp, fact_lrp, name);
    p->network = inc_derived(g, "network", &northd_type_network);
    p->network_by_lrp = BY_UUID(p->network, fact_network, lrp);
    p->network_by_prefix = inc_index_fn(g, p->network, "prefix", &northd_key_network, network_key);
    p->plen = inc_derived(g, "plen", &northd_type_plen);
    p->plen_by_lr = BY_UUID(p->plen, fact_plen, lr);
    p->link = inc_derived(g, "link", &northd_type_link);
    p->link_by_lsp = BY_UUID(p->link, fact_link, lsp);
    p->link_by_lrp = BY_UUID(p->link, fact_link, lrp);
    p->link_by_lr = BY_UUID(p->link, fact_link, lr);
    p->link_by_lrp_name = BY_NAME(p->link, fact_link, lrp_name);
    p->link_by_ls = BY_UUID(p->link, fact_link, ls);
    p->router_peer = inc_derived(g, "router_peer", &northd_type_router_peer);
    p->router_peer_by_lrp = BY_UUID(p->router_peer, fact_router_peer, lrp);
    p->port_addr = inc_derived(g, "port_addr", &northd_type_port_addr);
    p->port_addr_by_lsp = BY_UUID(p->port_addr, fact_port_addr, lsp);
    p->tag_want = inc_derived(g, "tag_want", &northd_type_tag_want);
    p->tag_want_by_parent = BY_NAME(p->tag_want, fact_tag_want, parent);
    p->tag = inc_derived(g, "tag", &northd_type_tag);
    p->tag_by_lsp = BY_UUID(p->tag, fact_tag, lsp);
    p->complaint = inc_derived(g, "complaint", &northd_type_complaint);
    p->switch_has = inc_derived(g, "switch_has", &northd_type_switch_has);
    p->switch_has_each = inc_index_field(g, p->switch_has, "each", &northd_type_switch_has, 0);
    p->switch_has_by_ls = BY_UUID(p->switch_has, fact_switch_has, ls);
    p->route = inc_derived(g, "route", &northd_type_route);
    p->route_by_prefix = inc_index_fn(g, p->route, "prefix", &northd_key_route, route_key);
    p->datapath_binding = inc_derived(g, "datapath_binding", &northd_type_datapath_binding);
    p->port_binding = inc_derived(g, "port_binding", &northd_type_port_binding);
    p->group = inc_derived(g, "group", &northd_type_group);
    p->group_each = inc_index_field(g, p->group, "each", &northd_type_group, 0);
    p->group_by_unknown = inc_index_fn(g, p->group, "unknown", &feed_uuid_type, unknown_key);
    p->member = inc_derived(g, "member", &northd_type_member);
    /* datapath and group: fact_member begins like fact_group */
    p->member_by_group = inc_index_field(g, p->member, "group", &northd_type_group,
                                         offsetof(struct fact_member, datapath));
    p->port_option = inc_derived(g, "port_option", &northd_type_port_option);
    p->port_option_by_port = BY_NAME(p->port_option, fact_port_option, port);
    p->port_nat = inc_derived(g, "port_nat", &northd_type_port_nat);
    p->port_nat_by_port = BY_NAME(p->port_nat, fact_port_nat, port);
    p->port_chassis = inc_derived(g, "port_chassis", &northd_type_port_chassis);
    p->port_chassis_by_port = BY_NAME(p->port_chassis, fact_port_chassis, port);
    p->lflow = inc_derived(g, "lflow", &northd_type_lflow);
    classes_declare(p);
}

/* --- The units, in order. A collection is read only below all that emit it. */

static void declare_topology(struct northd_program *p)
{
    struct inc_program *g = p->inc;
    UNIT("topology: switches", p->in_ls_by_uuid, topology_switch, READS(p->in_ls), p->datapath,
         p->want_key, p->complaint);
    UNIT("topology: routers", p->in_lr_by_uuid, topology_router, READS(p->in_lr), p->datapath,
         p->want_key, p->complaint);
    UNIT("topology: switch ports", p->in_lsp_by_uuid, topology_lsp, READS(p->in_lsp, p->in_ls_port),
         p->lsp, p->want_key, p->group, p->member, p->complaint);
    UNIT("topology: router ports", p->in_lrp_by_uuid, topology_lrp,
         READS(p->in_lrp, p->in_lr_port, p->lsp), p->lrp, p->want_key, p->complaint);
    UNIT("topology: networks", p->lrp_by_uuid, topology_network, READS(p->lrp, p->in_lrp),
         p->network, p->plen);
    UNIT("topology: links", p->lsp_that.is_router, topology_link, READS(p->lsp, p->lrp), p->link);
    UNIT("topology: router peers", p->lrp_by_uuid, topology_router_peer, READS(p->lrp),
         p->router_peer);
    UNIT("topology: tags wanted", p->lsp_that.has_tag, topology_tag_want, READS(p->lsp, p->in_lsp),
         p->tag_want, p->tag);
    UNIT("topology: tags", p->tag_want_by_parent, topology_tags, READS(p->tag_want), p->tag,
         p->complaint);
    ipam_declare_units(p);
    UNIT("topology: addresses", p->lsp_by_uuid, topology_port_addr,
         READS(p->lsp, p->datapath, p->in_lsp, p->link, p->network, p->ipam.given), p->port_addr);
    UNIT("topology: static MAC bindings", p->in_static_mac_by_uuid, topology_static_mac,
         READS(p->in_static_mac, p->lrp, p->key), p->static_mac, p->complaint);
    UNIT("topology: routes", p->in_route_by_uuid, topology_route,
         READS(p->in_route, p->in_lr_route), p->route);
}

static void declare_switch(struct northd_program *p)
{
    struct inc_program *g = p->inc;
    UNIT("switch: has", p->lsp_by_has, switch_has, READS(p->lsp), p->switch_has);
    UNIT("switch: classes", p->switch_by_uuid, classes_switch, READS(p->datapath, p->switch_has),
         p->class_member);
    UNIT("switch: fdb", p->lsp_that.learns, switch_fdb, READS(p->lsp), p->lflow);
    UNIT("switch: queue", p->lsp_that.has_queue, switch_queue,
         READS(p->lsp, p->in_lsp, p->switch_has), p->lflow);
    UNIT("switch: vtep", p->lsp_that.is_vtep, switch_vtep, READS(p->lsp), p->lflow);
    UNIT("switch: qos", p->in_qos_by_uuid, switch_qos, READS(p->in_qos, p->in_ls_qos), p->lflow,
         p->complaint);
    UNIT("switch: common", p->class_each[CLASS_COMMON], switch_common, READS(p->class_member),
         p->class_flow);
    UNIT("switch: enabled", p->lsp_that.is_disabled, switch_enabled, READS(p->lsp), p->lflow);
    UNIT("switch: arp_rsp", p->lsp_by_uuid, switch_arp_rsp,
         READS(p->lsp, p->datapath, p->port_addr, p->in_lsp, p->in_option), p->lflow);
    UNIT("switch: l2_lkup", p->lsp_by_uuid, switch_l2_lkup,
         READS(p->lsp, p->port_addr, p->link, p->gateway.port, p->gateway.reside), p->lflow);
    UNIT("switch: l2_lkup, routers", p->link_by_lsp, switch_l2_router,
         READS(p->link, p->group, p->network), p->lflow);
    UNIT("switch: l2_unknown", p->group_by_unknown, switch_l2_unknown, READS(p->group), p->lflow);
}

static void declare_route_groups(struct northd_program *p)
{
    struct inc_program *g = p->inc;
    UNIT("router: groups of routes", p->route_by_prefix, router_route_group,
         READS(p->route, p->plen, p->network, p->lrp), p->ecmp.want);
}

static void declare_router(struct northd_program *p)
{
    struct inc_program *g = p->inc;
    UNIT("router: defaults", p->router_by_uuid, router_defaults, READS(p->datapath), p->lflow);
    UNIT("router: admission", p->lrp_by_uuid, router_admission,
         READS(p->lrp, p->datapath, p->gateway.port, p->in_lrp), p->lflow);
    UNIT("router: neighbor, common", p->router_by_uuid, router_neighbor_common, READS(p->datapath),
         p->lflow);
    UNIT("router: neighbor", p->lrp_by_uuid, router_neighbor,
         READS(p->lrp, p->datapath, p->network, p->gateway.port), p->lflow);
    UNIT("router: ip_input", p->lrp_by_uuid, router_ip_input,
         READS(p->lrp, p->network, p->gateway.router, p->gateway.port, p->gateway.reside,
               p->nat.address, p->nat.force_snat, p->lb.router_vip),
         p->lflow);
    UNIT("router: icmp", p->lrp_by_uuid, router_icmp,
         READS(p->lrp, p->network, p->gateway.router, p->gateway.port, p->lb.router_vip), p->lflow);
    UNIT("router: advertisements", p->lrp_by_uuid, router_ra, READS(p->lrp, p->in_lrp, p->network),
         p->lflow, p->port_option, p->complaint);
    UNIT("router: connected", p->lrp_by_uuid, router_connected, READS(p->lrp, p->network),
         p->lflow);
    UNIT("router: routes", p->route_by_prefix, router_route,
         READS(p->route, p->plen, p->network, p->lrp, p->ecmp.number, p->gateway.router, p->key),
         p->lflow);
    UNIT("router: route tables", p->lrp_by_uuid, router_route_table, READS(p->lrp, p->in_lrp),
         p->lflow);
    UNIT("router: resolve, ports", p->lsp_by_uuid, router_resolve_port,
         READS(p->lsp, p->link, p->port_addr, p->network), p->lflow);
    UNIT("router: resolve, links", p->link_by_lsp, router_resolve_link,
         READS(p->link, p->network, p->datapath), p->lflow);
    UNIT("router: resolve, peers", p->router_peer_by_lrp, router_resolve_peer,
         READS(p->router_peer, p->network, p->datapath), p->lflow);
    UNIT("router: delivery", p->lrp_by_uuid, router_delivery, READS(p->lrp), p->lflow);
}

static void declare_publish(struct northd_program *p)
{
    struct inc_program *g = p->inc;
    UNIT("publish: datapaths", p->datapath_by_uuid, publish_datapath_binding,
         READS(p->datapath, p->in_ls, p->in_lr, p->key), p->datapath_binding);
    UNIT("publish: switch ports", p->lsp_by_uuid, publish_lsp_binding,
         READS(p->lsp, p->in_lsp, p->tag, p->link, p->gateway.router, p->gateway.in_ha_group,
               p->key),
         p->port_binding, p->port_option);
    UNIT("publish: requested chassis", p->lsp_that.requests_chassis, publish_requested_chassis,
         READS(p->lsp, p->in_lsp, p->chassis), p->port_chassis);
    UNIT("publish: router ports", p->lrp_by_uuid, publish_lrp_binding,
         READS(p->lrp, p->in_lrp, p->link, p->router_peer, p->gateway.router, p->gateway.port,
               p->key),
         p->port_binding, p->port_option);
    UNIT("publish: redirect ports", p->gateway.port_by_lrp, publish_redirect_binding,
         READS(p->gateway.port, p->in_lrp, p->gateway.in_ha_group, p->key), p->port_binding,
         p->port_option);
}

struct northd_program *program_create(void)
{
    struct northd_program *p = NEW(struct northd_program);
    p->inc = inc_program_new("northd", p);
    p->symbols = symtab_new();
    p->exprs = expr_pool_new(p->symbols);
    p->actions = action_pool_new(p->exprs);
    p->names = expr_pool_names(p->exprs);
    declare_inputs(p);
    gateway_declare_facts(p);
    declare_facts(p);
    acl_declare(p);
    lb_declare_facts(p);
    dhcp_declare_facts(p);
    dns_declare_facts(p);
    ipam_declare_facts(p);
    nat_declare_facts(p);
    ecmp_declare_facts(p);
    policy_declare_facts(p);
    port_declare_facts(p);
    declare_topology(p);
    port_declare_units(p);
    gateway_declare_units(p);
    nat_declare_units(p);
    lb_declare_units(p);
    acl_declare_facts(p);
    declare_switch(p);
    acl_declare_flows(p);
    declare_route_groups(p);
    policy_declare_units(p);
    ecmp_declare_units(p);
    declare_router(p);
    policy_declare_flows(p);
    gateway_declare_flows(p);
    lb_declare_flows(p);
    port_declare_flows(p);
    dhcp_declare_units(p);
    dns_declare_units(p);
    nat_declare_flows(p);
    declare_publish(p);
    return p;
}

void program_destroy(struct northd_program *p)
{
    if (!p)
        return;
    inc_program_free(p->inc);
    vec_fini(&p->inputs);
    literals_fini(&p->literals);
    action_pool_free(p->actions);
    expr_pool_free(p->exprs);
    symtab_free(p->symbols);
    free(p);
}

const struct rstr *program_intern(struct northd_program *p, const char *text)
{
    return text ? rstr_pool_get(p->names, text) : NULL;
}

const struct rstr *program_intern_again(struct northd_program *p, const struct rstr *guess,
                                        const char *text)
{
    return guess && !strcmp(guess->s, text) ? rstr_ref(guess) : program_intern(p, text);
}

const char *program_option(struct inc_ctx *ctx, struct northd_program *p, const char *key)
{
    struct literal *literal = literals_get(&p->literals, key);
    if (!literal->name)
        literal->name = program_intern(p, key);
    const struct feed_pair *pair = inc_read_one(ctx, p->in_option_by_key, &literal->name);
    return pair ? pair->value->s : NULL;
}

bool program_option_is(struct inc_ctx *ctx, struct northd_program *p, const char *key,
                       bool otherwise)
{
    const char *value = program_option(ctx, p, key);
    return value ? !strcmp(value, "true") : otherwise;
}

bool program_switch_has(struct inc_ctx *ctx, struct northd_program *p, const struct uuid *ls,
                        enum switch_has what)
{
    struct fact_switch_has key;
    INC_CLEAR(key);
    key.ls = *ls;
    key.what = what;
    return inc_read_one(ctx, p->switch_has_each, &key) != NULL;
}

void program_complain(struct inc_ctx *ctx, struct northd_program *p, const struct uuid *row,
                      const char *format, ...)
{
    struct str s = STR_INIT;
    struct fact_complaint f;
    va_list args;
    va_start(args, format);
    str_vputf(&s, format, args);
    va_end(args);
    INC_CLEAR(f);
    f.row = *row;
    f.text = program_intern(p, str_c(&s));
    str_fini(&s);
    inc_emit_take(ctx, p->complaint, &f);
}
