/* resume.c - actions that ask for an answer: the switch holds the rest of the packet's way until NXT_RESUME brings the packet back.
 *
 * Room 11 of docs/architecture.md. The userdata of such an action begins with the bit that takes the answer: an OXM header and the
 * number of the bit. Whatever happens, a packet that was paused goes on: changed with 1 in the bit, or as it was with 0.
 */
#include "controller/pinctrl/pinctrl.h"

enum { RESULT_LEN = 8 };

bool request_begin(struct pinctrl *p, const struct pinctrl_event *event, struct request *r)
{
    *r = (struct request){.event = event};
    if (event->n_args >= RESULT_LEN) {
        const struct field *f = field_find_header(get_be16(event->args), event->args[2] >> 1);
        uint32_t bit = get_be32(event->args + 4);
        if (f && f->writable && bit < f->n_bits) {
            r->bit = subfield_make(f->id, bit, 1);
            r->args = event->args + RESULT_LEN;
            r->n_args = event->n_args - RESULT_LEN;
            return true;
        }
    }
    request_refuse(p, r);
    return false;
}

static void resume(struct pinctrl *p, const struct request *r, bool answer, const void *packet,
                   size_t n)
{
    struct of_packet_in pin = *r->event->pin;
    if (!pin.continuation || !p->conn) {
        p->stats.malformed += !pin.continuation;
        return;
    }
    if (r->bit.n_bits) {
        key_set_bits(&pin.metadata.key, &r->bit, answer);
        match_set(&pin.metadata, r->bit.id, key_get(&pin.metadata.key, r->bit.id));
    }
    if (packet) {
        pin.packet = packet;
        pin.packet_len = n;
        pin.total_len = (uint32_t)n;
    }
    struct of_buf buf = OF_BUF_INIT;
    of_resume_encode(&pin, OF15_VERSION, of_conn_next_xid(p->conn), &buf);
    of_conn_send_buf(p->conn, &buf);
    of_buf_fini(&buf);
}

void request_answer(struct pinctrl *p, const struct request *r, const struct of_buf *packet)
{
    p->stats.answered++;
    resume(p, r, true, packet->data, packet->n);
}

void request_decline(struct pinctrl *p, const struct request *r)
{
    p->stats.unanswered++;
    resume(p, r, false, NULL, 0);
}

void request_refuse(struct pinctrl *p, const struct request *r)
{
    p->stats.malformed++;
    resume(p, r, false, NULL, 0);
}
