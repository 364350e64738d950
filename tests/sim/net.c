/* net.c - see net.h: the edits, each as one transaction. */
#include "sim/net.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/str.h"
#include "sim/balance.h"
#include "sim/edge.h"
#include "sim/text.h"

void net_nb(struct net *net, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *ops = xvasprintf(format, args);
    va_end(args);
    json_decref(user_transact(net->cluster->nbctl, "%s", ops));
    free(ops);
}

struct net *net_new(struct cluster *c)
{
    struct net *net = NEW(struct net);
    net->cluster = c;
    net->n_switches = MIN(2 + (unsigned)c->hvs.n / 2, MAX_SWITCHES);
    net->n_ports = MIN(6 * (unsigned)c->hvs.n, MAX_PORTS);
    for (unsigned i = 0; i < MAX_SETS; i++) {
        net_nb(net, "{\"op\":\"insert\",\"table\":\"Address_Set\",\"row\":{\"name\":\"as%u\"}}", i);
        net_nb(net, "{\"op\":\"insert\",\"table\":\"Port_Group\",\"row\":{\"name\":\"pg%u\"}}", i);
    }
    for (unsigned i = 0; i < MAX_PORTS; i++)
        net->ports[i].hv = net->ports[i].rival = NOWHERE;
    net_add_outside(net);
    return net;
}

void net_free(struct net *net)
{
    for (size_t i = 0; i < MAX_SETS; i++)
        vec_fini(&net->sets[i]);
    free(net);
}

/* --- Switches and routers */

struct mac net_router_mac(unsigned sw, unsigned router)
{
    return mac_from_u64(0x0a0100000000 | sw << 8 | router);
}

be32 net_router_ip(unsigned sw)
{
    return swap32(0x0a000000 | sw << 16 | 0xfffe);
}

void net_add_switch(struct net *net, unsigned sw)
{
    net->switches[sw] = (struct net_switch){.is_there = true, .router = -1};
    net_nb(net, "{\"op\":\"insert\",\"table\":\"Logical_Switch\",\"row\":{\"name\":\"s%u\"}}", sw);
}

void net_delete_switch(struct net *net, unsigned sw)
{
    if (net->switches[sw].router >= 0)
        net_unlink(net, sw);
    for (unsigned i = 0; i < MAX_LBS; i++)
        net->lbs[i].switches &= ~(1u << sw);
    for (unsigned i = 0; i < MAX_PORTS; i++)
        if (net->ports[i].sw == sw)
            net->ports[i].is_there = false;
    for (unsigned i = 0; i < MAX_ACLS; i++)
        if (net->acls[i].match != ACL_BY_GROUP && net->acls[i].sw == sw)
            net->acls[i].is_there = false;
    net->switches[sw].is_there = false;
    net_nb(net,
           "{\"op\":\"delete\",\"table\":\"Logical_Switch\",\"where\":[[\"name\",\"==\",\"s%u\"]]}",
           sw);
}

void net_add_router(struct net *net, unsigned router)
{
    net->routers[router] = (struct net_router){.is_there = true};
    net_nb(net, "{\"op\":\"insert\",\"table\":\"Logical_Router\",\"row\":{\"name\":\"r%u\"}}",
           router);
}

void net_delete_router(struct net *net, unsigned router)
{
    for (unsigned i = 0; i < MAX_SWITCHES; i++)
        if (net->switches[i].is_there && net->switches[i].router == (int)router)
            net_unlink(net, i);
    if (net->routers[router].has_edge)
        net_delete_edge(net, router);
    net->routers[router].is_there = false;
    net_nb(net,
           "{\"op\":\"delete\",\"table\":\"Logical_Router\",\"where\":[[\"name\",\"==\",\"r%u\"]]}",
           router);
}

