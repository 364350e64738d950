/* action_encode.c - lists of actions to the wire of a version. What a version has no action for is sent in Nicira's
 * form; every action has one. */
#include "net/headers.h"
#include "openflow/action_wire.h"
#include "openflow/oxm.h"
#include "openflow/packet_io.h"

struct encoder {
    struct of_buf *out;
    uint8_t version;
};

/* ---- Frames ---- */

static size_t begin(struct encoder *e, uint16_t type)
{
    size_t start = e->out->n;
    of_buf_put16(e->out, type);
    of_buf_put16(e->out, 0);
    return start;
}

static size_t begin_nx(struct encoder *e, uint16_t subtype)
{
    size_t start = begin(e, AT_EXPERIMENTER);
    of_buf_put32(e->out, OF_VENDOR_NX);
    of_buf_put16(e->out, subtype);
    return start;
}

static void end(struct encoder *e, size_t start)
{
    of_buf_pad(e->out, start, 8);
    put_be16(e->out->data + start + 2, (uint16_t)(e->out->n - start));
}

static void zeros(struct encoder *e, size_t n)
{
    of_buf_put(e->out, NULL, n);
}

static uint16_t ofs_nbits(const struct subfield *sub)
{
    return (uint16_t)(sub->ofs << 6 | (sub->n_bits - 1));
}

/* Most of Nicira's actions name fields by Nicira's headers, where there are any. */
static void header(struct encoder *e, enum field_id id)
{
    of_oxm_put_header(e->out, id, OF10_VERSION);
}

static void header_oxm(struct encoder *e, enum field_id id)
{
    of_oxm_put_header(e->out, id, e->version);
}

/* ---- Output ---- */

static void output(struct encoder *e, uint32_t port, uint16_t max_len)
{
    size_t start = begin(e, AT_OUTPUT);
    if (e->version == OF10_VERSION) {
        of_buf_put16(e->out, port_to_16(port));
        of_buf_put16(e->out, max_len);
    } else {
        of_buf_put32(e->out, port);
        of_buf_put16(e->out, max_len);
    }
    end(e, start);
}

static void output_reg(struct encoder *e, const struct of_output_reg *o)
{
    size_t start = begin_nx(e, NXAST_OUTPUT_REG);
    of_buf_put16(e->out, ofs_nbits(&o->src));
    header(e, o->src.id);
    of_buf_put16(e->out, o->max_len);
    zeros(e, 6);
    end(e, start);
}

static void output_trunc(struct encoder *e, const struct of_output_trunc *o)
{
    size_t start = begin_nx(e, NXAST_OUTPUT_TRUNC);
    of_buf_put16(e->out, port_to_16(o->port));
    of_buf_put32(e->out, o->max_len);
    end(e, start);
}

static void controller2(struct encoder *e, const struct of_controller *c)
{
    size_t start = begin_nx(e, NXAST_CONTROLLER2);
    zeros(e, 6);
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
    end(e, start);
}

static void controller(struct encoder *e, const struct of_controller *c)
{
    if (c->form == OF_FORM_2) {
        controller2(e, c);
    } else if (!c->controller_id && c->reason == OF_REASON_ACTION) {
        output(e, PORT_CONTROLLER, c->max_len);
    } else {
        size_t start = begin_nx(e, NXAST_CONTROLLER);
        of_buf_put16(e->out, c->max_len);
        of_buf_put16(e->out, c->controller_id);
        of_buf_put8(e->out, c->reason);
        end(e, start);
    }
}

static void enqueue(struct encoder *e, const struct of_enqueue *q)
{
    if (e->version == OF10_VERSION) {
        size_t start = begin(e, AT10_ENQUEUE);
        of_buf_put16(e->out, port_to_16(q->port));
        zeros(e, 6);
        of_buf_put32(e->out, q->queue);
        end(e, start);
        return;
    }
    size_t start = begin(e, AT_SET_QUEUE);
    of_buf_put32(e->out, q->queue);
    end(e, start);
    output(e, q->port, 0);
    end(e, begin_nx(e, NXAST_POP_QUEUE));
}

