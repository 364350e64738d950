/* hypervisor.h - what this hypervisor is, as facts for the engine: its own chassis, interfaces with logical ports, tunnels. */
#pragma once

#include "base/vec.h"
#include "controller/chassis/config.h"
#include "controller/program.h"

struct hypervisor {
    struct program *program;
    struct inc *inc;
    bool has_self;
    struct fact_self self;
    VEC(struct fact_iface) ifaces; /* these are asserted, in byte order */
    VEC(struct fact_tunnel) tunnels;
    VEC(struct fact_uplink) uplinks;
    VEC(struct fact_mapping) mappings;
};

void hypervisor_init(struct hypervisor *h, struct program *program, struct inc *inc);
void hypervisor_fini(struct hypervisor *h); /* leaves the engine as it is */
/* Brings the engine's inputs to what the databases hold. SB may be NULL. TUNNEL_OPTION: see installer_tunnel_option. */
void hypervisor_update(struct hypervisor *h, const struct config *config, const struct replica *ovs,
                       const struct replica *sb, unsigned tunnel_option);
/* Our row in Chassis, or NULL. */
const struct row *hypervisor_chassis_row(const struct config *config, const struct replica *sb);
