/* program.c - declarations of an engine's program: collections, indexes, kinds (docs/architecture.md, row 3).
 *
 * Promises that a program which inc_new accepts reads only inputs and what earlier kinds emit. A wrong declaration is
 * a bug of the caller and aborts with the names; nothing here handles input from outside.
 */
#include "inc/internal.h"

#include <stdlib.h>

struct inc_program *inc_program_new(const char *name, void *aux)
{
    struct inc_program *p = NEW(struct inc_program);
    p->name = name;
    p->aux = aux;
    return p;
}

static void index_free(struct inc_index *index)
{
    vec_fini(&index->kinds);
    free(index);
}

void inc_program_free(struct inc_program *p)
{
    if (!p)
        return;
    for (size_t i = 0; i < p->indexes.n; i++)
        index_free(p->indexes.data[i]);
    for (size_t i = 0; i < p->colls.n; i++) {
        vec_fini(&p->colls.data[i]->indexes);
        vec_fini(&p->colls.data[i]->lookups);
        vec_fini(&p->colls.data[i]->reaches);
        free(p->colls.data[i]);
    }
    for (size_t i = 0; i < p->kinds.n; i++) {
        free(p->kinds.data[i]->can_read);
        free(p->kinds.data[i]->can_emit);
        free(p->kinds.data[i]);
    }
    vec_fini(&p->indexes);
    vec_fini(&p->colls);
    vec_fini(&p->kinds);
    free(p);
}

static struct inc_coll *add_coll(struct inc_program *p, const char *name,
                                 const struct inc_type *type, bool input)
{
    INVARIANT(!p->sealed);
    INVARIANT(p->colls.n < UINT16_MAX);
    INVARIANT(type->size);
    struct inc_coll *coll = NEW(struct inc_coll);
    coll->program = p;
    coll->name = name;
    coll->type = type;
    coll->id = (unsigned)p->colls.n;
    coll->input = input;
    vec_push(&p->colls, coll);
    return coll;
}

struct inc_coll *inc_input(struct inc_program *p, const char *name, const struct inc_type *type)
{
    return add_coll(p, name, type, true);
}

struct inc_coll *inc_derived(struct inc_program *p, const char *name, const struct inc_type *type)
{
    return add_coll(p, name, type, false);
}

static struct inc_index *add_index(struct inc_program *p, struct inc_coll *coll, const char *name,
                                   const struct inc_type *key_type)
{
    INVARIANT(!p->sealed);
    INVARIANT(coll->program == p);
    INVARIANT(p->indexes.n < UINT16_MAX);
    struct inc_index *index = NEW(struct inc_index);
    index->coll = coll;
    index->name = name;
    index->key_type = key_type;
    index->id = (unsigned)p->indexes.n;
    vec_push(&p->indexes, index);
    return index;
}

static struct inc_index *add_bucketed(struct inc_program *p, struct inc_coll *coll,
                                      const char *name, const struct inc_type *key_type)
{
    struct inc_index *index = add_index(p, coll, name, key_type);
    index->slot = (unsigned)coll->indexes.n;
    vec_push(&coll->indexes, index);
    return index;
}

struct inc_index *inc_index_self(struct inc_program *p, struct inc_coll *coll, const char *name)
{
    for (size_t i = 0; i < coll->indexes.n; i++)
        INVARIANT(!coll->indexes.data[i]->is_self); /* one is enough */
    struct inc_index *index = add_bucketed(p, coll, name, coll->type);
    index->is_self = true;
    return index;
}

struct inc_index *inc_index_host(struct inc_program *p, struct inc_coll *coll, const char *name,
                                 const struct inc_type *key_type, size_t offset)
{
    INVARIANT(offset + key_type->size <= coll->type->size);
    struct inc_index *index = add_index(p, coll, name, key_type);
    index->offset = offset;
    index->is_lookup = true;
    vec_push(&coll->lookups, index);
    return index;
}

struct inc_index *inc_index_field(struct inc_program *p, struct inc_coll *coll, const char *name,
                                  const struct inc_type *key_type, size_t offset)
{
    INVARIANT(offset + key_type->size <= coll->type->size);
    struct inc_index *index = add_bucketed(p, coll, name, key_type);
    index->offset = offset;
    return index;
}

struct inc_index *inc_index_fn(struct inc_program *p, struct inc_coll *coll, const char *name,
                               const struct inc_type *key_type, inc_key_fn *fn)
{
    INVARIANT(fn);
    struct inc_index *index = add_bucketed(p, coll, name, key_type);
    index->fn = fn;
    return index;
}

struct inc_index *inc_index_all(struct inc_program *p, struct inc_coll *coll)
{
    static const struct inc_type nothing = {.name = "all"};
    if (!coll->all)
        coll->all = inc_index_field(p, coll, "all", &nothing, 0);
    return coll->all;
}

static struct kind *add_kind(struct inc_program *p, const char *name)
{
    INVARIANT(!p->sealed);
    INVARIANT(p->kinds.n < UINT16_MAX);
    struct kind *kind = NEW(struct kind);
    kind->def.name = name;
    vec_push(&p->kinds, kind);
    return kind;
}

void inc_kind(struct inc_program *p, const struct inc_kind_def *def)
{
    INVARIANT(def->run && !(def->each && def->each->is_lookup));
    struct kind *kind = add_kind(p, def->name);
    kind->def = *def;
    if (!kind->def.aux)
        kind->def.aux = p->aux;
    if (def->each)
        vec_push(&def->each->kinds, (unsigned)p->kinds.n - 1);
}

