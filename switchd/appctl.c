/* appctl.c - control commands of weft-switchd, under the names that ovs-vswitchd has for them.
 * ofproto/trace is in trace.c, the datapath's flows in dpflow_appctl.c, the MAC table in fdb_appctl.c. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow/rewrite.h"
#include "openflow/text.h"
#include "switchd/inband/inband.h"
#include "switchd/megaflow.h"
#include "switchd/odp_flow.h"
#include "switchd/ofserver.h"
#include "switchd/port/dummy.h"
#include "switchd/switchd.h"

static void reply(struct unixctl_conn *conn, struct str *out)
{
    unixctl_reply(conn, str_c(out));
    str_fini(out);
}

static struct bridge *find_bridge(struct unixctl_conn *conn, struct vswitch *vs, const char *name)
{
    struct bridge *br = vswitch_bridge(vs, name);
    if (!br)
        unixctl_error(conn, "no such bridge");
    return br;
}

static void ofproto_list(struct unixctl_conn *conn, int argc, const char *argv[], void *vs_)
{
    (void)argc, (void)argv;
    struct vswitch *vs = vs_;
    struct str out = STR_INIT;
    struct bridge *br;
    LIST_FOR_EACH (br, node, &vs->bridges)
        str_putf(&out, "%s\n", br->name);
    reply(conn, &out);
}

static void put_rule(struct str *out, const struct bridge *br, const struct rule *rule,
                     int64_t now_ms)
{
    struct bridge_port_names names;
    bridge_names(br, &names);
    struct match match;
    cls_rule_match(&rule->cls, &match);
    if (rule->table_id)
        str_putf(out, "table_id=%u, ", rule->table_id);
    str_putf(out, "duration=%" PRId64 "s, n_packets=%" PRIu64 ", n_bytes=%" PRIu64 ", ",
             (now_ms - rule->created_ms) / 1000, rule->n_packets, rule->n_bytes);
    if (rule->cls.priority != OF_PRIORITY_DEFAULT)
        str_putf(out, "priority=%d,", rule->cls.priority);
    size_t before = out->n;
    match_put(out, &match, -1, &names.names);
    str_put(out, out->n > before ? ",actions=" : "actions=");
    of_actions_put(out, rule->actions.data, rule->actions.n, &names.names);
    str_putc(out, '\n');
}

/* All flows, the hidden ones too. */
static void bridge_dump_flows(struct unixctl_conn *conn, int argc, const char *argv[], void *vs_)
{
    struct vswitch *vs = vs_;
    struct bridge *br = find_bridge(conn, vs, argv[argc - 1]);
    if (!br)
        return;
    vswitch_push_stats(vs);
    struct str out = STR_INIT;
    for (unsigned i = 0; i < N_TABLES; i++) {
        const struct cls_rule *cls;
        CLASSIFIER_FOR_EACH(cls, &br->tables.table[i].cls)
        if (cls_rule_is_seen(&br->tables.table[i].cls, cls))
            put_rule(&out, br, CONTAINER_OF(cls, struct rule, cls), env_now_ms(vs->env));
    }
    reply(conn, &out);
}

static void inband_show(struct unixctl_conn *conn, int argc, const char *argv[], void *vs_)
{
    struct vswitch *vs = vs_;
    struct str out = STR_INIT;
    const struct bridge *br;
    if (argc > 1 && !find_bridge(conn, vs, argv[1]))
        return;
    LIST_FOR_EACH (br, node, &vs->bridges) {
        if (argc > 1 && strcmp(br->name, argv[1]) != 0)
            continue;
        str_putf(&out, "%s: in-band control is %s\n", br->name, br->inband ? "on" : "off");
        if (br->inband)
            inband_describe(br->inband, &out);
    }
    reply(conn, &out);
}

