/* switch.c - bench of the switch without input and output: look-ups in tables of the masks of a real pipeline, the way of a packet that the
 * caches know (parse, look-up, actions) among few and many flows, and how long the second's tick stops packets. Prints JSON lines; CPU
 * time of one thread.
 *
 * usage: bench_switch FLOWS [--quick]     FLOWS: a file of flows as weft-ofctl dump-flows prints them
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/log.h"
#include "flow/rewrite.h"
#include "openflow/text.h"
#include "switchd/megaflow.h"
#include "switchd/port/dummy.h"
#include "switchd/vswitch.h"

enum { BATCH = 32 };

struct bench {
    struct env_seeded env;
    struct loop *loop;
    struct counters *counters;
    struct vswitch vs;
    struct bridge *br;
    uint64_t random;
    unsigned n_rounds;
};

static int64_t now_ns(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static uint32_t next_random(struct bench *b)
{
    b->random = b->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(b->random >> 33);
}

static void print(const char *name, const char *unit, double value)
{
    printf("{\"name\": \"%s\", \"unit\": \"%s\", \"ours\": %.1f}\n", name, unit, value);
    fflush(stdout);
}

static void bench_init(struct bench *b)
{
    env_seeded_init(&b->env, 1);
    b->loop = loop_new(&b->env.env);
    b->counters = counter_set_new();
    vswitch_init(&b->vs, b->loop, b->counters, "/nonexistent");
    b->br = bridge_new(&b->vs, "br0");
    b->br->secure = true;
    for (uint32_t i = 1; i <= 2; i++) {
        char name[8];
        struct smap none = SMAP_INIT;
        struct vport *port;
        snprintf(name, sizeof name, "p%u", i);
        struct vport_options o = {.name = name, .type = "dummy", .request = i, .options = &none};
        INVARIANT(!bridge_add_port(b->br, &o, &port, NULL));
    }
}

static void bench_fini(struct bench *b)
{
    vswitch_fini(&b->vs);
    counter_set_free(b->counters);
    loop_free(b->loop);
}

/* ---- look-ups ---- */

struct flows {
    VEC(struct of_flow_mod) mods;
    uint8_t table; /* the one of most flows */
    size_t n;      /* of it */
};

static void flows_read(const char *file, struct flows *flows)
{
    FILE *f = fopen(file, "r");
    INVARIANT(f);
    static char line[1 << 20];
    size_t n[256] = {0};
    while (fgets(line, sizeof line, f)) {
        struct diag diag = DIAG_INIT;
        struct of_flow_mod *fm = vec_push_zero(&flows->mods);
        line[strcspn(line, "\n")] = '\0';
        if (of_flow_mod_parse(line, OF_FLOW_ADD, NULL, NULL, fm, &diag)) {
            fprintf(stderr, "%s: %s\n", line, diag_text(&diag));
            exit(1);
        }
        n[fm->table_id]++;
    }
    fclose(f);
    for (unsigned i = 0; i < 256; i++) {
        if (n[i] > flows->n) {
            flows->n = n[i];
            flows->table = (uint8_t)i;
        }
    }
}

struct lookup_rule {
    struct cls_rule cls;
    struct match match;
};

/* Asks for packets that match the M rules of CLS, which are then removed. */
static void look_up(struct bench *b, struct classifier *cls, struct lookup_rule *rules, size_t m,
                    const char *name)
{
    unsigned rounds = b->n_rounds * 1000;
    size_t found = 0;
    int64_t start = now_ns();
    for (unsigned i = 0; i < rounds; i++) {
        struct flow_mask wc;
        memset(&wc, 0, sizeof wc);
        found += classifier_lookup(cls, &rules[next_random(b) % m].match.key, &wc) != NULL;
    }
    INVARIANT(found);
    print(name, "/s", rounds * 1e9 / (double)(now_ns() - start));
    for (size_t i = 0; i < m; i++)
        classifier_remove(cls, &rules[i].cls);
    classifier_fini(cls);
    free(rules);
}

