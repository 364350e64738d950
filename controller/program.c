/* program.c - the controller's table of contents: every compile unit, in order.
 *
 * Rooms 5 to 8 of docs/architecture.md: rows -> what is local -> which logical flows -> trees -> OpenFlow flows.
 */
#include "controller/program.h"

#include <stddef.h>

#include "encode/translator.h"
#include "schema/row.h"

struct rstr *program_name(struct program *program, const char *text)
{
    return text ? rstr_pool_get(&program->names, text) : NULL;
}

static void declare_host(struct program *p)
{
    struct inc_program *g = p->inc;
    p->self = inc_input(g, "self", &type_self);
    p->self_all = inc_index_all(g, p->self);
    p->iface = inc_input(g, "interface", &type_iface);
    p->iface_by_id = inc_index_field(g, p->iface, "iface-id", &type_key_name,
                                     offsetof(struct fact_iface, iface_id));
    p->tunnel = inc_input(g, "tunnel", &type_tunnel);
    p->tunnel_by_chassis = inc_index_field(g, p->tunnel, "chassis", &type_key_name,
                                           offsetof(struct fact_tunnel, chassis));
    p->tunnel_each = inc_index_self(g, p->tunnel, "each");
    p->uplink = inc_input(g, "uplink", &type_uplink);
    p->uplink_by_port =
        inc_index_field(g, p->uplink, "port", &type_key_name, offsetof(struct fact_uplink, port));
    p->mapping = inc_input(g, "mapping", &type_mapping);
    p->mapping_by_network = inc_index_field(g, p->mapping, "network", &type_key_name,
                                            offsetof(struct fact_mapping, network));
    p->id = inc_input(g, "id", &type_id);
    p->id_by_key = inc_index_field(g, p->id, "key", &type_key_id, offsetof(struct fact_id, key));
    p->want = inc_derived(g, "want", &type_want);
}

