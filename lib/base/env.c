/* env.c - the real environment and the seeded one. */
#include "base/env.h"

#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/util.h"

static int64_t clock_us(clockid_t id)
{
    struct timespec ts;
    clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static int64_t real_monotonic(struct env *env UNUSED)
{
    return clock_us(CLOCK_MONOTONIC);
}

static int64_t real_wall(struct env *env UNUSED)
{
    return clock_us(CLOCK_REALTIME);
}

static void real_random(struct env *env UNUSED, void *buf, size_t n)
{
    char *p = buf;
    while (n) {
        ssize_t got = getrandom(p, n, 0);
        if (got > 0) {
            p += got;
            n -= (size_t)got;
        }
    }
}

struct env *env_real(void)
{
    static const struct env real = {real_monotonic, real_wall, real_random, false};
    return (struct env *)(uintptr_t)&real;
}

static int64_t seeded_monotonic(struct env *env)
{
    return __atomic_load_n(&CONTAINER_OF(env, struct env_seeded, env)->now_us, __ATOMIC_RELAXED);
}

static int64_t seeded_wall(struct env *env)
{
    return 1700000000000000 + seeded_monotonic(env);
}

/* splitmix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014). */
static uint64_t seeded_next(struct env_seeded *seeded)
{
    uint64_t z = seeded->state += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static void seeded_random(struct env *env, void *buf, size_t n)
{
    struct env_seeded *seeded = CONTAINER_OF(env, struct env_seeded, env);
    char *p = buf;
    while (n) {
        uint64_t x = seeded_next(seeded);
        size_t k = MIN(n, sizeof x);
        memcpy(p, &x, k);
        p += k;
        n -= k;
    }
}

void env_seeded_init(struct env_seeded *seeded, uint64_t seed)
{
    *seeded = (struct env_seeded){
        .env = {seeded_monotonic, seeded_wall, seeded_random, false},
        .now_us = 1000000,
        .state = seed,
    };
}