/* N rules of the biggest table, or of all tables when it has fewer, taken evenly; nothing when there are not so many. */
static void lookups(struct bench *b, const struct flows *flows, size_t n)
{
    bool all = flows->n < n;
    size_t n_flows = all ? flows->mods.n : flows->n;
    if (n_flows < n)
        return;
    struct classifier cls;
    classifier_init(&cls);
    struct lookup_rule *rules = xcalloc(n, sizeof *rules);
    size_t seen = 0, m = 0;
    for (size_t i = 0; i < flows->mods.n; i++) {
        const struct of_flow_mod *fm = &flows->mods.data[i];
        if ((!all && fm->table_id != flows->table) || (seen++ * n) / n_flows < m)
            continue;
        if (m >= n || classifier_find(&cls, &fm->match, fm->priority))
            continue;
        rules[m].match = fm->match;
        rules[m].match.key.conj_id = 0;
        classifier_insert(&cls, &rules[m++].cls, &fm->match, fm->priority, NULL, 0);
    }
    char name[64];
    snprintf(name, sizeof name, n >= 1000 ? "lookup_%zuk_rules" : "lookup_%zu_rules",
             n >= 1000 ? n / 1000 : n);
    look_up(b, &cls, rules, m, name);
}

/* What a table of learned MACs has: one mask. */
static void learned_lookups(struct bench *b, size_t n)
{
    struct classifier cls;
    classifier_init(&cls);
    struct lookup_rule *rules = xcalloc(n, sizeof *rules);
    for (size_t i = 0; i < n; i++) {
        match_init(&rules[i].match);
        match_set(&rules[i].match, FIELD_VLAN_TCI, 0);
        match_set(&rules[i].match, FIELD_ETH_DST, 0x020000000000 + i);
        classifier_insert(&cls, &rules[i].cls, &rules[i].match, 100, NULL, 0);
    }
    look_up(b, &cls, rules, n, "learned_lookup_100k");
}

/* ---- hits ---- */

static void add_flow(struct bench *b, const char *text)
{
    struct of_flow_mod fm;
    struct journal journal = JOURNAL_INIT;
    INVARIANT(!of_flow_mod_parse(text, OF_FLOW_ADD, NULL, NULL, &fm, NULL));
    INVARIANT(!bridge_flow_mod(b->br, &fm, &journal));
    bridge_commit(b->br, &journal);
    of_flow_mod_fini(&fm);
}

struct traffic {
    struct packet packets[BATCH];
    struct port *port;
    uint32_t n_flows;
};

static void traffic_init(struct bench *b, struct traffic *t, uint32_t n_flows)
{
    struct flow_key key;
    memset(&key, 0, sizeof key);
    key_set(&key, FIELD_ETH_SRC, 0x020000000001);
    key_set(&key, FIELD_ETH_TYPE, ETH_TYPE_IP);
    key_set(&key, FIELD_IP_SRC, 0x0a000001);
    key_set(&key, FIELD_IP_DST, 0x0a000002);
    key_set(&key, FIELD_IP_PROTO, IP_PROTO_UDP);
    key_set(&key, FIELD_UDP_DST, 53);
    for (unsigned i = 0; i < BATCH; i++) {
        packet_init(&t->packets[i]);
        packet_compose(&t->packets[i], &key, 18);
    }
    t->port = bridge_port(b->br, 1)->dev;
    t->n_flows = n_flows;
}

static void traffic_fini(struct traffic *t)
{
    for (unsigned i = 0; i < BATCH; i++)
        packet_fini(&t->packets[i]);
}

/* Each flow is of one destination MAC address. */
static void set_flow(struct packet *packet, uint32_t flow)
{
    uint8_t mac[6] = {0x02, 1};
    put_be32(mac + 2, flow);
    memcpy(packet->data, mac, sizeof mac);
}

static void send_each(struct bench *b, struct traffic *t)
{
    for (uint32_t i = 0; i < t->n_flows; i++) {
        set_flow(&t->packets[0], i);
        vswitch_rx(&b->vs, t->port, t->packets, 1);
    }
}

static int64_t send_random(struct bench *b, struct traffic *t)
{
    for (unsigned i = 0; i < BATCH; i++)
        set_flow(&t->packets[i], next_random(b) % t->n_flows);
    int64_t start = now_ns();
    vswitch_rx(&b->vs, t->port, t->packets, BATCH);
    return now_ns() - start;
}

