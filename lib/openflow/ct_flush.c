/* ct_flush.c - NXT_CT_FLUSH: which connections a switch forgets, on the wire and as ovs-ofctl(8) and ovs-vswitchd(8) write them. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "openflow/internal.h"
#include "openflow/packet_io.h"
#include "openflow/switch.h"

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
            break;
        case CT_ICMP_TYPE:
            t->icmp_type = prop.value[0];
            break;
        case CT_ICMP_CODE:
            t->icmp_code = prop.value[0];
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

/* ---- encode ---- */

static void put_addr(struct of_buf *out, uint16_t type, const struct ip_addr *addr)
{
    uint8_t bytes[16] = {[10] = 0xff, [11] = 0xff};
    if (!addr->version)
        return;
    if (addr->version == 4)
        memcpy(bytes + 12, &addr->v4, 4);
    else
        memcpy(bytes, &addr->v6, 16);
    of_prop_put(out, type, bytes, sizeof bytes);
}

static void put_16(struct of_buf *out, uint16_t type, uint16_t x)
{
    uint8_t bytes[2];
    put_be16(bytes, x);
    if (x)
        of_prop_put(out, type, bytes, sizeof bytes);
}

static void put_8(struct of_buf *out, uint16_t type, uint8_t x)
{
    if (x)
        of_prop_put(out, type, &x, 1);
}

static void put_tuple(struct of_buf *out, uint16_t type, const struct of_ct_tuple *t)
{
    if (of_ct_tuple_is_any(t))
        return;
    size_t start = of_prop_begin(out, type);
    of_buf_put(out, NULL, 4);
    put_addr(out, CT_SRC, &t->src);
    put_addr(out, CT_DST, &t->dst);
    put_16(out, CT_SRC_PORT, t->src_port);
    put_16(out, CT_DST_PORT, t->dst_port);
    put_16(out, CT_ICMP_ID, t->icmp_id);
    put_8(out, CT_ICMP_TYPE, t->icmp_type);
    put_8(out, CT_ICMP_CODE, t->icmp_code);
    of_prop_end(out, start);
}

bool of_ct_tuple_is_any(const struct of_ct_tuple *t)
{
    return !t->src.version && !t->dst.version && !t->src_port && !t->dst_port && !t->icmp_id &&
           !t->icmp_type && !t->icmp_code;
}

void of_ct_flush_encode(const struct of_ct_flush *cf, uint8_t version, uint32_t xid,
                        struct of_buf *out)
{
    uint8_t bytes[16];
    size_t start = of_begin(out, version, OF_NX_CT_FLUSH, xid);
    of_buf_put8(out, cf->orig.proto ? cf->orig.proto : cf->reply.proto);
    of_buf_put(out, NULL, 7);
    put_tuple(out, CF_ORIG, &cf->orig);
    put_tuple(out, CF_REPLY, &cf->reply);
    put_be16(bytes, cf->zone);
    if (cf->has_zone)
        of_prop_put(out, CF_ZONE, bytes, 2);
    if (cf->mark_mask) {
        put_be32(bytes, cf->mark);
        of_prop_put(out, CF_MARK, bytes, 4);
        put_be32(bytes, cf->mark_mask);
        of_prop_put(out, CF_MARK_MASK, bytes, 4);
    }
    if (cf->label_mask) {
        put_be128(bytes, cf->label);
        of_prop_put(out, CF_LABEL, bytes, 16);
        put_be128(bytes, cf->label_mask);
        of_prop_put(out, CF_LABEL_MASK, bytes, 16);
    }
    of_end(out, start);
}

/* ---- text ---- */

static bool parse_addr(const char *text, uint8_t version, struct ip_addr *ret)
{
    return !ip_addr_parse(text, ret) && ret->version == version;
}

/* Sets the field KEY. -1: there is none of that name; 0: VALUE is wrong. */
static int set_tuple_field(struct of_ct_tuple *t, const char *key, const char *value)
{
    uint64_t n;
    if (!strcmp(key, "ct_nw_src") || !strcmp(key, "ct_ipv6_src"))
        return parse_addr(value, key[3] == 'n' ? 4 : 6, &t->src);
    if (!strcmp(key, "ct_nw_dst") || !strcmp(key, "ct_ipv6_dst"))
        return parse_addr(value, key[3] == 'n' ? 4 : 6, &t->dst);
    struct {
        const char *name;
        uint16_t *wide;
        uint8_t *narrow;
    } fields[] = {{"ct_tp_src", &t->src_port, NULL},  {"ct_tp_dst", &t->dst_port, NULL},
                  {"icmp_id", &t->icmp_id, NULL},     {"icmp_type", NULL, &t->icmp_type},
                  {"icmp_code", NULL, &t->icmp_code}, {"ct_nw_proto", NULL, &t->proto}};
    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        if (strcmp(key, fields[i].name) != 0)
            continue;
        if (text_to_u64(value, 0, &n) || n > (fields[i].wide ? UINT16_MAX : UINT8_MAX))
            return 0;
        if (fields[i].wide)
            *fields[i].wide = (uint16_t)n;
        else
            *fields[i].narrow = (uint8_t)n;
        return 1;
    }
    return -1;
}

int of_ct_tuple_parse(const char *text, struct of_ct_tuple *ret, struct diag *diag)
{
    char buf[512];
    memset(ret, 0, sizeof *ret);
    if (strlen(text) >= sizeof buf)
        return diag_set(diag, ERR_SYNTAX, "invalid conntrack tuple: it is too long");
    snprintf(buf, sizeof buf, "%s", text);
    char *save = NULL;
    for (char *p = strtok_r(buf, ", ", &save); p; p = strtok_r(NULL, ", ", &save)) {
        char *value = strchr(p, '=');
        if (value)
            *value++ = '\0';
        int found = set_tuple_field(ret, p, value ? value : "");
        if (found < 0)
            return diag_set(diag, ERR_SYNTAX, "invalid conntrack tuple field: %s", p);
        if (!found)
            return diag_set(diag, ERR_SYNTAX, "failed to parse field %s", p);
    }
    return 0;
}
