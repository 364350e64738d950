/* test_translate.c - the compiler on small networks: conjunctions, sets changed one element at a time, port groups, very large multicast groups, who
 * holds a gateway, ports on physical networks; and the numbers that stick. */
#include "unit/controller/translate_world.h"

/* The tables that answer what connections are asked for have flows, one for each family, and of tracked packets only. */
static void test_fields_of_connections(void **state UNUSED)
{
    static const struct {
        unsigned table;
        const char *pattern;
    } answers[] = {
        {81, "ct_state=-inv+trk,ip actions=move:NXM_NX_CT_NW_DST[]->NXM_NX_XXREG1[0..31]"},
        {82, "ct_state=-inv+trk,ipv6 actions=move:NXM_NX_CT_IPV6_DST[]->NXM_NX_XXREG1[]"},
        {83, "ct_state=-inv+trk,ip actions=move:NXM_NX_CT_TP_DST[]->NXM_NX_XXREG1[0..15]"},
        {83, "ct_state=-inv+trk,ipv6 actions=move:NXM_NX_CT_TP_DST[]->NXM_NX_XXREG1[0..15]"},
        {85, "ct_state=-inv+trk actions=move:NXM_NX_CT_STATE[0..7]->NXM_NX_REG4[0..7]"},
        {86, "ct_state=-inv+trk,ip actions=move:NXM_NX_CT_NW_PROTO[]->NXM_NX_XXREG1[0..7]"},
    };
    struct world w;
    world_init(&w);
    put_small_network(&w);
    settle(&w);
    for (size_t i = 0; i < ARRAY_SIZE(answers); i++)
        assert_int_equal(look(&w, answers[i].table, answers[i].pattern).n, 1);
    world_fini(&w);
}

/* Addresses by ports: a sum and not a product; one address more or less is one flow. */
static void test_sets(void **state UNUSED)
{
    enum { MANY = 10000 };
    struct world w;
    world_init(&w);
    put_small_network(&w);
    put_lflow(&w, 1, "ip4.src == $as && tcp.dst == {80, 443, 8080}", "next;");
    put_set(&w, MANY, 1);
    settle(&w);
    struct look all = look(&w, 16, NULL);
    assert_int_equal(all.n, MANY + 3 + 1);
    assert_int_equal(all.clauses, MANY + 3);
    int64_t start = env_now_us(env_real());
    put_set(&w, MANY, 3);
    settle(&w);
    print_message("one of %d addresses changed: %lld us\n", MANY,
                  (long long)(env_now_us(env_real()) - start));
    assert_int_equal(w.added, 1);
    assert_int_equal(w.removed, 1);
    put_set(&w, MANY - 1, 3);
    settle(&w);
    assert_int_equal(w.added, 0);
    assert_int_equal(w.removed, 1);
    assert_true(inc_verify(w.inc, NULL));
    world_fini(&w);
}

struct merged {
    struct world *w;
    size_t n_shared, n_actions;
};

static void merge(const void *fact, void *merged_)
{
    const struct fact_oflow *f = fact;
    struct merged *m = merged_;
    struct inc_facts facts = inc_look(m->w->inc, m->w->program.oflow_by_key, &f->key);
    uint64_t cookie;
    if (f->key.table != 16 || facts.n < 2)
        return;
    struct rstr *actions = flow_actions_of(&m->w->program.blobs, facts, &cookie);
    const struct of_action *a;
    m->n_shared++;
    OF_ACTION_FOR_EACH(a, actions->s, actions->n)
    {
        assert_int_equal(a->type, OF_CONJUNCTION);
        m->n_actions++;
    }
    rstr_unref(actions);
}

