/* action_encode.c - lists of actions to the wire of a version. What a version has no action for is sent in Nicira's
 * form; every action has one. */
#include "openflow/action_encode.h"

/* ---- Output ---- */

static void output(struct encoder *e, uint32_t port, uint16_t max_len)
{
    size_t start = frame_begin(e, AT_OUTPUT);
    if (e->version == OF10_VERSION) {
        of_buf_put16(e->out, port_to_16(port));
        of_buf_put16(e->out, max_len);
    } else {
        of_buf_put32(e->out, port);
        of_buf_put16(e->out, max_len);
    }
    frame_end(e, start);
}

static void output_reg(struct encoder *e, const struct of_output_reg *o)
{
    size_t start = frame_begin_nx(e, NXAST_OUTPUT_REG);
    of_buf_put16(e->out, frame_ofs_nbits(&o->src));
    frame_header(e, o->src.id);
    of_buf_put16(e->out, o->max_len);
    frame_zeros(e, 6);
    frame_end(e, start);
}

static void output_trunc(struct encoder *e, const struct of_output_trunc *o)
{
    size_t start = frame_begin_nx(e, NXAST_OUTPUT_TRUNC);
    of_buf_put16(e->out, port_to_16(o->port));
    of_buf_put32(e->out, o->max_len);
    frame_end(e, start);
}

static void controller2(struct encoder *e, const struct of_controller *c)
{
    size_t start = frame_begin_nx(e, NXAST_CONTROLLER2);
    frame_zeros(e, 6);
    uint8_t b[4] = {0, 0, 0, 0}; /* 16-bit values are padded, and the padding counts */
    if (c->max_len != UINT16_MAX) {
        put_be16(b, c->max_len);
        of_prop_put(e->out, AC2_MAX_LEN, b, 4);
    }
    if (c->controller_id) {
        put_be16(b, c->controller_id);
        of_prop_put(e->out, AC2_CONTROLLER_ID, b, 4);
    }
    if (c->reason != OF_REASON_ACTION)
        of_prop_put(e->out, AC2_REASON, &c->reason, 1);
    if (c->userdata_len)
        of_prop_put(e->out, AC2_USERDATA, c->userdata, c->userdata_len);
    if (c->pause)
        of_prop_put(e->out, AC2_PAUSE, NULL, 0);
    if (c->meter_id != OF_METER_NONE) {
        put_be32(b, c->meter_id);
        of_prop_put(e->out, AC2_METER_ID, b, 4);
    }
    frame_end(e, start);
}

static void controller(struct encoder *e, const struct of_controller *c)
{
    if (c->form == OF_FORM_2) {
        controller2(e, c);
    } else if (!c->controller_id && c->reason == OF_REASON_ACTION) {
        output(e, PORT_CONTROLLER, c->max_len);
    } else {
        size_t start = frame_begin_nx(e, NXAST_CONTROLLER);
        of_buf_put16(e->out, c->max_len);
        of_buf_put16(e->out, c->controller_id);
        of_buf_put8(e->out, c->reason);
        frame_end(e, start);
    }
}

static void enqueue(struct encoder *e, const struct of_enqueue *q)
{
    if (e->version == OF10_VERSION) {
        size_t start = frame_begin(e, AT10_ENQUEUE);
        of_buf_put16(e->out, port_to_16(q->port));
        frame_zeros(e, 6);
        of_buf_put32(e->out, q->queue);
        frame_end(e, start);
        return;
    }
    size_t start = frame_begin(e, AT_SET_QUEUE);
    of_buf_put32(e->out, q->queue);
    frame_end(e, start);
    output(e, q->port, 0);
    frame_end(e, frame_begin_nx(e, NXAST_POP_QUEUE));
}

/* ---- Tags and TTL ---- */

