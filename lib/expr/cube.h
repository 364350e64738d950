/* cube.h - cubes, the conjunctions of masked field values that norm.c computes with. Internal to lib/expr. */
#pragma once

#include "base/arena.h"
#include "base/vec.h"
#include "expr/norm.h"

typedef VEC(const struct cube *) cube_vec;

/* The cube of one field; of none (matches everything) with SYM NULL. */
struct cube *cube_new(struct arena *arena, const struct symbol *sym, u128 value, u128 mask);
struct cube *cube_copy(struct arena *arena, const struct cube *c);
/* What both match; NULL: nothing. */
const struct cube *cube_and(struct arena *arena, const struct cube *a, const struct cube *b);
bool cube_overlaps(const struct cube *a, const struct cube *b);
/* Everything that A matches is matched by B. */
bool cube_is_subset(const struct cube *a, const struct cube *b);
bool cube_equal(const struct cube *a, const struct cube *b);
uint64_t cube_hash(const struct cube *c);
const struct cube_field *cube_find(const struct cube *c, const struct symbol *sym);
/* The parts of C about fields with SF_CROSS that BASE does not fix already. */
struct cube *cube_cross_part(struct arena *arena, const struct cube *c, const struct cube *base);
/* Removes cubes that repeat or lie within another; with MERGE also joins neighbours that differ in the lowest bit of a
 * prefix of one maskable field. Order is kept as far as possible. */
void cubes_prune(struct arena *arena, cube_vec *v, bool merge);
/* The one field that all of V are about; NULL if there are several. */
const struct symbol *cubes_only_symbol(const cube_vec *v);
