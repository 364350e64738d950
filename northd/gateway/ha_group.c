/* ha_group.c - groups of chassis, the one with the highest priority that is alive being in charge (room 5 of docs/architecture.md;
 * ovn-sb(5), HA_Chassis_Group). A group is known by its name: that of the row in HA_Chassis_Group, or of the router port
 * whose gateway_chassis it stands for.
 */
#include "northd/gateway/gateway.h"

#include <string.h>

#include "base/hash.h"
#include "rows/nb.h"

struct building {
    struct inc_ctx *ctx;
    struct northd_program *p;
    struct fact_ha_group group;
};

/* One more that the group's row names. A sum, so that the order does not matter. */
static void count(struct building *b, const struct uuid *what)
{
    XXH128_hash_t h = XXH3_128bits(what, sizeof *what);
    b->group.members[0] += h.low64;
    b->group.members[1] += h.high64;
}

static void add_member(struct building *b, const struct uuid *row, const char *chassis,
                       int64_t priority)
{
    struct fact_ha_member f;
    INC_CLEAR(f);
    const struct uuid both[] = {b->group.sb, *row};
    f.sb = fact_derive_uuid("HA_Chassis", both, sizeof both);
    f.group = b->group.sb;
    f.name = program_intern(b->p, chassis);
    f.priority = (uint64_t)priority;
    const struct fact_chassis *sb = inc_read_one(b->ctx, b->p->chassis_by_name, &f.name);
    if (sb)
        f.chassis = sb->uuid;
    count(b, &f.sb);
    inc_emit_take(b->ctx, b->p->gateway.ha_member, &f);
}

static void add_port_chassis(struct building *b, const struct uuid *lrp)
{
    const struct feed_ref *ref;
    INC_FOR_EACH(ref, inc_read(b->ctx, b->p->gateway.in_lrp_chassis_by_lrp, lrp))
    {
        const struct feed_row *f = inc_read_one(b->ctx, b->p->gateway.in_chassis_by_uuid, &ref->to);
        if (!f)
            continue;
        const struct nb_gateway_chassis *row = nb_gateway_chassis_cast(f->row);
        add_member(b, &f->uuid, nb_gateway_chassis_chassis_name(row),
                   nb_gateway_chassis_priority(row));
    }
}

static void add_group_chassis(struct building *b, const struct uuid *group)
{
    const struct feed_ref *ref;
    INC_FOR_EACH(ref, inc_read(b->ctx, b->p->gateway.in_ha_group_chassis_by_group, group))
    {
        const struct feed_row *f =
            inc_read_one(b->ctx, b->p->gateway.in_ha_chassis_by_uuid, &ref->to);
        if (!f)
            continue;
        const struct nb_ha_chassis *row = nb_ha_chassis_cast(f->row);
        add_member(b, &f->uuid, nb_ha_chassis_chassis_name(row), nb_ha_chassis_priority(row));
    }
}

void gateway_chassis_on(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_lsp *lsp = inc_read_one(ctx, p->lsp_by_name, key);
    const struct fact_bound *bound;
    if (!lsp)
        return;
    INC_FOR_EACH(bound, inc_read(ctx, p->bound_by_port, key))
    inc_emit(ctx, p->gateway.chassis_on, &(struct fact_chassis_on){lsp->ls, bound->chassis});
}

/* The chassis of the switches that the router of a port in need of the group is on. */
static void add_refs(struct building *b, const struct uuid *lr)
{
    const struct fact_link *link;
    INC_FOR_EACH(link, inc_read(b->ctx, b->p->link_by_lr, lr))
    {
        const struct fact_chassis_on *on;
        INC_FOR_EACH(on, inc_read(b->ctx, b->p->gateway.chassis_on_by_ls, &link->ls))
        {
            count(b, &on->chassis);
            inc_emit(b->ctx, b->p->gateway.ha_ref, &(struct fact_ha_ref){b->group.sb, on->chassis});
        }
    }
}

void gateway_ha_group(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_ha_want *want = inc_read_one(ctx, p->gateway.ha_want_by_name, key);
    struct building b = {.ctx = ctx, .p = p};
    INC_CLEAR(b.group);
    b.group.sb = gateway_ha_uuid(want->name);
    b.group.name = want->name;
    if (want->is_port)
        add_port_chassis(&b, &want->source);
    else
        add_group_chassis(&b, &want->source);
    const struct fact_ha_want *each;
    INC_FOR_EACH(each, inc_read(ctx, p->gateway.ha_want_by_name, key))
    add_refs(&b, &each->lr);
    inc_emit(ctx, p->gateway.ha_group, &b.group);
}
