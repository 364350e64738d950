/* env.h - where time and randomness come in.
 *
 * No code below a main() asks the kernel for the time or for random bytes; it asks its env. A
 * daemon uses env_real(); tests/sim makes its own with virtual time and a seeded generator, so that
 * a run can be repeated from its seed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct env {
    int64_t (*monotonic_us)(struct env *env); /* never goes back */
    int64_t (*wall_us)(struct env *env);      /* since the epoch */
    void (*random)(struct env *env, void *buf, size_t n);
    bool one_thread; /* a run must repeat: nothing may happen beside the loops */
};

static inline int64_t env_now_us(struct env *env)
{
    return env->monotonic_us(env);
}

static inline int64_t env_now_ms(struct env *env)
{
    return env->monotonic_us(env) / 1000;
}

static inline int64_t env_wall_ms(struct env *env)
{
    return env->wall_us(env) / 1000;
}

static inline void env_random(struct env *env, void *buf, size_t n)
{
    env->random(env, buf, n);
}

static inline uint64_t env_random_u64(struct env *env)
{
    uint64_t x;
    env->random(env, &x, sizeof x);
    return x;
}

/* The kernel's clocks and getrandom(2). Shared and stateless. */
struct env *env_real(void);

/* A deterministic env: time moves only when it is told to. */
struct env_seeded {
    struct env env; /* pass &seeded.env on */
    int64_t now_us;
    uint64_t state;
};
void env_seeded_init(struct env_seeded *seeded, uint64_t seed);
