/* vip.c - one VIP of a load balancer into the flows that it makes wherever the load balancer is (rooms 2 and 3 of
 * docs/architecture.md; ovn-northd(8) "Pre-stateful", "LB", "LB affinity", "Defrag", "DNAT"). lb_flow says where each goes.
 *
 * On a switch the VIP and its port are kept in reg1 (xxreg1) and reg2[0..15] before translation, for hairpins and affinity; on a
 * router in reg0 (xxreg0) and reg9[16..31]. reg9[6] says that the client has a backend already, which chk_lb_aff left in reg4 and
 * reg8[0..15] (IPv6: xxreg0 on a switch, xxreg1 on a router).
 */
#include "base/vec.h"
#include "northd/lb/lb.h"

struct vip {
    struct lflow_out l;
    const struct fact_lb *lb;
    struct fact_lb_flow flow; /* where the next one begins */
    struct lb_endpoint vip;
    bool v6;
    VEC(struct lb_endpoint) named, backends; /* named: also those that do not answer checks */
};

/* Emits a flow and takes over its parts. */
static void put(struct vip *v, enum lb_where where, enum stage stage, unsigned priority,
                struct expr *match, struct actions *actions)
{
    v->flow.where = (uint16_t)where;
    v->flow.stage = (uint16_t)stage;
    v->flow.priority = priority;
    v->flow.match = match;
    v->flow.actions = actions;
    v->flow.n++;
    inc_emit_take(v->l.ctx, v->l.p->lb.flow, &v->flow);
}

/* --- Parts */

/* SYM == the address of E, and its port as the destination's. */
static struct expr *goes_to(const struct vip *v, const struct lb_endpoint *e)
{
    struct expr *ip = lflows_ip_dst(&v->l, &e->ip);
    return e->port ? expr_and(v->l.e, ip,
                              lflows_match(&v->l, "%s.dst == %u", v->lb->protocol->s, e->port))
                   : ip;
}

/* A register, or registers, that hold the address of E and its port. */
static struct expr *kept(const struct vip *v, const struct lb_endpoint *e, const char *ip_reg,
                         const char *port_reg)
{
    struct str s = STR_INIT;
    str_putf(&s, "%s && %s == ", v->v6 ? "ip6" : "ip4", ip_reg);
    address_put(&s, &e->ip);
    if (e->port)
        str_putf(&s, " && %s == %u", port_reg, e->port);
    struct expr *match = lflows_match(&v->l, "%s", str_c(&s));
    str_fini(&s);
    return match;
}

static struct actions *keep(const struct vip *v, const char *ip_reg, const char *port_reg)
{
    struct str s = STR_INIT;
    str_putf(&s, "%s = ", ip_reg);
    address_put(&s, &v->vip.ip);
    str_putc(&s, ';');
    if (v->vip.port && port_reg)
        str_putf(&s, " %s = %u;", port_reg, v->vip.port);
    struct actions *actions = lflows_actions(&v->l, "%s", str_c(&s));
    str_fini(&s);
    return actions;
}

static void put_backends(const struct vip *v, size_t from, size_t to, struct str *out)
{
    for (size_t i = from; i < to; i++) {
        if (i > from)
            str_putc(out, ',');
        lb_endpoint_put(out, &v->backends.data[i]);
    }
}

/* HEAD ct_lb_mark(backends FROM to TO, and how) */
static struct actions *translate(const struct vip *v, const char *head, size_t from, size_t to,
                                 bool by_hash, const char *snat)
{
    struct str s = STR_INIT;
    str_putf(&s, "%sct_lb_mark(backends=", head);
    put_backends(v, from, to, &s);
    if (by_hash && v->lb->hash_fields)
        str_putf(&s, "; hash_fields=\"%s\"", v->lb->hash_fields->s);
    if (*snat)
        str_putf(&s, "; %s", snat);
    struct actions *actions = lflows_actions(&v->l, "%s);", str_c(&s));
    str_fini(&s);
    return actions;
}

