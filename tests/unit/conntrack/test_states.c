/* test_states.c - the state machines: TCP with its windows, UDP, ICMP, SCTP; timeouts, limits, flush. */
#include "unit/conntrack/world.h"

#define C "10.0.0.1"
#define S "10.0.0.2"

/* A TCP conversation: packets of the client and of the server, with sequence numbers kept up. */
struct talk {
    struct world w;
    uint32_t seq[2];
};

static void talk_init(struct talk *t)
{
    world_init(&t->w);
    t->seq[0] = 0xfffffff0; /* wraps soon */
    t->seq[1] = 5000;
}

/* A segment of side DIR that acknowledges all of the other's. */
static uint32_t say(struct talk *t, int dir, uint16_t flags, uint16_t len)
{
    struct spec s = {.src = dir ? S : C,
                     .dst = dir ? C : S,
                     .proto = IP_PROTO_TCP,
                     .sport = dir ? 80 : 1000,
                     .dport = dir ? 1000 : 80,
                     .flags = flags,
                     .seq = t->seq[dir],
                     .ack = flags & TCP_ACK ? t->seq[!dir] : 0,
                     .win = 2000,
                     .len = len};
    uint32_t state = send(&t->w, &s, commit(0));
    if (!(state & CT_INV))
        t->seq[dir] += len + (flags & (TCP_SYN | TCP_FIN) ? 1 : 0);
    return state;
}

static void handshake(struct talk *t)
{
    assert_int_equal(say(t, 0, TCP_SYN, 0), CT_TRK | CT_NEW);
    assert_int_equal(say(t, 1, TCP_SYN | TCP_ACK, 0), CT_TRK | CT_EST | CT_RPL);
    assert_int_equal(say(t, 0, TCP_ACK, 0), CT_TRK | CT_EST);
}

#define TUPLES                                                                                     \
    "tcp,orig=(src=10.0.0.1,dst=10.0.0.2,sport=1000,dport=80),reply=(src=10.0.0.2,dst=10.0.0.1,"   \
    "sport=80,dport=1000)"

static void test_tcp_life(void **state)
{
    (void)state;
    struct talk t;
    talk_init(&t);
    say(&t, 0, TCP_SYN, 0);
    assert_dump(&t.w, CT_SHOW_TIMES, TUPLES ",timeout=30,protoinfo=(state=SYN_SENT)\n");
    say(&t, 0, TCP_SYN, 0);
    t.seq[0]--; /* said again */
    say(&t, 1, TCP_SYN | TCP_ACK, 0);
    assert_dump(&t.w, 0, TUPLES ",protoinfo=(state=SYN_RECV)\n");
    say(&t, 0, TCP_ACK, 0);
    assert_dump(&t.w, CT_SHOW_TIMES, TUPLES ",timeout=86400,protoinfo=(state=ESTABLISHED)\n");
    for (int i = 0; i < 20; i++) {
        assert_int_equal(say(&t, 0, TCP_ACK | TCP_PSH, 700), CT_TRK | CT_EST);
        assert_int_equal(say(&t, 1, TCP_ACK, 900), CT_TRK | CT_EST | CT_RPL);
    }
    assert_int_equal(say(&t, 0, TCP_FIN | TCP_ACK, 10), CT_TRK | CT_EST);
    assert_dump(&t.w, 0, TUPLES ",protoinfo=(state=FIN_WAIT_1)\n");
    say(&t, 1, TCP_ACK, 0);
    assert_dump(&t.w, 0, TUPLES ",protoinfo=(state=CLOSE_WAIT)\n");
    say(&t, 1, TCP_FIN | TCP_ACK, 0);
    assert_dump(&t.w, 0, TUPLES ",protoinfo=(state=LAST_ACK)\n");
    say(&t, 0, TCP_ACK, 0);
    assert_dump(&t.w, CT_SHOW_TIMES, TUPLES ",timeout=45,protoinfo=(state=TIME_WAIT)\n");
    /* The same ports again: another connection. */
    assert_int_equal(say(&t, 0, TCP_SYN, 0), CT_TRK | CT_NEW);
    assert_int_equal(conntrack_count(t.w.ct), 1);
    world_fini(&t.w);
}

