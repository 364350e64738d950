/* lflows.c - see lflows.h. Room 4 of docs/architecture.md: builds matches and actions that several units share, and emits
 * flows as facts. Knows nothing of any feature.
 */
#include "northd/lflows.h"

#include <stdarg.h>
#include <stdlib.h>

struct lflow_out lflows_begin(struct inc_ctx *ctx, struct northd_program *p,
                              const struct uuid *datapath, const struct uuid *row)
{
    return (struct lflow_out){.ctx = ctx,
                              .p = p,
                              .coll = p->lflow,
                              .e = p->exprs,
                              .a = p->actions,
                              .datapath = *datapath,
                              .hint = row ? uuid_prefix32(row) : 0};
}

void lflows_emit(const struct lflow_out *l, enum stage stage, unsigned priority, struct expr *match,
                 struct actions *actions)
{
    struct fact_lflow f;
    INC_CLEAR(f);
    f.datapath = l->datapath;
    f.match = match;
    f.actions = actions;
    f.stage = (uint16_t)stage;
    f.priority = (uint16_t)priority;
    f.hint = l->hint;
    inc_emit_take(l->ctx, l->coll, &f);
}

static struct expr *match_of(const struct lflow_out *l, const char *text)
{
    struct diag diag = DIAG_INIT;
    struct expr *e;
    if (expr_parse(l->e, text, NULL, &e, &diag))
        bug("match \"%s\": %s", text, diag_text(&diag));
    return e;
}

static struct actions *actions_of_text(const struct lflow_out *l, const char *text)
{
    struct diag diag = DIAG_INIT;
    struct actions *actions;
    if (actions_parse(l->a, text, NULL, &actions, NULL, &diag))
        bug("actions \"%s\": %s", text, diag_text(&diag));
    return actions;
}

void lflows_emit_texts(const struct lflow_out *l, const struct lflow_text *flows, size_t n)
{
    for (const struct lflow_text *f = flows; f < flows + n; f++)
        lflows_emit(l, f->stage, f->priority, match_of(l, f->match),
                    actions_of_text(l, f->actions));
}

/* Two spellings of one match are one match from here on: SB knows flows by their text. */
int lflows_judge_match(struct expr_pool *pool, const char *text, struct expr **ret,
                       struct diag *diag)
{
    struct expr *e;
    int rc = expr_parse(pool, text, NULL, &e, diag);
    if (rc)
        return rc;
    char *printed = expr_to_text(e);
    expr_unref(e);
    rc = expr_parse(pool, printed, NULL, ret, diag);
    free(printed);
    return rc;
}

/* NULL: TEXT is a format. */
static struct expr *known_match(const struct lflow_out *l, const char *text)
{
    struct literal *literal = literals_get(&l->p->literals, text);
    if (literal && !literal->match)
        literal->match = match_of(l, text);
    return literal ? literal->match : NULL;
}

static struct actions *known_actions(const struct lflow_out *l, const char *text)
{
    struct literal *literal = literals_get(&l->p->literals, text);
    if (literal && !literal->actions)
        literal->actions = actions_of_text(l, text);
    return literal ? literal->actions : NULL;
}

struct expr *lflows_literal_match(const struct lflow_out *l, const char *text)
{
    return expr_ref(known_match(l, text));
}

struct actions *lflows_literal_actions(const struct lflow_out *l, const char *text)
{
    return actions_ref(known_actions(l, text));
}

struct expr *lflows_match(const struct lflow_out *l, const char *format, ...)
{
    struct expr *e = known_match(l, format);
    if (e)
        return expr_ref(e);
    va_list args;
    va_start(args, format);
    struct str text = STR_INIT;
    str_vputf(&text, format, args);
    va_end(args);
    e = match_of(l, str_c(&text));
    str_fini(&text);
    return e;
}

struct actions *lflows_actions(const struct lflow_out *l, const char *format, ...)
{
    struct actions *actions = known_actions(l, format);
    if (actions)
        return actions_ref(actions);
    va_list args;
    va_start(args, format);
    struct str text = STR_INIT;
    str_vputf(&text, format, args);
    va_end(args);
    actions = actions_of_text(l, str_c(&text));
    str_fini(&text);
    return actions;
}

void lflows_put_one(struct lflow_list *list, struct action *action)
{
    INVARIANT(list->n < ARRAY_SIZE(list->v));
    list->v[list->n++] = action;
}

void lflows_put(const struct lflow_out *l, struct lflow_list *list, const char *text)
{
    const struct actions *actions = known_actions(l, text);
    for (uint32_t i = 0; i < actions->n; i++)
        lflows_put_one(list, action_ref(actions->action[i]));
}

struct actions *lflows_list(const struct lflow_out *l, struct lflow_list *list)
{
    return actions_of_n(l->a, list->v, list->n);
}

struct expr *lflows_inport(const struct lflow_out *l, const struct rstr *name)
{
    return expr_name_eq(l->e, SYM_INPORT, name);
}

struct expr *lflows_outport(const struct lflow_out *l, const struct rstr *name)
{
    return expr_name_eq(l->e, SYM_OUTPORT, name);
}

