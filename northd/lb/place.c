/* place.c - where load balancers are: on routers one by one, on switches by classes (room 2 of docs/architecture.md; northd/classes.h).
 *
 * A load balancer that switches have by one group alone is on the class of that group, which all such load balancers share; its uuid is that
 * of the group. One that they have in several ways is on a class of its own, so that a switch that has it twice is in there once.
 */
#include "base/hash.h"
#include "northd/lb/lb.h"

/* --- Routers */

static void emit_on(struct inc_ctx *ctx, struct northd_program *p, const struct uuid *lb,
                    const struct uuid *lr)
{
    struct fact_lb_on f;
    INC_CLEAR(f);
    f.lb = *lb;
    f.lr = *lr;
    inc_emit(ctx, p->lb.on, &f);
}

void lb_on_router(struct inc_ctx *ctx, const void *key, void *aux)
{
    const struct feed_ref *use = key;
    emit_on(ctx, aux, &use->to, &use->row);
}

void lb_on_router_group(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct feed_ref *use = key, *lb;
    INC_FOR_EACH(lb, inc_read(ctx, p->lb.in_group_lb_by_group, &use->to))
    emit_on(ctx, p, &lb->to, &use->row);
}

/* --- Switches */

void lb_place(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct uuid *lb = key;
    struct inc_facts groups = inc_read(ctx, p->lb.in_group_lb_by_lb, lb);
    const void *direct = inc_read_one(ctx, p->lb.in_ls_lb_by_lb, lb);
    bool alone = groups.n == 1 && !direct;
    const struct feed_ref *group;
    struct fact_lb_place f;
    if (!groups.n && !direct)
        return;
    INC_CLEAR(f);
    f.lb = *lb;
    f.at = alone ? ((const struct feed_ref *)groups.v[0])->row : *lb;
    inc_emit(ctx, p->lb.place, &f);
    if (!alone)
        INC_FOR_EACH(group, groups)
    inc_emit(ctx, p->lb.mixed, group);
}

static void emit_member(struct inc_ctx *ctx, struct northd_program *p, const struct uuid *at,
                        const struct uuid *ls)
{
    struct fact_class_member f;
    INC_CLEAR(f);
    f.id = *at;
    f.datapath = *ls;
    f.family = CLASS_BALANCERS;
    inc_emit(ctx, p->lb.member, &f);
}

void lb_on_switch(struct inc_ctx *ctx, const void *key, void *aux)
{
    const struct feed_ref *use = key;
    emit_member(ctx, aux, &use->to, &use->row);
}

void lb_on_switch_group(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct feed_ref *use = key, *mixed;
    emit_member(ctx, p, &use->to, &use->row);
    INC_FOR_EACH(mixed, inc_read(ctx, p->lb.mixed_by_group, &use->to))
    emit_member(ctx, p, &mixed->to, &use->row);
}

void lb_sum(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_class_member *member;
    struct fact_lb_sum f;
    INC_CLEAR(f);
    f.at = *(const struct uuid *)key;
    INC_FOR_EACH(member, inc_read(ctx, p->lb.member_by_class, key))
    {
        XXH128_hash_t h = XXH3_128bits(&member->datapath, sizeof member->datapath);
        f.sum[0] += h.low64;
        f.sum[1] += h.high64;
    }
    inc_emit(ctx, p->lb.sum, &f);
}

/* What other rooms want to know of a switch with a VIP. */
void lb_balances(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct fact_class_member *member;
    bool balances = false;
    INC_FOR_EACH(member, inc_read(ctx, p->lb.member_by_switch, key))
    if (inc_read_one(ctx, p->lb.balanced_by_class, &member->id))
        balances = true;
    if (!balances)
        return;
    struct fact_lb_datapath d;
    struct fact_switch_has has;
    INC_CLEAR(d);
    INC_CLEAR(has);
    d.datapath = has.ls = *(const struct uuid *)key;
    d.kind = DATAPATH_SWITCH;
    has.what = SWITCH_HAS_LB;
    inc_emit(ctx, p->lb.datapath, &d);
    inc_emit(ctx, p->switch_has, &has);
}
