/* pinctrl_world.h - for unit tests of controller/pinctrl: a switch and an SB that the test plays, and actions as the encoder sends them.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/vec.h"
#include "controller/pinctrl/frame.h"
#include "controller/pinctrl/pinctrl.h"
#include "flow/rewrite.h"
#include "lflow/lflow.h"
#include "net/checksum.h"
#include "net/headers.h"
#include "openflow/switch.h"

struct world {
    struct env_seeded env;
    struct loop *loop;
    char dir[64], target[128];
    struct stream_listener *listener;
    struct of_conn *conn;
    bool has_config, has_format;
    VEC(struct of_buf) outs;    /* packet-outs */
    VEC(struct of_buf) resumes; /* packets that came back */
    struct of_buf stats[3];     /* the last requests for flow statistics */
    unsigned n_stats;
    struct schema *schema;
    struct replica_source source;
    struct replica_sink sink;
    struct replica *replica;
    unsigned n_inserts, n_updates, n_deletes, n_txns;
    void (*done)(void *aux, int err, const char *error);
    void *done_aux;
    struct sb_index index;
    struct writer writer;
    struct symtab *symtab;
    struct expr_pool *exprs;
    struct action_pool *actions;
    struct pinctrl *pinctrl;
    unsigned wakes;
};

/* --- The switch */

static UNUSED void switch_message(void *w_, struct of_conn *conn UNUSED, const struct of_msg *msg)
{
    struct world *w = w_;
    struct of_config config;
    uint32_t number;
    switch (msg->type) {
    case OF_SET_CONFIG:
        assert_int_equal(of_config_decode(msg, &config), 0);
        assert_int_equal(config.miss_send_len, 0xffff);
        w->has_config = true;
        break;
    case OF_NX_SET_PACKET_IN_FORMAT:
        assert_int_equal(of_nx_number_decode(msg, &number), 0);
        assert_int_equal(number, OF_PIF_NXT2);
        w->has_format = true;
        break;
    case OF_PACKET_OUT: {
        struct of_buf copy = OF_BUF_INIT;
        of_buf_put(&copy, msg->data, msg->len);
        vec_push(&w->outs, copy);
        break;
    }
    case OF_FLOW_STATS_REQUEST: {
        struct of_buf *to = &w->stats[w->n_stats++ % 3];
        of_buf_fini(to);
        of_buf_put(to, msg->data, msg->len);
        break;
    }
    case OF_NX_RESUME: {
        struct of_buf copy = OF_BUF_INIT;
        of_buf_put(&copy, msg->data, msg->len);
        vec_push(&w->resumes, copy);
        break;
    }
    default:
        break;
    }
}

static UNUSED void switch_closed(void *w_, struct of_conn *conn, int err UNUSED,
                                 const char *reason UNUSED)
{
    struct world *w = w_;
    if (w->conn == conn)
        w->conn = NULL;
    of_conn_free(conn);
}

static UNUSED void switch_accept(void *w_, struct stream *stream)
{
    static const struct of_conn_callbacks callbacks = {.message = switch_message,
                                                       .closed = switch_closed};
    struct of_conn_options options = {.versions = 1u << OF15_VERSION};
    struct world *w = w_;
    w->conn = of_conn_new(w->loop, stream, &options, &callbacks, w);
}

/* --- SB */

static UNUSED void source_start(struct replica_source *source,
                                const struct replica_options *options UNUSED,
                                const struct replica_sink *sink)
{
    struct world *w = CONTAINER_OF(source, struct world, source);
    w->sink = *sink;
    sink->status(sink->replica, true, false);
}

