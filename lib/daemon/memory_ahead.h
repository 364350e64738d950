/* memory_ahead.h - memory made ready by a second thread, while a program grows.
 *
 * A page that a program touches for the first time is cleared by the kernel, and on a virtual machine often fetched from the host before: a
 * quarter to a third of a big program's start. Between these two calls a thread does that for what malloc has just taken from the
 * kernel, a little ahead of its use (docs/adr/0024-huge-pages.md). Only the main thread's malloc is served. What does not work is left as it is.
 */
#pragma once

#include <stddef.h>

struct memory_ahead;

/* Before the program grows, in the process that does. SURELY: the bytes that it will need in any case, as far as known. */
struct memory_ahead *memory_ahead_start(size_t surely);
/* Waits for the thread to end; NULL is nothing. */
void memory_ahead_stop(struct memory_ahead *ahead);
