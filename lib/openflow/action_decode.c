/* action_decode.c - actions and instructions from the wire of any version. Everything read is bounded by the action's
 * length, which is bounded by the list's; nesting is bounded by MAX_DEPTH, one list by 64 kB of its memory form. */
#include "openflow/action_decode.h"
#include "net/headers.h"
#include "openflow/oxm.h"
#include "openflow/packet_io.h"

enum { MAX_DEPTH = 16 };

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
    return field_get(id)->writable || (d->in_ct && (id == FIELD_CT_MARK || id == FIELD_CT_LABEL));
}

/* ---- Output ---- */

static int port_of(struct decoder *d, struct body *b, uint32_t *port)
{
    *port = d->version == OF10_VERSION ? port_from_16(body_take16(b)) : body_take32(b);
    /* Numbers that have no form in 1.0 are no ports of this switch's (as with any that also speaks 1.0). */
    bool gap = *port >= 0xff00 && *port < PORT_MAX;
    if (*port == 0 || *port == PORT_ANY || gap)
        return b->bad ? OF_ERR_ACTION_BAD_LEN : OF_ERR_ACTION_BAD_OUT_PORT;
    return 0;
}

static int output(struct decoder *d, struct body *b)
{
    uint32_t port;
    int err = port_of(d, b, &port);
    uint16_t max_len = body_take16(b);
    if (err || b->bad)
        return err ? err : body_done(b);
    struct of_output *o = DECODE_PUT(d, OF_OUTPUT, of_output);
    o->port = port;
    o->max_len = max_len;
    return 0;
}

static int output_reg(struct decoder *d, struct body *b)
{
    uint16_t on = body_take16(b);
    enum field_id id;
    struct subfield sub;
    int err = body_take_header(b, &id);
    if (!err)
        err = decode_ofs_nbits(id, on, &sub);
    if (err)
        return err;
    struct of_output_reg *o = DECODE_PUT(d, OF_OUTPUT_REG, of_output_reg);
    o->src = sub;
    o->max_len = body_take16(b);
    return body_done(b);
}

static int output_trunc(struct decoder *d, struct body *b)
{
    struct of_output_trunc *o = DECODE_PUT(d, OF_OUTPUT_TRUNC, of_output_trunc);
    o->port = port_from_16(body_take16(b));
    o->max_len = body_take32(b);
    return body_done(b);
}

static int controller(struct decoder *d, struct body *b)
{
    struct of_controller *c = DECODE_PUT(d, OF_CONTROLLER, of_controller);
    c->max_len = body_take16(b);
    c->controller_id = body_take16(b);
    c->reason = body_take8(b);
    c->meter_id = OF_METER_NONE;
    return body_done(b);
}

static int controller2(struct decoder *d, struct body *b)
{
    struct of_controller head = {.max_len = UINT16_MAX, .meter_id = OF_METER_NONE};
    struct of_prop prop = {0, NULL, 0}, userdata = {0, NULL, 0};
    size_t ofs = 0;
    int more;
    head.reason = OF_REASON_ACTION;
    body_take(b, 6);
    if (b->bad)
        return body_done(b);
    while ((more = of_prop_next(b->p, (size_t)(b->end - b->p), &ofs, &prop)) > 0) {
        static const uint8_t sizes[] = {2, 2, 1, 0, 0, 4};
        if (prop.type >= ARRAY_SIZE(sizes))
            return OF_ERR_PROP_BAD_TYPE;
        if (prop.len < sizes[prop.type])
            return OF_ERR_PROP_BAD_LEN;
        if (prop.type == AC2_MAX_LEN)
            head.max_len = get_be16(prop.value);
        else if (prop.type == AC2_CONTROLLER_ID)
            head.controller_id = get_be16(prop.value);
        else if (prop.type == AC2_REASON)
            head.reason = prop.value[0];
        else if (prop.type == AC2_USERDATA)
            userdata = prop;
        else if (prop.type == AC2_PAUSE)
            head.pause = true;
        else
            head.meter_id = get_be32(prop.value);
    }
    if (more < 0)
        return -more;
    of_put_controller(d->out, head.max_len, head.controller_id, head.reason, userdata.value,
                      userdata.len, head.pause, head.meter_id);
    struct of_controller *c = (void *)(d->out->data + d->out->n -
                                       ROUND_UP(sizeof(struct of_controller) + userdata.len, 8));
    c->form = OF_FORM_2;
    return 0;
}

