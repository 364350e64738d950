/* warn_lists.h - what the rows of one switch or router get in the way of each other, said in the log at the change that brings it
 * (room 1 of docs/architecture.md). What is told is lib/validate/lists.h's, as in "weft-nbctl check"; this finds the lists that a change
 * set touches and keeps the cost of looking bounded.
 */
#pragma once

#include "replica/replica.h"

struct warn_lists;

/* NB is borrowed. */
struct warn_lists *warn_lists_new(const struct replica *nb);
void warn_lists_free(struct warn_lists *w);
/* A change set that NB has taken. Warns, at most 10 times a minute. Not looked at: lists of more than 500 rows (rules: 100), what comes
 * after 1,000 rows (a rule counts as 5) in one change set, and where rows change of which the owner does not: of a list more than 4 of
 * them, or one of more than 2,000 owners. */
void warn_lists_take(struct warn_lists *w, const struct changeset *cs);
