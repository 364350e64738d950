/* test_parts.c - the small parts: the MAC table, tunnel options, text maps, meters. */
#include "net/headers.h"
#include "switchd/slice.h"
#include "switchd/tlv.h"
#include "switchd/tun_store.h"
#include "unit/switchd/world.h"

static void test_mac_table(void **state)
{
    (void)state;
    struct mac_table mt;
    mac_table_init(&mt);
    struct mac a = mac_from_u64(0x020000000001), b = mac_from_u64(0x020000000002);
    assert_true(mac_table_learn(&mt, a, 0, 1, 1000));
    assert_false(mac_table_learn(&mt, a, 0, 1, 2000));
    assert_true(mac_table_learn(&mt, a, 5, 2, 2000)); /* another VLAN is another address */
    assert_int_equal(mac_table_find(&mt, a, 0)->port, 1);
    uint64_t before = mt.generation;
    assert_true(mac_table_learn(&mt, a, 0, 3, 3000)); /* moved */
    assert_true(mt.generation > before);
    assert_int_equal(mt.n_moved, 1);
    assert_false(mac_table_learn(&mt, mac_from_u64(0x010000000001), 0, 1, 3000));
    /* Ageing: what was seen longest ago goes first. */
    assert_true(mac_table_learn(&mt, b, 0, 1, 200000));
    struct slice slice = slice_endless(env_real());
    assert_true(mac_table_expire(&mt, 302500, &slice));
    assert_null(mac_table_find(&mt, a, 5));
    assert_non_null(mac_table_find(&mt, a, 0));
    mac_table_forget_port(&mt, 3);
    assert_null(mac_table_find(&mt, a, 0));
    assert_non_null(mac_table_find(&mt, b, 0));
    /* The bound: the table takes new addresses for those without traffic. */
    mac_table_configure(&mt, 300000, 10);
    for (unsigned i = 0; i < 50; i++)
        mac_table_learn(&mt, mac_from_u64(0x020000000100 + i), 0, 1, 400000 + i);
    assert_int_equal(mt.entries.n, 10);
    assert_null(mac_table_find(&mt, b, 0));
    assert_non_null(mac_table_find(&mt, mac_from_u64(0x020000000131), 0));
    mac_table_fini(&mt);
}

static bool read_options(const struct tlv_map *map, const uint8_t *wire, size_t n,
                         struct flow_tunnel *tunnel, struct tun_opts *opts)
{
    memset(tunnel, 0, sizeof *tunnel);
    return tlv_map_read(map, wire, n, tunnel, opts);
}

static void test_tlv(void **state)
{
    (void)state;
    struct tlv_map map;
    memset(&map, 0, sizeof map);
    struct of_tlv_map two[2] = {{0x102, 0x80, 4, 0}, {0x103, 0x01, 8, 3}};
    struct of_tlv_mod add = {OF_TLV_ADD, two, 2};
    assert_int_equal(tlv_map_change(&map, &add), 0);
    assert_int_equal(tlv_map_change(&map, &add), OF_ERR_NX_TLV_DUP_ENTRY);
    struct of_tlv_map taken = {0x200, 1, 4, 0}, beyond = {0x200, 1, 4, 64}, odd = {0x200, 1, 5, 1};
    struct of_tlv_mod bad = {OF_TLV_ADD, &taken, 1};
    assert_int_equal(tlv_map_change(&map, &bad), OF_ERR_NX_TLV_ALREADY_MAPPED);
    bad.maps = &beyond;
    assert_int_equal(tlv_map_change(&map, &bad), OF_ERR_NX_TLV_BAD_FIELD_IDX);
    bad.maps = &odd;
    assert_int_equal(tlv_map_change(&map, &bad), OF_ERR_NX_TLV_BAD_OPT_LEN);

    struct flow_tunnel t, back;
    struct tun_opts opts;
    memset(&t, 0, sizeof t);
    put_be64(&t.metadata[0], 0x30004);
    put_be64(&t.metadata[3], 0x1122334455667788);
    uint8_t wire[GENEVE_MAX_OPTIONS];
    bool critical;
    size_t n = tlv_map_write(&map, &t, NULL, 0xff, wire, &critical);
    assert_int_equal(n, 8 + 12);
    assert_true(critical);
    assert_true(read_options(&map, wire, n, &back, &opts));
    assert_int_equal(back.present, 1 | 8);
    assert_true(tun_opts_is_empty(&opts));
    assert_memory_equal(back.metadata, t.metadata, sizeof back.metadata);
    for (size_t i = 1; i < n; i++) { /* cut anywhere but between options: malformed */
        if (i != 8 && i != 12)
            assert_false(read_options(&map, wire, i, &back, &opts));
    }
    /* An unknown option is skipped, unless it is critical. */
    static const uint8_t unknown[] = {9, 9, 1, 1, 0, 0, 0, 0},
                         serious[] = {9, 9, 0x81, 1, 0, 0, 0, 0};
    assert_true(read_options(&map, unknown, sizeof unknown, &back, &opts));
    assert_int_equal(back.present, 0);
    assert_false(read_options(&map, serious, sizeof serious, &back, &opts));
    struct of_tlv_mod clear = {OF_TLV_CLEAR, NULL, 0};
    assert_int_equal(tlv_map_change(&map, &clear), 0);
    assert_false(read_options(&map, wire, n, &back, &opts)); /* now it is unknown and critical */
}

