/* test_feed.c - rows, elements and pairs of a replica as facts, over a source made of random changes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/vec.h"
#include "feed/feed.h"

static const char schema_text[] =
    "{\"name\":\"Test\",\"version\":\"1.0.0\",\"tables\":{\"Row\":{\"isRoot\":true,\"columns\":{"
    "\"name\":{\"type\":\"string\"},"
    "\"refs\":{\"type\":{\"key\":\"uuid\",\"min\":0,\"max\":\"unlimited\"}},"
    "\"texts\":{\"type\":{\"key\":\"string\",\"min\":0,\"max\":\"unlimited\"}},"
    "\"pairs\":{\"type\":{\"key\":\"string\",\"value\":\"string\",\"min\":0,\"max\":\"unlimited\"}}"
    "}},"
    "\"Other\":{\"isRoot\":true,\"columns\":{\"name\":{\"type\":\"string\"}}}}}";

/* A source that a test pushes changes through. */
struct fake {
    struct replica_source base;
    struct replica_sink sink;
};

static void fake_start(struct replica_source *source, const struct replica_options *options UNUSED,
                       const struct replica_sink *sink)
{
    struct fake *fake = CONTAINER_OF(source, struct fake, base);
    fake->sink = *sink;
    sink->status(sink->replica, true, false);
}

static void fake_free(struct replica_source *source)
{
    free(CONTAINER_OF(source, struct fake, base));
}

struct world {
    struct schema *schema;
    const struct schema_table *table, *other;
    struct fake *fake;
    struct replica *replica;
    struct rstr_pool pool;
    struct inc_program *program;
    struct inc_coll *rows, *refs, *texts, *pairs;
    struct inc_index *rows_uuid;
    struct inc *inc;
    struct feed *feed;
    unsigned told;
};

static void on_changed(void *aux, const struct changeset *cs UNUSED)
{
    ((struct world *)aux)->told++;
}

static void world_init(struct world *w)
{
    memset(w, 0, sizeof *w);
    assert_int_equal(schema_from_text(schema_text, &w->schema, NULL), 0);
    w->table = schema_table_find(w->schema, "Row");
    w->other = schema_table_find(w->schema, "Other");
    w->fake = NEW(struct fake);
    w->fake->base = (struct replica_source){.start = fake_start, .free = fake_free};
    struct replica_options options = {.env = env_real(), .schema = w->schema};
    w->replica = replica_new(&options, &w->fake->base);
    w->program = inc_program_new("feed", NULL);
    w->rows = inc_input(w->program, "rows", &feed_row_type);
    w->refs = inc_input(w->program, "refs", &feed_ref_type);
    w->texts = inc_input(w->program, "texts", &feed_text_type);
    w->pairs = inc_input(w->program, "pairs", &feed_pair_type);
    w->rows_uuid = inc_index_field(w->program, w->rows, "uuid", &feed_uuid_type,
                                   offsetof(struct feed_row, uuid));
    w->inc = inc_new(w->program);
    w->feed = feed_new(w->inc, w->replica, &w->pool);
    feed_rows(w->feed, w->rows, "Row");
    feed_elements(w->feed, w->refs, "Row", "refs");
    feed_elements(w->feed, w->texts, "Row", "texts");
    feed_elements(w->feed, w->pairs, "Row", "pairs");
}

static void world_fini(struct world *w)
{
    feed_free(w->feed);
    assert_int_equal(inc_count(w->inc, w->rows) + inc_count(w->inc, w->pairs), 0);
    inc_free(w->inc);
    inc_program_free(w->program);
    replica_free(w->replica);
    rstr_pool_fini(&w->pool);
    schema_free(w->schema);
}

static void push(struct world *w, bool reset, const struct row *before, const struct row *after)
{
    struct change *change = NEW(struct change);
    change->before = before ? row_ref(before) : NULL;
    change->after = after ? row_ref(after) : NULL;
    struct changeset *cs = NEW(struct changeset);
    cs->refs = 1;
    cs->n = 1;
    cs->changes = change;
    (reset ? w->fake->sink.reset : w->fake->sink.update)(w->fake->sink.replica, cs);
    changeset_unref(cs);
}

static struct uuid uuid_of(uint8_t x)
{
    struct uuid u = {{0}};
    u.bytes[0] = x;
    return u;
}

