/* test_export.c - sample actions and IPFIX: what arrives at a real UDP socket, decoded by the templates that came with it (RFC 7011). */
#include "unit/switchd/world.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include "flow/rewrite.h"
#include "net/bytes.h"

enum { VMWARE = 6876, TCP_HEADER = 20 };

struct element {
    uint32_t id; /* with the enterprise above 16 bits */
    uint16_t bytes;
};
struct template
{
    uint32_t domain;
    uint16_t number;
    VEC(struct element) elements;
};
struct value {
    uint32_t id;
    u128 number;
};

struct collector_end {
    int fd;
    char target[32];
    VEC(struct template) templates;
    /* the last message */
    uint32_t domain, sequence, export_s;
    unsigned n_templates, n_records;
    VEC(struct value) values; /* of its last record */
};

static void end_init(struct collector_end *e)
{
    memset(e, 0, sizeof *e);
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof addr;
    e->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(e->fd, (struct sockaddr *)&addr, sizeof addr), 0);
    assert_int_equal(getsockname(e->fd, (struct sockaddr *)&addr, &n), 0);
    snprintf(e->target, sizeof e->target, "127.0.0.1:%u", ntohs(addr.sin_port));
}

static void end_fini(struct collector_end *e)
{
    struct template *t;
    VEC_FOR_EACH (t, &e->templates)
        vec_fini(&t->elements);
    vec_fini(&e->templates);
    vec_fini(&e->values);
    close(e->fd);
}

static void learn_template(struct collector_end *e, const uint8_t *p, const uint8_t *end)
{
    struct template *t = vec_push_zero(&e->templates);
    t->domain = e->domain;
    t->number = get_be16(p);
    unsigned n = get_be16(p + 2);
    for (p += 4; n--;) {
        uint32_t id = get_be16(p);
        struct element el = {id & 0x7fff, get_be16(p + 2)};
        p += 4;
        if (id & 0x8000) {
            el.id |= get_be32(p) << 16;
            p += 4;
        }
        vec_push(&t->elements, el);
    }
    assert_ptr_equal(p, end);
    e->n_templates++;
}

static void read_record(struct collector_end *e, uint16_t number, const uint8_t *p,
                        const uint8_t *end)
{
    const struct template *found = NULL, *t;
    VEC_FOR_EACH (t, &e->templates) {
        if (t->domain == e->domain && t->number == number)
            found = t;
    }
    assert_non_null(found);
    vec_clear(&e->values);
    for (size_t i = 0; i < found->elements.n; i++) {
        struct value v = {found->elements.data[i].id, 0};
        unsigned n = found->elements.data[i].bytes;
        if (n == 0xffff)
            n = *p++;
        while (n--)
            v.number = v.number << 8 | *p++;
        vec_push(&e->values, v);
    }
    assert_ptr_equal(p, end);
    e->n_records++;
}

/* Reads the next datagram; false: none. */
static bool receive(struct collector_end *e)
{
    uint8_t b[65536];
    ssize_t n = recv(e->fd, b, sizeof b, 0);
    if (n < 0)
        return false;
    assert_true(n >= 16 && get_be16(b) == 10 && get_be16(b + 2) == n);
    e->export_s = get_be32(b + 4);
    e->sequence = get_be32(b + 8);
    e->domain = get_be32(b + 12);
    e->n_templates = e->n_records = 0;
    for (const uint8_t *p = b + 16; p < b + n;) {
        uint16_t set = get_be16(p), len = get_be16(p + 2);
        assert_true(len >= 4 && p + len <= b + n);
        if (set == 2)
            learn_template(e, p + 4, p + len);
        else
            read_record(e, set, p + 4, p + len);
        p += len;
    }
    return true;
}

/* The value of element ID of the last record; ~0: it has none. */
static uint64_t value(const struct collector_end *e, uint32_t id)
{
    for (size_t i = 0; i < e->values.n; i++) {
        if (e->values.data[i].id == id)
            return (uint64_t)e->values.data[i].number;
    }
    return UINT64_MAX;
}

