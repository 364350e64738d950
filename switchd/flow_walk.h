/* flow_walk.h - a modification or deletion of many flows by one message, a few at a time, as a part of a commit (ofcommit.c). The message may be
 * one that deletes a group or meter, and flows with it.
 *
 * It walks each table in the order of age and changes what the message selects; what the commit makes on the way is not met again. Such a message in a
 * small table is carried out at once instead (tables_flow_mod).
 *
 * Room 10 of docs/architecture.md.
 */
#pragma once

#include "classifier/cursor.h"
#include "switchd/table.h"

enum { WALK_WORTH = 64 /* flows */ };

struct flow_walk {
    struct of_flow_mod fm;
    struct cls_cursor cursor;
    unsigned table, last; /* the next, and the last */
    bool walks;           /* the cursor is in the table before */
    bool found;
    enum of_action_type user_of; /* OF_GROUP, OF_METER: of flows that use USED; else 0 */
    uint32_t used;
};

/* Whether FM may change more than WALK_WORTH flows. */
bool flow_walk_is_worth(const struct tables *tables, const struct of_flow_mod *fm);
/* FM, checked by tables_check_flow_mod, is taken over. */
void flow_walk_begin(struct flow_walk *walk, struct of_flow_mod *fm);
/* The deletion of flows that use group or meter ID, or any (use_count.h). */
void flow_walk_begin_users(struct flow_walk *walk, enum of_action_type type, uint32_t id);
/* Looks at the next flow. True: that was all, and WALK is finished; *ERR is 0 or an OF_ERROR. */
bool flow_walk_step(struct flow_walk *walk, struct tables *tables, int64_t now_ms,
                    struct journal *journal, int *err);
