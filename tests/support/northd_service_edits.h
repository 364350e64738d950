/* northd_service_edits.h - random edits of the services of a network: load balancers and their groups, DHCP
 * options, DNS records, address management. For northd's oracle;
 * included by one file a test program.
 */
#pragma once

#include "support/northd_pick.h"

enum { N_LBS = 6, N_LB_GROUPS = 2, N_DHCP = 4, N_DNS = 2 };

struct service_net {
    const struct uuid *ls, *lr, *lsp; /* of the oracle */
    size_t n_ls, n_lr, n_lsp;
    struct uuid lb[N_LBS], lb_group[N_LB_GROUPS], dhcp[N_DHCP], dns[N_DNS];
};

/* --- Load balancers */

static char *service_backends(struct world *w)
{
    switch (pick(w, 5)) {
    case 0:
        return xstrdup(PICK(w, "", ",", "nonsense", "10.0.0.1:0", "10.0.0.1:80:80", "10.0.0.1"));
    case 1:
        return xasprintf("10.0.0.%u:80", 1 + (unsigned)pick(w, 3));
    case 2:
        return xstrdup("[fd00::1]:80,[fd00::2]:8080,10.0.0.1:80");
    case 3:
        return xstrdup("10.0.1.1,fd00::3,10.0.2.2:99");
    default:
        return xasprintf("10.0.0.%u:80,10.0.1.%u:8080", 1 + (unsigned)pick(w, 3),
                         1 + (unsigned)pick(w, 3));
    }
}

static void service_set_vips(struct world *w, const struct uuid *lb)
{
    struct str s = STR_INIT;
    for (size_t i = pick(w, 4); i-- > 0;) {
        char *backends = service_backends(w);
        str_putf(&s, "%s=%s ",
                 PICK(w, "30.0.0.1:80", "30.0.0.2:53", "30.0.0.3", "10.0.1.77:80",
                      "[fd00:30::1]:80", "fd00:30::2", "10.0.0.254:443", "30.0.0.300:80",
                      "30.0.0.1:65536", "x"),
                 backends);
        free(backends);
    }
    world_set(w, "Load_Balancer", lb, "vips", str_c(&s));
    str_fini(&s);
}

/* Health checks, the ports of the backends, and what the controllers found. */
static void service_change_checks(struct world *w, const struct uuid *lb)
{
    struct uuid check;
    const struct schema_table *t = world_sb_table(w, SB_TABLE_SERVICE_MONITOR);
    size_t n = replica_n_rows(w->sb_client, t), k = n ? pick(w, n) : 0;
    const struct row *row;
    union atom atom;
    switch (pick(w, 4)) {
    case 0:
        world_set(w, "Load_Balancer", lb, "ip_port_mappings",
                  PICK(w, "", "10.0.0.1=p1:10.0.0.200 10.0.0.2=p2:10.0.0.200 10.0.0.3=p3:10.0.0.9",
                       "10.0.0.1=p2:10.0.0.201 [fd00::1]=p1:[fd00::99]", "10.0.0.1=nonsense x=y"));
        break;
    case 1:
        check = world_insert(w, "Load_Balancer_Health_Check");
        world_set(w, "Load_Balancer_Health_Check", &check, "vip",
                  PICK(w, "30.0.0.1:80", "30.0.0.2:53", "[fd00:30::1]:80", "nonsense"));
        world_set(w, "Load_Balancer_Health_Check", &check, "options", PICK(w, "", "interval=5"));
        world_link(w, "Load_Balancer", lb, "health_check", &check, true);
        break;
    case 2:
        if (pick(w, 3) == 0)
            world_set(w, "Load_Balancer", lb, "health_check", "");
        break;
    default:
        if (w->sb_txn)
            return;
        REPLICA_FOR_EACH(row, pos, w->sb_client, t)
        {
            if (k--)
                continue;
            atom.string = rstr_new(PICK(w, "online", "offline", "error"));
            w->sb_txn = replica_txn_new(w->sb_client);
            replica_txn_set(w->sb_txn, t, &row->uuid, &t->columns[SB_SERVICE_MONITOR_COL_STATUS],
                            datum_new_set(ATOM_STRING, &atom, 1));
            return;
        }
    }
}

