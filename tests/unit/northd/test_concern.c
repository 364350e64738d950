/* test_concern.c - nothing makes northd recompute what it does not concern. The same edit is made in a network of two cells and in one of
 * eight that know nothing of one another: of every column of NB that can be written, in every table of which a cell has rows, to another
 * value and back; then rows of SB as controllers write them. What the statistics (those of inc/show) say has run must not grow
 * with the network.
 */
#include "support/northd_test.h"

#include <stdio.h>

enum { N_SMALL = 2, N_LARGE = 8, N_KINDS = 200 };

typedef VEC(struct uuid) uuid_vec;

struct runs {
    size_t n;
    struct {
        char name[48];
        long long runs;
    } of[N_KINDS];
};

/* Two worlds with the same edits. */
struct pair {
    struct world small, large;
};

/* --- A cell */

/* Sets columns of ROW: COLUMN, TEXT, ... up to NULL. "%d" in a text is the cell's number. */
static void put(struct world *w, const char *table, const struct uuid *row, int cell, ...)
{
    const char *column;
    va_list args;
    va_start(args, cell);
    while ((column = va_arg(args, const char *)) != NULL) {
        const char *text = va_arg(args, const char *);
        struct str s = STR_INIT;
        for (; *text; text++)
            if (text[0] == '%' && text[1] == 'd') {
                str_putf(&s, "%d", cell);
                text++;
            } else {
                str_putc(&s, *text);
            }
        world_set(w, table, row, column, str_c(&s));
        str_fini(&s);
    }
    va_end(args);
}

/* A row of TABLE in COLUMN of its owner. */
static struct uuid child(struct world *w, const char *owner_table, const struct uuid *owner,
                         const char *column, const char *table)
{
    struct uuid row = world_insert(w, table);
    world_link(w, owner_table, owner, column, &row, true);
    return row;
}

static void cell_services(struct world *w, int c, const struct uuid *ls, const struct uuid *lr,
                          const struct uuid *lsp)
{
    char text[UUID_TEXT_LEN + 1];
    struct uuid lb = world_insert(w, "Load_Balancer");
    put(w, "Load_Balancer", &lb, c, "name", "lb%d", "vips", "30.%d.0.1:80=10.%d.0.2:80", "protocol",
        "tcp", "options", "reject=true", NULL);
    struct uuid group = world_insert(w, "Load_Balancer_Group");
    put(w, "Load_Balancer_Group", &group, c, "name", "group%d", NULL);
    world_link(w, "Load_Balancer_Group", &group, "load_balancer", &lb, true);
    world_link(w, "Logical_Switch", ls, "load_balancer", &lb, true);
    world_link(w, "Logical_Router", lr, "load_balancer_group", &group, true);
    struct uuid dhcp = world_insert(w, "DHCP_Options");
    put(w, "DHCP_Options", &dhcp, c, "cidr", "10.%d.0.0/24", "options",
        "server_id=10.%d.0.254 server_mac=0a:00:00:00:00:ff lease_time=3600", NULL);
    world_set(w, "Logical_Switch_Port", lsp, "dhcpv4_options", uuid_print(&dhcp, text));
    struct uuid dns = world_insert(w, "DNS");
    put(w, "DNS", &dns, c, "records", "vm%d=10.%d.0.2", NULL);
    world_link(w, "Logical_Switch", ls, "dns_records", &dns, true);
    struct uuid qos = child(w, "Logical_Switch", ls, "qos_rules", "QoS");
    put(w, "QoS", &qos, c, "direction", "from-lport", "priority", "100", "match", "ip4", "action",
        "dscp=10", "bandwidth", "rate=1000", NULL);
}