/* ---- Fields ---- */

static void set_field_plain(struct encoder *e, enum field_id id, u128 value, u128 mask,
                            enum of_action_form form)
{
    size_t start = begin(e, AT_SET_FIELD);
    if (form == OF_FORM_2)
        of_oxm_put_masked(e->out, id, value, mask, e->version);
    else
        of_oxm_put_field(e->out, id, value, mask, e->version);
    end(e, start);
}

/* One REG_LOAD for each run of bits in the mask; options of variable length go whole. */
static void set_field_load(struct encoder *e, enum field_id id, u128 value, u128 mask)
{
    if (FIELD_IS_TUN_METADATA(id)) {
        size_t start = begin_nx(e, NXAST_REG_LOAD2);
        of_oxm_put_field(e->out, id, value, mask, e->version);
        end(e, start);
        return;
    }
    unsigned bits = field_get(id)->n_bits;
    if (id ==
        FIELD_VLAN_VID) /* peers take the field as 12 bits wide here; setting it implies the thirteenth */
        bits = 12;
    for (unsigned ofs = 0; ofs < bits;) {
        if (!(mask >> ofs & 1)) {
            ofs++;
            continue;
        }
        unsigned n = 1;
        while (n < 64 && ofs + n < bits && mask >> (ofs + n) & 1)
            n++;
        struct subfield sub = subfield_make(id, ofs, n);
        size_t start = begin_nx(e, NXAST_REG_LOAD);
        of_buf_put16(e->out, ofs_nbits(&sub));
        header(e, id);
        of_buf_put64(e->out, (uint64_t)(value >> ofs & u128_ones(n)));
        end(e, start);
        ofs += n;
    }
}

static bool set_field_legacy(struct encoder *e, enum field_id id, u128 value, u128 mask)
{
    /* Views of 1.2 on what 1.0 has an action for. */
    if (id == FIELD_VLAN_VID && mask == u128_ones(13)) {
        id = FIELD_DL_VLAN;
        value &= VLAN_VID_MASK;
        mask = u128_ones(12);
    } else if (id == FIELD_IP_DSCP && mask == u128_ones(6)) {
        id = FIELD_IP_TOS;
        value <<= 2;
        mask = IP_DSCP_MASK;
    }
    static const struct {
        uint8_t id, type, bytes, lead; /* LEAD: zeros before the value */
    } kinds[] = {
        {FIELD_DL_VLAN, AT10_SET_VLAN_VID, 2, 0},  {FIELD_DL_VLAN_PCP, AT10_SET_VLAN_PCP, 1, 0},
        {FIELD_VLAN_PCP, AT10_SET_VLAN_PCP, 1, 0}, {FIELD_ETH_SRC, AT10_SET_DL_SRC, 6, 0},
        {FIELD_ETH_DST, AT10_SET_DL_DST, 6, 0},    {FIELD_IP_SRC, AT10_SET_NW_SRC, 4, 0},
        {FIELD_IP_DST, AT10_SET_NW_DST, 4, 0},     {FIELD_IP_TOS, AT10_SET_NW_TOS, 1, 0},
        {FIELD_TCP_SRC, AT10_SET_TP_SRC, 2, 0},    {FIELD_UDP_SRC, AT10_SET_TP_SRC, 2, 0},
        {FIELD_SCTP_SRC, AT10_SET_TP_SRC, 2, 0},   {FIELD_TCP_DST, AT10_SET_TP_DST, 2, 0},
        {FIELD_UDP_DST, AT10_SET_TP_DST, 2, 0},    {FIELD_SCTP_DST, AT10_SET_TP_DST, 2, 0},
    };
    if (id == FIELD_IP_TOS ? mask != IP_DSCP_MASK && mask != 0xff
                           : mask != u128_ones(field_get(id)->n_bits))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (kinds[i].id == id) {
            uint8_t bytes[6];
            put_be_n(bytes, kinds[i].bytes, value);
            size_t start = begin(e, kinds[i].type);
            of_buf_put(e->out, bytes, kinds[i].bytes);
            end(e, start);
            return true;
        }
    }
    return false;
}

