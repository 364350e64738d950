/* client.c - see client.h. */
#include "tools/ofctl/client.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/vec.h"
#include "openflow/bridge.h"
#include "openflow/table.h"

void ofctl_fatal(const char *format, ...)
{
    va_list args;
    fflush(stdout);
    fputs("weft-ofctl: ", stderr);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fputc('\n', stderr);
    exit(1);
}

/* ---- Events ---- */

static void on_ready(void *aux, struct of_conn *conn)
{
    struct client *c = aux;
    c->version = of_conn_version(conn);
}

static void on_message(void *aux, struct of_conn *conn UNUSED, const struct of_msg *msg)
{
    struct client *c = aux;
    vec_push(&c->inbox, xmemdup(msg->data, msg->len));
}

static void on_closed(void *aux, struct of_conn *conn UNUSED, int err UNUSED, const char *reason)
{
    struct client *c = aux;
    c->failed = true;
    c->reason = xstrdup(reason);
}

/* ---- Ports by name ---- */

static void take_ports(struct client *c, const struct of_msg *reply, void *aux UNUSED)
{
    struct of_features f;
    const uint8_t *data = reply->body;
    size_t n = reply->body_len, ofs = 0;
    if (reply->type == OF_FEATURES_REPLY) {
        if (of_features_decode(reply, &f))
            return;
        data = f.ports;
        n = f.ports_len;
    }
    struct of_port port;
    while (of_port_next(data, n, reply->version, &ofs, &port) > 0)
        vec_push(&c->ports, port);
}

static void fetch_ports(struct client *c)
{
    if (c->have_ports)
        return;
    c->have_ports = true;
    struct of_buf b = OF_BUF_INIT;
    /* Numbers of their own, so that asking for names changes no other request's. */
    uint32_t xid = 0x10000;
    if (c->version == OF10_VERSION)
        of_simple_encode(OF_FEATURES_REQUEST, c->version, xid, &b);
    else
        of_port_desc_request_encode(PORT_ANY, c->version, xid, &b);
    client_transact(c, &b, take_ports, NULL);
    of_buf_fini(&b);
}

static uint32_t port_by_name(const struct port_names *names, const char *name)
{
    struct client *c = CONTAINER_OF(names, struct client, port_names);
    if (c->no_names)
        return 0;
    fetch_ports(c);
    for (size_t i = 0; i < c->ports.n; i++)
        if (!strcmp(c->ports.data[i].name, name))
            return c->ports.data[i].number;
    return 0;
}

static const char *port_by_number(const struct port_names *names, uint32_t number)
{
    struct client *c = CONTAINER_OF(names, struct client, port_names);
    fetch_ports(c);
    for (size_t i = 0; i < c->ports.n; i++)
        if (c->ports.data[i].number == number)
            return c->ports.data[i].name;
    return NULL;
}

/* ---- Tables by name ---- */

static void take_tables(struct client *c, const struct of_msg *reply, void *aux UNUSED)
{
    struct of_table_features tf;
    struct of_table_stats ts;
    size_t ofs = 0;
    if (reply->type == OF_TABLE_FEATURES_REPLY)
        while (of_table_features_next(reply, &ofs, &tf) > 0)
            memcpy(c->tables[tf.id], tf.name, sizeof tf.name);
    else
        while (of_table_stats_next(reply, &ofs, &ts) > 0)
            memcpy(c->tables[ts.id], ts.name, sizeof ts.name);
}

static void fetch_tables(struct client *c)
{
    if (c->tables)
        return;
    c->tables = xcalloc(OF_TABLE_ALL + 1, sizeof *c->tables);
    struct of_buf b = OF_BUF_INIT;
    of_multipart_request_encode(c->version == OF10_VERSION ? OF_TABLE_STATS_REQUEST
                                                           : OF_TABLE_FEATURES_REQUEST,
                                c->version, 0x10001, &b);
    client_transact(c, &b, take_tables, NULL);
    of_buf_fini(&b);
    /* "table5" and "classifier" say nothing. */
    for (unsigned i = 0; i <= OF_TABLE_ALL; i++) {
        char plain[16];
        snprintf(plain, sizeof plain, "table%u", i);
        if (!strcmp(c->tables[i], plain) || !strcmp(c->tables[i], "classifier"))
            c->tables[i][0] = '\0';
    }
}

