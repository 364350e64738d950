/* queue.c - see queue.h. */
#include "openflow/queue.h"

enum { PROP_MIN_RATE = 1, PROP_MAX_RATE = 2, OFPP10_ALL = 0xfffc };

/* ---- requests ---- */

static void put_port(uint32_t port, uint8_t version, struct of_buf *out)
{
    if (version == OF10_VERSION) {
        of_buf_put16(out, port == PORT_ANY ? OFPP10_ALL : port_to_16(port));
        of_buf_put16(out, 0);
    } else {
        of_buf_put32(out, port);
    }
}

static uint32_t get_port(const uint8_t *p, uint8_t version)
{
    if (version != OF10_VERSION)
        return get_be32(p);
    return get_be16(p) == OFPP10_ALL ? PORT_ANY : port_from_16(get_be16(p));
}

void of_queue_stats_request_encode(const struct of_queue_request *req, uint8_t version,
                                   uint32_t xid, struct of_buf *out)
{
    size_t start = of_begin(out, version, OF_QUEUE_STATS_REQUEST, xid);
    put_port(req->port, version, out);
    of_buf_put32(out, req->queue);
    of_end(out, start);
}

int of_queue_stats_request_decode(const struct of_msg *msg, struct of_queue_request *ret)
{
    if (msg->body_len < 8)
        return OF_ERR_BAD_LEN;
    ret->port = get_port(msg->body, msg->version);
    ret->queue = get_be32(msg->body + 4);
    return 0;
}

void of_queue_config_request_encode(const struct of_queue_request *req, uint8_t version,
                                    uint32_t xid, struct of_buf *out)
{
    bool desc = version >= OF14_VERSION;
    size_t start =
        of_begin(out, version, desc ? OF_QUEUE_DESC_REQUEST : OF_QUEUE_GET_CONFIG_REQUEST, xid);
    put_port(req->port, version, out);
    if (version != OF10_VERSION)
        of_buf_put32(out, desc ? req->queue : 0);
    of_end(out, start);
}

int of_queue_config_request_decode(const struct of_msg *msg, struct of_queue_request *ret)
{
    bool desc = msg->type == OF_QUEUE_DESC_REQUEST;
    if (msg->body_len < (msg->version == OF10_VERSION ? 4u : 8u))
        return OF_ERR_BAD_LEN;
    ret->port = get_port(msg->body, msg->version);
    ret->queue = desc ? get_be32(msg->body + 4) : OF_QUEUE_ALL;
    return 0;
}

/* ---- statistics ---- */

void of_queue_stats_put(struct of_reply *reply, const struct of_queue_stats *qs)
{
    struct of_buf b = OF_BUF_INIT;
    if (reply->version >= OF14_VERSION) {
        of_buf_put16(&b, 48);
        of_buf_put(&b, NULL, 6);
    }
    put_port(qs->port, reply->version, &b);
    of_buf_put32(&b, qs->queue);
    of_buf_put64(&b, qs->tx_bytes);
    of_buf_put64(&b, qs->tx_packets);
    of_buf_put64(&b, qs->tx_errors);
    if (reply->version >= OF13_VERSION) {
        of_buf_put32(&b, qs->duration_sec);
        of_buf_put32(&b, qs->duration_nsec);
    }
    of_reply_put(reply, b.data, b.n);
    of_buf_fini(&b);
}

int of_queue_stats_next(const struct of_msg *msg, size_t *ofs, struct of_queue_stats *ret)
{
    size_t left = msg->body_len - *ofs;
    size_t head = msg->version >= OF14_VERSION ? 8 : 0;
    size_t n = msg->version < OF13_VERSION ? 32 : head + 40;
    if (!left)
        return 0;
    const uint8_t *p = msg->body + *ofs;
    size_t len = head && left >= 2 ? get_be16(p) : n;
    if (left < n || len < n || len > left || len % 8)
        return -OF_ERR_BAD_LEN;
    *ofs += len;
    p += head;
    *ret = (struct of_queue_stats){.port = get_port(p, msg->version),
                                   .queue = get_be32(p + 4),
                                   .tx_bytes = get_be64(p + 8),
                                   .tx_packets = get_be64(p + 16),
                                   .tx_errors = get_be64(p + 24),
                                   .duration_sec = UINT32_MAX,
                                   .duration_nsec = UINT32_MAX};
    if (msg->version >= OF13_VERSION) {
        ret->duration_sec = get_be32(p + 32);
        ret->duration_nsec = get_be32(p + 36);
    }
    return 1;
}

