/* signature.c - see signature.h. */
#include "switchd/signature.h"

#include <stdlib.h>
#include <string.h>

#include "switchd/megaflow.h"

_Static_assert(sizeof(struct signature_bucket) == 64, "a bucket is one cache line");
_Static_assert(sizeof(struct course_part) == 64, "so is a part of a course");

enum {
    N_COURSES = SIGNATURE_BUCKETS * SIGNATURE_WAYS,
    BUCKETS_SIZE = SIGNATURE_BUCKETS * sizeof(struct signature_bucket),
    COURSES_SIZE = N_COURSES * sizeof(struct course_part)
};

/* So many bytes of zeros cost nothing until they are written. */
void signatures_init(struct signatures *s, size_t *n_dead)
{
    *s = (struct signatures){.n_dead = n_dead};
    s->memory = xcalloc(1, BUCKETS_SIZE + COURSE_PARTS * COURSES_SIZE + 64);
    char *at = (char *)(((uintptr_t)s->memory + 63) & ~(uintptr_t)63);
    s->buckets = (void *)at;
    at += BUCKETS_SIZE;
    for (unsigned part = 0; part < COURSE_PARTS; part++, at += COURSES_SIZE)
        s->courses[part] = (void *)at;
}

static uint32_t signature(uint64_t hash)
{
    return (uint32_t)(hash >> 32);
}

static uint32_t part_bit(unsigned part, unsigned way)
{
    return 1u << (part * SIGNATURE_WAYS + way);
}

/* NULL: it is not in use. */
static struct course_part *course_part(const struct signatures *s, const struct signature_bucket *b,
                                       unsigned way, unsigned part)
{
    return b->courses & part_bit(part, way)
               ? &s->courses[part][(size_t)(b - s->buckets) * SIGNATURE_WAYS + way]
               : NULL;
}

/* ---- references ---- */

/* Several threads may do this at once: of a flow that is dead one is the last. */
static void unref(struct signatures *s, struct megaflow *flow)
{
    if (!flow || __atomic_sub_fetch(&flow->n_signatures, 1, __ATOMIC_ACQ_REL) || flow->refs)
        return;
    (void)__atomic_fetch_sub(s->n_dead, 1, __ATOMIC_RELAXED);
    free(flow);
}

static void ref(struct megaflow *flow)
{
    (void)__atomic_fetch_add(&flow->n_signatures, 1, __ATOMIC_RELAXED);
}

static void course_clear(struct signatures *s, struct signature_bucket *b, unsigned way)
{
    for (unsigned part = 0; part < COURSE_PARTS; part++) {
        struct course_part *t = course_part(s, b, way, part);
        for (unsigned i = 0; t && i < COURSE_PART; i++)
            unref(s, t->flow[i]);
        if (t)
            memset(t, 0, sizeof *t);
        b->courses &= ~part_bit(part, way);
    }
}

static void clear(struct signatures *s, struct signature_bucket *b, unsigned way)
{
    course_clear(s, b, way);
    unref(s, b->flow[way]);
    b->flow[way] = NULL;
}

static void course_forget_dead(struct signatures *s, struct signature_bucket *b, unsigned way)
{
    for (unsigned part = 0; part < COURSE_PARTS; part++) {
        struct course_part *t = course_part(s, b, way, part);
        for (unsigned i = 0; t && i < COURSE_PART; i++) {
            if (t->flow[i] && !t->flow[i]->table)
                signatures_leave_flow(s, &t->flow[i], NULL);
        }
    }
}

void signatures_forget_dead(struct signatures *s, unsigned n_buckets)
{
    for (unsigned n = 0; n < n_buckets && *s->n_dead; n++) {
        struct signature_bucket *b = &s->buckets[s->dead_cursor++ % SIGNATURE_BUCKETS];
        for (unsigned way = 0; way < SIGNATURE_WAYS; way++) {
            if (b->flow[way] && !b->flow[way]->table)
                clear(s, b, way);
            else if (b->courses)
                course_forget_dead(s, b, way);
        }
    }
}

void signatures_fini(struct signatures *s)
{
    for (unsigned i = 0; i < SIGNATURE_BUCKETS; i++) {
        for (unsigned way = 0; way < SIGNATURE_WAYS; way++)
            clear(s, &s->buckets[i], way);
    }
    free(s->memory);
}

