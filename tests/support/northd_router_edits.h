/* northd_router_edits.h - random edits of what routers are made of beside ports and routes: gateways, and chassis in SB. For
 * northd's oracle; included by one file a test program.
 */
#pragma once

#include "support/northd_pick.h"

enum { N_HA_GROUPS = 2, N_SB_CHASSIS = 3, N_NATS = 12, N_POLICIES = 6, N_STATIC_MACS = 4 };

struct router_net {
    const struct uuid *lr, *lrp; /* of the oracle */
    size_t n_lr, n_lrp;
    struct uuid ha_group[N_HA_GROUPS], chassis[N_SB_CHASSIS], nat[N_NATS], set, policy[N_POLICIES],
        static_mac[N_STATIC_MACS];
    int nat_on[N_NATS], policy_on[N_POLICIES];
};

static const char *const router_chassis[] = {"hv0", "hv1", "hv2", "nobody"};

static void router_add_chassis(struct world *w, struct uuid *chassis, const char *name)
{
    const struct schema_table *t = world_sb_table(w, SB_TABLE_CHASSIS);
    const struct schema_table *e = world_sb_table(w, SB_TABLE_ENCAP);
    w->sb_txn = replica_txn_new(w->sb_client);
    struct uuid encap = replica_txn_insert(w->sb_txn, e);
    replica_txn_set(w->sb_txn, e, &encap, &e->columns[SB_ENCAP_COL_TYPE],
                    datum_new_string("geneve"));
    replica_txn_set(w->sb_txn, e, &encap, &e->columns[SB_ENCAP_COL_IP], datum_new_string(name));
    *chassis = replica_txn_insert(w->sb_txn, t);
    replica_txn_set(w->sb_txn, t, chassis, &t->columns[SB_CHASSIS_COL_NAME],
                    datum_new_string(name));
    replica_txn_set(w->sb_txn, t, chassis, &t->columns[SB_CHASSIS_COL_ENCAPS],
                    datum_new_uuid(&encap));
}

static void router_edit_chassis(struct world *w, struct router_net *net)
{
    size_t i = pick(w, N_SB_CHASSIS);
    struct uuid *chassis = &net->chassis[i];
    if (w->sb_txn)
        return; /* one a commit */
    if (!is_there(chassis)) {
        router_add_chassis(w, chassis, router_chassis[i]);
    } else {
        w->sb_txn = replica_txn_new(w->sb_client);
        replica_txn_delete(w->sb_txn, world_sb_table(w, SB_TABLE_CHASSIS), chassis);
        memset(chassis, 0, sizeof *chassis);
    }
}

static const struct datum *router_parent(struct world *w)
{
    union atom atom = {.string = rstr_new(PICK(w, "p1", "p2", "nobody"))};
    return datum_new_set(ATOM_STRING, &atom, 1);
}

/* A chassis claims a port, or lets it go. */
static void router_edit_claim(struct world *w, struct router_net *net)
{
    const struct schema_table *t = world_sb_table(w, SB_TABLE_PORT_BINDING);
    int chassis = pick_there(w, net->chassis, N_SB_CHASSIS);
    size_t n = replica_n_rows(w->sb_client, t), k = n ? pick(w, n) : 0;
    const struct row *row;
    if (w->sb_txn || chassis < 0)
        return;
    REPLICA_FOR_EACH(row, pos, w->sb_client, t)
    {
        if (k--)
            continue;
        w->sb_txn = replica_txn_new(w->sb_client);
        replica_txn_set(w->sb_txn, t, &row->uuid, &t->columns[SB_PORT_BINDING_COL_CHASSIS],
                        pick(w, 4) ? datum_new_uuid(&net->chassis[chassis])
                                   : datum_new_empty(ATOM_UUID, DATUM_SET));
        if (!pick(w, 3))
            replica_txn_set(w->sb_txn, t, &row->uuid,
                            &t->columns[SB_PORT_BINDING_COL_VIRTUAL_PARENT], router_parent(w));
        return;
    }
}

static const char *router_pick_chassis(struct world *w)
{
    return pick_text(w, router_chassis, ARRAY_SIZE(router_chassis));
}

