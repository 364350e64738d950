/* test_nat.c - address translation: what packets look like behind it, and again before it; choosing ports; ICMP errors. */
#include "unit/conntrack/world.h"

static struct spec udp(const char *src, uint16_t sport, const char *dst, uint16_t dport)
{
    return (struct spec){
        .src = src, .dst = dst, .proto = IP_PROTO_UDP, .sport = sport, .dport = dport, .len = 21};
}

/* Sends S through one or two actions and tells what became of it, as "SRC:PORT>DST:PORT STATE". */
static char *through_both(struct world *w, struct spec s, const struct ct_action *first,
                          struct ct_action a)
{
    struct packet p;
    struct flow_key key;
    struct str text = STR_INIT;
    make(&p, &s);
    if (first)
        (void)run(w, &p, first);
    uint32_t state = run(w, &p, &a);
    flow_extract(&p, &key);
    assert_checksums(&p);
    bool v4 = key.eth_type == swap16(ETH_TYPE_IP), icmp = !key.tp_dst && !key.tp_src;
    uint16_t sport = icmp ? get_be16((uint8_t *)packet_l4(&p) + 4) : swap16(key.tp_src);
    if (v4)
        ip4_put(&text, key.nw_src);
    else
        ip6_put(&text, key.ip6_src);
    str_putf(&text, ":%u>", sport);
    if (v4)
        ip4_put(&text, key.nw_dst);
    else
        ip6_put(&text, key.ip6_dst);
    str_putf(&text, ":%u %s%s%s%s%s%s%s", swap16(key.tp_dst), state & CT_NEW ? "new" : "",
             state & CT_EST ? "est" : "", state & CT_REL ? "rel" : "", state & CT_INV ? "inv" : "",
             state & CT_RPL ? ",rpl" : "", state & CT_SNAT ? ",snat" : "",
             state & CT_DNAT ? ",dnat" : "");
    packet_fini(&p);
    return str_steal(&text);
}

static char *through(struct world *w, struct spec s, struct ct_action a)
{
    return through_both(w, s, NULL, a);
}

#define EXPECT(SPEC, ACTION, WANT)                                                                 \
    do {                                                                                           \
        char *got_ = through(&w, SPEC, ACTION);                                                    \
        assert_string_equal(got_, WANT);                                                           \
        free(got_);                                                                                \
    } while (0)

static void test_source(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    EXPECT(udp("10.0.0.1", 7, "8.8.8.8", 53), nat(CT_NAT_SRC, "1.1.1.1", NULL, 0, 0),
           "1.1.1.1:7>8.8.8.8:53 new,snat");
    EXPECT(udp("8.8.8.8", 53, "1.1.1.1", 7), track(0), "8.8.8.8:53>1.1.1.1:7 est,rpl");
    EXPECT(udp("8.8.8.8", 53, "1.1.1.1", 7), undo(), "8.8.8.8:53>10.0.0.1:7 est,rpl,dnat");
    EXPECT(udp("10.0.0.1", 7, "8.8.8.8", 53), undo(), "1.1.1.1:7>8.8.8.8:53 est,snat");
    EXPECT(udp("fc00::1", 7, "fc00::8", 53), nat(CT_NAT_SRC, "fd00::1", NULL, 0, 0),
           "fd00::1:7>fc00::8:53 new,snat");
    EXPECT(udp("fc00::8", 53, "fd00::1", 7), undo(), "fc00::8:53>fc00::1:7 est,rpl,dnat");
    struct spec echo = {.src = "10.0.0.1",
                        .dst = "8.8.8.8",
                        .proto = IP_PROTO_ICMP,
                        .sport = 5,
                        .dport = 8,
                        .len = 9};
    struct spec reply = {.src = "8.8.8.8",
                         .dst = "1.1.1.1",
                         .proto = IP_PROTO_ICMP,
                         .sport = 5,
                         .dport = 0,
                         .len = 9};
    EXPECT(echo, nat(CT_NAT_SRC, "1.1.1.1", NULL, 0, 0), "1.1.1.1:5>8.8.8.8:0 new,snat");
    EXPECT(reply, undo(), "8.8.8.8:5>10.0.0.1:0 est,rpl,dnat");
    /* Another host with the same id: it gets another one, and back. */
    echo.src = "10.0.0.2";
    char *got = through(&w, echo, nat(CT_NAT_SRC, "1.1.1.1", NULL, 0, 0));
    unsigned id = 0;
    assert_int_equal(sscanf(got, "1.1.1.1:%u>8.8.8.8:0 new,snat", &id), 1);
    assert_int_not_equal(id, 5);
    free(got);
    reply.sport = (uint16_t)id;
    EXPECT(reply, undo(), "8.8.8.8:5>10.0.0.2:0 est,rpl,dnat");
    world_fini(&w);
}

