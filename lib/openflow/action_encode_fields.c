/* action_encode_fields.c - actions that set, move and keep fields, to the wire; see action_encode.c. */
#include "openflow/action_encode.h"

static void set_field_plain(struct encoder *e, enum field_id id, u128 value, u128 mask,
                            enum of_action_form form)
{
    size_t start = frame_begin(e, AT_SET_FIELD);
    if (form == OF_FORM_2)
        of_oxm_put_masked(e->out, id, value, mask, e->version);
    else
        of_oxm_put_field(e->out, id, value, mask, e->version);
    frame_end(e, start);
}

/* One REG_LOAD for each run of bits in the mask. */
static void set_field_load(struct encoder *e, enum field_id id, u128 value, u128 mask)
{
    unsigned bits = field_get(id)->n_bits;
    if (id ==
        FIELD_VLAN_VID) /* peers take the field as 12 bits wide here; setting it implies the thirteenth */
        bits = 12;
    else if (id == FIELD_TUN_FLAGS) /* and this one as wide as the bits that are in use */
        bits = 1;
    for (unsigned ofs = 0; ofs < bits;) {
        if (!(mask >> ofs & 1)) {
            ofs++;
            continue;
        }
        unsigned n = 1;
        while (n < 64 && ofs + n < bits && mask >> (ofs + n) & 1)
            n++;
        struct subfield sub = subfield_make(id, ofs, n);
        size_t start = frame_begin_nx(e, NXAST_REG_LOAD);
        of_buf_put16(e->out, frame_ofs_nbits(&sub));
        frame_header(e, id);
        of_buf_put64(e->out, (uint64_t)(value >> ofs & u128_ones(n)));
        frame_end(e, start);
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
            size_t start = frame_begin(e, kinds[i].type);
            of_buf_put(e->out, bytes, kinds[i].bytes);
            frame_end(e, start);
            return true;
        }
    }
    return false;
}

/* mod_vlan_* bring a tag where there is none, set_field does not. */
static void push_vlan(struct encoder *e)
{
    size_t start = frame_begin(e, AT_PUSH_VLAN);
    of_buf_put16(e->out, ETH_TYPE_VLAN);
    frame_end(e, start);
}

void encode_set_field(struct encoder *e, const struct of_set_field *s)
{
    enum field_id id = s->field;
    u128 value = of_set_field_value(s), mask = of_set_field_mask(s);
    if (FIELD_IS_TUN_METADATA(id)) {
        encode_set_tun(e, (const void *)s);
        return;
    }
    if (e->version == OF10_VERSION) {
        /* Old actions for what they can say, unless it came as a load. */
        if (s->form == OF_FORM_LOAD || !set_field_legacy(e, id, value, mask))
            set_field_load(e, id, value, mask);
        return;
    }
    if (s->form == OF_FORM_MOD && (id == FIELD_IP_TTL || id == FIELD_MPLS_TTL)) {
        size_t start = frame_begin(e, id == FIELD_IP_TTL ? AT_SET_NW_TTL : AT_SET_MPLS_TTL);
        of_buf_put8(e->out, (uint8_t)value);
        frame_end(e, start);
        return;
    }
    /* Fields that only the texts and 1.0 know. */
    if (id == FIELD_DL_VLAN || id == FIELD_DL_VLAN_PCP) {
        if (!s->tagged)
            push_vlan(e);
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
    frame_zeros(e, 2);
    frame_header_oxm(e, m->src.id);
    frame_header_oxm(e, m->dst.id);
}

void encode_move(struct encoder *e, const struct of_move *m)
{
    size_t start;
    if (e->version >= OF15_VERSION) {
        start = frame_begin(e, AT_COPY_FIELD);
        copy_field_body(e, m);
    } else if (e->version == OF13_VERSION) {
        start = frame_begin(e, AT_EXPERIMENTER);
        of_buf_put32(e->out, OF_VENDOR_ONF);
        of_buf_put16(e->out, ONF_COPY_FIELD);
        frame_zeros(e, 2);
        copy_field_body(e, m);
    } else {
        start = frame_begin_nx(e, NXAST_REG_MOVE);
        of_buf_put16(e->out, m->src.n_bits);
        of_buf_put16(e->out, m->src.ofs);
        of_buf_put16(e->out, m->dst.ofs);
        frame_header(e, m->src.id);
        frame_header(e, m->dst.id);
    }
    frame_end(e, start);
}

void encode_stack(struct encoder *e, const struct of_stack *s)
{
    size_t start = frame_begin_nx(e, s->type == OF_STACK_PUSH ? NXAST_STACK_PUSH : NXAST_STACK_POP);
    of_buf_put16(e->out, s->sub.ofs);
    frame_header(e, s->sub.id);
    of_buf_put16(e->out, s->sub.n_bits);
    frame_zeros(e, 6);
    frame_end(e, start);
}
