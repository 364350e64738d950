/* client.h - one OpenFlow conversation of a command-line tool: requests and their answers, one after the other.
 *
 * Here waiting is allowed: each function runs the loop until its answer has come. Failures end the program with a
 * sentence, as for any tool; struct client is made once and lives until exit.
 */
#pragma once

#include "io/tls.h"
#include "openflow/connection.h"
#include "openflow/print.h"
#include "openflow/switch.h"
#include "openflow/text.h"

struct client {
    struct loop *loop;
    struct of_conn *conn;
    const char *target;
    const char *service;          /* of a bridge: NULL is "mgmt" */
    const char *tls_texts[TLS_N]; /* for ssl: */
    struct tls_config *tls;       /* NULL: none of them was given */
    uint32_t versions;            /* allowed */
    uint8_t version;              /* settled */
    uint32_t xid;                 /* of the next request */
    bool table_ids;               /* 1.0: NXT_FLOW_MOD_TABLE_ID has been sent */
    bool failed;
    char *reason;
    /* Messages that came, copied, in order. */
    struct {
        uint8_t **data;
        size_t n, cap;
    } inbox;
    struct port_names port_names; /* asks the switch when first needed */
    struct {
        struct of_port *data;
        size_t n, cap;
    } ports;
    bool have_ports;
    struct table_names table_names; /* asks the switch when first needed */
    char (*tables)[33];             /* names, "" for none; NULL: not asked yet */
    bool show_names;                /* --names: numbers are printed as names */
    bool no_names;                  /* --no-names: nor do they stand for numbers */
};

/* TARGET: a bridge's name, a socket's path, or unix:, tcp:, ssl: */
void client_connect(struct client *c, const char *target, uint32_t versions);
void client_close(struct client *c);
uint32_t client_next_xid(struct client *c);
void client_send(struct client *c, struct of_buf *buf); /* and empties BUF */
/* The next message; owned by the caller, who frees it; MSG points into it. */
uint8_t *client_receive(struct client *c, struct of_msg *msg);
typedef void client_reply_fn(struct client *c, const struct of_msg *reply, void *aux);
/* Sends REQUEST (one message) and hands each message with its xid to FN, until the last part of a multipart reply
 * or the only reply. An error is printed to standard error, and the program ends with 1. */
void client_transact(struct client *c, struct of_buf *request, client_reply_fn *fn, void *aux);
/* The same, and an error is a reply like others. */
void client_ask(struct client *c, struct of_buf *request, client_reply_fn *fn, void *aux);
/* Sends REQUESTS and a barrier and waits for its reply: an error to any of them ends the program like above. */
void client_transact_noreply(struct client *c, struct of_buf *requests);
/* 1.0: makes the switch speak NXM; TABLE_IDS: and take tables in FLOW_MOD. */
void client_prepare_10(struct client *c, bool nxm, bool table_ids);
/* For printing: names if --names was given. */
const struct port_names *client_print_names(struct client *c);
/* The same of tables that have a name of their own. */
const struct table_names *client_print_tables(struct client *c);

void ofctl_fatal(const char *format, ...) PRINTF_FORMAT(1, 2) __attribute__((noreturn));