static int table_by_name(const struct table_names *names, const char *name)
{
    struct client *c = CONTAINER_OF(names, struct client, table_names);
    size_t n = strlen(name);
    bool quoted = n > 2 && *name == '"' && name[n - 1] == '"';
    name += quoted;
    n -= 2u * quoted;
    if (c->no_names || !*name || strspn(name, "0123456789") == strlen(name))
        return -1;
    fetch_tables(c);
    for (int i = 0; i < OF_TABLE_ALL; i++)
        if (strlen(c->tables[i]) == n && !memcmp(c->tables[i], name, n))
            return i;
    return -1;
}

static const char *table_by_number(const struct table_names *names, uint8_t number)
{
    struct client *c = CONTAINER_OF(names, struct client, table_names);
    fetch_tables(c);
    return c->tables[number][0] ? c->tables[number] : NULL;
}

const struct table_names *client_print_tables(struct client *c)
{
    return c->show_names ? &c->table_names : NULL;
}

const struct port_names *client_print_names(struct client *c)
{
    return c->show_names ? &c->port_names : NULL;
}

/* ---- Connecting ---- */

static void load_tls(struct client *c)
{
    struct diag diag = DIAG_INIT;
    if (!c->tls_texts[TLS_KEY] && !c->tls_texts[TLS_CERTIFICATE] && !c->tls_texts[TLS_CA])
        return;
    c->tls = tls_config_new();
    if (tls_config_set(c->tls, c->tls_texts, &diag))
        ofctl_fatal("%s", diag_text(&diag));
}

void client_connect(struct client *c, const char *name, uint32_t versions)
{
    static const struct of_conn_callbacks callbacks = {on_ready, on_message, NULL, on_closed};
    struct diag diag = DIAG_INIT;
    struct stream *stream;
    char *target = of_bridge_target(name, c->service);
    if (!target)
        ofctl_fatal("%s is not a bridge or a socket", name);
    c->loop = loop_new(env_real());
    c->target = name;
    c->versions = versions;
    c->port_names = (struct port_names){port_by_name, port_by_number, &c->table_names};
    c->table_names = (struct table_names){table_by_name, table_by_number};
    load_tls(c);
    struct stream_options so = {.default_port = TARGET_PORT_OPENFLOW, .tls = c->tls};
    if (stream_connect(c->loop, target, &so, &stream, &diag))
        ofctl_fatal("%s: %s", name, diag_text(&diag));
    struct of_conn_options options = {.versions = versions, .hello_bitmap = true};
    c->conn = of_conn_new(c->loop, stream, &options, &callbacks, c);
    c->xid = 2; /* 1 was the HELLO's */
    while (!c->version && !c->failed)
        loop_run_once(c->loop, -1);
    if (!c->version)
        ofctl_fatal("%s: failed to connect to socket (%s)", target, c->reason);
    free(target);
}

void client_close(struct client *c)
{
    for (size_t i = 0; i < c->inbox.n; i++)
        free(c->inbox.data[i]);
    vec_fini(&c->inbox);
    vec_fini(&c->ports);
    free(c->tables);
    of_conn_free(c->conn);
    loop_free(c->loop);
    tls_config_free(c->tls);
    free(c->reason);
}

/* ---- Talking ---- */

uint32_t client_next_xid(struct client *c)
{
    return c->xid++;
}

void client_send(struct client *c, struct of_buf *buf)
{
    of_conn_send_buf(c->conn, buf);
}