/* Options of all lengths, up to the 256 bytes that there are, there and back. */
static void test_tlv_wide(void **state)
{
    (void)state;
    static const uint8_t lens[] = {4, 8, 12, 124, 0, 20, 28, 16, 40, 4};
    struct tlv_map map;
    struct of_tlv_map one;
    struct of_tlv_mod add = {OF_TLV_ADD, &one, 1};
    unsigned space = 0;
    memset(&map, 0, sizeof map);
    for (unsigned i = 0; i < sizeof lens; i++) {
        unsigned field = i < 7 ? i : 63 - i;
        one = (struct of_tlv_map){0x102, (uint8_t)i, lens[i], (uint16_t)field};
        assert_int_equal(tlv_map_change(&map, &add), 0);
        space += lens[i];
    }
    assert_int_equal(tlv_map_space(&map), space);
    assert_int_equal(space, TLV_SPACE);
    one = (struct of_tlv_map){0x102, 0x70, 4, 20};
    assert_int_equal(tlv_map_change(&map, &add), OF_ERR_NX_TLV_TABLE_FULL);
    one.len = 0;
    assert_int_equal(tlv_map_change(&map, &add), 0);

    uint8_t wire[GENEVE_MAX_OPTIONS], again[GENEVE_MAX_OPTIONS];
    for (unsigned first = 0; first < sizeof lens; first++) {
        size_t n = 0;
        for (unsigned i = first; i < sizeof lens && n + 4 + lens[i] <= sizeof wire; i++) {
            unsigned at = i; /* in the order of fields, as they are written */
            if (i >= 7)
                at = 7 + (unsigned)sizeof lens - 1 - i;
            uint8_t head[] = {1, 2, (uint8_t)at, (uint8_t)(lens[at] / 4)};
            if (n + 4 + lens[at] > sizeof wire)
                break;
            memcpy(wire + n, head, 4);
            for (unsigned j = 0; j < lens[at]; j++)
                wire[n + 4 + j] = (uint8_t)(j * 7 + i + (first == 2 ? 0 : 0x80));
            n += 4u + lens[at];
        }
        struct flow_tunnel t;
        struct tun_opts opts;
        bool critical;
        assert_true(read_options(&map, wire, n, &t, &opts));
        assert_int_equal(tlv_map_write(&map, &t, &opts, t.present | opts.present, again, &critical),
                         n);
        assert_memory_equal(again, wire, n);
    }
}

