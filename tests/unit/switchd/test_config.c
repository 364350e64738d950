/* test_config.c - rows of the switch's database become ports: what a change asks to be looked at does not grow with the ports that are there, and
 * leads to what a look at everything leads to. */
#include "world.h"

#include "localdb/local_source.h"
#include "rows/ovs.h"
#include "store/store.h"
#include "switchd/config.h"

struct db_world {
    struct world w;
    struct store *store;
    struct replica *db;
    struct config config;
    struct replica_txn *txn;
    struct uuid bridge;
};

static const struct schema_table *table(const struct db_world *d, int index)
{
    return &store_schema(d->store)->tables[index];
}

static void set(struct db_world *d, int index, const struct uuid *row, int column,
                const struct datum *value)
{
    replica_txn_set(d->txn, table(d, index), row, &table(d, index)->columns[column], value);
}

static void begin(struct db_world *d)
{
    d->txn = replica_txn_new(d->db);
}

static void on_committed(void *aux, int err, const char *error)
{
    (void)aux;
    if (err)
        fail_msg("%s", error);
}

/* Until what was written is in force, and shown. */
static void settle(struct db_world *d)
{
    for (int i = 0; i < 6; i++) {
        store_flush(d->store);
        loop_run_once(d->w.loop, 0);
    }
    assert_false(deferred_is_scheduled(&d->config.apply));
}

static void end(struct db_world *d)
{
    replica_txn_commit(d->txn, on_committed, NULL);
    settle(d);
}

static struct uuid insert(struct db_world *d, int index)
{
    return replica_txn_insert(d->txn, table(d, index));
}

static struct uuid insert_iface(struct db_world *d, const char *name, const char *type)
{
    struct uuid iface = insert(d, OVS_TABLE_INTERFACE);
    set(d, OVS_TABLE_INTERFACE, &iface, OVS_INTERFACE_COL_NAME, datum_new_string(name));
    set(d, OVS_TABLE_INTERFACE, &iface, OVS_INTERFACE_COL_TYPE, datum_new_string(type));
    return iface;
}

static void mutate_ports(struct db_world *d, enum mutator how, const struct uuid *port)
{
    replica_txn_mutate(d->txn, table(d, OVS_TABLE_BRIDGE), &d->bridge,
                       &table(d, OVS_TABLE_BRIDGE)->columns[OVS_BRIDGE_COL_PORTS], how,
                       datum_new_uuid(port));
}

static struct uuid insert_port(struct db_world *d, const char *name, const char *type)
{
    struct uuid iface = insert_iface(d, name, type), port = insert(d, OVS_TABLE_PORT);
    set(d, OVS_TABLE_PORT, &port, OVS_PORT_COL_NAME, datum_new_string(name));
    set(d, OVS_TABLE_PORT, &port, OVS_PORT_COL_INTERFACES, datum_new_uuid(&iface));
    return port;
}

static struct uuid add_port(struct db_world *d, const char *name, const char *type)
{
    begin(d);
    struct uuid port = insert_port(d, name, type);
    mutate_ports(d, MUTATE_INSERT, &port);
    end(d);
    return port;
}

static const struct row *iface_row(struct db_world *d, const char *name)
{
    const struct row *row;
    REPLICA_FOR_EACH(row, pos, d->db, table(d, OVS_TABLE_INTERFACE))
    if (!strcmp(ovs_interface_name(ovs_interface_cast(row)), name))
        return row;
    return NULL;
}

static struct vport *port_named(const struct db_world *d, const char *name)
{
    return bridge_port_named(vswitch_bridge(&d->w.vs, "br0"), name);
}

