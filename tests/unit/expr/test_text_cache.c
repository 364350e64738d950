/* test_text_cache.c - texts seen before give the same node, keys keep contexts apart, and memory is bounded and given back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "expr/expr.h"
#include "expr/text_cache.h"

static void release(struct gen_node *node)
{
    struct text_cached *e = CONTAINER_OF(node, struct text_cached, node);
    (*(size_t *)e->value)--;
    assert_null(e->more);
    text_cached_free(e);
}

static void add(struct text_cache *c, const char *text, size_t *value)
{
    const struct text_key key = text_key(text, 0);
    text_cache_add(c, &key, value, NULL);
}

static const struct text_cached *find(struct text_cache *c, const char *text, uint64_t context)
{
    const struct text_key key = text_key(text, context);
    return text_cache_find(c, &key);
}

static void test_bounds(void **state UNUSED)
{
    size_t held = 0;
    struct text_cache c;
    char text[32];
    text_cache_init(&c, release);
    const struct text_cached *kept = NULL;
    for (int i = 0; i < 1200000; i++) {
        snprintf(text, sizeof text, "%d", i);
        held++;
        add(&c, text, &held);
        assert_true(held <= 2 * 262144);
        assert_non_null(find(&c, "0", 0)); /* what is used stays */
        if (i == 7)
            kept = find(&c, "7", 0);
        if (kept) /* so does what is used without being looked for */
            gen_cache_use(&c.cache, (struct gen_node *)(uintptr_t)&kept->node);
    }
    assert_non_null(find(&c, "1199999", 0));
    assert_ptr_equal(find(&c, "7", 0), kept);
    assert_null(find(&c, "1", 0));
    assert_null(find(&c, "0", 1)); /* another context */
    assert_int_equal(held, c.cache.young.n + c.cache.old.n);
    text_cache_clear(&c);
    assert_int_equal(held, 0);
    assert_null(find(&c, "0", 0));
    text_cache_fini(&c);
}

static void test_pool(void **state UNUSED)
{
    struct symtab *symtab = symtab_new();
    struct expr_pool *pool = expr_pool_new(symtab);
    struct expr *a, *b;
    struct diag diag = DIAG_INIT;
    assert_int_equal(expr_parse(pool, "ip4 && tcp.dst == 80", NULL, &a, &diag), 0);
    assert_int_equal(expr_parse(pool, "ip4 && tcp.dst == 80", NULL, &b, &diag), 0);
    assert_ptr_equal(a, b);
    expr_unref(a);
    expr_unref(b);
    for (int i = 0; i < 2; i++) { /* errors are told each time */
        assert_int_not_equal(expr_parse(pool, "ip4 &&", NULL, &a, &diag), 0);
        assert_null(a);
    }
    assert_int_not_equal(expr_parse(pool, "tcp != {0, 1}", NULL, &a, &diag), 0);
    diag_fini(&diag);
    expr_pool_forget(pool);
    assert_int_equal(expr_pool_count(pool), 0);
    expr_pool_free(pool);
    symtab_free(symtab);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_bounds), cmocka_unit_test(test_pool)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
