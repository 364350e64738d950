/* claim.c - which logical ports this hypervisor should be bound to: those whose name (or whose parent's) an interface of its bridge carries as
 * iface-id; gateways that name it; and those for which it is the first candidate that lives.
 *
 * Room 5. Emits what is wanted; controller/chassis writes it to Port_Binding.chassis. options:requested-chassis names
 * the hypervisor that alone may claim. Units are ports.
 */
#include "controller/local/local.h"

static void emit_claim(struct inc_ctx *ctx, struct program *p, const struct fact_port *port,
                       const struct fact_iface *iface)
{
    struct fact_claim f;
    INC_CLEAR(f);
    f.port = port->uuid;
    f.iface = iface ? iface->name : NULL;
    f.ofport = iface ? iface->ofport : 0;
    inc_emit(ctx, p->claim, &f);
    struct fact_want zone = {.key = {.name = port->name, .kind = ID_ZONE}};
    if (iface) /* so that it is saved while the claim is on its way */
        inc_emit(ctx, p->want, &zone);
}

void claim_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct program *p = aux;
    const struct fact_port *port = inc_read_one(ctx, p->port_by_uuid, key);
    const struct fact_self *self = inc_read_one(ctx, p->self_all, NULL);
    const struct fact_iface *iface = NULL;
    if (!self)
        return;
    switch ((enum port_type)port->type) {
    case PORT_VIF:
        if (port->wanted_on && port->wanted_on->n && port->wanted_on != self->name &&
            port->wanted_on != self->hostname)
            return;
        /* The first in content order when several interfaces carry the same name. */
        iface = inc_read_one(ctx, p->iface_by_id, port->parent ? &port->parent : &port->name);
        if (iface)
            emit_claim(ctx, p, port, iface);
        break;
    case PORT_L2GATEWAY:
    case PORT_L3GATEWAY:
        if (port->gateway == self->name)
            emit_claim(ctx, p, port, NULL);
        break;
    case PORT_CHASSISREDIRECT:
    case PORT_EXTERNAL:
        if (local_holder(ctx, p, &port->uuid, self) == self->name)
            emit_claim(ctx, p, port, NULL);
        break;
    default:
        break;
    }
}
