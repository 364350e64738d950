/* use_count.h - how many actions of a bridge's flows name each group, or each meter. */
#pragma once

#include "base/vec.h"
#include "switchd/table.h"

/* One id for each action, sorted. */
typedef VEC(uint32_t) use_ids;

/* Fills RET, which is empty, from all flows that readers see: OF_GROUP or OF_METER, also inside clone, write_actions and the like. */
void use_ids_gather(const struct tables *tables, enum of_action_type type, use_ids *ret);
uint32_t use_count(const use_ids *ids, uint32_t id);
