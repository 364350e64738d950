/* tlv.c - see tlv.h. */
#include "switchd/tlv.h"

#include <string.h>

#include "net/headers.h"

/* -1: no field stands for it. */
static int find(const struct tlv_map *tlvs, uint16_t opt_class, uint8_t type)
{
    for (uint64_t left = tlvs->mapped; left; left &= left - 1) {
        int i = __builtin_ctzll(left);
        if (tlvs->map[i].opt_class == opt_class && tlvs->map[i].type == type)
            return i;
    }
    return -1;
}

unsigned tlv_map_space(const struct tlv_map *tlvs)
{
    unsigned n = 0;
    for (uint64_t left = tlvs->mapped; left; left &= left - 1)
        n += tlvs->map[__builtin_ctzll(left)].len;
    return n;
}

static int change_one(struct tlv_map *tlvs, enum of_tlv_command command,
                      const struct of_tlv_map *map)
{
    int at = find(tlvs, map->opt_class, map->type);
    if (command == OF_TLV_DELETE) {
        if (at >= 0)
            tlvs->mapped &= ~(UINT64_C(1) << at);
        return 0;
    }
    if (map->len % 4 || map->len > TUN_OPT_MAX)
        return OF_ERR_NX_TLV_BAD_OPT_LEN;
    if (at >= 0)
        return OF_ERR_NX_TLV_DUP_ENTRY;
    if (map->index >= N_TUN_METADATA)
        return OF_ERR_NX_TLV_BAD_FIELD_IDX;
    if (tlvs->mapped >> map->index & 1)
        return OF_ERR_NX_TLV_ALREADY_MAPPED;
    if (tlv_map_space(tlvs) + map->len > TLV_SPACE)
        return OF_ERR_NX_TLV_TABLE_FULL;
    tlvs->map[map->index] = *map;
    tlvs->mapped |= UINT64_C(1) << map->index;
    return 0;
}

int tlv_map_change(struct tlv_map *tlvs, const struct of_tlv_mod *mod)
{
    struct tlv_map result = *tlvs;
    if (mod->command == OF_TLV_CLEAR)
        memset(&result, 0, sizeof result);
    else if (mod->command != OF_TLV_ADD && mod->command != OF_TLV_DELETE)
        return OF_ERR_NX_TLV_BAD_COMMAND;
    for (size_t i = 0; i < mod->n && mod->command != OF_TLV_CLEAR; i++) {
        int err = change_one(&result, mod->command, &mod->maps[i]);
        if (err)
            return err;
    }
    *tlvs = result;
    return 0;
}

static void keep(struct flow_tunnel *tunnel, struct tun_opts *opts, unsigned field,
                 const uint8_t *bytes, unsigned len)
{
    bool near = field < TUN_INLINE;
    unsigned in_key = near ? MIN(len, 8u) : 0;
    if (near) {
        tunnel->metadata[field] = 0;
        memcpy((uint8_t *)&tunnel->metadata[field] + 8 - in_key, bytes + len - in_key, in_key);
        tunnel->present |= (uint8_t)(1u << field);
    } else {
        opts->present |= UINT64_C(1) << field;
    }
    for (unsigned at = in_key; at < len; at += 4) /* the same option again: its last value */
        (void)tun_opts_set_unit(opts, field * TUN_FIELD_UNITS + at / 4,
                                get_be32(bytes + len - 4 - at));
}

bool tlv_map_read(const struct tlv_map *tlvs, const uint8_t *options, size_t n,
                  struct flow_tunnel *tunnel, struct tun_opts *opts)
{
    tun_opts_init(opts);
    while (n) {
        if (n < sizeof(struct geneve_option))
            return false;
        const struct geneve_option *opt = (const void *)options;
        size_t len = (opt->len & 0x1fu) * 4u;
        if (n < sizeof *opt + len)
            return false;
        int at = find(tlvs, get_be16(&opt->opt_class), opt->type);
        if (at >= 0 && tlvs->map[at].len == len)
            keep(tunnel, opts, (unsigned)at, options + sizeof *opt, (unsigned)len);
        else if (opt->type & GENEVE_OPT_CRITICAL)
            return false;
        options += sizeof *opt + len;
        n -= sizeof *opt + len;
    }
    return true;
}

/* The LEN lower bytes of field I. */
static void put_value(const struct flow_tunnel *tunnel, const struct tun_opts *opts, unsigned i,
                      unsigned len, uint8_t *out)
{
    if (i < TUN_INLINE && len <= 8) {
        memcpy(out, (const uint8_t *)&tunnel->metadata[i] + 8 - len, len);
        return;
    }
    unsigned at = 0;
    if (i < TUN_INLINE) {
        memcpy(out + len - 8, &tunnel->metadata[i], 8);
        at = 8;
    }
    for (; at < len; at += 4)
        put_be32(out + len - 4 - at, tun_opts_unit(opts, i * TUN_FIELD_UNITS + at / 4));
}

size_t tlv_map_write(const struct tlv_map *tlvs, const struct flow_tunnel *tunnel,
                     const struct tun_opts *opts, uint64_t which, uint8_t *out, bool *critical)
{
    static const struct tun_opts none;
    size_t n = 0;
    *critical = false;
    for (uint64_t left = which & tlvs->mapped; left; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        const struct of_tlv_map *map = &tlvs->map[i];
        struct geneve_option *opt = (void *)(out + n);
        if (n + sizeof *opt + map->len > GENEVE_MAX_OPTIONS)
            break;
        put_be16(&opt->opt_class, map->opt_class);
        opt->type = map->type;
        opt->len = (uint8_t)(map->len / 4);
        put_value(tunnel, opts ? opts : &none, i, map->len, out + n + sizeof *opt);
        n += sizeof *opt + map->len;
        *critical |= (map->type & GENEVE_OPT_CRITICAL) != 0;
    }
    return n;
}
