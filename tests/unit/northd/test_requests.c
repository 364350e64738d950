/* test_requests.c - what rows ask for beside what they are: tunnel keys of their own, ports that answer for themselves or only while they are up,
 * VLANs that pass, and what is told back of gateways; and rows of SB that grow old.
 */
#include "support/northd_test.h"

struct net {
    struct world w;
    struct uuid ls, lr, p1, p2, lrp;
};

static int setup(void **state)
{
    struct net *n = begin(state, sizeof *n);
    struct world *w = &n->w;
    n->ls = world_switch(w, "sw0");
    n->lr = world_router(w, "lr0");
    n->p1 = world_port(w, &n->ls, "p1", "0a:00:00:00:00:01 10.0.0.1");
    n->p2 = world_port(w, &n->ls, "p2", "0a:00:00:00:00:02 10.0.0.2");
    n->lrp = world_router_port(w, &n->lr, "rp", "0a:00:00:00:ff:01", "10.0.0.254/24");
    world_attach(w, &n->ls, "sw0-lr0", "rp");
    commit(w);
    return 0;
}

static int64_t key_of(struct world *w, const char *port)
{
    struct uuid pb = sb_row(w, SB_TABLE_PORT_BINDING, SB_PORT_BINDING_COL_LOGICAL_PORT, port);
    const struct row *row =
        replica_row_find(w->sb_client, world_sb_table(w, SB_TABLE_PORT_BINDING), &pb);
    return sb_port_binding_tunnel_key(sb_port_binding_cast(row));
}

static int64_t datapath_key(struct world *w, const char *port)
{
    struct uuid pb = sb_row(w, SB_TABLE_PORT_BINDING, SB_PORT_BINDING_COL_LOGICAL_PORT, port);
    const struct row *row =
        replica_row_find(w->sb_client, world_sb_table(w, SB_TABLE_PORT_BINDING), &pb);
    row = replica_row_find(w->sb_client, world_sb_table(w, SB_TABLE_DATAPATH_BINDING),
                           sb_port_binding_datapath(sb_port_binding_cast(row)));
    return sb_datapath_binding_tunnel_key(sb_datapath_binding_cast(row));
}

/* Who asks for a number gets it, though another has it; two who ask for one are told apart for good. */
static void requested_keys(void **state)
{
    struct net *n = *state;
    struct world *w = &n->w;
    int64_t others = key_of(w, "p1");
    char *wish = xasprintf("requested-tnl-key=%d", (int)others);
    world_set(w, "Logical_Switch_Port", &n->p2, "options", wish);
    world_set(w, "Logical_Switch", &n->ls, "other_config", "requested-tnl-key=4711");
    world_set(w, "Logical_Router", &n->lr, "options", "requested-tnl-key=4712");
    world_set(w, "Logical_Router_Port", &n->lrp, "options", "requested-tnl-key=99");
    commit(w);
    assert_int_equal(key_of(w, "p2"), others);
    assert_int_not_equal(key_of(w, "p1"), others);
    assert_int_equal(key_of(w, "rp"), 99);
    assert_int_equal(datapath_key(w, "p1"), 4711);
    assert_int_equal(datapath_key(w, "rp"), 4712);
    restart(w);
    world_set(w, "Logical_Switch_Port", &n->p1, "options", wish);
    commit(w);
    assert_int_equal(key_of(w, "p2"), others);
    restart(w);
    assert_int_equal(key_of(w, "p2"), others);
    world_set(w, "Logical_Switch_Port", &n->p2, "options", "");
    commit(w);
    assert_int_equal(key_of(w, "p1"), others);
    int64_t kept = key_of(w, "p2");
    assert_int_not_equal(kept, others);
    world_set(w, "Logical_Switch_Port", &n->p1, "options", "requested-tnl-key=32768");
    commit(w);
    assert_int_equal(key_of(w, "p1"), others); /* nonsense: as before */
    restart(w);
    free(wish);
}

static size_t answers(struct world *w, const char *ip)
{
    return world_count(w, "ls_in_arp_rsp ", " 50 ", ip, NULL);
}

static void set_option(struct world *w, const char *text)
{
    const struct schema_column *c = world_column(w, "NB_Global", "options");
    size_t pos = 0;
    const struct row *row = replica_next_row(w->nb_client, c->table, &pos);
    replica_txn_mutate(world_txn(w), c->table, &row->uuid, c, MUTATE_INSERT, world_datum(c, text));
    commit(w);
}

