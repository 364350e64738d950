/* underlay_appctl.c - control commands for what tunnels run over, under ovs-vswitchd's names. There the switch keeps tables of its
 * own; here packets of tunnels take the kernel's way, so the tables shown and changed are the kernel's. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "switchd/port/chores.h"
#include "switchd/switchd.h"
#include "switchd/underlay.h"

enum { ARGS_MAX = 4 }; /* with the name */

/* A command under way. It is carried out by a chore (port/chores.h), since the kernel makes who asks or changes wait for whoever configures devices. */
struct errand {
    struct chore chore;
    struct unixctl_conn *conn;
    const struct command *command;
    int argc;
    char *argv[ARGS_MAX];
    struct str out; /* the answer, or the error */
    bool failed;
};

struct command {
    const char *name, *usage;
    int min, max;
    void (*fn)(struct errand *e); /* in the chores' thread: touches nothing but E */
};

static void fail(struct errand *e, const char *text)
{
    str_put(&e->out, text);
    e->failed = true;
}

/* ---- Neighbours ---- */

static void neigh_show(struct errand *e)
{
    underlay_neighbours all = VEC_INIT;
    if (underlay_neighbours_get(&all)) {
        fail(e, "the kernel's neighbours cannot be read");
        vec_fini(&all);
        return;
    }
    str_putf(&e->out, "%-46s%-20sBridge\n", "IP", "MAC");
    str_put(&e->out, "=========================================================================="
                     "\n");
    const struct underlay_neighbour *n;
    VEC_FOR_EACH (n, &all) {
        struct str ip = STR_INIT, mac = STR_INIT;
        ip_addr_put(&ip, &n->ip);
        mac_put(&mac, n->mac);
        str_putf(&e->out, "%-46s%-20s%s\n", str_c(&ip), str_c(&mac), n->device);
        str_fini(&ip);
        str_fini(&mac);
    }
    vec_fini(&all);
}

/* Words for what a change came to. */
static void changed(struct errand *e, int err, const char *missing)
{
    if (!err)
        str_put(&e->out, "OK");
    else
        fail(e, err == ERR_NOT_FOUND ? missing : "the kernel refuses the change");
}

static void neigh_set(struct errand *e)
{
    struct underlay_neighbour n = {0};
    if (ip_addr_parse(e->argv[2], &n.ip)) {
        fail(e, "bad IP address");
    } else if (mac_parse(e->argv[3], &n.mac)) {
        fail(e, "bad MAC address");
    } else {
        snprintf(n.device, sizeof n.device, "%s", e->argv[1]);
        changed(e, underlay_neighbour_set(&n), "no such device");
    }
}

/* All but what was set for good. */
static void neigh_flush(struct errand *e)
{
    underlay_neighbours all = VEC_INIT;
    int err = underlay_neighbours_get(&all);
    const struct underlay_neighbour *n;
    VEC_FOR_EACH (n, &all)
        if (!n->permanent)
            (void)!underlay_neighbour_del(n); /* it may be gone by now */
    vec_fini(&all);
    changed(e, err, "");
}

/* ---- Routes ---- */

static void put_ip(struct str *out, const char *label, const struct ip_addr *ip)
{
    if (!ip->version)
        return;
    str_put(out, label);
    ip_addr_put(out, ip);
}

static void route_show(struct errand *e)
{
    underlay_routes all = VEC_INIT;
    struct str *out = &e->out;
    if (underlay_routes_get(&all)) {
        fail(e, "the kernel's routes cannot be read");
        vec_fini(&all);
        return;
    }
    str_put(out, "Route Table:\n");
    const struct underlay_route *r;
    VEC_FOR_EACH (r, &all) {
        put_ip(out, r->added ? "User: " : "Cached: ", &r->dst);
        str_putf(out, "/%u dev %s", r->prefix, r->device);
        put_ip(out, " GW ", &r->gateway);
        put_ip(out, " SRC ", &r->source);
        str_put(out, r->local ? " local\n" : "\n");
    }
    vec_fini(&all);
}

static void route_lookup(struct errand *e)
{
    struct str *out = &e->out;
    struct ip_addr dst;
    struct underlay_route r;
    if (ip_addr_parse(e->argv[1], &dst)) {
        fail(e, "Invalid parameters");
        return;
    }
    int err = underlay_route_lookup(&dst, &r);
    if (err) {
        fail(e, err == ERR_NOT_FOUND ? "Not found" : "the kernel cannot be asked");
        return;
    }
    put_ip(out, "src ", &r.source);
    str_put(out, "\ngateway ");
    if (r.gateway.version)
        ip_addr_put(out, &r.gateway);
    else
        str_put(out, "::");
    str_putf(out, "\ndev %s\n", r.device);
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

static void route_add(struct errand *e)
{
    struct underlay_route r = {.prefix = 0};
    if (parse_prefix(e->argv[1], &r) || (e->argc > 3 && ip_addr_parse(e->argv[3], &r.gateway)) ||
        (r.gateway.version && r.gateway.version != r.dst.version)) {
        fail(e, "Invalid parameters");
        return;
    }
    snprintf(r.device, sizeof r.device, "%s", e->argv[2]);
    changed(e, underlay_route_add(&r), "no such device");
}

static void route_del(struct errand *e)
{
    struct underlay_route r;
    if (parse_prefix(e->argv[1], &r))
        fail(e, "Invalid parameters");
    else
        changed(e, underlay_route_del(&r.dst, r.prefix), "Not found");
}

/* ---- commands ---- */

static const struct command commands[] = {
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

static void errand_run(struct chore *chore)
{
    struct errand *e = CONTAINER_OF(chore, struct errand, chore);
    e->command->fn(e);
}

static void errand_done(struct chore *chore)
{
    struct errand *e = CONTAINER_OF(chore, struct errand, chore);
    if (e->failed)
        unixctl_error(e->conn, str_c(&e->out));
    else
        unixctl_reply(e->conn, str_c(&e->out));
    str_fini(&e->out);
    for (int i = 0; i < e->argc; i++)
        free(e->argv[i]);
    free(e);
}

static void on_command(struct unixctl_conn *conn, int argc, const char *argv[], void *vs_)
{
    const struct vswitch *vs = vs_;
    struct errand *e = NEW(struct errand);
    *e = (struct errand){.chore = {.run = errand_run, .done = errand_done},
                         .conn = conn,
                         .command = commands,
                         .argc = argc,
                         .out = STR_INIT};
    while (strcmp(e->command->name, argv[0]))
        e->command++;
    for (int i = 0; i < argc; i++)
        e->argv[i] = xstrdup(argv[i]);
    chores_add(vs->host.questions, &e->chore);
}

void underlay_appctl_register(struct unixctl *ctl, struct vswitch *vs)
{
    for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
        unixctl_register(ctl, commands[i].name, commands[i].usage, commands[i].min, commands[i].max,
                         on_command, vs);
}
