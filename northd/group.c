/* group.c - see group.h (room 5 of docs/architecture.md). */
#include "northd/group.h"

#include <string.h>

static const struct {
    const char *name;
    uint32_t key;
} groups[N_GROUPS] = {[GROUP_FLOOD] = {"_MC_flood", 32768},
                      [GROUP_UNKNOWN] = {"_MC_unknown", 32769},
                      [GROUP_FLOOD_L2] = {"_MC_flood_l2", 32772}};

const char *group_name(enum group group)
{
    return groups[group].name;
}

uint32_t group_key(enum group group)
{
    return groups[group].key;
}

enum group group_find(const char *name)
{
    for (enum group g = 0; g < N_GROUPS; g++)
        if (!strcmp(groups[g].name, name))
            return g;
    return N_GROUPS;
}
