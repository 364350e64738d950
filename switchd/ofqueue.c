/* ofqueue.c - what a bridge says of its queues: statistics, and what they are made for. */
#include <stdlib.h>

#include "openflow/queue.h"
#include "switchd/ofconn.h"

/* Calls FN for each queue that REQ names, in order. 0, or the error when it names what is not there. */
static int each_queue(struct bridge *br, const struct of_queue_request *req,
                      void (*fn)(void *aux, const struct vport *port, uint32_t id), void *aux)
{
    vport_vec ports = VEC_INIT;
    if (req->port != PORT_ANY && !bridge_port(br, req->port))
        return OF_ERR_QUEUE_BAD_PORT;
    bridge_ports_sorted(br, &ports);
    bool found = false;
    for (size_t i = 0; i < ports.n; i++) {
        const struct vport *port = ports.data[i];
        if (req->port != PORT_ANY && req->port != port->ofport)
            continue;
        for (size_t j = 0; j < port->qos.config.queues.n; j++) {
            uint32_t id = port->qos.config.queues.data[j].id;
            if (req->queue != OF_QUEUE_ALL && req->queue != id)
                continue;
            found = true;
            fn(aux, port, id);
        }
    }
    vec_fini(&ports);
    return found || req->queue == OF_QUEUE_ALL ? 0 : OF_ERR_QUEUE_BAD_QUEUE;
}

struct put {
    struct bridge *br;
    struct of_reply *reply;
    struct of_buf *out; /* of a QUEUE_GET_CONFIG */
    uint8_t version;
};

static void put_stats(void *put_, const struct vport *port, uint32_t id)
{
    struct put *p = put_;
    struct qos_stats s;
    if (!qos_queue_stats(&port->qos, id, &s))
        return;
    int64_t ms = env_now_ms(p->br->vs->env) - s.created_ms;
    struct of_queue_stats qs = {.port = port->ofport,
                                .queue = id,
                                .tx_bytes = s.bytes,
                                .tx_packets = s.packets,
                                .tx_errors = s.errors,
                                .duration_sec = (uint32_t)(ms / 1000),
                                .duration_nsec = (uint32_t)(ms % 1000 * 1000000)};
    of_queue_stats_put(p->reply, &qs);
}

int ofqueue_stats(struct bridge *br, const struct of_msg *msg, struct of_reply *reply)
{
    struct of_queue_request req;
    struct put put = {.br = br, .reply = reply};
    int err = of_queue_stats_request_decode(msg, &req);
    return err ? err : each_queue(br, &req, put_stats, &put);
}

/* In tenths of a per cent of what the port has. */
static uint16_t share(uint64_t rate, uint64_t of)
{
    return of ? (uint16_t)MIN(rate * 1000 / of, UINT64_C(1000)) : OF_QUEUE_RATE_UNKNOWN;
}

static void put_config(void *put_, const struct vport *port, uint32_t id)
{
    struct put *p = put_;
    const struct qos_queue *q = qos_queue(&port->qos, id);
    uint64_t all = qos_max_rate(&port->qos);
    struct of_queue_config qc = {.port = port->ofport,
                                 .queue = id,
                                 .min_rate = share(qos_queue_rate(&port->qos, q, false), all),
                                 .max_rate = share(qos_queue_rate(&port->qos, q, true), all)};
    struct of_buf one = OF_BUF_INIT;
    of_queue_config_put(&one, p->version, &qc);
    if (p->reply)
        of_reply_put(p->reply, one.data, one.n);
    else if (p->out->n + one.n < OF_MAX_LEN)
        of_buf_put(p->out, one.data, one.n);
    of_buf_fini(&one);
}

int ofqueue_desc(struct bridge *br, const struct of_msg *msg, struct of_reply *reply)
{
    struct of_queue_request req;
    struct put put = {.br = br, .reply = reply, .version = msg->version};
    int err = of_queue_config_request_decode(msg, &req);
    return err ? err : each_queue(br, &req, put_config, &put);
}

int ofqueue_get_config(struct ofconn *oc, const struct of_msg *msg, struct of_buf *out)
{
    struct of_queue_request req;
    struct put put = {.br = oc->of->br, .out = out, .version = msg->version};
    int err = of_queue_config_request_decode(msg, &req);
    if (err)
        return err;
    if (req.port == PORT_ANY && msg->version == OF10_VERSION)
        return OF_ERR_QUEUE_BAD_PORT;
    size_t start = of_queue_config_begin(req.port, msg, out);
    err = each_queue(oc->of->br, &req, put_config, &put);
    if (err)
        out->n = start;
    else
        of_end(out, start);
    return err;
}
