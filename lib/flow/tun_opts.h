/* tun_opts.h - what a flow key has no room for of tunnel options (fields tun_metadata0 to tun_metadata63, up to 124 bytes each).
 *
 * Nearly all packets have no options, and OVN's one has four bytes. So the key holds the lower 64 bits of the first TUN_INLINE fields
 * in words of their own, which are looked up like any other, and one word more: the number of the rest, 0 where there is none. The rest is here: units
 * of four bytes that are not 0, in order, and which of the other fields are there. It goes beside the key where it is
 * looked into (a translation, a subtable whose mask names it); whoever keeps keys keeps the number (switchd/tun_store.h).
 *
 * Index of a unit: field * TUN_FIELD_UNITS + its place in the value, 0 the least significant. Units that the key itself holds
 * are never here. All forms are canonical: equal values have equal used parts.
 */
#pragma once

#include "base/util.h"
#include "net/bytes.h"

enum {
    TUN_FIELDS = 64,
    TUN_INLINE = 7,    /* fields whose lower 64 bits are in the key */
    TUN_OPT_MAX = 124, /* bytes of one option */
    TUN_OPT_BITS = 8 * TUN_OPT_MAX,
    TUN_FIELD_UNITS = 31, /* of four bytes */
    TUN_UNITS = 64,       /* together: 256 bytes */
    TUN_CHUNK = 128       /* bits that can be read and written at once */
};

struct tun_opts {
    uint64_t present; /* bit i: option i is there; not of the first TUN_INLINE */
    uint16_t n;
    uint16_t index[TUN_UNITS]; /* ascending */
    uint32_t value[TUN_UNITS]; /* not 0 */
};

/* Which of those a match is about. */
struct tun_mask {
    uint64_t
        present; /* fields of which it says anything here; of others than the first TUN_INLINE, that they are there */
    uint64_t exact; /* of those: all bits of the field beyond what the key holds */
    uint16_t n;
    uint16_t index[TUN_UNITS]; /* ascending; of fields that are not exact */
    uint32_t bits[TUN_UNITS];  /* not 0 */
};

/* A value of any width, most significant byte first. */
struct tun_value {
    uint8_t b[TUN_OPT_MAX];
};

/* ---- Options ---- */

static inline bool tun_opts_is_empty(const struct tun_opts *opts)
{
    return !opts->present && !opts->n;
}
static inline void tun_opts_init(struct tun_opts *opts)
{
    opts->present = 0;
    opts->n = 0;
}
void tun_opts_copy(struct tun_opts *to, const struct tun_opts *from);
bool tun_opts_equal(const struct tun_opts *a, const struct tun_opts *b);
uint64_t tun_opts_hash(const struct tun_opts *opts, uint64_t seed);
uint32_t tun_opts_unit(const struct tun_opts *opts, unsigned index);
/* False: there is no room for one unit more. */
bool tun_opts_set_unit(struct tun_opts *opts, unsigned index, uint32_t value);
/* What MASK covers of OPTS. RET may be OPTS. */
void tun_opts_and(const struct tun_opts *opts, const struct tun_mask *mask, struct tun_opts *ret);

/* ---- Masks ---- */

static inline bool tun_mask_is_empty(const struct tun_mask *mask)
{
    return !mask->present;
}
static inline void tun_mask_init(struct tun_mask *mask)
{
    mask->present = mask->exact = 0;
    mask->n = 0;
}
void tun_mask_copy(struct tun_mask *to, const struct tun_mask *from);
bool tun_mask_equal(const struct tun_mask *a, const struct tun_mask *b);
uint64_t tun_mask_hash(const struct tun_mask *mask, uint64_t seed);
uint32_t tun_mask_unit(const struct tun_mask *mask, unsigned index);
bool tun_mask_set_unit(struct tun_mask *mask, unsigned index, uint32_t bits);
/* Forgets what MASK says of a field. */
void tun_mask_clear(struct tun_mask *mask, unsigned field);
/* Every bit of B is in A. */
bool tun_mask_covers(const struct tun_mask *a, const struct tun_mask *b);
/* A and B agree in what both masks have. */
bool tun_opts_agree(const struct tun_opts *a, const struct tun_mask *am, const struct tun_opts *b,
                    const struct tun_mask *bm);

/* ---- Values ---- */

/* Bits OFS .. OFS + N - 1, N up to TUN_CHUNK; those beyond the value are 0. */
u128 tun_value_get(const struct tun_value *value, unsigned ofs, unsigned n);
void tun_value_set(struct tun_value *value, unsigned ofs, unsigned n, u128 bits);
bool tun_value_is_zero(const struct tun_value *value);
void tun_value_and(struct tun_value *value, const struct tun_value *mask);
/* Copies bits of FROM into TO, any number of them. */
void tun_value_place(struct tun_value *to, unsigned to_ofs, const struct tun_value *from,
                     unsigned ofs, unsigned n_bits);
void tun_value_ones(struct tun_value *value, unsigned n_bits); /* the lower N_BITS */
unsigned tun_value_len(const struct tun_value *value);         /* bytes that it needs, at least 1 */
/* From N bytes, up to TUN_OPT_MAX. */
void tun_value_from(struct tun_value *value, const uint8_t *bytes, size_t n);
/* The lower 128 bits; false: there are more. */
bool tun_value_fits(const struct tun_value *value, u128 *ret);
void tun_value_of(struct tun_value *value, u128 x);
/* "0x11.." or a decimal number, with "/MASK" or not; MASK is all ones without one, and VALUE is cut to it. 0 or an error of err.def. */
int tun_value_parse(const char *text, struct tun_value *value, struct tun_value *mask,
                    bool *has_mask) MUST_CHECK;
/* MASK NULL: none. */
struct str;
void tun_value_put(struct str *s, const struct tun_value *value, const struct tun_value *mask);
