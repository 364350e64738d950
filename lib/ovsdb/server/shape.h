/* shape.h - what a monitor shows: tables, columns, conditions, kinds of change.
 *
 * Monitors of different sessions that ask for the same share one shape, so that the text of an
 * update is made once. Immutable but for the reference count and the list of monitors: a changed
 * condition is another shape.
 */
#pragma once

#include "base/hmap.h"
#include "base/list.h"
#include "schema/filter.h"
#include "store/store.h"

enum { SELECT_INITIAL = 1, SELECT_INSERT = 2, SELECT_DELETE = 4, SELECT_MODIFY = 8 };

/* The three forms of update notifications. */
enum monitor_version { MONITOR_V1 = 1, MONITOR_V2, MONITOR_V3 };

struct row_index;

struct shape_column {
    const struct schema_column *column;
    unsigned select;
};

struct shape_table {
    const struct schema_table *table;
    unsigned select; /* of any column */
    size_t n;
    struct shape_column *columns;
    struct filter *filter;  /* which rows */
    struct condition where; /* while it is parsed: the clauses of filter */
};

struct shape {
    struct hnode node; /* in server_db.shapes, by hash of key */
    unsigned refs;
    enum monitor_version version; /* V3 has the texts of V2: they share shapes */
    const struct schema *schema;
    char *key;                   /* equal shapes have equal keys */
    struct shape_table **tables; /* schema->n_tables; NULL: not monitored */
    struct list monitors;        /* struct monitor, by shape_node */
    struct list keys;            /* struct shape_key: how shape_index.h finds it */
    bool is_touched;             /* while it is looked for */
    struct snapshot *snapshot;   /* of the told state, while somebody reads it; not a reference */
};

/* Parses the requests of a monitor method. NULL with ERROR. One reference. */
struct shape *shape_from_json(const struct schema *schema, enum monitor_version version,
                              const json_t *requests, struct op_error *error);
/* SHAPE with the conditions that REQUESTS of monitor_cond_change give. NULL with ERROR. */
struct shape *shape_with_conditions(const struct shape *shape, const json_t *requests,
                                    struct op_error *error);
void shape_free(struct shape *shape);
static inline struct shape *shape_ref(struct shape *shape)
{
    shape->refs++;
    return shape;
}

/* Texts (shape_text.c): table-updates objects. The last two return false, leaving OUT alone, when
 * there is nothing to tell. */
/* Of initial contents, the part that begins with row FIRST and ends when LIMIT bytes are reached: the
 * index behind its last row. The parts of N rows, grouped by table, are one object. */
size_t shape_put_rows(const struct shape *shape, const struct row *const *rows, size_t n,
                      size_t first, size_t limit, struct str *out);
bool shape_put_changes(const struct shape *shape, size_t n, const struct change *changes,
                       struct str *out);
/* What changes for a monitor of BEFORE that becomes one of AFTER. */
bool shape_put_transition(const struct shape *before, const struct shape *after,
                          const struct store *store, struct row_index *index, struct str *out);