static void set_field(struct encoder *e, const struct of_set_field *s)
{
    enum field_id id = s->field;
    u128 value = of_set_field_value(s), mask = of_set_field_mask(s);
    if (e->version == OF10_VERSION) {
        /* Old actions for what they can say, unless it came as a load. */
        if (s->form == OF_FORM_LOAD || !set_field_legacy(e, id, value, mask))
            set_field_load(e, id, value, mask);
        return;
    }
    /* Fields that only the texts and 1.0 know. */
    if (id == FIELD_DL_VLAN || id == FIELD_DL_VLAN_PCP) {
        bool vid = id == FIELD_DL_VLAN;
        id = vid ? FIELD_VLAN_VID : FIELD_VLAN_PCP;
        if (vid)
            value |= VLAN_CFI;
        mask = u128_ones(field_get(id)->n_bits);
    } else if (id == FIELD_IP_TOS && mask == IP_DSCP_MASK) {
        id = FIELD_IP_DSCP;
        value >>= 2;
        mask = u128_ones(6);
    }
    if (e->version >= OF15_VERSION)
        set_field_plain(e, id, value, mask, s->form);
    else if (s->form == OF_FORM_LOAD || mask != u128_ones(field_get(id)->n_bits))
        set_field_load(e, id, value, mask);
    else
        set_field_plain(e, id, value, mask, s->form);
}

static void copy_field_body(struct encoder *e, const struct of_move *m)
{
    of_buf_put16(e->out, m->src.n_bits);
    of_buf_put16(e->out, m->src.ofs);
    of_buf_put16(e->out, m->dst.ofs);
    zeros(e, 2);
    header_oxm(e, m->src.id);
    header_oxm(e, m->dst.id);
}

static void move(struct encoder *e, const struct of_move *m)
{
    size_t start;
    if (e->version >= OF15_VERSION) {
        start = begin(e, AT_COPY_FIELD);
        copy_field_body(e, m);
    } else if (e->version == OF13_VERSION) {
        start = begin(e, AT_EXPERIMENTER);
        of_buf_put32(e->out, OF_VENDOR_ONF);
        of_buf_put16(e->out, ONF_COPY_FIELD);
        zeros(e, 2);
        copy_field_body(e, m);
    } else {
        start = begin_nx(e, NXAST_REG_MOVE);
        of_buf_put16(e->out, m->src.n_bits);
        of_buf_put16(e->out, m->src.ofs);
        of_buf_put16(e->out, m->dst.ofs);
        header(e, m->src.id);
        header(e, m->dst.id);
    }
    end(e, start);
}

static void stack(struct encoder *e, const struct of_stack *s)
{
    size_t start = begin_nx(e, s->type == OF_STACK_PUSH ? NXAST_STACK_PUSH : NXAST_STACK_POP);
    of_buf_put16(e->out, s->sub.ofs);
    header(e, s->sub.id);
    of_buf_put16(e->out, s->sub.n_bits);
    zeros(e, 6);
    end(e, start);
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
    if (e->version == OF10_VERSION && mpls)
        start = begin_nx(e, p->type == OF_PUSH_MPLS ? NXAST_PUSH_MPLS : NXAST_POP_MPLS);
    else /* 1.0 has no push_vlan; peers understand 1.1's number there as little as any other */
        start = begin(e, numbers[p->type]);
    of_buf_put16(e->out, p->eth_type);
    end(e, start);
}

