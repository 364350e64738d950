/* linkwatch.h - says which network device of this namespace came, went, or changed its state. */
#pragma once

#include "io/loop.h"

struct linkwatch;

struct linkwatch_callbacks {
    void (*changed)(void *aux,
                    const char *name); /* NULL: more than the kernel can list, any device */
    void (*settled)(void *aux);        /* after them, once a turn of the loop */
};

/* CALLBACKS are copied. NULL when the kernel does not tell (then polling each second has to do). */
struct linkwatch *linkwatch_new(struct loop *loop, const struct linkwatch_callbacks *callbacks,
                                void *aux);
void linkwatch_free(struct linkwatch *watch); /* NULL is allowed */
