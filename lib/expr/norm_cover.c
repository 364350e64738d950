/* norm_cover.c - see norm_cover.h. */
#include "expr/norm_cover.h"

#include "expr/cube.h"

static bool holds(const struct norm *a, const struct cube *c, size_t *looks)
{
    for (size_t i = 0; i < a->n && *looks; i++, --*looks)
        if (cube_is_subset(c, a->flows[i].cube))
            return true;
    return false;
}

bool norm_covers(const struct norm *a, const struct norm *b, size_t *looks)
{
    for (size_t i = 0; i < b->n; i++)
        if (!holds(a, b->flows[i].cube, looks))
            return false;
    return true;
}