/* A bridge of N ports p0, p1, ... */
static void set_up(struct db_world *d, unsigned n)
{
    memset(d, 0, sizeof *d);
    world_init(&d->w);
    struct store_options options = {.env = &d->w.env.env, .schema_text = ovs_schema_text};
    assert_int_equal(store_open(&options, &d->store, NULL), 0);
    struct replica_options replica = {.env = &d->w.env.env, .schema = store_schema(d->store)};
    d->db = replica_new(&replica, local_source_new(d->store));
    config_init(&d->config, &d->w.vs, d->db, store_schema(d->store));
    d->config.manage_sockets = false;
    VEC(union atom) ports = VEC_INIT;
    begin(d);
    for (unsigned i = 0; i < n; i++) {
        char name[16];
        snprintf(name, sizeof name, "p%u", i);
        vec_push(&ports, ((union atom){.uuid = insert_port(d, name, "dummy")}));
    }
    d->bridge = insert(d, OVS_TABLE_BRIDGE);
    set(d, OVS_TABLE_BRIDGE, &d->bridge, OVS_BRIDGE_COL_NAME, datum_new_string("br0"));
    set(d, OVS_TABLE_BRIDGE, &d->bridge, OVS_BRIDGE_COL_PORTS,
        datum_new_set(ATOM_UUID, ports.data, ports.n));
    struct uuid root = insert(d, OVS_TABLE_OPEN_VSWITCH);
    set(d, OVS_TABLE_OPEN_VSWITCH, &root, OVS_OPEN_VSWITCH_COL_BRIDGES, datum_new_uuid(&d->bridge));
    end(d);
    vec_fini(&ports);
    d->config.statistics_at_ms = INT64_MAX; /* they would look at all */
    settle(d);
    assert_int_equal(vswitch_bridge(&d->w.vs, "br0")->ports.n, n);
}

static void tear_down(struct db_world *d)
{
    config_fini(&d->config);
    world_fini(&d->w);
    replica_free(d->db);
    store_close(d->store);
}

struct looks {
    uint64_t applied, shown;
};

/* What was looked at since the last call. */
static struct looks looks(struct db_world *d)
{
    struct looks l = {d->config.n_applied, d->config.n_shown};
    d->config.n_applied = d->config.n_shown = 0;
    return l;
}

static void change_port(struct db_world *d, const struct uuid *port, int column,
                        const struct datum *value)
{
    begin(d);
    set(d, OVS_TABLE_PORT, port, column, value);
    end(d);
}

static void change_iface(struct db_world *d, const char *name, int column,
                         const struct datum *value)
{
    begin(d);
    set(d, OVS_TABLE_INTERFACE, &iface_row(d, name)->uuid, column, value);
    end(d);
}

enum { N_STEPS = 6 };

/* A port comes, changes, is looked at for its device's sake, goes: what each asked to be looked at. */
static void walk(unsigned n, struct looks ret[N_STEPS])
{
    struct db_world d;
    unsigned step = 0;
    set_up(&d, n);
    looks(&d);
    struct uuid port = add_port(&d, "new", "dummy");
    ret[step++] = looks(&d);
    assert_non_null(port_named(&d, "new"));
    assert_int_equal(ovs_interface_ofport(ovs_interface_cast(iface_row(&d, "new"))),
                     port_named(&d, "new")->ofport);
    change_port(&d, &port, OVS_PORT_COL_TAG, datum_new_integer(7));
    ret[step++] = looks(&d);
    assert_int_equal(port_named(&d, "new")->vlan.tag, 7);
    change_iface(&d, "new", OVS_INTERFACE_COL_INGRESS_POLICING_RATE, datum_new_integer(1000));
    ret[step++] = looks(&d);
    assert_int_equal(port_named(&d, "new")->policer.bits_per_s, 1000000);
    config_device_changed(&d.config, "new");
    settle(&d);
    ret[step++] = looks(&d);
    union atom key = {.string = rstr_new("a")}, value = {.string = rstr_new("b")};
    change_iface(&d, "new", OVS_INTERFACE_COL_EXTERNAL_IDS,
                 datum_new_map(ATOM_STRING, ATOM_STRING, &key, &value, 1));
    ret[step++] = looks(&d);
    begin(&d);
    mutate_ports(&d, MUTATE_DELETE, &port);
    end(&d);
    ret[step++] = looks(&d);
    assert_int_equal(step, N_STEPS);
    assert_null(port_named(&d, "new"));
    tear_down(&d);
}

