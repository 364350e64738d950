/* keep.c - see keep.h. Beside room 8 of docs/architecture.md.
 */
#include "controller/allocate/keep.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    enum id_kind kind;
    const char *prefix;
} kept[] = {{ID_ZONE, "ct-zone-"}, {ID_METER, "weft-meter-"}};

/* The name behind the prefix, or NULL. */
static const char *name_of(const char *key, const char *prefix)
{
    size_t n = strlen(prefix);
    return strncmp(key, prefix, n) ? NULL : key + n;
}

void keep_restore(struct ids *ids, const struct ovs_bridge *bridge)
{
    const struct datum *map = ovs_bridge_external_ids(bridge);
    for (size_t i = 0; i < map->n; i++) {
        for (size_t k = 0; k < ARRAY_SIZE(kept); k++) {
            const char *name = name_of(map->atoms[i].string->s, kept[k].prefix);
            int64_t id;
            if (name && !text_to_i64(datum_values(map)[i].string->s, 10, &id) && id > 0 &&
                id < 65536)
                ids_restore(ids, kept[k].kind, name, (uint32_t)id);
        }
    }
}

struct pass {
    const struct ovs_bridge *bridge;
    const char *prefix;
    struct writer *w;
    bool is_same;
};

static void write_one(const char *name, uint32_t id, void *pass_)
{
    struct pass *pass = pass_;
    char *key = xasprintf("%s%s", pass->prefix, name), text[16];
    const char *have = ovs_bridge_external_ids_value(pass->bridge, key);
    snprintf(text, sizeof text, "%" PRIu32, id);
    if (!have || strcmp(have, text)) {
        writer_pair(pass->w, "Bridge", ovs_bridge_uuid(pass->bridge), "external_ids", key, text);
        pass->is_same = false;
    }
    free(key);
}

void keep_write(struct ids *ids, const struct ovs_bridge *bridge, struct writer *w)
{
    const struct datum *map = ovs_bridge_external_ids(bridge);
    for (size_t k = 0; k < ARRAY_SIZE(kept); k++) {
        if (!ids->is_unsaved[kept[k].kind])
            continue;
        struct pass pass = {bridge, kept[k].prefix, w, true};
        ids_for_each(ids, kept[k].kind, write_one, &pass);
        for (size_t i = 0; i < map->n; i++) {
            const char *key = map->atoms[i].string->s, *name = name_of(key, kept[k].prefix);
            if (name && !ids_find(ids, kept[k].kind, name)) {
                writer_pair(w, "Bridge", ovs_bridge_uuid(bridge), "external_ids", key, NULL);
                pass.is_same = false;
            }
        }
        if (pass.is_same) /* it was seen to be there */
            ids->is_unsaved[kept[k].kind] = false;
    }
}
