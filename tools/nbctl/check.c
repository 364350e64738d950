/* check.c - "check": what in the database can never work, refers to nobody, never applies, or is there twice. */
#include <string.h>

#include "base/err.h"
#include "tools/nbctl/nbctl.h"
#include "validate/lists.h"

struct check {
    struct ctl_call *call;
    struct validate *validate;
    size_t n_errors, n_warnings;
};

static bool exists(void *check_, const char *table_name, const char *name)
{
    struct view *view = ((struct check *)check_)->call->view;
    struct row_list rows = view_by_name(view, view_table(view, table_name), name);
    bool found = rows.n > 0;
    row_list_fini(&rows);
    return found;
}

static void on_warning(void *check_, const char *sentence)
{
    struct check *check = check_;
    str_putf(&check->call->out, "warning: %s\n", sentence);
    check->n_warnings++;
}

static void check_rows(struct check *check, const struct schema_table *table)
{
    const struct validate_names names = {check, exists};
    struct row_list rows = view_rows(check->call->view, table);
    for (size_t i = 0; i < rows.n; i++) {
        struct diag diag = DIAG_INIT;
        if (validate_row(check->validate, NULL, rows.rows[i], &diag)) {
            str_putf(&check->call->out, "error: %s\n", diag_text(&diag));
            check->n_errors++;
        }
        diag_fini(&diag);
        validate_row_names(check->validate, NULL, rows.rows[i], &names, on_warning, check);
    }
    row_list_fini(&rows);
}

static const struct row *find(void *check, const struct schema_table *table,
                              const struct uuid *uuid)
{
    return view_find(((struct check *)check)->call->view, table, uuid);
}

/* One list of each row that owns it. */
static void check_list(struct check *check, const struct validate_list *list)
{
    struct view *view = check->call->view;
    struct row_list owners = view_rows(view, view_table(view, list->owner));
    const struct validate_list_world world = {check, find, NULL, on_warning};
    for (size_t i = 0; i < owners.n; i++)
        validate_list(check->validate, list, NULL, owners.rows[i], &world);
    row_list_fini(&owners);
}

static int prepare(struct ctl_call *call)
{
    const struct schema *schema = ctl_schema(call->ctl);
    for (size_t i = 0; i < schema->n_tables; i++)
        ctl_need(call->ctl, &schema->tables[i]);
    return 0;
}

static int run_check(struct ctl_call *call)
{
    const struct schema *schema = view_schema(call->view);
    struct check check = {.call = call, .validate = validate_new(schema)};
    for (size_t i = 0; i < schema->n_tables; i++)
        check_rows(&check, &schema->tables[i]);
    for (size_t i = 0; i < validate_n_lists; i++)
        check_list(&check, &validate_lists[i]);
    validate_free(check.validate);
    if (check.n_errors)
        ctl_set_status(call, 1);
    return 0;
}

const struct ctl_command nb_check_commands[] = {
    {"check", 0, 0, "", NULL, NULL, prepare, run_check,
     "print what is malformed, refers to nobody, never applies or is there twice; status 1 when "
     "malformed"},
    {0},
};
