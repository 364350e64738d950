/* test_openflow.c - the OpenFlow server: answers in each version, bundles that are all or nothing,
 * packet-in and packet-out, and messages that were cut or changed at random: never more than an error. */
#include "openflow/bundle.h"
#include "openflow/group.h"
#include "openflow/meter.h"
#include "openflow/packet_io.h"
#include "openflow/switch.h"
#include "switchd/ofserver.h"
#include "unit/switchd/world.h"

static const uint8_t versions[] = {OF10_VERSION, OF13_VERSION, OF14_VERSION, OF15_VERSION};

static struct bridge *setup(struct world *w)
{
    world_init(w);
    struct bridge *br = bridge_new(&w->vs, "br0");
    br->secure = true;
    br->datapath_id = 0xabcdef;
    world_add(w, br, "p1", "dummy", 1, NULL);
    world_add(w, br, "p2", "dummy", 2, NULL);
    assert_int_equal(ofserver_new(br, NULL, &br->of, NULL), 0);
    return br;
}

/* Sends the one message in BUF and empties it. Returns the type of the first reply (OF_UNKNOWN: none);
 * REPLIES keeps them. */
static enum of_type inject(struct bridge *br, struct of_buf *buf, struct of_buf *replies)
{
    replies->n = 0;
    ofserver_inject(br->of, buf->data[0], buf->data, buf->n, replies);
    buf->n = 0;
    struct of_msg msg;
    if (replies->n < OF_HEADER_LEN)
        return OF_UNKNOWN;
    assert_int_equal(of_msg_parse(replies->data, get_be16(replies->data + 2), &msg), 0);
    return msg.type;
}

static int error_of(const struct of_buf *replies)
{
    struct of_msg msg;
    struct of_error_msg err;
    assert_int_equal(of_msg_parse(replies->data, get_be16(replies->data + 2), &msg), 0);
    assert_int_equal(of_error_decode(&msg, &err), 0);
    return err.error;
}

static void put_flow(struct of_buf *buf, uint8_t version, enum of_flow_command command,
                     const char *text)
{
    struct of_flow_mod fm;
    struct diag diag = DIAG_INIT;
    if (of_flow_mod_parse(text, command, NULL, NULL, &fm, &diag))
        fail_msg("%s: %s", text, diag_text(&diag));
    of_flow_mod_encode(&fm, version, 7, buf);
    of_flow_mod_fini(&fm);
}

static void test_answers(void **state)
{
    (void)state;
    static const enum of_type requests[][2] = {
        {OF_ECHO_REQUEST, OF_ECHO_REPLY},
        {OF_FEATURES_REQUEST, OF_FEATURES_REPLY},
        {OF_GET_CONFIG_REQUEST, OF_GET_CONFIG_REPLY},
        {OF_BARRIER_REQUEST, OF_BARRIER_REPLY},
    };
    static const enum of_type parts[][2] = {
        {OF_DESC_REQUEST, OF_DESC_REPLY},
        {OF_TABLE_STATS_REQUEST, OF_TABLE_STATS_REPLY},
        {OF_GROUP_FEATURES_REQUEST, OF_GROUP_FEATURES_REPLY},
        {OF_METER_FEATURES_REQUEST, OF_METER_FEATURES_REPLY},
    };
    struct world w;
    struct bridge *br = setup(&w);
    struct of_buf buf = OF_BUF_INIT, replies = OF_BUF_INIT;
    for (size_t v = 0; v < ARRAY_SIZE(versions); v++) {
        for (size_t i = 0; i < ARRAY_SIZE(requests); i++) {
            of_simple_encode(requests[i][0], versions[v], 5, &buf);
            assert_int_equal(inject(br, &buf, &replies), requests[i][1]);
            assert_int_equal(get_be32(replies.data + 4), 5);
        }
        for (size_t i = 0; i < (versions[v] < OF13_VERSION ? 2 : ARRAY_SIZE(parts)); i++) {
            of_multipart_request_encode(parts[i][0], versions[v], 6, &buf);
            assert_int_equal(inject(br, &buf, &replies), parts[i][1]);
        }
        put_flow(&buf, versions[v], OF_FLOW_ADD, "priority=3,ip,in_port=1,actions=output:2");
        if (inject(br, &buf, &replies) != OF_UNKNOWN)
            fail_msg("version %u: %s", versions[v], of_error_name(error_of(&replies)));
        struct of_flow_stats_request req;
        of_flow_stats_request_init(&req);
        of_flow_stats_request_encode(&req, versions[v], versions[v] == OF10_VERSION, 8, &buf);
        assert_int_equal(inject(br, &buf, &replies), OF_FLOW_STATS_REPLY);
        struct of_msg msg;
        size_t ofs = 0;
        struct of_flow_stats fs;
        assert_int_equal(of_msg_parse(replies.data, replies.n, &msg), 0);
        assert_int_equal(of_flow_stats_next(&msg, &ofs, &fs), 1);
        assert_int_equal(fs.priority, 3);
        of_flow_stats_fini(&fs);
        assert_int_equal(of_flow_stats_next(&msg, &ofs, &fs), 0);
    }
    of_buf_fini(&buf);
    of_buf_fini(&replies);
    world_fini(&w);
}

