/* text.c - ping and benchmark, and commands that print messages. */
#include "tools/ofctl/ofctl.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/env.h"
#include "tools/ofctl/hex.h"

enum { PINGS = 10, PING_BYTES = 64, PING_MAX = 65000 };

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

void ofctl_benchmark(struct ofctl *o)
{
    uint64_t n, count;
    if (text_to_u64(o->argv[1], 10, &n) || n > OF_MAX_LEN - OF_HEADER_LEN)
        ofctl_fatal("payload must be between 0 and %d bytes", OF_MAX_LEN - OF_HEADER_LEN);
    if (text_to_u64(o->argv[2], 10, &count))
        ofctl_fatal("%s: a count is a number", o->argv[2]);
    ofctl_connect(o);
    struct env *env = loop_env(o->client.loop);
    unsigned long long len = OF_HEADER_LEN + n, total = len * count;
    printf("Sending %llu packets * %llu bytes (with header) = %llu bytes total\n",
           (unsigned long long)count, len, total);
    uint8_t *payload = xcalloc(n + 1, 1);
    int64_t start_us = env_now_us(env);
    for (uint64_t i = 0; i < count; i++) {
        struct of_buf b = OF_BUF_INIT;
        size_t came;
        of_raw_encode(OF_ECHO_REQUEST, o->client.version, client_next_xid(&o->client), payload, n,
                      &b);
        client_transact(&o->client, &b, count_echo, &came);
        of_buf_fini(&b);
    }
    double ms = (double)(env_now_us(env) - start_us) / 1000, per_s = ms > 0 ? 1000 / ms : 0;
    printf("Finished in %.1f ms (%.0f packets/s) (%.0f bytes/s)\n", ms, (double)count * per_s,
           (double)total * per_s);
    free(payload);
}

/* ---- messages ---- */

void ofctl_print_message(const uint8_t *data, size_t n, int verbosity)
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
    if (err)
        hex_dump(data, n, true);
}

void ofctl_ofp_print(struct ofctl *o)
{
    struct of_buf b = OF_BUF_INIT;
    uint64_t verbosity = 2;
    if (ofctl_arg(o, 1) && text_to_u64(o->argv[1], 10, &verbosity))
        ofctl_fatal("%s: a level is a number", o->argv[1]);
    if (!hex_read(o->argv[0], &b))
        ofctl_fatal("trailing garbage following hex bytes");
    size_t len = b.n < OF_HEADER_LEN ? 0 : get_be16(b.data + 2);
    if (len == b.n && b.n) {
        ofctl_print_message(b.data, b.n, (int)MIN(verbosity, (uint64_t)3));
    } else {
        if (!b.n)
            puts("OpenFlow message is empty");
        else if (!len)
            printf("OpenFlow packet too short (only %zu bytes):\n", b.n);
        else if (len > b.n)
            printf("(***truncated to %zu bytes from %zu***)\n", b.n, len);
        else
            printf("(***only uses %zu bytes out of %zu***)\n", len, b.n);
        hex_dump(b.data, b.n, true);
    }
    of_buf_fini(&b);
}

void ofctl_ofp_parse(struct ofctl *o)
{
    const char *name = o->argv[0];
    FILE *f = strcmp(name, "-") ? fopen(name, "rb") : stdin;
    if (!f)
        ofctl_fatal("%s: open (%s)", name, strerror(errno));
    uint8_t *message = xmalloc(OF_MAX_LEN);
    size_t n;
    while ((n = fread(message, 1, OF_HEADER_LEN, f)) > 0) {
        size_t len = n == OF_HEADER_LEN ? get_be16(message + 2) : OF_MAX_LEN;
        if (len < OF_HEADER_LEN)
            ofctl_fatal("%s: %zu-byte message is too short for OpenFlow", name, len);
        if (n < OF_HEADER_LEN || fread(message + n, 1, len - n, f) < len - n)
            ofctl_fatal("%s: unexpected end of file mid-message", name);
        ofctl_print_message(message, len, 2 + o->verbosity);
    }
    free(message);
    if (f != stdin)
        fclose(f);
}
