/* ovsdb_session.c - fuzz harness: any bytes as what a client sends to an OVSDB server, in two pieces.
 * The server goes on: another client of it is answered, and nothing of the first is left. */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "ovsdb/server/server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char schema_text[] =
    "{\"name\":\"F\",\"version\":\"1.0.0\",\"tables\":{\"T\":{\"isRoot\":true,\"columns\":{"
    "\"s\":{\"type\":\"string\"},\"i\":{\"type\":{\"key\":\"integer\",\"min\":0}},"
    "\"m\":{\"type\":{\"key\":\"string\",\"value\":\"string\",\"min\":0,\"max\":\"unlimited\"}}}}}"
    "}";

static void settle(struct loop *loop, struct env_seeded *env)
{
    for (int turns = 0, quiet = 0; turns < 1000 && quiet < 3; turns++) {
        quiet = loop_next_us(loop) > env->now_us ? quiet + 1 : 0;
        loop_run_once(loop, 0);
    }
}

static struct stream *client_open(struct loop *loop, struct ovsdb_server *server)
{
    struct stream *mine, *theirs;
    static const struct stream_callbacks none = {0};
    stream_pair(loop, loop, NULL, &mine, &theirs);
    stream_set_callbacks(mine, &none, NULL);
    ovsdb_server_add_stream(server, theirs);
    return mine;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char echo[] = "{\"id\":1,\"method\":\"echo\",\"params\":[]}";
    static const char answer[] = "{\"id\":1,\"result\":[],\"error\":null}";
    struct env_seeded env;
    env_seeded_init(&env, 1);
    struct loop *loop = loop_new(&env.env);
    struct store_options store_options = {.env = &env.env, .schema_text = schema_text};
    struct ovsdb_server_options options = {.resume = true};
    struct store *store;
    INVARIANT(!store_open(&store_options, &store, NULL));
    struct ovsdb_server *server = ovsdb_server_new(loop, &options);
    INVARIANT(!ovsdb_server_add_db(server, store, NULL));
    struct stream *client = client_open(loop, server);
    stream_write(client, data, size / 2);
    settle(loop, &env);
    stream_write(client, data + size / 2, size - size / 2);
    settle(loop, &env);
    struct stream *other = client_open(loop, server);
    stream_write_text(other, echo);
    settle(loop, &env);
    size_t n;
    const char *got = stream_peek(other, &n);
    INVARIANT(n == sizeof answer - 1 && !memcmp(got, answer, n));
    stream_free(client);
    stream_free(other);
    settle(loop, &env);
    INVARIANT(!ovsdb_server_n_sessions(server));
    ovsdb_server_free(server);
    store_close(store);
    loop_free(loop);
    return 0;
}