static UNUSED void source_submit(struct replica_source *source, struct ops *ops,
                                 void (*done)(void *aux, int err, const char *error), void *aux)
{
    struct world *w = CONTAINER_OF(source, struct world, source);
    for (size_t i = 0; i < ops->n; i++) {
        w->n_inserts += ops->ops[i].kind == OP_INSERT;
        w->n_updates += ops->ops[i].kind == OP_UPDATE;
        w->n_deletes += ops->ops[i].kind == OP_DELETE;
    }
    w->n_txns++;
    w->done = done;
    w->done_aux = aux;
    ops_free(ops);
}

static UNUSED void source_free(struct replica_source *source UNUSED)
{
}

static UNUSED void wake(void *w)
{
    ((struct world *)w)->wakes++;
}

static UNUSED struct uuid uuid_of(uint8_t x)
{
    struct uuid u = {{x}};
    return u;
}

static UNUSED struct row *make_row(struct world *w, const char *table, uint8_t id)
{
    struct uuid uuid = uuid_of(id);
    return row_new(schema_table_find(w->schema, table), &uuid);
}

static UNUSED void set(struct row *row, const char *column, const struct datum *value)
{
    row_set(row, schema_column_find(row->table, column), value);
}

static UNUSED void add_row(struct world *w, struct row *row)
{
    struct change change = {NULL, row};
    sb_index_change(&w->index, &change);
    row_unref(row);
}

static UNUSED struct row *mac_row(struct world *w, const char *ip, const char *mac)
{
    struct row *row = make_row(w, "MAC_Binding", 9);
    set(row, "logical_port", datum_new_string("lrp"));
    set(row, "ip", datum_new_string(ip));
    set(row, "mac", datum_new_string(mac));
    return row;
}

static UNUSED void turns(struct world *w, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        loop_run_once(w->loop, 1000);
}

static UNUSED void world_init(struct world *w)
{
    memset(w, 0, sizeof *w);
    env_seeded_init(&w->env, 1);
    w->env.now_us = 1000000000;
    w->loop = loop_new(&w->env.env);
    strcpy(w->dir, "/tmp/weft-pinctrl-XXXXXX");
    assert_non_null(mkdtemp(w->dir));
    snprintf(w->target, sizeof w->target, "unix:%s/br.mgmt", w->dir);
    char passive[140];
    snprintf(passive, sizeof passive, "p%s", w->target);
    struct stream_options options = {0};
    assert_int_equal(
        stream_listen(w->loop, passive, &options, switch_accept, w, &w->listener, NULL), 0);
    w->schema = sb_schema_new();
    w->source = (struct replica_source){
        .start = source_start, .submit = source_submit, .free = source_free};
    struct replica_options replica = {.env = &w->env.env, .schema = w->schema};
    w->replica = replica_new(&replica, &w->source);
    struct changeset *cs = NEW(struct changeset);
    cs->refs = 1;
    w->sink.reset(w->sink.replica, cs); /* complete, and empty */
    changeset_unref(cs);
    writer_init(&w->writer, w->loop, "test", wake, w);
    writer_set_replica(&w->writer, w->replica);
    assert_true(writer_is_ready(&w->writer));
    sb_index_init(&w->index);

    struct row *datapath = make_row(w, "Datapath_Binding", 1);
    set(datapath, "tunnel_key", datum_new_integer(4));
    add_row(w, datapath);
    struct row *port = make_row(w, "Port_Binding", 2);
    struct uuid at = uuid_of(1);
    set(port, "datapath", datum_new_uuid(&at));
    set(port, "tunnel_key", datum_new_integer(3));
    set(port, "logical_port", datum_new_string("lrp"));
    add_row(w, port);

    w->symtab = symtab_new();
    w->exprs = expr_pool_new(w->symtab);
    w->actions = action_pool_new(w->exprs);
    struct pinctrl_options pin = {.loop = w->loop,
                                  .target = w->target,
                                  .sb = &w->index,
                                  .actions = w->actions,
                                  .wake = wake,
                                  .aux = w};
    w->pinctrl = pinctrl_new(&pin, NULL);
    assert_non_null(w->pinctrl);
    for (int i = 0; i < 200 && !(w->has_config && w->has_format); i++)
        turns(w, 1);
    assert_true(w->has_config && w->has_format);
}

