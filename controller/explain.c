/* explain.c - the command "explain COOKIE": from a flow of the switch back to where it comes from. Beside the rooms of docs/architecture.md.
 *
 * A flow's cookie is the first 32 bits of the uuid of the southbound row that made it; of a logical flow, external_ids:stage-hint is the
 * same of its northbound row. Several rows may share 32 bits: all are told.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/uuid.h"
#include "controller/controller_internal.h"

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

static void put_lflow(struct str *out, const struct controller *c, const struct row *row)
{
    const struct sb_logical_flow *f = sb_logical_flow_cast(row);
    const struct uuid *dp = sb_logical_flow_logical_datapath(f),
                      *group = sb_logical_flow_logical_dp_group(f);
    const char *stage = sb_logical_flow_external_ids_value(f, "stage-name");
    const char *hint = sb_logical_flow_external_ids_value(f, "stage-hint");
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

static bool put_table(struct str *out, const struct controller *c, const char *name,
                      uint32_t cookie)
{
    bool found = false;
    const struct row *row;
    REPLICA_FOR_EACH(row, pos, c->sb, replica_table(c->sb, name))
    {
        if (uuid_prefix32(&row->uuid) != cookie)
            continue;
        char text[UUID_TEXT_LEN + 1];
        const char *label = name_of(row);
        found = true;
        str_putf(out, "%s %s%s%s\n", name, uuid_print(&row->uuid, text), label ? " " : "",
                 label ? label : "");
        if (row->table->index == SB_TABLE_LOGICAL_FLOW)
            put_lflow(out, c, row);
    }
    return found;
}

void control_explain(struct unixctl_conn *conn, int argc UNUSED, const char *argv[], void *c_)
{
    static const char *const tables[] = {
        "Logical_Flow", "Port_Binding", "Multicast_Group",    "Load_Balancer",
        "MAC_Binding",  "FDB",          "Static_MAC_Binding",
    };
    const struct controller *c = c_;
    char *end;
    unsigned long long cookie = strtoull(argv[1], &end, 16);
    struct str text = STR_INIT;
    bool found = false;
    if (end == argv[1] || *end || cookie > UINT32_MAX) {
        unixctl_error(conn, "a cookie is a hexadecimal number of 32 bits, as in 0x1a2b3c4d");
        return;
    }
    for (size_t i = 0; c->sb && i < ARRAY_SIZE(tables); i++)
        found |= put_table(&text, c, tables[i], (uint32_t)cookie);
    if (found)
        unixctl_reply(conn, str_c(&text));
    else
        unixctl_error(conn, cookie ? "no row of the southbound database has this number"
                                   : "flows with cookie 0 do not come from a row: they tie "
                                     "the pipelines together");
    str_fini(&text);
}
