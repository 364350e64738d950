/* controller.c - see controller.h. Rooms 5 to 8, 11 and 12 of docs/architecture.md, tied together: one function, run, does after any change
 * what is due, in order, and may be called at any time.
 */
#include "controller/controller.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "controller/allocate/keep.h"
#include "controller/chassis/bridge.h"
#include "controller/chassis/register.h"
#include "controller/chassis/tunnels.h"
#include "controller/chassis/uplinks.h"
#include "controller/controller_internal.h"
#include "net/addr.h"
#include "ovsdb/client/source.h"
#include "rows/ovs.h"
#include "rows/sb.h"

LOG_MODULE(controller);

enum { SLICE_UNITS = 16, SLICE_US = 2000, LEAVE_MS = 1000, HEALTH_MS = 2000, FORGET_MS = 60000 };

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

static void wake(void *c_)
{
    struct controller *c = c_;
    deferred_schedule(&c->run);
}

/* --- Databases */

/* Only columns that are used, so that statistics do not wake us. */
static void set_ovs_columns(struct replica_source *source)
{
    static const struct {
        const char *table;
        const char *columns[8];
    } wanted[] = {
        {"Open_vSwitch", {"external_ids", "bridges", NULL}},
        {"Bridge",
         {"name", "ports", "fail_mode", "datapath_type", "external_ids", "other_config", NULL}},
        {"Port", {"name", "interfaces", "external_ids", NULL}},
        {"Interface",
         {"name", "type", "ofport", "options", "external_ids", "bfd", "bfd_status", NULL}},
    };
    for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
        ovsdb_client_source_set_columns(source, wanted[i].table, wanted[i].columns);
}

static void on_ovs_change(void *c_, const struct changeset *cs UNUSED)
{
    struct controller *c = c_;
    c->is_local_changed = true;
    wake(c);
}

static void on_ovs_status(void *c_)
{
    struct controller *c = c_;
    if (replica_is_ready(c->ovs) && !c->ovs_loaded) {
        log_info("switch database at %s is here", c->switch_db);
        c->ovs_loaded = c->is_local_changed = true;
    }
    wake(c);
}

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

static void on_sb_change(void *c_, const struct changeset *cs)
{
    struct controller *c = c_;
    for (size_t i = 0; i < cs->n; i++) {
        const struct change *change = &cs->changes[i];
        const struct row *row = change->after ? change->after : change->before;
        sb_index_change(&c->index, change);
        if (row->table->index == SB_TABLE_PORT_BINDING)
            binding_row_changed(&c->binding, &row->uuid);
        else if (row->table->index == SB_TABLE_CHASSIS)
            c->is_local_changed = true;
        else if (change->after && row->table->index == SB_TABLE_MAC_BINDING)
            warn_of_neighbor(sb_mac_binding_cast(row));
    }
    for (size_t i = 0; c->pinctrl && i < cs->n; i++)
        pinctrl_row_changed(c->pinctrl, &cs->changes[i]);
    wake(c);
}

static void on_sb_status(void *c_)
{
    struct controller *c = c_;
    if (replica_is_ready(c->sb) && !c->sb_loaded) {
        log_info("southbound database at %s is here", c->sb_remote);
        c->sb_loaded = c->is_local_changed = true;
    }
    wake(c);
}

static struct replica *open_replica(struct controller *c, const char *remote,
                                    const struct schema *schema, const char *const *tables,
                                    struct replica_source **source)
{
    struct stream_options stream = {
        .rundir = c->rundir, .tls = c->options.tls, .default_port = TARGET_PORT_OVSDB};
    *source = ovsdb_client_source_new(c->options.loop, remote);
    ovsdb_client_source_set_stream(*source, &stream);
    if (schema == c->ovs_schema)
        set_ovs_columns(*source);
    struct replica_options options = {.env = c->env, .schema = schema, .tables = tables};
    return replica_new(&options, *source);
}

static void close_sb(struct controller *c)
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
}

static void open_sb(struct controller *c, const char *remote)
{
    log_info("southbound database: %s", remote);
    c->sb_remote = xstrdup(remote);
    c->sb = open_replica(c, remote, c->sb_schema, sb_tables, &c->sb_source);
    if (c->config.probe_ms >= 0)
        ovsdb_client_source_set_probe_interval(c->sb_source, (int)c->config.probe_ms);
    c->is_complete = false;
    scope_update(&c->scope, &c->config, &c->program, c->inc, c->sb, NULL);
    replica_set_status_observer(c->sb, on_sb_status, c);
    c->feed = feed_new(c->inc, c->sb, &c->program.names);
    program_feed(&c->program, c->feed);
    feed_start(c->feed, on_sb_change, c);
    writer_set_replica(&c->sb_writer, c->sb);
    writer_set_replica(&c->mac_writer, c->sb);
}

