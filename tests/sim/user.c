/* user.c - see user.h. */
#include "sim/user.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "io/jsonrpc.h"
#include "sim/cluster.h"

enum { PATIENCE_US = 60 * SECOND_US };

struct user {
    struct cluster *cluster;
    char *what, *target, *db;
    struct jsonrpc *rpc; /* NULL: not connected */
    json_t *result;
    bool is_answered;
};

struct user *user_new(struct cluster *c, const char *what, const char *target, const char *db)
{
    struct user *user = NEW(struct user);
    user->cluster = c;
    user->what = xstrdup(what);
    user->target = xstrdup(target);
    user->db = xstrdup(db);
    return user;
}

void user_disconnect(struct user *user)
{
    if (!user)
        return;
    jsonrpc_free(user->rpc);
    user->rpc = NULL;
}

void user_free(struct user *user)
{
    if (!user)
        return;
    user_disconnect(user);
    free(user->what);
    free(user->target);
    free(user->db);
    free(user);
}

static void on_message(void *user_, const struct jsonrpc_message *msg)
{
    struct user *user = user_;
    if (msg->kind != JSONRPC_REPLY && msg->kind != JSONRPC_ERROR)
        return;
    user->is_answered = true;
    user->result = json_incref((json_t *)(uintptr_t)(msg->result ? msg->result : msg->error));
}

static void on_closed(void *user_, int err UNUSED, const char *reason)
{
    struct user *user = user_;
    cluster_fail(user->cluster, "connection to the %s database: %s", user->what, reason);
}

static void connect_now(struct user *user)
{
    static const struct jsonrpc_callbacks callbacks = {.message = on_message, .closed = on_closed};
    struct stream_options options = {.default_port = TARGET_PORT_OVSDB};
    struct stream *stream;
    struct diag diag = DIAG_INIT;
    if (stream_connect(user->cluster->loop, user->target, &options, &stream, &diag))
        cluster_fail(user->cluster, "%s", diag_text(&diag));
    user->rpc = jsonrpc_new(stream, &callbacks, user);
}

static bool is_answered(void *user_)
{
    struct user *user = user_;
    return user->is_answered;
}

static void check_results(struct user *user, const char *ops)
{
    size_t i;
    json_t *result;
    json_array_foreach(user->result, i, result)
    {
        if (json_object_get(result, "error")) {
            struct str text = STR_INIT;
            json_put(result, true, &text);
            cluster_fail(user->cluster, "%s refuses %s: %s", user->what, ops, str_c(&text));
        }
    }
    if (!json_is_array(user->result))
        cluster_fail(user->cluster, "%s does not understand %s", user->what, ops);
}

json_t *user_transact(struct user *user, const char *format, ...)
{
    struct diag diag = DIAG_INIT;
    json_t *params;
    va_list args;
    va_start(args, format);
    char *ops = xvasprintf(format, args);
    va_end(args);
    char *text = xasprintf("[\"%s\",%s]", user->db, ops);
    if (json_from_text(text, strlen(text), &params, &diag))
        cluster_fail(user->cluster, "%s: %s", text, diag_text(&diag));
    if (!user->rpc)
        connect_now(user);
    user->is_answered = false;
    jsonrpc_request(user->rpc, "transact", params);
    cluster_wait(user->cluster, PATIENCE_US, is_answered, user, ops);
    check_results(user, ops);
    free(text);
    free(ops);
    diag_fini(&diag);
    return user->result;
}

size_t user_count(struct user *user, const char *table)
{
    json_t *results = user_transact(
        user, "{\"op\":\"select\",\"table\":\"%s\",\"where\":[],\"columns\":[\"_uuid\"]}", table);
    size_t n = json_array_size(json_object_get(json_array_get(results, 0), "rows"));
    json_decref(results);
    return n;
}
