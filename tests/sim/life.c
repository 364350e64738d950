/* life.c - see life.h. Nothing here waits for anything: what comes next meets whatever state the last left. */
#include "sim/life.h"

#include "net/headers.h"
#include "sim/balance.h"
#include "sim/edge.h"

enum { SLOW_US = 2 * SECOND_US };

static unsigned pick(struct net *net, unsigned n)
{
    return (unsigned)cluster_pick(net->cluster, n);
}

/* --- Edits of switches and routers */

static void add_switch(struct net *net)
{
    unsigned sw = pick(net, net->n_switches);
    if (!net->switches[sw].is_there)
        net_add_switch(net, sw);
}

static void delete_switch(struct net *net)
{
    int sw = net_pick_switch(net);
    if (sw >= 0 && pick(net, 4) == 0)
        net_delete_switch(net, (unsigned)sw);
}

static void add_router(struct net *net)
{
    unsigned router = pick(net, MAX_ROUTERS);
    if (!net->routers[router].is_there)
        net_add_router(net, router);
}

static void delete_router(struct net *net)
{
    unsigned router = pick(net, MAX_ROUTERS);
    if (net->routers[router].is_there && pick(net, 4) == 0)
        net_delete_router(net, router);
}

static void link_switch(struct net *net)
{
    int sw = net_pick_switch(net);
    unsigned router = pick(net, MAX_ROUTERS);
    if (sw >= 0 && net->switches[sw].router < 0 && net->routers[router].is_there)
        net_link(net, (unsigned)sw, router);
}

static void unlink_switch(struct net *net)
{
    int sw = net_pick_switch(net);
    if (sw >= 0 && net->switches[sw].router >= 0 && pick(net, 3) == 0)
        net_unlink(net, (unsigned)sw);
}

/* --- Edits of ports */

static void attach_somewhere(struct net *net, unsigned port)
{
    unsigned hv = pick(net, (unsigned)net->cluster->hvs.n);
    if (net->cluster->hvs.data[hv]->switchd_daemon)
        net_attach(net, port, hv);
}

static bool can_detach(const struct net *net, unsigned port)
{
    int hv = net->ports[port].hv;
    return hv != NOWHERE && net->cluster->hvs.data[hv]->switchd_daemon;
}

static void add_port(struct net *net)
{
    int sw = net_pick_switch(net);
    unsigned port = pick(net, net->n_ports);
    if (sw < 0 || net->ports[port].is_there)
        return;
    bool first = pick(net, 4) == 0 && net->ports[port].hv == NOWHERE;
    if (first)
        attach_somewhere(net, port); /* the interface before its logical port */
    net_add_port(net, port, (unsigned)sw);
    if (net->ports[port].hv == NOWHERE && pick(net, 8))
        attach_somewhere(net, port);
}

static void delete_port(struct net *net)
{
    int port = net_pick_port(net, false);
    if (port >= 0 && pick(net, 2) == 0)
        net_delete_port(net, (unsigned)port);
    if (port >= 0 && !net->ports[port].is_there && can_detach(net, (unsigned)port) && pick(net, 2))
        net_detach(net, (unsigned)port);
}

static void move_port(struct net *net)
{
    int port = net_pick_port(net, false);
    if (port < 0)
        return;
    if (can_detach(net, (unsigned)port))
        net_detach(net, (unsigned)port);
    if (net->ports[port].hv == NOWHERE && pick(net, 8))
        attach_somewhere(net, (unsigned)port);
}

/* One more interface claims the port; or of two that do, any goes. */
static void contest_port(struct net *net)
{
    int port = net_pick_port(net, true);
    unsigned hv = pick(net, (unsigned)net->cluster->hvs.n);
    if (port < 0)
        return;
    const struct net_port *p = &net->ports[port];
    if (p->rival == NOWHERE) {
        if (p->hv != (int)hv && net->cluster->hvs.data[hv]->switchd_daemon)
            net_add_rival(net, (unsigned)port, hv);
        return;
    }
    if (pick(net, 2))
        net_swap_rivals(net, (unsigned)port);
    if (can_detach(net, (unsigned)port))
        net_detach(net, (unsigned)port);
}

