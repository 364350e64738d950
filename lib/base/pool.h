/* pool.h - small blocks of given size, recycled by size, from large chunks.
 *
 * For many objects that come and go together among others that stay: malloc would leave holes between those, and search them for each large
 * block from then on. The owner remembers the size of each block and hands it back with it. Blocks above POOL_MAX
 * come from malloc. Everything is freed together with the pool.
 */
#pragma once

#include "base/util.h"

enum { POOL_GRAIN = 16, POOL_MAX = 1024, POOL_CLASSES = POOL_MAX / POOL_GRAIN + 1 };

struct pool {
    void *free[POOL_CLASSES]; /* singly linked through the first word */
    char *next, *end;         /* room left in the newest chunk */
    struct pool_chunk *chunks;
    struct pool_big *bigs; /* blocks above POOL_MAX, doubly linked */
    size_t bytes;          /* taken from the system */
    bool is_plain;         /* every block comes from malloc: set before the first */
};

/* Whether a sanitizer should see each block of pools whose objects are handed out. */
#if defined(__SANITIZE_ADDRESS__)
#define POOL_IS_PLAIN true
#elif defined(__has_feature)
#define POOL_IS_PLAIN __has_feature(address_sanitizer)
#else
#define POOL_IS_PLAIN false
#endif

void *pool_alloc(struct pool *pool, size_t size); /* aligned to 16, not zeroed; NULL for size 0 */
void pool_release(struct pool *pool, void *p, size_t size); /* SIZE as it was allocated */
void pool_fini(struct pool *pool);
