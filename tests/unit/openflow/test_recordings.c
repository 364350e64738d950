/* test_recordings.c - every message recorded between real controllers and real switches: what we decode and encode again is the same bytes.
 * Messages are counted by what could be done with them, and the counts are printed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "openflow/bundle.h"
#include "openflow/group.h"
#include "openflow/meter.h"
#include "openflow/oxm.h"
#include "openflow/packet_io.h"
#include "openflow/switch.h"
#include "openflow/table.h"
#include "openflow/text.h"

enum result { SAME, DECODED_ONLY, HEADER_ONLY };

static size_t unhex(const char *text, uint8_t **ret)
{
    size_t n = strspn(text, "0123456789abcdefABCDEF") / 2;
    *ret = xmalloc(n + 1);
    for (size_t i = 0; i < n; i++) {
        unsigned x;
        sscanf(text + 2 * i, "%2x", &x);
        (*ret)[i] = (uint8_t)x;
    }
    return n;
}

static enum result redo_flow_mod(const struct of_msg *m, struct of_buf *out)
{
    struct of_flow_mod fm;
    assert_int_equal(of_flow_mod_decode(m, true, &fm), 0);
    of_flow_mod_encode(&fm, m->version, m->xid, out);
    of_flow_mod_fini(&fm);
    /* We never send the 40-byte match of 1.0 in a FLOW_MOD. */
    return m->version == OF10_VERSION && !m->nx ? DECODED_ONLY : SAME;
}

static enum result redo_group_mod(const struct of_msg *m, struct of_buf *out)
{
    struct of_group_mod gm;
    assert_int_equal(of_group_mod_decode(m, &gm), 0);
    of_group_mod_encode(&gm, m->version, m->xid, out);
    of_group_mod_fini(&gm);
    return SAME;
}

static enum result redo_meter_mod(const struct of_msg *m, struct of_buf *out)
{
    struct of_meter_mod mm;
    assert_int_equal(of_meter_mod_decode(m, &mm), 0);
    of_meter_mod_encode(&mm, m->version, m->xid, out);
    of_meter_mod_fini(&mm);
    return SAME;
}

static enum result redo_bundle_add(const struct of_msg *m, struct of_buf *out)
{
    struct of_bundle_add add;
    assert_int_equal(of_bundle_add_decode(m, &add), 0);
    size_t start = of_bundle_add_begin(add.id, add.flags, m->version, m->xid, out);
    if (add.msg.type == OF_FLOW_MOD)
        redo_flow_mod(&add.msg, out);
    else
        redo_group_mod(&add.msg, out);
    of_bundle_add_end(out, start);
    return SAME;
}

static enum result redo_packet(const struct of_msg *m, struct of_buf *out)
{
    if (m->type == OF_PACKET_OUT) {
        struct of_packet_out po;
        assert_int_equal(of_packet_out_decode(m, &po), 0);
        of_packet_out_encode(&po, m->version, m->xid, out);
        of_packet_out_fini(&po);
        return SAME;
    }
    struct of_packet_in pin;
    if (m->type == OF_NX_RESUME) {
        assert_int_equal(of_resume_decode(m, &pin), 0);
        of_resume_encode(&pin, m->version, m->xid, out);
        return SAME;
    }
    assert_int_equal(of_packet_in_decode(m, &pin), 0);
    of_packet_in_encode(&pin, m->version,
                        !m->nx             ? OF_PIF_STANDARD
                        : m->subtype == 17 ? OF_PIF_NXT
                                           : OF_PIF_NXT2,
                        out);
    return SAME;
}

