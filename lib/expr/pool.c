/* pool.c - interning of expression nodes, and the builders that keep them in canonical shape; see expr.h. */
#include <stdarg.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/pool.h"
#include "base/vec.h"
#include "expr/expr.h"
#include "expr/parse.h"
#include "expr/scratch.h"
#include "expr/text_cache.h"

enum { N_USUAL = 256, USUAL_REFS = 64, N_TRAILS = 256 };

struct expr_pool {
    const struct symtab *symtab;
    struct slots nodes;
    struct trail trails[N_TRAILS]; /* of nodes, found by trail_of */
    struct expr *usual
        [N_USUAL]; /* some of those that have many references, found by usual_of; no references */
    struct pool memory; /* of nodes */
    struct rstr_pool names;
    struct expr **known; /* what the texts of symbols mean, once asked: expr_pool_known */
    size_t n_known;
    struct text_cache texts;
    struct expr_pool *scratch; /* made when first asked for */
    /* of a scratch pool */
    struct expr_pool *owner; /* NULL of others */
    bool is_busy;
    struct arena arena;
    VEC(struct rstr *) held; /* names of nodes */
};

static void release_text(struct gen_node *node)
{
    struct text_cached *t = CONTAINER_OF(node, struct text_cached, node);
    expr_unref(t->value);
    text_cached_free(t);
}

struct text_cache *expr_pool_texts(struct expr_pool *p)
{
    return &p->texts;
}

struct expr_pool *expr_pool_new(const struct symtab *symtab)
{
    struct expr_pool *p = NEW(struct expr_pool);
    p->symtab = symtab;
    p->memory.is_plain = POOL_IS_PLAIN;
    text_cache_init(&p->texts, release_text);
    p->n_known = 2 * symtab_count(symtab);
    p->known = xcalloc(p->n_known ? p->n_known : 1, sizeof *p->known);
    return p;
}

void expr_pool_free(struct expr_pool *p)
{
    if (!p)
        return;
    expr_pool_forget(p);
    if (p->scratch) {
        INVARIANT(!p->scratch->is_busy);
        arena_fini(&p->scratch->arena);
        vec_fini(&p->scratch->held);
        free(p->scratch);
    }
    free(p->known);
    INVARIANT(!p->nodes.n);
    text_cache_fini(&p->texts);
    pool_fini(&p->memory);
    slots_fini(&p->nodes);
    rstr_pool_fini(&p->names);
    free(p);
}

struct expr_pool *expr_scratch_begin(struct expr_pool *p)
{
    INVARIANT(!p->owner);
    if (!p->scratch) {
        p->scratch = NEW(struct expr_pool);
        p->scratch->symtab = p->symtab;
        p->scratch->owner = p;
    }
    INVARIANT(!p->scratch->is_busy);
    p->scratch->is_busy = true;
    return p->scratch;
}

void expr_scratch_end(struct expr_pool *scratch)
{
    while (scratch->held.n)
        rstr_unref(vec_pop(&scratch->held));
    arena_reset(&scratch->arena);
    scratch->is_busy = false;
}

struct expr_pool *expr_pool_lasting(struct expr_pool *p)
{
    return p->owner ? p->owner : p;
}

struct expr **expr_pool_known(struct expr_pool *p, const struct symbol *sym, bool prereq)
{
    size_t i = 2 * (size_t)sym->index + prereq;
    INVARIANT(i < p->n_known);
    return &p->known[i];
}

void expr_pool_forget(struct expr_pool *p)
{
    text_cache_clear(&p->texts);
    for (size_t i = 0; i < p->n_known; i++) {
        expr_unref(p->known[i]);
        p->known[i] = NULL;
    }
}

const struct symtab *expr_pool_symtab(const struct expr_pool *p)
{
    return p->symtab;
}

struct rstr_pool *expr_pool_names(struct expr_pool *p)
{
    return &expr_pool_lasting(p)->names;
}

size_t expr_pool_count(const struct expr_pool *p)
{
    return p->nodes.n;
}

struct expr *expr_ref(const struct expr *e)
{
    struct expr *x = (struct expr *)(uintptr_t)e;
    x->refs++;
    return x;
}

static size_t node_size(uint32_t n)
{
    return offsetof(struct expr, sub) + n * sizeof(struct expr *);
}

