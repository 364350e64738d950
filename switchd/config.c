/* config.c - see config.h: from the rows of the database to running bridges. */
#include "switchd/config.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "rows/ovs.h"
#include "switchd/forward/forwarder.h"
#include "switchd/ofserver.h"
#include "switchd/port/chores.h"

LOG_MODULE(config);

enum { RETRY_MS = 1000, PROBE_DEFAULT_MS = 5000, CHANGED_MAX = 1024 };

/* ---- reading ---- */

const struct row *config_ref(const struct config *config, int table, const struct uuid *uuid)
{
    return replica_row_find(config->db, &config->schema->tables[table], uuid);
}

void config_each(const struct config *config, const struct datum *refs, int table,
                 void (*fn)(void *aux, const struct row *row), void *aux)
{
    for (uint32_t i = 0; i < refs->n; i++) {
        const struct row *row = config_ref(config, table, &refs->atoms[i].uuid);
        if (row)
            fn(aux, row);
    }
}

const struct row *config_root(const struct config *config)
{
    size_t pos = 0;
    return replica_next_row(config->db, &config->schema->tables[OVS_TABLE_OPEN_VSWITCH], &pos);
}

const char *config_error(const struct config *config, const char *interface)
{
    for (size_t i = 0; i < config->errors.n; i++) {
        if (!strcmp(config->errors.data[i].name, interface))
            return config->errors.data[i].text;
    }
    return NULL;
}

static void errors_clear(struct config *config)
{
    for (size_t i = 0; i < config->errors.n; i++) {
        free(config->errors.data[i].name);
        free(config->errors.data[i].text);
    }
    vec_clear(&config->errors);
}

void config_error_add(struct config *config, const char *name, const char *text)
{
    if (config_error(config, name))
        return;

    struct port_error e = {xstrdup(name), xstrdup(text)};
    vec_push(&config->errors, e);
}

void config_read_smap(struct smap *map, const struct datum *d)
{
    smap_clear(map);
    const union atom *values = datum_values(d);
    for (uint32_t i = 0; i < d->n; i++)
        smap_set(map, d->atoms[i].string->s, values[i].string->s);
}

/* ---- bridges ---- */

static uint64_t datapath_id(const struct bridge *br, const struct ovs_bridge *row)
{
    const char *text = ovs_bridge_other_config_value(row, "datapath-id");
    uint64_t id;
    if (text && !text_to_u64(text, 16, &id) && id)
        return id;
    struct mac mac;
    text = ovs_bridge_other_config_value(row, "hwaddr");
    if (text && !mac_parse(text, &mac))
        return mac_to_u64(mac);
    const struct vport *local = bridge_port(br, PORT_LOCAL);
    if (local && local->dev && !mac_is_zero(local->dev->status.mac))
        return mac_to_u64(local->dev->status.mac);
    text = ovs_bridge_datapath_id(row);
    if (text && !text_to_u64(text, 16, &id) && id)
        return id;
    return (uint64_t)uuid_prefix32(ovs_bridge_uuid(row)) | 0x020000000000;
}

struct controllers {
    VEC(struct ofcontroller_config) configs;
};

static void want_controller(void *controllers_, const struct row *row_)
{
    struct controllers *c = controllers_;
    const struct ovs_controller *row = ovs_controller_cast(row_);
    struct ofcontroller_config config = {.target = ovs_controller_target(row),
                                         .probe_ms = ovs_controller_inactivity_probe_present(row)
                                                         ? ovs_controller_inactivity_probe(row)
                                                         : PROBE_DEFAULT_MS,
                                         .max_backoff_ms =
                                             ovs_controller_max_backoff_present(row)
                                                 ? MAX(ovs_controller_max_backoff(row), 1000)
                                                 : 8000};
    vec_push(&c->configs, config);
}

