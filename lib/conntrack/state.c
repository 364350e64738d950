/* state.c - the state machine of a connection's protocol, whichever that is; TCP's and SCTP's are in files of their own. */
#include "conntrack/conn.h"

static enum ct_timeout timeout_of(const struct ct_conn *conn)
{
    uint8_t proto = conn->end[CT_ORIG].tuple.proto;
    if (proto == IP_PROTO_TCP)
        return tcp_timeout(conn);
    if (proto == IP_PROTO_SCTP)
        return sctp_timeout(conn);
    if (ct_proto_is_icmp(proto))
        return conn->replied ? CT_TIMEOUT_ICMP_REPLY : CT_TIMEOUT_ICMP_FIRST;
    return conn->replied ? CT_TIMEOUT_UDP_MULTIPLE
           : conn->state ? CT_TIMEOUT_UDP_SINGLE
                         : CT_TIMEOUT_UDP_FIRST;
}

enum ct_fit ct_state_update(struct conntrack *ct, struct ct_conn *conn, int dir,
                            const struct ct_packet *p, int64_t now_ms)
{
    enum ct_fit fit = CT_FITS;
    if (p->tuple.proto == IP_PROTO_TCP)
        fit = tcp_update(conn, dir, p, ct->liberal);
    else if (p->tuple.proto == IP_PROTO_SCTP)
        fit = sctp_update(conn, dir, p);
    else
        conn->state = 1;
    if (fit == CT_FITS) {
        conn->replied |= dir == CT_REPLY;
        ct_touch(ct, conn, timeout_of(conn), now_ms);
    }
    return fit;
}

bool ct_state_may_begin(const struct ct_packet *p)
{
    const uint8_t *l4 = p->outer.l4;
    if (p->is_error)
        return false;
    switch (p->tuple.proto) {
    case IP_PROTO_TCP: {
        uint16_t ctl = get_be16(l4 + offsetof(struct tcp_header, ctl));
        return !(ctl & TCP_RST) && (ctl & (TCP_SYN | TCP_ACK)) != (TCP_SYN | TCP_ACK);
    }
    case IP_PROTO_SCTP:
        return sctp_may_begin(p);
    case IP_PROTO_ICMP: /* a query, not an answer */
        return l4[0] == 8 || l4[0] == 13 || l4[0] == 15 || l4[0] == 17;
    case IP_PROTO_ICMPV6:
        return l4[0] == ICMP6_ECHO_REQUEST;
    default:
        return true;
    }
}

void ct_state_begin(struct ct_conn *conn, const struct ct_packet *p, int64_t now_ms)
{
    if (p->tuple.proto == IP_PROTO_TCP)
        tcp_begin(conn, p);
    else if (p->tuple.proto == IP_PROTO_SCTP)
        sctp_begin(conn, p);
    conn->expires_ms = now_ms + (int64_t)conn->zone->timeouts.seconds[timeout_of(conn)] * 1000;
}

const char *ct_state_name(const struct ct_conn *conn)
{
    switch (conn->end[CT_ORIG].tuple.proto) {
    case IP_PROTO_TCP:
        return tcp_merged_name(conn);
    case IP_PROTO_SCTP:
        return sctp_state_name(conn->state);
    default:
        return NULL;
    }
}
