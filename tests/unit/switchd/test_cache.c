/* test_cache.c - the cached path against a switch without caches: over random flows, groups, changes, bundles, time and packets, every
 * packet leaves on the same ports with the same bytes, and flows count the same.
 *
 * usage: test_cache [FIRST-SEED N-SEEDS] */
#include "flow/rewrite.h"
#include "openflow/actions.h"
#include "openflow/group.h"
#include "switchd/revalidate.h"
#include "unit/switchd/world.h"

enum { N_STEPS = 3000, N_TABLES_USED = 4 };

struct random {
    uint64_t state, seed;
};

static uint32_t rnd(struct random *r, uint32_t n)
{
    r->state = r->state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(r->state >> 33) % n;
}

static struct bridge *make(struct world *w)
{
    world_init(w);
    struct bridge *br0 = bridge_new(&w->vs, "br0"), *br1 = bridge_new(&w->vs, "br1");
    br0->secure = br1->secure = true;
    br0->datapath_id = 1;
    br1->datapath_id = 2;
    world_add(w, br0, "p1", "dummy", 1, NULL);
    world_add(w, br0, "p2", "dummy", 2, NULL);
    world_add(w, br0, "p3", "dummy", 3, NULL);
    world_add(w, br0, "a", "patch", 4, "b");
    world_add(w, br1, "b", "patch", 1, "a");
    world_add(w, br1, "q2", "dummy", 2, NULL);
    world_add(w, br1, "q3", "dummy", 3, NULL);
    return br0;
}

static void change_group(struct world *w, const char *bridge, const char *text)
{
    struct bridge *br = vswitch_bridge(&w->vs, bridge);
    struct of_group_mod gm;
    struct journal journal = JOURNAL_INIT;
    assert_int_equal(of_group_mod_parse(text, OF_GROUP_ADD_OR_MODIFY, NULL, &gm, NULL), 0);
    assert_int_equal(bridge_group_mod(br, &gm, &journal), 0);
    bridge_commit(br, &journal);
    of_group_mod_fini(&gm);
}

/* One of the three groups becomes something else, on both. */
static void groups_both(struct world *a, struct world *b, struct random *r, const char *bridge,
                        uint32_t id)
{
    char text[200];
    static const char *const types[] = {"all", "select", "fast_failover"};
    uint32_t x = 1 + rnd(r, 4), y = 1 + rnd(r, 4);
    snprintf(text, sizeof text,
             "group_id=%u,type=%s,bucket=bucket_id:0,watch_port:%u,watch_group:%u,actions=load:%u->"
             "NXM_NX_REG0[],output:%u,bucket=bucket_id:1,watch_port:%u,actions=output:%u",
             id, types[rnd(r, 3)], rnd(r, 2) ? x : 99, id % 3 + 1, rnd(r, 3), x, y, y);
    change_group(a, bridge, text);
    change_group(b, bridge, text);
}

static u128 random_value(struct random *r, enum field_id id)
{
    switch (id) {
    case FIELD_ETH_SRC:
    case FIELD_ETH_DST:
        return 0x020000000001 + rnd(r, 3) +
               (id == FIELD_ETH_DST && !rnd(r, 5) ? 0x010000000000 : 0);
    case FIELD_IP_SRC:
    case FIELD_IP_DST:
        return 0x0a000001 + rnd(r, 2) + (rnd(r, 2) << 8);
    case FIELD_IP_TTL:
        return 1 + rnd(r, 3);
    case FIELD_VLAN_TCI:
        return rnd(r, 2) ? 0 : 0x1000 | rnd(r, 3);
    default:
        return rnd(r, 3);
    }
}

static const enum field_id match_fields[] = {FIELD_IN_PORT_OXM, FIELD_ETH_SRC, FIELD_ETH_DST,
                                             FIELD_VLAN_TCI,    FIELD_REG0,    FIELD_REG1,
                                             FIELD_METADATA};
