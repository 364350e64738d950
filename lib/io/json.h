/* json.h - JSON text in and out, by the rules that peers on an OVSDB connection keep.
 *
 * In: integers are 64-bit, "2.0" and "1e2" are integers, an integer that does not fit becomes a
 * real, of duplicate members the last wins, NUL in a string and reals out of range are errors.
 * Out: reals with 15 significant digits, integral ones without fraction, UTF-8 unescaped except for
 * quotes, backslash and control characters.
 */
#pragma once

#include <jansson.h>

#include "base/diag.h"
#include "base/str.h"

enum { JSON_MAX_DEPTH = 1000 };

/* Appends JSON as text on one line. SORTED: members in the order of their names (for texts that a
 * person or a comparison reads), else in the order they were inserted. */
void json_put(const json_t *json, bool sorted, struct str *out);
/* One JSON string with its quotes. */
void json_put_text(const char *s, size_t n, struct str *out);
void json_put_real(double real, struct str *out);
/* Parses one whole text. ERR_SYNTAX. Owned by the caller. */
int json_from_text(const char *text, size_t n, json_t **ret, struct diag *diag) MUST_CHECK;

/* Finds where one JSON object ends in a stream of bytes that arrives in pieces. */
struct json_scanner {
    unsigned depth;
    bool in_string, escaped;
    size_t pos; /* bytes looked at so far */
};
/* Looks at the rest of the N bytes at TEXT (which grows between calls). 1: an object is complete
 * and is the first scanner->pos bytes, leading white space included (set the scanner to zero for
 * the next); 0: more is needed; ERR_SYNTAX: not an object, or nested deeper than JSON_MAX_DEPTH. */
int json_scan(struct json_scanner *scanner, const char *text, size_t n) MUST_CHECK;
