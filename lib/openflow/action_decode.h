/* action_decode.h - what the files that decode actions share: the decoder and the body of one action. */
#pragma once

#include "openflow/action_wire.h"
#include "openflow/actions.h"

struct decoder {
    struct of_actions *out;
    uint8_t version;
    unsigned depth;
    bool in_ct;
};

/* One action's body: what is left of it. Reading past the end gives zeros and marks it bad. */
struct body {
    const uint8_t *p, *end;
    bool bad;
};

enum { DECODE_MAX_LEN = UINT16_MAX - 64 }; /* of one action in memory */

#define DECODE_PUT(D, TYPE, STRUCT) ((struct STRUCT *)of_put((D)->out, TYPE, sizeof(struct STRUCT)))

const uint8_t *body_take(struct body *b, size_t n); /* N <= 32 bytes */
uint8_t body_take8(struct body *b);
uint16_t body_take16(struct body *b);
uint32_t body_take32(struct body *b);
uint64_t body_take64(struct body *b);
bool body_rest_is_zero(const struct body *b);
int body_done(const struct body *b); /* 0, or the error of having read past the end */
/* A field's header, and a subfield from what stands around it. 0 or OF_ERROR. */
int body_take_header(struct body *b, enum field_id *id) MUST_CHECK;
int decode_sub(enum field_id id, unsigned ofs, unsigned n_bits, struct subfield *ret) MUST_CHECK;
int decode_ofs_nbits(enum field_id id, uint16_t ofs_nbits, struct subfield *ret) MUST_CHECK;
bool decode_writable(enum field_id id, const struct decoder *d);

/* Actions that begin at P, N bytes. */
int decode_action_list(struct decoder *d, const uint8_t *p, size_t n) MUST_CHECK;
/* In the files of their names: 0 or OF_ERROR. */
int decode_output(struct decoder *d, struct body *b);
int decode_output_reg(struct decoder *d, struct body *b);
int decode_output_trunc(struct decoder *d, struct body *b);
int decode_controller(struct decoder *d, struct body *b);
int decode_controller2(struct decoder *d, struct body *b);
int decode_enqueue(struct decoder *d, struct body *b);
int decode_set_field(struct decoder *d, struct body *b, enum of_action_form form);
int decode_set_tun(struct decoder *d, struct body *b); /* action_tun.c */
int decode_set_legacy(struct decoder *d, struct body *b, enum field_id id, unsigned n);
int decode_reg_load(struct decoder *d, struct body *b);
int decode_move(struct decoder *d, struct body *b, bool padded);
int decode_stack(struct decoder *d, struct body *b, enum of_action_type type);
int decode_set_tunnel(struct decoder *d, struct body *b, bool wide);
int decode_delete_field(struct decoder *d, struct body *b);
/* The rest of the body as actions inside what begins at START. */
int decode_nested(struct decoder *d, struct body *b, size_t start, bool in_ct);
int decode_ct(struct decoder *d, struct body *b);
int decode_nat(struct decoder *d, struct body *b);
int decode_clone(struct decoder *d, struct body *b);

/* In action_decode_more.c: 0 or OF_ERROR. */
int decode_learn(struct decoder *d, struct body *b, bool two);
int decode_conjunction(struct decoder *d, struct body *b);
int decode_check_pkt_larger(struct decoder *d, struct body *b);
int decode_multipath(struct decoder *d, struct body *b);
int decode_bundle(struct decoder *d, struct body *b, bool load);
int decode_sample(struct decoder *d, struct body *b, uint8_t version);