/* --- Configuration */

static void on_confirmed(void *c_, uint64_t generation)
{
    struct controller *c = c_;
    progress_confirm(&c->progress, generation, env_wall_ms(c->env));
    if (installer_tunnel_option(c->installer) != c->tunnel_option)
        c->is_local_changed = true;
    wake(c);
}

static void resend_flow(const void *fact, void *c_);
static void resend_object(const void *fact, void *c_);

static void open_bridge(struct controller *c, const char *target)
{
    struct diag diag = DIAG_INIT;
    installer_free(c->installer);
    pinctrl_free(c->pinctrl);
    c->installer = NULL;
    c->pinctrl = NULL;
    free(c->bridge_target);
    c->bridge_target = xstrdup(target);
    struct installer_options install = {.loop = c->options.loop,
                                        .target = target,
                                        .rundir = c->rundir,
                                        .tls = c->options.tls,
                                        .blobs = &c->program.blobs};
    c->installer = installer_new(&install, on_confirmed, c, &diag);
    struct pinctrl_options pin = {.loop = c->options.loop,
                                  .target = target,
                                  .rundir = c->rundir,
                                  .tls = c->options.tls,
                                  .sb = &c->index,
                                  .actions = c->program.actions,
                                  .wake = wake,
                                  .aux = c};
    if (c->installer)
        c->pinctrl = pinctrl_new(&pin, &diag);
    if (!c->pinctrl)
        log_err("bridge %s: %s", target, diag_text(&diag));
    diag_fini(&diag);
    if (c->installer && c->generation) { /* another bridge gets what has been published */
        inc_for_each(c->inc, c->program.object, resend_object, c);
        inc_for_each(c->inc, c->program.oflow, resend_flow, c);
        installer_commit(c->installer, c->generation);
    }
}

static void apply_config(struct controller *c)
{
    if (!config_read(&c->config, c->ovs))
        return;
    const char *remote = c->config.remote;
    if (c->sb_remote ? !remote || strcmp(remote, c->sb_remote) : remote != NULL) {
        close_sb(c);
        if (remote)
            open_sb(c, remote);
    }
    char *target = c->config.bridge_remote
                       ? xstrdup(c->config.bridge_remote)
                       : xasprintf("unix:%s/%s.mgmt", c->rundir, c->config.bridge);
    if (!c->bridge_target || strcmp(target, c->bridge_target))
        open_bridge(c, target);
    free(target);
}

/* --- Publishing a settled state */

static void set_flow(struct controller *c, const struct oflow_key *key)
{
    struct inc_facts facts = inc_look(c->inc, c->program.oflow_by_key, key);
    uint64_t cookie;
    struct rstr *actions = flow_actions_of(&c->program.blobs, facts, &cookie);
    installer_set(c->installer, key, cookie, actions);
    rstr_unref(actions);
}

static void on_object(const void *fact, bool added, void *c_)
{
    const struct fact_object *o = fact;
    struct controller *c = c_;
    if (c->installer)
        installer_set_object(c->installer, o->kind, o->id, added ? o->spec->s : NULL);
}

static void resend_object(const void *fact, void *c)
{
    on_object(fact, true, c);
}

static void on_flow_change(const struct inc_key_change *change, void *c_)
{
    struct controller *c = c_;
    if (c->installer)
        set_flow(c, change->key);
}

static void resend_flow(const void *fact, void *c_)
{
    const struct fact_oflow *flow = fact;
    set_flow(c_, &flow->key);
}

static void on_reject(const void *fact, bool added, void *aux UNUSED)
{
    static struct log_rate rate = LOG_RATE(60, 20);
    const struct fact_reject *reject = fact;
    char uuid[UUID_TEXT_LEN + 1];
    if (added)
        log_warn_limited(&rate, "logical flow %s is left out: %s", uuid_print(&reject->lflow, uuid),
                         reject->why->s);
}

static void on_local(const void *fact, bool added, void *c_)
{
    struct controller *c = c_;
    const struct fact_local *local = fact;
    sb_index_set_local(&c->index, &local->datapath, added);
    if (c->pinctrl)
        pinctrl_place_changed(c->pinctrl);
}

