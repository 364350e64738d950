/* reach.c - roots and edges of the datapaths that matter here: a datapath is local when one of its ports is on this hypervisor (or may have to
 * be at any moment), or when a patch port of a local datapath leads to it.
 *
 * Room 5. The closure itself is the engine's built-in kind "reach" (program.c). Units are ports.
 */
#include "controller/local/local.h"

/* A VIF with an interface here counts whether it is claimed yet or not. */
static bool is_root(struct inc_ctx *ctx, struct program *p, const struct fact_port *port)
{
    const struct fact_self *self;
    switch ((enum port_type)port->type) {
    case PORT_VIF:
    case PORT_LOCALPORT:
        return inc_read(ctx, p->iface_by_id, port->parent ? &port->parent : &port->name).n;
    case PORT_L2GATEWAY:
    case PORT_L3GATEWAY:
        self = inc_read_one(ctx, p->self_all, NULL);
        return self && port->gateway == self->name;
    case PORT_CHASSISREDIRECT:
    case PORT_EXTERNAL:
        self = inc_read_one(ctx, p->self_all, NULL);
        return local_is_candidate(ctx, p, &port->uuid, self);
    default:
        return false;
    }
}

void reach_root_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct program *p = aux;
    const struct fact_port *port = inc_read_one(ctx, p->port_by_uuid, key);
    if (!is_root(ctx, p, port))
        return;
    struct fact_root f;
    INC_CLEAR(f);
    f.datapath = port->datapath;
    inc_emit(ctx, p->root, &f);
}

void reach_edge_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct program *p = aux;
    const struct fact_port *port = inc_read_one(ctx, p->port_by_uuid, key);
    if ((port->type != PORT_PATCH && port->type != PORT_L3GATEWAY) || !port->peer)
        return;
    if (port->type == PORT_L3GATEWAY) { /* the gateway router is on its chassis only */
        const struct fact_self *self = inc_read_one(ctx, p->self_all, NULL);
        if (!self || port->gateway != self->name)
            return;
    }
    const struct fact_port *peer = inc_read_one(ctx, p->port_by_name, &port->peer);
    if (!peer)
        return;
    struct fact_edge f;
    INC_CLEAR(f);
    f.from = port->datapath;
    f.to = peer->datapath;
    inc_emit(ctx, p->edge, &f);
}
