/* scratch.h - expressions that live for one call: what a match becomes on its way to the normal form. Internal to lib/expr.
 *
 * A scratch pool makes nodes that are not interned: no hashing, and freed all at once. They may have children in the pool it belongs to, which must stay
 * alive meanwhile: those of the expression that is worked on, and what the pool knows of symbols. Reference counts of scratch nodes do not count.
 */
#pragma once

#include "expr/expr.h"

/* The scratch pool of P, empty; P gives it to one at a time. */
struct expr_pool *expr_scratch_begin(struct expr_pool *p);
void expr_scratch_end(struct expr_pool *scratch);
/* The pool whose nodes stay: of a scratch pool the one it belongs to, else P. */
struct expr_pool *expr_pool_lasting(struct expr_pool *p);

/* expr_expand, expr_annotate and expr_simplify, making nodes in P: E's pool or its scratch pool. */
struct expr *expr_expand_in(struct expr_pool *p, const struct expr *e,
                            const struct expr_world *world);
int expr_annotate_in(struct expr_pool *p, const struct expr *e, struct expr **ret,
                     struct diag *diag) MUST_CHECK;
struct expr *expr_simplify_in(struct expr_pool *p, const struct expr *e);
