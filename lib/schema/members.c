/* members.c - see members.h. */
#include "schema/members.h"

#include <ctype.h>
#include <string.h>

#include "base/util.h"

bool text_is_identifier(const char *s)
{
    if (!isalpha((unsigned char)*s) && *s != '_')
        return false;
    while (isalnum((unsigned char)*s) || *s == '_')
        s++;
    return !*s;
}

static bool is_integer(const json_t *json)
{
    double real = json_is_real(json) ? json_real_value(json) : 0.5;
    return json_is_integer(json) ||
           (real >= -0x1p63 && real < 0x1p63 && real == (double)(json_int_t)real);
}

json_int_t member_integer(const json_t *json)
{
    return json_is_integer(json) ? json_integer_value(json) : (json_int_t)json_real_value(json);
}

static bool has_type(const json_t *json, unsigned types)
{
    switch (json_typeof(json)) {
    case JSON_STRING:
        return types & (MEMBER_STRING | MEMBER_ANY) ||
               (types & MEMBER_ID && text_is_identifier(json_string_value(json)));
    case JSON_OBJECT:
        return types & (MEMBER_OBJECT | MEMBER_ANY);
    case JSON_ARRAY:
        return types & (MEMBER_ARRAY | MEMBER_ANY);
    case JSON_INTEGER:
    case JSON_REAL:
        return types & (MEMBER_NUMBER | MEMBER_ANY) || (types & MEMBER_INTEGER && is_integer(json));
    case JSON_TRUE:
    case JSON_FALSE:
        return types & (MEMBER_BOOLEAN | MEMBER_ANY);
    case JSON_NULL:
        return types & MEMBER_ANY;
    }
    return false;
}

static bool is_member(const struct member *members, const char *name)
{
    while (members->name && strcmp(members->name, name))
        members++;
    return members->name;
}

static char *unknown_wrong(const json_t *json, const struct member *members, size_t n)
{
    const char *name;
    json_t *unused;
    json_object_foreach((json_t *)(uintptr_t)json, name, unused)
    {
        if (!is_member(members, name))
            break;
    }
    if (n == 1)
        return xasprintf("Member '%s' is present but not allowed here.", name);
    return xasprintf("Member '%s' and %zu other member%s are present but not allowed here.", name,
                     n - 1, n > 2 ? "s" : "");
}

char *members_wrong(const json_t *json, const struct member *members)
{
    size_t n_known = 0;
    if (!json_is_object(json))
        return xstrdup("Object expected.");
    for (const struct member *m = members; m->name; m++) {
        const json_t *value = json_object_get(json, m->name);
        if (!value && !(m->types & MEMBER_OPTIONAL))
            return xasprintf("Required '%s' member is missing.", m->name);
        if (value && !has_type(value, m->types))
            return xasprintf("Type mismatch for member '%s'.", m->name);
        n_known += value != NULL;
    }
    size_t n_unknown = json_object_size(json) - n_known;
    return n_unknown ? unknown_wrong(json, members, n_unknown) : NULL;
}
