/* type_parse.h - types of columns from JSON; only for lib/schema. See type_parse.c. */
#pragma once

#include "schema/members.h"
#include "schema/op.h"

/* JSON has to be an object with these MEMBERS; WHAT names it in the error. */
int members_check(const json_t *json, const char *what, const struct member *members,
                  struct op_error *error) MUST_CHECK;
/* A type without limits or references. */
void base_type_init(struct base_type *type, enum atom_type atom);
/* Reads a <type> (RFC 7047 section 3.2), with names of tables not looked up yet. TYPE belongs to the caller also after an error. */
int column_type_from_json(const json_t *json, struct column_type *type,
                          struct op_error *error) MUST_CHECK;