/* A row of Gateway_Chassis or HA_Chassis in a set of OWNER. */
static void router_add_member(struct world *w, const char *table, const char *owner_table,
                              const struct uuid *owner, const char *column)
{
    struct uuid row = world_insert(w, table);
    world_set(w, table, &row, "chassis_name", router_pick_chassis(w));
    world_set(w, table, &row, "priority", PICK(w, "0", "10", "20", "32767"));
    if (!strcmp(table, "Gateway_Chassis")) {
        char *name = xasprintf("gc%d", (int)pick(w, 1000000));
        world_set(w, table, &row, "name", name);
        free(name);
    }
    world_link(w, owner_table, owner, column, &row, true);
}

static void router_edit_ha_group(struct world *w, struct router_net *net)
{
    size_t i = pick(w, N_HA_GROUPS);
    struct uuid *group = &net->ha_group[i];
    if (!is_there(group)) {
        *group = world_insert(w, "HA_Chassis_Group");
        world_set(w, "HA_Chassis_Group", group, "name", i ? "rp1" : "group");
    }
    if (pick(w, 3))
        router_add_member(w, "HA_Chassis", "HA_Chassis_Group", group, "ha_chassis");
    else
        world_set(w, "HA_Chassis_Group", group, "ha_chassis", "");
}

static void router_edit_gateway_port(struct world *w, struct router_net *net,
                                     const struct uuid *lrp)
{
    char text[UUID_TEXT_LEN + 1];
    const struct uuid *group = &net->ha_group[pick(w, N_HA_GROUPS)];
    switch (pick(w, 5)) {
    case 4:
        world_set(w, "Logical_Router_Port", lrp, "options",
                  PICK(w, "", "route_table=t1", "route_table=t2", "gateway_mtu=1500",
                       "gateway_mtu=1400 gateway_mtu_bypass=tcp", "gateway_mtu=nonsense",
                       "gateway_mtu=1400 gateway_mtu_bypass=nonsense"));
        break;
    case 0:
        world_set(w, "Logical_Router_Port", lrp, "gateway_chassis", "");
        world_set(w, "Logical_Router_Port", lrp, "ha_chassis_group", "");
        break;
    case 1:
        if (is_there(group))
            world_set(w, "Logical_Router_Port", lrp, "ha_chassis_group", uuid_print(group, text));
        break;
    case 2:
        world_set(w, "Logical_Router_Port", lrp, "options",
                  PICK(w, "redirect-type=bridged", "redirect-type=overlay",
                       "reside-on-redirect-chassis=true"));
        break;
    default:
        router_add_member(w, "Gateway_Chassis", "Logical_Router_Port", lrp, "gateway_chassis");
    }
}

static void router_change_nat(struct world *w, struct router_net *net, const struct uuid *nat)
{
    char text[UUID_TEXT_LEN + 1];
    switch (pick(w, 10)) {
    case 0:
        world_set(w, "NAT", nat, "external_ip",
                  PICK(w, "172.16.0.1", "172.16.0.2", "10.0.1.254", "fd00:1::77", "nonsense"));
        break;
    case 1:
        world_set(w, "NAT", nat, "logical_ip",
                  PICK(w, "10.0.0.1", "10.0.1.0/24", "10.0.0.0/16", "fd00:1::/64", "10.0.0.0/99"));
        break;
    case 2:
        world_set(w, "NAT", nat, "external_mac",
                  PICK(w, "", "0a:00:00:00:ee:01", "0a:00:00:00:ee:02", "nonsense"));
        world_set(w, "NAT", nat, "logical_port", PICK(w, "", "p1", "p2"));
        break;
    case 3:
        world_set(w, "NAT", nat, "external_port_range",
                  PICK(w, "", "1-30000", "7", "7-6", "0-9", "1-70000", "nonsense"));
        break;
    case 4:
        world_set(w, "NAT", nat, "options", PICK(w, "", "stateless=true", "stateless=no"));
        break;
    case 5:
        if (!is_there(&net->set)) {
            net->set = world_insert(w, "Address_Set");
            world_set(w, "Address_Set", &net->set, "name", "nat_set");
        }
        world_set(w, "NAT", nat, PICK(w, "allowed_ext_ips", "exempted_ext_ips"),
                  pick(w, 2) ? uuid_print(&net->set, text) : "");
        break;
    case 6: {
        int lrp = pick_there(w, net->lrp, net->n_lrp);
        world_set(w, "NAT", nat, "gateway_port",
                  lrp >= 0 && pick(w, 3) ? uuid_print(&net->lrp[lrp], text) : "");
        break;
    }
    case 7:
        world_set(w, "NAT", nat, "match", PICK(w, "", "tcp", "udp.dst == 53", "nonsense ("));
        world_set(w, "NAT", nat, "priority", PICK(w, "0", "5", "10"));
        break;
    default:
        world_set(w, "NAT", nat, "type", PICK(w, "snat", "dnat", "dnat_and_snat"));
    }
}

