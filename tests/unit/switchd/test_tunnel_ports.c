/* test_tunnel_ports.c - what the options of tunnels mean, which are refused and how, and which of several ports a packet belongs to. */
#include "net/headers.h"
#include "switchd/port/tunnel.h"
#include "unit/switchd/world.h"

/* "KEY=VALUE KEY=VALUE ..." */
static void set_all(struct smap *map, const char *text)
{
    char *copy = xstrdup(text), *save = NULL;
    for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
        char *value = strchr(word, '=');
        *value++ = '\0';
        smap_set(map, word, value);
    }
    free(copy);
}

static void assert_option(const char *text, const char *want)
{
    struct smap map = SMAP_INIT;
    struct tunnel_options o;
    struct diag diag = DIAG_INIT;
    struct str got = STR_INIT;
    smap_set(&map, "remote_ip", "10.0.0.9");
    set_all(&map, text);
    if (tunnel_options_parse(&map, 6081, &o, &diag))
        str_put(&got, diag_text(&diag));
    else
        str_putf(&got, "in=%s%u out=%s%u port=%u csum=%d,%d df=%d tos=%s%u ttl=%s%u",
                 o.in_any ? "any" : "", o.in_key, o.out_flow ? "flow" : "", o.out_key, o.udp_port,
                 o.csum, o.csum6, o.df, o.tos_inherit ? "inherit" : "", o.tos,
                 o.ttl_inherit ? "inherit" : "", o.ttl);
    if (!strstr(str_c(&got), want))
        fail_msg("%s: \"%s\", and not \"%s\"", text, str_c(&got), want);
    str_fini(&got);
    diag_fini(&diag);
    smap_fini(&map);
}

static void test_options(void **state)
{
    (void)state;
#define KEYS "flow, or 0 to 16777215)"
#define TOS "inherit, or 0 to 252 without the lowest two bits)"
    static const char *const each[][2] = {
        {"key=7", "in=7 out=7 port=6081 csum=0,1 df=1 tos=0 ttl=64"},
        {"key=0", "in=0 out=0"},
        {"key=16777215", "in=16777215 out=16777215"},
        {"key=0x10", "in=16 out=16"},
        {"key=flow", "in=any0 out=flow0"},
        {"in_key=5", "in=5 out=0"},
        {"out_key=5", "in=0 out=5"},
        {"key=4 out_key=5", "in=4 out=5"},
        {"in_key=flow out_key=5", "in=any0 out=5"},
        {"in_key=4 out_key=flow", "in=4 out=flow0"},
        {"key=abc", "bad value for option key: abc (wanted: " KEYS},
        {"key=16777216", "bad value for option key: 16777216 (wanted: " KEYS},
        {"in_key=-1", "bad value for option in_key: -1 (wanted: " KEYS},
        {"out_key=", "bad value for option out_key:  (wanted: " KEYS},
        {"dst_port=1", "port=1 "},
        {"dst_port=65535", "port=65535 "},
        {"dst_port=0", "bad value for option dst_port: 0 (wanted: 1 to 65535)"},
        {"dst_port=65536", "bad value for option dst_port: 65536 (wanted: 1 to 65535)"},
        {"dst_port=http", "bad value for option dst_port: http (wanted: 1 to 65535)"},
        {"csum=true", "csum=1,1"},
        {"csum=false", "csum=0,0"},
        {"csum=TRUE", "csum=1,1"},
        {"csum=1", "bad value for option csum: 1 (wanted: true or false)"},
        {"csum=", "bad value for option csum:  (wanted: true or false)"},
        {"df_default=true", "df=1"},
        {"df_default=false", "df=0"},
        {"df_default=no", "bad value for option df_default: no (wanted: true or false)"},
        {"tos=0x20", "tos=32"},
        {"tos=252", "tos=252"},
        {"tos=inherit", "tos=inherit0"},
        {"tos=256", "bad value for option tos: 256 (wanted: " TOS},
        {"tos=3", "bad value for option tos: 3 (wanted: " TOS},
        {"tos=low", "bad value for option tos: low (wanted: " TOS},
        {"ttl=1", "ttl=1"},
        {"ttl=255", "ttl=255"},
        {"ttl=0", "ttl=64"}, /* what the system has */
        {"ttl=inherit", "ttl=inherit64"},
        {"ttl=256", "bad value for option ttl: 256 (wanted: inherit, or 0 to 255)"},
        {"ttl=-1", "bad value for option ttl: -1 (wanted: inherit, or 0 to 255)"},
        {"local_ip=10.0.0.1", "in=0"},
        {"local_ip=10.0.0",
         "bad value for option local_ip: 10.0.0 (wanted: an IP address or flow)"},
        {"local_ip=flow", "option local_ip=flow requires remote_ip=flow"},
        {"local_ip=::1", "options remote_ip and local_ip must be of one IP version"},
        {"remote_ip=flow local_ip=flow", "in=0"},
        {"remote_ip=fd00::1 local_ip=fd00::2", "in=0"},
        {"remote_ip=host", "bad value for option remote_ip: host (wanted: an IP address or flow)"},
        {"remote_ip=224.0.0.1",
         "bad value for option remote_ip: 224.0.0.1 (wanted: the address of one host)"},
        {"remote_ip=ff02::1", "remote_ip: ff02::1 (wanted: the address of one host)"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(each); i++)
        assert_option(each[i][0], each[i][1]);
    struct smap map = SMAP_INIT;
    set_all(&map, "remote_ip=flow key=flow csum=true tos=0 ttl=1 df_default=true dst_port=1");
    assert_null(tunnel_options_unknown(&map));
    smap_set(&map, "exts", "gbp");
    assert_string_equal(tunnel_options_unknown(&map), "exts");
    smap_fini(&map);
}

static void not_sent(struct tunnel_wire *wire, const struct ip_addr *src, const struct ip_addr *dst,
                     uint16_t udp_port, const void *data, size_t n)
{
    (void)wire, (void)src, (void)dst, (void)udp_port, (void)data, (void)n;
}

static const struct {
    const char *name, *options;
} ports[] = {
    {"anybody", "remote_ip=flow key=flow"},
    {"near", "remote_ip=10.0.0.9 key=flow"},
    {"here", "remote_ip=10.0.0.9 local_ip=10.0.0.1 key=flow"},
    {"five", "remote_ip=flow key=5"},
    {"nine5", "remote_ip=10.0.0.9 key=5"},
    {"six", "remote_ip=fd00::9 key=5"},
};

/* The port that takes a packet with KEY; NULL: none. */
static const char *taker(struct world *w, struct vport *const *each, const char *from,
                         const char *to, uint32_t key)
{
    struct ip_addr src, dst;
    uint8_t data[8 + 60] = {0, 0, 0x65, 0x58, 0, 0, (uint8_t)key};
    uint64_t before[ARRAY_SIZE(ports)];
    const char *found = NULL;
    data[8 + 12] = 0x88;
    data[8 + 13] = 0xb5;
    assert_int_equal(ip_addr_parse(from, &src), 0);
    assert_int_equal(ip_addr_parse(to, &dst), 0);
    for (size_t i = 0; i < ARRAY_SIZE(ports); i++)
        before[i] = each[i] ? each[i]->dev->stats.rx_packets : 0;
    tunnel_receive(&w->vs.host, 46081, &src, &dst, data, sizeof data);
    for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
        if (!each[i] || each[i]->dev->stats.rx_packets == before[i])
            continue;
        assert_null(found);
        found = each[i]->name;
    }
    return found;
}

