/* action_print.c - lists of actions in ovs-ofctl's words. action_parse.c reads them back. */
#include "openflow/action_print.h"
#include "openflow/packet_io.h"

void action_put_u64(struct str *s, uint64_t x)
{
    str_putf(s, x ? "%#llx" : "%llx", (unsigned long long)x);
}

void action_put_u128(struct str *s, u128 x)
{
    if (x >> 64)
        str_putf(s, "0x%llx%016llx", (unsigned long long)(x >> 64), (unsigned long long)x);
    else
        action_put_u64(s, (uint64_t)x);
}

void action_put_table(struct action_printer *p, uint8_t table)
{
    table_put(p->s, table, p->names ? p->names->tables : NULL);
}

static void put_output(struct action_printer *p, const struct of_output *o)
{
    if (o->port < PORT_MAX)
        str_put(p->s, "output:");
    port_put(p->s, o->port, p->names);
    if (o->port == PORT_CONTROLLER)
        str_putf(p->s, ":%u", o->max_len);
}

static const char *const reasons[] = {"no_match",   "action", "invalid_ttl",
                                      "action_set", "group",  "packet_out"};

static void put_controller(struct action_printer *p, const struct of_controller *c)
{
    if (c->reason == OF_REASON_ACTION && !c->controller_id && !c->userdata_len && !c->pause &&
        c->meter_id == OF_METER_NONE) {
        str_putf(p->s, "CONTROLLER:%u", c->max_len);
        return;
    }
    str_put(p->s, "controller(");
    if (c->reason != OF_REASON_ACTION && c->reason < ARRAY_SIZE(reasons))
        str_putf(p->s, "reason=%s,", reasons[c->reason]);
    if (c->max_len != UINT16_MAX)
        str_putf(p->s, "max_len=%u,", c->max_len);
    if (c->controller_id)
        str_putf(p->s, "id=%u,", c->controller_id);
    for (unsigned i = 0; i < c->userdata_len; i++)
        str_putf(p->s, "%s%02x", i ? "." : "userdata=", c->userdata[i]);
    if (c->userdata_len)
        str_putc(p->s, ',');
    if (c->pause)
        str_put(p->s, "pause,");
    if (c->meter_id != OF_METER_NONE)
        str_putf(p->s, "meter_id=%u,", c->meter_id);
    str_chomp(p->s, ",");
    str_putc(p->s, ')');
}

/* ---- Fields ---- */

static void put_mod(struct action_printer *p, const struct of_set_field *a)
{
    static const struct {
        uint8_t id;
        const char *name;
    } names[] = {
        {FIELD_DL_VLAN, "mod_vlan_vid"}, {FIELD_DL_VLAN_PCP, "mod_vlan_pcp"},
        {FIELD_ETH_SRC, "mod_dl_src"},   {FIELD_ETH_DST, "mod_dl_dst"},
        {FIELD_IP_SRC, "mod_nw_src"},    {FIELD_IP_DST, "mod_nw_dst"},
        {FIELD_IP_TOS, "mod_nw_tos"},    {FIELD_IP_ECN, "mod_nw_ecn"},
        {FIELD_IP_TTL, "mod_nw_ttl"},    {FIELD_TCP_SRC, "mod_tp_src"},
        {FIELD_UDP_SRC, "mod_tp_src"},   {FIELD_SCTP_SRC, "mod_tp_src"},
        {FIELD_TCP_DST, "mod_tp_dst"},   {FIELD_UDP_DST, "mod_tp_dst"},
        {FIELD_SCTP_DST, "mod_tp_dst"},
    };
    const struct field *f = field_get(a->field);
    if (a->field == FIELD_MPLS_TTL) {
        str_putf(p->s, "set_mpls_ttl(%u)", (unsigned)a->value_lo);
        return;
    }
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (names[i].id == a->field) {
            str_putf(p->s, "%s:", names[i].name);
            field_put(p->s, f, of_set_field_value(a), u128_ones(f->n_bits), p->names);
            return;
        }
    }
}

