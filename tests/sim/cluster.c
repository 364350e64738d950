/* cluster.c - see cluster.h: starts, turns and kills the daemons. */
#include "sim/cluster.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "sim/flows.h"

enum { MAX_ROUNDS = 1000000, START_US = 60 * SECOND_US };

_Noreturn void cluster_fail(struct cluster *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fflush(stdout);
    fprintf(stderr, "\nsim: FAILED at %.6f s, %s: ", (double)c->time.now_us / 1e6,
            c->doing ? c->doing : "starting");
    vfprintf(stderr, format, args);
    fprintf(stderr, "\nsim: files are in %s\nsim: seed %llu; repeat with: %s\n", c->dir,
            (unsigned long long)c->seed, c->repeat);
    va_end(args);
    for (size_t i = 0; i < c->hvs.n; i++)
        if (c->hvs.data[i]->switchd_daemon && vswitch_bridge(&c->hvs.data[i]->switchd.vs, "br-int"))
            flows_write(c->hvs.data[i]);
    fflush(stderr);
    _Exit(1);
}

uint64_t cluster_pick(struct cluster *c, uint64_t n)
{
    return env_random_u64(&c->chance.env) % n;
}

bool cluster_is_likely(struct cluster *c, unsigned percent)
{
    return cluster_pick(c, 100) < percent;
}

/* --- Time */

static void add_loop(struct cluster *c, struct loop *loop)
{
    vec_push(&c->loops, loop);
}

static void remove_loop(struct cluster *c, const struct loop *loop)
{
    for (size_t i = 0; i < c->loops.n; i++)
        if (c->loops.data[i] == loop) {
            vec_remove(&c->loops, i);
            return;
        }
}

/* Who runs before whom is chance: two processes that are ready have no order. */
static void shuffle(struct cluster *c)
{
    for (size_t i = c->loops.n; i > 1; i--) {
        size_t k = cluster_pick(c, i);
        struct loop *loop = c->loops.data[k];
        c->loops.data[k] = c->loops.data[i - 1];
        c->loops.data[i - 1] = loop;
    }
}

void cluster_turn(struct cluster *c)
{
    bool any = true;
    for (unsigned rounds = 0; any; rounds++) {
        if (rounds > MAX_ROUNDS)
            cluster_fail(c, "the daemons have been busy for %u rounds without any time passing",
                         rounds);
        any = false;
        shuffle(c);
        for (size_t i = 0; i < c->loops.n; i++)
            any |= loop_run_once(c->loops.data[i], 0);
    }
}

static int64_t next_us(struct cluster *c)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < c->loops.n; i++)
        next = MIN(next, loop_next_us(c->loops.data[i]));
    return next;
}

/* To the next timer, but not beyond END; true when there. */
static bool step(struct cluster *c, int64_t end)
{
    int64_t next = next_us(c);
    c->time.now_us = MAX(c->time.now_us, MIN(next, end));
    cluster_turn(c);
    return c->time.now_us >= end;
}

void cluster_run(struct cluster *c, int64_t us)
{
    int64_t end = c->time.now_us + us;
    cluster_turn(c);
    while (!step(c, end))
        ;
}

void cluster_wait(struct cluster *c, int64_t us, bool (*done)(void *aux), void *aux,
                  const char *what)
{
    int64_t end = c->time.now_us + us;
    cluster_turn(c);
    while (!done(aux))
        if (step(c, end) && !done(aux))
            cluster_fail(c, "%s: not within %lld s", what, (long long)(us / SECOND_US));
}

/* --- Daemons */

struct daemon *cluster_embed(struct cluster *c, const char *dir, char **argv,
                             const struct daemon_spec *spec, void *aux)
{
    struct diag diag = DIAG_INIT;
    int argc = 0;
    while (argv[argc])
        argc++;
    struct daemon *daemon = daemon_embed(&c->time.env, dir, argc, argv, spec, aux, &diag);
    if (!daemon)
        cluster_fail(c, "%s does not start: %s", argv[0], diag_text(&diag));
    diag_fini(&diag);
    add_loop(c, daemon_loop(daemon));
    return daemon;
}

void cluster_end(struct cluster *c, struct daemon **daemon)
{
    if (!*daemon)
        return;
    remove_loop(c, daemon_loop(*daemon));
    daemon_embed_free(*daemon);
    *daemon = NULL;
}

