/* test_publish.c - keys that stick, datapath groups that are edited in place, the cost of a change in SB rows, and the numbers
 * and states that go back to NB.
 */
#include "support/northd_test.h"

/* --- Keys */

static void keys_stick(void **state)
{
    struct world *w = *state;
    struct uuid ls = world_switch(w, "sw0"), p[3];
    char name[8];
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "p%d", i);
        p[i] = world_port(w, &ls, name, "unknown");
        commit(w);
        restart(w);
    }
    assert_int_equal(world_count(w, "port p0 ", "key 1 ", NULL), 1);
    assert_int_equal(world_count(w, "port p1 ", "key 2 ", NULL), 1);
    assert_int_equal(world_count(w, "port p2 ", "key 3 ", NULL), 1);
    world_link(w, "Logical_Switch", &ls, "ports", &p[0], false);
    commit(w);
    restart(w);
    /* A key that was in use is the last to be used again. */
    world_port(w, &ls, "p3", "unknown");
    commit(w);
    assert_int_equal(world_count(w, "port p3 ", "key 4 ", NULL), 1);
    world_set(w, "Logical_Switch_Port", &p[2], "name", "other");
    commit(w);
    assert_int_equal(world_count(w, "port other ", "key 3 ", NULL), 1);
}

/* SD-8: what was learned goes with the port and the datapath. */
static void learned_rows_go(void **state)
{
    struct world *w = *state;
    struct uuid ls = world_switch(w, "sw0"), lr = world_router(w, "lr0");
    struct uuid p1 = world_port(w, &ls, "p1", "unknown");
    world_port(w, &ls, "p2", "unknown");
    commit(w);
    struct uuid rp = world_router_port(w, &lr, "rp", "0a:00:00:00:ff:01", "10.0.0.254/24");
    commit(w);
    const struct schema_table *t = world_sb_table(w, SB_TABLE_PORT_BINDING);
    struct uuid pb = sb_row(w, SB_TABLE_PORT_BINDING, SB_PORT_BINDING_COL_LOGICAL_PORT, "rp");
    const struct sb_port_binding *port =
        sb_port_binding_cast(replica_row_find(w->sb_client, t, &pb));
    struct uuid mb = sb_insert(w, SB_TABLE_MAC_BINDING), fdb = sb_insert(w, SB_TABLE_FDB);
    struct uuid other = sb_insert(w, SB_TABLE_FDB);
    sb_put(w, SB_TABLE_MAC_BINDING, &mb, SB_MAC_BINDING_COL_LOGICAL_PORT, datum_new_string("rp"));
    sb_put(w, SB_TABLE_MAC_BINDING, &mb, SB_MAC_BINDING_COL_IP, datum_new_string("10.0.0.7"));
    sb_put(w, SB_TABLE_MAC_BINDING, &mb, SB_MAC_BINDING_COL_MAC,
           datum_new_string("0a:00:00:00:00:07"));
    sb_put(w, SB_TABLE_MAC_BINDING, &mb, SB_MAC_BINDING_COL_DATAPATH,
           datum_new_uuid(sb_port_binding_datapath(port)));
    sb_put(w, SB_TABLE_FDB, &fdb, SB_FDB_COL_DP_KEY, datum_new_integer(1));
    sb_put(w, SB_TABLE_FDB, &fdb, SB_FDB_COL_PORT_KEY, datum_new_integer(1));
    sb_put(w, SB_TABLE_FDB, &fdb, SB_FDB_COL_MAC, datum_new_string("0a:00:00:00:00:07"));
    sb_put(w, SB_TABLE_FDB, &other, SB_FDB_COL_DP_KEY, datum_new_integer(1));
    sb_put(w, SB_TABLE_FDB, &other, SB_FDB_COL_PORT_KEY, datum_new_integer(2));
    sb_put(w, SB_TABLE_FDB, &other, SB_FDB_COL_MAC, datum_new_string("0a:00:00:00:00:08"));
    commit(w);
    assert_int_equal(replica_n_rows(w->sb_client, world_sb_table(w, SB_TABLE_MAC_BINDING)), 1);
    world_link(w, "Logical_Router", &lr, "ports", &rp, false);
    commit(w);
    assert_int_equal(replica_n_rows(w->sb_client, world_sb_table(w, SB_TABLE_MAC_BINDING)), 0);
    assert_int_equal(replica_n_rows(w->sb_client, world_sb_table(w, SB_TABLE_FDB)), 2);
    world_link(w, "Logical_Switch", &ls, "ports", &p1, false);
    commit(w);
    assert_int_equal(replica_n_rows(w->sb_client, world_sb_table(w, SB_TABLE_FDB)), 1);
    world_delete(w, "Logical_Switch", &ls);
    world_delete(w, "Logical_Router", &lr);
    commit(w);
    assert_int_equal(replica_n_rows(w->sb_client, world_sb_table(w, SB_TABLE_FDB)), 0);
    assert_int_equal(replica_n_rows(w->sb_client, world_sb_table(w, SB_TABLE_DATAPATH_BINDING)), 0);
}