static void cell_firewall(struct world *w, int c, const struct uuid *ls, const struct uuid *lsp)
{
    struct uuid set = world_insert(w, "Address_Set"), group = world_insert(w, "Port_Group");
    put(w, "Address_Set", &set, c, "name", "as%d", "addresses", "10.%d.0.1", NULL);
    put(w, "Port_Group", &group, c, "name", "pg%d", NULL);
    world_link(w, "Port_Group", &group, "ports", lsp, true);
    struct uuid meter = world_insert(w, "Meter"), band = world_insert(w, "Meter_Band");
    char text[UUID_TEXT_LEN + 1];
    put(w, "Meter", &meter, c, "name", "meter%d", "unit", "pktps", "bands", uuid_print(&band, text),
        NULL);
    put(w, "Meter_Band", &band, c, "action", "drop", "rate", "10", NULL);
    struct uuid acl = child(w, "Logical_Switch", ls, "acls", "ACL");
    put(w, "ACL", &acl, c, "direction", "from-lport", "priority", "100", "match",
        "ip4.src == $as%d && inport == @pg%d", "action", "allow-related", "log", "true", "meter",
        "meter%d", "severity", "info", "name", "acl%d", NULL);
    struct uuid more = child(w, "Port_Group", &group, "acls", "ACL");
    put(w, "ACL", &more, c, "direction", "to-lport", "priority", "100", "match",
        "outport == @pg%d && tcp", "action", "drop", NULL);
}

static void cell_router(struct world *w, int c, const struct uuid *lr, const struct uuid *lrp)
{
    char text[UUID_TEXT_LEN + 1];
    struct uuid nat = child(w, "Logical_Router", lr, "nat", "NAT");
    put(w, "NAT", &nat, c, "type", "dnat_and_snat", "external_ip", "10.%d.0.100", "logical_ip",
        "10.%d.0.2", "logical_port", "p%d", "external_mac", "0a:00:00:00:ee:01", NULL);
    struct uuid route =
        child(w, "Logical_Router", lr, "static_routes", "Logical_Router_Static_Route");
    put(w, "Logical_Router_Static_Route", &route, c, "ip_prefix", "20.0.0.0/8", "nexthop",
        "10.%d.0.9", "output_port", "rp%d", NULL);
    struct uuid policy = child(w, "Logical_Router", lr, "policies", "Logical_Router_Policy");
    put(w, "Logical_Router_Policy", &policy, c, "priority", "10", "match", "ip4", "action",
        "reroute", "nexthops", "10.%d.0.7", NULL);
    struct uuid mac = world_insert(w, "Static_MAC_Binding");
    put(w, "Static_MAC_Binding", &mac, c, "logical_port", "rp%d", "ip", "10.%d.0.9", "mac",
        "0a:00:00:00:dd:01", NULL);
    struct uuid group = world_insert(w, "HA_Chassis_Group");
    put(w, "HA_Chassis_Group", &group, c, "name", "ha%d", NULL);
    struct uuid ha = child(w, "HA_Chassis_Group", &group, "ha_chassis", "HA_Chassis");
    put(w, "HA_Chassis", &ha, c, "chassis_name", "hv%d", "priority", "10", NULL);
    world_set(w, "Logical_Router_Port", lrp, "ha_chassis_group", uuid_print(&group, text));
}

/* A switch of two machines, one with an address that northd gives, its router with a gateway port, and all that may be on them. */
static void cell(struct world *w, int c)
{
    struct uuid ls = world_insert(w, "Logical_Switch"), lr = world_insert(w, "Logical_Router");
    put(w, "Logical_Switch", &ls, c, "name", "sw%d", "other_config",
        "subnet=10.%d.0.0/24 exclude_ips=10.%d.0.200", NULL);
    put(w, "Logical_Router", &lr, c, "name", "lr%d", NULL);
    struct uuid p = child(w, "Logical_Switch", &ls, "ports", "Logical_Switch_Port");
    put(w, "Logical_Switch_Port", &p, c, "name", "p%d", "addresses", "0a:00:00:00:0%d:01 10.%d.0.2",
        "port_security", "0a:00:00:00:0%d:01", NULL);
    struct uuid q = child(w, "Logical_Switch", &ls, "ports", "Logical_Switch_Port");
    put(w, "Logical_Switch_Port", &q, c, "name", "q%d", "addresses", "0a:00:00:00:0%d:02 dynamic",
        NULL);
    struct uuid lrp = child(w, "Logical_Router", &lr, "ports", "Logical_Router_Port");
    put(w, "Logical_Router_Port", &lrp, c, "name", "rp%d", "mac", "0a:00:00:00:0%d:ff", "networks",
        "10.%d.0.254/24", "ipv6_ra_configs", "address_mode=slaac", NULL);
    struct uuid at = child(w, "Logical_Switch", &ls, "ports", "Logical_Switch_Port");
    put(w, "Logical_Switch_Port", &at, c, "name", "at%d", "type", "router", "addresses", "router",
        "options", "router-port=rp%d", NULL);
    cell_services(w, c, &ls, &lr, &p);
    cell_firewall(w, c, &ls, &p);
    cell_router(w, c, &lr, &lrp);
}

