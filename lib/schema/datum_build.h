/* datum_build.h - making datums piece by piece; only for lib/schema.
 *
 * The pieces come in ascending order, as block copies of existing datums: what the set algebra
 * needs. Everybody else uses the makers of datum.h.
 */
#pragma once

#include "schema/datum.h"

/* Room for N elements; the atoms are not initialised. */
struct datum *datum_alloc(enum atom_type key_type, uint8_t value_type, size_t n);
size_t datum_lower_bound(const struct datum *d, const union atom *key, size_t low);

/* A datum under construction, with room for CAP elements. */
struct datum_build {
    struct datum *d;
    size_t cap;
};

void datum_build_init(struct datum_build *build, enum atom_type key_type, uint8_t value_type,
                      size_t cap);
/* Appends elements FROM to TO (exclusive) of SRC, which become shared. */
void datum_build_copy(struct datum_build *build, const struct datum *src, size_t from, size_t to);
const struct datum *datum_build_done(struct datum_build *build);
