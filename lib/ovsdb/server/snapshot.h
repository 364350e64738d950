/* snapshot.h - the initial contents of monitors, made into text piece by piece.
 *
 * A snapshot holds the very versions of the rows that subscribers had been told when it was made;
 * so the database goes on while clients take it, each at its speed, and its size has no limit. Clients that
 * ask for the same state at the same time share the pieces; a piece that is in nobody's way is kept
 * for those who come behind, up to a bound, and made again beyond it.
 */
#pragma once

#include "io/stream.h"
#include "ovsdb/server/shape.h"

struct snapshot;
struct server_db;
struct session;

/* A reader, for SESSION's stream, of what SHAPE shows of the told state of DB now. */
struct stream_source *snapshot_read(struct session *session, struct server_db *db,
                                    struct shape *shape);
/* Disconnects those who are in the middle: DB's rows are about to go. */
void snapshot_drop_readers(struct server_db *db);
/* The told state of what SHAPE shows has changed: who comes now needs another one. */
void snapshot_is_old(struct shape *shape);
