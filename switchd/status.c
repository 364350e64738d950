/* status.c - see config.h: what the bridges are like, into the database. Only what differs is written,
 * in one transaction; while one is on its way the next waits. An interface that showed its port at the last look
 * is looked at each second only, a slice at a time between packets: one port more of a thousand costs no more than one of ten. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "rows/ovs.h"
#include "switchd/bfd/bfd.h"
#include "switchd/config.h"
#include "switchd/ofserver.h"
#include "switchd/port/chores.h"

LOG_MODULE(status);

struct pass {
    struct config *config;
    struct replica_txn *txn;
    bool statistics; /* they are due */
    struct show_round round;
    bool has_more; /* the round is not over */
    size_t n_put;
    struct bridge *br;
};

/* Takes over VALUE; writes it if the row holds something else. */
static void put(struct pass *pass, const struct row *row, int column, const struct datum *value)
{
    const struct schema_column *c = &row->table->columns[column];
    if (!datum_equal(row_get(row, c), value)) {
        replica_txn_set(pass->txn, row->table, &row->uuid, c, value);
        pass->n_put++;
        return;
    }
    datum_unref(value);
}

static void put_optional_integer(struct pass *pass, const struct row *row, int column,
                                 int64_t value, bool present)
{
    put(pass, row, column,
        present ? datum_new_integer(value) : datum_new_empty(ATOM_INTEGER, DATUM_SET));
}

static void put_optional_text(struct pass *pass, const struct row *row, int column,
                              const char *text)
{
    put(pass, row, column, text ? datum_new_string(text) : datum_new_empty(ATOM_STRING, DATUM_SET));
}

static void put_statistics(struct pass *pass, const struct row *row, const struct port_stats *s)
{
    const struct {
        const char *name;
        uint64_t value;
    } all[] = {
        {"rx_packets", s->rx_packets}, {"rx_bytes", s->rx_bytes},     {"rx_dropped", s->rx_dropped},
        {"rx_errors", s->rx_errors},   {"tx_packets", s->tx_packets}, {"tx_bytes", s->tx_bytes},
        {"tx_dropped", s->tx_dropped}, {"tx_errors", s->tx_errors},
    };
    union atom keys[ARRAY_SIZE(all)], values[ARRAY_SIZE(all)];
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        keys[i].string = rstr_new(all[i].name);
        values[i].integer = (int64_t)all[i].value;
    }
    put(pass, row, OVS_INTERFACE_COL_STATISTICS,
        datum_new_map(ATOM_STRING, ATOM_INTEGER, keys, values, ARRAY_SIZE(all)));
}

/* Of a column that maps texts to texts. */
static void put_texts(struct pass *pass, const struct row *row, int column, const struct smap *map)
{
    size_t n = map->entries.n;
    union atom *atoms = xcalloc(2 * n + 1, sizeof *atoms);
    for (size_t i = 0; i < n; i++) {
        atoms[i].string = rstr_new(map->entries.data[i].key);
        atoms[n + i].string = rstr_new(map->entries.data[i].value);
    }
    put(pass, row, column, datum_new_map(ATOM_STRING, ATOM_STRING, atoms, atoms + n, n));
    free(atoms);
}

/* Interface.status: how packets cross, and whose device it is. */
static void put_device_status(struct pass *pass, const struct row *row, const struct vport *port)
{
    const struct port_status *s = port->dev ? &port->dev->status : NULL;
    struct smap texts = SMAP_INIT;
    if (s && s->packet_io)
        smap_set(&texts, "packet_io", s->packet_io);
    if (s && s->ifindex) {
        smap_set(&texts, "driver_name", port->dev->driver.name);
        smap_set(&texts, "driver_version", port->dev->driver.version);
        smap_set(&texts, "firmware_version", port->dev->driver.firmware);
    }
    put_texts(pass, row, OVS_INTERFACE_COL_STATUS, &texts);
    smap_fini(&texts);
}

