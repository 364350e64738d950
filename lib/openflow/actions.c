/* actions.c - building and walking lists of actions. The wire is in action_encode.c and action_decode.c, texts in
 * action_print.c and action_parse.c. */
#include "openflow/actions.h"

#include <stdlib.h>

void of_actions_fini(struct of_actions *a)
{
    free(a->data);
    *a = (struct of_actions)OF_ACTIONS_INIT;
}

void of_actions_clear(struct of_actions *a)
{
    a->n = 0;
}

static void *reserve(struct of_actions *a, size_t n)
{
    if (a->cap - a->n < n) {
        a->cap = MAX(a->cap * 2, ROUND_UP(a->n + n, 64));
        a->data = xrealloc(a->data, a->cap);
    }
    void *at = a->data + a->n;
    a->n += n;
    return at;
}

void of_actions_append(struct of_actions *dst, const void *data, size_t n)
{
    if (n)
        memcpy(reserve(dst, n), data, n);
}

void of_actions_copy(struct of_actions *dst, const struct of_actions *src)
{
    dst->n = 0;
    of_actions_append(dst, src->data, src->n);
}

bool of_actions_equal(const struct of_actions *a, const struct of_actions *b)
{
    return a->n == b->n && (!a->n || !memcmp(a->data, b->data, a->n));
}

void *of_put(struct of_actions *a, enum of_action_type type, size_t n)
{
    n = ROUND_UP(n, 8);
    INVARIANT(n <= UINT16_MAX);
    struct of_action *x = reserve(a, n);
    memset(x, 0, n);
    x->type = (uint8_t)type;
    x->len = (uint16_t)n;
    return x;
}

#define PUT(ACTIONS, TYPE, STRUCT) ((struct STRUCT *)of_put(ACTIONS, TYPE, sizeof(struct STRUCT)))

void of_put_output(struct of_actions *a, uint32_t port)
{
    PUT(a, OF_OUTPUT, of_output)->port = port;
}

void of_put_controller(struct of_actions *a, uint16_t max_len, uint16_t controller_id,
                       uint8_t reason, const void *userdata, size_t n, bool pause,
                       uint32_t meter_id)
{
    struct of_controller *c = of_put(a, OF_CONTROLLER, sizeof *c + n);
    c->max_len = max_len;
    c->controller_id = controller_id;
    c->reason = reason;
    c->pause = pause;
    c->meter_id = meter_id;
    c->userdata_len = (uint16_t)n;
    if (n)
        memcpy(c->userdata, userdata, n);
    if (n || pause || meter_id != OF_METER_NONE)
        c->form = OF_FORM_2;
}

void of_put_set_field(struct of_actions *a, enum field_id id, u128 value)
{
    of_put_set_field_masked(a, id, value, u128_ones(field_get(id)->n_bits));
}

void of_put_set_field_masked(struct of_actions *a, enum field_id id, u128 value, u128 mask)
{
    struct of_set_field *s = PUT(a, OF_SET_FIELD, of_set_field);
    s->field = (uint8_t)id;
    value &= mask;
    s->value_hi = (uint64_t)(value >> 64);
    s->value_lo = (uint64_t)value;
    s->mask_hi = (uint64_t)(mask >> 64);
    s->mask_lo = (uint64_t)mask;
}

void of_put_load(struct of_actions *a, const struct subfield *sub, u128 value)
{
    if (FIELD_IS_TUN_METADATA(sub->id)) {
        struct tun_value v;
        tun_value_of(&v, value);
        of_put_load_tun(a, sub, &v);
        return;
    }
    size_t at = a->n;
    const struct field *f = field_get(sub->id);
    of_put_set_field_masked(a, sub->id, value << sub->ofs, u128_ones(sub->n_bits) << sub->ofs);
    if (sub->n_bits == f->n_bits && f->n_bits < 8 * f->n_bytes)
        ((struct of_set_field *)(void *)(a->data + at))->form = OF_FORM_2;
}