static const uint32_t ct_bits[] = {CT_NEW, CT_EST, CT_RPL, CT_INV, CT_SNAT, CT_DNAT};
static const enum field_id ip_fields[] = {FIELD_IP_SRC, FIELD_IP_DST, FIELD_IP_TTL};

static void random_match(struct random *r, struct match *match)
{
    match_init(match);
    for (unsigned i = 0; i < ARRAY_SIZE(match_fields); i++) {
        if (!rnd(r, 5))
            match_set(match, match_fields[i], random_value(r, match_fields[i]));
    }
    if (rnd(r, 2))
        return;
    match_set(match, FIELD_ETH_TYPE, 0x0800);
    for (unsigned i = 0; i < ARRAY_SIZE(ip_fields); i++) {
        if (rnd(r, 3))
            continue;
        u128 mask = field_get(ip_fields[i])->maskable ? u128_ones(32) & ~u128_ones(rnd(r, 17))
                                                      : u128_ones(field_get(ip_fields[i])->n_bits);
        match_set_masked(match, ip_fields[i], random_value(r, ip_fields[i]), mask);
    }
    if (!rnd(r, 4)) {
        uint32_t bit = ct_bits[rnd(r, ARRAY_SIZE(ct_bits))];
        match_set_masked(match, FIELD_CT_STATE, rnd(r, 2) ? bit | CT_TRK : CT_TRK, bit | CT_TRK);
        if (!rnd(r, 4))
            match_set(match, rnd(r, 2) ? FIELD_CT_MARK : FIELD_CT_ZONE, rnd(r, 3));
    }
    if (!rnd(r, 3)) {
        match_set(match, FIELD_IP_PROTO, 17);
        match_set(match, FIELD_UDP_DST, rnd(r, 3));
    }
}

/* A ct with all that it can have. */
static void put_random_ct(struct random *r, struct of_actions *a)
{
    struct subfield zone = subfield_make(FIELD_REG0, 0, 16);
    struct ip_addr to = ip_addr_from_v4(swap32(0x0a000001 + rnd(r, 4))), last = to;
    bool commit = rnd(r, 2);
    size_t start = of_begin_ct(a, commit ? OF_CT_COMMIT | (rnd(r, 4) ? 0 : OF_CT_FORCE) : 0,
                               rnd(r, 3) ? NULL : &zone, (uint16_t)rnd(r, 2),
                               rnd(r, 4) ? (uint8_t)(1 + rnd(r, N_TABLES_USED)) : OF_CT_NO_RECIRC);
    if (rnd(r, 2)) {
        uint16_t port = rnd(r, 2) ? (uint16_t)(1 + rnd(r, 3)) : 0;
        last.v4 = swap32(swap32(to.v4) + rnd(r, 3));
        of_put_nat(a,
                   !commit     ? 0
                   : rnd(r, 2) ? OF_NAT_SRC
                               : OF_NAT_DST,
                   commit ? &to : NULL, commit ? &last : NULL, commit ? port : 0,
                   commit && port ? port + 5 : 0);
    }
    if (commit && rnd(r, 2))
        of_put_set_field(a, FIELD_CT_MARK, rnd(r, 3));
    of_end_nested(a, start);
}

