/* lb.c - Load_Balancer rows into facts, and which datapath has which, itself or by a group (rooms 1 and 2 of
 * docs/architecture.md). What is said of the VIPs is in vip.c: an LB fact changes only when its options do.
 */
#include "northd/lb/lb.h"
#include "base/hash.h"
#include "rows/nb.h"

enum { MAX_AFFINITY = 65535 };

static bool is_true(const char *text)
{
    return text && !strcmp(text, "true");
}

/* The argument hash_fields of ct_lb_mark: tp_src is the protocol's own source port. */
static const struct rstr *hash_fields(struct northd_program *p, const struct nb_load_balancer *row,
                                      const char *protocol)
{
    const struct datum *fields = nb_load_balancer_selection_fields(row);
    struct str s = STR_INIT;
    for (size_t i = 0; i < fields->n; i++) {
        const char *name = fields->atoms[i].string->s;
        if (i)
            str_putc(&s, ',');
        if (text_starts_with(name, "tp_"))
            str_putf(&s, "%s_%s", protocol, name + strlen("tp_"));
        else
            str_put(&s, name);
    }
    const struct rstr *ret = fields->n ? program_intern(p, str_c(&s)) : NULL;
    str_fini(&s);
    return ret;
}

static uint32_t affinity(const char *text)
{
    uint64_t seconds;
    if (!text || text_to_u64(text, 10, &seconds))
        return 0;
    return (uint32_t)MIN(seconds, (uint64_t)MAX_AFFINITY);
}

static enum lb_responder responder(const char *text)
{
    if (text && !strcmp(text, "all"))
        return LB_ANSWER_ALL;
    return text && !strcmp(text, "none") ? LB_ANSWER_NONE : LB_ANSWER_REACHABLE;
}

void lb_row(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct feed_row *f = inc_read_one(ctx, p->lb.in_lb_by_uuid, key);
    const struct nb_load_balancer *row = nb_load_balancer_cast(f->row);
    const char *protocol = nb_load_balancer_protocol(row);
    struct fact_lb lb;
    INC_CLEAR(lb);
    lb.uuid = f->uuid;
    lb.protocol = program_intern(p, protocol ? protocol : "tcp");
    lb.hash_fields = hash_fields(p, row, lb.protocol->s);
    if (is_true(nb_load_balancer_options_value(row, "reject")))
        lb.flags |= LB_REJECT;
    if (is_true(nb_load_balancer_options_value(row, "skip_snat")))
        lb.flags |= LB_SKIP_SNAT;
    if (is_true(nb_load_balancer_options_value(row, "event")))
        lb.flags |= LB_EVENT;
    lb.affinity = affinity(nb_load_balancer_options_value(row, "affinity_timeout"));
    lb.responder = responder(nb_load_balancer_options_value(row, "neighbor_responder"));
    inc_emit_take(ctx, p->lb.lb, &lb);
}

/* Controllers find packets that go back to their sender (hairpins) by the VIPs of the switches' load balancers. */
void lb_binding(struct inc_ctx *ctx, const void *key, void *aux)
{
    struct northd_program *p = aux;
    const struct feed_row *f = inc_read_one(ctx, p->lb.in_lb_by_uuid, key);
    const struct fact_lb_on *on;
    struct fact_lb_binding binding;
    INC_CLEAR(binding);
    INC_FOR_EACH(on, inc_read(ctx, p->lb.on_by_lb, key))
    {
        if (on->kind != DATAPATH_SWITCH)
            continue;
        XXH128_hash_t h = XXH3_128bits(&on->datapath, sizeof on->datapath);
        binding.switches[0] += h.low64 | 1;
        binding.switches[1] += h.high64;
    }
    if (!binding.switches[0] && !binding.switches[1])
        return;
    binding.lb = f->uuid;
    binding.row = f->row;
    inc_emit(ctx, p->lb.binding, &binding);
}

/* --- Where they are */

static void emit_on(struct inc_ctx *ctx, struct northd_program *p, const struct uuid *lb,
                    const struct uuid *datapath, enum datapath_kind kind)
{
    struct fact_lb_on f;
    INC_CLEAR(f);
    f.lb = *lb;
    f.datapath = *datapath;
    f.kind = kind;
    inc_emit(ctx, p->lb.on, &f);
}

static void emit_group(struct inc_ctx *ctx, struct northd_program *p, const struct feed_ref *use,
                       enum datapath_kind kind)
{
    const struct feed_ref *member;
    INC_FOR_EACH(member, inc_read(ctx, p->lb.in_group_lb_by_group, &use->to))
    emit_on(ctx, p, &member->to, &use->row, kind);
}

void lb_on_switch(struct inc_ctx *ctx, const void *key, void *aux)
{
    const struct feed_ref *use = key;
    emit_on(ctx, aux, &use->to, &use->row, DATAPATH_SWITCH);
}

void lb_on_router(struct inc_ctx *ctx, const void *key, void *aux)
{
    const struct feed_ref *use = key;
    emit_on(ctx, aux, &use->to, &use->row, DATAPATH_ROUTER);
}

void lb_on_switch_group(struct inc_ctx *ctx, const void *key, void *aux)
{
    emit_group(ctx, aux, key, DATAPATH_SWITCH);
}

void lb_on_router_group(struct inc_ctx *ctx, const void *key, void *aux)
{
    emit_group(ctx, aux, key, DATAPATH_ROUTER);
}