static void answers_for_ports(void **state)
{
    struct net *n = *state;
    struct world *w = &n->w;
    assert_int_equal(answers(w, "arp.tpa == 10.0.0.1 "), 1);
    world_set(w, "Logical_Switch_Port", &n->p1, "options", "disable_arp_nd_rsp=true");
    commit(w);
    assert_int_equal(answers(w, "arp.tpa == 10.0.0.1 "), 0);
    assert_int_equal(answers(w, "arp.tpa == 10.0.0.2 "), 1);
    set_option(w, "ignore_lsp_down=false");
    assert_int_equal(answers(w, "arp.tpa == 10.0.0.2 "), 0);
    assert_int_equal(answers(w, "arp.tpa == 10.0.0.254 "), 1); /* routers are always there */
    struct uuid chassis = sb_chassis(w, "hv1", "");
    struct uuid pb = sb_row(w, SB_TABLE_PORT_BINDING, SB_PORT_BINDING_COL_LOGICAL_PORT, "p2");
    sb_put(w, SB_TABLE_PORT_BINDING, &pb, SB_PORT_BINDING_COL_CHASSIS, datum_new_uuid(&chassis));
    union atom up = {.boolean = true};
    sb_put(w, SB_TABLE_PORT_BINDING, &pb, SB_PORT_BINDING_COL_UP,
           datum_new_set(ATOM_BOOLEAN, &up, 1));
    commit(w);
    assert_int_equal(answers(w, "arp.tpa == 10.0.0.2 "), 1);
    restart(w);
}

static void vlans(void **state)
{
    struct net *n = *state;
    struct world *w = &n->w;
    assert_int_equal(world_count(w, "ls_in_check_port_sec ", "vlan.present", NULL), 1);
    assert_true(answers(w, "arp.tpa == ") > 0);
    world_set(w, "Logical_Switch", &n->ls, "other_config", "vlan-passthru=true");
    commit(w);
    assert_int_equal(world_count(w, "ls_in_check_port_sec ", "vlan.present", NULL), 0);
    assert_int_equal(answers(w, "arp.tpa == "), 0);
}

static const char *hosting(struct net *n)
{
    const struct schema_column *c = world_column(&n->w, "Logical_Router_Port", "status");
    const struct row *row = replica_row_find(n->w.nb_client, c->table, &n->lrp);
    return datum_map_text(row_get(row, c), "hosting-chassis");
}

static void hosting_chassis(void **state)
{
    struct net *n = *state;
    struct world *w = &n->w;
    struct uuid gc = world_insert(w, "Gateway_Chassis"), chassis = sb_chassis(w, "hv1", "");
    world_set(w, "Gateway_Chassis", &gc, "name", "rp-hv1");
    world_set(w, "Gateway_Chassis", &gc, "chassis_name", "hv1");
    world_link(w, "Logical_Router_Port", &n->lrp, "gateway_chassis", &gc, true);
    commit(w);
    assert_null(hosting(n));
    struct uuid pb = sb_row(w, SB_TABLE_PORT_BINDING, SB_PORT_BINDING_COL_LOGICAL_PORT, "cr-rp");
    sb_put(w, SB_TABLE_PORT_BINDING, &pb, SB_PORT_BINDING_COL_CHASSIS, datum_new_uuid(&chassis));
    commit(w);
    assert_string_equal(hosting(n), "hv1");
    world_set(w, "Logical_Router_Port", &n->lrp, "status", "");
    commit(w);
    assert_string_equal(hosting(n), "hv1");
    restart(w);
    world_link(w, "Logical_Router_Port", &n->lrp, "gateway_chassis", &gc, false);
    commit(w);
    assert_null(hosting(n));
    restart(w);
}

/* --- Rows that grow old */

static void add_neighbor(struct net *n, const char *ip, int64_t age_s)
{
    struct world *w = &n->w;
    struct uuid pb = sb_row(w, SB_TABLE_PORT_BINDING, SB_PORT_BINDING_COL_LOGICAL_PORT, "rp");
    const struct row *port =
        replica_row_find(w->sb_client, world_sb_table(w, SB_TABLE_PORT_BINDING), &pb);
    struct uuid row = sb_insert(w, SB_TABLE_MAC_BINDING);
    sb_put(w, SB_TABLE_MAC_BINDING, &row, SB_MAC_BINDING_COL_LOGICAL_PORT, datum_new_string("rp"));
    sb_put(w, SB_TABLE_MAC_BINDING, &row, SB_MAC_BINDING_COL_IP, datum_new_string(ip));
    sb_put(w, SB_TABLE_MAC_BINDING, &row, SB_MAC_BINDING_COL_MAC,
           datum_new_string("0a:00:00:00:00:77"));
    sb_put(w, SB_TABLE_MAC_BINDING, &row, SB_MAC_BINDING_COL_DATAPATH,
           datum_new_uuid(sb_port_binding_datapath(sb_port_binding_cast(port))));
    sb_put(w, SB_TABLE_MAC_BINDING, &row, SB_MAC_BINDING_COL_TIMESTAMP,
           datum_new_integer(env_wall_ms(&w->env.env) - age_s * 1000));
}

