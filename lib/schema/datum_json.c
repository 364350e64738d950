/* datum_json.c - values of columns from and to JSON (RFC 7047 section 5.1).
 *
 * See schema.h and op.h. Nothing here recurses: a value is at most a list of pairs of atoms. What is
 * allocated is bounded by the text that was parsed.
 */
#include <stdlib.h>

#include "base/err.h"
#include "base/vec.h"
#include "schema/op.h"

/* JSON is [WORD, x]; returns x, else NULL. */
static const json_t *tagged(const json_t *json, const char *word)
{
    const char *first = json_string_value(json_array_get(json, 0));
    return json_array_size(json) == 2 && first && !strcmp(first, word) ? json_array_get(json, 1)
                                                                       : NULL;
}

static int integer_from_json(const json_t *json, int64_t *ret, struct op_error *error)
{
    if (json_is_integer(json)) {
        *ret = json_integer_value(json);
        return 0;
    }
    double real = json_real_value(json);
    if (!json_is_real(json) || real < -0x1p63 || real >= 0x1p63 || real != (double)(int64_t)real)
        return op_error_set(error, "syntax error", json, "expected integer");
    *ret = (int64_t)real;
    return 0;
}

static int uuid_from_json(const json_t *json, struct symbol_source *names, struct uuid *ret,
                          struct op_error *error)
{
    const char *text = json_string_value(tagged(json, "uuid"));
    const char *name = names ? json_string_value(tagged(json, "named-uuid")) : NULL;
    if (text) {
        if (uuid_parse(text, ret))
            return 0;
        return op_error_set(error, "syntax error", json, "\"%s\" is not a valid UUID", text);
    }
    if (!name)
        return op_error_set(error, "syntax error", json, "expected [\"uuid\", <string>]");
    struct diag diag = DIAG_INIT;
    if (names->resolve(names, name, ret, &diag))
        op_error_set(error, "syntax error", json, "%s", diag_text(&diag));
    int err = diag.code;
    diag_fini(&diag);
    return err;
}

static int atom_parse(enum atom_type type, const json_t *json, struct symbol_source *names,
                      union atom *ret, struct op_error *error)
{
    switch (type) {
    case ATOM_INTEGER:
        return integer_from_json(json, &ret->integer, error);
    case ATOM_REAL:
        if (!json_is_number(json))
            return op_error_set(error, "syntax error", json, "expected real");
        ret->real = json_number_value(json);
        if (ret->real == 0)
            ret->real = 0; /* not -0 */
        return 0;
    case ATOM_BOOLEAN:
        if (!json_is_boolean(json))
            return op_error_set(error, "syntax error", json, "expected boolean");
        ret->boolean = json_is_true(json);
        return 0;
    case ATOM_STRING:
        if (!json_is_string(json))
            return op_error_set(error, "syntax error", json, "expected string");
        ret->string = rstr_new_n(json_string_value(json), json_string_length(json));
        return 0;
    case ATOM_UUID:
        return uuid_from_json(json, names, &ret->uuid, error);
    }
    bug("atom type %d", type);
}

static int atom_from_json(const struct base_type *type, const json_t *json,
                          struct symbol_source *names, union atom *ret, struct op_error *error)
{
    int err = atom_parse(type->type, json, names, ret, error);
    if (err)
        return err;
    struct diag diag = DIAG_INIT;
    err = base_type_check(type, ret, &diag);
    if (err) {
        op_error_set(error, "constraint violation", NULL, "%s", diag_text(&diag));
        atom_unref(type->type, ret);
    }
    diag_fini(&diag);
    return err;
}

/* JSON is an array that begins with WORD. */
static bool begins_with(const json_t *json, const char *word)
{
    const char *first = json_string_value(json_array_get(json, 0));
    return first && !strcmp(first, word);
}

static int count_error(const struct column_type *type, const json_t *json, size_t n,
                       struct op_error *error)
{
    const char *word = type->is_map ? "map" : "set";
    if (type->n_min == type->n_max)
        return op_error_set(error, "syntax error", json,
                            "%s must have exactly one member but %zu are present", word, n);
    return op_error_set(error, "syntax error", json,
                        "%s must have %u to %u members but %zu are present", word, type->n_min,
                        type->n_max, n);
}

