/* writer.c - see writer.h. Beside the rooms of docs/architecture.md: what flows back up. A transaction that the server refuses is
 * logged and tried again after a second, since what is wanted may be possible by then.
 */
#include "controller/writer.h"

#include <inttypes.h>

#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"

LOG_MODULE(writer);

enum { RETRY_MS = 1000, AT_ONCE = 3 /* retries, when others write too */ };

static void on_retry(void *w_)
{
    struct writer *w = w_;
    w->wake(w->aux);
}

void writer_init(struct writer *w, struct loop *loop, const char *what, void (*wake)(void *aux),
                 void *aux)
{
    *w = (struct writer){.what = what, .wake = wake, .aux = aux};
    timer_init(&w->retry, loop, on_retry, w);
}

static void drop_txn(struct writer *w)
{
    if (w->txn)
        replica_txn_free(w->txn);
    w->txn = NULL;
    str_clear(&w->comments);
}

void writer_set_replica(struct writer *w, struct replica *replica)
{
    drop_txn(w);
    w->replica = replica;
    w->is_busy = false;
}

void writer_fini(struct writer *w)
{
    drop_txn(w);
    str_fini(&w->comments);
    timer_stop(&w->retry);
}

bool writer_is_ready(const struct writer *w)
{
    return w->replica && !w->is_busy && replica_is_ready(w->replica) &&
           !timer_is_running(&w->retry);
}

struct replica_txn *writer_txn(struct writer *w)
{
    INVARIANT(!w->is_busy);
    if (!w->txn)
        w->txn = replica_txn_new(w->replica);
    return w->txn;
}

static void on_done(void *w_, int err, const char *error)
{
    static struct log_rate rate = LOG_RATE(12, 5);
    struct writer *w = w_;
    w->is_busy = false;
    w->failures = err ? w->failures + 1 : 0;
    if (err && w->is_racing && w->failures <= AT_ONCE) {
        log_dbg("%s: transaction refused: %s", w->what, error ? error : err_text(err));
    } else if (err && err != ERR_AGAIN) {
        log_warn_limited(&rate, "%s: transaction failed: %s", w->what,
                         error ? error : err_text(err));
        timer_start_ms(&w->retry, RETRY_MS);
    }
    w->wake(w->aux);
}

void writer_commit(struct writer *w)
{
    struct replica_txn *txn = w->txn;
    w->txn = NULL;
    if (!txn)
        return;
    if (replica_txn_is_empty(txn)) {
        replica_txn_free(txn);
        str_clear(&w->comments);
        return;
    }
    if (w->comments.n) {
        char *text = xasprintf("weft-controller: %s", str_c(&w->comments));
        replica_txn_comment(txn, text);
        free(text);
        str_clear(&w->comments);
    }
    w->is_busy = true;
    replica_txn_commit(txn, on_done, w);
}

/* --- Shorthands */

static const struct schema_column *column_of(struct writer *w, const char *table,
                                             const char *column)
{
    const struct schema_table *t = replica_table(w->replica, table);
    INVARIANT(t);
    const struct schema_column *c = schema_column_find(t, column);
    INVARIANT(c);
    return c;
}

static void set(struct writer *w, const char *table, const struct uuid *row, const char *column,
                const struct datum *value)
{
    const struct schema_column *c = column_of(w, table, column);
    replica_txn_set(writer_txn(w), c->table, row, c, value);
}

static void mutate(struct writer *w, const char *table, const struct uuid *row, const char *column,
                   enum mutator mutator, const struct datum *arg)
{
    const struct schema_column *c = column_of(w, table, column);
    replica_txn_mutate(writer_txn(w), c->table, row, c, mutator, arg);
}

struct uuid writer_insert(struct writer *w, const char *table)
{
    return replica_txn_insert(writer_txn(w), replica_table(w->replica, table));
}

void writer_delete(struct writer *w, const struct row *row)
{
    replica_txn_delete(writer_txn(w), row->table, &row->uuid);
}

void writer_text(struct writer *w, const char *table, const struct uuid *row, const char *column,
                 const char *text)
{
    set(w, table, row, column, datum_new_string(text));
}

void writer_integer(struct writer *w, const char *table, const struct uuid *row, const char *column,
                    int64_t value)
{
    set(w, table, row, column, datum_new_integer(value));
}

void writer_boolean(struct writer *w, const char *table, const struct uuid *row, const char *column,
                    bool value)
{
    set(w, table, row, column, datum_new_boolean(value));
}

void writer_datum(struct writer *w, const char *table, const struct uuid *row, const char *column,
                  const struct datum *value)
{
    set(w, table, row, column, value);
}

void writer_uuid(struct writer *w, const char *table, const struct uuid *row, const char *column,
                 const struct uuid *to)
{
    set(w, table, row, column, to ? datum_new_uuid(to) : datum_new_empty(ATOM_UUID, DATUM_SET));
}

void writer_add_ref(struct writer *w, const char *table, const struct uuid *row, const char *column,
                    const struct uuid *to)
{
    mutate(w, table, row, column, MUTATE_INSERT, datum_new_uuid(to));
}

void writer_remove_ref(struct writer *w, const char *table, const struct uuid *row,
                       const char *column, const struct uuid *to)
{
    mutate(w, table, row, column, MUTATE_DELETE, datum_new_uuid(to));
}

void writer_pair(struct writer *w, const char *table, const struct uuid *row, const char *column,
                 const char *key, const char *value)
{
    mutate(w, table, row, column, MUTATE_DELETE, datum_new_string(key));
    if (!value)
        return;
    union atom k = {.string = rstr_new(key)}, v = {.string = rstr_new(value)};
    mutate(w, table, row, column, MUTATE_INSERT,
           datum_new_map(ATOM_STRING, ATOM_STRING, &k, &v, 1));
}

void writer_comment(struct writer *w, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (w->comments.n)
        str_put(&w->comments, "; ");
    str_vputf(&w->comments, format, args);
    va_end(args);
}