static void tag(struct encoder *e, const struct of_push_vlan *p)
{
    static const uint8_t numbers[] = {[OF_PUSH_VLAN] = AT_PUSH_VLAN,
                                      [OF_PUSH_MPLS] = AT_PUSH_MPLS,
                                      [OF_POP_MPLS] = AT_POP_MPLS,
                                      [OF_PUSH_PBB] = AT_PUSH_PBB};
    bool mpls = p->type == OF_PUSH_MPLS || p->type == OF_POP_MPLS;
    size_t start;
    if (e->version == OF10_VERSION && p->type == OF_PUSH_VLAN)
        return; /* 1.0 has none: there, setting a VLAN brings a tag */
    if (e->version == OF10_VERSION && mpls)
        start = frame_begin_nx(e, p->type == OF_PUSH_MPLS ? NXAST_PUSH_MPLS : NXAST_POP_MPLS);
    else
        start = frame_begin(e, numbers[p->type]);
    of_buf_put16(e->out, p->eth_type);
    frame_end(e, start);
}

static void plain(struct encoder *e, uint16_t type)
{
    frame_end(e, frame_begin(e, type));
}

static void plain_nx(struct encoder *e, uint16_t subtype)
{
    frame_end(e, frame_begin_nx(e, subtype));
}

static void dec_ttl(struct encoder *e, const struct of_dec_ttl *d)
{
    if (d->form != OF_FORM_2) {
        if (e->version == OF10_VERSION)
            plain_nx(e, NXAST_DEC_TTL);
        else
            plain(e, AT_DEC_NW_TTL);
        return;
    }
    size_t start = frame_begin_nx(e, NXAST_DEC_TTL_CNT_IDS);
    of_buf_put16(e->out, d->n_ids);
    frame_zeros(e, 4);
    for (unsigned i = 0; i < d->n_ids; i++)
        of_buf_put16(e->out, d->ids[i]);
    frame_end(e, start);
}

static void resubmit(struct encoder *e, const struct of_resubmit *r)
{
    bool table = r->form == OF_FORM_2 || r->table != 255 || r->with_ct;
    size_t start = frame_begin_nx(e, r->with_ct ? NXAST_RESUBMIT_TABLE_CT
                                     : table    ? NXAST_RESUBMIT_TABLE
                                                : NXAST_RESUBMIT);
    of_buf_put16(e->out, port_to_16(r->in_port));
    if (table)
        of_buf_put8(e->out, r->table);
    frame_end(e, start);
}

/* ---- Connections ---- */

static void encode_list(struct encoder *e, const void *data, size_t n);

static void ct(struct encoder *e, const struct of_ct *c)
{
    size_t start = frame_begin_nx(e, NXAST_CT), n;
    of_buf_put16(e->out, c->flags);
    if (c->zone_src.id) {
        frame_header(e, c->zone_src.id);
        of_buf_put16(e->out, frame_ofs_nbits(&c->zone_src));
    } else {
        of_buf_put32(e->out, 0);
        of_buf_put16(e->out, c->zone_imm);
    }
    of_buf_put8(e->out, c->table);
    frame_zeros(e, 3);
    of_buf_put16(e->out, c->alg);
    const void *nested = of_action_nested((const struct of_action *)c, &n);
    encode_list(e, nested, n);
    frame_end(e, start);
}

static void nat(struct encoder *e, const struct of_nat *t)
{
    bool v6 = t->addr_version == 6, max = t->has_max & 1, port_max = t->has_max & 2;
    uint16_t present = 0;
    if (t->addr_version)
        present |=
            v6 ? NAT_IPV6_MIN | (max ? NAT_IPV6_MAX : 0) : NAT_IPV4_MIN | (max ? NAT_IPV4_MAX : 0);
    if (t->port_min)
        present |= NAT_PORT_MIN | (port_max ? NAT_PORT_MAX : 0);
    size_t start = frame_begin_nx(e, NXAST_NAT), len = v6 ? 16 : 4;
    frame_zeros(e, 2);
    of_buf_put16(e->out, t->flags);
    of_buf_put16(e->out, present);
    if (t->addr_version)
        of_buf_put(e->out, &t->addr_min, len);
    if (t->addr_version && max)
        of_buf_put(e->out, &t->addr_max, len);
    if (t->port_min)
        of_buf_put16(e->out, t->port_min);
    if (t->port_min && port_max)
        of_buf_put16(e->out, t->port_max);
    frame_end(e, start);
}

static void clone(struct encoder *e, const struct of_action *x)
{
    size_t start = frame_begin_nx(e, NXAST_CLONE), n;
    frame_zeros(e, 6);
    const void *nested = of_action_nested(x, &n);
    encode_list(e, nested, n);
    frame_end(e, start);
}

