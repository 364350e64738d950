/* group.c - groups on the wire. Their text is in group_text.c. */
#include "openflow/group.h"

#include <stdlib.h>

#include "openflow/oxm.h"
#include "openflow/packet_io.h"

enum { PROP_WEIGHT = 0, PROP_WATCH_PORT = 1, PROP_WATCH_GROUP = 2, PROP_EXPERIMENTER = 0xffff };
enum { METHOD_EXP_TYPE = 1, METHOD_LEN = 16, BUCKETS_MAX = 4096 };

void of_group_init(struct of_group *g)
{
    memset(g, 0, sizeof *g);
}

void of_group_fini(struct of_group *g)
{
    for (size_t i = 0; i < g->n_buckets; i++)
        of_actions_fini(&g->buckets[i].actions);
    free(g->buckets);
    g->buckets = NULL;
    g->n_buckets = 0;
}

struct of_bucket *of_group_add_bucket(struct of_group *g)
{
    /* Capacity is the next power of two of the count. */
    size_t n = g->n_buckets;
    if (!(n & (n - 1)))
        g->buckets = xrealloc(g->buckets, (n ? 2 * n : 1) * sizeof *g->buckets);
    struct of_bucket *b = &g->buckets[n];
    memset(b, 0, sizeof *b);
    b->id = n ? g->buckets[n - 1].id + 1 : 0;
    b->watch_port = PORT_ANY;
    b->watch_group = OF_GROUP_ANY;
    g->n_buckets++;
    return b;
}

void of_group_copy(struct of_group *dst, const struct of_group *src)
{
    *dst = *src;
    dst->buckets = NULL;
    dst->n_buckets = 0;
    for (size_t i = 0; i < src->n_buckets; i++) {
        struct of_bucket *b = of_group_add_bucket(dst);
        *b = src->buckets[i];
        b->actions = (struct of_actions)OF_ACTIONS_INIT;
        of_actions_copy(&b->actions, &src->buckets[i].actions);
    }
}

bool of_group_equal(const struct of_group *a, const struct of_group *b)
{
    if (a->id != b->id || a->type != b->type || strcmp(a->method, b->method) ||
        a->method_param != b->method_param || memcmp(&a->fields, &b->fields, sizeof a->fields) ||
        a->n_buckets != b->n_buckets)
        return false;
    for (size_t i = 0; i < a->n_buckets; i++) {
        const struct of_bucket *x = &a->buckets[i], *y = &b->buckets[i];
        if (x->id != y->id || x->weight != y->weight || x->watch_port != y->watch_port ||
            x->watch_group != y->watch_group || !of_actions_equal(&x->actions, &y->actions))
            return false;
    }
    return true;
}

void of_group_mod_init(struct of_group_mod *gm, enum of_group_command command, uint32_t group_id)
{
    memset(gm, 0, sizeof *gm);
    gm->command = command;
    gm->command_bucket_id = OF_BUCKET_ALL;
    of_group_init(&gm->group);
    gm->group.id = group_id;
}

void of_group_mod_fini(struct of_group_mod *gm)
{
    of_group_fini(&gm->group);
}

/* Buckets have numbers and properties since 1.5, and in Nicira's messages for 1.0. */
static bool is_new_form(uint8_t version)
{
    return version >= OF15_VERSION || version == OF10_VERSION;
}

/* ---- Sending ---- */

static void put_bucket_13(const struct of_bucket *b, uint8_t version, struct of_buf *out)
{
    size_t start = out->n;
    of_buf_put16(out, 0);
    of_buf_put16(out, b->weight);
    of_buf_put32(out, b->watch_port);
    of_buf_put32(out, b->watch_group);
    of_buf_put32(out, 0);
    of_actions_encode(b->actions.data, b->actions.n, version, out);
    put_be16(out->data + start, (uint16_t)(out->n - start));
}

static void put_bucket_15(const struct of_group *g, const struct of_bucket *b, uint8_t version,
                          struct of_buf *out)
{
    size_t start = out->n;
    uint8_t v[4] = {0, 0, 0, 0};
    of_buf_put32(out, 0);
    of_buf_put32(out, b->id);
    of_actions_encode(b->actions.data, b->actions.n, version, out);
    put_be16(out->data + start + 2, (uint16_t)(out->n - start - 8));
    if (b->weight || g->type == OF_GROUP_TYPE_SELECT) {
        put_be16(v, b->weight);
        of_prop_put(out, PROP_WEIGHT, v, 4);
    }
    if (b->watch_port != PORT_ANY) {
        put_be32(v, b->watch_port);
        of_prop_put(out, PROP_WATCH_PORT, v, 4);
    }
    if (b->watch_group != OF_GROUP_ANY) {
        put_be32(v, b->watch_group);
        of_prop_put(out, PROP_WATCH_GROUP, v, 4);
    }
    put_be16(out->data + start, (uint16_t)(out->n - start));
}

