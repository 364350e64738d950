/* test_parts.c - the small parts: the MAC table, tunnel options, text maps, meters. */
#include "switchd/slice.h"
#include "switchd/tlv.h"
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

static void test_tlv(void **state)
{
    (void)state;
    struct tlv_map map;
    memset(&map, 0, sizeof map);
    struct of_tlv_map two[2] = {{0x102, 0x80, 4, 0}, {0x103, 0x01, 8, 3}};
    struct of_tlv_mod add = {OF_TLV_ADD, two, 2};
    assert_int_equal(tlv_map_change(&map, &add), 0);
    assert_int_equal(tlv_map_change(&map, &add), OF_ERR_NX_TLV_DUP_ENTRY);
    struct of_tlv_map taken = {0x200, 1, 4, 0}, beyond = {0x200, 1, 4, 40}, odd = {0x200, 1, 5, 1};
    struct of_tlv_mod bad = {OF_TLV_ADD, &taken, 1};
    assert_int_equal(tlv_map_change(&map, &bad), OF_ERR_NX_TLV_ALREADY_MAPPED);
    bad.maps = &beyond;
    assert_int_equal(tlv_map_change(&map, &bad), OF_ERR_NX_TLV_BAD_FIELD_IDX);
    bad.maps = &odd;
    assert_int_equal(tlv_map_change(&map, &bad), OF_ERR_NX_TLV_BAD_OPT_LEN);

    be64 metadata[N_TUN_METADATA] = {0};
    put_be64(&metadata[0], 0x30004);
    put_be64(&metadata[3], 0x1122334455667788);
    uint8_t wire[N_TUN_METADATA * 12], known;
    bool critical;
    size_t n = tlv_map_write(&map, metadata, 0xff, wire, &critical);
    assert_int_equal(n, 8 + 12);
    assert_true(critical);
    be64 back[N_TUN_METADATA];
    assert_true(tlv_map_read(&map, wire, n, back, &known));
    assert_int_equal(known, 1 | 8);
    assert_memory_equal(back, metadata, sizeof back);
    for (size_t i = 1; i < n; i++) { /* cut anywhere but between options: malformed */
        if (i != 8 && i != 12)
            assert_false(tlv_map_read(&map, wire, i, back, &known));
    }
    /* An unknown option is skipped, unless it is critical. */
    static const uint8_t unknown[] = {9, 9, 1, 1, 0, 0, 0, 0},
                         serious[] = {9, 9, 0x81, 1, 0, 0, 0, 0};
    assert_true(tlv_map_read(&map, unknown, sizeof unknown, back, &known));
    assert_int_equal(known, 0);
    assert_false(tlv_map_read(&map, serious, sizeof serious, back, &known));
    struct of_tlv_mod clear = {OF_TLV_CLEAR, NULL, 0};
    assert_int_equal(tlv_map_change(&map, &clear), 0);
    assert_false(tlv_map_read(&map, wire, n, back, &known)); /* now it is unknown and critical */
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
    assert_int_equal(m.band_packets, 200 - passed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mac_table),
        cmocka_unit_test(test_tlv),
        cmocka_unit_test(test_smap),
        cmocka_unit_test(test_meter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
