/* type_parse.c - reads a column's type from JSON (RFC 7047 section 3.2, <type> and <base-type>).
 *
 * Errors are in ovsdb-server's words: clients show them to people who know those.
 */
#include "schema/type_parse.h"

#include <math.h>
#include <stdlib.h>

#include "base/err.h"
#include "schema/schema.h"

int members_check(const json_t *json, const char *what, const struct member *members,
                  struct op_error *error)
{
    char *wrong = members_wrong(json, members);
    if (!wrong)
        return 0;
    int err = op_error_set(error, "syntax error", json_is_object(json) ? json : NULL,
                           "Parsing %s failed: %s", what, wrong);
    free(wrong);
    return err;
}

static int parse_atom_type(const json_t *json, enum atom_type *ret, struct op_error *error)
{
    const char *name = json_string_value(json);
    for (int t = ATOM_INTEGER; t <= ATOM_UUID; t++) {
        if (!strcmp(name, atom_type_name((enum atom_type)t))) {
            *ret = (enum atom_type)t;
            return 0;
        }
    }
    return op_error_set(error, "syntax error", json, "\"%s\" is not an atomic-type", name);
}

void base_type_init(struct base_type *type, enum atom_type atom)
{
    *type = (struct base_type){.type = atom,
                               .min_integer = INT64_MIN,
                               .max_integer = INT64_MAX,
                               .min_real = -INFINITY,
                               .max_real = INFINITY,
                               .max_length = UINT32_MAX};
}

/* ---- limits ---- */

static void parse_integer(const json_t *json, const char *name, int64_t *ret)
{
    const json_t *member = json_object_get(json, name);
    if (member)
        *ret = member_integer(member);
}

static void parse_real(const json_t *json, const char *name, double *ret)
{
    const json_t *member = json_object_get(json, name);
    if (member)
        *ret = json_number_value(member);
}

static int parse_length(const json_t *json, const char *name, uint32_t *ret, struct op_error *error)
{
    const json_t *member = json_object_get(json, name);
    if (!member)
        return 0;
    int64_t n = member_integer(member);
    if (n < 0 || n > UINT32_MAX)
        return op_error_set(error, "syntax error", member, "%s out of valid range 0 to %u", name,
                            UINT32_MAX);
    *ret = (uint32_t)n;
    return 0;
}

static int parse_limits(const json_t *json, struct base_type *type, struct op_error *error)
{
    parse_integer(json, "minInteger", &type->min_integer);
    parse_integer(json, "maxInteger", &type->max_integer);
    parse_real(json, "minReal", &type->min_real);
    parse_real(json, "maxReal", &type->max_real);
    int err = parse_length(json, "minLength", &type->min_length, error);
    if (!err)
        err = parse_length(json, "maxLength", &type->max_length, error);
    if (err)
        return err;
    if (type->min_integer > type->max_integer)
        return op_error_set(error, "syntax error", json, "minInteger exceeds maxInteger");
    if (type->min_real > type->max_real)
        return op_error_set(error, "syntax error", json, "minReal exceeds maxReal");
    if (type->min_length > type->max_length)
        return op_error_set(error, "syntax error", json, "minLength exceeds maxLength");
    return 0;
}

static int parse_ref(const json_t *json, struct base_type *type, struct op_error *error)
{
    const json_t *table = json_object_get(json, "refTable");
    const char *kind = json_string_value(json_object_get(json, "refType"));
    if (!table)
        return 0;
    if (kind && strcmp(kind, "strong") && strcmp(kind, "weak"))
        return op_error_set(error, "syntax error", json,
                            "refType must be \"strong\" or \"weak\" (not \"%s\")", kind);
    type->ref = kind && !strcmp(kind, "weak") ? REF_WEAK : REF_STRONG;
    type->ref_table_name = xstrdup(json_string_value(table));
    return 0;
}

static int parse_enum(const json_t *json, struct base_type *type, struct op_error *error)
{
    struct column_type set = {.key = *type, .n_min = 1, .n_max = SCHEMA_UNLIMITED};
    return value_from_json(&set, json_object_get(json, "enum"), NULL, &type->enumeration, error);
}

/* ---- types ---- */

#define TYPE                                                                                       \
    {                                                                                              \
        "type", MEMBER_STRING                                                                      \
    }

