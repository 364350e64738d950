/* test_install.c - the installer against a small switch in the same process: what is sent, what is not, what happens to refusals. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/support/fake_switch.h"

#include "controller/install/installer.h"

/* --- The world of a test */

struct world {
    struct loop *loop;
    struct program program; /* flows alone, asserted by the test */
    struct inc *inc;
    char dir[64], target[128];
    struct fake fake;
    struct installer *installer;
    uint64_t confirmed, committed;
};

static void on_confirmed(void *w, uint64_t generation)
{
    ((struct world *)w)->confirmed = generation;
}

static void declare_flows(struct program *p)
{
    p->inc = inc_program_new("flows", p);
    p->oflow = inc_input(p->inc, "oflow", &type_oflow);
    p->oflow_by_key = inc_index_host(p->inc, p->oflow, "flow", &type_key_oflow, 0);
}

/* A controller that starts: it knows of no flow yet. */
static void new_installer(struct world *w)
{
    installer_free(w->installer);
    inc_free(w->inc);
    w->inc = inc_new(w->program.inc);
    inc_watch(w->inc, w->program.oflow);
    struct installer_options options = {
        .loop = w->loop, .target = w->target, .inc = w->inc, .program = &w->program};
    w->confirmed = w->committed = 0;
    w->installer = installer_new(&options, on_confirmed, w, NULL);
    assert_non_null(w->installer);
}

