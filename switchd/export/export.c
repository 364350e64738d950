/* export.c - see export.h. */
#include "switchd/export/export.h"

#include <stdlib.h>

struct export_set *exports_find(const struct exports *exports, uint32_t id)
{
    for (size_t i = 0; i < exports->sets.n; i++) {
        if (exports->sets.data[i]->id == id)
            return exports->sets.data[i];
    }
    return NULL;
}

struct export_set *exports_add(struct exports *exports, uint32_t id, struct env *env)
{
    struct export_set *set = NEW(struct export_set);
    set->id = id;
    ipfix_init(&set->ipfix, env);
    vec_push(&exports->sets, set);
    return set;
}

static void set_free(struct export_set *set)
{
    ipfix_fini(&set->ipfix);
    free(set);
}

void exports_sweep(struct exports *exports)
{
    size_t kept = 0;
    for (size_t i = 0; i < exports->sets.n; i++) {
        struct export_set *set = exports->sets.data[i];
        if (set->wanted)
            exports->sets.data[kept++] = set;
        else
            set_free(set);
    }
    exports->sets.n = kept;
}

void exports_tick(struct exports *exports)
{
    for (size_t i = 0; i < exports->sets.n; i++)
        ipfix_tick(&exports->sets.data[i]->ipfix);
}

void exports_fini(struct exports *exports)
{
    for (size_t i = 0; i < exports->sets.n; i++)
        set_free(exports->sets.data[i]);
    vec_fini(&exports->sets);
}
