/* db_argument.c - see db_argument.h; and how rows are compared with the conditions of find. */
#include "ctl/db_argument.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

/* Longest first among those with a common beginning. */
static const struct {
    const char *text;
    enum relation relation;
} operators[] = {
    {"{not-in}", REL_NOT_IN},
    {"{in}", REL_IN},
    {"{!=}", REL_SET_NE},
    {"{<=}", REL_SET_LE},
    {"{>=}", REL_SET_GE},
    {"{=}", REL_SET_EQ},
    {"{<}", REL_SET_LT},
    {"{>}", REL_SET_GT},
    {"!=", REL_NE},
    {"<=", REL_LE},
    {">=", REL_GE},
    {"=", REL_EQ},
    {"<", REL_LT},
    {">", REL_GT},
};

void db_argument_fini(struct db_argument *argument)
{
    free(argument->key);
}

static int take_word(struct ctl_call *call, const char **text, const char *whole, char **ret)
{
    size_t n;
    struct diag diag = DIAG_INIT;
    int err = value_word(*text, &n, &diag);
    if (err && diag.text)
        err = ctl_fail(call, "%s", diag.text);
    else if (err)
        err = ctl_fail(call, "%s: missing column name", whole);
    diag_fini(&diag);
    if (err)
        return err;
    *ret = xstrndup(*text, n);
    *text += n;
    return 0;
}

int db_parse_column(struct ctl_call *call, const struct schema_table *table, bool allow_uuid,
                    const char **text, struct db_argument *ret)
{
    const char *whole = *text;
    char *name;
    *ret = (struct db_argument){0};
    int err = take_word(call, text, whole, &name);
    if (err)
        return err;
    err = ctl_find_column(call, table, name, allow_uuid, &ret->column);
    free(name);
    if (err || **text != ':')
        return err;
    ++*text;
    return take_word(call, text, whole, &ret->key);
}

int db_parse_assignment(struct ctl_call *call, const struct schema_table *table, const char *text,
                        struct db_argument *ret)
{
    const char *p = text;
    int err = db_parse_column(call, table, false, &p, ret);
    if (err)
        return err;
    ret->relation = REL_EQ;
    if (*p != '=' || !p[1])
        return ctl_fail(call, "%s: argument does not end in \"=\" followed by a value.", text);
    ret->value = p + 1;
    return 0;
}

int db_parse_condition(struct ctl_call *call, const struct schema_table *table, const char *text,
                       struct db_argument *ret)
{
    const char *p = text;
    int err = db_parse_column(call, table, true, &p, ret);
    if (err)
        return err;
    for (size_t i = 0; i < ARRAY_SIZE(operators); i++) {
        size_t n = strlen(operators[i].text);
        if (!strncmp(p, operators[i].text, n) && p[n]) {
            ret->relation = operators[i].relation;
            ret->value = p + n;
            return 0;
        }
    }
    return ctl_fail(call,
                    "%s: argument does not end in \"=\", \"!=\", \"<\", \">\", \"<=\", \">=\", "
                    "\"{=}\", \"{!=}\", \"{<}\", \"{>}\", \"{<=}\", \"{>=}\", \"{in}\", or "
                    "\"{not-in}\" followed by a value.",
                    text);
}

/* ---- comparison ---- */

static bool holds_order(enum relation relation, int order)
{
    switch (relation) {
    case REL_EQ:
        return order == 0;
    case REL_NE:
        return order != 0;
    case REL_LT:
        return order < 0;
    case REL_GT:
        return order > 0;
    case REL_LE:
        return order <= 0;
    default:
        return order >= 0;
    }
}

static bool have_common(const struct datum *a, const struct datum *b)
{
    const struct datum *rest = datum_subtract(a, b);
    bool common = rest->n < a->n;
    datum_unref(rest);
    return common;
}

/* A and B as sets: {<=} is "subset of". */
static bool holds_as_sets(enum relation relation, const struct datum *a, const struct datum *b)
{
    bool a_in_b = datum_includes(b, a), b_in_a = datum_includes(a, b);
    switch (relation) {
    case REL_SET_EQ:
        return a_in_b && b_in_a;
    case REL_SET_NE:
        return !(a_in_b && b_in_a);
    case REL_SET_LT:
        return a_in_b && !b_in_a;
    case REL_SET_GT:
        return b_in_a && !a_in_b;
    case REL_SET_LE:
    case REL_IN:
        return a_in_b;
    case REL_NOT_IN:
        return !have_common(a, b);
    default:
        return b_in_a;
    }
}

static int test_key(struct ctl_call *call, const struct datum *value, const struct db_argument *arg,
                    bool *ret)
{
    const struct column_type *type = &arg->column->type;
    if (!type->is_map)
        return ctl_fail(call, "cannot specify key to check for non-map column %s",
                        arg->column->name);
    union atom key, want;
    int err = value_parse_atom(&type->key, arg->key, &call->ctl->symbols, &key, &call->diag);
    if (err)
        return err;
    long at = datum_find(value, &key);
    atom_unref(type->key.type, &key);
    /* A key that is not there meets no condition but those on sets. */
    const struct column_type set_of_values = {
        .key = type->value, .n_min = 0, .n_max = SCHEMA_UNLIMITED};
    if (arg->relation >= REL_SET_EQ) {
        const struct datum *wanted, *have;
        err = value_parse(&set_of_values, arg->value, &call->ctl->symbols, &wanted, &call->diag);
        if (err)
            return err;
        union atom one = {0};
        if (at >= 0)
            one = atom_ref(type->value.type, &datum_values(value)[at]);
        have = datum_new_set(type->value.type, &one, at >= 0);
        *ret = holds_as_sets(arg->relation, have, wanted);
        datum_unref(have);
        datum_unref(wanted);
        return 0;
    }
    err = value_parse_atom(&type->value, arg->value, &call->ctl->symbols, &want, &call->diag);
    if (err)
        return err;
    if (at < 0)
        *ret = false;
    else
        *ret = holds_order(arg->relation,
                           atom_compare(type->value.type, &datum_values(value)[at], &want));
    atom_unref(type->value.type, &want);
    return 0;
}

static int test_whole(struct ctl_call *call, const struct datum *value,
                      const struct db_argument *arg, bool *ret)
{
    struct column_type type = arg->column->type;
    if (arg->relation >= REL_SET_EQ) {
        type.n_min = 0;
        type.n_max = SCHEMA_UNLIMITED;
    }
    const struct datum *want;
    int err = value_parse(&type, arg->value, &call->ctl->symbols, &want, &call->diag);
    if (err)
        return err;
    if (arg->relation >= REL_SET_EQ)
        *ret = holds_as_sets(arg->relation, value, want);
    else
        *ret = holds_order(arg->relation, datum_compare(value, want));
    datum_unref(want);
    return 0;
}

int db_test(struct ctl_call *call, const struct row *row, const char *argument, bool *ret)
{
    struct db_argument arg;
    int err = db_parse_condition(call, row->table, argument, &arg);
    if (!err) {
        const struct datum *value = row_get_any(row, arg.column);
        err = arg.key ? test_key(call, value, &arg, ret) : test_whole(call, value, &arg, ret);
        datum_unref(value);
    }
    db_argument_fini(&arg);
    return err;
}
