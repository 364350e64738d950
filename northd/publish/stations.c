/* stations.c - FDB rows, which controllers write: a row whose keys are no port's goes (room 5 of docs/architecture.md). A controller may
 * write one late, when its port or datapath is gone, and the next owner of the key would inherit it. What is learned on a port that goes, goes with
 * it (datapaths.c, ports.c); here is what comes or changes, and after a change of keys everything.
 */
#include "northd/publish/internal.h"

enum { MANY = 1024 };

void stations_take_row(struct publisher *pub, const struct row *after)
{
    if (!after)
        return;
    if (pub->stations.n >= MANY)
        pub->check_stations = true; /* nobody builds: a standby */
    else
        vec_push(&pub->stations, after->uuid);
}

void stations_check_all(struct publisher *pub)
{
    pub->check_stations = true;
}

static bool has_port(const struct publisher *pub, const struct sb_fdb *fdb)
{
    const struct pub_datapath *dp = datapaths_find_key(pub, sb_fdb_dp_key(fdb));
    return dp && ports_have_key(pub, dp, sb_fdb_port_key(fdb));
}

static void check(struct publisher *pub, const struct row *row)
{
    if (row && !has_port(pub, sb_fdb_cast(row)))
        publisher_delete(pub, SB_TABLE_FDB, &row->uuid);
}

void stations_build(struct publisher *pub)
{
    const struct schema_table *table = publisher_table(pub, SB_TABLE_FDB);
    const struct uuid *uuid;
    const struct row *row;
    if (pub->check_stations)
        REPLICA_FOR_EACH(row, pos, pub->sb, table)
    check(pub, row);
    else VEC_FOR_EACH (uuid, &pub->stations) check(pub, replica_row_find(pub->sb, table, uuid));
    stations_clear(pub);
}

void stations_clear(struct publisher *pub)
{
    pub->check_stations = false;
    vec_clear(&pub->stations);
}
