/* northd.c - see northd.h (rooms 1 to 5 of docs/architecture.md): puts the parts together and takes them through settle, keys,
 * publish and status, again and again.
 */
#include "northd/northd.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "northd/age.h"
#include "northd/cost/cost.h"
#include "northd/program.h"
#include "northd/publish/publisher.h"
#include "northd/sb_inputs.h"
#include "northd/status.h"
#include "northd/topology/keys.h"
#include "northd/warn.h"
#include "northd/warn_lists.h"

LOG_MODULE(northd);

enum { RETRY_MS = 100, MAX_RETRY_MS = 5000 };

/* One of the two databases, as far as transactions go. */
struct target {
    struct northd *northd;
    const char *name;
    struct replica *replica;
    unsigned in_flight;
    bool is_current;  /* the copy has all that was written before the lock was won */
    int64_t retry_ms; /* not before; 0: at once */
    unsigned failures;
    uint64_t n;
};

struct northd {
    struct northd_options options;
    struct northd_program *program;
    struct inc *inc;
    struct feed *feed;
    struct publisher *pub;
    struct keys *keys;
    struct status *status;
    struct age *age;
    struct warn_lists *warn_lists;
    struct target nb, sb;
    uint64_t nb_updates, sb_updates, recomputes, failures; /* northd_counts */
    bool started, paused, active;
    bool stood_by; /* since it was active, if ever: others may have written */
    bool sb_more;  /* the last transaction was a part of what is to be written */
    bool nb_dirty; /* something that NB is told of may have changed */
    bool verified; /* the present state */
};

static void wake(struct northd *n)
{
    if (n->options.wakeup)
        n->options.wakeup(n->options.aux);
}

/* --- What arrives */

static void on_nb(void *northd, const struct changeset *cs)
{
    struct northd *n = northd;
    n->nb_updates++;
    status_take_nb(n->status, cs);
    age_take(n->age, cs);
    warn_take_nb(cs);
    warn_lists_take(n->warn_lists, cs);
    n->nb_dirty = true;
    n->verified = false;
    wake(n);
}

static void on_sb(void *northd, const struct changeset *cs)
{
    struct northd *n = northd;
    n->sb_updates++;
    publisher_take_rows(n->pub, cs);
    sb_inputs_take(n->program, n->inc, cs);
    status_take_sb(n->status, cs);
    age_take(n->age, cs);
    n->nb_dirty = true;
    wake(n);
}

static void on_replica_status(void *northd)
{
    struct northd *n = northd;
    if (!replica_has_lock(n->sb.replica)) {
        n->nb.is_current = n->sb.is_current = false;
        n->stood_by = true;
    }
    wake(n);
}

static void feed_inputs(struct northd *n)
{
    const struct northd_input *input;
    n->feed = feed_new(n->inc, n->nb.replica, n->program->names);
    VEC_FOR_EACH (input, &n->program->inputs) {
        if (input->column)
            feed_elements(n->feed, input->coll, input->table, input->column);
        else
            feed_rows(n->feed, input->coll, input->table);
    }
    feed_start(n->feed, on_nb, n);
}

/* Both copies are complete: begin. */
static void start(struct northd *n)
{
    feed_inputs(n);
    replica_set_observer(n->sb.replica, on_sb, n);
    status_restart(n->status);
    sb_inputs_start(n->program, n->inc, n->sb.replica);
    publisher_start(n->pub); /* keys that SB holds must be known before any is given */
    n->started = true;
    n->nb_dirty = true;
}

/* --- What is written */

static void on_done(void *target_, int err, const char *error)
{
    struct target *t = target_;
    struct northd *n = t->northd;
    t->in_flight--;
    if (err) {
        static struct log_rate rate = LOG_RATE(6, 3);
        int64_t pause = MIN((int64_t)RETRY_MS << MIN(t->failures, 10u), (int64_t)MAX_RETRY_MS);
        t->failures++;
        n->failures++;
        t->retry_ms = err == ERR_AGAIN && t->failures == 1 ? 0 : env_now_ms(n->options.env) + pause;
        log_warn_limited(&rate, "%s: transaction failed (%s); trying again", t->name,
                         error && *error ? error : err_text(err));
    } else {
        t->failures = 0;
        t->retry_ms = 0;
    }
    n->sb_more &= t != &n->sb || !err;
    if (t == &n->sb && (err || !t->in_flight))
        publisher_done(n->pub, err);
    else if (t == &n->nb && err)
        status_restart(n->status);
    n->nb_dirty = true;
    wake(n);
}

