/* share.h - equal small values are kept once, as far as a small cache can see.
 *
 * Beside Room 1 and 5 of docs/architecture.md. Rows of one table repeat a few values (a pipeline, a priority, a datapath, the keys of a map)
 * hundreds of thousands of times. A value that is to enter a row passes through direct-mapped caches by its hash; if the same one was there
 * lately, the row gets that. Nothing depends on a hit: it saves memory and makes later comparisons a comparison of pointers.
 */
#pragma once

#include "schema/schema.h"

struct share;

struct share *share_new(void);
void share_free(struct share *share); /* NULL is allowed */
/* A new reference to VALUE, or to an equal one that was here before. */
const struct datum *share_value(struct share *share, const struct schema_column *column,
                                const struct datum *value);