void inc_reach(struct inc_program *p, const struct inc_reach_def *def)
{
    INVARIANT(def->node_size && def->node_size <= INC_MAX_NODE);
    INVARIANT(def->root_offset + def->node_size <= def->roots->type->size);
    INVARIANT(def->from_offset + def->node_size <= def->edges->type->size);
    INVARIANT(def->to_offset + def->node_size <= def->edges->type->size);
    INVARIANT(def->out->type->size == def->node_size && !def->out->type->ref);
    struct kind *kind = add_kind(p, def->name);
    kind->is_reach = true;
    kind->reach = *def;
    vec_push(&def->roots->reaches, (unsigned)p->kinds.n - 1);
    if (def->edges != def->roots)
        vec_push(&def->edges->reaches, (unsigned)p->kinds.n - 1);
}

/* EMITTED: for each collection the last kind (+1) that emits it. */
static void check_read(const struct inc_program *p, size_t k, struct inc_coll *coll,
                       const size_t *emitted)
{
    struct kind *kind = p->kinds.data[k];
    if (coll->program != p)
        bug("inc: %s: kind %s reads a collection of another program", p->name, kind->def.name);
    if (emitted[coll->id] > k)
        bug("inc: %s: kind %s reads %s, which kind %s (not earlier) emits", p->name, kind->def.name,
            coll->name, p->kinds.data[emitted[coll->id] - 1]->def.name);
    kind->can_read[coll->id] = true;
}

static void check_emit(const struct inc_program *p, size_t k, struct inc_coll *coll,
                       size_t *emitted)
{
    struct kind *kind = p->kinds.data[k];
    if (coll->program != p || coll->input)
        bug("inc: %s: kind %s emits %s, which is not a derived collection of this program", p->name,
            kind->def.name, coll->name);
    emitted[coll->id] = k + 1;
    kind->can_emit[coll->id] = true;
}

static void seal(struct inc_program *p)
{
    size_t *emitted = xcalloc(p->colls.n + 1, sizeof *emitted);
    for (size_t k = 0; k < p->kinds.n; k++) {
        struct kind *kind = p->kinds.data[k];
        kind->can_read = xcalloc(p->colls.n + 1, sizeof *kind->can_read);
        kind->can_emit = xcalloc(p->colls.n + 1, sizeof *kind->can_emit);
        if (kind->is_reach)
            check_emit(p, k, kind->reach.out, emitted);
        for (int i = 0; i < INC_MAX_EMITS && kind->def.emits[i]; i++)
            check_emit(p, k, kind->def.emits[i], emitted);
    }
    for (size_t k = 0; k < p->kinds.n; k++) {
        struct kind *kind = p->kinds.data[k];
        if (kind->is_reach) {
            check_read(p, k, kind->reach.roots, emitted);
            check_read(p, k, kind->reach.edges, emitted);
        }
        if (kind->def.each)
            check_read(p, k, kind->def.each->coll, emitted);
        for (int i = 0; i < INC_MAX_READS && kind->def.reads[i]; i++)
            check_read(p, k, kind->def.reads[i], emitted);
    }
    free(emitted);
    p->sealed = true;
}

struct inc *inc_new(struct inc_program *p)
{
    if (!p->sealed)
        seal(p);
    struct inc *inc = NEW(struct inc);
    inc->program = p;
    inc->ctx.inc = inc;
    inc->colls = xcalloc(p->colls.n + 1, sizeof *inc->colls);
    inc->indexes = xcalloc(p->indexes.n + 1, sizeof *inc->indexes);
    inc->kinds = xcalloc(p->kinds.n + 1, sizeof *inc->kinds);
    for (size_t i = 0; i < p->colls.n; i++)
        coll_init(inc, p->colls.data[i]);
    for (size_t i = 0; i < p->indexes.n; i++)
        index_init(inc, p->indexes.data[i]);
    for (size_t k = 0; k < p->kinds.n; k++) {
        if (p->kinds.data[k]->is_reach)
            inc->kinds[k].reach = reach_new(&p->kinds.data[k]->reach);
        else if (!p->kinds.data[k]->def.each)
            unit_make_single(inc, (unsigned)k);
    }
    return inc;
}

void inc_free(struct inc *inc)
{
    if (!inc)
        return;
    struct inc_program *p = inc->program;
    for (size_t k = 0; k < p->kinds.n; k++) {
        reach_free(inc, inc->kinds[k].reach);
        vec_fini(&inc->kinds[k].dirty);
    }
    for (size_t i = 0; i < p->colls.n; i++)
        coll_fini(inc, p->colls.data[i]);
    for (size_t i = 0; i < p->indexes.n; i++)
        index_fini(inc, p->indexes.data[i]);
    for (size_t i = 0; i < inc->waiting.n; i++) {
        struct waiting *w = inc->waiting.data[i];
        if (w->coll->type->unref)
            w->coll->type->unref(w + 1);
        free(w);
    }
    vec_fini(&inc->waiting);
    vec_fini(&inc->key_places);
    vec_fini(&inc->tail);
    vec_fini(&inc->looked);
    for (size_t i = 0; i < inc->units.n; i++)
        free(inc->units.data[i]);
    vec_fini(&inc->units);
    vec_fini(&inc->ctx.reads);
    vec_fini(&inc->ctx.emits);
    arena_fini(&inc->ctx.arena);
    pool_fini(&inc->pool);
    free(inc->colls);
    free(inc->indexes);
    free(inc->kinds);
    free(inc);
}
