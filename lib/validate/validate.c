/* validate.c - see validate.h: one row, column by column as checks.def and keys.def say. */
#include "validate/validate.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "validate/internal.h"

static const struct check {
    const char *table, *column;
    validate_form *form;
} checks[] = {
#define CHECK(TABLE, COLUMN, FORM) {TABLE, COLUMN, validate_##FORM},
#include "validate/checks.def"
#undef CHECK
};

static const struct key_check {
    const char *table, *column, *key;
    validate_form *form;
} key_checks[] = {
#define KEY(TABLE, COLUMN, KEY, FORM) {TABLE, COLUMN, KEY, validate_##FORM},
#include "validate/keys.def"
#undef KEY
};

struct validate *validate_new(const struct schema *schema)
{
    struct validate *v = NEW(struct validate);
    v->schema = schema;
    v->symtab = symtab_new();
    v->pool = expr_pool_new(v->symtab);
    return v;
}

void validate_free(struct validate *v)
{
    if (!v)
        return;
    expr_pool_free(v->pool);
    symtab_free(v->symtab);
    free(v);
}

/* Puts "table T, row UUID, column C, position P: " in front. */
static int locate(const struct row *row, const char *column, const char *text, struct diag *diag)
{
    char uuid[UUID_TEXT_LEN + 1];
    long offset = diag ? diag->offset : -1;
    if (text)
        diag_prefix(diag, "\"%s\": ", text);
    if (offset >= 0)
        diag_prefix(diag, "position %ld: ", offset + 1);
    diag_prefix(diag, "table %s, row %s, column %s%s", row->table->name,
                uuid_print(&row->uuid, uuid), column, offset >= 0 ? ", " : ": ");
    return ERR_INVALID;
}

static int check_column(struct validate *v, const struct check *check, const struct row *before,
                        const struct row *after, struct diag *diag)
{
    const struct schema_column *column = schema_column_find(after->table, check->column);
    if (!column || column->type.key.type != ATOM_STRING)
        return 0;
    const struct datum *value = row_get(after, column);
    const struct datum *old = before ? row_get(before, column) : NULL;
    if (value == old)
        return 0;
    for (size_t i = 0, j = 0; i < value->n; i++) {
        const char *text = value->atoms[i].string->s;
        int c = 1; /* both are sorted, and what they share is the same string */
        while (old && j < old->n &&
               (c = atom_compare(ATOM_STRING, &old->atoms[j], &value->atoms[i])) < 0)
            j++;
        if (old && j < old->n && !c)
            continue;
        if (check->form(v, text, diag))
            return locate(after, check->column, text, diag);
    }
    return 0;
}

static int check_key(struct validate *v, const struct key_check *check, const struct row *before,
                     const struct row *after, struct diag *diag)
{
    const struct datum *value = validate_value(after, check->column);
    const struct datum *old = before ? validate_value(before, check->column) : NULL;
    const char *text = value ? datum_map_text(value, check->key) : NULL;
    const char *had = old ? datum_map_text(old, check->key) : NULL;
    if (!text || !*text || (had && !strcmp(had, text)) || !check->form(v, text, diag))
        return 0;
    struct str what = STR_INIT;
    str_putf(&what, "%s:%s", check->column, check->key);
    int err = locate(after, str_c(&what), text, diag);
    str_fini(&what);
    return err;
}

int validate_row(struct validate *v, const struct row *before, const struct row *after,
                 struct diag *diag)
{
    int err = 0;
    for (size_t i = 0; !err && i < ARRAY_SIZE(key_checks); i++)
        if (!strcmp(key_checks[i].table, after->table->name))
            err = check_key(v, &key_checks[i], before, after, diag);
    for (size_t i = 0; !err && i < ARRAY_SIZE(checks); i++)
        if (!strcmp(checks[i].table, after->table->name))
            err = check_column(v, &checks[i], before, after, diag);
    if (err)
        return err;
    const char *column = "";
    err = validate_combinations(v, before, after, &column, diag);
    return err ? locate(after, column, NULL, diag) : 0;
}
