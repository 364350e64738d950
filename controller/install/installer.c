/* installer.c - see installer.h. Room 8 of docs/architecture.md.
 *
 * One connection, in steps:
 *
 *     DOWN -> TLV (ask for, then make the mapping of the Geneve option) -> READBACK (flow statistics) -> UP
 *
 * In UP at most one bundle is on its way; what changes meanwhile goes into the next. A bundle that fails changes nothing in the switch:
 * the flow that the error names is set aside and everything is read back again.
 *
 * A switch without flows need not wait until all is known that it should have: it is filled, in bundles, while the rest is made. The flows of
 * the first table come last, with the first commit, and no packet meets a pipeline that is half there.
 */
#include "controller/install/installer.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/vec.h"
#include "controller/install/flows.h"
#include "controller/install/objects.h"
#include "controller/oflow_key.h"
#include "lflow/lflow.h"
#include "openflow/bundle.h"
#include "openflow/flow_mod.h"
#include "openflow/switch.h"

LOG_MODULE(install);

enum state { STATE_DOWN, STATE_TLV, STATE_READBACK, STATE_UP };
enum { TLV_CLASS = 0x0102, TLV_TYPE = 0x80, TLV_LEN = 4, CHUNK = 65536, RETRY_MS = 1000 };

struct installer {
    struct installer_options options;
    void (*confirmed)(void *aux, uint64_t generation);
    void *aux;
    struct of_remote *remote;
    struct of_conn *conn;
    enum state state;
    struct flows flows;
    flow_entry_vec batch; /* on its way */
    struct objects objects;
    VEC(uint32_t) flush; /* zones */
    unsigned option;     /* of tunnels: tun_metadata<option> */
    size_t cursor;       /* entries of the batch that are encoded */
    bool is_sending;     /* a bundle was opened and is not committed */
    bool is_waiting;     /* for the barrier behind a bundle */
    bool has_failed;     /* the bundle on its way */
    bool has_desire;     /* installer_commit was called */
    bool has_part;       /* installer_fill was */
    bool is_swept;       /* what the switch had and nobody wants is dirty */
    bool is_rereading;
    uint32_t bundle_id, first_xid, barrier_xid, request_xid;
    uint64_t generation, sent_generation, confirmed_generation;
    struct timer retry;
    struct installer_stats stats;
};

/* --- Sending */

static void send_simple(struct installer *in, enum of_type type, uint32_t xid)
{
    struct of_buf buf = OF_BUF_INIT;
    of_simple_encode(type, OF15_VERSION, xid, &buf);
    of_conn_send_buf(in->conn, &buf);
    of_buf_fini(&buf);
}

static void send_bundle_control(struct installer *in, enum of_bundle_type type)
{
    struct of_bundle_control bc = {in->bundle_id, (uint16_t)type,
                                   OF_BUNDLE_ATOMIC | OF_BUNDLE_ORDERED};
    struct of_buf buf = OF_BUF_INIT;
    of_bundle_control_encode(&bc, OF15_VERSION, of_conn_next_xid(in->conn), &buf);
    of_conn_send_buf(in->conn, &buf);
    of_buf_fini(&buf);
}

/* Packets come in by it. */
static bool is_way_in(const struct flow_entry *e)
{
    return e->table == OFTABLE_PHY_TO_LOG;
}

/* All is known that the switch should have. */
static void sweep(struct installer *in)
{
    flows_sweep(&in->flows);
    in->is_swept = true;
    log_info("the switch had %zu flows: %zu to change", in->flows.n_read, in->flows.dirty.n);
}

/* Takes the dirty entries that really differ into the batch. */
static void batch_begin(struct installer *in)
{
    INVARIANT(!in->batch.n);
    if (in->has_desire && !in->is_swept)
        sweep(in);
    flow_entry_vec dirty = in->flows.dirty; /* after a start it is long */
    in->flows.dirty = (flow_entry_vec)VEC_INIT;
    for (size_t i = 0; i < dirty.n; i++) {
        struct flow_entry *e = dirty.data[i];
        if (!in->has_desire && is_way_in(e)) {
            vec_push(&in->flows.dirty, e);
            continue;
        }
        e->flags &= (uint8_t)~FLOW_DIRTY;
        if (flow_entry_differs(e)) {
            e->flags |= FLOW_SENT;
            vec_push(&in->batch, e);
        } else {
            flow_entry_settle(&in->flows, e);
        }
    }
    vec_fini(&dirty);
    in->cursor = 0;
    in->sent_generation = in->generation;
}

