/* action_decode.c - actions and instructions from the wire of any version. Everything read is bounded by the action's
 * length, which is bounded by the list's; nesting is bounded by MAX_DEPTH, one list by 64 kB of its memory form. */
#include "net/headers.h"
#include "openflow/action_wire.h"
#include "openflow/oxm.h"
#include "openflow/packet_io.h"

enum { MAX_DEPTH = 16, ZERO_LEN_MAX = UINT16_MAX - 64 };

struct decoder {
    struct of_actions *out;
    uint8_t version;
    unsigned depth;
    bool in_ct;
};

/* One action's body: what is left of it. Reading past the end gives zeros and marks it bad. */
struct body {
    const uint8_t *p, *end;
    bool bad;
};

static const uint8_t *take(struct body *b, size_t n)
{
    static const uint8_t zeros[32];
    if ((size_t)(b->end - b->p) < n) {
        b->bad = true;
        return zeros;
    }
    b->p += n;
    return b->p - n;
}

static uint8_t take8(struct body *b)
{
    return *take(b, 1);
}

static uint16_t take16(struct body *b)
{
    return get_be16(take(b, 2));
}

static uint32_t take32(struct body *b)
{
    return get_be32(take(b, 4));
}

static uint64_t take64(struct body *b)
{
    return get_be64(take(b, 8));
}

static bool rest_is_zero(const struct body *b)
{
    for (const uint8_t *p = b->p; p < b->end; p++)
        if (*p)
            return false;
    return true;
}

static int done(const struct body *b)
{
    return b->bad ? OF_ERR_ACTION_BAD_LEN : 0;
}

/* A header of a field and where in it; N_BITS as ofs_nbits says or as given. */
static int take_header(struct body *b, enum field_id *id)
{
    size_t used;
    int err = of_oxm_get_header(take(b, 4), 4, id, &used);
    return b->bad ? OF_ERR_ACTION_BAD_LEN : err;
}

static int make_sub(enum field_id id, unsigned ofs, unsigned n_bits, struct subfield *ret)
{
    if (!n_bits || ofs + n_bits > field_get(id)->n_bits)
        return OF_ERR_ACTION_BAD_ARGUMENT;
    *ret = subfield_make(id, ofs, n_bits);
    return 0;
}

static int sub_ofs_nbits(enum field_id id, uint16_t ofs_nbits, struct subfield *ret)
{
    return make_sub(id, ofs_nbits >> 6, (ofs_nbits & 63) + 1u, ret);
}

static bool writable(enum field_id id, const struct decoder *d)
{
    return field_get(id)->writable || (d->in_ct && (id == FIELD_CT_MARK || id == FIELD_CT_LABEL));
}

#define PUT(D, TYPE, STRUCT) ((struct STRUCT *)of_put((D)->out, TYPE, sizeof(struct STRUCT)))

/* ---- Output ---- */

static int port_of(struct decoder *d, struct body *b, uint32_t *port)
{
    *port = d->version == OF10_VERSION ? port_from_16(take16(b)) : take32(b);
    if (*port == 0 || *port == PORT_ANY)
        return b->bad ? OF_ERR_ACTION_BAD_LEN : OF_ERR_ACTION_BAD_OUT_PORT;
    return 0;
}

static int output(struct decoder *d, struct body *b)
{
    uint32_t port;
    int err = port_of(d, b, &port);
    uint16_t max_len = take16(b);
    if (err || b->bad)
        return err ? err : done(b);
    struct of_output *o = PUT(d, OF_OUTPUT, of_output);
    o->port = port;
    o->max_len = max_len;
    return 0;
}

static int output_reg(struct decoder *d, struct body *b)
{
    uint16_t on = take16(b);
    enum field_id id;
    struct subfield sub;
    int err = take_header(b, &id);
    if (!err)
        err = sub_ofs_nbits(id, on, &sub);
    if (err)
        return err;
    struct of_output_reg *o = PUT(d, OF_OUTPUT_REG, of_output_reg);
    o->src = sub;
    o->max_len = take16(b);
    return done(b);
}

static int output_trunc(struct decoder *d, struct body *b)
{
    struct of_output_trunc *o = PUT(d, OF_OUTPUT_TRUNC, of_output_trunc);
    o->port = port_from_16(take16(b));
    o->max_len = take32(b);
    return done(b);
}

