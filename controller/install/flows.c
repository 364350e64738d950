/* flows.c - see flows.h. Room 8 of docs/architecture.md. */
#include "controller/install/flows.h"

#include "base/log.h"
#include "controller/oflow_key.h"
#include "inc/mark.h"

LOG_MODULE(install);

enum { KEEP_BYTES = 1 << 20 }; /* there are many entries after a start, and then few */

static bool entry_is_for(const struct flow_entry *e, const struct oflow_key *key)
{
    return e->match == key->match && e->dp == key->dp && e->priority == key->priority &&
           e->table == key->table;
}

static struct flow_entry *entry_find(const struct flows *flows, const struct oflow_key *key)
{
    struct flow_entry *e;
    HMAP_FOR_EACH_WITH_HASH (e, node, oflow_key_hash(key), &flows->entries)
        if (entry_is_for(e, key))
            return e;
    return NULL;
}

static struct flow_entry *entry_get(struct flows *flows, const struct oflow_key *key)
{
    struct flow_entry *e = entry_find(flows, key);
    if (e)
        return e;
    e = pool_alloc(&flows->memory, sizeof *e);
    *e = (struct flow_entry){
        .match = rstr_ref(key->match),
        .dp = key->dp,
        .priority = key->priority,
        .table = key->table,
    };
    hmap_insert(&flows->entries, &e->node, oflow_key_hash(key));
    return e;
}

static void set_flag(struct flow_entry *e, unsigned flag, bool on)
{
    e->flags = (uint8_t)(on ? e->flags | flag : e->flags & ~flag);
}

struct oflow_key flow_entry_key(const struct flow_entry *entry)
{
    return (struct oflow_key){
        .match = entry->match,
        .dp = entry->dp,
        .priority = entry->priority,
        .table = entry->table,
    };
}

struct flow_value flow_entry_desired(const struct flow_entry *entry)
{
    if (!(entry->flags & FLOW_WANTED))
        return (struct flow_value){NULL, 0};
    return (struct flow_value){entry->actions,
                               entry->flags & FLOW_OTHER ? entry->change->cookie : entry->cookie};
}

static struct flow_value there_of(const struct flow_entry *e)
{
    if (!(e->flags & FLOW_THERE))
        return (struct flow_value){NULL, 0};
    return e->flags & FLOW_OTHER ? e->change->there : (struct flow_value){e->actions, e->cookie};
}

static bool is_same(struct flows *flows, const struct flow_value *a, const struct flow_value *b)
{
    return a->cookie == b->cookie &&
           flow_actions_same(&flows->program->blobs, a->actions, b->actions);
}

static void drop_values(struct flows *flows, const struct flow_entry *e)
{
    rstr_unref(e->actions);
    if (!(e->flags & FLOW_OTHER))
        return;
    rstr_unref(e->change->there.actions);
    pool_release(&flows->memory, e->change, sizeof *e->change);
}

/* E should be as DESIRED says, and the switch has what THERE says. */
static void entry_put(struct flows *flows, struct flow_entry *e, struct flow_value desired,
                      struct flow_value there)
{
    struct flow_entry old = *e;
    struct flow_value value = desired.actions ? desired : there;
    bool is_other = desired.actions && there.actions && !is_same(flows, &desired, &there);
    e->actions = value.actions ? rstr_ref(value.actions) : NULL;
    e->cookie = value.cookie;
    if (is_other) {
        rstr_ref(there.actions);
        e->change = pool_alloc(&flows->memory, sizeof *e->change);
        *e->change = (struct flow_change){desired.cookie, there};
    }
    set_flag(e, FLOW_WANTED, desired.actions);
    set_flag(e, FLOW_THERE, there.actions);
    set_flag(e, FLOW_OTHER, is_other);
    drop_values(flows, &old);
}

static void entry_free(struct flows *flows, struct flow_entry *e)
{
    drop_values(flows, e);
    hmap_remove(&flows->entries, &e->node);
    rstr_unref(e->match);
    pool_release(&flows->memory, e, sizeof *e);
}

/* A fact that says just what E does is marked in its place. */
static bool is_marked_instead(struct flows *flows, const struct flow_entry *e)
{
    struct fact_oflow fact;
    INC_CLEAR(fact);
    fact.key = flow_entry_key(e);
    fact.actions = e->actions;
    fact.cookie = e->cookie;
    if (!inc_mark(flows->inc, flows->program->oflow, &fact))
        return false;
    flows->n_marked++;
    return true;
}

