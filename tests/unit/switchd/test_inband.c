/* test_inband.c - in-band control: which flows there are for what is known, when the host is asked again, and DHCP replies (seeds
 * IB-1 to IB-24). The host is a table of this test, time is virtual. */
#include "base/err.h"
#include "flow/rewrite.h"
#include "switchd/inband/inband.h"
#include "unit/switchd/world.h"

struct host { /* the kernel of this test */
    int route_err, neighbour_err;
    struct ip_addr gateway; /* version 0: on the link */
    struct mac mac;
    unsigned n_routes;
};

static int route(void *aux, const struct ip_addr *dst, struct next_hop *ret)
{
    struct host *h = aux;
    h->n_routes++;
    *ret = (struct next_hop){.ip = h->gateway.version ? h->gateway : *dst, .device = "br0"};
    return h->route_err;
}

static int neighbour(void *aux, const struct next_hop *hop, struct mac *ret)
{
    struct host *h = aux;
    if (!hop->ip.version || h->neighbour_err || mac_is_zero(h->mac))
        return h->neighbour_err ? h->neighbour_err : ERR_NOT_FOUND;
    *ret = h->mac;
    return 0;
}

struct setup {
    struct world w;
    struct host host;
    struct inband_kernel kernel;
    struct bridge *br;
    struct vport *local, *p1, *p2;
};

static struct mac mac_of(uint64_t x)
{
    return mac_from_u64(x);
}

static void begin(struct setup *s)
{
    memset(s, 0, sizeof *s);
    world_init(&s->w);
    s->kernel = (struct inband_kernel){&s->host, route, neighbour};
    s->br = bridge_new(&s->w.vs, "br0");
    s->br->secure = true;
    s->local = world_add(&s->w, s->br, "br0", "dummy", 0, NULL);
    s->p1 = world_add(&s->w, s->br, "p1", "dummy", 1, NULL);
    s->p2 = world_add(&s->w, s->br, "p2", "dummy", 2, NULL);
    assert_int_equal(s->local->ofport, PORT_LOCAL);
    s->local->dev->status.mac = mac_of(0x020000000001);
    s->host.mac = mac_of(0x0200000000aa);
    s->br->inband = inband_new(s->br, &s->kernel);
}

static void end(struct setup *s)
{
    world_fini(&s->w);
}

static void remotes(struct setup *s, const char *list)
{
    VEC(struct inband_remote) v = VEC_INIT;
    char *copy = xstrdup(list), *save = NULL;
    for (char *p = strtok_r(copy, " ", &save); p; p = strtok_r(NULL, " ", &save)) {
        struct inband_remote r = {0};
        assert_int_equal(ip_endpoint_parse(p, &r.ip, &r.port), 0);
        vec_push(&v, r);
    }
    inband_set_remotes(s->br->inband, v.data, v.n);
    vec_fini(&v);
    free(copy);
}

/* The hidden flows of table 0: how many there are of each priority, as "a1 b1 ...", letters as in the seeds. */
static char *kinds(struct setup *s)
{
    unsigned n[11] = {0};
    const struct cls_rule *cls;
    CLASSIFIER_FOR_EACH(cls, &s->br->tables.table[0].cls)
    {
        int kind = cls->priority - INBAND_BASE_PRIORITY;
        if (kind >= 0 && kind < 11)
            n[kind]++;
    }
    struct str out = STR_INIT;
    for (unsigned i = 0; i < 11; i++)
        if (n[i])
            str_putf(&out, "%s%c%u", out.n ? " " : "", 'a' + (int)i, n[i]);
    return str_steal(&out);
}

static void expect_kinds(struct setup *s, const char *want)
{
    char *got = kinds(s);
    assert_string_equal(got, want);
    free(got);
}

/* The flow of priority base + KIND, as text. */
static void expect_flow(struct setup *s, int kind, const char *want)
{
    const struct cls_rule *cls;
    CLASSIFIER_FOR_EACH(cls, &s->br->tables.table[0].cls)
    {
        if (cls->priority != INBAND_BASE_PRIORITY + kind)
            continue;
        const struct rule *rule = CONTAINER_OF(cls, struct rule, cls);
        struct match match;
        struct str out = STR_INIT;
        cls_rule_match(cls, &match);
        match_put(&out, &match, -1, NULL);
        str_put(&out, " actions=");
        of_actions_put(&out, rule->actions.data, rule->actions.n, NULL);
        assert_string_equal(str_c(&out), want);
        str_fini(&out);
        return;
    }
    fail_msg("no flow of kind %c", 'a' + kind);
}

