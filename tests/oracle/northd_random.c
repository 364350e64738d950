/* northd_random.c - random edits of NB, and after each the southbound database must be what a northd that has seen nothing of the
 * past makes of the same NB with the same keys (docs/architecture.md). Now and then northd is started anew, which must write
 * nothing, and somebody damages SB, which must heal. The engine's own comparison (verify) runs after each settle.
 *
 *     oracle_northd_random [SEED [EDITS]]
 */
#include "support/northd_world.h"

#include <stdio.h>

#include "base/log.h"
#include "support/northd_acl_edits.h"
#include "support/northd_pick.h"
#include "support/northd_router_edits.h"
#include "support/northd_schema_edits.h"
#include "support/northd_service_edits.h"

enum { N_SWITCHES = 6, N_ROUTERS = 3, N_PORTS = 30, N_ROUTER_PORTS = 9, N_ROUTES = 16 };

/* What may exist: uuids are zero for what does not. */
struct net {
    struct uuid ls[N_SWITCHES], lr[N_ROUTERS], lsp[N_PORTS], lrp[N_ROUTER_PORTS], route[N_ROUTES];
    struct router_net router;
    struct service_net service;
    int lsp_on[N_PORTS], lrp_on[N_ROUTER_PORTS], route_on[N_ROUTES];
};

/* An address column that now and then makes no sense. Digits are few, so that things meet. */
static char *addresses(struct world *w)
{
    unsigned a = (unsigned)pick(w, 4), b = (unsigned)pick(w, 20);
    switch (pick(w, 9)) {
    case 0:
        return xstrdup("unknown");
    case 1:
        return xasprintf("0a:00:00:00:%02x:%02x", a, b);
    case 2:
        return xasprintf("0a:00:00:00:%02x:%02x 10.0.%u.%u,unknown", a, b, a, b + 1);
    case 3:
        return xasprintf("0a:00:00:00:%02x:%02x 10.0.%u.%u fd00:%u::%u", a, b, a, b + 1, a, b + 1);
    case 4:
        return xasprintf("0a:00:00:00:%02x:%02x 10.0.%u.%u,0a:00:00:00:01:%02x 10.0.%u.%u", a, b, a,
                         b + 1, b, a, b + 30);
    case 5:
        return xstrdup("router");
    case 6:
        return xstrdup(PICK(w, "nonsense", "0a:00:00:00:00:01 10.0.0.300", "dynamic", ""));
    default:
        return xasprintf("0a:00:00:00:%02x:%02x 10.0.%u.%u", a, b, a, b + 1);
    }
}

static char *networks(struct world *w)
{
    unsigned a = (unsigned)pick(w, 4);
    switch (pick(w, 6)) {
    case 0:
        return xasprintf("10.0.%u.254/24,fd00:%u::ff/64", a, a);
    case 1:
        return xasprintf("10.0.%u.254/16", a);
    case 2:
        return xasprintf("10.0.%u.254/24,10.1.%u.254/24", a, a);
    case 3:
        return xstrdup(PICK(w, "nonsense", "10.0.0.1/33", "192.168.0.1/32", ""));
    default:
        return xasprintf("10.0.%u.254/24", a);
    }
}

static void edit_switch(struct world *w, struct net *net)
{
    size_t i = pick(w, N_SWITCHES);
    char name[16];
    snprintf(name, sizeof name, "ls%zu", i);
    if (!is_there(&net->ls[i])) {
        net->ls[i] = world_switch(w, name);
    } else if (pick(w, 4)) {
        world_set(w, "Logical_Switch", &net->ls[i], "name", PICK(w, "x", "y", name));
    } else {
        world_delete(w, "Logical_Switch", &net->ls[i]);
        memset(&net->ls[i], 0, sizeof net->ls[i]);
        for (size_t p = 0; p < N_PORTS; p++)
            if (net->lsp_on[p] == (int)i)
                memset(&net->lsp[p], 0, sizeof net->lsp[p]);
    }
}

