/* action_decode_more.c - decoding the larger of Nicira's actions: learn, multipath, bundle, sample and a few others. */
#include "openflow/action_decode.h"
#include "openflow/oxm.h"

/* ---- learn ---- */

/* A number in N_BITS, in bytes that fill words of two; false: it has more bits. */
static bool learn_value(struct body *b, unsigned n_bits, struct tun_value *ret)
{
    unsigned bytes = DIV_ROUND_UP(n_bits, 16u) * 2;
    tun_value_of(ret, 0);
    for (unsigned i = 0; i < bytes; i++)
        ret->b[TUN_OPT_MAX - bytes + i] = body_take8(b);
    return n_bits == bytes * 8 || !tun_value_get(ret, n_bits, bytes * 8 - n_bits);
}

static int learn_spec(const struct decoder *d, struct body *b, uint16_t head,
                      struct of_learn_spec *s, struct tun_value *value)
{
    enum field_id id;
    int err;
    unsigned n = head & LEARN_N_BITS_MASK;
    memset(s, 0, sizeof *s);
    if (!n || n > TUN_OPT_BITS)
        return OF_ERR_ACTION_BAD_ARGUMENT;
    s->n_bits = (uint16_t)n;
    if (head & LEARN_SRC_IMMEDIATE) {
        bool fits = learn_value(b, n, value);
        if (b->bad || !fits)
            return b->bad ? OF_ERR_ACTION_BAD_LEN : OF_ERR_ACTION_BAD_ARGUMENT;
        s->src_imm = 1;
    } else {
        err = body_take_header(b, &id);
        if (!err)
            err = decode_sub(id, body_take16(b), n, &s->src);
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
        return s->src_imm ? OF_ERR_ACTION_BAD_ARGUMENT : body_done(b);
    default:
        return OF_ERR_ACTION_BAD_ARGUMENT;
    }
    err = body_take_header(b, &id);
    if (!err)
        err = decode_sub(id, body_take16(b), n, &s->dst);
    if (!err && s->dst_type == OF_LEARN_LOAD && !decode_writable(id, d))
        err = OF_ERR_ACTION_BAD_SET_ARGUMENT;
    return err ? err : body_done(b);
}

static int learn_head(struct body *b, bool two, struct of_learn *l)
{
    memset(l, 0, sizeof *l);
    l->idle_timeout = body_take16(b);
    l->hard_timeout = body_take16(b);
    l->priority = body_take16(b);
    l->cookie = body_take64(b);
    l->flags = body_take16(b);
    l->table = body_take8(b);
    body_take(b, 1);
    l->fin_idle_timeout = body_take16(b);
    l->fin_hard_timeout = body_take16(b);
    uint16_t allowed = OF_LEARN_SEND_FLOW_REM | OF_LEARN_DELETE_LEARNED;
    if (two) {
        l->limit = body_take32(b);
        uint16_t ofs = body_take16(b);
        body_take(b, 2);
        allowed |= OF_LEARN_WRITE_RESULT;
        if (l->flags & OF_LEARN_WRITE_RESULT) {
            enum field_id id;
            int err = body_take_header(b, &id);
            if (!err)
                err = decode_sub(id, ofs, 1, &l->result_dst);
            if (err)
                return err;
        }
    }
    if (l->flags & ~allowed || l->table == 255)
        return OF_ERR_ACTION_BAD_ARGUMENT;
    return body_done(b);
}

int decode_learn(struct decoder *d, struct body *b, bool two)
{
    struct of_learn head;
    int err = learn_head(b, two, &head);
    if (err)
        return err;
    size_t at = of_put_learn(d->out, &head);
    while (b->end - b->p >= 2) {
        uint16_t h = body_take16(b);
        if (!h)
            break;
        struct of_learn_spec spec;
        struct tun_value value;
        err = learn_spec(d, b, h, &spec, &value);
        if (err)
            return err;
        size_t parts = DIV_ROUND_UP((unsigned)TUN_OPT_BITS, TUN_CHUNK);
        if (d->out->n - at + parts * sizeof spec > DECODE_MAX_LEN)
            return OF_ERR_ACTION_TOO_MANY;
        if (spec.src_imm)
            of_put_learn_imm(d->out, at, &spec, &value);
        else
            of_put_learn_spec(d->out, at, &spec);
    }
    return body_rest_is_zero(b) ? 0 : OF_ERR_ACTION_BAD_ARGUMENT;
}

