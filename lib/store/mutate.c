/* mutate.c - what a mutation makes of a value (RFC 7047 section 5.1, <mutation>).
 *
 * See store_private.h. Arithmetic is checked: overflow is a range error, division by zero a domain
 * error, and elements of a set may not collide.
 */
#include "base/err.h"
#include "store/store_private.h"

static const char *const words[] = {"+=", "-=", "*=", "/=", "%=", "insert", "delete"};

static int range_error(enum mutator mutator, struct op_error *error)
{
    return op_error_set(error, "range error", NULL, "Result of \"%s\" operation is out of range.",
                        words[mutator]);
}

static int mutate_integer(enum mutator mutator, int64_t *x, int64_t y, struct op_error *error)
{
    bool overflow = false;
    if ((mutator == MUTATE_DIV || mutator == MUTATE_MOD) && y == 0)
        return op_error_set(error, "domain error", NULL, "Division by zero.");
    switch (mutator) {
    case MUTATE_ADD:
        overflow = __builtin_add_overflow(*x, y, x);
        break;
    case MUTATE_SUB:
        overflow = __builtin_sub_overflow(*x, y, x);
        break;
    case MUTATE_MUL:
        overflow = __builtin_mul_overflow(*x, y, x);
        break;
    case MUTATE_DIV:
        overflow = *x == INT64_MIN && y == -1;
        *x = overflow ? 0 : *x / y;
        break;
    case MUTATE_MOD:
        *x = y == -1 ? 0 : *x % y;
        break;
    case MUTATE_INSERT:
    case MUTATE_DELETE:
        break;
    }
    return overflow ? range_error(mutator, error) : 0;
}

static int mutate_real(enum mutator mutator, double *x, double y, struct op_error *error)
{
    if (mutator == MUTATE_DIV && y == 0)
        return op_error_set(error, "domain error", NULL, "Division by zero.");
    *x = mutator == MUTATE_ADD   ? *x + y
         : mutator == MUTATE_SUB ? *x - y
         : mutator == MUTATE_MUL ? *x * y
                                 : *x / y;
    if (*x == 0)
        *x = 0; /* not -0 */
    return __builtin_isfinite(*x) ? 0 : range_error(mutator, error);
}

static int arithmetic(const struct mutation *mutation, const struct datum *value,
                      const struct datum **ret, struct op_error *error)
{
    VEC(union atom) atoms = VEC_INIT;
    const union atom *arg = &mutation->arg->atoms[0];
    int err = 0;
    for (size_t i = 0; !err && i < value->n; i++) {
        vec_push(&atoms, value->atoms[i]);
        union atom *atom = &vec_last(&atoms);
        err = value->key_type == ATOM_INTEGER
                  ? mutate_integer(mutation->mutator, &atom->integer, arg->integer, error)
                  : mutate_real(mutation->mutator, &atom->real, arg->real, error);
    }
    if (!err)
        *ret = datum_new_set(value->key_type, atoms.data, atoms.n);
    vec_fini(&atoms);
    if (!err && (*ret)->n != value->n) {
        datum_unref(*ret);
        err = op_error_set(error, "constraint violation", NULL,
                           "Result of \"%s\" operation contains duplicates.",
                           words[mutation->mutator]);
    }
    return err;
}

int mutate_datum(const struct column_type *type, const struct mutation *mutation,
                 const struct datum *value, const struct datum **ret, struct op_error *error)
{
    struct diag diag = DIAG_INIT;
    int err = 0;
    if (mutation->mutator == MUTATE_INSERT)
        *ret = datum_union(value, mutation->arg);
    else if (mutation->mutator == MUTATE_DELETE)
        *ret = datum_subtract(value, mutation->arg);
    else
        err = arithmetic(mutation, value, ret, error);
    if (err || *ret == value)
        return err;
    err = column_type_check(type, *ret, &diag);
    if (err) {
        op_error_set(error, "constraint violation", NULL, "%s", diag_text(&diag));
        datum_unref(*ret);
    }
    diag_fini(&diag);
    return err;
}