static void learn(struct world *w, int64_t datapath, int64_t port)
{
    struct uuid fdb = sb_insert(w, SB_TABLE_FDB);
    sb_put(w, SB_TABLE_FDB, &fdb, SB_FDB_COL_DP_KEY, datum_new_integer(datapath));
    sb_put(w, SB_TABLE_FDB, &fdb, SB_FDB_COL_PORT_KEY, datum_new_integer(port));
    char mac[24]; /* one row each for a datapath and an address */
    snprintf(mac, sizeof mac, "0a:00:00:00:55:%02x", (unsigned)port & 0xff);
    sb_put(w, SB_TABLE_FDB, &fdb, SB_FDB_COL_MAC, datum_new_string(mac));
}

static size_t n_learned(struct world *w)
{
    return replica_n_rows(w->sb_client, world_sb_table(w, SB_TABLE_FDB));
}

/* A controller may write late, when nobody has the key; its next owner inherits nothing. */
static void late_stations_go(void **state)
{
    struct world *w = *state;
    struct uuid ls = world_switch(w, "sw0");
    struct uuid p1 = world_port(w, &ls, "p1", "unknown");
    world_port(w, &ls, "p2", "unknown");
    commit(w);
    learn(w, 1, 1);
    learn(w, 1, 2);
    learn(w, 1, 777); /* no such port */
    learn(w, 9, 1);   /* no such datapath */
    commit(w);
    assert_int_equal(n_learned(w), 2);
    restart(w);
    assert_int_equal(n_learned(w), 2);
    /* One whose key goes elsewhere. */
    world_set(w, "Logical_Switch_Port", &p1, "options", "requested-tnl-key=40");
    commit(w);
    assert_int_equal(world_count(w, "port p1 ", "key 40 ", NULL), 1);
    assert_int_equal(n_learned(w), 1);
    learn(w, 1, 40);
    commit(w);
    assert_int_equal(n_learned(w), 2);
    world_set(w, "Logical_Switch", &ls, "other_config", "requested-tnl-key=50");
    commit(w);
    assert_int_equal(n_learned(w), 0);
    learn(w, 50, 40);
    commit(w);
    assert_int_equal(n_learned(w), 1);
}

/* What came while no northd ran. */
static void stations_of_a_gone_northd_go(void **state)
{
    struct world *w = *state;
    struct uuid ls = world_switch(w, "sw0");
    world_port(w, &ls, "p1", "unknown");
    commit(w);
    world_stop(w);
    learn(w, 1, 1);
    learn(w, 1, 2);
    assert_int_equal(world_commit(w), 0);
    assert_int_equal(n_learned(w), 2);
    world_start(w);
    world_settle(w);
    assert_int_equal(n_learned(w), 1);
}

/* --- The cost of a change */

struct cost {
    size_t n, by_table[SB_N_TABLES];
};

static void count_rows(void *cost_, const struct changeset *cs)
{
    struct cost *cost = cost_;
    for (size_t i = 0; i < cs->n; i++) {
        const struct change *c = &cs->changes[i];
        cost->by_table[(c->after ? c->after : c->before)->table->index]++;
    }
    cost->n += cs->n;
}