/* Without the comparison after each settle, which the oracle makes (northd_random.c) and which would be most of the work here. */
static void start_alone(struct world *w)
{
    world_stop(w);
    w->nb_replica = world_replica(w, w->nb);
    w->sb_replica = world_replica(w, w->sb);
    struct northd_options no = {.env = &w->env.env, .nb = w->nb_replica, .sb = w->sb_replica};
    w->northd = northd_new(&no);
}

/* Cell 0 has the same rows, by uuid, whatever the number of cells: what a world draws by chance it draws in order. */
static void network(struct world *w, int n_cells, uuid_vec *rows)
{
    world_open(w, 1);
    start_alone(w);
    struct uuid global = world_insert(w, "NB_Global");
    world_set(w, "NB_Global", &global, "options", "mac_prefix=0a:11:22");
    for (int c = 0; c < n_cells; c++) {
        char name[16];
        snprintf(name, sizeof name, "hv%d", c);
        (void)sb_chassis(w, name, name);
        commit(w);
        cell(w, c);
        commit(w);
        for (size_t t = 0; rows && !c && t < replica_schema(w->nb_client)->n_tables; t++) {
            const struct row *row;
            REPLICA_FOR_EACH(row, pos, w->nb_client, &replica_schema(w->nb_client)->tables[t])
            vec_push(rows, row->uuid);
        }
    }
}

/* --- What runs */

/* From the text of inc/show: KIND UNITS RUNS EMITS CUT-OFFS; a kind's name may have spaces. */
static struct runs runs_of(struct world *w)
{
    struct runs ret = {.n = 0};
    struct str s = STR_INIT;
    char *save = NULL;
    northd_put_stats(w->northd, &s);
    char *text = str_steal(&s);
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        char name[48];
        long long units, runs, emits, cutoffs;
        if (!strncmp(line, "collection", 10))
            break;
        if (sscanf(line, "%32c %lld %lld %lld %lld", name, &units, &runs, &emits, &cutoffs) != 5)
            continue; /* the heading */
        assert_true(ret.n < N_KINDS);
        name[32] = '\0';
        memcpy(ret.of[ret.n].name, name, sizeof name);
        ret.of[ret.n++].runs = runs;
    }
    free(text);
    assert_true(ret.n > 50);
    return ret;
}

static long long sum_since(struct world *w, const struct runs *before, struct runs *ret)
{
    long long sum = 0;
    *ret = runs_of(w);
    for (size_t i = 0; i < ret->n; i++)
        sum += ret->of[i].runs -= before->of[i].runs;
    return sum;
}

/* Makes an edit in both worlds by EDIT and compares. */
static void both(struct pair *p, void (*edit)(struct world *, const void *), const void *aux,
                 const char *what)
{
    struct runs before[2] = {runs_of(&p->small), runs_of(&p->large)}, after[2];
    struct world *w[2] = {&p->small, &p->large};
    long long n[2];
    for (int i = 0; i < 2; i++) {
        edit(w[i], aux);
        if (world_commit(w[i]))
            fail_msg("%s: refused", what);
        world_settle(w[i]);
        n[i] = sum_since(w[i], &before[i], &after[i]);
    }
    if (n[1] <= n[0])
        return;
    for (size_t i = 0; i < after[0].n; i++)
        if (after[1].of[i].runs > after[0].of[i].runs)
            print_message("  %s: %lld runs of %d cells, %lld of %d\n", after[0].of[i].name,
                          after[0].of[i].runs, N_SMALL, after[1].of[i].runs, N_LARGE);
    fail_msg("%s: %lld runs in the small network, %lld in the large one", what, n[0], n[1]);
}

/* --- Edits of NB */

struct edit {
    size_t table, column;
    struct uuid row;
    const struct datum *value;
};

static void set_value(struct world *w, const void *aux)
{
    const struct edit *e = aux;
    const struct schema_table *t = &replica_schema(w->nb_client)->tables[e->table];
    replica_txn_set(world_txn(w), t, &e->row, &t->columns[e->column], datum_ref(e->value));
}