/* One more than there were. */
static void wait_for_message(struct client *c)
{
    size_t n = c->inbox.n;
    while (c->inbox.n == n && !c->failed)
        loop_run_once(c->loop, -1);
    if (c->inbox.n == n)
        ofctl_fatal("%s: receive failed (%s)", c->target, c->reason);
}

/* Message I of the inbox. */
static uint8_t *take_message(struct client *c, size_t i, struct of_msg *msg)
{
    uint8_t *data = c->inbox.data[i];
    vec_remove(&c->inbox, i);
    if (of_msg_parse(data, get_be16(data + 2), msg))
        ofctl_fatal("%s: bad message received", c->target);
    return data;
}

uint8_t *client_receive(struct client *c, struct of_msg *msg)
{
    if (!c->inbox.n)
        wait_for_message(c);
    return take_message(c, 0, msg);
}

static void print_error(struct client *c UNUSED, const struct of_msg *msg)
{
    struct str s = STR_INIT;
    of_print(&s, msg, 2, NULL, NULL);
    fflush(stdout);
    fputs(str_c(&s), stderr);
    str_fini(&s);
}

/* One message with this xid. Others stay where they are: they may be the rest of a reply during which
 * somebody asks for a name. */
static uint8_t *receive_reply(struct client *c, uint32_t xid, struct of_msg *msg)
{
    size_t i = 0;
    while (i == c->inbox.n || get_be32(c->inbox.data[i] + 4) != xid) {
        if (i < c->inbox.n)
            i++;
        else
            wait_for_message(c);
    }
    return take_message(c, i, msg);
}

static void fail_on_error(struct client *c, const struct of_msg *msg)
{
    if (msg->type == OF_ERROR_MSG) {
        print_error(c, msg);
        exit(1);
    }
}

static void transact(struct client *c, struct of_buf *request, client_reply_fn *fn, void *aux,
                     bool errors)
{
    uint32_t xid = get_be32(request->data + 4);
    struct of_msg msg;
    bool more;
    client_send(c, request);
    do {
        uint8_t *data = receive_reply(c, xid, &msg);
        more = msg.flags & OF_MULTIPART_MORE;
        if (!errors)
            fail_on_error(c, &msg);
        fn(c, &msg, aux);
        free(data);
    } while (more);
}

void client_transact(struct client *c, struct of_buf *request, client_reply_fn *fn, void *aux)
{
    transact(c, request, fn, aux, false);
}

void client_ask(struct client *c, struct of_buf *request, client_reply_fn *fn, void *aux)
{
    transact(c, request, fn, aux, true);
}

void client_transact_noreply(struct client *c, struct of_buf *requests)
{
    uint32_t barrier = client_next_xid(c);
    struct of_msg msg;
    bool failed = false;
    of_simple_encode(OF_BARRIER_REQUEST, c->version, barrier, requests);
    client_send(c, requests);
    for (;;) {
        uint8_t *data = client_receive(c, &msg);
        bool done = msg.type == OF_BARRIER_REPLY && msg.xid == barrier;
        if (msg.type == OF_ERROR_MSG) {
            print_error(c, &msg);
            failed = true;
        }
        free(data);
        if (done)
            break;
    }
    if (failed)
        exit(1);
}

void client_prepare_10(struct client *c, bool nxm, bool table_ids)
{
    struct of_buf b = OF_BUF_INIT;
    if (c->version != OF10_VERSION)
        return;
    if (nxm) {
        of_nx_number_encode(OF_NX_SET_FLOW_FORMAT, 2, c->version, client_next_xid(c), &b);
        client_transact_noreply(c, &b);
    }
    if (table_ids) {
        of_nx_number_encode(OF_NX_FLOW_MOD_TABLE_ID, 1, c->version, client_next_xid(c), &b);
        client_transact_noreply(c, &b);
        c->table_ids = true;
    }
    of_buf_fini(&b);
}
