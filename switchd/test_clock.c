/* test_clock.c - see test_clock.h. Timers go on in real time: what is due is seen at the end of each step, and else within a second. */
#include "switchd/test_clock.h"

#include "switchd/vswitch.h"

static int64_t monotonic(struct env *env)
{
    struct test_clock *c = CONTAINER_OF(env, struct test_clock, env);
    return (c->stopped_us ? c->stopped_us : env_now_us(c->base)) + c->warped_us;
}

static int64_t wall(struct env *env)
{
    struct test_clock *c = CONTAINER_OF(env, struct test_clock, env);
    return c->base->wall_us(c->base) + monotonic(env) - env_now_us(c->base);
}

static void random_bytes(struct env *env, void *buf, size_t n)
{
    env_random(CONTAINER_OF(env, struct test_clock, env)->base, buf, n);
}

static void time_stop(struct unixctl_conn *conn, int argc UNUSED, const char *argv[] UNUSED,
                      void *clock)
{
    struct test_clock *c = clock;
    if (!c->stopped_us)
        c->stopped_us = env_now_us(c->base);
    unixctl_reply(conn, NULL);
}

enum { STEPS_MAX = 100000 };

static void time_warp(struct unixctl_conn *conn, int argc, const char *argv[], void *clock)
{
    struct test_clock *c = clock;
    int64_t left_ms, step_ms;
    if (text_to_i64(argv[1], 10, &left_ms) || text_to_i64(argv[argc - 1], 10, &step_ms) ||
        step_ms <= 0 || left_ms < 0 || left_ms / step_ms > STEPS_MAX ||
        left_ms > INT64_MAX / 1000 / 1000000) {
        unixctl_error(conn, "invalid MSECS");
        return;
    }
    for (; left_ms > 0; left_ms -= step_ms) {
        c->warped_us += MIN(left_ms, step_ms) * 1000;
        vswitch_tick(c->vs);
    }
    unixctl_reply(conn, "warped");
}

void test_clock_init(struct test_clock *clock, struct vswitch *vs, struct unixctl *ctl)
{
    *clock = (struct test_clock){
        .env = {monotonic, wall, random_bytes, vs->env->one_thread}, .base = vs->env, .vs = vs};
    vs->env = &clock->env;
    unixctl_register(ctl, "time/stop", "", 0, 0, time_stop, clock);
    unixctl_register(ctl, "time/warp", "[LARGE_MSECS] MSECS", 1, 2, time_warp, clock);
}
