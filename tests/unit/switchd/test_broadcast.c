/* test_broadcast.c - no silent caps: one packet reaches 5,000 ports of a provider switch and each of 500 routers behind it, and a
 * recursion that never ends is cut, counted, and told. */
#include "flow/rewrite.h"
#include "unit/switchd/world.h"

enum { LOCAL_PORTS = 5000, ROUTERS = 500, IN_A_FLOW = 200 };

static void broadcast(struct bridge *br)
{
    struct match match;
    struct packet packet;
    assert_int_equal(
        of_match_parse("in_port=1,arp,dl_dst=ff:ff:ff:ff:ff:ff,arp_op=1,arp_tpa=10.0.0.9", NULL,
                       &match, NULL, NULL),
        0);
    packet_init(&packet);
    struct flow_key key = match.key;
    packet_compose(&packet, &key, 64);
    dummy_receive(bridge_port(br, 1)->dev, packet.data, packet.size);
    packet_fini(&packet);
}

/* The members of the group, as many in a flow as an OpenFlow message can hold; each flow goes on to the next. */
static void add_group(struct bridge *br)
{
    struct str flow = STR_INIT;
    unsigned n_flows = DIV_ROUND_UP(LOCAL_PORTS + ROUTERS, IN_A_FLOW);
    for (unsigned k = 0; k < n_flows; k++) {
        str_putf(&flow, "table=1,reg13=%u,actions=", k);
        for (unsigned i = k * IN_A_FLOW; i < MIN((k + 1) * IN_A_FLOW, LOCAL_PORTS + ROUTERS); i++) {
            if (i < LOCAL_PORTS)
                str_putf(&flow, "set_field:%u->reg15,resubmit(,10),", i + 2);
            else
                str_putf(&flow, "set_field:%u->reg14,resubmit(,20),", i - LOCAL_PORTS + 1);
        }
        str_putf(&flow, "set_field:%u->reg13,resubmit(,1)", k + 1);
        world_add_flow(br, str_c(&flow));
        str_clear(&flow);
    }
    str_fini(&flow);
    world_add_flow(br, "in_port=1,arp,actions=resubmit(,1)");
    char last[48];
    snprintf(last, sizeof last, "table=1,reg13=%u,actions=note:00", n_flows);
    world_add_flow(br, last);
}

/* As ovn-controller makes it: a multicast group is flows that output to each member by a resubmit of its own; a router is a port
 * whose resubmits walk another pipeline, which rewrites and answers. */
static void test_replication(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    struct bridge *br = bridge_new(&w.vs, "br-int");
    br->secure = true;
    for (unsigned i = 1; i <= LOCAL_PORTS + 1; i++) {
        char name[12];
        snprintf(name, sizeof name, "p%u", i);
        world_add(&w, br, name, "dummy", i, NULL);
    }
    add_group(br);
    world_add_flow(br, "table=10,actions=resubmit(,11)");
    world_add_flow(br, "table=11,actions=output:NXM_NX_REG15[0..15]");
    /* A router answers for its address: the reply leaves where the request came in. */
    world_add_flow(br, "table=20,arp,actions=clone(move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[],load:2->"
                       "NXM_OF_ARP_OP[],"
                       "move:NXM_NX_REG14[0..15]->NXM_OF_ETH_SRC[0..15],resubmit(,21))");
    world_add_flow(br, "table=21,actions=resubmit(,22)");
    world_add_flow(br, "table=22,actions=IN_PORT");
    for (unsigned round = 1; round <= 2; round++) { /* translated, and from the cache */
        world_forget(&w);
        broadcast(br);
        assert_int_equal(w.sent.n, LOCAL_PORTS + ROUTERS);
        unsigned answers = 0;
        bool seen[LOCAL_PORTS + 2] = {false};
        for (size_t i = 0; i < w.sent.n; i++) {
            unsigned port = (unsigned)strtoul(w.sent.data[i].port + 1, NULL, 10);
            answers += port == 1;
            assert_true(port == 1 || !seen[port]);
            seen[port] = true;
        }
        assert_int_equal(answers, ROUTERS);
        for (unsigned i = 1; i <= LOCAL_PORTS + 1; i++)
            assert_true(seen[i]);
    }
    for (unsigned i = 1; i < N_DROP_REASONS; i++)
        assert_int_equal(w.vs.drops[i]->n, 0);
    world_fini(&w);
}

static unsigned n_told;
static char told[256];

static void hear(enum log_level level, const char *line, void *aux)
{
    (void)aux;
    if (level > LOG_WARN)
        return;
    n_told++;
    snprintf(told, sizeof told, "%s", line);
}

static void test_recursion(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    struct bridge *br = bridge_new(&w.vs, "br0");
    br->secure = true;
    world_add(&w, br, "p1", "dummy", 1, NULL);
    world_add(&w, br, "p2", "dummy", 2, NULL);
    world_add_flow(br, "table=0,actions=output:2,resubmit(,3)");
    world_add_flow(br, "table=3,actions=resubmit(,7),output:2");
    world_add_flow(br, "table=7,actions=resubmit(,3),output:2");
    n_told = 0;
    log_set_stderr(false);
    log_set_hook(hear, NULL);
    broadcast(br);
    log_set_hook(NULL, NULL);
    log_set_stderr(true);
    assert_int_equal(w.sent.n, 0); /* nothing of it: half a packet's way would be worse */
    assert_int_equal(w.vs.drops[DROP_RECURSION]->n, 1);
    assert_int_equal(n_told, 1);
    assert_non_null(strstr(told, "bridge br0, table "));
    assert_non_null(strstr(told, "the flow actions=resubmit(,"));
    assert_non_null(strstr(told, drop_text(DROP_RECURSION)));
    world_fini(&w);
}

int main(void)
{
    log_set_level(NULL, LOG_WARN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_replication),
        cmocka_unit_test(test_recursion),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
