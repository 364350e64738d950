/* type.c - constraints of columns: checking values, defaults, and types in words.
 *
 * See schema.h. The sentences are those that users of OVSDB know from other servers.
 */
#include <math.h>

#include "base/err.h"
#include "schema/schema.h"

static int check_integer(const struct base_type *type, int64_t i, struct diag *diag)
{
    bool has_min = type->min_integer > INT64_MIN, has_max = type->max_integer < INT64_MAX;
    long long n = i, min = type->min_integer, max = type->max_integer;
    if (i >= type->min_integer && i <= type->max_integer)
        return 0;
    if (has_min && has_max)
        return diag_set(diag, ERR_CONSTRAINT,
                        "%lld is not in the valid range %lld to %lld (inclusive)", n, min, max);
    if (has_min)
        return diag_set(diag, ERR_CONSTRAINT, "%lld is less than minimum allowed value %lld", n,
                        min);
    return diag_set(diag, ERR_CONSTRAINT, "%lld is greater than maximum allowed value %lld", n,
                    max);
}

static int check_real(const struct base_type *type, double r, struct diag *diag)
{
    bool has_min = type->min_real > -INFINITY, has_max = type->max_real < INFINITY;
    if (r >= type->min_real && r <= type->max_real)
        return 0;
    if (has_min && has_max)
        return diag_set(diag, ERR_CONSTRAINT,
                        "%.15g is not in the valid range %.15g to %.15g (inclusive)", r,
                        type->min_real, type->max_real);
    if (has_min)
        return diag_set(diag, ERR_CONSTRAINT, "%.15g is less than minimum allowed value %.15g", r,
                        type->min_real);
    return diag_set(diag, ERR_CONSTRAINT, "%.15g is greater than maximum allowed value %.15g", r,
                    type->max_real);
}

/* Characters of UTF-8 text: bytes that do not continue one. */
static size_t text_length(const struct rstr *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->n; i++)
        n += ((unsigned char)s->s[i] & 0xc0) != 0x80;
    return n;
}

static int check_string(const struct base_type *type, const struct rstr *s, struct diag *diag)
{
    if (type->min_length == 0 && type->max_length >= s->n)
        return 0;
    size_t n = text_length(s);
    if (n < type->min_length)
        return diag_set(diag, ERR_CONSTRAINT,
                        "\"%s\" length %zu is less than minimum allowed length %u", s->s, n,
                        type->min_length);
    if (n > type->max_length)
        return diag_set(diag, ERR_CONSTRAINT,
                        "\"%s\" length %zu is greater than maximum allowed length %u", s->s, n,
                        type->max_length);
    return 0;
}

static int enum_error(const struct base_type *type, const union atom *atom, struct diag *diag)
{
    struct str value = STR_INIT, allowed = STR_INIT;
    atom_print(type->type, atom, &value);
    datum_print(type->enumeration, &allowed);
    diag_set(diag, ERR_CONSTRAINT, "%s is not one of the allowed values (%s)", str_c(&value),
             str_c(&allowed));
    str_fini(&value);
    str_fini(&allowed);
    return ERR_CONSTRAINT;
}

int base_type_check(const struct base_type *type, const union atom *atom, struct diag *diag)
{
    if (type->enumeration)
        return datum_find(type->enumeration, atom) < 0 ? enum_error(type, atom, diag) : 0;
    switch (type->type) {
    case ATOM_INTEGER:
        return check_integer(type, atom->integer, diag);
    case ATOM_REAL:
        return check_real(type, atom->real, diag);
    case ATOM_STRING:
        return check_string(type, atom->string, diag);
    case ATOM_BOOLEAN:
    case ATOM_UUID:
        return 0;
    }
    bug("atom type %d", type->type);
}

/* False when every atom of the type is allowed, so that checks can be skipped. */
static bool is_constrained(const struct base_type *type)
{
    return type->enumeration || type->min_integer > INT64_MIN || type->max_integer < INT64_MAX ||
           type->min_real > -INFINITY || type->max_real < INFINITY || type->min_length > 0 ||
           type->max_length < UINT32_MAX;
}

static int check_atoms(const struct base_type *type, const union atom *atoms, size_t n,
                       struct diag *diag)
{
    if (!is_constrained(type))
        return 0;
    for (size_t i = 0; i < n; i++) {
        int err = base_type_check(type, &atoms[i], diag);
        if (err)
            return err;
    }
    return 0;
}

int column_type_check(const struct column_type *type, const struct datum *value, struct diag *diag)
{
    if (value->n < type->n_min || value->n > type->n_max) {
        struct str words = STR_INIT;
        column_type_print(type, &words);
        diag_set(diag, ERR_CONSTRAINT, "Attempted to store %u elements in %s.", value->n,
                 str_c(&words));
        str_fini(&words);
        return ERR_CONSTRAINT;
    }
    int err = check_atoms(&type->key, value->atoms, value->n, diag);
    if (!err && type->is_map)
        err = check_atoms(&type->value, datum_values(value), value->n, diag);
    return err;
}

static void print_count(const struct column_type *type, struct str *out)
{
    if (type->n_max == SCHEMA_UNLIMITED) {
        if (type->n_min)
            str_putf(out, "%u or more ", type->n_min);
    } else if (type->n_min) {
        str_putf(out, "%u to %u ", type->n_min, type->n_max);
    } else {
        str_putf(out, "up to %u ", type->n_max);
    }
}

void column_type_print(const struct column_type *type, struct str *out)
{
    const char *key = atom_type_name(type->key.type);
    if (column_type_is_scalar(type)) {
        str_put(out, key);
        return;
    }
    str_put(out, type->is_map ? "map of " : "set of ");
    print_count(type, out);
    if (type->is_map)
        str_putf(out, "(%s, %s) pairs", key, atom_type_name(type->value.type));
    else
        str_putf(out, "%ss", key);
}
