/* action_decode.c - actions and instructions from the wire of any version. Everything read is bounded by the action's
 * length, which is bounded by the list's; nesting is bounded by MAX_DEPTH, one list by 64 kB of its memory form. */
#include "openflow/action_decode.h"
#include "net/headers.h"
#include "openflow/oxm.h"
#include "openflow/packet_io.h"

const uint8_t *body_take(struct body *b, size_t n)
{
    static const uint8_t zeros[32];
    if ((size_t)(b->end - b->p) < n) {
        b->bad = true;
        return zeros;
    }
    b->p += n;
    return b->p - n;
}

uint8_t body_take8(struct body *b)
{
    return *body_take(b, 1);
}

uint16_t body_take16(struct body *b)
{
    return get_be16(body_take(b, 2));
}

uint32_t body_take32(struct body *b)
{
    return get_be32(body_take(b, 4));
}

uint64_t body_take64(struct body *b)
{
    return get_be64(body_take(b, 8));
}

bool body_rest_is_zero(const struct body *b)
{
    for (const uint8_t *p = b->p; p < b->end; p++)
        if (*p)
            return false;
    return true;
}

int body_done(const struct body *b)
{
    return b->bad ? OF_ERR_ACTION_BAD_LEN : 0;
}

/* A header of a field and where in it; N_BITS as ofs_nbits says or as given. */
int body_take_header(struct body *b, enum field_id *id)
{
    size_t used;
    int err = of_oxm_get_header(body_take(b, 4), 4, id, &used);
    return b->bad ? OF_ERR_ACTION_BAD_LEN : err;
}

int decode_sub(enum field_id id, unsigned ofs, unsigned n_bits, struct subfield *ret)
{
    if (!n_bits || ofs + n_bits > field_get(id)->n_bits)
        return OF_ERR_ACTION_BAD_ARGUMENT;
    *ret = subfield_make(id, ofs, n_bits);
    return 0;
}

int decode_ofs_nbits(enum field_id id, uint16_t ofs_nbits, struct subfield *ret)
{
    return decode_sub(id, ofs_nbits >> 6, (ofs_nbits & 63) + 1u, ret);
}

bool decode_writable(enum field_id id, const struct decoder *d)
{
    return id == FIELD_CT_MARK || id == FIELD_CT_LABEL ? d->in_ct : field_get(id)->writable;
}

/* ---- Tags, TTL, resubmit ---- */

static int tag(struct decoder *d, struct body *b, enum of_action_type type)
{
    uint16_t eth_type = body_take16(b);
    if (type == OF_PUSH_VLAN && eth_type != ETH_TYPE_VLAN && eth_type != ETH_TYPE_QINQ)
        return OF_ERR_ACTION_BAD_ARGUMENT;
    if (type == OF_PUSH_MPLS && eth_type != ETH_TYPE_MPLS && eth_type != ETH_TYPE_MPLS_MCAST)
        return OF_ERR_ACTION_BAD_ARGUMENT;
    if (type == OF_PUSH_PBB && eth_type != ETH_TYPE_PBB)
        return OF_ERR_ACTION_BAD_ARGUMENT;
    DECODE_PUT(d, type, of_push_vlan)->eth_type = eth_type;
    return body_done(b);
}

static int dec_ttl_ids(struct decoder *d, struct body *b)
{
    uint16_t n = body_take16(b);
    body_take(b, 4);
    const uint8_t *ids = b->p;
    if (b->bad || (size_t)(b->end - b->p) < n * 2u)
        return OF_ERR_ACTION_BAD_LEN;
    struct of_dec_ttl *t = of_put(d->out, OF_DEC_TTL, sizeof *t + n * 2u);
    t->form = OF_FORM_2;
    t->n_ids = n;
    for (unsigned i = 0; i < n; i++)
        t->ids[i] = get_be16(ids + 2 * i);
    return 0;
}

static int resubmit(struct decoder *d, struct body *b, bool table, bool with_ct)
{
    struct of_resubmit *r = DECODE_PUT(d, OF_RESUBMIT, of_resubmit);
    r->in_port = port_from_16(body_take16(b));
    r->table = table ? body_take8(b) : 255;
    r->with_ct = with_ct;
    r->form = table ? OF_FORM_2 : OF_FORM_PLAIN;
    return body_done(b);
}

