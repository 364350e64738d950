/* table.c - flow tables on the wire. */
#include "openflow/table.h"

enum { STATS10_LEN = 64, STATS13_LEN = 24, NAME_LEN = 32, FEATURES_LEN = 64 };
enum { WILDCARDS_ALL_10 = 0x3fffff };
/* Properties of TABLE_FEATURES, of flows in general (and +1 for the flow of a miss, which need not be told apart). */
enum {
    TFP_INSTRUCTIONS = 0,
    TFP_NEXT_TABLES = 2,
    TFP_WRITE_ACTIONS = 4,
    TFP_APPLY_ACTIONS = 6,
    TFP_MATCH = 8,
    TFP_WILDCARDS = 10,
    TFP_WRITE_SETFIELD = 12,
    TFP_APPLY_SETFIELD = 14
};

static void put_name(struct of_buf *b, const char *name)
{
    uint8_t *at = of_buf_put(b, NULL, NAME_LEN);
    memcpy(at, name, strnlen(name, NAME_LEN - 1));
}

void of_table_stats_put(struct of_reply *reply, const struct of_table_stats *ts)
{
    struct of_buf b = OF_BUF_INIT;
    of_buf_put8(&b, ts->id);
    of_buf_put(&b, NULL, 3);
    if (reply->version == OF10_VERSION) {
        put_name(&b, ts->name);
        of_buf_put32(&b, WILDCARDS_ALL_10);
        of_buf_put32(&b, ts->max_entries);
    }
    of_buf_put32(&b, ts->active);
    of_buf_put64(&b, ts->lookups);
    of_buf_put64(&b, ts->matches);
    of_reply_put(reply, b.data, b.n);
    of_buf_fini(&b);
}

int of_table_stats_next(const struct of_msg *msg, size_t *ofs, struct of_table_stats *ret)
{
    bool v10 = msg->version == OF10_VERSION;
    size_t len = v10 ? STATS10_LEN : STATS13_LEN;
    memset(ret, 0, sizeof *ret);
    if (*ofs >= msg->body_len)
        return 0;
    const uint8_t *p = msg->body + *ofs;
    if (msg->body_len - *ofs < len)
        return -OF_ERR_BAD_LEN;
    ret->id = p[0];
    if (v10) {
        memcpy(ret->name, p + 4, NAME_LEN);
        ret->max_entries = get_be32(p + 40);
        p += 40;
    }
    ret->active = get_be32(p + 4);
    ret->lookups = get_be64(p + 8);
    ret->matches = get_be64(p + 16);
    *ofs += len;
    return 1;
}

/* ---- Features ---- */

static size_t begin_prop(struct of_buf *b, uint16_t type)
{
    size_t start = b->n;
    of_buf_put16(b, type);
    of_buf_put16(b, 0);
    return start;
}

static void end_prop(struct of_buf *b, size_t start)
{
    put_be16(b->data + start + 2, (uint16_t)(b->n - start));
    of_buf_pad(b, start, 8);
}

/* Identifiers of instructions or actions: 4 bytes each, 8 in 1.4 and later are 4 too for what is standard. */
static void put_ids(struct of_buf *b, uint16_t type, const uint8_t *ids, size_t n)
{
    size_t start = begin_prop(b, type);
    for (size_t i = 0; i < n; i++) {
        of_buf_put16(b, ids[i]);
        of_buf_put16(b, 4);
    }
    end_prop(b, start);
}

enum which { ALL, MASKABLE, WRITABLE };

static void put_fields(struct of_buf *b, uint16_t type, enum which which)
{
    size_t start = begin_prop(b, type);
    for (int i = FIELD_NONE + 1; i < N_FIELDS; i++) {
        const struct field *f = field_get(i);
        const struct field_header *h = f->oxm.name ? &f->oxm : &f->nxm;
        if (!h->name || f->internal || (which == MASKABLE && !f->maskable) ||
            (which == WRITABLE && !f->writable))
            continue;
        of_buf_put16(b, h->class);
        of_buf_put8(b, (uint8_t)(h->number << 1 | (which == ALL && f->maskable)));
        of_buf_put8(b, (uint8_t)(f->n_bytes << (which == ALL && f->maskable)));
    }
    end_prop(b, start);
}

