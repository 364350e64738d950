/* inc.h - the incremental engine: a program over sets of facts that costs what changed, not what
 * exists.
 *
 * Stands in Room 3 of docs/architecture.md. It knows nothing of networks or databases. northd and the
 * controller are programs for it; nobody writes change handlers, and there is no interface for one.
 *
 * The words
 *   fact        a small plain struct of fixed size, compared and hashed by its bytes. Pointers
 * inside must be such that equal content is an equal pointer (interned strings and trees) or be
 * versions that never change (rows). Padding counts as content: clear a fact before filling it
 * (INC_CLEAR). collection  a set of facts of one type. Each fact counts its asserters and is in the
 * set while there is one: the host for inputs, units for derived collections. Its address is stable
 * while it is in the set. index       a key function over a collection; a fact has 0, 1 or more
 * keys. The facts of one key form a bucket. Buckets are what is read. They are sorted by content
 * when read, so that no result depends on history. kind        "for each key of this index run this
 * function". Kinds are declared in order; a kind reads inputs and what earlier kinds have emitted,
 * and declares both what it reads and what it emits. unit        one kind at one key. It exists
 * while its bucket is not empty. It remembers the buckets it has read (an empty bucket too) and the
 * facts it has emitted, and runs again only when one of those buckets has changed. Facts that come
 * out as before stop the wave there.
 *
 * A program in full:
 *
 *     struct prog { struct inc_coll *port, *addr; struct inc_index *port_by_switch; } g;
 *     struct inc_program *p = inc_program_new("example", &g);
 *     g.port = inc_input(p, "port", &port_type);
 *     g.addr = inc_derived(p, "addr", &addr_type);
 *     g.port_by_switch = inc_index_field(p, g.port, "switch", &uuid_type, offsetof(struct port,
 * ls)); inc_kind(p, &(struct inc_kind_def){.name = "addrs", .each = g.port_by_switch, .run =
 * addrs_run, .reads = {g.port}, .emits = {g.addr}}); struct inc *inc = inc_new(p); inc_watch(inc,
 * g.addr); inc_assert(inc, g.port, &port); inc_settle(inc, SIZE_MAX); inc_changes(inc, g.addr,
 * on_addr, NULL);
 *
 *     static void addrs_run(struct inc_ctx *ctx, const void *key, void *aux)
 *     {
 *         struct prog *prog = aux;
 *         const struct port *port;
 *         INC_FOR_EACH (port, inc_read(ctx, prog->port_by_switch, key))
 *             inc_emit(ctx, prog->addr, &(struct addr){...});
 *     }
 *
 * What the engine promises: after inc_settle has returned true, every derived collection is exactly
 * what running every unit once from nothing on the present inputs would give. A full compute is the
 * case where nothing was remembered; there is one code path. inc_verify checks the promise.
 *
 * What a run function promises: it reads only through its context, writes only by emitting, and has
 * no clock, no chance, no globals, no logging. It may use interning pools (they hold no meaning).
 *
 * A declaration (inc_program) is a value apart from the state (inc): several engines may run one
 * program, so handles are declared once and shared by an engine and the one that verifies it. One
 * thread at a time for a program.
 */
#pragma once

#include <string.h>

#include "base/arena.h"
#include "base/str.h"
#include "base/util.h"

struct inc;         /* an engine: the state of one program */
struct inc_program; /* declarations */
struct inc_coll;    /* a declared collection */
struct inc_index;   /* a declared index of a collection */
struct inc_ctx;     /* what a run function works through */

/* The type of the facts of a collection, or of the keys of an index. Static and constant. */
struct inc_type {
    const char *name;
    size_t size; /* bytes; 0 is allowed for keys: then all facts share one bucket */
    /* Order by content, for facts only; must not look at pointer values. NULL: by bytes, for types
     * without pointers in them. Facts that compare equal but differ in bytes are read in no
     * particular order: avoid. */
    int (*compare)(const void *a, const void *b);
    /* Takes and drops a reference on everything that a fact (or key) points to. Called once a fact
     * enters or leaves a collection, once a bucket of a key is made or freed. NULL when nothing is
     * pointed to. */
    void (*ref)(const void *fact);
    void (*unref)(const void *fact);
    void (*print)(const void *fact, struct str *out); /* for people; NULL prints hexadecimal */
};

#define INC_CLEAR(VAR) memset(&(VAR), 0, sizeof(VAR))

/* --- Declaring a program
 * ------------------------------------------------------------------------------------- */

