/* action_tun.c - set_field of tunnel options, which may be wider than the 128 bits of other values: as a value in memory, from and to text
 * and wire. What fits in 128 bits is an ordinary struct of_set_field. */
#include "openflow/action_decode.h"
#include "openflow/action_encode.h"
#include "openflow/parse.h"

void of_put_set_tun(struct of_actions *a, enum field_id id, const struct tun_value *value,
                    const struct tun_value *mask)
{
    u128 v, m = ~(u128)0;
    if (tun_value_fits(value, &v) && (!mask || (tun_value_fits(mask, &m) && ~m))) {
        of_put_set_field_masked(a, id, v, m);
        return;
    }
    unsigned n = tun_value_len(value), more = mask ? tun_value_len(mask) : 0;
    n = MAX(n, more);
    struct of_set_tun *s = of_put(a, OF_SET_TUN, sizeof *s + (mask ? 2 * n : n));
    s->field = (uint8_t)id;
    s->masked = mask != NULL;
    s->n = (uint8_t)n;
    memcpy(s->data, value->b + TUN_OPT_MAX - n, n);
    if (mask)
        memcpy(s->data + n, mask->b + TUN_OPT_MAX - n, n);
}

void of_put_load_tun(struct of_actions *a, const struct subfield *sub,
                     const struct tun_value *value)
{
    struct tun_value at, bits, ones;
    tun_value_of(&at, 0);
    tun_value_of(&bits, 0);
    tun_value_ones(&ones, sub->n_bits);
    tun_value_place(&at, sub->ofs, value, 0, sub->n_bits);
    tun_value_place(&bits, sub->ofs, &ones, 0, sub->n_bits);
    of_put_set_tun(a, sub->id, &at, sub->n_bits == TUN_OPT_BITS ? NULL : &bits);
}

void of_put_learn_imm(struct of_actions *a, size_t at, const struct of_learn_spec *spec,
                      const struct tun_value *value)
{
    for (unsigned i = 0; i < spec->n_bits; i += TUN_CHUNK) {
        struct of_learn_spec part = *spec;
        unsigned n = MIN(spec->n_bits - i, (unsigned)TUN_CHUNK);
        u128 x = tun_value_get(value, i, n);
        part.n_bits = (uint16_t)n;
        part.dst = subfield_make(spec->dst.id, spec->dst.ofs + i, n);
        part.src_imm = 1;
        part.value_hi = (uint64_t)(x >> 64);
        part.value_lo = (uint64_t)x;
        of_put_learn_spec(a, at, &part);
    }
}

enum field_id of_get_set_tun(const struct of_action *a, struct tun_value *value,
                             struct tun_value *mask, bool *exact)
{
    const struct of_set_field *f = (const void *)a;
    const struct of_set_tun *s = (const void *)a;
    tun_value_ones(mask, TUN_OPT_BITS);
    if (a->type == OF_SET_FIELD) {
        tun_value_of(value, of_set_field_value(f));
        *exact = !~of_set_field_mask(f);
        if (!*exact)
            tun_value_of(mask, of_set_field_mask(f));
        return f->field;
    }
    tun_value_from(value, s->data, s->n);
    *exact = !s->masked;
    if (s->masked)
        tun_value_from(mask, s->data + s->n, s->n);
    return s->field;
}

/* ---- text ---- */

int parse_set_tun(struct parser *p, const char *text, const struct field *f)
{
    struct tun_value value, mask;
    bool masked;
    if (tun_value_parse(text, &value, &mask, &masked))
        return parse_error(p, "%s: bad value for %s", text, f->name);
    of_put_set_tun(p->out, f->id, &value, masked ? &mask : NULL);
    return 0;
}

int parse_load_tun(struct parser *p, const char *text, const struct subfield *sub)
{
    struct tun_value value, mask, at;
    bool masked;
    if (tun_value_parse(text, &value, &mask, &masked) || masked)
        return parse_error(p, "%s: bad value for load", text);
    tun_value_ones(&mask, sub->n_bits);
    at = value;
    tun_value_and(&at, &mask);
    if (memcmp(&at, &value, sizeof at) != 0)
        return parse_error(p, "%s: value does not fit into %u bits", text, sub->n_bits);
    of_put_load_tun(p->out, sub, &value);
    return 0;
}

void of_set_tun_put(struct str *s, const struct of_action *a)
{
    struct tun_value value, mask;
    bool exact;
    enum field_id id = of_get_set_tun(a, &value, &mask, &exact);
    str_put(s, "set_field:");
    tun_value_put(s, &value, exact ? NULL : &mask);
    str_putf(s, "->%s", field_get(id)->name);
}

/* ---- wire ---- */

int decode_set_tun(struct decoder *d, struct body *b)
{
    struct tun_value value, mask;
    enum field_id id;
    bool exact;
    size_t used;
    int err = of_oxm_get_tun(b->p, (size_t)(b->end - b->p), &id, &value, &mask, &exact, &used);
    if (err)
        return err;
    b->p += used;
    if (!decode_writable(id, d) || !body_rest_is_zero(b))
        return OF_ERR_ACTION_BAD_SET_ARGUMENT;
    of_put_set_tun(d->out, id, &value, exact ? NULL : &mask);
    return 0;
}

/* Until 1.4, set_field is for whole fields. */
void encode_set_tun(struct encoder *e, const struct of_action *a)
{
    struct tun_value value, mask;
    bool exact;
    enum field_id id = of_get_set_tun(a, &value, &mask, &exact);
    bool plain = e->version >= OF15_VERSION || (e->version > OF10_VERSION && exact);
    size_t start = plain ? frame_begin(e, AT_SET_FIELD) : frame_begin_nx(e, NXAST_REG_LOAD2);
    of_oxm_put_tun(e->out, id, &value, exact ? NULL : &mask, e->version);
    frame_end(e, start);
}
