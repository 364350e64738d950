/* text.c - commands that need no flows of a switch: ping, and those that read and write messages, actions and packets as text. */
#include "tools/ofctl/ofctl.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/env.h"
#include "flow/rewrite.h"
#include "openflow/text.h"

enum { PINGS = 10, PING_BYTES = 64, PING_MAX = 65000, LINE = 16, PAYLOAD = 64 };

/* ---- ping ---- */

static void count_echo(struct client *c UNUSED, const struct of_msg *reply, void *n_)
{
    *(size_t *)n_ = reply->body_len;
}

void ofctl_ping(struct ofctl *o)
{
    uint64_t n = PING_BYTES;
    if (ofctl_arg(o, 1) && (text_to_u64(o->argv[1], 10, &n) || n > PING_MAX))
        ofctl_fatal("%s: payload must be between 0 and %d bytes", o->argv[1], PING_MAX);
    ofctl_connect(o);
    struct env *env = loop_env(o->client.loop);
    uint8_t *payload = xcalloc(n + 1, 1);
    for (unsigned i = 0; i < PINGS; i++) {
        struct of_buf b = OF_BUF_INIT;
        uint32_t xid = client_next_xid(&o->client);
        size_t came = SIZE_MAX;
        for (uint64_t j = 0; j < n; j++)
            payload[j] = (uint8_t)env_random_u64(env);
        of_raw_encode(OF_ECHO_REQUEST, o->client.version, xid, payload, n, &b);
        int64_t start_us = env_now_us(env);
        client_transact(&o->client, &b, count_echo, &came);
        printf("%zu bytes from %s: xid=%08x time=%.1f ms\n", came, o->argv[0], xid,
               (double)(env_now_us(env) - start_us) / 1000);
        of_buf_fini(&b);
    }
    free(payload);
}

/* ---- hexadecimal ---- */

/* The bytes of TEXT, blanks left out; false: something else is in it. */
static bool read_hex(const char *text, struct of_buf *ret)
{
    int high = -1;
    for (; *text; text++) {
        if (isspace((unsigned char)*text))
            continue;
        const char *digits = "0123456789abcdef";
        const char *at = strchr(digits, tolower((unsigned char)*text));
        if (!at)
            return false;
        if (high >= 0)
            of_buf_put8(ret, (uint8_t)(high << 4 | (int)(at - digits)));
        high = high >= 0 ? -1 : (int)(at - digits);
    }
    return high < 0;
}

/* TEXT: with the printable characters behind. */
static void put_hex_dump(const uint8_t *data, size_t n, bool text)
{
    for (size_t line = 0; line < n; line += LINE) {
        size_t end = MIN(line + LINE, n);
        printf("%08zx ", line);
        for (size_t i = line; i < end; i++)
            printf("%c%02x", i % LINE == LINE / 2 ? '-' : ' ', data[i]);
        if (text) {
            printf("%*s|", (int)(3 * (line + LINE - end) + 1), "");
            for (size_t i = line; i < line + LINE; i++)
                putchar(i < end ? (isprint(data[i]) ? data[i] : '.') : ' ');
            putchar('|');
        }
        putchar('\n');
    }
}

/* ---- messages, actions, packets ---- */

static void print_message(const uint8_t *data, size_t n, int verbosity)
{
    struct of_msg msg;
    int err = of_msg_parse(data, n, &msg);
    struct str s = STR_INIT;
    if (err)
        str_putf(&s, "***decode error: %s***\n", of_error_name(err));
    else
        of_print(&s, &msg, verbosity, NULL, NULL);
    fputs(str_c(&s), stdout);
    str_fini(&s);
}

/* The whole messages at the start of the N bytes at DATA. */
static void print_messages(const uint8_t *data, size_t n, int verbosity)
{
    while (n) {
        size_t len = n < OF_HEADER_LEN ? n : get_be16(data + 2);
        if (n < OF_HEADER_LEN || len < OF_HEADER_LEN || len > n) {
            printf("OpenFlow packet too short (only %zu bytes):\n", n);
            put_hex_dump(data, n, true);
            return;
        }
        print_message(data, len, verbosity);
        data += len;
        n -= len;
    }
}

void ofctl_ofp_print(struct ofctl *o)
{
    struct of_buf b = OF_BUF_INIT;
    uint64_t verbosity = 2;
    if (ofctl_arg(o, 1) && text_to_u64(o->argv[1], 10, &verbosity))
        ofctl_fatal("%s: a level is a number", o->argv[1]);
    if (!read_hex(o->argv[0], &b))
        ofctl_fatal("trailing garbage following hex bytes");
    print_messages(b.data, b.n, (int)MIN(verbosity, (uint64_t)2));
    of_buf_fini(&b);
}

void ofctl_ofp_parse(struct ofctl *o)
{
    FILE *f = strcmp(o->argv[0], "-") ? fopen(o->argv[0], "rb") : stdin;
    if (!f)
        ofctl_fatal("%s: open failed", o->argv[0]);
    struct of_buf b = OF_BUF_INIT;
    uint8_t chunk[4096];
    for (size_t n; (n = fread(chunk, 1, sizeof chunk, f)) > 0;)
        of_buf_put(&b, chunk, n);
    if (f != stdin)
        fclose(f);
    print_messages(b.data, b.n, 2);
    of_buf_fini(&b);
}

void ofctl_parse_actions(struct ofctl *o)
{
    uint32_t versions;
    struct diag diag = DIAG_INIT;
    if (of_versions_parse(o->argv[0], &versions, &diag) || versions & (versions - 1))
        ofctl_fatal("%s: one version is expected, like OpenFlow13", o->argv[0]);
    char *line = NULL;
    size_t size = 0;
    while (getline(&line, &size, stdin) > 0) {
        struct of_buf b = OF_BUF_INIT;
        struct of_actions actions = OF_ACTIONS_INIT;
        line[strcspn(line, "#")] = '\0';
        if (!read_hex(line, &b))
            ofctl_fatal("trailing garbage following hex bytes");
        uint8_t version = (uint8_t)__builtin_ctz(versions);
        int err = b.n ? of_actions_decode(b.data, b.n, version, &actions) : 0;
        if (err) {
            printf("bad %s actions: %s\n\n", o->argv[0], of_error_name(err));
        } else if (b.n) {
            struct str s = STR_INIT;
            of_actions_put(&s, actions.data, actions.n, NULL);
            printf("actions=%s\n\n", str_c(&s));
            str_fini(&s);
        }
        of_actions_fini(&actions);
        of_buf_fini(&b);
    }
    free(line);
}

void ofctl_compose_packet(struct ofctl *o)
{
    struct match match;
    struct diag diag = DIAG_INIT;
    struct packet packet;
    if (of_match_parse(o->argv[0], NULL, &match, NULL, &diag))
        ofctl_fatal("%s", diag_text(&diag));
    packet_init(&packet);
    packet_compose(&packet, &match.key, PAYLOAD);
    put_hex_dump(packet.data, packet.size, false);
    packet_fini(&packet);
}
