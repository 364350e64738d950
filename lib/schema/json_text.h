/* json_text.h - JSON values as the text that OVSDB peers exchange.
 *
 * Differs from jansson's printer in numbers (reals have 15 significant digits, 5.0 is "5") and in
 * that object members are sorted, so that equal values have equal texts. Room 5's wire form. Reading
 * JSON is the business of io/jsonrpc and jansson.
 */
#pragma once

#include <jansson.h>

#include "base/str.h"

/* One JSON string with its quotes; escapes ", \ and control characters, nothing else. */
void json_put_string(const char *s, size_t n, struct str *out);
void json_text_put_real(double real, struct str *out);
/* A whole value on one line. Nesting beyond JSON_TEXT_DEPTH is cut to null. */
enum { JSON_TEXT_DEPTH = 1000 };
void json_text_put(const json_t *json, struct str *out);
/* The same as a heap string. */
char *json_to_text(const json_t *json);
