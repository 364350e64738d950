/* oftable.c - what a bridge says of its flow tables, and what controllers may change of them: TABLE_MOD, TABLE_STATUS and the
 * multipart messages TABLE, TABLE_FEATURES, TABLE_DESC (OpenFlow 1.4 section 7.3.4). How tables act on it: table_policy.h. */
#include <stdio.h>
#include <string.h>

#include "switchd/ofconn.h"
#include "switchd/table_policy.h"

static void table_stats(struct bridge *br, struct of_reply *reply)
{
    vswitch_push_stats(br->vs);
    for (unsigned i = 0; i < N_TABLES_OPEN; i++) {
        const struct flow_table *t = &br->tables.table[i];
        struct of_table_stats ts = {.id = (uint8_t)i,
                                    .max_entries = table_limit(t),
                                    .active = (uint32_t)tables_active(&br->tables, (uint8_t)i),
                                    .lookups = t->n_lookups,
                                    .matches = t->n_matches};
        snprintf(ts.name, sizeof ts.name, "%s", table_name(t));
        of_table_stats_put(reply, &ts);
    }
}

/* A request with a body renames the tables in it (the one feature that can be changed); then, as without, all are told. What
 * comes in several messages is answered when the last is here. */
static int table_features(struct bridge *br, const struct of_msg *msg, struct of_reply *reply)
{
    struct of_table_features in;
    size_t ofs = 0;
    int more;
    while ((more = of_table_features_next(msg, &ofs, &in)) > 0) {
        if (in.id >= N_TABLES_OPEN)
            return OF_ERR_TABLE_FEATURES_BAD_TABLE;
        struct flow_table *t = &br->tables.table[in.id];
        if (!strcmp(in.name, table_name(t)))
            continue;
        if (table_name_is_fixed(t))
            return OF_ERR_TABLE_FEATURES_PERM;
        table_policy_rename(t, in.name);
    }
    struct of_buf fields = OF_BUF_INIT;
    of_table_features_fields(&fields);
    for (unsigned i = 0; !more && !(msg->flags & OF_MULTIPART_MORE) && i < N_TABLES_OPEN; i++) {
        const struct flow_table *t = &br->tables.table[i];
        struct of_table_features tf = {.id = (uint8_t)i,
                                       .metadata_match = UINT64_MAX,
                                       .metadata_write = UINT64_MAX,
                                       .max_entries = table_limit(t),
                                       .n_tables = N_TABLES_OPEN,
                                       .fields = &fields};
        snprintf(tf.name, sizeof tf.name, "%s", table_name(t));
        of_table_features_put(reply, &tf);
    }
    of_buf_fini(&fields);
    return -more;
}

static void table_desc(const struct bridge *br, struct of_reply *reply)
{
    for (unsigned i = 0; i < N_TABLES_OPEN; i++) {
        struct of_table_mod desc;
        table_describe(&br->tables.table[i], (uint8_t)i, &desc);
        of_table_desc_put(reply, &desc);
    }
}

int oftable_stats(struct ofconn *oc, const struct of_msg *msg, struct of_reply *reply)
{
    struct bridge *br = oc->of->br;
    if (msg->type == OF_TABLE_FEATURES_REQUEST)
        return table_features(br, msg, reply);
    if (msg->type == OF_TABLE_STATS_REQUEST)
        table_stats(br, reply);
    else
        table_desc(br, reply);
    return 0;
}

int oftable_mod(struct ofconn *oc, const struct of_msg *msg)
{
    struct tables *tables = &oc->of->br->tables;
    struct of_table_mod tm;
    int err = of_table_mod_decode(msg, &tm);
    if (err)
        return err;
    if (tm.id >= N_TABLES_OPEN && tm.id != OF_TABLE_ALL)
        return OF_ERR_TABLE_MOD_EPERM;
    if (msg->version < OF14_VERSION)
        return 0; /* what a miss does is a flow's to say, since 1.3 */
    tables_settle(tables);
    tables->tells_vacancy |= tm.config & OF_TC_VACANCY_EVENTS;
    unsigned last = tm.id == OF_TABLE_ALL ? N_TABLES_OPEN - 1 : tm.id;
    for (unsigned i = tm.id == OF_TABLE_ALL ? 0 : tm.id; i <= last; i++)
        table_policy_modify(&tables->table[i], &tm);
    return 0;
}

static void tell(struct ofserver *of, const struct of_table_status *ts)
{
    struct ofconn *oc;
    LIST_FOR_EACH (oc, node, &of->conns) {
        if (!ofconn_wants_async(oc) || of_conn_version(oc->conn) < OF14_VERSION ||
            !ofconn_async_bit(oc, oc->async.table_status, ts->reason))
            continue;
        struct of_buf out = OF_BUF_INIT;
        of_table_status_encode(ts, of_conn_version(oc->conn), &out);
        ofconn_send(oc, &out);
        of_buf_fini(&out);
    }
}

void ofserver_tables_changed(struct ofserver *of)
{
    struct tables *tables = &of->br->tables;
    for (unsigned i = 0; tables->tells_vacancy && i < N_TABLES_OPEN; i++) {
        struct of_table_status ts;
        if (!tables->table[i].policy || !table_vacancy_event(&tables->table[i], &ts.reason))
            continue;
        table_describe(&tables->table[i], (uint8_t)i, &ts.desc);
        tell(of, &ts);
    }
}