static union atom other_atom(const struct base_type *type, const union atom *old)
{
    if (type->enumeration) {
        const struct datum *all = type->enumeration;
        union atom atom = all->atoms[old && !atom_compare(type->type, &all->atoms[0], old)];
        return type->type == ATOM_STRING ? (union atom){.string = rstr_ref(atom.string)} : atom;
    }
    if (type->type == ATOM_STRING)
        return (union atom){.string = rstr_new(old ? "7" : "x")};
    if (type->type == ATOM_BOOLEAN)
        return (union atom){.boolean = !old || !old->boolean};
    return (union atom){.integer = old ? old->integer + 1 : MAX(type->min_integer, 1)};
}

/* Something else: nothing instead of something, something instead of nothing; NULL: there is nothing else to refer to. */
static const struct datum *other(const struct column_type *t, const struct datum *old)
{
    if (old->n && !t->n_min)
        return datum_new_empty(t->key.type,
                               t->is_map ? (uint8_t)t->value.type : (uint8_t)DATUM_SET);
    if (t->key.type == ATOM_UUID || t->key.type == ATOM_REAL ||
        (t->key.enumeration && t->key.enumeration->n == 1 && old->n))
        return NULL;
    union atom key = other_atom(&t->key, old->n ? &old->atoms[0] : NULL);
    union atom value = {.integer = 0};
    if (!t->is_map)
        return datum_new_set(t->key.type, &key, 1);
    if (t->value.type == ATOM_UUID)
        return NULL;
    value = other_atom(&t->value, NULL);
    return datum_new_map(t->key.type, t->value.type, &key, &value, 1);
}

static int setup(void **state)
{
    log_set_level(NULL, LOG_ERR);
    *state = xcalloc(1, sizeof(struct pair));
    return 0;
}

static void open_pair(struct pair *p, uuid_vec *rows)
{
    network(&p->small, N_SMALL, rows);
    network(&p->large, N_LARGE, NULL);
}

static void close_pair(struct pair *p)
{
    world_close(&p->small);
    world_close(&p->large);
}

static int end(void **state)
{
    free(*state);
    return 0;
}

/* The rows that a cleared column referred to are gone with it: such networks are made anew. */
static bool edit_column(struct pair *p, const struct row *row, size_t column)
{
    const struct schema_table *t = row->table;
    const struct schema_column *c = &t->columns[column];
    const struct datum *old = datum_ref(row->values[column]), *value = other(&c->type, old);
    bool owns = c->type.key.type == ATOM_UUID && !c->type.key.ref_table->is_root;
    char what[128];
    if (value) {
        struct edit e = {t->index, column, row->uuid, value};
        snprintf(what, sizeof what, "%s.%s", t->name, c->name);
        both(p, set_value, &e, what);
        e.value = old;
        snprintf(what, sizeof what, "%s.%s, as it was", t->name, c->name);
        if (!owns)
            both(p, set_value, &e, what);
    }
    bool anew = value && owns;
    if (value)
        datum_unref(value);
    datum_unref(old);
    return anew;
}

static void every_column(void **state)
{
    struct pair *p = *state;
    uuid_vec rows = VEC_INIT;
    size_t n = 0, n_tables = 0, last = SIZE_MAX;
    open_pair(p, &rows);
    for (size_t i = 0; i < rows.n; i++) {
        for (size_t c = 0;; c++) {
            const struct row *row = NULL;
            for (size_t t = 0; !row && t < replica_schema(p->small.nb_client)->n_tables; t++)
                row =
                    replica_row_find(p->small.nb_client,
                                     &replica_schema(p->small.nb_client)->tables[t], &rows.data[i]);
            assert_non_null(row);
            if (c == row->table->n_columns)
                break;
            n_tables += last != row->table->index;
            last = row->table->index;
            /* what is in it concerns everything: the next test */
            bool global = row->table->index == NB_TABLE_NB_GLOBAL && c == NB_NB_GLOBAL_COL_OPTIONS;
            if (!row->table->columns[c].is_mutable || global)
                continue;
            n++;
            if (edit_column(p, row, c)) {
                close_pair(p);
                open_pair(p, NULL);
            }
        }
    }
    print_message("%zu columns of rows in %zu tables\n", n, n_tables);
    assert_int_equal(n_tables, 21);
    vec_fini(&rows);
    close_pair(p);
}

/* --- Rows of tables that no cell has, an option that means nothing */

