/* tunnels.c - which tunnels should exist: one to each end point of each other chassis; and which one a packet takes.
 *
 * Room 5. Emits what is wanted; controller/chassis makes the ports in the switch database. A chassis with which this one stands in for another's
 * ports, or that may hold a port to which this one sends, is watched (BFD). Units are end points.
 */
#include "controller/local/local.h"

/* Of the types of end point that both chassis have, the best alone. */
static bool is_best(struct inc_ctx *ctx, struct program *p, const struct fact_self *self,
                    const struct fact_encap *encap)
{
    const struct fact_encap *own, *other;
    struct inc_facts owns = inc_read(ctx, p->encap_by_chassis, &self->name);
    bool has = false;
    INC_FOR_EACH(own, owns)
    has |= own->type == encap->type;
    if (!has)
        return false;
    INC_FOR_EACH(other, inc_read(ctx, p->encap_by_chassis, &encap->chassis))
    {
        if (other->type >= encap->type)
            continue;
        INC_FOR_EACH(own, owns)
        if (own->type == other->type)
            return false;
    }
    return true;
}

void tunnels_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct program *p = aux;
    const struct fact_encap *encap = inc_read_one(ctx, p->encap_by_uuid, key);
    const struct fact_self *self = inc_read_one(ctx, p->self_all, NULL);
    if (!self || encap->chassis == self->name || !is_best(ctx, p, self, encap))
        return;
    struct fact_want_tunnel f;
    INC_CLEAR(f);
    f.chassis = encap->chassis;
    f.ip = encap->ip;
    f.csum = encap->csum;
    f.type = (uint16_t)encap->type;
    f.has_bfd = inc_read(ctx, p->watched_by_chassis, &encap->chassis).n != 0;
    inc_emit(ctx, p->want_tunnel, &f);
}

static void watch(struct inc_ctx *ctx, struct program *p, const struct fact_self *self,
                  struct rstr *chassis)
{
    struct fact_mapping f; /* a name alone */
    if (chassis == self->name)
        return;
    INC_CLEAR(f);
    f.network = chassis;
    inc_emit(ctx, p->watched, &f);
}

/* The candidates of a port watch each other. Those who send to it (ref_chassis) must know too which of them is alive, so they and the
 * candidates watch each other: BFD needs both ends. Units are ports with candidates. */
void tunnels_watched_run(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct program *p = aux;
    const struct fact_self *self = inc_read_one(ctx, p->self_all, NULL);
    const struct fact_port *port = inc_read_one(ctx, p->port_by_uuid, key);
    struct inc_facts candidates = inc_read(ctx, p->candidate_by_port, key);
    const struct fact_candidate *c;
    const struct feed_ref *ref;
    bool is_candidate = false, sends = false;
    if (!self || !port || candidates.n < 2)
        return;
    struct inc_facts refs = inc_read(ctx, p->in_ha_ref_by_row, &port->ha_group);
    INC_FOR_EACH(c, candidates)
    is_candidate |= c->chassis == self->name;
    INC_FOR_EACH(ref, refs)
    sends |= uuid_equal(&ref->to, &self->chassis);
    INC_FOR_EACH(c, candidates)
    if (is_candidate || sends)
        watch(ctx, p, self, c->chassis);
    INC_FOR_EACH(ref, refs)
    {
        const struct fact_chassis *chassis = inc_read_one(ctx, p->chassis_by_uuid, &ref->to);
        if (is_candidate && chassis)
            watch(ctx, p, self, chassis->name);
    }
}

const struct fact_tunnel *local_tunnel(struct inc_ctx *ctx, struct program *p, struct rstr *chassis,
                                       const struct uuid *encap)
{
    struct inc_facts tunnels = inc_read(ctx, p->tunnel_by_chassis, &chassis);
    const struct fact_tunnel *t;
    const struct fact_encap *wanted =
        encap && !uuid_is_zero(encap) ? inc_read_one(ctx, p->encap_by_uuid, encap) : NULL;
    if (wanted) {
        INC_FOR_EACH(t, tunnels)
        if (t->ip == wanted->ip && t->type == wanted->type)
            return t;
    }
    return tunnels.n ? tunnels.v[0] : NULL; /* Geneve before VXLAN */
}

/* A chassis to which no tunnel leads yet is not known to be dead. */
static bool is_alive(struct inc_ctx *ctx, struct program *p, struct rstr *chassis)
{
    struct inc_facts tunnels = inc_read(ctx, p->tunnel_by_chassis, &chassis);
    const struct fact_tunnel *t;
    bool is_alive = !tunnels.n;
    INC_FOR_EACH(t, tunnels)
    is_alive |= !t->is_down;
    return is_alive;
}

struct rstr *local_holder(struct inc_ctx *ctx, struct program *p, const struct uuid *port,
                          const struct fact_self *self)
{
    const struct fact_candidate *c;
    INC_FOR_EACH(c, inc_read(ctx, p->candidate_by_port, port))
    if ((self && c->chassis == self->name) || is_alive(ctx, p, c->chassis))
        return c->chassis;
    struct inc_facts all = inc_read(ctx, p->candidate_by_port, port);
    return all.n ? ((const struct fact_candidate *)all.v[0])->chassis
                 : NULL; /* none is known yet */
}

bool local_is_candidate(struct inc_ctx *ctx, struct program *p, const struct uuid *port,
                        const struct fact_self *self)
{
    const struct fact_candidate *c;
    INC_FOR_EACH(c, inc_read(ctx, p->candidate_by_port, port))
    if (self && c->chassis == self->name)
        return true;
    return false;
}