static void add_fdb(struct net *n, const char *mac, int64_t age_s)
{
    struct world *w = &n->w;
    struct uuid row = sb_insert(w, SB_TABLE_FDB);
    sb_put(w, SB_TABLE_FDB, &row, SB_FDB_COL_MAC, datum_new_string(mac));
    sb_put(w, SB_TABLE_FDB, &row, SB_FDB_COL_DP_KEY, datum_new_integer(datapath_key(w, "p1")));
    sb_put(w, SB_TABLE_FDB, &row, SB_FDB_COL_PORT_KEY, datum_new_integer(key_of(w, "p1")));
    sb_put(w, SB_TABLE_FDB, &row, SB_FDB_COL_TIMESTAMP,
           datum_new_integer(env_wall_ms(&w->env.env) - age_s * 1000));
}

static size_t rows_of(struct net *n, size_t table)
{
    return replica_n_rows(n->w.sb_client, world_sb_table(&n->w, table));
}

/* Lets S seconds go by, as the host would: northd is called when it asked for it. */
static void wait_s(struct net *n, int64_t s)
{
    struct world *w = &n->w;
    int64_t end = env_now_ms(&w->env.env) + s * 1000;
    for (int64_t next; (next = northd_next_ms(w->northd)) <= end; world_settle(w))
        w->env.now_us = MAX(w->env.now_us, next * 1000);
    w->env.now_us = MAX(w->env.now_us, end * 1000);
}

static void neighbors_age(void **state)
{
    struct net *n = *state;
    struct world *w = &n->w;
    add_neighbor(n, "10.0.0.7", 100);
    add_neighbor(n, "10.0.0.8", 10);
    add_neighbor(n, "fd00::9", 100);
    commit(w);
    wait_s(n, 100);
    assert_int_equal(rows_of(n, SB_TABLE_MAC_BINDING), 3); /* nobody asked */
    world_set(w, "Logical_Router", &n->lr, "options",
              "mac_binding_age_threshold=10.0.0.0/8:150;1000");
    commit(w);
    wait_s(n, 2);
    assert_int_equal(rows_of(n, SB_TABLE_MAC_BINDING), 2);
    wait_s(n, 30);
    assert_int_equal(rows_of(n, SB_TABLE_MAC_BINDING), 2);
    wait_s(n, 30); /* past its time, but not by a quarter of it */
    assert_int_equal(rows_of(n, SB_TABLE_MAC_BINDING), 2);
    wait_s(n, 20);
    assert_int_equal(rows_of(n, SB_TABLE_MAC_BINDING), 1);
    wait_s(n, 1000);
    assert_int_equal(rows_of(n, SB_TABLE_MAC_BINDING), 0);
    assert_true(northd_next_ms(w->northd) == INT64_MAX);
    restart(w);
}

static void addresses_age(void **state)
{
    struct net *n = *state;
    struct world *w = &n->w;
    set_option(w, "fdb_removal_limit=2");
    world_set(w, "Logical_Switch", &n->ls, "other_config", "fdb_age_threshold=60");
    commit(w);
    wait_s(n, 2);
    for (int i = 0; i < 5; i++) {
        char mac[24];
        snprintf(mac, sizeof mac, "0a:00:00:00:01:%02x", i);
        add_fdb(n, mac, i ? 100 : 0);
    }
    commit(w);
    assert_int_equal(rows_of(n, SB_TABLE_FDB), 5);
    wait_s(n, 2);
    assert_int_equal(rows_of(n, SB_TABLE_FDB), 3);
    wait_s(n, 6);
    assert_int_equal(rows_of(n, SB_TABLE_FDB), 1);
    wait_s(n, 60);
    assert_int_equal(rows_of(n, SB_TABLE_FDB), 0);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(requested_keys, setup, teardown),
        cmocka_unit_test_setup_teardown(answers_for_ports, setup, teardown),
        cmocka_unit_test_setup_teardown(vlans, setup, teardown),
        cmocka_unit_test_setup_teardown(hosting_chassis, setup, teardown),
        cmocka_unit_test_setup_teardown(neighbors_age, setup, teardown),
        cmocka_unit_test_setup_teardown(addresses_age, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
