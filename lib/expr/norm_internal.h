/* norm_internal.h - what the files of the normal form share: products, and the state of an AND. Internal to lib/expr.
 *
 * Working form: a list of *products*. A product is a base cube AND one alternative of each of its dimensions, a dimension
 * being a list of cubes.
 */
#pragma once

#include "expr/cube.h"
#include "expr/norm.h"

struct product {
    const struct cube *base;
    cube_vec *dims; /* in the arena; their arrays are listed in build->vecs */
    size_t n_dims;
};

typedef VEC(struct product) product_vec;

struct build {
    const struct expr *whole;   /* what is to be flows */
    struct arena *arena;        /* the norm's: what is computed on the way lives as long */
    const struct cube *nothing; /* the cube of no field: matches everything */
    const struct norm_ports *ports;
    unsigned flags;
    size_t limit;
    uint64_t work;      /* cubes made so far */
    uint64_t n_emitted; /* lists of cubes that ANDs became so far, each pruned */
    struct diag *diag;
};

/* One child of an AND that is not a single cube. */
struct alternatives {
    cube_vec cubes;    /* if pure */
    product_vec mixed; /* otherwise */
    bool pure;
};

struct and_state {
    const struct cube *base;
    VEC(struct alternatives) alts;
};

/* ERR_TOO_BIG: N flows or more are needed. */
int norm_too_big(struct build *b, uint64_t n);
/* Counts N more cubes that were made, and refuses what makes so many on the way to its flows that they could fill the memory. */
int norm_charge(struct build *b, uint64_t n) MUST_CHECK;
void norm_push_cube(product_vec *out, const struct cube *c);
void norm_prune(struct build *b, cube_vec *v);
void and_state_fini(struct and_state *s);
/* Appends the products of S to OUT. */
int and_state_resolve(struct build *b, struct and_state *s, product_vec *out) MUST_CHECK;
/* Lists of S that each leave out one value of the same bits become one. *CHANGED is set if there were any. All of S are cubes. */
int norm_join_exclusions(struct build *b, struct and_state *s, bool *changed) MUST_CHECK;
/* No cube of A contradicts one of B, since they speak of different bits. */
bool norm_are_apart(const cube_vec *a, const cube_vec *b);
/* Refuses what will make more products than the limit, where that is certain before they are made. */
int norm_count_products(struct build *b, const struct and_state *s) MUST_CHECK;
/* The flows that E needs at most: those of its alternatives multiplied out. UINT64_MAX: so many or more. */
uint64_t norm_count_at_most(const struct expr *e);
/* Makes the flows of NORM. */
int norm_assemble(struct build *b, const product_vec *products, struct norm *norm) MUST_CHECK;
