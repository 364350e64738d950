/* packet_out.c - PACKET_OUT of every version: a packet and what the switch should do with it. */
#include "openflow/oxm.h"
#include "openflow/packet_io.h"

void of_packet_out_init(struct of_packet_out *po)
{
    memset(po, 0, sizeof *po);
    po->buffer_id = OF_BUFFER_NONE;
    match_set(&po->metadata, FIELD_IN_PORT_OXM, PORT_CONTROLLER);
}

void of_packet_out_fini(struct of_packet_out *po)
{
    of_actions_fini(&po->actions);
}

void of_packet_out_encode(const struct of_packet_out *po, uint8_t version, uint32_t xid,
                          struct of_buf *out)
{
    size_t start = of_begin(out, version, OF_PACKET_OUT, xid), len_at;
    uint32_t in_port = key_in_port(&po->metadata.key);
    of_buf_put32(out, po->buffer_id);
    if (version == OF10_VERSION) {
        of_buf_put16(out, port_to_16(in_port));
        len_at = out->n;
        of_buf_put16(out, 0);
    } else if (version < OF15_VERSION) {
        of_buf_put32(out, in_port);
        len_at = out->n;
        of_buf_put(out, NULL, 8);
    } else {
        len_at = out->n;
        of_buf_put32(out, 0);
        of_match_encode(&po->metadata, version, out);
    }
    size_t at = out->n;
    of_actions_encode(po->actions.data, po->actions.n, version, out);
    put_be16(out->data + len_at, (uint16_t)(out->n - at));
    of_buf_put(out, po->packet, po->packet_len);
    of_end(out, start);
}

int of_packet_out_decode(const struct of_msg *msg, struct of_packet_out *ret)
{
    const uint8_t *p = msg->body;
    size_t n = msg->body_len, head, actions;
    memset(ret, 0, sizeof *ret);
    head = msg->version == OF10_VERSION ? 8 : msg->version < OF15_VERSION ? 16 : 8;
    if (n < head)
        return OF_ERR_BAD_LEN;
    ret->buffer_id = get_be32(p);
    if (msg->version == OF10_VERSION) {
        match_set(&ret->metadata, FIELD_IN_PORT, get_be16(p + 4));
        actions = get_be16(p + 6);
    } else if (msg->version < OF15_VERSION) {
        match_set(&ret->metadata, FIELD_IN_PORT_OXM, get_be32(p + 4));
        actions = get_be16(p + 8);
    } else {
        size_t used;
        actions = get_be16(p + 4);
        int err = of_match_decode(p + 8, n - 8, &ret->metadata, &used);
        if (err)
            return err;
        head += used;
        if (!match_has(&ret->metadata, FIELD_IN_PORT_OXM))
            return OF_ERR_BAD_PORT;
    }
    if (actions > n - head)
        return OF_ERR_BAD_LEN;
    ret->packet = p + head + actions;
    ret->packet_len = n - head - actions;
    return of_actions_decode(p + head, actions, msg->version, &ret->actions);
}