static void put_random_actions(struct random *r, struct of_actions *a, unsigned depth)
{
    unsigned n = rnd(r, 5);
    for (unsigned i = 0; i < n; i++) {
        struct subfield reg0 = subfield_whole(FIELD_REG0), reg1 = subfield_whole(FIELD_REG1);
        struct subfield src16 = subfield_make(FIELD_ETH_SRC, 0, 2);
        struct subfield reg16 = subfield_make(FIELD_REG1, 0, 2);
        struct subfield ttl = subfield_whole(FIELD_IP_TTL);
        struct subfield reg8 = subfield_make(FIELD_REG0, 0, 8);
        static const enum field_id settable[] = {FIELD_ETH_SRC, FIELD_ETH_DST, FIELD_IP_DST,
                                                 FIELD_REG0,    FIELD_REG1,    FIELD_METADATA};
        enum field_id id = settable[rnd(r, ARRAY_SIZE(settable))];
        size_t start;
        switch (rnd(r, 24)) {
        case 21:
        case 22:
            of_put_group(a, 1 + rnd(r, 3));
            break;
        case 0:
        case 1:
        case 2:
            of_put_output(a, 1 + rnd(r, 5));
            break;
        case 3:
            of_put_output(a, rnd(r, 2) ? PORT_FLOOD : PORT_IN_PORT);
            break;
        case 4:
            of_put_output(a, PORT_NORMAL);
            break;
        case 5:
        case 6:
            of_put_set_field(a, id, random_value(r, id));
            break;
        case 7:
            of_put_set_field_masked(a, FIELD_ETH_DST, rnd(r, 4), 3);
            break;
        case 8:
            of_put_move(a, &src16, &reg16);
            break;
        case 9:
            of_put_stack_push(a, rnd(r, 2) ? &reg0 : &ttl);
            of_put_set_field(a, FIELD_REG0, rnd(r, 3));
            of_put_stack_pop(a, rnd(r, 2) ? &reg8 : &ttl);
            break;
        case 10:
        case 11:
            of_put_resubmit(a, rnd(r, 3) ? PORT_IN_PORT : 1 + rnd(r, 3),
                            (uint8_t)rnd(r, N_TABLES_USED));
            break;
        case 12:
            of_put_dec_ttl(a);
            break;
        case 13:
            if (rnd(r, 2))
                of_put_push_vlan(a, rnd(r, 2) ? ETH_TYPE_VLAN : ETH_TYPE_QINQ);
            else
                of_put_pop_vlan(a);
            break;
        case 14:
            of_put_move(a, &reg0, &reg1);
            break;
        case 15:
        case 16:
        case 17:
        case 18:
        case 19:
        case 20:
            put_random_ct(r, a);
            break;
        default:
            if (depth < 2) {
                start = of_begin_clone(a);
                put_random_actions(r, a, depth + 1);
                of_end_nested(a, start);
            }
            break;
        }
    }
}

static void random_flow_mod(struct random *r, struct of_flow_mod *fm)
{
    static const enum of_flow_command commands[] = {
        OF_FLOW_ADD,    OF_FLOW_ADD,    OF_FLOW_ADD,           OF_FLOW_MODIFY_STRICT,
        OF_FLOW_MODIFY, OF_FLOW_DELETE, OF_FLOW_DELETE_STRICT, OF_FLOW_DELETE_STRICT};
    of_flow_mod_init(fm, commands[rnd(r, ARRAY_SIZE(commands))]);
    fm->table_id = (uint8_t)rnd(r, N_TABLES_USED);
    fm->priority = (uint16_t)rnd(r, 4);
    random_match(r, &fm->match);
    if (!rnd(r, 6)) { /* a clause of a conjunction, or what a whole one does */
        if (rnd(r, 2))
            of_put_conjunction(&fm->actions, 1 + rnd(r, 2), (uint8_t)rnd(r, 2), 2);
        else
            match_set(&fm->match, FIELD_CONJ_ID, 1 + rnd(r, 2));
        if (fm->actions.n)
            return;
    }
    put_random_actions(r, &fm->actions, 0);
    const struct of_action *x;
    bool tracks = false;
    OF_ACTION_FOR_EACH(x, fm->actions.data, fm->actions.n)
    tracks |= x->type == OF_CT;
    if (tracks) /* it is refused otherwise */
        match_set(&fm->match, FIELD_ETH_TYPE, 0x0800);
    /* A resubmit to any table may recurse without end; that is for the guard, and slow: go down only. */
    struct of_actions down = OF_ACTIONS_INIT;
    OF_ACTION_FOR_EACH(x, fm->actions.data, fm->actions.n)
    {
        const struct of_resubmit *re = (const void *)x;
        const struct of_ct *ct = (const void *)x;
        if ((x->type == OF_RESUBMIT && re->table <= fm->table_id) || x->type == OF_CLONE ||
            (x->type == OF_CT && ct->table <= fm->table_id))
            continue;
        of_actions_append(&down, x, x->len);
    }
    if (rnd(r, 2)) {
        of_actions_fini(&fm->actions);
        fm->actions = down;
    } else {
        bool recursive = false;
        OF_ACTION_FOR_EACH(x, fm->actions.data, fm->actions.n)
        recursive |= x->type == OF_RESUBMIT || x->type == OF_CLONE || x->type == OF_CT;
        if (recursive && rnd(r, 4)) {
            of_actions_fini(&fm->actions);
            fm->actions = down;
        } else {
            of_actions_fini(&down);
        }
    }
}

