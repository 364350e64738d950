/* arena.c - block allocator behind arena.h. */
#include "base/arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The first block stays below the size from which malloc tidies up its small blocks: short-lived arenas are many. */
enum { ALIGN = 16, FIRST_SIZE = 896, BLOCK_SIZE = 16384 };

struct arena_block {
    struct arena_block *older;
    size_t size; /* bytes in data */
    _Alignas(ALIGN) char data[];
};

static void add_block(struct arena *arena, size_t size)
{
    size_t least = arena->blocks ? MIN(arena->blocks->size * 4, (size_t)BLOCK_SIZE) : FIRST_SIZE;
    size = MAX(size, least);
    struct arena_block *block = xmalloc(sizeof *block + size);
    block->older = arena->blocks;
    block->size = size;
    arena->blocks = block;
    arena->next = block->data;
    arena->end = block->data + size;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    size = ROUND_UP(MAX(size, 1), ALIGN);
    if ((size_t)(arena->end - arena->next) < size)
        add_block(arena, size);
    void *p = arena->next;
    arena->next += size;
    return p;
}

void *arena_zalloc(struct arena *arena, size_t size)
{
    return memset(arena_alloc(arena, size), 0, size);
}

void *arena_memdup(struct arena *arena, const void *p, size_t size)
{
    return memcpy(arena_alloc(arena, size), p, size);
}

char *arena_strdup(struct arena *arena, const char *s)
{
    return arena_memdup(arena, s, strlen(s) + 1);
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = xvasprintf(format, args);
    va_end(args);
    char *copy = arena_strdup(arena, text);
    free(text);
    return copy;
}

static void free_blocks(struct arena_block *block)
{
    while (block) {
        struct arena_block *older = block->older;
        free(block);
        block = older;
    }
}

void arena_reset(struct arena *arena)
{
    struct arena_block *block = arena->blocks;
    if (!block)
        return;
    free_blocks(block->older);
    block->older = NULL;
    arena->next = block->data;
    arena->end = block->data + block->size;
}

void arena_fini(struct arena *arena)
{
    free_blocks(arena->blocks);
    *arena = (struct arena)ARENA_INIT;
}
