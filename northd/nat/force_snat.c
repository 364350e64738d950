/* force_snat.c - on a gateway router: connections that come in by DNAT or a load balancer leave with an address of the router as
 * their source, so that answers come back through it (rooms 1 to 3 of docs/architecture.md; ovn-nb(5), Logical_Router
 * options:dnat_force_snat_ip and lb_force_snat_ip). DNAT rules and load balancers set the flag, here is what it does.
 */
#include "northd/nat/nat.h"

#include <string.h>

#include "rows/nb.h"

static const struct {
    const char *option;
    unsigned priority;
    enum symbol_id flag;
} kinds[] = {
    [FORCE_SNAT_DNAT] = {"dnat_force_snat_ip", 100, SYM_FLAGS_FORCE_SNAT_FOR_DNAT},
    [FORCE_SNAT_LB] = {"lb_force_snat_ip", 100, SYM_FLAGS_FORCE_SNAT_FOR_LB},
};

enum { ROUTER_IP_PRIORITY = 110 };

static void emit(struct inc_ctx *ctx, struct northd_program *p, const struct uuid *lr, size_t what,
                 const struct address *address)
{
    struct fact_force_snat f;
    INC_CLEAR(f);
    f.lr = *lr;
    f.what = what;
    if (address)
        f.address = *address;
    inc_emit(ctx, p->nat.force_snat, &f);
}

/* An address of each version, at most, by spaces. */
static void parse(struct inc_ctx *ctx, struct northd_program *p, const struct uuid *lr, size_t what,
                  const char *text)
{
    bool seen[7] = {false};
    char *copy = xstrdup(text), *save = NULL;
    for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save)) {
        struct ip_addr ip;
        if (ip_addr_parse(w, &ip) || seen[ip.version]) {
            program_complain(ctx, p, lr, "options:%s \"%s\" is not an IPv4 and an IPv6 address",
                             kinds[what].option, text);
            break;
        }
        seen[ip.version] = true;
        struct address a = address_make(ip.version, ip_addr_to_u128(&ip), ip_addr_bits(&ip));
        emit(ctx, p, lr, what, &a);
    }
    free(copy);
}

void nat_force_snat(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct feed_row *row = inc_read_one(ctx, p->in_lr_by_uuid, key);
    for (size_t what = 0; what < ARRAY_SIZE(kinds); what++) {
        const char *text =
            nb_logical_router_options_value(nb_logical_router_cast(row->row), kinds[what].option);
        if (!text)
            continue;
        if (what == FORCE_SNAT_LB && !strcmp(text, "router_ip"))
            emit(ctx, p, key, what, NULL);
        else
            parse(ctx, p, key, what, text);
    }
}

/* --- Flows */

static struct actions *snat_to(const struct lflow_out *l, const struct address *a)
{
    return actions_of(l->a,
                      action_ct_nat(l->a, ACTION_CT_SNAT, address_value(a),
                                    a->version == 6 ? CONST_IP6 : CONST_IP4),
                      NULL);
}

static struct expr *is_ip(const struct lflow_out *l, const struct address *a)
{
    return expr_flag(l->e, a->version == 6 ? SYM_IP6 : SYM_IP4, true);
}

static void force(const struct lflow_out *l, const struct fact_force_snat *f)
{
    lflows_emit(l, STAGE_RTR_IN_UNSNAT, 110,
                expr_and(l->e, is_ip(l, &f->address), lflows_ip_dst(l, &f->address)),
                lflows_actions(l, "ct_snat;"));
    lflows_emit(l, STAGE_RTR_OUT_SNAT, kinds[f->what].priority,
                expr_and(l->e, expr_flag(l->e, kinds[f->what].flag, true), is_ip(l, &f->address)),
                snat_to(l, &f->address));
}

/* To the first address of each version that the port has, link-local ones not among them. */
static void force_port(const struct lflow_out *l, const struct fact_force_snat *f,
                       const struct fact_lrp *lrp)
{
    bool seen[7] = {false};
    const struct fact_network *n;
    INC_FOR_EACH(n, inc_read(l->ctx, l->p->network_by_lrp, &lrp->uuid))
    {
        struct address own = n->address;
        if (n->link_local || seen[own.version])
            continue;
        seen[own.version] = true;
        own.plen = (uint16_t)address_bits(&own);
        lflows_emit(l, STAGE_RTR_IN_UNSNAT, 110,
                    expr_and(l->e, lflows_inport(l, lrp->name), lflows_ip_dst(l, &own)),
                    lflows_actions(l, "ct_snat;"));
        lflows_emit(l, STAGE_RTR_OUT_SNAT, ROUTER_IP_PRIORITY,
                    expr_all(l->e, expr_flag(l->e, kinds[f->what].flag, true), is_ip(l, &own),
                             lflows_outport(l, lrp->name), NULL),
                    snat_to(l, &own));
    }
}

void nat_force_snat_flows(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    struct lflow_out l = lflows_begin(ctx, p, key, key);
    const struct fact_force_snat *f;
    const struct fact_lrp *lrp;
    INC_FOR_EACH(f, inc_read(ctx, p->nat.force_snat_by_lr, key))
    {
        if (f->address.version)
            force(&l, f);
        else
            INC_FOR_EACH(lrp, inc_read(ctx, p->lrp_by_lr, key))
        force_port(&l, f, lrp);
    }
}