/* The same for both: a flow mod, or a few in one journal, kept or taken back. */
static void change_both(struct world *a, struct world *b, struct random *r)
{
    const char *name = rnd(r, 3) ? "br0" : "br1";
    struct journal ja = JOURNAL_INIT, jb = JOURNAL_INIT;
    struct bridge *ba = vswitch_bridge(&a->vs, name), *bb = vswitch_bridge(&b->vs, name);
    if (!rnd(r, 3)) {
        groups_both(a, b, r, name, 1 + rnd(r, 3));
        return;
    }
    struct of_flow_mod fm, last;
    of_flow_mod_init(&last, OF_FLOW_ADD);
    for (unsigned n = rnd(r, 3) ? 1 : 1 + rnd(r, 6); n; n--) {
        random_flow_mod(r, &fm);
        if (!rnd(r, 3)) { /* the same flow again */
            fm.match = last.match;
            fm.priority = last.priority;
            fm.table_id = last.table_id;
        }
        int ea = bridge_flow_mod(ba, &fm, &ja), eb = bridge_flow_mod(bb, &fm, &jb);
        assert_int_equal(ea, eb);
        of_flow_mod_fini(&last);
        last = fm;
    }
    of_flow_mod_fini(&last);
    if (rnd(r, 8)) {
        bridge_commit(ba, &ja);
        bridge_commit(bb, &jb);
    } else {
        journal_undo(&ja, &ba->tables);
        journal_undo(&jb, &bb->tables);
    }
}

static void random_packet(struct random *r, struct packet *packet)
{
    struct flow_key key;
    memset(&key, 0, sizeof key);
    key_set(&key, FIELD_ETH_SRC, random_value(r, FIELD_ETH_SRC));
    key_set(&key, FIELD_ETH_DST, random_value(r, FIELD_ETH_DST));
    key_set(&key, FIELD_VLAN_TCI, random_value(r, FIELD_VLAN_TCI));
    key_set(&key, FIELD_ETH_TYPE, rnd(r, 4) ? 0x0800 : 0x0806);
    if (get_be16(&key.eth_type) == 0x0800) {
        for (unsigned i = 0; i < ARRAY_SIZE(ip_fields); i++)
            key_set(&key, ip_fields[i], random_value(r, ip_fields[i]));
        key_set(&key, FIELD_IP_PROTO, rnd(r, 2) ? 17 : 6);
        if (key.nw_proto == 6)
            key_set(&key, FIELD_TCP_FLAGS, rnd(r, 2) ? TCP_SYN : TCP_ACK);
        key_set(&key, FIELD_UDP_DST, rnd(r, 3));
        key_set(&key, FIELD_UDP_SRC, rnd(r, 2));
    } else {
        key_set(&key, FIELD_ARP_OP, 1 + rnd(r, 2));
    }
    packet_compose(packet, &key, rnd(r, 40));
    while (!rnd(r, 8)) { /* more tags in front */
        flow_extract(packet, &key);
        packet_push_vlan(packet, rnd(r, 2) ? ETH_TYPE_VLAN : ETH_TYPE_QINQ,
                         (uint16_t)random_value(r, FIELD_VLAN_TCI));
    }
}