static void put_method(const struct of_group *g, uint8_t version, struct of_buf *out)
{
    if (!g->method[0])
        return;
    size_t start = of_prop_begin(out, PROP_EXPERIMENTER);
    of_buf_put32(out, OF_VENDOR_NETRONOME);
    of_buf_put32(out, METHOD_EXP_TYPE);
    of_buf_put32(out, 0);
    of_buf_put(out, g->method, METHOD_LEN);
    of_buf_put64(out, g->method_param);
    /* Fields are said as OXMs whose values are the masks. */
    for (size_t i = 0; i < sizeof g->field_order && g->field_order[i]; i++) {
        const struct field *f = field_get(g->field_order[i]);
        of_oxm_put_field(out, f->id, mask_get(&g->fields, f->id), u128_ones(f->n_bits), version);
    }
    of_prop_end(out, start);
}

/* Buckets and properties behind LEN_AT, where 1.5 counts the buckets' bytes. */
static void put_buckets(const struct of_group *g, uint8_t version, size_t len_at,
                        struct of_buf *out)
{
    size_t start = out->n;
    for (size_t i = 0; i < g->n_buckets; i++) {
        if (is_new_form(version))
            put_bucket_15(g, &g->buckets[i], version, out);
        else
            put_bucket_13(&g->buckets[i], version, out);
    }
    if (is_new_form(version)) {
        put_be16(out->data + len_at, (uint16_t)(out->n - start));
        put_method(g, version, out);
    }
}

void of_group_mod_encode(const struct of_group_mod *gm, uint8_t version, uint32_t xid,
                         struct of_buf *out)
{
    size_t start = of_begin(out, version, OF_GROUP_MOD, xid);
    of_buf_put16(out, (uint16_t)gm->command);
    of_buf_put8(out, (uint8_t)gm->group.type);
    of_buf_put8(out, 0);
    of_buf_put32(out, gm->group.id);
    size_t len_at = out->n;
    if (is_new_form(version)) {
        of_buf_put32(out, 0);
        of_buf_put32(out, gm->command_bucket_id);
    }
    put_buckets(&gm->group, version, len_at, out);
    of_end(out, start);
}

void of_group_desc_put(struct of_reply *reply, const struct of_group *g)
{
    struct of_buf b = OF_BUF_INIT;
    of_buf_put16(&b, 0);
    of_buf_put8(&b, (uint8_t)g->type);
    of_buf_put8(&b, 0);
    of_buf_put32(&b, g->id);
    size_t len_at = b.n;
    if (is_new_form(reply->version))
        of_buf_put(&b, NULL, 8);
    put_buckets(g, reply->version, len_at, &b);
    if (b.n < OF_MAX_LEN - 64) {
        put_be16(b.data, (uint16_t)b.n);
        of_reply_put(reply, b.data, b.n);
    }
    of_buf_fini(&b);
}

/* ---- Receiving ---- */

static int get_bucket_props(const uint8_t *p, size_t n, struct of_bucket *b)
{
    struct of_prop prop;
    size_t ofs = 0;
    int more;
    while ((more = of_prop_next(p, n, &ofs, &prop)) > 0) {
        if (prop.type <= PROP_WATCH_GROUP && prop.len != 4)
            return OF_ERR_PROP_BAD_LEN;
        if (prop.type == PROP_WEIGHT) {
            b->weight = get_be16(prop.value);
            b->has_weight = true;
        } else if (prop.type == PROP_WATCH_PORT) {
            b->watch_port = get_be32(prop.value);
        } else if (prop.type == PROP_WATCH_GROUP) {
            b->watch_group = get_be32(prop.value);
        }
    }
    return more < 0 ? -more : 0;
}

static int get_bucket(const uint8_t *p, size_t len, uint8_t version, struct of_bucket *b)
{
    if (!is_new_form(version)) {
        if (len < 16)
            return OF_ERR_GROUP_MOD_BAD_BUCKET;
        b->weight = get_be16(p + 2);
        b->has_weight = b->weight != 0;
        b->watch_port = get_be32(p + 4);
        b->watch_group = get_be32(p + 8);
        return of_actions_decode(p + 16, len - 16, version, &b->actions);
    }
    size_t actions = get_be16(p + 2);
    b->id = get_be32(p + 4);
    if (b->id >= OF_BUCKET_MAX)
        return OF_ERR_GROUP_MOD_BAD_BUCKET;
    if (actions > len - 8)
        return OF_ERR_GROUP_MOD_BAD_BUCKET;
    int err = of_actions_decode(p + 8, actions, version, &b->actions);
    return err ? err : get_bucket_props(p + 8 + actions, len - 8 - actions, b);
}

