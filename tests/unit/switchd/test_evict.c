/* test_evict.c - which flow goes when a table is full: against a plain list that is searched each time, over random flows, traffic,
 * changes of policy and modifications taken back. */
#include "switchd/table_policy.h"
#include "unit/switchd/world.h"

enum { LIMIT = 40, STEPS = 6000, PORTS = 6 };

struct known {
    uint64_t cookie;
    unsigned in_port, importance;
    int64_t idle, hard; /* seconds; 0: none */
    int64_t made_ms, used_ms;
};
typedef VEC(struct known) known_vec;

struct test {
    struct world w;
    struct bridge *br;
    known_vec list, before;
    unsigned limit;
    bool evicts, by_port;
    uint64_t next;
};

static uint64_t pick(struct test *t, uint64_t n)
{
    return env_random_u64(&t->w.env.env) % n;
}

static bool may_go(const struct known *k)
{
    return k->idle || k->hard;
}

static unsigned group_size(const struct test *t, unsigned in_port)
{
    unsigned n = 0;
    const struct known *k;
    VEC_FOR_EACH (k, &t->list)
        n += may_go(k) && (!t->by_port || k->in_port == in_port);
    return n;
}

static bool goes_before(const struct test *t, const struct known *a, const struct known *b)
{
    unsigned in_a = group_size(t, a->in_port), in_b = group_size(t, b->in_port);
    int64_t end_a = MIN(a->hard ? a->made_ms + a->hard * 1000 : INT64_MAX,
                        a->idle ? a->used_ms + a->idle * 1000 : INT64_MAX);
    int64_t end_b = MIN(b->hard ? b->made_ms + b->hard * 1000 : INT64_MAX,
                        b->idle ? b->used_ms + b->idle * 1000 : INT64_MAX);
    if (in_a != in_b)
        return in_a > in_b;
    return a->importance != b->importance ? a->importance < b->importance : end_a < end_b;
}

/* The documented algorithm, word for word. False: nothing may go. */
static bool evict_one(struct test *t)
{
    size_t victim = SIZE_MAX;
    for (size_t i = 0; i < t->list.n; i++) {
        if (may_go(&t->list.data[i]) &&
            (victim == SIZE_MAX || goes_before(t, &t->list.data[i], &t->list.data[victim])))
            victim = i;
    }
    if (victim == SIZE_MAX)
        return false;
    vec_remove(&t->list, victim);
    return true;
}

static unsigned n_that_may_go(const struct test *t)
{
    unsigned n = 0;
    const struct known *k;
    VEC_FOR_EACH (k, &t->list)
        n += may_go(k);
    return n;
}

static bool make_room(struct test *t, unsigned more)
{
    if (t->list.n + more <= t->limit)
        return true;
    size_t n = t->list.n + more - t->limit;
    if (!t->evicts || n > n_that_may_go(t))
        return false;
    while (n--)
        assert_true(evict_one(t));
    return true;
}

static void copy_list(known_vec *to, const known_vec *from)
{
    vec_clear(to);
    const struct known *k;
    VEC_FOR_EACH (k, from)
        vec_push(to, *k);
}

static void check(struct test *t)
{
    struct of_flow_stats_request req;
    of_flow_stats_request_init(&req);
    rule_vec rules = VEC_INIT;
    tables_select(&t->br->tables, &req, &rules);
    assert_int_equal(rules.n, t->list.n);
    assert_int_equal(table_n_flows(&t->br->tables.table[1]), t->list.n);
    for (size_t i = 0; i < rules.n; i++) {
        bool found = false;
        for (size_t j = 0; j < t->list.n && !found; j++)
            found = t->list.data[j].cookie == rules.data[i]->cookie;
        assert_true(found);
    }
    vec_fini(&rules);
}

