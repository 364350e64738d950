/* jsonrpc.c - JSON-RPC on a stream. See jsonrpc.h.
 *
 * Rooms 1 and 5 cross the network here. Promises that the owner sees well-formed messages only;
 * does not match replies to requests.
 */
#include "io/jsonrpc.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

enum { MESSAGES_A_TURN = 64 };

struct jsonrpc {
    struct stream *stream;
    struct jsonrpc_callbacks cb;
    void *aux;
    struct json_scanner scanner;
    struct probe probe;
    struct deferred more; /* messages that lie in the input beyond the turn's share */
    size_t max_message;
    json_int_t next_id;
    bool paused, delivering;
    bool broken;        /* nothing more is delivered */
    bool ended;         /* the stream has closed */
    bool freed;         /* inside a callback: the end of deliver_input frees the memory */
    bool had_queue;     /* when the last probe was sent, something stood before it */
    uint64_t sent_then; /* and this much had been sent */
    int close_err;
    char *close_reason;
};

/* ---- what arrives ---- */

static bool members_are_known(const json_t *json)
{
    static const char *const known[] = {"method", "params", "result", "error", "id"};
    size_t n = 0;
    for (size_t i = 0; i < ARRAY_SIZE(known); i++)
        n += json_object_get(json, known[i]) != NULL;
    return n == json_object_size(json);
}

static const json_t *not_null(const json_t *json)
{
    return json && !json_is_null(json) ? json : NULL;
}

/* Sorts JSON into MSG. NULL, or what is wrong with it. */
static const char *classify(const json_t *json, struct jsonrpc_message *msg)
{
    const json_t *method = json_object_get(json, "method"), *id = json_object_get(json, "id");
    const json_t *result = json_object_get(json, "result");
    const json_t *error = json_object_get(json, "error");
    memset(msg, 0, sizeof *msg);
    if (!members_are_known(json))
        return "message has an unknown member";
    if (not_null(method)) {
        msg->params = json_object_get(json, "params");
        if (!json_is_string(method))
            return "\"method\" is not a string";
        if (!json_is_array(msg->params))
            return "\"params\" is not an array";
        if (not_null(result) || not_null(error))
            return "request with a result or an error";
        msg->method = json_string_value(method);
        msg->id = not_null(id);
        msg->kind = msg->id ? JSONRPC_REQUEST : JSONRPC_NOTIFY;
        return NULL;
    }
    msg->id = not_null(id);
    if (!msg->id)
        return "reply without \"id\"";
    if (not_null(json_object_get(json, "params")))
        return "reply with \"params\"";
    if (not_null(error)) {
        if (not_null(result))
            return "reply with a result and an error";
        msg->kind = JSONRPC_ERROR;
        msg->error = error;
        return NULL;
    }
    if (!result)
        return "neither request nor reply";
    msg->kind = JSONRPC_REPLY;
    msg->result = result;
    return NULL;
}

static bool is_echo_id(const json_t *id)
{
    return json_is_string(id) && !strcmp(json_string_value(id), "echo");
}

static void answer_echo(struct jsonrpc *rpc, const struct jsonrpc_message *msg)
{
    jsonrpc_reply(rpc, msg->id, json_incref((json_t *)(uintptr_t)msg->params));
}

static void deliver(struct jsonrpc *rpc, const json_t *json)
{
    struct jsonrpc_message msg;
    const char *wrong = classify(json, &msg);
    if (wrong) {
        jsonrpc_close(rpc, ERR_SYNTAX, wrong);
        return;
    }
    if (msg.kind == JSONRPC_REQUEST && !strcmp(msg.method, "echo"))
        answer_echo(rpc, &msg);
    else if (msg.kind == JSONRPC_REPLY && is_echo_id(msg.id))
        ; /* the answer to our probe: activity was noted already */
    else
        rpc->cb.message(rpc->aux, &msg);
}

/* Takes one text from the input and delivers it. False: there is no whole one, or it is over. */
static bool deliver_next(struct jsonrpc *rpc)
{
    size_t n;
    const char *text = stream_peek(rpc->stream, &n);
    int found = json_scan(&rpc->scanner, text, n);
    if (found < 0) {
        jsonrpc_close(rpc, ERR_SYNTAX, "not a JSON object, or nested too deeply");
        return false;
    }
    if (rpc->scanner.pos > rpc->max_message) {
        jsonrpc_close(rpc, ERR_TOO_BIG, "message exceeds the size limit");
        return false;
    }
    if (!found)
        return false;
    struct diag diag = DIAG_INIT;
    json_t *json = NULL;
    bool is_taken = rpc->cb.text && rpc->cb.text(rpc->aux, text, rpc->scanner.pos);
    if (rpc->freed)
        return true;
    int err = is_taken ? 0 : json_from_text(text, rpc->scanner.pos, &json, &diag);
    stream_consume(rpc->stream, rpc->scanner.pos);
    rpc->scanner = (struct json_scanner){0};
    if (err) {
        jsonrpc_close(rpc, ERR_SYNTAX, diag_text(&diag));
        diag_fini(&diag);
        return false;
    }
    if (json)
        deliver(rpc, json); /* may free RPC */
    json_decref(json);
    return true;
}

