/* ofmonitor.c - flow monitors: connections that hear of each change of the flows that they watch (OpenFlow 1.5, 7.3.5.18, and Nicira's
 * form of it in 1.0 and 1.3).
 *
 * A change is told when its journal is kept, so nobody hears of what a failed bundle undid. A connection that does not read as fast
 * as flows change is paused: it is told so, from then on only the removal of flows that it knows is told, and which flows were added
 * or changed is remembered; when it has read what was on its way, it hears of these, and that the pause is over.
 */
#include <stdlib.h>

#include "base/hash.h"
#include "openflow/flow_monitor.h"
#include "switchd/ofconn.h"
#include "switchd/tlv_use.h"

enum { MONITORS_MAX = 1024 };

struct ofmonitor {
    struct list node; /* in ofconn.monitors */
    struct of_flow_monitor fm;
};

/* A flow that changed during a pause. */
struct untold {
    struct hnode node;
    struct list order;
    struct rule *rule; /* one reference */
    bool added;        /* not known to the connection before */
};

/* ---- what is told ---- */

static struct ofmonitor *monitor_find(struct ofconn *oc, uint32_t id)
{
    struct ofmonitor *m;
    LIST_FOR_EACH (m, node, &oc->monitors) {
        if (m->fm.id == id)
            return m;
    }
    return NULL;
}

static bool goes_to(const struct rule *rule, const struct of_flow_monitor *fm)
{
    return rule &&
           (fm->out_port == PORT_ANY ||
            of_actions_output_to(rule->actions.data, rule->actions.n, fm->out_port)) &&
           (fm->out_group == OF_GROUP_ANY ||
            of_actions_use_group(rule->actions.data, rule->actions.n, fm->out_group));
}

/* Whether M wants to hear of EVENT of a flow with MATCH, RULE, that was OLD (NULL: as it is) before. */
static bool wants(const struct ofmonitor *m, enum of_update_event event, const struct rule *rule,
                  const struct rule *old, const struct match *match)
{
    static const uint16_t flags[] = {OF_MONITOR_INITIAL, OF_MONITOR_ADD, OF_MONITOR_REMOVED,
                                     OF_MONITOR_MODIFY};
    return m->fm.flags & flags[event] &&
           (m->fm.table_id == OF_TABLE_ALL || m->fm.table_id == rule->table_id) &&
           (goes_to(rule, &m->fm) || goes_to(old, &m->fm)) && match_is_subset(match, &m->fm.match);
}

static void put_update(struct of_reply *reply, enum of_update_event event, const struct rule *rule,
                       const struct match *match, uint8_t reason, bool actions)
{
    struct of_flow_update u = {.event = event,
                               .reason = reason,
                               .table_id = rule->table_id,
                               .priority = (uint16_t)rule->cls.priority,
                               .idle_timeout = rule->idle_timeout,
                               .hard_timeout = rule->hard_timeout,
                               .cookie = rule->cookie,
                               .match = *match};
    if (actions)
        u.actions = rule->actions;
    of_flow_update_put(reply, &u);
}

/* A reply that nobody asked for just now: xid 0. */
static void begin_unasked(const struct ofconn *oc, struct of_reply *reply, struct of_buf *out)
{
    uint8_t version = of_conn_version(oc->conn);
    struct of_msg as = {
        .type = OF_FLOW_MONITOR_REQUEST, .version = version, .nx = version < OF14_VERSION};
    of_reply_begin(reply, &as, out);
}

/* ---- pauses ---- */

static struct untold *untold_find(const struct ofconn *oc, const struct rule *rule)
{
    struct untold *u;
    HMAP_FOR_EACH_WITH_HASH (u, node, hash_u64((uintptr_t)rule, 0), &oc->untold) {
        if (u->rule == rule)
            return u;
    }
    return NULL;
}

static void untold_add(struct ofconn *oc, struct rule *rule, bool added)
{
    struct untold *u = NEW(struct untold);
    u->rule = rule_ref(rule);
    u->added = added;
    hmap_insert(&oc->untold, &u->node, hash_u64((uintptr_t)rule, 0));
    list_push_back(&oc->untold_order, &u->order);
}

/* Whether the flow was new to the connection. */
static bool untold_take(struct ofconn *oc, struct untold *u)
{
    bool added = u->added;
    hmap_remove(&oc->untold, &u->node);
    list_remove(&u->order);
    rule_unref(u->rule);
    free(u);
    return added;
}

