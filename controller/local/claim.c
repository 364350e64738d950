/* claim.c - which logical ports this hypervisor should be bound to: those whose name an interface of its bridge carries as iface-id.
 *
 * Room 5. Emits what is wanted; controller/binding writes it to Port_Binding.chassis. options:requested-chassis names
 * the hypervisor that alone may claim. Units are ports.
 */
#include "controller/program.h"

#include <string.h>

void claim_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct program *p = aux;
    const struct fact_port *port = inc_read_one(ctx, p->port_by_uuid, key);
    const struct fact_self *self = inc_read_one(ctx, p->self_all, NULL);
    if (!self || port->type != PORT_VIF)
        return;
    if (port->wanted_on && port->wanted_on != self->name && port->wanted_on->n)
        return;
    /* The first in content order when several interfaces carry the same name. */
    const struct fact_iface *iface = inc_read_one(ctx, p->iface_by_id, &port->name);
    if (!iface)
        return;
    struct fact_claim f;
    INC_CLEAR(f);
    f.port = port->uuid;
    f.iface = iface->name;
    f.ofport = iface->ofport;
    f.is_contested = !uuid_is_zero(&port->chassis) && !uuid_equal(&port->chassis, &self->chassis);
    inc_emit(ctx, p->claim, &f);
}