static void test_tcp_windows(void **state)
{
    (void)state;
    struct talk t;
    talk_init(&t);
    handshake(&t);
    uint32_t seq = t.seq[0], ack = t.seq[1];
    assert_int_equal(say(&t, 0, TCP_ACK, 1000), CT_TRK | CT_EST);
    t.seq[0] = seq + 2001; /* beyond the server's window */
    assert_int_equal(say(&t, 0, TCP_ACK, 1), CT_TRK | CT_INV);
    t.seq[0] = seq - 3000; /* older than a window */
    assert_int_equal(say(&t, 0, TCP_ACK, 1), CT_TRK | CT_INV);
    t.seq[0] = seq + 1000;
    t.seq[1] = ack + 1; /* acknowledges what was not sent */
    assert_int_equal(say(&t, 0, TCP_ACK, 0), CT_TRK | CT_INV);
    t.seq[1] = ack;
    assert_int_equal(say(&t, 0, TCP_ACK, 1000), CT_TRK | CT_EST);
    t.seq[0] = seq + 100000;
    assert_int_equal(say(&t, 0, TCP_RST, 0), CT_TRK | CT_INV); /* a blind reset */
    conntrack_check_sequence(t.w.ct, false);
    assert_int_equal(say(&t, 0, TCP_ACK, 0), CT_TRK | CT_EST);
    conntrack_check_sequence(t.w.ct, true);
    world_fini(&t.w);
}

static void test_tcp_scale(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    struct spec syn = {.src = C,
                       .dst = S,
                       .proto = IP_PROTO_TCP,
                       .sport = 1,
                       .dport = 2,
                       .flags = TCP_SYN,
                       .seq = 100,
                       .win = 1000,
                       .scale = 7};
    struct spec synack = {.src = S,
                          .dst = C,
                          .proto = IP_PROTO_TCP,
                          .sport = 2,
                          .dport = 1,
                          .flags = TCP_SYN | TCP_ACK,
                          .seq = 500,
                          .ack = 101,
                          .win = 1000,
                          .scale = 3};
    struct spec ack = {.src = C,
                       .dst = S,
                       .proto = IP_PROTO_TCP,
                       .sport = 1,
                       .dport = 2,
                       .flags = TCP_ACK,
                       .seq = 101,
                       .ack = 501,
                       .win = 100};
    struct spec data = {.src = S,
                        .dst = C,
                        .proto = IP_PROTO_TCP,
                        .sport = 2,
                        .dport = 1,
                        .flags = TCP_ACK,
                        .ack = 101};
    send(&w, &syn, commit(0));
    assert_int_equal(send(&w, &synack, commit(0)), CT_TRK | CT_EST | CT_RPL);
    assert_int_equal(send(&w, &ack, commit(0)), CT_TRK | CT_EST);
    data.seq = 501 + 100 * 128; /* the edge of the client's scaled window */
    assert_int_equal(send(&w, &data, commit(0)), CT_TRK | CT_EST | CT_RPL);
    data.seq++;
    assert_int_equal(send(&w, &data, commit(0)), CT_TRK | CT_INV);
    world_fini(&w);
}

