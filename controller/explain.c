/* explain.c - the command "explain COOKIE": from a flow of the switch back to where it comes from. Beside the rooms of docs/architecture.md.
 *
 * A flow's cookie is the first 32 bits of the uuid of the southbound row that made it; of a logical flow, external_ids:stage-hint is the
 * same of its northbound row. Several rows may share 32 bits: all are told. The external_ids of logical flows are asked for when they are wanted:
 * the answer waits for them, for ANSWER_MS at most.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/uuid.h"
#include "controller/controller_internal.h"
#include "ovsdb/client/source.h"

enum { ANSWER_MS = 2000 };

/* A question that waits for the names of its logical flows. */
struct explain {
    struct controller *c;
    struct unixctl_conn *conn;
    uint32_t cookie;
    struct replica
        *names; /* their external_ids and nothing else; NULL: there is nothing to wait for */
    struct timer late;
    struct deferred answer;
};

static void put_datapath(struct str *out, const struct controller *c, const struct uuid *uuid)
{
    const struct row *row = replica_row_find(c->sb, replica_table(c->sb, "Datapath_Binding"), uuid);
    const struct sb_datapath_binding *dp = row ? sb_datapath_binding_cast(row) : NULL;
    const char *name = dp ? sb_datapath_binding_external_ids_value(dp, "name") : NULL;
    char text[UUID_TEXT_LEN + 1];
    str_putf(out, "  datapath: %s (%s)", uuid_print(uuid, text), name ? name : "no name");
    if (dp)
        str_putf(out, ", key %" PRId64, sb_datapath_binding_tunnel_key(dp));
    str_putc(out, '\n');
}

/* A value in the external_ids of the logical flow LFLOW; NULL: none, or not here. */
static const char *name_in(const struct explain *e, const struct row *lflow, const char *key)
{
    const struct row *row =
        e->names ? replica_row_find(e->names, replica_table(e->names, "Logical_Flow"), &lflow->uuid)
                 : NULL;
    return row ? sb_logical_flow_external_ids_value(sb_logical_flow_cast(row), key) : NULL;
}

static void put_lflow(struct str *out, const struct explain *e, const struct row *row)
{
    const struct controller *c = e->c;
    const struct sb_logical_flow *f = sb_logical_flow_cast(row);
    const struct uuid *dp = sb_logical_flow_logical_datapath(f),
                      *group = sb_logical_flow_logical_dp_group(f);
    const char *stage = name_in(e, row, "stage-name");
    const char *hint = name_in(e, row, "stage-hint");
    if (dp)
        put_datapath(out, c, dp);
    const struct row *members =
        group ? replica_row_find(c->sb, replica_table(c->sb, "Logical_DP_Group"), group) : NULL;
    const struct datum *dps =
        members ? sb_logical_dp_group_datapaths(sb_logical_dp_group_cast(members)) : NULL;
    for (size_t i = 0; dps && i < dps->n; i++)
        if (inc_look(c->inc, c->program.local_by_datapath, &dps->atoms[i].uuid).n)
            put_datapath(out, c, &dps->atoms[i].uuid);
    str_putf(out,
             "  stage: %s (%s table %" PRId64 "), priority %" PRId64
             "\n  match: %s\n  actions: %s\n",
             stage ? stage : "no name", sb_logical_flow_pipeline(f), sb_logical_flow_table_id(f),
             sb_logical_flow_priority(f), sb_logical_flow_match(f), sb_logical_flow_actions(f));
    if (hint)
        str_putf(out, "  northbound row: %s\n", hint);
}

static const char *name_of(const struct row *row)
{
    switch (row->table->index) {
    case SB_TABLE_PORT_BINDING:
        return sb_port_binding_logical_port(sb_port_binding_cast(row));
    case SB_TABLE_MULTICAST_GROUP:
        return sb_multicast_group_name(sb_multicast_group_cast(row));
    case SB_TABLE_LOAD_BALANCER:
        return sb_load_balancer_name(sb_load_balancer_cast(row));
    case SB_TABLE_MAC_BINDING:
        return sb_mac_binding_ip(sb_mac_binding_cast(row));
    case SB_TABLE_STATIC_MAC_BINDING:
        return sb_static_mac_binding_ip(sb_static_mac_binding_cast(row));
    case SB_TABLE_FDB:
        return sb_fdb_mac(sb_fdb_cast(row));
    default:
        return NULL;
    }
}