void flow_entry_settle(struct flows *flows, struct flow_entry *e)
{
    enum { IN_FORCE = FLOW_WANTED | FLOW_THERE };
    if (!e->flags || (e->flags == IN_FORCE && is_marked_instead(flows, e)))
        entry_free(flows, e);
}

static struct flow_entry *entry_move(struct flows *to, const struct flow_entry *from)
{
    struct flow_entry *e = pool_alloc(&to->memory, sizeof *e);
    *e = *from;
    if (e->flags & FLOW_OTHER) {
        e->change = pool_alloc(&to->memory, sizeof *e->change);
        *e->change = *from->change;
    }
    hmap_insert(&to->entries, &e->node, from->node.hash);
    return e;
}

void flows_shrink(struct flows *flows)
{
    struct flows old = *flows;
    struct flow_entry *e;
    if (old.memory.bytes < KEEP_BYTES + 4 * old.entries.n * sizeof *e)
        return;
    flows->memory = (struct pool){.is_plain = POOL_IS_PLAIN};
    flows->entries = (struct hmap)HMAP_INIT;
    for (size_t i = 0; i < old.dirty.n; i++)
        old.dirty.data[i] = entry_move(flows, old.dirty.data[i]);
    HMAP_FOR_EACH (e, node, &old.entries)
        if (!(e->flags & FLOW_DIRTY))
            entry_move(flows, e);
    hmap_fini(&old.entries);
    pool_fini(&old.memory);
}

static void entry_want(struct flows *flows, struct flow_entry *e, struct flow_value desired)
{
    if (flow_entry_desired(e).actions != desired.actions)
        set_flag(e, FLOW_REJECTED, false);
    entry_put(flows, e, desired, there_of(e));
    if (desired.actions && !(e->flags & FLOW_REJECTED) && !flow_actions_fit(desired.actions))
        flow_entry_set_aside(e, "longer than a message can be");
}

static void entry_is_there(struct flows *flows, struct flow_entry *e, struct flow_value there)
{
    entry_put(flows, e, flow_entry_desired(e), there);
}

void flow_entry_sent(struct flows *flows, struct flow_entry *e)
{
    entry_is_there(flows, e, flow_entry_desired(e));
}

bool flow_entry_differs(const struct flow_entry *e)
{
    if (!(e->flags & FLOW_WANTED))
        return e->flags & FLOW_THERE;
    return !(e->flags & FLOW_REJECTED) && (e->flags & (FLOW_THERE | FLOW_OTHER)) != FLOW_THERE;
}

static void mark_dirty(struct flows *flows, struct flow_entry *e)
{
    if (e->flags & FLOW_DIRTY)
        return;
    set_flag(e, FLOW_DIRTY, true);
    vec_push(&flows->dirty, e);
}

void flow_entry_set_aside(struct flow_entry *e, const char *why)
{
    enum { TEXT_MAX = 2000 };
    struct str text = STR_INIT;
    struct match match;
    struct oflow_key key = flow_entry_key(e);
    oflow_key_match(&key, &match);
    str_putf(&text, "table=%u,", e->table);
    match_put(&text, &match, (int)e->priority, NULL);
    str_put(&text, " actions=");
    of_actions_put(&text, e->actions->s, e->actions->n, NULL);
    if (text.n > TEXT_MAX)
        str_truncate(&text, TEXT_MAX);
    log_err("a flow is left out (%s): %s", why, str_c(&text));
    str_fini(&text);
    set_flag(e, FLOW_REJECTED, true);
}

/* --- What is wanted */

static struct flow_value value_of(const struct fact_oflow *fact)
{
    return (struct flow_value){fact->actions, fact->cookie};
}

/* The switch has what FACT says, and from now on an entry knows. */
static struct flow_entry *mark_to_entry(struct flows *flows, const struct fact_oflow *fact)
{
    struct flow_entry *e = entry_get(flows, &fact->key);
    inc_unmark(flows->inc, flows->program->oflow, fact);
    flows->n_marked--;
    entry_is_there(flows, e, value_of(fact));
    return e;
}

static const struct fact_oflow *find_marked(const struct flows *flows, struct inc_facts facts)
{
    const struct fact_oflow *fact;
    INC_FOR_EACH(fact, facts)
    if (inc_is_marked(flows->inc, flows->program->oflow, fact))
        return fact;
    return NULL;
}

