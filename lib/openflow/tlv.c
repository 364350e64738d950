/* tlv.c - tunnel options (NXT_TLV_TABLE_*). */
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
        if (m->len % 4 || m->len > 124)
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