static void edit_router(struct world *w, struct net *net)
{
    size_t i = pick(w, N_ROUTERS);
    char name[16];
    snprintf(name, sizeof name, "lr%zu", i);
    if (!is_there(&net->lr[i])) {
        net->lr[i] = world_router(w, name);
    } else if (pick(w, 5)) {
        world_set(w, "Logical_Router", &net->lr[i], "enabled", PICK(w, "true", "false", ""));
        world_set(w, "Logical_Router", &net->lr[i], "options",
                  PICK(w, "", "learn-from-any-reply=true", "always_learn_from_arp_request=true",
                       "requested-tnl-key=7", "mac_binding_age_threshold=10"));
    } else {
        world_delete(w, "Logical_Router", &net->lr[i]);
        memset(&net->lr[i], 0, sizeof net->lr[i]);
        for (size_t p = 0; p < N_ROUTER_PORTS; p++)
            if (net->lrp_on[p] == (int)i)
                memset(&net->lrp[p], 0, sizeof net->lrp[p]);
        for (size_t r = 0; r < N_ROUTES; r++)
            if (net->route_on[r] == (int)i)
                memset(&net->route[r], 0, sizeof net->route[r]);
    }
}

static void change_port(struct world *w, struct net *net, size_t i)
{
    const struct uuid *lsp = &net->lsp[i];
    char *text, uuid[UUID_TEXT_LEN + 1];
    switch (pick(w, 6)) {
    case 0:
        world_set(w, "Logical_Switch_Port", lsp, "enabled", PICK(w, "true", "false", ""));
        break;
    case 1:
        world_set(w, "Logical_Switch_Port", lsp, "type",
                  PICK(w, "", "router", "localnet", "localport", "virtual", "external", "other"));
        world_set(w, "Logical_Switch_Port", lsp, "ha_chassis_group",
                  is_there(&net->router.ha_group[0]) && pick(w, 2)
                      ? uuid_print(&net->router.ha_group[0], uuid)
                      : "");
        break;
    case 2:
        text = xasprintf("router-port=rp%d", (int)pick(w, N_ROUTER_PORTS));
        world_set(w, "Logical_Switch_Port", lsp, "options",
                  pick(w, 3) ? text
                             : PICK(w, "requested-tnl-key=3", "requested-tnl-key=x",
                                    "disable_arp_nd_rsp=true", "requested-chassis=hv1",
                                    "requested-chassis=hv0,hv1,nobody",
                                    "virtual-ip=10.0.0.9 virtual-parents=p1,p2,p3",
                                    "router-port=rp1 arp_proxy=10.0.7.0/24,fd00::/64",
                                    "router-port=rp2 arp_proxy=nonsense"));
        free(text);
        break;
    case 3: {
        int to = pick_there(w, net->ls, N_SWITCHES);
        world_link(w, "Logical_Switch", &net->ls[net->lsp_on[i]], "ports", lsp, false);
        world_link(w, "Logical_Switch", &net->ls[to], "ports", lsp, true);
        net->lsp_on[i] = to;
        break;
    }
    default:
        text = addresses(w);
        world_set(w, "Logical_Switch_Port", lsp, "addresses", text);
        free(text);
    }
}

static void edit_port(struct world *w, struct net *net)
{
    size_t i = pick(w, N_PORTS);
    int on = pick_there(w, net->ls, N_SWITCHES);
    char name[16];
    if (on < 0)
        return;
    if (is_there(&net->lsp[i]) && pick(w, 4)) {
        change_port(w, net, i);
    } else if (is_there(&net->lsp[i])) {
        world_link(w, "Logical_Switch", &net->ls[net->lsp_on[i]], "ports", &net->lsp[i], false);
        memset(&net->lsp[i], 0, sizeof net->lsp[i]);
    } else {
        char *text = addresses(w);
        snprintf(name, sizeof name, "p%zu", i);
        if (pick(w, 3)) {
            net->lsp[i] = world_port(w, &net->ls[on], name, text);
        } else {
            char peer[16];
            snprintf(peer, sizeof peer, "rp%d", (int)pick(w, N_ROUTER_PORTS));
            net->lsp[i] = world_attach(w, &net->ls[on], name, peer);
        }
        net->lsp_on[i] = on;
        free(text);
    }
}

