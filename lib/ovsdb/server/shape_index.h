/* shape_index.h - which shapes a change may concern, without asking each.
 *
 * A shape whose condition on a table is a list of equalities is filed under the values it asks for;
 * one that shows all rows, or asks otherwise, under the table. So the cost of a transaction is in
 * proportion to the shapes that it concerns, however many others there are.
 */
#pragma once

#include "base/vec.h"
#include "ovsdb/server/shape.h"

struct shape_index;
typedef VEC(struct shape *) shape_vec;

struct shape_index *shape_index_new(const struct schema *schema);
void shape_index_free(struct shape_index *index); /* empty */
void shape_index_add(struct shape_index *index, struct shape *shape);
void shape_index_remove(struct shape_index *index, struct shape *shape);
/* Appends to OUT, once each, the shapes that any of CHANGES may concern. */
void shape_index_find(const struct shape_index *index, size_t n, const struct change *changes,
                      shape_vec *out);
