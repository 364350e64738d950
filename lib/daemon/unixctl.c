/* unixctl.c - the control socket: connections, registered commands, answers. See unixctl.h.
 *
 * Stands beside the rooms of the architecture: people and scripts look into a daemon through it.
 */
#include "daemon/unixctl.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "daemon/unixctl_impl.h"
#include "io/jsonrpc.h"

enum { MAX_REQUEST = 1 << 20 };

struct unixctl_conn {
    struct list node; /* in ctl->conns; NULL ctl: unixctl_call */
    struct unixctl *ctl;
    struct jsonrpc *rpc; /* NULL when the client has gone */
    json_t *id;          /* of the outstanding command, or NULL */
    char *reply;         /* unixctl_call */
    bool is_call, is_error;
};

/* ---- commands ---- */

struct unixctl_command *unixctl_find(const struct unixctl *ctl, const char *name)
{
    struct unixctl_command *c;
    LIST_FOR_EACH (c, node, &ctl->commands) {
        if (!strcmp(c->name, name))
            return c;
    }
    return NULL;
}

static void command_free(struct unixctl_command *c)
{
    list_remove(&c->node);
    free(c->name);
    free(c->usage);
    free(c);
}

void unixctl_register(struct unixctl *ctl, const char *name, const char *usage, int min, int max,
                      unixctl_fn *fn, void *aux)
{
    if (!ctl)
        return;
    unixctl_unregister(ctl, name);
    struct unixctl_command *next, *c = NEW(struct unixctl_command);
    c->name = xstrdup(name);
    c->usage = xstrdup(usage);
    c->min = min;
    c->max = max;
    c->fn = fn;
    c->aux = aux;
    LIST_FOR_EACH (next, node, &ctl->commands) {
        if (strcmp(next->name, name) > 0)
            break;
    }
    list_insert(&next->node, &c->node);
}

void unixctl_register_all(struct unixctl *ctl, const struct unixctl_entry *entries, size_t n,
                          void *aux)
{
    for (size_t i = 0; i < n; i++)
        unixctl_register(ctl, entries[i].name, entries[i].usage, entries[i].min, entries[i].max,
                         entries[i].fn, aux);
}

void unixctl_unregister(struct unixctl *ctl, const char *name)
{
    struct unixctl_command *c = ctl ? unixctl_find(ctl, name) : NULL;
    if (c)
        command_free(c);
}

static void run_command(struct unixctl_conn *conn, struct unixctl *ctl, int argc,
                        const char *argv[])
{
    struct unixctl_command *c = unixctl_find(ctl, argv[0]);
    struct str error = STR_INIT;
    if (!c)
        str_putf(&error,
                 "\"%s\" is not a valid command (use \"list-commands\" to see a list of valid "
                 "commands)",
                 argv[0]);
    else if (argc - 1 < c->min)
        str_putf(&error, "\"%s\" command requires at least %d arguments", argv[0], c->min);
    else if (argc - 1 > c->max)
        str_putf(&error, "\"%s\" command takes at most %d arguments", argv[0], c->max);
    if (error.n)
        unixctl_error(conn, str_c(&error));
    else
        c->fn(conn, argc, argv, c->aux);
    str_fini(&error);
}

/* ---- connections ---- */

static void conn_free(struct unixctl_conn *conn)
{
    list_remove(&conn->node);
    jsonrpc_free(conn->rpc);
    json_decref(conn->id);
    free(conn);
}

static void conn_closed(void *conn_, int err UNUSED, const char *reason UNUSED)
{
    struct unixctl_conn *conn = conn_;
    if (!conn->id) {
        conn_free(conn);
        return;
    }
    /* Its command still works for it; the answer will be dropped. */
    jsonrpc_free(conn->rpc);
    conn->rpc = NULL;
}

static void conn_message(void *conn_, const struct jsonrpc_message *msg)
{
    struct unixctl_conn *conn = conn_;
    if (msg->kind != JSONRPC_REQUEST) {
        jsonrpc_close(conn->rpc, ERR_SYNTAX, "only requests are accepted");
        return;
    }
    size_t n = json_array_size(msg->params);
    const char **argv = xcalloc(n + 1, sizeof *argv);
    argv[0] = msg->method;
    bool texts = true;
    for (size_t i = 0; i < n; i++) {
        argv[i + 1] = json_string_value(json_array_get(msg->params, i));
        texts = texts && argv[i + 1];
    }
    conn->id = json_incref((json_t *)(uintptr_t)msg->id);
    jsonrpc_pause(conn->rpc, true);
    if (texts)
        run_command(conn, conn->ctl, (int)n + 1, argv);
    else
        unixctl_error(conn, "command has an argument that is not a string");
    free(argv);
}

