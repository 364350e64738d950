/* literals.h - what the texts mean that stand in the program itself: each is parsed once, and known by its address from then on (room 4 of
 * docs/architecture.md). A unit that runs for thousands of ports needs neither to print nor to parse what is the same for all.
 *
 * Holds references. It is a cache: nothing depends on what is in it.
 */
#pragma once

#include "action/action.h"

struct literal {
    const char *text;   /* NULL: a free slot */
    struct expr *match; /* NULL: not asked for yet, as the others */
    struct actions *actions;
    const struct rstr *name; /* the text itself, interned */
};

struct literals {
    struct literal *slots;
    size_t mask, n;
};

/* The entry for TEXT, which lives as long as the program, to be read and filled by who asks; NULL: it is a format, with a '%'. Valid until the
 * next call. */
struct literal *literals_get(struct literals *literals, const char *text);
void literals_fini(struct literals *literals); /* before the pools go */
