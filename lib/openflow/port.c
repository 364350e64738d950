/* port.c - ports on the wire. */
#include "openflow/port.h"

enum {
    PORT10_LEN = 48,
    PORT13_LEN = 64,
    PORT14_LEN = 40,
    PROP_ETHERNET = 0,
    PROP_ETHERNET_LEN = 32
};
enum { STATS10_LEN = 104, STATS13_LEN = 112, STATS14_LEN = 80, STATS_PROP_LEN = 40 };

/* 1.0 has no bits for 40 Gb/s and more, so its media bits stand three to four lower. */
enum { PF10_SPEEDS = 0x7f, PF10_MEDIA_SHIFT = 4, PF_MEDIA = 0xf800, PF10_MEDIA = 0xf80 };

static uint32_t features_to_10(uint32_t f)
{
    return (f & PF10_SPEEDS) | (f & PF_MEDIA) >> PF10_MEDIA_SHIFT;
}

static uint32_t features_from_10(uint32_t f)
{
    return (f & PF10_SPEEDS) | (f & PF10_MEDIA) << PF10_MEDIA_SHIFT;
}

static void put_name(const struct of_port *port, struct of_buf *out)
{
    char name[OF_PORT_NAME_LEN];
    memset(name, 0, sizeof name);
    memcpy(name, port->name, strnlen(port->name, OF_PORT_NAME_LEN - 1));
    of_buf_put(out, name, sizeof name);
}

static void get_name(struct of_port *port, const uint8_t *p)
{
    memcpy(port->name, p, OF_PORT_NAME_LEN);
    port->name[OF_PORT_NAME_LEN] = '\0';
}

static void put_features(const struct of_port *port, struct of_buf *out)
{
    of_buf_put32(out, port->current);
    of_buf_put32(out, port->advertised);
    of_buf_put32(out, port->supported);
    of_buf_put32(out, port->peer);
    of_buf_put32(out, port->current_speed);
    of_buf_put32(out, port->max_speed);
}

static void get_features(struct of_port *port, const uint8_t *p)
{
    port->current = get_be32(p);
    port->advertised = get_be32(p + 4);
    port->supported = get_be32(p + 8);
    port->peer = get_be32(p + 12);
    port->current_speed = get_be32(p + 16);
    port->max_speed = get_be32(p + 20);
}

static const uint32_t config_11 =
    OF_PC_PORT_DOWN | OF_PC_NO_RECV | OF_PC_NO_FWD | OF_PC_NO_PACKET_IN;

void of_port_put(const struct of_port *port, uint8_t version, struct of_buf *out)
{
    if (version == OF10_VERSION) {
        of_buf_put16(out, port_to_16(port->number));
        of_buf_put(out, &port->mac, 6);
        put_name(port, out);
        of_buf_put32(out, port->config);
        of_buf_put32(out, port->state & OF_PS_LINK_DOWN);
        of_buf_put32(out, features_to_10(port->current));
        of_buf_put32(out, features_to_10(port->advertised));
        of_buf_put32(out, features_to_10(port->supported));
        of_buf_put32(out, features_to_10(port->peer));
        return;
    }
    bool props = version >= OF14_VERSION;
    of_buf_put32(out, port->number);
    of_buf_put16(out, props ? PORT14_LEN + PROP_ETHERNET_LEN : 0);
    of_buf_put16(out, 0);
    of_buf_put(out, &port->mac, 6);
    of_buf_put16(out, 0);
    put_name(port, out);
    of_buf_put32(out, port->config & config_11);
    of_buf_put32(out, port->state);
    if (props) {
        of_buf_put16(out, PROP_ETHERNET);
        of_buf_put16(out, PROP_ETHERNET_LEN);
        of_buf_put32(out, 0);
    }
    put_features(port, out);
}