/* Lets MS pass, with the timers in it. */
static void pass(struct setup *s, int64_t ms)
{
    int64_t until = s->w.env.now_us + ms * 1000;
    while (s->w.env.now_us < until) {
        int64_t next = loop_next_us(s->w.loop);
        s->w.env.now_us = next < 0 || next > until ? until : MAX(next, s->w.env.now_us);
        loop_run_once(s->w.loop, 0);
    }
}

static void test_rules(void **state UNUSED)
{
    struct setup s;
    begin(&s);
    expect_kinds(&s, "");
    remotes(&s, "10.0.0.9:6653");
    expect_kinds(&s, "a1 b1 c1 d1 e1 f1 g1 h1 i1 j1 k1");
    expect_flow(&s, 0,
                "udp,in_port=LOCAL,dl_src=02:00:00:00:00:01,tp_src=68,tp_dst=67 actions=NORMAL");
    expect_flow(&s, 1, "arp,dl_dst=02:00:00:00:00:01,arp_op=2 actions=NORMAL");
    expect_flow(&s, 2, "arp,dl_src=02:00:00:00:00:01,arp_op=1 actions=NORMAL");
    expect_flow(&s, 3, "arp,dl_dst=02:00:00:00:00:aa,arp_op=2 actions=NORMAL");
    expect_flow(&s, 4, "arp,dl_src=02:00:00:00:00:aa,arp_op=1 actions=NORMAL");
    expect_flow(&s, 5, "arp,arp_tpa=10.0.0.9,arp_op=2 actions=NORMAL");
    expect_flow(&s, 6, "arp,arp_spa=10.0.0.9,arp_op=1 actions=NORMAL");
    expect_flow(&s, 7, "tcp,nw_dst=10.0.0.9,tp_dst=6653 actions=NORMAL");
    expect_flow(&s, 8, "tcp,nw_src=10.0.0.9,tp_src=6653 actions=NORMAL");
    expect_flow(&s, 9, "arp,arp_tpa=10.0.0.9,arp_op=1 actions=NORMAL");
    expect_flow(&s, 10, "arp,arp_spa=10.0.0.9,arp_op=2 actions=NORMAL");
    remotes(&s, "10.0.0.9:6653 10.0.0.9:6640 10.0.0.8:6653"); /* IB-6, IB-7 */
    expect_kinds(&s, "a1 b1 c1 d1 e1 f2 g2 h3 i3 j2 k2");
    inband_set_queue(s.br->inband, 7); /* IB-18 */
    expect_flow(&s, 7, "tcp,nw_dst=10.0.0.9,tp_dst=6653 actions=set_queue:7,NORMAL");
    inband_free(s.br->inband); /* IB-16 */
    s.br->inband = NULL;
    expect_kinds(&s, "");
    end(&s);
}

/* SD-11: the same over IPv6, by neighbour discovery; beside IPv4 each has its own. */
static void test_rules6(void **state UNUSED)
{
    struct setup s;
    struct str out = STR_INIT;
    begin(&s);
    remotes(&s, "[fd00::9]:6653");
    expect_kinds(&s, "a2 b1 c1 d1 e1 f1 g1 h1 i1 j1 k1");
    expect_flow(&s, 1, "icmp6,dl_dst=02:00:00:00:00:01,icmp_type=136,icmp_code=0 actions=NORMAL");
    expect_flow(&s, 2, "icmp6,dl_src=02:00:00:00:00:01,icmp_type=135,icmp_code=0 actions=NORMAL");
    expect_flow(&s, 3, "icmp6,dl_dst=02:00:00:00:00:aa,icmp_type=136,icmp_code=0 actions=NORMAL");
    expect_flow(&s, 4, "icmp6,dl_src=02:00:00:00:00:aa,icmp_type=135,icmp_code=0 actions=NORMAL");
    expect_flow(&s, 5, "icmp6,ipv6_dst=fd00::9,icmp_type=136,icmp_code=0 actions=NORMAL");
    expect_flow(&s, 6, "icmp6,ipv6_src=fd00::9,icmp_type=135,icmp_code=0 actions=NORMAL");
    expect_flow(&s, 7, "tcp6,ipv6_dst=fd00::9,tp_dst=6653 actions=NORMAL");
    expect_flow(&s, 8, "tcp6,ipv6_src=fd00::9,tp_src=6653 actions=NORMAL");
    expect_flow(&s, 9, "icmp6,icmp_type=135,icmp_code=0,nd_target=fd00::9 actions=NORMAL");
    expect_flow(&s, 10, "icmp6,icmp_type=136,icmp_code=0,nd_target=fd00::9 actions=NORMAL");
    inband_describe(s.br->inband, &out);
    assert_non_null(strstr(str_c(&out), "remote: [fd00::9]:6653\n"));
    remotes(&s, "[fd00::9]:6653 10.0.0.9:6653");
    expect_kinds(&s, "a3 b2 c2 d2 e2 f2 g2 h2 i2 j2 k2");
    str_fini(&out);
    end(&s);
}

