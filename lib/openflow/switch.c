/* switch.c - features, configuration, description, roles, asynchronous messages, Nicira's one-number messages. */
#include "openflow/switch.h"

#include "openflow/internal.h"

void of_features_encode(const struct of_features *f, uint8_t version, uint32_t xid,
                        struct of_buf *out)
{
    size_t start = of_begin(out, version, OF_FEATURES_REPLY, xid);
    of_buf_put64(out, f->datapath_id);
    of_buf_put32(out, f->n_buffers);
    of_buf_put8(out, f->n_tables);
    of_buf_put8(out, f->auxiliary_id);
    of_buf_put16(out, 0);
    of_buf_put32(out, f->capabilities);
    of_buf_put32(out, version == OF10_VERSION ? f->actions : 0);
    if (version == OF10_VERSION && f->ports_len)
        of_buf_put(out, f->ports, f->ports_len);
    of_end(out, start);
}

int of_features_decode(const struct of_msg *msg, struct of_features *ret)
{
    const uint8_t *p = msg->body;
    if (msg->body_len < 24)
        return OF_ERR_BAD_LEN;
    ret->datapath_id = get_be64(p);
    ret->n_buffers = get_be32(p + 8);
    ret->n_tables = p[12];
    ret->auxiliary_id = p[13];
    ret->capabilities = get_be32(p + 16);
    ret->actions = get_be32(p + 20);
    ret->ports = p + 24;
    ret->ports_len = msg->body_len - 24;
    return 0;
}

void of_config_encode(enum of_type type, const struct of_config *c, uint8_t version, uint32_t xid,
                      struct of_buf *out)
{
    size_t start = of_begin(out, version, type, xid);
    of_buf_put16(out, c->flags);
    of_buf_put16(out, c->miss_send_len);
    of_end(out, start);
}

int of_config_decode(const struct of_msg *msg, struct of_config *ret)
{
    if (msg->body_len < 4)
        return OF_ERR_BAD_LEN;
    ret->flags = get_be16(msg->body);
    ret->miss_send_len = get_be16(msg->body + 2);
    return 0;
}

/* ---- DESC ---- */

enum { DESC_LEN = 256, SERIAL_LEN = 32 };

static void put_text(struct of_buf *b, const char *text, size_t n)
{
    uint8_t *at = of_buf_put(b, NULL, n);
    memcpy(at, text, strnlen(text, n - 1));
}

void of_desc_put(struct of_reply *reply, const struct of_desc *desc)
{
    struct of_buf b = OF_BUF_INIT;
    put_text(&b, desc->mfr, DESC_LEN);
    put_text(&b, desc->hw, DESC_LEN);
    put_text(&b, desc->sw, DESC_LEN);
    put_text(&b, desc->serial, SERIAL_LEN);
    put_text(&b, desc->dp, DESC_LEN);
    of_reply_put(reply, b.data, b.n);
    of_buf_fini(&b);
}

static const uint8_t *get_text(char *text, const uint8_t *p, size_t n)
{
    memcpy(text, p, n);
    text[n] = '\0';
    return p + n;
}

int of_desc_decode(const struct of_msg *msg, struct of_desc *ret)
{
    if (msg->body_len < 4 * DESC_LEN + SERIAL_LEN)
        return OF_ERR_BAD_LEN;
    const uint8_t *p = get_text(ret->mfr, msg->body, DESC_LEN);
    p = get_text(ret->hw, p, DESC_LEN);
    p = get_text(ret->sw, p, DESC_LEN);
    p = get_text(ret->serial, p, SERIAL_LEN);
    get_text(ret->dp, p, DESC_LEN);
    return 0;
}

void of_multipart_request_encode(enum of_type type, uint8_t version, uint32_t xid,
                                 struct of_buf *out)
{
    of_end(out, of_begin(out, version, type, xid));
}

/* ---- Roles ---- */

enum { NXT_ROLE_REQUEST = 10, NXT_ROLE_REPLY = 11 };

void of_role_encode(enum of_type type, const struct of_role_msg *r, uint8_t version, uint32_t xid,
                    struct of_buf *out)
{
    if (version == OF10_VERSION) {
        size_t start =
            of_begin_as(out, version, type, true,
                        type == OF_ROLE_REQUEST ? NXT_ROLE_REQUEST : NXT_ROLE_REPLY, xid);
        of_buf_put32(
            out, r->role == OF_ROLE_NOCHANGE ? 0 : r->role - 1u); /* other, primary, secondary */
        of_end(out, start);
        return;
    }
    size_t start = of_begin(out, version, type, xid);
    of_buf_put32(out, r->role);
    of_buf_put32(out, 0);
    of_buf_put64(out, r->have_generation ? r->generation_id : UINT64_MAX);
    of_end(out, start);
}

int of_role_decode(const struct of_msg *msg, struct of_role_msg *ret)
{
    memset(ret, 0, sizeof *ret);
    if (msg->body_len < (msg->nx ? 4u : 16u))
        return OF_ERR_BAD_LEN;
    uint32_t role = get_be32(msg->body);
    if (role > (msg->nx ? 2u : 3u))
        return OF_ERR_ROLE_BAD_ROLE;
    if (msg->nx) {
        ret->role = role + 1;
        return 0;
    }
    ret->role = role;
    ret->generation_id = get_be64(msg->body + 8);
    ret->have_generation = role >= OF_ROLE_PRIMARY;
    return 0;
}