static bool same_sent(const struct world *a, const struct world *b)
{
    if (a->sent.n != b->sent.n)
        return false;
    for (size_t i = 0; i < a->sent.n; i++) {
        const struct sent *x = &a->sent.data[i], *y = &b->sent.data[i];
        if (strcmp(x->port, y->port) || x->n != y->n || memcmp(x->data, y->data, x->n))
            return false;
    }
    return true;
}

/* What the translation says, for the report of a failure. */
static void explain(struct world *w, struct vport *port, const struct packet *packet)
{
    struct packet copy;
    packet_init_copy(&copy, packet->data, packet->size);
    struct str out = STR_INIT;
    struct xlate_in in = {.bridge = port->bridge, .in_port = port, .packet = &copy, .notes = &out};
    copy.md.in_port = port->dp_no;
    flow_extract(&copy, &in.key);
    struct megaflow *flow =
        megaflows_lookup(w->vs.cache, &w->vs.own, &in.key, megaflow_key_hash(&in.key));
    in.key.in_port = swap32(port->ofport);
    struct xlate_out result;
    xlate_out_init(&result);
    xlate(&in, &result);
    str_put(&out, "fresh: ");
    dp_actions_put_text(&out, &result.actions, NULL, NULL);
    if (flow) {
        str_put(&out, "\ncached: ");
        dp_actions_put_text(&out, &flow->actions, NULL, NULL);
        struct match match;
        megaflow_match(flow, &match);
        str_put(&out, " for ");
        match_put(&out, &match, -1, NULL);
    }
    for (size_t i = 0; i < w->sent.n; i++) {
        str_putf(&out, "\nsent on %s: ", w->sent.data[i].port);
        str_put_hex(&out, w->sent.data[i].data, w->sent.data[i].n);
    }
    print_message("in %s: %s\n", port->name, str_c(&out));
    str_fini(&out);
    xlate_out_fini(&result);
    packet_fini(&copy);
}

static void compare_sent(struct world *a, struct world *b)
{
    assert_int_equal(a->sent.n, b->sent.n);
    for (size_t i = 0; i < a->sent.n; i++) {
        assert_string_equal(a->sent.data[i].port, b->sent.data[i].port);
        assert_int_equal(a->sent.data[i].n, b->sent.data[i].n);
        assert_memory_equal(a->sent.data[i].data, b->sent.data[i].data, a->sent.data[i].n);
    }
    world_forget(a);
    world_forget(b);
}

static void packet_both(struct world *a, struct world *b, struct random *r)
{
    static const struct {
        const char *bridge, *port;
    } ports[] = {{"br0", "p1"}, {"br0", "p2"}, {"br0", "p3"}, {"br1", "q2"}, {"br1", "q3"}};
    unsigned at = rnd(r, ARRAY_SIZE(ports));
    struct packet packet, again;
    packet_init(&packet);
    random_packet(r, &packet);
    packet_init_copy(&again, packet.data, packet.size);
    struct vport *pa = bridge_port_named(vswitch_bridge(&a->vs, ports[at].bridge), ports[at].port);
    struct vport *pb = bridge_port_named(vswitch_bridge(&b->vs, ports[at].bridge), ports[at].port);
    dummy_receive(pa->dev, packet.data, packet.size);
    vswitch_rx_uncached(&b->vs, pb, &again);
    if (!same_sent(a, b)) {
        print_message("seed %llu\n", (unsigned long long)r->seed);
        packet_fini(&again);
        packet_init_copy(&again, packet.data, packet.size);
        explain(a, pa, &packet);
        explain(b, pb, &again);
    }
    compare_sent(a, b);
    packet_fini(&packet);
    packet_fini(&again);
}