static void confirm(struct installer *in, uint64_t generation)
{
    if (generation <= in->confirmed_generation)
        return;
    in->confirmed_generation = generation;
    in->confirmed(in->aux, generation);
}

static uint32_t next_xid(void *in_)
{
    struct installer *in = in_;
    return of_conn_next_xid(in->conn);
}

static void put_in_bundle(void *in_, const struct object *o, struct of_buf *out)
{
    struct installer *in = in_;
    size_t start = of_bundle_add_begin(in->bundle_id, OF_BUNDLE_ATOMIC | OF_BUNDLE_ORDERED,
                                       OF15_VERSION, o->xid, out);
    object_encode(o, o->xid, out);
    of_bundle_add_end(out, start);
}

/* What comes before the flows: zones are emptied, meters made (neither can be in a bundle), groups made. */
static void bundle_begin(struct installer *in)
{
    struct of_buf buf = OF_BUF_INIT;
    for (size_t i = 0; i < in->flush.n; i++)
        of_nx_number_encode(OF_NX_CT_FLUSH_ZONE, in->flush.data[i], OF15_VERSION, next_xid(in),
                            &buf);
    vec_clear(&in->flush);
    objects_put_meters(&in->objects, false, next_xid, in, &buf);
    of_conn_send_buf(in->conn, &buf);
    in->bundle_id++;
    in->has_failed = false;
    in->is_sending = true;
    send_bundle_control(in, OF_BUNDLE_OPEN_REQUEST);
    objects_put_groups(&in->objects, false, next_xid, put_in_bundle, in, &buf);
    of_conn_send_buf(in->conn, &buf);
    of_buf_fini(&buf);
}

static void bundle_end(struct installer *in)
{
    struct of_buf buf = OF_BUF_INIT;
    objects_put_groups(&in->objects, true, next_xid, put_in_bundle, in, &buf);
    of_conn_send_buf(in->conn, &buf);
    send_bundle_control(in, OF_BUNDLE_COMMIT_REQUEST);
    objects_put_meters(&in->objects, true, next_xid, in, &buf);
    of_conn_send_buf(in->conn, &buf);
    of_buf_fini(&buf);
    in->is_sending = false;
    in->is_waiting = true;
    in->stats.bundles++;
    in->barrier_xid = of_conn_next_xid(in->conn);
    send_simple(in, OF_BARRIER_REQUEST, in->barrier_xid);
    log_dbg("bundle %u: %zu flow mods", in->bundle_id, in->batch.n);
}

/* Encodes as much of the batch as the connection takes; true when all of it is out. */
static bool batch_encode(struct installer *in)
{
    struct of_buf buf = OF_BUF_INIT;
    while (in->cursor < in->batch.n && !of_conn_is_congested(in->conn)) {
        struct flow_entry *e = in->batch.data[in->cursor++];
        uint32_t xid = of_conn_next_xid(in->conn);
        if (in->cursor == 1)
            in->first_xid = xid;
        size_t start = of_bundle_add_begin(in->bundle_id, OF_BUNDLE_ATOMIC | OF_BUNDLE_ORDERED,
                                           OF15_VERSION, xid, &buf);
        flow_entry_encode(e, OF15_VERSION, xid, &buf);
        of_bundle_add_end(&buf, start);
        if (e->flags & FLOW_WANTED)
            in->stats.adds++;
        else
            in->stats.deletes++;
        flow_entry_sent(&in->flows, e);
        if (buf.n > CHUNK)
            of_conn_send_buf(in->conn, &buf);
    }
    if (buf.n)
        of_conn_send_buf(in->conn, &buf);
    of_buf_fini(&buf);
    return in->cursor == in->batch.n;
}