static void put_load(struct action_printer *p, const struct of_set_field *a)
{
    u128 value = of_set_field_value(a), mask = of_set_field_mask(a);
    unsigned ofs = 0, n = 0;
    while (ofs < 127 && !(mask >> ofs & 1))
        ofs++;
    while (ofs + n < 128 && mask >> (ofs + n) & 1)
        n++;
    struct subfield sub = subfield_make(a->field, ofs, n);
    str_put(p->s, "load:");
    action_put_u128(p->s, value >> ofs);
    str_put(p->s, "->");
    subfield_put(p->s, &sub);
}

static void put_set_field(struct action_printer *p, const struct of_set_field *a)
{
    if (a->form == OF_FORM_MOD) {
        put_mod(p, a);
        return;
    }
    if (a->form == OF_FORM_LOAD && of_set_field_mask(a)) {
        put_load(p, a);
        return;
    }
    const struct field *f = field_get(a->field);
    u128 mask = of_set_field_mask(a);
    if (FIELD_IS_TUN_METADATA(f->id)) {
        of_set_tun_put(p->s, (const void *)a);
        return;
    }
    str_put(p->s, "set_field:");
    field_put(p->s, f, of_set_field_value(a), mask, p->names);
    if (a->form == OF_FORM_2 && mask == u128_ones(f->n_bits)) {
        str_putc(p->s, '/');
        action_put_u128(p->s, mask);
    }
    str_putf(p->s, "->%s", f->name);
}

/* ---- The rest ---- */

static void put_resubmit(struct action_printer *p, const struct of_resubmit *r)
{
    if (r->in_port != PORT_IN_PORT && r->table == 255) {
        str_put(p->s, "resubmit:");
        port_put(p->s, r->in_port, p->names);
        return;
    }
    str_put(p->s, "resubmit(");
    if (r->in_port != PORT_IN_PORT)
        port_put(p->s, r->in_port, p->names);
    str_putc(p->s, ',');
    if (r->table != 255)
        action_put_table(p, r->table);
    str_put(p->s, r->with_ct ? ",ct)" : ")");
}

static void put_dec_ttl(struct action_printer *p, const struct of_dec_ttl *d)
{
    str_put(p->s, "dec_ttl");
    if (d->form != OF_FORM_2)
        return;
    str_putc(p->s, '(');
    for (unsigned i = 0; i < d->n_ids; i++)
        str_putf(p->s, "%s%u", i ? "," : "", d->ids[i]);
    str_putc(p->s, ')');
}

static const char *const hash_fields[] = {
    "eth_src", "symmetric_l4", "symmetric_l3l4", "symmetric_l3l4+udp",
    "nw_src",  "nw_dst",       "symmetric_l3"};
static const char *const mp_algorithms[] = {"modulo_n", "hash_threshold", "hrw", "iter_hash"};

static void put_multipath(struct action_printer *p, const struct of_multipath *m)
{
    str_putf(p->s, "multipath(%s,%u,%s,%u,%u,", hash_fields[m->fields], m->basis,
             mp_algorithms[m->algorithm], m->max_link + 1u, m->arg);
    subfield_put(p->s, &m->dst);
    str_putc(p->s, ')');
}

static void put_bundle(struct action_printer *p, const struct of_bundle_action *b)
{
    str_putf(p->s, "%s(%s,%u,%s,ofport,", b->dst.id ? "bundle_load" : "bundle",
             hash_fields[b->fields], b->basis, b->algorithm == OF_BD_HRW ? "hrw" : "active_backup");
    if (b->dst.id) {
        subfield_put(p->s, &b->dst);
        str_putc(p->s, ',');
    }
    str_put(p->s, "members:");
    for (unsigned i = 0; i < b->n_members; i++) {
        if (i)
            str_putc(p->s, ',');
        port_put(p->s, b->members[i], p->names);
    }
    str_putc(p->s, ')');
}

static void put_sample_source(struct action_printer *p, const char *name,
                              const struct subfield *src, uint32_t imm)
{
    str_putf(p->s, ",%s=", name);
    if (src->id)
        subfield_put(p->s, src);
    else
        str_putf(p->s, "%u", imm);
}

