/* test_pbb.c - push_pbb and pop_pbb in the switch: what is in the frames, what flows see of them behind a pop, and what is cached. */
#include <linux/virtio_net.h>

#include "flow/rewrite.h"
#include "unit/switchd/world.h"

/* A TCP segment from one MAC to another, in VLAN TCI when not 0. */
static void frame(struct packet *packet, uint64_t src, uint64_t dst, uint16_t tci, size_t payload)
{
    struct flow_key key;
    memset(&key, 0, sizeof key);
    key_set(&key, FIELD_ETH_SRC, src);
    key_set(&key, FIELD_ETH_DST, dst);
    key_set(&key, FIELD_VLAN_TCI, tci);
    key_set(&key, FIELD_ETH_TYPE, ETH_TYPE_IP);
    key_set(&key, FIELD_IP_SRC, 0x0a000001);
    key_set(&key, FIELD_IP_DST, 0x0a000002);
    key_set(&key, FIELD_IP_TTL, 64);
    key_set(&key, FIELD_IP_PROTO, IP_PROTO_TCP);
    packet_init(packet);
    packet_compose(packet, &key, payload);
}

/* What came out of the last port that sent something, as a match. */
static const char *last(struct world *w, struct packet *view)
{
    static char text[500];
    struct sent *s = &vec_last(&w->sent);
    struct str str = STR_INIT;
    packet_init_view(view, s->data, (uint32_t)s->n);
    packet_put_text(&str, view);
    snprintf(text, sizeof text, "%s: %s", s->port, str_c(&str));
    str_fini(&str);
    return text;
}

static void receive(struct world *w, struct bridge *br, unsigned port, const struct packet *packet)
{
    world_forget(w);
    dummy_receive(bridge_port(br, port)->dev, packet->data, packet->size);
}

/* Into the backbone and out again: the same frame, and flows that see what is inside. */
static void test_there_and_back(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = world_bridge(&w, 4);
    struct packet in, view;
    world_add_flow(br, "in_port=1,actions=push_pbb:0x88e7,set_field:0x1234->pbb_isid,"
                       "set_field:0e:00:00:00:00:0b->eth_dst,push_vlan:0x88a8,"
                       "set_field:4101->vlan_vid,output:2");
    world_add_flow(br, "in_port=2,dl_type=0x88e7,pbb_isid=0x1234,actions=set_field:7->reg0,pop_pbb,"
                       "set_field:5->metadata,resubmit(,1),output:4");
    world_add_flow(br, "table=1,reg0=7,metadata=5,dl_dst=0e:00:00:00:00:02,dl_vlan=77,ip,"
                       "nw_dst=10.0.0.2,actions=output:3");
    frame(&in, 0x0e0000000001, 0x0e0000000002, 3 << 13 | VLAN_CFI | 77, 20);
    receive(&w, br, 1, &in);
    assert_int_equal(w.sent.n, 1);
    assert_string_equal(last(&w, &view),
                        "p2: dl_vlan=5,dl_vlan_pcp=0,vlan_tci1=0x0000,dl_src=0e:00:00:00:00:01,"
                        "dl_dst=0e:00:00:00:00:0b,dl_type=0x88e7,pbb_isid=0x1234,"
                        "pbb_uca=0");
    assert_int_equal(view.data[18] >> 5, 3); /* the tag's priority */
    struct packet backbone;
    packet_init_copy(&backbone, view.data, view.size);
    for (unsigned i = 0; i < 3; i++) {
        receive(&w, br, 2, &backbone);
        assert_int_equal(w.sent.n, 2);
        assert_string_equal(w.sent.data[0].port, "p3");
        assert_string_equal(w.sent.data[1].port, "p4");
        assert_int_equal(w.sent.data[0].n, in.size);
        assert_memory_equal(w.sent.data[0].data, in.data, in.size);
    }
    /* Another customer address is another lookup behind the pop, and only there. */
    uint64_t translations = w.vs.n_xlate;
    backbone.data[22 + 5] = 9;
    receive(&w, br, 2, &backbone);
    assert_int_equal(w.sent.n, 1);
    assert_int_equal(w.vs.n_xlate, translations + 1);
    packet_set_field(&backbone, FIELD_PBB_ISID, 0x1235); /* no network of ours */
    struct flow_key key;
    flow_extract(&backbone, &key);
    packet_set_field(&backbone, FIELD_PBB_ISID, 0x1235);
    receive(&w, br, 2, &backbone);
    assert_int_equal(w.sent.n, 0);
    packet_fini(&backbone);
    packet_fini(&in);
    world_fini(&w);
}

