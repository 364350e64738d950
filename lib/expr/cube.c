/* cube.c - cubes and lists of them; see cube.h. */
#include "expr/cube.h"

#include "base/hash.h"
#include "base/hmap.h"

static struct cube *alloc(struct arena *arena, size_t n)
{
    struct cube *c = arena_alloc(arena, sizeof *c + n * sizeof c->field[0]);
    c->n = 0;
    return c;
}

struct cube *cube_new(struct arena *arena, const struct symbol *sym, u128 value, u128 mask)
{
    struct cube *c = alloc(arena, 1);
    if (sym && mask)
        c->field[c->n++] = (struct cube_field){sym, value & mask, mask};
    return c;
}

struct cube *cube_copy(struct arena *arena, const struct cube *c)
{
    return arena_memdup(arena, c, sizeof *c + c->n * sizeof c->field[0]);
}

bool cube_overlaps(const struct cube *a, const struct cube *b)
{
    for (uint32_t i = 0, j = 0; i < a->n && j < b->n;) {
        const struct cube_field *x = &a->field[i], *y = &b->field[j];
        if (x->sym != y->sym) {
            x->sym->index < y->sym->index ? i++ : j++;
            continue;
        }
        if ((x->value ^ y->value) & x->mask & y->mask)
            return false;
        i++, j++;
    }
    return true;
}

const struct cube *cube_and(struct arena *arena, const struct cube *a, const struct cube *b)
{
    if (!a->n)
        return b;
    if (!b->n)
        return a;
    if (!cube_overlaps(a, b))
        return NULL;
    struct cube *c = alloc(arena, a->n + b->n);
    uint32_t i = 0, j = 0;
    while (i < a->n || j < b->n) {
        const struct cube_field *x = i < a->n ? &a->field[i] : NULL;
        const struct cube_field *y = j < b->n ? &b->field[j] : NULL;
        if (x && y && x->sym == y->sym) {
            c->field[c->n++] = (struct cube_field){x->sym, x->value | y->value, x->mask | y->mask};
            i++, j++;
        } else if (!y || (x && x->sym->index < y->sym->index)) {
            c->field[c->n++] = *x;
            i++;
        } else {
            c->field[c->n++] = *y;
            j++;
        }
    }
    return c;
}

bool cube_is_subset(const struct cube *a, const struct cube *b)
{
    uint32_t i = 0;
    for (uint32_t j = 0; j < b->n; j++) {
        const struct cube_field *y = &b->field[j];
        while (i < a->n && a->field[i].sym->index < y->sym->index)
            i++;
        if (i == a->n || a->field[i].sym != y->sym || y->mask & ~a->field[i].mask ||
            (a->field[i].value & y->mask) != y->value)
            return false;
    }
    return true;
}

bool cube_equal(const struct cube *a, const struct cube *b)
{
    if (a->n != b->n)
        return false;
    for (uint32_t i = 0; i < a->n; i++)
        if (a->field[i].sym != b->field[i].sym || a->field[i].value != b->field[i].value ||
            a->field[i].mask != b->field[i].mask)
            return false;
    return true;
}

uint64_t cube_hash(const struct cube *c)
{
    uint64_t h = c->n;
    for (uint32_t i = 0; i < c->n; i++) {
        const struct cube_field *f = &c->field[i];
        h = hash_u64((uint64_t)f->sym->index << 32 ^ (uint64_t)f->mask ^ (uint64_t)(f->mask >> 64),
                     h);
        h = hash_u64((uint64_t)f->value, h);
        if (f->value >> 64)
            h = hash_u64((uint64_t)(f->value >> 64), h);
    }
    return h;
}

const struct cube_field *cube_find(const struct cube *c, const struct symbol *sym)
{
    for (uint32_t i = 0; i < c->n; i++)
        if (c->field[i].sym == sym)
            return &c->field[i];
    return NULL;
}

