/* engine.c - units: making, marking, running and ending them, and settling (docs/architecture.md, row 3).
 *
 * Promises that each dirty unit runs once in a settle, in the order of kinds, and that only real differences of what
 * it emits go on. It does not look at time: the host cuts a settle into slices by the number of units.
 */
#include "inc/internal.h"

#include <stdlib.h>

/* --- Units */

static struct unit *unit_new(struct inc *inc)
{
    struct unit *unit = inc->free_unit;
    if (unit) {
        inc->free_unit = unit->next;
        return unit;
    }
    size_t number = inc->n_units++;
    INVARIANT(number < UINT32_MAX);
    if (!(number & (UNIT_PAGE - 1))) {
        struct unit *page = xmalloc(UNIT_PAGE * sizeof *page);
        vec_push(&inc->units, page);
    }
    unit = unit_numbered(inc, (uint32_t)number);
    unit->number = (uint32_t)number;
    return unit;
}

static struct unit *unit_make(struct inc *inc, unsigned kind, void *at)
{
    struct unit *unit = unit_new(inc);
    *unit = (struct unit){.at = at, .kind = (uint16_t)kind, .number = unit->number};
    inc->kinds[kind].units++;
    unit_mark(inc, unit);
    return unit;
}

void unit_make_single(struct inc *inc, unsigned kind)
{
    inc->kinds[kind].single = unit_make(inc, kind, NULL);
}

void units_make(struct inc *inc, const struct inc_index *index, struct unit **units, void *at)
{
    if (*units) { /* about to end, but the key is back before their turn */
        for (struct unit *unit = *units; unit; unit = unit->next)
            unit_mark(inc, unit);
        return;
    }
    for (size_t i = 0; i < index->kinds.n; i++) {
        struct unit *unit = unit_make(inc, index->kinds.data[i], at);
        unit->next = *units;
        *units = unit;
    }
}

/* The index that makes units of the unit's kind. */
static const struct inc_index *index_of(const struct inc *inc, const struct unit *unit)
{
    return inc->program->kinds.data[unit->kind]->def.each;
}

static bool has_key(const struct inc *inc, const struct unit *unit)
{
    if (!unit->at)
        return true;
    return index_of(inc, unit)->is_self ? ((const struct fact *)unit->at)->count
                                        : ((const struct bucket *)unit->at)->n;
}

static const void *key_of(const struct inc *inc, const struct unit *unit)
{
    if (!unit->at)
        return NULL;
    const struct inc_index *index = index_of(inc, unit);
    return index->is_self ? fact_content(&inc->colls[index->coll->id], unit->at)
                          : bucket_key(unit->at);
}

/* Takes the unit out of the list of its key, which goes with the last one. */
static void leave_key(struct inc *inc, struct unit *unit)
{
    const struct inc_index *index = index_of(inc, unit);
    struct bucket *bucket = unit->at;
    struct fact *fact = unit->at;
    struct unit **at = index->is_self ? fact_units(fact, index) : &bucket->units;
    struct unit *const *first = at;
    while (*at != unit)
        at = &(*at)->next;
    *at = unit->next;
    if (!index->is_self) {
        bucket_gone(inc, bucket);
    } else if (!*first) {
        fact->flags &= (uint16_t)~FACT_UNITS;
        if (!fact->count && !(fact->flags & FACT_KEPT))
            fact_free(inc, fact);
    }
}

void unit_mark(struct inc *inc, struct unit *unit)
{
    if (unit->dirty)
        return;
    unit->dirty = true;
    vec_push(&inc->kinds[unit->kind].dirty, unit);
    inc->n_dirty++;
}

static size_t book_size(size_t n_reads, size_t n_emits)
{
    return (n_reads + n_emits) * sizeof(void *) + n_reads * sizeof(uint32_t);
}

static void unit_release(struct inc *inc, struct unit *unit)
{
    pool_release(&inc->pool, unit->book, book_size(unit->n_reads, unit->n_emits));
    unit->next = inc->free_unit;
    inc->free_unit = unit;
}

