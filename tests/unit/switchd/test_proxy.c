/* test_proxy.c - the proxy without a controller (docs/recipes/learn-proxy.md, rows LN of docs/seeds.md), frame by frame and with a
 * clock of the test's own: what leaves each port, what is learned, when it goes and comes again. */
#include "flow/rewrite.h"
#include "net/checksum.h"
#include "unit/switchd/world.h"

#define CLIENT_MAC UINT64_C(0x0e0000000011)
#define GATEWAY_MAC UINT64_C(0x0e0000000099)
#define SERVICE_MAC UINT64_C(0x0e0000000066)
#define SWITCH_MAC UINT64_C(0x0e0000000067)

#define LEARN                                                                                      \
    "move:NXM_OF_IP_SRC[]->NXM_NX_REG0[],load:0x0a0a->NXM_NX_REG0[16..31],"                        \
    "move:NXM_NX_REG0[0..7]->NXM_NX_REG0[8..15],move:NXM_OF_IP_DST[0..7]->NXM_NX_REG0[0..7],"      \
    "load:2->NXM_NX_REG1[0..2],load:1->NXM_NX_REG2[0..2],"                                         \
    "learn(table=1,hard_timeout=300,priority=2,eth_type=0x800,NXM_OF_IP_SRC[],NXM_OF_IP_DST[],"    \
    "load:NXM_NX_REG0[]->NXM_OF_IP_SRC[],load:0x0a0a0001->NXM_OF_IP_DST[],"                        \
    "load:0x0e0000000067->NXM_OF_ETH_SRC[],load:0x0e0000000066->NXM_OF_ETH_DST[],"                 \
    "output:NXM_NX_REG1[0..1]),"                                                                   \
    "learn(table=2,idle_timeout=300,priority=2,eth_type=0x800,ip_src=10.10.0.1,"                   \
    "NXM_OF_IP_DST[]=NXM_NX_REG0[],load:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[],"                       \
    "load:NXM_OF_ETH_DST[]->NXM_OF_ETH_SRC[],load:NXM_OF_IP_SRC[]->NXM_OF_IP_DST[],"               \
    "load:NXM_OF_IP_DST[]->NXM_OF_IP_SRC[],output:NXM_NX_REG2[0..1]),"                             \
    "set_field:0e:00:00:00:00:67->eth_src,set_field:0e:00:00:00:00:66->eth_dst,"                   \
    "move:NXM_NX_REG0[]->NXM_OF_IP_SRC[],set_field:10.10.0.1->ip_dst,output:2"
#define ANSWER                                                                                     \
    "move:NXM_OF_ARP_TPA[]->NXM_NX_REG0[],load:2->NXM_OF_ARP_OP[0..2],"                            \
    "move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[],move:NXM_NX_ARP_SHA[]->NXM_NX_ARP_THA[],"             \
    "move:NXM_OF_ARP_SPA[]->NXM_OF_ARP_TPA[],move:NXM_NX_REG0[]->NXM_OF_ARP_SPA[],"                \
    "set_field:0e:00:00:00:00:67->eth_src,set_field:0e:00:00:00:00:67->arp_sha"

static struct bridge *setup(struct world *w)
{
    static const char *const flows[] = {
        "table=0,priority=1,in_port=1,vlan_tci=0x1000/0x1000,actions=pop_vlan,goto_table:1",
        "table=0,priority=1,tcp,in_port=1,actions=goto_table:1",
        "table=0,priority=1,udp,in_port=1,actions=goto_table:1",
        "table=0,priority=1,tcp,in_port=2,actions=push_vlan:0x8100,set_field:4098->vlan_vid,"
        "goto_table:2",
        "table=0,priority=1,udp,in_port=2,actions=push_vlan:0x8100,set_field:4098->vlan_vid,"
        "goto_table:2",
        "table=0,priority=1,arp,in_port=2,dl_src=0e:00:00:00:00:66,actions=goto_table:2",
        "table=0,priority=0,actions=drop",
        "table=1,priority=1,tcp,actions=" LEARN,
        "table=1,priority=1,udp,actions=" LEARN,
        "table=1,priority=0,actions=drop",
        "table=2,priority=1,arp,arp_op=1,actions=" ANSWER ",IN_PORT",
        "table=2,priority=0,actions=drop",
    };
    world_init(w);
    struct bridge *br = bridge_new(&w->vs, "copro0");
    br->secure = true;
    world_add(w, br, "p1", "dummy", 1, NULL);
    world_add(w, br, "p2", "dummy", 2, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(flows); i++)
        world_add_flow(br, flows[i]);
    return br;
}

