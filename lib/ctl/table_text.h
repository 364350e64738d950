/* table_text.h - tables of values in the output formats of the ctl tools.
 *
 * Formats: list (one cell a line), table (columns under headings), html, csv (RFC 4180), json. What
 * a cell looks like is the value style's matter (string, bare, json). One table is made, filled row
 * by row and printed once.
 */
#pragma once

#include "ctl/value_text.h"

enum table_format { TABLE_LIST, TABLE_TABLE, TABLE_HTML, TABLE_CSV, TABLE_JSON };

struct table_style {
    enum table_format format;
    enum value_style style;
    bool headings;
    bool pretty;   /* of json */
    int max_width; /* 0: none */
};

struct table_text;
struct table_text *table_text_new(void);
void table_text_free(struct table_text *table);
/* A line above the table. */
void table_text_set_caption(struct table_text *table, const char *caption);
void table_text_add_heading(struct table_text *table, const char *heading);
/* The next cell, row by row. TYPE is borrowed, VALUE is referenced. */
void table_text_add_value(struct table_text *table, const struct column_type *type,
                          const struct datum *value);
/* The next cell, a text as it is. */
void table_text_add_text(struct table_text *table, const char *text);
void table_text_print(const struct table_text *table, const struct table_style *style,
                      struct str *out);

/* "list" "table" "html" "csv" "json"; "string" "bare" "json". False: none of these. */
bool table_format_parse(const char *text, enum table_format *ret);
bool value_style_parse(const char *text, enum value_style *ret);
