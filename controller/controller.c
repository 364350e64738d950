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

enum { LEAVE_MS = 1000, HEALTH_MS = 2000, FORGET_MS = 60000 };

void controller_wake(void *c_)
{
    struct controller *c = c_;
    deferred_schedule(&c->run);
}

/* --- Configuration */

static void on_confirmed(void *c_, uint64_t generation)
{
    struct controller *c = c_;
    progress_confirm(&c->progress, generation, env_wall_ms(c->env));
    if (installer_tunnel_option(c->installer) != c->tunnel_option)
        c->is_local_changed = true;
    controller_wake(c);
}

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
                                        .inc = c->inc,
                                        .program = &c->program};
    c->installer = installer_new(&install, on_confirmed, c, &diag);
    struct pinctrl_options pin = {.loop = c->options.loop,
                                  .target = target,
                                  .rundir = c->rundir,
                                  .tls = c->options.tls,
                                  .sb = &c->index,
                                  .actions = c->program.actions,
                                  .wake = controller_wake,
                                  .aux = c};
    if (c->installer)
        c->pinctrl = pinctrl_new(&pin, &diag);
    if (!c->pinctrl)
        log_err("bridge %s: %s", target, diag_text(&diag));
    diag_fini(&diag);
    c->is_installer_new = c->installer;
}

static void apply_config(struct controller *c)
{
    if (!config_read(&c->config, c->ovs))
        return;
    const char *remote = c->config.remote;
    if (c->sb_remote ? !remote || strcmp(remote, c->sb_remote) : remote != NULL) {
        controller_close_sb(c);
        if (remote)
            controller_open_sb(c, remote);
    }
    char *target = c->config.bridge_remote
                       ? xstrdup(c->config.bridge_remote)
                       : xasprintf("unix:%s/%s.mgmt", c->rundir, c->config.bridge);
    if (!c->bridge_target || strcmp(target, c->bridge_target))
        open_bridge(c, target);
    free(target);
}

/* --- The cycle */

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

/* Then it is looked at once more whether that is all. */
static bool has_written(const struct writer *w)
{
    return w->txn && !replica_txn_is_empty(w->txn);
}

const struct uuid *controller_own_uuid(const struct controller *c)
{
    return c->hypervisor.has_self ? &c->hypervisor.self.chassis : NULL;
}

/* Progress waits for tunnels that the switch has still to make. */
static void write_tunnels(struct controller *c)
{
    c->are_tunnels_open = tunnels_write(&c->config, &c->program, c->inc, c->ovs, &c->ovs_writer);
    if (c->are_tunnels_open && progress_is_new(&c->progress, c->sb))
        controller_wake(c);
}

static void write_back(struct controller *c)
{
    const struct ovs_bridge *bridge = bridge_find(c->ovs, c->config.bridge);
    if (writer_is_ready(&c->ovs_writer)) {
        if (c->are_tunnels_due && bridge)
            write_tunnels(c);
        if (c->are_uplinks_due)
            uplinks_write(&c->config, &c->program, c->inc, c->ovs, &c->ovs_writer);
        c->are_tunnels_due &= !bridge || has_written(&c->ovs_writer);
        c->are_uplinks_due &= has_written(&c->ovs_writer);
        if (bridge)
            keep_write(&c->ids, bridge, &c->ovs_writer);
    }
    struct binding_state state = {
        .sb = c->sb,
        .ovs = c->ovs,
        .hypervisor = &c->hypervisor,
        .chassis = controller_own_uuid(c),
        .name = c->config.system_id,
        .ids = &c->ids,
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

static void note_saved_ids(struct controller *c)
{
    const struct ovs_bridge *bridge = bridge_find(c->ovs, c->config.bridge);
    if (bridge && c->ids.has_news)
        keep_note(&c->ids, bridge);
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
    if (c->sb_loaded && c->is_register_due && writer_is_ready(&c->sb_writer)) {
        register_run(&c->registration, &c->config, c->sb, &c->sb_writer);
        c->is_register_due = has_written(&c->sb_writer);
    }
    if (c->sb_loaded && !c->registration.is_refused) {
        if (c->is_local_changed) {
            restore_ids(c);
            c->tunnel_option = c->installer ? installer_tunnel_option(c->installer) : 0;
            hypervisor_update(&c->hypervisor, &c->config, c->ovs, c->sb, c->tunnel_option);
            note_chassis(c);
            c->are_tunnels_due |= c->hypervisor.are_tunnels_moved;
            c->are_uplinks_due |= c->hypervisor.are_uplinks_moved;
            c->hypervisor.are_tunnels_moved = c->hypervisor.are_uplinks_moved = false;
            c->scope.is_stale |= scope_is_other(&c->scope, &c->config, controller_own_uuid(c));
            c->is_local_changed = false;
        }
        note_saved_ids(c);
        if (controller_settle(c))
            write_back(c);
        else if (!c->is_holding)
            controller_wake(c);
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
    if (c->sb && replica_is_ready(c->sb) && c->config.system_id && !c->registration.is_refused) {
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
    controller_wake(c);
}

void controller_cleanup(struct controller *c, void (*done)(void *aux), void *aux)
{
    c->is_leaving = true;
    c->left = done;
    c->left_aux = aux;
    timer_start_ms(&c->later, LEAVE_MS);
    controller_wake(c);
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
        controller_wake(c);
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
    inc_watch(c->inc, c->program.iface);
    inc_watch(c->inc, c->program.want_tunnel);
    inc_watch(c->inc, c->program.want_uplink);
    inc_watch(c->inc, c->program.want);
    inc_watch(c->inc, c->program.dp_group_at);
    inc_watch(c->inc, c->program.object);
    ids_init(&c->ids, &c->program, c->inc);
    c->ids.must_save = true;
    hypervisor_init(&c->hypervisor, &c->program, c->inc);
    sb_index_init(&c->index);
    binding_init(&c->binding);
    progress_init(&c->progress);
    writer_init(&c->ovs_writer, options->loop, "switch database", controller_wake, c);
    writer_init(&c->sb_writer, options->loop, "southbound", controller_wake, c);
    writer_init(&c->mac_writer, options->loop, "southbound (neighbours)", controller_wake, c);
    c->mac_writer.is_racing = true;
    c->are_tunnels_due = true;
    controller_open_switch_db(c);
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
    controller_close_sb(c);
    writer_set_replica(&c->ovs_writer, NULL);
    replica_free(c->ovs);
    deferred_cancel(&c->run);
    writer_fini(&c->ovs_writer);
    writer_fini(&c->sb_writer);
    writer_fini(&c->mac_writer);
    binding_fini(&c->binding);
    progress_fini(&c->progress);
    scope_clear(&c->scope);
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
    return !list_empty(&c->ids.unsaved) || c->ids.gone.n;
}

bool controller_is_idle(const struct controller *c)
{
    return replica_is_connected(c->ovs) && c->sb && replica_is_connected(c->sb) &&
           !has_unsaved_ids(c) && c->is_published && inc_is_settled(c->inc) &&
           !c->sb_writer.is_busy && !c->ovs_writer.is_busy && !c->mac_writer.is_busy &&
           list_empty(&c->binding.todo) && ovsdb_client_source_is_settled(c->sb_source) &&
           c->installer && installer_confirmed(c->installer) == c->generation;
}
