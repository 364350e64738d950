/* pool.c - interning of actions and their sequences, and the builders; see action.h. */
#include <stdarg.h>

#include "action/action.h"
#include "action/parser.h"
#include "base/hash.h"
#include "base/pool.h"
#include "base/vec.h"

enum { N_USUAL = 256, USUAL_REFS = 64, N_TRAILS = 256 };

struct op_name {
    struct hnode node;
    size_t n; /* bytes of the name */
};

struct action_pool {
    struct expr_pool *exprs;
    struct slots actions, sequences;
    struct trail action_trails[N_TRAILS],
        sequence_trails[N_TRAILS]; /* found by trail_of, sequence_trail */
    struct pool memory;            /* of both */
    struct hmap ops;               /* by name */
    struct op_name op_names[N_ACTION_OPS];
    struct text_cache texts;
    struct action *usual
        [N_USUAL]; /* some of those that have many references, found by usual_of; no references */
    struct actions *usual_sequences[N_USUAL]; /* the same */
};

static void release_text(struct gen_node *node)
{
    struct text_cached *t = CONTAINER_OF(node, struct text_cached, node);
    actions_unref(t->value);
    expr_unref(t->more);
    text_cached_free(t);
}

struct text_cache *action_pool_texts(struct action_pool *p)
{
    return &p->texts;
}

struct action_pool *action_pool_new(struct expr_pool *exprs)
{
    struct action_pool *p = NEW(struct action_pool);
    p->exprs = exprs;
    p->memory.is_plain = POOL_IS_PLAIN;
    text_cache_init(&p->texts, release_text);
    for (int op = 0; op < N_ACTION_OPS; op++) {
        const char *name = action_op_name((enum action_op)op);
        p->op_names[op].n = strlen(name);
        hmap_insert(&p->ops, &p->op_names[op].node, hash_text(name));
    }
    return p;
}

enum action_op action_pool_op(const struct action_pool *p, const char *name, size_t n)
{
    const struct op_name *o;
    HMAP_FOR_EACH_WITH_HASH (o, node, hash_bytes(name, n, 0), &p->ops) {
        enum action_op op = (enum action_op)(o - p->op_names);
        if (o->n == n && !memcmp(action_op_name(op), name, n))
            return op;
    }
    return N_ACTION_OPS;
}

void action_pool_forget(struct action_pool *p)
{
    text_cache_clear(&p->texts);
}

void action_pool_free(struct action_pool *p)
{
    if (!p)
        return;
    action_pool_forget(p);
    INVARIANT(!p->actions.n && !p->sequences.n);
    slots_fini(&p->actions);
    slots_fini(&p->sequences);
    text_cache_fini(&p->texts);
    pool_fini(&p->memory);
    hmap_fini(&p->ops);
    free(p);
}

struct expr_pool *action_pool_exprs(const struct action_pool *p)
{
    return p->exprs;
}

static void operand_release(const struct operand *o)
{
    rstr_unref(o->text);
    actions_unref(o->actions);
}

/* Where an action would be among the usual ones: those without a constant of their own that every other flow has. */
static struct action **usual_of(struct action_pool *p, enum action_op op,
                                const struct operand *operands, size_t n)
{
    uint64_t h = (uint64_t)op + 1;
    for (size_t i = 0; i < n; i++)
        h = (h ^ (uintptr_t)operands[i].field.sym ^ (uint64_t)operands[i].value) *
            UINT64_C(0x9e3779b97f4a7c15);
    return &p->usual[h >> 56];
}

static struct actions **usual_sequence(struct action_pool *p, struct action *const *list, size_t n)
{
    uint64_t h = n + 1;
    for (size_t i = 0; i < n; i++)
        h = (h ^ (uintptr_t)list[i]) * UINT64_C(0x9e3779b97f4a7c15);
    return &p->usual_sequences[h >> 56];
}

/* The trail of the actions that look like this one: each unit that runs again asks for one of them, in the order of the units. */
static struct trail *trail_of(struct action_pool *p, enum action_op op,
                              const struct operand *operands, size_t n)
{
    const uint64_t mix = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t h = ((uint64_t)op << 16 | n) * mix;
    if (n)
        h = (h ^ (uintptr_t)operands[0].field.sym ^ operands[n - 1].kind) * mix;
    return &p->action_trails[h >> 56];
}