struct test {
    struct world w;
    struct bridge *br;
    struct vport *ports[2];
    struct ipfix *ipfix;
    struct collector_end end;
};

static void setup(struct test *t, const struct ipfix_config *config)
{
    world_init(&t->w);
    end_init(&t->end);
    t->br = bridge_new(&t->w.vs, "br0");
    t->br->secure = true;
    t->ports[0] = world_add(&t->w, t->br, "p1", "dummy", 1, NULL);
    t->ports[1] = world_add(&t->w, t->br, "p2", "dummy", 2, NULL);
    t->ports[0]->dev->status.ifindex = 41;
    t->ports[1]->dev->status.ifindex = 42;
    t->ipfix = &exports_add(&t->br->exports, 9, t->w.vs.env)->ipfix;
    ipfix_configure(t->ipfix, config);
    const char *targets[] = {t->end.target, "nonsense", "[::1", "10.0.0.1:99999"};
    collectors_set(&t->ipfix->collectors, targets, ARRAY_SIZE(targets), IPFIX_PORT);
}

static void teardown(struct test *t)
{
    end_fini(&t->end);
    world_fini(&t->w);
}

static void send_text(struct test *t, unsigned port, const char *flow)
{
    struct match match;
    struct diag diag = DIAG_INIT;
    if (of_match_parse(flow, NULL, &match, NULL, &diag))
        fail_msg("%s: %s", flow, diag_text(&diag));
    struct packet packet;
    packet_init(&packet);
    packet_compose(&packet, &match.key, 0);
    dummy_receive(t->ports[port]->dev, packet.data, packet.size);
    packet_fini(&packet);
}

#define TCP                                                                                        \
    "tcp,eth_src=02:00:00:00:00:01,eth_dst=02:00:00:00:00:02,nw_src=10.0.0.1,nw_dst=10.0.0.2,"

static void test_records(void **state)
{
    (void)state;
    struct test t;
    struct ipfix_config config = {.virtual_obs_id = "vif 7"};
    setup(&t, &config);
    world_add_flow(
        t.br,
        "in_port=1,tcp,actions=mod_nw_dst:10.9.9.9,sample(probability=65535,collector_set_id=9,"
        "obs_domain_id=2,obs_point_id=3),output:2");
    world_add_flow(
        t.br,
        "in_port=1,icmp6,actions=set_field:77->reg3,sample(probability=65535,collector_set_id=9,"
        "obs_domain_id=NXM_NX_REG3[],obs_point_id=8,sampling_port=2,egress),output:2");
    world_add_flow(t.br, "in_port=1,arp,actions=sample(probability=65535,collector_set_id=8,obs_"
                         "domain_id=1,obs_point_id=1),output:2");
    send_text(&t, 0, TCP "tp_src=7,tp_dst=80,nw_tos=0xb8,nw_ttl=9,vlan_tci=0x700a");
    assert_true(receive(&t.end));
    assert_int_equal(t.end.domain, 2);
    assert_int_equal(t.end.n_templates, 1);
    assert_int_equal(t.end.n_records, 1);
    assert_int_equal(t.end.sequence, 0);
    static const struct {
        uint32_t id;
        uint64_t value;
    } wanted[] = {
        {138, 3},
        {61, 0},
        {56, 0x020000000001},
        {80, 0x020000000002},
        {256, 0x800},
        {240, 18},
        {10, 41},
        {14, UINT64_MAX},
        {58, 10},
        {243, 10},
        {244, 3},
        {60, 4},
        {192, 9},
        {4, 6},
        {195, 46},
        {196, 5},
        {5, 0xb8},
        {8, 0x0a000001},
        {12, 0x0a090909},
        {7, 7},
        {11, 80},
        {2, 1},
        {176, UINT64_MAX},
        {136, 2},
        {VMWARE << 16 | 898, 0x7669662037},
    };
    for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
        assert_int_equal(value(&t.end, wanted[i].id), wanted[i].value);
    assert_true(value(&t.end, 352) >= 18 + value(&t.end, 1));
    assert_true(value(&t.end, 1) >= 40);
    assert_false(receive(&t.end));
    send_text(&t, 0,
              TCP "tp_src=8,tp_dst=80,vlan_tci=0x700a"); /* the same megaflow, the same template */
    assert_true(receive(&t.end));
    assert_int_equal(t.end.n_templates, 0);
    assert_int_equal(t.end.sequence, 1);
    assert_int_equal(value(&t.end, 7), 8);
    send_text(&t, 0, "icmp6,ipv6_src=fe80::1,ipv6_dst=fe80::2,icmp_type=128,icmp_code=0");
    assert_true(receive(&t.end));
    assert_int_equal(t.end.domain, 77);
    assert_int_equal(t.end.sequence, 0);
    assert_int_equal(value(&t.end, 14), 42);
    assert_int_equal(value(&t.end, 61), 1);
    assert_int_equal(value(&t.end, 27), 1);
    assert_int_equal(value(&t.end, 178), 128);
    send_text(&t, 0, "arp,arp_op=1"); /* to a set that is not there: it goes its way all the same */
    assert_false(receive(&t.end));
    assert_int_equal(t.w.sent.n, 4);
    assert_int_equal(t.ipfix->collectors.n_sent, 3);
    assert_int_equal(t.ipfix->collectors.n_errors, 9); /* the targets that are none */
    teardown(&t);
}

