/* internal.h - the parts of the engine as they know each other; see inc.h for the words.
 *
 * Private to lib/inc. The files: program.c (declarations), fact.c (collections), bucket.c (indexes and who reads
 * what), lookup.c (indexes for the host), engine.c (units and settling), reach.c (the recursive kind), watch.c (the host's look), mark.c, verify.c, stats.c.
 */
#pragma once

#include "base/hash.h"
#include "base/hmap.h"
#include "base/pool.h"
#include "base/vec.h"
#include "inc/inc.h"
#include "inc/table.h"

/* --- Declarations: constant once an engine runs them */

struct inc_coll {
    struct inc_program *program;
    const char *name;
    const struct inc_type *type;
    unsigned id;
    bool input;
    struct inc_index *all;           /* NULL until asked for */
    VEC(struct inc_index *) indexes; /* with buckets */
    VEC(struct inc_index *) lookups; /* for the host alone */
    VEC(unsigned) reaches;           /* kinds that take it as roots or edges */
};

struct inc_index {
    struct inc_coll *coll;
    const char *name;
    const struct inc_type *key_type;
    unsigned id;
    unsigned slot;  /* which of the collection's indexes */
    inc_key_fn *fn; /* NULL: the bytes at offset */
    size_t offset;
    bool is_self;        /* its keys are the facts: units lie at these, there are no buckets */
    bool is_lookup;      /* for the host alone: no buckets */
    VEC(unsigned) kinds; /* that have a unit for each of its keys */
};

struct kind {
    struct inc_kind_def def; /* of a reach only the name is set */
    struct inc_reach_def reach;
    bool is_reach;
    bool *can_read, *can_emit; /* by collection id; made by inc_new */
};

struct inc_program {
    const char *name;
    void *aux;
    bool sealed;
    VEC(struct inc_coll *) colls;
    VEC(struct inc_index *) indexes;
    VEC(struct kind *) kinds;
};

/* --- State */

/* Where a fact is in a bucket. */
struct place {
    struct bucket *bucket;
    uint32_t pos; /* in the bucket's facts */
};

/* Of a fact with none or several keys in an index. */
struct places {
    uint32_t n;
    struct place v[];
};

enum { PLACES_MANY = UINT32_MAX }; /* as a position: there is a struct places */

enum {
    FACT_LOGGED = 1,  /* in the log of a watched collection */
    FACT_WAS = 2,     /* it was in the set when the host last looked; only with FACT_LOGGED */
    FACT_PINNED = 4,  /* the host is being told about it */
    FACT_UNITS = 8,   /* it is the key of units (inc_index_self) */
    FACT_MARKED = 16, /* by the host (mark.h) */
    FACT_KEPT = FACT_LOGGED | FACT_PINNED | FACT_UNITS,
};

/* A fact in a table: this header; for each index with buckets where it is in them, first all pointers, then all positions; the content. */
struct fact {
    struct table_item item;
    uint32_t count; /* asserters; 0: not in the set (just emitted, or logged) */
    uint16_t coll;
    uint16_t flags;
};

struct reader {
    uint32_t unit; /* its number */
    uint32_t edge; /* which of its reads */
};

struct readers { /* of a bucket that had several */
    uint32_t cap, pad;
    struct reader v[];
};

struct entries {       /* of a bucket that has several facts */
    uint32_t len, cap; /* entries in use with holes */
    uint32_t sorted;   /* this many first entries are in order */
    uint32_t pad;
    const void *v[];
};

/* The key follows. There are as many as there are keys, so that what most do not need lies apart. */
struct bucket {
    struct table_item item;
    uint16_t index;
    bool notified;             /* every reader is dirty already */
    bool is_many, has_readers; /* entries is set, readers is */
    uint32_t n;                /* facts */
    uint32_t n_readers,
        stamp; /* of the last run that read it, or the last fact that was put into it */
    union {
        const void *one; /* NULL: none */
        struct entries *entries;
    };
    union {
        struct reader reader;
        struct readers *readers;
    };
    struct unit *units; /* at this key */
};

struct edge {
    struct bucket *bucket;
    uint32_t pos; /* in the bucket's readers */
};