/* Two logical flows of one priority over the same set: what is one flow to the switch has the clauses of both. */
static void test_shared_clauses(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    put_small_network(&w);
    put_lflow(&w, 1, "ip4.src == $as && tcp.dst == {80, 443, 8080}", "next;");
    put_lflow(&w, 2, "ip4.src == $as && tcp.dst == {22, 23, 24}", "drop;");
    put_set(&w, 10, 1);
    settle(&w);
    struct merged m = {.w = &w};
    inc_for_each(w.inc, w.program.oflow, merge, &m);
    assert_int_equal(m.n_shared, 2 * 10); /* told once for each of the two */
    assert_int_equal(m.n_actions, 2 * m.n_shared);
    world_fini(&w);
}

/* A group's ports on a datapath are a row of their own, named with the datapath's key. */
static void test_port_groups(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    put_small_network(&w);
    put_lflow(&w, 1, "inport == @pg && ip4", "next;");
    settle(&w);
    assert_int_equal(look(&w, 16, "reg14").n, 0);
    struct row *row = new_row(&w, "Port_Group", PORT_GROUP, 1);
    union atom ports[] = {{.string = rstr_new("a")}, {.string = rstr_new("b")}};
    set_text(row, "name", "1_pg");
    set(row, "ports", datum_new_set(ATOM_STRING, ports, 2));
    put(&w, row);
    settle(&w);
    assert_int_equal(look(&w, 16, "reg14=0x1,").n, 1);
    assert_int_equal(look(&w, 16, "reg14=0x2,").n, 1);
    world_fini(&w);
}

/* A match on the port where a machine's packets come in is in force where the machine is; one on where they go, wherever they come from. */
static void test_ports_elsewhere(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    put_small_network(&w);
    put_chassis(&w, 1);
    put_tunnel(&w, "hv1", 9, false, true);
    struct row *row = port(&w, 3, "away", 1, "");
    set_ref(row, "chassis", CHASSIS, 1);
    put(&w, row);
    put(&w, port(&w, 4, "router", 1, "patch"));
    put_lflow(&w, 1, "inport == {\"a\", \"away\", \"router\"} && ip4", "next;");
    put_lflow(&w, 2, "outport == \"away\" && ip6", "next;");
    put_lflow(&w, 3, "inport == \"away\" && tcp.src == {1, 5} && tcp.dst == {1, 5}", "next;");
    settle(&w);
    assert_int_equal(look(&w, 16, "ip,reg14=0x1,").n, 1);
    assert_int_equal(look(&w, 16, "ip,reg14=0x4,").n, 1);
    assert_int_equal(look(&w, 16, "reg14=0x3,").n, 0);
    assert_int_equal(look(&w, 16, "reg15=0x3,").n, 1);
    assert_int_equal(look(&w, 16, "tcp").n, 0);
    put_vif(&w, 3, "away", 1);
    settle(&w);
    assert_int_equal(look(&w, 16, "ip,reg14=0x3,").n, 1);
    assert_int_not_equal(look(&w, 16, "tcp").n, 0);
    assert_true(inc_verify(w.inc, NULL));
    world_fini(&w);
}

/* A copy for each of 5,000 hypervisors and each of 2,500 ports here, in flows that each fit a message. */
static void test_large_group(void **state UNUSED)
{
    enum { HYPERVISORS = 5000, HERE = 2500 };
    struct world w;
    world_init(&w);
    put_small_network(&w);
    union atom *members = xcalloc(HYPERVISORS + HERE, sizeof *members);
    for (unsigned i = 0; i < HYPERVISORS + HERE; i++) {
        char name[16];
        snprintf(name, sizeof name, "p%u", i);
        if (i < HERE) {
            put_vif(&w, 10 + i, name, 1);
        } else {
            struct row *row = port(&w, 10 + i, name, 1, "");
            char chassis[16];
            snprintf(chassis, sizeof chassis, "hv%u", 1 + i - HERE);
            put_chassis(&w, 1 + i - HERE);
            put_tunnel(&w, chassis, 20000 + i, false, true);
            set_ref(row, "chassis", CHASSIS, 1 + i - HERE);
            put(&w, row);
        }
        members[i].uuid = uuid_of(PORT, 10 + i);
    }
    struct row *row = new_row(&w, "Multicast_Group", GROUP, 1);
    set_ref(row, "datapath", DATAPATH, 1);
    set_text(row, "name", "_MC_flood");
    set_int(row, "tunnel_key", 32768);
    set(row, "ports", datum_new_set(ATOM_UUID, members, HYPERVISORS + HERE));
    put(&w, row);
    free(members);
    settle(&w);
    struct look remote = look(&w, 39, "reg15=0x8000"), more = look(&w, 89, NULL),
                here = look(&w, 40, "reg15=0x8000");
    assert_int_equal(remote.n, 1);
    assert_int_equal(here.n, 1);
    assert_true(remote.fits && more.fits && here.fits);
    assert_int_equal(remote.outputs + more.outputs, HYPERVISORS);
    assert_true(more.n >= 4);
    world_fini(&w);
}