static void declare_inputs(struct program *p)
{
    struct inc_program *g = p->inc;
#define ROWS(ID, TABLE)                                                                            \
    p->in_##ID = inc_input(g, TABLE, &feed_row_type);                                              \
    p->in_##ID##_by_uuid =                                                                         \
        inc_index_field(g, p->in_##ID, "uuid", &feed_uuid_type, offsetof(struct feed_row, uuid));
#define UNITS(ID, TABLE)                                                                           \
    p->in_##ID = inc_input(g, TABLE, &feed_row_type);                                              \
    p->in_##ID##_each = inc_index_self(g, p->in_##ID, "each");
#define ELEMENTS(ID, TYPE, TABLE, COLUMN)                                                          \
    p->in_##ID = inc_input(g, TABLE "." COLUMN, &feed_##TYPE##_type);                              \
    p->in_##ID##_by_row =                                                                          \
        inc_index_field(g, p->in_##ID, "row", &feed_uuid_type, offsetof(struct feed_##TYPE, row));
#include "controller/inputs.def"
#undef ROWS
#undef UNITS
#undef ELEMENTS
    p->in_group_port_each = inc_index_self(g, p->in_group_port, "each");
    p->in_group_name_each = inc_index_self(g, p->in_group_name, "each");
    p->in_dp_group_dp_each = inc_index_self(g, p->in_dp_group_dp, "each");
    p->in_lb_vip_each = inc_index_self(g, p->in_lb_vip, "each");
    p->in_global_all = inc_index_all(g, p->in_global);
    declare_host(p);
}

void program_feed(const struct program *p, struct feed *feed)
{
#define ROWS(ID, TABLE) feed_rows(feed, p->in_##ID, TABLE);
#define UNITS(ID, TABLE) feed_rows(feed, p->in_##ID, TABLE);
#define ELEMENTS(ID, TYPE, TABLE, COLUMN) feed_elements(feed, p->in_##ID, TABLE, COLUMN);
#include "controller/inputs.def"
#undef ROWS
#undef UNITS
#undef ELEMENTS
}

#define BY_UUID(COLL, TYPE, MEMBER)                                                                \
    inc_index_field(g, COLL, #MEMBER, &type_key_uuid, offsetof(struct TYPE, MEMBER))
#define BY_NAME(COLL, TYPE, MEMBER)                                                                \
    inc_index_field(g, COLL, #MEMBER, &type_key_name, offsetof(struct TYPE, MEMBER))

static void declare_rows(struct program *p)
{
    struct inc_program *g = p->inc;
    p->datapath = inc_derived(g, "datapath", &type_datapath);
    p->datapath_by_uuid = BY_UUID(p->datapath, fact_datapath, uuid);
    p->datapath_by_key =
        inc_index_field(g, p->datapath, "key", &type_key_u32, offsetof(struct fact_datapath, key));
    p->port = inc_derived(g, "port", &type_port);
    p->port_by_uuid = BY_UUID(p->port, fact_port, uuid);
    p->port_by_name = BY_NAME(p->port, fact_port, name);
    p->chassis = inc_derived(g, "chassis", &type_chassis);
    p->chassis_by_uuid = BY_UUID(p->chassis, fact_chassis, uuid);
    p->encap = inc_derived(g, "encap", &type_encap);
    p->encap_by_uuid = BY_UUID(p->encap, fact_encap, uuid);
    p->encap_by_chassis = BY_NAME(p->encap, fact_encap, chassis);
    p->group = inc_derived(g, "group", &type_group);
    p->group_by_uuid = BY_UUID(p->group, fact_group, uuid);
    p->group_by_name = inc_index_field(g, p->group, "name", &type_key_group,
                                       offsetof(struct fact_group, datapath));
    p->set = inc_derived(g, "set", &type_set);
    p->set_by_name = BY_NAME(p->set, fact_set, name);

    p->candidate = inc_derived(g, "candidate", &type_candidate);
    p->candidate_by_port = BY_UUID(p->candidate, fact_candidate, port);
    p->global = inc_derived(g, "global", &type_global);
    p->global_all = inc_index_all(g, p->global);
    p->meter = inc_derived(g, "meter", &type_meter);
    p->meter_by_name = BY_NAME(p->meter, fact_meter, name);

#define ROWS(NAME, EACH, RUN, IN, OUT)                                                             \
    inc_kind(g, &(struct inc_kind_def){                                                            \
                    .name = NAME, .each = EACH, .run = RUN, .reads = {IN}, .emits = {OUT}})
    ROWS("rows: datapath", p->in_datapath_by_uuid, rows_datapath_run, p->in_datapath, p->datapath);
    ROWS("rows: port", p->in_port_by_uuid, rows_port_run, p->in_port, p->port);
    ROWS("rows: chassis", p->in_chassis_by_uuid, rows_chassis_run, p->in_chassis, p->chassis);
    ROWS("rows: encap", p->in_encap_by_uuid, rows_encap_run, p->in_encap, p->encap);
    ROWS("rows: global", p->in_global_all, rows_global_run, p->in_global, p->global);
    ROWS("rows: group", p->in_group_by_uuid, rows_group_run, p->in_group, p->group);
    ROWS("rows: address set", p->in_address_set_by_uuid, rows_address_set_run, p->in_address_set,
         p->set);
    ROWS("rows: port group", p->in_port_group_by_uuid, rows_port_group_run, p->in_port_group,
         p->set);
#undef ROWS
    inc_kind(g, &(struct inc_kind_def){.name = "rows: candidates",
                                       .each = p->port_by_uuid,
                                       .run = rows_candidate_run,
                                       .reads = {p->in_ha_member, p->in_ha_chassis, p->in_gateway,
                                                 p->in_gateway_chassis, p->chassis},
                                       .emits = {p->candidate}});
    inc_kind(g, &(struct inc_kind_def){.name = "rows: meters",
                                       .each = p->in_meter_by_uuid,
                                       .run = rows_meter_run,
                                       .reads = {p->in_meter_band},
                                       .emits = {p->meter}});
}

static void declare_local(struct program *p)
{
    struct inc_program *g = p->inc;
    p->root = inc_derived(g, "root", &type_root);
    p->edge = inc_derived(g, "edge", &type_edge);
    p->local = inc_derived(g, "local", &type_local);
    p->local_by_datapath = BY_UUID(p->local, fact_local, datapath);
    p->claim = inc_derived(g, "claim", &type_claim);
    p->watched = inc_derived(g, "watched", &type_mapping);
    p->watched_by_chassis = BY_NAME(p->watched, fact_mapping, network);
    p->want_tunnel = inc_derived(g, "want_tunnel", &type_want_tunnel);
    p->want_uplink = inc_derived(g, "want_uplink", &type_want_uplink);
    p->localnet = inc_derived(g, "localnet", &type_localnet);
    p->localnet_by_datapath = BY_UUID(p->localnet, fact_localnet, datapath);
    p->dp_zones = inc_derived(g, "dp_zones", &type_dp_zones);
    p->dp_zones_by_datapath = BY_UUID(p->dp_zones, fact_dp_zones, datapath);
    p->place = inc_derived(g, "place", &type_place);
    p->place_by_port = BY_UUID(p->place, fact_place, port);
    p->home = inc_derived(g, "home", &type_home);
    p->home_by_port = BY_UUID(p->home, fact_home, port);
    p->member = inc_derived(g, "member", &type_member);
    p->member_by_group = BY_UUID(p->member, fact_member, group);

    inc_kind(g, &(struct inc_kind_def){.name = "local: roots",
                                       .each = p->port_by_uuid,
                                       .run = reach_root_run,
                                       .reads = {p->iface, p->self, p->candidate},
                                       .emits = {p->root}});
    inc_kind(g, &(struct inc_kind_def){.name = "local: edges",
                                       .each = p->port_by_uuid,
                                       .run = reach_edge_run,
                                       .reads = {p->port, p->self},
                                       .emits = {p->edge}});
    inc_reach(g, &(struct inc_reach_def){
                     .name = "local: reach",
                     .roots = p->root,
                     .edges = p->edge,
                     .out = p->local,
                     .node_size = sizeof(struct uuid),
                     .root_offset = offsetof(struct fact_root, datapath),
                     .from_offset = offsetof(struct fact_edge, from),
                     .to_offset = offsetof(struct fact_edge, to),
                 });
    inc_kind(g,
             &(struct inc_kind_def){.name = "local: claims",
                                    .each = p->port_by_uuid,
                                    .run = claim_run,
                                    .reads = {p->iface, p->self, p->candidate, p->tunnel, p->local},
                                    .emits = {p->claim, p->want}});
    inc_kind(g, &(struct inc_kind_def){.name = "local: watched chassis",
                                       .each = p->candidate_by_port,
                                       .run = tunnels_watched_run,
                                       .reads = {p->self, p->port, p->chassis, p->in_ha_ref},
                                       .emits = {p->watched}});
    inc_kind(g, &(struct inc_kind_def){.name = "local: tunnels",
                                       .each = p->encap_by_uuid,
                                       .run = tunnels_run,
                                       .reads = {p->self, p->watched},
                                       .emits = {p->want_tunnel}});
    inc_kind(g, &(struct inc_kind_def){.name = "local: physical networks",
                                       .each = p->port_by_uuid,
                                       .run = place_localnet_run,
                                       .reads = {p->local, p->self, p->mapping},
                                       .emits = {p->want_uplink, p->localnet}});
    inc_kind(g, &(struct inc_kind_def){.name = "local: zones",
                                       .each = p->local_by_datapath,
                                       .run = zones_run,
                                       .reads = {p->datapath, p->id},
                                       .emits = {p->dp_zones, p->want}});
    inc_kind(g, &(struct inc_kind_def){.name = "local: places",
                                       .each = p->port_by_uuid,
                                       .run = place_run,
                                       .reads = {p->port, p->local, p->datapath, p->self, p->iface,
                                                 p->chassis, p->tunnel, p->encap, p->uplink,
                                                 p->localnet, p->dp_zones, p->candidate, p->id},
                                       .emits = {p->place, p->want}});
    inc_kind(g, &(struct inc_kind_def){.name = "local: homes",
                                       .each = p->place_by_port,
                                       .run = place_home_run,
                                       .reads = {p->place},
                                       .emits = {p->home}});
    inc_kind(g, &(struct inc_kind_def){.name = "local: members",
                                       .each = p->in_group_port_each,
                                       .run = place_member_run,
                                       .reads = {p->place},
                                       .emits = {p->member}});
}

static void declare_lflows(struct program *p)
{
    struct inc_program *g = p->inc;
    p->dp_group_at = inc_derived(g, "dp_group_at", &type_dp_group_at);
    p->dp_group_at_by_group = BY_UUID(p->dp_group_at, fact_dp_group_at, group);
    p->port_in_group = inc_derived(g, "port_in_group", &type_port_in_group);
    p->port_in_group_by_row = BY_UUID(p->port_in_group, fact_port_in_group, row);
    p->here = inc_derived(g, "here", &type_here);
    p->here_by_datapath = BY_UUID(p->here, fact_here, datapath);
    p->lflow_at = inc_derived(g, "lflow_at", &type_lflow_at);
    p->lflow_at_each = inc_index_self(g, p->lflow_at, "each");
    p->reject = inc_derived(g, "reject", &type_reject);

    inc_kind(g, &(struct inc_kind_def){.name = "select: datapaths",
                                       .each = p->local_by_datapath,
                                       .run = select_here_run,
                                       .reads = {p->datapath},
                                       .emits = {p->here}});
    inc_kind(g, &(struct inc_kind_def){.name = "select: groups",
                                       .each = p->in_dp_group_dp_each,
                                       .run = select_group_dp_run,
                                       .reads = {p->here},
                                       .emits = {p->dp_group_at}});
    inc_kind(g, &(struct inc_kind_def){.name = "select: ports of groups",
                                       .each = p->in_group_name_each,
                                       .run = select_group_port_run,
                                       .reads = {p->port, p->home},
                                       .emits = {p->port_in_group}});
}

static void declare_oflows(struct program *p)
{
    struct inc_program *g = p->inc;
    p->oflow = inc_derived(g, "oflow", &type_oflow);
    p->oflow_by_key = inc_index_host(g, p->oflow, "flow", &type_key_oflow, 0);
    p->object = inc_derived(g, "object", &type_object);

    inc_kind(g, &(struct inc_kind_def){.name = "translate: groups and meters",
                                       .each = p->id_by_key,
                                       .run = zones_object_run,
                                       .reads = {p->meter},
                                       .emits = {p->object}});

    inc_kind(g, &(struct inc_kind_def){.name = "translate: flows",
                                       .each = p->in_lflow_each,
                                       .run = lflow_run,
                                       .reads = {p->here, p->dp_group_at, p->port, p->group, p->set,
                                                 p->in_address, p->port_in_group, p->self, p->id,
                                                 p->meter, p->place, p->home},
                                       .emits = {p->oflow, p->want, p->lflow_at, p->reject}});
    inc_kind(g, &(struct inc_kind_def){.name = "translate: flows on datapaths",
                                       .each = p->lflow_at_each,
                                       .run = lflow_at_run,
                                       .reads = {p->port, p->group, p->set, p->in_address,
                                                 p->port_in_group, p->self, p->id, p->meter,
                                                 p->place, p->home},
                                       .emits = {p->oflow, p->want}});
    inc_kind(g, &(struct inc_kind_def){.name = "translate: ports",
                                       .each = p->place_by_port,
                                       .run = physical_port_run,
                                       .reads = {p->place},
                                       .emits = {p->oflow}});
    inc_kind(g, &(struct inc_kind_def){.name = "translate: tunnels",
                                       .each = p->tunnel_each,
                                       .run = physical_tunnel_run,
                                       .emits = {p->oflow}});
    inc_kind(g, &(struct inc_kind_def){
                    .name = "translate: fixed", .run = physical_fixed_run, .emits = {p->oflow}});
    inc_kind(g, &(struct inc_kind_def){.name = "translate: fields of connections",
                                       .run = ct_fields_run,
                                       .emits = {p->oflow}});
    inc_kind(g, &(struct inc_kind_def){.name = "translate: groups",
                                       .each = p->group_by_uuid,
                                       .run = multicast_run,
                                       .reads = {p->datapath, p->local, p->member},
                                       .emits = {p->oflow}});
    inc_kind(g, &(struct inc_kind_def){.name = "translate: neighbours",
                                       .each = p->in_mac_binding_by_uuid,
                                       .run = neighbor_run,
                                       .reads = {p->port, p->local, p->datapath},
                                       .emits = {p->oflow}});
    inc_kind(g, &(struct inc_kind_def){.name = "translate: static neighbours",
                                       .each = p->in_static_mac_binding_by_uuid,
                                       .run = neighbor_static_run,
                                       .reads = {p->port, p->local, p->datapath},
                                       .emits = {p->oflow}});
    inc_kind(g, &(struct inc_kind_def){.name = "translate: learned addresses",
                                       .each = p->in_fdb_by_uuid,
                                       .run = fdb_run,
                                       .reads = {p->local, p->datapath},
                                       .emits = {p->oflow}});
    inc_kind(g, &(struct inc_kind_def){.name = "translate: port security",
                                       .each = p->in_port_sec_by_row,
                                       .run = port_sec_run,
                                       .reads = {p->place},
                                       .emits = {p->oflow}});
    inc_kind(g, &(struct inc_kind_def){
                    .name = "translate: hairpins",
                    .each = p->in_lb_vip_each,
                    .run = hairpin_run,
                    .reads = {p->in_lb, p->in_lb_dp, p->in_dp_group_dp, p->global, p->here},
                    .emits = {p->oflow}});
}

void program_init(struct program *p)
{
    memset(p, 0, sizeof *p);
    p->symtab = symtab_new();
    p->exprs = expr_pool_new(p->symtab);
    p->actions = action_pool_new(p->exprs);
    p->translator = translator_new();
    p->inc = inc_program_new("controller", p);
    declare_inputs(p);
    declare_rows(p);
    declare_local(p);
    declare_lflows(p);
    declare_oflows(p);
}

void program_fini(struct program *p)
{
    inc_program_free(p->inc);
    translator_free(p->translator);
    action_pool_free(p->actions);
    expr_pool_free(p->exprs);
    symtab_free(p->symtab);
    rstr_pool_fini(&p->blobs);
    rstr_pool_fini(&p->names);
}
