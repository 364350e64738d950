/* test_addr.c - text and arithmetic of addresses and checksums. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "net/addr.h"
#include "net/checksum.h"

#define assert_text(STR, TEXT)                                                                     \
    do {                                                                                           \
        assert_string_equal(str_c(&(STR)), TEXT);                                                  \
        str_clear(&(STR));                                                                         \
    } while (0)

static void test_mac(void **state UNUSED)
{
    struct mac mac, mask;
    struct str s = STR_INIT;
    assert_int_equal(mac_parse("50:54:00:00:00:1F", &mac), 0);
    mac_put(&s, mac);
    assert_text(s, "50:54:00:00:00:1f");
    assert_int_equal(mac_parse("1:2:3:4:5:6", &mac), 0);
    assert_true(mac_to_u64(mac) == 0x010203040506);
    static const char *const bad[] = {
        "", "1:2:3:4:5", "1:2:3:4:5:6:7", "1:2:3:4:5:g", "123:2:3:4:5:6", " 1:2:3:4:5:6"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_not_equal(mac_parse(bad[i], &mac), 0);
    assert_int_equal(mac_parse_masked("01:00:00:00:00:00/01:00:00:00:00:00", &mac, &mask), 0);
    mac_put_masked(&s, mac, mask);
    assert_text(s, "01:00:00:00:00:00/01:00:00:00:00:00");
    assert_true(mac_is_multicast(mac));
    assert_int_not_equal(mac_parse_masked("1:2:3:4:5:6/", &mac, &mask), 0);
    str_fini(&s);
}

static void test_ip4(void **state UNUSED)
{
    be32 ip, mask;
    struct str s = STR_INIT;
    static const struct {
        const char *in, *out;
    } good[] = {{"10.0.0.1", "10.0.0.1"},
                {"10.0.0.1/24", "10.0.0.1/24"},
                {"10.0.0.1/255.255.0.0", "10.0.0.1/16"},
                {"10.0.0.1/255.0.255.0", "10.0.0.1/255.0.255.0"},
                {"1.2.3.4/32", "1.2.3.4"},
                {"0.0.0.0/0", "0.0.0.0/0"}};
    for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
        assert_int_equal(ip4_parse_masked(good[i].in, &ip, &mask), 0);
        ip4_put_masked(&s, ip, mask);
        assert_text(s, good[i].out);
    }
    static const char *const bad[] = {"",           "1.2.3",      "1.2.3.4.5",
                                      "1.2.3.256",  "1.2.3.4/33", "1.2.3.4/",
                                      "1.2.3.4/-1", "1.2.3.4/8x", "1.2.3.4/ 8"};
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_not_equal(ip4_parse_masked(bad[i], &ip, &mask), 0);
    assert_int_equal(ip4_prefix_len(swap32(0xffffff00)), 24);
    assert_int_equal(ip4_prefix_len(swap32(0xff00ff00)), -1);
    assert_int_equal(ip4_prefix_len(0), 0);
    str_fini(&s);
}

static void test_ip6(void **state UNUSED)
{
    struct ip6 ip, mask;
    struct str s = STR_INIT;
    assert_int_equal(ip6_parse_masked("fd00:0:0::1/64", &ip, &mask), 0);
    ip6_put_masked(&s, ip, mask);
    assert_text(s, "fd00::1/64");
    assert_int_equal(ip6_parse_masked("ff02::/ffff::ff", &ip, &mask), 0);
    ip6_put_masked(&s, ip, mask);
    assert_text(s, "ff02::/ffff::ff");
    assert_int_not_equal(ip6_parse("fd00:::1", &ip), 0);
    assert_int_not_equal(ip6_parse_masked("::/129", &ip, &mask), 0);

    struct mac mac = mac_from_u64(0x505400000011);
    ip = ip6_link_local(mac);
    ip6_put(&s, ip);
    assert_text(s, "fe80::5254:ff:fe00:11");
    ip6_put(&s, ip6_solicited_node(ip));
    assert_text(s, "ff02::1:ff00:11");
    mac_put(&s, ip6_multicast_mac(ip6_solicited_node(ip)));
    assert_text(s, "33:33:ff:00:00:11");
    for (unsigned len = 0; len <= 128; len++)
        assert_int_equal(ip6_prefix_len(ip6_prefix_mask(len)), len);
    str_fini(&s);
}

static void test_prefix(void **state UNUSED)
{
    struct ip_prefix p;
    struct ip_addr a;
    struct str s = STR_INIT;
    assert_int_equal(ip_prefix_parse("10.1.2.3/20", &p), 0);
    a = ip_prefix_network(&p);
    ip_addr_put(&s, &a);
    assert_text(s, "10.1.0.0");
    a = ip_prefix_broadcast(&p);
    ip_addr_put(&s, &a);
    assert_text(s, "10.1.15.255");
    assert_true(ip_prefix_contains(&p, &a));
    assert_int_equal(ip_addr_parse("10.1.16.0", &a), 0);
    assert_false(ip_prefix_contains(&p, &a));
    assert_int_equal(ip_addr_parse("fd00::1", &a), 0);
    assert_false(ip_prefix_contains(&p, &a));
    assert_int_equal(ip_prefix_parse("fd00::5", &p), 0);
    ip_prefix_put(&s, &p);
    assert_text(s, "fd00::5/128");
    ip_prefix_put_short(&s, &p);
    assert_text(s, "fd00::5");
    assert_int_not_equal(ip_prefix_parse("10.0.0.0/255.0.255.0", &p), 0);
    assert_int_not_equal(ip_prefix_parse("fd00::/255.0.0.0", &p), 0);
    str_fini(&s);
}

/* Elements of address sets. */
static void test_masked(void **state UNUSED)
{
    static const struct {
        const char *text;
        uint64_t value_high, value, mask_high, mask;
    } all[] = {
        {"10.0.0.7", 0, 0x0a000007, 0, 0xffffffff},
        {"10.0.0.7/24", 0, 0x0a000000, 0, 0xffffff00},
        {"10.1.2.3/255.0.255.0", 0, 0x0a000200, 0, 0xff00ff00},
        {"0.0.0.0/0", 0, 0, 0, 0},
        {"01:02:03:04:05:06", 0, 0x010203040506, 0, 0xffffffffffff},
        {"01:02:03:04:05:06/ff:00:00:00:00:00", 0, 0x010000000000, 0, 0xff0000000000},
        {"fd00::1", 0xfd00ULL << 48, 1, UINT64_MAX, UINT64_MAX},
        {"fd00::1/64", 0xfd00ULL << 48, 0, UINT64_MAX, 0},
    };
    static const char *const bad[] = {"", "10.0.0", "10.0.0.0/33", "fd00::/129", "1:2:3:4:5", "x"};
    u128 value, mask;
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        assert_int_equal(addr_parse_masked(all[i].text, &value, &mask), 0);
        assert_true(value == ((u128)all[i].value_high << 64 | all[i].value));
        assert_true(mask == ((u128)all[i].mask_high << 64 | all[i].mask));
    }
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
        assert_int_not_equal(addr_parse_masked(bad[i], &value, &mask), 0);
}

