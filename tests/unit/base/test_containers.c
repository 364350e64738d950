/* test_containers.c - hmap, vec, str, arena, rstr and uuid against what their headers promise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/diag.h"
#include "base/err.h"
#include "base/hmap.h"
#include "base/list.h"
#include "base/rstr.h"
#include "base/slots.h"
#include "base/str.h"
#include "base/trail.h"
#include "base/uuid.h"
#include "base/vec.h"

struct item {
    struct hnode node;
    uint64_t key;
};

static struct item *item_find(struct hmap *map, uint64_t key)
{
    struct item *it;
    HMAP_FOR_EACH_WITH_HASH (it, node, hash_u64(key, 0), map) {
        if (it->key == key)
            return it;
    }
    return NULL;
}

static void test_hmap(void **state UNUSED)
{
    struct hmap map = HMAP_INIT;
    assert_null(item_find(&map, 1));
    enum { N = 10000, EVERY = 97 };
    for (uint64_t i = 0; i < N; i++) {
        struct item *it = NEW(struct item);
        it->key = i;
        hmap_insert(&map, &it->node, hash_u64(i, 0));
        for (uint64_t k = i % EVERY; k <= i; k += EVERY) /* also while it grows */
            assert_non_null(item_find(&map, k));
        assert_null(item_find(&map, i + 1));
    }
    assert_int_equal(map.n, N);
    uint64_t sum = 0;
    struct item *it;
    HMAP_FOR_EACH (it, node, &map)
        sum += it->key;
    assert_int_equal(sum, N * (N - 1) / 2);
    HMAP_FOR_EACH_SAFE (it, node, &map) {
        if (it->key % 2) {
            hmap_remove(&map, &it->node);
            free(it);
        }
    }
    assert_int_equal(map.n, N / 2);
    for (uint64_t i = 0; i < N; i++)
        assert_int_equal(item_find(&map, i) != NULL, i % 2 == 0);
    HMAP_FOR_EACH_SAFE (it, node, &map) {
        hmap_remove(&map, &it->node);
        free(it);
    }
    hmap_fini(&map);
}

/* No insert moves more than a few nodes of a large table; a walk in the middle of its growth meets each of them. */
static void test_hmap_grows_in_steps(void **state UNUSED)
{
    enum { N = 20000 };
    struct hmap map = HMAP_INIT;
    struct hnode *nodes = xcalloc(N, sizeof *nodes);
    size_t most = 0;
    for (size_t i = 0; i < N; i++) {
        size_t before = map.n_buckets;
        hmap_insert(&map, &nodes[i], hash_u64(i, 0));
        if (i > 2048)
            most = MAX(most, map.n_buckets - before);
        assert_true(map.n <= map.n_buckets);
        if (i % 1000)
            continue;
        size_t n = 0;
        for (const struct hnode *node = hmap_first(&map); node; node = hmap_next(&map, node))
            n++;
        assert_int_equal(n, i + 1);
    }
    assert_in_range(most, 1, 16);
    hmap_reserve(&map, 4 * N);
    assert_true(map.n_buckets >= 4 * N);
    for (size_t i = 0; i < N; i++)
        hmap_remove(&map, &nodes[i]);
    assert_null(hmap_first(&map));
    free(nodes);
    hmap_fini(&map);
}

/* Against a list of what is in: hashes that coincide, and ones that share a slot. */
static void test_slots(void **state UNUSED)
{
    enum { N = 300 };
    static int objects[N];
    bool is_in[N] = {false};
    struct slots s = {0};
    uint64_t seed = 1;
    int *p;
    SLOTS_FOR_EACH_WITH_HASH (p, 0, &s)
        fail_msg("found in an empty table");
    assert_false(slots_remove(&s, &objects[0], 0));
    for (int round = 0; round < 20000; round++) {
        seed = hash_u64(seed, 1);
        size_t i = seed % N;
        uint64_t hash = i % 7 ? i % 64 : i;
        if (is_in[i])
            assert_true(slots_remove(&s, &objects[i], hash));
        else
            slots_insert(&s, &objects[i], hash);
        is_in[i] = !is_in[i];
        assert_false(!is_in[i] && slots_remove(&s, &objects[i], hash));
        size_t n = 0, n_found = 0, n_in = 0;
        for (size_t k = 0; k < N; k++) {
            n += is_in[k];
            n_in += is_in[k] && (k % 7 ? k % 64 : k) == hash;
        }
        SLOTS_FOR_EACH_WITH_HASH (p, hash, &s)
            n_found += is_in[p - objects];
        assert_int_equal(s.n, n);
        assert_int_equal(n_found, n_in);
    }
    slots_fini(&s);
    assert_int_equal(s.n, 0);
}

struct stone {
    struct trail_node node;
    int number;
};

/* As a pool does: the stone NUMBER of STONES; tells whether a guess was right. */
static bool walk_to(struct trail *trail, struct stone *stones, int number)
{
    struct stone *s;
    TRAIL_FOR_EACH_GUESS(s, node, trail)
    if (s->number == number) {
        trail_step(trail, &s->node);
        return true;
    }
    trail_jump(trail, &stones[number].node);
    return false;
}

