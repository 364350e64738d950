/* error.c - error messages: codes of error.def on the wire of each version, and their names. */
#include "openflow/protocol.h"

static const struct {
    int error;
    const char *name;
} names[] = {
#define OF_ERR(NAME, TEXT, TYPE, CODE) {OF_ERROR(TYPE, CODE), TEXT},
#define OF_ERR_NX(NAME, TEXT, CODE) {OF_ERROR_NX(CODE), TEXT},
#include "openflow/error.def"
#undef OF_ERR
#undef OF_ERR_NX
};

const char *of_error_name(int error)
{
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (names[i].error == error)
            return names[i].name;
    return "unknown";
}

/* OpenFlow 1.0 has fewer types, in part with other numbers: what an error is there. Errors that 1.0 lacks are sent as
 * they are in 1.3, which tells a reader most. */
static const struct {
    int error;
    uint16_t type, code;
} in_10[] = {
    {OF_ERR_FLOW_MOD_TABLE_FULL, 3, 0},  {OF_ERR_FLOW_MOD_OVERLAP, 3, 1},
    {OF_ERR_FLOW_MOD_PERM, 3, 2},        {OF_ERR_FLOW_MOD_BAD_TIMEOUT, 3, 3},
    {OF_ERR_FLOW_MOD_BAD_COMMAND, 3, 4}, {OF_ERR_PORT_MOD_BAD_PORT, 4, 0},
    {OF_ERR_PORT_MOD_BAD_HW_ADDR, 4, 1}, {OF_ERR_QUEUE_BAD_PORT, 5, 0},
    {OF_ERR_QUEUE_BAD_QUEUE, 5, 1},
};

enum { TYPE_EXPERIMENTER = 0xffff, NX_MARK = 0x7fff, TYPE_VENDOR_10 = 0xb0c2 };

int of_error_decode(const struct of_msg *msg, struct of_error_msg *ret)
{
    if (msg->body_len < 4)
        return OF_ERR_BAD_LEN;
    uint16_t type = get_be16(msg->body), code = get_be16(msg->body + 2);
    ret->data = msg->body + 4;
    ret->len = msg->body_len - 4;
    if (type == TYPE_EXPERIMENTER && ret->len >= 4) {
        ret->error = OF_ERROR_NX(code);
        ret->data += 4;
        ret->len -= 4;
        return 0;
    }
    if (type == TYPE_VENDOR_10 && ret->len >= 8) { /* Nicira's extended errors of 1.0 and 1.1 */
        uint16_t t = get_be16(ret->data + 4), c = get_be16(ret->data + 6);
        ret->error = t == TYPE_EXPERIMENTER || t >= NX_MARK ? OF_ERROR_NX(c) : OF_ERROR(t, c);
        ret->data += 8;
        ret->len -= 8;
        return 0;
    }
    ret->error = type < NX_MARK - 1 ? OF_ERROR(type, code) : OF_ERROR_NX(code);
    for (size_t i = 0; msg->version == OF10_VERSION && i < ARRAY_SIZE(in_10); i++)
        if (in_10[i].type == type && in_10[i].code == code)
            ret->error = in_10[i].error;
    return 0;
}

void of_error_encode(int error, const struct of_msg *request, struct of_buf *out)
{
    uint8_t version = request->version >= OF10_VERSION && request->version <= OF15_VERSION
                          ? request->version
                          : OF15_VERSION;
    uint16_t type = (uint16_t)((error >> 16) - 1), code = (uint16_t)error;
    for (size_t i = 0; version == OF10_VERSION && i < ARRAY_SIZE(in_10); i++) {
        if (in_10[i].error == error) {
            type = in_10[i].type;
            code = in_10[i].code;
        }
    }
    size_t start = of_begin(out, version, OF_ERROR_MSG, request->xid);
    if (error >> 16 == NX_MARK) {
        of_buf_put16(out, TYPE_EXPERIMENTER);
        of_buf_put16(out, code);
        of_buf_put32(out, OF_VENDOR_NX);
    } else {
        of_buf_put16(out, type);
        of_buf_put16(out, code);
    }
    of_buf_put(out, request->data, MIN(request->len, (size_t)OF_MAX_LEN - 64));
    of_end(out, start);
}
