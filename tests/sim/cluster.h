/* cluster.h - a whole cluster in one process on virtual time: the daemons themselves, as libraries, each with a loop of its own.
 *
 *     nbctl (user.h) --> weft-northd with both databases, or weft-dbd and two weft-northds (central.h)
 *                              |  link (link.h): delayed, cut, stalled
 *     vsctl ---------> weft-switchd, weft-controller of each hypervisor --- wire (wire.h) --- the other switches
 *     probe.h: packets into the dummy ports of the real switches, and what comes out of which
 *
 * Time stands while anybody has something to do, and then moves to the earliest timer, so a minute of a cluster costs what its
 * work costs. What the daemons ask of the world (time, randomness, sockets' contents, the order in which they run) comes from the
 * seed, so a run repeats. Their databases are files in a directory of the run, their connections unix sockets there.
 *
 * A kill drops the daemon between two turns of its loop: what it had written stays, all else is gone, and its peers see their
 * connections end. loop_free checks that it left no timer and no deferred call; ASan, that it left no memory.
 */
#pragma once

#include "base/env.h"
#include "base/vec.h"
#include "controller/controller.h"
#include "daemon/daemon.h"
#include "sim/central.h"
#include "sim/link.h"
#include "sim/user.h"
#include "sim/wire.h"
#include "switchd/switchd.h"

enum { SECOND_US = 1000000 };

struct hypervisor {
    struct cluster *cluster;
    unsigned no;
    char *name, *dir;
    struct switchd switchd;
    struct daemon *switchd_daemon; /* NULL: killed */
    struct controller *controller; /* NULL: killed */
    struct loop *controller_loop;
    struct link *sb; /* between the controller and the southbound database */
    struct link *of; /* between the controller and its bridge */
    struct user *vsctl;
    struct wire_end wire;
};

struct cluster {
    uint64_t seed;
    bool is_loud;           /* SIM_LOG=1 */
    char *repeat;           /* the command that repeats the run */
    struct env_seeded time; /* what the daemons see */
    uint64_t creep_us; /* each look at the clock may take so long: slices of work end in between */
    struct env_seeded chance;              /* what the simulation does with them */
    unsigned fault_percent, quiet_percent; /* of the steps of this run */
    int64_t max_pause_us;                  /* between two steps */
    char *dir;
    struct loop *loop; /* of users, links and the wire */
    struct wire wire;
    struct central central;
    struct user *nbctl, *sbctl;
    VEC(struct hypervisor *) hvs;
    VEC(struct loop *) loops; /* of all that run, in the order of the next round */
    const char *doing;        /* for messages */
};

/* Starts everything and waits until all hypervisors are registered. */
struct cluster *cluster_new(uint64_t seed, unsigned n_hypervisors, const char *repeat);
void cluster_free(struct cluster *c);
uint64_t cluster_pick(struct cluster *c, uint64_t n); /* chance: below N */
bool cluster_is_likely(struct cluster *c, unsigned percent);
/* Says what is wrong, with the seed and the command that repeats the run, and ends the process. */
_Noreturn void cluster_fail(struct cluster *c, const char *format, ...) PRINTF_FORMAT(2, 3);

void cluster_turn(struct cluster *c); /* until nobody has anything to do at this time */
void cluster_run(struct cluster *c, int64_t us);
/* Lets time pass until DONE(aux); fails after US with the words of WHAT. */
void cluster_wait(struct cluster *c, int64_t us, bool (*done)(void *aux), void *aux,
                  const char *what);

/* Starts a daemon in DIR, and kills it. */
struct daemon *cluster_embed(struct cluster *c, const char *dir, char **argv,
                             const struct daemon_spec *spec, void *aux);
void cluster_end(struct cluster *c, struct daemon **daemon);
void hypervisor_start_switchd(struct hypervisor *hv);
void hypervisor_kill_switchd(struct hypervisor *hv);
void hypervisor_start_controller(struct hypervisor *hv);
void hypervisor_kill_controller(struct hypervisor *hv);
