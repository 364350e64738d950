/* test_helpers.c - connections that others announce: FTP and TFTP, plain and translated. */
#include "unit/conntrack/world.h"

#define C "10.0.0.1"
#define S "10.0.0.2"

/* An FTP control connection, with what each side has sent. */
struct control {
    struct world w;
    uint32_t seq[2];
    struct ct_action begin, track;
    const char *client, *server;             /* as they call themselves */
    const char *client_there, *server_there; /* as the other side sees them */
    char text[600];                          /* the payload of the last packet, as it left */
    uint32_t sent_seq, sent_ack;             /* its numbers */
    uint32_t acked[2]; /* by how much a side acknowledges more than the other has sent */
};

static uint32_t say(struct control *c, int dir, uint16_t flags, const char *text)
{
    struct spec s = {.src = dir ? c->server : c->client,
                     .dst = dir ? c->client_there : c->server_there,
                     .proto = IP_PROTO_TCP,
                     .sport = dir ? 21 : 1000,
                     .dport = dir ? 1000 : 21,
                     .flags = flags,
                     .seq = c->seq[dir],
                     .ack = flags & TCP_ACK ? c->seq[!dir] + c->acked[dir] : 0,
                     .len = (uint16_t)strlen(text)};
    struct packet p;
    make(&p, &s);
    memcpy(p.data + p.size - s.len, text, s.len);
    packet_finish_checksum(&p);
    uint32_t state = run(&c->w, &p, flags == TCP_SYN ? &c->begin : &c->track);
    assert_checksums(&p);
    const struct tcp_header *tcp = packet_l4(&p);
    size_t hlen = (get_be16(&tcp->ctl) >> 12) * 4u;
    snprintf(c->text, sizeof c->text, "%.*s", (int)(p.size - p.l4_ofs - hlen),
             (const char *)tcp + hlen);
    c->sent_seq = get_be32(&tcp->seq);
    c->sent_ack = get_be32(&tcp->ack);
    c->seq[dir] += s.len + (flags & TCP_SYN ? 1 : 0);
    packet_fini(&p);
    return state & ~(CT_SNAT | CT_DNAT);
}

static void control_init(struct control *c, struct ct_action begin)
{
    world_init(&c->w);
    c->seq[0] = 100;
    c->seq[1] = 500;
    c->begin = begin;
    c->begin.helper = CT_HELPER_FTP;
    c->begin.mark = swap32(7);
    c->begin.mark_mask = UINT32_MAX;
    c->track = undo();
}

static void handshake(struct control *c)
{
    assert_int_equal(say(c, 0, TCP_SYN, ""), CT_TRK | CT_NEW);
    assert_int_equal(say(c, 1, TCP_SYN | TCP_ACK, ""), CT_TRK | CT_EST | CT_RPL);
    assert_int_equal(say(c, 0, TCP_ACK, ""), CT_TRK | CT_EST);
}

static struct spec syn(const char *src, uint16_t sport, const char *dst, uint16_t dport)
{
    return (struct spec){.src = src,
                         .dst = dst,
                         .proto = IP_PROTO_TCP,
                         .sport = sport,
                         .dport = dport,
                         .flags = TCP_SYN,
                         .seq = 1};
}

