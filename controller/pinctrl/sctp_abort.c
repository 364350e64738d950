/* sctp_abort.c - opcode 24, sctp_abort { actions }: an ABORT in place of an SCTP packet (RFC 9260 8.4).
 *
 * Room 11 of docs/architecture.md. To an INIT it carries the tag that the INIT offers, to anything else the packet's own, and says so
 * by the T bit. Aborts, and what ends an association anyway, are not answered.
 */
#include "controller/pinctrl/pinctrl.h"
#include "controller/pinctrl/refusal.h"

enum { INIT = 1, ABORT = 6, COOKIE_ECHO_ERROR = 9, SHUTDOWN_COMPLETE = 14, CHUNK_HEAD = 4 };

bool sctp_abort_make(const struct frame *f, const struct refusal *how, struct of_buf *out)
{
    struct sctp_header sctp;
    if (!f->l4 || f->key.nw_proto != IP_PROTO_SCTP || f->l4_len < sizeof sctp + CHUNK_HEAD)
        return false;
    memcpy(&sctp, f->l4, sizeof sctp);
    const uint8_t *chunk = f->l4 + sizeof sctp;
    bool is_init = chunk[0] == INIT;
    be32 tag = sctp.vtag;
    if (chunk[0] == ABORT || chunk[0] == COOKIE_ECHO_ERROR || chunk[0] == SHUTDOWN_COMPLETE)
        return false;
    if (is_init) {
        if (f->l4_len < sizeof sctp + CHUNK_HEAD + sizeof tag)
            return false;
        memcpy(&tag, chunk + CHUNK_HEAD, sizeof tag);
        if (!tag)
            return false;
    }
    const uint8_t abort_chunk[CHUNK_HEAD] = {ABORT, !is_init, 0, CHUNK_HEAD};
    struct sctp_header header = {.src = sctp.dst, .dst = sctp.src, .vtag = tag};
    size_t l3 = refusal_put_headers(out, f, how->is_turned, IP_PROTO_SCTP, IP_PROTO_SCTP);
    of_buf_put(out, &header, sizeof header);
    of_buf_put(out, abort_chunk, sizeof abort_chunk);
    frame_end(out, l3);
    return true;
}

void sctp_abort_handle(struct pinctrl *p, const struct pinctrl_event *event)
{
    static const struct refusal how = {.is_turned = false};
    struct of_buf out = OF_BUF_INIT;
    struct frame f;
    frame_read(&f, event->pin->packet, event->pin->packet_len);
    if (sctp_abort_make(&f, &how, &out))
        pinctrl_send_nested(p, event, &out);
    else
        p->stats.unanswerable++;
    of_buf_fini(&out);
}