/* An object with a known "type": what else it may have. */
static const struct member *members_of(const json_t *json, enum atom_type atom)
{
    static const struct member with_enum[] = {TYPE, {"enum", MEMBER_ANY}, {NULL, 0}};
    static const struct member plain[] = {TYPE, {NULL, 0}};
    static const struct member integer[] = {TYPE,
                                            {"minInteger", MEMBER_INTEGER | MEMBER_OPTIONAL},
                                            {"maxInteger", MEMBER_INTEGER | MEMBER_OPTIONAL},
                                            {NULL, 0}};
    static const struct member real[] = {TYPE,
                                         {"minReal", MEMBER_NUMBER | MEMBER_OPTIONAL},
                                         {"maxReal", MEMBER_NUMBER | MEMBER_OPTIONAL},
                                         {NULL, 0}};
    static const struct member string[] = {TYPE,
                                           {"minLength", MEMBER_INTEGER | MEMBER_OPTIONAL},
                                           {"maxLength", MEMBER_INTEGER | MEMBER_OPTIONAL},
                                           {NULL, 0}};
    static const struct member ref[] = {
        TYPE, {"refTable", MEMBER_ID}, {"refType", MEMBER_STRING | MEMBER_OPTIONAL}, {NULL, 0}};
    static const struct member *const members[] = {integer, real, plain, string, plain};
    if (json_object_get(json, "enum"))
        return with_enum;
    return atom == ATOM_UUID && json_object_get(json, "refTable") ? ref : members[atom];
}

static int parse_base_type(const json_t *json, struct base_type *type, struct op_error *error)
{
    static const char what[] = "ovsdb type";
    const json_t *word = json_is_string(json) ? json : json_object_get(json, "type");
    enum atom_type atom = ATOM_INTEGER;
    if (!json_is_string(word)) {
        static const struct member only[] = {TYPE, {NULL, 0}};
        return members_check(json, what, only, error);
    }
    int err = parse_atom_type(word, &atom, error);
    if (err)
        return err;
    base_type_init(type, atom);
    if (word == json)
        return 0;
    err = members_check(json, what, members_of(json, atom), error);
    if (!err && json_object_get(json, "enum"))
        return parse_enum(json, type, error);
    if (!err)
        err = parse_limits(json, type, error);
    return err ? err : parse_ref(json, type, error);
}

static int parse_count(const json_t *json, uint32_t *ret, struct op_error *error)
{
    const char *word = json_string_value(json);
    int64_t n = word && !strcmp(word, "unlimited") ? SCHEMA_UNLIMITED
                : word                             ? -1
                : json                             ? member_integer(json)
                                                   : 1;
    if (n < 0 || (!word && n >= UINT32_MAX))
        return op_error_set(error, "syntax error", json, "bad min or max value");
    *ret = (uint32_t)n;
    return 0;
}

int column_type_from_json(const json_t *json, struct column_type *type, struct op_error *error)
{
    static const struct member members[] = {
        {"key", MEMBER_STRING | MEMBER_OBJECT},
        {"value", MEMBER_STRING | MEMBER_OBJECT | MEMBER_OPTIONAL},
        {"min", MEMBER_INTEGER | MEMBER_OPTIONAL},
        {"max", MEMBER_INTEGER | MEMBER_STRING | MEMBER_OPTIONAL},
        {NULL, 0}};
    *type = (struct column_type){.n_min = 1, .n_max = 1};
    if (json_is_string(json))
        return parse_base_type(json, &type->key, error);
    int err = members_check(json, "ovsdb type", members, error);
    const json_t *value = json_object_get(json, "value");
    if (!err)
        err = parse_base_type(json_object_get(json, "key"), &type->key, error);
    if (!err && value)
        err = parse_base_type(value, &type->value, error);
    type->is_map = value;
    if (!err)
        err = parse_count(json_object_get(json, "min"), &type->n_min, error);
    if (!err)
        err = parse_count(json_object_get(json, "max"), &type->n_max, error);
    if (!err && (type->n_min > 1 || !type->n_max || type->n_min > type->n_max))
        return op_error_set(error, "syntax error", json, "ovsdb type fails constraint checks");
    return err;
}