static void router_edit_nat(struct world *w, struct router_net *net)
{
    size_t i = pick(w, N_NATS);
    int on = pick_there(w, net->lr, net->n_lr);
    struct uuid *nat = &net->nat[i];
    if (is_there(nat) && !is_there(&net->lr[net->nat_on[i]]))
        memset(nat, 0, sizeof *nat); /* gone with its router */
    if (on < 0)
        return;
    if (!is_there(nat)) {
        *nat = world_insert(w, "NAT");
        net->nat_on[i] = on;
        world_set(w, "NAT", nat, "type", PICK(w, "snat", "dnat", "dnat_and_snat"));
        world_set(w, "NAT", nat, "external_ip",
                  PICK(w, "172.16.0.1", "172.16.0.2", "10.0.0.254", "10.0.1.200"));
        world_set(w, "NAT", nat, "logical_ip", PICK(w, "10.0.0.1", "10.0.1.2", "10.0.2.0/24"));
        world_link(w, "Logical_Router", &net->lr[on], "nat", nat, true);
    } else if (pick(w, 4)) {
        router_change_nat(w, net, nat);
    } else {
        world_link(w, "Logical_Router", &net->lr[net->nat_on[i]], "nat", nat, false);
        memset(nat, 0, sizeof *nat);
    }
}

static void router_change_policy(struct world *w, const struct uuid *policy)
{
    switch (pick(w, 4)) {
    case 0:
        world_set(w, "Logical_Router_Policy", policy, "nexthops",
                  PICK(w, "", "10.0.0.7", "10.0.0.7,10.0.1.7,10.0.2.7", "10.0.1.9,nonsense",
                       "fd00:1::7,fd00:2::7"));
        break;
    case 1:
        world_set(w, "Logical_Router_Policy", policy, "match",
                  PICK(w, "ip4.src == 10.0.0.0/24", "ip6", "tcp.dst == 80", "nonsense", "1"));
        break;
    case 2:
        world_set(w, "Logical_Router_Policy", policy, "options",
                  PICK(w, "", "pkt_mark=7", "pkt_mark=0x10", "pkt_mark=-1", "pkt_mark=nonsense"));
        break;
    default:
        world_set(w, "Logical_Router_Policy", policy, "action",
                  PICK(w, "allow", "drop", "reroute", "reroute"));
    }
}

static void router_edit_policy(struct world *w, struct router_net *net)
{
    size_t i = pick(w, N_POLICIES);
    int on = pick_there(w, net->lr, net->n_lr);
    struct uuid *policy = &net->policy[i];
    if (is_there(policy) && !is_there(&net->lr[net->policy_on[i]]))
        memset(policy, 0, sizeof *policy);
    if (on < 0)
        return;
    if (!is_there(policy)) {
        *policy = world_insert(w, "Logical_Router_Policy");
        net->policy_on[i] = on;
        world_set(w, "Logical_Router_Policy", policy, "priority", PICK(w, "1", "100", "32767"));
        world_set(w, "Logical_Router_Policy", policy, "match", "ip4");
        world_set(w, "Logical_Router_Policy", policy, "action", "reroute");
        world_set(w, "Logical_Router_Policy", policy, "nexthop", PICK(w, "10.0.0.7", "10.0.1.7"));
        world_link(w, "Logical_Router", &net->lr[on], "policies", policy, true);
    } else if (pick(w, 4)) {
        router_change_policy(w, policy);
    } else {
        world_link(w, "Logical_Router", &net->lr[net->policy_on[i]], "policies", policy, false);
        memset(policy, 0, sizeof *policy);
    }
}

