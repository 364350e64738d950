/* test_upcall.c - the queues of packets that wait for a translation: bounded, fair between ports, in order within a flow, and not in the way
 * of packets that the caches know. */
#include "switchd/upcall.h"

#include "unit/switchd/world.h"

enum { N_PORTS = 5 };

/* UDP from port SRC to the far side; NUMBER is in its payload. */
static void receive(struct bridge *br, uint32_t port, uint16_t src, uint8_t number)
{
    struct packet p;
    world_udp(&p, port, src, 53, number, 20);
    dummy_receive(bridge_port(br, port)->dev, p.data, p.size);
    packet_fini(&p);
}

static uint8_t sent_ttl(const struct world *w, size_t i)
{
    return w->sent.data[i].data[ETH_HEADER_LEN + 8];
}

static uint8_t sent_from(const struct world *w, size_t i)
{
    return w->sent.data[i].data[11];
}

/* Each UDP source port is a megaflow of its own, and so is each flow behind the tracker. */
static struct bridge *make(struct world *w)
{
    world_init(w);
    struct bridge *br = bridge_new(&w->vs, "br0");
    br->secure = true;
    for (uint32_t i = 1; i <= N_PORTS; i++) {
        char name[8];
        snprintf(name, sizeof name, "p%u", i);
        world_add(w, br, name, "dummy", i, NULL);
    }
    world_add_flow(br, "priority=2,udp,tp_src=65535,actions=4");
    world_add_flow(br, "priority=1,udp,in_port=3,actions=ct(table=1)");
    world_add_flow(br, "udp,actions=4");
    world_add_flow(br, "table=1,priority=2,udp,tp_src=65535,actions=4");
    world_add_flow(br, "table=1,udp,actions=4");
    return br;
}

static void run(struct world *w)
{
    while (loop_next_us(w->loop) <= loop_now_us(w->loop) && w->vs.upcalls.n_waiting)
        loop_run_once(w->loop, 0);
}

static void test_bounded(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = make(&w);
    receive(br, 2, 7, 64); /* dummies are served at once, unless told otherwise */
    assert_int_equal(w.sent.n, 1);
    w.vs.upcalls.dummies = true;
    for (uint32_t i = 0; i < 1000; i++)
        receive(br, 1, (uint16_t)(1000 + i), 64);
    assert_int_equal(w.sent.n, 1);
    assert_int_equal(w.vs.upcalls.n_waiting, UPCALLS_MAX);
    assert_int_equal(w.vs.drops[DROP_UPCALL]->n, 1000 - UPCALLS_MAX);
    receive(br, 2, 7, 64); /* what is cached does not wait for another port's flood */
    assert_int_equal(w.sent.n, 2);
    world_forget(&w);
    receive(br, 5, 7, 64); /* and another port's new flow has its turn at once */
    loop_run_once(w.loop, 0);
    assert_in_range(w.sent.n, 2, UPCALL_SLICE);
    assert_int_equal(sent_from(&w, 0), 1);
    assert_int_equal(sent_from(&w, 1), 5);
    run(&w);
    assert_int_equal(w.vs.upcalls.n_waiting, 0);
    assert_int_equal(w.sent.n, UPCALLS_MAX + 1);
    assert_int_equal(megaflows_lookups(w.vs.cache).misses, w.vs.cache->n_flows);
    world_fini(&w);
}

/* Those that come while the first waits go behind it, even when the flow is known by then; behind the tracker too. */
static void test_order(void **state)
{
    (void)state;
    for (uint32_t port = 1; port <= 3; port += 2) {
        struct world w;
        struct bridge *br = make(&w);
        receive(br, port, 999, 1); /* the first look is cached */
        world_forget(&w);
        w.vs.upcalls.dummies = true;
        for (uint16_t i = 0; i < 2 * UPCALL_SLICE; i++)
            receive(br, port, (uint16_t)(2000 + i), 1);
        for (uint8_t i = 1; i <= 50; i++) {
            receive(br, port, 7, (uint8_t)(100 + i));
            if (i == 25)
                loop_run_once(w.loop, 0);
        }
        run(&w);
        uint8_t last = 0;
        size_t n = 0;
        for (size_t i = 0; i < w.sent.n; i++) {
            if (sent_ttl(&w, i) < 100)
                continue;
            assert_true(sent_ttl(&w, i) > last);
            last = sent_ttl(&w, i);
            n++;
        }
        assert_int_equal(n, 50);
        assert_int_equal(w.vs.drops[DROP_UPCALL]->n, 0);
        world_fini(&w);
    }
}

/* A port that goes away takes what waits with it. */
static void test_port_goes(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = make(&w);
    w.vs.upcalls.dummies = true;
    receive(br, 1, 1, 64);
    receive(br, 2, 1, 64);
    bridge_remove_port(br, bridge_port(br, 1));
    assert_int_equal(w.vs.upcalls.n_waiting, 1);
    run(&w);
    assert_int_equal(w.sent.n, 1);
    assert_int_equal(sent_from(&w, 0), 2);
    receive(br, 2, 2, 64); /* still waits when the switch goes */
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bounded),
        cmocka_unit_test(test_order),
        cmocka_unit_test(test_port_goes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