void net_link(struct net *net, unsigned sw, unsigned router)
{
    net->switches[sw].router = (int)router;
    be32 ip = net_router_ip(sw);
    net_nb(net,
           "{\"op\":\"insert\",\"table\":\"Logical_Router_Port\",\"uuid-name\":\"lrp\",\"row\":"
           "{\"name\":\"r%u-s%u\",\"mac\":\"%s\",\"networks\":[\"set\",[\"%s/16\",\"%s/64\"]]}},"
           "{\"op\":\"mutate\",\"table\":\"Logical_Router\",\"where\":[[\"name\",\"==\",\"r%u\"]],"
           "\"mutations\":[[\"ports\",\"insert\",[\"named-uuid\",\"lrp\"]]]},"
           "{\"op\":\"insert\",\"table\":\"Logical_Switch_Port\",\"uuid-name\":\"lsp\",\"row\":"
           "{\"name\":\"s%u-r%u\",\"type\":\"router\",\"addresses\":\"router\",\"options\":"
           "[\"map\",[[\"router-port\",\"r%u-s%u\"]]]}},"
           "{\"op\":\"mutate\",\"table\":\"Logical_Switch\",\"where\":[[\"name\",\"==\",\"s%u\"]],"
           "\"mutations\":[[\"ports\",\"insert\",[\"named-uuid\",\"lsp\"]]]}",
           router, sw, mac_text(net_router_mac(sw, router)).s, ip_text(ip).s,
           ip6_text(net_ip6(ip)).s, router, sw, router, router, sw, sw);
}

char *net_uuid(struct user *user, const char *table, const char *column, const char *value)
{
    json_t *results = user_transact(user,
                                    "{\"op\":\"select\",\"table\":\"%s\",\"where\":[[\"%s\",\"==\","
                                    "\"%s\"]],\"columns\":[\"_uuid\"]}",
                                    table, column, value);
    json_t *row = json_array_get(json_object_get(json_array_get(results, 0), "rows"), 0);
    const char *uuid = json_string_value(json_array_get(json_object_get(row, "_uuid"), 1));
    char *copy = uuid ? xstrdup(uuid) : NULL;
    json_decref(results);
    return copy;
}

void net_remove_child(struct net *net, const char *parent, const char *parent_name,
                      const char *column, const char *table, const char *key, const char *value)
{
    char *uuid = net_uuid(net->cluster->nbctl, table, key, value);
    if (!uuid)
        cluster_fail(net->cluster, "%s %s is not in NB", table, value);
    net_nb(net,
           "{\"op\":\"mutate\",\"table\":\"%s\",\"where\":[[\"name\",\"==\",\"%s\"]],"
           "\"mutations\":[[\"%s\",\"delete\",[\"uuid\",\"%s\"]]]}",
           parent, parent_name, column, uuid);
    free(uuid);
}

void net_unlink(struct net *net, unsigned sw)
{
    unsigned router = (unsigned)net->switches[sw].router;
    char *lrp = xasprintf("r%u-s%u", router, sw), *lsp = xasprintf("s%u-r%u", sw, router);
    char *r = xasprintf("r%u", router), *s = xasprintf("s%u", sw);
    for (unsigned i = 0; i < MAX_PORTS; i++)
        if (net->ports[i].is_there && net->ports[i].sw == sw)
            net_delete_fips_of(net, i);
    net->switches[sw].router = -1;
    net_remove_child(net, "Logical_Router", r, "ports", "Logical_Router_Port", "name", lrp);
    net_remove_child(net, "Logical_Switch", s, "ports", "Logical_Switch_Port", "name", lsp);
    free(lrp);
    free(lsp);
    free(r);
    free(s);
}

/* --- Ports */

static void set_address(struct net_port *p, unsigned port)
{
    p->mac =
        mac_from_u64(0x0a0000000000 | (uint64_t)p->sw << 24 | (uint64_t)p->variant << 16 | port);
    p->ip = swap32(0x0a000000 | p->sw << 16 | p->variant << 8 | (port + 1));
}

/* "MAC IP IP6" of P as a JSON string. */
static const char *address_text(const struct net_port *p, char buf[160])
{
    snprintf(buf, 160, "\"%s %s %s\"", mac_text(p->mac).s, ip_text(p->ip).s,
             ip6_text(net_ip6(p->ip)).s);
    return buf;
}