struct frame {
    uint64_t src, dst; /* MACs */
    uint16_t tci;
    const char *ip_src, *ip_dst;
    uint8_t proto;
    uint16_t sport, dport;
};

static void compose(const struct frame *f, struct packet *packet)
{
    struct flow_key key;
    be32 ip;
    memset(&key, 0, sizeof key);
    key_set(&key, FIELD_ETH_SRC, f->src);
    key_set(&key, FIELD_ETH_DST, f->dst);
    key_set(&key, FIELD_VLAN_TCI, f->tci);
    key_set(&key, FIELD_ETH_TYPE, ETH_TYPE_IP);
    assert_int_equal(ip4_parse(f->ip_src, &ip), 0);
    key.nw_src = ip;
    assert_int_equal(ip4_parse(f->ip_dst, &ip), 0);
    key.nw_dst = ip;
    key_set(&key, FIELD_IP_TTL, 64);
    key.nw_proto = f->proto;
    key_set(&key, FIELD_TCP_SRC, f->sport);
    key_set(&key, FIELD_TCP_DST, f->dport);
    packet_init(packet);
    packet_compose(packet, &key, 33);
}

static void send(struct world *w, struct bridge *br, unsigned port, const struct frame *f)
{
    struct packet packet;
    compose(f, &packet);
    world_forget(w);
    dummy_receive(bridge_port(br, port)->dev, packet.data, packet.size);
    packet_fini(&packet);
}

/* The only packet that came out left PORT, is F to the bit, and so its checksums are right. */
static void expect(struct world *w, const char *port, const struct frame *f)
{
    struct packet want;
    compose(f, &want);
    assert_int_equal(w->sent.n, 1);
    assert_string_equal(w->sent.data[0].port, port);
    assert_int_equal(w->sent.data[0].n, want.size);
    assert_memory_equal(w->sent.data[0].data, want.data, want.size);
    packet_fini(&want);
}

static size_t count(const struct bridge *br, const char *text)
{
    struct of_flow_stats_request req;
    struct diag diag = DIAG_INIT;
    if (of_flow_stats_request_parse(text, NULL, NULL, &req, &diag))
        fail_msg("%s: %s", text, diag_text(&diag));
    rule_vec rules = VEC_INIT;
    tables_select(&br->tables, &req, &rules);
    size_t n = rules.n;
    vec_fini(&rules);
    return n;
}

static const struct frame request = {CLIENT_MAC,   GATEWAY_MAC,  VLAN_CFI | 2, "192.168.5.7",
                                     "10.99.3.42", IP_PROTO_TCP, 4000,         80};
static const struct frame proxied = {SWITCH_MAC,  SERVICE_MAC,  0,    "10.10.7.42",
                                     "10.10.0.1", IP_PROTO_TCP, 4000, 80};
static const struct frame reply = {SERVICE_MAC,  SWITCH_MAC,   0,  "10.10.0.1",
                                   "10.10.7.42", IP_PROTO_TCP, 80, 4000};
static const struct frame answered = {GATEWAY_MAC,   CLIENT_MAC,   VLAN_CFI | 2, "10.99.3.42",
                                      "192.168.5.7", IP_PROTO_TCP, 80,           4000};