static void world_init(struct world *w)
{
    memset(w, 0, sizeof *w);
    w->loop = loop_new(env_real());
    strcpy(w->dir, "/tmp/weft-install-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    snprintf(w->target, sizeof w->target, "unix:%s/br.mgmt", w->dir);
    char passive[140];
    snprintf(passive, sizeof passive, "p%s", w->target);
    w->fake.loop = w->loop;
    w->fake.blobs = &w->program.blobs;
    declare_flows(&w->program);
    struct stream_options options = {0};
    assert_int_equal(
        stream_listen(w->loop, passive, &options, fake_accept, &w->fake, &w->fake.listener, NULL),
        0);
    new_installer(w);
}

static void world_fini(struct world *w)
{
    installer_free(w->installer);
    fake_fini(&w->fake);
    rmdir(w->dir);
    inc_free(w->inc);
    inc_program_free(w->program.inc);
    rstr_pool_fini(&w->program.blobs);
    loop_free(w->loop);
}

static void take(struct world *w)
{
    while (!inc_settle(w->inc, SIZE_MAX))
        continue;
    installer_take(w->installer);
}

static void commit(struct world *w, uint64_t generation)
{
    take(w);
    w->committed = generation;
    installer_commit(w->installer, generation);
}

static void fill(struct world *w)
{
    take(w);
    installer_fill(w->installer);
}

/* A turn of the loop, and what a controller does when the installer has read the switch. */
static void turn(struct world *w)
{
    loop_run_once(w->loop, 50000);
    if (!installer_wants_flows(w->installer))
        return;
    if (w->committed)
        commit(w, w->committed);
    else
        fill(w);
}

static void wait_confirmed(struct world *w, uint64_t generation)
{
    int64_t end = env_now_ms(env_real()) + 10000;
    while (w->confirmed < generation && env_now_ms(env_real()) < end)
        turn(w);
    assert_int_equal(w->confirmed, generation);
}

/* Runs the loop until the installer is connected again or has nothing more to do. */
static void wait_idle(struct world *w, unsigned readbacks)
{
    int64_t end = env_now_ms(env_real()) + 10000;
    while ((w->fake.n_readbacks < readbacks || !installer_stats(w->installer).is_connected) &&
           env_now_ms(env_real()) < end)
        turn(w);
    assert_true(w->fake.n_readbacks >= readbacks);
}

/* The flow KEY should have these ACTIONS; NULL: it should not be there. */
static void put_flow(struct world *w, const struct oflow_key *key, const struct of_actions *actions,
                     uint64_t cookie)
{
    struct fact_oflow fact;
    struct inc_facts old = inc_look(w->inc, w->program.oflow_by_key, key);
    if (old.n) {
        memcpy(&fact, old.v[0], sizeof fact);
        inc_retract(w->inc, w->program.oflow, &fact);
    }
    if (!actions)
        return;
    INC_CLEAR(fact);
    fact.key = *key;
    fact.actions = flow_actions_blob(&w->program.blobs, actions);
    fact.cookie = cookie;
    inc_assert(w->inc, w->program.oflow, &fact);
    rstr_unref(fact.actions);
}

static void set_flow_in(struct world *w, unsigned table, uint32_t priority, uint32_t out,
                        uint64_t cookie)
{
    struct match match;
    match_init(&match);
    match_set(&match, FIELD_METADATA, 7);
    match_set(&match, FIELD_REG15, priority);
    match_set(&match, FIELD_ETH_TYPE, 0x0800);
    match_set_masked(&match, FIELD_IP_DST, 0x0a000000, 0xff000000);
    struct oflow_key key = oflow_key_of(&w->program.blobs, &match, table, priority);
    struct of_actions actions = OF_ACTIONS_INIT;
    if (out) {
        struct subfield low = subfield_make(FIELD_REG10, 6, 1);
        of_put_set_field(&actions, FIELD_REG14, out);
        of_put_load(&actions, &low, 1);
        of_put_dec_ttl(&actions);
        of_put_set_field(&actions, FIELD_ETH_DST, 0x020000000001);
        of_put_resubmit(&actions, PORT_IN_PORT, 39);
        of_put_output(&actions, out);
    }
    put_flow(w, &key, out ? &actions : NULL, cookie);
    rstr_unref(key.match);
    of_actions_fini(&actions);
}

static void set_flow(struct world *w, uint32_t priority, uint32_t out, uint64_t cookie)
{
    set_flow_in(w, 8, priority, out, cookie);
}

static void set_three(struct world *w)
{
    for (uint32_t i = 1; i <= 3; i++)
        set_flow(w, 100 + i, i, 0x1000 + i);
}

static void test_installs_differences_only(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    set_three(&w);
    commit(&w, 1);
    wait_confirmed(&w, 1);
    assert_int_equal(w.fake.n_tlv_mods, 1);
    assert_int_equal(w.fake.n_bundles, 1);
    assert_int_equal(w.fake.n_mods, 3);
    assert_int_equal(w.fake.flows.n, 3);

    commit(&w, 2); /* nothing new: confirmed without a message */
    assert_int_equal(w.confirmed, 2);
    set_flow(&w, 102, 0, 0);
    set_flow(&w, 103, 9, 0x1003);
    set_flow(&w, 101, 5, 0x1001); /* there and back */
    set_flow(&w, 101, 1, 0x1001);
    commit(&w, 3);
    wait_confirmed(&w, 3);
    assert_int_equal(w.fake.n_bundles, 2);
    assert_int_equal(w.fake.n_mods, 5);
    assert_int_equal(w.fake.flows.n, 2);

    of_conn_close(w.fake.conn, "test"); /* the switch comes back with its flows */
    wait_idle(&w, 2);
    commit(&w, 4);
    wait_confirmed(&w, 4);
    assert_int_equal(w.fake.n_bundles, 2);
    assert_int_equal(w.fake.n_tlv_mods, 1);
    world_fini(&w);
}

static void test_restart_sends_nothing(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    set_three(&w);
    commit(&w, 1);
    wait_confirmed(&w, 1);
    new_installer(&w); /* kill -9 and start again */
    wait_idle(&w, 2);
    assert_int_equal(w.fake.flows.n, 3); /* it does not know yet: nothing is touched */
    set_three(&w);
    commit(&w, 1);
    wait_confirmed(&w, 1);
    assert_int_equal(w.fake.n_bundles, 1);
    new_installer(&w); /* once more, knowing before it is connected, and without one of the flows */
    set_flow(&w, 101, 1, 0x1001);
    set_flow(&w, 103, 3, 0x1003);
    commit(&w, 1);
    wait_confirmed(&w, 1);
    assert_int_equal(w.fake.n_bundles, 2);
    assert_int_equal(w.fake.n_mods, 4);
    assert_int_equal(w.fake.flows.n, 2);
    world_fini(&w);
}

static void test_refused_flow_is_set_aside(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    w.fake.refuse_priority = 102;
    set_three(&w);
    commit(&w, 1);
    wait_confirmed(&w, 1);
    assert_int_equal(w.fake.flows.n, 2); /* the others are in */
    struct installer_stats stats = installer_stats(w.installer);
    assert_int_equal(stats.rejected, 1);
    assert_int_equal(stats.failures, 1);
    assert_int_equal(w.fake.n_bundles, 2);
    w.fake.refuse_priority = 0;
    set_flow(&w, 102, 8, 0x1002); /* another version gets another chance */
    commit(&w, 2);
    wait_confirmed(&w, 2);
    assert_int_equal(w.fake.flows.n, 3);
    assert_int_equal(installer_stats(w.installer).rejected, 0);
    world_fini(&w);
}

/* One that no message can hold does not take the others, or us, down. */
static void test_flow_that_does_not_fit(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    set_three(&w);
    struct match match;
    struct of_actions actions = OF_ACTIONS_INIT;
    match_init(&match);
    for (uint32_t i = 0; i < 5000; i++)
        of_put_output(&actions, i + 1);
    struct oflow_key key = oflow_key_of(&w.program.blobs, &match, 0, 7);
    put_flow(&w, &key, &actions, 1);
    commit(&w, 1);
    wait_confirmed(&w, 1);
    assert_int_equal(w.fake.flows.n, 3);
    assert_int_equal(installer_stats(w.installer).rejected, 1);
    actions.n /= 2;
    put_flow(&w, &key, &actions, 1);
    commit(&w, 2);
    wait_confirmed(&w, 2);
    assert_int_equal(w.fake.flows.n, 4);
    assert_int_equal(installer_stats(w.installer).rejected, 0);
    rstr_unref(key.match);
    of_actions_fini(&actions);
    world_fini(&w);
}

static void test_switch_that_lost_its_flows(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    set_three(&w);
    commit(&w, 1);
    wait_confirmed(&w, 1);
    for (size_t i = 0; i < w.fake.flows.n; i++) {
        rstr_unref(w.fake.flows.data[i].key.match);
        rstr_unref(w.fake.flows.data[i].actions);
    }
    vec_clear(&w.fake.flows);
    w.fake.tlv_mapped = false;
    of_conn_close(w.fake.conn, "restarted");
    wait_idle(&w, 2);
    commit(&w, 2);
    wait_confirmed(&w, 2);
    assert_int_equal(w.fake.flows.n, 3);
    assert_int_equal(w.fake.n_tlv_mods, 2);
    world_fini(&w);
}

static const char lb_spec[] =
    "type=select,selection_method=dp_hash,bucket=bucket_id=0,weight:100,actions=ct(nat(dst=10.0.0."
    "1:"
    "80),commit,table=21,zone=NXM_NX_REG13[0..15],exec(set_field:2/2->ct_mark)),bucket=bucket_id=1,"
    "weight:100,actions=ct(nat(dst=10.0.0.2),commit,table=21,zone=NXM_NX_REG13[0..15],exec(set_"
    "field:2/2->ct_mark))";

static void set_objects(struct world *w)
{
    set_three(w);
    installer_set_object(w->installer, ID_GROUP, 4000000001, lb_spec);
    installer_set_object(w->installer, ID_METER, 1, "pktps burst stats bands=type=drop rate=5");
    installer_set_object(w->installer, ID_METER, 2, "kbps,band=type=drop,rate=7,burst_size=3");
}

static void test_groups_and_meters(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    set_objects(&w);
    installer_flush_zone(w.installer, 17);
    commit(&w, 1);
    wait_confirmed(&w, 1);
    assert_int_equal(w.fake.groups.n, 1);
    assert_int_equal(w.fake.groups.data[0].n_buckets, 2);
    assert_int_equal(w.fake.meters.n, 2);
    assert_int_equal(w.fake.flushed.n, 1);
    assert_int_equal(w.fake.flushed.data[0], 17);
    unsigned mods = w.fake.n_mods;

    new_installer(&w); /* started again: what is there is known again */
    set_objects(&w);
    commit(&w, 1);
    wait_confirmed(&w, 1);
    assert_int_equal(w.fake.n_mods, mods);
    assert_int_equal(installer_stats(w.installer).objects, 0);

    installer_set_object(w.installer, ID_METER, 1, "pktps burst stats bands=type=drop rate=6");
    installer_set_object(w.installer, ID_METER, 2, NULL);
    installer_set_object(w.installer, ID_GROUP, 4000000001, NULL);
    installer_set_object(w.installer, ID_GROUP, 2, lb_spec);
    installer_set_object(w.installer, ID_GROUP, 3, "type=nonsense,bucket=drop"); /* is left out */
    commit(&w, 2);
    wait_confirmed(&w, 2);
    assert_int_equal(w.fake.meters.n, 1);
    assert_int_equal(w.fake.meters.data[0].bands[0].rate, 6);
    assert_int_equal(w.fake.groups.n, 1);
    assert_int_equal(w.fake.groups.data[0].id, 2);

    w.fake.refuse_group = 5; /* does not hold up the others */
    installer_set_object(w.installer, ID_GROUP, 5, lb_spec);
    installer_set_object(w.installer, ID_GROUP, 6, lb_spec);
    commit(&w, 3);
    wait_confirmed(&w, 3);
    assert_int_equal(w.fake.groups.n, 2);
    world_fini(&w);
}

static void put_clause(struct world *w, const struct oflow_key *key, uint32_t id, bool there)
{
    struct fact_oflow fact;
    struct of_actions actions = OF_ACTIONS_INIT;
    of_put_conjunction(&actions, id, 0, 2);
    INC_CLEAR(fact);
    fact.key = *key;
    fact.actions = flow_actions_blob(&w->program.blobs, &actions);
    if (there)
        inc_assert(w->inc, w->program.oflow, &fact);
    else
        inc_retract(w->inc, w->program.oflow, &fact);
    rstr_unref(fact.actions);
    of_actions_fini(&actions);
}

/* Two facts make one flow, one of them makes another, and the switch follows. */
static void test_facts_that_share_a_flow(void **state UNUSED)
{
    struct world w;
    struct match match;
    world_init(&w);
    match_init(&match);
    struct oflow_key key = oflow_key_of(&w.program.blobs, &match, 9, 7);
    set_three(&w);
    put_clause(&w, &key, 5, true);
    commit(&w, 1);
    wait_confirmed(&w, 1);
    put_clause(&w, &key, 6, true);
    commit(&w, 2);
    wait_confirmed(&w, 2);
    assert_int_equal(w.fake.n_mods, 5);
    size_t n = w.fake.flows.data[3].actions->n;
    put_clause(&w, &key, 5, false);
    commit(&w, 3);
    wait_confirmed(&w, 3);
    assert_int_equal(w.fake.n_mods, 6);
    assert_int_equal(w.fake.flows.n, 4);
    assert_int_equal(w.fake.flows.data[3].actions->n, n / 2);
    put_clause(&w, &key, 6, false);
    put_clause(&w, &key, 6, true); /* there and back */
    commit(&w, 4);
    wait_confirmed(&w, 4);
    assert_int_equal(w.fake.n_mods, 6);
    assert_int_equal(installer_stats(w.installer).desired, 4);
    assert_int_equal(installer_stats(w.installer).installed, 4);
    put_clause(&w, &key, 6, false);
    commit(&w, 5);
    wait_confirmed(&w, 5);
    assert_int_equal(w.fake.flows.n, 3);
    rstr_unref(key.match);
    world_fini(&w);
}

static void wait_flows(struct world *w, size_t n)
{
    int64_t end = env_now_ms(env_real()) + 10000;
    while (w->fake.flows.n != n && env_now_ms(env_real()) < end)
        turn(w);
    assert_int_equal(w->fake.flows.n, n);
}

/* A switch without flows gets what is known, but no way in; what has changed by the commit is put right with it. */
static void test_empty_switch_is_filled(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    set_three(&w);
    set_flow_in(&w, 0, 50, 5, 0x50);
    fill(&w);
    wait_flows(&w, 3);
    set_flow(&w, 104, 4, 0x1004);
    installer_set_object(w.installer, ID_GROUP, 5, lb_spec);
    fill(&w);
    wait_flows(&w, 4);
    for (size_t i = 0; i < w.fake.flows.n; i++)
        assert_int_equal(w.fake.flows.data[i].key.table, 8);
    assert_int_equal(w.fake.groups.n, 1);
    assert_int_equal(w.confirmed, 0);

    set_flow(&w, 101, 0, 0);
    set_flow(&w, 102, 7, 0x1002);
    commit(&w, 1);
    wait_confirmed(&w, 1);
    assert_int_equal(w.fake.flows.n, 4);
    assert_int_equal(w.fake.n_mods, 8); /* four flows and a group, then three */
    world_fini(&w);
}

/* Another controller's, or an earlier life's, flows stay as they are until all is known. */
static void test_full_switch_is_not_filled(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    set_three(&w);
    commit(&w, 1);
    wait_confirmed(&w, 1);
    unsigned readbacks = w.fake.n_readbacks, mods = w.fake.n_mods;

    new_installer(&w);
    set_flow(&w, 101, 1, 0x1001);
    set_flow(&w, 102, 9, 0x1002); /* another for now */
    fill(&w);
    wait_idle(&w, readbacks + 1);
    set_flow(&w, 104, 4, 0x1004); /* for now only */
    fill(&w);
    set_flow(&w, 104, 0, 0);
    set_three(&w);
    commit(&w, 1);
    wait_confirmed(&w, 1);
    assert_int_equal(w.fake.n_mods, mods);
    world_fini(&w);
}

static void test_bad_target(void **state UNUSED)
{
    struct loop *loop = loop_new(env_real());
    struct program program = {.blobs = RSTR_POOL_INIT};
    struct diag diag = DIAG_INIT;
    declare_flows(&program);
    struct inc *inc = inc_new(program.inc);
    struct installer_options options = {
        .loop = loop, .target = "carrier-pigeon", .inc = inc, .program = &program};
    assert_null(installer_new(&options, on_confirmed, NULL, &diag));
    assert_non_null(diag.text);
    diag_fini(&diag);
    inc_free(inc);
    inc_program_free(program.inc);
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_installs_differences_only),
        cmocka_unit_test(test_restart_sends_nothing),
        cmocka_unit_test(test_refused_flow_is_set_aside),
        cmocka_unit_test(test_flow_that_does_not_fit),
        cmocka_unit_test(test_switch_that_lost_its_flows),
        cmocka_unit_test(test_groups_and_meters),
        cmocka_unit_test(test_facts_that_share_a_flow),
        cmocka_unit_test(test_empty_switch_is_filled),
        cmocka_unit_test(test_full_switch_is_not_filled),
        cmocka_unit_test(test_bad_target),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