static int get_buckets(const uint8_t *p, size_t n, uint8_t version, struct of_group *g)
{
    while (n) {
        size_t len = n < 8 ? 0 : get_be16(p);
        if (len < 8 || len % 8 || len > n || g->n_buckets >= BUCKETS_MAX)
            return OF_ERR_GROUP_MOD_BAD_BUCKET;
        struct of_bucket *b = of_group_add_bucket(g);
        int err = get_bucket(p, len, version, b);
        if (err)
            return err;
        p += len;
        n -= len;
    }
    return 0;
}

static int get_method(const struct of_prop *prop, struct of_group *g)
{
    const uint8_t *p = prop->value;
    if (prop->len < 12 || get_be32(p) != OF_VENDOR_NETRONOME)
        return OF_ERR_PROP_BAD_EXPERIMENTER;
    if (get_be32(p + 4) != METHOD_EXP_TYPE)
        return OF_ERR_PROP_BAD_EXP_TYPE;
    if (prop->len < 12 + METHOD_LEN + 8)
        return OF_ERR_PROP_BAD_LEN;
    memcpy(g->method, p + 12, METHOD_LEN);
    g->method[METHOD_LEN] = '\0';
    if (g->type != OF_GROUP_TYPE_SELECT ||
        (g->method[0] && strcmp(g->method, "hash") != 0 && strcmp(g->method, "dp_hash") != 0))
        return OF_ERR_PROP_BAD_VALUE;
    g->method_param = get_be64(p + 12 + METHOD_LEN);
    p += 12 + METHOD_LEN + 8;
    size_t left = prop->len - (12 + METHOD_LEN + 8), used;
    for (size_t i = 0; left; i++, p += used, left -= used) {
        enum field_id id;
        u128 value, mask;
        if (i >= sizeof g->field_order || of_oxm_get_field(p, left, &id, &value, &mask, &used))
            return OF_ERR_PROP_BAD_VALUE;
        g->field_order[i] = (uint8_t)id;
        mask_set_masked(&g->fields, id, value);
    }
    return 0;
}

static int get_group_props(const uint8_t *p, size_t n, struct of_group *g)
{
    struct of_prop prop;
    size_t ofs = 0;
    int more;
    while ((more = of_prop_next(p, n, &ofs, &prop)) > 0) {
        int err = prop.type == PROP_EXPERIMENTER ? get_method(&prop, g) : OF_ERR_PROP_BAD_TYPE;
        if (err)
            return err;
    }
    return more < 0 ? -more : 0;
}

/* What stands behind the header: in 1.5 BUCKETS bytes and properties, else buckets alone. */
static int get_rest(const uint8_t *p, size_t n, size_t buckets, uint8_t version, struct of_group *g)
{
    if (!is_new_form(version))
        return get_buckets(p, n, version, g);
    if (buckets > n)
        return OF_ERR_BAD_LEN;
    int err = get_buckets(p, buckets, version, g);
    return err ? err : get_group_props(p + buckets, n - buckets, g);
}

static bool known_command(uint16_t command, uint8_t version)
{
    return command <= OF_GROUP_DELETE || command == OF_GROUP_ADD_OR_MODIFY ||
           (is_new_form(version) &&
            (command == OF_GROUP_INSERT_BUCKET || command == OF_GROUP_REMOVE_BUCKET));
}

static bool has_twins(const struct of_group *g)
{
    for (size_t i = 0; i < g->n_buckets; i++)
        for (size_t j = 0; j < i; j++)
            if (g->buckets[j].id == g->buckets[i].id)
                return true;
    return false;
}

int of_group_mod_decode(const struct of_msg *msg, struct of_group_mod *ret)
{
    const uint8_t *p = msg->body;
    size_t head = is_new_form(msg->version) ? 16 : 8;
    of_group_mod_init(ret, OF_GROUP_ADD, 0);
    if (msg->body_len < head)
        return OF_ERR_BAD_LEN;
    uint16_t command = get_be16(p);
    if (!known_command(command, msg->version))
        return OF_ERR_GROUP_MOD_BAD_COMMAND;
    if (p[2] > OF_GROUP_TYPE_FF)
        return OF_ERR_GROUP_MOD_BAD_TYPE;
    ret->command = command;
    ret->group.type = p[2];
    ret->group.id = get_be32(p + 4);
    if (head == 16)
        ret->command_bucket_id = get_be32(p + 12);
    int err = get_rest(p + head, msg->body_len - head, head == 16 ? get_be16(p + 8) : 0,
                       msg->version, &ret->group);
    return !err && has_twins(&ret->group) ? OF_ERR_GROUP_MOD_BAD_BUCKET : err;
}