struct ip6 net_ip6(be32 ip)
{
    uint32_t host = swap32(ip);
    return ip6_from_u128((u128)0xfd00 << 112 | (u128)(host >> 16 & 0xff) << 64 | (host & 0xffff));
}

void net_add_port(struct net *net, unsigned port, unsigned sw)
{
    struct net_port *p = &net->ports[port];
    char address[160];
    int hv = p->hv, rival = p->rival; /* interfaces may be there already */
    *p = (struct net_port){
        .is_there = true, .sw = sw, .hv = hv, .rival = rival, .variant = p->variant};
    set_address(p, port);
    net_nb(net,
           "{\"op\":\"insert\",\"table\":\"Logical_Switch_Port\",\"uuid-name\":\"lsp\",\"row\":"
           "{\"name\":\"p%u\",\"addresses\":%s}},"
           "{\"op\":\"mutate\",\"table\":\"Logical_Switch\",\"where\":[[\"name\",\"==\",\"s%u\"]],"
           "\"mutations\":[[\"ports\",\"insert\",[\"named-uuid\",\"lsp\"]]]}",
           port, address_text(p, address), sw);
}

void net_delete_port(struct net *net, unsigned port)
{
    char *s = xasprintf("s%u", net->ports[port].sw), *name = xasprintf("p%u", port);
    net_delete_fips_of(net, port);
    net->ports[port].is_there = false;
    net->ports[port].groups = 0;
    net_remove_child(net, "Logical_Switch", s, "ports", "Logical_Switch_Port", "name", name);
    free(s);
    free(name);
}

static void update_port(struct net *net, unsigned port, const char *column, const char *value)
{
    net_nb(net,
           "{\"op\":\"update\",\"table\":\"Logical_Switch_Port\",\"where\":[[\"name\",\"==\",\"p%"
           "u\"]],"
           "\"row\":{\"%s\":%s}}",
           port, column, value);
}

void net_set_secured(struct net *net, unsigned port, bool secured)
{
    char address[160];
    net->ports[port].is_secured = secured;
    update_port(net, port, "port_security",
                secured ? address_text(&net->ports[port], address) : "[\"set\",[]]");
}

void net_set_disabled(struct net *net, unsigned port, bool disabled)
{
    net->ports[port].is_disabled = disabled;
    update_port(net, port, "enabled", disabled ? "false" : "[\"set\",[]]");
}

void net_set_unknown(struct net *net, unsigned port, bool unknown)
{
    char address[160];
    net_delete_fips_of(net, port);
    net->ports[port].is_unknown = unknown;
    update_port(net, port, "addresses",
                unknown ? "\"unknown\"" : address_text(&net->ports[port], address));
}

void net_change_address(struct net *net, unsigned port)
{
    struct net_port *p = &net->ports[port];
    char address[160];
    net_delete_fips_of(net, port);
    p->variant = (p->variant + 1) % 200;
    set_address(p, port);
    if (!p->is_unknown)
        update_port(net, port, "addresses", address_text(p, address));
    if (p->is_secured)
        net_set_secured(net, port, true);
}

static void plug(struct net *net, unsigned port, unsigned hv)
{
    json_decref(user_transact(
        net->cluster->hvs.data[hv]->vsctl,
        "{\"op\":\"insert\",\"table\":\"Interface\",\"uuid-name\":\"i\",\"row\":{\"name\":\"v%u\","
        "\"type\":\"dummy\",\"external_ids\":[\"map\",[[\"iface-id\",\"p%u\"]]]}},"
        "{\"op\":\"insert\",\"table\":\"Port\",\"uuid-name\":\"p\",\"row\":{\"name\":\"v%u\","
        "\"interfaces\":[\"named-uuid\",\"i\"]}},"
        "{\"op\":\"mutate\",\"table\":\"Bridge\",\"where\":[[\"name\",\"==\",\"br-int\"]],"
        "\"mutations\":[[\"ports\",\"insert\",[\"named-uuid\",\"p\"]]]}",
        port, port, port));
}

