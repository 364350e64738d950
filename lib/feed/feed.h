/* feed.h - the tables of a replica as input collections of the incremental engine.
 *
 * Stands between rooms 1 and 2 of docs/architecture.md. A table becomes a collection of rows, one fact a row, whose
 * content is the version of the row: a changed row is another fact. Elements of set and map columns that may be large
 * become facts of their own (row, element), so that one address in ten thousand is one fact.
 *
 *     static, once                        p->lsp = inc_input(program, "Logical_Switch_Port", &feed_row_type);
 *                                         p->lsp_uuid = inc_index_field(program, p->lsp, "uuid", &feed_uuid_type,
 *                                                                       offsetof(struct feed_row, uuid));
 *     at start                            feed = feed_new(inc, replica, &pool);
 *                                         feed_rows(feed, p->lsp, "Logical_Switch_Port");
 *                                         feed_start(feed);
 *
 * From then on every transaction that reaches the replica is asserted and retracted, and the host is told to settle.
 * Strings in facts are interned in the pool that the host gives, so that equal texts are equal pointers.
 */
#pragma once

#include "inc/inc.h"
#include "replica/replica.h"

/* A row of a table: the collection's type is feed_row_type. Read in order of uuid. */
struct feed_row {
    struct uuid uuid;
    const struct row *row;
};
/* An element of a set of uuids (references): feed_ref_type. In order of row, element. */
struct feed_ref {
    struct uuid row, to;
};
/* An element of a set of strings: feed_text_type. */
struct feed_text {
    struct uuid row;
    const struct rstr *text;
};
/* An element of a set of integers: feed_integer_type. */
struct feed_integer {
    struct uuid row;
    int64_t integer;
};
/* A pair of a map from strings to strings: feed_pair_type. */
struct feed_pair {
    struct uuid row;
    const struct rstr *key, *value;
};

extern const struct inc_type feed_row_type, feed_ref_type, feed_text_type, feed_integer_type,
    feed_pair_type;
/* Key types: a uuid, and an interned string (const struct rstr *). */
extern const struct inc_type feed_uuid_type, feed_name_type;

struct feed;

/* All are borrowed and must outlive the feed. */
struct feed *feed_new(struct inc *inc, struct replica *replica, struct rstr_pool *pool);
/* Takes its facts back and lets go of the replica's observer. */
void feed_free(struct feed *feed);
/* COLL gets the rows of TABLE, which must exist in the local schema. */
void feed_rows(struct feed *feed, const struct inc_coll *coll, const char *table);
/* COLL gets the elements of a set of uuids, strings or integers, or the pairs of a map from strings to strings; its
 * type must be the one above that fits. */
void feed_elements(struct feed *feed, const struct inc_coll *coll, const char *table,
                   const char *column);
/* Asserts what the replica holds, and takes its observer. CHANGED (may be NULL) is called after each transaction has
 * been fed (not from inside feed_start). */
void feed_start(struct feed *feed, void (*changed)(void *aux, const struct changeset *cs),
                void *aux);
/* Feeds CS, whose rows the replica has before it, as if it had happened; with HAPPENED false takes that back. The host settles after
 * each, and nothing else is fed between. */
void feed_suppose(struct feed *feed, const struct changeset *cs, bool happened);
