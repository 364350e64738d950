/* flow_walk.c - see flow_walk.h. */
#include "switchd/flow_walk.h"

#include "switchd/use_count.h"

static void range(const struct of_flow_mod *fm, unsigned *first, unsigned *last)
{
    bool all = fm->table_id == OF_TABLE_ALL;
    *first = all ? 0 : fm->table_id;
    *last = all ? N_TABLES_OPEN - 1 : fm->table_id;
}

bool flow_walk_is_worth(const struct tables *tables, const struct of_flow_mod *fm)
{
    size_t n = 0;
    unsigned first, last;
    if ((fm->command != OF_FLOW_MODIFY && fm->command != OF_FLOW_DELETE) ||
        tables->n_rules <= WALK_WORTH)
        return false;
    range(fm, &first, &last);
    for (unsigned i = first; i <= last && n <= WALK_WORTH; i++) {
        if (tables->table[i].cls.n_rules)
            n += classifier_may_select(&tables->table[i].cls, &fm->match);
    }
    return n > WALK_WORTH;
}

void flow_walk_begin(struct flow_walk *walk, struct of_flow_mod *fm)
{
    *walk = (struct flow_walk){.fm = *fm};
    of_flow_mod_init(fm, fm->command);
    range(&walk->fm, &walk->table, &walk->last);
}

void flow_walk_begin_users(struct flow_walk *walk, enum of_action_type type, uint32_t id)
{
    struct of_flow_mod all;
    of_flow_mod_init(&all, OF_FLOW_DELETE);
    all.table_id = OF_TABLE_ALL;
    flow_walk_begin(walk, &all);
    walk->user_of = type;
    walk->used = id;
}

/* The next flow of the tables, selected or not; NULL: there is none. */
static struct rule *next(struct flow_walk *walk, struct tables *tables)
{
    for (;;) {
        struct cls_rule *rule = walk->walks ? cls_cursor_next(&walk->cursor) : NULL;
        if (rule)
            return CONTAINER_OF(rule, struct rule, cls);
        if (walk->walks)
            cls_cursor_end(&walk->cursor);
        walk->walks = false;
        if (walk->table > walk->last)
            return NULL;
        struct classifier *cls = &tables->table[walk->table++].cls;
        walk->walks = cls->n_rules && classifier_may_select(cls, &walk->fm.match);
        if (walk->walks)
            cls_cursor_begin(&walk->cursor, cls, cls->next_seq);
    }
}

bool flow_walk_step(struct flow_walk *walk, struct tables *tables, int64_t now_ms,
                    struct journal *journal, int *err)
{
    struct rule *rule = next(walk, tables);
    *err = 0;
    if (!rule) {
        *err = walk->found ? 0 : tables_modify_nothing(tables, &walk->fm, now_ms, journal);
        of_flow_mod_fini(&walk->fm);
        return true;
    }
    if (!cls_cursor_selects(&walk->cursor, &rule->cls, &walk->fm.match) ||
        !tables_selects(tables, rule, &walk->fm) ||
        (walk->user_of && !rule_uses(rule, walk->user_of, walk->used)))
        return false;
    walk->found = true;
    if (walk->fm.command == OF_FLOW_DELETE)
        tables_remove(tables, rule, walk->user_of ? uses_reason(walk->user_of) : OF_REMOVED_DELETE,
                      journal);
    else
        tables_modify(tables, rule, &walk->fm, now_ms, journal);
    return false;
}