static void test_errors(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = setup(&w);
    struct of_buf buf = OF_BUF_INIT, replies = OF_BUF_INIT;
    put_flow(&buf, OF15_VERSION, OF_FLOW_ADD, "table=254,actions=drop");
    assert_int_equal(inject(br, &buf, &replies), OF_ERROR_MSG);
    assert_int_equal(error_of(&replies), OF_ERR_PERM);
    put_flow(&buf, OF15_VERSION, OF_FLOW_ADD, "actions=group:99");
    assert_int_equal(inject(br, &buf, &replies), OF_ERROR_MSG);
    assert_int_equal(error_of(&replies), OF_ERR_ACTION_BAD_OUT_GROUP);
    put_flow(&buf, OF15_VERSION, OF_FLOW_DELETE, "");
    assert_int_equal(inject(br, &buf, &replies), OF_UNKNOWN);
    struct of_tlv_map map = {0x102, 0x80, 4, 0};
    struct of_tlv_mod tlv = {OF_TLV_ADD, &map, 1};
    of_tlv_mod_encode(&tlv, OF15_VERSION, 1, &buf);
    assert_int_equal(inject(br, &buf, &replies), OF_UNKNOWN);
    of_tlv_mod_encode(&tlv, OF15_VERSION, 1, &buf);
    assert_int_equal(inject(br, &buf, &replies), OF_ERROR_MSG);
    assert_int_equal(error_of(&replies), OF_ERR_NX_TLV_DUP_ENTRY);
    of_buf_fini(&buf);
    of_buf_fini(&replies);
    world_fini(&w);
}

