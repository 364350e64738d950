/* databases.c - the controller's copies of the switch's database and of the southbound one, and what a change in them makes due.
 *
 * Room 5 of docs/architecture.md, the controller's end. A hypervisor has a thousand tunnels and hears of a thousand chassis: what is due is said
 * as narrowly as the row that changed allows, since most changes of the switch's database are our own.
 */
#include "controller/controller_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "net/addr.h"
#include "ovsdb/client/source.h"
#include "rows/ovs.h"
#include "rows/sb.h"

LOG_MODULE(databases);

static const char *const ovs_tables[] = {"Open_vSwitch", "Bridge", "Port", "Interface", NULL};
static const char *const sb_tables[] = {"Chassis",
                                        "Chassis_Private",
                                        "Encap",
                                        "Datapath_Binding",
                                        "Port_Binding",
                                        "Logical_Flow",
                                        "Logical_DP_Group",
                                        "Multicast_Group",
                                        "MAC_Binding",
                                        "Static_MAC_Binding",
                                        "Address_Set",
                                        "Port_Group",
                                        "SB_Global",
                                        "FDB",
                                        "DNS",
                                        "Controller_Event",
                                        "HA_Chassis",
                                        "HA_Chassis_Group",
                                        "Gateway_Chassis",
                                        "Meter",
                                        "Meter_Band",
                                        "Load_Balancer",
                                        "Service_Monitor",
                                        NULL};

/* Only columns that are used, so that statistics do not wake us, and names of stages and northbound rows, which explain.c asks for, are not
 * copied for each logical flow. Tables that are not named, those of the other database among them, are copied whole. */
static void set_columns(struct replica_source *source)
{
    static const struct {
        const char *table;
        const char *columns[9];
    } wanted[] = {
        {"Logical_Flow",
         {"logical_datapath", "logical_dp_group", "pipeline", "table_id", "priority", "match",
          "actions", "controller_meter", NULL}},
        {"Open_vSwitch", {"external_ids", "bridges", "iface_types", NULL}},
        {"Bridge",
         {"name", "ports", "fail_mode", "datapath_type", "external_ids", "other_config", NULL}},
        {"Port", {"name", "interfaces", "external_ids", NULL}},
        {"Interface",
         {"name", "type", "ofport", "options", "external_ids", "bfd", "bfd_status", NULL}},
    };
    for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
        ovsdb_client_source_set_columns(source, wanted[i].table, wanted[i].columns);
}

/* --- The switch's database */

static bool column_differs(const struct change *c, size_t column)
{
    const struct datum *before = c->before->values[column], *after = c->after->values[column];
    return before != after && !datum_equal(before, after);
}

static bool text_differs(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) != 0 : a != b;
}

/* Not what we write ourselves: progress and numbers on the bridge, ovn-installed on an interface. */
static bool is_news(const struct change *c)
{
    if (!c->before || !c->after)
        return true;
    const struct schema_table *table = c->after->table;
    for (size_t i = 0; i < table->n_columns; i++) {
        if (table->index == OVS_TABLE_BRIDGE && i == OVS_BRIDGE_COL_EXTERNAL_IDS)
            continue;
        if (!column_differs(c, i))
            continue;
        if (table->index != OVS_TABLE_INTERFACE || i != OVS_INTERFACE_COL_EXTERNAL_IDS ||
            text_differs(
                ovs_interface_external_ids_value(ovs_interface_cast(c->before), "iface-id"),
                ovs_interface_external_ids_value(ovs_interface_cast(c->after), "iface-id")))
            return true;
    }
    return false;
}

/* What is registered is said by the one row alone, and ports come and go. */
static void note_ovs_row(struct controller *c, const struct change *change)
{
    const struct row *row = change->after ? change->after : change->before;
    c->is_local_changed = true;
    hypervisor_row_changed(&c->hypervisor, change);
    c->is_register_due |= row->table->index == OVS_TABLE_OPEN_VSWITCH;
    c->are_tunnels_due |= c->is_register_due; /* its options may be other */
}

static void on_ovs_change(void *c_, const struct changeset *cs)
{
    struct controller *c = c_;
    c->ovs_updates++;
    for (size_t i = 0; i < cs->n; i++)
        if (is_news(&cs->changes[i]))
            note_ovs_row(c, &cs->changes[i]);
    c->ids.has_news = true; /* perhaps that they are saved */
    controller_wake(c);
}

static void on_ovs_status(void *c_)
{
    struct controller *c = c_;
    if (replica_is_ready(c->ovs) && !c->ovs_loaded) {
        log_info("switch database at %s is here", c->switch_db);
        c->ovs_loaded = c->is_local_changed = c->is_register_due = true;
    }
    controller_wake(c);
}

/* --- The southbound database */

/* Such a row makes no flow (translate/neighbor.c), and would be missed in silence. */
static void warn_of_neighbor(const struct sb_mac_binding *row)
{
    static struct log_rate rate = LOG_RATE(5, 1);
    const char *ip = sb_mac_binding_ip(row), *mac = sb_mac_binding_mac(row);
    struct ip_addr ip_addr;
    struct mac mac_addr;
    if (ip_addr_parse(ip, &ip_addr) || mac_parse(mac, &mac_addr))
        log_warn_limited(&rate, "MAC_Binding of port %s: bad address or MAC (\"%s\", \"%s\")",
                         sb_mac_binding_logical_port(row), ip, mac);
}

