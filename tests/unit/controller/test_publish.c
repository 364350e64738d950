/* test_publish.c - when a settled state may go out, with a southbound server whose answers come when the test says: not before the rows that were
 * asked for are compiled, and never with rows missing that only an earlier state did without. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "controller/controller_internal.h"
#include "io/jsonrpc.h"
#include "ovsdb/client/source.h"
#include "rows/sb.h"

#define DATAPATH "dddddddd-0000-4000-8000-000000000000"

/* Each look at the clock takes long when it IS_SLOW, so that a slice of work ends at its first. */
struct clock {
    struct env_seeded seeded;
    bool is_slow;
};

struct world {
    struct clock clock;
    struct loop *loop;
    char path[64];
    struct stream_listener *listener;
    struct jsonrpc *server;
    struct schema *schema;
    json_t *asked; /* id of a change of conditions that waits for its answer; NULL: there is none */
    char *condition; /* the params of the last one */
    struct controller *c;
};

static int64_t read_clock(struct env *env)
{
    struct clock *clock = CONTAINER_OF(env, struct clock, seeded.env);
    clock->seeded.now_us += clock->is_slow ? 5000 : 0;
    return clock->seeded.now_us;
}

/* --- The server */

static void reply_text(struct world *w, const json_t *id, const char *text)
{
    json_t *json = json_loads(text, JSON_DECODE_ANY, NULL);
    assert_non_null(json);
    jsonrpc_reply(w->server, id, json);
}

static void on_message(void *w_, const struct jsonrpc_message *msg)
{
    struct world *w = w_;
    const char *first = json_string_value(json_array_get(msg->params, 0));
    if (msg->kind != JSONRPC_REQUEST)
        return;
    if (!strcmp(msg->method, "get_schema")) {
        if (first && !strcmp(first, "_Server"))
            jsonrpc_reply_error(w->server, msg->id, json_string("unknown database"));
        else
            reply_text(w, msg->id, w->schema->text);
    } else if (!strcmp(msg->method, "monitor_cond_change")) {
        free(w->condition);
        w->condition = json_dumps(msg->params, JSON_COMPACT);
        json_decref(w->asked);
        w->asked = json_incref((json_t *)(uintptr_t)msg->id);
    } else {
        reply_text(w, msg->id, "{}");
    }
}

static void on_closed(void *w_, int err, const char *reason)
{
    struct world *w = w_;
    (void)err;
    (void)reason;
    jsonrpc_free(w->server);
    w->server = NULL;
}

static void on_accept(void *w_, struct stream *stream)
{
    static const struct jsonrpc_callbacks callbacks = {.message = on_message, .closed = on_closed};
    struct world *w = w_;
    jsonrpc_free(w->server);
    w->server = jsonrpc_new(stream, &callbacks, w);
}

#define RUN_UNTIL(W, COND)                                                                         \
    do {                                                                                           \
        for (int turn_ = 0; !(COND); turn_++) {                                                    \
            assert_in_range(turn_, 0, 5000);                                                       \
            loop_run_once((W)->loop, 2000);                                                        \
        }                                                                                          \
    } while (0)

/* What the rows of SB are from now on, as "update2" says it: an object of tables. */
static void update(struct world *w, const char *tables)
{
    uint64_t before = replica_seqno(w->c->sb);
    char *text = xasprintf("[[\"monid\",\"OVN_Southbound\"],%s]", tables);
    json_t *params = json_loads(text, 0, NULL);
    assert_non_null(params);
    jsonrpc_notify(w->server, "update2", params);
    free(text);
    RUN_UNTIL(w, replica_seqno(w->c->sb) != before);
}

/* Answers what has been asked and what is asked meanwhile. */
static void answer(struct world *w)
{
    RUN_UNTIL(w, w->asked);
    while (w->asked) {
        reply_text(w, w->asked, "{}");
        json_decref(w->asked);
        w->asked = NULL;
        RUN_UNTIL(w, w->asked || ovsdb_client_source_is_settled(w->c->sb_source));
    }
}

/* --- The world */

static bool is_sb_ready(const struct world *w)
{
    return replica_is_ready(w->c->sb) && ovsdb_client_source_is_settled(w->c->sb_source);
}

static void world_init(struct world *w)
{
    memset(w, 0, sizeof *w);
    env_seeded_init(&w->clock.seeded, 1);
    w->clock.seeded.env.monotonic_us = read_clock;
    w->clock.seeded.now_us = 1000000;
    w->loop = loop_new(&w->clock.seeded.env);
    w->schema = sb_schema_new();
    snprintf(w->path, sizeof w->path, "/tmp/weft-publish-%d.sock", (int)getpid());
    char *listen = xasprintf("punix:%s", w->path), *target = xasprintf("unix:%s", w->path);
    struct stream_options stream = {0};
    assert_int_equal(stream_listen(w->loop, listen, &stream, on_accept, w, &w->listener, NULL), 0);
    /* The switch's database is not there, so nothing happens but by the test's hand. */
    struct controller_options options = {
        .loop = w->loop, .switch_db = "unix:/nonexistent/db.sock", .rundir = "/nonexistent"};
    w->c = controller_new(&options, NULL);
    assert_non_null(w->c);
    w->c->config.system_id = xstrdup("hv1");
    controller_open_sb(w->c, target);
    RUN_UNTIL(w, is_sb_ready(w));
    free(listen);
    free(target);
}

