/* test_hit_path.c - a packet that the caches know asks for no memory: from its port through look-ups, the tracker, translations and changed fields to another port. */
#include "unit/switchd/world.h"

#ifdef __SANITIZE_ADDRESS__
/* As in <sanitizer/allocator_interface.h>, which not every system installs. */
int __sanitizer_install_malloc_and_free_hooks(void (*asked)(const volatile void *, size_t),
                                              void (*freed)(const volatile void *));

static unsigned n_asked;
static bool counts;

static void asked(const volatile void *p, size_t n)
{
    (void)p, (void)n;
    n_asked += counts;
}

static void freed(const volatile void *p)
{
    (void)p;
}

/* What comes by PORT; the buffer has room in front, as those of ports have. */
static void receive(struct bridge *br, uint32_t port, const struct packet *frame)
{
    static uint8_t room[4096];
    struct packet p;
    packet_init_lent(&p, room, sizeof room, room + 256, frame->size);
    memcpy(p.data, frame->data, frame->size);
    vswitch_rx(br->vs, bridge_port(br, port)->dev, &p, 1);
    port_host_flush(&br->vs->host);
    packet_fini(&p);
}

/* A reply to FRAME, which has left as it came but for its destination. */
static void reply_to(const struct packet *frame, const char *server, struct packet *reply)
{
    struct ip_addr dst, src, me;
    packet_init(reply);
    packet_clone_into(reply, frame);
    assert_int_equal(ip_addr_parse(server, &src), 0);
    me = ip_addr_from_v4(swap32(0x0a000001));
    dst = me;
    packet_set_ip_src(reply, &src);
    packet_set_ip_dst(reply, &dst);
    packet_set_ports(reply, 53, 1000);
}

static void test_no_memory(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = world_bridge(&w, 2);
    struct packet frame, reply;
    struct flow_key key;
    for (uint32_t i = 1; i <= 2; i++)
        dummy_set_observer(bridge_port(br, i)->dev, NULL, NULL);
    world_add_flow(br, "in_port=1,udp,actions=ct(table=1,zone=1,nat)");
    world_add_flow(br, "in_port=2,udp,actions=ct(table=1,zone=1,nat)");
    world_add_flow(
        br, "table=1,in_port=1,ct_state=+new,udp,actions=ct(commit,zone=1,nat(dst=10.0.0.9)),2");
    world_add_flow(
        br,
        "table=1,in_port=1,ct_state=+est,udp,actions=set_field:02:00:00:00:00:09->eth_dst,dec_ttl,"
        "push_vlan:0x8100,set_field:4103->vlan_vid,2");
    world_add_flow(br, "table=1,in_port=2,ct_state=+est,udp,actions=resubmit(,2)");
    world_add_flow(br, "table=2,actions=clone(set_field:7->reg0,1)");
    world_udp(&frame, 1, 1000, 53, 64, 100);
    flow_extract(&frame, &key);
    reply_to(&frame, "10.0.0.9", &reply);
    for (int i = 0; i < 20; i++) {
        receive(br, 1, &frame);
        receive(br, 2, &reply);
    }
    uint64_t before[2] = {bridge_port(br, 1)->dev->stats.tx_packets,
                          bridge_port(br, 2)->dev->stats.tx_packets};
    counts = true;
    for (int i = 0; i < 1000; i++) {
        receive(br, 1, &frame);
        receive(br, 2, &reply);
    }
    counts = false;
    assert_int_equal(bridge_port(br, 1)->dev->stats.tx_packets - before[0], 1000);
    assert_int_equal(bridge_port(br, 2)->dev->stats.tx_packets - before[1], 1000);
    assert_int_equal(n_asked, 0);
    counts = true; /* that it does count */
    free(malloc(1));
    counts = false;
    assert_int_equal(n_asked, 1);
    packet_fini(&frame);
    packet_fini(&reply);
    world_fini(&w);
}

int main(void)
{
    log_set_level(NULL, LOG_ERR);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_no_memory)};
    (void)__sanitizer_install_malloc_and_free_hooks(asked, freed);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
#else /* only the sanitizer tells of allocations */
int main(void)
{
    return 0;
}
#endif
