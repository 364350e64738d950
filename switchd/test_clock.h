/* test_clock.h - a clock in the hands of a test: time/stop and time/warp of a switch with dummy ports. */
#pragma once

#include "base/env.h"
#include "daemon/unixctl.h"

struct vswitch;

struct test_clock {
    struct env env; /* the switch's: ages of flows, MACs and connections are by it */
    struct env *base;
    int64_t stopped_us, warped_us; /* 0: it runs; how far it was put forward */
    struct vswitch *vs;
};

/* Makes CLOCK the time of VS, as before until a command says otherwise. */
void test_clock_init(struct test_clock *clock, struct vswitch *vs, struct unixctl *ctl);