struct inc_program *inc_program_new(const char *name, void *aux);
void inc_program_free(struct inc_program *program); /* after the engines that run it */

/* A collection that the host asserts into. */
struct inc_coll *inc_input(struct inc_program *p, const char *name, const struct inc_type *type);
/* A collection that kinds emit into. */
struct inc_coll *inc_derived(struct inc_program *p, const char *name, const struct inc_type *type);

/* An index whose key is KEY_TYPE->size bytes of the fact at OFFSET (KEY_TYPE->size may be 0). */
struct inc_index *inc_index_field(struct inc_program *p, struct inc_coll *coll, const char *name,
                                  const struct inc_type *key_type, size_t offset);
/* An index with a key function: it calls inc_key_add for each key of FACT; equal keys of one fact
 * count once. It depends on nothing but the fact. AUX is the program's aux. */
struct inc_keys;
typedef void inc_key_fn(const void *fact, struct inc_keys *keys, void *aux);
struct inc_index *inc_index_fn(struct inc_program *p, struct inc_coll *coll, const char *name,
                               const struct inc_type *key_type, inc_key_fn *fn);
void inc_key_add(struct inc_keys *keys, const void *key);
/* An index whose key is the whole fact, for kinds that have a unit for each fact; nobody can read it. It costs next to nothing. */
struct inc_index *inc_index_self(struct inc_program *p, struct inc_coll *coll, const char *name);
/* An index for the host alone, as inc_index_field: it may be looked at (inc_look), but no kind reads it or has units for its keys. It
 * costs a tenth of the others. */
struct inc_index *inc_index_host(struct inc_program *p, struct inc_coll *coll, const char *name,
                                 const struct inc_type *key_type, size_t offset);
/* The bucket of all facts; its key is empty (pass NULL). Made once for a collection, however often
 * it is asked for. */
struct inc_index *inc_index_all(struct inc_program *p, struct inc_coll *coll);

enum { INC_MAX_READS = 32, INC_MAX_EMITS = 16 };

typedef void inc_run_fn(struct inc_ctx *ctx, const void *key, void *aux);

struct inc_kind_def {
    const char *name;
    struct inc_index
        *each; /* a unit for each key; NULL: one unit that always exists (its key is NULL) */
    inc_run_fn *run;
    void *aux; /* handed to RUN; NULL: the program's aux */
    struct inc_coll
        *reads[INC_MAX_READS]; /* ends at the first NULL; the collection of EACH counts as read */
    struct inc_coll *emits[INC_MAX_EMITS]; /* ends at the first NULL */
};

/* Declares the next kind. All kinds that emit a collection must be declared before the first that
 * reads it, and reading or emitting what is not declared is a bug: both abort with the names. */
void inc_kind(struct inc_program *p, const struct inc_kind_def *def);

/* The built-in recursive kind, declared in order like the others: OUT holds every node that can be
 * reached from a root over edges. A node is NODE_SIZE bytes (at most INC_MAX_NODE), found at
 * ROOT_OFFSET in facts of ROOTS, at FROM_OFFSET and TO_OFFSET in facts of EDGES, and is the whole
 * of a fact of OUT. Correct when edges and roots go, cycles or not; costs what is affected. Nodes
 * may not hold counted pointers (type of OUT without ref). */
enum { INC_MAX_NODE = 32 };
struct inc_reach_def {
    const char *name;
    struct inc_coll *roots, *edges, *out;
    size_t node_size, root_offset, from_offset, to_offset;
};
void inc_reach(struct inc_program *p, const struct inc_reach_def *def);

/* --- Inside a run function
 * ----------------------------------------------------------------------------------- */

/* The facts of one bucket, in content order. Valid until the run function returns. */
struct inc_facts {
    const void *const *v;
    size_t n;
};

