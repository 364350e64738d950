/* arena.h - memory that is freed all at once: for what lives one cycle or one call. */
#pragma once

#include "base/util.h"

struct arena {
    struct arena_block *blocks; /* newest first */
    char *next, *end;           /* free room in the newest block */
};

#define ARENA_INIT                                                                                 \
    {                                                                                              \
        NULL, NULL, NULL                                                                           \
    }

void *arena_alloc(struct arena *arena, size_t size); /* aligned to 16, not zeroed, never NULL */
void *arena_zalloc(struct arena *arena, size_t size);
void *arena_memdup(struct arena *arena, const void *p, size_t size);
char *arena_strdup(struct arena *arena, const char *s);
char *arena_printf(struct arena *arena, const char *format, ...) PRINTF_FORMAT(2, 3);
void arena_reset(struct arena *arena); /* frees the contents, keeps one block for reuse */
void arena_fini(struct arena *arena);
