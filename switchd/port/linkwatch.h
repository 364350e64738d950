/* linkwatch.h - says when some network device of this namespace came, went, or changed its state. */
#pragma once

#include "io/loop.h"

struct linkwatch;

/* FN is called once for all changes of a loop turn. NULL when the kernel does not tell (then polling each
 * second has to do). */
struct linkwatch *linkwatch_new(struct loop *loop, void (*fn)(void *aux), void *aux);
void linkwatch_free(struct linkwatch *watch); /* NULL is allowed */
