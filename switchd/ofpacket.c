/* ofpacket.c - packets between the bridge and its controllers: packet-in, packet-out, resume. */
#include <stdlib.h>
#include <string.h>

#include "switchd/exec.h"
#include "switchd/ofconn.h"
#include "switchd/port/offload.h"
#include "switchd/tlv_use.h"
#include "switchd/xlate.h"

/* A controller that does not read must not take the switch's memory. */
enum { QUEUED_MAX = 4 << 20 };

static void packet_in_fill(const struct ofconn *oc, const struct packet *packet,
                           const struct dp_packet_in *pin, struct of_packet_in *ret)
{
    uint8_t version = of_conn_version(oc->conn);
    /* max_len and miss_send_len are for packets that a switch keeps; one that is not kept is sent whole (OpenFlow 1.3, 7.4.1). */
    *ret = (struct of_packet_in){.packet = packet->data,
                                 .packet_len = packet->size,
                                 .total_len = packet->size,
                                 .buffer_id = OF_BUFFER_NONE,
                                 .reason = pin->reason,
                                 .table_id = pin->table_id,
                                 .cookie = pin->cookie,
                                 .userdata = pin->userdata,
                                 .userdata_len = pin->userdata_len,
                                 .continuation = pin->continuation,
                                 .continuation_len = pin->continuation_len};
    if (version < OF14_VERSION && oc->packet_in_format != OF_PIF_NXT2 &&
        ret->reason > OF_REASON_INVALID_TTL)
        ret->reason = OF_REASON_ACTION;
    of_packet_in_metadata(&ret->metadata, &pin->key, pin->tun);
}

struct delivery {
    struct ofserver *of;
    const struct dp_packet_in *pin;
    bool delivered;
};

static void deliver(void *d_, const struct packet *packet)
{
    struct delivery *d = d_;
    const struct dp_packet_in *pin = d->pin;
    struct ofconn *oc;
    LIST_FOR_EACH (oc, node, &d->of->conns) {
        if (!ofconn_wants_async(oc) || oc->controller_id != pin->controller_id ||
            !ofconn_async_bit(oc, oc->async.packet_in, pin->reason))
            continue;
        if (pin->reason == OF_REASON_NO_MATCH && pin->cookie == UINT64_MAX &&
            of_conn_version(oc->conn) >= OF13_VERSION)
            continue;
        if (stream_queued(of_conn_stream(oc->conn)) > QUEUED_MAX) {
            d->of->n_packet_ins_lost++;
            continue;
        }
        struct of_packet_in msg;
        packet_in_fill(oc, packet, pin, &msg);
        struct of_buf out = OF_BUF_INIT;
        if (of_packet_in_encode(&msg, of_conn_version(oc->conn), oc->packet_in_format, &out)) {
            ofconn_send(oc, &out);
            d->of->n_packet_ins++;
            d->delivered = true;
        } else {
            d->of->n_packet_ins_lost++;
        }
        of_buf_fini(&out);
    }
}

bool ofserver_packet_in(struct ofserver *of, const struct packet *packet,
                        const struct dp_packet_in *pin)
{
    struct delivery d = {.of = of, .pin = pin};
    return !offload_finish(packet, deliver, &d) && d.delivered;
}

int ofpacket_out(struct ofconn *oc, const struct of_msg *msg)
{
    struct of_packet_out po;
    int err = of_packet_out_decode(msg, &po);
    if (!err && po.buffer_id != OF_BUFFER_NONE)
        err = OF_ERR_BUFFER_UNKNOWN;
    if (!err)
        err = of_actions_check(&po.actions, NULL, 0, N_TABLES_OPEN);
    if (!err)
        err = tlv_check(oc->of->br, tlv_in_actions(po.actions.data, po.actions.n));
    if (!err && po.packet_len < ETH_HEADER_LEN)
        err = OF_ERR_BAD_PACKET;
    if (!err) {
        struct packet packet;
        packet_init_copy(&packet, po.packet, po.packet_len);
        vswitch_packet_out(oc->of->br, &packet, &po.metadata, po.actions.data, po.actions.n);
        packet_fini(&packet);
    }
    of_packet_out_fini(&po);
    return err;
}

int ofpacket_resume(struct ofconn *oc, const struct of_msg *msg)
{
    struct of_packet_in pin;
    int err = of_resume_decode(msg, &pin);
    if (err)
        return err;
    struct bridge *br = oc->of->br;
    if (!pin.continuation || !continuation_check(br, pin.continuation, pin.continuation_len))
        return OF_ERR_NX_RESUME_STALE;
    if (pin.packet_len < ETH_HEADER_LEN)
        return OF_ERR_BAD_PACKET;
    struct packet packet;
    packet_init_copy(&packet, pin.packet, pin.packet_len);
    vswitch_resume(br, &packet, &pin.metadata, pin.continuation, pin.continuation_len);
    packet_fini(&packet);
    return 0;
}
