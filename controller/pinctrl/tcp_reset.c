/* tcp_reset.c - opcode 11, tcp_reset { actions }: a reset in place of a TCP segment (RFC 9293 3.5.2).
 *
 * Room 11 of docs/architecture.md. Its ports are turned round; the actions that came along turn the addresses. A reset is not answered.
 */
#include "controller/pinctrl/pinctrl.h"
#include "controller/pinctrl/refusal.h"

bool tcp_reset_make(const struct frame *f, const struct refusal *how, struct of_buf *out)
{
    struct tcp_header tcp;
    if (!f->l4 || f->key.nw_proto != IP_PROTO_TCP || f->l4_len < sizeof tcp)
        return false;
    memcpy(&tcp, f->l4, sizeof tcp);
    uint16_t ctl = swap16(tcp.ctl);
    size_t header = (ctl >> 12) * 4u;
    if (ctl & TCP_RST || header < sizeof tcp || header > f->l4_len)
        return false;
    struct tcp_header reset = {.src = tcp.dst, .dst = tcp.src};
    uint16_t flags = TCP_RST;
    if (ctl & TCP_ACK) {
        reset.seq = tcp.ack;
    } else {
        uint32_t len = (uint32_t)(f->l4_len - header) + !!(ctl & TCP_SYN) + !!(ctl & TCP_FIN);
        reset.ack = swap32(swap32(tcp.seq) + len);
        flags |= TCP_ACK;
    }
    reset.ctl = swap16((uint16_t)(sizeof reset / 4 << 12 | flags));
    size_t l3 = refusal_put_headers(out, f, how->is_turned, IP_PROTO_TCP, IP_PROTO_TCP);
    of_buf_put(out, &reset, sizeof reset);
    frame_end(out, l3);
    return true;
}

void tcp_reset_handle(struct pinctrl *p, const struct pinctrl_event *event)
{
    static const struct refusal how = {.is_turned = false};
    struct of_buf out = OF_BUF_INIT;
    struct frame f;
    frame_read(&f, event->pin->packet, event->pin->packet_len);
    if (tcp_reset_make(&f, &how, &out))
        pinctrl_send_nested(p, event, &out);
    else
        p->stats.unanswerable++;
    of_buf_fini(&out);
}