/* IB-5, IB-6, IB-23: what is not known makes no flow. */
static void test_unknown(void **state UNUSED)
{
    struct setup s;
    begin(&s);
    s.local->dev->status.mac = mac_of(0);
    s.host.mac = mac_of(0);
    remotes(&s, "10.0.0.9:6653");
    expect_kinds(&s, "f1 g1 h1 i1 j1 k1");
    s.host.route_err = ERR_NOT_FOUND;
    s.local->dev->status.mac = mac_of(5);
    pass(&s, 1100);
    expect_kinds(&s, "a1 b1 c1 f1 g1 h1 i1 j1 k1");
    bridge_remove_port(s.br, s.local);
    pass(&s, 1100);
    expect_kinds(&s, "f1 g1 h1 i1 j1 k1");
    end(&s);
}

/* IB-10 to IB-12, IB-14, IB-17, IB-22: when it looks, and that no change is no work. */
static void test_refresh(void **state UNUSED)
{
    struct setup s;
    begin(&s);
    s.host.mac = mac_of(0);
    remotes(&s, "10.0.0.9:6653");
    expect_kinds(&s, "a1 b1 c1 f1 g1 h1 i1 j1 k1");
    s.host.mac = mac_of(0xaa);
    pass(&s, 1000);
    expect_kinds(&s, "a1 b1 c1 d1 e1 f1 g1 h1 i1 j1 k1");
    uint64_t n = inband_refreshes(s.br->inband), generation = s.br->tables.generation;
    s.host.mac = mac_of(0xbb);
    pass(&s, 9000);
    assert_int_equal(inband_refreshes(s.br->inband), n);
    assert_int_equal(s.br->tables.generation, generation);
    pass(&s, 1000);
    assert_int_equal(inband_refreshes(s.br->inband), n + 1);
    expect_flow(&s, 3, "arp,dl_dst=00:00:00:00:00:bb,arp_op=2 actions=NORMAL");
    s.local->dev->status.mac = mac_of(0x77);
    pass(&s, 1000);
    expect_flow(&s, 1, "arp,dl_dst=00:00:00:00:00:77,arp_op=2 actions=NORMAL");
    assert_int_equal(ip_addr_parse("10.0.0.1", &s.host.gateway), 0);
    n = inband_refreshes(s.br->inband);
    remotes(&s, "10.0.0.9:6653"); /* the same again */
    assert_int_equal(inband_refreshes(s.br->inband), n);
    remotes(&s, "10.0.0.9:6653 10.0.0.7:6653");
    assert_int_equal(inband_refreshes(s.br->inband), n + 1);
    s.host.route_err = ERR_NOT_FOUND; /* an error: each second again */
    pass(&s, 10000);
    n = inband_refreshes(s.br->inband);
    pass(&s, 3000);
    assert_int_equal(inband_refreshes(s.br->inband), n + 3);
    end(&s);
}

