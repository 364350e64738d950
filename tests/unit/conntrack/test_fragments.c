/* test_fragments.c - datagrams in pieces: in any order, translated, too late, overlapping, too many. */
#include "unit/conntrack/world.h"

enum { PIECE = 80, MAX_PIECES = 40 };

struct pieces {
    struct packet p[MAX_PIECES];
    unsigned n;
};

static unsigned dropped;

static void on_drop(void *aux, void *cookie)
{
    (void)aux;
    (void)cookie;
    dropped++;
}

static void setup(struct world *w)
{
    world_init(w);
    dropped = 0;
    conntrack_on_drop_fragment(w->ct, on_drop, NULL);
}

/* Cuts WHOLE (IPv4, or IPv6 without extension headers) into pieces of PIECE bytes. */
static void cut(const struct packet *whole, struct pieces *ret)
{
    bool v4 = whole->data[whole->l3_ofs] >> 4 == 4;
    uint32_t head = v4 ? 20 : 40, n = whole->l3_end - whole->l3_ofs - head;
    const uint8_t *payload = whole->data + whole->l3_ofs + head;
    struct flow_key key;
    ret->n = 0;
    for (uint32_t ofs = 0; ofs < n; ofs += PIECE) {
        struct packet *p = &ret->p[ret->n++];
        uint16_t len = (uint16_t)MIN(n - ofs, (uint32_t)PIECE);
        bool more = ofs + len < n;
        packet_init_copy(p, whole->data, whole->l3_ofs + head);
        uint8_t fh[8] = {p->data[whole->l3_ofs + 6]};
        if (!v4) {
            put_be16(fh + 2, (uint16_t)(ofs | more));
            put_be32(fh + 4, 99);
            memcpy(packet_append(p, 8), fh, 8);
        }
        memcpy(packet_append(p, len), payload + ofs, len);
        uint8_t *l3 = p->data + whole->l3_ofs;
        if (v4) {
            put_be16(l3 + 2, (uint16_t)(20 + len));
            put_be16(l3 + 4, 77);
            put_be16(l3 + 6, (uint16_t)(ofs / 8 | (more ? IP4_MF : 0)));
            put_be16(l3 + 10, 0);
            put_be16(l3 + 10, checksum(l3, 20));
        } else {
            put_be16(l3 + 4, (uint16_t)(8 + len));
            l3[6] = IP_PROTO_FRAGMENT;
        }
        flow_extract(p, &key);
        assert_true(conntrack_is_fragment(p));
    }
}

static void pieces_fini(struct pieces *p)
{
    for (unsigned i = 0; i < p->n; i++)
        packet_fini(&p->p[i]);
}

/* Puts the fragments of D together again and compares with WANT, whose checksums are right. */
static void assert_same(struct ct_datagram *d, const struct packet *want, uint32_t state)
{
    bool v4 = want->data[want->l3_ofs] >> 4 == 4;
    uint32_t head = v4 ? 20 : 40, extra = v4 ? 0 : 8, ofs = want->l3_ofs + head;
    struct packet *p;
    void *cookie;
    while ((p = ct_datagram_next(d, &cookie)) != NULL) {
        uint32_t len = p->l3_end - p->l3_ofs - head - extra;
        assert_int_equal(swap32(p->md.ct.state), state);
        assert_memory_equal(p->data + p->l3_ofs + head + extra, want->data + ofs, len);
        const uint8_t *got = packet_l3(p), *there = packet_l3(want);
        assert_memory_equal(got + (v4 ? 12 : 8), there + (v4 ? 12 : 8), v4 ? 8 : 32);
        if (v4)
            assert_int_equal(checksum(packet_l3(p), 20), 0);
        assert_non_null(cookie);
        ofs += len;
    }
    assert_int_equal(ofs, want->l3_end);
}

/* Sends the datagram whole through one tracker and in pieces, in the order that SEED gives, through another. */
static void check_order(const struct spec *s, struct ct_action a, unsigned seed)
{
    struct world w, whole;
    struct packet sent, cut_up;
    struct pieces pieces;
    struct ct_datagram *d = NULL;
    setup(&w);
    world_init(&whole);
    make(&sent, s);
    packet_init(&cut_up);
    packet_clone_into(&cut_up, &sent);
    uint32_t state = run(&whole, &sent, &a);
    cut(&cut_up, &pieces);
    for (unsigned i = 0; i < pieces.n; i++) {
        unsigned at = (i * 7 + seed) % pieces.n; /* 7 and the numbers used have no common divisor */
        enum ct_hold hold = conntrack_hold(w.ct, &pieces.p[at], &a, &w, w.now_ms, &d);
        assert_int_equal(hold, i + 1 < pieces.n ? CT_WAITS : CT_WHOLE);
    }
    assert_same(d, &sent, state);
    ct_datagram_free(d);
    pieces_fini(&pieces);
    packet_fini(&sent);
    packet_fini(&cut_up);
    world_fini(&w);
    world_fini(&whole);
    assert_int_equal(dropped, 0);
}

static void test_orders(void **state)
{
    (void)state;
    static const uint8_t protos[] = {IP_PROTO_UDP, IP_PROTO_TCP};
    for (unsigned i = 0; i < ARRAY_SIZE(protos); i++) {
        struct spec s = {.src = "10.0.0.1",
                         .dst = "10.0.0.2",
                         .proto = protos[i],
                         .sport = 5,
                         .dport = 6,
                         .flags = TCP_SYN,
                         .len = PIECE * 10 + 13};
        struct spec six = {.src = "fc00::1",
                           .dst = "fc00::2",
                           .proto = protos[i],
                           .sport = 5,
                           .dport = 6,
                           .flags = TCP_SYN,
                           .len = PIECE * 4 + 13};
        for (unsigned seed = 0; seed < 11; seed++) {
            check_order(&s, commit(0), seed);
            check_order(&s, nat(CT_NAT_SRC, "1.1.1.1", NULL, 700, 700), seed);
            check_order(&six, nat(CT_NAT_DST, "fd00::9", NULL, 700, 700), seed);
        }
    }
    struct spec echo = {.src = "10.0.0.1",
                        .dst = "10.0.0.2",
                        .proto = IP_PROTO_ICMP,
                        .sport = 5,
                        .dport = 8,
                        .len = 3000};
    check_order(&echo, nat(CT_NAT_SRC, "1.1.1.1", NULL, 0, 0), 3);
}