static struct expr *in_network(const struct lflow_out *l, enum symbol_id v4, enum symbol_id v6,
                               const struct address *a)
{
    return a->version == 6 ? expr_eq_prefix(l->e, v6, address_value(a), a->plen)
                           : expr_eq_prefix(l->e, v4, address_value(a), a->plen);
}

struct expr *lflows_ip_dst(const struct lflow_out *l, const struct address *address)
{
    return in_network(l, SYM_IP4_DST, SYM_IP6_DST, address);
}

struct expr *lflows_ip_src(const struct lflow_out *l, const struct address *address)
{
    return in_network(l, SYM_IP4_SRC, SYM_IP6_SRC, address);
}

struct expr *lflows_arp_spa_in(const struct lflow_out *l, const struct address *network)
{
    struct address n = address_network(network, network->plen);
    return expr_eq_prefix(l->e, SYM_ARP_SPA, address_value(&n), n.plen);
}

struct expr *lflows_next_hop(const struct lflow_out *l, const struct address *address)
{
    return lflow_reg_eq(l->e,
                        address->version == 6 ? LREG_ROUTER_NEXT_HOP_IP6 : LREG_ROUTER_NEXT_HOP_IP4,
                        address_value(address));
}

struct expr *lflows_solicits(const struct lflow_out *l, const struct address *address)
{
    u128 ip = address_value(address);
    u128 group = ip6_to_u128(ip6_solicited_node(ip6_from_u128(ip)));
    return expr_all(l->e, expr_flag(l->e, SYM_ND_NS, true),
                    expr_in(l->e, SYM_IP6_DST, (u128[]){ip, group}, 2),
                    expr_eq(l->e, SYM_ND_TARGET, ip), NULL);
}

struct actions *lflows_next(const struct lflow_out *l)
{
    return lflows_literal_actions(l, "next;");
}

struct actions *lflows_admit(const struct lflow_out *l, uint64_t mac)
{
    return actions_of(l->a, lflow_reg_load(l->a, LREG_ROUTER_INPORT_MAC, mac), action_next(l->a),
                      NULL);
}

struct actions *lflows_drop(const struct lflow_out *l)
{
    return actions_drop(l->a);
}

struct actions *lflows_output(const struct lflow_out *l)
{
    return lflows_literal_actions(l, "output;");
}

struct actions *lflows_output_to(const struct lflow_out *l, const char *port)
{
    return actions_of(l->a, action_load_str(l->a, SYM_OUTPORT, port), action_output(l->a), NULL);
}

struct actions *lflows_output_port(const struct lflow_out *l, const struct rstr *port)
{
    return actions_of(l->a, action_load_name(l->a, SYM_OUTPORT, port), action_output(l->a), NULL);
}

struct action *lflows_load_mac(const struct lflow_out *l, enum symbol_id dst, uint64_t mac)
{
    return action_load_as(l->a, dst, mac, CONST_MAC);
}

struct action *lflows_load_ip(const struct lflow_out *l, enum symbol_id dst,
                              const struct address *address)
{
    return action_load_as(l->a, dst, address_value(address),
                          address->version == 6 ? CONST_IP6 : CONST_IP4);
}

static const char send_back[] = "outport = inport; flags.loopback = 1; output;";

struct actions *lflows_send_back(const struct lflow_out *l, struct actions *head)
{
    return actions_join(head, lflows_literal_actions(l, send_back));
}

/* DST = MAC; 0 is kept in a register since admission. */
static struct action *load_port_mac(const struct lflow_out *l, enum symbol_id dst, uint64_t mac)
{
    return mac ? lflows_load_mac(l, dst, mac)
               : action_move_bits(l->a, action_bits(l->a, dst, 0, 48),
                                  lflow_reg(l->a, LREG_ROUTER_INPORT_MAC));
}

struct actions *lflows_arp_reply(const struct lflow_out *l, uint64_t mac,
                                 const struct address *address)
{
    struct lflow_list reply = {.n = 0};
    lflows_put(l, &reply, "eth.dst = eth.src;");
    lflows_put_one(&reply, load_port_mac(l, SYM_ETH_SRC, mac));
    lflows_put(l, &reply, "arp.op = 2; arp.tha = arp.sha;");
    lflows_put_one(&reply, load_port_mac(l, SYM_ARP_SHA, mac));
    lflows_put(l, &reply, "arp.tpa = arp.spa;");
    lflows_put_one(&reply, lflows_load_ip(l, SYM_ARP_SPA, address));
    lflows_put(l, &reply, send_back);
    return lflows_list(l, &reply);
}

struct actions *lflows_nd_reply(const struct lflow_out *l, enum action_op op, uint64_t mac,
                                const struct address *address)
{
    struct lflow_list reply = {.n = 0};
    lflows_put_one(&reply, load_port_mac(l, SYM_ETH_SRC, mac));
    lflows_put_one(&reply, lflows_load_ip(l, SYM_IP6_SRC, address));
    lflows_put_one(&reply, lflows_load_ip(l, SYM_ND_TARGET, address));
    lflows_put_one(&reply, load_port_mac(l, SYM_ND_TLL, mac));
    lflows_put(l, &reply, send_back);
    return actions_of(l->a, action_nest(l->a, op, lflows_list(l, &reply)), NULL);
}
