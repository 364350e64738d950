/* fdb_appctl.c - control commands for the MAC table of NORMAL, and those for multicast groups, of which there are none: the switch does
 * not snoop. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "switchd/switchd.h"

static void reply(struct unixctl_conn *conn, struct str *out)
{
    unixctl_reply(conn, str_c(out));
    str_fini(out);
}

/* The bridge that ARGV[1] names; NULL: refused already. */
static struct bridge *bridge_arg(struct unixctl_conn *conn, const struct vswitch *vs,
                                 const char *argv[])
{
    struct bridge *br = vswitch_bridge(vs, argv[1]);
    if (!br)
        unixctl_error(conn, "no such bridge");
    return br;
}

static void put_entry(struct str *out, const struct mac_entry *e, int64_t now_ms)
{
    char port[16];
    snprintf(port, sizeof port, "%u", e->port);
    str_putf(out, "%5s  %4u  ", e->port == PORT_LOCAL ? "LOCAL" : port, e->vlan);
    mac_put(out, e->mac);
    if (e->is_static)
        str_put(out, "  static\n");
    else
        str_putf(out, "  %3" PRId64 "\n", (now_ms - e->seen_ms) / 1000);
}

static void fdb_show(struct unixctl_conn *conn, int argc UNUSED, const char *argv[], void *vs)
{
    const struct bridge *br = bridge_arg(conn, vs, argv);
    if (!br)
        return;
    int64_t now_ms = env_now_ms(br->vs->env);
    struct str out = STR_INIT;
    str_put(&out, " port  VLAN  MAC                Age\n");
    const struct mac_entry *e;
    LIST_FOR_EACH (e, lru, &br->macs.fixed)
        put_entry(&out, e, now_ms);
    LIST_FOR_EACH (e, lru, &br->macs.lru)
        put_entry(&out, e, now_ms);
    reply(conn, &out);
}

static void stats_show(struct unixctl_conn *conn, int argc UNUSED, const char *argv[], void *vs)
{
    const struct bridge *br = bridge_arg(conn, vs, argv);
    if (!br)
        return;
    const struct mac_table *mt = &br->macs;
    struct str out = STR_INIT;
    str_putf(&out, "Statistics for bridge \"%s\":\n", br->name);
    str_putf(&out, "  Current/maximum MAC entries in the table: %zu/%u\n", mt->entries.n,
             mt->max_entries);
    str_putf(&out, "  Current static MAC entries in the table : %zu\n", mt->n_static);
    str_putf(&out, "  Total number of learned MAC entries     : %" PRIu64 "\n", mt->n_learned);
    str_putf(&out, "  Total number of expired MAC entries     : %" PRIu64 "\n", mt->n_expired);
    str_putf(&out, "  Total number of evicted MAC entries     : %" PRIu64 "\n", mt->n_evicted);
    str_putf(&out, "  Total number of port moved MAC entries  : %" PRIu64 "\n", mt->n_moved);
    reply(conn, &out);
}

/* Does FN to the bridge of ARGV, or to all, and says DONE. */
static void each_bridge(struct unixctl_conn *conn, int argc, const char *argv[], struct vswitch *vs,
                        void (*fn)(struct mac_table *mt), const char *done)
{
    struct bridge *br;
    if (argc > 1 && !bridge_arg(conn, vs, argv))
        return;
    LIST_FOR_EACH (br, node, &vs->bridges) {
        if (argc == 1 || !strcmp(br->name, argv[1]))
            fn(&br->macs);
    }
    unixctl_reply(conn, done);
}

static void fdb_flush(struct unixctl_conn *conn, int argc, const char *argv[], void *vs)
{
    each_bridge(conn, argc, argv, vs, mac_table_flush, "table successfully flushed");
}

static void stats_clear(struct unixctl_conn *conn, int argc, const char *argv[], void *vs)
{
    each_bridge(conn, argc, argv, vs, mac_table_clear_stats, "statistics successfully cleared");
}

static bool read_vlan(struct unixctl_conn *conn, const char *text, uint16_t *ret)
{
    uint64_t vlan;
    if (text_to_u64(text, 10, &vlan) || vlan > VLAN_VID_MASK) {
        unixctl_error(conn, "bad VLAN: a number from 0 to 4095 is expected");
        return false;
    }
    *ret = (uint16_t)vlan;
    return true;
}

static void fdb_add(struct unixctl_conn *conn, int argc UNUSED, const char *argv[], void *vs)
{
    struct bridge *br = bridge_arg(conn, vs, argv);
    struct mac mac;
    uint16_t vlan;
    if (!br)
        return;
    const struct vport *port = bridge_port_named(br, argv[2]);
    if (!port)
        unixctl_error(conn, "no such port");
    else if (mac_parse(argv[4], &mac))
        unixctl_error(conn, "bad MAC address");
    else if (read_vlan(conn, argv[3], &vlan)) {
        const struct mac_entry *was = mac_table_find(&br->macs, mac, vlan);
        char text[64] = "";
        if (was && was->is_static)
            snprintf(text, sizeof text, "Overriding already existing static entry on %u",
                     was->port);
        mac_table_add_static(&br->macs, mac, vlan, port->ofport);
        unixctl_reply(conn, text);
    }
}

static void fdb_del(struct unixctl_conn *conn, int argc UNUSED, const char *argv[], void *vs)
{
    struct bridge *br = bridge_arg(conn, vs, argv);
    struct mac mac;
    uint16_t vlan;
    if (!br)
        return;
    if (mac_parse(argv[3], &mac))
        unixctl_error(conn, "bad MAC address");
    else if (!read_vlan(conn, argv[2], &vlan))
        return;
    else if (!mac_table_remove_static(&br->macs, mac, vlan))
        unixctl_error(conn, "could not find static mac entry");
    else
        unixctl_reply(conn, NULL);
}

static void mdb(struct unixctl_conn *conn, int argc, const char *argv[], void *vs)
{
    if (argc == 1)
        unixctl_reply(conn, "table successfully flushed");
    else if (bridge_arg(conn, vs, argv))
        unixctl_error(conn, "multicast snooping is disabled");
}

void fdb_appctl_register(struct unixctl *ctl, struct vswitch *vs)
{
    static const struct unixctl_entry commands[] = {
        {"fdb/show", "bridge", 1, 1, fdb_show},
        {"fdb/flush", "[bridge]", 0, 1, fdb_flush},
        {"fdb/add", "bridge port vlan mac", 4, 4, fdb_add},
        {"fdb/del", "bridge vlan mac", 3, 3, fdb_del},
        {"fdb/stats-show", "bridge", 1, 1, stats_show},
        {"fdb/stats-clear", "[bridge]", 0, 1, stats_clear},
        {"mdb/show", "bridge", 1, 1, mdb},
        {"mdb/flush", "[bridge]", 0, 1, mdb},
    };
    unixctl_register_all(ctl, commands, ARRAY_SIZE(commands), vs);
}
