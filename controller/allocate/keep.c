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

static const char *prefix_of(enum id_kind kind)
{
    return kind == ID_ZONE ? kept[0].prefix : kept[1].prefix;
}

/* What the bridge says of a name: 0 when it says nothing. */
static uint32_t saved_id(const struct ovs_bridge *bridge, const char *key)
{
    const char *text = ovs_bridge_external_ids_value(bridge, key);
    int64_t id;
    return text && !text_to_i64(text, 10, &id) && id > 0 && id < 65536 ? (uint32_t)id : 0;
}

void keep_note(struct ids *ids, const struct ovs_bridge *bridge)
{
    struct id_entry *e, *next;
    ids->has_news = false;
    LIST_FOR_EACH_SAFE (e, next, unsaved, &ids->unsaved) {
        char *key = xasprintf("%s%s", prefix_of(e->key.kind), e->key.name->s);
        if (saved_id(bridge, key) == e->id)
            ids_saved(ids, e);
        free(key);
    }
}

void keep_write(struct ids *ids, const struct ovs_bridge *bridge, struct writer *w)
{
    const struct uuid *row = ovs_bridge_uuid(bridge);
    const struct id_entry *e;
    char text[16];
    LIST_FOR_EACH (e, unsaved, &ids->unsaved) {
        char *key = xasprintf("%s%s", prefix_of(e->key.kind), e->key.name->s);
        snprintf(text, sizeof text, "%" PRIu32, e->id);
        writer_pair(w, "Bridge", row, "external_ids", key, text);
        free(key);
    }
    for (size_t i = ids->gone.n; i--;) {
        const struct id_key *gone = &ids->gone.data[i];
        char *key = xasprintf("%s%s", prefix_of(gone->kind), gone->name->s);
        bool is_there = ovs_bridge_external_ids_value(bridge, key) != NULL;
        if (ids_find(ids, gone->kind, gone->name->s) || !is_there)
            ids_forgotten(ids, i);
        else
            writer_pair(w, "Bridge", row, "external_ids", key, NULL);
        free(key);
    }
}