/* ---- The rest ---- */

static void note(struct encoder *e, const struct of_note *t)
{
    size_t start = frame_begin_nx(e, NXAST_NOTE);
    of_buf_put(e->out, t->bytes, t->n);
    frame_end(e, start);
}

static void number(struct encoder *e, uint16_t type, uint32_t x)
{
    size_t start = frame_begin(e, type);
    of_buf_put32(e->out, x);
    frame_end(e, start);
}

static void number_nx(struct encoder *e, uint16_t subtype, uint32_t x)
{
    size_t start = frame_begin_nx(e, subtype);
    frame_zeros(e, 2);
    of_buf_put32(e->out, x);
    frame_end(e, start);
}

static void fin_timeout(struct encoder *e, const struct of_fin_timeout *f)
{
    size_t start = frame_begin_nx(e, NXAST_FIN_TIMEOUT);
    of_buf_put16(e->out, f->idle);
    of_buf_put16(e->out, f->hard);
    frame_end(e, start);
}

static void delete_field(struct encoder *e, const struct of_delete_field *d)
{
    size_t start = frame_begin_nx(e, NXAST_DELETE_FIELD);
    frame_header_oxm(e, d->field);
    frame_zeros(e, 10);
    frame_end(e, start);
}

static void write_metadata_10(struct encoder *e, const struct of_write_metadata *w)
{
    size_t start = frame_begin_nx(e, NXAST_WRITE_METADATA);
    frame_zeros(e, 6);
    of_buf_put64(e->out, w->value);
    of_buf_put64(e->out, w->mask);
    frame_end(e, start);
}

/* The kinds without a struct of their own, and small ones. */
static void encode_simple(struct encoder *e, const struct of_action *x)
{
    bool v10 = e->version == OF10_VERSION;
    uint32_t id = x->len >= sizeof(struct of_id) ? ((const struct of_id *)x)->id : 0;
    switch (x->type) {
    case OF_POP_VLAN:
        plain(e, v10 ? AT10_STRIP_VLAN : AT_POP_VLAN);
        break;
    case OF_POP_PBB:
        plain(e, AT_POP_PBB);
        break;
    case OF_DEC_MPLS_TTL:
        if (v10)
            plain_nx(e, NXAST_DEC_MPLS_TTL);
        else
            plain(e, AT_DEC_MPLS_TTL);
        break;
    case OF_CT_CLEAR:
        plain_nx(e, NXAST_CT_CLEAR);
        break;
    case OF_EXIT:
        plain_nx(e, NXAST_EXIT);
        break;
    case OF_POP_QUEUE:
        plain_nx(e, NXAST_POP_QUEUE);
        break;
    case OF_SET_QUEUE:
        if (v10)
            number_nx(e, NXAST_SET_QUEUE, id);
        else
            number(e, AT_SET_QUEUE, id);
        break;
    case OF_GROUP:
        if (v10)
            number_nx(e, NXAST_GROUP, id);
        else
            number(e, AT_GROUP, id);
        break;
    case OF_METER:
        if (e->version >= OF15_VERSION)
            number(e, AT_METER, id);
        break;
    case OF_GOTO_TABLE: /* an instruction; in 1.0 the nearest thing */
        if (v10) {
            struct of_resubmit r = {.form = OF_FORM_2, .in_port = PORT_IN_PORT};
            r.table = ((const struct of_goto_table *)x)->table;
            resubmit(e, &r);
        }
        break;
    case OF_WRITE_METADATA:
        if (v10)
            write_metadata_10(e, (const void *)x);
        break;
    default: /* instructions: not part of a list of actions */
        break;
    }
}