static void on_dp_group(const void *fact UNUSED, bool added UNUSED, void *aux UNUSED)
{
}

/* What sb_index knows of ourselves. */
static void note_chassis(struct controller *c)
{
    const struct hypervisor *h = &c->hypervisor;
    if (c->index.has_chassis == h->has_self &&
        (!h->has_self || uuid_equal(&c->index.chassis, &h->self.chassis)))
        return;
    c->index.has_chassis = h->has_self;
    if (h->has_self)
        c->index.chassis = h->self.chassis;
    if (c->pinctrl)
        pinctrl_place_changed(c->pinctrl);
}

static void verify(struct controller *c)
{
    struct str report = STR_INIT;
    c->verified++;
    if (!inc_verify(c->inc, &report)) {
        c->verify_failures++;
        log_err("the incremental state differs from a full compute:\n%s", str_c(&report));
    }
    str_fini(&report);
}

static void publish(struct controller *c)
{
    if (c->options.verify)
        verify(c);
    c->generation++;
    inc_changes(c->inc, c->program.object, on_object, c);
    inc_changes_by_key(c->inc, c->program.oflow_by_key, on_flow_change, c);
    for (size_t i = 0; c->installer && i < c->ids.flush.n; i++)
        installer_flush_zone(c->installer, c->ids.flush.data[i]);
    vec_clear(&c->ids.flush);
    inc_changes(c->inc, c->program.reject, on_reject, NULL);
    inc_changes(c->inc, c->program.local, on_local, c);
    inc_changes(c->inc, c->program.dp_group_at, on_dp_group, NULL); /* has_all_rows has seen them */
    binding_take_claims(&c->binding, c->inc, &c->program);
    /* Rows that arrived meanwhile wait: the number they came with is not the one of these flows. */
    if (inc_is_settled(c->inc))
        progress_note(&c->progress, c->sb, c->generation);
    if (c->installer)
        installer_commit(c->installer, c->generation);
    c->is_published = true;
}

/* Asks for the rows that matter here. True when they have come; while the database cannot be reached, those that were there count. */
static bool has_all_rows(struct controller *c)
{
    c->scope.is_stale |= inc_has_changes(c->inc, c->program.local) ||
                         inc_has_changes(c->inc, c->program.dp_group_at);
    if (c->scope.is_stale) {
        const struct row *chassis = hypervisor_chassis_row(&c->config, c->sb);
        scope_update(&c->scope, &c->config, &c->program, c->inc, c->sb,
                     chassis ? &chassis->uuid : NULL);
        if (replica_is_connected(c->sb))
            c->is_complete = false;
    }
    c->is_complete |= ovsdb_client_source_is_settled(c->sb_source);
    return c->is_complete;
}

/* One slice of work; true when everything is settled and published. */
static bool settle(struct controller *c)
{
    if (c->is_published && inc_is_settled(c->inc) && !c->scope.is_stale) {
        progress_note(&c->progress, c->sb, c->generation + 1);
        if (c->progress.marks.n && c->installer &&
            vec_last(&c->progress.marks).generation > c->generation)
            installer_commit(c->installer, ++c->generation); /* nb_cfg alone has changed */
        return true;
    }
    int64_t start = env_now_us(c->env);
    c->is_published = false;
    c->is_holding = false;
    while (!inc_settle(c->inc, SLICE_UNITS) || ids_run(&c->ids))
        if (env_now_us(c->env) - start > SLICE_US)
            return false;
    if (!has_all_rows(c)) {
        c->is_holding = true;
        return false;
    }
    publish(c);
    return inc_is_settled(c->inc);
}

/* --- The cycle */

static void write_back(struct controller *c)
{
    const struct row *chassis = hypervisor_chassis_row(&c->config, c->sb);
    const struct ovs_bridge *bridge = bridge_find(c->ovs, c->config.bridge);
    if (writer_is_ready(&c->ovs_writer)) {
        tunnels_write(&c->config, &c->program, c->inc, c->ovs, &c->ovs_writer);
        uplinks_write(&c->config, &c->program, c->inc, c->ovs, &c->ovs_writer);
        if (bridge)
            keep_write(&c->ids, bridge, &c->ovs_writer);
    }
    struct binding_state state = {
        .sb = c->sb,
        .ovs = c->ovs,
        .chassis = chassis ? &chassis->uuid : NULL,
        .name = c->config.system_id,
        .generation = c->generation,
        .confirmed = c->installer ? installer_confirmed(c->installer) : 0,
        .now_ms = env_now_ms(c->env),
        .wall_ms = env_wall_ms(c->env),
    };
    binding_write(&c->binding, &state, &c->sb_writer, &c->ovs_writer);
    if (c->binding.has_late)
        timer_start_ms(&c->later, 100);
    progress_write(&c->progress, &c->config, c->sb, c->ovs, &c->sb_writer, &c->ovs_writer);
}

