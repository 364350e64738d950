/* dpctl_appctl.c - control commands about the datapath as a whole, under ovs-vswitchd's names. There is one: netdev@ovs-netdev. */
#include <inttypes.h>
#include <string.h>

#include "switchd/megaflow.h"
#include "switchd/switchd.h"

#define DP_NAME "netdev@ovs-netdev"

static bool names_dp(struct unixctl_conn *conn, const char *name)
{
    if (!strcmp(name, DP_NAME) || !strcmp(name, "ovs-netdev"))
        return true;
    struct str s = STR_INIT;
    str_putf(&s, "opening datapath %s failed (No such device)", name);
    unixctl_error(conn, str_c(&s));
    str_fini(&s);
    return false;
}

static void dump_dps(struct unixctl_conn *conn, int argc UNUSED, const char *argv[] UNUSED,
                     void *vs UNUSED)
{
    unixctl_reply(conn, DP_NAME "\n");
}

/* "1234 (1.2 KiB)". */
static void put_bytes(struct str *s, const char *name, uint64_t n)
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
    str_putf(s, "%s:%" PRIu64, name, n);
    double x = (double)n / 1024;
    size_t i = 0;
    for (; i + 1 < ARRAY_SIZE(units) && x >= 1024; i++)
        x /= 1024;
    if (n >= 1024)
        str_putf(s, " (%.1f %s)", x, units[i]);
}

static void put_stats(struct str *s, const struct vport *port)
{
    struct port_stats st = vport_stats(port);
    str_putf(s,
             "    RX packets:%" PRIu64 " errors:%" PRIu64 " dropped:%" PRIu64
             " overruns:? frame:?\n    TX packets:%" PRIu64 " errors:%" PRIu64 " dropped:%" PRIu64
             " aborted:? carrier:?\n    collisions:?\n",
             st.rx_packets, st.rx_errors, st.rx_dropped, st.tx_packets, st.tx_errors,
             st.tx_dropped);
    put_bytes(s, "    RX bytes", st.rx_bytes);
    put_bytes(s, "  TX bytes", st.tx_bytes);
    str_putc(s, '\n');
}

static void show(struct unixctl_conn *conn, int argc, const char *argv[], void *vs_)
{
    struct vswitch *vs = vs_;
    bool stats = argc > 1 && (!strcmp(argv[1], "-s") || !strcmp(argv[1], "--statistics"));
    for (int i = 1 + stats; i < argc; i++)
        if (!names_dp(conn, argv[i]))
            return;
    if (stats)
        vswitch_push_stats(vs);
    struct lookups n = megaflows_lookups(vs->cache);
    struct str s = STR_INIT;
    str_putf(&s,
             DP_NAME ":\n  lookups: hit:%" PRIu64 " missed:%" PRIu64 " lost:%" PRIu64
                     "\n  flows: %zu\n",
             n.exact_hits + n.hits, n.misses, vs->drops[DROP_UPCALL]->n, vs->cache->n_flows);
    for (uint32_t i = 0; i < vs->dp_ports.n; i++) {
        const struct vport *port = vs->dp_ports.data[i];
        if (!port || !port->dev)
            continue;
        str_putf(&s, "  port %u: %s", i, port->name);
        if (strcmp(port->dev->class->type, "system") != 0)
            str_putf(&s, " (%s)", port->dev->class->type);
        str_putc(&s, '\n');
        if (stats)
            put_stats(&s, port);
    }
    unixctl_reply(conn, str_c(&s));
    str_fini(&s);
}

/* All of them: what packets need is made anew. */
static void del_flows(struct unixctl_conn *conn, int argc, const char *argv[], void *vs_)
{
    struct vswitch *vs = vs_;
    if (argc > 1 && !names_dp(conn, argv[1]))
        return;
    megaflows_flush(vs->cache);
    unixctl_reply(conn, NULL);
}

void dpctl_appctl_register(struct unixctl *ctl, struct vswitch *vs)
{
    static const struct unixctl_entry commands[] = {
        {"dpctl/dump-dps", "", 0, 0, dump_dps},
        {"dpctl/show", "[-s] [dp...]", 0, 8, show},
        {"dpctl/del-flows", "[dp]", 0, 1, del_flows},
    };
    unixctl_register_all(ctl, commands, ARRAY_SIZE(commands), vs);
}
