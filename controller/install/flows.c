/* flows.c - see flows.h. Room 8 of docs/architecture.md. */
#include "controller/install/flows.h"

#include "base/log.h"
#include "controller/oflow_key.h"

LOG_MODULE(install);

static bool entry_is_for(const struct flow_entry *e, const struct oflow_key *key)
{
    return e->match == key->match && e->dp == key->dp && e->priority == key->priority &&
           e->table == key->table;
}

struct flow_entry *flow_entry_get(struct flows *flows, const struct oflow_key *key)
{
    uint64_t hash = oflow_key_hash(key);
    struct flow_entry *e;
    HMAP_FOR_EACH_WITH_HASH (e, node, hash, &flows->entries)
        if (entry_is_for(e, key))
            return e;
    e = pool_alloc(&flows->memory, sizeof *e);
    *e = (struct flow_entry){
        .match = rstr_ref(key->match),
        .dp = key->dp,
        .priority = key->priority,
        .table = key->table,
    };
    hmap_insert(&flows->entries, &e->node, hash);
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
    return a->cookie == b->cookie && flow_actions_same(flows->blobs, a->actions, b->actions);
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

void flow_entry_free_if_unused(struct flows *flows, struct flow_entry *e)
{
    if (!(e->flags & (FLOW_WANTED | FLOW_THERE | FLOW_DIRTY | FLOW_SENT)))
        entry_free(flows, e);
}

void flow_entry_want(struct flows *flows, struct flow_entry *e, struct flow_value desired)
{
    if (flow_entry_desired(e).actions != desired.actions)
        set_flag(e, FLOW_REJECTED, false);
    entry_put(flows, e, desired, there_of(e));
}

void flow_entry_is_there(struct flows *flows, struct flow_entry *e, struct flow_value there)
{
    entry_put(flows, e, flow_entry_desired(e), there);
}

bool flow_entry_differs(const struct flow_entry *e)
{
    if (!(e->flags & FLOW_WANTED))
        return e->flags & FLOW_THERE;
    return !(e->flags & FLOW_REJECTED) && (e->flags & (FLOW_THERE | FLOW_OTHER)) != FLOW_THERE;
}

void flow_entry_mark(struct flows *flows, struct flow_entry *e)
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

void flows_init(struct flows *flows, struct rstr_pool *blobs)
{
    *flows = (struct flows){.blobs = blobs, .memory = {.is_plain = POOL_IS_PLAIN}};
}

void flows_fini(struct flows *flows)
{
    struct flow_entry *e;
    HMAP_FOR_EACH_SAFE (e, node, &flows->entries)
        entry_free(flows, e);
    hmap_fini(&flows->entries);
    pool_fini(&flows->memory);
    vec_fini(&flows->dirty);
}

void flows_forget_there(struct flows *flows)
{
    struct flow_entry *e;
    HMAP_FOR_EACH (e, node, &flows->entries)
        flow_entry_is_there(flows, e, (struct flow_value){NULL, 0});
}

size_t flows_compare(struct flows *flows)
{
    struct flow_entry *e;
    size_t n = 0;
    HMAP_FOR_EACH_SAFE (e, node, &flows->entries) {
        n += !!(e->flags & FLOW_THERE);
        if (flow_entry_differs(e))
            flow_entry_mark(flows, e);
        else
            flow_entry_free_if_unused(flows, e);
    }
    return n;
}

struct flows_count flows_count(const struct flows *flows)
{
    const struct flow_entry *e;
    struct flows_count count = {0, 0, 0};
    HMAP_FOR_EACH (e, node, &flows->entries) {
        count.desired += !!(e->flags & FLOW_WANTED);
        count.there += !!(e->flags & FLOW_THERE);
        count.rejected += !!(e->flags & FLOW_REJECTED);
    }
    return count;
}