/* ---- The rest ---- */

static int number(struct decoder *d, struct body *b, enum of_action_type type, size_t pad)
{
    body_take(b, pad);
    DECODE_PUT(d, type, of_id)->id = body_take32(b);
    return body_done(b);
}

static int note(struct decoder *d, struct body *b)
{
    of_put_note(d->out, b->p, (size_t)(b->end - b->p));
    return 0;
}

static int plain(struct decoder *d, enum of_action_type type)
{
    DECODE_PUT(d, type, of_plain);
    return 0;
}

static int fin_timeout(struct decoder *d, struct body *b)
{
    struct of_fin_timeout *f = DECODE_PUT(d, OF_FIN_TIMEOUT, of_fin_timeout);
    f->idle = body_take16(b);
    f->hard = body_take16(b);
    return body_done(b);
}

static int write_metadata(struct decoder *d, struct body *b, size_t pad)
{
    body_take(b, pad);
    uint64_t value = body_take64(b), mask = body_take64(b);
    if (!b->bad)
        of_put_write_metadata(d->out, value, mask);
    return body_done(b);
}

static int decode_nx_more(struct decoder *d, struct body *b, uint16_t subtype)
{
    switch (subtype) {
    case NXAST_SET_TUNNEL:
        return decode_set_tunnel(d, b, false);
    case NXAST_SET_TUNNEL64:
        return decode_set_tunnel(d, b, true);
    case NXAST_SET_QUEUE:
        return number(d, b, OF_SET_QUEUE, 2);
    case NXAST_POP_QUEUE:
        return plain(d, OF_POP_QUEUE);
    case NXAST_EXIT:
        return plain(d, OF_EXIT);
    case NXAST_DEC_TTL:
        of_put_dec_ttl(d->out);
        return 0;
    case NXAST_DEC_TTL_CNT_IDS:
        return dec_ttl_ids(d, b);
    case NXAST_WRITE_METADATA:
        return write_metadata(d, b, 6);
    case NXAST_PUSH_MPLS:
        return tag(d, b, OF_PUSH_MPLS);
    case NXAST_POP_MPLS:
        return tag(d, b, OF_POP_MPLS);
    case NXAST_SET_MPLS_TTL:
        return decode_set_legacy(d, b, FIELD_MPLS_TTL, 1);
    case NXAST_DEC_MPLS_TTL:
        return plain(d, OF_DEC_MPLS_TTL);
    case NXAST_FIN_TIMEOUT:
        return fin_timeout(d, b);
    case NXAST_GROUP:
        return number(d, b, OF_GROUP, 2);
    case NXAST_DELETE_FIELD:
        return decode_delete_field(d, b);
    case NXAST_SAMPLE:
        return decode_sample(d, b, 1);
    case NXAST_SAMPLE2:
        return decode_sample(d, b, 2);
    case NXAST_SAMPLE3:
        return decode_sample(d, b, 3);
    case NXAST_SAMPLE4:
        return decode_sample(d, b, 4);
    default:
        return OF_ERR_ACTION_BAD_VENDOR_TYPE;
    }
}