/* LN-21 to LN-28: the first packet, the flows that it leaves behind, the answer; TCP and UDP, tagged and not (SD-15). */
static void test_both_ways(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = setup(&w);
    send(&w, br, 2, &reply); /* before anyone asked */
    assert_int_equal(w.sent.n, 0);
    send(&w, br, 1, &request);
    expect(&w, "p2", &proxied);
    assert_int_equal(count(br, "table=1,ip,nw_src=192.168.5.7,nw_dst=10.99.3.42"), 1);
    assert_int_equal(count(br, "table=2,ip,nw_src=10.10.0.1,nw_dst=10.10.7.42"), 1);
    send(&w, br, 1, &request);
    expect(&w, "p2", &proxied);
    send(&w, br, 2, &reply);
    expect(&w, "p1", &answered);
    struct frame udp[] = {request, proxied, reply, answered};
    for (size_t i = 0; i < ARRAY_SIZE(udp); i++)
        udp[i].proto = IP_PROTO_UDP;
    udp[0].tci = 0;
    send(&w, br, 1, &udp[0]);
    expect(&w, "p2", &udp[1]);
    send(&w, br, 2, &udp[2]);
    expect(&w, "p1", &udp[3]);
    struct frame icmp = request;
    icmp.proto = IP_PROTO_ICMP;
    send(&w, br, 1, &icmp); /* what was learned is for the addresses, whatever the protocol */
    assert_int_equal(w.sent.n, 1);
    icmp.ip_dst = "10.99.3.43";
    send(&w, br, 1, &icmp);
    assert_int_equal(w.sent.n, 0);
    world_fini(&w);
}

static void pass(struct world *w, unsigned seconds)
{
    for (unsigned i = 0; i < seconds; i++) {
        w->env.now_us += 1000000;
        vswitch_tick(&w->vs);
    }
}

/* LN-25: A goes after 300 seconds whatever its load, and the next packet brings it back; B lives as long as it is used, or
 * learned again, and 300 seconds longer. */
static void test_timeouts(void **state)
{
    (void)state;
    static const char a[] = "table=1,priority=2,ip,nw_src=192.168.5.7",
                      b[] = "table=2,priority=2,ip,nw_dst=10.10.7.42";
    struct world w;
    struct bridge *br = setup(&w);
    send(&w, br, 1, &request);
    size_t learning = count(br, "table=1");
    for (unsigned i = 0; i < 29; i++) {
        pass(&w, 10);
        send(&w, br, 1, &request);
        expect(&w, "p2", &proxied);
    }
    assert_int_equal(count(br, a), 1);
    pass(&w, 11); /* 301 s, used a moment ago */
    assert_int_equal(count(br, a), 0);
    assert_int_equal(count(br, b), 0); /* 301 s without an answer */
    send(&w, br, 1, &request);
    expect(&w, "p2", &proxied);
    assert_int_equal(count(br, a), 1);
    assert_int_equal(count(br, b), 1);
    assert_int_equal(count(br, "table=1"), learning);
    pass(&w, 200);
    send(&w, br, 2, &reply);
    expect(&w, "p1", &answered);
    pass(&w, 200); /* A is gone, B was used */
    assert_int_equal(count(br, a), 0);
    assert_int_equal(count(br, b), 1);
    send(&w, br, 1, &request); /* learning refreshes B */
    pass(&w, 200);
    assert_int_equal(count(br, b), 1);
    send(&w, br, 2, &reply);
    expect(&w, "p1", &answered);
    pass(&w, 301);
    assert_int_equal(count(br, b), 0);
    send(&w, br, 2, &reply);
    assert_int_equal(w.sent.n, 0);
    world_fini(&w);
}

/* SD-14: the service sees two octets only, so two pairs of addresses may look the same to it; the later one has the answers. */
static void test_collision(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = setup(&w);
    struct frame other = request, other_answered = answered;
    other.ip_src = other_answered.ip_dst = "192.168.6.7";
    other.ip_dst = other_answered.ip_src = "10.98.3.42";
    send(&w, br, 1, &request);
    send(&w, br, 1, &other);
    expect(&w, "p2", &proxied);
    assert_int_equal(count(br, "table=1"), 3 + 2);
    assert_int_equal(count(br, "table=2,ip,nw_dst=10.10.7.42"), 1);
    send(&w, br, 2, &reply);
    expect(&w, "p1", &other_answered);
    world_fini(&w);
}