bool northd_is_active(const struct northd *n)
{
    return !n->paused && replica_has_lock(n->sb.replica);
}

static bool may_write(const struct northd *n, const struct target *t)
{
    return !t->in_flight && replica_is_connected(t->replica) &&
           (!t->retry_ms || t->retry_ms <= env_now_ms(n->options.env));
}

static void commit(struct target *t, struct replica_txn *txn)
{
    t->in_flight++;
    t->n++;
    replica_txn_comment(txn, "weft-northd");
    replica_txn_commit(txn, on_done, t);
}

static void write_sb(struct northd *n)
{
    if (!may_write(n, &n->sb))
        return;
    struct replica_txn *txn = replica_txn_new(n->sb.replica);
    publisher_take_facts(n->pub);
    n->sb_more = publisher_build(n->pub, txn);
    if (n->sb_more) { /* nb_cfg is for the one after the last part, when all is there */
        commit(&n->sb, txn);
        return;
    }
    status_build_sb(n->status, txn);
    age_build(n->age, txn);
    if (replica_txn_is_empty(txn)) {
        replica_txn_free(txn);
        publisher_done(n->pub, 0);
    } else {
        commit(&n->sb, txn);
    }
}

/* The next part, while what came before it is on its way. */
static void write_more(struct northd *n)
{
    if (!northd_is_active(n) || !replica_is_connected(n->sb.replica)) {
        n->sb_more = false;
        publisher_restart(n->pub);
        return;
    }
    struct replica_txn *txn = replica_txn_new(n->sb.replica);
    n->sb_more = publisher_go_on(n->pub, txn);
    commit(&n->sb, txn);
}

static void write_nb(struct northd *n)
{
    if (!n->nb_dirty || !may_write(n, &n->nb))
        return;
    struct replica_txn *txn = replica_txn_new(n->nb.replica);
    status_build_nb(n->status, txn);
    n->nb_dirty = false;
    if (replica_txn_is_empty(txn))
        replica_txn_free(txn);
    else
        commit(&n->nb, txn);
}

static void on_current(void *target_, int err, const char *error UNUSED)
{
    struct target *t = target_;
    t->in_flight--;
    t->is_current = !err && replica_has_lock(t->northd->sb.replica);
    t->retry_ms = err ? env_now_ms(t->northd->options.env) + RETRY_MS : 0;
    wake(t->northd);
}

/* Who takes over with a copy that lags behind would take back what the one before did: first each server answers an empty
 * transaction, and what it had committed until then is here. */
static bool is_current(struct northd *n)
{
    struct target *targets[] = {&n->nb, &n->sb};
    for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
        struct target *t = targets[i];
        if (t->is_current || !may_write(n, t))
            continue;
        t->in_flight++;
        replica_txn_commit(replica_txn_new(t->replica), on_current, t);
    }
    return n->nb.is_current && n->sb.is_current;
}

static void verify(struct northd *n)
{
    struct str report = STR_INIT;
    if (!n->options.verify || n->verified)
        return;
    if (!inc_verify(n->inc, &report))
        bug("the incremental state differs from one computed anew:\n%s", str_c(&report));
    str_fini(&report);
    n->verified = true;
}

static void set_active(struct northd *n, bool owner)
{
    bool active = owner && !n->paused;
    if (active != n->active)
        log_info("this northd is %s", active ? "active" : n->paused ? "paused" : "standby");
    n->nb_dirty |= active && !n->active;
    if (active && !n->active)
        status_restart(n->status);
    else if (!active)
        status_forget(n->status);
    if (active && n->stood_by)
        publisher_restart(n->pub); /* another one has moved rows to what we are to compare with */
    n->stood_by = n->paused || (n->stood_by && !active);
    n->active = active;
}

bool northd_run(struct northd *n)
{
    if (!n->started) {
        if (!replica_is_ready(n->nb.replica) || !replica_is_ready(n->sb.replica))
            return false;
        start(n);
    }
    if (n->sb_more) {
        write_more(n);
        return true;
    }
    /* What came in meanwhile is settled first: nb_cfg must not be reported before what came with it. */
    if (!inc_settle(n->inc, n->options.budget ? n->options.budget : SIZE_MAX) ||
        !inc_is_settled(n->inc))
        return true;
    bool owner =
        replica_has_lock(n->sb.replica) && replica_is_ready(n->sb.replica) && is_current(n);
    if (keys_run(n->keys, owner)) {
        n->verified = false;
        return true;
    }
    verify(n);
    warn_take_facts(n->inc, n->program);
    n->nb_dirty |= status_take_facts(n->status);
    set_active(n, owner);
    if (n->active) {
        write_sb(n);
        if (n->sb_more)
            return true;
        write_nb(n);
    }
    return false;
}

