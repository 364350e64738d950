/* reject.c - opcode 22, reject { actions }: whatever refuses the packet in its own protocol: a TCP reset, an SCTP abort, an ICMP error.
 *
 * Room 11 of docs/architecture.md. Addresses are turned round here; the actions that came along say by which port it leaves.
 */
#include "controller/pinctrl/pinctrl.h"
#include "controller/pinctrl/refusal.h"

enum { HOST_UNREACHABLE = 1, PORT_UNREACHABLE = 3, PROHIBITED6 = 1, PORT_UNREACHABLE6 = 4 };

static bool refuse(const struct frame *f, struct of_buf *out)
{
    bool is_udp = f->key.nw_proto == IP_PROTO_UDP, is4 = frame_is_ip4(f);
    struct refusal how = {.is_turned = true};
    if (f->key.nw_proto == IP_PROTO_TCP && f->l4)
        return tcp_reset_make(f, &how, out);
    if (f->key.nw_proto == IP_PROTO_SCTP && f->l4)
        return sctp_abort_make(f, &how, out);
    if (is4)
        how.code = is_udp ? PORT_UNREACHABLE : HOST_UNREACHABLE;
    else
        how.code = is_udp ? PORT_UNREACHABLE6 : PROHIBITED6;
    return icmp_make(f, &how, out);
}

void reject_handle(struct pinctrl *p, const struct pinctrl_event *event)
{
    struct of_buf out = OF_BUF_INIT;
    struct frame f;
    frame_read(&f, event->pin->packet, event->pin->packet_len);
    if (refuse(&f, &out))
        pinctrl_send_nested(p, event, &out);
    else
        p->stats.unanswerable++;
    of_buf_fini(&out);
}
