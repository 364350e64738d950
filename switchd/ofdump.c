/* ofdump.c - flow statistics and aggregates (multipart requests), a slice at a time between packets; see docs/adr/0022-slices.md.
 *
 * A dump of 100,000 flows takes some 0.1 s, and packets do not wait for it: what is not done within a slice goes on in the loop's next
 * turns, one slice a turn for all dumps of a bridge together. Meanwhile the connection that asked is not read, so that replies keep
 * their order and a barrier waits; and when it does not take the replies as fast as they are made, the dump waits for it.
 *
 * A flow that is there all the while is told exactly once, with its counters as they are at that moment; one that is added
 * meanwhile is not told (lib/classifier/cursor.h).
 */
#include <stdlib.h>
#include <string.h>

#include "classifier/cursor.h"
#include "switchd/megaflow.h"
#include "switchd/ofconn.h"
#include "switchd/slice.h"
#include "switchd/tlv_use.h"

struct ofdump {
    struct list node; /* in ofserver.dumps; alone: nobody waits for it */
    struct ofconn *oc;
    struct of_flow_stats_request req;
    bool is_aggregate;
    struct of_aggregate sum;
    struct of_reply reply; /* in OUT */
    struct of_buf out;
    size_t n_uncredited; /* megaflows whose traffic was to be credited when it began */
    unsigned table, last;
    struct cls_cursor cursor; /* in TABLE, once begun there */
    uint64_t told_seq;        /* flows of TABLE before that have been told */
    uint64_t ends[N_TABLES];  /* next_seq of each table when it began */
};

static struct vswitch *dump_vs(const struct ofdump *d)
{
    return d->oc->of->br->vs;
}

static void put_rule(struct ofdump *d, const struct rule *rule)
{
    int64_t now_ms = env_now_ms(dump_vs(d)->env);
    struct of_flow_stats fs = {.cookie = rule->cookie,
                               .table_id = rule->table_id,
                               .priority = (uint16_t)rule->cls.priority,
                               .idle_timeout = rule->idle_timeout,
                               .hard_timeout = rule->hard_timeout,
                               .flags = rule->flags,
                               .importance = rule->importance,
                               .idle_age = (int32_t)((now_ms - rule->used_ms) / 1000),
                               .hard_age = (int32_t)((now_ms - rule->modified_ms) / 1000),
                               .packets = rule->n_packets,
                               .bytes = rule->n_bytes,
                               .actions = rule->actions};
    cls_rule_match(&rule->cls, &fs.match);
    ofstats_age(now_ms, rule->created_ms, &fs.duration_sec, &fs.duration_nsec);
    of_flow_stats_put(&d->reply, &fs);
}

static void visit(struct ofdump *d, const struct cls_rule *cls)
{
    const struct rule *rule = CONTAINER_OF(cls, struct rule, cls);
    bool is_told = cls->seq < d->told_seq; /* as it was before the flip of a commit */
    if (is_told || !tables_see(&d->oc->of->br->tables, rule) ||
        !cls_cursor_selects(&d->cursor, cls, &d->req.match) || !rule_answers(rule, &d->req))
        return;
    d->told_seq = cls->seq + 1;
    d->sum.flows++;
    d->sum.packets += rule->n_packets;
    d->sum.bytes += rule->n_bytes;
    if (!d->is_aggregate)
        put_rule(d, rule);
}

/* Credits flows with what the caches had counted when the dump began. */
static bool credit(struct ofdump *d, struct slice *slice)
{
    struct megaflows *cache = dump_vs(d)->cache;
    while (d->n_uncredited && !list_empty(&cache->counted)) {
        if (slice_is_over(slice))
            return false;
        megaflow_push(cache, LIST_FIRST(struct megaflow, counted, &cache->counted));
        d->n_uncredited--;
    }
    return true;
}

