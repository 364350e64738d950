/* test_threads.c - forwarding threads (switchd/forward/forwarder.h) against one thread without caches: the same packets leave by the same ports, each flow's in
 * order, whatever the threads' turns; and while flows, ports and the number of threads change, none is lost, doubled, or sent by a port that is
 * gone. Ports are socket pairs, so packets really come in and leave by the threads. Meant for ThreadSanitizer too (cmake --preset tsan). */
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "switchd/forward/forwarder.h"
#include "unit/switchd/world.h"

enum {
    PIPES = 4,
    FLOWS = 5 /* a port */,
    DUMMY = 5,
    EXTRA = 6,
    FAR_MAX = 8,
    DEADLINE_S = 60,
    UNCOUNTED = 98 /* a port */
};

/* ---- a port that is one end of a pair of sockets ---- */

struct pipe_port {
    struct port up;
    int near, far;
    struct port_watch *watch;
};

static void pipe_readable(void *port_, unsigned events)
{
    struct pipe_port *port = port_;
    size_t n = 0;
    (void)events;
    while (n < PORT_BATCH) {
        struct packet *p = port_packet(port->up.host, n);
        ssize_t size = recv(port->near, p->data, PORT_FRAME_MAX, MSG_DONTWAIT);
        if (size <= 0)
            break;
        p->size = (uint32_t)size;
        n++;
    }
    if (n)
        port_receive(&port->up, n);
}

static int pipe_send(struct port *port_, struct port_out *out, const struct packet *packet,
                     const struct dp_tunnel *tunnel, bool last)
{
    struct pipe_port *port = CONTAINER_OF(port_, struct pipe_port, up);
    (void)out, (void)tunnel, (void)last;
    return send(port->near, packet->data, packet->size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? ERR_IO
                                                                                         : 0;
}

static void pipe_close(struct port *port_)
{
    struct pipe_port *port = CONTAINER_OF(port_, struct pipe_port, up);
    port_watch_free(port->watch);
    close(port->near);
    close(port->far);
    port_fini(port_);
    free(port);
}

static const struct port_class pipe_class = {
    .type = "pipe", .send = pipe_send, .close = pipe_close};

/* Gives VPORT such a device in the dummy's place; what the test reads and writes. */
static int make_pipe(struct world *w, struct vport *vport)
{
    struct pipe_port *port = NEW(struct pipe_port);
    int pair[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair), 0);
    port_init(&port->up, &pipe_class, &w->vs.host, vport->name);
    port->up.status = vport->dev->status;
    port->up.owner = vport;
    port->up.any_thread = true;
    port->near = pair[0];
    port->far = pair[1];
    port->watch = port_watch_new(&w->vs.host, port->near, pipe_readable, port, NULL);
    port_close(vport->dev);
    vport->dev = &port->up;
    return port->far;
}

/* ---- the two switches ---- */

struct setup {
    struct world w, model; /* w.sent: what came out of W, in order of arrival at each port */
    struct bridge *br, *model_br;
    int far[FAR_MAX]; /* by port; -1: none */
    uint32_t random;
};

static unsigned rnd(struct setup *s, unsigned n)
{
    s->random = s->random * 1664525 + 1013904223;
    return (s->random >> 8) % n;
}

static const char *const flows[] = {
    "priority=9,udp,tp_dst=1,actions=group:1",
    "priority=9,udp,tp_dst=2,actions=ct(commit,zone=7,nat(src=10.9.9.9)),5,mod_nw_tos:32,2",
    "priority=9,udp,tp_dst=3,actions=ct(table=1,zone=3)",
    "priority=9,udp,tp_dst=4,actions=clone(push_vlan:0x8100,set_field:4100->vlan_vid,output:3),"
    "learn(table=2,hard_timeout=50,priority=5,eth_type=0x800,nw_proto=17,NXM_OF_UDP_SRC[],NXM_OF_"
    "IN_PORT[]),output:4",
    "priority=9,udp,tp_dst=5,in_port=1,actions=2,3,4,5",
    "priority=8,udp,actions=output(port=2,max_len=40)",
    "table=1,priority=2,ct_state=+new+trk,udp,actions=ct(commit,zone=3,exec(set_field:7->ct_mark)),"
    "3",
    "table=1,priority=2,ct_state=-new+trk,ct_mark=7,udp,actions=4",
    "table=1,priority=2,ct_state=-new+trk,ct_mark=0,udp,actions=3",
};

