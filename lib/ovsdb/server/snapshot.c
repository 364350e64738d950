/* snapshot.c - see snapshot.h. */
#include "ovsdb/server/snapshot.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/vec.h"
#include "ovsdb/server/server_impl.h"

enum { PIECE_BYTES = 64 << 10, CACHE_BYTES = 16 << 20 };

struct piece {
    size_t end;              /* of its rows */
    const struct rstr *text; /* NULL: not kept */
};

struct snapshot {
    struct list node; /* in db->snapshots */
    struct list readers;
    unsigned refs;
    struct server_db *db;
    struct shape *shape; /* shape->snapshot is this as long as it is up to date */
    VEC(const struct row *) rows;
    VEC(struct piece) pieces;
    size_t n_cached, first_cached; /* bytes; no piece before it is kept */
};

struct reader {
    struct stream_source source;
    struct list node; /* in snapshot->readers */
    struct session *session;
    struct snapshot *snapshot;
    size_t at; /* piece */
};

static void snapshot_unref(struct snapshot *snapshot)
{
    if (--snapshot->refs)
        return;
    list_remove(&snapshot->node);
    if (snapshot->shape->snapshot == snapshot)
        snapshot_is_old(snapshot->shape);
    for (size_t i = 0; i < snapshot->rows.n; i++)
        row_unref(snapshot->rows.data[i]);
    for (size_t i = 0; i < snapshot->pieces.n; i++)
        rstr_unref(snapshot->pieces.data[i].text);
    vec_fini(&snapshot->rows);
    vec_fini(&snapshot->pieces);
    shape_unref(snapshot->db, snapshot->shape);
    free(snapshot);
}

void snapshot_is_old(struct shape *shape)
{
    shape->snapshot = NULL;
}

static void collect_rows(struct snapshot *snapshot)
{
    const struct shape *shape = snapshot->shape;
    for (size_t i = 0; i < shape->schema->n_tables; i++) {
        const struct shape_table *st = shape->tables[i];
        const struct row *row;
        if (!st || !(st->select & SELECT_INITIAL))
            continue;
        for (size_t pos = 0;
             (row = store_next_told_row(snapshot->db->store, st->table, &pos)) != NULL;) {
            if (shape->version == MONITOR_V1 || filter_matches(st->filter, row))
                vec_push(&snapshot->rows, row_ref(row));
        }
    }
}

static struct snapshot *snapshot_get(struct server_db *db, struct shape *shape)
{
    if (shape->snapshot) {
        shape->snapshot->refs++;
        return shape->snapshot;
    }
    struct snapshot *snapshot = NEW(struct snapshot);
    snapshot->refs = 1;
    snapshot->db = db;
    snapshot->shape = shape_ref(shape);
    list_init(&snapshot->readers);
    list_push_back(&db->snapshots, &snapshot->node);
    collect_rows(snapshot);
    shape->snapshot = snapshot;
    return snapshot;
}

/* ---- pieces ---- */

static const struct rstr *make_piece(struct snapshot *snapshot, size_t first, size_t *end)
{
    struct str out = STR_INIT;
    *end = shape_put_rows(snapshot->shape, snapshot->rows.data, snapshot->rows.n, first,
                          PIECE_BYTES, &out);
    const struct rstr *text = rstr_new_n(out.s, out.n);
    str_fini(&out);
    return text;
}

static void keep(struct snapshot *snapshot, struct piece *piece, const struct rstr *text)
{
    struct piece *pieces = snapshot->pieces.data;
    piece->text = rstr_ref(text);
    snapshot->n_cached += text->n;
    while (snapshot->n_cached > CACHE_BYTES) {
        struct piece *first = &pieces[snapshot->first_cached++];
        if (first->text)
            snapshot->n_cached -= first->text->n;
        rstr_unref(first->text);
        first->text = NULL;
    }
}

static const struct rstr *next_piece(struct stream_source *source)
{
    struct reader *r = CONTAINER_OF(source, struct reader, source);
    struct snapshot *s = r->snapshot;
    size_t first = r->at ? s->pieces.data[r->at - 1].end : 0;
    if (r->at && first == s->rows.n)
        return NULL;
    if (r->at < s->pieces.n) {
        const struct piece *piece = &s->pieces.data[r->at++];
        size_t end;
        return piece->text ? rstr_ref(piece->text) : make_piece(s, first, &end);
    }
    struct piece piece = {0};
    const struct rstr *text = make_piece(s, first, &piece.end);
    vec_push(&s->pieces, piece);
    keep(s, &s->pieces.data[r->at++], text);
    return text;
}

static void reader_free(struct stream_source *source)
{
    struct reader *r = CONTAINER_OF(source, struct reader, source);
    list_remove(&r->node);
    snapshot_unref(r->snapshot);
    free(r);
}

struct stream_source *snapshot_read(struct session *session, struct server_db *db,
                                    struct shape *shape)
{
    struct reader *r = NEW(struct reader);
    r->source = (struct stream_source){next_piece, reader_free};
    r->session = session;
    r->snapshot = snapshot_get(db, shape);
    list_push_back(&r->snapshot->readers, &r->node);
    return &r->source;
}

void snapshot_drop_readers(struct server_db *db)
{
    while (!list_empty(&db->snapshots)) {
        struct snapshot *s = LIST_FIRST(struct snapshot, node, &db->snapshots);
        struct reader *r = LIST_FIRST(struct reader, node, &s->readers);
        /* Frees the reader, and with the last one the snapshot. */
        jsonrpc_close(r->session->rpc, ERR_CLOSED, "the database went away while it was sent");
    }
}