static void apply_controllers(struct config *config, struct bridge *br,
                              const struct ovs_bridge *row)
{
    struct controllers c = {VEC_INIT};
    if (!config->vs->restore_wait)
        config_each(config, ovs_bridge_controller(row), OVS_TABLE_CONTROLLER, want_controller, &c);
    if (br->of)
        ofserver_set_controllers(br->of, c.configs.data, c.configs.n);
    vec_fini(&c.configs);
}

static struct bridge *bridge_open(struct config *config, const char *name)
{
    struct bridge *br = bridge_new(config->vs, name);
    char *target = xasprintf("punix:%s/%s.mgmt", config->vs->rundir, name);
    struct diag diag = DIAG_INIT;
    if (ofserver_new(br, config->manage_sockets ? target : NULL, &br->of, &diag))
        log_err("bridge %s: %s", name, diag_text(&diag));
    diag_fini(&diag);
    char *snoop = xasprintf("punix:%s/%s.snoop", config->vs->rundir, name);
    if (br->of && config->manage_sockets && ofserver_listen_snoop(br->of, snoop, &diag))
        log_err("bridge %s: %s", name, diag_text(&diag));
    diag_fini(&diag);
    free(snoop);
    free(target);
    log_info("created bridge %s", name);
    return br;
}

/* The number from MIN to MAX that KEY has, OTHERWISE if it has none; one that cannot be is told. */
static int64_t read_number(const struct smap *other, const char *key, int64_t min, int64_t max,
                           int64_t otherwise)
{
    static struct log_rate rate = LOG_RATE(1, 20);
    const char *text = smap_get_or(other, key, "");
    int64_t x = smap_get_int(other, key, *text ? min - 1 : otherwise);
    if (x >= min && x <= max)
        return x;
    log_warn_limited(&rate, "other_config: bad value for %s: %s (wanted: %lld to %lld); it is %lld",
                     key, text, (long long)min, (long long)max, (long long)otherwise);
    return otherwise;
}

static void apply_bridge(void *config_, const struct row *row_)
{
    struct config *config = config_;
    const struct ovs_bridge *row = ovs_bridge_cast(row_);
    const char *name = ovs_bridge_name(row);
    if (strchr(name, '/') || !*name || !strcmp(name, ".") || !strcmp(name, "..")) {
        log_warn("ignoring bridge with invalid name \"%s\"", name);
        return;
    }
    struct bridge *br = vswitch_bridge(config->vs, name);
    if (!br)
        br = bridge_open(config, name);
    config_apply_ports(config, br, row_);
    br->datapath_id = datapath_id(br, row);
    const char *fail_mode = ovs_bridge_fail_mode(row);
    br->secure = fail_mode && !strcmp(fail_mode, "secure");
    struct smap other = SMAP_INIT;
    config_read_smap(&other, ovs_bridge_other_config(row));
    mac_table_configure(&br->macs, read_number(&other, "mac-aging-time", 0, INT32_MAX, 300) * 1000,
                        read_number(&other, "mac-table-size", 0, INT32_MAX, 8192));
    bool forward_bpdu = smap_get_bool(&other, "forward-bpdu", false);
    if (forward_bpdu != br->forward_bpdu)
        vswitch_invalidate(br->vs);
    br->forward_bpdu = forward_bpdu;
    smap_fini(&other);
    config_apply_tables(config, br, row_);
    apply_controllers(config, br, row);
    config_apply_mirrors(config, br, row_);
    config_apply_exports(config, br, row_);
    config_apply_inband(config, br, row_);
    if (!config->vs->restore_wait) /* else nothing shall mix with what is being restored */
        bridge_apply_fail_mode(br);
}

struct bridge_search {
    const char *name;
    bool found;
};

static void match_bridge(void *search_, const struct row *row)
{
    struct bridge_search *search = search_;
    search->found |= !strcmp(ovs_bridge_name(ovs_bridge_cast(row)), search->name);
}

