/* jsonrpc.h - JSON-RPC 1.0 as RFC 7047 section 4 uses it, on a stream.
 *
 * Frames the input, checks that each text is a request, a notification or a reply and nothing else
 * (an unknown member, a missing params, a nested or oversized text ends the connection), answers
 * "echo" requests by itself, sends echo probes when asked to, and hands the rest to its owner. It
 * does not know which replies are expected: ids are the owner's.
 *
 * At most a bounded number of messages are delivered a turn, so that one busy connection does not
 * hold up the others.
 */
#pragma once

#include "io/json.h"
#include "io/probe.h"
#include "io/stream.h"

struct jsonrpc;

enum jsonrpc_kind { JSONRPC_REQUEST, JSONRPC_NOTIFY, JSONRPC_REPLY, JSONRPC_ERROR };

/* Members that do not belong to the kind are NULL. In a reply result or error may be json null. */
struct jsonrpc_message {
    enum jsonrpc_kind kind;
    const char *method;
    const json_t *params; /* an array */
    const json_t *id;     /* any value but null */
    const json_t *result, *error;
};

struct jsonrpc_callbacks {
    void (*connected)(void *aux); /* may be NULL */
    /* May be NULL. Each text as it stands, borrowed during the call, which looks whether it is one that is read piece by piece (io/json_walk.h): true if
     * so, then it is over; else it is delivered as a message. */
    bool (*text)(void *aux, const char *text, size_t n);
    void (*message)(void *aux, const struct jsonrpc_message *msg); /* borrowed during the call */
    void (*drained)(void *aux);                                    /* may be NULL */
    void (*closed)(void *aux, int err, const char *reason);        /* once, last; then free it */
};

enum { JSONRPC_MAX_MESSAGE = 256 << 20 }; /* default bound of one text, in bytes */

/* Takes over STREAM. */
struct jsonrpc *jsonrpc_new(struct stream *stream, const struct jsonrpc_callbacks *callbacks,
                            void *aux);
void jsonrpc_free(struct jsonrpc *rpc); /* NULL is allowed; from inside callbacks too */
void jsonrpc_set_max_message(struct jsonrpc *rpc, size_t max);
/* Sends an echo after INTERVAL_MS of silence, closes after two. 0: off (as at the start). */
void jsonrpc_set_probe(struct jsonrpc *rpc, int64_t interval_ms);
/* While paused no message is delivered and little is read (echo is not answered either). */
void jsonrpc_pause(struct jsonrpc *rpc, bool paused);
void jsonrpc_close(struct jsonrpc *rpc, int err, const char *reason); /* closed() follows */

/* Sending. json_t arguments marked "stolen" lose one reference of the caller's. */
void jsonrpc_send_request(struct jsonrpc *rpc, const char *method, json_t *stolen_params,
                          const json_t *id);
/* The same with the next number of this connection as id, which is returned. */
json_int_t jsonrpc_request(struct jsonrpc *rpc, const char *method, json_t *stolen_params);
/* The same; PARAMS is text already. */
json_int_t jsonrpc_request_text(struct jsonrpc *rpc, const char *method, const struct str *params);
void jsonrpc_notify(struct jsonrpc *rpc, const char *method, json_t *stolen_params);
void jsonrpc_reply(struct jsonrpc *rpc, const json_t *id, json_t *stolen_result);
/* {"id":..,"error":..}, without "result" as OVSDB servers write it. */
void jsonrpc_reply_error(struct jsonrpc *rpc, const json_t *id, json_t *stolen_error);
/* A whole message that is already text; the second shares it between connections. */
void jsonrpc_send_text(struct jsonrpc *rpc, const char *text, size_t n);
void jsonrpc_send_shared(struct jsonrpc *rpc, const struct rstr *text);
void jsonrpc_send_source(struct jsonrpc *rpc, struct stream_source *source); /* in pieces */

struct stream *jsonrpc_stream(const struct jsonrpc *rpc);
const char *jsonrpc_name(const struct jsonrpc *rpc); /* of the stream */