/* A flow of its own end: timeouts and the times that flows are made at differ, so that there is never a choice. */
static void add(struct test *t)
{
    t->w.env.now_us += 1000;
    struct known k = {.cookie = ++t->next,
                      .in_port = (unsigned)pick(t, PORTS),
                      .importance = (unsigned)pick(t, 3),
                      .made_ms = env_now_ms(&t->w.env.env)};
    k.used_ms = k.made_ms;
    if (pick(t, 4)) {
        k.idle = pick(t, 2) ? 1000 + (int64_t)pick(t, 1000) : 0;
        k.hard = k.idle ? 0 : 1000 + (int64_t)pick(t, 1000);
    }
    char *text = xasprintf("table=1,priority=%u,in_port=%u,cookie=%llu,importance=%u,"
                           "idle_timeout=%u,hard_timeout=%u,actions=drop",
                           (unsigned)(t->next % 60000), k.in_port, (unsigned long long)k.cookie,
                           k.importance, (unsigned)k.idle, (unsigned)k.hard);
    struct of_flow_mod fm;
    struct journal journal = JOURNAL_INIT;
    assert_int_equal(of_flow_mod_parse(text, OF_FLOW_ADD, NULL, NULL, &fm, NULL), 0);
    free(text);
    int err = bridge_flow_mod(t->br, &fm, &journal);
    of_flow_mod_fini(&fm);
    copy_list(&t->before, &t->list);
    bool fits = make_room(t, 1);
    assert_int_equal(err, fits ? 0 : OF_ERR_FLOW_MOD_TABLE_FULL);
    if (fits)
        vec_push(&t->list, k);
    if (pick(t, 5)) {
        bridge_commit(t->br, &journal);
    } else {
        journal_undo(&journal, &t->br->tables);
        copy_list(&t->list, &t->before);
    }
}

/* A packet meets a flow. */
static void use(struct test *t)
{
    if (!t->list.n)
        return;
    struct known *k = &t->list.data[pick(t, t->list.n)];
    t->w.env.now_us += 1000;
    k->used_ms = env_now_ms(&t->w.env.env);
    struct cls_rule *rule;
    CLASSIFIER_FOR_EACH(rule, &t->br->tables.table[1].cls)
    {
        struct rule *r = CONTAINER_OF(rule, struct rule, cls);
        if (r->cookie == k->cookie)
            r->used_ms = k->used_ms;
    }
}

static void configure(struct test *t)
{
    struct table_settings settings;
    memset(&settings, 0, sizeof settings);
    settings.limit = t->limit = LIMIT / 2 + (unsigned)pick(t, LIMIT / 2);
    settings.evicts = t->evicts = pick(t, 4) != 0;
    t->by_port = pick(t, 2);
    if (t->by_port)
        settings.fields[settings.n_fields++] = subfield_whole(FIELD_IN_PORT);
    struct journal journal = JOURNAL_INIT;
    tables_configure(&t->br->tables, 1, &settings, &journal);
    bridge_commit(t->br, &journal);
    while (t->evicts && t->list.n > t->limit && evict_one(t))
        ;
}

static void test_random(void **state)
{
    (void)state;
    struct test t = {.list = VEC_INIT, .before = VEC_INIT};
    world_init(&t.w);
    t.br = bridge_new(&t.w.vs, "br0");
    configure(&t);
    for (unsigned i = 0; i < STEPS; i++) {
        if (!pick(&t, 200))
            configure(&t);
        else if (!pick(&t, 3))
            use(&t);
        else
            add(&t);
        check(&t);
    }
    vec_fini(&t.list);
    vec_fini(&t.before);
    world_fini(&t.w);
}

static void test_learn_stops(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    struct bridge *br = bridge_new(&w.vs, "br0");
    br->secure = true;
    struct vport *port = world_add(&w, br, "p1", "dummy", 1, NULL);
    struct table_settings settings = {.limit = 2};
    struct journal journal = JOURNAL_INIT;
    tables_configure(&br->tables, 7, &settings, &journal);
    bridge_commit(br, &journal);
    world_add_flow(br,
                   "actions=learn(table=7,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],result_dst=reg0[0]),"
                   "learn(table=7,limit=9,result_dst=reg0[1],NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[])");
    for (uint8_t i = 1; i < 6; i++) {
        uint8_t frame[60] = {2, 0, 0, 0, 0, 9, 2, 0, 0, 0, 0, i, 8, 6};
        dummy_receive(port->dev, frame, sizeof frame);
    }
    assert_int_equal(table_n_flows(&br->tables.table[7]), 2);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random),
        cmocka_unit_test(test_learn_stops),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
