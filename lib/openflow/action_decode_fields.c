/* action_decode_fields.c - actions that set, move and keep fields, from the wire; see action_decode.c. */
#include "net/headers.h"
#include "openflow/action_decode.h"
#include "openflow/oxm.h"

static struct of_set_field *put_set(struct decoder *d, enum field_id id, u128 value, u128 mask,
                                    enum of_action_form form)
{
    size_t at = d->out->n;
    of_put_set_field_masked(d->out, id, value, mask);
    struct of_set_field *s = (void *)(d->out->data + at);
    s->form = (uint8_t)form;
    return s;
}

int decode_set_field(struct decoder *d, struct body *b, enum of_action_form form)
{
    if (of_oxm_is_tun(b->p, (size_t)(b->end - b->p)))
        return decode_set_tun(d, b);
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

int decode_set_legacy(struct decoder *d, struct body *b, enum field_id id, unsigned n)
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

int decode_reg_load(struct decoder *d, struct body *b)
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
    if (FIELD_IS_TUN_METADATA(id))
        of_put_load(d->out, &sub, value);
    else
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

int decode_move(struct decoder *d, struct body *b, bool padded)
{
    uint16_t n = body_take16(b), sofs = body_take16(b), dofs = body_take16(b);
    if (padded)
        body_take(b, 2);
    return b->bad ? body_done(b) : move_fields(d, b, n, sofs, dofs);
}

int decode_stack(struct decoder *d, struct body *b, enum of_action_type type)
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

int decode_set_tunnel(struct decoder *d, struct body *b, bool wide)
{
    body_take(b, wide ? 6 : 2);
    uint64_t id = wide ? body_take64(b) : body_take32(b);
    put_set(d, FIELD_TUN_ID, id, u128_ones(64), OF_FORM_LOAD);
    return body_done(b);
}

int decode_delete_field(struct decoder *d, struct body *b)
{
    enum field_id id;
    int err = body_take_header(b, &id);
    if (!err)
        DECODE_PUT(d, OF_DELETE_FIELD, of_delete_field)->field = (uint8_t)id;
    return err;
}
