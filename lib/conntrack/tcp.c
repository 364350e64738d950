/* tcp.c - TCP (RFC 9293): which state a connection is in, and whether a segment lies in the window.
 *
 * For each side: the end of what it sent, what the other side allowed, the largest window it offered. A segment of S to R fits
 * when (van Rooij, "Real Stateful TCP Packet Filtering", section 4)
 *
 *     end <= S.max_end                     it is not beyond what R allowed (a FIN may be, by itself)
 *     end >= S.end - R.max_win             it is no older than one window
 *     ack <= R.end                         it acknowledges nothing that R did not send
 *     ack >= R.end - max(66000, S.max_win)
 *
 * A connection that was under way before it was tracked is taken up, as one that is established: its next segment is, whichever way it goes.
 * Window scales are unknown then, and the largest is assumed.
 */
#include "conntrack/conn.h"

enum {
    ACK_SLACK = 66000,
    MAX_SCALE = 14,
    MAX_WINDOW = UINT16_MAX << MAX_SCALE,
    OPT_END = 0,
    OPT_NOP = 1,
    OPT_SCALE = 3
};

struct segment {
    uint16_t flags;
    uint32_t seq, ack, end, win; /* WIN is not scaled */
    bool has_scale;
    uint8_t scale;
};

static bool after(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) > 0;
}

static bool before(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) < 0;
}

bool tcp_flags_valid(uint16_t ctl)
{
    switch (ctl & (TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK)) {
    case TCP_SYN:
    case TCP_SYN | TCP_ACK:
    case TCP_RST:
    case TCP_RST | TCP_ACK:
    case TCP_ACK:
    case TCP_FIN | TCP_ACK:
        return true;
    default:
        return false;
    }
}

static void read_scale(const uint8_t *p, const uint8_t *end, struct segment *ret)
{
    while (p < end && *p != OPT_END) {
        if (*p == OPT_NOP) {
            p++;
            continue;
        }
        if (end - p < 2 || p[1] < 2 || p[1] > end - p)
            return;
        if (*p == OPT_SCALE && p[1] == 3) {
            ret->has_scale = true;
            ret->scale = MIN(p[2], MAX_SCALE);
        }
        p += p[1];
    }
}

/* ct_packet_parse has checked the lengths. */
static struct segment read_segment(const struct ct_packet *p)
{
    const struct tcp_header *tcp = (const void *)p->outer.l4;
    uint16_t ctl = get_be16(&tcp->ctl);
    uint32_t hlen = (ctl >> 12) * 4u;
    struct segment s = {.flags = ctl & TCP_FLAGS_MASK,
                        .seq = get_be32(&tcp->seq),
                        .ack = get_be32(&tcp->ack),
                        .win = get_be16(&tcp->window)};
    s.end = s.seq + (p->outer.l4_len - hlen) + (s.flags & TCP_SYN ? 1 : 0) +
            (s.flags & TCP_FIN ? 1 : 0);
    if (s.flags & TCP_SYN)
        read_scale(p->outer.l4 + TCP_HEADER_LEN, p->outer.l4 + hlen, &s);
    return s;
}

/* The first segment that S sends. */
static void side_begin(struct tcp_side *side, const struct segment *s)
{
    uint32_t max_end = side->max_end; /* what the other side said already */
    side->end = s->end;
    side->max_end = max_end && after(max_end, s->end) ? max_end : s->end;
    if (s->flags & TCP_SYN) {
        side->scaled = s->has_scale;
        side->scale = s->scale;
        side->max_win = MAX(s->win, 1u);
    } else {
        side->scale = MAX_SCALE;
        side->max_win = MAX(s->win << side->scale, 1u);
    }
    if (side->state == TCP_NONE) /* a reset stays one */
        side->state = s->flags & TCP_SYN ? TCP_SYN_SENT : TCP_OPEN;
}

void tcp_begin(struct ct_conn *conn, const struct ct_packet *p)
{
    struct segment s = read_segment(p);
    struct tcp_side *sender = &conn->tcp[CT_ORIG], *receiver = &conn->tcp[CT_REPLY];
    memset(conn->tcp, 0, sizeof conn->tcp);
    side_begin(sender, &s);
    if (s.flags & TCP_ACK) {
        receiver->end = s.ack;
        receiver->max_end = s.ack + sender->max_win;
    }
    if (!(s.flags & TCP_SYN)) {
        sender->max_end = s.end + MAX_WINDOW;
        receiver->state = TCP_OPEN;
        conn->replied = true;
    }
}

/* Whether S may be the first segment of a side, answering R. */
static bool answers(const struct segment *s, const struct tcp_side *r)
{
    return !(s->flags & TCP_ACK) || (!after(s->ack, r->end) && !before(s->ack, r->end - ACK_SLACK));
}

static bool in_window(const struct segment *s, const struct tcp_side *from,
                      const struct tcp_side *to)
{
    uint32_t last = s->end - (s->flags & TCP_FIN ? 1 : 0);
    if (after(last, from->max_end) || before(s->end, from->end - to->max_win))
        return false;
    return !(s->flags & TCP_ACK) ||
           (!after(s->ack, to->end) &&
            !before(s->ack, to->end - MAX(from->max_win, (uint32_t)ACK_SLACK)));
}

/* The same where TO may have said nothing yet: of a connection that was taken up no side may go beyond the largest window. */
static bool fits(const struct segment *s, const struct tcp_side *from, const struct tcp_side *to)
{
    return to->max_win ? in_window(s, from, to)
                       : to->state != TCP_OPEN || !after(s->end, from->max_end);
}