struct cube *cube_cross_part(struct arena *arena, const struct cube *c, const struct cube *base)
{
    struct cube *r = alloc(arena, c->n);
    for (uint32_t i = 0; i < c->n; i++) {
        const struct cube_field *f = &c->field[i], *b = cube_find(base, f->sym);
        if (f->sym->flags & SF_CROSS && !(b && !(f->mask & ~b->mask)))
            r->field[r->n++] = *f;
    }
    return r;
}

const struct symbol *cubes_only_symbol(const cube_vec *v)
{
    const struct symbol *sym = NULL;
    for (size_t i = 0; i < v->n; i++) {
        const struct cube *c = v->data[i];
        if (c->n != 1 || (sym && c->field[0].sym != sym))
            return NULL;
        sym = c->field[0].sym;
    }
    return sym;
}

/* -- Pruning: cubes by content, and by shape (which fields with which masks). -- */

struct entry {
    struct hnode node;
    const struct cube *cube; /* or the shape: a cube whose values are 0 */
    size_t index;
};

static struct entry *find(const struct hmap *map, const struct cube *c)
{
    struct entry *e;
    uint64_t hash = cube_hash(c);
    HMAP_FOR_EACH_WITH_HASH (e, node, hash, map)
        if (cube_equal(e->cube, c))
            return e;
    return NULL;
}

static void insert(struct arena *arena, struct hmap *map, const struct cube *c, size_t index)
{
    struct entry *e = arena_alloc(arena, sizeof *e);
    e->cube = c;
    e->index = index;
    hmap_insert(map, &e->node, cube_hash(c));
}

static struct cube *shape_of(struct arena *arena, const struct cube *c)
{
    struct cube *s = cube_copy(arena, c);
    for (uint32_t i = 0; i < s->n; i++)
        s->field[i].value = 0;
    return s;
}

/* C cut to SHAPE in BUFFER; false if SHAPE asks for more than C fixes, or for exactly as much. */
static bool cut(const struct cube *c, const struct cube *shape, struct cube *buffer)
{
    bool proper = shape->n < c->n;
    uint32_t i = 0;
    buffer->n = shape->n;
    for (uint32_t j = 0; j < shape->n; j++) {
        const struct cube_field *s = &shape->field[j];
        while (i < c->n && c->field[i].sym->index < s->sym->index)
            i++;
        if (i == c->n || c->field[i].sym != s->sym || s->mask & ~c->field[i].mask)
            return false;
        proper |= s->mask != c->field[i].mask;
        buffer->field[j] = (struct cube_field){s->sym, c->field[i].value & s->mask, s->mask};
    }
    return proper;
}

/* Few cubes: each with each. */
static void drop_subsets_few(cube_vec *v)
{
    for (size_t i = 0; i < v->n;) {
        bool within = false;
        for (size_t j = 0; j < v->n && !within; j++)
            within = j != i && cube_is_subset(v->data[i], v->data[j]);
        if (within)
            vec_remove(v, i);
        else
            i++;
    }
}

static int compare_prefixes(const void *a_, const void *b_)
{
    const struct cube *const *a = a_, *const *b = b_;
    const struct cube_field *x = &(*a)->field[0], *y = &(*b)->field[0];
    if (x->value != y->value)
        return x->value < y->value ? -1 : 1;
    return x->mask == y->mask ? 0 : x->mask < y->mask ? -1 : 1;
}

static bool all_prefixes(const cube_vec *v)
{
    const struct symbol *sym = cubes_only_symbol(v);
    for (size_t i = 0; sym && i < v->n; i++) {
        u128 mask = v->data[i]->field[0].mask;
        if (mask != (u128_ones(sym->width) & ~u128_ones(sym->width - u128_popcount(mask))))
            return false;
    }
    return sym;
}

/* Prefixes of one field, sorted, stand behind those that they lie in. */
static void drop_subsets_prefixes(cube_vec *v)
{
    size_t n = 1;
    qsort(v->data, v->n, sizeof *v->data, compare_prefixes);
    for (size_t i = 1; i < v->n; i++)
        if (!cube_is_subset(v->data[i], v->data[n - 1]))
            v->data[n++] = v->data[i];
    v->n = n;
}