/* One flow a destination, and so one megaflow. */
static void hits(struct bench *b, uint32_t n_flows, const char *name)
{
    struct traffic t;
    bench_init(b);
    for (uint32_t i = 0; i < n_flows; i++) {
        char text[80];
        snprintf(text, sizeof text, "dl_dst=02:01:%02x:%02x:%02x:%02x,actions=output:2", i >> 24,
                 i >> 16 & 255, i >> 8 & 255, i & 255);
        add_flow(b, text);
    }
    traffic_init(b, &t, n_flows);
    send_each(b, &t);
    int64_t spent = 0;
    for (unsigned i = 0; i < 20000; i++)
        send_random(b, &t);
    for (unsigned i = 0; i < b->n_rounds * 50; i++)
        spent += send_random(b, &t);
    print(name, "ns", (double)spent / (b->n_rounds * 50.0 * BATCH));
    if (n_flows == 100000) {
        int64_t start = now_ns();
        vswitch_tick(&b->vs);
        print("tick_100k_megaflows", "ms", (double)(now_ns() - start) / 1e6);
    }
    traffic_fini(&t);
    bench_fini(b);
}

/* The way of a packet between two switches with a firewall and a router with a balancer between them: three times through the tracker, once translated. */
static void tracked(struct bench *b, uint32_t n_flows, const char *name)
{
    static const char *const flows[] = {
        "priority=1,ip,actions=ct(table=1,zone=1)",
        "table=1,priority=2,ct_state=+new+trk,ip,actions=ct(commit,zone=1),resubmit(,2)",
        "table=1,priority=2,ct_state=+est+trk,ip,actions=resubmit(,2)",
        "table=2,ip,actions=mod_dl_src:02:00:00:00:00:11,mod_dl_dst:02:00:00:00:00:12,dec_ttl,"
        "ct(table=3,zone=2,nat)",
        "table=3,priority=2,ct_state=+new+trk,ip,actions=ct(commit,zone=2,nat(dst=10.1.0.9)),"
        "ct(table=4,zone=3)",
        "table=3,priority=2,ct_state=+est+trk,ip,actions=ct(table=4,zone=3)",
        "table=4,priority=2,ct_state=+new+trk,ip,actions=ct(commit,zone=3),output:2",
        "table=4,priority=2,ct_state=+est+trk,ip,actions=output:2"};
    struct traffic t;
    int64_t spent = 0;
    bench_init(b);
    for (size_t i = 0; i < ARRAY_SIZE(flows); i++)
        add_flow(b, flows[i]);
    traffic_init(b, &t, n_flows);
    for (unsigned i = 0; i < b->n_rounds * 60; i++) {
        /* Each is translated anew, so each packet is written again. */
        traffic_fini(&t);
        traffic_init(b, &t, n_flows);
        for (unsigned k = 0; k < BATCH; k++) {
            struct flow_key key;
            flow_extract(&t.packets[k], &key);
            packet_set_field(&t.packets[k], FIELD_UDP_SRC, next_random(b) % n_flows + 1);
        }
        int64_t start = now_ns();
        vswitch_rx(&b->vs, t.port, t.packets, BATCH);
        if (i >= b->n_rounds * 10)
            spent += now_ns() - start;
    }
    print(name, "ns", (double)spent / (b->n_rounds * 50.0 * BATCH));
    traffic_fini(&t);
    bench_fini(b);
}

/* ---- misses ---- */

