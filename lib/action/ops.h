/* ops.h - the table of actions, for lib/action's own files. */
#pragma once

#include "action/action.h"

enum op_shape { SHAPE_WORD, SHAPE_NEST, SHAPE_FUNC, SHAPE_RESULT, SHAPE_SPECIAL };

struct op_info {
    const char *name;
    enum op_shape shape;
    const char *prereq; /* text or NULL */
};

struct op_detail {
    const char *
        args; /* arguments that are fields: P a port, 4 32 bits, 6 128 bits, M 48 bits; NULL: others */
    unsigned dst_width; /* of the result; 0: anything */
    /* How arguments are printed: between two, between an option's name and value, between several values of one. */
    const char *separator, *assign, *list_separator;
    bool braces; /* around several values of one option */
};

const struct op_info *op_info(enum action_op op);
const struct op_detail *op_detail(enum action_op op);
