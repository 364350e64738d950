/* kinds.h - what weft-lflow can do with a line: one function a KIND. */
#pragma once

#include "action/action.h"
#include "base/str.h"
#include "expr/expr.h"

struct session {
    struct symtab *symtab;
    struct expr_pool *exprs;
    struct action_pool *actions;
};

struct kind {
    const char *name;
    const char *help;
    /* Answers LINE with lines "key: value". */
    void (*run)(struct session *s, const char *line, struct str *out);
};

extern const struct kind kinds[]; /* ends with a NULL name */

void session_init(struct session *s);
void session_fini(struct session *s);
/* "explain": the steps from MATCH to flows, for a person. Returns 0 or an ERR_ code, the reason printed to OUT. */
int explain(struct session *s, const char *match, struct str *out);