static void world_fini(struct world *w)
{
    controller_free(w->c);
    jsonrpc_free(w->server);
    stream_listener_free(w->listener);
    loop_free(w->loop);
    schema_free(w->schema);
    json_decref(w->asked);
    free(w->condition);
}

/* Everything that is asked for is answered: there are no more rows. */
static void settle_until_published(struct world *w)
{
    for (int i = 0; !w->c->is_published; i++) {
        assert_in_range(i, 0, 1000);
        (void)controller_settle(w->c);
        loop_run_once(w->loop, 0);
        if (w->asked)
            answer(w);
    }
}

/* One settle of the engine to its end, or as far as one slice when the clock is slow; whether it has ended. */
static bool settle_once(struct world *w)
{
    (void)controller_settle(w->c);
    return !w->c->is_settling;
}

static void plug_in(struct world *w, const char *port)
{
    struct controller *c = w->c;
    struct fact_iface iface;
    INC_CLEAR(iface);
    iface.iface_id = program_name(&c->program, port);
    iface.name = rstr_ref(iface.iface_id);
    iface.ofport = 1;
    inc_assert(c->inc, c->program.iface, &iface);
    type_iface.unref(&iface);
}

/* N ports that have nothing to do with us, from number FIRST. */
static char *other_ports(unsigned first, unsigned n)
{
    struct str text = STR_INIT;
    str_put(&text, "{\"Port_Binding\":{");
    for (unsigned i = first; i < first + n; i++)
        str_putf(&text,
                 "%s\"eeeeeeee-0000-4000-8000-%012u\":{\"insert\":{\"logical_port\":\"other%u\","
                 "\"type\":\"patch\",\"tunnel_key\":%u,\"datapath\":[\"uuid\",\"" DATAPATH "\"]}}",
                 i == first ? "" : ",", i, i, i);
    str_put(&text, "}}");
    return str_steal(&text);
}

static const char lp0_comes[] =
    "{\"Port_Binding\":{\"aaaaaaaa-0000-4000-8000-000000000000\":{\"insert\":{\"logical_port\":"
    "\"lp0\",\"tunnel_key\":1,\"datapath\":[\"uuid\",\"" DATAPATH "\"]}}}}";
static const char lp0_goes[] =
    "{\"Port_Binding\":{\"aaaaaaaa-0000-4000-8000-000000000000\":{\"delete\":null}}}";

/* --- Tests */

/* While the engine is at work on what came before, the rows that were asked for come, and the answer that they are all: they are not
 * compiled when it is done. */
static void test_rows_of_a_long_settle(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    struct controller *c = w.c;
    settle_until_published(&w);
    uint64_t generation = c->generation;
    plug_in(&w, "lp0"); /* the first interface: all conditions are made anew */
    while (!settle_once(&w))
        ;
    assert_false(c->is_published);
    RUN_UNTIL(&w, w.asked);
    assert_non_null(strstr(w.condition, "\"lp0\""));

    char *others = other_ports(1, 100);
    update(&w, others);
    free(others);
    w.clock.is_slow = true;
    assert_false(settle_once(&w)); /* it will take many slices */
    w.clock.is_slow = false;
    update(&w, lp0_comes);
    answer(&w);
    assert_false(inc_is_settled(c->inc));
    while (!settle_once(&w))
        ;
    assert_int_equal(inc_count(c->inc, c->program.port), 100); /* without the one that matters */
    assert_false(c->is_published);
    assert_int_equal(c->generation, generation);
    settle_until_published(&w);
    assert_int_equal(inc_count(c->inc, c->program.port), 101);
    assert_int_equal(c->generation, generation + 1);
    world_fini(&w);
}

/* A datapath is local, is not, and is again before anything has been published: its rows are asked for in the end. */
static void test_back_to_what_it_was(void **state)
{
    (void)state;
    struct world w;
    world_init(&w);
    struct controller *c = w.c;
    struct fact_self self;
    INC_CLEAR(self);
    self.chassis = (struct uuid){{0xcc}};
    self.name = program_name(&c->program, "hv1");
    self.hostname = rstr_ref(self.name);
    inc_assert(c->inc, c->program.self, &self);
    type_self.unref(&self);
    settle_until_published(&w);
    plug_in(&w, "lp0");
    while (!settle_once(&w))
        ;
    answer(&w);
    update(&w, "{\"Datapath_Binding\":{\"" DATAPATH "\":{\"insert\":{\"tunnel_key\":1}}}}");
    update(&w, lp0_comes);
    while (!settle_once(&w))
        ;
    assert_int_equal(inc_count(c->inc, c->program.local), 1);
    answer(&w);
    assert_non_null(strstr(w.condition, DATAPATH));
    settle_until_published(&w);

    update(&w, lp0_goes);
    while (!settle_once(&w))
        ;
    assert_int_equal(inc_count(c->inc, c->program.local), 0);
    assert_false(c->is_published);
    RUN_UNTIL(&w, w.asked);
    assert_null(strstr(w.condition, DATAPATH));
    update(&w, lp0_comes);
    while (!settle_once(&w))
        ;
    assert_int_equal(inc_count(c->inc, c->program.local), 1);
    answer(&w);
    assert_non_null(strstr(w.condition, DATAPATH));
    settle_until_published(&w);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows_of_a_long_settle),
        cmocka_unit_test(test_back_to_what_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