static bool may_send(const struct installer *in)
{
    bool is_empty = !in->flows.n_read;
    return in->state == STATE_UP && in->flows.is_known &&
           (in->has_desire || (in->has_part && is_empty));
}

static void pump(struct installer *in)
{
    if (in->is_waiting || !may_send(in))
        return;
    if (!in->is_sending) {
        batch_begin(in);
        if (!in->batch.n && !in->flush.n && !objects_differ(&in->objects)) {
            confirm(in, in->sent_generation);
            return;
        }
        bundle_begin(in);
    }
    if (batch_encode(in))
        bundle_end(in);
}

static void batch_end(struct installer *in)
{
    for (size_t i = 0; i < in->batch.n; i++) {
        struct flow_entry *e = in->batch.data[i];
        e->flags &= (uint8_t)~FLOW_SENT;
        flow_entry_settle(&in->flows, e);
    }
    vec_fini(&in->batch); /* at the start it is long */
    flows_shrink(&in->flows);
    objects_sent(&in->objects);
    in->is_sending = in->is_waiting = false;
}

/* --- Reading back */

static void readback_begin(struct installer *in)
{
    in->state = STATE_READBACK;
    flows_forget(&in->flows);
    in->is_swept = false;
    struct of_flow_stats_request req;
    of_flow_stats_request_init(&req);
    struct of_buf buf = OF_BUF_INIT;
    objects_forget_actual(&in->objects);
    objects_ask(&buf, of_conn_next_xid(in->conn), of_conn_next_xid(in->conn));
    in->request_xid = of_conn_next_xid(in->conn);
    of_flow_stats_request_encode(&req, OF15_VERSION, false, in->request_xid, &buf);
    of_conn_send_buf(in->conn, &buf);
    of_buf_fini(&buf);
}

/* Tables of flows that the switch makes itself (learn): they are its own business. */
static bool is_learned_table(unsigned table)
{
    return table == OFTABLE_LB_HAIRPIN_REPLY || table == OFTABLE_ECMP_NH_MAC ||
           table == OFTABLE_ECMP_NH || table == OFTABLE_LB_AFFINITY;
}

static void take_flow(struct installer *in, const struct of_flow_stats *fs)
{
    if (is_learned_table(fs->table_id))
        return;
    struct oflow_key key =
        oflow_key_of(&in->options.program->blobs, &fs->match, fs->table_id, fs->priority);
    struct rstr *actions = flow_actions_blob(&in->options.program->blobs, &fs->actions);
    flows_read_back(&in->flows, &key, (struct flow_value){actions, fs->cookie});
    rstr_unref(actions);
    rstr_unref(key.match);
}

static void readback_end(struct installer *in)
{
    in->state = STATE_UP;
    log_info("read back the switch's flows: %zu", in->flows.n_read);
    in->confirmed(in->aux, in->confirmed_generation); /* flows are wanted: installer_take */
}

static void on_flow_stats(struct installer *in, const struct of_msg *msg)
{
    struct of_flow_stats fs;
    size_t ofs = 0;
    int rc;
    if (in->state != STATE_READBACK || msg->xid != in->request_xid)
        return;
    while ((rc = of_flow_stats_next(msg, &ofs, &fs)) > 0) {
        take_flow(in, &fs);
        of_flow_stats_fini(&fs);
    }
    if (rc < 0) {
        log_err("flow statistics cannot be read: %s", of_error_name(-rc));
        of_conn_close(in->conn, "bad flow statistics");
    } else if (!(msg->flags & OF_MULTIPART_MORE)) {
        readback_end(in);
    }
}

/* --- The Geneve option */

static void tlv_ask(struct installer *in)
{
    in->state = STATE_TLV;
    in->request_xid = of_conn_next_xid(in->conn);
    send_simple(in, OF_NX_TLV_TABLE_REQUEST, in->request_xid);
}

