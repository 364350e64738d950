/* place.h - where a field is in the key, when it lies within one of the key's words: most do, and are then read and written with a shift and
 * a mask. Bits are numbered as in the word's number, most significant byte first (swap64). */
#pragma once

#include "flow/key.h"

struct place {
    unsigned word, shift; /* of the field's bit 0 */
};

/* False: it takes two words, or has another form in the key (in_port). */
static inline bool field_place(const struct field *f, struct place *ret)
{
    unsigned at = f->offset % 8u;
    if (at + f->size > 8 || f->id == FIELD_IN_PORT)
        return false;
    *ret = (struct place){f->offset / 8u, 64 - 8 * (at + f->size) + f->shift};
    return true;
}

/* BITS of the field, as the word has them. */
static inline uint64_t place_bits(const struct place *at, u128 bits)
{
    return swap64((uint64_t)bits << at->shift);
}
