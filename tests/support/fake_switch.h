/* fake_switch.h - a switch in the test's own process that holds flows, groups and meters, serves one controller, refuses what it is told to
 * refuse, and counts. For tests of what the controller installs.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/vec.h"
#include "controller/install/flows.h"
#include "controller/oflow_key.h"
#include "openflow/bundle.h"
#include "openflow/connection.h"
#include "openflow/flow_mod.h"
#include "openflow/group.h"
#include "openflow/meter.h"
#include "openflow/switch.h"

struct switch_flow {
    struct oflow_key key; /* match from the world's pool */
    struct rstr *actions;
    uint64_t cookie;
};

struct fake {
    struct loop *loop;
    struct rstr_pool *blobs;
    struct stream_listener *listener;
    struct of_conn *conn;
    VEC(struct switch_flow) flows;
    VEC(struct of_group) groups;
    VEC(struct of_meter) meters;
    VEC(struct of_buf) bundle; /* flow and group mods */
    VEC(uint32_t) flushed;     /* zones */
    uint32_t refuse_group;     /* this one is refused */
    bool tlv_mapped, bundle_failed;
    uint32_t refuse_priority; /* flows of this priority are refused */
    unsigned n_bundles, n_mods, n_tlv_mods, n_readbacks;
};

static inline void answer_simple(struct fake *f, enum of_type type, uint32_t xid)
{
    struct of_buf buf = OF_BUF_INIT;
    of_simple_encode(type, OF15_VERSION, xid, &buf);
    of_conn_send_buf(f->conn, &buf);
    of_buf_fini(&buf);
}

static inline void answer_tlv(struct fake *f, uint32_t xid)
{
    struct of_tlv_map map = {0x0102, 0x80, 4, 0};
    struct of_tlv_reply reply = {
        .max_option_space = 256, .max_fields = 64, .maps = &map, .n = f->tlv_mapped};
    struct of_buf buf = OF_BUF_INIT;
    of_tlv_reply_encode(&reply, OF15_VERSION, xid, &buf);
    of_conn_send_buf(f->conn, &buf);
    of_buf_fini(&buf);
}

static inline void answer_flows(struct fake *f, const struct of_msg *request)
{
    struct of_buf buf = OF_BUF_INIT;
    struct of_reply reply;
    f->n_readbacks++;
    of_reply_begin(&reply, request, &buf);
    for (size_t i = 0; i < f->flows.n; i++) {
        const struct switch_flow *flow = &f->flows.data[i];
        struct of_flow_stats fs = {
            .cookie = flow->cookie, .table_id = flow->key.table, .priority = flow->key.priority};
        oflow_key_match(&flow->key, &fs.match);
        fs.actions =
            (struct of_actions){(uint8_t *)flow->actions->s, flow->actions->n, flow->actions->n};
        of_flow_stats_put(&reply, &fs);
    }
    of_reply_end(&reply);
    of_conn_send_buf(f->conn, &buf);
    of_buf_fini(&buf);
}

static inline void answer_objects(struct fake *f, const struct of_msg *request)
{
    struct of_buf buf = OF_BUF_INIT;
    struct of_reply reply;
    of_reply_begin(&reply, request, &buf);
    for (size_t i = 0; request->type == OF_GROUP_DESC_REQUEST && i < f->groups.n; i++)
        of_group_desc_put(&reply, &f->groups.data[i]);
    for (size_t i = 0; request->type == OF_METER_CONFIG_REQUEST && i < f->meters.n; i++)
        of_meter_config_put(&reply, &f->meters.data[i]);
    of_reply_end(&reply);
    of_conn_send_buf(f->conn, &buf);
    of_buf_fini(&buf);
}

