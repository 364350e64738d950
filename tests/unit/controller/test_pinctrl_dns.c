/* test_pinctrl_dns.c - dns_lookup: queries byte by byte, what is answered from SB's DNS rows, and what is left to others. */
#include "support/pinctrl_world.h"

static void add_dns(struct world *w, uint8_t id, const char *const *pairs, size_t n, bool is_owned)
{
    struct row *row = make_row(w, "DNS", id);
    union atom keys[8], values[8];
    assert_true(n <= 8);
    for (size_t i = 0; i < n; i++) {
        keys[i].string = rstr_new(pairs[2 * i]);
        values[i].string = rstr_new(pairs[2 * i + 1]);
    }
    set(row, "records", datum_new_map(ATOM_STRING, ATOM_STRING, keys, values, n));
    struct uuid datapath = uuid_of(1);
    set(row, "datapaths", datum_new_uuid(&datapath));
    if (is_owned) {
        union atom k = {.string = rstr_new("ovn-owned")}, v = {.string = rstr_new("true")};
        set(row, "options", datum_new_map(ATOM_STRING, ATOM_STRING, &k, &v, 1));
    }
    add_row(w, row);
}

static const char *const records[] = {
    "vm1.example",
    "10.0.0.1 fd00::1",
    "Mixed.Example",
    "10.0.0.2,10.0.0.3",
    "1.0.0.10.in-addr.arpa",
    "vm1.example",
    "odd.example",
    ("a..b "
     "x"),
};

/* A query over IPv4 or IPv6; FLAGS, COUNTS as in the header; then NAME in wire form with type and class, and MORE. */
struct query {
    uint16_t flags, counts[4];
    const char *question;
    size_t n;
    bool is6;
};
#define QUERY(TEXT)                                                                                \
    (struct query)                                                                                 \
    {                                                                                              \
        .flags = 0x0100, .counts = {1}, .question = TEXT, .n = sizeof(TEXT) - 1                    \
    }
#define VM1 "\3vm1\7example\0"

static struct of_buf query_frame(const struct query *q)
{
    static const struct mac a = {{2, 0, 0, 0, 0, 1}}, b = {{2, 0, 0, 0, 0, 2}};
    struct ip6 src = {{0xfd}}, dst = {{0xfd, 1}};
    struct of_buf out = OF_BUF_INIT;
    struct udp_header udp = {swap16(4000), swap16(53), 0, 0};
    frame_put_plain_eth(&out, b, a, q->is6 ? ETH_TYPE_IPV6 : ETH_TYPE_IP);
    size_t l3 = q->is6
                    ? frame_put_ip6(&out, &src, &dst, IP_PROTO_UDP, 64)
                    : frame_put_ip4(&out, swap32(0x0a000001), swap32(0x08080808), IP_PROTO_UDP, 64);
    of_buf_put(&out, &udp, sizeof udp);
    of_buf_put16(&out, 0xbeef);
    of_buf_put16(&out, q->flags);
    for (int i = 0; i < 4; i++)
        of_buf_put16(&out, q->counts[i]);
    of_buf_put(&out, q->question, q->n);
    frame_end(&out, l3);
    return out;
}

