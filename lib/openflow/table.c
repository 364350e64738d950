/* table.c - flow tables on the wire. */
#include "openflow/table.h"

#include "openflow/packet_io.h"

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

/* ---- TABLE_MOD, TABLE_DESC, TABLE_STATUS ---- */

enum { DESC_LEN = 8, MOD_LEN = 8, STATUS_LEN = 8 };
enum { PROP_EVICTION = 2, PROP_VACANCY = 3, PROP_VALUE_LEN = 4, PERCENT = 100 };

static void put_vacancy(struct of_buf *b, const struct of_table_mod *tm)
{
    uint8_t value[PROP_VALUE_LEN] = {tm->vacancy_down, tm->vacancy_up, tm->vacancy, 0};
    of_prop_put(b, PROP_VACANCY, value, sizeof value);
}

static int get_properties(const uint8_t *p, size_t n, struct of_table_mod *ret)
{
    size_t ofs = 0;
    struct of_prop prop;
    int more;
    while ((more = of_prop_next(p, n, &ofs, &prop)) > 0) {
        if (prop.type != PROP_EVICTION && prop.type != PROP_VACANCY)
            return OF_ERR_PROP_BAD_TYPE;
        if (prop.len != PROP_VALUE_LEN)
            return OF_ERR_PROP_BAD_LEN;
        if (prop.type == PROP_EVICTION) {
            ret->eviction_flags = get_be32(prop.value);
            continue;
        }
        ret->vacancy_down = prop.value[0];
        ret->vacancy_up = prop.value[1];
        ret->vacancy = prop.value[2];
        if (ret->vacancy_down > ret->vacancy_up || ret->vacancy_up > PERCENT)
            return OF_ERR_PROP_BAD_VALUE;
    }
    return -more;
}

void of_table_mod_encode(const struct of_table_mod *tm, uint8_t version, uint32_t xid,
                         struct of_buf *out)
{
    size_t start = of_begin(out, version, OF_TABLE_MOD, xid);
    of_buf_put8(out, tm->id);
    of_buf_put(out, NULL, 3);
    of_buf_put32(out, tm->config);
    if (version >= OF14_VERSION && tm->config & OF_TC_VACANCY_EVENTS)
        put_vacancy(out, tm);
    of_end(out, start);
}

int of_table_mod_decode(const struct of_msg *msg, struct of_table_mod *ret)
{
    memset(ret, 0, sizeof *ret);
    if (msg->body_len < MOD_LEN)
        return OF_ERR_BAD_LEN;
    ret->id = msg->body[0];
    ret->config = get_be32(msg->body + 4);
    if (msg->version < OF14_VERSION)
        return 0;
    int err = get_properties(msg->body + MOD_LEN, msg->body_len - MOD_LEN, ret);
    return !err && ret->vacancy ? OF_ERR_PROP_BAD_VALUE : err;
}

static void put_desc(struct of_buf *b, const struct of_table_mod *desc)
{
    size_t start = b->n;
    of_buf_put16(b, 0);
    of_buf_put8(b, desc->id);
    of_buf_put8(b, 0);
    of_buf_put32(b, desc->config);
    size_t prop = of_prop_begin(b, PROP_EVICTION);
    of_buf_put32(b, desc->eviction_flags);
    of_prop_end(b, prop);
    if (desc->config & OF_TC_VACANCY_EVENTS)
        put_vacancy(b, desc);
    put_be16(b->data + start, (uint16_t)(b->n - start));
}

void of_table_desc_put(struct of_reply *reply, const struct of_table_mod *desc)
{
    struct of_buf b = OF_BUF_INIT;
    put_desc(&b, desc);
    of_reply_put(reply, b.data, b.n);
    of_buf_fini(&b);
}

/* One at the start of the LEFT bytes at P. Returns its length, or -OF_ERROR. */
static int get_desc(const uint8_t *p, size_t left, struct of_table_mod *ret)
{
    size_t len = left < DESC_LEN ? 0 : get_be16(p);
    memset(ret, 0, sizeof *ret);
    if (len < DESC_LEN || len > left)
        return -OF_ERR_BAD_LEN;
    ret->id = p[2];
    ret->config = get_be32(p + 4);
    int err = get_properties(p + DESC_LEN, len - DESC_LEN, ret);
    return err ? -err : (int)len;
}

int of_table_desc_next(const struct of_msg *msg, size_t *ofs, struct of_table_mod *ret)
{
    if (*ofs >= msg->body_len)
        return 0;
    int len = get_desc(msg->body + *ofs, msg->body_len - *ofs, ret);
    if (len < 0)
        return len;
    *ofs += (size_t)len;
    return 1;
}

void of_table_status_encode(const struct of_table_status *ts, uint8_t version, struct of_buf *out)
{
    size_t start = of_begin(out, version, OF_TABLE_STATUS, 0);
    of_buf_put8(out, (uint8_t)ts->reason);
    of_buf_put(out, NULL, STATUS_LEN - 1);
    put_desc(out, &ts->desc);
    of_end(out, start);
}

int of_table_status_decode(const struct of_msg *msg, struct of_table_status *ret)
{
    memset(ret, 0, sizeof *ret);
    if (msg->body_len < STATUS_LEN)
        return OF_ERR_BAD_LEN;
    uint8_t reason = msg->body[0];
    if (reason != OF_TABLE_VACANCY_DOWN && reason != OF_TABLE_VACANCY_UP)
        return OF_ERR_PROP_BAD_VALUE;
    ret->reason = reason;
    int len = get_desc(msg->body + STATUS_LEN, msg->body_len - STATUS_LEN, &ret->desc);
    return len < 0 ? -len : 0;
}
