/* op_parse.h - what the readers of operations share; only for lib/schema. */
#pragma once

#include "schema/op.h"

/* Numeric scalar or optional. */
bool type_is_number(const struct column_type *type);
/* TYPE without ranges, lengths and enumeration; borrows from it. */
struct column_type type_relaxed(const struct column_type *type);
/* The error that operator or function WORD does not fit COLUMN. */
int type_mismatch(const json_t *json, const char *word, const struct schema_column *column,
                  struct op_error *error);
int condition_parse(const struct schema_table *table, const json_t *json,
                    struct symbol_source *names, struct condition *ret,
                    struct op_error *error) MUST_CHECK;
