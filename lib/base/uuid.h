/* uuid.h - 128-bit identifiers (RFC 4122), kept in the byte order of their text. */
#pragma once

#include <stdbool.h>
#include <string.h>

#include "base/env.h"
#include "base/hash.h"

struct uuid {
    uint8_t bytes[16];
};

enum { UUID_TEXT_LEN = 36 };

static inline bool uuid_equal(const struct uuid *a, const struct uuid *b)
{
    return !memcmp(a, b, sizeof *a);
}

static inline int uuid_compare(const struct uuid *a, const struct uuid *b)
{
    return memcmp(a, b, sizeof *a);
}

static inline uint64_t uuid_hash(const struct uuid *u)
{
    uint64_t w[2];
    memcpy(w, u, sizeof w);
    return hash_u64(w[0], w[1]);
}

static inline bool uuid_is_zero(const struct uuid *u)
{
    static const struct uuid zero;
    return uuid_equal(u, &zero);
}

/* A random (version 4) uuid from ENV's randomness. */
struct uuid uuid_random(struct env *env);
/* Exactly the 36-character form, hexadecimal digits of either case. */
bool uuid_parse(const char *text, struct uuid *ret);
/* Writes 36 characters and a NUL and returns BUF. */
const char *uuid_print(const struct uuid *u, char buf[UUID_TEXT_LEN + 1]);
/* The first 32 bits in text order: what logical flow cookies and stage hints carry. */
uint32_t uuid_prefix32(const struct uuid *u);
