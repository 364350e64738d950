/* flow_stats.c - flow and aggregate statistics, and replies of several messages. */
#include "openflow/flow_mod.h"

#include "openflow/internal.h"
#include "openflow/oxm.h"

/* ---- Replies ---- */

/* Leaves room for headers, so that no message exceeds 65535 bytes. */
enum { REPLY_MAX = OF_MAX_LEN - 64 };
enum {
    XS_CLASS = 0x8002,
    XS_DURATION = 0,
    XS_IDLE = 1,
    XS_FLOWS = 3,
    XS_PACKETS = 4,
    XS_BYTES = 5
};

/* Flows have two forms in 1.0, the rest one in each version. */
static void begin_message(struct of_reply *r)
{
    bool aggregate = r->type == OF_AGGREGATE_REPLY;
    bool nx = r->nx && (aggregate || r->type == OF_FLOW_STATS_REPLY);
    r->start = of_begin_as(r->out, r->version, r->type, nx, aggregate, r->xid);
}

void of_reply_begin(struct of_reply *r, const struct of_msg *request, struct of_buf *out)
{
    /* In the enum the reply follows its request. */
    *r = (struct of_reply){out, request->version, request->nx, request->xid, request->type + 1, 0};
    begin_message(r);
}

void of_reply_end(struct of_reply *r)
{
    of_end(r->out, r->start);
}

void of_reply_put(struct of_reply *r, const void *bytes, size_t n)
{
    INVARIANT(n <= REPLY_MAX);
    if (r->out->n - r->start + n > REPLY_MAX) {
        put_be16(r->out->data + r->start + 10, OF_MULTIPART_MORE);
        of_end(r->out, r->start);
        begin_message(r);
    }
    of_buf_put(r->out, bytes, n);
}

/* ---- Statistics of 1.5 ---- */

static void put_oxs(struct of_buf *out, unsigned field, uint64_t value, unsigned n)
{
    of_buf_put16(out, XS_CLASS);
    of_buf_put8(out, (uint8_t)(field << 1));
    of_buf_put8(out, (uint8_t)n);
    uint8_t bytes[8];
    put_be_n(bytes, n, value);
    of_buf_put(out, bytes, n);
}

static void end_oxs(struct of_buf *out, size_t start)
{
    put_be16(out->data + start + 2, (uint16_t)(out->n - start));
    of_buf_pad(out, start, 8);
}

void of_stats_put15(struct of_buf *out, const struct of_flow_stats *fs, bool idle)
{
    size_t start = out->n;
    of_buf_put32(out, 0);
    put_oxs(out, XS_DURATION, (uint64_t)fs->duration_sec << 32 | fs->duration_nsec, 8);
    if (idle && fs->idle_age >= 0)
        put_oxs(out, XS_IDLE, (uint64_t)(uint32_t)fs->idle_age << 32, 8);
    put_oxs(out, XS_PACKETS, fs->packets, 8);
    put_oxs(out, XS_BYTES, fs->bytes, 8);
    end_oxs(out, start);
}

int of_stats_get15(const uint8_t *p, size_t n, size_t *used, struct of_flow_stats *fs,
                   uint32_t *flows)
{
    fs->packets = fs->bytes = UINT64_MAX;
    fs->idle_age = fs->hard_age = -1;
    fs->duration_sec = fs->duration_nsec = 0;
    if (n < 4)
        return OF_ERR_BAD_LEN;
    size_t len = get_be16(p + 2), padded = ROUND_UP(len, 8);
    if (len < 4 || padded > n)
        return OF_ERR_BAD_LEN;
    *used = padded;
    for (const uint8_t *x = p + 4, *end = p + len; x < end; x += 4 + x[3]) {
        if (end - x < 4 || end - x < 4 + x[3])
            return OF_ERR_BAD_LEN;
        unsigned field = x[2] >> 1;
        if (get_be16(x) != XS_CLASS)
            continue;
        if (x[3] != (field == XS_FLOWS ? 4 : 8)) {
            if (field <= XS_BYTES)
                return OF_ERR_BAD_LEN;
            continue;
        }
        if (field == XS_DURATION) {
            fs->duration_sec = get_be32(x + 4);
            fs->duration_nsec = get_be32(x + 8);
        } else if (field == XS_IDLE) {
            fs->idle_age = (int32_t)MIN(get_be32(x + 4), INT32_MAX);
        } else if (field == XS_FLOWS && flows) {
            *flows = get_be32(x + 4);
        } else if (field == XS_PACKETS) {
            fs->packets = get_be64(x + 4);
        } else if (field == XS_BYTES) {
            fs->bytes = get_be64(x + 4);
        }
    }
    return 0;
}

/* ---- Requests ---- */