static const struct spec datagram = {.src = "10.0.0.1",
                                     .dst = "10.0.0.2",
                                     .proto = IP_PROTO_UDP,
                                     .sport = 5,
                                     .dport = 6,
                                     .len = PIECE * 4};

static void test_too_late(void **state)
{
    (void)state;
    struct world w;
    struct packet p;
    struct pieces pieces;
    struct ct_datagram *d;
    struct ct_action a = commit(0), other = commit(1);
    setup(&w);
    make(&p, &datagram);
    cut(&p, &pieces);
    for (unsigned i = 0; i + 1 < pieces.n; i++)
        assert_int_equal(conntrack_hold(w.ct, &pieces.p[i], &a, &w, w.now_ms, &d), CT_WAITS);
    /* In another zone it is another datagram. */
    assert_int_equal(conntrack_hold(w.ct, &pieces.p[pieces.n - 1], &other, &w, w.now_ms, &d),
                     CT_WAITS);
    w.now_ms += 20000;
    conntrack_expire(w.ct, w.now_ms);
    assert_int_equal(dropped, pieces.n);
    assert_int_equal(conntrack_hold(w.ct, &pieces.p[pieces.n - 1], &a, &w, w.now_ms, &d), CT_WAITS);
    conntrack_drop_fragments(w.ct);
    assert_int_equal(dropped, pieces.n + 1);
    pieces_fini(&pieces);
    packet_fini(&p);
    world_fini(&w);
}

static void test_overlap(void **state)
{
    (void)state;
    struct world w;
    struct packet p;
    struct pieces pieces;
    struct ct_datagram *d;
    struct ct_action a = commit(0);
    setup(&w);
    make(&p, &datagram);
    cut(&p, &pieces);
    assert_int_equal(conntrack_hold(w.ct, &pieces.p[0], &a, &w, w.now_ms, &d), CT_WAITS);
    assert_int_equal(conntrack_hold(w.ct, &pieces.p[2], &a, &w, w.now_ms, &d), CT_WAITS);
    /* The same again, one that ends within another, and one beyond the end. */
    assert_int_equal(conntrack_hold(w.ct, &pieces.p[2], &a, &w, w.now_ms, &d), CT_REFUSED);
    assert_int_equal(swap32(pieces.p[2].md.ct.state), CT_TRK | CT_INV);
    assert_int_equal(dropped, 2);
    assert_int_equal(conntrack_hold(w.ct, &pieces.p[0], &a, &w, w.now_ms, &d), CT_WAITS);
    uint8_t *l3 = packet_l3(&pieces.p[1]);
    put_be16(l3 + 6, IP4_MF | (PIECE / 8 - 1));
    put_be16(l3 + 10, 0);
    put_be16(l3 + 10, checksum(l3, 20));
    assert_int_equal(conntrack_hold(w.ct, &pieces.p[1], &a, &w, w.now_ms, &d), CT_REFUSED);
    assert_int_equal(dropped, 3);
    assert_int_equal(conntrack_hold(w.ct, &pieces.p[4], &a, &w, w.now_ms, &d), CT_WAITS);
    put_be16(l3 + 6, IP4_MF | PIECE);
    put_be16(l3 + 10, 0);
    put_be16(l3 + 10, checksum(l3, 20));
    assert_int_equal(conntrack_hold(w.ct, &pieces.p[1], &a, &w, w.now_ms, &d), CT_REFUSED);
    assert_int_equal(dropped, 4);
    pieces_fini(&pieces);
    packet_fini(&p);
    world_fini(&w);
}

/* A flood of first fragments: what waits is bounded, the newest stays. */
static void test_flood(void **state)
{
    (void)state;
    struct world w;
    struct packet p;
    struct pieces pieces;
    struct ct_datagram *d = NULL;
    struct ct_action a = commit(0);
    setup(&w);
    make(&p, &datagram);
    cut(&p, &pieces);
    for (unsigned id = 1; id <= 5000; id++) {
        uint8_t *l3 = packet_l3(&pieces.p[0]);
        put_be16(l3 + 4, (uint16_t)(1000 + id));
        put_be16(l3 + 10, 0);
        put_be16(l3 + 10, checksum(l3, 20));
        assert_int_equal(conntrack_hold(w.ct, &pieces.p[0], &a, &w, w.now_ms, &d), CT_WAITS);
    }
    assert_int_equal(dropped, 4000);
    for (unsigned i = 1; i < pieces.n; i++) {
        uint8_t *l3 = packet_l3(&pieces.p[i]);
        put_be16(l3 + 4, 6000);
        put_be16(l3 + 10, 0);
        put_be16(l3 + 10, checksum(l3, 20));
        assert_int_equal(conntrack_hold(w.ct, &pieces.p[i], &a, &w, w.now_ms, &d),
                         i + 1 < pieces.n ? CT_WAITS : CT_WHOLE);
    }
    ct_datagram_free(d);
    pieces_fini(&pieces);
    packet_fini(&p);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_orders),
        cmocka_unit_test(test_too_late),
        cmocka_unit_test(test_overlap),
        cmocka_unit_test(test_flood),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