static UNUSED void clear_outs(struct world *w)
{
    for (size_t i = 0; i < w->resumes.n; i++)
        of_buf_fini(&w->resumes.data[i]);
    vec_clear(&w->resumes);
    for (size_t i = 0; i < w->outs.n; i++)
        of_buf_fini(&w->outs.data[i]);
    vec_clear(&w->outs);
}

static UNUSED void world_fini(struct world *w)
{
    pinctrl_free(w->pinctrl);
    action_pool_free(w->actions);
    expr_pool_free(w->exprs);
    symtab_free(w->symtab);
    of_conn_free(w->conn);
    stream_listener_free(w->listener);
    rmdir(w->dir);
    writer_fini(&w->writer);
    sb_index_fini(&w->index);
    replica_free(w->replica);
    schema_free(w->schema);
    clear_outs(w);
    for (int i = 0; i < 3; i++)
        of_buf_fini(&w->stats[i]);
    vec_fini(&w->outs);
    vec_fini(&w->resumes);
    loop_free(w->loop);
}

/* A packet-in with the registers of METADATA; PAUSED: the switch keeps the packet. */
static UNUSED void send_event(struct world *w, const struct match *metadata, const void *packet,
                              size_t n, const void *userdata, size_t n_userdata, bool paused)
{
    static const uint8_t continuation[] = {0, 0, 0, 0, 9, 8, 7};
    struct of_packet_in pin = {.packet = packet,
                               .packet_len = n,
                               .total_len = (uint32_t)n,
                               .buffer_id = OF_BUFFER_NONE,
                               .reason = OF_REASON_ACTION,
                               .metadata = *metadata,
                               .userdata = userdata,
                               .userdata_len = n_userdata,
                               .continuation = paused ? continuation : NULL,
                               .continuation_len = paused ? sizeof continuation : 0};
    struct of_buf buf = OF_BUF_INIT;
    of_packet_in_encode(&pin, OF15_VERSION, OF_PIF_NXT2, &buf);
    of_conn_send_buf(w->conn, &buf);
    of_buf_fini(&buf);
}

static UNUSED void send_in(struct world *w, const void *packet, size_t n, const void *userdata,
                           size_t n_userdata, uint32_t reg0, uint32_t reg14, uint32_t reg15,
                           uint64_t metadata)
{
    struct match m;
    match_init(&m);
    match_set(&m, FIELD_IN_PORT_OXM, 5);
    match_set(&m, FIELD_REG0, reg0);
    match_set(&m, FIELD_REG14, reg14);
    match_set(&m, FIELD_REG15, reg15);
    match_set(&m, FIELD_METADATA, metadata);
    send_event(w, &m, packet, n, userdata, n_userdata, false);
}

/* Packet-out I: its packet, and its actions as text. */
static UNUSED void decode_out(struct world *w, size_t i, struct of_packet_out *po,
                              struct str *actions)
{
    struct of_msg msg;
    assert_true(i < w->outs.n);
    assert_int_equal(of_msg_parse(w->outs.data[i].data, w->outs.data[i].n, &msg), 0);
    assert_int_equal(of_packet_out_decode(&msg, po), 0);
    str_clear(actions);
    of_actions_put(actions, po->actions.data, po->actions.n, NULL);
}

/* --- Actions as the encoder sends them */

static UNUSED bool port_number(void *aux UNUSED, const char *name UNUSED, uint32_t *ret)
{
    *ret = 3;
    return true;
}

static UNUSED uint32_t meter_number(void *aux UNUSED, const char *name UNUSED)
{
    return 1;
}

