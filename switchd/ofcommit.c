/* ofcommit.c - the commit of a bundle (OpenFlow 1.4 section 6.9), a slice at a time between packets; see docs/adr/0022-slices.md. A
 * message that modifies or deletes many flows is committed likewise, as if it were a bundle of its own.
 *
 *     APPLY   messages are carried out in order; what they do to flows is of the tables' next version, which nobody sees
 *     (flip)  the next version is in force, for packets and controllers alike
 *     TELL    those who watch flows, and those who wanted to know when flows go, are told
 *     KEEP    what the last version had is freed
 *     CLEAR   and then the lists of messages and changes themselves
 *
 * or, when a message fails, UNDO in place of TELL and KEEP, and nobody has seen anything. The connection is not read until its
 * bundle is done, and whoever else is about to change flows of the bridge has it done at once (tables_settle).
 *
 * What is done to groups and ports are drafts until the flip (group.c; here). A meter goes with the flip of the deletion of its flows.
 */
#include <stdlib.h>

#include "switchd/flow_walk.h"
#include "switchd/heap.h"
#include "switchd/ofconn.h"
#include "switchd/slice.h"

enum { TELL_AT_ONCE = 64, CLEAR_AT_ONCE = 4096 };

struct ofcommit {
    struct ofserver *of;
    struct ofconn *oc;
    struct bundle *bundle;
    bool is_alone; /* one message, in no bundle: nothing is answered but its error */
    struct of_buf request;
    uint32_t xid; /* of it */
    enum { APPLY, UNDO, TELL, KEEP, CLEAR, DONE } state;
    size_t next;           /* message, change */
    bool walks;            /* the message is carried out flow by flow */
    struct flow_walk walk; /* so */
    int64_t walk_ms;
    struct journal journal;
    VEC(struct of_port_mod) ports;
    VEC(struct bundle_message) packets; /* to be sent when it is done */
    bool ends_meters;                   /* METER, or all */
    uint32_t meter;
    int err;
    struct of_buf out; /* replies, sent when it is done */
};

static struct bridge *commit_bridge(const struct ofcommit *c)
{
    return c->of->br;
}

/* ---- the steps; true: the state's last ---- */

/* A packet-out must not happen before it is certain that all will. */
static int apply_message(struct ofcommit *c, const struct bundle_message *m, struct of_msg *msg)
{
    int err = of_msg_parse(m->data, m->n, msg);
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
    if (msg.type == OF_PACKET_OUT) {
        vec_push(&c->packets, *m);
        *m = (struct bundle_message){0};
    }
    ofbundle_release(m);
    return true;
}

/* Messages lie where they were put long ago; they are asked for while those before are carried out. */
static void fetch_ahead(const struct ofcommit *c)
{
    enum { AHEAD = 4, LINES = 2, LINE = 64 };
    size_t i = c->next + AHEAD;
    for (unsigned k = 0; i < c->bundle->messages.n && k < LINES; k++)
        __builtin_prefetch(c->bundle->messages.data[i].data + k * LINE);
}

static bool apply(struct ofcommit *c, struct slice *slice)
{
    while (c->next < c->bundle->messages.n && !c->err) {
        fetch_ahead(c);
        c->next += apply_some(c, &c->bundle->messages.data[c->next]);
        if (slice_is_over(slice))
            return false;
    }
    return true;
}