/* Numbers of an earlier life, before any are given. */
static void restore_ids(struct controller *c)
{
    const struct ovs_bridge *bridge = bridge_find(c->ovs, c->config.bridge);
    if (bridge && !c->has_restored_ids)
        keep_restore(&c->ids, bridge);
    if (!c->has_restored_ids)
        c->forget_ms = env_now_ms(c->env) + FORGET_MS;
    c->has_restored_ids = true;
}

static void leave(struct controller *c);

static void run(void *c_)
{
    struct controller *c = c_;
    if (!c->ovs_loaded)
        return;
    if (c->is_leaving) {
        leave(c);
        return;
    }
    if (c->is_local_changed)
        apply_config(c);
    if (!c->config.system_id)
        return;
    if (writer_is_ready(&c->ovs_writer))
        bridge_run(&c->config, c->ovs, &c->ovs_writer);
    if (c->sb_loaded) {
        if (writer_is_ready(&c->sb_writer))
            register_run(&c->registration, &c->config, c->sb, &c->sb_writer);
        if (c->is_local_changed) {
            restore_ids(c);
            c->tunnel_option = c->installer ? installer_tunnel_option(c->installer) : 0;
            hypervisor_update(&c->hypervisor, &c->config, c->ovs, c->sb, c->tunnel_option);
            note_chassis(c);
            c->scope.is_stale = true;
            c->is_local_changed = false;
        }
        if (settle(c))
            write_back(c);
        else if (!c->is_holding)
            wake(c);
        if (c->pinctrl)
            pinctrl_write(c->pinctrl, &c->mac_writer);
    }
    writer_commit(&c->ovs_writer);
    writer_commit(&c->sb_writer);
    writer_commit(&c->mac_writer);
}

/* --- Leaving */

static void leave(struct controller *c)
{
    void (*left)(void *aux) = c->left;
    bool is_written = false;
    if (!left)
        return;
    if (c->sb && replica_is_ready(c->sb) && c->config.system_id) {
        if (writer_is_ready(&c->sb_writer))
            is_written = register_remove(&c->config, c->sb, &c->sb_writer);
        else
            is_written = c->sb_writer.is_busy;
    }
    if (writer_is_ready(&c->ovs_writer) && c->config.bridge)
        tunnels_remove(&c->config, c->ovs, &c->ovs_writer);
    is_written |= c->ovs_writer.txn && !replica_txn_is_empty(c->ovs_writer.txn);
    is_written |= c->ovs_writer.is_busy;
    writer_commit(&c->sb_writer);
    writer_commit(&c->ovs_writer);
    if (is_written) /* look again when it has arrived */
        return;
    c->left = NULL;
    left(c->left_aux);
}

static void on_later(void *c_)
{
    struct controller *c = c_;
    void (*left)(void *aux) = c->left;
    if (c->is_leaving && left) {
        c->left = NULL;
        left(c->left_aux);
        return;
    }
    wake(c);
}

void controller_cleanup(struct controller *c, void (*done)(void *aux), void *aux)
{
    c->is_leaving = true;
    c->left = done;
    c->left_aux = aux;
    timer_start_ms(&c->later, LEAVE_MS);
    wake(c);
}

/* --- Health: says what cannot be reached */

static void log_failures(const char *what, const struct replica_source *source, unsigned *logged)
{
    static struct log_rate rate = LOG_RATE(12, 4);
    unsigned n = ovsdb_client_source_failures(source);
    if (n != *logged)
        log_warn_limited(&rate, "%s at %s: %s", what, ovsdb_client_source_remote(source),
                         ovsdb_client_source_error(source));
    *logged = n;
}

static void on_health(void *c_)
{
    struct controller *c = c_;
    if (!replica_is_connected(c->ovs))
        log_failures("switch database", c->ovs_source, &c->ovs_failures);
    if (c->sb && !replica_is_connected(c->sb))
        log_failures("southbound database", c->sb_source, &c->sb_failures);
    /* Whoever had a number before the restart and is still there has asked for it by now. */
    if (c->forget_ms && env_now_ms(c->env) >= c->forget_ms && c->is_complete && c->is_published) {
        ids_forget_restored(&c->ids);
        c->forget_ms = 0;
        wake(c);
    }
    timer_start_ms(&c->health, HEALTH_MS);
}