static void secure_port(struct net *net)
{
    int port = net_pick_port(net, false);
    if (port >= 0)
        net_set_secured(net, (unsigned)port, !net->ports[port].is_secured);
}

static void disable_port(struct net *net)
{
    int port = net_pick_port(net, false);
    if (port >= 0 && (net->ports[port].is_disabled || pick(net, 4) == 0))
        net_set_disabled(net, (unsigned)port, !net->ports[port].is_disabled);
}

static void change_address(struct net *net)
{
    int port = net_pick_port(net, false);
    if (port >= 0)
        net_change_address(net, (unsigned)port);
}

static void change_unknown(struct net *net)
{
    int port = net_pick_port(net, false);
    if (port >= 0)
        net_set_unknown(net, (unsigned)port, !net->ports[port].is_unknown);
}

/* --- Edits of edges and load balancers */

/* Any hypervisors, each once. */
static unsigned pick_gateways(struct net *net, unsigned gateways[MAX_GATEWAYS])
{
    unsigned n_hvs = (unsigned)net->cluster->hvs.n,
             n = 1 + pick(net, MIN(n_hvs, MAX_GATEWAYS + 0u)), first = pick(net, n_hvs);
    for (unsigned i = 0; i < n; i++)
        gateways[i] = (first + i) % n_hvs;
    return n;
}

static void add_edge(struct net *net)
{
    unsigned router = pick(net, MAX_ROUTERS), gateways[MAX_GATEWAYS];
    if (!net->routers[router].is_there || net->routers[router].has_edge)
        return;
    unsigned n = pick_gateways(net, gateways);
    net_add_edge(net, router, gateways, n, pick(net, 4));
}

static void delete_edge(struct net *net)
{
    unsigned router = pick(net, MAX_ROUTERS);
    if (net->routers[router].has_edge && pick(net, 2))
        net_delete_edge(net, router);
}

static void change_gateways(struct net *net)
{
    unsigned router = pick(net, MAX_ROUTERS), gateways[MAX_GATEWAYS];
    if (net->routers[router].has_edge)
        net_set_gateways(net, router, gateways, pick_gateways(net, gateways));
}

static void change_fip(struct net *net)
{
    unsigned fip = pick(net, MAX_FIPS);
    int port = net_pick_port(net, false);
    if (net->fips[fip].is_there) {
        net_delete_fip(net, fip);
        return;
    }
    int router = port >= 0 ? net->switches[net->ports[port].sw].router : -1;
    if (router < 0 || !net->routers[router].has_edge || net->ports[port].is_unknown)
        return;
    for (unsigned i = 0; i < MAX_FIPS; i++)
        if (net->fips[i].is_there && net->fips[i].port == (unsigned)port)
            return;
    net_add_fip(net, fip, (unsigned)port, pick(net, 2));
}

static unsigned pick_backends(struct net *net, be32 backends[MAX_BACKENDS])
{
    unsigned n = 0;
    for (unsigned i = 0; i < 1 + pick(net, MAX_BACKENDS); i++) {
        int port = net_pick_port(net, false);
        be32 ip = port >= 0 ? net->ports[port].ip : 0;
        bool is_new = port >= 0 && !net->ports[port].is_unknown;
        for (unsigned k = 0; k < n; k++)
            is_new &= backends[k] != ip;
        if (is_new && n < MAX_BACKENDS)
            backends[n++] = ip;
    }
    return n;
}

