/* table_journal.c - journals of changes of flow tables, kept or undone; see table.h. */
#include <stdlib.h>
#include <string.h>

#include "switchd/table_policy.h"
#include "switchd/table_private.h"

static void change_fini(struct table_change *c)
{
    if (c->old)
        rule_unref(c->old);
    if (c->new)
        rule_unref(c->new);
    free(c->match);
    *c = (struct table_change){0};
}

void journal_keep(struct journal *journal, size_t i, struct tables *tables)
{
    struct table_change *c = &journal->changes.data[i];
    if (c->is_later) {
        table_of(tables, c->old)->n_going--;
        rule_take_out(tables, c->old);
    }
    if (c->new) {
        c->new->cls.from = 0;
        c->new->fresh = false;
        c->new->shown = true;
    }
    change_fini(c);
}

void journal_commit(struct journal *journal, struct tables *tables)
{
    for (size_t i = 0; i < journal->changes.n; i++)
        journal_keep(journal, i, tables);
    vec_fini(&journal->changes);
}

/* Packets have met C's old rule all the while. */
static void undo_later(struct tables *tables, struct table_change *c)
{
    table_of(tables, c->old)->n_going--;
    c->old->cls.until = CLS_FOREVER;
    if (c->kind == CHANGE_REPLACE) {
        table_of(tables, c->old)->n_coming--;
        rule_take_out(tables, c->new);
    }
    if (table_of(tables, c->old)->policy)
        table_policy_enter(table_of(tables, c->old)->policy, c->old);
    if (c->old->successor) { /* which was credited meanwhile */
        c->old->n_packets = c->new->n_packets;
        c->old->n_bytes = c->new->n_bytes;
        c->old->used_ms = c->new->used_ms;
        rule_unref(c->old->successor);
        c->old->successor = NULL;
    }
}

static void undo_now(struct tables *tables, struct table_change *c)
{
    if (c->kind == CHANGE_REMOVE) {
        struct match match;
        minimatch_expand(c->match, &match);
        classifier_restore(&table_of(tables, c->old)->cls, &c->old->cls, &match);
        rule_enter(tables, rule_ref(c->old));
        tables->n_rules++;
        table_of(tables, c->old)->n_coming += tables->by_commit;
    } else if (c->kind == CHANGE_ADD) {
        table_of(tables, c->new)->n_coming -= tables->by_commit;
        rule_take_out(tables, c->new);
    } else {
        classifier_replace(&table_of(tables, c->new)->cls, &c->new->cls, &c->old->cls,
                           c->old->conjs, c->old->cls.n_conjs);
        if (c->old->successor)
            rule_unref(c->old->successor);
        c->old->successor = NULL;
        rule_enter(tables, rule_ref(c->old));
        rule_leave(tables, c->new);
        rule_unref(c->new);
    }
}

void journal_undo_last(struct journal *journal, struct tables *tables)
{
    struct table_change *c = &vec_last(&journal->changes);
    if (c->is_later)
        undo_later(tables, c);
    else
        undo_now(tables, c);
    change_fini(c);
    journal->changes.n--;
    tables->generation++;
}

void journal_undo(struct journal *journal, struct tables *tables)
{
    while (journal->changes.n)
        journal_undo_last(journal, tables);
    vec_fini(&journal->changes);
}