static void test_destination(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    EXPECT(udp("10.0.0.1", 7, "9.9.9.9", 53), nat(CT_NAT_DST, "10.0.0.2", NULL, 5353, 5353),
           "10.0.0.1:7>10.0.0.2:5353 new,dnat");
    EXPECT(udp("10.0.0.2", 5353, "10.0.0.1", 7), undo(), "9.9.9.9:53>10.0.0.1:7 est,rpl,snat");
    EXPECT(udp("10.0.0.1", 7, "9.9.9.9", 53), undo(), "10.0.0.1:7>10.0.0.2:5353 est,dnat");
    /* Another virtual address with the same server: only the client's port can tell the two apart. */
    char *got =
        through(&w, udp("10.0.0.1", 7, "9.9.9.8", 5353), nat(CT_NAT_DST, "10.0.0.2", NULL, 0, 0));
    unsigned port = 0;
    assert_int_equal(sscanf(got, "10.0.0.1:%u>10.0.0.2:5353 new,snat,dnat", &port), 1);
    assert_int_not_equal(port, 7);
    free(got);
    EXPECT(udp("10.0.0.2", 5353, "10.0.0.1", (uint16_t)port), undo(),
           "9.9.9.8:5353>10.0.0.1:7 est,rpl,snat,dnat");
    world_fini(&w);
}

/* "ct(nat)", and then, since nobody has answered yet, "ct(commit,nat(...))" again: the same connection, and the same packets. */
static void test_again(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    struct spec tcp = udp("10.0.0.1", 7, "9.9.9.9", 53), echo = udp("10.0.0.1", 7, "9.9.9.9", 8);
    tcp.proto = IP_PROTO_TCP;
    tcp.flags = TCP_SYN;
    echo.proto = IP_PROTO_ICMP;
    const struct {
        struct spec spec;
        const char *dst, *src;
    } each[] = {
        {udp("10.0.0.1", 7, "9.9.9.9", 53), "10.0.0.1:7>10.0.0.2:53 new,dnat",
         "1.1.1.1:7>9.9.9.9:53 new,snat"},
        {tcp, "10.0.0.1:7>10.0.0.2:53 new,dnat", "1.1.1.1:7>9.9.9.9:53 new,snat"},
        {echo, "10.0.0.1:7>10.0.0.2:0 new,dnat", "1.1.1.1:7>9.9.9.9:0 new,snat"},
    };
    const struct ct_action first = undo(), plain = commit(0);
    for (size_t i = 0; i < ARRAY_SIZE(each); i++) {
        for (int n = 0; n < 3; n++) {
            char *got =
                through_both(&w, each[i].spec, &first, nat(CT_NAT_DST, "10.0.0.2", NULL, 0, 0));
            assert_string_equal(got, each[i].dst);
            free(got);
        }
        /* Without a translation of its own a commit keeps the one that is there. */
        char *got = through_both(&w, each[i].spec, &first, plain);
        assert_int_equal(strncmp(got, each[i].dst, strcspn(each[i].dst, ",")), 0);
        free(got);
        assert_int_equal(conntrack_count(w.ct), i + 1);
    }
    conntrack_flush(w.ct, &(struct ct_filter){.has_zone = false});
    for (size_t i = 0; i < ARRAY_SIZE(each); i++) {
        for (int n = 0; n < 3; n++) {
            char *got =
                through_both(&w, each[i].spec, &first, nat(CT_NAT_SRC, "1.1.1.1", NULL, 0, 0));
            assert_string_equal(got, each[i].src);
            free(got);
        }
        assert_int_equal(conntrack_count(w.ct), i + 1);
    }
    /* Nor is it new when it was answered, whoever looks. */
    EXPECT(udp("9.9.9.9", 53, "1.1.1.1", 7), undo(), "9.9.9.9:53>10.0.0.1:7 est,rpl,dnat");
    struct packet p;
    const struct ct_action look = track(0);
    make(&p, &each[0].spec);
    (void)run(&w, &p, &first);
    assert_false(conntrack_pass(w.ct, &p, &look, w.now_ms, &(struct ct_hint){0}));
    assert_int_equal(run(&w, &p, &look) & (CT_EST | CT_NEW | CT_INV), CT_EST);
    packet_fini(&p);
    /* Another kind of translation behind the first has a connection of its own. */
    const struct ct_action dst = nat(CT_NAT_DST, "10.0.0.2", NULL, 0, 0);
    char *got = through_both(&w, udp("10.0.0.9", 7, "9.9.9.8", 53), &dst,
                             nat(CT_NAT_SRC, "1.1.1.1", NULL, 0, 0));
    assert_string_equal(got, "1.1.1.1:7>10.0.0.2:53 new,snat");
    free(got);
    world_fini(&w);
}

