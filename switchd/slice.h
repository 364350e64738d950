/* slice.h - how much of a long work is done before packets have their turn; see docs/adr/0022-slices.md. */
#pragma once

#include "base/env.h"

enum { SLICE_US = 300, SLICE_STEPS = 256, SLICE_CLOCK_EVERY = 8 /* steps */ };

struct slice {
    struct env *env;
    int64_t until_us;
    unsigned left; /* steps of a microsecond or so; in virtual time they are what ends it */
};

static inline struct slice slice_begin(struct env *env)
{
    return (struct slice){env, env_now_us(env) + SLICE_US, SLICE_STEPS};
}

/* Of a work that is done in one piece. */
static inline struct slice slice_endless(struct env *env)
{
    return (struct slice){env, INT64_MAX, UINT32_MAX};
}

/* After each step: whether that was the last one. */
static inline bool slice_is_over(struct slice *s)
{
    if (s->until_us == INT64_MAX)
        return false;
    s->left -= s->left > 0;
    return !s->left || (!(s->left % SLICE_CLOCK_EVERY) && env_now_us(s->env) >= s->until_us);
}