/* The same of sequences. */
static struct trail *sequence_trail(struct action_pool *p, struct action *const *list, size_t n)
{
    const uint64_t mix = UINT64_C(0x9e3779b97f4a7c15);
    uint64_t h = (n + 1) * mix;
    for (size_t i = 0; i < MIN(n, 2); i++) {
        const struct action *a = list[i];
        h = (h ^ (uint64_t)a->op ^ (uintptr_t)(a->n ? a->operand[0].field.sym : NULL)) * mix;
    }
    return &p->sequence_trails[h >> 56];
}

struct action *action_ref(const struct action *a)
{
    struct action *x = (struct action *)(uintptr_t)a;
    x->refs++;
    return x;
}

void action_unref(const struct action *a)
{
    struct action *x = (struct action *)(uintptr_t)a;
    if (!x || --x->refs)
        return;
    struct action **usual = usual_of(x->pool, x->op, x->operand, x->n);
    if (*usual == x)
        *usual = NULL;
    slots_remove(&x->pool->actions, x, x->hash);
    trail_remove(trail_of(x->pool, x->op, x->operand, x->n), &x->trail);
    for (uint32_t i = 0; i < x->n; i++)
        operand_release(&x->operand[i]);
    pool_release(&x->pool->memory, x, sizeof *x + x->n * sizeof *x->operand);
}

struct actions *actions_ref(const struct actions *as)
{
    struct actions *x = (struct actions *)(uintptr_t)as;
    x->refs++;
    return x;
}

void actions_unref(const struct actions *as)
{
    struct actions *x = (struct actions *)(uintptr_t)as;
    if (!x || --x->refs)
        return;
    struct actions **usual = usual_sequence(x->pool, x->action, x->n);
    if (*usual == x)
        *usual = NULL;
    slots_remove(&x->pool->sequences, x, x->hash);
    trail_remove(sequence_trail(x->pool, x->action, x->n), &x->trail);
    for (uint32_t i = 0; i < x->n; i++)
        action_unref(x->action[i]);
    pool_release(&x->pool->memory, x, sizeof *x + x->n * sizeof *x->action);
}

/* Most numbers are small, and most masks 0. */
static uint64_t hash_u128(u128 value, uint64_t h)
{
    if (value)
        h = hash_u64((uint64_t)value, h);
    return value >> 64 ? hash_u64((uint64_t)(value >> 64), h + 1) : h;
}

static uint64_t hash_operand(const struct operand *o, uint64_t h)
{
    h = hash_u64((uint64_t)o->kind << 16 | (uint64_t)o->format << 8 | o->is_masked, h);
    h = hash_pointer(o->field.sym, h);
    h = hash_u64((uint64_t)o->field.ofs << 32 | o->field.width, h);
    h = hash_u128(o->value, h);
    h = hash_u128(o->mask, h);
    return hash_pointer(o->actions, hash_pointer(o->text, h));
}

static bool same_operand(const struct operand *a, const struct operand *b)
{
    return a->kind == b->kind && a->format == b->format && a->is_masked == b->is_masked &&
           a->field.sym == b->field.sym && a->field.ofs == b->field.ofs &&
           a->field.width == b->field.width && a->value == b->value && a->mask == b->mask &&
           a->text == b->text && a->actions == b->actions;
}

static bool same_action(const struct action *a, enum action_op op, const struct operand *operands,
                        size_t n)
{
    bool same = a->op == op && a->n == n;
    for (size_t i = 0; i < n && same; i++)
        same = same_operand(&a->operand[i], &operands[i]);
    return same;
}

static struct action *found_action(struct action *a, const struct operand *operands, size_t n)
{
    for (size_t i = 0; i < n; i++)
        operand_release(&operands[i]);
    return action_ref(a);
}

