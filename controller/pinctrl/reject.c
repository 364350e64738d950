/* reject.c - opcode 22, reject { actions }: whatever refuses the packet in its own protocol: a TCP reset, an SCTP abort, an ICMP error.
 *
 * Room 11 of docs/architecture.md. Addresses are turned round here; the actions that came along say by which port it leaves.
 */
#include "controller/pinctrl/pinctrl.h"
#include "controller/pinctrl/refusal.h"

enum { HOST_UNREACHABLE = 1, PORT_UNREACHABLE = 3, PROHIBITED6 = 1, PORT_UNREACHABLE6 = 4 };

/* How F is refused by an ICMP error. */
static struct refusal unreachable(const struct frame *f)
{
    bool is_udp = f->key.nw_proto == IP_PROTO_UDP, is4 = frame_is_ip4(f);
    uint8_t code = is4 ? (is_udp ? PORT_UNREACHABLE : HOST_UNREACHABLE)
                       : (is_udp ? PORT_UNREACHABLE6 : PROHIBITED6);
    return (struct refusal){.is_turned = true, .code = code};
}

void reject_handle(struct pinctrl *p, const struct pinctrl_event *event)
{
    struct of_buf out = OF_BUF_INIT;
    struct frame f;
    frame_read(&f, event->pin->packet, event->pin->packet_len);
    struct refusal how = unreachable(&f);
    bool is_tcp = f.key.nw_proto == IP_PROTO_TCP && f.l4;
    bool is_sctp = f.key.nw_proto == IP_PROTO_SCTP && f.l4;
    bool is_made = is_tcp    ? tcp_reset_make(&f, &how, &out)
                   : is_sctp ? sctp_abort_make(&f, &how, &out)
                             : icmp_make(&f, &how, &out);
    if (!is_made)
        p->stats.unanswerable++;
    else if (is_tcp || is_sctp || icmp_admit(p, event->pin, &f, &how))
        pinctrl_send_nested(p, event, &out);
    of_buf_fini(&out);
}
