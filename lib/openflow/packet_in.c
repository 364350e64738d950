/* packet_in.c - PACKET_IN of every version, NXT_PACKET_IN, NXT_PACKET_IN2 and RESUME. */
#include "openflow/internal.h"
#include "openflow/oxm.h"
#include "openflow/packet_io.h"

enum { NXT_PACKET_IN = 17, NXT_PACKET_IN2 = 30 };

/* Properties of PACKET_IN2. */
enum {
    P_PACKET,
    P_FULL_LEN,
    P_BUFFER_ID,
    P_TABLE_ID,
    P_COOKIE,
    P_REASON,
    P_METADATA,
    P_USERDATA,
    P_CONTINUATION
};

void of_packet_in_metadata(struct match *m, const struct flow_key *key, const struct tun_opts *opts)
{
    match_init(m);
    match_set(m, FIELD_IN_PORT_OXM, key_in_port(key));
    static const uint8_t ids[] = {
        FIELD_TUN_ID,       FIELD_TUN_SRC,     FIELD_TUN_DST,     FIELD_TUN_IPV6_SRC,
        FIELD_TUN_IPV6_DST, FIELD_TUN_FLAGS,   FIELD_TUN_GBP_ID,  FIELD_TUN_GBP_FLAGS,
        FIELD_METADATA,     FIELD_PKT_MARK,    FIELD_CT_STATE,    FIELD_CT_ZONE,
        FIELD_CT_MARK,      FIELD_CT_LABEL,    FIELD_CT_NW_PROTO, FIELD_CT_NW_SRC,
        FIELD_CT_NW_DST,    FIELD_CT_IPV6_SRC, FIELD_CT_IPV6_DST, FIELD_CT_TP_SRC,
        FIELD_CT_TP_DST,
    };
    for (size_t i = 0; i < sizeof ids; i++)
        if (key_get(key, ids[i]))
            match_set(m, ids[i], key_get(key, ids[i]));
    for (unsigned i = 0; i < N_REGS; i++)
        if (key->reg[i])
            match_set(m, FIELD_REG0 + i, swap32(key->reg[i]));
    match_set_options(m, key, opts);
}

/* ---- PACKET_IN2 and RESUME ---- */

static void put_properties(const struct of_packet_in *pin, uint8_t version, bool resume,
                           struct of_buf *out)
{
    uint8_t b[16];
    of_prop_put(out, P_PACKET, pin->packet, pin->packet_len);
    if (pin->total_len != pin->packet_len) {
        put_be32(b, pin->total_len);
        of_prop_put(out, P_FULL_LEN, b, 4);
    }
    if (pin->buffer_id != OF_BUFFER_NONE) {
        put_be32(b, pin->buffer_id);
        of_prop_put(out, P_BUFFER_ID, b, 4);
    }
    of_prop_put(out, P_TABLE_ID, &pin->table_id, 1);
    if (pin->cookie != UINT64_MAX) {
        memset(b, 0, 4);
        put_be64(b + 4, pin->cookie);
        of_prop_put(out, P_COOKIE, b, 12);
    }
    of_prop_put(out, P_REASON, &pin->reason, 1);
    size_t at = of_prop_begin(out, P_METADATA);
    of_oxm_encode(&pin->metadata, version, 0, 0, out);
    of_prop_end(out, at);
    if (pin->continuation) {
        at = of_prop_begin(out, P_CONTINUATION);
        of_buf_put32(out, 0);
        of_buf_put(out, pin->continuation, pin->continuation_len);
        of_prop_end(out, at);
    }
    if (pin->userdata_len && !resume)
        of_prop_put(out, P_USERDATA, pin->userdata, pin->userdata_len);
}