static void put_sample(struct action_printer *p, const struct of_sample *a)
{
    str_putf(p->s, "sample(probability=%u,collector_set_id=%u", a->probability,
             a->collector_set_id);
    put_sample_source(p, "obs_domain_id", &a->obs_domain_src, a->obs_domain_imm);
    put_sample_source(p, "obs_point_id", &a->obs_point_src, a->obs_point_imm);
    if (a->sampling_port != PORT_ANY) {
        str_put(p->s, ",sampling_port=");
        port_put(p->s, a->sampling_port, p->names);
    }
    if (a->direction)
        str_put(p->s, a->direction == 1 ? ",ingress" : ",egress");
    str_putc(p->s, ')');
}

static void put_note(struct action_printer *p, const struct of_note *note)
{
    str_put(p->s, "note:");
    for (unsigned i = 0; i < note->n; i++)
        str_putf(p->s, "%s%02x", i ? "." : "", note->bytes[i]);
}

static void put_nested(struct action_printer *p, const char *name, const struct of_action *x)
{
    size_t n;
    const void *nested = of_action_nested(x, &n);
    str_putf(p->s, "%s(", name);
    if (n)
        action_put_list(p, nested, n);
    else if (x->type == OF_CLONE)
        str_put(p->s, "drop");
    str_putc(p->s, ')');
}

static void put_write_metadata(struct action_printer *p, const struct of_write_metadata *w)
{
    str_put(p->s, "write_metadata:");
    action_put_u64(p->s, w->value);
    if (w->mask != UINT64_MAX) {
        str_putc(p->s, '/');
        action_put_u64(p->s, w->mask);
    }
}

static void put_simple(struct action_printer *p, const struct of_action *x)
{
    uint32_t id = ((const struct of_id *)x)->id;
    const struct of_push_vlan *tag = (const void *)x;
    const struct of_fin_timeout *fin = (const void *)x;
    switch (x->type) {
    case OF_PUSH_VLAN:
        str_putf(p->s, "push_vlan:0x%04x", tag->eth_type);
        break;
    case OF_POP_VLAN:
        str_put(p->s, x->form == OF_FORM_MOD ? "strip_vlan" : "pop_vlan");
        break;
    case OF_PUSH_MPLS:
        str_putf(p->s, "push_mpls:0x%04x", tag->eth_type);
        break;
    case OF_POP_MPLS:
        str_putf(p->s, "pop_mpls:0x%04x", tag->eth_type);
        break;
    case OF_PUSH_PBB:
        str_putf(p->s, "push_pbb:0x%04x", tag->eth_type);
        break;
    case OF_POP_PBB:
        str_put(p->s, "pop_pbb");
        break;
    case OF_DEC_MPLS_TTL:
        str_put(p->s, "dec_mpls_ttl");
        break;
    case OF_CT_CLEAR:
        str_put(p->s, "ct_clear");
        break;
    case OF_EXIT:
        str_put(p->s, "exit");
        break;
    case OF_SET_QUEUE:
        str_putf(p->s, "set_queue:%u", id);
        break;
    case OF_POP_QUEUE:
        str_put(p->s, "pop_queue");
        break;
    case OF_GROUP:
        str_putf(p->s, "group:%u", id);
        break;
    case OF_METER:
        str_putf(p->s, "meter:%u", id);
        break;
    case OF_FIN_TIMEOUT:
        str_put(p->s, "fin_timeout(");
        if (fin->idle)
            str_putf(p->s, "idle_timeout=%u,", fin->idle);
        if (fin->hard)
            str_putf(p->s, "hard_timeout=%u,", fin->hard);
        str_chomp(p->s, ",");
        str_putc(p->s, ')');
        break;
    case OF_DELETE_FIELD:
        str_putf(p->s, "delete_field:%s",
                 field_get(((const struct of_delete_field *)x)->field)->name);
        break;
    case OF_CLEAR_ACTIONS:
        str_put(p->s, "clear_actions");
        break;
    case OF_GOTO_TABLE:
        str_put(p->s, "goto_table:");
        action_put_table(p, ((const struct of_goto_table *)x)->table);
        break;
    default:
        break;
    }
}