static void bridge_reconnect(struct unixctl_conn *conn, int argc, const char *argv[], void *vs_)
{
    struct vswitch *vs = vs_;
    struct bridge *br;
    if (argc > 1 && !find_bridge(conn, vs, argv[1]))
        return;
    LIST_FOR_EACH (br, node, &vs->bridges) {
        if ((argc == 1 || !strcmp(br->name, argv[1])) && br->of)
            ofserver_reconnect(br->of);
    }
    unixctl_reply(conn, NULL);
}

static void put_ports(struct str *out, const struct bridge *br)
{
    vport_vec ports = VEC_INIT;
    bridge_ports_sorted(br, &ports);
    for (size_t i = 0; i < ports.n; i++) {
        const struct vport *port = ports.data[i];
        if (port->dev)
            str_putf(out, "    %s %u/%u: (%s)\n", port->name, port_to_16(port->ofport), port->dp_no,
                     port->dev->class->type);
        else
            str_putf(out, "    %s %u/none: (patch: peer=%s)\n", port->name,
                     port_to_16(port->ofport), port->peer);
    }
    vec_fini(&ports);
}

static void dpif_show(struct unixctl_conn *conn, int argc, const char *argv[], void *vs_)
{
    (void)argc, (void)argv;
    struct vswitch *vs = vs_;
    struct str out = STR_INIT;
    struct lookups n = megaflows_lookups(vs->cache);
    str_putf(&out, "netdev@ovs-netdev: hit:%" PRIu64 " missed:%" PRIu64 "\n", n.exact_hits + n.hits,
             n.misses);
    const struct bridge *br;
    LIST_FOR_EACH (br, node, &vs->bridges) {
        str_putf(&out, "  %s:\n", br->name);
        put_ports(&out, br);
    }
    reply(conn, &out);
}

static void show_drops(struct unixctl_conn *conn, int argc, const char *argv[], void *vs_)
{
    (void)argc, (void)argv;
    struct vswitch *vs = vs_;
    struct str out = STR_INIT;
    for (unsigned i = 1; i < N_DROP_REASONS; i++) {
        if (vs->drops[i]->n)
            str_putf(&out, "%-28s %10" PRIu64 "  %s\n", drop_counter(i), vs->drops[i]->n,
                     drop_text(i));
    }
    reply(conn, &out);
}

static void upcall_show(struct unixctl_conn *conn, int argc, const char *argv[], void *vs_)
{
    (void)argc, (void)argv;
    struct vswitch *vs = vs_;
    const struct megaflows *c = vs->cache;
    struct lookups n = megaflows_lookups(c);
    struct str out = STR_INIT;
    str_putf(&out,
             "netdev@ovs-netdev:\n  flows         : (current %zu) (limit %zu)\n"
             "  masks         : %zu\n  exact hits    : %" PRIu64 "\n  megaflow hits : %" PRIu64
             "\n  misses        : %" PRIu64 "\n  stale         : %" PRIu64
             "\n  revalidated   : %" PRIu64 "\n  translations  : %" PRIu64
             "\n  cache full    : %" PRIu64 "\n  queued misses : %" PRIu64 " (waiting %" PRIu64
             ") (lost %" PRIu64 ")\n",
             c->n_flows, c->limit, c->tables.n, n.exact_hits, n.hits, n.misses, n.stale,
             vs->walk.n_revalidated, vs->n_xlate, c->n_full, vs->upcalls.n_queued,
             vs->upcalls.n_waiting, vs->drops[DROP_UPCALL]->n);
    reply(conn, &out);
}

static void revalidator_purge(struct unixctl_conn *conn, int argc, const char *argv[], void *vs_)
{
    (void)argc, (void)argv;
    struct vswitch *vs = vs_;
    megaflows_flush(vs->cache);
    unixctl_reply(conn, NULL);
}

/* Everything is done at once here, so there is nothing to wait for but the counters. */
static void revalidator_wait(struct unixctl_conn *conn, int argc, const char *argv[], void *vs_)
{
    (void)argc, (void)argv;
    vswitch_tick(vs_);
    unixctl_reply(conn, NULL);
}