/* IB-1, IB-3, IB-15: hidden, above everything, and not to be flushed. */
static void test_hidden(void **state UNUSED)
{
    struct setup s;
    begin(&s);
    remotes(&s, "10.0.0.9:6653");
    world_add_flow(s.br, "priority=65535,actions=drop");
    struct of_flow_stats_request all = {
        .table_id = OF_TABLE_ALL, .out_port = PORT_ANY, .out_group = OF_GROUP_ANY};
    rule_vec rules = VEC_INIT;
    match_init(&all.match);
    tables_select(&s.br->tables, &all, &rules);
    assert_int_equal(rules.n, 1);
    vec_fini(&rules);
    struct match m;
    struct packet packet;
    assert_int_equal(
        of_match_parse("tcp,dl_src=02:00:00:00:00:01,dl_dst=02:00:00:00:00:aa,nw_src=10.0.0.1,"
                       "nw_dst=10.0.0.9,tp_src=4000,tp_dst=6653",
                       NULL, &m, NULL, NULL),
        0);
    packet_init(&packet);
    packet_compose(&packet, &m.key, 64);
    dummy_receive(s.local->dev, packet.data, packet.size);
    assert_int_equal(s.w.sent.n, 2); /* flooded to both */
    packet_fini(&packet);
    assert_int_equal(world_flow(s.br, OF_FLOW_DELETE, ""), 0);
    expect_kinds(&s, "a1 b1 c1 d1 e1 f1 g1 h1 i1 j1 k1");
    end(&s);
}

/* A DHCP reply to CLIENT, N bytes of BOOTP, into p1. */
static void offer(struct setup *s, struct mac client, size_t n)
{
    uint8_t frame[400] = {0};
    memset(frame, 0xff, 6);
    frame[6] = 2;
    memcpy(frame + 12, "\x08\x00\x45", 3);
    size_t ip_len = 28 + n;
    frame[16] = (uint8_t)(ip_len >> 8);
    frame[17] = (uint8_t)ip_len;
    frame[22] = 64;
    frame[23] = 17;
    frame[26] = 10;
    memset(frame + 30, 0xff, 4);
    frame[35] = 67;
    frame[37] = 68;
    frame[38] = (uint8_t)((8 + n) >> 8);
    frame[39] = (uint8_t)(8 + n);
    if (n >= 44)
        memcpy(frame + 42 + 28, client.b, 6);
    world_forget(&s->w);
    dummy_receive(s->p1->dev, frame, 42 + n);
}

static bool reached(struct setup *s, const char *port)
{
    const struct sent *p;
    VEC_FOR_EACH (p, &s->w.sent)
        if (!strcmp(p->port, port))
            return true;
    return false;
}

/* IB-19 to IB-21. */
static void test_dhcp(void **state UNUSED)
{
    struct setup s;
    begin(&s);
    struct mac own = s.local->dev->status.mac, other = mac_of(0x020000000002);
    remotes(&s, "10.0.0.9:6653");
    world_add_flow(s.br, "priority=65535,actions=drop");
    for (int i = 0; i < 3; i++) { /* the cache does not decide it */
        offer(&s, other, 300);
        assert_false(reached(&s, "br0"));
        offer(&s, own, 300);
        assert_true(reached(&s, "br0") && s.w.sent.n == 1);
        offer(&s, own, 43); /* too short to name a client */
        assert_int_equal(s.w.sent.n, 0);
    }
    assert_int_equal(s.w.vs.cache->n_flows, 0);
    world_add_flow(s.br, "priority=65535,actions=LOCAL,2");
    offer(&s, other, 300); /* reaches it anyway: may be cached */
    assert_true(reached(&s, "br0") && reached(&s, "p2"));
    assert_int_equal(s.w.vs.cache->n_flows, 1);
    offer(&s, own, 300);
    assert_int_equal(s.w.sent.n, 2); /* once each */
    world_add_flow(s.br, "priority=65535,actions=drop");
    s.local->dev->status.mac = mac_of(0);
    offer(&s, own, 300);
    assert_int_equal(s.w.sent.n, 0);
    s.local->dev->status.mac = own;
    inband_free(s.br->inband);
    s.br->inband = NULL;
    vswitch_invalidate(&s.w.vs);
    offer(&s, own, 300);
    assert_int_equal(s.w.sent.n, 0);
    end(&s);
}

struct lines {
    unsigned no_route, no_device, no_entry, changed, no_local;
};

static void on_line(enum log_level level, const char *line, void *aux)
{
    struct lines *n = aux;
    n->no_route += level == LOG_WARN && strstr(line, "cannot find route") != NULL;
    n->no_device += level == LOG_WARN && strstr(line, "cannot open device br0") != NULL;
    n->no_local += level == LOG_ERR && strstr(line, "there is no local port") != NULL;
    n->no_entry += level == LOG_DBG && strstr(line, "no ARP entry") != NULL;
    n->changed += level == LOG_DBG && strstr(line, "changed from 02:00:00:00:00:aa to") != NULL;
}