static int take_property(const struct of_prop *prop, struct of_packet_in *pin)
{
    static const uint8_t sizes[] = {[P_FULL_LEN] = 4, [P_BUFFER_ID] = 4, [P_TABLE_ID] = 1,
                                    [P_COOKIE] = 12,  [P_REASON] = 1,    [P_CONTINUATION] = 0};
    if (prop->type > P_CONTINUATION)
        return OF_ERR_PROP_BAD_TYPE;
    if (sizes[prop->type] && prop->len != sizes[prop->type])
        return OF_ERR_PROP_BAD_LEN;
    switch (prop->type) {
    case P_PACKET:
        pin->packet = prop->value;
        pin->packet_len = prop->len;
        break;
    case P_FULL_LEN:
        pin->total_len = get_be32(prop->value);
        break;
    case P_BUFFER_ID:
        pin->buffer_id = get_be32(prop->value);
        break;
    case P_TABLE_ID:
        pin->table_id = prop->value[0];
        break;
    case P_COOKIE:
        pin->cookie = get_be64(prop->value + 4);
        break;
    case P_REASON:
        pin->reason = prop->value[0];
        break;
    case P_METADATA:
        return of_oxm_decode(prop->value, prop->len, true, &pin->metadata, NULL, NULL);
    case P_USERDATA:
        pin->userdata = prop->value;
        pin->userdata_len = prop->len;
        break;
    case P_CONTINUATION:
        if (prop->len < 4)
            return OF_ERR_PROP_BAD_LEN;
        pin->continuation = prop->value + 4;
        pin->continuation_len = prop->len - 4;
        break;
    }
    return 0;
}

static int decode_properties(const struct of_msg *msg, struct of_packet_in *pin)
{
    struct of_prop prop;
    size_t ofs = 0;
    int more;
    while ((more = of_prop_next(msg->body, msg->body_len, &ofs, &prop)) > 0) {
        int err = take_property(&prop, pin);
        if (err)
            return err;
    }
    if (more < 0)
        return -more;
    if (pin->total_len < pin->packet_len)
        pin->total_len = (uint32_t)pin->packet_len;
    return 0;
}

void of_resume_encode(const struct of_packet_in *pin, uint8_t version, uint32_t xid,
                      struct of_buf *out)
{
    size_t start = of_begin(out, version, OF_NX_RESUME, xid);
    put_properties(pin, version, true, out);
    of_end(out, start);
}

static void packet_in_init(struct of_packet_in *pin)
{
    memset(pin, 0, sizeof *pin);
    pin->buffer_id = OF_BUFFER_NONE;
    pin->cookie = UINT64_MAX;
}

int of_resume_decode(const struct of_msg *msg, struct of_packet_in *ret)
{
    packet_in_init(ret);
    return decode_properties(msg, ret);
}

/* ---- The other forms ---- */

static uint8_t reason_for(const struct of_packet_in *pin, uint8_t version)
{
    /* The finer reasons came with 1.4. */
    return version < OF14_VERSION && pin->reason > OF_REASON_INVALID_TTL ? OF_REASON_ACTION
                                                                         : pin->reason;
}

static void encode_standard(const struct of_packet_in *pin, uint8_t version, struct of_buf *out)
{
    struct match match = pin->metadata;
    if (version == OF10_VERSION) {
        of_buf_put32(out, pin->buffer_id);
        of_buf_put16(out, (uint16_t)MIN(pin->total_len, UINT16_MAX));
        of_buf_put16(out, port_to_16(key_in_port(&match.key)));
        of_buf_put8(out, reason_for(pin, version));
        of_buf_put8(out, 0);
        of_buf_put(out, pin->packet, pin->packet_len);
        return;
    }
    of_buf_put32(out, pin->buffer_id);
    of_buf_put16(out, (uint16_t)MIN(pin->total_len, UINT16_MAX));
    of_buf_put8(out, reason_for(pin, version));
    of_buf_put8(out, pin->table_id);
    of_buf_put64(out, pin->cookie);
    of_match_encode(&match, version, out);
    of_buf_put16(out, 0);
    of_buf_put(out, pin->packet, pin->packet_len);
}

static void encode_nxt(const struct of_packet_in *pin, uint8_t version, struct of_buf *out)
{
    of_buf_put32(out, pin->buffer_id);
    of_buf_put16(out, (uint16_t)MIN(pin->total_len, UINT16_MAX));
    of_buf_put8(out, reason_for(pin, version));
    of_buf_put8(out, pin->table_id);
    of_buf_put64(out, pin->cookie);
    size_t len_at = out->n;
    of_buf_put(out, NULL, 8);
    size_t at = out->n;
    of_oxm_encode(&pin->metadata, OF10_VERSION, 0, 0, out);
    put_be16(out->data + len_at, (uint16_t)(out->n - at));
    of_buf_pad(out, at, 8);
    of_buf_put16(out, 0);
    of_buf_put(out, pin->packet, pin->packet_len);
}

