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
    bool is_made;  /* scope_update was called */
    bool is_stale; /* local datapaths, interfaces or groups of datapaths may have changed */
    bool
        is_early; /* nothing has been published since it was made: the engine may yet come back to what it was before */
    int64_t late_ms; /* when scope_watch is due, for interfaces that have time; 0: there are none */
    bool monitor_all;
    struct uuid self; /* zero: none */
    struct scope_lists lists;
    size_t
        n_asked; /* of the datapaths: the logical flows of the first so many have been asked for */
    /* newcomers.c: names of interfaces that the conditions name, by address, and how many of these have gone; those that came since; rows that
     * are there for these. */
    VEC(struct rstr *) asked, watched;
    size_t n_gone;
    VEC(struct uuid) found;
    struct replica_source *source; /* of an OVSDB server; NULL: it cannot watch */
};

/* Was it made for another configuration? */
bool scope_is_other(const struct scope *scope, const struct config *config,
                    const struct uuid *self);

/* Sets the conditions of all tables from the settled engine. Without Chassis row (SELF NULL) no claims of ours are asked for. */
void scope_update(struct scope *scope, const struct config *config, const struct program *program,
                  const struct inc *inc, struct replica *sb, const struct uuid *self);
/* An interface has come or gone. True: it has to be asked, by scope_watch, whether there are ports for it that are not here. */
bool scope_note_iface(struct scope *scope, struct rstr *name, bool added);
void scope_watch(struct scope *scope, const struct replica *sb);
/* A row for an interface that was watched for, NULL: there may be any; and whether one of them is not here, as far as not told yet. */
void scope_found(struct scope *scope, const struct uuid *port);
bool scope_has_news(struct scope *scope, const struct replica *sb);
/* Of scope_update and scope_clear: all interfaces are named by conditions from now on; or nothing is. */
void scope_ask_ifaces(struct scope *scope, const struct program *program, const struct inc *inc,
                      const struct replica *sb);
void scope_forget_ifaces(struct scope *scope);
/* Asks for the next portion of logical flows, if there is one; true: it was asked for. */
bool scope_ask_more(struct scope *scope, struct replica *sb);
/* Another database follows, or nothing. */
void scope_clear(struct scope *scope);