/* A switch with flows, groups and meters that mutated messages may meet. */
static void valid_messages(struct of_buf *all, uint8_t version, size_t *starts, size_t *n)
{
    static const char *const flows[] = {
        "table=1,priority=5,tcp,nw_src=10.0.0.0/8,tp_dst=80,"
        "actions=set_field:1.2.3.4->ip_dst,dec_ttl,resubmit(,2)",
        "ip6,ipv6_dst=fd00::/8,actions=move:NXM_OF_ETH_SRC[]->NXM_OF_ETH_DST[],"
        "push:NXM_NX_REG0[],pop:NXM_NX_REG1[],clone(output:2),note:01.02.03",
        "in_port=1,actions=learn(table=3,idle_timeout=5,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],"
        "output:NXM_OF_IN_PORT[]),controller(userdata=01.02,pause),normal",
        "arp,actions=ct(commit,zone=5,exec(set_field:1->ct_mark),nat(src=1.2.3.4)),"
        "check_pkt_larger(1400)->NXM_NX_REG0[1],conjunction(1,1/2)",
    };
    *n = 0;
    for (size_t i = 0; i < ARRAY_SIZE(flows); i++) {
        struct of_flow_mod fm;
        if (!of_flow_mod_parse(flows[i], OF_FLOW_ADD, NULL, NULL, &fm, NULL)) {
            starts[(*n)++] = all->n;
            of_flow_mod_encode(&fm, version, 3, all);
        }
        of_flow_mod_fini(&fm);
    }
    static const enum of_type simple[] = {OF_FEATURES_REQUEST, OF_GET_CONFIG_REQUEST,
                                          OF_BARRIER_REQUEST, OF_ECHO_REQUEST};
    for (size_t i = 0; i < ARRAY_SIZE(simple); i++) {
        starts[(*n)++] = all->n;
        of_simple_encode(simple[i], version, 4, all);
    }
    struct of_packet_out po;
    of_packet_out_init(&po);
    uint8_t frame[60] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45};
    po.packet = frame;
    po.packet_len = sizeof frame;
    of_put_output(&po.actions, PORT_TABLE);
    starts[(*n)++] = all->n;
    of_packet_out_encode(&po, version, 9, all);
    of_packet_out_fini(&po);
    starts[(*n)++] = all->n;
    of_multipart_request_encode(OF_DESC_REQUEST, version, 5, all);
    struct of_flow_stats_request req;
    of_flow_stats_request_init(&req);
    starts[(*n)++] = all->n;
    of_flow_stats_request_encode(&req, version, version == OF10_VERSION, 8, all);
    struct of_tlv_map map = {0x102, 0x80, 4, 0};
    struct of_tlv_mod tlv = {OF_TLV_ADD, &map, 1};
    starts[(*n)++] = all->n;
    of_tlv_mod_encode(&tlv, version, 1, all);
    if (version < OF13_VERSION)
        return;
    struct of_group_mod gm;
    if (!of_group_mod_parse("group_id=1,type=select,bucket=weight:5,actions=output:2", OF_GROUP_ADD,
                            NULL, &gm, NULL)) {
        starts[(*n)++] = all->n;
        of_group_mod_encode(&gm, version, 6, all);
        of_group_mod_fini(&gm);
    }
    struct of_meter_mod mm;
    if (!of_meter_mod_parse("meter=1,kbps,bands=type=drop,rate=5", OF_METER_ADD, &mm, NULL)) {
        starts[(*n)++] = all->n;
        of_meter_mod_encode(&mm, version, 6, all);
        of_meter_mod_fini(&mm);
    }
    struct of_bundle_control bc = {1, OF_BUNDLE_OPEN_REQUEST, OF_BUNDLE_ATOMIC};
    starts[(*n)++] = all->n;
    of_bundle_control_encode(&bc, version, 2, all);
    starts[(*n)++] = all->n;
    size_t at = of_bundle_add_begin(1, OF_BUNDLE_ATOMIC, version, 3, all);
    struct of_flow_mod fm;
    of_flow_mod_init(&fm, OF_FLOW_ADD);
    of_flow_mod_encode(&fm, version, 3, all);
    of_flow_mod_fini(&fm);
    of_bundle_add_end(all, at);
}

static void test_hostile(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = setup(&w);
    struct env_seeded random;
    env_seeded_init(&random, 99);
    struct of_buf replies = OF_BUF_INIT;
    for (size_t v = 0; v < ARRAY_SIZE(versions); v++) {
        struct of_buf all = OF_BUF_INIT;
        size_t starts[64], n;
        valid_messages(&all, versions[v], starts, &n);
        for (unsigned round = 0; round < 6000; round++) {
            size_t i = env_random_u64(&random.env) % n;
            size_t len = (i + 1 < n ? starts[i + 1] : all.n) - starts[i];
            uint8_t *m = xmemdup(all.data + starts[i], len);
            for (unsigned k = env_random_u64(&random.env) % 5; k-- > 0;)
                m[env_random_u64(&random.env) % len] = (uint8_t)env_random_u64(&random.env);
            if (!(env_random_u64(&random.env) % 4))
                len = OF_HEADER_LEN + env_random_u64(&random.env) % (len - OF_HEADER_LEN + 1);
            if (env_random_u64(&random.env) % 8)
                put_be16(m + 2, (uint16_t)len);
            if (env_random_u64(&random.env) % 8)
                m[0] = versions[v];
            uint8_t *exact = xmemdup(m, len); /* so that a read beyond the end is found */
            replies.n = 0;
            ofserver_inject(br->of, versions[v], exact, len, &replies);
            free(exact);
            free(m);
            if (!(round % 64)) {
                uint8_t frame[60] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45};
                dummy_receive(bridge_port(br, 1)->dev, frame, sizeof frame);
                world_forget(&w);
                w.env.now_us += 500000;
                vswitch_tick(&w.vs);
            }
        }
        of_buf_fini(&all);
    }
    /* It still is a switch. */
    struct of_buf buf = OF_BUF_INIT;
    bridge_port(br, 1)->config = bridge_port(br, 2)->config = 0;
    put_flow(&buf, OF15_VERSION, OF_FLOW_DELETE, "table=255");
    assert_int_equal(inject(br, &buf, &replies), OF_UNKNOWN);
    put_flow(&buf, OF15_VERSION, OF_FLOW_ADD, "in_port=1,actions=output:2");
    assert_int_equal(inject(br, &buf, &replies), OF_UNKNOWN);
    uint8_t frame[60] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x90, 0};
    dummy_receive(bridge_port(br, 1)->dev, frame, sizeof frame);
    assert_int_equal(w.sent.n, 1);
    of_buf_fini(&buf);
    of_buf_fini(&replies);
    world_fini(&w);
}