static void add_group(struct bridge *br)
{
    struct of_group_mod gm;
    struct diag diag = DIAG_INIT;
    if (of_group_mod_parse(
            "group_id=1,type=all,bucket=output:1,bucket=mod_dl_src:02:00:00:00:00:77,output:2",
            OF_GROUP_ADD, NULL, &gm, &diag))
        fail_msg("%s", diag_text(&diag));
    assert_int_equal(bridge_group_mod(br, &gm, NULL), 0);
    of_group_mod_fini(&gm);
}

static void fill(struct bridge *br)
{
    add_group(br);
    for (size_t i = 0; i < ARRAY_SIZE(flows); i++)
        world_add_flow(br, flows[i]);
}

static void begin(struct setup *s, unsigned n_threads)
{
    memset(s, 0, sizeof *s);
    s->random = 7;
    s->br = world_bridge(&s->w, DUMMY);
    s->model_br = world_bridge(&s->model, DUMMY);
    memset(s->far, -1, sizeof s->far);
    for (uint32_t i = 1; i <= PIPES; i++)
        s->far[i] = make_pipe(&s->w, bridge_port(s->br, i));
    fill(s->br);
    fill(s->model_br);
    forwarders_set(&s->w.vs.host, n_threads);
    assert_int_equal(forwarders_count(&s->w.vs.host), n_threads < 2 ? 0 : n_threads);
}

static void end(struct setup *s)
{
    loop_enter(s->w.loop);
    forwarders_set(&s->w.vs.host, 1);
    world_fini(&s->w);
    world_fini(&s->model);
}

/* ---- packets ---- */

static void put(int fd, uint32_t port, uint16_t src, uint16_t dst, uint8_t ttl)
{
    struct packet p;
    world_udp(&p, port, src, dst, ttl, 60);
    assert_int_equal(send(fd, p.data, p.size, MSG_NOSIGNAL), p.size);
    packet_fini(&p);
}

static void drain(struct setup *s)
{
    uint8_t frame[2048];
    for (unsigned i = 0; i < FAR_MAX; i++) {
        ssize_t n;
        while (s->far[i] >= 0 && (n = recv(s->far[i], frame, sizeof frame, 0)) > 0) {
            struct sent *sent = vec_push_zero(&s->w.sent);
            snprintf(sent->port, sizeof sent->port, "p%u", i);
            sent->data = xmemdup(frame, (size_t)n);
            sent->n = (size_t)n;
        }
    }
}

/* Where the IP header is: behind a tag perhaps. */
static const uint8_t *ip_of(const struct sent *s)
{
    return s->data + (s->data[12] == 0x81 ? 18 : 14);
}

static bool is_counted(const struct sent *s)
{
    return ip_of(s)[23] != UNCOUNTED;
}

static size_t n_counted(const struct setup *s)
{
    const struct sent *sent;
    size_t n = 0;
    VEC_FOR_EACH (sent, &s->w.sent)
        n += is_counted(sent);
    return n;
}

/* Runs the loop until N packets have come out. */
static void collect(struct setup *s, size_t n)
{
    int64_t until_us = env_now_us(env_real()) + DEADLINE_S * INT64_C(1000000);
    while (n_counted(s) < n) {
        struct pollfd none;
        loop_run_once(s->w.loop, 0);
        loop_enter(s->w.loop); /* as dummies note what they send in w.sent */
        drain(s);
        if (env_now_us(env_real()) > until_us)
            fail_msg("%zu packets of %zu", s->w.sent.n, n);
        loop_run_once(s->w.loop, 0);
        (void)poll(&none, 0, 1);
    }
    loop_enter(s->w.loop);
    assert_int_equal(n_counted(s), n);
}

static int compare_sent(const void *a_, const void *b_)
{
    const struct sent *a = a_, *b = b_;
    int by_port = strcmp(a->port, b->port);
    if (by_port || a->n != b->n)
        return by_port ? by_port : (a->n > b->n) - (a->n < b->n);
    return memcmp(a->data, b->data, a->n);
}

