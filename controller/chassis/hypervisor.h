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
    /* struct known: the interfaces of the bridge, and what is asserted of each. By uuid, by that of the Port, by name. */
    struct hmap known, by_port, by_name;
    const struct row *bridge;          /* of the last update, a reference; NULL: there was none */
    VEC(struct uuid) changed;          /* rows of Port and Interface, since the last update */
    bool is_walk_due;                  /* more has changed than these and the bridge's ports */
    uint64_t n_seen;                   /* interfaces that were looked at */
    unsigned tunnel_option;            /* of the last update */
    VEC(struct fact_mapping) mappings; /* asserted, in byte order */
    bool are_uplinks_moved; /* what the switch has of them may be other; the reader resets it */
    bool are_tunnels_moved; /* a tunnel's port came, went or changed; the reader resets it */
};

void hypervisor_init(struct hypervisor *h, struct program *program, struct inc *inc);
void hypervisor_fini(struct hypervisor *h); /* leaves the engine as it is */
/* A row of the switch's database has changed: before an update. */
void hypervisor_row_changed(struct hypervisor *h, const struct change *change);
/* Brings the engine's inputs to what the databases hold. SB may be NULL. TUNNEL_OPTION: see installer_tunnel_option. */
void hypervisor_update(struct hypervisor *h, const struct config *config, const struct replica *ovs,
                       const struct replica *sb, unsigned tunnel_option);
/* The Interface of that name on the bridge, as of the last update, or NULL. */
struct ovs_interface;
const struct ovs_interface *hypervisor_interface(const struct hypervisor *h,
                                                 const struct replica *ovs, const char *name);
/* Our row in Chassis, or NULL. */
const struct row *hypervisor_chassis_row(const struct config *config, const struct replica *sb);