/* What happens to a new connection: a backend is chosen; without any, it is refused or dropped. */
static struct actions *choose(const struct vip *v, const char *head, const char *snat,
                              enum stage after)
{
    if (v->backends.n)
        return translate(v, head, 0, v->backends.n, true, snat);
    if (v->lb->flags & LB_REJECT)
        return lflows_actions(
            &v->l, "%sreg0 = 0; reject { outport <-> inport; next(pipeline=egress,table=%u); };",
            snat[0] ? head : "", stage_info(after)->table);
    return lflows_drop(&v->l);
}

/* --- Flows */

/* options:event, or NB_Global options:controller_event: somebody who watches Controller_Event starts backends. */
static void tell_event(struct vip *v)
{
    char uuid[UUID_TEXT_LEN + 1];
    struct str name = STR_INIT;
    if (v->named.n || v->lb->flags & LB_REJECT ||
        (!(v->lb->flags & LB_EVENT) &&
         !program_option_is(v->l.ctx, v->l.p, "controller_event", false)))
        return;
    lb_endpoint_put(&name, &v->vip);
    static const struct {
        enum lb_where where;
        enum stage stage;
    } at[] = {{LB_SWITCH, STAGE_SW_IN_PRE_LB}, {LB_ROUTER, STAGE_RTR_IN_DNAT}};
    for (size_t i = 0; i < ARRAY_SIZE(at); i++)
        put(v, at[i].where, at[i].stage, 130, goes_to(v, &v->vip),
            lflows_actions(&v->l,
                           "trigger_event(event = \"empty_lb_backends\", vip = \"%s\", protocol = "
                           "\"%s\", load_balancer = \"%s\");",
                           str_c(&name), v->lb->protocol->s, uuid_print(&v->lb->uuid, uuid)));
    str_fini(&name);
}

static void on_switch(struct vip *v)
{
    struct expr_pool *e = v->l.e;
    put(v, LB_SWITCH, STAGE_SW_IN_PRE_STATEFUL, 120,
        expr_and(e, lflows_match(&v->l, "reg0[2] == 1"), goes_to(v, &v->vip)),
        actions_join(keep(v, v->v6 ? "xxreg1" : "reg1", "reg2[0..15]"),
                     lflows_actions(&v->l, "ct_lb_mark;")));
    put(v, LB_SWITCH, STAGE_SW_IN_LB, v->vip.port ? 120 : 110,
        expr_and(e, expr_flag(e, SYM_CT_NEW, true), goes_to(v, &v->vip)),
        choose(v, "reg0[1] = 0; ", "", STAGE_SW_OUT_QOS_MARK));
}

/* How a router without and with lb_force_snat_ip treats the source of what it translates. */
static const struct snat_mode {
    enum lb_where where;
    const char *head, *option;
} modes[] = {{LB_ROUTER_PLAIN, "", ""},
             {LB_ROUTER_FORCE_SNAT, "flags.force_snat_for_lb = 1; ", "force_snat"}};
static const struct snat_mode skip_snat = {LB_ROUTER, "flags.skip_snat_for_lb = 1; ", "skip_snat"};

static size_t get_modes(const struct vip *v, const struct snat_mode **ret)
{
    bool skip = v->lb->flags & LB_SKIP_SNAT;
    *ret = skip ? &skip_snat : modes;
    return skip ? 1 : ARRAY_SIZE(modes);
}

static struct expr *new_to_vip(const struct vip *v)
{
    return expr_and(v->l.e, lflows_match(&v->l, "ct.new && !ct.rel"), goes_to(v, &v->vip));
}