struct action *action_new(struct action_pool *p, enum action_op op, const struct operand *operands,
                          size_t n)
{
    struct action **usual = usual_of(p, op, operands, n), *a = *usual;
    if (a && same_action(a, op, operands, n))
        return found_action(a, operands, n);
    struct trail *trail = trail_of(p, op, operands, n);
    TRAIL_FOR_EACH_GUESS(a, trail, trail)
    if (same_action(a, op, operands, n)) {
        trail_step(trail, &a->trail);
        return found_action(a, operands, n);
    }
    uint64_t hash = hash_u64((uint64_t)op, n);
    for (size_t i = 0; i < n; i++)
        hash = hash_operand(&operands[i], hash);
    SLOTS_FOR_EACH_WITH_HASH (a, hash, &p->actions)
        if (same_action(a, op, operands, n)) {
            trail_jump(trail, &a->trail);
            if (a->refs >= USUAL_REFS)
                *usual = a;
            return found_action(a, operands, n);
        }
    a = pool_alloc(&p->memory, sizeof *a + n * sizeof *operands);
    *a = (struct action){.hash = hash, .pool = p, .refs = 1, .op = op, .n = (uint32_t)n};
    for (size_t i = 0; i < n; i++)
        a->operand[i] = operands[i];
    slots_insert(&p->actions, a, hash);
    trail_append(trail, &a->trail);
    return a;
}

static bool same_sequence(const struct actions *as, struct action *const *list, size_t n)
{
    return as->n == n && !(n && memcmp(as->action, list, n * sizeof *list));
}

static struct actions *found_sequence(struct actions *as, struct action *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        action_unref(list[i]);
    return actions_ref(as);
}

struct actions *actions_of_n(struct action_pool *p, struct action **list, size_t n)
{
    struct actions **usual = usual_sequence(p, list, n), *as = *usual;
    if (as && same_sequence(as, list, n))
        return found_sequence(as, list, n);
    struct trail *trail = sequence_trail(p, list, n);
    TRAIL_FOR_EACH_GUESS(as, trail, trail)
    if (same_sequence(as, list, n)) {
        trail_step(trail, &as->trail);
        return found_sequence(as, list, n);
    }
    uint64_t hash = n ? hash_bytes(list, n * sizeof *list, 1) : 1;
    SLOTS_FOR_EACH_WITH_HASH (as, hash, &p->sequences)
        if (same_sequence(as, list, n)) {
            trail_jump(trail, &as->trail);
            if (as->refs >= USUAL_REFS)
                *usual = as;
            return found_sequence(as, list, n);
        }
    as = pool_alloc(&p->memory, sizeof *as + n * sizeof *list);
    *as = (struct actions){.hash = hash, .pool = p, .refs = 1, .n = (uint32_t)n};
    for (size_t i = 0; i < n; i++)
        as->action[i] = list[i];
    slots_insert(&p->sequences, as, hash);
    trail_append(trail, &as->trail);
    return as;
}

enum { FEW = 16 }; /* so many need no memory */

struct actions *actions_of(struct action_pool *p, ...)
{
    struct action *few[FEW], **v = few;
    size_t n = 0;
    va_list args;
    va_start(args, p);
    while (va_arg(args, struct action *))
        n++;
    va_end(args);
    if (n > FEW)
        v = xmalloc(n * sizeof *v);
    va_start(args, p);
    for (size_t i = 0; i < n; i++)
        v[i] = va_arg(args, struct action *);
    va_end(args);
    struct actions *as = actions_of_n(p, v, n);
    if (v != few)
        free(v);
    return as;
}

struct actions *actions_join(struct actions *a, struct actions *b)
{
    struct action *few[FEW], **v = few;
    size_t n = 0;
    if ((size_t)a->n + b->n > FEW)
        v = xmalloc(((size_t)a->n + b->n) * sizeof *v);
    for (uint32_t i = 0; i < a->n; i++)
        v[n++] = action_ref(a->action[i]);
    for (uint32_t i = 0; i < b->n; i++)
        v[n++] = action_ref(b->action[i]);
    struct actions *r = actions_of_n(a->pool, v, n);
    actions_unref(a);
    actions_unref(b);
    if (v != few)
        free(v);
    return r;
}

struct actions *actions_drop(struct action_pool *p)
{
    return actions_of_n(p, NULL, 0);
}