void of_put_move(struct of_actions *a, const struct subfield *src, const struct subfield *dst)
{
    struct of_move *m = PUT(a, OF_MOVE, of_move);
    m->src = *src;
    m->dst = *dst;
}

void of_put_stack_push(struct of_actions *a, const struct subfield *sub)
{
    PUT(a, OF_STACK_PUSH, of_stack)->sub = *sub;
}

void of_put_stack_pop(struct of_actions *a, const struct subfield *sub)
{
    PUT(a, OF_STACK_POP, of_stack)->sub = *sub;
}

void of_put_push_vlan(struct of_actions *a, uint16_t eth_type)
{
    PUT(a, OF_PUSH_VLAN, of_push_vlan)->eth_type = eth_type;
}

void of_put_pop_vlan(struct of_actions *a)
{
    PUT(a, OF_POP_VLAN, of_plain);
}

void of_put_dec_ttl(struct of_actions *a)
{
    struct of_dec_ttl *d = of_put(a, OF_DEC_TTL, sizeof *d + sizeof d->ids[0]);
    d->n_ids = 1;
}

void of_put_resubmit(struct of_actions *a, uint32_t in_port, uint8_t table)
{
    struct of_resubmit *r = PUT(a, OF_RESUBMIT, of_resubmit);
    r->in_port = in_port;
    r->table = table;
    r->form = OF_FORM_2;
}

size_t of_begin_ct(struct of_actions *a, uint16_t flags, const struct subfield *zone_src,
                   uint16_t zone_imm, uint8_t table)
{
    size_t start = a->n;
    struct of_ct *ct = PUT(a, OF_CT, of_ct);
    ct->flags = flags;
    ct->table = table;
    if (zone_src)
        ct->zone_src = *zone_src;
    else
        ct->zone_imm = zone_imm;
    return start;
}

size_t of_begin_clone(struct of_actions *a)
{
    size_t start = a->n;
    PUT(a, OF_CLONE, of_nested);
    return start;
}

size_t of_begin_write_actions(struct of_actions *a)
{
    size_t start = a->n;
    PUT(a, OF_WRITE_ACTIONS, of_nested);
    return start;
}

void of_end_nested(struct of_actions *a, size_t start)
{
    INVARIANT(a->n - start <= UINT16_MAX);
    struct of_action *x = (void *)(a->data + start);
    x->len = (uint16_t)(a->n - start);
}

static struct ip6 nat_addr(const struct ip_addr *ip)
{
    struct ip6 bytes;
    memset(&bytes, 0, sizeof bytes);
    if (ip->version == 6)
        bytes = ip->v6;
    else
        memcpy(bytes.b, &ip->v4, 4);
    return bytes;
}

void of_put_nat(struct of_actions *a, uint16_t flags, const struct ip_addr *min,
                const struct ip_addr *max, uint16_t port_min, uint16_t port_max)
{
    struct of_nat *nat = PUT(a, OF_NAT, of_nat);
    nat->flags = flags;
    if (min && min->version) {
        nat->addr_version = min->version;
        nat->addr_min = nat_addr(min);
        nat->addr_max = nat_addr(max ? max : min);
        nat->has_max = memcmp(&nat->addr_min, &nat->addr_max, sizeof nat->addr_min) ? 1 : 0;
    }
    nat->port_min = port_min;
    nat->port_max = port_max ? port_max : port_min;
    if (port_max && port_max != port_min)
        nat->has_max |= 2;
}

void of_put_ct_clear(struct of_actions *a)
{
    PUT(a, OF_CT_CLEAR, of_plain);
}

void of_put_conjunction(struct of_actions *a, uint32_t id, uint8_t clause, uint8_t n_clauses)
{
    struct of_conjunction *c = PUT(a, OF_CONJUNCTION, of_conjunction);
    c->id = id;
    c->clause = clause;
    c->n_clauses = n_clauses;
}

void of_put_note(struct of_actions *a, const void *bytes, size_t n)
{
    struct of_note *note = of_put(a, OF_NOTE, sizeof *note + n);
    note->n = (uint16_t)n;
    if (n)
        memcpy(note->bytes, bytes, n);
}