static void test_checksum(void **state UNUSED)
{
    /* RFC 1071, section 3. */
    static const uint8_t rfc[] = {0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7};
    assert_int_equal(checksum(rfc, sizeof rfc), (uint16_t)~0xddf2);
    assert_int_equal(checksum_crc32c("123456789", 9), 0xe3069283);

    /* Incremental equals whole, over many random changes. */
    uint8_t buf[64], old[16];
    uint64_t x = 1;
    for (size_t i = 0; i < sizeof buf; i++)
        buf[i] = (uint8_t)((i * 2654435761u) >> 13);
    uint16_t csum = checksum(buf, sizeof buf);
    for (int i = 0; i < 1000; i++) {
        x = x * 6364136223846793005u + 1442695040888963407u;
        size_t ofs = (x >> 40) % 24 * 2, n = (x >> 50) % 17;
        memcpy(old, buf + ofs, n);
        for (size_t k = 0; k < n; k++)
            buf[ofs + k] = (uint8_t)(x >> (k * 3));
        csum = checksum_update(csum, old, buf + ofs, n);
        uint16_t whole = checksum(buf, sizeof buf);
        assert_true(csum == whole || (uint16_t)(csum + whole) == 0xffff);
        csum = whole;
    }
}

/* The definition, two bytes at a time. */
static uint16_t slow_checksum(const uint8_t *p, size_t n)
{
    uint32_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        sum += i % 2 ? p[i] : (uint32_t)p[i] << 8;
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return (uint16_t)~sum;
}

static void test_checksum_lengths(void **state UNUSED)
{
    static uint8_t buf[65600];
    for (unsigned fill = 0; fill < 2; fill++) {
        for (size_t i = 0; i < sizeof buf; i++)
            buf[i] = fill ? 0xff : (uint8_t)(i * 167 + i / 251);
        for (size_t n = 0; n < 400; n++)
            for (size_t at = 0; at < 9; at++)
                assert_int_equal(checksum(buf + at, n), slow_checksum(buf + at, n));
        assert_int_equal(checksum(buf + 1, 65535), slow_checksum(buf + 1, 65535));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mac),      cmocka_unit_test(test_ip4),
        cmocka_unit_test(test_ip6),      cmocka_unit_test(test_prefix),
        cmocka_unit_test(test_checksum), cmocka_unit_test(test_checksum_lengths),
        cmocka_unit_test(test_masked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