static void test_flat(void **state)
{
    (void)state;
    struct looks few[N_STEPS], many[N_STEPS];
    walk(3, few);
    walk(300, many);
    for (size_t i = 0; i < N_STEPS; i++) {
        assert_int_equal(few[i].applied, many[i].applied);
        assert_int_equal(few[i].shown, many[i].shown);
        assert_true(many[i].applied <= 2 && many[i].shown <= 3);
    }
}

static void test_all(void **state)
{
    (void)state;
    struct db_world d;
    set_up(&d, 20);
    looks(&d);
    config_schedule(&d.config);
    settle(&d);
    assert_int_equal(looks(&d).applied, 20);
    config_tick(&d.config); /* each second what the rows show is compared */
    settle(&d);
    assert_int_equal(looks(&d).shown, 20);
    change_iface(&d, "p3", OVS_INTERFACE_COL_OFPORT, datum_new_integer(99)); /* not of interest */
    assert_int_equal(looks(&d).shown, 0);
    config_tick(&d.config);
    settle(&d);
    assert_int_equal(ovs_interface_ofport(ovs_interface_cast(iface_row(&d, "p3"))),
                     port_named(&d, "p3")->ofport);
    tear_down(&d);
}

/* The look at all of them goes in slices; what has changed is shown at once, and once. */
static void test_round(void **state)
{
    (void)state;
    struct db_world d;
    enum { N = 3 * SLICE_STEPS };
    set_up(&d, N);
    for (int i = 0; i < 10; i++)
        settle(&d);
    looks(&d);
    config_tick(&d.config);
    assert_in_range(looks(&d).shown, 1, SLICE_STEPS);
    struct uuid port = add_port(&d, "new", "dummy");
    assert_int_equal(ovs_interface_ofport(ovs_interface_cast(iface_row(&d, "new"))),
                     port_named(&d, "new")->ofport);
    for (int i = 0; i < 10; i++)
        settle(&d);
    assert_in_range(looks(&d).shown, N - SLICE_STEPS, N + 5);
    config_tick(&d.config);
    begin(&d); /* goes while the round is under way */
    mutate_ports(&d, MUTATE_DELETE, &port);
    end(&d);
    d.config.statistics_at_ms = 0; /* due */
    config_tick(&d.config);
    for (int i = 0; i < 10; i++)
        settle(&d);
    for (unsigned i = 0; i < N; i++) {
        char name[16];
        snprintf(name, sizeof name, "p%u", i);
        const struct ovs_interface *iface = ovs_interface_cast(iface_row(&d, name));
        assert_int_equal(ovs_interface_statistics(iface)->n, 8);
    }
    looks(&d);
    settle(&d);
    assert_int_equal(looks(&d).shown, 0);
    tear_down(&d);
}

/* Rows give way to others of the same name: a port of the same type stays. */
static void test_rows_replaced(void **state)
{
    (void)state;
    struct db_world d;
    set_up(&d, 3);
    struct uuid port = add_port(&d, "x", "dummy");
    const struct vport *was = port_named(&d, "x");
    begin(&d);
    mutate_ports(&d, MUTATE_DELETE, &port);
    struct uuid other = insert_port(&d, "x", "dummy");
    mutate_ports(&d, MUTATE_INSERT, &other);
    end(&d);
    assert_ptr_equal(port_named(&d, "x"), was);
    change_port(&d, &other, OVS_PORT_COL_TAG, datum_new_integer(5));
    assert_int_equal(port_named(&d, "x")->vlan.tag, 5);
    begin(&d); /* the Port stays, the Interface is another */
    struct uuid iface = insert_iface(&d, "y", "dummy");
    set(&d, OVS_TABLE_PORT, &other, OVS_PORT_COL_INTERFACES, datum_new_uuid(&iface));
    end(&d);
    assert_null(port_named(&d, "x"));
    assert_non_null(port_named(&d, "y"));
    assert_int_equal(port_named(&d, "y")->vlan.tag, 5);
    tear_down(&d);
}