/* ---- The rest ---- */

int decode_conjunction(struct decoder *d, struct body *b)
{
    uint8_t clause = body_take8(b), n = body_take8(b);
    uint32_t id = body_take32(b);
    if (b->bad || n < 2 || n > 64 || clause >= n)
        return b->bad ? OF_ERR_ACTION_BAD_LEN : OF_ERR_ACTION_BAD_ARGUMENT;
    of_put_conjunction(d->out, id, clause, n);
    return 0;
}

int decode_check_pkt_larger(struct decoder *d, struct body *b)
{
    uint16_t len = body_take16(b), ofs = body_take16(b);
    enum field_id id;
    struct subfield sub;
    int err = body_take_header(b, &id);
    if (!err)
        err = decode_sub(id, ofs, 1, &sub);
    if (!err && !decode_writable(id, d))
        err = OF_ERR_ACTION_BAD_SET_ARGUMENT;
    if (!err)
        of_put_check_pkt_larger(d->out, len, &sub);
    return err;
}

int decode_multipath(struct decoder *d, struct body *b)
{
    struct of_multipath m = {.fields = body_take16(b)};
    enum field_id id;
    m.basis = body_take16(b);
    body_take(b, 2);
    m.algorithm = body_take16(b);
    m.max_link = body_take16(b);
    m.arg = body_take32(b);
    body_take(b, 2);
    uint16_t on = body_take16(b);
    int err = body_take_header(b, &id);
    if (!err)
        err = decode_ofs_nbits(id, on, &m.dst);
    if (!err && (m.fields > OF_HASH_SYMMETRIC_L3 || m.algorithm > OF_MP_ITER_HASH ||
                 !decode_writable(id, d) || (m.dst.n_bits < 16 && m.max_link >> m.dst.n_bits)))
        err = OF_ERR_ACTION_BAD_ARGUMENT;
    if (err)
        return err;
    struct of_multipath *out = DECODE_PUT(d, OF_MULTIPATH, of_multipath);
    m.type = OF_MULTIPATH;
    m.len = out->len;
    *out = m;
    return 0;
}

int decode_bundle(struct decoder *d, struct body *b, bool load)
{
    uint16_t algorithm = body_take16(b), fields = body_take16(b), basis = body_take16(b);
    uint32_t kind = body_take32(b);
    uint16_t n = body_take16(b), on = body_take16(b);
    struct subfield dst = {0, 0, 0, 0};
    int err = 0;
    if (load) {
        enum field_id id;
        err = body_take_header(b, &id);
        if (!err)
            err = decode_ofs_nbits(id, on, &dst);
    } else {
        body_take(b, 4);
    }
    body_take(b, 4);
    if (err || b->bad)
        return err ? err : body_done(b);
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
        out->members[i] = port_from_16(body_take16(b));
    return 0;
}

static int sample_source(struct body *b, struct subfield *src, uint32_t *imm)
{
    const uint8_t *at = body_take(b, 8);
    enum field_id id;
    size_t used;
    if (b->bad)
        return OF_ERR_ACTION_BAD_LEN;
    if (!get_be16(at + 4)) {
        *imm = get_be32(at);
        return 0;
    }
    int err = of_oxm_get_header(at, 4, &id, &used);
    return err ? err : decode_ofs_nbits(id, get_be16(at + 4), src);
}

int decode_sample(struct decoder *d, struct body *b, uint8_t version)
{
    struct of_sample *s = DECODE_PUT(d, OF_SAMPLE, of_sample);
    int err = 0;
    s->version = version;
    s->probability = body_take16(b);
    s->collector_set_id = body_take32(b);
    s->sampling_port = PORT_ANY;
    if (version == 4) {
        err = sample_source(b, &s->obs_domain_src, &s->obs_domain_imm);
        if (!err)
            err = sample_source(b, &s->obs_point_src, &s->obs_point_imm);
    } else {
        s->obs_domain_imm = body_take32(b);
        s->obs_point_imm = body_take32(b);
    }
    if (version >= 2) {
        s->sampling_port = port_from_16(body_take16(b));
        s->direction = body_take8(b);
        body_take(b, 5);
    }
    if (!err && !b->bad && (!s->probability || s->direction > 2))
        err = OF_ERR_ACTION_BAD_ARGUMENT;
    return err ? err : body_done(b);
}
