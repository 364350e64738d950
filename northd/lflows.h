/* lflows.h - how compile units emit logical flows (room 4 of docs/architecture.md).
 *
 * Everything here takes over the references it is given. The names are short, since a flow should read as one line:
 *
 *     lflow_emit(l, STAGE_SW_IN_L2_LKUP, 50, expr_eq(l->e, SYM_ETH_DST, mac), lflow_output_to(l, name));
 */
#pragma once

#include "northd/program.h"

/* Where a unit's flows go: one datapath, one NB row that they come from. */
struct lflow_out {
    struct inc_ctx *ctx;
    struct northd_program *p;
    const struct inc_coll *coll; /* lflow, or class_flow: then the datapath is a class */
    struct expr_pool *e;
    struct action_pool *a;
    struct uuid datapath;
    uint32_t hint;
};

/* ROW: the NB row that the flows come from, NULL: none. */
struct lflow_out lflows_begin(struct inc_ctx *ctx, struct northd_program *p,
                              const struct uuid *datapath, const struct uuid *row);
void lflows_emit(const struct lflow_out *l, enum stage stage, unsigned priority, struct expr *match,
                 struct actions *actions);

/* A flow as text: for those that every datapath of a kind, or with a feature, has. */
struct lflow_text {
    enum stage stage;
    unsigned priority;
    const char *match, *actions;
};
void lflows_emit_texts(const struct lflow_out *l, const struct lflow_text *flows, size_t n);
/* From text that the program itself has made: what does not parse is a bug. FORMAT is a literal, and without a '%' parsed only once (literals.h). Names
 * that users give do not belong into a text (they would have to be escaped): build what holds them. */
struct expr *lflows_match(const struct lflow_out *l, const char *format, ...) PRINTF_FORMAT(2, 3);
struct actions *lflows_actions(const struct lflow_out *l, const char *format, ...)
    PRINTF_FORMAT(2, 3);

/* The same of a literal, or of a text in a constant table: not of memory that another text may take. */
struct expr *lflows_literal_match(const struct lflow_out *l, const char *text);
struct actions *lflows_literal_actions(const struct lflow_out *l, const char *text);
/* Actions that are put together: literal texts and others, of which it takes the references. At most MAX_LFLOW_LIST. */
enum { MAX_LFLOW_LIST = 16 };
struct lflow_list {
    struct action *v[MAX_LFLOW_LIST];
    size_t n;
};
void lflows_put(const struct lflow_out *l, struct lflow_list *list, const char *text);
void lflows_put_one(struct lflow_list *list, struct action *action);
struct actions *lflows_list(const struct lflow_out *l, struct lflow_list *list);

/* Judges the text of a match that a user gave: 0 and *RET, a new reference, in the shape that printing and parsing keeps; or
 * the error of expr_parse, with the sentence and the position in DIAG. */
int lflows_judge_match(struct expr_pool *pool, const char *text, struct expr **ret,
                       struct diag *diag) MUST_CHECK;

/* Common matches and actions. */
struct expr *lflows_inport(const struct lflow_out *l, const struct rstr *name);
struct expr *lflows_outport(const struct lflow_out *l, const struct rstr *name);
/* ip4.dst == ADDRESS or ip6.dst == ADDRESS, by its version; with its prefix length. */
struct expr *lflows_ip_dst(const struct lflow_out *l, const struct address *address);
struct expr *lflows_ip_src(const struct lflow_out *l, const struct address *address);
struct expr *lflows_arp_spa_in(const struct lflow_out *l, const struct address *network);
/* The router's next-hop register holds ADDRESS. */
struct expr *lflows_next_hop(const struct lflow_out *l, const struct address *address);
/* nd_ns for ADDRESS, sent to it or to its solicited-node group. */
struct expr *lflows_solicits(const struct lflow_out *l, const struct address *address);
struct actions *lflows_next(const struct lflow_out *l);
/* Into the router, through a port with a MAC. */
struct actions *lflows_admit(const struct lflow_out *l, uint64_t mac);
struct actions *lflows_drop(const struct lflow_out *l);
struct actions *lflows_output(const struct lflow_out *l);
struct actions *lflows_output_to(const struct lflow_out *l, const char *port);
struct actions *lflows_output_port(const struct lflow_out *l, const struct rstr *port);
struct action *lflows_load_mac(const struct lflow_out *l, enum symbol_id dst, uint64_t mac);
struct action *lflows_load_ip(const struct lflow_out *l, enum symbol_id dst,
                              const struct address *address);
/* outport = inport; flags.loopback = 1; output; - back to where it came from, after HEAD. */
struct actions *lflows_send_back(const struct lflow_out *l, struct actions *head);
/* Turns an ARP request into a reply that says that ADDRESS is at MAC, and sends it back. MAC 0: that of the router port that
 * it came in through. */
struct actions *lflows_arp_reply(const struct lflow_out *l, uint64_t mac,
                                 const struct address *address);
/* Answers a neighbour solicitation in the same manner; OP is ACTION_ND_NA or ACTION_ND_NA_ROUTER. */
struct actions *lflows_nd_reply(const struct lflow_out *l, enum action_op op, uint64_t mac,
                                const struct address *address);