/* The userdata of TEXT, an action that is one packet to the controller. */
static UNUSED struct of_buf userdata_of(const char *text)
{
    struct symtab *symtab = symtab_new();
    struct expr_pool *exprs = expr_pool_new(symtab);
    struct action_pool *pool = action_pool_new(exprs);
    const struct action_context context = {.pipeline = PIPELINE_INGRESS, .n_tables = 29};
    const struct encode_params params = {.profile = &encode_modern,
                                         .meter = OF_METER_NONE,
                                         .port = port_number,
                                         .meter_id = meter_number};
    struct actions *actions;
    struct expr *prereq;
    struct diag diag = DIAG_INIT;
    struct of_actions out = OF_ACTIONS_INIT;
    if (actions_parse(pool, text, &context, &actions, &prereq, &diag))
        fail_msg("%s: %s", text, diag_text(&diag));
    encode_actions(actions, &params, &out);
    struct of_buf ret = OF_BUF_INIT;
    const struct of_action *a;
    OF_ACTION_FOR_EACH(a, out.data, out.n)
    {
        const struct of_controller *c = (const void *)a;
        if (a->type == OF_CONTROLLER)
            of_buf_put(&ret, c->userdata, c->userdata_len);
    }
    assert_true(ret.n >= 8);
    of_actions_fini(&out);
    actions_unref(actions);
    expr_unref(prereq);
    action_pool_free(pool);
    expr_pool_free(exprs);
    symtab_free(symtab);
    diag_fini(&diag);
    return ret;
}

/* The metadata of a packet from port 3 of datapath 4. */
static UNUSED struct match port_metadata(void)
{
    struct match m;
    match_init(&m);
    match_set(&m, FIELD_IN_PORT_OXM, 5);
    match_set(&m, FIELD_REG14, 3);
    match_set(&m, FIELD_METADATA, 4);
    return m;
}

/* Sends PACKET with the action TEXT and lets the controller work. */
static UNUSED void act(struct world *w, const char *text, const void *packet, size_t n, bool paused)
{
    struct of_buf userdata = userdata_of(text);
    struct match metadata = port_metadata();
    send_event(w, &metadata, packet, n, userdata.data, userdata.n, paused);
    of_buf_fini(&userdata);
    turns(w, 6);
}

/* The one packet that came back; REG0 is register 0 as it comes back. Borrows from the world until clear_outs. */
static UNUSED struct of_packet_in resumed(struct world *w, uint32_t *reg0)
{
    static const uint8_t continuation[] = {0, 0, 0, 0, 9, 8, 7};
    struct of_msg msg;
    struct of_packet_in pin;
    assert_int_equal(w->resumes.n, 1);
    assert_int_equal(of_msg_parse(w->resumes.data[0].data, w->resumes.data[0].n, &msg), 0);
    assert_int_equal(of_resume_decode(&msg, &pin), 0);
    assert_int_equal(pin.continuation_len, sizeof continuation);
    assert_memory_equal(pin.continuation, continuation, sizeof continuation);
    assert_int_equal(key_get(&pin.metadata.key, FIELD_REG14), 3);
    assert_int_equal(key_get(&pin.metadata.key, FIELD_METADATA), 4);
    *reg0 = (uint32_t)key_get(&pin.metadata.key, FIELD_REG0);
    return pin;
}

/* Lengths and checksums of an IP packet and of what it carries are right. */
static UNUSED void assert_sound(const void *packet, size_t n)
{
    struct frame f;
    frame_read(&f, packet, n);
    assert_true(frame_is_ip4(&f) || frame_is_ip6(&f));
    assert_int_equal(f.packet.l3_ofs + f.l3_len, n);
    assert_non_null(f.l4);
    if (frame_is_ip4(&f))
        assert_int_equal(checksum(f.l3, IP4_HEADER_LEN), 0);
    struct packet copy;
    struct flow_key key;
    packet_init_copy(&copy, packet, n);
    flow_extract(&copy, &key);
    packet_finish_checksum(&copy);
    assert_memory_equal(copy.data, packet, n);
    packet_fini(&copy);
}