/* A flow's packets, told by their UDP source port, have growing TTLs. */
static void check_order(const struct world *w)
{
    for (size_t i = 0; i < w->sent.n; i++) {
        const uint8_t *a = ip_of(&w->sent.data[i]);
        for (size_t k = i + 1; k < w->sent.n; k++) {
            const uint8_t *b = ip_of(&w->sent.data[k]);
            bool same = !strcmp(w->sent.data[i].port, w->sent.data[k].port) && a[15] == b[15] &&
                        !memcmp(a + 20, b + 20, 4) && w->sent.data[i].n == w->sent.data[k].n;
            if (same && memcmp(w->sent.data[i].data, w->sent.data[k].data, 12) == 0)
                assert_true(a[8] < b[8]);
        }
    }
}

static void one_round(struct setup *s, unsigned round)
{
    struct packet p;
    for (uint8_t ttl = 1; ttl <= 5; ttl++) {
        for (unsigned i = 0; i < PIPES * FLOWS; i++) {
            uint32_t port = i % PIPES + 1;
            if (!rnd(s, 4))
                continue;
            uint16_t src = (uint16_t)(1000 + round / 3 * 100 + i), dst = (uint16_t)(i / PIPES + 1);
            put(s->far[port], port, src, dst, ttl);
            world_udp(&p, port, src, dst, ttl, 60);
            vswitch_rx_uncached(&s->model.vs, bridge_port(s->model_br, port), &p);
            packet_fini(&p);
        }
    }
    collect(s, s->model.sent.n);
    check_order(&s->w);
    assert_int_equal(s->w.sent.n, s->model.sent.n);
    qsort(s->w.sent.data, s->w.sent.n, sizeof s->w.sent.data[0], compare_sent);
    qsort(s->model.sent.data, s->model.sent.n, sizeof s->model.sent.data[0], compare_sent);
    for (size_t i = 0; i < s->w.sent.n; i++) {
        if (compare_sent(&s->w.sent.data[i], &s->model.sent.data[i]))
            fail_msg("round %u: packet %zu of %zu differs (%s and %s)", round, i, s->w.sent.n,
                     s->w.sent.data[i].port, s->model.sent.data[i].port);
    }
    world_forget(&s->w);
    world_forget(&s->model);
}

/* Flows change between rounds, each three of which have the same packets, so that caches are hit. */
static void test_oracle(void **state)
{
    static const char *const changes[] = {"priority=10,udp,tp_dst=1,in_port=2,actions=3",
                                          "priority=10,udp,tp_dst=5,actions=drop",
                                          "priority=9,udp,tp_dst=4,actions=resubmit(,2),1",
                                          "table=2,priority=1,udp,actions=dec_ttl,output:2"};
    (void)state;
    for (unsigned n_threads = 1; n_threads <= 3; n_threads++) {
        struct setup s;
        begin(&s, n_threads);
        for (unsigned round = 0; round < 12; round++) {
            one_round(&s, round);
            if (round % 3 == 2) {
                world_add_flow(s.br, changes[round / 3]);
                world_add_flow(s.model_br, changes[round / 3]);
            }
        }
        assert_true(megaflows_lookups(s.w.vs.cache).exact_hits > 200);
        assert_true(n_threads < 2 || (s.w.vs.handoffs.n_ever && s.w.vs.upcalls.n_queued));
        assert_true(n_threads > 1 || !s.w.vs.handoffs.n_ever);
        end(&s);
    }
}