/* --- Making */

struct controller *controller_new(const struct controller_options *options, struct diag *diag)
{
    struct target target;
    if (target_parse(options->switch_db, TARGET_PORT_OVSDB, options->rundir, &target, diag))
        return NULL;
    target_fini(&target);
    struct controller *c = NEW(struct controller);
    c->options = *options;
    c->switch_db = xstrdup(options->switch_db);
    c->rundir = xstrdup(options->rundir);
    c->env = loop_env(options->loop);
    c->ovs_schema = ovs_schema_new();
    c->sb_schema = sb_schema_new();
    deferred_init(&c->run, options->loop, LOOP_LATER, run, c);
    timer_init(&c->later, options->loop, on_later, c);
    timer_init(&c->health, options->loop, on_health, c);
    timer_start_ms(&c->health, HEALTH_MS);
    program_init(&c->program);
    c->inc = inc_new(c->program.inc);
    inc_watch(c->inc, c->program.oflow);
    inc_watch(c->inc, c->program.reject);
    inc_watch(c->inc, c->program.claim);
    inc_watch(c->inc, c->program.local);
    inc_watch(c->inc, c->program.want);
    inc_watch(c->inc, c->program.dp_group_at);
    inc_watch(c->inc, c->program.object);
    ids_init(&c->ids, &c->program, c->inc);
    hypervisor_init(&c->hypervisor, &c->program, c->inc);
    sb_index_init(&c->index);
    binding_init(&c->binding);
    progress_init(&c->progress);
    writer_init(&c->ovs_writer, options->loop, "switch database", wake, c);
    writer_init(&c->sb_writer, options->loop, "southbound", wake, c);
    writer_init(&c->mac_writer, options->loop, "southbound (neighbours)", wake, c);
    c->mac_writer.is_racing = true;
    c->ovs = open_replica(c, c->switch_db, c->ovs_schema, ovs_tables, &c->ovs_source);
    writer_set_replica(&c->ovs_writer, c->ovs);
    replica_set_observer(c->ovs, on_ovs_change, c);
    replica_set_status_observer(c->ovs, on_ovs_status, c);
    control_register(c);
    return c;
}

void controller_free(struct controller *c)
{
    if (!c)
        return;
    control_unregister(c);
    deferred_cancel(&c->run);
    timer_stop(&c->later);
    timer_stop(&c->health);
    installer_free(c->installer);
    pinctrl_free(c->pinctrl);
    c->pinctrl = NULL;
    close_sb(c);
    writer_set_replica(&c->ovs_writer, NULL);
    replica_free(c->ovs);
    deferred_cancel(&c->run);
    writer_fini(&c->ovs_writer);
    writer_fini(&c->sb_writer);
    writer_fini(&c->mac_writer);
    binding_fini(&c->binding);
    progress_fini(&c->progress);
    sb_index_fini(&c->index);
    inc_free(c->inc);
    ids_fini(&c->ids);
    registration_fini(&c->registration);
    hypervisor_fini(&c->hypervisor);
    program_fini(&c->program);
    config_clear(&c->config);
    schema_free(c->ovs_schema);
    schema_free(c->sb_schema);
    free(c->bridge_target);
    free(c->switch_db);
    free(c->rundir);
    free(c);
}

struct inc *controller_inc(struct controller *c)
{
    return c->inc;
}

const struct program *controller_program(const struct controller *c)
{
    return &c->program;
}

struct installer_stats controller_install_stats(const struct controller *c)
{
    return c->installer ? installer_stats(c->installer) : (struct installer_stats){0};
}

/* Numbers that the switch's database does not have yet: a controller started now would give others. */
static bool has_unsaved_ids(const struct controller *c)
{
    bool any = false;
    for (int k = 0; k < N_ID_KINDS; k++)
        any |= (k == ID_ZONE || k == ID_METER) && c->ids.is_unsaved[k];
    return any;
}

bool controller_is_idle(const struct controller *c)
{
    return replica_is_connected(c->ovs) && c->sb && replica_is_connected(c->sb) &&
           !has_unsaved_ids(c) && c->is_published && inc_is_settled(c->inc) &&
           !c->sb_writer.is_busy && !c->ovs_writer.is_busy && !c->mac_writer.is_busy &&
           !c->binding.n_todo && c->installer && installer_confirmed(c->installer) == c->generation;
}
