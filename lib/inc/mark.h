/* mark.h - a bit at each fact for the host: what it has done about the fact. See inc.h for the words.
 *
 * A host that keeps an outer world as a watched collection says would need a second table of what is there. Mostly that is what the facts say: a mark
 * at the fact holds as much. The engine does not look at marks, and they are no content. A fact that leaves keeps its mark until the host has been told.
 */
#pragma once

#include "inc/inc.h"

/* Marks the fact of the watched COLL with this CONTENT, also one that has gone without the host having been told. False: there is none. At any time. */
bool inc_mark(struct inc *inc, const struct inc_coll *coll, const void *content);
/* FACT as inc_changes, inc_look or inc_for_each hand it out. */
bool inc_is_marked(const struct inc *inc, const struct inc_coll *coll, const void *fact);
void inc_unmark(struct inc *inc, const struct inc_coll *coll, const void *fact);
void inc_unmark_all(struct inc *inc, const struct inc_coll *coll);
