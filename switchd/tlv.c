/* tlv.c - see tlv.h. */
#include "switchd/tlv.h"

#include <string.h>

#include "net/headers.h"

static int find(const struct tlv_map *tlvs, uint16_t opt_class, uint8_t type)
{
    for (int i = 0; i < N_TUN_METADATA; i++) {
        if (tlvs->map[i].len && tlvs->map[i].opt_class == opt_class && tlvs->map[i].type == type)
            return i;
    }
    return -1;
}

static int change_one(struct tlv_map *tlvs, enum of_tlv_command command,
                      const struct of_tlv_map *map)
{
    int at = find(tlvs, map->opt_class, map->type);
    if (command == OF_TLV_DELETE) {
        if (at >= 0)
            tlvs->map[at].len = 0;
        return 0;
    }
    if (map->len == 0 || map->len % 4)
        return OF_ERR_NX_TLV_BAD_OPT_LEN;
    if (at >= 0)
        return OF_ERR_NX_TLV_DUP_ENTRY;
    if (map->index >= N_TUN_METADATA)
        return OF_ERR_NX_TLV_BAD_FIELD_IDX;
    if (tlvs->map[map->index].len)
        return OF_ERR_NX_TLV_ALREADY_MAPPED;
    if (map->len > sizeof(be64))
        return OF_ERR_NX_TLV_TABLE_FULL; /* the room behind a field is this */
    tlvs->map[map->index] = *map;
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

bool tlv_map_read(const struct tlv_map *tlvs, const uint8_t *options, size_t n,
                  be64 metadata[N_TUN_METADATA], uint8_t *known)
{
    memset(metadata, 0, N_TUN_METADATA * sizeof metadata[0]);
    *known = 0;
    while (n) {
        if (n < sizeof(struct geneve_option))
            return false;
        const struct geneve_option *opt = (const void *)options;
        size_t len = (opt->len & 0x1fu) * 4u;
        if (n < sizeof *opt + len)
            return false;
        int at = find(tlvs, get_be16(&opt->opt_class), opt->type);
        if (at >= 0 && tlvs->map[at].len == len) {
            put_be64(&metadata[at], (uint64_t)get_be_n(options + sizeof *opt, (unsigned)len));
            *known |= (uint8_t)(1u << at);
        } else if (opt->type & GENEVE_OPT_CRITICAL) {
            return false;
        }
        options += sizeof *opt + len;
        n -= sizeof *opt + len;
    }
    return true;
}

size_t tlv_map_write(const struct tlv_map *tlvs, const be64 metadata[N_TUN_METADATA], uint8_t which,
                     uint8_t *out, bool *critical)
{
    size_t n = 0;
    *critical = false;
    for (unsigned i = 0; i < N_TUN_METADATA; i++) {
        const struct of_tlv_map *map = &tlvs->map[i];
        if (!(which & 1u << i) || !map->len)
            continue;
        struct geneve_option *opt = (void *)(out + n);
        put_be16(&opt->opt_class, map->opt_class);
        opt->type = map->type;
        opt->len = (uint8_t)(map->len / 4);
        put_be_n(out + n + sizeof *opt, map->len, get_be64(&metadata[i]));
        n += sizeof *opt + map->len;
        *critical |= (map->type & GENEVE_OPT_CRITICAL) != 0;
    }
    return n;
}
