/* mac_table.c - see mac_table.h. */
#include "switchd/mac_table.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "switchd/slice.h"

enum { AGING_DEFAULT_MS = 300000, ENTRIES_DEFAULT = 8192 };

void mac_table_init(struct mac_table *mt)
{
    memset(mt, 0, sizeof *mt);
    list_init(&mt->lru);
    list_init(&mt->fixed);
    mt->max_entries = ENTRIES_DEFAULT;
    mt->aging_ms = AGING_DEFAULT_MS;
}

static void tell(struct mac_table *mt, const struct mac_entry *e)
{
    mt->generation++;
    if (mt->changed)
        mt->changed(mt->aux, e->mac, e->vlan);
}

static void entry_remove(struct mac_table *mt, struct mac_entry *e)
{
    hmap_remove(&mt->entries, &e->node);
    list_remove(&e->lru);
    mt->n_static -= e->is_static;
    tell(mt, e);
    free(e);
}

void mac_table_flush(struct mac_table *mt)
{
    while (!list_empty(&mt->lru))
        entry_remove(mt, LIST_FIRST(struct mac_entry, lru, &mt->lru));
}

void mac_table_fini(struct mac_table *mt)
{
    mac_table_flush(mt);
    while (!list_empty(&mt->fixed))
        entry_remove(mt, LIST_FIRST(struct mac_entry, lru, &mt->fixed));
    hmap_fini(&mt->entries);
}

void mac_table_configure(struct mac_table *mt, int64_t aging_ms, int64_t max_entries)
{
    mt->aging_ms = MIN(MAX(aging_ms, 15000), 3600000);
    mt->max_entries = (uint32_t)MIN(MAX(max_entries, 10), 1000000);
    while (mt->entries.n > mt->max_entries && !list_empty(&mt->lru))
        entry_remove(mt, LIST_FIRST(struct mac_entry, lru, &mt->lru));
}

static uint64_t entry_hash(struct mac mac, uint16_t vlan)
{
    return hash_u64(mac_to_u64(mac), vlan);
}

static struct mac_entry *entry_find(const struct mac_table *mt, struct mac mac, uint16_t vlan)
{
    struct mac_entry *e;
    HMAP_FOR_EACH_WITH_HASH (e, node, entry_hash(mac, vlan), &mt->entries) {
        if (mac_equal(e->mac, mac) && e->vlan == vlan)
            return e;
    }
    return NULL;
}

const struct mac_entry *mac_table_find(const struct mac_table *mt, struct mac mac, uint16_t vlan)
{
    return entry_find(mt, mac, vlan);
}

static struct mac_entry *entry_add(struct mac_table *mt, struct mac mac, uint16_t vlan)
{
    struct mac_entry *e = NEW(struct mac_entry);
    e->mac = mac;
    e->vlan = vlan;
    hmap_insert(&mt->entries, &e->node, entry_hash(mac, vlan));
    list_init(&e->lru);
    return e;
}

void mac_table_add_static(struct mac_table *mt, struct mac mac, uint16_t vlan, uint32_t port)
{
    struct mac_entry *e = entry_find(mt, mac, vlan);
    if (!e)
        e = entry_add(mt, mac, vlan);
    mt->n_static += !e->is_static;
    e->is_static = true;
    e->port = port;
    list_remove(&e->lru);
    list_push_back(&mt->fixed, &e->lru);
    tell(mt, e);
}

bool mac_table_remove_static(struct mac_table *mt, struct mac mac, uint16_t vlan)
{
    struct mac_entry *e = entry_find(mt, mac, vlan);
    if (!e || !e->is_static)
        return false;
    entry_remove(mt, e);
    return true;
}

void mac_table_clear_stats(struct mac_table *mt)
{
    mt->n_learned = mt->n_expired = mt->n_evicted = mt->n_moved = 0;
}

bool mac_table_learn(struct mac_table *mt, struct mac mac, uint16_t vlan, uint32_t port,
                     int64_t now_ms)
{
    if (mac_is_multicast(mac))
        return false;
    struct mac_entry *e = entry_find(mt, mac, vlan);
    bool news = !e || e->port != port;
    if (e && e->is_static)
        return false;
    if (!e) {
        if (mt->entries.n >= mt->max_entries && list_empty(&mt->lru))
            return false;
        if (mt->entries.n >= mt->max_entries) {
            entry_remove(mt, LIST_FIRST(struct mac_entry, lru, &mt->lru));
            mt->n_evicted++;
        }
        e = entry_add(mt, mac, vlan);
        mt->n_learned++;
    } else if (news) {
        mt->n_moved++;
    }
    e->port = port;
    e->seen_ms = now_ms;
    list_remove(&e->lru);
    list_push_back(&mt->lru, &e->lru);
    if (news)
        tell(mt, e);
    return news;
}

bool mac_table_expire(struct mac_table *mt, int64_t now_ms, struct slice *slice)
{
    while (!list_empty(&mt->lru)) {
        struct mac_entry *e = LIST_FIRST(struct mac_entry, lru, &mt->lru);
        if (now_ms - e->seen_ms < mt->aging_ms)
            break;
        entry_remove(mt, e);
        mt->n_expired++;
        if (slice_is_over(slice))
            return false;
    }
    return true;
}

static void forget_port(struct mac_table *mt, struct list *entries, uint32_t port)
{
    struct mac_entry *e, *next;
    LIST_FOR_EACH_SAFE (e, next, lru, entries) {
        if (e->port == port)
            entry_remove(mt, e);
    }
}

void mac_table_forget_port(struct mac_table *mt, uint32_t port)
{
    forget_port(mt, &mt->lru, port);
    forget_port(mt, &mt->fixed, port);
}
