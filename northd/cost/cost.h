/* cost.h - what a change of NB would cost, worked out without making it (rooms 1 to 7 of docs/architecture.md).
 *
 * The change is supposed: fed to the engine, settled, looked at and taken back. Each logical flow that comes or goes is counted on every
 * hypervisor that has its datapath, as many times as its match has OpenFlow flows there; hairpin flows of load balancers are counted too. Not
 * counted: what controllers make of ports, neighbours and groups by themselves, and that two logical flows may share an OpenFlow flow.
 *
 *     reach.c    which hypervisors have a datapath      flows.c    how many flows one match is there
 */
#pragma once

#include "northd/program.h"
#include "northd/publish/publisher.h"

enum { COST_MORE, COST_LESS };

struct cost {
    uint64_t lflows[2], flows[2]; /* by COST_MORE, COST_LESS */
    size_t hypervisors;           /* that have a datapath with a flow that comes or goes */
};

/* ---- reach.c ---- */
struct cost_reach;

struct cost_reach *cost_reach_new(struct northd_program *program, const struct publisher *pub,
                                  struct replica *sb);
void cost_reach_free(struct cost_reach *reach);
struct cost_chassis {
    const struct uuid *v;
    size_t n;
};
/* The hypervisors that have the datapath with tunnel key DATAPATH, in no order; valid until the next call. */
struct cost_chassis cost_reach_of(struct cost_reach *reach, uint32_t datapath);
/* Is port NAME bound at CHASSIS? */
bool cost_is_bound(const struct cost_reach *reach, const char *name, const struct uuid *chassis);
/* The binding of port NAME, or NULL. */
const struct row *cost_port_row(const struct cost_reach *reach, const char *name);

/* ---- flows.c ---- */
/* How many OpenFlow flows F is on the hypervisors AT, which have its datapath with tunnel key DATAPATH. */
uint64_t cost_count_flows(struct cost_reach *reach, struct northd_program *program,
                          struct replica *sb, const struct fact_lflow *f, uint32_t datapath,
                          struct cost_chassis at);
/* How many a load balancer is that a hypervisor with N_SWITCHES of its switches has. */
uint64_t cost_count_hairpins(const struct row *lb, size_t n_switches);

/* ---- cost.c ---- */
/* Of CS, which the NB replica has not seen. ENGINE is settled, and the publisher has taken in all. */
void cost_of(struct northd_program *program, struct inc *inc, struct feed *feed,
             const struct publisher *pub, struct replica *sb, const struct changeset *cs,
             struct cost *ret);