void of_put_exit(struct of_actions *a)
{
    PUT(a, OF_EXIT, of_plain);
}

void of_put_set_queue(struct of_actions *a, uint32_t queue)
{
    PUT(a, OF_SET_QUEUE, of_id)->id = queue;
}

void of_put_group(struct of_actions *a, uint32_t group)
{
    PUT(a, OF_GROUP, of_id)->id = group;
}

void of_put_meter(struct of_actions *a, uint32_t meter)
{
    PUT(a, OF_METER, of_id)->id = meter;
}

void of_put_check_pkt_larger(struct of_actions *a, uint16_t len, const struct subfield *dst)
{
    struct of_check_pkt_larger *c = PUT(a, OF_CHECK_PKT_LARGER, of_check_pkt_larger);
    c->pkt_len = len;
    c->dst = *dst;
}

void of_put_goto_table(struct of_actions *a, uint8_t table)
{
    PUT(a, OF_GOTO_TABLE, of_goto_table)->table = table;
}

void of_put_write_metadata(struct of_actions *a, uint64_t value, uint64_t mask)
{
    struct of_write_metadata *w = PUT(a, OF_WRITE_METADATA, of_write_metadata);
    w->value = value & mask;
    w->mask = mask;
}

void of_put_clear_actions(struct of_actions *a)
{
    PUT(a, OF_CLEAR_ACTIONS, of_plain);
}

size_t of_put_learn(struct of_actions *a, const struct of_learn *head)
{
    size_t start = a->n;
    struct of_learn *l = PUT(a, OF_LEARN, of_learn);
    *l = *head;
    l->type = OF_LEARN;
    l->len = sizeof *l;
    l->n_specs = 0;
    return start;
}

void of_put_learn_spec(struct of_actions *a, size_t learn, const struct of_learn_spec *spec)
{
    of_actions_append(a, spec, sizeof *spec);
    struct of_learn *l = (void *)(a->data + learn);
    l->n_specs++;
    l->len = (uint16_t)(l->len + sizeof *spec);
    INVARIANT(a->data + a->n == (uint8_t *)l + l->len);
}

/* ---- Walking ---- */

const void *of_action_nested(const struct of_action *x, size_t *n)
{
    size_t head = x->type == OF_CT ? sizeof(struct of_ct) : sizeof(struct of_nested);
    if (x->type != OF_CT && x->type != OF_CLONE && x->type != OF_WRITE_ACTIONS) {
        *n = 0;
        return NULL;
    }
    *n = x->len - head;
    return (const uint8_t *)x + head;
}

const struct of_nat *of_ct_nat(const struct of_ct *ct)
{
    size_t n;
    const void *nested = of_action_nested((const struct of_action *)ct, &n);
    const struct of_action *x;
    OF_ACTION_FOR_EACH(x, nested, n)
    if (x->type == OF_NAT)
        return (const struct of_nat *)x;
    return NULL;
}

bool of_actions_output_to(const void *data, size_t n, uint32_t port)
{
    const struct of_action *x;
    OF_ACTION_FOR_EACH(x, data, n)
    {
        size_t m;
        const void *nested = of_action_nested(x, &m);
        if (nested && of_actions_output_to(nested, m, port))
            return true;
        if ((x->type == OF_OUTPUT && ((const struct of_output *)x)->port == port) ||
            (x->type == OF_OUTPUT_TRUNC && ((const struct of_output_trunc *)x)->port == port) ||
            (x->type == OF_ENQUEUE && ((const struct of_enqueue *)x)->port == port) ||
            (x->type == OF_CONTROLLER && port == PORT_CONTROLLER))
            return true;
    }
    return false;
}

bool of_actions_use_group(const void *data, size_t n, uint32_t group)
{
    const struct of_action *x;
    OF_ACTION_FOR_EACH(x, data, n)
    {
        size_t m;
        const void *nested = of_action_nested(x, &m);
        if (nested && of_actions_use_group(nested, m, group))
            return true;
        if (x->type == OF_GROUP && ((const struct of_id *)x)->id == group)
            return true;
    }
    return false;
}