static int controller(struct decoder *d, struct body *b)
{
    struct of_controller *c = PUT(d, OF_CONTROLLER, of_controller);
    c->max_len = take16(b);
    c->controller_id = take16(b);
    c->reason = take8(b);
    c->meter_id = OF_METER_NONE;
    return done(b);
}

static int controller2(struct decoder *d, struct body *b)
{
    struct of_controller head = {.max_len = UINT16_MAX, .meter_id = OF_METER_NONE};
    struct of_prop prop = {0, NULL, 0}, userdata = {0, NULL, 0};
    size_t ofs = 0;
    int more;
    head.reason = OF_REASON_ACTION;
    take(b, 6);
    if (b->bad)
        return done(b);
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
    struct of_enqueue *q = PUT(d, OF_ENQUEUE, of_enqueue);
    q->port = port_from_16(take16(b));
    take(b, 6);
    q->queue = take32(b);
    return done(b);
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
    if (!writable(id, d))
        return OF_ERR_ACTION_BAD_SET_ARGUMENT;
    const struct field *f = field_get(id);
    if (b->p[2] & 1 && mask == u128_ones(f->n_bits) && f->n_bits < 8 * f->n_bytes)
        form = OF_FORM_2;
    b->p += used;
    if (!rest_is_zero(b))
        return OF_ERR_ACTION_BAD_SET_ARGUMENT;
    if (id == FIELD_VLAN_VID && mask == u128_ones(13) && !(value & VLAN_CFI))
        return OF_ERR_ACTION_BAD_SET_ARGUMENT;
    put_set(d, id, value, mask, form);
    return 0;
}

static int set_legacy(struct decoder *d, struct body *b, enum field_id id, unsigned n)
{
    u128 value = get_be_n(take(b, n), n), mask = u128_ones(field_get(id)->n_bits);
    if (b->bad)
        return done(b);
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
    uint16_t on = take16(b);
    enum field_id id;
    struct subfield sub;
    int err = take_header(b, &id);
    uint64_t value = take64(b);
    if (!err && b->bad)
        err = done(b);
    if (!err)
        err = sub_ofs_nbits(id, on, &sub);
    if (!err && (!writable(id, d) || value & ~(uint64_t)u128_ones(sub.n_bits)))
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
    int err = take_header(b, &src_id);
    if (!err)
        err = take_header(b, &dst_id);
    if (!err)
        err = make_sub(src_id, sofs, n, &src);
    if (!err)
        err = make_sub(dst_id, dofs, n, &dst);
    if (!err && !writable(dst_id, d))
        err = OF_ERR_ACTION_BAD_SET_ARGUMENT;
    if (!err)
        of_put_move(d->out, &src, &dst);
    return err;
}

static int move(struct decoder *d, struct body *b, bool padded)
{
    uint16_t n = take16(b), sofs = take16(b), dofs = take16(b);
    if (padded)
        take(b, 2);
    return b->bad ? done(b) : move_fields(d, b, n, sofs, dofs);
}

static int stack(struct decoder *d, struct body *b, enum of_action_type type)
{
    uint16_t ofs = take16(b);
    enum field_id id;
    int err = take_header(b, &id);
    uint16_t n = take16(b);
    struct subfield sub;
    if (!err && b->bad)
        err = done(b);
    if (!err)
        err = make_sub(id, ofs, n, &sub);
    if (!err && type == OF_STACK_POP && !writable(id, d))
        err = OF_ERR_ACTION_BAD_SET_ARGUMENT;
    if (!err)
        PUT(d, type, of_stack)->sub = sub;
    return err;
}

/* ---- Tags, TTL, resubmit ---- */

static int tag(struct decoder *d, struct body *b, enum of_action_type type)
{
    uint16_t eth_type = take16(b);
    if (type == OF_PUSH_VLAN && eth_type != ETH_TYPE_VLAN && eth_type != ETH_TYPE_QINQ)
        return OF_ERR_ACTION_BAD_ARGUMENT;
    if (type == OF_PUSH_MPLS && eth_type != ETH_TYPE_MPLS && eth_type != ETH_TYPE_MPLS_MCAST)
        return OF_ERR_ACTION_BAD_ARGUMENT;
    PUT(d, type, of_push_vlan)->eth_type = eth_type;
    return done(b);
}