/* IB-13: no route is told each time, a device and an entry at most 60 times a minute after 60 at once; a MAC that comes back is no
 * change. */
static void test_log(void **state UNUSED)
{
    struct setup s;
    struct lines lines = {0};
    begin(&s);
    log_set_level("in_band", LOG_DBG);
    log_set_stderr(false);
    log_set_hook(on_line, &lines);
    s.host.route_err = ERR_NOT_FOUND;
    remotes(&s, "10.0.0.9:6653");
    pass(&s, 200000);
    assert_int_equal(lines.no_route, 201);
    s.host.route_err = 0;
    s.host.neighbour_err = ERR_IO;
    pass(&s, 20000);
    assert_int_equal(lines.no_device, 20);
    s.host.neighbour_err = 0;
    s.host.mac = mac_of(0);
    pass(&s, 20000);
    assert_int_equal(lines.no_entry, 20);
    s.host.mac = mac_of(0x0200000000aa);
    pass(&s, 12000);
    s.host.mac = mac_of(0);
    pass(&s, 12000);
    s.host.mac = mac_of(0x0200000000aa);
    pass(&s, 12000);
    assert_int_equal(lines.changed, 0);
    s.host.mac = mac_of(0x0200000000bb);
    pass(&s, 12000);
    assert_int_equal(lines.changed, 1);
    bridge_remove_port(s.br, s.local); /* IB-23: said once, and the bridge works without */
    pass(&s, 5000);
    assert_int_equal(lines.no_local, 1);
    world_add_flow(s.br, "in_port=1,actions=2");
    offer(&s, s.host.mac, 300);
    assert_true(reached(&s, "p2"));
    log_set_hook(NULL, NULL);
    log_set_stderr(true);
    log_set_level("in_band", LOG_INFO);
    end(&s);
}

/* IB-24. */
static void test_describe(void **state UNUSED)
{
    struct setup s;
    begin(&s);
    struct str out = STR_INIT;
    remotes(&s, "10.0.0.9:6653");
    inband_describe(s.br->inband, &out);
    assert_string_equal(str_c(&out), "local-mac: 02:00:00:00:00:01\nremote: 10.0.0.9:6653\n"
                                     "remote-mac: 02:00:00:00:00:aa\nflows: 11\n");
    str_fini(&out);
    end(&s);
}

struct notices {
    unsigned remote, hop, request;
    char last[400];
};

static void on_notice(enum log_level level, const char *line, void *aux)
{
    struct notices *n = aux;
    bool remote = strstr(line, "drop TCP from") != NULL;
    bool hop = strstr(line, "not by this switch's next hop") != NULL;
    bool request = strstr(line, "drop the") != NULL && !remote;
    if (level != LOG_WARN || !(remote || hop || request))
        return;
    n->remote += remote;
    n->hop += hop;
    n->request += request;
    snprintf(n->last, sizeof n->last, "%s", strstr(line, "bridge br0"));
}

/* Lets a packet of MATCH into PORT, 200 ms after what was before. */
static void put(struct setup *s, struct vport *port, const char *match)
{
    struct match m;
    struct packet packet;
    assert_int_equal(of_match_parse(match, NULL, &m, NULL, NULL), 0);
    packet_init(&packet);
    packet_compose(&packet, &m.key, 0);
    pass(s, 200);
    world_forget(&s->w);
    dummy_receive(port->dev, packet.data, packet.size);
    packet_fini(&packet);
}

static void begin_notices(struct setup *s, struct notices *told)
{
    begin(s);
    memset(told, 0, sizeof *told);
    log_set_stderr(false);
    log_set_hook(on_notice, told);
    remotes(s, "10.0.0.9:6653 [fd00::9]:6653");
    world_add_flow(s->br, "priority=65535,actions=drop");
}

static void end_notices(struct setup *s)
{
    log_set_hook(NULL, NULL);
    log_set_stderr(true);
    end(s);
}

#define ARP_FROM_Y                                                                                 \
    "arp,dl_src=02:00:00:00:00:22,dl_dst=ff:ff:ff:ff:ff:ff,arp_op=1,arp_spa=10.0.0.2,arp_tpa="

static void put_tcp(struct setup *s, struct vport *port, const char *mac, const char *rest)
{
    char *match = xasprintf("tcp,dl_src=02:00:00:00:00:22,dl_dst=02:00:00:00:00:%s,nw_src=10.0.0.2,"
                            "tp_src=4000,%s",
                            mac, rest);
    put(s, port, match);
    free(match);
}

