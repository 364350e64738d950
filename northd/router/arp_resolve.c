/* arp_resolve.c - next hops whose MAC is known from NB (room 3 of docs/architecture.md; docs/seeds.md MB-46, MB-54): addresses of
 * switch ports in the networks of the router ports of their switch, other routers on the switch, and the router at the
 * other end of a direct link. The rest is looked up among what was learned (defaults.c).
 */
#include "northd/lflows.h"
#include "northd/router/router.h"

static void resolve(const struct lflow_out *l, const struct rstr *outport, const struct address *ip,
                    uint64_t mac)
{
    lflows_emit(l, STAGE_RTR_IN_ARP_RESOLVE, 100,
                expr_and(l->e, lflows_outport(l, outport), lflows_next_hop(l, ip)),
                actions_of(l->a, lflows_load_mac(l, SYM_ETH_DST, mac), action_next(l->a), NULL));
}

bool router_is_neighbor(struct inc_ctx *ctx, struct northd_program *p, const struct uuid *lrp,
                        const struct address *ip)
{
    const struct fact_network *n;
    INC_FOR_EACH(n, inc_read(ctx, p->network_by_lrp, lrp))
    if (address_in(ip, &n->address))
        return true;
    return false;
}

void router_resolve_port(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_lsp *lsp = inc_read_one(ctx, p->lsp_by_uuid, key);
    if (lsp->type == LSP_ROUTER || lsp->type == LSP_VIRTUAL || lsp->flags & PORT_DISABLED)
        return;
    const struct fact_link *link;
    INC_FOR_EACH(link, inc_read(ctx, p->link_by_ls, &lsp->ls))
    {
        struct lflow_out l = lflows_begin(ctx, p, &link->lr, &lsp->uuid);
        const struct fact_port_addr *addr;
        INC_FOR_EACH(addr, inc_read(ctx, p->port_addr_by_lsp, key))
        if (addr->ip.version && router_is_neighbor(ctx, p, &link->lrp, &addr->ip))
            resolve(&l, link->lrp_name, &addr->ip, addr->mac);
    }
}

/* The networks of router port OTHER, as next hops of LR through OUTPORT. */
static void resolve_router(struct inc_ctx *ctx, struct northd_program *p, const struct uuid *lr,
                           const struct rstr *outport, const struct uuid *other)
{
    const struct fact_datapath *dp = inc_read_one(ctx, p->datapath_by_uuid, lr);
    if (!dp || dp->flags & DATAPATH_NO_STATIC_NEIGHBORS)
        return;
    struct lflow_out l = lflows_begin(ctx, p, lr, other);
    const struct fact_network *n;
    INC_FOR_EACH(n, inc_read(ctx, p->network_by_lrp, other))
    resolve(&l, outport, &n->address, n->mac);
}

void router_resolve_link(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_link *own = inc_read_one(ctx, p->link_by_lsp, key), *other;
    INC_FOR_EACH(other, inc_read(ctx, p->link_by_ls, &own->ls))
    if (!uuid_equal(&other->lsp, &own->lsp))
        resolve_router(ctx, p, &own->lr, own->lrp_name, &other->lrp);
}

void router_resolve_peer(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_router_peer *pair = inc_read_one(ctx, p->router_peer_by_lrp, key);
    resolve_router(ctx, p, &pair->lr, pair->lrp_name, &pair->peer);
}
