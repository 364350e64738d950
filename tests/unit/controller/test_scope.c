/* test_scope.c - a hypervisor with more local datapaths than the logical flows of one portion: each portion asks for what the ones before did and
 * more, all rows arrive, and what leaves the scope leaves the copy. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/env.h"
#include "base/vec.h"
#include "controller/allocate/ids.h"
#include "controller/scope.h"
#include "feed/feed.h"
#include "rows/sb.h"

enum {
    N_DATAPATHS = 300,
    PORTION = 128
}; /* the first is a router with a port on each of the others */

/* A server: it has all rows of Logical_Flow and sends those that are asked for. */
struct source {
    struct replica_source base;
    struct replica_sink sink;
    const struct schema_table *table;
    const struct row *lflows[N_DATAPATHS];
    bool is_sent[N_DATAPATHS];
    size_t n_sent, n_conditions;
    VEC(struct change) pending;
};

struct world {
    struct env_seeded env;
    struct schema *schema;
    struct source *source;
    struct replica *replica;
    struct program program;
    struct inc *inc;
    struct ids ids;
    struct feed *feed;
    struct config config;
    struct scope scope;
    struct fact_iface iface;
};

static void source_start(struct replica_source *base, const struct replica_options *options UNUSED,
                         const struct replica_sink *sink)
{
    struct source *s = CONTAINER_OF(base, struct source, base);
    s->sink = *sink;
    sink->status(sink->replica, true, false);
}

static void source_set_condition(struct replica_source *base, const struct schema_table *table,
                                 const struct condition *condition)
{
    struct source *s = CONTAINER_OF(base, struct source, base);
    if (table != s->table)
        return;
    s->n_conditions++;
    for (size_t i = 0; i < N_DATAPATHS; i++) {
        bool is_asked = condition_matches_any(condition, s->lflows[i]);
        if (is_asked == s->is_sent[i])
            continue;
        struct change c = {is_asked ? NULL : row_ref(s->lflows[i]),
                           is_asked ? row_ref(s->lflows[i]) : NULL};
        vec_push(&s->pending, c);
        s->is_sent[i] = is_asked;
        s->n_sent += is_asked ? 1 : -(size_t)1;
    }
}

static void source_free(struct replica_source *base)
{
    struct source *s = CONTAINER_OF(base, struct source, base);
    for (size_t i = 0; i < N_DATAPATHS; i++)
        row_unref(s->lflows[i]);
    free(s);
}

/* What is pending arrives and is compiled. */
static void arrive(struct world *w)
{
    struct source *s = w->source;
    struct changeset *cs = NEW(struct changeset);
    cs->refs = 1;
    cs->n = s->pending.n;
    cs->changes = s->pending.data;
    memset(&s->pending, 0, sizeof s->pending);
    s->sink.update(s->sink.replica, cs);
    changeset_unref(cs);
    while (!inc_settle(w->inc, SIZE_MAX) || ids_run(&w->ids))
        ;
}

static struct uuid uuid_of(uint8_t kind, uint32_t i)
{
    return (struct uuid){{kind, (uint8_t)(i >> 8), (uint8_t)i, 0, 0, 0, 0x40}};
}

static void set(struct row *row, const char *column, const struct datum *value)
{
    row_set(row, schema_column_find(row->table, column), value);
}

static struct row *new_row(struct world *w, const char *table, struct uuid uuid)
{
    return row_new(schema_table_find(w->schema, table), &uuid);
}

static void set_pair(struct row *row, const char *column, const char *key, const char *value)
{
    union atom k = {.string = rstr_new(key)}, v = {.string = rstr_new(value)};
    set(row, column, datum_new_map(ATOM_STRING, ATOM_STRING, &k, &v, 1));
}

static void add(struct world *w, struct row *row)
{
    struct change c = {NULL, row};
    vec_push(&w->source->pending, c);
}

static void add_port(struct world *w, uint8_t kind, uint32_t i, uint32_t datapath, const char *name,
                     const char *peer)
{
    struct uuid at = uuid_of(1, datapath);
    struct row *row = new_row(w, "Port_Binding", uuid_of(kind, i));
    set(row, "datapath", datum_new_uuid(&at));
    set(row, "logical_port", datum_new_string(name));
    set(row, "tunnel_key", datum_new_integer(1 + i));
    if (peer) {
        set(row, "type", datum_new_string("patch"));
        set_pair(row, "options", "peer", peer);
    }
    add(w, row);
}