static void tlv_map(struct installer *in)
{
    struct of_tlv_map map = {TLV_CLASS, TLV_TYPE, TLV_LEN, (uint16_t)in->option};
    struct of_tlv_mod mod = {OF_TLV_ADD, &map, 1};
    struct of_buf buf = OF_BUF_INIT;
    of_tlv_mod_encode(&mod, OF15_VERSION, of_conn_next_xid(in->conn), &buf);
    in->barrier_xid = of_conn_next_xid(in->conn);
    of_simple_encode(OF_BARRIER_REQUEST, OF15_VERSION, in->barrier_xid, &buf);
    of_conn_send_buf(in->conn, &buf);
    of_buf_fini(&buf);
}

static void on_tlv_reply(struct installer *in, const struct of_msg *msg)
{
    struct of_tlv_reply reply;
    if (in->state != STATE_TLV || msg->xid != in->request_xid)
        return;
    if (of_tlv_reply_decode(msg, &reply)) {
        of_conn_close(in->conn, "bad tunnel option table");
        return;
    }
    bool is_mapped = false;
    uint64_t taken = 0;
    for (size_t i = 0; i < reply.n; i++) {
        const struct of_tlv_map *m = &reply.maps[i];
        taken |= m->index < 64 ? (uint64_t)1 << m->index : 0;
        if (m->opt_class != TLV_CLASS || m->type != TLV_TYPE)
            continue;
        if (m->len != TLV_LEN || m->index >= N_TUN_METADATA)
            log_err("the switch maps the tunnel option of ports to tun_metadata%u with %u bytes: "
                    "Geneve tunnels will not work",
                    m->index, m->len);
        is_mapped = true;
        in->option = m->index < N_TUN_METADATA ? m->index : 0;
    }
    of_tlv_reply_fini(&reply);
    if (!is_mapped) {
        for (in->option = 0; in->option < N_TUN_METADATA && taken >> in->option & 1; in->option++)
            ;
        if (in->option == N_TUN_METADATA) {
            log_err("no tun_metadata field of the switch is free: Geneve tunnels will not work");
            in->option = 0;
            is_mapped = true;
        }
    }
    if (is_mapped)
        readback_begin(in);
    else
        tlv_map(in);
    in->confirmed(in->aux, in->confirmed_generation); /* the option may be another one */
}

/* --- Events */

static void on_retry(void *in_)
{
    struct installer *in = in_;
    if (in->conn && in->is_rereading)
        readback_begin(in);
    in->is_rereading = false;
}

static void on_barrier(struct installer *in, const struct of_msg *msg)
{
    if (msg->xid != in->barrier_xid)
        return;
    if (in->state == STATE_TLV) {
        readback_begin(in);
    } else if (in->state == STATE_UP && in->is_waiting) {
        batch_end(in);
        if (in->has_failed) { /* the switch is as it was before: find out how */
            in->state = STATE_READBACK;
            in->is_rereading = true;
            timer_start_ms(&in->retry, RETRY_MS);
            return;
        }
        confirm(in, in->sent_generation);
        pump(in);
    }
}

/* Sets the flow that the switch complains of aside. */
static void reject(struct installer *in, uint32_t xid, const char *why)
{
    uint32_t i = xid - in->first_xid;
    if (i < in->batch.n && in->batch.data[i]->flags & FLOW_WANTED)
        flow_entry_set_aside(in->batch.data[i], why);
}

static void on_error(struct installer *in, const struct of_msg *msg)
{
    static struct log_rate rate = LOG_RATE(60, 20);
    struct of_error_msg error;
    if (of_error_decode(msg, &error))
        return;
    log_warn_limited(&rate, "OpenFlow error %s, xid 0x%x", of_error_name(error.error), msg->xid);
    if (in->state == STATE_UP && (in->is_sending || in->is_waiting)) {
        if (!in->has_failed)
            in->stats.failures++;
        in->has_failed = true;
        if (!objects_reject(&in->objects, msg->xid, of_error_name(error.error)))
            reject(in, msg->xid, of_error_name(error.error));
    }
}