static void change_router_port(struct world *w, const struct uuid *lrp)
{
    char *text;
    switch (pick(w, 5)) {
    case 0:
        world_set(w, "Logical_Router_Port", lrp, "enabled", PICK(w, "true", "false", ""));
        break;
    case 1:
        world_set(w, "Logical_Router_Port", lrp, "mac",
                  PICK(w, "0a:00:00:00:ff:01", "0a:00:00:00:ff:02", "nonsense"));
        break;
    case 2:
        text = xasprintf("rp%d", (int)pick(w, N_ROUTER_PORTS));
        world_set(w, "Logical_Router_Port", lrp, "peer", pick(w, 2) ? text : "");
        free(text);
        break;
    case 3:
        world_set(w, "Logical_Router_Port", lrp, "options",
                  PICK(w, "", "arp-reply-any-sender=true", "requested-tnl-key=2"));
        break;
    default:
        text = networks(w);
        world_set(w, "Logical_Router_Port", lrp, "networks", text);
        free(text);
    }
}

static void edit_router_port(struct world *w, struct net *net)
{
    size_t i = pick(w, N_ROUTER_PORTS);
    int on = pick_there(w, net->lr, N_ROUTERS);
    char name[16], mac[24];
    if (on < 0)
        return;
    if (is_there(&net->lrp[i]) && pick(w, 4)) {
        change_router_port(w, &net->lrp[i]);
    } else if (is_there(&net->lrp[i])) {
        world_link(w, "Logical_Router", &net->lr[net->lrp_on[i]], "ports", &net->lrp[i], false);
        memset(&net->lrp[i], 0, sizeof net->lrp[i]);
    } else {
        char *text = networks(w);
        /* Now and then the name of a switch port. */
        snprintf(name, sizeof name, pick(w, 12) ? "rp%zu" : "p%zu", i);
        snprintf(mac, sizeof mac, "0a:00:00:00:fe:%02zx", i);
        net->lrp[i] = world_router_port(w, &net->lr[on], name, mac, text);
        net->lrp_on[i] = on;
        free(text);
    }
}

static void edit_route(struct world *w, struct net *net)
{
    size_t i = pick(w, N_ROUTES);
    int on = pick_there(w, net->lr, N_ROUTERS);
    if (on < 0)
        return;
    if (!is_there(&net->route[i])) {
        net->route[i] = world_route(
            w, &net->lr[on],
            PICK(w, "0.0.0.0/0", "20.0.0.0/8", "10.0.1.0/24", "::/0", "nonsense", "20.0.0.0/8"),
            PICK(w, "10.0.0.7", "10.0.1.9", "10.0.2.9", "fd00:1::9", "discard", "nonsense"));
        net->route_on[i] = on;
    } else if (pick(w, 3)) {
        world_set(w, "Logical_Router_Static_Route", &net->route[i], "policy",
                  PICK(w, "", "src-ip", "dst-ip"));
        world_set(w, "Logical_Router_Static_Route", &net->route[i], "route_table",
                  PICK(w, "", "", "t1", "t2"));
        world_set(w, "Logical_Router_Static_Route", &net->route[i], "options",
                  PICK(w, "", "ecmp_symmetric_reply=true"));
        world_set(w, "Logical_Router_Static_Route", &net->route[i], "output_port",
                  PICK(w, "", "rp1", "rp2", "rp3"));
    } else {
        world_link(w, "Logical_Router", &net->lr[net->route_on[i]], "static_routes", &net->route[i],
                   false);
        memset(&net->route[i], 0, sizeof net->route[i]);
    }
}

/* The rooms' own edits. */
static void edit_more(struct world *w, struct net *net)
{
    switch (pick(w, 4)) {
    case 3:
        schema_edit(w);
        break;
    case 0:
        router_edit(w, &net->router);
        break;
    case 1:
        acl_edit(w);
        break;
    default:
        service_edit(w, &net->service);
    }
}

static bool edit(struct world *w, struct net *net)
{
    static void (*const edits[])(struct world *, struct net *) = {
        edit_switch, edit_router,      edit_port,        edit_port,        edit_port,
        edit_port,   edit_router_port, edit_router_port, edit_router_port, edit_route,
        edit_more,   edit_more,        edit_more,        edit_more};
    size_t n = 1 + pick(w, 3);
    struct net before = *net;
    for (size_t i = 0; i < n; i++)
        edits[pick(w, ARRAY_SIZE(edits))](w, net);
    if (!world_commit(w))
        return true;
    *net = before; /* refused: names that clash */
    return false;
}

/* --- Comparison */

