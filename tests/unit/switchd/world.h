/* world.h - a switch of dummy ports for tests: what goes in, and what came out of which port. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"
#include "base/vec.h"
#include "flow/rewrite.h"
#include "openflow/text.h"
#include "switchd/megaflow.h"
#include "switchd/port/dummy.h"
#include "switchd/vswitch.h"

struct sent {
    char port[16];
    uint8_t *data;
    size_t n;
};

struct world {
    struct env_seeded env;
    struct loop *loop;
    struct counters *counters;
    struct vswitch vs;
    VEC(struct sent) sent;
};

/* Packets that the caches knew. */
static inline uint64_t world_hits(const struct vswitch *vs)
{
    struct lookups n = megaflows_lookups(vs->cache);
    return n.exact_hits + n.hits;
}

static inline void world_note(void *w_, struct port *port, const struct packet *packet)
{
    struct world *w = w_;
    struct sent *s = vec_push_zero(&w->sent);
    strncpy(s->port, port->name, sizeof s->port - 1);
    s->data = xmemdup(packet->data, packet->size);
    s->n = packet->size;
}

static inline void world_init(struct world *w)
{
    memset(w, 0, sizeof *w);
    env_seeded_init(&w->env, 1);
    w->loop = loop_new(&w->env.env);
    w->counters = counter_set_new();
    vswitch_init(&w->vs, w->loop, w->counters, "/nonexistent");
}

static inline void world_forget(struct world *w)
{
    for (size_t i = 0; i < w->sent.n; i++)
        free(w->sent.data[i].data);
    vec_clear(&w->sent);
}

static inline void world_fini(struct world *w)
{
    world_forget(w);
    vec_fini(&w->sent);
    vswitch_fini(&w->vs);
    counter_set_free(w->counters);
    loop_free(w->loop);
}

static inline struct vport *world_add(struct world *w, struct bridge *br, const char *name,
                                      const char *type, uint32_t number, const char *peer)
{
    struct smap options = SMAP_INIT;
    if (peer)
        smap_set(&options, "peer", peer);
    struct vport_options o = {.name = name, .type = type, .request = number, .options = &options};
    struct vport *port;
    assert_int_equal(bridge_add_port(br, &o, &port, NULL), 0);
    smap_fini(&options);
    if (port->dev)
        dummy_set_observer(port->dev, world_note, w);
    return port;
}

/* Carries out a flow given as ovs-ofctl writes it; 0 or an OF_ERROR. */
static inline int world_flow(struct bridge *br, enum of_flow_command command, const char *text)
{
    struct of_flow_mod fm;
    struct diag diag = DIAG_INIT;
    if (of_flow_mod_parse(text, command, NULL, NULL, &fm, &diag))
        fail_msg("%s: %s", text, diag_text(&diag));
    struct journal journal = JOURNAL_INIT;
    int err = bridge_flow_mod(br, &fm, &journal);
    bridge_commit(br, &journal);
    of_flow_mod_fini(&fm);
    return err;
}

/* A world with one bridge, secure, whose dummy ports p1, p2, ... have the numbers 1 to N. */
static inline struct bridge *world_bridge(struct world *w, unsigned n)
{
    world_init(w);
    struct bridge *br = bridge_new(&w->vs, "br0");
    br->secure = true;
    for (unsigned i = 1; i <= n; i++) {
        char name[8];
        snprintf(name, sizeof name, "p%u", i);
        world_add(w, br, name, "dummy", i, NULL);
    }
    return br;
}

static inline void world_add_flow(struct bridge *br, const char *text)
{
    int err = world_flow(br, OF_FLOW_ADD, text);
    if (err)
        fail_msg("%s: %s", text, of_error_name(err));
}

/* A UDP packet of port PORT's machine to the far side, with SIZE bytes of payload. To be freed with packet_fini. */
static inline void world_udp(struct packet *p, uint32_t port, uint16_t src, uint16_t dst,
                             uint8_t ttl, size_t size)
{
    struct flow_key key;
    memset(&key, 0, sizeof key);
    key_set(&key, FIELD_ETH_SRC, 0x020000000000 + port);
    key_set(&key, FIELD_ETH_DST, 0x0200000000ff);
    key_set(&key, FIELD_ETH_TYPE, ETH_TYPE_IP);
    key_set(&key, FIELD_IP_PROTO, IP_PROTO_UDP);
    key_set(&key, FIELD_IP_TTL, ttl);
    key_set(&key, FIELD_IP_SRC, 0x0a000000 + port);
    key_set(&key, FIELD_IP_DST, 0x0a0000ff);
    key_set(&key, FIELD_UDP_SRC, src);
    key_set(&key, FIELD_UDP_DST, dst);
    packet_init(p);
    packet_compose(p, &key, size);
}
