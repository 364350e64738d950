/* failover.c - see failover.h. */
#include "sim/failover.h"

#include "sim/check.h"
#include "sim/life.h"

enum { DETECTION_US = 5 * SECOND_US };

static bool is_first(const struct net_router *r, unsigned hv)
{
    return r->has_edge && r->gateways[0] == hv;
}

/* It carries something, and all that it carries has another gateway. */
static bool may_die(const struct net *net, unsigned hv)
{
    bool any = false;
    for (unsigned i = 0; i < MAX_ROUTERS; i++) {
        const struct net_router *r = &net->routers[i];
        if (is_first(r, hv) && r->n_gateways == 1)
            return false;
        any |= is_first(r, hv);
    }
    return any;
}

void failover_try(struct net *net, unsigned n_probes, struct probe_counts *counts)
{
    struct cluster *c = net->cluster;
    unsigned dead = (unsigned)cluster_pick(c, c->hvs.n);
    uint8_t was_there[MAX_PORTS] = {0};
    if (!may_die(net, dead))
        return;
    c->doing = "without a gateway";
    hypervisor_kill_controller(c->hvs.data[dead]);
    hypervisor_kill_switchd(c->hvs.data[dead]);
    for (unsigned i = 0; i < MAX_PORTS; i++)
        if (net->ports[i].hv == (int)dead) {
            was_there[i] = true;
            net->ports[i].hv = NOWHERE; /* nothing comes out there */
        }
    check_gateways(net);
    cluster_run(c, DETECTION_US); /* until all hypervisors send to the new one */
    probe_some(net, n_probes, counts);
    for (unsigned i = 0; i < MAX_PORTS; i++)
        if (was_there[i])
            net->ports[i].hv = (int)dead;
    life_heal(c);
    check_quiet(net);
}
