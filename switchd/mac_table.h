/* mac_table.h - which port a (VLAN, MAC) was last seen on: what the NORMAL action forwards by.
 *
 * Part of the bridge; read by switchd/normal.c in room 10 of docs/architecture.md. Entries age (300 s by
 * default) and the table is bounded; when it is full the entry that was longest without traffic goes.
 * It promises to say when a lookup's answer has changed (mac_table.changed), so that cached translations
 * can be checked again. It does not know packets.
 */
#pragma once

#include "base/hmap.h"
#include "base/list.h"
#include "net/addr.h"

struct slice;

struct mac_entry {
    struct hnode node;
    struct list lru; /* oldest first; of a static one: in mac_table.fixed */
    bool is_static;  /* put there by the operator: no packet moves it, it does not age */
    struct mac mac;
    uint16_t vlan;
    uint32_t port; /* OpenFlow port */
    int64_t seen_ms;
};

struct mac_table {
    struct hmap entries;
    struct list lru, fixed;
    size_t n_static;
    uint32_t max_entries;
    int64_t aging_ms;
    uint64_t generation; /* grows with each change of an answer */
    uint64_t n_learned, n_expired, n_evicted, n_moved;
    /* Called when the answer for MAC in VLAN has changed. May be NULL. */
    void (*changed)(void *aux, struct mac mac, uint16_t vlan);
    void *aux;
};

void mac_table_init(struct mac_table *mt);
void mac_table_fini(struct mac_table *mt);
/* AGING_MS and MAX_ENTRIES are put into the documented bounds (15 s to 1 h, 10 to 1,000,000). */
void mac_table_configure(struct mac_table *mt, int64_t aging_ms, int64_t max_entries);

/* Notes that MAC was seen on PORT; true when that was news. A multicast MAC is never learned. */
bool mac_table_learn(struct mac_table *mt, struct mac mac, uint16_t vlan, uint32_t port,
                     int64_t now_ms);
const struct mac_entry *mac_table_find(const struct mac_table *mt, struct mac mac, uint16_t vlan);
/* Forgets what is too old. False: SLICE is over, and there is more. */
bool mac_table_expire(struct mac_table *mt, int64_t now_ms, struct slice *slice);
void mac_table_forget_port(struct mac_table *mt, uint32_t port);
/* MAC is on PORT until that is taken back or the port goes, whatever packets say. */
void mac_table_add_static(struct mac_table *mt, struct mac mac, uint16_t vlan, uint32_t port);
bool mac_table_remove_static(struct mac_table *mt, struct mac mac, uint16_t vlan); /* false: none */
void mac_table_clear_stats(struct mac_table *mt);
void mac_table_flush(struct mac_table *mt); /* static entries stay */