void hypervisor_start_switchd(struct hypervisor *hv)
{
    char program[] = "weft-switchd", option[] = "--enable-dummy=override";
    char *argv[] = {program, option, NULL};
    memset(&hv->switchd, 0, sizeof hv->switchd);
    hv->switchd.wire = &hv->wire.wire;
    hv->switchd_daemon = cluster_embed(hv->cluster, hv->dir, argv, &switchd_spec, &hv->switchd);
    hv->wire.host = &hv->switchd.vs.host;
}

void hypervisor_kill_switchd(struct hypervisor *hv)
{
    hv->wire.host = NULL;
    user_disconnect(hv->vsctl);
    cluster_end(hv->cluster, &hv->switchd_daemon);
}

void hypervisor_start_controller(struct hypervisor *hv)
{
    struct cluster *c = hv->cluster;
    struct diag diag = DIAG_INIT;
    char *db = xasprintf("unix:%s/db.sock", hv->dir);
    hv->controller_loop = loop_new(&c->time.env);
    struct controller_options options = {
        .loop = hv->controller_loop, .switch_db = db, .rundir = hv->dir};
    hv->controller = controller_new(&options, &diag);
    if (!hv->controller)
        cluster_fail(c, "weft-controller does not start: %s", diag_text(&diag));
    diag_fini(&diag);
    free(db);
    add_loop(c, hv->controller_loop);
}

void hypervisor_kill_controller(struct hypervisor *hv)
{
    if (!hv->controller)
        return;
    remove_loop(hv->cluster, hv->controller_loop);
    controller_free(hv->controller);
    loop_free(hv->controller_loop);
    hv->controller = NULL;
    hv->controller_loop = NULL;
}

/* --- The whole */

static char *socket_target(const char *kind, const char *dir, const char *name)
{
    return xasprintf("%sunix:%s/%s", kind, dir, name);
}

static void configure(struct hypervisor *hv)
{
    json_t *done = user_transact(
        hv->vsctl,
        "{\"op\":\"insert\",\"table\":\"Open_vSwitch\",\"row\":{\"external_ids\":[\"map\",["
        "[\"system-id\",\"%s\"],[\"hostname\",\"%s\"],[\"ovn-remote\",\"unix:%s/sb.sock\"],"
        "[\"ovn-remote-probe-interval\",\"5000\"],"
        "[\"ovn-bridge-remote\",\"unix:%s/of.sock\"],"
        "[\"ovn-encap-type\",\"geneve\"],[\"ovn-encap-ip\",\"192.0.2.%u\"],"
        "[\"ovn-bridge-mappings\",\"outside:br-ex\"]]],\"bridges\":[\"named-uuid\",\"b\"]}},"
        "{\"op\":\"insert\",\"table\":\"Bridge\",\"uuid-name\":\"b\",\"row\":{\"name\":\"br-ex\","
        "\"ports\":[\"set\",[[\"named-uuid\",\"p\"],[\"named-uuid\",\"q\"]]]}},"
        "{\"op\":\"insert\",\"table\":\"Port\",\"uuid-name\":\"p\",\"row\":{\"name\":\"br-ex\","
        "\"interfaces\":[\"named-uuid\",\"i\"]}},"
        "{\"op\":\"insert\",\"table\":\"Port\",\"uuid-name\":\"q\",\"row\":{\"name\":\"x%u\","
        "\"interfaces\":[\"named-uuid\",\"x\"]}},"
        "{\"op\":\"insert\",\"table\":\"Interface\",\"uuid-name\":\"i\",\"row\":{\"name\":\"br-"
        "ex\","
        "\"type\":\"internal\"}},"
        "{\"op\":\"insert\",\"table\":\"Interface\",\"uuid-name\":\"x\",\"row\":{\"name\":\"x%u\","
        "\"type\":\"dummy\"}}",
        hv->name, hv->name, hv->dir, hv->dir, hv->no + 1, hv->no, hv->no);
    json_decref(done);
}

static void add_hypervisor(struct cluster *c, unsigned no)
{
    struct hypervisor *hv = NEW(struct hypervisor);
    hv->cluster = c;
    hv->no = no;
    hv->name = xasprintf("hv%u", no);
    hv->dir = xasprintf("%s/%s", c->dir, hv->name);
    mkdir(hv->dir, 0755);
    wire_attach(&c->wire, &hv->wire, ip_addr_from_v4(swap32(0xc0000200 | (no + 1))));
    char *listen = socket_target("p", hv->dir, "sb.sock");
    char *central = xasprintf("%s/central", c->dir);
    char *sb = socket_target("", central, "ovnsb_db.sock");
    char *db = socket_target("", hv->dir, "db.sock");
    hv->sb = link_new(c, listen, sb);
    char *of = socket_target("p", hv->dir, "of.sock");
    char *bridge = socket_target("", hv->dir, "br-int.mgmt");
    hv->of = link_new(c, of, bridge);
    hv->vsctl = user_new(c, hv->name, db, "Open_vSwitch");
    vec_push(&c->hvs, hv);
    hypervisor_start_switchd(hv);
    configure(hv);
    hypervisor_start_controller(hv);
    free(listen);
    free(central);
    free(sb);
    free(db);
    free(of);
    free(bridge);
}

