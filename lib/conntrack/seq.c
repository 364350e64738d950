/* seq.c - sequence numbers of a TCP connection in whose text a helper has put a longer or shorter address: what one side sends is
 * shifted from there on, and what the other acknowledges shifted back (RFC 9293 3.4; RFC 2018 for the selective ones).
 *
 * The tracker itself counts in each side's own numbers: packets are judged before they are shifted, their acknowledgments as if they
 * had been shifted back. Of each side two shifts are remembered, before and behind the last change, since one change at a time is
 * on its way: a command is answered before the next.
 */
#include <stdlib.h>
#include <string.h>

#include "conntrack/conn.h"
#include "flow/rewrite.h"
#include "net/headers.h"

enum { OPT_END = 0, OPT_NOP = 1, OPT_SACK = 5 };

static bool is_after(uint32_t a, uint32_t b)
{
    return (int32_t)(a - b) > 0;
}

static uint32_t shift_of(const struct ct_seq_side *s, uint32_t seq)
{
    return is_after(seq, s->at) ? s->behind : s->before;
}

/* What a number that the peer of S has seen was when S sent it. */
static uint32_t unshift(const struct ct_seq_side *s, uint32_t seq)
{
    return is_after(seq - s->before, s->at) ? seq - s->behind : seq - s->before;
}

void ct_seq_note(struct ct_conn *conn, int dir, uint32_t seq, int32_t delta)
{
    if (!conn->seq && !delta)
        return;
    if (!conn->seq)
        conn->seq = NEW(struct ct_seq);
    struct ct_seq_side *s = &conn->seq->side[dir];
    if (s->used && !is_after(seq, s->at))
        return; /* sent again, and changed again */
    s->before = s->behind;
    s->behind += (uint32_t)delta;
    s->at = seq;
    s->used = true;
}

uint32_t ct_seq_ack(const struct ct_conn *conn, int dir, uint32_t ack)
{
    return conn->seq ? unshift(&conn->seq->side[!dir], ack) : ack;
}

/* Selective acknowledgments among the N bytes of options at P. */
static void unshift_sack(const struct ct_seq_side *s, uint8_t *p, size_t n)
{
    while (n && *p != OPT_END) {
        size_t len = *p == OPT_NOP ? 1 : n >= 2 ? p[1] : 0;
        if (!len || len > n || (*p != OPT_NOP && len < 2))
            return;
        for (size_t i = 2; *p == OPT_SACK && i + 4 <= len; i += 4)
            put_be32(p + i, unshift(s, get_be32(p + i)));
        p += len;
        n -= len;
    }
}

void ct_seq_apply(const struct ct_conn *conn, int dir, struct ct_packet *p)
{
    if (!conn->seq || p->tuple.proto != IP_PROTO_TCP || p->is_error)
        return;
    struct tcp_header *tcp = (void *)p->outer.l4;
    uint16_t ctl = get_be16(&tcp->ctl);
    put_be32(&tcp->seq, get_be32(&tcp->seq) + shift_of(&conn->seq->side[dir], get_be32(&tcp->seq)));
    if (ctl & TCP_ACK) {
        const struct ct_seq_side *peer = &conn->seq->side[!dir];
        put_be32(&tcp->ack, unshift(peer, get_be32(&tcp->ack)));
        size_t hlen = (ctl >> 12) * 4u;
        if (peer->used && hlen > TCP_HEADER_LEN && hlen <= p->outer.l4_len)
            unshift_sack(peer, p->outer.l4 + TCP_HEADER_LEN, hlen - TCP_HEADER_LEN);
    }
    packet_finish_checksum(p->packet);
}
