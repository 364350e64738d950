/* table_private.h - what the files of the flow tables share: table.c changes them, table_journal.c keeps or undoes what was changed. */
#pragma once

#include "switchd/table.h"

static inline struct flow_table *table_of(struct tables *tables, const struct rule *rule)
{
    return &tables->table[rule->table_id];
}
/* RULE is in its table's classifier now, in place of another or not; it no longer is. */
void rule_enter(struct tables *tables, struct rule *rule);
void rule_leave(struct tables *tables, struct rule *rule);
/* Takes RULE out of its table, which has a reference to it. */
void rule_take_out(struct tables *tables, struct rule *rule);
