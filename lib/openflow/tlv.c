/* tlv.c - tunnel options (NXT_TLV_TABLE_*) and connections to forget (NXT_CT_FLUSH). */
#include <stdlib.h>

#include "net/headers.h"
#include "openflow/packet_io.h"
#include "openflow/switch.h"

enum { MAP_LEN = 8 };

static void put_maps(struct of_buf *out, const struct of_tlv_map *maps, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        of_buf_put16(out, maps[i].opt_class);
        of_buf_put8(out, maps[i].type);
        of_buf_put8(out, maps[i].len);
        of_buf_put16(out, maps[i].index);
        of_buf_put16(out, 0);
    }
}

static int get_maps(const uint8_t *p, size_t bytes, struct of_tlv_map **maps, size_t *n)
{
    if (bytes % MAP_LEN)
        return OF_ERR_BAD_LEN;
    *n = bytes / MAP_LEN;
    *maps = xcalloc(*n + 1, sizeof **maps);
    for (size_t i = 0; i < *n; i++, p += MAP_LEN) {
        struct of_tlv_map *m = &(*maps)[i];
        m->opt_class = get_be16(p);
        m->type = p[2];
        m->len = p[3];
        m->index = get_be16(p + 4);
    }
    return 0;
}

void of_tlv_mod_encode(const struct of_tlv_mod *m, uint8_t version, uint32_t xid,
                       struct of_buf *out)
{
    size_t start = of_begin(out, version, OF_NX_TLV_TABLE_MOD, xid);
    of_buf_put16(out, (uint16_t)m->command);
    of_buf_put(out, NULL, 6);
    put_maps(out, m->maps, m->n);
    of_end(out, start);
}

int of_tlv_mod_decode(const struct of_msg *msg, struct of_tlv_mod *ret)
{
    memset(ret, 0, sizeof *ret);
    if (msg->body_len < 8)
        return OF_ERR_BAD_LEN;
    uint16_t command = get_be16(msg->body);
    if (command > OF_TLV_CLEAR)
        return OF_ERR_NX_TLV_BAD_COMMAND;
    ret->command = command;
    int err = get_maps(msg->body + 8, msg->body_len - 8, &ret->maps, &ret->n);
    for (size_t i = 0; !err && i < ret->n; i++) {
        const struct of_tlv_map *m = &ret->maps[i];
        if (!m->len || m->len % 4 || m->len > 124)
            err = OF_ERR_NX_TLV_BAD_OPT_LEN;
        else if (command == OF_TLV_ADD && m->index > 63)
            err = OF_ERR_NX_TLV_BAD_FIELD_IDX;
    }
    if (err)
        of_tlv_mod_fini(ret);
    return err;
}

void of_tlv_mod_fini(struct of_tlv_mod *m)
{
    free(m->maps);
    m->maps = NULL;
    m->n = 0;
}

void of_tlv_reply_encode(const struct of_tlv_reply *r, uint8_t version, uint32_t xid,
                         struct of_buf *out)
{
    size_t start = of_begin(out, version, OF_NX_TLV_TABLE_REPLY, xid);
    of_buf_put32(out, r->max_option_space);
    of_buf_put16(out, r->max_fields);
    of_buf_put(out, NULL, 10);
    put_maps(out, r->maps, r->n);
    of_end(out, start);
}

int of_tlv_reply_decode(const struct of_msg *msg, struct of_tlv_reply *ret)
{
    memset(ret, 0, sizeof *ret);
    if (msg->body_len < 16)
        return OF_ERR_BAD_LEN;
    ret->max_option_space = get_be32(msg->body);
    ret->max_fields = get_be16(msg->body + 4);
    return get_maps(msg->body + 16, msg->body_len - 16, &ret->maps, &ret->n);
}

void of_tlv_reply_fini(struct of_tlv_reply *r)
{
    free(r->maps);
    r->maps = NULL;
    r->n = 0;
}

/* ---- NXT_CT_FLUSH ---- */