static void remove_bridges(struct config *config, const struct row *root)
{
    struct bridge *br, *next;
    LIST_FOR_EACH_SAFE (br, next, node, &config->vs->bridges) {
        struct bridge_search search = {br->name, false};
        if (root)
            config_each(config, ovs_open_vswitch_bridges(ovs_open_vswitch_cast(root)),
                        OVS_TABLE_BRIDGE, match_bridge, &search);
        if (!search.found) {
            log_info("deleted bridge %s", br->name);
            config_ports_forget(config, br);
            bridge_free(br);
        }
    }
}

/* Open_vSwitch.other_config: how long unfinished bundles stay (s, at least 1), how often statistics are written (ms, at least 5000),
 * how many threads forward packets, for how long they look for more, and whether flows are being restored: a switch that starts so neither
 * forwards nor talks to controllers until they are. */
static void apply_options(struct config *config, const struct row *root)
{
    struct smap other = SMAP_INIT;
    if (root)
        config_read_smap(&other, ovs_open_vswitch_other_config(ovs_open_vswitch_cast(root)));
    config->vs->bundle_idle_ms = 1000 * MAX(read_number(&other, "bundle-idle-timeout", 0, INT32_MAX,
                                                        BUNDLE_IDLE_DEFAULT_MS / 1000),
                                            1);
    if (forwarders_set(&config->vs->host,
                       (unsigned)read_number(&other, "n-handler-threads", 1, FORWARDERS_MAX, 1)))
        port_refresh_all(config->vs);
    if (!config->vs->host.dummy_override) /* clocks of tests stand still meanwhile */
        busy_poll_set(&config->vs->host.poll,
                      read_number(&other, "busy-poll-usecs", 0, BUSY_POLL_US_MAX, BUSY_POLL_US));
    bool wait = smap_get_bool(&other, "flow-restore-wait", false);
    config->vs->restore_wait = wait && (!config->applied || config->vs->restore_wait);
    config->statistics_ms =
        MAX(read_number(&other, "stats-update-interval", 0, INT32_MAX, STATISTICS_MS),
            (int64_t)STATISTICS_MS);
    config->statistics_at_ms =
        MIN(config->statistics_at_ms, env_now_ms(config->vs->env) + config->statistics_ms);
    smap_fini(&other);
}

static void apply(void *config_)
{
    struct config *config = config_;
    if (!replica_is_ready(config->db) || !replica_has_lock(config->db))
        return;
    const struct row *root = config_root(config);
    errors_clear(config);
    config_apply_tls(config, root);
    apply_options(config, root);
    remove_bridges(config, root);
    if (root)
        config_each(config, ovs_open_vswitch_bridges(ovs_open_vswitch_cast(root)), OVS_TABLE_BRIDGE,
                    apply_bridge, config);
    config_apply_ct(config, root);
    config->applied = true;
    config->links_changed = config->is_all_changed = false;
    vec_clear(&config->changed);
    config->retry_at_ms = env_now_ms(config->vs->env) + RETRY_MS;
    status_write(config);
}

/* ---- life ---- */

void config_schedule(struct config *config)
{
    config->is_all_changed = true;
    deferred_schedule(&config->apply);
}

void config_device_changed(struct config *config, const char *name)
{
    config_ports_device_changed(config, name);
    deferred_schedule(&config->apply);
}

/* Columns, of whatever table, that nothing is made from: what others keep for themselves, and what status.c writes (each second too, so that
 * what somebody else writes there does not stay). */
static bool is_read(const struct schema_column *column)
{
    static const char *const others[] = {
        "external_ids", "statistics",       "status",       "bfd_status", "error",      "ofport",
        "admin_state",  "link_state",       "link_speed",   "duplex",     "mac_in_use", "mtu",
        "ifindex",      "datapath_version", "is_connected", "role",       "cur_cfg",
    };
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        if (!strcmp(column->name, others[i]))
            return false;
    return true;
}