/* Forgets the reads of the current unit from position FROM on. */
static void drop_reads(struct inc *inc, size_t from)
{
    while (inc->ctx.reads.n > from) {
        struct edge edge = vec_pop(&inc->ctx.reads);
        bucket_remove_reader(inc, edge.bucket, edge.pos);
        inc->ctx.reads_others = true;
    }
}

static void load_reads(struct inc *inc, const struct unit *unit)
{
    struct inc_ctx *ctx = &inc->ctx;
    vec_reserve(&ctx->reads, unit->n_reads);
    for (uint32_t i = 0; i < unit->n_reads; i++)
        ctx->reads.data[i] = (struct edge){unit_reads(unit)[i], unit_pos(unit)[i]};
    ctx->reads.n = unit->n_reads;
    ctx->reads_others = false;
    ctx->cursor = 0;
}

/* Whether the run has emitted what the unit did before. */
static bool emits_same(const struct inc *inc, const struct unit *unit)
{
    const struct inc_ctx *ctx = &inc->ctx;
    return ctx->emits.n == unit->n_emits &&
           !(ctx->emits.n &&
             memcmp(unit_emits(unit), ctx->emits.data, ctx->emits.n * sizeof *ctx->emits.data));
}

/* The facts that the run has emitted take the place of the unit's; tells whether they are others than before. */
static bool take_emits(struct inc *inc, struct unit *unit)
{
    struct inc_ctx *ctx = &inc->ctx;
    struct fact **old = unit_emits(unit), **new = ctx->emits.data;
    size_t n_old = unit->n_emits, n_new = ctx->emits.n;
    uint64_t changes = inc->changes;
    size_t head = 0, tail = 0;
    while (head < n_old && head < n_new && old[head] == new[head])
        head++;
    while (tail < n_old - head && tail < n_new - head &&
           old[n_old - 1 - tail] == new[n_new - 1 - tail])
        tail++;
    for (size_t i = head; i < n_new - tail; i++)
        fact_add(inc, new[i], 1);
    for (size_t i = head; i < n_old - tail; i++)
        fact_drop(inc, old[i]);
    return inc->changes != changes;
}

/* Writes down what the run has read and emitted. */
static void keep_book(struct inc *inc, struct unit *unit)
{
    struct inc_ctx *ctx = &inc->ctx;
    if (ctx->reads.n != unit->n_reads || ctx->emits.n != unit->n_emits) {
        pool_release(&inc->pool, unit->book, book_size(unit->n_reads, unit->n_emits));
        unit->book = pool_alloc(&inc->pool, book_size(ctx->reads.n, ctx->emits.n));
        unit->n_reads = (uint32_t)ctx->reads.n;
        unit->n_emits = (uint32_t)ctx->emits.n;
    }
    for (size_t i = 0; i < ctx->reads.n; i++) {
        unit_reads(unit)[i] = ctx->reads.data[i].bucket;
        unit_pos(unit)[i] = ctx->reads.data[i].pos;
    }
    if (ctx->emits.n)
        memcpy(unit_emits(unit), ctx->emits.data, ctx->emits.n * sizeof *ctx->emits.data);
}

/* The key of the unit is gone. */
static void unit_end(struct inc *inc, struct unit *unit)
{
    inc->ctx.unit = unit;
    load_reads(inc, unit);
    drop_reads(inc, 0);
    inc->ctx.unit = NULL;
    for (uint32_t i = 0; i < unit->n_emits; i++)
        fact_drop(inc, unit_emits(unit)[i]);
    leave_key(inc, unit);
    inc->kinds[unit->kind].units--;
    unit_release(inc, unit);
}

/* Of four thousand million runs, the next begins anew. */
static void clear_stamps(struct inc *inc)
{
    for (size_t i = 0; i < inc->program->indexes.n; i++) {
        struct bucket *bucket;
        TABLE_FOR_EACH(bucket, &inc->indexes[i].buckets)
        bucket->stamp = 0;
    }
}

