/* test_tun_options.c - tunnel options of all widths: the cached path against a switch without caches. Over random flows that match, set, move,
 * push, pop and learn parts of options, behind ct actions too, every Geneve packet leaves on the same ports, or through the tunnel with the same
 * bytes; and what the store has forgotten is never taken for something else.
 *
 * usage: test_tun_options [FIRST-SEED N-SEEDS] */
#include "net/checksum.h"
#include "openflow/actions.h"
#include "switchd/port/tunnel.h"
#include "switchd/revalidate.h"
#include "switchd/tun_store.h"
#include "unit/switchd/world.h"

enum { N_STEPS = 1500, N_TABLES_USED = 4, PORT_G = 6, UDP_PORT = 46081 };

static const struct {
    uint8_t field, len;
} options[] = {{0, 4}, {1, 8}, {2, 12}, {7, 4}, {9, 0}, {20, 40}, {40, 124}, {63, 16}};

struct random {
    uint64_t state, seed;
};

static uint32_t rnd(struct random *r, uint32_t n)
{
    r->state = r->state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(r->state >> 33) % n;
}

/* ---- two switches, each with a tunnel whose datagrams are kept ---- */

struct side {
    struct world w;
    struct tunnel_wire wire;
};

static void keep(struct tunnel_wire *wire, const struct ip_addr *src UNUSED,
                 const struct ip_addr *dst UNUSED, uint16_t udp_port UNUSED, const void *data,
                 size_t n)
{
    struct side *side = CONTAINER_OF(wire, struct side, wire);
    struct sent *s = vec_push_zero(&side->w.sent);
    strcpy(s->port, "wire");
    s->data = xmemdup(data, n);
    s->n = n;
}

static void make(struct side *side)
{
    world_init(&side->w);
    side->wire = (struct tunnel_wire){.send = keep};
    side->w.vs.host.wire = &side->wire;
    struct bridge *br = bridge_new(&side->w.vs, "br0");
    br->secure = true;
    br->datapath_id = 1;
    for (uint32_t i = 1; i <= 3; i++) {
        char name[8];
        snprintf(name, sizeof name, "p%u", i);
        world_add(&side->w, br, name, "dummy", i, NULL);
    }
    struct smap so = SMAP_INIT;
    smap_set(&so, "remote_ip", "10.0.0.9");
    smap_set(&so, "key", "flow");
    smap_set(&so, "dst_port", "46081");
    struct vport_options o = {.name = "g", .type = "geneve", .request = PORT_G, .options = &so};
    struct vport *port;
    assert_int_equal(bridge_add_port(br, &o, &port, NULL), 0);
    smap_fini(&so);
    for (unsigned i = 0; i < ARRAY_SIZE(options); i++) {
        struct of_tlv_map map = {0x102, (uint8_t)i, options[i].len, options[i].field};
        struct of_tlv_mod mod = {OF_TLV_ADD, &map, 1};
        assert_int_equal(tlv_map_change(&br->tlvs, &mod), 0);
    }
}

static struct bridge *bridge_of(struct side *side)
{
    return vswitch_bridge(&side->w.vs, "br0");
}

/* ---- flows ---- */

/* Few values, so that packets and flows meet: at both ends of what N_BITS hold, and across the edge of 64 bits. */
static struct tun_value random_value(struct random *r, unsigned n_bits)
{
    struct tun_value v = {{0}}, ones;
    tun_value_set(&v, 0, 8, rnd(r, 3));
    if (n_bits > 64)
        tun_value_set(&v, 60, 8, rnd(r, 2) << 3 | rnd(r, 2) << 5);
    if (n_bits)
        tun_value_set(&v, n_bits - 8, 8, rnd(r, 2) << 7 | rnd(r, 2));
    tun_value_ones(&ones, n_bits);
    tun_value_and(&v, &ones);
    return v;
}

