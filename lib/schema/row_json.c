/* row_json.c - values of a row from a JSON object, as files keep them; see row.h. */
#include "base/err.h"
#include "schema/row.h"

int row_set_json(struct row *row, const json_t *columns, bool is_difference, struct diag *diag)
{
    const char *name;
    json_t *json;
    json_object_foreach((json_t *)(uintptr_t)columns, name, json)
    {
        const struct schema_column *column = schema_column_find(row->table, name);
        const struct datum *value;
        if (!column || column->index == COLUMN_UUID)
            return diag_set(diag, ERR_NOT_FOUND, "table %s: no column %s", row->table->name, name);
        struct column_type type = column->type;
        bool is_scalar = !type.is_map && type.n_max == 1;
        type.n_min = 0;
        if (!is_scalar)
            type.n_max = SCHEMA_UNLIMITED;
        int err = datum_from_json(&type, json, NULL, &value, diag);
        if (err) {
            diag_prefix(diag, "table %s: column %s: ", row->table->name, name);
            return err;
        }
        if (column->index == COLUMN_VERSION) {
            row->version = value->n ? value->atoms[0].uuid : (struct uuid){0};
            datum_unref(value);
        } else if (is_difference && !is_scalar) {
            row_set(row, column, datum_apply_difference(row_get(row, column), value));
            datum_unref(value);
        } else {
            row_set(row, column, value);
        }
    }
    return 0;
}
