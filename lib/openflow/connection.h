/* connection.h - an OpenFlow connection over a stream, either side.
 *
 * of_conn frames messages (length at least 8 and at most 65535; anything else closes the connection), exchanges HELLO
 * and settles the version, answers echo requests, and probes a silent peer. The owner gets whole, recognised messages;
 * what of_msg_parse refuses is answered with its error and not delivered. Echo replies are
 * delivered where nothing probes. of_remote keeps a connection to a target
 * up (lib/io/reconnect.h) and hands out the of_conn.
 *
 * Nothing is called from inside of_conn_send; on_closed is the last call.
 */
#pragma once

#include "io/reconnect.h"
#include "openflow/protocol.h"

struct of_conn;

struct of_conn_options {
    uint32_t versions; /* bitmap of 1 << version */
    bool hello_bitmap; /* list the versions in our HELLO (controllers); switches send 8 bytes */
    int64_t probe_ms; /* silence before an echo request, as long again before giving up; 0: never */
};

struct of_conn_callbacks {
    void (*ready)(void *aux, struct of_conn *conn); /* a version is settled; may be NULL */
    void (*message)(void *aux, struct of_conn *conn,
                    const struct of_msg *msg); /* MSG is borrowed for the call */
    void (*drained)(void *aux,
                    struct of_conn *conn); /* the stream is no longer congested; may be NULL */
    void (*closed)(void *aux, struct of_conn *conn, int err,
                   const char *reason); /* free it here or later */
};

/* Takes STREAM over (connected or about to be); HELLO is sent at once. */
struct of_conn *of_conn_new(struct loop *loop, struct stream *stream,
                            const struct of_conn_options *options,
                            const struct of_conn_callbacks *callbacks, void *aux);
void of_conn_free(struct of_conn *conn); /* closes; NULL is allowed; allowed inside callbacks */
uint8_t of_conn_version(const struct of_conn *conn); /* 0 before it is settled */
uint32_t of_conn_next_xid(struct of_conn *conn);     /* never 0 */
/* Sends whole messages. Before the version is settled that is the caller's guess. */
void of_conn_send(struct of_conn *conn, const void *bytes, size_t n);
void of_conn_send_buf(struct of_conn *conn, struct of_buf *buf); /* and empties BUF */
void of_conn_send_error(struct of_conn *conn, int error, const struct of_msg *request);
void of_conn_set_callbacks(struct of_conn *conn, const struct of_conn_callbacks *callbacks,
                           void *aux);
void of_conn_set_probe(struct of_conn *conn, int64_t probe_ms);
void of_conn_pause(struct of_conn *conn,
                   bool paused); /* back-pressure: no messages are delivered */
bool of_conn_is_congested(const struct of_conn *conn);
void of_conn_close(struct of_conn *conn,
                   const char *reason); /* after this turn; closed is called */
struct stream *of_conn_stream(struct of_conn *conn);
const char *of_conn_name(const struct of_conn *conn);

/* ---- A target that should always be connected ---- */
struct of_remote;
/* TARGET as in io/target.h (default port 6653), active or passive. When a connection stands and HELLO is done, READY of
 * CALLBACKS is called with a new of_conn that OF_REMOTE owns; after CLOSED it is gone. */
int of_remote_new(struct loop *loop, const char *target, const struct reconnect_options *reconnect,
                  const struct of_conn_options *options, const struct of_conn_callbacks *callbacks,
                  void *aux, struct of_remote **ret, struct diag *diag) MUST_CHECK;
void of_remote_free(struct of_remote *remote);
struct of_conn *of_remote_conn(struct of_remote *remote); /* NULL: not connected and ready */
void of_remote_reconnect(struct of_remote *remote);       /* drops the connection, tries again */
/* "ACTIVE", "CONNECTING" or, between two attempts, "BACKOFF": as column status of table Controller says it. */
const char *of_remote_state(const struct of_remote *remote);
/* Why the last attempt failed or the last connection ended; NULL: neither has happened yet. */
const char *of_remote_last_error(const struct of_remote *remote);
const char *of_remote_target(const struct of_remote *remote);