static struct tun_value random_mask(struct random *r, unsigned n_bits)
{
    struct tun_value mask;
    tun_value_ones(&mask, n_bits);
    if (n_bits && !rnd(r, 2))
        tun_value_set(&mask, rnd(r, n_bits), 1, 0);
    if (n_bits && !rnd(r, 2))
        tun_value_set(&mask, 0, MIN(n_bits, 1 + rnd(r, 100)), 0);
    return mask;
}

static void random_match(struct random *r, struct match *match)
{
    match_init(match);
    if (!rnd(r, 3))
        match_set(match, FIELD_REG0, rnd(r, 3));
    for (unsigned i = 0; i < ARRAY_SIZE(options); i++) {
        unsigned n_bits = 8u * options[i].len;
        enum field_id id = FIELD_TUN_METADATA0 + options[i].field;
        struct tun_value value = random_value(r, n_bits), mask = random_mask(r, n_bits);
        if (rnd(r, 5))
            continue;
        assert_true(match_set_tun(match, id, &value, rnd(r, 3) ? &mask : NULL));
        match_set_present(match, id);
    }
}

/* Some bits of an option; N of them, or as many as it has. */
static struct subfield random_sub(struct random *r, unsigned n)
{
    for (;;) {
        unsigned i = rnd(r, ARRAY_SIZE(options)), n_bits = 8u * options[i].len;
        if (n_bits < n || !n_bits)
            continue;
        return subfield_make(FIELD_TUN_METADATA0 + options[i].field, rnd(r, n_bits - n + 1), n);
    }
}

static void put_random_action(struct random *r, struct of_actions *a, uint8_t table)
{
    unsigned i = rnd(r, ARRAY_SIZE(options)), n_bits = 8u * options[i].len;
    enum field_id id = FIELD_TUN_METADATA0 + options[i].field;
    struct tun_value value = random_value(r, n_bits), mask = random_mask(r, n_bits);
    static const unsigned widths[] = {1, 8, 32, 32, 70, 128, 300};
    unsigned n = widths[rnd(r, ARRAY_SIZE(widths))];
    struct subfield from = random_sub(r, n), to = random_sub(r, n),
                    reg0 = subfield_whole(FIELD_REG0);
    switch (rnd(r, 11)) {
    case 0:
    case 1:
        of_put_output(a, 1 + rnd(r, 3));
        break;
    case 2:
        of_put_output(a, rnd(r, 2) ? PORT_G : PORT_IN_PORT);
        break;
    case 3:
        of_put_set_tun(a, id, &value, NULL);
        break;
    case 4:
        tun_value_and(&value, &mask);
        of_put_set_tun(a, id, &value, &mask);
        break;
    case 5:
        of_put_move(a, &from, &to);
        break;
    case 6:
        from.n_bits = to.n_bits = MIN(n, 32u);
        of_put_move(a, rnd(r, 2) ? &from : &reg0, &reg0);
        break;
    case 7:
        of_put_stack_push(a, &from);
        of_put_stack_pop(a, &to);
        break;
    case 8:
        ((struct of_delete_field *)of_put(a, OF_DELETE_FIELD, sizeof(struct of_delete_field)))
            ->field = (uint8_t)id;
        break;
    default:
        if (table + 1 < N_TABLES_USED)
            of_put_resubmit(a, PORT_IN_PORT, (uint8_t)(table + 1));
        break;
    }
}

/* Keeps moves to registers of their width. */
static bool is_good(const struct of_actions *actions)
{
    const struct of_action *a;
    OF_ACTION_FOR_EACH(a, actions->data, actions->n)
    {
        const struct of_move *m = (const void *)a;
        if (a->type == OF_MOVE && m->src.n_bits != m->dst.n_bits)
            return false;
    }
    return true;
}