static void test_tcp_beginnings(void **state)
{
    (void)state;
    struct talk t;
    talk_init(&t);
    assert_int_equal(say(&t, 1, TCP_SYN | TCP_ACK, 0), CT_TRK | CT_INV);
    assert_int_equal(say(&t, 0, TCP_RST, 0), CT_TRK | CT_INV);
    assert_int_equal(say(&t, 0, TCP_SYN | TCP_FIN, 0), CT_TRK | CT_INV);
    assert_int_equal(say(&t, 0, 0, 0), CT_TRK | CT_INV);
    assert_int_equal(conntrack_count(t.w.ct), 0);
    /* One that is under way is taken up. */
    assert_int_equal(say(&t, 0, TCP_ACK, 10), CT_TRK | CT_NEW);
    assert_int_equal(say(&t, 0, TCP_ACK, 10), CT_TRK | CT_EST);
    assert_dump(&t.w, CT_SHOW_TIMES, TUPLES ",timeout=86400,protoinfo=(state=ESTABLISHED)\n");
    assert_int_equal(say(&t, 1, TCP_ACK, 500), CT_TRK | CT_EST | CT_RPL);
    assert_int_equal(say(&t, 0, TCP_ACK, 10), CT_TRK | CT_EST);
    assert_int_equal(say(&t, 1, TCP_RST | TCP_ACK, 0), CT_TRK | CT_EST | CT_RPL);
    assert_dump(&t.w, CT_SHOW_TIMES, TUPLES ",timeout=30,protoinfo=(state=TIME_WAIT)\n");
    world_fini(&t.w);
    /* Refused. */
    talk_init(&t);
    say(&t, 0, TCP_SYN, 0);
    t.seq[1] = 0;
    assert_int_equal(say(&t, 1, TCP_RST | TCP_ACK, 0), CT_TRK | CT_EST | CT_RPL);
    assert_dump(&t.w, 0, TUPLES ",protoinfo=(state=TIME_WAIT)\n");
    world_fini(&t.w);
}

static const struct spec query = {
    .src = C, .dst = S, .proto = IP_PROTO_UDP, .sport = 1000, .dport = 53, .len = 20};
static const struct spec response = {
    .src = S, .dst = C, .proto = IP_PROTO_UDP, .sport = 53, .dport = 1000, .len = 90};

static void test_udp(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    assert_int_equal(send(&w, &query, track(0)), CT_TRK | CT_NEW);
    assert_int_equal(send(&w, &query, track(0)), CT_TRK | CT_NEW);
    assert_int_equal(conntrack_count(w.ct), 0); /* nothing is remembered without a commit */
    assert_int_equal(send(&w, &query, commit(0)), CT_TRK | CT_NEW);
    assert_int_equal(send(&w, &response, track(1)), CT_TRK | CT_NEW); /* another zone */
    assert_int_equal(send(&w, &query, track(0)), CT_TRK | CT_NEW);    /* no answer yet */
    assert_int_equal(send(&w, &response, track(0)), CT_TRK | CT_EST | CT_RPL);
    assert_int_equal(send(&w, &query, track(0)), CT_TRK | CT_EST);
    /* force turns it around. */
    struct ct_action force = {.flags = CT_COMMIT | CT_FORCE};
    assert_int_equal(send(&w, &query, force), CT_TRK | CT_EST);
    assert_int_equal(send(&w, &response, force), CT_TRK | CT_NEW);
    assert_int_equal(send(&w, &query, track(0)), CT_TRK | CT_EST | CT_RPL);
    assert_int_equal(conntrack_count(w.ct), 1);
    world_fini(&w);
}

static void test_icmp(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    static const struct {
        const char *a, *b;
        uint8_t proto, request, reply;
    } cases[] = {{C, S, IP_PROTO_ICMP, 8, 0},
                 {"fc00::1", "fc00::2", IP_PROTO_ICMPV6, 128, 129},
                 {C, S, IP_PROTO_ICMP, 13, 14}};
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        struct spec echo = {.src = cases[i].a,
                            .dst = cases[i].b,
                            .proto = cases[i].proto,
                            .sport = 77,
                            .dport = cases[i].request,
                            .len = 8};
        struct spec reply = {.src = cases[i].b,
                             .dst = cases[i].a,
                             .proto = cases[i].proto,
                             .sport = 77,
                             .dport = cases[i].reply,
                             .len = 8};
        assert_int_equal(send(&w, &reply, commit(0)), CT_TRK | CT_INV);
        assert_int_equal(send(&w, &echo, commit(0)), CT_TRK | CT_NEW);
        assert_int_equal(send(&w, &reply, commit(0)), CT_TRK | CT_EST | CT_RPL);
        reply.sport = 78;
        assert_int_equal(send(&w, &reply, commit(0)), CT_TRK | CT_INV);
    }
    struct spec redirect = {.src = S, .dst = C, .proto = IP_PROTO_ICMP, .dport = 137};
    assert_int_equal(send(&w, &redirect, commit(0)), CT_TRK | CT_INV);
    world_fini(&w);
}

