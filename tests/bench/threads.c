/* threads.c - bench of forwarding threads without the kernel: what two of them carry to what one does, of packets that the caches know. Ports are memory: each has
 * packets whenever somebody looks. On a machine with two free processors nothing but what the threads share keeps the second from doubling the rate.
 *
 * usage: bench_threads [--quick]      Prints JSON lines.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "flow/rewrite.h"
#include "openflow/text.h"
#include "switchd/forward/forwarder.h"
#include "switchd/megaflow.h"
#include "switchd/port/dummy.h"
#include "switchd/vswitch.h"

enum { PORTS = 2, FLOWS = 16, TURNS = 5 };

struct memory_port {
    struct port up;
    int fd; /* readable while packets come */
    struct port_watch *watch;
    struct packet packets[FLOWS];
    uint64_t n_received;
    char apart[128];
};

static void memory_readable(void *port_, unsigned events UNUSED)
{
    struct memory_port *port = port_;
    for (size_t i = 0; i < PORT_BATCH; i++) {
        struct packet *p = port_packet(port->up.host, i);
        const struct packet *from = &port->packets[i % FLOWS];
        memcpy(p->data, from->data, from->size);
        p->size = from->size;
    }
    port->n_received += PORT_BATCH;
    port_receive(&port->up, PORT_BATCH);
}

static int memory_send(struct port *port UNUSED, struct port_out *out UNUSED,
                       const struct packet *packet UNUSED, const struct dp_tunnel *tunnel UNUSED,
                       bool last UNUSED)
{
    return 0;
}

static void memory_close(struct port *port_)
{
    struct memory_port *port = CONTAINER_OF(port_, struct memory_port, up);
    port_watch_free(port->watch);
    close(port->fd);
    for (unsigned i = 0; i < FLOWS; i++)
        packet_fini(&port->packets[i]);
    port_fini(port_);
    free(port);
}

static const struct port_class memory_class = {
    .type = "memory", .send = memory_send, .close = memory_close, .parallel = true};

static void make_packets(struct memory_port *port, unsigned number)
{
    struct flow_key key;
    memset(&key, 0, sizeof key);
    key_set(&key, FIELD_ETH_SRC, 0x020000000001);
    key_set(&key, FIELD_ETH_DST, 0x020000000002);
    key_set(&key, FIELD_ETH_TYPE, ETH_TYPE_IP);
    key_set(&key, FIELD_IP_SRC, 0x0a000001 + number);
    key_set(&key, FIELD_IP_DST, 0x0a000101);
    key_set(&key, FIELD_IP_PROTO, IP_PROTO_UDP);
    key_set(&key, FIELD_UDP_DST, 53);
    for (unsigned i = 0; i < FLOWS; i++) {
        key_set(&key, FIELD_UDP_SRC, 1000 + i);
        packet_init(&port->packets[i]);
        packet_compose(&port->packets[i], &key, 18);
    }
}

static struct memory_port *port_new(struct vswitch *vs, struct vport *vport, unsigned number)
{
    struct memory_port *port = NEW(struct memory_port);
    port_init(&port->up, &memory_class, &vs->host, vport->name);
    port->up.status = vport->dev->status;
    port->up.owner = vport;
    port->up.any_thread = true;
    port_close(vport->dev);
    vport->dev = &port->up;
    port->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    INVARIANT(port->fd >= 0);
    make_packets(port, number);
    port->watch = port_watch_new(&vs->host, port->fd, memory_readable, port, NULL);
    return port;
}

struct bench {
    struct loop *loop;
    struct counters *counters;
    struct vswitch vs;
    struct bridge *br;
    struct memory_port *in[PORTS];
    double seconds;
};

static void add_flow(struct bench *b, const char *text)
{
    struct of_flow_mod fm;
    struct journal journal = JOURNAL_INIT;
    INVARIANT(!of_flow_mod_parse(text, OF_FLOW_ADD, NULL, NULL, &fm, NULL));
    INVARIANT(!bridge_flow_mod(b->br, &fm, &journal));
    bridge_commit(b->br, &journal);
    of_flow_mod_fini(&fm);
}