static void router_edit_static_mac(struct world *w, struct router_net *net)
{
    struct uuid *row = &net->static_mac[pick(w, N_STATIC_MACS)];
    if (is_there(row)) {
        world_delete(w, "Static_MAC_Binding", row);
        memset(row, 0, sizeof *row);
        return;
    }
    *row = world_insert(w, "Static_MAC_Binding");
    char *ip = xasprintf("10.0.0.%d", (int)pick(w, 250));
    world_set(w, "Static_MAC_Binding", row, "logical_port", PICK(w, "rp1", "rp2", "rp3", "nobody"));
    world_set(w, "Static_MAC_Binding", row, "ip", pick(w, 8) ? ip : "nonsense");
    world_set(w, "Static_MAC_Binding", row, "mac", PICK(w, "0a:00:00:00:dd:01", "nonsense"));
    world_set(w, "Static_MAC_Binding", row, "override_dynamic_mac", PICK(w, "true", "false"));
    free(ip);
}

static void router_edit_ra(struct world *w, const struct uuid *lrp)
{
    world_set(w, "Logical_Router_Port", lrp, "ipv6_ra_configs",
              PICK(w, "", "address_mode=slaac", "address_mode=nonsense",
                   "address_mode=slaac mtu=1500 send_periodic=true",
                   "address_mode=dhcpv6_stateful mtu=12 max_interval=4 send_periodic=true",
                   "address_mode=slaac rdnss=fd00::53 dnssl=a.b route_info=HIGH-fd00::/48 "
                   "router_preference=LOW min_interval=9999",
                   "address_mode=slaac rdnss=nonsense", "address_mode=slaac dnssl=\"quoted\\"));
}

/* Where the ports are, now and then with what they announce. */
static void router_edit_announcement(struct world *w)
{
    const struct row *row;
    size_t n = pick(w, 30);
    REPLICA_FOR_EACH(row, pos, w->nb_client, replica_table(w->nb_client, "Logical_Switch_Port"))
    {
        const struct nb_logical_switch_port *lsp = nb_logical_switch_port_cast(row);
        const char *to = nb_logical_switch_port_options_value(lsp, "router-port");
        if (!to || n--)
            continue;
        char *text = xasprintf("router-port=%s nat-addresses=%s", to,
                               PICK(w, "router", "router", "0a:00:00:00:01:02", "nonsense",
                                    "router exclude-lb-vips-from-garp=true"));
        world_set(w, "Logical_Switch_Port", &row->uuid, "options", text);
        free(text);
        return;
    }
}

static UNUSED void router_edit(struct world *w, struct router_net *net)
{
    int lr = pick_there(w, net->lr, net->n_lr), lrp = pick_there(w, net->lrp, net->n_lrp);
    switch (pick(w, 14)) {
    case 12:
    case 13:
        router_edit_claim(w, net);
        break;
    case 10:
        router_edit_static_mac(w, net);
        break;
    case 11:
        if (lrp >= 0)
            router_edit_ra(w, &net->lrp[lrp]);
        break;
    case 8:
    case 9:
        router_edit_policy(w, net);
        break;
    case 4:
        router_edit_announcement(w);
        break;
    case 5:
    case 6:
    case 7:
        router_edit_nat(w, net);
        break;
    case 0:
        router_edit_chassis(w, net);
        break;
    case 1:
        router_edit_ha_group(w, net);
        break;
    case 2:
        if (lr >= 0)
            world_set(w, "Logical_Router", &net->lr[lr], "options",
                      PICK(w, "", "chassis=hv1", "chassis=hv0", "chassis=",
                           "chassis=hv1 dnat_force_snat_ip=10.0.0.254 lb_force_snat_ip=router_ip",
                           "dynamic_neigh_routers=true snat-ct-zone=7",
                           "mac_binding_age_threshold=60",
                           "chassis=hv0 dnat_force_snat_ip=nonsense lb_force_snat_ip=10.9.9.9"));
        break;
    default:
        if (lrp >= 0)
            router_edit_gateway_port(w, net, &net->lrp[lrp]);
    }
}