void config_note_row(struct config *config, const struct uuid *uuid)
{
    if (config->changed.n < CHANGED_MAX)
        vec_push(&config->changed, *uuid);
    else
        config->is_all_changed = true;
}

static bool is_of_ports(int table)
{
    return table == OVS_TABLE_PORT || table == OVS_TABLE_INTERFACE;
}

/* A row that came or went: those of ports, and of what they have, do so with a change of what names them. */
static bool note_row(struct config *config, const struct schema_table *table)
{
    if (!is_of_ports(table->index) && table->index != OVS_TABLE_QOS &&
        table->index != OVS_TABLE_QUEUE)
        config->is_all_changed = true;
    return true;
}

/* Notes for the next pass what C asks it to look at; false: nothing. Which ports a bridge has is compared there. */
static bool note_change(struct config *config, const struct change *c)
{
    const struct schema_table *table = (c->after ? c->after : c->before)->table;
    bool any = false, is_more = false;
    if (!c->before || !c->after)
        return note_row(config, table);
    for (size_t i = 0; i < table->n_columns; i++) {
        if (c->before->values[i] == c->after->values[i] || !is_read(&table->columns[i]))
            continue;
        any = true;
        is_more |= table->index != OVS_TABLE_BRIDGE || i != OVS_BRIDGE_COL_PORTS;
    }
    if (any && is_of_ports(table->index))
        config_note_row(config, &c->after->uuid);
    else
        config->is_all_changed |= is_more;
    return any;
}

static void on_change(void *config_, const struct changeset *cs)
{
    struct config *config = config_;
    bool any = false;
    for (size_t i = 0; i < cs->n; i++)
        any |= note_change(config, &cs->changes[i]);
    if (any)
        deferred_schedule(&config->apply);
}

static void on_status(void *config)
{
    config_schedule(config);
}

static void write_status(void *config_)
{
    struct config *config = config_;
    if (!deferred_is_scheduled(&config->apply)) /* else there is more to tell soon */
        status_write(config);
}

void config_init(struct config *config, struct vswitch *vs, struct replica *db,
                 const struct schema *schema)
{
    memset(config, 0, sizeof *config);
    config->vs = vs;
    config->db = db;
    config->schema = schema;
    config->manage_sockets = true;
    list_init(&config->ports);
    deferred_init(&config->apply, vs->loop, LOOP_LATER, apply, config);
    deferred_init(&config->show, vs->loop, LOOP_LATER, write_status, config);
    replica_set_observer(db, on_change, config);
    replica_set_status_observer(db, on_status, config);
    chores_set_observer(vs->host.chores, write_status, config);
    config_schedule(config);
}

void config_fini(struct config *config)
{
    replica_set_observer(config->db, NULL, NULL);
    replica_set_status_observer(config->db, NULL, NULL);
    chores_set_observer(config->vs->host.chores, NULL, NULL);
    deferred_cancel(&config->apply);
    deferred_cancel(&config->show);
    config_ports_fini(config);
    vec_fini(&config->changed);
    errors_clear(config);
    vec_fini(&config->errors);
    vec_fini(&config->ct_zones);
    free(config->tls_texts);
}

void config_tick(struct config *config)
{
    if (!config->applied)
        return;
    int64_t now_ms = env_now_ms(config->vs->env);
    bool gone = false;
    config->look_at_all = true;
    struct bridge *br;
    LIST_FOR_EACH (br, node, &config->vs->bridges) {
        struct vport *port;
        HMAP_FOR_EACH (port, by_no, &br->ports)
            gone |= config_port_is_gone(port);
    }
    if (gone)
        config_schedule(config);
    else if (config->links_changed || (config->errors.n && now_ms >= config->retry_at_ms))
        deferred_schedule(&config->apply);
    else if (!deferred_is_scheduled(
                 &config->apply)) /* else the database is ahead of what is in force */
        status_write(config);
}
