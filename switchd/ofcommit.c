/* ofcommit.c - the commit of a bundle (OpenFlow 1.4 section 6.9), a slice at a time between packets; see docs/adr/0022-slices.md. A
 * message that modifies or deletes many flows is committed likewise, as if it were a bundle of its own.
 *
 *     APPLY   messages are carried out in order; what they do to flows is of the tables' next version, which nobody sees
 *     (flip)  the next version is in force, for packets and controllers alike
 *     TELL    those who watch flows, and those who wanted to know when flows go, are told
 *     KEEP    what the last version had is freed
 *
 * or, when a message fails, UNDO in place of the last three, and nobody has seen anything. The connection is not read until its
 * bundle is done, and whoever else is about to change flows of the bridge has it done at once (tables_settle).
 *
 * Groups that are modified or deleted, and ports, have no versions: from the first such message of a bundle to the flip all is done in one
 * piece. Copies are put back when the bundle fails.
 */
#include <stdlib.h>

#include "base/log.h"
#include "switchd/flow_walk.h"
#include "switchd/ofconn.h"
#include "switchd/slice.h"

LOG_MODULE(bundle);

enum { TELL_AT_ONCE = 64 };

struct saved_port {
    uint32_t number, config;
};

struct ofcommit {
    struct ofserver *of;
    struct ofconn *oc;
    struct bundle *bundle;
    bool is_alone; /* one message, in no bundle: nothing is answered but its error */
    struct of_buf request;
    uint32_t xid; /* of it */
    enum { APPLY, UNDO, TELL, KEEP, DONE } state;
    size_t next;           /* message, change */
    bool walks;            /* the message is carried out flow by flow */
    struct flow_walk walk; /* so */
    int64_t walk_ms;
    struct journal journal;
    bool is_saved, in_one_piece;
    VEC(struct of_group) groups;
    VEC(struct saved_port) ports;
    int err;
    struct of_buf out; /* replies, sent when it is done */
};

static struct bridge *commit_bridge(const struct ofcommit *c)
{
    return c->of->br;
}

/* ---- what has no versions ---- */

static void save(struct ofcommit *c)
{
    const struct group *g;
    const struct vport *port;
    c->is_saved = true;
    HMAP_FOR_EACH (g, node, &commit_bridge(c)->groups)
        of_group_copy(vec_push_zero(&c->groups), &g->of);
    HMAP_FOR_EACH (port, by_no, &commit_bridge(c)->ports)
        vec_push(&c->ports, ((struct saved_port){port->ofport, port->config}));
}

static void restore_ports(struct ofcommit *c)
{
    const struct saved_port *saved;
    VEC_FOR_EACH (saved, &c->ports) {
        struct vport *port = bridge_port(commit_bridge(c), saved->number);
        if (!port || port->config == saved->config)
            continue;
        port->config = saved->config;
        ofserver_port_status(port, OF_PORT_MODIFY);
    }
}

static bool was_there(const struct ofcommit *c, uint32_t group)
{
    const struct of_group *saved;
    VEC_FOR_EACH (saved, &c->groups)
        if (saved->id == group)
            return true;
    return false;
}

static void restore_groups(struct ofcommit *c)
{
    struct bridge *br = commit_bridge(c);
    struct journal journal = JOURNAL_INIT;
    struct group *g;
    HMAP_FOR_EACH_SAFE (g, node, &br->groups) {
        struct of_group_mod gm;
        of_group_mod_init(&gm, OF_GROUP_DELETE, g->of.id);
        if (!was_there(c, g->of.id) && bridge_group_mod(br, &gm, &journal))
            log_warn("bridge %s: could not take back group %u", br->name, gm.group.id);
        of_group_mod_fini(&gm);
    }
    struct of_group *saved;
    VEC_FOR_EACH (saved, &c->groups) {
        struct of_group_mod gm = {.command = OF_GROUP_ADD_OR_MODIFY, .group = *saved};
        if (bridge_group_mod(br, &gm, &journal))
            log_warn("bridge %s: could not put back group %u", br->name, gm.group.id);
    }
    journal_commit(&journal, &br->tables);
}

/* Whether packets see at once what MSG does. */
static bool is_seen_at_once(const struct of_msg *msg)
{
    struct of_group_mod gm;
    if (msg->type != OF_GROUP_MOD)
        return msg->type == OF_PORT_MOD;
    bool is_add = !of_group_mod_decode(msg, &gm) && gm.command == OF_GROUP_ADD;
    of_group_mod_fini(&gm);
    return !is_add; /* a new group is nobody's yet */
}

