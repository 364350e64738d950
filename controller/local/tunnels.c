/* tunnels.c - which tunnels should exist: one Geneve tunnel to each end point of each other chassis.
 *
 * Room 5. Emits what is wanted; controller/chassis makes the ports in the switch database. Units are end points.
 */
#include "controller/program.h"

void tunnels_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct program *p = aux;
    const struct fact_encap *encap = key;
    const struct fact_self *self = inc_read_one(ctx, p->self_all, NULL);
    if (!self || encap->chassis == self->name)
        return;
    struct fact_want_tunnel f;
    INC_CLEAR(f);
    f.chassis = encap->chassis;
    f.ip = encap->ip;
    f.csum = encap->csum;
    inc_emit(ctx, p->want_tunnel, &f);
}