void net_attach(struct net *net, unsigned port, unsigned hv)
{
    net->ports[port].hv = (int)hv;
    plug(net, port, hv);
}

void net_add_rival(struct net *net, unsigned port, unsigned hv)
{
    net->ports[port].rival = (int)hv;
    plug(net, port, hv);
}

void net_swap_rivals(struct net *net, unsigned port)
{
    struct net_port *p = &net->ports[port];
    int hv = p->hv;
    p->hv = p->rival;
    p->rival = hv;
}

void net_detach(struct net *net, unsigned port)
{
    struct user *vsctl = net->cluster->hvs.data[net->ports[port].hv]->vsctl;
    char *name = xasprintf("v%u", port), *uuid = net_uuid(vsctl, "Port", "name", name);
    if (!uuid)
        cluster_fail(net->cluster, "port %s is not in the switch database", name);
    net->ports[port].hv = net->ports[port].rival;
    net->ports[port].rival = NOWHERE;
    json_decref(user_transact(
        vsctl,
        "{\"op\":\"mutate\",\"table\":\"Bridge\",\"where\":[[\"name\",\"==\",\"br-int\"]],"
        "\"mutations\":[[\"ports\",\"delete\",[\"uuid\",\"%s\"]]]}",
        uuid));
    free(name);
    free(uuid);
}

/* --- ACLs, address sets, port groups */

static char *acl_match_text(const struct net_acl *a)
{
    const char *direction = a->is_egress ? "outport" : "inport";
    switch (a->match) {
    case ACL_FROM_PORT:
        return xasprintf("ip4.src == %s", ip_text(a->ip).s);
    case ACL_TO_PORT:
        return xasprintf("ip4.dst == %s", ip_text(a->ip).s);
    case ACL_TCP_TO:
        return xasprintf("tcp.dst == %u", a->operand);
    case ACL_BY_PORT:
        return xasprintf("%s == \\\"p%u\\\" && ip4", direction, a->operand);
    case ACL_FROM_SET:
        return xasprintf("ip4.src == $as%u", a->operand);
    case ACL_TCP_FROM_SET:
        return xasprintf("ip4.src == $as%u && tcp.dst == {%u, %u}", a->operand, FIRST_TCP_PORT,
                         FIRST_TCP_PORT + 1);
    case ACL_FROM_PORT6:
        return xasprintf("ip6.src == %s && udp", ip6_text(net_ip6(a->ip)).s);
    case ACL_BY_GROUP:
    case N_ACL_MATCHES:
        break;
    }
    return xasprintf("%s == @pg%u && udp", direction, a->sw);
}

static char *acl_owner(const struct net_acl *a)
{
    return xasprintf("%s%u", a->match == ACL_BY_GROUP ? "pg" : "s", a->sw);
}

static const char *acl_table(const struct net_acl *a)
{
    return a->match == ACL_BY_GROUP ? "Port_Group" : "Logical_Switch";
}

void net_add_acl(struct net *net, unsigned acl, const struct net_acl *how)
{
    struct net_acl *a = &net->acls[acl];
    *a = *how;
    a->is_there = true;
    char *match = acl_match_text(a), *owner = acl_owner(a);
    net_nb(net,
           "{\"op\":\"insert\",\"table\":\"ACL\",\"uuid-name\":\"a\",\"row\":{\"name\":\"a%u\","
           "\"direction\":\"%s\",\"priority\":%u,\"match\":\"%s\",\"action\":\"%s\"}},"
           "{\"op\":\"mutate\",\"table\":\"%s\",\"where\":[[\"name\",\"==\",\"%s\"]],"
           "\"mutations\":[[\"acls\",\"insert\",[\"named-uuid\",\"a\"]]]}",
           acl, a->is_egress ? "to-lport" : "from-lport", FIRST_ACL_PRIORITY + acl, match,
           !a->is_allow    ? "drop"
           : a->is_related ? "allow-related"
                           : "allow",
           acl_table(a), owner);
    free(match);
    free(owner);
}

