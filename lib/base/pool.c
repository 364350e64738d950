/* pool.c - see pool.h. Below every room of docs/architecture.md. Size classes are multiples of 16 bytes; a released block goes on the list of its class
 * and is never split or joined. It does not check that SIZE is the size that was allocated.
 */
#include "base/pool.h"

#include <stdlib.h>

struct pool_chunk {
    struct pool_chunk *next;
    size_t pad;
};

struct pool_big {
    struct pool_big *prev, *next;
};

enum { CHUNK_FIRST = 4096, CHUNK_MAX = 256 * 1024 };

static void *alloc_big(struct pool *pool, size_t size)
{
    struct pool_big *big = xmalloc(sizeof *big + size);
    big->prev = NULL;
    big->next = pool->bigs;
    if (pool->bigs)
        pool->bigs->prev = big;
    pool->bigs = big;
    pool->bytes += sizeof *big + size;
    return big + 1;
}

static void release_big(struct pool *pool, void *p, size_t size)
{
    struct pool_big *big = (struct pool_big *)p - 1;
    if (big->prev)
        big->prev->next = big->next;
    else
        pool->bigs = big->next;
    if (big->next)
        big->next->prev = big->prev;
    pool->bytes -= sizeof *big + size;
    free(big);
}

static void grow(struct pool *pool)
{
    size_t size = MIN(MAX(pool->bytes, (size_t)CHUNK_FIRST), (size_t)CHUNK_MAX);
    struct pool_chunk *chunk = xmalloc(size);
    chunk->next = pool->chunks;
    pool->chunks = chunk;
    pool->next = (char *)(chunk + 1);
    pool->end = (char *)chunk + size;
    pool->bytes += size;
}

void *pool_alloc(struct pool *pool, size_t size)
{
    if (!size)
        return NULL;
    if (size > POOL_MAX || pool->is_plain)
        return alloc_big(pool, size);
    size_t class = DIV_ROUND_UP(size, POOL_GRAIN);
    void *p = pool->free[class];
    if (p) {
        pool->free[class] = *(void **)p;
        return p;
    }
    size_t rounded = class * POOL_GRAIN;
    if ((size_t)(pool->end - pool->next) < rounded)
        grow(pool);
    p = pool->next;
    pool->next += rounded;
    return p;
}

void pool_release(struct pool *pool, void *p, size_t size)
{
    if (!size)
        return;
    if (size > POOL_MAX || pool->is_plain) {
        release_big(pool, p, size);
        return;
    }
    size_t class = DIV_ROUND_UP(size, POOL_GRAIN);
    *(void **)p = pool->free[class];
    pool->free[class] = p;
}

void pool_fini(struct pool *pool)
{
    while (pool->chunks) {
        struct pool_chunk *next = pool->chunks->next;
        free(pool->chunks);
        pool->chunks = next;
    }
    while (pool->bigs) {
        struct pool_big *next = pool->bigs->next;
        free(pool->bigs);
        pool->bigs = next;
    }
}
