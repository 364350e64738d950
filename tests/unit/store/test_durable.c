/* test_durable.c - becoming durable beside the loop: what waits for the disk, what does not, and in
 * which order things are told. */
#include "harness.h"

#include <poll.h>
#include <unistd.h>

struct world {
    char *path;
    struct store *store;
    struct str
        events; /* "u": an update was told; a digit: the transaction of this number is done */
};

static void on_update(void *w_, const struct changeset *cs)
{
    struct world *w = w_;
    assert_true(cs->n > 0);
    str_putc(&w->events, 'u');
}

struct txn_call {
    struct world *w;
    struct ops *ops;
    char name;
};

static void on_done(void *call_, const struct store_result *result)
{
    struct txn_call *call = call_;
    assert_true(result->committed);
    str_putc(&call->w->events, call->name);
}

static void submit(struct txn_call *call, struct world *w, char name, const char *ops)
{
    char *text = xasprintf("[\"db\",%s]", ops);
    json_t *params = json_loads(text, 0, NULL);
    assert_non_null(params);
    *call = (struct txn_call){w, ops_from_json(store_schema(w->store), params, env_real()), name};
    struct store_request request = {.ops = call->ops, .done = on_done, .aux = call};
    (void)store_submit(w->store, &request);
    json_decref(params);
    free(text);
}

static void wait_for_disk(struct world *w)
{
    struct pollfd pfd = {.fd = store_fd(w->store), .events = POLLIN};
    assert_int_equal(poll(&pfd, 1, 10000), 1);
}

static void set_up(struct world *w)
{
    char dir[] = "/tmp/weft-durable-XXXXXX";
    assert_non_null(mkdtemp(dir));
    *w = (struct world){.path = xasprintf("%s/db", dir)};
    w->store = open_interop(w->path);
    store_subscribe(w->store, on_update, w);
}

static void tear_down(struct world *w)
{
    char *command = xasprintf("rm -rf $(dirname %s)", w->path);
    store_close(w->store);
    assert_int_equal(system(command), 0);
    free(command);
    free(w->path);
    str_fini(&w->events);
}

static const char insert_root[] = "{\"op\":\"insert\",\"table\":\"Root\",\"row\":{\"name\":\"a\"}}";
static const char insert_one[] = "{\"op\":\"insert\",\"table\":\"One\",\"row\":{\"x\":1}}";
static const char read_root[] = "{\"op\":\"select\",\"table\":\"Root\",\"where\":[]}";
static const char read_one[] = "{\"op\":\"select\",\"table\":\"One\",\"where\":[]}";

static void nothing_is_told_before_the_disk_has_it(void **state)
{
    struct world w;
    struct txn_call calls[6];
    (void)state;
    set_up(&w);
    submit(&calls[0], &w, '0', insert_root);
    store_commit(w.store);
    assert_string_equal(str_c(&w.events), "");
    /* What reads elsewhere is answered, what reads pending rows waits with them. */
    submit(&calls[1], &w, '1', read_one);
    assert_string_equal(str_c(&w.events), "1");
    submit(&calls[2], &w, '2', read_root);
    submit(&calls[3], &w, '3', insert_one);
    submit(&calls[4], &w, '4', read_one);
    assert_string_equal(str_c(&w.events), "1");
    store_commit(w.store); /* one is under way: nothing happens */
    wait_for_disk(&w);
    assert_string_equal(str_c(&w.events), "1"); /* only store_collect tells */
    assert_true(store_is_dirty(w.store));
    store_collect(w.store);
    assert_string_equal(str_c(&w.events), "1u0");
    store_collect(w.store); /* nothing under way */
    store_commit(w.store);
    wait_for_disk(&w);
    store_collect(w.store);
    assert_string_equal(str_c(&w.events), "1u02u34");
    assert_false(store_is_dirty(w.store));
    submit(&calls[5], &w, '5', read_root);
    assert_string_equal(str_c(&w.events), "1u02u345");
    for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
        ops_free(calls[i].ops);
    tear_down(&w);
}

/* Closing and flushing wait for what is under way. */
static void flush_ends_what_commit_began(void **state)
{
    struct world w;
    struct txn_call calls[3];
    (void)state;
    set_up(&w);
    submit(&calls[0], &w, '0', insert_root);
    store_commit(w.store);
    submit(&calls[1], &w, '1', insert_one);
    store_flush(w.store);
    assert_string_equal(str_c(&w.events), "u0u1");
    submit(&calls[2], &w, '2', "{\"op\":\"delete\",\"table\":\"Root\",\"where\":[]}");
    store_commit(w.store);
    store_close(w.store);
    assert_string_equal(str_c(&w.events), "u0u1u2");
    w.store = open_interop(w.path);
    expect(w.store, read_root, "[{\"rows\":[]}]");
    for (size_t i = 0; i < ARRAY_SIZE(calls); i++)
        ops_free(calls[i].ops);
    tear_down(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_told_before_the_disk_has_it),
        cmocka_unit_test(flush_ends_what_commit_began),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