/* Frames of any length and content: counted, never more. */
static void test_hostile_frames(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = setup(&w);
    world_add_flow(br, "priority=0,actions=normal");
    world_add_flow(br, "priority=1,ip,actions=dec_ttl,set_field:1.2.3.4->ip_src,output:2");
    world_add_flow(br, "priority=2,tcp,actions=set_field:9->tcp_dst,set_field:1.1.1.1->ip_dst,"
                       "output:2");
    world_add_flow(br, "priority=2,udp,actions=set_field:9->udp_src,output:2");
    world_add_flow(br, "priority=2,icmp,actions=set_field:9->icmp_type,output:2");
    world_add_flow(br, "priority=2,sctp,actions=set_field:9->sctp_src,output:2");
    world_add_flow(br, "priority=1,ipv6,actions=set_field:fd00::1->ipv6_src,dec_ttl,output:2");
    world_add_flow(br, "priority=2,tcp6,actions=set_field:7->tcp_src,output:2");
    world_add_flow(br, "priority=2,icmp6,icmp_type=135,icmp_code=0,"
                       "actions=set_field:fd00::2->nd_target,set_field:00:00:00:00:00:09->nd_sll,"
                       "output:2");
    world_add_flow(br, "priority=1,arp,actions=set_field:2->arp_op,set_field:1.1.1.1->arp_tpa,"
                       "push_vlan:0x8100,output:2");
    struct env_seeded random;
    env_seeded_init(&random, 5);
    static const uint16_t types[] = {0x0800, 0x86dd, 0x0806, 0x8100, 0x88a8, 0x8847, 0x9000, 60};
    for (unsigned i = 0; i < 20000; i++) {
        uint8_t frame[200];
        size_t n = env_random_u64(&random.env) % sizeof frame;
        env_random(&random.env, frame, sizeof frame);
        put_be16(frame + 12, types[env_random_u64(&random.env) % ARRAY_SIZE(types)]);
        if (env_random_u64(&random.env) % 2)
            frame[14] = get_be16(frame + 12) == 0x0800 ? 0x45 : 0x60;
        if (env_random_u64(&random.env) % 2) {
            static const uint8_t protos[] = {1, 6, 17, 58, 132, 44, 0, 60};
            frame[get_be16(frame + 12) == 0x0800 ? 23 : 20] =
                protos[env_random_u64(&random.env) % ARRAY_SIZE(protos)];
        }
        dummy_receive(bridge_port(br, 1)->dev, frame, n);
        world_forget(&w);
    }
    assert_int_equal(bridge_port(br, 1)->dev->stats.rx_packets, 20000);
    world_fini(&w);
}

static void test_bundle_is_atomic(void **state)
{
    (void)state;
    struct world w;
    struct bridge *br = setup(&w);
    world_add_flow(br, "in_port=1,actions=output:2");
    /* Bundles belong to a connection; here the parts of one are carried out as a commit does. */
    struct journal journal = JOURNAL_INIT;
    struct of_flow_mod good, bad;
    assert_int_equal(
        of_flow_mod_parse("in_port=1,actions=drop", OF_FLOW_ADD, NULL, NULL, &good, NULL), 0);
    assert_int_equal(of_flow_mod_parse("actions=group:7", OF_FLOW_ADD, NULL, NULL, &bad, NULL), 0);
    assert_int_equal(bridge_flow_mod(br, &good, &journal), 0);
    assert_int_not_equal(bridge_flow_mod(br, &bad, &journal), 0);
    journal_undo(&journal, &br->tables);
    vswitch_invalidate(&w.vs);
    uint8_t frame[60] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x90, 0};
    dummy_receive(bridge_port(br, 1)->dev, frame, sizeof frame);
    assert_int_equal(w.sent.n, 1);
    of_flow_mod_fini(&good);
    of_flow_mod_fini(&bad);
    world_fini(&w);
}

int main(void)
{
    log_set_level(NULL, LOG_OFF);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),          cmocka_unit_test(test_errors),
        cmocka_unit_test(test_bundle_is_atomic), cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_hostile_frames),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