/* Port 1 to 3 and 2 to 4. */
static void bench_init(struct bench *b, const char *const flows[], size_t n_flows)
{
    b->loop = loop_new(env_real());
    b->counters = counter_set_new();
    vswitch_init(&b->vs, b->loop, b->counters, "/nonexistent");
    b->vs.host.dummy_override = true;
    b->br = bridge_new(&b->vs, "br0");
    b->br->secure = true;
    for (uint32_t i = 1; i <= 2 * PORTS; i++) {
        char name[8];
        struct smap none = SMAP_INIT;
        struct vport *port;
        snprintf(name, sizeof name, "p%u", i);
        struct vport_options o = {.name = name, .type = "dummy", .request = i, .options = &none};
        INVARIANT(!bridge_add_port(b->br, &o, &port, NULL));
        struct memory_port *memory = port_new(&b->vs, port, i);
        if (i <= PORTS)
            b->in[i - 1] = memory;
    }
    for (size_t i = 0; i < n_flows; i++)
        add_flow(b, flows[i]);
    forwarders_set(&b->vs.host, PORTS);
    INVARIANT(forwarders_count(&b->vs.host) == PORTS);
}

static void bench_fini(struct bench *b)
{
    loop_enter(b->loop);
    forwarders_set(&b->vs.host, 1);
    vswitch_fini(&b->vs);
    loop_free(b->loop);
    counter_set_free(b->counters);
}

/* The loop's own work goes on beside: it ticks, and serves what the caches do not know. */
static void run_for(struct bench *b, double seconds)
{
    int64_t end = env_now_us(env_real()) + (int64_t)(seconds * 1e6);
    for (int64_t left; (left = end - env_now_us(env_real())) > 0;)
        loop_run_once(b->loop, left);
}

static void begin(const struct memory_port *port)
{
    uint64_t one = 1;
    INVARIANT(write(port->fd, &one, sizeof one) == sizeof one);
}

static void end(const struct memory_port *port)
{
    uint64_t n;
    INVARIANT(read(port->fd, &n, sizeof n) == sizeof n);
}

static uint64_t received(struct bench *b)
{
    uint64_t n = 0;
    loop_enter(b->loop);
    for (unsigned i = 0; i < PORTS; i++)
        n += b->in[i]->n_received;
    return n;
}

struct figure {
    double rate, cpu; /* millions of packets a second; ns of processor a packet, of all threads */
};

static double cpu_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* Of the first N ports. */
static struct figure measure(struct bench *b, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        begin(b->in[i]);
    run_for(b, 0.1);
    uint64_t before = received(b);
    int64_t start = env_now_us(env_real());
    double cpu = cpu_us();
    run_for(b, b->seconds);
    double packets = (double)(received(b) - before);
    struct figure f = {.rate = packets / (double)(env_now_us(env_real()) - start),
                       .cpu = (cpu_us() - cpu) * 1e3 / packets};
    for (unsigned i = 0; i < n; i++)
        end(b->in[i]);
    run_for(b, 0.05);
    return f;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_median(const char *name, const char *suffix, const char *unit, double *values)
{
    qsort(values, TURNS, sizeof *values, by_size);
    printf("{\"name\": \"%s_%s\", \"unit\": \"%s\", \"ours\": %.4g}\n", name, suffix, unit,
           values[TURNS / 2]);
}

/* One thread and two, in turns; medians. */
static void compare(double seconds, const char *name, const char *const flows[], size_t n_flows)
{
    struct bench b = {.seconds = seconds};
    double rate[2][TURNS], cpu[2][TURNS];
    bench_init(&b, flows, n_flows);
    for (unsigned i = 0; i < TURNS; i++) {
        for (unsigned n = 1; n <= PORTS; n++) {
            struct figure f = measure(&b, n);
            rate[n - 1][i] = f.rate;
            cpu[n - 1][i] = f.cpu;
        }
    }
    print_median(name, "1_thread", "Mpps", rate[0]);
    print_median(name, "2_threads", "Mpps", rate[1]);
    print_median(name, "1_thread_cpu", "ns", cpu[0]);
    print_median(name, "2_threads_cpu", "ns", cpu[1]);
    bench_fini(&b);
}

int main(int argc, char **argv)
{
    static const char *const l2[] = {"in_port=1,actions=3", "in_port=2,actions=4"};
    static const char *const tracked[] = {
        "priority=1,udp,actions=ct(table=1,zone=1,nat)",
        "table=1,priority=2,ct_state=+new+trk,udp,actions=ct(commit,zone=1,nat(src=192.0.2.1-192.0."
        "2.9)),resubmit(,2)",
        "table=1,priority=2,ct_state=+est+trk,udp,actions=resubmit(,2)",
        "table=2,in_port=1,actions=3", "table=2,in_port=2,actions=4"};
    double seconds = argc > 1 && !strcmp(argv[1], "--quick") ? 0.2 : 1;
    log_set_level(NULL, LOG_ERR);
    compare(seconds, "cached_l2", l2, ARRAY_SIZE(l2));
    compare(seconds, "cached_ct", tracked, ARRAY_SIZE(tracked));
    return 0;
}