static void test_plain(void **state)
{
    (void)state;
    static const struct {
        int dir;
        const char *text;
        uint16_t port; /* 0: nothing is announced */
    } cases[] = {
        {0, "PORT 10,0,0,1,4,1\r\n", 1025},
        {0, "port 10,0,0,1,200,200\r\n", 51400},
        {0, "EPRT |1|10.0.0.1|2000|\r\n", 2000},
        {1, "227 Entering Passive Mode (10,0,0,2,8,1).\r\n", 2049},
        {1, "229 Entering Extended Passive Mode (|||3000|)\r\n", 3000},
        {0, "PORT 10,0,0,9,4,1\r\n", 0},    /* somebody else */
        {0, "PORT 10,0,0,1,0,80\r\n", 0},   /* a port of servers */
        {0, "PORT 10,0,0,1,4\r\n", 0},      /* incomplete */
        {0, "PORT 10,0,0,1,4,1", 0},        /* no end of line */
        {0, "PORT 10,0,0,256,4,1\r\n", 0},  /* no address */
        {1, "PORT 10,0,0,2,4,1\r\n", 0},    /* not the server's to say */
        {0, "227 x (10,0,0,1,4,1)\r\n", 0}, /* nor this the client's */
        {0, "EPRT |1|10.0.0.1|99999|\r\n", 0},
        {0, "EPRT |\r\n", 0},
        {1, "229 (|||)\r\n", 0},
    };
    for (unsigned i = 0; i < ARRAY_SIZE(cases); i++) {
        struct control c = {.client = C, .server = S, .client_there = C, .server_there = S};
        control_init(&c, commit(0));
        handshake(&c);
        say(&c, cases[i].dir, TCP_ACK, cases[i].text);
        assert_string_equal(c.text, cases[i].text);
        uint16_t port = cases[i].port ? cases[i].port : 1025;
        bool active = cases[i].dir == 0;
        struct spec data = syn(active ? S : C, 20, active ? C : S, port);
        struct packet p;
        make(&p, &data);
        uint32_t want = CT_TRK | CT_NEW | (cases[i].port ? CT_REL : 0);
        struct ct_action a = commit(0);
        assert_int_equal(run(&c.w, &p, &a), want);
        if (cases[i].port) { /* the parent's mark and tuple are its own */
            assert_int_equal(swap32(p.md.ct.mark), 7);
            assert_int_equal(swap16(p.md.ct.tp_dst), 21);
            struct spec back = {.src = data.dst,
                                .dst = data.src,
                                .proto = IP_PROTO_TCP,
                                .sport = port,
                                .dport = 20,
                                .flags = TCP_SYN | TCP_ACK,
                                .seq = 9,
                                .ack = 2};
            assert_int_equal(send(&c.w, &back, track(0)), CT_TRK | CT_EST | CT_REL | CT_RPL);
        }
        packet_fini(&p);
        struct spec second = data; /* one announcement, one connection */
        second.sport = 30;
        assert_int_equal(send(&c.w, &second, track(0)), CT_TRK | CT_NEW);
        world_fini(&c.w);
    }
}

/* Sends S and checks where it goes to. */
static void expect_goes_to(struct control *c, const struct spec *s, const char *dst, uint16_t port)
{
    struct packet p;
    struct flow_key key;
    struct ct_action a = commit(0);
    a.flags |= CT_TRANSLATE;
    make(&p, s);
    assert_int_equal(run(&c->w, &p, &a), CT_TRK | CT_NEW | CT_REL | CT_DNAT);
    flow_extract(&p, &key);
    assert_checksums(&p);
    assert_int_equal(key.nw_dst, addr(dst).v4);
    assert_int_equal(swap16(key.tp_dst), port);
    packet_fini(&p);
}

