/* op_shape.c - which members each operation has, and checking that an operation has them.
 *
 * RFC 7047 section 5.2 as a table. Content is the business of op_parse.c.
 */
#include "schema/op_shape.h"

#include "base/err.h"

const struct op_shape op_shapes[] = {
    {"insert",
     {{"table", MEMBER_ID, true},
      {"row", MEMBER_OBJECT, true},
      {"uuid-name", MEMBER_ID, false},
      {"uuid", MEMBER_STRING, false}}},
    {"select",
     {{"table", MEMBER_ID, true}, {"where", MEMBER_ARRAY, true}, {"columns", MEMBER_ARRAY, false}}},
    {"update",
     {{"table", MEMBER_ID, true}, {"where", MEMBER_ARRAY, true}, {"row", MEMBER_OBJECT, true}}},
    {"mutate",
     {{"table", MEMBER_ID, true},
      {"where", MEMBER_ARRAY, true},
      {"mutations", MEMBER_ARRAY, true}}},
    {"delete", {{"table", MEMBER_ID, true}, {"where", MEMBER_ARRAY, true}}},
    {"wait",
     {{"table", MEMBER_ID, true},
      {"where", MEMBER_ARRAY, true},
      {"columns", MEMBER_ARRAY, false},
      {"until", MEMBER_STRING, true},
      {"rows", MEMBER_ARRAY, true},
      {"timeout", MEMBER_NUMBER, false}}},
    {"commit", {{"durable", MEMBER_BOOLEAN, true}}},
    {"abort", {{NULL, MEMBER_ID, false}}},
    {"comment", {{"comment", MEMBER_STRING, true}}},
    {"assert", {{"lock", MEMBER_ID, true}}},
};

const struct op_shape *op_shape_find(const char *name, enum op_kind *ret)
{
    for (size_t i = 0; i < ARRAY_SIZE(op_shapes); i++) {
        if (!strcmp(op_shapes[i].name, name)) {
            *ret = (enum op_kind)i;
            return &op_shapes[i];
        }
    }
    return NULL;
}

bool text_is_identifier(const char *s)
{
    if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || *s == '_'))
        return false;
    for (; *s; s++) {
        if (!((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9') ||
              *s == '_'))
            return false;
    }
    return true;
}

static bool has_type(const json_t *json, enum member_type type)
{
    switch (type) {
    case MEMBER_ID:
        return json_is_string(json) && text_is_identifier(json_string_value(json));
    case MEMBER_STRING:
        return json_is_string(json);
    case MEMBER_OBJECT:
        return json_is_object(json);
    case MEMBER_ARRAY:
        return json_is_array(json);
    case MEMBER_NUMBER:
        return json_is_number(json);
    case MEMBER_BOOLEAN:
        return json_is_boolean(json);
    }
    return false;
}

static bool is_member(const struct op_shape *shape, const char *name)
{
    for (size_t i = 0; i < OP_MEMBERS_MAX && shape->members[i].name; i++) {
        if (!strcmp(shape->members[i].name, name))
            return true;
    }
    return !strcmp(name, "op");
}

int op_shape_check(const struct op_shape *shape, const json_t *op, struct diag *diag)
{
    const char *name;
    json_t *value;
    for (size_t i = 0; i < OP_MEMBERS_MAX && shape->members[i].name; i++) {
        const struct op_member *m = &shape->members[i];
        const json_t *member = json_object_get(op, m->name);
        if (!member && m->required)
            return diag_set(diag, ERR_SYNTAX, "Required '%s' member is missing.", m->name);
        if (member && !has_type(member, m->type))
            return diag_set(diag, ERR_SYNTAX, "Type mismatch for member '%s'.", m->name);
    }
    json_object_foreach((json_t *)(uintptr_t)op, name, value)
    {
        (void)value;
        if (!is_member(shape, name))
            return diag_set(diag, ERR_SYNTAX, "Member '%s' is present but not allowed here.", name);
    }
    return 0;
}