/* A number is never another's, and what was not asked for is forgotten. */
static void test_tun_store(void **state)
{
    (void)state;
    struct tun_store store;
    struct tun_opts opts;
    tun_store_init(&store);
    tun_opts_init(&opts);
    assert_int_equal(tun_store_put(&store, &opts), 0);
    assert_true(tun_opts_is_empty(tun_store_get(&store, 0)));
    for (uint32_t i = 1; i <= TUN_STORE_MAX + 5; i++) {
        assert_true(tun_opts_set_unit(&opts, 7 * TUN_FIELD_UNITS, i));
        assert_int_equal(tun_store_put(&store, &opts), i);
        assert_int_equal(tun_store_put(&store, &opts), i);
        assert_non_null(tun_store_get(&store, 1)); /* asked for again and again */
    }
    assert_int_equal(store.by_number.n, TUN_STORE_MAX);
    assert_null(tun_store_get(&store, 2));
    assert_int_equal(tun_opts_unit(tun_store_get(&store, 1), 7 * TUN_FIELD_UNITS), 1);
    assert_true(tun_opts_set_unit(&opts, 7 * TUN_FIELD_UNITS, 2));
    assert_int_equal(tun_store_put(&store, &opts), TUN_STORE_MAX + 6);
    tun_store_fini(&store);
}

static void test_smap(void **state)
{
    (void)state;
    struct smap a = SMAP_INIT, b = SMAP_INIT;
    smap_set(&a, "z", "1");
    smap_set(&a, "b", "true");
    smap_set(&a, "a", "x");
    smap_set(&a, "z", "0x20");
    assert_string_equal(a.entries.data[0].key, "a");
    assert_int_equal(smap_get_int(&a, "z", 0), 32);
    assert_int_equal(smap_get_int(&a, "a", 7), 7);
    assert_true(smap_get_bool(&a, "b", false));
    assert_true(smap_get_bool(&a, "missing", true));
    assert_null(smap_get(&a, "m"));
    smap_copy(&b, &a);
    assert_true(smap_equal(&a, &b));
    smap_set(&b, "a", "y");
    assert_false(smap_equal(&a, &b));
    smap_fini(&a);
    smap_fini(&b);
}

static void test_meter(void **state)
{
    (void)state;
    struct of_meter_band band = {.type = OF_BAND_DROP, .rate = 10};
    struct meter m;
    memset(&m, 0, sizeof m);
    m.of.flags = OF_METER_PKTPS;
    m.of.bands = &band;
    m.of.n_bands = 1;
    unsigned passed = 0;
    for (unsigned i = 0; i < 100; i++) /* at once: the burst is a second's worth */
        passed += meter_admit(&m, 100, 1000);
    assert_int_equal(passed, 10);
    for (unsigned i = 1; i <= 100; i++) /* ten seconds at 10 a second offered */
        passed += meter_admit(&m, 100, 1000 + i * 100000);
    assert_in_range(passed, 108, 110);
    assert_int_equal(m.n_packets, 200);
    assert_int_equal(m.bands[0].packets, 200 - passed);
    /* Of two bands the faster one counts what exceeds both. */
    struct of_meter_band two[] = {{.type = OF_BAND_DROP, .rate = 5, .burst = 5},
                                  {.type = OF_BAND_DROP, .rate = 20, .burst = 2}};
    memset(&m, 0, sizeof m);
    m.of.flags = OF_METER_PKTPS | OF_METER_BURST;
    m.of.bands = two;
    m.of.n_bands = 2;
    for (unsigned i = 0; i < 9;
         i++) /* at once: 2 pass, then the second is empty, after 5 the first too */
        assert_int_equal(meter_admit(&m, 100, 1000), i < 2);
    assert_int_equal(m.bands[0].packets, 0);
    assert_int_equal(m.bands[1].packets, 7);
    assert_false(meter_admit(
        &m, 100, 1000 + 100000)); /* a tenth: 2 more in the second, half of one in the first */
    assert_int_equal(m.bands[0].packets, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mac_table), cmocka_unit_test(test_tlv),
        cmocka_unit_test(test_tlv_wide),  cmocka_unit_test(test_tun_store),
        cmocka_unit_test(test_smap),      cmocka_unit_test(test_meter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
