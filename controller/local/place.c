/* place.c - how each port of a local datapath is reached from this hypervisor, and what that makes of multicast groups.
 *
 * Rooms 5 and 8. A port is HERE (behind an interface of the bridge), at the end of a TUNNEL (bound to another chassis), a PATCH to the other
 * datapath, or a REDIRECT: what is for it is for another port of its datapath (a chassisredirect port's router port; the localnet port of a
 * switch on a physical network). A multicast group reaches its members here one by one, and each other hypervisor once.
 * Units: ports; members of groups.
 */
#include "controller/local/local.h"

/* --- Where a port is */

struct locating {
    struct inc_ctx *ctx;
    struct program *p;
    const struct fact_self *self;
    const struct fact_port *port;
    struct fact_place *f;
};

static bool is_ours(const struct locating *l)
{
    return l->self && uuid_equal(&l->port->chassis, &l->self->chassis);
}

static bool to_chassis(struct locating *l, struct rstr *chassis, const struct uuid *encap)
{
    const struct fact_tunnel *tunnel = local_tunnel(l->ctx, l->p, chassis, encap);
    if (!tunnel)
        return false;
    l->f->how = PLACE_TUNNEL;
    l->f->ofport = tunnel->ofport;
    l->f->tunnel_type = (uint8_t)tunnel->type;
    l->f->tunnel_option = tunnel->option;
    /* Copies for all ports of a chassis take one way, whatever end points these prefer. */
    const struct fact_tunnel *first = local_tunnel(l->ctx, l->p, chassis, NULL);
    l->f->group_ofport = first->ofport;
    l->f->group_tunnel_type = (uint8_t)first->type;
    return true;
}

/* On the chassis that it is bound to, which is another one. */
static bool locate_remote(struct locating *l)
{
    const struct fact_chassis *chassis =
        uuid_is_zero(&l->port->chassis) || is_ours(l)
            ? NULL
            : inc_read_one(l->ctx, l->p->chassis_by_uuid, &l->port->chassis);
    return chassis && to_chassis(l, chassis->name, &l->port->encap);
}

static bool redirect_to(struct locating *l, uint32_t key)
{
    l->f->how = PLACE_REDIRECT;
    l->f->peer_key = key;
    return true;
}

/* Over the physical network that the datapath is on. */
static bool locate_localnet(struct locating *l)
{
    const struct fact_localnet *net =
        inc_read_one(l->ctx, l->p->localnet_by_datapath, &l->port->datapath);
    return net && redirect_to(l, net->key);
}

/* False: the port has to wait for its zone. */
static bool take_zone(struct locating *l)
{
    return local_zone(l->ctx, l->p, l->port->name->s, 0, &l->f->zones.port);
}

static bool here(struct locating *l, uint32_t ofport, uint32_t flags)
{
    l->f->how = PLACE_HERE;
    l->f->ofport = ofport;
    l->f->flags = flags;
    l->f->tag = l->port->tag;
    return take_zone(l);
}

/* The port whose interface a nested one shares. */
static void find_parent(struct locating *l)
{
    const struct fact_port *parent = inc_read_one(l->ctx, l->p->port_by_name, &l->port->parent);
    const struct fact_datapath *datapath =
        parent ? inc_read_one(l->ctx, l->p->datapath_by_uuid, &parent->datapath) : NULL;
    l->f->peer_key = datapath ? parent->key : 0;
    l->f->peer_dp_key = datapath ? datapath->key : 0;
}

static bool locate_vif(struct locating *l)
{
    const struct fact_port *port = l->port;
    bool is_nested = port->type == PORT_VIF && port->parent;
    struct rstr *name = port->parent ? port->parent : port->name;
    uint32_t flags = port->type == PORT_LOCALPORT ? PLACE_LOCALPORT
                     : port->type == PORT_VIRTUAL ? PLACE_OUT_ONLY
                     : is_nested                  ? PLACE_NESTED
                                                  : 0;
    if (is_ours(l) || port->type == PORT_LOCALPORT) {
        const struct fact_iface *iface = inc_read_one(l->ctx, l->p->iface_by_id, &name);
        if (is_nested)
            find_parent(l);
        if (iface && (!is_nested || port->tag < PORT_TAG_NONE))
            return here(l, iface->ofport, flags);
        return false;
    }
    if (uuid_is_zero(&port->chassis))
        return false;
    return locate_localnet(l) || locate_remote(l);
}

static bool locate_uplink(struct locating *l)
{
    const struct fact_uplink *uplink = inc_read_one(l->ctx, l->p->uplink_by_port, &l->port->name);
    bool is_localnet = l->port->type == PORT_LOCALNET;
    if (!is_localnet && !is_ours(l))
        return locate_remote(l);
    return uplink && here(l, uplink->ofport, PLACE_UPLINK | (is_localnet ? PLACE_LOCALNET : 0));
}

