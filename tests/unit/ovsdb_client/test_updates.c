/* test_updates.c - updates applied at random against a naive model, and updates that were damaged at
 * random: an error or a change, never a crash or a row with the wrong shape. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ovsdb/client/client.h"

static const char schema_text[] =
    "{\"name\":\"T\",\"version\":\"1.0.0\",\"tables\":{\"A\":{\"isRoot\":true,\"columns\":{"
    "\"name\":{\"type\":\"string\"},"
    "\"set\":{\"type\":{\"key\":\"integer\",\"min\":0,\"max\":\"unlimited\"}},"
    "\"map\":{\"type\":{\"key\":\"integer\",\"value\":\"integer\",\"min\":0,\"max\":"
    "\"unlimited\"}},"
    "\"one\":{\"type\":{\"key\":\"integer\",\"min\":0,\"max\":1}}}}}}";

enum { N_ROWS = 8, N_ELEMENTS = 6 };

struct model_row {
    bool exists;
    bool set[N_ELEMENTS];
    int map[N_ELEMENTS]; /* 0: not there */
    int one;             /* 0: empty */
};

struct fixture {
    struct loop *loop;
    struct schema *schema;
    struct env_seeded env;
    struct client *client;
    struct replica *replica;
    struct model_row rows[N_ROWS];
};

static void set_up(struct fixture *f)
{
    *f = (struct fixture){0};
    env_seeded_init(&f->env, 7);
    f->loop = loop_new(&f->env.env);
    assert_int_equal(schema_from_text(schema_text, &f->schema, NULL), 0);
    struct replica_source *source = ovsdb_client_source_new(f->loop, "unix:/nonexistent");
    f->client = CONTAINER_OF(source, struct client, base);
    struct replica_options options = {&f->env.env, f->schema, NULL};
    f->replica = replica_new(&options, source);
    assert_int_equal(client_match_schema(f->client, f->schema, NULL), 0);
    f->client->monitor_kind = MONITOR_COND;
    json_t *nothing = json_object();
    assert_int_equal(client_take_initial(f->client, nothing, NULL), 0);
    json_decref(nothing);
}

static void tear_down(struct fixture *f)
{
    replica_free(f->replica);
    loop_free(f->loop);
    schema_free(f->schema);
}

static unsigned pick(struct fixture *f, unsigned n)
{
    return (unsigned)(env_random_u64(&f->env.env) % n);
}

static void row_name(char text[UUID_TEXT_LEN + 1], unsigned row)
{
    snprintf(text, UUID_TEXT_LEN + 1, "%08x-0000-4000-8000-000000000000", row + 1);
}

static json_t *set_of(json_t *elements)
{
    return json_pack("[s, o]", "set", elements);
}

/* A random change of an existing row, as update2 says it, applied to the model as well. */
static json_t *random_modify(struct fixture *f, struct model_row *row)
{
    json_t *set = json_array(), *map = json_array();
    for (int i = 0; i < N_ELEMENTS; i++) {
        if (!pick(f, 3)) {
            row->set[i] = !row->set[i];
            json_array_append_new(set, json_integer(i));
        }
        if (pick(f, 3))
            continue;
        int value = row->map[i] && !pick(f, 2) ? row->map[i] : 1 + (int)pick(f, 9);
        row->map[i] = row->map[i] == value ? 0 : value;
        json_array_append_new(map, json_pack("[i, i]", i, value));
    }
    row->one = (int)pick(f, 4);
    json_t *one = row->one ? json_integer(row->one) : set_of(json_array());
    return json_pack("{s: {s: o, s: [s, o], s: o}}", "modify", "set", set_of(set), "map", "map",
                     map, "one", one);
}

static json_t *random_change(struct fixture *f, struct model_row *row)
{
    if (!row->exists) {
        *row = (struct model_row){.exists = true, .one = 1 + (int)pick(f, 3)};
        return json_pack("{s: {s: i}}", "insert", "one", row->one);
    }
    if (pick(f, 4))
        return random_modify(f, row);
    *row = (struct model_row){0};
    return json_pack("{s: n}", "delete");
}

static json_t *random_update(struct fixture *f)
{
    json_t *rows = json_object();
    for (unsigned n = 1 + pick(f, 3); n; n--) {
        unsigned i = pick(f, N_ROWS);
        char name[UUID_TEXT_LEN + 1];
        row_name(name, i);
        if (!json_object_get(rows, name))
            json_object_set_new(rows, name, random_change(f, &f->rows[i]));
    }
    return json_pack("[[s, s], {s: o}]", "monid", "T", "A", rows);
}

static void check_row(const struct row *row, const struct model_row *model)
{
    const struct datum *set = row_get(row, schema_column_find(row->table, "set"));
    const struct datum *map = row_get(row, schema_column_find(row->table, "map"));
    const struct datum *one = row_get(row, schema_column_find(row->table, "one"));
    uint32_t n_set = 0, n_map = 0;
    for (int i = 0; i < N_ELEMENTS; i++) {
        union atom key = {.integer = i};
        n_set += model->set[i];
        n_map += model->map[i] != 0;
        assert_int_equal(datum_find(set, &key) >= 0, model->set[i]);
        long at = datum_find(map, &key);
        assert_int_equal(at >= 0 ? datum_values(map)[at].integer : 0, model->map[i]);
    }
    assert_int_equal(set->n, n_set);
    assert_int_equal(map->n, n_map);
    assert_int_equal(one->n ? one->atoms[0].integer : 0, model->one);
}

