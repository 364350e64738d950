/* stops.c - how long packets wait for the switch's other work: the longest turn of its loop, by CPU time, while a client dumps flows,
 * adds them one by one, adds and replaces them in bundles, with groups too, and deletes them. Ports are served once a turn. Prints JSON lines.
 *
 * usage: bench_stops WEFT-OFCTL N...     of N flows each
 */
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "switchd/heap.h"
#include "switchd/ofserver.h"
#include "switchd/vswitch.h"

struct bench {
    const char *ofctl;
    char dir[32];
    struct loop *loop;
    struct counters *counters;
    struct vswitch vs;
    struct bridge *br;
};

static int64_t cpu_us(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return ts.tv_sec * INT64_C(1000000) + ts.tv_nsec / 1000;
}

static void bench_init(struct bench *b)
{
    strcpy(b->dir, "/tmp/weft-stops.XXXXXX");
    INVARIANT(mkdtemp(b->dir));
    b->loop = loop_new(env_real());
    b->counters = counter_set_new();
    vswitch_init(&b->vs, b->loop, b->counters, b->dir);
    b->br = bridge_new(&b->vs, "br0");
    b->br->secure = true;
    char *management = xasprintf("punix:%s/br0.mgmt", b->dir);
    INVARIANT(!ofserver_new(b->br, management, &b->br->of, NULL));
    free(management);
}

static void bench_fini(struct bench *b)
{
    vswitch_fini(&b->vs);
    counter_set_free(b->counters);
    loop_free(b->loop);
    INVARIANT(!rmdir(b->dir));
}

/* A file of N flows of a real table's form, whose actions output to PORT. */
static char *flows_file(const struct bench *b, unsigned n, unsigned port)
{
    char *path = xasprintf("%s/flows", b->dir);
    FILE *f = fopen(path, "w");
    INVARIANT(f);
    for (unsigned i = 0; i < n; i++)
        fprintf(f,
                "table=%u,priority=%u,ip,metadata=0x%x,nw_dst=10.%u.%u.%u,actions=load:%u->NXM_NX_"
                "REG0[],output:%u\n",
                i % 20, 100 + i % 3, i % 50, i >> 16, i >> 8 & 255, i & 255, i, port);
    fclose(f);
    return path;
}

/* The same for a bundle that first does WHAT to groups, by which all flows output. */
static char *groups_file(const struct bench *b, unsigned n, const char *what, unsigned port)
{
    enum { GROUPS = 1000 };
    char *path = xasprintf("%s/flows", b->dir);
    FILE *f = fopen(path, "w");
    INVARIANT(f);
    for (unsigned i = 0; i < GROUPS; i++)
        fprintf(f, "group %s group_id=%u,type=select,bucket=output:%u,bucket=output:%u\n", what, i,
                port, port + 1);
    for (unsigned i = 0; i < n; i++)
        fprintf(f, "flow add table=%u,ip,metadata=0x%x,nw_dst=10.%u.%u.%u,actions=group:%u\n",
                i % 20, i % 50, i >> 16, i >> 8 & 255, i & 255, i % GROUPS);
    fclose(f);
    return path;
}

/* Runs weft-ofctl with ARGUMENTS against the bridge; prints the longest turn meanwhile, and the CPU time of all of them. */
static void measure(struct bench *b, const char *name, unsigned n, const char *arguments)
{
    char *command = xasprintf("%s %s >/dev/null", b->ofctl, arguments);
    int64_t longest = 0, begin = cpu_us();
    char *const args[] = {(char[]){"sh"}, (char[]){"-c"}, command, NULL};
    pid_t pid;
    int status =
        posix_spawn(&pid, "/bin/sh", NULL, NULL, args, environ); /* a fork would make memory dear */
    INVARIANT(!status);
    while (waitpid(pid, &status, WNOHANG) != pid) {
        int64_t start = cpu_us();
        loop_run_once(b->loop, 1000);
        longest = MAX(longest, cpu_us() - start);
    }
    INVARIANT(WIFEXITED(status) && !WEXITSTATUS(status));
    printf(
        "{\"name\": \"longest_stop_%s_%u\", \"unit\": \"ms\", \"ours\": %.3f, \"cpu_ms\": %.1f}\n",
        name, n, (double)longest / 1000, (double)(cpu_us() - begin) / 1000);
    fflush(stdout);
    free(command);
}

static void with_flows(struct bench *b, unsigned n)
{
    static const struct {
        const char *name, *arguments; /* of the bridge's socket and the file of flows */
    } steps[] = {
        {"add", "add-flows %s %s"},
        {"dump", "dump-flows %s"},
        {"aggregate", "dump-aggregate %s"},
        {"tables", "dump-tables %s"},
        {"replace", "-O OpenFlow14 --bundle add-flows %s %s"},
        {"delete", "del-flows %s"},
        {"bundle", "-O OpenFlow14 --bundle add-flows %s %s"},
    };
    char *target = xasprintf("unix:%s/br0.mgmt", b->dir);
    for (unsigned i = 0; i < ARRAY_SIZE(steps); i++) {
        char *file = flows_file(b, n, i + 1);
        char *arguments = xasprintf(steps[i].arguments, target, file);
        measure(b, steps[i].name, n, arguments);
        unlink(file);
        free(file);
        free(arguments);
    }
    char *arguments = xasprintf("del-flows %s", target);
    measure(b, "delete_again", n, arguments);
    free(arguments);
    for (unsigned i = 0; i < 2; i++) {
        char *file = groups_file(b, n, i ? "modify" : "add", 1 + i);
        arguments = xasprintf("-O OpenFlow14 bundle %s %s", target, file);
        measure(b, i ? "replace_with_groups" : "bundle_with_groups", n, arguments);
        unlink(file);
        free(file);
        free(arguments);
    }
    arguments = xasprintf("-O OpenFlow14 del-groups %s", target);
    measure(b, "delete_groups", n, arguments);
    INVARIANT(!b->br->tables.n_rules);
    free(arguments);
    free(target);
}

int main(int argc, char **argv)
{
    if (argc < 3) {
        fprintf(stderr, "usage: bench_stops WEFT-OFCTL N...\n");
        return 2;
    }
    signal(SIGPIPE, SIG_IGN);
    heap_init();
    log_set_level(NULL, LOG_ERR);
    for (int i = 2; i < argc; i++) {
        struct bench b = {.ofctl = argv[1]};
        bench_init(&b);
        with_flows(&b, (unsigned)atoi(argv[i]));
        bench_fini(&b);
    }
    return 0;
}