static inline void apply_group(struct fake *f, const struct of_msg *msg)
{
    struct of_group_mod gm;
    size_t i = 0;
    assert_int_equal(of_group_mod_decode(msg, &gm), 0);
    while (i < f->groups.n && f->groups.data[i].id != gm.group.id)
        i++;
    assert_true((i < f->groups.n) == (gm.command != OF_GROUP_ADD));
    if (i < f->groups.n) {
        of_group_fini(&f->groups.data[i]);
        vec_remove_swap(&f->groups, i);
    }
    if (gm.command != OF_GROUP_DELETE) {
        struct of_group g;
        of_group_copy(&g, &gm.group);
        vec_push(&f->groups, g);
    }
    of_group_mod_fini(&gm);
}

static inline void apply_meter(struct fake *f, const struct of_msg *msg)
{
    struct of_meter_mod mm;
    size_t i = 0;
    assert_int_equal(of_meter_mod_decode(msg, &mm), 0);
    while (i < f->meters.n && f->meters.data[i].id != mm.meter.id)
        i++;
    assert_true((i < f->meters.n) == (mm.command != OF_METER_ADD));
    if (i < f->meters.n) {
        of_meter_fini(&f->meters.data[i]);
        vec_remove_swap(&f->meters, i);
    }
    if (mm.command != OF_METER_DELETE) {
        struct of_meter m;
        of_meter_copy(&m, &mm.meter);
        vec_push(&f->meters, m);
    }
    of_meter_mod_fini(&mm);
}

static inline void apply_mod(struct fake *f, const struct of_buf *buf)
{
    struct of_msg msg;
    struct of_flow_mod fm;
    assert_int_equal(of_msg_parse(buf->data, buf->n, &msg), 0);
    if (msg.type == OF_GROUP_MOD) {
        apply_group(f, &msg);
        return;
    }
    assert_int_equal(of_flow_mod_decode(&msg, false, &fm), 0);
    struct oflow_key key = oflow_key_of(f->blobs, &fm.match, fm.table_id, fm.priority);
    size_t i = 0;
    while (i < f->flows.n && !oflow_key_equal(&f->flows.data[i].key, &key))
        i++;
    if (i < f->flows.n) { /* add replaces */
        rstr_unref(f->flows.data[i].key.match);
        rstr_unref(f->flows.data[i].actions);
        vec_remove_swap(&f->flows, i);
    }
    if (fm.command == OF_FLOW_ADD) {
        struct rstr *actions =
            rstr_pool_get_n(f->blobs, (const char *)fm.actions.data, fm.actions.n);
        vec_push(&f->flows, ((struct switch_flow){key, actions, fm.cookie}));
    } else {
        assert_int_equal(fm.command, OF_FLOW_DELETE_STRICT);
        rstr_unref(key.match);
    }
    of_flow_mod_fini(&fm);
}

static inline void clear_bundle(struct fake *f)
{
    for (size_t i = 0; i < f->bundle.n; i++)
        of_buf_fini(&f->bundle.data[i]);
    vec_clear(&f->bundle);
}

static inline void on_bundle_control(struct fake *f, const struct of_msg *msg)
{
    struct of_bundle_control bc;
    assert_int_equal(of_bundle_control_decode(msg, &bc), 0);
    if (bc.type == OF_BUNDLE_OPEN_REQUEST) {
        f->bundle_failed = false;
    } else {
        assert_int_equal(bc.type, OF_BUNDLE_COMMIT_REQUEST);
        f->n_bundles++;
        for (size_t i = 0; i < f->bundle.n; i++) {
            struct of_msg mod;
            struct of_flow_mod fm;
            assert_int_equal(of_msg_parse(f->bundle.data[i].data, f->bundle.data[i].n, &mod), 0);
            if (mod.type == OF_GROUP_MOD) {
                struct of_group_mod gm;
                assert_int_equal(of_group_mod_decode(&mod, &gm), 0);
                if (f->refuse_group && gm.group.id == f->refuse_group &&
                    gm.command == OF_GROUP_ADD) {
                    f->bundle_failed = true;
                    of_conn_send_error(f->conn, OF_ERR_GROUP_MOD_WEIGHT_UNSUPPORTED, &mod);
                }
                of_group_mod_fini(&gm);
                continue;
            }
            assert_int_equal(of_flow_mod_decode(&mod, false, &fm), 0);
            if (f->refuse_priority && fm.priority == f->refuse_priority &&
                fm.command == OF_FLOW_ADD) {
                f->bundle_failed = true;
                of_conn_send_error(f->conn, OF_ERR_MATCH_BAD_PREREQ, &mod);
            }
            of_flow_mod_fini(&fm);
        }
        for (size_t i = 0; i < f->bundle.n && !f->bundle_failed; i++)
            apply_mod(f, &f->bundle.data[i]);
        clear_bundle(f);
    }
    bc.type++;
    struct of_buf buf = OF_BUF_INIT;
    of_bundle_control_encode(&bc, OF15_VERSION, msg->xid, &buf);
    of_conn_send_buf(f->conn, &buf);
    of_buf_fini(&buf);
}