/* What backends send by a distributed gateway port gets the VIP back there. A backend that is left out still has connections. */
static void on_gateway_port(struct vip *v)
{
    struct expr *from = NULL;
    const struct lb_endpoint *b;
    VEC_FOR_EACH (b, &v->named) {
        struct expr *one = lflows_ip_src(&v->l, &b->ip);
        if (b->port)
            one = expr_and(v->l.e, one,
                           lflows_match(&v->l, "%s.src == %u", v->lb->protocol->s, b->port));
        from = from ? expr_or(v->l.e, from, one) : one;
    }
    if (from)
        put(v, LB_GATEWAY_PORT, STAGE_RTR_OUT_UNDNAT, 120, from,
            lflows_actions(&v->l, "%sct_dnat_in_czone;",
                           v->lb->flags & LB_SKIP_SNAT ? "flags.skip_snat_for_lb = 1; " : ""));
}

static void on_router(struct vip *v)
{
    const struct snat_mode *m;
    size_t n = get_modes(v, &m);
    put(v, LB_ROUTER, STAGE_RTR_IN_DEFRAG, 100, lflows_ip_dst(&v->l, &v->vip.ip),
        lflows_actions(&v->l, "ct_dnat;"));
    for (size_t i = 0; i < n; i++)
        put(v, m[i].where, STAGE_RTR_IN_DNAT, v->vip.port ? 120 : 110, new_to_vip(v),
            choose(v, m[i].head, m[i].option, STAGE_RTR_OUT_SNAT));
}

/* --- Affinity: for a time a client gets the backend that it had */

static struct actions *learn(const struct vip *v, size_t i)
{
    struct str s = STR_INIT;
    str_put(&s, "commit_lb_aff(vip = \"");
    lb_endpoint_put(&s, &v->vip);
    str_put(&s, "\", backend = \"");
    lb_endpoint_put(&s, &v->backends.data[i]);
    str_putc(&s, '"');
    if (v->vip.port)
        str_putf(&s, ", proto = %s", v->lb->protocol->s);
    struct actions *actions =
        lflows_actions(&v->l, "%s, timeout = %u);", str_c(&s), v->lb->affinity);
    str_fini(&s);
    return actions;
}

static struct expr *again_to(const struct vip *v, size_t i, const char *ip_reg)
{
    return expr_and(v->l.e, lflows_match(&v->l, "reg9[6] == 1 && ct.new"),
                    kept(v, &v->backends.data[i], ip_reg, "reg8[0..15]"));
}

static struct expr *first_to(const struct vip *v, size_t i, const char *ip_reg,
                             const char *port_reg)
{
    return expr_all(v->l.e, lflows_match(&v->l, "reg9[6] == 0 && ct.new"),
                    kept(v, &v->vip, ip_reg, port_reg), goes_to(v, &v->backends.data[i]), NULL);
}

static void affinity_on_switch(struct vip *v)
{
    const char *own = v->v6 ? "xxreg1" : "reg1", *chosen = v->v6 ? "xxreg0" : "reg4";
    put(v, LB_SWITCH, STAGE_SW_IN_LB_AFF_CHECK, 100,
        expr_and(v->l.e, expr_flag(v->l.e, SYM_CT_NEW, true), kept(v, &v->vip, own, "reg2[0..15]")),
        lflows_actions(&v->l, "reg9[6] = chk_lb_aff(); next;"));
    for (size_t i = 0; i < v->backends.n; i++) {
        put(v, LB_SWITCH, STAGE_SW_IN_LB, 150, again_to(v, i, chosen),
            actions_join(
                lflows_actions(&v->l, "reg0[1] = 0;"),
                actions_join(keep(v, own, "reg2[0..15]"), translate(v, "", i, i + 1, false, ""))));
        put(v, LB_SWITCH, STAGE_SW_IN_LB_AFF_LEARN, 100, first_to(v, i, own, "reg2[0..15]"),
            learn(v, i));
    }
}

