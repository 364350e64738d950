/* value.h - numbers of up to 128 bits, the widest field of the language (docs/architecture.md, row 6).
 *
 * Values are plain integers in host order: bit 0 is the least significant bit of the field, as in "eth.dst[0]".
 * get_be_n and put_be_n (net/bytes.h) convert from and to the bytes of an address: get_be_n(mac.b, 6).
 */
#pragma once

#include "base/util.h"
#include "net/bytes.h"

static inline u128 u128_make(uint64_t high, uint64_t low)
{
    return (u128)high << 64 | low;
}

static inline unsigned u128_popcount(u128 v)
{
    return (unsigned)(__builtin_popcountll((uint64_t)v) +
                      __builtin_popcountll((uint64_t)(v >> 64)));
}

static inline bool u128_is_one_bit(u128 v)
{
    return v && !(v & (v - 1));
}

/* Number of the lowest bit that is set; 128 when none is. */
static inline unsigned u128_ctz(u128 v)
{
    uint64_t low = (uint64_t)v, high = (uint64_t)(v >> 64);
    return low ? (unsigned)__builtin_ctzll(low) : high ? 64 + (unsigned)__builtin_ctzll(high) : 128;
}

/* Bits needed to write V; 0 for 0. */
static inline unsigned u128_width(u128 v)
{
    uint64_t low = (uint64_t)v, high = (uint64_t)(v >> 64);
    return high  ? 128 - (unsigned)__builtin_clzll(high)
           : low ? 64 - (unsigned)__builtin_clzll(low)
                 : 0;
}

/* True if the set bits of MASK are one run. */
static inline bool u128_is_run(u128 mask)
{
    unsigned lo = u128_ctz(mask);
    return mask && mask >> lo == u128_ones(u128_popcount(mask));
}
