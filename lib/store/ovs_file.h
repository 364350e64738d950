/* ovs_file.h - the standalone database file of ovsdb-server, to import from and to export to.
 *
 * A text of records. Each is a line "OVSDB JSON LENGTH SHA1" and LENGTH bytes, a JSON object whose
 * SHA-1 it gives: first the schema, then transactions {"TABLE": {"UUID": {"column": value} or null},
 * "_date": milliseconds, "_comment": text, "_is_diff": whether sets and maps of rows that were there
 * are told as differences}. Columns that are left out keep their value, or have the default in a
 * new row.
 */
#pragma once

#include "store/store.h"

/* Heap text of the schema of the file TEXT. ERR_SYNTAX, ERR_CORRUPT, ERR_UNSUPPORTED (of a cluster). */
int ovs_file_schema(const char *text, size_t n, char **ret, struct diag *diag) MUST_CHECK;
/* The contents as operations that insert them, under SCHEMA, which is the file's; freed with
 * ops_free. A last record that is cut off is left out, as ovsdb-server does, and *IS_CUT tells so;
 * anything else that is wrong is an error with the number of the record. */
int ovs_file_ops(const char *text, size_t n, const struct schema *schema, struct ops **ret,
                 bool *is_cut, struct diag *diag) MUST_CHECK;
/* The contents of STORE as such a file: two records. */
void ovs_file_put(const struct store *store, const char *comment, struct env *env, struct str *out);
/* One record, whose text is JSON. */
void ovs_file_put_record(const char *json, size_t n, struct str *out);