static void ask_arp(struct world *w, struct bridge *br, uint32_t target)
{
    struct flow_key key;
    struct packet packet;
    memset(&key, 0, sizeof key);
    key_set(&key, FIELD_ETH_SRC, SERVICE_MAC);
    key_set(&key, FIELD_ETH_DST, UINT64_C(0xffffffffffff));
    key_set(&key, FIELD_ETH_TYPE, ETH_TYPE_ARP);
    key_set(&key, FIELD_ARP_OP, 1);
    key_set(&key, FIELD_ARP_SHA, SERVICE_MAC);
    key_set(&key, FIELD_ARP_SPA, 0x0a0a0001);
    key_set(&key, FIELD_ARP_TPA, target);
    packet_init(&packet);
    packet_compose(&packet, &key, 0);
    world_forget(w);
    dummy_receive(bridge_port(br, 2)->dev, packet.data, packet.size);
    packet_fini(&packet);
}

/* LN-30 and LN-31: any address is answered, back where the question came from, which is IN_PORT and not that port's number. */
static void test_arp(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = setup(&w);
    for (uint32_t target = 0x0a0a0001; target < 0x0a0b0000; target += 0x1357) {
        ask_arp(&w, br, target);
        assert_int_equal(w.sent.n, 1);
        assert_string_equal(w.sent.data[0].port, "p2");
        struct packet view;
        struct flow_key key;
        packet_init_view(&view, w.sent.data[0].data, (uint32_t)w.sent.data[0].n);
        flow_extract(&view, &key);
        assert_true(key_get(&key, FIELD_ETH_SRC) == SWITCH_MAC);
        assert_true(key_get(&key, FIELD_ETH_DST) == SERVICE_MAC);
        assert_true(key_get(&key, FIELD_ARP_OP) == 2);
        assert_true(key_get(&key, FIELD_ARP_SHA) == SWITCH_MAC);
        assert_true(key_get(&key, FIELD_ARP_SPA) == target);
        assert_true(key_get(&key, FIELD_ARP_THA) == SERVICE_MAC);
        assert_true(key_get(&key, FIELD_ARP_TPA) == 0x0a0a0001);
    }
    world_add_flow(br, "table=2,priority=1,arp,arp_op=1,actions=" ANSWER ",output:2");
    ask_arp(&w, br, 0x0a0a0707);
    assert_int_equal(w.sent.n, 0);
    world_fini(&w);
}

/* Thousands of pairs: two flows each, the megaflows serve them, and all of it goes in time. */
static void test_many(void **state)
{
    (void)state;
    enum { CLIENTS = 20, SERVERS = 200 };
    struct world w;
    struct bridge *br = setup(&w);
    char src[20], dst[20], seen[20];
    struct frame f = request, p = proxied;
    f.ip_src = src;
    f.ip_dst = dst;
    p.ip_src = seen;
    for (unsigned turn = 0; turn < 2; turn++) {
        for (unsigned i = 0; i < CLIENTS * SERVERS; i++) {
            unsigned client = i % CLIENTS + 1, server = i / CLIENTS + 1;
            snprintf(src, sizeof src, "192.168.5.%u", client);
            snprintf(dst, sizeof dst, "10.99.3.%u", server);
            snprintf(seen, sizeof seen, "10.10.%u.%u", client, server);
            send(&w, br, 1, &f);
            expect(&w, "p2", &p);
        }
        assert_int_equal(count(br, "table=1"), 3 + CLIENTS * SERVERS);
        assert_int_equal(count(br, "table=2"), 2 + CLIENTS * SERVERS);
    }
    for (
        int round = 0; round < 2;
        round++) { /* so many leave a slice at a time, some that were young when it came to them in the next round */
        pass(&w, 301);
        while (w.vs.expiry.bridge)
            loop_run_once(w.loop, 0);
    }
    assert_int_equal(count(br, "table=1"), 3);
    assert_int_equal(count(br, "table=2"), 2);
    world_fini(&w);
}

int main(void)
{
    log_set_level(NULL, LOG_ERR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_ways), cmocka_unit_test(test_timeouts),
        cmocka_unit_test(test_collision), cmocka_unit_test(test_arp),
        cmocka_unit_test(test_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
