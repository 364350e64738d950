/* op.h - the operations of a transaction as values (RFC 7047 section 5.2).
 *
 * One form for everyone: the server parses JSON into it (ops_from_json), a program in the same
 * process builds it directly, a client prints it as JSON (ops_to_json). lib/store executes it.
 * Named uuids are gone here: parsing replaces each name by a fresh uuid, and the insert that
 * declares the name carries it.
 */
#pragma once

#include "schema/row.h"

enum clause_function {
    FN_EQ,
    FN_NE,
    FN_LT,
    FN_LE,
    FN_GT,
    FN_GE,
    FN_INCLUDES,
    FN_EXCLUDES,
    FN_TRUE,
    FN_FALSE
};

struct clause {
    enum clause_function function;
    const struct schema_column *column; /* NULL for FN_TRUE and FN_FALSE; may be _uuid */
    const struct datum *arg;
};

/* All clauses must hold in an operation ("and"); in a monitor any one ("or"). No clause: always
 * true. */
struct condition {
    size_t n;
    struct clause *clauses;
};

enum mutator {
    MUTATE_ADD,
    MUTATE_SUB,
    MUTATE_MUL,
    MUTATE_DIV,
    MUTATE_MOD,
    MUTATE_INSERT,
    MUTATE_DELETE
};

struct mutation {
    const struct schema_column *column;
    enum mutator mutator;
    const struct datum *arg;
};

struct column_value {
    const struct schema_column *column;
    const struct datum *value;
};

enum op_kind {
    OP_INSERT,
    OP_SELECT,
    OP_UPDATE,
    OP_MUTATE,
    OP_DELETE,
    OP_WAIT,
    OP_COMMIT,
    OP_ABORT,
    OP_COMMENT,
    OP_ASSERT
};

struct op {
    enum op_kind kind;
    const struct schema_table *table;
    struct condition where;
    struct uuid uuid; /* insert: the new row's */
    bool has_uuid;    /* insert: chosen by the client, must be new; else any fresh one */
    size_t n_values;  /* insert, update: the row */
    struct column_value *values;
    size_t n_mutations;
    struct mutation *mutations;
    bool all_columns; /* select and wait: no "columns" given */
    size_t n_columns;
    const struct schema_column **columns;
    bool until_equal; /* wait */
    size_t n_rows;    /* wait: rows to compare with, each a list of values */
    struct wait_row {
        size_t n;
        struct column_value *values;
    } * rows;
    int64_t timeout_ms; /* wait: -1 is for ever */
    bool durable;       /* commit */
    char *text;         /* comment, or lock name of assert */
};

/* A parsed transaction. When operation K cannot be parsed, ops holds the K before it, parse_error
 * its error: the ones before are executed and then it is reported in place K. */
struct ops {
    size_t n;
    struct op *ops;
    size_t n_requested; /* operations in the request: results are padded with null up to it */
    struct op_error {
        char *error, *details, *syntax; /* error NULL: no error */
    } parse_error;
};

/* PARAMS is the params array of "transact"; operations begin at params[1]. Never fails as a whole.
 * ENV makes the fresh uuids. */
struct ops *ops_from_json(const struct schema *schema, const json_t *params, struct env *env);
/* As a params array: [db, op...]. */
json_t *ops_to_json(const struct schema *schema, const struct ops *ops);
void ops_free(struct ops *ops);
void op_fini(struct op *op);
void op_error_fini(struct op_error *error);
/* Fills ERROR (may be NULL) with tag, optional offending JSON and a sentence, replacing what was
 * there. Returns the ERR_ code that goes with the tag. */
int op_error_set(struct op_error *error, const char *tag, const json_t *syntax, const char *format,
                 ...) PRINTF_FORMAT(4, 5);
json_t *op_error_to_json(const struct op_error *error); /* {"error":..,"details":..,"syntax":..} */

/* Like datum_from_json, with the error as a client sees it. */
int value_from_json(const struct column_type *type, const json_t *json, struct symbol_source *names,
                    const struct datum **ret, struct op_error *error) MUST_CHECK;
/* Like schema_from_json, in the words that clients of ovsdb-server know. */
int schema_parse(const json_t *json, struct schema **ret, struct op_error *error) MUST_CHECK;
int condition_from_json(const struct schema_table *table, const json_t *json, struct condition *ret,
                        struct op_error *error) MUST_CHECK;
json_t *condition_to_json(const struct condition *condition);
/* The same as text: a condition of a thousand clauses is no tree of ten thousand nodes. */
void condition_put(const struct condition *condition, struct str *out);
void condition_fini(struct condition *condition);
bool condition_matches_all(const struct condition *condition,
                           const struct row *row); /* operations */
bool condition_matches_any(const struct condition *condition, const struct row *row); /* monitors */