static void test_other_protocols(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    struct spec there = {.src = C, .dst = S, .proto = 47, .len = 30},
                back = {.src = S, .dst = C, .proto = 47, .len = 30};
    assert_int_equal(send(&w, &there, commit(0)), CT_TRK | CT_NEW);
    assert_int_equal(send(&w, &back, track(0)), CT_TRK | CT_EST | CT_RPL);
    assert_dump(&w, 0,
                "47,orig=(src=10.0.0.1,dst=10.0.0.2,sport=0,dport=0),reply=(src=10.0.0.2,dst=10.0."
                "0.1,sport=0,dport=0)\n");
    world_fini(&w);
}

/* ---- SCTP ---- */

/* A packet of one chunk; TAG is that of INIT and INIT ACK. */
static uint32_t chunk(struct world *w, int dir, uint32_t vtag, uint8_t type, uint8_t flags,
                      uint32_t tag)
{
    struct spec s = {.src = dir ? S : C,
                     .dst = dir ? C : S,
                     .proto = IP_PROTO_SCTP,
                     .sport = dir ? 9 : 8,
                     .dport = dir ? 8 : 9,
                     .len = 20};
    struct packet p;
    make(&p, &s);
    uint8_t *l4 = packet_l4(&p);
    put_be32(l4 + 4, vtag);
    memset(l4 + 12, 0, 20);
    l4[12] = type;
    l4[13] = flags;
    put_be16(l4 + 14, 20);
    put_be32(l4 + 16, tag);
    packet_finish_checksum(&p);
    struct ct_action a = commit(0);
    uint32_t state = run(w, &p, &a);
    packet_fini(&p);
    return state;
}

static void test_sctp(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    enum {
        INIT = 1,
        INIT_ACK,
        ABORT = 6,
        SHUTDOWN,
        SHUTDOWN_ACK,
        COOKIE_ECHO = 10,
        COOKIE_ACK,
        SHUTDOWN_COMPLETE = 14
    };
    assert_int_equal(chunk(&w, 0, 5, INIT, 0, 100), CT_TRK | CT_INV); /* an INIT has no tag */
    assert_int_equal(chunk(&w, 0, 0, INIT, 0, 100), CT_TRK | CT_NEW);
    assert_int_equal(chunk(&w, 1, 99, INIT_ACK, 0, 200), CT_TRK | CT_INV);
    assert_int_equal(chunk(&w, 1, 100, INIT_ACK, 0, 200), CT_TRK | CT_EST | CT_RPL);
    assert_int_equal(chunk(&w, 0, 200, COOKIE_ECHO, 0, 0), CT_TRK | CT_EST);
    assert_int_equal(chunk(&w, 1, 100, COOKIE_ACK, 0, 0), CT_TRK | CT_EST | CT_RPL);
    char *text = dump(&w, CT_SHOW_TIMES);
    assert_non_null(strstr(text, "timeout=86400"));
    assert_non_null(strstr(text, "state=ESTABLISHED"));
    free(text);
    assert_int_equal(chunk(&w, 1, 101, 0, 0, 0), CT_TRK | CT_INV); /* data with a wrong tag */
    assert_int_equal(chunk(&w, 0, 200, SHUTDOWN, 0, 0), CT_TRK | CT_EST);
    assert_int_equal(chunk(&w, 1, 100, SHUTDOWN_ACK, 0, 0), CT_TRK | CT_EST | CT_RPL);
    assert_int_equal(chunk(&w, 0, 200, SHUTDOWN_COMPLETE, 0, 0), CT_TRK | CT_EST);
    assert_int_equal(chunk(&w, 0, 0, INIT, 0, 300), CT_TRK | CT_NEW); /* again */
    assert_int_equal(conntrack_count(w.ct), 1);
    world_fini(&w);
}

/* ---- malformed ---- */