static void test_ports(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    bool seen[16] = {false};
    static const uint8_t flags[] = {0, CT_NAT_HASH, CT_NAT_RANDOM};
    /* 10 ports: each is given once, whatever the order; then there is none. */
    for (unsigned i = 0; i < 10; i++) {
        char *got = through(&w, udp("10.0.0.1", (uint16_t)(100 + i), "8.8.8.8", 53),
                            nat((uint8_t)(CT_NAT_SRC | flags[i % 3]), "1.1.1.1", NULL, 4000, 4009));
        unsigned port;
        assert_int_equal(sscanf(got, "1.1.1.1:%u>8.8.8.8:53 new,snat", &port), 1);
        assert_in_range(port, 4000, 4009);
        assert_false(seen[port - 4000]);
        seen[port - 4000] = true;
        free(got);
    }
    EXPECT(udp("10.0.0.1", 99, "8.8.8.8", 53), nat(CT_NAT_SRC, "1.1.1.1", NULL, 4000, 4009),
           "10.0.0.1:99>8.8.8.8:53 inv");
    assert_int_equal(conntrack_counters(w.ct)->n_nat_exhausted, 1);
    /* Another address of the range helps, and another destination. */
    EXPECT(udp("10.0.0.1", 4003, "8.8.8.9", 53), nat(CT_NAT_SRC, "1.1.1.1", NULL, 4000, 4009),
           "1.1.1.1:4003>8.8.8.9:53 new,snat");
    char *got = through(&w, udp("10.0.0.1", 99, "8.8.8.8", 53),
                        nat(CT_NAT_SRC, "1.1.1.1", "1.1.1.2", 4000, 4009));
    assert_memory_equal(got, "1.1.1.2:", 8);
    free(got);
    /* A clash without a range: an ephemeral port. */
    EXPECT(udp("10.0.0.1", 50, "7.7.7.7", 53), nat(CT_NAT_SRC, "1.1.1.1", NULL, 0, 0),
           "1.1.1.1:50>7.7.7.7:53 new,snat");
    got = through(&w, udp("10.0.0.2", 50, "7.7.7.7", 53), nat(CT_NAT_SRC, "1.1.1.1", NULL, 0, 0));
    unsigned port;
    assert_int_equal(sscanf(got, "1.1.1.1:%u>7.7.7.7:53 new,snat", &port), 1);
    assert_in_range(port, 1024, 65535);
    free(got);
    world_fini(&w);
}

static void test_addresses(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    unsigned used[8] = {0};
    char name[32];
    for (unsigned i = 0; i < 200; i++) {
        snprintf(name, sizeof name, "10.0.%u.1", i);
        char *got = through(&w, udp(name, 1000, "8.8.8.8", 53),
                            nat(CT_NAT_SRC, "1.1.1.0", "1.1.1.7", 0, 0));
        unsigned last;
        assert_int_equal(sscanf(got, "1.1.1.%u:1000>8.8.8.8:53", &last) == 1 ||
                             strstr(got, ">8.8.8.8:53 new,snat") != NULL,
                         true);
        sscanf(got, "1.1.1.%u", &last);
        assert_in_range(last, 0, 7);
        used[last]++;
        free(got);
    }
    for (unsigned i = 0; i < 8; i++)
        assert_in_range(used[i], 5, 60);
    /* persistent: one host, one address, in another tracker too. */
    struct world other;
    world_init(&other);
    char *first = NULL;
    for (unsigned i = 0; i < 20; i++) {
        struct world *at = i % 2 ? &w : &other;
        char *got = through(at, udp("10.9.9.9", (uint16_t)(100 + i), "8.8.8.8", (uint16_t)(20 + i)),
                            nat(CT_NAT_SRC | CT_NAT_PERSISTENT, "1.1.1.0", "1.1.1.7", 0, 0));
        *strchr(got, ':') = '\0';
        if (!first)
            first = strdup(got);
        assert_string_equal(got, first);
        free(got);
    }
    free(first);
    world_fini(&other);
    world_fini(&w);
}