/* A version of row ID with elements by the bits of MASK; pairs have the value of bit 7. */
static struct row *make_row(struct world *w, uint8_t id, unsigned mask)
{
    struct uuid uuid = uuid_of(id);
    struct row *row = row_new(w->table, &uuid);
    union atom refs[7], texts[7], keys[7], values[7];
    size_t n = 0;
    for (unsigned i = 0; i < 7; i++) {
        char text[8] = {(char)('a' + i), 0};
        if (!(mask & 1u << i))
            continue;
        refs[n].uuid = uuid_of((uint8_t)(100 + i));
        texts[n].string = rstr_new(text);
        keys[n].string = rstr_new(text);
        values[n].string = rstr_new(mask & 128 ? "x" : "y");
        n++;
    }
    row_set(row, schema_column_find(w->table, "refs"), datum_new_set(ATOM_UUID, refs, n));
    row_set(row, schema_column_find(w->table, "texts"), datum_new_set(ATOM_STRING, texts, n));
    row_set(row, schema_column_find(w->table, "pairs"),
            datum_new_map(ATOM_STRING, ATOM_STRING, keys, values, n));
    return row;
}

static void check(struct world *w, struct row *const rows[4], const unsigned masks[4])
{
    size_t n = 0, n_rows = 0;
    for (uint8_t id = 0; id < 4; id++) {
        if (!rows[id])
            continue;
        n_rows++;
        struct uuid uuid = uuid_of(id);
        struct inc_facts found = inc_look(w->inc, w->rows_uuid, &uuid);
        assert_int_equal(found.n, 1);
        assert_ptr_equal(((const struct feed_row *)found.v[0])->row, rows[id]);
        for (unsigned i = 0; i < 7; i++) {
            bool has = masks[id] & 1u << i;
            char text[8] = {(char)('a' + i), 0};
            n += has;
            struct rstr *s = rstr_pool_get(&w->pool, text),
                        *v = rstr_pool_get(&w->pool, masks[id] & 128 ? "x" : "y");
            assert_int_equal(
                inc_has(w->inc, w->refs, &(struct feed_ref){uuid, uuid_of((uint8_t)(100 + i))}),
                has);
            assert_int_equal(inc_has(w->inc, w->texts, &(struct feed_text){uuid, s}), has);
            assert_int_equal(inc_has(w->inc, w->pairs, &(struct feed_pair){uuid, s, v}), has);
            rstr_unref(s);
            rstr_unref(v);
        }
    }
    assert_int_equal(inc_count(w->inc, w->rows), n_rows);
    assert_int_equal(inc_count(w->inc, w->refs), n);
    assert_int_equal(inc_count(w->inc, w->texts), n);
    assert_int_equal(inc_count(w->inc, w->pairs), n);
}

static void test_random_changes(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    struct row *rows[4] = {NULL};
    unsigned masks[4] = {0};
    rows[0] = make_row(&w, 0, masks[0] = 0x55); /* there before the feed starts */
    push(&w, true, NULL, rows[0]);
    feed_start(w.feed, on_changed, &w);
    assert_int_equal(w.told, 0);
    check(&w, rows, masks);
    unsigned x = 7;
    for (unsigned i = 1; i <= 2000; i++) {
        x = x * 1664525 + 1013904223;
        uint8_t id = (x >> 8) % 4;
        struct row *before = rows[id];
        masks[id] = (x >> 16) & 255;
        rows[id] = before && (x >> 28) == 0 ? NULL : make_row(&w, id, masks[id]);
        push(&w, false, before, rows[id]);
        row_unref(before);
        check(&w, rows, masks);
        assert_int_equal(w.told, i);
    }
    for (int i = 0; i < 4; i++)
        row_unref(rows[i]);
    world_fini(&w);
}

/* After a reconnection unchanged rows may be other objects in the source than in the replica. */
static void test_reset_keeps_books(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    feed_start(w.feed, NULL, NULL);
    struct row *first = make_row(&w, 1, 3), *same = make_row(&w, 1, 3), *next = make_row(&w, 1, 5);
    push(&w, true, NULL, first);
    push(&w, true, NULL, same); /* equal: the replica keeps the first */
    push(&w, false, same, next);
    assert_int_equal(inc_count(w.inc, w.rows), 1);
    assert_int_equal(inc_count(w.inc, w.texts), 2);
    struct uuid uuid = uuid_of(9);
    struct row *other = row_new(w.other, &uuid); /* of a table that nobody asked for */
    push(&w, false, NULL, other);
    push(&w, false, next, NULL);
    assert_int_equal(inc_count(w.inc, w.rows) + inc_count(w.inc, w.texts), 0);
    row_unref(other);
    row_unref(first);
    row_unref(same);
    row_unref(next);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_random_changes),
        cmocka_unit_test(test_reset_keeps_books),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
