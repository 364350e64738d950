/* rbac.h - what a role may write: the tables RBAC_Role and RBAC_Permission of a database.
 *
 * A permission names a table, the columns that must hold the client's id (any one; "" means that
 * everybody may), whether rows may be inserted and deleted, and the columns that may be changed. A
 * database without these tables restricts nobody.
 */
#pragma once

#include "store/store.h"

/* May a client CLIENT_ID (NULL: without certificate) with ROLE do OP to ROW? Else false with ERROR. */
bool rbac_permits(const struct store *store, const char *role, const char *client_id,
                  const struct op *op, const struct row *row, struct op_error *error);
