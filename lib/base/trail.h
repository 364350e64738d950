/* trail.h - things in the order in which they were made, so that who asks for the same things again in the same order finds each
 * beside the one before, without a look into a table.
 *
 * A compiler that runs again interns what it interned the last time. Memory serves that order well (objects made one after the other lie
 * near each other) and a hash table badly: each look is a miss or two of the caches. The trail is a guess only: who finds that it is wrong
 * asks the table, and tells what was found there (trail_jump). What many share is found in the table between the steps of the trail,
 * so that a jump does not end the walk: both ways are tried at the next step. What is asked for between others is best kept on a trail of
 * its own.
 *
 *     TRAIL_FOR_EACH_GUESS (t, node, &trail) if (matches(t)) { trail_step(&trail, &t->node); return t; }
 *     ... found in the table: trail_jump(&trail, &t->node), made: trail_append(&trail, &t->node)
 */
#pragma once

#include "base/util.h"

struct trail_node {
    struct trail_node *older, *newer;
};

struct trail {
    struct trail_node *newest;
    struct trail_node *at, *side; /* where the walk is; where the last jump led */
};

/* What is around a node is compared with what is asked for next. */
static inline void trail_prefetch(const struct trail_node *node)
{
    if (!node)
        return;
    uintptr_t at = (uintptr_t)node; /* not pointers: beyond the object */
    __builtin_prefetch((const void *)(at - 64));
    __builtin_prefetch(node);
    __builtin_prefetch((const void *)(at + 64));
}

static inline void trail_step(struct trail *trail, struct trail_node *node)
{
    trail->at = node;
    trail_prefetch(node->newer);
}

static inline void trail_jump(struct trail *trail, struct trail_node *node)
{
    trail->side = node;
    trail_prefetch(node->newer);
}

static inline void trail_append(struct trail *trail, struct trail_node *node)
{
    *node = (struct trail_node){.older = trail->newest};
    if (trail->newest)
        trail->newest->newer = node;
    trail->newest = trail->at = node;
}

static inline void trail_remove(struct trail *trail, struct trail_node *node)
{
    if (trail->at == node)
        trail->at = node->older;
    if (trail->side == node)
        trail->side = node->older;
    if (trail->newest == node)
        trail->newest = node->older;
    if (node->older)
        node->older->newer = node->newer;
    if (node->newer)
        node->newer->older = node->older;
}

/* Guess 0 to 2: what comes after where the walk is, where it is (neighbours ask for the same), after where the last jump led. */
static inline struct trail_node *trail_guess(const struct trail *trail, int which)
{
    struct trail_node *node = which < 2 ? trail->at : trail->side;
    return which == 1 || !node ? node : node->newer;
}

/* for each guess that there is; at most three */
#define TRAIL_FOR_EACH_GUESS(VAR, MEMBER, TRAIL)                                                   \
    for (int VAR##_i_ = 0; VAR##_i_ < 3; VAR##_i_++)                                               \
        if ((VAR = trail_guess((TRAIL), VAR##_i_)                                                  \
                       ? CONTAINER_OF(trail_guess((TRAIL), VAR##_i_), __typeof__(*(VAR)), MEMBER)  \
                       : NULL))
