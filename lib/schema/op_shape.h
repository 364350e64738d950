/* op_shape.h - the members of each operation; only for lib/schema. See op_shape.c. */
#pragma once

#include "schema/members.h"
#include "schema/op.h"

enum { OP_MEMBERS_MAX = 7 };

struct op_shape {
    const char *name;
    bool has_table;
    struct member members[OP_MEMBERS_MAX + 1]; /* "op" too */
};

extern const struct op_shape op_shapes[]; /* by enum op_kind */

const struct op_shape *op_shape_find(const char *name, enum op_kind *ret);
