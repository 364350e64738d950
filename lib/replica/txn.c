/* txn.c - a transaction of a replica, built operation by operation.
 *
 * Operations on the same row are joined where the order allows: values set in a row just inserted
 * become part of the insert, consecutive sets one update, consecutive mutations one mutate, all
 * verifications of a row one wait. Waits go first (they speak of the state before), the comment and
 * then the assert of the lock last, as the field's clients do.
 *
 * Does not look at the copy and does not apply anything to it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/hmap.h"
#include "base/vec.h"
#include "replica/replica_internal.h"

typedef VEC(struct op) op_vec;

enum { NO_OP = -1, SOME_VALUES = 8 };

/* A row that the transaction touches: where its last operation and its wait are. */
struct touched {
    struct hnode node;
    struct uuid uuid;
    long last; /* index in ops */
    long wait; /* index in waits */
};

struct replica_txn {
    struct replica *replica;
    struct hmap touched;
    struct arena memory;  /* of those */
    struct touched *last; /* touched; most calls are for the same row as the one before */
    op_vec waits, ops;
    bool deletes;
    struct str comment;
};

struct replica_txn *replica_txn_new(struct replica *replica)
{
    struct replica_txn *txn = NEW(struct replica_txn);
    txn->replica = replica;
    return txn;
}

static void free_ops(op_vec *v)
{
    struct op *op;
    VEC_FOR_EACH (op, v)
        op_fini(op);
    vec_fini(v);
}

void replica_txn_free(struct replica_txn *txn)
{
    if (!txn)
        return;
    hmap_fini(&txn->touched);
    arena_fini(&txn->memory);
    free_ops(&txn->waits);
    free_ops(&txn->ops);
    str_fini(&txn->comment);
    free(txn);
}

static struct touched *touch(struct replica_txn *txn, const struct uuid *uuid)
{
    uint64_t hash = uuid_hash(uuid);
    struct touched *t = txn->last;
    if (t && uuid_equal(&t->uuid, uuid))
        return t;
    HMAP_FOR_EACH_WITH_HASH (t, node, hash, &txn->touched) {
        if (uuid_equal(&t->uuid, uuid))
            return txn->last = t;
    }
    t = txn->last = arena_zalloc(&txn->memory, sizeof *t);
    t->uuid = *uuid;
    t->last = t->wait = NO_OP;
    hmap_insert(&txn->touched, &t->node, hash);
    return t;
}

static void where_row(struct op *op, const struct uuid *uuid)
{
    op->where.n = 1;
    op->where.clauses = NEW(struct clause);
    *op->where.clauses = (struct clause){FN_EQ, &op->table->uuid_column, datum_new_uuid(uuid)};
}

/* The operation to extend: the row's last one if it is of KIND, else a new one at the end. */
static struct op *op_on_row(struct replica_txn *txn, enum op_kind kind,
                            const struct schema_table *table, const struct uuid *uuid)
{
    struct touched *t = touch(txn, uuid);
    if (t->last != NO_OP && txn->ops.data[t->last].kind == kind)
        return &txn->ops.data[t->last];
    t->last = (long)txn->ops.n;
    struct op *op = vec_push_zero(&txn->ops);
    op->kind = kind;
    op->table = table;
    where_row(op, uuid);
    return op;
}

void replica_txn_insert_as(struct replica_txn *txn, const struct schema_table *table,
                           const struct uuid *uuid)
{
    touch(txn, uuid)->last = (long)txn->ops.n;
    struct op *op = vec_push_zero(&txn->ops);
    op->kind = OP_INSERT;
    op->table = table;
    op->uuid = *uuid;
    op->has_uuid = true;
}

struct uuid replica_txn_insert(struct replica_txn *txn, const struct schema_table *table)
{
    struct uuid uuid = uuid_random(replica_env(txn->replica));
    replica_txn_insert_as(txn, table, &uuid);
    return uuid;
}

static void put_value(size_t *n, struct column_value **values, const struct schema_column *column,
                      const struct datum *value)
{
    for (size_t i = 0; i < *n; i++)
        if ((*values)[i].column == column) {
            datum_unref((*values)[i].value);
            (*values)[i].value = value;
            return;
        }
    if (*n % SOME_VALUES == 0)
        *values = xrealloc(*values, (*n + SOME_VALUES) * sizeof **values);
    (*values)[(*n)++] = (struct column_value){column, value};
}