int of_group_desc_next(const struct of_msg *msg, size_t *ofs, struct of_group *ret)
{
    of_group_init(ret);
    if (*ofs >= msg->body_len)
        return 0;
    const uint8_t *p = msg->body + *ofs;
    size_t left = msg->body_len - *ofs, head = is_new_form(msg->version) ? 16 : 8;
    size_t len = left < head ? 0 : get_be16(p);
    if (len < head || len > left)
        return -OF_ERR_BAD_LEN;
    ret->type = p[2] & 3;
    ret->id = get_be32(p + 4);
    int err = get_rest(p + head, len - head, head == 16 ? get_be16(p + 8) : 0, msg->version, ret);
    if (err) {
        of_group_fini(ret);
        return -err;
    }
    *ofs += len;
    return 1;
}

/* ---- Requests, statistics, features ---- */

void of_group_request_encode(enum of_type type, uint32_t group, uint8_t version, uint32_t xid,
                             struct of_buf *out)
{
    size_t start = of_begin(out, version, type, xid);
    if (type == OF_GROUP_STATS_REQUEST || is_new_form(version)) {
        of_buf_put32(out, group);
        of_buf_put32(out, 0);
    }
    of_end(out, start);
}

int of_group_request_decode(const struct of_msg *msg, uint32_t *group)
{
    *group = OF_GROUP_ALL;
    if (msg->type == OF_GROUP_STATS_REQUEST || is_new_form(msg->version)) {
        if (msg->body_len < 8)
            return OF_ERR_BAD_LEN;
        *group = get_be32(msg->body);
    }
    return 0;
}

enum { STATS_LEN = 40 };

void of_group_stats_put(struct of_reply *reply, const struct of_group_stats *gs)
{
    struct of_buf b = OF_BUF_INIT;
    size_t n = MIN(gs->n_buckets, (size_t)4000);
    of_buf_put16(&b, (uint16_t)(STATS_LEN + 16 * n));
    of_buf_put16(&b, 0);
    of_buf_put32(&b, gs->id);
    of_buf_put32(&b, gs->ref_count);
    of_buf_put32(&b, 0);
    of_buf_put64(&b, gs->packets);
    of_buf_put64(&b, gs->bytes);
    of_buf_put32(&b, gs->duration_sec);
    of_buf_put32(&b, gs->duration_nsec);
    for (size_t i = 0; i < n; i++) {
        of_buf_put64(&b, gs->buckets[i].packets);
        of_buf_put64(&b, gs->buckets[i].bytes);
    }
    of_reply_put(reply, b.data, b.n);
    of_buf_fini(&b);
}

int of_group_stats_next(const struct of_msg *msg, size_t *ofs, struct of_group_stats *ret)
{
    memset(ret, 0, sizeof *ret);
    if (*ofs >= msg->body_len)
        return 0;
    const uint8_t *p = msg->body + *ofs;
    size_t left = msg->body_len - *ofs, len = left < STATS_LEN ? 0 : get_be16(p);
    if (len < STATS_LEN || len > left)
        return -OF_ERR_BAD_LEN;
    ret->id = get_be32(p + 4);
    ret->ref_count = get_be32(p + 8);
    ret->packets = get_be64(p + 16);
    ret->bytes = get_be64(p + 24);
    ret->duration_sec = get_be32(p + 32);
    ret->duration_nsec = get_be32(p + 36);
    ret->n_buckets = (len - STATS_LEN) / 16;
    ret->buckets = xcalloc(ret->n_buckets + 1, sizeof *ret->buckets);
    for (size_t i = 0; i < ret->n_buckets; i++) {
        ret->buckets[i].packets = get_be64(p + STATS_LEN + 16 * i);
        ret->buckets[i].bytes = get_be64(p + STATS_LEN + 16 * i + 8);
    }
    *ofs += len;
    return 1;
}

void of_group_stats_fini(struct of_group_stats *gs)
{
    free(gs->buckets);
    gs->buckets = NULL;
}

void of_group_features_put(struct of_reply *reply, const struct of_group_features *gf)
{
    struct of_buf b = OF_BUF_INIT;
    of_buf_put32(&b, gf->types);
    of_buf_put32(&b, gf->capabilities);
    for (unsigned i = 0; i < 4; i++)
        of_buf_put32(&b, gf->max_groups[i]);
    for (unsigned i = 0; i < 4; i++)
        of_buf_put32(&b, gf->actions[i]);
    of_reply_put(reply, b.data, b.n);
    of_buf_fini(&b);
}

int of_group_features_decode(const struct of_msg *msg, struct of_group_features *ret)
{
    if (msg->body_len < 40)
        return OF_ERR_BAD_LEN;
    ret->types = get_be32(msg->body);
    ret->capabilities = get_be32(msg->body + 4);
    for (unsigned i = 0; i < 4; i++) {
        ret->max_groups[i] = get_be32(msg->body + 8 + 4 * i);
        ret->actions[i] = get_be32(msg->body + 24 + 4 * i);
    }
    return 0;
}