static void plain(struct encoder *e, uint16_t type)
{
    end(e, begin(e, type));
}

static void plain_nx(struct encoder *e, uint16_t subtype)
{
    end(e, begin_nx(e, subtype));
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
    size_t start = begin_nx(e, NXAST_DEC_TTL_CNT_IDS);
    of_buf_put16(e->out, d->n_ids);
    zeros(e, 4);
    for (unsigned i = 0; i < d->n_ids; i++)
        of_buf_put16(e->out, d->ids[i]);
    end(e, start);
}

static void resubmit(struct encoder *e, const struct of_resubmit *r)
{
    bool table = r->form == OF_FORM_2 || r->table != 255 || r->with_ct;
    size_t start = begin_nx(e, r->with_ct ? NXAST_RESUBMIT_TABLE_CT
                               : table    ? NXAST_RESUBMIT_TABLE
                                          : NXAST_RESUBMIT);
    of_buf_put16(e->out, port_to_16(r->in_port));
    if (table)
        of_buf_put8(e->out, r->table);
    end(e, start);
}

/* ---- learn ---- */

static void learn_spec(struct encoder *e, const struct of_learn_spec *s)
{
    static const uint16_t dst[] = {LEARN_DST_MATCH, LEARN_DST_LOAD, LEARN_DST_OUTPUT};
    of_buf_put16(e->out,
                 (uint16_t)(s->n_bits | dst[s->dst_type] | (s->src_imm ? LEARN_SRC_IMMEDIATE : 0)));
    if (s->src_imm) {
        uint8_t bytes[16];
        unsigned n = DIV_ROUND_UP(s->n_bits, 16u) * 2;
        put_be_n(bytes, n, (u128)s->value_hi << 64 | s->value_lo);
        of_buf_put(e->out, bytes, n);
    } else {
        header(e, s->src.id);
        of_buf_put16(e->out, s->src.ofs);
    }
    if (s->dst_type != OF_LEARN_OUTPUT) {
        header(e, s->dst.id);
        of_buf_put16(e->out, s->dst.ofs);
    }
}

static void learn(struct encoder *e, const struct of_learn *l)
{
    bool two = l->limit || l->flags & OF_LEARN_WRITE_RESULT;
    size_t start = begin_nx(e, two ? NXAST_LEARN2 : NXAST_LEARN);
    of_buf_put16(e->out, l->idle_timeout);
    of_buf_put16(e->out, l->hard_timeout);
    of_buf_put16(e->out, l->priority);
    of_buf_put64(e->out, l->cookie);
    of_buf_put16(e->out, l->flags);
    of_buf_put8(e->out, l->table);
    zeros(e, 1);
    of_buf_put16(e->out, l->fin_idle_timeout);
    of_buf_put16(e->out, l->fin_hard_timeout);
    if (two) {
        of_buf_put32(e->out, l->limit);
        of_buf_put16(e->out, l->result_dst.ofs);
        zeros(e, 2);
        if (l->flags & OF_LEARN_WRITE_RESULT)
            header(e, l->result_dst.id);
    }
    for (unsigned i = 0; i < l->n_specs; i++)
        learn_spec(e, &l->specs[i]);
    end(e, start);
}

/* ---- Connections ---- */

static void encode_list(struct encoder *e, const void *data, size_t n);

static void ct(struct encoder *e, const struct of_ct *c)
{
    size_t start = begin_nx(e, NXAST_CT), n;
    of_buf_put16(e->out, c->flags);
    if (c->zone_src.id) {
        header(e, c->zone_src.id);
        of_buf_put16(e->out, ofs_nbits(&c->zone_src));
    } else {
        of_buf_put32(e->out, 0);
        of_buf_put16(e->out, c->zone_imm);
    }
    of_buf_put8(e->out, c->table);
    zeros(e, 3);
    of_buf_put16(e->out, c->alg);
    const void *nested = of_action_nested((const struct of_action *)c, &n);
    encode_list(e, nested, n);
    end(e, start);
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
    size_t start = begin_nx(e, NXAST_NAT), len = v6 ? 16 : 4;
    zeros(e, 2);
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
    end(e, start);
}

