/* hash.h - one hash function for the whole project: xxHash's XXH3, 64 bits, not for adversarial
 * inputs unless seeded. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static inline uint64_t hash_bytes(const void *p, size_t n, uint64_t seed)
{
    return XXH3_64bits_withSeed(p, n, seed);
}

static inline uint64_t hash_text(const char *s)
{
    return XXH3_64bits(s, strlen(s));
}

/* A good mix of one word; use to combine: h = hash_u64(x, h). */
static inline uint64_t hash_u64(uint64_t x, uint64_t seed)
{
    x = (x ^ seed) * 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 32)) * 0xd6e8feb86659fd93u;
    return x ^ (x >> 32);
}

static inline uint64_t hash_pointer(const void *p, uint64_t seed)
{
    return hash_u64((uint64_t)(uintptr_t)p, seed);
}