static bool put_table(struct str *out, const struct explain *e, const char *name)
{
    bool found = false;
    const struct row *row;
    REPLICA_FOR_EACH(row, pos, e->c->sb, replica_table(e->c->sb, name))
    {
        if (uuid_prefix32(&row->uuid) != e->cookie)
            continue;
        char text[UUID_TEXT_LEN + 1];
        const char *label = name_of(row);
        found = true;
        str_putf(out, "%s %s%s%s\n", name, uuid_print(&row->uuid, text), label ? " " : "",
                 label ? label : "");
        if (row->table->index == SB_TABLE_LOGICAL_FLOW)
            put_lflow(out, e, row);
    }
    return found;
}

static void explain_free(struct explain *e)
{
    timer_stop(&e->late);
    deferred_cancel(&e->answer);
    replica_free(e->names);
    e->c->explain = NULL;
    free(e);
}

static void answer(void *e_)
{
    static const char *const tables[] = {
        "Logical_Flow", "Port_Binding", "Multicast_Group",    "Load_Balancer",
        "MAC_Binding",  "FDB",          "Static_MAC_Binding",
    };
    struct explain *e = e_;
    struct str text = STR_INIT;
    bool found = false;
    for (size_t i = 0; e->c->sb && i < ARRAY_SIZE(tables); i++)
        found |= put_table(&text, e, tables[i]);
    if (found)
        unixctl_reply(e->conn, str_c(&text));
    else
        unixctl_error(e->conn, e->cookie ? "no row of the southbound database has this number"
                                         : "flows with cookie 0 do not come from a row: they tie "
                                           "the pipelines together");
    str_fini(&text);
    explain_free(e);
}

static void on_names(void *e_)
{
    struct explain *e = e_;
    if (replica_is_ready(e->names))
        deferred_schedule(&e->answer); /* not inside an observer */
}

/* Asks for the names of the logical flows that the question is about, if there are any. */
static void ask_names(struct explain *e)
{
    static const char *const tables[] = {"Logical_Flow", NULL};
    static const char *const columns[] = {"external_ids", NULL};
    struct controller *c = e->c;
    VEC(struct clause) clauses = VEC_INIT;
    const struct schema_table *table = replica_table(c->sb, tables[0]);
    const struct row *row;
    REPLICA_FOR_EACH(row, pos, c->sb, table)
    {
        struct clause clause = {FN_EQ, schema_column_find(table, "_uuid"), NULL};
        if (uuid_prefix32(&row->uuid) != e->cookie)
            continue;
        clause.arg = datum_new_uuid(&row->uuid);
        vec_push(&clauses, clause);
    }
    if (!clauses.n)
        return;
    struct stream_options stream = {
        .rundir = c->rundir, .tls = c->options.tls, .default_port = TARGET_PORT_OVSDB};
    struct replica_source *source = ovsdb_client_source_new(c->options.loop, c->sb_remote);
    ovsdb_client_source_set_stream(source, &stream);
    ovsdb_client_source_set_columns(source, tables[0], columns);
    struct replica_options options = {.env = c->env, .schema = c->sb_schema, .tables = tables};
    struct condition condition = {clauses.n, clauses.data};
    e->names = replica_new(&options, source);
    replica_set_condition(e->names, table, &condition);
    replica_set_status_observer(e->names, on_names, e);
}

void control_explain(struct unixctl_conn *conn, int argc UNUSED, const char *argv[], void *c_)
{
    struct controller *c = c_;
    char *end;
    unsigned long long cookie = strtoull(argv[1], &end, 16);
    if (end == argv[1] || *end || cookie > UINT32_MAX) {
        unixctl_error(conn, "a cookie is a hexadecimal number of 32 bits, as in 0x1a2b3c4d");
        return;
    }
    if (c->explain) {
        unixctl_error(conn, "somebody else is being answered: try again");
        return;
    }
    struct explain *e = c->explain = NEW(struct explain);
    e->c = c;
    e->conn = conn;
    e->cookie = (uint32_t)cookie;
    timer_init(&e->late, c->options.loop, answer, e);
    deferred_init(&e->answer, c->options.loop, LOOP_LATER, answer, e);
    if (c->sb)
        ask_names(e);
    if (e->names)
        timer_start_ms(&e->late, ANSWER_MS);
    else
        answer(e);
}

void control_explain_end(struct controller *c)
{
    if (!c->explain)
        return;
    unixctl_error(c->explain->conn, "the controller is ending");
    explain_free(c->explain);
}