static int next_14(const uint8_t *p, size_t left, size_t *len, struct of_port *ret)
{
    if (left < PORT14_LEN)
        return -OF_ERR_BAD_LEN;
    *len = get_be16(p + 4);
    if (*len < PORT14_LEN || *len > left)
        return -OF_ERR_BAD_LEN;
    for (const uint8_t *x = p + PORT14_LEN, *end = p + *len; x < end;) {
        size_t n = end - x < 4 ? 0 : get_be16(x + 2), padded = ROUND_UP(n, 8);
        if (n < 4 || padded > (size_t)(end - x))
            return -OF_ERR_PROP_BAD_LEN;
        if (get_be16(x) == PROP_ETHERNET) {
            if (n != PROP_ETHERNET_LEN)
                return -OF_ERR_PROP_BAD_LEN;
            get_features(ret, x + 8);
        }
        x += padded;
    }
    return 0;
}

int of_port_next(const void *data, size_t n, uint8_t version, size_t *ofs, struct of_port *ret)
{
    memset(ret, 0, sizeof *ret);
    if (*ofs >= n)
        return 0;
    const uint8_t *p = (const uint8_t *)data + *ofs;
    size_t left = n - *ofs, len = PORT10_LEN;
    if (version == OF10_VERSION) {
        if (left < PORT10_LEN)
            return -OF_ERR_BAD_LEN;
        ret->number = port_from_16(get_be16(p));
        memcpy(&ret->mac, p + 2, 6);
        get_name(ret, p + 8);
        ret->config = get_be32(p + 24);
        ret->state = get_be32(p + 28) & OF_PS_LINK_DOWN;
        ret->current = features_from_10(get_be32(p + 32));
        ret->advertised = features_from_10(get_be32(p + 36));
        ret->supported = features_from_10(get_be32(p + 40));
        ret->peer = features_from_10(get_be32(p + 44));
        *ofs += len;
        return 1;
    }
    if (version < OF14_VERSION) {
        len = PORT13_LEN;
        if (left < len)
            return -OF_ERR_BAD_LEN;
        get_features(ret, p + 40);
    } else {
        int err = next_14(p, left, &len, ret);
        if (err)
            return err;
    }
    ret->number = get_be32(p);
    memcpy(&ret->mac, p + 8, 6);
    get_name(ret, p + 16);
    ret->config = get_be32(p + 32);
    ret->state = get_be32(p + 36);
    *ofs += len;
    return 1;
}

/* ---- PORT_DESC, PORT_STATUS, PORT_MOD ---- */

void of_port_desc_request_encode(uint32_t port, uint8_t version, uint32_t xid, struct of_buf *out)
{
    size_t start = of_begin(out, version, OF_PORT_DESC_REQUEST, xid);
    if (version >= OF15_VERSION) {
        of_buf_put32(out, port);
        of_buf_put32(out, 0);
    }
    of_end(out, start);
}

int of_port_desc_request_decode(const struct of_msg *msg, uint32_t *port)
{
    *port = PORT_ANY;
    if (msg->version >= OF15_VERSION) {
        if (msg->body_len < 8)
            return OF_ERR_BAD_LEN;
        *port = get_be32(msg->body);
    }
    return 0;
}

void of_port_desc_put(struct of_reply *reply, const struct of_port *port)
{
    struct of_buf b = OF_BUF_INIT;
    of_port_put(port, reply->version, &b);
    of_reply_put(reply, b.data, b.n);
    of_buf_fini(&b);
}

void of_port_status_encode(const struct of_port_status *ps, uint8_t version, struct of_buf *out)
{
    size_t start = of_begin(out, version, OF_PORT_STATUS, 0);
    of_buf_put8(out, (uint8_t)ps->reason);
    of_buf_put(out, NULL, 7);
    of_port_put(&ps->port, version, out);
    of_end(out, start);
}

int of_port_status_decode(const struct of_msg *msg, struct of_port_status *ret)
{
    size_t ofs = 8;
    if (msg->body_len < 8 || msg->body[0] > OF_PORT_MODIFY)
        return OF_ERR_BAD_LEN;
    ret->reason = msg->body[0];
    int more = of_port_next(msg->body, msg->body_len, msg->version, &ofs, &ret->port);
    return more < 0 ? -more : more == 0 ? OF_ERR_BAD_LEN : 0;
}

