/* table.c - see table.h. */
#include "switchd/table.h"

#include <stdlib.h>
#include <string.h>

#include "classifier/memo.h"
#include "switchd/slice.h"
#include "switchd/table_policy.h"
#include "switchd/table_private.h"

static struct rule *rule_from_cls(const struct cls_rule *cls)
{
    return cls ? CONTAINER_OF(cls, struct rule, cls) : NULL;
}

void tables_init(struct tables *tables)
{
    memset(tables, 0, sizeof *tables);
    for (unsigned i = 0; i < N_TABLES; i++)
        classifier_init(&tables->table[i].cls);
    list_init(&tables->expirable);
    list_init(&tables->expiry);
    tables->memo = cls_memo_new();
}

void tables_fini(struct tables *tables)
{
    struct journal journal = JOURNAL_INIT;
    tables_flush(tables, true, &journal);
    journal_commit(&journal, tables);
    for (unsigned i = 0; i < N_TABLES; i++) {
        table_policy_free(&tables->table[i]);
        classifier_fini(&tables->table[i].cls);
    }
    cls_memo_free(tables->memo);
}

void rule_unref(struct rule *rule)
{
    if (--rule->refs)
        return;
    struct rule *successor = rule->successor;
    free(rule->conjs);
    free(rule);
    if (successor)
        rule_unref(successor);
}

/* Reads the conjunction actions into rule->conjs; returns how many. */
static uint32_t rule_read_conjs(struct rule *rule)
{
    uint32_t n = 0;
    const struct of_action *a;
    OF_ACTION_FOR_EACH(a, rule->actions.data, rule->actions.n)
    n += a->type == OF_CONJUNCTION;
    if (!n)
        return 0;
    rule->conjs = xcalloc(n, sizeof *rule->conjs);
    n = 0;
    OF_ACTION_FOR_EACH(a, rule->actions.data, rule->actions.n)
    {
        if (a->type != OF_CONJUNCTION)
            continue;
        const struct of_conjunction *c = (const void *)a;
        rule->conjs[n++] = (struct cls_conj){c->id, c->clause, c->n_clauses};
    }
    return n;
}

static struct rule *rule_new(uint8_t table_id, const struct of_actions *actions, int64_t now_ms)
{
    struct rule *rule = xcalloc(1, sizeof *rule + actions->n);
    rule->refs = 1;
    rule->table_id = table_id;
    rule->actions.data = rule->bytes;
    rule->actions.n = actions->n;
    if (actions->n)
        memcpy(rule->bytes, actions->data, actions->n);
    rule->created_ms = rule->modified_ms = rule->used_ms = now_ms;
    list_init(&rule->expirable);
    return rule;
}

static void change_add(struct journal *journal, enum change_kind kind, struct rule *old,
                       struct rule *new)
{
    struct table_change *c = vec_push_zero(&journal->changes);
    c->kind = kind;
    c->old = old ? rule_ref(old) : NULL;
    c->new = new ? rule_ref(new) : NULL;
}

void rule_enter(struct tables *tables, struct rule *rule)
{
    struct flow_table *t = &tables->table[rule->table_id];
    rule->removed = false;
    t->n_hidden += rule_is_hidden(rule);
    if (rule->idle_timeout || rule->hard_timeout)
        list_push_back(&tables->expirable, &rule->expirable);
    if (t->policy)
        table_policy_enter(t->policy, rule);
}

void rule_leave(struct tables *tables, struct rule *rule)
{
    struct flow_table *t = &tables->table[rule->table_id];
    rule->removed = true;
    t->n_hidden -= rule_is_hidden(rule);
    list_remove(&rule->expirable);
    if (t->policy)
        table_policy_leave(t->policy, rule);
}

/* Whether a change of RULE must wait for the flip, since packets still meet it. */
static bool is_later(const struct tables *tables, const struct rule *rule)
{
    INVARIANT(!tables->pending || tables->by_commit);
    return tables->by_commit && rule->cls.from <= tables->table[rule->table_id].cls.version;
}

