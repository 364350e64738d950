/* action_parse_fields.c - what sets and moves fields, in ovs-ofctl's words; see action_parse.c. */
#include "net/headers.h"
#include "openflow/parse.h"

int parse_set_field(struct parser *p, char *text)
{
    char *left, *right;
    u128 value, mask;
    int err = parse_arrow(p, text, &left, &right);
    if (err)
        return err;
    const struct field *f = field_find(right);
    if (!f)
        return parse_error(p, "%s is not a valid OXM field name", right);
    if (!f->writable)
        return parse_error(p, "%s is read-only", right);
    if (FIELD_IS_TUN_METADATA(f->id))
        return parse_set_tun(p, left, f);
    if (field_parse(f, left, p->names, &value, &mask))
        return parse_error(p, "%s: bad value for %s", left, right);
    size_t at = p->out->n;
    of_put_set_field_masked(p->out, f->id, value, mask);
    if (strchr(left, '/') && mask == u128_ones(f->n_bits) && f->n_bits < 8 * f->n_bytes)
        ((struct of_set_field *)(void *)(p->out->data + at))->form = OF_FORM_2;
    return 0;
}

int parse_load(struct parser *p, char *text)
{
    char *left, *right;
    struct subfield sub;
    u128 value, mask;
    int err = parse_arrow(p, text, &left, &right);
    if (!err)
        err = parse_sub(p, right, &sub);
    if (err)
        return err;
    const struct field *f = field_get(sub.id);
    if (!f->writable)
        return parse_error(p, "%s is read-only", right);
    if (FIELD_IS_TUN_METADATA(f->id))
        return parse_load_tun(p, left, &sub);
    /* Numbers, or whole values in the field's own form. */
    if (field_parse(field_get(FIELD_XXREG0), left, NULL, &value, &mask) &&
        (sub.n_bits != f->n_bits || field_parse(f, left, p->names, &value, &mask)))
        return parse_error(p, "%s: bad value for load", left);
    if (value & ~u128_ones(sub.n_bits))
        return parse_error(p, "%s->%s: value does not fit into %u bits", left, right, sub.n_bits);
    size_t at = p->out->n;
    of_put_set_field_masked(p->out, sub.id, value << sub.ofs, u128_ones(sub.n_bits) << sub.ofs);
    ((struct of_set_field *)(void *)(p->out->data + at))->form = OF_FORM_LOAD;
    return 0;
}

int parse_move(struct parser *p, char *text)
{
    char *left, *right;
    struct subfield src, dst;
    int err = parse_arrow(p, text, &left, &right);
    if (!err)
        err = parse_sub(p, left, &src);
    if (!err)
        err = parse_sub(p, right, &dst);
    if (err)
        return err;
    if (src.n_bits != dst.n_bits)
        return parse_error(p,
                           "%s->%s: source field is %u bits wide but destination is %u bits wide",
                           left, right, src.n_bits, dst.n_bits);
    if (!field_get(dst.id)->writable)
        return parse_error(p, "%s is read-only", right);
    of_put_move(p->out, &src, &dst);
    return 0;
}

int parse_stack(struct parser *p, const char *text, enum of_action_type type)
{
    struct subfield sub;
    int err = parse_sub(p, text, &sub);
    if (!err)
        ((struct of_stack *)of_put(p->out, type, sizeof(struct of_stack)))->sub = sub;
    return err;
}

/* The port field of the match's protocol. */
static enum field_id port_field(const struct parser *p, bool src)
{
    uint8_t proto = p->match ? p->match->key.nw_proto : 0;
    if (proto == IP_PROTO_UDP)
        return src ? FIELD_UDP_SRC : FIELD_UDP_DST;
    if (proto == IP_PROTO_SCTP)
        return src ? FIELD_SCTP_SRC : FIELD_SCTP_DST;
    return src ? FIELD_TCP_SRC : FIELD_TCP_DST;
}

/* mod_* and their kin: 1 when KEY is none of them. */
int parse_mod(struct parser *p, const char *key, const char *text)
{
    static const struct {
        const char *name;
        enum field_id id;
    } names[] = {
        {"mod_vlan_vid", FIELD_DL_VLAN},     {"set_vlan_vid", FIELD_DL_VLAN},
        {"mod_vlan_pcp", FIELD_DL_VLAN_PCP}, {"set_vlan_pcp", FIELD_DL_VLAN_PCP},
        {"mod_dl_src", FIELD_ETH_SRC},       {"mod_dl_dst", FIELD_ETH_DST},
        {"mod_nw_src", FIELD_IP_SRC},        {"mod_nw_dst", FIELD_IP_DST},
        {"mod_nw_tos", FIELD_IP_TOS},        {"mod_nw_ecn", FIELD_IP_ECN},
        {"mod_nw_ttl", FIELD_IP_TTL},        {"mod_tp_src", FIELD_TCP_SRC},
        {"mod_tp_dst", FIELD_TCP_DST},       {"set_mpls_label", FIELD_MPLS_LABEL},
        {"set_mpls_tc", FIELD_MPLS_TC},      {"set_mpls_ttl", FIELD_MPLS_TTL},
        {"set_tunnel", FIELD_TUN_ID},        {"set_tunnel64", FIELD_TUN_ID},
    };
    enum field_id id = FIELD_NONE;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (!strcasecmp(key, names[i].name))
            id = names[i].id;
    if (id == FIELD_NONE)
        return 1;
    if (id == FIELD_TCP_SRC || id == FIELD_TCP_DST)
        id = port_field(p, id == FIELD_TCP_SRC);
    const struct field *f = field_get(id);
    u128 value, mask;
    if (field_parse(f, text, NULL, &value, &mask) || mask != u128_ones(f->n_bits))
        return parse_error(p, "%s: bad value for %s", text, key);
    if (id == FIELD_IP_TOS) {
        if (value & ~(u128)IP_DSCP_MASK)
            return parse_error(p, "%s: not a valid TOS", text);
        mask = IP_DSCP_MASK;
    }
    size_t at = p->out->n;
    of_put_set_field_masked(p->out, id, value, mask);
    bool plain = id == FIELD_TUN_ID || id == FIELD_MPLS_LABEL || id == FIELD_MPLS_TC;
    ((struct of_set_field *)(void *)(p->out->data + at))->form =
        plain ? OF_FORM_PLAIN : OF_FORM_MOD;
    return 0;
}