static struct row *new_lflow(struct world *w, uint32_t datapath)
{
    struct uuid at = uuid_of(1, datapath);
    struct row *row = new_row(w, "Logical_Flow", uuid_of(9, datapath));
    set(row, "logical_datapath", datum_new_uuid(&at));
    set(row, "pipeline", datum_new_string("ingress"));
    set(row, "match", datum_new_string("1"));
    set(row, "actions", datum_new_string("next;"));
    return row;
}

static void add_network(struct world *w)
{
    for (uint32_t i = 0; i < N_DATAPATHS; i++) {
        char own[16], peer[16];
        struct row *row = new_row(w, "Datapath_Binding", uuid_of(1, i));
        set(row, "tunnel_key", datum_new_integer(1 + i));
        set_pair(row, "external_ids", i ? "logical-switch" : "logical-router", "x");
        add(w, row);
        w->source->lflows[i] = new_lflow(w, i);
        snprintf(own, sizeof own, "switch%u", i);
        snprintf(peer, sizeof peer, "router%u", i);
        if (i) {
            add_port(w, 2, i, i, own, peer);
            add_port(w, 3, i, 0, peer, own);
        }
    }
    add_port(w, 4, N_DATAPATHS, 1, "machine", NULL);
}

static void world_init(struct world *w)
{
    memset(w, 0, sizeof *w);
    env_seeded_init(&w->env, 1);
    w->schema = sb_schema_new();
    w->source = NEW(struct source);
    w->source->base = (struct replica_source){
        .start = source_start, .set_condition = source_set_condition, .free = source_free};
    w->source->table = schema_table_find(w->schema, "Logical_Flow");
    struct replica_options options = {.env = &w->env.env, .schema = w->schema};
    w->replica = replica_new(&options, &w->source->base);
    program_init(&w->program);
    w->inc = inc_new(w->program.inc);
    inc_watch(w->inc, w->program.want);
    ids_init(&w->ids, &w->program, w->inc);
    w->feed = feed_new(w->inc, w->replica, &w->program.names);
    program_feed(&w->program, w->feed);
    feed_start(w->feed, NULL, NULL);
    w->config.system_id = (char *)(uintptr_t) "hv0";
    add_network(w);
    INC_CLEAR(w->iface);
    w->iface.iface_id = program_name(&w->program, "machine");
    w->iface.name = program_name(&w->program, "tap");
    w->iface.ofport = 1;
    inc_assert(w->inc, w->program.iface, &w->iface);
    arrive(w);
}

static void world_fini(struct world *w)
{
    scope_clear(&w->scope);
    feed_free(w->feed);
    inc_free(w->inc);
    ids_fini(&w->ids);
    replica_free(w->replica);
    rstr_unref(w->iface.iface_id);
    rstr_unref(w->iface.name);
    program_fini(&w->program);
    schema_free(w->schema);
}

static void update(struct world *w)
{
    scope_update(&w->scope, &w->config, &w->program, w->inc, w->replica, NULL);
}

static void test_portions(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    update(&w);
    for (size_t wanted = PORTION; wanted < N_DATAPATHS; wanted += PORTION) {
        assert_int_equal(w.source->n_sent, wanted);
        arrive(&w);
        assert_int_equal(inc_count(w.inc, w.program.in_lflow), wanted);
        assert_true(scope_ask_more(&w.scope, w.replica));
    }
    arrive(&w);
    assert_int_equal(inc_count(w.inc, w.program.in_lflow), N_DATAPATHS);
    assert_int_equal(inc_count(w.inc, w.program.oflow) >= N_DATAPATHS, true);
    assert_false(scope_ask_more(&w.scope, w.replica));
    assert_int_equal(w.source->n_conditions, 3);

    update(&w); /* the same scope: nothing is asked again, in whole or in portions */
    assert_int_equal(w.source->n_conditions, 3);
    assert_false(scope_ask_more(&w.scope, w.replica));

    inc_retract(w.inc, w.program.iface, &w.iface);
    arrive(&w);
    update(&w);
    arrive(&w);
    assert_int_equal(inc_count(w.inc, w.program.in_lflow), 0);
    assert_false(scope_ask_more(&w.scope, w.replica));
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_portions)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
