/* find.c - switches, routers and ports by what people call them: a uuid or a name. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "tools/nbctl/nbctl.h"

struct kind {
    const char *table, *word, *plural;
};

static int find(struct ctl_call *call, const struct kind *kind, const char *id, bool must_exist,
                const struct row **ret)
{
    const struct schema_table *table = view_table(call->view, kind->table);
    struct uuid uuid;
    bool is_uuid = uuid_parse(id, &uuid);
    *ret = is_uuid ? view_find(call->view, table, &uuid) : NULL;
    if (*ret)
        return 0;
    struct row_list rows = view_by_name(call->view, table, id);
    size_t n = rows.n;
    *ret = n ? rows.rows[0] : NULL;
    row_list_fini(&rows);
    if (n > 1)
        return ctl_fail(call, "Multiple %s named '%s'.  Use a UUID.", kind->plural, id);
    if (!n && must_exist)
        return ctl_fail(call, "%s: %s %s not found", id, kind->word, is_uuid ? "UUID" : "name");
    return 0;
}

int nb_switch_find(struct ctl_call *call, const char *id, bool must_exist, const struct row **ret)
{
    static const struct kind kind = {"Logical_Switch", "switch", "logical switches"};
    return find(call, &kind, id, must_exist, ret);
}

int nb_port_find(struct ctl_call *call, const char *id, bool must_exist, const struct row **ret)
{
    static const struct kind kind = {"Logical_Switch_Port", "port", "logical switch ports"};
    return find(call, &kind, id, must_exist, ret);
}

int nb_router_find(struct ctl_call *call, const char *id, bool must_exist, const struct row **ret)
{
    static const struct kind kind = {"Logical_Router", "router", "logical routers"};
    return find(call, &kind, id, must_exist, ret);
}

int nb_router_port_find(struct ctl_call *call, const char *id, bool must_exist,
                        const struct row **ret)
{
    static const struct kind kind = {"Logical_Router_Port", "port", "logical router ports"};
    return find(call, &kind, id, must_exist, ret);
}

const struct row *nb_owner(struct ctl_call *call, const char *table, const struct row *port)
{
    struct row_list rows = view_any_rows(call->view, view_table(call->view, table));
    const struct row *owner = NULL;
    for (size_t i = 0; i < rows.n && !owner; i++)
        if (row_refers_to(rows.rows[i], "ports", &port->uuid))
            owner = rows.rows[i];
    row_list_fini(&rows);
    return owner;
}

void nb_delete_with(struct ctl_call *call, const struct row *owner, const char *column)
{
    struct row_list rows = view_referenced(call->view, owner, column);
    for (size_t i = 0; i < rows.n; i++)
        view_delete(call->view, rows.rows[i]);
    row_list_fini(&rows);
    view_delete(call->view, owner);
}

void nb_put_names(struct ctl_call *call, const struct row_list *rows)
{
    char uuid[UUID_TEXT_LEN + 1];
    for (size_t i = 0; i < rows->n; i++)
        str_putf(&call->out, "%s (%s)\n", uuid_print(&rows->rows[i]->uuid, uuid),
                 row_text(rows->rows[i], "name"));
}

int nb_parse_enabled(struct ctl_call *call, const char *text, bool *ret)
{
    *ret = !strcmp(text, "enabled");
    if (*ret || !strcmp(text, "disabled"))
        return 0;
    return ctl_fail(call, "%s: state must be \"enabled\" or \"disabled\"", text);
}

void nb_set_options(struct ctl_call *call, const struct row *row, const char *column, char **words,
                    int n)
{
    row = view_clear(call->view, row, column);
    for (int i = 0; i < n; i++) {
        const char *equals = strchr(words[i], '=');
        if (!equals)
            continue; /* as the field's tool: a word without a value says nothing */
        char *key = xstrndup(words[i], (size_t)(equals - words[i]));
        row = view_set_key(call->view, row, column, key, equals + 1);
        free(key);
    }
}
