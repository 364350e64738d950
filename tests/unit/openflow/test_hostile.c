/* test_hostile.c - bytes that lie: every recorded message, cut short and altered at random, is decoded, printed and, where it is accepted,
 * encoded again, without a crash, a leak or a message that we would not read back. */
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
#include "openflow/print.h"
#include "openflow/switch.h"
#include "openflow/table.h"

static uint64_t next_random(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

/* A flow that was accepted is encoded in every version, and those messages are accepted too. */
static size_t redo_flow_mod(const struct of_msg *msg)
{
    static const uint8_t versions[] = {OF10_VERSION, OF13_VERSION, OF14_VERSION, OF15_VERSION};
    struct of_flow_mod fm;
    size_t n = 0;
    if (!of_flow_mod_decode(msg, true, &fm)) {
        (void)!of_actions_check(&fm.actions, &fm.match, fm.table_id, 254);
        for (size_t i = 0; i < sizeof versions; i++) {
            struct of_buf w = OF_BUF_INIT;
            struct of_msg again;
            struct of_flow_mod fm2;
            of_flow_mod_encode(&fm, versions[i], 1, &w);
            assert_int_equal(of_msg_parse(w.data, w.n, &again), 0);
            int err = of_flow_mod_decode(&again, true, &fm2);
            if (err) {
                struct str s = STR_INIT;
                of_flow_mod_print(&s, &fm, NULL);
                fail_msg("version %u: %s: %s", versions[i], of_error_name(err), str_c(&s));
            }
            of_flow_mod_fini(&fm2);
            of_buf_fini(&w);
        }
        n = 1;
    }
    of_flow_mod_fini(&fm);
    return n;
}

static size_t try_message(const uint8_t *bytes, size_t n)
{
    struct of_msg msg;
    struct of_bundle_add add;
    struct str s = STR_INIT;
    size_t accepted = 0;
    int err = of_msg_parse(bytes, n, &msg);
    if (n >= OF_HEADER_LEN && err) {
        struct of_buf w = OF_BUF_INIT;
        of_error_encode(err, &msg, &w);
        of_buf_fini(&w);
    }
    if (!err) {
        of_print(&s, &msg, 2, NULL, NULL);
        if (msg.type == OF_BUNDLE_ADD_MESSAGE && !of_bundle_add_decode(&msg, &add))
            msg = add.msg;
        if (msg.type == OF_FLOW_MOD)
            accepted = redo_flow_mod(&msg);
    }
    str_fini(&s);
    return accepted;
}

static void mutate_file(const char *name, unsigned rounds)
{
    char *path = xasprintf("%s/openflow/%s", TEST_DATA, name);
    FILE *f = fopen(path, "r");
    char *line = NULL;
    size_t cap = 0, tried = 0, accepted = 0;
    uint64_t x = 88172645463325252u;
    assert_non_null(f);
    while (getline(&line, &cap, f) > 0) {
        char *hex = strstr(line, " c2s ");
        if (!hex || hex - line > 4)
            hex = strstr(line, " s2c ");
        if (!hex || hex - line > 4)
            continue;
        hex += 5;
        size_t n = strspn(hex, "0123456789abcdef") / 2;
        uint8_t *bytes = xmalloc(n + 1);
        for (size_t i = 0; i < n; i++) {
            char pair[3] = {hex[2 * i], hex[2 * i + 1], '\0'};
            bytes[i] = (uint8_t)strtoul(pair, NULL, 16);
        }
        for (unsigned k = 0; k < rounds && n >= 8; k++) {
            size_t len = k % 4 == 0 ? 8 + next_random(&x) % (n - 7) : n;
            uint8_t *copy =
                xmemdup(bytes, len); /* of exactly its length, so that ASan sees any overrun */
            put_be16(copy + 2, (uint16_t)len);
            for (uint64_t changes = next_random(&x) % 4; changes; changes--) {
                size_t at = 8 + next_random(&x) % (len - 7);
                if (at < len)
                    copy[at] = next_random(&x) % 3 ? (uint8_t)(copy[at] ^ 1u << x % 8)
                                                   : (uint8_t)(x >> 20);
            }
            accepted += try_message(copy, len);
            tried++;
            free(copy);
        }
        free(bytes);
    }
    free(line);
    fclose(f);
    free(path);
    printf("%-34s %zu altered messages, %zu flows accepted\n", name, tried, accepted);
}

static void test_mutations(void **state UNUSED)
{
    mutate_file("ovn-controller-23.03-mods.txt", 20);
    mutate_file("ovn-controller-26.03-mods.txt", 20);
    mutate_file("ovn-controller-23.03-packets.txt", 60);
    mutate_file("ovn-controller-26.03-packets.txt", 60);
    mutate_file("ovs-ofctl-3.1.txt", 20);
    mutate_file("monitor-3.1.txt", 60);
}

static int flow_mod_error(const char *text)
{
    uint8_t bytes[512];
    size_t n = 0;
    for (const char *p = text; *p; p++) {
        if (*p == ' ')
            continue;
        char pair[3] = {p[0], p[1], '\0'};
        bytes[n++] = (uint8_t)strtoul(pair, NULL, 16);
        p++;
    }
    put_be16(bytes + 2, (uint16_t)n);
    struct of_msg msg;
    struct of_flow_mod fm;
    int err = of_msg_parse(bytes, n, &msg);
    if (err)
        return err;
    err = of_flow_mod_decode(&msg, true, &fm);
    of_flow_mod_fini(&fm);
    return err;
}

#define HEAD                                                                                       \
    "060e0000 00000001 0000000000000000 0000000000000000 00 00 0000 0000 8000 ffffffff ffffffff "  \
    "ffffffff 0000 0000 "

static void test_errors(void **state UNUSED)
{
    static const struct {
        const char *match_and_more;
        int error;
    } cases[] = {
        {"0001 0004 00000000", 0},
        {"0000 0004 00000000", OF_ERR_MATCH_BAD_TYPE},
        {"0001 0003 00000000", OF_ERR_MATCH_BAD_LEN},
        {"0001 0040 00000000", OF_ERR_MATCH_BAD_LEN},
        /* a TCP port without saying TCP */
        {"0001 000a 80001a02 0050 000000000000", OF_ERR_MATCH_BAD_PREREQ},
        /* twice the same */
        {"0001 0010 80000a02 0800 80000a02 0800", OF_ERR_MATCH_DUP_FIELD},
        /* unknown field, wrong length, value outside of the mask, mask where none may be */
        {"0001 000a 8000c802 0050 000000000000", OF_ERR_MATCH_BAD_FIELD},
        {"0001 0009 80000a01 08 00000000000000", OF_ERR_MATCH_BAD_LEN},
        {"0001 0010 0001010800000002 00000001", OF_ERR_MATCH_BAD_WILDCARDS},
        {"0001 000c 80000b04 0800 ff00 00000000", OF_ERR_MATCH_BAD_MASK},
        /* registers as packet registers that contradict each other */
        {"0001 0018 00010004 00000001 80010008 0000000200000000", OF_ERR_MATCH_DUP_FIELD},
        /* instructions */
        {"0001 0004 00000000 0063 0008 00000000", OF_ERR_INSTRUCTION_UNKNOWN},
        {"0001 0004 00000000 0001 0008 05000000 0001 0008 05000000", OF_ERR_INSTRUCTION_DUP},
        {"0001 0004 00000000 0001 0010 05000000", OF_ERR_INSTRUCTION_BAD_LEN},
        /* actions: unknown type, length, vendor, subtype, port, set_field of what cannot be set */
        {"0001 0004 00000000 0004 0010 00000000 0063 0008 00000000", OF_ERR_ACTION_BAD_TYPE},
        {"0001 0004 00000000 0004 0010 00000000 0000 0007 00000000", OF_ERR_ACTION_BAD_LEN},
        {"0001 0004 00000000 0004 0018 00000000 ffff 0010 00001234 0001 000000000000",
         OF_ERR_ACTION_BAD_VENDOR},
        {"0001 0004 00000000 0004 0018 00000000 ffff 0010 00002320 03e7 000000000000",
         OF_ERR_ACTION_BAD_VENDOR_TYPE},
        {"0001 0004 00000000 0004 0018 00000000 0000 0010 00000000 0000 000000000000",
         OF_ERR_ACTION_BAD_OUT_PORT},
        {"0001 0004 00000000 0004 0018 00000000 0019 0010 80000a02 0800 000000000000",
         OF_ERR_ACTION_BAD_SET_ARGUMENT},
        {"0001 0004 00000000 0004 0018 00000000 0019 0010 8000c802 0800 000000000000",
         OF_ERR_ACTION_BAD_SET_TYPE},
        /* nat outside of ct; conjunction of one */
        {"0001 0004 00000000 0004 0018 00000000 ffff 0010 00002320 0024 000000000000",
         OF_ERR_ACTION_BAD_ARGUMENT},
        {"0001 0004 00000000 0004 0018 00000000 ffff 0010 00002320 0022 0001 00000001",
         OF_ERR_ACTION_BAD_ARGUMENT},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char *text = xasprintf("%s%s", HEAD, cases[i].match_and_more);
        int err = flow_mod_error(text);
        if (err != cases[i].error)
            fail_msg("%s: want %s, got %s", cases[i].match_and_more, of_error_name(cases[i].error),
                     of_error_name(err));
        free(text);
    }
}

static void test_nesting(void **state UNUSED)
{
    /* clone(clone(... as deep as 64 kB allow. */
    enum { DEPTH = 4000 };
    uint8_t *wire = xcalloc(DEPTH, 16);
    for (unsigned i = 0; i < DEPTH; i++) {
        uint8_t *p = wire + 16 * i;
        put_be16(p, 0xffff);
        put_be16(p + 2, (uint16_t)(16 * (DEPTH - i)));
        put_be32(p + 4, OF_VENDOR_NX);
        put_be16(p + 8, 42);
    }
    struct of_actions a = OF_ACTIONS_INIT;
    assert_int_equal(of_actions_decode(wire, 16 * DEPTH, OF15_VERSION, &a),
                     OF_ERR_ACTION_BAD_ARGUMENT);
    of_actions_fini(&a);
    /* A clone of more than our form can hold: many set_fields. */
    for (unsigned i = 1; i < DEPTH; i++) {
        static const uint8_t set[16] = {0, 25, 0, 16, 0, 1, 0, 4, 0, 0, 0, 1};
        memcpy(wire + 16 * i, set, sizeof set);
    }
    assert_int_equal(of_actions_decode(wire, 16 * DEPTH, OF15_VERSION, &a), OF_ERR_ACTION_TOO_MANY);
    of_actions_fini(&a);
    free(wire);
}

static void test_checks(void **state UNUSED)
{
    static const struct {
        const char *flow;
        int error;
    } cases[] = {
        {"table=3,ip,actions=set_field:10.0.0.1->ip_src", 0},
        {"table=3,actions=set_field:10.0.0.1->ip_src", OF_ERR_ACTION_MATCH_INCONSISTENT},
        {"table=3,tcp,actions=set_field:80->udp_dst", OF_ERR_ACTION_MATCH_INCONSISTENT},
        {"table=3,actions=clone(set_field:10.0.0.1->ip_src)", OF_ERR_ACTION_MATCH_INCONSISTENT},
        {"table=3,actions=push_vlan:0x8100,set_field:4097->vlan_vid", 0},
        {"table=3,dl_vlan=5,actions=set_field:3->vlan_pcp", 0},
        {"table=3,dl_vlan=5,actions=pop_vlan,set_field:3->vlan_pcp",
         OF_ERR_ACTION_MATCH_INCONSISTENT},
        {"table=3,actions=goto_table:4", 0},
        {"table=3,actions=goto_table:3", OF_ERR_INSTRUCTION_BAD_TABLE_ID},
        {"table=3,actions=goto_table:254", OF_ERR_INSTRUCTION_BAD_TABLE_ID},
        {"table=3,actions=mod_nw_src:1.2.3.4", 0},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct of_flow_mod fm;
        assert_int_equal(of_flow_mod_parse(cases[i].flow, OF_FLOW_ADD, NULL, NULL, &fm, NULL), 0);
        int err = of_actions_check(&fm.actions, &fm.match, fm.table_id, 254);
        if (err != cases[i].error)
            fail_msg("%s: want %s, got %s", cases[i].flow, of_error_name(cases[i].error),
                     of_error_name(err));
        of_flow_mod_fini(&fm);
    }
}

/* A message has 65535 bytes, a frame may have that many as well. */
static void test_large_packet_in(void **state UNUSED)
{
    static const uint8_t versions[] = {OF10_VERSION, OF13_VERSION, OF15_VERSION};
    uint8_t *frame = xcalloc(1, 70000);
    for (size_t i = 0; i < ARRAY_SIZE(versions); i++) {
        for (unsigned format = OF_PIF_STANDARD; format <= OF_PIF_NXT2; format++) {
            for (size_t n = 65300; n < 70000; n += n < 65600 ? 1 : 977) {
                struct of_packet_in pin = {.packet = frame,
                                           .packet_len = n,
                                           .total_len = (uint32_t)n,
                                           .buffer_id = OF_BUFFER_NONE,
                                           .cookie = 5,
                                           .userdata = frame,
                                           .userdata_len = 100};
                match_init(&pin.metadata);
                match_set(&pin.metadata, FIELD_IN_PORT_OXM, 5);
                match_set(&pin.metadata, FIELD_REG3, 7);
                struct of_buf buf = OF_BUF_INIT;
                assert_true(of_packet_in_encode(&pin, versions[i], format, &buf));
                struct of_msg msg;
                struct of_packet_in back;
                assert_true(buf.n <= OF_MAX_LEN);
                assert_int_equal(of_msg_parse(buf.data, buf.n, &msg), 0);
                assert_int_equal(of_packet_in_decode(&msg, &back), 0);
                assert_true(back.packet_len > 64000 && back.packet_len <= n);
                assert_int_equal(back.total_len, format == OF_PIF_NXT2 ? n : MIN(n, UINT16_MAX));
                if (back.packet_len < n) { /* one to be resumed is whole or not at all */
                    buf.n = 0;
                    pin.continuation = frame;
                    pin.continuation_len = 10;
                    assert_false(of_packet_in_encode(&pin, versions[i], format, &buf));
                    assert_int_equal(buf.n, 0);
                }
                of_buf_fini(&buf);
            }
        }
    }
    free(frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_large_packet_in), cmocka_unit_test(test_mutations),
        cmocka_unit_test(test_errors),          cmocka_unit_test(test_nesting),
        cmocka_unit_test(test_checks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