/* As tests/bench/switches.py has it: 40 tables in a row, three masks that do not match in each. */
static void add_pipeline(struct bench *b)
{
    char text[120];
    add_flow(b, "table=0,priority=1,actions=load:1->OXM_OF_METADATA[],resubmit(,1)");
    for (unsigned k = 0; k < 100; k++) {
        snprintf(text, sizeof text, "table=0,priority=100,dl_src=06:00:00:00:00:%02x,actions=drop",
                 k);
        add_flow(b, text);
    }
    for (unsigned t = 1; t < 40; t++) {
        for (unsigned k = 0; k < 60; k++) {
            static const char *const forms[] = {
                "table=%u,priority=100,ip,metadata=1,nw_dst=172.16.%u.0/24,actions=drop",
                "table=%u,priority=90,tcp,metadata=1,tp_dst=%u,actions=drop",
                "table=%u,priority=80,metadata=1,reg0=10%u,actions=drop"};
            snprintf(text, sizeof text, forms[k % 3], t, k);
            add_flow(b, text);
        }
        snprintf(text, sizeof text,
                 t < 39 ? "table=%u,priority=1,metadata=1,actions=load:%u->NXM_NX_REG%u[],"
                          "resubmit(,%u)"
                        : "table=%u,priority=1,metadata=1,actions=output:2",
                 t, t, t % 8, t + 1);
        add_flow(b, text);
    }
}

static void misses(struct bench *b)
{
    struct traffic t;
    bench_init(b);
    add_pipeline(b);
    traffic_init(b, &t, 1);
    unsigned n = b->n_rounds * 10;
    uint8_t mac[6] = {2, 7};
    int64_t start = now_ns();
    for (unsigned i = 0; i < n; i++) {
        put_be32(mac + 2, i);
        memcpy(t.packets[0].data + 6, mac, sizeof mac);
        vswitch_rx(&b->vs, t.port, t.packets, 1);
    }
    print("miss_40_tables", "ns", (double)(now_ns() - start) / n);
    INVARIANT(b->vs.n_xlate == n);
    traffic_fini(&t);
    bench_fini(b);
}

/* What packets cost that the caches know, of 1,000 flows through the pipeline, while each millisecond a flow changes in a table and
 * datapath that all of them go through; in per cent of the same without, the changes included. */
static void edits(struct bench *b)
{
    struct traffic t;
    bench_init(b);
    add_pipeline(b);
    traffic_init(b, &t, 1000);
    int64_t spent[2] = {0, 0};
    unsigned n_edits = 0;
    for (unsigned round = 0; round < 10; round++) {
        int64_t start = now_ns(), last = start;
        for (unsigned i = 0; i < b->n_rounds * 20; i++) {
            for (unsigned k = 0; k < BATCH; k++)
                t.packets[k].data[10] = (uint8_t)(next_random(b) % 250),
                t.packets[k].data[11] = (uint8_t)(next_random(b) % 4);
            vswitch_rx(&b->vs, t.port, t.packets, BATCH);
            bool due = now_ns() - last >= 1000000; /* asked in both, since it costs */
            if (due && round % 2) {
                char text[100];
                snprintf(
                    text, sizeof text,
                    "table=20,priority=90,tcp,metadata=1,tp_dst=5,actions=load:%u->NXM_NX_REG0[]",
                    n_edits++);
                add_flow(b, text);
                last += 1000000;
            }
        }
        if (round >= 2)
            spent[round % 2] += now_ns() - start;
    }
    INVARIANT(n_edits && b->vs.cache->n_flows >= 900);
    print("slowdown_by_edits_cached", "%", 100.0 * (double)spent[1] / (double)spent[0] - 100);
    traffic_fini(&t);
    bench_fini(b);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: bench_switch FLOWS [--quick]\n");
        return 2;
    }
    struct bench b = {.random = 1};
    b.n_rounds = argc > 2 && !strcmp(argv[2], "--quick") ? 200 : 1000;
    log_set_level(NULL, LOG_ERR);
    struct flows flows = {VEC_INIT, 0, 0};
    flows_read(argv[1], &flows);
    lookups(&b, &flows, 100);
    lookups(&b, &flows, 1000);
    lookups(&b, &flows, 10000);
    learned_lookups(&b, 100000);
    misses(&b);
    edits(&b);
    tracked(&b, 1, "hit_tracked_1_flow");
    tracked(&b, 1000, "hit_tracked_1k_flows");
    hits(&b, 1, "hit_1_flow");
    hits(&b, 1000, "hit_1k_flows");
    hits(&b, 100000, "hit_100k_flows");
    for (size_t i = 0; i < flows.mods.n; i++)
        of_flow_mod_fini(&flows.mods.data[i]);
    vec_fini(&flows.mods);
    return 0;
}