/* ---- the way of a packet ---- */

static void begin_walk(struct signatures *s, struct signature_bucket *b, unsigned way)
{
    s->walk.bucket = b;
    s->walk.way = way;
    s->walk.n_flows = s->walk.n_conns = 0;
}

struct megaflow *signatures_find(struct signatures *s, const struct flow_key *key, uint64_t hash,
                                 bool begin)
{
    struct signature_bucket *b = &s->buckets[hash % SIGNATURE_BUCKETS];
    for (unsigned way = 0; way < SIGNATURE_WAYS; way++) {
        struct megaflow *flow = b->flow[way];
        if (b->sig[way] != signature(hash) || !flow || !megaflow_answers(flow, key))
            continue;
        if (begin)
            begin_walk(s, b, way);
        return flow;
    }
    return NULL;
}

void signatures_put(struct signatures *s, uint64_t hash, struct megaflow *flow, bool begin)
{
    struct signature_bucket *b = &s->buckets[hash % SIGNATURE_BUCKETS];
    unsigned way = b->next;
    for (unsigned i = 0; i < SIGNATURE_WAYS; i++) {
        if (!b->flow[i] || !b->flow[i]->table || b->sig[i] == signature(hash))
            way = i;
    }
    if (way == b->next)
        b->next = (b->next + 1) % SIGNATURE_WAYS;
    ref(flow);
    clear(s, b, way);
    b->flow[way] = flow;
    b->sig[way] = signature(hash);
    if (begin)
        begin_walk(s, b, way);
}

/* The part that holds the I-th of either, which is in use from now on; NULL: the course is not so long. */
static struct course_part *next_part(struct signatures *s, unsigned i)
{
    unsigned part = i / COURSE_PART, way = s->walk.way;
    struct signature_bucket *b = s->walk.bucket;
    if (!b || part >= COURSE_PARTS)
        return NULL;
    if (!(b->courses & part_bit(part, way)))
        b->courses |= part_bit(part, way);
    return course_part(s, b, way, part);
}

struct megaflow **signatures_next_flow(struct signatures *s)
{
    struct course_part *t = next_part(s, s->walk.n_flows);
    return t ? &t->flow[s->walk.n_flows++ % COURSE_PART] : NULL;
}

struct ct_hint *signatures_next_conn(struct signatures *s)
{
    struct course_part *t = next_part(s, s->walk.n_conns);
    return t ? &t->conn[s->walk.n_conns++ % COURSE_PART] : NULL;
}

void signatures_leave_flow(struct signatures *s, struct megaflow **at, struct megaflow *flow)
{
    struct megaflow *before = *at;
    if (flow)
        ref(flow);
    *at = flow;
    unref(s, before);
}

/* ---- fetching ahead ---- */

/* -1: none. */
static int way_of(const struct signature_bucket *b, uint64_t hash)
{
    for (unsigned way = 0; way < SIGNATURE_WAYS; way++) {
        if (b->sig[way] == signature(hash) && b->flow[way])
            return (int)way;
    }
    return -1;
}

bool signatures_prefetch_flow(const struct signatures *s, uint64_t hash)
{
    const struct signature_bucket *b = &s->buckets[hash % SIGNATURE_BUCKETS];
    int way = way_of(b, hash);
    if (way < 0)
        return false;
    const char *flow = (const char *)b->flow[way];
    __builtin_prefetch(flow);
    __builtin_prefetch(flow + 64);
    __builtin_prefetch(flow + 128);
    __builtin_prefetch(flow + 192);
    bool any = false;
    for (unsigned part = 0; part < COURSE_PARTS; part++) {
        const struct course_part *t = course_part(s, b, (unsigned)way, part);
        any |= t != NULL;
        if (t)
            __builtin_prefetch(t);
    }
    return any;
}

void signatures_prefetch_course(const struct signatures *s, uint64_t hash)
{
    const struct signature_bucket *b = &s->buckets[hash % SIGNATURE_BUCKETS];
    int way = way_of(b, hash);
    for (unsigned part = 0; way >= 0 && part < COURSE_PARTS; part++) {
        const struct course_part *t = course_part(s, b, (unsigned)way, part);
        for (unsigned i = 0; t && i < COURSE_PART; i++) {
            if (t->conn[i].end)
                conntrack_prefetch(t->conn[i]);
        }
    }
}