static void compare_counters(struct world *a, struct world *b, const char *name)
{
    struct of_flow_stats_request req;
    of_flow_stats_request_init(&req);
    rule_vec ra = VEC_INIT, rb = VEC_INIT;
    vswitch_push_stats(&a->vs);
    tables_select(&vswitch_bridge(&a->vs, name)->tables, &req, &ra);
    tables_select(&vswitch_bridge(&b->vs, name)->tables, &req, &rb);
    assert_int_equal(ra.n, rb.n);
    for (size_t i = 0; i < ra.n; i++) {
        assert_int_equal(ra.data[i]->n_packets, rb.data[i]->n_packets);
        assert_int_equal(ra.data[i]->n_bytes, rb.data[i]->n_bytes);
    }
    vec_fini(&ra);
    vec_fini(&rb);
}

static uint64_t first_seed = 1, n_seeds = 12, n_revalidated;

/* Returns how many connections there were. */
static uint64_t run_oracle(uint64_t seed)
{
    struct world a, b;
    struct random r = {seed, seed};
    make(&a);
    make(&b);
    for (uint32_t id = 1; id <= 3; id++) {
        groups_both(&a, &b, &r, "br0", id);
        groups_both(&a, &b, &r, "br1", id);
    }
    for (unsigned i = 0; i < 30; i++)
        change_both(&a, &b, &r);
    for (unsigned i = 0; i < N_STEPS; i++) {
        if (!rnd(&r, 12))
            change_both(&a, &b, &r);
        a.env.now_us += 1000 * rnd(&r, 20);
        b.env.now_us = a.env.now_us;
        if (!rnd(&r, 100))
            revalidate_walk(&a.vs);
        packet_both(&a, &b, &r);
    }
    compare_counters(&a, &b, "br0");
    compare_counters(&a, &b, "br1");
    /* The test is worth something only if the cache was used. */
    assert_true(world_hits(&a.vs) > N_STEPS / 10);
    assert_true(world_hits(&b.vs) == 0);
    uint64_t n_committed = conntrack_counters(a.vs.ct)->n_committed;
    assert_int_equal(conntrack_count(a.vs.ct), conntrack_count(b.vs.ct));
    n_revalidated += a.vs.walk.n_revalidated;
    world_fini(&a);
    world_fini(&b);
    return n_committed;
}

/* What the cache still counts for a port that goes away must not teach the port's address again:
 * the next port with its number would get the traffic. */
static void test_port_removed(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    struct bridge *br = bridge_new(&w.vs, "br0");
    for (unsigned i = 1; i <= 3; i++) {
        char name[8];
        snprintf(name, sizeof name, "p%u", i);
        world_add(&w, br, name, "dummy", i, NULL);
    }
    world_add_flow(br, "actions=normal");
    uint8_t frame[60] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x12, 0x34};
    for (int i = 0; i < 3; i++) /* the last ones are not credited yet */
        dummy_receive(bridge_port(br, 2)->dev, frame, sizeof frame);
    struct mac mac = {{2, 0, 0, 0, 0, 2}};
    assert_non_null(mac_table_find(&br->macs, mac, 0));
    bridge_remove_port(br, bridge_port(br, 2));
    assert_null(mac_table_find(&br->macs, mac, 0));
    world_fini(&w);
}

static void test_cached_is_uncached(void **state)
{
    (void)state;
    uint64_t n_committed = 0;
    for (uint64_t seed = first_seed; seed < first_seed + n_seeds; seed++)
        n_committed += run_oracle(seed);
    assert_true(n_committed > 10 * n_seeds); /* the tracker was part of it */
    assert_true(n_revalidated > 10 * n_seeds);
}

int main(int argc, char **argv)
{
    if (argc > 2) {
        first_seed = strtoull(argv[1], NULL, 0);
        n_seeds = strtoull(argv[2], NULL, 0);
    }
    log_set_level(NULL, LOG_ERR);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cached_is_uncached),
                                       cmocka_unit_test(test_port_removed)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
