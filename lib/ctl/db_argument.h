/* db_argument.h - "COLUMN[:KEY] OPERATOR VALUE": the arguments of set, find and wait-until. */
#pragma once

#include "ctl/ctl_internal.h"

enum relation {
    REL_EQ,
    REL_NE,
    REL_LT,
    REL_GT,
    REL_LE,
    REL_GE,
    REL_SET_EQ,
    REL_SET_NE,
    REL_SET_LT,
    REL_SET_GT,
    REL_SET_LE,
    REL_SET_GE,
    REL_IN,
    REL_NOT_IN
};

struct db_argument {
    const struct schema_column *column;
    char *key; /* text as given; NULL: none */
    enum relation relation;
    const char *value; /* NULL: none; points into the argument */
};

/* Reads "COLUMN[:KEY]" at the beginning of *TEXT and moves it on. */
int db_parse_column(struct ctl_call *call, const struct schema_table *table, bool allow_uuid,
                    const char **text, struct db_argument *ret);
/* COLUMN[:KEY]=VALUE */
int db_parse_assignment(struct ctl_call *call, const struct schema_table *table, const char *text,
                        struct db_argument *ret);
/* COLUMN[:KEY]{any operator}VALUE */
int db_parse_condition(struct ctl_call *call, const struct schema_table *table, const char *text,
                       struct db_argument *ret);
void db_argument_fini(struct db_argument *argument);
/* Parses ARGUMENT (a condition) and tells whether ROW meets it. */
int db_test(struct ctl_call *call, const struct row *row, const char *argument, bool *ret);
