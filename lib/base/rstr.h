/* rstr.h - immutable reference-counted strings, and pools that intern them.
 *
 * A rstr made by rstr_new stands alone. One made by rstr_pool_get is the only one with its text in
 * that pool, so that within a pool equal texts are equal pointers. The pool forgets a string with
 * its last reference. Reference counts are not atomic: a string belongs to one thread.
 */
#pragma once

#include <string.h>

#include "base/hmap.h"

struct rstr_pool {
    struct hmap map;
};

struct rstr {
    uint32_t refs;
    uint32_t n;             /* bytes without the NUL */
    struct rstr_pool *pool; /* NULL when it stands alone */
    struct hnode node;      /* in pool->map; node.hash is valid for every rstr */
    char s[];               /* NUL-terminated */
};

#define RSTR_POOL_INIT                                                                             \
    {                                                                                              \
        HMAP_INIT                                                                                  \
    }

struct rstr *rstr_new(const char *text);
struct rstr *rstr_new_n(const char *bytes, size_t n);
struct rstr *rstr_pool_get(struct rstr_pool *pool, const char *text); /* a new reference */
struct rstr *rstr_pool_get_n(struct rstr_pool *pool, const char *bytes, size_t n);
void rstr_pool_fini(struct rstr_pool *pool); /* every string must have been released */
void rstr_unref(const struct rstr *str);     /* NULL is allowed */

static inline struct rstr *rstr_ref(const struct rstr *str)
{
    struct rstr *s = (struct rstr *)(uintptr_t)str;
    s->refs++;
    return s;
}

static inline bool rstr_equal(const struct rstr *a, const struct rstr *b)
{
    return a == b || (a->node.hash == b->node.hash && a->n == b->n && !memcmp(a->s, b->s, a->n));
}

/* Byte order, as strcmp. */
static inline int rstr_compare(const struct rstr *a, const struct rstr *b)
{
    if (a == b)
        return 0;
    int c = memcmp(a->s, b->s, MIN(a->n, b->n));
    return c ? c : (a->n > b->n) - (a->n < b->n);
}
