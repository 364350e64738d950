/* scope.h - which rows of the southbound database this hypervisor asks for: those of its local datapaths, and what leads to them.
 *
 * Beside room 5 of docs/architecture.md. With ovn-monitor-all everything is asked for. Datapaths become local as rows arrive, so
 * a change of scope may take several rounds; meanwhile nothing is published: what was local stays in force until what takes its place is complete.
 */
#pragma once

#include "controller/chassis/config.h"
#include "controller/program.h"

struct scope {
    bool is_stale;   /* local datapaths, interfaces or groups of datapaths may have changed */
    int64_t late_ms; /* when it will be, for interfaces that have time; 0: there are none */
    bool monitor_all;
    struct uuid self; /* zero: none */
};

/* Was it made for another configuration? */
bool scope_is_other(const struct scope *scope, const struct config *config,
                    const struct uuid *self);

/* Sets the conditions of all tables from the settled engine. Without Chassis row (SELF NULL) no claims of ours are asked for. */
void scope_update(struct scope *scope, const struct config *config, const struct program *program,
                  const struct inc *inc, struct replica *sb, const struct uuid *self);