/* for each fact of a struct inc_facts (evaluated once): VAR is a pointer to const fact */
#define INC_FOR_EACH(VAR, FACTS)                                                                   \
    for (struct inc_facts VAR##_f_ = (FACTS), *VAR##_p_ = &VAR##_f_;                               \
         VAR##_p_->n && ((VAR) = *VAR##_p_->v, true); VAR##_p_->v++, VAR##_p_->n--)

/* Reads a bucket and depends on it, also when it is empty. KEY is of the index's key type. */
struct inc_facts inc_read(struct inc_ctx *ctx, const struct inc_index *index, const void *key);
/* The first fact of a bucket, or NULL. */
const void *inc_read_one(struct inc_ctx *ctx, const struct inc_index *index, const void *key);

/* Emits a copy of FACT. The collection takes references of its own (type->ref). */
void inc_emit(struct inc_ctx *ctx, const struct inc_coll *coll, const void *fact);
/* The same, but hands the caller's references on FACT's contents to the collection. */
void inc_emit_take(struct inc_ctx *ctx, const struct inc_coll *coll, const void *fact);

/* What the last run emitted in the place that the next emission takes, if that is a fact of COLL, else NULL: a guess at what the run is about to
 * intern again, which is cheaper to compare with than to look up. Nothing else may depend on it. */
const void *inc_emitted_before(const struct inc_ctx *ctx, const struct inc_coll *coll);

/* Memory until the run function returns. */
struct arena *inc_arena(struct inc_ctx *ctx);

/* --- The host
 * ------------------------------------------------------------------------------------------------
 */

/* Checks PROGRAM (aborts on a wrong one), which must not be changed from now on. */
struct inc *inc_new(struct inc_program *program);
void inc_free(struct inc *inc);

/* One more (less) assertion of FACT in an input collection. Retracting what is not asserted is a
 * bug. While a settle has yielded they wait for the next one. Copies FACT; references are the
 * collection's own. */
void inc_assert(struct inc *inc, const struct inc_coll *input, const void *fact);
void inc_retract(struct inc *inc, const struct inc_coll *input, const void *fact);

/* Runs dirty units, kinds in order, at most BUDGET of them (SIZE_MAX: no limit). True: everything
 * is settled, also the inputs that had to wait. False: call again. */
bool inc_settle(struct inc *inc, size_t budget);
/* Nothing to do, nothing waits. */
bool inc_is_settled(const struct inc *inc);

/* From now on remember how COLL differs from what inc_changes last told. There is one reader a
 * collection; its first look tells all facts as added. Call before the first assertion. */
void inc_watch(struct inc *inc, const struct inc_coll *coll);
/* Calls FN for each fact that has gone and then for each that has come since the last look, net, in
 * no order. Only between settles (inc_is_settled, or before the first). FN may assert and retract.
 */
typedef void inc_change_fn(const void *fact, bool added, void *aux);
void inc_changes(struct inc *inc, const struct inc_coll *watched, inc_change_fn *fn, void *aux);
/* Whether inc_changes would tell anything. */
bool inc_has_changes(const struct inc *inc, const struct inc_coll *watched);
/* The same difference grouped by the keys of an index of a watched collection: one call a key that
 * gained or lost facts, in no order of keys. NOW is the number of facts the bucket has at present,
 * so NOW - n_added + n_removed is what it had. The cost is that of the difference, not of the
 * buckets. */
struct inc_key_change {
    const void *key;
    const void *const *removed, *const *added;
    size_t n_removed, n_added, now;
};
typedef void inc_key_change_fn(const struct inc_key_change *change, void *aux);
void inc_changes_by_key(struct inc *inc, const struct inc_index *index, inc_key_change_fn *fn,
                        void *aux);

/* Looking at settled state from outside (not while a settle has yielded). What a host index gives is valid until the next look. */
struct inc_facts inc_look(struct inc *inc, const struct inc_index *index, const void *key);
bool inc_has(const struct inc *inc, const struct inc_coll *coll, const void *fact);
size_t inc_count(const struct inc *inc, const struct inc_coll *coll);
void inc_for_each(const struct inc *inc, const struct inc_coll *coll,
                  void (*fn)(const void *fact, void *aux), void *aux); /* no order */

/* Builds a second engine with the same inputs, settles it and compares every collection. True: all
 * equal. False: REPORT (not NULL) gets the first differences, a line each. Only when settled. */
bool inc_verify(struct inc *inc, struct str *report);

/* Every unit runs again in the next settle (the one after, if one has yielded). Watchers see only what comes out
 * differently. */
void inc_recompute(struct inc *inc);

struct inc_kind_stats {
    const char *name;
    size_t units;         /* that exist */
    uint64_t runs, emits; /* since the start */
    uint64_t cutoffs;     /* runs that emitted just what they had emitted before */
};
size_t inc_n_kinds(const struct inc *inc);
struct inc_kind_stats inc_kind_stats(const struct inc *inc, size_t kind);
/* Bytes held by the engine: facts, buckets, units, tables (not what facts point to). */
size_t inc_memory(const struct inc *inc);
/* A table of the statistics for people: kinds, collections, memory. */
void inc_print_stats(const struct inc *inc, struct str *out);
