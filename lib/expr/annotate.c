/* annotate.c - symbols replaced by what stores them, prerequisites added; and sets by their contents. See expr.h.
 *
 * A comparison of a field becomes the comparison of the stored field AND the field's prerequisite, itself annotated. A
 * predicate becomes its annotated expansion, negated as a whole where it was negated. An OR or AND that speaks of one symbol
 * only gets the prerequisite once, behind it.
 *
 * Symbols added by tests may have prerequisites that are wrong or refer to themselves: the chain of symbols being expanded
 * is kept, so recursion is reported and bounded.
 */
#include "base/err.h"
#include "base/vec.h"
#include "expr/expr.h"
#include "expr/parse.h"
#include "expr/scratch.h"

/* The symbols whose text is being annotated, innermost first. */
struct chain {
    const struct symbol *sym;
    const struct chain *outer;
};

static int annotate(struct expr_pool *p, const struct expr *e, const struct chain *outer,
                    struct expr **ret, struct diag *diag) MUST_CHECK;

/* Parses and annotates TEXT, which belongs to SYM. */
static int annotate_text(struct expr_pool *p, const struct symbol *sym, const char *text,
                         const struct chain *outer, struct expr **ret, struct diag *diag)
{
    for (const struct chain *c = outer; c; c = c->outer)
        if (c->sym == sym)
            return diag_set(diag, ERR_TYPE, "Recursive expansion of symbol `%s'.", sym->name);
    struct chain chain = {sym, outer};
    struct expr *e;
    int rc = expr_parse(p, text, NULL, &e, diag);
    if (!rc) {
        rc = annotate(p, e, &chain, ret, diag);
        expr_unref(e);
    }
    if (rc)
        diag_prefix(diag,
                    "Error parsing expression `%s' encountered as prerequisite or predicate of "
                    "initial expression: ",
                    text);
    return rc;
}

/* The prerequisites of SYM and of what it is a part of; *RET is NULL when there are none. */
static int annotate_prereqs(struct expr_pool *p, const struct symbol *sym,
                            const struct chain *outer, struct expr **ret, struct diag *diag)
{
    p = expr_pool_lasting(p); /* it is remembered */
    struct expr **known = expr_pool_known(p, sym, true);
    if (*known) {
        *ret = expr_ref(*known);
        return 0;
    }
    *ret = NULL;
    for (; sym; sym = sym->kind == SYMBOL_SUBFIELD ? sym->parent : NULL) {
        if (!sym->prereq)
            continue;
        struct expr *e;
        int rc = annotate_text(p, sym, sym->prereq, outer, &e, diag);
        if (rc) {
            expr_unref(*ret);
            *ret = NULL;
            return rc;
        }
        *ret = *ret ? expr_and(p, *ret, e) : e;
    }
    if (*ret)
        *known = expr_ref(*ret);
    return 0;
}

/* The comparison in terms of the stored field, without prerequisites. */
static struct expr *to_base(struct expr_pool *p, const struct expr *e)
{
    if (e->kind != EXPR_CMP || e->sym->kind != SYMBOL_SUBFIELD)
        return expr_ref(e);
    struct sym_bits sf = sym_bits_base(sym_bits_whole(e->sym));
    return expr_cmp_sym(p, sf.sym, e->relop, e->value << sf.ofs, e->mask << sf.ofs);
}

static int annotate_leaf(struct expr_pool *p, const struct expr *e, const struct chain *outer,
                         struct expr **ret, struct diag *diag)
{
    int rc;
    if (e->sym->kind == SYMBOL_PREDICATE) {
        struct expr_pool *lasting = expr_pool_lasting(p);
        struct expr **known = expr_pool_known(lasting, e->sym, false);
        rc = *known ? 0 : annotate_text(lasting, e->sym, e->sym->expansion, outer, known, diag);
        if (!rc)
            *ret = expr_ref(*known);
        if (!rc && e->relop == EXPR_NE)
            *ret = expr_not(p, *ret);
        return rc;
    }
    struct expr *prereq;
    rc = annotate_prereqs(p, e->sym, outer, &prereq, diag);
    if (rc)
        return rc;
    *ret = to_base(p, e);
    if (prereq)
        *ret = expr_and(p, *ret, prereq);
    return 0;
}