int64_t northd_next_ms(const struct northd *n)
{
    int64_t next = INT64_MAX;
    const struct target *targets[] = {&n->nb, &n->sb};
    /* Who may not write for another reason is woken when that changes. */
    for (size_t i = 0; i < ARRAY_SIZE(targets); i++)
        if (northd_is_active(n) && targets[i]->retry_ms && !targets[i]->in_flight &&
            replica_is_connected(targets[i]->replica))
            next = MIN(next, targets[i]->retry_ms);
    if (n->active && may_write(n, &n->sb))
        next = MIN(next, age_next_ms(n->age));
    return next;
}

bool northd_is_idle(const struct northd *n)
{
    return n->started && inc_is_settled(n->inc) && !n->sb_more && !n->nb.in_flight &&
           !n->sb.in_flight &&
           (!northd_is_active(n) || (n->active && !publisher_is_dirty(n->pub) && !n->nb_dirty &&
                                     !inc_has_changes(n->inc, n->program->lflow) &&
                                     !inc_has_changes(n->inc, n->program->class_flow) &&
                                     !inc_has_changes(n->inc, n->program->acl.member) &&
                                     !inc_has_changes(n->inc, n->program->class_member)));
}

bool northd_is_busy(const struct northd *n)
{
    return n->started && (n->sb_more || !inc_is_settled(n->inc));
}

void northd_pause(struct northd *n, bool paused)
{
    n->paused = paused;
    wake(n);
}

bool northd_is_paused(const struct northd *n)
{
    return n->paused;
}

void northd_recompute(struct northd *n)
{
    inc_recompute(n->inc);
    n->recomputes++;
    n->verified = false;
    wake(n);
}

bool northd_verify(struct northd *n, struct str *report)
{
    return inc_verify(n->inc, report);
}

bool northd_cost(struct northd *n, const struct changeset *cs, struct cost *ret)
{
    while (northd_run(n))
        continue;
    if (!northd_is_idle(n) || !n->active)
        return false;
    cost_of(n->program, n->inc, n->feed, n->pub, n->sb.replica, cs, ret);
    return true;
}

struct northd_counts northd_counts(const struct northd *n)
{
    return (struct northd_counts){n->nb.n,       n->sb.n,       n->failures,
                                  n->nb_updates, n->sb_updates, n->recomputes};
}

uint64_t northd_n_transactions(const struct northd *n)
{
    return n->nb.n + n->sb.n;
}

void northd_put_stats(const struct northd *n, struct str *out)
{
    inc_print_stats(n->inc, out);
}

void northd_put_memory(const struct northd *n, struct str *out)
{
    str_putf(out, "facts-bytes:%zu lflows:%zu matches:%zu", inc_memory(n->inc),
             inc_count(n->inc, n->program->lflow) + inc_count(n->inc, n->program->class_flow),
             expr_pool_count(n->program->exprs));
}

struct northd *northd_new(const struct northd_options *options)
{
    struct northd *n = NEW(struct northd);
    n->options = *options;
    n->paused = options->paused;
    n->nb = (struct target){.northd = n, .name = "northbound", .replica = options->nb};
    n->sb = (struct target){.northd = n, .name = "southbound", .replica = options->sb};
    n->program = program_create();
    n->inc = inc_new(n->program->inc);
    warn_watch(n->inc, n->program);
    n->pub =
        publisher_new(n->program, n->inc, options->sb, options->part, options->env->one_thread);
    n->keys = keys_new(n->program, n->inc, n->pub);
    n->status = status_new(n->program, n->inc, options->nb, options->sb, n->pub, options->env);
    n->age = age_new(options->nb, options->sb, options->env);
    n->warn_lists = warn_lists_new(options->nb);
    replica_set_status_observer(options->nb, on_replica_status, n);
    replica_set_status_observer(options->sb, on_replica_status, n);
    return n;
}

void northd_free(struct northd *n)
{
    if (!n)
        return;
    replica_set_status_observer(n->nb.replica, NULL, NULL);
    replica_set_status_observer(n->sb.replica, NULL, NULL);
    replica_set_observer(n->sb.replica, NULL, NULL);
    feed_free(n->feed);
    warn_lists_free(n->warn_lists);
    age_free(n->age);
    status_free(n->status);
    keys_free(n->keys);
    publisher_free(n->pub);
    inc_free(n->inc);
    program_destroy(n->program);
    free(n);
}