static void check_model(struct fixture *f)
{
    const struct schema_table *table = replica_table(f->replica, "A");
    size_t n = 0;
    for (unsigned i = 0; i < N_ROWS; i++) {
        char name[UUID_TEXT_LEN + 1];
        struct uuid uuid;
        row_name(name, i);
        assert_true(uuid_parse(name, &uuid));
        const struct row *row = replica_row_find(f->replica, table, &uuid);
        assert_int_equal(row != NULL, f->rows[i].exists);
        n += f->rows[i].exists;
        if (row)
            check_row(row, &f->rows[i]);
    }
    assert_int_equal(replica_n_rows(f->replica, table), n);
}

/* As if PARAMS came in a message; whether they were taken. */
static bool give_text(struct fixture *f, const char *method, json_t *params)
{
    json_t *json = json_pack("{s: n, s: s, s: O}", "id", "method", method, "params", params);
    char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
    f->client->state = CLIENT_STEADY;
    bool is_taken = client_take_text(f->client, text, strlen(text));
    free(text);
    json_decref(json);
    return is_taken && f->client->state == CLIENT_STEADY;
}

static void test_random_updates(void **state)
{
    enum { STEPS = 5000 };
    (void)state;
    struct fixture f;
    set_up(&f);
    for (int step = 0; step < STEPS; step++) {
        json_t *params = random_update(&f);
        struct diag diag = DIAG_INIT;
        if (pick(&f, 2))
            assert_true(give_text(&f, "update2", params));
        else if (client_take_update(f.client, "update2", params, &diag))
            fail_msg("%s", diag_text(&diag));
        json_decref(params);
        check_model(&f);
    }
    tear_down(&f);
}

/* Puts something else at a random place of JSON. */
static void damage(struct fixture *f, json_t *json)
{
    json_t *pieces[] = {
        json_null(),          json_true(),
        json_integer(-1),     json_string("x"),
        json_string("set"),   json_array(),
        json_object(),        json_real(0.5),
        set_of(json_array()), json_pack("[s, [[i, i], [i, i]]]", "map", 1, 2, 1, 3)};
    size_t n = sizeof pieces / sizeof *pieces;
    for (int depth = 0; depth < 8; depth++) {
        if (json_is_array(json) && json_array_size(json)) {
            size_t i = pick(f, (unsigned)json_array_size(json));
            if (!pick(f, 3)) {
                json_array_set(json, i, pieces[pick(f, (unsigned)n)]);
                break;
            }
            json = json_array_get(json, i);
        } else if (json_is_object(json) && json_object_size(json)) {
            void *it = json_object_iter(json);
            for (unsigned k = pick(f, (unsigned)json_object_size(json)); k; k--)
                it = json_object_iter_next(json, it);
            if (!pick(f, 3)) {
                json_object_iter_set(json, it, pieces[pick(f, (unsigned)n)]);
                break;
            }
            json = json_object_iter_value(it);
        } else {
            break;
        }
    }
    for (size_t i = 0; i < n; i++)
        json_decref(pieces[i]);
}

static void check_shapes(struct fixture *f)
{
    const struct schema_table *table = replica_table(f->replica, "A");
    const struct row *row;
    REPLICA_FOR_EACH(row, pos, f->replica, table)
    {
        assert_int_equal(row_get(row, schema_column_find(table, "name"))->n, 1);
        assert_true(row_get(row, schema_column_find(table, "one"))->n <= 1);
    }
}

static void test_damaged_updates(void **state)
{
    static const char *const methods[] = {"update", "update2", "update3"};
    enum { STEPS = 20000 };
    (void)state;
    struct fixture f;
    set_up(&f);
    size_t refused = 0;
    for (int step = 0; step < STEPS; step++) {
        json_t *params = random_update(&f);
        for (unsigned n = pick(&f, 3); n; n--)
            damage(&f, params);
        struct diag diag = DIAG_INIT;
        const char *method = methods[pick(&f, 3)];
        if (pick(&f, 2)) {
            refused += !give_text(&f, method, params);
        } else if (client_take_update(f.client, method, params, &diag)) {
            refused++;
            assert_non_null(diag.text);
        }
        diag_fini(&diag);
        json_decref(params);
        check_shapes(&f);
    }
    assert_true(refused > STEPS / 10);
    tear_down(&f);
}

static void test_contents(void **state UNUSED)
{
    static const char good[] =
        "{\"id\":7,\"result\":[false,\"00000001-0000-4000-8000-000000000000\",{\"A\":{"
        "\"00000002-0000-4000-8000-000000000000\":{\"initial\":{\"name\":\"\\u00e4\",\"one\":4}}}}]"
        ",\"error\":null}";
    static const char *const other[] = {
        "{\"id\":8,\"result\":[false,\"\",{}]}",
        "{\"result\":[false,\"\",{}],\"id\":7}",
        "{\"id\":7,\"method\":\"update\",\"result\":{}}",
        "{\"id\":7,\"error\":\"no\",\"result\":null}",
    };
    struct fixture f;
    set_up(&f);
    f.client->monitor_kind = MONITOR_COND_SINCE;
    f.client->state = CLIENT_MONITOR;
    f.client->expected = 7;
    for (size_t i = 0; i < ARRAY_SIZE(other); i++)
        assert_false(client_take_text(f.client, other[i], strlen(other[i])));
    assert_true(client_take_text(f.client, good, strlen(good)));
    assert_int_equal(f.client->state, CLIENT_STEADY);
    f.rows[1] = (struct model_row){.exists = true, .one = 4};
    check_model(&f);
    for (size_t n = 1; n < sizeof good - 1; n++) { /* cut off, it never counts */
        f.client->state = CLIENT_MONITOR;
        f.client->expected = 7;
        client_take_text(f.client, good, n);
        assert_int_not_equal(f.client->state, CLIENT_STEADY);
    }
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_updates),
        cmocka_unit_test(test_damaged_updates),
        cmocka_unit_test(test_contents),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
