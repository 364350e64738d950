/* binding.h - claims of logical ports, written to Port_Binding: chassis, up; and ovn-installed on the interface.
 *
 * A port is claimed when the engine says so and reported up when the flows of that moment are known to be in the switch. Ports bound
 * to this chassis that are not claimed (any more) are released.
 */
#pragma once

#include "base/hmap.h"
#include "base/list.h"
#include "base/vec.h"
#include "controller/allocate/ids.h"
#include "controller/chassis/hypervisor.h"
#include "controller/writer.h"

struct binding {
    struct hmap ports; /* struct binding_port by uuid */
    struct list todo;  /* those that may need writing */
    bool has_late;     /* a claim waits for contested_until */
    bool has_begun;    /* claims that come now are of interfaces plugged in since */
};

struct binding_state { /* what a cycle knows */
    const struct replica *sb, *ovs;
    const struct hypervisor *hypervisor;
    const struct uuid *chassis; /* our Chassis row, NULL: not there yet */
    const char *name;           /* of our chassis */
    uint64_t generation;        /* of the flows that are published: those of the present rows */
    uint64_t confirmed;         /* generation of flows that is in the switch */
    const struct ids *ids;
    int64_t now_ms, wall_ms;
};

void binding_init(struct binding *binding);
void binding_fini(struct binding *binding);
/* Takes in the changes of the claim collection (watched). */
void binding_take_claims(struct binding *binding, struct inc *inc, const struct program *program);
/* A row of Port_Binding came, changed or went. */
void binding_row_changed(struct binding *binding, const struct uuid *port);
/* Our chassis row is another one, or SB is another database: looks at every claim again. */
void binding_check_all(struct binding *binding);
/* Writes as far as the writers are ready. */
void binding_write(struct binding *binding, const struct binding_state *state, struct writer *sb,
                   struct writer *ovs);
