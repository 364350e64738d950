/* pool.c - where connections lie: chunks of memory, in which each has cache lines of its own, and in which a place is of zeros while no
 * connection is there. So whoever remembers a place (struct ct_hint) may look there later: what is there is a connection with
 * its tuples, or none. A chunk whose last connection has gone gives its memory back and keeps its addresses. From the second one on chunks ask
 * for large pages, since connections are read in no order. */
#include <string.h>
#include <sys/mman.h>

#include "conntrack/conn.h"

enum { CHUNK = 1 << 21, HEAD = 4096, PER_CHUNK = (CHUNK - HEAD) / sizeof(struct ct_conn) };

struct ct_chunk {     /* its first page */
    struct list node; /* in pool.room unless it is full */
    struct hnode
        *free; /* places that were given back; linked by the first words, which no tuple is in */
    uint32_t n_used, n_touched; /* places; those from N_TOUCHED on have not been given out yet */
};

static struct ct_chunk *chunk_of(const struct ct_conn *conn)
{
    return (struct ct_chunk *)((uintptr_t)conn & ~(uintptr_t)(CHUNK - 1));
}

static struct ct_chunk *chunk_new(struct ct_pool *pool)
{
    char *map =
        mmap(NULL, 2 * (size_t)CHUNK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (map == MAP_FAILED)
        bug("no memory for connections");
    char *at = (char *)(((uintptr_t)map + CHUNK - 1) & ~(uintptr_t)(CHUNK - 1));
    if (at != map)
        munmap(map, (size_t)(at - map));
    munmap(at + CHUNK, (size_t)(map + CHUNK - at));
    if (pool->chunks.n)
        madvise(at, CHUNK, MADV_HUGEPAGE);
    struct ct_chunk *chunk = (void *)at;
    vec_push(&pool->chunks, chunk);
    list_push_back(&pool->room, &chunk->node);
    return chunk;
}

void ct_pool_init(struct ct_pool *pool)
{
    list_init(&pool->room);
}

void ct_pool_fini(struct ct_pool *pool)
{
    struct ct_chunk **chunk;
    VEC_FOR_EACH (chunk, &pool->chunks)
        munmap(*chunk, CHUNK);
    vec_fini(&pool->chunks);
}

struct ct_conn *ct_conn_new(struct ct_pool *pool)
{
    struct ct_chunk *chunk =
        list_empty(&pool->room) ? chunk_new(pool) : LIST_FIRST(struct ct_chunk, node, &pool->room);
    struct ct_conn *conn;
    if (chunk->free) {
        conn = CONTAINER_OF(chunk->free, struct ct_conn, end[0].node);
        chunk->free = chunk->free->next;
        conn->end[0].node.next = NULL;
    } else {
        conn = (struct ct_conn *)(void *)((char *)chunk + HEAD) + chunk->n_touched++;
    }
    if (++chunk->n_used == PER_CHUNK)
        list_remove(&chunk->node);
    return conn;
}

void ct_conn_free(struct ct_pool *pool, struct ct_conn *conn)
{
    struct ct_chunk *chunk = chunk_of(conn);
    free(conn->parent);
    free(conn->seq);
    if (chunk->n_used-- == PER_CHUNK)
        list_push_back(&pool->room, &chunk->node);
    if (!chunk->n_used && pool->chunks.n > 1) {
        madvise((char *)chunk + HEAD, CHUNK - HEAD, MADV_DONTNEED);
        chunk->free = NULL;
        chunk->n_touched = 0;
        list_remove(&chunk->node); /* others are filled before */
        list_push_back(&pool->room, &chunk->node);
        return;
    }
    memset(conn, 0, sizeof *conn);
    conn->end[0].node.next = chunk->free;
    chunk->free = &conn->end[0].node;
}