static int dec_ttl_ids(struct decoder *d, struct body *b)
{
    uint16_t n = take16(b);
    take(b, 4);
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
    struct of_resubmit *r = PUT(d, OF_RESUBMIT, of_resubmit);
    r->in_port = port_from_16(take16(b));
    r->table = table ? take8(b) : 255;
    r->with_ct = with_ct;
    r->form = table ? OF_FORM_2 : OF_FORM_PLAIN;
    return done(b);
}

/* ---- learn ---- */

static int learn_spec(const struct decoder *d, struct body *b, uint16_t head,
                      struct of_learn_spec *s)
{
    enum field_id id;
    int err;
    unsigned n = head & LEARN_N_BITS_MASK;
    memset(s, 0, sizeof *s);
    if (!n || n > 128)
        return OF_ERR_ACTION_BAD_ARGUMENT;
    s->n_bits = (uint8_t)n;
    if (head & LEARN_SRC_IMMEDIATE) {
        unsigned bytes = DIV_ROUND_UP(n, 16u) * 2;
        u128 value = get_be_n(take(b, bytes), bytes);
        if (b->bad || value & ~u128_ones(n))
            return b->bad ? OF_ERR_ACTION_BAD_LEN : OF_ERR_ACTION_BAD_ARGUMENT;
        s->src_imm = 1;
        s->value_hi = (uint64_t)(value >> 64);
        s->value_lo = (uint64_t)value;
    } else {
        err = take_header(b, &id);
        if (!err)
            err = make_sub(id, take16(b), n, &s->src);
        if (err)
            return err;
    }
    switch (head & LEARN_DST_MASK) {
    case LEARN_DST_MATCH:
        s->dst_type = OF_LEARN_MATCH;
        break;
    case LEARN_DST_LOAD:
        s->dst_type = OF_LEARN_LOAD;
        break;
    case LEARN_DST_OUTPUT:
        s->dst_type = OF_LEARN_OUTPUT;
        return s->src_imm ? OF_ERR_ACTION_BAD_ARGUMENT : done(b);
    default:
        return OF_ERR_ACTION_BAD_ARGUMENT;
    }
    err = take_header(b, &id);
    if (!err)
        err = make_sub(id, take16(b), n, &s->dst);
    if (!err && s->dst_type == OF_LEARN_LOAD && !writable(id, d))
        err = OF_ERR_ACTION_BAD_SET_ARGUMENT;
    return err ? err : done(b);
}

static int learn_head(struct body *b, bool two, struct of_learn *l)
{
    memset(l, 0, sizeof *l);
    l->idle_timeout = take16(b);
    l->hard_timeout = take16(b);
    l->priority = take16(b);
    l->cookie = take64(b);
    l->flags = take16(b);
    l->table = take8(b);
    take(b, 1);
    l->fin_idle_timeout = take16(b);
    l->fin_hard_timeout = take16(b);
    uint16_t allowed = OF_LEARN_SEND_FLOW_REM | OF_LEARN_DELETE_LEARNED;
    if (two) {
        l->limit = take32(b);
        uint16_t ofs = take16(b);
        take(b, 2);
        allowed |= OF_LEARN_WRITE_RESULT;
        if (l->flags & OF_LEARN_WRITE_RESULT) {
            enum field_id id;
            int err = take_header(b, &id);
            if (!err)
                err = make_sub(id, ofs, 1, &l->result_dst);
            if (err)
                return err;
        }
    }
    if (l->flags & ~allowed || l->table == 255)
        return OF_ERR_ACTION_BAD_ARGUMENT;
    return done(b);
}