/* Copies the rows of a table with their uuids, so that references hold. */
static void copy_rows(struct replica *from, struct replica_txn *to, const struct replica *to_r,
                      size_t table, const int *columns, size_t n)
{
    const struct schema_table *t = &replica_schema(from)->tables[table];
    const struct schema_table *u = &replica_schema(to_r)->tables[table];
    const struct row *row;
    REPLICA_FOR_EACH(row, pos, from, t)
    {
        replica_txn_insert_as(to, u, &row->uuid);
        for (size_t i = 0; i < (n ? n : t->n_columns); i++) {
            size_t c = n ? (size_t)columns[i] : i;
            replica_txn_set(to, u, &row->uuid, &u->columns[c], datum_ref(row->values[c]));
        }
    }
}

static void copy_world(struct world *from, struct world *to)
{
    static const int dp[] = {SB_DATAPATH_BINDING_COL_EXTERNAL_IDS,
                             SB_DATAPATH_BINDING_COL_TUNNEL_KEY};
    static const int port[] = {
        SB_PORT_BINDING_COL_CHASSIS,      SB_PORT_BINDING_COL_DATAPATH,
        SB_PORT_BINDING_COL_LOGICAL_PORT, SB_PORT_BINDING_COL_TUNNEL_KEY,
        SB_PORT_BINDING_COL_UP,           SB_PORT_BINDING_COL_VIRTUAL_PARENT};
    to->txn = replica_txn_new(to->nb_client);
    to->sb_txn = replica_txn_new(to->sb_client);
    for (size_t i = 0; i < replica_schema(to->nb_client)->n_tables; i++)
        copy_rows(from->nb_client, to->txn, to->nb_client, i, NULL, 0);
    copy_rows(from->sb_client, to->sb_txn, to->sb_client, SB_TABLE_CHASSIS, NULL, 0);
    copy_rows(from->sb_client, to->sb_txn, to->sb_client, SB_TABLE_ENCAP, NULL, 0);
    copy_rows(from->sb_client, to->sb_txn, to->sb_client, SB_TABLE_SERVICE_MONITOR, NULL, 0);
    copy_rows(from->sb_client, to->sb_txn, to->sb_client, SB_TABLE_DATAPATH_BINDING, dp,
              ARRAY_SIZE(dp));
    copy_rows(from->sb_client, to->sb_txn, to->sb_client, SB_TABLE_PORT_BINDING, port,
              ARRAY_SIZE(port));
    assert_int_equal(world_commit(to), 0);
}

static void compare(struct world *w, int edit_number)
{
    struct world fresh;
    world_open(&fresh, 1);
    world_stop(&fresh);
    copy_world(w, &fresh);
    fresh.part = edit_number % 40; /* written in parts, but for one of forty */
    world_start(&fresh);
    world_settle(&fresh);
    line_vec ours = world_dump(w), theirs = world_dump(&fresh);
    for (size_t i = 0; i < MAX(ours.n, theirs.n); i++)
        if (i >= ours.n || i >= theirs.n || strcmp(ours.data[i], theirs.data[i]))
            fail_msg("after edit %d:\nincremental  %s\nfrom nothing %s", edit_number,
                     i < ours.n ? ours.data[i] : "(end)", i < theirs.n ? theirs.data[i] : "(end)");
    world_free_lines(&ours);
    world_free_lines(&theirs);
    world_close(&fresh);
}

static void restart(struct world *w)
{
    world_stop(w);
    w->part = pick(w, 3) ? 0 : 1 + pick(w, 20);
    world_start(w);
    world_settle(w);
    assert_int_equal(northd_n_transactions(w->northd), 0);
}

/* --- Damage by others */

static const struct row *any_row(struct world *w, size_t table)
{
    const struct schema_table *t = world_sb_table(w, table);
    size_t n = replica_n_rows(w->sb_client, t), k = n ? pick(w, n) : 0;
    const struct row *row;
    REPLICA_FOR_EACH(row, pos, w->sb_client, t)
    if (!k--)
        return row;
    return NULL;
}

static void damage_row(struct world *w, size_t table, int column, const struct datum *value)
{
    const struct row *row = any_row(w, table);
    if (row)
        replica_txn_set(w->sb_txn, row->table, &row->uuid, &row->table->columns[column],
                        datum_ref(value));
    datum_unref(value);
}

