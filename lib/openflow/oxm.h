/* oxm.h - matches and single fields on the wire: OXM (OpenFlow 1.2 and later), NXM (1.0 with Nicira), and struct
 * ofp_match of OpenFlow 1.0.
 *
 * In OpenFlow 1.5 registers are sent as 64-bit packet registers, before as 32-bit ones; both are always understood. Fields
 * are sent in one fixed order, prerequisites before what needs them. tun_metadata values are sent in the fewest bytes
 * (1 to 124) that hold value and mask; without any (0 bytes, or a mask of 0) they say that the option is there. Its headers without value
 * (in actions) say 124 bytes.
 */
#pragma once

#include "openflow/protocol.h"

/* Appends type, length, OXMs and padding to 8 (struct ofp_match of 1.2 and later). */
void of_match_encode(const struct match *match, uint8_t version, struct of_buf *out);
/* Reads it from the start of DATA. *USED: bytes with padding. */
int of_match_decode(const void *data, size_t n, struct match *ret, size_t *used) MUST_CHECK;
/* Fields only, no header and no padding ("raw": NXM in 1.0, PACKET_IN2 metadata). COOKIE_MASK 0: no cookie. */
void of_oxm_encode(const struct match *match, uint8_t version, uint64_t cookie,
                   uint64_t cookie_mask, struct of_buf *out);
/* LOOSE: unknown fields are skipped and prerequisites not checked (packet metadata), else they are errors. */
int of_oxm_decode(const void *data, size_t n, bool loose, struct match *ret, uint64_t *cookie,
                  uint64_t *cookie_mask) MUST_CHECK;
/* The 40-byte match of OpenFlow 1.0. What it cannot say is left out. */
#define OF10_MATCH_LEN 40
void of_match10_encode(const struct match *match, struct of_buf *out);
int of_match10_decode(const void *data, size_t n, struct match *ret) MUST_CHECK;

/* One OXM with its value, as in set_field: *USED bytes of DATA, without padding. */
void of_oxm_put_field(struct of_buf *out, enum field_id id, u128 value, u128 mask, uint8_t version);
/* The same, with the mask even if it is all of the field's bits. */
void of_oxm_put_masked(struct of_buf *out, enum field_id id, u128 value, u128 mask,
                       uint8_t version);
int of_oxm_get_field(const void *data, size_t n, enum field_id *id, u128 *value, u128 *mask,
                     size_t *used) MUST_CHECK;
/* Of a tun_metadata field, of any width; MASK NULL: all bits. Getting: *EXACT tells of that. */
void of_oxm_put_tun(struct of_buf *out, enum field_id id, const struct tun_value *value,
                    const struct tun_value *mask, uint8_t version);
int of_oxm_get_tun(const void *data, size_t n, enum field_id *id, struct tun_value *value,
                   struct tun_value *mask, bool *exact, size_t *used) MUST_CHECK;
/* Whether the field at DATA is one. */
bool of_oxm_is_tun(const void *data, size_t n);
/* A header alone, as in move, push, learn. */
void of_oxm_put_header(struct of_buf *out, enum field_id id, uint8_t version);
int of_oxm_get_header(const void *data, size_t n, enum field_id *id, size_t *used) MUST_CHECK;