uint32_t inc_new_stamp(struct inc *inc)
{
    if (inc->stamp == UINT32_MAX) {
        clear_stamps(inc);
        inc->stamp = 0;
    }
    return ++inc->stamp;
}

static void unit_run(struct inc *inc, struct unit *unit)
{
    struct inc_ctx *ctx = &inc->ctx;
    struct kind_state *ks = &inc->kinds[unit->kind];
    unit->dirty = false;
    inc->n_dirty--;
    if (!has_key(inc, unit)) {
        unit_end(inc, unit);
        return;
    }
    ctx->kind = inc->program->kinds.data[unit->kind];
    ctx->unit = unit;
    ctx->aux = ctx->kind->def.aux;
    ctx->stamp = inc_new_stamp(inc);
    vec_clear(&ctx->emits);
    load_reads(inc, unit);
    inc->running = true;
    ctx->kind->def.run(ctx, key_of(inc, unit), ctx->aux);
    inc->running = false;
    drop_reads(inc, ctx->cursor);
    ks->runs++;
    ks->emits += ctx->emits.n;
    bool same = emits_same(inc, unit);
    if (same || !take_emits(inc, unit))
        ks->cutoffs++;
    if (!same || ctx->reads_others) /* or it is there already, and need not be written to */
        keep_book(inc, unit);
    ctx->unit = NULL;
    arena_reset(&ctx->arena);
}

/* --- What a run function may do */

/* The bucket of KEY if it is the one that the last run read at this place: a run mostly reads what the last one did. */
static struct bucket *expected_bucket(const struct inc_ctx *ctx, const struct inc_index *index,
                                      const void *key)
{
    if (ctx->cursor == ctx->reads.n)
        return NULL;
    struct bucket *bucket = ctx->reads.data[ctx->cursor].bucket;
    size_t n = index->key_type->size;
    return bucket->index == index->id && (!n || !memcmp(bucket_key(bucket), key, n)) ? bucket
                                                                                     : NULL;
}

struct inc_facts inc_read(struct inc_ctx *ctx, const struct inc_index *index, const void *key)
{
    struct inc *inc = ctx->inc;
    if (!ctx->kind->can_read[index->coll->id] || index->is_lookup || index->is_self)
        bug("inc: kind %s reads %s, which it does not declare", ctx->kind->def.name,
            index->coll->name);
    struct bucket *bucket = expected_bucket(ctx, index, key);
    if (!bucket)
        bucket = bucket_get(inc, index, key);
    if (bucket->stamp != ctx->stamp) { /* not read in this run before */
        if (ctx->cursor < ctx->reads.n && ctx->reads.data[ctx->cursor].bucket != bucket) {
            drop_reads(inc, ctx->cursor); /* this run reads others than the last one did */
            bucket = bucket_get(inc, index, key);
        }
        if (ctx->cursor == ctx->reads.n) {
            uint32_t pos = bucket_add_reader(inc, bucket, ctx->unit, (uint32_t)ctx->cursor);
            vec_push(&ctx->reads, ((struct edge){bucket, pos}));
            ctx->reads_others = true;
        }
        ctx->cursor++;
        bucket->stamp = ctx->stamp;
        bucket->notified = false;
    }
    bucket_sort(inc, bucket);
    return (struct inc_facts){bucket_facts(bucket), bucket->n};
}

const void *inc_read_one(struct inc_ctx *ctx, const struct inc_index *index, const void *key)
{
    struct inc_facts facts = inc_read(ctx, index, key);
    return facts.n ? facts.v[0] : NULL;
}

const void *inc_emitted_before(const struct inc_ctx *ctx, const struct inc_coll *coll)
{
    if (ctx->emits.n >= ctx->unit->n_emits)
        return NULL;
    struct fact *fact = unit_emits(ctx->unit)[ctx->emits.n];
    return fact->coll == coll->id ? fact_content(&ctx->inc->colls[coll->id], fact) : NULL;
}