void net_delete_acl(struct net *net, unsigned acl)
{
    struct net_acl *a = &net->acls[acl];
    char *owner = acl_owner(a), *name = xasprintf("a%u", acl);
    a->is_there = false;
    net_remove_child(net, acl_table(a), owner, "acls", "ACL", "name", name);
    free(owner);
    free(name);
}

bool net_set_has(const struct net *net, unsigned set, be32 ip)
{
    for (size_t i = 0; i < net->sets[set].n; i++)
        if (net->sets[set].data[i] == ip)
            return true;
    return false;
}

static void change_set(struct net *net, unsigned set, be32 ip, bool add)
{
    net_nb(net,
           "{\"op\":\"mutate\",\"table\":\"Address_Set\",\"where\":[[\"name\",\"==\",\"as%u\"]],"
           "\"mutations\":[[\"addresses\",\"%s\",\"%s\"]]}",
           set, add ? "insert" : "delete", ip_text(ip).s);
}

void net_toggle_set(struct net *net, unsigned port, unsigned set)
{
    be32 ip = net->ports[port].ip;
    bool add = !net_set_has(net, set, ip);
    if (add)
        vec_push(&net->sets[set], ip);
    for (size_t i = 0; !add && i < net->sets[set].n; i++)
        if (net->sets[set].data[i] == ip)
            vec_remove(&net->sets[set], i);
    change_set(net, set, ip, add);
}

void net_toggle_group(struct net *net, unsigned port, unsigned group)
{
    char *name = xasprintf("p%u", port);
    char *uuid = net_uuid(net->cluster->nbctl, "Logical_Switch_Port", "name", name);
    net->ports[port].groups ^= 1u << group;
    net_nb(net,
           "{\"op\":\"mutate\",\"table\":\"Port_Group\",\"where\":[[\"name\",\"==\",\"pg%u\"]],"
           "\"mutations\":[[\"ports\",\"%s\",[\"uuid\",\"%s\"]]]}",
           group, net->ports[port].groups >> group & 1 ? "insert" : "delete", uuid);
    free(name);
    free(uuid);
}

/* --- All of it */

void net_clear(struct net *net)
{
    for (unsigned i = 0; i < MAX_ACLS; i++)
        if (net->acls[i].is_there)
            net_delete_acl(net, i);
    for (unsigned i = 0; i < MAX_LBS; i++)
        if (net->lbs[i].is_there)
            net_delete_lb(net, i);
    for (unsigned i = 0; i < MAX_PORTS; i++)
        while (net->ports[i].hv != NOWHERE)
            net_detach(net, i);
    for (unsigned i = 0; i < MAX_SWITCHES; i++)
        if (net->switches[i].is_there)
            net_delete_switch(net, i);
    for (unsigned i = 0; i < MAX_ROUTERS; i++)
        if (net->routers[i].is_there)
            net_delete_router(net, i);
    for (unsigned i = 0; i < MAX_SETS; i++) {
        while (net->sets[i].n)
            change_set(net, i, vec_pop(&net->sets[i]), false);
    }
}

int net_pick_switch(struct net *net)
{
    unsigned start = (unsigned)cluster_pick(net->cluster, MAX_SWITCHES);
    for (unsigned i = 0; i < MAX_SWITCHES; i++)
        if (net->switches[(start + i) % MAX_SWITCHES].is_there)
            return (int)((start + i) % MAX_SWITCHES);
    return -1;
}

int net_pick_port(struct net *net, bool attached)
{
    unsigned start = (unsigned)cluster_pick(net->cluster, MAX_PORTS);
    for (unsigned i = 0; i < MAX_PORTS; i++) {
        const struct net_port *p = &net->ports[(start + i) % MAX_PORTS];
        if (p->is_there && (!attached || p->hv != NOWHERE))
            return (int)((start + i) % MAX_PORTS);
    }
    return -1;
}
