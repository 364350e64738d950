/* parse_cmp.h - comparisons on the way from text to nodes. Internal to lib/expr. */
#pragma once

#include "base/vec.h"
#include "expr/parse.h"

struct constants {
    VEC(struct lex_token) list;
    bool in_braces;
};

struct parser {
    struct expr_pool *pool;
    const struct expr_names *names;
    struct lexer lx;
    struct diag *diag;
    unsigned depth;
    bool is_comparison;            /* what was parsed last, without parentheses */
    struct constants constants[2]; /* of the comparison being parsed: "CS < field < CS" */
    VEC(struct expr *) operands;   /* of the && and || being parsed, innermost last */
};

/* A constant, or several in braces, into CS, which is empty. */
int parse_constants(struct parser *ps, struct constants *cs) MUST_CHECK;
/* Can a constant begin with this token? */
bool parse_is_constant(enum lex_type type);
/* SF RELOP CS, of which the negation if NEGATE, after all checks of types and levels. */
int parse_make_cmp(struct parser *ps, struct sym_bits sf, enum expr_relop relop,
                   const struct constants *cs, bool negate, struct expr **ret) MUST_CHECK;