/* The fact that the last run emitted at this place, if it has the content that is emitted now. */
static struct fact *expected_fact(const struct inc_ctx *ctx, const struct inc_coll *coll,
                                  const void *content)
{
    const struct coll_state *cs = &ctx->inc->colls[coll->id];
    const void *before = inc_emitted_before(ctx, coll);
    return before && !memcmp(before, content, cs->fact_size) ? fact_of(cs, before) : NULL;
}

static void emit(struct inc_ctx *ctx, const struct inc_coll *coll, const void *content, bool take)
{
    if (!ctx->kind->can_emit[coll->id])
        bug("inc: kind %s emits %s, which it does not declare", ctx->kind->def.name, coll->name);
    struct fact *fact = expected_fact(ctx, coll, content);
    if (!fact)
        fact = fact_intern(ctx->inc, coll, content, take);
    else if (take && coll->type->unref)
        coll->type->unref(content);
    vec_push(&ctx->emits, fact);
}

void inc_emit(struct inc_ctx *ctx, const struct inc_coll *coll, const void *fact)
{
    emit(ctx, coll, fact, false);
}

void inc_emit_take(struct inc_ctx *ctx, const struct inc_coll *coll, const void *fact)
{
    emit(ctx, coll, fact, true);
}

struct arena *inc_arena(struct inc_ctx *ctx)
{
    return &ctx->arena;
}

/* --- Inputs */

static void change_input(struct inc *inc, const struct inc_coll *coll, const void *content,
                         bool assert)
{
    struct fact *fact = fact_intern(inc, coll, content, false);
    if (assert)
        fact_add(inc, fact, 1);
    else if (fact->count)
        fact_drop(inc, fact);
    else
        bug("inc: a fact of %s is retracted that is not asserted", coll->name);
}

static void input(struct inc *inc, const struct inc_coll *coll, const void *content, bool assert)
{
    INVARIANT(coll->input && coll->program == inc->program && !inc->running);
    if (!inc->settling && !inc->waiting.n) {
        change_input(inc, coll, content, assert);
        return;
    }
    struct waiting *waiting = xmalloc(sizeof *waiting + coll->type->size);
    *waiting = (struct waiting){coll, assert};
    memcpy(waiting + 1, content, coll->type->size);
    if (coll->type->ref)
        coll->type->ref(waiting + 1);
    vec_push(&inc->waiting, waiting);
}

void inc_assert(struct inc *inc, const struct inc_coll *coll, const void *fact)
{
    input(inc, coll, fact, true);
}

void inc_retract(struct inc *inc, const struct inc_coll *coll, const void *fact)
{
    input(inc, coll, fact, false);
}

static void admit_waiting(struct inc *inc)
{
    for (size_t i = 0; i < inc->waiting.n; i++) {
        struct waiting *w = inc->waiting.data[i];
        change_input(inc, w->coll, w + 1, w->assert);
        if (w->coll->type->unref)
            w->coll->type->unref(w + 1);
        free(w);
    }
    vec_clear(&inc->waiting);
}

/* --- Settling */

/* What a run reads and emits lies all over the memory: it is asked for while the units before run, each step when what
 * the step before has asked for is there. */
static void prefetch(const struct kind_state *ks)
{
    enum { BOOK = 8, FACTS = 4, DEEP = 2, MOST = 24 };
    size_t left = ks->dirty.n - ks->cursor;
    struct unit *const *next = &ks->dirty.data[ks->cursor];
    if (left > 2 * BOOK)
        __builtin_prefetch(next[2 * BOOK]);
    if (left > BOOK) {
        __builtin_prefetch(next[BOOK]->at);
        __builtin_prefetch(next[BOOK]->book);
        __builtin_prefetch((const char *)next[BOOK]->book + 64);
    }
    if (left > FACTS) {
        const struct unit *unit = next[FACTS];
        for (uint32_t i = 0; i < MIN(unit->n_reads, MOST); i++)
            __builtin_prefetch(unit_reads(unit)[i]);
        for (uint32_t i = 0; i < MIN(unit->n_emits, MOST); i++) {
            __builtin_prefetch(unit_emits(unit)[i]);
            __builtin_prefetch((const char *)unit_emits(unit)[i] + 64);
        }
    }
    if (left > DEEP) {
        const struct unit *unit = next[DEEP];
        for (uint32_t i = 0; i < MIN(unit->n_reads, MOST); i++)
            __builtin_prefetch(unit_reads(unit)[i]->one);
    }
}