/* ---- the steps; true: the state's last ---- */

/* A packet-out must not happen before it is certain that all will. */
static int apply_message(struct ofcommit *c, const struct bundle_message *m, struct of_msg *msg)
{
    int err = of_msg_parse(m->data, m->n, msg);
    if (!err && (msg->type == OF_GROUP_MOD || msg->type == OF_PORT_MOD)) {
        if (!c->is_saved)
            save(c);
        c->in_one_piece |= is_seen_at_once(msg);
    }
    if (!err && msg->type != OF_PACKET_OUT)
        err = ofserver_modify(c->oc, msg, &c->journal);
    return err;
}

/* The next flow of M; true: that was all. */
static bool apply_walk(struct ofcommit *c, const struct bundle_message *m, struct of_msg *msg,
                       int *err)
{
    c->walks = !flow_walk_step(&c->walk, &commit_bridge(c)->tables, c->walk_ms, &c->journal, err);
    if (!c->walks)
        INVARIANT(!of_msg_parse(m->data, m->n, msg));
    return !c->walks;
}

/* True: M has been carried out. */
static bool apply_some(struct ofcommit *c, struct bundle_message *m)
{
    struct of_msg msg;
    int err;
    if (c->walks) {
        if (!apply_walk(c, m, &msg, &err))
            return false;
    } else {
        err = apply_message(c, m, &msg);
        if (c->walks)
            return false;
    }
    if (err) {
        of_error_encode(err, &msg, &c->out);
        c->err = OF_ERR_BUNDLE_MSG_FAILED;
    }
    if (msg.type != OF_PACKET_OUT) /* now, since many at the end would take their time */
        ofbundle_release(m);
    return true;
}

static bool apply(struct ofcommit *c, struct slice *slice)
{
    while (c->next < c->bundle->messages.n && !c->err) {
        c->next += apply_some(c, &c->bundle->messages.data[c->next]);
        if (!c->in_one_piece && slice_is_over(slice))
            return false;
    }
    return true;
}

static bool undo(struct ofcommit *c, struct slice *slice)
{
    while (c->journal.changes.n) {
        journal_undo_last(&c->journal, &commit_bridge(c)->tables);
        if (!c->in_one_piece && slice_is_over(slice))
            return false;
    }
    if (c->is_saved) {
        restore_groups(c);
        restore_ports(c);
        vswitch_invalidate(commit_bridge(c)->vs);
    }
    return true;
}

static bool tell(struct ofcommit *c, struct slice *slice)
{
    c->of->changer = c->oc;
    c->of->changer_xid = c->xid;
    while (c->next < c->journal.changes.n) {
        size_t n = MIN(c->journal.changes.n - c->next, (size_t)TELL_AT_ONCE);
        struct journal part = {.changes = {c->journal.changes.data + c->next, n, n}};
        bridge_tell(commit_bridge(c), &part);
        c->next += n;
        if (slice_is_over(slice) || env_now_us(slice->env) >= slice->until_us)
            break;
    }
    c->of->changer = NULL;
    return c->next == c->journal.changes.n;
}

static bool keep(struct ofcommit *c, struct slice *slice)
{
    while (c->next < c->journal.changes.n) {
        journal_keep(&c->journal, c->next++, &commit_bridge(c)->tables);
        if (slice_is_over(slice))
            return false;
    }
    return true;
}

static void flip(struct ofcommit *c)
{
    struct bridge *br = commit_bridge(c);
    tables_flip(&br->tables);
    if (c->journal.changes.n)
        vswitch_flows_changed(br->vs, br, &c->journal);
}

/* Goes on until SLICE is over. */
static void work(struct ofcommit *c, struct slice *slice)
{
    struct tables *tables = &commit_bridge(c)->tables;
    tables->by_commit = true;
    while (c->state != DONE) {
        bool last = c->state == APPLY  ? apply(c, slice)
                    : c->state == UNDO ? undo(c, slice)
                    : c->state == TELL ? tell(c, slice)
                                       : keep(c, slice);
        if (!last)
            break;
        c->next = 0;
        if (c->state == APPLY && !c->err)
            flip(c);
        c->state = c->state == APPLY ? (c->err ? UNDO : TELL) : c->state == TELL ? KEEP : DONE;
    }
    tables->by_commit = false;
}

/* ---- the end ---- */

static void send_packets(struct ofcommit *c)
{
    struct journal journal = JOURNAL_INIT;
    const struct bundle_message *m;
    VEC_FOR_EACH (m, &c->bundle->messages) {
        struct of_msg msg;
        if (m->data && !of_msg_parse(m->data, m->n, &msg))
            (void)!ofserver_modify(c->oc, &msg, &journal);
    }
}