struct unit {
    void *at; /* bucket, or fact of an index of facts themselves; NULL: a kind without keys */
    struct unit *next; /* at the same bucket; of a free unit: the next free one */
    void
        *book; /* the buckets it reads, the facts it emits, its positions in the buckets' readers */
    uint32_t n_reads, n_emits;
    uint32_t number; /* in inc->units */
    uint16_t kind;
    bool dirty;
};

enum { UNIT_PAGE_BITS = 8, UNIT_PAGE = 1 << UNIT_PAGE_BITS };

struct coll_state {
    struct table facts;
    size_t n;           /* facts in the set */
    size_t fact_size;   /* content */
    uint32_t content;   /* its offset in struct fact */
    uint32_t n_indexes; /* with buckets */
    bool watched;
    VEC(struct fact *) log;
};

struct index_state {
    struct table buckets;
    struct lookup { /* of an index for the host: facts by the hash of their key */
        struct table_slot *slots;
        uint32_t mask, n;
    } lookup;
};

struct kind_state {
    VEC(struct unit *) dirty;
    size_t cursor; /* those before have run */
    size_t units;
    uint64_t runs, emits, cutoffs;
    struct unit *single; /* of a kind without keys */
    struct reach *reach;
};

struct waiting { /* an input that arrived while a settle had yielded; the fact follows in memory */
    const struct inc_coll *coll;
    bool assert;
};

struct inc_ctx {
    struct inc *inc;
    const struct kind *kind;
    struct unit *unit;
    void *aux;
    uint32_t stamp;
    size_t cursor;     /* reads confirmed so far */
    bool reads_others; /* than the unit's book says */
    VEC(struct edge) reads;
    VEC(struct fact *) emits;
    struct arena arena;
};

struct inc {
    struct inc_program *program;
    struct coll_state *colls;
    struct index_state *indexes;
    struct kind_state *kinds;
    struct pool pool;
    struct inc_ctx ctx;
    VEC(struct unit *) units; /* pages of UNIT_PAGE */
    size_t n_units;           /* ever made */
    struct unit *free_unit;
    uint32_t stamp;
    size_t n_dirty; /* units in all kinds, and reaches with something queued */
    size_t kind;    /* where a settle that yielded goes on */
    bool settling;  /* a settle has yielded */
    bool recompute; /* inc_recompute was asked meanwhile: the next settle begins with it */
    bool marking;   /* all units are being marked: so far those of the buckets before mark_id */
    size_t mark_index;
    uint32_t mark_id;
    bool running;     /* in a run function */
    uint64_t changes; /* facts that entered or left a set, ever */
    VEC(struct waiting *) waiting;
    VEC(struct place) key_places; /* scratch of fact_enter */
    VEC(const void *) tail;       /* scratch of bucket_sort */
    VEC(const void *) looked;     /* what a host index gave last */
};

struct inc_keys {
    struct inc *inc;
    const struct inc_index *index;
    struct fact *fact;
    uint32_t stamp;
    struct key_collector *collector; /* not NULL: only collect the keys (watch.c) */
};

static inline uint32_t bytes_hash(const void *p, size_t n)
{
    if (n == 8) {
        uint64_t w;
        memcpy(&w, p, 8);
        return (uint32_t)hash_u64(w, 0x51ed);
    }
    return (uint32_t)hash_bytes(p, n, 0);
}

static inline void *fact_content(const struct coll_state *cs, const struct fact *fact)
{
    return (char *)(uintptr_t)fact + cs->content;
}

static inline struct fact *fact_of(const struct coll_state *cs, const void *content)
{
    return (struct fact *)(void *)((char *)(uintptr_t)content - cs->content);
}

/* What fact has for the index at SLOT: a bucket, or a struct places (or NULL) when its position is PLACES_MANY. */
static inline void **fact_place(const struct fact *fact, unsigned slot)
{
    return (void **)(void *)((char *)(uintptr_t)fact + sizeof *fact) + slot;
}

static inline uint32_t *fact_pos(const struct coll_state *cs, const struct fact *fact,
                                 unsigned slot)
{
    return (uint32_t *)(void *)fact_place(fact, cs->n_indexes) + slot;
}

