/* topology.h - from NB rows to what the rest of northd speaks of (rooms 1 and 2 of docs/architecture.md).
 *
 * Each function runs one compile unit; northd/program.c says which, at what key and in what order. Values in NB that
 * make no sense (an address that does not parse, a port on no switch) yield no fact.
 */
#pragma once

#include "northd/program.h"

/* lsp_index.c, for program.c */
void topology_declare_lsp_indexes(struct northd_program *p);
/* datapath.c: each Logical_Switch, each Logical_Router */
void topology_switch(struct inc_ctx *ctx, const void *key, void *aux);
void topology_router(struct inc_ctx *ctx, const void *key, void *aux);
/* datapath.c: TEXT (NULL: 0) of ROW's requested-tnl-key as a number up to MAX; 0 and a complaint when it is none. */
uint32_t topology_requested_key(struct inc_ctx *ctx, struct northd_program *p,
                                const struct uuid *row, const char *text, uint32_t max);
/* port.c: each Logical_Switch_Port, each Logical_Router_Port */
void topology_lsp(struct inc_ctx *ctx, const void *key, void *aux);
void topology_lrp(struct inc_ctx *ctx, const void *key, void *aux);
/* network.c: each router port */
void topology_network(struct inc_ctx *ctx, const void *key, void *aux);
/* link.c: each switch port; each router port */
void topology_link(struct inc_ctx *ctx, const void *key, void *aux);
void topology_router_peer(struct inc_ctx *ctx, const void *key, void *aux);
/* port_addr.c: each switch port */
void topology_port_addr(struct inc_ctx *ctx, const void *key, void *aux);
/* tag.c: each switch port; each port that others are nested in */
void topology_tag_want(struct inc_ctx *ctx, const void *key, void *aux);
void topology_tags(struct inc_ctx *ctx, const void *key, void *aux);
/* route.c: each Logical_Router_Static_Route */
void topology_route(struct inc_ctx *ctx, const void *key, void *aux);

/* static_mac.c: each Static_MAC_Binding */
void topology_static_mac(struct inc_ctx *ctx, const void *key, void *aux);

/* route.c: the number of a routing table with a name; 0 for "" and NULL, the main one. */
uint32_t topology_table_id(const char *name);

/* port_addr.c: one element of the column addresses, such as "0a:00:00:00:00:01 10.0.0.1 fd00::1". */
enum addr_kind { ADDR_BAD, ADDR_STATIC, ADDR_UNKNOWN, ADDR_ROUTER, ADDR_DYNAMIC };
struct port_addr {
    enum addr_kind kind;
    uint64_t mac; /* ADDR_STATIC */
    size_t n;
    struct address *ip; /* N of them, in the arena */
};
struct port_addr topology_parse_addr(const char *text, struct arena *arena);
bool topology_is_unknown(const char *text); /* whether it parses as ADDR_UNKNOWN, for less */
/* network.c: "10.0.0.254/24"; false when it is none. */
bool topology_parse_network(const char *text, struct address *ret);