static struct cost cost_of(struct world *w, size_t n_switches)
{
    struct cost cost = {0};
    struct uuid ls = {{0}};
    for (size_t i = 0; i < n_switches; i++) {
        char name[40];
        snprintf(name, sizeof name, "sw%zu", i);
        ls = world_switch(w, name);
        snprintf(name, sizeof name, "first%zu", i);
        world_port(w, &ls, name, "0a:00:00:00:00:01");
    }
    commit(w);
    replica_set_observer(w->sb_client, count_rows, &cost);
    world_port(w, &ls, "late", "0a:00:00:00:00:02 10.0.0.2");
    commit(w);
    replica_set_observer(w->sb_client, NULL, NULL);
    return cost;
}

/* A port is a binding, its flows, and an element of two groups, whatever else there is. */
static void one_port(void **state)
{
    struct cost small = cost_of(*state, 2), large;
    teardown(state);
    setup_world(state);
    large = cost_of(*state, 20);
    assert_int_equal(small.by_table[SB_TABLE_PORT_BINDING], 1);
    assert_int_equal(small.by_table[SB_TABLE_LOGICAL_FLOW], 3);
    assert_int_equal(small.by_table[SB_TABLE_MULTICAST_GROUP], 2);
    assert_int_equal(small.n, large.n);
}

/* One switch more edits the group that the common flows share, and none of the flows. */
static void one_switch(void **state)
{
    struct world *w = *state;
    struct cost cost = {0};
    for (int i = 0; i < 5; i++) {
        char name[16];
        snprintf(name, sizeof name, "sw%d", i);
        world_switch(w, name);
    }
    commit(w);
    replica_set_observer(w->sb_client, count_rows, &cost);
    struct uuid ls = world_switch(w, "one-more");
    commit(w);
    assert_int_equal(cost.by_table[SB_TABLE_LOGICAL_FLOW], 0);
    assert_int_equal(cost.by_table[SB_TABLE_LOGICAL_DP_GROUP], 1);
    assert_int_equal(cost.by_table[SB_TABLE_DATAPATH_BINDING], 1);
    memset(&cost, 0, sizeof cost);
    world_delete(w, "Logical_Switch", &ls);
    commit(w);
    assert_int_equal(cost.by_table[SB_TABLE_LOGICAL_FLOW], 0);
    assert_int_equal(cost.by_table[SB_TABLE_LOGICAL_DP_GROUP], 1);
    replica_set_observer(w->sb_client, NULL, NULL);
    restart(w);
}

/* --- Back to NB */

static int64_t nb_global(struct world *w, const char *column)
{
    const struct schema_column *c = world_column(w, "NB_Global", column);
    size_t pos = 0;
    const struct row *row = replica_next_row(w->nb_client, c->table, &pos);
    return row_get(row, c)->atoms[0].integer;
}

static void raise_nb_cfg(struct world *w, int64_t to)
{
    const struct schema_column *c = world_column(w, "NB_Global", "nb_cfg");
    size_t pos = 0;
    const struct row *row = replica_next_row(w->nb_client, c->table, &pos);
    replica_txn_set(world_txn(w), c->table, &row->uuid, c, datum_new_integer(to));
    commit(w);
}

static struct uuid chassis(struct world *w, const char *name, int64_t cfg)
{
    struct uuid c = sb_insert(w, SB_TABLE_CHASSIS_PRIVATE);
    sb_put(w, SB_TABLE_CHASSIS_PRIVATE, &c, SB_CHASSIS_PRIVATE_COL_NAME, datum_new_string(name));
    sb_put(w, SB_TABLE_CHASSIS_PRIVATE, &c, SB_CHASSIS_PRIVATE_COL_NB_CFG, datum_new_integer(cfg));
    return c;
}