void replica_txn_set(struct replica_txn *txn, const struct schema_table *table,
                     const struct uuid *row, const struct schema_column *column,
                     const struct datum *value)
{
    struct touched *t = touch(txn, row);
    struct op *op;
    if (t->last != NO_OP && txn->ops.data[t->last].kind == OP_INSERT)
        op = &txn->ops.data[t->last];
    else
        op = op_on_row(txn, OP_UPDATE, table, row);
    put_value(&op->n_values, &op->values, column, value);
}

void replica_txn_mutate(struct replica_txn *txn, const struct schema_table *table,
                        const struct uuid *row, const struct schema_column *column,
                        enum mutator mutator, const struct datum *arg)
{
    struct op *op = op_on_row(txn, OP_MUTATE, table, row);
    op->mutations = xrealloc(op->mutations, (op->n_mutations + 1) * sizeof *op->mutations);
    op->mutations[op->n_mutations++] = (struct mutation){column, mutator, arg};
}

void replica_txn_delete(struct replica_txn *txn, const struct schema_table *table,
                        const struct uuid *row)
{
    op_on_row(txn, OP_DELETE, table, row);
    txn->deletes = true;
}

static struct op *wait_on_row(struct replica_txn *txn, const struct row *row)
{
    struct touched *t = touch(txn, &row->uuid);
    if (t->wait != NO_OP)
        return &txn->waits.data[t->wait];
    t->wait = (long)txn->waits.n;
    struct op *op = vec_push_zero(&txn->waits);
    op->kind = OP_WAIT;
    op->table = row->table;
    op->until_equal = true;
    where_row(op, &row->uuid);
    op->n_rows = 1;
    op->rows = NEW(struct wait_row);
    return op;
}

void replica_txn_verify(struct replica_txn *txn, const struct row *row,
                        const struct schema_column *column)
{
    struct op *op = wait_on_row(txn, row);
    for (size_t i = 0; i < op->n_columns; i++)
        if (op->columns[i] == column)
            return;
    op->columns = xrealloc(op->columns, (op->n_columns + 1) * sizeof *op->columns);
    op->columns[op->n_columns++] = column;
    put_value(&op->rows->n, &op->rows->values, column, datum_ref(row_get(row, column)));
}

void replica_txn_comment(struct replica_txn *txn, const char *comment)
{
    if (txn->comment.n)
        str_putc(&txn->comment, '\n');
    str_put(&txn->comment, comment);
}

bool replica_txn_is_empty(const struct replica_txn *txn)
{
    return !txn->ops.n && !txn->waits.n;
}

size_t replica_txn_size(const struct replica_txn *txn)
{
    return txn->waits.n + txn->ops.n;
}

bool replica_txn_deletes(const struct replica_txn *txn)
{
    return txn->deletes;
}

static void push_text(op_vec *v, enum op_kind kind, const char *text)
{
    struct op *op = vec_push_zero(v);
    op->kind = kind;
    op->text = xstrdup(text);
}

void replica_txn_commit(struct replica_txn *txn,
                        void (*done)(void *aux, int err, const char *error), void *aux)
{
    op_vec all = txn->waits;
    if (!all.n) {
        vec_fini(&all);
        all = txn->ops;
        txn->ops = (op_vec)VEC_INIT;
    } else if (txn->ops.n) {
        vec_reserve(&all, txn->waits.n + txn->ops.n + 2);
        memcpy(all.data + txn->waits.n, txn->ops.data, txn->ops.n * sizeof *all.data);
        all.n += txn->ops.n;
        txn->ops.n = 0;
    }
    txn->waits = (op_vec)VEC_INIT; /* moved */
    if (txn->comment.n)
        push_text(&all, OP_COMMENT, str_c(&txn->comment));
    if (replica_lock_name(txn->replica))
        push_text(&all, OP_ASSERT, replica_lock_name(txn->replica));

    struct ops *ops = NEW(struct ops);
    ops->n = ops->n_requested = all.n;
    ops->ops = all.data;
    struct replica *replica = txn->replica;
    replica_txn_free(txn);
    replica_submit(replica, ops, done, aux);
}