static void damage(struct world *w)
{
    const struct row *row;
    w->sb_txn = replica_txn_new(w->sb_client);
    switch (pick(w, 9)) {
    case 0:
        if ((row = any_row(w, SB_TABLE_LOGICAL_FLOW)) != NULL)
            replica_txn_delete(w->sb_txn, row->table, &row->uuid);
        break;
    case 1:
        damage_row(w, SB_TABLE_LOGICAL_FLOW, SB_LOGICAL_FLOW_COL_PRIORITY, datum_new_integer(7));
        break;
    case 2:
        damage_row(w, SB_TABLE_MULTICAST_GROUP, SB_MULTICAST_GROUP_COL_PORTS,
                   datum_new_empty(ATOM_UUID, DATUM_SET));
        break;
    case 3:
        damage_row(w, SB_TABLE_LOGICAL_DP_GROUP, SB_LOGICAL_DP_GROUP_COL_DATAPATHS,
                   datum_new_empty(ATOM_UUID, DATUM_SET));
        break;
    case 4:
        damage_row(w, SB_TABLE_PORT_BINDING, SB_PORT_BINDING_COL_MAC,
                   datum_new_empty(ATOM_STRING, DATUM_SET));
        break;
    case 5:
        if ((row = any_row(w, SB_TABLE_MULTICAST_GROUP)) != NULL)
            replica_txn_delete(w->sb_txn, row->table, &row->uuid);
        break;
    case 6:
        damage_row(w, SB_TABLE_ADDRESS_SET, SB_ADDRESS_SET_COL_ADDRESSES,
                   datum_new_string("10.9.9.9"));
        break;
    case 7:
        if ((row = any_row(w, SB_TABLE_PORT_GROUP)) != NULL)
            replica_txn_delete(w->sb_txn, row->table, &row->uuid);
        break;
    default:
        if ((row = any_row(w, SB_TABLE_DATAPATH_BINDING)) != NULL) {
            const struct schema_table *t = world_sb_table(w, SB_TABLE_LOGICAL_FLOW);
            struct uuid uuid = replica_txn_insert(w->sb_txn, t);
            replica_txn_set(w->sb_txn, t, &uuid, &t->columns[SB_LOGICAL_FLOW_COL_PIPELINE],
                            datum_new_string("ingress"));
            replica_txn_set(w->sb_txn, t, &uuid, &t->columns[SB_LOGICAL_FLOW_COL_MATCH],
                            datum_new_string("1"));
            replica_txn_set(w->sb_txn, t, &uuid, &t->columns[SB_LOGICAL_FLOW_COL_LOGICAL_DATAPATH],
                            datum_new_uuid(&row->uuid));
        }
    }
    world_commit(w);
    world_settle(w);
}

static void random_edits(void **state)
{
    const long *args = *state;
    size_t n_lines = 0, n_refused = 0;
    struct world w;
    struct net net = {0};
    net.router.lr = net.lr;
    net.router.lrp = net.lrp;
    net.router.n_lr = N_ROUTERS;
    net.router.n_lrp = N_ROUTER_PORTS;
    net.service = (struct service_net){.ls = net.ls,
                                       .lr = net.lr,
                                       .lsp = net.lsp,
                                       .n_ls = N_SWITCHES,
                                       .n_lr = N_ROUTERS,
                                       .n_lsp = N_PORTS};
    world_open(&w, (uint64_t)args[0]);
    world_settle(&w);
    for (int i = 0; i < args[1]; i++) {
        n_refused += !edit(&w, &net);
        world_settle(&w);
        compare(&w, i);
        n_lines = MAX(n_lines, world_count(&w, "", NULL));
        if (i % 17 == 0)
            restart(&w);
        if (i % 11 == 0) {
            damage(&w);
            compare(&w, i);
        }
    }
    print_message("%ld edits, %zu refused, at most %zu lines in SB\n", args[1], n_refused, n_lines);
    assert_true(n_refused * 2 < (size_t)args[1]);
    world_close(&w);
}

int main(int argc, char **argv)
{
    log_set_level(NULL, LOG_ERR);
    long args[2] = {argc > 1 ? atol(argv[1]) : 1, argc > 2 ? atol(argv[2]) : 400};
    const struct CMUnitTest tests[] = {cmocka_unit_test_prestate(random_edits, args)};
    return cmocka_run_group_tests_name("northd random", tests, NULL, NULL);
}
