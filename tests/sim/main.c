/* main.c - a cluster's life: sim_cluster SEED STEPS SIZE. See cluster.h.
 *
 * STEPS random edits and faults on a cluster of SIZE hypervisors; now and then it is let come to rest, and then all of check.h must hold
 * and packets must go where the model says. In the end everything is taken back, and the amounts must be those of the beginning.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/personality.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "sim/check.h"
#include "sim/failover.h"
#include "sim/life.h"
#include "sim/probe.h"

enum { PROBES = 60 };

struct sim {
    struct cluster *cluster;
    struct net *net;
    struct probe_counts probes;
    unsigned n_steps, n_quiet;
};

/* Interned values are ordered by where they lie in memory here and there: a run that repeats needs memory that does. */
static void fix_addresses(char **argv)
{
    int old = personality(0xffffffff);
    if (old < 0 || old & ADDR_NO_RANDOMIZE)
        return;
    if (personality((unsigned long)old | ADDR_NO_RANDOMIZE) >= 0)
        execv("/proc/self/exe", argv);
}

static void come_to_rest(struct sim *sim)
{
    struct cluster *c = sim->cluster;
    life_heal(c);
    c->doing = "at rest";
    check_quiet(sim->net);
    probe_some(sim->net, PROBES, &sim->probes);
    check_quiet(sim->net);
    check_incremental(sim->net);
    if (cluster_is_likely(c, 20))
        check_fresh_controllers(sim->net);
    if (cluster_is_likely(c, 20))
        check_take_over(sim->net);
    if (cluster_is_likely(c, 20))
        check_switch_restart(sim->net);
    if (cluster_is_likely(c, 20))
        failover_try(sim->net, PROBES / 2, &sim->probes);
    sim->n_quiet++;
}

static bool has_bridges(void *c_)
{
    struct cluster *c = c_;
    for (size_t i = 0; i < c->hvs.n; i++)
        if (!vswitch_bridge(&c->hvs.data[i]->switchd.vs, "br-int"))
            return false;
    return true;
}

/* An edit or a fault. What follows comes at once or a little later. */
static void one_step(struct sim *sim)
{
    struct cluster *c = sim->cluster;
    if (cluster_is_likely(c, c->fault_percent))
        life_fault(sim->net);
    else
        life_edit(sim->net);
    if (c->is_loud)
        fprintf(stderr, "sim: %.6f s: %s\n", (double)c->time.now_us / 1e6, c->doing);
    if (cluster_is_likely(c, 50))
        cluster_run(c, (int64_t)cluster_pick(c, (uint64_t)c->max_pause_us));
}

static void run(struct sim *sim)
{
    struct amounts before;
    cluster_wait(sim->cluster, 60 * SECOND_US, has_bridges, sim->cluster, "integration bridges");
    sim->net = net_new(sim->cluster);
    check_quiet(sim->net);
    before = check_count(sim->net);
    life_begin(sim->net);
    for (unsigned i = 0; i < sim->n_steps; i++) {
        one_step(sim);
        if (cluster_is_likely(sim->cluster, sim->cluster->quiet_percent))
            come_to_rest(sim);
    }
    come_to_rest(sim);
    sim->cluster->doing = "taking everything back";
    net_clear(sim->net);
    check_quiet(sim->net);
    check_equal_amounts(sim->net, &before);
    net_free(sim->net);
}

static uint64_t number(char **argv, int i, uint64_t max)
{
    uint64_t n;
    if (text_to_u64(argv[i], 10, &n) || n > max) {
        fprintf(stderr, "sim_cluster: \"%s\" is not a number up to %llu\n", argv[i],
                (unsigned long long)max);
        exit(2);
    }
    return n;
}

/* The digest is the same for two runs that went the same way. */
static void say_end(const struct sim *sim)
{
    const struct cluster *c = sim->cluster;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    double cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
                 (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    printf(
        "sim: %u quiet points; %llu packets sent, %llu came out, as the model says; %.0f s of the "
        "cluster in %.1f s of CPU; digest %016llx\n",
        sim->n_quiet, (unsigned long long)sim->probes.sent,
        (unsigned long long)sim->probes.delivered, (double)c->time.now_us / 1e6, cpu,
        (unsigned long long)(c->time.state ^ c->chance.state ^ (uint64_t)c->time.now_us));
}

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: sim_cluster SEED STEPS SIZE\n");
        return 2;
    }
    fix_addresses(argv);
    log_set_stderr(getenv("SIM_LOG") != NULL);
    uint64_t seed = number(argv, 1, UINT64_MAX), size = number(argv, 3, 100);
    char *repeat = xasprintf("%s %s %s %s", argv[0], argv[1], argv[2], argv[3]);
    printf("sim: seed %s, %s steps, %s hypervisors\n", argv[1], argv[2], argv[3]);
    struct sim sim = {.cluster = cluster_new(seed, (unsigned)size, repeat),
                      .n_steps = (unsigned)number(argv, 2, 1000000)};
    run(&sim);
    say_end(&sim);
    cluster_free(sim.cluster);
    free(repeat);
    return 0;
}