static int learn(struct decoder *d, struct body *b, bool two)
{
    struct of_learn head;
    int err = learn_head(b, two, &head);
    if (err)
        return err;
    size_t at = of_put_learn(d->out, &head);
    while (b->end - b->p >= 2) {
        uint16_t h = take16(b);
        if (!h)
            break;
        struct of_learn_spec spec;
        err = learn_spec(d, b, h, &spec);
        if (err)
            return err;
        if (d->out->n - at + sizeof spec > ZERO_LEN_MAX)
            return OF_ERR_ACTION_TOO_MANY;
        of_put_learn_spec(d->out, at, &spec);
    }
    return rest_is_zero(b) ? 0 : OF_ERR_ACTION_BAD_ARGUMENT;
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

static int ct(struct decoder *d, struct body *b)
{
    uint16_t flags = take16(b);
    uint32_t src = get_be32(take(b, 4));
    const uint8_t *src_at = b->p - 4;
    uint16_t zone = take16(b);
    uint8_t table = take8(b);
    take(b, 3);
    uint16_t alg = take16(b);
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
            err = sub_ofs_nbits(id, zone, &sub);
        if (!err && sub.n_bits != 16)
            err = OF_ERR_ACTION_BAD_ARGUMENT;
        if (err)
            return err;
    }
    size_t start = of_begin_ct(d->out, flags, src ? &sub : NULL, zone, table);
    ((struct of_ct *)(void *)(d->out->data + start))->alg = alg;
    return nested(d, b, start, true);
}

static int nat(struct decoder *d, struct body *b)
{
    take(b, 2);
    uint16_t flags = take16(b), present = take16(b);
    if (!d->in_ct)
        return OF_ERR_ACTION_BAD_ARGUMENT;
    bool v4 = present & (NAT_IPV4_MIN | NAT_IPV4_MAX), v6 = present & (NAT_IPV6_MIN | NAT_IPV6_MAX);
    if (flags >= 32 || present >= 64 || (flags & 3) == 3 || (v4 && v6) ||
        (present && !(flags & 3)) || (present & NAT_IPV4_MAX && !(present & NAT_IPV4_MIN)) ||
        (present & NAT_IPV6_MAX && !(present & NAT_IPV6_MIN)) ||
        (present & NAT_PORT_MAX && !(present & NAT_PORT_MIN)))
        return OF_ERR_ACTION_BAD_ARGUMENT;
    struct of_nat *t = PUT(d, OF_NAT, of_nat);
    t->flags = flags;
    t->addr_version = v4 ? 4 : v6 ? 6 : 0;
    size_t len = v6 ? 16 : 4;
    if (v4 || v6)
        memcpy(&t->addr_min, take(b, len), len);
    t->addr_max = t->addr_min;
    if (present & (NAT_IPV4_MAX | NAT_IPV6_MAX)) {
        memcpy(&t->addr_max, take(b, len), len);
        t->has_max |= 1;
    }
    if (present & NAT_PORT_MIN)
        t->port_min = t->port_max = take16(b);
    if (present & NAT_PORT_MAX) {
        t->port_max = take16(b);
        t->has_max |= 2;
    }
    if (b->bad)
        return done(b);
    if (memcmp(&t->addr_min, &t->addr_max, 16) > 0 || t->port_min > t->port_max ||
        (present & NAT_PORT_MIN && !t->port_min))
        return OF_ERR_ACTION_BAD_ARGUMENT;
    return 0;
}

static int clone(struct decoder *d, struct body *b)
{
    take(b, 6);
    if (b->bad)
        return done(b);
    size_t start = of_begin_clone(d->out);
    return nested(d, b, start, false);
}

/* ---- The rest ---- */

static int conjunction(struct decoder *d, struct body *b)
{
    uint8_t clause = take8(b), n = take8(b);
    uint32_t id = take32(b);
    if (b->bad || n < 2 || n > 64 || clause >= n)
        return b->bad ? OF_ERR_ACTION_BAD_LEN : OF_ERR_ACTION_BAD_ARGUMENT;
    of_put_conjunction(d->out, id, clause, n);
    return 0;
}

static int check_pkt_larger(struct decoder *d, struct body *b)
{
    uint16_t len = take16(b), ofs = take16(b);
    enum field_id id;
    struct subfield sub;
    int err = take_header(b, &id);
    if (!err)
        err = make_sub(id, ofs, 1, &sub);
    if (!err && !writable(id, d))
        err = OF_ERR_ACTION_BAD_SET_ARGUMENT;
    if (!err)
        of_put_check_pkt_larger(d->out, len, &sub);
    return err;
}