static void service_change_lb(struct world *w, const struct uuid *lb)
{
    switch (pick(w, 6)) {
    case 0:
        world_set(w, "Load_Balancer", lb, "protocol", PICK(w, "", "tcp", "udp", "sctp"));
        break;
    case 1:
        world_set(w, "Load_Balancer", lb, "selection_fields",
                  PICK(w, "", "ip_src", "ip_src,tp_src", "eth_dst,tp_dst"));
        break;
    case 2:
        world_set(w, "Load_Balancer", lb, "options",
                  PICK(w, "", "reject=true", "event=true", "skip_snat=true", "affinity_timeout=60",
                       "affinity_timeout=99999 skip_snat=true", "affinity_timeout=x",
                       "neighbor_responder=all", "neighbor_responder=none",
                       "hairpin_snat_ip=9.9.9.9"));
        break;
    case 3:
        service_change_checks(w, lb);
        break;
    default:
        service_set_vips(w, lb);
    }
}

/* Puts a load balancer or a group on a datapath, or takes it off. */
static void service_place(struct world *w, struct service_net *net, const char *column,
                          const struct uuid *what)
{
    bool on_router = pick(w, 2);
    int dp = on_router ? pick_there(w, net->lr, net->n_lr) : pick_there(w, net->ls, net->n_ls);
    if (dp >= 0)
        world_link(w, on_router ? "Logical_Router" : "Logical_Switch",
                   on_router ? &net->lr[dp] : &net->ls[dp], column, what, pick(w, 3));
}

static void service_edit_lb(struct world *w, struct service_net *net)
{
    struct uuid *lb = &net->lb[pick(w, N_LBS)];
    if (!is_there(lb)) {
        *lb = world_insert(w, "Load_Balancer");
        world_set(w, "Load_Balancer", lb, "name", "lb");
        service_set_vips(w, lb);
        service_place(w, net, "load_balancer", lb);
    } else if (!pick(w, 8)) {
        world_delete(w, "Load_Balancer", lb);
        memset(lb, 0, sizeof *lb);
    } else if (pick(w, 2)) {
        service_place(w, net, "load_balancer", lb);
    } else {
        service_change_lb(w, lb);
    }
}

static void service_edit_lb_group(struct world *w, struct service_net *net)
{
    size_t i = pick(w, N_LB_GROUPS);
    struct uuid *group = &net->lb_group[i];
    int lb = pick_there(w, net->lb, N_LBS);
    if (!is_there(group)) {
        *group = world_insert(w, "Load_Balancer_Group");
        world_set(w, "Load_Balancer_Group", group, "name", i ? "g1" : "g0");
    } else if (pick(w, 2)) {
        service_place(w, net, "load_balancer_group", group);
    } else if (lb >= 0) {
        world_link(w, "Load_Balancer_Group", group, "load_balancer", &net->lb[lb], pick(w, 3));
    }
}

static void service_edit_router(struct world *w, struct service_net *net)
{
    int lr = pick_there(w, net->lr, net->n_lr);
    if (lr >= 0)
        world_set(w, "Logical_Router", &net->lr[lr], "options",
                  PICK(w, "chassis=hv1 lb_force_snat_ip=router_ip",
                       "chassis=hv1 lb_force_snat_ip=20.0.0.1", "lb_force_snat_ip=20.0.0.1",
                       "chassis=hv0 lb_force_snat_ip=nonsense", ""));
}

/* --- DHCP */

static void service_set_dhcp(struct world *w, const struct uuid *dhcp, bool v6)
{
    const char *options =
        v6 ? PICK(w, "server_id=00:00:00:10:00:01",
                  "server_id=00:00:00:10:00:01 dns_server=fd00::53",
                  "server_id=00:00:00:10:00:01 dhcpv6_stateless=true", "server_id=10.0.0.1", "",
                  "server_id=00:00:00:10:00:01 domain_search=\"x.org\"")
           : PICK(
                 w, "server_id=10.0.0.254 server_mac=c0:ff:ee:00:00:01 lease_time=3600",
                 "server_id=10.0.0.254 server_mac=c0:ff:ee:00:00:01 lease_time=3600 mtu=zzz",
                 "server_id=10.0.0.254 server_mac=c0:ff:ee:00:00:01 lease_time=1 netmask=255.0.0.0",
                 "server_id=10.0.0.254 server_mac=c0:ff:ee:00:00:01 lease_time=1 mtu=1);next;",
                 "server_id=10.0.0.254 server_mac=c0:ff:ee:00:00:01 lease_time=1 hostname=\"h\"",
                 "server_id=10.0.0.254 lease_time=3600", "server_mac=nonsense", "");
    world_set(w, "DHCP_Options", dhcp, "options", options);
    world_set(w, "DHCP_Options", dhcp, "cidr",
              v6 ? PICK(w, "fd00:1::/64", "fd00::/16")
                 : PICK(w, "10.0.0.0/24", "10.0.1.0/24", "10.0.0.0/8", "nonsense"));
}