/* ---- configuration ---- */

size_t of_queue_config_begin(uint32_t port, const struct of_msg *request, struct of_buf *out)
{
    size_t start = of_begin(out, request->version, OF_QUEUE_GET_CONFIG_REPLY, request->xid);
    put_port(port, request->version, out);
    of_buf_put32(out, 0);
    return start;
}

/* Bytes in front of the properties. */
static size_t config_head(uint8_t version)
{
    return version == OF10_VERSION ? 8 : 16;
}

static void put_rate(struct of_buf *out, uint8_t version, uint16_t type, uint16_t rate)
{
    if (rate == OF_QUEUE_RATE_UNKNOWN || (version == OF10_VERSION && type == PROP_MAX_RATE))
        return;
    bool long_form = version < OF14_VERSION;
    of_buf_put16(out, type);
    of_buf_put16(out, long_form ? 16 : 8);
    of_buf_put(out, NULL, long_form ? 4 : 0);
    of_buf_put16(out, rate);
    of_buf_put(out, NULL, long_form ? 6 : 2);
}

void of_queue_config_put(struct of_buf *out, uint8_t version, const struct of_queue_config *qc)
{
    size_t start = out->n;
    if (version >= OF14_VERSION) {
        of_buf_put32(out, qc->port);
        of_buf_put32(out, qc->queue);
    } else {
        of_buf_put32(out, qc->queue);
        if (version != OF10_VERSION)
            of_buf_put32(out, qc->port);
    }
    size_t len_at = out->n;
    of_buf_put16(out, 0);
    of_buf_put(out, NULL, version == OF10_VERSION ? 2 : 6);
    put_rate(out, version, PROP_MIN_RATE, qc->min_rate);
    put_rate(out, version, PROP_MAX_RATE, qc->max_rate);
    put_be16(out->data + len_at, (uint16_t)(out->n - start));
}

static int read_rates(const uint8_t *p, size_t n, uint8_t version, struct of_queue_config *ret)
{
    size_t at = version < OF14_VERSION ? 8 : 4;
    while (n) {
        size_t len = n >= 4 ? get_be16(p + 2) : 0;
        if (len < 4 || len > n)
            return OF_ERR_BAD_LEN;
        uint16_t type = get_be16(p);
        if (len >= at + 2 && type == PROP_MIN_RATE)
            ret->min_rate = get_be16(p + at);
        else if (len >= at + 2 && type == PROP_MAX_RATE)
            ret->max_rate = get_be16(p + at);
        len = MIN(ROUND_UP(len, (size_t)8), n);
        p += len;
        n -= len;
    }
    return 0;
}

int of_queue_config_next(const struct of_msg *msg, size_t *ofs, struct of_queue_config *ret)
{
    bool desc = msg->type == OF_QUEUE_DESC_REPLY;
    uint32_t port = PORT_ANY;
    if (!desc) {
        if (msg->body_len < 8)
            return -OF_ERR_BAD_LEN;
        port = get_port(msg->body, msg->version);
        *ofs = MAX(*ofs, (size_t)8);
    }
    size_t left = msg->body_len - *ofs, head = config_head(msg->version);
    if (!left)
        return 0;
    const uint8_t *p = msg->body + *ofs;
    size_t len = left >= head ? get_be16(p + (head == 8 ? 4 : 8)) : 0;
    if (len < head || len > left)
        return -OF_ERR_BAD_LEN;
    *ofs += len;
    *ret = (struct of_queue_config){.port = desc ? get_be32(p) : port,
                                    .queue = get_be32(p + (desc ? 4 : 0)),
                                    .min_rate = OF_QUEUE_RATE_UNKNOWN,
                                    .max_rate = OF_QUEUE_RATE_UNKNOWN};
    int err = read_rates(p + head, len - head, msg->version, ret);
    return err ? -err : 1;
}