/* Where a node would be among the usual ones, which every other flow asks for. */
static struct expr **usual_of(struct expr_pool *p, const struct expr *t, struct expr *const *sub)
{
    const uint64_t mix = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t h = ((uint64_t)t->kind << 8 | (uint64_t)t->relop << 1 | t->b) + 1;
    h = (h * mix ^ (uintptr_t)t->sym ^ (uintptr_t)t->name ^ (uint64_t)t->value) * mix;
    for (uint32_t i = 0; i < t->n; i++)
        h = (h ^ (uintptr_t)sub[i]) * mix;
    return &p->usual[h >> 56];
}

/* The trail of the nodes that look like this one: each unit that runs again asks for one of them, in the order of the units. */
static struct trail *trail_of(struct expr_pool *p, const struct expr *t, struct expr *const *sub)
{
    const uint64_t mix = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t h = ((uint64_t)t->n << 16 | (uint64_t)t->kind << 8 | t->relop) + 1;
    h = (h * mix ^ (uintptr_t)t->sym) * mix;
    if (t->n)
        h = ((h ^ (uintptr_t)sub[0]->sym) * mix ^ (uintptr_t)sub[t->n - 1]->sym) * mix;
    return &p->trails[h >> 56];
}

void expr_unref(const struct expr *e)
{
    struct expr *x = (struct expr *)(uintptr_t)e;
    if (!x || --x->refs)
        return;
    struct expr **usual = usual_of(x->pool, x, x->sub);
    if (*usual == x)
        *usual = NULL;
    slots_remove(&x->pool->nodes, x, x->hash);
    trail_remove(trail_of(x->pool, x, x->sub), &x->trail);
    for (uint32_t i = 0; i < x->n; i++)
        expr_unref(x->sub[i]);
    rstr_unref(x->name);
    pool_release(&x->pool->memory, x, node_size(x->n));
}

static uint64_t hash_node(const struct expr *e, struct expr *const *sub)
{
    uint64_t h = hash_u64((uint64_t)e->kind << 8 | (uint64_t)e->relop << 1 | e->b, 0);
    h = hash_pointer(e->sym, h);
    h = hash_pointer(e->name, h);
    if (e->kind == EXPR_CMP) {
        h = hash_bytes(&e->value, sizeof e->value, h);
        h = hash_bytes(&e->mask, sizeof e->mask, h);
    }
    return e->n ? hash_bytes(sub, e->n * sizeof *sub, h) : h;
}

static bool same_node(const struct expr *a, const struct expr *b, struct expr *const *sub)
{
    return a->kind == b->kind && a->relop == b->relop && a->b == b->b && a->sym == b->sym &&
           a->name == b->name && a->value == b->value && a->mask == b->mask && a->n == b->n &&
           !(a->n && memcmp(a->sub, sub, a->n * sizeof *sub));
}

static bool is_simple_leaf(const struct expr *e)
{
    return e->kind != EXPR_CMP || (e->mask && e->relop == EXPR_EQ);
}

static uint32_t own_refs_text(const struct expr *e)
{
    return e->kind == EXPR_SET || e->kind == EXPR_PORT_GROUP || e->kind == EXPR_RESIDENT;
}

/* Makes E a node like T with children SUB. */
static void fill(struct expr *e, struct expr_pool *p, const struct expr *t, struct expr *const *sub)
{
    memcpy(e, t, offsetof(struct expr, sub));
    e->pool = p;
    e->refs = 1;
    e->n_refs_text = own_refs_text(t);
    e->depth = 0;
    e->is_simple = is_simple_leaf(t);
    for (uint32_t i = 0; i < t->n; i++) {
        e->sub[i] = sub[i];
        e->n_refs_text += sub[i]->n_refs_text;
        e->is_simple &= sub[i]->is_simple;
        e->depth = (uint16_t)MAX(e->depth, sub[i]->depth + 1);
    }
    INVARIANT(e->depth < 10000);
}

/* As intern, in a scratch pool. */
static struct expr *make_scratch(struct expr_pool *p, const struct expr *t, struct expr *const *sub)
{
    struct expr *e = arena_alloc(&p->arena, node_size(t->n));
    fill(e, p, t, sub);
    e->refs = UINT32_MAX / 2; /* never the last */
    for (uint32_t i = 0; i < t->n; i++)
        expr_unref(sub[i]);
    if (t->name)
        vec_push(&p->held, t->name);
    return e;
}

