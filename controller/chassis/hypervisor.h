/* hypervisor.h - what this hypervisor is, as facts for the engine: its own chassis, interfaces with logical ports, tunnels. */
#pragma once

#include "base/hmap.h"
#include "base/vec.h"
#include "controller/chassis/config.h"
#include "controller/program.h"

struct hypervisor {
    struct program *program;
    struct inc *inc;
    bool has_self;
    struct fact_self self;
    struct hmap
        known; /* struct known: the interfaces of the bridge, and what is asserted of each */
    uint64_t round;
    VEC(struct fact_mapping) mappings; /* asserted, in byte order */
    bool are_tunnels_moved; /* a tunnel's port came, went or changed; the reader resets it */
};

void hypervisor_init(struct hypervisor *h, struct program *program, struct inc *inc);
void hypervisor_fini(struct hypervisor *h); /* leaves the engine as it is */
/* Brings the engine's inputs to what the databases hold. SB may be NULL. TUNNEL_OPTION: see installer_tunnel_option. */
void hypervisor_update(struct hypervisor *h, const struct config *config, const struct replica *ovs,
                       const struct replica *sb, unsigned tunnel_option);
/* Our row in Chassis, or NULL. */
const struct row *hypervisor_chassis_row(const struct config *config, const struct replica *sb);
