/* trace.h - weft-trace: a packet's way through the logical flows of a southbound database.
 *
 * program.c  options, the copy of the database, which datapath and microflow
 * world.c    the database as a packet meets it: datapaths, ports, groups, sets, neighbours
 * uflow.c    the values of a packet's fields; the microflow
 * run.c      tables and flows: from a datapath's first table to where the packet ends
 * act.c      what actions do       act_ct.c, act_hairpin.c  connection tracking and load balancing
 * node.c     the tree of what happened, and its three ways on paper
 *
 * Nothing is sent: connection tracking, neighbours and backends are what the command line and the
 * database say. The three outputs are ovn-trace's.
 */
#pragma once

#include "action/action.h"
#include "base/vec.h"
#include "expr/expr.h"
#include "flow/field.h"
#include "lflow/lflow.h"
#include "net/addr.h"
#include "openflow/flow_list.h"
#include "replica/replica.h"

int trace_main(int argc, char **argv);

/* ---- node.c ---- */
enum node_kind {
    NODE_PIPELINE,  /* ingress(...): tables follow */
    NODE_MULTICAST, /* multicast(...): pipelines follow, one a port */
    NODE_TABLE,     /* a flow: actions follow */
    NODE_TRANSFORM, /* ct_next(...), arp: the packet that goes on is another one */
    NODE_ACTION,    /* as the flow says it */
    NODE_JUMP,   /* into the other pipeline: in the other forms that pipeline's own line says it */
    NODE_MODIFY, /* only where nothing else is shown: a header is another one now */
    NODE_OUTPUT, /* to a port: where packets end */
    NODE_END,    /* the same in the other forms, as a comment */
    NODE_LOG,    /* a line that somebody will find in a log */
    NODE_FLOWS,  /* what the flow has become in a switch, a line each */
    NODE_COMMENT,
};

struct node {
    enum node_kind kind;
    char *text;
    VEC(struct node *) children;
};

/* A new last child; TEXT is taken over. */
struct node *node_add(struct node *parent, enum node_kind kind, char *text);
void node_free(struct node *node); /* NULL is allowed */
enum node_form { FORM_DETAILED, FORM_SUMMARY, FORM_MINIMAL };
void node_print(const struct node *root, enum node_form form, struct str *out);

/* ---- world.c ---- */
struct name { /* of a port or group, by the number that stands for it in fields */
    struct hnode node;
    uint32_t number;
    char *text;
};

struct world {
    const struct schema *schema;
    struct replica *replica; /* borrowed */
    struct symtab *symtab;
    struct expr_pool *exprs;
    struct action_pool *actions;
    struct hmap names;            /* struct name */
    VEC(struct name *) by_number; /* number - 1 */
    const struct row *datapath;   /* whose flows are looked at: port groups are told apart by it */
    bool plain_names;             /* --no-friendly-names */
};

void world_init(struct world *world, struct replica *replica);
void world_fini(struct world *world);
uint32_t world_number(struct world *world, const char *name); /* 0: "" and "none" */
const char *world_name(const struct world *world, uint32_t number);
const struct schema_table *world_table(const struct world *world, const char *name);
/* What a person calls it: name2, name, else the uuid. */
char *world_datapath_name(const struct world *world, const struct row *datapath);
/* By uuid, name, name2, or the NB row's uuid; NULL: none. */
const struct row *world_datapath(const struct world *world, const char *id);
const struct row *world_port(const struct world *world, const char *name);
/* The port of DATAPATH (NULL: any) with that tunnel key; NULL: none. */
const struct row *world_port_by_key(const struct world *world, const struct row *datapath,
                                    int64_t key);
const struct row *world_datapath_of(const struct world *world, const struct row *port);
const struct row *world_group(const struct world *world, const struct row *datapath,
                              const char *name);
extern const struct expr_world *world_sets(struct world *world, struct expr_world *store);
/* The MAC address of a neighbour, static or learned; false: unknown. */
bool world_neighbor(const struct world *world, const char *port, const struct ip_addr *ip,
                    struct mac *ret);
/* The port behind a MAC address that was learned; NULL: none. */
const struct row *world_fdb(const struct world *world, const struct row *datapath, struct mac mac);
const char *world_row_text(const struct row *row, const char *column); /* "" when empty */
const char *world_row_option(const struct row *row, const char *column, const char *key); /* NULL */
int64_t world_row_number(const struct row *row, const char *column);

/* ---- uflow.c  ---- */
struct uflow {
    u128 value[N_FIELDS]; /* of stored fields */
};

u128 uflow_get(const struct uflow *uflow, struct sym_bits bits);
void uflow_set(struct uflow *uflow, struct sym_bits bits, u128 value);
u128 uflow_field(const struct world *world, const struct uflow *uflow, enum symbol_id id);
void uflow_set_field(const struct world *world, struct uflow *uflow, enum symbol_id id, u128 value);
/* Registers, flags, ports: what does not go from one datapath to the next. */
void uflow_forget_registers(const struct world *world, struct uflow *uflow);
void uflow_forget_connection(const struct world *world, struct uflow *uflow);
bool uflow_matches(struct world *world, const struct uflow *uflow, const struct expr *match);
/* The packet that TEXT describes: an expression that leaves nothing open. */
int uflow_parse(struct world *world, const char *text, struct uflow *ret, struct diag *diag);
/* As people write values of such a field. */
void uflow_put_value(struct sym_bits bits, u128 value, struct str *out);
void uflow_print(const struct world *world, const struct uflow *uflow, struct str *out);
bool uflow_ip(const struct world *world, const struct uflow *uflow, bool source,
              struct ip_addr *ret);
void uflow_set_ip(const struct world *world, struct uflow *uflow, bool source,
                  const struct ip_addr *ip);

/* ---- run.c ---- */
enum { MAX_DEPTH = 4096 };

struct trace {
    struct world *world;
    VEC(uint32_t) ct_states; /* --ct, in order of use */
    size_t ct_used;
    bool has_backend; /* --lb-dst */
    struct ip_addr backend;
    uint16_t backend_port;
    uint32_t select_id;             /* --select-id, 0: any */
    struct flow_list *switch_flows; /* --ovs; NULL: not wanted, or not to be had */
    unsigned depth;
    bool too_deep;
};

/* Where a packet stands. */
struct at {
    struct trace *trace;
    const struct row *datapath;
    enum pipeline pipeline;
    unsigned table;
    struct uflow *packet;
    struct node *parent; /* where what happens next is told */
    bool stop;           /* a nested action ended the way of this packet */
};

/* A pipeline from TABLE on. */
void run_pipeline(struct trace *trace, const struct row *datapath, enum pipeline pipeline,
                  unsigned table, struct uflow *packet, struct node *parent);
/* From AT's table on. */
void run_table(struct at *at, unsigned table);
void run_output(struct at *at);
bool run_too_deep(struct trace *trace, struct node *parent);

/* ---- act.c, act_ct.c, act_select.c ---- */
void act_all(struct at *at, const struct actions *actions);
bool act_ct(struct at *at, const struct action *a, const char *text); /* false: not of its kind */
void act_select(struct at *at, const struct action *a);
/* act_hairpin.c: has a load balancer of AT's datapath sent the packet back to its own client? *SOURCE: the address in the client's place. */
bool act_is_hairpin(const struct at *at, struct ip_addr *source);
/* A copy of the packet goes on in the next table, under a node with TITLE (taken over). */
void act_go_on(struct at *at, char *title, struct uflow *copy);
char *act_text(const struct action *a);
/* "est|trk": names of bits of ct_state. */
bool ct_parse(const char *text, uint32_t *ret);