void of_flow_stats_request_init(struct of_flow_stats_request *req)
{
    memset(req, 0, sizeof *req);
    req->table_id = OF_TABLE_ALL;
    req->out_port = PORT_ANY;
    req->out_group = OF_GROUP_ANY;
}

void of_flow_stats_request_encode(const struct of_flow_stats_request *req, uint8_t version, bool nx,
                                  uint32_t xid, struct of_buf *out)
{
    enum of_type type = req->aggregate ? OF_AGGREGATE_REQUEST : OF_FLOW_STATS_REQUEST;
    size_t start = of_begin_as(out, version, type, nx, req->aggregate ? 1 : 0, xid);
    if (nx) {
        of_buf_put16(out, port_to_16(req->out_port));
        size_t len_at = out->n;
        of_buf_put16(out, 0);
        of_buf_put8(out, req->table_id);
        of_buf_put(out, NULL, 3);
        size_t at = out->n;
        of_oxm_encode(&req->match, version, req->cookie, req->cookie_mask, out);
        put_be16(out->data + len_at, (uint16_t)(out->n - at));
        of_buf_pad(out, at, 8);
    } else if (version == OF10_VERSION) {
        of_match10_encode(&req->match, out);
        of_buf_put8(out, req->table_id);
        of_buf_put8(out, 0);
        of_buf_put16(out, port_to_16(req->out_port));
    } else {
        of_buf_put8(out, req->table_id);
        of_buf_put(out, NULL, 3);
        of_buf_put32(out, req->out_port);
        of_buf_put32(out, req->out_group);
        of_buf_put32(out, 0);
        of_buf_put64(out, req->cookie);
        of_buf_put64(out, req->cookie_mask);
        of_match_encode(&req->match, version, out);
    }
    of_end(out, start);
}

static int request_decode_nx(const struct of_msg *msg, struct of_flow_stats_request *ret)
{
    const uint8_t *p = msg->body;
    if (msg->body_len < 8)
        return OF_ERR_BAD_LEN;
    ret->out_port = port_from_16(get_be16(p));
    size_t len = get_be16(p + 2);
    ret->table_id = p[4];
    if (len > msg->body_len - 8)
        return OF_ERR_BAD_LEN;
    return of_oxm_decode(p + 8, len, false, &ret->match, &ret->cookie, &ret->cookie_mask);
}

int of_flow_stats_request_decode(const struct of_msg *msg, struct of_flow_stats_request *ret)
{
    const uint8_t *p = msg->body;
    size_t n = msg->body_len, used;
    of_flow_stats_request_init(ret);
    ret->aggregate = msg->type == OF_AGGREGATE_REQUEST;
    if (msg->nx)
        return request_decode_nx(msg, ret);
    if (msg->version == OF10_VERSION) {
        if (n < OF10_MATCH_LEN + 4)
            return OF_ERR_BAD_LEN;
        ret->table_id = p[OF10_MATCH_LEN];
        ret->out_port = port_from_16(get_be16(p + OF10_MATCH_LEN + 2));
        return of_match10_decode(p, n, &ret->match);
    }
    if (n < 32)
        return OF_ERR_BAD_LEN;
    ret->table_id = p[0];
    ret->out_port = get_be32(p + 4);
    ret->out_group = get_be32(p + 8);
    ret->cookie_mask = get_be64(p + 24);
    ret->cookie = get_be64(p + 16) & ret->cookie_mask;
    return of_match_decode(p + 32, n - 32, &ret->match, &used);
}

/* ---- Entries ---- */

static void entry_13(const struct of_flow_stats *fs, uint8_t version, struct of_buf *b)
{
    of_buf_put8(b, fs->table_id);
    of_buf_put8(b, 0);
    of_buf_put32(b, fs->duration_sec);
    of_buf_put32(b, fs->duration_nsec);
    of_buf_put16(b, fs->priority);
    of_buf_put16(b, fs->idle_timeout);
    of_buf_put16(b, fs->hard_timeout);
    of_buf_put16(b, fs->flags);
    of_buf_put16(b, version >= OF14_VERSION ? fs->importance : 0);
    of_buf_put16(b, 0);
    of_buf_put64(b, fs->cookie);
    of_buf_put64(b, fs->packets);
    of_buf_put64(b, fs->bytes);
    of_match_encode(&fs->match, version, b);
    of_instructions_encode(fs->actions.data, fs->actions.n, version, b);
}