/* Puts RULE, made for the purpose, into its table; the table has the only reference but the journal's. */
static void rule_insert(struct tables *tables, struct rule *rule, const struct match *match,
                        int32_t priority, struct journal *journal)
{
    uint32_t n_conjs = rule_read_conjs(rule);
    INVARIANT(!tables->pending || tables->by_commit);
    classifier_insert(&tables->table[rule->table_id].cls, &rule->cls, match, priority, rule->conjs,
                      n_conjs);
    if (tables->by_commit) {
        classifier_from_next(&table_of(tables, rule)->cls, &rule->cls);
        table_of(tables, rule)->n_coming++;
    }
    rule_enter(tables, rule);
    tables->n_rules++;
    tables->generation++;
    rule->fresh = journal != NULL;
    if (journal)
        change_add(journal, CHANGE_ADD, NULL, rule);
}

/* RULE has an end now: it is there for packets, but nothing more can happen to it. */
static void rule_going(struct tables *tables, struct rule *rule)
{
    struct flow_table *t = table_of(tables, rule);
    t->n_going++;
    if (t->policy)
        table_policy_leave(t->policy, rule);
}

static void rule_replace(struct tables *tables, struct rule *old, struct rule *new, bool reset,
                         struct journal *journal)
{
    if (!reset) {
        new->created_ms = old->created_ms;
        new->used_ms = old->used_ms;
        new->n_packets = old->n_packets;
        new->n_bytes = old->n_bytes;
        old->successor = rule_ref(new);
    }
    new->fresh = old->fresh;
    uint32_t n_conjs = rule_read_conjs(new);
    bool later = is_later(tables, old);
    change_add(journal, CHANGE_REPLACE, old, new);
    vec_last(&journal->changes).is_later = later;
    tables->generation++;
    if (later) {
        classifier_follow(&table_of(tables, old)->cls, &old->cls, &new->cls, new->conjs, n_conjs);
        rule_going(tables, old);
        table_of(tables, old)->n_coming++;
        tables->n_rules++;
        rule_enter(tables, new);
    } else {
        classifier_replace(&table_of(tables, old)->cls, &old->cls, &new->cls, new->conjs, n_conjs);
        rule_leave(tables, old);
        rule_enter(tables, new);
        rule_unref(old);
    }
}

void rule_take_out(struct tables *tables, struct rule *rule)
{
    classifier_remove(&table_of(tables, rule)->cls, &rule->cls);
    rule_leave(tables, rule);
    tables->n_rules--;
    rule_unref(rule);
}

void tables_remove(struct tables *tables, struct rule *rule, uint8_t reason,
                   struct journal *journal)
{
    struct match match;
    cls_rule_match(&rule->cls, &match);
    change_add(journal, CHANGE_REMOVE, rule, NULL);
    struct table_change *c = &vec_last(&journal->changes);
    c->reason = reason;
    c->match = minimatch_new(&match);
    c->is_later = is_later(tables, rule);
    tables->generation++;
    if (c->is_later) {
        classifier_until_next(&table_of(tables, rule)->cls, &rule->cls);
        rule_going(tables, rule);
    } else {
        table_of(tables, rule)->n_coming -= tables->by_commit;
        rule_take_out(tables, rule);
    }
}

void tables_flush(struct tables *tables, bool hidden, struct journal *journal)
{
    tables_settle(tables);
    for (unsigned i = 0; i < N_TABLES; i++) {
        struct list *head = &tables->table[i].cls.rules;
        for (struct list *p = head->next, *next; p != head; p = next) {
            next = p->next;
            struct rule *rule = rule_from_cls(CONTAINER_OF(p, struct cls_rule, order));
            if (hidden || !rule_is_hidden(rule))
                tables_remove(tables, rule, OF_REMOVED_DELETE, journal);
        }
    }
}

static void evict(struct tables *tables, struct flow_table *t, uint32_t n, struct journal *journal)
{
    struct rule *victim;
    while (n-- && (victim = table_policy_victim(t->policy)) != NULL)
        tables_remove(tables, victim, OF_REMOVED_EVICTION, journal);
}