static void test_whose(void **state)
{
    (void)state;
    struct world w;
    struct tunnel_wire wire = {.send = not_sent};
    struct vport *each[ARRAY_SIZE(ports)];
    world_init(&w);
    w.vs.host.wire = &wire;
    struct bridge *br = bridge_new(&w.vs, "br0");
    for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
        struct smap map = SMAP_INIT;
        set_all(&map, ports[i].options);
        smap_set(&map, "dst_port", "46081");
        struct vport_options o = {
            .name = ports[i].name, .type = "geneve", .request = (uint32_t)i + 1, .options = &map};
        assert_int_equal(bridge_add_port(br, &o, &each[i], NULL), 0);
        smap_fini(&map);
    }
    static const struct {
        const char *from, *to;
        uint32_t key;
        const char *taker;
    } cases[] = {
        {"10.0.0.8", "10.0.0.1", 4, "anybody"}, {"10.0.0.9", "10.0.0.2", 4, "near"},
        {"10.0.0.9", "10.0.0.1", 4, "here"},    {"10.0.0.8", "10.0.0.1", 5, "five"},
        {"10.0.0.9", "10.0.0.1", 5, "nine5"},   {"fd00::9", "fd00::1", 5, "six"},
        {"fd00::9", "fd00::1", 4, "anybody"},   {"fd00::8", "fd00::1", 5, "five"},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_string_equal(taker(&w, each, cases[i].from, cases[i].to, cases[i].key),
                            cases[i].taker);
    /* One that changes is found by what it is now, and one that goes leaves its packets to others. */
    struct smap map = SMAP_INIT;
    set_all(&map, "remote_ip=10.0.0.7 key=5 dst_port=46081");
    assert_int_equal(vport_configure(each[4], &map, NULL), 0);
    smap_fini(&map);
    assert_string_equal(taker(&w, each, "10.0.0.9", "10.0.0.1", 5), "five");
    assert_string_equal(taker(&w, each, "10.0.0.7", "10.0.0.1", 5), "nine5");
    bridge_remove_port(br, each[0]);
    each[0] = NULL;
    assert_null(taker(&w, each, "10.0.0.8", "10.0.0.1", 4));
    world_fini(&w);
}

/* What cannot be is refused, and what was stays. */
static void test_refused(void **state)
{
    (void)state;
    struct world w;
    struct tunnel_wire wire = {.send = not_sent};
    world_init(&w);
    w.vs.host.wire = &wire;
    struct bridge *br = bridge_new(&w.vs, "br0");
    struct smap map = SMAP_INIT;
    set_all(&map, "remote_ip=10.0.0.9 key=5 tos=0x20");
    struct vport_options o = {.name = "g", .type = "geneve", .request = 1, .options = &map};
    struct vport *port;
    assert_int_equal(bridge_add_port(br, &o, &port, NULL), 0);
    struct diag diag = DIAG_INIT;
    smap_set(&map, "key", "x");
    smap_set(&map, "ttl", "7");
    assert_int_not_equal(vport_configure(port, &map, &diag), 0);
    assert_non_null(strstr(diag_text(&diag), "bad value for option key: x"));
    assert_int_equal(port->tunnel.out_key, 5);
    assert_int_equal(port->tunnel.ttl, 64);
    smap_set(&map, "key", "6");
    assert_int_equal(vport_configure(port, &map, &diag), 0);
    assert_int_equal(port->tunnel.out_key, 6);
    assert_int_equal(port->tunnel.ttl, 7);
    diag_fini(&diag);
    smap_fini(&map);
    world_fini(&w);
}

int main(void)
{
    log_set_level(NULL, LOG_ERR);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_options),
        cmocka_unit_test(test_whose),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
