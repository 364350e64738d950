/* bundle.c - BUNDLE_CONTROL and BUNDLE_ADD_MESSAGE. */
#include "openflow/bundle.h"

void of_bundle_control_encode(const struct of_bundle_control *bc, uint8_t version, uint32_t xid,
                              struct of_buf *out)
{
    size_t start = of_begin(out, version, OF_BUNDLE_CONTROL, xid);
    of_buf_put32(out, bc->id);
    of_buf_put16(out, bc->type);
    of_buf_put16(out, bc->flags);
    of_end(out, start);
}

int of_bundle_control_decode(const struct of_msg *msg, struct of_bundle_control *ret)
{
    if (msg->body_len < 8)
        return OF_ERR_BAD_LEN;
    ret->id = get_be32(msg->body);
    ret->type = get_be16(msg->body + 4);
    ret->flags = get_be16(msg->body + 6);
    return ret->type > OF_BUNDLE_DISCARD_REPLY ? OF_ERR_BUNDLE_BAD_TYPE : 0;
}

size_t of_bundle_add_begin(uint32_t id, uint16_t flags, uint8_t version, uint32_t xid,
                           struct of_buf *out)
{
    size_t start = of_begin(out, version, OF_BUNDLE_ADD_MESSAGE, xid);
    of_buf_put32(out, id);
    of_buf_put16(out, 0);
    of_buf_put16(out, flags);
    return start;
}

void of_bundle_add_end(struct of_buf *out, size_t start)
{
    of_end(out, start);
}

int of_bundle_add_decode(const struct of_msg *msg, struct of_bundle_add *ret)
{
    if (msg->body_len < 8 + OF_HEADER_LEN)
        return OF_ERR_BAD_LEN;
    ret->id = get_be32(msg->body);
    ret->flags = get_be16(msg->body + 6);
    const uint8_t *inner = msg->body + 8;
    size_t n = get_be16(inner + 2);
    if (n < OF_HEADER_LEN || n > msg->body_len - 8)
        return OF_ERR_BUNDLE_MSG_BAD_LEN;
    int err = of_msg_parse(inner, n, &ret->msg);
    if (err)
        return err;
    if (ret->msg.xid != msg->xid)
        return OF_ERR_BUNDLE_MSG_BAD_XID;
    if (ret->msg.version != msg->version)
        return OF_ERR_BAD_VERSION;
    switch (ret->msg.type) {
    case OF_FLOW_MOD:
    case OF_GROUP_MOD:
    case OF_PORT_MOD:
    case OF_PACKET_OUT:
        return 0;
    default:
        return OF_ERR_BUNDLE_MSG_UNSUPPORTED;
    }
}