void tables_configure(struct tables *tables, uint8_t table_id,
                      const struct table_settings *settings, struct journal *journal)
{
    static const struct table_settings nothing = {.limit = TABLE_NO_LIMIT};
    struct flow_table *t = &tables->table[table_id];
    uint32_t n;
    if (!settings && !t->policy)
        return;
    tables_settle(tables);
    table_policy_configure(t, settings ? settings : &nothing);
    (void)!table_excess(t, 0, &n);
    evict(tables, t, n, journal);
}

static int flow_add(struct tables *tables, const struct of_flow_mod *fm, int64_t now_ms,
                    struct journal *journal)
{
    uint8_t table_id = fm->table_id == OF_TABLE_ALL ? 0 : fm->table_id;
    struct classifier *cls = &tables->table[table_id].cls;
    struct rule *old = rule_from_cls(classifier_find(cls, &fm->match, fm->priority));
    if (!old && fm->flags & OF_FLOW_CHECK_OVERLAP &&
        classifier_overlaps(cls, &fm->match, fm->priority))
        return OF_ERR_FLOW_MOD_OVERLAP;
    uint32_t n_victims = 0;
    int err = old ? 0 : table_excess(&tables->table[table_id], 1, &n_victims);
    if (err)
        return err;
    evict(tables, &tables->table[table_id], n_victims, journal);
    struct rule *rule = rule_new(table_id, &fm->actions, now_ms);
    rule->cookie = fm->cookie;
    rule->idle_timeout = fm->idle_timeout;
    rule->hard_timeout = fm->hard_timeout;
    rule->importance = fm->importance;
    rule->flags = fm->flags;
    if (old) {
        rule_replace(tables, old, rule, fm->flags & OF_FLOW_RESET_COUNTS, journal);
        vec_last(&journal->changes).by_add = true;
    } else {
        rule_insert(tables, rule, &fm->match, fm->priority, journal);
    }
    return 0;
}

static bool rule_selected(const struct rule *rule, uint64_t cookie, uint64_t cookie_mask,
                          uint32_t out_port, uint32_t out_group)
{
    return !rule_is_hidden(rule) && !((rule->cookie ^ cookie) & cookie_mask) &&
           (out_port == PORT_ANY ||
            of_actions_output_to(rule->actions.data, rule->actions.n, out_port)) &&
           (out_group == OF_GROUP_ANY ||
            of_actions_use_group(rule->actions.data, rule->actions.n, out_group));
}

bool tables_selects(const struct tables *tables, const struct rule *rule,
                    const struct of_flow_mod *fm)
{
    bool deletes = fm->command == OF_FLOW_DELETE || fm->command == OF_FLOW_DELETE_STRICT;
    return tables_see(tables, rule) &&
           rule_selected(rule, fm->cookie_match, fm->cookie_mask, deletes ? fm->out_port : PORT_ANY,
                         deletes ? fm->out_group : OF_GROUP_ANY);
}

/* The flows that a modification or deletion selects. */
static void flow_mod_select(const struct tables *tables, const struct of_flow_mod *fm,
                            rule_vec *ret)
{
    bool strict = fm->command == OF_FLOW_MODIFY_STRICT || fm->command == OF_FLOW_DELETE_STRICT;
    unsigned first = fm->table_id == OF_TABLE_ALL ? 0 : fm->table_id;
    unsigned last = fm->table_id == OF_TABLE_ALL ? N_TABLES_OPEN - 1 : fm->table_id;
    cls_rules found = VEC_INIT;
    for (unsigned i = first; i <= last; i++) {
        const struct classifier *cls = &tables->table[i].cls;
        if (strict) {
            struct cls_rule *rule = classifier_find(cls, &fm->match, fm->priority);
            if (rule)
                vec_push(&found, rule);
        } else if (cls->n_rules) {
            classifier_select(cls, &fm->match, &found);
        }
    }
    for (size_t i = 0; i < found.n; i++) {
        struct rule *rule = rule_from_cls(found.data[i]);
        if (tables_selects(tables, rule, fm))
            vec_push(ret, rule);
    }
    vec_fini(&found);
}