static void test_malformed(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    struct packet p;
    struct ct_action a = commit(0);
    make(&p, &query);
    p.data[p.size - 1] ^= 1; /* the checksum is wrong */
    assert_int_equal(run(&w, &p, &a), CT_TRK | CT_INV);
    p.csum_valid = true; /* but the device has checked it */
    assert_int_equal(run(&w, &p, &a), CT_TRK | CT_NEW);
    packet_fini(&p);
    make(&p, &query);
    p.data[14 + 8]++; /* TTL, and no new header checksum */
    assert_int_equal(run(&w, &p, &a), CT_TRK | CT_INV);
    packet_fini(&p);
    struct spec arp = query;
    make(&p, &arp);
    put_be16(p.data + 12, 0x0806);
    assert_int_equal(run(&w, &p, &a), CT_TRK | CT_INV);
    packet_fini(&p);
    world_fini(&w);
}

/* ---- time, limits, flush ---- */

static void begin(struct world *w, unsigned i, uint16_t zone, uint32_t want)
{
    struct spec s = query;
    s.sport = (uint16_t)i;
    assert_int_equal(send(w, &s, commit(zone)), want);
}

static void test_expiry(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    for (unsigned i = 1; i <= 100; i++) {
        begin(&w, i, 0, CT_TRK | CT_NEW);
        w.now_ms += 100;
    }
    w.now_ms += 49000; /* the first is 59 s old */
    conntrack_expire(w.ct, w.now_ms);
    assert_int_equal(conntrack_count(w.ct), 100);
    w.now_ms += 5500; /* those before the 5 last seconds are over */
    assert_int_equal(send(&w, &response, track(0)), CT_TRK | CT_NEW);
    conntrack_expire(w.ct, w.now_ms);
    conntrack_expire(w.ct, w.now_ms + 1000);
    assert_in_range(conntrack_count(w.ct), 35, 56);
    w.now_ms += 10000000;
    conntrack_expire(w.ct, w.now_ms);
    assert_int_equal(conntrack_count(w.ct), 0);
    /* A policy of the zone; a packet prolongs. */
    struct ct_timeouts timeouts;
    ct_timeouts_default(&timeouts);
    assert_true(ct_timeouts_set(&timeouts, "udp_first", 2));
    assert_true(ct_timeouts_set(&timeouts, "udp_multiple", 5));
    assert_false(ct_timeouts_set(&timeouts, "tcp_unack", 5));
    conntrack_set_timeouts(w.ct, 7, &timeouts);
    assert_int_equal(send(&w, &query, commit(7)), CT_TRK | CT_NEW);
    w.now_ms += 1900;
    assert_int_equal(send(&w, &response, track(7)), CT_TRK | CT_EST | CT_RPL);
    w.now_ms += 4900;
    assert_int_equal(send(&w, &response, track(7)), CT_TRK | CT_EST | CT_RPL);
    w.now_ms += 5000;
    assert_int_equal(send(&w, &response, track(7)), CT_TRK | CT_NEW);
    world_fini(&w);
}

