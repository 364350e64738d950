/* local_source.h - a store in the same process as the source of a replica.
 *
 * The replica holds references to the store's own rows: nothing is copied and no JSON is made. It
 * sees what subscribers are told, that is durable transactions, in order. The contents are complete
 * when replica_new returns; a program reads them once and then sets its observer.
 *
 * Room 1 and 5 of the architecture. Apart from lib/replica, because client programs link no store.
 */
#pragma once

#include "replica/replica.h"

struct store;

/* STORE is borrowed and must outlive the replica; the replica's schema must be store_schema(STORE).
 * It always owns its lock and is always connected. Results arrive from store_flush, so the store's
 * host must flush it (store_set_wakeup tells when). */
struct replica_source *local_source_new(struct store *store);