/* Atoms on their way into a datum. */
struct atoms {
    VEC(union atom) keys;
    VEC(union atom) values;
};

static void atoms_fini(struct atoms *atoms, const struct column_type *type)
{
    for (size_t i = 0; i < atoms->keys.n; i++)
        atom_unref(type->key.type, &atoms->keys.data[i]);
    for (size_t i = 0; i < atoms->values.n; i++)
        atom_unref(type->value.type, &atoms->values.data[i]);
    vec_fini(&atoms->keys);
    vec_fini(&atoms->values);
}

static int read_pair(const struct column_type *type, const json_t *json,
                     struct symbol_source *names, struct atoms *atoms, struct op_error *error)
{
    union atom key, value;
    if (json_array_size(json) != 2)
        return op_error_set(error, "syntax error", json, "expected 2-element array");
    int err = atom_from_json(&type->key, json_array_get(json, 0), names, &key, error);
    if (err)
        return err;
    vec_push(&atoms->keys, key);
    err = atom_from_json(&type->value, json_array_get(json, 1), names, &value, error);
    if (!err)
        vec_push(&atoms->values, value);
    return err;
}

static int read_atoms(const struct column_type *type, const json_t *list,
                      struct symbol_source *names, struct atoms *atoms, struct op_error *error)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *json = json_array_get(list, i);
        if (type->is_map) {
            int err = read_pair(type, json, names, atoms, error);
            if (err)
                return err;
        } else {
            union atom key;
            int err = atom_from_json(&type->key, json, names, &key, error);
            if (err)
                return err;
            vec_push(&atoms->keys, key);
        }
    }
    return 0;
}

static int finish(const struct column_type *type, struct atoms *atoms, const struct datum **ret,
                  struct op_error *error)
{
    struct diag diag = DIAG_INIT;
    uint8_t value_type = type->is_map ? (uint8_t)type->value.type : DATUM_SET;
    int err =
        datum_new_checked(type->key.type, value_type, atoms->keys.data,
                          type->is_map ? atoms->values.data : NULL, atoms->keys.n, ret, &diag);
    if (err)
        op_error_set(error, "ovsdb error", NULL, "%s contains duplicate%s",
                     type->is_map ? "map" : "set", type->is_map ? " key" : "");
    vec_clear(&atoms->keys); /* they belong to the datum now, or are gone */
    vec_clear(&atoms->values);
    diag_fini(&diag);
    return err;
}

static int list_from_json(const struct column_type *type, const json_t *json, const json_t *list,
                          struct symbol_source *names, const struct datum **ret,
                          struct op_error *error)
{
    struct atoms atoms = {VEC_INIT, VEC_INIT};
    size_t n = json_array_size(list);
    if (n < type->n_min || n > type->n_max)
        return count_error(type, json, n, error);
    int err = read_atoms(type, list, names, &atoms, error);
    if (!err)
        err = finish(type, &atoms, ret, error);
    atoms_fini(&atoms, type);
    return err;
}

int value_from_json(const struct column_type *type, const json_t *json, struct symbol_source *names,
                    const struct datum **ret, struct op_error *error)
{
    const char *word = type->is_map ? "map" : "set";
    const json_t *list = tagged(json, word);
    if (json_is_array(list))
        return list_from_json(type, json, list, names, ret, error);
    if (type->is_map || begins_with(json, word))
        return op_error_set(error, "syntax error", json, "expected [\"%s\", <array>]", word);
    union atom atom;
    int err = atom_from_json(&type->key, json, names, &atom, error);
    if (!err)
        *ret = datum_new_set(type->key.type, &atom, 1);
    return err;
}