static enum result redo_reply(const struct of_msg *m, struct of_buf *out)
{
    struct of_msg request = *m;
    request.type--;
    struct of_reply r;
    size_t ofs = 0;
    int more = 0;
    of_reply_begin(&r, &request, out);
    switch (m->type) {
    case OF_FLOW_STATS_REPLY: {
        struct of_flow_stats fs;
        while ((more = of_flow_stats_next(m, &ofs, &fs)) > 0) {
            of_flow_stats_put(&r, &fs);
            of_flow_stats_fini(&fs);
        }
        break;
    }
    case OF_AGGREGATE_REPLY: {
        struct of_aggregate agg;
        assert_int_equal(of_aggregate_decode(m, &agg), 0);
        of_aggregate_put(&r, &agg);
        break;
    }
    case OF_PORT_DESC_REPLY: {
        struct of_port port;
        while ((more = of_port_next(m->body, m->body_len, m->version, &ofs, &port)) > 0)
            of_port_desc_put(&r, &port);
        break;
    }
    case OF_PORT_STATS_REPLY: {
        struct of_port_stats ps;
        while ((more = of_port_stats_next(m, &ofs, &ps)) > 0)
            of_port_stats_put(&r, &ps);
        break;
    }
    case OF_GROUP_DESC_REPLY: {
        struct of_group g;
        while ((more = of_group_desc_next(m, &ofs, &g)) > 0) {
            of_group_desc_put(&r, &g);
            of_group_fini(&g);
        }
        break;
    }
    case OF_GROUP_STATS_REPLY: {
        struct of_group_stats gs;
        while ((more = of_group_stats_next(m, &ofs, &gs)) > 0) {
            of_group_stats_put(&r, &gs);
            of_group_stats_fini(&gs);
        }
        break;
    }
    case OF_GROUP_FEATURES_REPLY: {
        struct of_group_features gf;
        assert_int_equal(of_group_features_decode(m, &gf), 0);
        of_group_features_put(&r, &gf);
        break;
    }
    case OF_METER_CONFIG_REPLY: {
        struct of_meter mc;
        while ((more = of_meter_config_next(m, &ofs, &mc)) > 0) {
            of_meter_config_put(&r, &mc);
            of_meter_fini(&mc);
        }
        break;
    }
    case OF_METER_STATS_REPLY: {
        struct of_meter_stats ms;
        while ((more = of_meter_stats_next(m, &ofs, &ms)) > 0) {
            of_meter_stats_put(&r, &ms);
            of_meter_stats_fini(&ms);
        }
        break;
    }
    case OF_METER_FEATURES_REPLY: {
        struct of_meter_features mf;
        assert_int_equal(of_meter_features_decode(m, &mf), 0);
        of_meter_features_put(&r, &mf);
        break;
    }
    case OF_DESC_REPLY: {
        struct of_desc d;
        assert_int_equal(of_desc_decode(m, &d), 0);
        of_desc_put(&r, &d);
        break;
    }
    case OF_QUEUE_STATS_REPLY:
        break;
    default:
        return HEADER_ONLY;
    }
    assert_int_equal(more, 0);
    of_reply_end(&r);
    /* Port statistics of newer switches carry counters of an extension, which are skipped. */
    return m->type == OF_PORT_STATS_REPLY && m->version >= OF14_VERSION ? DECODED_ONLY : SAME;
}

static enum result redo_request(const struct of_msg *m, struct of_buf *out)
{
    uint32_t x;
    struct of_flow_stats_request req;
    switch (m->type) {
    case OF_FLOW_STATS_REQUEST:
    case OF_AGGREGATE_REQUEST:
        assert_int_equal(of_flow_stats_request_decode(m, &req), 0);
        of_flow_stats_request_encode(&req, m->version, m->nx, m->xid, out);
        return SAME;
    case OF_PORT_DESC_REQUEST:
        assert_int_equal(of_port_desc_request_decode(m, &x), 0);
        of_port_desc_request_encode(x, m->version, m->xid, out);
        return SAME;
    case OF_PORT_STATS_REQUEST:
        assert_int_equal(of_port_stats_request_decode(m, &x), 0);
        of_port_stats_request_encode(x, m->version, m->xid, out);
        return SAME;
    case OF_GROUP_DESC_REQUEST:
    case OF_GROUP_STATS_REQUEST:
        assert_int_equal(of_group_request_decode(m, &x), 0);
        of_group_request_encode(m->type, x, m->version, m->xid, out);
        return SAME;
    case OF_METER_CONFIG_REQUEST:
    case OF_METER_STATS_REQUEST:
        assert_int_equal(of_meter_request_decode(m, &x), 0);
        of_meter_request_encode(m->type, x, m->version, m->xid, out);
        return SAME;
    default:
        if (m->body_len)
            return HEADER_ONLY;
        of_multipart_request_encode(m->type, m->version, m->xid, out);
        return SAME;
    }
}