static void answer(struct ofcommit *c)
{
    struct of_msg request;
    if (!c->err)
        bridge_told(commit_bridge(c));
    if (c->is_alone)
        return;
    INVARIANT(!of_msg_parse(c->request.data, c->request.n, &request));
    if (c->err) {
        of_error_encode(c->err, &request, &c->out);
        return;
    }
    struct of_bundle_control reply = {c->bundle->id, OF_BUNDLE_COMMIT_REPLY, 0};
    send_packets(c);
    of_bundle_control_encode(&reply, request.version, request.xid, &c->out);
}

/* Frees C; what is to be said is appended to OUT. */
static void finish(struct ofcommit *c, struct of_buf *out)
{
    struct of_group *g;
    tables_finish(&commit_bridge(c)->tables);
    c->of->commit = NULL;
    answer(c);
    of_buf_put(out, c->out.data, c->out.n);
    VEC_FOR_EACH (g, &c->groups)
        of_group_fini(g);
    vec_fini(&c->groups);
    vec_fini(&c->ports);
    vec_fini(&c->journal.changes);
    of_buf_fini(&c->out);
    of_buf_fini(&c->request);
    ofbundle_free(c->bundle);
    free(c);
}

static void finish_and_send(struct ofcommit *c)
{
    struct ofconn *oc = c->oc;
    struct of_buf out = OF_BUF_INIT;
    finish(c, &out);
    ofconn_send(oc, &out);
    of_buf_fini(&out);
    of_conn_pause(oc->conn, false);
}

void ofcommit_settle(void *of_)
{
    struct ofserver *of = of_;
    struct slice slice = slice_endless(of->br->vs->env);
    if (!of->commit)
        return;
    work(of->commit, &slice);
    finish_and_send(of->commit);
}

void ofcommit_end(struct ofconn *oc)
{
    if (oc->of->commit && oc->of->commit->oc == oc)
        ofcommit_settle(oc->of);
}

void ofcommit_go_on(void *of_)
{
    struct ofserver *of = of_;
    struct slice slice = slice_begin(of->br->vs->env);
    if (!of->commit)
        return; /* settled meanwhile */
    work(of->commit, &slice);
    if (of->commit->state == DONE)
        finish_and_send(of->commit);
    else
        deferred_schedule(&of->more_commit);
}

static void start(struct ofconn *oc, struct bundle *bundle, const struct of_msg *msg, bool is_alone,
                  struct of_buf *out)
{
    struct ofserver *of = oc->of;
    struct env *env = of->br->vs->env;
    tables_settle(&of->br->tables);
    struct ofcommit *c = NEW(struct ofcommit);
    c->of = of;
    c->oc = oc;
    c->bundle = bundle;
    c->is_alone = is_alone;
    c->xid = msg->xid;
    of_buf_put(&c->request, msg->data, msg->len);
    vec_reserve(&c->journal.changes, bundle->messages.n);
    of->commit = c;
    of->br->tables.settle = ofcommit_settle;
    of->br->tables.settle_aux = of;
    tables_prepare(&of->br->tables);
    struct slice slice = oc->conn ? slice_begin(env) : slice_endless(env);
    work(c, &slice);
    if (c->state == DONE) {
        finish(c, out);
        return;
    }
    of_conn_pause(oc->conn, true);
    deferred_schedule(&of->more_commit);
}

void ofcommit_begin(struct ofconn *oc, struct bundle *bundle, const struct of_msg *msg,
                    struct of_buf *out)
{
    list_remove(&bundle->node);
    start(oc, bundle, msg, false, out);
}

bool ofcommit_takes(const struct ofconn *oc, const struct of_flow_mod *fm)
{
    const struct tables *tables = &oc->of->br->tables;
    return (oc->conn || tables->by_commit) && flow_walk_is_worth(tables, fm);
}

int ofcommit_walk(struct ofconn *oc, const struct of_msg *msg, struct of_flow_mod *fm)
{
    struct bridge *br = oc->of->br;
    struct ofcommit *c = oc->of->commit;
    if (br->tables.by_commit) {
        int err = bridge_flow_walk(br, fm, &c->walk);
        c->walks = !err;
        c->walk_ms = env_now_ms(br->vs->env);
        return err;
    }
    struct of_buf out = OF_BUF_INIT;
    start(oc, ofbundle_of(msg), msg, true, &out);
    if (out.n)
        ofconn_send(oc, &out);
    of_buf_fini(&out);
    return 0;
}