static int decode_nx(struct decoder *d, struct body *b)
{
    uint16_t subtype = body_take16(b);
    if (b->bad)
        return body_done(b);
    /* 1.5 says these itself: set_field with a mask, copy_field. */
    if (d->version >= OF15_VERSION && (subtype == NXAST_REG_MOVE || subtype == NXAST_REG_LOAD))
        return OF_ERR_ACTION_BAD_VENDOR_TYPE;
    switch (subtype) {
    case NXAST_RESUBMIT:
        return resubmit(d, b, false, false);
    case NXAST_RESUBMIT_TABLE:
        return resubmit(d, b, true, false);
    case NXAST_RESUBMIT_TABLE_CT:
        return resubmit(d, b, true, true);
    case NXAST_REG_MOVE:
        return decode_move(d, b, false);
    case NXAST_REG_LOAD:
        return decode_reg_load(d, b);
    case NXAST_REG_LOAD2:
        return decode_set_field(d, b, OF_FORM_PLAIN);
    case NXAST_NOTE:
        return note(d, b);
    case NXAST_MULTIPATH:
        return decode_multipath(d, b);
    case NXAST_BUNDLE:
        return decode_bundle(d, b, false);
    case NXAST_BUNDLE_LOAD:
        return decode_bundle(d, b, true);
    case NXAST_OUTPUT_REG:
        return decode_output_reg(d, b);
    case NXAST_OUTPUT_TRUNC:
        return decode_output_trunc(d, b);
    case NXAST_LEARN:
        return decode_learn(d, b, false);
    case NXAST_LEARN2:
        return decode_learn(d, b, true);
    case NXAST_CONTROLLER:
        return decode_controller(d, b);
    case NXAST_CONTROLLER2:
        return decode_controller2(d, b);
    case NXAST_STACK_PUSH:
        return decode_stack(d, b, OF_STACK_PUSH);
    case NXAST_STACK_POP:
        return decode_stack(d, b, OF_STACK_POP);
    case NXAST_CONJUNCTION:
        return decode_conjunction(d, b);
    case NXAST_CT:
        return decode_ct(d, b);
    case NXAST_NAT:
        return decode_nat(d, b);
    case NXAST_CT_CLEAR:
        return plain(d, OF_CT_CLEAR);
    case NXAST_CLONE:
        return decode_clone(d, b);
    case NXAST_CHECK_PKT_LARGER:
        return decode_check_pkt_larger(d, b);
    default:
        return decode_nx_more(d, b, subtype);
    }
}

static int decode_experimenter(struct decoder *d, struct body *b)
{
    uint32_t vendor = body_take32(b);
    if (b->bad)
        return body_done(b);
    if (vendor == OF_VENDOR_NX)
        return decode_nx(d, b);
    if (vendor != OF_VENDOR_ONF)
        return OF_ERR_ACTION_BAD_VENDOR;
    uint16_t type = body_take16(b);
    body_take(b, 2);
    return type == ONF_COPY_FIELD ? decode_move(d, b, true) : OF_ERR_ACTION_BAD_VENDOR_TYPE;
}

static int decode_10(struct decoder *d, struct body *b, uint16_t type)
{
    switch (type) {
    case AT10_OUTPUT:
        return decode_output(d, b);
    case AT10_SET_VLAN_VID:
        return decode_set_legacy(d, b, FIELD_DL_VLAN, 2);
    case AT10_SET_VLAN_PCP:
        return decode_set_legacy(d, b, FIELD_DL_VLAN_PCP, 1);
    case AT10_STRIP_VLAN:
        DECODE_PUT(d, OF_POP_VLAN, of_plain)->form = OF_FORM_MOD;
        return 0;
    case AT10_SET_DL_SRC:
        return decode_set_legacy(d, b, FIELD_ETH_SRC, 6);
    case AT10_SET_DL_DST:
        return decode_set_legacy(d, b, FIELD_ETH_DST, 6);
    case AT10_SET_NW_SRC:
        return decode_set_legacy(d, b, FIELD_IP_SRC, 4);
    case AT10_SET_NW_DST:
        return decode_set_legacy(d, b, FIELD_IP_DST, 4);
    case AT10_SET_NW_TOS:
        return decode_set_legacy(d, b, FIELD_IP_TOS, 1);
    case AT10_SET_TP_SRC:
        return decode_set_legacy(d, b, FIELD_TCP_SRC, 2);
    case AT10_SET_TP_DST:
        return decode_set_legacy(d, b, FIELD_TCP_DST, 2);
    case AT10_ENQUEUE:
        return decode_enqueue(d, b);
    case AT_PUSH_PBB: /* not of 1.0, but there is no other way to say these */
        return tag(d, b, OF_PUSH_PBB);
    case AT_POP_PBB:
        return plain(d, OF_POP_PBB);
    default:
        return OF_ERR_ACTION_BAD_TYPE;
    }
}

