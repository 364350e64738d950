/* tunnel_options.c - see tunnel_options.h. */
#include "switchd/port/tunnel_options.h"

#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/str.h"
#include "net/headers.h"

enum { KEY_MAX = 0xffffff, TTL_DEFAULT = 64 };

static int bad(struct diag *diag, const char *key, const char *value, const char *wanted)
{
    return diag_set(diag, ERR_INVALID, "bad value for option %s: %s (wanted: %s)", key, value,
                    wanted);
}

static int parse_address(const struct smap *map, const char *key, bool *flow, struct ip_addr *addr,
                         struct diag *diag)
{
    const char *text = smap_get(map, key);
    *flow = text && !strcmp(text, "flow");
    addr->version = 0;
    if (text && !*flow && ip_addr_parse(text, addr))
        return bad(diag, key, text, "an IP address or flow");
    return 0;
}

static bool is_multicast(const struct ip_addr *a)
{
    return a->version == 4 ? (swap32(a->v4) >> 28) == 14 : a->version == 6 && a->v6.b[0] == 0xff;
}

static int parse_addresses(const struct smap *map, struct tunnel_options *o, struct diag *diag)
{
    int err = parse_address(map, "remote_ip", &o->dst_flow, &o->dst, diag);
    if (!err)
        err = parse_address(map, "local_ip", &o->src_flow, &o->src, diag);
    if (err)
        return err;
    if (!o->dst_flow && !o->dst.version)
        return diag_set(diag, ERR_INVALID, "tunnel requires option remote_ip");
    if (is_multicast(&o->dst))
        return bad(diag, "remote_ip", smap_get(map, "remote_ip"), "the address of one host");
    if (o->src_flow && !o->dst_flow)
        return diag_set(diag, ERR_INVALID, "option local_ip=flow requires remote_ip=flow");
    if (o->src.version && o->dst.version && o->src.version != o->dst.version)
        return diag_set(diag, ERR_INVALID,
                        "options remote_ip and local_ip must be of one IP version");
    return 0;
}

/* The number that KEY has, from MIN to MAX; *RET stays when there is none. */
static int parse_number(const struct smap *map, const char *key, int64_t min, int64_t max,
                        const char *wanted, int64_t *ret, struct diag *diag)
{
    const char *text = smap_get(map, key);
    int64_t x;
    if (!text)
        return 0;
    if (text_to_i64(text, 0, &x) || x < min || x > max)
        return bad(diag, key, text, wanted);
    *ret = x;
    return 0;
}

/* One of in_key and out_key, in whose place key stands. */
static int parse_key(const struct smap *map, const char *name, bool *flow, uint32_t *ret,
                     struct diag *diag)
{
    const char *key = smap_get(map, name) ? name : "key";
    int64_t x = 0;
    *flow = !strcmp(smap_get_or(map, key, ""), "flow");
    int err = *flow ? 0 : parse_number(map, key, 0, KEY_MAX, "flow, or 0 to 16777215", &x, diag);
    *ret = (uint32_t)x;
    return err;
}

static int parse_bool(const struct smap *map, const char *key, bool *ret, struct diag *diag)
{
    const char *text = smap_get(map, key);
    if (!text)
        return 0;
    if (strcasecmp(text, "true") && strcasecmp(text, "false"))
        return bad(diag, key, text, "true or false");
    *ret = !strcasecmp(text, "true");
    return 0;
}

static int parse_outer(const struct smap *map, struct tunnel_options *o, struct diag *diag)
{
    int64_t tos = 0, ttl = TTL_DEFAULT;
    o->tos_inherit = !strcmp(smap_get_or(map, "tos", ""), "inherit");
    o->ttl_inherit = !strcmp(smap_get_or(map, "ttl", ""), "inherit");
    int err = o->tos_inherit
                  ? 0
                  : parse_number(map, "tos", 0, 255,
                                 "inherit, or 0 to 252 without the lowest two bits", &tos, diag);
    if (!err && tos & IP_ECN_MASK)
        err = bad(diag, "tos", smap_get(map, "tos"),
                  "inherit, or 0 to 252 without the lowest two bits");
    if (!err && !o->ttl_inherit)
        err = parse_number(map, "ttl", 0, 255, "inherit, or 0 to 255", &ttl, diag);
    o->tos = (uint8_t)tos;
    o->ttl = (uint8_t)(ttl ? ttl : TTL_DEFAULT);
    o->csum6 = true;
    if (smap_get(map, "csum")) {
        if (!err)
            err = parse_bool(map, "csum", &o->csum, diag);
        o->csum6 = o->csum;
    }
    o->df = true;
    return err ? err : parse_bool(map, "df_default", &o->df, diag);
}

int tunnel_options_parse(const struct smap *map, uint16_t udp_port, struct tunnel_options *o,
                         struct diag *diag)
{
    int64_t port = udp_port;
    memset(o, 0, sizeof *o);
    int err = parse_addresses(map, o, diag);
    if (!err)
        err = parse_key(map, "in_key", &o->in_any, &o->in_key, diag);
    if (!err)
        err = parse_key(map, "out_key", &o->out_flow, &o->out_key, diag);
    if (!err)
        err = parse_number(map, "dst_port", 1, UINT16_MAX, "1 to 65535", &port, diag);
    o->udp_port = (uint16_t)port;
    return err ? err : parse_outer(map, o, diag);
}

const char *tunnel_options_unknown(const struct smap *map)
{
    static const char *const known[] = {"csum",     "df_default", "dst_port",  "in_key", "key",
                                        "local_ip", "out_key",    "remote_ip", "tos",    "ttl"};
    for (size_t i = 0; i < map->entries.n; i++) {
        size_t k = 0;
        while (k < ARRAY_SIZE(known) && strcmp(known[k], map->entries.data[i].key))
            k++;
        if (k == ARRAY_SIZE(known))
            return map->entries.data[i].key;
    }
    return NULL;
}
