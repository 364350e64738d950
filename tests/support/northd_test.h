/* northd_test.h - the frame of northd's unit tests: a world for each test, as the first member of what the test keeps of it, and rows of
 * SB as controllers write them. Included by one file a test program.
 */
#pragma once

#include "support/northd_world.h"

#include "base/log.h"

/* What a test's setup begins with: SIZE bytes, zero but for the world that they begin with. */
static UNUSED void *begin(void **state, size_t size)
{
    log_set_level(NULL, LOG_ERR);
    *state = xcalloc(1, size);
    world_open(*state, 1);
    return *state;
}

/* For tests that keep nothing but their world. */
static UNUSED int setup_world(void **state)
{
    begin(state, sizeof(struct world));
    return 0;
}

static UNUSED int teardown(void **state)
{
    world_close(*state);
    free(*state);
    return 0;
}

static UNUSED void commit(struct world *w)
{
    assert_int_equal(world_commit(w), 0);
    world_settle(w);
}

/* A northd that is started anew writes nothing. */
static UNUSED void restart(struct world *w)
{
    world_stop(w);
    world_start(w);
    world_settle(w);
    assert_int_equal(northd_n_transactions(w->northd), 0);
}

/* --- Rows of SB */

static UNUSED struct uuid sb_row(struct world *w, size_t table, int column, const char *text)
{
    const struct row *row;
    REPLICA_FOR_EACH(row, pos, w->sb_client, world_sb_table(w, table))
    if (!strcmp(row->values[column]->atoms[0].string->s, text))
        return row->uuid;
    fail_msg("no row %s", text);
    return (struct uuid){{0}};
}

static UNUSED void sb_put(struct world *w, size_t table, const struct uuid *row, int column,
                          const struct datum *value)
{
    const struct schema_table *t = world_sb_table(w, table);
    if (!w->sb_txn)
        w->sb_txn = replica_txn_new(w->sb_client);
    replica_txn_set(w->sb_txn, t, row, &t->columns[column], value);
}

static UNUSED struct uuid sb_insert(struct world *w, size_t table)
{
    if (!w->sb_txn)
        w->sb_txn = replica_txn_new(w->sb_client);
    return replica_txn_insert(w->sb_txn, world_sb_table(w, table));
}

static UNUSED struct uuid sb_chassis(struct world *w, const char *name, const char *hostname)
{
    struct uuid encap = sb_insert(w, SB_TABLE_ENCAP), chassis = sb_insert(w, SB_TABLE_CHASSIS);
    sb_put(w, SB_TABLE_ENCAP, &encap, SB_ENCAP_COL_TYPE, datum_new_string("geneve"));
    sb_put(w, SB_TABLE_ENCAP, &encap, SB_ENCAP_COL_IP, datum_new_string(name));
    sb_put(w, SB_TABLE_CHASSIS, &chassis, SB_CHASSIS_COL_NAME, datum_new_string(name));
    sb_put(w, SB_TABLE_CHASSIS, &chassis, SB_CHASSIS_COL_HOSTNAME, datum_new_string(hostname));
    sb_put(w, SB_TABLE_CHASSIS, &chassis, SB_CHASSIS_COL_ENCAPS, datum_new_uuid(&encap));
    return chassis;
}
