/* reach.c - roots and edges of the datapaths that matter here: a datapath is local when one of its ports is on this hypervisor, or
 * when a patch port of a local datapath leads to it.
 *
 * Room 5. The closure itself is the engine's built-in kind "reach" (program.c). Units are ports.
 */
#include "controller/program.h"

/* A VIF with an interface here makes its datapath a root, whether it is claimed yet or not. */
void reach_root_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct program *p = aux;
    const struct fact_port *port = inc_read_one(ctx, p->port_by_uuid, key);
    if (port->type != PORT_VIF && port->type != PORT_LOCALPORT)
        return;
    if (!inc_read(ctx, p->iface_by_id, &port->name).n)
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
    if (port->type != PORT_PATCH || !port->peer)
        return;
    const struct fact_port *peer = inc_read_one(ctx, p->port_by_name, &port->peer);
    if (!peer)
        return;
    struct fact_edge f;
    INC_CLEAR(f);
    f.from = port->datapath;
    f.to = peer->datapath;
    inc_emit(ctx, p->edge, &f);
}