static void put_gateway(struct world *w)
{
    struct row *row = new_row(w, "HA_Chassis_Group", HA_GROUP, 1);
    union atom members[] = {{.uuid = uuid_of(HA_CHASSIS, 0)}, {.uuid = uuid_of(HA_CHASSIS, 1)}};
    set_text(row, "name", "g");
    set(row, "ha_chassis", datum_new_set(ATOM_UUID, members, 2));
    put(w, row);
    for (unsigned i = 0; i < 2; i++) {
        row = new_row(w, "HA_Chassis", HA_CHASSIS, i);
        set_ref(row, "chassis", CHASSIS, i);
        set_int(row, "priority", 10 + i);
        put(w, row);
    }
    row = port(w, 5, "cr", 1, "chassisredirect");
    set_ref(row, "ha_chassis_group", HA_GROUP, 1);
    set_pair(row, "options", "distributed-port", "a");
    put(w, row);
}

struct claims {
    struct uuid port;
    size_t n;
};

static void count_claim(const void *fact, void *claims_)
{
    struct claims *claims = claims_;
    claims->n += uuid_equal(&((const struct fact_claim *)fact)->port, &claims->port);
}

static size_t n_claims(struct world *w, unsigned i)
{
    struct claims claims = {uuid_of(PORT, i), 0};
    inc_for_each(w->inc, w->program.claim, count_claim, &claims);
    return claims.n;
}

/* The first candidate that is not known to be dead. */
static void test_gateway(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    put_small_network(&w);
    put_chassis(&w, 1);
    put_tunnel(&w, "hv1", 50, false, true);
    put_gateway(&w);
    settle(&w);
    assert_int_equal(n_claims(&w, 5), 0); /* hv1 comes first */
    assert_int_equal(look(&w, 39, "reg15=0x5").outputs, 1);
    put_tunnel(&w, "hv1", 50, false, false);
    put_tunnel(&w, "hv1", 50, true, true);
    settle(&w);
    assert_int_equal(n_claims(&w, 5), 1);
    struct row *row = port(&w, 5, "cr", 1, "chassisredirect"); /* bound here */
    set_ref(row, "ha_chassis_group", HA_GROUP, 1);
    set_ref(row, "chassis", CHASSIS, 0);
    set_pair(row, "options", "distributed-port", "a");
    put(&w, row);
    settle(&w);
    assert_int_equal(look(&w, 39, "reg15=0x5").n, 0);
    assert_int_equal(look(&w, 40, "reg15=0x5,metadata=0x1 actions=").n, 1);
    put_tunnel(&w, "hv1", 50, true, false);
    put_tunnel(&w, "hv1", 50, false, true);
    settle(&w);
    assert_int_equal(n_claims(&w, 5), 0); /* it is back, and takes it over */
    assert_true(inc_verify(w.inc, NULL));
    world_fini(&w);
}

