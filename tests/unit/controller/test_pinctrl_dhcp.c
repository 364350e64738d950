/* test_pinctrl_dhcp.c - put_dhcp_opts and put_dhcpv6_opts: what clients send byte by byte, what comes back, and what is left alone. */
#include "support/pinctrl_world.h"

/* ---- DHCPv4 ---- */

static const char offer4[] =
    "reg0[3] = put_dhcp_opts(offerip = 10.0.0.5, router = 10.0.0.254, netmask = 255.255.255.0, "
    "lease_time = 3600, server_id = 10.0.0.254, next_server = 10.0.0.9, bootfile_name = \"plain\", "
    "bootfile_name_alt = \"chain\");";

struct dhcp {
    uint8_t type;
    be32 ciaddr, giaddr;
    uint16_t flags;
    const char *more; /* options behind the type, with their length in N_MORE */
    size_t n_more;
};

static struct of_buf client4(const struct dhcp *d)
{
    static const struct mac mac = {{2, 0, 0, 0, 0, 5}},
                            all = {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
    struct of_buf b = OF_BUF_INIT;
    frame_put_plain_eth(&b, all, mac, ETH_TYPE_IP);
    size_t l3 = frame_put_ip4(&b, 0, UINT32_MAX, IP_PROTO_UDP, 64);
    struct udp_header udp = {swap16(68), swap16(67), 0, 0};
    of_buf_put(&b, &udp, sizeof udp);
    static const uint8_t head[] = {1, 1, 6, 0, 0xde, 0xad, 0xbe, 0xef, 0, 7};
    of_buf_put(&b, head, sizeof head);
    of_buf_put16(&b, d->flags);
    of_buf_put(&b, &d->ciaddr, 4);
    of_buf_put(&b, NULL, 8);
    of_buf_put(&b, &d->giaddr, 4);
    of_buf_put(&b, &mac, 6);
    of_buf_put(&b, NULL, 10 + 64 + 128);
    of_buf_put32(&b, 0x63825363);
    of_buf_put8(&b, 53);
    of_buf_put8(&b, 1);
    of_buf_put8(&b, d->type);
    of_buf_put(&b, d->more, d->n_more);
    of_buf_put8(&b, 255);
    frame_end(&b, l3);
    return b;
}

/* Where the DHCP message begins in a frame. */
enum { DHCP = 14 + 20 + 8, OPTIONS = DHCP + 240 };

static const uint8_t *option4(const struct of_packet_in *pin, uint8_t code, uint8_t *len)
{
    const uint8_t *o = pin->packet + OPTIONS, *end = pin->packet + pin->packet_len;
    while (o + 2 <= end && *o != 255) {
        if (*o == code) {
            *len = o[1];
            return o + 2;
        }
        o += 2 + o[1];
    }
    return NULL;
}

static void assert_option4(const struct of_packet_in *pin, uint8_t code, const char *value,
                           size_t n)
{
    uint8_t len;
    const uint8_t *o = option4(pin, code, &len);
    if (!value) {
        assert_null(o);
        return;
    }
    assert_non_null(o);
    assert_int_equal(len, n);
    assert_memory_equal(o, value, n);
}

/* Sends D; RET is what came back, its result bit in *REG0. */
static struct of_packet_in ask4(struct world *w, const struct dhcp *d, uint32_t *reg0)
{
    clear_outs(w);
    struct of_buf b = client4(d);
    act(w, offer4, b.data, b.n, true);
    of_buf_fini(&b);
    struct of_packet_in pin = resumed(w, reg0);
    assert_sound(pin.packet, pin.packet_len);
    return pin;
}

static void test_discover(void **state UNUSED)
{
    struct world w;
    uint32_t reg0;
    world_init(&w);
    struct of_packet_in pin = ask4(&w, &(struct dhcp){.type = 1}, &reg0);
    assert_int_equal(reg0, 1 << 3);
    const uint8_t *d = pin.packet + DHCP;
    assert_int_equal(d[0], 2); /* a reply */
    assert_int_equal(get_be32(d + 4), 0xdeadbeef);
    assert_int_equal(get_be32(d + 12), 0);
    assert_int_equal(get_be32(d + 16), 0x0a000005);
    assert_int_equal(get_be32(d + 20), 0x0a000009); /* siaddr */
    assert_int_equal(get_be32(pin.packet + 14 + 16),
                     0x0a000005); /* the flag asks for no broadcast */
    assert_true(pin.packet_len - DHCP >= 300);
    assert_option4(&pin, 53, "\2", 1);
    assert_option4(&pin, 54, "\x0a\0\0\xfe", 4);
    assert_option4(&pin, 51, "\0\0\x0e\x10", 4);
    assert_option4(&pin, 1, "\xff\xff\xff\0", 4);
    assert_option4(&pin, 3, "\x0a\0\0\xfe", 4);
    assert_option4(&pin, 67, "chain", 5);
    assert_option4(&pin, 253, NULL, 0);
    assert_option4(&pin, 254, NULL, 0);

    pin = ask4(&w, &(struct dhcp){.type = 1, .flags = 0x8000, .more = "\xaf\1\1", .n_more = 3},
               &reg0);
    assert_int_equal(get_be32(pin.packet + 14 + 16), 0xffffffff);
    assert_option4(&pin, 67, "plain", 5); /* iPXE asked */
    pin = ask4(&w, &(struct dhcp){.type = 1, .giaddr = swap32(0x0a000101)}, &reg0);
    assert_int_equal(get_be32(pin.packet + 14 + 16), 0x0a000101); /* to the relay */
    world_fini(&w);
}

static void test_request(void **state UNUSED)
{
    struct world w;
    uint32_t reg0;
    world_init(&w);
    struct dhcp d = {.type = 3, .more = "\x36\4\x0a\0\0\xfe\x32\4\x0a\0\0\5", .n_more = 12};
    struct of_packet_in pin = ask4(&w, &d, &reg0);
    assert_int_equal(reg0, 1 << 3);
    assert_option4(&pin, 53, "\5", 1);
    assert_option4(&pin, 51, "\0\0\x0e\x10", 4);

    d = (struct dhcp){.type = 3, .more = "\x32\4\x0a\0\0\6", .n_more = 6}; /* another's address */
    pin = ask4(&w, &d, &reg0);
    assert_int_equal(reg0, 1 << 3);
    assert_option4(&pin, 53, "\6", 1);
    assert_option4(&pin, 54, "\x0a\0\0\xfe", 4);
    assert_option4(&pin, 51, NULL, 0);
    assert_int_equal(get_be32(pin.packet + DHCP + 16), 0);
    assert_int_equal(get_be32(pin.packet + 14 + 16), 0xffffffff);

    d = (struct dhcp){.type = 3, .ciaddr = swap32(0x0a000005)}; /* renewal */
    pin = ask4(&w, &d, &reg0);
    assert_option4(&pin, 53, "\5", 1);
    assert_int_equal(get_be32(pin.packet + 14 + 16), 0x0a000005);
    world_fini(&w);
}

static void test_inform(void **state UNUSED)
{
    struct world w;
    uint32_t reg0;
    world_init(&w);
    struct dhcp d = {.type = 8, .ciaddr = swap32(0x0a000007)};
    struct of_packet_in pin = ask4(&w, &d, &reg0);
    assert_int_equal(reg0, 1 << 3);
    assert_option4(&pin, 53, "\5", 1);
    assert_option4(&pin, 51, NULL, 0); /* RFC 2131 4.3.5 */
    assert_option4(&pin, 3, "\x0a\0\0\xfe", 4);
    assert_int_equal(get_be32(pin.packet + DHCP + 16), 0);
    assert_int_equal(get_be32(pin.packet + 14 + 16), 0x0a000007);
    world_fini(&w);
}

/* What is not to be answered comes back as it was. */
static void test_left_alone(void **state UNUSED)
{
    static const struct dhcp quiet[] = {
        {.type = 4},                                            /* DECLINE */
        {.type = 7},                                            /* RELEASE */
        {.type = 2},                                            /* an OFFER */
        {.type = 3, .more = "\x36\4\x0a\0\0\xfd", .n_more = 6}, /* another server's */
        {.type = 1, .more = "\x32\3\x0a\0\0", .n_more = 5},     /* a short address */
        {.type = 0},
    };
    struct world w;
    uint32_t reg0;
    world_init(&w);
    for (size_t i = 0; i < ARRAY_SIZE(quiet); i++) {
        struct of_buf sent = client4(&quiet[i]);
        struct of_packet_in pin = ask4(&w, &quiet[i], &reg0);
        assert_int_equal(reg0, 0);
        assert_int_equal(pin.packet_len, sent.n);
        assert_memory_equal(pin.packet, sent.data, sent.n);
        of_buf_fini(&sent);
    }
    assert_int_equal(w.pinctrl->stats.answered, 0);
    assert_int_equal(w.pinctrl->stats.unanswered + w.pinctrl->stats.malformed, ARRAY_SIZE(quiet));
    world_fini(&w);
}

/* Each packet that the switch keeps comes back, however little of it there is, and whatever its userdata. */
static void test_hostile4(void **state UNUSED)
{
    struct world w;
    uint32_t reg0;
    world_init(&w);
    struct of_buf b = client4(&(struct dhcp){.type = 1}), userdata = userdata_of(offer4);
    struct match metadata = port_metadata();
    size_t n = 0;
    for (size_t cut = 0; cut < b.n; cut += 3) {
        clear_outs(&w);
        send_event(&w, &metadata, b.data, cut, userdata.data, userdata.n, true);
        turns(&w, 4);
        resumed(&w, &reg0);
        assert_int_equal(reg0, 0);
        n++;
    }
    assert_int_equal(w.pinctrl->stats.malformed, n);
    for (size_t cut = 8; cut < userdata.n; cut++) {
        clear_outs(&w);
        send_event(&w, &metadata, b.data, b.n, userdata.data, cut, true);
        turns(&w, 4);
        resumed(&w, &reg0);
    }
    clear_outs(&w); /* not paused: nothing can be resumed */
    send_event(&w, &metadata, b.data, b.n, userdata.data, userdata.n, false);
    turns(&w, 4);
    assert_int_equal(w.resumes.n, 0);
    of_buf_fini(&b);
    of_buf_fini(&userdata);
    world_fini(&w);
}

/* ---- DHCPv6 ---- */

static const char offer6[] =
    "reg0[3] = put_dhcpv6_opts(ia_addr = fd00::5, dns_server = fd00::53, "
    "domain_search = \"ex.org,b.example.\", server_id = 02:00:00:00:ff:00, "
    "bootfile_name = \"plain\", bootfile_name_alt = \"chain\");";

struct dhcp6 {
    uint8_t type;
    const char *options;
    size_t n;
};
#define DHCP6(TYPE, OPTIONS)                                                                       \
    (struct dhcp6)                                                                                 \
    {                                                                                              \
        TYPE, OPTIONS, sizeof(OPTIONS) - 1                                                         \
    }
#define ID "\0\1\0\5\0\3abc"
#define SERVER "\0\2\0\12\0\3\0\1\2\0\0\0\xff\0"
#define OTHER_SERVER "\0\2\0\12\0\3\0\1\2\0\0\0\xff\1"
#define IA "\0\3\0\14IAID\0\0\0\0\0\0\0\0"
#define OWN "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\5"
#define OLD "\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\6"
#define IA_WITH(IP) "\0\3\0\50IAID\0\0\0\0\0\0\0\0\0\5\0\30" IP "\0\0\0\1\0\0\0\1"

static struct of_buf client6(const struct dhcp6 *d)
{
    static const struct mac mac = {{2, 0, 0, 0, 0, 5}}, to = {{0x33, 0x33, 0, 1, 0, 2}};
    struct ip6 src, dst;
    assert_int_equal(ip6_parse("fe80::5", &src), 0);
    assert_int_equal(ip6_parse("ff02::1:2", &dst), 0);
    struct of_buf b = OF_BUF_INIT;
    frame_put_plain_eth(&b, to, mac, ETH_TYPE_IPV6);
    size_t l3 = frame_put_ip6(&b, &src, &dst, IP_PROTO_UDP, 1);
    struct udp_header udp = {swap16(546), swap16(547), 0, 0};
    of_buf_put(&b, &udp, sizeof udp);
    of_buf_put8(&b, d->type);
    of_buf_put(&b, "XID", 3);
    of_buf_put(&b, d->options, d->n);
    frame_end(&b, l3);
    return b;
}

enum { DHCP6_AT = 14 + 40 + 8 };

/* The options of the answer: TYPE, then exactly what EXPECTED says. */
static void expect6(struct world *w, struct dhcp6 d, uint8_t type, const void *expected, size_t n)
{
    uint32_t reg0;
    clear_outs(w);
    struct of_buf b = client6(&d);
    act(w, offer6, b.data, b.n, true);
    struct of_packet_in pin = resumed(w, &reg0);
    assert_int_equal(reg0, type ? 1 << 3 : 0);
    if (type) {
        assert_sound(pin.packet, pin.packet_len);
        assert_int_equal(pin.packet[DHCP6_AT], type);
        assert_memory_equal(pin.packet + DHCP6_AT + 1, "XID", 3);
        assert_int_equal(pin.packet_len - DHCP6_AT - 4, n);
        assert_memory_equal(pin.packet + DHCP6_AT + 4, expected, n);
    } else {
        assert_int_equal(pin.packet_len, b.n);
        assert_memory_equal(pin.packet, b.data, b.n);
    }
    of_buf_fini(&b);
}
#define EXPECT6(W, D, TYPE, TEXT) expect6(W, D, TYPE, TEXT, sizeof(TEXT) - 1)
#define FOR_EVER "\xff\xff\xff\xff\xff\xff\xff\xff"
#define LEASE "\0\3\0\50IAID" FOR_EVER "\0\5\0\30" OWN FOR_EVER
#define DNS "\0\27\0\20\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x53"
#define SEARCH "\0\30\0\23\2ex\3org\0\1b\7example\0"
#define MORE DNS SEARCH "\0\73\0\5chain"

static void test_v6_addresses(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    EXPECT6(&w, DHCP6(1, ID IA), 2, ID SERVER LEASE MORE);
    EXPECT6(&w, DHCP6(1, ID IA "\0\16\0\0"), 7,
            ID SERVER "\0\16\0\0" LEASE MORE); /* rapid commit */
    EXPECT6(&w, DHCP6(3, ID SERVER IA), 7, ID SERVER LEASE MORE);
    EXPECT6(&w, DHCP6(5, ID SERVER IA_WITH(OWN)), 7, ID SERVER LEASE MORE);
    /* an address that is no longer the port's goes */
    EXPECT6(&w, DHCP6(6, ID IA_WITH(OLD)), 7,
            ID SERVER "\0\3\0\104IAID" FOR_EVER "\0\5\0\30" OWN FOR_EVER "\0\5\0\30" OLD
                      "\0\0\0\0\0\0\0\0" MORE);
    EXPECT6(&w, DHCP6(4, ID IA_WITH(OWN)), 7, ID SERVER "\0\15\0\2\0\0");
    EXPECT6(&w, DHCP6(4, ID IA_WITH(OLD)), 7, ID SERVER "\0\15\0\21\0\4another address");
    EXPECT6(&w, DHCP6(8, ID SERVER IA_WITH(OWN)), 7, ID SERVER "\0\15\0\2\0\0");
    EXPECT6(&w, DHCP6(9, ID SERVER IA_WITH(OWN)), 7, ID SERVER "\0\15\0\2\0\0");
    /* one address a port; no prefixes */
    EXPECT6(&w,
            DHCP6(1, ID IA "\0\3\0\14IAI2\0\0\0\0\0\0\0\0"
                           "\0\31\0\14IAI3\0\0\0\0\0\0\0\0"),
            2,
            ID SERVER LEASE "\0\3\0\34IAI2\0\0\0\0\0\0\0\0\0\15\0\14\0\2no address"
                            "\0\31\0\35IAI3\0\0\0\0\0\0\0\0\0\15\0\15\0\6no prefixes" MORE);
    world_fini(&w);
}

static void test_v6_information(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    EXPECT6(&w, DHCP6(11, ""), 7, SERVER MORE);
    EXPECT6(&w, DHCP6(11, ID SERVER), 7, ID SERVER MORE);
    EXPECT6(&w, DHCP6(11, "\0\17\0\6\0\4iPXE"), 7, SERVER DNS SEARCH "\0\73\0\5plain");
    world_fini(&w);
}

/* RFC 8415 16: what a server discards. */
static void test_v6_left_alone(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    EXPECT6(&w, DHCP6(1, IA), 0, "");                 /* no client id */
    EXPECT6(&w, DHCP6(1, ID SERVER IA), 0, "");       /* to a server */
    EXPECT6(&w, DHCP6(3, ID IA), 0, "");              /* to none */
    EXPECT6(&w, DHCP6(3, ID OTHER_SERVER IA), 0, ""); /* to another */
    EXPECT6(&w, DHCP6(6, ID SERVER IA), 0, "");
    EXPECT6(&w, DHCP6(11, ID IA), 0, "");
    EXPECT6(&w, DHCP6(12, ID), 0, "");                 /* relayed */
    EXPECT6(&w, DHCP6(1, ID IA "\0\3\0\377x"), 0, ""); /* longer than it is */
    EXPECT6(&w, DHCP6(1, ID IA "\0\3"), 0, "");
    EXPECT6(&w, DHCP6(1, IA IA IA IA IA IA IA IA IA IA IA IA IA IA IA IA IA ID), 0, "");
    struct of_buf b = client6(&DHCP6(1, ID IA)), userdata = userdata_of(offer6);
    struct match metadata = port_metadata();
    uint32_t reg0;
    for (size_t cut = 8; cut < userdata.n; cut++) {
        clear_outs(&w);
        send_event(&w, &metadata, b.data, b.n, userdata.data, cut, true);
        turns(&w, 4);
        resumed(&w, &reg0);
    }
    of_buf_fini(&b);
    of_buf_fini(&userdata);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_discover),       cmocka_unit_test(test_request),
        cmocka_unit_test(test_inform),         cmocka_unit_test(test_left_alone),
        cmocka_unit_test(test_hostile4),       cmocka_unit_test(test_v6_addresses),
        cmocka_unit_test(test_v6_information), cmocka_unit_test(test_v6_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
