/* learned.h - what learn(delete_learned) promises: when the last flow with such an action for a table and cookie is gone, so are the
 * flows of that table with that cookie (ovs-actions(7), "learn").
 *
 * Counts the actions by table and cookie, as the changes of a journal are kept. A part of struct bridge.
 */
#pragma once

#include "switchd/table.h"

struct learned {
    struct hmap sources; /* of struct learned_source, learned.c */
    bool changed;        /* some may be taught by nobody */
};

void learned_fini(struct learned *learned);
/* CHANGE is about to be kept. */
void learned_count(struct learned *learned, const struct table_change *change);
/* When all have been counted: what nobody teaches any more is removed from TABLES, by changes appended to MORE. */
void learned_forget(struct learned *learned, struct tables *tables, struct journal *more);