static void send_state(struct ofconn *oc, enum of_update_event event)
{
    struct of_buf out = OF_BUF_INIT;
    uint8_t version = of_conn_version(oc->conn);
    if (version < OF14_VERSION) {
        of_simple_encode(event == OF_UPDATE_PAUSED ? OF_NX_FLOW_MONITOR_PAUSED
                                                   : OF_NX_FLOW_MONITOR_RESUMED,
                         version, 0, &out);
    } else {
        struct of_reply reply;
        struct of_flow_update u = {.event = event};
        begin_unasked(oc, &reply, &out);
        of_flow_update_put(&reply, &u);
        of_reply_end(&reply);
    }
    ofconn_send(oc, &out);
    of_buf_fini(&out);
}

static void tell(const struct ofconn *oc, struct of_reply *reply, enum of_update_event event,
                 const struct rule *rule, const struct rule *old, const struct match *match,
                 uint8_t reason)
{
    bool told = false, actions = false;
    const struct ofmonitor *m;
    LIST_FOR_EACH (m, node, &oc->monitors) {
        if (!wants(m, event, rule, old, match))
            continue;
        told = true;
        actions |= m->fm.flags & OF_MONITOR_ACTIONS;
    }
    if (told)
        put_update(reply, event, rule, match, reason, actions);
}

void ofmonitor_resume(struct ofconn *oc)
{
    if (!oc->monitors_paused)
        return;
    struct of_buf out = OF_BUF_INIT;
    struct of_reply reply;
    begin_unasked(oc, &reply, &out);
    size_t empty = out.n;
    while (!list_empty(&oc->untold_order)) {
        struct untold *u = LIST_FIRST(struct untold, order, &oc->untold_order);
        struct match match;
        cls_rule_match(&u->rule->cls, &match);
        tell(oc, &reply, u->added ? OF_UPDATE_ADDED : OF_UPDATE_MODIFIED, u->rule, NULL, &match, 0);
        (void)untold_take(oc, u);
    }
    if (out.n > empty) {
        of_reply_end(&reply);
        ofconn_send(oc, &out);
    }
    of_buf_fini(&out);
    oc->monitors_paused = false;
    send_state(oc, OF_UPDATE_RESUMED);
}

/* ---- changes ---- */

/* What a change means to those who watch; false: nothing, since a later one of the journal has the result. */
static bool read_change(const struct table_change *c, enum of_update_event *event,
                        struct match *match)
{
    if (c->kind == CHANGE_REMOVE) {
        *event = OF_UPDATE_REMOVED;
        minimatch_expand(c->match, match);
        return !c->old->fresh;
    }
    if (c->new->removed)
        return false;
    *event = c->new->fresh || c->by_add ? OF_UPDATE_ADDED : OF_UPDATE_MODIFIED;
    cls_rule_match(&c->new->cls, match);
    return true;
}

/* During a pause: remembers the change. True: it is to be told now all the same. */
static bool hold_back(struct ofconn *oc, const struct table_change *c)
{
    struct untold *u = c->old ? untold_find(oc, c->old) : NULL;
    bool added = u ? untold_take(oc, u) : c->new && c->new->fresh;
    if (c->new && !c->new->removed)
        untold_add(oc, c->new, added);
    return !c->new && !added;
}

/* Whether some monitor wants CHANGE, made by the connection itself, in full. */
static bool own_in_full(const struct ofconn *oc)
{
    const struct ofmonitor *m;
    LIST_FOR_EACH (m, node, &oc->monitors) {
        if (m->fm.flags & OF_MONITOR_NO_ABBREV)
            return true;
    }
    return false;
}

static void report_to(struct ofconn *oc, const struct journal *journal)
{
    struct ofserver *of = oc->of;
    bool own = of->changer == oc;
    if (list_empty(&oc->monitors))
        return;
    struct of_buf out = OF_BUF_INIT;
    struct of_reply reply;
    begin_unasked(oc, &reply, &out);
    size_t empty = out.n;
    for (size_t i = 0; i < journal->changes.n; i++) {
        const struct table_change *c = &journal->changes.data[i];
        enum of_update_event event;
        struct match match;
        if (!read_change(c, &event, &match))
            continue;
        if (own && !own_in_full(oc)) {
            struct of_flow_update u = {.event = OF_UPDATE_ABBREV, .xid = of->changer_xid};
            of_flow_update_put(&reply, &u);
            break;
        }
        if (!oc->monitors_paused || hold_back(oc, c))
            tell(oc, &reply, event, c->new ? c->new : c->old, c->old, &match, c->reason);
    }
    if (out.n > empty) {
        of_reply_end(&reply);
        ofconn_send(oc, &out);
        if (!oc->monitors_paused && of_conn_is_congested(oc->conn)) {
            oc->monitors_paused = true;
            send_state(oc, OF_UPDATE_PAUSED);
        }
    }
    of_buf_fini(&out);
}

