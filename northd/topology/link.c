/* link.c - which ports are joined: a switch port of type router and the router port that its options:router-port names, and
 * two router ports that name each other in the column peer (rooms 1 and 2 of docs/architecture.md).
 */
#include "northd/topology/topology.h"

void topology_link(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_lsp *lsp = inc_read_one(ctx, p->lsp_by_uuid, key);
    if (lsp->type != LSP_ROUTER || !lsp->peer)
        return;
    const struct fact_lrp *lrp = inc_read_one(ctx, p->lrp_by_name, &lsp->peer);
    if (!lrp || lrp->peer)
        return; /* a router port with a peer of its own kind is not on a switch */
    struct fact_link f;
    INC_CLEAR(f);
    f.ls = lsp->ls;
    f.lsp = lsp->uuid;
    f.lr = lrp->lr;
    f.lrp = lrp->uuid;
    f.lsp_name = lsp->name;
    f.lrp_name = lrp->name;
    f.mac = lrp->mac;
    inc_emit(ctx, p->link, &f);
}

void topology_router_peer(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_lrp *lrp = inc_read_one(ctx, p->lrp_by_uuid, key);
    if (!lrp->peer)
        return;
    const struct fact_lrp *other = inc_read_one(ctx, p->lrp_by_name, &lrp->peer);
    if (!other || other->peer != lrp->name || uuid_equal(&other->uuid, &lrp->uuid))
        return;
    struct fact_router_peer f;
    INC_CLEAR(f);
    f.lr = lrp->lr;
    f.lrp = lrp->uuid;
    f.peer = other->uuid;
    f.lrp_name = lrp->name;
    f.peer_name = other->name;
    inc_emit(ctx, p->router_peer, &f);
}