enum { ROLE_STATUS_LEN = 16 };

void of_role_status_encode(const struct of_role_status *rs, uint8_t version, struct of_buf *out)
{
    size_t start = of_begin(out, version, OF_ROLE_STATUS, 0);
    of_buf_put32(out, rs->role.role);
    of_buf_put8(out, (uint8_t)rs->reason);
    of_buf_put(out, NULL, 3);
    of_buf_put64(out, rs->role.have_generation ? rs->role.generation_id : UINT64_MAX);
    of_end(out, start);
}

int of_role_status_decode(const struct of_msg *msg, struct of_role_status *ret)
{
    memset(ret, 0, sizeof *ret);
    if (msg->body_len < ROLE_STATUS_LEN)
        return OF_ERR_BAD_LEN;
    uint32_t role = get_be32(msg->body);
    uint8_t reason = msg->body[4];
    ret->reason = reason;
    ret->role.generation_id = get_be64(msg->body + 8);
    ret->role.have_generation = ret->role.generation_id != UINT64_MAX;
    if (role < OF_ROLE_EQUAL || role > OF_ROLE_SECONDARY)
        return OF_ERR_ROLE_BAD_ROLE;
    ret->role.role = role;
    return reason > OF_ROLE_EXPERIMENTER ? OF_ERR_PROP_BAD_VALUE : 0;
}

/* ---- Asynchronous messages ---- */

/* 1.3 and Nicira: six words; 1.4 and later: properties, two of each kind, secondary first. */
enum { NXT_SET_ASYNC = 19 };

void of_async_put(enum of_type type, const struct of_async *a, uint8_t version, uint32_t xid,
                  struct of_buf *out)
{
    size_t start = of_begin(out, version, type, xid);
    const uint32_t *all[] = {a->packet_in, a->port_status, a->flow_removed, a->role_status,
                             a->table_status};
    for (unsigned i = 0; i < (version >= OF14_VERSION ? ARRAY_SIZE(all) : 3); i++) {
        for (unsigned k = 0; k < 2; k++) {
            if (version >= OF14_VERSION) {
                of_buf_put16(out, (uint16_t)(2 * i + k));
                of_buf_put16(out, 8);
                of_buf_put32(out, all[i][!k]);
            } else {
                of_buf_put32(out, all[i][k]);
            }
        }
    }
    of_end(out, start);
}

int of_async_decode(const struct of_msg *msg, struct of_async *ret)
{
    const uint8_t *p = msg->body, *end = p + msg->body_len;
    uint32_t *all[] = {ret->packet_in, ret->port_status, ret->flow_removed, ret->role_status,
                       ret->table_status};
    if (msg->nx || msg->version < OF14_VERSION) {
        if (msg->body_len < 24)
            return OF_ERR_BAD_LEN;
        for (unsigned i = 0; i < 6; i++)
            all[i / 2][i % 2] = get_be32(p + 4 * i);
        return 0;
    }
    while (p < end) {
        size_t n = end - p < 4 ? 0 : get_be16(p + 2);
        if (n < 8 || n > (size_t)(end - p))
            return OF_ERR_PROP_BAD_LEN;
        unsigned type = get_be16(p);
        if (type < 2 * ARRAY_SIZE(all))
            all[type / 2][!(type % 2)] = get_be32(p + 4);
        p += MIN((size_t)ROUND_UP(n, 8), (size_t)(end - p));
    }
    return 0;
}

/* ---- One number ---- */

/* Where in the body of each message the number lies, and how many bytes it has. */
static bool number_place(enum of_type type, size_t *ofs, size_t *n, size_t *body)
{
    static const struct {
        enum of_type type;
        uint8_t ofs, n, body;
    } places[] = {
        {OF_NX_SET_PACKET_IN_FORMAT, 0, 4, 4}, {OF_NX_SET_FLOW_FORMAT, 0, 4, 4},
        {OF_NX_FLOW_MOD_TABLE_ID, 0, 1, 8},    {OF_NX_SET_CONTROLLER_ID, 6, 2, 8},
        {OF_NX_CT_FLUSH_ZONE, 6, 2, 8},        {OF_NX_FLOW_MONITOR_CANCEL, 0, 4, 4},
    };
    for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
        if (places[i].type == type) {
            *ofs = places[i].ofs;
            *n = places[i].n;
            *body = places[i].body;
            return true;
        }
    }
    return false;
}

void of_nx_number_encode(enum of_type type, uint32_t number, uint8_t version, uint32_t xid,
                         struct of_buf *out)
{
    size_t ofs, n, body;
    INVARIANT(number_place(type, &ofs, &n, &body));
    size_t start = of_begin(out, version, type, xid);
    uint8_t *at = of_buf_put(out, NULL, body);
    put_be_n(at + ofs, (unsigned)n, number);
    of_end(out, start);
}

int of_nx_number_decode(const struct of_msg *msg, uint32_t *ret)
{
    size_t ofs, n, body;
    if (!number_place(msg->type, &ofs, &n, &body) || msg->body_len < body)
        return OF_ERR_BAD_LEN;
    *ret = (uint32_t)get_be_n(msg->body + ofs, (unsigned)n);
    return ofs && get_be_n(msg->body, (unsigned)ofs) ? OF_ERR_NX_MUST_BE_ZERO : 0;
}
