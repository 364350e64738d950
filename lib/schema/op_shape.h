/* op_shape.h - the members of each operation; only for lib/schema. See op_shape.c. */
#pragma once

#include "schema/op.h"

enum member_type {
    MEMBER_ID, /* a string that is an identifier */
    MEMBER_STRING,
    MEMBER_OBJECT,
    MEMBER_ARRAY,
    MEMBER_NUMBER,
    MEMBER_BOOLEAN
};

enum { OP_MEMBERS_MAX = 6 };

struct op_shape {
    const char *name;
    struct op_member {
        const char *name;
        enum member_type type;
        bool required;
    } members[OP_MEMBERS_MAX]; /* without "op"; a NULL name ends it early */
};

extern const struct op_shape op_shapes[]; /* by enum op_kind */

const struct op_shape *op_shape_find(const char *name, enum op_kind *ret);
/* Are the right members there, with the right JSON types, and no others? */
int op_shape_check(const struct op_shape *shape, const json_t *op, struct diag *diag) MUST_CHECK;
/* [A-Za-z_][A-Za-z0-9_]* */
bool text_is_identifier(const char *s);
