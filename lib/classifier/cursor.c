/* cursor.c - see cursor.h. A cursor holds the link that comes next; the classifier tells it when that link leaves. */
#include "classifier/cursor.h"

#include "classifier/subtable.h"

void cls_cursor_begin(struct cls_cursor *c, struct classifier *cls, uint64_t end_seq)
{
    *c = (struct cls_cursor){.cls = cls, .next = cls->rules.next, .end_seq = end_seq};
    list_push_back(&cls->cursors, &c->node);
}

void cls_cursor_end(struct cls_cursor *c)
{
    if (c->cls)
        list_remove(&c->node);
    c->cls = NULL;
}

struct cls_rule *cls_cursor_next(struct cls_cursor *c)
{
    if (c->next == &c->cls->rules)
        return NULL;
    struct cls_rule *rule = CONTAINER_OF(c->next, struct cls_rule, order);
    if (rule->seq >= c->end_seq)
        return NULL;
    c->next = c->next->next;
    c->seq = rule->seq + 1;
    return rule;
}

bool cls_cursor_selects(struct cls_cursor *c, const struct cls_rule *rule,
                        const struct match *match)
{
    const struct cls_subtable *st = rule->subtable;
    if (st != c->covered && !subtable_covers(st, match))
        return false;
    c->covered = st;
    return subtable_rule_agrees(rule, match);
}

void cls_cursors_removing(struct classifier *cls, const struct cls_rule *rule,
                          struct cls_rule *new_)
{
    struct cls_cursor *c;
    LIST_FOR_EACH (c, node, &cls->cursors) {
        c->covered = NULL; /* the subtable may go with it */
        if (c->next == &rule->order)
            c->next = new_ ? &new_->order : rule->order.next;
    }
}

void cls_cursors_restored(struct classifier *cls, struct cls_rule *rule)
{
    struct cls_cursor *c;
    LIST_FOR_EACH (c, node, &cls->cursors) {
        bool at_end = c->next == &cls->rules;
        if (rule->seq >= c->seq &&
            (at_end || CONTAINER_OF(c->next, struct cls_rule, order)->seq > rule->seq))
            c->next = &rule->order;
    }
}