static void entry_15(const struct of_flow_stats *fs, uint8_t version, struct of_buf *b)
{
    of_buf_put16(b, 0);
    of_buf_put8(b, fs->table_id);
    of_buf_put8(b, 0);
    of_buf_put16(b, fs->priority);
    of_buf_put16(b, fs->idle_timeout);
    of_buf_put16(b, fs->hard_timeout);
    of_buf_put16(b, fs->flags);
    of_buf_put16(b, fs->importance);
    of_buf_put64(b, fs->cookie);
    of_match_encode(&fs->match, version, b);
    of_stats_put15(b, fs, true);
    of_instructions_encode(fs->actions.data, fs->actions.n, version, b);
}

static uint16_t age_to_wire(int32_t age)
{
    return age < 0 ? 0 : (uint16_t)MIN(age + 1, UINT16_MAX);
}

static void entry_nx(const struct of_flow_stats *fs, struct of_buf *b)
{
    of_buf_put8(b, fs->table_id);
    of_buf_put8(b, 0);
    of_buf_put32(b, fs->duration_sec);
    of_buf_put32(b, fs->duration_nsec);
    of_buf_put16(b, fs->priority);
    of_buf_put16(b, fs->idle_timeout);
    of_buf_put16(b, fs->hard_timeout);
    size_t len_at = b->n;
    of_buf_put16(b, 0);
    of_buf_put16(b, age_to_wire(fs->idle_age));
    of_buf_put16(b, age_to_wire(fs->hard_age));
    of_buf_put64(b, fs->cookie);
    of_buf_put64(b, fs->packets);
    of_buf_put64(b, fs->bytes);
    size_t at = b->n;
    of_oxm_encode(&fs->match, OF10_VERSION, 0, 0, b);
    put_be16(b->data + len_at, (uint16_t)(b->n - at));
    of_buf_pad(b, at, 8);
    of_actions_encode(fs->actions.data, fs->actions.n, OF10_VERSION, b);
}

static void entry_10(const struct of_flow_stats *fs, struct of_buf *b)
{
    of_buf_put8(b, fs->table_id);
    of_buf_put8(b, 0);
    of_match10_encode(&fs->match, b);
    of_buf_put32(b, fs->duration_sec);
    of_buf_put32(b, fs->duration_nsec);
    of_buf_put16(b, fs->priority);
    of_buf_put16(b, fs->idle_timeout);
    of_buf_put16(b, fs->hard_timeout);
    of_buf_put(b, NULL, 6);
    of_buf_put64(b, fs->cookie);
    of_buf_put64(b, fs->packets);
    of_buf_put64(b, fs->bytes);
    of_actions_encode(fs->actions.data, fs->actions.n, OF10_VERSION, b);
}

void of_flow_stats_put(struct of_reply *reply, const struct of_flow_stats *fs)
{
    struct of_buf b = OF_BUF_INIT;
    of_buf_put16(&b, 0);
    if (reply->nx)
        entry_nx(fs, &b);
    else if (reply->version == OF10_VERSION)
        entry_10(fs, &b);
    else if (reply->version >= OF15_VERSION)
        entry_15(fs, reply->version, &b);
    else
        entry_13(fs, reply->version, &b);
    if (b.n <= REPLY_MAX) { /* a flow that no message can hold is not told */
        put_be16(b.data, (uint16_t)b.n);
        of_reply_put(reply, b.data, b.n);
    }
    of_buf_fini(&b);
}

static int next_13(const uint8_t *p, size_t n, uint8_t version, struct of_flow_stats *fs)
{
    size_t used;
    if (n < 48)
        return OF_ERR_BAD_LEN;
    fs->table_id = p[2];
    fs->duration_sec = get_be32(p + 4);
    fs->duration_nsec = get_be32(p + 8);
    fs->priority = get_be16(p + 12);
    fs->idle_timeout = get_be16(p + 14);
    fs->hard_timeout = get_be16(p + 16);
    fs->flags = get_be16(p + 18);
    fs->importance = get_be16(p + 20);
    fs->cookie = get_be64(p + 24);
    fs->packets = get_be64(p + 32);
    fs->bytes = get_be64(p + 40);
    int err = of_match_decode(p + 48, n - 48, &fs->match, &used);
    return err ? err : of_instructions_decode(p + 48 + used, n - 48 - used, version, &fs->actions);
}

static int next_15(const uint8_t *p, size_t n, uint8_t version, struct of_flow_stats *fs)
{
    size_t used, stats;
    if (n < 24)
        return OF_ERR_BAD_LEN;
    fs->table_id = p[4];
    fs->priority = get_be16(p + 6);
    fs->idle_timeout = get_be16(p + 8);
    fs->hard_timeout = get_be16(p + 10);
    fs->flags = get_be16(p + 12);
    fs->importance = get_be16(p + 14);
    fs->cookie = get_be64(p + 16);
    int err = of_match_decode(p + 24, n - 24, &fs->match, &used);
    if (!err)
        err = of_stats_get15(p + 24 + used, n - 24 - used, &stats, fs, NULL);
    if (err)
        return err;
    used += 24 + stats;
    return of_instructions_decode(p + used, n - used, version, &fs->actions);
}

