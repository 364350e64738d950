/* action_encode.h - what the files that encode actions share: where they go, and the frame of one action. */
#pragma once

#include "net/headers.h"
#include "openflow/action_wire.h"
#include "openflow/actions.h"
#include "openflow/oxm.h"
#include "openflow/packet_io.h"

struct encoder {
    struct of_buf *out;
    uint8_t version;
};

/* An action begins, its body is put, and it ends, padded, with its length in its head. */

static inline size_t frame_begin(struct encoder *e, uint16_t type)
{
    size_t start = e->out->n;
    of_buf_put16(e->out, type);
    of_buf_put16(e->out, 0);
    return start;
}

static inline size_t frame_begin_nx(struct encoder *e, uint16_t subtype)
{
    size_t start = frame_begin(e, AT_EXPERIMENTER);
    of_buf_put32(e->out, OF_VENDOR_NX);
    of_buf_put16(e->out, subtype);
    return start;
}

static inline void frame_end(struct encoder *e, size_t start)
{
    of_buf_pad(e->out, start, 8);
    put_be16(e->out->data + start + 2, (uint16_t)(e->out->n - start));
}

static inline void frame_zeros(struct encoder *e, size_t n)
{
    of_buf_put(e->out, NULL, n);
}

static inline uint16_t frame_ofs_nbits(const struct subfield *sub)
{
    return (uint16_t)(sub->ofs << 6 | (sub->n_bits - 1));
}

/* Most of Nicira's actions name fields by Nicira's headers, where there are any. */
static inline void frame_header(struct encoder *e, enum field_id id)
{
    of_oxm_put_header(e->out, id, OF10_VERSION);
}

static inline void frame_header_oxm(struct encoder *e, enum field_id id)
{
    of_oxm_put_header(e->out, id, e->version);
}

/* In action_encode_fields.c. */
void encode_set_field(struct encoder *e, const struct of_set_field *s);
void encode_set_tun(struct encoder *e, const struct of_action *a); /* action_tun.c */
void encode_move(struct encoder *e, const struct of_move *m);
void encode_stack(struct encoder *e, const struct of_stack *s);

/* In action_encode_more.c. */
void encode_learn(struct encoder *e, const struct of_learn *l);
void encode_conjunction(struct encoder *e, const struct of_conjunction *c);
void encode_check_pkt_larger(struct encoder *e, const struct of_check_pkt_larger *c);
void encode_multipath(struct encoder *e, const struct of_multipath *m);
void encode_bundle(struct encoder *e, const struct of_bundle_action *b);
void encode_sample(struct encoder *e, const struct of_sample *s);
