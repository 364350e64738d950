/* place.c - how each port of a local datapath is reached from this hypervisor, and what that makes of multicast groups.
 *
 * Rooms 5 and 8. A port is HERE (an interface of the bridge), at the end of a TUNNEL (bound to another chassis), or a PATCH
 * to the other datapath. A multicast group reaches its members here one by one, and each other hypervisor once. Units: ports; members of groups.
 */
#include "controller/program.h"

/* Where a VIF is: HERE when an interface carries its name and nobody else holds it; else on its chassis. */
static bool locate_vif(struct inc_ctx *ctx, struct program *p, const struct fact_port *port,
                       struct fact_place *f)
{
    const struct fact_self *self = inc_read_one(ctx, p->self_all, NULL);
    const struct fact_iface *iface = inc_read_one(ctx, p->iface_by_id, &port->name);
    bool is_ours = self && uuid_equal(&port->chassis, &self->chassis);
    if (iface && (is_ours || port->type == PORT_LOCALPORT)) {
        f->how = PLACE_HERE;
        f->ofport = iface->ofport;
        return true;
    }
    if (is_ours || uuid_is_zero(&port->chassis))
        return false;
    const struct fact_chassis *chassis = inc_read_one(ctx, p->chassis_by_uuid, &port->chassis);
    const struct fact_tunnel *tunnel =
        chassis ? inc_read_one(ctx, p->tunnel_by_chassis, &chassis->name) : NULL;
    if (!tunnel)
        return false;
    f->how = PLACE_TUNNEL;
    f->ofport = tunnel->ofport;
    return true;
}

static bool locate_patch(struct inc_ctx *ctx, struct program *p, const struct fact_port *port,
                         struct fact_place *f)
{
    const struct fact_port *peer =
        port->peer ? inc_read_one(ctx, p->port_by_name, &port->peer) : NULL;
    const struct fact_datapath *datapath =
        peer ? inc_read_one(ctx, p->datapath_by_uuid, &peer->datapath) : NULL;
    if (!datapath)
        return false;
    f->how = PLACE_PATCH;
    f->peer_key = peer->key;
    f->peer_dp_key = datapath->key;
    return true;
}

void place_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct program *p = aux;
    const struct fact_port *port = inc_read_one(ctx, p->port_by_uuid, key);
    if (!inc_read(ctx, p->local_by_datapath, &port->datapath).n)
        return;
    const struct fact_datapath *datapath = inc_read_one(ctx, p->datapath_by_uuid, &port->datapath);
    if (!datapath)
        return;
    struct fact_place f;
    INC_CLEAR(f);
    f.port = port->uuid;
    f.datapath = port->datapath;
    f.key = port->key;
    f.dp_key = datapath->key;
    bool is_placed = port->type == PORT_PATCH ? locate_patch(ctx, p, port, &f)
                     : port->type == PORT_VIF || port->type == PORT_LOCALPORT
                         ? locate_vif(ctx, p, port, &f)
                         : false;
    if (is_placed)
        inc_emit(ctx, p->place, &f);
}

/* One port of a group: KEY is the Multicast_Group row and the port's row. */
void place_member_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct program *p = aux;
    const struct feed_ref *element = key;
    const struct fact_place *place = inc_read_one(ctx, p->place_by_port, &element->to);
    if (!place)
        return;
    struct fact_member f;
    INC_CLEAR(f);
    f.group = element->row;
    f.how = place->how;
    f.number = place->how == PLACE_TUNNEL ? place->ofport : place->key;
    inc_emit(ctx, p->member, &f);
}