static int next_nx(const uint8_t *p, size_t n, struct of_flow_stats *fs)
{
    if (n < 48)
        return OF_ERR_BAD_LEN;
    fs->table_id = p[2];
    fs->duration_sec = get_be32(p + 4);
    fs->duration_nsec = get_be32(p + 8);
    fs->priority = get_be16(p + 12);
    fs->idle_timeout = get_be16(p + 14);
    fs->hard_timeout = get_be16(p + 16);
    size_t len = get_be16(p + 18), padded = ROUND_UP(len, 8);
    fs->idle_age = get_be16(p + 20) - 1;
    fs->hard_age = get_be16(p + 22) - 1;
    fs->cookie = get_be64(p + 24);
    fs->packets = get_be64(p + 32);
    fs->bytes = get_be64(p + 40);
    if (padded > n - 48)
        return OF_ERR_BAD_LEN;
    int err = of_oxm_decode(p + 48, len, false, &fs->match, NULL, NULL);
    return err ? err
               : of_actions_decode(p + 48 + padded, n - 48 - padded, OF10_VERSION, &fs->actions);
}

static int next_10(const uint8_t *p, size_t n, struct of_flow_stats *fs)
{
    if (n < 88)
        return OF_ERR_BAD_LEN;
    fs->table_id = p[2];
    fs->duration_sec = get_be32(p + 44);
    fs->duration_nsec = get_be32(p + 48);
    fs->priority = get_be16(p + 52);
    fs->idle_timeout = get_be16(p + 54);
    fs->hard_timeout = get_be16(p + 56);
    fs->cookie = get_be64(p + 64);
    fs->packets = get_be64(p + 72);
    fs->bytes = get_be64(p + 80);
    int err = of_match10_decode(p + 4, OF10_MATCH_LEN, &fs->match);
    return err ? err : of_actions_decode(p + 88, n - 88, OF10_VERSION, &fs->actions);
}

int of_flow_stats_next(const struct of_msg *msg, size_t *ofs, struct of_flow_stats *ret)
{
    memset(ret, 0, sizeof *ret);
    ret->idle_age = ret->hard_age = -1;
    if (*ofs >= msg->body_len)
        return 0;
    const uint8_t *p = msg->body + *ofs;
    size_t left = msg->body_len - *ofs;
    if (left < 2)
        return -OF_ERR_BAD_LEN;
    size_t len = get_be16(p);
    if (len < 8 || len > left)
        return -OF_ERR_BAD_LEN;
    *ofs += len;
    int err = msg->nx                        ? next_nx(p, len, ret)
              : msg->version == OF10_VERSION ? next_10(p, len, ret)
              : msg->version >= OF15_VERSION ? next_15(p, len, msg->version, ret)
                                             : next_13(p, len, msg->version, ret);
    if (err) {
        of_flow_stats_fini(ret);
        return -err;
    }
    return 1;
}

void of_flow_stats_fini(struct of_flow_stats *fs)
{
    of_actions_fini(&fs->actions);
}

/* ---- Aggregates ---- */

void of_aggregate_put(struct of_reply *reply, const struct of_aggregate *agg)
{
    struct of_buf b = OF_BUF_INIT;
    if (reply->version >= OF15_VERSION) {
        of_buf_put32(&b, 0);
        put_oxs(&b, XS_PACKETS, agg->packets, 8);
        put_oxs(&b, XS_BYTES, agg->bytes, 8);
        put_oxs(&b, XS_FLOWS, agg->flows, 4);
        end_oxs(&b, 0);
    } else {
        of_buf_put64(&b, agg->packets);
        of_buf_put64(&b, agg->bytes);
        of_buf_put32(&b, agg->flows);
        of_buf_put32(&b, 0);
    }
    of_reply_put(reply, b.data, b.n);
    of_buf_fini(&b);
}

int of_aggregate_decode(const struct of_msg *msg, struct of_aggregate *ret)
{
    memset(ret, 0, sizeof *ret);
    if (msg->version >= OF15_VERSION) {
        struct of_flow_stats fs;
        size_t used;
        int err = of_stats_get15(msg->body, msg->body_len, &used, &fs, &ret->flows);
        ret->packets = fs.packets;
        ret->bytes = fs.bytes;
        return err;
    }
    if (msg->body_len < 24)
        return OF_ERR_BAD_LEN;
    ret->packets = get_be64(msg->body);
    ret->bytes = get_be64(msg->body + 8);
    ret->flows = get_be32(msg->body + 16);
    return 0;
}