static void affinity_on_router(struct vip *v)
{
    const char *own = v->v6 ? "xxreg0" : "reg0", *chosen = v->v6 ? "xxreg1" : "reg4";
    const struct snat_mode *m;
    size_t n = get_modes(v, &m);
    struct str port = STR_INIT;
    if (v->vip.port)
        str_putf(&port, "reg9[16..31] = %s.dst; ", v->lb->protocol->s);
    put(v, LB_ROUTER, STAGE_RTR_IN_LB_AFF_CHECK, 100, new_to_vip(v),
        lflows_actions(&v->l, "%s = %s.dst; %sreg9[6] = chk_lb_aff(); next;", own,
                       v->v6 ? "ip6" : "ip4", str_c(&port)));
    str_fini(&port);
    for (size_t i = 0; i < v->backends.n; i++) {
        for (size_t k = 0; k < n; k++)
            put(v, m[k].where, STAGE_RTR_IN_DNAT, 150, again_to(v, i, chosen),
                actions_join(keep(v, own, NULL),
                             translate(v, m[k].head, i, i + 1, false, m[k].option)));
        put(v, LB_ROUTER, STAGE_RTR_IN_LB_AFF_LEARN, 100, first_to(v, i, own, "reg9[16..31]"),
            learn(v, i));
    }
}

/* --- */

static void add_backend(struct vip *v, const struct lb_endpoint *e)
{
    struct key_lb_check key;
    INC_CLEAR(key);
    key.lb = v->lb->uuid;
    key.vip = v->vip.ip;
    key.port = v->vip.port;
    vec_push(&v->named, *e);
    if (lb_health_check(v->l.ctx, v->l.p, &key, v->lb->protocol, e))
        vec_push(&v->backends, *e);
}

/* A backend has the VIP's version, and a port if the VIP has one. What does not make sense is left out and told; who does not answer
 * is left out. */
static void parse_backends(struct vip *v, const char *text)
{
    while (*text) {
        size_t n = strcspn(text, ",");
        const char *start = text;
        struct lb_endpoint e;
        text += n + (text[n] == ',');
        for (; n && strchr(" \t", start[0]); start++, n--)
            ;
        for (; n && strchr(" \t", start[n - 1]); n--)
            ;
        if (!n)
            continue;
        if (lb_endpoint_parse(start, n, &e) && e.ip.version == v->vip.ip.version &&
            !e.port == !v->vip.port)
            add_backend(v, &e);
        else
            program_complain(v->l.ctx, v->l.p, &v->lb->uuid,
                             "backend \"%.*s\" of a load balancer does not fit its VIP: it is left "
                             "out",
                             (int)MIN(n, (size_t)64), start);
    }
}

void lb_vip(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct feed_pair *pair = key;
    struct vip v = {.lb = inc_read_one(ctx, p->lb.lb_by_uuid, &pair->row)};
    if (!v.lb)
        return;
    if (!lb_endpoint_parse(pair->key->s, pair->key->n, &v.vip)) {
        program_complain(ctx, p, &pair->row, "\"%.64s\" is no VIP of a load balancer: left out",
                         pair->key->s);
        return;
    }
    v.l = lflows_begin(ctx, p, &pair->row, &pair->row);
    v.v6 = v.vip.ip.version == 6;
    INC_CLEAR(v.flow);
    v.flow.lb = pair->row;
    v.flow.vip = v.vip.ip;
    v.flow.port = v.vip.port;
    parse_backends(&v, pair->value->s);
    struct fact_lb_vip vip;
    INC_CLEAR(vip);
    vip.lb = pair->row;
    vip.ip = v.vip.ip;
    inc_emit(ctx, p->lb.vip, &vip);
    tell_event(&v);
    on_switch(&v);
    on_router(&v);
    on_gateway_port(&v);
    if (v.lb->affinity && v.backends.n) {
        affinity_on_switch(&v);
        affinity_on_router(&v);
    }
    vec_fini(&v.named);
    vec_fini(&v.backends);
}
