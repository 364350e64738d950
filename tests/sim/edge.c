/* edge.c - see edge.h. */
#include "sim/edge.h"

#include <stdlib.h>
#include <string.h>

#include "sim/text.h"

void net_add_outside(struct net *net)
{
    net_nb(net,
           "{\"op\":\"insert\",\"table\":\"Logical_Switch_Port\",\"uuid-name\":\"ln\",\"row\":"
           "{\"name\":\"out-ln\",\"type\":\"localnet\",\"addresses\":\"unknown\",\"options\":"
           "[\"map\",[[\"network_name\",\"outside\"]]]}},"
           "{\"op\":\"insert\",\"table\":\"Logical_Switch\",\"row\":{\"name\":\"out\",\"ports\":"
           "[\"named-uuid\",\"ln\"]}}");
}

/* --- Addresses */

be32 net_edge_ip(unsigned router)
{
    return swap32(0xac100001 + router);
}

struct mac net_edge_mac(unsigned router)
{
    return mac_from_u64(0x0a0200000000 | router);
}

be32 net_fip_ip(unsigned fip)
{
    return swap32(0xac100201 + fip);
}

struct mac net_fip_mac(const struct net *net, unsigned fip)
{
    const struct net_fip *f = &net->fips[fip];
    return f->is_distributed ? mac_from_u64(0x0a0300000000 | fip) : net_edge_mac(f->router);
}

be32 net_host_ip(unsigned host)
{
    return swap32(0xac100101 + host);
}

struct mac net_host_mac(unsigned host)
{
    return mac_from_u64(0x0a0e00000000 | host);
}

bool net_is_outside(be32 ip)
{
    return swap32(ip) >> 16 == 0xac10;
}

/* --- Edges */

int net_gateway(const struct net *net, unsigned router)
{
    const struct net_router *r = &net->routers[router];
    for (unsigned i = 0; i < r->n_gateways; i++)
        if (net->cluster->hvs.data[r->gateways[i]]->switchd_daemon)
            return (int)r->gateways[i];
    return NOWHERE;
}

/* Operations that insert the rows, and the set of them. */
static void put_gateways(struct str *ops, struct str *set, unsigned router,
                         const unsigned *gateways, unsigned n)
{
    str_put(set, "[\"set\",[");
    for (unsigned i = 0; i < n; i++) {
        str_putf(ops,
                 "{\"op\":\"insert\",\"table\":\"Gateway_Chassis\",\"uuid-name\":\"g%u\",\"row\":"
                 "{\"name\":\"r%u-out-hv%u\",\"chassis_name\":\"hv%u\",\"priority\":%u}},",
                 i, router, gateways[i], gateways[i], 20 - i);
        str_putf(set, "%s[\"named-uuid\",\"g%u\"]", i ? "," : "", i);
    }
    str_put(set, "]]");
}

static void keep_gateways(struct net *net, unsigned router, const unsigned *gateways, unsigned n)
{
    struct net_router *r = &net->routers[router];
    r->n_gateways = n;
    memcpy(r->gateways, gateways, n * sizeof *gateways);
}

static void add_snat(struct net *net, unsigned router)
{
    net_nb(net,
           "{\"op\":\"insert\",\"table\":\"NAT\",\"uuid-name\":\"n\",\"row\":{\"type\":\"snat\","
           "\"external_ip\":\"%s\",\"logical_ip\":\"10.0.0.0/8\"}},"
           "{\"op\":\"mutate\",\"table\":\"Logical_Router\",\"where\":[[\"name\",\"==\",\"r%u\"]],"
           "\"mutations\":[[\"nat\",\"insert\",[\"named-uuid\",\"n\"]]]}",
           ip_text(net_edge_ip(router)).s, router);
}

void net_add_edge(struct net *net, unsigned router, const unsigned *gateways, unsigned n_gateways,
                  bool snat)
{
    struct str ops = STR_INIT, set = STR_INIT;
    put_gateways(&ops, &set, router, gateways, n_gateways);
    keep_gateways(net, router, gateways, n_gateways);
    net->routers[router].has_edge = true;
    net->routers[router].has_snat = snat;
    net_nb(net,
           "%s{\"op\":\"insert\",\"table\":\"Logical_Router_Port\",\"uuid-name\":\"lrp\",\"row\":"
           "{\"name\":\"r%u-out\",\"mac\":\"%s\",\"networks\":\"%s/16\",\"gateway_chassis\":%s}},"
           "{\"op\":\"insert\",\"table\":\"Logical_Router_Static_Route\",\"uuid-name\":\"route\","
           "\"row\":{\"ip_prefix\":\"0.0.0.0/0\",\"nexthop\":\"%s\"}},"
           "{\"op\":\"mutate\",\"table\":\"Logical_Router\",\"where\":[[\"name\",\"==\",\"r%u\"]],"
           "\"mutations\":[[\"ports\",\"insert\",[\"named-uuid\",\"lrp\"]],"
           "[\"static_routes\",\"insert\",[\"named-uuid\",\"route\"]]]},"
           "{\"op\":\"insert\",\"table\":\"Logical_Switch_Port\",\"uuid-name\":\"lsp\",\"row\":"
           "{\"name\":\"out-r%u\",\"type\":\"router\",\"addresses\":\"router\",\"options\":"
           "[\"map\",[[\"router-port\",\"r%u-out\"]]]}},"
           "{\"op\":\"mutate\",\"table\":\"Logical_Switch\",\"where\":[[\"name\",\"==\",\"out\"]],"
           "\"mutations\":[[\"ports\",\"insert\",[\"named-uuid\",\"lsp\"]]]}",
           str_c(&ops), router, mac_text(net_edge_mac(router)).s, ip_text(net_edge_ip(router)).s,
           str_c(&set), ip_text(net_host_ip(0)).s, router, router, router);
    if (snat)
        add_snat(net, router);
    str_fini(&ops);
    str_fini(&set);
}