static int enqueue(struct decoder *d, struct body *b)
{
    struct of_enqueue *q = DECODE_PUT(d, OF_ENQUEUE, of_enqueue);
    q->port = port_from_16(body_take16(b));
    body_take(b, 6);
    q->queue = body_take32(b);
    return body_done(b);
}

/* ---- Fields ---- */

static struct of_set_field *put_set(struct decoder *d, enum field_id id, u128 value, u128 mask,
                                    enum of_action_form form)
{
    size_t at = d->out->n;
    of_put_set_field_masked(d->out, id, value, mask);
    struct of_set_field *s = (void *)(d->out->data + at);
    s->form = (uint8_t)form;
    return s;
}

static int set_field(struct decoder *d, struct body *b, enum of_action_form form)
{
    enum field_id id;
    u128 value, mask;
    size_t used;
    int err = of_oxm_get_field(b->p, (size_t)(b->end - b->p), &id, &value, &mask, &used);
    if (err)
        return err;
    if (!decode_writable(id, d))
        return OF_ERR_ACTION_BAD_SET_ARGUMENT;
    const struct field *f = field_get(id);
    if (b->p[2] & 1 && mask == u128_ones(f->n_bits) && f->n_bits < 8 * f->n_bytes)
        form = OF_FORM_2;
    b->p += used;
    if (!body_rest_is_zero(b))
        return OF_ERR_ACTION_BAD_SET_ARGUMENT;
    if (id == FIELD_VLAN_VID && mask == u128_ones(13) && !(value & VLAN_CFI))
        return OF_ERR_ACTION_BAD_SET_ARGUMENT;
    put_set(d, id, value, mask, form);
    return 0;
}

static int set_legacy(struct decoder *d, struct body *b, enum field_id id, unsigned n)
{
    u128 value = get_be_n(body_take(b, n), n), mask = u128_ones(field_get(id)->n_bits);
    if (b->bad)
        return body_done(b);
    if (id == FIELD_IP_TOS) {
        mask = IP_DSCP_MASK;
        if (value & ~mask)
            return OF_ERR_ACTION_BAD_ARGUMENT;
    }
    if (value & ~u128_ones(field_get(id)->n_bits))
        return OF_ERR_ACTION_BAD_ARGUMENT;
    put_set(d, id, value, mask, OF_FORM_MOD);
    return 0;
}

static int reg_load(struct decoder *d, struct body *b)
{
    uint16_t on = body_take16(b);
    enum field_id id;
    struct subfield sub;
    int err = body_take_header(b, &id);
    uint64_t value = body_take64(b);
    if (!err && b->bad)
        err = body_done(b);
    if (!err)
        err = decode_ofs_nbits(id, on, &sub);
    if (!err && (!decode_writable(id, d) || value & ~(uint64_t)u128_ones(sub.n_bits)))
        err = OF_ERR_ACTION_BAD_SET_ARGUMENT;
    if (err)
        return err;
    put_set(d, id, (u128)value << sub.ofs, u128_ones(sub.n_bits) << sub.ofs, OF_FORM_LOAD);
    return 0;
}

/* Behind n_bits, src_ofs, dst_ofs: the headers of source and destination. */
static int move_fields(struct decoder *d, struct body *b, uint16_t n, uint16_t sofs, uint16_t dofs)
{
    enum field_id src_id, dst_id;
    struct subfield src, dst;
    int err = body_take_header(b, &src_id);
    if (!err)
        err = body_take_header(b, &dst_id);
    if (!err)
        err = decode_sub(src_id, sofs, n, &src);
    if (!err)
        err = decode_sub(dst_id, dofs, n, &dst);
    if (!err && !decode_writable(dst_id, d))
        err = OF_ERR_ACTION_BAD_SET_ARGUMENT;
    if (!err)
        of_put_move(d->out, &src, &dst);
    return err;
}

static int move(struct decoder *d, struct body *b, bool padded)
{
    uint16_t n = body_take16(b), sofs = body_take16(b), dofs = body_take16(b);
    if (padded)
        body_take(b, 2);
    return b->bad ? body_done(b) : move_fields(d, b, n, sofs, dofs);
}