/* Runs the dirty units of kind K while BUDGET lasts; false when it is used up. */
enum { DIRTY_KEPT = 1024 }; /* units: after a start, or a full compute, there is room for all */

static bool settle_kind(struct inc *inc, size_t k, size_t *budget)
{
    struct kind_state *ks = &inc->kinds[k];
    if (ks->reach) {
        reach_run(inc, (unsigned)k);
        return true;
    }
    while (ks->cursor < ks->dirty.n) {
        if (!*budget)
            return false;
        if (*budget != SIZE_MAX)
            --*budget;
        prefetch(ks);
        unit_run(inc, ks->dirty.data[ks->cursor++]);
    }
    if (ks->dirty.cap > DIRTY_KEPT)
        vec_fini(&ks->dirty);
    else
        vec_clear(&ks->dirty);
    ks->cursor = 0;
    return true;
}

static void mark_singles(struct inc *inc)
{
    for (size_t k = 0; k < inc->program->kinds.n; k++)
        if (inc->kinds[k].single)
            unit_mark(inc, inc->kinds[k].single);
    inc->mark_index = 0;
    inc->mark_id = 0;
}

/* The units of the key with number ID in an index; NULL: none. */
static struct unit *units_at(const struct inc *inc, const struct inc_index *index, uint32_t id)
{
    if (index->is_self) {
        const struct fact *fact = table_get(&inc->colls[index->coll->id].facts, id);
        return fact && fact->flags & FACT_UNITS ? *fact_units(fact, index) : NULL;
    }
    const struct bucket *bucket = table_get(&inc->indexes[index->id].buckets, id);
    return bucket ? bucket->units : NULL;
}

/* Goes on marking all units, in the order in which their keys were made, while BUDGET lasts; false when it is used up. */
static bool mark_all(struct inc *inc, size_t *budget)
{
    struct inc_program *p = inc->program;
    for (; inc->mark_index < p->indexes.n; inc->mark_index++, inc->mark_id = 0) {
        const struct inc_index *index = p->indexes.data[inc->mark_index];
        const struct table *keys =
            index->is_self ? &inc->colls[index->coll->id].facts : &inc->indexes[index->id].buckets;
        if (!index->kinds.n)
            continue;
        for (; inc->mark_id < keys->n_made; inc->mark_id++) {
            if (!*budget)
                return false;
            if (*budget != SIZE_MAX)
                --*budget;
            for (struct unit *unit = units_at(inc, index, inc->mark_id); unit; unit = unit->next)
                unit_mark(inc, unit);
        }
    }
    return true;
}

bool inc_settle(struct inc *inc, size_t budget)
{
    INVARIANT(!inc->running);
    if (!inc->settling) {
        admit_waiting(inc);
        inc->marking = inc->recompute;
        if (inc->marking)
            mark_singles(inc);
        inc->recompute = false;
        inc->kind = 0;
        inc->settling = true;
    }
    if (inc->marking && !mark_all(inc, &budget))
        return false;
    inc->marking = false;
    for (; inc->kind < inc->program->kinds.n; inc->kind++)
        if (!settle_kind(inc, inc->kind, &budget))
            return false;
    inc->settling = false;
    INVARIANT(!inc->n_dirty);
    return true;
}

bool inc_is_settled(const struct inc *inc)
{
    return !inc->settling && !inc->n_dirty && !inc->waiting.n && !inc->recompute;
}

void inc_recompute(struct inc *inc)
{
    INVARIANT(!inc->running);
    inc->recompute = true;
}
