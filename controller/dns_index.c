/* dns_index.c - see dns_index.h. Beside room 11 of docs/architecture.md. Names are compared without regard to case: a row
 * whose names are all in lower case, as northd writes them, is asked by binary search, another one name by name.
 */
#include "controller/dns_index.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct entry {
    struct hnode node;
    const struct row *row;
    struct uuid datapath;
    bool has_upper;
};

void dns_index_clear(struct dns_index *index)
{
    struct entry *e;
    HMAP_FOR_EACH_SAFE (e, node, &index->rows) {
        hmap_remove(&index->rows, &e->node);
        row_unref(e->row);
        free(e);
    }
}

void dns_index_fini(struct dns_index *index)
{
    dns_index_clear(index);
    hmap_fini(&index->rows);
}

static bool has_upper(const struct datum *records)
{
    for (uint32_t i = 0; i < records->n; i++)
        for (const char *s = records->atoms[i].string->s; *s; s++)
            if (isupper((unsigned char)*s))
                return true;
    return false;
}

static void remove_row(struct dns_index *index, const struct row *row)
{
    const struct datum *datapaths = sb_dns_datapaths(sb_dns_cast(row));
    for (uint32_t i = 0; i < datapaths->n; i++) {
        struct entry *e;
        HMAP_FOR_EACH_WITH_HASH (e, node, uuid_hash(&datapaths->atoms[i].uuid), &index->rows) {
            if (uuid_equal(&e->row->uuid, &row->uuid)) {
                hmap_remove(&index->rows, &e->node);
                row_unref(e->row);
                free(e);
                break;
            }
        }
    }
}

static void add_row(struct dns_index *index, const struct row *row)
{
    const struct datum *datapaths = sb_dns_datapaths(sb_dns_cast(row));
    bool upper = has_upper(sb_dns_records(sb_dns_cast(row)));
    for (uint32_t i = 0; i < datapaths->n; i++) {
        struct entry *e = NEW(struct entry);
        e->row = row_ref(row);
        e->datapath = datapaths->atoms[i].uuid;
        e->has_upper = upper;
        hmap_insert(&index->rows, &e->node, uuid_hash(&e->datapath));
    }
}

void dns_index_change(struct dns_index *index, const struct row *before, const struct row *after)
{
    if (before)
        remove_row(index, before);
    if (after)
        add_row(index, after);
}

static const char *find_in(const struct entry *e, const char *name)
{
    const struct datum *records = sb_dns_records(sb_dns_cast(e->row));
    if (!e->has_upper)
        return datum_map_text(records, name);
    for (uint32_t i = 0; i < records->n; i++)
        if (!strcasecmp(records->atoms[i].string->s, name))
            return datum_values(records)[i].string->s;
    return NULL;
}

const char *dns_index_find(const struct dns_index *index, const struct uuid *datapath,
                           const char *name, bool *is_owned)
{
    const struct entry *e;
    HMAP_FOR_EACH_WITH_HASH (e, node, uuid_hash(datapath), &index->rows) {
        if (!uuid_equal(&e->datapath, datapath))
            continue;
        const char *value = find_in(e, name);
        if (value) {
            const char *owned = sb_dns_options_value(sb_dns_cast(e->row), "ovn-owned");
            *is_owned = owned && !strcmp(owned, "true");
            return value;
        }
    }
    return NULL;
}