/* True: it is done. */
static bool walk(struct ofdump *d, struct slice *slice)
{
    if (!credit(d, slice))
        return false;
    for (; d->table <= d->last; d->table++) {
        const struct cls_rule *rule;
        if (!d->cursor.cls)
            cls_cursor_begin(&d->cursor, &d->oc->of->br->tables.table[d->table].cls,
                             d->ends[d->table]);
        while ((rule = cls_cursor_next(&d->cursor))) {
            visit(d, rule);
            if (slice_is_over(slice))
                return false;
        }
        cls_cursor_end(&d->cursor);
        d->told_seq = 0;
    }
    if (d->is_aggregate)
        of_aggregate_put(&d->reply, &d->sum);
    of_reply_end(&d->reply);
    return true;
}

static struct ofdump *dump_new(struct ofconn *oc, const struct of_msg *msg,
                               const struct of_flow_stats_request *req)
{
    struct ofdump *d = NEW(struct ofdump);
    const struct tables *tables = &oc->of->br->tables;
    d->oc = oc;
    d->req = *req;
    d->is_aggregate = msg->type == OF_AGGREGATE_REQUEST;
    d->n_uncredited = dump_vs(d)->cache->n_counted;
    d->table = req->table_id == OF_TABLE_ALL ? 0 : req->table_id;
    d->last = req->table_id == OF_TABLE_ALL ? N_TABLES - 1 : req->table_id;
    for (unsigned i = d->table; i <= d->last; i++)
        d->ends[i] = tables->table[i].cls.next_seq;
    of_reply_begin(&d->reply, msg, &d->out);
    list_init(&d->node);
    return d;
}

void ofdump_free(struct ofconn *oc)
{
    struct ofdump *d = oc->dump;
    if (!d)
        return;
    oc->dump = NULL;
    list_remove(&d->node);
    cls_cursor_end(&d->cursor);
    of_buf_fini(&d->out);
    free(d);
}

int ofdump_begin(struct ofconn *oc, const struct of_msg *msg, struct of_buf *out)
{
    struct of_flow_stats_request req;
    int err = of_flow_stats_request_decode(msg, &req);
    if (!err)
        err = tlv_fit_match(oc->of->br, &req.match);
    if (err)
        return err;
    struct env *env = oc->of->br->vs->env;
    struct slice slice = oc->conn ? slice_begin(env) : slice_endless(env);
    oc->dump = dump_new(oc, msg, &req);
    if (walk(oc->dump, &slice)) {
        of_buf_put(out, oc->dump->out.data, oc->dump->out.n);
        ofdump_free(oc);
    } else {
        of_conn_pause(oc->conn, true);
        list_push_back(&oc->of->dumps, &oc->dump->node);
        deferred_schedule(&oc->of->more_dumps);
    }
    return 0;
}

/* Sends the messages that are whole. */
static void send_whole(struct ofdump *d)
{
    struct of_buf whole = d->out;
    size_t n = d->reply.start;
    d->out = (struct of_buf)OF_BUF_INIT;
    of_buf_put(&d->out, whole.data + n, whole.n - n);
    whole.n = n;
    d->reply.start = 0;
    if (n)
        ofconn_send(d->oc, &whole);
    of_buf_fini(&whole);
}

static void go_on(struct ofdump *d)
{
    struct ofconn *oc = d->oc;
    struct slice slice = slice_begin(dump_vs(d)->env);
    if (walk(d, &slice)) {
        ofconn_send(oc, &d->out);
        ofdump_free(oc);
        of_conn_pause(oc->conn, false);
    } else {
        send_whole(d);
    }
}

/* The first dump whose connection takes more, or NULL. */
static struct ofdump *ready(const struct ofserver *of)
{
    struct ofdump *d;
    LIST_FOR_EACH (d, node, &of->dumps)
        if (!of_conn_is_congested(d->oc->conn))
            return d;
    return NULL;
}

void ofdumps_go_on(void *of_)
{
    struct ofserver *of = of_;
    struct ofdump *d = ready(of);
    if (d) {
        list_remove(&d->node);
        list_push_back(&of->dumps, &d->node); /* others have their turn */
        go_on(d);
    }
    if (ready(of))
        deferred_schedule(&of->more_dumps);
}

void ofdump_resume(struct ofconn *oc)
{
    if (oc->dump)
        deferred_schedule(&oc->of->more_dumps);
}