static void test_trail(void **state UNUSED)
{
    enum { N = 8, SHARED = 0 };
    struct trail trail = {0};
    struct stone stones[N];
    for (int i = 0; i < N; i++) {
        stones[i].number = i;
        trail_append(&trail, &stones[i].node);
    }
    assert_false(walk_to(&trail, stones, 1)); /* at the end: nothing newer */
    for (int i = 2; i < N; i++) {
        assert_true(walk_to(&trail, stones, i));
        assert_true(walk_to(&trail, stones, i));       /* where it is: asked for again */
        assert_false(walk_to(&trail, stones, SHARED)); /* does not end the walk */
    }
    assert_true(walk_to(&trail, stones, 1)); /* from where the jump led */
    trail_remove(&trail, &stones[2].node);
    assert_true(walk_to(&trail, stones, 3));
    trail_remove(&trail, &stones[3].node); /* where the walk is */
    assert_true(walk_to(&trail, stones, 4));
    trail_remove(&trail, &stones[SHARED].node); /* the oldest, and where the jump led */
    trail_remove(&trail, &stones[N - 1].node);  /* the newest */
    assert_true(walk_to(&trail, stones, 5));
    assert_true(walk_to(&trail, stones, 6));
    assert_null(trail_guess(&trail, 0));
    for (int i = 6; i; i--)
        if (i != 2 && i != 3)
            trail_remove(&trail, &stones[i].node);
    assert_null(trail.newest);
    assert_null(trail.at);
}

static void test_vec_str(void **state UNUSED)
{
    VEC(int) v = VEC_INIT;
    for (int i = 0; i < 100; i++)
        vec_push(&v, i);
    vec_remove(&v, 0);
    assert_int_equal(v.data[0], 1);
    vec_remove_swap(&v, 0);
    assert_int_equal(v.data[0], 99);
    assert_int_equal(v.n, 98);
    vec_fini(&v);

    struct str s = STR_INIT;
    assert_string_equal(str_c(&s), "");
    for (int i = 0; i < 100; i++)
        str_putf(&s, "%d,", i);
    assert_true(str_chomp(&s, ","));
    assert_true(text_ends_with(str_c(&s), ",99"));
    str_clear(&s);
    str_put_hex(&s, "\x01\xab", 2);
    assert_string_equal(str_c(&s), "01ab");
    str_fini(&s);

    int64_t i;
    assert_int_equal(text_to_i64("-12", 10, &i), 0);
    assert_int_equal(i, -12);
    assert_int_equal(text_to_i64("12x", 10, &i), ERR_SYNTAX);
    assert_int_equal(text_to_i64("99999999999999999999", 10, &i), ERR_RANGE);
}

static void test_arena(void **state UNUSED)
{
    struct arena arena = ARENA_INIT;
    for (size_t i = 1; i < 5000; i += 7)
        memset(arena_alloc(&arena, i), 0xff, i);
    assert_string_equal(arena_printf(&arena, "%d", 7), "7");
    arena_reset(&arena);
    assert_string_equal(arena_strdup(&arena, "x"), "x");
    arena_fini(&arena);
}

static void test_rstr(void **state UNUSED)
{
    struct rstr_pool pool = RSTR_POOL_INIT;
    struct rstr *a = rstr_pool_get(&pool, "a"), *b = rstr_pool_get(&pool, "a");
    struct rstr *lone = rstr_new("a"), *ab = rstr_new("ab");
    assert_ptr_equal(a, b);
    assert_true(rstr_equal(a, lone));
    assert_true(rstr_compare(a, ab) < 0);
    rstr_unref(a);
    rstr_unref(b);
    rstr_unref(lone);
    rstr_unref(ab);
    rstr_pool_fini(&pool);
}

static void test_uuid(void **state UNUSED)
{
    struct env_seeded env;
    env_seeded_init(&env, 1);
    struct uuid u = uuid_random(&env.env), v;
    char buf[UUID_TEXT_LEN + 1];
    assert_true(uuid_parse(uuid_print(&u, buf), &v));
    assert_true(uuid_equal(&u, &v));
    assert_false(uuid_parse("0", &v));
    assert_false(uuid_parse("01234567-89ab-cdef-0123-456789abcdeg", &v));
    assert_true(uuid_parse("01234567-89ab-cdef-0123-456789ABCDEF", &v));
    assert_int_equal(uuid_prefix32(&v), 0x01234567);
}

static void test_diag(void **state UNUSED)
{
    struct diag d = DIAG_INIT;
    assert_int_equal(diag_set_at(&d, ERR_SYNTAX, 3, "bad %s", "thing"), ERR_SYNTAX);
    diag_prefix(&d, "line %d: ", 7);
    assert_string_equal(diag_text(&d), "line 7: bad thing");
    assert_int_equal(d.offset, 3);
    diag_fini(&d);
    assert_int_equal(diag_set(NULL, ERR_IO, "x"), ERR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hmap),    cmocka_unit_test(test_hmap_grows_in_steps),
        cmocka_unit_test(test_slots),   cmocka_unit_test(test_trail),
        cmocka_unit_test(test_vec_str), cmocka_unit_test(test_arena),
        cmocka_unit_test(test_rstr),    cmocka_unit_test(test_uuid),
        cmocka_unit_test(test_diag),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