static int stack(struct decoder *d, struct body *b, enum of_action_type type)
{
    uint16_t ofs = body_take16(b);
    enum field_id id;
    int err = body_take_header(b, &id);
    uint16_t n = body_take16(b);
    struct subfield sub;
    if (!err && b->bad)
        err = body_done(b);
    if (!err)
        err = decode_sub(id, ofs, n, &sub);
    if (!err && type == OF_STACK_POP && !decode_writable(id, d))
        err = OF_ERR_ACTION_BAD_SET_ARGUMENT;
    if (!err)
        DECODE_PUT(d, type, of_stack)->sub = sub;
    return err;
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

/* ---- Connections, clone ---- */

static int decode_list(struct decoder *d, const uint8_t *p, size_t n);

/* The rest of the body as actions inside what begins at START. */
static int nested(struct decoder *d, struct body *b, size_t start, bool in_ct)
{
    if (d->depth >= MAX_DEPTH)
        return OF_ERR_ACTION_BAD_ARGUMENT;
    bool outer = d->in_ct;
    d->depth++;
    d->in_ct = in_ct;
    int err = decode_list(d, b->p, (size_t)(b->end - b->p));
    d->in_ct = outer;
    d->depth--;
    if (err)
        return err;
    if (d->out->n - start > UINT16_MAX)
        return OF_ERR_ACTION_TOO_MANY;
    of_end_nested(d->out, start);
    return 0;
}

/* Inside of the ct at START stand one translation, and what sets mark and label. */
static int check_ct(const struct decoder *d, size_t start)
{
    size_t n;
    bool has_nat = false;
    const uint8_t *nested = of_action_nested((const void *)(d->out->data + start), &n);
    for (const uint8_t *p = nested; n && p < nested + n;) {
        const struct of_action *a = (const void *)p;
        size_t len = a->len;
        const struct of_move *move = (const void *)a;
        unsigned field = a->type == OF_SET_FIELD
                             ? ((const struct of_set_field *)(const void *)a)->field
                         : a->type == OF_MOVE ? move->dst.id
                                              : FIELD_NONE;
        if (a->type == OF_NAT ? has_nat : field != FIELD_CT_MARK && field != FIELD_CT_LABEL)
            return OF_ERR_ACTION_BAD_ARGUMENT;
        has_nat |= a->type == OF_NAT;
        p += len;
    }
    return 0;
}

static int ct(struct decoder *d, struct body *b)
{
    uint16_t flags = body_take16(b);
    uint32_t src = get_be32(body_take(b, 4));
    const uint8_t *src_at = b->p - 4;
    uint16_t zone = body_take16(b);
    uint8_t table = body_take8(b);
    body_take(b, 3);
    uint16_t alg = body_take16(b);
    if (b->bad || d->in_ct)
        return b->bad ? OF_ERR_ACTION_BAD_LEN : OF_ERR_ACTION_BAD_ARGUMENT;
    if (flags & ~(OF_CT_COMMIT | OF_CT_FORCE) || (flags & OF_CT_FORCE && !(flags & OF_CT_COMMIT)))
        return OF_ERR_ACTION_BAD_ARGUMENT;
    struct subfield sub = {0, 0, 0, 0};
    if (src) {
        enum field_id id;
        size_t used;
        int err = of_oxm_get_header(src_at, 4, &id, &used);
        if (!err)
            err = decode_ofs_nbits(id, zone, &sub);
        if (!err && sub.n_bits != 16)
            err = OF_ERR_ACTION_BAD_ARGUMENT;
        if (err)
            return err;
    }
    size_t start = of_begin_ct(d->out, flags, src ? &sub : NULL, zone, table);
    ((struct of_ct *)(void *)(d->out->data + start))->alg = alg;
    int err = nested(d, b, start, true);
    return err ? err : check_ct(d, start);
}

static int nat(struct decoder *d, struct body *b)
{
    body_take(b, 2);
    uint16_t flags = body_take16(b), present = body_take16(b);
    if (!d->in_ct)
        return OF_ERR_ACTION_BAD_ARGUMENT;
    bool v4 = present & (NAT_IPV4_MIN | NAT_IPV4_MAX), v6 = present & (NAT_IPV6_MIN | NAT_IPV6_MAX);
    if (flags >= 32 || present >= 64 || (flags & 3) == 3 || (v4 && v6) ||
        ((present || flags) && !(flags & 3)) ||
        (present & NAT_IPV4_MAX && !(present & NAT_IPV4_MIN)) ||
        (present & NAT_IPV6_MAX && !(present & NAT_IPV6_MIN)) ||
        (present & NAT_PORT_MAX && !(present & NAT_PORT_MIN)))
        return OF_ERR_ACTION_BAD_ARGUMENT;
    struct of_nat *t = DECODE_PUT(d, OF_NAT, of_nat);
    t->flags = flags;
    t->addr_version = v4 ? 4 : v6 ? 6 : 0;
    size_t len = v6 ? 16 : 4;
    if (v4 || v6)
        memcpy(&t->addr_min, body_take(b, len), len);
    t->addr_max = t->addr_min;
    if (present & (NAT_IPV4_MAX | NAT_IPV6_MAX)) {
        memcpy(&t->addr_max, body_take(b, len), len);
        t->has_max |= 1;
    }
    if (present & NAT_PORT_MIN)
        t->port_min = t->port_max = body_take16(b);
    if (present & NAT_PORT_MAX) {
        t->port_max = body_take16(b);
        t->has_max |= 2;
    }
    if (b->bad)
        return body_done(b);
    if (memcmp(&t->addr_min, &t->addr_max, 16) > 0 || t->port_min > t->port_max ||
        (present & NAT_PORT_MIN && !t->port_min))
        return OF_ERR_ACTION_BAD_ARGUMENT;
    return 0;
}

static int clone(struct decoder *d, struct body *b)
{
    body_take(b, 6);
    if (b->bad)
        return body_done(b);
    size_t start = of_begin_clone(d->out);
    return nested(d, b, start, false);
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

static int set_tunnel(struct decoder *d, struct body *b, bool wide)
{
    body_take(b, wide ? 6 : 2);
    uint64_t id = wide ? body_take64(b) : body_take32(b);
    put_set(d, FIELD_TUN_ID, id, u128_ones(64), OF_FORM_LOAD);
    return body_done(b);
}

static int fin_timeout(struct decoder *d, struct body *b)
{
    struct of_fin_timeout *f = DECODE_PUT(d, OF_FIN_TIMEOUT, of_fin_timeout);
    f->idle = body_take16(b);
    f->hard = body_take16(b);
    return body_done(b);
}

static int delete_field(struct decoder *d, struct body *b)
{
    enum field_id id;
    int err = body_take_header(b, &id);
    if (!err)
        DECODE_PUT(d, OF_DELETE_FIELD, of_delete_field)->field = (uint8_t)id;
    return err;
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
        return set_tunnel(d, b, false);
    case NXAST_SET_TUNNEL64:
        return set_tunnel(d, b, true);
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
        return set_legacy(d, b, FIELD_MPLS_TTL, 1);
    case NXAST_DEC_MPLS_TTL:
        return plain(d, OF_DEC_MPLS_TTL);
    case NXAST_FIN_TIMEOUT:
        return fin_timeout(d, b);
    case NXAST_GROUP:
        return number(d, b, OF_GROUP, 2);
    case NXAST_DELETE_FIELD:
        return delete_field(d, b);
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
    switch (subtype) {
    case NXAST_RESUBMIT:
        return resubmit(d, b, false, false);
    case NXAST_RESUBMIT_TABLE:
        return resubmit(d, b, true, false);
    case NXAST_RESUBMIT_TABLE_CT:
        return resubmit(d, b, true, true);
    case NXAST_REG_MOVE:
        return move(d, b, false);
    case NXAST_REG_LOAD:
        return reg_load(d, b);
    case NXAST_REG_LOAD2:
        return set_field(d, b, OF_FORM_PLAIN);
    case NXAST_NOTE:
        return note(d, b);
    case NXAST_MULTIPATH:
        return decode_multipath(d, b);
    case NXAST_BUNDLE:
        return decode_bundle(d, b, false);
    case NXAST_BUNDLE_LOAD:
        return decode_bundle(d, b, true);
    case NXAST_OUTPUT_REG:
        return output_reg(d, b);
    case NXAST_OUTPUT_TRUNC:
        return output_trunc(d, b);
    case NXAST_LEARN:
        return decode_learn(d, b, false);
    case NXAST_LEARN2:
        return decode_learn(d, b, true);
    case NXAST_CONTROLLER:
        return controller(d, b);
    case NXAST_CONTROLLER2:
        return controller2(d, b);
    case NXAST_STACK_PUSH:
        return stack(d, b, OF_STACK_PUSH);
    case NXAST_STACK_POP:
        return stack(d, b, OF_STACK_POP);
    case NXAST_CONJUNCTION:
        return decode_conjunction(d, b);
    case NXAST_CT:
        return ct(d, b);
    case NXAST_NAT:
        return nat(d, b);
    case NXAST_CT_CLEAR:
        return plain(d, OF_CT_CLEAR);
    case NXAST_CLONE:
        return clone(d, b);
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
    return type == ONF_COPY_FIELD ? move(d, b, true) : OF_ERR_ACTION_BAD_VENDOR_TYPE;
}

static int decode_10(struct decoder *d, struct body *b, uint16_t type)
{
    switch (type) {
    case AT10_OUTPUT:
        return output(d, b);
    case AT10_SET_VLAN_VID:
        return set_legacy(d, b, FIELD_DL_VLAN, 2);
    case AT10_SET_VLAN_PCP:
        return set_legacy(d, b, FIELD_DL_VLAN_PCP, 1);
    case AT10_STRIP_VLAN:
        DECODE_PUT(d, OF_POP_VLAN, of_plain)->form = OF_FORM_MOD;
        return 0;
    case AT10_SET_DL_SRC:
        return set_legacy(d, b, FIELD_ETH_SRC, 6);
    case AT10_SET_DL_DST:
        return set_legacy(d, b, FIELD_ETH_DST, 6);
    case AT10_SET_NW_SRC:
        return set_legacy(d, b, FIELD_IP_SRC, 4);
    case AT10_SET_NW_DST:
        return set_legacy(d, b, FIELD_IP_DST, 4);
    case AT10_SET_NW_TOS:
        return set_legacy(d, b, FIELD_IP_TOS, 1);
    case AT10_SET_TP_SRC:
        return set_legacy(d, b, FIELD_TCP_SRC, 2);
    case AT10_SET_TP_DST:
        return set_legacy(d, b, FIELD_TCP_DST, 2);
    case AT10_ENQUEUE:
        return enqueue(d, b);
    case AT_PUSH_VLAN: /* not of 1.0, but there is no other way to say it */
        return tag(d, b, OF_PUSH_VLAN);
    case AT_PUSH_PBB: /* nor these */
        return tag(d, b, OF_PUSH_PBB);
    case AT_POP_PBB:
        return plain(d, OF_POP_PBB);
    default:
        return OF_ERR_ACTION_BAD_TYPE;
    }
}

static int decode_11(struct decoder *d, struct body *b, uint16_t type)
{
    switch (type) {
    case AT_OUTPUT:
        return output(d, b);
    case AT_SET_MPLS_TTL:
        return set_legacy(d, b, FIELD_MPLS_TTL, 1);
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
        return set_legacy(d, b, FIELD_IP_TTL, 1);
    case AT_DEC_NW_TTL:
        of_put_dec_ttl(d->out);
        return 0;
    case AT_SET_FIELD:
        return set_field(d, b, OF_FORM_PLAIN);
    case AT_COPY_FIELD:
        return d->version >= OF15_VERSION ? move(d, b, true) : OF_ERR_ACTION_BAD_TYPE;
    case AT_METER:
        return d->version >= OF15_VERSION ? number(d, b, OF_METER, 0) : OF_ERR_ACTION_BAD_TYPE;
    default:
        return OF_ERR_ACTION_BAD_TYPE;
    }
}

static int decode_list(struct decoder *d, const uint8_t *p, size_t n)
{
    while (n) {
        if (n < 8)
            return OF_ERR_ACTION_BAD_LEN;
        uint16_t type = get_be16(p), len = get_be16(p + 2);
        if (len < 8 || len % 8 || len > n)
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
    return decode_list(&d, wire, n);
}

/* ---- Instructions ---- */

static int decode_write_actions(struct decoder *d, struct body *b)
{
    body_take(b, 4);
    if (b->bad)
        return OF_ERR_INSTRUCTION_BAD_LEN;
    size_t start = of_begin_write_actions(d->out);
    return nested(d, b, start, false);
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
        return b->bad ? OF_ERR_INSTRUCTION_BAD_LEN : decode_list(d, b->p, (size_t)(b->end - b->p));
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