void net_set_gateways(struct net *net, unsigned router, const unsigned *gateways,
                      unsigned n_gateways)
{
    struct str ops = STR_INIT, set = STR_INIT;
    put_gateways(&ops, &set, router, gateways, n_gateways);
    keep_gateways(net, router, gateways, n_gateways);
    net_nb(net,
           "%s{\"op\":\"update\",\"table\":\"Logical_Router_Port\",\"where\":[[\"name\",\"==\","
           "\"r%u-out\"]],\"row\":{\"gateway_chassis\":%s}}",
           str_c(&ops), router, str_c(&set));
    str_fini(&ops);
    str_fini(&set);
}

void net_delete_edge(struct net *net, unsigned router)
{
    char *r = xasprintf("r%u", router), *lrp = xasprintf("r%u-out", router);
    char *lsp = xasprintf("out-r%u", router);
    for (unsigned i = 0; i < MAX_FIPS; i++)
        if (net->fips[i].is_there && net->fips[i].router == router)
            net_delete_fip(net, i);
    net->routers[router].has_edge = net->routers[router].has_snat = false;
    for (unsigned i = 0; i < MAX_LBS; i++)
        if (net->lbs[i].router == (int)router)
            net->lbs[i].router = -1;
    net_nb(net,
           "{\"op\":\"update\",\"table\":\"Logical_Router\",\"where\":[[\"name\",\"==\",\"r%u\"]],"
           "\"row\":{\"nat\":[\"set\",[]],\"static_routes\":[\"set\",[]],\"load_balancer\":"
           "[\"set\",[]]}}",
           router);
    net_remove_child(net, "Logical_Router", r, "ports", "Logical_Router_Port", "name", lrp);
    net_remove_child(net, "Logical_Switch", "out", "ports", "Logical_Switch_Port", "name", lsp);
    free(r);
    free(lrp);
    free(lsp);
}

/* --- Addresses that stand for ports */

void net_add_fip(struct net *net, unsigned fip, unsigned port, bool distributed)
{
    const struct net_port *p = &net->ports[port];
    unsigned router = (unsigned)net->switches[p->sw].router;
    net->fips[fip] = (struct net_fip){.is_there = true,
                                      .is_distributed = distributed,
                                      .port = port,
                                      .router = router,
                                      .inside = p->ip};
    char *where = distributed ? xasprintf(",\"logical_port\":\"p%u\",\"external_mac\":\"%s\"", port,
                                          mac_text(net_fip_mac(net, fip)).s)
                              : xstrdup("");
    net_nb(net,
           "{\"op\":\"insert\",\"table\":\"NAT\",\"uuid-name\":\"n\",\"row\":{\"type\":"
           "\"dnat_and_snat\",\"external_ip\":\"%s\",\"logical_ip\":\"%s\"%s}},"
           "{\"op\":\"mutate\",\"table\":\"Logical_Router\",\"where\":[[\"name\",\"==\",\"r%u\"]],"
           "\"mutations\":[[\"nat\",\"insert\",[\"named-uuid\",\"n\"]]]}",
           ip_text(net_fip_ip(fip)).s, ip_text(p->ip).s, where, router);
    free(where);
}

void net_delete_fip(struct net *net, unsigned fip)
{
    char *r = xasprintf("r%u", net->fips[fip].router);
    net->fips[fip].is_there = false;
    net_remove_child(net, "Logical_Router", r, "nat", "NAT", "external_ip",
                     ip_text(net_fip_ip(fip)).s);
    free(r);
}

void net_delete_fips_of(struct net *net, unsigned port)
{
    for (unsigned i = 0; i < MAX_FIPS; i++)
        if (net->fips[i].is_there && net->fips[i].port == port)
            net_delete_fip(net, i);
}
