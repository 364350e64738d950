/* rule.c - lists of rules: ACLs and QoS rules of a switch or port group, policies of a router. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "tools/nbctl/nbctl.h"

static bool is_meant(const struct row *row, const struct nb_rule *rule)
{
    if (rule->direction && strcmp(row_text(row, "direction"), rule->direction))
        return false;
    if (rule->priority >= 0 && row_integer(row, "priority", 0) != rule->priority)
        return false;
    return !rule->match || !strcmp(row_text(row, "match"), rule->match);
}

const struct row *nb_rule_find(struct ctl_call *call, const struct row *owner, const char *column,
                               const struct nb_rule *rule)
{
    struct row_list rows = view_referenced(call->view, owner, column);
    const struct row *found = NULL;
    for (size_t i = 0; i < rows.n && !found; i++)
        if (is_meant(rows.rows[i], rule))
            found = rows.rows[i];
    row_list_fini(&rows);
    return found;
}

const struct row *nb_rule_insert(struct ctl_call *call, const struct row *owner, const char *column,
                                 const struct nb_rule *rule)
{
    const struct row *row = nb_insert_into(call, owner, column);
    if (rule->direction)
        row = view_set_text(call->view, row, "direction", rule->direction);
    row = view_set_integer(call->view, row, "priority", rule->priority);
    return view_set_text(call->view, row, "match", rule->match);
}

void nb_rule_delete(struct ctl_call *call, const struct row *owner, const char *column,
                    const struct nb_rule *rule)
{
    struct row_list rows = view_referenced(call->view, owner, column);
    for (size_t i = 0; i < rows.n; i++)
        if (is_meant(rows.rows[i], rule))
            nb_delete_from(call, owner, column, rows.rows[i]);
    row_list_fini(&rows);
}

static int compare_rules(const void *a_, const void *b_)
{
    const struct row *a = *(const struct row *const *)a_, *b = *(const struct row *const *)b_;
    if (schema_column_find(a->table, "direction")) {
        int c = strcmp(row_text(a, "direction"), row_text(b, "direction"));
        if (c)
            return c;
    }
    int64_t x = row_integer(a, "priority", 0), y = row_integer(b, "priority", 0);
    return x != y ? (x < y) - (x > y) : strcmp(row_text(a, "match"), row_text(b, "match"));
}

struct row_list nb_rules(struct ctl_call *call, const struct row *owner, const char *column)
{
    struct row_list rows = view_referenced(call->view, owner, column);
    if (rows.n)
        qsort(rows.rows, rows.n, sizeof *rows.rows, compare_rules);
    return rows;
}

int nb_rule_parse(struct ctl_call *call, int from, struct nb_rule *rule)
{
    char **argv = call->argv + from;
    int argc = call->argc - from;
    *rule = (struct nb_rule){.priority = -1};
    int err = argc > 0 ? nb_parse_direction(call, "direction", argv[0], &rule->direction) : 0;
    if (!err && argc == 2)
        return ctl_fail(call, "cannot specify priority without match");
    if (!err && argc > 2) {
        err = nb_parse_priority(call, argv[1], &rule->priority);
        rule->match = argv[2];
    }
    return err;
}
