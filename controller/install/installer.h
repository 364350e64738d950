/* installer.h - keeps the flows of the switch what they should be, by differences only (room 8 of docs/architecture.md).
 *
 * The installer holds two answers to each (table, priority, match): what is desired and what the switch has. On connecting it
 * makes sure that the Geneve option is mapped, reads back all flows of the bridge, and from then on sends what differs: one
 * atomic bundle and a barrier at a time. It never clears a switch; restarted with the same desires it sends nothing. A
 * flow that the switch refuses is set aside (and logged), so that it does not hold up the others.
 */
#pragma once

#include "controller/facts.h"
#include "io/loop.h"
#include "openflow/actions.h"
#include "openflow/connection.h"

struct installer;

struct installer_options {
    struct loop *loop;
    const char *target; /* of the bridge's management socket */
    const char *rundir;
    const struct tls_config *tls;
    struct inc *inc; /* says which flows are desired */
    struct program *program;
};

struct installer_stats {
    bool is_connected; /* and read back, and compared */
    size_t desired, installed, rejected;
    uint64_t objects;                          /* groups and meters sent since the start */
    uint64_t adds, deletes, bundles, failures; /* sent since the start */
};

/* CONFIRMED is called when the switch is known to have all flows of a generation, and when something else has changed that can be asked here. NULL and DIAG when the target is bad. */
struct installer *installer_new(const struct installer_options *options,
                                void (*confirmed)(void *aux, uint64_t generation), void *aux,
                                struct diag *diag);
void installer_free(struct installer *installer);
/* The tun_metadata field of the switch that carries the ports through Geneve tunnels; 0 until it is known. */
unsigned installer_tunnel_option(const struct installer *installer);

/* The flows should be as the settled engine says: those of program->oflow, whose changes the installer reads. */
void installer_take(struct installer *installer);
/* It has read back what the switch has, and needs installer_take and the last installer_commit again. */
bool installer_wants_flows(const struct installer *installer);
/* A group (ID_GROUP) or meter (ID_METER) should be as SPEC says: ovs-ofctl's syntax without the number; NULL: not there. */
void installer_set_object(struct installer *installer, enum id_kind kind, uint32_t id,
                          const char *spec);
/* Connections of a zone that has a new owner are forgotten before its first flow is there. */
void installer_flush_zone(struct installer *installer, uint32_t zone);
/* What was set makes up GENERATION: sends the difference as soon as the switch is ready for it. Nothing is sent
 * before the first call, unless installer_fill was called. */
void installer_commit(struct installer *installer, uint64_t generation);

/* Before the first commit: there will be more, but what was set so far may go to a switch that has no flows at all. No packet meets it before the
 * commit. */
void installer_fill(struct installer *installer);

/* The last generation known to be in the switch; 0: none. */
uint64_t installer_confirmed(const struct installer *installer);
struct installer_stats installer_stats(const struct installer *installer);