static bool has_all_chassis(void *c_)
{
    struct cluster *c = c_;
    return user_count(c->sbctl, "Chassis") == c->hvs.n;
}

static int64_t creeping_us(struct env *env)
{
    struct cluster *c = CONTAINER_OF(env, struct cluster, time.env);
    c->time.now_us += (int64_t)cluster_pick(c, c->creep_us + 1);
    return c->time.now_us;
}

/* Each run has a manner of its own. */
static void choose_manner(struct cluster *c, bool *is_split)
{
    static const unsigned creeps[] = {0, 0, 20, 500}, faults[] = {0, 5, 10, 30},
                          quiets[] = {3, 5, 10}, pauses_ms[] = {10, 300, 3000, 10000};
#define ANY(V) (V)[cluster_pick(c, ARRAY_SIZE(V))]
    c->creep_us = ANY(creeps);
    c->fault_percent = ANY(faults);
    c->quiet_percent = ANY(quiets);
    c->max_pause_us = (int64_t)ANY(pauses_ms) * 1000;
    *is_split = cluster_is_likely(c, 50);
    printf("sim: %s; %u%% faults, at rest after %u%% of the steps, pauses up to %lld ms, clock "
           "reads up to %llu us\n",
           *is_split ? "two northds and a server of the databases" : "one northd", c->fault_percent,
           c->quiet_percent, (long long)c->max_pause_us / 1000, (unsigned long long)c->creep_us);
    if (c->creep_us)
        c->time.env.monotonic_us = creeping_us;
}

struct cluster *cluster_new(uint64_t seed, unsigned n_hypervisors, const char *repeat)
{
    struct cluster *c = NEW(struct cluster);
    c->seed = seed;
    c->repeat = xstrdup(repeat);
    c->is_loud = getenv("SIM_LOG") != NULL;
    env_seeded_init(&c->time, seed);
    env_seeded_init(&c->chance, ~seed);
    c->time.env.one_thread = true;
    bool is_split;
    choose_manner(c, &is_split);
    const char *tmp = getenv("TMPDIR");
    c->dir = xasprintf("%s/weft-sim.XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(c->dir))
        bug("%s: cannot be made", c->dir);
    char *central = xasprintf("%s/central", c->dir);
    c->loop = loop_new(&c->time.env);
    add_loop(c, c->loop);
    wire_init(&c->wire, c);
    char *nb = socket_target("", central, "ovnnb_db.sock");
    char *sb = socket_target("", central, "ovnsb_db.sock");
    c->nbctl = user_new(c, "northbound", nb, "OVN_Northbound");
    c->sbctl = user_new(c, "southbound", sb, "OVN_Southbound");
    central_start(&c->central, c, is_split);
    for (unsigned i = 0; i < n_hypervisors; i++)
        add_hypervisor(c, i);
    cluster_wait(c, START_US, has_all_chassis, c, "all hypervisors registered");
    free(central);
    free(nb);
    free(sb);
    return c;
}

static void hypervisor_free(struct hypervisor *hv)
{
    hypervisor_kill_controller(hv);
    hypervisor_kill_switchd(hv);
    user_free(hv->vsctl);
    link_free(hv->sb);
    link_free(hv->of);
    free(hv->name);
    free(hv->dir);
    free(hv);
}

static void remove_files(const char *dir)
{
    char *command = xasprintf("rm -rf '%s'", dir);
    if (system(command))
        fprintf(stderr, "sim: %s stays\n", dir);
    free(command);
}

void cluster_free(struct cluster *c)
{
    for (size_t i = 0; i < c->hvs.n; i++)
        hypervisor_free(c->hvs.data[i]);
    central_stop(&c->central);
    user_free(c->nbctl);
    user_free(c->sbctl);
    wire_fini(&c->wire);
    remove_loop(c, c->loop);
    loop_free(c->loop);
    remove_files(c->dir);
    vec_fini(&c->hvs);
    vec_fini(&c->loops);
    free(c->repeat);
    free(c->dir);
    free(c);
}