static void service_edit_dhcp(struct world *w, struct service_net *net)
{
    size_t i = pick(w, N_DHCP);
    struct uuid *dhcp = &net->dhcp[i];
    int lsp = pick_there(w, net->lsp, net->n_lsp);
    char text[UUID_TEXT_LEN + 1];
    if (!is_there(dhcp)) {
        *dhcp = world_insert(w, "DHCP_Options");
        service_set_dhcp(w, dhcp, i % 2);
    } else if (!pick(w, 10)) {
        world_delete(w, "DHCP_Options", dhcp);
        memset(dhcp, 0, sizeof *dhcp);
    } else if (pick(w, 2)) {
        service_set_dhcp(w, dhcp, i % 2);
    } else if (lsp >= 0) {
        world_set(w, "Logical_Switch_Port", &net->lsp[lsp],
                  i % 2 ? "dhcpv6_options" : "dhcpv4_options",
                  pick(w, 4) ? uuid_print(dhcp, text) : "");
        if (!pick(w, 4))
            world_set(w, "Logical_Switch_Port", &net->lsp[lsp], "options",
                      PICK(w, "hostname=web", "hostname=a\"b", ""));
    }
}

/* --- DNS */

static void service_edit_dns(struct world *w, struct service_net *net)
{
    struct uuid *dns = &net->dns[pick(w, N_DNS)];
    int ls = pick_there(w, net->ls, net->n_ls);
    if (!is_there(dns)) {
        *dns = world_insert(w, "DNS");
    } else if (!pick(w, 8)) {
        world_delete(w, "DNS", dns);
        memset(dns, 0, sizeof *dns);
        return;
    }
    if (pick(w, 2))
        world_set(w, "DNS", dns, "records",
                  PICK(w, "", "vm1=10.0.0.1", "vm1=10.0.0.1,fd00::1 x=y"));
    else if (ls >= 0)
        world_link(w, "Logical_Switch", &net->ls[ls], "dns_records", dns, pick(w, 3));
}

/* --- Address management */

static void service_edit_subnet(struct world *w, struct service_net *net)
{
    int ls = pick_there(w, net->ls, net->n_ls);
    if (ls >= 0)
        world_set(w, "Logical_Switch", &net->ls[ls], "other_config",
                  PICK(w, "subnet=10.0.0.0/24", "subnet=10.0.0.0/29 ipv6_prefix=fd00:1::/64", "",
                       "subnet=10.0.0.0/24 exclude_ips=10.0.0.2..10.0.0.9", "mac_only=true",
                       "subnet=10.0.0.0/24 exclude_ips=x..10.0.0.9", "subnet=nonsense",
                       "subnet=10.0.0.0/30", "ipv6_prefix=fd00::", "requested-tnl-key=7",
                       "requested-tnl-key=8", "vlan-passthru=true", "fdb_age_threshold=1"));
}

static void service_edit_dynamic(struct world *w, struct service_net *net)
{
    int lsp = pick_there(w, net->lsp, net->n_lsp);
    if (lsp >= 0)
        world_set(w, "Logical_Switch_Port", &net->lsp[lsp], "addresses",
                  PICK(w, "dynamic", "dynamic", "0a:00:00:00:00:77 dynamic", "dynamic 10.0.0.4",
                       "dynamic 10.0.0.5 fd00::5", "dynamic 99.0.0.1", "dynamic,unknown",
                       "dynamic,0a:00:00:00:00:78 10.0.0.3"));
    if (lsp >= 0 && !pick(w, 6))
        world_set(w, "Logical_Switch_Port", &net->lsp[lsp], "dynamic_addresses",
                  PICK(w, "", "nonsense", "0a:00:00:00:00:01 10.0.0.3", "0a:00:00:00:00:01"));
}

static UNUSED void service_edit(struct world *w, struct service_net *net)
{
    static void (*const edits[])(struct world *, struct service_net *) = {
        service_edit_lb,     service_edit_lb,     service_edit_lb_group,
        service_edit_router, service_edit_dhcp,   service_edit_dns,
        service_edit_dhcp,   service_edit_subnet, service_edit_dynamic};
    edits[pick(w, ARRAY_SIZE(edits))](w, net);
}
