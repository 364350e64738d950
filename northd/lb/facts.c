/* facts.c - order, references and text of the facts of load balancers; see lb_facts.h (rooms 2 to 5 of docs/architecture.md). */
#include "northd/fact_type.h"
#include "northd/lb/lb_facts.h"

FACT_COMPARE(lb, uuid_compare(&a->uuid, &b->uuid), fact_compare_text(a->protocol, b->protocol),
             fact_compare_text(a->hash_fields, b->hash_fields),
             fact_compare_u64(a->flags, b->flags), fact_compare_u64(a->affinity, b->affinity),
             fact_compare_u64(a->responder, b->responder))
FACT_TEXTS(lb, protocol, hash_fields)
static void lb_print(const void *fact, struct str *out)
{
    const struct fact_lb *f = fact;
    fact_put_uuid(out, &f->uuid);
    str_putf(out, " %s flags %x affinity %u", f->protocol->s, f->flags, f->affinity);
}

FACT_COMPARE(lb_vip, uuid_compare(&a->lb, &b->lb), address_compare(&a->ip, &b->ip))
static void lb_vip_print(const void *fact, struct str *out)
{
    address_put(out, &((const struct fact_lb_vip *)fact)->ip);
}

static int lb_flow_compare(const void *a_, const void *b_)
{
    const struct fact_lb_flow *a = a_, *b = b_;
    int c = uuid_compare(&a->lb, &b->lb);
    if (!c)
        c = address_compare(&a->vip, &b->vip);
    if (!c)
        c = fact_compare_u64(a->port, b->port);
    if (!c)
        c = fact_compare_u64(a->n, b->n);
    if (!c) /* two spellings of one VIP */
        c = fact_compare_match(a->match, b->match);
    return c ? c : fact_compare_actions(a->actions, b->actions);
}
static void lb_flow_ref(const void *fact)
{
    const struct fact_lb_flow *f = fact;
    expr_ref(f->match);
    actions_ref(f->actions);
}
static void lb_flow_unref(const void *fact)
{
    const struct fact_lb_flow *f = fact;
    expr_unref(f->match);
    actions_unref(f->actions);
}
static void lb_flow_print(const void *fact, struct str *out)
{
    const struct fact_lb_flow *f = fact;
    str_putf(out, "%s, priority=%u, match=(", stage_info(f->stage)->name, (unsigned)f->priority);
    expr_print(f->match, EXPR_STYLE_TEXT, out);
    str_put(out, ")");
}

FACT_COMPARE(lb_on, uuid_compare(&a->lb, &b->lb), uuid_compare(&a->lr, &b->lr))
static void lb_on_print(const void *fact, struct str *out)
{
    const struct fact_lb_on *f = fact;
    fact_put_uuid(out, &f->lb);
    str_put(out, " on ");
    fact_put_uuid(out, &f->lr);
}

FACT_COMPARE(lb_place, uuid_compare(&a->lb, &b->lb), uuid_compare(&a->at, &b->at))
FACT_COMPARE(lb_balanced, uuid_compare(&a->at, &b->at))
FACT_COMPARE(lb_sum, uuid_compare(&a->at, &b->at), fact_compare_u64(a->sum[0], b->sum[0]),
             fact_compare_u64(a->sum[1], b->sum[1]))

FACT_COMPARE(lb_datapath, uuid_compare(&a->datapath, &b->datapath),
             fact_compare_u64(a->kind, b->kind))

FACT_COMPARE(lb_router_vip, uuid_compare(&a->lr, &b->lr), address_compare(&a->ip, &b->ip))

FACT_COMPARE(lb_binding, uuid_compare(&a->lb, &b->lb),
             uuid_compare(&a->row->version, &b->row->version),
             fact_compare_u64(a->switches[0], b->switches[0]),
             fact_compare_u64(a->switches[1], b->switches[1]))
static void lb_binding_ref(const void *fact)
{
    row_ref(((const struct fact_lb_binding *)fact)->row);
}
static void lb_binding_unref(const void *fact)
{
    row_unref(((const struct fact_lb_binding *)fact)->row);
}

FACT_TYPE(lb, lb_print);
FACT_TYPE_PLAIN(lb_vip, lb_vip_print);
FACT_TYPE(lb_flow, lb_flow_print);
FACT_TYPE_PLAIN(lb_on, lb_on_print);
FACT_TYPE_PLAIN(lb_place, NULL);
FACT_TYPE_PLAIN(lb_balanced, NULL);
FACT_TYPE_PLAIN(lb_sum, NULL);
FACT_TYPE_PLAIN(lb_datapath, NULL);
FACT_TYPE_PLAIN(lb_router_vip, NULL);
FACT_TYPE(lb_binding, NULL);