static void chain_of_numbers(void **state)
{
    struct world *w = *state;
    world_switch(w, "sw0");
    commit(w);
    raise_nb_cfg(w, 3);
    assert_int_equal(nb_global(w, "sb_cfg"), 3);
    assert_int_equal(nb_global(w, "hv_cfg"), 3); /* no chassis */
    assert_true(nb_global(w, "nb_cfg_timestamp") > 0);
    assert_true(nb_global(w, "sb_cfg_timestamp") >= nb_global(w, "nb_cfg_timestamp"));
    struct uuid a = chassis(w, "a", 3), b = chassis(w, "b", 3);
    commit(w);
    raise_nb_cfg(w, 4);
    assert_int_equal(nb_global(w, "sb_cfg"), 4);
    assert_int_equal(nb_global(w, "hv_cfg"), 3);
    sb_put(w, SB_TABLE_CHASSIS_PRIVATE, &a, SB_CHASSIS_PRIVATE_COL_NB_CFG, datum_new_integer(4));
    commit(w);
    assert_int_equal(nb_global(w, "hv_cfg"), 3);
    sb_put(w, SB_TABLE_CHASSIS_PRIVATE, &b, SB_CHASSIS_PRIVATE_COL_NB_CFG, datum_new_integer(4));
    sb_put(w, SB_TABLE_CHASSIS_PRIVATE, &b, SB_CHASSIS_PRIVATE_COL_NB_CFG_TIMESTAMP,
           datum_new_integer(77));
    commit(w);
    assert_int_equal(nb_global(w, "hv_cfg"), 4);
    assert_int_equal(nb_global(w, "hv_cfg_timestamp"), 77);
    restart(w);
}

static bool is_up(struct world *w, const struct uuid *lsp)
{
    const struct schema_column *c = world_column(w, "Logical_Switch_Port", "up");
    const struct row *row = replica_row_find(w->nb_client, c->table, lsp);
    assert_int_equal(row_get(row, c)->n, 1);
    return row_get(row, c)->atoms[0].boolean;
}

enum { MANY = 2300 };

struct order { /* what is told first */
    struct world *w;
    struct uuid ports[MANY];
    size_t known_at_sb, known_at_hv; /* ports that are told to be down or up when a number is */
};

static size_t n_known(const struct order *o)
{
    const struct schema_column *c = world_column(o->w, "Logical_Switch_Port", "up");
    size_t n = 0;
    for (size_t i = 0; i < MANY; i++)
        n += row_get(replica_row_find(o->w->nb_client, c->table, &o->ports[i]), c)->n;
    return n;
}

static void on_nb_change(void *order, const struct changeset *cs UNUSED)
{
    struct order *o = order;
    if (!o->known_at_sb && nb_global(o->w, "sb_cfg") == 3)
        o->known_at_sb = n_known(o);
    if (!o->known_at_hv && nb_global(o->w, "hv_cfg") == 3)
        o->known_at_hv = n_known(o);
}

/* That SB has all is not told after thousands of ports, that hypervisors have all is. */
static void many_ports(void **state)
{
    struct world *w = *state;
    struct order *o = NEW(struct order);
    commit(w);
    o->w = w;
    struct uuid ls = world_switch(w, "sw0");
    for (int i = 0; i < MANY; i++) {
        char name[8];
        snprintf(name, sizeof name, "p%d", i);
        o->ports[i] = world_port(w, &ls, name, "unknown");
    }
    replica_set_observer(w->nb_client, on_nb_change, o);
    raise_nb_cfg(w, 3);
    assert_in_range(o->known_at_sb, 1, MANY - 1);
    assert_int_equal(o->known_at_hv, MANY);
    replica_set_observer(w->nb_client, NULL, NULL);
    free(o);
    restart(w);
}