/* E is what was asked for by T and SUB, whose references go. */
static struct expr *found(struct expr *e, const struct expr *t, struct expr *const *sub)
{
    e->refs++;
    for (uint32_t i = 0; i < t->n; i++)
        expr_unref(sub[i]);
    rstr_unref(t->name);
    return e;
}

/* The node equal to T with children SUB. Takes over T->name and the references in SUB. */
static struct expr *intern(struct expr_pool *p, const struct expr *t, struct expr *const *sub)
{
    struct expr *e;
    if (p->owner)
        return make_scratch(p, t, sub);
    struct expr **usual = usual_of(p, t, sub);
    if ((e = *usual) && same_node(e, t, sub))
        return found(e, t, sub);
    struct trail *trail = trail_of(p, t, sub);
    TRAIL_FOR_EACH_GUESS(e, trail, trail)
    if (same_node(e, t, sub)) {
        trail_step(trail, &e->trail);
        return found(e, t, sub);
    }
    uint64_t hash = hash_node(t, sub);
    SLOTS_FOR_EACH_WITH_HASH (e, hash, &p->nodes)
        if (same_node(e, t, sub)) {
            trail_jump(trail, &e->trail);
            if (e->refs >= USUAL_REFS)
                *usual = e;
            return found(e, t, sub);
        }
    e = pool_alloc(&p->memory, node_size(t->n));
    fill(e, p, t, sub);
    e->hash = hash;
    slots_insert(&p->nodes, e, hash);
    trail_append(trail, &e->trail);
    return e;
}

struct expr *expr_bool(struct expr_pool *p, bool b)
{
    return intern(p, &(struct expr){.kind = EXPR_BOOL, .b = b}, NULL);
}

struct expr *expr_true(struct expr_pool *p)
{
    return expr_bool(p, true);
}

struct expr *expr_false(struct expr_pool *p)
{
    return expr_bool(p, false);
}

struct expr *expr_cmp_sym(struct expr_pool *p, const struct symbol *sym, enum expr_relop relop,
                          u128 value, u128 mask)
{
    INVARIANT(!(mask & ~u128_ones(sym->width)) && !(value & ~mask));
    if (!value && relop <= EXPR_NE && u128_is_one_bit(mask)) {
        value = mask; /* of one bit, "x" and "!x" are the two forms */
        relop = relop == EXPR_EQ ? EXPR_NE : EXPR_EQ;
    }
    return intern(
        p,
        &(struct expr){.kind = EXPR_CMP, .relop = relop, .sym = sym, .value = value, .mask = mask},
        NULL);
}

struct expr *expr_str_sym(struct expr_pool *p, const struct symbol *sym, enum expr_relop relop,
                          const char *name, size_t n)
{
    INVARIANT(sym->is_string && relop <= EXPR_NE);
    return intern(p,
                  &(struct expr){.kind = EXPR_STR,
                                 .relop = relop,
                                 .sym = sym,
                                 .name = rstr_pool_get_n(expr_pool_names(p), name, n)},
                  NULL);
}

static struct expr *named(struct expr_pool *p, enum expr_kind kind, const struct symbol *sym,
                          enum expr_relop relop, const char *name)
{
    return intern(p,
                  &(struct expr){.kind = kind,
                                 .relop = relop,
                                 .sym = sym,
                                 .name = rstr_pool_get(expr_pool_names(p), name)},
                  NULL);
}

struct expr *expr_set(struct expr_pool *p, enum symbol_id sym, enum expr_relop relop,
                      const char *name)
{
    INVARIANT(relop <= EXPR_NE);
    return named(p, EXPR_SET, symtab_get(p->symtab, sym), relop, name);
}

struct expr *expr_port_group(struct expr_pool *p, enum symbol_id sym, enum expr_relop relop,
                             const char *name)
{
    INVARIANT(relop <= EXPR_NE);
    return named(p, EXPR_PORT_GROUP, symtab_get(p->symtab, sym), relop, name);
}

struct expr *expr_resident(struct expr_pool *p, const char *port, bool negate)
{
    return named(p, EXPR_RESIDENT, NULL, negate ? EXPR_NE : EXPR_EQ, port);
}

struct expr *expr_eq_masked(struct expr_pool *p, enum symbol_id id, u128 value, u128 mask)
{
    const struct symbol *sym = symtab_get(p->symtab, id);
    return mask ? expr_cmp_sym(p, sym, EXPR_EQ, value & mask, mask) : expr_true(p);
}