static void change_lb(struct net *net)
{
    unsigned lb = pick(net, MAX_LBS), router = pick(net, MAX_ROUTERS), kind = pick(net, 8);
    int sw = net_pick_switch(net);
    be32 backends[MAX_BACKENDS];
    unsigned n = pick_backends(net, backends);
    if (!net->lbs[lb].is_there) {
        if (n)
            net_add_lb(net, lb, backends, n);
    } else if (kind == 0) {
        net_delete_lb(net, lb);
    } else if (kind < 3 && n) {
        net_set_backends(net, lb, backends, n);
    } else if (kind < 5) {
        bool has_edge = net->routers[router].has_edge;
        net_set_lb_router(net, lb, has_edge ? (int)router : -1);
    } else if (sw >= 0) {
        net_toggle_lb(net, lb, (unsigned)sw);
    }
}

/* --- Edits of ACLs, sets, groups */

static void add_acl(struct net *net)
{
    int sw = net_pick_switch(net), port = net_pick_port(net, false);
    unsigned acl = pick(net, MAX_ACLS);
    if (sw < 0 || port < 0 || net->acls[acl].is_there)
        return;
    struct net_acl a = {.is_egress = pick(net, 2),
                        .is_allow = pick(net, 2),
                        .is_related = pick(net, 5) == 0,
                        .sw = (unsigned)sw,
                        .match = pick(net, N_ACL_MATCHES)};
    switch (a.match) {
    case ACL_FROM_PORT:
    case ACL_TO_PORT:
    case ACL_BY_PORT:
    case ACL_FROM_PORT6:
        a.operand = (unsigned)port;
        a.ip = net->ports[port].ip;
        if (pick(net, 2))
            a.sw = net->ports[port].sw;
        break;
    case ACL_TCP_TO:
        a.operand = FIRST_TCP_PORT + pick(net, N_TCP_PORTS);
        break;
    case ACL_FROM_SET:
    case ACL_TCP_FROM_SET:
        a.operand = pick(net, MAX_SETS);
        break;
    case ACL_BY_GROUP:
        a.sw = pick(net, MAX_SETS);
        break;
    case N_ACL_MATCHES:
        break;
    }
    net_add_acl(net, acl, &a);
}

static void delete_acl(struct net *net)
{
    unsigned acl = pick(net, MAX_ACLS);
    if (net->acls[acl].is_there)
        net_delete_acl(net, acl);
}

static void change_set(struct net *net)
{
    int port = net_pick_port(net, false);
    if (port >= 0)
        net_toggle_set(net, (unsigned)port, pick(net, MAX_SETS));
}

static void change_group(struct net *net)
{
    int port = net_pick_port(net, false);
    if (port >= 0)
        net_toggle_group(net, (unsigned)port, pick(net, MAX_SETS));
}

void life_begin(struct net *net)
{
    net->cluster->doing = "building";
    for (unsigned i = 0; i < MIN(2u, net->n_switches / 2); i++)
        net_add_router(net, i);
    for (unsigned i = 0; i < net->n_switches; i++) {
        net_add_switch(net, i);
        if (i + 1 < net->n_switches)
            net_link(net, i, i & net->n_switches / 4 & 1);
    }
    for (unsigned i = 0; i < net->n_ports; i += 2) {
        net_add_port(net, i, pick(net, net->n_switches));
        net_attach(net, i, pick(net, (unsigned)net->cluster->hvs.n));
    }
    for (unsigned i = 0; i < MAX_ACLS; i += 2)
        add_acl(net);
    for (unsigned i = 0; i < MAX_ROUTERS; i++) {
        add_edge(net);
        change_fip(net);
        change_lb(net);
        change_lb(net);
    }
}