static void random_flow(struct random *r, struct of_flow_mod *fm)
{
    static const enum of_flow_command commands[] = {OF_FLOW_ADD, OF_FLOW_ADD, OF_FLOW_ADD,
                                                    OF_FLOW_MODIFY, OF_FLOW_DELETE_STRICT};
    do {
        of_flow_mod_init(fm, commands[rnd(r, ARRAY_SIZE(commands))]);
        fm->table_id = (uint8_t)rnd(r, N_TABLES_USED);
        fm->priority = (uint16_t)rnd(r, 4);
        random_match(r, &fm->match);
        for (unsigned n = rnd(r, 6); n; n--)
            put_random_action(r, &fm->actions, fm->table_id);
        if (fm->table_id + 1 < N_TABLES_USED && !rnd(r, 3)) {
            match_set(&fm->match, FIELD_ETH_TYPE, 0x0800);
            size_t start = of_begin_ct(&fm->actions, 0, NULL, 0, (uint8_t)(fm->table_id + 1));
            of_end_nested(&fm->actions, start);
        } else if (fm->table_id + 1 < N_TABLES_USED && rnd(r, 2)) {
            of_put_resubmit(&fm->actions, PORT_IN_PORT, (uint8_t)(fm->table_id + 1));
        } else if (rnd(r, 2)) {
            of_put_output(&fm->actions, rnd(r, 3) ? 1 + rnd(r, 3) : (uint32_t)PORT_IN_PORT);
        }
        if (!is_good(&fm->actions)) {
            of_flow_mod_fini(fm);
            continue;
        }
        return;
    } while (true);
}

static void change_both(struct side *a, struct side *b, struct random *r)
{
    struct of_flow_mod fm;
    random_flow(r, &fm);
    struct journal ja = JOURNAL_INIT, jb = JOURNAL_INIT;
    assert_int_equal(bridge_flow_mod(bridge_of(a), &fm, &ja), 0);
    assert_int_equal(bridge_flow_mod(bridge_of(b), &fm, &jb), 0);
    bridge_commit(bridge_of(a), &ja);
    bridge_commit(bridge_of(b), &jb);
    of_flow_mod_fini(&fm);
}

/* ---- packets ---- */

/* A Geneve header with options, and a packet; returns its bytes. */
static size_t random_datagram(struct random *r, uint8_t *out)
{
    struct geneve_header *h = (void *)out;
    size_t n = GENEVE_HEADER_LEN, frame = 60;
    memset(out, 0, GENEVE_HEADER_LEN);
    put_be16(&h->proto, ETH_TYPE_TEB);
    for (unsigned i = 0; i < ARRAY_SIZE(options); i++) {
        unsigned len = options[i].len;
        if (rnd(r, 3) || n + 4 + len > GENEVE_HEADER_LEN + GENEVE_MAX_OPTIONS)
            continue;
        const uint8_t head[] = {1, 2, (uint8_t)i, (uint8_t)(len / 4)};
        struct tun_value v = random_value(r, 8 * len);
        memcpy(out + n, head, 4);
        memcpy(out + n + 4, v.b + TUN_OPT_MAX - len, len);
        n += 4 + len;
    }
    h->ver_optlen = (uint8_t)((n - GENEVE_HEADER_LEN) / 4);
    static const uint8_t eth_ip[] = {2,  0, 0, 0, 0, 1,  2,  0, 0, 0,  0, 2, 8, 0,  0x45, 0, 0,
                                     46, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0,    0, 2};
    memset(out + n, 0, frame);
    memcpy(out + n, eth_ip, sizeof eth_ip);
    put_be16(out + n + 24, checksum(out + n + 14, 20));
    put_be16(out + n + 34, (uint16_t)(1 + rnd(r, 2)));
    put_be16(out + n + 38, 26);
    return n + frame;
}

static void receive(struct side *side, const uint8_t *data, size_t n)
{
    struct ip_addr from = ip_addr_from_v4(swap32(0x0a000009)),
                   to = ip_addr_from_v4(swap32(0x0a000001));
    tunnel_receive(&side->w.vs.host, UDP_PORT, &from, &to, data, n);
    while (side->w.vs.upcalls.n_waiting)
        loop_run_once(side->w.loop, 0);
    port_host_flush(&side->w.vs.host);
}

