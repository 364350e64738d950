/* use_count.h - which of a bridge's flows have actions that name a group or a meter, and how many do. */
#pragma once

#include "base/vec.h"
#include "openflow/meter.h"
#include "switchd/table.h"

/* One id for each action, sorted. */
typedef VEC(uint32_t) use_ids;

/* Fills RET, which is empty, from all flows that readers see: OF_GROUP or OF_METER, also inside clone, write_actions and the like. */
void use_ids_gather(const struct tables *tables, enum of_action_type type, use_ids *ret);
uint32_t use_count(const use_ids *ids, uint32_t id);

/* The number that means all groups, or all meters (TYPE OF_GROUP, OF_METER). */
static inline uint32_t uses_all(enum of_action_type type)
{
    return type == OF_GROUP ? OF_GROUP_ALL : OF_METER_ALL;
}

/* Why flows go whose group, or meter, goes. */
static inline uint8_t uses_reason(enum of_action_type type)
{
    return type == OF_GROUP ? OF_REMOVED_GROUP_DELETE : OF_REMOVED_METER_DELETE;
}

/* Whether an action of RULE names ID, or any (uses_all). */
bool rule_uses(const struct rule *rule, enum of_action_type type, uint32_t id);
/* Removes the flows that do, in one piece. */
void uses_remove(struct tables *tables, enum of_action_type type, uint32_t id,
                 struct journal *journal);