static void test_translated(void **state)
{
    (void)state;
    /* The client behind source NAT, active mode. */
    struct control c = {
        .client = "192.168.1.10", .server = S, .client_there = "1.1.1.1", .server_there = S};
    control_init(&c, nat(CT_NAT_SRC, "1.1.1.1", NULL, 0, 0));
    handshake(&c);
    say(&c, 0, TCP_ACK, "PORT 192,168,1,10,4,1\r\n");
    assert_string_equal(c.text, "PORT 1,1,1,1,4,1\r\n");
    struct spec data = syn(S, 20, "1.1.1.1", 1025);
    expect_goes_to(&c, &data, "192.168.1.10", 1025);
    world_fini(&c.w);
    /* To a longer address: what follows is shifted, and what is acknowledged shifted back. */
    c = (struct control){
        .client = "10.0.0.1", .server = S, .client_there = "100.100.100.100", .server_there = S};
    control_init(&c, nat(CT_NAT_SRC, "100.100.100.100", NULL, 0, 0));
    handshake(&c);
    uint32_t before = c.seq[0];
    say(&c, 0, TCP_ACK, "PORT 10,0,0,1,4,1\r\n");
    assert_string_equal(c.text, "PORT 100,100,100,100,4,1\r\n");
    assert_int_equal(c.sent_seq, before);
    c.acked[1] = 7; /* the server has seen seven bytes more than the client has sent */
    assert_int_equal(say(&c, 1, TCP_ACK, "200 PORT command successful\r\n"),
                     CT_TRK | CT_EST | CT_RPL);
    assert_int_equal(c.sent_ack, c.seq[0]);
    before = c.seq[0];
    assert_int_equal(say(&c, 0, TCP_ACK, "LIST\r\n"), CT_TRK | CT_EST);
    assert_int_equal(c.sent_seq, before + 7);
    /* Sent again it is changed in the same way, and shifted no further. */
    c.seq[0] = before - 19;
    say(&c, 0, TCP_ACK, "PORT 10,0,0,1,4,1\r\n");
    assert_string_equal(c.text, "PORT 100,100,100,100,4,1\r\n");
    assert_int_equal(c.sent_seq, before - 19);
    /* A second one, now to a shorter text. */
    say(&c, 0, TCP_ACK, "LIST\r\n");
    before = c.seq[0];
    say(&c, 0, TCP_ACK, "EPRT |1|10.0.0.1|2000|\r\n");
    assert_string_equal(c.text, "EPRT |1|100.100.100.100|2000|\r\n");
    assert_int_equal(c.sent_seq, before + 7);
    c.acked[1] = 14;
    say(&c, 1, TCP_ACK, "200 EPRT command successful\r\n");
    assert_int_equal(c.sent_ack, c.seq[0]);
    data = syn(S, 20, "100.100.100.100", 2000);
    expect_goes_to(&c, &data, "10.0.0.1", 2000);
    world_fini(&c.w);
    /* The server behind a virtual address, passive modes. */
    c = (struct control){
        .client = C, .server = S, .client_there = C, .server_there = "100.100.100.100"};
    control_init(&c, nat(CT_NAT_DST, S, NULL, 0, 0));
    handshake(&c);
    say(&c, 1, TCP_ACK, "227 Entering Passive Mode (10,0,0,2,200,200)\r\n");
    assert_string_equal(c.text, "227 Entering Passive Mode (100,100,100,100,200,200)\r\n");
    data = syn(C, 5000, "100.100.100.100", 51400);
    expect_goes_to(&c, &data, S, 51400);
    say(&c, 1, TCP_ACK, "229 Extended (|||4000|)\r\n");
    data = syn(C, 5001, "100.100.100.100", 4000);
    expect_goes_to(&c, &data, S, 4000);
    world_fini(&c.w);
}

static void test_tftp(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    struct ct_action a = nat(CT_NAT_SRC, "1.1.1.1", NULL, 777, 777);
    a.helper = CT_HELPER_TFTP;
    struct spec request = {
        .src = C, .dst = S, .proto = IP_PROTO_UDP, .sport = 1000, .dport = 69, .len = 20};
    struct packet p;
    make(&p, &request);
    put_be16((uint8_t *)packet_l4(&p) + 8, 1);
    packet_finish_checksum(&p);
    assert_int_equal(run(&w, &p, &a), CT_TRK | CT_NEW | CT_SNAT);
    packet_fini(&p);
    struct spec data = {
        .src = S, .dst = "1.1.1.1", .proto = IP_PROTO_UDP, .sport = 4444, .dport = 777, .len = 20};
    struct ct_action accept = commit(0);
    accept.flags |= CT_TRANSLATE;
    struct flow_key key;
    make(&p, &data);
    assert_int_equal(run(&w, &p, &accept), CT_TRK | CT_NEW | CT_REL | CT_DNAT);
    flow_extract(&p, &key);
    assert_int_equal(key.nw_dst, addr(C).v4);
    assert_int_equal(swap16(key.tp_dst), 1000);
    packet_fini(&p);
    /* Announcements end by themselves, and are bounded. */
    w.now_ms += 400000;
    conntrack_expire(w.ct, w.now_ms);
    assert_int_equal(send(&w, &data, track(0)), CT_TRK | CT_NEW);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_plain),
                                       cmocka_unit_test(test_translated),
                                       cmocka_unit_test(test_tftp)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