static void put_device(struct pass *pass, const struct row *row, const struct vport *port,
                       bool statistics)
{
    const struct port_status *s = port->dev ? &port->dev->status : NULL;
    bool has_device = s && s->ifindex;
    struct str mac = STR_INIT;
    if (s && !mac_is_zero(s->mac))
        mac_put(&mac, s->mac);
    put_optional_text(pass, row, OVS_INTERFACE_COL_MAC_IN_USE, mac.n ? str_c(&mac) : NULL);
    str_fini(&mac);
    bool up = s ? s->link_up : vport_peer(port) != NULL;
    put_optional_text(pass, row, OVS_INTERFACE_COL_ADMIN_STATE, !s || s->admin_up ? "up" : "down");
    put_optional_text(pass, row, OVS_INTERFACE_COL_LINK_STATE, up ? "up" : "down");
    put_optional_integer(pass, row, OVS_INTERFACE_COL_MTU, s ? s->mtu : 0, s && s->mtu);
    put_optional_integer(pass, row, OVS_INTERFACE_COL_IFINDEX, s ? s->ifindex : 0, has_device);
    put_optional_integer(pass, row, OVS_INTERFACE_COL_LINK_SPEED,
                         s ? (int64_t)s->speed_mbps * 1000000 : 0, s && s->speed_mbps);
    put_optional_text(pass, row, OVS_INTERFACE_COL_DUPLEX,
                      s && s->speed_mbps ? s->full_duplex ? "full" : "half" : NULL);
    put_optional_integer(pass, row, OVS_INTERFACE_COL_LINK_RESETS, (int64_t)port->link_resets,
                         true);
    struct smap texts = SMAP_INIT;
    bfd_status(port->bfd, &texts);
    put_texts(pass, row, OVS_INTERFACE_COL_BFD_STATUS, &texts);
    smap_fini(&texts);
    if (statistics || !ovs_interface_status(ovs_interface_cast(row))->n)
        put_device_status(pass, row, port);
    if (statistics) {
        struct port_stats stats = vport_stats(port);
        put_statistics(pass, row, &stats);
    }
}

/* True when there was nothing to write. */
static bool write_interface(void *pass_, const struct row *row, bool statistics)
{
    struct pass *pass = pass_;
    const char *name = ovs_interface_name(ovs_interface_cast(row));
    struct vport *port = bridge_port_named(pass->br, name);
    size_t n_put = pass->n_put;
    pass->config->n_shown++;
    put_optional_text(pass, row, OVS_INTERFACE_COL_ERROR, config_error(pass->config, name));
    int64_t ofport = port ? (int64_t)port_to_16(port->ofport) : -1;
    put_optional_integer(pass, row, OVS_INTERFACE_COL_OFPORT, ofport, true);
    if (port)
        put_device(pass, row, port, statistics);
    return n_put == pass->n_put;
}

/* Seconds since AT_MS, unless that has never been. */
static void set_age(struct smap *map, const char *key, int64_t now_ms, int64_t at_ms)
{
    if (!at_ms)
        return;
    char *text = xasprintf("%" PRId64, (now_ms - at_ms) / 1000);
    smap_set(map, key, text);
    free(text);
}

static void put_controller_status(struct pass *pass, const struct row *row,
                                  const struct ofcontroller_status *s)
{
    struct smap texts = SMAP_INIT;
    int64_t now_ms = env_now_ms(pass->config->vs->env);
    smap_set(&texts, "state", s->state);
    if (s->last_error)
        smap_set(&texts, "last_error", s->last_error);
    set_age(&texts, "sec_since_connect", now_ms, s->connected_ms);
    set_age(&texts, "sec_since_disconnect", now_ms, s->disconnected_ms);
    put_texts(pass, row, OVS_CONTROLLER_COL_STATUS, &texts);
    smap_fini(&texts);
}

static void write_controller(void *pass_, const struct row *row)
{
    struct pass *pass = pass_;
    struct ofcontroller_status all[64];
    size_t n = pass->br->of ? ofserver_controllers(pass->br->of, all, ARRAY_SIZE(all)) : 0;
    for (size_t i = 0; i < n; i++) {
        if (strcmp(all[i].target, ovs_controller_target(ovs_controller_cast(row))))
            continue;
        put(pass, row, OVS_CONTROLLER_COL_IS_CONNECTED, datum_new_boolean(all[i].connected));
        put_optional_text(pass, row, OVS_CONTROLLER_COL_ROLE,
                          all[i].connected ? all[i].role : NULL);
        if (pass->statistics && all[i].state)
            put_controller_status(pass, row, &all[i]);
    }
}

static void write_mirror(void *pass_, const struct row *row)
{
    struct pass *pass = pass_;
    for (size_t i = 0; i < pass->br->mirrors.n; i++) {
        const struct mirror *m = &pass->br->mirrors.list[i];
        if (!uuid_equal(&m->uuid, &row->uuid))
            continue;
        union atom keys[2] = {{.string = rstr_new("tx_bytes")}, {.string = rstr_new("tx_packets")}};
        union atom values[2] = {{.integer = (int64_t)m->n_bytes},
                                {.integer = (int64_t)m->n_packets}};
        put(pass, row, OVS_MIRROR_COL_STATISTICS,
            datum_new_map(ATOM_STRING, ATOM_INTEGER, keys, values, 2));
    }
}

static void write_bridge(void *pass_, const struct row *row)
{
    struct pass *pass = pass_;
    const struct ovs_bridge *bridge = ovs_bridge_cast(row);
    pass->br = vswitch_bridge(pass->config->vs, ovs_bridge_name(bridge));
    if (!pass->br)
        return;
    char *id = xasprintf("%016" PRIx64, pass->br->datapath_id);
    put_optional_text(pass, row, OVS_BRIDGE_COL_DATAPATH_ID, id);
    free(id);
    put(pass, row, OVS_BRIDGE_COL_DATAPATH_VERSION, datum_new_string("<built-in>"));
    pass->has_more |=
        config_show_ports(pass->config, pass->br, &pass->round, write_interface, pass);
    if (pass->statistics)
        config_each(pass->config, ovs_bridge_mirrors(bridge), OVS_TABLE_MIRROR, write_mirror, pass);
    config_each(pass->config, ovs_bridge_controller(bridge), OVS_TABLE_CONTROLLER, write_controller,
                pass);
}

