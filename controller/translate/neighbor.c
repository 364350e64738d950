/* neighbor.c - learned and static neighbours as flows: what get_arp and get_nd find, what lookup_arp and lookup_nd confirm.
 *
 * Rooms 12 and 8, tables 66 and 67. A row whose port is not (or not yet) known, or whose address or MAC cannot be read, yields nothing. A static row
 * stands below a learned one, unless it overrides it. Units are rows of MAC_Binding and Static_MAC_Binding.
 */
#include "controller/translate/oflow.h"

#include "encode/encode.h"
#include "lflow/lflow.h"
#include "net/addr.h"
#include "net/headers.h"
#include "rows/sb.h"

enum { PRIO_STATIC = 50, PRIO_LEARNED = 100, PRIO_STATIC_OVERRIDE = 150 };

struct neighbor {
    const char *port, *ip, *mac;
    struct uuid row;
    unsigned priority;
};

static void match_ip(struct oflow *flow, const struct ip_addr *ip)
{
    match_set(&flow->match, ip->version == 4 ? FIELD_REG0 : FIELD_XXREG0, ip_addr_to_u128(ip));
}

static void set_mac_found(struct oflow *flow)
{
    struct subfield found = subfield_make(REG_FLAGS, FLAG_MAC_FOUND, 1);
    of_put_load(&flow->actions, &found, 1);
}

static void neighbor_flows(struct inc_ctx *ctx, struct program *p, const struct neighbor *n)
{
    struct ip_addr ip;
    struct mac mac;
    if (ip_addr_parse(n->ip, &ip) || mac_parse(n->mac, &mac))
        return;
    struct rstr *name = program_name(p, n->port);
    const struct fact_port *port = inc_read_one(ctx, p->port_by_name, &name);
    rstr_unref(name);
    if (!port || !inc_read(ctx, p->local_by_datapath, &port->datapath).n)
        return;
    const struct fact_datapath *datapath = inc_read_one(ctx, p->datapath_by_uuid, &port->datapath);
    if (!datapath)
        return;
    struct oflow flow = OFLOW_INIT;
    struct encode_neighbor neighbor = {datapath->key, port->key, ip, mac};
    oflow_begin(&flow);
    encode_neighbor(&encode_modern, &neighbor, &flow.match, &flow.actions);
    oflow_emit(ctx, p, &flow, OFTABLE_MAC_BINDING, n->priority, uuid_prefix32(&n->row));

    oflow_begin(&flow);
    oflow_match_dp(&flow, datapath->key);
    oflow_match_reg(&flow, REG_INPORT, port->key);
    match_ip(&flow, &ip);
    match_set(&flow.match, FIELD_ETH_SRC, mac_to_u64(mac));
    set_mac_found(&flow);
    oflow_emit(ctx, p, &flow, OFTABLE_MAC_LOOKUP, n->priority, uuid_prefix32(&n->row));

    /* Nothing to do but to count, for pinctrl/neighbor.c. */
    oflow_begin(&flow);
    oflow_match_dp(&flow, datapath->key);
    oflow_match_reg(&flow, REG_INPORT, port->key);
    match_set(&flow.match, FIELD_ETH_TYPE, ip.version == 4 ? ETH_TYPE_IP : ETH_TYPE_IPV6);
    match_set(&flow.match, ip.version == 4 ? FIELD_IP_SRC : FIELD_IPV6_SRC, ip_addr_to_u128(&ip));
    match_set(&flow.match, FIELD_ETH_SRC, mac_to_u64(mac));
    oflow_emit(ctx, p, &flow, OFTABLE_MAC_CACHE_USE, n->priority, uuid_prefix32(&n->row));
    oflow_fini(&flow);
}

void neighbor_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct program *p = aux;
    const struct feed_row *f = inc_read_one(ctx, p->in_mac_binding_by_uuid, key);
    const struct sb_mac_binding *row = sb_mac_binding_cast(f->row);
    struct neighbor n = {
        .port = sb_mac_binding_logical_port(row),
        .ip = sb_mac_binding_ip(row),
        .mac = sb_mac_binding_mac(row),
        .row = f->uuid,
        .priority = PRIO_LEARNED,
    };
    neighbor_flows(ctx, p, &n);
}

void neighbor_static_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct program *p = aux;
    const struct feed_row *f = inc_read_one(ctx, p->in_static_mac_binding_by_uuid, key);
    const struct sb_static_mac_binding *row = sb_static_mac_binding_cast(f->row);
    struct neighbor n = {
        .port = sb_static_mac_binding_logical_port(row),
        .ip = sb_static_mac_binding_ip(row),
        .mac = sb_static_mac_binding_mac(row),
        .row = f->uuid,
        .priority =
            sb_static_mac_binding_override_dynamic_mac(row) ? PRIO_STATIC_OVERRIDE : PRIO_STATIC,
    };
    neighbor_flows(ctx, p, &n);
}