/* The fact's position in BUCKET, which is one of those of the index at SLOT. */
static inline uint32_t *fact_pos_in(const struct coll_state *cs, const struct fact *fact,
                                    unsigned slot, const struct bucket *bucket)
{
    uint32_t *pos = fact_pos(cs, fact, slot);
    if (*pos != PLACES_MANY)
        return pos;
    struct place *place = ((struct places *)*fact_place(fact, slot))->v;
    while (place->bucket != bucket)
        place++;
    return &place->pos;
}

/* The units whose key the fact is, in an index of facts themselves. */
static inline struct unit **fact_units(const struct fact *fact, const struct inc_index *index)
{
    return (struct unit **)fact_place(fact, index->slot);
}

static inline struct unit *unit_numbered(const struct inc *inc, uint32_t number)
{
    return &inc->units.data[number >> UNIT_PAGE_BITS][number & (UNIT_PAGE - 1)];
}

static inline struct bucket **unit_reads(const struct unit *unit)
{
    return unit->book;
}

static inline struct fact **unit_emits(const struct unit *unit)
{
    return (struct fact **)((void **)unit->book + unit->n_reads);
}

static inline uint32_t *unit_pos(const struct unit *unit)
{
    return (uint32_t *)((void **)unit->book + unit->n_reads + unit->n_emits);
}

static inline void *bucket_key(const struct bucket *bucket)
{
    return (struct bucket *)(uintptr_t)bucket + 1;
}

/* fact.c */
void coll_init(struct inc *inc, const struct inc_coll *coll);
void coll_fini(struct inc *inc, const struct inc_coll *coll);
/* Finds or makes the fact; TAKE hands over the references of CONTENT. */
struct fact *fact_intern(struct inc *inc, const struct inc_coll *coll, const void *content,
                         bool take);
void fact_add(struct inc *inc, struct fact *fact, uint32_t count);
void fact_drop(struct inc *inc, struct fact *fact);
void fact_free(struct inc *inc, struct fact *fact);

/* bucket.c */
void index_init(struct inc *inc, const struct inc_index *index);
void index_fini(struct inc *inc, const struct inc_index *index);
struct bucket *bucket_get(struct inc *inc, const struct inc_index *index, const void *key);
struct bucket *bucket_find(const struct inc *inc, const struct inc_index *index, const void *key);
void bucket_gone(struct inc *inc, struct bucket *bucket); /* frees it when nothing needs it */
void bucket_sort(struct inc *inc, struct bucket *bucket); /* orders it and closes its holes */
const void **bucket_facts(struct bucket *bucket);
uint32_t bucket_len(const struct bucket *bucket); /* entries, with holes */
uint32_t bucket_insert(struct inc *inc, struct bucket *bucket, const void *content);
void bucket_delete(struct inc *inc, struct bucket *bucket, uint32_t pos);
uint32_t bucket_add_reader(struct inc *inc, struct bucket *bucket, struct unit *unit,
                           uint32_t edge);
void bucket_remove_reader(struct inc *inc, struct bucket *bucket, uint32_t pos);

/* lookup.c */
void lookup_fini(struct inc *inc, const struct inc_index *index);
void lookup_enter(struct inc *inc, const struct inc_index *index, const struct fact *fact);
void lookup_leave(struct inc *inc, const struct inc_index *index, const struct fact *fact);
/* The facts of KEY in order, in inc->looked. */
struct inc_facts lookup_find(struct inc *inc, const struct inc_index *index, const void *key);
size_t lookup_memory(const struct inc *inc, const struct inc_index *index);

/* engine.c */
/* There is a key for the kinds of INDEX: makes units in the list at UNITS, or runs those again that were about to end. */
void units_make(struct inc *inc, const struct inc_index *index, struct unit **units, void *at);
uint32_t inc_new_stamp(struct inc *inc); /* one that no bucket has */
void unit_make_single(struct inc *inc, unsigned kind);
void unit_mark(struct inc *inc, struct unit *unit);

/* watch.c */
void inc_keys_collect(struct inc_keys *keys, const void *key);

/* reach.c */
struct reach *reach_new(const struct inc_reach_def *def);
void reach_free(struct inc *inc, struct reach *reach);
void reach_changed(struct inc *inc, unsigned kind, const struct inc_coll *coll, const void *content,
                   bool added);
void reach_run(struct inc *inc, unsigned kind);
size_t reach_memory(const struct reach *reach);
