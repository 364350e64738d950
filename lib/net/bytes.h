/* bytes.h - network byte order: types that say so, and loads and stores that need no alignment.
 *
 * A be16/be32/be64 holds its bytes as they stand on the wire. u128 is a plain integer in host
 * order; IPv6 addresses and 128-bit registers are computed with as u128 and stored as 16 bytes.
 */
#pragma once

#include <stdint.h>
#include <string.h>

typedef uint16_t be16;
typedef uint32_t be32;
typedef uint64_t be64;
typedef unsigned __int128 u128;

/* Each of these is its own inverse. */
static inline uint16_t swap16(uint16_t x)
{
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? __builtin_bswap16(x) : x;
}

static inline uint32_t swap32(uint32_t x)
{
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? __builtin_bswap32(x) : x;
}

static inline uint64_t swap64(uint64_t x)
{
    return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? __builtin_bswap64(x) : x;
}

static inline uint16_t get_be16(const void *p)
{
    uint16_t x;
    memcpy(&x, p, sizeof x);
    return swap16(x);
}

static inline uint32_t get_be32(const void *p)
{
    uint32_t x;
    memcpy(&x, p, sizeof x);
    return swap32(x);
}

static inline uint64_t get_be64(const void *p)
{
    uint64_t x;
    memcpy(&x, p, sizeof x);
    return swap64(x);
}

static inline u128 get_be128(const void *p)
{
    return (u128)get_be64(p) << 64 | get_be64((const uint8_t *)p + 8);
}

static inline void put_be16(void *p, uint16_t x)
{
    x = swap16(x);
    memcpy(p, &x, sizeof x);
}

static inline void put_be32(void *p, uint32_t x)
{
    x = swap32(x);
    memcpy(p, &x, sizeof x);
}

static inline void put_be64(void *p, uint64_t x)
{
    x = swap64(x);
    memcpy(p, &x, sizeof x);
}

static inline void put_be128(void *p, u128 x)
{
    put_be64(p, (uint64_t)(x >> 64));
    put_be64((uint8_t *)p + 8, (uint64_t)x);
}

/* Any whole number of bytes up to 16, most significant first. */
static inline u128 get_be_n(const void *p, unsigned n)
{
    const uint8_t *b = p;
    uint64_t high = 0, x = 0;
    unsigned i = 0;
    for (; i + 8 < n; i++)
        high = high << 8 | b[i];
    for (; i < n; i++)
        x = x << 8 | b[i];
    return (u128)high << 64 | x;
}

static inline void put_be_n(void *p, unsigned n, u128 x)
{
    uint8_t *b = p;
    for (unsigned i = n; i-- > 0; x >>= 8)
        b[i] = (uint8_t)x;
}

/* The lowest N bits set, 0 <= N <= 128. */
static inline u128 u128_ones(unsigned n)
{
    return n >= 128 ? ~(u128)0 : ((u128)1 << n) - 1;
}