static void accept_conn(void *ctl_, struct stream *stream)
{
    static const struct jsonrpc_callbacks callbacks = {.message = conn_message,
                                                       .closed = conn_closed};
    struct unixctl *ctl = ctl_;
    struct unixctl_conn *conn = NEW(struct unixctl_conn);
    conn->ctl = ctl;
    list_push_back(&ctl->conns, &conn->node);
    conn->rpc = jsonrpc_new(stream, &callbacks, conn);
    jsonrpc_set_max_message(conn->rpc, MAX_REQUEST);
}

static void answer(struct unixctl_conn *conn, const char *text, bool is_error)
{
    if (conn->is_call) {
        INVARIANT(!conn->reply);
        conn->reply = xstrdup(text ? text : "");
        conn->is_error = is_error;
        return;
    }
    INVARIANT(conn->id);
    if (!conn->rpc) {
        conn_free(conn);
        return;
    }
    size_t n = text ? strlen(text) : 0; /* a client prints it as it is: whole lines */
    json_t *json = json_sprintf("%s%s", text ? text : "", n && text[n - 1] != '\n' ? "\n" : "");
    if (!json) /* not UTF-8 */
        json = json_string("(the answer is not valid text)");
    if (is_error)
        jsonrpc_reply_error(conn->rpc, conn->id, json);
    else
        jsonrpc_reply(conn->rpc, conn->id, json);
    json_decref(conn->id);
    conn->id = NULL;
    jsonrpc_pause(conn->rpc, false);
}

void unixctl_reply(struct unixctl_conn *conn, const char *text)
{
    answer(conn, text, false);
}

void unixctl_error(struct unixctl_conn *conn, const char *text)
{
    answer(conn, text, true);
}

int unixctl_call(struct unixctl *ctl, int argc, const char *argv[], char **reply)
{
    struct unixctl_conn *conn = NEW(struct unixctl_conn);
    conn->is_call = true;
    list_init(&conn->node);
    run_command(conn, ctl, argc, argv);
    *reply = conn->reply;
    if (!conn->reply) {
        /* It will answer later: to nobody. */
        conn->is_call = false;
        conn->ctl = ctl;
        conn->id = json_null();
        list_push_back(&ctl->conns, &conn->node);
        return ERR_AGAIN;
    }
    int err = conn->is_error ? ERR_INVALID : 0;
    free(conn);
    return err;
}

/* ---- the socket ---- */

int unixctl_new(struct loop *loop, const char *path, const char *version, struct counters *counters,
                struct unixctl **ret, struct diag *diag)
{
    static const struct stream_options options = {0};
    struct unixctl *ctl = NEW(struct unixctl);
    ctl->path = xstrdup(path);
    ctl->version = xstrdup(version);
    ctl->counters = counters;
    list_init(&ctl->commands);
    list_init(&ctl->conns);
    char *target = xasprintf("punix:%s", path);
    int err = stream_listen(loop, target, &options, accept_conn, ctl, &ctl->listener, diag);
    free(target);
    if (err) {
        unixctl_free(ctl);
        return err;
    }
    unixctl_register_builtin(ctl);
    *ret = ctl;
    return 0;
}

void unixctl_free(struct unixctl *ctl)
{
    if (!ctl)
        return;
    while (!list_empty(&ctl->conns)) {
        struct unixctl_conn *conn = LIST_FIRST(struct unixctl_conn, node, &ctl->conns);
        if (conn->rpc)
            stream_flush(jsonrpc_stream(conn->rpc));
        conn_free(conn);
    }
    while (!list_empty(&ctl->commands))
        command_free(LIST_FIRST(struct unixctl_command, node, &ctl->commands));
    stream_listener_free(ctl->listener);
    vec_fini(&ctl->memory);
    vec_fini(&ctl->counted);
    free(ctl->path);
    free(ctl->version);
    free(ctl);
}

const char *unixctl_path(const struct unixctl *ctl)
{
    return ctl->path;
}

void unixctl_add_memory(struct unixctl *ctl, void (*fn)(void *aux, struct str *out), void *aux)
{
    struct memory_reporter reporter = {fn, aux};
    if (ctl)
        vec_push(&ctl->memory, reporter);
}

void unixctl_add_counters(struct unixctl *ctl, void (*fn)(void *aux, struct counters *counters),
                          void *aux)
{
    struct counters_reporter reporter = {fn, aux};
    if (ctl)
        vec_push(&ctl->counted, reporter);
}
