/* lb.c - Load_Balancer rows into facts (rooms 1 and 2 of docs/architecture.md). What is said of the VIPs is in vip.c: an LB fact
 * changes only when its options do. Where they are is in place.c.
 */
#include "northd/lb/lb.h"
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
    const struct fact_lb_place *place = inc_read_one(ctx, p->lb.place_by_lb, key);
    const struct fact_lb_sum *sum =
        place ? inc_read_one(ctx, p->lb.sum_by_class, &place->at) : NULL;
    struct fact_lb_binding binding;
    if (!sum)
        return;
    INC_CLEAR(binding);
    memcpy(binding.switches, sum->sum, sizeof binding.switches);
    binding.lb = f->uuid;
    binding.row = f->row;
    inc_emit(ctx, p->lb.binding, &binding);
}
