/* switchd_messages.c - fuzz harness: any bytes as a series of OpenFlow messages to a switch of dummy ports, a packet through it after
 * each, and a second at the end. Two bytes in front of each message are its length. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "switchd/ofconn.h"
#include "switchd_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void send_packet(struct vport *port, uint8_t last)
{
    static const uint8_t frame[60] = {0x02, 0, 0,  0,  0, 2, 0x02, 0, 0,  0,  0, 1,  8,  0,
                                      0x45, 0, 0,  46, 0, 0, 0,    0, 64, 17, 0, 0,  10, 0,
                                      0,    1, 10, 0,  0, 2, 0,    7, 0,  9,  0, 26, 0,  0};
    uint8_t copy[sizeof frame];
    memcpy(copy, frame, sizeof frame);
    copy[33] = last;
    dummy_receive(port->dev, copy, sizeof copy);
}

/* What messages left: flows, groups, meters, tunnel options, how ports are configured, and the server's own state. */
static void forget_messages(struct bridge *br)
{
    struct journal journal = JOURNAL_INIT;
    tables_flush(&br->tables, false, &journal);
    struct of_group_mod gm;
    of_group_mod_init(&gm, OF_GROUP_DELETE, OF_GROUP_ALL);
    struct of_meter_mod mm = {.command = OF_METER_DELETE, .meter = {.id = OF_METER_ALL}};
    INVARIANT(!bridge_group_mod(br, &gm, &journal) && !bridge_meter_mod(br, &mm, &journal));
    of_group_mod_fini(&gm);
    bridge_commit(br, &journal);
    INVARIANT(!br->tables.n_rules && !br->groups.n && !br->meters.n);
    memset(&br->tlvs, 0, sizeof br->tlvs);
    struct vport *port;
    HMAP_FOR_EACH (port, by_no, &br->ports)
        port->config = 0;
    ofserver_free(br->of);
    br->of = NULL;
}

static struct bridge *make_bridge(struct vswitch *vs)
{
    struct bridge *br = bridge_new(vs, "br0");
    br->secure = true;
    fuzz_port(br, "p1", 1);
    fuzz_port(br, "p2", 2);
    return br;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct bridge *br;
    struct vswitch *vs = fuzz_switch();
    if (!br)
        br = make_bridge(vs);
    if (ofserver_new(br, NULL, &br->of, NULL))
        bug("no server");
    struct ofconn
        oc; /* one for all messages, so that bundles and roles are what they are to a peer */
    ofconn_init(&oc, br->of, true);
    struct of_buf replies = OF_BUF_INIT;
    for (unsigned i = 0; size >= 2 + OF_HEADER_LEN && i < 32; i++) {
        size_t n = MIN((size_t)get_be16(data), size - 2);
        if (n < OF_HEADER_LEN)
            break;
        uint8_t *msg = xmemdup(data + 2, n);
        put_be16(msg + 2, (uint16_t)n);
        replies.n = 0;
        ofconn_inject(&oc, msg, n, &replies);
        free(msg);
        send_packet(bridge_port(br, 1), (uint8_t)i);
        data += 2 + n;
        size -= 2 + n;
    }
    fuzz_env.now_us += 1000000;
    vswitch_tick(vs);
    of_buf_fini(&replies);
    ofbundles_free(&oc);
    ofmonitors_free(&oc);
    forget_messages(br);
    fuzz_forget_packets(vs);
    return 0;
}
