/* model.h - a schema file of this project as the generator sees it.
 *
 * The files in schemas/ are OVSDB schemas (RFC 7047 section 3.2) whose tables and columns may carry
 * two keys of ours: "doc" (what it means, for docs/schema/) and "writer" (who writes it). The
 * generator is built before any library but base, so it reads the few things it needs by itself;
 * lib/schema is the reader that checks. Not part of any program that runs in a cloud.
 */
#pragma once

#include <jansson.h>

#include "base/str.h"

/* How a column is read by generated code. */
enum column_kind {
    KIND_STRING,
    KIND_OPTIONAL_STRING,
    KIND_INTEGER,
    KIND_OPTIONAL_INTEGER,
    KIND_REAL,
    KIND_OPTIONAL_REAL,
    KIND_BOOLEAN,
    KIND_OPTIONAL_BOOLEAN,
    KIND_UUID,     /* scalar or optional */
    KIND_TEXT_MAP, /* string to string */
    KIND_OTHER     /* sets and other maps */
};

struct model_column {
    const char *name;
    const json_t *json;
    enum column_kind kind;
};

struct model_table {
    const char *name;
    const json_t *json;
    size_t n_columns;
    struct model_column *columns; /* ascending by name, as lib/schema lays out rows */
};

struct model {
    json_t *json;
    const char *name, *version;
    size_t n_tables;
    struct model_table *tables; /* ascending by name */
};

/* Reads FILE or exits with a message. */
void model_load(struct model *model, const char *file);
void model_fini(struct model *model);
/* The schema as it goes over the wire: one line, members sorted, our own keys removed. Heap text.
 */
char *model_wire_text(const struct model *model);

/* The three outputs. PREFIX begins every C name: "nb". */
void rows_write_header(const struct model *model, const char *prefix, struct str *out);
void rows_write_source(const struct model *model, const char *prefix, struct str *out);
void doc_write(const struct model *model, const char *title, struct str *out);