/* What SIDE says to the datagram now, for the report of a failure: anew, and from its caches. */
static void explain(struct side *side, const uint8_t *data, size_t n)
{
    struct vswitch *vs = &side->w.vs;
    struct vport *port = bridge_port(bridge_of(side), PORT_G);
    size_t options_len = (data[0] & 0x3fu) * 4u;
    struct packet packet;
    struct tun_opts opts;
    struct str out = STR_INIT;
    packet_init_copy(&packet, data + GENEVE_HEADER_LEN + options_len,
                     n - GENEVE_HEADER_LEN - options_len);
    packet.md.has_tunnel = true;
    memset(&packet.md.tunnel, 0, sizeof packet.md.tunnel);
    assert_true(tlv_map_read(&bridge_of(side)->tlvs, data + GENEVE_HEADER_LEN, options_len,
                             &packet.md.tunnel, &opts));
    packet.md.tunnel.more = tun_store_put(vs->host.tun_opts, &opts);
    packet.md.tunnel.src = swap32(0x0a000009);
    packet.md.tunnel.dst = swap32(0x0a000001);
    packet.md.tunnel.ttl = 0;
    packet.md.in_port = port->dp_no;
    struct xlate_in in = {
        .bridge = bridge_of(side), .in_port = port, .packet = &packet, .notes = &out};
    flow_extract(&packet, &in.key);
    struct megaflow *flow =
        megaflows_lookup(vs->cache, &vs->own, &in.key, megaflow_key_hash(&in.key));
    in.key.in_port = swap32(PORT_G);
    struct xlate_out result;
    xlate_out_init(&result);
    xlate(&in, &result);
    str_put(&out, "fresh: ");
    dp_actions_put_text(&out, &result.actions, NULL, NULL);
    if (flow) {
        struct match match;
        str_put(&out, "\ncached: ");
        dp_actions_put_text(&out, &flow->actions, NULL, NULL);
        megaflow_match(flow, &match);
        vswitch_match_options(vs, &match);
        str_put(&out, " for ");
        match_put(&out, &match, -1, NULL);
    }
    print_message("%s\n", str_c(&out));
    str_fini(&out);
    xlate_out_fini(&result);
    packet_fini(&packet);
}

static int sent_compare(const void *a_, const void *b_)
{
    const struct sent *a = a_, *b = b_;
    int c = strcmp(a->port, b->port);
    if (!c)
        c = a->n < b->n ? -1 : a->n > b->n;
    return c ? c : memcmp(a->data, b->data, a->n);
}

/* A second pass that waits for its translation comes later than one that need not. */
static bool same_sent(struct side *a, struct side *b)
{
    bool same = a->w.sent.n == b->w.sent.n;
    if (!same || !a->w.sent.n)
        return same;
    qsort(a->w.sent.data, a->w.sent.n, sizeof a->w.sent.data[0], sent_compare);
    qsort(b->w.sent.data, b->w.sent.n, sizeof b->w.sent.data[0], sent_compare);
    for (size_t i = 0; same && i < a->w.sent.n; i++)
        same = !sent_compare(&a->w.sent.data[i], &b->w.sent.data[i]);
    return same;
}

static void compare(struct side *a, struct side *b, const struct random *r, unsigned step)
{
    if (a->w.sent.n != b->w.sent.n)
        fail_msg("seed %llu, step %u: %zu packets, without caches %zu", (unsigned long long)r->seed,
                 step, a->w.sent.n, b->w.sent.n);
    for (size_t i = 0; i < a->w.sent.n; i++) {
        const struct sent *x = &a->w.sent.data[i], *y = &b->w.sent.data[i];
        assert_string_equal(x->port, y->port);
        assert_int_equal(x->n, y->n);
        assert_memory_equal(x->data, y->data, x->n);
    }
    world_forget(&a->w);
    world_forget(&b->w);
}