static void put_subfields(struct action_printer *p, const struct of_action *x)
{
    const struct of_move *m = (const void *)x;
    const struct of_stack *st = (const void *)x;
    const struct of_check_pkt_larger *c = (const void *)x;
    switch (x->type) {
    case OF_OUTPUT_REG:
        str_put(p->s, "output:");
        subfield_put(p->s, &((const struct of_output_reg *)x)->src);
        break;
    case OF_MOVE:
        str_put(p->s, "move:");
        subfield_put(p->s, &m->src);
        str_put(p->s, "->");
        subfield_put(p->s, &m->dst);
        break;
    case OF_STACK_PUSH:
    case OF_STACK_POP:
        str_put(p->s, x->type == OF_STACK_PUSH ? "push:" : "pop:");
        subfield_put(p->s, &st->sub);
        break;
    default:
        str_putf(p->s, "check_pkt_larger(%u)->", c->pkt_len);
        subfield_put(p->s, &c->dst);
    }
}

static void put_one(struct action_printer *p, const struct of_action *x)
{
    const void *a = x;
    switch (x->type) {
    case OF_OUTPUT:
        put_output(p, a);
        break;
    case OF_OUTPUT_TRUNC:
        str_put(p->s, "output(port=");
        port_put(p->s, ((const struct of_output_trunc *)a)->port, p->names);
        str_putf(p->s, ",max_len=%u)", ((const struct of_output_trunc *)a)->max_len);
        break;
    case OF_CONTROLLER:
        put_controller(p, a);
        break;
    case OF_ENQUEUE:
        str_put(p->s, "enqueue:");
        port_put(p->s, ((const struct of_enqueue *)a)->port, p->names);
        str_putf(p->s, ":%u", ((const struct of_enqueue *)a)->queue);
        break;
    case OF_SET_FIELD:
        put_set_field(p, a);
        break;
    case OF_SET_TUN:
        of_set_tun_put(p->s, a);
        break;
    case OF_OUTPUT_REG:
    case OF_MOVE:
    case OF_STACK_PUSH:
    case OF_STACK_POP:
    case OF_CHECK_PKT_LARGER:
        put_subfields(p, x);
        break;
    case OF_DEC_TTL:
        put_dec_ttl(p, a);
        break;
    case OF_RESUBMIT:
        put_resubmit(p, a);
        break;
    case OF_LEARN:
        action_put_learn(p, a);
        break;
    case OF_CT:
        action_put_ct(p, a);
        break;
    case OF_NAT:
        action_put_nat(p, a);
        break;
    case OF_CLONE:
        put_nested(p, "clone", x);
        break;
    case OF_WRITE_ACTIONS:
        put_nested(p, "write_actions", x);
        break;
    case OF_CONJUNCTION: {
        const struct of_conjunction *c = a;
        str_putf(p->s, "conjunction(%u,%u/%u)", c->id, c->clause + 1u, c->n_clauses);
        break;
    }
    case OF_NOTE:
        put_note(p, a);
        break;
    case OF_MULTIPATH:
        put_multipath(p, a);
        break;
    case OF_BUNDLE:
        put_bundle(p, a);
        break;
    case OF_SAMPLE:
        put_sample(p, a);
        break;
    case OF_WRITE_METADATA:
        put_write_metadata(p, a);
        break;
    default:
        put_simple(p, x);
    }
}

void action_put_list(struct action_printer *p, const void *data, size_t n)
{
    const struct of_action *x;
    bool first = true;
    OF_ACTION_FOR_EACH(x, data, n)
    {
        if (!first)
            str_putc(p->s, ',');
        first = false;
        put_one(p, x);
    }
}

void of_actions_put(struct str *s, const void *data, size_t n, const struct port_names *names)
{
    struct action_printer p = {s, names};
    if (!n)
        str_put(s, "drop");
    else
        action_put_list(&p, data, n);
}
