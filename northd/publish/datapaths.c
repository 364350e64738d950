/* datapaths.c - Datapath_Binding rows: one for each Logical_Switch and Logical_Router, known by the NB uuid in external_ids
 * (room 5 of docs/architecture.md). When a datapath goes, learned addresses with its key (FDB) go with it, so that the key's
 * next owner does not inherit them.
 */
#include "northd/publish/internal.h"

#include <stdlib.h>
#include <string.h>

static const char *const kind_keys[] = {
    [DATAPATH_SWITCH] = "logical-switch", [DATAPATH_ROUTER] = "logical-router"};

u128 datapaths_hash(const struct uuid *nb)
{
    XXH128_hash_t h = XXH3_128bits(nb, sizeof *nb);
    return (u128)h.high64 << 64 | h.low64;
}

struct pub_datapath *datapaths_find(const struct publisher *pub, const struct uuid *nb)
{
    struct pub_datapath *dp;
    HMAP_FOR_EACH_WITH_HASH (dp, by_nb, uuid_hash(nb), &pub->datapaths_by_nb)
        if (uuid_equal(&dp->nb, nb))
            return dp;
    return NULL;
}

struct pub_datapath *datapaths_find_sb(const struct publisher *pub, const struct uuid *sb)
{
    struct pub_datapath *dp;
    HMAP_FOR_EACH_WITH_HASH (dp, by_sb, uuid_hash(sb), &pub->datapaths_by_sb)
        if (uuid_equal(&dp->sb, sb))
            return dp;
    return NULL;
}

struct pub_datapath *datapaths_find_hash(const struct publisher *pub, u128 hash)
{
    struct pub_datapath *dp;
    HMAP_FOR_EACH_WITH_HASH (dp, by_hash, (uint64_t)hash, &pub->datapaths_by_hash)
        if (dp->hash == hash)
            return dp;
    return NULL;
}

static struct pub_datapath *get(struct publisher *pub, const struct uuid *nb)
{
    struct pub_datapath *dp = datapaths_find(pub, nb);
    if (dp)
        return dp;
    dp = NEW(struct pub_datapath);
    dp->nb = *nb;
    dp->hash = datapaths_hash(nb);
    list_init(&dp->dirty);
    hmap_insert(&pub->datapaths_by_nb, &dp->by_nb, uuid_hash(nb));
    hmap_insert(&pub->datapaths_by_hash, &dp->by_hash, (uint64_t)dp->hash);
    return dp;
}

static void set_sb(struct publisher *pub, struct pub_datapath *dp, const struct uuid *sb)
{
    if (dp->in_sb)
        hmap_remove(&pub->datapaths_by_sb, &dp->by_sb);
    dp->in_sb = sb != NULL;
    memset(&dp->sb, 0, sizeof dp->sb);
    if (!sb)
        return;
    dp->sb = *sb;
    hmap_insert(&pub->datapaths_by_sb, &dp->by_sb, uuid_hash(sb));
}

static int64_t key_of(const struct row *row)
{
    return sb_datapath_binding_tunnel_key(sb_datapath_binding_cast(row));
}

/* What the row is known to be; NULL: there is none any more. */
static void set_row(struct publisher *pub, struct pub_datapath *dp, const struct row *row)
{
    if (dp->row && row && key_of(dp->row) != key_of(row))
        stations_check_all(pub);
    if (dp->row)
        hmap_remove(&pub->datapaths_by_key, &dp->by_key);
    publisher_hold(&dp->row, row);
    if (row)
        hmap_insert(&pub->datapaths_by_key, &dp->by_key, hash_u64((uint64_t)key_of(row), 0));
}

struct pub_datapath *datapaths_find_key(const struct publisher *pub, int64_t key)
{
    struct pub_datapath *dp;
    HMAP_FOR_EACH_WITH_HASH (dp, by_key, hash_u64((uint64_t)key, 0), &pub->datapaths_by_key)
        if (dp->has_want && key_of(dp->row) == key)
            return dp;
    return NULL;
}

/* The NB uuid that a row names. */
static bool row_nb_uuid(const struct row *row, struct uuid *ret)
{
    const struct sb_datapath_binding *dp = sb_datapath_binding_cast(row);
    for (size_t i = 0; i < ARRAY_SIZE(kind_keys); i++) {
        const char *text = sb_datapath_binding_external_ids_value(dp, kind_keys[i]);
        if (text && uuid_parse(text, ret))
            return true;
    }
    return false;
}

void datapaths_take_row(struct publisher *pub, const struct row *before, const struct row *after)
{
    struct uuid nb;
    struct pub_datapath *dp;
    if (before && (dp = datapaths_find_sb(pub, &before->uuid)) != NULL &&
        (!after || !row_nb_uuid(after, &nb) || !uuid_equal(&nb, &dp->nb))) {
        set_row(pub, dp, NULL);
        set_sb(pub, dp, NULL);
        publisher_mark(&pub->dirty_datapaths, &dp->dirty);
    }
    if (!after)
        return;
    if (!row_nb_uuid(after, &nb)) {
        publisher_surplus(pub, after);
        return;
    }
    dp = get(pub, &nb);
    if (dp->row && !uuid_equal(&dp->row->uuid, &after->uuid)) {
        publisher_surplus(pub, after);
        return;
    }
    set_row(pub, dp, after);
    set_sb(pub, dp, &after->uuid);
    publisher_mark(&pub->dirty_datapaths, &dp->dirty);
}