/* Flows, a port and the number of threads change while packets are on their way. */
static void test_changes_under_traffic(void **state)
{
    enum { STEPS = 60, BURST = 40 };
    (void)state;
    struct setup s;
    begin(&s, 2);
    world_add_flow(s.br, "priority=20,udp,tp_dst=99,actions=1");
    world_add_flow(s.br, "priority=20,udp,tp_dst=98,actions=3");
    for (unsigned step = 0; step < STEPS; step++) {
        struct vport *extra = NULL;
        loop_enter(s.w.loop);
        if (step % 3 == 0) {
            extra = world_add(&s.w, s.br, "p6", "dummy", EXTRA, NULL);
            s.far[EXTRA] = make_pipe(&s.w, extra);
        }
        for (unsigned i = 0; i < BURST; i++) {
            uint32_t port = 2 + 2 * rnd(&s, 2); /* none goes out where it came in */
            put(s.far[port], port, (uint16_t)(1 + rnd(&s, 20)), 99, (uint8_t)(1 + i));
            if (extra) /* what of these comes out depends on when it goes */
                put(s.far[EXTRA], EXTRA, 1, UNCOUNTED, (uint8_t)(1 + i));
            if (i % 10 == 5)
                world_add_flow(s.br, rnd(&s, 2)
                                         ? "priority=20,udp,tp_dst=99,actions=1"
                                         : "priority=20,udp,tp_dst=99,actions=mod_nw_tos:4,3");
            if (i % 10 == 9)
                loop_run_once(s.w.loop, 0);
            loop_enter(s.w.loop);
        }
        if (extra) {
            s.far[EXTRA] = -1;
            bridge_remove_port(s.br, extra);
        }
        if (step % 5 == 4)
            forwarders_set(&s.w.vs.host, 1 + rnd(&s, 4));
        collect(&s, BURST);
        world_forget(&s.w);
        (void)__atomic_fetch_add(&s.w.env.now_us, 100000, __ATOMIC_RELAXED); /* forwarders look */
    }
    end(&s);
}

static uint64_t n_alone(const struct setup *s)
{
    uint64_t n;
    assert_true(counter_read(s->w.counters, "batch_alone", &n));
    return n;
}

/* What the caches and the tracker know goes through both of them without anybody being kept out: no thread is alone for it. */
static void test_hits_need_nobody(void **state)
{
    enum { ROUNDS = 30, EACH = 10 };
    (void)state;
    struct setup s;
    begin(&s, 2);
    uint64_t alone = 0, hits = 0;
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < EACH; i++) /* table 1, behind the tracker, then out of port 4 */
            put(s.far[1 + i % 2], 1 + i % 2, (uint16_t)(100 + i), 3, 9);
        collect(&s, EACH);
        world_forget(&s.w);
        if (round == 2) { /* new, made known, known */
            alone = n_alone(&s);
            hits = megaflows_lookups(s.w.vs.cache).exact_hits;
        }
    }
    assert_true(alone > 0);
    assert_int_equal(n_alone(&s), alone);
    assert_int_equal(megaflows_lookups(s.w.vs.cache).exact_hits - hits, 2 * (ROUNDS - 3) * EACH);
    assert_int_equal(conntrack_count(s.w.vs.ct), EACH);
    end(&s);
}

/* Leaves N descriptors to be had. */
static void limit_descriptors(unsigned n)
{
    int fd[8];
    struct rlimit limit;
    for (unsigned i = 0; i <= n; i++)
        assert_true((fd[i] = dup(0)) >= 0);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = (rlim_t)fd[n];
    for (unsigned i = 0; i <= n; i++)
        close(fd[i]);
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

static void set_stack(size_t size)
{
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    assert_int_equal(pthread_attr_setstacksize(&attr, size), 0);
    assert_int_equal(pthread_setattr_default_np(&attr), 0);
    pthread_attr_destroy(&attr);
}

/* Where there are no descriptors or no memory for another thread, those that are there do the work. */
static void test_fewer(void **state)
{
    enum { EACH = 2 }; /* descriptors of a forwarder */
    (void)state;
    struct setup s;
    struct rlimit limit;
    begin(&s, 1);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    for (unsigned n = 0; n < 3; n++) {
        limit_descriptors(n * EACH + 1);
        assert_true(forwarders_set(&s.w.vs.host, 4));
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
        assert_int_equal(forwarders_count(&s.w.vs.host), n);
        assert_false(forwarders_set(&s.w.vs.host, 4)); /* that was said */
        one_round(&s, n);
        assert_true(forwarders_set(&s.w.vs.host, 1));
    }
    set_stack((size_t)1 << 46);
    assert_true(forwarders_set(&s.w.vs.host, 2));
    set_stack(1 << 20);
    assert_int_equal(forwarders_count(&s.w.vs.host), 0);
    one_round(&s, 3);
    assert_true(forwarders_set(&s.w.vs.host, 3));
    assert_int_equal(forwarders_count(&s.w.vs.host), 3);
    one_round(&s, 4);
    end(&s);
}

int main(void)
{
    log_set_level(NULL, LOG_ERR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_oracle),
        cmocka_unit_test(test_changes_under_traffic),
        cmocka_unit_test(test_hits_need_nobody),
        cmocka_unit_test(test_fewer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