/* A switch on a physical network: its own machines elsewhere are reached over that, not through tunnels. */
static void test_localnet(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    put_small_network(&w);
    put_chassis(&w, 1);
    put_tunnel(&w, "hv1", 50, false, true);
    struct row *row = port(&w, 6, "far", 1, "");
    set_ref(row, "chassis", CHASSIS, 1);
    put(&w, row);
    row = port(&w, 7, "ln", 1, "localnet");
    set_pair(row, "options", "network_name", "phys");
    set_int(row, "tag", 77);
    put(&w, row);
    settle(&w);
    assert_int_equal(look(&w, 39, "reg15=0x6").outputs, 1); /* no bridge leads to the network */
    struct fact_mapping mapping;
    struct fact_uplink uplink;
    INC_CLEAR(mapping);
    INC_CLEAR(uplink);
    mapping.network = program_name(&w.program, "phys");
    uplink.port = program_name(&w.program, "ln");
    uplink.ofport = 9;
    inc_assert(w.inc, w.program.mapping, &mapping);
    inc_assert(w.inc, w.program.uplink, &uplink);
    settle(&w);
    assert_int_equal(inc_count(w.inc, w.program.want_uplink), 1);
    assert_int_equal(look(&w, 39, "reg15=0x6").n, 0);
    assert_int_equal(look(&w, 40, "reg15=0x6").n, 1);
    assert_int_equal(look(&w, 0, "in_port=9,dl_vlan=77 actions=pop_vlan").n, 1);
    assert_int_equal(look(&w, 65, "actions=push_vlan:0x8100,set_field:4173->vlan_vid,output:9").n,
                     1);
    type_mapping.unref(&mapping);
    type_uplink.unref(&uplink);
    world_fini(&w);
}

/* Names keep their numbers; what was given before a restart is given again; a zone that is asked for is had. */
static void test_numbers(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    ids_restore(&w.ids, ID_ZONE, "b", 7);
    ids_restore(&w.ids, ID_ZONE, "gone", 8);
    ids_restore(&w.ids, ID_ZONE, "twice", 7); /* is taken */
    put_small_network(&w);
    settle(&w);
    assert_int_equal(ids_find(&w.ids, ID_ZONE, "b"), 7);
    assert_int_equal(ids_find(&w.ids, ID_ZONE, "twice"), 0);
    uint32_t a = ids_find(&w.ids, ID_ZONE, "a");
    assert_true(a > 8);
    for (size_t i = 0; i < w.ids.flush.n; i++)
        assert_int_not_equal(w.ids.flush.data[i], 7); /* it was ours: its connections live on */
    vec_clear(&w.ids.flush);
    ids_forget_restored(&w.ids);
    assert_int_equal(ids_find(&w.ids, ID_ZONE, "gone"), 0);

    struct row *row = new_row(&w, "Datapath_Binding", DATAPATH, 1);
    char number[16];
    snprintf(number, sizeof number, "%u", a);
    set_int(row, "tunnel_key", 1);
    set_pair(row, "external_ids", "snat-ct-zone", number);
    put(&w, row);
    settle(&w);
    struct uuid uuid = uuid_of(DATAPATH, 1);
    char text[UUID_TEXT_LEN + 8];
    uuid_print(&uuid, text);
    strcat(text, "_snat");
    assert_int_equal(ids_find(&w.ids, ID_ZONE, text), a);
    assert_int_not_equal(ids_find(&w.ids, ID_ZONE, "a"), a);
    assert_int_equal(w.ids.flush.n, 2); /* both have new owners */
    assert_true(inc_verify(w.inc, NULL));
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields_of_connections),
        cmocka_unit_test(test_sets),
        cmocka_unit_test(test_shared_clauses),
        cmocka_unit_test(test_port_groups),
        cmocka_unit_test(test_ports_elsewhere),
        cmocka_unit_test(test_large_group),
        cmocka_unit_test(test_gateway),
        cmocka_unit_test(test_localnet),
        cmocka_unit_test(test_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
