/* smap.h - a small map of text to text: options, other_config and external_ids of a database row.
 *
 * Kept sorted by key. It owns its texts. Values parse on demand with a default, since a bad value in a
 * database must not stop a switch.
 */
#pragma once

#include "base/vec.h"

struct smap_entry {
    char *key, *value;
};

struct smap {
    VEC(struct smap_entry) entries;
};

#define SMAP_INIT                                                                                  \
    {                                                                                              \
        VEC_INIT                                                                                   \
    }

void smap_set(struct smap *map, const char *key, const char *value);
const char *smap_get(const struct smap *map, const char *key); /* NULL: absent */
const char *smap_get_or(const struct smap *map, const char *key, const char *otherwise);
bool smap_get_bool(const struct smap *map, const char *key, bool otherwise);
int64_t smap_get_int(const struct smap *map, const char *key, int64_t otherwise);
bool smap_equal(const struct smap *a, const struct smap *b);
void smap_copy(struct smap *to, const struct smap *from); /* TO is initialised, and emptied first */
void smap_clear(struct smap *map);
void smap_fini(struct smap *map);
