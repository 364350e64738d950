/* scope.h - which rows of the southbound database this hypervisor asks for: those of its local datapaths, and what leads to them.
 *
 * Beside room 5 of docs/architecture.md. With ovn-monitor-all everything is asked for. Datapaths become local as rows arrive, so
 * a change of scope may take several rounds; meanwhile nothing is published: what was local stays in force until what takes its place is complete.
 * Logical flows of many new datapaths are asked for in portions: an answer as text and as values is several times the size of its rows, and
 * while one is compiled the database makes the next.
 */
#pragma once

#include "base/vec.h"
#include "controller/chassis/config.h"
#include "controller/program.h"

/* What conditions are made from, in order, so that equal scopes are equal conditions. */
struct scope_lists {
    VEC(struct uuid) datapaths, groups;
    VEC(uint32_t) keys; /* of the datapaths */
};

struct scope {
    bool is_made;    /* scope_update was called */
    bool is_stale;   /* local datapaths, interfaces or groups of datapaths may have changed */
    int64_t late_ms; /* when it will be, for interfaces that have time; 0: there are none */
    bool monitor_all;
    struct uuid self; /* zero: none */
    struct scope_lists lists;
    size_t
        n_asked; /* of the datapaths: the logical flows of the first so many have been asked for */
};

/* Was it made for another configuration? */
bool scope_is_other(const struct scope *scope, const struct config *config,
                    const struct uuid *self);

/* Sets the conditions of all tables from the settled engine. Without Chassis row (SELF NULL) no claims of ours are asked for. */
void scope_update(struct scope *scope, const struct config *config, const struct program *program,
                  const struct inc *inc, struct replica *sb, const struct uuid *self);
/* Asks for the next portion of logical flows, if there is one; true: it was asked for. */
bool scope_ask_more(struct scope *scope, struct replica *sb);
/* Another database follows, or nothing. */
void scope_clear(struct scope *scope);