static struct vport *find_port(struct vswitch *vs, const char *name)
{
    struct bridge *br;
    LIST_FOR_EACH (br, node, &vs->bridges) {
        struct vport *port = bridge_port_named(br, name);
        if (port)
            return port;
    }
    return NULL;
}

static bool hex_to_bytes(const char *text, uint8_t *bytes, size_t max, size_t *n)
{
    for (*n = 0; *text; text += 2) {
        unsigned x;
        if (*n == max || !text[1] || sscanf(text, "%2x", &x) != 1)
            return false;
        bytes[(*n)++] = (uint8_t)x;
    }
    return true;
}

enum { FRAME_MAX = 9000 };

/* A packet that TEXT matches, a flow of OpenFlow or of a datapath. False: it is neither. */
static bool compose(const char *text, uint8_t frame[FRAME_MAX], size_t *n)
{
    struct str converted = STR_INIT;
    struct match match;
    char *in_port = NULL;
    bool ok = !odp_flow_is(text) || !odp_flow_to_match(text, &converted, &in_port, NULL);
    if (ok && odp_flow_is(text))
        text = str_c(&converted) + (converted.n > 0); /* behind the comma */
    ok = ok && !of_match_parse(text, NULL, &match, NULL, NULL);
    if (ok) {
        struct packet packet;
        packet_init(&packet);
        packet_compose(&packet, &match.key, 64);
        ok = packet.size <= FRAME_MAX;
        *n = ok ? packet.size : 0;
        memcpy(frame, packet.data, *n);
        packet_fini(&packet);
    }
    free(in_port);
    str_fini(&converted);
    return ok;
}

static void dummy_receive_command(struct unixctl_conn *conn, int argc, const char *argv[],
                                  void *vs_)
{
    struct vport *port = find_port(vs_, argv[1]);
    if (!port || !port->dev || !port_is_dummy(port->dev)) {
        unixctl_error(conn, "no such dummy netdev");
        return;
    }
    for (int i = 2; i < argc; i++) {
        uint8_t frame[FRAME_MAX];
        size_t n = 0;
        uint64_t wanted = 0;
        const char *text = argv[i];
        if (!strcmp(text, "--qid") && i + 1 < argc) {
            i++; /* one queue is as good as another */
            continue;
        }
        bool ok = hex_to_bytes(text, frame, sizeof frame, &n) || compose(text, frame, &n);
        if (ok && i + 2 < argc && !strcmp(argv[i + 1], "--len")) {
            ok = !text_to_u64(argv[i + 2], 10, &wanted) && wanted <= sizeof frame;
            i += 2;
        }
        if (!ok) {
            unixctl_error(conn, "bad packet or flow syntax");
            return;
        }
        if (wanted > n)
            memset(frame + n, 0, wanted - n);
        dummy_receive(port->dev, frame, MAX(n, (size_t)wanted));
    }
    unixctl_reply(conn, NULL);
}

void appctl_register(struct unixctl *ctl, struct vswitch *vs)
{
    static const struct unixctl_entry commands[] = {
        {"ofproto/list", "", 0, 0, ofproto_list},
        {"bridge/dump-flows", "[--offload-stats] bridge", 1, 2, bridge_dump_flows},
        {"in-band/show", "[bridge]", 0, 1, inband_show},
        {"bridge/reconnect", "[bridge]", 0, 1, bridge_reconnect},
        {"dpif/show", "", 0, 0, dpif_show},
        {"dpif/show-drops", "", 0, 0, show_drops},
        {"upcall/show", "", 0, 0, upcall_show},
        {"revalidator/wait", "", 0, 0, revalidator_wait},
        {"revalidator/purge", "", 0, 0, revalidator_purge},
        {"netdev-dummy/receive", "name packet|flow [--len N]...", 2, 100, dummy_receive_command},
    };
    fdb_appctl_register(ctl, vs);
    dpflow_appctl_register(ctl, vs);
    dpctl_appctl_register(ctl, vs);
    tunnel_appctl_register(ctl, vs);
    unixctl_register_all(ctl, commands, ARRAY_SIZE(commands), vs);
}