enum { CF_ORIG, CF_REPLY, CF_ZONE, CF_MARK, CF_MARK_MASK, CF_LABEL, CF_LABEL_MASK };
enum { CT_SRC, CT_DST, CT_SRC_PORT, CT_DST_PORT, CT_ICMP_ID, CT_ICMP_TYPE, CT_ICMP_CODE };

/* Addresses come as 16 bytes: IPv4 mapped into IPv6, all zeros for any. */
static struct ip_addr get_addr(const uint8_t *p)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct ip6 ip;
    be32 v4;
    if (!memcmp(p, mapped, sizeof mapped)) {
        memcpy(&v4, p + 12, 4);
        return ip_addr_from_v4(v4);
    }
    memcpy(&ip, p, 16);
    struct ip_addr addr = ip_addr_from_v6(ip);
    if (ip6_is_zero(ip))
        addr.version = 0;
    return addr;
}

static int get_tuple(const uint8_t *p, size_t n, struct of_ct_tuple *t)
{
    struct of_prop prop;
    size_t ofs = 0;
    int more;
    while ((more = of_prop_next(p, n, &ofs, &prop)) > 0) {
        static const uint8_t sizes[] = {16, 16, 2, 2, 2, 1, 1};
        if (prop.type >= ARRAY_SIZE(sizes))
            return OF_ERR_PROP_BAD_TYPE;
        if (prop.len < sizes[prop.type])
            return OF_ERR_PROP_BAD_LEN;
        switch (prop.type) {
        case CT_SRC:
            t->src = get_addr(prop.value);
            break;
        case CT_DST:
            t->dst = get_addr(prop.value);
            break;
        case CT_SRC_PORT:
            t->src_port = get_be16(prop.value);
            break;
        case CT_DST_PORT:
            t->dst_port = get_be16(prop.value);
            break;
        case CT_ICMP_ID:
            t->icmp_id = get_be16(prop.value);
            t->has_icmp = true;
            break;
        case CT_ICMP_TYPE:
            t->icmp_type = prop.value[0];
            t->has_icmp = true;
            break;
        case CT_ICMP_CODE:
            t->icmp_code = prop.value[0];
            t->has_icmp = true;
            break;
        }
    }
    return more < 0 ? -more : 0;
}

static int get_flush_prop(const struct of_prop *prop, struct of_ct_flush *cf)
{
    static const uint8_t sizes[] = {4, 4, 2, 4, 4, 16, 16};
    if (prop->type >= ARRAY_SIZE(sizes))
        return OF_ERR_PROP_BAD_TYPE;
    if (prop->len < sizes[prop->type])
        return OF_ERR_PROP_BAD_LEN;
    switch (prop->type) {
    case CF_ORIG:
        return get_tuple(prop->value + 4, prop->len - 4, &cf->orig);
    case CF_REPLY:
        return get_tuple(prop->value + 4, prop->len - 4, &cf->reply);
    case CF_ZONE:
        cf->has_zone = true;
        cf->zone = get_be16(prop->value);
        break;
    case CF_MARK:
        cf->mark = get_be32(prop->value);
        cf->mark_mask = cf->mark_mask ? cf->mark_mask : UINT32_MAX;
        break;
    case CF_MARK_MASK:
        cf->mark_mask = get_be32(prop->value);
        break;
    case CF_LABEL:
        cf->label = get_be128(prop->value);
        cf->label_mask = cf->label_mask ? cf->label_mask : u128_ones(128);
        break;
    case CF_LABEL_MASK:
        cf->label_mask = get_be128(prop->value);
        break;
    }
    return 0;
}

int of_ct_flush_decode(const struct of_msg *msg, struct of_ct_flush *ret)
{
    struct of_prop prop;
    size_t ofs = 8;
    int more;
    memset(ret, 0, sizeof *ret);
    if (msg->body_len < 8)
        return OF_ERR_BAD_LEN;
    ret->orig.proto = ret->reply.proto = msg->body[0];
    while ((more = of_prop_next(msg->body, msg->body_len, &ofs, &prop)) > 0) {
        int err = get_flush_prop(&prop, ret);
        if (err)
            return err;
    }
    return more < 0 ? -more : 0;
}