static bool undo(struct ofcommit *c, struct slice *slice)
{
    while (c->journal.changes.n) {
        journal_undo_last(&c->journal, &commit_bridge(c)->tables);
        if (slice_is_over(slice))
            return false;
    }
    groups_undo(commit_bridge(c));
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

/* Large arrays are given back from their ends. */
static bool clear(struct ofcommit *c, struct slice *slice)
{
    struct bundle *b = c->bundle;
    vec_clear(&c->journal.changes);
    while (c->journal.changes.cap > CLEAR_AT_ONCE) {
        vec_shrink(&c->journal.changes, c->journal.changes.cap - CLEAR_AT_ONCE);
        if (slice_is_over(slice))
            return false;
    }
    while (b->messages.n) {
        ofbundle_release(&vec_pop(&b->messages));
        if (b->messages.n % CLEAR_AT_ONCE == 0)
            vec_shrink(&b->messages, b->messages.n);
        if (slice_is_over(slice))
            return false;
    }
    return true;
}

static void flip(struct ofcommit *c)
{
    struct bridge *br = commit_bridge(c);
    const struct of_port_mod *pm;
    tables_flip(&br->tables);
    groups_flip(br);
    VEC_FOR_EACH (pm, &c->ports)
        ofserver_port_mod(br, pm);
    if (c->ends_meters)
        bridge_meters_remove(br, c->meter);
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
                    : c->state == KEEP ? keep(c, slice)
                                       : clear(c, slice);
        if (!last)
            break;
        c->next = 0;
        if (c->state == APPLY && !c->err)
            flip(c);
        c->state = c->state == APPLY   ? (c->err ? UNDO : TELL)
                   : c->state == TELL  ? KEEP
                   : c->state == CLEAR ? DONE
                                       : CLEAR;
    }
    tables->by_commit = false;
}

/* ---- the end ---- */

static void send_packets(struct ofcommit *c)
{
    struct journal journal = JOURNAL_INIT;
    struct bundle_message *m;
    VEC_FOR_EACH (m, &c->packets) {
        struct of_msg msg;
        if (!of_msg_parse(m->data, m->n, &msg))
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
    tables_finish(&commit_bridge(c)->tables);
    c->of->commit = NULL;
    answer(c);
    of_buf_put(out, c->out.data, c->out.n);
    struct bundle_message *m;
    VEC_FOR_EACH (m, &c->packets)
        ofbundle_release(m);
    vec_fini(&c->packets);
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
    heap_settle();
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
    /* Growing it would copy all of it; memory that is not used is not touched. */
    vec_reserve(&c->journal.changes, bundle->messages.n + (is_alone ? of->br->tables.n_rules : 0));
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

/* MSG is committed as if it were a bundle; its error is answered here or later. */
static int start_alone(struct ofconn *oc, const struct of_msg *msg)
{
    struct of_buf out = OF_BUF_INIT;
    start(oc, ofbundle_of(msg), msg, true, &out);
    if (out.n)
        ofconn_send(oc, &out);
    of_buf_fini(&out);
    return 0;
}

int ofcommit_walk(struct ofconn *oc, const struct of_msg *msg, struct of_flow_mod *fm)
{
    struct bridge *br = oc->of->br;
    struct ofcommit *c = oc->of->commit;
    if (!br->tables.by_commit)
        return start_alone(oc, msg);
    int err = bridge_flow_walk(br, fm, &c->walk);
    c->walks = !err;
    c->walk_ms = env_now_ms(br->vs->env);
    return err;
}

bool ofcommit_takes_users(const struct ofconn *oc)
{
    const struct tables *tables = &oc->of->br->tables;
    return (oc->conn || tables->by_commit) && tables->n_rules > WALK_WORTH;
}

int ofcommit_walk_users(struct ofconn *oc, const struct of_msg *msg, enum of_action_type type,
                        uint32_t id)
{
    struct bridge *br = oc->of->br;
    struct ofcommit *c = oc->of->commit;
    if (!br->tables.by_commit)
        return start_alone(oc, msg);
    if (type == OF_GROUP) {
        bridge_groups_remove(br, id);
    } else {
        c->ends_meters = true;
        c->meter = id;
    }
    flow_walk_begin_users(&c->walk, type, id);
    c->walks = true;
    return 0;
}

void ofcommit_port_mod(struct ofserver *of, const struct of_port_mod *pm)
{
    vec_push(&of->commit->ports, *pm);
}
