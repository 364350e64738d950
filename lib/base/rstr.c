/* rstr.c - reference-counted and interned strings. */
#include "base/rstr.h"

#include <stdlib.h>

#include "base/hash.h"

static struct rstr *make(const char *bytes, size_t n, uint64_t hash)
{
    INVARIANT(n < UINT32_MAX);
    struct rstr *str = xmalloc(sizeof *str + n + 1);
    str->refs = 1;
    str->n = (uint32_t)n;
    str->pool = NULL;
    str->node = (struct hnode){.hash = hash};
    memcpy(str->s, bytes, n);
    str->s[n] = '\0';
    return str;
}

struct rstr *rstr_new_n(const char *bytes, size_t n)
{
    return make(bytes, n, hash_bytes(bytes, n, 0));
}

struct rstr *rstr_new(const char *text)
{
    return rstr_new_n(text, strlen(text));
}

struct rstr *rstr_pool_get_n(struct rstr_pool *pool, const char *bytes, size_t n)
{
    uint64_t hash = hash_bytes(bytes, n, 0);
    struct rstr *str;
    HMAP_FOR_EACH_WITH_HASH (str, node, hash, &pool->map) {
        if (str->n == n && !memcmp(str->s, bytes, n))
            return rstr_ref(str);
    }
    str = make(bytes, n, hash);
    str->pool = pool;
    hmap_insert(&pool->map, &str->node, hash);
    return str;
}

struct rstr *rstr_pool_get(struct rstr_pool *pool, const char *text)
{
    return rstr_pool_get_n(pool, text, strlen(text));
}

void rstr_pool_fini(struct rstr_pool *pool)
{
    INVARIANT(pool->map.n == 0);
    hmap_fini(&pool->map);
}

void rstr_unref(const struct rstr *str)
{
    struct rstr *s = (struct rstr *)(uintptr_t)str;
    if (!s || --s->refs)
        return;
    if (s->pool)
        hmap_remove(&s->pool->map, &s->node);
    free(s);
}