void of_port_mod_encode(const struct of_port_mod *pm, uint8_t version, uint32_t xid,
                        struct of_buf *out)
{
    size_t start = of_begin(out, version, OF_PORT_MOD, xid);
    if (version == OF10_VERSION) {
        of_buf_put16(out, port_to_16(pm->number));
        of_buf_put(out, &pm->mac, 6);
    } else {
        of_buf_put32(out, pm->number);
        of_buf_put32(out, 0);
        of_buf_put(out, &pm->mac, 6);
        of_buf_put16(out, 0);
    }
    bool v11 = version > OF10_VERSION;
    of_buf_put32(out, v11 ? pm->config & config_11 : pm->config);
    of_buf_put32(out, v11 ? pm->mask & config_11 : pm->mask);
    if (version < OF14_VERSION) {
        of_buf_put32(out, version == OF10_VERSION ? features_to_10(pm->advertise) : pm->advertise);
        of_buf_put32(out, 0);
    } else if (pm->advertise) {
        of_buf_put16(out, PROP_ETHERNET);
        of_buf_put16(out, 8);
        of_buf_put32(out, pm->advertise);
    }
    of_end(out, start);
}

int of_port_mod_decode(const struct of_msg *msg, struct of_port_mod *ret)
{
    const uint8_t *p = msg->body;
    size_t n = msg->body_len;
    memset(ret, 0, sizeof *ret);
    if (n < 24)
        return OF_ERR_BAD_LEN;
    if (msg->version == OF10_VERSION) {
        ret->number = port_from_16(get_be16(p));
        memcpy(&ret->mac, p + 2, 6);
        p += 8;
    } else {
        ret->number = get_be32(p);
        memcpy(&ret->mac, p + 8, 6);
        p += 16;
    }
    n -= (size_t)(p - msg->body);
    if (n < 8)
        return OF_ERR_BAD_LEN;
    ret->config = get_be32(p);
    ret->mask = get_be32(p + 4);
    if (msg->version < OF14_VERSION) {
        if (n < 12)
            return OF_ERR_BAD_LEN;
        ret->advertise =
            msg->version == OF10_VERSION ? features_from_10(get_be32(p + 8)) : get_be32(p + 8);
    } else if (n >= 16 && get_be16(p + 8) == PROP_ETHERNET) {
        ret->advertise = get_be32(p + 12);
    }
    ret->config &= ret->mask;
    return 0;
}

/* ---- Statistics ---- */

void of_port_stats_request_encode(uint32_t port, uint8_t version, uint32_t xid, struct of_buf *out)
{
    size_t start = of_begin(out, version, OF_PORT_STATS_REQUEST, xid);
    if (version == OF10_VERSION) {
        of_buf_put16(out, port_to_16(port));
        of_buf_put(out, NULL, 6);
    } else {
        of_buf_put32(out, port);
        of_buf_put32(out, 0);
    }
    of_end(out, start);
}

int of_port_stats_request_decode(const struct of_msg *msg, uint32_t *port)
{
    if (msg->body_len < 8)
        return OF_ERR_BAD_LEN;
    *port = msg->version == OF10_VERSION ? port_from_16(get_be16(msg->body)) : get_be32(msg->body);
    return 0;
}

static void put_counters(const struct of_port_stats *ps, struct of_buf *b)
{
    of_buf_put64(b, ps->rx_packets);
    of_buf_put64(b, ps->tx_packets);
    of_buf_put64(b, ps->rx_bytes);
    of_buf_put64(b, ps->tx_bytes);
    of_buf_put64(b, ps->rx_dropped);
    of_buf_put64(b, ps->tx_dropped);
    of_buf_put64(b, ps->rx_errors);
    of_buf_put64(b, ps->tx_errors);
}

static void put_ethernet(const struct of_port_stats *ps, struct of_buf *b)
{
    of_buf_put64(b, ps->rx_frame_err);
    of_buf_put64(b, ps->rx_over_err);
    of_buf_put64(b, ps->rx_crc_err);
    of_buf_put64(b, ps->collisions);
}

