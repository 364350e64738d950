/* json_plain.h - the fast half of json_from_text: text as programs write it. */
#pragma once

#include <jansson.h>

/* Parses the N bytes at TEXT when they are one whole JSON text of objects, arrays, words, integers of
 * up to 18 digits and ASCII strings without \u, nested at most JSON_MAX_DEPTH deep: the value that
 * jansson would give, owned by the caller. NULL when they are anything else, correct or not. */
json_t *json_parse_plain(const char *text, size_t n);