static void pass(struct test *t, int64_t seconds)
{
    t->w.env.now_us += seconds * 1000000;
    exports_tick(&t->br->exports);
}

static void test_cache(void **state)
{
    (void)state;
    struct test t;
    struct ipfix_config config = {.cache_timeout_s = 10, .cache_max = 2};
    setup(&t, &config);
    world_add_flow(t.br, "in_port=1,actions=sample(probability=65535,collector_set_id=9,obs_domain_"
                         "id=1,obs_point_id=1)");
    for (unsigned i = 0; i < 5; i++) {
        send_text(&t, 0, TCP "tp_src=1,tp_dst=2");
        pass(&t, 1);
    }
    assert_false(receive(&t.end));
    pass(&t, 5);
    assert_true(receive(&t.end));
    assert_int_equal(value(&t.end, 2), 5);
    assert_int_equal(value(&t.end, 136), 2);
    assert_int_equal(value(&t.end, 158) - value(&t.end, 159), 4000000);
    assert_false(receive(&t.end));
    send_text(&t, 0, TCP "tp_src=1,tp_dst=2");
    send_text(&t, 0, TCP "tp_src=2,tp_dst=2");
    send_text(&t, 0, TCP "tp_src=2,tp_dst=2");
    send_text(&t, 0, TCP "tp_src=3,tp_dst=2"); /* no room: the oldest goes */
    assert_true(receive(&t.end));
    assert_int_equal(value(&t.end, 7), 1);
    assert_int_equal(value(&t.end, 136), 5);
    assert_false(receive(&t.end));
    config.cache_max = 0;
    ipfix_configure(t.ipfix, &config); /* what is kept goes */
    assert_true(receive(&t.end));
    assert_int_equal(value(&t.end, 2), 2);
    assert_int_equal(value(&t.end, 136), 4);
    assert_true(receive(&t.end));
    assert_int_equal(t.end.sequence, 3);
    pass(&t, 700);
    send_text(&t, 0, TCP "tp_src=1,tp_dst=2");
    assert_true(receive(&t.end));
    assert_int_equal(t.end.n_templates, 1); /* told again */
    teardown(&t);
}

static void test_probability(void **state)
{
    (void)state;
    struct test t;
    struct ipfix_config config = {0};
    setup(&t, &config);
    collectors_set(&t.ipfix->collectors, NULL, 0, IPFIX_PORT);
    world_add_flow(
        t.br,
        "actions=sample(probability=16384,collector_set_id=9,obs_domain_id=1,obs_point_id=1)");
    for (unsigned i = 0; i < 8000; i++)
        send_text(&t, 0, "arp,arp_op=1");
    assert_in_range(t.ipfix->n_samples, 1800, 2200);
    teardown(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_records),
        cmocka_unit_test(test_cache),
        cmocka_unit_test(test_probability),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