static int multipath(struct decoder *d, struct body *b)
{
    struct of_multipath m = {.fields = take16(b)};
    enum field_id id;
    m.basis = take16(b);
    take(b, 2);
    m.algorithm = take16(b);
    m.max_link = take16(b);
    m.arg = take32(b);
    take(b, 2);
    uint16_t on = take16(b);
    int err = take_header(b, &id);
    if (!err)
        err = sub_ofs_nbits(id, on, &m.dst);
    if (!err && (m.fields > OF_HASH_SYMMETRIC_L3 || m.algorithm > OF_MP_ITER_HASH ||
                 !writable(id, d) || (m.dst.n_bits < 16 && m.max_link >> m.dst.n_bits)))
        err = OF_ERR_ACTION_BAD_ARGUMENT;
    if (err)
        return err;
    struct of_multipath *out = PUT(d, OF_MULTIPATH, of_multipath);
    m.type = OF_MULTIPATH;
    m.len = out->len;
    *out = m;
    return 0;
}

static int bundle(struct decoder *d, struct body *b, bool load)
{
    uint16_t algorithm = take16(b), fields = take16(b), basis = take16(b);
    uint32_t kind = take32(b);
    uint16_t n = take16(b), on = take16(b);
    struct subfield dst = {0, 0, 0, 0};
    int err = 0;
    if (load) {
        enum field_id id;
        err = take_header(b, &id);
        if (!err)
            err = sub_ofs_nbits(id, on, &dst);
    } else {
        take(b, 4);
    }
    take(b, 4);
    if (err || b->bad)
        return err ? err : done(b);
    if (algorithm > OF_BD_HRW || fields > OF_HASH_SYMMETRIC_L3 || n > 2048 ||
        (kind != 0x00000002 && kind != 0x80000004))
        return OF_ERR_ACTION_BAD_ARGUMENT;
    if ((size_t)(b->end - b->p) < n * 2u)
        return OF_ERR_ACTION_BAD_LEN;
    struct of_bundle_action *out =
        of_put(d->out, OF_BUNDLE, sizeof *out + n * sizeof out->members[0]);
    out->algorithm = algorithm;
    out->fields = fields;
    out->basis = basis;
    out->n_members = n;
    out->dst = dst;
    for (unsigned i = 0; i < n; i++)
        out->members[i] = port_from_16(take16(b));
    return 0;
}

static int sample_source(struct body *b, struct subfield *src, uint32_t *imm)
{
    const uint8_t *at = take(b, 8);
    enum field_id id;
    size_t used;
    if (b->bad)
        return OF_ERR_ACTION_BAD_LEN;
    if (!get_be16(at + 4)) {
        *imm = get_be32(at);
        return 0;
    }
    int err = of_oxm_get_header(at, 4, &id, &used);
    return err ? err : sub_ofs_nbits(id, get_be16(at + 4), src);
}

static int sample(struct decoder *d, struct body *b, uint8_t version)
{
    struct of_sample *s = PUT(d, OF_SAMPLE, of_sample);
    int err = 0;
    s->version = version;
    s->probability = take16(b);
    s->collector_set_id = take32(b);
    s->sampling_port = PORT_ANY;
    if (version == 4) {
        err = sample_source(b, &s->obs_domain_src, &s->obs_domain_imm);
        if (!err)
            err = sample_source(b, &s->obs_point_src, &s->obs_point_imm);
    } else {
        s->obs_domain_imm = take32(b);
        s->obs_point_imm = take32(b);
    }
    if (version >= 2) {
        s->sampling_port = port_from_16(take16(b));
        s->direction = take8(b);
        take(b, 5);
    }
    if (!err && !b->bad && (!s->probability || s->direction > 2))
        err = OF_ERR_ACTION_BAD_ARGUMENT;
    return err ? err : done(b);
}

static int number(struct decoder *d, struct body *b, enum of_action_type type, size_t pad)
{
    take(b, pad);
    PUT(d, type, of_id)->id = take32(b);
    return done(b);
}

static int note(struct decoder *d, struct body *b)
{
    of_put_note(d->out, b->p, (size_t)(b->end - b->p));
    return 0;
}

static int plain(struct decoder *d, enum of_action_type type)
{
    PUT(d, type, of_plain);
    return 0;
}

static int set_tunnel(struct decoder *d, struct body *b, bool wide)
{
    take(b, wide ? 6 : 2);
    uint64_t id = wide ? take64(b) : take32(b);
    put_set(d, FIELD_TUN_ID, id, u128_ones(64), OF_FORM_LOAD);
    return done(b);
}