int datum_from_json(const struct column_type *type, const json_t *json, struct symbol_source *names,
                    const struct datum **ret, struct diag *diag)
{
    struct op_error error = {0};
    int err = value_from_json(type, json, names, ret, &error);
    if (err)
        diag_set(diag, err, "%s%s%s", error.syntax ? error.syntax : "", error.syntax ? ": " : "",
                 error.details);
    op_error_fini(&error);
    return err;
}

/* ---- output ---- */

static json_t *atom_to_json(enum atom_type type, const union atom *atom)
{
    char buf[UUID_TEXT_LEN + 1];
    switch (type) {
    case ATOM_INTEGER:
        return json_integer(atom->integer);
    case ATOM_REAL:
        return json_real(atom->real);
    case ATOM_BOOLEAN:
        return json_boolean(atom->boolean);
    case ATOM_STRING:
        return json_stringn(atom->string->s, atom->string->n);
    case ATOM_UUID:
        return json_pack("[ss]", "uuid", uuid_print(&atom->uuid, buf));
    }
    bug("atom type %d", type);
}

json_t *datum_to_json(const struct datum *d)
{
    if (!datum_is_map(d) && d->n == 1)
        return atom_to_json(d->key_type, &d->atoms[0]);
    json_t *list = json_array();
    for (size_t i = 0; i < d->n; i++) {
        json_t *item = atom_to_json(d->key_type, &d->atoms[i]);
        if (datum_is_map(d))
            item = json_pack("[oo]", item, atom_to_json(d->value_type, &datum_values(d)[i]));
        json_array_append_new(list, item);
    }
    return json_pack("[so]", datum_is_map(d) ? "map" : "set", list);
}

static void atom_put_json(enum atom_type type, const union atom *atom, struct str *out)
{
    char buf[UUID_TEXT_LEN + 1];
    switch (type) {
    case ATOM_INTEGER:
        str_putf(out, "%lld", (long long)atom->integer);
        break;
    case ATOM_REAL:
        json_text_put_real(atom->real, out);
        break;
    case ATOM_BOOLEAN:
        str_put(out, atom->boolean ? "true" : "false");
        break;
    case ATOM_STRING:
        json_put_string(atom->string->s, atom->string->n, out);
        break;
    case ATOM_UUID:
        str_put(out, "[\"uuid\",\"");
        str_put_n(out, uuid_print(&atom->uuid, buf), UUID_TEXT_LEN);
        str_put(out, "\"]");
        break;
    }
}

static void put_element(const struct datum *d, size_t i, struct str *out)
{
    if (!datum_is_map(d)) {
        atom_put_json(d->key_type, &d->atoms[i], out);
        return;
    }
    str_putc(out, '[');
    atom_put_json(d->key_type, &d->atoms[i], out);
    str_putc(out, ',');
    atom_put_json(d->value_type, &datum_values(d)[i], out);
    str_putc(out, ']');
}

void datum_put_json(const struct datum *d, struct str *out)
{
    if (!datum_is_map(d) && d->n == 1) {
        put_element(d, 0, out);
        return;
    }
    str_put(out, datum_is_map(d) ? "[\"map\",[" : "[\"set\",[");
    for (size_t i = 0; i < d->n; i++) {
        if (i)
            str_putc(out, ',');
        put_element(d, i, out);
    }
    str_put(out, "]]");
}

void datum_put_json_difference(const struct datum *before, const struct datum *after,
                               struct str *out)
{
    size_t i = 0, j = 0, n = 0;
    str_put(out, datum_is_map(before) ? "[\"map\",[" : "[\"set\",[");
    while (i < before->n || j < after->n) {
        int c = i == before->n ? 1
                : j == after->n
                    ? -1
                    : atom_compare(before->key_type, &before->atoms[i], &after->atoms[j]);
        bool is_same = !c && (!datum_is_map(before) ||
                              !atom_compare(before->value_type, &datum_values(before)[i],
                                            &datum_values(after)[j]));
        if (!is_same && n++)
            str_putc(out, ',');
        if (c < 0)
            put_element(before, i, out);
        else if (!is_same)
            put_element(after, j, out);
        i += c <= 0;
        j += c >= 0;
    }
    str_put(out, "]]");
}
