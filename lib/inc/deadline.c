/* deadline.c - see deadline.h: which deadlines are wanted, which have passed (docs/architecture.md, "time enters as facts").
 *
 * The wanted deadlines that have not passed lie in a binary heap by time. It promises that after inc_deadlines_run the
 * wanted deadlines with a time not after NOW are asserted as passed, and no others. Time that goes back takes none back.
 */
#include "inc/deadline.h"

#include "inc/internal.h"

#include <stdlib.h>

enum { PASSED = -1 };

struct deadline {
    struct hnode hnode; /* by content */
    int64_t at;
    ptrdiff_t pos; /* in the heap, or PASSED */
    char fact[];
};

struct inc_deadlines {
    struct inc *inc;
    const struct inc_coll *wanted, *passed;
    struct hmap all;
    VEC(struct deadline *) heap;
    bool changed;
};

struct inc_deadlines *inc_deadlines_new(struct inc *inc, const struct inc_coll *wanted,
                                        const struct inc_coll *passed)
{
    INVARIANT(wanted->type == passed->type && passed->input &&
              wanted->type->size >= sizeof(int64_t));
    struct inc_deadlines *d = NEW(struct inc_deadlines);
    *d = (struct inc_deadlines){.inc = inc, .wanted = wanted, .passed = passed};
    inc_watch(inc, wanted);
    return d;
}

static void deadline_free(struct inc_deadlines *d, struct deadline *x)
{
    hmap_remove(&d->all, &x->hnode);
    if (d->wanted->type->unref)
        d->wanted->type->unref(x->fact);
    free(x);
}

void inc_deadlines_free(struct inc_deadlines *d)
{
    if (!d)
        return;
    struct deadline *x;
    HMAP_FOR_EACH_SAFE (x, hnode, &d->all)
        deadline_free(d, x);
    hmap_fini(&d->all);
    vec_fini(&d->heap);
    free(d);
}

static void place_at(struct inc_deadlines *d, size_t pos, struct deadline *x)
{
    d->heap.data[pos] = x;
    x->pos = (ptrdiff_t)pos;
}

static void sift_up(struct inc_deadlines *d, size_t pos)
{
    struct deadline *x = d->heap.data[pos];
    for (; pos && d->heap.data[(pos - 1) / 2]->at > x->at; pos = (pos - 1) / 2)
        place_at(d, pos, d->heap.data[(pos - 1) / 2]);
    place_at(d, pos, x);
}

static void sift_down(struct inc_deadlines *d, size_t pos)
{
    struct deadline *x = d->heap.data[pos];
    for (;;) {
        size_t child = pos * 2 + 1;
        if (child >= d->heap.n)
            break;
        if (child + 1 < d->heap.n && d->heap.data[child + 1]->at < d->heap.data[child]->at)
            child++;
        if (d->heap.data[child]->at >= x->at)
            break;
        place_at(d, pos, d->heap.data[child]);
        pos = child;
    }
    place_at(d, pos, x);
}

static void heap_remove(struct inc_deadlines *d, struct deadline *x)
{
    size_t pos = (size_t)x->pos;
    struct deadline *last = vec_pop(&d->heap);
    x->pos = PASSED;
    if (last == x)
        return;
    place_at(d, pos, last);
    sift_up(d, pos);
    sift_down(d, (size_t)last->pos);
}

static void on_wanted(const void *fact, bool added, void *d_)
{
    struct inc_deadlines *d = d_;
    const struct inc_type *type = d->wanted->type;
    uint64_t hash = hash_bytes(fact, type->size, 0);
    struct deadline *x;
    if (added) {
        x = xmalloc(sizeof *x + type->size);
        memcpy(x->fact, fact, type->size);
        memcpy(&x->at, fact, sizeof x->at);
        if (type->ref)
            type->ref(x->fact);
        hmap_insert(&d->all, &x->hnode, hash);
        vec_push(&d->heap, x);
        sift_up(d, d->heap.n - 1);
        return;
    }
    HMAP_FOR_EACH_WITH_HASH (x, hnode, hash, &d->all) {
        if (memcmp(x->fact, fact, type->size))
            continue;
        if (x->pos != PASSED) {
            heap_remove(d, x);
        } else {
            inc_retract(d->inc, d->passed, x->fact);
            d->changed = true;
        }
        deadline_free(d, x);
        return;
    }
    INVARIANT(!"a deadline that is taken back was wanted");
}

bool inc_deadlines_run(struct inc_deadlines *d, int64_t now)
{
    d->changed = false;
    inc_changes(d->inc, d->wanted, on_wanted, d);
    while (d->heap.n && d->heap.data[0]->at <= now) {
        struct deadline *x = d->heap.data[0];
        heap_remove(d, x);
        inc_assert(d->inc, d->passed, x->fact);
        d->changed = true;
    }
    return d->changed;
}

int64_t inc_deadlines_next(const struct inc_deadlines *d)
{
    return d->heap.n ? d->heap.data[0]->at : INT64_MAX;
}