/* IB-n2: another switch's remote that this one was not told of, once a minute, also behind megaflows of other traffic. */
static void test_notice_remote(void **state UNUSED)
{
    struct setup s;
    struct notices told;
    begin_notices(&s, &told);
    for (unsigned port = 1; port < 20000; port += 7) { /* what no controller listens at */
        char *rest = xasprintf("nw_dst=10.0.0.8,tp_dst=%u", port);
        if (port != 6633 && port != 6653)
            put_tcp(&s, s.p1, "aa", rest);
        free(rest);
    }
    assert_int_equal(told.remote, 0);
    assert_true(s.w.vs.cache->n_flows < 40);
    put_tcp(&s, s.p1, "aa", "nw_dst=10.0.0.8,tp_dst=6653");
    assert_int_equal(told.remote, 1);
    assert_string_equal(told.last,
                        "bridge br0: the flow tables drop TCP from 10.0.0.2 (port p1) to "
                        "10.0.0.8:6653; if that is a switch and its controller or "
                        "manager, add the latter to the bridge's "
                        "other_config:in-band-remotes");
    put_tcp(&s, s.p1, "aa", "nw_dst=10.0.0.8,tp_dst=6640");
    put_tcp(&s, s.local, "aa", "nw_dst=10.0.0.7,tp_dst=6640"); /* this switch's own */
    assert_int_equal(told.remote, 1);
    const char *const others[] = {"nw_dst=10.0.0.9,tp_dst=6640", "nw_dst=10.0.0.6,tp_dst=6632",
                                  "nw_dst=10.0.0.5,tp_dst=6633"};
    for (unsigned i = 0; i < 3; i++) {
        put_tcp(&s, s.p2, "aa", others[i]);
        assert_int_equal(told.remote, 2 + i);
    }
    put(&s, s.p1, "tcp6,dl_dst=02:00:00:00:00:aa,ipv6_src=fd00::2,ipv6_dst=fd00::8,tp_dst=6653");
    assert_int_equal(told.remote, 5);
    assert_non_null(strstr(told.last, "from fd00::2 (port p1) to [fd00::8]:6653;"));
    pass(&s, 61000);
    vswitch_invalidate(&s.w.vs);
    put_tcp(&s, s.p1, "aa", "nw_dst=10.0.0.8,tp_dst=6653");
    assert_int_equal(told.remote, 6);
    remotes(&s, "10.0.0.9:6653 10.0.0.8:6653"); /* it does as it was told */
    pass(&s, 61000);
    put_tcp(&s, s.p1, "aa", "nw_dst=10.0.0.8,tp_dst=6653");
    assert_true(reached(&s, "p2"));
    world_add_flow(s.br, "priority=65535,actions=NORMAL"); /* or the tables let it */
    put_tcp(&s, s.p1, "aa", "nw_dst=10.0.0.4,tp_dst=6653");
    assert_true(reached(&s, "p2"));
    assert_int_equal(told.remote, 6);
    assert_int_equal(told.hop + told.request, 0);
    end_notices(&s);
}

/* IB-n3: a switch that reaches a remote by another gateway. */
static void test_notice_hop(void **state UNUSED)
{
    struct setup s;
    struct notices told;
    begin_notices(&s, &told);
    const char *remote = "nw_dst=10.0.0.9,tp_dst=6653";
    put_tcp(&s, s.p1, "aa", remote); /* as this switch does */
    put_tcp(&s, s.p1, "01", remote); /* through the local port */
    put_tcp(&s, s.local, "bb", remote);
    assert_int_equal(told.hop, 0);
    put_tcp(&s, s.p1, "bb", remote);
    assert_true(reached(&s, "p2")); /* it passes; ARP is what may not */
    assert_int_equal(told.hop, 1);
    const char *start =
        "bridge br0: 10.0.0.2 (port p1) reaches 10.0.0.9:6653 by 02:00:00:00:00:bb, not "
        "by this switch's next hop 02:00:00:00:00:aa; if that is a switch, ";
    assert_memory_equal(told.last, start, strlen(start));
    vswitch_invalidate(&s.w.vs);
    put_tcp(&s, s.p1, "bb", remote);
    assert_int_equal(told.hop, 1);
    s.host.mac =
        mac_of(0x0200000000cc); /* the next hop has another MAC: it looks before it tells */
    put_tcp(&s, s.p1, "cc", remote);
    assert_int_equal(told.hop, 1);
    put_tcp(&s, s.p1, "dd", remote);
    assert_int_equal(told.hop, 2);
    remotes(&s, "10.0.0.9:6653 10.0.0.253:6653"); /* it is told of the gateway, and sees its ARP */
    s.host.mac = mac_of(0);
    put(&s, s.p2,
        "arp,dl_src=02:00:00:00:00:ee,dl_dst=02:00:00:00:00:22,arp_op=2,arp_spa=10.0.0.253,"
        "arp_tpa=10.0.0.2");
    assert_true(reached(&s, "p1"));
    s.host.mac = mac_of(0x0200000000cc);
    put_tcp(&s, s.p1, "ee", remote);
    assert_int_equal(told.hop, 2);
    s.host.mac = mac_of(0);
    pass(&s, 11000);
    put_tcp(&s, s.p1, "ff", remote); /* nothing to compare with */
    assert_int_equal(told.hop, 2);
    assert_int_equal(told.remote + told.request, 0);
    end_notices(&s);
}