static void clone(struct encoder *e, const struct of_action *x)
{
    size_t start = begin_nx(e, NXAST_CLONE), n;
    zeros(e, 6);
    const void *nested = of_action_nested(x, &n);
    encode_list(e, nested, n);
    end(e, start);
}

/* ---- The rest ---- */

static void conjunction(struct encoder *e, const struct of_conjunction *c)
{
    size_t start = begin_nx(e, NXAST_CONJUNCTION);
    of_buf_put8(e->out, c->clause);
    of_buf_put8(e->out, c->n_clauses);
    of_buf_put32(e->out, c->id);
    end(e, start);
}

static void note(struct encoder *e, const struct of_note *t)
{
    size_t start = begin_nx(e, NXAST_NOTE);
    of_buf_put(e->out, t->bytes, t->n);
    end(e, start);
}

static void number(struct encoder *e, uint16_t type, uint32_t x)
{
    size_t start = begin(e, type);
    of_buf_put32(e->out, x);
    end(e, start);
}

static void number_nx(struct encoder *e, uint16_t subtype, uint32_t x)
{
    size_t start = begin_nx(e, subtype);
    zeros(e, 2);
    of_buf_put32(e->out, x);
    end(e, start);
}

static void check_pkt_larger(struct encoder *e, const struct of_check_pkt_larger *c)
{
    size_t start = begin_nx(e, NXAST_CHECK_PKT_LARGER);
    of_buf_put16(e->out, c->pkt_len);
    of_buf_put16(e->out, c->dst.ofs);
    header(e, c->dst.id);
    zeros(e, 6);
    end(e, start);
}

static void multipath(struct encoder *e, const struct of_multipath *m)
{
    size_t start = begin_nx(e, NXAST_MULTIPATH);
    of_buf_put16(e->out, m->fields);
    of_buf_put16(e->out, m->basis);
    zeros(e, 2);
    of_buf_put16(e->out, m->algorithm);
    of_buf_put16(e->out, m->max_link);
    of_buf_put32(e->out, m->arg);
    zeros(e, 2);
    of_buf_put16(e->out, ofs_nbits(&m->dst));
    header(e, m->dst.id);
    end(e, start);
}

static void bundle(struct encoder *e, const struct of_bundle_action *b)
{
    size_t start = begin_nx(e, b->dst.id ? NXAST_BUNDLE_LOAD : NXAST_BUNDLE);
    of_buf_put16(e->out, b->algorithm);
    of_buf_put16(e->out, b->fields);
    of_buf_put16(e->out, b->basis);
    /* The kind of the members: a 16-bit NXM in_port header, in every version. */
    of_buf_put32(e->out, 0x00000002);
    of_buf_put16(e->out, b->n_members);
    of_buf_put16(e->out, b->dst.id ? ofs_nbits(&b->dst) : 0);
    if (b->dst.id)
        header(e, b->dst.id);
    else
        zeros(e, 4);
    zeros(e, 4);
    for (unsigned i = 0; i < b->n_members; i++)
        of_buf_put16(e->out, port_to_16(b->members[i]));
    end(e, start);
}

static void sample_source(struct encoder *e, const struct subfield *src, uint32_t imm)
{
    if (src->id) {
        header(e, src->id);
        of_buf_put16(e->out, ofs_nbits(src));
        zeros(e, 2);
    } else {
        of_buf_put32(e->out, imm);
        zeros(e, 4);
    }
}