/* What clients may rely on. */
static void write_capabilities(struct pass *pass, const struct row *row)
{
    static const char *const all[][2] = {
        {"check_pkt_len", "true"}, {"clone", "true"},         {"ct_clear", "true"},
        {"ct_eventmask", "false"}, {"ct_flush", "true"},      {"ct_label", "true"},
        {"ct_mark", "true"},       {"ct_orig_tuple", "true"}, {"ct_orig_tuple6", "true"},
        {"ct_state", "true"},      {"ct_state_nat", "true"},  {"ct_timeout", "true"},
        {"ct_zero_snat", "true"},  {"ct_zone", "true"},       {"max_hash_alg", "1"},
        {"recirc", "true"},        {"tnl_push_pop", "false"}, {"trunc", "true"},
    };
    union atom keys[ARRAY_SIZE(all)], values[ARRAY_SIZE(all)];
    for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
        keys[i].string = rstr_new(all[i][0]);
        values[i].string = rstr_new(all[i][1]);
    }
    put(pass, row, OVS_DATAPATH_COL_CAPABILITIES,
        datum_new_map(ATOM_STRING, ATOM_STRING, keys, values, ARRAY_SIZE(all)));
}

static const struct datum *texts(const char *const *list, size_t n)
{
    union atom atoms[16];
    for (size_t i = 0; i < n; i++)
        atoms[i].string = rstr_new(list[i]);
    return datum_new_set(ATOM_STRING, atoms, n);
}

static void write_root(struct pass *pass, const struct row *row)
{
    static const char *const datapaths[] = {"netdev", "system"};
    const char *types[16] = {"patch"};
    size_t n = 1;
    for (size_t i = 0; port_classes[i] && n < ARRAY_SIZE(types); i++)
        types[n++] = port_classes[i]->type;
    const struct ovs_open_vswitch *root = ovs_open_vswitch_cast(row);
    put(pass, row, OVS_OPEN_VSWITCH_COL_DATAPATH_TYPES, texts(datapaths, 2));
    put(pass, row, OVS_OPEN_VSWITCH_COL_IFACE_TYPES, texts(types, n));
    put(pass, row, OVS_OPEN_VSWITCH_COL_DPDK_INITIALIZED, datum_new_boolean(false));
    put(pass, row, OVS_OPEN_VSWITCH_COL_CUR_CFG,
        datum_new_integer(ovs_open_vswitch_next_cfg(root)));
    const struct datum *dps = ovs_open_vswitch_datapaths(root);
    for (uint32_t i = 0; i < dps->n; i++) {
        const struct row *dp =
            config_ref(pass->config, OVS_TABLE_DATAPATH, &datum_values(dps)[i].uuid);
        if (dp)
            write_capabilities(pass, dp);
    }
}

static void written(void *config_, int err, const char *error)
{
    static struct log_rate rate = LOG_RATE(5, 5);
    struct config *config = config_;
    config->writing = false;
    if (err && err != ERR_AGAIN)
        log_warn_limited(&rate, "could not write the state of the switch to the database: %s",
                         error ? error : err_text(err));
    if (config->write_again)
        deferred_schedule(&config->apply);
}

void status_write(struct config *config)
{
    config->write_again = config->writing;
    if (!chores_are_done(config->vs->host.chores)) /* then, by config.c */
        return;
    if (config->writing || !config->applied || !replica_is_ready(config->db) ||
        !replica_has_lock(config->db))
        return;
    const struct row *root = config_root(config);
    if (!root)
        return;
    int64_t now_ms = env_now_ms(config->vs->env);
    struct pass pass = {.config = config,
                        .txn = replica_txn_new(config->db),
                        .statistics = now_ms >= config->statistics_at_ms};
    pass.round = (struct show_round){.begins = config->look_at_all || pass.statistics,
                                     .has_statistics = pass.statistics,
                                     .slice = slice_begin(config->vs->env)};
    config->look_at_all = false;
    if (pass.statistics)
        config->statistics_at_ms = now_ms + config->statistics_ms;
    write_root(&pass, root);
    config_each(config, ovs_open_vswitch_bridges(ovs_open_vswitch_cast(root)), OVS_TABLE_BRIDGE,
                write_bridge, &pass);
    if (pass.has_more)
        deferred_schedule(&config->show);
    if (replica_txn_is_empty(pass.txn)) {
        replica_txn_free(pass.txn);
        return;
    }
    config->writing = true;
    replica_txn_commit(pass.txn, written, config);
}