/* The answer's message behind its id: EXPECTED, or nothing (NULL): the packet comes back as it was. */
static void expect(struct world *w, struct query q, const void *expected, size_t n)
{
    uint32_t reg0;
    clear_outs(w);
    struct of_buf b = query_frame(&q);
    act(w, "reg0[4] = dns_lookup();", b.data, b.n, true);
    struct of_packet_in pin = resumed(w, &reg0);
    assert_int_equal(reg0, expected ? 1 << 4 : 0);
    if (expected) {
        size_t at = q.is6 ? 62 : 42;
        assert_sound(pin.packet, pin.packet_len);
        assert_memory_equal(pin.packet, b.data, 14);
        assert_memory_equal(pin.packet + at, "\xbe\xef", 2);
        assert_int_equal(pin.packet_len - at - 2, n);
        assert_memory_equal(pin.packet + at + 2, expected, n);
    } else {
        assert_int_equal(pin.packet_len, b.n);
        assert_memory_equal(pin.packet, b.data, b.n);
    }
    of_buf_fini(&b);
}
#define EXPECT(W, Q, TEXT) expect(W, Q, TEXT, sizeof(TEXT) - 1)
#define NO_ANSWER(W, Q) expect(W, Q, NULL, 0)
#define ONE "\x85\0\0\1\0\1\0\0\0\0"
#define TWO "\x85\0\0\1\0\2\0\0\0\0"
#define NONE "\x85\0\0\1\0\0\0\0\0\0"
#define A(IP) "\xc0\x0c\0\1\0\1\0\0\x0e\x10\0\4" IP
#define AAAA "\xc0\x0c\0\34\0\1\0\0\x0e\x10\0\20\xfd\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"

static void test_answers(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    add_dns(&w, 20, records, 4, false);
    EXPECT(&w, QUERY(VM1 "\0\1\0\1"), ONE VM1 "\0\1\0\1" A("\x0a\0\0\1"));
    EXPECT(&w, QUERY(VM1 "\0\34\0\1"), ONE VM1 "\0\34\0\1" AAAA);
    EXPECT(&w, QUERY(VM1 "\0\377\0\1"), TWO VM1 "\0\377\0\1" A("\x0a\0\0\1") AAAA);
    EXPECT(&w, QUERY("\3VM1\7eXample\0\0\1\0\1"), /* and the question comes back as it was asked */
           ONE "\3VM1\7eXample\0\0\1\0\1" A("\x0a\0\0\1"));
    EXPECT(&w, QUERY("\5mixed\7example\0\0\1\0\1"),
           TWO "\5mixed\7example\0\0\1\0\1" A("\x0a\0\0\2") A("\x0a\0\0\3"));
    EXPECT(&w,
           QUERY("\1"
                 "1\1"
                 "0\1"
                 "0\2"
                 "10\7in-addr\4arpa\0\0\14\0\1"),
           ONE "\1"
               "1\1"
               "0\1"
               "0\2"
               "10\7in-addr\4arpa\0\0\14\0\1"
               "\xc0\x0c\0\14\0\1\0\0\x0e\x10\0\15" VM1);
    struct query q = QUERY(VM1 "\0\1\0\1");
    q.is6 = true;
    EXPECT(&w, q, ONE VM1 "\0\1\0\1" A("\x0a\0\0\1"));
    q = QUERY(VM1 "\0\1\0\1\0\0\51\x10\0\0\0\0\0\0\0"); /* with EDNS */
    q.counts[3] = 1;
    EXPECT(&w, q,
           "\x85\0\0\1\0\1\0\0\0\1" VM1 "\0\1\0\1" A("\x0a\0\0\1") "\0\0\51\4\xd0\0\0\0\0\0\0");
    /* what is no name is not put into an answer */
    EXPECT(&w, QUERY("\3odd\7example\0\0\14\0\1"),
           ONE "\3odd\7example\0\0\14\0\1\xc0\x0c\0\14\0\1\0\0\x0e\x10\0\3\1x\0");
    world_fini(&w);
}

static void test_left_to_others(void **state UNUSED)
{
    static const char *const owned[] = {"own.example", "10.0.0.9"};
    struct world w;
    world_init(&w);
    NO_ANSWER(&w, QUERY(VM1 "\0\1\0\1")); /* no rows at all */
    add_dns(&w, 20, records, 4, false);
    add_dns(&w, 21, owned, 1, true);
    NO_ANSWER(&w, QUERY("\3vm2\7example\0\0\1\0\1"));
    NO_ANSWER(&w, QUERY("\5mixed\7example\0\0\34\0\1")); /* no address of that kind */
    NO_ANSWER(&w, QUERY(VM1 "\0\17\0\1"));               /* MX */
    NO_ANSWER(&w, QUERY(VM1 "\0\1\0\3"));                /* CHAOS */
    NO_ANSWER(&w, QUERY("\0\0\1\0\1"));                  /* the root */
    /* the one who owns a name says that there is none */
    EXPECT(&w, QUERY("\3own\7example\0\0\34\0\1"), NONE "\3own\7example\0\0\34\0\1");
    NO_ANSWER(&w, QUERY("\3own\7example\0\0\17\0\1"));
    assert_int_equal(w.pinctrl->stats.answered, 1);
    world_fini(&w);
}

