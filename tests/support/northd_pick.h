/* northd_pick.h - chance for northd's oracle: from the world's seeded randomness. Included by one file a test program. */
#pragma once

#include "support/northd_world.h"

static UNUSED uint64_t pick(struct world *w, uint64_t n)
{
    return env_random_u64(&w->env.env) % n;
}

static UNUSED const char *pick_text(struct world *w, const char *const *texts, size_t n)
{
    return texts[pick(w, n)];
}
#define PICK(W, ...)                                                                               \
    pick_text(W, (const char *const[]){__VA_ARGS__},                                               \
              sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static UNUSED bool is_there(const struct uuid *uuid)
{
    return !uuid_is_zero(uuid);
}

/* One of V that is there, or -1. */
static UNUSED int pick_there(struct world *w, const struct uuid *v, size_t n)
{
    size_t start = pick(w, n);
    for (size_t i = 0; i < n; i++)
        if (is_there(&v[(start + i) % n]))
            return (int)((start + i) % n);
    return -1;
}
