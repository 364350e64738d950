/* codec.c - commands that read and write parts of messages without a switch: matches, actions, groups, errors. Each line of standard
 * input is one; what is printed is what was understood, and where sending it again would give other bytes, which.
 */
#include "tools/ofctl/ofctl.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "openflow/error.h"
#include "openflow/group.h"
#include "openflow/keyvalue.h"
#include "openflow/oxm.h"
#include "tools/ofctl/hex.h"
#include "tools/ofctl/nx_text.h"

static void print_str(struct str *s)
{
    puts(str_c(s));
    str_fini(s);
}

/* ---- Matches ---- */

/* The fields of LINE, decoded and encoded again for VERSION. */
static void recode_fields(const struct ofctl *o, const char *line, uint8_t version)
{
    struct of_buf in = OF_BUF_INIT, out = OF_BUF_INIT;
    struct diag diag = DIAG_INIT;
    struct match match;
    uint64_t cookie, cookie_mask;
    if (nx_text_parse(line, &in, &diag))
        ofctl_fatal("%s", diag_text(&diag));
    int err = of_oxm_decode(in.data, in.n, !o->strict, &match, &cookie, &cookie_mask);
    bool nxm = version == OF10_VERSION;
    if (!err && o->strict && cookie_mask && !nxm)
        err = OF_ERR_MATCH_BAD_FIELD;
    if (err) {
        printf("nx_pull_match() returned error %s\n", of_error_name(err));
    } else {
        struct str s = STR_INIT;
        of_oxm_encode(&match, version, nxm ? cookie : 0, nxm ? cookie_mask : 0, &out);
        nx_text_put(&s, out.data, out.n);
        print_str(&s);
    }
    of_buf_fini(&in);
    of_buf_fini(&out);
}

static void recode_lines(const struct ofctl *o, uint8_t version)
{
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, stdin) > 0) {
        line[strcspn(line, "\r\n")] = '\0';
        if (!*line || *line == '#')
            puts(line);
        else
            recode_fields(o, line, version);
    }
    free(line);
}

void ofctl_parse_nxm(struct ofctl *o)
{
    recode_lines(o, OF10_VERSION);
}

void ofctl_parse_oxm(struct ofctl *o)
{
    uint8_t version = of_version_parse(o->argv[0]);
    if (version < OF12_VERSION)
        ofctl_fatal("%s: not a valid version for OXM", o->argv[0]);
    recode_lines(o, version);
}

static void recode_match10(void *aux UNUSED, struct of_buf *line)
{
    struct of_buf out = OF_BUF_INIT;
    struct match match;
    struct str s = STR_INIT;
    if (line->n != OF10_MATCH_LEN)
        ofctl_fatal("Input is %zu bytes, expected %d", line->n, OF10_MATCH_LEN);
    int err = of_match10_decode(line->data, line->n, &match);
    if (err) {
        printf("bad match: %s\n", of_error_name(err));
    } else {
        match_put(&s, &match, -1, NULL);
        print_str(&s);
        of_match10_encode(&match, &out);
        hex_diff(line, &out);
    }
    putchar('\n');
    of_buf_fini(&out);
}

void ofctl_parse_ofp10_match(struct ofctl *o UNUSED)
{
    hex_each_line(recode_match10, NULL);
}

/* ---- Actions ---- */

struct action_lines {
    const char *version_name, *what;
    uint8_t version;
    int (*decode)(const void *wire, size_t n, uint8_t version, struct of_actions *ret);
    void (*encode)(const void *data, size_t n, uint8_t version, struct of_buf *out);
};

static void recode_actions(void *lines_, struct of_buf *line)
{
    const struct action_lines *lines = lines_;
    struct of_actions actions = OF_ACTIONS_INIT;
    int err = lines->decode(line->data, line->n, lines->version, &actions);
    if (err) {
        printf("bad %s %s: %s\n", lines->version_name, lines->what, of_error_name(err));
    } else {
        struct of_buf out = OF_BUF_INIT;
        struct str s = STR_INIT;
        str_put(&s, "actions=");
        of_actions_put(&s, actions.data, actions.n, NULL);
        print_str(&s);
        lines->encode(actions.data, actions.n, lines->version, &out);
        hex_diff(line, &out);
        of_buf_fini(&out);
    }
    putchar('\n');
    of_actions_fini(&actions);
}