/* nat(src=0.0.0.0): the address stays, and the port unless it clashes. */
static void test_zero(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    struct ct_action zero = nat(CT_NAT_SRC, "0.0.0.0", NULL, 0, 0);
    EXPECT(udp("10.0.0.1", 50, "7.7.7.7", 53), zero, "10.0.0.1:50>7.7.7.7:53 new");
    EXPECT(udp("10.0.0.2", 60, "9.9.9.9", 53), nat(CT_NAT_DST, "7.7.7.7", NULL, 0, 0),
           "10.0.0.2:60>7.7.7.7:53 new,dnat");
    char *got = through(&w, udp("10.0.0.2", 60, "7.7.7.7", 53), zero);
    unsigned port;
    assert_int_equal(sscanf(got, "10.0.0.2:%u>7.7.7.7:53 new,snat", &port), 1);
    assert_int_not_equal(port, 60);
    free(got);
    /* Without any nat, the clash is an invalid packet, not two connections in one. */
    EXPECT(udp("10.0.0.2", 61, "9.9.9.9", 53), nat(CT_NAT_DST, "7.7.7.7", NULL, 0, 0),
           "10.0.0.2:61>7.7.7.7:53 new,dnat");
    EXPECT(udp("10.0.0.2", 61, "7.7.7.7", 53), commit(0), "10.0.0.2:61>7.7.7.7:53 inv");
    assert_int_equal(conntrack_counters(w.ct)->n_clash, 1);
    world_fini(&w);
}

/* ---- ICMP errors ---- */

/* An error of TYPE from SRC to DST that quotes QUOTED, cut to CUT bytes of it. */
static void make_error(struct packet *p, const char *src, const char *dst, uint8_t type,
                       const struct packet *quoted, size_t cut)
{
    bool v4 = addr(src).version == 4;
    size_t n = MIN(cut, (size_t)quoted->l3_end - quoted->l3_ofs);
    struct spec s = {.src = src,
                     .dst = dst,
                     .proto = v4 ? IP_PROTO_ICMP : IP_PROTO_ICMPV6,
                     .dport = type,
                     .len = (uint16_t)n};
    make(p, &s);
    memcpy((uint8_t *)packet_l4(p) + 8, packet_l3(quoted), n);
    packet_finish_checksum(p);
}

/* A packet goes through NAT, a router beyond answers with an error; the sender must see its own packet quoted. */
static void check_error(const struct spec *s, struct ct_action a, const char *router,
                        const char *outside, uint8_t type, size_t cut)
{
    struct world w;
    world_init(&w);
    struct packet sent, original, error;
    make(&sent, s);
    packet_init(&original);
    packet_clone_into(&original, &sent);
    run(&w, &sent, &a);
    make_error(&error, router, outside, type, &sent, cut);
    struct ct_action u = undo();
    uint32_t flag = a.nat.flags & CT_NAT_SRC ? CT_DNAT : CT_SNAT;
    assert_int_equal(run(&w, &error, &u), CT_TRK | CT_REL | CT_RPL | flag);
    assert_checksums(&error);
    struct flow_key key;
    flow_extract(&error, &key);
    struct ip_addr src = addr(s->src);
    assert_true(src.version == 4 ? key.nw_dst == src.v4 : !memcmp(&key.ip6_dst, &src.v6, 16));
    size_t n = MIN(cut, (size_t)original.l3_end - original.l3_ofs);
    assert_memory_equal((uint8_t *)packet_l4(&error) + 8, packet_l3(&original), n);
    assert_int_equal(error.md.ct.nw_proto, s->proto);
    packet_fini(&sent);
    packet_fini(&original);
    packet_fini(&error);
    world_fini(&w);
}

