/* publish.c - a settled state of the engine goes out: to the switch, to bindings and progress; and when it may.
 *
 * Between rooms 8 and 9 of docs/architecture.md. It promises that nothing is published while rows that matter here are still to come, and that
 * progress is never ahead of the flows that belong to it.
 */
#include "controller/controller_internal.h"

#include <stdlib.h>

#include "base/log.h"
#include "ovsdb/client/source.h"

LOG_MODULE(publish);

enum { SLICE_UNITS = 16, SLICE_US = 1000, LATE_MS = 100, TREES_MAX = 4096 };

static void on_object(const void *fact, bool added, void *c_)
{
    const struct fact_object *o = fact;
    struct controller *c = c_;
    installer_set_object(c->installer, o->kind, o->id, added ? o->spec->s : NULL);
}

static void send_object(const void *fact, void *c)
{
    on_object(fact, true, c);
}

/* Somebody else looks after them, or will look at all. */
static void on_seen(const void *fact UNUSED, bool added UNUSED, void *aux UNUSED)
{
}

/* The installer hears what the switch should have. */
static void tell_installer(struct controller *c)
{
    if (!c->installer) {
        inc_changes(c->inc, c->program.object, on_seen, NULL);
        inc_changes(c->inc, c->program.oflow, on_seen, NULL);
        return;
    }
    inc_changes(c->inc, c->program.object, on_object, c);
    if (c->is_installer_new)
        inc_for_each(c->inc, c->program.object, send_object, c);
    c->is_installer_new = false;
    installer_take(c->installer);
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

/* The number that has come belongs to the flows of GENERATION, when nothing is missing that they count on, nor asked for. */
static void note_progress(struct controller *c, uint64_t generation)
{
    if (!ovsdb_client_source_is_settled(c->sb_source))
        return;
    if (!ids_is_waiting(&c->ids, NULL) && !c->are_tunnels_due && c->are_tunnels_open)
        progress_note(&c->progress, c->sb, generation);
}

static void publish(struct controller *c)
{
    if (c->options.verify)
        verify(c);
    c->generation++;
    tell_installer(c);
    for (size_t i = 0; c->installer && i < c->ids.flush.n; i++)
        installer_flush_zone(c->installer, c->ids.flush.data[i]);
    vec_clear(&c->ids.flush);
    inc_changes(c->inc, c->program.reject, on_reject, NULL);
    inc_changes(c->inc, c->program.local, on_local, c);
    inc_changes(c->inc, c->program.dp_group_at, on_seen, NULL);
    if (inc_has_changes(c->inc, c->program.want_tunnel)) {
        inc_changes(c->inc, c->program.want_tunnel, on_seen, NULL);
        c->are_tunnels_due = true;
    }
    if (inc_has_changes(c->inc, c->program.want_uplink)) {
        inc_changes(c->inc, c->program.want_uplink, on_seen, NULL);
        c->are_uplinks_due = true;
    }
    binding_take_claims(&c->binding, c->inc, &c->program);
    /* Rows that arrived meanwhile wait: the number they came with is not the one of these flows. */
    if (inc_is_settled(c->inc))
        note_progress(c, c->generation);
    if (c->installer)
        installer_commit(c->installer, c->generation);
    c->is_published = true;
    c->scope.is_early = false;
}

/* --- When it may */

/* Interfaces have come or gone. Of one whose port is here already the rows that matter now are too: what is left to ask for are ports that
 * may be nested in it, which has time. */
static void note_iface(const void *fact, bool added, void *c_)
{
    struct controller *c = c_;
    const struct fact_iface *iface = fact;
    if (!scope_note_iface(&c->scope, iface->iface_id, added))
        return;
    if (!sb_index_port_named(&c->index, iface->iface_id->s)) {
        c->scope.late_ms = env_now_ms(c->env);
    } else if (!c->scope.late_ms) {
        c->scope.late_ms = env_now_ms(c->env) + LATE_MS;
        timer_start_ms(&c->later, LATE_MS);
    }
}

/* What has to be asked for before anything is published? Progress waits also for what has time. An interface whose port is not here is read
 * by no unit, so that the engine stays settled. */
static bool is_scope_due(struct controller *c)
{
    inc_changes(c->inc, c->program.iface, note_iface, c);
    if (c->scope.late_ms &&
        (env_now_ms(c->env) >= c->scope.late_ms || progress_is_new(&c->progress, c->sb))) {
        c->scope.late_ms = 0;
        scope_watch(&c->scope, c->sb);
    }
    c->scope.is_stale |= scope_has_news(&c->scope, c->sb);
    return c->scope.is_stale;
}

/* The next portion of rows is asked for as soon as one has come, and the one before it is compiled. */
static void ask_more(struct controller *c)
{
    if (!c->has_asked_more && c->sb && ovsdb_client_source_is_settled(c->sb_source) &&
        scope_ask_more(&c->scope, c->sb)) {
        c->is_complete = c->has_arrived = false;
        c->has_asked_more = true;
    }
}

/* Asks for the rows that matter here; again until something is published, since what is local may come back to what it was. True when they
 * have come, and are compiled; while the database cannot be reached, those that were there count. */
static bool has_all_rows(struct controller *c)
{
    c->scope.is_stale |= c->scope.is_early || inc_has_changes(c->inc, c->program.local) ||
                         inc_has_changes(c->inc, c->program.dp_group_at);
    if (is_scope_due(c)) {
        scope_update(&c->scope, &c->config, &c->program, c->inc, c->sb, controller_own_uuid(c));
        if (replica_is_connected(c->sb))
            c->is_complete = false;
        c->has_arrived &= ovsdb_client_source_is_settled(c->sb_source); /* nothing new is asked */
    }
    ask_more(c);
    c->is_complete |= c->has_arrived;
    return c->is_complete;
}

/* What was parsed is translated. */
static void forget_trees(struct controller *c)
{
    expr_pool_forget(c->program.exprs);
    action_pool_forget(c->program.actions);
}

/* Settles for a slice of time; true when all is settled that was there when that began: rows that come meanwhile are still to be compiled. */
static bool settle_slice(struct controller *c)
{
    int64_t start = env_now_us(c->env);
    if (!c->is_settling)
        c->has_arrived = ovsdb_client_source_is_settled(c->sb_source);
    c->is_settling = true;
    while (!inc_settle(c->inc, SLICE_UNITS) || ids_run(&c->ids))
        if (env_now_us(c->env) - start > SLICE_US) {
            if (expr_pool_count(c->program.exprs) > TREES_MAX)
                forget_trees(c);
            return false;
        }
    forget_trees(c);
    c->is_settling = c->has_asked_more = false;
    return true;
}

/* While rows are still to come: what has been compiled at the start goes to the switch, and what was published to one that has lost it. */
static void fill_switch(struct controller *c)
{
    if (!c->installer || (c->generation && !installer_wants_flows(c->installer)))
        return;
    tell_installer(c);
    if (c->generation)
        installer_commit(c->installer, c->generation);
    else
        installer_fill(c->installer);
}

/* It has to be told what the switch should have. */
static bool has_installer_question(const struct controller *c)
{
    return c->is_installer_new || (c->installer && installer_wants_flows(c->installer));
}

bool controller_settle(struct controller *c)
{
    if (c->is_published && inc_is_settled(c->inc) && !has_installer_question(c) &&
        !is_scope_due(c)) {
        note_progress(c, c->generation + 1);
        if (c->progress.marks.n && c->installer &&
            vec_last(&c->progress.marks).generation > c->generation)
            installer_commit(c->installer, ++c->generation); /* nb_cfg alone has changed */
        return true;
    }
    ask_more(c);
    c->is_published = false;
    c->is_holding = false;
    if (!settle_slice(c))
        return false;
    if (!has_all_rows(c)) {
        fill_switch(c);
        c->is_holding = inc_is_settled(c->inc) && !ovsdb_client_source_is_settled(c->sb_source);
        return false;
    }
    publish(c);
    return inc_is_settled(c->inc);
}