enum { MAX_SUBSET_LOOKUPS = 1 << 18 };

static void drop_subsets_hashed(struct arena *arena, cube_vec *v)
{
    struct hmap cubes = HMAP_INIT, shapes = HMAP_INIT;
    cube_vec shape_list = VEC_INIT;
    uint32_t widest = 0;
    size_t n = 0;
    for (size_t i = 0; i < v->n; i++) {
        const struct cube *c = v->data[i];
        if (find(&cubes, c))
            continue;
        insert(arena, &cubes, c, i);
        v->data[n++] = c;
        widest = MAX(widest, c->n);
        struct cube *s = shape_of(arena, c);
        if (!find(&shapes, s)) {
            insert(arena, &shapes, s, 0);
            vec_push(&shape_list, (const struct cube *)s);
        }
    }
    v->n = n;
    /* With very many shapes (products of inequalities) looking for subsets costs more than it saves. */
    if (shape_list.n > 1 && shape_list.n * v->n <= MAX_SUBSET_LOOKUPS) {
        struct cube *buffer = alloc(arena, widest);
        n = 0;
        for (size_t i = 0; i < v->n; i++) {
            bool within = false;
            for (size_t j = 0; j < shape_list.n && !within; j++)
                within = cut(v->data[i], shape_list.data[j], buffer) && find(&cubes, buffer);
            if (!within)
                v->data[n++] = v->data[i];
        }
        v->n = n;
    }
    vec_fini(&shape_list);
    hmap_fini(&cubes);
    hmap_fini(&shapes);
}

static void drop_subsets(struct arena *arena, cube_vec *v)
{
    if (v->n <= 8)
        drop_subsets_few(v);
    else if (all_prefixes(v))
        drop_subsets_prefixes(v);
    else
        drop_subsets_hashed(arena, v);
}

/* Joins cubes of one field that differ in the lowest bit of their mask, until none is left that does. True: there were some. */
static bool join_neighbours(struct arena *arena, cube_vec *v)
{
    const struct symbol *sym = cubes_only_symbol(v);
    if (!sym || sym->is_string || sym->flags & (SF_NOMINAL | SF_CROSS))
        return false;
    struct hmap cubes = HMAP_INIT;
    size_t n_before = v->n;
    for (size_t i = 0; i < v->n; i++)
        insert(arena, &cubes, v->data[i], i);
    /* v grows at its end by what is joined; joined ones become NULL. */
    for (size_t i = 0; i < v->n; i++) {
        const struct cube *c = v->data[i];
        if (!c || !c->n)
            continue;
        u128 low = c->field[0].mask & -c->field[0].mask;
        struct cube *twin = cube_new(arena, sym, c->field[0].value ^ low, c->field[0].mask);
        struct entry *e = find(&cubes, twin);
        if (!e)
            continue;
        struct entry *own = find(&cubes, c);
        struct cube *joined = cube_new(arena, sym, c->field[0].value, c->field[0].mask & ~low);
        v->data[e->index] = v->data[i] = NULL;
        hmap_remove(&cubes, &e->node);
        hmap_remove(&cubes, &own->node);
        if (!find(&cubes, joined)) {
            insert(arena, &cubes, joined, v->n);
            vec_push(v, (const struct cube *)joined);
        }
    }
    size_t n = 0;
    for (size_t i = 0; i < v->n; i++)
        if (v->data[i])
            v->data[n++] = v->data[i];
    bool changed = n != n_before;
    v->n = n;
    hmap_fini(&cubes);
    return changed;
}

void cubes_prune(struct arena *arena, cube_vec *v, bool merge)
{
    if (v->n < 2)
        return;
    drop_subsets(arena, v);
    if (merge && v->n > 1 && join_neighbours(arena, v))
        drop_subsets(arena, v);
}
