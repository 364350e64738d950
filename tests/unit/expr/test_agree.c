/* test_agree.c - evaluation, simplification and normal form say the same of every packet: all small expressions, and random
 * deep ones. */
#include "unit/expr/fixture.h"

/* Every comparison of a and b with every constant and relation, of c, n and s: number I, or NULL past the last. */
static struct expr *terminal(struct world *w, unsigned i)
{
    struct expr_pool *p = w->pool;
    static const char *const ports[] = {"p1", "none", "gone"};
    if (i < 24)
        return expr_cmp_sym(p, w->a, (enum expr_relop)(i % 6), i / 6, 3);
    if (i < 48)
        return expr_cmp_sym(p, w->b, (enum expr_relop)((i - 24) % 6), (i - 24) / 6, 3);
    if (i < 54) /* masked */
        return expr_cmp_sym(p, i < 51 ? w->a : w->b, i & 1 ? EXPR_EQ : EXPR_NE, (i % 3) & 2, 2);
    if (i < 56)
        return expr_cmp_sym(p, w->c, i & 1 ? EXPR_EQ : EXPR_NE, 1, 1);
    if (i < 60)
        return expr_cmp_sym(p, w->n, EXPR_EQ, i - 56, 3);
    if (i < 63)
        return expr_str_sym(p, w->s, EXPR_EQ, ports[i - 60], strlen(ports[i - 60]));
    if (i < 65)
        return expr_bool(p, i & 1);
    return NULL;
}
enum { N_TERMINALS = 65 };

static struct expr *join(struct world *w, bool is_and, struct expr *x, struct expr *y)
{
    return is_and ? expr_and(w->pool, x, y) : expr_or(w->pool, x, y);
}

static void check(struct world *w, struct expr *e)
{
    check_agreement(w, e);
    expr_unref(e);
}

static void all_of_one_and_two(void **state UNUSED)
{
    struct world w;
    world_init(&w);
    for (unsigned i = 0; i < N_TERMINALS; i++) {
        check(&w, terminal(&w, i));
        for (unsigned j = 0; j < N_TERMINALS; j++)
            for (int op = 0; op < 2; op++)
                check(&w, join(&w, op, terminal(&w, i), terminal(&w, j)));
    }
    world_fini(&w);
}

/* x op (y op z), with terminals that differ in kind. */
static void all_of_three(void **state UNUSED)
{
    static const unsigned few[] = {1, 8, 14, 21, 25, 32, 40, 49, 54, 57, 61, 64};
    struct world w;
    world_init(&w);
    for (unsigned i = 0; i < ARRAY_SIZE(few); i++)
        for (unsigned j = 0; j < ARRAY_SIZE(few); j++)
            for (unsigned k = 0; k < ARRAY_SIZE(few); k++)
                for (int op = 0; op < 2; op++) {
                    struct expr *inner = join(&w, !op, terminal(&w, few[j]), terminal(&w, few[k]));
                    check(&w, join(&w, op, terminal(&w, few[i]), inner));
                }
    world_fini(&w);
}

/* (x op y) op' (z op u): two dimensions. */
static void all_of_four(void **state UNUSED)
{
    static const unsigned few[] = {0, 6, 24, 37, 54, 58, 60};
    struct world w;
    world_init(&w);
    for (unsigned i = 0; i < 7 * 7 * 7 * 7; i++)
        for (int op = 0; op < 2; op++) {
            struct expr *x = join(&w, op, terminal(&w, few[i % 7]), terminal(&w, few[i / 7 % 7]));
            struct expr *y =
                join(&w, op, terminal(&w, few[i / 49 % 7]), terminal(&w, few[i / 343]));
            check(&w, join(&w, !op, x, y));
        }
    world_fini(&w);
}

static unsigned next_random(uint64_t *seed)
{
    *seed = *seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(*seed >> 33);
}

static struct expr *random_expr(struct world *w, uint64_t *seed, unsigned depth, unsigned *left)
{
    if (!depth || !*left || next_random(seed) % 5 == 0) {
        *left -= *left > 0;
        struct expr *e = terminal(w, next_random(seed) % N_TERMINALS);
        bool nominal = e->kind == EXPR_STR;
        return !nominal && next_random(seed) % 8 == 0 ? expr_not(w->pool, e) : e;
    }
    unsigned n = 2 + next_random(seed) % 3;
    struct expr *sub[4];
    for (unsigned i = 0; i < n; i++)
        sub[i] = random_expr(w, seed, depth - 1, left);
    return next_random(seed) & 1 ? expr_and_n(w->pool, sub, n) : expr_or_n(w->pool, sub, n);
}

static void random_deep(void **state UNUSED)
{
    struct world w;
    uint64_t seed = 20261121;
    world_init(&w);
    for (int i = 0; i < 3000; i++) {
        unsigned left = 24;
        check(&w, random_expr(&w, &seed, 2 + (unsigned)i % 5, &left));
    }
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_of_one_and_two),
        cmocka_unit_test(all_of_three),
        cmocka_unit_test(all_of_four),
        cmocka_unit_test(random_deep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
