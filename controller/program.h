/* program.h - the controller's program for the incremental engine: collections, indexes and, in program.c, every kind in order.
 *
 * The handles are shared by the engine and the one that verifies it. Pools hold no meaning: strings, match and action bytes
 * and trees are interned there so that equal content is an equal pointer.
 */
#pragma once

#include "action/action.h"
#include "controller/facts.h"
#include "feed/feed.h"

struct program {
    struct inc_program *inc;

    /* pools */
    struct rstr_pool names, blobs;
    struct symtab *symtab;
    struct expr_pool *exprs;
    struct action_pool *actions;
    struct translator *translator; /* of logical flows */

    /* inputs: rows of the southbound database, elements of their sets */
#define ROWS(ID, TABLE)                                                                            \
    struct inc_coll *in_##ID;                                                                      \
    struct inc_index *in_##ID##_by_uuid;
#define UNITS(ID, TABLE)                                                                           \
    struct inc_coll *in_##ID;                                                                      \
    struct inc_index *in_##ID##_each;
#define ELEMENTS(ID, TYPE, TABLE, COLUMN)                                                          \
    struct inc_coll *in_##ID;                                                                      \
    struct inc_index *in_##ID##_by_row;
#include "controller/inputs.def"
#undef ROWS
#undef UNITS
#undef ELEMENTS
    struct inc_index *datapath_by_key, *in_group_port_each, *in_group_name_each,
        *in_dp_group_dp_each, *in_lb_vip_each, *in_global_all;
    /* inputs: this hypervisor */
    struct inc_coll *self, *iface, *tunnel, *uplink, *mapping;
    struct inc_index *self_all, *iface_by_id, *tunnel_by_chassis, *tunnel_each, *uplink_by_port,
        *mapping_by_network;
    /* inputs: numbers given (controller/allocate) to what is wanted */
    struct inc_coll *id, *want;
    struct inc_index *id_by_key;

    /* topology */
    struct inc_coll *datapath, *port, *chassis, *encap, *group, *set, *candidate, *meter, *global;
    struct inc_index *datapath_by_uuid, *port_by_uuid, *port_by_name, *chassis_by_uuid,
        *encap_by_uuid, *encap_by_chassis, *group_by_uuid, *group_by_name, *set_by_name,
        *candidate_by_port, *meter_by_name, *global_all;
    struct inc_coll *root, *edge, *local, *claim, *watched, *want_tunnel, *want_uplink, *localnet,
        *dp_zones, *place, *home, *member, *object;
    struct inc_index *local_by_datapath, *watched_by_chassis, *localnet_by_datapath,
        *dp_zones_by_datapath, *place_by_port, *home_by_port, *member_by_group;

    /* flows */
    struct inc_coll *here, *lflow_at, *dp_group_at, *port_in_group, *reject, *oflow;
    struct inc_index *here_by_datapath, *lflow_at_each, *dp_group_at_by_group,
        *port_in_group_by_row, *oflow_by_key;
};

/* Declares everything. The caller owns PROGRAM and ends it with program_fini after the engines that run it. */
void program_init(struct program *program);
void program_fini(struct program *program);

/* Binds the inputs that come from the southbound database. */
void program_feed(const struct program *program, struct feed *feed);

/* A string of the program's pool: a new reference. NULL gives NULL. */
struct rstr *program_name(struct program *program, const char *text);

/* ---- run functions, a file a concern ---- */

/* local/rows.c: rows reduced to facts */
inc_run_fn rows_datapath_run, rows_port_run, rows_chassis_run, rows_encap_run, rows_group_run,
    rows_address_set_run, rows_port_group_run;
/* local/rows_ha.c */
inc_run_fn rows_candidate_run, rows_meter_run, rows_global_run;
/* local/reach.c: which datapaths are local */
inc_run_fn reach_root_run, reach_edge_run;
/* local/claim.c: which ports this hypervisor should be bound to */
inc_run_fn claim_run;
/* local/tunnels.c: which tunnels should exist */
inc_run_fn tunnels_run, tunnels_watched_run;
/* local/zones.c: connection tracking zones of datapaths; what given numbers stand for */
inc_run_fn zones_run, zones_object_run;
/* local/place.c: how ports are reached from here; members of multicast groups; ways to physical networks */
inc_run_fn place_run, place_home_run, place_member_run, place_localnet_run;
/* translate/select.c: which datapaths logical flows are translated for, and what ports of groups are there */
inc_run_fn select_here_run, select_group_dp_run, select_group_port_run;
/* translate/lflow.c */
inc_run_fn lflow_run, lflow_at_run;
/* translate/physical.c, multicast.c, neighbor.c */
inc_run_fn physical_port_run, physical_tunnel_run, physical_fixed_run, multicast_run, neighbor_run,
    neighbor_static_run, fdb_run;
/* translate/hairpin.c, port_sec.c, ct_fields.c */
inc_run_fn hairpin_run, port_sec_run, ct_fields_run;
