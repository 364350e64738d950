/* action_decode_ct.c - connection tracking, translation of addresses and clone, from the wire; see action_decode.c. */
#include "openflow/action_decode.h"
#include "openflow/oxm.h"

enum { MAX_DEPTH = 16 };

/* The rest of the body as actions inside what begins at START. */
int decode_nested(struct decoder *d, struct body *b, size_t start, bool in_ct)
{
    if (d->depth >= MAX_DEPTH)
        return OF_ERR_ACTION_BAD_ARGUMENT;
    bool outer = d->in_ct;
    d->depth++;
    d->in_ct = in_ct;
    int err = decode_action_list(d, b->p, (size_t)(b->end - b->p));
    d->in_ct = outer;
    d->depth--;
    if (err)
        return err;
    if (d->out->n - start > UINT16_MAX)
        return OF_ERR_ACTION_TOO_MANY;
    of_end_nested(d->out, start);
    return 0;
}

/* Inside of the ct at START stand one translation, and what sets mark and label; without commit only a translation back. */
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
        bool commits =
            ((const struct of_ct *)(const void *)(d->out->data + start))->flags & OF_CT_COMMIT;
        if (!commits && (a->type != OF_NAT || ((const struct of_nat *)(const void *)a)->flags))
            return OF_ERR_ACTION_BAD_ARGUMENT;
        if (a->type == OF_NAT ? has_nat : field != FIELD_CT_MARK && field != FIELD_CT_LABEL)
            return OF_ERR_ACTION_BAD_ARGUMENT;
        has_nat |= a->type == OF_NAT;
        p += len;
    }
    return 0;
}

int decode_ct(struct decoder *d, struct body *b)
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
    int err = decode_nested(d, b, start, true);
    return err ? err : check_ct(d, start);
}

int decode_nat(struct decoder *d, struct body *b)
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

int decode_clone(struct decoder *d, struct body *b)
{
    body_take(b, 6);
    if (b->bad)
        return body_done(b);
    size_t start = of_begin_clone(d->out);
    return decode_nested(d, b, start, false);
}