/* The one symbol that the leaves of E compare; NULL if there are several, or predicates. */
static const struct symbol *only_symbol(const struct expr *e)
{
    if (e->kind == EXPR_CMP || e->kind == EXPR_STR)
        return e->sym->kind == SYMBOL_PREDICATE ? NULL : e->sym;
    if (e->kind != EXPR_AND && e->kind != EXPR_OR)
        return NULL;
    const struct symbol *sym = only_symbol(e->sub[0]);
    for (uint32_t i = 1; sym && i < e->n; i++)
        if (only_symbol(e->sub[i]) != sym)
            sym = NULL;
    return sym;
}

static struct expr *combine(struct expr_pool *p, const struct expr *e, struct expr **sub, size_t n)
{
    return e->kind == EXPR_AND ? expr_and_n(p, sub, n) : expr_or_n(p, sub, n);
}

static struct expr *to_base_all(struct expr_pool *p, const struct expr *e)
{
    if (e->kind != EXPR_AND && e->kind != EXPR_OR)
        return to_base(p, e);
    struct expr **sub = xmalloc(e->n * sizeof *sub);
    for (uint32_t i = 0; i < e->n; i++)
        sub[i] = to_base_all(p, e->sub[i]);
    struct expr *r = combine(p, e, sub, e->n);
    free(sub);
    return r;
}

static int annotate_children(struct expr_pool *p, const struct expr *e, const struct chain *outer,
                             struct expr **ret, struct diag *diag)
{
    struct expr *few[16], **v = e->n > ARRAY_SIZE(few) ? xmalloc(e->n * sizeof *v) : few;
    uint32_t n = 0;
    int rc = 0;
    while (n < e->n && !(rc = annotate(p, e->sub[n], outer, &v[n], diag)))
        n++;
    if (!rc)
        *ret = combine(p, e, v, n);
    for (uint32_t i = 0; rc && i < n; i++)
        expr_unref(v[i]);
    if (v != few)
        free(v);
    return rc;
}

static int annotate(struct expr_pool *p, const struct expr *e, const struct chain *outer,
                    struct expr **ret, struct diag *diag)
{
    *ret = NULL;
    switch (e->kind) {
    case EXPR_CMP:
    case EXPR_STR:
        return annotate_leaf(p, e, outer, ret, diag);
    case EXPR_AND:
    case EXPR_OR: {
        const struct symbol *sym = only_symbol(e);
        if (!sym)
            return annotate_children(p, e, outer, ret, diag);
        struct expr *prereq;
        int rc = annotate_prereqs(p, sym, outer, &prereq, diag);
        if (rc)
            return rc;
        *ret = to_base_all(p, e);
        if (prereq)
            *ret = expr_and(p, *ret, prereq);
        return 0;
    }
    case EXPR_BOOL:
    case EXPR_RESIDENT:
        break;
    case EXPR_SET:
    case EXPR_PORT_GROUP:
        INVARIANT(false);
    }
    *ret = expr_ref(e);
    return 0;
}

int expr_annotate_in(struct expr_pool *p, const struct expr *e, struct expr **ret,
                     struct diag *diag)
{
    return annotate(p, e, NULL, ret, diag);
}

int expr_annotate(const struct expr *e, struct expr **ret, struct diag *diag)
{
    return expr_annotate_in(e->pool, e, ret, diag);
}

int expr_prereq(struct expr_pool *p, const struct symbol *sym, struct expr **ret, struct diag *diag)
{
    int rc = annotate_prereqs(p, sym, NULL, ret, diag);
    if (!rc && !*ret)
        *ret = expr_true(p);
    return rc;
}