static bool locate_patch(struct locating *l)
{
    const struct fact_port *peer =
        l->port->peer ? inc_read_one(l->ctx, l->p->port_by_name, &l->port->peer) : NULL;
    const struct fact_datapath *datapath =
        peer ? inc_read_one(l->ctx, l->p->datapath_by_uuid, &peer->datapath) : NULL;
    if (!datapath)
        return false;
    const struct fact_dp_zones *zones =
        inc_read_one(l->ctx, l->p->dp_zones_by_datapath, &datapath->uuid);
    if (!zones && inc_read(l->ctx, l->p->local_by_datapath, &datapath->uuid).n)
        return false; /* they are still to come */
    l->f->how = PLACE_PATCH;
    l->f->peer_key = peer->key;
    l->f->peer_dp_key = datapath->key;
    if (zones)
        l->f->peer_zones = zones->zones;
    if (l->port->type != PORT_L3GATEWAY)
        return true;
    /* a gateway's ports are tracked; a distributed router's are not */
    bool is_known = take_zone(l);
    return local_zone(l->ctx, l->p, peer->name->s, 0, &l->f->peer_zones.port) && is_known;
}

static bool locate_redirect(struct locating *l)
{
    if (is_ours(l)) {
        const struct fact_port *to =
            l->port->redirect ? inc_read_one(l->ctx, l->p->port_by_name, &l->port->redirect) : NULL;
        return to && uuid_equal(&to->datapath, &l->port->datapath) && redirect_to(l, to->key);
    }
    struct rstr *holder = local_holder(l->ctx, l->p, &l->port->uuid, l->self);
    if (holder && !(l->self && holder == l->self->name))
        return to_chassis(l, holder, NULL);
    return locate_remote(l);
}

static bool locate(struct locating *l)
{
    switch ((enum port_type)l->port->type) {
    case PORT_VIF:
    case PORT_LOCALPORT:
    case PORT_VIRTUAL:
        return locate_vif(l);
    case PORT_PATCH:
        return locate_patch(l);
    case PORT_L3GATEWAY:
        return is_ours(l) ? locate_patch(l) : locate_remote(l);
    case PORT_LOCALNET:
    case PORT_L2GATEWAY:
        return locate_uplink(l);
    case PORT_CHASSISREDIRECT:
        return locate_redirect(l);
    case PORT_EXTERNAL:
        return locate_localnet(l);
    case PORT_REMOTE:
        return locate_remote(l);
    case PORT_OTHER:
        break;
    }
    return false;
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
    f.tag = PORT_TAG_NONE;
    const struct fact_dp_zones *zones = inc_read_one(ctx, p->dp_zones_by_datapath, &port->datapath);
    if (zones)
        f.zones = zones->zones;
    struct locating l = {ctx, p, inc_read_one(ctx, p->self_all, NULL), port, &f};
    if (!locate(&l))
        return;
    if (f.how == PLACE_TUNNEL) /* the other side tracks */
        memset(&f.zones, 0, sizeof f.zones);
    else if (!zones)
        return;
    inc_emit(ctx, p->place, &f);
}

void place_home_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct program *p = aux;
    const struct fact_place *place = inc_read_one(ctx, p->place_by_port, key);
    if (place->how != PLACE_HERE)
        return;
    struct fact_home f;
    INC_CLEAR(f);
    f.port = place->port;
    inc_emit(ctx, p->home, &f);
}

/* One port of a group: KEY is the Multicast_Group row and the port's row. */
void place_member_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct program *p = aux;
    const struct feed_ref *element = key;
    const struct fact_place *place = inc_read_one(ctx, p->place_by_port, &element->to);
    if (!place || place->how == PLACE_REDIRECT) /* the port it leads to is a member itself */
        return;
    struct fact_member f;
    INC_CLEAR(f);
    f.group = element->row;
    f.how = place->how;
    f.number = place->how == PLACE_TUNNEL ? place->group_ofport : place->key;
    f.zone = place->zones.port;
    f.is_localport = (place->flags & PLACE_LOCALPORT) != 0;
    f.tunnel_type = place->group_tunnel_type;
    f.tunnel_option = place->tunnel_option;
    inc_emit(ctx, p->member, &f);
}

/* Which port leads a local datapath to its physical network: the first, when there are several. */
void place_localnet_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct program *p = aux;
    const struct fact_port *port = inc_read_one(ctx, p->port_by_uuid, key);
    if (port->type != PORT_LOCALNET && port->type != PORT_L2GATEWAY)
        return;
    if (!inc_read(ctx, p->local_by_datapath, &port->datapath).n)
        return;
    const struct fact_self *self = inc_read_one(ctx, p->self_all, NULL);
    bool is_l2gateway = port->type == PORT_L2GATEWAY;
    if (!port->network || !inc_read(ctx, p->mapping_by_network, &port->network).n ||
        (is_l2gateway && !(self && port->gateway == self->name)))
        return;
    struct fact_want_uplink w;
    INC_CLEAR(w);
    w.port = port->name;
    w.network = port->network;
    w.is_l2gateway = is_l2gateway;
    inc_emit(ctx, p->want_uplink, &w);
    if (is_l2gateway)
        return;
    struct fact_localnet f;
    INC_CLEAR(f);
    f.datapath = port->datapath;
    f.key = port->key;
    inc_emit(ctx, p->localnet, &f);
}