static inline void on_bundle_add(struct fake *f, const struct of_msg *msg)
{
    struct of_bundle_add add;
    assert_int_equal(of_bundle_add_decode(msg, &add), 0);
    assert_int_equal(add.msg.xid, msg->xid);
    struct of_buf copy = OF_BUF_INIT;
    of_buf_put(&copy, add.msg.data, add.msg.len);
    vec_push(&f->bundle, copy);
    f->n_mods++;
}

static inline void fake_message(void *f_, struct of_conn *conn UNUSED, const struct of_msg *msg)
{
    struct fake *f = f_;
    switch (msg->type) {
    case OF_NX_TLV_TABLE_REQUEST:
        answer_tlv(f, msg->xid);
        break;
    case OF_NX_TLV_TABLE_MOD:
        f->n_tlv_mods++;
        f->tlv_mapped = true;
        break;
    case OF_FLOW_STATS_REQUEST:
        answer_flows(f, msg);
        break;
    case OF_GROUP_DESC_REQUEST:
    case OF_METER_CONFIG_REQUEST:
        answer_objects(f, msg);
        break;
    case OF_METER_MOD:
        apply_meter(f, msg);
        f->n_mods++;
        break;
    case OF_NX_CT_FLUSH_ZONE: {
        uint32_t zone;
        assert_int_equal(of_nx_number_decode(msg, &zone), 0);
        vec_push(&f->flushed, zone);
        break;
    }
    case OF_BUNDLE_CONTROL:
        on_bundle_control(f, msg);
        break;
    case OF_BUNDLE_ADD_MESSAGE:
        on_bundle_add(f, msg);
        break;
    case OF_BARRIER_REQUEST:
        answer_simple(f, OF_BARRIER_REPLY, msg->xid);
        break;
    default:
        fail_msg("unexpected message %s", of_type_name(msg->type, msg->version));
    }
}

static inline void fake_closed(void *f_, struct of_conn *conn, int err UNUSED,
                               const char *reason UNUSED)
{
    struct fake *f = f_;
    if (f->conn == conn)
        f->conn = NULL;
    of_conn_free(conn);
}

static inline void fake_accept(void *f_, struct stream *stream)
{
    static const struct of_conn_callbacks callbacks = {.message = fake_message,
                                                       .closed = fake_closed};
    struct of_conn_options options = {.versions = 1u << OF15_VERSION};
    struct fake *f = f_;
    of_conn_free(f->conn);
    clear_bundle(f);
    f->conn = of_conn_new(f->loop, stream, &options, &callbacks, f);
}

static inline void fake_fini(struct fake *f)
{
    of_conn_free(f->conn);
    clear_bundle(f);
    vec_fini(&f->bundle);
    for (size_t i = 0; i < f->flows.n; i++) {
        rstr_unref(f->flows.data[i].key.match);
        rstr_unref(f->flows.data[i].actions);
    }
    vec_fini(&f->flows);
    for (size_t i = 0; i < f->groups.n; i++)
        of_group_fini(&f->groups.data[i]);
    for (size_t i = 0; i < f->meters.n; i++)
        of_meter_fini(&f->meters.data[i]);
    vec_fini(&f->groups);
    vec_fini(&f->meters);
    vec_fini(&f->flushed);
    stream_listener_free(f->listener);
}