static uint8_t version_argument(const struct ofctl *o)
{
    uint8_t version = text_starts_with(o->argv[0], "OpenFlow") ? of_version_parse(o->argv[0]) : 0;
    if (!version || !(OF_VERSIONS_ALL >> version & 1))
        ofctl_fatal("%s: not a valid OpenFlow version", o->argv[0]);
    return version;
}

void ofctl_parse_actions(struct ofctl *o)
{
    struct action_lines lines = {o->argv[0], "actions", version_argument(o), of_actions_decode,
                                 of_actions_encode};
    hex_each_line(recode_actions, &lines);
}

void ofctl_parse_instructions(struct ofctl *o)
{
    struct action_lines lines = {o->argv[0], "instructions", version_argument(o),
                                 of_instructions_decode, of_instructions_encode};
    hex_each_line(recode_actions, &lines);
}

/* ---- Groups, messages ---- */

void ofctl_parse_group(struct ofctl *o)
{
    struct of_group_mod gm;
    struct diag diag = DIAG_INIT;
    struct of_buf b = OF_BUF_INIT;
    struct of_msg msg;
    struct str s = STR_INIT;
    if (of_group_mod_parse(o->argv[0], OF_GROUP_ADD, NULL, &gm, &diag))
        ofctl_fatal("%s", diag_text(&diag));
    uint8_t version = (uint8_t)__builtin_ctz(o->versions);
    of_group_mod_encode(&gm, version, 1, &b);
    if (of_msg_parse(b.data, b.n, &msg))
        ofctl_fatal("%s: no message of %s can say this", o->argv[0], of_version_name(version));
    of_print(&s, &msg, 1 + o->verbosity, NULL, NULL);
    printf("usable protocols: any\nchosen version: %s\n%s", of_version_name(version), str_c(&s));
    str_fini(&s);
    of_buf_fini(&b);
    of_group_mod_fini(&gm);
}

void ofctl_parse_key_value(struct ofctl *o)
{
    for (int i = 0; i < o->argc; i++) {
        char *text = o->argv[i];
        const char *sep = "";
        struct keyvalue kv;
        int more;
        while ((more = keyvalue_next(&text, &kv)) > 0) {
            printf("%s%s", sep, kv.key);
            if (*kv.value || kv.parens)
                printf("=%s", kv.value);
            sep = ", ";
        }
        if (more < 0)
            ofctl_fatal("%s: unbalanced parentheses", text);
        putchar('\n');
    }
}

void ofctl_encode_hello(struct ofctl *o)
{
    uint64_t versions;
    if (text_to_u64(o->argv[0], 0, &versions) || versions < 2 || versions > UINT32_MAX)
        ofctl_fatal("%s: a bitmap of versions is a number of at most 32 bits, bit 1 and up",
                    o->argv[0]);
    struct of_buf b = OF_BUF_INIT;
    of_hello_encode((uint32_t)versions, true, 1, &b);
    hex_dump(b.data, b.n, false);
    ofctl_print_message(b.data, b.n, o->verbosity);
    of_buf_fini(&b);
}

/* ---- Errors ---- */

static int error_argument(const struct ofctl *o)
{
    int error = of_error_find(o->argv[0]);
    if (!error)
        ofctl_fatal("unknown error \"%s\"", o->argv[0]);
    return error;
}

void ofctl_print_error(struct ofctl *o)
{
    int error = error_argument(o);
    for (uint8_t version = OF10_VERSION; version <= OF15_VERSION; version++) {
        struct of_error_wire wire;
        if (!of_error_wire(error, version, &wire))
            continue;
        printf("OpenFlow 1.%d: vendor ", version - OF10_VERSION);
        printf(wire.vendor ? "%#x" : "%u", wire.vendor);
        printf(", type %d, code %d\n", wire.type, wire.code);
    }
}

void ofctl_encode_error_reply(struct ofctl *o)
{
    int error = error_argument(o);
    struct of_buf request = OF_BUF_INIT, reply = OF_BUF_INIT;
    struct of_msg msg;
    if (!hex_read(o->argv[1], &request))
        ofctl_fatal("Trailing garbage in hex data");
    if (request.n < OF_HEADER_LEN)
        ofctl_fatal("Request too short");
    (void)!of_msg_parse(request.data, request.n, &msg);
    of_error_encode(error, &msg, &reply);
    hex_dump(reply.data, reply.n, false);
    of_buf_fini(&request);
    of_buf_fini(&reply);
}