struct expr *expr_cmp(struct expr_pool *p, enum symbol_id id, enum expr_relop relop, u128 value)
{
    const struct symbol *sym = symtab_get(p->symtab, id);
    return expr_cmp_sym(p, sym, relop, value, u128_ones(sym->width));
}

struct expr *expr_eq(struct expr_pool *p, enum symbol_id sym, u128 value)
{
    return expr_cmp(p, sym, EXPR_EQ, value);
}

struct expr *expr_eq_prefix(struct expr_pool *p, enum symbol_id id, u128 value, unsigned plen)
{
    unsigned width = symtab_get(p->symtab, id)->width;
    INVARIANT(plen <= width);
    return expr_eq_masked(p, id, value, u128_ones(width) & ~u128_ones(width - plen));
}

struct expr *expr_eq_bits(struct expr_pool *p, enum symbol_id id, unsigned ofs, unsigned width,
                          u128 value)
{
    INVARIANT(!(value & ~u128_ones(width)));
    return expr_eq_masked(p, id, value << ofs, u128_ones(width) << ofs);
}

struct expr *expr_flag(struct expr_pool *p, enum symbol_id id, bool is_set)
{
    const struct symbol *sym = symtab_get(p->symtab, id);
    INVARIANT(sym->width == 1);
    return expr_cmp_sym(p, sym, is_set ? EXPR_EQ : EXPR_NE, 1, 1);
}

struct expr *expr_str_eq(struct expr_pool *p, enum symbol_id sym, const char *name)
{
    return expr_str_sym(p, symtab_get(p->symtab, sym), EXPR_EQ, name, strlen(name));
}

struct expr *expr_name_eq(struct expr_pool *p, enum symbol_id id, const struct rstr *name)
{
    const struct symbol *sym = symtab_get(p->symtab, id);
    INVARIANT(sym->is_string);
    if (name->pool != expr_pool_names(p))
        return expr_str_sym(p, sym, EXPR_EQ, name->s, name->n);
    return intern(
        p, &(struct expr){.kind = EXPR_STR, .relop = EXPR_EQ, .sym = sym, .name = rstr_ref(name)},
        NULL);
}

/* -- AND and OR. -- */

typedef VEC(struct expr *) expr_vec;

/* Writes E, or its children if it is of KIND too, to V; drops the neutral element. Takes E. False if E decides all. */
static bool append(struct expr **v, size_t *n, enum expr_kind kind, struct expr *e)
{
    if (e->kind == EXPR_BOOL) {
        bool neutral = e->b == (kind == EXPR_AND);
        expr_unref(e);
        return neutral;
    }
    if (e->kind != kind) {
        v[(*n)++] = e;
        return true;
    }
    for (uint32_t i = 0; i < e->n; i++)
        v[(*n)++] = expr_ref(e->sub[i]);
    expr_unref(e);
    return true;
}

static struct expr *combine(struct expr_pool *p, enum expr_kind kind, struct expr **subs, size_t n)
{
    struct expr *few[16], **v = few, *e;
    size_t n_v = 0, most = 0;
    bool open = true;
    for (size_t i = 0; i < n; i++)
        most += subs[i]->kind == kind ? subs[i]->n : 1;
    if (most > ARRAY_SIZE(few))
        v = xmalloc(most * sizeof *v);
    for (size_t i = 0; i < n; i++)
        open &= append(v, &n_v, kind, subs[i]);
    if (!open) {
        for (size_t i = 0; i < n_v; i++)
            expr_unref(v[i]);
        e = expr_bool(p, kind == EXPR_OR);
    } else if (n_v == 0) {
        e = expr_bool(p, kind == EXPR_AND);
    } else if (n_v == 1) {
        e = v[0];
    } else {
        e = intern(p, &(struct expr){.kind = kind, .n = (uint32_t)n_v}, v);
    }
    if (v != few)
        free(v);
    return e;
}

struct expr *expr_and_n(struct expr_pool *p, struct expr **subs, size_t n)
{
    return combine(p, EXPR_AND, subs, n);
}

struct expr *expr_or_n(struct expr_pool *p, struct expr **subs, size_t n)
{
    return combine(p, EXPR_OR, subs, n);
}