/* OpenFlow 1.1's actions that later versions say as set_field. */
static int decode_set_11(struct decoder *d, struct body *b, uint16_t type)
{
    static const struct {
        uint8_t type, field, bytes;
    } sets[] = {
        {AT_SET_VLAN_VID, FIELD_DL_VLAN, 2},      {AT_SET_VLAN_PCP, FIELD_DL_VLAN_PCP, 1},
        {AT_SET_DL_SRC, FIELD_ETH_SRC, 6},        {AT_SET_DL_DST, FIELD_ETH_DST, 6},
        {AT_SET_NW_SRC, FIELD_IP_SRC, 4},         {AT_SET_NW_DST, FIELD_IP_DST, 4},
        {AT_SET_NW_TOS, FIELD_IP_TOS, 1},         {AT_SET_NW_ECN, FIELD_IP_ECN, 1},
        {AT_SET_TP_SRC, FIELD_TCP_SRC, 2},        {AT_SET_TP_DST, FIELD_TCP_DST, 2},
        {AT_SET_MPLS_LABEL, FIELD_MPLS_LABEL, 4}, {AT_SET_MPLS_TC, FIELD_MPLS_TC, 1},
        {AT_SET_MPLS_TTL, FIELD_MPLS_TTL, 1},
    };
    for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
        if (sets[i].type == type)
            return decode_set_legacy(d, b, sets[i].field, sets[i].bytes);
    return OF_ERR_ACTION_BAD_TYPE;
}

static int decode_11(struct decoder *d, struct body *b, uint16_t type)
{
    switch (type) {
    case AT_OUTPUT:
        return decode_output(d, b);
    case AT_DEC_MPLS_TTL:
        return plain(d, OF_DEC_MPLS_TTL);
    case AT_PUSH_VLAN:
        return tag(d, b, OF_PUSH_VLAN);
    case AT_POP_VLAN:
        return plain(d, OF_POP_VLAN);
    case AT_PUSH_MPLS:
        return tag(d, b, OF_PUSH_MPLS);
    case AT_POP_MPLS:
        return tag(d, b, OF_POP_MPLS);
    case AT_PUSH_PBB:
        return tag(d, b, OF_PUSH_PBB);
    case AT_POP_PBB:
        return plain(d, OF_POP_PBB);
    case AT_SET_QUEUE:
        return number(d, b, OF_SET_QUEUE, 0);
    case AT_GROUP:
        return number(d, b, OF_GROUP, 0);
    case AT_SET_NW_TTL:
        return decode_set_legacy(d, b, FIELD_IP_TTL, 1);
    case AT_DEC_NW_TTL:
        of_put_dec_ttl(d->out);
        return 0;
    case AT_SET_FIELD:
        return decode_set_field(d, b, OF_FORM_PLAIN);
    case AT_COPY_FIELD:
        return d->version >= OF15_VERSION ? decode_move(d, b, true) : OF_ERR_ACTION_BAD_TYPE;
    case AT_METER:
        return d->version >= OF15_VERSION ? number(d, b, OF_METER, 0) : OF_ERR_ACTION_BAD_TYPE;
    default:
        return decode_set_11(d, b, type);
    }
}

/* How long the actions of OpenFlow itself are; 0: as long as they say. */
static size_t fixed_len(uint8_t version, uint16_t type)
{
    static const uint8_t lens_10[] = {8, 8, 8, 8, 16, 16, 8, 8, 8, 8, 8, 16};
    if (version == OF10_VERSION)
        return type < ARRAY_SIZE(lens_10) ? lens_10[type] : 0;
    if (type == AT_OUTPUT || type == AT_SET_DL_SRC || type == AT_SET_DL_DST)
        return 16;
    return (type >= AT_SET_VLAN_VID && type <= AT_SET_TP_DST) ||
                   (type >= AT_SET_MPLS_LABEL && type <= AT_SET_MPLS_TC) ||
                   (type >= AT_SET_MPLS_TTL && type <= AT_PUSH_PBB && type != AT_SET_FIELD) ||
                   type == AT_POP_PBB || type == AT_METER
               ? 8
               : 0;
}