void tables_modify(struct tables *tables, struct rule *old, const struct of_flow_mod *fm,
                   int64_t now_ms, struct journal *journal)
{
    struct rule *rule = rule_new(old->table_id, &fm->actions, now_ms);
    rule->cookie = fm->modify_cookie ? fm->cookie : old->cookie;
    rule->idle_timeout = old->idle_timeout;
    rule->hard_timeout = old->hard_timeout;
    rule->importance = old->importance;
    rule->flags = old->flags;
    rule_replace(tables, old, rule, fm->flags & OF_FLOW_RESET_COUNTS, journal);
}

int tables_modify_nothing(struct tables *tables, const struct of_flow_mod *fm, int64_t now_ms,
                          struct journal *journal)
{
    /* As OpenFlow 1.0 has it: a modification that finds nothing adds. */
    bool adds = (fm->command == OF_FLOW_MODIFY || fm->command == OF_FLOW_MODIFY_STRICT) &&
                fm->modify_cookie && !fm->cookie_mask;
    return adds ? flow_add(tables, fm, now_ms, journal) : 0;
}

static int flow_modify(struct tables *tables, const struct of_flow_mod *fm, int64_t now_ms,
                       struct journal *journal)
{
    rule_vec selected = VEC_INIT;
    flow_mod_select(tables, fm, &selected);
    for (size_t i = 0; i < selected.n; i++)
        tables_modify(tables, selected.data[i], fm, now_ms, journal);
    bool none = !selected.n;
    vec_fini(&selected);
    return none ? tables_modify_nothing(tables, fm, now_ms, journal) : 0;
}

static void flow_delete(struct tables *tables, const struct of_flow_mod *fm,
                        struct journal *journal)
{
    rule_vec selected = VEC_INIT;
    flow_mod_select(tables, fm, &selected);
    for (size_t i = 0; i < selected.n; i++)
        tables_remove(tables, selected.data[i], OF_REMOVED_DELETE, journal);
    vec_fini(&selected);
}

int tables_check_flow_mod(struct of_flow_mod *fm)
{
    if (fm->table_id == TABLE_HIDDEN)
        return OF_ERR_PERM;
    if (fm->command == OF_FLOW_DELETE || fm->command == OF_FLOW_DELETE_STRICT)
        return 0;
    if (fm->table_id == OF_TABLE_ALL && fm->command == OF_FLOW_ADD)
        return OF_ERR_BAD_TABLE_ID;
    return of_actions_check(&fm->actions, &fm->match, fm->table_id, N_TABLES_OPEN);
}

int tables_flow_mod(struct tables *tables, struct of_flow_mod *fm, int64_t now_ms,
                    struct journal *journal)
{
    int err = tables_check_flow_mod(fm);
    if (err)
        return err;
    switch (fm->command) {
    case OF_FLOW_ADD:
        return flow_add(tables, fm, now_ms, journal);
    case OF_FLOW_MODIFY:
    case OF_FLOW_MODIFY_STRICT:
        return flow_modify(tables, fm, now_ms, journal);
    case OF_FLOW_DELETE:
    case OF_FLOW_DELETE_STRICT:
        flow_delete(tables, fm, journal);
        return 0;
    }
    return OF_ERR_FLOW_MOD_BAD_COMMAND;
}

struct rule *tables_add_hidden(struct tables *tables, uint8_t table_id, const struct match *match,
                               int32_t priority, const struct of_actions *actions, int64_t now_ms)
{
    tables_settle(tables);
    struct rule *rule = rule_new(table_id, actions, now_ms);
    rule_insert(tables, rule, match, priority, NULL);
    rule->shown = true;
    return rule;
}

static void shorten(uint16_t *timeout, uint16_t to)
{
    if (to && (!*timeout || *timeout > to))
        *timeout = to;
}

