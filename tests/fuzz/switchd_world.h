/* switchd_world.h - for the fuzz harnesses of the switch: one switch for all inputs, since to make one takes longer than to run an
 * input. Between inputs it forgets what packets and messages left in it, so that a finding needs its own input alone. */
#pragma once

#include "base/log.h"
#include "switchd/megaflow.h"
#include "switchd/port/dummy.h"
#include "switchd/vswitch.h"

enum { FUZZ_TIDY_EVERY = 256 /* inputs */ };

static struct env_seeded fuzz_env;

/* The switch, without bridges at first. A second has passed since the last call, and chance begins anew. */
static struct vswitch *fuzz_switch(void)
{
    static struct vswitch vs;
    int64_t now_us = fuzz_env.now_us;
    env_seeded_init(&fuzz_env, 1);
    fuzz_env.now_us = MAX(now_us, fuzz_env.now_us) + 1000000;
    if (!vs.loop) {
        log_set_level(NULL, LOG_OFF);
        vswitch_init(&vs, loop_new(&fuzz_env.env), counter_set_new(), "/nonexistent");
    }
    return &vs;
}

static struct vport *fuzz_port(struct bridge *br, const char *name, uint32_t number)
{
    struct smap options = SMAP_INIT;
    struct vport_options o = {
        .name = name, .type = "dummy", .request = number, .options = &options};
    struct vport *port;
    if (bridge_add_port(br, &o, &port, NULL))
        bug("%s: not added", name);
    return port;
}

/* What packets left: megaflows, MACs, connections. Shells of megaflows stay for some inputs: to look for them takes long. */
static void fuzz_forget_packets(struct vswitch *vs)
{
    static unsigned n_inputs;
    struct megaflows *cache = vs->cache;
    while (!list_empty(&cache->all))
        megaflow_remove(cache, LIST_FIRST(struct megaflow, all, &cache->all));
    megaflows_tidy(cache);
    if (++n_inputs % FUZZ_TIDY_EVERY == 0)
        megaflows_forget_dead(cache, SIGNATURE_BUCKETS);
    struct bridge *br;
    LIST_FOR_EACH (br, node, &vs->bridges)
        mac_table_flush(&br->macs);
    conntrack_drop_fragments(vs->ct);
    conntrack_flush(vs->ct, &(struct ct_filter){0});
    vswitch_invalidate(vs);
}