void datapaths_take_fact(const void *fact_, bool added, void *pub_)
{
    struct publisher *pub = pub_;
    const struct fact_datapath_binding *fact = fact_;
    struct pub_datapath *dp = get(pub, &fact->datapath);
    if (dp->has_want && (added || dp->want.row == fact->row)) {
        row_unref(dp->want.row);
        dp->has_want = false;
    }
    if (added) {
        dp->want = *fact;
        row_ref(fact->row);
        dp->has_want = true;
    }
    publisher_mark(&pub->dirty_datapaths, &dp->dirty);
}

static const struct datum *external_ids(const struct fact_datapath_binding *want)
{
    struct pairs pairs = {0};
    char text[UUID_TEXT_LEN + 1];
    pairs_put(&pairs, kind_keys[want->kind], uuid_print(&want->datapath, text));
    if (want->kind == DATAPATH_SWITCH) {
        const struct nb_logical_switch *ls = nb_logical_switch_cast(want->row);
        pairs_put(&pairs, "name", nb_logical_switch_name(ls));
        pairs_put(&pairs, "name2",
                  nb_logical_switch_external_ids_value(ls, "neutron:network_name"));
        pairs_put(&pairs, "fdb_age_threshold",
                  nb_logical_switch_other_config_value(ls, "fdb_age_threshold"));
    } else {
        const struct nb_logical_router *lr = nb_logical_router_cast(want->row);
        pairs_put(&pairs, "name", nb_logical_router_name(lr));
        pairs_put(&pairs, "name2", nb_logical_router_external_ids_value(lr, "neutron:router_name"));
        /* by the second the controllers forget neighbours */
        static const char *const options[] = {"snat-ct-zone", "mac_binding_age_threshold"};
        for (size_t i = 0; i < ARRAY_SIZE(options); i++)
            pairs_put(&pairs, options[i], nb_logical_router_options_value(lr, options[i]));
        const char *learn = nb_logical_router_options_value(lr, "always_learn_from_arp_request");
        if (learn && !strcmp(learn, "false"))
            pairs_put(&pairs, "always_learn_from_arp_request", learn);
    }
    return pairs_take(&pairs);
}

static void write_columns(struct publisher *pub, struct pub_datapath *dp)
{
    const struct fact_datapath_binding *want = &dp->want;
    enum { T = SB_TABLE_DATAPATH_BINDING };
    publisher_put(pub, T, &dp->sb, dp->row, SB_DATAPATH_BINDING_COL_TUNNEL_KEY,
                  datum_new_integer(want->key));
    publisher_put(pub, T, &dp->sb, dp->row, SB_DATAPATH_BINDING_COL_EXTERNAL_IDS,
                  external_ids(want));
    publisher_put(pub, T, &dp->sb, dp->row, SB_DATAPATH_BINDING_COL_TYPE,
                  datum_new_string(kind_keys[want->kind]));
    publisher_put(pub, T, &dp->sb, dp->row, SB_DATAPATH_BINDING_COL_NB_UUID,
                  datum_new_uuid(&want->datapath));
}

void datapaths_delete_learned(struct publisher *pub, const struct row *row, int64_t port)
{
    int64_t key = sb_datapath_binding_tunnel_key(sb_datapath_binding_cast(row));
    const struct row *fdb;
    REPLICA_FOR_EACH(fdb, pos, pub->sb, publisher_table(pub, SB_TABLE_FDB))
    if (sb_fdb_dp_key(sb_fdb_cast(fdb)) == key &&
        (!port || sb_fdb_port_key(sb_fdb_cast(fdb)) == port))
        publisher_delete(pub, SB_TABLE_FDB, &fdb->uuid);
}

static void forget(struct publisher *pub, struct pub_datapath *dp)
{
    set_sb(pub, dp, NULL);
    hmap_remove(&pub->datapaths_by_nb, &dp->by_nb);
    hmap_remove(&pub->datapaths_by_hash, &dp->by_hash);
    list_remove(&dp->dirty);
    set_row(pub, dp, NULL);
    if (dp->has_want)
        row_unref(dp->want.row);
    free(dp);
}

void datapaths_build(struct publisher *pub)
{
    struct pub_datapath *dp, *next;
    LIST_FOR_EACH_SAFE (dp, next, dirty, &pub->dirty_datapaths) {
        list_remove(&dp->dirty);
        if (dp->has_want) {
            if (!dp->in_sb) {
                struct uuid uuid = publisher_insert(pub, SB_TABLE_DATAPATH_BINDING, &dp->nb);
                set_sb(pub, dp, &uuid);
            }
            write_columns(pub, dp);
        } else if (dp->row) {
            datapaths_delete_learned(pub, dp->row, 0);
            publisher_delete(pub, SB_TABLE_DATAPATH_BINDING, &dp->sb);
        } else {
            forget(pub, dp);
        }
    }
}

void datapaths_clear(struct publisher *pub)
{
    struct pub_datapath *dp;
    HMAP_FOR_EACH_SAFE (dp, by_nb, &pub->datapaths_by_nb)
        forget(pub, dp);
}

uint32_t publisher_datapath_key(const struct publisher *pub, const struct uuid *datapath)
{
    const struct pub_datapath *dp = datapaths_find(pub, datapath);
    return dp && dp->row
               ? (uint32_t)sb_datapath_binding_tunnel_key(sb_datapath_binding_cast(dp->row))
               : 0;
}