static void insert_row(struct world *w, const void *aux)
{
    (void)replica_txn_insert(world_txn(w), replica_table(w->nb_client, aux));
}

static void add_option(struct world *w, const void *aux UNUSED)
{
    const struct schema_column *c = world_column(w, "NB_Global", "options");
    const struct row *row = NULL;
    REPLICA_FOR_EACH(row, pos, w->nb_client, c->table)
    break;
    replica_txn_mutate(world_txn(w), c->table, &row->uuid, c, MUTATE_INSERT,
                       world_datum(c, "no_such_option=1"));
}

static void other_tables(void **state)
{
    static const char *const tables[] = {
        "Copp",           "Chassis_Template_Var", "Connection",     "SSL",
        "Address_Set",    "Port_Group",           "Logical_Switch", "DNS",
        "Logical_Router", "HA_Chassis_Group"};
    struct pair *p = *state;
    open_pair(p, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
        both(p, insert_row, tables[i], tables[i]);
    both(p, add_option, NULL, "an option that northd does not know");
    close_pair(p);
}

/* --- What controllers write */

static const struct sb_port_binding *binding(struct world *w, const char *name)
{
    struct uuid row = sb_row(w, SB_TABLE_PORT_BINDING, SB_PORT_BINDING_COL_LOGICAL_PORT, name);
    return sb_port_binding_cast(
        replica_row_find(w->sb_client, world_sb_table(w, SB_TABLE_PORT_BINDING), &row));
}

static void new_chassis(struct world *w, const void *aux UNUSED)
{
    (void)sb_chassis(w, "late", "late");
}

/* p0 by hv0, which the cell's gateway is on too. */
static void claim(struct world *w, const void *aux)
{
    struct uuid port = sb_row(w, SB_TABLE_PORT_BINDING, SB_PORT_BINDING_COL_LOGICAL_PORT, aux);
    struct uuid chassis = sb_row(w, SB_TABLE_CHASSIS, SB_CHASSIS_COL_NAME, "hv0");
    union atom up = {.boolean = true};
    sb_put(w, SB_TABLE_PORT_BINDING, &port, SB_PORT_BINDING_COL_CHASSIS, datum_new_uuid(&chassis));
    sb_put(w, SB_TABLE_PORT_BINDING, &port, SB_PORT_BINDING_COL_UP,
           datum_new_set(ATOM_BOOLEAN, &up, 1));
}

static void learn_neighbor(struct world *w, const void *aux UNUSED)
{
    struct uuid row = sb_insert(w, SB_TABLE_MAC_BINDING);
    sb_put(w, SB_TABLE_MAC_BINDING, &row, SB_MAC_BINDING_COL_LOGICAL_PORT, datum_new_string("rp0"));
    sb_put(w, SB_TABLE_MAC_BINDING, &row, SB_MAC_BINDING_COL_IP, datum_new_string("10.0.0.7"));
    sb_put(w, SB_TABLE_MAC_BINDING, &row, SB_MAC_BINDING_COL_DATAPATH,
           datum_new_uuid(sb_port_binding_datapath(binding(w, "rp0"))));
}

static void learn_station(struct world *w, const void *aux UNUSED)
{
    struct uuid row = sb_insert(w, SB_TABLE_FDB);
    sb_put(w, SB_TABLE_FDB, &row, SB_FDB_COL_MAC, datum_new_string("0a:00:00:00:00:07"));
    sb_put(w, SB_TABLE_FDB, &row, SB_FDB_COL_DP_KEY, datum_new_integer(1));
    sb_put(w, SB_TABLE_FDB, &row, SB_FDB_COL_PORT_KEY, datum_new_integer(1));
}

static void southbound(void **state)
{
    struct pair *p = *state;
    open_pair(p, NULL);
    both(p, new_chassis, NULL, "a chassis");
    both(p, claim, "p0", "a port that is claimed");
    both(p, claim, "cr-rp0", "a gateway that is claimed");
    both(p, learn_neighbor, NULL, "a neighbour");
    both(p, learn_station, NULL, "a station");
    close_pair(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(southbound, setup, end),
        cmocka_unit_test_setup_teardown(other_tables, setup, end),
        cmocka_unit_test_setup_teardown(every_column, setup, end),
    };
    return cmocka_run_group_tests_name("northd concern", tests, NULL, NULL);
}
