/* program.h - northd as a program of the incremental engine: every collection, index and pool, by name.
 *
 * Rooms 2 to 4 of docs/architecture.md. program.c declares the compile units in order; the run functions are in topology/,
 * switch/, router/ and publish/, one file a concern, and get this struct as their aux. The declaration holds no state
 * but the pools, which have no meaning of their own; so an engine and the one that verifies it share one.
 */
#pragma once

#include "base/vec.h"
#include "northd/acl/facts.h"
#include "northd/dhcp/dhcp_facts.h"
#include "northd/dns/dns_facts.h"
#include "northd/ecmp/ecmp_facts.h"
#include "northd/facts.h"
#include "northd/gateway/gateway_facts.h"
#include "northd/ipam/ipam_facts.h"
#include "northd/lb/lb_facts.h"
#include "northd/literals.h"
#include "northd/nat/nat_facts.h"
#include "northd/policy/policy_facts.h"
#include "northd/port/port_facts.h"

/* A table of NB, or a column of one, as an input. */
struct northd_input {
    struct inc_coll *coll;
    const char *table, *column; /* column NULL: the rows */
};

/* Ports of switches by uuid, those alone that ...: see topology/lsp_index.c. */
struct lsp_indexes {
    struct inc_index *is_router, *is_outer /* router or localnet */, *is_vtep, *is_virtual,
        *is_external, *learns, *is_disabled, *has_queue, *has_tag, *has_dhcp, *requests_chassis;
};

struct northd_program {
    struct inc_program *inc;
    struct symtab *symbols;
    struct expr_pool *exprs;
    struct action_pool *actions;
    struct rstr_pool *names;         /* the pool of the expressions */
    struct literals literals;        /* of lflows.h */
    VEC(struct northd_input) inputs; /* what the host feeds from NB */

    /* inputs: rows of NB and their references */
    struct inc_coll *in_ls, *in_ls_port, *in_lsp, *in_lr, *in_lr_port, *in_lrp, *in_lr_route,
        *in_route;
    struct inc_index *in_ls_by_uuid, *in_lsp_by_uuid, *in_lr_by_uuid, *in_lrp_by_uuid,
        *in_route_by_uuid;
    struct inc_index *in_ls_port_by_port, *in_lr_port_by_port, *in_lr_route_by_route;
    struct inc_coll *in_qos, *in_ls_qos;
    struct inc_index *in_qos_by_uuid, *in_ls_qos_by_qos;
    struct inc_coll *in_static_mac;
    struct inc_index *in_static_mac_by_uuid;
    struct inc_coll *in_option; /* NB_Global.options */
    struct inc_index *in_option_by_key;
    /* inputs: keys */
    struct inc_coll *key;
    struct inc_index *key_by_id;
    /* inputs: rows of SB */
    struct inc_coll *chassis, *bound;
    struct inc_index *chassis_by_name, *chassis_by_hostname, *bound_by_port;

    /* topology */
    struct inc_coll *datapath;
    struct inc_index *datapath_by_uuid, *switch_by_uuid, *router_by_uuid;
    struct inc_coll *lsp, *lrp, *network, *plen, *link, *router_peer, *port_addr, *route;
    struct inc_index *lsp_by_uuid, *lsp_by_name, *lsp_by_has, *localnet_by_ls, *lrp_by_uuid,
        *lrp_by_name, *lrp_by_lr, *lrp_mtu_by_lr;
    struct lsp_indexes lsp_that;
    struct inc_index *network_by_lrp, *network_by_prefix, *plen_by_lr;
    struct inc_index *link_by_lsp, *link_by_lrp, *link_by_lrp_name, *link_by_lr, *link_by_ls;
    struct inc_index *router_peer_by_lrp;
    struct inc_index *port_addr_by_lsp;
    struct inc_index *route_by_prefix;
    struct inc_coll *want_key, *static_mac;
    struct inc_coll *tag_want, *tag;
    struct inc_index *tag_want_by_parent, *tag_by_lsp;
    struct inc_coll *complaint, *switch_has; /* switch_has: acl and lb emit it */
    struct inc_index *switch_has_each, *switch_has_by_ls;
    struct inc_coll *class_member, *class_flow; /* northd/classes.h */
    struct inc_index *class_each[N_CLASS_FAMILIES], *class_member_by_class, *class_flow_by_class;

    /* the rooms' own */
    struct gateway_facts gateway;
    struct acl_room acl; /* northd/acl */
    struct lb_facts lb;
    struct dhcp_facts dhcp;
    struct dns_facts dns;
    struct ipam_facts ipam;
    struct nat_facts nat;
    struct ecmp_facts ecmp;
    struct policy_facts policy;
    struct port_facts port;

    /* published */
    struct inc_coll *datapath_binding, *port_binding, *group, *member, *lflow;
    struct inc_index *group_each, *group_by_unknown, *member_by_group;
    struct inc_coll *port_option, *port_nat, *port_chassis;
    struct inc_index *port_option_by_port, *port_nat_by_port, *port_chassis_by_port;
};

struct northd_program *program_create(void);
void program_destroy(struct northd_program *program); /* after the engines that run it */

/* For the declarations: a collection of the rows of an NB table (feed_row_type), and of the elements of a column. */
struct inc_coll *program_rows(struct northd_program *program, const char *table);
struct inc_coll *program_elements(struct northd_program *program, const char *table,
                                  const char *column, const struct inc_type *type);

/* An interned name; a new reference. NULL for NULL. */
const struct rstr *program_intern(struct northd_program *program, const char *text);
/* The same of a text that is probably GUESS (or NULL), an interned name: see inc_emitted_before. */
const struct rstr *program_intern_again(struct northd_program *program, const struct rstr *guess,
                                        const char *text);
/* For run functions: the value of NB_Global options:KEY, NULL when it is not there; and whether it is "true". */
const char *program_option(struct inc_ctx *ctx, struct northd_program *program, const char *key);
bool program_option_is(struct inc_ctx *ctx, struct northd_program *program, const char *key,
                       bool otherwise);
/* For run functions: whether the switch LS has WHAT. */
bool program_switch_has(struct inc_ctx *ctx, struct northd_program *program, const struct uuid *ls,
                        enum switch_has what);
/* For run functions: says once in the log that ROW is left out, and why. */
void program_complain(struct inc_ctx *ctx, struct northd_program *program, const struct uuid *row,
                      const char *format, ...) PRINTF_FORMAT(4, 5);