void ofmonitor_report(struct ofserver *of, const struct journal *journal)
{
    struct ofconn *oc;
    LIST_FOR_EACH (oc, node, &of->conns)
        report_to(oc, journal);
}

/* ---- requests ---- */

static void monitor_free(struct ofmonitor *m)
{
    list_remove(&m->node);
    free(m);
}

void ofmonitors_free(struct ofconn *oc)
{
    while (!list_empty(&oc->monitors))
        monitor_free(LIST_FIRST(struct ofmonitor, node, &oc->monitors));
    while (!list_empty(&oc->untold_order))
        (void)untold_take(oc, LIST_FIRST(struct untold, order, &oc->untold_order));
    hmap_fini(&oc->untold);
}

/* What is there already, as the first updates of M. */
static void put_initial(struct ofconn *oc, const struct ofmonitor *m, struct of_reply *reply)
{
    struct of_flow_stats_request req;
    of_flow_stats_request_init(&req);
    req.table_id = m->fm.table_id;
    req.out_port = m->fm.out_port;
    req.out_group = m->fm.out_group;
    req.match = m->fm.match;
    rule_vec rules = VEC_INIT;
    tables_select(&oc->of->br->tables, &req, &rules);
    for (size_t i = 0; i < rules.n; i++) {
        struct match match;
        cls_rule_match(&rules.data[i]->cls, &match);
        put_update(reply, OF_UPDATE_INITIAL, rules.data[i], &match, 0,
                   m->fm.flags & OF_MONITOR_ACTIONS);
    }
    vec_fini(&rules);
}

static int monitor_add(struct ofconn *oc, const struct of_flow_monitor *fm)
{
    size_t n = 0;
    struct ofmonitor *m;
    LIST_FOR_EACH (m, node, &oc->monitors)
        n++;
    if (monitor_find(oc, fm->id))
        return OF_ERR_FLOW_MONITOR_EXISTS;
    if (n >= MONITORS_MAX)
        return OF_ERR_FLOW_MONITOR_INVALID;
    if (fm->table_id != OF_TABLE_ALL && fm->table_id >= N_TABLES)
        return OF_ERR_BAD_TABLE_ID;
    m = NEW(struct ofmonitor);
    m->fm = *fm;
    list_push_back(&oc->monitors, &m->node);
    return 0;
}

/* One monitor of a request. */
static int monitor_apply(struct ofconn *oc, struct of_flow_monitor *fm)
{
    int err = tlv_fit_match(oc->of->br, &fm->match);
    if (err)
        return err;
    if (!oc->conn)
        return OF_ERR_PERM; /* an injected message: there is nobody to tell later */
    struct ofmonitor *old = monitor_find(oc, fm->id);
    if (fm->command == OF_MONITOR_CREATE)
        return monitor_add(oc, fm);
    if (!old)
        return OF_ERR_FLOW_MONITOR_UNKNOWN_MONITOR;
    if (fm->command == OF_MONITOR_DELETE)
        monitor_free(old);
    else
        old->fm = *fm;
    return 0;
}

/* All of a request's monitors or none. */
int ofmonitor_request(struct ofconn *oc, const struct of_msg *msg, struct of_reply *reply)
{
    struct of_flow_monitor fm;
    size_t ofs = 0;
    VEC(struct of_flow_monitor) done = VEC_INIT;
    int more, err = 0;
    while (!err && (more = of_flow_monitor_next(msg, &ofs, &fm)) != 0) {
        err = more < 0 ? -more : monitor_apply(oc, &fm);
        if (!err)
            vec_push(&done, fm);
    }
    for (size_t i = 0; i < done.n; i++) {
        struct ofmonitor *m = monitor_find(oc, done.data[i].id);
        if (err && m && done.data[i].command == OF_MONITOR_CREATE)
            monitor_free(m);
        else if (!err && m && m->fm.flags & OF_MONITOR_INITIAL)
            put_initial(oc, m, reply);
    }
    vec_fini(&done);
    return err;
}

int ofmonitor_cancel(struct ofconn *oc, const struct of_msg *msg)
{
    uint32_t id;
    int err = of_nx_number_decode(msg, &id);
    struct ofmonitor *m = err ? NULL : monitor_find(oc, id);
    if (!err && !m)
        return OF_ERR_FLOW_MONITOR_UNKNOWN_MONITOR;
    if (m)
        monitor_free(m);
    return err;
}