static void test_errors(void **state)
{
    (void)state;
    struct spec s = udp("10.0.0.1", 7, "8.8.8.8", 53);
    for (size_t cut = 28; cut < 60; cut += 7) {
        check_error(&s, nat(CT_NAT_SRC, "1.1.1.1", NULL, 4000, 4009), "5.5.5.5", "1.1.1.1",
                    ICMP_TIME_EXCEEDED, cut);
        check_error(&s, nat(CT_NAT_DST, "10.0.0.2", NULL, 99, 99), "10.0.0.2", "10.0.0.1",
                    ICMP_DST_UNREACH, cut);
    }
    s.proto = IP_PROTO_TCP;
    s.flags = TCP_SYN;
    check_error(&s, nat(CT_NAT_SRC, "1.1.1.1", NULL, 4000, 4009), "5.5.5.5", "1.1.1.1",
                ICMP_TIME_EXCEEDED, 28);
    check_error(&s, nat(CT_NAT_SRC, "1.1.1.1", NULL, 4000, 4009), "5.5.5.5", "1.1.1.1",
                ICMP_TIME_EXCEEDED, 100);
    struct spec six = udp("fc00::1", 7, "fc00::8", 53);
    check_error(&six, nat(CT_NAT_SRC, "fd00::1", NULL, 4000, 4009), "fe00::5", "fd00::1",
                ICMP6_TIME_EXCEEDED, 48);
    check_error(&six, nat(CT_NAT_SRC, "fd00::1", NULL, 4000, 4009), "fe00::5", "fd00::1",
                ICMP6_PACKET_TOO_BIG, 69);
    struct spec echo = {.src = "10.0.0.1",
                        .dst = "8.8.8.8",
                        .proto = IP_PROTO_ICMP,
                        .sport = 5,
                        .dport = 8,
                        .len = 9};
    check_error(&echo, nat(CT_NAT_SRC, "1.1.1.1", NULL, 0, 0), "5.5.5.5", "1.1.1.1",
                ICMP_TIME_EXCEEDED, 28);
}

static void test_errors_of_nobody(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    struct spec s = udp("10.0.0.1", 7, "8.8.8.8", 53);
    struct packet quoted, error;
    struct ct_action a = track(0);
    make(&quoted, &s);
    make_error(&error, "8.8.8.8", "10.0.0.1", ICMP_DST_UNREACH, &quoted, 28);
    assert_int_equal(run(&w, &error, &a), CT_TRK | CT_INV);
    send(&w, &s, commit(0));
    assert_int_equal(run(&w, &error, &a), CT_TRK | CT_REL | CT_RPL);
    packet_fini(&error);
    make_error(&error, "8.8.8.8", "10.0.0.1", ICMP_DST_UNREACH, &quoted,
               24); /* cut within the ports' header */
    assert_int_equal(run(&w, &error, &a), CT_TRK | CT_INV);
    packet_fini(&error);
    packet_fini(&quoted);
    world_fini(&w);
}

/* ---- unfinished checksums ---- */

static void test_partial_checksum(void **state)
{
    (void)state;
    static const struct {
        const char *src, *dst, *to;
    } cases[] = {{"10.0.0.1", "8.8.8.8", "1.1.1.1"}, {"fc00::1", "fc00::8", "fd00::1"}};
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        struct world w;
        world_init(&w);
        struct spec s = {.src = cases[i].src,
                         .dst = cases[i].dst,
                         .proto = IP_PROTO_TCP,
                         .sport = 7,
                         .dport = 80,
                         .flags = TCP_SYN,
                         .len = 5000};
        struct packet p;
        struct ip_addr src = addr(s.src), dst = addr(s.dst);
        make(&p, &s);
        uint32_t sum = src.version == 4
                           ? checksum_pseudo4(src.v4, dst.v4, s.proto, packet_l4_size(&p))
                           : checksum_pseudo6(&src.v6, &dst.v6, s.proto, packet_l4_size(&p));
        put_be16((uint8_t *)packet_l4(&p) + 16, (uint16_t)~checksum_fold(sum));
        p.csum_partial = true;
        p.gso_type = 1;
        p.gso_size = 1000;
        struct ct_action a = nat(CT_NAT_SRC, cases[i].to, NULL, 4000, 4009);
        assert_int_equal(run(&w, &p, &a), CT_TRK | CT_NEW | CT_SNAT);
        assert_true(p.csum_partial);
        /* What a device would do: the sum over the segment, with the pseudo-header's in the field. */
        uint16_t finished = checksum(packet_l4(&p), packet_l4_size(&p));
        put_be16((uint8_t *)packet_l4(&p) + 16, finished);
        p.csum_partial = false;
        assert_checksums(&p);
        packet_fini(&p);
        world_fini(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_source),
        cmocka_unit_test(test_destination),
        cmocka_unit_test(test_again),
        cmocka_unit_test(test_ports),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_zero),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_errors_of_nobody),
        cmocka_unit_test(test_partial_checksum),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