static void tell_closed(struct jsonrpc *rpc)
{
    probe_stop(&rpc->probe);
    rpc->cb.closed(rpc->aux, rpc->close_err, rpc->close_reason);
}

static void destroy(struct jsonrpc *rpc)
{
    free(rpc->close_reason);
    free(rpc);
}

static void deliver_input(struct jsonrpc *rpc)
{
    int left = MESSAGES_A_TURN;
    if (rpc->delivering)
        return;
    rpc->delivering = true;
    while (!rpc->freed && !rpc->paused && !rpc->broken && left && deliver_next(rpc))
        left--;
    rpc->delivering = false;
    if (rpc->freed)
        destroy(rpc);
    else if (rpc->ended && (rpc->broken || (left && !rpc->paused)))
        tell_closed(rpc);
    else if (!left && !rpc->paused)
        deferred_schedule(&rpc->more);
}

static void more_input(void *rpc_)
{
    deliver_input(rpc_);
}

static void on_readable(void *rpc_)
{
    struct jsonrpc *rpc = rpc_;
    probe_activity(&rpc->probe);
    deliver_input(rpc);
}

static void on_connected(void *rpc_)
{
    struct jsonrpc *rpc = rpc_;
    probe_activity(&rpc->probe);
    if (rpc->cb.connected)
        rpc->cb.connected(rpc->aux);
}

static void on_drained(void *rpc_)
{
    struct jsonrpc *rpc = rpc_;
    if (rpc->cb.drained)
        rpc->cb.drained(rpc->aux);
}

/* The stream is over; whole messages that arrived before the end are delivered first. */
static void on_closed(void *rpc_, int err, const char *reason)
{
    struct jsonrpc *rpc = rpc_;
    rpc->ended = true;
    if (!rpc->close_err) {
        rpc->close_err = err;
        rpc->close_reason = xstrdup(reason);
    }
    on_drained(rpc); /* the queue is gone: who paused because of it would wait for ever */
    if (err == ERR_CLOSED)
        deliver_input(rpc);
    else
        tell_closed(rpc);
}

/* ---- probes ---- */

static void send_probe(void *rpc_)
{
    static const char text[] = "{\"id\":\"echo\",\"method\":\"echo\",\"params\":[]}";
    struct jsonrpc *rpc = rpc_;
    rpc->had_queue = stream_queued(rpc->stream) > 0;
    rpc->sent_then = stream_bytes_out(rpc->stream);
    jsonrpc_send_text(rpc, text, sizeof text - 1);
}

static void probe_dead(void *rpc_)
{
    struct jsonrpc *rpc = rpc_;
    /* A peer that takes a long message slowly is alive, though it has not come to the probe yet. */
    if (rpc->had_queue && stream_bytes_out(rpc->stream) > rpc->sent_then) {
        probe_set_interval(&rpc->probe, rpc->probe.interval_ms);
        return;
    }
    jsonrpc_close(rpc, ERR_TIMEOUT, "no response to inactivity probe");
}

/* ---- the object ---- */

struct jsonrpc *jsonrpc_new(struct stream *stream, const struct jsonrpc_callbacks *callbacks,
                            void *aux)
{
    static const struct stream_callbacks stream_callbacks = {
        .connected = on_connected,
        .readable = on_readable,
        .drained = on_drained,
        .closed = on_closed,
    };
    struct jsonrpc *rpc = NEW(struct jsonrpc);
    struct loop *loop = stream_loop(stream);
    rpc->stream = stream;
    rpc->cb = *callbacks;
    rpc->aux = aux;
    rpc->next_id = 1;
    probe_init(&rpc->probe, loop, send_probe, probe_dead, rpc);
    deferred_init(&rpc->more, loop, LOOP_LATER, more_input, rpc);
    jsonrpc_set_max_message(rpc, JSONRPC_MAX_MESSAGE);
    stream_set_callbacks(stream, &stream_callbacks, rpc);
    return rpc;
}

