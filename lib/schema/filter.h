/* filter.h - which rows of a table a monitor shows: a condition of which any clause may hold (op.h), made ready for many rows.
 *
 * Beside Room 5 of docs/architecture.md. A hypervisor asks for the rows of thousands of datapaths: what a row has to do with that many
 * equalities is found by hash, and when a few clauses come and go, filter_minus tells which rows need a look at all.
 * Immutable but for the reference count.
 */
#pragma once

#include "schema/op.h"

struct filter;

/* Takes over the clauses of WHERE, which is left without any. No clause: all rows. One reference. */
struct filter *filter_new(struct condition *where);
struct filter *filter_ref(struct filter *filter);
void filter_unref(struct filter *filter); /* NULL is allowed */
const struct condition *filter_condition(const struct filter *filter);
const char *filter_text(struct filter *filter); /* the clauses as JSON; made once */

bool filter_matches(const struct filter *filter, const struct row *row);
/* Do two versions of a row differ in a column that a clause names? */
bool filter_column_differs(const struct filter *filter, const struct row *before,
                           const struct row *after);
/* Of the clauses of A those that B does not have. Whatever matches A and not B matches this, and maybe more. One reference. */
struct filter *filter_minus(const struct filter *a, const struct filter *b);
/* True: no row can match. */
bool filter_is_nothing(const struct filter *filter);
