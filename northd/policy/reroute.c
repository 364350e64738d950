/* reroute.c - routing policies: after the routes have spoken, packets that match are let go on, dropped, or sent to other next hops (rooms
 * 1 and 3 of docs/architecture.md; ovn-nb(5), Logical_Router_Policy; ovn-northd(8), Router policies). Of several next
 * hops one is chosen for each connection, as among equal routes.
 *
 * A next hop must be in a network of a port of the router; one that is not is left out, and a policy with none too. One behind a port that is
 * disabled stays: what the policy steers there is dropped, rather than going where the policy does not want it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/diag.h"
#include "northd/ecmp/ecmp.h"
#include "northd/policy/policy.h"
#include "northd/router/router.h"
#include "rows/nb.h"

struct hop {
    struct address address;
    const struct fact_network *network;
};

struct hops {
    struct hop *v;
    size_t n;
    const char *bad; /* the first text that leads nowhere */
};

static bool resolve(struct inc_ctx *ctx, struct northd_program *p, const struct uuid *lr,
                    const char *text, struct hop *ret)
{
    struct ip_addr ip;
    if (ip_addr_parse(text, &ip))
        return false;
    ret->address = address_make(ip.version, ip_addr_to_u128(&ip), ip_addr_bits(&ip));
    ret->network = router_network_of(ctx, p, lr, &ret->address);
    return ret->network;
}

static void add(struct inc_ctx *ctx, struct northd_program *p, const struct uuid *lr,
                const char *text, struct hops *hops)
{
    if (resolve(ctx, p, lr, text, &hops->v[hops->n]))
        hops->n++;
    else if (!hops->bad)
        hops->bad = text;
}

/* The column nexthops, or the older nexthop. */
static struct hops read_hops(struct inc_ctx *ctx, struct northd_program *p, const struct uuid *lr,
                             const struct nb_logical_router_policy *policy)
{
    const struct datum *set = nb_logical_router_policy_nexthops(policy);
    struct hops hops = {.v = arena_alloc(inc_arena(ctx), (set->n + 1) * sizeof *hops.v)};
    const char *one = nb_logical_router_policy_nexthop(policy);
    for (size_t i = 0; i < set->n; i++)
        add(ctx, p, lr, set->atoms[i].string->s, &hops);
    if (!set->n && one)
        add(ctx, p, lr, one, &hops);
    return hops;
}

static bool is_reroute(const struct nb_logical_router_policy *policy)
{
    return !strcmp(nb_logical_router_policy_action(policy), "reroute");
}

void policy_group(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct feed_row *row = inc_read_one(ctx, p->policy.in_policy_by_uuid, key);
    const struct nb_logical_router_policy *policy = nb_logical_router_policy_cast(row->row);
    const struct feed_ref *on;
    if (!is_reroute(policy))
        return;
    INC_FOR_EACH(on, inc_read(ctx, p->policy.in_lr_policy_by_policy, key))
    if (read_hops(ctx, p, &on->row, policy).n > 1)
        ecmp_want(ctx, p, &on->row, ECMP_POLICIES, key);
}

/* --- Flows */

struct writing {
    struct lflow_out l;
    const struct nb_logical_router_policy *row;
    const struct uuid *uuid;
    struct expr *match; /* borrowed */
    unsigned priority;
};

/* pkt.mark = N; or nothing. */
static struct actions *mark(const struct writing *w)
{
    const char *text = nb_logical_router_policy_options_value(w->row, "pkt_mark");
    char *end = NULL;
    unsigned long long value = text ? strtoull(text, &end, 0) : 0;
    if (!text)
        return actions_drop(w->l.a);
    if (*end || !*text || *text == '-' || value > UINT32_MAX) {
        program_complain(w->l.ctx, w->l.p, w->uuid,
                         "policy: options:pkt_mark \"%s\" is not a number of 32 bits", text);
        return actions_drop(w->l.a);
    }
    return lflows_actions(&w->l, "pkt.mark = %llu;", value);
}

static void emit(const struct writing *w, struct actions *actions)
{
    lflows_emit(&w->l, STAGE_RTR_IN_POLICY, w->priority, expr_ref(w->match), actions);
}

static struct actions *to_hop(const struct writing *w, const struct hop *hop, const char *then)
{
    return actions_join(router_hop(&w->l, hop->network, &hop->address),
                        lflows_actions(&w->l, "%s", then));
}

static void reroute(const struct writing *w)
{
    const struct lflow_out *l = &w->l;
    struct hops hops = read_hops(l->ctx, l->p, &l->datapath, w->row);
    if (hops.bad)
        program_complain(l->ctx, l->p, w->uuid,
                         "policy: next hop \"%s\" is in the network of no port of the router",
                         hops.bad);
    if (hops.n == 1) {
        emit(w, actions_join(mark(w),
                             to_hop(w, &hops.v[0], "flags.loopback = 1; reg8[0..15] = 0; next;")));
        return;
    }
    unsigned number = hops.n ? ecmp_number_of(l->ctx, l->p, &l->datapath, w->uuid) : 0;
    if (!number)
        return;
    emit(w, ecmp_select(l, mark(w), number, hops.n));
    for (size_t i = 0; i < hops.n; i++)
        lflows_emit(l, STAGE_RTR_IN_POLICY_ECMP, 100, ecmp_chosen(l, number, i + 1),
                    to_hop(w, &hops.v[i], "flags.loopback = 1; next;"));
}

static void write_policy(const struct writing *w)
{
    const char *action = nb_logical_router_policy_action(w->row);
    if (is_reroute(w->row))
        reroute(w);
    else if (!strcmp(action, "drop"))
        emit(w, lflows_drop(&w->l));
    else if (!strcmp(action, "allow"))
        emit(w, actions_join(mark(w), lflows_actions(&w->l, "reg8[0..15] = 0; next;")));
    else
        program_complain(w->l.ctx, w->l.p, w->uuid, "policy: action \"%s\" is not acted on",
                         action);
}

void policy_flows(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct feed_row *row = inc_read_one(ctx, p->policy.in_policy_by_uuid, key);
    const struct nb_logical_router_policy *policy = nb_logical_router_policy_cast(row->row);
    const struct feed_ref *on;
    struct diag diag = DIAG_INIT;
    struct expr *match = NULL;
    const char *text = nb_logical_router_policy_match(policy);
    if (nb_logical_router_policy_chain(policy) && *nb_logical_router_policy_chain(policy)) {
        program_complain(ctx, p, key, "policy: chains are not acted on");
    } else if (expr_parse(p->exprs, text, NULL, &match, &diag)) {
        program_complain(ctx, p, key, "policy: match \"%s\": %s", text, diag_text(&diag));
    } else {
        INC_FOR_EACH(on, inc_read(ctx, p->policy.in_lr_policy_by_policy, key))
        {
            struct writing w = {.l = lflows_begin(ctx, p, &on->row, key),
                                .row = policy,
                                .uuid = key,
                                .match = match,
                                .priority = (unsigned)nb_logical_router_policy_priority(policy)};
            write_policy(&w);
        }
    }
    diag_fini(&diag);
    expr_unref(match);
}