static uint64_t first_seed = 1, n_seeds = 6;

static void run_oracle(uint64_t seed, uint64_t *n_wire, uint64_t *n_wide)
{
    struct side a, b;
    struct random r = {seed, seed};
    make(&a);
    make(&b);
    b.w.vs.no_cache = true;
    for (unsigned i = 0; i < 40; i++)
        change_both(&a, &b, &r);
    for (unsigned i = 0; i < N_STEPS; i++) {
        uint8_t data[GENEVE_HEADER_LEN + GENEVE_MAX_OPTIONS + 60];
        if (!rnd(&r, 12))
            change_both(&a, &b, &r);
        a.w.env.now_us += 1000 * rnd(&r, 20);
        b.w.env.now_us = a.w.env.now_us;
        if (!rnd(&r, 100))
            revalidate_walk(&a.w.vs);
        size_t n = random_datagram(&r, data);
        receive(&a, data, n);
        receive(&b, data, n);
        if (!same_sent(&a, &b))
            explain(&a, data, n);
        for (size_t k = 0; k < a.w.sent.n; k++)
            *n_wire += !strcmp(a.w.sent.data[k].port, "wire");
        compare(&a, &b, &r, i);
    }
    *n_wide += a.w.vs.host.tun_opts->last;
    assert_true(world_hits(&a.w.vs) > N_STEPS / 20);
    world_fini(&a.w);
    world_fini(&b.w);
}

static void test_cached_is_uncached(void **state)
{
    (void)state;
    uint64_t n_wire = 0, n_wide = 0;
    for (uint64_t seed = first_seed; seed < first_seed + n_seeds; seed++)
        run_oracle(seed, &n_wire, &n_wide);
    assert_true(n_wire > 20 * n_seeds && n_wide > 20 * n_seeds); /* else it is worth little */
}

/* A packet of a flow whose options the store has forgotten is looked at anew; nothing is taken for something else. */
static void test_forgotten(void **state)
{
    (void)state;
    struct side side;
    struct random r = {7, 7};
    make(&side);
    struct bridge *br = bridge_of(&side);
    world_add_flow(br, "tun_metadata63=1,actions=1");
    world_add_flow(br, "priority=1,actions=2");
    uint8_t one[GENEVE_HEADER_LEN + GENEVE_MAX_OPTIONS + 60];
    struct geneve_header *h = (void *)one;
    size_t n;
    do
        n = random_datagram(&r, one);
    while (n != GENEVE_HEADER_LEN + 60);
    uint8_t data[GENEVE_HEADER_LEN + 20 + 60];
    memcpy(data, one, GENEVE_HEADER_LEN);
    static const uint8_t head[] = {1, 2, 7, 4};
    h = (void *)data;
    h->ver_optlen = 5;
    memcpy(data + 8, head, 4);
    memset(data + 12, 0, 16);
    memcpy(data + 28, one + 8, 60);
    for (uint32_t i = 0; i < 2 * TUN_STORE_MAX; i++) {
        put_be32(data + 24, i % (TUN_STORE_MAX + 7) + 1);
        put_be32(data + 20, i % 5 ? 0 : 9);
        receive(&side, data, 88);
        bool first = get_be32(data + 24) == 1 && get_be32(data + 20) == 0;
        assert_int_equal(side.w.sent.n, 1);
        assert_string_equal(side.w.sent.data[0].port, first ? "p1" : "p2");
        world_forget(&side.w);
    }
    assert_int_equal(side.w.vs.host.tun_opts->by_number.n, TUN_STORE_MAX);
    world_fini(&side.w);
}

int main(int argc, char **argv)
{
    if (argc > 2) {
        first_seed = strtoull(argv[1], NULL, 0);
        n_seeds = strtoull(argv[2], NULL, 0);
    }
    log_set_level(NULL, LOG_ERR);
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cached_is_uncached),
                                       cmocka_unit_test(test_forgotten)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