int decode_action_list(struct decoder *d, const uint8_t *p, size_t n)
{
    while (n) {
        if (n < 8)
            return OF_ERR_ACTION_BAD_LEN;
        uint16_t type = get_be16(p), len = get_be16(p + 2);
        size_t fixed = fixed_len(d->version, type);
        if (len < 8 || len % 8 || len > n || (fixed && len != fixed))
            return OF_ERR_ACTION_BAD_LEN;
        struct body b = {p + 4, p + len, false};
        int err = type == AT_EXPERIMENTER      ? decode_experimenter(d, &b)
                  : d->version == OF10_VERSION ? decode_10(d, &b, type)
                                               : decode_11(d, &b, type);
        if (err)
            return err;
        p += len;
        n -= len;
    }
    return 0;
}

int of_actions_decode(const void *wire, size_t n, uint8_t version, struct of_actions *ret)
{
    struct decoder d = {ret, version, 0, false};
    return n % 8 ? OF_ERR_BAD_LEN : decode_action_list(&d, wire, n);
}

/* ---- Instructions ---- */

static int decode_write_actions(struct decoder *d, struct body *b)
{
    body_take(b, 4);
    if (b->bad)
        return OF_ERR_INSTRUCTION_BAD_LEN;
    size_t start = of_begin_write_actions(d->out);
    return decode_nested(d, b, start, false);
}

static int decode_instruction(struct decoder *d, struct body *b, uint16_t type)
{
    switch (type) {
    case IT_GOTO_TABLE:
        of_put_goto_table(d->out, body_take8(b));
        break;
    case IT_WRITE_METADATA:
        return write_metadata(d, b, 4) ? OF_ERR_INSTRUCTION_BAD_LEN : 0;
    case IT_WRITE_ACTIONS:
        return decode_write_actions(d, b);
    case IT_APPLY_ACTIONS:
        body_take(b, 4);
        return b->bad ? OF_ERR_INSTRUCTION_BAD_LEN
                      : decode_action_list(d, b->p, (size_t)(b->end - b->p));
    case IT_CLEAR_ACTIONS:
        of_put_clear_actions(d->out);
        break;
    case IT_METER:
        of_put_meter(d->out, body_take32(b));
        break;
    }
    return b->bad ? OF_ERR_INSTRUCTION_BAD_LEN : 0;
}

int of_instructions_decode(const void *wire, size_t n, uint8_t version, struct of_actions *ret)
{
    if (version == OF10_VERSION)
        return of_actions_decode(wire, n, version, ret);
    /* They take effect in a fixed order, in which they are kept, however they came (OpenFlow 1.3 5.9). */
    static const uint8_t order[] = {IT_METER,         IT_APPLY_ACTIONS,  IT_CLEAR_ACTIONS,
                                    IT_WRITE_ACTIONS, IT_WRITE_METADATA, IT_GOTO_TABLE};
    struct body found[8];
    memset(found, 0, sizeof found);
    const uint8_t *p = wire;
    if (n % 8)
        return OF_ERR_BAD_LEN;
    while (n) {
        if (n < 8)
            return OF_ERR_INSTRUCTION_BAD_LEN;
        uint16_t type = get_be16(p), len = get_be16(p + 2);
        if (len < 8 || len % 8 || len > n)
            return OF_ERR_INSTRUCTION_BAD_LEN;
        if (type == AT_EXPERIMENTER)
            return OF_ERR_INSTRUCTION_BAD_EXPERIMENTER;
        if (type < IT_GOTO_TABLE || type > IT_METER ||
            (type == IT_METER && version >= OF15_VERSION))
            return OF_ERR_INSTRUCTION_UNKNOWN;
        if (found[type].p)
            return OF_ERR_INSTRUCTION_DUP;
        found[type] = (struct body){p + 4, p + len, false};
        p += len;
        n -= len;
    }
    struct decoder d = {ret, version, 0, false};
    for (size_t i = 0; i < sizeof order; i++) {
        if (found[order[i]].p) {
            int err = decode_instruction(&d, &found[order[i]], order[i]);
            if (err)
                return err;
        }
    }
    return 0;
}