static void sample(struct encoder *e, const struct of_sample *s)
{
    bool four = s->version >= 4 || s->obs_domain_src.id || s->obs_point_src.id;
    uint8_t version = four ? 4 : s->direction ? 3 : s->sampling_port != PORT_ANY ? 2 : 1;
    static const uint16_t subtypes[] = {0, NXAST_SAMPLE, NXAST_SAMPLE2, NXAST_SAMPLE3,
                                        NXAST_SAMPLE4};
    version = MAX(version, s->version);
    size_t start = begin_nx(e, subtypes[version]);
    of_buf_put16(e->out, s->probability);
    of_buf_put32(e->out, s->collector_set_id);
    if (four) {
        sample_source(e, &s->obs_domain_src, s->obs_domain_imm);
        sample_source(e, &s->obs_point_src, s->obs_point_imm);
        of_buf_put16(e->out, port_to_16(s->sampling_port));
        of_buf_put8(e->out, s->direction);
        zeros(e, 5);
    } else {
        of_buf_put32(e->out, s->obs_domain_imm);
        of_buf_put32(e->out, s->obs_point_imm);
        if (version >= 2) {
            of_buf_put16(e->out, port_to_16(s->sampling_port));
            of_buf_put8(e->out, s->direction);
            zeros(e, 5);
        }
    }
    end(e, start);
}

static void fin_timeout(struct encoder *e, const struct of_fin_timeout *f)
{
    size_t start = begin_nx(e, NXAST_FIN_TIMEOUT);
    of_buf_put16(e->out, f->idle);
    of_buf_put16(e->out, f->hard);
    end(e, start);
}

static void delete_field(struct encoder *e, const struct of_delete_field *d)
{
    size_t start = begin_nx(e, NXAST_DELETE_FIELD);
    header_oxm(e, d->field);
    end(e, start);
}

static void write_metadata_10(struct encoder *e, const struct of_write_metadata *w)
{
    size_t start = begin_nx(e, NXAST_WRITE_METADATA);
    zeros(e, 6);
    of_buf_put64(e->out, w->value);
    of_buf_put64(e->out, w->mask);
    end(e, start);
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
        set_field(e, p);
        break;
    case OF_MOVE:
        move(e, p);
        break;
    case OF_STACK_PUSH:
    case OF_STACK_POP:
        stack(e, p);
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
        learn(e, p);
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
        conjunction(e, p);
        break;
    case OF_NOTE:
        note(e, p);
        break;
    case OF_CHECK_PKT_LARGER:
        check_pkt_larger(e, p);
        break;
    case OF_MULTIPATH:
        multipath(e, p);
        break;
    case OF_BUNDLE:
        bundle(e, p);
        break;
    case OF_SAMPLE:
        sample(e, p);
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
        start = begin(e, IT_METER);
        of_buf_put32(e->out, ((const struct of_id *)x)->id);
        break;
    case OF_CLEAR_ACTIONS:
        start = begin(e, IT_CLEAR_ACTIONS);
        break;
    case OF_WRITE_ACTIONS:
        start = begin(e, IT_WRITE_ACTIONS);
        zeros(e, 4);
        nested = of_action_nested(x, &n);
        encode_list(e, nested, n);
        break;
    case OF_WRITE_METADATA:
        start = begin(e, IT_WRITE_METADATA);
        zeros(e, 4);
        of_buf_put64(e->out, ((const struct of_write_metadata *)x)->value);
        of_buf_put64(e->out, ((const struct of_write_metadata *)x)->mask);
        break;
    default:
        start = begin(e, IT_GOTO_TABLE);
        of_buf_put8(e->out, ((const struct of_goto_table *)x)->table);
    }
    end(e, start);
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
        size_t start = begin(&e, IT_APPLY_ACTIONS);
        zeros(&e, 4);
        OF_ACTION_FOR_EACH(x, data, n)
        if (!is_instruction(x, version))
            encode_one(&e, x);
        end(&e, start);
    }
    OF_ACTION_FOR_EACH(x, data, n)
    if (x->type != OF_METER && is_instruction(x, version))
        instruction(&e, x);
}