static void port_is_up(void **state)
{
    struct world *w = *state;
    struct uuid ls = world_switch(w, "sw0");
    struct uuid p = world_port(w, &ls, "p1", "unknown");
    struct uuid attachment = world_attach(w, &ls, "r", "nobody");
    commit(w);
    assert_false(is_up(w, &p));
    assert_true(is_up(w, &attachment));
    struct uuid c = sb_insert(w, SB_TABLE_CHASSIS);
    struct uuid e = sb_insert(w, SB_TABLE_ENCAP);
    struct uuid pb = sb_row(w, SB_TABLE_PORT_BINDING, SB_PORT_BINDING_COL_LOGICAL_PORT, "p1");
    sb_put(w, SB_TABLE_CHASSIS, &c, SB_CHASSIS_COL_NAME, datum_new_string("hv"));
    sb_put(w, SB_TABLE_CHASSIS, &c, SB_CHASSIS_COL_ENCAPS, datum_new_uuid(&e));
    sb_put(w, SB_TABLE_ENCAP, &e, SB_ENCAP_COL_TYPE, datum_new_string("geneve"));
    sb_put(w, SB_TABLE_ENCAP, &e, SB_ENCAP_COL_IP, datum_new_string("1.2.3.4"));
    sb_put(w, SB_TABLE_PORT_BINDING, &pb, SB_PORT_BINDING_COL_CHASSIS, datum_new_uuid(&c));
    commit(w);
    assert_false(is_up(w, &p)); /* claimed, but its flows are not in yet */
    union atom yes = {.boolean = true};
    sb_put(w, SB_TABLE_PORT_BINDING, &pb, SB_PORT_BINDING_COL_UP,
           datum_new_set(ATOM_BOOLEAN, &yes, 1));
    commit(w);
    assert_true(is_up(w, &p));
    restart(w);
    /* What controllers write in the row stays theirs. */
    world_set(w, "Logical_Switch_Port", &p, "addresses", "0a:00:00:00:00:01");
    commit(w);
    assert_true(is_up(w, &p));
    sb_put(w, SB_TABLE_PORT_BINDING, &pb, SB_PORT_BINDING_COL_CHASSIS,
           datum_new_empty(ATOM_UUID, DATUM_SET));
    commit(w);
    assert_false(is_up(w, &p));
}

static void seed_rows(void **state)
{
    struct world *w = *state;
    world_settle(w);
    assert_int_equal(replica_n_rows(w->sb_client, world_sb_table(w, SB_TABLE_DHCP_OPTIONS)), 38);
    assert_int_equal(replica_n_rows(w->sb_client, world_sb_table(w, SB_TABLE_DHCPV6_OPTIONS)), 4);
    assert_int_equal(replica_n_rows(w->sb_client, world_sb_table(w, SB_TABLE_RBAC_ROLE)), 1);
    size_t pos = 0;
    const struct row *g =
        replica_next_row(w->sb_client, world_sb_table(w, SB_TABLE_SB_GLOBAL), &pos);
    assert_non_null(g);
    assert_string_equal(sb_sb_global_options_value(sb_sb_global_cast(g), "max_tunid"), "16711680");
    assert_non_null(sb_sb_global_options_value(sb_sb_global_cast(g), "svc_monitor_mac"));
    restart(w);
}

static void paused(void **state)
{
    struct world *w = *state;
    world_settle(w);
    northd_pause(w->northd, true);
    world_switch(w, "sw0");
    commit(w);
    assert_int_equal(world_count(w, "flow", NULL), 0);
    northd_pause(w->northd, false);
    world_settle(w);
    assert_true(world_count(w, "flow", NULL) > 0);
}

/* By name or host name, the first of several alone as the main one; what is not there yet is waited for. */
static void requested_chassis(void **state)
{
    struct world *w = *state;
    struct uuid ls = world_switch(w, "sw0"), p = world_port(w, &ls, "p1", "unknown");
    world_set(w, "Logical_Switch_Port", &p, "options", "requested-chassis=hv1,host2,nobody");
    commit(w);
    assert_int_equal(world_count(w, "port p1 ", " on ", NULL), 0);
    sb_chassis(w, "hv1", "");
    struct uuid hv2 = sb_chassis(w, "hv2", "host2");
    commit(w);
    assert_int_equal(world_count(w, "port p1 ", " on hv1", " +hv2", NULL), 1);
    world_set(w, "Logical_Switch_Port", &p, "options", "requested-chassis=host2");
    commit(w);
    assert_int_equal(world_count(w, "port p1 ", " on hv2", NULL), 1);
    assert_int_equal(world_count(w, "port p1 ", "+", NULL), 0);
    restart(w);
    w->sb_txn = replica_txn_new(w->sb_client);
    replica_txn_delete(w->sb_txn, world_sb_table(w, SB_TABLE_CHASSIS), &hv2);
    commit(w);
    assert_int_equal(world_count(w, "port p1 ", " on ", NULL), 0);
}