struct expr *expr_and(struct expr_pool *p, struct expr *a, struct expr *b)
{
    if (b->kind == EXPR_BOOL && b->b) { /* what most actions ask of the packet */
        expr_unref(b);
        return a;
    }
    return combine(p, EXPR_AND, (struct expr *[]){a, b}, 2);
}

struct expr *expr_or(struct expr_pool *p, struct expr *a, struct expr *b)
{
    return combine(p, EXPR_OR, (struct expr *[]){a, b}, 2);
}

static struct expr *combine_args(struct expr_pool *p, enum expr_kind kind, va_list args)
{
    struct expr *few[16], **v = few, *e;
    size_t n = 0;
    va_list again;
    va_copy(again, args);
    while (va_arg(again, struct expr *))
        n++;
    va_end(again);
    if (n > ARRAY_SIZE(few))
        v = xmalloc(n * sizeof *v);
    for (size_t i = 0; i < n; i++)
        v[i] = va_arg(args, struct expr *);
    e = combine(p, kind, v, n);
    if (v != few)
        free(v);
    return e;
}

struct expr *expr_all(struct expr_pool *p, ...)
{
    va_list args;
    va_start(args, p);
    struct expr *e = combine_args(p, EXPR_AND, args);
    va_end(args);
    return e;
}

struct expr *expr_any(struct expr_pool *p, ...)
{
    va_list args;
    va_start(args, p);
    struct expr *e = combine_args(p, EXPR_OR, args);
    va_end(args);
    return e;
}

struct expr *expr_str_in(struct expr_pool *p, enum symbol_id sym, const char *const *names,
                         size_t n)
{
    expr_vec v = VEC_INIT;
    for (size_t i = 0; i < n; i++)
        vec_push(&v, expr_str_eq(p, sym, names[i]));
    struct expr *e = expr_or_n(p, v.data, v.n);
    vec_fini(&v);
    return e;
}

struct expr *expr_in(struct expr_pool *p, enum symbol_id sym, const u128 *values, size_t n)
{
    expr_vec v = VEC_INIT;
    for (size_t i = 0; i < n; i++)
        vec_push(&v, expr_eq(p, sym, values[i]));
    struct expr *e = expr_or_n(p, v.data, v.n);
    vec_fini(&v);
    return e;
}

static enum expr_relop negated(enum expr_relop relop)
{
    static const enum expr_relop table[] = {
        [EXPR_EQ] = EXPR_NE, [EXPR_NE] = EXPR_EQ, [EXPR_LT] = EXPR_GE,
        [EXPR_LE] = EXPR_GT, [EXPR_GT] = EXPR_LE, [EXPR_GE] = EXPR_LT,
    };
    return table[relop];
}

static struct expr *not_node(struct expr_pool *p, const struct expr *e)
{
    if (e->kind == EXPR_BOOL)
        return expr_bool(p, !e->b);
    if (e->kind == EXPR_CMP)
        return expr_cmp_sym(p, e->sym, negated(e->relop), e->value, e->mask);
    if (e->kind != EXPR_AND && e->kind != EXPR_OR) {
        struct expr t = {
            .kind = e->kind, .relop = negated(e->relop), .sym = e->sym, .name = rstr_ref(e->name)};
        return intern(p, &t, NULL);
    }
    struct expr **sub = xmalloc(e->n * sizeof *sub);
    for (uint32_t i = 0; i < e->n; i++)
        sub[i] = not_node(p, e->sub[i]);
    struct expr *r = combine(p, e->kind == EXPR_AND ? EXPR_OR : EXPR_AND, sub, e->n);
    free(sub);
    return r;
}

struct expr *expr_not(struct expr_pool *p, struct expr *e)
{
    struct expr *r = not_node(p, e);
    expr_unref(e);
    return r;
}

void expr_for_each_name(const struct expr *e, void (*fn)(void *aux, const struct expr *leaf),
                        void *aux)
{
    if (e->name)
        fn(aux, e);
    for (uint32_t i = 0; i < e->n; i++)
        expr_for_each_name(e->sub[i], fn, aux);
}

struct expr *expr_set_sym(struct expr_pool *p, enum expr_kind kind, const struct symbol *sym,
                          enum expr_relop relop, const char *name, size_t n)
{
    struct expr t = {.kind = kind,
                     .relop = relop,
                     .sym = sym,
                     .name = rstr_pool_get_n(expr_pool_names(p), name, n)};
    return intern(p, &t, NULL);
}
