/* cursor.h - walks the rules of a classifier in insertion order, a few at a time, while rules come and go between the steps.
 *
 * It promises that a rule which is there all the while is met exactly once, also when it is replaced meanwhile or taken out and put back
 * (classifier_restore). A rule that is inserted after the beginning is not met, so that the walk ends however many come.
 */
#pragma once

#include "classifier/classifier.h"

struct cls_cursor {
    struct list node; /* in classifier.cursors */
    struct classifier *cls;
    struct list *next;     /* in classifier.rules; the head: the end */
    uint64_t seq, end_seq; /* rules before SEQ have been met; those from END_SEQ on are too new */
    const struct cls_subtable *
        covered; /* the last one whose mask was found to have all of the match's bits; NULL: none */
};

/* END_SEQ: the next_seq of CLS when the walk of which this is a part began. */
void cls_cursor_begin(struct cls_cursor *cursor, struct classifier *cls, uint64_t end_seq);
/* The next rule, or NULL at the end. It may be removed before the next step. */
struct cls_rule *cls_cursor_next(struct cls_cursor *cursor);
/* Whether RULE, just met, has MATCH or a more specific one. */
bool cls_cursor_selects(struct cls_cursor *cursor, const struct cls_rule *rule,
                        const struct match *match);
/* Before CLS is finished; a second time is harmless. */
void cls_cursor_end(struct cls_cursor *cursor);

/* For classifier.c: RULE is about to leave (NEW takes its place, or NULL), RULE has been put back. */
void cls_cursors_removing(struct classifier *cls, const struct cls_rule *rule,
                          struct cls_rule *new_);
void cls_cursors_restored(struct classifier *cls, struct cls_rule *rule);
