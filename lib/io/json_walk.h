/* json_walk.h - goes through a JSON text piece by piece, so that a large one never is a value as a whole.
 *
 *     json_walk_begin(&w, text, n);
 *     for (bool ok = json_walk_open(&w, '{'); ok && json_walk_more(&w, '}');) {
 *         name = json_walk_name(&w, &n);
 *         value = json_walk_value(&w); or another json_walk_open, up to its end
 *     }
 *     json_walk_end(&w);
 *
 * After the first thing that is not what was asked for, everything fails and w.has_failed says so.
 */
#pragma once

#include <jansson.h>

#include "base/str.h"

struct json_walk {
    const char *at, *end;
    unsigned depth;
    struct str unescaped;
    bool is_fresh; /* nothing has been read in the container yet */
    bool has_failed;
};

/* The text has to last until the end of the walk. */
void json_walk_begin(struct json_walk *w, const char *text, size_t n);
void json_walk_end(struct json_walk *w);
/* Steps into the object (OPEN is '{') or the array ('[') that comes next; false: there is none. */
bool json_walk_open(struct json_walk *w, char open);
/* Whether another member or element comes; if not, the container, whose end is CLOSE, is left. */
bool json_walk_more(struct json_walk *w, char close);
/* The name of the member that comes next, N bytes valid until the next call. NULL: there is none. */
const char *json_walk_name(struct json_walk *w, size_t *n);
/* What comes next, owned by the caller, as json_from_text gives it; of what is not plain (json_plain.h) only objects are understood. NULL: nothing that is. */
json_t *json_walk_value(struct json_walk *w);