/* A pop inside a group and behind a patch port, with what is left to do at each level; pushes in an action set come after pops. */
static void test_levels(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = world_bridge(&w, 4);
    struct bridge *br1 = bridge_new(&w.vs, "br1");
    struct packet in, view;
    br1->secure = true;
    world_add(&w, br, "a", "patch", 10, "b");
    world_add(&w, br1, "b", "patch", 1, "a");
    world_add(&w, br1, "q2", "dummy", 2, NULL);
    world_add_flow(br,
                   "in_port=1,actions=push_pbb:0x88e7,set_field:9->pbb_isid,output:10,output:2");
    world_add_flow(br1, "in_port=1,dl_type=0x88e7,pbb_isid=9,actions=clone(resubmit(,1),"
                        "output:2),output:2");
    world_add_flow(br1, "table=1,actions=pop_pbb,resubmit(,2)");
    world_add_flow(br1, "table=2,ip,nw_src=10.0.0.1,actions=dec_ttl");
    frame(&in, 0x0e0000000001, 0x0e0000000002, 0, 20);
    receive(&w, br, 1, &in);
    assert_int_equal(w.sent.n, 3);
    assert_string_equal(w.sent.data[0].port, "q2");
    assert_int_equal(w.sent.data[0].n, in.size);
    assert_int_equal(w.sent.data[0].data[22], 63);
    assert_string_equal(w.sent.data[1].port, "q2");
    assert_int_equal(w.sent.data[1].n, in.size + 18);
    assert_string_equal(w.sent.data[2].port, "p2");
    world_add_flow(br, "in_port=3,actions=write_actions(push_pbb:0x88e7,set_field:5->pbb_isid,"
                       "pop_pbb,output:4)");
    packet_push_pbb(&in, 0x77);
    receive(&w, br, 3, &in);
    assert_int_equal(w.sent.n, 1);
    assert_int_equal(w.sent.data[0].n, in.size);
    assert_non_null(strstr(last(&w, &view), "pbb_isid=0x5"));
    packet_fini(&in);
    world_fini(&w);
}

/* A sender's large segment with an unfinished checksum is cut before it gets a header that no device looks behind. */
static void test_segments(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = world_bridge(&w, 4);
    struct packet in;
    world_add_flow(br, "in_port=1,actions=push_pbb:0x88e7,output:2,output:3");
    frame(&in, 0x0e0000000001, 0x0e0000000002, 0, 2500);
    in.csum_partial = true;
    in.gso_type = VIRTIO_NET_HDR_GSO_TCPV4;
    in.gso_size = 1000;
    world_forget(&w);
    struct vport *port = bridge_port(br, 1);
    vswitch_rx(&w.vs, port->dev, &in, 1);
    assert_int_equal(w.sent.n, 6);
    for (size_t i = 0; i < w.sent.n; i++) {
        struct packet p, whole;
        struct flow_key key;
        packet_init_copy(&p, w.sent.data[i].data, w.sent.data[i].n);
        flow_extract(&p, &key);
        packet_pop_pbb(&p);
        packet_init_copy(&whole, p.data, p.size);
        flow_extract(&whole, &key);
        assert_int_equal(p.size, 54 + (i / 2 < 2 ? 1000 : 500));
        packet_finish_checksum(&whole);
        assert_memory_equal(p.data, whole.data, p.size);
        packet_fini(&whole);
        packet_fini(&p);
    }
    packet_fini(&in);
    world_fini(&w);
}

int main(void)
{
    log_set_level(NULL, LOG_ERR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_there_and_back),
        cmocka_unit_test(test_levels),
        cmocka_unit_test(test_segments),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