void life_edit(struct net *net)
{
    static const struct {
        const char *name;
        void (*fn)(struct net *net);
        unsigned weight;
    } edits[] = {
        {"adding a switch", add_switch, 3},
        {"deleting a switch", delete_switch, 2},
        {"adding a router", add_router, 2},
        {"deleting a router", delete_router, 1},
        {"linking a switch", link_switch, 4},
        {"unlinking a switch", unlink_switch, 2},
        {"adding a port", add_port, 14},
        {"deleting a port", delete_port, 5},
        {"moving a port", move_port, 8},
        {"contesting a port", contest_port, 3},
        {"securing a port", secure_port, 4},
        {"disabling a port", disable_port, 2},
        {"changing an address", change_address, 4},
        {"adding an ACL", add_acl, 8},
        {"deleting an ACL", delete_acl, 5},
        {"changing a set", change_set, 6},
        {"changing a group", change_group, 5},
        {"making a port unknown", change_unknown, 3},
        {"adding an edge", add_edge, 4},
        {"deleting an edge", delete_edge, 2},
        {"changing gateways", change_gateways, 3},
        {"changing an address outside", change_fip, 8},
        {"changing a load balancer", change_lb, 10},
    };
    unsigned total = 0;
    for (size_t i = 0; i < ARRAY_SIZE(edits); i++)
        total += edits[i].weight;
    unsigned at = pick(net, total);
    size_t i = 0;
    for (; at >= edits[i].weight; i++)
        at -= edits[i].weight;
    net->cluster->doing = edits[i].name;
    central_serve(&net->cluster->central);
    edits[i].fn(net);
}

/* --- Faults */

static void fault_central(struct cluster *c, struct hypervisor *hv UNUSED)
{
    central_fault(&c->central);
}

static void fault_switchd(struct cluster *c UNUSED, struct hypervisor *hv)
{
    if (hv->switchd_daemon)
        hypervisor_kill_switchd(hv);
    else
        hypervisor_start_switchd(hv);
}

static void fault_controller(struct cluster *c UNUSED, struct hypervisor *hv)
{
    if (hv->controller)
        hypervisor_kill_controller(hv);
    else
        hypervisor_start_controller(hv);
}

/* The controller's way to the database, or to its bridge. */
static struct link *any_link(struct cluster *c, struct hypervisor *hv)
{
    return cluster_is_likely(c, 60) ? hv->sb : hv->of;
}

static void fault_cut(struct cluster *c, struct hypervisor *hv)
{
    link_cut(any_link(c, hv), cluster_is_likely(c, 60));
}

static void fault_stall(struct cluster *c, struct hypervisor *hv)
{
    link_stall(any_link(c, hv), cluster_is_likely(c, 60));
}

static void fault_slow(struct cluster *c, struct hypervisor *hv)
{
    link_set_delay(any_link(c, hv), (int64_t)cluster_pick(c, SLOW_US));
}

static void fault_tunnels(struct cluster *c, struct hypervisor *hv)
{
    hv->wire.is_cut = cluster_is_likely(c, 60);
}

void life_fault(struct net *net)
{
    static const struct {
        const char *name;
        void (*fn)(struct cluster *c, struct hypervisor *hv);
    } faults[] = {
        {"a fault of the central node", fault_central},
        {"killing or starting a switch", fault_switchd},
        {"killing or starting a controller", fault_controller},
        {"cutting a link", fault_cut},
        {"stalling a link", fault_stall},
        {"slowing a link down", fault_slow},
        {"cutting tunnels", fault_tunnels},
    };
    struct cluster *c = net->cluster;
    size_t i = cluster_pick(c, ARRAY_SIZE(faults));
    c->doing = faults[i].name;
    faults[i].fn(c, c->hvs.data[cluster_pick(c, c->hvs.n)]);
}

void life_heal(struct cluster *c)
{
    c->doing = "healing";
    central_heal(&c->central);
    for (size_t i = 0; i < c->hvs.n; i++) {
        struct hypervisor *hv = c->hvs.data[i];
        link_heal(hv->sb);
        link_heal(hv->of);
        hv->wire.is_cut = false;
        if (!hv->switchd_daemon)
            hypervisor_start_switchd(hv);
        if (!hv->controller)
            hypervisor_start_controller(hv);
    }
}
