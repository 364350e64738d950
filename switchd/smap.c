/* smap.c - see smap.h. */
#include "switchd/smap.h"

#include <string.h>
#include <strings.h>

#include "base/str.h"

/* The place of KEY, or where it would be inserted. */
static size_t place(const struct smap *map, const char *key, bool *found)
{
    size_t lo = 0, hi = map->entries.n;
    *found = false;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        int c = strcmp(map->entries.data[mid].key, key);
        if (!c) {
            *found = true;
            return mid;
        }
        if (c < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

void smap_set(struct smap *map, const char *key, const char *value)
{
    bool found;
    size_t i = place(map, key, &found);
    if (found) {
        free(map->entries.data[i].value);
        map->entries.data[i].value = xstrdup(value);
        return;
    }
    (void)vec_push_zero(&map->entries);
    struct smap_entry *e = &map->entries.data[i];
    memmove(e + 1, e, (map->entries.n - 1 - i) * sizeof *e);
    *e = (struct smap_entry){xstrdup(key), xstrdup(value)};
}

const char *smap_get(const struct smap *map, const char *key)
{
    bool found;
    size_t i = place(map, key, &found);
    return found ? map->entries.data[i].value : NULL;
}

const char *smap_get_or(const struct smap *map, const char *key, const char *otherwise)
{
    const char *value = smap_get(map, key);
    return value ? value : otherwise;
}

bool smap_get_bool(const struct smap *map, const char *key, bool otherwise)
{
    const char *value = smap_get(map, key);
    if (!value)
        return otherwise;
    return otherwise ? strcasecmp(value, "false") != 0 : strcasecmp(value, "true") == 0;
}

int64_t smap_get_int(const struct smap *map, const char *key, int64_t otherwise)
{
    const char *value = smap_get(map, key);
    int64_t x;
    return value && !text_to_i64(value, 0, &x) ? x : otherwise;
}

bool smap_equal(const struct smap *a, const struct smap *b)
{
    if (a->entries.n != b->entries.n)
        return false;
    for (size_t i = 0; i < a->entries.n; i++) {
        const struct smap_entry *x = &a->entries.data[i], *y = &b->entries.data[i];
        if (strcmp(x->key, y->key) || strcmp(x->value, y->value))
            return false;
    }
    return true;
}

void smap_copy(struct smap *to, const struct smap *from)
{
    smap_clear(to);
    for (size_t i = 0; i < from->entries.n; i++)
        smap_set(to, from->entries.data[i].key, from->entries.data[i].value);
}

void smap_clear(struct smap *map)
{
    for (size_t i = 0; i < map->entries.n; i++) {
        free(map->entries.data[i].key);
        free(map->entries.data[i].value);
    }
    vec_clear(&map->entries);
}

void smap_fini(struct smap *map)
{
    smap_clear(map);
    vec_fini(&map->entries);
}
