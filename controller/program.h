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

    /* inputs: rows of the southbound database */
    struct inc_coll *in_datapath, *in_port, *in_chassis, *in_encap, *in_group, *in_lflow,
        *in_mac_binding, *in_static_mac_binding, *in_fdb, *in_address_set, *in_port_group;
    struct inc_index *in_datapath_by_uuid, *in_port_by_uuid, *in_chassis_by_uuid, *in_encap_by_uuid,
        *in_group_by_uuid, *in_lflow_by_uuid, *in_mac_binding_by_uuid,
        *in_static_mac_binding_by_uuid, *in_fdb_by_uuid, *datapath_by_key, *in_address_set_by_uuid,
        *in_port_group_by_uuid;
    /* elements of their sets */
    struct inc_coll *in_group_port, *in_dp_group_dp, *in_address, *in_group_name;
    struct inc_index *in_group_port_each, *in_dp_group_dp_each, *in_address_by_set,
        *in_group_name_by_group;
    /* inputs: this hypervisor */
    struct inc_coll *self, *iface, *tunnel;
    struct inc_index *self_all, *iface_by_id, *tunnel_by_chassis, *tunnel_each;

    /* topology */
    struct inc_coll *datapath, *port, *chassis, *encap, *group, *set;
    struct inc_index *datapath_by_uuid, *port_by_uuid, *port_by_name, *chassis_by_uuid, *encap_each,
        *group_by_uuid, *group_by_name, *set_by_name;
    struct inc_coll *root, *edge, *local, *claim, *want_tunnel, *place, *member;
    struct inc_index *local_by_datapath, *place_by_port, *member_by_group;

    /* flows */
    struct inc_coll *lflow_at, *dp_group_at, *parsed, *reject, *oflow;
    struct inc_index *lflow_at_by_lflow, *lflow_at_each, *dp_group_at_by_group, *parsed_by_lflow,
        *oflow_by_key;
};

/* Declares everything. The caller owns PROGRAM and ends it with program_fini after the engines that run it. */
void program_init(struct program *program);
void program_fini(struct program *program);

/* A string of the program's pool: a new reference. NULL gives NULL. */
struct rstr *program_name(struct program *program, const char *text);

/* ---- run functions, a file a concern ---- */

/* local/rows.c: rows reduced to facts */
inc_run_fn rows_datapath_run, rows_port_run, rows_chassis_run, rows_encap_run, rows_group_run,
    rows_address_set_run, rows_port_group_run;
/* local/reach.c: which datapaths are local */
inc_run_fn reach_root_run, reach_edge_run;
/* local/claim.c: which ports this hypervisor should be bound to */
inc_run_fn claim_run;
/* local/tunnels.c: which tunnels should exist */
inc_run_fn tunnels_run;
/* local/place.c: how ports are reached from here; members of multicast groups */
inc_run_fn place_run, place_member_run;
/* translate/select.c: which logical flows concern this hypervisor */
inc_run_fn select_run, select_group_dp_run;
/* translate/parse.c, translate/lflow.c */
inc_run_fn parse_run, lflow_run;
/* translate/physical.c, multicast.c, neighbor.c */
inc_run_fn physical_port_run, physical_tunnel_run, physical_fixed_run, multicast_run, neighbor_run,
    neighbor_static_run, fdb_run;