void of_port_stats_put(struct of_reply *reply, const struct of_port_stats *ps)
{
    struct of_buf b = OF_BUF_INIT;
    if (reply->version >= OF14_VERSION) {
        of_buf_put16(&b, STATS14_LEN + STATS_PROP_LEN);
        of_buf_put16(&b, 0);
        of_buf_put32(&b, ps->number);
        of_buf_put32(&b, ps->duration_sec);
        of_buf_put32(&b, ps->duration_nsec);
        put_counters(ps, &b);
        of_buf_put16(&b, PROP_ETHERNET);
        of_buf_put16(&b, STATS_PROP_LEN);
        of_buf_put32(&b, 0);
        put_ethernet(ps, &b);
    } else {
        if (reply->version == OF10_VERSION) {
            of_buf_put16(&b, port_to_16(ps->number));
            of_buf_put(&b, NULL, 6);
        } else {
            of_buf_put32(&b, ps->number);
            of_buf_put32(&b, 0);
        }
        put_counters(ps, &b);
        put_ethernet(ps, &b);
        if (reply->version == OF13_VERSION) {
            of_buf_put32(&b, ps->duration_sec);
            of_buf_put32(&b, ps->duration_nsec);
        }
    }
    of_reply_put(reply, b.data, b.n);
    of_buf_fini(&b);
}

static void get_counters(struct of_port_stats *ps, const uint8_t *p)
{
    ps->rx_packets = get_be64(p);
    ps->tx_packets = get_be64(p + 8);
    ps->rx_bytes = get_be64(p + 16);
    ps->tx_bytes = get_be64(p + 24);
    ps->rx_dropped = get_be64(p + 32);
    ps->tx_dropped = get_be64(p + 40);
    ps->rx_errors = get_be64(p + 48);
    ps->tx_errors = get_be64(p + 56);
}

static void get_ethernet(struct of_port_stats *ps, const uint8_t *p)
{
    ps->rx_frame_err = get_be64(p);
    ps->rx_over_err = get_be64(p + 8);
    ps->rx_crc_err = get_be64(p + 16);
    ps->collisions = get_be64(p + 24);
}

static int stats_next_14(const uint8_t *p, size_t left, size_t *len, struct of_port_stats *ret)
{
    *len = left < STATS14_LEN ? 0 : get_be16(p);
    if (*len < STATS14_LEN || *len > left)
        return -OF_ERR_BAD_LEN;
    ret->number = get_be32(p + 4);
    ret->duration_sec = get_be32(p + 8);
    ret->duration_nsec = get_be32(p + 12);
    get_counters(ret, p + 16);
    ret->rx_frame_err = ret->rx_over_err = ret->rx_crc_err = ret->collisions = OF_STAT_UNKNOWN;
    for (const uint8_t *x = p + STATS14_LEN, *end = p + *len; x < end;) {
        size_t n = end - x < 4 ? 0 : get_be16(x + 2), padded = ROUND_UP(n, 8);
        if (n < 4 || padded > (size_t)(end - x))
            return -OF_ERR_PROP_BAD_LEN;
        if (get_be16(x) == PROP_ETHERNET && n == STATS_PROP_LEN)
            get_ethernet(ret, x + 8);
        x += padded;
    }
    return 1;
}

int of_port_stats_next(const struct of_msg *msg, size_t *ofs, struct of_port_stats *ret)
{
    memset(ret, 0, sizeof *ret);
    ret->duration_sec = ret->duration_nsec = UINT32_MAX;
    if (*ofs >= msg->body_len)
        return 0;
    const uint8_t *p = msg->body + *ofs;
    size_t left = msg->body_len - *ofs, len;
    if (msg->version >= OF14_VERSION) {
        int r = stats_next_14(p, left, &len, ret);
        *ofs += len;
        return r;
    }
    len = msg->version == OF13_VERSION ? STATS13_LEN : STATS10_LEN;
    if (left < len)
        return -OF_ERR_BAD_LEN;
    ret->number = msg->version == OF10_VERSION ? port_from_16(get_be16(p)) : get_be32(p);
    get_counters(ret, p + 8);
    get_ethernet(ret, p + 72);
    if (len == STATS13_LEN) {
        ret->duration_sec = get_be32(p + 104);
        ret->duration_nsec = get_be32(p + 108);
    }
    *ofs += len;
    return 1;
}