static void encode_one(struct encoder *e, const struct of_action *x)
{
    const void *p = x;
    switch (x->type) {
    case OF_OUTPUT:
        output(e, ((const struct of_output *)p)->port, ((const struct of_output *)p)->max_len);
        break;
    case OF_OUTPUT_REG:
        output_reg(e, p);
        break;
    case OF_OUTPUT_TRUNC:
        output_trunc(e, p);
        break;
    case OF_CONTROLLER:
        controller(e, p);
        break;
    case OF_ENQUEUE:
        enqueue(e, p);
        break;
    case OF_SET_FIELD:
        encode_set_field(e, p);
        break;
    case OF_SET_TUN:
        encode_set_tun(e, x);
        break;
    case OF_MOVE:
        encode_move(e, p);
        break;
    case OF_STACK_PUSH:
    case OF_STACK_POP:
        encode_stack(e, p);
        break;
    case OF_PUSH_VLAN:
    case OF_PUSH_MPLS:
    case OF_POP_MPLS:
    case OF_PUSH_PBB:
        tag(e, p);
        break;
    case OF_DEC_TTL:
        dec_ttl(e, p);
        break;
    case OF_RESUBMIT:
        resubmit(e, p);
        break;
    case OF_LEARN:
        encode_learn(e, p);
        break;
    case OF_CT:
        ct(e, p);
        break;
    case OF_NAT:
        nat(e, p);
        break;
    case OF_CLONE:
        clone(e, p);
        break;
    case OF_CONJUNCTION:
        encode_conjunction(e, p);
        break;
    case OF_NOTE:
        note(e, p);
        break;
    case OF_CHECK_PKT_LARGER:
        encode_check_pkt_larger(e, p);
        break;
    case OF_MULTIPATH:
        encode_multipath(e, p);
        break;
    case OF_BUNDLE:
        encode_bundle(e, p);
        break;
    case OF_SAMPLE:
        encode_sample(e, p);
        break;
    case OF_FIN_TIMEOUT:
        fin_timeout(e, p);
        break;
    case OF_DELETE_FIELD:
        delete_field(e, p);
        break;
    default:
        encode_simple(e, x);
    }
}

static void encode_list(struct encoder *e, const void *data, size_t n)
{
    const struct of_action *x;
    OF_ACTION_FOR_EACH(x, data, n)
    encode_one(e, x);
}

void of_actions_encode(const void *data, size_t n, uint8_t version, struct of_buf *out)
{
    struct encoder e = {out, version};
    encode_list(&e, data, n);
}

/* ---- Instructions ---- */

static bool is_instruction(const struct of_action *x, uint8_t version)
{
    return x->type >= OF_CLEAR_ACTIONS || (x->type == OF_METER && version < OF15_VERSION);
}

static void instruction(struct encoder *e, const struct of_action *x)
{
    size_t start, n;
    const void *nested;
    switch (x->type) {
    case OF_METER:
        start = frame_begin(e, IT_METER);
        of_buf_put32(e->out, ((const struct of_id *)x)->id);
        break;
    case OF_CLEAR_ACTIONS:
        start = frame_begin(e, IT_CLEAR_ACTIONS);
        break;
    case OF_WRITE_ACTIONS:
        start = frame_begin(e, IT_WRITE_ACTIONS);
        frame_zeros(e, 4);
        nested = of_action_nested(x, &n);
        encode_list(e, nested, n);
        break;
    case OF_WRITE_METADATA:
        start = frame_begin(e, IT_WRITE_METADATA);
        frame_zeros(e, 4);
        of_buf_put64(e->out, ((const struct of_write_metadata *)x)->value);
        of_buf_put64(e->out, ((const struct of_write_metadata *)x)->mask);
        break;
    default:
        start = frame_begin(e, IT_GOTO_TABLE);
        of_buf_put8(e->out, ((const struct of_goto_table *)x)->table);
    }
    frame_end(e, start);
}

void of_instructions_encode(const void *data, size_t n, uint8_t version, struct of_buf *out)
{
    struct encoder e = {out, version};
    if (version == OF10_VERSION) {
        encode_list(&e, data, n);
        return;
    }
    const struct of_action *x;
    bool actions = false;
    OF_ACTION_FOR_EACH(x, data, n)
    {
        if (x->type == OF_METER && is_instruction(x, version))
            instruction(&e, x);
        actions |= !is_instruction(x, version);
    }
    if (actions) {
        size_t start = frame_begin(&e, IT_APPLY_ACTIONS);
        frame_zeros(&e, 4);
        OF_ACTION_FOR_EACH(x, data, n)
        if (!is_instruction(x, version))
            encode_one(&e, x);
        frame_end(&e, start);
    }
    OF_ACTION_FOR_EACH(x, data, n)
    if (x->type != OF_METER && is_instruction(x, version))
        instruction(&e, x);
}