static void test_hostile(void **state UNUSED)
{
    struct world w;
    uint32_t reg0;
    world_init(&w);
    add_dns(&w, 20, records, 4, false);
    struct query q = QUERY(VM1 "\0\1\0\1");
    q.flags = 0x8100; /* an answer */
    NO_ANSWER(&w, q);
    q.flags = 0x2900; /* an update */
    NO_ANSWER(&w, q);
    q = QUERY(VM1 "\0\1\0\1");
    q.counts[0] = 2;
    NO_ANSWER(&w, q);
    q = QUERY(VM1 "\0\1\0\1\0\0\51\x10\0\0\1\0\0\0\0"); /* EDNS of a later version */
    q.counts[3] = 1;
    NO_ANSWER(&w, q);
    q = QUERY(VM1 "\0\1\0\1\0\0\51\x10\0\0\0\0\0\0\377"); /* longer than it is */
    q.counts[3] = 1;
    NO_ANSWER(&w, q);
    NO_ANSWER(&w, QUERY("\300\14\0\1\0\1"));           /* a pointer to itself */
    NO_ANSWER(&w, QUERY("\77vm1\7example\0\0\1\0\1")); /* a label past the end */
    NO_ANSWER(&w, QUERY("\3v.1\7example\0\0\1\0\1"));
    char deep[600];
    for (size_t i = 0; i < sizeof deep; i++)
        deep[i] = i % 2 ? 'a' : 1;
    q = (struct query){.counts = {1}, .question = deep, .n = sizeof deep};
    NO_ANSWER(&w, q);

    q = QUERY(VM1 "\0\1\0\1");
    struct of_buf b = query_frame(&q), userdata = userdata_of("reg0[4] = dns_lookup();");
    struct match m = port_metadata();
    for (size_t cut = 0; cut < b.n; cut++) {
        clear_outs(&w);
        send_event(&w, &m, b.data, cut, userdata.data, userdata.n, true);
        turns(&w, 3);
        resumed(&w, &reg0);
        assert_int_equal(reg0, 0);
    }
    of_buf_fini(&b);
    of_buf_fini(&userdata);
    world_fini(&w);
}

/* More addresses than fit: the answer is cut, and says so. */
static void test_large_answer(void **state UNUSED)
{
    struct world w;
    uint32_t reg0;
    struct str value = STR_INIT;
    world_init(&w);
    for (int i = 0; i < 200; i++)
        str_putf(&value, "10.1.0.%d ", i);
    const char *const pairs[] = {"vm1.example", str_c(&value)};
    add_dns(&w, 20, pairs, 1, false);
    struct query q = QUERY(VM1 "\0\1\0\1");
    struct of_buf b = query_frame(&q);
    act(&w, "reg0[4] = dns_lookup();", b.data, b.n, true);
    struct of_packet_in pin = resumed(&w, &reg0);
    assert_true(pin.packet_len - 42 <= 512 && pin.packet_len - 42 > 480);
    assert_int_equal(get_be16(pin.packet + 42 + 2), 0x8700); /* TC */
    assert_int_equal(get_be16(pin.packet + 42 + 6), (pin.packet_len - 42 - 12 - 17) / 16);
    of_buf_fini(&b);
    str_fini(&value);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_left_to_others),
        cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_large_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
