/* test_beside.c - packets of connections that are there, from several threads at once (conntrack_pass). Each thread sends both ways of all connections, so that each
 * connection's state is wanted by several. Meant for ThreadSanitizer too (cmake --preset tsan). */
#include <pthread.h>

#include "unit/conntrack/world.h"

enum { THREADS = 3, CONNECTIONS = 8, ROUNDS = 300 };

static const struct ct_action follow = {.flags = CT_TRANSLATE};

static struct spec spec_of(unsigned i, bool reply)
{
    static const char *const inside[] = {"10.0.0.1", "10.0.0.2", "fd00::1", "fd00::2"};
    bool tcp = i % 2, v6 = i / 2 % 2;
    const char *in = inside[2 * v6 + i / 4 % 2];
    const char *own = v6 ? "fd01::9" : "192.0.2.9", *out = v6 ? "fd01::1" : "192.0.2.1";
    uint16_t port = (uint16_t)(1000 + i);
    struct spec s = {.src = reply ? out : in,
                     .dst = reply ? own : out,
                     .proto = tcp ? IP_PROTO_TCP : IP_PROTO_UDP,
                     .sport = reply ? 80 : port,
                     .dport = reply ? port : 80,
                     .flags = TCP_ACK,
                     .seq = reply ? 501 : 101,
                     .ack = reply ? 101 : 501};
    return s;
}

/* Connections that are translated to one address, and that both sides have answered. */
static void open_all(struct world *w)
{
    for (unsigned i = 0; i < CONNECTIONS; i++) {
        struct spec s = spec_of(i, false), r = spec_of(i, true);
        struct ct_action a = nat(CT_NAT_SRC, r.dst, NULL, 0, 0);
        s.flags = TCP_SYN, s.seq = 100, s.ack = 0;
        assert_true(send(w, &s, a) & CT_NEW);
        r.flags = TCP_SYN | TCP_ACK, r.seq = 500;
        assert_true(send(w, &r, follow) & CT_EST);
    }
}

static void *send_both_ways(void *w_)
{
    struct world *w = w_;
    struct ct_hint hints[2 * CONNECTIONS] = {{0}};
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (unsigned i = 0; i < 2 * CONNECTIONS; i++) {
            struct spec s = spec_of(i / 2, i % 2);
            struct packet p;
            struct flow_key key;
            make(&p, &s);
            flow_extract(&p, &key);
            if (!conntrack_pass(w->ct, &p, &follow, w->now_ms, &hints[i]))
                return (void *)(uintptr_t) "not taken";
            uint32_t want = CT_TRK | CT_EST | (i % 2 ? CT_RPL | CT_DNAT : CT_SNAT);
            if (swap32(p.md.ct.state) != want)
                return (void *)(uintptr_t) "of another state";
            packet_fini(&p);
        }
    }
    return NULL;
}

static void test_threads(void **state)
{
    (void)state;
    struct world w;
    pthread_t threads[THREADS];
    void *wrong;
    world_init(&w);
    open_all(&w);
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, send_both_ways, &w), 0);
    for (unsigned i = 0; i < THREADS; i++) {
        pthread_join(threads[i], &wrong);
        if (wrong)
            fail_msg("a packet was %s", (const char *)wrong);
    }
    assert_int_equal(conntrack_count(w.ct), CONNECTIONS);
    world_fini(&w);
}

/* What adds or ends something is refused, and leaves everything as it was (world.h looks); all else is taken. */
static void test_what_is_taken(void **state)
{
    (void)state;
    struct world w;
    struct ct_hint hint = {0};
    struct ct_action commit = {.flags = CT_COMMIT}, force = {.flags = CT_COMMIT | CT_FORCE};
    struct spec s = spec_of(0, false),
                r = {.src = s.dst, .dst = s.src, .proto = s.proto, .sport = 80, .dport = s.sport};
    struct {
        const struct spec *spec;
        const struct ct_action *action;
        bool taken;
        uint32_t state; /* then */
    } steps[] = {
        {&s, &follow, true, CT_TRK | CT_NEW},
        {&s, &commit, false, CT_TRK | CT_NEW},
        {&s, &commit, true, CT_TRK | CT_NEW},
        {&r, &commit, true, CT_TRK | CT_EST | CT_RPL},
        {&s, &follow, true, CT_TRK | CT_EST},
        {&r, &force, false, CT_TRK | CT_NEW},
        {&s, &follow, true, CT_TRK | CT_EST | CT_RPL},
    };
    world_init(&w);
    for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
        struct packet p;
        struct flow_key key;
        make(&p, steps[i].spec);
        flow_extract(&p, &key);
        unsigned before = w.n_beside;
        execute(&w, &p, steps[i].action, &hint, true);
        assert_int_equal(w.n_beside - before, steps[i].taken);
        assert_int_equal(swap32(p.md.ct.state), steps[i].state);
        packet_fini(&p);
    }
    w.now_ms += 3600 * 1000; /* its time is over */
    struct packet p;
    struct flow_key key;
    make(&p, &s);
    flow_extract(&p, &key);
    assert_false(conntrack_pass(w.ct, &p, &follow, w.now_ms, &hint));
    assert_int_equal(conntrack_count(w.ct), 1);
    packet_fini(&p);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_what_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