/* Of KEY all is wanted that FACTS say. */
static void want(struct flows *flows, const struct oflow_key *key, struct inc_facts facts)
{
    struct flow_entry *e = entry_find(flows, key);
    const struct fact_oflow *marked = find_marked(flows, facts);
    struct flow_value desired;
    desired.actions = flow_actions_of(&flows->program->blobs, facts, &desired.cookie);
    if (marked && (marked->actions != desired.actions || marked->cookie != desired.cookie))
        e = mark_to_entry(flows, marked);
    else if (!e && !marked && desired.actions)
        e = entry_get(flows, key);
    if (e) {
        entry_want(flows, e, desired);
        if (flow_entry_differs(e))
            mark_dirty(flows, e);
        else
            flow_entry_settle(flows, e);
    }
    rstr_unref(desired.actions);
}

static struct inc_facts facts_of(const struct flows *flows, const struct oflow_key *key)
{
    return inc_look(flows->inc, flows->program->oflow_by_key, key);
}

static void on_change(const void *fact_, bool added, void *flows_)
{
    struct flows *flows = flows_;
    const struct fact_oflow *fact = fact_;
    if (!added && inc_is_marked(flows->inc, flows->program->oflow, fact))
        mark_to_entry(flows, fact);
    want(flows, &fact->key, facts_of(flows, &fact->key));
}

static void want_entry(struct flows *flows, const struct flow_entry *e)
{
    struct oflow_key key = flow_entry_key(e);
    want(flows, &key, facts_of(flows, &key));
}

/* Everything is compared later. */
static void on_change_unknown(const void *fact UNUSED, bool added UNUSED, void *flows UNUSED)
{
}

static void on_each(const void *fact_, void *flows_)
{
    struct flows *flows = flows_;
    const struct fact_oflow *fact = fact_;
    struct inc_facts facts = facts_of(flows, &fact->key);
    if (facts.v[0] == fact_) /* once for each key */
        want(flows, &fact->key, facts);
}

void flows_take(struct flows *flows, bool whole)
{
    inc_changes(flows->inc, flows->program->oflow, flows->is_known ? on_change : on_change_unknown,
                flows);
    if (flows->is_known || !whole)
        return;
    struct flow_entry *e;
    HMAP_FOR_EACH_SAFE (e, node, &flows->entries)
        if (e->flags & FLOW_REJECTED) /* perhaps nobody wants it any longer */
            want_entry(flows, e);
    inc_for_each(flows->inc, flows->program->oflow, on_each, flows);
    flows->is_known = true;
}

void flows_sweep(struct flows *flows)
{
    struct flow_entry *e;
    HMAP_FOR_EACH (e, node, &flows->entries)
        if (flow_entry_differs(e))
            mark_dirty(flows, e);
}

/* --- What is there */

void flows_forget(struct flows *flows)
{
    struct flow_entry *e;
    flows->is_known = false;
    flows->n_read = flows->n_marked = 0;
    inc_unmark_all(flows->inc, flows->program->oflow);
    vec_fini(&flows->dirty);
    HMAP_FOR_EACH_SAFE (e, node, &flows->entries) {
        INVARIANT(!(e->flags & FLOW_SENT));
        set_flag(e, FLOW_DIRTY, false);
        if (e->flags & FLOW_REJECTED) /* it would be again */
            entry_is_there(flows, e, (struct flow_value){NULL, 0});
        else
            entry_free(flows, e);
    }
}

void flows_read_back(struct flows *flows, const struct oflow_key *key, struct flow_value there)
{
    entry_is_there(flows, entry_get(flows, key), there);
    flows->n_read++;
}

struct flows_count flows_count(const struct flows *flows)
{
    const struct flow_entry *e;
    struct flows_count count = {flows->n_marked, flows->n_marked, 0};
    HMAP_FOR_EACH (e, node, &flows->entries) {
        count.desired += !!(e->flags & FLOW_WANTED);
        count.there += !!(e->flags & FLOW_THERE);
        count.rejected += !!(e->flags & FLOW_REJECTED);
    }
    return count;
}

void flows_init(struct flows *flows, struct inc *inc, struct program *program)
{
    *flows = (struct flows){.inc = inc, .program = program, .memory = {.is_plain = POOL_IS_PLAIN}};
}

void flows_fini(struct flows *flows)
{
    struct flow_entry *e;
    HMAP_FOR_EACH_SAFE (e, node, &flows->entries)
        entry_free(flows, e);
    pool_fini(&flows->memory);
    hmap_fini(&flows->entries);
    vec_fini(&flows->dirty);
    inc_unmark_all(flows->inc, flows->program->oflow);
}