void of_table_features_fields(struct of_buf *ret)
{
    put_fields(ret, TFP_MATCH, ALL);
    put_fields(ret, TFP_WILDCARDS, MASKABLE);
    put_fields(ret, TFP_WRITE_SETFIELD, WRITABLE);
    put_fields(ret, TFP_APPLY_SETFIELD, WRITABLE);
}

void of_table_features_put(struct of_reply *reply, const struct of_table_features *tf)
{
    static const uint8_t instructions[] = {1, 2, 3, 4, 5, 6};
    static const uint8_t actions[] = {0, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25};
    struct of_buf b = OF_BUF_INIT;
    of_buf_put16(&b, 0);
    of_buf_put8(&b, tf->id);
    of_buf_put(&b, NULL, 5);
    put_name(&b, tf->name);
    of_buf_put64(&b, tf->metadata_match);
    of_buf_put64(&b, tf->metadata_write);
    of_buf_put32(&b, 0);
    of_buf_put32(&b, tf->max_entries);
    put_ids(&b, TFP_INSTRUCTIONS, instructions,
            reply->version >= OF15_VERSION ? sizeof instructions - 1 : sizeof instructions);
    size_t start = begin_prop(&b, TFP_NEXT_TABLES);
    for (unsigned i = tf->id + 1u; i < tf->n_tables; i++)
        of_buf_put8(&b, (uint8_t)i);
    end_prop(&b, start);
    put_ids(&b, TFP_WRITE_ACTIONS, actions, sizeof actions);
    put_ids(&b, TFP_APPLY_ACTIONS, actions, sizeof actions);
    of_buf_put(&b, tf->fields->data, tf->fields->n);
    put_be16(b.data, (uint16_t)b.n);
    of_reply_put(reply, b.data, b.n);
    of_buf_fini(&b);
}

int of_table_features_next(const struct of_msg *msg, size_t *ofs, struct of_table_features *ret)
{
    memset(ret, 0, sizeof *ret);
    if (*ofs >= msg->body_len)
        return 0;
    const uint8_t *p = msg->body + *ofs;
    size_t left = msg->body_len - *ofs, len = left < FEATURES_LEN ? 0 : get_be16(p);
    if (len < FEATURES_LEN || len > left)
        return -OF_ERR_BAD_LEN;
    ret->id = p[2];
    memcpy(ret->name, p + 8, NAME_LEN);
    ret->metadata_match = get_be64(p + 40);
    ret->metadata_write = get_be64(p + 48);
    ret->max_entries = get_be32(p + 60);
    for (const uint8_t *x = p + FEATURES_LEN, *end = p + len; x < end;) {
        size_t n = end - x < 4 ? 0 : get_be16(x + 2), padded = ROUND_UP(n, 8);
        if (n < 4 || padded > (size_t)(end - x))
            return -OF_ERR_PROP_BAD_LEN;
        x += padded;
    }
    *ofs += len;
    return 1;
}

/* ---- TABLE_MOD, TABLE_DESC ---- */

enum { DESC_LEN = 8, DESC_EVICTION_LEN = 16 };

int of_table_mod_decode(const struct of_msg *msg, struct of_table_mod *ret)
{
    if (msg->body_len < 8)
        return OF_ERR_BAD_LEN;
    ret->id = msg->body[0];
    ret->config = get_be32(msg->body + 4);
    return 0;
}

void of_table_desc_put(struct of_reply *reply, const struct of_table_mod *desc)
{
    struct of_buf b = OF_BUF_INIT;
    of_buf_put16(&b, DESC_EVICTION_LEN);
    of_buf_put8(&b, desc->id);
    of_buf_put8(&b, 0);
    of_buf_put32(&b, desc->config);
    of_buf_put16(&b, 2); /* what an eviction would look at: all three */
    of_buf_put16(&b, 8);
    of_buf_put32(&b, 7);
    of_reply_put(reply, b.data, b.n);
    of_buf_fini(&b);
}

int of_table_desc_next(const struct of_msg *msg, size_t *ofs, struct of_table_mod *ret)
{
    if (*ofs >= msg->body_len)
        return 0;
    const uint8_t *p = msg->body + *ofs;
    size_t left = msg->body_len - *ofs, len = left < DESC_LEN ? 0 : get_be16(p);
    if (len < DESC_LEN || len > left)
        return -OF_ERR_BAD_LEN;
    ret->id = p[2];
    ret->config = get_be32(p + 4);
    *ofs += len;
    return 1;
}