/* IB-n3, the same before it has found the gateway; and that a flood of such packets has bounds. */
static void test_notice_request(void **state UNUSED)
{
    struct setup s;
    struct notices told;
    begin_notices(&s, &told);
    put(&s, s.p1, ARP_FROM_Y "10.0.0.9"); /* hidden flows let these pass */
    put(&s, s.p1, ARP_FROM_Y "10.0.0.2"); /* an announcement */
    put(&s, s.local, ARP_FROM_Y "10.0.0.253");
    assert_int_equal(told.request, 0);
    put(&s, s.p1, ARP_FROM_Y "10.0.0.253");
    assert_int_equal(told.request, 1);
    assert_string_equal(told.last, "bridge br0: the flow tables drop the ARP request of 10.0.0.2 "
                                   "(port p1) for 10.0.0.253; if that is a switch and its gateway, "
                                   "controller or manager, add the latter to the bridge's "
                                   "other_config:in-band-remotes");
    put(&s, s.p1,
        "icmp6,dl_dst=33:33:ff:00:00:01,ipv6_src=fd00::2,ipv6_dst=ff02::1:ff00:253,icmp_type=135,"
        "icmp_code=0,nd_target=fd00::253");
    assert_int_equal(told.request, 2);
    assert_non_null(strstr(told.last, "the neighbour solicitation of fd00::2 (port p1) for "
                                      "fd00::253;"));
    pass(&s, 1000);
    unsigned routes = s.host.n_routes;
    for (
        unsigned i = 1; i < 250;
        i++) { /* to the kernel 10 questions a second, of up to two routes; lines: 20 at once, 20 a minute */
        char *text = xasprintf(ARP_FROM_Y "10.0.1.%u", i);
        struct match m;
        struct packet packet;
        assert_int_equal(of_match_parse(text, NULL, &m, NULL, NULL), 0);
        packet_init(&packet);
        packet_compose(&packet, &m.key, 0);
        dummy_receive(s.p1->dev, packet.data, packet.size);
        packet_fini(&packet);
        free(text);
    }
    assert_in_range(s.host.n_routes - routes, 10, 20);
    for (unsigned i = 1; i < 250; i++) {
        char *text = xasprintf(ARP_FROM_Y "10.0.2.%u", i);
        put(&s, s.p1, text);
        free(text);
    }
    assert_in_range(told.request, 5, 40);
    assert_int_equal(ip_addr_parse("10.0.0.1", &s.host.gateway), 0); /* not of the local network */
    unsigned n = told.request;
    pass(&s, 61000);
    put(&s, s.p1, ARP_FROM_Y "10.0.0.252");
    assert_int_equal(told.request, n);
    assert_int_equal(told.remote + told.hop, 0);
    end_notices(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_notice_remote),  cmocka_unit_test(test_notice_hop),
        cmocka_unit_test(test_notice_request), cmocka_unit_test(test_rules),
        cmocka_unit_test(test_unknown),        cmocka_unit_test(test_refresh),
        cmocka_unit_test(test_hidden),         cmocka_unit_test(test_dhcp),
        cmocka_unit_test(test_describe),       cmocka_unit_test(test_log),
        cmocka_unit_test(test_rules6),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
