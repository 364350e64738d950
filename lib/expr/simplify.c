/* simplify.c - inequalities to masked equalities, constants folded; see expr.h.
 *
 * "x < v" holds if, at some bit that is 1 in v, x agrees with v above that bit and has a 0 there: one masked equality per
 * 1-bit of v, all disjoint. The other relations are the same with the bits exchanged, plus equality itself.
 */
#include "base/vec.h"
#include "expr/scratch.h"

/* The bits of MASK from the lowest upward: calls for each with BIT its value in place. */
#define FOR_EACH_BIT(BIT, MASK)                                                                    \
    for (u128 rest_ = (MASK), BIT; rest_ && (BIT = rest_ & -rest_, true); rest_ &= ~BIT)

/* Adds "agrees with e->value above BIT, differs at BIT" for each bit of BITS, which lies within e->mask. */
static void add_differences(struct expr_pool *p, const struct expr *e, u128 bits, struct expr **v,
                            size_t *n)
{
    FOR_EACH_BIT(bit, bits)
    {
        u128 mask = e->mask & ~(bit - 1);
        u128 value = (e->value & mask) ^ bit;
        v[(*n)++] = expr_cmp_sym(p, e->sym, EXPR_EQ, value, mask);
    }
}

static struct expr *simplify_cmp(struct expr_pool *p, const struct expr *e)
{
    if (!e->mask) /* 0 == 0, 0 <= 0 and so on */
        return expr_bool(p, e->relop == EXPR_EQ || e->relop == EXPR_LE || e->relop == EXPR_GE);
    if (e->relop == EXPR_EQ)
        return expr_ref(e);
    u128 ones = e->value, zeros = e->mask & ~e->value;
    bool lt = e->relop == EXPR_LT || e->relop == EXPR_LE || e->relop == EXPR_NE;
    bool gt = e->relop == EXPR_GT || e->relop == EXPR_GE || e->relop == EXPR_NE;
    bool eq = e->relop == EXPR_LE || e->relop == EXPR_GE;
    if (eq && !(e->relop == EXPR_LE ? zeros : ones))
        return expr_true(p); /* x <= greatest, x >= 0 */
    struct expr *v[129];
    size_t n = 0;
    if (eq)
        v[n++] = expr_cmp_sym(p, e->sym, EXPR_EQ, e->value, e->mask);
    add_differences(p, e, (lt ? ones : 0) | (gt ? zeros : 0), v, &n);
    return expr_or_n(p, v, n);
}

struct expr *expr_simplify_in(struct expr_pool *p, const struct expr *e)
{
    if (e->is_simple)
        return expr_ref(e);
    if (e->kind == EXPR_CMP)
        return simplify_cmp(p, e);
    if (e->kind != EXPR_AND && e->kind != EXPR_OR)
        return expr_ref(e);
    struct expr *few[16], **sub = e->n > ARRAY_SIZE(few) ? xmalloc(e->n * sizeof *sub) : few;
    bool same = true;
    for (uint32_t i = 0; i < e->n; i++) {
        sub[i] = expr_simplify_in(p, e->sub[i]);
        same &= sub[i] == e->sub[i];
    }
    struct expr *r;
    if (same) {
        for (uint32_t i = 0; i < e->n; i++)
            expr_unref(sub[i]);
        r = expr_ref(e);
    } else {
        r = e->kind == EXPR_AND ? expr_and_n(p, sub, e->n) : expr_or_n(p, sub, e->n);
    }
    if (sub != few)
        free(sub);
    return r;
}

struct expr *expr_simplify(const struct expr *e)
{
    return expr_simplify_in(e->pool, e);
}