/* Records what an accepted segment says of windows. */
static void note_window(const struct segment *s, struct tcp_side *from, struct tcp_side *to)
{
    uint32_t win = s->flags & TCP_SYN ? s->win : s->win << from->scale;
    from->max_win = MAX(from->max_win, win);
    if (after(s->end, from->end))
        from->end = s->end;
    if (after(from->end, from->max_end)) /* only where sequence numbers are not checked */
        from->max_end = from->end;
    if (s->flags & TCP_ACK && (after(s->ack + MAX(win, 1u), to->max_end) || !to->max_end))
        to->max_end = s->ack + MAX(win, 1u);
}

static void note_state(const struct segment *s, struct tcp_side *from, struct tcp_side *to)
{
    if (s->flags & TCP_RST) {
        from->state = to->state = TCP_RESET;
        return;
    }
    if (s->flags & TCP_FIN && from->state < TCP_FIN_SENT)
        from->state = TCP_FIN_SENT;
    if (s->flags & TCP_ACK) {
        if (to->state == TCP_SYN_SENT)
            to->state = TCP_OPEN;
        else if (to->state == TCP_FIN_SENT && !before(s->ack, to->end))
            to->state = TCP_FIN_ACKED;
    }
}

/* Scales count only when both SYNs had them (RFC 7323 2.2). */
static void agree_scales(struct tcp_side *a, struct tcp_side *b)
{
    if (!a->scaled || !b->scaled)
        a->scale = b->scale = 0;
}

static bool is_over(const struct ct_conn *conn)
{
    return conn->tcp[0].state >= TCP_FIN_SENT && conn->tcp[1].state >= TCP_FIN_SENT;
}

enum ct_fit tcp_update(struct ct_conn *conn, int dir, const struct ct_packet *p, bool liberal)
{
    struct segment s = read_segment(p);
    struct tcp_side *from = &conn->tcp[dir], *to = &conn->tcp[!dir];
    s.ack = ct_seq_ack(conn, dir, s.ack);
    if ((s.flags & (TCP_SYN | TCP_ACK)) == TCP_SYN) {
        if (is_over(conn))
            return CT_RESTART;
        if (from->state == TCP_SYN_SENT && to->state == TCP_NONE) { /* again, perhaps another one */
            tcp_begin(conn, p);
            return CT_FITS;
        }
        if (from->state != TCP_NONE)
            return CT_FITS; /* its receiver's to answer (RFC 5961 4); nothing is learned from it */
    }
    if (!from->max_win) {
        if (!liberal && !answers(&s, to))
            return CT_MISFIT;
        if (s.flags & TCP_RST) { /* refused */
            from->state = to->state = TCP_RESET;
            return CT_FITS;
        }
        side_begin(from, &s);
        if (s.flags & TCP_SYN)
            agree_scales(from, to);
    } else if (!liberal && !fits(&s, from, to)) {
        return CT_MISFIT;
    }
    note_window(&s, from, to);
    note_state(&s, from, to);
    return CT_FITS;
}

enum ct_timeout tcp_timeout(const struct ct_conn *conn)
{
    uint8_t low = MIN(conn->tcp[0].state, conn->tcp[1].state);
    uint8_t high = MAX(conn->tcp[0].state, conn->tcp[1].state);
    if (high == TCP_RESET)
        return CT_TIMEOUT_TCP_CLOSE;
    if (high >= TCP_FIN_SENT)
        return low == TCP_FIN_ACKED   ? CT_TIMEOUT_TCP_TIME_WAIT
               : low == TCP_FIN_SENT  ? CT_TIMEOUT_TCP_LAST_ACK
               : high == TCP_FIN_SENT ? CT_TIMEOUT_TCP_FIN_WAIT
                                      : CT_TIMEOUT_TCP_CLOSE_WAIT;
    if (low == TCP_OPEN)
        return CT_TIMEOUT_TCP_ESTABLISHED;
    return high == TCP_OPEN      ? CT_TIMEOUT_TCP_SYN_RECV
           : low == TCP_SYN_SENT ? CT_TIMEOUT_TCP_SYN_SENT2
                                 : CT_TIMEOUT_TCP_SYN_SENT;
}

const char *tcp_merged_name(const struct ct_conn *conn)
{
    switch (tcp_timeout(conn)) {
    case CT_TIMEOUT_TCP_CLOSE:
    case CT_TIMEOUT_TCP_TIME_WAIT:
        return "TIME_WAIT";
    case CT_TIMEOUT_TCP_LAST_ACK:
        return "LAST_ACK";
    case CT_TIMEOUT_TCP_FIN_WAIT:
        return "FIN_WAIT_1";
    case CT_TIMEOUT_TCP_CLOSE_WAIT:
        return "CLOSE_WAIT";
    case CT_TIMEOUT_TCP_ESTABLISHED:
        return "ESTABLISHED";
    case CT_TIMEOUT_TCP_SYN_RECV:
        return "SYN_RECV";
    case CT_TIMEOUT_TCP_SYN_SENT2:
        return "SYN_SENT2";
    default:
        return "SYN_SENT";
    }
}

const char *tcp_side_name(const struct tcp_side *side)
{
    static const char *const names[] = {
        [TCP_NONE] = "CLOSED",      [TCP_SYN_SENT] = "SYN_SENT",    [TCP_OPEN] = "ESTABLISHED",
        [TCP_FIN_SENT] = "CLOSING", [TCP_FIN_ACKED] = "FIN_WAIT_2", [TCP_RESET] = "TIME_WAIT"};
    return names[side->state];
}
