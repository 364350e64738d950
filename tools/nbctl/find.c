/* find.c - rows by what people call them: a uuid or a name. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "tools/nbctl/nbctl.h"

const struct nb_kind nb_switch = {"Logical_Switch", "switch", "logical switches"},
                     nb_port = {"Logical_Switch_Port", "port", "logical switch ports"},
                     nb_router = {"Logical_Router", "router", "logical routers"},
                     nb_router_port = {"Logical_Router_Port", "port", "logical router ports"},
                     nb_load_balancer = {"Load_Balancer", "load balancer", "load balancers"},
                     nb_port_group = {"Port_Group", "port group", "port groups"},
                     nb_ha_group = {"HA_Chassis_Group", "ha_chassi_group", "HA chassis groups"},
                     nb_address_set = {"Address_Set", "Address Set", "address sets"},
                     nb_mirror = {"Mirror", "mirror", "mirrors"},
                     nb_copp = {"Copp", "copp", "copp rows"},
                     nb_dhcp_options = {"DHCP_Options", "dhcp options", "DHCP options"};

struct row_list nb_find_all(struct ctl_call *call, const struct nb_kind *kind, const char *id)
{
    const struct schema_table *table = view_table(call->view, kind->table);
    struct uuid uuid;
    const struct row *row = uuid_parse(id, &uuid) ? view_find(call->view, table, &uuid) : NULL;
    if (!row)
        return view_by_name(call->view, table, id);
    struct row_list one = {xcalloc(1, sizeof *one.rows), 1};
    one.rows[0] = row;
    return one;
}

int nb_find(struct ctl_call *call, const struct nb_kind *kind, const char *id, bool must_exist,
            const struct row **ret)
{
    struct uuid uuid;
    struct row_list rows = nb_find_all(call, kind, id);
    size_t n = rows.n;
    *ret = n ? rows.rows[0] : NULL;
    row_list_fini(&rows);
    if (n > 1)
        return ctl_fail(call, "Multiple %s named '%s'.  Use a UUID.", kind->plural, id);
    if (!n && must_exist)
        return ctl_fail(call, "%s: %s %s not found", id, kind->word,
                        uuid_parse(id, &uuid) ? "UUID" : "name");
    return 0;
}

const struct row *nb_owner(struct ctl_call *call, const char *table, const char *column,
                           const struct row *row)
{
    struct row_list rows =
        view_referrers(call->view, view_table(call->view, table), column, &row->uuid);
    const struct row *owner = rows.n ? rows.rows[0] : NULL;
    row_list_fini(&rows);
    return owner;
}

const struct row *nb_find_in(struct ctl_call *call, const struct row *owner, const char *refs,
                             const char *column, const char *text)
{
    struct row_list rows = view_referenced(call->view, owner, refs);
    const struct row *found = NULL;
    for (size_t i = 0; i < rows.n && !found; i++)
        if (!strcmp(row_text(rows.rows[i], column), text))
            found = rows.rows[i];
    row_list_fini(&rows);
    return found;
}

void nb_delete_with(struct ctl_call *call, const struct row *owner, const char *column)
{
    struct row_list rows = view_referenced(call->view, owner, column);
    for (size_t i = 0; i < rows.n; i++)
        view_delete(call->view, rows.rows[i]);
    row_list_fini(&rows);
    view_delete(call->view, owner);
}

void nb_delete_from(struct ctl_call *call, const struct row *owner, const char *column,
                    const struct row *row)
{
    if (owner)
        view_remove_ref(call->view, owner, column, &row->uuid);
    view_delete(call->view, row);
}

const struct row *nb_insert_into(struct ctl_call *call, const struct row *owner, const char *column)
{
    const struct schema_table *table = row_column(owner, column)->type.key.ref_table;
    const struct row *row = view_insert(call->view, table);
    view_add_ref(call->view, owner, column, row);
    return row;
}

void nb_put_names(struct ctl_call *call, const struct row_list *rows)
{
    char uuid[UUID_TEXT_LEN + 1];
    for (size_t i = 0; i < rows->n; i++)
        str_putf(&call->out, "%s (%s)\n", uuid_print(&rows->rows[i]->uuid, uuid),
                 row_text(rows->rows[i], "name"));
}

int nb_list_names(struct ctl_call *call, const struct nb_kind *kind, const char *column)
{
    const struct row *owner;
    int err = nb_find(call, kind, call->argv[0], true, &owner);
    if (err)
        return err;
    struct row_list rows = view_referenced(call->view, owner, column);
    nb_put_names(call, &rows);
    row_list_fini(&rows);
    return 0;
}