void tables_shorten(struct tables *tables, struct rule *rule, uint16_t idle, uint16_t hard)
{
    if (rule->removed)
        return;
    shorten(&rule->idle_timeout, idle);
    shorten(&rule->hard_timeout, hard);
    if (list_empty(&rule->expirable) && (rule->idle_timeout || rule->hard_timeout))
        list_push_back(&tables->expirable, &rule->expirable);
    if (tables->table[rule->table_id].policy && rule->cls.until == CLS_FOREVER)
        table_policy_enter(tables->table[rule->table_id].policy, rule);
}

bool tables_expire(struct tables *tables, int64_t now_ms, int64_t credited_ms, struct slice *slice,
                   struct journal *journal)
{
    struct list *mark = &tables->expiry;
    if (tables->pending)
        return true; /* soon */
    if (list_empty(mark))
        list_insert(tables->expirable.next, mark);
    while (mark->next != &tables->expirable) {
        struct rule *rule = CONTAINER_OF(mark->next, struct rule, expirable);
        list_remove(mark);
        list_insert(rule->expirable.next, mark);
        if (rule->hard_timeout && now_ms - rule->modified_ms >= rule->hard_timeout * 1000)
            tables_remove(tables, rule, OF_REMOVED_HARD, journal);
        else if (rule->idle_timeout && credited_ms - rule->used_ms >= rule->idle_timeout * 1000)
            tables_remove(tables, rule, OF_REMOVED_IDLE, journal);
        if (slice_is_over(slice))
            return false;
    }
    list_remove(mark);
    return true;
}

/* ---- commits that go in pieces ---- */

void tables_prepare(struct tables *tables)
{
    INVARIANT(!tables->pending);
    tables->pending = true;
}

void tables_flip(struct tables *tables)
{
    for (unsigned i = 0; i < N_TABLES; i++) {
        classifier_flip(&tables->table[i].cls);
        tables->table[i].n_coming = 0;
    }
    tables->flipped = true;
}

void tables_finish(struct tables *tables)
{
    for (unsigned i = 0; i < N_TABLES; i++)
        tables->table[i].cls.version = 0; /* nothing has a beginning or an end any more */
    tables->pending = tables->flipped = false;
}

bool tables_see(const struct tables *tables, const struct rule *rule)
{
    return tables->by_commit ? rule->cls.until == CLS_FOREVER
                             : cls_rule_is_seen(&tables->table[rule->table_id].cls, &rule->cls);
}

size_t tables_active(const struct tables *tables, uint8_t table_id)
{
    const struct flow_table *t = &tables->table[table_id];
    return t->cls.n_rules - t->n_hidden - (tables->flipped ? t->n_going : t->n_coming);
}

struct rule *tables_lookup(struct tables *tables, uint8_t table_id, const struct flow_key *key,
                           const struct tun_opts *opts, struct flow_mask *wc, uint64_t *words)
{
    return rule_from_cls(cls_memo_lookup(tables->memo, &tables->table[table_id].cls, table_id, key,
                                         opts, wc, words));
}

bool rule_answers(const struct rule *rule, const struct of_flow_stats_request *req)
{
    return rule_selected(rule, req->cookie, req->cookie_mask, req->out_port, req->out_group);
}

void tables_select(const struct tables *tables, const struct of_flow_stats_request *req,
                   rule_vec *ret)
{
    unsigned first = req->table_id == OF_TABLE_ALL ? 0 : req->table_id;
    unsigned last = req->table_id == OF_TABLE_ALL ? N_TABLES - 1 : req->table_id;
    cls_rules found = VEC_INIT;
    for (unsigned i = first; i <= last; i++) {
        if (tables->table[i].cls.n_rules)
            classifier_select(&tables->table[i].cls, &req->match, &found);
    }
    for (size_t i = 0; i < found.n; i++) {
        struct rule *rule = rule_from_cls(found.data[i]);
        if (tables_see(tables, rule) && rule_answers(rule, req))
            vec_push(ret, rule);
    }
    vec_fini(&found);
}