static void test_failed_is_tried_again(void **state)
{
    (void)state;
    struct db_world d;
    set_up(&d, 50);
    add_port(&d, "bad", "nonsense");
    assert_null(port_named(&d, "bad"));
    assert_non_null(config_error(&d.config, "bad"));
    assert_string_equal(ovs_interface_error(ovs_interface_cast(iface_row(&d, "bad"))),
                        config_error(&d.config, "bad"));
    looks(&d);
    add_port(&d, "good", "dummy");
    uint64_t n = looks(&d).applied; /* the bad one with each pass once more */
    assert_true(n >= 2 && n < 10);
    assert_non_null(config_error(&d.config, "bad"));
    change_iface(&d, "bad", OVS_INTERFACE_COL_TYPE, datum_new_string("dummy"));
    assert_non_null(port_named(&d, "bad"));
    assert_null(config_error(&d.config, "bad"));
    assert_null(ovs_interface_error(ovs_interface_cast(iface_row(&d, "bad"))));
    change_iface(&d, "bad", OVS_INTERFACE_COL_TYPE, datum_new_string("nonsense"));
    assert_null(port_named(&d, "bad"));
    assert_int_equal(ovs_interface_ofport(ovs_interface_cast(iface_row(&d, "bad"))), -1);
    tear_down(&d);
}

enum { RANDOM_PORTS = 12, RANDOM_STEPS = 300 };

/* What the test thinks is there. */
struct model {
    struct uuid ports[RANDOM_PORTS];
    bool is_there[RANDOM_PORTS], is_bad[RANDOM_PORTS];
    unsigned tag[RANDOM_PORTS];
};

static void check_model(const struct db_world *d, const struct model *m)
{
    size_t n = 0;
    for (unsigned i = 0; i < RANDOM_PORTS; i++) {
        char name[16];
        snprintf(name, sizeof name, "r%u", i);
        const struct vport *port = port_named(d, name);
        assert_int_equal(port != NULL, m->is_there[i] && !m->is_bad[i]);
        assert_int_equal(config_error(&d->config, name) != NULL, m->is_there[i] && m->is_bad[i]);
        n += port != NULL;
        if (port)
            assert_int_equal(port->vlan.tag, m->tag[i]);
    }
    assert_int_equal(vswitch_bridge(&d->w.vs, "br0")->ports.n, n);
}

static void edit(struct db_world *d, struct model *m, unsigned i, unsigned how)
{
    char name[16];
    snprintf(name, sizeof name, "r%u", i);
    if (!m->is_there[i]) {
        m->ports[i] = insert_port(d, name, how & 1 ? "dummy" : "nonsense");
        mutate_ports(d, MUTATE_INSERT, &m->ports[i]);
        m->is_there[i] = true;
        m->is_bad[i] = !(how & 1);
        m->tag[i] = 0;
    } else if (how < 2) {
        mutate_ports(d, MUTATE_DELETE, &m->ports[i]);
        m->is_there[i] = false;
    } else if (how < 5) {
        set(d, OVS_TABLE_PORT, &m->ports[i], OVS_PORT_COL_TAG, datum_new_integer(how + i));
        m->tag[i] = how + i;
    } else {
        m->is_bad[i] = how & 1;
        set(d, OVS_TABLE_INTERFACE, &iface_row(d, name)->uuid, OVS_INTERFACE_COL_TYPE,
            datum_new_string(m->is_bad[i] ? "nonsense" : "dummy"));
    }
}

static void test_random(void **state)
{
    (void)state;
    struct db_world d;
    struct model m = {.is_there = {false}};
    set_up(&d, 0);
    for (unsigned step = 0; step < RANDOM_STEPS; step++) {
        unsigned first = (unsigned)(env_random_u64(&d.w.env.env) % RANDOM_PORTS);
        begin(&d);
        for (unsigned i = 0; i <= step % 3; i++)
            edit(&d, &m, (first + i) % RANDOM_PORTS, (unsigned)(env_random_u64(&d.w.env.env) % 8));
        end(&d);
        check_model(&d, &m);
        if (step % 10 == 9) { /* and so with everything looked at */
            config_schedule(&d.config);
            settle(&d);
            check_model(&d, &m);
        }
    }
    tear_down(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flat),
        cmocka_unit_test(test_all),
        cmocka_unit_test(test_round),
        cmocka_unit_test(test_rows_replaced),
        cmocka_unit_test(test_failed_is_tried_again),
        cmocka_unit_test(test_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