/* A row of Chassis that is ours, or was, or may become it. */
static bool is_about_us(const struct controller *c, const struct row *row)
{
    const struct fact_self *self = c->hypervisor.has_self ? &c->hypervisor.self : NULL;
    const char *name = sb_chassis_name(sb_chassis_cast(row));
    return (self && uuid_equal(&self->chassis, &row->uuid)) ||
           (c->config.system_id && !strcmp(name, c->config.system_id));
}

static void note_row(struct controller *c, const struct row *row)
{
    switch (row->table->index) {
    case SB_TABLE_PORT_BINDING:
        binding_row_changed(&c->binding, &row->uuid);
        break;
    case SB_TABLE_CHASSIS:
        if (is_about_us(c, row))
            c->is_local_changed = c->is_register_due = true;
        break;
    case SB_TABLE_ENCAP:
        c->is_register_due = true;
        break;
    default:
        break;
    }
}

/* Our row in Chassis_Private has more to say than how far we are. */
static bool is_private_news(const struct change *c)
{
    return !c->before || !c->after || column_differs(c, SB_CHASSIS_PRIVATE_COL_CHASSIS) ||
           column_differs(c, SB_CHASSIS_PRIVATE_COL_NAME);
}

static void on_sb_change(void *c_, const struct changeset *cs)
{
    struct controller *c = c_;
    c->sb_updates++;
    for (size_t i = 0; i < cs->n; i++) {
        const struct change *change = &cs->changes[i];
        int table = (change->after ? change->after : change->before)->table->index;
        sb_index_change(&c->index, change);
        if (change->before && (!change->after || table == SB_TABLE_CHASSIS))
            note_row(c, change->before);
        if (change->after)
            note_row(c, change->after);
        if (table == SB_TABLE_CHASSIS_PRIVATE)
            c->is_register_due |= is_private_news(change);
        if (change->after && table == SB_TABLE_MAC_BINDING)
            warn_of_neighbor(sb_mac_binding_cast(change->after));
    }
    for (size_t i = 0; c->pinctrl && i < cs->n; i++)
        pinctrl_row_changed(c->pinctrl, &cs->changes[i]);
    controller_wake(c);
}

static void on_sb_status(void *c_)
{
    struct controller *c = c_;
    if (replica_is_ready(c->sb) && !c->sb_loaded) {
        log_info("southbound database at %s is here", c->sb_remote);
        c->sb_loaded = c->is_local_changed = c->is_register_due = true;
    }
    controller_wake(c);
}

static void on_watched(void *c_, const struct uuid *port)
{
    struct controller *c = c_;
    scope_found(&c->scope, port);
    controller_wake(c);
}

static struct replica *open_replica(struct controller *c, const char *remote,
                                    const struct schema *schema, const char *const *tables,
                                    struct replica_source **source)
{
    struct stream_options stream = {
        .rundir = c->rundir, .tls = c->options.tls, .default_port = TARGET_PORT_OVSDB};
    *source = ovsdb_client_source_new(c->options.loop, remote);
    ovsdb_client_source_set_stream(*source, &stream);
    set_columns(*source);
    struct replica_options options = {.env = c->env, .schema = schema, .tables = tables};
    return replica_new(&options, *source);
}

void controller_close_sb(struct controller *c)
{
    writer_set_replica(&c->sb_writer, NULL);
    writer_set_replica(&c->mac_writer, NULL);
    feed_free(c->feed);
    c->feed = NULL;
    replica_free(c->sb);
    c->sb = NULL;
    sb_index_clear(&c->index);
    if (c->pinctrl)
        pinctrl_forget(c->pinctrl);
    binding_check_all(&c->binding);
    free(c->sb_remote);
    c->sb_remote = NULL;
    c->sb_loaded = false;
    c->scope.source = NULL;
}

void controller_open_sb(struct controller *c, const char *remote)
{
    log_info("southbound database: %s", remote);
    c->sb_remote = xstrdup(remote);
    c->sb = open_replica(c, remote, c->sb_schema, sb_tables, &c->sb_source);
    if (c->config.probe_ms >= 0)
        ovsdb_client_source_set_probe_interval(c->sb_source, (int)c->config.probe_ms);
    c->is_complete = c->has_arrived = false;
    scope_clear(&c->scope);
    c->scope.source = c->sb_source;
    ovsdb_client_source_on_watched(c->sb_source, on_watched, c);
    scope_update(&c->scope, &c->config, &c->program, c->inc, c->sb, NULL);
    c->is_register_due = true;
    replica_set_status_observer(c->sb, on_sb_status, c);
    c->feed = feed_new(c->inc, c->sb, &c->program.names);
    program_feed(&c->program, c->feed);
    feed_start(c->feed, on_sb_change, c);
    writer_set_replica(&c->sb_writer, c->sb);
    writer_set_replica(&c->mac_writer, c->sb);
}

void controller_open_switch_db(struct controller *c)
{
    c->ovs = open_replica(c, c->switch_db, c->ovs_schema, ovs_tables, &c->ovs_source);
    writer_set_replica(&c->ovs_writer, c->ovs);
    replica_set_observer(c->ovs, on_ovs_change, c);
    replica_set_status_observer(c->ovs, on_ovs_status, c);
}