static void test_limits(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    conntrack_set_limit(w.ct, 1, 3);
    conntrack_set_default_limit(w.ct, 5);
    for (unsigned i = 1; i <= 3; i++)
        begin(&w, i, 1, CT_TRK | CT_NEW);
    begin(&w, 4, 1, CT_TRK | CT_INV);
    begin(&w, 3, 1, CT_TRK | CT_NEW); /* it is there already */
    for (unsigned i = 1; i <= 5; i++)
        begin(&w, i, 2, CT_TRK | CT_NEW);
    begin(&w, 6, 2, CT_TRK | CT_INV);
    assert_int_equal(conntrack_limit(w.ct, 1).n, 3);
    assert_int_equal(conntrack_limit(w.ct, 2).limit, 5);
    assert_int_equal(conntrack_counters(w.ct)->n_zone_full, 2);
    struct ct_filter zone = {.has_zone = true, .zone = 1};
    assert_int_equal(conntrack_flush(w.ct, &zone), 3);
    begin(&w, 4, 1, CT_TRK | CT_NEW);
    conntrack_unset_limit(w.ct, 1);
    assert_int_equal(conntrack_limit(w.ct, 1).limit, 5);
    /* All is full: one that nobody has answered makes room, an answered one never does. */
    struct spec back = response;
    back.dport = 4;
    assert_int_equal(send(&w, &back, track(1)), CT_TRK | CT_EST | CT_RPL);
    conntrack_set_max(w.ct, conntrack_count(w.ct));
    for (unsigned i = 0; i < 5; i++)
        begin(&w, 100 + i, 3, CT_TRK | CT_NEW);
    assert_int_equal(conntrack_count(w.ct), conntrack_max(w.ct));
    assert_int_equal(send(&w, &back, track(1)), CT_TRK | CT_EST | CT_RPL);
    assert_int_equal(conntrack_counters(w.ct)->n_early_dropped, 5);
    conntrack_set_max(w.ct, 1);
    begin(&w, 200, 4, CT_TRK | CT_INV);
    assert_int_equal(conntrack_counters(w.ct)->n_full, 1);
    world_fini(&w);
}

static void test_flush_by_tuple(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    for (unsigned i = 1; i <= 4; i++)
        begin(&w, i, 0, CT_TRK | CT_NEW);
    struct ct_action marked = commit(0);
    marked.mark = swap32(0xab);
    marked.mark_mask = swap32(0xff);
    struct spec s = query;
    s.sport = 9;
    send(&w, &s, marked);
    struct ct_filter f = {.mark = 0xa0, .mark_mask = 0xf0};
    assert_int_equal(conntrack_flush(w.ct, &f), 1);
    f = (struct ct_filter){.tuple = {{.src = addr(C), .proto = IP_PROTO_UDP, .src_port = 2}}};
    assert_int_equal(conntrack_flush(w.ct, &f), 1);
    f = (struct ct_filter){.tuple = {[CT_REPLY] = {.dst_port = 3}}};
    assert_int_equal(conntrack_flush(w.ct, &f), 1);
    f = (struct ct_filter){.tuple = {{.src = addr("10.0.0.7")}}};
    assert_int_equal(conntrack_flush(w.ct, &f), 0);
    f = (struct ct_filter){.tuple = {{.icmp_id = 1}}};
    assert_int_equal(conntrack_flush(w.ct, &f), 0);
    assert_int_equal(conntrack_count(w.ct), 2);
    world_fini(&w);
}

static void test_mark_and_tuple(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    struct ct_action a = commit(3);
    a.mark = swap32(5);
    a.mark_mask = UINT32_MAX;
    put_be128(&a.label, 0x77);
    put_be128(&a.label_mask, 0xff);
    struct packet p;
    make(&p, &query);
    run(&w, &p, &a);
    packet_fini(&p);
    make(&p, &response);
    a = track(3);
    assert_int_equal(run(&w, &p, &a), CT_TRK | CT_EST | CT_RPL);
    const struct flow_ct *ct = &p.md.ct;
    assert_int_equal(swap32(ct->mark), 5);
    assert_int_equal(get_be128(&ct->label), 0x77);
    assert_int_equal(swap16(ct->zone), 3);
    assert_int_equal(ct->nw_proto, IP_PROTO_UDP);
    assert_int_equal(swap32(ct->nw_src), 0x0a000001);
    assert_int_equal(swap16(ct->tp_src), 1000);
    assert_int_equal(swap16(ct->tp_dst), 53);
    packet_fini(&p);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tcp_life),
        cmocka_unit_test(test_tcp_windows),
        cmocka_unit_test(test_tcp_scale),
        cmocka_unit_test(test_tcp_beginnings),
        cmocka_unit_test(test_udp),
        cmocka_unit_test(test_icmp),
        cmocka_unit_test(test_other_protocols),
        cmocka_unit_test(test_sctp),
        cmocka_unit_test(test_malformed),
        cmocka_unit_test(test_expiry),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_flush_by_tuple),
        cmocka_unit_test(test_mark_and_tuple),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
