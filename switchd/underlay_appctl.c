/* underlay_appctl.c - control commands for what tunnels run over, under ovs-vswitchd's names. There the switch keeps tables of its
 * own; here packets of tunnels take the kernel's way, so the tables shown and changed are the kernel's. */
#include <stdio.h>

#include "base/err.h"
#include "switchd/switchd.h"
#include "switchd/underlay.h"

static void reply(struct unixctl_conn *conn, struct str *out)
{
    unixctl_reply(conn, str_c(out));
    str_fini(out);
}

/* ---- Neighbours ---- */

static void neigh_show(struct unixctl_conn *conn, int argc UNUSED, const char *argv[] UNUSED,
                       void *aux UNUSED)
{
    underlay_neighbours all = VEC_INIT;
    struct str out = STR_INIT;
    if (underlay_neighbours_get(&all)) {
        unixctl_error(conn, "the kernel's neighbours cannot be read");
        vec_fini(&all);
        return;
    }
    str_putf(&out, "%-46s%-20sBridge\n", "IP", "MAC");
    str_put(&out, "=========================================================================="
                  "\n");
    const struct underlay_neighbour *n;
    VEC_FOR_EACH (n, &all) {
        struct str ip = STR_INIT, mac = STR_INIT;
        ip_addr_put(&ip, &n->ip);
        mac_put(&mac, n->mac);
        str_putf(&out, "%-46s%-20s%s\n", str_c(&ip), str_c(&mac), n->device);
        str_fini(&ip);
        str_fini(&mac);
    }
    vec_fini(&all);
    reply(conn, &out);
}

/* Words for what a change came to. */
static void changed(struct unixctl_conn *conn, int err, const char *missing)
{
    if (!err)
        unixctl_reply(conn, "OK");
    else
        unixctl_error(conn, err == ERR_NOT_FOUND ? missing : "the kernel refuses the change");
}

static void neigh_set(struct unixctl_conn *conn, int argc UNUSED, const char *argv[],
                      void *aux UNUSED)
{
    struct underlay_neighbour n = {0};
    if (ip_addr_parse(argv[2], &n.ip)) {
        unixctl_error(conn, "bad IP address");
    } else if (mac_parse(argv[3], &n.mac)) {
        unixctl_error(conn, "bad MAC address");
    } else {
        snprintf(n.device, sizeof n.device, "%s", argv[1]);
        changed(conn, underlay_neighbour_set(&n), "no such device");
    }
}

/* All but what was set for good. */
static void neigh_flush(struct unixctl_conn *conn, int argc UNUSED, const char *argv[] UNUSED,
                        void *aux UNUSED)
{
    underlay_neighbours all = VEC_INIT;
    int err = underlay_neighbours_get(&all);
    const struct underlay_neighbour *n;
    VEC_FOR_EACH (n, &all)
        if (!n->permanent)
            (void)!underlay_neighbour_del(n); /* it may be gone by now */
    vec_fini(&all);
    changed(conn, err, "");
}

/* ---- Routes ---- */

static void put_ip(struct str *out, const char *label, const struct ip_addr *ip)
{
    if (!ip->version)
        return;
    str_put(out, label);
    ip_addr_put(out, ip);
}

static void route_show(struct unixctl_conn *conn, int argc UNUSED, const char *argv[] UNUSED,
                       void *aux UNUSED)
{
    underlay_routes all = VEC_INIT;
    struct str out = STR_INIT;
    if (underlay_routes_get(&all)) {
        unixctl_error(conn, "the kernel's routes cannot be read");
        vec_fini(&all);
        return;
    }
    str_put(&out, "Route Table:\n");
    const struct underlay_route *r;
    VEC_FOR_EACH (r, &all) {
        put_ip(&out, r->added ? "User: " : "Cached: ", &r->dst);
        str_putf(&out, "/%u dev %s", r->prefix, r->device);
        put_ip(&out, " GW ", &r->gateway);
        put_ip(&out, " SRC ", &r->source);
        str_put(&out, r->local ? " local\n" : "\n");
    }
    vec_fini(&all);
    reply(conn, &out);
}

static void route_lookup(struct unixctl_conn *conn, int argc UNUSED, const char *argv[],
                         void *aux UNUSED)
{
    struct ip_addr dst;
    struct underlay_route r;
    if (ip_addr_parse(argv[1], &dst)) {
        unixctl_error(conn, "Invalid parameters");
        return;
    }
    int err = underlay_route_lookup(&dst, &r);
    if (err) {
        unixctl_error(conn, err == ERR_NOT_FOUND ? "Not found" : "the kernel cannot be asked");
        return;
    }
    struct str out = STR_INIT;
    put_ip(&out, "src ", &r.source);
    str_put(&out, "\ngateway ");
    if (r.gateway.version)
        ip_addr_put(&out, &r.gateway);
    else
        str_put(&out, "::");
    str_putf(&out, "\ndev %s\n", r.device);
    reply(conn, &out);
}

/* "10.1.0.0/16": 0 or an error. */
static int parse_prefix(const char *text, struct underlay_route *r)
{
    struct ip_prefix prefix;
    int err = ip_prefix_parse(text, &prefix);
    if (err)
        return err;
    r->dst = ip_prefix_network(&prefix);
    r->prefix = prefix.len;
    return 0;
}

static void route_add(struct unixctl_conn *conn, int argc, const char *argv[], void *aux UNUSED)
{
    struct underlay_route r = {.prefix = 0};
    if (parse_prefix(argv[1], &r) || (argc > 3 && ip_addr_parse(argv[3], &r.gateway)) ||
        (r.gateway.version && r.gateway.version != r.dst.version)) {
        unixctl_error(conn, "Invalid parameters");
        return;
    }
    snprintf(r.device, sizeof r.device, "%s", argv[2]);
    changed(conn, underlay_route_add(&r), "no such device");
}

static void route_del(struct unixctl_conn *conn, int argc UNUSED, const char *argv[],
                      void *aux UNUSED)
{
    struct underlay_route r;
    if (parse_prefix(argv[1], &r))
        unixctl_error(conn, "Invalid parameters");
    else
        changed(conn, underlay_route_del(&r.dst, r.prefix), "Not found");
}

void underlay_appctl_register(struct unixctl *ctl)
{
    static const struct unixctl_entry commands[] = {
        {"tnl/neigh/show", "", 0, 0, neigh_show},
        {"tnl/neigh/set", "DEVICE IP MAC", 3, 3, neigh_set},
        {"tnl/neigh/flush", "", 0, 0, neigh_flush},
        {"tnl/arp/show", "", 0, 0, neigh_show},
        {"tnl/arp/set", "DEVICE IP MAC", 3, 3, neigh_set},
        {"tnl/arp/flush", "", 0, 0, neigh_flush},
        {"ovs/route/show", "", 0, 0, route_show},
        {"ovs/route/lookup", "IP", 1, 1, route_lookup},
        {"ovs/route/add", "IP/PREFIX DEVICE [GATEWAY]", 2, 3, route_add},
        {"ovs/route/del", "IP/PREFIX", 1, 1, route_del},
    };
    unixctl_register_all(ctl, commands, ARRAY_SIZE(commands), NULL);
}