/* --- A large difference in several transactions */

static void make_network(struct world *w)
{
    struct uuid lr = world_router(w, "lr0"), global = world_insert(w, "NB_Global");
    char name[16], at[32];
    world_set(w, "NB_Global", &global, "options", "svc_monitor_mac=0a:00:00:00:00:99");
    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof name, "sw%d", i);
        struct uuid ls = world_switch(w, name);
        snprintf(name, sizeof name, "rp%d", i);
        snprintf(at, sizeof at, "10.0.%d.254/24", i);
        world_router_port(w, &lr, name, "0a:00:00:00:ff:01", at);
        snprintf(at, sizeof at, "to-rp%d", i);
        world_attach(w, &ls, at, name);
        for (int j = 0; j < 4; j++) {
            snprintf(name, sizeof name, "p%d-%d", i, j);
            snprintf(at, sizeof at, "0a:00:00:00:0%d:0%d 10.0.%d.%d", i, j, i, j + 1);
            world_port(w, &ls, name, at);
        }
    }
}

static void assert_same(struct world *a, struct world *b)
{
    line_vec ours = world_dump(a), theirs = world_dump(b);
    assert_int_equal(ours.n, theirs.n);
    for (size_t i = 0; i < ours.n; i++)
        assert_string_equal(ours.data[i], theirs.data[i]);
    world_free_lines(&ours);
    world_free_lines(&theirs);
}

/* Refuses one flow, once. */
static bool refuse_one(void *left, const struct row *before UNUSED, const struct row *row,
                       struct op_error *error)
{
    int *n = left;
    if (row->table->index != SB_TABLE_LOGICAL_FLOW || --*n)
        return true;
    op_error_set(error, "constraint violation", NULL, "refused by the test");
    return false;
}

/* Whether it is written at once, in parts (texts made by a thread), or in parts of which one fails: SB is the same, and then a restart writes nothing. */
static void in_parts(void **state)
{
    struct world *whole = *state, parts;
    make_network(whole);
    commit(whole);
    for (int fails = 0; fails < 2; fails++) {
        int left = 100;
        world_open(&parts, 1);
        world_stop(&parts);
        parts.part = 16;
        world_start(&parts);
        if (fails)
            store_set_judge(parts.sb, refuse_one, &left);
        make_network(&parts);
        commit(&parts);
        assert_true(northd_n_transactions(parts.northd) > 10);
        assert_true(left <= 0 || !fails);
        assert_same(whole, &parts);
        restart(&parts);
        world_close(&parts);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(keys_stick, setup_world, teardown),
        cmocka_unit_test_setup_teardown(learned_rows_go, setup_world, teardown),
        cmocka_unit_test_setup_teardown(late_stations_go, setup_world, teardown),
        cmocka_unit_test_setup_teardown(stations_of_a_gone_northd_go, setup_world, teardown),
        cmocka_unit_test_setup_teardown(one_port, setup_world, teardown),
        cmocka_unit_test_setup_teardown(one_switch, setup_world, teardown),
        cmocka_unit_test_setup_teardown(chain_of_numbers, setup_world, teardown),
        cmocka_unit_test_setup_teardown(many_ports, setup_world, teardown),
        cmocka_unit_test_setup_teardown(port_is_up, setup_world, teardown),
        cmocka_unit_test_setup_teardown(seed_rows, setup_world, teardown),
        cmocka_unit_test_setup_teardown(requested_chassis, setup_world, teardown),
        cmocka_unit_test_setup_teardown(paused, setup_world, teardown),
        cmocka_unit_test_setup_teardown(in_parts, setup_world, teardown),
    };
    return cmocka_run_group_tests_name("northd publish", tests, NULL, NULL);
}
