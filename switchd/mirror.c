/* mirror.c - see mirror.h. */
#include "switchd/mirror.h"

#include <stdlib.h>
#include <string.h>

void mirrors_clear(struct mirrors *mirrors)
{
    for (size_t i = 0; i < mirrors->n; i++) {
        struct mirror *m = &mirrors->list[i];
        free(m->name);
        free(m->vlans);
        vec_fini(&m->src);
        vec_fini(&m->dst);
    }
    free(mirrors->signature);
    memset(mirrors, 0, sizeof *mirrors);
}

bool mirror_selects_port(const struct mirror *m, uint32_t number, bool input)
{
    if (m->select_all)
        return true;
    for (size_t i = 0; i < (input ? m->src.n : m->dst.n); i++) {
        if ((input ? m->src.data[i] : m->dst.data[i]) == number)
            return true;
    }
    return false;
}

bool mirrors_own_port(const struct mirrors *mirrors, uint32_t number)
{
    for (size_t i = 0; i < mirrors->n; i++) {
        if (mirrors->list[i].out_port == number)
            return true;
    }
    return false;
}