static enum result redo_simple(const struct of_msg *m, struct of_buf *out)
{
    switch (m->type) {
    case OF_HELLO: {
        uint32_t versions;
        assert_int_equal(of_hello_decode(m, &versions), 0);
        of_hello_encode(versions, m->body_len > 0, m->xid, out);
        return SAME;
    }
    case OF_ERROR_MSG: {
        struct of_error_msg e;
        struct of_msg request = {.version = m->version, .xid = m->xid};
        assert_int_equal(of_error_decode(m, &e), 0);
        assert_string_not_equal(of_error_name(e.error), "unknown");
        request.data = e.data;
        request.len = e.len;
        of_error_encode(e.error, &request, out);
        return SAME;
    }
    case OF_FEATURES_REPLY: {
        struct of_features f;
        assert_int_equal(of_features_decode(m, &f), 0);
        of_features_encode(&f, m->version, m->xid, out);
        return SAME;
    }
    case OF_GET_CONFIG_REPLY:
    case OF_SET_CONFIG: {
        struct of_config c;
        assert_int_equal(of_config_decode(m, &c), 0);
        of_config_encode(m->type, &c, m->version, m->xid, out);
        return SAME;
    }
    case OF_PORT_STATUS: {
        struct of_port_status ps;
        assert_int_equal(of_port_status_decode(m, &ps), 0);
        of_port_status_encode(&ps, m->version, out);
        return SAME;
    }
    case OF_PORT_MOD: {
        struct of_port_mod pm;
        assert_int_equal(of_port_mod_decode(m, &pm), 0);
        of_port_mod_encode(&pm, m->version, m->xid, out);
        return SAME;
    }
    case OF_BUNDLE_CONTROL: {
        struct of_bundle_control bc;
        assert_int_equal(of_bundle_control_decode(m, &bc), 0);
        of_bundle_control_encode(&bc, m->version, m->xid, out);
        return SAME;
    }
    case OF_NX_TLV_TABLE_MOD: {
        struct of_tlv_mod tm;
        assert_int_equal(of_tlv_mod_decode(m, &tm), 0);
        of_tlv_mod_encode(&tm, m->version, m->xid, out);
        of_tlv_mod_fini(&tm);
        return SAME;
    }
    case OF_NX_TLV_TABLE_REPLY: {
        struct of_tlv_reply tr;
        assert_int_equal(of_tlv_reply_decode(m, &tr), 0);
        of_tlv_reply_encode(&tr, m->version, m->xid, out);
        of_tlv_reply_fini(&tr);
        return SAME;
    }
    case OF_NX_SET_PACKET_IN_FORMAT:
    case OF_NX_SET_FLOW_FORMAT:
    case OF_NX_FLOW_MOD_TABLE_ID:
    case OF_NX_CT_FLUSH_ZONE: {
        uint32_t x;
        assert_int_equal(of_nx_number_decode(m, &x), 0);
        of_nx_number_encode(m->type, x, m->version, m->xid, out);
        return SAME;
    }
    case OF_NX_CT_FLUSH: {
        struct of_ct_flush cf;
        assert_int_equal(of_ct_flush_decode(m, &cf), 0);
        struct of_buf again =
            OF_BUF_INIT; /* not the same bytes: members that are zero are left out */
        struct of_msg msg;
        struct of_ct_flush same;
        of_ct_flush_encode(&cf, m->version, m->xid, &again);
        assert_int_equal(of_msg_parse(again.data, again.n, &msg), 0);
        assert_int_equal(of_ct_flush_decode(&msg, &same), 0);
        assert_memory_equal(&cf, &same, sizeof cf);
        of_buf_fini(&again);
        return DECODED_ONLY;
    }
    case OF_ECHO_REQUEST:
    case OF_ECHO_REPLY:
    case OF_BARRIER_REQUEST:
    case OF_BARRIER_REPLY:
    case OF_FEATURES_REQUEST:
    case OF_GET_CONFIG_REQUEST:
    case OF_NX_TLV_TABLE_REQUEST:
        of_raw_encode(m->type, m->version, m->xid, m->body, m->body_len, out);
        return SAME;
    default:
        return HEADER_ONLY;
    }
}

static enum result redo(const struct of_msg *m, struct of_buf *out)
{
    switch (m->type) {
    case OF_FLOW_MOD:
        return redo_flow_mod(m, out);
    case OF_GROUP_MOD:
        return redo_group_mod(m, out);
    case OF_METER_MOD:
        return redo_meter_mod(m, out);
    case OF_BUNDLE_ADD_MESSAGE:
        return redo_bundle_add(m, out);
    case OF_PACKET_IN:
    case OF_PACKET_OUT:
    case OF_NX_RESUME:
        return redo_packet(m, out);
    default:
        break;
    }
    if (m->type >= OF_DESC_REQUEST && m->type <= OF_QUEUE_DESC_REPLY)
        return (m->type - OF_DESC_REQUEST) % 2 ? redo_reply(m, out) : redo_request(m, out);
    return redo_simple(m, out);
}

static void print_difference(const char *line, const struct of_buf *got)
{
    struct str s = STR_INIT;
    str_put_hex(&s, got->data, got->n);
    printf("want %.1200s\ngot        %s\n", line, str_c(&s));
    str_fini(&s);
}

