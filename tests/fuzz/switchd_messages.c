/* switchd_messages.c - fuzz harness: any bytes as a series of OpenFlow messages to a switch of dummy ports, a packet through it after
 * each, and a second at the end. Two bytes in front of each message are its length. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/log.h"
#include "switchd/ofserver.h"
#include "switchd/port/dummy.h"
#include "switchd/vswitch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct vport *add_port(struct bridge *br, const char *name, uint32_t number)
{
    struct smap options = SMAP_INIT;
    struct vport_options o = {
        .name = name, .type = "dummy", .request = number, .options = &options};
    struct vport *port;
    if (bridge_add_port(br, &o, &port, NULL))
        bug("%s: not added", name);
    return port;
}

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

/* Made once: its caches take longer to clear than an input to run. */
static struct vswitch *the_switch(void)
{
    static struct vswitch vs;
    static struct env_seeded env;
    if (!vs.loop) {
        log_set_level(NULL, LOG_OFF);
        env_seeded_init(&env, 1);
        vswitch_init(&vs, loop_new(&env.env), counter_set_new(), "/nonexistent");
    }
    env.now_us += 1000000;
    return &vs;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct vswitch *vs = the_switch();
    struct bridge *br = bridge_new(vs, "br0");
    br->secure = true;
    struct vport *first = add_port(br, "p1", 1);
    add_port(br, "p2", 2);
    if (ofserver_new(br, NULL, &br->of, NULL))
        bug("no server");
    struct of_buf replies = OF_BUF_INIT;
    for (unsigned i = 0; size >= 2 + OF_HEADER_LEN && i < 32; i++) {
        size_t n = MIN((size_t)get_be16(data), size - 2);
        if (n < OF_HEADER_LEN)
            break;
        uint8_t *msg = xmemdup(data + 2, n);
        put_be16(msg + 2, (uint16_t)n);
        replies.n = 0;
        ofserver_inject(br->of, msg[0], msg, n, &replies);
        free(msg);
        send_packet(first, (uint8_t)i);
        data += 2 + n;
        size -= 2 + n;
    }
    the_switch(); /* time passes */
    vswitch_tick(vs);
    of_buf_fini(&replies);
    bridge_free(br);
    return 0;
}