void jsonrpc_free(struct jsonrpc *rpc)
{
    if (!rpc)
        return;
    probe_stop(&rpc->probe);
    deferred_cancel(&rpc->more);
    stream_free(rpc->stream);
    rpc->freed = true;
    if (!rpc->delivering)
        destroy(rpc);
}

void jsonrpc_set_max_message(struct jsonrpc *rpc, size_t max)
{
    rpc->max_message = max;
    /* A message must fit in the input, and one byte shows that it does not. */
    stream_set_max_input(rpc->stream, max + 1);
}

void jsonrpc_set_probe(struct jsonrpc *rpc, int64_t interval_ms)
{
    probe_set_interval(&rpc->probe, interval_ms);
}

void jsonrpc_pause(struct jsonrpc *rpc, bool paused)
{
    if (rpc->paused == paused)
        return;
    rpc->paused = paused;
    if (!rpc->ended)
        stream_pause(rpc->stream, paused);
    if (!paused)
        deferred_schedule(&rpc->more);
}

void jsonrpc_close(struct jsonrpc *rpc, int err, const char *reason)
{
    rpc->broken = true;
    if (rpc->close_err)
        return;
    rpc->close_err = err;
    rpc->close_reason = xstrdup(reason);
    stream_close(rpc->stream, err, reason);
}

/* ---- sending ---- */

static void send_str(struct jsonrpc *rpc, struct str *text)
{
    stream_write(rpc->stream, text->s, text->n);
    str_fini(text);
}

static void put_member(struct str *out, const char *name, const json_t *value)
{
    str_putf(out, "%s\"%s\":", out->n ? "," : "{", name);
    if (value)
        json_put(value, false, out);
    else
        str_put(out, "null");
}

static void send_call(struct jsonrpc *rpc, const char *method, json_t *stolen_params,
                      const json_t *id)
{
    struct str text = STR_INIT;
    put_member(&text, "id", id);
    str_put(&text, ",\"method\":");
    json_put_text(method, strlen(method), &text);
    put_member(&text, "params", stolen_params);
    str_putc(&text, '}');
    json_decref(stolen_params);
    send_str(rpc, &text);
}

void jsonrpc_send_request(struct jsonrpc *rpc, const char *method, json_t *stolen_params,
                          const json_t *id)
{
    send_call(rpc, method, stolen_params, id);
}

json_int_t jsonrpc_request(struct jsonrpc *rpc, const char *method, json_t *stolen_params)
{
    json_int_t id = rpc->next_id++;
    json_t *json = json_integer(id);
    send_call(rpc, method, stolen_params, json);
    json_decref(json);
    return id;
}

json_int_t jsonrpc_request_text(struct jsonrpc *rpc, const char *method, const struct str *params)
{
    json_int_t id = rpc->next_id++;
    struct str text = STR_INIT;
    str_putf(&text, "{\"id\":%" JSON_INTEGER_FORMAT ",\"method\":\"%s\",\"params\":", id, method);
    str_put_n(&text, str_c(params), params->n);
    str_putc(&text, '}');
    send_str(rpc, &text);
    return id;
}

void jsonrpc_notify(struct jsonrpc *rpc, const char *method, json_t *stolen_params)
{
    send_call(rpc, method, stolen_params, NULL);
}

void jsonrpc_reply(struct jsonrpc *rpc, const json_t *id, json_t *stolen_result)
{
    struct str text = STR_INIT;
    put_member(&text, "id", id);
    put_member(&text, "result", stolen_result);
    str_put(&text, ",\"error\":null}");
    json_decref(stolen_result);
    send_str(rpc, &text);
}

void jsonrpc_reply_error(struct jsonrpc *rpc, const json_t *id, json_t *stolen_error)
{
    struct str text = STR_INIT;
    put_member(&text, "id", id);
    put_member(&text, "error", stolen_error);
    str_putc(&text, '}');
    json_decref(stolen_error);
    send_str(rpc, &text);
}

void jsonrpc_send_text(struct jsonrpc *rpc, const char *text, size_t n)
{
    stream_write(rpc->stream, text, n);
}

void jsonrpc_send_shared(struct jsonrpc *rpc, const struct rstr *text)
{
    stream_write_shared(rpc->stream, text);
}

void jsonrpc_send_source(struct jsonrpc *rpc, struct stream_source *source)
{
    stream_write_source(rpc->stream, source);
}

struct stream *jsonrpc_stream(const struct jsonrpc *rpc)
{
    return rpc->stream;
}

const char *jsonrpc_name(const struct jsonrpc *rpc)
{
    return stream_name(rpc->stream);
}