static void on_message(void *in_, struct of_conn *conn UNUSED, const struct of_msg *msg)
{
    struct installer *in = in_;
    switch (msg->type) {
    case OF_NX_TLV_TABLE_REPLY:
        on_tlv_reply(in, msg);
        break;
    case OF_FLOW_STATS_REPLY:
        on_flow_stats(in, msg);
        break;
    case OF_GROUP_DESC_REPLY:
    case OF_METER_CONFIG_REPLY:
        if (in->state == STATE_READBACK && objects_take(&in->objects, msg) < 0)
            of_conn_close(in->conn, "bad groups or meters");
        break;
    case OF_BARRIER_REPLY:
        on_barrier(in, msg);
        break;
    case OF_ERROR_MSG:
        on_error(in, msg);
        break;
    default:
        break;
    }
}

static void on_ready(void *in_, struct of_conn *conn)
{
    struct installer *in = in_;
    log_info("connected to the switch at %s", in->options.target);
    in->conn = conn;
    tlv_ask(in);
}

static void on_drained(void *in_, struct of_conn *conn UNUSED)
{
    pump(in_);
}

static void on_closed(void *in_, struct of_conn *conn UNUSED, int err UNUSED, const char *reason)
{
    struct installer *in = in_;
    log_info("connection to the switch ended: %s", reason);
    in->conn = NULL;
    in->state = STATE_DOWN;
    in->is_rereading = false;
    timer_stop(&in->retry);
    batch_end(in);
}

/* --- Interface */

struct installer *installer_new(const struct installer_options *options,
                                void (*confirmed)(void *aux, uint64_t generation), void *aux,
                                struct diag *diag)
{
    static const struct of_conn_callbacks callbacks = {on_ready, on_message, on_drained, on_closed};
    struct installer *in = NEW(struct installer);
    in->options = *options;
    in->options.target = xstrdup(options->target);
    in->confirmed = confirmed;
    in->aux = aux;
    flows_init(&in->flows, options->inc, options->program);
    objects_init(&in->objects);
    timer_init(&in->retry, options->loop, on_retry, in);
    struct reconnect_options reconnect = {.stream = {.rundir = options->rundir,
                                                     .tls = options->tls,
                                                     .default_port = TARGET_PORT_OPENFLOW},
                                          .min_backoff_ms = 100,
                                          .max_backoff_ms = 250};
    struct of_conn_options conn = {
        .versions = 1u << OF15_VERSION, .hello_bitmap = true, .probe_ms = 5000};
    if (of_remote_new(options->loop, options->target, &reconnect, &conn, &callbacks, in,
                      &in->remote, diag)) {
        installer_free(in);
        return NULL;
    }
    return in;
}

void installer_free(struct installer *in)
{
    if (!in)
        return;
    of_remote_free(in->remote);
    timer_stop(&in->retry);
    flows_fini(&in->flows);
    vec_fini(&in->batch);
    vec_fini(&in->flush);
    objects_fini(&in->objects);
    free((char *)(uintptr_t)in->options.target);
    free(in);
}

bool installer_wants_flows(const struct installer *in)
{
    return in->state == STATE_UP && !in->flows.is_known;
}

void installer_take(struct installer *in)
{
    flows_take(&in->flows, in->state == STATE_UP);
}

void installer_set_object(struct installer *in, enum id_kind kind, uint32_t id, const char *spec)
{
    objects_set(&in->objects, kind == ID_METER ? OBJECT_METER : OBJECT_GROUP, id, spec);
}

void installer_flush_zone(struct installer *in, uint32_t zone)
{
    vec_push(&in->flush, zone);
}

unsigned installer_tunnel_option(const struct installer *in)
{
    return in->option;
}

void installer_commit(struct installer *in, uint64_t generation)
{
    in->generation = generation;
    in->has_desire = true;
    pump(in);
}

void installer_fill(struct installer *in)
{
    in->has_part = true;
    pump(in);
}

uint64_t installer_confirmed(const struct installer *in)
{
    return in->confirmed_generation;
}

struct installer_stats installer_stats(const struct installer *in)
{
    struct installer_stats stats = in->stats;
    struct flows_count count = flows_count(&in->flows);
    stats.is_connected = in->state == STATE_UP && in->flows.is_known;
    stats.objects = in->objects.n_messages;
    stats.desired = count.desired;
    stats.installed = count.there;
    stats.rejected = count.rejected;
    return stats;
}