/* Appends the message without its length; returns where it begins. */
static size_t put_packet_in(const struct of_packet_in *pin, uint8_t version,
                            enum of_packet_in_format format, struct of_buf *out)
{
    size_t start = of_begin_as(out, version, OF_PACKET_IN, format != OF_PIF_STANDARD,
                               format == OF_PIF_NXT ? NXT_PACKET_IN : NXT_PACKET_IN2, 0);
    if (format == OF_PIF_NXT2)
        put_properties(pin, version, false, out);
    else if (format == OF_PIF_NXT)
        encode_nxt(pin, version, out);
    else
        encode_standard(pin, version, out);
    return start;
}

bool of_packet_in_encode(const struct of_packet_in *pin, uint8_t version,
                         enum of_packet_in_format format, struct of_buf *out)
{
    enum { FULL_LEN = 8 }; /* the property that tells of the cut */
    size_t start = put_packet_in(pin, version, format, out), n = out->n - start;
    if (n > OF_MAX_LEN) {
        struct of_packet_in cut = *pin;
        size_t excess = ROUND_UP(n - OF_MAX_LEN, 8) + FULL_LEN;
        out->n = start;
        if (excess > pin->packet_len || pin->continuation)
            return false;
        cut.packet_len -= excess;
        put_packet_in(&cut, version, format, out);
    }
    of_end(out, start);
    return true;
}

static int decode_standard(const struct of_msg *msg, struct of_packet_in *pin)
{
    const uint8_t *p = msg->body;
    size_t n = msg->body_len, used;
    bool v10 = msg->version == OF10_VERSION;
    if (n < (v10 ? 10u : 16u))
        return OF_ERR_BAD_LEN;
    pin->buffer_id = get_be32(p);
    pin->total_len = get_be16(p + 4);
    if (v10) {
        match_set(&pin->metadata, FIELD_IN_PORT, get_be16(p + 6));
        pin->reason = p[8];
        used = 10;
    } else {
        pin->reason = p[6];
        pin->table_id = p[7];
        pin->cookie = get_be64(p + 8);
        if (n < 20)
            return OF_ERR_BAD_LEN;
        size_t len = get_be16(p + 18), padded = ROUND_UP(len, 8);
        if (len < 4 || padded + 2 > n - 16)
            return OF_ERR_BAD_LEN;
        int err = of_oxm_decode(p + 20, len - 4, true, &pin->metadata, NULL, NULL);
        if (err)
            return err;
        used = 16 + padded + 2;
    }
    pin->packet = p + used;
    pin->packet_len = n - used;
    return 0;
}

static int decode_nxt(const struct of_msg *msg, struct of_packet_in *pin)
{
    const uint8_t *p = msg->body;
    size_t n = msg->body_len;
    if (n < 24)
        return OF_ERR_BAD_LEN;
    pin->buffer_id = get_be32(p);
    pin->total_len = get_be16(p + 4);
    pin->reason = p[6];
    pin->table_id = p[7];
    pin->cookie = get_be64(p + 8);
    size_t len = get_be16(p + 16), padded = ROUND_UP(len, 8);
    if (padded + 2 > n - 24)
        return OF_ERR_BAD_LEN;
    pin->packet = p + 24 + padded + 2;
    pin->packet_len = n - 24 - padded - 2;
    return of_oxm_decode(p + 24, len, true, &pin->metadata, NULL, NULL);
}

int of_packet_in_decode(const struct of_msg *msg, struct of_packet_in *ret)
{
    packet_in_init(ret);
    if (msg->nx && msg->subtype == NXT_PACKET_IN2)
        return decode_properties(msg, ret);
    int err = msg->nx ? decode_nxt(msg, ret) : decode_standard(msg, ret);
    if (!err && ret->total_len < ret->packet_len)
        ret->total_len = (uint32_t)ret->packet_len;
    return err;
}