static int fin_timeout(struct decoder *d, struct body *b)
{
    struct of_fin_timeout *f = PUT(d, OF_FIN_TIMEOUT, of_fin_timeout);
    f->idle = take16(b);
    f->hard = take16(b);
    return done(b);
}

static int delete_field(struct decoder *d, struct body *b)
{
    enum field_id id;
    int err = take_header(b, &id);
    if (!err)
        PUT(d, OF_DELETE_FIELD, of_delete_field)->field = (uint8_t)id;
    return err;
}

static int write_metadata(struct decoder *d, struct body *b, size_t pad)
{
    take(b, pad);
    uint64_t value = take64(b), mask = take64(b);
    if (!b->bad)
        of_put_write_metadata(d->out, value, mask);
    return done(b);
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
        return sample(d, b, 1);
    case NXAST_SAMPLE2:
        return sample(d, b, 2);
    case NXAST_SAMPLE3:
        return sample(d, b, 3);
    case NXAST_SAMPLE4:
        return sample(d, b, 4);
    default:
        return OF_ERR_ACTION_BAD_VENDOR_TYPE;
    }
}

static int decode_nx(struct decoder *d, struct body *b)
{
    uint16_t subtype = take16(b);
    if (b->bad)
        return done(b);
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
        return multipath(d, b);
    case NXAST_BUNDLE:
        return bundle(d, b, false);
    case NXAST_BUNDLE_LOAD:
        return bundle(d, b, true);
    case NXAST_OUTPUT_REG:
        return output_reg(d, b);
    case NXAST_OUTPUT_TRUNC:
        return output_trunc(d, b);
    case NXAST_LEARN:
        return learn(d, b, false);
    case NXAST_LEARN2:
        return learn(d, b, true);
    case NXAST_CONTROLLER:
        return controller(d, b);
    case NXAST_CONTROLLER2:
        return controller2(d, b);
    case NXAST_STACK_PUSH:
        return stack(d, b, OF_STACK_PUSH);
    case NXAST_STACK_POP:
        return stack(d, b, OF_STACK_POP);
    case NXAST_CONJUNCTION:
        return conjunction(d, b);
    case NXAST_CT:
        return ct(d, b);
    case NXAST_NAT:
        return nat(d, b);
    case NXAST_CT_CLEAR:
        return plain(d, OF_CT_CLEAR);
    case NXAST_CLONE:
        return clone(d, b);
    case NXAST_CHECK_PKT_LARGER:
        return check_pkt_larger(d, b);
    default:
        return decode_nx_more(d, b, subtype);
    }
}

static int decode_experimenter(struct decoder *d, struct body *b)
{
    uint32_t vendor = take32(b);
    if (b->bad)
        return done(b);
    if (vendor == OF_VENDOR_NX)
        return decode_nx(d, b);
    if (vendor != OF_VENDOR_ONF)
        return OF_ERR_ACTION_BAD_VENDOR;
    uint16_t type = take16(b);
    take(b, 2);
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
        PUT(d, OF_POP_VLAN, of_plain)->form = OF_FORM_MOD;
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
    take(b, 4);
    if (b->bad)
        return OF_ERR_INSTRUCTION_BAD_LEN;
    size_t start = of_begin_write_actions(d->out);
    return nested(d, b, start, false);
}

static int decode_instruction(struct decoder *d, struct body *b, uint16_t type)
{
    switch (type) {
    case IT_GOTO_TABLE:
        of_put_goto_table(d->out, take8(b));
        break;
    case IT_WRITE_METADATA:
        return write_metadata(d, b, 4) ? OF_ERR_INSTRUCTION_BAD_LEN : 0;
    case IT_WRITE_ACTIONS:
        return decode_write_actions(d, b);
    case IT_APPLY_ACTIONS:
        take(b, 4);
        return b->bad ? OF_ERR_INSTRUCTION_BAD_LEN : decode_list(d, b->p, (size_t)(b->end - b->p));
    case IT_CLEAR_ACTIONS:
        of_put_clear_actions(d->out);
        break;
    case IT_METER:
        of_put_meter(d->out, take32(b));
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
