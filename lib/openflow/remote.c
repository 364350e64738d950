/* remote.c - a target that is kept connected: io/reconnect.h with OpenFlow's HELLO on top. */
#include "openflow/connection.h"

#include <stdlib.h>

struct of_remote {
    struct loop *loop;
    struct reconnect *reconnect;
    struct of_conn *conn;
    bool ready;
    char *last_error; /* or NULL */
    struct of_conn_options options;
    struct of_conn_callbacks callbacks;
    void *aux;
    struct deferred drop; /* frees the connection outside of its callbacks */
};

static void on_ready(void *aux, struct of_conn *conn)
{
    struct of_remote *r = aux;
    r->ready = true;
    if (r->callbacks.ready)
        r->callbacks.ready(r->aux, conn);
}

static void on_message(void *aux, struct of_conn *conn, const struct of_msg *msg)
{
    struct of_remote *r = aux;
    r->callbacks.message(r->aux, conn, msg);
}

static void on_drained(void *aux, struct of_conn *conn)
{
    struct of_remote *r = aux;
    if (r->callbacks.drained)
        r->callbacks.drained(r->aux, conn);
}

static void set_last_error(struct of_remote *r, const char *reason)
{
    free(r->last_error);
    r->last_error = xstrdup(reason);
}

static void on_failed(void *aux, const char *target UNUSED, const char *reason)
{
    set_last_error(aux, reason);
}

static void on_closed(void *aux, struct of_conn *conn, int err, const char *reason)
{
    struct of_remote *r = aux;
    bool was_ready = r->ready;
    r->ready = false;
    set_last_error(r, reason);
    deferred_schedule(&r->drop);
    if (was_ready && r->callbacks.closed)
        r->callbacks.closed(r->aux, conn, err, reason);
}

static void drop(void *aux)
{
    struct of_remote *r = aux;
    of_conn_free(r->conn);
    r->conn = NULL;
    reconnect_disconnected(r->reconnect);
}

static void on_connected(void *aux, struct stream *stream)
{
    struct of_remote *r = aux;
    static const struct of_conn_callbacks callbacks = {on_ready, on_message, on_drained, on_closed};
    deferred_cancel(&r->drop);
    of_conn_free(r->conn);
    r->ready = false;
    r->conn = of_conn_new(r->loop, stream, &r->options, &callbacks, r);
}

int of_remote_new(struct loop *loop, const char *target, const struct reconnect_options *reconnect,
                  const struct of_conn_options *options, const struct of_conn_callbacks *callbacks,
                  void *aux, struct of_remote **ret, struct diag *diag)
{
    static const struct reconnect_callbacks reconnect_callbacks = {.connected = on_connected,
                                                                   .failed = on_failed};
    struct of_remote *r = NEW(struct of_remote);
    struct reconnect_options ro = *reconnect;
    if (!ro.stream.default_port)
        ro.stream.default_port = TARGET_PORT_OPENFLOW;
    r->loop = loop;
    r->options = *options;
    r->callbacks = *callbacks;
    r->aux = aux;
    deferred_init(&r->drop, loop, LOOP_LATER, drop, r);
    int err = reconnect_new(loop, target, &ro, &reconnect_callbacks, r, &r->reconnect, diag);
    if (err) {
        free(r);
        return err;
    }
    *ret = r;
    return 0;
}

void of_remote_free(struct of_remote *r)
{
    if (!r)
        return;
    deferred_cancel(&r->drop);
    of_conn_free(r->conn);
    reconnect_free(r->reconnect);
    free(r->last_error);
    free(r);
}

struct of_conn *of_remote_conn(struct of_remote *r)
{
    return r->ready ? r->conn : NULL;
}

void of_remote_reconnect(struct of_remote *r)
{
    if (r->conn)
        of_conn_close(r->conn, "reconnecting");
    else
        reconnect_now(r->reconnect);
}

const char *of_remote_state(const struct of_remote *r)
{
    return r->ready ? "ACTIVE" : reconnect_is_waiting(r->reconnect) ? "BACKOFF" : "CONNECTING";
}

const char *of_remote_last_error(const struct of_remote *r)
{
    return r->last_error;
}

const char *of_remote_target(const struct of_remote *r)
{
    return reconnect_target(r->reconnect);
}