static void run_file(const char *name)
{
    char *path = xasprintf("%s/openflow/%s", TEST_DATA, name);
    FILE *f = fopen(path, "r");
    char *line = NULL;
    size_t cap = 0, counts[3] = {0, 0, 0}, truncated = 0, wrong = 0;
    assert_non_null(f);
    while (getline(&line, &cap, f) > 0) {
        char *p = strstr(line, " c2s ");
        if (!p || p - line > 4)
            p = strstr(line, " s2c ");
        if (!p || p - line > 4)
            continue;
        uint8_t *bytes;
        size_t n = unhex(p + 5, &bytes);
        struct of_msg msg;
        struct of_buf out = OF_BUF_INIT;
        if (n < 8 || get_be16(bytes + 2) != n) {
            truncated++; /* the recording shows only its beginning */
        } else {
            assert_int_equal(of_msg_parse(bytes, n, &msg), 0);
            enum result r = redo(&msg, &out);
            counts[r]++;
            if (r == SAME && (out.n != n || memcmp(out.data, bytes, n))) {
                if (wrong++ < 5)
                    print_difference(line, &out);
            }
        }
        of_buf_fini(&out);
        free(bytes);
    }
    free(line);
    fclose(f);
    free(path);
    printf("%-34s %4zu re-encoded to the same bytes, %zu decoded only, %zu header only, %zu cut in "
           "the "
           "recording, %zu wrong\n",
           name, counts[SAME] - wrong, counts[DECODED_ONLY], counts[HEADER_ONLY], truncated, wrong);
    assert_int_equal(wrong, 0);
    assert_true(counts[SAME] > 0);
}

static void test_start_2303(void **state UNUSED)
{
    run_file("ovn-controller-23.03-start.txt");
}

static void test_start_2603(void **state UNUSED)
{
    run_file("ovn-controller-26.03-start.txt");
}

static void test_mods_2303(void **state UNUSED)
{
    run_file("ovn-controller-23.03-mods.txt");
}

static void test_mods_2603(void **state UNUSED)
{
    run_file("ovn-controller-26.03-mods.txt");
}

static void test_packets_2303(void **state UNUSED)
{
    run_file("ovn-controller-23.03-packets.txt");
}

static void test_packets_2603(void **state UNUSED)
{
    run_file("ovn-controller-26.03-packets.txt");
}

static void test_ofctl(void **state UNUSED)
{
    run_file("ovs-ofctl-3.1.txt");
}

static void test_monitor(void **state UNUSED)
{
    run_file("monitor-3.1.txt");
}

/* Single actions and match fields, without a message around them. */
static void test_actions_and_fields(void **state UNUSED)
{
    char *path = xasprintf("%s/openflow/actions-and-fields.txt", TEST_DATA);
    FILE *f = fopen(path, "r");
    char *line = NULL;
    size_t cap = 0, actions = 0, fields = 0;
    bool in_fields = false;
    assert_non_null(f);
    while (getline(&line, &cap, f) > 0) {
        if (line[0] == '#') {
            in_fields |= strstr(line, "match field") != NULL;
            continue;
        }
        uint8_t *bytes;
        size_t n = unhex(line, &bytes), used;
        struct of_buf out = OF_BUF_INIT;
        if (n && in_fields) {
            enum field_id id;
            u128 value, mask;
            assert_int_equal(of_oxm_get_field(bytes, n, &id, &value, &mask, &used), 0);
            of_oxm_put_field(&out, id, value, mask, OF15_VERSION);
            fields++;
        } else if (n) {
            struct of_actions a = OF_ACTIONS_INIT;
            bool only_in_ct = strstr(line, "valid only inside ct") != NULL;
            uint8_t *wire = xcalloc(1, n + 24);
            size_t m = n;
            memcpy(wire, bytes, n);
            if (only_in_ct) {
                static const uint8_t ct[24] = {0xff, 0xff, 0, 0,  0,        0,
                                               0x23, 0x20, 0, 35, [11] = 1, [16] = 0xff};
                memcpy(wire, ct, sizeof ct);
                memcpy(wire + 24, bytes, n);
                m = n + 24;
                put_be16(wire + 2, (uint16_t)m);
            }
            assert_int_equal(of_actions_decode(wire, m, OF15_VERSION, &a), 0);
            of_actions_encode(a.data, a.n, OF15_VERSION, &out);
            if (out.n != m || memcmp(out.data, wire, m))
                print_difference(line, &out);
            assert_int_equal(out.n, m);
            assert_memory_equal(out.data, wire, m);
            out.n = n;
            memmove(out.data, out.data + (m - n), n);
            of_actions_fini(&a);
            free(wire);
            actions++;
        }
        if (n) {
            assert_int_equal(out.n, n);
            assert_memory_equal(out.data, bytes, n);
        }
        of_buf_fini(&out);
        free(bytes);
    }
    free(line);
    fclose(f);
    free(path);
    printf("actions-and-fields.txt: %zu actions, %zu fields re-encoded to the same bytes\n",
           actions, fields);
    assert_true(actions > 100 && fields > 50);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_actions_and_fields),
        cmocka_unit_test(test_start_2303),
        cmocka_unit_test(test_start_2603),
        cmocka_unit_test(test_mods_2303),
        cmocka_unit_test(test_mods_2603),
        cmocka_unit_test(test_packets_2303),
        cmocka_unit_test(test_packets_2603),
        cmocka_unit_test(test_ofctl),
        cmocka_unit_test(test_monitor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
