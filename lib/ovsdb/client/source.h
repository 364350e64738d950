/* ovsdb/client/source.h - an OVSDB server elsewhere as the source of a replica.
 *
 * One session speaks to one database of one server at a time. A connection begins as the field's C
 * clients begin (and falls back as they do when a server is older):
 *
 *     get_schema _Server -> monitor_cond _Server -> (schema text of the database) ->
 *     monitor_cond_since -> set_db_change_aware            else get_schema, monitor_cond, monitor
 *
 * It asks only for tables and columns that both sides have: what the server lacks reads as its
 * default and is never written. Each update notification becomes one change set. After a lost
 * connection the next remote is tried, with growing pauses; the contents then arrive as a whole
 * (or, from a server that keeps history, as what was missed) and the replica tells only the
 * difference. A transaction that was sent and not answered when the connection broke ends with
 * ERR_AGAIN, and so does one submitted without a connection: its author computes again on fresh
 * data.
 *
 * Room 1 and 5 of the architecture. Needs no store and no SQLite.
 */
#pragma once

#include "replica/replica.h"

struct loop;
struct stream_options;

/* REMOTES are tried in turn, separated by commas: unix:PATH, tcp:HOST:PORT, ssl:HOST:PORT. The
 * session begins when replica_new starts it. Belongs to LOOP's thread. The functions below are for
 * sources made here only and are called before (options) or after replica_new; the replica frees
 * the source. */
struct replica_source *ovsdb_client_source_new(struct loop *loop, const char *remotes);

/* TLS configuration and run directory for relative socket names (copied; the TLS config is
 * borrowed). */
void ovsdb_client_source_set_stream(struct replica_source *source,
                                    const struct stream_options *options);
/* Refuse servers of a cluster that are not its leader (default true: as --leader-only). */
void ovsdb_client_source_set_leader_only(struct replica_source *source, bool leader_only);
/* After so many ms without input an echo request is sent, after twice that the connection is given
 * up; 0: never. Default 5000 on tcp and ssl, 0 on unix. */
void ovsdb_client_source_set_probe_interval(struct replica_source *source, int ms);
/* Copy only these columns of TABLE (names, NULL-ended; calls add up); default all. For short-lived
 * programs. */
void ovsdb_client_source_set_columns(struct replica_source *source, const char *table,
                                     const char *const *columns);

/* Number of connections that could not be made or were lost, and why the last one: never NULL. */
unsigned ovsdb_client_source_failures(const struct replica_source *source);
const char *ovsdb_client_source_error(const struct replica_source *source);
/* The server's error object, as JSON text, of the last transaction that failed; "" when none did.
 */
const char *ovsdb_client_source_transaction_error(const struct replica_source *source);
/* The transaction that is submitted next is only asked about ("weft_consider"): it ends like one that was committed, or with
 * the error that it would have, and changes nothing; ERR_AGAIN also while the server is busy. */
void ovsdb_client_source_consider_next(struct replica_source *source);
/* What the server answered to the last of these, as JSON text; "" when there was none. */
const char *ovsdb_client_source_answer(const struct replica_source *source);
/* The remote in use or tried last. */
const char *ovsdb_client_source_remote(const struct replica_source *source);
/* A look-out beside the copy: FN of on_watched, set before, is called with the uuid of each row of TABLE, always the same one, for which any clause of
 * WHERE (taken over; none: no row) holds, or comes to hold later; with NULL when the server cannot tell. Such rows are copied only where conditions
 * ask for them: the way to learn whether it is worth sending all clauses of a table again. Over a lost connection the rows are told
 * again. A server that knows no conditions shows all rows anyway: FN is not called. */
void ovsdb_client_source_on_watched(struct replica_source *source,
                                    void (*fn)(void *aux, const struct uuid *row), void *aux);
void ovsdb_client_source_watch(struct replica_source *source, const struct schema_table *table,
                               struct condition *where);
/* Are the rows of all conditions that were set here, and is it known which rows are watched? */
bool ovsdb_client_source_is_settled(const struct replica_source *source);
/* Does the connected server's schema have this column? True until a schema was seen. */
bool ovsdb_client_source_has_column(const struct replica_source *source,
                                    const struct schema_column *column);
